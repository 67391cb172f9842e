//! A recording, or a stream that is still being written, as what happens in it, in order. Lines that cannot be read, and
//! events whose times cannot be right, are left out and counted.
//!
//! Does not wait for what happens later: when it is due is the player's business.

use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use ptree_core::Event;
use ptree_core::text::{self, VALUE, duration, quoted};
use ptree_source::ndjson::{Entry, LineError, ReadError, Reader, Tally};
use ptree_source::{Header, TimeAnchor};

use crate::given;

/// Bytes taken from the input at a time.
const INPUT_BYTES: usize = 256 << 10;
/// No machine is quiet for so long, nanoseconds: a year. A time so far away was never written by us.
const FARTHEST_NS: u64 = 366 * 86_400 * 1_000_000_000;

/// An event that comes so long after the one before it is doubted, nanoseconds of the recording.
pub const DOUBTFUL_NS: u64 = 60_000_000_000;

type Input = Reader<BufReader<Box<dyn Read + Send>>>;

/// Something in a recording.
#[derive(Debug)]
pub enum Item {
    /// It happened.
    Event {
        /// What.
        event: Box<Event>,
        /// So long after what came before that its time was doubted, until the next one confirmed it.
        was_doubted: bool,
    },
    /// The wall clock was looked at again.
    Clock(TimeAnchor),
    /// The name of a user.
    User(u32, String),
}

/// See the module.
pub struct Recording {
    input: Input,
    /// What it is called in messages.
    name: String,
    header: Header,
    /// An event whose time is in doubt, and its line: the next one tells.
    doubted: Option<(Event, u64)>,
    /// What was read behind that.
    next: Option<Event>,
    /// Time of the latest event.
    latest_ns: u64,
    left_out: LeftOut,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording")
            .field("name", &self.name)
            .field("latest_ns", &self.latest_ns)
            .finish_non_exhaustive()
    }
}

impl Recording {
    /// Opens a file, or standard input for `-`, and reads the header.
    ///
    /// # Errors
    /// When it cannot be opened, or does not begin as a stream does.
    pub fn open(file: &Path) -> Result<Self> {
        let name = text::path(file);
        let input: Box<dyn Read + Send> = if file == Path::new("-") {
            Box::new(given::standard_input().context("reading standard input")?)
        } else {
            Box::new(given::open_stream(file).with_context(|| format!("opening '{name}'"))?)
        };
        Self::read(input, name)
    }

    fn read(input: Box<dyn Read + Send>, name: String) -> Result<Self> {
        let mut input = Reader::new(BufReader::with_capacity(INPUT_BYTES, input));
        let header = header(&mut input).with_context(|| format!("reading '{name}'"))?;
        let latest_ns = header.anchor.boottime_ns;
        Ok(Self { input, name, header, doubted: None, next: None, latest_ns, left_out: LeftOut::default() })
    }

    /// Where and when it was recorded.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Time of the latest event that was read; before that, of the header: boot-time nanoseconds.
    #[must_use]
    pub fn latest_ns(&self) -> u64 {
        self.latest_ns
    }

    /// Whether to read on may mean to wait for who writes it.
    #[must_use]
    pub fn may_wait(&self) -> bool {
        self.next.is_none() && !self.input.get_ref().buffer().contains(&b'\n')
    }

    /// The next thing in it; `None` at its end. An event for which this holds of its time is doubted: it is left out when
    /// the one after it is earlier.
    ///
    /// # Errors
    /// When it cannot be read on: that is its end.
    pub fn next(&mut self, is_doubtful: impl Fn(u64) -> bool) -> Result<Option<Item>> {
        loop {
            let event = match self.next.take() {
                Some(event) => event,
                None => match self.input.next() {
                    None => {
                        let last = self.doubted.take().map(|(event, _)| self.item(event, true));
                        return Ok(last);
                    }
                    Some(Ok(Entry::Event(event))) => event,
                    Some(Ok(Entry::Clock(anchor))) => return Ok(Some(Item::Clock(anchor))),
                    Some(Ok(Entry::User { uid, name })) => return Ok(Some(Item::User(uid, name))),
                    Some(Ok(Entry::Header(header))) if header.boot_id == self.header.boot_id => continue,
                    Some(Ok(Entry::Header(header))) => {
                        return Err(anyhow!(
                            "a recording of another boot begins here, of {}",
                            quoted(&header.host, VALUE)
                        ));
                    }
                    Some(Err(ReadError::Line(error))) => {
                        self.leave_out(error);
                        continue;
                    }
                    Some(Err(error)) => return Err(error.into()),
                },
            };
            let ts_ns = event.ts_ns();
            match self.doubted.take() {
                Some((doubted, line)) if ts_ns < doubted.ts_ns() => self.leave_out_far(&doubted, line),
                Some((doubted, _)) => {
                    self.next = Some(event);
                    return Ok(Some(self.item(doubted, true)));
                }
                None => {}
            }
            let line = self.input.tally().lines;
            if ts_ns.saturating_sub(self.latest_ns) > FARTHEST_NS {
                self.leave_out_far(&event, line);
            } else if is_doubtful(ts_ns) {
                self.doubted = Some((event, line));
            } else {
                return Ok(Some(self.item(event, false)));
            }
        }
    }

    fn item(&mut self, event: Event, was_doubted: bool) -> Item {
        self.latest_ns = self.latest_ns.max(event.ts_ns());
        Item::Event { event: Box::new(event), was_doubted }
    }

    fn leave_out_far(&mut self, event: &Event, number: u64) {
        let ts_ns = event.ts_ns();
        let after = duration(ts_ns.saturating_sub(self.latest_ns));
        let problem = format!("its time lies {after} after that of the lines around it");
        self.leave_out(LineError { number, problem, text: format!("\"ts_ns\":{ts_ns}"), torn: false });
    }

    fn leave_out(&mut self, error: LineError) {
        if error.torn {
            self.left_out.torn = Some(error);
            return;
        }
        self.left_out.bad += 1;
        self.left_out.first_bad.get_or_insert(error);
    }

    /// Lines that could not be read so far, but for a last one that was torn off.
    #[must_use]
    pub fn unreadable(&self) -> u64 {
        self.left_out.bad
    }

    /// What is in it and was not made use of.
    #[must_use]
    pub fn left_out(self) -> LeftOut {
        LeftOut { name: self.name, tally: self.input.tally(), ..self.left_out }
    }
}

const NO_HEADER: &str = "it does not begin with a header, as what 'ptree-tui stream' writes does";

fn header(input: &mut Input) -> Result<Header> {
    match input.next() {
        Some(Ok(Entry::Header(header))) => Ok(header),
        None => bail!("there is nothing in it"),
        Some(Err(error @ (ReadError::Io(_) | ReadError::Schema { .. }))) => Err(error.into()),
        Some(Ok(_)) => bail!("{NO_HEADER}"),
        Some(Err(ReadError::Line(error))) => bail!("{NO_HEADER}: {error}"),
    }
}

/// What of a recording was not made use of.
#[derive(Debug, Default)]
pub struct LeftOut {
    name: String,
    tally: Tally,
    bad: u64,
    first_bad: Option<LineError>,
    /// The last line, when whoever wrote it was interrupted.
    torn: Option<LineError>,
    /// Time without events that nobody was made to wait for, nanoseconds.
    pub skipped_ns: u64,
}

impl LeftOut {
    /// Whether there was something that could not be read.
    #[must_use]
    pub const fn is_faulty(&self) -> bool {
        self.bad > 0
    }

    /// In a sentence.
    #[must_use]
    pub fn report(&self) -> Option<String> {
        let Self { name, tally: Tally { lines, unknown_types, unknown_fields, .. }, bad, first_bad, torn, skipped_ns } =
            self;
        let bad =
            first_bad.as_ref().map(|error| format!("{bad} of {lines} lines could not be read, the first: {error}"));
        let torn = torn.as_ref().map(|error| format!("the last line is incomplete: {error}"));
        let unknown = (unknown_types + unknown_fields > 0).then(|| {
            format!("{unknown_types} lines and {unknown_fields} fields are of kinds that this version does not know")
        });
        let skipped =
            (*skipped_ns > 0).then(|| format!("{} in which nothing happened were skipped", duration(*skipped_ns)));
        let parts: Vec<_> = [bad, torn, unknown, skipped].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("'{name}': {}", parts.join("; ")))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const HEADER: &str = r#"{"type":"header","schema":1,"boot_id":"b","boottime_ns":5000,"unix_ns":1000}"#;
    pub(crate) const COMM: &str = r#"{"type":"comm","ts_ns":5000,"pid":5,"start_ns":50,"comm":"x"}"#;

    pub(crate) fn recording(text: &str) -> Result<Recording> {
        Recording::read(Box::new(std::io::Cursor::new(text.to_owned())), "r".to_owned())
    }

    #[test]
    fn what_is_no_stream_is_refused_before_anything_is_done() {
        for (text, expected) in [
            ("", "nothing in it"),
            (
                "hello\n",
                "does not begin with a header, as what 'ptree-tui stream' writes does: line 1: not a JSON object",
            ),
            (r#"{"type":"header","schema":1,"unix_ns":-1}"#, "unix_ns"),
            (COMM, "does not begin with a header"),
            (r#"{"type":"header","schema":9}"#, "schema 9"),
        ] {
            let error = format!("{:#}", recording(text).unwrap_err());
            assert!(error.starts_with("reading 'r': ") && error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_doubtful_time_is_confirmed_or_refuted_by_the_next_one() {
        let at = |ts_ns: u64| COMM.replace("\"ts_ns\":5000", &format!("\"ts_ns\":{ts_ns}"));
        let times = |all: &[u64]| {
            let lines: Vec<_> = all.iter().map(|ts_ns| at(*ts_ns)).collect();
            let mut recording = recording(&[&[HEADER.to_owned()][..], &lines].concat().join("\n")).unwrap();
            let mut times = Vec::new();
            while let Some(item) = recording.next(|ts_ns| ts_ns > 100_000).unwrap() {
                let Item::Event { event, was_doubted } = item else { continue };
                times.push((event.ts_ns(), was_doubted));
            }
            (times, recording.unreadable())
        };
        assert_eq!(times(&[5000, 200_000, 6000]), (vec![(5000, false), (6000, false)], 1));
        assert_eq!(times(&[5000, 200_000, 300_000]), (vec![(5000, false), (200_000, true), (300_000, true)], 0));
        assert_eq!(times(&[5000, 200_000]), (vec![(5000, false), (200_000, true)], 0));
        assert_eq!(times(&[5000, u64::MAX, 6000]), (vec![(5000, false), (6000, false)], 1));
    }
}
