//! The table of settings: section, name, meaning, and how each is read from and written to a [`Config`].
//!
//! Keys, filters and styles are sections of their own, since what is in them is not known beforehand or comes from
//! other tables.

use std::time::Duration;

use super::{Config, Symbols};
use crate::screen::theme::ThemeName;
use crate::values::{parse_duration, parse_interval, parse_rate, parse_ring};

/// One line of the table.
pub struct Setting {
    /// The section of the file.
    pub section: &'static str,
    /// The name in it.
    pub name: &'static str,
    /// A sentence on it.
    pub about: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// What a setting holds, how it is asked for and how it is set.
pub enum Kind {
    /// Yes or no.
    Flag(fn(&Config) -> bool, fn(&mut Config, bool)),
    /// A whole number.
    Count(fn(&Config) -> usize, fn(&mut Config, usize)),
    /// A number.
    Number(fn(&Config) -> f64, fn(&mut Config, f64) -> Result<(), String>),
    /// A text, of which some may not do.
    Text(fn(&Config) -> String, fn(&mut Config, &str) -> Result<(), String>),
    /// One of a few words.
    Choice(&'static [&'static str], fn(&Config) -> &'static str, fn(&mut Config, &str)),
}

const fn setting(section: &'static str, name: &'static str, about: &'static str, kind: Kind) -> Setting {
    Setting { section, name, about, kind }
}

/// All settings, in the order in which they are printed.
pub const SETTINGS: &[Setting] = &[
    setting(
        "general",
        "keep",
        "How long the dead stay in the tree, such as '90s' or '2m 30s'.",
        Kind::Text(|c| duration(c.engine.keep_ns), |c, text| put(&mut c.engine.keep_ns, nanoseconds(text)?)),
    ),
    setting(
        "general",
        "keep-max",
        "How many of the dead stay at most.",
        Kind::Count(|c| c.engine.keep_max, |c, n| c.engine.keep_max = n),
    ),
    setting(
        "general",
        "ring-buffer",
        "The buffer between kernel and program: a power of two, such as '16MiB'.",
        Kind::Text(|c| mebibytes(c.ring_buffer), |c, text| put(&mut c.ring_buffer, parse_ring(text)?)),
    ),
    setting(
        "general",
        "interval",
        "How often it is measured what the living use, '100ms' to '1m'; less often where a measurement takes long.",
        Kind::Text(
            |c| humantime::format_duration(c.interval).to_string(),
            |c, text| put(&mut c.interval, parse_interval(text)?),
        ),
    ),
    setting(
        "general",
        "filter",
        "What the screen shows at first, such as 'not user=root' or '@name'; streams and snapshots do not mind it.",
        // Judged when all names are known.
        Kind::Text(|c| c.filter.clone(), |c, text| put(&mut c.filter, text.to_owned())),
    ),
    setting(
        "general",
        "read-only",
        "Whether processes are only looked at: nobody is signalled, frozen or reniced, no file is written, no environment is shown.",
        Kind::Flag(|c| c.read_only, |c, on| c.read_only = on),
    ),
    setting("general", "dead", "Whether the dead are shown at first.", Kind::Flag(|c| c.dead, |c, on| c.dead = on)),
    setting(
        "general",
        "kernel-threads",
        "Whether kernel threads are shown at first.",
        Kind::Flag(|c| c.kernel, |c, on| c.kernel = on),
    ),
    setting(
        "general",
        "join-from",
        "From how many finished siblings of one name on they are one row; 0 for never.",
        Kind::Count(|c| c.join_from, |c, n| c.join_from = n),
    ),
    setting(
        "general",
        "theme",
        "What the screen looks like.",
        Kind::Choice(
            &ThemeName::NAMES,
            |c| c.theme.name(),
            |c, name| c.theme = ThemeName::named(name).unwrap_or_default(),
        ),
    ),
    setting(
        "general",
        "symbols",
        "Which characters the screen may use: what the locale says, all, or ASCII alone.",
        Kind::Choice(
            &Symbols::NAMES,
            |c| c.symbols.name(),
            |c, name| c.symbols = Symbols::named(name).unwrap_or_default(),
        ),
    ),
    setting(
        "general",
        "mouse",
        "Whether the mouse selects, scrolls, folds and sorts. Shift leaves it to the terminal.",
        Kind::Flag(|c| c.mouse, |c, on| c.mouse = on),
    ),
    setting(
        "general",
        "frame-interval",
        "The shortest time between two frames that no key asked for, '10ms' to '10s'.",
        Kind::Text(
            |c| humantime::format_duration(c.frame).to_string(),
            |c, text| match parse_duration(text)? {
                frame if (Duration::from_millis(10)..=Duration::from_secs(10)).contains(&frame) => {
                    put(&mut c.frame, frame)
                }
                _ => Err("give '10ms' to '10s'".to_owned()),
            },
        ),
    ),
    setting(
        "alert",
        "rate",
        "Forks per second that raise an alert; 0 for never.",
        Kind::Number(
            |c| c.engine.alert.spawns_per_s,
            |c, rate| put(&mut c.engine.alert.spawns_per_s, parse_rate(&rate.to_string())?),
        ),
    ),
    setting(
        "alert",
        "thread-rate",
        "Threads begun per second that raise an alert; 0 for never.",
        Kind::Number(
            |c| c.engine.alert.threads_per_s,
            |c, rate| put(&mut c.engine.alert.threads_per_s, parse_rate(&rate.to_string())?),
        ),
    ),
    setting(
        "alert",
        "out-of-memory",
        "Whether an alert is raised when the kernel kills a process for lack of memory.",
        Kind::Flag(|c| c.engine.alert_out_of_memory, |c, on| c.engine.alert_out_of_memory = on),
    ),
    setting(
        "alert",
        "window",
        "The time over which the rate is taken, '100ms' to '10m'.",
        Kind::Text(
            |c| duration(c.engine.alert.window_ns),
            |c, text| match nanoseconds(text)? {
                ns @ 100_000_000..=600_000_000_000 => put(&mut c.engine.alert.window_ns, ns),
                _ => Err("give '100ms' to '10m'".to_owned()),
            },
        ),
    ),
    setting(
        "alert",
        "clear-ratio",
        "An alert ends when the rate stays below this part of 'rate', 0 to 1 ...",
        Kind::Number(
            |c| c.engine.alert.clear_ratio,
            |c, ratio| match ratio {
                0.0..=1.0 => put(&mut c.engine.alert.clear_ratio, ratio),
                _ => Err("give a number from 0 to 1".to_owned()),
            },
        ),
    ),
    setting(
        "alert",
        "clear-after",
        "... for this long.",
        Kind::Text(
            |c| duration(c.engine.alert.clear_ns),
            |c, text| put(&mut c.engine.alert.clear_ns, nanoseconds(text)?),
        ),
    ),
];

fn put<T>(place: &mut T, value: T) -> Result<(), String> {
    *place = value;
    Ok(())
}

/// Of a power of two, so that nothing is lost.
fn mebibytes(bytes: u32) -> String {
    if bytes < 1 << 20 { format!("{}KiB", bytes >> 10) } else { format!("{}MiB", bytes >> 20) }
}

fn duration(ns: u64) -> String {
    humantime::format_duration(Duration::from_nanos(ns)).to_string()
}

fn nanoseconds(text: &str) -> Result<u64, String> {
    parse_duration(text).map(|duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}
