//! The tree for GraphViz: a node for each process, an edge from each forker.
//!
//! Any text survives: it is escaped as on the screen, then quoted for DOT.

use std::io::{self, Write};

use ptree_core::{Lineage, ProcKey, Process, text};

use super::Moment;
use crate::label::{self, Tone};

/// Writes the processes of a moment.
///
/// The dead are dashed and grey, failures red. Solid edges come from forkers; a dotted one from the kernel's parent where
/// that is another.
///
/// # Errors
///
/// Those of `out`.
pub fn write(out: &mut dyn Write, moment: &Moment<'_>) -> io::Result<()> {
    let (tree, rows) = (moment.tree, moment.rows);
    writeln!(out, "digraph processes {{")?;
    writeln!(out, "  rankdir=LR;")?;
    writeln!(out, "  node [shape=box, style=rounded, fontname=\"monospace\"];")?;
    let processes = || rows.iter().filter_map(|row| tree.get(row.id.process()?));
    for process in processes() {
        let label = label(process, moment);
        writeln!(out, "  {} [label=\"{label}\"{}];", id(process.key), style(process))?;
    }
    let shown: rustc_hash::FxHashSet<ProcKey> = processes().map(|process| process.key).collect();
    for process in processes() {
        // The nearest ancestor that was kept, should dead ones between have been left out.
        if let Some(forker) = tree.parent(process.key, Lineage::Forked).filter(|forker| shown.contains(&forker.key)) {
            let left_out = match process.generations_left_out() {
                0 => String::new(),
                n => format!(" [label=\"{n} generations left out\"]"),
            };
            writeln!(out, "  {} -> {}{left_out};", id(forker.key), id(process.key))?;
        }
        let parent = process.kernel_parent();
        if process.is_reparented() && shown.contains(&parent) {
            writeln!(out, "  {} -> {} [style=dotted, constraint=false];", id(parent), id(process.key))?;
        }
    }
    writeln!(out, "}}")
}

fn id(key: ProcKey) -> String {
    format!("p{}_{}", key.pid, key.start_ns)
}

/// Name and pid, user and lifetime, and how it ended.
fn label(process: &Process, moment: &Moment<'_>) -> String {
    let (lifetime, user) =
        (label::lifetime(process, moment.now_ns), moment.user_name(process.creds().uid, text::escape));
    let mut lines = vec![
        format!("{} [{}]", text::escape(process.comm().as_bytes()), process.key.pid),
        format!("{user}, {lifetime}"),
    ];
    if !process.is_alive() {
        lines.push(label::ending(process, |uid| moment.user_name(uid, text::escape)).0.into_owned());
    }
    lines.iter().map(|line| quote(line)).collect::<Vec<_>>().join("\\n")
}

fn style(process: &Process) -> &'static str {
    match (process.is_alive(), label::status(process).1) {
        (true, _) => "",
        (false, Tone::Bad) => ", style=\"rounded,dashed\", color=red, fontcolor=red3",
        (false, _) => ", style=\"rounded,dashed\", color=gray60, fontcolor=gray40",
    }
}

/// For inside a quoted label: there a backslash begins an escape, and `&` an entity as in HTML.
fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '&' => quoted.push_str("&amp;"),
            _ => quoted.push(c),
        }
    }
    quoted
}
