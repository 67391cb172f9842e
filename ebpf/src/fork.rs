//! `sched_process_fork`: a process was created. New threads pass here too and are counted.

use aya_ebpf::helpers::generated::bpf_ktime_get_boot_ns;
use aya_ebpf::programs::BtfTracePointContext;
use ptree_common::wire::{Fork, Header, kind};

use crate::copies::{Copy, programs};
use crate::kernel::{Struct, offset};
use crate::maps::submit;
use crate::task::Group;

programs!("sched_process_fork", fork: on_fork = 0, on_fork_2 = 1, on_fork_3 = 2);

// Kernel 5.8 to 7.3: trace_sched_process_fork(struct task_struct *parent, struct task_struct *child), called by
// kernel_clone() before the child is woken.
#[inline(always)]
unsafe fn fork(ctx: &BtfTracePointContext, copy: Copy) {
    // SAFETY: the arguments are task_structs, in this order; `out` is a reserved record.
    unsafe {
        let child = Struct::new(ctx.arg(1));
        let group = Group::of(child);
        if child.load::<u32>(offset!(task_pid)) != child.load::<u32>(offset!(task_tgid)) {
            copy.once(kind::THREAD, || group.thread_mark(), |_| group.begin_thread());
            return;
        }
        copy.once(
            kind::FORK,
            || group.mark(),
            |copy| {
                let ts_ns = bpf_ktime_get_boot_ns();
                submit(copy, kind::FORK, ts_ns, |out: *mut Fork| {
                    let forker = Group::of(Struct::new(ctx.arg(0)));
                    (*out).header = Header { kind: kind::FORK, size: size_of::<Fork>() as u32, ts_ns };
                    (*out).forker_pid = forker.pid();
                    (*out).forker_start_ns = forker.start_ns();
                    (*out).reserved = 0;
                    group.describe(&raw mut (*out).task);
                });
            },
        );
    }
}
