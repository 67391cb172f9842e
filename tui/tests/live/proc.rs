//! /proc as an independent truth: which processes live, since when, and below whom.

use std::collections::{BTreeMap, BTreeSet};

/// A process as the log and /proc can tell it: pid, and start in hundredths of a second on the boot clock.
pub(crate) type Ticked = (u64, u64);

/// Nanoseconds of one tick of /proc (`USER_HZ` is 100 everywhere that Rust runs).
pub(crate) const TICK_NS: u64 = 10_000_000;

/// What `/proc/PID/stat` says.
pub(crate) struct Stat {
    pub(crate) ppid: u64,
    pub(crate) start_ticks: u64,
    /// Not a zombie; one whose leader alone is one lives.
    pub(crate) alive: bool,
    pub(crate) kernel: bool,
}

/// Of one process, if it is there.
pub(crate) fn stat(pid: u64) -> Option<Stat> {
    const PF_KTHREAD: u64 = 0x0020_0000;
    let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let rest: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let number = |field: usize| rest[field].parse::<u64>().ok();
    Some(Stat {
        ppid: number(1)?,
        start_ticks: number(19)?,
        alive: !matches!(rest[0], "Z" | "X") || number(17)? > 1,
        kernel: number(6)? & PF_KTHREAD != 0,
    })
}

/// This process.
pub(crate) fn this() -> Ticked {
    let pid = std::process::id().into();
    (pid, stat(pid).unwrap().start_ticks)
}

/// All processes.
pub(crate) fn all() -> BTreeMap<u64, Stat> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?))).collect()
}

/// The living ones, without threads of the kernel.
pub(crate) fn living() -> BTreeSet<Ticked> {
    all().into_iter().filter(|(_, s)| s.alive && !s.kernel).map(|(pid, s)| (pid, s.start_ticks)).collect()
}

/// Living descendants of a process, itself included.
pub(crate) fn living_below(root: u64) -> BTreeSet<Ticked> {
    let all = all();
    let is_below = |pid: &u64| std::iter::successors(Some(*pid), |p| all.get(p).map(|s| s.ppid)).any(|p| p == root);
    all.iter().filter(|(pid, s)| s.alive && is_below(pid)).map(|(pid, s)| (*pid, s.start_ticks)).collect()
}

/// Threads and processes that the kernel has ever made.
pub(crate) fn clones_ever() -> u64 {
    let text = std::fs::read_to_string("/proc/stat").unwrap();
    text.lines().find_map(|line| line.strip_prefix("processes ")).unwrap().parse().unwrap()
}
