//! The ancestry graph: processes as nodes of a petgraph, one edge from the forker to each child, and one more from the
//! kernel's parent where that is another.
//!
//! Owns the graph: no graph index leaves this module, every outside handle is a [`ProcKey`]. Does not know events,
//! time or what is worth keeping; see [`Engine`](crate::Engine).

use crate::event::ProcKey;
use crate::process::Process;

/// Which parent counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Lineage {
    /// Who forked it.
    #[default]
    Forked,
    /// Who the kernel says its parent is now: a subreaper or init after the forker's death.
    Kernel,
}

/// The forest of all known processes, living and dead.
#[derive(Debug, Default)]
pub struct Tree {}

impl Tree {
    /// The process under a key.
    #[must_use]
    pub fn get(&self, _key: ProcKey) -> Option<&Process> {
        todo!()
    }

    /// The living process that has this pid.
    #[must_use]
    pub fn live_by_pid(&self, _pid: u32) -> Option<&Process> {
        todo!()
    }

    /// The parent under a lineage, if it is in the tree.
    #[must_use]
    pub fn parent(&self, _key: ProcKey, _lineage: Lineage) -> Option<&Process> {
        todo!()
    }

    /// Ancestors, nearest first, the process itself left out.
    pub fn ancestors(&self, _key: ProcKey, _lineage: Lineage) -> impl Iterator<Item = &Process> {
        std::iter::empty()
    }

    /// Children in birth order.
    pub fn children(&self, _key: ProcKey, _lineage: Lineage) -> impl Iterator<Item = &Process> {
        std::iter::empty()
    }

    /// Processes without a parent in the tree, in birth order.
    pub fn roots(&self, _lineage: Lineage) -> impl Iterator<Item = &Process> {
        std::iter::empty()
    }

    /// All processes, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Process> {
        std::iter::empty()
    }

    /// Processes kept.
    #[must_use]
    pub fn len(&self) -> usize {
        todo!()
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Processes kept that are alive.
    #[must_use]
    pub fn live(&self) -> usize {
        todo!()
    }
}
