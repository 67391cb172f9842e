//! The DOT export: what it says, and that GraphViz reads back every byte of it.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::{Machine, SECOND};
use ptree_core::{ExitStatus, text};
use ptree_tui::export::dot;

fn dot(machine: &Machine) -> String {
    let mut out = Vec::new();
    machine.app.export(|scope| dot::write(&mut out, scope)).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn nodes_and_edges_say_who_and_how() {
    let mut machine = Machine::booted();
    machine.spawn(1500, 600, 1000, &["/bin/sh"]);
    machine.spawn(1501, 1500, 1000, &["/usr/bin/daemond"]);
    machine.spawn(1502, 1500, 1000, &["/bin/crash"]);
    machine.pass(SECOND * 2);
    machine.exit(1502, ExitStatus::Signal { signal: 11, core: true });
    machine.code(1500, 0);
    machine.reparent(1501, 1);
    machine.screen(80, 24);
    insta::assert_snapshot!(dot(&machine).replace(&common::BEGIN.to_string(), "BEGIN"));
}

#[test]
fn a_filter_counts_but_folds_do_not() {
    let mut machine = Machine::booted();
    machine.screen(80, 24);
    machine.keys("/vim<Enter>zM");
    let dot = dot(&machine);
    assert!(dot.contains("vim [700]") && dot.contains("[500]") && !dot.contains("cron"), "{dot}");
}

/// The text nodes of an SVG, unescaped.
fn texts(svg: &str) -> Vec<String> {
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#45;", "-"), ("&#160;", "\u{a0}")];
    svg.split("<text ")
        .skip(1)
        .filter_map(|rest| {
            let (_, after) = rest.split_once('>')?;
            let (text, _) = after.split_once("</text>")?;
            let text = entities.iter().fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c));
            Some(text.replace("&amp;", "&"))
        })
        .collect()
}

#[test]
fn graphviz_gives_every_byte_of_a_name_back() {
    if Command::new("dot").arg("-V").stderr(Stdio::null()).status().is_err() {
        eprintln!("SKIPPED: GraphViz's 'dot' is not installed, so the DOT export was NOT rendered");
        assert!(std::env::var_os("CI").is_none(), "CI must have GraphViz");
        return;
    }
    let mut machine = Machine::booted();
    let mut names: Vec<Vec<u8>> = (1..=255_u8).map(|byte| vec![b'a', byte, b'z']).collect();
    names.extend(
        [
            &b"&lt;&amp;"[..],
            b"\"];}",
            b"\\N\\G\\n\\l",
            b"ends in \\",
            b"\\x41",
            b"<b>x</b>",
            b"&#65;",
            "塩é😀❤\u{fe0f}".as_bytes(),
            // No characters at all, and what no XML may hold; what nobody sees.
            "\u{ffff}\u{fdd0}".as_bytes(),
            "\u{3164}\u{600}\u{2800}".as_bytes(),
        ]
        .map(<[u8]>::to_vec),
    );
    for (pid, name) in (10_000..).zip(&names) {
        machine.fork_bytes(pid, 600, 1000, name);
    }
    machine.screen(80, 24);
    let mut child = Command::new("dot")
        .arg("-Tsvg")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(dot(&machine).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !complaints.contains("syntax error"), "{complaints}");
    let texts = texts(&String::from_utf8(output.stdout).unwrap());
    for (pid, name) in (10_000..).zip(&names) {
        let suffix = format!(" [{pid}]");
        let shown = texts.iter().find_map(|text| text.strip_suffix(&suffix)).unwrap();
        // GraphViz draws spaces as ones that do not break.
        let shown = shown.replace('\u{a0}', " ");
        assert_eq!(text::unescape(&shown), *name, "shown as '{shown}'");
    }
}
