//! A bad way from the hooks to the reader: records are dropped in bursts, come late or come twice, and passes go on showing
//! some of those that have ended. What is lost is counted and repaired as the live capture does it, by its own [`Tracker`].
//!
//! Does not know what happens on the machine; see [`World`].

use std::collections::VecDeque;

use ptree_core::Event;
use ptree_core::event::{Exited, LossCount, LossKind, Task};

use super::rng::{Rng, mix};
use super::world::{Living, World};
use crate::decode::{Charge, Ending, Io, Record, Row};
use crate::track::{Tracker, found};

/// Once in so many records a burst of losses begins, of up to so many records.
const BURST: (u64, u64) = (300, 24);
/// Once in so many records one is late or comes twice, by up to so many records.
const LATE: (u64, u64) = (100, 8);
/// How often losses are counted, nanoseconds.
const DRAIN_NS: u64 = 50_000_000;
/// How soon after the last pass a loss is repaired, nanoseconds.
const REPAIR_NS: u64 = 250_000_000;
/// One in so many is shown ending by so many passes after its end.
const SLOW: (u64, u32) = (8, 3);
const PAGE: u64 = 4096;

/// See the module.
#[derive(Debug)]
pub(super) struct Lossy {
    tracker: Tracker,
    rng: Rng,
    /// Records of the running burst that are still to be lost.
    burst: u64,
    /// Records that are still under way, and how many others overtake them.
    late: Vec<(u64, Record)>,
    /// Ended, and still to be shown by so many passes.
    slow: Vec<(u32, Row)>,
    unreported: LossCount,
    repair_due: bool,
    execs_lost: bool,
    drained_ns: u64,
    passed_ns: u64,
    out: Vec<Event>,
}

impl Lossy {
    /// Begins with all that is alive.
    pub(super) fn new(seed: u64, world: &mut World) -> Self {
        let now_ns = world.now_ns();
        let mut lossy = Self {
            tracker: Tracker::new(now_ns, true, PAGE),
            rng: Rng::new(!seed),
            burst: 0,
            late: Vec::new(),
            slow: Vec::new(),
            unreported: LossCount::default(),
            repair_due: false,
            execs_lost: false,
            drained_ns: now_ns,
            passed_ns: now_ns,
            out: Vec::new(),
        };
        lossy.tracker.seed(rows(world), &mut lossy.out);
        lossy.deliver(world);
        lossy
    }

    /// Takes what the hooks have seen since last time, and puts in its place what the reader makes of it.
    pub(super) fn pass_on(&mut self, world: &mut World, pass_interval_ns: u64) {
        for event in std::mem::take(&mut world.events) {
            let record = match event {
                Event::Fork(fork) => Record::Fork(fork),
                Event::Exec(exec) => Record::Exec { exec, exec_id: 0 },
                Event::Exit(exit) => Record::Exit { exit, sampled: None, charged_ns: None },
                // Passes will tell.
                _ => continue,
            };
            self.send(record, world);
        }
        let now_ns = world.now_ns();
        if now_ns - self.drained_ns >= DRAIN_NS {
            self.drained_ns = now_ns;
            self.count(now_ns);
        }
        let since_pass = now_ns - self.passed_ns;
        if since_pass >= pass_interval_ns || self.repair_due && since_pass >= REPAIR_NS {
            self.pass(world);
        }
        self.deliver(world);
    }

    /// What is under way arrives, and the last losses are repaired.
    pub(super) fn settle(&mut self, world: &mut World) {
        self.pass(world);
        // What is suspected at first sight, and not known to be lost, the second settles.
        self.pass(world);
        self.deliver(world);
    }

    fn send(&mut self, record: Record, world: &mut World) {
        if let Record::Exit { exit, .. } = &record
            && let Some(task) = exit.task.as_ref().filter(|task| mix(task.key.start_ns).is_multiple_of(SLOW.0))
        {
            self.slow.push((SLOW.1, ending(exit, task)));
        }
        if self.burst == 0 && self.rng.once_in(BURST.0) {
            self.burst = 1 + self.rng.below(BURST.1);
        }
        if self.burst > 0 {
            self.burst -= 1;
            let kind = match record {
                Record::Fork(_) => LossKind::Fork,
                Record::Exec { .. } => LossKind::Exec,
                _ => LossKind::Exit,
            };
            let count = LossCount::of(kind, 1);
            world.lost += count;
            self.unreported += count;
            return;
        }
        let overtaken_by = 1 + self.rng.below(LATE.1);
        match self.rng.below(LATE.0 * 2) {
            0 => self.late.push((overtaken_by, record)),
            1 => {
                self.late.push((overtaken_by, record.clone()));
                self.tracker.record(record, &mut self.out);
            }
            _ => self.tracker.record(record, &mut self.out),
        }
        for (overtaken_by, _) in &mut self.late {
            *overtaken_by -= 1;
        }
        let arrived: Vec<_> = self.late.extract_if(.., |late| late.0 == 0).collect();
        for (_, record) in arrived {
            self.tracker.record(record, &mut self.out);
        }
    }

    /// Tells what was lost since last time.
    fn count(&mut self, ts_ns: u64) {
        let count = std::mem::take(&mut self.unreported);
        if count.total() > 0 {
            self.repair_due = true;
            self.execs_lost |= count[LossKind::Exec] > 0;
            self.out.push(Event::Lost { ts_ns, count });
        }
    }

    /// A pass over all tasks; of a loss it repairs what it can.
    fn pass(&mut self, world: &mut World) {
        world.moment();
        let started_ns = world.now_ns();
        self.passed_ns = started_ns;
        self.tracker.begin_pass();
        let mut rows = rows(world);
        rows.extend(self.slow.iter().map(|(_, row)| Row { ts_ns: started_ns, ..row.clone() }));
        self.slow.retain_mut(|(passes, _)| {
            *passes -= 1;
            *passes > 0
        });
        for (_, record) in std::mem::take(&mut self.late) {
            self.tracker.record(record, &mut self.out);
        }
        self.count(started_ns);
        let again: Vec<_> = if std::mem::take(&mut self.execs_lost) {
            rows.iter().filter(|row| !row.task.kernel).map(|row| found(row, true)).collect()
        } else {
            Vec::new()
        };
        let after_loss = std::mem::take(&mut self.repair_due);
        let is_there = |key| world.get(key).is_some();
        self.tracker.finish_pass(rows, started_ns, after_loss, is_there, &mut self.out);
        let alive = again.into_iter().filter(|found| self.tracker.is_alive(found.task.key));
        self.out.extend(alive.map(Event::Process));
    }

    /// Hands on what there is, with what /proc says of those that were found.
    fn deliver(&mut self, world: &mut World) {
        let mut events = VecDeque::from(std::mem::take(&mut self.out));
        for event in &mut events {
            if let Event::Process(found) = event
                && let Some(living) = world.get(found.task.key)
            {
                let details = world.found(living, found.repaired);
                (found.argv, found.exe, found.cgroup) = (details.argv, details.exe, details.cgroup);
            }
        }
        world.events = events;
    }
}

/// All that is alive, as the task iterator shows it.
fn rows(world: &World) -> Vec<Row> {
    world.living().map(|living| row(world, living)).collect()
}

fn row(world: &World, living: &Living) -> Row {
    let usage = world.usage(living);
    Row {
        run_delay_ns: None,
        sampled: None,
        ts_ns: usage.ts_ns,
        task: world.task(living),
        cpu: Charge { cpu_ns: usage.cpu_ns, charged_ns: None },
        rss_pages: usage.rss_bytes.map(|bytes| bytes / PAGE),
        io: Io::default(),
        threads_begun: None,
        state: usage.state,
        ending: None,
    }
}

/// As the task iterator shows one that is being taken apart.
fn ending(exit: &Exited, task: &Task) -> Row {
    Row {
        run_delay_ns: None,
        sampled: None,
        ts_ns: exit.ts_ns,
        task: task.clone(),
        cpu: Charge { cpu_ns: 0, charged_ns: None },
        rss_pages: Some(0),
        io: Io::default(),
        threads_begun: None,
        state: 'R',
        ending: Some(Ending { status: exit.status, over: false }),
    }
}
