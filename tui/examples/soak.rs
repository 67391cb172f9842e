//! A fork storm for many minutes through the real model and screen, with keys pressed now and then: memory must come to
//! rest, nothing may hold the loop up, and the counts must be right in the end. `cargo xtask soak` runs it.
//!
//! The storm is invented and its time is real; the terminal is one in memory. Only the thread's own CPU time is judged
//! as a stall, because a busy machine may hold up anybody, but what the clock on the wall says is told beside it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use nix::sys::time::TimeValLike as _;
use nix::time::{ClockId, clock_gettime};
use ptree_core::{Event, Filter};
use ptree_source::synth::{Options, Profile, Scenario, Synth};
use ptree_source::{Batch, Header, TimeAnchor};
use ptree_tui::action::Action;
use ptree_tui::app::{self, App};
use ptree_tui::screen::theme::Theme;
use ptree_tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const FRAMES_PER_S: u32 = 30;
const SCREEN: (u16, u16) = (200, 50);
/// Processes alive at a time, about.
const SIZE: u32 = 400;
/// Forks, execs and exits that a process of the storm takes.
const HOOKS: f64 = 2.74;
/// Frames between two ticks of the model, and between two keys.
const TICK: u64 = 3;
const KEY: u64 = 10;
/// Longest that a step may take.
const STALL: Duration = Duration::from_millis(50);
/// What memory may grow by from the second quarter to the last.
const GROWTH: f64 = 1.05;
/// Lines of the report.
const LINES: u32 = 20;
/// Pressed over and over: moves, folds, filters, details, a pause, sorts, lineages, the dead, joined rows.
const KEYS: &str = "j j j PgDn PgDn C-d G k k k g Space j Space - j j + G / t r u e Enter n n N Esc G Enter j j PgDn q \
                    p j j PgDn k PgUp g p P j j T M j B d j d o j o c G c j s s ? j q I G I > > <";

fn main() -> anyhow::Result<()> {
    let (minutes, processes) = arguments()?;
    let seconds = minutes * 60.0;
    let scenario = Scenario { profile: Profile::Storm, lossy: false };
    let hooks = processes * HOOKS;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "both are positive and far below")]
    let (events, interval) = (Some(hooks as u64), Duration::from_secs_f64(seconds / f64::from(LINES)));
    let options = Options { size: SIZE, rate: hooks / seconds, events, ..Options::new(scenario) };
    let mut soak = Soak::new(options)?;
    let begun = Instant::now();
    println!("{:>6} {:>10} {:>7} {:>7} {:>6}  longest, ms of CPU time (wall)", "s", "processes", "MiB", "kept", "rows");
    let mut next_line = begun + interval;
    for frame in 0.. {
        let due = begun + Duration::from_secs(1) * frame / FRAMES_PER_S;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let over = !soak.frame(u64::from(frame))?;
        if Instant::now() >= next_line || over {
            next_line += interval;
            soak.line(begun.elapsed())?;
        }
        if over {
            break;
        }
    }
    soak.conclude()
}

/// Minutes and processes in all.
fn arguments() -> anyhow::Result<(f64, f64)> {
    let (mut minutes, mut processes) = (20.0, 10e6);
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().with_context(|| format!("'{name}' needs a number"))?;
        let (digits, factor) = match (value.strip_suffix('k'), value.strip_suffix('M')) {
            (Some(digits), _) => (digits, 1e3),
            (_, Some(digits)) => (digits, 1e6),
            _ => (&*value, 1.0),
        };
        let number = digits.parse::<f64>().ok().map(|number| number * factor).filter(|number| *number > 0.0);
        let number = number.with_context(|| format!("'{value}' is no number above 0"))?;
        match &*name {
            "--minutes" => minutes = number,
            "--processes" => processes = number,
            _ => bail!("unknown argument '{name}'; there are '--minutes' and '--processes'"),
        }
    }
    Ok((minutes, processes))
}

struct Soak {
    synth: std::iter::Peekable<Synth>,
    begin_ns: u64,
    app: App,
    theme: Theme,
    terminal: Terminal<TestBackend>,
    keys: std::iter::Cycle<std::str::SplitWhitespace<'static>>,
    watch: Watch,
    /// Bytes, once a second.
    resident: Vec<u64>,
    told: Told,
}

/// What the events said.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    found: u64,
    forks: u64,
    execs: u64,
    exits: u64,
}

impl Soak {
    fn new(options: Options) -> anyhow::Result<Self> {
        let anchor = TimeAnchor { boottime_ns: options.begin_ns, unix_ns: 1_800_000_000_000_000_000 };
        let (host, kernel, boot_id) = ("soak".to_owned(), String::new(), String::new());
        let header = Header { version: String::new(), host, kernel, boot_id, anchor, degraded: Vec::new() };
        let settings = app::Options {
            engine: ptree_core::engine::Config::default(),
            filter: Filter::default(),
            zone: jiff::tz::TimeZone::UTC,
            preferences: app::Preferences::default(),
            is_here: false,
            read_only: false,
            own_pid: 0,
        };
        let mut app = App::new(settings, header);
        app.ingest(&Batch { events: Vec::new(), users: Synth::users(), clock: None }, options.begin_ns);
        app.update(Action::Resize(SCREEN.0, SCREEN.1));
        Ok(Self {
            synth: Synth::new(options).peekable(),
            begin_ns: options.begin_ns,
            app,
            theme: Theme::ansi(),
            terminal: Terminal::new(TestBackend::new(SCREEN.0, SCREEN.1))?,
            keys: KEYS.split_whitespace().cycle(),
            watch: Watch::default(),
            resident: Vec::new(),
            told: Told::default(),
        })
    }

    /// What comes between two frames, and the frame; false when that was the last.
    fn frame(&mut self, frame: u64) -> anyhow::Result<bool> {
        let Self { synth, app, watch, told, terminal, theme, .. } = self;
        let now_ns = self.begin_ns + 1_000_000_000 * frame / u64::from(FRAMES_PER_S);
        let mut events = Vec::new();
        while let Some(event) = synth.next_if(|event| event.ts_ns() <= now_ns) {
            told.count(&event);
            events.push(event);
        }
        let batch = Batch { events, users: Vec::new(), clock: None };
        watch.step("ingest", "", || app.ingest(&batch, now_ns))?;
        drop(batch);
        if frame.is_multiple_of(TICK) {
            watch.step("tick", "", || app.tick(now_ns))?;
        }
        if frame.is_multiple_of(KEY)
            && let Some(key) = self.keys.next()
        {
            watch.step("key", key, || app.press(key))?;
            watch.latest_key = key;
        }
        if app.is_dirty() {
            let key = watch.latest_key;
            watch.step("prepare", key, || app.prepare(view::measure(app)))?;
            watch.step("draw", key, || terminal.draw(|frame| view::draw(app, theme, frame)).map(drop))??;
            app.drawn();
            watch.frames += 1;
        }
        if frame.is_multiple_of(u64::from(FRAMES_PER_S)) {
            self.resident.push(resident()?);
        }
        Ok(synth.peek().is_some())
    }

    fn line(&mut self, elapsed: Duration) -> anyhow::Result<()> {
        let longest = self.watch.longest();
        let (processes, kept) = (self.told.found + self.told.forks, self.app.tree().len());
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let resident = resident()? as f64 / f64::from(1 << 20);
        let rows = self.app.list().rows().len();
        println!("{:>6.0} {processes:>10} {resident:>7.1} {kept:>7} {rows:>6}  {longest}", elapsed.as_secs_f64());
        Ok(())
    }

    /// Says what was found, and fails when it is not as it must be.
    fn conclude(self) -> anyhow::Result<()> {
        let Self { mut app, synth: mut rest, told, watch, resident, .. } = self;
        if app.paused().is_some() {
            // What is shown would be the tree of the moment when the pause began.
            app.press("p");
        }
        ensure!(rest.next().is_none(), "there are events left");
        println!("{} frames, {told:?}", watch.frames);
        for stall in &watch.stalls {
            println!("{stall}");
        }
        let quarter = resident.len() / 4;
        let (second, last) = (median(&resident[quarter..2 * quarter]), median(&resident[3 * quarter..]));
        println!("resident: {} KiB in the second quarter, {} KiB in the last", second >> 10, last >> 10);

        let mut wrong = Vec::new();
        let stats = app.stats();
        let seen = Told { forks: stats.forks, execs: stats.execs, exits: stats.exits, ..told };
        if seen != told {
            wrong.push(format!("the counts are wrong: {seen:?}"));
        }
        let live = told.found + told.forks - told.exits;
        if app.tree().live() as u64 != live {
            wrong.push(format!("{} are alive, not {live}", app.tree().live()));
        }
        let by_user: u64 = stats.users.values().map(|user| user.live).sum();
        if by_user != live {
            wrong.push(format!("the users have {by_user} in all, not {live}"));
        }
        if watch.cpu_stalls > 0 {
            wrong.push(format!("{} steps took more than {STALL:?} of CPU time", watch.cpu_stalls));
        }
        #[expect(clippy::cast_precision_loss, reason = "a ratio")]
        if last as f64 > second as f64 * GROWTH {
            wrong.push("memory does not come to rest".to_owned());
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("; "));
        println!("in order");
        Ok(())
    }
}

impl Told {
    fn count(&mut self, event: &Event) {
        match event {
            Event::Process(_) => self.found += 1,
            Event::Fork(_) => self.forks += 1,
            Event::Exec(_) => self.execs += 1,
            Event::Exit(_) => self.exits += 1,
            _ => {}
        }
    }
}

/// How long steps take.
#[derive(Default)]
struct Watch {
    /// Since the last line, by step: CPU time and wall.
    longest: BTreeMap<&'static str, (Duration, Duration)>,
    latest_key: &'static str,
    stalls: Vec<String>,
    cpu_stalls: u32,
    frames: u64,
}

impl Watch {
    fn step<T>(&mut self, name: &'static str, detail: &str, f: impl FnOnce() -> T) -> anyhow::Result<T> {
        let (begun, cpu_begun) = (Instant::now(), own_cpu()?);
        let result = f();
        let (cpu, wall) = (own_cpu()?.saturating_sub(cpu_begun), begun.elapsed());
        let longest = self.longest.entry(name).or_default();
        *longest = (longest.0.max(cpu), longest.1.max(wall));
        if wall > STALL || cpu > STALL {
            self.cpu_stalls += u32::from(cpu > STALL);
            self.stalls.push(format!("frame {}: {name} {detail}: {cpu:.1?} of CPU time, {wall:.1?}", self.frames));
        }
        Ok(result)
    }

    /// The longest of each step since it was last asked.
    fn longest(&mut self) -> String {
        let mut text = String::new();
        for (name, (cpu, wall)) in std::mem::take(&mut self.longest) {
            let ms = |time: Duration| time.as_secs_f64() * 1e3;
            let _ = write!(text, "{name} {:.1} ({:.1})  ", ms(cpu), ms(wall));
        }
        text
    }
}

/// CPU time of this thread.
fn own_cpu() -> anyhow::Result<Duration> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
    Ok(Duration::from_nanos(u64::try_from(time.num_nanoseconds())?))
}

/// Resident memory, bytes.
fn resident() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("cannot read '/proc/self/status'")?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    kib.map(|kib: u64| kib << 10).context("'/proc/self/status' says nothing of VmRSS")
}

fn median(values: &[u64]) -> u64 {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}
