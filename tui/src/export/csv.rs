//! Processes as comma-separated values (RFC 4180): a heading of the names of facts, then a line for each process that is asked
//! for, depth first. Numbers are written as filters take them without a unit: times in seconds, shares in percent, sizes in
//! bytes; moments in UTC, as RFC 3339 has them. What is not known is empty.
//!
//! No cell can be taken for a formula by a spreadsheet: a text that begins like one begins with an escape, as all that does
//! not print is escaped. Does not know which facts there are.

use std::io::{self, Write};

use ptree_core::facts::{FACTS, Fact, Reader, Unit, Value};
use ptree_core::{Process, text};

use super::Moment;

/// With one of these, spreadsheets take a cell for a formula.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];

/// Writes heading and lines.
///
/// # Errors
/// When `out` fails.
pub fn write(out: &mut dyn Write, moment: &Moment<'_>) -> io::Result<()> {
    let facts = || FACTS.iter().filter(|spec| spec.fact.is_shown());
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(facts().map(|spec| spec.name)).map_err(as_it_was)?;
    let reader = Reader::new(moment.context());
    for (process, _) in moment.asked_for() {
        let cell = |fact: Fact| cell(fact, &reader, process, moment).unwrap_or_default();
        writer.write_record(facts().map(|spec| cell(spec.fact))).map_err(as_it_was)?;
    }
    writer.flush()
}

/// The error of the output itself: who called looks at its kind.
fn as_it_was(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn cell(fact: Fact, reader: &Reader<'_>, process: &Process, moment: &Moment<'_>) -> Option<String> {
    if fact == Fact::Argv {
        return process.program()?.argv.as_ref().map(|argv| harmless(text::command_line(argv)));
    }
    // Of what is used per second, only what two looks have found.
    let known = !fact.depends().share || moment.measured_ns.is_some();
    Some(match fact.read(reader, process).filter(|_| known)? {
        Value::Figure(Unit::Instant, ns) => moment.wall.utc(ns)?,
        Value::Figure(Unit::Time, ns) => format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000),
        Value::Figure(Unit::Share, thousandths) => format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000),
        Value::Figure(Unit::Signed, figure) => Unit::number(figure).to_string(),
        Value::Figure(Unit::Count | Unit::Id | Unit::Bytes, figure) => figure.to_string(),
        Value::Text(bytes) => harmless(text::escape(&bytes).into_owned()),
        Value::Word(word) => word.into_owned(),
        Value::Flag(flag) => if flag { "yes" } else { "no" }.to_owned(),
    })
}

fn harmless(text: String) -> String {
    match text.chars().next().filter(|first| FORMULA.contains(first)) {
        Some(first) => format!("\\x{:02x}{}", u32::from(first), &text[1..]),
        None => text,
    }
}
