//! Text from other processes made harmless, and figures made readable: the same on the screen, in streams and in
//! exports.
//!
//! Does not know where the text goes; what is left in it prints as itself anywhere that takes UTF-8.

mod control;
mod pattern;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

pub use self::control::is_control;
pub(crate) use self::pattern::{Literal, Pattern};

/// Any bytes as printable text on one line, for programs: what is not UTF-8, and everything that [`is_control`] (C0, DEL,
/// C1, bidirectional overrides and all else that does not show), becomes `\xNN` of its bytes. A backslash that would read as
/// such an escape is itself written `\x5c`, so that [`unescape`] gives the bytes back, and so does whoever undoes each
/// `\xNN`.
#[must_use]
pub fn escape(bytes: &[u8]) -> Cow<'_, str> {
    escape_with(bytes, |_| true)
}

/// The same for people, who had rather read `a\x2db` where that is what it is. Only a byte that does not print is ever
/// written `\xNN`, or a backslash; so any other `\xNN` can only be itself and stays, and each text still has but one
/// meaning.
#[must_use]
pub fn readable(bytes: &[u8]) -> Cow<'_, str> {
    escape_with(bytes, |byte| matches!(byte, ..b' ' | b'\\' | 0x7f..))
}

/// `set_off` tells of which bytes an escape, found in the text, has to be told from one that is written here.
fn escape_with(bytes: &[u8], set_off: impl Fn(u8) -> bool) -> Cow<'_, str> {
    let escaped = |at: usize, c: char| is_control(c) || hex_escape(&bytes[at..]).is_some_and(&set_off);
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.char_indices().any(|(at, c)| escaped(at, c))
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if escaped(at, c) {
                push_hex(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                out.push(c);
            }
            at += c.len_utf8();
        }
        push_hex(&mut out, chunk.invalid());
        at += chunk.invalid().len();
    }
    Cow::Owned(out)
}

/// The bytes behind [`escape`]d text.
#[must_use]
pub fn unescape(text: &str) -> Vec<u8> {
    undo(text.as_bytes())
}

/// Each `\xNN` as its byte.
pub(crate) fn undo(mut rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rest.len());
    while let Some(&first) = rest.first() {
        let (byte, len) = hex_escape(rest).map_or((first, 1), |byte| (byte, 4));
        out.push(byte);
        rest = &rest[len..];
    }
    out
}

/// The byte that these bytes begin with the `\xNN` of.
fn hex_escape(bytes: &[u8]) -> Option<u8> {
    let [b'\\', b'x', high, low, ..] = bytes else { return None };
    let digit = |b: u8| char::from(b).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "\\x{byte:02x}");
    }
}

/// The longest value that a message quotes, characters.
pub const VALUE: usize = 120;
/// The longest path that a message quotes, characters; of a longer one the end is shown, which tells more.
const PATH: usize = 400;

/// A value in single quotes for a message, made [`readable`]; after so many characters `...` stands for the rest.
#[must_use]
pub fn quoted(value: impl AsRef<[u8]>, longest: usize) -> String {
    format!("'{}'", shown(value.as_ref(), longest))
}

/// The same without quotes.
#[must_use]
pub fn shown(value: &[u8], longest: usize) -> String {
    // No character is longer than 4 bytes: of a flood, only as much is looked at as is shown.
    let enough = longest.saturating_add(1).saturating_mul(4).min(value.len());
    let mut text = readable(&value[..enough]).into_owned();
    if let Some((end, _)) = text.char_indices().nth(longest) {
        text.replace_range(end.., "...");
    }
    text
}

/// The end of a value as [`shown`] shows its beginning.
#[must_use]
pub fn shown_end(value: &[u8], longest: usize) -> String {
    let enough = longest.saturating_add(1).saturating_mul(4).min(value.len());
    let mut text = readable(&value[value.len() - enough..]).into_owned();
    let cut = text.chars().count().saturating_sub(longest);
    if cut > 0 {
        let start = text.char_indices().nth(cut).map_or(text.len(), |(start, _)| start);
        text.replace_range(..start, "...");
    }
    text
}

/// A path for a message, made [`readable`], without quotes.
#[must_use]
pub fn path(path: &Path) -> String {
    shown_end(path.as_os_str().as_encoded_bytes(), PATH)
}

/// A whole message made harmless: what does not print becomes `\xNN`, but line breaks stay. What is escaped in it
/// already stays as it is. A net below what quotes each value, as the messages of others may hold outside text.
#[must_use]
pub fn harmless(message: &str) -> Cow<'_, str> {
    let is_bad = |c: char| c != '\n' && is_control(c);
    if !message.contains(is_bad) {
        return Cow::Borrowed(message);
    }
    let mut out = String::with_capacity(message.len() + 16);
    for c in message.chars() {
        if is_bad(c) {
            push_hex(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// A duration in the style of humantime, the two greatest units only and at most eight columns: `0s`, `850us`, `12ms`,
/// `1.24s`, `2m 5s`, `3h 12m`, `5d 1h`, `2y 40d`. Rounded down; a year has 365 days.
#[must_use]
pub fn duration(ns: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    const YEAR: u64 = 365 * DAY;
    let two = |s: u64, great: u64, great_unit: char, small: u64, small_unit: char| match s % great / small {
        0 => format!("{}{great_unit}", s / great),
        rest => format!("{}{great_unit} {rest}{small_unit}", s / great),
    };
    match (ns, ns / 1_000_000_000) {
        (0, _) => "0s".to_owned(),
        (1..1_000, _) => format!("{ns}ns"),
        (1_000..1_000_000, _) => format!("{}us", ns / 1_000),
        (1_000_000..1_000_000_000, _) => format!("{}ms", ns / 1_000_000),
        (_, s @ ..MINUTE) => format!("{s}.{:02}s", ns / 10_000_000 % 100),
        (_, s @ MINUTE..HOUR) => two(s, MINUTE, 'm', 1, 's'),
        (_, s @ HOUR..DAY) => two(s, HOUR, 'h', MINUTE, 'm'),
        (_, s @ DAY..YEAR) => two(s, DAY, 'd', HOUR, 'h'),
        (_, s) if s < 100 * YEAR => two(s, YEAR, 'y', DAY, 'd'),
        (_, s) => format!("{}y", s / YEAR),
    }
}

/// A text without regard to case: equal for texts that differ in nothing else, whatever their letters are.
pub fn folded(text: &str) -> impl Iterator<Item = char> {
    // There and back: some small letters have one capital, and some have two.
    text.chars().flat_map(char::to_lowercase).flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// Bytes in binary units, at most five columns: `0B`, `999B`, `1.2K`, `35M`, `1.0G`. Rounded to the nearest.
#[must_use]
pub fn bytes(n: u64) -> String {
    if n < 1000 {
        return format!("{n}B");
    }
    // In tenths of a unit, rounded once, from the exact number.
    let tenths = |shift: u32| (u128::from(n) * 10 + (1 << (shift - 1))) >> shift;
    let units = [(10, 'K'), (20, 'M'), (30, 'G'), (40, 'T'), (50, 'P'), (60, 'E')];
    let (shift, unit) = units.into_iter().find(|&(shift, _)| u128::from(n) * 10 < 9_995 << shift).unwrap_or((60, 'E'));
    match tenths(shift) {
        tenths @ ..100 => format!("{}.{}{unit}", tenths / 10, tenths % 10),
        _ => format!("{}{unit}", (u128::from(n) + (1 << (shift - 1))) >> shift),
    }
}

/// A command line as one would type it into a shell: arguments that need it are quoted; what [`escape`] would escape is
/// written `\xNN` within `$'...'`.
#[must_use]
pub fn command_line(argv: &crate::Argv) -> String {
    let mut out = String::new();
    for arg in argv.iter() {
        if !out.is_empty() {
            out.push(' ');
        }
        match std::str::from_utf8(arg) {
            Ok(text) if !text.is_empty() && text.chars().all(is_plain) => out.push_str(text),
            Ok(text) if !text.contains(is_control) => {
                out.push('\'');
                out.push_str(&text.replace('\'', r"'\''"));
                out.push('\'');
            }
            _ => push_ansi_c_quoted(&mut out, arg),
        }
    }
    out
}

/// Whether a shell takes it literally.
fn is_plain(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        _ if c.is_ascii() => "_@%+=:,./-".contains(c),
        _ => !is_control(c) && !c.is_whitespace(),
    }
}

fn push_ansi_c_quoted(out: &mut String, arg: &[u8]) {
    out.push_str("$'");
    for chunk in arg.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' | '\'' => out.extend(['\\', c]),
                _ if is_control(c) => push_hex(out, c.encode_utf8(&mut [0; 4]).as_bytes()),
                _ => out.push(c),
            }
        }
        push_hex(out, chunk.invalid());
    }
    out.push('\'');
}

/// Names of the signals from 1 on, as x86 and arm number them.
const SIGNALS: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];
/// The first real-time signal that programs may use: the C library keeps two for itself.
const SIGRTMIN: u8 = 34;
/// The last one.
const SIGRTMAX: u8 = 64;

/// Name of a signal: `SIGKILL`, `SIGRTMIN+3`; `SIG77` for a number that has none.
#[must_use]
pub fn signal_name(signal: u8) -> Cow<'static, str> {
    if let Some(name) = usize::from(signal).checked_sub(1).and_then(|index| SIGNALS.get(index)) {
        return Cow::Borrowed(name);
    }
    match signal {
        SIGRTMIN => Cow::Borrowed("SIGRTMIN"),
        SIGRTMAX => Cow::Borrowed("SIGRTMAX"),
        ..SIGRTMAX if signal > SIGRTMIN => Cow::Owned(format!("SIGRTMIN+{}", signal - SIGRTMIN)),
        _ => Cow::Owned(format!("SIG{signal}")),
    }
}

/// The signal of a number or a name, with or without SIG.
pub(crate) fn signal_named(name: &str) -> Option<u8> {
    if let Ok(number) = name.parse::<u8>() {
        return Some(number).filter(|number| (1..=64).contains(number));
    }
    signal_names()
        .find(|(_, full)| {
            full.eq_ignore_ascii_case(name) || full.get(3..).is_some_and(|short| short.eq_ignore_ascii_case(name))
        })
        .map(|(number, _)| number)
}

/// All signals with their names.
pub(crate) fn signal_names() -> impl Iterator<Item = (u8, Cow<'static, str>)> {
    (1..=64).map(|number| (number, signal_name(number)))
}

/// The signal that [`signal_name`] gives this name.
#[must_use]
pub fn signal_number(name: &str) -> Option<u8> {
    (0..=u8::MAX).find(|&signal| signal_name(signal) == name)
}
