//! The engine on invented machines, compared with the truth: whole streams must give exactly it; streams with losses
//! must come back to it and account for what was lost; and no disorder may break what always holds.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};

use ptree_core::event::{Creds, LossCount, LossKind};
use ptree_core::{Comm, Config, Delta, Engine, Event, ExitStatus, Image, Lifecycle, Lineage, Origin, ProcKey, Process};
use ptree_source::synth::{Options, Profile, Scenario, Synth, World};

const SECOND: u64 = 1_000_000_000;

/// So many that nobody leaves.
fn roomy() -> Config {
    Config { keep_ns: u64::MAX, keep_max: 1_000_000, pinned_max: 1_000_000, keep_bytes: u64::MAX, ..Config::default() }
}

/// So few that somebody leaves all the time.
fn tight() -> Config {
    Config { keep_ns: 2 * SECOND, keep_max: 50, pinned_max: 20, keep_bytes: 8000, ..Config::default() }
}

/// An engine, and what it has said of each process.
struct Fed {
    engine: Engine,
    added: HashSet<ProcKey>,
    ended: HashSet<ProcKey>,
    removed: HashSet<ProcKey>,
    deltas: Vec<Delta>,
    taken: u64,
}

impl Fed {
    fn new(config: Config) -> Self {
        Self {
            engine: Engine::new(config),
            added: HashSet::new(),
            ended: HashSet::new(),
            removed: HashSet::new(),
            deltas: Vec::new(),
            taken: 0,
        }
    }

    fn take(&mut self, event: &Event) {
        self.engine.ingest(event, &mut self.deltas);
        self.taken += 1;
        if self.taken.is_multiple_of(100) {
            self.engine.tick(self.engine.now_ns(), &mut self.deltas);
        }
        for delta in self.deltas.drain(..) {
            // Nobody is duplicated or resurrected.
            match delta {
                Delta::Added(key) => assert!(self.added.insert(key), "{key:?} is added again"),
                Delta::Ended(key) => {
                    assert!(self.added.contains(&key) && self.ended.insert(key), "{key:?} ends again");
                }
                Delta::Removed { key, .. } => {
                    assert!(self.ended.contains(&key) && self.removed.insert(key), "{key:?} leaves, but not dead");
                }
                _ => {}
            }
        }
        if self.taken.is_multiple_of(2000) {
            check(&self.engine);
        }
    }
}

/// What holds for any events in any order.
fn check(engine: &Engine) {
    let (tree, stats) = (engine.tree(), engine.stats());
    let mut pids = HashSet::new();
    let mut users = BTreeMap::<u32, u64>::new();
    let mut live = 0;
    for process in tree.iter() {
        if process.is_alive() {
            live += 1;
            assert!(pids.insert(process.key.pid), "I1: {} lives twice", process.key.pid);
            *users.entry(process.creds().uid).or_default() += 1;
        }
        check_times(process, engine.now_ns());
    }
    for lineage in [Lineage::Forked, Lineage::Kernel] {
        let mut seen = HashSet::new();
        for visit in tree.walk(lineage) {
            assert!(seen.insert(visit.process.key), "I2: {:?} hangs twice", visit.process.key);
            let parent = tree.parent(visit.process.key, lineage);
            assert_eq!(parent.is_none(), visit.depth == 0, "I2");
            assert!(parent.is_none_or(|parent| parent.key.birth() < visit.process.key.birth()), "I2");
        }
        assert_eq!(seen.len(), tree.len(), "I2: some are in no tree");
    }
    let by_stats: BTreeMap<_, _> =
        stats.users.iter().filter(|(_, user)| user.live > 0).map(|(&uid, user)| (uid, user.live)).collect();
    assert_eq!(by_stats, users, "I5");
    assert_eq!((stats.live, stats.forks + stats.found - stats.exits), (live, live), "I5");
    let config = engine.config();
    assert!(tree.pinned() <= config.pinned_max, "I6");
    let free = usize::try_from(stats.dead).unwrap() - tree.zombies() - tree.pinned();
    assert!(free <= config.keep_max && stats.dead_bytes <= config.keep_bytes, "I6");
}

/// I8: start, execs and end of a process are in this order.
fn check_times(process: &Process, now_ns: u64) {
    let mut last_ns = process.key.start_ns;
    for since_ns in process.images().filter_map(Image::since_ns) {
        assert!(since_ns >= last_ns, "I8: {process:?}");
        last_ns = since_ns;
    }
    if let Lifecycle::Exited { at_ns, .. } = process.life() {
        assert!(at_ns >= last_ns, "I8: {process:?}");
        assert_eq!(process.lifetime_ns(now_ns), at_ns - process.key.start_ns, "I8");
    }
}

fn live_keys(engine: &Engine) -> Vec<ProcKey> {
    let alive = engine.tree().iter().filter(|process| process.is_alive());
    let mut keys: Vec<_> = alive.map(|process| process.key).collect();
    keys.sort_by_key(|key| key.pid);
    keys
}

fn true_keys(world: &World) -> Vec<ProcKey> {
    world.living().map(|living| living.key).collect()
}

/// Kernel's parent, credentials, name and arguments.
type Known = (ProcKey, Creds, Comm, Option<Vec<u8>>);

/// Compares the living with the truth, but for who forked those whose fork is not known.
fn compare(engine: &Engine, world: &World, context: &str) {
    assert_eq!(live_keys(engine), true_keys(world), "{context}");
    for living in world.living() {
        let process = engine.tree().get(living.key).unwrap();
        let argv = process.program().and_then(|image| image.argv.as_ref()).map(|argv| argv.as_bytes().to_vec());
        let known: Known = (process.kernel_parent(), process.creds(), *process.comm(), argv);
        let argv = living.program.as_ref().map(|program| program.argv.as_bytes().to_vec());
        assert_eq!(known, (living.parent, living.creds, living.comm, argv), "{context}: {process:?}");
        assert_eq!(process.is_kernel(), living.program.is_none(), "{context}");
        if process.origin != Origin::Inferred {
            assert_eq!(process.forker(), living.forker, "{context}: {process:?}");
        }
    }
}

/// Each living process hangs under who forked it, who is kept for that.
fn compare_forkers(engine: &Engine, world: &World, context: &str) {
    for living in world.living() {
        let parent = engine.tree().parent(living.key, Lineage::Forked).map(|parent| parent.key);
        let forker = Some(living.forker).filter(|&forker| forker != ProcKey::SWAPPER);
        assert_eq!(parent, forker, "I6, {context}: {living:?}");
    }
}

/// All profiles, with several seeds and sizes.
fn each(lossy: bool, events: u64, run: impl Fn(Options, &str)) {
    for profile in Profile::ALL {
        for (seed, size) in [(1, 60), (2, 7), (3, 1), (4, 200)] {
            let scenario = Scenario { profile, lossy };
            let options = Options { seed, size, rate: 500.0, events: Some(events), ..Options::new(scenario) };
            run(options, &format!("{scenario}, seed {seed}, size {size}"));
        }
    }
}

#[test]
fn whole_streams_give_exactly_the_truth() {
    each(false, 6000, |options, context| {
        for (config, all_kept) in [(roomy(), true), (tight(), false)] {
            let mut fed = Fed::new(config);
            let mut synth = Synth::new(options);
            for event in synth.by_ref() {
                fed.take(&event);
            }
            check(&fed.engine);
            compare(&fed.engine, synth.world(), context);
            if all_kept {
                compare_forkers(&fed.engine, synth.world(), context);
            }
            let (stats, counts) = (fed.engine.stats(), synth.world().counts());
            let seen = (stats.found, stats.forks, stats.execs, stats.exits);
            assert_eq!(seen, (counts.seeded, counts.forks, counts.execs, counts.exits), "{context}");
            assert_eq!((stats.inferred, stats.lost), (0, LossCount::default()), "{context}");
        }
    });
}

#[test]
fn i6_the_caps_of_these_tests_are_reached() {
    let (mut removed, mut orphaned) = (0, 0);
    for profile in Profile::ALL {
        let options = Options { events: Some(6000), ..Options::new(Scenario { profile, lossy: false }) };
        let mut fed = Fed::new(tight());
        for event in Synth::new(options) {
            fed.take(&event);
            if fed.taken.is_multiple_of(100) {
                orphaned += fed.engine.tree().iter().filter(|process| process.generations_left_out() > 0).count();
            }
        }
        removed += fed.removed.len();
    }
    assert!(removed > 5000 && orphaned > 100, "{removed} left, {orphaned} times somebody's forker among them");
}

#[test]
fn i11_losses_add_up_and_repair_leads_back_to_the_truth() {
    let totals = Cell::new((0, 0, 0));
    each(true, 6000, |options, context| {
        let mut fed = Fed::new(roomy());
        let mut synth = Synth::new(options);
        let mut told = LossCount::default();
        let mut ended = HashSet::new();
        for event in synth.by_ref() {
            match &event {
                Event::Lost { count, .. } => told += *count,
                Event::Exit(exit) => assert!(ended.insert(exit.key), "{context}: ends twice: {exit:?}"),
                Event::Process(found) => assert!(!ended.contains(&found.task.key), "{context}: raised: {found:?}"),
                _ => {}
            }
            fed.take(&event);
        }
        check(&fed.engine);
        compare(&fed.engine, synth.world(), context);
        let (stats, counts, lost) = (fed.engine.stats(), synth.world().counts(), synth.world().lost());
        assert!(lost.total() > 0, "{context}: the test tests nothing");
        assert_eq!((told, stats.lost), (lost, lost), "{context}");
        assert_eq!(stats.forks, counts.forks - lost[LossKind::Fork], "{context}");
        assert!(stats.execs <= counts.execs - lost[LossKind::Exec], "{context}");
        // Who was never heard of has been forked and has ended unseen.
        assert!(stats.exits <= counts.exits && stats.exits + lost[LossKind::Exit] >= counts.exits, "{context}");
        let (mut inferred, mut unseen, mut seen_ending) = (0, 0, 0);
        for process in fed.engine.tree().iter() {
            inferred += u64::from(process.origin == Origin::Inferred);
            if let Lifecycle::Exited { status, inferred, .. } = process.life() {
                assert!(inferred || status != ExitStatus::Unknown, "{context}: {process:?}");
                unseen += u64::from(status == ExitStatus::Unknown);
                seen_ending += u64::from(inferred && status != ExitStatus::Unknown);
            }
        }
        assert_eq!(stats.inferred, inferred + unseen, "{context}");
        assert!(
            inferred <= lost[LossKind::Fork] && unseen + seen_ending <= lost[LossKind::Exit],
            "{context}: {inferred} {unseen} {lost:?}"
        );
        let (all_inferred, all_lost, all_seen_ending) = totals.get();
        totals.set((all_inferred + stats.inferred, all_lost + lost.total(), all_seen_ending + seen_ending));
    });
    let (inferred, lost, seen_ending) = totals.get();
    assert!(
        inferred > 500 && lost > 2000 && seen_ending > 20,
        "{inferred} inferred, {lost} lost, {seen_ending} ending"
    );
}

#[test]
fn i11_losses_add_up_where_the_dead_leave_at_once() {
    each(true, 4000, |options, context| {
        let mut fed = Fed::new(tight());
        let mut synth = Synth::new(options);
        for event in synth.by_ref() {
            fed.take(&event);
        }
        check(&fed.engine);
        compare(&fed.engine, synth.world(), context);
        assert_eq!(fed.engine.stats().lost, synth.world().lost(), "{context}");
    });
}

/// Numbers for this test, the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }
}

/// Each event somewhat out of its place, by up to `reach`; some twice.
fn disorder(events: &[Event], reach: usize, numbers: &mut Numbers) -> Vec<Event> {
    let mut placed = Vec::new();
    for (place, event) in events.iter().enumerate() {
        if numbers.below(5) == 0 {
            placed.push((place + numbers.below(reach), event));
        }
        placed.push((place + numbers.below(reach), event));
    }
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, event)| event.clone()).collect()
}

#[test]
fn i8_disorder_and_duplicates_leave_the_living_and_the_counts_as_they_are() {
    each(false, 2500, |options, context| {
        let mut synth = Synth::new(options);
        let events: Vec<_> = synth.by_ref().collect();
        for (reach, config) in [(1, roomy()), (10, roomy()), (300, roomy()), (1_000_000, roomy()), (300, tight())] {
            let all_kept = config.keep_ns == u64::MAX;
            let mut fed = Fed::new(config);
            for event in &disorder(&events, reach, &mut Numbers(options.seed)) {
                fed.take(event);
            }
            check(&fed.engine);
            assert_eq!(live_keys(&fed.engine), true_keys(synth.world()), "{context}, reach {reach}");
            if all_kept {
                let (stats, counts) = (fed.engine.stats(), synth.world().counts());
                assert_eq!((stats.forks, stats.exits), (counts.forks, counts.exits), "{context}, reach {reach}");
            }
        }
    });
}

#[test]
fn i7_i8_with_anything_missing_the_rest_still_holds_together() {
    each(false, 2500, |options, _| {
        let events: Vec<_> = Synth::new(options).collect();
        for (reach, kept) in [(1, 80), (50, 50), (1_000_000, 20)] {
            for config in [roomy(), tight()] {
                let mut numbers = Numbers(options.seed + 100);
                let left: Vec<_> = events.iter().filter(|_| numbers.below(100) < kept).cloned().collect();
                let mut engine = Engine::new(config);
                let mut deltas = Vec::new();
                for (n, event) in disorder(&left, reach, &mut numbers).iter().enumerate() {
                    deltas.clear();
                    engine.ingest(event, &mut deltas);
                    if n.is_multiple_of(500) {
                        engine.tick(engine.now_ns(), &mut deltas);
                        check(&engine);
                    }
                }
                check(&engine);
            }
        }
    });
}

#[test]
fn the_truth_is_counted_as_it_is_told() {
    each(false, 3000, |options, context| {
        let mut told = HashMap::<&str, u64>::new();
        let mut synth = Synth::new(options);
        for event in synth.by_ref() {
            let kind = match event {
                Event::Process(_) => "found",
                Event::Fork(_) => "fork",
                Event::Exec(_) => "exec",
                Event::Exit(_) => "exit",
                _ => "other",
            };
            *told.entry(kind).or_default() += 1;
        }
        let told = ["found", "fork", "exec", "exit"].map(|kind| told.get(kind).copied().unwrap_or(0));
        let counts = synth.world().counts();
        assert_eq!(told, [counts.seeded, counts.forks, counts.execs, counts.exits], "{context}");
        assert_eq!(synth.world().live(), synth.world().living().count() as u64, "{context}");
    });
}
