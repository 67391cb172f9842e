//! What only /proc knows of a process that was running before us: arguments, program, cgroup; and processes that the
//! task iterator does not show.
//!
//! Checks identity, not the bare pid: between the pass that found the process and this look its pid may have passed on. No
//! read is without a bound: what is in these files is up to whoever runs the process.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ptree_common::wire::{ARGV_MAX, PF_KTHREAD};
use ptree_core::event::{Creds, Exe, Task};
use ptree_core::{Argv, Comm, ExitStatus, ProcKey, Session, Tty};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::bounded;
use crate::decode::{self, Charge, Ending, Io, Row, Sampled, has_ended, livelier};
use crate::host;
use crate::places::Places;
use crate::track::Unplaced;

/// Nanoseconds of one clock tick in /proc: `USER_HZ` is 100 on every architecture that Rust knows.
pub const TICK_NS: u64 = 10_000_000;
/// `PF_EXITING` of `task_struct.flags`.
const PF_EXITING: u32 = 4;
/// Bytes that are read of a `stat` or a `status`: all that is used of them stands before that, and before the list of groups,
/// which may be long.
const STAT_MAX: usize = 4 << 10;
/// Bytes that are read of a `cgroup`: no path is longer than 4 KiB, and there are a dozen hierarchies.
const CGROUP_MAX: usize = 64 << 10;

/// Threads that are looked at of a process whose first one has ended.
const THREADS_MAX: usize = 64;

/// What could be read; the rest is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Arguments: as much of them as an exec is captured with.
    pub argv: Option<Argv>,
    /// There are more.
    pub argv_truncated: bool,
    /// The file that it runs.
    pub exe: Option<Exe>,
    /// The cgroups that it is in.
    pub(crate) places: Option<Places>,
}

/// Reads the details of a process; nothing when it has gone, its pid names another one by now, or this /proc does not
/// show it.
#[must_use]
pub fn details(task: &Task) -> Details {
    let Some(key) = shown_as(task) else { return Details::default() };
    let mut details = Details::read(&format!("/proc/{}", key.pid));
    // The first thread has ended, and has nothing any more but its name.
    if details.argv.is_none()
        && details.exe.is_none()
        && Stat::read(key.pid).is_some_and(|stat| stat.is_leaderless())
        && let Some((thread, _)) = living_threads(key.pid).next()
    {
        details = Details::read(&thread);
    }
    // Checked last: if the pid still names the process now, it did all along.
    if is_there(key) { details } else { Details::default() }
}

/// The cgroups that a process is in now; `None` when it has gone or this /proc does not show it.
#[must_use]
pub(crate) fn places(process: Unplaced) -> Option<Places> {
    let key = seen_from_here(process.key, process.pid_ns, process.ns_pid)?;
    let text = read(format!("/proc/{}/cgroup", key.pid), CGROUP_MAX).ok()?;
    Places::read(&text).filter(|_| is_there(key))
}

/// The arguments of a process as it shows them now, and whether there are more; `None` when there are none to be seen.
#[must_use]
pub fn arguments(task: &Task) -> Option<(Argv, bool)> {
    let key = shown_as(task)?;
    let (arguments, is_cut) = head(format!("/proc/{}/cmdline", key.pid), ARGV_MAX).ok()?;
    let some = !arguments.is_empty() && is_there(key);
    some.then(|| (Argv::from_nul_terminated(&arguments), is_cut))
}

/// The file that a process runs now; `None` when that is not to be seen.
#[must_use]
pub fn file(task: &Task) -> Option<Exe> {
    let key = shown_as(task)?;
    exe(&format!("/proc/{}", key.pid)).filter(|_| is_there(key))
}

impl Details {
    /// Of the process, or one of its threads, with this folder.
    fn read(folder: &str) -> Self {
        let path = |file| format!("{folder}/{file}");
        let (arguments, argv_truncated) = head(path("cmdline"), ARGV_MAX).unwrap_or_default();
        Self {
            argv: (!arguments.is_empty()).then(|| Argv::from_nul_terminated(&arguments)),
            argv_truncated,
            exe: exe(folder),
            places: read(path("cgroup"), CGROUP_MAX).ok().and_then(|text| Places::read(&text)),
        }
    }
}

/// The file that a process runs, if it still runs the program with these arguments. Where the end of its path is `known`, it
/// has to end so.
#[must_use]
pub fn program(task: &Task, argv: Option<&Argv>, known: Option<&Exe>) -> Option<Exe> {
    let key = shown_as(task)?;
    let Details { argv: now, exe, .. } = Details::read(&format!("/proc/{}", key.pid));
    let exe = exe.filter(|exe| match known {
        Some(Exe { path, .. }) => exe.path.strip_suffix(&**path).is_some_and(|rest| rest.ends_with(b"/")),
        None => true,
    })?;
    (now.as_ref() == argv && is_there(key)).then_some(exe)
}

/// What a link to a program says, whose folder in /proc this is. Behind the path of a file that has been deleted the kernel
/// writes what another file's name may end with, too.
fn exe(folder: &str) -> Option<Exe> {
    const DELETED: &[u8] = b" (deleted)";
    let link = format!("{folder}/exe");
    let shown = fs::read_link(&link).ok()?.into_os_string().into_vec();
    let Some(path) = shown.strip_suffix(DELETED) else { return Some(Exe::at(shown)) };
    let file = fs::metadata(&link).ok();
    let is_it = |other: fs::Metadata| {
        file.as_ref().is_some_and(|file| file.nlink() > 0 && (file.dev(), file.ino()) == (other.dev(), other.ino()))
    };
    // Its namespace may have another file there than ours, and a chroot another than its namespace.
    let root = [folder.as_bytes(), b"/root"].concat();
    let places = [root.as_slice(), b""].map(|root| [root, &shown].concat());
    if places.iter().any(|place| fs::symlink_metadata(Path::new(std::ffi::OsStr::from_bytes(place))).is_ok_and(is_it)) {
        return Some(Exe::at(shown));
    }
    // One of that name could be in the root folder.
    let is_in_root = |file: &fs::Metadata| {
        fs::metadata(Path::new(std::ffi::OsStr::from_bytes(&root))).is_ok_and(|root| root.dev() == file.dev())
    };
    let memfd = path.strip_prefix(b"/").is_some_and(|name| name.starts_with(decode::MEMFD))
        && file.as_ref().is_some_and(|file| !is_in_root(file));
    Some(Exe { path: path.into(), deleted: true, memfd, truncated: false })
}

/// Folders of threads of a process, but for the first, that have not ended, with what their `stat` says: of very many only
/// some.
fn living_threads(pid: u32) -> impl Iterator<Item = (String, Stat)> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(move |tid| *tid != pid).take(THREADS_MAX).filter_map(move |tid| {
        let folder = format!("/proc/{pid}/task/{tid}");
        let stat = Stat::parse(&read(format!("{folder}/stat"), STAT_MAX).ok()?)?;
        (!has_ended(stat.state)).then_some((folder, stat))
    })
}

/// Resident pages of a process whose first thread has ended, as one of the others has them; `None` where none is seen.
#[must_use]
pub fn threads_rss_pages(task: &Task) -> Option<u64> {
    let key = shown_as(task)?;
    let (_, stat) = living_threads(key.pid).find(|(_, stat)| stat.rss_pages > 0)?;
    is_there(key).then_some(stat.rss_pages)
}

/// Whether /proc is mounted and shows the processes of others.
#[must_use]
pub fn shows_others() -> bool {
    // Every pid namespace has a first one.
    Stat::read(1).is_some()
}

/// The beginning of a file, and whether there is more.
fn head(path: String, most: usize) -> io::Result<(Vec<u8>, bool)> {
    bounded::head(File::open(path)?, most)
}

fn read(path: String, most: usize) -> io::Result<Vec<u8>> {
    head(path, most).map(|(bytes, _)| bytes)
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

/// The start of a process as this /proc tells it, in units of [`TICK_NS`]: by the clock of our time namespace.
#[must_use]
pub fn start_ticks(key: ProcKey) -> u64 {
    ticks(key.start_ns, host::starts_ahead_ns())
}

const fn ticks(start_ns: u64, ahead_ns: i64) -> u64 {
    host::shown_ns(start_ns, ahead_ns) / TICK_NS
}

/// The first moment that is told as this tick, on the kernel's clock, nanoseconds.
const fn first_of(ticks: u64, ahead_ns: i64) -> u64 {
    host::kernels_ns(ticks.wrapping_mul(TICK_NS), ahead_ns)
}

/// Whether /proc would give both the same start.
#[must_use]
pub fn same_tick(a: ProcKey, b: ProcKey) -> bool {
    a.pid == b.pid && start_ticks(a) == start_ticks(b)
}

/// Whether the pid names this very process now, alive or zombie.
#[must_use]
pub fn is_there(key: ProcKey) -> bool {
    Stat::read(key.pid).is_some_and(|stat| stat.start_ticks == start_ticks(key))
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
            .filter(|&parent| parent.pid == pid && start_ticks(parent) == stat.start_ticks)
            .map(|parent| parent.start_ns)
            .next()
            .unwrap_or_else(|| stat.start_ns())
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
        let born_by_ns = stat.start_ns().saturating_add(TICK_NS);
        if rows.first().is_some_and(|row| born_by_ns >= row.ts_ns) {
            return None;
        }
        let mut row = Row {
            ts_ns: now_ns,
            task: Task {
                creds: creds(*pid)?,
                comm: Comm::new(&stat.comm),
                threads: 0,
                kernel: stat.flags & PF_KTHREAD != 0,
                session: session(*pid, stat),
                ..Task::of(key, keys.get(&stat.ppid).copied().unwrap_or(ProcKey::SWAPPER))
            },
            sampled: None,
            run_delay_ns: None,
            cpu: Charge { cpu_ns: 0, charged_ns: None },
            rss_pages: None,
            io: Io::default(),
            threads_begun: None,
            state: '?',
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
    if stat.start_ticks != start_ticks(row.task.key) {
        return false;
    }
    row.take(&stat, now_ns);
    true
}

impl Row {
    fn take(&mut self, stat: &Stat, now_ns: u64) {
        self.ts_ns = now_ns;
        let [user, system] = stat.cpu_ticks.map(|ticks| ticks.saturating_mul(TICK_NS));
        self.cpu.cpu_ns = user.saturating_add(system);
        self.sampled = Some(Sampled { user_ns: user, system_ns: system });
        // Who logged in does not change but once, at the login.
        let Session { login_uid, audit_session, .. } = self.task.session;
        self.task.session = Session { login_uid, audit_session, ..stat.session() };
        self.rss_pages = Some(stat.rss_pages);
        self.task.threads = stat.threads;
        self.state = stat.state;
        self.ending = stat.ending();
        if stat.is_leaderless() {
            for (_, thread) in living_threads(self.task.key.pid) {
                self.state = livelier(self.state, thread.state);
                self.rss_pages = self.rss_pages.max(Some(thread.rss_pages));
            }
        }
    }
}

/// What is used of a `stat` file.
#[derive(Debug, PartialEq, Eq)]
pub struct Stat {
    /// Name.
    pub comm: Vec<u8>,
    /// Run state, of the first thread or of the one that was asked for: `R`, `S`, `T` and so on.
    pub state: char,
    /// When it started, by the boot-time clock of our time namespace, in units of [`TICK_NS`].
    pub start_ticks: u64,
    ppid: u32,
    flags: u32,
    /// In user mode, and in the kernel.
    cpu_ticks: [u64; 2],
    sid: u32,
    pgid: u32,
    tty: u32,
    nice: i8,
    threads: u32,
    rss_pages: u64,
    /// Its wait status, once it ends; 0 for whoever may not know it.
    status: u32,
}

impl Stat {
    /// Of the process that has this pid now, if /proc shows it.
    #[must_use]
    pub fn read(pid: u32) -> Option<Self> {
        Self::parse(&read(format!("/proc/{pid}/stat"), STAT_MAX).ok()?)
    }

    /// The name stands in parentheses, and may hold spaces and parentheses itself.
    fn parse(stat: &[u8]) -> Option<Self> {
        let open = stat.iter().position(|&byte| byte == b'(')?;
        let close = stat.iter().rposition(|&byte| byte == b')')?;
        let rest = str::from_utf8(stat.get(close + 1..)?).ok()?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // proc(5) counts from 1, and the field behind the name is the third.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        // Of a device that has no number below 2^31, it is told as one that is negative.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as the kernel had it")]
        let id = |field: usize| Some(fields.get(field - 3)?.parse::<i64>().ok()? as u32);
        Some(Self {
            comm: stat.get(open + 1..close)?.to_vec(),
            state: fields.first()?.chars().next()?,
            ppid: u32::try_from(number(4)?).ok()?,
            flags: u32::try_from(number(9)?).ok()?,
            cpu_ticks: [number(14)?, number(15)?],
            pgid: id(5)?,
            sid: id(6)?,
            tty: id(7)?,
            nice: fields.get(19 - 3)?.parse().ok()?,
            threads: u32::try_from(number(20)?).ok()?,
            start_ticks: number(22)?,
            rss_pages: number(24)?,
            status: number(52).and_then(|status| u32::try_from(status).ok()).unwrap_or(0),
        })
    }

    /// What it belongs to, but for its login.
    fn session(&self) -> Session {
        Session {
            sid: Some(self.sid),
            pgid: Some(self.pgid),
            nice: Some(self.nice),
            tty: Tty::of_device(self.tty),
            ..Session::default()
        }
    }

    /// When it started, on the kernel's clock, nanoseconds, rounded down to a tick of ours.
    #[must_use]
    pub fn start_ns(&self) -> u64 {
        first_of(self.start_ticks, host::starts_ahead_ns())
    }

    /// Whether its first thread has ended, and others live.
    #[must_use]
    pub const fn is_leaderless(&self) -> bool {
        has_ended(self.state) && self.threads > 1
    }

    /// Its end, once its last thread is at it. Where several threads end together, one is waited for that is left.
    fn ending(&self) -> Option<Ending> {
        let over = matches!(self.state, 'Z' | 'X');
        // A 0 may also mean that we may not know.
        let status = if self.status == 0 { ExitStatus::Unknown } else { ExitStatus::from_wait_status(self.status) };
        (self.threads <= 1 && (over || self.flags & PF_EXITING != 0)).then_some(Ending { status, over })
    }
}

/// Real and effective ids from a `status` file.
fn creds(pid: u32) -> Option<Creds> {
    let status = read(format!("/proc/{pid}/status"), STAT_MAX).ok()?;
    let ids = |name: &[u8]| {
        let line = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name))?;
        let mut ids = str::from_utf8(line).ok()?.split_ascii_whitespace().map(|id| id.parse::<u32>().ok());
        Some((ids.next()??, ids.next()??))
    };
    let ((ruid, uid), (rgid, gid)) = (ids(b"Uid:")?, ids(b"Gid:")?);
    Some(Creds { uid, gid, ruid, rgid })
}

/// What a process belongs to.
fn session(pid: u32, stat: &Stat) -> Session {
    let number = |file: &str| {
        let bytes = read(format!("/proc/{pid}/{file}"), STAT_MAX).ok()?;
        str::from_utf8(&bytes).ok()?.trim_ascii().parse().ok()
    };
    Session { login_uid: number("loginuid"), audit_session: number("sessionid"), ..stat.session() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_stat_may_hold_anything() {
        let rest = (24..51).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        let stat = format!("42 (a) S (b) R 1 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 777 22 23 {rest} 256\n");
        let expected = Stat {
            comm: b"a) S (b".to_vec(),
            state: 'R',
            ppid: 1,
            flags: 8,
            cpu_ticks: [13, 14],
            pgid: 4,
            sid: 5,
            tty: 6,
            nice: 18,
            threads: 19,
            start_ticks: 777,
            rss_pages: 23,
            status: 256,
        };
        assert_eq!(Stat::parse(stat.as_bytes()), Some(expected));
        assert_eq!(Stat::parse(b"42 (cut"), None);
        assert_eq!(Stat::parse(b")("), None);
    }

    /// A pass that showed nobody: everything comes from /proc, this process with its parent among it.
    #[test]
    fn what_a_pass_does_not_show_is_taken_from_proc() {
        let now_ns = host::boottime_ns();
        let rows = unlisted(&[], now_ns);
        let me = rows.iter().find(|row| row.task.key.pid == std::process::id()).expect("this process");
        assert_eq!(me.task.parent.pid, std::os::unix::process::parent_id());
        assert!(me.task.threads >= 1 && me.rss_pages > Some(0));
        let session = me.task.session;
        assert_eq!(session.sid, nix::unistd::getsid(None).ok().map(|sid| sid.as_raw().unsigned_abs()));
        assert_eq!(session.pgid, Some(nix::unistd::getpgrp().as_raw().unsigned_abs()));
        let login = fs::read_to_string("/proc/self/loginuid").ok();
        assert_eq!(session.login_uid.map(|uid| uid.to_string()), login.map(|uid| uid.trim().to_owned()));
        assert!(refresh(&mut me.clone(), now_ns));
        let mut other = me.clone();
        other.task.key.start_ns += TICK_NS;
        assert!(!refresh(&mut other, now_ns), "another process under the same pid");
        // Whoever is born meanwhile is none of these.
        assert_eq!(unlisted(&rows, 0).len(), 0);
    }

    #[test]
    fn who_ends_is_told_from_who_runs_on_without_its_first_thread() {
        let ending = |state: char, flags: u32, threads: u32, status: u32| {
            let start = format!("42 (x) {state} 1 4 5 6 7 {flags} 9 10 11 12 13 14 15 16 17 18 {threads} 20 777 22 23");
            let rest = (24..51).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
            Stat::parse(format!("{start} {rest} {status}").as_bytes()).unwrap().ending()
        };
        let end = |status, over| Some(Ending { status, over });
        let killed = ExitStatus::Signal { signal: 9, core: false };
        assert_eq!(ending('S', 0, 1, 0), None);
        assert_eq!(ending('R', PF_EXITING, 1, 9), end(killed, false), "its memory is being freed");
        assert_eq!(ending('Z', PF_EXITING, 1, 7 << 8), end(ExitStatus::Code(7), true));
        assert_eq!(ending('Z', PF_EXITING, 1, 0), end(ExitStatus::Unknown, true));
        assert_eq!(ending('Z', PF_EXITING, 2, 0), None, "another thread lives");
    }

    #[test]
    fn starts_are_told_by_the_clock_of_the_time_namespace() {
        let start_ns = 123_456_789_012;
        for ahead_ns in [0, 1, 5_000_000, 1_000_000_000_000_000, -1, -100_500_000_000, -200_000_000_000, i64::MIN] {
            let told = ticks(start_ns, ahead_ns);
            let first_ns = first_of(told, ahead_ns);
            assert!((first_ns..first_ns + TICK_NS).contains(&start_ns), "{ahead_ns}: {first_ns}");
            assert_eq!(ticks(first_ns, ahead_ns), told);
            assert_eq!(ticks(first_ns + TICK_NS, ahead_ns), told + 1);
        }
        assert_eq!(ticks(start_ns, 1_000_000_000_000_000), 100_012_345);
        // As /proc shows the first process 100 s before its start: the kernel's number has no sign.
        assert_eq!(ticks(70_000_000, -100_000_000_000), (u64::MAX - 99_930_000_000 + 1) / TICK_NS);
        assert_eq!(ticks(17, 5_000_000), 0, "ticks are rounded after the offset was added");
        assert_eq!(ticks(5_000_017, 5_000_000), 1);
    }

    #[test]
    fn another_process_under_the_same_pid_is_not_described() {
        let start_ns = Stat::read(std::process::id()).unwrap().start_ns();
        let me = ProcKey::new(std::process::id(), start_ns);
        let mut task = Task::of(me, ProcKey::SWAPPER);
        assert!(details(&task).argv.is_some());
        task.key.start_ns += TICK_NS;
        assert_eq!(details(&task), Details::default());
    }
}
