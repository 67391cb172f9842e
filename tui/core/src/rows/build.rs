//! All rows at once, in one walk over the tree: when the look changes, and when following each change would take longer.

use super::joined::{Crowds, Share};
use super::sequence::{Id, Place};
use super::{Item, Order, Rows};
use crate::event::ProcKey;
use crate::facts::{Rank, Reader, Sort};
use crate::filter::Judge;
use crate::process::Process;
use crate::tree::{Tree, Visit};

/// A process on the walk.
struct Entry<'a> {
    process: &'a Process,
    /// What is asked of it more than once, so that processes, which lie all over the memory, are visited once.
    key: ProcKey,
    alive: bool,
    rank: Rank,
    parent: Option<u32>,
    matched: bool,
    /// Asked for, by filter and switches.
    wanted: bool,
    /// Wanted, or an ancestor of one that is.
    kept: bool,
    /// Of the kept children, those that are not finished.
    unfinished: u32,
    crowd: Option<u32>,
    share: Share,
}

impl Entry<'_> {
    fn is_finished(&self) -> bool {
        !self.alive && self.unfinished == 0
    }
}

/// What is yet to be put into the sequence: an entry, or a crowd with its place among its siblings.
#[derive(Clone, Copy)]
enum Unit {
    Entry(u32),
    Crowd(u32),
}

/// A unit with its depth and how many times it is hidden.
type Pending = (Unit, u32, u32);

impl Rows {
    /// Whether the rows keep the order that they have by a volatile sort.
    fn stands_still(&self) -> bool {
        let sort = self.look.sort;
        self.held && sort.by.is_volatile() && self.ranked_by == sort
    }

    /// Its rank; while the rows stand still, the one it had.
    fn rank(&self, tree: &Tree, process: &Process) -> Rank {
        let old = if self.stands_still() { self.ids.get(&process.key) } else { None };
        old.and_then(|&id| self.sequence.get(id)).map_or_else(|| self.rank_now(tree, process), |item| item.rank)
    }

    pub(super) fn build(&mut self, tree: &Tree, judge: &Judge<'_, '_>) {
        let lineage = self.look.lineage;
        if !self.stands_still() {
            self.places = self.look.sort.places(&Reader::new(self.context(tree, &self.sums)), tree.iter());
        }
        let mut entries = match self.look.root {
            Some(root) => self.entries(tree, tree.walk_from(root, lineage), judge),
            None => self.entries(tree, tree.walk(lineage), judge),
        };
        for index in (0..entries.len()).rev() {
            let (kept, unfinished) = (entries[index].kept, !entries[index].is_finished());
            if let Some(parent) = entries[index].parent.filter(|_| kept) {
                let parent = &mut entries[parent as usize];
                parent.kept = true;
                parent.unfinished += u32::from(unfinished);
            }
        }
        let mut children = Children::of(&entries);
        self.crowds = Crowds::default();
        self.below_unknown = !self.sums.is_of(tree, lineage);
        let mut sequence = std::mem::take(&mut self.sequence);
        sequence.clear();
        self.ids.clear();
        let mut builder = Builder { rows: self, tree, entries, members: Vec::new() };
        let mut next: Id = 0;
        let mut pending: Vec<Pending> = Vec::new();
        builder.push_units(None, children.of_mut(None), (0, 0), &mut pending);
        while let Some((unit, depth, hidden)) = pending.pop() {
            let item = builder.item(unit, next);
            let folded = builder.is_folded(&item);
            let counted = matches!(unit, Unit::Entry(index) if builder.entries[index as usize].wanted);
            if !item.joined {
                builder.rows.ids.insert(item.key, next);
            }
            next = sequence.push(item, Place { depth, hidden, counted }) + 1;
            let below = (depth + 1, hidden + u32::from(folded));
            match unit {
                Unit::Entry(index) => {
                    builder.push_units(Some(index), children.of_mut(Some(index)), below, &mut pending)
                }
                Unit::Crowd(crowd) => builder.push_members(crowd, below, &mut pending),
            }
        }
        let rows = builder.rows;
        sequence.finish();
        rows.sequence = sequence;
        rows.unsorted = rows.stands_still();
        rows.ranked_by = rows.look.sort;
    }

    fn entries<'a>(&self, tree: &Tree, walk: impl Iterator<Item = Visit<'a>>, judge: &Judge<'_, '_>) -> Vec<Entry<'a>> {
        let entry = |Visit { process, parent, .. }: Visit<'a>| {
            let (wanted, matched) = self.judge(process, judge);
            let parent = parent.filter(|_| !self.look.flat).and_then(|parent| u32::try_from(parent).ok());
            Entry {
                process,
                key: process.key,
                alive: process.is_there(),
                rank: self.rank(tree, process),
                parent,
                matched,
                wanted,
                kept: wanted,
                unfinished: 0,
                crowd: None,
                share: Share::default(),
            }
        };
        walk.map(entry).collect()
    }
}

/// The kept children of each entry, and the kept roots, in order of birth.
struct Children {
    /// Where those of an entry begin; the roots come first.
    starts: Vec<u32>,
    indices: Vec<u32>,
}

impl Children {
    fn of(entries: &[Entry<'_>]) -> Self {
        let slot = |entry: &Entry<'_>| entry.parent.map_or(0, |parent| parent as usize + 1);
        let mut starts = vec![0_u32; entries.len() + 2];
        for entry in entries.iter().filter(|entry| entry.kept) {
            starts[slot(entry) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut indices = vec![0; starts.last().map_or(0, |&end| end as usize)];
        for (index, entry) in (0_u32..).zip(entries).filter(|(_, entry)| entry.kept) {
            let at = &mut next[slot(entry)];
            indices[*at as usize] = index;
            *at += 1;
        }
        Self { starts, indices }
    }

    fn of_mut(&mut self, parent: Option<u32>) -> &mut [u32] {
        let slot = parent.map_or(0, |parent| parent as usize + 1);
        &mut self.indices[self.starts[slot] as usize..self.starts[slot + 1] as usize]
    }
}

struct Builder<'a> {
    rows: &'a mut Rows,
    tree: &'a Tree,
    entries: Vec<Entry<'a>>,
    /// By the number of their crowd, the members of those crowds that have a row.
    members: Vec<Vec<u32>>,
}

impl Builder<'_> {
    /// Appends the children of an entry, or the roots, the last first.
    fn push_units(
        &mut self,
        parent: Option<u32>,
        children: &mut [u32],
        (depth, hidden): (u32, u32),
        pending: &mut Vec<Pending>,
    ) {
        self.sort(children);
        let crowds = parent.map_or_else(Vec::new, |parent| self.crowds(parent, children));
        let alone = children.iter().filter(|&&child| !self.has_row(child)).map(|&child| Unit::Entry(child));
        if crowds.is_empty() {
            pending.extend(alone.rev().map(|unit| (unit, depth, hidden)));
            return;
        }
        let mut units: Vec<(Order, Unit)> = alone.map(|unit| (self.order(unit), unit)).collect();
        units.extend(crowds.into_iter().map(|crowd| (self.order(Unit::Crowd(crowd)), Unit::Crowd(crowd))));
        units.sort_unstable_by_key(|(order, _)| *order);
        pending.extend(units.into_iter().rev().map(|(_, unit)| (unit, depth, hidden)));
    }

    fn push_members(&mut self, crowd: u32, (depth, hidden): (u32, u32), pending: &mut Vec<Pending>) {
        let members = std::mem::take(&mut self.members[crowd as usize]);
        pending.extend(members.into_iter().rev().map(|member| (Unit::Entry(member), depth, hidden)));
    }

    fn sort(&self, children: &mut [u32]) {
        let sort = self.rows.look.sort;
        // Children come in order of birth; all together do not.
        if self.rows.look.flat || sort != Sort::default() {
            children.sort_by_cached_key(|&child| self.order(Unit::Entry(child)));
        }
    }

    /// The crowds among the children that are large enough for a row.
    fn crowds(&mut self, parent: u32, children: &[u32]) -> Vec<u32> {
        let parent = self.entries[parent as usize].key;
        // Most have none, and to ask for those who have left takes a look into the tree.
        if children.is_empty() || !self.rows.may_have_crowds(self.tree, parent) {
            return Vec::new();
        }
        self.rows.crowds.keep_for(parent);
        let mut numbers = Vec::new();
        for &child in children {
            let entry = &mut self.entries[child as usize];
            if entry.is_finished() && self.rows.may_join(entry.key, entry.wanted) {
                entry.share = Share::of(entry.process, self.rows.known_totals(self.tree, entry.key), None);
                entry.crowd = self.rows.crowds.add(parent, entry.process, &entry.share);
                numbers.extend(entry.crowd);
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers.retain(|&number| self.rows.is_large(self.tree, number));
        let count = numbers.iter().max().map_or(0, |&most| most as usize + 1);
        self.members.resize(self.members.len().max(count), Vec::new());
        for &child in children {
            if let Some(crowd) = self.entries[child as usize].crowd
                && numbers.binary_search(&crowd).is_ok()
            {
                self.members[crowd as usize].push(child);
            }
        }
        numbers
    }

    fn has_row(&self, child: u32) -> bool {
        let crowd = self.entries[child as usize].crowd;
        crowd.and_then(|crowd| self.members.get(crowd as usize)).is_some_and(|members| !members.is_empty())
    }

    fn order(&self, unit: Unit) -> Order {
        match unit {
            Unit::Entry(index) => {
                let entry = &self.entries[index as usize];
                (entry.rank, entry.key.birth())
            }
            Unit::Crowd(crowd) => {
                let first = self.rows.crowds.summary(crowd).map_or((0, 0), |summary| summary.first.birth());
                (self.rows.joined_rank(self.tree, crowd), first)
            }
        }
    }

    /// The item of a unit that gets this id.
    fn item(&mut self, unit: Unit, id: Id) -> Item {
        let (rank, birth) = self.order(unit);
        match unit {
            Unit::Entry(index) => {
                let entry = &self.entries[index as usize];
                if let Some(crowd) = entry.crowd.filter(|_| !self.was_member(entry)) {
                    self.rows.crowds.wait(crowd, id);
                }
                Item {
                    key: entry.key,
                    rank,
                    matched: entry.matched,
                    finished: entry.is_finished(),
                    alive: entry.alive,
                    unfinished: entry.unfinished,
                    crowd: entry.crowd,
                    joined: false,
                    share: entry.share.clone(),
                }
            }
            Unit::Crowd(crowd) => {
                self.rows.crowds.set_row(crowd, id, birth);
                Item::joined(self.rows.crowds.parent(crowd), rank, crowd)
            }
        }
    }

    /// Whether its crowd has a row by now.
    fn was_member(&self, entry: &Entry<'_>) -> bool {
        entry.crowd.is_some_and(|crowd| self.rows.crowds.has_row(crowd))
    }

    fn is_folded(&self, item: &Item) -> bool {
        self.rows.folds.is_folded(item.id(&self.rows.crowds))
    }
}
