//! Which finished processes become one row, and what it tells.

use super::*;

/// A shell with these many finished `ls`, a `cat`, and a `make` that still runs.
fn shell(ls: u32) -> Scene {
    let mut scene = Scene::of("found 1 0\nfork 1 2\nexec 2 sh\nfork 2 3\nexec 3 make\nfork 2 4\nexec 4 cat\nexit 4");
    for pid in 10..10 + ls {
        scene.play(&format!("fork 2 {pid}\nexec {pid} ls\nexit {pid} 1"));
    }
    scene
}

#[test]
fn finished_children_of_one_name_become_one_row_that_can_be_unfolded() {
    let joining = Look { join_from: 3, ..Look::default() };
    assert_eq!(line(&rows_of(&shell(2), joining.clone(), &[])), "1 2 3 4 10 11");
    let scene = shell(4);
    let mut rows = rows_of(&scene, joining, &[]);
    assert_eq!(line(&rows), "1 2 3 4 lsx4[4]");
    let summary = rows.get(4).unwrap().summary.unwrap();
    assert_eq!((summary.failed, summary.cpu_ns), (4, 4_000_000));
    assert_eq!(summary.longest_ns, 2 * crate::testing::SECOND);
    rows.fold(rows.get(4).unwrap().id, false);
    assert_eq!(line(&rows), "1 2 3 4 lsx4 10 11 12 13");
    rows.set_apart(Some(scene.key(12)));
    rows.refresh(scene.engine.tree(), user);
    assert_eq!(line(&rows), "1 2 3 4 lsx3 10 11 13 12", "the selected one stands for itself");
}

#[test]
fn i4_a_sum_of_cpu_time_that_was_cut_off_is_made_anew_when_one_leaves_it() {
    let mut scene = Scene::of("found 1 0\nfork 1 2\nfork 1 3\nfork 1 4");
    // Neither the first nor the one that lived longest: those are looked for anew in any case.
    scene.play(&format!("exit 3 cpu={}ns\nexit 2 cpu=1s\nexit 4 cpu=1s", u64::MAX));
    let mut rows = rows_of(&scene, Look { join_from: 2, ..Look::default() }, &[]);
    let cpu_ns = |rows: &Rows| rows.iter().find_map(|row| row.summary).map(|summary| summary.cpu_ns);
    assert_eq!(cpu_ns(&rows), Some(u64::MAX));
    rows.set_apart(Some(scene.key(3)));
    rows.refresh(scene.engine.tree(), user);
    assert_eq!(cpu_ns(&rows), Some(2 * crate::testing::SECOND));
    check(&rows, scene.engine.tree());
}

#[test]
fn a_joined_row_counts_those_who_have_left_and_goes_with_the_last_that_is_kept() {
    let mut scene = shell(4);
    let mut rows = rows_of(&scene, Look { join_from: 3, ..Look::default() }, &[]);
    let mut wait = |scene: &mut Scene, seconds| {
        scene.clock_ns += seconds * crate::testing::SECOND;
        play(scene, &mut rows, "fork 2 50\nexec 50 ls\nexit 50 0\ntick");
        rows.refresh(scene.engine.tree(), user);
        line(&rows)
    };
    assert_eq!(wait(&mut scene, 50), "1 2 3 lsx5[3]");
    assert_eq!(wait(&mut scene, 100), "1 2 3 lsx6[1]");
    scene.clock_ns += 100 * crate::testing::SECOND;
    play(&mut scene, &mut rows, "tick");
    rows.refresh(scene.engine.tree(), user);
    assert_eq!(line(&rows), "1 2 3");
    let (comm, summary) = scene.engine.tree().departed(scene.key(2), Lineage::Forked)[1];
    assert_eq!((comm.unwrap().as_bytes(), summary.count), (&b"ls"[..], 6));
}

#[test]
fn a_finished_subtree_is_joined_as_a_whole_once_its_last_descendant_ends() {
    let mut scene = Scene::of("found 1 0\nfork 1 2\nexec 2 make");
    for pid in [10, 20] {
        scene.play(&format!("fork 2 {pid}\nexec {pid} gcc\nfork {pid} {}\nexit {pid}", pid + 1));
    }
    let mut rows = rows_of(&scene, Look { join_from: 2, ..Look::default() }, &[]);
    assert_eq!(line(&rows), "1 2 10 11 20 21");
    play(&mut scene, &mut rows, "exit 11\nexit 21");
    rows.refresh(scene.engine.tree(), user);
    assert_eq!(line(&rows), "1 2 gccx2[4]");
    // A child that is only heard of now was alive all the time.
    play(&mut scene, &mut rows, "fork 11 30");
    rows.refresh(scene.engine.tree(), user);
    assert_eq!(line(&rows), "1 2 10 11 30 20 21");
}

#[test]
fn a_name_that_comes_often_is_kept_apart_however_many_others_there_are() {
    let mut scene = Scene::of("found 1 0\nfork 1 2\nevery 1ms");
    for n in 0..200_u32 {
        scene.play(&format!("fork 2 {0}\nexec {0} tool{n}\nexit {0}", 100 + n));
        scene.play(&format!("fork 2 {0}\nexec {0} cc1\nexit {0}", 1000 + n));
    }
    scene.play("fork 2 3000\nexec 3000 cc1");
    scene.clock_ns += 100 * crate::testing::SECOND;
    scene.play("tick\nexit 3000");
    let rows = rows_of(&scene, Look { join_from: 3, ..Look::default() }, &[]);
    assert_eq!(line(&rows), "1 2 cc1x201[1]");
    let departed = scene.engine.tree().departed(scene.key(2), Lineage::Forked);
    assert!(departed.len() <= 65, "{}", departed.len());
    assert_eq!(departed.iter().map(|(_, summary)| summary.count).sum::<u64>(), 400);
}

#[test]
fn i12_those_above_the_selected_one_are_not_joined_either() {
    let mut scene = shell(4);
    scene.play("fork 13 30\nexit 30");
    let mut rows = rows_of(&scene, Look { join_from: 3, ..Look::default() }, &[]);
    assert_eq!(line(&rows), "1 2 3 4 lsx4[5]");
    rows.set_apart(Some(scene.key(30)));
    rows.refresh(scene.engine.tree(), user);
    assert_eq!(line(&rows), "1 2 3 4 lsx3[3] 13 30");
}

#[test]
fn ancestors_of_a_match_are_not_joined() {
    let mut scene = Scene::of("found 1 0\nfork 1 2");
    for pid in [10, 20, 30] {
        scene.play(&format!(
            "fork 2 {pid}\nexec {pid} gcc\nfork {pid} {0}\nexec {0} cc1\nexit {0} 1\nexit {pid}",
            pid + 1
        ));
    }
    let joining = |filter| Look { join_from: 3, ..filtered(filter) };
    assert_eq!(line(&rows_of(&scene, joining(""), &[])), "1 2 gccx3[6]");
    assert_eq!(line(&rows_of(&scene, joining("cc1"), &[])), "(1) (2) (10) 11 (20) 21 (30) 31");
    assert_eq!(line(&rows_of(&scene, joining("gcc"), &[])), "(1) (2) gccx3[3]");
}
