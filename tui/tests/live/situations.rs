//! One test a situation: what `stream` says of a workload begun after it, against the workload's account.

use nix::time::{ClockId, clock_gettime};
use serde_json::Value;

use crate::account::{assert_agrees, bytes};
use crate::capture::{Capture, Stream, key, number, parent, ticked, unescape};
use crate::workload::{Log, Workload};
use crate::{Company, emulated, enter};

/// Captures a situation from begin to end and compares.
fn observe(situation: &str) -> Option<(Stream, Log)> {
    let _lock = enter(Company::Any)?;
    let capture = Capture::start(&[]);
    let log = Workload::start(&[situation]).end();
    let stream = capture.finish();
    assert_agrees(&stream, &log);
    Some((stream, log))
}

/// The same for one that goes on until told: `meanwhile` looks at what comes before that, and after so many lines of a
/// type in the log.
fn observe_while(
    situation: &str,
    (line, count): (&str, usize),
    meanwhile: impl FnOnce(&mut Capture, &Log),
) -> Option<(Stream, Log)> {
    let _lock = enter(Company::Any)?;
    let mut capture = Capture::start(&[]);
    let workload = Workload::settled(&[situation]);
    workload.wait_for(line, count);
    meanwhile(&mut capture, &workload.log());
    let log = workload.end();
    let stream = capture.finish();
    assert_agrees(&stream, &log);
    Some((stream, log))
}

#[test]
fn exit_codes_of_forks_without_exec() {
    observe("exit-codes");
}

#[test]
fn deaths_by_signal_with_and_without_core() {
    observe("signals");
}

#[test]
fn vfork_posix_spawn_clone3_and_an_exec_that_fails() {
    observe("ways-to-spawn");
}

#[test]
fn clone_parent_makes_a_sibling() {
    observe("clone-parent");
}

#[test]
fn five_execs_in_one_process() {
    observe("exec-chain");
}

#[test]
fn processes_in_a_new_pid_namespace() {
    observe("pid-namespace");
}

#[test]
fn one_pid_used_twice() {
    observe("pid-reuse");
}

#[test]
fn exec_from_a_thread_that_is_not_the_leader() {
    observe("thread-exec");
}

#[test]
fn threads_are_no_processes() {
    observe("threads");
}

#[test]
fn arguments_that_are_hard_to_carry() {
    observe("argv");
}

#[test]
fn a_daemon_is_reparented_to_init() {
    reparented("daemon");
}

#[test]
fn an_orphan_is_reparented_to_a_subreaper() {
    reparented("subreaper");
}

/// The new parent is seen while the orphan lives; who forked it stays.
fn reparented(situation: &str) {
    observe_while(situation, ("parent", 1), |capture, log| {
        let line = log.one("parent");
        let (orphan, ppid) = (log.process(number(line, "pid")), number(line, "ppid"));
        let event = capture.wait_for("the new parent", |stream| {
            stream.of("parent").find(|event| ticked(key(event)) == orphan && number(event, "ppid") == ppid).cloned()
        });
        assert_eq!(Some(ticked(parent(&event)).1), crate::proc::stat(ppid).map(|stat| stat.start_ticks), "{event}");
    });
}

#[test]
fn a_process_outlives_its_leader() {
    let mut told_ns = 0;
    let observed = observe_while("leader-gone", ("settled", 1), |capture, log| {
        // A process born later is in the stream: so would be an exit made of the leaders' ends.
        let later = Workload::start(&["exit-codes"]).end().root();
        capture.wait_for("a later process", |stream| stream.of("exit").find(|e| ticked(key(e)) == later).map(drop));
        let root = log.root();
        let stream = capture.so_far();
        let family = stream.below(stream.key_of(root).unwrap());
        assert_eq!(family.len(), 3);
        assert_eq!(stream.about("exit", &family).next(), None);
        told_ns = boottime_ns();
    });
    let Some((stream, log)) = observed else { return };
    let family = stream.below(stream.key_of(log.root()).unwrap());
    assert!(stream.about("exit", &family).all(|exit| number(exit, "ts_ns") > told_ns));
}

fn boottime_ns() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_BOOTTIME).unwrap();
    u64::try_from(time.tv_sec() * 1_000_000_000 + time.tv_nsec()).unwrap()
}

#[test]
fn credentials_changed_after_the_start() {
    let observed = observe_while("credentials", ("uid", 2), |capture, log| {
        for line in log.of("uid") {
            let process = log.process(number(line, "pid"));
            capture.wait_for("the new user", |stream| {
                let mut changes = stream.of("uid").filter(|event| ticked(key(event)) == process);
                changes.find(|event| (&event["uid"], &event["gid"]) == (&line["uid"], &line["gid"])).map(drop)
            });
        }
    });
    let Some((stream, log)) = observed else { return };
    let family = stream.below(stream.key_of(log.root()).unwrap());
    let lines: Vec<&Value> = log.of("uid").collect();
    assert_eq!(lines.len(), 2);
    for line in lines {
        let pid = number(line, "pid");
        let born = stream.about("fork", &family).find(|fork| fork["pid"] == pid).unwrap();
        let child = stream.about("fork", &family).find(|fork| fork["ppid"] == pid).unwrap();
        let exec = stream.about("exec", &family).find(|exec| exec["pid"] == pid).unwrap();
        assert_eq!((number(born, "uid"), number(born, "gid")), (0, 0));
        // The real user is told only where it is another.
        let real = (line["ruid"] != line["uid"]).then(|| &line["ruid"]);
        for event in [child, exec] {
            assert_eq!((&event["uid"], &event["gid"]), (&line["uid"], &line["gid"]), "{event}");
            assert_eq!((event.get("ruid"), event.get("rgid")), (real, real), "{event}");
        }
    }
}

#[test]
fn a_name_taken_without_exec() {
    observe_while("rename", ("name", 1), |capture, log| {
        let renamed = log.process(number(log.one("name"), "pid"));
        let name = bytes(&log.one("name")["comm"]);
        capture.wait_for("the new name", |stream| {
            stream.of("comm").find(|e| ticked(key(e)) == renamed && unescape(&e["comm"]) == name).map(drop)
        });
    });
}

#[test]
fn what_a_process_cost() {
    let Some((stream, log)) = observe("heavy") else { return };
    let line = log.of("exit").find(|line| line["code"] == 77).unwrap();
    let exit = stream.of("exit").find(|exit| ticked(key(exit)) == crate::workload::process(line)).unwrap();
    let (io, rusage_ns) = (log.one("io"), number(line, "cpu_us") * 1_000);
    // The end itself takes time that the kernel still counts, and we no longer see.
    assert!(rusage_ns >= 240_000_000);
    assert!((rusage_ns / 2..=rusage_ns + 20_000_000).contains(&number(exit, "cpu_ns")), "{exit}, but {line}");
    assert!(number(exit, "max_rss_bytes") >= number(io, "touched_bytes"), "{exit}");
    assert_eq!(number(exit, "max_rss_bytes"), number(line, "max_rss_kib") * 1024);
    assert!(number(exit, "minor_faults") + 64 >= number(line, "minor_faults"), "{exit}, but {line}");
    // Between what it read of itself and its end it wrote but the line that says so.
    for name in ["read_bytes", "write_bytes"] {
        let before = number(io, name);
        assert!((before..=before + 65_536).contains(&number(exit, name)), "{name}: {exit}, but {io}");
    }
}

/// What children have read and written is not what their parents have, and threads that have ended are not forgotten: while a
/// process lives, and after.
#[test]
fn bytes_are_those_of_a_process_itself_and_of_all_its_threads() {
    let Some(_lock) = enter(Company::Any) else { return };
    // It may have gone, with half a page of the log to write: between what it read of itself and its end, each wrote a few
    // lines, and nothing else.
    let agrees = |event: &Value, io: &Value| {
        ["read_bytes", "write_bytes"].into_iter().all(|name| {
            let before = number(io, name);
            event[name].as_u64().is_some_and(|bytes| (before..=before + 65_536).contains(&bytes))
        })
    };
    // Every record counts here, however busy the machine is.
    let mut capture = Capture::start(&["--usage", "--interval", "100ms", "--ring-buffer", "64MiB"]);
    let workload = Workload::settled(&["own-io"]);
    let log = workload.log();
    let processes: Vec<&Value> = log.of("io").collect();
    assert_eq!(processes.len(), 3);
    for io in &processes {
        let (pid, begun) = (&io["pid"], &io["begun"]);
        capture.wait_for("what it has read and written so far", |stream| {
            let mut usage = stream.of("usage").filter(|usage| usage["pid"] == *pid);
            usage.find(|usage| usage["threads_begun"] == *begun && agrees(usage, io)).map(drop)
        });
    }
    let log = workload.end();
    let stream = capture.finish();
    assert_agrees(&stream, &log);
    for io in log.of("io") {
        let exit = stream.of("exit").find(|exit| ticked(key(exit)) == log.process(number(io, "pid"))).unwrap();
        assert!(agrees(exit, io), "{exit}, but {io}");
        assert_eq!((&exit["threads_begun"], &exit["threads_most"]), (&io["begun"], &io["most"]), "{exit}");
    }
}

/// Threads that the kernel has not released when the last one ends are part of the cost.
#[test]
fn threads_that_burn_to_the_end_are_counted() {
    let Some((stream, log)) = observe("ended-in-full-swing") else { return };
    for spent in log.of("cpu") {
        let exit = stream.of("exit").find(|exit| exit["pid"] == spent["pid"]).unwrap();
        assert!(emulated() || number(exit, "cpu_ns") >= number(spent, "cpu_ns"), "{exit}, but {spent}");
    }
    assert_eq!(log.of("cpu").count(), 40);
}

/// The dead stay dead: passes show a process until it has been taken apart, which may last much longer than its exit record
/// takes. Where something is known to be missing, or is told by passes alone, a single one of them counts.
#[test]
fn an_end_that_takes_long_is_told_once() {
    let Some(_lock) = enter(Company::Any) else { return };
    for missing in ["", "on_fork", "on_task", "on_exit"] {
        let mut options = vec!["--usage", "--interval", "100ms"];
        if !missing.is_empty() {
            options.extend(["--pretend-missing", missing]);
        }
        let mut capture = Capture::start(&options);
        let workload = Workload::settled(&["slow-end"]);
        let log = workload.log();
        let (root, slow) = (log.root(), log.process(number(log.one("slow"), "pid")));
        let is_of = |event: &&Value, process| event["pid"].is_u64() && ticked(key(event)) == process;
        let end = capture.wait_for("the end", |stream| stream.of("exit").find(|exit| is_of(exit, slow)).cloned());
        capture.wait_for("more passes", |stream| {
            let later = |usage: &&Value| is_of(usage, root) && number(usage, "ts_ns") > number(&end, "ts_ns");
            (stream.of("usage").filter(later).count() >= 5).then_some(())
        });
        workload.end();
        capture.wait_for("the end of all", |stream| stream.of("exit").find(|exit| is_of(exit, root)).map(drop));
        let stream = capture.finish();
        let told: Vec<&Value> = stream.events.iter().filter(|event| is_of(event, slow)).collect();
        let after: Vec<_> = told.iter().skip_while(|event| event["type"] != "exit").collect();
        assert_eq!(after.len(), 1, "'{missing}': {after:#?}");
        assert_eq!(after[0]["code"], 62, "'{missing}': {}", after[0]);
        assert_eq!(after[0]["inferred"] == true, missing == "on_exit", "'{missing}': {}", after[0]);
    }
}

/// Those of a program that was seen to start, of a worker that was forked from it, and of both when they are found.
#[test]
fn titles_that_processes_set_themselves() {
    const TITLES: [&str; 2] = ["server: ready", "server: worker"];
    let told = |stream: &Stream, kind: &str, log: &Log| {
        let titles = log.of("title").map(|line| log.process(number(line, "pid")));
        let shows = |process, title: &str| {
            stream.of(kind).any(|event| ticked(key(event)) == process && event["argv"] == serde_json::json!([title]))
        };
        titles.zip(TITLES).all(|(process, title)| shows(process, title)).then_some(())
    };
    observe_while("title", ("title", 2), |capture, log| {
        capture.wait_for("the titles", |stream| told(stream, "title", log));
        Capture::start(&[]).wait_for("the titles of processes that are found", |stream| told(stream, "process", log));
    });
}
