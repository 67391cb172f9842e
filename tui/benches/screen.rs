//! What a frame costs, by the number of living processes and the size of the screen: the rows brought up to date, and
//! all of it drawn. With nothing new since the last frame, and with as many events as come in between on a busy machine.
//!
//! The terminal is one in memory: what a real one takes is its own affair.

use std::cell::RefCell;
use std::collections::BTreeMap;

use divan::Bencher;
use ptree_core::Filter;
use ptree_core::engine::Config;
use ptree_source::synth::{Options, Profile, Scenario, Synth};
use ptree_source::{Batch, Header, TimeAnchor};
use ptree_tui::action::Action;
use ptree_tui::app::{self, App};
use ptree_tui::screen::theme::Theme;
use ptree_tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const SIZES: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// Events between two frames.
const FRAME: usize = 1_000;
const SECONDS: f64 = 0.5;

/// A screen on an invented machine.
struct Scene {
    synth: Synth,
    app: App,
    theme: Theme,
}

thread_local! {
    static SCENES: RefCell<BTreeMap<u32, Scene>> = const { RefCell::new(BTreeMap::new()) };
}

fn main() {
    divan::main();
}

impl Scene {
    /// A shell with about `size` children.
    fn new(size: u32) -> Self {
        let scenario = Scenario { profile: Profile::Star, lossy: false };
        let synth = Synth::new(Options { size, rate: 100_000.0, usage: false, ..Options::new(scenario) });
        let engine = Config { keep_max: size as usize / 2, pinned_max: usize::MAX, ..Config::default() };
        let options = app::Options {
            engine,
            filter: Filter::default(),
            zone: jiff::tz::TimeZone::UTC,
            preferences: app::Preferences::default(),
            is_here: false,
            read_only: false,
            own_pid: 0,
        };
        let header = Header {
            version: String::new(),
            host: "bench".to_owned(),
            kernel: String::new(),
            boot_id: String::new(),
            anchor: TimeAnchor { boottime_ns: 0, unix_ns: 0 },
            degraded: Vec::new(),
        };
        let mut scene = Self { synth, app: App::new(options, header), theme: Theme::ansi() };
        let count = (size as usize / 10).clamp(10, FRAME);
        let mut left = 20 * size as usize + 10_000;
        while scene.app.tree().live() * 10 < size as usize * 9 && left > 0 {
            scene.advance(count);
            left = left.saturating_sub(count);
        }
        scene
    }

    fn advance(&mut self, count: usize) {
        let events: Vec<_> = self.synth.by_ref().take(count).collect();
        let now_ns = events.last().map_or(0, ptree_core::Event::ts_ns);
        self.app.ingest(&Batch { events, users: Vec::new(), clock: None }, now_ns);
    }

    fn frame(&mut self, terminal: &mut Terminal<TestBackend>) -> bool {
        self.app.prepare(view::measure(&self.app));
        let drawn = terminal.draw(|frame| view::draw(&self.app, &self.theme, frame)).is_ok();
        self.app.drawn();
        drawn
    }
}

/// Frames after so many events each.
fn frame(bencher: Bencher<'_, '_>, size: u32, (width, height): (u16, u16), events: usize) {
    let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height));
    SCENES.with_borrow_mut(|scenes| {
        let scene = scenes.entry(size).or_insert_with(|| Scene::new(size));
        scene.app.update(Action::Resize(width, height));
        // Not at the top, where little happens.
        scene.frame(&mut terminal);
        scene.app.press("G");
        scene.frame(&mut terminal);
        let scene = RefCell::new(scene);
        let bencher = bencher.with_inputs(|| scene.borrow_mut().advance(events));
        bencher.bench_local_values(|()| scene.borrow_mut().frame(&mut terminal));
    });
}

mod still {
    use super::*;

    #[divan::bench(args = SIZES, max_time = SECONDS, sample_size = 1)]
    fn frame_80x24(bencher: Bencher<'_, '_>, size: u32) {
        frame(bencher, size, (80, 24), 0);
    }

    #[divan::bench(args = SIZES, max_time = SECONDS, sample_size = 1)]
    fn frame_300x100(bencher: Bencher<'_, '_>, size: u32) {
        frame(bencher, size, (300, 100), 0);
    }
}

mod moving {
    use super::*;

    #[divan::bench(args = SIZES, max_time = SECONDS, sample_size = 1)]
    fn frame_80x24(bencher: Bencher<'_, '_>, size: u32) {
        frame(bencher, size, (80, 24), FRAME);
    }

    #[divan::bench(args = SIZES, max_time = SECONDS, sample_size = 1)]
    fn frame_300x100(bencher: Bencher<'_, '_>, size: u32) {
        frame(bencher, size, (300, 100), FRAME);
    }
}
