//! Facts into lines. Everything that an event holds is written, so that [`super::Reader`] gives it back.

use std::io::{self, Write};

use ptree_core::alert::{Alert, Cause};
use ptree_core::event::{Cost, Creds, Event, Exe, Execed, Exited, Forked, Found, Task, Usage};
use ptree_core::killer::{KillCause, Killer};
use ptree_core::text::signal_name;
use ptree_core::{Argv, ExitStatus, Image, LossCount, ProcKey, Session};
use serde::Serialize;

use super::line::{Args, By, Heading, Line, Text};
use super::{SCHEMA, kind};
use crate::{Header, TimeAnchor};

/// Writes the first line of a stream; `source` is `live`, `replay` or `synth`.
///
/// # Errors
/// When `out` fails.
pub fn write_header(out: &mut impl Write, header: &Header, source: &str) -> io::Result<()> {
    let heading = Heading {
        schema: Some(SCHEMA),
        version: Some(Text::new(&header.version)),
        host: Some(Text::new(&header.host)),
        kernel: Some(Text::new(&header.kernel)),
        boot_id: Some(Text::new(&header.boot_id)),
        boottime_ns: Some(header.anchor.boottime_ns),
        unix_ns: Some(header.anchor.unix_ns),
        source: Some(Text::new(source)),
        degraded: (!header.degraded.is_empty()).then(|| header.degraded.iter().map(Text::new).collect()),
        ..Heading::of(kind::HEADER)
    };
    write_line(out, &heading)
}

/// What is known beside an event, for whoever reads a line without those before it. No reader of ours needs it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// Wall time, in RFC 3339.
    pub time: Option<&'a str>,
    /// Name of the user.
    pub user: Option<&'a [u8]>,
    /// Arguments of a process that ends.
    pub argv: Option<&'a Argv>,
    /// They were cut.
    pub argv_truncated: bool,
    /// Program of a process that ends.
    pub program: Program<'a>,
    /// Programs that it has started.
    pub execs: Option<u32>,
    /// systemd unit.
    pub unit: Option<&'a [u8]>,
    /// Container.
    pub container: Option<&'a [u8]>,
}

/// Which files a program is of: see [`Execed`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Program<'a> {
    /// Path of the file that runs.
    pub exe: Option<&'a [u8]>,
    /// It has been deleted.
    pub deleted: bool,
    /// It is in memory alone.
    pub memfd: bool,
    /// The path lacks its beginning.
    pub truncated: bool,
    /// What was typed.
    pub filename: Option<&'a [u8]>,
    /// What a script names.
    pub interp: Option<&'a [u8]>,
}

impl<'a> From<&'a Image> for Program<'a> {
    fn from(image: &'a Image) -> Self {
        Self {
            exe: image.exe(),
            deleted: image.is_deleted(),
            memfd: image.is_memfd(),
            truncated: image.is_exe_truncated(),
            filename: image.filename(),
            interp: image.interp(),
        }
    }
}

/// Writes an event, with what else is known.
///
/// # Errors
/// When `out` fails.
pub fn write_event(out: &mut impl Write, event: &Event, known: &Known<'_>) -> io::Result<()> {
    let Known { time, user, argv, argv_truncated, program, execs, unit, container } = *known;
    let mut line = event_line(event);
    (line.time, line.user) = (time.map(Text::new), user.map(Text::new));
    match event {
        Event::Process(_) | Event::Exec(_) | Event::Exit(_) | Event::Moved { .. } | Event::Cgroup { .. } => {
            (line.unit, line.container) = (unit.map(Text::new), container.map(Text::new));
        }
        Event::Fork(_)
        | Event::Creds { .. }
        | Event::Comm { .. }
        | Event::Parent { .. }
        | Event::Title { .. }
        | Event::Exe { .. }
        | Event::Zombie { .. }
        | Event::Reaped { .. }
        | Event::Session { .. }
        | Event::Usage(_)
        | Event::Lost { .. } => {}
    }
    if let Event::Exit(_) = event {
        line.argv = argv.cloned().map(Args);
        line.argv_truncated = flag(argv_truncated);
        line.exe = program.exe.map(Text::new);
        line.exe_deleted = flag(program.deleted);
        line.exe_memfd = flag(program.memfd);
        line.exe_truncated = flag(program.truncated);
        line.filename = program.filename.map(Text::new);
        line.interp = program.interp.map(Text::new);
        line.execs = execs;
    }
    write_line(out, &line)
}

fn event_line(event: &Event) -> Line<'_> {
    match event {
        Event::Process(found) => process(found),
        Event::Fork(fork) => forked(fork),
        Event::Exec(exec) => execed(exec),
        Event::Exit(exit) => exited(exit),
        Event::Creds { ts_ns, key, creds } => about(kind::UID, *ts_ns, *key).with_creds(*creds),
        Event::Comm { ts_ns, key, comm } => {
            Line { comm: Some(Text::new(comm.as_bytes())), ..about(kind::COMM, *ts_ns, *key) }
        }
        Event::Title { ts_ns, key, argv, argv_truncated } => Line {
            argv: Some(Args(argv.clone())),
            argv_truncated: flag(*argv_truncated),
            ..about(kind::TITLE, *ts_ns, *key)
        },
        Event::Exe { ts_ns, key, exe } => about(kind::EXE, *ts_ns, *key).with_exe(Some(exe)),
        Event::Session { ts_ns, key, session } => about(kind::SESSION, *ts_ns, *key).with_session(session),
        Event::Parent { ts_ns, key, parent } => about(kind::PARENT, *ts_ns, *key).with_parent(*parent),
        Event::Zombie { ts_ns, key } => about(kind::ZOMBIE, *ts_ns, *key),
        Event::Reaped { ts_ns, key } => about(kind::REAPED, *ts_ns, *key),
        Event::Moved { ts_ns, key, cgroup_id, cgroup } => {
            Line { cgroup_id: *cgroup_id, cgroup: cgroup.as_deref().map(Text::new), ..about(kind::MOVE, *ts_ns, *key) }
        }
        Event::Usage(usage) => used(usage),
        Event::Cgroup { ts_ns, id, path } => {
            Line { ts_ns: Some(*ts_ns), cgroup_id: Some(*id), cgroup: Some(Text::new(path)), ..Line::of(kind::CGROUP) }
        }
        Event::Lost { ts_ns, count } => {
            let LossCount { fork, exec, exit, cgroup } = *count;
            Line {
                ts_ns: Some(*ts_ns),
                count: Some(count.total()),
                fork: Some(fork),
                exec: Some(exec),
                exit: Some(exit),
                cgroups: (cgroup != 0).then_some(cgroup),
                ..Line::of(kind::LOST)
            }
        }
    }
}

/// Writes the name of a user, so that a reader elsewhere need not know it.
///
/// # Errors
/// When `out` fails.
pub fn write_user(out: &mut impl Write, uid: u32, name: &str) -> io::Result<()> {
    write_line(out, &Line { uid: Some(uid), name: Some(Text::new(name)), ..Line::of(kind::USER) })
}

/// Writes what the wall clock shows at a moment of boot time, by which all times are to be told from here on.
///
/// # Errors
/// When `out` fails.
pub fn write_clock(out: &mut impl Write, anchor: TimeAnchor) -> io::Result<()> {
    let TimeAnchor { boottime_ns, unix_ns } = anchor;
    write_line(out, &Line { ts_ns: Some(boottime_ns), unix_ns: Some(unix_ns), ..Line::of(kind::CLOCK) })
}

/// What has become of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertStage {
    /// It is told for the first time.
    Raised,
    /// It names another process.
    Changed,
    /// It is over.
    Cleared,
}

/// Writes an alert as it is raised, changes or ends; `time` is that on the wall clock, where it is wanted.
///
/// # Errors
/// When `out` fails.
pub fn write_alert(
    out: &mut impl Write,
    ts_ns: u64,
    time: Option<&str>,
    alert: &Alert,
    stage: AlertStage,
) -> io::Result<()> {
    let level = match stage {
        AlertStage::Raised => "raised",
        AlertStage::Changed => "changed",
        AlertStage::Cleared => "cleared",
    };
    let (rate, peak, share, count) = match &alert.cause {
        // Where none stands out, there is no share.
        Cause::SpawnRate { rate, peak, share, .. } => (Some(*rate), Some(*peak), alert.culprit.map(|_| *share), None),
        Cause::Match { count, .. } => (None, None, None, Some(*count)),
    };
    let message = alert.to_string();
    let line = Line {
        id: Some(alert.id),
        rate,
        peak,
        share,
        count,
        ts_ns: Some(ts_ns),
        time: time.map(Text::new),
        pid: alert.culprit.map(|key| key.pid),
        start_ns: alert.culprit.map(|key| key.start_ns),
        rule: Some(Text::new(alert.rule())),
        level: Some(Text::new(level)),
        message: Some(Text::new(&message)),
        ..Line::of(kind::ALERT)
    };
    write_line(out, &line)
}

fn write_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

fn process(found: &Found) -> Line<'_> {
    Line {
        threads: Some(found.task.threads),
        argv: found.argv.clone().map(Args),
        argv_truncated: flag(found.argv_truncated),
        cgroup: found.cgroup.as_deref().map(Text::new),
        zombie: flag(found.exited.is_some()),
        cpu_ns: found.exited.map(|zombie| zombie.cpu_ns),
        user_ns: found.exited.and_then(|zombie| zombie.user_ns),
        system_ns: found.exited.and_then(|zombie| Some(zombie.cpu_ns.saturating_sub(zombie.user_ns?))),
        run_delay_ns: found.exited.and_then(|zombie| zombie.run_delay_ns),
        repaired: flag(found.repaired),
        ..about(kind::PROCESS, found.ts_ns, found.task.key).with_task(&found.task)
    }
    .with_exe(found.exe.as_ref())
    .with_end(found.exited.map_or(ExitStatus::Unknown, |zombie| zombie.status))
}

fn forked(fork: &Forked) -> Line<'_> {
    let kernel_parent = (fork.task.parent != fork.forker).then_some(fork.task.parent);
    Line {
        kernel_ppid: kernel_parent.map(|parent| parent.pid),
        kernel_parent_start_ns: kernel_parent.map(|parent| parent.start_ns),
        ..about(kind::FORK, fork.ts_ns, fork.task.key).with_task(&fork.task)
    }
    .with_parent(fork.forker)
}

fn execed(exec: &Execed) -> Line<'_> {
    Line {
        filename: exec.filename.as_deref().map(Text::new),
        argv: exec.argv.clone().map(Args),
        argv_truncated: flag(exec.argv_truncated),
        interp: exec.interp.as_deref().map(Text::new),
        ..about(kind::EXEC, exec.ts_ns, exec.task.key).with_task(&exec.task)
    }
    .with_exe(exec.exe.as_ref())
}

fn exited(exit: &Exited) -> Line<'_> {
    let mut line = Line {
        oom: flag(exit.killer.as_ref().is_some_and(|killer| killer.cause == KillCause::Oom)),
        killer: exit.killer.as_deref().map(by),
        ..about(kind::EXIT, exit.ts_ns, exit.key).with_end(exit.status)
    };
    if let Some(task) = &exit.task {
        line = Line { threads: None, ..line.with_task(task) };
    }
    line.lifetime_ns = Some(exit.ts_ns.saturating_sub(exit.key.start_ns));
    line.inferred = flag(exit.cost.is_none());
    let Some(cost) = exit.cost else { return line };
    let system_ns = cost.system_ns();
    let Cost {
        cpu_ns,
        user_ns,
        run_delay_ns,
        max_rss_bytes,
        read_bytes,
        write_bytes,
        threads_begun,
        threads_most,
        minor_faults,
        major_faults,
    } = cost;
    Line {
        cpu_ns: Some(cpu_ns),
        user_ns,
        system_ns,
        run_delay_ns,
        max_rss_bytes,
        read_bytes,
        write_bytes,
        threads_begun,
        threads_most,
        minor_faults: Some(minor_faults),
        major_faults: Some(major_faults),
        ..line
    }
}

fn by(killer: &Killer) -> By<'_> {
    let sender = killer.sender.as_ref();
    By {
        pid: sender.map(|sender| sender.key.pid),
        start_ns: sender.map(|sender| sender.key.start_ns),
        comm: sender.map(|sender| Text::new(sender.comm.as_bytes())),
        uid: sender.map(|sender| sender.uid),
        cause: killer.cause.name().into(),
    }
}

fn used(usage: &Usage) -> Line<'static> {
    Line {
        cpu_ns: Some(usage.cpu_ns),
        user_ns: usage.user_ns,
        system_ns: usage.user_ns.map(|user_ns| usage.cpu_ns.saturating_sub(user_ns)),
        run_delay_ns: usage.run_delay_ns,
        rss_bytes: usage.rss_bytes,
        read_bytes: usage.read_bytes,
        write_bytes: usage.write_bytes,
        threads_begun: usage.threads_begun,
        threads: Some(usage.threads),
        state: Some(usage.state),
        ..about(kind::USAGE, usage.ts_ns, usage.key)
    }
}

fn about(kind: &'static str, ts_ns: u64, key: ProcKey) -> Line<'static> {
    Line { ts_ns: Some(ts_ns), pid: Some(key.pid), start_ns: Some(key.start_ns), ..Line::of(kind) }
}

fn flag(value: bool) -> Option<bool> {
    value.then_some(true)
}

impl<'a> Line<'a> {
    fn with_parent(self, parent: ProcKey) -> Self {
        Self { ppid: Some(parent.pid), parent_start_ns: Some(parent.start_ns), ..self }
    }

    fn with_creds(self, creds: Creds) -> Self {
        let Creds { uid, gid, ruid, rgid } = creds;
        let (ruid, rgid) = ((ruid != uid).then_some(ruid), (rgid != gid).then_some(rgid));
        Self { uid: Some(uid), gid: Some(gid), ruid, rgid, ..self }
    }

    /// All of a task but its key.
    fn with_task<'b>(self, task: &'b Task) -> Line<'b>
    where
        'a: 'b,
    {
        let ns_pid = match (task.pid_ns, task.ns_pid) {
            (Some(_), Some(pid)) if pid == task.key.pid => None,
            (None, None) => None,
            (_, ns_pid) => Some(ns_pid),
        };
        Line {
            comm: Some(Text::new(task.comm.as_bytes())),
            cgroup_id: task.cgroup_id,
            pid_ns: task.pid_ns,
            ns_pid,
            threads: (task.threads != 1).then_some(task.threads),
            kernel: flag(task.kernel),
            ..self.with_parent(task.parent).with_creds(task.creds).with_session(&task.session)
        }
    }

    fn with_session<'b>(self, session: &'b Session) -> Line<'b>
    where
        'a: 'b,
    {
        Line {
            sid: session.sid,
            pgid: session.pgid,
            nice: session.nice,
            tty: session.tty.as_ref().map(|tty| Text::new(tty.as_bytes())),
            login_uid: session.login_uid,
            audit_session: session.audit_session,
            ..self
        }
    }

    fn with_exe(self, exe: Option<&'a Exe>) -> Self {
        let Some(Exe { path, deleted, memfd, truncated }) = exe else { return self };
        Self {
            exe: Some(Text::new(path)),
            exe_deleted: flag(*deleted),
            exe_memfd: flag(*memfd),
            exe_truncated: flag(*truncated),
            ..self
        }
    }

    fn with_end(self, status: ExitStatus) -> Self {
        match status {
            ExitStatus::Code(code) => Self { code: Some(code), ..self },
            ExitStatus::Signal { signal, core } => {
                Self { signal: Some(Text::from(signal_name(signal))), core: flag(core), ..self }
            }
            ExitStatus::Unknown => self,
        }
    }
}
