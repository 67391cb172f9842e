//! The command line: what may be typed, and which exit status a failure becomes.
//!
//! Does not know how a subcommand does its work.

mod scope;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser, ValueHint};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use ptree_core::text::{VALUE, quoted, shown};
use ptree_core::{Filter, MatchRule};
use ptree_source::caller::caller;
use ptree_source::live::{LiveOptions, check_pretended};
use ptree_source::synth::Scenario;

use crate::app::{Options, Preferences};
use crate::config::print;
use crate::config::settings::SETTINGS;
use crate::config::{Config, ConfigError, Symbols};
use crate::export::{FORMATS, Format};
use crate::given;
use crate::measure::width;
use crate::moment::At;
use crate::runtime::Display;
use crate::screen::theme::ability::Ability;
use crate::screen::theme::{Theme, ThemeName};
use crate::term;
use crate::values::{
    parse_duration, parse_events_per_s, parse_interval, parse_rate, parse_ring, parse_speed, parse_user,
};

/// Each exit status, and what it means.
pub(crate) const EXIT_STATUS: [(u8, &str); 4] = [
    (0, "All went well."),
    (1, "It failed; standard error says why."),
    (EXIT_USAGE, "The command line or the configuration makes no sense."),
    (EXIT_PRIVILEGE, "The privilege to watch the kernel is missing; `ptree-tui doctor` says how to get it."),
];
/// Exit status when privilege is lacking (`EX_NOPERM`).
pub(crate) const EXIT_PRIVILEGE: u8 = 77;
/// Exit status when what was asked for makes no sense.
pub(crate) const EXIT_USAGE: u8 = 2;

/// Live process tree for Linux: fed by eBPF on fork, exec and exit, it misses nothing and keeps the dead in sight.
#[derive(Debug, Parser)]
#[command(name = "ptree-tui", bin_name = "ptree-tui", version, args_conflicts_with_subcommands = false)]
#[command(
    after_help = "What is not given is as the configuration says; 'ptree-tui config' prints how that is without one."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) flags: Flags,
}

/// Options of every command that shows processes. What is not given is as in the configuration.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Flags {
    /// Only processes that match: a text in name, command line or user, or an expression such as 'comm=make cpu>50%'
    #[arg(long, global = true, value_name = "EXPR", allow_hyphen_values = true, value_hint = ValueHint::Other)]
    filter: Option<String>,
    /// Only processes of this user (name or number)
    #[arg(short, long, alias = "user", global = true)]
    #[arg(value_name = "USER", value_parser = parse_user, value_hint = ValueHint::Username)]
    uid: Option<u32>,
    /// How long the dead stay in the tree
    #[arg(long, global = true, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = parse_duration)]
    keep: Option<Duration>,
    /// Size of the kernel's ring buffer: a power of two
    #[arg(long, global = true, value_name = "SIZE", value_hint = ValueHint::Other, value_parser = parse_ring)]
    ring_buffer: Option<u32>,
    /// Raise an alert when a process matches, too; may be given several times
    #[arg(long = "alert", global = true, value_name = "EXPR", allow_hyphen_values = true, value_hint = ValueHint::Other)]
    alerts: Vec<String>,
    /// How often it is measured what the living use, '100ms' to '1m'
    #[arg(long, global = true, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = parse_interval)]
    interval: Option<Duration>,
    /// Raise an alert at this many forks per second; 0 for never
    #[arg(long, global = true, value_name = "N", value_hint = ValueHint::Other, value_parser = parse_rate)]
    alert_rate: Option<f64>,
    /// Only look: nobody is signalled, frozen or reniced, no file is written, no environment is shown
    #[arg(long, global = true)]
    read_only: bool,
    /// The BTF of this kernel, where '/sys/kernel/btf/vmlinux' is not to be seen
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    btf: Option<PathBuf>,
    /// For tests: a program or a field of the table of members that this kernel is to be taken to lack
    #[arg(long, global = true, value_name = "NAME", hide = true, value_delimiter = ',', value_parser = check_pretended)]
    pretend_missing: Vec<String>,
    /// Take the configuration from this file
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// What the screen looks like, also where NO_COLOR is set
    #[arg(long, global = true, value_name = "NAME", value_parser = PossibleValuesParser::new(ThemeName::NAMES).map(|name| ThemeName::named(&name).unwrap_or_default()))]
    theme: Option<ThemeName>,
    /// Draw with nothing but ASCII
    #[arg(long, global = true)]
    ascii: bool,
    /// Leave the mouse to the terminal
    #[arg(long, global = true)]
    no_mouse: bool,
}

impl Flags {
    /// Reads the configuration; what was given on the command line comes before it. `name` is that of the command.
    pub(crate) fn settle(self, name: Option<&str>) -> Result<Common, Unsettled> {
        if let (Some(caller), [_, ..]) = (caller(), self.pretend_missing.as_slice()) {
            let told = format!("'--pretend-missing' is for tests, and not for {caller}");
            return Err(Unsettled::usage(name, ErrorKind::ArgumentConflict, told));
        }
        let mut config = Config::load(self.config.as_deref()).map_err(Unsettled::Config)?;
        if let Some(keep) = self.keep {
            config.engine.keep_ns = u64::try_from(keep.as_nanos()).unwrap_or(u64::MAX);
        }
        config.ring_buffer = self.ring_buffer.unwrap_or(config.ring_buffer);
        config.interval = self.interval.unwrap_or(config.interval);
        config.engine.alert.spawns_per_s = self.alert_rate.unwrap_or(config.engine.alert.spawns_per_s);
        config.theme = self.theme.unwrap_or(config.theme);
        config.mouse &= !self.no_mouse;
        config.read_only |= self.read_only;
        if self.ascii {
            config.symbols = Symbols::Ascii;
        }
        let parse = |option: &str, text: &str| {
            Filter::parse_with(text, &config.names).map_err(|error| {
                let shown = indented(&error.pointed_out(width));
                let value = quoted(text, VALUE);
                let told = format!("invalid value {value} for '{option} <EXPR>': it does not parse\n\n{shown}");
                Unsettled::usage(name, ErrorKind::ValueValidation, told)
            })
        };
        let wanted = |text: &str| parse("--filter", text).map(|filter| filter.of_user(self.uid));
        let filter = wanted(self.filter.as_deref().unwrap_or_default())?;
        let first_filter = wanted(self.filter.as_deref().unwrap_or(&config.filter))?;
        let rule = |text: &String| match parse("--alert", text)? {
            filter if filter.is_empty() => {
                let value = quoted(text, VALUE);
                let told = format!("invalid value {value} for '--alert <EXPR>': it would match every process");
                Err(Unsettled::usage(name, ErrorKind::ValueValidation, told))
            }
            filter => Ok(MatchRule { name: text.as_str().into(), filter }),
        };
        let rules: Vec<_> = self.alerts.iter().map(rule).collect::<Result<_, _>>()?;
        config.engine.matches.extend(rules);
        Ok(Common {
            filter,
            first_filter,
            config,
            coloured: self.theme.is_some(),
            btf: self.btf,
            pretend_missing: self.pretend_missing,
        })
    }
}

/// Why nothing can be begun.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsettled {
    #[error("mistakes in the configuration:\n{0}")]
    Config(ConfigError),
    /// All that is to be said.
    #[error("{0}")]
    Usage(String),
}

impl Unsettled {
    /// A mistake in what was given to a command, or to none.
    fn usage(name: Option<&str>, kind: ErrorKind, told: String) -> Self {
        let mut command = command();
        command.build();
        let error = match name.and_then(|name| command.find_subcommand_mut(name)) {
            Some(command) => command.error(kind, told),
            None => command.error(kind, told),
        };
        Self::from(error)
    }
}

impl From<clap::Error> for Unsettled {
    fn from(mut error: clap::Error) -> Self {
        // clap quotes what was typed as it is and however long.
        let told = |text: &dyn std::fmt::Display| shown(text.to_string().as_bytes(), VALUE);
        let context: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
        for (kind, value) in context {
            let value = match value {
                // Nothing of it was typed, and it is of several lines.
                _ if kind == ContextKind::Usage => continue,
                ContextValue::String(text) => ContextValue::String(told(&text)),
                ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(|text| told(text)).collect()),
                ContextValue::StyledStr(text) => ContextValue::StyledStr(told(&text).into()),
                ContextValue::StyledStrs(texts) => {
                    ContextValue::StyledStrs(texts.iter().map(|text| told(text).into()).collect())
                }
                other => other,
            };
            error.insert(kind, value);
        }
        Self::Usage(error.render().to_string())
    }
}

/// What is wanted of every command that shows processes: the configuration, and over it the command line.
#[derive(Clone, Debug)]
pub struct Common {
    config: Config,
    filter: Filter,
    /// That with which a screen begins: where none was given, the configured one.
    first_filter: Filter,
    /// Colours are wanted whatever the environment says.
    coloured: bool,
    btf: Option<PathBuf>,
    pretend_missing: Vec<String>,
}

impl Common {
    /// How the model is to be kept.
    #[must_use]
    pub fn engine(&self) -> ptree_core::Config {
        self.config.engine.clone()
    }

    /// What is to be told of, wherever it is not on a screen: there nothing but the command line limits it.
    #[must_use]
    pub fn filter(&self) -> Filter {
        self.filter.clone()
    }

    /// How the kernel is to be captured.
    #[must_use]
    pub fn live(&self) -> LiveOptions {
        LiveOptions {
            ring_bytes: self.config.ring_buffer,
            pass_interval: self.config.interval,
            btf: self.btf.clone(),
            pretend_missing: self.pretend_missing.clone(),
            ..LiveOptions::default()
        }
    }

    /// The BTF to take instead of this kernel's own.
    #[must_use]
    pub fn btf(&self) -> Option<&Path> {
        self.btf.as_deref()
    }

    /// What this kernel is to be taken to lack.
    #[must_use]
    pub fn pretend_missing(&self) -> &[String] {
        &self.pretend_missing
    }

    /// What the app starts with. Where what is shown is here, it can be acted on, unless only looking is wanted.
    #[must_use]
    pub fn options(&self, is_here: bool) -> Options {
        let Config { dead, kernel, join_from, bindings, names, columns, .. } = self.config.clone();
        Options {
            engine: self.engine(),
            filter: self.first_filter.clone(),
            zone: given::zone(),
            preferences: Preferences { dead, kernel, join_from, bindings, names, columns },
            is_here,
            read_only: self.config.read_only,
            own_pid: std::process::id(),
        }
    }

    /// Whether text is to be in nothing but ASCII. A file may be read on another terminal than ours.
    #[must_use]
    pub fn ascii(&self) -> bool {
        match self.config.symbols {
            Symbols::Auto => term::is_stdout() && self.display().theme.ascii,
            Symbols::Unicode => false,
            Symbols::Ascii => true,
        }
    }

    /// How it is shown on the terminal that the environment describes.
    #[must_use]
    pub fn display(&self) -> Display {
        let ability = Ability::of(|name| match name {
            "NO_COLOR" if self.coloured => None,
            name => std::env::var(name).ok(),
        });
        let unicode = match self.config.symbols {
            Symbols::Auto => ability.unicode,
            Symbols::Unicode => true,
            Symbols::Ascii => false,
        };
        Display {
            theme: Theme::new(self.config.theme, &self.config.styles, Ability { unicode, ..ability }),
            mouse: self.config.mouse,
            frame: self.config.frame,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print events, one JSON object a line, until ^C or the reader goes away
    Stream {
        /// Stop after this long ('90', '90s', '2m 30s')
        #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = parse_duration)]
        duration: Option<Duration>,
        /// Tell at each '--interval' what each process uses as well, for a screen at the other end
        #[arg(long)]
        usage: bool,
        /// Add to each line the time of the wall clock (RFC 3339) and the name of the user
        #[arg(long)]
        wall: bool,
        /// Print what is in a recording, or on standard input for '-', in place of what happens now
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "duration")]
        from: Option<PathBuf>,
    },
    /// Show the full screen on a recording, or on a stream from standard input
    Replay {
        /// What 'ptree-tui stream' has written; '-' for standard input
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// How many times as fast as it happened
        #[arg(long, value_name = "N", value_hint = ValueHint::Other, default_value_t = 1.0, value_parser = parse_speed)]
        speed: f64,
    },
    /// Print the tree as it is now
    Snapshot {
        /// What to print
        #[arg(long, default_value = FORMATS[0].name, value_parser = parse_format())]
        format: &'static Format,
        /// As it was at the end of a recording, or of what is on standard input for '-'
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        from: Option<PathBuf>,
        /// With --from: as it was at this time ('14:03:22', '2026-11-21 14:03', '+90s' after the beginning)
        #[arg(long, value_name = "TIME", value_hint = ValueHint::Other, requires = "from")]
        at: Option<At>,
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
    /// Print the configuration that holds without a file, with what each line means
    Config {
        /// Print the JSON schema of such files instead, for editors
        #[arg(long)]
        schema: bool,
    },
    /// Print the manual page, for 'man -l -' or a folder of such pages
    Man,
    /// Print what a shell needs to complete this command line
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Show an invented machine, or a script of events
    #[command(hide = true)]
    Synth(Play),
}

impl Command {
    /// As it is typed.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Stream { .. } => "stream",
            Self::Replay { .. } => "replay",
            Self::Snapshot { .. } => "snapshot",
            Self::Doctor { .. } => "doctor",
            Self::Config { .. } => "config",
            Self::Man => "man",
            Self::Completions { .. } => "completions",
            Self::Synth(_) => "synth",
        }
    }
}

/// What to play, and how.
#[derive(Args, Debug)]
pub struct Play {
    /// What goes on: idle, build, storm, chain, star, reuse or containers; with 'lossy-' before it, events get lost
    #[arg(required_unless_present = "script", conflicts_with = "script")]
    pub(crate) profile: Option<Scenario>,
    /// The same number gives the same processes and ends; what each uses goes by when it starts
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "script")]
    pub(crate) seed: u64,
    /// Processes alive at a time, about
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=2_000_000), conflicts_with = "script")]
    pub(crate) size: Option<u32>,
    /// Forks, execs and exits per second
    #[arg(long, value_name = "N", value_parser = parse_events_per_s, conflicts_with = "script")]
    pub(crate) rate: Option<f64>,
    /// End after so many forks, execs and exits
    #[arg(long, value_name = "N", conflicts_with = "script")]
    pub(crate) events: Option<u64>,
    /// Play the events that a text file says, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,
    /// Print events, one JSON object a line, instead of the screen
    #[arg(long)]
    pub(crate) stream: bool,
    /// With --stream: the time of the wall clock and the name of the user on each line
    #[arg(long, requires = "stream")]
    pub(crate) wall: bool,
    /// With --stream: stop after this long ('90s', '2m 30s')
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, requires = "stream")]
    pub(crate) duration: Option<Duration>,
}

/// The names of [`FORMATS`], with what they are.
fn parse_format() -> impl TypedValueParser<Value = &'static Format> {
    let names = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.about));
    PossibleValuesParser::new(names).map(|name| Format::named(&name).unwrap_or(&FORMATS[0]))
}

/// The definition of the command line, for what is made of it: manual page, completions, tables in documents.
#[must_use]
pub fn command() -> clap::Command {
    let default = Config::default();
    let defaults = [
        ("keep", "general", "keep"),
        ("ring_buffer", "general", "ring-buffer"),
        ("interval", "general", "interval"),
        ("alert_rate", "alert", "rate"),
        ("theme", "general", "theme"),
    ];
    let command = defaults.into_iter().fold(Cli::command(), |command, (option, section, name)| {
        let setting = SETTINGS.iter().find(|known| (known.section, known.name) == (section, name));
        let Some(setting) = setting else { return command };
        command.mut_arg(option, |arg| {
            let about = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let value = print::value(&default, &setting.kind);
            arg.help(format!("{about} [default: {}]", value.trim_matches('"')))
        })
    });
    scope::narrowed(command)
}

/// Reads a command line.
pub(crate) fn parse(line: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Cli, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(line)?;
    if let Some((option, name)) = scope::idle(&command, &matches) {
        let told = format!("'--{}' does nothing with 'ptree-tui {name}'", option.get_long().unwrap_or_default());
        let name = name.to_owned();
        command.build();
        return Err(match command.find_subcommand_mut(&name) {
            Some(command) => command.error(ErrorKind::UnknownArgument, told),
            None => command.error(ErrorKind::UnknownArgument, told),
        });
    }
    Cli::from_arg_matches(&matches)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_may_stand_before_or_behind_the_command() {
        for line in ["ptree-tui -u 7 stream", "ptree-tui stream --user 7", "ptree-tui --uid=7 stream"] {
            assert_eq!(parse(line.split(' ')).unwrap().flags.uid, Some(7));
        }
        for line in ["ptree-tui --keep 5 replay - --speed 2", "ptree-tui replay - --speed 2 --keep 5s"] {
            let cli = parse(line.split(' ')).unwrap();
            assert_eq!(cli.flags.keep, Some(Duration::from_secs(5)));
        }
    }

    #[test]
    fn the_command_line_comes_before_the_configuration_whose_filter_is_for_screens_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let text = "[general]\nfilter = '@cc'\nkeep = '5s'\ninterval = '2s'\ntheme = 'light'\nmouse = false\n[filters]\ncc = 'comm=cc'";
        std::fs::write(&path, text).unwrap();
        let settle = |line: &str| {
            let line = format!("ptree-tui --config {} {line}", path.to_str().unwrap());
            parse(line.split_whitespace()).unwrap().flags.settle(None).unwrap()
        };
        let common = settle("");
        let shown = |common: &Common| common.options(true).filter.text().to_owned();
        assert_eq!((shown(&common).as_str(), common.filter().text()), ("@cc", ""));
        assert_eq!(
            (common.engine().keep_ns, common.config.theme, common.display().mouse),
            (5_000_000_000, ThemeName::Light, false)
        );
        assert_eq!(common.live().pass_interval, Duration::from_secs(2));
        let common = settle("--filter x@cc --keep 7s --interval 500ms --theme mono --ascii");
        assert_eq!(common.live().pass_interval, Duration::from_millis(500));
        assert_eq!((shown(&common).as_str(), common.filter().text()), ("x@cc", "x@cc"));
        assert_eq!(
            (common.engine().keep_ns, common.display().theme),
            (7_000_000_000, Theme { ascii: true, ..Theme::mono() })
        );
    }

    #[test]
    fn an_expression_may_begin_with_a_hyphen() {
        for line in ["ptree-tui --filter -bash", "ptree-tui --filter=-bash", "ptree-tui snapshot --filter -bash"] {
            assert_eq!(parse(line.split(' ')).unwrap().flags.filter.as_deref(), Some("-bash"));
        }
    }

    #[test]
    fn help_tells_what_holds_without_an_option() {
        let help = command().render_help().to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        for default in ["[default: 1m]", "[default: 8MiB]", "[default: 1s]", "[default: 200]"] {
            assert!(help.contains(default), "{default} in {help}");
        }
    }

    #[test]
    fn bad_values_are_quoted_with_what_to_do() {
        for (line, wants) in [
            ("ptree-tui --ring-buffer 9MiB", "try '16MiB'"),
            ("ptree-tui --keep soon", "write it like '90', '90s'"),
            (
                "ptree-tui config --theme dark",
                "'--theme' does nothing with 'ptree-tui config'\n\nUsage: ptree-tui config [OPTIONS]",
            ),
            (
                "ptree-tui --ring-buffer 8MiB replay -",
                "'--ring-buffer' does nothing with 'ptree-tui replay'\n\nUsage: ptree-tui replay",
            ),
            ("ptree-tui --filter coom=cc stream", "Usage: ptree-tui stream [OPTIONS]"),
            ("ptree-tui --interval 99ms", "give '100ms' to '1m'"),
            ("ptree-tui stream --interval 1h", "'1h' for '--interval <DURATION>'"),
            ("ptree-tui --uid nobody-at-all", "no such user"),
            ("ptree-tui --alert-rate=-1", "forks per second"),
            ("ptree-tui --theme drak", "'dark'"),
            ("ptree-tui --config no/such/file", "mistakes in the configuration:\n'no/such/file': No such file"),
            ("ptree-tui replay - --speed 0", "a number above 0"),
            ("ptree-tui --pretend-missing on_exit,on_fire", "'on_fire'"),
            ("ptree-tui --filter coom=cc", "'coom=cc' for '--filter <EXPR>'"),
            (
                "ptree-tui --filter 塩&&coom=cc",
                "\n  塩&&coom=cc\n      ^^^^ there is no field 'coom'; did you mean 'comm'?",
            ),
        ] {
            let parsed = parse(line.split(' ')).map_err(Unsettled::from);
            let settled = parsed.and_then(|cli| cli.flags.settle(cli.command.as_ref().map(Command::name)));
            let error = settled.unwrap_err().to_string();
            assert!(error.contains(wants), "{line}: {error}");
        }
    }
}
