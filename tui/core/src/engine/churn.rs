//! Who launches most, and whose finished children cost most: sums per launcher, and per name of launchers.
//!
//! Kept step by step, so that asking costs nothing that grows with the tree, and what has left the tree still counts.
//! Bounded: of more accounts than can be kept, those that matter least are added to the rest, so that all sums stay true.
//! Does not know how they are sorted or shown.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::event::{Comm, ProcKey};
use crate::rate::Rate;

#[cfg(test)]
mod tests;

/// Accounts that are kept whenever there are twice as many; few in tests, so that they see it done.
const ACCOUNTS: usize = if cfg!(test) { 4 } else { 512 };
/// The window of the rates, nanoseconds.
const WINDOW_NS: u64 = 2_000_000_000;

/// Sums over the children of somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Toll {
    /// Forks seen.
    pub spawned: u64,
    /// Children that have ended.
    pub finished: u64,
    /// Of these, with a non-zero code or by a signal.
    pub failed: u64,
    /// Their own CPU time, nanoseconds.
    pub cpu_ns: u64,
    /// The longest life among those whose end was seen, nanoseconds.
    pub longest_ns: u64,
}

impl Toll {
    fn add(&mut self, other: &Self) {
        self.spawned += other.spawned;
        self.finished += other.finished;
        self.failed += other.failed;
        self.cpu_ns = self.cpu_ns.saturating_add(other.cpu_ns);
        self.longest_ns = self.longest_ns.max(other.longest_ns);
    }
}

/// What the end of a child, or better knowledge of it, adds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ended {
    /// It was not known to have ended.
    pub(super) first: bool,
    /// It failed, as is known now; and as was known before.
    pub(super) failed: [bool; 2],
    /// Its CPU time, where that has become known, nanoseconds.
    pub(super) cpu_ns: u64,
    /// Its lifetime, where its end was seen, nanoseconds.
    pub(super) lifetime_ns: u64,
}

/// Of one launcher, or of all of one name.
#[derive(Clone, Debug)]
pub struct Account {
    /// The launcher's name when it was last active; empty where it was never known.
    pub comm: Comm,
    /// The sums.
    pub toll: Toll,
    rate: Rate,
}

impl Account {
    fn new() -> Self {
        Self { comm: Comm::default(), toll: Toll::default(), rate: Rate::new(WINDOW_NS) }
    }

    /// Forks per second over the two seconds before `now_ns`.
    #[must_use]
    pub fn spawns_per_s(&self, now_ns: u64) -> f64 {
        self.rate.per_s(now_ns)
    }
}

/// Accounts by key, and the rest.
#[derive(Clone, Debug)]
pub struct Board<K> {
    accounts: FxHashMap<K, Account>,
    rest: Toll,
}

impl<K> Default for Board<K> {
    fn default() -> Self {
        Self { accounts: FxHashMap::default(), rest: Toll::default() }
    }
}

impl<K: Copy + Eq + Hash> Board<K> {
    /// All accounts, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (K, &Account)> {
        self.accounts.iter().map(|(key, account)| (*key, account))
    }

    /// The sums of those whose account is not kept any more. Who comes again begins a new one.
    #[must_use]
    pub const fn rest(&self) -> &Toll {
        &self.rest
    }

    fn account(&mut self, key: K, now_ns: u64) -> &mut Account {
        if self.accounts.len() >= 2 * ACCOUNTS && !self.accounts.contains_key(&key) {
            self.thin_out(now_ns);
        }
        self.accounts.entry(key).or_insert_with(Account::new)
    }

    /// Keeps those whose children cost most and, of the others, those that spawn most.
    fn thin_out(&mut self, now_ns: u64) {
        let mut keys: Vec<K> = self.accounts.keys().copied().collect();
        let accounts = &self.accounts;
        keys.sort_by_cached_key(|key| std::cmp::Reverse(accounts[key].toll.cpu_ns));
        keys[ACCOUNTS / 2..].sort_by_cached_key(|key| {
            let account = &accounts[key];
            std::cmp::Reverse((account.rate.total(now_ns), account.toll.spawned))
        });
        for key in &keys[ACCOUNTS..] {
            if let Some(account) = self.accounts.remove(key) {
                self.rest.add(&account.toll);
            }
        }
    }

    fn forked(&mut self, key: K, comm: Comm, ts_ns: u64) {
        let account = self.account(key, ts_ns);
        account.comm = comm;
        account.toll.spawned += 1;
        account.rate.add(ts_ns);
    }

    fn ended(&mut self, key: K, comm: Option<Comm>, ended: Ended, ts_ns: u64) {
        let account = self.account(key, ts_ns);
        account.comm = comm.unwrap_or(account.comm);
        let toll = &mut account.toll;
        toll.finished += u64::from(ended.first);
        toll.cpu_ns = toll.cpu_ns.saturating_add(ended.cpu_ns);
        toll.longest_ns = toll.longest_ns.max(ended.lifetime_ns);
        match ended.failed {
            [true, false] => toll.failed += 1,
            // Where it was counted, an account may have been since that was added to the rest.
            [false, true] if toll.failed > 0 => toll.failed -= 1,
            [false, true] => self.rest.failed = self.rest.failed.saturating_sub(1),
            _ => {}
        }
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Churn {
    launchers: Board<ProcKey>,
    programs: Board<Comm>,
}

impl Churn {
    /// By process that forked.
    #[must_use]
    pub const fn launchers(&self) -> &Board<ProcKey> {
        &self.launchers
    }

    /// By the name that the forker had when it forked, or when its child ended.
    #[must_use]
    pub const fn programs(&self) -> &Board<Comm> {
        &self.programs
    }

    /// A fork; `comm` is the forker's name, empty where that is not known.
    pub(super) fn forked(&mut self, forker: ProcKey, comm: Comm, ts_ns: u64) {
        self.launchers.forked(forker, comm, ts_ns);
        self.programs.forked(comm, comm, ts_ns);
    }

    /// An end; `comm` is the forker's name, if it is in the tree.
    pub(super) fn ended(&mut self, forker: ProcKey, comm: Option<Comm>, ended: Ended, ts_ns: u64) {
        self.launchers.ended(forker, comm, ended, ts_ns);
        let name = comm.or_else(|| self.launchers.accounts.get(&forker).map(|account| account.comm));
        let name = name.unwrap_or_default();
        self.programs.ended(name, Some(name), ended, ts_ns);
    }
}
