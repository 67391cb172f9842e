//! What the fuzz targets do with the bytes that they are given: each function here is total, and panics when something
//! does not hold that must hold whatever comes.
//!
//! Knows nothing of libFuzzer, so that `cargo test` can play the seeds to it.

mod config;
mod events;
mod filter;
mod header;
mod invariants;
mod kernel;
mod layout;
mod model;
mod script;
mod terminal;
mod text;

pub use config::config;
pub use events::events;
pub use filter::filter;
pub use header::header;
pub use kernel::decode;
pub use layout::btf;
pub use model::engine;
pub use script::script;
pub use terminal::terminal;
pub use text::text;

use ptree_core::text::is_control;
use ptree_core::{Config, Filter, MatchRule};

/// A target, by its name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 10] = [
    ("btf", btf),
    ("config", config),
    ("decode", decode),
    ("events", events),
    ("filter", filter),
    ("engine", engine),
    ("header", header),
    ("script", script),
    ("terminal", terminal),
    ("text", text),
];

/// That what a user is told is harmless to a terminal, and no flood.
fn check_told(told: &str, lines: usize) {
    assert!(!told.contains(|c| c != '\n' && is_control(c)), "{told:?}");
    assert!(told.lines().count() <= lines, "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 600), "{told}");
}

/// The text that bytes begin with.
fn as_text(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

/// Caps so low that short inputs reach them.
fn caps() -> Config {
    Config { keep_ns: 40, keep_max: 6, pinned_max: 3, keep_bytes: 600, matches: rules(), ..Config::default() }
}

/// Whom to raise an alert for: by what is their own, by where they stand, and by what is measured.
fn rules() -> Vec<MatchRule> {
    let rule = |text: &str| MatchRule {
        name: text.into(),
        filter: Filter::parse(text).unwrap_or_else(|error| panic!("{error}")),
    };
    ["comm=make or code=1", "ancestor:comm=sh children>1", "rss>5 or time>1s"].map(rule).into()
}
