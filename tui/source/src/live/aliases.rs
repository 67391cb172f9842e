//! Where processes come from /proc and events from the hooks, one process would have two names: /proc rounds starts down
//! to ticks of its clock. Here each gets one, that under which it was heard of first.
//!
//! Takes it that no pid passes on twice within a tick of 10 ms: pids are given out in turn, and there are more of them
//! than processes that can be born in that time.

use ptree_core::ProcKey;
use rustc_hash::FxHashMap;

use crate::decode::{Change, Record, Row};
use crate::procfs;

/// The names that processes go by.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    /// By pid, with the last pass before or in which it was heard of.
    names: FxHashMap<u32, (ProcKey, u64)>,
    pass: u64,
}

impl Aliases {
    /// Renames what a record speaks of.
    pub(super) fn record(&mut self, record: &mut Record) {
        match record {
            Record::Fork(fork) => {
                self.name(&mut fork.task.key);
                self.known(&mut fork.task.parent);
                self.known(&mut fork.forker);
            }
            Record::Exec { exec, .. } => {
                self.name(&mut exec.task.key);
                self.known(&mut exec.task.parent);
            }
            Record::Exit { exit, .. } => {
                self.name(&mut exit.key);
                if let Some(sender) = exit.killer.as_mut().and_then(|killer| killer.sender.as_mut()) {
                    self.known(&mut sender.key);
                }
                if let Some(task) = &mut exit.task {
                    task.key = exit.key;
                    self.known(&mut task.parent);
                }
            }
            Record::Cgroup(cgroup) => {
                if let Change::Moved { key, .. } = &mut cgroup.what {
                    self.known(key);
                }
            }
            Record::Row(_) | Record::Thread { .. } => {}
        }
    }

    /// Renames the rows of a pass, and forgets who has been gone for two.
    pub(super) fn rows(&mut self, rows: &mut [Row]) {
        self.pass += 1;
        for row in &mut *rows {
            self.name(&mut row.task.key);
        }
        for row in rows {
            self.known(&mut row.task.parent);
        }
        let pass = self.pass;
        self.names.retain(|_, (_, heard)| *heard + 2 > pass);
    }

    /// The name of a process that is there.
    fn name(&mut self, key: &mut ProcKey) {
        self.known(key);
        self.names.insert(key.pid, (*key, self.pass));
    }

    /// The name of a process that may have been heard of.
    fn known(&self, key: &mut ProcKey) {
        if let Some((name, _)) = self.names.get(&key.pid).filter(|(name, _)| procfs::same_tick(*name, *key)) {
            *key = *name;
        }
    }
}

#[cfg(test)]
mod tests {
    use ptree_core::Comm;
    use ptree_core::event::{Forked, Task};

    use super::*;
    use crate::decode::{Charge, Io};

    const TICK: u64 = 10_000_000;

    fn task(key: ProcKey, parent: ProcKey) -> Task {
        Task { comm: Comm::new(b"x"), ..Task::of(key, parent) }
    }

    fn row(key: ProcKey, parent: ProcKey) -> Row {
        let cpu = Charge { cpu_ns: 0, charged_ns: None };
        Row {
            run_delay_ns: None,
            sampled: None,
            ts_ns: 0,
            task: task(key, parent),
            cpu,
            rss_pages: None,
            io: Io::default(),
            threads_begun: None,
            state: 'S',
            ending: None,
        }
    }

    fn fork(key: ProcKey, forker: ProcKey) -> Record {
        Record::Fork(Forked { ts_ns: 0, task: task(key, forker), forker })
    }

    fn names(record: &Record) -> [ProcKey; 3] {
        let Record::Fork(fork) = record else { panic!("{record:?}") };
        [fork.task.key, fork.task.parent, fork.forker]
    }

    /// One that /proc named, and one that its fork named: both keep their name, wherever they are spoken of.
    #[test]
    fn the_first_name_stays() {
        let mut aliases = Aliases::default();
        let (old, old_exactly) = (ProcKey::new(7, 5 * TICK), ProcKey::new(7, 5 * TICK + 3));
        let (young, young_rounded) = (ProcKey::new(9, 8 * TICK + 4), ProcKey::new(9, 8 * TICK));
        aliases.rows(&mut [row(old, ProcKey::new(1, TICK))]);
        let mut record = fork(young, old_exactly);
        aliases.record(&mut record);
        assert_eq!(names(&record), [young, old, old]);
        let mut rows = [row(young_rounded, old_exactly), row(old, ProcKey::new(1, TICK))];
        aliases.rows(&mut rows);
        assert_eq!((rows[0].task.key, rows[0].task.parent), (young, old));
    }

    #[test]
    fn a_pid_that_has_passed_on_names_another() {
        let mut aliases = Aliases::default();
        aliases.rows(&mut [row(ProcKey::new(7, 5 * TICK), ProcKey::new(1, TICK))]);
        let successor = ProcKey::new(7, 6 * TICK + 1);
        let mut record = fork(successor, ProcKey::new(1, TICK));
        aliases.record(&mut record);
        assert_eq!(names(&record)[0], successor);
    }

    #[test]
    fn who_has_gone_is_forgotten_after_two_passes() {
        let mut aliases = Aliases::default();
        aliases.record(&mut fork(ProcKey::new(7, 5), ProcKey::new(1, 0)));
        aliases.rows(&mut []);
        assert_eq!(aliases.names.len(), 1, "it may have ended in the pass");
        aliases.rows(&mut []);
        assert!(aliases.names.is_empty());
    }
}
