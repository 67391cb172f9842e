//! Judges the spawn-rate alert and finds the culprit.
//!
//! Reads the tree, never changes it; see [`AlertRule`] for the rule. All forks are counted, but when there are many,
//! only a sample of them is put down to their forkers: whom most of them descend from shows all the same, and neither
//! memory nor the search for the culprit grows with the number of forkers.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::Delta;
use super::alerts::{Alerts, UPDATE_NS};
use crate::alert::{AlertRule, Cause, Spawn};
use crate::event::{Comm, ProcKey};
use crate::rate::Rate;
use crate::tree::{Lineage, Tree};

#[cfg(test)]
mod tests;

/// What part of the forks a subtree must have made to stand out. More than half, so that only one branch can.
const CULPRIT_SHARE: f64 = 0.6;

/// Forks in the window that are put down to their forkers. A share among so many is off by one or two percent.
const SAMPLE: u32 = 4096;

/// Whom an alert names.
#[derive(Clone, Copy)]
struct Culprit {
    key: ProcKey,
    comm: Comm,
    share: f64,
}

/// Which forks are put down to their forkers: each with the same chance, and all while they are few.
#[derive(Clone, Debug)]
struct Sample {
    one_in: u32,
    /// With more forkers than this the sample is made smaller at once.
    forkers_max: usize,
    /// Of the random numbers: always the same ones, so that the same events have the same outcome.
    state: u64,
}

impl Default for Sample {
    fn default() -> Self {
        Self { one_in: 1, forkers_max: SAMPLE as usize, state: 0x9e37_79b9_7f4a_7c15 }
    }
}

impl Sample {
    /// Whether the next one is in it.
    const fn takes(&mut self) -> bool {
        if self.one_in == 1 {
            return true;
        }
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.is_multiple_of(self.one_in as u64)
    }

    /// Follows the number of forks in the window.
    fn adapt(&mut self, forks: u64, forkers: usize) {
        self.one_in = u32::try_from(forks / u64::from(SAMPLE)).unwrap_or(u32::MAX).max(1);
        self.forkers_max = forkers + SAMPLE as usize;
    }

    /// Takes fewer, should the forkers of a sudden be too many.
    const fn thin_out(&mut self, forkers: usize) {
        if forkers > self.forkers_max {
            self.one_in = self.one_in.saturating_mul(2);
            self.forkers_max = forkers + SAMPLE as usize;
        }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    rule: AlertRule,
    of: Spawn,
    all: Rate,
    /// Forks by forker, of those who forked within the window, and some who did shortly before.
    forkers: FxHashMap<ProcKey, Rate>,
    sample: Sample,
    /// When the others were last dropped.
    pruned_ns: u64,
    /// The alert that lasts.
    active: Option<u64>,
    /// Of the active alert: when the rate fell below the mark for clearing.
    calm_since: Option<u64>,
    /// Of the active alert: when it was last told.
    told_ns: u64,
    /// Step of the window that was judged last.
    step: u64,
}

impl Watch {
    pub(super) fn new(rule: AlertRule, of: Spawn) -> Self {
        Self {
            rule,
            of,
            all: Rate::new(rule.window_ns),
            forkers: FxHashMap::default(),
            sample: Sample::default(),
            pruned_ns: 0,
            active: None,
            calm_since: None,
            told_ns: 0,
            step: 0,
        }
    }

    pub(super) fn spawns_per_s(&self, forker: ProcKey, now_ns: u64) -> f64 {
        self.forkers.get(&forker).map_or(0.0, |rate| rate.per_s(now_ns))
    }

    /// Counts a fork.
    pub(super) fn fork(&mut self, ts_ns: u64, forker: ProcKey) {
        self.all.add(ts_ns);
        if self.sample.takes() {
            let rate = self.forkers.entry(forker).or_insert_with(|| Rate::new(self.rule.window_ns));
            rate.add_many(ts_ns, self.sample.one_in);
            self.sample.thin_out(self.forkers.len());
        }
    }

    /// Counts so many at once: they are told of together.
    pub(super) fn several(&mut self, ts_ns: u64, who: ProcKey, n: u32) {
        self.all.add_many(ts_ns, n);
        self.forkers.entry(who).or_insert_with(|| Rate::new(self.rule.window_ns)).add_many(ts_ns, n);
    }

    /// One left the tree: its forks count as its forker's, so that the sums over subtrees stay what they were.
    pub(super) fn bequeath(&mut self, gone: ProcKey, forker: ProcKey) {
        if let Some(rate) = self.forkers.remove(&gone) {
            self.forkers.entry(forker).or_insert_with(|| Rate::new(self.rule.window_ns)).merge(&rate);
        }
    }

    /// Judges, at most once in each step of the window.
    pub(super) fn advance(&mut self, now_ns: u64, tree: &Tree, alerts: &mut Alerts, deltas: &mut Vec<Delta>) {
        let step = self.all.step(now_ns);
        if step == self.step {
            return;
        }
        self.step = step;
        if now_ns - self.pruned_ns >= self.rule.window_ns {
            self.pruned_ns = now_ns;
            self.forkers.retain(|_, rate| rate.total(now_ns) > 0);
        }
        self.sample.adapt(self.all.total(now_ns), self.forkers.len());
        if self.of.limit(&self.rule) > 0.0 {
            self.judge(now_ns, tree, alerts, deltas);
        }
    }

    /// This rate is going to be shown: the highest of all is no lower.
    pub(super) fn show(&self, rate: f64, alerts: &mut Alerts) {
        if let Some(alert) = self.active.and_then(|id| alerts.get_mut(id))
            && let Cause::SpawnRate { peak, .. } = &mut alert.cause
        {
            *peak = peak.max(rate);
        }
    }

    fn judge(&mut self, now_ns: u64, tree: &Tree, alerts: &mut Alerts, deltas: &mut Vec<Delta>) {
        let (rate, limit, of) = (self.all.per_s(now_ns), self.of.limit(&self.rule), self.of);
        let Some(id) = self.active else {
            if rate >= limit {
                let culprit = self.culprit(now_ns, tree);
                let cause =
                    Cause::SpawnRate { of, rate, peak: rate, share: culprit.map_or(0.0, |culprit| culprit.share) };
                let named = culprit.map(|culprit| (culprit.key, culprit.comm));
                self.active = Some(alerts.raise(now_ns, cause, named, deltas));
                self.calm_since = None;
                self.told_ns = now_ns;
            }
            return;
        };
        if let Some(Cause::SpawnRate { peak, .. }) = alerts.get_mut(id).map(|alert| &mut alert.cause) {
            *peak = peak.max(rate);
        }
        if rate < limit * self.rule.clear_ratio {
            let calm_since = *self.calm_since.get_or_insert(now_ns);
            if now_ns - calm_since >= self.rule.clear_ns {
                self.active = None;
                alerts.clear(id, now_ns, deltas);
            }
        } else {
            self.calm_since = None;
            if now_ns - self.told_ns >= UPDATE_NS {
                self.told_ns = now_ns;
                if let Some(Cause::SpawnRate { rate: told, .. }) = alerts.get_mut(id).map(|alert| &mut alert.cause) {
                    *told = rate;
                }
                // When none stands out any more, the last one stays named.
                if let (Some(alert), Some(culprit)) = (alerts.get_mut(id), self.culprit(now_ns, tree)) {
                    alert.culprit = Some(culprit.key);
                    alert.culprit_comm = culprit.comm;
                    if let Cause::SpawnRate { share, .. } = &mut alert.cause {
                        *share = culprit.share;
                    }
                }
                alerts.tell(id, deltas);
            }
        }
    }

    /// The process deepest in the lineage of forks whose subtree made most of the forks in the window.
    #[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
    fn culprit(&self, now_ns: u64, tree: &Tree) -> Option<Culprit> {
        let total = self.all.total(now_ns) as f64;
        let needed = total * CULPRIT_SHARE;
        // The youngest first: a parent is older than its children, so that its sum is complete when its turn comes.
        let mut sums: BTreeMap<(u64, u32), u64> = BTreeMap::new();
        for (forker, rate) in &self.forkers {
            let forks = rate.total(now_ns);
            if forks > 0 {
                *sums.entry(forker.birth()).or_default() += forks;
            }
        }
        while let Some(((start_ns, pid), forks)) = sums.pop_last() {
            let key = ProcKey::new(pid, start_ns);
            let parent = tree.parent(key, Lineage::Forked);
            if forks as f64 >= needed {
                // All that runs descends from init: that alone is no reason to name it.
                let own = self.forkers.get(&key).map_or(0, |rate| rate.total(now_ns));
                let named = tree.get(key).filter(|_| pid != 1 || own as f64 >= needed);
                return named.map(|process| Culprit {
                    key,
                    comm: *process.comm(),
                    share: (forks as f64 / total).min(1.0),
                });
            }
            if let Some(parent) = parent {
                *sums.entry(parent.key.birth()).or_default() += forks;
            }
        }
        None
    }
}
