//! What decides which rows there are and in what order: lineage, filter, switches, sort, folds.
//!
//! Does not know the tree's shape nor the rows themselves.

use rustc_hash::FxHashSet;

use super::RowId;
use crate::event::ProcKey;
use crate::facts::Sort;
use crate::filter::Filter;
use crate::tree::Lineage;

/// How a tree is looked at.
#[derive(Clone, Debug)]
pub struct Look {
    /// Which parent counts.
    pub lineage: Lineage,
    /// Only this process and what is below it, if given; nothing while it is not in the tree.
    pub root: Option<ProcKey>,
    /// All rows stand beside each other, sorted as one: no ancestors come along, nothing is folded nor joined.
    pub flat: bool,
    /// What must match; ancestors of a match stay visible, its descendants do not.
    pub filter: Filter,
    /// Whether kernel threads are shown; ancestors of visible rows are in any case.
    pub kernel: bool,
    /// Whether the dead are shown; ancestors of visible rows are in any case.
    pub dead: bool,
    /// The moment, boot-time nanoseconds, for what the filter says of ages; see [`Rows::set_now`](super::Rows::set_now).
    pub now_ns: u64,
    /// The order of siblings.
    pub sort: Sort,
    /// From how many finished children of one process with one name on these become one row; 0 for never. Finished is
    /// who is dead with all that is shown below it. The root level is never joined.
    pub join_from: usize,
}

impl Default for Look {
    /// Everything, by forks, in order of birth, nothing joined.
    fn default() -> Self {
        Self {
            lineage: Lineage::default(),
            root: None,
            flat: false,
            filter: Filter::default(),
            kernel: true,
            dead: true,
            now_ns: 0,
            sort: Sort::default(),
            join_from: 0,
        }
    }
}

impl Look {
    /// Whether finished siblings may be joined.
    pub(super) const fn joins(&self) -> bool {
        self.join_from > 0 && !self.flat
    }
}

/// Which subtrees are folded, by key: a default and the exceptions from it. Joined rows are folded unless they are an
/// exception.
#[derive(Clone, Debug, Default)]
pub struct Folds {
    folded_by_default: bool,
    exceptions: FxHashSet<RowId>,
}

impl Folds {
    /// Whether what is below this row is folded away.
    #[must_use]
    pub fn is_folded(&self, id: RowId) -> bool {
        self.default_of(id) != self.exceptions.contains(&id)
    }

    pub(super) fn set(&mut self, id: RowId, folded: bool) {
        if folded == self.default_of(id) {
            self.exceptions.remove(&id);
        } else {
            self.exceptions.insert(id);
        }
    }

    pub(super) fn set_all(&mut self, folded: bool) {
        self.folded_by_default = folded;
        self.exceptions.clear();
    }

    /// Forgets who is not there any more.
    pub(super) fn retain(&mut self, is_there: impl Fn(ProcKey) -> bool) {
        self.exceptions.retain(|id| match id {
            RowId::Process(key) | RowId::Joined { parent: key, .. } => is_there(*key),
        });
    }

    pub(super) fn forget(&mut self, id: RowId) {
        self.exceptions.remove(&id);
    }

    const fn default_of(&self, id: RowId) -> bool {
        matches!(id, RowId::Joined { .. }) || self.folded_by_default
    }
}
