//! Finds the members of [`MEMBERS`] in a kernel's BTF and makes the constants that the eBPF programs are loaded with.
//!
//! Does not load anything, and does not know which kernel it looks at.

use ptree_common::layout::{MEMBERS, MISSING, Member, Offsets, Settings};
use zerocopy::{FromBytes, IntoBytes};

use crate::btf::{Btf, Place};

/// What a lookup gave for one row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Resolved {
    /// The row.
    pub member: &'static Member,
    /// The path that was found, and where it is; `None` when this kernel has none of them.
    pub found: Option<(&'static str, Place)>,
}

/// The constants for a kernel.
#[derive(Clone, Debug)]
pub struct Layout {
    /// For the programs.
    pub offsets: Offsets,
    /// For the programs; `wake_bytes` is left at 0.
    pub settings: Settings,
    /// Row by row, in the order of [`MEMBERS`].
    pub members: Vec<Resolved>,
}

/// A kernel that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this kernel's BTF lacks what the process tree cannot do without: {}", .0.join(", "))]
pub struct VitalMissing(pub Vec<String>);

impl Layout {
    /// Looks every member up.
    ///
    /// # Errors
    /// Names every vital member that is not there.
    pub fn resolve(btf: &Btf<'_>) -> Result<Self, VitalMissing> {
        let members: Vec<Resolved> = MEMBERS
            .iter()
            .map(|member| {
                let found = member.paths.iter().find_map(|&path| {
                    let place = btf.member(member.strct, path)?;
                    (place.size >= member.size).then_some((path, place))
                });
                Resolved { member, found }
            })
            .collect();
        let vital: Vec<String> = members
            .iter()
            .filter(|row| row.member.vital && row.found.is_none())
            .map(|row| format!("{}.{}", row.member.strct, row.member.paths.join(" or ")))
            .collect();
        if !vital.is_empty() {
            return Err(VitalMissing(vital));
        }
        let words: Vec<u32> = members.iter().map(|row| row.found.map_or(MISSING, |(_, place)| place.offset)).collect();
        // As many words as fields: asserted where the table is defined.
        let offsets = Offsets::read_from_bytes(words.as_bytes()).unwrap_or(Offsets::UNSET);
        let settings = Settings {
            wake_bytes: 0,
            exit_has_group_dead: u32::from(btf.tracepoint_args("sched_process_exit").is_some_and(|args| args >= 2)),
            upid_size: btf.struct_size("upid").unwrap_or(0),
            rss_by_helper: u32::from(btf.member("mm_struct", "rss_stat.count").is_some()),
            reserved: 0,
        };
        Ok(Self { offsets, settings, members })
    }

    /// Members that this kernel lacks, with what is missed without them.
    pub fn missing(&self) -> impl Iterator<Item = &'static Member> {
        self.members.iter().filter(|row| row.found.is_none()).map(|row| row.member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A vital row must be refused by name when its struct is unknown; here every struct is.
    #[test]
    fn names_every_vital_member_that_is_missing() {
        let data = crate::btf::tests::blob(&[], "\0");
        let btf = Btf::parse(&data).unwrap();
        let VitalMissing(names) = Layout::resolve(&btf).unwrap_err();
        assert_eq!(names.len(), MEMBERS.iter().filter(|member| member.vital).count());
        assert!(names.contains(&"task_struct.start_boottime or real_start_time".to_owned()), "{names:?}");
    }

    /// The running kernel is the one kernel that every test machine has.
    #[test]
    fn the_running_kernel_has_everything_vital() {
        let Ok(data) = std::fs::read("/sys/kernel/btf/vmlinux") else {
            eprintln!("SKIPPED (this kernel has no BTF): the_running_kernel_has_everything_vital");
            return;
        };
        let layout = Layout::resolve(&Btf::parse(&data).unwrap()).unwrap();
        assert_ne!(layout.offsets.task_comm, MISSING);
        assert_eq!(layout.offsets.task_comm % 8, 0, "the programs read the name as two words");
        assert!(layout.settings.upid_size >= 16);
    }
}
