//! The tree as a table with guides, for terminals and files.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use ptree_core::{ExitStatus, Lifecycle, Process, Row, text};
use ptree_source::TimeAnchor;

use super::Scope;
use crate::given;

/// Writes a heading and a line for each row.
///
/// # Errors
/// When `out` fails.
pub fn write(out: &mut impl Write, scope: &Scope<'_>, anchor: TimeAnchor) -> io::Result<()> {
    writeln!(
        out,
        "{:>7} {:<10} {:>8} {:>8} {:>8} {:>5} {:<9} COMMAND",
        "PID", "USER", "START", "LIFETIME", "CPU TIME", "RSS", "STATUS"
    )?;
    let zone = given::zone();
    let mut written = Ok(());
    scope.rows.window(0..scope.rows.len(), usize::MAX, |_, row, guides| {
        if written.is_ok() {
            written = line(out, scope, (anchor, &zone), row, guides);
        }
    });
    written
}

fn line(
    out: &mut impl Write,
    scope: &Scope<'_>,
    (anchor, zone): (TimeAnchor, &TimeZone),
    row: &Row,
    lines: &[bool],
) -> io::Result<()> {
    let Some(process) = row.id.process().and_then(|key| scope.tree.get(key)) else { return Ok(()) };
    let user = scope.user_name(process.creds().uid, text::readable);
    let rss = match process.rss_bytes().or(process.cost().max_rss_bytes) {
        Some(bytes) if !process.is_kernel() => text::bytes(bytes),
        _ => "-".to_owned(),
    };
    writeln!(
        out,
        "{:>7} {user:<10} {:>8} {:>8} {:>8} {rss:>5} {:<9} {}{}",
        process.key.pid,
        start_time(anchor.unix_ns(process.key.start_ns), anchor.unix_ns(scope.now_ns), zone),
        text::duration(process.lifetime_ns(scope.now_ns)),
        text::duration(process.cost().cpu_ns),
        status(process),
        guides(row, lines),
        command(process),
    )
}

/// The lines that tie a row to its parent and siblings.
fn guides(row: &Row, lines: &[bool]) -> String {
    let mut line: String = lines.iter().skip(1).map(|&runs| if runs { "│  " } else { "   " }).collect();
    if row.depth > 0 {
        line.push_str(if row.last { "└─ " } else { "├─ " });
    }
    line
}

/// What runs in a process: its command line, or its name where there is none.
#[must_use]
pub fn command(process: &Process) -> String {
    let name = text::readable(process.comm().as_bytes());
    let image = process.image();
    match image.and_then(|image| image.argv.as_ref()) {
        Some(argv) if argv.iter().next().is_some_and(|arg| !arg.is_empty()) => {
            let mark = if image.is_some_and(|image| image.argv_truncated) { " …" } else { "" };
            text::command_line(argv) + mark
        }
        _ if process.is_kernel() => format!("[{name}]"),
        _ => name.into_owned(),
    }
}

/// How a process is, or how it ended.
#[must_use]
pub fn status(process: &Process) -> String {
    match process.life() {
        Lifecycle::Running => process.state().to_string(),
        Lifecycle::Exited { status: ExitStatus::Code(code), .. } => format!("exit {code}"),
        Lifecycle::Exited { status: ExitStatus::Signal { signal, .. }, .. } => text::signal_name(signal).into_owned(),
        Lifecycle::Exited { status: ExitStatus::Unknown, .. } => "ended".to_owned(),
    }
}

/// Local time of day, or the date for what did not start within a day.
#[must_use]
pub fn start_time(unix_ns: u64, now_unix_ns: u64, zone: &TimeZone) -> String {
    const DAY_NS: u64 = 24 * 3600 * 1_000_000_000;
    let at = i128::from(unix_ns);
    let Ok(time) = jiff::Timestamp::from_nanosecond(at) else { return "-".to_owned() };
    let zoned = time.to_zoned(zone.clone());
    let form = if now_unix_ns.saturating_sub(unix_ns) < DAY_NS { "%H:%M:%S" } else { "%b %d" };
    zoned.strftime(form).to_string()
}
