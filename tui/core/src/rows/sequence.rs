//! A long sequence of items that form a forest, each with its depth, some of them hidden: the order-statistics tree
//! below the visible rows.
//!
//! The items stand in the order of a depth-first walk, so that a subtree is a run of neighbours: it ends where the next
//! item of no greater depth stands. To find that place, the n-th visible item or the place of an item, to hide a whole
//! subtree or to move it elsewhere takes time logarithmic in the length, however deep or broad the forest is.
//!
//! A randomised binary search tree: what is joined gets a root drawn in proportion to the sizes. Sums and minima are
//! kept per subtree of it, and what is added to a whole run is noted at its root and passed down when somebody comes by.
//! Does not know what the items are.

mod parts;

/// Name of an item: stays the same until it is removed.
pub(super) type Id = u32;

/// No item.
const NIL: Id = Id::MAX;

#[derive(Clone, Debug)]
struct Node<T> {
    item: T,
    parent: Id,
    left: Id,
    right: Id,
    /// Items in this part of the search tree.
    size: u32,
    depth: u32,
    /// The least depth in this part.
    least_depth: u32,
    /// To be added, wrapping, to the depths in both parts below.
    deepen: u32,
    /// How many times it is hidden; visible at 0.
    hidden: u32,
    /// The least such number in this part, and how many have it.
    least_hidden: u32,
    least_count: u32,
    /// To be added, wrapping, to these numbers in both parts below.
    hide: u32,
    counted: bool,
    /// Counted items in this part.
    counted_sum: u32,
}

impl<T> Node<T> {
    /// The part with the items behind this one, or that with those before it.
    const fn part(&self, ahead: bool) -> Id {
        if ahead { self.right } else { self.left }
    }
}

/// What an item is put in with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) depth: u32,
    /// How many times it is hidden.
    pub(super) hidden: u32,
    /// Whether [`Sequence::counted_below`] counts it.
    pub(super) counted: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Sequence<T> {
    nodes: Vec<Node<Option<T>>>,
    free: Vec<Id>,
    root: Id,
    random: u64,
    /// How often a node was looked at.
    #[cfg(test)]
    pub(super) steps: std::cell::Cell<u64>,
}

impl<T> Default for Sequence<T> {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            free: Vec::new(),
            root: NIL,
            random: 0x9e37_79b9_7f4a_7c15,
            #[cfg(test)]
            steps: std::cell::Cell::default(),
        }
    }
}

impl<T> Sequence<T> {
    /// Begins anew, to be filled by [`Sequence::push`] and brought into order by [`Sequence::finish`]. The memory is kept.
    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.free.clear();
        self.root = NIL;
    }

    /// The next item after a clearing; ids count from 0.
    pub(super) fn push(&mut self, item: T, place: Place) -> Id {
        self.allocate(item, place)
    }

    /// After the last push.
    pub(super) fn finish(&mut self) {
        self.root = self.balance(0, self.nodes.len());
    }

    /// Items that are not hidden.
    pub(super) fn visible(&self) -> usize {
        self.visible_in(self.root, 0) as usize
    }

    /// Counted items.
    pub(super) fn counted(&self) -> u32 {
        self.node(self.root).map_or(0, |node| node.counted_sum)
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node<Option<T>>>() + self.free.capacity() * size_of::<Id>()
    }

    pub(super) fn get(&self, id: Id) -> Option<&T> {
        self.node(id)?.item.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        self.nodes.get_mut(id as usize)?.item.as_mut()
    }

    pub(super) fn depth(&self, id: Id) -> u32 {
        self.node(id).map_or(0, |node| node.depth.wrapping_add(self.pending(id).0))
    }

    /// How many times it is hidden.
    pub(super) fn hidden(&self, id: Id) -> u32 {
        self.node(id).map_or(0, |node| node.hidden.wrapping_add(self.pending(id).1))
    }

    pub(super) fn is_counted(&self, id: Id) -> bool {
        self.node(id).is_some_and(|node| node.counted)
    }

    /// The first item.
    pub(super) fn first(&self) -> Option<Id> {
        (self.root != NIL).then(|| self.leftmost(self.root))
    }

    /// The item behind this one.
    pub(super) fn next(&self, id: Id) -> Option<Id> {
        let right = self.node(id)?.right;
        if right != NIL {
            return Some(self.leftmost(right));
        }
        let mut child = id;
        loop {
            let parent = self.node(child)?.parent;
            if self.node(parent)?.left == child {
                return Some(parent);
            }
            child = parent;
        }
    }

    /// The visible item with this many visible ones before it.
    pub(super) fn nth_visible(&self, mut n: usize) -> Option<Id> {
        let (mut id, mut hide) = (self.root, 0_u32);
        loop {
            let node = self.node(id)?;
            let below = hide.wrapping_add(node.hide);
            let left = self.visible_in(node.left, below) as usize;
            if n < left {
                id = node.left;
            } else {
                n -= left;
                if node.hidden.wrapping_add(hide) == 0 {
                    if n == 0 {
                        return Some(id);
                    }
                    n -= 1;
                }
                id = node.right;
            }
            hide = below;
        }
    }

    /// Visible items before this one.
    pub(super) fn visible_before(&self, id: Id) -> usize {
        let Some(node) = self.node(id) else { return 0 };
        let mut hide = self.pending(id).1;
        let mut count = self.visible_in(node.left, hide.wrapping_add(node.hide));
        let mut child = id;
        while let Some(parent) = self.node(self.nodes[child as usize].parent) {
            let below = hide;
            hide = hide.wrapping_sub(parent.hide);
            if parent.right == child {
                count += self.visible_in(parent.left, below) + u32::from(parent.hidden.wrapping_add(hide) == 0);
            }
            child = self.nodes[child as usize].parent;
        }
        count as usize
    }

    /// Counted items in the subtree of this one, itself left out.
    pub(super) fn counted_below(&self, id: Id) -> u32 {
        let end = self.end(id).map_or(self.counted(), |end| self.counted_before(end));
        end - self.counted_before(id) - u32::from(self.is_counted(id))
    }

    /// The first item behind the subtree of this one.
    pub(super) fn end(&self, id: Id) -> Option<Id> {
        self.nearest_within::<true>(id, self.depth(id))
    }

    /// The item that this one hangs under.
    pub(super) fn parent(&self, id: Id) -> Option<Id> {
        self.last_within(Some(id), self.depth(id).checked_sub(1)?)
    }

    /// Whether it has items below it.
    pub(super) fn is_parent(&self, id: Id) -> bool {
        self.next(id).is_some_and(|next| self.depth(next) > self.depth(id))
    }

    /// The last item before this one, or of all, that is no deeper than `depth`.
    pub(super) fn last_within(&self, before: Option<Id>, depth: u32) -> Option<Id> {
        match before {
            Some(id) => self.nearest_within::<false>(id, depth),
            None => self.outermost_within::<false>(self.root, 0, depth),
        }
    }

    /// The first item in the subtree of `parent` (of all, for `None`), one level below it, for which `is_after` holds,
    /// given that it holds for all behind such a one; otherwise the end of the subtree.
    pub(super) fn partition(&self, parent: Option<Id>, is_after: impl Fn(Id) -> bool) -> Option<Id> {
        let (end, level) = match parent {
            Some(parent) => (self.end(parent), self.depth(parent) + 1),
            None => (None, 0),
        };
        let last = self.last_within(end, level).filter(|&last| Some(last) != parent);
        if !last.is_some_and(&is_after) {
            return end;
        }
        let from = parent.map_or(0, |parent| self.before(parent) + 1);
        let to = end.map_or(self.len(), |end| self.before(end));
        let (mut id, mut passed, mut found) = (self.root, 0, end);
        while let Some(node) = self.node(id) {
            let at = passed + self.size(node.left);
            let goes_left = at >= to
                || at >= from && {
                    // Its ancestor at that level, or it itself.
                    let child = if self.depth(id) == level { Some(id) } else { self.last_within(Some(id), level) };
                    let after = child.filter(|&child| is_after(child));
                    found = after.or(found);
                    after.is_some()
                };
            if goes_left {
                id = node.left;
            } else {
                passed = at + 1;
                id = node.right;
            }
        }
        found
    }

    /// Puts an item before another, or at the end.
    pub(super) fn insert(&mut self, before: Option<Id>, item: T, place: Place) -> Id {
        let at = before.map_or(self.len(), |before| self.before(before));
        let id = self.allocate(item, place);
        let (left, right) = self.split(self.root, at);
        let left = self.merge(left, id);
        self.root = self.merge(left, right);
        self.nodes[self.root as usize].parent = NIL;
        id
    }

    /// Takes an item out that has none below it.
    pub(super) fn remove(&mut self, id: Id) -> Option<T> {
        debug_assert!(!self.is_parent(id), "what hangs below it would change its parent");
        let at = self.before(id);
        let (left, rest) = self.split(self.root, at);
        let (_, right) = self.split(rest, 1);
        self.set_root(left, right);
        self.free.push(id);
        self.nodes.get_mut(id as usize)?.item.take()
    }

    /// Hides everything below an item once more, or once less.
    pub(super) fn hide_below(&mut self, id: Id, more: bool) {
        let from = self.before(id) + 1;
        let to = self.end(id).map_or(self.len(), |end| self.before(end));
        let (rest, right) = self.split(self.root, to);
        let (left, run) = self.split(rest, from);
        self.add(run, 0, if more { 1 } else { u32::MAX });
        let left = self.merge(left, run);
        self.set_root(left, right);
    }

    /// Moves the subtree of an item: `find` says, in the sequence without it, before which other, at what depth and how
    /// many times hidden the item itself is put in again.
    pub(super) fn shift(&mut self, id: Id, find: impl FnOnce(&Self) -> (Option<Id>, u32, u32)) {
        let (depth, hidden) = (self.depth(id), self.hidden(id));
        let from = self.before(id);
        let to = self.end(id).map_or(self.len(), |end| self.before(end));
        let (rest, right) = self.split(self.root, to);
        let (left, run) = self.split(rest, from);
        self.set_root(left, right);
        let (before, new_depth, new_hidden) = find(self);
        self.add(run, new_depth.wrapping_sub(depth), new_hidden.wrapping_sub(hidden));
        let at = before.map_or(self.len(), |before| self.before(before));
        let (left, right) = self.split(self.root, at);
        let left = self.merge(left, run);
        self.set_root(left, right);
    }

    /// Says whether an item is counted.
    pub(super) fn count(&mut self, id: Id, counted: bool) {
        let Some(node) = self.nodes.get_mut(id as usize) else { return };
        if std::mem::replace(&mut node.counted, counted) == counted {
            return;
        }
        let mut up = id;
        while let Some(node) = self.nodes.get_mut(up as usize) {
            node.counted_sum = if counted { node.counted_sum + 1 } else { node.counted_sum - 1 };
            up = node.parent;
        }
    }

    fn node(&self, id: Id) -> Option<&Node<Option<T>>> {
        #[cfg(test)]
        self.steps.update(|steps| steps + 1);
        self.nodes.get(id as usize)
    }

    fn len(&self) -> u32 {
        self.size(self.root)
    }

    fn size(&self, id: Id) -> u32 {
        self.node(id).map_or(0, |node| node.size)
    }

    fn leftmost(&self, mut id: Id) -> Id {
        while let Some(node) = self.node(id).filter(|node| node.left != NIL) {
            id = node.left;
        }
        id
    }

    /// Items before this one.
    fn before(&self, id: Id) -> u32 {
        self.sum_before(id, |node| node.size, |_| 1)
    }

    fn counted_before(&self, id: Id) -> u32 {
        self.sum_before(id, |node| node.counted_sum, |node| u32::from(node.counted))
    }

    fn sum_before(&self, id: Id, part: impl Fn(&Node<Option<T>>) -> u32, own: impl Fn(&Node<Option<T>>) -> u32) -> u32 {
        let Some(node) = self.node(id) else { return 0 };
        let mut sum = self.node(node.left).map_or(0, &part);
        let (mut child, mut up) = (id, node.parent);
        while let Some(parent) = self.node(up) {
            if parent.right == child {
                sum += self.node(parent.left).map_or(0, &part) + own(parent);
            }
            (child, up) = (up, parent.parent);
        }
        sum
    }

    /// What is still to be added to depth and hiding of an item.
    fn pending(&self, id: Id) -> (u32, u32) {
        let (mut deepen, mut hide) = (0_u32, 0_u32);
        let mut up = self.node(id).map_or(NIL, |node| node.parent);
        while let Some(node) = self.node(up) {
            deepen = deepen.wrapping_add(node.deepen);
            hide = hide.wrapping_add(node.hide);
            up = node.parent;
        }
        (deepen, hide)
    }

    fn visible_in(&self, id: Id, hide: u32) -> u32 {
        let visible = self.node(id).filter(|node| node.least_hidden.wrapping_add(hide) == 0);
        visible.map_or(0, |node| node.least_count)
    }

    /// The first item behind this one (`AHEAD`), or the last before it, that is no deeper than `depth`.
    fn nearest_within<const AHEAD: bool>(&self, id: Id, depth: u32) -> Option<Id> {
        let node = self.node(id)?;
        let mut deepen = self.pending(id).0;
        let found = self.outermost_within::<AHEAD>(node.part(AHEAD), deepen.wrapping_add(node.deepen), depth);
        if found.is_some() {
            return found;
        }
        let mut child = id;
        loop {
            let up = self.node(child)?.parent;
            let parent = self.node(up)?;
            let below = deepen;
            deepen = deepen.wrapping_sub(parent.deepen);
            if parent.part(!AHEAD) == child {
                if parent.depth.wrapping_add(deepen) <= depth {
                    return Some(up);
                }
                let found = self.outermost_within::<AHEAD>(parent.part(AHEAD), below, depth);
                if found.is_some() {
                    return found;
                }
            }
            child = up;
        }
    }

    /// The first item of a part (`FIRST`), or the last, that is no deeper than `depth`.
    fn outermost_within<const FIRST: bool>(&self, mut id: Id, mut deepen: u32, depth: u32) -> Option<Id> {
        let within = |node: &Node<_>, deepen: u32| node.least_depth.wrapping_add(deepen) <= depth;
        let mut node = self.node(id).filter(|node| within(node, deepen))?;
        loop {
            let below = deepen.wrapping_add(node.deepen);
            if let Some(outer) = self.node(node.part(!FIRST)).filter(|outer| within(outer, below)) {
                (id, node) = (node.part(!FIRST), outer);
            } else if node.depth.wrapping_add(deepen) <= depth {
                return Some(id);
            } else {
                id = node.part(FIRST);
                node = self.node(id)?;
            }
            deepen = below;
        }
    }
}
