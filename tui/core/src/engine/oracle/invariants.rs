//! What holds after every event whatever the oracle says.

use super::*;
use crate::engine::churn::Toll;
use crate::process::Image;

/// What holds of the engine whatever the oracle says.
pub(super) fn check(engine: &Engine) {
    let (tree, stats) = (engine.tree(), engine.stats());
    let alive: Vec<_> = tree.iter().filter(|process| process.is_alive()).collect();
    for process in &alive {
        let live = tree.live_by_pid(process.key.pid).map(|process| process.key);
        assert_eq!(live, Some(process.key), "I1: the only one alive of its pid");
    }
    for lineage in [Lineage::Forked, Lineage::Kernel] {
        let walk: Vec<_> = tree.walk(lineage).collect();
        assert_eq!(walk.len(), tree.len(), "I2: whoever is on a cycle is under no root");
        for (index, visit) in walk.iter().enumerate() {
            assert!(visit.parent.is_none_or(|parent| parent < index));
            let parent = visit.parent.map(|parent| walk[parent].process.key);
            assert_eq!(parent, tree.parent(visit.process.key, lineage).map(|process| process.key));
            assert_eq!(visit.depth, tree.ancestors(visit.process.key, lineage).count());
        }
    }
    let count = |n: usize| u64::try_from(n).unwrap();
    assert_eq!((stats.live, stats.dead), (count(alive.len()), count(tree.len() - alive.len())));
    assert_eq!(tree.live(), alive.len());
    assert_eq!(stats.forks + stats.found - stats.exits, stats.live, "I5");
    for (uid, user) in &stats.users {
        assert_eq!(user.live, count(alive.iter().filter(|process| process.creds().uid == *uid).count()), "I5: {uid}");
    }
    let sum = |of: fn(&crate::UidStats) -> u64| stats.users.values().map(of).sum::<u64>();
    let sums = (sum(|user| user.spawned), sum(|user| user.exited), sum(|user| user.failed));
    assert_eq!(sums, (stats.forks, stats.exits, stats.failed), "I5");
    let dead_cpu_ns = sum(|user| user.dead_cpu_ns);
    let (launchers, programs) = (engine.churn().launchers(), engine.churn().programs());
    let tolls = |of: fn(&Toll) -> u64| {
        let kept = launchers.iter().map(|(_, account)| of(&account.toll)).sum::<u64>();
        let named = programs.iter().map(|(_, account)| of(&account.toll)).sum::<u64>();
        (kept + of(launchers.rest()), named + of(programs.rest()))
    };
    assert_eq!(tolls(|toll| toll.spawned), (stats.forks, stats.forks), "every fork has its launcher");
    assert_eq!(tolls(|toll| toll.finished), (stats.exits, stats.exits));
    assert_eq!(tolls(|toll| toll.cpu_ns), (dead_cpu_ns, dead_cpu_ns));
    for process in tree.iter() {
        let execs: Vec<_> = process.images().filter_map(Image::since_ns).collect();
        assert!(execs.is_sorted() && execs.iter().all(|&exec_ns| exec_ns >= process.key.start_ns), "I8");
        if let Lifecycle::Exited { at_ns, .. } = process.life() {
            assert!(at_ns >= execs.last().copied().unwrap_or(process.key.start_ns), "I8");
        }
    }
}

/// The deltas tell all that changed, and nothing for a process that did not.
pub(super) fn check_deltas(before: &[Node], after: &Oracle, deltas: &[Delta], told: &mut Vec<ProcKey>) {
    let mut touched = Vec::new();
    for delta in deltas {
        match delta {
            Delta::Added(key) => told.push(*key),
            Delta::Removed { key, .. } => told.retain(|told| told != key),
            Delta::Ended(key) | Delta::Changed(key) | Delta::Measured(key) | Delta::Moved(key) => touched.push(*key),
            Delta::Alert(_) => panic!("switched off"),
        }
    }
    let mut keys: Vec<_> = after.nodes.iter().map(|node| node.key).collect();
    keys.sort();
    told.sort();
    assert_eq!(keys, *told);
    for node in &after.nodes {
        let Some(old) = before.iter().find(|old| old.key == node.key) else { continue };
        if (Node { as_of_ns: 0, ..old.clone() }) != (Node { as_of_ns: 0, ..node.clone() }) {
            assert!(touched.contains(&node.key), "{node:?} changed, but {deltas:?}");
        }
    }
}

/// I6: the caps are kept; only the dead leave, and nobody from whom a living one descends but over a cap.
pub(super) fn check_bounds(before: &[Node], engine: &Engine, deltas: &[Delta]) {
    let (tree, config) = (engine.tree(), engine.config());
    assert!(tree.pinned() <= config.pinned_max);
    assert!(tree.len() - tree.live() - tree.zombies() - tree.pinned() <= config.keep_max);
    assert!(engine.stats().dead_bytes <= config.keep_bytes);
    let unbounded = config.pinned_max == 1000 && config.keep_bytes == 1000;
    for gone in before.iter().filter(|node| tree.get(node.key).is_none()) {
        assert!(
            !gone.is_there()
                || deltas
                    .iter()
                    .any(|delta| matches!(delta, Delta::Ended(key) | Delta::Changed(key) if *key == gone.key)),
            "{gone:?}"
        );
        let is_child = |process: &&Process| process.forker() == gone.key;
        for child in tree.iter().filter(is_child).filter(|child| gone.key.birth() < child.key.birth()) {
            assert!(!unbounded && child.generations_left_out() > 0, "{child:?}");
        }
    }
    if unbounded {
        assert!(tree.iter().all(|process| process.generations_left_out() == 0));
    }
}
