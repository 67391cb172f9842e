//! The event format, schema 1: one JSON object a line, for streams and recordings alike.
//!
//! A field that is not known is absent. Bytes that are not printable text are escaped as [`ptree_core::text::escape`]
//! does. Readers skip types and fields that they do not know. Does not know files or pipes.

use std::borrow::Cow;
use std::io::{self, Write};

use ptree_core::alert::{Alert, AlertLevel};
use ptree_core::event::{Cost, Creds, Event, Execed, Exited, Forked, Found, Task};
use ptree_core::text::{escape, signal_name};
use ptree_core::{Argv, ExitStatus, ProcKey};
use serde::Serialize;

use crate::Header;

/// Version of the format.
pub const SCHEMA: u32 = 1;

/// Who a line is about.
#[derive(Serialize)]
struct Key {
    pid: u32,
    start_ns: u64,
}

impl From<ProcKey> for Key {
    fn from(key: ProcKey) -> Self {
        Self { pid: key.pid, start_ns: key.start_ns }
    }
}

#[derive(Serialize)]
struct Parent {
    ppid: u32,
    parent_start_ns: u64,
}

impl From<ProcKey> for Parent {
    fn from(key: ProcKey) -> Self {
        Self { ppid: key.pid, parent_start_ns: key.start_ns }
    }
}

#[derive(Serialize)]
struct User {
    uid: u32,
    gid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    ruid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rgid: Option<u32>,
}

impl From<Creds> for User {
    fn from(creds: Creds) -> Self {
        Self {
            uid: creds.uid,
            gid: creds.gid,
            ruid: (creds.ruid != creds.uid).then_some(creds.ruid),
            rgid: (creds.rgid != creds.gid).then_some(creds.rgid),
        }
    }
}

/// Where a process is, beside its key.
#[derive(Serialize)]
struct Namespaces {
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroup_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid_ns: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ns_pid: Option<u32>,
}

impl From<&Task> for Namespaces {
    fn from(task: &Task) -> Self {
        Self { cgroup_id: task.cgroup_id, pid_ns: task.pid_ns, ns_pid: task.ns_pid.filter(|&pid| pid != task.key.pid) }
    }
}

/// How a process ended.
#[derive(Serialize)]
struct End {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "is_false")]
    core: bool,
}

impl From<ExitStatus> for End {
    fn from(status: ExitStatus) -> Self {
        let none = Self { code: None, signal: None, core: false };
        match status {
            ExitStatus::Code(code) => Self { code: Some(code), ..none },
            ExitStatus::Signal { signal, core } => Self { signal: Some(signal_name(signal)), core, ..none },
            ExitStatus::Unknown => none,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// One line; the tag becomes the field `type`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Header {
        schema: u32,
        version: &'a str,
        host: Cow<'a, str>,
        kernel: &'a str,
        boot_id: &'a str,
        boottime_ns: u64,
        unix_ns: u64,
        source: &'a str,
    },
    Process {
        ts_ns: u64,
        #[serde(flatten)]
        key: Key,
        #[serde(flatten)]
        parent: Parent,
        #[serde(flatten)]
        user: User,
        comm: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        argv: Option<Vec<Cow<'a, str>>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        exe: Option<Cow<'a, str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cgroup: Option<Cow<'a, str>>,
        #[serde(flatten)]
        namespaces: Namespaces,
        threads: u32,
        #[serde(skip_serializing_if = "is_false")]
        kernel: bool,
        #[serde(skip_serializing_if = "is_false")]
        zombie: bool,
        #[serde(flatten)]
        end: Option<End>,
        #[serde(skip_serializing_if = "is_false")]
        repaired: bool,
    },
    Fork {
        ts_ns: u64,
        #[serde(flatten)]
        key: Key,
        #[serde(flatten)]
        parent: Parent,
        #[serde(skip_serializing_if = "Option::is_none")]
        kernel_ppid: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        kernel_parent_start_ns: Option<u64>,
        #[serde(flatten)]
        user: User,
        comm: Cow<'a, str>,
        #[serde(flatten)]
        namespaces: Namespaces,
    },
    Exec {
        ts_ns: u64,
        #[serde(flatten)]
        key: Key,
        #[serde(skip_serializing_if = "Option::is_none")]
        filename: Option<Cow<'a, str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        argv: Option<Vec<Cow<'a, str>>>,
        #[serde(skip_serializing_if = "is_false")]
        argv_truncated: bool,
        #[serde(flatten)]
        user: User,
        comm: Cow<'a, str>,
    },
    Exit {
        ts_ns: u64,
        #[serde(flatten)]
        key: Key,
        #[serde(flatten)]
        end: End,
        #[serde(flatten)]
        parent: Option<Parent>,
        #[serde(flatten)]
        cost: Option<CostFields>,
        lifetime_ns: u64,
        #[serde(skip_serializing_if = "is_false")]
        inferred: bool,
    },
    Uid {
        ts_ns: u64,
        #[serde(flatten)]
        key: Key,
        #[serde(flatten)]
        user: User,
    },
    Comm {
        ts_ns: u64,
        #[serde(flatten)]
        key: Key,
        comm: Cow<'a, str>,
    },
    Parent {
        ts_ns: u64,
        #[serde(flatten)]
        key: Key,
        #[serde(flatten)]
        parent: Parent,
    },
    Lost {
        ts_ns: u64,
        count: u64,
        fork: u64,
        exec: u64,
        exit: u64,
    },
    Alert {
        ts_ns: u64,
        rule: &'a str,
        level: &'a str,
        #[serde(flatten)]
        culprit: Option<Key>,
        message: String,
    },
}

#[derive(Serialize)]
struct CostFields {
    cpu_ns: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_rss_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    write_bytes: Option<u64>,
    minor_faults: u64,
    major_faults: u64,
}

impl From<Cost> for CostFields {
    fn from(cost: Cost) -> Self {
        let Cost { cpu_ns, max_rss_bytes, read_bytes, write_bytes, minor_faults, major_faults } = cost;
        Self { cpu_ns, max_rss_bytes, read_bytes, write_bytes, minor_faults, major_faults }
    }
}

/// Writes the first line of a stream; `source` is `live`, `replay` or `synth`.
///
/// # Errors
/// When `out` fails.
pub fn write_header(out: &mut impl Write, header: &Header, source: &str) -> io::Result<()> {
    let line = Line::Header {
        schema: SCHEMA,
        version: header.version,
        host: escape(header.host.as_bytes()),
        kernel: &header.kernel,
        boot_id: &header.boot_id,
        boottime_ns: header.anchor.boottime_ns,
        unix_ns: header.anchor.unix_ns,
        source,
    };
    write_line(out, &line)
}

/// Writes an event. Usage of the living is no event of the format: nothing is written for it.
///
/// # Errors
/// When `out` fails.
pub fn write_event(out: &mut impl Write, event: &Event) -> io::Result<()> {
    match event_line(event) {
        Some(line) => write_line(out, &line),
        None => Ok(()),
    }
}

/// Writes an alert as it is raised, changes or ends.
///
/// # Errors
/// When `out` fails.
pub fn write_alert(out: &mut impl Write, ts_ns: u64, alert: &Alert, message: String) -> io::Result<()> {
    let level = match alert.level() {
        AlertLevel::Raised => "raised",
        AlertLevel::Cleared => "cleared",
    };
    write_line(out, &Line::Alert { ts_ns, rule: "spawn_rate", level, culprit: alert.culprit.map(Key::from), message })
}

fn write_line(out: &mut impl Write, line: &Line<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

fn event_line(event: &Event) -> Option<Line<'_>> {
    Some(match event {
        Event::Process(found) => process(found),
        Event::Fork(fork) => forked(fork),
        Event::Exec(exec) => execed(exec),
        Event::Exit(exit) => exited(exit),
        Event::Creds { ts_ns, key, creds } => Line::Uid { ts_ns: *ts_ns, key: (*key).into(), user: (*creds).into() },
        Event::Comm { ts_ns, key, comm } => {
            Line::Comm { ts_ns: *ts_ns, key: (*key).into(), comm: escape(comm.as_bytes()) }
        }
        Event::Parent { ts_ns, key, parent } => {
            Line::Parent { ts_ns: *ts_ns, key: (*key).into(), parent: (*parent).into() }
        }
        Event::Lost { ts_ns, count } => {
            Line::Lost { ts_ns: *ts_ns, count: count.total(), fork: count.fork, exec: count.exec, exit: count.exit }
        }
        Event::Usage(_) => return None,
    })
}

fn args(argv: &Argv) -> Vec<Cow<'_, str>> {
    argv.iter().map(escape).collect()
}

fn process(found: &Found) -> Line<'_> {
    let task = &found.task;
    Line::Process {
        ts_ns: found.ts_ns,
        key: task.key.into(),
        parent: task.parent.into(),
        user: task.creds.into(),
        comm: escape(task.comm.as_bytes()),
        argv: found.argv.as_ref().map(args),
        exe: found.exe.as_deref().map(escape),
        cgroup: found.cgroup.as_deref().map(escape),
        namespaces: task.into(),
        threads: task.threads,
        kernel: task.kernel,
        zombie: found.exited.is_some(),
        end: found.exited.map(|zombie| zombie.status.into()),
        repaired: found.repaired,
    }
}

fn forked(fork: &Forked) -> Line<'_> {
    let task = &fork.task;
    let kernel_parent = (task.parent != fork.forker).then_some(task.parent);
    Line::Fork {
        ts_ns: fork.ts_ns,
        key: task.key.into(),
        parent: fork.forker.into(),
        kernel_ppid: kernel_parent.map(|parent| parent.pid),
        kernel_parent_start_ns: kernel_parent.map(|parent| parent.start_ns),
        user: task.creds.into(),
        comm: escape(task.comm.as_bytes()),
        namespaces: task.into(),
    }
}

fn execed(exec: &Execed) -> Line<'_> {
    Line::Exec {
        ts_ns: exec.ts_ns,
        key: exec.task.key.into(),
        filename: exec.filename.as_deref().map(escape),
        argv: exec.argv.as_ref().map(args),
        argv_truncated: exec.argv_truncated,
        user: exec.task.creds.into(),
        comm: escape(exec.task.comm.as_bytes()),
    }
}

fn exited(exit: &Exited) -> Line<'_> {
    Line::Exit {
        ts_ns: exit.ts_ns,
        key: exit.key.into(),
        end: exit.status.into(),
        parent: exit.task.as_ref().map(|task| task.parent.into()),
        cost: exit.cost.map(CostFields::from),
        lifetime_ns: exit.ts_ns.saturating_sub(exit.key.start_ns),
        inferred: exit.cost.is_none(),
    }
}

#[cfg(test)]
mod tests;
