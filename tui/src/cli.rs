//! The command line: what may be typed, and which exit status a failure becomes.
//!
//! Does not know how a subcommand does its work.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ptree_core::{AlertRule, Config, Filter};
use ptree_source::live::{LiveError, LiveOptions, check_pretended, check_ring_bytes};

use crate::cmd;
use crate::columns::width;

/// Exit status when privilege is lacking (`EX_NOPERM`).
pub(crate) const EXIT_PRIVILEGE: u8 = 77;

/// Live process tree for Linux: fed by eBPF on fork, exec and exit, it misses nothing and keeps the dead in sight.
#[derive(Debug, Parser)]
#[command(name = "ptree-tui", version, args_conflicts_with_subcommands = false)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    common: Common,
}

/// Options of every command that shows processes.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// Only processes that match: a text in name, command line or user, or an expression such as 'comm=make cpu>50%'
    #[arg(long, global = true, value_name = "EXPR", default_value = "", hide_default_value = true, value_parser = parse_filter)]
    pub filter: Filter,
    /// Only processes of this user (name or number)
    #[arg(long, global = true, value_name = "USER", value_parser = parse_user)]
    pub uid: Option<u32>,
    /// How long the dead stay in the tree
    #[arg(long, global = true, value_name = "DURATION", default_value = "60s", value_parser = parse_duration)]
    pub keep: Duration,
    /// Size of the kernel's ring buffer: a power of two
    #[arg(long, global = true, value_name = "SIZE", default_value = "8MiB", value_parser = parse_ring)]
    pub ring_buffer: u32,
    /// Raise an alert at this many forks per second; 0 for never
    #[arg(long, global = true, value_name = "N", default_value_t = AlertRule::default().spawns_per_s, value_parser = parse_rate)]
    pub alert_rate: f64,
    /// Only look: without the keys that signal, freeze or renice processes
    #[arg(long, global = true)]
    pub read_only: bool,
    /// The BTF of this kernel, where '/sys/kernel/btf/vmlinux' is not to be seen
    #[arg(long, global = true, value_name = "FILE")]
    pub btf: Option<PathBuf>,
    /// For tests: a program or a field of the table of members that this kernel is to be taken to lack
    #[arg(long, global = true, value_name = "NAME", hide = true, value_delimiter = ',', value_parser = check_pretended)]
    pub pretend_missing: Vec<String>,
}

impl Common {
    /// How the model is to be kept.
    #[must_use]
    pub fn engine(&self) -> Config {
        let mut config =
            Config { keep_ns: u64::try_from(self.keep.as_nanos()).unwrap_or(u64::MAX), ..Config::default() };
        config.alert.spawns_per_s = self.alert_rate;
        config
    }

    /// What is to be shown.
    #[must_use]
    pub fn filter(&self) -> Filter {
        self.filter.clone().of_user(self.uid)
    }

    /// How the kernel is to be captured.
    #[must_use]
    pub fn live(&self) -> LiveOptions {
        LiveOptions {
            ring_bytes: self.ring_buffer,
            btf: self.btf.clone(),
            pretend_missing: self.pretend_missing.clone(),
            ..LiveOptions::default()
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print events, one JSON object a line, until ^C or the reader goes away
    Stream {
        /// Stop after this long ('90s', '2m 30s')
        #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
        duration: Option<Duration>,
        /// Tell every second or so what each process uses as well, for a screen at the other end
        #[arg(long)]
        usage: bool,
    },
    /// Show the full screen on a recording, or on a stream from standard input
    Replay {
        /// What 'ptree-tui stream' has written; '-' for standard input
        file: PathBuf,
        /// How many times as fast as it happened
        #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = parse_speed)]
        speed: f64,
    },
    /// Print the tree as it is now
    Snapshot {
        /// What to print
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Tell what this machine allows, and how to mend what is missing
    Doctor {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
        /// Show the members of the kernel's structs that are read and where they are, of another kernel with --btf
        #[arg(long)]
        layout: bool,
    },
    /// Show an invented machine, or a script of events
    #[command(hide = true)]
    Synth(cmd::synth::Play),
}

/// How a snapshot is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns and tree guides
    Text,
    /// One JSON object
    Json,
    /// A graph for GraphViz
    Dot,
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let Cli { command, common } = Cli::parse();
    let result = match command {
        None => cmd::live::run(&common),
        Some(Command::Stream { duration, usage }) => cmd::stream::run(&common, duration, usage),
        Some(Command::Replay { file, speed }) => cmd::replay::run(&common, &file, speed),
        Some(Command::Snapshot { format }) => cmd::snapshot::run(&common, format),
        Some(Command::Doctor { json, layout: false }) => cmd::doctor::run(&common, json),
        Some(Command::Doctor { json, layout: true }) => cmd::doctor::layout::run(&common, json),
        Some(Command::Synth(play)) => cmd::synth::run(&common, &play),
    };
    result.unwrap_or_else(|error| {
        if is_broken_pipe(&error) {
            return ExitCode::SUCCESS;
        }
        let live = error.downcast_ref::<LiveError>();
        match live {
            // Says all of its causes itself.
            Some(error) => eprintln!("ptree-tui: {error}"),
            None => eprintln!("ptree-tui: {error:#}"),
        }
        if live.is_some_and(LiveError::is_privilege) { ExitCode::from(EXIT_PRIVILEGE) } else { ExitCode::FAILURE }
    })
}

/// Whether the reader of our output has gone: it has what it wanted.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

fn parse_filter(text: &str) -> Result<Filter, String> {
    Filter::parse(text).map_err(|error| format!("it does not parse\n\n{}", indented(&error.pointed_out(width))))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; write it like '90s' or '2m 30s'"))
}

fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate >= 0.0 => Ok(rate),
        _ => Err("give forks per second, such as '200', or '0' for no alert".to_owned()),
    }
}

fn parse_speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        _ => Err("give a number above 0, such as '10' or '0.5'".to_owned()),
    }
}

fn parse_ring(text: &str) -> Result<u32, String> {
    let bytes = parse_bytes(text)?;
    check_ring_bytes(bytes).map_err(|error| error.to_string())
}

/// Bytes, with or without a binary unit: `65536`, `64K`, `8MiB`, `1GiB`.
fn parse_bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let shift = match unit.trim() {
        "" | "B" => Some(0),
        "K" | "k" | "KiB" => Some(10),
        "M" | "MiB" => Some(20),
        "G" | "GiB" => Some(30),
        _ => None,
    };
    let bytes = shift.and_then(|shift| number.parse::<u64>().ok()?.checked_mul(1 << shift));
    bytes.ok_or_else(|| "give a size such as '65536', '512KiB' or '8MiB'".to_owned())
}

fn parse_user(text: &str) -> Result<u32, String> {
    if let Ok(uid) = text.parse() {
        return Ok(uid);
    }
    match nix::unistd::User::from_name(text) {
        Ok(Some(user)) => Ok(user.uid.as_raw()),
        _ => Err("there is no such user; give a name or a number".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(parse_bytes("65536"), Ok(65536));
        assert_eq!(parse_bytes("8MiB"), Ok(8 << 20));
        assert_eq!(parse_bytes("512 K"), Ok(512 << 10));
        for bad in ["", "MiB", "8MB", "-1", "8.5M", "99999999999999999999", "17179869184GiB"] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn options_may_stand_before_or_behind_the_command() {
        for line in ["ptree-tui --keep 5s stream --duration 1s", "ptree-tui stream --duration 1s --keep 5s"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.common.keep, Duration::from_secs(5));
        }
    }

    #[test]
    fn bad_values_are_quoted_with_what_to_do() {
        for (line, wants) in [
            ("ptree-tui --ring-buffer 9MiB", "try '16MiB'"),
            ("ptree-tui --keep soon", "write it like '90s'"),
            ("ptree-tui --uid nobody-at-all", "no such user"),
            ("ptree-tui --alert-rate=-1", "forks per second"),
            ("ptree-tui replay - --speed 0", "a number above 0"),
            ("ptree-tui --pretend-missing on_exit,on_fire", "'on_fire'"),
            ("ptree-tui --filter coom=cc", "'coom=cc' for '--filter <EXPR>'"),
            (
                "ptree-tui --filter 塩&&coom=cc",
                "\n  塩&&coom=cc\n      ^^^^ there is no field 'coom'; did you mean 'comm'?",
            ),
        ] {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err().to_string();
            assert!(error.contains(wants), "{line}: {error}");
        }
    }
}
