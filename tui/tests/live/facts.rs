//! The page of lies: each fact that a column shows, of processes with exact properties, against the kernel's own word for it.
//! While they live, of those that were seen to start, of the same ones found, and in a snapshot; and after their ends. What was
//! seen and what was found has to agree as well.
//!
//! [`LIVING`] and [`ENDED`] are the page. A column that stands in neither is compared in another test, which [`ELSEWHERE`]
//! names: one that is nowhere fails a test here.

mod fold;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ptree_tui::column::COLUMNS;
use serde_json::{Map, Value, json};

use self::fold::Fold;
pub(crate) use self::source::DIVIDED_NS;
use self::source::{Ended, Living, TICK_NS};
use crate::capture::{Capture, Stream, key, number, program, ticked, wait_until};
use crate::cgroups::Hierarchy;
use crate::proc::Ticked;
use crate::workload::{Log, Workload, process};
use crate::{Company, emulated, enter, proc};

/// A line of the page: how lines and the JSON call it, what it is compared with, and how nearly that has to be the same.
struct Fact<From> {
    /// The column; none for what lines alone tell.
    column: &'static str,
    field: &'static str,
    /// `None` where the source says nothing of it.
    source: fn(&From) -> Option<Value>,
    agrees: Agrees,
    told: Told,
}

/// How nearly. All but the first have a reason in the source.
enum Agrees {
    Exactly,
    /// In the source it is rounded down to ticks.
    InTicks,
    /// It is one of these.
    OneOf,
    /// Both ends belong to it: the source tells a little earlier, or later.
    Between,
    /// So far off at most.
    Nearly(u64),
    /// Off by what the kernel counts of memory in other places first: see [`source::uncounted_bytes`].
    Counted,
}

/// Who can know.
#[derive(Clone, Copy, PartialEq)]
enum Told {
    ByAll,
    /// Whoever has come later may not know, and says nothing then.
    ByWhoSaw,
}

use Agrees::{Between, Counted, Exactly, InTicks, Nearly, OneOf};
use Told::{ByAll, ByWhoSaw};

const fn fact<From>(
    column: &'static str,
    field: &'static str,
    source: fn(&From) -> Option<Value>,
    agrees: Agrees,
    told: Told,
) -> Fact<From> {
    Fact { column, field, source, agrees, told }
}

/// The kernel divides CPU time in two by what it finds at ticks, which on a busy machine is off by some of them, and neither part
/// is told as less than it was before: so what it says depends on when somebody asked earlier, and so does what is said here. What
/// is compared has spent forty ticks in either way. The sum is exact.
const DIVIDED: Agrees = Nearly(DIVIDED_NS);

/// Of those who live.
const LIVING: &[Fact<Living>] = &[
    fact("pid", "pid", |p| p.stat(1), Exactly, ByAll),
    fact("ppid", "ppid", |p| p.stat(4), Exactly, ByAll),
    fact("user", "uid", |p| p.id("Uid:", 1), Exactly, ByAll),
    fact("", "ruid", |p| p.id("Uid:", 0), Exactly, ByAll),
    fact("gid", "gid", |p| p.id("Gid:", 1), Exactly, ByAll),
    fact("", "rgid", |p| p.id("Gid:", 0), Exactly, ByAll),
    fact("start", "start_ns", |p| p.stat(22), InTicks, ByAll),
    fact("time", "cpu_ns", Living::cpu_ns, Exactly, ByAll),
    fact("user-time", "user_ns", |p| p.ticks(14), DIVIDED, ByAll),
    fact("system-time", "system_ns", |p| p.ticks(15), DIVIDED, ByAll),
    fact("run-delay", "run_delay_ns", Living::run_delay_ns, Exactly, ByWhoSaw),
    fact("rss", "rss_bytes", |p| p.kib("VmRSS:"), Counted, ByAll),
    fact("state", "state", |p| p.state(), Exactly, ByAll),
    fact("threads", "threads", |p| p.id("Threads:", 0), Exactly, ByAll),
    fact("threads-begun", "threads_begun", Living::threads_begun, Exactly, ByWhoSaw),
    fact("read", "read_bytes", |p| p.io("read_bytes:"), Exactly, ByWhoSaw),
    fact("written", "write_bytes", |p| p.io("write_bytes:"), Exactly, ByWhoSaw),
    fact("sid", "sid", |p| p.stat(6), Exactly, ByAll),
    fact("pgid", "pgid", |p| p.stat(5), Exactly, ByAll),
    fact("tty", "tty", Living::terminal, Exactly, ByAll),
    fact("nice", "nice", |p| p.stat(19), Exactly, ByAll),
    fact("login", "login_uid", |p| p.number("loginuid"), Exactly, ByAll),
    fact("audit-session", "audit_session", |p| p.number("sessionid"), Exactly, ByAll),
    fact("cgroup", "cgroup", Living::cgroups, OneOf, ByAll),
    fact("unit", "unit", Living::unit, Exactly, ByAll),
    fact("", "cgroup_id", Living::cgroup_id, Exactly, ByAll),
    fact("", "pid_ns", |p| p.pid_ns(), Exactly, ByAll),
    fact("", "ns_pid", |p| p.last_id("NSpid:"), Exactly, ByAll),
    fact("", "comm", |p| p.comm(), Exactly, ByAll),
    fact("", "argv", |p| p.argv(), Exactly, ByAll),
    fact("", "exe", |p| p.exe(), Exactly, ByAll),
    fact("", "exe_deleted", |p| p.is_deleted(), Exactly, ByAll),
];

/// Of those who have ended. Between what is read before an end and what is read after it, a process writes its line of the log and
/// runs to its end, part of which comes after our look: so a figure is between the two.
const ENDED: &[Fact<Ended>] = &[
    fact("state", "code", |e| e.told("code"), Exactly, ByAll),
    fact("state", "signal", |e| e.signal(), Exactly, ByAll),
    fact("", "core", |e| e.core(), Exactly, ByAll),
    fact("killer", "killer", |e| e.killer(), Exactly, ByAll),
    fact("ppid", "ppid", |e| e.told("ppid"), Exactly, ByAll),
    fact("end", "ts_ns", |e| e.end_ns(), Between, ByAll),
    fact("lifetime", "lifetime_ns", |e| e.lifetime_ns(), Between, ByAll),
    fact("time", "cpu_ns", |e| e.cpu_ns(), Between, ByAll),
    fact("user-time", "user_ns", |e| e.part_ns("user_ns", 14), Between, ByAll),
    fact("system-time", "system_ns", |e| e.part_ns("system_ns", 15), Between, ByAll),
    fact("run-delay", "run_delay_ns", |e| e.at_least("run_delay_ns"), Between, ByWhoSaw),
    fact("peak", "max_rss_bytes", |e| e.peak(), Between, ByAll),
    fact("threads-begun", "threads_begun", |e| e.noted("begun"), Exactly, ByWhoSaw),
    fact("threads-most", "threads_most", |e| e.noted("most"), Exactly, ByWhoSaw),
    fact("read", "read_bytes", |e| e.bytes("read_bytes"), Between, ByWhoSaw),
    fact("written", "write_bytes", |e| e.bytes("write_bytes"), Between, ByWhoSaw),
    fact("minor-faults", "minor_faults", |e| e.faults("minor", 10), Between, ByAll),
    fact("major-faults", "major_faults", |e| e.faults("major", 12), Between, ByAll),
    fact("execs", "execs", |e| e.execs(), Exactly, ByWhoSaw),
    fact("user", "uid", |e| e.before("uid"), Exactly, ByAll),
    fact("", "ruid", |e| e.before("ruid"), Exactly, ByAll),
    fact("gid", "gid", |e| e.before("gid"), Exactly, ByAll),
    fact("", "rgid", |e| e.before("rgid"), Exactly, ByAll),
    fact("sid", "sid", |e| e.before("sid"), Exactly, ByAll),
    fact("pgid", "pgid", |e| e.before("pgid"), Exactly, ByAll),
    fact("tty", "tty", |e| e.before("tty"), Exactly, ByAll),
    fact("nice", "nice", |e| e.before("nice"), Exactly, ByAll),
    fact("login", "login_uid", |e| e.before("login_uid"), Exactly, ByAll),
    fact("audit-session", "audit_session", |e| e.before("audit_session"), Exactly, ByAll),
    fact("unit", "unit", |e| e.before("unit"), Exactly, ByAll),
    fact("cgroup", "cgroup", |e| e.before("cgroup"), OneOf, ByAll),
    fact("", "cgroup_id", |e| e.before("cgroup_id"), Exactly, ByAll),
    fact("", "pid_ns", |e| e.before("pid_ns"), Exactly, ByAll),
    fact("", "ns_pid", |e| e.before("ns_pid"), Exactly, ByAll),
    fact("", "comm", |e| e.before("comm"), Exactly, ByAll),
    fact("", "argv", |e| e.before("argv"), Exactly, ByAll),
    fact("", "exe", |e| e.before("exe"), Exactly, ByAll),
    fact("", "exe_deleted", |e| e.before("exe_deleted"), Exactly, ByAll),
];

/// What is compared by others: columns, the file and the test therein. Sums and places in the tree are those of the tree as the
/// events make it, which a second model of the engine judges.
const ELSEWHERE: &[(&[&str], &str, &str)] = &[
    (&["cpu"], include_str!("snapshot.rs"), "a_share_of_cpu_is_measured_and_on_what_basis_is_told"),
    (&["read-rate", "write-rate"], include_str!("facts.rs"), "rates_are_those_of_the_bytes_that_proc_counts"),
    (&["spawned"], include_str!("facts.rs"), "what_is_told_of_a_process_is_what_the_kernel_says"),
    (&["container"], include_str!("cgroups.rs"), "units_and_containers_are_known_in_every_hierarchy"),
    (&["depth"], include_str!("snapshot.rs"), "as_json"),
    (
        &["children"],
        include_str!("../../core/src/engine/oracle.rs"),
        "i1_i2_i3_i5_i6_i7_i8_the_engine_agrees_with_the_oracle_on_any_events",
    ),
    (
        &[
            "tree-alive",
            "tree-failed",
            "tree-spawned",
            "tree-cpu",
            "tree-time",
            "tree-rss",
            "tree-read",
            "tree-written",
        ],
        include_str!("../../core/src/engine/tests.rs"),
        "assert_sums",
    ),
];

#[test]
fn every_column_is_compared_with_a_source_of_its_own() {
    let mut compared: BTreeSet<&str> = LIVING.iter().map(|fact| fact.column).collect();
    compared.extend(ENDED.iter().map(|fact| fact.column));
    compared.remove("");
    for (columns, file, test) in ELSEWHERE {
        assert!(file.contains(&format!("fn {test}(")), "there is no test '{test}' any more, for {columns:?}");
        compared.extend(*columns);
    }
    let all: BTreeSet<&str> = COLUMNS.iter().map(|spec| spec.name).collect();
    assert_eq!(all.difference(&compared).collect::<Vec<_>>(), [&""; 0], "nobody compares these with anything");
    assert_eq!(compared.difference(&all).collect::<Vec<_>>(), [&""; 0], "there are no such columns");
}

/// What is said of somebody by one who says it.
struct Said<'a> {
    by: &'a str,
    of: &'a str,
    object: &'a Map<String, Value>,
    /// Something that this kernel does not give may be missing.
    degraded: bool,
    may_miss: &'a [Told],
}

/// What is wrong with it.
fn lies<From>(facts: &[Fact<From>], from: &From, said: &Said<'_>) -> Vec<String> {
    let mut lies = Vec::new();
    for fact in facts {
        let Some(truth) = (fact.source)(from) else { continue };
        let wrong = match said.object.get(fact.field) {
            Some(value) => !fact.agrees.holds(value, &truth),
            None => truth != Value::Null && !said.degraded && !said.may_miss.contains(&fact.told),
        };
        if wrong {
            let value = said.object.get(fact.field).unwrap_or(&Value::Null);
            lies.push(format!("{} of {}: {} is {value}, but {truth}", said.by, said.of, fact.field));
        }
    }
    if let [Some(whole), Some(user), Some(system)] =
        ["cpu_ns", "user_ns", "system_ns"].map(|name| said.object.get(name).and_then(Value::as_u64))
        && whole != user + system
    {
        lies.push(format!("{} of {}: {user} and {system} ns are not {whole}", said.by, said.of));
    }
    lies
}

impl Agrees {
    /// What the source does not have is nothing.
    fn holds(&self, value: &Value, truth: &Value) -> bool {
        let number = |value: &Value| value.as_u64();
        match self {
            Exactly => value == truth,
            InTicks => number(value).map(|ns| ns / TICK_NS) == number(truth),
            OneOf => truth.as_array().is_some_and(|all| all.contains(value)),
            Between => number(value) >= number(&truth[0]) && (truth[1].is_null() || number(value) <= number(&truth[1])),
            // Of an emulated machine, ticks come late.
            Nearly(most) if emulated() => Self::is_near(value, truth, 4 * most),
            Nearly(most) => Self::is_near(value, truth, *most),
            Counted => Self::is_near(value, truth, source::uncounted_bytes()),
        }
    }

    fn is_near(value: &Value, truth: &Value, most: u64) -> bool {
        value.as_u64().zip(truth.as_u64()).is_some_and(|(value, truth)| value.abs_diff(truth) <= most)
    }
}

/// Looks until nothing is wrong any more: some of it is told by looks in turn.
fn wait_for_no_lies(mut look: impl FnMut() -> Vec<String>) {
    let (begun, patience) = (Instant::now(), Duration::from_secs(if emulated() { 60 } else { 20 }));
    loop {
        let lies = look();
        if lies.is_empty() {
            return;
        }
        assert!(begun.elapsed() < patience, "{lies:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Those of the workload who are there, zombies apart, with nothing that changes any more.
fn settled(log: &Log, unified: &Hierarchy) -> BTreeMap<Ticked, Living> {
    let noted: BTreeMap<u64, &Value> = log.of("facts").map(|line| (number(line, "pid"), line)).collect();
    let root = log.root().0;
    let family = wait_until("all of it to sleep", || {
        let family = proc::living_below(root);
        family.iter().all(|&(pid, _)| source::sleeps(pid)).then_some(family)
    });
    let living = |process: Ticked| (process, Living::new(process.0, noted.get(&process.0).copied(), unified.folder()));
    family.into_iter().map(living).collect()
}

fn is_degraded(stream: &Stream) -> bool {
    let header = stream.of("header").next().unwrap();
    if let Some(missing) = header.get("degraded") {
        eprintln!("SKIPPED (this kernel does not give it): {missing}");
    }
    header.get("degraded").is_some()
}

#[test]
fn what_is_told_of_a_process_is_what_the_kernel_says() {
    let Some(_lock) = enter(Company::Any) else { return };
    const OPTIONS: &[&str] = &["--usage", "--interval", "100ms"];
    let mut seen = Capture::start(OPTIONS);
    let workload = Workload::settled(&["facts"]);
    workload.wait_for("facts", 1);
    workload.wait_for("parent", 1);
    let log = workload.log();
    for line in log.of("skipped") {
        eprintln!("SKIPPED: {}", line["what"]);
    }
    let exact = number(log.one("facts"), "pid");
    let mut unified = Hierarchy::mounted(None).unwrap();
    unified.put(exact, &format!("/ptree-{0}.slice/facts-{0}.service", std::process::id()));
    let living = settled(&log, &unified);
    assert!(living.len() >= 7, "{:?}", living.keys());
    let mut found = Capture::start(OPTIONS);
    let degraded = is_degraded(seen.so_far());

    // While they live.
    let before: BTreeMap<Ticked, Map<String, Value>> = living
        .iter()
        .map(|(&key, process)| {
            let facts = LIVING.iter().filter_map(|fact| Some((fact.field.to_owned(), (fact.source)(process)?)));
            let peak = process.kib("VmHWM:").map(|peak| ("peak".to_owned(), peak));
            let faults =
                [("minor", 10), ("major", 12)].map(|(name, field)| (name.to_owned(), process.stat(field).unwrap()));
            (key, facts.chain(peak).chain(faults).collect())
        })
        .collect();
    for (by, capture, may_miss) in [("seen", &mut seen, &[][..]), ("found", &mut found, &[ByWhoSaw][..])] {
        let (after_ns, mut fold) = (source::boottime_ns(), Fold::default());
        wait_for_no_lies(|| {
            fold.follow(capture.so_far());
            let lies = living.iter().map(|(&key, process)| {
                let of = process.name();
                let Some(object) = fold.process(key) else { return vec![format!("{by}: {of} is not there")] };
                if object.get("measured_ns").and_then(Value::as_u64).is_none_or(|measured_ns| measured_ns < after_ns) {
                    return vec![format!("{by}: no pass has measured {of} since")];
                }
                lies(LIVING, process, &Said { by, of, object, degraded, may_miss })
            });
            lies.flatten().collect()
        });
    }
    let output = program().args(["snapshot", "--format", "json"]).output().unwrap();
    let snapshot: Value = serde_json::from_slice(&output.stdout).unwrap();
    let listed = |pid: u64| {
        let all = snapshot["processes"].as_array().unwrap();
        let entry = all.iter().find(|entry| entry["pid"] == pid).unwrap_or_else(|| panic!("{pid} is not listed"));
        fold::completed(entry.as_object().unwrap())
    };
    let in_snapshot = living.iter().flat_map(|(&(pid, _), process)| {
        let may_miss = &[ByWhoSaw];
        lies(LIVING, process, &Said { by: "snapshot", of: process.name(), object: &listed(pid), degraded, may_miss })
    });
    assert_eq!(in_snapshot.collect::<Vec<_>>(), [""; 0]);
    assert_same(living.keys(), &Fold::of(seen.so_far()), &Fold::of(found.so_far()), &["ts_ns"]);

    // After their ends.
    let ended_after_ns = source::boottime_ns();
    let log = workload.end();
    let ended_before_ns = source::boottime_ns();
    let zombie = log.process(number(log.one("facts"), "zombie"));
    for capture in [&mut seen, &mut found] {
        // A pass has to find that it is there no more.
        capture.wait_for("its being waited for", |stream| {
            stream.of("reaped").find(|line| ticked(key(line)) == zombie).map(drop)
        });
    }
    let (seen, found) = (seen.finish(), found.finish());
    let mut wrong = Vec::new();
    for (by, stream, may_miss) in [("seen", &seen, &[][..]), ("found", &found, &[ByWhoSaw][..])] {
        let fold = Fold::of(stream);
        for (key, before) in &before {
            let line = log.of("exit").find(|line| process(line) == *key).unwrap();
            let ended = Ended::new(line, before, &log, [ended_after_ns, ended_before_ns]);
            let of = living[key].name();
            let Some(object) = fold.exit(*key) else {
                wrong.push(format!("{by}: no end of {of}"));
                continue;
            };
            wrong.extend(lies(ENDED, &ended, &Said { by, of, object: &object, degraded, may_miss }));
        }
    }
    assert_eq!(wrong, [""; 0]);
    // Each has looked for itself, one after the other.
    let apart = ["ts_ns", "lifetime_ns", "cpu_ns", "user_ns", "system_ns", "run_delay_ns"];
    let [of_seen, of_found] = [&seen, &found].map(Fold::of);
    for &key in before.keys() {
        let (seen, found) = (of_seen.exit(key).unwrap(), of_found.exit(key).unwrap());
        assert_eq!(differences(&seen, &found, &apart), [""; 0], "the end of {key:?}");
    }
    assert_spawned(&seen, &log);
    assert_zombie(&seen, &found, &log);
}

/// Whatever both say of somebody is the same.
fn assert_same<'a>(processes: impl Iterator<Item = &'a Ticked>, seen: &Fold, found: &Fold, but: &[&str]) {
    // The pass of the one is not that of the other, and the parts of CPU time are told by what was told before.
    let but = [but, &["measured_ns", "user_ns", "system_ns"]].concat();
    for &process in processes {
        let (seen, found) = (seen.process(process).unwrap(), found.process(process).unwrap());
        assert_eq!(differences(seen, found, &but), [""; 0], "{process:?}");
    }
}

fn differences(seen: &Map<String, Value>, found: &Map<String, Value>, but: &[&str]) -> Vec<String> {
    let both = seen.iter().filter_map(|(name, seen)| Some((name, seen, found.get(name)?)));
    let differ = both.filter(|(name, seen, found)| !but.contains(&name.as_str()) && seen != found);
    differ.map(|(name, seen, found)| format!("{name}: seen {seen}, found {found}")).collect()
}

/// Who was seen to fork so many has forked so many.
fn assert_spawned(stream: &Stream, log: &Log) {
    let family = stream.below(stream.key_of(log.root()).unwrap());
    for &parent in &family {
        let told = stream.about("fork", &family).filter(|fork| crate::capture::parent(fork) == parent).count();
        let forked = log.of("fork").filter(|line| number(line, "ppid") == parent.0).count();
        assert_eq!(told, forked, "children of {parent:?}");
    }
}

/// One that had ended and was not asked for: its end is told by the one, and that it had come by the other.
fn assert_zombie(seen: &Stream, found: &Stream, log: &Log) {
    let zombie = log.process(number(log.one("facts"), "zombie"));
    let of = |stream: &Stream, kind: &str| -> Value {
        let mut lines = stream.of(kind).filter(|line| ticked(key(line)) == zombie);
        lines.next().unwrap_or_else(|| panic!("no '{kind}' of {zombie:?}")).clone()
    };
    let (end, there) = (of(seen, "exit"), of(found, "process"));
    let line = log.of("exit").find(|line| process(line) == zombie).unwrap();
    assert_eq!((&end["code"], &there["code"], &there["zombie"]), (&line["code"], &line["code"], &json!(true)));
    assert_eq!(end["ppid"], line["ppid"], "{end}");
    // What its end took was counted when it was found, and not yet when it was seen: what comes then is estimated.
    let cpu_ns = |object: &Value| number(object, "cpu_ns");
    assert!(cpu_ns(&end) <= cpu_ns(&there) + TICK_NS, "{end}, but {there}");
    let untold = ["ts_ns", "cpu_ns", "user_ns", "system_ns", "run_delay_ns", "type"];
    let [end, there] = [end, there].map(|line| fold::completed(line.as_object().unwrap()));
    assert_eq!(differences(&end, &there, &untold), [""; 0]);
}

/// Of one that writes without end: what a rate comes to over the time that it is measured is not more than was written while
/// the program ran, and not nothing.
#[test]
fn rates_are_those_of_the_bytes_that_proc_counts() {
    let Some(_lock) = enter(Company::Any) else { return };
    let workload = Workload::settled(&["writer"]);
    let log = workload.log();
    let writer = number(log.of("fork").next().unwrap(), "pid");
    let written = || Living::new(writer, None, std::path::Path::new("/")).io("write_bytes:").unwrap();
    let before = written();
    let moves = wait_until("the writer", || {
        let line = log_of(&workload, "skipped");
        (written() != before || line).then_some(written() != before)
    });
    if !moves {
        eprintln!("SKIPPED (nothing here is on storage): rates of bytes written");
        workload.end();
        return;
    }
    let before = written().as_u64().unwrap();
    let filter = format!("write_rate>0 and pid={writer}");
    let output =
        program().args(["snapshot", "--format", "json", "--interval", "500ms", "--filter", &filter]).output().unwrap();
    let written = written().as_u64().unwrap() - before;
    workload.end();
    let snapshot: Value = serde_json::from_slice(&output.stdout).unwrap();
    let entry = &snapshot["processes"][0];
    if snapshot.get("degraded").is_some() && entry.get("write_bytes").is_none() {
        eprintln!("SKIPPED (this kernel does not give it): {}", snapshot["degraded"]);
        return;
    }
    // Time may be longer than was asked for, and then the rate is less.
    let measured_s = number(&snapshot, "cpu_measured_ns") as f64 / 1e9;
    let rate = entry["write_bytes_per_s"].as_f64().unwrap();
    assert!(rate > 0.0 && rate * measured_s <= written as f64 * 1.001, "{entry}, but {written} in all");
    assert_eq!(entry["read_bytes_per_s"].as_f64(), Some(0.0), "{entry}");
}

fn log_of(workload: &Workload, kind: &str) -> bool {
    workload.log().of(kind).next().is_some()
}
