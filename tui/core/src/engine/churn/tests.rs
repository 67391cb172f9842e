//! Tests of the sums by launcher. That they add up after any events is for the engine's `oracle` to show.

use super::*;
use crate::testing::{SECOND, Scene};

/// `(spawned, finished, failed, CPU ms)` of a pid in the script.
fn sums(scene: &Scene, pid: u32) -> Option<(u64, u64, u64, u64)> {
    let churn = scene.engine.churn();
    let (_, account) = churn.launchers().iter().find(|(key, _)| *key == scene.key(pid))?;
    let Toll { spawned, finished, failed, cpu_ns, .. } = account.toll;
    Some((spawned, finished, failed, cpu_ns / 1_000_000))
}

#[test]
fn children_count_for_their_launcher_and_for_its_name_even_after_all_have_left_the_tree() {
    let mut scene = Scene::of("found 1 0 -- init\nfork 1 2\nexec 2 make\nfork 1 3\nexec 3 make");
    scene.play("fork 2 10\nfork 2 11\nexit 10 cpu=30ms\nexit 11 1 cpu=5ms\nfork 3 12\nexit 12 cpu=7ms\nexit 2\nexit 3");
    for _ in 0..200 {
        scene.play("tick");
    }
    assert_eq!(scene.engine.tree().len(), 1, "but for init");
    assert_eq!(sums(&scene, 2), Some((2, 2, 1, 35)));
    assert_eq!(sums(&scene, 3), Some((1, 1, 0, 7)));
    let programs = scene.engine.churn().programs();
    let (_, make) = programs.iter().find(|(comm, _)| comm.as_bytes() == b"make").unwrap();
    let expected = Toll { spawned: 3, finished: 3, failed: 1, cpu_ns: 42_000_000, longest_ns: make.toll.longest_ns };
    assert_eq!(make.toll, expected);
    assert_eq!((make.toll.longest_ns, make.comm.as_bytes()), (2 * SECOND, b"make".as_slice()));
}

#[test]
fn the_rate_is_that_of_the_last_two_seconds() {
    let mut scene = Scene::of("found 1 0\nevery 100ms");
    for pid in 100..140 {
        scene.play(&format!("fork 1 {pid}"));
    }
    let rate = |scene: &Scene, now_ns| {
        scene.engine.churn().launchers().iter().map(|(_, account)| account.spawns_per_s(now_ns)).sum::<f64>()
    };
    assert!((rate(&scene, scene.clock_ns) - 10.0).abs() < 1.0);
    assert!(rate(&scene, scene.clock_ns + 60 * SECOND).abs() < f64::EPSILON);
}

#[test]
fn of_too_many_the_costly_and_the_busy_stay_and_the_rest_is_told_as_such() {
    let mut churn = Churn::default();
    let key = |pid| ProcKey::new(pid, 1);
    let cost = Ended { first: true, cpu_ns: SECOND, ..Ended::default() };
    churn.ended(key(1), Some(Comm::new(b"dear")), cost, 1);
    for n in 0..1000 {
        churn.forked(key(2), Comm::new(b"busy"), SECOND);
        churn.forked(key(100 + n), Comm::new(b"once"), SECOND);
    }
    let launchers = churn.launchers();
    assert!(launchers.iter().count() <= 2 * ACCOUNTS);
    let find = |pid| launchers.iter().find(|(launcher, _)| *launcher == key(pid)).map(|(_, account)| account.toll);
    assert_eq!(find(1).map(|toll| toll.cpu_ns), Some(SECOND));
    assert_eq!(find(2).map(|toll| toll.spawned), Some(1000));
    let all = launchers.iter().map(|(_, account)| account.toll.spawned).sum::<u64>() + launchers.rest().spawned;
    assert_eq!(all, 2000);
}

#[test]
fn a_failure_that_was_none_is_taken_back_wherever_it_was_counted() {
    let failure = Ended { first: true, failed: [true, false], ..Ended::default() };
    let correction = Ended { failed: [false, true], ..Ended::default() };
    let key = |pid| ProcKey::new(pid, 1);
    for forgotten in [false, true] {
        let mut churn = Churn::default();
        churn.ended(key(1), None, failure, 1);
        for pid in 0..if forgotten { 100 } else { 0 } {
            churn.forked(key(10 + pid), Comm::default(), SECOND);
        }
        churn.ended(key(1), None, correction, 2);
        let launchers = churn.launchers();
        let failed = launchers.iter().map(|(_, account)| account.toll.failed).sum::<u64>() + launchers.rest().failed;
        assert_eq!(failed, 0);
    }
}
