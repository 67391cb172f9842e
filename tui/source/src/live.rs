//! The live kernel as a source of events: the programs are attached, everything running is seeded, and from then on the
//! ring buffer is drained by a timer (or earlier, when the kernel says that it fills), with a pass over all tasks at
//! regular intervals and after every loss.
//!
//! Knows the order of things. What a program wrote goes in one line from hand to hand: [`load`] takes the bytes out of the
//! kernel, [`reading`] decodes and completes them, [`aliases`] names processes of whom no pass tells, [`crate::track`] keeps the
//! account of the living and makes events of it, and these are delivered.

mod aliases;
mod blob;
mod clock;
mod error;
mod hooks;
mod leaderless;
mod load;
mod reading;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

pub use blob::BtfFile;
pub use error::{LiveError, RingSizeError};
pub use load::{Kernel, Refusal, check_pretended, check_release, check_ring_bytes, min_ring_bytes};
use ptree_common::layout::Part;
use ptree_core::Event;
use ptree_core::event::{Found, LossCount, LossKind};
pub use reading::Reading;
use rustc_hash::FxHashSet;
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::aliases::Aliases;
use crate::decode::{Record, Row};
use crate::titles::{self, Titles};
use crate::track::{Tracker, Unplaced, found};
use crate::users::{self, Names};
use crate::wall::Wall;
use crate::{Batch, host, procfs};

/// The ring buffer is emptied so often: in between, 70,000 events a second are half a megabyte. Each turn of an idle
/// machine is a switch of context and little else.
const DRAIN_INTERVAL: Duration = Duration::from_millis(50);
/// Records taken before a batch is handed on.
const BATCH_RECORDS: usize = 4096;
/// After a loss, the next pass follows the last one no sooner.
const REPAIR_INTERVAL: Duration = Duration::from_millis(250);
/// A pass takes about 1 us for each task. With very many, passes are made further apart, so that they take no more than
/// one part in so many of a CPU where one a second is asked for, and in proportion more where more are.
const PASS_SHARE: f64 = 400.0;
/// However long a pass took (we may have been stopped in the middle), the next follows after this, unless it is to come
/// later anyhow.
const MAX_PASS_INTERVAL: Duration = Duration::from_secs(10);
/// Where births or ends show in passes alone, and after a pass that failed, these are no further apart than this, however
/// seldom usage is asked for.
const BLIND_INTERVAL: Duration = Duration::from_secs(1);
/// What the kernel has skipped is asked for so often: a few files of /proc are read for it.
const SKIPPED_INTERVAL: Duration = Duration::from_secs(1);
/// No record in the ring buffer is smaller.
const MIN_RECORD_BYTES: usize = size_of::<ptree_common::wire::Fork>();
/// So long, passes may fail for what may pass, such as a lack of memory, before the capture is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Processes whose /proc details are read between two drains: each takes some 40 us.
const DETAILS_PER_TURN: usize = 256;
/// Bytes of arguments that come together so: what is read has to wait where nobody takes it.
const DETAILS_BYTES_PER_TURN: usize = 1 << 20;

/// So long a process counts as new, whose title is looked at sooner: longer than passes mostly are apart.
const NEW_NS: u64 = 2_000_000_000;

/// What to capture, and how.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// Size of the ring buffer, bytes: a power of two, at least a page.
    pub ring_bytes: u32,
    /// Time between two passes over all tasks, at least.
    pub pass_interval: Duration,
    /// Whether `Process` events wait for arguments and the like from /proc, or come again with them a little later.
    pub details_first: bool,
    /// The kernel's BTF, where /sys does not show it.
    pub btf: Option<PathBuf>,
    /// For tests: fields of the table of members, and programs, that this kernel is to be taken to lack.
    pub pretend_missing: Vec<String>,
}

impl LiveOptions {
    fn pretends(&self, name: &str) -> bool {
        self.pretend_missing.iter().any(|missing| missing == name)
    }
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            ring_bytes: 8 << 20,
            pass_interval: Duration::from_secs(1),
            details_first: false,
            btf: None,
            pretend_missing: Vec::new(),
        }
    }
}

/// The running capture.
pub struct Live {
    kernel: Kernel,
    reading: Reading,
    tracker: Tracker,
    options: LiveOptions,
    events: Vec<Event>,
    /// Running since before us, and not shown by the iterator: some sandboxes hide their own init from it.
    unlisted: Vec<Row>,
    /// Used where the rows of a pass come from /proc.
    aliases: Option<Aliases>,
    /// Found running, their details not read yet.
    awaiting_details: VecDeque<Found>,
    /// Runs of a program that the kernel skipped, when last asked.
    skipped: LossCount,
    skipped_asked: Instant,
    /// How much of all that was lost has been reported.
    reported: LossCount,
    /// Something was lost since the last pass.
    repair_due: bool,
    /// Execs or moves were lost since /proc was last asked what everybody runs, and where.
    details_lost: bool,
    last_pass: Instant,
    pass_cost: Duration,
    /// Since when, and how often, passes have failed in a row for what may pass.
    failing: Option<(Instant, u32)>,
    names: Names,
    titles: Titles,
    wall: Wall,
}

impl Live {
    /// Loads and attaches the programs, then makes the first pass. Everything that starts after this returns is
    /// captured whole. Needs a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// When privilege, kernel or memory do not allow it; each says what to do.
    pub fn open(options: LiveOptions) -> Result<Self, LiveError> {
        let mut kernel = Kernel::load(&options)?;
        kernel.attach()?;
        let attached_ns = host::boottime_ns();
        let mut reading = Reading::default();
        let mut rows = reading.pass(&mut kernel)?;
        // Known by now, if ever.
        let sees_all = host::in_initial_pid_namespace();
        let mut tracker = Tracker::new(attached_ns, sees_all, host::page_size());
        tracker.tell_places();
        if kernel.tells_ends_late() {
            tracker.expect_late_ends();
        }
        let mut live = Self {
            kernel,
            reading,
            tracker,
            options,
            events: Vec::new(),
            unlisted: Vec::new(),
            aliases: None,
            awaiting_details: VecDeque::new(),
            skipped: LossCount::default(),
            skipped_asked: Instant::now(),
            reported: LossCount::default(),
            repair_due: false,
            details_lost: false,
            last_pass: Instant::now(),
            pass_cost: Duration::ZERO,
            failing: None,
            names: Names::new(),
            titles: Titles::new(),
            wall: Wall::default(),
        };
        if live.kernel.has(Part::Running) {
            live.unlisted = procfs::unlisted(&rows, host::boottime_ns());
            rows.extend(live.unlisted.iter().cloned());
        } else {
            live.aliases.insert(Aliases::default()).rows(&mut rows);
        }
        rows.sort_by_key(|row| (row.task.key.start_ns, row.task.key.pid));
        live.reading.ensure_calibrated(&mut live.kernel)?;
        live.tracker.seed(rows, &mut live.events);
        live.note_found(0);
        Ok(live)
    }

    /// What is left out or made do with less on this kernel.
    #[must_use]
    pub fn degraded(&self) -> Vec<Part> {
        self.kernel.degraded()
    }

    /// Delivers batches until `stop` fires or the receiver is gone; then whatever the kernel still holds.
    ///
    /// # Errors
    /// When the kernel refuses a pass or a map.
    pub async fn run(mut self, batches: Sender<Batch>, mut stop: oneshot::Receiver<()>) -> Result<(), LiveError> {
        let mut timer = interval(DRAIN_INTERVAL);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let stopping = tokio::select! {
                biased;
                _ = &mut stop => true,
                () = batches.closed() => return Ok(()),
                ready = self.kernel.filling() => { ready?; false }
                _ = timer.tick() => false,
            };
            // What was read before the records are taken that had been written by then.
            let titles = self.titles.take();
            let drained_ns = host::boottime_ns();
            if !self.drain(&batches).await {
                return Ok(());
            }
            for title in titles {
                self.tracker.title(title, &mut self.events);
            }
            self.look_up_places(drained_ns);
            if stopping {
                self.count_loss(true)?;
                if self.repair_due || self.is_blind() {
                    self.make_pass(&batches).await?;
                }
                while !self.awaiting_details.is_empty() {
                    self.read_details();
                    if !self.deliver(&batches).await {
                        return Ok(());
                    }
                }
                self.deliver(&batches).await;
                return Ok(());
            }
            self.count_loss(false)?;
            let since_pass = self.last_pass.elapsed();
            let asked = self.options.pass_interval;
            let soon = self.is_blind() || self.failing.is_some();
            let asked = if soon { asked.min(BLIND_INTERVAL) } else { asked };
            if since_pass >= pause(asked, self.pass_cost) || (self.repair_due && since_pass >= REPAIR_INTERVAL) {
                self.make_pass(&batches).await?;
            }
            self.read_details();
            if !self.deliver(&batches).await {
                return Ok(());
            }
        }
    }

    /// Takes and delivers every record that was in the ring buffer when this began, and no more than it can hold: in a
    /// storm that outruns us, losses must be counted and a stop be heard all the same. False when nobody listens.
    async fn drain(&mut self, batches: &Sender<Batch>) -> bool {
        let mut left = self.options.ring_bytes as usize / MIN_RECORD_BYTES;
        while left > 0 && self.take_records(BATCH_RECORDS.min(left)) {
            left = left.saturating_sub(BATCH_RECORDS);
            if !self.deliver(batches).await {
                return false;
            }
        }
        true
    }

    /// Takes up to `limit` records; whether there may be more.
    fn take_records(&mut self, limit: usize) -> bool {
        let from = self.events.len();
        let Self { kernel, reading, tracker, events, aliases, .. } = self;
        let taken = kernel.drain(limit, |bytes| {
            let Some(mut record) = reading.record(bytes) else { return };
            if let Some(aliases) = aliases {
                aliases.record(&mut record);
            }
            // Once for each that was there before us. What it forks may be gone when /proc is asked next.
            if let Record::Fork(fork) = &record
                && tracker.is_to_be_placed(fork.forker)
            {
                place(tracker, Unplaced { key: fork.forker, pid_ns: None, ns_pid: None }, events);
            }
            tracker.record(record, events);
        });
        self.note_found(from);
        taken == limit
    }

    /// Reports what the kernel has counted as lost since last time, and has it repaired. Runs that were skipped are
    /// rare, and asked for with `all`, or when they were not for a while.
    fn count_loss(&mut self, all: bool) -> Result<(), LiveError> {
        if all || self.skipped_asked.elapsed() >= SKIPPED_INTERVAL {
            self.skipped_asked = Instant::now();
            self.skipped = self.kernel.skipped()?.unwrap_or(self.skipped);
        }
        let mut lost = match self.kernel.lost() {
            // Nothing is forgotten: the counters go on.
            Err(error) if error.may_pass() => return Ok(()),
            lost => lost?,
        };
        lost += self.skipped;
        let count = lost.since(&self.reported);
        if count.total() > 0 {
            self.reported = lost;
            self.repair_due = true;
            self.details_lost |= count[LossKind::Exec] > 0 || count[LossKind::Cgroup] > 0;
            self.events.push(Event::Lost { ts_ns: host::boottime_ns(), count });
        }
        Ok(())
    }

    async fn make_pass(&mut self, batches: &Sender<Batch>) -> Result<(), LiveError> {
        let since_pass = std::mem::replace(&mut self.last_pass, Instant::now()).elapsed();
        let after_loss = std::mem::take(&mut self.repair_due) || self.is_blind();
        self.details_lost |= !self.kernel.has(Part::Execs);
        self.tracker.begin_pass();
        let started_ns = host::boottime_ns();
        let mut rows = match self.reading.pass(&mut self.kernel) {
            Ok(rows) => rows,
            Err(error) => {
                self.repair_due = after_loss;
                self.tracker.pass_failed();
                return self.pass_failed(error);
            }
        };
        self.failing = None;
        let now_ns = host::boottime_ns();
        self.unlisted.retain_mut(|row| procfs::refresh(row, now_ns));
        rows.extend(self.unlisted.iter().cloned());
        self.pass_cost = self.last_pass.elapsed();
        // Every record that was written before the pass ended explains a difference.
        self.drain(batches).await;
        self.count_loss(true)?;
        if let Some(aliases) = &mut self.aliases {
            aliases.rows(&mut rows);
        }
        // Whoever lives may run another program than we believe. In a lasting storm, one round of looks at /proc ends
        // before the next begins: the list of those to be looked at stays bounded.
        if self.details_lost && self.awaiting_details.is_empty() {
            self.details_lost = false;
            let living = rows.iter().filter(|row| !row.task.kernel && row.ending.is_none());
            self.awaiting_details.extend(living.map(|row| found(row, true)));
        }
        let tracker = &self.tracker;
        self.titles.ask(&rows, since_pass, |task| {
            started_ns.saturating_sub(task.key.start_ns) < NEW_NS || tracker.is_changed(task)
        });
        let from = self.events.len();
        self.tracker.finish_pass(rows, started_ns, after_loss || self.repair_due, procfs::is_there, &mut self.events);
        self.note_found(from);
        Ok(())
    }

    /// A pass that failed for what may pass is soon made again, unless that has lasted: then nobody would
    /// know that what is shown of the living is old.
    fn pass_failed(&mut self, error: LiveError) -> Result<(), LiveError> {
        if !error.may_pass() {
            return Err(error);
        }
        let (since, tries) = self.failing.get_or_insert((self.last_pass, 0));
        *tries += 1;
        match since.elapsed() {
            lasted if lasted < PATIENCE => Ok(()),
            lasted => Err(LiveError::Passes { lasted, tries: *tries, source: Box::new(error) }),
        }
    }

    /// Whether births or ends show in passes alone: then a difference is nothing that a record may yet explain.
    fn is_blind(&self) -> bool {
        !self.kernel.has(Part::Births) || !self.kernel.has(Part::Ends)
    }

    /// Notes which of the new events want details from /proc, and which users want names.
    fn note_found(&mut self, from: usize) {
        let mut placed = Vec::new();
        for event in &mut self.events[from..] {
            match event {
                Event::Process(found) if !found.task.kernel && found.exited.is_none() => {
                    if self.options.details_first {
                        add_details(found, Some((&mut self.tracker, &mut placed)));
                    } else {
                        self.awaiting_details.push_back(found.clone());
                    }
                }
                Event::Exec(exec) if exec.exe.as_ref().is_none_or(|exe| exe.truncated) => {
                    let whole = procfs::program(&exec.task, exec.argv.as_ref(), exec.exe.as_ref());
                    exec.exe = whole.or(exec.exe.take());
                }
                // Whose it was has been asked while it lived.
                Event::Exit(_) => continue,
                _ => {}
            }
            for uid in event.uids().into_iter().flatten() {
                self.names.seen(uid, event.ts_ns());
            }
        }
        self.events.append(&mut placed);
    }

    /// Asks /proc for the cgroups of some of those of whom nothing else says where they are. All records that were written
    /// up to `drained_ns` have been taken.
    fn look_up_places(&mut self, drained_ns: u64) {
        let Self { tracker, events, .. } = self;
        tracker.settle_places(drained_ns, events);
        for unplaced in tracker.take_unplaced(DETAILS_PER_TURN) {
            if tracker.is_alive(unplaced.key) {
                place(tracker, unplaced, events);
            }
        }
        self.details_lost |= self.tracker.take_renamed();
    }

    /// Reads the details of some of those that wait for it.
    fn read_details(&mut self) {
        let mut bytes = 0;
        for _ in 0..DETAILS_PER_TURN {
            let Some(mut found) = self.awaiting_details.pop_front() else { return };
            if self.tracker.is_alive(found.task.key)
                && add_details(&mut found, Some((&mut self.tracker, &mut self.events)))
            {
                bytes += found.argv.as_ref().map_or(0, |argv| argv.as_bytes().len());
                self.events.push(Event::Process(found));
            }
            if bytes > DETAILS_BYTES_PER_TURN {
                return;
            }
        }
    }

    /// Hands on what there is; false when nobody listens any more.
    async fn deliver(&mut self, batches: &Sender<Batch>) -> bool {
        let batch = Batch {
            events: std::mem::take(&mut self.events),
            users: self.names.take(),
            clock: self.wall.look(host::anchor()),
        };
        batch.is_empty() || batches.send(batch).await.is_ok()
    }
}

/// Time from one pass to the next, where so long is asked for and the last one took `cost`.
fn pause(asked: Duration, cost: Duration) -> Duration {
    let share = PASS_SHARE * asked.as_secs_f64().min(1.0);
    cost.mul_f64(share).min(MAX_PASS_INTERVAL).max(asked)
}

/// Has /proc say where a process is.
fn place(tracker: &mut Tracker, process: Unplaced, events: &mut Vec<Event>) {
    let read_ns = host::boottime_ns();
    let places = procfs::places(process);
    tracker.placed((process.key, read_ns), places.as_ref(), false, events);
}

/// Fills in what /proc says, and notes in the account what that is; whether it said anything.
fn add_details(found: &mut Found, tracker: Option<(&mut Tracker, &mut Vec<Event>)>) -> bool {
    let read_ns = host::boottime_ns();
    let procfs::Details { argv, argv_truncated, exe, places } = procfs::details(&found.task);
    let any = argv.is_some() || exe.is_some() || places.is_some();
    if let Some((tracker, events)) = tracker {
        tracker.note_details(found.task.key, read_ns, argv.as_ref(), exe.as_ref());
        tracker.placed((found.task.key, read_ns), places.as_ref(), true, events);
    }
    let cgroup = places.and_then(|places| places.told().cloned());
    let argv = argv
        .map(|argv| titles::found_padded(&argv, &found.task.comm, exe.as_ref().map(|exe| &*exe.path)).unwrap_or(argv));
    (found.argv, found.argv_truncated, found.exe, found.cgroup) = (argv, argv_truncated, exe, cgroup);
    any
}

/// All processes once, without attaching anything: for a snapshot. With it, what is left out or made do with less on this
/// kernel. To `measure` what they use of the CPUs, there is a second look so much later.
///
/// # Errors
/// As for [`Live::open`].
pub fn snapshot(options: LiveOptions, measure: Option<Duration>) -> Result<(Batch, Vec<Part>), LiveError> {
    let mut kernel = Kernel::load(&LiveOptions { ring_bytes: min_ring_bytes(), ..options })?;
    let mut reading = Reading::default();
    let mut rows = reading.pass(&mut kernel)?;
    if kernel.has(Part::Running) {
        rows.extend(procfs::unlisted(&rows, host::boottime_ns()));
    }
    let mut tracker = Tracker::new(host::boottime_ns(), host::in_initial_pid_namespace(), host::page_size());
    let mut events = Vec::new();
    tracker.seed(rows, &mut events);
    if let Some(measure) = measure {
        std::thread::sleep(measure);
        let started_ns = host::boottime_ns();
        tracker.begin_pass();
        let rows = reading.pass(&mut kernel)?;
        tracker.finish_pass(rows, started_ns, false, |_| true, &mut events);
    }
    let mut uids = FxHashSet::default();
    for event in &mut events {
        if let Event::Process(found) = event {
            uids.insert(found.task.creds.uid);
            uids.extend(found.task.session.login());
            if !found.task.kernel {
                add_details(found, None);
            }
        }
    }
    let users = uids.into_iter().map(|uid| (uid, users::name(uid))).collect();
    Ok((Batch { events, users, clock: None }, kernel.degraded()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privilege::tests::may_capture;

    /// Passes may be a minute apart.
    #[tokio::test]
    async fn what_was_skipped_is_asked_for_between_passes() {
        if !may_capture() {
            return;
        }
        let mut live = Live::open(LiveOptions { ring_bytes: 1 << 20, ..LiveOptions::default() }).unwrap();
        // Nothing was skipped for all of three programs, nor can it be made to: an answer is told from what was believed.
        let believed = LossCount::of(LossKind::Fork, 1 << 40);
        (live.skipped, live.reported) = (believed, believed);
        live.skipped_asked = Instant::now();
        live.count_loss(false).unwrap();
        assert_eq!(live.skipped, believed, "it was asked a moment ago");
        live.skipped_asked = Instant::now() - SKIPPED_INTERVAL;
        live.count_loss(false).unwrap();
        assert!(live.skipped.total() < believed.total(), "{:?}", live.skipped);
    }

    #[tokio::test]
    async fn passes_may_fail_for_a_while_and_no_longer() {
        if !may_capture() {
            return;
        }
        let mut live = Live::open(LiveOptions { ring_bytes: 1 << 20, ..LiveOptions::default() }).unwrap();
        let no_file = || LiveError::Read { what: "x", source: std::io::Error::from_raw_os_error(24) };
        live.pass_failed(no_file()).unwrap();
        live.pass_failed(no_file()).unwrap();
        let (since, tries) = live.failing.unwrap();
        assert_eq!(tries, 2);
        live.failing = Some((since - PATIENCE, tries));
        let told = live.pass_failed(no_file()).unwrap_err().to_string();
        assert!(told.contains("in 3 tries: reading x: Too many open files") && told.contains("ulimit -n"), "{told}");
        // What does not pass ends it at once.
        live.failing = None;
        let broken = LiveError::Read { what: "x", source: std::io::Error::from_raw_os_error(5) };
        assert!(live.pass_failed(broken).is_err());
    }

    #[test]
    fn passes_come_as_asked_for_unless_they_cost_too_much() {
        let ms = Duration::from_millis;
        for (asked, cost, wants) in [
            (1000, 1, 1000),
            (1000, 5, 2000),
            (100, 1, 100),
            (100, 5, 200),
            (1000, 60_000, 10_000),
            (5000, 5, 5000),
            (60_000, 1, 60_000),
            (60_000, 60_000, 60_000),
        ] {
            assert_eq!(pause(ms(asked), ms(cost)), ms(wants), "{asked} {cost}");
        }
    }
}
