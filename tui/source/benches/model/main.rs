//! What tree and rows cost, by profile and by the number of living processes; `cargo xtask bench` reads the table.
//!
//! First what leaves the tree as it is, then what goes on with it: divan takes benches by name, and the scenes are
//! shared. The reference is what machines are compared by.

mod scene;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use divan::Bencher;
use divan::counter::ItemsCount;
use ptree_core::engine::Config;
use ptree_core::{Delta, Engine, Event, ExitStatus, Fact, Filter, Lineage, Look, Rows, Sort, Sums};
use ptree_source::synth::{Options, Profile, Scenario, Synth};
use rustc_hash::FxHashMap;

use scene::{Scene, user};

/// Living processes: to these sizes where a million are soon there.
const SIZES: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// Where it takes more events to have them, or seconds to go through them all.
const FEWER: [u32; 3] = [1_000, 10_000, 100_000];
/// Rows on a screen.
const WINDOW: usize = 50;
/// Levels of guides on a screen.
const LEVELS: usize = 30;
/// Events between two frames.
const FRAME: usize = 1_000;
/// Seconds for one bench at one size.
const SECONDS: f64 = 0.5;

thread_local! {
    /// The scenes of the latest profile.
    static SCENES: RefCell<(Option<Profile>, BTreeMap<u32, Scene>)> = const { RefCell::new((None, BTreeMap::new())) };
}

fn main() {
    divan::main();
}

fn with(profile: Profile, size: u32, f: impl FnOnce(&mut Scene)) {
    SCENES.with_borrow_mut(|(of, scenes)| {
        if *of != Some(profile) {
            scenes.clear();
            *of = Some(profile);
        }
        f(scenes.entry(size).or_insert_with(|| Scene::new(profile, size)));
    });
}

/// Looks up keys in a table that no cache holds: what most of the rest consists of.
#[divan::bench(max_time = SECONDS)]
fn reference(bencher: Bencher<'_, '_>) {
    const KEYS: u64 = 1 << 20;
    let scatter = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7;
    let table: FxHashMap<u64, u64> = (0..KEYS).map(|n| (scatter(n), n)).collect();
    bencher.bench_local(|| {
        let mut key = 1;
        for _ in 0..10_000 {
            // Each lookup waits for the one before.
            key = scatter(table.get(&scatter(key)).copied().unwrap_or(0) * 7 % KEYS + 1) % KEYS;
        }
        key
    });
}

/// Events taken.
fn ingest(bencher: Bencher<'_, '_>, profile: Profile, size: u32) {
    const COUNT: usize = 4_000;
    with(profile, size, |scene| {
        let scene = RefCell::new(scene);
        let deltas = RefCell::new(Vec::with_capacity(4 * COUNT));
        bencher
            .counter(ItemsCount::new(COUNT))
            .with_inputs(|| {
                deltas.borrow_mut().clear();
                scene.borrow_mut().events(COUNT)
            })
            .bench_local_refs(|events: &mut Vec<Event>| scene.borrow_mut().ingest(events, &mut deltas.borrow_mut()));
        // Others follow from here.
        scene.borrow_mut().rows.invalidate();
    });
}

/// A screen of rows that begins so many halves down all of them.
fn window(bencher: Bencher<'_, '_>, profile: Profile, size: u32, halves: usize) {
    with(profile, size, |Scene { rows, .. }| {
        let from = rows.len().saturating_sub(WINDOW) * halves / 2;
        bencher.bench_local(|| {
            let mut deepest = 0;
            rows.window(from..from + WINDOW, LEVELS, |_, row, guides| deepest = row.depth.max(guides.len() as u32));
            deepest
        });
    });
}

/// The rows after a change of the look, for which `prepare` is undone in between.
fn look(bencher: Bencher<'_, '_>, profile: Profile, size: u32, prepare: fn(&mut Rows), change: fn(&mut Rows)) {
    with(profile, size, |scene| {
        let before = scene.rows.look().clone();
        let cell = RefCell::new(&mut *scene);
        bencher
            .with_inputs(|| {
                let mut scene = cell.borrow_mut();
                prepare(&mut scene.rows);
                scene.refresh();
            })
            .bench_local_values(|()| {
                let mut scene = cell.borrow_mut();
                change(&mut scene.rows);
                scene.refresh();
            });
        *scene.rows.look_mut() = before;
        scene.rows.fold_all(false);
        scene.refresh();
    });
}

/// What hangs below the first row is hidden or shown again.
fn fold_one(bencher: Bencher<'_, '_>, profile: Profile, size: u32) {
    with(profile, size, |Scene { rows, .. }| {
        let Some(first) = rows.get(0).map(|row| row.id) else { return };
        let folded = Cell::new(false);
        let rows = RefCell::new(rows);
        bencher.bench_local(|| {
            folded.set(!folded.get());
            rows.borrow_mut().fold(first, folded.get());
            rows.borrow().len()
        });
        rows.borrow_mut().fold(first, false);
    });
}

/// The rows brought up to date after as many events as come between two frames.
fn follow(bencher: Bencher<'_, '_>, profile: Profile, size: u32) {
    with(profile, size, |scene| {
        scene.refresh();
        let scene = RefCell::new(scene);
        bencher
            .counter(ItemsCount::new(FRAME))
            .with_inputs(|| {
                let mut scene = scene.borrow_mut();
                let (events, mut deltas) = (scene.events(FRAME), Vec::new());
                scene.ingest(&events, &mut deltas);
                deltas
            })
            .bench_local_refs(|deltas: &mut Vec<Delta>| {
                let mut scene = scene.borrow_mut();
                for delta in deltas {
                    scene.rows.note(delta);
                }
                scene.refresh();
            });
    });
}

/// What all subtrees come to.
fn sums(bencher: Bencher<'_, '_>, profile: Profile, size: u32) {
    with(profile, size, |Scene { engine, .. }| {
        let mut sums = Sums::default();
        bencher.bench_local(|| {
            sums.refresh(engine.tree(), Lineage::Forked);
            sums.bytes()
        });
    });
}

/// A copy of all that is known, as a pause keeps it.
fn keyframe(bencher: Bencher<'_, '_>, profile: Profile, size: u32) {
    with(profile, size, |Scene { engine, .. }| bencher.bench_local(|| engine.clone()));
}

fn set_filter(rows: &mut Rows, text: &str) {
    let Ok(filter) = Filter::parse(text) else { panic!("'{text}' is no filter") };
    rows.look_mut().filter = filter;
}

fn set_sort(rows: &mut Rows, by: Fact) {
    rows.look_mut().sort = Sort { by, reversed: false };
}

/// All that goes with rows, for one profile.
macro_rules! rows_of {
    ($name:ident, $profile:ident, $sizes:ident, $filter:literal) => {
        mod $name {
            use super::*;

            const PROFILE: Profile = Profile::$profile;

            mod at_rest {
                use super::*;

                #[divan::bench(args = $sizes, max_time = SECONDS)]
                fn window_top(bencher: Bencher<'_, '_>, size: u32) {
                    window(bencher, PROFILE, size, 0);
                }

                #[divan::bench(args = $sizes, max_time = SECONDS)]
                fn window_middle(bencher: Bencher<'_, '_>, size: u32) {
                    window(bencher, PROFILE, size, 1);
                }

                #[divan::bench(args = $sizes, max_time = SECONDS)]
                fn window_end(bencher: Bencher<'_, '_>, size: u32) {
                    window(bencher, PROFILE, size, 2);
                }

                #[divan::bench(args = $sizes, max_time = SECONDS)]
                fn fold_one(bencher: Bencher<'_, '_>, size: u32) {
                    super::super::fold_one(bencher, PROFILE, size);
                }

                #[divan::bench(args = FEWER, max_time = SECONDS, sample_size = 1)]
                fn fold_all(bencher: Bencher<'_, '_>, size: u32) {
                    look(bencher, PROFILE, size, |rows| rows.fold_all(false), |rows| rows.fold_all(true));
                }

                #[divan::bench(args = FEWER, max_time = SECONDS, sample_size = 1)]
                fn unfold_all(bencher: Bencher<'_, '_>, size: u32) {
                    look(bencher, PROFILE, size, |rows| rows.fold_all(true), |rows| rows.fold_all(false));
                }

                #[divan::bench(args = FEWER, max_time = SECONDS, sample_size = 1)]
                fn filter(bencher: Bencher<'_, '_>, size: u32) {
                    look(bencher, PROFILE, size, |rows| set_filter(rows, ""), |rows| set_filter(rows, $filter));
                }

                #[divan::bench(args = FEWER, max_time = SECONDS, sample_size = 1)]
                fn sort(bencher: Bencher<'_, '_>, size: u32) {
                    let name = |rows: &mut Rows| set_sort(rows, Fact::Name);
                    look(bencher, PROFILE, size, |rows| set_sort(rows, Fact::Start), name);
                }

                #[divan::bench(args = FEWER, max_time = SECONDS, sample_size = 1)]
                fn keyframe(bencher: Bencher<'_, '_>, size: u32) {
                    super::super::keyframe(bencher, PROFILE, size);
                }

                #[divan::bench(args = $sizes, max_time = SECONDS, sample_size = 1)]
                fn sums(bencher: Bencher<'_, '_>, size: u32) {
                    super::super::sums(bencher, PROFILE, size);
                }
            }

            mod in_motion {
                use super::*;

                #[divan::bench(args = $sizes, max_time = SECONDS, sample_size = 1)]
                fn follow(bencher: Bencher<'_, '_>, size: u32) {
                    super::super::follow(bencher, PROFILE, size);
                }

                #[divan::bench(args = $sizes, max_time = SECONDS, sample_size = 1)]
                fn ingest(bencher: Bencher<'_, '_>, size: u32) {
                    super::super::ingest(bencher, PROFILE, size);
                }
            }
        }
    };
}

/// Events alone.
macro_rules! events_of {
    ($name:ident, $profile:ident) => {
        mod $name {
            use super::*;

            mod in_motion {
                use super::*;

                #[divan::bench(args = FEWER, max_time = SECONDS, sample_size = 1)]
                fn ingest(bencher: Bencher<'_, '_>, size: u32) {
                    super::super::ingest(bencher, Profile::$profile, size);
                }
            }
        }
    };
}

rows_of!(build, Build, FEWER, "unit_77");
rows_of!(chain, Chain, SIZES, "link 77");
rows_of!(star, Star, SIZES, "77");
events_of!(containers, Containers);
events_of!(idle, Idle);
events_of!(reuse, Reuse);
events_of!(storm, Storm);

/// The children of a shell, all dead, are forgotten together.
mod expiry {
    use super::*;

    const CHILDREN: u32 = 100_000;
    const MINUTE: u64 = 60_000_000_000;

    /// The tree and its rows just before, and the time when all of them have been kept long enough.
    fn finished() -> (Engine, Rows, u64) {
        let scenario = Scenario { profile: Profile::Star, lossy: false };
        let options = Options { size: CHILDREN, rate: 1e6, usage: false, ..Options::new(scenario) };
        let mut engine = Engine::new(Config { keep_max: usize::MAX, keep_ns: MINUTE, ..Config::default() });
        let mut deltas = Vec::new();
        for event in Synth::new(options) {
            engine.ingest(&event, &mut deltas);
            deltas.clear();
            let is_exit = matches!(event, Event::Exit(exit) if exit.status == ExitStatus::Code(0));
            if is_exit && engine.tree().len() - engine.tree().live() == CHILDREN as usize {
                break;
            }
        }
        let rows = Rows::of(engine.tree(), Look { join_from: 10, ..Look::default() }, user);
        let now_ns = engine.now_ns() + MINUTE;
        (engine, rows, now_ns)
    }

    #[divan::bench(sample_count = 5, sample_size = 1)]
    fn tree(bencher: Bencher<'_, '_>) {
        let bencher = bencher.counter(ItemsCount::new(CHILDREN)).with_inputs(|| (finished(), Vec::new()));
        bencher.bench_local_refs(|((engine, _, now_ns), deltas)| engine.tick(*now_ns, deltas));
    }

    #[divan::bench(sample_count = 5, sample_size = 1)]
    fn rows(bencher: Bencher<'_, '_>) {
        let inputs = || {
            let (mut engine, rows, now_ns) = finished();
            let mut deltas = Vec::new();
            engine.tick(now_ns, &mut deltas);
            (engine, rows, deltas)
        };
        let bencher = bencher.counter(ItemsCount::new(CHILDREN)).with_inputs(inputs);
        bencher.bench_local_refs(|(engine, rows, deltas)| {
            for delta in deltas {
                rows.note(delta);
            }
            rows.refresh(engine.tree(), user);
        });
    }
}
