//! What passes and records make together, after losses above all.

use ptree_core::ExitStatus;
use ptree_core::event::Cost;

use super::*;
use crate::decode::{Cgroup, Change, Charge, Io};
use crate::places::Places;

const CAPTURE_NS: u64 = 1_000;

fn task(pid: u32, start_ns: u64, parent: ProcKey) -> Task {
    Task { comm: Comm::new(b"test"), ..Task::of(ProcKey::new(pid, start_ns), parent) }
}

fn row(ts_ns: u64, task: Task) -> Row {
    let cpu = Charge { cpu_ns: 5, charged_ns: None };
    Row {
        run_delay_ns: None,
        sampled: None,
        ts_ns,
        task,
        cpu,
        rss_pages: Some(2),
        io: Io::default(),
        threads_begun: None,
        state: 'S',
        ending: None,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as rows have it")]
fn ending(code: u8) -> Option<Ending> {
    Some(Ending { status: ExitStatus::Code(code), over: false })
}

fn over(code: u8) -> Option<Ending> {
    ending(code).map(|ending| Ending { over: true, ..ending })
}

fn fork(ts_ns: u64, task: &Task) -> Record {
    Record::Fork(Forked { ts_ns, task: task.clone(), forker: task.parent })
}

fn exit(ts_ns: u64, task: &Task) -> Record {
    let cost = Some(Cost::default());
    let exit =
        Exited { ts_ns, task: Some(task.clone()), key: task.key, status: ExitStatus::Code(3), cost, killer: None };
    Record::Exit { exit, sampled: None, charged_ns: None }
}

fn exec(ts_ns: u64, task: &Task) -> Record {
    let exec = Execed {
        ts_ns,
        task: task.clone(),
        filename: None,
        exe: None,
        interp: None,
        argv: None,
        argv_truncated: false,
    };
    Record::Exec { exec, exec_id: 0 }
}

/// Runs a pass over these rows at `started_ns`, with records that come in while it runs.
fn pass(tracker: &mut Tracker, started_ns: u64, rows: Vec<Row>, meanwhile: Vec<Record>, loss: bool) -> Vec<String> {
    let mut events = Vec::new();
    tracker.begin_pass();
    for record in meanwhile {
        tracker.record(record, &mut events);
    }
    tracker.finish_pass(rows, started_ns, loss, |_| false, &mut events);
    briefly(&events)
}

fn records(tracker: &mut Tracker, records: Vec<Record>) -> Vec<String> {
    let mut events = Vec::new();
    for record in records {
        tracker.record(record, &mut events);
    }
    briefly(&events)
}

fn briefly(events: &[Event]) -> Vec<String> {
    let name = |event: &Event| match event {
        Event::Process(found) if found.repaired => Some(format!("repaired {}", found.task.key.pid)),
        Event::Process(found) => Some(format!("process {}", found.task.key.pid)),
        Event::Fork(fork) => Some(format!("fork {}", fork.task.key.pid)),
        Event::Exec(exec) => Some(format!("exec {}", exec.task.key.pid)),
        Event::Exit(exit) if exit.cost.is_none() => Some(format!("gone {}", exit.key.pid)),
        Event::Exit(exit) => Some(format!("exit {}", exit.key.pid)),
        Event::Creds { key, creds, .. } => Some(format!("uid {} {}", key.pid, creds.uid)),
        Event::Comm { key, .. } => Some(format!("comm {}", key.pid)),
        Event::Exe { key, exe, .. } => Some(format!("exe {} {}", key.pid, String::from_utf8_lossy(&exe.path))),
        Event::Title { key, argv, .. } => Some(format!("title {} {argv:?}", key.pid)),
        Event::Session { key, session, .. } => Some(format!("session {} {:?}", key.pid, session.sid)),
        Event::Parent { key, parent, .. } => Some(format!("parent {} {}", key.pid, parent.pid)),
        Event::Zombie { key, .. } => Some(format!("zombie {}", key.pid)),
        Event::Reaped { key, .. } => Some(format!("reaped {}", key.pid)),
        Event::Moved { key, cgroup, .. } => Some(format!(
            "move {} {}",
            key.pid,
            cgroup.as_ref().map_or("?".into(), |path| String::from_utf8_lossy(path).into_owned())
        )),
        Event::Cgroup { id, path, .. } => Some(format!("cgroup {id} {}", String::from_utf8_lossy(path))),
        Event::Usage(_) | Event::Lost { .. } => None,
    };
    events.iter().filter_map(name).collect()
}

fn seeded() -> (Tracker, Task) {
    let init = task(1, 10, ProcKey::SWAPPER);
    let mut tracker = Tracker::new(CAPTURE_NS, true, 4096);
    let mut events = Vec::new();
    tracker.seed(vec![row(1_100, init.clone())], &mut events);
    assert_eq!(briefly(&events), ["process 1"]);
    (tracker, init)
}

#[test]
fn a_life_without_loss_passes_through() {
    let (mut tracker, init) = seeded();
    let child = task(5, 2_000, init.key);
    let life = vec![fork(2_001, &child), exec(2_002, &child), exit(2_003, &child)];
    assert_eq!(records(&mut tracker, life), ["fork 5", "exec 5", "exit 5"]);
    assert!(!tracker.is_alive(child.key));
}

#[test]
fn an_end_reported_by_two_threads_is_reported_once() {
    let (mut tracker, init) = seeded();
    let child = task(5, 2_000, init.key);
    let ends = vec![fork(2_001, &child), exit(2_003, &child), exit(2_004, &child)];
    assert_eq!(records(&mut tracker, ends), ["fork 5", "exit 5"]);
}

#[test]
fn what_ended_before_the_first_pass_is_none_of_ours() {
    let (mut tracker, init) = seeded();
    let before = task(5, CAPTURE_NS - 1, init.key);
    assert_eq!(records(&mut tracker, vec![exec(1_050, &before), exit(1_060, &before)]), Vec::<String>::new());
}

#[test]
fn a_lost_fork_is_made_up_for_by_the_exec_or_the_exit() {
    let (mut tracker, init) = seeded();
    let child = task(5, 2_000, init.key);
    assert_eq!(records(&mut tracker, vec![exec(2_002, &child)]), ["repaired 5", "exec 5"]);
    let other = task(6, 2_000, init.key);
    assert_eq!(records(&mut tracker, vec![exit(2_003, &other)]), ["repaired 6", "exit 6"]);
}

#[test]
fn after_a_loss_a_pass_finds_the_living_and_ends_the_dead() {
    let (mut tracker, init) = seeded();
    let dead = task(5, 2_000, init.key);
    let born = task(6, 2_500, init.key);
    records(&mut tracker, vec![fork(2_001, &dead)]);
    let rows = vec![row(3_001, init.clone()), row(3_002, born.clone())];
    assert_eq!(pass(&mut tracker, 3_000, rows, vec![], true), ["repaired 6", "gone 5"]);
    assert!(tracker.is_alive(born.key) && !tracker.is_alive(dead.key));
    // The real end, should it come after all, is passed on.
    assert_eq!(records(&mut tracker, vec![exit(2_900, &dead)]), ["repaired 5", "exit 5"]);
}

#[test]
fn without_a_loss_a_difference_must_last() {
    let (mut tracker, init) = seeded();
    let dead = task(5, 2_000, init.key);
    let born = task(6, 2_500, init.key);
    records(&mut tracker, vec![fork(2_001, &dead)]);
    let rows = || vec![row(3_001, init.clone()), row(3_002, born.clone())];
    assert_eq!(pass(&mut tracker, 3_000, rows(), vec![], false), Vec::<String>::new());
    let later = || vec![row(4_001, init.clone()), row(4_002, born.clone())];
    assert_eq!(pass(&mut tracker, 4_000, later(), vec![], false), ["repaired 6", "gone 5"]);
}

#[test]
fn records_that_come_during_a_pass_explain_it() {
    let (mut tracker, init) = seeded();
    let dead = task(5, 2_000, init.key);
    records(&mut tracker, vec![fork(2_001, &dead)]);
    // Born and gone while the pass ran, gone after it was visited, and born after its place was passed.
    let brief = task(6, 3_000, init.key);
    let late = task(7, 3_004, init.key);
    let meanwhile = vec![fork(3_001, &brief), exit(3_005, &brief), exit(3_006, &dead), fork(3_007, &late)];
    let rows = vec![row(3_001, init), row(3_002, dead.clone()), row(3_003, brief)];
    assert_eq!(pass(&mut tracker, 3_000, rows, meanwhile, true), ["fork 6", "exit 6", "exit 5", "fork 7"]);
    assert!(tracker.is_alive(late.key) && !tracker.is_alive(dead.key));
}

#[test]
fn a_process_that_is_there_though_no_pass_shows_it_stays_alive() {
    let (mut tracker, init) = seeded();
    let hidden = task(5, 2_000, init.key);
    records(&mut tracker, vec![fork(2_001, &hidden)]);
    tracker.begin_pass();
    let mut events = Vec::new();
    tracker.finish_pass(vec![row(3_001, init)], 3_000, true, |key| key == hidden.key, &mut events);
    assert_eq!(briefly(&events), Vec::<String>::new());
    assert!(tracker.is_alive(hidden.key));
}

#[test]
fn a_reader_that_does_not_see_all_ends_nobody() {
    let mut tracker = Tracker::new(CAPTURE_NS, false, 4096);
    let child = task(5, 2_000, ProcKey::new(1, 10));
    records(&mut tracker, vec![fork(2_001, &child)]);
    for started_ns in [3_000, 4_000, 5_000] {
        assert_eq!(pass(&mut tracker, started_ns, vec![], vec![], true), Vec::<String>::new());
    }
}

#[test]
fn a_pid_that_is_used_again_ends_its_former_user() {
    let (mut tracker, init) = seeded();
    let first = task(5, 2_000, init.key);
    let second = task(5, 9_000, init.key);
    let births = vec![fork(2_001, &first), fork(9_001, &second)];
    assert_eq!(records(&mut tracker, births), ["fork 5", "gone 5", "fork 5"]);
    assert!(tracker.is_alive(second.key) && !tracker.is_alive(first.key));
    // A row that was written before the pid passed on.
    assert_eq!(
        pass(&mut tracker, 9_500, vec![row(8_000, first), row(9_501, init)], vec![], false),
        Vec::<String>::new()
    );
}

#[test]
fn changes_without_a_hook_are_seen_by_passes_and_at_the_end() {
    let (mut tracker, init) = seeded();
    let mut child = task(5, 2_000, init.key);
    records(&mut tracker, vec![fork(2_001, &child)]);
    child.comm = Comm::new(b"renamed");
    child.parent = ProcKey::new(9, 99);
    let rows = vec![row(3_001, init.clone()), row(3_002, child.clone())];
    assert_eq!(pass(&mut tracker, 3_000, rows, vec![], false), ["parent 5 9", "comm 5"]);
    child.creds.uid = 33;
    assert_eq!(records(&mut tracker, vec![exit(3_500, &child)]), ["uid 5 33", "exit 5"]);
    // A row older than the last record says nothing.
    let stale = task(6, 2_000, init.key);
    let mut now = stale.clone();
    now.comm = Comm::new(b"new");
    records(&mut tracker, vec![fork(3_600, &stale)]);
    let meanwhile = vec![exec(3_710, &now)];
    assert_eq!(pass(&mut tracker, 3_700, vec![row(3_701, init), row(3_702, stale)], meanwhile, false), ["exec 6"]);
}

#[test]
fn a_zombie_is_found_as_one_and_its_end_may_still_come() {
    let init = task(1, 10, ProcKey::SWAPPER);
    let zombie = Row { ending: over(3), ..row(1_101, task(5, 500, init.key)) };
    let mut tracker = Tracker::new(CAPTURE_NS, true, 4096);
    let mut events = Vec::new();
    tracker.seed(vec![row(1_100, init.clone()), zombie.clone()], &mut events);
    assert_eq!(briefly(&events), ["process 1", "process 5"]);
    assert!(!tracker.is_alive(zombie.task.key));
    let rows = vec![row(2_001, init.clone()), zombie.clone()];
    assert_eq!(pass(&mut tracker, 2_000, rows, vec![], true), Vec::<String>::new());
    // It has been reported as ended.
    assert_eq!(pass(&mut tracker, 3_000, vec![row(3_001, init)], vec![], true), ["reaped 5"]);
}

/// Its exit hook ran before the capture began, so that nothing more will be said of it, or it is about to run.
#[test]
fn who_is_ending_when_the_capture_begins_has_ended() {
    let init = task(1, 10, ProcKey::SWAPPER);
    let ending = Row { ending: ending(3), ..row(1_101, task(5, 500, init.key)) };
    let seeded = || {
        let mut tracker = Tracker::new(CAPTURE_NS, true, 4096);
        let mut events = Vec::new();
        tracker.seed(vec![row(1_100, init.clone()), ending.clone()], &mut events);
        let Some(Event::Process(found)) = events.last() else { panic!("{events:?}") };
        assert_eq!(found.exited.map(|zombie| zombie.status), Some(ExitStatus::Code(3)));
        tracker
    };
    let mut tracker = seeded();
    // It may take its time, and is not told of again.
    let rows = || vec![row(2_001, init.clone()), ending.clone()];
    assert_eq!(pass(&mut tracker, 2_000, rows(), vec![], true), Vec::<String>::new());
    assert_eq!(pass(&mut tracker, 3_000, vec![row(3_001, init.clone())], vec![], true), ["reaped 5"]);
    let mut tracker = seeded();
    assert_eq!(records(&mut tracker, vec![exit(1_102, &ending.task)]), ["exit 5"]);
}

/// Where there are several programs on a tracepoint, one that was preempted behind its record may let another write it
/// again.
#[test]
fn records_that_come_twice_are_told_once() {
    let (mut tracker, init) = seeded();
    let child = task(5, 2_000, init.key);
    let exec = |ts_ns, exec_id| {
        let Record::Exec { exec, .. } = exec(ts_ns, &child) else { unreachable!() };
        Record::Exec { exec, exec_id }
    };
    assert_eq!(records(&mut tracker, vec![fork(2_001, &child), fork(2_002, &child)]), ["fork 5"]);
    let twice = vec![exec(2_003, 7), exec(2_004, 7), exec(2_005, 9), exec(2_006, 9)];
    assert_eq!(records(&mut tracker, twice), ["exec 5", "exec 5"]);
    // Kernels where that cannot be do not number them.
    assert_eq!(records(&mut tracker, vec![exec(2_007, 0), exec(2_008, 0)]), ["exec 5", "exec 5"]);
    assert_eq!(records(&mut tracker, vec![exit(2_009, &child), exit(2_010, &child)]), ["exit 5"]);
}

#[test]
fn a_lost_exit_of_a_zombie_is_told_with_its_status() {
    let (mut tracker, init) = seeded();
    let child = task(5, 2_000, init.key);
    records(&mut tracker, vec![fork(2_001, &child)]);
    let zombie = Row { ending: over(7), ..row(3_002, child.clone()) };
    tracker.begin_pass();
    let mut events = Vec::new();
    tracker.finish_pass(vec![row(3_001, init), zombie], 3_000, true, |_| false, &mut events);
    let end = events.iter().find_map(|event| match event {
        Event::Exit(exit) => Some((exit.key, exit.status)),
        _ => None,
    });
    assert_eq!(end, Some((child.key, ExitStatus::Code(7))));
}

/// Attached, first pass made, and the ring buffer still holds the whole life of the pid's former user.
#[test]
fn records_of_a_pids_former_user_do_not_end_the_present_one() {
    let former = task(5, 1_010, ProcKey::new(1, 10));
    let present = task(5, 1_050, ProcKey::new(1, 10));
    let mut tracker = Tracker::new(CAPTURE_NS, true, 4096);
    let mut events = Vec::new();
    tracker.seed(vec![row(1_100, present.clone())], &mut events);
    let life = vec![fork(1_011, &former), exec(1_012, &former), exit(1_013, &former), fork(1_051, &present)];
    assert_eq!(records(&mut tracker, life), ["fork 5", "exec 5", "exit 5", "fork 5"]);
    assert!(tracker.is_alive(present.key) && !tracker.is_alive(former.key));
    assert_eq!(records(&mut tracker, vec![exit(1_200, &present)]), ["exit 5"]);
}

/// To take a process apart may last many passes, on a machine that is busy or where the process had much memory.
#[test]
fn whose_exit_record_has_come_is_never_told_again() {
    for loss in [false, true] {
        let (mut tracker, init) = seeded();
        let child = task(5, 2_000, init.key);
        records(&mut tracker, vec![fork(2_001, &child), exit(2_900, &child)]);
        for (n, started_ns) in (3_000..9_000).step_by(1_000).enumerate() {
            // Then it waits for its parent; then it has gone.
            let ending = if n < 3 { ending(3) } else { over(3) };
            let there = Row { ending, ..row(started_ns + 2, child.clone()) };
            let rows = [row(started_ns + 1, init.clone())].into_iter().chain((n < 5).then_some(there));
            let told: &[&str] = match n {
                4 => &["zombie 5"],
                5 => &["reaped 5"],
                _ => &[],
            };
            assert_eq!(pass(&mut tracker, started_ns, rows.collect(), vec![], loss), told, "{n} {loss}");
        }
        assert_eq!(tracker.live.len(), 1);
    }
}

/// /proc does not tell that a process of several threads is ending: what is remembered of its end must do.
#[test]
fn whose_exit_record_has_come_is_not_told_again_by_rows_that_do_not_know() {
    let (mut tracker, init) = seeded();
    let child = task(5, 2_000, init.key);
    records(&mut tracker, vec![fork(2_001, &child), exit(2_900, &child)]);
    for started_ns in [3_000, 4_000, 5_000, 6_000] {
        let rows = vec![row(started_ns + 1, init.clone()), row(started_ns + 2, child.clone())];
        assert_eq!(pass(&mut tracker, started_ns, rows, vec![], true), Vec::<String>::new());
    }
}

/// Where records overtake one another, as invented ones do.
#[test]
fn what_comes_late_of_one_that_has_ended_does_not_raise_it() {
    let (mut tracker, init) = seeded();
    let child = task(5, 2_000, init.key);
    let life = vec![exit(2_900, &child), exec(2_002, &child), fork(2_001, &child)];
    assert_eq!(records(&mut tracker, life), ["repaired 5", "exit 5", "exec 5", "fork 5"]);
    assert!(!tracker.is_alive(child.key));
    assert_eq!(pass(&mut tracker, 3_000, vec![row(3_001, init)], vec![], true), Vec::<String>::new());
}

#[test]
fn a_second_record_of_an_end_is_dropped_however_many_others_end_in_between() {
    let (mut tracker, init) = seeded();
    let child = task(5, 2_000, init.key);
    records(&mut tracker, vec![fork(2_001, &child), exit(2_900, &child)]);
    let mut events = Vec::new();
    for pid in 6..30_000 {
        let other = task(pid, 2_950, init.key);
        tracker.record(fork(2_951, &other), &mut events);
        tracker.record(exit(2_952, &other), &mut events);
    }
    assert_eq!(records(&mut tracker, vec![exit(2_990, &child)]), Vec::<String>::new());
    // Nor after a pass that still shows it.
    let there = Row { ending: ending(3), ..row(3_002, child.clone()) };
    pass(&mut tracker, 3_000, vec![row(3_001, init), there], vec![], true);
    assert_eq!(records(&mut tracker, vec![exit(3_100, &child)]), Vec::<String>::new());
}

/// Its birth and its end were lost: nobody would tell how it went on.
#[test]
fn who_is_ending_does_not_begin() {
    let (mut tracker, init) = seeded();
    let unknown = task(5, 2_000, init.key);
    for (started_ns, ending) in [(3_000, ending(3)), (4_000, ending(3)), (5_000, ending(3))] {
        let there = Row { ending, ..row(started_ns + 2, unknown.clone()) };
        let rows = vec![row(started_ns + 1, init.clone()), there];
        assert_eq!(pass(&mut tracker, started_ns, rows, vec![], true), Vec::<String>::new());
    }
    // What comes of it in spite of that is told as ever.
    assert_eq!(records(&mut tracker, vec![exit(5_500, &unknown)]), ["repaired 5", "exit 5"]);
}

#[test]
fn whom_nobody_asks_for_is_a_zombie_until_somebody_does() {
    let (mut tracker, init) = seeded();
    let child = task(5, 2_000, init.key);
    assert_eq!(records(&mut tracker, vec![fork(2_001, &child), exit(2_002, &child)]), ["fork 5", "exit 5"]);
    let shown = |tracker: &mut Tracker, started_ns, is_shown: bool| {
        let zombie = Row { ending: over(3), ..row(started_ns + 2, child.clone()) };
        let rows = std::iter::once(row(started_ns + 1, init.clone())).chain(is_shown.then_some(zombie));
        pass(tracker, started_ns, rows.collect(), vec![], false)
    };
    assert_eq!(shown(&mut tracker, 3_000, true), Vec::<String>::new(), "most are for a moment");
    assert_eq!(shown(&mut tracker, 4_000, true), ["zombie 5"]);
    assert_eq!(shown(&mut tracker, 5_000, true), Vec::<String>::new(), "told once");
    assert_eq!(shown(&mut tracker, 6_000, false), ["reaped 5"]);
    assert_eq!(shown(&mut tracker, 7_000, false), Vec::<String>::new());
}

#[test]
fn a_zombie_of_which_every_record_was_lost_is_found() {
    let (mut tracker, init) = seeded();
    let unknown = Row { ending: over(3), ..row(3_002, task(5, 2_000, init.key)) };
    let rows = || vec![row(3_001, init.clone()), unknown.clone()];
    assert_eq!(pass(&mut tracker, 3_000, rows(), vec![], true), Vec::<String>::new(), "its record may be under way");
    assert_eq!(pass(&mut tracker, 4_000, rows(), vec![], false), ["repaired 5"]);
    assert_eq!(pass(&mut tracker, 5_000, rows(), vec![], false), Vec::<String>::new());
    assert_eq!(pass(&mut tracker, 6_000, vec![row(6_001, init)], vec![], false), ["reaped 5"]);
}

/// Alive in the account, and a row shows it ending: its record is under way, or it was lost.
#[test]
fn an_end_under_way_is_told_once_with_its_status() {
    let known = || {
        let (mut tracker, init) = seeded();
        let child = task(5, 2_000, init.key);
        records(&mut tracker, vec![fork(2_001, &child)]);
        let there = |ts_ns| Row { ending: ending(7), ..row(ts_ns, child.clone()) };
        let first = pass(&mut tracker, 3_000, vec![row(3_001, init.clone()), there(3_002)], vec![], true);
        assert_eq!(first, Vec::<String>::new(), "its record may come yet");
        let there = there(4_002);
        (tracker, init, child, there)
    };
    let statuses = |events: &[Event]| -> Vec<ExitStatus> {
        events.iter().filter_map(|event| if let Event::Exit(exit) = event { Some(exit.status) } else { None }).collect()
    };
    // It comes.
    let (mut tracker, init, child, there) = known();
    assert_eq!(records(&mut tracker, vec![exit(3_500, &child)]), ["exit 5"]);
    assert_eq!(pass(&mut tracker, 4_000, vec![row(4_001, init), there], vec![], true), Vec::<String>::new());
    // It comes late: nothing was told before it.
    let (mut tracker, init, child, there) = known();
    tracker.expect_late_ends();
    for started_ns in [4_000, 5_000, 6_000] {
        let rows = vec![row(started_ns + 1, init.clone()), Row { ts_ns: started_ns + 2, ..there.clone() }];
        assert_eq!(pass(&mut tracker, started_ns, rows, vec![], true), Vec::<String>::new());
    }
    assert_eq!(records(&mut tracker, vec![exit(6_500, &child)]), ["exit 5"]);
    // It was lost, and the process is still being taken apart, or is a zombie by now, or has gone.
    for (stage, may_be_late) in [(0, false), (1, false), (2, false), (1, true), (2, true)] {
        let (mut tracker, init, _, there) = known();
        if may_be_late {
            tracker.expect_late_ends();
        }
        let mut rows = vec![row(4_001, init.clone())];
        rows.extend((stage == 0).then(|| there.clone()));
        rows.extend((stage == 1).then(|| Row { ending: over(7), ..there.clone() }));
        let mut events = Vec::new();
        tracker.begin_pass();
        tracker.finish_pass(rows, 4_000, false, |_| false, &mut events);
        assert_eq!(statuses(&events), [ExitStatus::Code(7)], "{stage}");
        for started_ns in [5_000, 6_000] {
            let rows = vec![row(started_ns + 1, init.clone()), Row { ts_ns: started_ns + 2, ..there.clone() }];
            assert_eq!(pass(&mut tracker, started_ns, rows, vec![], true), Vec::<String>::new(), "{stage}");
        }
        assert_eq!(pass(&mut tracker, 7_000, vec![row(7_001, init)], vec![], true), Vec::<String>::new(), "{stage}");
    }
}

/// What it uses while it is taken apart is next to nothing, and says nothing of what it used.
#[test]
fn of_who_is_ending_no_usage_is_told() {
    let (mut tracker, init) = seeded();
    let child = task(5, 2_000, init.key);
    records(&mut tracker, vec![fork(2_001, &child)]);
    tracker.begin_pass();
    let mut events = Vec::new();
    let there = Row { ending: ending(7), rss_pages: Some(0), ..row(3_002, child.clone()) };
    tracker.finish_pass(vec![row(3_001, init), there], 3_000, false, |_| false, &mut events);
    assert!(!events.iter().any(|event| matches!(event, Event::Usage(usage) if usage.key == child.key)), "{events:?}");
}

#[test]
fn other_arguments_than_those_that_were_told_are_a_title() {
    let (mut tracker, init) = seeded();
    let worker = task(5, 2_000, init.key);
    let argv = |bytes: &[u8]| Argv::from_nul_terminated(bytes);
    let exec = |ts_ns, argv| {
        let exec = Execed {
            ts_ns,
            task: worker.clone(),
            filename: None,
            exe: None,
            interp: None,
            argv: Some(argv),
            argv_truncated: false,
        };
        Record::Exec { exec, exec_id: 0 }
    };
    let title = |tracker: &mut Tracker, pid, start_ns, ts_ns, argv| {
        let mut events = Vec::new();
        tracker.title(
            Title { ts_ns, key: ProcKey::new(pid, start_ns), argv: Some(argv), argv_truncated: false, exe: None },
            &mut events,
        );
        briefly(&events)
    };
    records(&mut tracker, vec![fork(2_000, &worker), exec(2_010, argv(b"srv\0-x\0\0\0"))]);
    // True empty arguments stay as they are told.
    assert!(title(&mut tracker, 5, 2_000, 2_020, argv(b"srv\0-x\0\0\0")).is_empty());
    let shown = r#"title 5 ["srv: ab"]"#;
    assert_eq!(title(&mut tracker, 5, 2_000, 2_030, argv(b"srv: ab\0\0")), [shown]);
    assert!(title(&mut tracker, 5, 2_000, 2_040, argv(b"srv: ab\0\0")).is_empty(), "once");
    // One that is forked shows the same, until it sets its own.
    let child = task(6, 2_050, worker.key);
    records(&mut tracker, vec![fork(2_050, &child)]);
    assert!(title(&mut tracker, 6, 2_050, 2_060, argv(b"srv: ab\0\0")).is_empty());
    assert_eq!(title(&mut tracker, 6, 2_050, 2_070, argv(b"child\0\0\0\0")), [r#"title 6 ["child"]"#]);
    // What was read before an exec is of the program before it.
    records(&mut tracker, vec![exec(2_100, argv(b"other\0"))]);
    assert!(title(&mut tracker, 5, 2_000, 2_090, argv(b"late\0")).is_empty());
    assert!(title(&mut tracker, 5, 1_999, 2_200, argv(b"somebody else\0")).is_empty());
    // What /proc showed of it when it was found.
    tracker.note_details(init.key, 1_200, Some(&argv(b"init\0\0\0")), None);
    assert!(title(&mut tracker, 1, 10, 1_300, argv(b"init\0\0\0")).is_empty());
    assert_eq!(title(&mut tracker, 1, 10, 1_400, argv(b"init: 2\0")), [r#"title 1 ["init: 2"]"#]);
}

/// It is deleted or renamed under the process, which no hook tells.
#[test]
fn another_file_than_that_which_was_told_is_news_once() {
    let (mut tracker, init) = seeded();
    let child = task(5, 2_000, init.key);
    let Record::Exec { exec, exec_id } = exec(2_010, &child) else { unreachable!() };
    let started = Execed { exe: Some(Exe::at(*b"/d")), ..exec };
    records(&mut tracker, vec![fork(2_001, &child), Record::Exec { exec: started, exec_id }]);
    let look = |tracker: &mut Tracker, ts_ns, exe: Exe| {
        let mut events = Vec::new();
        tracker.title(Title { ts_ns, key: child.key, argv: None, argv_truncated: false, exe: Some(exe) }, &mut events);
        briefly(&events)
    };
    let gone = Exe { deleted: true, ..Exe::at(*b"/d") };
    assert_eq!(look(&mut tracker, 2_005, gone.clone()), [""; 0], "read before it was started");
    assert_eq!(look(&mut tracker, 2_020, Exe::at(*b"/d")), [""; 0]);
    assert_eq!(look(&mut tracker, 2_030, gone.clone()), ["exe 5 /d"]);
    assert_eq!(look(&mut tracker, 2_040, gone), [""; 0], "once");
}

/// A session changes between passes; with an exec or an end, the event itself says so.
#[test]
fn what_a_process_belongs_to_is_compared_with_the_last_pass() {
    let (mut tracker, init) = seeded();
    let of = |sid, task: &Task| Task { session: Session { sid: Some(sid), ..Session::default() }, ..task.clone() };
    let child = of(1, &task(20, CAPTURE_NS + 10, init.key));
    records(&mut tracker, vec![fork(CAPTURE_NS + 10, &child)]);
    let at = |n: u64| CAPTURE_NS + 100 * n;
    let rows = |ts_ns, task: Task| vec![row(ts_ns, init.clone()), row(ts_ns, task)];
    assert_eq!(pass(&mut tracker, at(1), rows(at(1) + 1, child.clone()), vec![], false), [""; 0]);
    let alone = of(20, &child);
    assert_eq!(pass(&mut tracker, at(2), rows(at(2) + 1, alone.clone()), vec![], false), ["session 20 Some(20)"]);
    assert_eq!(pass(&mut tracker, at(3), rows(at(3) + 1, alone.clone()), vec![], false), [""; 0]);
    let again = of(21, &child);
    assert_eq!(records(&mut tracker, vec![exec(at(4), &again)]), ["exec 20"]);
    assert_eq!(records(&mut tracker, vec![exit(at(5), &alone)]), ["exit 20"]);
}

/// As the kernel tells it: neither part of the CPU time becomes less, not even at the end.
#[test]
fn user_and_system_time_never_go_back() {
    let (mut tracker, init) = seeded();
    let child = task(20, CAPTURE_NS + 10, init.key);
    records(&mut tracker, vec![fork(CAPTURE_NS + 10, &child)]);
    let mut told = Vec::new();
    for (n, cpu_ns, user_ns, system_ns) in [(1, 100, 0, 0), (2, 200, 10, 30), (3, 300, 90, 30)] {
        let (ts_ns, mut events) = (CAPTURE_NS + 100 * n, Vec::new());
        let mut of_child = row(ts_ns, child.clone());
        of_child.cpu.cpu_ns = cpu_ns;
        of_child.sampled = Some(Sampled { user_ns, system_ns });
        tracker.begin_pass();
        tracker.finish_pass(vec![row(ts_ns, init.clone()), of_child], ts_ns, false, |_| true, &mut events);
        told.extend(events.iter().filter_map(|event| match event {
            Event::Usage(usage) if usage.key == child.key => usage.user_ns,
            _ => None,
        }));
    }
    assert_eq!(told, [100, 100, 200]);
    let Record::Exit { mut exit, charged_ns, .. } = exit(CAPTURE_NS + 400, &child) else { unreachable!() };
    exit.cost = Some(Cost { cpu_ns: 310, ..Cost::default() });
    let mut events = Vec::new();
    let sampled = Some(Sampled { user_ns: 1, system_ns: 99 });
    tracker.record(Record::Exit { exit, sampled, charged_ns }, &mut events);
    let [Event::Exit(exit)] = &events[..] else { panic!("{events:?}") };
    let cost = exit.cost.unwrap();
    assert_eq!((cost.user_ns, cost.system_ns()), (Some(200), Some(110)));
}

/// A process in this cgroup of the unified hierarchy.
fn within(id: u64, task: Task) -> Task {
    Task { cgroup_id: Some(id), ..task }
}

fn cgroup(ts_ns: u64, hierarchy: u32, id: u64, path: &str, what: Change) -> Record {
    let path = (!path.is_empty()).then(|| path.as_bytes().into());
    Record::Cgroup(Cgroup { ts_ns, hierarchy, id, path, what })
}

fn moved(task: &Task) -> Change {
    Change::Moved { key: task.key, tid: task.key.pid, all: true }
}

/// One process in the root of two hierarchies, which /proc was asked at 1,500 about.
fn placed() -> (Tracker, Task) {
    let init = within(1, task(1, 10, ProcKey::SWAPPER));
    let mut tracker = Tracker::new(CAPTURE_NS, true, 4096);
    tracker.tell_places();
    let mut events = Vec::new();
    tracker.seed(vec![row(1_100, init.clone())], &mut events);
    assert!(tracker.is_to_be_placed(init.key));
    tracker.placed((init.key, 1_500), Places::read(b"3:pids:/\n0::/\n").as_ref(), true, &mut events);
    assert!(!tracker.is_to_be_placed(init.key));
    assert_eq!(briefly(&events), ["process 1"], "the path is told with the process");
    (tracker, init)
}

#[test]
fn a_container_is_known_from_its_first_moment_on() {
    let (mut tracker, init) = placed();
    let id = "ab".repeat(32);
    let (scope, other) = (format!("/docker-{id}.scope"), format!("/docker/{id}"));
    // Made and entered; made and born into; in another hierarchy alone.
    let [one, two, three] = [(5, 1), (6, 7), (7, 1)].map(|(pid, id)| within(id, task(pid, 2_000, init.key)));
    let child = within(6, task(8, 2_004, one.key));
    let told = records(
        &mut tracker,
        vec![
            fork(2_001, &one),
            cgroup(2_002, 0, 6, &scope, Change::Made),
            cgroup(2_003, 0, 6, &scope, moved(&one)),
            fork(2_004, &child),
            cgroup(2_005, 0, 7, &scope, Change::Made),
            fork(2_006, &two),
            fork(2_007, &three),
            cgroup(2_008, 3, 40, &other, Change::Made),
            cgroup(2_009, 3, 40, &other, moved(&three)),
            fork(2_010, &within(1, task(9, 2_010, three.key))),
        ],
    );
    let wants = [
        "fork 5".to_owned(),
        format!("cgroup 6 {scope}"),
        format!("move 5 {scope}"),
        "fork 8".to_owned(),
        format!("cgroup 7 {scope}"),
        "fork 6".to_owned(),
        "fork 7".to_owned(),
        format!("move 7 {other}"),
        "fork 9".to_owned(),
    ];
    assert_eq!(told, wants);
    assert_eq!(tracker.take_unplaced(9), [], "nobody has to be asked");
    // Back again, and it is where its other hierarchies have it.
    assert_eq!(records(&mut tracker, vec![cgroup(2_011, 3, 2, "/", moved(&three))]), ["move 7 /"]);
}

#[test]
fn what_proc_has_told_is_newer_than_moves_of_before() {
    let (mut tracker, init) = placed();
    assert_eq!(records(&mut tracker, vec![cgroup(1_400, 3, 9, "/lxc/old", moved(&init))]), [""; 0]);
    assert_eq!(records(&mut tracker, vec![cgroup(1_600, 3, 9, "/lxc/new", moved(&init))]), ["move 1 /lxc/new"]);
    let mut events = Vec::new();
    tracker.placed((init.key, 1_550), Places::read(b"0::/old\n").as_ref(), false, &mut events);
    assert_eq!(briefly(&events), [""; 0]);
    tracker.placed((init.key, 1_700), Places::read(b"0::/x.service\n").as_ref(), false, &mut events);
    assert_eq!(briefly(&events), ["move 1 /x.service"]);
}

#[test]
fn an_id_is_called_what_proc_says_unless_somebody_was_moved_meanwhile() {
    for (meanwhile, wants) in [(None, vec!["cgroup 1 /"]), (Some(1_501), vec![])] {
        let (mut tracker, init) = placed();
        records(&mut tracker, meanwhile.map(|ts_ns| cgroup(ts_ns, 0, 9, "/n", moved(&init))).into_iter().collect());
        let mut events = Vec::new();
        tracker.settle_places(1_600, &mut events);
        assert_eq!(briefly(&events), wants);
    }
}

#[test]
fn a_thread_that_is_moved_alone_leaves_its_process_and_who_is_forked_then_is_asked_for() {
    let (mut tracker, init) = placed();
    let thread = Change::Moved { key: init.key, tid: 99, all: false };
    assert_eq!(records(&mut tracker, vec![cgroup(1_600, 3, 9, "/lxc/x", thread)]), [""; 0]);
    let child = within(1, task(5, 2_000, init.key));
    assert_eq!(records(&mut tracker, vec![fork(2_001, &child)]), ["fork 5"]);
    assert_eq!(tracker.take_unplaced(9), [Unplaced { key: child.key, pid_ns: None, ns_pid: None }]);
}

#[test]
fn without_hooks_a_row_or_a_record_shows_who_has_to_be_asked_for() {
    let (mut tracker, init) = placed();
    let there = within(9, init.clone());
    assert_eq!(records(&mut tracker, vec![exec(2_000, &there)]), ["move 1 /", "exec 1"], "the pids hierarchy's");
    assert_eq!(tracker.take_unplaced(9).len(), 1);
    let rows = vec![row(3_000, within(12, init.clone()))];
    assert_eq!(pass(&mut tracker, 2_900, rows, vec![], false), ["move 1 /"]);
    assert_eq!(tracker.take_unplaced(9).len(), 1);
    // The kernel cuts very long paths.
    assert_eq!(records(&mut tracker, vec![cgroup(4_000, 0, 13, "", moved(&init))]), ["move 1 /"]);
    assert_eq!(tracker.take_unplaced(9).len(), 1);
}

#[test]
fn moves_without_end_do_not_take_memory_without_end() {
    let (mut tracker, init) = placed();
    let mut events = Vec::new();
    for n in 0..100_000 {
        tracker.record(cgroup(2_000 + n, 0, 100 + n, "", moved(&init)), &mut events);
        events.clear();
    }
    assert!(tracker.take_unplaced(usize::MAX).len() <= 65_536);
}
