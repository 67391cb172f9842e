//! How fast things happen, for the whole machine and per user.
//!
//! Writes the rates into [`Stats`]; does not know processes.

use rustc_hash::FxHashMap;

use crate::rate::Rate;
use crate::stats::Stats;

const SECOND_NS: u64 = 1_000_000_000;
/// The window of the rates.
const WINDOW_NS: u64 = 2 * SECOND_NS;
/// Seconds in the history of forks.
const HISTORY: u64 = 60;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Pulse {
    forks: Rate,
    execs: Rate,
    exits: Rate,
    threads: Rate,
    /// Users with forks in the window.
    users: FxHashMap<u32, Rate>,
    /// The running second, once time is known, and the forks in it.
    second: Option<u64>,
    forks_in_second: u32,
}

impl Default for Pulse {
    fn default() -> Self {
        let rate = Rate::new(WINDOW_NS);
        Self {
            forks: rate.clone(),
            execs: rate.clone(),
            exits: rate.clone(),
            threads: rate,
            users: FxHashMap::default(),
            second: None,
            forks_in_second: 0,
        }
    }
}

impl Pulse {
    /// Counts a fork by a user, into the history too.
    pub(super) fn fork(&mut self, ts_ns: u64, uid: u32, stats: &mut Stats) {
        self.forks.add(ts_ns);
        self.users.entry(uid).or_insert_with(|| Rate::new(WINDOW_NS)).add(ts_ns);
        let second = ts_ns / SECOND_NS;
        match self.second {
            Some(now) if second < now => {
                let back = usize::try_from(now - second).unwrap_or(usize::MAX);
                let entry = stats.fork_history.len().checked_sub(back).and_then(|n| stats.fork_history.get_mut(n));
                if let Some(count) = entry {
                    *count = count.saturating_add(1);
                }
            }
            _ => self.forks_in_second = self.forks_in_second.saturating_add(1),
        }
    }

    /// Counts an exec.
    pub(super) fn exec(&mut self, ts_ns: u64) {
        self.execs.add(ts_ns);
    }

    /// Counts an end.
    pub(super) fn exit(&mut self, ts_ns: u64) {
        self.exits.add(ts_ns);
    }

    /// Counts threads that have begun.
    pub(super) fn threads(&mut self, ts_ns: u64, n: u32) {
        self.threads.add_many(ts_ns, n);
    }

    /// Completes the seconds that are over.
    pub(super) fn advance(&mut self, now_ns: u64, stats: &mut Stats) {
        let now = now_ns / SECOND_NS;
        let Some(second) = self.second.replace(now) else { return };
        let history = &mut stats.fork_history;
        for passed in 0..now.saturating_sub(second).min(HISTORY + 1) {
            history.push(if passed == 0 { std::mem::take(&mut self.forks_in_second) } else { 0 });
        }
        let surplus = history.len().saturating_sub(HISTORY as usize);
        history.drain(..surplus);
    }

    /// Brings the rates up to date.
    pub(super) fn refresh(&mut self, now_ns: u64, stats: &mut Stats) {
        stats.forks_per_s = self.forks.per_s(now_ns);
        stats.execs_per_s = self.execs.per_s(now_ns);
        stats.exits_per_s = self.exits.per_s(now_ns);
        stats.threads_per_s = self.threads.per_s(now_ns);
        self.users.retain(|uid, rate| {
            let per_s = rate.per_s(now_ns);
            stats.users.entry(*uid).or_default().spawns_per_s = per_s;
            per_s > 0.0
        });
    }
}
