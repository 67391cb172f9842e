//! `ptree-tui stream`: events on standard output, one JSON object a line.

mod held;

use std::io::{BufWriter, StdoutLock, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::tz::TimeZone;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ptree_core::facts::Context;
use ptree_core::{AlertLevel, Config, Delta, Engine, Event, Filter, Lineage, ProcKey, Sums, cgroup};
use ptree_source::live::LiveOptions;
use ptree_source::ndjson::Known;
use ptree_source::{Batch, Header, TimeAnchor, host, ndjson};
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::time::timeout;

use self::held::Held;
use crate::capture::{Capture, Until, runtime};
use crate::cli::Common;
use crate::recording::{DOUBTFUL_NS, Item, Recording};
use crate::session::Session;
use crate::tell::tell;

/// What failed when it did.
const WRITING: &str = "writing to standard output";

/// What is written beside what happens.
#[derive(Clone, Copy, Debug, Default)]
pub struct More {
    /// What the living use.
    pub usage: bool,
    /// On each line, the time of the wall clock and the name of the user.
    pub wall: bool,
}

/// Runs until `duration` is over, a signal comes, or the reader goes away.
///
/// # Errors
/// When the kernel cannot be captured or the output cannot be written.
pub fn run(common: &Common, duration: Option<Duration>, more: More) -> Result<ExitCode> {
    let options = LiveOptions { details_first: true, ..common.live() };
    print(common, more, Capture::start(options, Until { duration, signals: true })?, "live")
}

/// Prints what is in a recording, as if it happened now.
///
/// # Errors
/// When it cannot be read or the output cannot be written.
pub fn run_from(common: &Common, file: &Path, more: More) -> Result<ExitCode> {
    let mut recording = Recording::open(file)?;
    let mut printer = Printer::new(common, more, recording.header(), "recording")?;
    let mut held = Held::new(printer.filter.depends().names);
    let outcome = loop {
        // Nothing is kept back while the input has nothing more to say.
        if recording.may_wait() {
            printer.out.flush().context(WRITING)?;
        }
        let latest_ns = recording.latest_ns();
        match recording.next(|ts_ns| ts_ns.saturating_sub(latest_ns) > DOUBTFUL_NS) {
            Ok(Some(Item::Event { event, .. })) => held.push(event.ts_ns(), vec![*event]),
            Ok(Some(Item::Clock(anchor))) => printer.clock(anchor)?,
            Ok(Some(Item::User(uid, name))) => printer.user(uid, &name)?,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
        printer.take_all(&mut held, recording.latest_ns())?;
    };
    // Nothing more comes.
    printer.take_all(&mut held, u64::MAX)?;
    printer.out.flush().context(WRITING)?;
    let left_out = recording.left_out();
    if let Some(report) = left_out.report() {
        tell(report);
    }
    outcome?;
    Ok(if left_out.is_faulty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Prints what is captured; `source` says in the first line what that is.
///
/// # Errors
/// When the capture fails or the output cannot be written.
pub fn print(common: &Common, more: More, mut capture: Capture, source: &str) -> Result<ExitCode> {
    let written = write(common, more, &mut capture, source);
    // A failed capture explains a short output better than the output does.
    capture.finish()?;
    written?;
    Ok(ExitCode::SUCCESS)
}

fn write(common: &Common, more: More, capture: &mut Capture, source: &str) -> Result<()> {
    let mut printer = Printer::new(common, more, &capture.header, source)?;
    let mut held = Held::new(printer.filter.depends().names);
    let runtime = runtime()?;
    loop {
        let batch = match held.wait(host::boottime_ns()) {
            None => capture.batches.blocking_recv(),
            Some(wait) => match runtime.block_on(async { timeout(wait, capture.batches.recv()).await }) {
                Ok(batch) => batch,
                Err(_elapsed) => Some(Batch::default()),
            },
        };
        let is_over = batch.is_none();
        let batch = batch.unwrap_or_default();
        // A filter may keep us from writing, and so from noticing, for long.
        if reader_is_gone(printer.out.get_ref()) {
            break;
        }
        if let Some(anchor) = batch.clock {
            printer.clock(anchor)?;
        }
        for (uid, name) in batch.users {
            printer.user(uid, &name)?;
        }
        let now_ns = host::boottime_ns();
        held.push(now_ns, batch.events);
        // In the end nothing more comes.
        let patience_ns = if is_over { u64::MAX } else { now_ns };
        printer.take_all(&mut held, patience_ns)?;
        if held.wait(now_ns).is_none() {
            printer.tick(now_ns)?;
        }
        printer.out.flush().context(WRITING)?;
        if is_over {
            break;
        }
    }
    Ok(())
}

/// What is written, and what decides about it.
struct Printer<W> {
    out: W,
    session: Session,
    filter: Filter,
    more: More,
    places: Places,
    deltas: Vec<Delta>,
    /// The alerts that last and were told, and whom they named then.
    told: FxHashMap<u64, Option<ProcKey>>,
    /// The cgroups whose paths were told.
    named: FxHashSet<u64>,
    /// Sums over subtrees of the last second, and when they were taken; where the filter asks for them.
    sums: Option<(u64, Sums)>,
}

/// How often subtrees are summed up, nanoseconds.
const SUM_NS: u64 = 1_000_000_000;
/// So many are remembered: what is told again does no harm.
const NAMED_MAX: usize = 65_536;

impl Printer<BufWriter<StdoutLock<'static>>> {
    /// Writes the header; `source` says what it is of.
    fn new(common: &Common, more: More, header: &Header, source: &str) -> Result<Self> {
        let mut out = BufWriter::with_capacity(256 << 10, super::output()?);
        ndjson::write_header(&mut out, header, source).context(WRITING)?;
        out.flush().context(WRITING)?;
        // Nobody looks at the dead here; alerts want those of the last seconds.
        let config = Config { keep_ns: 5_000_000_000, keep_max: 2_000, ..common.engine() };
        let session = Session::new(header.clone(), config, TimeZone::UTC);
        let filter = common.filter();
        let sums = filter.depends().sums.then(|| (0, Sums::default()));
        let (deltas, told, named) = (Vec::new(), FxHashMap::default(), FxHashSet::default());
        Ok(Self { out, session, filter, more, places: Places::default(), deltas, told, named, sums })
    }
}

impl<W: Write> Printer<W> {
    fn clock(&mut self, anchor: TimeAnchor) -> Result<()> {
        self.session.clock(anchor);
        ndjson::write_clock(&mut self.out, anchor).context(WRITING)
    }

    fn user(&mut self, uid: u32, name: &str) -> Result<()> {
        ndjson::write_user(&mut self.out, uid, name).context(WRITING)?;
        self.session.name(uid, name);
        Ok(())
    }

    /// Takes what need not wait any longer for the name of a user.
    fn take_all(&mut self, held: &mut Held, now_ns: u64) -> Result<()> {
        while let Some(event) = held.next(now_ns, |uid| !self.session.engine().users().get(uid).is_empty()) {
            self.take(&event)?;
        }
        Ok(())
    }

    fn take(&mut self, event: &Event) -> Result<()> {
        self.deltas.clear();
        self.session.event(event, &mut self.deltas);
        self.sum_up();
        // The path of a cgroup is told when somebody is in it.
        let asked_for = match event {
            Event::Usage(_) => self.more.usage,
            event => !matches!(event, Event::Cgroup { .. }),
        };
        // Losses concern everybody.
        if asked_for && event.key().is_none_or(|key| self.is_wanted(key)) {
            let time = self.time(event.ts_ns());
            self.write_cgroup(event, time.as_deref())?;
            let known = Known {
                time: time.as_deref(),
                ..known(self.session.engine(), &mut self.places, event, self.more.wall)
            };
            ndjson::write_event(&mut self.out, event, &known).context(WRITING)?;
        }
        self.write_alerts(event.ts_ns())
    }

    /// Writes the path of the cgroup that an event names by its id, unless that has been told.
    fn write_cgroup(&mut self, event: &Event, time: Option<&str>) -> Result<()> {
        let Some(id) = event.cgroup_id().filter(|id| !self.named.contains(id)) else { return Ok(()) };
        let Some(path) = self.session.engine().cgroups().get(id) else { return Ok(()) };
        if self.named.len() >= NAMED_MAX {
            self.named.clear();
        }
        self.named.insert(id);
        let event = Event::Cgroup { ts_ns: event.ts_ns(), id, path: Arc::clone(path) };
        let [unit, container] = self.places.of(path);
        let known = Known { time, unit, container, ..Known::default() };
        ndjson::write_event(&mut self.out, &event, &known).context(WRITING)
    }

    fn tick(&mut self, now_ns: u64) -> Result<()> {
        self.deltas.clear();
        self.session.tick(now_ns, &mut self.deltas);
        self.sum_up();
        self.write_alerts(now_ns)
    }

    /// What the wall clock showed then, where that is wanted.
    fn time(&self, ts_ns: u64) -> Option<String> {
        self.more.wall.then(|| self.session.wall().utc(ts_ns)).flatten()
    }

    /// Sums subtrees up, if it is time to.
    fn sum_up(&mut self) {
        let now_ns = self.session.engine().now_ns();
        if let Some((summed_ns, sums)) = &mut self.sums
            && (sums.is_empty() || now_ns.saturating_sub(*summed_ns) >= SUM_NS)
        {
            *summed_ns = now_ns;
            sums.refresh(self.session.engine().tree(), Lineage::default());
        }
    }

    /// Whether this process matches, as it is known now.
    fn is_wanted(&self, key: ProcKey) -> bool {
        if self.filter.is_empty() {
            return true;
        }
        let user = |uid| self.session.engine().users().get(uid);
        let (tree, lineage) = (self.session.engine().tree(), Lineage::default());
        let sums = self.sums.as_ref().map(|(_, sums)| sums);
        let context = Context { tree, lineage, now_ns: self.session.engine().now_ns(), user: &user, sums };
        tree.get(key).is_some_and(|process| self.filter.matches(&context, process))
    }

    /// Writes an alert when it is raised, when it names another culprit, and when it is over; with a filter, while it names
    /// one that matches.
    fn write_alerts(&mut self, ts_ns: u64) -> Result<()> {
        for delta in &self.deltas {
            let Delta::Alert(alert) = delta else { continue };
            let before = self.told.get(&alert.id);
            let stage = match (alert.level(), before) {
                (AlertLevel::Cleared, None) => continue,
                (AlertLevel::Cleared, Some(_)) => {
                    self.told.remove(&alert.id);
                    ndjson::AlertStage::Cleared
                }
                (AlertLevel::Raised, Some(named)) if *named == alert.culprit => continue,
                (AlertLevel::Raised, before) => {
                    let is_wanted = match alert.culprit {
                        Some(key) => self.is_wanted(key),
                        None => self.filter.is_empty(),
                    };
                    if !is_wanted {
                        continue;
                    }
                    let stage = before.map_or(ndjson::AlertStage::Raised, |_| ndjson::AlertStage::Changed);
                    self.told.insert(alert.id, alert.culprit);
                    stage
                }
            };
            let time = self.time(ts_ns);
            ndjson::write_alert(&mut self.out, ts_ns, time.as_deref(), alert, stage).context(WRITING)?;
        }
        Ok(())
    }
}

/// What an event does not say itself of its process.
fn known<'a>(engine: &'a Engine, places: &'a mut Places, event: &Event, wall: bool) -> Known<'a> {
    let Some(process) = event.key().and_then(|key| engine.tree().get(key)) else { return Known::default() };
    // Its own or, as /proc shows it, the one that it was forked with.
    let program = process.program();
    let user = engine.users().get(process.creds().uid).as_bytes();
    let [unit, container] = process.cgroup().map_or([None, None], |path| places.of(path));
    Known {
        time: None,
        user: Some(user).filter(|user| wall && !user.is_empty()),
        argv: program.and_then(|image| image.argv.as_ref()),
        argv_truncated: program.is_some_and(|image| image.argv_truncated),
        program: program.map(ndjson::Program::from).unwrap_or_default(),
        execs: process.are_execs_all().then(|| process.execs()),
        unit,
        container,
    }
}

/// Units and containers by the path of their cgroup: to find them out takes longer than to write a line, and there are few.
#[derive(Default)]
struct Places(FxHashMap<Box<[u8]>, [Name; 2]>);

type Name = Option<Box<[u8]>>;

impl Places {
    /// So many are remembered: somebody may make cgroups without end.
    const MOST: usize = 4096;

    fn of(&mut self, path: &[u8]) -> [Option<&[u8]>; 2] {
        if !self.0.contains_key(path) {
            if self.0.len() >= Self::MOST {
                self.0.clear();
            }
            let found = [cgroup::unit, cgroup::container].map(|name| name(path).map(|name| name.as_ref().into()));
            self.0.insert(path.into(), found);
        }
        self.0.get(path).map_or([None, None], |found| found.each_ref().map(Option::as_deref))
    }
}

/// Whether nobody holds the other end of standard output any more.
fn reader_is_gone(stdout: &StdoutLock<'_>) -> bool {
    let mut polled = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    poll(&mut polled, PollTimeout::ZERO).is_ok()
        && polled[0].revents().is_some_and(|events| events.intersects(PollFlags::POLLERR | PollFlags::POLLHUP))
}

#[cfg(test)]
mod tests {
    use ptree_core::script::{Step, parse};
    use serde_json::Value;

    use super::*;

    /// The alerts that are written of a storm by one process, which another one takes over.
    fn alerts(filter: &str) -> Vec<Value> {
        let mut script = "every 1ms\nfound 1 0\nfork 1 10\nfork 1 20\n".to_owned();
        for n in 0..8_000 {
            let forker = if n < 2_000 { 10 } else { 20 };
            script += &format!("fork {forker} {}\n", 1_000 + n);
        }
        script += "every 100ms\n";
        script += &"tick\n".repeat(100);
        let anchor = TimeAnchor { boottime_ns: 0, unix_ns: 0 };
        let session = Session::new(Header { anchor, ..host::header("") }, Config::default(), TimeZone::UTC);
        let filter = Filter::parse(filter).unwrap();
        let (deltas, told, named) = (Vec::new(), FxHashMap::default(), FxHashSet::default());
        let (more, places) = (More::default(), Places::default());
        let sums = None;
        let mut printer = Printer { out: Vec::new(), session, filter, more, places, deltas, told, named, sums };
        for step in parse(&script, 0).unwrap() {
            match step {
                Step::Event(event) => printer.take(&event).unwrap(),
                Step::Tick(now_ns) => printer.tick(now_ns).unwrap(),
            }
        }
        let lines = printer.out.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap()).filter(|line: &Value| line["type"] == "alert").collect()
    }

    #[test]
    fn an_alert_is_raised_once_and_changes_with_its_culprit() {
        let told = alerts("");
        let stages: Vec<_> = told.iter().map(|alert| (&alert["level"], &alert["pid"])).collect();
        assert_eq!(
            stages,
            [(&"raised".into(), &10.into()), (&"changed".into(), &20.into()), (&"cleared".into(), &20.into())]
        );
        for alert in &told {
            let [rate, peak, share] = ["rate", "peak", "share"].map(|name| alert[name].as_f64().unwrap());
            assert!(rate <= peak && (0.6..=1.0).contains(&share), "{alert}");
            assert_eq!((&alert["id"], &alert["rule"]), (&told[0]["id"], &"spawn_rate".into()));
        }
        assert!(told[1]["rate"].as_f64() > Some(900.0), "as it is then: {}", told[1]);
    }

    #[test]
    fn with_a_filter_only_alerts_that_name_one_who_matches_are_told() {
        let stages =
            |filter| alerts(filter).iter().map(|alert| alert["level"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(stages("pid=10"), ["raised", "cleared"]);
        assert_eq!(stages("pid=20"), ["raised", "cleared"], "from when it is named");
        assert!(stages("pid=99").is_empty());
    }
}
