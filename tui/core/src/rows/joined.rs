//! Rows that stand for many: finished children of one process that had one name.
//!
//! A crowd counts the finished rows of one name under one parent. Once it is large enough, those who left the tree
//! counted in, it gets a row of its own between the parent and its members. Crowds are only kept for parents with
//! enough children to have one.

mod share;

use hashbrown::HashMap;
use rustc_hash::FxHashMap;

use super::sequence::Id;
use super::{Item, RowId, Rows};
use crate::event::{Comm, ProcKey};
use crate::facts::{Fact, Sort};
use crate::process::Process;
use crate::tree::{Summary, Tally, Totals, Tree};

pub(super) use share::Share;

#[derive(Clone, Debug)]
struct Crowd {
    parent: ProcKey,
    comm: Comm,
    /// Its row, if it is large enough for one.
    row: Option<Id>,
    members: u32,
    /// Those of the members that came before there was a row, and some that have left again.
    waiting: Vec<Id>,
    /// Of the members.
    sums: Option<Summary>,
    /// One left who may have been the one that lived longest.
    inexact: bool,
    /// The one left that started first.
    first_left: bool,
    /// Of those who have left the tree.
    departed: Option<Summary>,
    /// The birth by which its row was last placed.
    placed: (u64, u32),
    touched: bool,
}

/// All crowds.
#[derive(Clone, Debug, Default)]
pub(super) struct Crowds {
    list: Vec<Crowd>,
    free: Vec<u32>,
    /// Names are chosen by whoever runs processes, hence hashed with a random key.
    parents: FxHashMap<ProcKey, HashMap<Comm, u32>>,
    /// To be settled.
    touched: Vec<u32>,
}

impl Crowds {
    pub(super) fn comm(&self, crowd: u32) -> Comm {
        self.list[crowd as usize].comm
    }

    /// Of the members and those who have left the tree.
    pub(super) fn summary(&self, crowd: u32) -> Option<Summary> {
        let Crowd { sums, departed, .. } = &self.list[crowd as usize];
        sums.iter().chain(departed).copied().reduce(Summary::and)
    }

    pub(super) fn parent(&self, crowd: u32) -> ProcKey {
        self.list[crowd as usize].parent
    }

    /// Whether there may be any.
    pub(super) fn may_be(&self) -> bool {
        !self.parents.is_empty()
    }

    pub(super) fn has_row(&self, crowd: u32) -> bool {
        self.list[crowd as usize].row.is_some()
    }

    /// The birth by which its row was last placed.
    pub(super) fn placed(&self, crowd: u32) -> (u64, u32) {
        self.list[crowd as usize].placed
    }

    pub(super) fn row(&self, parent: ProcKey, comm: Comm) -> Option<Id> {
        self.list[*self.parents.get(&parent)?.get(&comm)? as usize].row
    }

    /// Forgets the crowds of a parent that has no rows below it any more.
    pub(super) fn forget(&mut self, parent: ProcKey) {
        for crowd in self.parents.remove(&parent).into_iter().flatten().map(|(_, crowd)| crowd) {
            self.release(crowd);
        }
    }

    /// To be settled: all those of a parent.
    pub(super) fn touch_all(&mut self, parent: ProcKey) {
        for crowd in self.parents.get(&parent).into_iter().flatten().map(|(_, &crowd)| crowd) {
            touch(&mut self.list, &mut self.touched, crowd);
        }
    }

    fn touch(&mut self, crowd: u32) {
        touch(&mut self.list, &mut self.touched, crowd);
    }

    /// The crowd of a name under a parent that has crowds.
    fn of(&mut self, parent: ProcKey, comm: Comm) -> Option<u32> {
        let Self { list, free, parents, .. } = self;
        let names = parents.get_mut(&parent)?;
        Some(*names.entry(comm).or_insert_with(|| {
            let crowd = Crowd {
                parent,
                comm,
                row: None,
                members: 0,
                waiting: Vec::new(),
                sums: None,
                inexact: false,
                first_left: false,
                departed: None,
                placed: (0, 0),
                touched: false,
            };
            if let Some(number) = free.pop() {
                list[number as usize] = crowd;
                return number;
            }
            list.push(crowd);
            u32::try_from(list.len() - 1).unwrap_or(u32::MAX)
        }))
    }

    fn release(&mut self, crowd: u32) {
        // A touch that is still to be settled finds it empty.
        let Crowd { row, members, waiting, .. } = &mut self.list[crowd as usize];
        (*row, *members) = (None, 0);
        *waiting = Vec::new();
        self.free.push(crowd);
    }
}

fn touch(list: &mut [Crowd], touched: &mut Vec<u32>, crowd: u32) {
    if !std::mem::replace(&mut list[crowd as usize].touched, true) {
        touched.push(crowd);
    }
}

impl Rows {
    /// Counts a finished row in the crowd of its parent and name, and joins it if that has a row.
    pub(super) fn join_crowd(&mut self, tree: &Tree, id: Id) {
        let Some(item) = self.sequence.get(id).filter(|item| item.finished && item.crowd.is_none()) else { return };
        if !self.may_join(item.key, self.sequence.is_counted(id)) {
            return;
        }
        let Some(parent) = self.parent_process(id) else { return };
        let Some(parent_key) = self.sequence.get(parent).map(|item| item.key) else { return };
        if !self.crowds.parents.contains_key(&parent_key) {
            return self.count_crowds(tree, parent_key);
        }
        self.count_in(tree, id, parent_key);
    }

    /// Whether a process may be joined with its siblings, once it is finished: it is not selected, nor above the one that
    /// is, and not there only for the sake of a match below it.
    pub(super) fn may_join(&self, key: ProcKey, wanted: bool) -> bool {
        let asked_for = self.look.filter.is_empty() || wanted;
        self.look.joins() && asked_for && !self.line_apart.contains(&key)
    }

    /// Whether a process has or had enough children that some of them might be joined.
    pub(super) fn may_have_crowds(&self, tree: &Tree, parent: ProcKey) -> bool {
        if !self.look.joins() {
            return false;
        }
        let lineage = self.look.lineage;
        let departed: u64 = tree.departed(parent, lineage).iter().map(|(_, summary)| summary.count).sum();
        tree.child_count(parent, lineage) as u64 + departed >= self.look.join_from as u64
    }

    /// Whether a crowd is large enough for a row; looks anew who of it has left the tree.
    pub(super) fn is_large(&mut self, tree: &Tree, number: u32) -> bool {
        let crowd = &mut self.crowds.list[number as usize];
        let departed = tree.departed(crowd.parent, self.look.lineage).iter();
        let departed = departed.filter(|_| self.look.filter.is_empty()).find(|(comm, _)| *comm == Some(crowd.comm));
        crowd.departed = departed.map(|(_, summary)| *summary);
        let count = u64::from(crowd.members) + crowd.departed.map_or(0, |departed| departed.count);
        crowd.members > 0 && count >= self.look.join_from as u64
    }

    fn count_in(&mut self, tree: &Tree, id: Id, parent: ProcKey) {
        let Some(key) = self.sequence.get(id).map(|item| item.key) else { return };
        let below = self.known_totals(tree, key);
        let Some(item) = self.sequence.get_mut(id) else { return };
        let Some(process) = tree.get(key) else { return };
        let share = Share::of(process, below, Some(&item.share));
        let Some(number) = self.crowds.add(parent, process, &share) else { return };
        (item.crowd, item.share) = (Some(number), share);
        let row = self.crowds.list[number as usize].row;
        if row.is_none() {
            self.crowds.wait(number, id);
        }
        self.crowds.touch(number);
        if let (Some(_), Some(order)) = (row, self.order(id)) {
            self.shift(id, row, order);
        }
    }

    /// Looks whether a parent has enough children to have crowds; if so, counts all that are finished, and looks at
    /// those of its crowds anew.
    pub(super) fn count_crowds(&mut self, tree: &Tree, parent: ProcKey) {
        if self.crowds.parents.contains_key(&parent) {
            return self.crowds.touch_all(parent);
        }
        let Some(&id) = self.ids.get(&parent) else { return };
        if !self.may_have_crowds(tree, parent) {
            return;
        }
        self.crowds.keep_for(parent);
        let children: Vec<Id> = self.children(id).collect();
        for child in children {
            let wanted = self.sequence.is_counted(child);
            if self.sequence.get(child).is_some_and(|item| item.finished && self.may_join(item.key, wanted)) {
                self.count_in(tree, child, parent);
            }
        }
    }

    /// The rows right below one.
    fn children(&self, id: Id) -> impl Iterator<Item = Id> {
        let depth = self.sequence.depth(id) + 1;
        let is_child = move |id: &Id| self.sequence.depth(*id) == depth;
        let first = self.sequence.next(id).filter(is_child);
        std::iter::successors(first, move |&child| self.sequence.end(child).filter(is_child))
    }

    /// Counts a row out of its crowd; it stays where it is.
    pub(super) fn leave_crowd(&mut self, tree: &Tree, id: Id) {
        let Some(item) = self.sequence.get_mut(id).filter(|item| !item.joined) else { return };
        let Some(number) = item.crowd.take() else { return };
        let share = item.share.summary(item.key);
        let crowd = &mut self.crowds.list[number as usize];
        crowd.members -= 1;
        let names = tree.departed(crowd.parent, self.look.lineage);
        let departed = self.look.filter.is_empty() && tree.get(share.first).is_none();
        let counted = departed && names.iter().any(|(comm, _)| *comm == Some(crowd.comm));
        if let Some(sums) = &mut crowd.sums {
            crowd.inexact |= !counted && sums.longest_ns == share.longest_ns;
            crowd.first_left |= !counted && sums.first == share.first;
            // From a sum that was cut off at the top, nothing can be taken away.
            crowd.inexact |= sums.cpu_ns == u64::MAX || sums.all.is_cut_off();
            sums.count -= share.count;
            sums.failed -= share.failed;
            sums.cpu_ns = sums.cpu_ns.saturating_sub(share.cpu_ns);
            sums.all = sums.all.without(share.all);
        }
        self.crowds.touch(number);
    }

    /// What a subtree comes to, if that is known at the moment. Hardly any process reads and writes nothing, so bytes are left out
    /// unless somebody wants to know them: each member that has any takes more memory.
    pub(super) fn known_totals(&self, tree: &Tree, key: ProcKey) -> Option<Totals> {
        let totals = self.sums.get(tree, key).filter(|_| self.sums.is_of(tree, self.look.lineage))?;
        let tally = Tally { read_bytes: 0, write_bytes: 0, ..totals.tally };
        Some(if self.keeps_sums() { totals } else { Totals { tally, ..totals } })
    }

    /// Counts what is below the members of joined rows as it was summed up last.
    pub(super) fn recount_below(&mut self, tree: &Tree) {
        #[cfg(test)]
        (self.passes[1] += 1);
        let rows: Vec<(u32, Id)> =
            (0..).zip(&self.crowds.list).filter_map(|(number, crowd)| Some((number, crowd.row?))).collect();
        for (number, row) in rows {
            let members: Vec<Id> = self.children(row).collect();
            for id in members {
                let Some(key) = self.sequence.get(id).map(|item| item.key) else { continue };
                let below = self.known_totals(tree, key);
                let Some(item) = self.sequence.get_mut(id) else { continue };
                let Some(process) = tree.get(key) else { continue };
                let share = Share::of(process, below, Some(&item.share));
                let old = std::mem::replace(&mut item.share, share).all();
                let crowd = &mut self.crowds.list[number as usize];
                if let Some(sums) = crowd.sums.as_mut().filter(|_| item.share.all() != old) {
                    crowd.inexact |= sums.all.is_cut_off();
                    sums.all = sums.all.without(old).and(item.share.all());
                    self.crowds.touch(number);
                }
            }
        }
    }

    /// Puts a row that has left its crowd back among its siblings.
    pub(super) fn stand_alone(&mut self, id: Id) {
        let (above, parent) = (self.sequence.parent(id), self.parent_process(id));
        if let Some(order) = self.order(id).filter(|_| above != parent) {
            self.shift(id, parent, order);
        }
    }

    /// Gives the touched crowds the rows that they are large enough for, and takes others away.
    pub(super) fn settle_crowds(&mut self, tree: &Tree) {
        while let Some(number) = self.crowds.touched.pop() {
            let crowd = &mut self.crowds.list[number as usize];
            crowd.touched = false;
            if crowd.members == 0 {
                crowd.sums = None;
            }
            let row = crowd.row;
            match (row, self.is_large(tree, number)) {
                (None, true) => self.form(tree, number),
                (Some(row), true) => self.keep(tree, number, row),
                (Some(row), false) => self.dissolve(tree, row),
                (None, false) => {}
            }
            let crowd = &self.crowds.list[number as usize];
            if crowd.members == 0 && crowd.row.is_none() {
                let (parent, comm) = (crowd.parent, crowd.comm);
                if let Some(names) = self.crowds.parents.get_mut(&parent)
                    && names.get(&comm) == Some(&number)
                {
                    names.remove(&comm);
                    self.crowds.release(number);
                }
            } else if crowd.waiting.len() > 2 * crowd.members as usize + 16 {
                self.waiting(number, None);
            }
        }
    }

    /// Where a joined row stands.
    pub(super) fn joined_rank(&self, tree: &Tree, number: u32) -> super::Rank {
        let Crowd { parent, comm, .. } = self.crowds.list[number as usize];
        let uid = tree.get(parent).map_or(0, |process| process.creds().uid);
        let summary = self.crowds.summary(number);
        summary.map_or([0, 0], |summary| self.look.sort.joined_rank(&summary, comm, uid))
    }

    /// Gives a crowd its row, and moves its members below it.
    fn form(&mut self, tree: &Tree, number: u32) {
        self.make_exact(number, None);
        let parent = self.crowds.list[number as usize].parent;
        let Some(&parent_id) = self.ids.get(&parent) else { return };
        let Some(first) = self.crowds.summary(number).map(|summary| summary.first) else { return };
        let rank = self.joined_rank(tree, number);
        let item = Item::joined(parent, rank, number);
        self.crowds.list[number as usize].placed = first.birth();
        let row = self.insert(Some(parent_id), item, (rank, first.birth()), false);
        self.crowds.list[number as usize].row = Some(row);
        for id in self.waiting(number, Some(row)) {
            if let Some(order) = self.order(id) {
                self.shift(id, Some(row), order);
            }
        }
    }

    /// Those who wait for a row, or have waited.
    fn waiting(&mut self, number: u32, row: Option<Id>) -> Vec<Id> {
        let mut waiting = std::mem::take(&mut self.crowds.list[number as usize].waiting);
        waiting.sort_unstable();
        waiting.dedup();
        waiting.retain(|&id| self.sequence.get(id).is_some_and(|item| item.crowd == Some(number) && !item.joined));
        if row.is_none() {
            self.crowds.list[number as usize].waiting.clone_from(&waiting);
        }
        waiting
    }

    /// Brings a joined row up to date.
    fn keep(&mut self, tree: &Tree, number: u32, row: Id) {
        self.make_exact(number, Some(row));
        let rank = self.joined_rank(tree, number);
        let by = self.look.sort.by;
        let Some(birth) = self.crowds.summary(number).map(|summary| summary.first.birth()) else { return };
        let placed = &mut self.crowds.list[number as usize].placed;
        let Some(item) = self.sequence.get_mut(row) else { return };
        if (item.rank, *placed) == (rank, birth) {
            return;
        }
        if self.held && (by.is_volatile() || by == Fact::Lifetime) {
            self.unsorted = true;
        } else {
            (item.rank, *placed) = (rank, birth);
            self.rearrange(row);
        }
    }

    /// Looks through the members for the first and for the one that lived longest, if need be. Those who have left the
    /// tree do not count here: they are among the departed.
    fn make_exact(&mut self, number: u32, row: Option<Id>) {
        let Crowd { inexact, first_left, .. } = self.crowds.list[number as usize];
        if !inexact && !first_left {
            return;
        }
        // Where they stand in order of birth, the next one is the first now.
        let next = row.filter(|_| !inexact && self.look.sort == Sort::default());
        if let Some(first) = next.and_then(|row| self.sequence.next(row)).and_then(|id| self.sequence.get(id)) {
            let crowd = &mut self.crowds.list[number as usize];
            crowd.first_left = false;
            if let Some(sums) = &mut crowd.sums {
                sums.first = first.key;
            }
            return;
        }
        let members = match row {
            Some(row) => self.children(row).collect(),
            None => self.waiting(number, None),
        };
        let shares = members.into_iter().filter_map(|id| self.sequence.get(id));
        let sums = shares.map(|item| item.share.summary(item.key)).reduce(Summary::and);
        let crowd = &mut self.crowds.list[number as usize];
        (crowd.sums, crowd.inexact, crowd.first_left) = (sums, false, false);
    }

    /// Lets the members stand alone, and takes the row out.
    fn dissolve(&mut self, tree: &Tree, row: Id) {
        let parent = self.sequence.parent(row);
        let members: Vec<Id> = self.children(row).collect();
        for id in members {
            self.stand_alone(id);
            if let Some(crowd) = self.sequence.get(id).and_then(|item| item.crowd) {
                self.crowds.list[crowd as usize].waiting.push(id);
            }
        }
        self.remove_joined(row);
        self.prune(tree, parent);
    }

    /// Takes out a joined row without members.
    pub(super) fn remove_joined(&mut self, row: Id) {
        if let Some(id) = self.id(row) {
            self.folds.forget(id);
        }
        if let Some(crowd) = self.sequence.remove(row).and_then(|item| item.crowd) {
            self.crowds.list[crowd as usize].row = None;
            self.crowds.touch(crowd);
        }
    }
}

impl Item {
    /// What its row stands for.
    pub(super) fn id(&self, crowds: &Crowds) -> RowId {
        match self.crowd.filter(|_| self.joined) {
            Some(crowd) => RowId::Joined { parent: self.key, comm: crowds.comm(crowd) },
            None => RowId::Process(self.key),
        }
    }

    /// A joined row.
    pub(super) fn joined(parent: ProcKey, rank: super::Rank, crowd: u32) -> Self {
        Self {
            key: parent,
            rank,
            matched: true,
            finished: true,
            alive: false,
            unfinished: 0,
            crowd: Some(crowd),
            joined: true,
            share: Share::default(),
        }
    }
}

/// What a build and the upkeep share.
impl Crowds {
    /// A parent has enough children to have crowds.
    pub(super) fn keep_for(&mut self, parent: ProcKey) {
        self.parents.entry(parent).or_default();
    }

    /// Counts a finished child of such a parent; the number of its crowd.
    pub(super) fn add(&mut self, parent: ProcKey, process: &Process, share: &Share) -> Option<u32> {
        let number = self.of(parent, *process.comm())?;
        let crowd = &mut self.list[number as usize];
        let own = share.summary(process.key);
        crowd.members += 1;
        crowd.sums = Some(crowd.sums.map_or(own, |sums| sums.and(own)));
        Some(number)
    }

    /// Its row, and the birth by which that was placed.
    pub(super) fn set_row(&mut self, number: u32, row: Id, placed: (u64, u32)) {
        let crowd = &mut self.list[number as usize];
        (crowd.row, crowd.placed) = (Some(row), placed);
    }

    /// One that waits for a row.
    pub(super) fn wait(&mut self, number: u32, id: Id) {
        self.list[number as usize].waiting.push(id);
    }
}
