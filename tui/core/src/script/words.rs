//! The words of a line of a script, and the numbers, times and options that they spell.
//!
//! Does not know what the lines mean.

use std::sync::Arc;

use super::Fault;
use crate::event::{Argv, ExitStatus, Task};
use crate::killer::KillCause;
use crate::session::{Session, Tty};
use crate::text;

/// One word.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    bytes: Vec<u8>,
    /// Some of it was quoted: it is no option and no separator.
    quoted: bool,
}

impl Word {
    /// As if it stood in a line, without quotes.
    #[cfg(test)]
    pub(crate) fn plain(word: &str) -> Self {
        Self { bytes: text::unescape(word), quoted: false }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    fn is_separator(&self) -> bool {
        !self.quoted && self.bytes == b"--"
    }

    fn fault(&self, expected: &'static str) -> Fault {
        Fault { word: text::shown(&self.bytes, text::VALUE), missing: false, expected }
    }
}

/// Splits a line into words, up to a comment.
pub(super) fn split(line: &str) -> Result<Vec<Word>, Fault> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.peek().is_none_or(|&c| c == '#') {
            return Ok(words);
        }
        let (mut word, mut quoted) = (String::new(), false);
        while let Some(c) = chars.next_if(|c| !c.is_whitespace()) {
            if c != '\'' && c != '"' {
                word.push(c);
                continue;
            }
            quoted = true;
            loop {
                match chars.next() {
                    Some(end) if end == c => break,
                    Some(other) => word.push(other),
                    None => {
                        let word = text::shown(word.as_bytes(), text::VALUE);
                        return Err(Fault { word, missing: true, expected: "a closing quote" });
                    }
                }
            }
        }
        words.push(Word { bytes: text::unescape(&word), quoted });
    }
}

/// The words of a line, taken one after the other.
pub(super) struct Line<'a> {
    words: &'a [Word],
    /// How many have been taken.
    taken: usize,
    /// What is left are arguments.
    separated: bool,
}

impl<'a> Line<'a> {
    pub(super) const fn new(words: &'a [Word]) -> Self {
        Self { words, taken: 0, separated: false }
    }

    /// The first word; for one that is no text, something that is no verb.
    pub(super) fn verb(&mut self) -> Option<&'a str> {
        let word = self.words.first()?;
        self.taken = 1;
        Some(word.text().unwrap_or_default())
    }

    fn peek(&self) -> Option<&'a Word> {
        self.words.get(self.taken)
    }

    /// The next word.
    pub(super) fn next(&mut self, expected: &'static str) -> Result<&'a Word, Fault> {
        let word = self.peek().ok_or_else(|| Fault { missing: true, ..self.fault(expected) })?;
        self.taken += 1;
        Ok(word)
    }

    /// The last word that was taken is not what was expected.
    pub(super) fn fault(&self, expected: &'static str) -> Fault {
        let word = self.taken.checked_sub(1).and_then(|last| self.words.get(last));
        word.map_or(Fault { word: String::new(), missing: true, expected }, |word| word.fault(expected))
    }

    /// Nothing may be left.
    pub(super) fn end(&self, expected: &'static str) -> Result<(), Fault> {
        self.peek().map_or(Ok(()), |word| Err(word.fault(expected)))
    }

    /// A pid, and since when its process has it, where that is said: after the beginning of the script, nanoseconds.
    pub(super) fn pid(&mut self) -> Result<(u32, Option<u64>), Fault> {
        let word = self.next(PID)?;
        word.text().and_then(pid).ok_or_else(|| word.fault(PID))
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self, expected: &'static str) -> Result<T, Fault> {
        let word = self.next(expected)?;
        word.text().and_then(|text| text.parse().ok()).ok_or_else(|| word.fault(expected))
    }

    /// A time, in this unit if it has none of its own; nanoseconds.
    pub(super) fn time(&mut self, unit_ns: u64) -> Result<u64, Fault> {
        let word = self.next(TIME)?;
        word.text().and_then(|text| time(text, unit_ns)).ok_or_else(|| word.fault(TIME))
    }

    /// Takes the next word if it is a number.
    pub(super) fn next_number<T: std::str::FromStr>(&mut self) -> Option<T> {
        let number = self.peek()?.text()?.parse().ok()?;
        self.taken += 1;
        Some(number)
    }

    /// Takes the next word if it says how a process ended.
    pub(super) fn next_status(&mut self) -> Option<ExitStatus> {
        let status = status(self.peek()?.text()?)?;
        self.taken += 1;
        Some(status)
    }

    /// Takes the next word if there is one before the arguments: an option.
    pub(super) fn option(&mut self) -> Option<OptionWord<'a>> {
        let word = self.peek().filter(|word| !self.separated && !word.is_separator())?;
        self.taken += 1;
        let text = if word.quoted && !word.bytes.contains(&b'=') { "" } else { word.text().unwrap_or_default() };
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        Some(OptionWord { word, name, value })
    }

    /// Whether arguments follow that are set off from options.
    pub(super) fn has_separator(&self) -> bool {
        self.words[self.taken..].iter().any(Word::is_separator)
    }

    /// From here on there are arguments only, if there is anything.
    pub(super) fn separate(&mut self) {
        self.separated = self.peek().is_some();
    }

    /// The rest as arguments; `None` where no arguments were given, not even none.
    pub(super) fn arguments(&mut self) -> Result<Option<Argv>, Fault> {
        if !self.separated {
            match self.peek() {
                None => return Ok(None),
                Some(word) if word.is_separator() => self.taken += 1,
                Some(word) => return Err(word.fault("'--' and arguments")),
            }
        }
        let arguments = &self.words[self.taken..];
        self.taken = self.words.len();
        match arguments.iter().find(|word| word.bytes.contains(&0)) {
            Some(word) => Err(word.fault("an argument without NUL")),
            None => Ok(Some(Argv::from_args(arguments.iter().map(Word::bytes)))),
        }
    }
}

const PID: &str = "a pid such as '12', or '12@3s' for the one that started then";
const TIME: &str = "a time such as '90', '1.5s' or '20ms'";

/// `name=value` or `name`.
pub(super) struct OptionWord<'a> {
    word: &'a Word,
    pub(super) name: &'a str,
    pub(super) value: Option<&'a str>,
}

impl OptionWord<'_> {
    /// It is none that this line can have.
    pub(super) fn unknown(&self, expected: &'static str) -> Fault {
        self.word.fault(expected)
    }

    fn value<T>(&self, expected: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        self.value.and_then(read).ok_or_else(|| self.word.fault(expected))
    }

    pub(super) fn number<T: std::str::FromStr>(&self) -> Result<T, Fault> {
        self.value("'=' and a number that fits", |text| text.parse().ok())
    }

    pub(super) fn size(&self) -> Result<u64, Fault> {
        self.value("'=' and bytes such as '4096' or '80M'", size)
    }

    pub(super) fn time(&self) -> Result<u64, Fault> {
        self.value(TIME, |text| time(text, super::SECOND))
    }

    pub(super) fn pid(&self) -> Result<(u32, Option<u64>), Fault> {
        self.value(PID, pid)
    }

    pub(super) fn status(&self) -> Result<ExitStatus, Fault> {
        self.value("'=' and an exit code, a signal's name or 'unknown'", status)
    }

    pub(super) fn cause(&self) -> Result<KillCause, Fault> {
        self.value("'=' and user, terminal, timer, fault, kernel or oom", KillCause::named)
    }

    pub(super) fn letter(&self) -> Result<char, Fault> {
        self.value("'=' and one letter", |text| text.chars().next().filter(|c| c.len_utf8() == text.len()))
    }

    pub(super) fn bytes(&self) -> Result<Arc<[u8]>, Fault> {
        self.value("'=' and text", |text| Some(text.as_bytes().into()))
    }

    /// Takes an option that every kind of record has.
    pub(super) fn of_task(&self, task: &mut Task, expected: &'static str) -> Result<(), Fault> {
        match self.name {
            "uid" => task.creds.uid = self.number()?,
            "gid" => task.creds.gid = self.number()?,
            "ruid" => task.creds.ruid = self.number()?,
            "rgid" => task.creds.rgid = self.number()?,
            "comm" => task.comm = crate::Comm::new(&self.bytes()?),
            "threads" => task.threads = self.number()?,
            "kernel" if self.value.is_none() => task.kernel = true,
            "cgroup_id" => task.cgroup_id = Some(self.number()?),
            "pid_ns" => task.pid_ns = Some(self.number()?),
            "ns_pid" => task.ns_pid = Some(self.number()?),
            _ => return self.of_session(&mut task.session, expected),
        }
        Ok(())
    }

    /// Takes an option that says what a process belongs to.
    pub(super) fn of_session(&self, session: &mut Session, expected: &'static str) -> Result<(), Fault> {
        match self.name {
            "sid" => session.sid = Some(self.number()?),
            "pgid" => session.pgid = Some(self.number()?),
            "nice" => session.nice = Some(self.number()?),
            "tty" => session.tty = Some(Tty::new(&self.bytes()?)),
            "login" => session.login_uid = Some(self.number()?),
            "audit" => session.audit_session = Some(self.number()?),
            _ => return Err(self.unknown(expected)),
        }
        Ok(())
    }
}

fn pid(text: &str) -> Option<(u32, Option<u64>)> {
    match text.split_once('@') {
        Some((pid, start)) => Some((pid.parse().ok()?, Some(time(start, super::SECOND)?))),
        None => Some((text.parse().ok()?, None)),
    }
}

fn status(text: &str) -> Option<ExitStatus> {
    if text == "unknown" {
        return Some(ExitStatus::Unknown);
    }
    let signal = || text::signal_number(text).map(|signal| ExitStatus::Signal { signal, core: false });
    text.parse().map(ExitStatus::Code).ok().or_else(signal)
}

/// Nanoseconds.
fn time(text: &str, unit_ns: u64) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
    let unit_ns = match unit {
        "" => unit_ns,
        "ns" => 1,
        "us" => 1_000,
        "ms" => super::MS,
        "s" => super::SECOND,
        "m" => 60 * super::SECOND,
        "h" => 3600 * super::SECOND,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= 20;
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let fraction_ns = fraction.parse::<u128>().ok()?.checked_mul(u128::from(unit_ns))? / scale;
    let whole_ns = whole.parse::<u128>().ok()?.checked_mul(u128::from(unit_ns))?;
    u64::try_from(whole_ns + fraction_ns).ok()
}

/// Bytes.
fn size(text: &str) -> Option<u64> {
    let (number, shift) = match text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())) {
        (number, "") => (number, 0),
        (number, "K") => (number, 10),
        (number, "M") => (number, 20),
        (number, "G") => (number, 30),
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}
