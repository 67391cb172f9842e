//! The search tree itself: making nodes, joining and dividing parts of it, sums and minima.
//!
//! Knows no order but that of the nodes; what they stand for is known above.

use super::{Id, NIL, Node, Place, Sequence};

impl<T> Sequence<T> {
    pub(super) fn allocate(&mut self, item: T, place: Place) -> Id {
        let Place { depth, hidden, counted } = place;
        let node = Node {
            item: Some(item),
            parent: NIL,
            left: NIL,
            right: NIL,
            size: 1,
            depth,
            least_depth: depth,
            deepen: 0,
            hidden,
            least_hidden: hidden,
            least_count: 1,
            hide: 0,
            counted,
            counted_sum: u32::from(counted),
        };
        if let Some(id) = self.free.pop() {
            self.nodes[id as usize] = node;
            return id;
        }
        self.nodes.push(node);
        // There are no four billion processes.
        Id::try_from(self.nodes.len() - 1).unwrap_or(NIL)
    }

    /// Makes a balanced search tree of the nodes of a range, which stand in order.
    pub(super) fn balance(&mut self, from: usize, to: usize) -> Id {
        if from == to {
            return NIL;
        }
        let middle = usize::midpoint(from, to);
        let left = self.balance(from, middle);
        let right = self.balance(middle + 1, to);
        let id = Id::try_from(middle).unwrap_or(NIL);
        self.set_left(id, left);
        self.set_right(id, right);
        self.sum_up(id);
        id
    }

    pub(super) fn set_root(&mut self, left: Id, right: Id) {
        self.root = self.merge(left, right);
        if let Some(node) = self.nodes.get_mut(self.root as usize) {
            node.parent = NIL;
        }
    }

    pub(super) fn set_left(&mut self, id: Id, left: Id) {
        self.nodes[id as usize].left = left;
        if let Some(node) = self.nodes.get_mut(left as usize) {
            node.parent = id;
        }
    }

    pub(super) fn set_right(&mut self, id: Id, right: Id) {
        self.nodes[id as usize].right = right;
        if let Some(node) = self.nodes.get_mut(right as usize) {
            node.parent = id;
        }
    }

    /// Adds to depth and hiding of a whole part.
    pub(super) fn add(&mut self, id: Id, deepen: u32, hide: u32) {
        let Some(node) = self.nodes.get_mut(id as usize) else { return };
        node.depth = node.depth.wrapping_add(deepen);
        node.least_depth = node.least_depth.wrapping_add(deepen);
        node.deepen = node.deepen.wrapping_add(deepen);
        node.hidden = node.hidden.wrapping_add(hide);
        node.least_hidden = node.least_hidden.wrapping_add(hide);
        node.hide = node.hide.wrapping_add(hide);
    }

    /// Passes on what was noted for the parts below.
    pub(super) fn pass_down(&mut self, id: Id) {
        let node = &mut self.nodes[id as usize];
        let (left, right) = (node.left, node.right);
        let (deepen, hide) = (std::mem::take(&mut node.deepen), std::mem::take(&mut node.hide));
        if deepen != 0 || hide != 0 {
            self.add(left, deepen, hide);
            self.add(right, deepen, hide);
        }
    }

    /// Computes sums and minima anew; nothing may be noted for the parts below.
    pub(super) fn sum_up(&mut self, id: Id) {
        let node = &self.nodes[id as usize];
        let (mut size, mut counted) = (1, u32::from(node.counted));
        let mut least_depth = node.depth;
        let (mut least_hidden, mut least_count) = (node.hidden, 1);
        for part in [node.left, node.right].into_iter().filter_map(|part| self.node(part)) {
            size += part.size;
            counted += part.counted_sum;
            least_depth = least_depth.min(part.least_depth);
            match part.least_hidden.cmp(&least_hidden) {
                std::cmp::Ordering::Less => (least_hidden, least_count) = (part.least_hidden, part.least_count),
                std::cmp::Ordering::Equal => least_count += part.least_count,
                std::cmp::Ordering::Greater => {}
            }
        }
        let node = &mut self.nodes[id as usize];
        (node.size, node.counted_sum, node.least_depth) = (size, counted, least_depth);
        (node.least_hidden, node.least_count) = (least_hidden, least_count);
    }

    /// Divides a part into its first `count` items and the rest.
    pub(super) fn split(&mut self, id: Id, count: u32) -> (Id, Id) {
        if id == NIL {
            return (NIL, NIL);
        }
        self.pass_down(id);
        let Node { left, right, .. } = self.nodes[id as usize];
        let before = self.size(left);
        let parts = if count <= before {
            let (first, rest) = self.split(left, count);
            self.set_left(id, rest);
            (first, id)
        } else {
            let (first, rest) = self.split(right, count - before - 1);
            self.set_right(id, first);
            (id, rest)
        };
        self.sum_up(id);
        for part in [parts.0, parts.1] {
            if let Some(node) = self.nodes.get_mut(part as usize) {
                node.parent = NIL;
            }
        }
        parts
    }

    /// Joins two parts.
    pub(super) fn merge(&mut self, left: Id, right: Id) -> Id {
        if left == NIL || right == NIL {
            return if left == NIL { right } else { left };
        }
        let (left_size, right_size) = (self.size(left), self.size(right));
        if self.draw(left_size + right_size) < left_size {
            self.pass_down(left);
            let joined = self.merge(self.nodes[left as usize].right, right);
            self.set_right(left, joined);
            self.sum_up(left);
            left
        } else {
            self.pass_down(right);
            let joined = self.merge(left, self.nodes[right as usize].left);
            self.set_left(right, joined);
            self.sum_up(right);
            right
        }
    }

    /// A number below this one (xorshift).
    pub(super) fn draw(&mut self, below: u32) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (((self.random >> 32) * u64::from(below)) >> 32) as u32
    }
}
