//! Which of the dead may leave the tree, the oldest first, and which have left it lately.
//!
//! Leaves first: a dead process with children is kept for their sake, so that no ancestor of a living one goes (I6)
//! unless the engine leaves it out. Does not know how long or how many are kept.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rustc_hash::FxHashMap;

use crate::event::ProcKey;
use crate::heap;
use crate::tree::Tree;

#[cfg(test)]
mod tests;

/// How many of those who left are remembered: events about them may still be under way.
const REMEMBERED: usize = 16_384;

/// When it ended, and who.
type Entry = (u64, ProcKey);

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Retention {
    /// The dead without children, with the time of their end and in its order. An entry may be out of date: it is checked
    /// when its turn comes, and who becomes childless again is entered again.
    ripe: VecDeque<Entry>,
    /// Those that became childless, or were told of, when later ends had been entered already.
    late: BinaryHeap<Reverse<Entry>>,
    /// By pid, the start of the youngest that has left.
    gone: FxHashMap<u32, u64>,
    gone_order: VecDeque<ProcKey>,
}

impl Retention {
    /// To be called for whoever has ended or lost a child.
    pub(super) fn consider(&mut self, tree: &mut Tree, key: ProcKey) {
        let Some(at_ns) = tree.ended_childless(key) else { return };
        let Some(process) = tree.get_mut(key).filter(|process| !process.is_considered) else { return };
        process.is_considered = true;
        let entry = (at_ns, key);
        if self.ripe.back().is_some_and(|last| entry < *last) {
            self.late.push(Reverse(entry));
        } else {
            if self.ripe.len() == self.ripe.capacity() {
                self.ripe.reserve_exact(64.max(self.ripe.len() / 4));
            }
            self.ripe.push_back(entry);
        }
    }

    /// Takes the one that ended first, if `leaves` says that an end of that time is long enough ago.
    pub(super) fn next(&mut self, tree: &mut Tree, leaves: impl Fn(u64) -> bool) -> Option<ProcKey> {
        loop {
            let late = self.late.peek().map(|late| late.0);
            let is_late = late.is_some_and(|late| self.ripe.front().is_none_or(|first| late < *first));
            let (at_ns, key) =
                if is_late { late } else { self.ripe.front().copied() }.filter(|first| leaves(first.0))?;
            if is_late {
                self.late.pop();
            } else {
                self.ripe.pop_front();
                if self.ripe.capacity() > 1024.max(4 * self.ripe.len()) {
                    self.ripe.shrink_to(2 * self.ripe.len());
                }
            }
            if tree.ended_childless(key) == Some(at_ns) {
                return Some(key);
            }
            if let Some(process) = tree.get_mut(key) {
                process.is_considered = false;
            }
        }
    }

    /// What the line of those who may leave and the memory of those who have left occupy, bytes.
    pub(super) fn bytes(&self) -> usize {
        (self.ripe.capacity() + self.late.capacity()) * size_of::<Entry>()
            + self.gone_order.capacity() * size_of::<ProcKey>()
            + heap::map(&self.gone)
    }

    /// Notes that it has left the tree.
    pub(super) fn remember(&mut self, key: ProcKey) {
        // First out, then in: so the two never need room for one more than are remembered.
        if self.gone_order.len() == REMEMBERED
            && let Some(oldest) = self.gone_order.pop_front()
            && self.gone.get(&oldest.pid) == Some(&oldest.start_ns)
        {
            self.gone.remove(&oldest.pid);
        }
        let youngest = self.gone.entry(key.pid).or_default();
        *youngest = key.start_ns.max(*youngest);
        self.gone_order.push_back(key);
    }

    /// Whether it, or one that had its pid after it, has left the tree lately: what is heard of it now is stale.
    pub(super) fn is_gone(&self, key: ProcKey) -> bool {
        self.gone.get(&key.pid).is_some_and(|&start_ns| key.start_ns <= start_ns)
    }
}
