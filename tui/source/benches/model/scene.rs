//! A machine with so many processes, its tree and its rows: what the benches start from.
//!
//! Does not know what is measured.

use ptree_core::engine::Config;
use ptree_core::{Delta, Engine, Event, Look, Rows};
use ptree_source::synth::{Options, Profile, Scenario, Synth};

/// Events per second of virtual time, in all.
const RATE: f64 = 100_000.0;

/// Tree and rows, and what goes on behind them.
pub(crate) struct Scene {
    synth: Synth,
    pub(crate) engine: Engine,
    pub(crate) rows: Rows,
}

/// Names of users, for the filter.
pub(crate) fn user(_: u32) -> &'static str {
    "ann"
}

impl Scene {
    /// About `size` living processes, with room for half as many dead.
    pub(crate) fn new(profile: Profile, size: u32) -> Self {
        let scenario = Scenario { profile, lossy: false };
        // Of what a build may have at a time, two thirds are alive as a rule.
        let most = if profile == Profile::Build { size / 2 * 3 } else { size };
        let synth = Synth::new(Options { size: most, rate: RATE, usage: false, ..Options::new(scenario) });
        let config = Config { keep_max: size as usize / 2, pinned_max: usize::MAX, ..Config::default() };
        let look = Look { kernel: false, join_from: 10, ..Look::default() };
        let mut scene = Self { synth, engine: Engine::new(config), rows: Rows::new(look) };
        // Where processes end while others start, fewer than that may be all there ever are.
        let mut left = 20 * size as usize + 10_000;
        while scene.engine.tree().live() * 10 < size as usize * 9 && left > 0 {
            let count = (size as usize / 10).clamp(10, 1000);
            let (events, mut deltas) = (scene.events(count), Vec::new());
            scene.ingest(&events, &mut deltas);
            left = left.saturating_sub(count);
        }
        scene.refresh();
        scene
    }

    /// What happens next.
    pub(crate) fn events(&mut self, count: usize) -> Vec<Event> {
        self.synth.by_ref().take(count).collect()
    }

    /// Lets the tree take events.
    pub(crate) fn ingest(&mut self, events: &[Event], deltas: &mut Vec<Delta>) {
        for event in events {
            self.engine.ingest(event, deltas);
        }
    }

    /// Brings the rows up to date.
    pub(crate) fn refresh(&mut self) {
        self.rows.refresh(self.engine.tree(), user);
    }
}
