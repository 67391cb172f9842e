//! The tree as a table with guides, for terminals and files.

use std::io::{self, Write};

use ptree_core::{ExitStatus, Lifecycle, Process, Row, text};
use ptree_source::TimeAnchor;

use super::Scope;
use crate::app::Wall;
use crate::columns::left;
use crate::screen::ascii::simplified;
use crate::{given, label};

/// Columns of a user's name.
const USER: usize = 10;
/// Levels that are drawn; of deeper ones there are but the nearest, or the text would grow with the square of the depth.
const LEVELS: usize = 40;

/// Writes a heading and a line for each row, in nothing but ASCII where that is wanted.
///
/// # Errors
/// When `out` fails.
pub fn write(out: &mut impl Write, scope: &Scope<'_>, anchor: TimeAnchor, ascii: bool) -> io::Result<()> {
    writeln!(
        out,
        "{:>7} {:<USER$} {:>8} {:>8} {:>8} {:>5} {:<9} COMMAND",
        "PID", "USER", "START", "LIFETIME", "CPU TIME", "RSS", "STATUS"
    )?;
    let wall = Wall::new(anchor, given::zone());
    let mut written = Ok(());
    // One level more than is drawn: roots have no guides.
    scope.rows.window(0..scope.rows.len(), LEVELS + 1, |_, row, guides| {
        if written.is_ok()
            && let Some(line) = line(scope, &wall, row, guides)
        {
            written = writeln!(out, "{}", if ascii { simplified(&line) } else { line });
        }
    });
    written
}

fn line(scope: &Scope<'_>, wall: &Wall, row: &Row, lines: &[bool]) -> Option<String> {
    let process = scope.tree.get(row.id.process()?)?;
    let rss = match process.rss_bytes().or(process.cost().max_rss_bytes) {
        Some(bytes) if !process.is_kernel() => text::bytes(bytes),
        _ => "-".to_owned(),
    };
    Some(format!(
        "{:>7} {} {:>8} {:>8} {:>8} {rss:>5} {:<9} {}{}",
        process.key.pid,
        left(&scope.user_name(process.creds().uid, text::readable), USER),
        wall.short(process.key.start_ns, scope.now_ns),
        label::lifetime(process, scope.now_ns),
        text::duration(process.cost().cpu_ns),
        status(process),
        guides(row, lines),
        command(process),
    ))
}

/// The lines that tie a row to its parent and siblings.
fn guides(row: &Row, lines: &[bool]) -> String {
    let left_out = (row.depth as usize).saturating_sub(LEVELS + 1);
    let mut line = if left_out > 0 { format!("{left_out:<4}┄ ") } else { String::new() };
    line.extend(lines.iter().skip(1).map(|&runs| if runs { "│  " } else { "   " }));
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
    let words = match process.life() {
        Lifecycle::Running => return process.state().to_string(),
        Lifecycle::Exited { status: ExitStatus::Code(code), .. } => format!("exit {code}"),
        Lifecycle::Exited { status: ExitStatus::Signal { signal, .. }, .. } => text::signal_name(signal).into_owned(),
        Lifecycle::Exited { status: ExitStatus::Unknown, .. } => "ended".to_owned(),
    };
    if process.is_zombie() { format!("Z {words}") } else { words }
}

#[cfg(test)]
mod tests {
    use ptree_core::script::{Script, Step};
    use ptree_core::{Engine, Look, Rows};

    use super::*;
    use crate::columns::width;

    /// What is written of what a script says, without the heading.
    fn written(script: &str, names: &[(u32, &str)], ascii: bool) -> Vec<String> {
        let mut engine = Engine::new(ptree_core::Config::default());
        for (uid, name) in names {
            engine.name_user(*uid, name);
        }
        let mut reader = Script::new(1_000_000_000);
        for line in script.lines() {
            if let Some(Step::Event(event)) = reader.line(line).unwrap() {
                engine.ingest(&event, &mut Vec::new());
            }
        }
        let user = |uid| engine.users().get(uid);
        let now_ns = engine.now_ns();
        let rows = Rows::of(engine.tree(), Look { now_ns, ..Look::default() }, user);
        let scope = Scope { tree: engine.tree(), rows: &rows, now_ns, measured_ns: None, user: &user };
        let mut out = Vec::new();
        write(&mut out, &scope, TimeAnchor { boottime_ns: 0, unix_ns: 0 }, ascii).unwrap();
        String::from_utf8(out).unwrap().lines().skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn columns_stay_in_line_whatever_users_are_called() {
        let script = "found 1 0 -- init\nfound 2 1 uid=1 -- init\nfound 3 1 uid=2 -- init\nfound 4 1 uid=3 -- init";
        let names = [(0, "root"), (1, "systemd-resolve"), (2, "塩塩塩塩塩塩塩"), (3, "e\u{301}")];
        let lines = written(script, &names, false);
        let at = |line: &String| width(&line[..line.rfind("init").unwrap()]);
        assert_eq!(
            lines.iter().map(at).collect::<Vec<_>>(),
            [at(&lines[0]), at(&lines[0]) + 3, at(&lines[0]) + 3, at(&lines[0]) + 3]
        );
        assert!(lines[1].contains(" systemd-r… "), "{}", lines[1]);
        let plain = written(script, &names, true);
        assert!(plain.iter().all(|line| line.is_ascii()), "{plain:?}");
        assert!(plain[1].contains(" systemd-r~ ") && plain[1].contains("|- init"), "{}", plain[1]);
    }

    #[test]
    fn deep_trees_do_not_make_long_lines() {
        let chain: String = (1..=3000).map(|pid| format!("found {pid} {} -- p\n", pid - 1)).collect();
        let lines = written(&chain, &[], false);
        assert_eq!(lines.len(), 3000);
        assert!(lines.iter().all(|line| width(line) < 220));
        // Levels that are drawn, and then those that are left out beside them.
        assert!(lines[41].ends_with(&format!("{}└─ p", "   ".repeat(40))) && !lines[41].contains('┄'), "{}", lines[41]);
        assert!(lines[42].ends_with(&format!(" 1   ┄ {}└─ p", "   ".repeat(40))), "{}", lines[42]);
        assert!(lines[2999].contains("2958┄ "), "{}", lines[2999]);
    }
}
