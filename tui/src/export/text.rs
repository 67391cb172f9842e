//! The tree as a table with guides, for terminals and files.

use std::io::{self, Write};

use ptree_core::facts::{Reader, Value};
use ptree_core::{Fact, Process, Row, text};

use super::Moment;
use crate::label;
use crate::measure::left;
use crate::screen::ascii::simplified;

/// Columns of a user's name.
const USER: usize = 10;
/// Columns of the status.
const STATUS: usize = 12;
/// Levels that are drawn; of deeper ones there are but the nearest, or the text would grow with the square of the depth.
const LEVELS: usize = 40;

/// Writes a heading and a line for each row, in nothing but ASCII where that is wanted.
///
/// # Errors
/// When `out` fails.
pub fn write(out: &mut dyn Write, moment: &Moment<'_>, ascii: bool) -> io::Result<()> {
    writeln!(
        out,
        "{:>7} {:<USER$} {:>8} {:>8} {:>8} {:>5} {:<STATUS$} COMMAND",
        "PID", "USER", "START", "LIFETIME", "CPU TIME", "RSS", "STATUS"
    )?;
    let mut written = Ok(());
    // One level more than is drawn: roots have no guides.
    moment.rows.window(0..moment.rows.len(), LEVELS + 1, |_, row, guides| {
        if written.is_ok()
            && let Some(line) = line(moment, row, guides)
        {
            written = writeln!(out, "{}", if ascii { simplified(&line) } else { line });
        }
    });
    written
}

fn line(moment: &Moment<'_>, row: &Row, lines: &[bool]) -> Option<String> {
    let process = moment.tree.get(row.id.process()?)?;
    let rss = match process.rss_bytes().or(process.cost().max_rss_bytes) {
        Some(bytes) if !process.is_kernel() => text::bytes(bytes),
        _ => "-".to_owned(),
    };
    let reader = Reader::new(moment.context());
    let time = match Fact::Time.read(&reader, process) {
        Some(Value::Figure(_, ns)) => text::duration(ns),
        _ => "-".to_owned(),
    };
    Some(format!(
        "{:>7} {} {:>8} {:>8} {:>8} {rss:>5} {} {}{}",
        process.key.pid,
        left(&moment.user_name(process.creds().uid, text::readable), USER),
        moment.wall.short(process.key.start_ns, moment.now_ns),
        label::lifetime(process, moment.now_ns),
        time,
        left(&label::status(process).0, STATUS),
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
    let image = process.program();
    match image.and_then(|image| image.argv.as_ref()) {
        Some(argv) if argv.iter().next().is_some_and(|arg| !arg.is_empty()) => {
            let mark = if image.is_some_and(|image| image.argv_truncated) { " …" } else { "" };
            text::command_line(argv) + mark
        }
        _ if process.is_kernel() => format!("[{name}]"),
        _ => name.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::measure::width;

    /// What is written of what a script says, without the heading.
    fn written(script: &str, names: &[(u32, &str)], ascii: bool) -> Vec<String> {
        let text = super::super::tests::written(script, names, "text", ascii);
        text.lines().skip(1).map(str::to_owned).collect()
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
