//! What a process costs in memory, living or dead: bytes asked of the allocator, in the tree and in the rows beside it.
//!
//! Paths and arguments are told apart. They are shared with the events here, so that what the engine itself asks for is
//! all the rest. Prints a line for each figure, `name bytes`, which `cargo xtask bench` reads.

use std::alloc::System;

use ptree_core::engine::Config;
use ptree_core::{Engine, Event, Look, Rows};
use ptree_source::synth::{Options, Profile, Scenario, Synth};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Processes, living or dead.
const COUNT: usize = 100_000;

fn main() {
    // Like divan: parts of names, and options of cargo's.
    let filters: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    for (profile, living) in
        [(Profile::Star, true), (Profile::Build, true), (Profile::Storm, false), (Profile::Build, false)]
    {
        let name = format!("memory/{}/{}", profile.name(), if living { "live" } else { "dead" });
        if filters.is_empty() || filters.iter().any(|filter| name.contains(&filter.replace("::", "/"))) {
            measure(&name, profile, living);
        }
    }
}

/// Bytes asked for and not given back.
fn allocated() -> usize {
    let stats = ALLOCATOR.stats();
    // What was reallocated is counted among them by its difference.
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Takes events until there are enough that are alive, with none of the dead kept but their ancestors, or enough that
/// are dead, with few alive; and says what each of all of them costs.
fn measure(name: &str, profile: Profile, living: bool) {
    let (most, keep_max) = match (living, profile) {
        // Of what a build may have at a time, two thirds are alive as a rule.
        (true, Profile::Build) => (COUNT / 2 * 3, 0),
        (true, _) => (COUNT, 0),
        (false, _) => (40, COUNT),
    };
    let enough = |engine: &Engine| {
        let (all, live) = (engine.tree().len(), engine.tree().live());
        if living { live * 10 >= COUNT * 9 } else { all - live >= COUNT }
    };
    let size = u32::try_from(most).unwrap_or(u32::MAX);
    let scenario = Scenario { profile, lossy: false };
    let options = Options { size, rate: 1e6, usage: false, ..Options::new(scenario) };
    let config = || Config { keep_max, pinned_max: COUNT, keep_bytes: u64::MAX, ..Config::default() };
    let ingest = |engine: &mut Engine, event: &Event, deltas: &mut Vec<_>| {
        engine.ingest(event, deltas);
        deltas.clear();
    };
    // How many it takes, so that the events that are measured are there before.
    let (mut engine, mut deltas) = (Engine::new(config()), Vec::new());
    let count = Synth::new(options).take(COUNT * 20).take_while(|event| {
        ingest(&mut engine, event, &mut deltas);
        !enough(&engine)
    });
    let count = count.count();
    drop(engine);

    let before_events = allocated();
    let mut events = Vec::with_capacity(count);
    events.extend(Synth::new(options).take(count));
    let before = allocated();
    let mut engine = Engine::new(config());
    for event in &events {
        ingest(&mut engine, event, &mut deltas);
    }
    let own = allocated() - before;
    drop(events);
    let text = (allocated() - before_events).saturating_sub(own);
    let before_rows = allocated();
    let rows = Rows::of(engine.tree(), Look { join_from: 10, ..Look::default() }, |_| "ann");
    let rows_own = allocated() - before_rows;
    let tree = engine.tree();
    let each = |bytes: usize| bytes / tree.len();
    println!("{name}/tree {}", each(own));
    println!("{name}/text {}", each(text));
    println!("{name}/rows {}", each(rows_own));
    eprintln!("{name}: {} living, {} dead, {} rows", tree.live(), tree.len() - tree.live(), rows.len());
}
