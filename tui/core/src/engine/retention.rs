//! Which of the dead may leave the tree, the oldest first, and which have left it lately.
//!
//! Leaves first: a dead process with children is kept for their sake, so that no ancestor of a living one goes (I6)
//! unless the engine leaves it out. Does not know how long or how many are kept.

use std::collections::{BTreeSet, VecDeque};

use rustc_hash::FxHashMap;

use crate::event::ProcKey;
use crate::process::Lifecycle;
use crate::tree::{Lineage, Tree};

#[cfg(test)]
mod tests;

/// How many of those who left are remembered: events about them may still be under way.
const REMEMBERED: usize = 16_384;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Retention {
    /// The dead without children, by the time of their end. An entry may be out of date: it is checked when its turn
    /// comes, and who becomes childless again is entered again.
    ripe: BTreeSet<(u64, ProcKey)>,
    /// By pid, the start of the youngest that has left.
    gone: FxHashMap<u32, u64>,
    gone_order: VecDeque<ProcKey>,
}

impl Retention {
    /// To be called for whoever has ended or lost a child.
    pub(super) fn consider(&mut self, tree: &Tree, key: ProcKey) {
        if let Some(at_ns) = ripe_since(tree, key) {
            self.ripe.insert((at_ns, key));
        }
    }

    /// Takes the one that ended first, if `leaves` says that an end of that time is long enough ago.
    pub(super) fn next(&mut self, tree: &Tree, leaves: impl Fn(u64) -> bool) -> Option<ProcKey> {
        while let Some(&(at_ns, key)) = self.ripe.first() {
            if !leaves(at_ns) {
                return None;
            }
            self.ripe.pop_first();
            if ripe_since(tree, key) == Some(at_ns) {
                return Some(key);
            }
        }
        None
    }

    /// Notes that it has left the tree.
    pub(super) fn remember(&mut self, key: ProcKey) {
        let youngest = self.gone.entry(key.pid).or_default();
        *youngest = key.start_ns.max(*youngest);
        self.gone_order.push_back(key);
        if self.gone_order.len() > REMEMBERED
            && let Some(oldest) = self.gone_order.pop_front()
            && self.gone.get(&oldest.pid) == Some(&oldest.start_ns)
        {
            self.gone.remove(&oldest.pid);
        }
    }

    /// Whether it, or one that had its pid after it, has left the tree lately: what is heard of it now is stale.
    pub(super) fn is_gone(&self, key: ProcKey) -> bool {
        self.gone.get(&key.pid).is_some_and(|&start_ns| key.start_ns <= start_ns)
    }
}

/// When it ended, if it has and no child needs it.
fn ripe_since(tree: &Tree, key: ProcKey) -> Option<u64> {
    match tree.get(key)?.life() {
        Lifecycle::Exited { at_ns, .. } if tree.child_count(key, Lineage::Forked) == 0 => Some(at_ns),
        _ => None,
    }
}
