//! `iter/task`: a pass over every task, for what was running before us, for repair after a loss and for live metrics.

use aya_ebpf::helpers::bpf_probe_read_kernel;
use aya_ebpf::helpers::generated::{bpf_ktime_get_boot_ns, bpf_seq_write};
use ptree_common::layout::MISSING;
use ptree_common::wire::{Header, PF_EXITING, PF_KTHREAD, TaskRow, ThreadRow, UNKNOWN, kind};

use crate::kernel::{Struct, constant, offset, settings};
use crate::path;
use crate::task::{Group, charged_ns};
use crate::threads::Own;

/// `struct bpf_iter__task`.
#[repr(C)]
pub(crate) struct Context {
    meta: *const Meta,
    task: *const u8,
}

/// The head of `struct bpf_iter_meta`.
#[repr(C)]
struct Meta {
    seq: *mut aya_ebpf::bindings::seq_file,
}

/// Writes a [`TaskRow`] for a leader, a [`ThreadRow`] for any other thread.
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task")]
pub(crate) extern "C" fn on_task(ctx: *const Context) -> i32 {
    // SAFETY: the kernel passes this context; `task` is null once, after the last task.
    unsafe {
        let (seq, task) = ((*(*ctx).meta).seq, (*ctx).task);
        if task.is_null() {
            return 0;
        }
        path::note_root();
        let task = Struct::new(task);
        let group = Group::of(task);
        let ts_ns = bpf_ktime_get_boot_ns();
        let state = task.load_or(offset!(task_state), u32::MAX);
        if task.load::<u32>(offset!(task_pid)) != group.pid() {
            let own = own(task).told();
            let (user_ns, system_ns) = sampled(task);
            let mut row = ThreadRow {
                header: Header { kind: kind::THREAD, size: size_of::<ThreadRow>() as u32, ts_ns },
                cpu_ns: task.load(offset!(task_sum_exec_runtime)),
                charged_ns: charged_ns(task),
                read_bytes: own.read_bytes,
                write_bytes: own.write_bytes,
                user_ns,
                system_ns,
                run_delay_ns: own.run_delay_ns,
                pid: group.pid(),
                tid: task.load(offset!(task_pid)),
                state,
                reserved: 0,
            };
            bpf_seq_write(seq, (&raw mut row).cast(), size_of::<ThreadRow>() as u32);
            return 0;
        }
        let mut row = core::mem::MaybeUninit::<TaskRow>::uninit();
        let out = row.as_mut_ptr();
        (*out).header = Header { kind: kind::TASK, size: size_of::<TaskRow>() as u32, ts_ns };
        (*out).cpu_ns = task
            .load::<u64>(offset!(task_sum_exec_runtime))
            .wrapping_add(group.signal.load::<u64>(offset!(signal_sum_sched_runtime)));
        (*out).charged_ns = charged_ns(task);
        (*out).rss_pages = rss_pages(task);
        (*out).max_rss_pages = group.signal.load_or(offset!(signal_maxrss), UNKNOWN);
        (*out).state = state;
        (*out).exit_state = task.load(offset!(task_exit_state));
        (*out).live = group.signal.load(offset!(signal_live));
        (*out).status = group.status();
        let mut own = own(task);
        let mut begun = 1;
        if group.is_of_many() {
            if let Some(known) = group.threads() {
                begun = known.begun;
                own = own.and(known.own);
            } else if group.signal.load::<u64>(offset!(signal_sum_sched_runtime)) != 0 {
                // Some have been released unseen.
                begun = 0;
                own = Own::UNKNOWN;
            } else {
                begun = group.signal.load(offset!(signal_nr_threads));
            }
        }
        let own = own.told();
        (*out).read_bytes = own.read_bytes;
        (*out).write_bytes = own.write_bytes;
        (*out).run_delay_ns = own.run_delay_ns;
        let (user_ns, system_ns) = sampled(task);
        (*out).user_ns = user_ns.wrapping_add(group.signal.load_or(offset!(signal_utime), 0));
        (*out).system_ns = system_ns.wrapping_add(group.signal.load_or(offset!(signal_stime), 0));
        (*out).threads_begun = begun;
        (*out).reserved = 0;
        group.describe(&raw mut (*out).task);
        bpf_seq_write(seq, out.cast(), size_of::<TaskRow>() as u32);
    }
    0
}

/// What a thread has read, written and waited; nothing of one that ends, since that is, or is about to be, counted with its
/// group.
#[inline(always)]
unsafe fn own(task: Struct) -> Own {
    // SAFETY: a member of task_struct.
    let flags: u32 = unsafe { task.load(offset!(task_flags)) };
    if flags & PF_EXITING != 0 { Own::NONE } else { Own::of(task) }
}

/// Its CPU time in user mode and in the kernel, as ticks have sampled it.
#[inline(always)]
unsafe fn sampled(task: Struct) -> (u64, u64) {
    // SAFETY: members of task_struct.
    unsafe { (task.load_or(offset!(task_utime), UNKNOWN), task.load_or(offset!(task_stime), UNKNOWN)) }
}

/// Resident file, anonymous and shared-memory pages, as `/proc/PID/statm` counted them before 6.17: without the few
/// pages that each CPU holds back.
#[inline(always)]
unsafe fn rss_pages(task: Struct) -> u64 {
    // SAFETY: members of task_struct and mm_struct; a process that is ending has no `mm`, and reads as zero.
    unsafe {
        if task.load::<u32>(offset!(task_flags)) & PF_KTHREAD != 0 {
            return 0;
        }
        if offset!(mm_rss_file) == MISSING || offset!(mm_rss_anon) == MISSING || offset!(mm_rss_shmem) == MISSING {
            return UNKNOWN;
        }
        let mm = task.follow(offset!(task_mm));
        let by_helper = constant(&raw const (*settings()).rss_by_helper) != 0;
        // Each counter may be below zero for a moment, and counts as none then.
        let pages = |offset: u32| {
            let count = if by_helper {
                bpf_probe_read_kernel(mm.as_ptr().wrapping_add(offset as usize).cast::<i64>()).unwrap_or(0)
            } else {
                mm.load::<i64>(offset)
            };
            if count > 0 { count as u64 } else { 0 }
        };
        pages(offset!(mm_rss_file)) + pages(offset!(mm_rss_anon)) + pages(offset!(mm_rss_shmem))
    }
}
