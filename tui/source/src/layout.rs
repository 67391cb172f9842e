//! Finds the members of [`MEMBERS`] in a kernel's BTF and makes the constants that the eBPF programs are loaded with.
//!
//! Does not load anything, and does not know which kernel it looks at.

pub use ptree_common::layout::Need;
use ptree_common::layout::{MEMBERS, MISSING, Member, Offsets, Part, Settings, Shape};
use zerocopy::{FromBytes, IntoBytes};

use crate::btf::{Btf, Class, Place};

/// What a lookup gave for one row of the table.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The row.
    pub member: &'static Member,
    /// Where it is, if it is.
    pub lookup: Lookup,
}

/// What a lookup gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It is there.
    Found(Found),
    /// It is there, but it is something else than what is read.
    Unfit(Found),
    /// This kernel has none of the alternatives.
    Absent,
}

/// A member that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The alternative that was found.
    pub path: &'static str,
    /// What kernels have it there; empty for a member that never moved.
    pub era: &'static str,
    /// Its type, as C writes it.
    pub ty: String,
    /// Bytes from the start of the struct.
    pub offset: u32,
    /// Bytes it takes.
    pub size: u32,
}

impl Resolved {
    /// Its name, by the alternative that was found, or else by the newest.
    #[must_use]
    pub fn name(&self) -> String {
        let path = match &self.lookup {
            Lookup::Found(found) | Lookup::Unfit(found) => found.path,
            Lookup::Absent => self.member.places[0].path,
        };
        format!("{}.{path}", self.member.strct)
    }

    const fn is_found(&self) -> bool {
        matches!(self.lookup, Lookup::Found(_))
    }
}

/// The layout of a kernel's structs.
#[derive(Clone, Debug)]
pub struct Layout {
    /// For the programs. Members of a part that is not whole are missing.
    pub offsets: Offsets,
    /// For the programs; `wake_bytes` is left at 0, `copies` at 1.
    pub settings: Settings,
    /// Row by row, in the order of [`MEMBERS`].
    pub members: Vec<Resolved>,
    /// Bytes of each struct of the table, in its order; `None` for one that this kernel does not have.
    pub structs: Vec<(&'static str, Option<u32>)>,
}

/// A kernel that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this kernel's BTF lacks what the process tree cannot do without: {}", .0.join(", "))]
pub struct VitalMissing(pub Vec<String>);

impl Layout {
    /// Looks every member up, but for those that are to be taken for missing: `pretend` is asked with the name of the
    /// field of [`Offsets`].
    #[must_use]
    pub fn of(btf: &Btf<'_>, pretend: impl Fn(&str) -> bool) -> Self {
        let look_up = |member: &'static Member| {
            let lookup = if pretend(member.field) { Lookup::Absent } else { look_up(btf, member) };
            Resolved { member, lookup }
        };
        let members: Vec<Resolved> = MEMBERS.iter().map(look_up).collect();
        let lost: Vec<Part> = lost(&members).collect();
        let words: Vec<u32> = members
            .iter()
            .map(|row| match (&row.lookup, row.member.need) {
                (Lookup::Found(_), Need::For(part)) if lost.contains(&part) => MISSING,
                (Lookup::Found(found), _) => found.offset,
                (Lookup::Unfit(_) | Lookup::Absent, _) => MISSING,
            })
            .collect();
        // As many words as fields: asserted where the table is defined.
        let offsets = Offsets::read_from_bytes(words.as_bytes()).unwrap_or(Offsets::UNSET);
        let settings = Settings {
            wake_bytes: 0,
            exit_has_group_dead: u32::from(btf.tracepoint_args("sched_process_exit").is_some_and(|args| args >= 2)),
            upid_size: btf.struct_size("upid").unwrap_or(0),
            rss_by_helper: u32::from(btf.member("mm_struct", "rss_stat.count").is_some()),
            copies: 1,
            victim_is_task: u32::from(btf.tracepoint_args("mark_victim").is_some_and(|args| args >= 2)),
            reserved: 0,
        };
        let mut structs: Vec<(&'static str, Option<u32>)> = Vec::new();
        for member in MEMBERS {
            if !structs.iter().any(|(name, _)| *name == member.strct) {
                structs.push((member.strct, btf.struct_size(member.strct)));
            }
        }
        Self { offsets, settings, members, structs }
    }

    /// Whether the programs can be loaded with it.
    ///
    /// # Errors
    /// Names every vital member that is not there, or is not what it has to be.
    pub fn check(&self) -> Result<(), VitalMissing> {
        let vital: Vec<String> = self
            .members
            .iter()
            .filter(|row| row.member.need == Need::Vital)
            .filter_map(|row| match &row.lookup {
                Lookup::Found(_) => None,
                Lookup::Unfit(found) => Some(format!("{} (it is '{}')", row.name(), found.ty)),
                Lookup::Absent => Some(row.name()),
            })
            .collect();
        if vital.is_empty() { Ok(()) } else { Err(VitalMissing(vital)) }
    }

    /// The parts of what is shown for which this kernel lacks a member, each once.
    pub fn lost(&self) -> impl Iterator<Item = Part> {
        lost(&self.members)
    }

    /// Names of the members that a part lacks.
    pub fn lacking(&self, part: Part) -> impl Iterator<Item = String> {
        self.members.iter().filter(move |row| is_needed(row, part) && !row.is_found()).map(Resolved::name)
    }
}

fn lost(members: &[Resolved]) -> impl Iterator<Item = Part> {
    let lacks = |part| members.iter().any(|row| is_needed(row, part) && !row.is_found());
    Part::ALL.into_iter().filter(move |&part| lacks(part))
}

/// Whether a part goes by this member.
fn is_needed(row: &Resolved, part: Part) -> bool {
    // Who is moved is told with the cgroup's id.
    row.member.need == Need::For(part) || part == Part::Moves && row.member.need == Need::For(Part::Cgroups)
}

/// The first alternative that is there and is what it has to be; else the first that is there.
fn look_up(btf: &Btf<'_>, member: &Member) -> Lookup {
    let mut unfit = None;
    for alternative in member.places {
        let Some(place) = btf.member(member.strct, alternative.path) else { continue };
        let fits = fits(member.shape, place);
        // Of a number that is longer than what is read of it, the lowest bytes.
        let lowest = match member.shape {
            Shape::Int(size) if fits && btf.is_big_endian() => place.size - size,
            _ => 0,
        };
        let found = Found {
            path: alternative.path,
            era: alternative.era,
            ty: btf.type_name(place.ty),
            offset: place.offset.saturating_add(lowest),
            size: place.size,
        };
        if fits {
            return Lookup::Found(found);
        }
        unfit.get_or_insert(found);
    }
    unfit.map_or(Lookup::Absent, Lookup::Unfit)
}

/// Whether reading this would give what is wanted. Pointers are 8 bytes on every machine that the programs run on.
const fn fits(shape: Shape, place: Place) -> bool {
    match (shape, place.class) {
        (Shape::Int(size), Class::Int) => size <= place.size && place.size <= 8,
        (Shape::Text(size), Class::Text) | (Shape::Struct(size), Class::Struct) => size <= place.size,
        (Shape::Pointer, Class::Pointer) => place.size == 8,
        (Shape::Structs, Class::Structs) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
