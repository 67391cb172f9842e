//! Judges the rules that name processes by a filter, and tells of those that match.
//!
//! A process is judged when something about it changed. What takes longer to know is judged once a second, for all that it
//! concerns at once: rules in which time, other processes or sums over subtrees play a part (one walk over the living then serves however deep
//! the tree is), and processes of users whose names have not come yet. One that was forked a moment ago and still runs the
//! program of its forker is given time to start its own: until then it has another's name. Reads the tree, never changes it.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use super::Delta;
use super::alerts::{Alerts, UPDATE_NS};
use crate::alert::{Cause, MatchRule};
use crate::event::ProcKey;
use crate::facts::Context;
use crate::filter::Filter;
use crate::process::{Origin, Process};
use crate::tree::{Sums, Tree};

#[cfg(test)]
mod tests;

/// How often all the living are judged, where that is needed.
const SWEEP_NS: u64 = 1_000_000_000;
/// How long a process may take from its fork to its exec.
const SETTLE_NS: u64 = 250_000_000;
/// How long the name of a user may take to come, before its number is taken for it; a recording may have none.
const NAME_NS: u64 = 500_000_000;
/// How many wait at most: of more, the first have left the tree by the time.
const WAITING_MAX: usize = 100_000;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Matches {
    watched: Vec<Watched>,
    /// For those killed for lack of memory: it is told of them, so that nobody is judged for it.
    out_of_memory: Watched,
    /// How long nobody new must have matched for an alert to end.
    clear_ns: u64,
    swept_ns: u64,
    /// Those that were not judged when they were forked, and when that was.
    unsettled: VecDeque<(u64, ProcKey)>,
    /// Those of users without a name, and since when they wait for it; nobody unless a rule asks for names.
    nameless: VecDeque<(u64, ProcKey)>,
    /// Those that have ended since the last sweep; nobody unless a rule asks for other processes.
    ended: VecDeque<ProcKey>,
    asks_names: bool,
    asks_place: bool,
    /// Over subtrees, of the latest sweep; kept only where a rule asks for them.
    sums: Option<Sums>,
    /// When the first event came: for a while after it, no user has a name yet.
    begun_ns: Option<u64>,
}

/// A rule, and what has come of it.
#[derive(Clone, Debug)]
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
    /// Something has changed since.
    untold: bool,
}

impl Matches {
    pub(super) fn new(rules: Vec<MatchRule>, clear_ns: u64) -> Self {
        Self {
            asks_names: rules.iter().any(|rule| rule.filter.depends().names),
            asks_place: rules.iter().any(|rule| rule.filter.depends().place || rule.filter.depends().sums),
            sums: rules.iter().any(|rule| rule.filter.depends().sums).then(Sums::default),
            watched: rules.into_iter().map(Watched::new).collect(),
            out_of_memory: Watched::new(MatchRule { name: "out of memory".into(), filter: Filter::default() }),
            clear_ns,
            swept_ns: 0,
            unsettled: VecDeque::new(),
            nameless: VecDeque::new(),
            ended: VecDeque::new(),
            begun_ns: None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    /// Whether time passing changes nothing.
    pub(super) fn is_idle(&self) -> bool {
        self.is_empty() && self.out_of_memory.active.is_none()
    }

    /// Raises the alert for one that was killed for lack of memory, or counts it.
    pub(super) fn out_of_memory(
        &mut self,
        process: &Process,
        now_ns: u64,
        alerts: &mut Alerts,
        deltas: &mut Vec<Delta>,
    ) {
        self.out_of_memory.hit(process, now_ns, alerts, deltas);
        // Each of them is told: there are few, and whoever is left out would be looked for in vain.
        if let Some(active) = &mut self.out_of_memory.active
            && std::mem::take(&mut active.untold)
        {
            active.told_ns = now_ns;
            alerts.tell(active.id, deltas);
        }
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
            if self.asks_place && !process.is_alive() {
                wait_in(&mut self.ended, key);
            }
            if !is_settled(process, context.now_ns) {
                if matches!(deltas[n], Delta::Added(_)) {
                    wait_in(&mut self.unsettled, (context.now_ns, key));
                }
            } else if !self.wait_for_name(process, context) {
                self.judge_one(process, measured, context, alerts, deltas);
            }
        }
    }

    /// Lets one wait whose user has no name yet, where that may matter.
    fn wait_for_name(&mut self, process: &Process, context: Context<'_>) -> bool {
        let waits = self.asks_names && (context.user)(process.creds().uid).is_empty();
        // It waits already, if so since less than this.
        if waits && self.nameless.back().is_none_or(|(_, key)| *key != process.key) {
            wait_in(&mut self.nameless, (context.now_ns, process.key));
        }
        waits
    }

    /// This user has another name now: its processes are judged with the next sweep.
    pub(super) fn renamed(&mut self, uid: u32, tree: &Tree, now_ns: u64) {
        if self.asks_names {
            let living = tree.iter().filter(|process| process.is_alive() && process.creds().uid == uid);
            living.for_each(|process| wait_in(&mut self.nameless, (now_ns, process.key)));
        }
    }

    /// Judges one by the rules for which it alone matters.
    fn judge_one(
        &mut self,
        process: &Process,
        measured: bool,
        context: Context<'_>,
        alerts: &mut Alerts,
        deltas: &mut Vec<Delta>,
    ) {
        for watched in &mut self.watched {
            let depends = watched.rule.filter.depends();
            let asked = !depends.place
                && !depends.sums
                && (!measured || depends.measured)
                && !watched.known.contains(&process.key);
            if asked && watched.rule.filter.matches(&context, process) {
                watched.hit(process, context.now_ns, alerts, deltas);
            }
        }
    }

    /// Forgets one that has left the tree.
    pub(super) fn forget(&mut self, key: ProcKey) {
        for watched in self.watched.iter_mut().chain([&mut self.out_of_memory]) {
            watched.known.remove(&key);
        }
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, context: Context<'_>, alerts: &mut Alerts, deltas: &mut Vec<Delta>) {
        let now_ns = context.now_ns;
        while let Some((_, key)) = self.unsettled.pop_front_if(|(since_ns, _)| now_ns - *since_ns >= SETTLE_NS) {
            if let Some(process) = context.tree.get(key)
                && !self.wait_for_name(process, context)
            {
                self.judge_one(process, false, context, alerts, deltas);
            }
        }
        while let Some((_, key)) =
            self.nameless.pop_front_if(|(since_ns, _)| now_ns.saturating_sub(*since_ns) >= NAME_NS)
        {
            if let Some(process) = context.tree.get(key) {
                self.judge_one(process, false, context, alerts, deltas);
            }
        }
        if now_ns - self.swept_ns < SWEEP_NS {
            return;
        }
        self.swept_ns = now_ns;
        let named = now_ns - *self.begun_ns.get_or_insert(now_ns) >= NAME_NS;
        for (since_ns, key) in std::mem::take(&mut self.nameless) {
            let Some(process) = context.tree.get(key) else { continue };
            if (context.user)(process.creds().uid).is_empty() {
                self.nameless.push_back((since_ns, key));
            } else {
                self.judge_one(process, false, context, alerts, deltas);
            }
        }
        let ended = std::mem::take(&mut self.ended);
        if let Some(sums) = &mut self.sums {
            sums.refresh(context.tree, context.lineage);
        }
        let Context { tree, lineage, .. } = context;
        let user = |uid| (context.user)(uid);
        let context = Context { tree, lineage, now_ns, user: &user, sums: self.sums.as_ref() };
        for watched in &mut self.watched {
            watched.sweep(&ended, named, context, alerts, deltas);
        }
        for watched in self.watched.iter_mut().chain([&mut self.out_of_memory]) {
            watched.tell(now_ns, alerts, deltas);
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

/// Puts one at the end of a queue.
fn wait_in<T>(queue: &mut VecDeque<T>, one: T) {
    if queue.len() >= WAITING_MAX {
        queue.pop_front();
    }
    queue.push_back(one);
}

/// Whether it is what it is going to be, as far as can be told: it has started a program, has ended, or has had time to.
fn is_settled(process: &Process, now_ns: u64) -> bool {
    process.origin != Origin::Forked
        || process.image().is_some()
        || !process.is_alive()
        || now_ns.saturating_sub(process.key.start_ns) >= SETTLE_NS
}

impl Watched {
    fn new(rule: MatchRule) -> Self {
        Self { rule, known: FxHashSet::default(), active: None }
    }

    /// Judges all the living, where a verdict can change without news of the process, and those who have ended; unless all
    /// users are `named` by now, only those that have a name where it asks for that.
    fn sweep(
        &mut self,
        ended: &VecDeque<ProcKey>,
        named: bool,
        context: Context<'_>,
        alerts: &mut Alerts,
        deltas: &mut Vec<Delta>,
    ) {
        let depends = self.rule.filter.depends();
        if !depends.time && !depends.place && !depends.sums {
            return;
        }
        let filter = self.rule.filter.clone();
        let judge = filter.judge(context);
        let living = context.tree.iter().filter(|process| process.is_alive() && is_settled(process, context.now_ns));
        let ended = ended.iter().filter(|_| depends.place || depends.sums).filter_map(|key| context.tree.get(*key));
        let is_named = |process: &Process| named || !depends.names || !(context.user)(process.creds().uid).is_empty();
        for process in living.chain(ended).filter(|process| is_named(process)) {
            if !self.known.contains(&process.key) && judge.matches(process) {
                self.hit(process, context.now_ns, alerts, deltas);
            }
        }
    }

    /// Whether one of those that matched lives and does so still.
    fn still_matches(&self, context: Context<'_>) -> bool {
        let judge = self.rule.filter.judge(context);
        let mut living =
            self.known.iter().filter_map(|key| context.tree.get(*key)).filter(|process| process.is_alive());
        living.any(|process| judge.matches(process))
    }

    /// Takes note of one that matches for the first time.
    fn hit(&mut self, process: &Process, now_ns: u64, alerts: &mut Alerts, deltas: &mut Vec<Delta>) {
        self.known.insert(process.key);
        if let Some(active) = &mut self.active
            && let Some(alert) = alerts.get_mut(active.id)
        {
            if let Cause::Match { count, .. } = &mut alert.cause {
                *count += 1;
            }
            alert.culprit = Some(process.key);
            alert.culprit_comm = *process.comm();
            active.matched_ns = now_ns;
            active.untold = true;
            self.tell(now_ns, alerts, deltas);
            return;
        }
        let cause = Cause::Match { rule: self.rule.name.clone(), count: 1 };
        let id = alerts.raise(now_ns, cause, Some((process.key, *process.comm())), deltas);
        self.active = Some(Active { id, matched_ns: now_ns, told_ns: now_ns, untold: false });
    }

    /// Tells what is new of the alert that lasts, unless that was done a moment ago.
    fn tell(&mut self, now_ns: u64, alerts: &mut Alerts, deltas: &mut Vec<Delta>) {
        if let Some(active) = &mut self.active
            && active.untold
            && now_ns - active.told_ns >= UPDATE_NS
        {
            (active.told_ns, active.untold) = (now_ns, false);
            alerts.tell(active.id, deltas);
        }
    }
}
