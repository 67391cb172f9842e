//! Judges the rules that name processes by a filter, and tells of those that match.
//!
//! A process is judged when something about it changed, and for rules in which time or other processes play a part, with
//! all the living once a second. One that was forked a moment ago and still runs the program of its forker is given time
//! to start its own: until then it has another's name. Reads the tree, never changes it.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use super::Delta;
use super::alerts::{Alerts, UPDATE_NS};
use crate::alert::{Cause, MatchRule};
use crate::event::ProcKey;
use crate::filter::Context;
use crate::process::{Origin, Process};

#[cfg(test)]
mod tests;

/// How often all the living are judged, where that is needed.
const SWEEP_NS: u64 = 1_000_000_000;
/// How long a process may take from its fork to its exec.
const SETTLE_NS: u64 = 250_000_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Matches {
    watched: Vec<Watched>,
    /// How long nobody new must have matched for an alert to end.
    clear_ns: u64,
    swept_ns: u64,
    /// Those that were not judged when they were forked, in that order.
    unsettled: VecDeque<ProcKey>,
}

/// A rule, and what has come of it.
#[derive(Debug)]
struct Watched {
    rule: MatchRule,
    /// Who matched and is still in the tree: nobody is told of twice.
    known: FxHashSet<ProcKey>,
    active: Option<Active>,
}

/// Of the alert that lasts.
#[derive(Clone, Copy, Debug)]
struct Active {
    id: u64,
    matched_ns: u64,
    told_ns: u64,
}

impl Matches {
    pub(super) fn new(rules: Vec<MatchRule>, clear_ns: u64) -> Self {
        let watched = |rule| Watched { rule, known: FxHashSet::default(), active: None };
        Self { watched: rules.into_iter().map(watched).collect(), clear_ns, swept_ns: 0, unsettled: VecDeque::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    /// Judges those whom the deltas from this one on are about.
    pub(super) fn judge(&mut self, from: usize, context: Context<'_>, alerts: &mut Alerts, deltas: &mut Vec<Delta>) {
        for n in from..deltas.len() {
            let (key, measured) = match deltas[n] {
                Delta::Added(key) | Delta::Changed(key) | Delta::Moved(key) | Delta::Ended(key) => (key, false),
                Delta::Measured(key) => (key, true),
                Delta::Removed { .. } | Delta::Alert(_) => continue,
            };
            let Some(process) = context.tree.get(key) else { continue };
            if !is_settled(process, context.now_ns) {
                if matches!(deltas[n], Delta::Added(_)) {
                    self.unsettled.push_back(key);
                }
                continue;
            }
            for watched in &mut self.watched {
                if !measured || watched.rule.filter.depends().measured {
                    watched.judge(process, context, alerts, deltas);
                }
            }
        }
    }

    /// Forgets one that has left the tree.
    pub(super) fn forget(&mut self, key: ProcKey) {
        for watched in &mut self.watched {
            watched.known.remove(&key);
        }
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, context: Context<'_>, alerts: &mut Alerts, deltas: &mut Vec<Delta>) {
        let now_ns = context.now_ns;
        while let Some(key) = self.unsettled.front().copied() {
            let process = context.tree.get(key);
            if process.is_some_and(|process| !is_settled(process, now_ns)) {
                break;
            }
            self.unsettled.pop_front();
            let Some(process) = process else { continue };
            for watched in &mut self.watched {
                watched.judge(process, context, alerts, deltas);
            }
        }
        if now_ns - self.swept_ns < SWEEP_NS {
            return;
        }
        self.swept_ns = now_ns;
        for watched in &mut self.watched {
            watched.sweep(context, alerts, deltas);
            let Some(active) = watched.active.filter(|active| now_ns - active.matched_ns >= self.clear_ns) else {
                continue;
            };
            if !watched.still_matches(context) {
                watched.active = None;
                alerts.clear(active.id, now_ns, deltas);
            }
        }
    }
}

/// Whether it is what it is going to be, as far as can be told: it has started a program, has ended, or has had time to.
fn is_settled(process: &Process, now_ns: u64) -> bool {
    process.origin != Origin::Forked
        || process.image().is_some()
        || !process.is_alive()
        || now_ns.saturating_sub(process.key.start_ns) >= SETTLE_NS
}

impl Watched {
    /// Judges one.
    fn judge(&mut self, process: &Process, context: Context<'_>, alerts: &mut Alerts, deltas: &mut Vec<Delta>) {
        if !self.known.contains(&process.key) && self.rule.filter.matches(&context, process) {
            self.hit(process, context.now_ns, alerts, deltas);
        }
    }

    /// Whether one of those that matched lives and does so still.
    fn still_matches(&self, context: Context<'_>) -> bool {
        let judge = self.rule.filter.judge(context);
        let mut living =
            self.known.iter().filter_map(|key| context.tree.get(*key)).filter(|process| process.is_alive());
        living.any(|process| judge.matches(process))
    }

    /// Judges all the living, where a verdict can change without news of the process.
    fn sweep(&mut self, context: Context<'_>, alerts: &mut Alerts, deltas: &mut Vec<Delta>) {
        let depends = self.rule.filter.depends();
        if !depends.time && !depends.place {
            return;
        }
        let filter = self.rule.filter.clone();
        let judge = filter.judge(context);
        for process in context.tree.iter().filter(|process| process.is_alive()) {
            if !self.known.contains(&process.key) && is_settled(process, context.now_ns) && judge.matches(process) {
                self.hit(process, context.now_ns, alerts, deltas);
            }
        }
    }

    /// Takes note of one that matches for the first time.
    fn hit(&mut self, process: &Process, now_ns: u64, alerts: &mut Alerts, deltas: &mut Vec<Delta>) {
        self.known.insert(process.key);
        let active = self.active.as_mut().and_then(|active| Some((alerts.get_mut(active.id)?, active)));
        if let Some((alert, active)) = active {
            if let Cause::Match { count, .. } = &mut alert.cause {
                *count += 1;
            }
            alert.culprit = Some(process.key);
            alert.culprit_comm = *process.comm();
            active.matched_ns = now_ns;
            if now_ns - active.told_ns >= UPDATE_NS {
                active.told_ns = now_ns;
                deltas.push(Delta::Alert(alert.clone()));
            }
            return;
        }
        let cause = Cause::Match { rule: self.rule.name.clone(), count: 1 };
        let id = alerts.raise(now_ns, cause, Some((process.key, *process.comm())), deltas);
        self.active = Some(Active { id, matched_ns: now_ns, told_ns: now_ns });
    }
}
