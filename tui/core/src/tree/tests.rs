//! Tests of the graph: order, both lineages, parents that come late, the rebuild.

use std::sync::Arc;

use super::*;
use crate::event::{Comm, Task};
use crate::process::{Context, Origin};

fn process(pid: u32, start_ns: u64, parent: ProcKey) -> Box<Process> {
    let task = Task { comm: Comm::new(b"test"), ..Task::of(ProcKey::new(pid, start_ns), parent) };
    Box::new(Process::new(
        &task,
        Arc::new(Context::new(&task, None, &Default::default())),
        parent,
        Origin::Found,
        start_ns,
    ))
}

/// Started at its pid in nanoseconds.
fn key(pid: u32) -> ProcKey {
    ProcKey::new(pid, u64::from(pid))
}

fn tree(edges: &[(u32, u32)]) -> Tree {
    let mut tree = Tree::default();
    for &(parent, child) in edges {
        tree.insert(process(child, u64::from(child), key(parent)));
    }
    tree
}

fn pids<'a>(processes: impl Iterator<Item = &'a Process>) -> Vec<u32> {
    processes.map(|process| process.key.pid).collect()
}

fn kill(tree: &mut Tree, key: ProcKey) {
    let status = ExitStatus::Code(0);
    tree.end(key, 99, status, false, None, None);
}

#[test]
fn children_come_in_birth_order_whatever_the_order_of_arrival() {
    let tree = tree(&[(0, 1), (1, 9), (1, 4), (1, 7), (4, 5)]);
    assert_eq!(pids(tree.children(key(1), Lineage::Forked)), [4, 7, 9]);
    assert_eq!(pids(tree.children(key(1), Lineage::Kernel)), [4, 7, 9]);
    assert_eq!(tree.child_count(key(1), Lineage::Forked), 3);
    assert_eq!(pids(tree.latest_children(key(1), Lineage::Forked)), [7, 4, 9], "the last that came");
    assert_eq!(pids(tree.ancestors(key(5), Lineage::Forked)), [4, 1]);
    let walk: Vec<_> = tree.walk(Lineage::Forked).map(|v| (v.process.key.pid, v.depth, v.parent)).collect();
    assert_eq!(walk, [(1, 0, None), (4, 1, Some(0)), (5, 2, Some(1)), (7, 1, Some(0)), (9, 1, Some(0))]);
}

#[test]
fn a_child_is_a_root_until_its_parent_comes() {
    let mut tree = tree(&[(3, 4), (3, 5)]);
    assert_eq!(pids(tree.roots(Lineage::Forked)), [4, 5]);
    assert!(tree.get(key(3)).is_none() && tree.parent(key(4), Lineage::Forked).is_none());
    assert_eq!(tree.children(key(3), Lineage::Forked).count(), 0);
    assert_eq!((tree.len(), tree.live(), tree.iter().count()), (2, 2, 2));
    tree.insert(process(3, 3, ProcKey::SWAPPER));
    assert_eq!(pids(tree.roots(Lineage::Forked)), [3]);
    assert_eq!(pids(tree.children(key(3), Lineage::Forked)), [4, 5]);
}

#[test]
fn the_lineages_part_and_join_again() {
    let mut tree = tree(&[(0, 1), (1, 2), (2, 3)]);
    assert!(tree.set_kernel_parent(key(3), key(1)));
    assert!(!tree.set_kernel_parent(key(3), key(1)), "no news");
    assert_eq!(pids(tree.children(key(2), Lineage::Forked)), [3]);
    assert_eq!(pids(tree.children(key(2), Lineage::Kernel)), [] as [u32; 0]);
    assert_eq!(pids(tree.children(key(1), Lineage::Kernel)), [2, 3]);
    assert_eq!(pids(tree.children(key(1), Lineage::Forked)), [2]);
    tree.set_kernel_parent(key(3), key(2));
    assert_eq!(pids(tree.children(key(2), Lineage::Kernel)), [3]);
    assert_eq!(pids(tree.children(key(1), Lineage::Kernel)), [2]);
    tree.set_kernel_parent(key(3), ProcKey::SWAPPER);
    assert_eq!(pids(tree.roots(Lineage::Kernel)), [1, 3]);
}

#[test]
fn i2_a_parent_that_is_not_older_is_none() {
    let mut tree = tree(&[(0, 1), (1, 12), (12, 13)]);
    tree.set_forker(key(1), key(13));
    tree.set_kernel_parent(key(1), key(1));
    assert_eq!(pids(tree.ancestors(key(13), Lineage::Forked)), [12, 1]);
    assert_eq!(pids(tree.ancestors(key(13), Lineage::Kernel)), [12, 1]);
    tree.insert(process(14, 1, key(1)));
    assert_eq!(pids(tree.children(key(1), Lineage::Forked)), [14, 12], "of one instant, the lower pid is the older");
    tree.set_forker(key(1), ProcKey::new(14, 1));
    assert_eq!(pids(tree.roots(Lineage::Forked)), [1]);
}

#[test]
fn i1_the_youngest_of_a_pid_is_the_one_that_may_live() {
    let mut tree = Tree::default();
    tree.insert(process(7, 10, ProcKey::SWAPPER));
    assert_eq!(tree.live_by_pid(7).map(|process| process.key.start_ns), Some(10));
    kill(&mut tree, ProcKey::new(7, 10));
    assert!(tree.live_by_pid(7).is_none());
    tree.insert(process(7, 20, ProcKey::SWAPPER));
    assert_eq!(tree.live_by_pid(7).map(|process| process.key.start_ns), Some(20));
    assert_eq!((tree.len(), tree.live()), (2, 1));
    tree.remove(ProcKey::new(7, 20));
    assert!(tree.live_by_pid(7).is_none());
    assert_eq!((tree.len(), tree.live()), (1, 0));
}

#[test]
fn a_rebuild_changes_nothing_that_can_be_seen() {
    let mut tree = tree(&[(0, 1), (1, 2)]);
    for pid in 3..60 {
        tree.insert(process(pid, u64::from(pid), key(if pid % 2 == 0 { 1 } else { 2 })));
        tree.set_kernel_parent(key(pid), key(if pid % 3 == 0 { 1 } else { 80 }));
    }
    for pid in 3..60 {
        if pid % 5 != 0 {
            assert_eq!(tree.remove(key(pid)).map(|process| process.key.pid), Some(pid));
            assert!(tree.remove(key(pid)).is_none());
        }
    }
    assert!(tree.graph.node_count() < 20 && tree.tombstones <= 5, "{} nodes", tree.graph.node_count());
    assert_eq!(pids(tree.children(key(1), Lineage::Forked)), [2, 10, 20, 30, 40, 50]);
    assert_eq!(pids(tree.children(key(2), Lineage::Forked)), [5, 15, 25, 35, 45, 55]);
    assert_eq!(pids(tree.children(key(1), Lineage::Kernel)), [2, 15, 30, 45]);
    assert_eq!(tree.len(), 13);
    tree.insert(process(80, 1, ProcKey::SWAPPER));
    assert_eq!(tree.children(ProcKey::new(80, 80), Lineage::Kernel).count(), 0, "another 80");
}

#[test]
fn a_removed_parent_leaves_its_children_to_themselves() {
    let mut tree = tree(&[(0, 1), (1, 2), (2, 3)]);
    tree.set_kernel_parent(key(3), key(1));
    assert!(tree.remove(key(1)).is_some());
    assert_eq!(pids(tree.roots(Lineage::Forked)), [2]);
    assert_eq!(pids(tree.roots(Lineage::Kernel)), [2, 3]);
}
