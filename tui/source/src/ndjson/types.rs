//! Which fields each type of line has, in both directions side by side: what is written of an event, and what is read.
//!
//! Does not know how fields are spelt (`line`), nor what several types have in common (`parts`).

use ptree_core::event::{Event, Execed, Exited, Forked, Found, LossCount, LossKind, Task, Usage, Zombie};
use ptree_core::{ExitStatus, ProcKey};

use super::line::{Kind, Line};
use super::parts::flag;
use super::read::{Entry, Wrong, need};
use super::value::{Args, Text};
use super::write::Known;
use crate::TimeAnchor;

/// The line of an event.
pub(super) fn to_line(event: &Event) -> Line<'_> {
    match event {
        Event::Process(found) => found_to_line(found),
        Event::Fork(fork) => fork_to_line(fork),
        Event::Exec(exec) => exec_to_line(exec),
        Event::Exit(exit) => exit_to_line(exit),
        Event::Usage(usage) => usage_to_line(usage),
        Event::Creds { ts_ns, key, creds } => Line::about(Kind::Uid, *ts_ns, *key).with_creds(*creds),
        Event::Comm { ts_ns, key, comm } => {
            Line { comm: Some(Text::new(comm.as_bytes())), ..Line::about(Kind::Comm, *ts_ns, *key) }
        }
        Event::Title { ts_ns, key, argv, argv_truncated } => {
            Line::about(Kind::Title, *ts_ns, *key).with_argv(Some(argv), *argv_truncated)
        }
        Event::Exe { ts_ns, key, exe } => Line::about(Kind::Exe, *ts_ns, *key).with_exe(Some(exe)),
        Event::Session { ts_ns, key, session } => Line::about(Kind::Session, *ts_ns, *key).with_session(session),
        Event::Parent { ts_ns, key, parent } => Line::about(Kind::Parent, *ts_ns, *key).with_parent(*parent),
        Event::Zombie { ts_ns, key } => Line::about(Kind::Zombie, *ts_ns, *key),
        Event::Reaped { ts_ns, key } => Line::about(Kind::Reaped, *ts_ns, *key),
        Event::Moved { ts_ns, key, cgroup_id, cgroup } => Line {
            cgroup_id: *cgroup_id,
            cgroup: cgroup.as_deref().map(Text::new),
            ..Line::about(Kind::Move, *ts_ns, *key)
        },
        Event::Cgroup { ts_ns, id, path } => {
            Line { ts_ns: Some(*ts_ns), cgroup_id: Some(*id), cgroup: Some(Text::new(path)), ..Line::of(Kind::Cgroup) }
        }
        Event::Lost { ts_ns, count } => lost_to_line(*ts_ns, count),
    }
}

/// What a line of this type says; `None` for an alert, which is raised anew, and for a header, which has fields of its own.
pub(super) fn of_line(kind: Kind, line: &Line<'_>) -> Result<Option<Entry>, Wrong> {
    let event = match kind {
        Kind::Header | Kind::Alert => return Ok(None),
        Kind::User => {
            let name = need(line.name.clone(), "name")?.into_string();
            return Ok(Some(Entry::User { uid: need(line.uid, "uid")?, name }));
        }
        Kind::Clock => {
            let (boottime_ns, unix_ns) = (line.when()?, need(line.unix_ns, "unix_ns")?);
            return Ok(Some(Entry::Clock(TimeAnchor { boottime_ns, unix_ns })));
        }
        Kind::Process => Event::Process(found_of_line(line)?),
        Kind::Fork => Event::Fork(fork_of_line(line)?),
        Kind::Exec => Event::Exec(exec_of_line(line)?),
        Kind::Exit => Event::Exit(exit_of_line(line)?),
        Kind::Usage => Event::Usage(usage_of_line(line)?),
        Kind::Uid => Event::Creds { ts_ns: line.when()?, key: line.key()?, creds: line.creds()? },
        Kind::Comm => Event::Comm { ts_ns: line.when()?, key: line.key()?, comm: line.comm()? },
        Kind::Title => Event::Title {
            ts_ns: line.when()?,
            key: line.key()?,
            argv: need(line.argv(), "argv")?,
            argv_truncated: line.argv_truncated.unwrap_or(false),
        },
        Kind::Exe => Event::Exe { ts_ns: line.when()?, key: line.key()?, exe: need(line.program(), "exe")? },
        Kind::Session => Event::Session { ts_ns: line.when()?, key: line.key()?, session: line.session() },
        Kind::Parent => Event::Parent { ts_ns: line.when()?, key: line.key()?, parent: line.parent()? },
        Kind::Zombie => Event::Zombie { ts_ns: line.when()?, key: line.key()? },
        Kind::Reaped => Event::Reaped { ts_ns: line.when()?, key: line.key()? },
        Kind::Move => Event::Moved {
            ts_ns: line.when()?,
            key: line.key()?,
            cgroup_id: line.cgroup_id,
            cgroup: line.cgroup.as_ref().map(Text::shared),
        },
        Kind::Cgroup => {
            let (ts_ns, path) = (line.when()?, need(line.cgroup.as_ref(), "cgroup")?.shared());
            Event::Cgroup { ts_ns, id: need(line.cgroup_id, "cgroup_id")?, path }
        }
        Kind::Lost => Event::Lost { ts_ns: line.when()?, count: lost_of_line(line)? },
    };
    Ok(Some(Entry::Event(event)))
}

fn found_to_line(found: &Found) -> Line<'_> {
    Line {
        threads: Some(found.task.threads),
        cgroup: found.cgroup.as_deref().map(Text::new),
        zombie: flag(found.exited.is_some()),
        cpu_ns: found.exited.map(|zombie| zombie.cpu_ns),
        user_ns: found.exited.and_then(|zombie| zombie.user_ns),
        system_ns: found.exited.and_then(|zombie| Some(zombie.cpu_ns.saturating_sub(zombie.user_ns?))),
        run_delay_ns: found.exited.and_then(|zombie| zombie.run_delay_ns),
        repaired: flag(found.repaired),
        ..Line::about(Kind::Process, found.ts_ns, found.task.key).with_task(&found.task)
    }
    .with_argv(found.argv.as_ref(), found.argv_truncated)
    .with_exe(found.exe.as_ref())
    .with_end(found.exited.map_or(ExitStatus::Unknown, |zombie| zombie.status))
}

fn found_of_line(line: &Line<'_>) -> Result<Found, Wrong> {
    Ok(Found {
        ts_ns: line.when()?,
        task: line.task(line.key()?)?,
        argv: line.argv(),
        argv_truncated: line.argv_truncated.unwrap_or(false),
        exe: line.program(),
        cgroup: line.cgroup.as_ref().map(Text::shared),
        exited: match line.zombie {
            Some(true) => Some(Zombie {
                status: line.status()?,
                cpu_ns: line.cpu_ns.unwrap_or(0),
                user_ns: line.user_ns,
                run_delay_ns: line.run_delay_ns,
            }),
            _ => None,
        },
        repaired: line.repaired.unwrap_or(false),
    })
}

fn fork_to_line(fork: &Forked) -> Line<'_> {
    let kernel_parent = (fork.task.parent != fork.forker).then_some(fork.task.parent);
    Line {
        kernel_ppid: kernel_parent.map(|parent| parent.pid),
        kernel_parent_start_ns: kernel_parent.map(|parent| parent.start_ns),
        ..Line::about(Kind::Fork, fork.ts_ns, fork.task.key).with_task(&fork.task)
    }
    .with_parent(fork.forker)
}

fn fork_of_line(line: &Line<'_>) -> Result<Forked, Wrong> {
    let ts_ns = line.when()?;
    let mut task = line.task(line.key()?)?;
    let forker = task.parent;
    if let Some(pid) = line.kernel_ppid {
        task.parent = ProcKey::new(pid, need(line.kernel_parent_start_ns, "kernel_parent_start_ns")?);
    }
    Ok(Forked { ts_ns, task, forker })
}

fn exec_to_line(exec: &Execed) -> Line<'_> {
    Line {
        filename: exec.filename.as_deref().map(Text::new),
        interp: exec.interp.as_deref().map(Text::new),
        ..Line::about(Kind::Exec, exec.ts_ns, exec.task.key).with_task(&exec.task)
    }
    .with_argv(exec.argv.as_ref(), exec.argv_truncated)
    .with_exe(exec.exe.as_ref())
}

fn exec_of_line(line: &Line<'_>) -> Result<Execed, Wrong> {
    Ok(Execed {
        ts_ns: line.when()?,
        task: line.task(line.key()?)?,
        filename: line.filename.as_ref().map(Text::shared),
        exe: line.program(),
        interp: line.interp.as_ref().map(Text::shared),
        argv: line.argv(),
        argv_truncated: line.argv_truncated.unwrap_or(false),
    })
}

fn exit_to_line(exit: &Exited) -> Line<'_> {
    let line = Line::about(Kind::Exit, exit.ts_ns, exit.key);
    let line = match &exit.task {
        Some(task) => Line { threads: None, ..line.with_task(task) },
        None => line,
    };
    let line = match &exit.cost {
        Some(cost) => line.with_cost(cost),
        None => Line { inferred: Some(true), ..line },
    };
    Line { lifetime_ns: Some(exit.ts_ns.saturating_sub(exit.key.start_ns)), ..line }
        .with_end(exit.status)
        .with_killer(exit.killer.as_deref())
}

fn exit_of_line(line: &Line<'_>) -> Result<Exited, Wrong> {
    let (ts_ns, key) = (line.when()?, line.key()?);
    Ok(Exited {
        ts_ns,
        task: if line.comm.is_some() { Some(Task { threads: 0, ..line.task(key)? }) } else { None },
        key,
        status: line.status()?,
        cost: line.cost()?,
        killer: line.killer()?,
    })
}

fn usage_to_line(usage: &Usage) -> Line<'static> {
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
        ..Line::about(Kind::Usage, usage.ts_ns, usage.key)
    }
}

fn usage_of_line(line: &Line<'_>) -> Result<Usage, Wrong> {
    Ok(Usage {
        ts_ns: line.when()?,
        key: line.key()?,
        cpu_ns: need(line.cpu_ns, "cpu_ns")?,
        user_ns: line.user_ns,
        run_delay_ns: line.run_delay_ns,
        rss_bytes: line.rss_bytes,
        read_bytes: line.read_bytes,
        write_bytes: line.write_bytes,
        threads_begun: line.threads_begun,
        threads: line.threads.unwrap_or(1),
        state: line.state.unwrap_or('?'),
    })
}

fn lost_to_line(ts_ns: u64, count: &LossCount) -> Line<'static> {
    let [fork, exec, exit, cgroup] = LossKind::ALL.map(|kind| count[kind]);
    Line {
        ts_ns: Some(ts_ns),
        count: Some(count.total()),
        fork: Some(fork),
        exec: Some(exec),
        exit: Some(exit),
        cgroups: (cgroup != 0).then_some(cgroup),
        ..Line::of(Kind::Lost)
    }
}

fn lost_of_line(line: &Line<'_>) -> Result<LossCount, Wrong> {
    let mut count = LossCount::default();
    for kind in LossKind::ALL {
        count[kind] = match kind {
            LossKind::Fork => need(line.fork, "fork")?,
            LossKind::Exec => need(line.exec, "exec")?,
            LossKind::Exit => need(line.exit, "exit")?,
            LossKind::Cgroup => line.cgroups.unwrap_or(0),
        };
    }
    Ok(count)
}

/// Adds what is known beside an event, as far as a line of its type has it.
pub(super) fn add_known<'a>(line: &mut Line<'a>, event: &Event, known: &Known<'a>) {
    let Known { time, user, argv, argv_truncated, program, execs, unit, container } = *known;
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
}
