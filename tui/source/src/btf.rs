//! Reads BTF, the kernel's description of its own types, as far as offsets need it: structs by name, members by path,
//! enumerators, the number of arguments of a tracepoint.
//!
//! Total: a corrupt, truncated or foreign blob gives an error, never a panic, and takes no long time to do so. Reads
//! the blobs of machines of either byte order. Does not know which members are wanted.
//! Format: <https://docs.kernel.org/bpf/btf.html>.

use std::ops::Range;

use ptree_core::text::escape;
use rustc_hash::FxHashMap;

/// How every blob begins.
const MAGIC: u16 = 0xeb9f;

/// Why a blob cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BtfError {
    /// Nothing is in it.
    #[error("not BTF: it is empty")]
    Empty,
    /// It does not begin as BTF does.
    #[error("not BTF: it begins with {0:02x?}")]
    Magic(Vec<u8>),
    /// A program or a kernel image, which may have BTF in it.
    #[error("an ELF file; take the BTF out of it: objcopy --dump-section .BTF=OUT FILE /dev/null")]
    Elf,
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

/// Numbers of the kinds of types.
pub mod kind {
    #![allow(missing_docs, reason = "named as in the format")]
    pub const INT: u32 = 1;
    pub const PTR: u32 = 2;
    pub const ARRAY: u32 = 3;
    pub const STRUCT: u32 = 4;
    pub const UNION: u32 = 5;
    pub const ENUM: u32 = 6;
    pub const FWD: u32 = 7;
    pub const TYPEDEF: u32 = 8;
    pub const VOLATILE: u32 = 9;
    pub const CONST: u32 = 10;
    pub const RESTRICT: u32 = 11;
    pub const FUNC: u32 = 12;
    pub const FUNC_PROTO: u32 = 13;
    pub const VAR: u32 = 14;
    pub const DATASEC: u32 = 15;
    pub const FLOAT: u32 = 16;
    pub const DECL_TAG: u32 = 17;
    pub const TYPE_TAG: u32 = 18;
    pub const ENUM64: u32 = 19;
}

/// Longest chain of typedefs and qualifiers, and deepest nesting of anonymous structs, that is followed: a corrupt blob
/// may have cycles.
const MAX_DEPTH: u32 = 32;
/// Members looked at for one name, at most: anonymous structs of a corrupt blob may hold themselves, many times over.
const MAX_LOOKS: u32 = 1 << 16;

/// A parsed blob.
#[derive(Debug)]
pub struct Btf<'a> {
    data: &'a [u8],
    /// Made on a machine of the other byte order.
    swapped: bool,
    /// Where each type begins, by its id; id 0 is `void`.
    types: Vec<u32>,
    strings: Range<usize>,
    /// Structs and unions by name.
    structs: FxHashMap<&'a [u8], u32>,
    /// Enumerations.
    enums: Vec<u32>,
    pointer_size: u32,
}

/// Where a member is, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Bytes from the start of the outermost struct.
    pub offset: u32,
    /// Bytes it takes.
    pub size: u32,
    /// What it is.
    pub class: Class,
    /// Its type: see [`Btf::type_name`].
    pub ty: u32,
}

/// What a type is, as far as it matters to whoever reads memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// An integer, an enumeration, or a bit-field of whole bytes.
    Int,
    /// A pointer.
    Pointer,
    /// An array of bytes.
    Text,
    /// A struct or union.
    Struct,
    /// An array of structs.
    Structs,
    /// Anything else.
    Other,
}

/// A type as it stands in the blob.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    at: usize,
    /// Where its name is in the string section.
    name: u32,
    info: u32,
    /// Size or referred type, by kind.
    pub size_or_type: u32,
}

impl Type {
    /// See [`kind`].
    #[must_use]
    pub const fn kind(self) -> u32 {
        (self.info >> 24) & 0x1f
    }

    /// How many members, values or parameters it has.
    #[must_use]
    pub const fn len(self) -> usize {
        (self.info & 0xffff) as usize
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// By kind: members may be bit-fields, or what is declared is a union.
    #[must_use]
    pub const fn flag(self) -> bool {
        self.info >> 31 != 0
    }
}

/// A member of a struct or union, as it stands in the blob.
#[derive(Clone, Copy, Debug)]
pub struct RawMember<'a> {
    /// Empty for an anonymous struct or union.
    pub name: &'a [u8],
    /// Type.
    pub ty: u32,
    /// Bits from the start of the struct.
    pub bit_offset: u32,
    /// Bits of a bit-field; 0 for any other member.
    pub bit_size: u32,
}

impl<'a> Btf<'a> {
    /// Parses a blob such as `/sys/kernel/btf/vmlinux`.
    ///
    /// # Errors
    /// When it is not BTF, or corrupt.
    pub fn parse(data: &'a [u8]) -> Result<Self, BtfError> {
        let swapped = match data.get(..2).and_then(|magic| magic.try_into().ok()).map(u16::from_ne_bytes) {
            Some(MAGIC) => false,
            Some(magic) if magic.swap_bytes() == MAGIC => true,
            _ if data.starts_with(b"\x7fELF") => return Err(BtfError::Elf),
            _ if data.is_empty() => return Err(BtfError::Empty),
            _ => return Err(BtfError::Magic(data.iter().take(4).copied().collect())),
        };
        let word = |at: usize, what| word(data, swapped, at, what);
        let header = word(4, "header length")? as usize;
        let section = |offset_at: usize, len_at: usize, what: &'static str| -> Result<Range<usize>, BtfError> {
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

        let structs = FxHashMap::default();
        let mut btf = Self { types: vec![0], strings, structs, enums: Vec::new(), data, swapped, pointer_size: 8 };
        let mut at = type_section.start;
        while at < type_section.end {
            let id = btf.types.len();
            let ty = btf.read_type(at)?;
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
            match (ty.kind(), btf.name(ty)) {
                // Several structs may share a name; the kernel's own come first.
                (kind::STRUCT | kind::UNION, name @ [_, ..]) => {
                    btf.structs.entry(name).or_insert(id as u32);
                }
                (kind::ENUM, _) => btf.enums.push(id as u32),
                // In the kernel it is as long as a pointer.
                (kind::INT, b"long unsigned int" | b"unsigned long") => btf.pointer_size = ty.size_or_type,
                _ => {}
            }
            btf.types.push(at as u32);
            at = end;
        }
        Ok(btf)
    }

    /// Whether it is of a machine with this one's byte order and size of pointers.
    #[must_use]
    pub const fn is_native(&self) -> bool {
        !self.swapped && self.pointer_size as usize == size_of::<usize>()
    }

    /// Whether it is of a machine that stores the highest byte of a number first.
    #[must_use]
    pub const fn is_big_endian(&self) -> bool {
        self.swapped != cfg!(target_endian = "big")
    }

    /// Bytes of a struct.
    #[must_use]
    pub fn struct_size(&self, name: &str) -> Option<u32> {
        Some(self.get(self.struct_id(name)?)?.size_or_type)
    }

    /// The type of a struct or union.
    #[must_use]
    pub fn struct_id(&self, name: &str) -> Option<u32> {
        self.structs.get(name.as_bytes()).copied()
    }

    /// Finds a member: names joined by dots, with indices that are numbers or enumerators (`rss_stat[MM_ANONPAGES].count`),
    /// through anonymous structs and unions unasked. A bit-field is found when it is of whole bytes.
    #[must_use]
    pub fn member(&self, strct: &str, path: &str) -> Option<Place> {
        let mut id = self.struct_id(strct)?;
        let mut offset = 0_u32;
        let mut bits = 0;
        for part in path.split('.') {
            let (name, indices) = part.split_once('[').map_or((part, None), |(name, rest)| (name, Some(rest)));
            let (at, member) = self.named_member(self.resolve(id)?, name.as_bytes(), 0, &mut MAX_LOOKS.clone())?;
            if member.bit_offset % 8 != 0 {
                return None;
            }
            offset = offset.checked_add(at)?.checked_add(member.bit_offset / 8)?;
            (id, bits) = (member.ty, member.bit_size);
            for index in indices.into_iter().flat_map(|rest| rest.trim_end_matches(']').split("][")) {
                let index = index.parse().ok().or_else(|| self.enumerator(index))?;
                let (element, count) = self.array(self.resolve(id)?)?;
                // A count of 0 or 1 is how the kernel writes an array whose length is not fixed.
                if index >= count && count > 1 {
                    return None;
                }
                offset = offset.checked_add(self.size(element, 0)?.checked_mul(index)?)?;
                id = element;
            }
        }
        let (class, size) = match (bits, self.class(id)) {
            (0, class) => (class, self.size(id, 0)?),
            (8 | 16 | 32 | 64, Class::Int) => (Class::Int, bits / 8),
            _ => return None,
        };
        Some(Place { offset, size, class, ty: id })
    }

    /// The value of an enumerator, such as `MM_ANONPAGES`, that is not below zero. The kernel's own come first.
    #[must_use]
    pub fn enumerator(&self, name: &str) -> Option<u32> {
        let ty = self.get(self.enumeration_with(name)?)?;
        let (_, value) = self.enumerators(ty).find(|(known, _)| *known == name.as_bytes())?;
        value.try_into().ok()
    }

    /// The enumeration that an enumerator is of.
    #[must_use]
    pub fn enumeration_with(&self, name: &str) -> Option<u32> {
        // There are thousands: where one begins otherwise, it is not looked for its end.
        let strings = self.data.get(self.strings.clone()).unwrap_or_default();
        let is_it = |at: u32| {
            let rest = strings.get(at as usize..).and_then(|tail| tail.strip_prefix(name.as_bytes()));
            rest.is_some_and(|rest| matches!(rest.first(), Some(0) | None))
        };
        let has_it = |ty: Type| (0..ty.len()).any(|n| self.word(ty.at + 12 + 8 * n, "enumerator").is_ok_and(is_it));
        self.enums.iter().copied().find(|&id| self.get(id).is_some_and(has_it))
    }

    /// Names and values of an enumeration, of 32 bits.
    pub fn enumerators(&self, ty: Type) -> impl Iterator<Item = (&'a [u8], i32)> {
        let len = if ty.kind() == kind::ENUM { ty.len() } else { 0 };
        (0..len).map_while(move |index| {
            let read = |at| self.word(at, "enumerator").ok();
            let at = ty.at + 12 + 8 * index;
            Some((self.string(read(at)?), read(at + 4)?.cast_signed()))
        })
    }

    /// How many arguments a BTF tracepoint passes to a program; `None` when there is no such tracepoint.
    #[must_use]
    pub fn tracepoint_args(&self, name: &str) -> Option<usize> {
        let pointer = self.resolve(self.get(self.tracepoint(name)?)?.size_or_type)?;
        let proto = (pointer.kind() == kind::PTR).then(|| self.resolve(pointer.size_or_type)).flatten()?;
        // The first argument is the tracepoint's own data.
        (proto.kind() == kind::FUNC_PROTO).then(|| proto.len().saturating_sub(1))
    }

    /// The type that describes a BTF tracepoint: a typedef of a pointer to a function.
    #[must_use]
    pub fn tracepoint(&self, name: &str) -> Option<u32> {
        let typedef = format!("btf_trace_{name}");
        (1..self.types.len() as u32).find(|&id| {
            self.get(id).is_some_and(|ty| ty.kind() == kind::TYPEDEF && self.name(ty) == typedef.as_bytes())
        })
    }

    /// A type, as C writes it.
    #[must_use]
    pub fn type_name(&self, id: u32) -> String {
        self.type_name_at(id, 0)
    }

    fn type_name_at(&self, id: u32, depth: u32) -> String {
        let Some(ty) = self.get(id) else { return if id == 0 { "void" } else { "?" }.to_owned() };
        if depth > MAX_DEPTH {
            return "...".to_owned();
        }
        let name = escape(self.name(ty));
        let inner = |id| self.type_name_at(id, depth + 1);
        let tagged = |tag| if name.is_empty() { format!("{tag} {{...}}") } else { format!("{tag} {name}") };
        match ty.kind() {
            kind::STRUCT => tagged("struct"),
            kind::UNION => tagged("union"),
            kind::ENUM | kind::ENUM64 => tagged("enum"),
            kind::FWD => tagged(if ty.flag() { "union" } else { "struct" }),
            kind::PTR => format!("{} *", inner(ty.size_or_type)).replace("* *", "**"),
            kind::CONST => format!("const {}", inner(ty.size_or_type)),
            kind::VOLATILE => format!("volatile {}", inner(ty.size_or_type)),
            kind::RESTRICT | kind::TYPE_TAG => inner(ty.size_or_type),
            kind::FUNC_PROTO => "function".to_owned(),
            kind::ARRAY => match self.array(ty) {
                Some((element, count)) => format!("{}[{count}]", inner(element)),
                None => "?".to_owned(),
            },
            _ => name.into_owned(),
        }
    }

    /// A type by its id; `None` for `void` and for ids that there are not.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<Type> {
        if id == 0 {
            return None;
        }
        self.read_type(*self.types.get(id as usize)? as usize).ok()
    }

    /// The name of a type; empty when it has none.
    #[must_use]
    pub fn name(&self, ty: Type) -> &'a [u8] {
        self.string(ty.name)
    }

    /// The members of a struct or union, anonymous ones as they stand.
    pub fn members(&self, strct: Type) -> impl Iterator<Item = RawMember<'a>> {
        let len = if matches!(strct.kind(), kind::STRUCT | kind::UNION) { strct.len() } else { 0 };
        (0..len).map_while(move |index| {
            let at = strct.at + 12 + 12 * index;
            let read = |at| self.word(at, "member").ok();
            let (name, ty, bits) = (read(at)?, read(at + 4)?, read(at + 8)?);
            let (bit_offset, bit_size) = if strct.flag() { (bits & 0x00ff_ffff, bits >> 24) } else { (bits, 0) };
            Some(RawMember { name: self.string(name), ty, bit_offset, bit_size })
        })
    }

    /// Type and count of an array's elements.
    #[must_use]
    pub fn array(&self, ty: Type) -> Option<(u32, u32)> {
        let read = |at| self.word(at, "array").ok();
        (ty.kind() == kind::ARRAY).then(|| Some((read(ty.at + 12)?, read(ty.at + 20)?))).flatten()
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

    /// A member of a struct or union or of anonymous ones within it, and at which byte of the outer one the one begins
    /// that it is a member of. `looks` is how many members may yet be looked at.
    fn named_member(&self, strct: Type, name: &[u8], depth: u32, looks: &mut u32) -> Option<(u32, RawMember<'a>)> {
        if depth > MAX_DEPTH {
            return None;
        }
        for member in self.members(strct) {
            *looks = looks.checked_sub(1)?;
            if member.name == name {
                return Some((0, member));
            }
            if member.name.is_empty()
                && let Some(inner) = self.resolve(member.ty)
                && let Some((offset, found)) = self.named_member(inner, name, depth + 1, looks)
            {
                return Some(((member.bit_offset / 8).checked_add(offset)?, found));
            }
        }
        None
    }

    fn class(&self, id: u32) -> Class {
        let of_one = |ty: Type| match ty.kind() {
            kind::INT | kind::ENUM | kind::ENUM64 => Class::Int,
            kind::PTR => Class::Pointer,
            kind::STRUCT | kind::UNION => Class::Struct,
            _ => Class::Other,
        };
        let Some(ty) = self.resolve(id) else { return Class::Other };
        let Some((element, _)) = self.array(ty) else { return of_one(ty) };
        match self.resolve(element) {
            Some(element) if of_one(element) == Class::Int && element.size_or_type == 1 => Class::Text,
            Some(element) if of_one(element) == Class::Struct => Class::Structs,
            _ => Class::Other,
        }
    }

    fn size(&self, id: u32, depth: u32) -> Option<u32> {
        if depth > MAX_DEPTH {
            return None;
        }
        let ty = self.resolve(id)?;
        match ty.kind() {
            kind::PTR => Some(self.pointer_size),
            kind::ARRAY => {
                let (element, count) = self.array(ty)?;
                self.size(element, depth + 1)?.checked_mul(count)
            }
            kind::INT | kind::STRUCT | kind::UNION | kind::ENUM | kind::FLOAT | kind::ENUM64 => Some(ty.size_or_type),
            _ => None,
        }
    }

    fn word(&self, at: usize, what: &'static str) -> Result<u32, BtfError> {
        word(self.data, self.swapped, at, what)
    }

    fn read_type(&self, at: usize) -> Result<Type, BtfError> {
        Ok(Type {
            at,
            name: self.word(at, "type")?,
            info: self.word(at + 4, "type")?,
            size_or_type: self.word(at + 8, "type")?,
        })
    }

    /// The NUL-terminated string at an offset of the string section; empty for one that is out of bounds.
    fn string(&self, offset: u32) -> &'a [u8] {
        let strings = self.data.get(self.strings.clone()).unwrap_or_default();
        let tail = strings.get(offset as usize..).unwrap_or_default();
        tail.split(|&byte| byte == 0).next().unwrap_or_default()
    }
}

fn word(data: &[u8], swapped: bool, at: usize, what: &'static str) -> Result<u32, BtfError> {
    data.get(at..at.saturating_add(4))
        .and_then(|bytes| bytes.try_into().ok())
        .map(u32::from_ne_bytes)
        .map(|word| if swapped { word.swap_bytes() } else { word })
        .ok_or(BtfError::Truncated { what, at, len: data.len() })
}

#[cfg(test)]
pub(crate) mod tests;
