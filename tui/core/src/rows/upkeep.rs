//! Bringing the rows up to date with what was noted of the tree.
//!
//! Each noted process is compared with the tree as it is now, not as it was when the note was taken, so that a process
//! that came and went between two frames costs next to nothing. Those that left the tree come first, the youngest of
//! them before their parents; the others from the oldest on, so that parents stand where they belong before their
//! children are looked at.

use super::joined::Share;
use super::{Item, Order, Rows, order_in};
use crate::event::ProcKey;
use crate::facts::{Context, Fact, Rank, Reader};
use crate::filter::Judge;
use crate::process::Process;
use crate::rows::sequence::{Id, Place};
use crate::tree::{Sums, Tree};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// With fewer notes, or fewer than a quarter of the rows, each is followed; with more, everything is built anew.
const BUILD_FROM: usize = if cfg!(test) { 40 } else { 4000 };

impl Rows {
    /// Brings the rows up to date; `user` names a uid for the filter.
    pub fn refresh<'u>(&mut self, tree: &Tree, user: impl Fn(u32) -> &'u str) {
        let due = self.are_sums_due();
        self.sum_up(tree, due);
        self.follow_tree(tree, user);
        if self.tells_below() {
            let unknown = std::mem::take(&mut self.below_unknown);
            if unknown && !self.sums.is_of(tree, self.look.lineage) {
                self.sum(tree);
            }
            if unknown || due {
                self.recount_below(tree);
                self.settle_crowds(tree);
            }
        } else if !self.keeps_sums() && !self.sums.is_empty() {
            (self.sums, self.below_unknown) = (Arc::default(), true);
        }
    }

    fn follow_tree<'u>(&mut self, tree: &Tree, user: impl Fn(u32) -> &'u str) {
        self.set_line_apart(tree);
        let filter = self.look.filter.clone();
        let user = |uid| user(uid);
        let sums = Arc::clone(&self.sums);
        let judge = filter.judge(Context { user: &user, ..self.context(tree, &sums) });
        // By one of these, the verdict on any other may change as well.
        self.misplaced |= filter.depends().place && !self.noted.is_empty();
        if self.aged {
            (self.aged, self.misplaced, self.judged_ns) = (false, false, self.look.now_ns);
            self.judge_all(tree);
        }
        let resort = self.unsorted && !self.held;
        self.stale |=
            self.noted.iter().any(|&key| self.orphans_rows(tree, key)) || self.places.is_crowded() && !self.held;
        if self.stale || resort || self.noted.len() > BUILD_FROM.max(self.ids.len() / 4) {
            self.noted.clear();
            self.bereaved.clear();
            self.unsorted = false;
            self.build(tree, &judge);
            self.judged_ns = self.look.now_ns;
            (self.stale, self.misplaced) = (false, false);
            return;
        }
        self.outside.clear();
        let mut noted = std::mem::take(&mut self.noted);
        // A fork counts for its forker, of whom nothing else is told.
        if self.look.sort.by == Fact::Spawned {
            let forkers: Vec<_> = noted.iter().filter_map(|&key| Some(tree.get(key)?.forker())).collect();
            noted.extend(forkers);
        }
        if self.look.sort.by == Fact::Children {
            let parent = |&key: &ProcKey| Some(tree.parent(key, self.look.lineage)?.key);
            let parents: Vec<_> = noted.iter().filter_map(parent).collect();
            noted.extend(parents);
        }
        noted.sort_unstable_by_key(|key| key.birth());
        noted.dedup();
        for &key in noted.iter().rev().filter(|&&key| tree.get(key).is_none()) {
            self.drop(tree, key);
        }
        for &key in &noted {
            if let Some(process) = tree.get(key) {
                self.follow(tree, process, &judge);
            }
        }
        noted.clear();
        self.noted = noted;
        let mut bereaved = std::mem::take(&mut self.bereaved);
        bereaved.sort_unstable_by_key(|key| key.birth());
        bereaved.dedup();
        for &parent in &bereaved {
            self.count_crowds(tree, parent);
        }
        bereaved.clear();
        self.bereaved = bereaved;
        self.settle_crowds(tree);
    }

    /// Sums subtrees up, if it is time to; a sort by the sums is carried out anew then, unless it is held. What joined
    /// rows tell can wait for that time, unless they are made anew.
    fn sum_up(&mut self, tree: &Tree, due: bool) {
        let needed = self.keeps_sums() || self.stale && self.tells_below();
        if due || needed && !self.sums.is_of(tree, self.look.lineage) {
            self.sum(tree);
            if self.look.sort.by.is_sum() {
                self.stale |= !self.held;
                self.unsorted |= self.held;
            }
            if self.look.filter.depends().sums {
                self.judge_all(tree);
            }
        }
    }

    fn sum(&mut self, tree: &Tree) {
        Arc::make_mut(&mut self.sums).refresh(tree, self.look.lineage);
        (self.summed_ns, self.summed_len) = (self.look.now_ns, tree.len());
        (self.sums_are_old, self.measured_since) = (false, false);
        #[cfg(test)]
        (self.passes[0] += 1);
    }

    /// Judges all anew: nothing tells whose verdict is another.
    fn judge_all(&mut self, tree: &Tree) {
        self.stale |= !self.held;
        self.noted.extend(tree.iter().map(|process| process.key).filter(|_| self.held));
    }

    /// What facts are read from; no rank goes by the name of a user.
    pub(super) fn context<'a>(&self, tree: &'a Tree, sums: &'a Sums) -> Context<'a> {
        Context { tree, lineage: self.look.lineage, now_ns: self.look.now_ns, user: &|_| "", sums: Some(sums) }
    }

    /// Where it stands by what is known now.
    pub(super) fn rank_now(&self, tree: &Tree, process: &Process) -> Rank {
        // Siblings are equally deep.
        if self.look.sort.by == Fact::Depth && !self.look.flat {
            return Rank::default();
        }
        self.look.sort.rank(&Reader::new(self.context(tree, &self.sums)), process, &self.places)
    }

    /// Finds the ancestors of the one that is not to be joined: those that could be joined are dead, up to the first that
    /// lives.
    fn set_line_apart(&mut self, tree: &Tree) {
        let selected = self.apart.filter(|_| self.look.join_from > 0).and_then(|key| tree.get(key));
        let above = selected.into_iter().flat_map(|process| tree.ancestors(process.key, self.look.lineage));
        let dead = above.take_while(|process| !process.is_there());
        let line: FxHashSet<_> = selected.into_iter().chain(dead).map(|process| process.key).collect();
        if line != self.line_apart {
            self.noted.extend(line.symmetric_difference(&self.line_apart));
            self.line_apart = line;
        }
        self.apart_is_new = false;
    }

    /// Whether filter and switches ask for it, and whether the filter does.
    pub(super) fn judge(&self, process: &Process, judge: &Judge<'_, '_>) -> (bool, bool) {
        let look = &self.look;
        let shown = (look.kernel || !process.is_kernel()) && (look.dead || process.is_there());
        let matched = judge.matches(process);
        (shown && matched, matched)
    }

    /// Whether one has left the tree that had rows below it, while a subtree is looked at: they may not belong to it
    /// any more. In a flat look that cannot be told from the rows.
    fn orphans_rows(&self, tree: &Tree, key: ProcKey) -> bool {
        let is_parent = || self.ids.get(&key).is_some_and(|&id| self.sequence.is_parent(id));
        self.look.root.is_some() && tree.get(key).is_none() && (self.look.flat || is_parent())
    }

    /// Whether it belongs to the subtree that is looked at.
    fn is_inside(&mut self, tree: &Tree, key: ProcKey) -> bool {
        let Some(root) = self.look.root else { return true };
        let above = tree.ancestors(key, self.look.lineage).map(|process| process.key);
        let mut passed = Vec::new();
        for key in std::iter::once(key).chain(above) {
            if key == root || self.ids.contains_key(&key) {
                return true;
            }
            if self.outside.contains(&key) {
                break;
            }
            passed.push(key);
        }
        self.outside.extend(passed);
        false
    }

    /// The parent, if the process is not a root of what is looked at.
    fn parent_in<'t>(&self, tree: &'t Tree, key: ProcKey) -> Option<&'t Process> {
        tree.parent(key, self.look.lineage).filter(|_| !self.look.flat && self.look.root != Some(key))
    }

    /// One has left the tree.
    fn drop(&mut self, tree: &Tree, key: ProcKey) {
        let Some(&id) = self.ids.get(&key) else { return };
        // What is still below it has another parent by now, or none.
        while self.ids.contains_key(&key) && self.sequence.is_parent(id) {
            let Some(below) = self.sequence.next(id) else { break };
            if self.is_joined(below) && !self.sequence.is_parent(below) {
                self.remove_joined(below);
                continue;
            }
            let child = if self.is_joined(below) { self.sequence.next(below) } else { Some(below) };
            let Some(child) = child else { break };
            let parent = self.sequence.get(child).and_then(|item| self.admitted_parent(tree, item.key));
            self.hang(tree, child, parent);
        }
        // The last of them may have taken it along, if it was there for their sake alone.
        if self.ids.contains_key(&key) {
            self.take_out(tree, id);
        }
    }

    /// One is in the tree, and something about it may have changed.
    fn follow(&mut self, tree: &Tree, process: &Process, judge: &Judge<'_, '_>) {
        let (wanted, matched) = self.judge(process, judge);
        let key = process.key;
        let id = match self.ids.get(&key).copied() {
            None if !wanted || !self.is_inside(tree, key) => return,
            None => self.admit(tree, key, judge),
            Some(id) if !wanted && !self.sequence.is_parent(id) => return self.take_out(tree, id),
            Some(id) => {
                self.place(tree, id, process, judge);
                Some(id)
            }
        };
        let Some(id) = id else { return };
        self.sequence.count(id, wanted);
        let Some(item) = self.sequence.get_mut(id) else { return };
        item.matched = matched;
        item.alive = process.is_there();
        self.recount(tree, id);
        self.reconsider(tree, id, process);
    }

    /// Puts one where it belongs by its parent and its rank.
    fn place(&mut self, tree: &Tree, id: Id, process: &Process, judge: &Judge<'_, '_>) {
        let parent = self.parent_in(tree, process.key).map(|parent| parent.key);
        let parent =
            parent.and_then(|parent| self.ids.get(&parent).copied().or_else(|| self.admit(tree, parent, judge)));
        let sort = self.look.sort;
        let rank = self.rank_now(tree, process);
        let Some(item) = self.sequence.get_mut(id) else { return };
        let moved = item.rank != rank;
        if moved && self.held && sort.by.is_volatile() {
            self.unsorted = true;
        } else {
            item.rank = rank;
        }
        if self.parent_process(id) != parent {
            self.hang(tree, id, parent);
        } else if moved && !(self.held && sort.by.is_volatile()) {
            self.rearrange(id);
        }
    }

    /// Puts a row among its siblings where its rank says, unless it stands there.
    pub(super) fn rearrange(&mut self, id: Id) {
        let depth = self.sequence.depth(id);
        let sibling = |id: &Id| self.sequence.depth(*id) == depth;
        let before = self.sequence.last_within(Some(id), depth).filter(sibling).and_then(|id| self.order(id));
        let after = self.sequence.end(id).filter(sibling).and_then(|id| self.order(id));
        let Some(own) = self.order(id) else { return };
        if before.is_none_or(|before| before < own) && after.is_none_or(|after| own < after) {
            return;
        }
        let parent = self.sequence.parent(id);
        self.shift(id, parent, own);
    }

    /// Moves a subtree under a row, or to the roots.
    pub(super) fn shift(&mut self, id: Id, parent: Option<Id>, order: Order) {
        let (depth, hidden) = self.below(parent);
        let crowds = &self.crowds;
        self.sequence.shift(id, |sequence| {
            let after = |sibling: Id| order_in(sequence, crowds, sibling).is_some_and(|sibling| sibling > order);
            (sequence.partition(parent, after), depth, hidden)
        });
    }

    /// Depth and hiding of what hangs under a row.
    fn below(&self, parent: Option<Id>) -> (u32, u32) {
        let Some(parent) = parent else { return (0, 0) };
        let folded = self.id(parent).is_some_and(|id| self.folds.is_folded(id));
        (self.sequence.depth(parent) + 1, self.sequence.hidden(parent) + u32::from(folded))
    }

    /// Puts a new row under another, or among the roots.
    pub(super) fn insert(&mut self, parent: Option<Id>, item: Item, order: Order, counted: bool) -> Id {
        let (depth, hidden) = self.below(parent);
        let after = |sibling: Id| self.order(sibling).is_some_and(|sibling| sibling > order);
        let before = self.sequence.partition(parent, after);
        self.sequence.insert(before, item, Place { depth, hidden, counted })
    }

    /// Gives a process a row, and its ancestors first, from the oldest that has none.
    fn admit(&mut self, tree: &Tree, key: ProcKey, judge: &Judge<'_, '_>) -> Option<Id> {
        let line = std::iter::successors(tree.get(key), |process| self.parent_in(tree, process.key));
        let missing: Vec<&Process> = line.take_while(|process| !self.ids.contains_key(&process.key)).collect();
        let oldest = missing.last()?;
        let mut parent = self.admitted_parent(tree, oldest.key);
        for process in missing.into_iter().rev() {
            let (wanted, matched) = self.judge(process, judge);
            let rank = self.rank_now(tree, process);
            let item = Item {
                key: process.key,
                rank,
                matched,
                finished: false,
                alive: process.is_there(),
                unfinished: 0,
                crowd: None,
                joined: false,
                share: Share::default(),
            };
            let id = self.insert(parent, item, (rank, process.key.birth()), wanted);
            self.ids.insert(process.key, id);
            self.count_unfinished(tree, parent, true);
            // From below upwards, so that nobody is finished before his children are there.
            parent = Some(id);
        }
        let id = parent?;
        self.recount(tree, id);
        Some(id)
    }

    /// The row of the parent of a process, if it has one already.
    fn admitted_parent(&self, tree: &Tree, key: ProcKey) -> Option<Id> {
        self.ids.get(&self.parent_in(tree, key)?.key).copied()
    }

    /// Hangs a row of a process under that of another, or among the roots.
    fn hang(&mut self, tree: &Tree, id: Id, parent: Option<Id>) {
        let old = self.parent_process(id);
        self.leave_crowd(tree, id);
        let Some(order) = self.order(id) else { return };
        self.shift(id, parent, order);
        if !self.is_finished(id) {
            self.count_unfinished(tree, old, false);
            self.count_unfinished(tree, parent, true);
        }
        self.prune(tree, old);
        self.join_crowd(tree, id);
    }

    /// Takes out a row that has none below it, and those above that were there for its sake alone.
    fn take_out(&mut self, tree: &Tree, id: Id) {
        let mut next = Some(id);
        while let Some(id) = next {
            let parent = self.parent_process(id);
            let finished = self.is_finished(id);
            self.leave_crowd(tree, id);
            let Some(item) = self.sequence.remove(id) else { return };
            self.ids.remove(&item.key);
            self.crowds.forget(item.key);
            if !finished {
                self.count_unfinished(tree, parent, false);
            }
            next = parent.filter(|&parent| self.is_idle(parent));
        }
    }

    /// Takes out a row that is there for nobody's sake.
    pub(super) fn prune(&mut self, tree: &Tree, id: Option<Id>) {
        if let Some(id) = id.filter(|&id| self.is_idle(id)) {
            self.take_out(tree, id);
        }
    }

    fn is_idle(&self, id: Id) -> bool {
        !self.sequence.is_counted(id) && !self.sequence.is_parent(id)
    }

    // Who is finished.

    fn is_finished(&self, id: Id) -> bool {
        self.sequence.get(id).is_some_and(|item| item.finished)
    }

    fn is_joined(&self, id: Id) -> bool {
        self.sequence.get(id).is_some_and(|item| item.joined)
    }

    /// The row of the process that this one hangs under, be it joined with its siblings or not.
    pub(super) fn parent_process(&self, id: Id) -> Option<Id> {
        let parent = self.sequence.parent(id)?;
        if self.is_joined(parent) { self.sequence.parent(parent) } else { Some(parent) }
    }

    fn count_unfinished(&mut self, tree: &Tree, parent: Option<Id>, more: bool) {
        let Some(item) = parent.and_then(|parent| self.sequence.get_mut(parent)) else { return };
        item.unfinished = if more { item.unfinished + 1 } else { item.unfinished - 1 };
        if let Some(parent) = parent {
            self.recount(tree, parent);
        }
    }

    /// Says anew whether one is finished, and as far up as that changes it whether its ancestors are.
    pub(super) fn recount(&mut self, tree: &Tree, id: Id) {
        let mut next = Some(id);
        while let Some(id) = next {
            let Some(item) = self.sequence.get_mut(id) else { return };
            let finished = !item.alive && item.unfinished == 0;
            if std::mem::replace(&mut item.finished, finished) == finished {
                return;
            }
            if finished {
                self.join_crowd(tree, id);
            } else {
                self.leave_crowd(tree, id);
                self.stand_alone(id);
            }
            next = self.parent_process(id);
            if let Some(parent) = next.and_then(|parent| self.sequence.get_mut(parent)) {
                parent.unfinished = if finished { parent.unfinished - 1 } else { parent.unfinished + 1 };
            }
        }
    }

    /// Of a finished one, joins it or lets it stand alone as the selection wants it, and counts it as it is now.
    fn reconsider(&mut self, tree: &Tree, id: Id, process: &Process) {
        if matches!(self.look.sort.by, Fact::User | Fact::Uid) {
            self.crowds.touch_all(process.key);
        }
        if !self.is_finished(id) {
            return;
        }
        let old = self.sequence.get(id).map(|item| &item.share);
        let share = Share::of(process, self.known_totals(tree, process.key), old);
        let counted = self.sequence.get(id).is_some_and(|item| item.crowd.is_some() && item.share == share);
        if !counted || !self.may_join(process.key, self.sequence.is_counted(id)) {
            self.leave_crowd(tree, id);
            self.stand_alone(id);
            self.join_crowd(tree, id);
        }
    }
}
