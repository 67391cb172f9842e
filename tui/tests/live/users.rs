//! Names of users that come late: in a file of users of their own, where nobody else is disturbed.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use tempfile::NamedTempFile;

use crate::capture::{Capture, PROGRAM, Stream};
use crate::{Company, enter};

/// A uid that nobody has here.
const UID: u32 = 54_399;

/// A copy of the users of this machine, to be the only ones that a stream knows; `None` where there is no file of them, as in
/// the machines of `cargo xtask vm`.
fn users() -> Option<NamedTempFile> {
    let copy = NamedTempFile::new().unwrap();
    match std::fs::copy("/etc/passwd", copy.path()) {
        Ok(_) => Some(copy),
        Err(error) => {
            eprintln!("SKIPPED ('/etc/passwd': {error}): names of users");
            None
        }
    }
}

fn add(users: &NamedTempFile, name: &str, uid: u32) {
    let mut file = File::options().append(true).open(users.path()).unwrap();
    writeln!(file, "{name}:x:{uid}:{uid}::/:/bin/sh").unwrap();
}

fn start(users: &NamedTempFile, options: &[&str]) -> Capture {
    let script = format!("mount --bind '{}' /etc/passwd && exec '{PROGRAM}' \"$@\"", users.path().to_str().unwrap());
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script, "sh"]);
    Capture::start_by(command, options)
}

/// A shell of this user, which forks and starts a program.
fn run_as(uid: u32) {
    let status = Command::new("sh").args(["-c", "/bin/true; :"]).uid(uid).gid(uid).stdin(Stdio::null()).status();
    assert!(status.unwrap().success());
}

#[test]
fn a_name_that_comes_late_is_told_when_its_user_starts_something() {
    let Some(_lock) = enter(Company::Any) else { return };
    let Some(users) = users() else { return };
    let mut capture = start(&users, &[]);
    let is_told =
        |stream: &Stream, name: &str| stream.of("user").any(|user| user["uid"] == UID && user["name"] == name);
    capture.wait_for("the number", |stream| {
        run_as(UID);
        is_told(stream, &UID.to_string()).then_some(())
    });
    assert!(capture.so_far().of("clock").next().is_some(), "the wall clock is told from the beginning");
    add(&users, "late", UID);
    capture.wait_for("the name", |stream| {
        run_as(UID);
        is_told(stream, "late").then_some(())
    });
    let stream = capture.finish();
    assert_eq!(stream.of("user").filter(|user| user["uid"] == UID).count(), 2, "each name once");
}

#[test]
fn the_first_events_of_a_user_wait_for_its_name() {
    let Some(_lock) = enter(Company::Any) else { return };
    let Some(users) = users() else { return };
    // Others than in the other test, which may run at the same time.
    let uids: Vec<u32> = (1..=10).map(|n| UID + n).collect();
    uids.iter().for_each(|uid| add(&users, "wanted", *uid));
    let mut capture = start(&users, &["--filter", "user=wanted"]);
    for &uid in &uids {
        run_as(uid);
    }
    // The shell is forked by us, and becomes who it is before its exec.
    let count = |stream: &Stream, kind: &str, uid: u32| stream.of(kind).filter(|event| event["uid"] == uid).count();
    capture.wait_for("all ends", |stream| uids.iter().all(|&uid| count(stream, "exit", uid) == 2).then_some(()));
    let stream = capture.finish();
    for &uid in &uids {
        let counts = ["fork", "exec", "exit"].map(|kind| count(&stream, kind, uid));
        assert_eq!(counts, [1, 2, 2], "{uid}");
    }
    let times: Vec<u64> = stream.of("exec").map(|event| event["ts_ns"].as_u64().unwrap()).collect();
    assert!(times.is_sorted(), "in order");
}
