//! The parts of what ptree-tui shows that depend on the kernel, each of which may be missing without the rest.
//!
//! Names and explanations only: which members and hooks a part needs is said where those are.

/// A part of what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// That processes begin: the fork hook.
    Births,
    /// That processes run another program: the exec hook.
    Execs,
    /// That processes end: the exit hook.
    Ends,
    /// What is running: the task iterator.
    Running,
    /// What happens while a program is preempted: its spares.
    Spares,
    /// Who sent the signals that processes end by: the hook on signals.
    Killers,
    /// Which of these were for lack of memory: the hook on victims.
    OutOfMemory,
    /// Which file each program is: what hangs off the file in the exec hook.
    Paths,
    /// Run state.
    State,
    /// Resident memory of the living.
    Memory,
    /// Peak memory of the finished.
    PeakMemory,
    /// Bytes read from and written to storage.
    StorageIo,
    /// CPU time in user mode and in the kernel apart.
    UserTime,
    /// Time spent waiting for a CPU.
    RunDelay,
    /// CPU time that the kernel had not charged yet when a process ended.
    LastTick,
    /// What interrupts and the hypervisor took from that.
    TakenTime,
    /// Control groups of the newly born.
    Cgroups,
    /// Cgroups that are made, and processes that are moved between them: the hooks on cgroups.
    Moves,
    /// Pid namespaces, and the pids within.
    Namespaces,
    /// Sessions, process groups and nice values.
    Sessions,
    /// Controlling terminals.
    Terminals,
    /// Who logged in.
    Logins,
    /// What /proc tells of processes that were there before us.
    Details,
}

impl Part {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 23] = [
        Self::Births,
        Self::Execs,
        Self::Ends,
        Self::Running,
        Self::Spares,
        Self::Killers,
        Self::OutOfMemory,
        Self::Paths,
        Self::State,
        Self::Memory,
        Self::PeakMemory,
        Self::StorageIo,
        Self::UserTime,
        Self::RunDelay,
        Self::LastTick,
        Self::TakenTime,
        Self::Cgroups,
        Self::Moves,
        Self::Namespaces,
        Self::Sessions,
        Self::Terminals,
        Self::Logins,
        Self::Details,
    ];

    /// A short name that does not change: it stands in the header of streams.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Births => "births",
            Self::Execs => "execs",
            Self::Ends => "ends",
            Self::Running => "running",
            Self::Spares => "spares",
            Self::Killers => "killers",
            Self::OutOfMemory => "out-of-memory",
            Self::Paths => "paths",
            Self::State => "state",
            Self::Memory => "memory",
            Self::PeakMemory => "peak-memory",
            Self::StorageIo => "storage-io",
            Self::UserTime => "user-time",
            Self::RunDelay => "run-delay",
            Self::LastTick => "last-tick",
            Self::TakenTime => "taken-time",
            Self::Cgroups => "cgroups",
            Self::Moves => "cgroup-moves",
            Self::Namespaces => "namespaces",
            Self::Sessions => "sessions",
            Self::Terminals => "terminals",
            Self::Logins => "logins",
            Self::Details => "details",
        }
    }

    /// What it tells.
    #[must_use]
    pub const fn tells(self) -> &'static str {
        match self {
            Self::Births => "every fork as it happens, with who forked",
            Self::Execs => "every exec as it happens, with its arguments",
            Self::Ends => "every end as it happens, with status and cost",
            Self::Running => "what runs already, and CPU time to the nanosecond, from the kernel's task iterator",
            Self::Spares => "also what happens while the kernel preempts a program (from 7.0 on)",
            Self::Killers => "who sent the signal that a process ended by",
            Self::OutOfMemory => "whether the kernel killed it for lack of memory",
            Self::Paths => "the file of each program that is started, whatever was typed",
            Self::State => "run states",
            Self::Memory => "resident memory of the living",
            Self::PeakMemory => "peak memory of the finished",
            Self::StorageIo => "bytes that each process itself has read from and written to storage",
            Self::UserTime => "CPU time in user mode and in the kernel apart",
            Self::RunDelay => "time that processes were ready to run and waited for a CPU",
            Self::LastTick => "CPU time of processes that live for less than a tick",
            Self::TakenTime => "CPU time of such processes without what interrupts and the hypervisor took",
            Self::Cgroups => "control groups of the newly born",
            Self::Moves => "control groups as they are made, and who is moved between them, as it happens",
            Self::Namespaces => "pid namespaces, and the pids within",
            Self::Sessions => "sessions, process groups and nice values",
            Self::Terminals => "controlling terminals",
            Self::Logins => "who logged in, and the number of that login, whoever processes run as",
            Self::Details => "arguments and program paths of what ran before ptree-tui, from /proc",
        }
    }

    /// What a kernel has to have for it.
    #[must_use]
    pub const fn wants(self) -> &'static str {
        match self {
            Self::Births
            | Self::Execs
            | Self::Ends
            | Self::Running
            | Self::Spares
            | Self::Killers
            | Self::OutOfMemory => "please report this with your kernel's release",
            Self::Paths
            | Self::State
            | Self::Memory
            | Self::PeakMemory
            | Self::UserTime
            | Self::LastTick
            | Self::Sessions => "a kernel newer than this ptree-tui may have renamed them: try a newer ptree-tui",
            Self::StorageIo => "boot a kernel built with CONFIG_TASK_IO_ACCOUNTING=y",
            Self::RunDelay => "boot a kernel built with CONFIG_SCHEDSTATS=y or CONFIG_TASK_DELAY_ACCT=y",
            Self::TakenTime => "boot a kernel built with CONFIG_FAIR_GROUP_SCHED=y",
            Self::Cgroups | Self::Moves => "boot a kernel built with CONFIG_CGROUPS=y",
            Self::Namespaces => "boot a kernel built with CONFIG_PID_NS=y",
            Self::Terminals => "boot a kernel built with CONFIG_TTY=y",
            Self::Logins => "boot a kernel built with CONFIG_AUDIT=y",
            Self::Details => {
                "mount it with 'mount -t proc proc /proc'; where it is mounted with hidepid, run ptree-tui as root or add \
                 cap_sys_ptrace to its capabilities"
            }
        }
    }

    /// What there is without it.
    #[must_use]
    pub const fn without(self) -> &'static str {
        match self {
            Self::Births => "births are noticed by looking every second: the shortest lives show by exec and end alone",
            Self::Execs => "programs and arguments are asked of /proc every second; of short lives they stay unknown",
            Self::Ends => "ends are noticed by looking every second, without status and cost",
            Self::Running => "what runs is asked of /proc: CPU time comes in ticks of 10 ms, and looking costs more",
            Self::Spares => "events while a program is preempted may be lost; they are counted and repaired",
            Self::Killers => "left out: the signal alone is told",
            Self::OutOfMemory => "such a kill is told as one of the kernel's, without a reason",
            Self::Paths => "asked of /proc when the record comes: of short lives it stays unknown",
            Self::State => "shown as '?'",
            Self::Memory => "left out",
            Self::PeakMemory => "left out",
            Self::StorageIo => "left out",
            Self::UserTime | Self::RunDelay => "left out",
            Self::LastTick => "CPU time of the finished lacks what was not charged yet, up to a tick",
            Self::TakenTime => "CPU time of the finished is off by as much, within their last tick",
            Self::Cgroups => "only of processes that ran before ptree-tui, from /proc",
            Self::Moves => {
                "asked of /proc when a process starts a program or is seen in another one: of short lives in new ones they \
                 stay unknown, and so do moves in hierarchies of version 1"
            }
            Self::Namespaces => "left out; inside a container, nothing of its processes is asked of /proc",
            Self::Sessions | Self::Terminals | Self::Logins => "left out",
            Self::Details => "left out; nor are events counted that the kernel skips",
        }
    }
}
