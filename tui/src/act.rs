//! Acting on processes: what is asked for and of whom, the doing of it, and what came of it.
//!
//! Nothing here is done to a bare pid. A pid may have passed on to another process since the tree heard of it, so a
//! process is first pinned by a pidfd and then told from others by the time it started: /proc gives that in ticks of
//! 10 ms, which is as far as they are compared. The pidfd came first: if the pid passed on before it was opened, the
//! start differs; if it passes on later, the pidfd names a process that has gone, and the signal reaches nobody.
//!
//! Does not know the screen nor why the user wants it.

mod freeze;
mod renice;
mod send;
#[cfg(test)]
mod tests;

use std::fmt::{self, Display, Formatter};
use std::io;

use ptree_core::{ProcKey, Process};
use ptree_source::procfs;
use rustix::io::Errno;
use rustix::process::Signal;

use crate::label;

/// What is done to processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Send the signal of this number.
    Signal(u8),
    /// Stop them and whatever they have forked meanwhile, from the first one down.
    Freeze,
    /// Add this to their nice values.
    Renice(i32),
}

/// One process to act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which one.
    pub key: ProcKey,
    /// `make [1234]`, escaped.
    pub name: String,
    pid_ns: Option<u32>,
    ns_pid: Option<u32>,
}

impl Target {
    /// A process of the tree.
    #[must_use]
    pub fn of(process: &Process) -> Self {
        let name = label::name_and_pid(process);
        Self { key: process.key, name, pid_ns: process.pid_ns(), ns_pid: process.ns_pid() }
    }

    /// One of the tests' own, as if of our own namespace: they may run in a container.
    #[cfg(test)]
    pub(crate) fn of_own(key: ProcKey) -> Self {
        let pid_ns = ptree_source::host::pid_namespace();
        Self { key, name: format!("own [{}]", key.pid), pid_ns, ns_pid: Some(key.pid) }
    }

    /// Under the pid by which system calls of ours know it.
    pub(crate) fn seen_from_here(&self) -> Result<ProcKey, Failure> {
        procfs::seen_from_here(self.key, self.pid_ns, self.ns_pid).ok_or(Failure::Unseen)
    }
}

/// What is to be done, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What.
    pub deed: Deed,
    /// To these, in this order.
    pub targets: Vec<Target>,
    /// Never to these, however they are come by.
    pub spared: Vec<ProcKey>,
    /// The user has confirmed that the first process of all and this program are meant as well, if they are.
    pub even_protected: bool,
}

/// Why nothing was done to a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It has ended, or its pid is another's by now.
    Gone,
    /// We may not.
    Denied,
    /// It is the first process of all or this program, and that was not confirmed.
    Protected,
    /// It has no pid in our pid namespace, or /proc hides it: it cannot be told from others.
    Unseen,
    /// Whatever else the kernel says.
    Other(String),
}

impl Display for Failure {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Gone => "has gone already (ESRCH)",
            Self::Denied => "not permitted (EPERM)",
            Self::Protected => "protected, and not confirmed",
            Self::Unseen => "not visible from here, so left alone",
            Self::Other(error) => error,
        })
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::SRCH => Self::Gone,
            Errno::PERM | Errno::ACCESS => Self::Denied,
            other => Self::Other(io::Error::from(other).to_string()),
        }
    }
}

/// One to whom it was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Which one; of one that only /proc knows, the start is rounded down to a tick.
    pub key: ProcKey,
    /// `make [1234]`, escaped.
    pub name: String,
    /// Why.
    pub why: Failure,
}

/// What came of an [`Order`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What was to be done.
    pub deed: Deed,
    /// To whom it was done; of those that only /proc knows, the start is rounded down to a tick.
    pub done: Vec<ProcKey>,
    /// To whom it was not.
    pub failed: Vec<Failed>,
    /// After [`Deed::Renice`], the nice value of the last one.
    pub nice: Option<i32>,
}

/// Does it. Blocks: for microseconds a process, and when freezing for up to [`freeze::PATIENCE`] more.
#[must_use]
pub fn perform(order: &Order) -> Report {
    let mut report = Report { deed: order.deed, done: Vec::new(), failed: Vec::new(), nice: None };
    match order.deed {
        Deed::Freeze => freeze::freeze(order, &mut report),
        Deed::Signal(number) => match Signal::from_named_raw(i32::from(number)) {
            Some(signal) => each(order, &mut report, |key| send::signal(key, signal)),
            None => each(order, &mut report, |_| Err(Failure::Other("there is no such signal".to_owned()))),
        },
        Deed::Renice(by) => {
            let mut nice = None;
            each(order, &mut report, |key| renice::renice(key, by).map(|value| nice = Some(value)));
            report.nice = nice;
        }
    }
    report
}

/// Does something to each that it may be done to, and keeps account.
fn each(order: &Order, report: &mut Report, mut act: impl FnMut(ProcKey) -> Result<(), Failure>) {
    for target in &order.targets {
        let outcome = target.seen_from_here().and_then(|key| {
            let is_protected = key.pid == 1 || key.pid == std::process::id();
            if is_protected && !order.even_protected { Err(Failure::Protected) } else { act(key) }
        });
        match outcome {
            Ok(()) => report.done.push(target.key),
            Err(why) => report.failed.push(Failed { key: target.key, name: target.name.clone(), why }),
        }
    }
}
