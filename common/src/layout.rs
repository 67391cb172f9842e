//! The one table of kernel struct members that the eBPF programs read, and the constants the loader sets besides.
//!
//! Each row gives rise to a field of [`Offsets`] (what the programs use, as read-only data fixed before load) and, on
//! the user side, to a [`Member`] of [`MEMBERS`] (what the loader looks up in the running kernel's BTF). Does not know
//! how BTF is read, nor which offsets any kernel has: they move with version and configuration alike.

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
    /// Paths to the member, the newest kernel's first: names joined by dots, with constant indices, descending into
    /// anonymous structs and unions unasked. The first that resolves is taken.
    pub paths: &'static [&'static str],
    /// Bytes that the programs read there; the member must be at least that long.
    pub size: u32,
    /// Without it the tree cannot be right: loading is refused.
    pub vital: bool,
}

macro_rules! members {
    ($($(#[$doc:meta])* $field:ident: $strct:literal, [$($path:literal),+], $size:literal, $need:ident;)+) => {
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
            paths: &[$($path),+],
            size: $size,
            vital: members!(@ $need),
        },)+];

        #[cfg(feature = "user")]
        const _: () = assert!(size_of::<Offsets>() == 4 * MEMBERS.len());
    };
    (@ vital) => { true };
    (@ optional) => { false };
}

members! {
    /// Thread id.
    task_pid: "task_struct", ["pid"], 4, vital;
    /// Thread-group id: what users call the pid.
    task_tgid: "task_struct", ["tgid"], 4, vital;
    /// Leader of the thread group.
    task_group_leader: "task_struct", ["group_leader"], 8, vital;
    /// The parent that is told of the death, whatever a debugger does.
    task_real_parent: "task_struct", ["real_parent"], 8, vital;
    /// Start on the boot clock; `real_start_time` before 5.5.
    task_start_boottime: "task_struct", ["start_boottime", "real_start_time"], 8, vital;
    /// Name.
    task_comm: "task_struct", ["comm"], 16, vital;
    /// `PF_*`.
    task_flags: "task_struct", ["flags"], 4, vital;
    /// What the thread group shares.
    task_signal: "task_struct", ["signal"], 8, vital;
    /// Wait status of the thread.
    task_exit_code: "task_struct", ["exit_code"], 4, vital;
    /// Dead or zombie.
    task_exit_state: "task_struct", ["exit_state"], 4, vital;
    /// Run state; renamed from `state` in 5.14, when it also shrank from 8 bytes to 4.
    task_state: "task_struct", ["__state", "state"], 4, optional;
    /// Its place in the list of the group's threads.
    task_thread_node: "task_struct", ["thread_node"], 16, vital;
    /// Credentials that others see.
    task_real_cred: "task_struct", ["real_cred"], 8, vital;
    /// Address space.
    task_mm: "task_struct", ["mm"], 8, vital;
    /// The thread's identity in its pid namespaces.
    task_thread_pid: "task_struct", ["thread_pid"], 8, optional;
    /// Control groups.
    task_cgroups: "task_struct", ["cgroups"], 8, optional;
    /// CPU time of the thread, nanoseconds.
    task_sum_exec_runtime: "task_struct", ["se.sum_exec_runtime"], 8, vital;
    /// Up to when that is: on the run queue's `clock_task`.
    task_exec_start: "task_struct", ["se.exec_start"], 8, optional;
    /// Run queue of the thread's group; only with `CONFIG_FAIR_GROUP_SCHED`.
    task_cfs_rq: "task_struct", ["se.cfs_rq"], 8, optional;
    /// The CPU's run queue.
    cfs_rq_rq: "cfs_rq", ["rq"], 8, optional;
    /// The scheduler's clock, as last read on that CPU, nanoseconds.
    rq_clock: "rq", ["clock"], 8, optional;
    /// The same less the time taken by interrupts and by the hypervisor.
    rq_clock_task: "rq", ["clock_task"], 8, optional;
    /// Page faults of the thread served without I/O.
    task_min_flt: "task_struct", ["min_flt"], 8, vital;
    /// Page faults of the thread that needed I/O.
    task_maj_flt: "task_struct", ["maj_flt"], 8, vital;
    /// Bytes read from storage by the thread; only with `CONFIG_TASK_IO_ACCOUNTING`.
    task_read_bytes: "task_struct", ["ioac.read_bytes"], 8, optional;
    /// Bytes written to storage by the thread; only with `CONFIG_TASK_IO_ACCOUNTING`.
    task_write_bytes: "task_struct", ["ioac.write_bytes"], 8, optional;
    /// The list of the group's threads that have not been released.
    signal_thread_head: "signal_struct", ["thread_head"], 16, vital;
    /// Threads that have not begun to exit.
    signal_live: "signal_struct", ["live.counter"], 4, vital;
    /// Threads that have not been released.
    signal_nr_threads: "signal_struct", ["nr_threads"], 4, vital;
    /// `SIGNAL_*` flags.
    signal_flags: "signal_struct", ["flags"], 4, vital;
    /// Wait status of a group exit.
    signal_group_exit_code: "signal_struct", ["group_exit_code"], 4, vital;
    /// CPU time of released threads, nanoseconds.
    signal_sum_sched_runtime: "signal_struct", ["sum_sched_runtime"], 8, vital;
    /// Peak resident set, pages.
    signal_maxrss: "signal_struct", ["maxrss"], 8, optional;
    /// Page faults of released threads served without I/O.
    signal_min_flt: "signal_struct", ["min_flt"], 8, vital;
    /// Page faults of released threads that needed I/O.
    signal_maj_flt: "signal_struct", ["maj_flt"], 8, vital;
    /// Bytes read from storage by released threads.
    signal_read_bytes: "signal_struct", ["ioac.read_bytes"], 8, optional;
    /// Bytes written to storage by released threads.
    signal_write_bytes: "signal_struct", ["ioac.write_bytes"], 8, optional;
    /// Real user id.
    cred_uid: "cred", ["uid"], 4, vital;
    /// Real group id.
    cred_gid: "cred", ["gid"], 4, vital;
    /// Effective user id.
    cred_euid: "cred", ["euid"], 4, vital;
    /// Effective group id.
    cred_egid: "cred", ["egid"], 4, vital;
    /// Where the arguments begin.
    mm_arg_start: "mm_struct", ["arg_start"], 8, vital;
    /// Where the arguments end.
    mm_arg_end: "mm_struct", ["arg_end"], 8, vital;
    /// Resident file pages; counters became per-CPU in 6.2.
    mm_rss_file: "mm_struct", ["rss_stat[0].count", "rss_stat.count[0].counter"], 8, optional;
    /// Resident anonymous pages.
    mm_rss_anon: "mm_struct", ["rss_stat[1].count", "rss_stat.count[1].counter"], 8, optional;
    /// Resident shared-memory pages.
    mm_rss_shmem: "mm_struct", ["rss_stat[3].count", "rss_stat.count[3].counter"], 8, optional;
    /// Path given to execve.
    bprm_filename: "linux_binprm", ["filename"], 8, vital;
    /// Depth of the deepest pid namespace.
    pid_level: "pid", ["level"], 4, optional;
    /// Number in the initial pid namespace; an array, one entry a level.
    pid_numbers: "pid", ["numbers"], 0, optional;
    /// Number.
    upid_nr: "upid", ["nr"], 4, optional;
    /// The namespace the number is valid in.
    upid_ns: "upid", ["ns"], 8, optional;
    /// Inode number of a pid namespace.
    pid_namespace_inum: "pid_namespace", ["ns.inum"], 4, optional;
    /// The cgroup in the unified hierarchy.
    css_set_dfl_cgrp: "css_set", ["dfl_cgrp"], 8, optional;
    /// Its node in the cgroup file system.
    cgroup_kn: "cgroup", ["kn"], 8, optional;
    /// The inode number of that node, which is the cgroup id.
    kernfs_node_id: "kernfs_node", ["id"], 8, optional;
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
    /// Zero.
    pub reserved: u32,
}

impl Settings {
    /// Nothing is known yet; the loader replaces it.
    pub const UNSET: Self = Self { wake_bytes: 0, exit_has_group_dead: 0, upid_size: 0, rss_by_helper: 0, reserved: 0 };
}
