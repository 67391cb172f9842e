//! Tests of the rows: against a naive flatten, and by situation.

use proptest::prelude::*;

use super::*;
use crate::filter::{Context, Filter};
use crate::process::Process;
use crate::testing::{Scene, totals};

/// The naive way: recursive, every subtree looked through anew at every level.
struct Naive<'a> {
    tree: &'a Tree,
    look: &'a Look,
    folds: &'a Folds,
    apart: Vec<ProcKey>,
}

/// What stands on a level: a process, or some of one name.
#[derive(Clone)]
enum Unit<'a> {
    One(&'a Process),
    Many(RowId, Summary, Vec<&'a Process>, u32),
}

impl<'a> Naive<'a> {
    fn children(&self, process: &Process) -> Vec<&'a Process> {
        if self.look.flat {
            return Vec::new();
        }
        self.tree.children(process.key, self.look.lineage).filter(|child| self.kept(child)).collect()
    }

    fn matched(&self, process: &Process) -> bool {
        let Look { lineage, now_ns, filter, .. } = self.look;
        let context = Context { tree: self.tree, lineage: *lineage, now_ns: *now_ns, user: &|uid| user(uid) };
        filter.matches(&context, process)
    }

    fn wanted(&self, process: &Process) -> bool {
        (self.look.kernel || !process.is_kernel()) && (self.look.dead || process.is_alive()) && self.matched(process)
    }

    fn kept(&self, process: &Process) -> bool {
        self.wanted(process)
            || !self.look.flat && self.tree.children(process.key, self.look.lineage).any(|child| self.kept(child))
    }

    fn finished(&self, process: &Process) -> bool {
        !process.is_alive() && self.children(process).iter().all(|child| self.finished(child))
    }

    fn wanted_below(&self, process: &Process) -> u32 {
        self.children(process).iter().map(|child| u32::from(self.wanted(child)) + self.wanted_below(child)).sum()
    }

    /// Those on the level below a process, in order.
    fn units(&self, parent: Option<&'a Process>) -> Vec<Unit<'a>> {
        let below = |process: &&Process, root| {
            process.key == root || self.tree.ancestors(process.key, self.look.lineage).any(|above| above.key == root)
        };
        let all = || self.tree.iter().filter(|process| self.kept(process));
        let roots = || match self.look.root {
            Some(root) if self.look.flat => all().filter(|process| below(process, root)).collect(),
            None if self.look.flat => all().collect(),
            Some(root) => self.tree.get(root).into_iter().filter(|root| self.kept(root)).collect(),
            None => self.tree.roots(self.look.lineage).filter(|root| self.kept(root)).collect(),
        };
        let mut alone: Vec<&Process> = parent.map_or_else(roots, |parent| self.children(parent));
        let mut units = Vec::new();
        let asked_for = |child: &Process| self.look.filter.is_empty() || self.wanted(child);
        let may_join = |child: &&&Process| self.finished(child) && asked_for(child) && !self.apart.contains(&child.key);
        let mut comms: Vec<_> = alone.iter().filter(may_join).map(|child| *child.comm()).collect();
        comms.sort_unstable();
        comms.dedup();
        for (comm, parent) in comms.into_iter().filter_map(|comm| Some((comm, parent?))) {
            let is_member = |child: &&&Process| *child.comm() == comm && may_join(child);
            let members: Vec<&Process> = alone.iter().filter(is_member).copied().collect();
            let gone = self.tree.departed(parent.key, self.look.lineage).iter();
            let gone =
                gone.filter(|(name, _)| *name == Some(comm) && self.look.filter.is_empty()).map(|(_, sums)| *sums);
            let sums = members.iter().map(|member| self.summary(member)).chain(gone).reduce(Summary::and).unwrap();
            if self.look.join_from > 0 && sums.count >= self.look.join_from as u64 {
                alone.retain(|child| !members.iter().any(|member| member.key == child.key));
                let id = RowId::Joined { parent: parent.key, comm };
                units.push(Unit::Many(id, sums, members, parent.creds().uid));
            }
        }
        units.extend(alone.into_iter().map(Unit::One));
        units.sort_by_key(|unit| self.order(unit));
        units
    }

    fn summary(&self, process: &Process) -> Summary {
        let all = totals(self.tree, process, self.look.lineage).tally;
        Summary { all, ..Summary::of(process) }
    }

    fn order(&self, unit: &Unit<'_>) -> Order {
        match unit {
            Unit::One(process) => {
                let rank = self.look.sort.rank(process, || totals(self.tree, process, self.look.lineage));
                (rank, process.key.birth())
            }
            Unit::Many(RowId::Joined { comm, .. }, sums, _, uid) => {
                (self.look.sort.joined_rank(sums, *comm, *uid), sums.first.birth())
            }
            Unit::Many(..) => unreachable!(),
        }
    }

    fn flatten(&self, units: &[Unit<'a>], guides: &[bool], rows: &mut Vec<(Row, Vec<bool>)>) {
        for (n, unit) in units.iter().enumerate() {
            let last = n + 1 == units.len();
            let (id, below, wanted, matched, summary) = match unit {
                Unit::One(process) => {
                    let matched = self.matched(process);
                    let id = RowId::Process(process.key);
                    (id, self.units(Some(process)), self.wanted_below(process), matched, None)
                }
                Unit::Many(id, sums, members, _) => {
                    let wanted = members.iter().map(|one| u32::from(self.wanted(one)) + self.wanted_below(one)).sum();
                    let mut below: Vec<_> = members.iter().copied().map(Unit::One).collect();
                    below.sort_by_key(|unit| self.order(unit));
                    (*id, below, wanted, true, Some(*sums))
                }
            };
            let folded = !below.is_empty() && self.folds.is_folded(id);
            let row = Row {
                id,
                depth: u32::try_from(guides.len()).unwrap(),
                has_children: !below.is_empty(),
                folded,
                last,
                matched,
                hidden: if folded { wanted } else { 0 },
                summary,
            };
            rows.push((row, guides.to_vec()));
            if !folded {
                let guides = [guides, &[!last]].concat();
                self.flatten(&below, &guides, rows);
            }
        }
    }
}

/// That the rows are what the naive way gives.
fn check(rows: &Rows, tree: &Tree) {
    let selected = rows.apart.and_then(|key| tree.get(key));
    let above = selected.into_iter().flat_map(|process| tree.ancestors(process.key, rows.look.lineage));
    let apart = selected.into_iter().chain(above).map(|process| process.key).collect();
    let naive = Naive { tree, look: &rows.look, folds: &rows.folds, apart };
    let mut expected = Vec::new();
    naive.flatten(&naive.units(None), &[], &mut expected);
    let plain: Vec<_> = expected.iter().map(|(row, _)| row.clone()).collect();
    let short = |row: &Row| format!("{}{:?} {:?}", "  ".repeat(row.depth as usize), row.id, row);
    let shown = |rows: &[Row]| rows.iter().map(short).collect::<Vec<_>>().join("\n");
    let found: Vec<_> = rows.iter().collect();
    assert!(found == plain, "found\n{}\nexpected\n{}", shown(&found), shown(&plain));
    assert_eq!(rows.len(), plain.len());
    let is_inside = |process: &Process| {
        let mut line = std::iter::once(process).chain(tree.ancestors(process.key, rows.look.lineage));
        rows.look.root.is_none_or(|root| line.any(|process| process.key == root))
    };
    let wanted = tree.iter().filter(|process| is_inside(process) && naive.wanted(process)).count();
    assert_eq!(rows.wanted() as usize, wanted);
    for (from, levels) in [(0, usize::MAX), (plain.len() / 2, 2), (plain.len() / 3, 0)] {
        let mut seen = Vec::new();
        rows.window(from..plain.len() + 3, levels, |index, row, guides| {
            seen.push((row.clone(), guides.to_vec()));
            assert_eq!(index + 1, from + seen.len());
        });
        let tail = |guides: &[bool]| guides[guides.len().saturating_sub(levels)..].to_vec();
        let expected: Vec<_> = expected[from..].iter().map(|(row, guides)| (row.clone(), tail(guides))).collect();
        assert_eq!(seen, expected, "from {from}, {levels} levels");
    }
    for (index, row) in plain.iter().enumerate() {
        assert_eq!(rows.get(index).as_ref(), Some(row));
        assert_eq!(rows.position(row.id), Some(index));
        let parent = plain[..index].iter().rposition(|above| above.depth + 1 == row.depth);
        assert_eq!(rows.parent(index), parent.filter(|_| row.depth > 0));
        let matches = |at: &usize| plain[*at].matched;
        assert_eq!(rows.match_from(index, true), (index..plain.len()).find(matches));
        assert_eq!(rows.match_from(index, false), (0..index).rev().find(matches));
    }
    for process in tree.iter() {
        let id = RowId::Process(process.key);
        let above = tree.ancestors(process.key, rows.look.lineage).filter(|_| !rows.look.flat);
        let line = std::iter::once(process).chain(above);
        let mut shown = line.map(|process| RowId::Process(process.key)).filter(|&id| rows.position(id).is_some());
        let found = rows.visible_ancestor(tree, id);
        match found {
            Some(RowId::Joined { .. }) => assert!(rows.position(id).is_none()),
            found => assert_eq!(found, shown.next()),
        }
    }
}

fn user(uid: u32) -> &'static str {
    if uid == 0 { "root" } else { "alice" }
}

fn lines(max: usize) -> impl Strategy<Value = Vec<String>> {
    let line = (0..12_u8, 1..30_u32, 1..30_u32, 0..3_usize).prop_map(|(kind, a, b, name)| match kind {
        0..3 => format!("fork {a} {b} {}", name * 1000),
        3 => format!("found {a} {b}"),
        4 => format!("exec {a} {}", ["sh", "make", "ls"][name]),
        5..9 => format!("exit {a} {name}"),
        9 => format!("usage {a} {}", 1000 + 10 * b),
        10 => format!("end {a}"),
        _ => format!("parent {a} {b}"),
    });
    prop::collection::vec(line, 1..max)
}

fn sorts() -> impl Strategy<Value = Sort> {
    (prop::sample::select(SortKey::ALL.to_vec()), any::<bool>()).prop_map(|(by, reversed)| Sort { by, reversed })
}

fn looks() -> impl Strategy<Value = Look> {
    let filter = prop::sample::select(vec![
        "",
        "",
        "",
        "sh",
        "alice",
        "1",
        "make",
        "nothing",
        "ancestor:make",
        "children>1",
        "lifetime<9s",
        "time>50ms",
    ]);
    let join_from = prop::sample::select(vec![0, 1, 2, 2, 3]);
    let flat = prop::bool::weighted(0.3);
    let switches = (any::<[bool; 3]>(), flat);
    (switches, filter, sorts(), join_from).prop_map(|(([kernel, dead, by_kernel], flat), filter, sort, join_from)| {
        let lineage = if by_kernel { Lineage::Kernel } else { Lineage::Forked };
        let filter = Filter::parse(filter).unwrap();
        Look { lineage, root: None, flat, filter, kernel, dead: dead || by_kernel, now_ns: 0, sort, join_from }
    })
}

/// What happens between two looks at the rows.
#[derive(Clone, Debug)]
enum Step {
    Lines(Vec<String>),
    Fold(u32, bool),
    FoldJoined(u32, usize, bool),
    FoldAll(bool),
    Apart(u32),
    Pass(u64),
    Look(Box<Look>),
    Root(Option<u32>),
    Hold(bool),
    Want(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => lines(12).prop_map(Step::Lines),
        2 => (1..30_u32, any::<bool>()).prop_map(|(pid, folded)| Step::Fold(pid, folded)),
        2 => (1..30_u32, 0..3_usize, any::<bool>()).prop_map(|(pid, name, folded)| Step::FoldJoined(pid, name, folded)),
        1 => any::<bool>().prop_map(Step::FoldAll),
        1 => (1..30_u32).prop_map(Step::Apart),
        1 => (1..90_u64).prop_map(Step::Pass),
        1 => looks().prop_map(|look| Step::Look(Box::new(look))),
        1 => prop::option::of(1..30_u32).prop_map(Step::Root),
        1 => any::<bool>().prop_map(Step::Hold),
        1 => any::<bool>().prop_map(Step::Want),
    ];
    prop::collection::vec(step, 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn i4_i12_rows_that_follow_the_tree_equal_a_naive_flatten(look in looks(), steps in steps()) {
        let mut scene = Scene::of("found 1 0");
        let mut rows = Rows::new(look);
        rows.refresh(scene.engine.tree(), user);
        let mut held = false;
        for step in steps {
            match step {
                Step::Lines(lines) => scene.play(&lines.join("\n")).iter().for_each(|delta| rows.note(delta)),
                Step::Fold(pid, folded) => rows.fold(RowId::Process(scene.key(pid)), folded),
                Step::FoldJoined(pid, name, folded) => {
                    let comm = Comm::new(["sh", "p1", "ls"][name].as_bytes());
                    rows.fold(RowId::Joined { parent: scene.key(pid), comm }, folded);
                }
                Step::FoldAll(folded) => rows.fold_all(folded),
                Step::Apart(pid) => rows.set_apart(Some(scene.key(pid))),
                Step::Pass(seconds) => {
                    scene.clock_ns += seconds * crate::testing::SECOND;
                    scene.play("tick").iter().for_each(|delta| rows.note(delta));
                }
                Step::Look(look) => *rows.look_mut() = Look { root: rows.look().root, ..*look },
                Step::Root(pid) => rows.look_mut().root = pid.map(|pid| scene.key(pid)),
                Step::Want(wanted) => rows.want_totals(wanted),
                Step::Hold(hold) => {
                    held = hold;
                    rows.hold(hold);
                }
            }
            rows.set_now(scene.clock_ns);
            rows.refresh(scene.engine.tree(), user);
            // What a filter on places says of others is asked again only after a second.
            scene.clock_ns += 2 * crate::testing::SECOND;
            rows.set_now(scene.clock_ns);
            rows.refresh(scene.engine.tree(), user);
            prop_assert!(!rows.is_stale());
            if !held {
                check(&rows, scene.engine.tree());
            }
        }
        rows.hold(false);
        rows.refresh(scene.engine.tree(), user);
        check(&rows, scene.engine.tree());
        let mut anew = rows.clone();
        anew.invalidate();
        anew.refresh(scene.engine.tree(), user);
        prop_assert!(rows.iter().eq(anew.iter()));
    }
}

fn rows_of(scene: &Scene, look: Look, folded: &[u32]) -> Rows {
    let mut rows = Rows::new(look);
    for &pid in folded {
        rows.fold(RowId::Process(scene.key(pid)), true);
    }
    rows.refresh(scene.engine.tree(), user);
    rows
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
    let mut play = |text| {
        scene.play(text).iter().for_each(|delta| rows.note(delta));
        rows.refresh(scene.engine.tree(), user);
        line(&rows)
    };
    assert_eq!(play("fork 5 6\nfork 4 7"), "2 3 4 7");
    assert_eq!(play("parent 3 1"), "2", "it takes along what is below it");
    assert_eq!(play("fork 7 8\nexit 7"), "2");
    assert_eq!(play("parent 5 2"), "2 5 6");
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
fn i4_a_fork_counts_for_its_forker_though_the_child_is_gone_before_the_refresh() {
    let mut scene = Scene::of("found 1 0\nfound 2 1\nfound 3 1");
    let sort = Sort { by: SortKey::Spawned, reversed: false };
    let mut rows = rows_of(&scene, Look { sort, ..Look::default() }, &[]);
    assert_eq!(line(&rows), "1 2 3");
    scene.play("fork 3 9\nexit 9\nat 1000\ntick").iter().for_each(|delta| rows.note(delta));
    assert!(scene.engine.tree().get(scene.key(9)).is_none());
    rows.refresh(scene.engine.tree(), user);
    assert_eq!(line(&rows), "1 3 2");
    check(&rows, scene.engine.tree());
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
        scene.play("fork 2 50\nexec 50 ls\nexit 50 0\ntick").iter().for_each(|delta| rows.note(delta));
        rows.refresh(scene.engine.tree(), user);
        line(&rows)
    };
    assert_eq!(wait(&mut scene, 50), "1 2 3 lsx5[3]");
    assert_eq!(wait(&mut scene, 100), "1 2 3 lsx6[1]");
    scene.clock_ns += 100 * crate::testing::SECOND;
    scene.play("tick").iter().for_each(|delta| rows.note(delta));
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
    scene.play("exit 11\nexit 21").iter().for_each(|delta| rows.note(delta));
    rows.refresh(scene.engine.tree(), user);
    assert_eq!(line(&rows), "1 2 gccx2[4]");
    // A child that is only heard of now was alive all the time.
    scene.play("fork 11 30").iter().for_each(|delta| rows.note(delta));
    rows.refresh(scene.engine.tree(), user);
    assert_eq!(line(&rows), "1 2 10 11 30 20 21");
}

#[test]
fn a_volatile_sort_stands_still_while_it_is_held() {
    let mut scene = Scene::of("found 1 0\nfork 1 2\nfork 1 3\nusage 2 500");
    let sort = Sort { by: SortKey::Time, reversed: false };
    let mut rows = rows_of(&scene, Look { sort, ..Look::default() }, &[]);
    assert_eq!(line(&rows), "1 2 3");
    rows.hold(true);
    scene.play("usage 3 900\nfork 1 4").iter().for_each(|delta| rows.note(delta));
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
            scene.play(&format!("exit {pid}")).iter().for_each(|delta| rows.note(delta));
        }
        scene.clock_ns += 100 * crate::testing::SECOND;
        scene.play("tick").iter().for_each(|delta| rows.note(delta));
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

#[test]
fn a_joined_row_tells_what_failed_and_ran_below_its_members_wherever_it_is_by_now() {
    let mut scene = Scene::of("found 1 0");
    for pid in [10, 20, 30] {
        let child = pid + 1;
        scene.play(&format!("fork 1 {pid}\nfork {pid} {child}\nexit {child} 1 cpu=2s\nexit {pid} 0 cpu=1s"));
    }
    let look = Look { join_from: 2, ..Look::default() };
    let mut rows = rows_of(&scene, look, &[]);
    let told = |rows: &Rows| {
        let Summary { count, failed, cpu_ns, all, .. } = rows.iter().find_map(|row| row.summary).unwrap();
        (count, failed, cpu_ns / crate::testing::SECOND, all.failed, all.cpu_ns / crate::testing::SECOND)
    };
    assert_eq!(told(&rows), (3, 0, 3, 3, 9), "below them in the tree");
    // Of the first, the child leaves; then it leaves itself.
    for seconds in [52, 2] {
        scene.clock_ns += seconds * crate::testing::SECOND;
        scene.play("tick").iter().for_each(|delta| rows.note(delta));
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
    let mut alive = |play: &str, now| {
        scene.play(play).iter().for_each(|delta| rows.note(delta));
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
    let sort = Sort { by: SortKey::TreeTime, reversed: false };
    let mut rows = rows_of(&scene, Look { sort, ..Look::default() }, &[]);
    assert_eq!(line(&rows), "1 3 4 2");
    rows.hold(true);
    for (held, order) in [(true, "1 3 4 2"), (false, "1 2 3 4")] {
        rows.hold(held);
        scene.play("usage 2 2000").iter().for_each(|delta| rows.note(delta));
        rows.set_now(scene.clock_ns + crate::testing::SECOND);
        rows.refresh(scene.engine.tree(), user);
        assert_eq!(line(&rows), order);
    }
}

#[test]
fn by_share_of_cpu_the_dead_come_after_the_living_by_their_cpu_time() {
    let scene =
        Scene::of("found 1 0\nfork 1 2\nfork 1 3\nfork 1 4\nfork 1 5\nusage 5 500\nexit 2 cpu=1s\nexit 3 cpu=2s");
    let sort = Sort { by: SortKey::Cpu, reversed: false };
    let rows = rows_of(&scene, Look { sort, flat: true, ..Look::default() }, &[]);
    assert_eq!(line(&rows), "5 1 4 3 2");
}

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
fn rows_that_are_built_anew_within_a_second_go_by_the_sums_that_there_are() {
    let (mut scene, mut rows) = joined();
    let told = |rows: &Rows| rows.iter().find_map(|row| row.summary).map(|sums| (sums.failed, sums.all.failed));
    let summed_ns = scene.clock_ns;
    assert_eq!((told(&rows), rows.passes), (Some((0, 3)), [1, 1]));
    for n in 1..6 {
        // As a key in the filter line does it, a sort, and a frame with many changes.
        rows.look_mut().dead = true;
        scene.play("fork 1 99\nexit 99").iter().for_each(|delta| rows.note(delta));
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
    scene.play("fork 1 98").iter().for_each(|delta| rows.note(delta));
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
    let mut played = |play: &str| {
        scene.play(play).iter().for_each(|delta| rows.note(delta));
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
    scene.play("exit 40 1 cpu=4s").iter().for_each(|delta| rows.note(delta));
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
    let mut summed = |play: &str| {
        scene.clock_ns += crate::testing::SECOND;
        scene.play(play).iter().for_each(|delta| rows.note(delta));
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
    for (by, stale) in [(SortKey::TreeTime, false), (SortKey::Time, true), (SortKey::Birth, false)] {
        let mut scene = Scene::of("found 1 0\nfork 1 2\nfork 1 3\nusage 2 0\nusage 3 0");
        let (sort, now_ns) = (Sort { by, reversed: false }, scene.clock_ns);
        let mut rows = rows_of(&scene, Look { sort, now_ns, ..Look::default() }, &[]);
        scene.play("usage 2 10\nusage 3 900").iter().for_each(|delta| rows.note(delta));
        assert_eq!(rows.is_stale(), stale, "{by:?}");
        rows.set_now(now_ns + crate::testing::SECOND);
        assert_eq!(rows.is_stale(), by != SortKey::Birth, "{by:?}");
        rows.refresh(scene.engine.tree(), user);
        assert_eq!(line(&rows), if by == SortKey::Birth { "1 2 3" } else { "1 3 2" }, "{by:?}");
    }
}
