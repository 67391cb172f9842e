//! What is remembered of children that were finished and have left the tree: sums by parent and name.
//!
//! A process is counted here when it is taken out, under its parent in each lineage, as long as that parent is kept; and
//! with it what was remembered below it, so that nothing is lost when a whole subtree goes from its leaves up.

use super::{Lineage, NodeIndex, Tally, Tree};
use crate::event::{Comm, ProcKey};
use crate::process::Process;

/// Names kept apart per parent. For one more, the rarest is counted among the others, so that a process which thinks up
/// new names cannot fill the memory.
const NAMES_MAX: usize = 64;

/// Finished children that have left the tree: those of one name, or under `None` all those of names too rare to be kept
/// apart.
pub type Named = (Option<Comm>, Summary);

/// Sums over finished processes of one name with one parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many.
    pub count: u64,
    /// Of these, how many ended with a non-zero code or by a signal.
    pub failed: u64,
    /// Their own CPU time, nanoseconds.
    pub cpu_ns: u64,
    /// The longest life among them, nanoseconds.
    pub longest_ns: u64,
    /// Who of them started first.
    pub first: ProcKey,
    /// They and all below them.
    pub all: Tally,
}

impl Summary {
    /// Of one.
    #[must_use]
    pub fn of(process: &Process) -> Self {
        Self {
            count: 1,
            failed: u64::from(process.exit_status().is_some_and(crate::ExitStatus::is_failure)),
            cpu_ns: process.cost().cpu_ns,
            longest_ns: process.lifetime_ns(0),
            first: process.key,
            all: Tally::of(process),
        }
    }

    /// With those who were below and have left the tree.
    pub(super) fn above(self, below: &[Named]) -> Self {
        Self { all: below.iter().fold(self.all, |all, (_, summary)| all.and(summary.all)), ..self }
    }

    /// Of these and others together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            failed: self.failed + other.failed,
            cpu_ns: self.cpu_ns.saturating_add(other.cpu_ns),
            longest_ns: self.longest_ns.max(other.longest_ns),
            first: if self.first.birth() <= other.first.birth() { self.first } else { other.first },
            all: self.all.and(other.all),
        }
    }
}

/// See the module. Of one parent; nothing is allocated for those without such children.
#[derive(Clone, Debug, Default)]
pub(super) struct Departed(Option<Box<Lineages>>);

/// In either lineage.
#[derive(Clone, Debug, Default)]
struct Lineages {
    forked: Vec<Named>,
    /// `None` as long as they are the same: hardly ever does a child have two parents and both outlive it.
    kernel: Option<Vec<Named>>,
}

impl Departed {
    /// Counts one that goes, in the lineages in which this was its parent, as it was above others in each.
    pub(super) fn count(&mut self, name: Comm, summaries: [Option<Summary>; 2]) {
        let Lineages { forked, kernel } = &mut **self.0.get_or_insert_default();
        if summaries[0] != summaries[1] {
            kernel.get_or_insert_with(|| forked.clone());
        }
        for (names, summary) in [Some(forked), kernel.as_mut()].into_iter().zip(summaries) {
            if let (Some(names), Some(summary)) = (names, summary) {
                count(names, name, summary);
            }
        }
    }

    pub(super) fn of(&self, lineage: Lineage) -> &[Named] {
        self.0.as_ref().map_or(&[], |lineages| match &lineages.kernel {
            Some(kernel) if lineage == Lineage::Kernel => kernel,
            _ => &lineages.forked,
        })
    }
}

impl Tree {
    /// Has the parents of one that goes remember it and those who went from below it.
    pub(super) fn count_departed(&mut self, node: NodeIndex, process: &Process, below: &Departed) {
        let parents = Lineage::BOTH.map(|lineage| self.parent_node(node, lineage));
        let summaries = Lineage::BOTH.map(|lineage| Summary::of(process).above(below.of(lineage)));
        let name = *process.comm();
        let mut count = |parent: Option<NodeIndex>, summaries| {
            if let Some(parent) = parent.filter(|&parent| self.graph[parent].process.is_some()) {
                self.graph[parent].departed.count(name, summaries);
            }
        };
        if parents[0] == parents[1] {
            count(parents[0], summaries.map(Some));
        } else {
            count(parents[0], [Some(summaries[0]), None]);
            count(parents[1], [None, Some(summaries[1])]);
        }
    }
}

fn count(names: &mut Vec<Named>, name: Comm, summary: Summary) {
    let name = Some(name);
    if let Some((_, sums)) = names.iter_mut().find(|(known, _)| *known == name) {
        *sums = sums.and(summary);
        return;
    }
    let rare = |(name, sums): &&mut Named| name.map(|_| sums.count);
    if names.len() >= NAMES_MAX
        && let Some(rarest) = names.iter_mut().filter(|named| named.0.is_some()).min_by_key(rare)
    {
        let evicted = std::mem::replace(rarest, (name, summary)).1;
        match names.iter_mut().find(|(name, _)| name.is_none()) {
            Some((_, others)) => *others = others.and(evicted),
            None => names.push((None, evicted)),
        }
        return;
    }
    // Most parents have children of one name.
    names.reserve_exact(usize::from(names.is_empty()));
    names.push((name, summary));
}
