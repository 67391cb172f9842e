//! Bytes from the kernel into facts. Total: whatever the bytes, there is a record or an error, never a panic.
//!
//! Does not know how the bytes came, nor what has been seen before; see `live` and `track`.

use std::sync::Arc;

use ptree_common::wire::{self, COMM_LEN, TTY_LEN, UNKNOWN, cgroup as what, how, kind, path_is, tells};
use ptree_core::event::{Cost, Creds, Exe, Execed, Exited, Forked, LossKind, Task};
use ptree_core::killer::{Killer, Says, Sender};
use ptree_core::{Argv, Comm, ExitStatus, ProcKey, Session, Tty};
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// Why a record was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Shorter than its kind or its own header says.
    #[error("a record of kind {kind} has {have} bytes, not {need}")]
    Short {
        /// Kind, 0 when not even that is there.
        kind: u32,
        /// Bytes needed.
        need: usize,
        /// Bytes there are.
        have: usize,
    },
    /// Of a kind that this program does not know.
    #[error("a record is of unknown kind {0}")]
    UnknownKind(u32),
}

/// CPU time of a thread, and up to when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Nanoseconds.
    pub cpu_ns: u64,
    /// On the scheduler's clock, nanoseconds.
    pub charged_ns: Option<u64>,
}

/// Bytes read from storage and written to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Io {
    /// Read.
    pub read_bytes: Option<u64>,
    /// Written.
    pub write_bytes: Option<u64>,
}

impl Io {
    fn of(read_bytes: u64, write_bytes: u64) -> Self {
        Self { read_bytes: known(read_bytes), write_bytes: known(write_bytes) }
    }

    /// Both together, where both are known.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let sum = |one: Option<u64>, other: Option<u64>| one.zip(other).map(|(one, other)| one.saturating_add(other));
        Self {
            read_bytes: sum(self.read_bytes, other.read_bytes),
            write_bytes: sum(self.write_bytes, other.write_bytes),
        }
    }
}

/// CPU time in user mode and in the kernel, as ticks have sampled it: only their ratio means something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sampled {
    /// In user mode, nanoseconds.
    pub user_ns: u64,
    /// In the kernel, nanoseconds.
    pub system_ns: u64,
}

impl Sampled {
    fn of(user_ns: u64, system_ns: u64) -> Option<Self> {
        known(user_ns).zip(known(system_ns)).map(|(user_ns, system_ns)| Self { user_ns, system_ns })
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            user_ns: self.user_ns.saturating_add(other.user_ns),
            system_ns: self.system_ns.saturating_add(other.system_ns),
        }
    }

    /// How much of this CPU time was in user mode, as the kernel tells it in `/proc/PID/stat` and to `wait4`
    /// (`cputime_adjust`): split by the samples, neither of the two less than it was `before`.
    #[must_use]
    pub fn user_ns_of(self, cpu_ns: u64, before: Self) -> u64 {
        let all = u128::from(self.user_ns) + u128::from(self.system_ns);
        let system_ns = match all {
            // No tick has met it.
            0 => 0,
            _ => u64::try_from(u128::from(cpu_ns) * u128::from(self.system_ns) / all).unwrap_or(u64::MAX),
        };
        let user_ns = cpu_ns.saturating_sub(system_ns.max(before.system_ns));
        user_ns.max(before.user_ns).min(cpu_ns)
    }
}

/// A row of the task iterator for a process.
#[derive(Clone, Debug)]
pub struct Row {
    /// When it was visited.
    pub ts_ns: u64,
    /// The process.
    pub task: Task,
    /// CPU time of the leader and of ended threads; that of other threads comes in [`Record::Thread`].
    pub cpu: Charge,
    /// How that is divided.
    pub sampled: Option<Sampled>,
    /// Time that the same threads have waited for a CPU, nanoseconds.
    pub run_delay_ns: Option<u64>,
    /// Resident set, pages.
    pub rss_pages: Option<u64>,
    /// Bytes that the leader and ended threads caused to be read from storage and written to it; those of other threads
    /// come in [`Record::Thread`].
    pub io: Io,
    /// Threads that it has had, the first one too.
    pub threads_begun: Option<u32>,
    /// Run state of the leader, as `ps` shows it; where the leader has ended and other threads live, it is theirs that counts.
    pub state: char,
    /// Set when the last thread is ending or has ended: its exit hook has run, or is about to.
    pub ending: Option<Ending>,
}

/// The end of a process as a pass sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// How it ends.
    pub status: ExitStatus,
    /// No thread is left that could still come to the exit hook: a zombie.
    pub over: bool,
}

/// What happened to a cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cgroup {
    /// When.
    pub ts_ns: u64,
    /// Number of its hierarchy: 0 for the unified one.
    pub hierarchy: u32,
    /// Its id there.
    pub id: u64,
    /// Its path there, unless the kernel has cut it or it could not be read.
    pub path: Option<Arc<[u8]>>,
    /// What.
    pub what: Change,
}

/// See [`Cgroup`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was made.
    Made,
    /// It was removed.
    Removed,
    /// It has another name; the path is the new one.
    Renamed,
    /// Somebody was moved into it.
    Moved {
        /// The process.
        key: ProcKey,
        /// The thread.
        tid: u32,
        /// Whether all threads of the process came along.
        all: bool,
    },
}

/// One decoded record.
#[derive(Clone, Debug)]
pub enum Record {
    /// From the fork hook.
    Fork(Forked),
    /// From the exec hook.
    Exec {
        /// What happened.
        exec: Execed,
        /// Tells it from the exec before it in the same process; 0 when it cannot have been told twice.
        exec_id: u32,
    },
    /// From the exit hook.
    Exit {
        /// What happened; CPU time is that which was charged, and what of it was in user mode is left open.
        exit: Exited,
        /// How it is divided.
        sampled: Option<Sampled>,
        /// Up to when it was charged, on the scheduler's clock.
        charged_ns: Option<u64>,
    },
    /// From the hooks on cgroups.
    Cgroup(Cgroup),
    /// From the iterator.
    Row(Row),
    /// From the iterator: a thread that is no leader.
    Thread {
        /// Its process.
        pid: u32,
        /// The thread.
        tid: u32,
        /// Its CPU time.
        cpu: Charge,
        /// How that is divided.
        sampled: Option<Sampled>,
        /// Time that it has waited for a CPU, nanoseconds.
        run_delay_ns: Option<u64>,
        /// What it has read and written.
        io: Io,
        /// Run state, as `ps` shows it.
        state: char,
    },
}

/// Decodes one record; the bytes may go on behind it.
///
/// # Errors
/// When the bytes are too few or of an unknown kind.
pub fn decode(bytes: &[u8], page_size: u64) -> Result<Record, DecodeError> {
    let header: wire::Header = read(bytes, 0)?;
    Ok(match header.kind {
        kind::FORK => {
            let fork: wire::Fork = read(bytes, kind::FORK)?;
            Record::Fork(Forked {
                ts_ns: header.ts_ns,
                task: task(&fork.task),
                forker: ProcKey::new(fork.forker_pid, fork.forker_start_ns),
            })
        }
        kind::EXEC => exec(bytes)?,
        kind::EXIT => {
            let exit: wire::Exit = read(bytes, kind::EXIT)?;
            // Whoever had threads of whom the kernel has not taken leave yet has no more of them than any other.
            let task = Task { threads: 0, ..task(&exit.task) };
            let status = ExitStatus::from_wait_status(exit.status);
            let cost = Cost {
                cpu_ns: exit.cpu_ns,
                user_ns: None,
                run_delay_ns: known(exit.run_delay_ns),
                max_rss_bytes: known(exit.max_rss_pages).map(|pages| pages.saturating_mul(page_size)),
                read_bytes: known(exit.read_bytes),
                write_bytes: known(exit.write_bytes),
                threads_begun: (exit.threads_begun != 0).then_some(exit.threads_begun),
                threads_most: (exit.threads_most != 0).then_some(exit.threads_most),
                minor_faults: exit.minor_faults,
                major_faults: u64::from(exit.major_faults),
            };
            Record::Exit {
                sampled: Sampled::of(exit.user_ns, exit.system_ns),
                charged_ns: known(exit.charged_ns),
                exit: Exited {
                    ts_ns: header.ts_ns,
                    key: task.key,
                    killer: killer(&exit.killer, task.key, status),
                    task: Some(task),
                    status,
                    cost: Some(cost),
                },
            }
        }
        kind::TASK => {
            let row: wire::TaskRow = read(bytes, kind::TASK)?;
            // `live` alone is not enough to be dead: it is 0 before the status is set and the exit hook has run.
            let ending = (row.live == 0).then(|| Ending {
                status: ExitStatus::from_wait_status(row.status),
                // The leader may be a zombie while the last of the other threads is still on its way to the hook.
                over: row.exit_state != 0 && row.task.threads <= 1,
            });
            Record::Row(Row {
                ts_ns: header.ts_ns,
                task: task(&row.task),
                cpu: Charge { cpu_ns: row.cpu_ns, charged_ns: known(row.charged_ns) },
                sampled: Sampled::of(row.user_ns, row.system_ns),
                run_delay_ns: known(row.run_delay_ns),
                rss_pages: known(row.rss_pages),
                io: Io::of(row.read_bytes, row.write_bytes),
                threads_begun: (row.threads_begun != 0).then_some(row.threads_begun),
                state: state(row.state, row.exit_state),
                ending,
            })
        }
        kind::THREAD => {
            let row: wire::ThreadRow = read(bytes, kind::THREAD)?;
            let cpu = Charge { cpu_ns: row.cpu_ns, charged_ns: known(row.charged_ns) };
            let io = Io::of(row.read_bytes, row.write_bytes);
            Record::Thread {
                pid: row.pid,
                tid: row.tid,
                cpu,
                sampled: Sampled::of(row.user_ns, row.system_ns),
                run_delay_ns: known(row.run_delay_ns),
                io,
                // One that has ended is let go at once: it has no exit state that would last.
                state: state(row.state, 0),
            }
        }
        kind::CGROUP => cgroup(&read(bytes, kind::CGROUP)?)?,
        kind => return Err(DecodeError::UnknownKind(kind)),
    })
}

/// The kind of the records whose loss is counted so.
pub(crate) const fn kind_of(lost: LossKind) -> u32 {
    match lost {
        LossKind::Fork => kind::FORK,
        LossKind::Exec => kind::EXEC,
        LossKind::Exit => kind::EXIT,
        LossKind::Cgroup => kind::CGROUP,
    }
}

/// Splits what the iterator wrote into records; ends at the first that cannot be measured.
pub fn split(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let header: wire::Header = read(bytes, 0).ok()?;
        let size = (header.size as usize).max(size_of::<wire::Header>());
        let (record, rest) = bytes.split_at_checked(size)?;
        bytes = rest;
        Some(record)
    })
}

fn read<T: FromBytes + KnownLayout + Immutable>(bytes: &[u8], kind: u32) -> Result<T, DecodeError> {
    let short = DecodeError::Short { kind, need: size_of::<T>(), have: bytes.len() };
    T::read_from_prefix(bytes).map(|(value, _)| value).ok().ok_or(short)
}

const fn known(value: u64) -> Option<u64> {
    if value == UNKNOWN { None } else { Some(value) }
}

fn exec(bytes: &[u8]) -> Result<Record, DecodeError> {
    let exec: wire::Exec = read(bytes, kind::EXEC)?;
    let texts = &bytes[size_of::<wire::Exec>()..];
    let (path_len, filename_len) = (exec.path_len as usize, exec.filename_len as usize);
    let interp_len = exec.interp_len as usize;
    let argv_len = if exec.argv_len == wire::ARGV_UNREADABLE { 0 } else { exec.argv_len as usize };
    let need = [path_len, filename_len, interp_len, argv_len].into_iter().fold(0, usize::saturating_add);
    let texts = texts.get(..need).ok_or(DecodeError::Short { kind: kind::EXEC, need, have: texts.len() })?;
    let (path, texts) = texts.split_at(path_len);
    let (filename, texts) = texts.split_at(filename_len);
    let (interp, argv) = texts.split_at(interp_len);
    let exec_id = exec.exec_id;
    let exec = Execed {
        ts_ns: exec.header.ts_ns,
        task: task(&exec.task),
        filename: filename.strip_suffix(&[0]).map(Into::into),
        exe: exe(path, exec.path_is),
        interp: interp.strip_suffix(&[0]).map(Into::into),
        argv: (exec.argv_len != wire::ARGV_UNREADABLE).then(|| Argv::from_nul_terminated(argv)),
        argv_truncated: exec.argv_len != wire::ARGV_UNREADABLE && exec.argv_total > exec.argv_len,
    };
    Ok(Record::Exec { exec, exec_id })
}

fn cgroup(record: &wire::Cgroup) -> Result<Record, DecodeError> {
    let moved = |all| Change::Moved { key: ProcKey::new(record.pid, record.start_ns), tid: record.tid, all };
    let what = match record.what {
        what::MADE => Change::Made,
        what::REMOVED => Change::Removed,
        what::RENAMED => Change::Renamed,
        what::TASK => moved(false),
        what::PROCESS => moved(true),
        _ => return Err(DecodeError::UnknownKind(kind::CGROUP)),
    };
    let len = record.path_len as usize;
    // One that fills the kernel's buffer has been cut, as far as can be told.
    let path = record.path.get(..len).filter(|path| path.len() < record.path.len());
    Ok(Record::Cgroup(Cgroup {
        ts_ns: record.header.ts_ns,
        hierarchy: record.hierarchy,
        id: record.id,
        path: path.and_then(|path| path.strip_suffix(&[0])).filter(|path| !path.is_empty()).map(Into::into),
        what,
    }))
}

/// The path whose names, the last one first, are these; `None` where there is none.
fn exe(mut names: &[u8], is: u32) -> Option<Exe> {
    let mut parts: Vec<&[u8]> = Vec::new();
    while !names.is_empty() {
        let len = names.iter().position(|&byte| byte == 0).unwrap_or(names.len());
        parts.extend((len > 0).then_some(&names[..len]));
        // Behind the NUL is nothing up to the next multiple of 8.
        names = names.get((len / 8 + 1) * 8..).unwrap_or_default();
    }
    let last = *parts.first()?;
    let is_whole = is & path_is::WHOLE != 0;
    if is_whole {
        parts.push(b"");
    }
    parts.reverse();
    // As the kernel shows them: what was never in a folder is not in one.
    let is_pseudo = is & path_is::PSEUDO != 0;
    Some(Exe {
        path: parts.join(&b'/').into(),
        deleted: is_pseudo || is & path_is::DELETED != 0,
        memfd: is_pseudo && last.starts_with(MEMFD),
        truncated: !is_whole,
    })
}

/// How the names begin that `memfd_create` gives.
pub(crate) const MEMFD: &[u8] = b"memfd:";

/// Who or what ended a process by a signal.
fn killer(sent: &wire::Sent, victim: ProcKey, status: ExitStatus) -> Option<Box<Killer>> {
    let ExitStatus::Signal { signal, .. } = status else { return None };
    let says = match sent.how {
        how::TOLD => Says::Code(sent.code.cast_signed()),
        how::UNTOLD => Says::Nothing,
        how::KERNEL => Says::Kernel,
        how::MEMORY => Says::Memory,
        _ => return None,
    };
    let comm: &[u8; COMM_LEN] = &sent.comm;
    let key = ProcKey::new(sent.sender_pid, sent.sender_start_ns);
    Some(Box::new(Killer::judge(victim, signal, says, Sender { key, comm: Comm::new(comm), uid: sent.uid })))
}

fn task(task: &wire::Task) -> Task {
    let comm: &[u8; COMM_LEN] = &task.comm;
    Task {
        key: ProcKey::new(task.pid, task.start_ns),
        parent: ProcKey::new(task.ppid, task.parent_start_ns),
        creds: Creds { uid: task.uid, gid: task.gid, ruid: task.ruid, rgid: task.rgid },
        comm: Comm::new(comm),
        cgroup_id: (task.cgroup_id != 0).then_some(task.cgroup_id),
        pid_ns: (task.pid_ns != 0).then_some(task.pid_ns),
        ns_pid: (task.ns_pid != 0).then_some(task.ns_pid),
        threads: task.threads,
        kernel: task.flags & wire::PF_KTHREAD != 0,
        session: session(task),
    }
}

fn session(task: &wire::Task) -> Session {
    let tells = |part| task.tells & part != 0;
    let (session, login) = (tells(tells::SESSION), tells(tells::LOGIN));
    let tty: &[u8; TTY_LEN] = &task.tty;
    Session {
        sid: session.then_some(task.sid),
        pgid: session.then_some(task.pgid),
        nice: session.then(|| i8::try_from(task.nice).ok()).flatten(),
        tty: tells(tells::TERMINAL).then(|| Tty::of_kernel(tty)),
        login_uid: login.then_some(task.login_uid),
        audit_session: login.then_some(task.audit_session),
    }
}

/// `TASK_*` and `EXIT_*` bits as the letter `ps` shows (`task_state_array` in fs/proc/array.c); `?` where this kernel
/// does not say.
const fn state(bits: u32, exit_bits: u32) -> char {
    const UNINTERRUPTIBLE: u32 = 2;
    const DEAD: u32 = 0x80;
    const NOLOAD: u32 = 0x400;
    const RTLOCK_WAIT: u32 = 0x1000;
    const FROZEN: u32 = 0x8000;
    if bits == u32::MAX {
        return '?';
    }
    if bits & (UNINTERRUPTIBLE | NOLOAD) == (UNINTERRUPTIBLE | NOLOAD) {
        return 'I';
    }
    if bits & (RTLOCK_WAIT | FROZEN) != 0 {
        return 'D';
    }
    match (bits | exit_bits) & 0x7f {
        // A thread that has ended and is not a zombie has no other mark.
        0 if bits & DEAD != 0 => 'X',
        0 => 'R',
        bits => match u32::BITS - 1 - bits.leading_zeros() {
            0 => 'S',
            1 => 'D',
            2 => 'T',
            3 => 't',
            4 => 'X',
            5 => 'Z',
            _ => 'P',
        },
    }
}

/// Whether a thread in this state, as `ps` shows it, is none that lives.
pub(crate) const fn has_ended(state: char) -> bool {
    matches!(state, 'Z' | 'X')
}

/// Which of two states says more of a process that has a thread in each.
pub(crate) fn livelier(one: char, other: char) -> char {
    let rank = |state| "RDStTIP".find(state).unwrap_or(if has_ended(state) { 9 } else { 8 });
    if rank(other) < rank(one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wire::{Exec, Fork, Header};
    use zerocopy::{FromZeros, IntoBytes};

    use super::*;

    fn exec_bytes(filename: &[u8], argv: &[u8], total: u32) -> Vec<u8> {
        exec_of(b"", 0, filename, b"", argv, total)
    }

    fn exec_of(path: &[u8], path_is: u32, filename: &[u8], interp: &[u8], argv: &[u8], total: u32) -> Vec<u8> {
        let mut exec = Exec::new_zeroed();
        (exec.path_len, exec.path_is, exec.interp_len) = (path.len() as u32, path_is, interp.len() as u32);
        exec.header = Header { kind: kind::EXEC, size: 0, ts_ns: 7 };
        exec.filename_len = filename.len() as u32;
        exec.argv_len = argv.len() as u32;
        exec.argv_total = total;
        [exec.as_bytes(), path, filename, interp, argv].concat()
    }

    #[test]
    fn the_names_of_a_path_are_turned_round_and_what_stands_between_them_is_nothing() {
        let exe = |names: &[u8], is: u32| match decode(&exec_of(names, is, b"./x\0", b"/bin/sh\0", b"x\0", 2), 4096) {
            Ok(Record::Exec { exec, .. }) => {
                assert_eq!(exec.interp.as_deref(), Some(&b"/bin/sh"[..]));
                assert_eq!((exec.filename.as_deref(), exec.argv), (Some(&b"./x"[..]), Some(Argv::from_args(["x"]))));
                exec.exe
            }
            other => panic!("{other:?}"),
        };
        let names = b"true\0old12345678\0.......bin\0\xff\xff\xff\xffusr\0\0\0\0\0";
        let whole = Exe::at(*b"/usr/bin/12345678/true");
        assert_eq!(exe(names, path_is::WHOLE), Some(whole.clone()));
        assert_eq!(exe(names, path_is::WHOLE | path_is::DELETED), Some(Exe { deleted: true, ..whole }));
        let cut = Exe { truncated: true, ..Exe::at(*b"usr/bin/12345678/true") };
        assert_eq!(exe(names, 0), Some(cut));
        let memfd = Exe { deleted: true, memfd: true, ..Exe::at(*b"/memfd:x") };
        assert_eq!(exe(b"memfd:x\0", path_is::WHOLE | path_is::PSEUDO), Some(memfd.clone()));
        // A file of such a name.
        let named = Exe { deleted: true, memfd: false, ..memfd };
        assert_eq!(exe(b"memfd:x\0", path_is::WHOLE | path_is::DELETED), Some(named));
        assert_eq!((exe(b"", path_is::WHOLE), exe(b"\0\0", 0)), (None, None));
        assert_eq!(exe(b"no-end", path_is::WHOLE), Some(Exe::at(*b"/no-end")));
    }

    #[test]
    fn exec_texts_are_taken_apart_and_a_cut_is_marked() {
        let Ok(Record::Exec { exec, .. }) = decode(&exec_bytes(b"/bin/sh\0", b"sh\0-c\0\0", 7), 4096) else { panic!() };
        assert_eq!(exec.filename.as_deref(), Some(&b"/bin/sh"[..]));
        assert_eq!(exec.argv, Some(Argv::from_args(["sh", "-c", ""])));
        assert!(!exec.argv_truncated);
        let Ok(Record::Exec { exec, .. }) = decode(&exec_bytes(b"", b"long", 5), 4096) else { panic!() };
        assert_eq!(exec.filename, None);
        assert!(exec.argv_truncated);
    }

    #[test]
    fn lengths_that_lie_are_errors() {
        let mut bytes = exec_bytes(b"/bin/sh\0", b"sh\0", 3);
        bytes.pop();
        assert!(matches!(decode(&bytes, 4096), Err(DecodeError::Short { kind: kind::EXEC, need: 11, have: 10 })));
        let mut fork = Fork::new_zeroed();
        fork.header.kind = 99;
        assert!(matches!(decode(fork.as_bytes(), 4096), Err(DecodeError::UnknownKind(99))));
        assert!(matches!(decode(b"abc", 4096), Err(DecodeError::Short { .. })));
    }

    #[test]
    fn a_killer_is_told_of_a_signal_only_and_where_the_programs_know_one() {
        let mut exit = wire::Exit::new_zeroed();
        exit.header.kind = kind::EXIT;
        (exit.task.pid, exit.task.start_ns) = (7, 70);
        exit.killer = wire::Sent { how: how::TOLD, sender_pid: 3, sender_start_ns: 30, uid: 5, ..wire::Sent::NONE };
        exit.killer.comm[..2].copy_from_slice(b"sh");
        let killer = |exit: &wire::Exit| match decode(exit.as_bytes(), 4096) {
            Ok(Record::Exit { exit, .. }) => exit.killer,
            other => panic!("{other:?}"),
        };
        assert_eq!(killer(&exit), None, "it ended by itself; of the rest nothing was written");
        exit.status = 9;
        let by = killer(&exit).unwrap();
        let sender = Sender { key: ProcKey::new(3, 30), comm: Comm::new(b"sh"), uid: 5 };
        assert_eq!(*by, Killer { cause: ptree_core::KillCause::User, sender: Some(sender) });
        exit.killer.how = how::UNKNOWN;
        assert_eq!(killer(&exit), None);
    }

    /// As `cputime_adjust` does it: the sum is that of the scheduler, the ratio that of the ticks, and nothing goes back.
    #[test]
    fn cpu_time_is_divided_as_the_kernel_does_it() {
        let of = |user_ns, system_ns, cpu_ns, before| Sampled { user_ns, system_ns }.user_ns_of(cpu_ns, before);
        let none = Sampled::default();
        assert_eq!(of(0, 0, 7, none), 7, "no tick has met it");
        assert_eq!(of(5, 0, 7, none), 7);
        assert_eq!(of(0, 5, 7, none), 0);
        assert_eq!(of(10, 30, 100, none), 25);
        assert_eq!(of(u64::MAX, u64::MAX, u64::MAX, none), u64::MAX / 2 + 1);
        let before = Sampled { user_ns: 40, system_ns: 50 };
        assert_eq!(of(10, 30, 100, before), 40, "no less than before");
        assert_eq!(of(90, 10, 100, before), 50, "nor is the other");
        assert_eq!(of(1, 1, 30, before), 30, "never more than all");
    }

    #[test]
    fn what_a_process_belongs_to_is_known_as_far_as_the_record_tells() {
        let mut fork = Fork::new_zeroed();
        fork.header.kind = kind::FORK;
        (fork.task.sid, fork.task.pgid, fork.task.nice) = (7, 8, -20);
        (fork.task.login_uid, fork.task.audit_session) = (u32::MAX, 3);
        fork.task.tty[..4].copy_from_slice(b"pts3");
        let session = |fork: &Fork| match decode(fork.as_bytes(), 4096) {
            Ok(Record::Fork(fork)) => fork.task.session,
            other => panic!("{other:?}"),
        };
        assert_eq!(session(&fork), Session::default());
        fork.task.tells = tells::SESSION | tells::TERMINAL | tells::LOGIN;
        let all = Session {
            sid: Some(7),
            pgid: Some(8),
            nice: Some(-20),
            tty: Some(Tty::new(b"pts/3")),
            login_uid: Some(Session::NO_LOGIN),
            audit_session: Some(3),
        };
        assert_eq!(session(&fork), all);
        fork.task.tells = tells::LOGIN;
        let login = Session { login_uid: all.login_uid, audit_session: all.audit_session, ..Session::default() };
        assert_eq!(session(&fork), login);
        fork.task.tells = tells::TERMINAL;
        fork.task.tty = [0; TTY_LEN];
        assert_eq!(session(&fork), Session { tty: Some(Tty::NONE), ..Session::default() });
    }

    #[test]
    fn a_path_that_may_have_been_cut_is_none() {
        let path = |text: &[u8], len: u32| {
            let mut record = wire::Cgroup::new_zeroed();
            (record.header.kind, record.what, record.path_len) = (kind::CGROUP, what::MADE, len);
            record.path[..text.len()].copy_from_slice(text);
            match decode(record.as_bytes(), 4096) {
                Ok(Record::Cgroup(cgroup)) => cgroup.path.map(|path| path.to_vec()),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(path(b"/a\0rest", 3).as_deref(), Some(&b"/a"[..]));
        assert_eq!(path(&[b'x'; 1022], 1023).map(|path| path.len()), Some(1022));
        for (text, len) in [(&[b'x'; 1023][..], 1024), (b"/a", 0), (b"/a", 9999), (b"/a", 2), (b"", 1)] {
            assert_eq!(path(text, len), None, "{len}");
        }
    }

    #[test]
    fn states_are_the_letters_of_ps() {
        let states = [(0, 'R'), (1, 'S'), (2, 'D'), (0x402, 'I'), (4, 'T'), (8, 't'), (0x8000, 'D'), (u32::MAX, '?')];
        for (bits, letter) in states {
            assert_eq!(state(bits, 0), letter, "{bits:#x}");
        }
        assert_eq!((state(0x80, 0x20), state(0x80, 0x10)), ('Z', 'X'), "TASK_DEAD with EXIT_ZOMBIE or EXIT_DEAD");
        assert_eq!(state(0x80, 0), 'X', "a thread that has ended");
    }

    proptest! {
        #[test]
        fn names_of_any_bytes_make_a_path(names in prop::collection::vec(any::<u8>(), 0..80), is: u32) {
            if let Some(exe) = exe(&names, is) {
                prop_assert!(!exe.path.is_empty() && !exe.path.contains(&0) && exe.path.len() <= names.len() + 1);
                prop_assert!(exe.deleted || !exe.memfd);
            }
        }

        /// Arbitrary bytes never panic, and splitting them ends.
        #[test]
        fn decode_is_total(kind in 0_u32..8, mut bytes in prop::collection::vec(any::<u8>(), 0..1200)) {
            let _ = decode(&bytes, 4096);
            if bytes.len() >= 4 {
                bytes[..4].copy_from_slice(&kind.to_ne_bytes());
            }
            let _ = decode(&bytes, 4096);
            prop_assert!(split(&bytes).count() <= bytes.len());
        }
    }
}
