//! Totals and statistics per user: what has been counted, not what is in the tree (the dead leave the tree, not the
//! counts).

use std::collections::BTreeMap;

use crate::event::LossCount;

/// Of one user, by effective uid.
#[derive(Clone, Debug, Default)]
pub struct UidStats {
    /// Living processes.
    pub live: u64,
    /// Processes forked as this user.
    pub spawned: u64,
    /// Processes that ended as this user.
    pub exited: u64,
    /// Of those, with a non-zero code or by a signal.
    pub failed: u64,
    /// CPU time of the dead, nanoseconds.
    pub dead_cpu_ns: u64,
    /// Forks per second over the last two seconds.
    pub spawns_per_s: f64,
}

/// Of the machine.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Living processes.
    pub live: u64,
    /// Dead ones still kept.
    pub dead: u64,
    /// Bytes of the paths and arguments of these; see also `kept_bytes`.
    pub dead_bytes: u64,
    /// Bytes that the dead occupy in all, with what is needed to find them: an estimate, right to a tenth or so, as of the
    /// last tick.
    pub kept_bytes: u64,
    /// How long those were kept, nanoseconds, that a limit on the dead has lately made leave before their time; the
    /// shortest of the last that did, as of the last tick. `None` once there were none for a few seconds.
    pub cut_short_ns: Option<u64>,
    /// Forks seen.
    pub forks: u64,
    /// Execs seen.
    pub execs: u64,
    /// Ends, seen or inferred: `forks + found - exits` is always `live` (I5).
    pub exits: u64,
    /// Exits with a non-zero code or by a signal.
    pub failed: u64,
    /// Forks per second, over the last two seconds.
    pub forks_per_s: f64,
    /// Execs per second, likewise.
    pub execs_per_s: f64,
    /// Exits per second, likewise.
    pub exits_per_s: f64,
    /// Threads begun per second beside the first of each process, likewise, as far as passes and ends tell.
    pub threads_per_s: f64,
    /// Threads begun beside the first of each process, as far as passes and ends tell.
    pub threads: u64,
    /// Forks in each of the last 60 full seconds, oldest first (shorter right after the start).
    pub fork_history: Vec<u32>,
    /// Lost events.
    pub lost: LossCount,
    /// Forks that were inferred and ends of which nothing is known, less those that were seen after all. A zombie tells
    /// how it ended.
    pub inferred: u64,
    /// Processes known otherwise than by their fork (found by the first pass or by repair, or by their exec or exit),
    /// less those whose fork was seen after all.
    pub found: u64,
    /// By effective uid.
    pub users: BTreeMap<u32, UidStats>,
}
