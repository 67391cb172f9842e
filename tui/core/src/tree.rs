//! The ancestry graph: processes as nodes of a petgraph, one edge from the forker to each child, and one more from the
//! kernel's parent where that is another.
//!
//! Owns the graph: no graph index leaves this module and its children, every outside handle is a [`ProcKey`]. Does not know events,
//! time or what is worth keeping; see [`Engine`](crate::Engine).
//!
//! Taking a node or an edge out of a petgraph costs a walk over its siblings, so neither is ever taken out: an edge
//! counts only while its child names it, a node only while it holds a process or somebody's parent is looked for under
//! its key, and the graph is rebuilt in the same order once there is useless a quarter of what is useful: then what grew by a quarter since is full.
//!
//! Edges lead from the older process to the younger ([`ProcKey::birth`]) and from nowhere else, hence no cycle can
//! close (I2).

use std::cmp::Reverse;
use std::mem;

use petgraph::Direction::Outgoing;
use petgraph::graph::{EdgeIndex, EdgeReference, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::event::{Cost, ExitStatus, ProcKey};
use crate::killer::Killer;
use crate::process::Process;

mod dead;
mod departed;
mod index;
mod tally;
#[cfg(test)]
mod tests;

use dead::Dead;
use departed::Departed;
pub use departed::{Named, Summary};
use index::{Graph, Index};
pub use tally::{Sums, Tally, Totals};

/// Which parent counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Lineage {
    /// Who forked it.
    #[default]
    Forked,
    /// Who the kernel says its parent is now: a subreaper or init after the forker's death.
    Kernel,
}

impl Lineage {
    /// Both, in the order of [`Slot::links`].
    const BOTH: [Self; 2] = [Self::Forked, Self::Kernel];
}

/// A node: a process, or the place kept for one that others name as their parent.
#[derive(Clone, Debug)]
struct Slot {
    key: ProcKey,
    /// Boxed so that tombstones and the rebuild are cheap.
    process: Option<Box<Process>>,
    /// Whether that is alive: asked so often that the way there counts.
    alive: bool,
    /// Whether it is a zombie.
    zombie: bool,
    /// The edge from its parent in either lineage, one and the same where the kernel's parent is the forker;
    /// `EdgeIndex::end()` where its parent is none that can be in the tree.
    links: [EdgeIndex; 2],
    /// Children in either lineage.
    children: [u32; 2],
    /// Children in the lineage of forks that are alive or from which a living one descends.
    needed_by: u32,
    /// Children that have left, as long as it holds a process.
    departed: Departed,
}

impl Slot {
    fn empty(key: ProcKey) -> Self {
        let links = [EdgeIndex::end(); 2];
        Self {
            key,
            process: None,
            alive: false,
            zombie: false,
            links,
            children: [0; 2],
            needed_by: 0,
            departed: Departed::default(),
        }
    }

    /// Whether nothing is lost with it.
    fn is_tombstone(&self) -> bool {
        self.process.is_none() && self.children == [0; 2]
    }
}

/// One process on a [`Tree::walk`].
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// The process.
    pub process: &'a Process,
    /// Distance from its root.
    pub depth: usize,
    /// The number of its parent's visit, the first of the walk being 0; `None` for a root.
    pub parent: Option<usize>,
}

/// A node that a walk has yet to visit; see [`Visit`].
struct Pending {
    node: NodeIndex,
    depth: usize,
    parent: Option<usize>,
}

impl Pending {
    const fn root(node: NodeIndex) -> Self {
        Self { node, depth: 0, parent: None }
    }
}

/// The forest of all known processes, living and dead.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    graph: Graph,
    /// The youngest process of each pid is the only one of them that may be alive (I1).
    index: Index,
    kept: usize,
    live: usize,
    zombies: usize,
    tombstones: usize,
    dead_edges: usize,
    /// Times that the nodes were numbered anew.
    rebuilt: u64,
    dead: Dead,
}

impl Tree {
    /// With fewer useless nodes and edges the graph is not rebuilt; few in tests, so that they see it done.
    const COMPACT_MIN: usize = if cfg!(test) { 4 } else { 512 };

    /// The process under a key.
    #[must_use]
    pub fn get(&self, key: ProcKey) -> Option<&Process> {
        self.process(self.node(key)?)
    }

    /// The living process that has this pid.
    #[must_use]
    pub fn live_by_pid(&self, pid: u32) -> Option<&Process> {
        self.youngest(pid).filter(|process| process.is_alive())
    }

    /// The parent under a lineage, if it is in the tree.
    #[must_use]
    pub fn parent(&self, key: ProcKey, lineage: Lineage) -> Option<&Process> {
        self.process(self.parent_node(self.node(key)?, lineage)?)
    }

    /// The key of that parent.
    #[must_use]
    pub(crate) fn parent_key(&self, key: ProcKey, lineage: Lineage) -> Option<ProcKey> {
        let parent = &self.graph[self.parent_node(self.node(key)?, lineage)?];
        parent.process.is_some().then_some(parent.key)
    }

    /// Ancestors, nearest first, the process itself left out.
    pub fn ancestors(&self, key: ProcKey, lineage: Lineage) -> impl Iterator<Item = &Process> {
        let parent = move |node| self.parent_node(node, lineage);
        let first = self.node(key).and_then(parent);
        std::iter::successors(first, move |&node| parent(node)).map_while(|node| self.process(node))
    }

    /// Children in birth order.
    pub fn children(&self, key: ProcKey, lineage: Lineage) -> impl Iterator<Item = &Process> {
        let mut children = Vec::new();
        if let Some(node) = self.node(key).filter(|&node| self.graph[node].process.is_some()) {
            self.push_children(&Pending::root(node), 0, lineage, &mut children);
        }
        children.into_iter().rev().filter_map(|child| self.process(child.node))
    }

    /// Children, those that came last first: in reverse order of birth, but for what was heard of late. Looks only at
    /// as many as are taken.
    pub fn latest_children(&self, key: ProcKey, lineage: Lineage) -> impl Iterator<Item = &Process> {
        let node = self.node(key).filter(|&node| self.graph[node].process.is_some());
        node.into_iter().flat_map(move |node| self.child_nodes(node, lineage)).filter_map(|child| self.process(child))
    }

    /// How many children it has, without counting them.
    #[must_use]
    pub fn child_count(&self, key: ProcKey, lineage: Lineage) -> usize {
        self.node(key).map_or(0, |node| self.graph[node].children[lineage as usize] as usize)
    }

    /// What is remembered of the finished children of a process that have left the tree, in no particular order.
    #[must_use]
    pub fn departed(&self, key: ProcKey, lineage: Lineage) -> &[Named] {
        self.node(key).map_or(&[], |node| self.graph[node].departed.of(lineage))
    }

    /// Processes without a parent in the tree, in birth order. Looks at every process.
    pub fn roots(&self, lineage: Lineage) -> impl Iterator<Item = &Process> {
        self.root_nodes(lineage).into_iter().rev().filter_map(|node| self.process(node))
    }

    /// All processes, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Process> {
        self.graph.node_weights().filter_map(|slot| slot.process.as_deref())
    }

    /// All processes depth-first, parents before their children, siblings in birth order.
    pub fn walk(&self, lineage: Lineage) -> impl Iterator<Item = Visit<'_>> {
        self.walk_below(self.root_nodes(lineage), lineage)
    }

    /// A process and all below it, in the same order; the process is the root. Nothing if it is not in the tree.
    pub fn walk_from(&self, key: ProcKey, lineage: Lineage) -> impl Iterator<Item = Visit<'_>> {
        let node = self.node(key).filter(|&node| self.process(node).is_some());
        self.walk_below(node.into_iter().collect(), lineage)
    }

    /// The roots, the last first, and all below them.
    fn walk_below(&self, roots: Vec<NodeIndex>, lineage: Lineage) -> impl Iterator<Item = Visit<'_>> {
        let mut stack: Vec<_> = roots.into_iter().map(Pending::root).collect();
        let mut met = 0;
        std::iter::from_fn(move || {
            let next = stack.pop()?;
            if self.graph[next.node].children[lineage as usize] > 0 {
                self.push_children(&next, met, lineage, &mut stack);
            }
            met += 1;
            self.process(next.node).map(|process| Visit { process, depth: next.depth, parent: next.parent })
        })
    }

    /// Processes kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Processes kept that are alive.
    #[must_use]
    pub fn live(&self) -> usize {
        self.live
    }

    /// Processes kept that have ended and whose parents have not asked for them.
    #[must_use]
    pub fn zombies(&self) -> usize {
        self.zombies
    }

    fn node(&self, key: ProcKey) -> Option<NodeIndex> {
        self.index.find(&self.graph, key)
    }

    fn process(&self, node: NodeIndex) -> Option<&Process> {
        self.graph[node].process.as_deref()
    }

    fn parent_node(&self, node: NodeIndex, lineage: Lineage) -> Option<NodeIndex> {
        let edge = self.graph[node].links[lineage as usize];
        self.graph.edge_endpoints(edge).map(|(parent, _)| parent)
    }

    /// Without a parent that is a process, the youngest first.
    fn root_nodes(&self, lineage: Lineage) -> Vec<NodeIndex> {
        let is_root = |&node: &NodeIndex| {
            let parent = self.parent_node(node, lineage);
            self.graph[node].process.is_some() && parent.is_none_or(|parent| self.graph[parent].process.is_none())
        };
        let mut roots: Vec<_> = self.graph.node_indices().filter(is_root).collect();
        roots.sort_unstable_by_key(|&node| Reverse(self.graph[node].key.birth()));
        roots
    }

    /// In the order of petgraph, the last edge first.
    fn child_nodes(&self, parent: NodeIndex, lineage: Lineage) -> impl Iterator<Item = NodeIndex> {
        let edges = self.graph.edges_directed(parent, Outgoing);
        let counts =
            move |edge: &EdgeReference<'_, _, _>| self.graph[edge.target()].links[lineage as usize] == edge.id();
        edges.filter(counts).map(|edge| edge.target())
    }

    /// Appends the children to a stack, the youngest first: the order in which petgraph has the edges of children that
    /// came in birth order.
    fn push_children(&self, parent: &Pending, met: usize, lineage: Lineage, stack: &mut Vec<Pending>) {
        let from = stack.len();
        let depth = parent.depth + 1;
        let children = self.child_nodes(parent.node, lineage);
        stack.extend(children.map(|node| Pending { node, depth, parent: Some(met) }));
        let birth = |child: &Pending| Reverse(self.graph[child.node].key.birth());
        if !stack[from..].is_sorted_by_key(birth) {
            stack[from..].sort_by_key(birth);
        }
    }
}

/// Changes, all by the engine.
impl Tree {
    /// For changes to anything but its key, forker, kernel's parent and end, which have their own methods, as have the
    /// programs of the dead.
    pub(crate) fn get_mut(&mut self, key: ProcKey) -> Option<&mut Process> {
        let node = self.node(key)?;
        self.graph[node].process.as_deref_mut()
    }

    /// The youngest process that has or had this pid.
    pub(crate) fn youngest(&self, pid: u32) -> Option<&Process> {
        self.process(self.index.youngest(&self.graph, pid)?)
    }

    /// Takes a process whose key is not in the tree yet; true if it has children that came before it. The caller sees
    /// to it that of those who share a pid only the youngest is alive (I1).
    pub(crate) fn insert(&mut self, process: Box<Process>) -> bool {
        let (key, alive) = (process.key, process.is_alive());
        let node = self.node_for(key);
        debug_assert!(self.graph[node].process.is_none(), "a key is inserted once");
        let awaited = !self.graph[node].is_tombstone();
        self.tombstones -= usize::from(!awaited);
        let slot = &mut self.graph[node];
        (slot.process, slot.alive) = (Some(process), alive);
        self.kept += 1;
        self.live += usize::from(alive);
        self.index.insert_youngest(&self.graph, node);
        self.relink(node);
        self.book(node);
        awaited
    }

    /// Ends it or corrects how it ended; see [`Process::end`].
    pub(crate) fn end(
        &mut self,
        key: ProcKey,
        at_ns: u64,
        status: ExitStatus,
        inferred: bool,
        cost: Option<Cost>,
        killer: Option<Box<Killer>>,
    ) {
        let Some(node) = self.node(key) else { return };
        let needed_parent = self.needs_parent(node);
        self.unbook(node);
        let Some(process) = self.graph[node].process.as_deref_mut() else { return };
        process.end(at_ns, status, inferred, cost, killer);
        self.live -= usize::from(mem::replace(&mut self.graph[node].alive, false));
        self.book(node);
        if needed_parent && !self.needs_parent(node) {
            self.release(self.parent_node(node, Lineage::Forked));
        }
    }

    /// Notes of one that has ended whether its parent has still to ask for it; true when that is news.
    pub(crate) fn set_zombie(&mut self, key: ProcKey, is_zombie: bool) -> bool {
        let Some(node) = self.node(key) else { return false };
        if self.process(node).is_none_or(|process| process.is_alive() || process.is_zombie() == is_zombie) {
            return false;
        }
        let needed_parent = self.needs_parent(node);
        self.unbook(node);
        let slot = &mut self.graph[node];
        slot.zombie = is_zombie;
        let set = slot.process.as_deref_mut().is_some_and(|process| process.set_zombie(is_zombie));
        if is_zombie {
            self.zombies += 1
        } else {
            self.zombies -= 1
        }
        self.book(node);
        match (needed_parent, self.needs_parent(node)) {
            (false, true) => self.need(self.parent_node(node, Lineage::Forked)),
            (true, false) => self.release(self.parent_node(node, Lineage::Forked)),
            (true, true) | (false, false) => {}
        }
        set
    }

    /// Says who forked it; true when that is news.
    pub(crate) fn set_forker(&mut self, key: ProcKey, forker: ProcKey) -> bool {
        let Some(node) = self.node(key) else { return false };
        if self.process(node).is_none_or(|process| process.forker() == forker) {
            return false;
        }
        self.unbook(node);
        if let Some(process) = self.graph[node].process.as_deref_mut() {
            process.set_forker(forker);
            process.set_generations_left_out(0);
        }
        self.book(node);
        self.relink(node);
        true
    }

    /// Says who the kernel's parent is; true when that is news.
    pub(crate) fn set_kernel_parent(&mut self, key: ProcKey, parent: ProcKey) -> bool {
        let Some(node) = self.node(key) else { return false };
        if self.process(node).is_none_or(|process| process.kernel_parent() == parent) {
            return false;
        }
        self.unbook(node);
        if let Some(process) = self.graph[node].process.as_deref_mut() {
            process.set_kernel_parent(parent);
        }
        self.book(node);
        self.relink(node);
        true
    }

    /// Takes it out. Its children, if it has any, become roots.
    pub(crate) fn remove(&mut self, key: ProcKey) -> Option<Box<Process>> {
        let node = self.node(key)?;
        if self.needs_parent(node) {
            self.release(self.parent_node(node, Lineage::Forked));
        }
        self.unbook(node);
        let finished = self.graph[node].needed_by == 0;
        let slot = &mut self.graph[node];
        let process = slot.process.take()?;
        let was_alive = mem::replace(&mut slot.alive, false);
        self.live -= usize::from(was_alive);
        self.zombies -= usize::from(mem::replace(&mut slot.zombie, false));
        let departed = mem::take(&mut slot.departed);
        if finished && !was_alive {
            self.count_departed(node, &process, &departed);
        }
        self.kept -= 1;
        self.index.remove_youngest(&self.graph, node);
        self.link(node, [None; 2]);
        self.bury(node);
        let useful = self.graph.node_count() - self.tombstones;
        if self.tombstones.max(self.dead_edges) > Self::COMPACT_MIN.max(useful / 4) {
            self.compact();
        }
        Some(process)
    }

    /// The node of a key, made if there is none.
    fn node_for(&mut self, key: ProcKey) -> NodeIndex {
        self.node(key).unwrap_or_else(|| {
            if self.graph.node_count() == self.graph.capacity().0 {
                self.graph.reserve_exact_nodes(Self::growth(self.graph.node_count()));
            }
            let node = self.graph.add_node(Slot::empty(key));
            self.index.insert(&self.graph, node);
            self.tombstones += 1;
            node
        })
    }

    fn add_edge(&mut self, parent: NodeIndex, child: NodeIndex) -> EdgeIndex {
        if self.graph.edge_count() == self.graph.capacity().1 {
            self.graph.reserve_exact_edges(Self::growth(self.graph.edge_count()));
        }
        self.graph.add_edge(parent, child, ())
    }

    /// By how much a full list of so many grows: by less than the doubling that is usual, for the sake of memory.
    fn growth(len: usize) -> usize {
        64.max(len / 4)
    }

    /// Makes the edges agree with what the process says of its parents.
    fn relink(&mut self, node: NodeIndex) {
        let Some(process) = self.process(node) else { return };
        let (key, forker) = (process.key, process.forker());
        let parent = if process.generations_left_out() == 0 {
            self.node_for_parent(forker, key)
        } else {
            // Its forker has been left out: where it hangs is known by the edge alone.
            self.parent_node(node, Lineage::Forked)
        };
        self.hang(node, parent);
    }

    /// Hangs a node under this parent in the lineage of forks, and where its process says in that of the kernel.
    fn hang(&mut self, node: NodeIndex, parent: Option<NodeIndex>) {
        let Some(process) = self.process(node) else { return };
        let other = Some(process.kernel_parent()).filter(|_| process.is_reparented());
        let key = process.key;
        let kernel = other.map_or(parent, |other| self.node_for_parent(other, key));
        self.link(node, [parent, kernel]);
    }

    /// The node of a parent, if it can be that of this child.
    fn node_for_parent(&mut self, parent: ProcKey, child: ProcKey) -> Option<NodeIndex> {
        let possible = parent.pid != 0 && parent.birth() < child.birth();
        possible.then(|| self.node_for(parent))
    }

    /// Hangs a node under these parents.
    fn link(&mut self, node: NodeIndex, parents: [Option<NodeIndex>; 2]) {
        let old = Lineage::BOTH.map(|lineage| self.parent_node(node, lineage));
        if old == parents {
            return;
        }
        let old_links = self.graph[node].links;
        let mut edge_from = |parent: Option<NodeIndex>| match (parent, old.iter().position(|&old| old == parent)) {
            (None, _) => EdgeIndex::end(),
            (Some(_), Some(same)) => old_links[same],
            (Some(parent), None) => self.add_edge(parent, node),
        };
        let forked = edge_from(parents[0]);
        let links = [forked, if parents[1] == parents[0] { forked } else { edge_from(parents[1]) }];
        let unused = |edge: EdgeIndex| usize::from(edge != EdgeIndex::end() && !links.contains(&edge));
        let shared = old_links[0] == old_links[1];
        self.dead_edges += unused(old_links[0]) + if shared { 0 } else { unused(old_links[1]) };
        self.graph[node].links = links;
        if old[0] != parents[0] && self.needs_parent(node) {
            self.need(parents[0]);
            self.release(old[0]);
        }
        // All that is gained first: a node must not be given up for a child that it keeps in the other lineage.
        let changed =
            || Lineage::BOTH.into_iter().filter(|&lineage| old[lineage as usize] != parents[lineage as usize]);
        for lineage in changed() {
            if let Some(parent) = parents[lineage as usize] {
                let slot = &mut self.graph[parent];
                self.tombstones -= usize::from(slot.is_tombstone());
                slot.children[lineage as usize] += 1;
            }
        }
        for lineage in changed() {
            if let Some(parent) = old[lineage as usize] {
                self.graph[parent].children[lineage as usize] -= 1;
                self.bury(parent);
            }
        }
    }

    /// Gives up a node for which nobody has a use.
    fn bury(&mut self, node: NodeIndex) {
        let slot = &self.graph[node];
        if slot.is_tombstone() && self.index.remove(&self.graph, node) {
            self.tombstones += 1;
        }
    }

    /// Rebuilds the graph without tombstones and dead edges, in the same order.
    fn compact(&mut self) {
        let (nodes, edges) = mem::take(&mut self.graph).into_nodes_edges();
        let (alive, linked) = (nodes.len() - self.tombstones, edges.len() - self.dead_edges);
        let mut graph = Graph::with_capacity(alive + Self::growth(alive), linked + Self::growth(linked));
        let links: Vec<_> = nodes.iter().map(|node| node.weight.links).collect();
        let moved: Vec<_> = nodes
            .into_iter()
            .map(|node| if node.weight.is_tombstone() { NodeIndex::end() } else { graph.add_node(node.weight) })
            .collect();
        for (id, edge) in edges.into_iter().enumerate() {
            let (id, child) = (EdgeIndex::new(id), edge.target());
            let uses = links[child.index()].map(|used| used == id);
            if uses == [false; 2] {
                continue;
            }
            let (source, target) = (moved[edge.source().index()], moved[child.index()]);
            let id = graph.add_edge(source, target, ());
            for (link, used) in graph[target].links.iter_mut().zip(uses) {
                *link = if used { id } else { *link };
            }
        }
        self.index.renumber(&graph, &moved);
        self.graph = graph;
        (self.tombstones, self.dead_edges) = (0, 0);
        self.rebuilt += 1;
    }
}
