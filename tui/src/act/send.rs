//! A signal to one process and no other: see the module above for why none else can be hit.

use std::os::fd::OwnedFd;

use ptree_core::ProcKey;
use ptree_source::procfs::{self, Stat};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::Failure;

/// Sends it.
pub(super) fn signal(key: ProcKey, signal: Signal) -> Result<(), Failure> {
    Ok(pidfd_send_signal(pin(key)?, signal)?)
}

/// A handle on this very process, which must have its pid in our namespace.
fn pin(key: ProcKey) -> Result<OwnedFd, Failure> {
    let pidfd = pidfd_open(pid(key)?, PidfdFlags::empty())?;
    check(key)?;
    Ok(pidfd)
}

/// As system calls want it.
pub(super) fn pid(key: ProcKey) -> Result<Pid, Failure> {
    i32::try_from(key.pid).ok().and_then(Pid::from_raw).ok_or(Failure::Gone)
}

/// That the pid names this process now.
pub(super) fn check(key: ProcKey) -> Result<(), Failure> {
    match Stat::read(key.pid) {
        Some(stat) if stat.start_ticks == procfs::start_ticks(key) => Ok(()),
        Some(_) => Err(Failure::Gone),
        None => Err(Failure::Unseen),
    }
}
