//! What only /proc knows of a process that was running before us: arguments, program, cgroup; and processes that the
//! task iterator does not show.
//!
//! Checks identity, not the bare pid: between the pass that found the process and this look its pid may have passed on.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use ptree_common::wire::PF_KTHREAD;
use ptree_core::event::{Creds, Task};
use ptree_core::{Argv, Comm, ProcKey};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::decode::{Charge, Io, Row};
use crate::host;

/// Nanoseconds of one clock tick in /proc: `USER_HZ` is 100 on every architecture that Rust knows.
pub const TICK_NS: u64 = 10_000_000;

/// What could be read; the rest is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Arguments.
    pub argv: Option<Argv>,
    /// Path of the program file.
    pub exe: Option<Arc<[u8]>>,
    /// Path of the cgroup in the unified hierarchy, or of the first hierarchy where there is none.
    pub cgroup: Option<Arc<[u8]>>,
}

/// Reads the details of a process; nothing when it has gone, its pid names another one by now, or this /proc does not
/// show it.
#[must_use]
pub fn details(task: &Task) -> Details {
    let Some(key) = shown_as(task) else { return Details::default() };
    let path = |file| format!("/proc/{}/{file}", key.pid);
    let details = Details {
        argv: read(path("cmdline")).ok().filter(|bytes| !bytes.is_empty()).map(|b| Argv::from_nul_terminated(&b)),
        exe: fs::read_link(path("exe")).ok().map(|exe| exe.into_os_string().into_vec().into()),
        cgroup: read(path("cgroup")).ok().and_then(|bytes| cgroup(&bytes)),
    };
    // Checked last: if the pid still names the process now, it did all along.
    if is_there(key) { details } else { Details::default() }
}

/// Reads a file of /proc. These say of themselves that they are empty; where that is believed, as `fs::read` does, they
/// are read in small pieces.
fn read(path: String) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(4096);
    File::open(path)?.take(u64::MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A process as this /proc knows it: under its pid in our own pid namespace, if that can be told.
fn shown_as(task: &Task) -> Option<ProcKey> {
    seen_from_here(task.key, task.pid_ns, task.ns_pid)
}

/// A process under the pid that it has in our own pid namespace, which is what /proc and system calls go by; `None`
/// when that cannot be told from its namespace and its pid therein.
#[must_use]
pub fn seen_from_here(key: ProcKey, pid_ns: Option<u32>, ns_pid: Option<u32>) -> Option<ProcKey> {
    if host::in_initial_pid_namespace() {
        return Some(key);
    }
    let pid = ns_pid.filter(|_| pid_ns.is_some() && pid_ns == host::pid_namespace())?;
    Some(ProcKey { pid, ..key })
}

/// Whether /proc would give both the same start.
#[must_use]
pub fn same_tick(a: ProcKey, b: ProcKey) -> bool {
    a.pid == b.pid && a.start_ns / TICK_NS == b.start_ns / TICK_NS
}

/// Whether the pid names this very process now, alive or zombie.
#[must_use]
pub fn is_there(key: ProcKey) -> bool {
    Stat::read(key.pid).is_some_and(|stat| stat.start_ticks == key.start_ns / TICK_NS)
}

/// The processes of /proc that a pass of the task iterator did not show, as if it had. What /proc does not tell to the
/// nanosecond is rounded: it counts in ticks.
#[must_use]
pub fn unlisted(rows: &[Row], now_ns: u64) -> Vec<Row> {
    if !host::in_initial_pid_namespace() {
        // Rows have the pids of the initial namespace, and /proc those of ours: they do not compare.
        return Vec::new();
    }
    let shown: FxHashSet<u32> = rows.iter().map(|row| row.task.key.pid).collect();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let missing: Vec<(u32, Stat)> =
        pids.filter(|pid| !shown.contains(pid)).filter_map(|pid| Some((pid, Stat::read(pid)?))).collect();
    // Their children know when they started, to the nanosecond.
    let start_ns = |pid: u32, stat: &Stat| {
        let parents = rows.iter().map(|row| row.task.parent);
        parents
            .filter(|parent| parent.pid == pid && parent.start_ns / TICK_NS == stat.start_ticks)
            .map(|parent| parent.start_ns)
            .next()
            .unwrap_or(stat.start_ticks * TICK_NS)
    };
    let keys: FxHashMap<u32, ProcKey> = rows
        .iter()
        .map(|row| row.task.key)
        .chain(missing.iter().map(|(pid, stat)| ProcKey::new(*pid, start_ns(*pid, stat))))
        .map(|key| (key.pid, key))
        .collect();
    let row = |(pid, stat): &(u32, Stat)| {
        let key = *keys.get(pid)?;
        // One that may have been born since the pass began is none of this: its fork is captured.
        let born_by_ns = (stat.start_ticks + 1) * TICK_NS;
        if stat.zombie() || rows.first().is_some_and(|row| born_by_ns >= row.ts_ns) {
            return None;
        }
        let mut row = Row {
            ts_ns: now_ns,
            task: Task {
                key,
                parent: keys.get(&stat.ppid).copied().unwrap_or(ProcKey::SWAPPER),
                creds: creds(*pid)?,
                comm: Comm::new(&stat.comm),
                cgroup_id: None,
                pid_ns: None,
                ns_pid: None,
                threads: 0,
                kernel: stat.flags & PF_KTHREAD != 0,
            },
            cpu: Charge { cpu_ns: 0, charged_ns: None },
            rss_pages: None,
            io: Io::default(),
            threads_begun: None,
            state: '?',
            exited: None,
            ending: None,
        };
        row.take(stat, now_ns);
        Some(row)
    };
    missing.iter().filter_map(row).collect()
}

/// Brings a row of [`unlisted`] up to date; false when its process has gone.
#[must_use]
pub fn refresh(row: &mut Row, now_ns: u64) -> bool {
    let Some(stat) = Stat::read(row.task.key.pid) else { return false };
    if stat.start_ticks != row.task.key.start_ns / TICK_NS || stat.zombie() {
        return false;
    }
    row.take(&stat, now_ns);
    true
}

impl Row {
    fn take(&mut self, stat: &Stat, now_ns: u64) {
        self.ts_ns = now_ns;
        self.cpu.cpu_ns = stat.cpu_ticks * TICK_NS;
        self.rss_pages = Some(stat.rss_pages);
        self.task.threads = stat.threads;
        self.state = stat.state;
    }
}

/// What is used of a `stat` file.
#[derive(Debug, PartialEq, Eq)]
pub struct Stat {
    /// Name.
    pub comm: Vec<u8>,
    /// Run state, of the first thread: `R`, `S`, `T` and so on.
    pub state: char,
    /// When it started, boot time in units of [`TICK_NS`].
    pub start_ticks: u64,
    ppid: u32,
    flags: u32,
    cpu_ticks: u64,
    threads: u32,
    rss_pages: u64,
}

impl Stat {
    /// Of the process that has this pid now, if /proc shows it.
    #[must_use]
    pub fn read(pid: u32) -> Option<Self> {
        Self::parse(&read(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name stands in parentheses, and may hold spaces and parentheses itself.
    fn parse(stat: &[u8]) -> Option<Self> {
        let open = stat.iter().position(|&byte| byte == b'(')?;
        let close = stat.iter().rposition(|&byte| byte == b')')?;
        let rest = str::from_utf8(stat.get(close + 1..)?).ok()?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // proc(5) counts from 1, and the field behind the name is the third.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Self {
            comm: stat.get(open + 1..close)?.to_vec(),
            state: fields.first()?.chars().next()?,
            ppid: u32::try_from(number(4)?).ok()?,
            flags: u32::try_from(number(9)?).ok()?,
            cpu_ticks: number(14)? + number(15)?,
            threads: u32::try_from(number(20)?).ok()?,
            start_ticks: number(22)?,
            rss_pages: number(24)?,
        })
    }

    const fn zombie(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// Real and effective ids from a `status` file.
fn creds(pid: u32) -> Option<Creds> {
    let status = read(format!("/proc/{pid}/status")).ok()?;
    let ids = |name: &[u8]| {
        let line = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name))?;
        let mut ids = str::from_utf8(line).ok()?.split_ascii_whitespace().map(|id| id.parse::<u32>().ok());
        Some((ids.next()??, ids.next()??))
    };
    let ((ruid, uid), (rgid, gid)) = (ids(b"Uid:")?, ids(b"Gid:")?);
    Some(Creds { uid, gid, ruid, rgid })
}

/// The path in a `cgroup` file: of hierarchy 0, which is the unified one, if it is there.
fn cgroup(bytes: &[u8]) -> Option<Arc<[u8]>> {
    let lines = || bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let line = lines().find(|line| line.starts_with(b"0::")).or_else(|| lines().next())?;
    line.splitn(3, |&byte| byte == b':').nth(2).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_stat_may_hold_anything() {
        let stat = b"42 (a) S (b) R 1 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 777 22 23\n";
        let expected = Stat {
            comm: b"a) S (b".to_vec(),
            state: 'R',
            ppid: 1,
            flags: 8,
            cpu_ticks: 13 + 14,
            threads: 19,
            start_ticks: 777,
            rss_pages: 23,
        };
        assert_eq!(Stat::parse(stat), Some(expected));
        assert_eq!(Stat::parse(b"42 (cut"), None);
        assert_eq!(Stat::parse(b")("), None);
    }

    /// A pass that showed nobody: everything comes from /proc, this process with its parent among it.
    #[test]
    fn what_a_pass_does_not_show_is_taken_from_proc() {
        let rows = unlisted(&[], u64::MAX);
        let me = rows.iter().find(|row| row.task.key.pid == std::process::id()).expect("this process");
        assert_eq!(me.task.parent.pid, std::os::unix::process::parent_id());
        assert!(me.task.threads >= 1 && me.rss_pages > Some(0));
        assert!(refresh(&mut me.clone(), u64::MAX));
        let mut other = me.clone();
        other.task.key.start_ns += TICK_NS;
        assert!(!refresh(&mut other, u64::MAX), "another process under the same pid");
        assert_eq!(unlisted(&rows, 0).len(), 0);
    }

    #[test]
    fn the_unified_hierarchy_is_preferred() {
        assert_eq!(cgroup(b"4:cpu:/a\n0::/b:c\n").as_deref(), Some(&b"/b:c"[..]));
        assert_eq!(cgroup(b"4:cpu:/a\n").as_deref(), Some(&b"/a"[..]));
        assert_eq!(cgroup(b""), None);
    }

    #[test]
    fn another_process_under_the_same_pid_is_not_described() {
        let start_ns = Stat::read(std::process::id()).unwrap().start_ticks * TICK_NS;
        let me = ProcKey::new(std::process::id(), start_ns);
        let mut task = Task {
            key: me,
            parent: ProcKey::SWAPPER,
            creds: Creds::default(),
            comm: Comm::default(),
            cgroup_id: None,
            pid_ns: None,
            ns_pid: None,
            threads: 1,
            kernel: false,
        };
        assert!(details(&task).argv.is_some());
        task.key.start_ns += TICK_NS;
        assert_eq!(details(&task), Details::default());
    }
}
