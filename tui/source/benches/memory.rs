//! What a process costs in memory, living or dead: bytes asked of the allocator, in the tree and in the rows beside it.
//!
//! Paths and arguments are told apart. They are shared with the events here, so that what the engine itself asks for is
//! all the rest. Prints a line for each figure, `name bytes`, which `cargo xtask bench` reads.

use std::alloc::System;

use cap::Cap;
use ptree_core::engine::Config;
use ptree_core::{Engine, Event, Look, Rows};
use ptree_source::synth::{Options, Profile, Scenario, Synth};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Processes, living and dead.
const COUNT: usize = 100_000;

fn main() {
    for profile in [Profile::Star, Profile::Build] {
        measure("live", profile, COUNT, |engine| engine.tree().live() * 10 >= COUNT * 9);
    }
    for profile in [Profile::Storm, Profile::Build] {
        measure("dead", profile, 40, |engine| engine.tree().len() - engine.tree().live() >= COUNT);
    }
}

/// Takes events until there are enough processes of a kind, and says what each of all of them costs.
fn measure(kind: &str, profile: Profile, size: usize, enough: fn(&Engine) -> bool) {
    let scenario = Scenario { profile, lossy: false };
    let size = u32::try_from(size).unwrap_or(u32::MAX);
    let options = Options { size, rate: 1e6, usage: false, ..Options::new(scenario) };
    let config = || Config { keep_max: COUNT, pinned_max: COUNT, keep_bytes: u64::MAX, ..Config::default() };
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

    let before_events = ALLOCATOR.allocated();
    let mut events = Vec::with_capacity(count);
    events.extend(Synth::new(options).take(count));
    let before = ALLOCATOR.allocated();
    let mut engine = Engine::new(config());
    for event in &events {
        ingest(&mut engine, event, &mut deltas);
    }
    let own = ALLOCATOR.allocated() - before;
    drop(events);
    let text = (ALLOCATOR.allocated() - before_events).saturating_sub(own);
    let before_rows = ALLOCATOR.allocated();
    let rows = Rows::of(engine.tree(), Look { join_from: 10, ..Look::default() }, |_| "ann");
    let rows_own = ALLOCATOR.allocated() - before_rows;
    let tree = engine.tree();
    let each = |bytes: usize| bytes / tree.len();
    println!("memory/{}/{kind}/tree {}", profile.name(), each(own));
    println!("memory/{}/{kind}/text {}", profile.name(), each(text));
    println!("memory/{}/{kind}/rows {}", profile.name(), each(rows_own));
    eprintln!(
        "{kind} {}: {} living, {} dead, {} rows",
        profile.name(),
        tree.live(),
        tree.len() - tree.live(),
        rows.len()
    );
}
