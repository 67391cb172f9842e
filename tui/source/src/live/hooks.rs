//! The programs on tracepoints in a running kernel: how many of each it needs, and what it has skipped.
//!
//! Which there are is in [`ptree_common::hooks`]. Does not know how a program is loaded, nor what it writes.

use ptree_common::layout::{MISSING, Offsets};
use ptree_common::wire::{COPIES, kind};
use ptree_core::event::{LossCount, LossKind};

use crate::decode::kind_of;
use crate::host::version;

/// From here on programs on tracepoints can be preempted: the kernel then skips them for whatever else happens on that
/// CPU before they go on. Nothing in the BTF tells such a kernel.
const PREEMPTIBLE: (u32, u32) = (7, 0);

/// Programs that each tracepoint needs on a kernel, so that none of its events is skipped by all of them. For that, as many
/// tasks would have to be preempted in them at a time on one CPU. Where nothing tells one exec of a process from the
/// next, there is one: what it is skipped for is told as lost, while several would leave events out untold.
pub(super) fn copies(release: &str, offsets: &Offsets) -> u32 {
    if version(release) < PREEMPTIBLE || offsets.task_exec_id == MISSING { 1 } else { COPIES }
}

/// What was lost, by the runs that were skipped of each program, told with its kind of record: an event is lost when every
/// program of its hook was skipped for it, and so at most as many are as the least of them was.
pub(super) fn skipped_by_all(skipped: impl Iterator<Item = (u32, u64)>) -> LossCount {
    let mut least: [Option<u64>; kind::COUNT as usize] = [None; kind::COUNT as usize];
    for (kind, runs) in skipped {
        let least = &mut least[kind as usize];
        *least = Some(least.map_or(runs, |least| least.min(runs)));
    }
    let mut lost = LossCount::default();
    for of in LossKind::ALL {
        lost[of] = least[kind_of(of) as usize].unwrap_or(0);
    }
    lost
}

/// `recursion_misses` of a program's fdinfo; 0 where the kernel does not say.
pub(super) fn recursion_misses(info: &str) -> u64 {
    info.lines()
        .find_map(|line| line.strip_prefix("recursion_misses:"))
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_runs_are_read_from_fdinfo() {
        assert_eq!(recursion_misses("prog_type:\t26\nrecursion_misses:\t7\nverified_insns:\t9\n"), 7);
        assert_eq!(recursion_misses("prog_type:\t26\n"), 0);
    }

    #[test]
    fn what_one_copy_takes_is_not_lost() {
        let skipped = [(kind::FORK, 5), (kind::EXIT, 9), (kind::EXIT, 0), (kind::EXEC, 4), (kind::EXEC, 3)];
        let mut lost = LossCount::of(LossKind::Fork, 5);
        lost[LossKind::Exec] = 3;
        assert_eq!(skipped_by_all(skipped.into_iter()), lost);
        assert_eq!(skipped_by_all(std::iter::empty()), LossCount::default());
    }

    #[test]
    fn copies_are_for_kernels_that_preempt_programs_and_number_execs() {
        let numbered = Offsets { task_exec_id: 2968, ..Offsets::UNSET };
        for (release, programs) in [("5.10.0-46-rt-amd64", 1), ("6.19.14+deb13-cloud-amd64", 1), ("7.0.1", COPIES)] {
            assert_eq!(copies(release, &numbered), programs, "{release}");
            assert_eq!(copies(release, &Offsets::UNSET), 1, "{release}");
        }
    }
}
