//! What is done with a recording beside watching it: `stream --from`, `snapshot --from`. An invented machine is recorded, so
//! that this runs without privilege.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs the program on a recording, which it gets as a file and through a pipe: that makes no difference.
fn run(args: &[&str], recording: &[u8]) -> (Option<i32>, String, String) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(recording).unwrap();
    let said = |from: &str, stdin: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ptree-tui"));
        let Output { status, stdout, stderr } =
            command.args(args).args(["--from", from]).stdin(stdin).env("TZ", "UTC").output().unwrap();
        let told = String::from_utf8(stderr).unwrap().replace(&format!("'{from}'"), "FILE");
        (status.code(), String::from_utf8(stdout).unwrap(), told)
    };
    let path = file.path().to_str().unwrap();
    let by_path = said(path, Stdio::null());
    assert_eq!(by_path, said("-", file.reopen().unwrap().into()), "{args:?}");
    by_path
}

/// The lines of some events on an invented machine.
fn recorded(script: &str) -> Vec<u8> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(script.as_bytes()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ptree-tui"));
    let output = command.args(["synth", "--stream", "--script", file.path().to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

const BUILD: &str = "every 10ms
    found 1 0 -- init
    fork 1 10
    exec 10 make -j2
    fork 10 11
    exec 11 cc -c a.c
    usage 11 1s rss=5M threads=1 state=R
    exit 11 1
    fork 10 12
    exec 12 ld
    exit 12 SIGKILL
    exit 10 2";

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Pids, in the order of the lines.
fn pids(csv: &str) -> Vec<&str> {
    csv.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect()
}

#[test]
fn a_recording_that_is_streamed_is_what_it_was() {
    let recording = recorded(BUILD);
    let (status, stdout, stderr) = run(&["stream", "--usage"], &recording);
    assert_eq!((status, stderr.as_str()), (Some(0), ""));
    let (before, after) = (lines(std::str::from_utf8(&recording).unwrap()), lines(&stdout));
    assert_eq!((&after[0]["source"], &after[0]["boot_id"]), (&"recording".into(), &before[0]["boot_id"]));
    assert_eq!(after[1..], before[1..]);
    assert!(after.len() > 10);
}

#[test]
fn a_filter_asks_for_some_of_a_recording() {
    let (status, stdout, _) = run(&["stream", "--filter", "parent:comm=make"], &recorded(BUILD));
    let told: Vec<_> =
        lines(&stdout).iter().filter(|line| line["pid"].is_u64()).map(|line| line["pid"].as_u64().unwrap()).collect();
    assert_eq!((status, told), (Some(0), vec![11, 11, 11, 12, 12, 12]));
    // Sums over a subtree are those of the last second.
    let (_, stdout, _) = run(&["stream", "--filter", "tree-failed>0"], &recorded(&BUILD.replace("10ms", "400ms")));
    let told: Vec<_> = lines(&stdout)
        .iter()
        .filter(|line| line["pid"] == 10)
        .map(|line| line["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told, ["exit"]);
}

#[test]
fn a_snapshot_shows_a_moment_of_a_recording() {
    let recording = recorded(BUILD);
    let at = |time: &str| run(&["snapshot", "--format", "csv", "--at", time], &recording);
    // The header is a moment before the first event.
    for (time, expected) in [("+1m", &["1"][..]), ("+0ms", &[])] {
        let (status, stdout, _) = at(time);
        assert_eq!((status, pids(&stdout)), (Some(0), expected.to_vec()), "{time}");
    }
    let (_, stdout, told) = run(&["snapshot", "--format", "csv"], &recording);
    assert_eq!((pids(&stdout), told.as_str()), (vec!["1"], ""), "at its end");
    assert!(at("+1m").2.contains("before that moment; this is how it was at its end"), "{}", at("+1m").2);
    let begun = lines(std::str::from_utf8(&recording).unwrap());
    let begun_ns = begun[0]["boottime_ns"].as_u64().unwrap();
    let cc = begun.iter().find(|line| line["type"] == "usage").unwrap()["ts_ns"].as_u64().unwrap();
    let time = format!("+{}us", (cc - begun_ns) / 1000 + 1);
    let (_, stdout, _) = run(&["snapshot", "--format", "json", "--at", &time, "--filter", "comm=cc"], &recording);
    let json: Value = serde_json::from_str(&stdout).unwrap();
    let [process] = &json["processes"].as_array().unwrap()[..] else { panic!("{json}") };
    assert_eq!(
        (&process["cpu_ns"], &process["state"], &process["tree_alive"]),
        (&1_000_000_000.into(), &"R".into(), &1.into())
    );
    let (_, stdout, _) = run(&["snapshot", "--at", &time], &recording);
    assert!(stdout.contains("└─ cc -c a.c") && !stdout.contains("ld"), "{stdout}");
}

#[test]
fn what_cannot_be_read_is_told_and_a_failure_and_what_is_torn_off_a_warning() {
    let recording = recorded(BUILD);
    let torn = &recording[..recording.len() - 20];
    let junk = [&recording[..], b"junk\n"].concat();
    for command in ["stream", "snapshot"] {
        let (status, stdout, told) = run(&[command], torn);
        assert!(status == Some(0) && !stdout.is_empty() && told.contains("the last line is incomplete"), "{told}");
        let (status, stdout, told) = run(&[command], &junk);
        assert!(status == Some(1) && !stdout.is_empty() && told.contains("lines could not be read"), "{told}");
        let (status, stdout, told) = run(&[command], b"junk\n");
        assert!(status == Some(1) && stdout.is_empty() && told.contains("does not begin with a header"), "{told}");
    }
}
