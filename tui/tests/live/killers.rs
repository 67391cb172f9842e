//! Who or what ended a process by a signal, case by case, against what the workload knows since it has done it.

use serde_json::Value;

use crate::account::assert_agrees;
use crate::capture::{Capture, Stream, number, ticked};
use crate::workload::{Log, Workload};
use crate::{Company, emulated, enter};

/// Captures deaths, and compares what is said of each. The causes, and who is left out of them.
fn observe(situation: &str) -> Option<Vec<String>> {
    let _lock = enter(Company::Any)?;
    let capture = Capture::start(&[]);
    let log = Workload::start(&[situation]).end();
    let stream = capture.finish();
    assert_agrees(&stream, &log);
    for line in log.of("skipped") {
        eprintln!("SKIPPED: {}", line["what"]);
    }
    // Whom an emulated machine kills for lack of memory, and when, was seen to differ from boot to boot.
    let is_settled = |line: &&Value| !(emulated() && line["cause"] == "oom");
    if log.of("killed").any(|line| !is_settled(&line)) {
        eprintln!("SKIPPED (emulated): out of memory");
    }
    let causes = log.of("killed").filter(is_settled).map(|line| assert_killed(&stream, &log, line)).collect();
    // Without being asked for.
    let told =
        |line: &Value| stream.of("alert").any(|alert| alert["rule"] == "out of memory" && alert["pid"] == line["pid"]);
    for line in log.of("killed").filter(is_settled).filter(|line| line["cause"] == "oom") {
        assert!(told(line), "{line}: {:?}", stream.of("alert").collect::<Vec<_>>());
    }
    Some(causes)
}

fn assert_killed(stream: &Stream, log: &Log, line: &Value) -> String {
    let victim = stream.key_of(log.process(number(line, "pid"))).unwrap();
    let exit = stream.of("exit").find(|exit| crate::capture::key(exit) == victim).unwrap();
    let killer = &exit["killer"];
    assert_eq!(killer["cause"], line["cause"], "{exit}, but {line}");
    assert_eq!(exit["oom"] == true, line["cause"] == "oom", "{exit}");
    match line["by"].as_u64() {
        Some(by) => {
            let key = (number(killer, "pid"), number(killer, "start_ns"));
            assert_eq!(ticked(key), log.process(by), "{exit}, but {line}");
            assert_eq!((&killer["comm"], &killer["uid"]), (&"workload".into(), &0.into()), "{exit}");
        }
        None => {
            let who = ["pid", "start_ns", "comm", "uid"].map(|name| killer[name].is_null());
            assert_eq!(who, [true; 4], "no process had a hand in it: {exit}");
        }
    }
    line["cause"].as_str().unwrap().to_owned()
}

#[test]
fn signals_of_processes_are_put_down_to_who_sent_them() {
    let Some(causes) = observe("killed-by-processes") else { return };
    assert!(causes.len() >= 9 && causes.iter().all(|cause| cause == "user"), "{causes:?}");
}

#[test]
fn signals_of_the_kernel_are_put_down_to_their_reason() {
    let Some(causes) = observe("killed-by-the-kernel") else { return };
    let of = |name: &str| causes.iter().filter(|cause| *cause == name).count();
    assert_eq!(["fault", "timer", "kernel", "terminal"].map(of), [1, 2, 1, 2], "{causes:?}");
}

/// Whoever ends by himself has no killer, whatever was sent before.
#[test]
fn whoever_ends_by_an_exit_has_no_killer() {
    let Some(_lock) = enter(Company::Any) else { return };
    let capture = Capture::start(&[]);
    let log = Workload::start(&["exit-codes"]).end();
    let stream = capture.finish();
    let family = assert_agrees(&stream, &log);
    assert!(stream.about("exit", &family).all(|exit| exit.get("killer").is_none() && exit.get("oom").is_none()));
}

/// Without the hook, the signal alone is told.
#[test]
fn without_the_hook_on_signals_the_rest_goes_on() {
    let Some(_lock) = enter(Company::Any) else { return };
    for missing in ["on_signal", "siginfo_code"] {
        let mut capture = Capture::start(&["--pretend-missing", missing]);
        assert_eq!(capture.so_far().events[0]["degraded"], serde_json::json!(["killers"]));
        let log = Workload::start(&["signals"]).end();
        let stream = capture.finish();
        let family = assert_agrees(&stream, &log);
        assert!(stream.about("exit", &family).all(|exit| exit.get("killer").is_none()));
    }
}
