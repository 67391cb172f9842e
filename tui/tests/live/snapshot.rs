//! `snapshot` of a tree that is known and keeps still.

use std::collections::HashMap;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::account::{assert_argv, logged_arguments};
use crate::capture::{Capture, number, program, unescape, wait_until};
use crate::workload::{Log, Workload, process};
use crate::{Company, emulated, enter};

fn snapshot(format: &str) -> String {
    let output = program().args(["snapshot", "--format", format]).output().unwrap();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8, whatever the processes are called")
}

/// Pids of the tree: root, branch, leaf, threads, zombie.
fn tree(log: &Log) -> [u64; 5] {
    let tree = log.one("tree");
    [log.root().0, number(tree, "branch"), number(tree, "leaf"), number(tree, "threads"), number(tree, "zombie")]
}

#[test]
fn as_json() {
    let Some(_lock) = enter(Company::Any) else { return };
    let workload = Workload::settled(&["tree"]);
    let log = workload.log();
    let snapshot: Value = serde_json::from_str(&snapshot("json")).unwrap();
    assert_eq!(number(&snapshot, "schema"), 2);
    assert!(snapshot["boottime_ns"].is_u64() && snapshot["unix_ns"].is_u64() && snapshot["host"].is_string());
    let processes = snapshot["processes"].as_array().unwrap();
    let by_pid: HashMap<u64, &Value> = processes.iter().map(|p| (number(p, "pid"), p)).collect();
    assert_eq!(by_pid.len(), processes.len(), "a process twice");

    // Depth first: whoever has a depth has its parent as the nearest before it that is less deep.
    let mut path: Vec<&Value> = Vec::new();
    for process in processes {
        let depth = usize::try_from(number(process, "depth")).unwrap();
        assert!(depth <= path.len(), "{process}");
        path.truncate(depth);
        if let Some(parent) = path.last() {
            assert_eq!((&process["ppid"], &process["parent_start_ns"]), (&parent["pid"], &parent["start_ns"]));
        } else {
            assert!(!by_pid.contains_key(&number(process, "ppid")), "a root whose parent is there: {process}");
        }
        path.push(process);
    }

    let [root, branch, leaf, threads, zombie] = tree(&log);
    for line in log.of("fork") {
        let (pid, start_ticks) = process(line);
        let entry = by_pid[&pid];
        assert_eq!(number(entry, "start_ns") / crate::proc::TICK_NS, start_ticks, "{entry}");
        assert_eq!(entry["ppid"], line["ppid"], "{entry}");
        assert_eq!(entry["zombie"] == true, pid == zombie, "{entry}");
        // The clock of an emulated machine may stand still for a short life.
        assert!(emulated() || number(entry, "cpu_ns") > 0, "{entry}");
        if pid == zombie {
            assert_eq!((&entry["state"], number(entry, "code")), (&"Z".into(), 83), "{entry}");
        } else {
            assert_eq!(entry["state"], "S", "{entry}");
            assert!(number(entry, "rss_bytes") > 0, "{entry}");
        }
    }
    assert_eq!(number(by_pid[&root], "ppid"), u64::from(std::process::id()));
    assert_eq!(unescape(&by_pid[&branch]["comm"]), b"branch");
    assert_eq!(number(by_pid[&threads], "threads"), 3);
    assert_argv(by_pid[&leaf], &logged_arguments(log.of("exec").next().unwrap()));
    workload.end();
}

/// What a recording shows at its end is what /proc showed then.
#[test]
fn of_a_recording_as_of_the_machine() {
    let Some(_lock) = enter(Company::Any) else { return };
    let mut capture = Capture::start(&["--usage"]);
    let workload = Workload::settled(&["tree"]);
    let pids = tree(&workload.log());
    // All of them have been looked at since they came to rest.
    for pid in pids {
        capture.wait_for("its state", |stream| {
            let asleep = || stream.of("usage").any(|usage| usage["pid"] == pid && usage["state"] == "S");
            (stream.of("zombie").any(|zombie| zombie["pid"] == pid) || asleep()).then_some(())
        });
    }
    let live: Value = serde_json::from_str(&snapshot("json")).unwrap();
    let mut recording = tempfile::NamedTempFile::new().unwrap();
    for event in &capture.finish().events {
        writeln!(recording, "{event}").unwrap();
    }
    let output = program()
        .args(["snapshot", "--format", "json", "--from", recording.path().to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let recorded: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |snapshot: &Value, pid: u64| {
        snapshot["processes"].as_array().unwrap().iter().find(|process| process["pid"] == pid).unwrap().clone()
    };
    for pid in pids {
        let (live, recorded) = (of(&live, pid), of(&recorded, pid));
        for key in [
            "start_ns", "ppid", "comm", "argv", "exe", "uid", "user", "sid", "pgid", "tty", "state", "threads", "code",
            "zombie",
        ] {
            // Of a zombie, /proc does not know any more what it ran.
            if live["zombie"] != true || live.get(key).is_some() {
                assert_eq!(recorded.get(key), live.get(key), "{key} of {recorded}, but {live}");
            }
        }
    }
    workload.end();
}

#[test]
fn as_text() {
    let Some(_lock) = enter(Company::Any) else { return };
    let workload = Workload::settled(&["tree"]);
    let pids = tree(&workload.log());
    let text = snapshot("text");
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "control characters in the text");
    let lines: Vec<&str> = text.lines().collect();
    let place = |pid: u64| {
        let pid = pid.to_string();
        let holds = |line: &&str| line.split(|c: char| !c.is_ascii_digit()).any(|word| word == pid);
        let command = |line: &&str| ["workload", "branch", "leaf", "threads"].iter().any(|name| line.contains(name));
        lines.iter().position(|line| holds(line) && command(line)).unwrap_or_else(|| panic!("{pid} is not in:\n{text}"))
    };
    let [root, branch, leaf, threads, zombie] = pids.map(place);
    assert!(root < branch && branch + 1 == leaf && leaf < threads && threads < zombie, "{text}");
    assert!(lines[leaf].contains("two words") && lines[leaf].contains(r"\x1b[31m<\xff>"), "{}", lines[leaf]);
    workload.end();
}

#[test]
fn as_dot_that_graphviz_draws() {
    let Some(_lock) = enter(Company::Any) else { return };
    let workload = Workload::settled(&["tree"]);
    let [root, branch, leaf, threads, _] = tree(&workload.log());
    let dot = snapshot("dot");
    workload.end();
    assert!(dot.contains("digraph"), "{dot}");
    let Ok(mut graphviz) = Command::new("dot").args(["-Tplain"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
    else {
        assert!(std::env::var_os("CI").is_none(), "GraphViz is missing, and must not be in CI");
        eprintln!("SKIPPED (needs GraphViz): what it makes of the snapshot");
        return;
    };
    graphviz.stdin.take().unwrap().write_all(dot.as_bytes()).unwrap();
    let output = graphviz.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    // Labels survive, and edges are where they belong.
    let plain = String::from_utf8(output.stdout).unwrap();
    let node = |pid: u64| {
        let (pid, nodes) = (pid.to_string(), plain.lines().filter_map(|line| line.strip_prefix("node ")));
        let named = |line: &&str| {
            let label = line.split_once('"').map_or("", |(_, label)| label);
            label.split(|c: char| !c.is_ascii_digit()).any(|word| word == pid)
        };
        let line = nodes.into_iter().find(named).unwrap_or_else(|| panic!("{pid} is not in:\n{plain}"));
        line.split(' ').next().unwrap().to_owned()
    };
    let edges: Vec<(&str, &str)> = plain
        .lines()
        .filter_map(|line| line.strip_prefix("edge "))
        .filter_map(|line| line.split_once(' ').map(|(from, rest)| (from, rest.split(' ').next().unwrap())))
        .collect();
    for (parent, child) in [(root, branch), (branch, leaf), (root, threads)] {
        let edge = (node(parent), node(child));
        assert!(edges.contains(&(edge.0.as_str(), edge.1.as_str())), "no edge {edge:?} in:\n{plain}");
    }
}

/// They are what their threads are, whoever tells of them: the leaders are zombies, and have no memory any more.
#[test]
fn processes_without_their_leader_are_what_their_threads_are() {
    let Some(_lock) = enter(Company::Any) else { return };
    let workload = Workload::settled(&["leader-gone"]);
    let log = workload.log();
    let children: Vec<u64> = log.of("fork").map(|line| number(line, "pid")).collect();
    assert_eq!(children.len(), 2);
    // Its threads may be on their way still.
    let sleeps = |pid: u64| {
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
        let stats = threads.map(|thread| std::fs::read_to_string(thread.path().join("stat")).unwrap());
        stats.filter(|stat| stat.contains(") S ")).count() == 2
    };
    wait_until("threads that sleep", || children.iter().all(|&pid| sleeps(pid)).then_some(()));
    for missing in ["", "on_task"] {
        for (filter, wants) in [("state=sleeping rss>100KiB", true), ("state=zombie", false)] {
            let mut command = program();
            command.args(["snapshot", "--format", "json", "--filter", filter]);
            if !missing.is_empty() {
                command.args(["--pretend-missing", missing]);
            }
            let output = command.output().unwrap();
            let snapshot: Value = serde_json::from_slice(&output.stdout).unwrap();
            let processes = snapshot["processes"].as_array().unwrap();
            for &pid in &children {
                let entry = processes.iter().find(|process| process["pid"] == pid && process["state"] == "S");
                assert_eq!(entry.is_some(), wants, "'{missing}' '{filter}' {pid}: {entry:?}");
                if let Some(entry) = entry {
                    assert_argv(
                        entry,
                        &[crate::workload::program().as_os_str().as_encoded_bytes().to_vec(), b"leader-gone".to_vec()],
                    );
                    assert!(entry["exe"].is_string(), "{entry}");
                }
            }
        }
    }
    let mut capture = Capture::start(&["--usage", "--filter", "state=sleeping"]);
    capture.wait_for("what they use", |stream| {
        let used =
            |pid: u64| stream.of("usage").any(|usage| usage["pid"] == pid && number(usage, "rss_bytes") > 100_000);
        children.iter().all(|&pid| used(pid)).then_some(())
    });
    capture.finish();
    workload.end();
}

/// What is done to all of the list must not be done to init.
#[test]
fn json_has_none_but_those_that_match() {
    let Some(_lock) = enter(Company::Any) else { return };
    let workload = Workload::settled(&["tree"]);
    let [_, branch, leaf, ..] = tree(&workload.log());
    let snapshot = |filter: &str| -> Vec<(u64, u64)> {
        let output = program().args(["snapshot", "--format", "json", "--filter", filter]).output().unwrap();
        let snapshot: Value = serde_json::from_slice(&output.stdout).unwrap();
        let processes = snapshot["processes"].as_array().unwrap();
        processes.iter().map(|process| (number(process, "pid"), number(process, "depth"))).collect()
    };
    assert_eq!(snapshot(&format!("pid={leaf}")), [(leaf, 0)]);
    assert_eq!(snapshot(&format!("pid={leaf} or pid={branch}")), [(branch, 0), (leaf, 1)]);
    assert_eq!(snapshot("comm=nobody-is-called-so"), []);
    workload.end();
}

/// A share of a CPU is that between two looks: whoever used much before, and nothing now, has none.
#[test]
fn a_share_of_cpu_is_measured_and_on_what_basis_is_told() {
    let Some(_lock) = enter(Company::Any) else { return };
    // Not so slow that nothing can be measured of it meanwhile, on the busiest machine.
    let mut busy = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
    let mut idle = Command::new("sh")
        .args(["-c", "n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done; echo; read line"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Read::read_exact(idle.stdout.as_mut().unwrap(), &mut [0]).unwrap();
    let sleeps = || std::fs::read_to_string(format!("/proc/{}/stat", idle.id())).unwrap().contains(") S ");
    wait_until("it waits", || sleeps().then_some(()));
    let filter = format!("cpu>0% and (pid={} or pid={})", busy.id(), idle.id());
    let output =
        program().args(["snapshot", "--format", "json", "--interval", "500ms", "--filter", &filter]).output().unwrap();
    let snapshot: Value = serde_json::from_slice(&output.stdout).unwrap();
    busy.kill().unwrap();
    busy.wait().unwrap();
    drop(idle.stdin.take());
    idle.wait().unwrap();
    let processes = snapshot["processes"].as_array().unwrap();
    let pids: Vec<_> = processes.iter().map(|process| number(process, "pid")).collect();
    assert_eq!(pids, [u64::from(busy.id())], "{snapshot}");
    assert!(processes[0]["cpu_share"].as_f64() > Some(0.0), "{}", processes[0]);
    assert_eq!(number(&snapshot, "cpu_measured_ns"), 500_000_000);
}
