//! What a process and its state are called, in a word or a line: the same in the tree, on its page and in exports.
//!
//! All text from processes leaves here escaped. Does not know colours or widths.

use std::borrow::Cow;

use ptree_core::event::ExitStatus;
use ptree_core::facts::Unit;
use ptree_core::killer::{KillCause, Killer};
use ptree_core::{Argv, Lifecycle, Process, text};

use crate::measure::start;

/// What a text says, beyond its words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// Of less interest.
    Dim,
    /// At work.
    Good,
    /// Failed.
    Bad,
    /// A heading.
    Heading,
}

/// `degraded: ends, memory`, when anything is left out or made do with less.
#[must_use]
pub fn degraded(names: &[String]) -> Option<String> {
    let names: Vec<_> = names.iter().map(|name| text::escape(name.as_bytes())).collect();
    (!names.is_empty()).then(|| format!("degraded: {}", names.join(", ")))
}

/// The program as in its first argument, without the folder; the name in brackets for a kernel thread.
#[must_use]
pub fn program(process: &Process) -> String {
    let comm = text::readable(process.comm().as_bytes());
    if process.is_kernel() {
        return format!("[{comm}]");
    }
    match process.program().and_then(|image| image.argv.as_ref()).and_then(|argv| argv.iter().next()) {
        Some(first) if !first.is_empty() => text::readable(without_folder(first)).into_owned(),
        _ => comm.into_owned(),
    }
}

/// The arguments after the first as in a shell command line, empty when there are none: all of them, or so much that
/// at least `columns` columns are filled, however long they are.
#[must_use]
pub fn arguments(process: &Process, columns: usize) -> String {
    let Some(image) = process.program() else { return String::new() };
    // No character is longer than four bytes.
    let most = 4 * (columns + 1);
    let mut line = String::new();
    for argument in image.argv.iter().flat_map(|argv| argv.iter().skip(1)) {
        if line.len() > columns && start(&line, columns).0.len() < line.len() {
            return line;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        let seen = beginning(argument, most);
        line.push_str(&text::command_line(&Argv::from_args([seen])));
        if seen.len() < argument.len() {
            return line + "…";
        }
    }
    line + if image.argv_truncated { " …" } else { "" }
}

/// At most so many bytes, ending between characters.
fn beginning(bytes: &[u8], most: usize) -> &[u8] {
    let within = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    let end = (most.saturating_sub(3)..=most).rev().find(|at| !within(at)).unwrap_or(most);
    &bytes[..end.min(bytes.len())]
}

/// `make [1234]`.
#[must_use]
pub fn name_and_pid(process: &Process) -> String {
    format!("{} [{}]", text::readable(process.comm().as_bytes()), process.key.pid)
}

/// In a word or two: `sleeping`, `exit 1`, `SIGSEGV core`, `SIGKILL OOM`, `?`; `Z exit 1` of a zombie.
#[must_use]
pub fn status(process: &Process) -> (Cow<'static, str>, Tone) {
    let (words, tone) = match process.life() {
        Lifecycle::Running => return state(process.state()),
        Lifecycle::Exited { status, .. } if process.is_out_of_memory() => {
            let (words, tone) = exit(status);
            (format!("{words} OOM").into(), tone)
        }
        Lifecycle::Exited { status, .. } => exit(status),
    };
    if process.is_zombie() { (format!("Z {words}").into(), tone) } else { (words, tone) }
}

/// The same, and by whom or what a signal came: `SIGKILL by cron.sh [812] (root)`, `SIGABRT by itself`, `SIGSEGV core (fault)`,
/// `OOM, while java [77] allocated`. `user` names a user.
#[must_use]
pub fn ending(process: &Process, user: impl FnOnce(u32) -> String) -> (Cow<'static, str>, Tone) {
    let Some(status) = process.exit_status() else { return state(process.state()) };
    let (words, tone) = exit(status);
    let line = match process.killer() {
        Some(killer) => killed(process, killer, &words, user),
        None => words.into_owned(),
    };
    let line = if process.is_zombie() { format!("{line}; a zombie: its parent has not waited for it") } else { line };
    (line.into(), tone)
}

/// A signal that ended a process, with who or what sent it.
fn killed(process: &Process, killer: &Killer, words: &str, user: impl FnOnce(u32) -> String) -> String {
    let Killer { cause, sender } = killer;
    let itself = sender.is_some_and(|sender| sender.key == process.key);
    let name = sender.map(|sender| format!("{} [{}]", text::readable(sender.comm.as_bytes()), sender.key.pid));
    match (cause, sender.zip(name)) {
        (KillCause::Oom, Some(_)) if itself => "OOM, while it allocated".to_owned(),
        (KillCause::Oom, Some((_, name))) => format!("OOM, while {name} allocated"),
        (KillCause::Oom, None) => "OOM".to_owned(),
        (_, Some(_)) if itself => format!("{words} by itself"),
        (_, Some((sender, name))) => format!("{words} by {name} ({})", user(sender.uid)),
        (cause, None) => format!("{words} ({})", cause.name()),
    }
}

/// Who or what sent the signal that ended it: `cron.sh [812]`, `itself`, `terminal`; empty where nothing did, or that is not
/// known.
#[must_use]
pub fn killer(process: &Process) -> String {
    process.killer().map_or_else(String::new, |killer| text::readable(&killer.words(process.key)).into_owned())
}

/// How it ended: `exit 1`, `SIGSEGV core`, `?` where that is not known.
#[must_use]
pub fn exit(status: ExitStatus) -> (Cow<'static, str>, Tone) {
    let tone = if status.is_failure() { Tone::Bad } else { Tone::Dim };
    let words = match status {
        ExitStatus::Code(code) => format!("exit {code}").into(),
        ExitStatus::Signal { signal, core: false } => text::signal_name(signal),
        ExitStatus::Signal { signal, core: true } => format!("{} core", text::signal_name(signal)).into(),
        ExitStatus::Unknown => "?".into(),
    };
    (words, tone)
}

/// The run state in a word. Before the first measurement only that it lives is known.
fn state(state: char) -> (Cow<'static, str>, Tone) {
    match state {
        'R' => ("running".into(), Tone::Good),
        'S' => ("sleeping".into(), Tone::Dim),
        'I' => ("idle".into(), Tone::Dim),
        'D' => ("waiting I/O".into(), Tone::Plain),
        'T' => ("stopped".into(), Tone::Plain),
        't' => ("traced".into(), Tone::Plain),
        'Z' | 'X' => ("zombie".into(), Tone::Plain),
        _ => ("alive".into(), Tone::Plain),
    }
}

/// `/usr/bin/make` becomes `make`. Only the first word counts: a process may have replaced its arguments by a title.
fn without_folder(first: &[u8]) -> &[u8] {
    if !first.starts_with(b"/") && !first.starts_with(b"./") && !first.starts_with(b"../") {
        return first;
    }
    let word = first.iter().position(|&b| b == b' ').unwrap_or(first.len());
    match first[..word].iter().rposition(|&b| b == b'/') {
        Some(slash) if slash + 1 < word => &first[slash + 1..],
        _ => first,
    }
}

/// Programs that it has started: of one that was found, those since then, as there may have been others.
pub fn execs(process: &Process) -> String {
    match (process.execs(), process.are_execs_all()) {
        (0, false) => String::new(),
        (execs, true) => count(execs.into()).to_string(),
        (execs, false) => format!("{}+", count(execs.into())),
    }
}

/// A count in at most five columns: `12345`, `123K`, `1.2M`.
#[must_use]
pub fn count(n: u64) -> String {
    const UNITS: [(u64, char); 3] = [(1_000_000_000, 'G'), (1_000_000, 'M'), (1_000, 'K')];
    if n < 100_000 {
        return n.to_string();
    }
    let (unit, letter) = UNITS.into_iter().find(|(unit, _)| n >= *unit).unwrap_or((1_000, 'K'));
    let tenths = n / (unit / 10);
    if tenths < 100 { format!("{}.{}{letter}", tenths / 10, tenths % 10) } else { format!("{}{letter}", n / unit) }
}

/// Something a second, in at most five columns: `0`, `0.5`, `12`, `9999`, `15.7k`, `250k`.
#[must_use]
pub fn rate(per_s: f64) -> String {
    match per_s {
        n if n <= 0.0 => "0".to_owned(),
        n if n < 9.95 => format!("{n:.1}"),
        n if n < 9_999.5 => format!("{n:.0}"),
        n if n < 99_950.0 => format!("{:.1}k", n / 1000.0),
        n => format!("{:.0}k", n / 1000.0),
    }
}

/// Bytes a second, in at most five columns: `0B`, `12K`, `1.5M`.
#[must_use]
pub fn byte_rate(per_s: f32) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is never negative")]
    let bytes = per_s.round() as u64;
    text::bytes(bytes)
}

/// A figure of a fact in about so many columns; of a moment, how long ago it was.
#[must_use]
pub fn figure(unit: Unit, figure: u64, width: usize) -> Cow<'static, str> {
    match unit {
        Unit::Count => count(figure).into(),
        Unit::Id => figure.to_string().into(),
        Unit::Signed => Unit::number(figure).to_string().into(),
        Unit::Time | Unit::Instant => duration(figure, width).into(),
        Unit::Bytes => text::bytes(figure).into(),
        Unit::Share => percent(Unit::fraction(figure)).into(),
    }
}

/// A duration with as much of its fraction, or of its lesser unit, as fits into so many columns.
#[must_use]
pub fn duration(ns: u64, width: usize) -> String {
    let mut text = text::duration(ns);
    if let (Some(point), Some(unit)) = (text.find('.'), text.find(|c: char| c.is_ascii_alphabetic())) {
        let surplus = text.len().saturating_sub(width);
        let from = unit.saturating_sub(surplus).max(point);
        // A point with nothing behind it goes as well.
        text.replace_range(if from == point + 1 { point } else { from }..unit, "");
    }
    if text.len() > width
        && let Some((greater, lesser)) = text.split_once(' ')
    {
        let close = format!("{greater}{lesser}");
        return if close.len() > width { greater.to_owned() } else { close };
    }
    text
}

/// How long it has lived at `now_ns`, or lived: in at most eight columns `8m 48s`, and `<8m 48s` where nobody saw its end.
#[must_use]
pub fn lifetime(process: &Process, now_ns: u64) -> String {
    let ns = process.lifetime_ns(now_ns);
    match process.life() {
        Lifecycle::Exited { inferred: true, .. } => format!("<{}", duration(ns, 7)),
        Lifecycle::Running | Lifecycle::Exited { inferred: false, .. } => text::duration(ns),
    }
}

/// A share of one CPU in at most five columns: `0.0%`, `12.3%`, `100%`.
#[must_use]
pub fn percent(share: f32) -> String {
    let percent = share * 100.0;
    if percent < 99.95 { format!("{percent:.1}%") } else { format!("{percent:.0}%") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_fit_their_column() {
        let cases =
            [(0.0, "0"), (0.5, "0.5"), (9.96, "10"), (9_999.4, "9999"), (15_743.0, "15.7k"), (250_000.0, "250k")];
        for (per_s, text) in cases {
            assert_eq!(rate(per_s), text);
        }
    }

    #[test]
    fn no_more_of_a_long_argument_is_taken_than_can_be_seen() {
        assert_eq!(beginning("aé漢".as_bytes(), 9), "aé漢".as_bytes());
        assert_eq!(beginning("aé漢".as_bytes(), 5), "aé".as_bytes());
        assert_eq!(beginning("aé漢".as_bytes(), 2), b"a");
        assert_eq!(beginning(&[0x80; 9], 5), [0x80; 5], "no text at all");
    }

    #[test]
    fn folders_go_from_paths_but_not_from_titles() {
        assert_eq!(without_folder(b"/usr/bin/make"), b"make");
        assert_eq!(without_folder(b"./a.out"), b"a.out");
        assert_eq!(without_folder(b"-bash"), b"-bash");
        assert_eq!(without_folder(b"nginx: master process /usr/sbin/nginx"), b"nginx: master process /usr/sbin/nginx");
        assert_eq!(without_folder(b"/usr/sbin/foo -D /etc/foo"), b"foo -D /etc/foo");
        assert_eq!(without_folder(b"/"), b"/");
        assert_eq!(without_folder(b"/usr/bin/"), b"/usr/bin/");
    }

    #[test]
    fn of_a_duration_the_fraction_gives_way() {
        let shown = |ms: u64, width| duration(ms * 1_000_000, width);
        assert_eq!([shown(1240, 5), shown(14_880, 6), shown(14_880, 5)], ["1.24s", "14.88s", "14.8s"]);
        assert_eq!([shown(14_880, 4), shown(14_880, 3), shown(250, 2)], ["14s", "14s", "250ms"]);
        assert_eq!([shown(528_000, 6), shown(528_000, 5), shown(528_000, 4)], ["8m 48s", "8m48s", "8m"]);
    }

    #[test]
    fn figures_keep_to_their_columns() {
        let counts = [0, 99_999, 100_000, 999_999, 1_000_000, 12_345_678, 999_999_999, 1_500_000_000].map(count);
        assert_eq!(counts, ["0", "99999", "100K", "999K", "1.0M", "12M", "999M", "1.5G"]);
        assert_eq!([0.0, 0.04, 9.94, 9.96, 412.4].map(rate), ["0", "0.0", "9.9", "10", "412"]);
        assert_eq!([0.0, 0.123, 0.9996, 12.34].map(percent), ["0.0%", "12.3%", "100%", "1234%"]);
    }
}
