//! Nice values. The kernel has one for each thread, and no call that takes a pidfd: so all threads are gone through, and
//! the process is looked at again afterwards, when it is too late to undo but not to tell.

use std::fs;

use ptree_core::ProcKey;
use rustix::process::{Pid, getpriority_process, setpriority_process};

use super::{Failure, send};

/// The range that the kernel has.
const RANGE: std::ops::RangeInclusive<i32> = -20..=19;

/// Adds to the nice values of all threads; gives the new one of the first.
pub(super) fn renice(key: ProcKey, by: i32) -> Result<i32, Failure> {
    send::check(key)?;
    let first = send::pid(key)?;
    let nice = (getpriority_process(Some(first))? + by).clamp(*RANGE.start(), *RANGE.end());
    setpriority_process(Some(first), nice)?;
    for thread in threads(key.pid).into_iter().filter(|&thread| thread != first) {
        // One that has ended meanwhile needs none.
        if let Ok(own) = getpriority_process(Some(thread)) {
            let _ = setpriority_process(Some(thread), (own + by).clamp(*RANGE.start(), *RANGE.end()));
        }
    }
    send::check(key)?;
    Ok(nice)
}

fn threads(pid: u32) -> Vec<Pid> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter_map(Pid::from_raw).collect()
}
