//! Tests of the sums: against a naive recursion, and that nothing is lost with those who leave the tree.

use proptest::prelude::*;

use super::*;
use crate::Config;
use crate::testing::{Scene, totals};

/// Whatever happens, to processes known or not.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let line = (0..10_u8, 1..30_u32, 1..30_u32).prop_map(|(kind, a, b)| match kind {
        0..3 => format!("fork {a} {b}"),
        3 => format!("found {a} {b}"),
        4..7 => format!("exit {a} {} read={b} write=2K", b % 3),
        7 => format!("usage {a} {b} rss={b}M"),
        8 => format!("wait {b}s"),
        _ => format!("parent {a} {b}"),
    });
    prop::collection::vec(line, 1..80)
}

/// Something that makes sense: who is meant, among those alive, and how.
type Deed = (u8, prop::sample::Index, u32);

/// Forks, ends and measurements of processes that live: each pid is used once.
fn story(deeds: &[Deed]) -> String {
    let mut alive = vec![1];
    let mut script = "found 1 0\n".to_owned();
    for (pid, (kind, whom, figure)) in (2..).zip(deeds) {
        let at = whom.index(alive.len());
        script += &match kind {
            0..4 => {
                alive.push(pid);
                format!("fork {} {pid}\n", alive[at])
            }
            4..8 if at > 0 => {
                let whom = alive.remove(at);
                format!("exit {whom} {} cpu={figure}ms read={figure} write=2K\n", figure % 3)
            }
            _ => format!("usage {} {figure}\n", alive[at]),
        };
    }
    script
}

proptest! {
    #[test]
    fn sums_equal_a_naive_recursion_however_the_graph_is_numbered(lines in lines()) {
        let mut scene = Scene::new(Config { keep_max: 4, pinned_max: 3, ..Config::default() });
        let mut sums = Sums::default();
        prop_assert!(sums.is_empty());
        for some in lines.chunks(20) {
            scene.play(&some.join("\n"));
            let tree = scene.engine.tree();
            for lineage in Lineage::BOTH {
                prop_assert!(!sums.is_of(tree, lineage), "of the other lineage, or of none");
                sums.refresh(tree, lineage);
                prop_assert!(sums.is_of(tree, lineage));
                for process in tree.iter() {
                    prop_assert_eq!(sums.get(tree, process.key), Some(totals(tree, process, lineage)), "{:?}", process.key);
                }
            }
        }
    }

    #[test]
    fn who_forgets_the_dead_knows_the_same_sums_as_who_keeps_them(
        deeds in prop::collection::vec((0..9_u8, any::<prop::sample::Index>(), 0..1000_u32), 1..150),
    ) {
        let script = story(&deeds);
        let mut keeps = Scene::new(Config { keep_ns: u64::MAX, ..Config::default() });
        let mut forgets = Scene::new(Config { keep_max: 2, pinned_max: 2, keep_ns: 5_000_000_000, ..Config::default() });
        for scene in [&mut keeps, &mut forgets] {
            scene.play(&script);
            scene.play("tick");
        }
        let sums = |scene: &Scene| {
            let mut sums = Sums::default();
            sums.refresh(scene.engine.tree(), Lineage::Forked);
            sums
        };
        let (all, some) = (sums(&keeps), sums(&forgets));
        for process in forgets.engine.tree().iter() {
            let [all, some] = [(&all, &keeps), (&some, &forgets)].map(|(sums, scene)| sums.get(scene.engine.tree(), process.key));
            prop_assert!(all.is_some());
            prop_assert_eq!(all, some, "{:?}\n{}", process.key, script);
        }
    }
}

#[test]
fn a_whole_build_that_has_left_is_remembered_at_whoever_started_it() {
    let mut scene = Scene::of(
        "found 1 0\nfork 1 2\nfork 2 3\nfork 3 4\nexit 4 1 cpu=3s read=1M\nexit 3 2 cpu=1s\nexit 2 0 cpu=2s\nwait 5m\ntick",
    );
    assert_eq!(scene.engine.tree().len(), 1);
    let departed = |scene: &Scene| scene.engine.tree().departed(scene.key(1), Lineage::Forked)[0].1;
    let Tally { finished, failed, spawned, cpu_ns, read_bytes, .. } = departed(&scene).all;
    assert_eq!((finished, failed, spawned, cpu_ns, read_bytes), (3, 2, 2, 6_000_000_000, 1 << 20));
    assert_eq!((departed(&scene).count, departed(&scene).failed, departed(&scene).cpu_ns), (1, 0, 2_000_000_000));
    scene.play("fork 1 5\nexit 5 1\nwait 5m\ntick");
    assert_eq!((departed(&scene).count, departed(&scene).failed, departed(&scene).all.failed), (2, 1, 3));
}

#[test]
fn each_lineage_remembers_what_went_below_it() {
    // 3 is adopted by 1, and ends there with a child of its own.
    let scene = Scene::of("found 1 0\nfork 1 2\nfork 2 3\nfork 3 4\nparent 3 1\nexit 4 1\nexit 3 0\nwait 5m\ntick");
    let tree = scene.engine.tree();
    let count =
        |pid, lineage| tree.departed(scene.key(pid), lineage).iter().map(|(_, sums)| sums.all.finished).sum::<u64>();
    assert_eq!([count(1, Lineage::Forked), count(2, Lineage::Forked)], [0, 2]);
    assert_eq!([count(1, Lineage::Kernel), count(2, Lineage::Kernel)], [2, 0]);
    let mut sums = Sums::default();
    for lineage in Lineage::BOTH {
        sums.refresh(tree, lineage);
        let finished = |pid| sums.get(tree, scene.key(pid)).map(|totals| totals.tally.finished);
        assert_eq!(finished(1), Some(2), "either way, through 2 or past it");
    }
    assert!(sums.bytes() > 0);
}
