//! What the program prints and tells, run as users run it: no text of others commands the terminal, none floods it, and
//! where output cannot be written, that is a failure.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output, Stdio};

use ptree_core::text::is_control;

/// Takes the title of a terminal, colours it, turns what follows around, begins a new line; and what is no UTF-8.
const HOSTILE: &[u8] = b"x\x1b]0;T\x07\x1b[31m\xe2\x80\xae\n\xc2\x9b\xff\xe3\x85\xa4y";
/// As much of it as can be typed.
const TYPED: &str = "x\u{1b}]0;T\u{7}\u{1b}[31m\u{202e}\n\u{9b}\u{3164}y";

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_ptree-tui"))
}

/// Runs it and checks that it fails with a message that is harmless, short and in these words; what it told.
fn refused(args: &[impl AsRef<OsStr>], status: i32, wants: &str) -> String {
    let Output { status: ended, stderr, stdout } = program().args(args).stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8(stderr).unwrap();
    let shown: Vec<_> =
        args.iter().map(|arg| arg.as_ref().to_string_lossy().chars().take(80).collect::<String>()).collect();
    assert_eq!(ended.code(), Some(status), "{shown:?}: {told}");
    assert!(stdout.is_empty(), "{shown:?}");
    assert!(!told.contains(|c| c != '\n' && is_control(c)), "{shown:?}: {told:?}");
    assert!(told.lines().count() <= 24 && told.lines().all(|line| line.chars().count() <= 600), "{shown:?}: {told}");
    assert!(told.contains(wants), "{shown:?}: {told}");
    told
}

#[test]
fn whatever_is_typed_is_told_harmlessly_on_its_line() {
    let hostile = r"x\x1b]0;T\x07\x1b[31m\xe2\x80\xae\x0a\xc2\x9b\xe3\x85\xa4y";
    for args in [
        &["--uid", TYPED][..],
        &["--keep", TYPED],
        &["--theme", TYPED],
        &["--alert-rate", TYPED],
        &["--ring-buffer", TYPED],
        &["--pretend-missing", TYPED],
        &["--interval", TYPED],
        &[TYPED],
        &["completions", TYPED],
        &["snapshot", "--format", TYPED],
        &["replay", "-", TYPED],
        &["synth", TYPED],
        &["synth", "--size", TYPED, "idle"],
    ] {
        refused(args, 2, hostile);
    }
    // These quote what is left of it by their own grammar, or where it goes wrong.
    for args in [
        &["--filter", &format!("coom={TYPED}")][..],
        &["--filter", &format!("({TYPED}")],
        &["--filter", &format!("comm~({TYPED}")],
        &["--alert", &format!("coom={TYPED}")],
        &["--alert", "\u{2028}"],
        &[&format!("--{TYPED}")],
        &[&format!("-{TYPED}")],
        &["--keep", &format!("5{TYPED}")],
        &["stream", "--duration", &format!("5s{TYPED}")],
        &["help", TYPED],
    ] {
        refused(args, 2, "error: ");
    }
    let told = refused(&["--filter", "\u{1b}[2Ja coom=x"], 2, "no field 'coom'");
    let [.., text, carets] = &told.lines().filter(|line| line.starts_with("  ")).collect::<Vec<_>>()[..] else {
        panic!("{told}")
    };
    assert_eq!((text.find("coom"), *text), (carets.find("^^^^ "), r"  \x1b[2Ja coom=x"), "{told}");
}

#[test]
fn files_are_called_by_harmless_names() {
    let name = r"x\x1b]0;T\x07\x1b[31m\xe2\x80\xae\x0a\xc2\x9b\xff\xe3\x85\xa4y";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(OsStr::from_bytes(HOSTILE));
    let path = path.as_os_str();
    let hostile =
        |args: &[&str]| args.iter().map(OsStr::new).map(OsStr::to_owned).chain([path.to_owned()]).collect::<Vec<_>>();
    let missing = format!("{name}': No such file");
    refused(&hostile(&["snapshot", "--config"]), 2, &missing);
    refused(&hostile(&["synth", "--stream", "--script"]), 1, &missing);
    refused(&hostile(&["doctor", "--layout", "--btf"]), 1, &format!("{name}' cannot be read"));
    std::fs::write(path, "[general]\nkep = 1\n\"x\\u001b]0;T\\u0007\\n\\u202e\" = 2\n\u{1b}[2J").unwrap();
    refused(&hostile(&["snapshot", "--config"]), 2, &format!("{name}:"));
    std::fs::write(path, format!("frok '{TYPED}' 1")).unwrap();
    refused(&hostile(&["synth", "--stream", "--script"]), 1, &format!("{name}': line 1: "));
}

#[test]
fn floods_are_told_in_short() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flood");
    let path = path.to_str().unwrap();
    let flood = |c: &str, len: usize| c.repeat(len / c.len());
    for text in [
        format!("a = {}", flood("[", 1 << 20)),
        format!("a = {}", flood("[\n", 1 << 19)),
        format!("a = {}", flood("{ a = ", 1 << 19)),
        flood("a\n", 1 << 18),
        format!("[general]\ntheme = \"{}\"", flood("x", 1 << 19)),
    ] {
        std::fs::write(path, text).unwrap();
        refused(&["--config", path, "snapshot"], 2, "mistakes in the configuration");
    }
    for line in [flood("(", 1 << 20), flood("'", (1 << 20) + 1), flood("found ", 1 << 20)] {
        std::fs::write(path, line).unwrap();
        refused(&["synth", "--stream", "--script", path], 1, "line 1: ");
    }
    // No argument can be longer than 128 KiB.
    for c in ["(", "[", "{", "!", "x", "塩", "\u{1b}"] {
        let flood = flood(c, 120_000);
        refused(&["--filter", &format!("a {flood}")], 2, "at most 4096 bytes");
        refused(&["--alert", &flood], 2, "at most 4096 bytes");
        for option in ["--uid", "--keep", "--theme", "--ring-buffer", "--alert-rate", "--pretend-missing"] {
            refused(&[option, &flood], 2, "...");
        }
        refused(&["--config", &flood, "snapshot"], 2, "...");
        refused(&[&flood], 2, "...");
    }
}

/// All that print and need no privilege.
const PRINTING: [&[&str]; 11] = [
    &["--help"],
    &["--version"],
    &["help", "stream"],
    &["config"],
    &["config", "--schema"],
    &["man"],
    &["completions", "zsh"],
    &["doctor"],
    &["doctor", "--json"],
    &["synth", "idle", "--stream", "--duration", "100ms"],
    &["synth", "idle", "--stream", "--events", "10"],
];

fn printing(command: &[&str], stdout: Stdio) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = program()
        .args(command)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    for command in PRINTING {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let (status, told) = printing(command, full.into());
        assert_eq!(status, Some(1), "{command:?}: {told}");
        assert!(told.contains("writing to standard output: No space left"), "{command:?}: {told}");
        // Open, but not for writing.
        let (status, told) = printing(command, Stdio::from(File::open("/dev/null").unwrap()));
        assert_eq!(status, Some(1), "{command:?}: {told}");
        assert!(told.contains("standard output is closed"), "{command:?}: {told}");
    }
}

#[test]
fn closed_standard_output_is_a_failure_and_the_other_two_are_none() {
    let shell = |redirect: &str, command: &[&str]| {
        let line = format!("exec \"$0\" \"$@\" {redirect}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &line, env!("CARGO_BIN_EXE_ptree-tui")]).args(command).output().unwrap()
    };
    for command in PRINTING {
        let Output { status, stderr, .. } = shell(">&-", command);
        let told = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(1), "{command:?}: {told}");
        assert!(told.contains("standard output is closed"), "{command:?}: {told}");
        // With no place to say so, either.
        assert_eq!(shell(">&- 2>&- <&-", command).status.code(), Some(1), "{command:?}");
        assert_eq!(shell("> /dev/full 2>/dev/full", command).status.code(), Some(1), "{command:?}");
        if command[0] != "doctor" {
            let Output { status, stdout, .. } = shell("<&- 2>&-", command);
            assert!(status.success() && !stdout.is_empty(), "{command:?}");
        }
    }
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    for command in PRINTING.into_iter().filter(|command| command[0] != "doctor") {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let (status, told) = printing(command, writer.into());
        assert_eq!((status, told.as_str()), (Some(0), ""), "{command:?}");
    }
}
