//! The one table of kernel struct members that the eBPF programs read, and the constants the loader sets besides.
//!
//! Each row gives rise to a field of [`Offsets`] (what the programs use, as read-only data fixed before load) and, on
//! the user side, to a [`Member`] of [`MEMBERS`]: what the loader looks up in the running kernel's BTF, what `doctor
//! --layout` shows and what the tests check. Does not know how BTF is read, nor which offsets any kernel has: they move
//! with version and configuration alike.

#[cfg(feature = "user")]
pub use crate::part::Part;

/// The offset of a member that this kernel does not have.
pub const MISSING: u32 = u32::MAX;

/// A struct member whose offset the programs need.
#[cfg(feature = "user")]
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Field of [`Offsets`] that takes the offset.
    pub field: &'static str,
    /// The kernel struct.
    pub strct: &'static str,
    /// Where it may be; the first that is there is taken.
    pub places: &'static [Alternative],
    /// What the programs take it for.
    pub shape: Shape,
    /// What becomes of a kernel without it.
    pub need: Need,
}

/// One of the places where a member may be.
#[cfg(feature = "user")]
#[derive(Clone, Copy, Debug)]
pub struct Alternative {
    /// Names joined by dots, with indices that are numbers or enumerators, descending into anonymous structs and unions unasked.
    pub path: &'static str,
    /// Which kernels have it there, and why; empty for a member that never moved.
    pub era: &'static str,
}

/// What a member has to be: anything else would be read as nonsense.
#[cfg(feature = "user")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An integer, an enumeration or a `bool` of at least so many bytes, of which the programs read the lowest.
    Int(u32),
    /// A pointer.
    Pointer,
    /// An array of characters, at least so many.
    Text(u32),
    /// A struct of at least so many bytes.
    Struct(u32),
    /// An array of structs of unknown length.
    Structs,
}

/// Whether a member can be done without.
#[cfg(feature = "user")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Without it the tree cannot be right: loading is refused.
    Vital,
    /// Without it this part of what is shown is left out or made do with less.
    For(Part),
}

macro_rules! members {
    ($(
        $(#[$doc:meta])*
        $field:ident: $strct:literal, [$($path:literal $(($era:literal))?),+],
        $shape:ident $(($size:literal))?, $need:ident;
    )+) => {
        /// Byte offsets of the members, from the start of their struct; [`MISSING`] where the kernel has none.
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(
            feature = "user",
            derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::KnownLayout, zerocopy::Immutable)
        )]
        pub struct Offsets { $($(#[$doc])* pub $field: u32,)+ }

        impl Offsets {
            /// Nothing is known yet; the loader replaces it.
            pub const UNSET: Self = Self { $($field: MISSING,)+ };
        }

        /// The table, in the order of the fields of [`Offsets`].
        #[cfg(feature = "user")]
        pub const MEMBERS: &[Member] = &[$(Member {
            field: stringify!($field),
            strct: $strct,
            places: &[$(Alternative { path: $path, era: concat!($($era)?) }),+],
            shape: Shape::$shape $(($size))?,
            need: members!(@ $need),
        },)+];

        #[cfg(feature = "user")]
        const _: () = assert!(size_of::<Offsets>() == 4 * MEMBERS.len());
    };
    (@ Vital) => { Need::Vital };
    (@ $part:ident) => { Need::For(Part::$part) };
}

members! {
    /// Thread id.
    task_pid: "task_struct", ["pid"], Int(4), Vital;
    /// Thread-group id: what users call the pid.
    task_tgid: "task_struct", ["tgid"], Int(4), Vital;
    /// Leader of the thread group.
    task_group_leader: "task_struct", ["group_leader"], Pointer, Vital;
    /// The parent that is told of the death, whatever a debugger does.
    task_real_parent: "task_struct", ["real_parent"], Pointer, Vital;
    /// Start on the boot clock.
    task_start_boottime: "task_struct", ["start_boottime"], Int(8), Vital;
    /// Name.
    task_comm: "task_struct", ["comm"], Text(16), Vital;
    /// `PF_*`.
    task_flags: "task_struct", ["flags"], Int(4), Vital;
    /// What the thread group shares.
    task_signal: "task_struct", ["signal"], Pointer, Vital;
    /// Wait status of the thread.
    task_exit_code: "task_struct", ["exit_code"], Int(4), Vital;
    /// Dead or zombie.
    task_exit_state: "task_struct", ["exit_state"], Int(4), Vital;
    /// Run state.
    task_state: "task_struct", [
        "__state" ("since 5.14, when it was renamed and shrank to 4 bytes"),
        "state" ("before 5.14, 8 bytes long")
    ], Int(4), State;
    /// Its place in the list of the group's threads.
    task_thread_node: "task_struct", ["thread_node"], Struct(16), Vital;
    /// Credentials that others see.
    task_real_cred: "task_struct", ["real_cred"], Pointer, Vital;
    /// Address space.
    task_mm: "task_struct", ["mm"], Pointer, Vital;
    /// Number of the last exec, counted on from that of the parent at the fork.
    task_exec_id: "task_struct", ["self_exec_id"], Int(8), Spares;
    /// The thread's identity in its pid namespaces.
    task_thread_pid: "task_struct", ["thread_pid"], Pointer, Namespaces;
    /// Control groups.
    task_cgroups: "task_struct", ["cgroups"], Pointer, Cgroups;
    /// CPU time of the thread, nanoseconds.
    task_sum_exec_runtime: "task_struct", ["se.sum_exec_runtime"], Int(8), Vital;
    /// Up to when that is: on the run queue's `clock_task`.
    task_exec_start: "task_struct", ["se.exec_start"], Int(8), LastTick;
    /// Run queue of the thread's group; only with `CONFIG_FAIR_GROUP_SCHED`.
    task_cfs_rq: "task_struct", ["se.cfs_rq"], Pointer, TakenTime;
    /// The CPU's run queue.
    cfs_rq_rq: "cfs_rq", ["rq"], Pointer, TakenTime;
    /// The scheduler's clock, as last read on that CPU, nanoseconds.
    rq_clock: "rq", ["clock"], Int(8), TakenTime;
    /// The same less the time taken by interrupts and by the hypervisor.
    rq_clock_task: "rq", ["clock_task"], Int(8), TakenTime;
    /// CPU time of the thread in user mode, nanoseconds, as ticks have sampled it.
    task_utime: "task_struct", ["utime"], Int(8), UserTime;
    /// The same in the kernel.
    task_stime: "task_struct", ["stime"], Int(8), UserTime;
    /// Time that the thread was ready to run and had to wait for a CPU, nanoseconds; only with `CONFIG_SCHED_INFO`.
    task_run_delay: "task_struct", ["sched_info.run_delay"], Int(8), RunDelay;
    /// Priority without what real-time scheduling does to it: 120 for a nice value of 0.
    task_static_prio: "task_struct", ["static_prio"], Int(4), Sessions;
    /// The user who logged in; only with `CONFIG_AUDIT`.
    task_loginuid: "task_struct", ["loginuid.val"], Int(4), Logins;
    /// Number of that login.
    task_sessionid: "task_struct", ["sessionid"], Int(4), Logins;
    /// Page faults of the thread served without I/O.
    task_min_flt: "task_struct", ["min_flt"], Int(8), Vital;
    /// Page faults of the thread that needed I/O.
    task_maj_flt: "task_struct", ["maj_flt"], Int(8), Vital;
    /// Bytes read from storage by the thread; only with `CONFIG_TASK_IO_ACCOUNTING`.
    task_read_bytes: "task_struct", ["ioac.read_bytes"], Int(8), StorageIo;
    /// Bytes written to storage by the thread; only with `CONFIG_TASK_IO_ACCOUNTING`.
    task_write_bytes: "task_struct", ["ioac.write_bytes"], Int(8), StorageIo;
    /// Open files: none of a thread that has ended.
    task_files: "task_struct", ["files"], Pointer, Vital;
    /// The list of the group's threads that have not been released.
    signal_thread_head: "signal_struct", ["thread_head"], Struct(16), Vital;
    /// Threads that have not begun to exit.
    signal_live: "signal_struct", ["live.counter"], Int(4), Vital;
    /// Threads that have not been released.
    signal_nr_threads: "signal_struct", ["nr_threads"], Int(4), Vital;
    /// `SIGNAL_*` flags.
    signal_flags: "signal_struct", ["flags"], Int(4), Vital;
    /// Wait status of a group exit.
    signal_group_exit_code: "signal_struct", ["group_exit_code"], Int(4), Vital;
    /// CPU time of released threads, nanoseconds.
    signal_sum_sched_runtime: "signal_struct", ["sum_sched_runtime"], Int(8), Vital;
    /// CPU time of released threads in user mode, nanoseconds, as ticks have sampled it.
    signal_utime: "signal_struct", ["utime"], Int(8), UserTime;
    /// The same in the kernel.
    signal_stime: "signal_struct", ["stime"], Int(8), UserTime;
    /// Session.
    signal_sid: "signal_struct", ["pids[PIDTYPE_SID]"], Pointer, Sessions;
    /// Process group.
    signal_pgid: "signal_struct", ["pids[PIDTYPE_PGID]"], Pointer, Sessions;
    /// Controlling terminal; null for none.
    signal_tty: "signal_struct", ["tty"], Pointer, Terminals;
    /// Its name, such as `pts3`.
    tty_name: "tty_struct", ["name"], Text(12), Terminals;
    /// Peak resident set, pages.
    signal_maxrss: "signal_struct", ["maxrss"], Int(8), PeakMemory;
    /// Page faults of released threads served without I/O.
    signal_min_flt: "signal_struct", ["min_flt"], Int(8), Vital;
    /// Page faults of released threads that needed I/O.
    signal_maj_flt: "signal_struct", ["maj_flt"], Int(8), Vital;
    /// Real user id.
    cred_uid: "cred", ["uid.val"], Int(4), Vital;
    /// Real group id.
    cred_gid: "cred", ["gid.val"], Int(4), Vital;
    /// Effective user id.
    cred_euid: "cred", ["euid.val"], Int(4), Vital;
    /// Effective group id.
    cred_egid: "cred", ["egid.val"], Int(4), Vital;
    /// Where the arguments begin.
    mm_arg_start: "mm_struct", ["arg_start"], Int(8), Vital;
    /// Where the arguments end.
    mm_arg_end: "mm_struct", ["arg_end"], Int(8), Vital;
    /// Resident file pages.
    mm_rss_file: "mm_struct", [
        "rss_stat[MM_FILEPAGES].count" ("since 6.2, an array of per-CPU counters"),
        "rss_stat.count[MM_FILEPAGES].counter" ("before 6.2, one struct")
    ], Int(8), Memory;
    /// Resident anonymous pages.
    mm_rss_anon: "mm_struct", [
        "rss_stat[MM_ANONPAGES].count" ("since 6.2, an array of per-CPU counters"),
        "rss_stat.count[MM_ANONPAGES].counter" ("before 6.2, one struct")
    ], Int(8), Memory;
    /// Resident shared-memory pages.
    mm_rss_shmem: "mm_struct", [
        "rss_stat[MM_SHMEMPAGES].count" ("since 6.2, an array of per-CPU counters"),
        "rss_stat.count[MM_SHMEMPAGES].counter" ("before 6.2, one struct")
    ], Int(8), Memory;
    /// Path given to execve.
    bprm_filename: "linux_binprm", ["filename"], Pointer, Vital;
    /// The file that is run: of a script, its interpreter's.
    bprm_file: "linux_binprm", ["file"], Pointer, Paths;
    /// The path of that; the very same pointer as `filename` unless an interpreter took the place of what was to be run.
    bprm_interp: "linux_binprm", ["interp"], Pointer, Paths;
    /// Its place in its file system.
    file_dentry: "file", ["f_path.dentry"], Pointer, Paths;
    /// The mount by which it was found.
    file_mnt: "file", ["f_path.mnt"], Pointer, Paths;
    /// The folder that it is in; of a root, itself.
    dentry_parent: "dentry", ["d_parent"], Pointer, Paths;
    /// Null when it is in no folder any more.
    dentry_pprev: "dentry", ["d_hash.pprev"], Pointer, Paths;
    /// Its name.
    dentry_name: "dentry", ["d_name.name"], Pointer, Paths;
    /// Bytes of its name.
    dentry_name_len: "dentry", ["d_name.len"], Int(4), Paths;
    /// Its name, where that is short.
    dentry_short: "dentry", [
        "d_shortname.string" ("since 6.14, in a union"),
        "d_iname" ("before 6.14")
    ], Text(32), Paths;
    /// What of a file system a mount shows.
    vfsmount_root: "vfsmount", ["mnt_root"], Pointer, Paths;
    /// What the kernel knows of a mount, and others do not.
    mount_mnt: "mount", ["mnt"], Struct(8), Paths;
    /// The mount on which it is mounted.
    mount_parent: "mount", ["mnt_parent"], Pointer, Paths;
    /// And where.
    mount_mountpoint: "mount", ["mnt_mountpoint"], Pointer, Paths;
    /// Where a process's paths begin and are looked up.
    task_fs: "task_struct", ["fs"], Pointer, Paths;
    /// The mount of its root.
    fs_root_mnt: "fs_struct", ["root.mnt"], Pointer, Paths;
    /// Its root.
    fs_root_dentry: "fs_struct", ["root.dentry"], Pointer, Paths;
    /// Where a signal comes from.
    siginfo_code: "kernel_siginfo", ["si_code"], Int(4), Killers;
    /// Depth of the deepest pid namespace.
    pid_level: "pid", ["level"], Int(4), Namespaces;
    /// Number in the initial pid namespace; an array, one entry a level.
    pid_numbers: "pid", ["numbers"], Structs, Namespaces;
    /// Number in the initial pid namespace.
    pid_nr: "pid", ["numbers[0].nr"], Int(4), Sessions;
    /// Number.
    upid_nr: "upid", ["nr"], Int(4), Namespaces;
    /// The namespace the number is valid in.
    upid_ns: "upid", ["ns"], Pointer, Namespaces;
    /// Inode number of a pid namespace.
    pid_namespace_inum: "pid_namespace", ["ns.inum"], Int(4), Namespaces;
    /// The cgroup in the unified hierarchy.
    css_set_dfl_cgrp: "css_set", ["dfl_cgrp"], Pointer, Cgroups;
    /// Its node in the cgroup file system.
    cgroup_kn: "cgroup", ["kn"], Pointer, Cgroups;
    /// The inode number of that node, which is the cgroup id.
    kernfs_node_id: "kernfs_node", ["id"], Int(8), Cgroups;
    /// The hierarchy that a cgroup is in.
    cgroup_root: "cgroup", ["root"], Pointer, Moves;
    /// Its number, as `/proc/PID/cgroup` has it: 0 for the unified one.
    cgroup_root_hierarchy: "cgroup_root", ["hierarchy_id"], Int(4), Moves;
}

/// Constants that the loader sets beside the offsets.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::KnownLayout, zerocopy::Immutable)
)]
pub struct Settings {
    /// Bytes waiting in the ring buffer from which on the reader is woken rather than left to its timer.
    pub wake_bytes: u64,
    /// Whether `sched_process_exit` passes `group_dead` (6.16 and later).
    pub exit_has_group_dead: u32,
    /// Bytes of one `struct upid`.
    pub upid_size: u32,
    /// Whether the counters of resident pages are an array of a typedef (before 6.2), into which the verifier lets
    /// nobody look directly: a helper reads them.
    pub rss_by_helper: u32,
    /// How many programs there are on each tracepoint, so that one can take what the kernel skips another for: 1, or up to
    /// [`COPIES`](crate::wire::COPIES) where tracepoints can be preempted.
    pub copies: u32,
    /// Whether `mark_victim` passes a task (and a user id), as newer kernels of each series do, or a pid.
    pub victim_is_task: u32,
    /// Zero.
    pub reserved: u32,
}

impl Settings {
    /// Nothing is known yet; the loader replaces it.
    pub const UNSET: Self = Self {
        wake_bytes: 0,
        exit_has_group_dead: 0,
        upid_size: 0,
        rss_by_helper: 0,
        copies: 1,
        victim_is_task: 0,
        reserved: 0,
    };
}
