//! The programs on tracepoints: which there are, how many of them a kernel needs, and what it has skipped.
//!
//! Does not know how a program is loaded, nor what it writes.

use ptree_common::layout::{MISSING, Offsets, Part};
use ptree_common::wire::{COPIES, kind};
use ptree_core::event::LossCount;

use crate::host::version;

/// Programs on a tracepoint.
pub(super) struct Hook {
    /// The program, and its copies.
    pub(super) names: &'static [&'static str],
    pub(super) tracepoint: &'static str,
    /// Of the records that it makes; `None` for one that takes notes for another, or says of processes only where they are:
    /// without any other, nothing would be told.
    pub(super) kind: Option<u32>,
    pub(super) part: Part,
}

/// In the order in which they are attached: fork last, so that whatever is seen to be forked has its exec and exit seen
/// as well, and who kills it.
pub(super) const HOOKS: [Hook; 10] = [
    Hook { names: &["on_cgroup_made"], tracepoint: "cgroup_mkdir", kind: None, part: Part::Moves },
    Hook { names: &["on_cgroup_gone"], tracepoint: "cgroup_rmdir", kind: None, part: Part::Moves },
    Hook { names: &["on_cgroup_named"], tracepoint: "cgroup_rename", kind: None, part: Part::Moves },
    Hook { names: &["on_cgroup_move"], tracepoint: "cgroup_attach_task", kind: None, part: Part::Moves },
    Hook { names: &["on_cgroup_left"], tracepoint: "cgroup_transfer_tasks", kind: None, part: Part::Moves },
    Hook { names: &["on_victim"], tracepoint: "mark_victim", kind: None, part: Part::OutOfMemory },
    Hook { names: &["on_signal"], tracepoint: "signal_generate", kind: None, part: Part::Killers },
    Hook {
        names: &["on_exit", "on_exit_2", "on_exit_3"],
        tracepoint: "sched_process_exit",
        kind: Some(kind::EXIT),
        part: Part::Ends,
    },
    Hook {
        names: &["on_exec", "on_exec_2", "on_exec_3"],
        tracepoint: "sched_process_exec",
        kind: Some(kind::EXEC),
        part: Part::Execs,
    },
    Hook {
        names: &["on_fork", "on_fork_2", "on_fork_3"],
        tracepoint: "sched_process_fork",
        kind: Some(kind::FORK),
        part: Part::Births,
    },
];

/// From here on programs on tracepoints can be preempted: the kernel then skips them for whatever else happens on that
/// CPU before they go on. Nothing in the BTF tells such a kernel.
const PREEMPTIBLE: (u32, u32) = (7, 0);

impl Hook {
    /// Name of the program that there always is.
    pub(super) const fn name(&self) -> &'static str {
        self.names[0]
    }

    /// The hook that has a program of this name, and which of its programs it is.
    pub(super) fn of(name: &str) -> Option<(&'static Self, usize)> {
        HOOKS.iter().find_map(|hook| Some((hook, hook.names.iter().position(|own| *own == name)?)))
    }
}

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
    let lost = |kind: u32| least[kind as usize].unwrap_or(0);
    LossCount { fork: lost(kind::FORK), exec: lost(kind::EXEC), exit: lost(kind::EXIT), cgroup: 0 }
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
        assert_eq!(skipped_by_all(skipped.into_iter()), LossCount { fork: 5, exec: 3, ..LossCount::default() });
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

    #[test]
    fn every_program_belongs_to_one_hook() {
        for hook in &HOOKS {
            for (number, name) in hook.names.iter().enumerate() {
                let (found, at) = Hook::of(name).unwrap();
                assert_eq!((found.tracepoint, at), (hook.tracepoint, number));
            }
        }
        assert!(Hook::of("on_task").is_none());
    }
}
