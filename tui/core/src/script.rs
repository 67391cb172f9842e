//! Events as a short text, one fact a line: what tests are written in, and bug reports.
//!
//! ```text
//! # make starts a compiler, which is killed
//! found 1 0 -- /sbin/init            running already: pid, parent, options, `--`, arguments
//! fork 1 20 uid=1000                 forker, child, options; `fork 1 20 1000` for short
//! exec 20 make -j4 'a target'        pid, arguments; or options, `--`, arguments
//! every 5ms                          from here on lines are 5 ms apart, no longer 1 s
//! fork 20 21
//! exec 21 file=/usr/bin/cc comm=cc1 truncated -- cc -c a.c
//! usage 21 250 rss=80M threads=2 state=R
//! exit 21 SIGKILL cpu=3s rss=90M     pid, code or signal (nothing: 0), options
//! ```
//!
//! | line | options |
//! |---|---|
//! | `found PID PARENT` | those of a process; `exe=PATH`, `cgroup=PATH`, `truncated`, `repaired`, `zombie`, `zombie=END`, `cpu=TIME` (of a zombie); `--` and arguments |
//! | `fork FORKER PID [UID]` | those of a process; `parent=PID`, the kernel's parent where that is not the forker |
//! | `exec PID [ARG...]` | those of a process; `file=PATH` (as typed), `exe=PATH` (the file that runs; the same unless there is an `interp=`), `interp=PATH` (of a script), `truncated`; with options, `--` stands before the arguments |
//! | `exit PID [END]` | `core`, `cpu=TIME`, `user=TIME` (of that, in user mode), `waited=TIME` (for a CPU), `rss=BYTES`, `read=BYTES`, `write=BYTES`, `minor=N`, `major=N`, `begun=N` (threads), `most=N`, `unmeasured` (no cost is known); of a signal: `by=PID` (who sent it), `cause=NAME` (`user` where `by=` is given) |
//! | `end PID` | an end that nobody saw |
//! | `uid PID UID` | `gid=N`, `ruid=N`, `rgid=N` |
//! | `comm PID NAME`, `parent PID PARENT` | |
//! | `exe PID PATH` | where the file that it runs is by now; `deleted`, `memfd` |
//! | `zombie PID`, `reaped PID` | one that has ended is not asked for yet, and is |
//! | `session PID` | `sid=N`, `pgid=N`, `nice=N`, `tty=NAME` (`?` for none), `login=UID`, `audit=N` (number of the login) |
//! | `move PID` | `cgroup_id=N`, `cgroup=PATH` |
//! | `cgroup ID PATH` | the path of a cgroup |
//! | `title PID` | `truncated`; `--` and arguments |
//! | `usage PID CPU` | CPU time so far, in ms without a unit; `user=TIME`, `waited=TIME`, `rss=BYTES`, `read=BYTES`, `write=BYTES`, `begun=N`, `threads=N`, `state=C` |
//! | `lost N` | lost forks; `lost fork=N exec=N exit=N cgroup=N` by kind |
//! | `tick` | time passes, and nothing happens |
//! | `at TIME`, `wait TIME` | when the next line happens: at that time, or so long after the last one |
//! | `every TIME` | how far apart lines are from here on; 1 s at first |
//!
//! Options of a process: `uid=N`, `gid=N`, `ruid=N`, `rgid=N`, `comm=NAME`, `threads=N`, `kernel`, `cgroup_id=N`, `pid_ns=N`,
//! `ns_pid=N`, and those of `session`.
//!
//! A TIME is a number with `ns`, `us`, `ms`, `s`, `m` or `h`, of seconds without: `90`, `1.5s`, `20ms`. BYTES may have `K`,
//! `M` or `G`. An END is an exit code, a signal's name or `unknown`. A PID means the process that was last found or forked under it; one
//! that never was started at its pid in nanoseconds; `12@3s` is the one that started at 3 s. Words are quoted with `'`
//! or `"`; `\xNN` is a byte; `#` begins a comment.
//!
//! Does not know what is made of the events.

mod words;

use std::fmt;

use rustc_hash::FxHashMap;

use crate::event::{
    Comm, Cost, Event, Exe, Execed, ExitStatus, Exited, Forked, Found, LossCount, LossKind, ProcKey, Task, Usage,
    Zombie,
};
use crate::killer::{KillCause, Killer, Sender};
use words::Line;
pub(crate) use words::Word;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

const LINES: &str = "found, fork, exec, exit, end, uid, comm, session, title, exe, parent, zombie, reaped, move, cgroup, usage, lost, tick, at, wait or every";
const FOUND_OPTIONS: &str =
    "an option of a process, exe=, cgroup=, truncated, repaired, zombie, zombie=, cpu=, or '--' and arguments";
const FORK_OPTIONS: &str = "a uid, an option of a process, or parent=";
const EXEC_OPTIONS: &str = "an option of a process, file=, exe=, interp= or truncated before '--' (arguments with a '--' need one before them)";
const TITLE_OPTIONS: &str = "truncated, or '--' and arguments";
const SESSION_OPTIONS: &str = "sid=, pgid=, nice=, tty=, login= or audit=";
const USAGE_OPTIONS: &str = "user=, waited=, rss=, read=, write=, begun=, threads= or state=";
const EXIT_OPTIONS: &str = "a code, a signal's name, core, cpu=, user=, waited=, rss=, read=, write=, minor=, major=, begun=, most=, unmeasured, by= or cause=";

/// What a line of a script says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// This happened.
    Event(Box<Event>),
    /// Time has passed up to here, boot-time nanoseconds.
    Tick(u64),
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// Its number, the first line being 1.
    pub line: usize,
    /// What is wrong in it.
    pub fault: Fault,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
    }
}

impl std::error::Error for ScriptError {}

/// What is wrong in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The word that is not understood, harmless to print; where one is missing, the last word there is.
    pub word: String,
    /// Nothing follows that word where something should.
    pub missing: bool,
    /// What there should be.
    pub expected: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { word, missing, expected } = self;
        if *missing {
            write!(f, "nothing follows '{word}': expected {expected}")
        } else {
            write!(f, "'{word}' is not understood: expected {expected}")
        }
    }
}

/// The steps of a whole script; its time begins at `origin_ns` of boot time.
///
/// # Errors
/// At the first line that cannot be read.
pub fn parse(text: &str, origin_ns: u64) -> Result<Vec<Step>, ScriptError> {
    let mut script = Script::new(origin_ns);
    let steps =
        (1..).zip(text.lines()).map(|(line, text)| script.line(text).map_err(|fault| ScriptError { line, fault }));
    steps.filter_map(Result::transpose).collect()
}

/// Reads a script line by line, and keeps what later lines refer to.
#[derive(Clone, Debug)]
pub struct Script {
    origin_ns: u64,
    /// When the last line happened.
    pub(crate) clock_ns: u64,
    /// When the next one does, if that was said.
    at_ns: Option<u64>,
    apart_ns: u64,
    tasks: FxHashMap<ProcKey, Task>,
    /// The start of the process that each pid means.
    starts: FxHashMap<u32, u64>,
}

impl Script {
    /// A script whose time begins at `origin_ns` of boot time.
    #[must_use]
    pub fn new(origin_ns: u64) -> Self {
        Self {
            origin_ns,
            clock_ns: origin_ns,
            at_ns: None,
            apart_ns: SECOND,
            tasks: FxHashMap::default(),
            starts: FxHashMap::default(),
        }
    }

    /// The process that a pid means now.
    #[must_use]
    pub fn key(&self, pid: u32) -> ProcKey {
        let never_mentioned = || if pid == 0 { 0 } else { self.origin_ns.saturating_add(u64::from(pid)) };
        ProcKey::new(pid, self.starts.get(&pid).copied().unwrap_or_else(never_mentioned))
    }

    /// Reads the next line; `None` for one that says nothing, or only when something happens.
    ///
    /// # Errors
    /// When it cannot be read; then it is as if it had not been there.
    pub fn line(&mut self, line: &str) -> Result<Option<Step>, Fault> {
        let words = words::split(line)?;
        let mut line = Line::new(&words);
        let Some(verb) = line.verb() else { return Ok(None) };
        let end = "the end of the line";
        if let "at" | "wait" | "every" = verb {
            let time_ns = line.time(SECOND)?;
            line.end(end)?;
            match verb {
                "at" => self.at_ns = Some(self.origin_ns.saturating_add(time_ns)),
                "wait" => self.at_ns = Some(self.clock_ns.saturating_add(time_ns)),
                _ => self.apart_ns = time_ns,
            }
            return Ok(None);
        }
        let ts_ns = self.at_ns.unwrap_or_else(|| self.clock_ns.saturating_add(self.apart_ns));
        let step = if verb == "tick" {
            line.end(end)?;
            Step::Tick(ts_ns)
        } else {
            Step::Event(Box::new(self.event(&words, ts_ns)?))
        };
        self.clock_ns = ts_ns;
        self.at_ns = None;
        Ok(Some(step))
    }

    /// The event that these words mean at that time.
    pub(crate) fn event(&mut self, words: &[Word], ts_ns: u64) -> Result<Event, Fault> {
        let mut line = Line::new(words);
        match line.verb() {
            Some("found") => self.found(&mut line, ts_ns),
            Some("fork") => self.fork(&mut line, ts_ns),
            Some("exec") => self.exec(&mut line, ts_ns),
            Some("exit") => self.exit(&mut line, ts_ns),
            Some("end") => {
                let key = self.process(&mut line)?;
                line.end("the end of the line")?;
                Ok(Event::Exit(Exited {
                    ts_ns,
                    key,
                    task: None,
                    status: ExitStatus::Unknown,
                    cost: None,
                    killer: None,
                }))
            }
            Some("uid") => {
                let mut task = self.task(&mut line)?;
                task.creds.uid = line.number("a uid")?;
                while let Some(option) = line.option() {
                    match option.name {
                        "gid" => task.creds.gid = option.number()?,
                        "ruid" => task.creds.ruid = option.number()?,
                        "rgid" => task.creds.rgid = option.number()?,
                        _ => return Err(option.unknown("gid=, ruid= or rgid=")),
                    }
                }
                line.end("gid=, ruid= or rgid=")?;
                let (key, creds) = (task.key, task.creds);
                self.keep(task);
                Ok(Event::Creds { ts_ns, key, creds })
            }
            Some("comm") => {
                let mut task = self.task(&mut line)?;
                task.comm = Comm::new(line.next("a name")?.bytes());
                line.end("the end of the line")?;
                let (key, comm) = (task.key, task.comm);
                self.keep(task);
                Ok(Event::Comm { ts_ns, key, comm })
            }
            Some("session") => {
                let mut task = self.task(&mut line)?;
                while let Some(option) = line.option() {
                    option.of_session(&mut task.session, SESSION_OPTIONS)?;
                }
                line.end(SESSION_OPTIONS)?;
                let (key, session) = (task.key, task.session);
                self.keep(task);
                Ok(Event::Session { ts_ns, key, session })
            }
            Some("title") => {
                let key = self.process(&mut line)?;
                let mut argv_truncated = false;
                while let Some(option) = line.option() {
                    match option.name {
                        "truncated" => argv_truncated = true,
                        _ => return Err(option.unknown(TITLE_OPTIONS)),
                    }
                }
                let argv = line.arguments()?.ok_or_else(|| line.fault(TITLE_OPTIONS))?;
                Ok(Event::Title { ts_ns, key, argv, argv_truncated })
            }
            Some("parent") => {
                let mut task = self.task(&mut line)?;
                task.parent = self.process(&mut line)?;
                line.end("the end of the line")?;
                let (key, parent) = (task.key, task.parent);
                self.keep(task);
                Ok(Event::Parent { ts_ns, key, parent })
            }
            Some("exe") => {
                let key = self.process(&mut line)?;
                let path = line.next("a path")?.bytes().into();
                let (mut deleted, mut memfd) = (false, false);
                while let Some(option) = line.option() {
                    match option.name {
                        "deleted" => deleted = true,
                        "memfd" => (deleted, memfd) = (true, true),
                        _ => return Err(option.unknown("deleted or memfd")),
                    }
                }
                line.end("deleted or memfd")?;
                Ok(Event::Exe { ts_ns, key, exe: Exe { path, deleted, memfd, truncated: false } })
            }
            Some("zombie") => {
                let key = self.process(&mut line)?;
                line.end("the end of the line")?;
                Ok(Event::Zombie { ts_ns, key })
            }
            Some("reaped") => {
                let key = self.process(&mut line)?;
                line.end("the end of the line")?;
                Ok(Event::Reaped { ts_ns, key })
            }
            Some("move") => {
                let (mut task, mut path) = (self.task(&mut line)?, None);
                while let Some(option) = line.option() {
                    match option.name {
                        "cgroup_id" => task.cgroup_id = Some(option.number()?),
                        "cgroup" => path = Some(option.bytes()?),
                        _ => return Err(option.unknown("cgroup_id= or cgroup=")),
                    }
                }
                line.end("cgroup_id= or cgroup=")?;
                let (key, cgroup_id) = (task.key, task.cgroup_id);
                self.keep(task);
                Ok(Event::Moved { ts_ns, key, cgroup_id, cgroup: path })
            }
            Some("cgroup") => {
                let (id, path) = (line.number("an id")?, line.next("a path")?.bytes().into());
                line.end("the end of the line")?;
                Ok(Event::Cgroup { ts_ns, id, path })
            }
            Some("usage") => self.usage(&mut line, ts_ns),
            Some("lost") => lost(&mut line, ts_ns),
            _ => Err(line.fault(LINES)),
        }
    }

    fn found(&mut self, line: &mut Line<'_>, ts_ns: u64) -> Result<Event, Fault> {
        let mut task = self.task(line)?;
        task.parent = self.process(line)?;
        let (mut exe, mut cgroup, mut argv_truncated, mut repaired) = (None, None, false, false);
        let (mut status, mut cpu_ns) = (None, 0);
        while let Some(option) = line.option() {
            match option.name {
                "exe" => exe = Some(Exe::at(option.bytes()?)),
                "cgroup" => cgroup = Some(option.bytes()?),
                "truncated" => argv_truncated = true,
                "repaired" => repaired = true,
                "zombie" if option.value.is_none() => status = Some(ExitStatus::Code(0)),
                "zombie" => status = Some(option.status()?),
                "cpu" => cpu_ns = option.time()?,
                _ => option.of_task(&mut task, FOUND_OPTIONS)?,
            }
        }
        let argv = line.arguments()?;
        let program = exe.as_ref().map(|exe| &*exe.path).or_else(|| argv.as_ref()?.iter().next()).map(program_name);
        if task.comm == invented_name(task.key) {
            task.comm = program.unwrap_or(task.comm);
        }
        let exited = status.map(|status| Zombie { status, cpu_ns, user_ns: None, run_delay_ns: None });
        self.keep(task.clone());
        Ok(Event::Process(Found { ts_ns, task, argv, argv_truncated, exe, cgroup, exited, repaired }))
    }

    fn fork(&mut self, line: &mut Line<'_>, ts_ns: u64) -> Result<Event, Fault> {
        let mut task = self.task(line)?;
        let forker = task.key;
        task.parent = forker;
        // A number of threads is not inherited.
        task.threads = 1;
        let (pid, start_ns) = line.pid()?;
        task.key = ProcKey::new(pid, start_ns.map_or(ts_ns, |start_ns| self.origin_ns.saturating_add(start_ns)));
        if let Some(uid) = line.next_number() {
            task.creds.uid = uid;
        }
        while let Some(option) = line.option() {
            match option.name {
                "parent" => task.parent = self.named(option.pid()?),
                _ => option.of_task(&mut task, FORK_OPTIONS)?,
            }
        }
        line.end(FORK_OPTIONS)?;
        self.keep(task.clone());
        Ok(Event::Fork(Forked { ts_ns, task, forker }))
    }

    fn exec(&mut self, line: &mut Line<'_>, ts_ns: u64) -> Result<Event, Fault> {
        let mut task = self.task(line)?;
        let (mut filename, mut comm, mut argv_truncated) = (None, None, false);
        let (mut exe, mut interp): (Option<Exe>, _) = (None, None);
        if line.has_separator() {
            while let Some(option) = line.option() {
                match option.name {
                    "file" => filename = Some(option.bytes()?),
                    "exe" => exe = Some(Exe::at(option.bytes()?)),
                    "interp" => interp = Some(option.bytes()?),
                    "comm" => comm = Some(Comm::new(&option.bytes()?)),
                    "truncated" => argv_truncated = true,
                    _ => option.of_task(&mut task, EXEC_OPTIONS)?,
                }
            }
        } else {
            line.separate();
        }
        let argv = line.arguments()?;
        let first = argv.as_ref().and_then(|argv| argv.iter().next());
        let filename = filename.or_else(|| first.map(Into::into));
        task.comm = comm.or_else(|| filename.as_deref().map(program_name)).unwrap_or(task.comm);
        self.keep(task.clone());
        // Whatever was typed is the file, unless something else is said.
        let file = || filename.clone().filter(|_| interp.is_none()).map(Exe::at);
        let exe = exe.or_else(file);
        Ok(Event::Exec(Execed { ts_ns, task, filename, exe, interp, argv, argv_truncated }))
    }

    fn exit(&mut self, line: &mut Line<'_>, ts_ns: u64) -> Result<Event, Fault> {
        let mut task = self.task(line)?;
        task.threads = 0;
        let mut status = line.next_status().unwrap_or(ExitStatus::Code(0));
        let mut cost = Some(Cost { cpu_ns: MS, ..Cost::default() });
        let (mut sender, mut cause) = (None, None);
        while let Some(option) = line.option() {
            let mut known = cost.unwrap_or_default();
            match (option.name, &mut status) {
                ("by", ExitStatus::Signal { .. }) => {
                    let Task { key, comm, creds, .. } = self.task_of(self.named(option.pid()?));
                    sender = Some(Sender { key, comm, uid: creds.uid });
                    continue;
                }
                ("cause", ExitStatus::Signal { .. }) => {
                    cause = Some(option.cause()?);
                    continue;
                }
                ("core", ExitStatus::Signal { core, .. }) => *core = true,
                ("cpu", _) => known.cpu_ns = option.time()?,
                ("user", _) => known.user_ns = Some(option.time()?),
                ("waited", _) => known.run_delay_ns = Some(option.time()?),
                ("rss", _) => known.max_rss_bytes = Some(option.size()?),
                ("read", _) => known.read_bytes = Some(option.size()?),
                ("write", _) => known.write_bytes = Some(option.size()?),
                ("begun", _) => known.threads_begun = Some(option.number()?),
                ("most", _) => known.threads_most = Some(option.number()?),
                ("minor", _) => known.minor_faults = option.number()?,
                ("major", _) => known.major_faults = option.number()?,
                ("unmeasured", _) => {
                    cost = None;
                    continue;
                }
                _ => return Err(option.unknown(EXIT_OPTIONS)),
            }
            cost = Some(known);
        }
        line.end(EXIT_OPTIONS)?;
        let killer = cause.or(sender.map(|_| KillCause::User)).map(|cause| Box::new(Killer { cause, sender }));
        Ok(Event::Exit(Exited { ts_ns, key: task.key, task: Some(task), status, cost, killer }))
    }

    fn usage(&mut self, line: &mut Line<'_>, ts_ns: u64) -> Result<Event, Fault> {
        let key = self.process(line)?;
        let cpu_ns = line.time(MS)?;
        let mut usage = Usage {
            ts_ns,
            key,
            cpu_ns,
            user_ns: None,
            run_delay_ns: None,
            rss_bytes: Some(4096),
            read_bytes: None,
            write_bytes: None,
            threads_begun: None,
            threads: 3,
            state: 'S',
        };
        while let Some(option) = line.option() {
            match option.name {
                "user" => usage.user_ns = Some(option.time()?),
                "waited" => usage.run_delay_ns = Some(option.time()?),
                "rss" => usage.rss_bytes = Some(option.size()?),
                "read" => usage.read_bytes = Some(option.size()?),
                "write" => usage.write_bytes = Some(option.size()?),
                "begun" => usage.threads_begun = Some(option.number()?),
                "threads" => usage.threads = option.number()?,
                "state" => usage.state = option.letter()?,
                _ => return Err(option.unknown(USAGE_OPTIONS)),
            }
        }
        line.end(USAGE_OPTIONS)?;
        Ok(Event::Usage(usage))
    }

    fn keep(&mut self, task: Task) {
        self.starts.insert(task.key.pid, task.key.start_ns);
        self.tasks.insert(task.key, task);
    }

    fn named(&self, (pid, start_ns): (u32, Option<u64>)) -> ProcKey {
        match start_ns {
            Some(start_ns) => ProcKey::new(pid, self.origin_ns.saturating_add(start_ns)),
            None => self.key(pid),
        }
    }

    fn process(&self, line: &mut Line<'_>) -> Result<ProcKey, Fault> {
        Ok(self.named(line.pid()?))
    }

    fn task(&self, line: &mut Line<'_>) -> Result<Task, Fault> {
        Ok(self.task_of(self.process(line)?))
    }

    fn task_of(&self, key: ProcKey) -> Task {
        self.tasks
            .get(&key)
            .cloned()
            .unwrap_or_else(|| Task { comm: invented_name(key), ..Task::of(key, ProcKey::SWAPPER) })
    }
}

/// The name of a process of which none was said.
fn invented_name(key: ProcKey) -> Comm {
    Comm::new(format!("p{}", key.pid).as_bytes())
}

/// The name that a program gives its process.
fn program_name(path: &[u8]) -> Comm {
    Comm::new(path.rsplit(|&byte| byte == b'/').next().unwrap_or(path))
}

fn lost(line: &mut Line<'_>, ts_ns: u64) -> Result<Event, Fault> {
    const EXPECTED: &str = "a number of forks, or fork=, exec=, exit= and cgroup=";
    let mut count = LossCount::of(LossKind::Fork, line.next_number().unwrap_or(0));
    while let Some(option) = line.option() {
        match LossKind::ALL.into_iter().find(|kind| kind.name() == option.name) {
            Some(kind) => count[kind] = option.number()?,
            None => return Err(option.unknown(EXPECTED)),
        }
    }
    if count.total() == 0 {
        line.next(EXPECTED)?;
    }
    line.end(EXPECTED)?;
    Ok(Event::Lost { ts_ns, count })
}

#[cfg(test)]
mod tests;
