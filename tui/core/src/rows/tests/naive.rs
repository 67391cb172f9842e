//! The rows against a naive flatten of the same tree.

use proptest::prelude::*;

use super::*;

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
        let context =
            Context { tree: self.tree, lineage: *lineage, now_ns: *now_ns, user: &|uid| user(uid), sums: None };
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

    /// Sums are those of each process, asked for itself.
    fn rank(&self, process: &Process) -> Rank {
        let Look { lineage, now_ns, sort, .. } = *self.look;
        if sort.by == Fact::Depth && !self.look.flat {
            return Rank::default();
        }
        let totals = totals(self.tree, process, lineage);
        if sort.by.is_sum() {
            let sum = sort.by.sum(&totals).unwrap_or(0);
            return if sort.descends() { [!sum, !0] } else { [sum, 0] };
        }
        let context = Context { tree: self.tree, lineage, now_ns, user: &|uid| user(uid), sums: None };
        let reader = Reader::new(context);
        sort.rank(&reader, process, &sort.places(&reader, self.tree.iter()))
    }

    fn order(&self, unit: &Unit<'_>) -> Order {
        match unit {
            Unit::One(process) => (self.rank(process), process.key.birth()),
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
pub(super) fn check(rows: &Rows, tree: &Tree) {
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
    (prop::sample::select(Fact::sorts().collect::<Vec<_>>()), any::<bool>())
        .prop_map(|(by, reversed)| Sort { by, reversed })
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
