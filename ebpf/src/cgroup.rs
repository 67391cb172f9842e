//! `cgroup_mkdir` and its kin: a cgroup of any hierarchy was made, removed or renamed, or a task was moved into it.
//!
//! There are no spares: the kernel makes the path for all of these under one lock, so that none of them begins while
//! another one runs. A process that is born in a cgroup (`CLONE_INTO_CGROUP`) is not told here; its fork says where.

use aya_ebpf::helpers::generated::{bpf_ktime_get_boot_ns, bpf_probe_read_kernel_str};
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use ptree_common::layout::MISSING;
use ptree_common::wire::{CGROUP_PATH_MAX, Cgroup, Header, cgroup, kind};

use crate::copies::Copy;
use crate::kernel::{Struct, offset};
use crate::maps::submit;
use crate::task::Group;

// Kernel 5.8 to 7.3: trace_cgroup_mkdir(struct cgroup *cgrp, const char *path); the other two alike. The first is called
// before anybody can see the cgroup.
#[btf_tracepoint(function = "cgroup_mkdir")]
pub(crate) fn on_cgroup_made(ctx: BtfTracePointContext) -> i32 {
    // SAFETY: the arguments have the types above.
    unsafe { tell(&ctx, cgroup::MADE, None) }
}

#[btf_tracepoint(function = "cgroup_rmdir")]
pub(crate) fn on_cgroup_gone(ctx: BtfTracePointContext) -> i32 {
    // SAFETY: as above.
    unsafe { tell(&ctx, cgroup::REMOVED, None) }
}

#[btf_tracepoint(function = "cgroup_rename")]
pub(crate) fn on_cgroup_named(ctx: BtfTracePointContext) -> i32 {
    // SAFETY: as above.
    unsafe { tell(&ctx, cgroup::RENAMED, None) }
}

// Kernel 5.8 to 7.3: trace_cgroup_attach_task(struct cgroup *dst_cgrp, const char *path, struct task_struct *task, bool
// threadgroup), after the move. Of a whole process, the task is its leader.
#[btf_tracepoint(function = "cgroup_attach_task")]
pub(crate) fn on_cgroup_move(ctx: BtfTracePointContext) -> i32 {
    // SAFETY: the arguments have the types above.
    unsafe { tell(&ctx, cgroup::TASK, Some((Group::of(Struct::new(ctx.arg(2))), ctx.arg::<u64>(3) & 0xff != 0))) }
}

// The same arguments, task by task: whoever is left in a cpuset without CPUs goes to the one above.
#[btf_tracepoint(function = "cgroup_transfer_tasks")]
pub(crate) fn on_cgroup_left(ctx: BtfTracePointContext) -> i32 {
    // SAFETY: as above.
    unsafe { tell(&ctx, cgroup::TASK, Some((Group::of(Struct::new(ctx.arg(2))), false))) }
}

/// Writes the record. The context's first arguments are a cgroup and its path.
#[inline(always)]
unsafe fn tell(ctx: &BtfTracePointContext, what: u32, moved: Option<(Group, bool)>) -> i32 {
    // SAFETY: members of the structs that the pointers point to; `out` is a reserved record, and the path is read by a
    // helper that checks its address.
    unsafe {
        if offset!(cgroup_root) == MISSING {
            return 0;
        }
        let ts_ns = bpf_ktime_get_boot_ns();
        submit(Copy(0), kind::CGROUP, ts_ns, |out: *mut Cgroup| {
            let of = Struct::new(ctx.arg(0));
            (*out).header = Header { kind: kind::CGROUP, size: size_of::<Cgroup>() as u32, ts_ns };
            (*out).id = of.follow(offset!(cgroup_kn)).load(offset!(kernfs_node_id));
            (*out).hierarchy = of.follow(offset!(cgroup_root)).load(offset!(cgroup_root_hierarchy));
            (*out).what = what;
            (*out).reserved = 0;
            ((*out).pid, (*out).tid, (*out).start_ns) = (0, 0, 0);
            if let Some((group, all)) = moved {
                ((*out).pid, (*out).start_ns) = (group.pid(), group.start_ns());
                (*out).tid = group.task.load(offset!(task_pid));
                // A single thread is all of its process.
                if all || group.signal.load::<u32>(offset!(signal_nr_threads)) <= 1 {
                    (*out).what = cgroup::PROCESS;
                }
            }
            let path = (&raw mut (*out).path).cast();
            let len = bpf_probe_read_kernel_str(path, CGROUP_PATH_MAX as u32, ctx.arg::<*const u8>(1).cast());
            (*out).path_len = if len < 0 { 0 } else { len as u32 };
        });
    }
    0
}
