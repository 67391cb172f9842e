//! Turns events into the tree: the only writer of [`Tree`], [`Stats`] and [`Alert`]s.
//!
//! A pure fold over events plus the time given to [`Engine::tick`]. Total: any event in any order is taken, stale and
//! duplicate ones change nothing (I8), and what is missing becomes a marked placeholder (I7).

use crate::alert::{Alert, AlertRule};
use crate::event::{Event, ProcKey};
use crate::stats::Stats;
use crate::tree::Tree;

/// What the engine keeps and watches for.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long the dead stay, nanoseconds.
    pub keep_ns: u64,
    /// How many of the dead stay at most: the oldest go first. Ancestors of the living stay in any case (I6).
    pub keep_max: usize,
    /// When to raise the alarm.
    pub alert: AlertRule,
}

impl Default for Config {
    fn default() -> Self {
        Self { keep_ns: 60_000_000_000, keep_max: 50_000, alert: AlertRule::default() }
    }
}

/// What an event changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// A process is new in the tree.
    Added(ProcKey),
    /// Something about it changed, but not its place.
    Changed(ProcKey),
    /// It has another parent in one of the lineages.
    Moved(ProcKey),
    /// It ended.
    Ended(ProcKey),
    /// It left the tree; its parent in the lineage of forks, for whoever had it selected.
    Removed {
        /// The process.
        key: ProcKey,
        /// Its forker, when known.
        parent: Option<ProcKey>,
    },
    /// An alert began, changed its level or ended.
    Alert(Alert),
}

/// The model.
#[derive(Debug)]
pub struct Engine {}

impl Engine {
    /// An empty tree.
    #[must_use]
    pub fn new(_config: Config) -> Self {
        todo!()
    }

    /// Takes one event; appends what it changed to `deltas`. Nothing is appended for an event that changed nothing.
    pub fn ingest(&mut self, _event: &Event, _deltas: &mut Vec<Delta>) {
        todo!()
    }

    /// Lets time pass up to `now_ns`: expires the dead, moves the rate windows, judges the alert rule.
    pub fn tick(&mut self, _now_ns: u64, _deltas: &mut Vec<Delta>) {
        todo!()
    }

    /// The tree.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        todo!()
    }

    /// Counts, rates and per-user statistics.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        todo!()
    }

    /// Alerts of this session, newest last, at most a hundred; an active one is the last.
    #[must_use]
    pub fn alerts(&self) -> &[Alert] {
        todo!()
    }

    /// What was configured.
    #[must_use]
    pub fn config(&self) -> &Config {
        todo!()
    }
}
