//! Titles: arguments that a process has written over its own after it was started, as servers and their workers do; and files
//! that were deleted or renamed while they run.
//!
//! No hook tells of that, so they are looked at again: few in a second, each process in its turn, and sooner one that is
//! new or has taken another name. In a thread of its own, for which nobody waits: the kernel may keep a reader waiting for
//! as long as a process keeps its memory locked. Does not know what was told before; see [`crate::track`].

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use ptree_core::event::{Exe, Task};
use ptree_core::{Argv, Comm, ProcKey};

use crate::decode::Row;
use crate::{host, procfs, threads};

/// Processes that are looked at in a second, each for some 10 us.
const PER_SECOND: f64 = 100.0;
/// However long ago the last look was, no more than this at once.
const AT_ONCE: usize = 200;

/// What /proc shows as the arguments and the file of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title {
    /// They were read after this.
    pub ts_ns: u64,
    /// Of whom.
    pub key: ProcKey,
    /// With whatever pads them; `None` where there are none to be seen.
    pub argv: Option<Argv>,
    /// There are more.
    pub argv_truncated: bool,
    /// The file that it runs, where that is to be seen.
    pub exe: Option<Exe>,
}

/// Looks at them.
#[derive(Debug)]
pub struct Titles {
    asked: SyncSender<Vec<Task>>,
    told: Receiver<Vec<Title>>,
    turn: Turn,
}

impl Titles {
    /// Where no thread is to be had, titles are not looked at.
    #[must_use]
    pub fn new() -> Self {
        let (asked, asking) = sync_channel::<Vec<Task>>(1);
        let (telling, told) = sync_channel(2);
        let answer = move || {
            for tasks in asking {
                let titles = tasks.iter().filter_map(read).collect();
                if telling.send(titles).is_err() {
                    return;
                }
            }
        };
        // Without it, both channels are closed.
        drop(threads::spawn("titles", answer));
        Self { asked, told, turn: Turn::default() }
    }

    /// Has some of those looked at whom a pass has shown, so long after the one before; `is_changed` says who comes first.
    pub fn ask(&mut self, rows: &[Row], since: Duration, is_changed: impl Fn(&Task) -> bool) {
        let chosen = self.turn.choose(rows, budget(since), is_changed);
        if !chosen.is_empty() {
            // While the last ones still wait for somebody's memory, these have their turn another time.
            let _ = self.asked.try_send(chosen);
        }
    }

    /// What was read since.
    pub fn take(&self) -> Vec<Title> {
        self.told.try_iter().flatten().collect()
    }
}

impl Default for Titles {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating is what is wanted")]
fn budget(since: Duration) -> usize {
    ((since.as_secs_f64() * PER_SECOND).ceil() as usize).min(AT_ONCE)
}

fn read(task: &Task) -> Option<Title> {
    let ts_ns = host::boottime_ns();
    let (argv, argv_truncated) = procfs::arguments(task).map_or((None, false), |(argv, is_cut)| (Some(argv), is_cut));
    let exe = procfs::file(task);
    (argv.is_some() || exe.is_some()).then_some(Title { ts_ns, key: task.key, argv, argv_truncated, exe })
}

/// Whose turn it is.
#[derive(Debug, Default)]
struct Turn {
    /// Who was the last to have one by the order of pids.
    last_pid: u32,
}

impl Turn {
    /// At most `most`: those who have changed, up to half of it, and then the others by their pids, going round.
    fn choose(&mut self, rows: &[Row], most: usize, is_changed: impl Fn(&Task) -> bool) -> Vec<Task> {
        let mut tasks: Vec<&Task> =
            rows.iter().filter(|row| row.ending.is_none() && !row.task.kernel).map(|row| &row.task).collect();
        tasks.sort_unstable_by_key(|task| task.key.pid);
        let sooner = tasks.iter().copied().filter(|task| is_changed(task)).take(most / 2);
        let mut chosen: Vec<Task> = sooner.cloned().collect();
        let next = tasks.partition_point(|task| task.key.pid <= self.last_pid);
        let (before, behind) = tasks.split_at(next);
        for task in behind.iter().chain(before).take(most - chosen.len()) {
            self.last_pid = task.key.pid;
            if !chosen.iter().any(|other| other.key == task.key) {
                chosen.push((*task).clone());
            }
        }
        chosen
    }
}

/// The arguments of a process that was found running, of which nothing else is known: `None` where they are as they were
/// read. A single text with empty arguments behind it is a title that was written over something longer, unless it is the
/// program's name with one or two.
#[must_use]
pub fn found_padded(argv: &Argv, comm: &Comm, exe: Option<&[u8]>) -> Option<Argv> {
    let title = argv.without_padding()?;
    let empty = argv.as_bytes().len() - title.as_bytes().len();
    (title.iter().count() == 1 && (empty > 2 || !title.iter().all(|text| is_name(text, comm, exe)))).then_some(title)
}

/// Whether a first argument is the name of the program, as it is mostly.
fn is_name(text: &[u8], comm: &Comm, exe: Option<&[u8]>) -> bool {
    fn last(path: &[u8]) -> &[u8] {
        path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
    }
    let text = last(text.strip_prefix(b"-").unwrap_or(text));
    text.iter().take(15).eq(comm.as_bytes()) || exe.is_some_and(|exe| last(exe) == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Charge, Io};

    fn rows(pids: impl IntoIterator<Item = u32>) -> Vec<Row> {
        let task = |pid| Task { kernel: pid == 2, ..Task::of(ProcKey::new(pid, 1), ProcKey::SWAPPER) };
        let cpu = Charge { cpu_ns: 0, charged_ns: None };
        let row = |pid| Row {
            run_delay_ns: None,
            sampled: None,
            ts_ns: 1,
            task: task(pid),
            cpu,
            rss_pages: None,
            io: Io::default(),
            threads_begun: None,
            state: 'S',
            ending: None,
        };
        pids.into_iter().map(row).collect()
    }

    fn pids(tasks: &[Task]) -> Vec<u32> {
        tasks.iter().map(|task| task.key.pid).collect()
    }

    #[test]
    fn all_have_their_turn_and_those_who_changed_come_sooner() {
        let (rows, mut turn) = (rows(1..=10), Turn::default());
        let mut choose = |changed: &[u32]| pids(&turn.choose(&rows, 4, |task| changed.contains(&task.key.pid)));
        assert_eq!(choose(&[]), [1, 3, 4, 5], "2 is a thread of the kernel");
        assert_eq!(choose(&[]), [6, 7, 8, 9]);
        assert_eq!(choose(&[4]), [4, 10, 1, 3]);
        assert_eq!(choose(&[5, 6, 7, 8, 9]), [5, 6, 4], "no more than half of them, and nobody twice");
        assert_eq!(choose(&[]), [6, 7, 8, 9]);
        assert_eq!(turn.choose(&[], 4, |_| true), []);
    }

    #[test]
    fn few_are_looked_at_however_often_or_seldom_passes_are_made() {
        assert_eq!([0, 100, 1_000, 60_000].map(|ms| budget(Duration::from_millis(ms))), [0, 10, 100, AT_ONCE]);
    }

    #[test]
    fn a_padded_title_is_told_from_true_empty_arguments_where_that_can_be() {
        let found = |argv: &[u8], comm: &[u8], exe: &[u8]| {
            let argv = Argv::from_nul_terminated(argv);
            found_padded(&argv, &Comm::new(comm), Some(exe)).map(|argv| argv.as_bytes().to_vec())
        };
        let title = Some(b"postgres: checkpointer\0".to_vec());
        assert_eq!(found(b"postgres: checkpointer\0\0\0\0\0\0", b"postgres", b"/usr/bin/postgres"), title);
        assert_eq!(found(b"postgres: checkpointer\0\0", b"postgres", b"/usr/bin/postgres"), title);
        assert_eq!(found(b"sleepy\0\0\0\0\0", b"sleepy", b"/usr/bin/python3"), Some(b"sleepy\0".to_vec()));
        for argv in [&b"sh\0\0"[..], b"/bin/sh\0\0\0", b"-sh\0\0", b"dash\0\0", b"sleep\x005\0\0\0\0", b"sh\0"] {
            assert_eq!(found(argv, b"sh", b"/usr/bin/dash"), None, "{}", argv.escape_ascii());
        }
    }
}
