//! What processes belong to and how they spend their time, against /proc and against what the kernel tells who waits: while they
//! live and at their end, of those that were seen to change and of those found.

use serde_json::Value;

use crate::capture::{Capture, Stream, key, number, ticked};
use crate::facts::DIVIDED_NS;
use crate::workload::{Log, Workload};
use crate::{Company, emulated, enter};

const FIELDS: [&str; 6] = ["sid", "pgid", "nice", "tty", "login_uid", "audit_session"];

/// Whether an event says of a process what /proc showed. What this kernel does not have is not told.
fn agrees(event: &Value, truth: &Value) -> bool {
    FIELDS.iter().all(|field| event[field] == truth[field])
}

fn of<'a>(stream: &'a Stream, kind: &'a str, log: &'a Log, line: &'a Value) -> impl Iterator<Item = &'a Value> {
    let process = log.process(number(line, "pid"));
    stream.of(kind).filter(move |event| ticked(key(event)) == process)
}

#[test]
fn what_a_process_belongs_to_is_told_when_it_changes_and_at_its_end() {
    let Some(_lock) = enter(Company::Any) else { return };
    let mut capture = Capture::start(&["--interval", "100ms"]);
    let workload = Workload::settled(&["belonging"]);
    workload.wait_for("belongs", 3);
    let log = workload.log();
    let truths: Vec<&Value> = log.of("belongs").collect();
    // The session has a leader with a terminal, a job of its own in it, and a member of that.
    let leader = truths.iter().find(|truth| truth["sid"] == truth["pid"]).unwrap();
    let member = truths.iter().find(|truth| truth["pgid"] != truth["pid"]).unwrap();
    assert!(leader["tty"].as_str().unwrap().starts_with("pts/"), "{leader}");
    assert_eq!((&member["sid"], &member["tty"], &member["nice"]), (&leader["sid"], &leader["tty"], &7.into()));
    for truth in &truths {
        // Who changes nothing is told right with its fork.
        let kinds: &[&str] = if truth == member { &["fork"] } else { &["session"] };
        capture.wait_for("what it belongs to", |stream| {
            kinds.iter().any(|kind| of(stream, kind, &log, truth).any(|event| agrees(event, truth))).then_some(())
        });
    }
    let found = Capture::start(&[]).finish();
    for truth in &truths {
        let event = of(&found, "process", &log, truth).next().unwrap();
        assert!(agrees(event, truth), "{event}, but {truth}");
    }
    let mut other = Capture::start(&[]);
    other.wait_for("the leader", |stream| of(stream, "process", &log, leader).next().map(drop));
    let log = workload.end();
    for stream in [capture.finish(), other.finish()] {
        for truth in log.of("belongs") {
            let exit = of(&stream, "exit", &log, truth).next().unwrap();
            assert!(agrees(exit, truth), "{exit}, but {truth}");
            assert_eq!(exit.get("threads"), None, "{exit}");
        }
    }
}

/// Of a process that /proc shows: CPU time in user mode and in the kernel, in ticks, and how long its threads have waited.
fn proc_says(pid: u64) -> ([u64; 2], u64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let waited = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().map(|thread| {
        let text = std::fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
        text.split(' ').nth(1).unwrap().parse::<u64>().unwrap()
    });
    ([11, 12].map(|field| fields[field].parse().unwrap()), waited.sum())
}

#[test]
fn user_and_system_time_and_waiting_are_those_of_the_kernel() {
    const TICK_NS: u64 = 10_000_000;
    let Some(_lock) = enter(Company::Any) else { return };
    let mut seen = Capture::start(&["--usage", "--interval", "100ms"]);
    let workload = Workload::settled(&["busy"]);
    workload.wait_for("spent", 4);
    let log = workload.log();
    // Threads that had ended before it came are not known to it.
    let mut found = Capture::start(&["--usage", "--interval", "100ms"]);
    for spent in log.of("spent") {
        let ([user, system], waited_ns) = proc_says(number(spent, "pid"));
        let ended_ns = number(spent, "ended_ns");
        for (capture, knows_all) in [(&mut seen, true), (&mut found, ended_ns == 0)] {
            let usage = capture.wait_for("what it has spent", |stream| {
                let mut usage = of(stream, "usage", &log, spent);
                usage.find(|usage| number(usage, "cpu_ns") + 2 * TICK_NS > (user + system) * TICK_NS).cloned()
            });
            let [user_ns, system_ns] = ["user_ns", "system_ns"].map(|field| number(&usage, field));
            assert_eq!(user_ns + system_ns, number(&usage, "cpu_ns"), "{usage}");
            assert!(user_ns.abs_diff(user * TICK_NS) <= DIVIDED_NS, "{user} ticks, but {usage}");
            assert!(system_ns.abs_diff(system * TICK_NS) <= DIVIDED_NS, "{system} ticks, but {usage}");
            if knows_all {
                capture.wait_for("how long it has waited", |stream| {
                    let mut usage = of(stream, "usage", &log, spent);
                    usage.find(|usage| number(usage, "run_delay_ns") >= waited_ns + ended_ns).map(drop)
                });
            }
        }
    }
    // Who was busy where, and who had to wait.
    let log = workload.end();
    let exits = |stream: &Stream| -> Vec<Value> {
        log.of("spent").map(|spent| of(stream, "exit", &log, spent).next().unwrap().clone()).collect()
    };
    for (stream, saw) in [(seen.finish(), true), (found.finish(), false)] {
        for (spent, exit) in log.of("spent").zip(exits(&stream)) {
            let told = log.of("exit").find(|line| line["pid"] == spent["pid"]).unwrap();
            let waited = log.of("fork").any(|fork| fork["ppid"] == spent["pid"]);
            let times = [("user_ns", "user_us"), ("system_ns", "system_us")];
            for (seen, told_us) in times.map(|(seen, told_us)| (number(&exit, seen), number(told, told_us))) {
                // What its end takes comes later, and the kernel tells it with what children that were waited for have used.
                let close = seen.abs_diff(told_us * 1_000) <= DIVIDED_NS;
                assert!(waited || emulated() || close, "{exit}, but {told}");
            }
            assert_eq!(number(&exit, "user_ns") + number(&exit, "system_ns"), number(&exit, "cpu_ns"), "{exit}");
            let (least, ended) = (number(spent, "run_delay_ns"), number(spent, "ended_ns"));
            if saw || ended == 0 {
                assert!(number(&exit, "run_delay_ns") >= least, "{exit}, but {spent}");
            } else {
                assert_eq!(exit.get("run_delay_ns"), None, "of threads that had ended before nobody knows: {exit}");
            }
        }
    }
}
