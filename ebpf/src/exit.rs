//! `sched_process_exit`: a thread ends; the process ends with its last one.

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::bpf_ktime_get_boot_ns;
use aya_ebpf::programs::BtfTracePointContext;
use ptree_common::wire::{Exit, Header, UNKNOWN, how, kind};

use crate::copies::{Copy, programs};
use crate::kernel::{Struct, constant, offset, settings};
use crate::maps::submit;
use crate::signal;
use crate::task::{Group, charged_ns};

programs!("sched_process_exit", exit: on_exit = 0, on_exit_2 = 1, on_exit_3 = 2);

/// Of a wait status: the signal that ended the process.
const SIGNAL: u32 = 0x7f;

// Kernel 5.8 to 6.15: trace_sched_process_exit(struct task_struct *p); since 6.16 with a second argument,
// bool group_dead. Called by do_exit() after `live` was decremented and `exit_code` and `maxrss` were set.
#[inline(always)]
unsafe fn exit(ctx: &BtfTracePointContext, copy: Copy) {
    // SAFETY: the arguments have the types above; the second is read only where the kernel has it; `out` is a
    // reserved record.
    unsafe {
        let task = Struct::new(ctx.arg(0));
        let group = Group::of(task);
        let last = if constant(&raw const (*settings()).exit_has_group_dead) != 0 {
            core::ptr::read_volatile(ctx.as_ptr().cast::<u64>().add(1)) & 0xff != 0
        } else {
            // Two threads that end at once may both see zero: user space takes the second as a duplicate.
            group.signal.load::<u32>(offset!(signal_live)) == 0
        };
        if !last {
            copy.once(kind::THREAD, || !group.thread_mark(), |_| group.end_thread());
            return;
        }
        copy.once(
            kind::EXIT,
            || group.mark(),
            |copy| {
                let ts_ns = bpf_ktime_get_boot_ns();
                submit(copy, kind::EXIT, ts_ns, |out: *mut Exit| {
                    (*out).header = Header { kind: kind::EXIT, size: size_of::<Exit>() as u32, ts_ns };
                    (*out).charged_ns = charged_ns(task);
                    (*out).max_rss_pages = group.signal.load_or(offset!(signal_maxrss), UNKNOWN);
                    let status = group.status();
                    (*out).status = status;
                    (*out).killer.how = how::UNKNOWN;
                    if status & SIGNAL != 0 {
                        signal::tell(group, status & SIGNAL, &raw mut (*out).killer);
                    }
                    group.describe(&raw mut (*out).task);
                    // Last, since the verifier goes from each thread on to the end.
                    let usage = group.usage();
                    (*out).cpu_ns = usage.cpu_ns;
                    (*out).read_bytes = usage.own.read_bytes;
                    (*out).write_bytes = usage.own.write_bytes;
                    (*out).run_delay_ns = usage.own.run_delay_ns;
                    (*out).user_ns = usage.user_ns;
                    (*out).system_ns = usage.system_ns;
                    (*out).minor_faults = usage.minor_faults;
                    (*out).major_faults = usage.major_faults as u32;
                    (*out).threads_begun = usage.threads_begun;
                    (*out).threads_most = usage.threads_most;
                });
            },
        );
    }
}
