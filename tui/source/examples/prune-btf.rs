//! Cuts a kernel's BTF down to the types that the table of members leads to: `prune-btf IN OUT`. Megabytes become
//! kilobytes, which the tests can have beside them. `cargo xtask btf-fixtures` runs it.
//!
//! Knows which names matter, and nothing of what is found under them.

use std::collections::HashMap;
use std::process::ExitCode;

use ptree_common::layout::MEMBERS;
use ptree_source::btf::{Btf, RawMember, Type, kind};

/// Tracepoints whose number of arguments matters.
const TRACEPOINTS: [&str; 5] =
    ["sched_process_fork", "sched_process_exec", "sched_process_exit", "signal_generate", "mark_victim"];
/// Anonymous structs nest no deeper in any kernel.
const MAX_DEPTH: u32 = 16;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = &args[..] else {
        eprintln!("usage: prune-btf IN OUT");
        return ExitCode::from(2);
    };
    match prune_file(from, to) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("prune-btf: '{from}' to '{to}': {error}");
            ExitCode::FAILURE
        }
    }
}

fn prune_file(from: &str, to: &str) -> Result<(), Box<dyn std::error::Error>> {
    let data = std::fs::read(from)?;
    Ok(std::fs::write(to, prune(&Btf::parse(&data)?))?)
}

fn prune(btf: &Btf<'_>) -> Vec<u8> {
    let mut pruner = Pruner { btf, ids: HashMap::new(), types: Vec::new(), strings: vec![0] };
    for member in MEMBERS {
        if let Some(id) = btf.struct_id(member.strct) {
            pruner.keep(id, false);
        }
    }
    for tracepoint in TRACEPOINTS {
        if let Some(id) = btf.tracepoint(tracepoint) {
            pruner.keep(id, false);
        }
    }
    for id in indices().filter_map(|index| btf.enumeration_with(index)) {
        pruner.keep(id, false);
    }
    pruner.blob()
}

/// What stands in brackets in the paths of the table.
fn indices() -> impl Iterator<Item = &'static str> {
    let paths = MEMBERS.iter().flat_map(|row| row.places).map(|place| place.path);
    paths.flat_map(|path| path.split('[').skip(1)).filter_map(|rest| rest.split(']').next())
}

struct Pruner<'a, 'b> {
    btf: &'b Btf<'a>,
    /// Old id, and whether only its name is wanted, to new id.
    ids: HashMap<(u32, bool), u32>,
    types: Vec<Vec<u32>>,
    strings: Vec<u8>,
}

impl Pruner<'_, '_> {
    /// Keeps a type and what it leads to; its new id. Of a struct behind a pointer, only the name.
    fn keep(&mut self, id: u32, pointed: bool) -> u32 {
        let Some(ty) = self.btf.get(id) else { return 0 };
        if let Some(&id) = self.ids.get(&(id, pointed)) {
            return id;
        }
        let place = self.types.len();
        self.types.push(Vec::new());
        let new = place as u32 + 1;
        self.ids.insert((id, pointed), new);
        self.types[place] = self.words(ty, pointed);
        new
    }

    fn words(&mut self, ty: Type, pointed: bool) -> Vec<u32> {
        let name = self.string(self.btf.name(ty));
        let info = |kind: u32, len: usize| u32::from(ty.flag()) << 31 | kind << 24 | len as u32;
        match ty.kind() {
            kind::INT => vec![name, info(kind::INT, 0), ty.size_or_type, 8 * ty.size_or_type],
            kind::ENUM if self.btf.enumerators(ty).any(|(name, _)| indices().any(|index| index.as_bytes() == name)) => {
                let mut words = vec![name, info(kind::ENUM, ty.len()), ty.size_or_type];
                for (name, value) in self.btf.enumerators(ty) {
                    words.extend([self.string(name), value.cast_unsigned()]);
                }
                words
            }
            kind @ (kind::ENUM | kind::ENUM64 | kind::FLOAT) => vec![name, info(kind, 0), ty.size_or_type],
            kind @ (kind::STRUCT | kind::UNION) if pointed => {
                vec![name, u32::from(kind == kind::UNION) << 31 | kind::FWD << 24, 0]
            }
            kind @ (kind::STRUCT | kind::UNION) => {
                let members: Vec<RawMember<'_>> = self.btf.members(ty).filter(|member| self.leads(member, 0)).collect();
                let mut words = vec![name, info(kind, members.len()), ty.size_or_type];
                for member in members {
                    words.extend([
                        self.string(member.name),
                        self.keep(member.ty, false),
                        member.bit_size << 24 | member.bit_offset,
                    ]);
                }
                words
            }
            kind::ARRAY => {
                let (element, count) = self.btf.array(ty).unwrap_or_default();
                vec![0, info(kind::ARRAY, 0), 0, self.keep(element, pointed), 0, count]
            }
            kind::FUNC_PROTO => {
                // Only their number matters.
                let parameters = std::iter::repeat_n(0, 2 * ty.len());
                [0, info(kind::FUNC_PROTO, ty.len()), 0].into_iter().chain(parameters).collect()
            }
            kind::FWD => vec![name, info(kind::FWD, 0), 0],
            kind => vec![name, info(kind, 0), self.keep(ty.size_or_type, pointed || kind == kind::PTR)],
        }
    }

    /// Whether a path of the table may go this way.
    fn leads(&self, member: &RawMember<'_>, depth: u32) -> bool {
        let part = |part: &str| part.split('[').next().is_some_and(|name| name.as_bytes() == member.name);
        if !member.name.is_empty() {
            return MEMBERS.iter().flat_map(|row| row.places).any(|place| place.path.split('.').any(part));
        }
        depth < MAX_DEPTH
            && self
                .btf
                .get(member.ty)
                .is_some_and(|inner| self.btf.members(inner).any(|inner| self.leads(&inner, depth + 1)))
    }

    fn string(&mut self, text: &[u8]) -> u32 {
        let text = [text, b"\0"].concat();
        let found = self.strings.windows(text.len()).position(|window| window == text);
        let at = found.unwrap_or_else(|| {
            self.strings.extend_from_slice(&text);
            self.strings.len() - text.len()
        });
        at as u32
    }

    fn blob(self) -> Vec<u8> {
        let types: Vec<u32> = self.types.concat();
        let len = 4 * types.len() as u32;
        let mut blob = 0xeb9f_u16.to_ne_bytes().to_vec();
        blob.extend([1, 0]);
        let header = [24, 0, len, len, self.strings.len() as u32];
        blob.extend(header.iter().chain(&types).flat_map(|word| word.to_ne_bytes()));
        blob.extend(self.strings);
        blob
    }
}
