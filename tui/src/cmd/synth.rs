//! `ptree-tui synth`, for developers: the screen or the stream on an invented machine, or on a script of events.
//!
//! Needs no privilege: nothing of this machine is shown but its kernel's release.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use ptree_core::script::{self, Step};
use ptree_core::text;
use ptree_source::host;
use ptree_source::synth::{Options, Scenario, Synth};

use crate::capture::{Capture, Until};
use crate::cli::{Common, parse_duration};
use crate::clock::Clock;
use crate::cmd::stream::More;
use crate::cmd::{live, stream};
use crate::{given, term};

/// No script is longer, bytes.
const SCRIPT_MAX: usize = 16 << 20;

/// What to play, and how.
#[derive(Args, Debug)]
pub struct Play {
    /// What goes on: idle, build, storm, chain, star, reuse or containers; with 'lossy-' before it, events get lost
    #[arg(required_unless_present = "script", conflicts_with = "script")]
    profile: Option<Scenario>,
    /// The same number gives the same processes and ends; what each uses goes by when it starts
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "script")]
    seed: u64,
    /// Processes alive at a time, about
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=2_000_000), conflicts_with = "script")]
    size: Option<u32>,
    /// Forks, execs and exits per second
    #[arg(long, value_name = "N", value_parser = parse_events_per_s, conflicts_with = "script")]
    rate: Option<f64>,
    /// End after so many forks, execs and exits
    #[arg(long, value_name = "N", conflicts_with = "script")]
    events: Option<u64>,
    /// Play the events that a text file says, one a line
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Print events, one JSON object a line, instead of the screen
    #[arg(long)]
    stream: bool,
    /// With --stream: the time of the wall clock and the name of the user on each line
    #[arg(long, requires = "stream")]
    wall: bool,
    /// With --stream: stop after this long ('90s', '2m 30s')
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, requires = "stream")]
    duration: Option<Duration>,
}

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

fn parse_events_per_s(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("give events per second, such as '200' or '0.5'".to_owned()),
    }
}
