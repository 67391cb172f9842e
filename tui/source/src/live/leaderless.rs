//! Processes whose leader has ended while other threads work on: what a pass says of the leader is not what they are.
//!
//! Their state is that of the thread that does most. Of their memory the leader's row says nothing, since the leader has none
//! any more; so another thread is asked, which is left to the caller.

use ptree_core::ProcKey;
use ptree_core::event::Task;
use rustc_hash::FxHashMap;

use crate::decode::{Io, Row, Sampled, has_ended, livelier};

/// How many are asked for their memory in one pass, at some 50 us each: there may be as many as somebody likes.
const PER_PASS: usize = 256;

/// The threads of one process that are no leaders.
#[derive(Debug)]
pub(super) struct Threads {
    cpu_ns: u64,
    sampled: Option<Sampled>,
    run_delay_ns: Option<u64>,
    io: Io,
    state: Option<char>,
}

impl Default for Threads {
    fn default() -> Self {
        Self {
            cpu_ns: 0,
            sampled: Some(Sampled::default()),
            run_delay_ns: Some(0),
            io: Io { read_bytes: Some(0), write_bytes: Some(0) },
            state: None,
        }
    }
}

impl Threads {
    /// Takes another one.
    pub(super) fn add(
        &mut self,
        cpu_ns: u64,
        sampled: Option<Sampled>,
        run_delay_ns: Option<u64>,
        io: Io,
        state: char,
    ) {
        self.cpu_ns += cpu_ns;
        self.sampled = self.sampled.zip(sampled).map(|(all, one)| all.and(one));
        self.run_delay_ns = self.run_delay_ns.zip(run_delay_ns).map(|(all, one)| all.saturating_add(one));
        self.io = self.io.and(io);
        self.state = Some(self.state.map_or(state, |other| livelier(other, state)));
    }

    /// Completes the row of their leader.
    pub(super) fn complete(&self, row: &mut Row) {
        row.cpu.cpu_ns += self.cpu_ns;
        row.sampled = row.sampled.zip(self.sampled).map(|(leader, others)| leader.and(others));
        row.run_delay_ns =
            row.run_delay_ns.zip(self.run_delay_ns).map(|(leader, others)| leader.saturating_add(others));
        row.io = row.io.and(self.io);
        if let Some(state) = self.state.filter(|_| row.ending.is_none() && has_ended(row.state)) {
            row.state = state;
        }
    }
}

/// What memory they were last found to have.
#[derive(Debug, Default)]
pub(super) struct Leaderless {
    rss_pages: FxHashMap<ProcKey, Option<u64>>,
    /// Whose turn it is to be asked, counted along a pass.
    turn: usize,
}

impl Leaderless {
    /// Completes the rows of those that have no leader by what `ask` says of them, or has said.
    pub(super) fn complete(&mut self, rows: &mut [Row], ask: impl Fn(&Task) -> Option<u64>) {
        let is_one = |row: &&mut Row| row.rss_pages == Some(0) && !row.task.kernel && row.ending.is_none();
        let mut rows: Vec<&mut Row> = rows.iter_mut().filter(is_one).collect();
        let count = rows.len();
        let known = std::mem::take(&mut self.rss_pages);
        let from = if count == 0 { 0 } else { self.turn % count };
        for (n, row) in rows.iter_mut().enumerate() {
            let is_next = (n + count - from) % count < PER_PASS;
            row.rss_pages = if is_next { ask(&row.task) } else { known.get(&row.task.key).copied().flatten() };
            self.rss_pages.insert(row.task.key, row.rss_pages);
        }
        self.turn = from + PER_PASS.min(count);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use ptree_core::ExitStatus;

    use super::*;
    use crate::decode::{Charge, Ending};

    fn row(pid: u32, state: char, rss_pages: Option<u64>) -> Row {
        Row {
            sampled: Some(Sampled { user_ns: 1, system_ns: 2 }),
            run_delay_ns: Some(3),
            ts_ns: 1,
            task: Task { threads: 3, ..Task::of(ProcKey::new(pid, 1), ProcKey::SWAPPER) },
            cpu: Charge { cpu_ns: 5, charged_ns: None },
            rss_pages,
            io: Io::default(),
            threads_begun: None,
            state,
            ending: None,
        }
    }

    #[test]
    fn without_a_leader_a_process_does_what_its_threads_do() {
        for (leader, threads, wants) in [
            ('Z', &['S', 'R', 'X'][..], 'R'),
            ('Z', &['S', 'S'], 'S'),
            ('X', &['T', 'D', 'S'], 'D'),
            ('Z', &['X', 'T'], 'T'),
            ('S', &['R'], 'S'),
            ('Z', &[], 'Z'),
        ] {
            let mut row = row(7, leader, None);
            let mut all = Threads::default();
            threads.iter().for_each(|&state| {
                all.add(10, Some(Sampled { user_ns: 4, system_ns: 6 }), Some(2), Io::default(), state)
            });
            all.complete(&mut row);
            let cpu_ns = 5 + 10 * u64::try_from(threads.len()).unwrap();
            assert_eq!((row.state, row.cpu.cpu_ns), (wants, cpu_ns), "{leader} {threads:?}");
            let others = u64::try_from(threads.len()).unwrap();
            let sampled = Sampled { user_ns: 1 + 4 * others, system_ns: 2 + 6 * others };
            assert_eq!((row.sampled, row.run_delay_ns), (Some(sampled), Some(3 + 2 * others)));
            let mut ending = Row { ending: Some(Ending { status: ExitStatus::Code(0), over: true }), ..row.clone() };
            ending.state = 'Z';
            all.complete(&mut ending);
            assert_eq!(ending.state, 'Z', "it has ended");
        }
    }

    #[test]
    fn memory_is_asked_for_in_turn_and_remembered() {
        let count = u32::try_from(2 * PER_PASS + 10).unwrap();
        let mut leaderless = Leaderless::default();
        let asked = Cell::new(0);
        let pass = |leaderless: &mut Leaderless| {
            let mut rows: Vec<Row> = (1..=count).map(|pid| row(pid, 'Z', Some(0))).collect();
            rows.extend([row(count + 1, 'S', Some(9)), row(count + 2, 'S', None)]);
            asked.set(0);
            leaderless.complete(&mut rows, |task| {
                asked.set(asked.get() + 1);
                Some(u64::from(task.key.pid))
            });
            assert_eq!((rows[rows.len() - 2].rss_pages, rows[rows.len() - 1].rss_pages), (Some(9), None));
            rows.iter().filter(|row| row.rss_pages == Some(u64::from(row.task.key.pid))).count()
        };
        let known = [(); 4].map(|()| pass(&mut leaderless));
        assert_eq!(known, [PER_PASS, 2 * PER_PASS, 2 * PER_PASS + 10, 2 * PER_PASS + 10]);
        assert_eq!(asked.get(), PER_PASS);
        leaderless.complete(&mut [], |_| None);
        assert!(leaderless.rss_pages.is_empty());
    }
}
