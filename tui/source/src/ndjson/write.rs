//! Facts into lines. Everything that an event holds is written, so that [`super::Reader`] gives it back.

use std::io::{self, Write};

use ptree_core::alert::{Alert, Cause};
use ptree_core::{Argv, Event, Image};
use serde::Serialize;

use super::line::{Heading, Kind, Line};
use super::value::Text;
use super::{SCHEMA, types};
use crate::{Header, TimeAnchor};

/// Writes the first line of a stream; `source` is `live`, `replay` or `synth`.
///
/// # Errors
/// When `out` fails.
pub fn write_header(out: &mut impl Write, header: &Header, source: &str) -> io::Result<()> {
    let heading = Heading {
        schema: Some(SCHEMA),
        version: Some(Text::new(&header.version)),
        host: Some(Text::new(&header.host)),
        kernel: Some(Text::new(&header.kernel)),
        boot_id: Some(Text::new(&header.boot_id)),
        boottime_ns: Some(header.anchor.boottime_ns),
        unix_ns: Some(header.anchor.unix_ns),
        source: Some(Text::new(source)),
        degraded: (!header.degraded.is_empty()).then(|| header.degraded.iter().map(Text::new).collect()),
        ..Heading::of(Kind::Header)
    };
    write_line(out, &heading)
}

/// What is known beside an event, for whoever reads a line without those before it. No reader of ours needs it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// Wall time, in RFC 3339.
    pub time: Option<&'a str>,
    /// Name of the user.
    pub user: Option<&'a [u8]>,
    /// Arguments of a process that ends.
    pub argv: Option<&'a Argv>,
    /// They were cut.
    pub argv_truncated: bool,
    /// Program of a process that ends.
    pub program: Program<'a>,
    /// Programs that it has started.
    pub execs: Option<u32>,
    /// systemd unit.
    pub unit: Option<&'a [u8]>,
    /// Container.
    pub container: Option<&'a [u8]>,
}

/// Which files a program is of: see [`ptree_core::event::Execed`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Program<'a> {
    /// Path of the file that runs.
    pub exe: Option<&'a [u8]>,
    /// It has been deleted.
    pub deleted: bool,
    /// It is in memory alone.
    pub memfd: bool,
    /// The path lacks its beginning.
    pub truncated: bool,
    /// What was typed.
    pub filename: Option<&'a [u8]>,
    /// What a script names.
    pub interp: Option<&'a [u8]>,
}

impl<'a> From<&'a Image> for Program<'a> {
    fn from(image: &'a Image) -> Self {
        Self {
            exe: image.exe(),
            deleted: image.is_deleted(),
            memfd: image.is_memfd(),
            truncated: image.is_exe_truncated(),
            filename: image.filename(),
            interp: image.interp(),
        }
    }
}

/// Writes an event, with what else is known.
///
/// # Errors
/// When `out` fails.
pub fn write_event(out: &mut impl Write, event: &Event, known: &Known<'_>) -> io::Result<()> {
    let mut line = types::to_line(event);
    types::add_known(&mut line, event, known);
    write_line(out, &line)
}

/// Writes the name of a user, so that a reader elsewhere need not know it.
///
/// # Errors
/// When `out` fails.
pub fn write_user(out: &mut impl Write, uid: u32, name: &str) -> io::Result<()> {
    write_line(out, &Line { uid: Some(uid), name: Some(Text::new(name)), ..Line::of(Kind::User) })
}

/// Writes what the wall clock shows at a moment of boot time, by which all times are to be told from here on.
///
/// # Errors
/// When `out` fails.
pub fn write_clock(out: &mut impl Write, anchor: TimeAnchor) -> io::Result<()> {
    let TimeAnchor { boottime_ns, unix_ns } = anchor;
    write_line(out, &Line { ts_ns: Some(boottime_ns), unix_ns: Some(unix_ns), ..Line::of(Kind::Clock) })
}

/// What has become of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertStage {
    /// It is told for the first time.
    Raised,
    /// It names another process.
    Changed,
    /// It is over.
    Cleared,
}

/// Writes an alert as it is raised, changes or ends; `time` is that on the wall clock, where it is wanted.
///
/// # Errors
/// When `out` fails.
pub fn write_alert(
    out: &mut impl Write,
    ts_ns: u64,
    time: Option<&str>,
    alert: &Alert,
    stage: AlertStage,
) -> io::Result<()> {
    let level = match stage {
        AlertStage::Raised => "raised",
        AlertStage::Changed => "changed",
        AlertStage::Cleared => "cleared",
    };
    let (rate, peak, share, count) = match &alert.cause {
        // Where none stands out, there is no share.
        Cause::SpawnRate { rate, peak, share, .. } => (Some(*rate), Some(*peak), alert.culprit.map(|_| *share), None),
        Cause::Match { count, .. } => (None, None, None, Some(*count)),
    };
    let message = alert.to_string();
    let line = Line {
        id: Some(alert.id),
        rate,
        peak,
        share,
        count,
        ts_ns: Some(ts_ns),
        time: time.map(Text::new),
        pid: alert.culprit.map(|key| key.pid),
        start_ns: alert.culprit.map(|key| key.start_ns),
        rule: Some(Text::new(alert.rule())),
        level: Some(Text::new(level)),
        message: Some(Text::new(&message)),
        ..Line::of(Kind::Alert)
    };
    write_line(out, &line)
}

fn write_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
