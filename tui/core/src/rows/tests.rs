//! Tests of the rows by situation, and what the others share.

mod joined;
mod naive;
mod sums;

use self::naive::check;
use super::*;
use crate::facts::{Context, Reader};
use crate::filter::Filter;
use crate::process::Process;
use crate::testing::{Scene, totals};

fn user(uid: u32) -> &'static str {
    if uid == 0 { "root" } else { "alice" }
}

fn rows_of(scene: &Scene, look: Look, folded: &[u32]) -> Rows {
    let mut rows = Rows::new(look);
    for &pid in folded {
        rows.fold(RowId::Process(scene.key(pid)), true);
    }
    rows.refresh(scene.engine.tree(), user);
    rows
}

/// Lets things happen, and the rows take note.
fn play(scene: &mut Scene, rows: &mut Rows, text: &str) {
    scene.play(text).iter().for_each(|delta| rows.note(delta));
}

/// The rows as one line: `1[3]` is folded with three hidden, `(2)` does not match itself, `sh x 3` is a joined row.
fn line(rows: &Rows) -> String {
    let one = |row: Row| {
        let name = match (row.id, row.summary) {
            (RowId::Joined { comm, .. }, Some(summary)) => {
                format!("{}x{}", String::from_utf8_lossy(comm.as_bytes()), summary.count)
            }
            _ => row.id.nearest().pid.to_string(),
        };
        let name = if row.matched { name } else { format!("({name})") };
        if row.folded { format!("{name}[{}]", row.hidden) } else { name }
    };
    rows.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn filtered(text: &str) -> Look {
    Look { filter: Filter::parse(text).unwrap(), ..Look::default() }
}

#[test]
fn a_match_brings_its_ancestors_but_not_its_descendants() {
    let scene =
        Scene::of("found 1 0\nfork 1 2\nexec 2 make\nfork 2 3\nexec 3 cc\nfork 1 4\nexec 4 cc\nfork 4 5\nexec 5 as");
    let shown = |filter, folded: &[u32]| line(&rows_of(&scene, filtered(filter), folded));
    assert_eq!(shown("", &[]), "1 2 3 4 5");
    assert_eq!(shown("make", &[]), "(1) 2");
    assert_eq!(shown("cc", &[]), "(1) (2) 3 4");
    assert_eq!(shown("", &[1, 5]), "1[4]");
    assert_eq!(shown("cc", &[1, 5]), "(1)[2]", "only what matches counts as hidden");
}

#[test]
fn a_subtree_is_looked_at_alone_and_keeps_to_itself() {
    let mut scene = Scene::of("found 1 0\nfork 1 2\nfork 2 3\nfork 3 4\nfork 1 5");
    let look = Look { lineage: Lineage::Kernel, root: Some(scene.key(2)), ..Look::default() };
    let mut rows = rows_of(&scene, look, &[]);
    assert_eq!(line(&rows), "2 3 4");
    let mut played = |text| {
        play(&mut scene, &mut rows, text);
        rows.refresh(scene.engine.tree(), user);
        line(&rows)
    };
    assert_eq!(played("fork 5 6\nfork 4 7"), "2 3 4 7");
    assert_eq!(played("parent 3 1"), "2", "it takes along what is below it");
    assert_eq!(played("fork 7 8\nexit 7"), "2");
    assert_eq!(played("parent 5 2"), "2 5 6");
    assert_eq!(rows.get(0).map(|row| (row.depth, row.last)), Some((0, true)));
    rows.look_mut().root = Some(scene.key(99));
    rows.refresh(scene.engine.tree(), user);
    assert!(rows.is_empty(), "nobody knows it");
}

#[test]
fn the_dead_are_hidden_unless_the_living_hang_on_them() {
    let scene =
        Scene::of("found 1 0\nfork 1 2\nfork 2 3\nfork 1 4\nexit 4\nfork 1 5\nfork 5 6\nexit 6\nexit 5\nexit 2");
    let alive = Look { dead: false, ..Look::default() };
    assert_eq!(line(&rows_of(&scene, alive.clone(), &[])), "1 2 3");
    assert_eq!(line(&rows_of(&scene, Look { lineage: Lineage::Kernel, ..alive }, &[])), "1 2 3");
}

#[test]
fn kernel_threads_are_hidden_on_request() {
    let mut scene = Scene::of("found 1 0\nfork 1 4\nfound 5 1");
    for (pid, parent) in [("2", "0"), ("3", "2")] {
        let mut event = scene.event(&["found", pid, parent]);
        let crate::Event::Process(found) = &mut event else { unreachable!() };
        found.task.kernel = true;
        scene.engine.ingest(&event, &mut Vec::new());
    }
    assert_eq!(line(&rows_of(&scene, Look::default(), &[])), "1 5 4 2 3");
    assert_eq!(line(&rows_of(&scene, Look { kernel: false, ..Look::default() }, &[])), "1 5 4");
}

#[test]
fn folds_know_a_default_and_its_exceptions() {
    let [a, b] = [1, 2].map(|n| RowId::Process(ProcKey::new(n, 1)));
    let joined = RowId::Joined { parent: ProcKey::new(1, 1), comm: Comm::new(b"cc") };
    let mut folds = Folds::default();
    folds.set(a, true);
    assert_eq!([a, b, joined].map(|id| folds.is_folded(id)), [true, false, true]);
    folds.set_all(true);
    folds.set(b, false);
    folds.set(joined, false);
    assert_eq!([a, b, joined].map(|id| folds.is_folded(id)), [true, false, false]);
    folds.forget(b);
    assert!(folds.is_folded(b));
    folds.retain(|key| key.pid != 1);
    assert!(folds.is_folded(joined));
    folds.set_all(false);
    assert_eq!([a, b, joined].map(|id| folds.is_folded(id)), [false, false, true]);
}

#[test]
fn levels_are_folded_from_below_and_unfolded_from_above() {
    let scene = Scene::of("found 1 0\nfork 1 2\nfork 2 3\nfork 3 4\nfork 1 5\nfork 5 6");
    let mut rows = rows_of(&scene, Look::default(), &[]);
    let mut level = |folded| {
        rows.fold_level(folded);
        check(&rows, scene.engine.tree());
        line(&rows)
    };
    assert_eq!([level(true), level(true)], ["1 2 3[1] 5 6", "1 2[2] 5[1]"]);
    assert_eq!([level(true), level(true)], ["1[5]", "1[5]"]);
    assert_eq!([level(false), level(false)], ["1 2[2] 5[1]", "1 2 3[1] 5 6"]);
    assert_eq!([level(false), level(false)], ["1 2 3 4 5 6", "1 2 3 4 5 6"]);
}

#[test]
fn the_selection_falls_to_the_nearest_visible_ancestor() {
    let scene = Scene::of("found 1 0\nfork 1 2\nfork 2 3\nfork 3 4");
    let rows = rows_of(&scene, Look::default(), &[2]);
    let visible = |pid| rows.visible_ancestor(scene.engine.tree(), RowId::Process(scene.key(pid)));
    assert_eq!([4, 3, 2, 1].map(visible), [2, 2, 2, 1].map(|pid| Some(RowId::Process(scene.key(pid)))));
    assert_eq!(visible(99), None);
}

#[test]
fn a_volatile_sort_stands_still_while_it_is_held() {
    let mut scene = Scene::of("found 1 0\nfork 1 2\nfork 1 3\nusage 2 500");
    let sort = Sort { by: Fact::Time, reversed: false };
    let mut rows = rows_of(&scene, Look { sort, ..Look::default() }, &[]);
    assert_eq!(line(&rows), "1 2 3");
    rows.hold(true);
    play(&mut scene, &mut rows, "usage 3 900\nfork 1 4");
    rows.refresh(scene.engine.tree(), user);
    assert_eq!(line(&rows), "1 2 3 4");
    // However many change at once.
    scene.play(&(5..90).map(|pid| format!("fork 1 {pid}\nusage {pid} {}\n", 3000 + pid)).collect::<String>());
    rows.invalidate();
    rows.refresh(scene.engine.tree(), user);
    assert!(line(&rows).starts_with("1 89 88 87") && line(&rows).ends_with("5 2 3 4"), "{}", line(&rows));
    rows.hold(false);
    assert!(rows.is_stale());
    rows.refresh(scene.engine.tree(), user);
    assert!(line(&rows).ends_with("5 3 2 4"), "{}", line(&rows));
}

#[test]
fn many_in_a_chain_or_under_one_parent_are_no_trouble() {
    const N: u32 = 20_000;
    for chain in [false, true] {
        let mut scene = Scene::of("found 1 0");
        let mut rows = rows_of(&scene, filtered("p1"), &[]);
        for pid in 2..=N {
            let deltas = scene.play(&format!("fork {} {pid}", if chain { pid - 1 } else { 1 }));
            deltas.iter().for_each(|delta| rows.note(delta));
            if pid % 1000 == 0 {
                rows.refresh(scene.engine.tree(), user);
            }
        }
        assert_eq!(rows.len(), N as usize);
        let depth = if chain { N - 1 } else { 1 };
        rows.window(N as usize - 1..N as usize, 20, |_, row, guides| {
            assert_eq!((row.depth, guides.len()), (depth, depth.min(20) as usize));
        });
        rows.fold(RowId::Process(scene.key(1)), true);
        assert_eq!((rows.len(), rows.get(0).unwrap().hidden), (1, N - 1));
        // The oldest first, which is the worst for a petgraph; of the chain, nobody leaves before the last has died.
        for pid in 1..=N {
            play(&mut scene, &mut rows, &format!("exit {pid}"));
        }
        scene.clock_ns += 100 * crate::testing::SECOND;
        play(&mut scene, &mut rows, "tick");
        assert!(scene.engine.tree().is_empty());
        rows.refresh(scene.engine.tree(), user);
        assert!(rows.is_empty());
    }
}

/// Nodes of the sequence that something looks at.
fn looked_at(rows: &mut Rows, mut f: impl FnMut(&mut Rows)) -> u64 {
    let before = rows.sequence.steps.get();
    f(rows);
    rows.sequence.steps.get() - before
}

#[test]
fn what_a_frame_looks_at_grows_with_the_logarithm_of_the_rows() {
    // Looked at: a window at the top, in the middle and at the end; a fold and back; one more process.
    let looks = |count: u32, forker: fn(u32) -> u32| {
        let mut scene = Scene::of("found 1 0 -- init");
        for pid in 2..count {
            scene.play(&format!("fork {} {pid}", forker(pid)));
        }
        let mut rows = rows_of(&scene, Look::default(), &[]);
        let window = |rows: &mut Rows, at: usize| rows.window(at..at + 50, 30, |_, _, _| {});
        let middle = rows.len() / 2;
        let first = rows.get(0).unwrap().id;
        let deltas = scene.play(&format!("fork 1 {count}"));
        [
            looked_at(&mut rows, |rows| window(rows, 0)),
            looked_at(&mut rows, |rows| window(rows, middle)),
            looked_at(&mut rows, |rows| window(rows, 2 * middle - 50)),
            looked_at(&mut rows, |rows| [true, false].into_iter().for_each(|folded| rows.fold(first, folded))),
            looked_at(&mut rows, |rows| {
                deltas.iter().for_each(|delta| rows.note(delta));
                rows.refresh(scene.engine.tree(), user);
            }),
        ]
    };
    let shapes: [fn(u32) -> u32; 3] = [|_| 1, |pid| pid - 1, |pid| pid / 2];
    for (shape, forker) in shapes.into_iter().enumerate() {
        let (few, many) = (looks(300, forker), looks(19_200, forker));
        for (what, (few, many)) in few.into_iter().zip(many).enumerate() {
            // 64 times the rows: six more levels of some eight, but not every search tree is as balanced as another.
            assert!(many < 4 * few + 500, "shape {shape}, {what}: {few} steps among few, {many} among many");
        }
    }
}

#[test]
fn i12_the_parent_named_for_one_that_goes_is_in_the_tree() {
    let mut scene = Scene::new(crate::Config { pinned_max: 1, ..crate::Config::default() });
    scene.play("found 1 0\nfork 1 2\nfork 2 3\nfork 3 4\nfork 4 5\nexit 2\nexit 3\nexit 4\nend 5");
    assert_eq!(scene.shape(Lineage::Kernel), "1(4+(5+))");
    scene.clock_ns += 100 * crate::testing::SECOND;
    for delta in scene.play("tick") {
        if let Delta::Removed { key, kernel_parent, .. } = delta {
            let above = if key == scene.key(5) { scene.key(4) } else { scene.key(1) };
            assert_eq!(kernel_parent, above, "{key:?}");
        }
    }
}
