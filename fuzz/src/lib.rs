//! What the fuzz targets do with the bytes that they are given: each function here is total, and panics when something
//! does not hold that must hold whatever comes.
//!
//! Knows nothing of libFuzzer, so that `cargo test` can play the seeds to it.

mod events;
mod filter;
mod invariants;
mod kernel;
mod layout;
mod model;
mod script;

pub use events::events;
pub use filter::filter;
pub use kernel::decode;
pub use layout::btf;
pub use model::engine;
pub use script::script;

use ptree_core::{Config, Filter, MatchRule};

/// A target, by its name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 6] =
    [("btf", btf), ("decode", decode), ("events", events), ("filter", filter), ("engine", engine), ("script", script)];

/// Caps so low that short inputs reach them.
fn config() -> Config {
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
