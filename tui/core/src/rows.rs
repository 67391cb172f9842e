//! The tree as lines: which processes are visible, in what order, with which guides.
//!
//! Follows the tree by its [`Delta`]s: [`Rows::note`] takes them, [`Rows::refresh`] brings the rows up to date in time
//! that goes with what changed, not with the size of the tree. What is asked of the rows then takes logarithmic time,
//! however many there are. Only a change of the [`Look`] goes through the whole tree. Does not know columns, colours or
//! the size of the screen.

mod build;
mod joined;
mod look;
mod sequence;
mod upkeep;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::engine::Delta;
use crate::event::{Comm, ProcKey};
use crate::facts::{Fact, Places, Rank, Sort};
use crate::tree::{Lineage, Summary, Sums, Totals, Tree};

use joined::{Crowds, Share};
pub use look::{Folds, Look};
use sequence::{Id, Sequence};

#[cfg(test)]
mod tests;

/// What a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowId {
    /// One process.
    Process(ProcKey),
    /// Finished children of one process that had one name.
    Joined {
        /// Whose children.
        parent: ProcKey,
        /// Their name.
        comm: Comm,
    },
}

impl RowId {
    /// The process, if it stands for one.
    #[must_use]
    pub const fn process(self) -> Option<ProcKey> {
        match self {
            Self::Process(key) => Some(key),
            Self::Joined { .. } => None,
        }
    }

    /// The process, or the parent of those it stands for.
    #[must_use]
    pub const fn nearest(self) -> ProcKey {
        match self {
            Self::Process(key) | Self::Joined { parent: key, .. } => key,
        }
    }
}

/// One visible line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it stands for.
    pub id: RowId,
    /// Distance from its root.
    pub depth: u32,
    /// There are rows below it, be it folded or not.
    pub has_children: bool,
    /// What is below it is hidden.
    pub folded: bool,
    /// It is the last of its siblings.
    pub last: bool,
    /// The filter matches the row itself, not only a descendant.
    pub matched: bool,
    /// Processes hidden below it by the fold: of those that would be visible, the ones asked for (which match, and are
    /// neither dead nor of the kernel where those are not shown), not the ancestors that come along.
    pub hidden: u32,
    /// Of a joined row, what it sums up; those who have left the tree already are counted unless there is a filter. What
    /// is [at and below](Summary::all) those it stands for goes by no filter. Bytes read and written are complete only while
    /// somebody [wants](Rows::want_totals) sums.
    pub summary: Option<Summary>,
}

/// How often those are judged anew whose filter goes by time alone, nanoseconds.
const REJUDGE_NS: u64 = 1_000_000_000;

/// How often subtrees are summed up anew, nanoseconds: once a second, and where there are more than so many processes
/// more rarely, so that it takes a small part of the time however many there are. Rows that are all built anew between
/// two passes go by the latest, unless it was over another tree, by the other lineage, or over one that has been
/// compacted since.
const SUM_NS: u64 = 1_000_000_000;
const SUM_PROCESSES: usize = 200_000;

/// Where a row stands among its siblings: rank, and birth for those alike.
type Order = (Rank, (u64, u32));

/// The visible lines; see the module.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    look: Look,
    folds: Folds,
    sequence: Sequence<Item>,
    ids: FxHashMap<ProcKey, Id>,
    crowds: Crowds,
    /// Processes of which something changed.
    noted: Vec<ProcKey>,
    /// Processes of whose children one has left the tree.
    bereaved: Vec<ProcKey>,
    /// Something changed that may change the filter's verdict on others.
    misplaced: bool,
    /// During a refresh: those found outside the subtree that is looked at.
    outside: FxHashSet<ProcKey>,
    /// By what the ranks of the items were reckoned.
    ranked_by: Sort,
    /// Of the texts that they are sorted by, where these are long.
    places: Places,
    /// Not to be joined with others.
    apart: Option<ProcKey>,
    apart_is_new: bool,
    /// It and the dead above it.
    line_apart: FxHashSet<ProcKey>,
    /// Volatile sorts stand still.
    held: bool,
    /// Something was not resorted for that.
    unsorted: bool,
    /// Everything is to be looked at anew.
    stale: bool,
    /// When all were last judged, and that it is time to do so again.
    judged_ns: u64,
    aged: bool,
    /// What subtrees come to, while somebody needs it; shared with whoever judges by it meanwhile.
    sums: Arc<Sums>,
    /// Somebody wants to know it beside the rows themselves.
    sums_wanted: bool,
    /// When it was last found out, of how many processes, and that it may be otherwise by now: for what happened to
    /// them, or for a measurement, which says nothing about the finished.
    summed_ns: u64,
    summed_len: usize,
    sums_are_old: bool,
    measured_since: bool,
    /// What is below the members of joined rows has not been counted since these were made or somebody wanted sums.
    below_unknown: bool,
    /// Passes over all processes for the sums, and over all members of joined rows.
    #[cfg(test)]
    passes: [u32; 2],
}

/// A process that is kept by filter and switches, for its own sake or for that of one below it; or a joined row.
#[derive(Clone, Debug)]
struct Item {
    /// The process; of a joined row, the parent.
    key: ProcKey,
    rank: Rank,
    /// The filter matches it.
    matched: bool,
    /// Nothing lives at or below it.
    finished: bool,
    alive: bool,
    /// Children that are not finished.
    unfinished: u32,
    /// Of a joined row, its number; of a finished process, where it is counted.
    crowd: Option<u32>,
    joined: bool,
    /// What it adds to the sums there.
    share: Share,
}

impl Rows {
    /// No rows yet; [`Rows::refresh`] makes them.
    #[must_use]
    pub fn new(look: Look) -> Self {
        Self { look, stale: true, ..Self::default() }
    }

    /// Those of a tree as it is, nothing folded.
    #[must_use]
    pub fn of<'u>(tree: &Tree, look: Look, user: impl Fn(u32) -> &'u str) -> Self {
        let mut rows = Self::new(look);
        rows.refresh(tree, user);
        rows
    }

    // What is looked at.

    /// What decides the rows.
    #[must_use]
    pub fn look(&self) -> &Look {
        &self.look
    }

    /// Changes what decides the rows; [`Rows::refresh`] carries it out.
    pub fn look_mut(&mut self) -> &mut Look {
        self.stale = true;
        &mut self.look
    }

    /// Lets time pass for the filter: what it says of the ages of the living is judged anew once a second.
    pub fn set_now(&mut self, now_ns: u64) {
        self.look.now_ns = now_ns;
        self.aged =
            (self.look.filter.depends().time || self.misplaced) && now_ns.abs_diff(self.judged_ns) >= REJUDGE_NS;
    }

    /// Keeps [`Rows::totals`] up to date from now on, or no longer.
    pub fn want_totals(&mut self, wanted: bool) {
        // Of joined rows, the bytes are only counted from now on.
        self.below_unknown |= wanted && !self.sums_wanted;
        self.sums_wanted = wanted;
    }

    /// What a process and all below it come to, at most about a second ago. `None` where nobody [wants] it and for one
    /// that has just come.
    ///
    /// [wants]: Rows::want_totals
    #[must_use]
    pub fn totals(&self, tree: &Tree, key: ProcKey) -> Option<Totals> {
        self.sums.get(tree, key)
    }

    /// The sums behind [`Rows::totals`], where somebody wants them.
    #[must_use]
    pub fn sums(&self) -> Option<&Sums> {
        Some(&*self.sums).filter(|sums| !sums.is_empty())
    }

    /// To be called when something changed that no delta tells: another tree, names of users.
    pub fn invalidate(&mut self) {
        self.stale = true;
        self.sums = Arc::default();
    }

    /// Whether [`Rows::refresh`] has something to do.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.stale
            || self.apart_is_new
            || self.aged
            || !self.noted.is_empty()
            || !self.bereaved.is_empty()
            || self.unsorted && !self.held
            || self.are_sums_due()
            || self.below_unknown && self.tells_below()
    }

    /// Whether somebody looks at the sums of any process; joined rows look at those of their members, once finished.
    fn keeps_sums(&self) -> bool {
        self.sums_wanted || self.look.sort.by.is_sum() || self.look.filter.depends().sums
    }

    /// Whether there may be joined rows, which tell what is below them.
    fn tells_below(&self) -> bool {
        self.look.joins() && self.crowds.may_be()
    }

    fn are_sums_due(&self) -> bool {
        let interval = SUM_NS * (self.summed_len / SUM_PROCESSES).max(1) as u64;
        let old = self.sums_are_old || self.measured_since && self.keeps_sums();
        let aged = || old && self.look.now_ns.abs_diff(self.summed_ns) >= interval;
        self.keeps_sums() && (self.sums.is_empty() || aged()) || self.tells_below() && aged()
    }

    /// Whether a measurement of a process may move its row, or let it come or go. The sums only change when they are
    /// taken, and then all is sorted anew.
    fn goes_by_measurements(&self) -> bool {
        let by = self.look.sort.by;
        by.depends().measured || self.look.filter.depends().measured
    }

    /// Takes note of a change of the tree.
    pub fn note(&mut self, delta: &Delta) {
        self.measured_since |= matches!(delta, Delta::Measured(_));
        self.sums_are_old |= !matches!(delta, Delta::Measured(_) | Delta::Alert(_));
        match *delta {
            _ if self.stale => {}
            // Whoever leaves or enters the subtree that is looked at takes others along, of whom nothing is told.
            Delta::Moved(_) if self.look.root.is_some() => self.stale = true,
            // Nobody tells whose child it was before.
            Delta::Moved(_) if self.look.sort.by == Fact::Children => self.stale = true,
            // Nor that the depth of those below it is another.
            Delta::Added(_) | Delta::Moved(_) | Delta::Removed { .. }
                if self.look.flat && self.look.sort.by == Fact::Depth =>
            {
                self.stale = true;
            }
            Delta::Added(key) | Delta::Changed(key) | Delta::Moved(key) | Delta::Ended(key) => self.noted.push(key),
            Delta::Measured(key) if self.goes_by_measurements() => self.noted.push(key),
            Delta::Removed { key, forker, kernel_parent } => {
                self.noted.push(key);
                // It may be forked and gone before anybody looks: then it cannot be asked who its forker is.
                if self.look.sort.by == Fact::Spawned {
                    self.noted.push(forker);
                }
                let parent = match self.look.lineage {
                    Lineage::Forked => forker,
                    Lineage::Kernel => kernel_parent,
                };
                if self.look.sort.by == Fact::Children {
                    self.noted.push(parent);
                }
                if self.look.joins() {
                    self.bereaved.push(parent);
                }
            }
            Delta::Measured(_) | Delta::Alert(_) => {}
        }
        if let Delta::Removed { key, .. } = *delta {
            self.folds.forget(RowId::Process(key));
        }
    }

    /// Keeps volatile sorts as they are, or lets them go on.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// Never joins this process with its siblings, nor one above it: the one that is selected.
    pub fn set_apart(&mut self, apart: Option<ProcKey>) {
        self.apart_is_new |= self.apart != apart;
        self.apart = apart;
    }

    // Folds.

    /// Whether a row is folded, be it there or not.
    #[must_use]
    pub fn is_folded(&self, id: RowId) -> bool {
        self.folds.is_folded(id)
    }

    /// Folds or unfolds one.
    pub fn fold(&mut self, id: RowId, folded: bool) {
        if self.folds.is_folded(id) == folded {
            return;
        }
        self.folds.set(id, folded);
        if let Some(item) = self.find(id).filter(|_| !self.stale) {
            self.sequence.hide_below(item, folded);
        }
    }

    /// Unfolds whatever hides the row of a process.
    pub fn reveal(&mut self, key: ProcKey) {
        let mut above = self.ids.get(&key).copied();
        while let Some(id) = above {
            if id != self.ids[&key]
                && let Some(row) = self.id(id)
            {
                self.fold(row, false);
            }
            above = self.sequence.parent(id);
        }
    }

    /// Folds or unfolds all; joined rows stay folded.
    pub fn fold_all(&mut self, folded: bool) {
        self.folds.set_all(folded);
        self.stale = true;
    }

    /// Folds the deepest level that is open, or unfolds the uppermost one that is folded; joined rows stay as they are.
    /// Looks at all visible rows.
    pub fn fold_level(&mut self, folded: bool) {
        let rows = || self.iter().filter(|row| row.has_children && row.folded != folded && row.summary.is_none());
        let depths = rows().map(|row| row.depth);
        let Some(depth) = (if folded { depths.max() } else { depths.min() }) else { return };
        let level: Vec<RowId> = rows().filter(|row| row.depth == depth).map(|row| row.id).collect();
        for id in level {
            self.fold(id, folded);
        }
    }

    /// Forgets the folds of processes that are not in this tree.
    pub fn forget_folds(&mut self, tree: &Tree) {
        self.folds.retain(|key| tree.get(key).is_some());
    }

    // The rows as of the last refresh.

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sequence.visible()
    }

    /// Whether nothing is visible.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Processes asked for by filter and switches, folded or not.
    #[must_use]
    pub fn wanted(&self) -> u32 {
        self.sequence.counted()
    }

    /// Bytes that the rows occupy.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let entry = size_of::<(ProcKey, Id)>() + 1;
        self.sequence.bytes() + self.ids.capacity() * entry + self.sums.bytes()
    }

    /// The row at an index.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Row> {
        self.sequence.nth_visible(index).and_then(|id| self.row(id))
    }

    /// Calls `see` for a run of rows, top first, with the guides of each: for each depth above the row's own, the
    /// nearest `levels` of them, nearest the root first, whether a vertical guide runs through the row (an ancestor at
    /// that depth has siblings below).
    pub fn window(&self, range: std::ops::Range<usize>, levels: usize, mut see: impl FnMut(usize, &Row, &[bool])) {
        // Guides of the row before, from some depth on, and that row.
        let mut guides: Vec<bool> = Vec::new();
        let mut above: Option<Row> = None;
        for index in range {
            let Some(id) = self.sequence.nth_visible(index) else { return };
            let Some(row) = self.row(id) else { return };
            match above {
                Some(parent) if parent.depth < row.depth => guides.push(!parent.last),
                Some(before) if (before.depth - row.depth) as usize <= guides.len() => {
                    guides.truncate(guides.len() - (before.depth - row.depth) as usize);
                }
                _ => guides.clear(),
            }
            if guides.len() < levels.min(row.depth as usize) {
                guides = self.guides(id, levels);
            }
            see(index, &row, &guides[guides.len().saturating_sub(levels)..]);
            above = Some(row);
        }
    }

    /// All rows, top first.
    pub fn iter(&self) -> impl Iterator<Item = Row> {
        let visible = |id: &Id| self.sequence.hidden(*id) == 0;
        let ids = std::iter::successors(self.sequence.first(), |&id| self.sequence.next(id));
        ids.filter(visible).filter_map(|id| self.row(id))
    }

    /// The first row from an index on, or the last one before it, that stands for what the filter matches. Looks
    /// at the rows one by one.
    #[must_use]
    pub fn match_from(&self, index: usize, forward: bool) -> Option<usize> {
        let from = if forward { self.sequence.nth_visible(index)? } else { self.sequence.first()? };
        let ids = std::iter::successors(Some(from), |&id| self.sequence.next(id));
        let visible = ids.filter(|&id| self.sequence.hidden(id) == 0);
        let is_match = |id| self.sequence.get(id).is_some_and(|item| item.matched);
        let matches = visible.zip(if forward { index } else { 0 }..).filter(|&(id, _)| is_match(id));
        let mut indices = matches.map(|(_, index)| index);
        if forward { indices.next() } else { indices.take_while(|&found| found < index).last() }
    }

    /// Where something is, if it is visible.
    #[must_use]
    pub fn position(&self, id: RowId) -> Option<usize> {
        let id = self.find(id).filter(|&id| self.sequence.hidden(id) == 0)?;
        Some(self.sequence.visible_before(id))
    }

    /// The row itself if it is visible, or else the nearest one above it that is: where a selection goes that is
    /// folded away, joined, filtered out or, asked with the parent of the one that went, removed. In a flat look nothing
    /// is above anything.
    #[must_use]
    pub fn visible_ancestor(&self, tree: &Tree, id: RowId) -> Option<RowId> {
        if self.look.flat {
            return self.position(id).map(|_| id);
        }
        let found = self.find(id).or_else(|| {
            let above = tree.ancestors(id.nearest(), self.look.lineage).map(|process| process.key);
            std::iter::once(id.nearest()).chain(above).find_map(|key| self.ids.get(&key).copied())
        });
        let mut above = std::iter::successors(found, |&id| self.sequence.parent(id));
        above.find(|&id| self.sequence.hidden(id) == 0).and_then(|id| self.id(id))
    }

    /// The index of the row of the parent, if the row is not a root.
    #[must_use]
    pub fn parent(&self, index: usize) -> Option<usize> {
        let parent = self.sequence.parent(self.sequence.nth_visible(index)?)?;
        Some(self.sequence.visible_before(parent))
    }

    fn row(&self, id: Id) -> Option<Row> {
        let item = self.sequence.get(id)?;
        let row_id = self.id(id)?;
        let has_children = self.sequence.is_parent(id);
        let folded = has_children && self.folds.is_folded(row_id);
        let depth = self.sequence.depth(id);
        Some(Row {
            id: row_id,
            depth,
            has_children,
            folded,
            last: self.is_last(id),
            matched: item.matched,
            hidden: if folded { self.sequence.counted_below(id) } else { 0 },
            summary: item.crowd.filter(|_| item.joined).and_then(|crowd| self.crowds.summary(crowd)),
        })
    }

    fn id(&self, id: Id) -> Option<RowId> {
        self.sequence.get(id).map(|item| item.id(&self.crowds))
    }

    fn find(&self, id: RowId) -> Option<Id> {
        match id {
            RowId::Process(key) => self.ids.get(&key).copied(),
            RowId::Joined { parent, comm } => self.crowds.row(parent, comm),
        }
    }

    fn is_last(&self, id: Id) -> bool {
        self.sequence.end(id).is_none_or(|end| self.sequence.depth(end) < self.sequence.depth(id))
    }

    /// See [`Rows::window`].
    fn guides(&self, id: Id, levels: usize) -> Vec<bool> {
        let above = std::iter::successors(self.sequence.parent(id), |&id| self.sequence.parent(id));
        let mut guides: Vec<bool> = above.take(levels).map(|id| !self.is_last(id)).collect();
        guides.reverse();
        guides
    }

    fn order(&self, id: Id) -> Option<Order> {
        order_in(&self.sequence, &self.crowds, id)
    }
}

/// The place of a row among its siblings.
fn order_in(sequence: &Sequence<Item>, crowds: &Crowds, id: Id) -> Option<Order> {
    let item = sequence.get(id)?;
    let birth = match item.crowd.filter(|_| item.joined) {
        Some(crowd) => crowds.placed(crowd),
        None => item.key.birth(),
    };
    Some((item.rank, birth))
}
