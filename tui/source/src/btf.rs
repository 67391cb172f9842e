//! Reads BTF, the kernel's description of its own types, as far as offsets need it: structs by name, members by path,
//! the number of arguments of a tracepoint.
//!
//! Total: a corrupt, truncated or foreign blob gives an error, never a panic. Does not know which members are wanted.
//! Format: <https://docs.kernel.org/bpf/btf.html>.

use rustc_hash::FxHashMap;

/// Why a blob cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BtfError {
    /// It does not begin as BTF does.
    #[error("not BTF of this machine's byte order: it begins with {0:02x?}")]
    Magic(Vec<u8>),
    /// Something reaches past the end.
    #[error("BTF is cut off or corrupt: {what} at byte {at} reaches past the end ({len} bytes)")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Where.
        at: usize,
        /// Bytes there are.
        len: usize,
    },
    /// A kind of type that did not exist when this was written; what follows it cannot be read.
    #[error("BTF type {id} is of unknown kind {kind}; a newer ptree-tui may know it")]
    UnknownKind {
        /// Number of the type.
        id: usize,
        /// Number of the kind.
        kind: u32,
    },
}

mod kind {
    pub(super) const INT: u32 = 1;
    pub(super) const PTR: u32 = 2;
    pub(super) const ARRAY: u32 = 3;
    pub(super) const STRUCT: u32 = 4;
    pub(super) const UNION: u32 = 5;
    pub(super) const ENUM: u32 = 6;
    pub(super) const FWD: u32 = 7;
    pub(super) const TYPEDEF: u32 = 8;
    pub(super) const VOLATILE: u32 = 9;
    pub(super) const CONST: u32 = 10;
    pub(super) const RESTRICT: u32 = 11;
    pub(super) const FUNC: u32 = 12;
    pub(super) const FUNC_PROTO: u32 = 13;
    pub(super) const VAR: u32 = 14;
    pub(super) const DATASEC: u32 = 15;
    pub(super) const FLOAT: u32 = 16;
    pub(super) const DECL_TAG: u32 = 17;
    pub(super) const TYPE_TAG: u32 = 18;
    pub(super) const ENUM64: u32 = 19;
}

/// Longest chain of typedefs and qualifiers, and deepest nesting of anonymous structs, that is followed: a corrupt blob
/// may have cycles.
const MAX_DEPTH: u32 = 32;

/// A parsed blob.
#[derive(Debug)]
pub struct Btf<'a> {
    data: &'a [u8],
    /// Where each type begins, by its id; id 0 is `void`.
    types: Vec<u32>,
    strings: std::ops::Range<usize>,
    /// Structs and unions by name.
    structs: FxHashMap<&'a [u8], u32>,
}

/// Where a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Bytes from the start of the outermost struct.
    pub offset: u32,
    /// Bytes it takes.
    pub size: u32,
}

#[derive(Clone, Copy)]
struct Type {
    at: usize,
    name: u32,
    info: u32,
    /// Size or referred type, by kind.
    size_or_type: u32,
}

impl Type {
    const fn kind(self) -> u32 {
        (self.info >> 24) & 0x1f
    }
    const fn len(self) -> usize {
        (self.info & 0xffff) as usize
    }
    const fn has_bitfields(self) -> bool {
        self.info >> 31 != 0
    }
}

impl<'a> Btf<'a> {
    /// Parses a blob such as `/sys/kernel/btf/vmlinux`.
    ///
    /// # Errors
    /// When it is not BTF, or corrupt.
    pub fn parse(data: &'a [u8]) -> Result<Self, BtfError> {
        let word = |at: usize, what| word(data, at, what);
        if data.get(..2) != Some(&0xeb9f_u16.to_ne_bytes()[..]) {
            return Err(BtfError::Magic(data.iter().take(4).copied().collect()));
        }
        let header = word(4, "header length")? as usize;
        let section =
            |offset_at: usize, len_at: usize, what: &'static str| -> Result<std::ops::Range<usize>, BtfError> {
                let start = header.saturating_add(word(offset_at, what)? as usize);
                let end = start.saturating_add(word(len_at, what)? as usize);
                if end > data.len() {
                    Err(BtfError::Truncated { what, at: start, len: data.len() })
                } else {
                    Ok(start..end)
                }
            };
        let type_section = section(8, 12, "types")?;
        let strings = section(16, 20, "strings")?;

        let mut btf = Self { types: vec![0], strings, structs: FxHashMap::default(), data };
        let mut at = type_section.start;
        while at < type_section.end {
            let id = btf.types.len();
            let ty = read_type(data, at)?;
            let extra = match ty.kind() {
                kind::PTR
                | kind::FWD
                | kind::TYPEDEF
                | kind::VOLATILE
                | kind::CONST
                | kind::RESTRICT
                | kind::FUNC
                | kind::FLOAT
                | kind::TYPE_TAG => 0,
                kind::INT | kind::VAR | kind::DECL_TAG => 4,
                kind::ARRAY => 12,
                kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 12 * ty.len(),
                kind::ENUM | kind::FUNC_PROTO => 8 * ty.len(),
                kind => return Err(BtfError::UnknownKind { id, kind }),
            };
            let end = at + 12 + extra;
            if end > type_section.end {
                return Err(BtfError::Truncated { what: "type", at, len: data.len() });
            }
            if matches!(ty.kind(), kind::STRUCT | kind::UNION)
                && let name @ [_, ..] = string(data, &btf.strings, ty.name)
            {
                // Several structs may share a name; the kernel's own come first.
                btf.structs.entry(name).or_insert(id as u32);
            }
            btf.types.push(at as u32);
            at = end;
        }
        Ok(btf)
    }

    /// Bytes of a struct.
    #[must_use]
    pub fn struct_size(&self, name: &str) -> Option<u32> {
        Some(self.get(*self.structs.get(name.as_bytes())?)?.size_or_type)
    }

    /// Finds a member: names joined by dots, with constant indices (`rss_stat[1].count`), through anonymous structs and
    /// unions unasked. A bit-field has no byte offset and is not found.
    #[must_use]
    pub fn member(&self, strct: &str, path: &str) -> Option<Place> {
        let mut id = *self.structs.get(strct.as_bytes())?;
        let mut offset = 0_u32;
        for part in path.split('.') {
            let (name, indices) = part.split_once('[').map_or((part, None), |(name, rest)| (name, Some(rest)));
            let (at, member) = self.named_member(self.resolve(id)?, name.as_bytes(), 0)?;
            offset = offset.checked_add(at)?;
            id = member;
            for index in indices.into_iter().flat_map(|rest| rest.trim_end_matches(']').split("][")) {
                let index: u32 = index.parse().ok()?;
                let (element, count) = self.array(self.resolve(id)?)?;
                // A count of 0 or 1 is how the kernel writes an array whose length is not fixed.
                if index >= count && count > 1 {
                    return None;
                }
                offset = offset.checked_add(self.size(element, 0)?.checked_mul(index)?)?;
                id = element;
            }
        }
        Some(Place { offset, size: self.size(id, 0)? })
    }

    /// How many arguments a BTF tracepoint passes to a program.
    #[must_use]
    pub fn tracepoint_args(&self, name: &str) -> Option<usize> {
        let typedef = format!("btf_trace_{name}");
        let ty = (1..self.types.len() as u32)
            .filter_map(|id| self.get(id))
            .find(|ty| ty.kind() == kind::TYPEDEF && string(self.data, &self.strings, ty.name) == typedef.as_bytes())?;
        let pointer = self.resolve(ty.size_or_type)?;
        let proto = (pointer.kind() == kind::PTR).then(|| self.resolve(pointer.size_or_type)).flatten()?;
        // The first argument is the tracepoint's own data.
        (proto.kind() == kind::FUNC_PROTO).then(|| proto.len().saturating_sub(1))
    }

    fn get(&self, id: u32) -> Option<Type> {
        if id == 0 {
            return None;
        }
        read_type(self.data, *self.types.get(id as usize)? as usize).ok()
    }

    /// The type behind typedefs and qualifiers.
    fn resolve(&self, mut id: u32) -> Option<Type> {
        for _ in 0..MAX_DEPTH {
            let ty = self.get(id)?;
            match ty.kind() {
                kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG => id = ty.size_or_type,
                _ => return Some(ty),
            }
        }
        None
    }

    /// Byte offset and type of a member of a struct or union, also of anonymous ones within it.
    fn named_member(&self, strct: Type, name: &[u8], depth: u32) -> Option<(u32, u32)> {
        if !matches!(strct.kind(), kind::STRUCT | kind::UNION) || depth > MAX_DEPTH {
            return None;
        }
        for index in 0..strct.len() {
            let at = strct.at + 12 + 12 * index;
            let read = |at| word(self.data, at, "member").ok();
            let (member_name, id, bits) = (read(at)?, read(at + 4)?, read(at + 8)?);
            let (bit_offset, bit_size) =
                if strct.has_bitfields() { (bits & 0x00ff_ffff, bits >> 24) } else { (bits, 0) };
            let member_name = string(self.data, &self.strings, member_name);
            if member_name == name {
                return (bit_size == 0 && bit_offset % 8 == 0).then_some((bit_offset / 8, id));
            }
            if member_name.is_empty()
                && let Some(inner) = self.resolve(id)
                && let Some((offset, found)) = self.named_member(inner, name, depth + 1)
            {
                return Some(((bit_offset / 8).checked_add(offset)?, found));
            }
        }
        None
    }

    /// Element type and count.
    fn array(&self, ty: Type) -> Option<(u32, u32)> {
        let read = |at| word(self.data, at, "array").ok();
        (ty.kind() == kind::ARRAY).then(|| Some((read(ty.at + 12)?, read(ty.at + 20)?))).flatten()
    }

    fn size(&self, id: u32, depth: u32) -> Option<u32> {
        if depth > MAX_DEPTH {
            return None;
        }
        let ty = self.resolve(id)?;
        match ty.kind() {
            kind::PTR => Some(8),
            kind::ARRAY => {
                let (element, count) = self.array(ty)?;
                self.size(element, depth + 1)?.checked_mul(count)
            }
            kind::INT | kind::STRUCT | kind::UNION | kind::ENUM | kind::FLOAT | kind::ENUM64 => Some(ty.size_or_type),
            _ => None,
        }
    }
}

fn word(data: &[u8], at: usize, what: &'static str) -> Result<u32, BtfError> {
    data.get(at..at.saturating_add(4))
        .and_then(|bytes| bytes.try_into().ok())
        .map(u32::from_ne_bytes)
        .ok_or(BtfError::Truncated { what, at, len: data.len() })
}

fn read_type(data: &[u8], at: usize) -> Result<Type, BtfError> {
    Ok(Type {
        at,
        name: word(data, at, "type")?,
        info: word(data, at + 4, "type")?,
        size_or_type: word(data, at + 8, "type")?,
    })
}

/// The NUL-terminated string at an offset of the string section; empty for one that is out of bounds.
fn string<'a>(data: &'a [u8], section: &std::ops::Range<usize>, offset: u32) -> &'a [u8] {
    let strings = data.get(section.clone()).unwrap_or_default();
    let tail = strings.get(offset as usize..).unwrap_or_default();
    tail.split(|&byte| byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests;
