//! Lines into facts. Total and bounded: whatever the bytes, there are facts or errors, and no line is kept that is longer
//! than `MAX_LINE`.
//!
//! Each line stands for itself: one that cannot be read loses only itself.

use std::io::{self, BufRead, Read as _};

use ptree_core::Event;
use ptree_core::event::Exe;
use ptree_core::text::{escape, shown};
use serde::Deserialize;

use super::line::{Heading, Kind, Line};
use super::value::{Text, value};
use super::{SCHEMA, types};
use crate::{Header, TimeAnchor};

/// Longer lines are skipped, bytes. Arguments take at most a few megabytes, escaped five times that.
const MAX_LINE: usize = 16 << 20;
/// A buffer that a long line has left is not kept for the short ones behind it.
const KEPT_BUFFER: usize = 1 << 20;
/// How much of a bad line an error shows before and behind the place, bytes.
pub(super) const SHOWN: usize = 40;
/// How much an error says of what is wrong with it, characters.
const PROBLEM: usize = 160;

/// What some writers put before all else.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// How files begin that hold something else than lines of text in UTF-8.
const FOREIGN: [(&[u8], &str); 5] = [
    (b"\xff\xfe", UTF_16),
    (b"\xfe\xff", UTF_16),
    (b"\x1f\x8b", "it is compressed: unpack it with 'gzip -d'"),
    (b"\x28\xb5\x2f\xfd", "it is compressed: unpack it with 'zstd -d'"),
    (b"\xfd7zXZ\0", "it is compressed: unpack it with 'xz -d'"),
];
const UTF_16: &str = "it is text in UTF-16: turn it into UTF-8 with 'iconv -f UTF-16 -t UTF-8'";

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Where and when the events behind it were captured.
    Header(Header),
    /// What happened.
    Event(Event),
    /// What the wall clock showed at a moment.
    Clock(TimeAnchor),
    /// The name of a user.
    User {
        /// Number.
        uid: u32,
        /// Name.
        name: String,
    },
}

/// A line that says nothing that can be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {number}{}: {problem}: '{text}'", if *.torn { ", torn off" } else { "" })]
pub struct LineError {
    /// From 1.
    pub number: u64,
    /// What is wrong, harmless to print.
    pub problem: String,
    /// The line around the place, harmless to print.
    pub text: String,
    /// It is the last line and has no end: whoever wrote it was interrupted.
    pub torn: bool,
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// One line is lost; the next can be read.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The format is from the future; nothing more is read.
    #[error(
        "line {number}: the events are written in schema {schema}, and this program reads up to {SCHEMA}: use a newer one"
    )]
    Schema {
        /// Of the line, from 1.
        number: u64,
        /// Of the format.
        schema: u64,
    },
    /// The input failed; nothing more is read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What was read and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines, of whatever kind.
    pub lines: u64,
    /// Lines of a type that this program does not know.
    pub unknown_types: u64,
    /// Fields that it does not know, of known types.
    pub unknown_fields: u64,
    /// Lines that gave an error.
    pub bad: u64,
}

/// Reads a stream line by line. Alerts are passed over: whoever takes the events raises their own.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    buffer: Vec<u8>,
    max_line: usize,
    tally: Tally,
    /// That of the last header.
    schema: u32,
    /// The rest of the last line, which was too long, is still to be passed over.
    in_long_line: bool,
    ended: bool,
}

impl<R: BufRead> Reader<R> {
    /// From the beginning.
    pub fn new(input: R) -> Self {
        Self::with_max_line(input, MAX_LINE)
    }

    /// Skips lines that are longer than so many bytes.
    pub(super) fn with_max_line(input: R, max_line: usize) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            max_line,
            tally: Tally::default(),
            schema: SCHEMA,
            in_long_line: false,
            ended: false,
        }
    }

    /// The input, to see what it holds already.
    pub fn get_ref(&self) -> &R {
        &self.input
    }

    /// How much was read so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The next line, without its end, in the buffer; the input's end is `None`.
    fn take_line(&mut self) -> io::Result<Option<Ending>> {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BUFFER);
        if std::mem::take(&mut self.in_long_line) {
            self.input.skip_until(b'\n')?;
        }
        // One more than the longest line: for its end, or for what is too much.
        let limit = u64::try_from(self.max_line).unwrap_or(u64::MAX).saturating_add(1);
        if self.input.by_ref().take(limit).read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        self.tally.lines += 1;
        Ok(Some(if self.buffer.pop_if(|last| *last == b'\n').is_some() {
            Ending::Whole
        } else if self.buffer.len() > self.max_line {
            // It may never end, so it is told of before it is passed over.
            self.in_long_line = true;
            Ending::TooLong
        } else {
            Ending::Torn
        }))
    }

    /// What the line in the buffer says; `None` for one that is passed over.
    fn entry(&mut self) -> Result<Option<Entry>, Wrong> {
        let Self { buffer, tally, schema, .. } = self;
        if buffer.starts_with(BYTE_ORDER_MARK) {
            buffer.drain(..BYTE_ORDER_MARK.len());
        }
        if buffer.trim_ascii().is_empty() {
            return Ok(None);
        }
        if let Some((_, what)) = FOREIGN.iter().find(|(begin, _)| buffer.starts_with(begin)) {
            return Err(Wrong::Meaning((*what).to_owned()));
        }
        let (line, unknown) = match parse::<Line<'_>>(buffer) {
            Ok((line, unknown)) if line.kind != Kind::Header.name() => (line, unknown),
            other => {
                let heading: Heads = parse(buffer)?.0;
                match Kind::named(&heading.kind) {
                    Some(Kind::Header) if heading.schema.is_some_and(|schema| schema > u64::from(SCHEMA)) => {
                        return Err(Wrong::Schema(heading.schema.unwrap_or_default()));
                    }
                    Some(Kind::Header) => {
                        let (heading, unknown) = parse::<Heading<'_>>(buffer)?;
                        let of = heading.schema;
                        let header = header(heading)?;
                        *schema = of.unwrap_or(*schema);
                        tally.unknown_fields += unknown;
                        return Ok(Some(Entry::Header(header)));
                    }
                    Some(_) => other?,
                    None => {
                        tally.unknown_types += 1;
                        return Ok(None);
                    }
                }
            }
        };
        let Some(kind) = Kind::named(&line.kind) else {
            tally.unknown_types += 1;
            return Ok(None);
        };
        let mut entry = types::of_line(kind, &line)?;
        tally.unknown_fields += unknown;
        if let (Some(Entry::Event(event)), 1) = (&mut entry, *schema) {
            of_the_first_schema(event);
        }
        Ok(entry)
    }

    /// Leaves of each field in the buffer's object the last one, as most readers of JSON do where a name stands twice. False
    /// when it is none.
    fn keep_the_last(&mut self) -> bool {
        let object = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&self.buffer);
        let Some(line) = object.ok().and_then(|object| serde_json::to_vec(&object).ok()) else { return false };
        self.buffer = line;
        true
    }

    fn line_error(&mut self, problem: String, column: usize, torn: bool) -> ReadError {
        self.tally.bad += 1;
        let line = &self.buffer;
        let from = column.saturating_sub(SHOWN).min(line.len());
        let to = column.saturating_add(SHOWN).min(line.len());
        let dots = |there: bool| if there { "..." } else { "" };
        let text = format!("{}{}{}", dots(from > 0), escape(&line[from..to]), dots(to < line.len()));
        ReadError::Line(LineError { number: self.tally.lines, problem, text, torn })
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let ending = match self.take_line() {
                Ok(Some(ending)) => ending,
                Ok(None) => break,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error.into()));
                }
            };
            if ending == Ending::TooLong {
                let problem = format!("longer than {} bytes", self.max_line);
                return Some(Err(self.line_error(problem, 0, false)));
            }
            let entry = match self.entry() {
                Err(Wrong::Json(error)) if is_duplicate(&error) && self.keep_the_last() => self.entry(),
                entry => entry,
            };
            match entry {
                Ok(None) => {}
                Ok(Some(entry)) => return Some(Ok(entry)),
                Err(Wrong::Schema(schema)) => {
                    self.ended = true;
                    return Some(Err(ReadError::Schema { number: self.tally.lines, schema }));
                }
                Err(Wrong::Json(error)) if error.is_eof() && ending == Ending::Whole => {
                    let problem =
                        "the object does not end on its line; there has to be one on each, as 'jq -c' writes them";
                    return Some(Err(self.line_error(problem.to_owned(), error.column(), false)));
                }
                Err(Wrong::Json(error)) => {
                    let text = error.to_string();
                    // There is but one line; which of the file it is, is said elsewhere.
                    let problem = text.rsplit_once(" at line ").map_or(&*text, |(problem, _)| problem);
                    // The parser quotes the value, however long, and as it is.
                    let problem = shown(problem.as_bytes(), PROBLEM);
                    return Some(Err(self.line_error(problem, error.column(), ending == Ending::Torn)));
                }
                Err(Wrong::Meaning(problem)) => {
                    return Some(Err(self.line_error(problem, 0, ending == Ending::Torn)));
                }
            }
        }
        self.ended = true;
        None
    }
}

/// Whether a name stands twice in an object. The parser tells it in words alone.
fn is_duplicate(error: &serde_json::Error) -> bool {
    error.is_data() && error.to_string().starts_with("duplicate field")
}

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Whole,
    Torn,
    TooLong,
}

/// What is wrong with a line.
pub(super) enum Wrong {
    Json(serde_json::Error),
    /// In our words, harmless to print.
    Meaning(String),
    Schema(u64),
}

impl From<serde_json::Error> for Wrong {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

/// As much of a line as must be known of one that is not understood.
#[derive(Deserialize)]
struct Heads {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "value")]
    schema: Option<u64>,
}

/// A line as an object of this form, and how many fields it has that the form does not.
fn parse<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<(T, u64), Wrong> {
    // A list of the fields' values would pass for the struct as well.
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Err(Wrong::Meaning("not a JSON object".to_owned()));
    }
    let mut json = serde_json::Deserializer::from_slice(line);
    let mut unknown = 0;
    let value = serde_ignored::deserialize(&mut json, |_| unknown += 1)?;
    json.end()?;
    Ok((value, unknown))
}

/// The value of a field that must be there.
pub(super) fn need<T>(value: Option<T>, name: &str) -> Result<T, Wrong> {
    value.ok_or_else(|| Wrong::Meaning(format!("the field '{name}' is missing")))
}

fn header(heading: Heading<'_>) -> Result<Header, Wrong> {
    if need(heading.schema, "schema")? == 0 {
        return Err(Wrong::Meaning("there is no schema 0".to_owned()));
    }
    let text = |text: Option<Text<'_>>| text.map(Text::into_string).unwrap_or_default();
    Ok(Header {
        version: text(heading.version),
        host: text(heading.host),
        kernel: text(heading.kernel),
        boot_id: text(heading.boot_id),
        anchor: TimeAnchor {
            boottime_ns: need(heading.boottime_ns, "boottime_ns")?,
            unix_ns: need(heading.unix_ns, "unix_ns")?,
        },
        degraded: heading.degraded.unwrap_or_default().into_iter().map(Text::into_string).collect(),
    })
}

/// Takes what has another meaning now for what it is: bytes that may be those of children are not known to be anybody's.
fn of_the_first_schema(event: &mut Event) {
    match event {
        Event::Process(found) => {
            let Some(exe) = &mut found.exe else { return };
            if let Some(path) = exe.path.strip_suffix(b" (deleted)") {
                *exe = Exe { path: path.into(), deleted: true, memfd: path.starts_with(b"/memfd:"), truncated: false };
            }
        }
        Event::Exit(exit) => {
            if let Some(cost) = &mut exit.cost {
                (cost.read_bytes, cost.write_bytes) = (None, None);
            }
        }
        Event::Usage(usage) => (usage.read_bytes, usage.write_bytes) = (None, None),
        // No other type has changed since, and those to come were not in it.
        _ => {}
    }
}

#[cfg(test)]
mod tests;
