//! What can happen to processes, as facts: the one vocabulary of live capture, streams and recordings.
//!
//! Does not know where events come from (kernel, recording, synthesis) nor how they are written down. All times are
//! `CLOCK_BOOTTIME` nanoseconds; what is not known is `None`, never a made-up value.

use std::fmt;
use std::sync::Arc;

use crate::killer::Killer;
use crate::session::Session;

/// Identity of a process: its pid and when its leader started. A bare pid is reused; this is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcKey {
    /// Thread-group id in the initial pid namespace.
    pub pid: u32,
    /// `start_boottime` of the thread-group leader, nanoseconds.
    pub start_ns: u64,
}

impl ProcKey {
    /// The idle task of the boot CPU, parent of init and of kthreadd: in no process list.
    pub const SWAPPER: Self = Self { pid: 0, start_ns: 0 };

    /// A key from its parts.
    #[must_use]
    pub const fn new(pid: u32, start_ns: u64) -> Self {
        Self { pid, start_ns }
    }

    /// Sorts processes by their start; those of one instant by pid, since pids are given out in rising order.
    #[must_use]
    pub const fn birth(self) -> (u64, u32) {
        (self.start_ns, self.pid)
    }
}

/// A task's name as the kernel keeps it: at most 15 bytes of anything but NUL.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Comm([u8; 15], u8);

impl Comm {
    /// Cuts at the first NUL (what follows it is not zeroed before 5.11) and at 15 bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut comm = [0; 15];
        let len = bytes.iter().take(15).position(|&b| b == 0).unwrap_or(bytes.len().min(15));
        comm[..len].copy_from_slice(&bytes[..len]);
        #[expect(clippy::cast_possible_truncation, reason = "at most 15")]
        Self(comm, len as u8)
    }

    /// The name, without NUL.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0[..usize::from(self.1)]
    }
}

impl fmt::Debug for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_bytes().escape_ascii().to_string())
    }
}

/// The arguments of a process: any bytes but NUL, shared and immutable.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Argv(Arc<[u8]>);

impl Argv {
    /// From the kernel's form: each argument ended by a NUL. A last argument without its NUL (cut off, or a title set
    /// by the process) counts as well, and is given one: what is equal argument by argument is equal.
    #[must_use]
    pub fn from_nul_terminated(bytes: &[u8]) -> Self {
        match bytes.last() {
            None | Some(0) => Self(bytes.into()),
            Some(_) => Self([bytes, &[0]].concat().into()),
        }
    }

    /// From separate arguments, none of which may contain NUL.
    #[must_use]
    pub fn from_args<I: IntoIterator<Item = A>, A: AsRef<[u8]>>(args: I) -> Self {
        let mut bytes = Vec::new();
        for arg in args {
            bytes.extend_from_slice(arg.as_ref());
            bytes.push(0);
        }
        Self(bytes.into())
    }

    /// The arguments in order; none at all is possible.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let bytes = self.0.strip_suffix(&[0]).unwrap_or(&self.0);
        let none = self.0.is_empty();
        bytes.split(|&b| b == 0).filter(move |_| !none)
    }

    /// The kernel's form: each argument ended by a NUL.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Without the empty arguments at its end: what is left of longer arguments where a process has written a title over
    /// them. `None` when there are none.
    #[must_use]
    pub fn without_padding(&self) -> Option<Self> {
        let end = self.0.iter().rposition(|&b| b != 0).map_or(0, |last| last + 2);
        (end < self.0.len()).then(|| Self(self.0[..end].into()))
    }

    /// As many of the first arguments as fit into `max` bytes; if not even one does, so much of its beginning. `None` when
    /// all fit.
    #[must_use]
    pub fn shortened(&self, max: usize) -> Option<Self> {
        let head = self.0.get(..max).filter(|_| self.0.len() > max)?;
        let end = head.iter().rposition(|&b| b == 0).map_or(max, |nul| nul + 1);
        Some(Self::from_nul_terminated(&head[..end]))
    }
}

impl fmt::Debug for Argv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|arg| arg.escape_ascii().to_string())).finish()
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// It called exit, with this code.
    Code(u8),
    /// A signal killed it.
    Signal {
        /// Signal number.
        signal: u8,
        /// Whether a core was dumped.
        core: bool,
    },
    /// Its end was inferred after a loss: how it ended is not known.
    Unknown,
}

impl ExitStatus {
    /// From the kernel's wait status.
    #[must_use]
    pub const fn from_wait_status(status: u32) -> Self {
        match status & 0x7f {
            0 => Self::Code(((status >> 8) & 0xff) as u8),
            signal => Self::Signal { signal: signal as u8, core: status & 0x80 != 0 },
        }
    }

    /// A non-zero code or a signal.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        !matches!(self, Self::Code(0) | Self::Unknown)
    }
}

/// Who a process runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Creds {
    /// Effective user id: what `ps` and `htop` call the user.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// Real user id.
    pub ruid: u32,
    /// Real group id.
    pub rgid: u32,
}

/// What every kernel record says of its process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The process.
    pub key: ProcKey,
    /// The kernel's parent at that moment: differs from the forker after re-parenting and under `CLONE_PARENT`.
    pub parent: ProcKey,
    /// Credentials.
    pub creds: Creds,
    /// Name.
    pub comm: Comm,
    /// Id of the cgroup in the unified hierarchy.
    pub cgroup_id: Option<u64>,
    /// Inode number of its pid namespace.
    pub pid_ns: Option<u32>,
    /// Its pid within that namespace.
    pub ns_pid: Option<u32>,
    /// Threads that it has at that moment; 0 of one that ends.
    pub threads: u32,
    /// A kernel thread: no program, no arguments.
    pub kernel: bool,
    /// What it belongs to.
    pub session: Session,
}

impl Task {
    /// One of which no more is known than who it is and who its parent is. It has a single thread, as after a fork.
    #[must_use]
    pub fn of(key: ProcKey, parent: ProcKey) -> Self {
        Self {
            key,
            parent,
            creds: Creds::default(),
            comm: Comm::default(),
            cgroup_id: None,
            pid_ns: None,
            ns_pid: None,
            threads: 1,
            kernel: false,
            session: Session::default(),
        }
    }
}

/// The file that a process runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Exe {
    /// Its path, from the root of the process's mount namespace: what root reads from `/proc/PID/exe`, but for marks.
    pub path: Arc<[u8]>,
    /// It has been deleted, or was never in a folder.
    pub deleted: bool,
    /// It was made by `memfd_create`, and the path is only a name.
    pub memfd: bool,
    /// The path lacks its beginning.
    pub truncated: bool,
}

impl Exe {
    /// A file that is where its path says.
    pub fn at(path: impl Into<Arc<[u8]>>) -> Self {
        Self { path: path.into(), deleted: false, memfd: false, truncated: false }
    }
}

/// A process that was running already, found by a pass over all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// When it was seen.
    pub ts_ns: u64,
    /// Who it is.
    pub task: Task,
    /// Arguments, where they were read.
    pub argv: Option<Argv>,
    /// It has more arguments than were read.
    pub argv_truncated: bool,
    /// The file that it runs, where that was read.
    pub exe: Option<Exe>,
    /// Path of its cgroup, where it was read.
    pub cgroup: Option<Arc<[u8]>>,
    /// Set for a zombie: it has ended, but its parent has not asked yet. When it ended is not known.
    pub exited: Option<Zombie>,
    /// Found, or looked at again, by repair after a loss: what was lost may have been its fork or an exec of its.
    pub repaired: bool,
}

/// What is left of a process that has ended but was not asked for yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zombie {
    /// How it ended.
    pub status: ExitStatus,
    /// CPU time that it took, nanoseconds.
    pub cpu_ns: u64,
    /// What of that was in user mode; see [`Cost::user_ns`].
    pub user_ns: Option<u64>,
    /// Time that it waited for a CPU, nanoseconds.
    pub run_delay_ns: Option<u64>,
}

/// A process was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forked {
    /// When.
    pub ts_ns: u64,
    /// The child.
    pub task: Task,
    /// Who called fork.
    pub forker: ProcKey,
}

/// A process started a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execed {
    /// When.
    pub ts_ns: u64,
    /// The process, as the new program.
    pub task: Task,
    /// Path as given to execve: of a script, its own.
    pub filename: Option<Arc<[u8]>>,
    /// The file that the kernel runs: of a script, that of its interpreter.
    pub exe: Option<Exe>,
    /// Path of the interpreter, as the script names it, where one runs what was given to execve.
    pub interp: Option<Arc<[u8]>>,
    /// Arguments.
    pub argv: Option<Argv>,
    /// More arguments than were captured.
    pub argv_truncated: bool,
}

/// The last thread of a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exited {
    /// When; for an inferred end, when it was noticed.
    pub ts_ns: u64,
    /// The process in its last state; its `parent` is who will be told. `None` when inferred.
    pub task: Option<Task>,
    /// The process.
    pub key: ProcKey,
    /// How it ended.
    pub status: ExitStatus,
    /// What it cost. `None` when inferred.
    pub cost: Option<Cost>,
    /// Where a signal ended it: who or what sent that, where known.
    pub killer: Option<Box<Killer>>,
}

/// What a process cost over its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cost {
    /// CPU time of all its threads up to the exit event, nanoseconds: freeing its memory comes later.
    pub cpu_ns: u64,
    /// What of that was in user mode, as the kernel tells it: which of the two it was is sampled at ticks. The rest was in the
    /// kernel.
    pub user_ns: Option<u64>,
    /// Time that its threads, all together, were ready to run and waited for a CPU, nanoseconds.
    pub run_delay_ns: Option<u64>,
    /// Peak resident set, bytes.
    pub max_rss_bytes: Option<u64>,
    /// Bytes that it caused, by itself, to be read from storage.
    pub read_bytes: Option<u64>,
    /// Bytes that it caused, by itself, to be written to storage.
    pub write_bytes: Option<u64>,
    /// Threads that it has had, the first one too.
    pub threads_begun: Option<u32>,
    /// Threads that were alive at once, at most.
    pub threads_most: Option<u32>,
    /// Page faults served without I/O.
    pub minor_faults: u64,
    /// Page faults that needed I/O.
    pub major_faults: u64,
}

impl Cost {
    /// CPU time in the kernel, nanoseconds.
    #[must_use]
    pub fn system_ns(&self) -> Option<u64> {
        self.user_ns.map(|user_ns| self.cpu_ns.saturating_sub(user_ns))
    }
}

/// What a living process uses, from a pass over all processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// When it was measured.
    pub ts_ns: u64,
    /// The process.
    pub key: ProcKey,
    /// CPU time so far, nanoseconds.
    pub cpu_ns: u64,
    /// What of that was in user mode; see [`Cost::user_ns`].
    pub user_ns: Option<u64>,
    /// Time that its threads have waited for a CPU so far, nanoseconds.
    pub run_delay_ns: Option<u64>,
    /// Resident set, bytes.
    pub rss_bytes: Option<u64>,
    /// Bytes that it has caused to be read from storage so far.
    pub read_bytes: Option<u64>,
    /// Bytes that it has caused to be written to storage so far.
    pub write_bytes: Option<u64>,
    /// Threads that it has had so far, the first one too.
    pub threads_begun: Option<u32>,
    /// Threads.
    pub threads: u32,
    /// Run state as `ps` shows it: R, S, D, T, t, I, Z, X, or `?`.
    pub state: char,
}

/// Kinds of events that can be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossKind {
    /// A process was created.
    Fork,
    /// A process started a program.
    Exec,
    /// A process ended.
    Exit,
    /// A cgroup was made or removed, or a process moved.
    Cgroup,
}

impl LossKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Fork, Self::Exec, Self::Exit, Self::Cgroup];

    /// As scripts call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Exec => "exec",
            Self::Exit => "exit",
            Self::Cgroup => "cgroup",
        }
    }
}

/// Events lost between kernel and reader, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LossCount([u64; LossKind::ALL.len()]);

impl LossCount {
    /// So many of one kind.
    #[must_use]
    pub fn of(kind: LossKind, count: u64) -> Self {
        let mut all = Self::default();
        all[kind] = count;
        all
    }

    /// All kinds together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().copied().fold(0, u64::saturating_add)
    }

    /// What came since there were so many, by kind.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self(std::array::from_fn(|kind| self.0[kind].saturating_sub(earlier.0[kind])))
    }
}

impl std::ops::Index<LossKind> for LossCount {
    type Output = u64;

    fn index(&self, kind: LossKind) -> &u64 {
        &self.0[kind as usize]
    }
}

impl std::ops::IndexMut<LossKind> for LossCount {
    fn index_mut(&mut self, kind: LossKind) -> &mut u64 {
        &mut self.0[kind as usize]
    }
}

impl std::ops::AddAssign for LossCount {
    fn add_assign(&mut self, other: Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            // A recording may say anything.
            *count = count.saturating_add(more);
        }
    }
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Running already. Comes again when more is known (arguments, say).
    Process(Found),
    /// Created.
    Fork(Forked),
    /// Started a program.
    Exec(Execed),
    /// Ended.
    Exit(Exited),
    /// Seen to run as somebody else.
    Creds { ts_ns: u64, key: ProcKey, creds: Creds },
    /// Seen under another name, without an exec.
    Comm { ts_ns: u64, key: ProcKey, comm: Comm },
    /// Seen to show other arguments than it was started with: a title that it has set.
    Title { ts_ns: u64, key: ProcKey, argv: Argv, argv_truncated: bool },
    /// Seen to run a file that has another path by now, or was deleted.
    Exe { ts_ns: u64, key: ProcKey, exe: Exe },
    /// Seen to belong to something else than before.
    Session { ts_ns: u64, key: ProcKey, session: Session },
    /// Seen to have another parent: its old one died.
    Parent { ts_ns: u64, key: ProcKey, parent: ProcKey },
    /// Has ended, and still takes a place among the processes: its parent has not asked how it ended.
    Zombie { ts_ns: u64, key: ProcKey },
    /// A zombie was asked for, and is gone.
    Reaped { ts_ns: u64, key: ProcKey },
    /// Seen to be in other cgroups: it was moved, or it is only known now. The path is that of the hierarchy that tells most.
    Moved { ts_ns: u64, key: ProcKey, cgroup_id: Option<u64>, cgroup: Option<Arc<[u8]>> },
    /// What a living process uses.
    Usage(Usage),
    /// The cgroup with this id, in the unified hierarchy, has this path.
    Cgroup { ts_ns: u64, id: u64, path: Arc<[u8]> },
    /// Events were lost before this point, since the last such mark.
    Lost { ts_ns: u64, count: LossCount },
}

impl Event {
    /// When it happened or was noticed.
    #[must_use]
    pub const fn ts_ns(&self) -> u64 {
        match self {
            Self::Process(e) => e.ts_ns,
            Self::Fork(e) => e.ts_ns,
            Self::Exec(e) => e.ts_ns,
            Self::Exit(e) => e.ts_ns,
            Self::Usage(e) => e.ts_ns,
            Self::Creds { ts_ns, .. }
            | Self::Comm { ts_ns, .. }
            | Self::Title { ts_ns, .. }
            | Self::Exe { ts_ns, .. }
            | Self::Session { ts_ns, .. }
            | Self::Parent { ts_ns, .. }
            | Self::Zombie { ts_ns, .. }
            | Self::Reaped { ts_ns, .. }
            | Self::Moved { ts_ns, .. }
            | Self::Cgroup { ts_ns, .. }
            | Self::Lost { ts_ns, .. } => *ts_ns,
        }
    }

    /// The process that it is about, if it is about one.
    #[must_use]
    pub const fn key(&self) -> Option<ProcKey> {
        Some(match self {
            Self::Process(e) => e.task.key,
            Self::Fork(e) => e.task.key,
            Self::Exec(e) => e.task.key,
            Self::Exit(e) => e.key,
            Self::Usage(e) => e.key,
            Self::Creds { key, .. }
            | Self::Comm { key, .. }
            | Self::Title { key, .. }
            | Self::Exe { key, .. }
            | Self::Session { key, .. }
            | Self::Parent { key, .. }
            | Self::Zombie { key, .. }
            | Self::Reaped { key, .. }
            | Self::Moved { key, .. } => *key,
            Self::Cgroup { .. } | Self::Lost { .. } => return None,
        })
    }

    /// All that it says of its process, where it says all.
    #[must_use]
    pub const fn task(&self) -> Option<&Task> {
        match self {
            Self::Process(e) => Some(&e.task),
            Self::Fork(e) => Some(&e.task),
            Self::Exec(e) => Some(&e.task),
            Self::Exit(e) => e.task.as_ref(),
            Self::Usage(_)
            | Self::Creds { .. }
            | Self::Comm { .. }
            | Self::Title { .. }
            | Self::Exe { .. }
            | Self::Session { .. }
            | Self::Parent { .. }
            | Self::Zombie { .. }
            | Self::Reaped { .. }
            | Self::Moved { .. }
            | Self::Cgroup { .. }
            | Self::Lost { .. } => None,
        }
    }

    /// The cgroup that its process is in, where it says so.
    #[must_use]
    pub fn cgroup_id(&self) -> Option<u64> {
        match self {
            Self::Moved { cgroup_id, .. } => *cgroup_id,
            other => other.task()?.cgroup_id,
        }
    }

    /// The users that it speaks of, where it says who they are: whom its process runs as, and who logged in.
    #[must_use]
    pub fn uids(&self) -> [Option<u32>; 2] {
        match self {
            Self::Creds { creds, .. } => [Some(creds.uid), None],
            Self::Session { session, .. } => [None, session.login()],
            other => other.task().map_or([None; 2], |task| [Some(task.creds.uid), task.session.login()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comm_ends_at_the_first_nul_or_after_15_bytes() {
        assert_eq!(Comm::new(b"bash\0garbage").as_bytes(), b"bash");
        assert_eq!(Comm::new(b"").as_bytes(), b"");
        assert_eq!(Comm::new(b"0123456789abcdefgh").as_bytes(), b"0123456789abcde");
    }

    #[test]
    fn argv_keeps_empty_arguments_and_tells_none_from_one_empty() {
        let args = |bytes: &[u8]| Argv::from_nul_terminated(bytes).iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert_eq!(args(b""), Vec::<Vec<u8>>::new());
        assert_eq!(args(b"\0"), [b""]);
        assert_eq!(args(b"a\0\0b\0"), [&b"a"[..], b"", b"b"]);
        assert_eq!(args(b"title without end"), [b"title without end"]);
        assert_eq!(Argv::from_args(["a", "", "b"]).as_bytes(), b"a\0\0b\0");
        assert_eq!(Argv::from_nul_terminated(b"a\0title"), Argv::from_args(["a", "title"]));
    }

    #[test]
    fn what_pads_a_title_is_taken_off_and_nothing_else() {
        let without =
            |bytes: &[u8]| Argv::from_nul_terminated(bytes).without_padding().map(|argv| argv.as_bytes().to_vec());
        assert_eq!(without(b"a title\0\0\0").as_deref(), Some(&b"a title\0"[..]));
        assert_eq!(without(b"a\0\0b\0\0").as_deref(), Some(&b"a\0\0b\0"[..]));
        assert_eq!(without(b"\0\0").as_deref(), Some(&b""[..]));
        assert_eq!([&b"a\0\0b\0"[..], b"title", b""].map(without), [None, None, None]);
    }

    #[test]
    fn argv_is_shortened_between_two_arguments_where_it_can_be() {
        let argv = Argv::from_args(["ab", "cd", "efgh"]);
        let short = |max| argv.shortened(max).map(|argv| argv.as_bytes().to_vec());
        assert_eq!(short(11), None);
        assert_eq!(short(10).as_deref(), Some(&b"ab\0cd\0"[..]));
        assert_eq!(short(5).as_deref(), Some(&b"ab\0"[..]));
        assert_eq!(short(2).as_deref(), Some(&b"ab\0"[..]));
        assert_eq!(short(0).as_deref(), Some(&b""[..]));
    }

    #[test]
    fn wait_status_is_decoded() {
        assert_eq!(ExitStatus::from_wait_status(0), ExitStatus::Code(0));
        assert_eq!(ExitStatus::from_wait_status(255 << 8), ExitStatus::Code(255));
        assert_eq!(ExitStatus::from_wait_status(9), ExitStatus::Signal { signal: 9, core: false });
        assert_eq!(ExitStatus::from_wait_status(11 | 0x80), ExitStatus::Signal { signal: 11, core: true });
    }
}
