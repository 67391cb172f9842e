//! The comparison of a stream with a complete account: every process, program and end of the one is in the other, once
//! and right, and nothing else is.

use std::collections::{BTreeMap, HashSet};
use std::os::linux::fs::MetadataExt;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::capture::{Key, Stream, arguments, key, number, parent, ticked, unescape};
use crate::emulated;
use crate::proc::{self, Ticked};
use crate::workload::{Log, process};

/// Arguments beyond so many bytes, their NULs included, are cut.
const ARGV_MAX: usize = 32 * 1024;

/// Compares what a stream says of a workload, which it has seen from before its begin, with the workload's own account.
/// Returns the keys of the processes.
pub(crate) fn assert_agrees(stream: &Stream, log: &Log) -> HashSet<Key> {
    stream.assert_complete();
    let root = stream.key_of(log.root()).expect("the workload is in the stream");
    let family = stream.below(root);
    assert_eq!(stream.about("process", &family).next(), None, "its fork was seen, so there is nothing to be found");
    forks(stream, log, &family);
    execs(stream, log, &family);
    exits(stream, log, &family);
    lives(stream, &family);
    family
}

fn forks(stream: &Stream, log: &Log, family: &HashSet<Key>) {
    let mut forks = by_process(stream.about("fork", family));
    let pid_ns = std::fs::metadata("/proc/self/ns/pid").unwrap().st_ino();
    for line in log.of("fork") {
        let fork = one(&mut forks, line);
        assert_eq!(ticked(parent(fork)), known(log, number(line, "ppid")), "forker: {fork}");
        match line["kernel_ppid"].as_u64() {
            None => assert_eq!((&fork["kernel_ppid"], &fork["kernel_parent_start_ns"]), (&Value::Null, &Value::Null)),
            Some(pid) => {
                let kernel_parent = (number(fork, "kernel_ppid"), number(fork, "kernel_parent_start_ns"));
                assert_eq!(ticked(kernel_parent), known(log, pid), "kernel's parent: {fork}");
            }
        }
        assert_eq!(fork["ns_pid"], line["ns_pid"], "{fork}");
        assert_eq!(number(fork, "pid_ns"), line["pid_ns"].as_u64().unwrap_or(pid_ns), "{fork}");
    }
    assert!(forks.is_empty(), "forks that never were: {forks:#?}");
}

fn execs(stream: &Stream, log: &Log, family: &HashSet<Key>) {
    let mut execs: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for exec in stream.about("exec", family) {
        execs.entry(number(exec, "pid")).or_default().push(exec);
    }
    for line in log.of("exec") {
        let of_process = execs.get_mut(&number(line, "pid")).filter(|execs| !execs.is_empty());
        let exec = of_process.unwrap_or_else(|| panic!("exec not seen: {line}")).remove(0);
        let filename = line["filename"].as_str().unwrap();
        assert_eq!(unescape(&exec["filename"]), filename.as_bytes(), "{exec}");
        let name = filename.rsplit('/').next().unwrap();
        assert_eq!(unescape(&exec["comm"]), name.as_bytes()[..name.len().min(15)], "{exec}");
        assert_argv(exec, &logged_arguments(line));
    }
    execs.retain(|_, execs| !execs.is_empty());
    assert!(execs.is_empty(), "execs that never were: {execs:#?}");
}

/// Compares the arguments of an event with what they were, byte for byte up to where they are cut.
#[track_caller]
pub(crate) fn assert_argv(event: &Value, truth: &[Vec<u8>]) {
    let seen = arguments(event);
    let area = |argv: &[Vec<u8>]| argv.iter().flat_map(|arg| [arg, &b"\0"[..]].concat()).collect::<Vec<u8>>();
    if area(truth).len() <= ARGV_MAX {
        assert_eq!(event.get("argv_truncated"), None, "{}", event["pid"]);
        assert_eq!(seen, truth, "arguments of {}", event["pid"]);
    } else {
        assert_eq!(event["argv_truncated"], true, "{}", event["pid"]);
        // Whether the cut goes through an argument or behind it is no matter.
        let seen = area(&seen);
        let seen = &seen[..seen.len() - 1];
        assert!((ARGV_MAX - 1..=ARGV_MAX).contains(&seen.len()), "{} bytes", seen.len());
        assert!(area(truth).starts_with(seen), "what is left of the arguments of {}", event["pid"]);
    }
}

fn exits(stream: &Stream, log: &Log, family: &HashSet<Key>) {
    let mut exits = by_process(stream.about("exit", family));
    for line in log.of("exit") {
        let exit = one(&mut exits, line);
        assert_status(exit, line);
        assert_eq!(number(exit, "ppid"), number(line, "ppid"), "parent at the end: {exit}");
        assert_eq!(number(exit, "lifetime_ns"), number(exit, "ts_ns") - number(exit, "start_ns"), "{exit}");
        // What the kernel told the parent is that of the process and of those it had waited for, up to the very end,
        // when the process is about to leave its CPU for the last time: we know that a little earlier. How much the end
        // itself takes is a matter of what else runs, also beside this virtual machine.
        if let Some(cpu_us) = line["cpu_us"].as_u64() {
            let (seen_ns, told_ns) = (number(exit, "cpu_ns"), cpu_us * 1_000);
            assert!(seen_ns <= told_ns + 20_000_000, "{exit}, but {line}");
            let waited = log.of("fork").any(|fork| fork["ppid"] == line["pid"]);
            assert!(waited || emulated() || 2 * seen_ns + 4_000_000 >= told_ns, "{exit}, but {line}");
            assert!(number(exit, "max_rss_bytes") <= number(line, "max_rss_kib") * 1024, "{exit}, but {line}");
            // A thread that is just being released when the last one ends may be counted twice: the kernel adds up what it
            // used before it takes it off the list, under a lock that is not ours. Where a virtual CPU stands still in
            // between, that is not rare.
            let faults = number(line, "minor_faults") + if emulated() { 10 } else { 0 };
            assert!(number(exit, "minor_faults") <= faults, "{exit}, but {line}");
        }
    }
    assert!(exits.is_empty(), "exits that never were: {exits:#?}");
}

/// Compares how a process ended.
#[track_caller]
pub(crate) fn assert_status(exit: &Value, line: &Value) {
    assert_eq!(exit.get("inferred"), None, "{exit}");
    assert_eq!(exit["code"], line["code"], "{exit}");
    let signal = line["signal"].as_i64().map(|n| signal_name(n.try_into().unwrap()));
    assert_eq!(exit["signal"].as_str(), signal.as_deref(), "{exit}");
    assert_eq!(exit["core"] == true, line["core"] == true, "{exit}");
}

/// As the C library numbers them: the first real-time signals are its own.
fn signal_name(signal: i32) -> String {
    Signal::try_from(signal).map_or_else(|_| format!("SIGRTMIN+{}", signal - 34), |signal| signal.to_string())
}

/// The order of things in each life, by time and by place in the stream: fork, execs, exit.
fn lives(stream: &Stream, family: &HashSet<Key>) {
    let mut lives: BTreeMap<Key, Vec<&Value>> = BTreeMap::new();
    // What a pass has measured is told a little later than it was so.
    for event in stream.events.iter().filter(|event| event["type"] != "alert" && event["type"] != "usage") {
        if event["pid"].is_u64() && family.contains(&key(event)) {
            lives.entry(key(event)).or_default().push(event);
        }
    }
    for (key, events) in lives {
        assert_eq!((&events[0]["type"], &events[events.len() - 1]["type"]), (&"fork".into(), &"exit".into()));
        assert!(events.is_sorted_by_key(|event| number(event, "ts_ns")), "{events:#?}");
        assert!(key.1 <= number(events[0], "ts_ns"), "born before it began: {}", events[0]);
    }
}

fn by_process<'a>(events: impl Iterator<Item = &'a Value>) -> BTreeMap<Ticked, Vec<&'a Value>> {
    let mut map: BTreeMap<Ticked, Vec<&Value>> = BTreeMap::new();
    for event in events {
        map.entry(ticked(key(event))).or_default().push(event);
    }
    map
}

/// Takes out the one event that belongs to a line of the log.
#[track_caller]
fn one<'a>(events: &mut BTreeMap<Ticked, Vec<&'a Value>>, line: &Value) -> &'a Value {
    let events = events.remove(&process(line)).unwrap_or_else(|| panic!("not seen: {line}"));
    assert_eq!(events.len(), 1, "{events:#?}");
    events[0]
}

/// A process of the workload, or the test itself, by pid.
fn known(log: &Log, pid: u64) -> Ticked {
    let test = proc::this();
    if test.0 == pid { test } else { log.process(pid) }
}

/// What the log writes as hexadecimal digits.
pub(crate) fn bytes(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap().chars().map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap());
    digits.collect::<Vec<u8>>().chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The arguments of an `exec` in the log.
pub(crate) fn logged_arguments(exec: &Value) -> Vec<Vec<u8>> {
    exec["argv"].as_array().unwrap().iter().map(bytes).collect()
}
