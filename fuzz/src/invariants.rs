//! What holds of an engine after any events (invariants I1, I2, I5, I6 and I8), and of the rows made of its tree (I4).

use std::collections::HashSet;

use ptree_core::{Engine, Image, Lifecycle, Lineage, ProcKey, Process, Row, Rows, Tally, Tree};

pub(crate) const LINEAGES: [Lineage; 2] = [Lineage::Forked, Lineage::Kernel];

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

/// Checks that the rows are lines of a tree (parents above their children, nothing twice), and that rows which follow the
/// tree are those that are made of it at once (I4). Rows that are held need not be in the same order.
pub(crate) fn check_rows(rows: &Rows, engine: &Engine, held: bool) {
    let mut seen = HashSet::new();
    let all: Vec<Row> = rows.iter().collect();
    assert_eq!(all.len(), rows.len());
    for (index, row) in all.iter().enumerate() {
        assert!(seen.insert(row.id), "twice: {row:?}");
        assert!(engine.tree().get(row.id.nearest()).is_some(), "gone: {row:?}");
        assert_eq!((rows.get(index).as_ref(), rows.position(row.id)), (Some(row), Some(index)));
        let parent = rows.parent(index);
        assert!(parent.is_none_or(|parent| parent < index && !all[parent].folded), "{row:?}");
        assert_eq!(row.depth, parent.map_or(0, |parent| all[parent].depth + 1));
        assert!(!row.folded || row.has_children, "{row:?}");
    }
    let mut next = 0;
    rows.window(0..all.len() + 1, usize::MAX, |index, row, guides| {
        assert_eq!((index, row), (next, &all[index]));
        assert_eq!(guides.len(), usize::try_from(row.depth).unwrap_or(usize::MAX));
        next += 1;
    });
    assert_eq!(next, all.len());
    let mut anew = rows.clone();
    anew.invalidate();
    anew.refresh(engine.tree(), |_| "");
    if held {
        assert_eq!(anew.iter().map(|row| row.id).collect::<HashSet<_>>(), seen, "I4");
    } else {
        assert_eq!(anew.iter().collect::<Vec<_>>(), all, "I4");
    }
    assert_eq!(anew.wanted(), rows.wanted(), "I4");
}

/// Checks that the sums over each subtree, which were taken for these rows since anything changed, are those of a
/// recursion.
pub(crate) fn check_totals(rows: &Rows, engine: &Engine) {
    let tree = engine.tree();
    for process in tree.iter() {
        let totals = rows.totals(tree, process.key);
        let found = totals.map(|totals| (totals.alive, totals.measured, totals.rss_bytes, totals.tally));
        assert_eq!(found, Some(totals_of(tree, process, rows.look().lineage)), "{:?}", process.key);
    }
}

/// How many are alive at and below one, how many of these are measured, their memory, and what all came to.
fn totals_of(tree: &Tree, process: &Process, lineage: Lineage) -> (u64, u64, u64, Tally) {
    let alive = process.is_alive();
    let left = tree.departed(process.key, lineage).iter().fold(Tally::default(), |all, (_, left)| all.and(left.all));
    let measured = (alive && process.is_measured()).into();
    let own = (alive.into(), measured, process.rss_bytes().unwrap_or(0), Tally::of(process).and(left));
    let below = tree.children(process.key, lineage).map(|child| totals_of(tree, child, lineage));
    below.fold(own, |a, b| (a.0 + b.0, a.1 + b.1, a.2.saturating_add(b.2), a.3.and(b.3)))
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
