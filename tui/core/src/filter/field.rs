//! The table of fields: what may be asked of a process, and where it is found. Parser, completion and help all read it.
//!
//! The only place of the filter that looks into a [`Process`].

use std::borrow::Cow;

use super::Depends;
use super::eval::Judge;
use super::expr::Op;
use super::text::Literal;
use super::value::Unit;
use crate::cgroup;
use crate::event::ExitStatus;
use crate::process::{Image, Lifecycle, Process};
use crate::text::signal_name;
use crate::tree::Lineage;

/// Something that may be asked of a process.
#[derive(Debug)]
pub struct Field {
    /// Its name in an expression.
    pub name: &'static str,
    /// What it is, in one line.
    pub description: &'static str,
    /// An expression that uses it.
    pub example: &'static str,
    pub(super) kind: Kind,
    depends: Depends,
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// The fields that a [`Sender`](crate::killer::Sender) has as well, as it was when it sent a signal.
const OF_A_SENDER: [&str; 4] = ["pid", "user", "uid", "comm"];

type Figure = fn(&Judge<'_, '_>, &Process) -> Option<u64>;
type Text = for<'p> fn(&'p Judge<'_, '_>, &'p Process) -> Option<Cow<'p, [u8]>>;
/// Whether a text of a process is the one that was typed, whole or in short.
type Is = fn(&Literal, &[u8]) -> bool;

/// What kind of value a field has, and how it is read; `None` is what is not known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Figure(Unit, Figure),
    Text(Text, Is),
    State,
    Flag(fn(&Process) -> bool),
    Signal,
    Subtree,
}

impl Kind {
    /// What it may be compared with.
    pub(super) const fn ops(self) -> &'static [Op] {
        use Op::{AtLeast, AtMost, Equal, Less, Match, More, NoMatch, Unequal};
        match self {
            Self::Figure(..) => &[Equal, Unequal, Less, AtMost, More, AtLeast],
            Self::Text(..) | Self::Signal => &[Equal, Unequal, Match, NoMatch],
            Self::State | Self::Flag(_) | Self::Subtree => &[Equal, Unequal],
        }
    }
}

const CONSTANT: Depends = Depends { measured: false, share: false, time: false, place: false, names: false };
const MEASURED: Depends = Depends { measured: true, ..CONSTANT };
const SHARED: Depends = Depends { share: true, ..MEASURED };
const TIMED: Depends = Depends { time: true, ..CONSTANT };
const PLACED: Depends = Depends { place: true, ..CONSTANT };

const NAMED: Depends = Depends { names: true, ..CONSTANT };

/// The table, in the order of the help.
pub const FIELDS: &[Field] = &[
    field("pid", "process id", "pid=1234", count(|_, p| Some(p.key.pid.into())), CONSTANT),
    field("ppid", "parent's process id", "ppid=1", count(ppid), CONSTANT),
    field("user", "effective user's name", "user=root", Kind::Text(user, whole), NAMED),
    field("uid", "effective user's number", "uid>=1000", count(|_, p| Some(p.creds().uid.into())), CONSTANT),
    field("gid", "effective group's number", "gid=0", count(|_, p| Some(p.creds().gid.into())), CONSTANT),
    field("comm", "name", "comm=make", Kind::Text(|_, p| Some(p.comm().as_bytes().into()), whole), CONSTANT),
    field("exe", "program's path, or the end of it", "exe=/usr/bin/cc", Kind::Text(exe, path), CONSTANT),
    field(
        "filename",
        "program's path as typed; a script's own",
        "filename=./configure",
        Kind::Text(filename, path),
        CONSTANT,
    ),
    field("interp", "interpreter that a script names", "interp=/bin/sh", Kind::Text(interp, path), CONSTANT),
    field("deleted", "its program's file was deleted: yes, no", "deleted=yes", Kind::Flag(is_deleted), CONSTANT),
    field("memfd", "its program is in memory alone: yes, no", "memfd=yes", Kind::Flag(is_memfd), CONSTANT),
    field("argv", "command line; = also one argument", "argv=--verbose", Kind::Text(argv, argument), CONSTANT),
    field("cgroup", "cgroup's path", "cgroup~^/system", Kind::Text(|_, p| Some(p.cgroup()?.into()), whole), CONSTANT),
    field("container", "container's id, or how it begins", "container~.", Kind::Text(container, beginning), CONSTANT),
    field("unit", "systemd unit, with or without .service", "unit=cron", Kind::Text(unit, stem), CONSTANT),
    field("state", "how it is: alive, dead, failed, running ...", "state=failed", Kind::State, MEASURED),
    field("code", "exit code", "code!=0", count(code), CONSTANT),
    field("signal", "signal that killed it", "signal=KILL", Kind::Signal, CONSTANT),
    field("oom", "killed for lack of memory: yes, no", "oom=yes", Kind::Flag(Process::is_out_of_memory), CONSTANT),
    field("lifetime", "how long it has lived or lived", "lifetime<10ms", Kind::Figure(Unit::Time, lifetime), TIMED),
    field("cpu", "share of one CPU while it lives", "cpu>50%", Kind::Figure(Unit::Share, cpu), SHARED),
    field("time", "CPU time", "time>=1m30s", Kind::Figure(Unit::Time, time), MEASURED),
    field("utime", "CPU time in user mode", "utime>10s", Kind::Figure(Unit::Time, user_time), MEASURED),
    field("stime", "CPU time in the kernel", "stime>10s", Kind::Figure(Unit::Time, system_time), MEASURED),
    field("rss", "memory in use; of the dead, its peak", "rss>100MiB", Kind::Figure(Unit::Bytes, rss), MEASURED),
    field("run_delay", "time spent waiting for a CPU", "run_delay>1s", Kind::Figure(Unit::Time, run_delay), MEASURED),
    field("read", "bytes read from storage", "read>1GiB", Kind::Figure(Unit::Bytes, bytes_read), MEASURED),
    field("write", "bytes written to storage", "write>1GiB", Kind::Figure(Unit::Bytes, written), MEASURED),
    field("read_rate", "bytes read per second, now", "read_rate>1MiB", Kind::Figure(Unit::Bytes, read_rate), SHARED),
    field(
        "write_rate",
        "bytes written per second, now",
        "write_rate>1MiB",
        Kind::Figure(Unit::Bytes, write_rate),
        SHARED,
    ),
    field("depth", "levels above it in the tree", "depth>5", count(|judge, p| Some(judge.depth(p))), PLACED),
    field("children", "children in the tree", "children>100", count(|judge, p| Some(judge.children(p))), PLACED),
    field("execs", "programs it was seen to start", "execs>=3", count(execs), CONSTANT),
    field("threads", "threads while it lives", "threads>=8", count(threads), MEASURED),
    field("threads_begun", "threads that it has had", "threads_begun>100", count(threads_begun), MEASURED),
    field("threads_most", "threads at once, of the dead", "threads_most>8", count(threads_most), CONSTANT),
    field("sid", "session: the pid that began it", "sid=1234", count(|_, p| Some(p.session().sid?.into())), CONSTANT),
    field("pgid", "process group", "pgid=1234", count(|_, p| Some(p.session().pgid?.into())), CONSTANT),
    field("tty", "terminal; ? for none", "tty=pts/3", Kind::Text(tty, whole), CONSTANT),
    field("nice", "nice value", "nice>0", Kind::Figure(Unit::Signed, nice), CONSTANT),
    field("login", "name of who logged in", "login=root", Kind::Text(login, whole), NAMED),
    field("login_uid", "number of who logged in", "login_uid=1000", count(login_uid), CONSTANT),
    field("audit_session", "number of the login, by audit", "audit_session=3", count(audit_session), CONSTANT),
    field("kernel", "whether it is of the kernel: yes, no", "kernel=yes", Kind::Flag(Process::is_kernel), CONSTANT),
    field("tree", "the process with this pid and all below it", "tree=1234", Kind::Subtree, PLACED),
];

/// What fields are called elsewhere, by `ps` or by the headings of the screen.
pub(super) const SYNONYMS: &[(&str, &str)] = &[
    ("name", "comm"),
    ("process", "comm"),
    ("proc", "comm"),
    ("program", "exe"),
    ("path", "exe"),
    ("file", "exe"),
    ("interpreter", "interp"),
    ("shebang", "interp"),
    ("unlinked", "deleted"),
    ("command", "argv"),
    ("cmd", "argv"),
    ("cmdline", "argv"),
    ("args", "argv"),
    ("arguments", "argv"),
    ("owner", "user"),
    ("username", "user"),
    ("group", "gid"),
    ("service", "unit"),
    ("status", "state"),
    ("stat", "state"),
    ("exit", "code"),
    ("exitcode", "code"),
    ("exit_code", "code"),
    ("sig", "signal"),
    ("age", "lifetime"),
    ("elapsed", "lifetime"),
    ("etime", "lifetime"),
    ("life", "lifetime"),
    ("cputime", "time"),
    ("cpu_time", "time"),
    ("mem", "rss"),
    ("memory", "rss"),
    ("res", "rss"),
    ("level", "depth"),
    ("spawned", "children"),
    ("nlwp", "threads"),
    ("session", "sid"),
    ("sess", "sid"),
    ("pgrp", "pgid"),
    ("tt", "tty"),
    ("tname", "tty"),
    ("terminal", "tty"),
    ("ni", "nice"),
    ("luid", "login_uid"),
    ("loginuid", "login_uid"),
    ("auid", "login_uid"),
    ("sessionid", "audit_session"),
    ("lsession", "audit_session"),
    ("user_time", "utime"),
    ("system_time", "stime"),
    ("wait", "run_delay"),
    ("kthread", "kernel"),
    ("subtree", "tree"),
];

/// How fields and texts are put together, for the help: what is typed, and what it means.
pub const SYNTAX: [(&str, &str); 8] = [
    ("sshd", "in name, command or user; begins the pid"),
    ("\"a b\"  'a b'", "a text with spaces, or with marks in it"),
    ("/^(cc|ld)$/  ~ld$", "a regular expression"),
    ("a b   a or b", "both; either; also &&, || and parentheses"),
    ("not a   !a", "what does not match"),
    ("= != < <= > >=", "compare a field; units: 10s 5MiB 10k 50%"),
    ("~ !~", "matches a regular expression, or does not"),
    ("@name", "what the config's filter of this name says"),
];

/// What may stand before any term: the prefix, what it means, an expression.
pub const PREFIXES: [(&str, &str, &str); 3] = [
    ("parent:", "holds of the parent", "parent:comm=make"),
    ("ancestor:", "holds of the parent or of one above", "ancestor:sshd"),
    ("killer:", "holds of who killed it by a signal", "killer:comm=cron.sh"),
];

const fn field(
    name: &'static str,
    description: &'static str,
    example: &'static str,
    kind: Kind,
    depends: Depends,
) -> Field {
    Field { name, description, example, kind, depends }
}

const fn count(read: Figure) -> Kind {
    Kind::Figure(Unit::Count, read)
}

impl Field {
    /// The field of a name; its letters may be of either case.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The name of the field that is called so elsewhere.
    pub(super) fn meant_by(name: &str) -> Option<&'static str> {
        SYNONYMS.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, field)| *field)
    }

    /// The operator that its example has.
    #[must_use]
    pub fn usual_operator(&self) -> &'static str {
        let rest = &self.example[self.name.len()..];
        &rest[..rest.len() - rest.trim_start_matches(['=', '!', '<', '>', '~']).len()]
    }

    pub(super) fn depends(&self) -> Depends {
        self.depends
    }

    /// Whether it is known of who sent a signal, whatever has become of that process.
    pub(super) fn is_of_sender(&self) -> bool {
        OF_A_SENDER.contains(&self.name)
    }

    /// What its figures count.
    pub(super) fn unit(&self) -> Unit {
        match self.kind {
            Kind::Figure(unit, _) => unit,
            _ => Unit::Count,
        }
    }
}

fn ppid(judge: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    let parent = match judge.context().lineage {
        Lineage::Forked => process.forker(),
        Lineage::Kernel => process.kernel_parent(),
    };
    Some(parent.pid.into())
}

/// The number, where there is no name.
fn user<'p>(judge: &'p Judge<'_, '_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    Some(match (judge.context().user)(process.creds().uid) {
        "" => process.creds().uid.to_string().into_bytes().into(),
        name => name.as_bytes().into(),
    })
}

fn exe<'p>(_: &'p Judge<'_, '_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    process.program()?.exe().map(Cow::Borrowed)
}

fn filename<'p>(_: &'p Judge<'_, '_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    process.program()?.filename().map(Cow::Borrowed)
}

fn interp<'p>(_: &'p Judge<'_, '_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    process.program()?.interp().map(Cow::Borrowed)
}

fn is_deleted(process: &Process) -> bool {
    process.program().is_some_and(Image::is_deleted)
}

fn is_memfd(process: &Process) -> bool {
    process.program().is_some_and(Image::is_memfd)
}

/// Of a process that was found, how many it had started before is not known.
fn execs(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    (process.are_execs_all() || process.execs() > 0).then(|| process.execs().into())
}

fn argv<'p>(_: &'p Judge<'_, '_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    command_line(process).map(Cow::Borrowed)
}

/// The arguments with a NUL between them.
pub(super) fn command_line(process: &Process) -> Option<&[u8]> {
    let bytes = process.program()?.argv.as_ref()?.as_bytes();
    Some(bytes.strip_suffix(&[0]).unwrap_or(bytes))
}

fn container<'p>(_: &'p Judge<'_, '_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    cgroup::container(process.cgroup()?)
}

fn unit<'p>(_: &'p Judge<'_, '_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    cgroup::unit(process.cgroup()?)
}

fn code(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    match process.exit_status()? {
        ExitStatus::Code(code) => Some(code.into()),
        _ => None,
    }
}

/// The number of the signal that killed it.
pub(super) fn signal(process: &Process) -> Option<u8> {
    match process.exit_status()? {
        ExitStatus::Signal { signal, .. } => Some(signal),
        _ => None,
    }
}

fn lifetime(judge: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    Some(process.lifetime_ns(judge.context().now_ns))
}

fn cpu(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is never negative")]
    let share = (f64::from(process.cpu_share()) * 100_000.0).round() as u64;
    (process.is_alive() && process.is_measured()).then_some(share)
}

fn time(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    let known = match process.life() {
        Lifecycle::Running => process.is_measured(),
        Lifecycle::Exited { inferred, status, .. } => !inferred || status != ExitStatus::Unknown,
    };
    known.then(|| process.cost().cpu_ns)
}

fn user_time(judge: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    time(judge, process)?;
    process.cost().user_ns
}

fn system_time(judge: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    time(judge, process)?;
    process.cost().system_ns()
}

fn run_delay(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    process.cost().run_delay_ns
}

fn bytes_read(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    process.cost().read_bytes
}

fn written(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    process.cost().write_bytes
}

fn read_rate(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    process.read_rate().map(whole_rate)
}

fn write_rate(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    process.write_rate().map(whole_rate)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is never negative")]
fn whole_rate(rate: f32) -> u64 {
    rate.round() as u64
}

fn threads_begun(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    process.cost().threads_begun.map(u64::from)
}

fn threads_most(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    process.cost().threads_most.map(u64::from)
}

fn tty<'p>(_: &'p Judge<'_, '_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    Some(process.session().tty?.as_bytes().to_vec().into())
}

fn nice(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    process.session().nice.map(|nice| Unit::signed(nice.into()))
}

/// The number, where there is no name.
fn login<'p>(judge: &'p Judge<'_, '_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    let uid = process.session().login()?;
    Some(match (judge.context().user)(uid) {
        "" => uid.to_string().into_bytes().into(),
        name => name.as_bytes().into(),
    })
}

fn login_uid(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    process.session().login_uid.map(u64::from)
}

fn audit_session(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    process.session().audit_session.map(u64::from)
}

fn rss(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    if process.is_alive() { process.rss_bytes() } else { process.cost().max_rss_bytes }
}

fn threads(_: &Judge<'_, '_>, process: &Process) -> Option<u64> {
    (process.is_alive() && process.threads() > 0).then(|| process.threads().into())
}

fn whole(typed: &Literal, text: &[u8]) -> bool {
    typed.is(text)
}

/// All of a path, or its end from a slash on.
fn path(typed: &Literal, text: &[u8]) -> bool {
    let end = text.len().checked_sub(typed.text().len());
    typed.is(text) || end.is_some_and(|end| end > 0 && text[end - 1] == b'/' && typed.is(&text[end..]))
}

/// All of a command line, or one of its arguments.
fn argument(typed: &Literal, text: &[u8]) -> bool {
    typed.is(text) || text.split(|&byte| byte == 0).any(|argument| typed.is(argument))
}

/// How it begins.
fn beginning(typed: &Literal, text: &[u8]) -> bool {
    readable(typed, |typed| text.get(..typed.text().len()).is_some_and(|start| typed.is(start)))
}

/// All of it, or without what follows the last dot.
fn stem(typed: &Literal, text: &[u8]) -> bool {
    let dot = text.iter().rposition(|&byte| byte == b'.');
    readable(typed, |typed| typed.is(text) || dot.is_some_and(|dot| typed.is(&text[..dot])))
}

/// Whether this holds of what was typed, as it is or without the escapes with which `systemctl` writes a name.
fn readable(typed: &Literal, holds: impl Fn(&Literal) -> bool) -> bool {
    let without = || String::from_utf8(cgroup::readable(typed.text().as_bytes()).into_owned()).ok();
    holds(typed) || typed.text().contains('\\') && without().is_some_and(|without| holds(&Literal::new(&without)))
}

/// How a process may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Alive,
    Dead,
    Failed,
    Zombie,
    /// Alive, and this is its run state.
    Run(char),
}

impl State {
    /// Names, and the letters of those that have one.
    pub(super) const NAMES: [(&'static str, &'static str, Self); 10] = [
        ("alive", "", Self::Alive),
        ("dead", "", Self::Dead),
        ("failed", "", Self::Failed),
        ("running", "R", Self::Run('R')),
        ("sleeping", "S", Self::Run('S')),
        ("waiting", "D", Self::Run('D')),
        ("idle", "I", Self::Run('I')),
        ("stopped", "T", Self::Run('T')),
        ("traced", "t", Self::Run('t')),
        ("zombie", "Z", Self::Zombie),
    ];

    /// The state of a name or of a letter, as `ps` writes it.
    pub(super) fn named(name: &str) -> Option<Self> {
        let named = |(full, letter, _): &&(&str, &str, Self)| {
            full.eq_ignore_ascii_case(name) || !letter.is_empty() && *letter == name
        };
        Self::NAMES.iter().find(named).map(|(_, _, state)| *state)
    }

    pub(super) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, _, state)| *state == self).map_or("", |(name, _, _)| name)
    }

    /// Whether a process is so; `None` where that is not known.
    pub(super) fn is_of(self, process: &Process) -> Option<bool> {
        match (self, process.life()) {
            (Self::Alive, life) => Some(life == Lifecycle::Running),
            (Self::Dead, life) => Some(life != Lifecycle::Running),
            (Self::Failed, Lifecycle::Running) => Some(false),
            (Self::Failed, Lifecycle::Exited { status, .. }) => {
                (status != ExitStatus::Unknown).then_some(status.is_failure())
            }
            (Self::Zombie, Lifecycle::Exited { .. }) => Some(process.is_zombie()),
            (_, Lifecycle::Running) if process.state() == '?' => None,
            (Self::Zombie, Lifecycle::Running) => Some(process.state() == 'Z'),
            (Self::Run(state), life) => Some(life == Lifecycle::Running && process.state() == state),
        }
    }
}

/// The signal of a number or a name, with or without SIG.
pub(super) fn signal_named(name: &str) -> Option<u8> {
    if let Ok(number) = name.parse::<u8>() {
        return Some(number).filter(|number| (1..=64).contains(number));
    }
    signal_names()
        .find(|(_, full)| {
            full.eq_ignore_ascii_case(name) || full.get(3..).is_some_and(|short| short.eq_ignore_ascii_case(name))
        })
        .map(|(number, _)| number)
}

/// All signals with their names.
pub(super) fn signal_names() -> impl Iterator<Item = (u8, Cow<'static, str>)> {
    (1..=64).map(|number| (number, signal_name(number)))
}
