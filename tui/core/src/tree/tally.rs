//! What processes come to together: a [`Tally`] of those at and below one, and the [`Sums`] of all of them at once.
//!
//! The sums are taken in one pass over the nodes, children before their parents, and hold until the next pass. Does not
//! know when one is due.

use super::{Lineage, NodeIndex, Tree};
use crate::event::ProcKey;
use crate::process::Process;

#[cfg(test)]
mod tests;

/// What some processes came to, be they in the tree or not any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many of them are finished.
    pub finished: u64,
    /// Of these, how many ended with a non-zero code or by a signal.
    pub failed: u64,
    /// Children that they forked.
    pub spawned: u64,
    /// Their CPU time, nanoseconds: of the living as last measured.
    pub cpu_ns: u64,
    /// What they caused to be read from storage, bytes, as far as that is known: of the living as last measured.
    pub read_bytes: u64,
    /// What they caused to be written to storage, bytes, as far as that is known: of the living as last measured.
    pub write_bytes: u64,
}

impl Tally {
    /// Of one.
    #[must_use]
    pub fn of(process: &Process) -> Self {
        let cost = process.cost();
        Self {
            finished: u64::from(!process.is_alive()),
            failed: u64::from(process.exit_status().is_some_and(crate::ExitStatus::is_failure)),
            spawned: process.spawned.into(),
            cpu_ns: cost.cpu_ns,
            read_bytes: cost.read_bytes.unwrap_or(0),
            write_bytes: cost.write_bytes.unwrap_or(0),
        }
    }

    /// Of these and others together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            finished: self.finished.saturating_add(other.finished),
            failed: self.failed.saturating_add(other.failed),
            spawned: self.spawned.saturating_add(other.spawned),
            cpu_ns: self.cpu_ns.saturating_add(other.cpu_ns),
            read_bytes: self.read_bytes.saturating_add(other.read_bytes),
            write_bytes: self.write_bytes.saturating_add(other.write_bytes),
        }
    }

    /// Of these, of whom that many are known.
    pub(crate) fn at_least(self, known: Self) -> Self {
        Self {
            finished: self.finished.max(known.finished),
            failed: self.failed.max(known.failed),
            spawned: self.spawned.max(known.spawned),
            cpu_ns: self.cpu_ns.max(known.cpu_ns),
            read_bytes: self.read_bytes.max(known.read_bytes),
            write_bytes: self.write_bytes.max(known.write_bytes),
        }
    }

    /// Of these without some of them.
    pub(crate) const fn without(self, some: Self) -> Self {
        Self {
            finished: self.finished.saturating_sub(some.finished),
            failed: self.failed.saturating_sub(some.failed),
            spawned: self.spawned.saturating_sub(some.spawned),
            cpu_ns: self.cpu_ns.saturating_sub(some.cpu_ns),
            read_bytes: self.read_bytes.saturating_sub(some.read_bytes),
            write_bytes: self.write_bytes.saturating_sub(some.write_bytes),
        }
    }

    /// Whether something in it was cut off at the top: a recording may say anything.
    pub(crate) fn is_cut_off(&self) -> bool {
        [self.cpu_ns, self.read_bytes, self.write_bytes].contains(&u64::MAX)
    }
}

/// Sums over a process and all below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many of them are alive.
    pub alive: u64,
    /// Of these, how many have been measured: the rest adds nothing to what follows.
    pub measured: u64,
    /// Shares of a CPU of these, together, millionths of one CPU: whole numbers, so that their sum goes by nothing else.
    pub cpu_millionths: u64,
    /// Resident sets of these, bytes: what several share is counted for each.
    pub rss_bytes: u64,
    /// Those who left the tree are in it.
    pub tally: Tally,
}

impl Totals {
    /// The share of a CPU of the living: 1.0 is one CPU.
    #[must_use]
    pub fn cpu_share(&self) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "shown with three digits or so")]
        let millionths = self.cpu_millionths as f32;
        millionths / 1e6
    }

    fn millionths(share: f32) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is never negative")]
        let millionths = (f64::from(share.max(0.0)) * 1e6).round() as u64;
        millionths
    }

    /// Of one alone.
    pub(crate) fn of(process: &Process) -> Self {
        Self {
            alive: u64::from(process.is_alive()),
            measured: u64::from(process.is_alive() && process.is_measured()),
            cpu_millionths: Self::millionths(process.cpu_share()),
            rss_bytes: process.rss_bytes().unwrap_or(0),
            tally: Tally::of(process),
        }
    }

    /// Of these and others together.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            alive: self.alive + other.alive,
            measured: self.measured + other.measured,
            cpu_millionths: self.cpu_millionths.saturating_add(other.cpu_millionths),
            rss_bytes: self.rss_bytes.saturating_add(other.rss_bytes),
            tally: self.tally.and(other.tally),
        }
    }
}

/// The totals of all processes of a tree, as of the latest pass.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    /// By node.
    totals: Vec<Totals>,
    /// Children that a node still waits for, kept for the sake of its memory.
    waiting: Vec<u32>,
    /// Of which numbering of the nodes, and by which parents.
    of: Option<(u64, Lineage)>,
}

impl Sums {
    /// Whether there has been a pass.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.of.is_none()
    }

    /// Whether they can be asked about this tree: it has been looked at in this way and not been rebuilt since.
    #[must_use]
    pub fn is_of(&self, tree: &Tree, lineage: Lineage) -> bool {
        self.of == Some((tree.rebuilt, lineage))
    }

    /// Goes over the whole tree.
    pub fn refresh(&mut self, tree: &Tree, lineage: Lineage) {
        let Self { totals, waiting, of } = self;
        *of = Some((tree.rebuilt, lineage));
        let slots = || tree.graph.node_weights();
        waiting.clear();
        waiting.extend(slots().map(|slot| slot.children[lineage as usize]));
        totals.clear();
        totals.extend(slots().map(|slot| {
            let own = slot.process.as_deref().map(Totals::of).unwrap_or_default();
            let left = slot.departed.of(lineage).iter().map(|(_, summary)| summary.all);
            Totals { tally: left.fold(own.tally, Tally::and), ..own }
        }));
        // They are kept between passes: of a storm that is over, nothing stays.
        totals.shrink_to(2 * totals.len());
        waiting.shrink_to(2 * waiting.len());
        // From each leaf up to the first that waits for others.
        for (leaf, _) in slots().enumerate().filter(|(_, slot)| slot.children[lineage as usize] == 0) {
            let mut node = leaf;
            while let Some(parent) = tree.parent_node(NodeIndex::new(node), lineage).map(NodeIndex::index) {
                totals[parent] = totals[parent].and(totals[node]);
                waiting[parent] -= 1;
                if waiting[parent] > 0 {
                    break;
                }
                node = parent;
            }
        }
    }

    /// The sums over a process and all below it; `None` for one that came after the pass.
    #[must_use]
    pub fn get(&self, tree: &Tree, key: ProcKey) -> Option<Totals> {
        let (rebuilt, _) = self.of?;
        let node = tree.node(key).filter(|_| rebuilt == tree.rebuilt)?;
        self.totals.get(node.index()).copied()
    }

    /// Bytes that they occupy.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.totals.capacity() * size_of::<Totals>() + self.waiting.capacity() * size_of::<u32>()
    }
}
