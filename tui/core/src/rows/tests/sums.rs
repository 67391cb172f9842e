//! Sums of what is below: when they are made, what goes by them.

use super::naive::check;
use super::*;

/// Three children of one name with a child each that failed: a row of all three.
fn joined() -> (Scene, Rows) {
    let mut scene = Scene::of("found 1 0");
    for pid in [10, 20, 30] {
        let child = pid + 1;
        scene.play(&format!("fork 1 {pid}\nfork {pid} {child}\nexit {child} 1 cpu=2s\nexit {pid} 0 cpu=1s"));
    }
    let mut rows = Rows::new(Look { join_from: 2, ..Look::default() });
    rows.set_now(scene.clock_ns);
    rows.refresh(scene.engine.tree(), user);
    (scene, rows)
}

#[test]
fn i4_a_fork_counts_for_its_forker_though_the_child_is_gone_before_the_refresh() {
    let mut scene = Scene::of("found 1 0\nfound 2 1\nfound 3 1");
    let sort = Sort { by: Fact::Spawned, reversed: false };
    let mut rows = rows_of(&scene, Look { sort, ..Look::default() }, &[]);
    assert_eq!(line(&rows), "1 2 3");
    play(&mut scene, &mut rows, "fork 3 9\nexit 9\nat 1000\ntick");
    assert!(scene.engine.tree().get(scene.key(9)).is_none());
    rows.refresh(scene.engine.tree(), user);
    assert_eq!(line(&rows), "1 3 2");
    check(&rows, scene.engine.tree());
}

#[test]
fn a_joined_row_tells_what_failed_and_ran_below_its_members_wherever_it_is_by_now() {
    let (mut scene, mut rows) = joined();
    let told = |rows: &Rows| {
        let Summary { count, failed, cpu_ns, all, .. } = rows.iter().find_map(|row| row.summary).unwrap();
        (count, failed, cpu_ns / crate::testing::SECOND, all.failed, all.cpu_ns / crate::testing::SECOND)
    };
    assert_eq!(told(&rows), (3, 0, 3, 3, 9), "below them in the tree");
    // Of the first, the child leaves; then it leaves itself.
    for seconds in [52, 2] {
        scene.clock_ns += seconds * crate::testing::SECOND;
        play(&mut scene, &mut rows, "tick");
        rows.set_now(scene.clock_ns);
        rows.refresh(scene.engine.tree(), user);
        assert_eq!(told(&rows), (3, 0, 3, 3, 9));
    }
    assert_eq!(scene.engine.tree().len(), 3, "1, and the last with its child");
}

#[test]
fn sums_are_made_only_while_somebody_needs_them_and_once_a_second() {
    let mut scene = Scene::of("found 1 0\nfork 1 2");
    let mut rows = rows_of(&scene, Look::default(), &[]);
    let (one, now) = (scene.key(1), scene.clock_ns);
    assert_eq!(rows.totals(scene.engine.tree(), one), None);
    rows.want_totals(true);
    assert!(rows.is_stale());
    let mut alive = |what: &str, now| {
        play(&mut scene, &mut rows, what);
        rows.set_now(now);
        rows.refresh(scene.engine.tree(), user);
        rows.totals(scene.engine.tree(), one).map(|totals| totals.alive)
    };
    assert_eq!(alive("", now), Some(2));
    assert_eq!(alive("fork 1 3", now + 1), Some(2), "not yet");
    assert_eq!(alive("", now + crate::testing::SECOND), Some(3));
    rows.want_totals(false);
    rows.refresh(scene.engine.tree(), user);
    assert_eq!((rows.totals(scene.engine.tree(), one), rows.is_stale()), (None, false));
}

#[test]
fn siblings_sorted_by_what_is_below_them_follow_it_unless_they_are_held() {
    let mut scene = Scene::of("found 1 0\nfork 1 2\nfork 1 3\nfork 3 4\nusage 2 0\nusage 4 0\nusage 4 900");
    let sort = Sort { by: Fact::TreeTime, reversed: false };
    let mut rows = rows_of(&scene, Look { sort, ..Look::default() }, &[]);
    assert_eq!(line(&rows), "1 3 4 2");
    rows.hold(true);
    for (held, order) in [(true, "1 3 4 2"), (false, "1 2 3 4")] {
        rows.hold(held);
        play(&mut scene, &mut rows, "usage 2 2000");
        rows.set_now(scene.clock_ns + crate::testing::SECOND);
        rows.refresh(scene.engine.tree(), user);
        assert_eq!(line(&rows), order);
    }
}

#[test]
fn by_share_of_cpu_the_dead_come_after_the_living_by_their_cpu_time() {
    let scene =
        Scene::of("found 1 0\nfork 1 2\nfork 1 3\nfork 1 4\nfork 1 5\nusage 5 500\nexit 2 cpu=1s\nexit 3 cpu=2s");
    let sort = Sort { by: Fact::Cpu, reversed: false };
    let rows = rows_of(&scene, Look { sort, flat: true, ..Look::default() }, &[]);
    assert_eq!(line(&rows), "5 1 4 3 2");
}

#[test]
fn rows_that_are_built_anew_within_a_second_go_by_the_sums_that_there_are() {
    let (mut scene, mut rows) = joined();
    let told = |rows: &Rows| rows.iter().find_map(|row| row.summary).map(|sums| (sums.failed, sums.all.failed));
    let summed_ns = scene.clock_ns;
    assert_eq!((told(&rows), rows.passes), (Some((0, 3)), [1, 1]));
    for n in 1..6 {
        // As a key in the filter line does it, a sort, and a frame with many changes.
        rows.look_mut().dead = true;
        play(&mut scene, &mut rows, "fork 1 99\nexit 99");
        rows.set_now(summed_ns + n);
        rows.refresh(scene.engine.tree(), user);
        assert_eq!((told(&rows), rows.passes), (Some((0, 3)), [1, 1]), "{n}");
    }
    for (pass, lineage) in [(2, Lineage::Kernel), (3, Lineage::Forked)] {
        rows.look_mut().lineage = lineage;
        rows.refresh(scene.engine.tree(), user);
        assert_eq!((told(&rows), rows.passes), (Some((0, 3)), [pass, 1]), "by another lineage, they are others");
    }
    // The time comes while all is built: one pass for both, and the next frame has nothing to do.
    rows.set_now(summed_ns + 2 * crate::testing::SECOND);
    play(&mut scene, &mut rows, "fork 1 98");
    rows.look_mut().dead = true;
    for _ in 0..2 {
        rows.refresh(scene.engine.tree(), user);
        assert_eq!((told(&rows), rows.passes), (Some((0, 3)), [4, 2]));
    }
    assert!(!rows.is_stale());
    rows.look_mut().join_from = 0;
    rows.refresh(scene.engine.tree(), user);
    assert_eq!((rows.passes, rows.sums.bytes()), ([4, 2], 0), "nobody needs them");
}

#[test]
fn one_that_ended_after_the_sums_were_taken_counts_at_least_for_itself() {
    let (mut scene, mut rows) = joined();
    let mut played = |what: &str| {
        play(&mut scene, &mut rows, what);
        rows.refresh(scene.engine.tree(), user);
    };
    played("fork 1 40");
    played("usage 40 5");
    rows.want_totals(true);
    assert!(rows.is_stale(), "the bytes are not counted yet");
    rows.set_now(scene.clock_ns);
    rows.refresh(scene.engine.tree(), user);
    let alive = rows.totals(scene.engine.tree(), scene.key(40)).map(|totals| totals.alive);
    assert_eq!(alive, Some(1));
    play(&mut scene, &mut rows, "exit 40 1 cpu=4s");
    rows.refresh(scene.engine.tree(), user);
    let sums = rows.iter().find_map(|row| row.summary).unwrap();
    assert_eq!((sums.count, sums.failed, sums.all.failed, sums.all.finished), (4, 1, 4, 7));
    assert_eq!((sums.cpu_ns, sums.all.cpu_ns), (7 * crate::testing::SECOND, 13 * crate::testing::SECOND));
}

#[test]
fn sums_that_are_kept_for_joined_rows_are_counted_among_the_bytes() {
    let (mut scene, mut rows) = joined();
    assert!(rows.sums.bytes() > 0 && rows.bytes() > rows.sums.bytes());
    let many: String = (100..4000).map(|pid| format!("fork 1 {pid}\nexit {pid}\n")).collect();
    let mut summed = |what: &str| {
        scene.clock_ns += crate::testing::SECOND;
        play(&mut scene, &mut rows, what);
        rows.set_now(scene.clock_ns);
        rows.refresh(scene.engine.tree(), user);
        rows.sums.bytes()
    };
    let most = summed(&many);
    assert!(most > 3900 * size_of::<Totals>());
    let least = summed("at 10000\ntick\nfork 1 5000\nexit 5000\nfork 1 5001\nexit 5001");
    assert!(0 < least && least < most / 8, "a storm that is over holds nothing: {least} of {most}");
}

#[test]
fn a_measurement_changes_a_sort_by_sums_only_when_these_are_taken() {
    for (by, stale) in [(Fact::TreeTime, false), (Fact::Time, true), (Fact::Start, false)] {
        let mut scene = Scene::of("found 1 0\nfork 1 2\nfork 1 3\nusage 2 0\nusage 3 0");
        let (sort, now_ns) = (Sort { by, reversed: false }, scene.clock_ns);
        let mut rows = rows_of(&scene, Look { sort, now_ns, ..Look::default() }, &[]);
        play(&mut scene, &mut rows, "usage 2 10\nusage 3 900");
        assert_eq!(rows.is_stale(), stale, "{by:?}");
        rows.set_now(now_ns + crate::testing::SECOND);
        assert_eq!(rows.is_stale(), by != Fact::Start, "{by:?}");
        rows.refresh(scene.engine.tree(), user);
        assert_eq!(line(&rows), if by == Fact::Start { "1 2 3" } else { "1 3 2" }, "{by:?}");
    }
}

#[test]
fn sorts_by_children_and_depth_follow_those_who_move_and_texts_are_compared_to_their_end() {
    for (by, flat) in [(Fact::Children, false), (Fact::Children, true), (Fact::Depth, false), (Fact::Depth, true)] {
        let mut scene = Scene::of("found 1 0\nfork 1 2\nfork 2 3\nfork 3 4\nfork 1 5\nfork 1 6");
        let sort = Sort { by, reversed: false };
        let look = Look { sort, flat, lineage: Lineage::Kernel, ..Look::default() };
        let mut rows = rows_of(&scene, look, &[]);
        for step in ["parent 3 1", "fork 5 7", "parent 7 6", "exit 5"] {
            play(&mut scene, &mut rows, step);
            rows.refresh(scene.engine.tree(), user);
            check(&rows, scene.engine.tree());
        }
    }
    // They differ far behind what a rank holds, and come in no order.
    let long = |n: u32| format!("/usr/lib/a/very/long/path/{:02}", n * 7 % 40);
    let mut scene = Scene::of("found 1 0");
    let sort = Sort { by: Fact::Exe, reversed: false };
    let mut rows = rows_of(&scene, Look { sort, ..Look::default() }, &[]);
    for n in 1..40 {
        play(&mut scene, &mut rows, &format!("fork 1 {}\nexec {} exe={} -- x", 100 + n, 100 + n, long(n)));
        rows.refresh(scene.engine.tree(), user);
        check(&rows, scene.engine.tree());
    }
    let exes: Vec<_> = rows
        .iter()
        .filter_map(|row| scene.engine.tree().get(row.id.process()?)?.image()?.exe().map(<[u8]>::to_vec))
        .collect();
    assert!(exes.len() == 39 && exes.is_sorted(), "{exes:?}");
}
