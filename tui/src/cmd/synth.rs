//! `ptree-tui synth`, for developers: the screen or the stream on an invented machine, or on a script of events.
//!
//! Needs no privilege: nothing of this machine is shown but its kernel's release.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use ptree_core::script::{self, Step};
use ptree_core::text;
use ptree_source::host;
use ptree_source::synth::{Options, Synth};

use crate::capture::{Capture, Until};
use crate::cli::{Common, Play};
use crate::clock::Clock;
use crate::cmd::stream::More;
use crate::cmd::{live, stream};
use crate::{given, term};

/// No script is longer, bytes.
const SCRIPT_MAX: usize = 16 << 20;

/// Plays it.
///
/// # Errors
/// When the script cannot be read, there is no terminal, or the output cannot be written.
pub fn run(common: &Common, play: &Play) -> Result<ExitCode> {
    if !play.stream {
        term::ensure_terminal()?;
    }
    let until = Until { duration: play.duration, signals: play.stream };
    let mut capture = match (&play.script, play.profile) {
        (Some(path), _) => script(path, until)?,
        (None, Some(scenario)) => {
            let defaults = Options::new(scenario);
            let (size, rate) = (play.size.unwrap_or(defaults.size), play.rate.unwrap_or(defaults.rate));
            let begin_ns = host::boottime_ns();
            let options = Options { seed: play.seed, size, rate, events: play.events, begin_ns, ..defaults };
            let cues = move || Synth::new(options).map(|event| (event.ts_ns(), Some(event)));
            Capture::play(Synth::users(), cues, until)?
        }
        (None, None) => anyhow::bail!("there is nothing to play: give a profile or '--script FILE'"),
    };
    capture.header.host =
        play.profile.map_or_else(|| "synth-script".to_owned(), |scenario| format!("synth-{scenario}"));
    if play.stream {
        stream::print(common, More { usage: true, wall: play.wall }, capture, "synth")
    } else {
        live::show(common, capture, Clock::invented(), false)
    }
}

/// A whole file, read before anything is shown.
fn script(path: &Path, until: Until) -> Result<Capture> {
    let script = given::read_text(path, SCRIPT_MAX).with_context(|| format!("'{}'", text::path(path)))?;
    let steps = script::parse(&script, host::boottime_ns()).with_context(|| format!("'{}'", text::path(path)))?;
    let cue = |step| match step {
        Step::Event(event) => (event.ts_ns(), Some(*event)),
        Step::Tick(now_ns) => (now_ns, None),
    };
    Capture::play(Vec::new(), move || steps.into_iter().map(cue), until)
}
