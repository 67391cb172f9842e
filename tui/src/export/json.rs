//! The tree as one JSON object: the header's fields, and the processes depth first, each with its depth and all facts that
//! are known of it, under the keys that the lines of the stream have.
//!
//! None but those that match the filter: what is done to all of a list must not be done to those above them. Does not know
//! which facts there are.

use std::io::{self, Write};

use ptree_core::Process;
use ptree_core::facts::{FACTS, Fact, Reader, Unit, Value as Known};
use ptree_core::text::escape;
use ptree_source::ndjson;
use serde_json::{Map, Value, json};

use super::Moment;

/// Writes the object and a line end.
///
/// # Errors
/// When `out` fails.
pub fn write(mut out: &mut dyn Write, moment: &Moment<'_>) -> io::Result<()> {
    let header = moment.header;
    let reader = Reader::new(moment.context());
    let processes: Vec<Value> =
        moment.asked_for().map(|(process, depth)| object(moment, &reader, process, depth)).collect();
    let mut object = json!({
        "schema": ndjson::SCHEMA,
        "version": header.version,
        "host": escape(header.host.as_bytes()),
        "kernel": escape(header.kernel.as_bytes()),
        "boot_id": escape(header.boot_id.as_bytes()),
        "boottime_ns": header.anchor.boottime_ns,
        "unix_ns": header.anchor.unix_ns,
        "processes": processes,
    });
    if let Some(measured_ns) = moment.measured_ns {
        object["cpu_measured_ns"] = measured_ns.into();
    }
    if !header.degraded.is_empty() {
        object["degraded"] = header.degraded.iter().map(|name| Value::from(escape(name.as_bytes()))).collect();
    }
    serde_json::to_writer(&mut out, &object)?;
    out.write_all(b"\n")
}

fn object(moment: &Moment<'_>, reader: &Reader<'_>, process: &Process, depth: usize) -> Value {
    let mut fields: Map<String, Value> = FACTS
        .iter()
        .filter_map(|spec| Some((spec.key.to_owned(), value(spec.fact, moment, reader, process)?)))
        .collect();
    let mut put = |name: &str, value: Option<Value>| fields.extend(value.map(|value| (name.to_owned(), value)));
    // Here it is below those that are in the list.
    put("depth", Some(depth.into()));
    put("parent_start_ns", Some(process.kernel_parent().start_ns.into()));
    // Its own or, as /proc shows it, the one that it was forked with.
    let image = process.program();
    put("argv_truncated", image.filter(|image| image.argv_truncated).map(|_| true.into()));
    put("exe_truncated", image.filter(|image| image.is_exe_truncated()).map(|_| true.into()));
    put("zombie", process.is_zombie().then(|| true.into()));
    Value::Object(fields)
}

fn value(fact: Fact, moment: &Moment<'_>, reader: &Reader<'_>, process: &Process) -> Option<Value> {
    let creds = process.creds();
    match fact {
        // As in the lines of the stream: absent where it is the same.
        Fact::RealUid if creds.ruid == creds.uid => return None,
        Fact::RealGid if creds.rgid == creds.gid => return None,
        Fact::InnerPid if process.ns_pid() == Some(process.key.pid) => return None,
        Fact::Argv => return process.program()?.argv.as_ref().map(|argv| argv.iter().map(escape).collect()),
        // The letter, as /proc has it.
        Fact::State if process.is_zombie() => return Some("Z".into()),
        Fact::State => return process.is_alive().then(|| process.state().to_string().into()),
        _ => {}
    }
    // Of what is used per second, only what two looks have found.
    let known = !fact.depends().share || moment.measured_ns.is_some();
    Some(match fact.read(reader, process).filter(|_| known)? {
        Known::Figure(Unit::Share, figure) => Unit::fraction(figure).into(),
        Known::Figure(Unit::Signed, figure) => Unit::number(figure).into(),
        Known::Figure(_, figure) => figure.into(),
        Known::Text(bytes) => escape(&bytes).into(),
        Known::Word(word) => word.into_owned().into(),
        Known::Flag(true) => true.into(),
        Known::Flag(false) => return None,
    })
}
