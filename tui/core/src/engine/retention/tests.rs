//! Tests of who leaves the tree and when.

use crate::testing::{SECOND, Scene};
use crate::tree::Lineage;
use crate::{Config, Delta};

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
    assert_eq!(
        deltas,
        [Delta::Removed { key: scene.key(3), forker: Some(scene.key(1)), kernel_parent: Some(scene.key(1)) }]
    );
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
    scene.play("found 1 0\nfork 1 2\nfork 2 3\nfork 1 4\nfork 1 5\nexit 2\nexit 4");
    assert_eq!(removed(&scene.play("exit 5")), [4], "2 ended first, but has a child");
    assert_eq!(removed(&scene.play("exit 3")), [5]);
    assert_eq!(scene.shape(Lineage::Forked), "1(2+(3+))");
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
    assert!(retention.ripe.is_empty());
}
