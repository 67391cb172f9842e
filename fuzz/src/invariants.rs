//! What holds of an engine after any events (invariants I1, I2, I5, I6 and I8), and of the rows made of its tree.

use std::collections::HashSet;

use ptree_core::rows::RowOptions;
use ptree_core::{Engine, Filter, Folds, Lifecycle, Lineage, ProcKey, Rows};

const LINEAGES: [Lineage; 2] = [Lineage::Forked, Lineage::Kernel];

/// Checks them.
pub(crate) fn check(engine: &Engine) {
    let (tree, stats, config) = (engine.tree(), engine.stats(), engine.config());
    let mut alive = 0;
    let mut pids = HashSet::new();
    for process in tree.iter() {
        let mut last_ns = process.key.start_ns;
        for since_ns in process.images().filter_map(Image::since_ns) {
            assert!(since_ns >= last_ns, "I8: {process:?}");
            last_ns = since_ns;
        }
        match process.life() {
            Lifecycle::Running => {
                alive += 1;
                assert!(pids.insert(process.key.pid), "I1: two alive are {}", process.key.pid);
                assert_eq!(tree.live_by_pid(process.key.pid).map(|process| process.key), Some(process.key), "I1");
            }
            Lifecycle::Exited { at_ns, .. } => assert!(at_ns >= last_ns, "I8: {process:?}"),
        }
    }
    for lineage in LINEAGES {
        let mut walked: Vec<ProcKey> = Vec::with_capacity(tree.len());
        for visit in tree.walk(lineage) {
            let parent = visit.parent.map(|parent| walked[parent]);
            let expected = tree.parent(visit.process.key, lineage).map(|process| process.key);
            assert_eq!(parent, expected, "I2: {:?}", visit.process.key);
            walked.push(visit.process.key);
        }
        let distinct: HashSet<_> = walked.iter().collect();
        assert_eq!((walked.len(), distinct.len()), (tree.len(), tree.len()), "I2: a cycle hangs under no root");
    }
    assert_eq!((tree.live(), stats.live), (alive, count(alive)), "I5");
    assert_eq!(stats.dead, count(tree.len() - alive), "I5");
    assert_eq!(stats.forks + stats.found - stats.exits, stats.live, "I5");
    assert_eq!(stats.users.values().map(|user| user.live).sum::<u64>(), stats.live, "I5");
    assert!(tree.pinned() <= config.pinned_max, "I6");
    assert!(tree.len() - alive - tree.pinned() <= config.keep_max, "I6");
    assert!(stats.dead_bytes <= config.keep_bytes, "I6");
}

/// Checks that the rows are lines of a tree: parents above their children, nothing twice, and what a fold hides is what
/// is there without it.
pub(crate) fn check_rows(engine: &Engine, folded: impl Fn(ProcKey) -> bool, filter: &Filter, switches: u8) {
    let tree = engine.tree();
    let mut folds = Folds::default();
    folds.set_all(switches & 8 != 0);
    for key in tree.iter().map(|process| process.key) {
        folds.set(key, folded(key));
    }
    let lineage = LINEAGES[usize::from(switches & 1)];
    let options = RowOptions { lineage, folds: &folds, filter, kernel: switches & 2 != 0, dead: switches & 4 != 0 };
    let none = Folds::default();
    let rows = Rows::build(tree, options, |_| "");
    let unfolded = Rows::build(tree, RowOptions { folds: &none, ..options }, |_| "");
    let mut seen = HashSet::new();
    for (index, row) in rows.as_slice().iter().enumerate() {
        assert!(seen.insert(row.key), "twice: {row:?}");
        assert!(tree.get(row.key).is_some() && unfolded.position(row.key).is_some());
        let parent = rows.parent(index).map(|parent| &rows.as_slice()[parent]);
        assert!(parent.is_none_or(|parent| seen.contains(&parent.key) && !parent.folded));
        assert_eq!(row.depth, parent.map_or(0, |parent| parent.depth + 1));
        assert_eq!(rows.guides(index).len(), usize::from(row.depth));
        assert!(!row.folded || row.has_children);
    }
    let hidden: u32 = rows.as_slice().iter().map(|row| row.hidden).sum();
    let missing = unfolded.len() - rows.len();
    // Ancestors that only come along are not counted as hidden.
    assert!(usize::try_from(hidden).is_ok_and(|hidden| hidden <= missing));
    assert_eq!(hidden == 0, missing == 0);
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
