//! What several types of lines have in common, each part in both directions: `with_` writes it into a line, and what
//! stands behind that reads it.
//!
//! Does not know which types have which of them; see `types`.

use ptree_core::event::{Cost, Creds, Exe, Task};
use ptree_core::killer::{KillCause, Killer, Sender};
use ptree_core::text::{quoted, signal_name, signal_number};
use ptree_core::{Argv, Comm, ExitStatus, ProcKey, Session, Tty};

use super::line::{By, Kind, Line};
use super::read::{SHOWN, Wrong, need};
use super::value::{Args, Text};

/// Set, or absent.
pub(super) fn flag(value: bool) -> Option<bool> {
    value.then_some(true)
}

impl<'a> Line<'a> {
    /// A line of this type about a process.
    pub(super) fn about(kind: Kind, ts_ns: u64, key: ProcKey) -> Self {
        Self { ts_ns: Some(ts_ns), pid: Some(key.pid), start_ns: Some(key.start_ns), ..Self::of(kind) }
    }

    pub(super) fn when(&self) -> Result<u64, Wrong> {
        need(self.ts_ns, "ts_ns")
    }

    /// The process that it is about.
    pub(super) fn key(&self) -> Result<ProcKey, Wrong> {
        Ok(ProcKey::new(need(self.pid, "pid")?, need(self.start_ns, "start_ns")?))
    }

    pub(super) fn with_parent(self, parent: ProcKey) -> Self {
        Self { ppid: Some(parent.pid), parent_start_ns: Some(parent.start_ns), ..self }
    }

    pub(super) fn parent(&self) -> Result<ProcKey, Wrong> {
        Ok(ProcKey::new(need(self.ppid, "ppid")?, need(self.parent_start_ns, "parent_start_ns")?))
    }

    pub(super) fn with_creds(self, creds: Creds) -> Self {
        let Creds { uid, gid, ruid, rgid } = creds;
        let (ruid, rgid) = ((ruid != uid).then_some(ruid), (rgid != gid).then_some(rgid));
        Self { uid: Some(uid), gid: Some(gid), ruid, rgid, ..self }
    }

    pub(super) fn creds(&self) -> Result<Creds, Wrong> {
        let (uid, gid) = (need(self.uid, "uid")?, need(self.gid, "gid")?);
        Ok(Creds { uid, gid, ruid: self.ruid.unwrap_or(uid), rgid: self.rgid.unwrap_or(gid) })
    }

    pub(super) fn comm(&self) -> Result<Comm, Wrong> {
        let Text(comm) = need(self.comm.as_ref(), "comm")?;
        Ok(Comm::new(comm))
    }

    /// All of a task but its key.
    pub(super) fn with_task<'b>(self, task: &'b Task) -> Line<'b>
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

    pub(super) fn task(&self, key: ProcKey) -> Result<Task, Wrong> {
        Ok(Task {
            key,
            parent: self.parent()?,
            creds: self.creds()?,
            comm: self.comm()?,
            cgroup_id: self.cgroup_id,
            pid_ns: self.pid_ns,
            ns_pid: self.ns_pid.unwrap_or_else(|| self.pid_ns.map(|_| key.pid)),
            threads: self.threads.unwrap_or(1),
            kernel: self.kernel.unwrap_or(false),
            session: self.session(),
        })
    }

    pub(super) fn with_session<'b>(self, session: &'b Session) -> Line<'b>
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

    pub(super) fn session(&self) -> Session {
        Session {
            sid: self.sid,
            pgid: self.pgid,
            nice: self.nice,
            tty: self.tty.as_ref().map(|Text(name)| Tty::new(name)),
            login_uid: self.login_uid,
            audit_session: self.audit_session,
        }
    }

    pub(super) fn with_exe(self, exe: Option<&'a Exe>) -> Self {
        let Some(Exe { path, deleted, memfd, truncated }) = exe else { return self };
        Self {
            exe: Some(Text::new(path)),
            exe_deleted: flag(*deleted),
            exe_memfd: flag(*memfd),
            exe_truncated: flag(*truncated),
            ..self
        }
    }

    pub(super) fn program(&self) -> Option<Exe> {
        let path = self.exe.as_ref().map(Text::shared)?;
        let is = |flag: Option<bool>| flag.unwrap_or(false);
        let (deleted, memfd, truncated) = (is(self.exe_deleted), is(self.exe_memfd), is(self.exe_truncated));
        Some(Exe { path, deleted, memfd, truncated })
    }

    pub(super) fn with_argv(self, argv: Option<&Argv>, truncated: bool) -> Self {
        Self { argv: argv.cloned().map(Args), argv_truncated: flag(truncated), ..self }
    }

    pub(super) fn argv(&self) -> Option<Argv> {
        self.argv.as_ref().map(|args| args.0.clone())
    }

    pub(super) fn with_end(self, status: ExitStatus) -> Self {
        match status {
            ExitStatus::Code(code) => Self { code: Some(code), ..self },
            ExitStatus::Signal { signal, core } => {
                Self { signal: Some(Text::from(signal_name(signal))), core: flag(core), ..self }
            }
            ExitStatus::Unknown => self,
        }
    }

    pub(super) fn status(&self) -> Result<ExitStatus, Wrong> {
        Ok(match (self.code, &self.signal) {
            (Some(code), None) => ExitStatus::Code(code),
            (None, Some(Text(name))) => {
                let signal = std::str::from_utf8(name).ok().and_then(signal_number);
                let signal = signal.ok_or_else(|| Wrong::Meaning(format!("no signal {}", quoted(name, SHOWN))))?;
                ExitStatus::Signal { signal, core: self.core.unwrap_or(false) }
            }
            (None, None) => ExitStatus::Unknown,
            (Some(_), Some(_)) => return Err(Wrong::Meaning("both 'code' and 'signal'".to_owned())),
        })
    }

    pub(super) fn with_killer<'b>(self, killer: Option<&'b Killer>) -> Line<'b>
    where
        'a: 'b,
    {
        let Some(Killer { cause, sender }) = killer else { return self };
        let sender = sender.as_ref();
        let by = By {
            pid: sender.map(|sender| sender.key.pid),
            start_ns: sender.map(|sender| sender.key.start_ns),
            comm: sender.map(|sender| Text::new(sender.comm.as_bytes())),
            uid: sender.map(|sender| sender.uid),
            cause: cause.name().into(),
        };
        Line { oom: flag(*cause == KillCause::Oom), killer: Some(by), ..self }
    }

    /// Nobody where the cause is one of the future.
    pub(super) fn killer(&self) -> Result<Option<Box<Killer>>, Wrong> {
        let Some(by) = &self.killer else { return Ok(None) };
        let Some(cause) = KillCause::named(&by.cause) else { return Ok(None) };
        let sender = match (by.pid, &by.comm) {
            (Some(pid), Some(Text(comm))) => Some(Sender {
                key: ProcKey::new(pid, need(by.start_ns, "start_ns' of 'killer")?),
                comm: Comm::new(comm),
                uid: need(by.uid, "uid' of 'killer")?,
            }),
            _ => None,
        };
        Ok(Some(Box::new(Killer { cause, sender })))
    }

    pub(super) fn with_cost(self, cost: &Cost) -> Self {
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
        } = *cost;
        Self {
            cpu_ns: Some(cpu_ns),
            user_ns,
            system_ns: cost.system_ns(),
            run_delay_ns,
            max_rss_bytes,
            read_bytes,
            write_bytes,
            threads_begun,
            threads_most,
            minor_faults: Some(minor_faults),
            major_faults: Some(major_faults),
            ..self
        }
    }

    pub(super) fn cost(&self) -> Result<Option<Cost>, Wrong> {
        let Some(cpu_ns) = self.cpu_ns else { return Ok(None) };
        Ok(Some(Cost {
            cpu_ns,
            user_ns: self.user_ns,
            run_delay_ns: self.run_delay_ns,
            max_rss_bytes: self.max_rss_bytes,
            read_bytes: self.read_bytes,
            write_bytes: self.write_bytes,
            threads_begun: self.threads_begun,
            threads_most: self.threads_most,
            minor_faults: need(self.minor_faults, "minor_faults")?,
            major_faults: need(self.major_faults, "major_faults")?,
        }))
    }
}
