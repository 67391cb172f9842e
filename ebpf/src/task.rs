//! What every record says of its process: identity, parent, credentials, name, control group, namespace.
//!
//! Owns the knowledge of `task_struct` and what hangs off it; does not know the hooks.

use aya_ebpf::helpers::{bpf_probe_read_kernel, generated};
use ptree_common::layout::MISSING;
use ptree_common::wire;

use crate::kernel::{Struct, constant, offset, settings};

/// Inode number of the initial pid namespace (`PROC_PID_INIT_INO`, a kernel ABI).
const INIT_PID_NS: u32 = 0xefff_fffc;
/// `MAX_PID_NS_LEVEL`: pid namespaces nest no deeper.
const PID_NS_LEVELS: u32 = 32;
/// `SIGNAL_GROUP_EXIT`: the group ends together, with one status.
const SIGNAL_GROUP_EXIT: u32 = 4;

/// The thread group of a task.
#[derive(Clone, Copy)]
pub(crate) struct Group {
    /// A thread of it: the one that the hook is about.
    pub(crate) task: Struct,
    /// Its leader, whose pid and start identify the process.
    pub(crate) leader: Struct,
    /// What its threads share.
    pub(crate) signal: Struct,
}

impl Group {
    /// # Safety
    /// `task` is a `task_struct`.
    #[inline(always)]
    pub(crate) unsafe fn of(task: Struct) -> Self {
        // SAFETY: members of task_struct.
        unsafe {
            Self { task, leader: task.follow(offset!(task_group_leader)), signal: task.follow(offset!(task_signal)) }
        }
    }

    /// Start of the leader: with the pid, the identity of the process.
    #[inline(always)]
    pub(crate) fn start_ns(self) -> u64 {
        // SAFETY: a member of task_struct.
        unsafe { self.leader.load(offset!(task_start_boottime)) }
    }

    /// Tells this process from the others that are born, or that end, one after another.
    #[inline(always)]
    pub(crate) fn mark(self) -> u64 {
        self.start_ns().wrapping_add(u64::from(self.pid()) << 40)
    }

    /// Tells this thread from the others that begin, or that end, one after another.
    #[inline(always)]
    pub(crate) fn thread_mark(self) -> u64 {
        // SAFETY: members of task_struct.
        unsafe {
            let start_ns: u64 = self.task.load(offset!(task_start_boottime));
            start_ns.wrapping_add(u64::from(self.task.load::<u32>(offset!(task_pid))) << 40)
        }
    }

    /// Thread-group id.
    #[inline(always)]
    pub(crate) fn pid(self) -> u32 {
        // SAFETY: a member of task_struct.
        unsafe { self.task.load(offset!(task_tgid)) }
    }

    /// Fills what every record has.
    ///
    /// # Safety
    /// `out` points to a writable [`wire::Task`].
    #[inline(always)]
    pub(crate) unsafe fn describe(self, out: *mut wire::Task) {
        let Self { task, leader, signal } = self;
        // SAFETY: members of the structs that the pointers point to; `out` by the caller.
        unsafe {
            let parent = Self::of(leader.follow(offset!(task_real_parent)));
            let pid = self.pid();
            (*out).pid = pid;
            (*out).start_ns = self.start_ns();
            (*out).ppid = parent.pid();
            (*out).parent_start_ns = parent.start_ns();

            // The name is a char array at a multiple of 8 in every kernel seen; as two words it is two loads.
            let comm = offset!(task_comm);
            let name = (&raw mut (*out).comm).cast::<u64>();
            *name = leader.load(comm);
            *name.add(1) = leader.load(comm.wrapping_add(8));

            let cred = task.follow(offset!(task_real_cred));
            (*out).uid = cred.load(offset!(cred_euid));
            (*out).gid = cred.load(offset!(cred_egid));
            (*out).ruid = cred.load(offset!(cred_uid));
            (*out).rgid = cred.load(offset!(cred_gid));

            (*out).threads = signal.load(offset!(signal_nr_threads));
            (*out).flags = leader.load(offset!(task_flags));
            (*out).cgroup_id = cgroup_id(task);
            let (pid_ns, ns_pid) = namespace(leader, pid);
            (*out).pid_ns = pid_ns;
            (*out).ns_pid = ns_pid;
        }
    }

    /// The wait status that the parent will get.
    #[inline(always)]
    pub(crate) fn status(self) -> u32 {
        // SAFETY: members of signal_struct and task_struct.
        unsafe {
            let flags: u32 = self.signal.load(offset!(signal_flags));
            // Both are loaded before one is chosen. Else the compiler chooses struct and offset each for itself, and
            // verifiers of 5.10 then try the offset of the one with the other.
            let of_group: u32 = self.signal.load(offset!(signal_group_exit_code));
            let of_leader: u32 = self.leader.load(offset!(task_exit_code));
            if flags & SIGNAL_GROUP_EXIT != 0 { of_group } else { of_leader }
        }
    }

    /// What the process has used up, when its last thread ends: the threads that were released, and those that were not
    /// (this one, the leader, and for a moment any that has ended).
    #[inline(always)]
    pub(crate) fn usage(self) -> Usage {
        // SAFETY: members of task_struct and signal_struct; the list is read by a helper that checks addresses.
        unsafe {
            let Self { task, signal, .. } = self;
            let (own_read, own_write): (u64, u64) =
                (task.load_or(offset!(task_read_bytes), 0), task.load_or(offset!(task_write_bytes), 0));
            let (mut read_bytes, mut write_bytes) = (own_read, own_write);
            let mut sum = Usage::of_released(signal);
            let threads: u32 = signal.load(offset!(signal_nr_threads));
            if threads > 1 {
                let (unreleased, seen) = Usage::of_unreleased(signal);
                // One that was released before the walk came to it has moved over to the released ones.
                if seen < threads {
                    sum = Usage::of_released(signal);
                }
                (read_bytes, write_bytes) = (unreleased.read_bytes, unreleased.write_bytes);
                sum.add(unreleased);
            } else {
                sum.add(Usage {
                    cpu_ns: task.load(offset!(task_sum_exec_runtime)),
                    minor_faults: task.load(offset!(task_min_flt)),
                    major_faults: task.load(offset!(task_maj_flt)),
                    ..Usage::NONE
                });
            }
            (sum.threads_begun, sum.threads_most) = (1, 1);
            (sum.read_bytes, sum.write_bytes) = (own_read, own_write);
            if self.is_of_many() {
                (sum.threads_begun, sum.threads_most) = (0, 0);
                (sum.read_bytes, sum.write_bytes) = (wire::UNKNOWN, wire::UNKNOWN);
                if let Some(known) = self.threads() {
                    (sum.threads_begun, sum.threads_most) = (known.begun, known.most);
                    // Those that end at the same time may come after this one, and have not been added then.
                    if known.left <= 1 {
                        (read_bytes, write_bytes) = (own_read, own_write);
                    }
                    (sum.read_bytes, sum.write_bytes) =
                        (known.read_bytes.wrapping_add(read_bytes), known.write_bytes.wrapping_add(write_bytes));
                }
                self.forget_threads();
            }
            if offset!(task_read_bytes) == MISSING || offset!(task_files) == MISSING {
                (sum.read_bytes, sum.write_bytes) = (wire::UNKNOWN, wire::UNKNOWN);
            }
            sum
        }
    }
}

/// What a process has used up.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) cpu_ns: u64,
    pub(crate) minor_faults: u64,
    pub(crate) major_faults: u64,
    pub(crate) read_bytes: u64,
    pub(crate) write_bytes: u64,
    /// 0 for not known.
    pub(crate) threads_begun: u32,
    /// 0 for not known.
    pub(crate) threads_most: u32,
}

/// So many unreleased threads are looked at when the last one ends.
const THREADS: u32 = 64;

impl Usage {
    const NONE: Self = Self {
        cpu_ns: 0,
        minor_faults: 0,
        major_faults: 0,
        read_bytes: 0,
        write_bytes: 0,
        threads_begun: 0,
        threads_most: 0,
    };

    /// But for bytes and threads.
    #[inline(always)]
    fn add(&mut self, other: Self) {
        self.cpu_ns += other.cpu_ns;
        self.minor_faults += other.minor_faults;
        self.major_faults += other.major_faults;
    }

    /// Of the threads of a group that have been released; bytes are not known of these here.
    #[inline(always)]
    unsafe fn of_released(signal: Struct) -> Self {
        // SAFETY: members of signal_struct.
        unsafe {
            Self {
                cpu_ns: signal.load(offset!(signal_sum_sched_runtime)),
                minor_faults: signal.load(offset!(signal_min_flt)),
                major_faults: signal.load(offset!(signal_maj_flt)),
                ..Self::NONE
            }
        }
    }

    /// Of the threads of a group that have not been released, and how many were seen. Bytes are of those alone that still
    /// have files, as they do when their end is told.
    #[inline(always)]
    unsafe fn of_unreleased(signal: Struct) -> (Self, u32) {
        let mut sum = Self::NONE;
        let mut seen = 0;
        // SAFETY: the helper checks each address and gives zero where it cannot read (no branch for the verifier to
        // follow).
        unsafe {
            let read = |at: usize| {
                let mut value = 0_u64;
                generated::bpf_probe_read_kernel((&raw mut value).cast(), 8, at as *const _);
                value
            };
            let head = signal.as_ptr() as usize + offset!(signal_thread_head) as usize;
            let mut node = read(head) as usize;
            for _ in 0..THREADS {
                if node == head || node == 0 {
                    break;
                }
                seen += 1;
                let thread = node.wrapping_sub(offset!(task_thread_node) as usize);
                let member = |offset: u32| if offset == MISSING { 0 } else { read(thread + offset as usize) };
                sum.add(Self {
                    cpu_ns: member(offset!(task_sum_exec_runtime)),
                    minor_faults: member(offset!(task_min_flt)),
                    major_faults: member(offset!(task_maj_flt)),
                    ..Self::NONE
                });
                // All ones where there are files, by arithmetic: a branch would be one more way for the verifier.
                let files = member(offset!(task_files));
                let kept = 0_u64.wrapping_sub((files | 0_u64.wrapping_sub(files)) >> 63);
                sum.read_bytes += member(offset!(task_read_bytes)) & kept;
                sum.write_bytes += member(offset!(task_write_bytes)) & kept;
                node = read(node) as usize;
            }
        }
        (sum, seen)
    }
}

/// Up to when a thread's CPU time has been charged to it, on the scheduler's clock of all CPUs.
#[inline(always)]
pub(crate) fn charged_ns(task: Struct) -> u64 {
    // SAFETY: members of the structs along the way; loads through null give zero.
    unsafe {
        if offset!(task_exec_start) == MISSING {
            return wire::UNKNOWN;
        }
        let exec_start: u64 = task.load(offset!(task_exec_start));
        if offset!(task_cfs_rq) == MISSING
            || offset!(cfs_rq_rq) == MISSING
            || offset!(rq_clock) == MISSING
            || offset!(rq_clock_task) == MISSING
        {
            // Right where interrupts and the hypervisor are not accounted for.
            return exec_start;
        }
        let rq = task.follow(offset!(task_cfs_rq)).follow(offset!(cfs_rq_rq));
        let taken = rq.load::<u64>(offset!(rq_clock)).wrapping_sub(rq.load::<u64>(offset!(rq_clock_task)));
        exec_start.wrapping_add(taken)
    }
}

/// Id of the cgroup in the unified hierarchy, or 0.
#[inline(always)]
unsafe fn cgroup_id(task: Struct) -> u64 {
    // SAFETY: members of the structs along the way; loads through null give zero.
    unsafe {
        if offset!(task_cgroups) == MISSING
            || offset!(css_set_dfl_cgrp) == MISSING
            || offset!(cgroup_kn) == MISSING
            || offset!(kernfs_node_id) == MISSING
        {
            return 0;
        }
        task.follow(offset!(task_cgroups))
            .follow(offset!(css_set_dfl_cgrp))
            .follow(offset!(cgroup_kn))
            .load(offset!(kernfs_node_id))
    }
}

/// The process's own pid namespace and its pid there; zeros when not known.
#[inline(always)]
unsafe fn namespace(leader: Struct, pid: u32) -> (u32, u32) {
    // SAFETY: members of the structs along the way; the array entry is read by a helper that checks the address, since
    // its index is not a constant.
    unsafe {
        if offset!(task_thread_pid) == MISSING || offset!(pid_level) == MISSING {
            return (0, 0);
        }
        let thread_pid = leader.follow(offset!(task_thread_pid));
        let level: u32 = thread_pid.load(offset!(pid_level));
        if level == 0 {
            return (INIT_PID_NS, pid);
        }
        if level > PID_NS_LEVELS
            || offset!(pid_numbers) == MISSING
            || offset!(upid_nr) == MISSING
            || offset!(upid_ns) == MISSING
            || offset!(pid_namespace_inum) == MISSING
        {
            return (0, 0);
        }
        let entry = offset!(pid_numbers) + level * constant(&raw const (*settings()).upid_size);
        let upid = thread_pid.as_ptr().wrapping_add(entry as usize);
        let nr = bpf_probe_read_kernel(upid.wrapping_add(offset!(upid_nr) as usize).cast::<u32>()).unwrap_or(0);
        let ns = bpf_probe_read_kernel(upid.wrapping_add(offset!(upid_ns) as usize).cast::<*const u8>())
            .unwrap_or(core::ptr::null());
        let inum = ns.wrapping_add(offset!(pid_namespace_inum) as usize);
        (bpf_probe_read_kernel(inum.cast::<u32>()).unwrap_or(0), nr)
    }
}
