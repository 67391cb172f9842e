//! The tree as lines: which processes are visible, in what order, with which guides.
//!
//! Knows folds, filter and lineage; does not know columns, colours or the size of the screen.

use rustc_hash::FxHashSet;

use crate::event::ProcKey;
use crate::filter::Filter;
use crate::tree::{Lineage, Tree};

/// Which subtrees are folded, by key: a default and the exceptions from it.
#[derive(Clone, Debug, Default)]
pub struct Folds {
    folded_by_default: bool,
    exceptions: FxHashSet<ProcKey>,
}

impl Folds {
    /// Whether this subtree is folded.
    #[must_use]
    pub fn is_folded(&self, key: ProcKey) -> bool {
        self.folded_by_default != self.exceptions.contains(&key)
    }

    /// Folds or unfolds one.
    pub fn set(&mut self, key: ProcKey, folded: bool) {
        if folded == self.folded_by_default {
            self.exceptions.remove(&key);
        } else {
            self.exceptions.insert(key);
        }
    }

    /// Folds or unfolds all.
    pub fn set_all(&mut self, folded: bool) {
        self.folded_by_default = folded;
        self.exceptions.clear();
    }

    /// Forgets one that left the tree.
    pub fn forget(&mut self, key: ProcKey) {
        self.exceptions.remove(&key);
    }
}

/// One visible line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The process.
    pub key: ProcKey,
    /// Distance from its root.
    pub depth: u16,
    /// It has children that the filter lets through.
    pub has_children: bool,
    /// Its children are hidden.
    pub folded: bool,
    /// It is the last of its siblings.
    pub last: bool,
    /// The filter matches the row itself, not only a descendant.
    pub matched: bool,
    /// Processes hidden below it by the fold.
    pub hidden: u32,
}

/// The visible lines.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    rows: Vec<Row>,
}

/// What decides the visible lines.
#[derive(Clone, Copy, Debug)]
pub struct RowOptions<'a> {
    /// Which parent counts.
    pub lineage: Lineage,
    /// What is folded.
    pub folds: &'a Folds,
    /// What must match; ancestors of a match stay visible.
    pub filter: &'a Filter,
    /// Whether kernel threads are shown.
    pub kernel: bool,
    /// Whether the dead are shown; ancestors of visible rows stay.
    pub dead: bool,
}

impl Rows {
    /// Computes them; `user` names a uid for the filter.
    #[must_use]
    pub fn build<'u>(_tree: &Tree, _options: RowOptions<'_>, _user: impl Fn(u32) -> &'u str) -> Self {
        todo!()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing is visible.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All of them, top first.
    #[must_use]
    pub fn as_slice(&self) -> &[Row] {
        &self.rows
    }

    /// Where a process is.
    #[must_use]
    pub fn position(&self, _key: ProcKey) -> Option<usize> {
        todo!()
    }

    /// For each depth above the row's own, nearest the root first, whether a vertical guide runs through the row (an
    /// ancestor at that depth has siblings below).
    #[must_use]
    pub fn guides(&self, _index: usize) -> Vec<bool> {
        todo!()
    }
}
