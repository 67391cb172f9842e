//! Who has ended and is not asked for: children of this very process, which asks when it likes.

use std::process::{Child, Command};

use serde_json::Value;

use crate::capture::{Capture, Stream};
use crate::{Company, enter};

/// A child that has ended with this code, as /proc says, and was not waited for.
fn zombie(code: u8) -> Child {
    let child = Command::new("sh").args(["-c", &format!("exit {code}")]).spawn().unwrap();
    while state(child.id()) != Some('Z') {
        std::thread::yield_now();
    }
    child
}

/// The run state that /proc tells.
fn state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

fn is_told(stream: &Stream, kind: &str, pid: u32) -> Option<Value> {
    stream.of(kind).find(|event| event["pid"] == pid).cloned()
}

#[test]
fn a_zombie_is_told_as_one_until_its_parent_has_waited_for_it() {
    let Some(_lock) = enter(Company::Any) else { return };
    let mut found = zombie(3);
    let mut capture = Capture::start(&["--interval", "100ms"]);
    let mut seen = zombie(5);
    let [before, after] = [found.id(), seen.id()];

    capture.wait_for("a zombie that was seen to end", |stream| is_told(stream, "zombie", after));
    assert_eq!(state(after), Some('Z'));
    assert_eq!(seen.wait().unwrap().code(), Some(5));
    capture.wait_for("its end as one", |stream| is_told(stream, "reaped", after));
    assert_eq!(state(before), Some('Z'));
    assert!(is_told(capture.so_far(), "reaped", before).is_none(), "it is there");
    assert_eq!(found.wait().unwrap().code(), Some(3));
    capture.wait_for("the end of one that was found", |stream| is_told(stream, "reaped", before));

    let stream = capture.finish();
    let process = is_told(&stream, "process", before).unwrap();
    assert_eq!((&process["zombie"], &process["code"]), (&true.into(), &3.into()));
    assert_eq!(is_told(&stream, "exit", after).unwrap()["code"], 5);
    for kind in ["zombie", "reaped"] {
        assert_eq!(stream.of(kind).filter(|event| event["pid"] == after).count(), 1, "{kind}");
    }
    assert_eq!(stream.of("zombie").filter(|event| event["pid"] == before).count(), 0, "told as one already");
}
