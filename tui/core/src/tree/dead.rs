//! Which of the dead the living descend from, and how many bytes the dead occupy.
//!
//! A dead process is pinned while a living one descends from it in the lineage of forks. Each node counts the children
//! that need it (the living and the pinned), so that a change goes up only as far as dead ancestors begin or cease to
//! be pinned. Does not know how many are too many.

use std::collections::BTreeSet;

use petgraph::graph::{Edge, Node};
use rustc_hash::FxHashMap;

use super::{Lineage, NodeIndex, Pending, Slot, Tree};
use crate::event::{Argv, ProcKey};
use crate::heap;
use crate::process::{Lifecycle, Process};

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Dead {
    /// All of them.
    all: Ledger,
    pinned: Ledger,
    /// The pinned, by the time of their end.
    by_end: BTreeSet<(u64, ProcKey)>,
}

/// What some processes occupy, bytes.
#[derive(Clone, Debug, Default)]
struct Ledger {
    /// The paths and arguments by themselves.
    bytes: u64,
    /// All of it on the heap: these and the processes.
    heap: usize,
    /// Equal paths are one allocation, and inherited programs are shared with the forker and its other children: holders
    /// by address. As long as one of them is here, nothing else can have the address.
    shared: FxHashMap<usize, u32>,
}

impl Ledger {
    fn enter(&mut self, process: &Process) {
        self.heap += process.heap_bytes();
        for piece in own(process) {
            self.add(piece);
        }
        for piece in shared(process) {
            let holders = self.shared.entry(piece.as_ptr().addr()).or_default();
            *holders += 1;
            if *holders == 1 {
                self.add(piece);
            }
        }
    }

    /// Takes back what [`Ledger::enter`] entered for the same state of the process.
    fn leave(&mut self, process: &Process) {
        self.heap -= process.heap_bytes();
        for piece in own(process) {
            self.subtract(piece);
        }
        for piece in shared(process) {
            let address = piece.as_ptr().addr();
            let Some(holders) = self.shared.get_mut(&address) else { continue };
            *holders -= 1;
            if *holders == 0 {
                self.shared.remove(&address);
                self.subtract(piece);
            }
        }
    }

    const fn add(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        self.heap += heap::shared(piece.len());
    }

    const fn subtract(&mut self, piece: &[u8]) {
        self.bytes -= piece.len() as u64;
        self.heap -= heap::shared(piece.len());
    }
}

/// Arguments of the programs that it started.
fn own(process: &Process) -> impl Iterator<Item = &[u8]> {
    process.images().filter_map(|image| image.argv.as_ref()).map(Argv::as_bytes)
}

/// What others may hold as well: paths, and arguments of the program it was forked with.
fn shared(process: &Process) -> impl Iterator<Item = &[u8]> {
    let inherited = process.inherited();
    let paths = process.images().chain(inherited).filter_map(|image| Some(image.files.as_ref()?.as_bytes()));
    paths.chain(inherited.and_then(|image| image.argv.as_ref()).map(Argv::as_bytes))
}

impl Tree {
    /// Dead processes kept from which a living one descends.
    #[must_use]
    pub fn pinned(&self) -> usize {
        self.dead.by_end.len()
    }

    /// Bytes of paths and arguments of the pinned.
    pub(crate) const fn pinned_bytes(&self) -> u64 {
        self.dead.pinned.bytes
    }

    /// Bytes of paths and arguments of all the dead, each path counted once. Arguments that a forker and its child share
    /// are counted once for those who inherited them, and once for who started them.
    pub(crate) const fn dead_bytes(&self) -> u64 {
        self.dead.all.bytes
    }

    /// What the dead occupy on the heap, bytes: the processes, paths and arguments. What they have in common with the
    /// living is counted as theirs.
    pub(crate) const fn dead_heap(&self) -> usize {
        self.dead.all.heap
    }

    /// What the graph, the index and the accounts of the dead occupy, bytes.
    pub(crate) fn table_bytes(&self) -> usize {
        let (nodes, edges) = self.graph.capacity();
        let accounts = [&self.dead.all, &self.dead.pinned].map(|ledger| heap::map(&ledger.shared));
        // The nodes of a set are about two thirds full.
        let line = self.dead.by_end.len() * size_of::<(u64, ProcKey)>() * 3 / 2;
        nodes * size_of::<Node<Slot>>()
            + edges * size_of::<Edge<()>>()
            + self.index.bytes()
            + accounts.into_iter().sum::<usize>()
            + line
    }

    /// Of the pinned the one that ended first.
    pub(crate) fn oldest_pinned(&self) -> Option<ProcKey> {
        self.dead.by_end.first().map(|&(_, key)| key)
    }

    /// When it ended, if it has and no child needs it.
    pub(crate) fn ended_childless(&self, key: ProcKey) -> Option<u64> {
        let slot = &self.graph[self.node(key)?];
        if slot.children[Lineage::Forked as usize] > 0 { None } else { Some(slot.ended()?.1) }
    }

    /// Changes the programs of a process, which for a dead one must not be done otherwise.
    pub(crate) fn change_programs<T>(&mut self, key: ProcKey, change: impl FnOnce(&mut Process) -> T) -> Option<T> {
        let node = self.node(key)?;
        self.unbook(node);
        let changed = self.get_mut(key).map(change);
        self.book(node);
        changed
    }

    /// Of a pinned process with many children and the pinned ones right above it, the one with the fewest: to leave it out
    /// joins the same line of descent, and moves fewer.
    pub(crate) fn cheapest_to_leave_out(&self, key: ProcKey) -> ProcKey {
        const FEW: u32 = 32;
        const LEVELS: usize = 64;
        let children = |node: &NodeIndex| self.graph[*node].children[Lineage::Forked as usize];
        let Some(node) = self.node(key).filter(|node| children(node) > FEW) else { return key };
        let line = std::iter::successors(Some(node), |&node| self.parent_node(node, Lineage::Forked));
        let pinned = line.take(LEVELS).take_while(|&node| self.graph[node].ended().is_some());
        pinned.min_by_key(children).map_or(key, |node| self.graph[node].key)
    }

    /// Hangs the children of a process under its own parent, as if it had not been between them; who they are.
    pub(crate) fn leave_out(&mut self, key: ProcKey) -> Vec<ProcKey> {
        let Some(node) = self.node(key) else { return Vec::new() };
        let above = self.process(node).map_or(0, Process::generations_left_out);
        let parent = self.parent_node(node, Lineage::Forked);
        let mut children = Vec::new();
        self.push_children(&Pending::root(node), 0, Lineage::Forked, &mut children);
        for child in children.iter().rev() {
            self.unbook(child.node);
            if let Some(process) = self.graph[child.node].process.as_deref_mut() {
                let below = process.generations_left_out();
                process.set_generations_left_out(below.saturating_add(above).saturating_add(1));
            }
            self.book(child.node);
            self.hang(child.node, parent);
        }
        children.iter().rev().map(|child| self.graph[child.node].key).collect()
    }

    /// Enters one that is dead, if it is.
    pub(super) fn book(&mut self, node: NodeIndex) {
        let slot = &self.graph[node];
        let Some((process, _)) = slot.ended() else { return };
        self.dead.all.enter(process);
        if slot.needed_by > 0 {
            self.pin(node);
        }
    }

    /// Takes back what [`Tree::book`] entered: to be called before a change of what it occupies, as the other is after it.
    pub(super) fn unbook(&mut self, node: NodeIndex) {
        let slot = &self.graph[node];
        let Some((process, _)) = slot.ended() else { return };
        self.dead.all.leave(process);
        if slot.needed_by > 0 {
            self.unpin(node);
        }
    }

    fn pin(&mut self, node: NodeIndex) {
        let Some((process, at_ns)) = self.graph[node].ended() else { return };
        self.dead.pinned.enter(process);
        self.dead.by_end.insert((at_ns, process.key));
    }

    fn unpin(&mut self, node: NodeIndex) {
        let Some((process, at_ns)) = self.graph[node].ended() else { return };
        self.dead.pinned.leave(process);
        self.dead.by_end.remove(&(at_ns, process.key));
    }

    /// Whether it is a reason to keep its parent.
    pub(super) fn needs_parent(&self, node: NodeIndex) -> bool {
        let slot = &self.graph[node];
        slot.process.is_some() && (slot.alive || slot.zombie || slot.needed_by > 0)
    }

    /// One more of its children needs it.
    pub(super) fn need(&mut self, node: Option<NodeIndex>) {
        self.change_need(node, |needed_by| *needed_by += 1);
    }

    /// One less of its children needs it.
    pub(super) fn release(&mut self, node: Option<NodeIndex>) {
        self.change_need(node, |needed_by| *needed_by -= 1);
    }

    fn change_need(&mut self, mut node: Option<NodeIndex>, change: impl Fn(&mut u32)) {
        while let Some(this) = node {
            let before = self.needs_parent(this);
            let needed_by = &mut self.graph[this].needed_by;
            let was_needed = *needed_by > 0;
            change(needed_by);
            match (was_needed, *needed_by > 0) {
                (false, true) => self.pin(this),
                (true, false) => self.unpin(this),
                _ => {}
            }
            node = if self.needs_parent(this) == before { None } else { self.parent_node(this, Lineage::Forked) };
        }
    }
}

impl Slot {
    /// The process and when it ended, if it has and is gone.
    fn ended(&self) -> Option<(&Process, u64)> {
        let process = self.process.as_deref().filter(|_| !self.alive && !self.zombie)?;
        match process.life() {
            Lifecycle::Running => None,
            Lifecycle::Exited { at_ns, .. } => Some((process, at_ns)),
        }
    }
}
