//! What every record says of its process: identity, parent, credentials, name, control group,
//! namespace, session, terminal, login.
//!
//! Owns the knowledge of `task_struct` and what hangs off it; does not know the hooks.

use core::hint::black_box;
use core::mem::MaybeUninit;

use aya_ebpf::helpers::{bpf_probe_read_kernel, generated};
use ptree_common::layout::MISSING;
use ptree_common::wire::{self, tells};

use crate::kernel::{Struct, constant, offset, settings};
use crate::threads::Own;

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
            belonging(leader, signal, out);
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
            let own = Own::of(task);
            let mut left = own;
            let mut sum = Usage::of_released(signal);
            let threads: u32 = signal.load(offset!(signal_nr_threads));
            if threads > 1 {
                let (unreleased, seen) = Usage::of_unreleased(signal);
                // One that was released before the walk came to it has moved over to the released ones.
                if seen < threads {
                    sum = Usage::of_released(signal);
                }
                left = unreleased.own;
                sum.add(unreleased);
            } else {
                sum.add(Usage {
                    cpu_ns: task.load(offset!(task_sum_exec_runtime)),
                    user_ns: task.load_or(offset!(task_utime), 0),
                    system_ns: task.load_or(offset!(task_stime), 0),
                    minor_faults: task.load(offset!(task_min_flt)),
                    major_faults: task.load(offset!(task_maj_flt)),
                    ..Usage::NONE
                });
            }
            (sum.threads_begun, sum.threads_most, sum.own) = (1, 1, own);
            if self.is_of_many() {
                (sum.threads_begun, sum.threads_most, sum.own) = (0, 0, Own::UNKNOWN);
                if let Some(known) = self.threads() {
                    (sum.threads_begun, sum.threads_most) = (known.begun, known.most);
                    // Those that end at the same time may come after this one, and have not been added then.
                    sum.own = known.own.and(if known.left <= 1 { own } else { left });
                }
                self.forget_threads();
            }
            sum.own = sum.own.told();
            if offset!(task_utime) == MISSING {
                (sum.user_ns, sum.system_ns) = (wire::UNKNOWN, wire::UNKNOWN);
            }
            sum
        }
    }
}

/// What a process has used up.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) cpu_ns: u64,
    /// As ticks have sampled it.
    pub(crate) user_ns: u64,
    /// As ticks have sampled it.
    pub(crate) system_ns: u64,
    pub(crate) minor_faults: u64,
    pub(crate) major_faults: u64,
    pub(crate) own: Own,
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
        user_ns: 0,
        system_ns: 0,
        minor_faults: 0,
        major_faults: 0,
        own: Own::NONE,
        threads_begun: 0,
        threads_most: 0,
    };

    /// But for threads and what they have each for themselves.
    #[inline(always)]
    fn add(&mut self, other: Self) {
        self.cpu_ns += other.cpu_ns;
        self.user_ns += other.user_ns;
        self.system_ns += other.system_ns;
        self.minor_faults += other.minor_faults;
        self.major_faults += other.major_faults;
    }

    /// Of the threads of a group that have been released; what they had each for themselves is not known here.
    #[inline(always)]
    unsafe fn of_released(signal: Struct) -> Self {
        // SAFETY: members of signal_struct.
        unsafe {
            Self {
                cpu_ns: signal.load(offset!(signal_sum_sched_runtime)),
                user_ns: signal.load_or(offset!(signal_utime), 0),
                system_ns: signal.load_or(offset!(signal_stime), 0),
                minor_faults: signal.load(offset!(signal_min_flt)),
                major_faults: signal.load(offset!(signal_maj_flt)),
                ..Self::NONE
            }
        }
    }

    /// Of the threads of a group that have not been released, and how many were seen. What each has for itself is of those
    /// alone that still have files, as they do when their end is told. Of what this kernel does not count, any number.
    ///
    /// The verifier goes through each of the rounds, and from each on to the end of the program: there is one way through a
    /// round and one out of it, nothing in it is a constant by which a round could be told from another, and what is known
    /// beforehand stands before it. Members that lie side by side are read at once.
    #[inline(always)]
    unsafe fn of_unreleased(signal: Struct) -> (Self, u32) {
        // SAFETY: in OFFSETS; as below.
        unsafe {
            let beside = |first: u32, second: u32| second == first.wrapping_add(8) || first == MISSING;
            // So in all kernels known.
            if beside(offset!(task_utime), offset!(task_stime))
                && beside(offset!(task_min_flt), offset!(task_maj_flt))
                && beside(offset!(task_read_bytes), offset!(task_write_bytes))
            {
                Self::of_list::<true>(signal)
            } else {
                Self::of_list::<false>(signal)
            }
        }
    }

    #[inline(always)]
    unsafe fn of_list<const BESIDE: bool>(signal: Struct) -> (Self, u32) {
        let mut sum = Self::NONE;
        let mut seen = 0_u64;
        // SAFETY: the helper checks each address, and fills what it is given in any case, with zeros where it cannot read (no
        // branch for the verifier to follow).
        unsafe {
            let read = |at: usize| {
                let mut value = MaybeUninit::<u64>::uninit();
                generated::bpf_probe_read_kernel(value.as_mut_ptr().cast(), 8, at as *const _);
                value.assume_init()
            };
            // From a thread's place in the list; of what is missing, anywhere.
            let list = offset!(task_thread_node);
            let from = |offset: u32| (if offset == MISSING { 0 } else { offset }).wrapping_sub(list) as i32 as usize;
            let cpu = from(offset!(task_sum_exec_runtime));
            let (user, system) = (from(offset!(task_utime)), from(offset!(task_stime)));
            let (minor, major) = (from(offset!(task_min_flt)), from(offset!(task_maj_flt)));
            let (bytes_read, written) = (from(offset!(task_read_bytes)), from(offset!(task_write_bytes)));
            let (files, delay) = (from(offset!(task_files)), from(offset!(task_run_delay)));
            let head = signal.as_ptr() as usize + offset!(signal_thread_head) as usize;
            let mut node = read(head) as usize;
            for _ in 0..THREADS {
                if node == head {
                    break;
                }
                let two = |first: usize, second: usize| {
                    if !BESIDE {
                        return [read(node.wrapping_add(first)), read(node.wrapping_add(second))];
                    }
                    let mut values = MaybeUninit::<[u64; 2]>::uninit();
                    let at = node.wrapping_add(first);
                    generated::bpf_probe_read_kernel(values.as_mut_ptr().cast(), 16, at as *const _);
                    values.assume_init()
                };
                // 1 where there is something, by arithmetic, which the compiler must not see through: a branch would be one more
                // way, a number that is known one more state.
                let any = |value: u64| (value | black_box(0_u64.wrapping_sub(value))) >> 63;
                seen += any(node as u64);
                let [user_ns, system_ns] = two(user, system);
                let [minor_faults, major_faults] = two(minor, major);
                let cpu_ns = read(node.wrapping_add(cpu));
                sum.add(Self { cpu_ns, user_ns, system_ns, minor_faults, major_faults, ..Self::NONE });
                let kept = black_box(0_u64.wrapping_sub(any(read(node.wrapping_add(files)))));
                let [read_bytes, write_bytes] = two(bytes_read, written);
                sum.own = sum.own.and(Own {
                    read_bytes: read_bytes & kept,
                    write_bytes: write_bytes & kept,
                    run_delay_ns: read(node.wrapping_add(delay)) & kept,
                });
                node = read(node) as usize;
            }
        }
        (sum, seen as u32)
    }
}

/// What a process belongs to: session, process group, terminal, login; and its nice value.
///
/// # Safety
/// `leader` is a `task_struct`, `signal` its `signal_struct`, `out` points to a writable [`wire::Task`].
#[inline(always)]
unsafe fn belonging(leader: Struct, signal: Struct, out: *mut wire::Task) {
    /// Of a nice value of 0 (`DEFAULT_PRIO`).
    const PRIORITY: u32 = 120;
    // SAFETY: members of the structs along the way, by the caller; loads through null give zero.
    unsafe {
        let mut tells = 0;
        let (mut sid, mut pgid, mut nice) = (0, 0, 0);
        if offset!(pid_nr) != MISSING
            && offset!(signal_sid) != MISSING
            && offset!(signal_pgid) != MISSING
            && offset!(task_static_prio) != MISSING
        {
            sid = signal.follow(offset!(signal_sid)).load(offset!(pid_nr));
            pgid = signal.follow(offset!(signal_pgid)).load(offset!(pid_nr));
            nice = leader.load::<u32>(offset!(task_static_prio)).wrapping_sub(PRIORITY) as i16;
            tells |= tells::SESSION;
        }
        let (mut login_uid, mut audit_session) = (0, 0);
        if offset!(task_loginuid) != MISSING && offset!(task_sessionid) != MISSING {
            login_uid = leader.load(offset!(task_loginuid));
            audit_session = leader.load(offset!(task_sessionid));
            tells |= tells::LOGIN;
        }
        let (mut begin, mut end): (u64, u32) = (0, 0);
        if offset!(signal_tty) != MISSING && offset!(tty_name) != MISSING {
            // Most have none; and kernels before 6.0 take a fault where they load through null.
            let tty = signal.follow(offset!(signal_tty));
            if !tty.as_ptr().is_null() {
                begin = tty.load(offset!(tty_name));
                end = tty.load(offset!(tty_name).wrapping_add(8));
            }
            tells |= tells::TERMINAL;
        }
        (*out).sid = sid;
        (*out).pgid = pgid;
        (*out).login_uid = login_uid;
        (*out).audit_session = audit_session;
        (*out).nice = nice;
        (*out).tells = tells;
        let name = (&raw mut (*out).tty).cast::<u32>();
        *name = begin as u32;
        *name.add(1) = (begin >> 32) as u32;
        *name.add(2) = end;
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
