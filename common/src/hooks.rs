//! The table of hooks: which programs there are on which tracepoints, what they write, and what is lacking without them.
//!
//! The programs in `ebpf/` have these names, and say their tracepoints once more. Does not know how a program is
//! loaded, nor what happens in it.

use crate::layout::Part;
use crate::wire::kind;

/// Programs on a tracepoint.
#[derive(Debug)]
pub struct Hook {
    /// The program, and its copies.
    pub programs: &'static [&'static str],
    /// Its name, without `trace_`.
    pub tracepoint: &'static str,
    /// Of the records that it makes; `None` for one that takes notes for another, or says of processes only where they are:
    /// without any other, nothing would be told.
    pub kind: Option<u32>,
    /// What there is only with it.
    pub part: Part,
}

/// In the order in which they are attached: fork last, so that whatever is seen to be forked has its exec and exit seen
/// as well, and who kills it.
pub const HOOKS: [Hook; 10] = [
    Hook { programs: &["on_cgroup_made"], tracepoint: "cgroup_mkdir", kind: None, part: Part::Moves },
    Hook { programs: &["on_cgroup_gone"], tracepoint: "cgroup_rmdir", kind: None, part: Part::Moves },
    Hook { programs: &["on_cgroup_named"], tracepoint: "cgroup_rename", kind: None, part: Part::Moves },
    Hook { programs: &["on_cgroup_move"], tracepoint: "cgroup_attach_task", kind: None, part: Part::Moves },
    Hook { programs: &["on_cgroup_left"], tracepoint: "cgroup_transfer_tasks", kind: None, part: Part::Moves },
    Hook { programs: &["on_victim"], tracepoint: "mark_victim", kind: None, part: Part::OutOfMemory },
    Hook { programs: &["on_signal"], tracepoint: "signal_generate", kind: None, part: Part::Killers },
    Hook {
        programs: &["on_exit", "on_exit_2", "on_exit_3"],
        tracepoint: "sched_process_exit",
        kind: Some(kind::EXIT),
        part: Part::Ends,
    },
    Hook {
        programs: &["on_exec", "on_exec_2", "on_exec_3"],
        tracepoint: "sched_process_exec",
        kind: Some(kind::EXEC),
        part: Part::Execs,
    },
    Hook {
        programs: &["on_fork", "on_fork_2", "on_fork_3"],
        tracepoint: "sched_process_fork",
        kind: Some(kind::FORK),
        part: Part::Births,
    },
];

impl Hook {
    /// Name of the program that there always is.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.programs[0]
    }

    /// The hook that has a program of this name, and which of its programs it is.
    #[must_use]
    pub fn of(name: &str) -> Option<(&'static Self, usize)> {
        HOOKS.iter().find_map(|hook| Some((hook, hook.programs.iter().position(|own| *own == name)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_belongs_to_one_hook() {
        for hook in &HOOKS {
            for (number, name) in hook.programs.iter().enumerate() {
                let (found, at) = Hook::of(name).unwrap();
                assert_eq!((found.tracepoint, at), (hook.tracepoint, number));
            }
        }
        assert!(Hook::of("on_task").is_none());
    }
}
