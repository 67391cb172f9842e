//! Processes older than the capture, and ones born and ended while it begins.

use std::collections::{BTreeSet, HashMap};
use std::process::{Child, Command, Stdio};

use nix::time::{ClockId, clock_gettime};

use crate::account::{assert_argv, assert_status, logged_arguments};
use crate::capture::{Capture, Key, PROGRAM, Stream, arguments, key, number, parent, ticked, unescape, wait_until};
use crate::proc::{self, Ticked};
use crate::workload::{Log, Workload, process};
use crate::{Company, enter};

/// The `process` lines of a workload begun before the capture, each process once.
fn found(stream: &Stream, log: &Log) -> HashMap<Ticked, serde_json::Value> {
    let family = stream.below(stream.key_of(log.root()).expect("the workload was found"));
    let mut found = HashMap::new();
    for event in stream.about("process", &family) {
        let process = ticked(key(event));
        let known_before = found.insert(process, event.clone());
        // It may come again when more is known.
        assert!(known_before.is_none_or(|before: serde_json::Value| before["ppid"] == event["ppid"]), "{event}");
    }
    found
}

#[test]
fn processes_running_already() {
    let Some(_lock) = enter(Company::Any) else { return };
    let workload = Workload::settled(&["tree"]);
    let before = workload.log();
    let tree = before.one("tree").clone();
    let (branch, leaf) = (before.process(number(&tree, "branch")), before.process(number(&tree, "leaf")));
    let (threads, zombie) = (before.process(number(&tree, "threads")), before.process(number(&tree, "zombie")));
    let mut capture = Capture::start(&[]);
    // All are there from the start: not by a later pass, and before any event.
    let found = capture.wait_for("the processes that were running", |stream| {
        stream.key_of(before.root()).and_then(|_| Some(found(stream, &before)).filter(|found| found.len() == 5))
    });
    for line in before.of("fork") {
        let event = &found[&process(line)];
        let forker = number(line, "ppid");
        assert_eq!(ticked(parent(event)), before.process(forker), "{event}");
        assert_eq!((number(event, "uid"), number(event, "gid")), (0, 0), "{event}");
        assert_eq!(event.get("repaired"), None, "{event}");
        assert_eq!(event["zombie"] == true, process(line) == zombie, "{event}");
    }
    let program = std::fs::canonicalize(format!("/proc/{}/exe", branch.0)).unwrap();
    for alive in [before.root(), branch, leaf, threads] {
        let exe = unescape(&found[&alive]["exe"]);
        assert_eq!(exe, program.as_os_str().as_encoded_bytes(), "{}", found[&alive]);
    }
    assert_eq!(number(&found[&threads], "threads"), 3);
    assert_eq!(number(&found[&branch], "threads"), 1);
    assert_eq!(unescape(&found[&branch]["comm"]), b"branch");
    // A fork has the arguments of the one it comes from, and a zombie has none left.
    assert_argv(&found[&leaf], &logged_arguments(before.of("exec").next().unwrap()));
    assert_eq!(arguments(&found[&branch]), arguments(&found[&before.root()]));
    assert_eq!(found[&zombie].get("argv"), None);

    let log = workload.end();
    let stream = capture.finish();
    stream.assert_complete();
    let family = stream.below(stream.key_of(log.root()).unwrap());
    assert_eq!(stream.about("fork", &family).next(), None);
    let exits: HashMap<Ticked, _> = stream.about("exit", &family).map(|exit| (ticked(key(exit)), exit)).collect();
    assert_eq!((exits.len(), stream.about("exit", &family).count()), (4, 4), "the zombie had ended before");
    for line in log.of("exit").filter(|line| process(line) != zombie) {
        assert_status(exits[&process(line)], line);
    }
}

#[test]
fn processes_found_without_their_leader_are_alive() {
    let Some(_lock) = enter(Company::Any) else { return };
    let workload = Workload::settled(&["leader-gone"]);
    let before = workload.log();
    let mut capture = Capture::start(&[]);
    let found = capture.wait_for("the processes that were running", |stream| {
        stream.key_of(before.root()).and_then(|_| Some(found(stream, &before)).filter(|found| found.len() == 3))
    });
    assert!(found.values().all(|event| event.get("zombie").is_none()), "{found:#?}");
    let log = workload.end();
    let stream = capture.finish();
    let family = stream.below(stream.key_of(log.root()).unwrap());
    for line in log.of("exit") {
        let exits: Vec<_> = stream.about("exit", &family).filter(|exit| ticked(key(exit)) == process(line)).collect();
        assert_eq!(exits.len(), 1, "{line}");
        assert_status(exits[0], line);
    }
}

#[test]
fn processes_born_and_ended_while_capture_begins() {
    let Some(_lock) = enter(Company::Any) else { return };
    for _ in 0..3 {
        let mut workload = Workload::start(&["churn"]);
        workload.wait_for("churned", 100);
        let mut capture = Capture::start(&[]);
        let time = clock_gettime(ClockId::CLOCK_BOOTTIME).unwrap();
        let attached_ns = u64::try_from(time.tv_sec() * 1_000_000_000 + time.tv_nsec()).unwrap();
        let churned = workload.log().of("churned").count();
        workload.wait_for("churned", churned + 200);
        workload.tell();
        workload.wait_for("settled", 1);
        let log = workload.log();
        // Nobody is made any more, but the last may have their end, or a child, before them.
        let living = capture.wait_for("the tree agrees with /proc", |stream| {
            let living = living_below(stream, log.root())?;
            (living == proc::living_below(log.root().0)).then_some(living)
        });
        assert!(living.len() > 16, "{living:?}");
        workload.end();
        let stream = capture.finish();
        stream.assert_complete();
        let family = stream.below(stream.key_of(log.root()).unwrap());
        // A later pass would mend what the beginning missed, and nobody the wiser.
        let mended = ["process", "exit"].into_iter().flat_map(|kind| stream.about(kind, &family));
        let mended: Vec<_> = mended.filter(|event| event["repaired"] == true || event["inferred"] == true).collect();
        assert!(mended.is_empty(), "{mended:#?}");
        let mut forks: HashMap<Ticked, u32> = HashMap::new();
        stream.about("fork", &family).for_each(|fork| *forks.entry(ticked(key(fork))).or_default() += 1);
        assert!(forks.values().all(|&count| count == 1), "a birth told twice");
        let after = log.of("churned").filter(|line| number(line, "before_ns") > attached_ns);
        let after: Vec<_> = after.map(|line| number(line, "pid")).collect();
        assert!(after.len() >= 100, "{} forks after the attach", after.len());
        let unseen: Vec<_> = after.iter().filter(|&&pid| !forks.keys().any(|fork| fork.0 == pid)).collect();
        assert!(unseen.is_empty(), "forked after the attach, and not seen: {unseen:?}");
        // With the root all are gone.
        assert_eq!(stream.living().intersection(&family.into_iter().collect()).next(), None);
    }
}

/// At the start and in a snapshot as much is read of them as an exec is captured with.
#[test]
fn long_arguments_of_processes_running_already_are_cut_and_marked() {
    let Some(_lock) = enter(Company::Any) else { return };
    let start = |arguments: Vec<String>| {
        let mut command = Command::new("sh");
        command.args(["-c", "read line", "sh"]).args(arguments).stdin(Stdio::piped()).spawn().unwrap()
    };
    let long = (0..12_u8).map(|n| (0..10_000_u32).map(|i| char::from(b'a' + n + (i % 7) as u8)).collect());
    // The shell may not have replaced its starter yet.
    let is_shell = |child: &Child| {
        let area = std::fs::read(format!("/proc/{}/cmdline", child.id())).ok()?;
        area.starts_with(b"sh\0").then_some(area)
    };
    let mut children = [start(long.collect()), start(vec!["short".to_owned()])];
    let areas = children.each_ref().map(|child| wait_until("a shell", || is_shell(child)));
    assert!(areas[0].len() > 100_000);
    let mut capture = Capture::start(&[]);
    let output = Command::new(PROGRAM).args(["snapshot", "--format", "json"]).output().unwrap();
    let snapshot: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for (child, area) in children.iter().zip(areas) {
        let truth: Vec<Vec<u8>> = area[..area.len() - 1].split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
        let is_told = |event: &&serde_json::Value| event["pid"] == child.id() && event["argv"].is_array();
        let found = capture.wait_for("its arguments", |stream| stream.of("process").find(is_told).cloned());
        assert_argv(&found, &truth);
        assert_argv(snapshot["processes"].as_array().unwrap().iter().find(is_told).unwrap(), &truth);
    }
    let text = Command::new(PROGRAM).arg("snapshot").output().unwrap().stdout;
    let text = String::from_utf8_lossy(&text).into_owned();
    let line = |child: &Child| {
        let pid = child.id().to_string();
        text.lines().find(|line| line.split_ascii_whitespace().any(|word| word == pid)).unwrap()
    };
    assert_eq!(children.each_ref().map(|child| line(child).ends_with(" …")), [true, false], "the mark");
    for child in &mut children {
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}

/// What a stream knows to live below a process. Orphans count by who forked them.
fn living_below(stream: &Stream, root: Ticked) -> Option<BTreeSet<Ticked>> {
    let family: BTreeSet<Key> = stream.below(stream.key_of(root)?).into_iter().collect();
    Some(stream.living().intersection(&family).copied().map(ticked).collect())
}
