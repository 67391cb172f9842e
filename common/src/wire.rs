//! The records that the eBPF programs write and user space decodes: plain structs of fixed-width integers in native
//! byte order, without padding, a [`Header`] first.
//!
//! Does not know how records travel (ring buffer or iterator file) nor what they mean to the model.

#[cfg(feature = "user")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Kinds of record, the first field of every [`Header`]. Also the index of its kind in the loss counters, of which each
/// copy of the programs has [`COUNT`](kind::COUNT).
pub mod kind {
    /// A process was created: [`super::Fork`].
    pub const FORK: u32 = 1;
    /// A program was started in a process: [`super::Exec`], followed by the file name and the arguments.
    pub const EXEC: u32 = 2;
    /// The last thread of a process ended: [`super::Exit`].
    pub const EXIT: u32 = 3;
    /// A row of the task iterator for a thread-group leader: [`super::TaskRow`].
    pub const TASK: u32 = 4;
    /// A row of the task iterator for any other thread: [`super::ThreadRow`].
    pub const THREAD: u32 = 5;
    /// A cgroup was made, renamed or removed, or a task moved into it: [`super::Cgroup`].
    pub const CGROUP: u32 = 6;
    /// Length of an array indexed by kind (index 0 is unused).
    pub const COUNT: u32 = 7;
}

/// What is known of the file of a program, the field [`Exec::path_is`](super::Exec::path_is): bits.
pub mod path_is {
    /// The path goes up to the root of the process's mount namespace. Without it, only the last names are known, or none.
    pub const WHOLE: u32 = 1;
    /// It is in no folder (any more).
    pub const DELETED: u32 = 2;
    /// It never was in one: its name is only shown, as that of a memfd.
    pub const PSEUDO: u32 = 4;
}

/// What the kernel had to say with a signal, the field [`Sent::how`](super::Sent::how).
pub mod how {
    /// Nobody is known to have sent it: what else there is in the record means nothing.
    pub const UNKNOWN: u32 = 0;
    /// A code.
    pub const TOLD: u32 = 1;
    /// Nothing, and whoever ran is the sender (`SEND_SIG_NOINFO`).
    pub const UNTOLD: u32 = 2;
    /// That the kernel itself sends it (`SEND_SIG_PRIV`).
    pub const KERNEL: u32 = 3;
    /// The same, for lack of memory.
    pub const MEMORY: u32 = 4;
}

/// Of which of the kernel's parts a [`Task`] has what belongs to them, the bits of its field `tells`.
pub mod tells {
    /// `sid`, `pgid` and `nice`.
    pub const SESSION: u16 = 1;
    /// `tty`.
    pub const TERMINAL: u16 = 1 << 1;
    /// `login_uid` and `audit_session`.
    pub const LOGIN: u16 = 1 << 2;
}

/// What happened to a cgroup, the field [`Cgroup::what`](super::Cgroup::what).
pub mod cgroup {
    /// It was made.
    pub const MADE: u32 = 1;
    /// It was removed.
    pub const REMOVED: u32 = 2;
    /// It has another name.
    pub const RENAMED: u32 = 3;
    /// A task was moved into it, alone.
    pub const TASK: u32 = 4;
    /// The same with all threads of its process.
    pub const PROCESS: u32 = 5;
}

/// Most programs that a tracepoint has.
pub const COPIES: u32 = 3;
/// Longest file name that an exec record carries, in bytes, with its terminating NUL (the kernel's `PATH_MAX`).
pub const FILENAME_MAX: usize = 4096;
/// Bytes of names that an exec record carries of its program's path: see [`Exec::path_len`].
pub const PATH_ROOM: usize = 2048;
/// Longest path of an interpreter that an exec record carries, in bytes, with its terminating NUL.
pub const INTERP_MAX: usize = 1024;
/// Longest argument area that an exec record carries, in bytes, with the NUL behind each argument.
pub const ARGV_MAX: usize = 32 * 1024;
/// Longest path that a cgroup's record carries, with its terminating NUL: the kernel's `TRACE_CGROUP_PATH_LEN`, at which
/// it cuts.
pub const CGROUP_PATH_MAX: usize = 1024;
/// Length of a task's `comm`, with its terminating NUL.
pub const COMM_LEN: usize = 16;
/// An errno-like mark in [`Exec::argv_len`]: the arguments could not be read.
pub const ARGV_UNREADABLE: u32 = u32::MAX;
/// A number that this kernel cannot give ([`Exit`], [`TaskRow`]).
pub const UNKNOWN: u64 = u64::MAX;
/// Longest name of a terminal in a record, in bytes; one that is longer is cut.
pub const TTY_LEN: usize = 12;
/// `PF_EXITING` of `task_struct.flags`: a thread that ends.
pub const PF_EXITING: u32 = 0x4;
/// `PF_KTHREAD` of `task_struct.flags`: a kernel thread.
pub const PF_KTHREAD: u32 = 0x0020_0000;

macro_rules! wire {
    ($(#[$meta:meta])* pub struct $name:ident [$size:literal] { $($body:tt)* }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "user", derive(FromBytes, IntoBytes, KnownLayout, Immutable))]
        pub struct $name { $($body)* }
        // I15: the same size on both sides; `IntoBytes` proves the absence of padding.
        const _: () = assert!(size_of::<$name>() == $size && align_of::<$name>() == 8);
    };
}

wire! {
    /// Begins every record.
    pub struct Header [16] {
        /// One of [`kind`].
        pub kind: u32,
        /// Bytes of the whole record, this header included.
        pub size: u32,
        /// When it happened: `CLOCK_BOOTTIME`, nanoseconds.
        pub ts_ns: u64,
    }
}

wire! {
    /// The process that a record is about, as the kernel saw it at that moment.
    pub struct Task [112] {
        /// Start of the thread-group leader: `task_struct.start_boottime`, nanoseconds.
        pub start_ns: u64,
        /// Start of the leader of the kernel's current parent (`real_parent`), nanoseconds.
        pub parent_start_ns: u64,
        /// Id of the cgroup in the unified hierarchy; 0 when not known.
        pub cgroup_id: u64,
        /// Name of the leader, NUL-terminated; what follows the NUL is undefined.
        pub comm: [u8; COMM_LEN],
        /// Thread-group id in the initial pid namespace.
        pub pid: u32,
        /// Thread-group id in the process's own pid namespace; 0 when not known.
        pub ns_pid: u32,
        /// Thread-group id of the kernel's current parent (`real_parent`).
        pub ppid: u32,
        /// Inode number of the process's own pid namespace; 0 when not known.
        pub pid_ns: u32,
        /// Effective user id.
        pub uid: u32,
        /// Effective group id.
        pub gid: u32,
        /// Real user id.
        pub ruid: u32,
        /// Real group id.
        pub rgid: u32,
        /// Threads in the group, as `signal_struct.nr_threads` counts them.
        pub threads: u32,
        /// `task_struct.flags` (`PF_*`).
        pub flags: u32,
        /// Session, as the pid of its leader in the initial pid namespace.
        pub sid: u32,
        /// Process group, likewise.
        pub pgid: u32,
        /// The user who logged in, whoever it runs as since; `u32::MAX` for none.
        pub login_uid: u32,
        /// Number of that login; `u32::MAX` for none.
        pub audit_session: u32,
        /// Nice value.
        pub nice: i16,
        /// Bits of [`tells`]: what is known of these and of `tty`.
        pub tells: u16,
        /// Name of the controlling terminal as the kernel has it, such as `pts3`, ended by a NUL where there is room; empty for
        /// none.
        pub tty: [u8; TTY_LEN],
    }
}

wire! {
    /// `sched_process_fork`, for new processes only (a new thread makes no record).
    pub struct Fork [144] {
        pub header: Header,
        /// The child. Its `ppid` differs from `forker_pid` under `CLONE_PARENT`.
        pub task: Task,
        /// Start of the process that called fork, nanoseconds.
        pub forker_start_ns: u64,
        /// Thread-group id of the process that called fork.
        pub forker_pid: u32,
        /// Zero.
        pub reserved: u32,
    }
}

wire! {
    /// `sched_process_exec`. Behind it: `path_len` bytes of the names in the program's path, `filename_len` bytes of file
    /// name, `interp_len` bytes of interpreter and `argv_len` bytes of arguments.
    pub struct Exec [160] {
        pub header: Header,
        pub task: Task,
        /// Bytes of the names in the path of the file that is run, the last name first. Each begins at a multiple of 8 bytes and
        /// is ended by a NUL; what stands between that and the next is undefined.
        pub path_len: u32,
        /// Bits of [`path_is`].
        pub path_is: u32,
        /// Bytes of file name, as it was given to execve, the NUL included; 0 when it could not be read.
        pub filename_len: u32,
        /// Bytes of the path of the interpreter that a script names, the NUL included; 0 when the file itself is run.
        pub interp_len: u32,
        /// Bytes of arguments, each ended by a NUL, or [`ARGV_UNREADABLE`].
        pub argv_len: u32,
        /// Bytes of arguments that the process has; more than `argv_len` when they were cut at [`ARGV_MAX`].
        pub argv_total: u32,
        /// Where there are several programs on the tracepoint, the lowest 32 bits of `task_struct.self_exec_id`, which grows
        /// by one with each exec of the process and its ancestors. 0 when not told.
        pub exec_id: u32,
        /// Zero.
        pub reserved: u32,
    }
}

wire! {
    /// A signal, as it was sent.
    pub struct Sent [48] {
        /// Start of the receiver, nanoseconds.
        pub victim_start_ns: u64,
        /// Start of the process that ran when it was sent, nanoseconds: it need not be the sender.
        pub sender_start_ns: u64,
        /// Name of that one's leader, NUL-terminated.
        pub comm: [u8; COMM_LEN],
        /// Thread-group id of that one.
        pub sender_pid: u32,
        /// Effective user id of that one.
        pub uid: u32,
        /// `siginfo.si_code`, an `int`; 0 unless told.
        pub code: u32,
        /// One of [`how`].
        pub how: u32,
    }
}

impl Sent {
    /// Of a signal of which nothing is known.
    pub const NONE: Self = Self {
        victim_start_ns: 0,
        sender_start_ns: 0,
        comm: [0; COMM_LEN],
        sender_pid: 0,
        uid: 0,
        code: 0,
        how: how::UNKNOWN,
    };
}

wire! {
    /// `sched_process_exit` of the last thread of a group.
    pub struct Exit [264] {
        pub header: Header,
        pub task: Task,
        /// CPU time of all threads, nanoseconds, up to `charged_ns`.
        pub cpu_ns: u64,
        /// Up to when the last thread's CPU time is in `cpu_ns`, on the scheduler's clock: it is charged at ticks and
        /// switches only, so that a short process may not have been charged at all. [`UNKNOWN`] where that clock
        /// cannot be read.
        pub charged_ns: u64,
        /// Peak resident set, pages; [`UNKNOWN`] where the kernel does not say.
        pub max_rss_pages: u64,
        /// Bytes that its threads, and no children, caused to be read from storage; [`UNKNOWN`] without I/O accounting, and
        /// where threads had ended before they were counted.
        pub read_bytes: u64,
        /// The same written.
        pub write_bytes: u64,
        /// CPU time in user mode, nanoseconds, as ticks have sampled it: only the ratio to `system_ns` means something.
        /// [`UNKNOWN`] where the kernel does not say.
        pub user_ns: u64,
        /// The same in the kernel.
        pub system_ns: u64,
        /// Time that its threads were ready to run and waited for a CPU, nanoseconds; [`UNKNOWN`] where the kernel does not say,
        /// and where threads had ended before they were counted.
        pub run_delay_ns: u64,
        /// Page faults served without I/O.
        pub minor_faults: u64,
        /// Page faults that needed I/O.
        pub major_faults: u32,
        /// The wait status: exit code in bits 8-15, signal in bits 0-6, core dumped in bit 7.
        pub status: u32,
        /// Threads that it has had, the first one too; 0 when not known.
        pub threads_begun: u32,
        /// Threads alive at once, at most; 0 when not known.
        pub threads_most: u32,
        /// Who sent the signal that ended it. Unless that is known, only `how` is written.
        pub killer: Sent,
    }
}

wire! {
    /// What happened to a cgroup of any hierarchy, and to which process. Only `path_len` bytes of the path are written.
    pub struct Cgroup [1080] {
        pub header: Header,
        /// Id of the cgroup within its hierarchy.
        pub id: u64,
        /// Start of the leader of the task that was moved, nanoseconds; 0 where none was.
        pub start_ns: u64,
        /// Thread-group id of that task.
        pub pid: u32,
        /// Thread id of that task.
        pub tid: u32,
        /// Number of the hierarchy: 0 for the unified one.
        pub hierarchy: u32,
        /// One of [`cgroup`].
        pub what: u32,
        /// Bytes of path, the NUL included; 0 when it could not be read.
        pub path_len: u32,
        /// Zero.
        pub reserved: u32,
        /// From the root of the hierarchy.
        pub path: [u8; CGROUP_PATH_MAX],
    }
}

wire! {
    /// A process found by the task iterator.
    pub struct TaskRow [224] {
        pub header: Header,
        pub task: Task,
        /// CPU time of the leader and of threads that have ended, nanoseconds.
        pub cpu_ns: u64,
        /// Up to when the leader was charged; see [`Exit::charged_ns`].
        pub charged_ns: u64,
        /// Resident set, pages; [`UNKNOWN`] where the kernel does not say; 0 for kernel threads.
        pub rss_pages: u64,
        /// Peak resident set of what has exited in the group, pages; [`UNKNOWN`] where the kernel does not say.
        pub max_rss_pages: u64,
        /// Bytes that the leader and ended threads caused to be read from storage; as [`Exit::read_bytes`].
        pub read_bytes: u64,
        /// The same written.
        pub write_bytes: u64,
        /// CPU time of the same threads in user mode; as [`Exit::user_ns`].
        pub user_ns: u64,
        /// The same in the kernel.
        pub system_ns: u64,
        /// Time that the leader and ended threads waited for a CPU; as [`Exit::run_delay_ns`].
        pub run_delay_ns: u64,
        /// `task_struct.__state` of the leader.
        pub state: u32,
        /// `task_struct.exit_state` of the leader (non-zero: dead or zombie).
        pub exit_state: u32,
        /// Threads that have not begun to exit: 0 for a zombie.
        pub live: u32,
        /// The wait status, meaningful when `live` is 0.
        pub status: u32,
        /// Threads that it has had, the first one too; 0 when not known.
        pub threads_begun: u32,
        /// Zero.
        pub reserved: u32,
    }
}

wire! {
    /// A thread other than the leader, found by the task iterator: its share of the process's CPU time.
    pub struct ThreadRow [88] {
        pub header: Header,
        /// CPU time of this thread, nanoseconds.
        pub cpu_ns: u64,
        /// Up to when it was charged; see [`Exit::charged_ns`].
        pub charged_ns: u64,
        /// Bytes that it caused to be read from storage; 0 of one that ends.
        pub read_bytes: u64,
        /// The same written.
        pub write_bytes: u64,
        /// CPU time in user mode; as [`Exit::user_ns`].
        pub user_ns: u64,
        /// The same in the kernel.
        pub system_ns: u64,
        /// Time that it waited for a CPU; 0 of one that ends.
        pub run_delay_ns: u64,
        /// Thread-group id.
        pub pid: u32,
        /// Thread id.
        pub tid: u32,
        /// `task_struct.__state`.
        pub state: u32,
        /// Zero.
        pub reserved: u32,
    }
}
