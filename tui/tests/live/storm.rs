//! Storms at full speed: nothing may be lost where there is room, and where there is none the loss must be told, to
//! the event, and mended.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::capture::{Capture, Key, Stream, arguments, key, number, parent, ticked};
use crate::proc::{self, Ticked};
use crate::workload::{Log, Workload};
use crate::{Company, emulated, enter};

/// A cycle as its worker logged it: pid, serial number, wait status.
type Cycle = (u64, u64, u64);

/// The workers and what each did.
fn workers(log: &Log) -> Vec<(Ticked, Vec<Cycle>)> {
    let cycle = |cycle: &Value| (cycle[0].as_u64().unwrap(), cycle[1].as_u64().unwrap(), cycle[2].as_u64().unwrap());
    let cycles = |line: &Value| line["cycles"].as_array().unwrap().iter().map(cycle).collect();
    log.of("cycles").map(|line| (log.process(number(line, "pid")), cycles(line))).collect()
}

#[test]
fn of_30_000_cycles_every_one_is_seen() {
    let Some(_lock) = enter(Company::None) else { return };
    let capture = Capture::start(&[]);
    let cycles = if emulated() { 1_500 } else { 30_000 };
    let log = Workload::start(&["storm", &cycles.to_string(), "0"]).end();
    let stream = capture.finish();
    stream.assert_complete();
    let workers = workers(&log);
    assert_eq!((workers.len(), workers.iter().map(|(_, cycles)| cycles.len()).sum()), (2, cycles));

    for (worker, cycles) in workers {
        let worker = stream.key_of(worker).expect("the worker is in the stream");
        let of_worker = |kind| stream.of(kind).filter(move |event| parent(event) == worker);
        let forks: HashMap<Key, &Value> = of_worker("fork").map(|fork| (key(fork), fork)).collect();
        let exits: HashMap<Key, &Value> = of_worker("exit").map(|exit| (key(exit), exit)).collect();
        // Counted apart from the maps, which would hide what is told twice.
        assert_eq!((of_worker("fork").count(), forks.len()), (cycles.len(), cycles.len()), "forks");
        assert_eq!((of_worker("exit").count(), exits.len()), (cycles.len(), cycles.len()), "exits");
        // They live for less than a tick, and yet took time that the kernel had not charged when they ended.
        let free = exits.values().filter(|exit| number(exit, "cpu_ns") == 0).count();
        assert!(emulated() || free * 50 < cycles.len(), "{free} of {} took no time", cycles.len());
        let execs = stream.of("exec").filter(|exec| forks.contains_key(&key(exec)));
        let execs: HashMap<Vec<u8>, &Value> = execs.map(|exec| (arguments(exec).swap_remove(1), exec)).collect();
        assert_eq!(execs.len(), cycles.len(), "execs");
        for (pid, serial, status) in cycles {
            assert_eq!(status, (serial % 256) << 8, "the workload itself");
            let exec = execs[serial.to_string().as_bytes()];
            assert_eq!((number(exec, "pid"), &exec["filename"]), (pid, &"./storm-child".into()), "{exec}");
            assert_eq!((&exec["argv"][0], exec["argv"].as_array().unwrap().len()), (&"storm-child".into(), 2));
            let exit = exits[&key(exec)];
            assert_eq!(number(exit, "code"), serial % 256, "{exit}");
            let times = [forks[&key(exec)], exec, exit].map(|event| number(event, "ts_ns"));
            assert!(times.is_sorted(), "{exec}, {exit}");
        }
    }
}

#[test]
fn what_a_tiny_buffer_loses_is_counted_and_mended() {
    let Some(_lock) = enter(Company::None) else { return };
    let cycles: usize = if emulated() { 1_500 } else { 20_000 };
    let stay_every = cycles / 20;
    let (clones_before, living_before) = (proc::clones_ever(), proc::living().len() as u64);
    let mut capture = Capture::start(&["--ring-buffer", "4KiB"]);
    // An emulated machine can be too slow to outrun the reader, however little the buffer holds.
    if emulated() {
        capture.pause();
    }
    let workload = Workload::start(&["storm", &cycles.to_string(), &stay_every.to_string()]);
    workload.wait_for("settled", 2);
    capture.resume();
    let stayers = cycles / stay_every;
    let living = proc::living_below(workload.log().root().0);
    assert_eq!(living.len(), 3 + stayers);
    capture.wait_for("a loss", |stream| stream.of("lost").next().map(drop));
    assert_agrees_with_proc(&mut capture);
    let known: BTreeSet<Ticked> = capture.so_far().living().into_iter().map(ticked).collect();
    assert!(living.is_subset(&known), "alive, but not known: {:?}", living.difference(&known));

    let log = workload.end();
    assert_agrees_with_proc(&mut capture);
    let stream = capture.finish();
    let clones = proc::clones_ever() - clones_before;
    let known: HashSet<Ticked> = stream.living().into_iter().map(ticked).collect();
    let gone: Vec<_> = log.of("fork").map(crate::workload::process).filter(|process| known.contains(process)).collect();
    assert!(gone.is_empty(), "dead, but known to be alive: {gone:?}");

    let lost = |kind| stream.of("lost").map(|line| number(line, kind)).sum::<u64>();
    let (lost_forks, lost_execs, lost_exits) = (lost("fork"), lost("exec"), lost("exit"));
    assert_eq!(lost("count"), lost_forks + lost_execs + lost_exits);
    assert!(lost("count") > 0);

    // What was missed of the workers' children was counted, and all that was counted and was not theirs can have
    // been somebody else's, by what the kernel counted.
    let workers: HashSet<Ticked> = workers(&log).into_iter().map(|(worker, _)| worker).collect();
    let of_workers = |event: &&Value| workers.contains(&ticked(parent(event)));
    let happened = (cycles + stayers) as u64;
    let seen = |kind| stream.of(kind).filter(|event| event.get("inferred").is_none()).filter(of_workers).count() as u64;
    let execs = stream.of("exec").filter(|exec| exec["filename"] == "./storm-child").count() as u64;
    let missed_forks = happened - seen("fork");
    let missed_execs = cycles as u64 - execs;
    let missed_exits = happened - seen("exit");
    let others = clones - happened;
    for (kind, missed, lost, others) in [
        ("fork", missed_forks, lost_forks, others),
        ("exec", missed_execs, lost_execs, 2 * others + 10),
        ("exit", missed_exits, lost_exits, others + living_before),
    ] {
        assert!(missed <= lost, "{kind}: {missed} missed, but {lost} counted as lost");
        assert!(lost <= missed + others, "{kind}: {lost} counted as lost, but {missed} missed, and {others} of others");
    }
    assert!(stream.of("fork").count() as u64 + lost_forks <= clones, "more forks than the kernel counted");
}

/// Waits until the processes that the stream leaves alive are those of /proc. The machine does not stand still and the
/// stream is a little behind it, so what counts is that no difference lasts.
fn assert_agrees_with_proc(capture: &mut Capture) {
    let mut lasting: Option<BTreeSet<Ticked>> = None;
    capture.wait_for("the tree agrees with /proc", |stream| {
        let differences = differences(stream);
        let still = lasting.take().map_or(differences.clone(), |before| &before & &differences);
        let agrees = still.is_empty();
        lasting = Some(still);
        agrees.then_some(())
    });
}

/// Processes that only one of the stream and /proc holds for alive; threads of the kernel left out.
fn differences(stream: &Stream) -> BTreeSet<Ticked> {
    let kernel: HashSet<u64> = proc::all().into_iter().filter(|(_, stat)| stat.kernel).map(|(pid, _)| pid).collect();
    let known = stream.living().into_iter().map(ticked).filter(|(pid, _)| !kernel.contains(pid)).collect();
    &proc::living() ^ &known
}

/// An exec that the buffer cannot hold at all: its process is known to run something else by what repair reads.
#[test]
fn a_lost_exec_is_made_up_for_by_what_proc_says() {
    let Some(_lock) = enter(Company::None) else { return };
    let mut capture = Capture::start(&["--ring-buffer", "4KiB"]);
    let script = format!("read line # {}", "x".repeat(6_000));
    let mut child = Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    let line = capture.wait_for("the program that runs now", |stream| {
        stream.of("process").find(|process| process["pid"] == pid && process["argv"][2] == script.as_str()).cloned()
    });
    assert_eq!(line["repaired"], true, "{line}");
    drop(child.stdin.take());
    child.wait().unwrap();
    let stream = capture.finish();
    assert!(stream.of("lost").map(|line| number(line, "exec")).sum::<u64>() > 0);
}
