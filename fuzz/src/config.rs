//! A configuration file of any text: what is wrong with it is told in a few harmless lines, and what is taken of it can
//! be shown.

use ptree_core::text::is_control;
use ptree_tui::action::{COMMANDS, Mode};
use ptree_tui::config::file::parse;

use crate::{as_text, check_told};

/// The text of a file; what is not UTF-8 ends it.
pub fn config(bytes: &[u8]) {
    let config = match parse(as_text(bytes), "file") {
        Ok(config) => config,
        Err(error) => {
            let told = error.to_string();
            assert!(!told.is_empty() && told.lines().all(|line| line.starts_with("file:")), "{told}");
            return check_told(&told, 21);
        }
    };
    for (mode, spec) in Mode::ALL.into_iter().flat_map(|mode| COMMANDS.iter().map(move |spec| (mode, spec))) {
        assert!(config.bindings.keys(mode, spec.command).all(|keys| !keys.contains(is_control)), "{}", spec.name);
    }
    assert!(config.bindings.clash().is_none());
}
