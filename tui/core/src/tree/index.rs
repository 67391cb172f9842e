//! Finds nodes by the key or by the pid of their process.
//!
//! Holds node numbers alone, four bytes each, and reads the keys from the graph.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::FxBuildHasher;

use super::Slot;
use crate::event::ProcKey;

/// The graph that the nodes are of.
pub(super) type Graph = DiGraph<Slot, ()>;

/// See the module. All methods are to be given the same graph.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    by_key: HashTable<NodeIndex>,
    /// The youngest process of each pid.
    by_pid: HashTable<NodeIndex>,
}

impl Index {
    pub(super) fn find(&self, graph: &Graph, key: ProcKey) -> Option<NodeIndex> {
        self.by_key.find(hash(key), |&node| graph[node].key == key).copied()
    }

    /// Enters the node of a key that is not there yet.
    pub(super) fn insert(&mut self, graph: &Graph, node: NodeIndex) {
        self.by_key.insert_unique(hash(graph[node].key), node, |&node| hash(graph[node].key));
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, graph: &Graph, node: NodeIndex) -> bool {
        self.by_key.find_entry(hash(graph[node].key), |&other| other == node).map(|entry| entry.remove()).is_ok()
    }

    pub(super) fn youngest(&self, graph: &Graph, pid: u32) -> Option<NodeIndex> {
        self.by_pid.find(hash(pid), |&node| graph[node].key.pid == pid).copied()
    }

    /// Enters a process, if it is the youngest of its pid.
    pub(super) fn insert_youngest(&mut self, graph: &Graph, node: NodeIndex) {
        let key = graph[node].key;
        let is_same = |&node: &NodeIndex| graph[node].key.pid == key.pid;
        let entry = self.by_pid.entry(hash(key.pid), is_same, |&node| hash(graph[node].key.pid));
        let mut entry = entry.or_insert(node);
        let youngest = entry.get_mut();
        if graph[*youngest].key.birth() < key.birth() {
            *youngest = node;
        }
    }

    /// Takes out a process, if it is in as the youngest of its pid.
    pub(super) fn remove_youngest(&mut self, graph: &Graph, node: NodeIndex) {
        if let Ok(entry) = self.by_pid.find_entry(hash(graph[node].key.pid), |&other| other == node) {
            entry.remove();
        }
    }

    /// The nodes have moved: `moved` has their new numbers at the old ones, and `graph` them at the new.
    pub(super) fn renumber(&mut self, graph: &Graph, moved: &[NodeIndex]) {
        for node in self.by_key.iter_mut().chain(self.by_pid.iter_mut()) {
            *node = moved[node.index()];
        }
        shrink(&mut self.by_key, |&node| hash(graph[node].key));
        shrink(&mut self.by_pid, |&node| hash(graph[node].key.pid));
    }

    /// What it occupies, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.by_key.allocation_size() + self.by_pid.allocation_size()
    }
}

/// Gives back what an earlier, larger number of entries needed.
fn shrink(table: &mut HashTable<NodeIndex>, hasher: impl Fn(&NodeIndex) -> u64) {
    if table.capacity() > 4 * table.len() {
        table.shrink_to(2 * table.len(), hasher);
    }
}

fn hash(of: impl std::hash::Hash) -> u64 {
    FxBuildHasher.hash_one(of)
}
