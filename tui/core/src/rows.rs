//! The tree as lines: which processes are visible, in what order, with which guides.
//!
//! Knows folds, filter and lineage; does not know columns, colours or the size of the screen.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::ProcKey;
use crate::filter::Filter;
use crate::tree::{Lineage, Tree, Visit};

#[cfg(test)]
mod tests;

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
    /// Distance from its root; stays at the greatest value for what is deeper.
    pub depth: u16,
    /// It has children that the filter lets through.
    pub has_children: bool,
    /// Its children are hidden.
    pub folded: bool,
    /// It is the last of its siblings.
    pub last: bool,
    /// The filter matches the row itself, not only a descendant.
    pub matched: bool,
    /// Processes hidden below it by the fold: of those that would be visible, the ones asked for (which match, and are
    /// neither dead nor of the kernel where those are not shown), not the ancestors that come along.
    pub hidden: u32,
}

/// The visible lines.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    rows: Vec<Row>,
    /// For each row the index of its parent's row.
    parents: Vec<Option<u32>>,
}

/// What decides the visible lines.
#[derive(Clone, Copy, Debug)]
pub struct RowOptions<'a> {
    /// Which parent counts.
    pub lineage: Lineage,
    /// What is folded.
    pub folds: &'a Folds,
    /// What must match; ancestors of a match stay visible, its descendants do not.
    pub filter: &'a Filter,
    /// Whether kernel threads are shown; ancestors of visible rows are in any case.
    pub kernel: bool,
    /// Whether the dead are shown; ancestors of visible rows are in any case.
    pub dead: bool,
}

/// What a build needs to know of a process, in the order of the walk.
struct Entry {
    key: ProcKey,
    depth: usize,
    parent: Option<usize>,
    matched: bool,
    /// Asked for, by filter and switches.
    wanted: bool,
    /// Wanted, or an ancestor of one that is.
    kept: bool,
    /// No later sibling is kept.
    last: bool,
    has_children: bool,
    /// Wanted ones in its subtree, itself included.
    wanted_below: u32,
    /// The row it became.
    row: Option<u32>,
}

impl Rows {
    /// Computes them; `user` names a uid for the filter.
    #[must_use]
    pub fn build<'u>(tree: &Tree, options: RowOptions<'_>, user: impl Fn(u32) -> &'u str) -> Self {
        let mut entries = Vec::with_capacity(tree.len());
        entries.extend(tree.walk(options.lineage).map(|visit| Entry::new(visit, options, &user)));
        sum_up(&mut entries);
        let mut rows = Self::default();
        for index in 0..entries.len() {
            let entry = &entries[index];
            let parent = entry.parent.map(|parent| &entries[parent]);
            let parent_row = parent.and_then(|parent| parent.row);
            let under_fold = parent_row.is_some_and(|row| rows.rows[row as usize].folded);
            if !entry.kept || under_fold || parent.is_some() != parent_row.is_some() {
                continue;
            }
            let folded = entry.has_children && options.folds.is_folded(entry.key);
            rows.parents.push(parent_row);
            rows.rows.push(Row {
                key: entry.key,
                depth: u16::try_from(entry.depth).unwrap_or(u16::MAX),
                has_children: entry.has_children,
                folded,
                last: entry.last,
                matched: entry.matched,
                hidden: if folded { entry.wanted_below - u32::from(entry.wanted) } else { 0 },
            });
            entries[index].row = u32::try_from(rows.len() - 1).ok();
        }
        rows
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

    /// Where a process is. Looks through the rows: meant to be asked once or twice a frame.
    #[must_use]
    pub fn position(&self, key: ProcKey) -> Option<usize> {
        self.rows.iter().position(|row| row.key == key)
    }

    /// The process itself if it has a row, or else its nearest ancestor that has one: where a selection goes that is
    /// folded away, filtered out or, asked with the parent of the one that went, removed.
    #[must_use]
    pub fn visible_ancestor(&self, tree: &Tree, key: ProcKey, lineage: Lineage) -> Option<ProcKey> {
        if self.position(key).is_some() {
            return Some(key);
        }
        let distances: FxHashMap<_, _> =
            tree.ancestors(key, lineage).enumerate().map(|(distance, process)| (process.key, distance)).collect();
        let visible = self.rows.iter().filter_map(|row| Some((*distances.get(&row.key)?, row.key)));
        visible.min().map(|(_, key)| key)
    }

    /// The index of the row of the parent, if the row is not a root.
    #[must_use]
    pub fn parent(&self, index: usize) -> Option<usize> {
        self.parents.get(index).copied().flatten().map(|parent| parent as usize)
    }

    /// For each depth above the row's own, nearest the root first, whether a vertical guide runs through the row (an
    /// ancestor at that depth has siblings below).
    #[must_use]
    pub fn guides(&self, index: usize) -> Vec<bool> {
        let ancestors = std::iter::successors(self.parent(index), |&row| self.parent(row));
        let mut guides: Vec<_> = ancestors.map(|row| !self.rows[row].last).collect();
        guides.reverse();
        guides
    }
}

impl Entry {
    fn new<'u>(visit: Visit<'_>, options: RowOptions<'_>, user: impl Fn(u32) -> &'u str) -> Self {
        let process = visit.process;
        let shown = (options.kernel || !process.is_kernel()) && (options.dead || process.is_alive());
        let matched = options.filter.is_empty() || options.filter.matches(process, user(process.creds().uid));
        let wanted = shown && matched;
        Self {
            key: process.key,
            depth: visit.depth,
            parent: visit.parent,
            matched,
            wanted,
            kept: wanted,
            last: false,
            has_children: false,
            wanted_below: u32::from(wanted),
            row: None,
        }
    }
}

/// Tells the parents about their children, the last first.
fn sum_up(entries: &mut [Entry]) {
    let mut root_below = false;
    for index in (0..entries.len()).rev() {
        let Entry { kept, parent, wanted_below, .. } = entries[index];
        if !kept {
            continue;
        }
        let sibling_below = match parent {
            Some(parent) => {
                let parent = &mut entries[parent];
                parent.kept = true;
                parent.wanted_below += wanted_below;
                &mut parent.has_children
            }
            None => &mut root_below,
        };
        let last = !std::mem::replace(sibling_below, true);
        entries[index].last = last;
    }
}
