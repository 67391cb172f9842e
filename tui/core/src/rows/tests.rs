//! Tests of the rows: against a naive flatten, and by situation.

use proptest::prelude::*;

use super::*;
use crate::process::Process;
use crate::testing::Scene;

/// The naive way: recursive, every subtree looked through anew at every level.
struct Naive<'a> {
    tree: &'a Tree,
    options: RowOptions<'a>,
}

impl Naive<'_> {
    fn children(&self, process: &Process) -> Vec<&Process> {
        self.tree.children(process.key, self.options.lineage).filter(|child| self.kept(child)).collect()
    }

    fn wanted(&self, process: &Process) -> bool {
        (self.options.kernel || !process.is_kernel())
            && (self.options.dead || process.is_alive())
            && self.options.filter.matches(process, user(process.creds().uid))
    }

    fn kept(&self, process: &Process) -> bool {
        self.wanted(process) || self.tree.children(process.key, self.options.lineage).any(|child| self.kept(child))
    }

    fn hidden(&self, process: &Process) -> u32 {
        self.children(process).iter().map(|child| u32::from(self.wanted(child)) + self.hidden(child)).sum()
    }

    fn flatten(&self, siblings: &[&Process], guides: &[bool], rows: &mut Vec<(Row, Vec<bool>)>) {
        for (n, process) in siblings.iter().enumerate() {
            let children = self.children(process);
            let folded = !children.is_empty() && self.options.folds.is_folded(process.key);
            let last = n + 1 == siblings.len();
            let row = Row {
                key: process.key,
                depth: u16::try_from(guides.len()).unwrap(),
                has_children: !children.is_empty(),
                folded,
                last,
                matched: self.options.filter.matches(process, user(process.creds().uid)),
                hidden: if folded { self.hidden(process) } else { 0 },
            };
            rows.push((row, guides.to_vec()));
            if !folded {
                let guides = [guides, &[!last]].concat();
                self.flatten(&children, &guides, rows);
            }
        }
    }
}

fn user(uid: u32) -> &'static str {
    if uid == 0 { "root" } else { "alice" }
}

fn script(max: usize) -> impl Strategy<Value = String> {
    let line = (0..5_u8, 1..30_u32, 1..30_u32, 0..3_usize).prop_map(|(kind, a, b, name)| match kind {
        0 => format!("fork {a} {b} {}", name * 1000),
        1 => format!("found {a} {b}"),
        2 => format!("exec {a} {}", ["sh", "make", "ls"][name]),
        3 => format!("exit {a} {name}"),
        _ => format!("parent {a} {b}"),
    });
    prop::collection::vec(line, 1..max).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn i4_i12_rows_equal_a_naive_flatten(
        script in script(80),
        switches in any::<[bool; 4]>(),
        folded in prop::collection::vec(1..30_u32, 0..6),
        filter in prop::sample::select(vec!["", "sh", "alice", "1", "make", "nothing"]),
    ) {
        let scene = Scene::of(&script);
        let tree = scene.engine.tree();
        let [fold_all, kernel, dead, by_kernel] = switches;
        let mut folds = Folds::default();
        folds.set_all(fold_all && dead);
        for pid in folded {
            folds.set(scene.key(pid), !fold_all);
        }
        let filter = Filter::new(filter);
        let lineage = if by_kernel { Lineage::Kernel } else { Lineage::Forked };
        let options = RowOptions { lineage, folds: &folds, filter: &filter, kernel, dead };
        let rows = Rows::build(tree, options, user);
        let naive = Naive { tree, options };
        let roots: Vec<_> = tree.roots(lineage).filter(|root| naive.kept(root)).collect();
        let mut expected = Vec::new();
        naive.flatten(&roots, &[], &mut expected);
        prop_assert_eq!(rows.as_slice(), expected.iter().map(|(row, _)| row.clone()).collect::<Vec<_>>());
        for (index, (row, guides)) in expected.iter().enumerate() {
            prop_assert_eq!(&rows.guides(index), guides);
            prop_assert_eq!(rows.position(row.key), Some(index));
            let parent = expected[..index].iter().rposition(|(above, _)| above.depth + 1 == row.depth);
            prop_assert_eq!(rows.parent(index), parent.filter(|_| row.depth > 0));
        }
        for process in tree.iter() {
            let line = std::iter::once(process).chain(tree.ancestors(process.key, lineage));
            let expected = line.map(|process| process.key).find(|&key| rows.position(key).is_some());
            prop_assert_eq!(rows.visible_ancestor(tree, process.key, lineage), expected);
        }
    }
}

/// Shows everything but what these hide.
fn showing<'a>(folds: &'a Folds, filter: &'a Filter) -> RowOptions<'a> {
    RowOptions { lineage: Lineage::Forked, folds, filter, kernel: true, dead: true }
}

/// The rows as one line: `1[3]` is folded with three hidden, `(2)` does not match itself.
fn line(scene: &Scene, options: RowOptions<'_>) -> String {
    let rows = Rows::build(scene.engine.tree(), options, user);
    let one = |row: &Row| match (row.matched, row.folded) {
        (true, false) => format!("{}", row.key.pid),
        (false, false) => format!("({})", row.key.pid),
        (true, true) => format!("{}[{}]", row.key.pid, row.hidden),
        (false, true) => format!("({})[{}]", row.key.pid, row.hidden),
    };
    rows.as_slice().iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_match_brings_its_ancestors_but_not_its_descendants() {
    let scene =
        Scene::of("found 1 0\nfork 1 2\nexec 2 make\nfork 2 3\nexec 3 cc\nfork 1 4\nexec 4 cc\nfork 4 5\nexec 5 as");
    let (mut folds, any, make, cc) = (Folds::default(), Filter::default(), Filter::new("make"), Filter::new("cc"));
    assert_eq!(line(&scene, showing(&folds, &any)), "1 2 3 4 5");
    assert_eq!(line(&scene, showing(&folds, &make)), "(1) 2");
    assert_eq!(line(&scene, showing(&folds, &cc)), "(1) (2) 3 4");
    folds.set(scene.key(1), true);
    folds.set(scene.key(5), true);
    assert_eq!(line(&scene, showing(&folds, &any)), "1[4]");
    assert_eq!(line(&scene, showing(&folds, &cc)), "(1)[2]", "only what matches counts as hidden");
}

#[test]
fn the_dead_are_hidden_unless_the_living_hang_on_them() {
    let scene =
        Scene::of("found 1 0\nfork 1 2\nfork 2 3\nfork 1 4\nexit 4\nfork 1 5\nfork 5 6\nexit 6\nexit 5\nexit 2");
    let (folds, filter) = (Folds::default(), Filter::default());
    let alive = RowOptions { dead: false, ..showing(&folds, &filter) };
    assert_eq!(line(&scene, alive), "1 2 3");
    assert_eq!(line(&scene, RowOptions { lineage: Lineage::Kernel, ..alive }), "1 2 3");
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
    let (folds, filter) = (Folds::default(), Filter::default());
    let all = showing(&folds, &filter);
    assert_eq!(line(&scene, all), "1 5 4 2 3");
    assert_eq!(line(&scene, RowOptions { kernel: false, ..all }), "1 5 4");
}

#[test]
fn folds_know_a_default_and_its_exceptions() {
    let (a, b) = (ProcKey::new(1, 1), ProcKey::new(2, 2));
    let mut folds = Folds::default();
    folds.set(a, true);
    assert_eq!((folds.is_folded(a), folds.is_folded(b)), (true, false));
    folds.set_all(true);
    folds.set(b, false);
    assert_eq!((folds.is_folded(a), folds.is_folded(b)), (true, false));
    folds.forget(b);
    assert!(folds.is_folded(b));
    folds.set_all(false);
    assert!(!folds.is_folded(a));
}

#[test]
fn the_selection_falls_to_the_nearest_visible_ancestor() {
    let scene = Scene::of("found 1 0\nfork 1 2\nfork 2 3\nfork 3 4");
    let mut folds = Folds::default();
    folds.set(scene.key(2), true);
    let filter = Filter::default();
    let rows = Rows::build(scene.engine.tree(), showing(&folds, &filter), user);
    let visible = |pid| rows.visible_ancestor(scene.engine.tree(), scene.key(pid), Lineage::Forked);
    assert_eq!([4, 3, 2, 1].map(visible), [2, 2, 2, 1].map(|pid| Some(scene.key(pid))));
    assert_eq!(visible(99), None);
}

#[test]
fn a_hundred_thousand_in_a_chain_or_under_one_parent_are_no_trouble() {
    const N: u32 = 100_000;
    for chain in [false, true] {
        let mut scene = Scene::of("found 1 0");
        for pid in 2..=N {
            scene.play(&format!("fork {} {pid}", if chain { pid - 1 } else { 1 }));
        }
        let (folds, filter) = (Folds::default(), Filter::new("p1"));
        let rows = Rows::build(scene.engine.tree(), showing(&folds, &filter), user);
        assert_eq!(rows.len(), N as usize);
        assert_eq!(rows.as_slice()[N as usize - 1].depth, if chain { u16::MAX } else { 1 });
        assert_eq!(rows.guides(N as usize - 1).len(), if chain { N as usize - 1 } else { 1 });
        // The oldest first, which is the worst for a petgraph; of the chain, nobody leaves before the last has died.
        for pid in 1..=N {
            scene.play(&format!("exit {pid}"));
        }
        scene.clock_ns += 100 * crate::testing::SECOND;
        scene.play("tick");
        assert!(scene.engine.tree().is_empty());
    }
}
