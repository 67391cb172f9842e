//! Tests of who leaves the tree and when.

use crate::testing::{SECOND, Scene};
use crate::tree::Lineage;
use crate::{AlertRule, Config, Delta};

fn scene(keep_s: u64, keep_max: usize) -> Scene {
    Scene::new(Config { keep_ns: keep_s * SECOND, keep_max, ..Config::default() })
}

fn removed(deltas: &[Delta]) -> Vec<u32> {
    deltas.iter().filter_map(|d| if let Delta::Removed { key, .. } = d { Some(key.pid) } else { None }).collect()
}

#[test]
fn the_dead_leave_when_their_time_is_up_and_not_before() {
    let mut scene = scene(10, 100);
    scene.play("found 1 0\nfork 1 2\nfork 1 3\nat 5\nexit 3\nexit 2");
    assert_eq!(removed(&scene.play("at 14\ntick")), [] as [u32; 0]);
    let deltas = scene.play("at 15\ntick");
    assert_eq!(deltas, [Delta::Removed { key: scene.key(3), forker: scene.key(1), kernel_parent: scene.key(1) }]);
    assert_eq!(removed(&scene.play("at 16\ntick")), [2]);
    assert_eq!(scene.shape(Lineage::Forked), "1");
    assert_eq!((scene.engine.stats().live, scene.engine.stats().dead), (1, 0));
}

#[test]
fn i6_ancestors_of_the_living_stay_and_leave_with_the_last_of_them() {
    let mut scene = scene(10, 0);
    scene.play("found 1 0\nfork 1 2\nfork 2 3\nfork 3 4\nfork 3 5\nexit 2\nexit 3\nparent 4 1\nparent 5 1");
    assert_eq!(removed(&scene.play("at 1000\ntick")), [] as [u32; 0]);
    assert_eq!(scene.shape(Lineage::Forked), "1(2+(3+(4 5)))");
    assert_eq!(removed(&scene.play("exit 4")), [4], "over the cap at once");
    assert_eq!(removed(&scene.play("exit 5")), [5, 3, 2]);
    assert_eq!(scene.shape(Lineage::Kernel), "1");
}

#[test]
fn the_dead_stay_for_dead_children_whose_time_is_not_up() {
    let mut scene = scene(10, 100);
    scene.play("found 1 0\nfork 1 2\nfork 2 3\nexit 2\nat 50\nexit 3");
    assert_eq!(removed(&scene.play("at 59\ntick")), [] as [u32; 0]);
    assert_eq!(removed(&scene.play("at 60\ntick")), [3, 2]);
}

#[test]
fn over_the_cap_the_oldest_leaf_goes_first() {
    let mut scene = scene(1000, 2);
    scene.play("found 1 0\nfork 1 2\nfork 2 3\nfork 1 4\nfork 1 5\nfork 1 6\nexit 2\nexit 4\nexit 5");
    assert_eq!(removed(&scene.play("exit 6")), [4], "2 ended first, but a living one descends from it");
    assert_eq!(removed(&scene.play("exit 3")), [5, 6], "2 ended first, but has a child");
    assert_eq!(scene.shape(Lineage::Forked), "1(2+(3+))");
}

/// Each process forks the next and exits: a chain down to `last`.
fn hop(scene: &mut Scene, last: u32) -> Vec<Delta> {
    (3..=last).flat_map(|pid| scene.play(&format!("fork {} {pid}\nexit {}", pid - 1, pid - 1))).collect()
}

#[test]
fn i6_a_chain_of_forkers_that_exit_is_bounded_and_pushes_nobody_out() {
    let config = Config { keep_ns: u64::MAX, keep_max: 5, pinned_max: 100, ..Config::default() };
    let mut scene = Scene::new(config);
    scene.play("found 1 0\nfork 1 5001\nfork 1 5002\nexit 5001\nexit 5002\nfork 1 2");
    let deltas = hop(&mut scene, 3000);
    assert_eq!(removed(&deltas), (2..=2899).collect::<Vec<_>>(), "2,998 dead, the 100 latest stay");
    assert_eq!(scene.engine.stats().dead, 102);
    for pid in [5001, 5002, 3000, 2900] {
        assert!(scene.engine.tree().get(scene.key(pid)).is_some(), "{pid} stays in sight");
    }
    let (first, second) = (scene.get(2900), scene.get(2901));
    assert_eq!((first.forker(), first.generations_left_out()), (scene.key(2899), 2898));
    assert_eq!(scene.engine.tree().parent(first.key, Lineage::Forked).map(|parent| parent.key.pid), Some(1));
    assert_eq!((second.forker(), second.generations_left_out()), (first.key, 0));
    let lines: Vec<_> = scene.engine.tree().ancestors(scene.key(3000), Lineage::Forked).collect();
    assert_eq!((lines.len(), lines.last().map(|process| process.key.pid)), (101, Some(1)));
    // With the last of them all are free, and count as any other.
    scene.play("exit 3000");
    assert_eq!((scene.engine.stats().dead, scene.engine.tree().pinned()), (5, 0));
}

#[test]
fn i6_who_is_left_out_hands_its_children_to_its_parent_and_says_so() {
    let mut scene = Scene::new(Config { keep_max: 10, pinned_max: 1, ..Config::default() });
    scene.play("found 1 0\nfork 1 2\nfork 2 3\nfork 2 4\nfork 3 5\nfork 2 6\nexit 6\nexit 2");
    let deltas = scene.play("parent 3 1\nparent 4 1\nexit 3");
    let moved = [3, 4, 6].map(|pid| Delta::Moved(scene.key(pid)));
    assert!(moved.iter().all(|delta| deltas.contains(delta)), "{deltas:?}");
    assert_eq!(
        deltas.last(),
        Some(&Delta::Removed { key: scene.key(2), forker: scene.key(1), kernel_parent: scene.key(1) })
    );
    assert_eq!(scene.shape(Lineage::Forked), "1(3+(5) 4 6+)");
    assert_eq!(scene.shape(Lineage::Kernel), "1(3+(5) 4 6+)");
    assert_eq!([3, 4, 5, 6].map(|pid| scene.get(pid).generations_left_out()), [1, 1, 0, 1]);
    // It stays where it hangs when the kernel finds it another parent, and selection goes up to there.
    scene.play("parent 4 3");
    assert_eq!(scene.shape(Lineage::Forked), "1(3+(5) 4 6+)");
    let deltas = scene.play("exit 4\nat 200\ntick");
    assert!(
        deltas.contains(&Delta::Removed { key: scene.key(4), forker: scene.key(1), kernel_parent: scene.key(3) }),
        "{deltas:?}"
    );
}

#[test]
fn i6_forks_of_those_left_out_count_for_who_is_left() {
    let alert = AlertRule { window_ns: 1000 * SECOND, ..AlertRule::default() };
    let mut scene = Scene::new(Config { pinned_max: 1, alert, ..Config::default() });
    scene.play("found 1 0\nfork 1 2");
    hop(&mut scene, 6);
    let rate = |pid| scene.engine.spawns_per_s(scene.key(pid));
    assert_eq!(scene.shape(Lineage::Forked), "1(5+(6))");
    assert!(rate(5) > 0.0 && (rate(1) / rate(5) - 4.0).abs() < 1e-9, "its own, and those of 2, 3 and 4");
    assert_eq!([2, 3, 4].map(rate), [0.0; 3]);
}

#[test]
fn the_arguments_of_the_dead_are_bounded_and_the_oldest_go_first() {
    let keep_bytes = 1 << 20;
    let mut scene = Scene::new(Config { keep_bytes, ..Config::default() });
    scene.play("found 1 0");
    let argument = "x".repeat(30_000);
    for pid in 2..2_002 {
        scene.clock_ns = 0; // All within the time that the dead are kept.
        scene.play(&format!("fork 1 {pid}"));
        let exec = scene.event(&["exec", &pid.to_string(), &argument]);
        scene.engine.ingest(&exec, &mut Vec::new());
        scene.play(&format!("exit {pid}"));
        assert!(scene.engine.stats().dead_bytes <= keep_bytes);
    }
    let kept: Vec<_> = scene.engine.tree().iter().map(|process| process.key.pid).filter(|&pid| pid > 1).collect();
    assert_eq!(kept.len() as u64, (keep_bytes - 30_000) / 30_001, "the argument of each, and one path");
    assert!(kept.iter().all(|&pid| pid > 1_900), "{kept:?}");
}

#[test]
fn ancestors_of_the_living_may_have_half_of_the_bytes() {
    let mut scene = Scene::new(Config { keep_bytes: 100_000, ..Config::default() });
    scene.play("found 1 0\nfork 1 900\nexec 900 sh\nexit 900\nfork 1 2");
    let argument = "x".repeat(4_999);
    for pid in 3..100 {
        scene.play(&format!("exec {} {argument}\nfork {} {pid}\nexit {}", pid - 1, pid - 1, pid - 1));
        assert!(scene.engine.tree().pinned_bytes() <= 50_000);
    }
    assert!(
        scene.engine.tree().pinned() >= 3,
        "what a child inherits is its forker's: {}",
        scene.engine.tree().pinned()
    );
    assert_eq!(scene.get(900).key.pid, 900, "stays in sight");
}

#[test]
fn an_inherited_program_counts_once_however_many_share_it() {
    let mut scene = scene(1000, 1000);
    scene.play(&format!("found 1 0\nexec 1 sh {}", "x".repeat(9_994)));
    for pid in 2..100 {
        scene.play(&format!("fork 1 {pid}\nexit {pid}"));
    }
    assert_eq!(scene.engine.stats().dead_bytes, 10_009, "sh with what stands before it, and sh with its argument");
    scene.play("at 5000\ntick");
    assert_eq!((scene.engine.stats().dead, scene.engine.stats().dead_bytes), (0, 0));
}

#[test]
fn what_is_learnt_of_the_dead_is_weighed() {
    let mut scene = scene(10, 100);
    scene.play("found 1 0\nfork 1 2\nexit 2");
    let mut late = scene.event(&["found", "2", "1"]);
    if let crate::Event::Process(found) = &mut late {
        found.argv = Some(crate::Argv::from_args(["abcd"]));
    }
    scene.engine.ingest(&late, &mut Vec::new());
    assert_eq!(scene.engine.stats().dead_bytes, 5);
    scene.play("at 100\ntick");
    assert_eq!(scene.engine.stats().dead_bytes, 0);
}

#[test]
fn a_late_child_keeps_a_dead_parent() {
    let mut scene = scene(10, 100);
    scene.play("found 1 0\nfork 1 2");
    scene.clock_ns += SECOND;
    let late = scene.event(&["fork", "2", "3"]);
    scene.play("exit 2");
    scene.engine.ingest(&late, &mut Vec::new());
    assert_eq!(removed(&scene.play("at 100\ntick")), [] as [u32; 0]);
    assert_eq!(removed(&scene.play("exit 3\nat 200\ntick")), [3, 2]);
}

#[test]
fn an_end_corrected_in_time_counts_from_then() {
    let mut scene = scene(10, 100);
    scene.play("found 1 0\nfork 1 2\nat 20\nend 2\nat 15\nexit 2");
    assert_eq!(removed(&scene.play("at 25\ntick")), [2]);
}

#[test]
fn i8_news_of_one_that_has_left_raises_no_ghost() {
    let mut scene = scene(0, 0);
    scene.play("found 1 0");
    scene.clock_ns += SECOND;
    let older = scene.event(&["fork", "1", "2"]);
    scene.play("fork 1 2\nexit 2");
    for line in ["found 2 1", "exec 2 ls", "exit 2 1", "comm 2 x", "usage 2 3", "parent 2 1"] {
        assert_eq!(scene.play(line), [], "{line}");
    }
    let mut deltas = Vec::new();
    scene.engine.ingest(&older, &mut deltas);
    assert_eq!(deltas, [], "its pid has been used since");
    scene.play("fork 1 2");
    assert_eq!(scene.shape(Lineage::Forked), "1(2)", "a new process of that pid is another matter");
}

#[test]
fn memory_of_those_who_left_is_bounded() {
    let mut scene = scene(0, 0);
    scene.play("found 1 0");
    for pid in 2..super::REMEMBERED as u32 + 100 {
        scene.play(&format!("fork 1 {pid}\nexit {pid}"));
    }
    let retention = &scene.engine.retention;
    assert_eq!((retention.gone.len(), retention.gone_order.len()), (super::REMEMBERED, super::REMEMBERED));
    assert!(retention.ripe.is_empty() && retention.late.is_empty());
}

#[test]
fn to_leave_out_a_chain_above_many_moves_few() {
    let mut scene = Scene::new(Config { pinned_max: 10, ..Config::default() });
    scene.play("found 1 0\nevery 1us");
    for pid in 2..=200 {
        scene.play(&format!("fork {} {pid}", pid - 1));
    }
    for n in 0..500 {
        scene.play(&format!("fork 200 {}", 1000 + n));
    }
    // The chain dies from below.
    let deltas: Vec<_> = (2..=200).rev().flat_map(|pid| scene.play(&format!("exit {pid}"))).collect();
    let moved = deltas.iter().filter(|delta| matches!(delta, Delta::Moved(_))).count();
    assert!(moved < 1000, "{moved}");
    assert_eq!(scene.engine.tree().pinned(), 10);
    assert_eq!(scene.get(1000).generations_left_out(), 0, "its forker is one of the last");
}

#[test]
fn it_is_told_while_a_cap_makes_the_dead_leave_before_their_time() {
    let mut scene = scene(60, 3);
    let cut = |scene: &Scene| scene.engine.stats().cut_short_ns.map(|ns| ns / 1_000_000);
    scene.play("found 1 0");
    let mut pid = 10;
    let mut lives = |scene: &mut Scene, count| {
        for _ in 0..count {
            pid += 1;
            scene.play(&format!("fork 1 {pid}\nexit {pid}"));
        }
        scene.play("tick");
    };
    lives(&mut scene, 3);
    assert_eq!(cut(&scene), None, "nobody has left yet");
    lives(&mut scene, 3);
    assert_eq!(cut(&scene), Some(7000), "three lives and a tick, a second for each line");
    scene.clock_ns += SECOND;
    scene.play("tick");
    assert_eq!(cut(&scene), Some(7000));
    scene.clock_ns += 5 * SECOND;
    scene.play("tick");
    assert_eq!(cut(&scene), None);
    // Who leaves in time is not cut short, even if there are too many.
    scene.clock_ns += 60 * SECOND;
    lives(&mut scene, 1);
    assert_eq!(cut(&scene), None);
}
