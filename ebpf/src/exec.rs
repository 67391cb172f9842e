//! `sched_process_exec`: a process started a program. The record is put together in memory of its own, since its
//! length varies: a short command line must not cost a long slot of the ring buffer.

use core::ptr::read_volatile;

use aya_ebpf::helpers::generated::{bpf_ktime_get_boot_ns, bpf_probe_read_kernel_str, bpf_probe_read_user};
use aya_ebpf::programs::BtfTracePointContext;
use ptree_common::wire::{ARGV_MAX, ARGV_UNREADABLE, Exec, FILENAME_MAX, Header, INTERP_MAX, PATH_ROOM, kind};

use crate::copies::{Copy, how_many, programs};
use crate::kernel::{Struct, bounded, offset};
use crate::maps::{count_loss, exec_space, output_exec};
use crate::path::{self, Names};
use crate::task::Group;

programs!("sched_process_exec", exec: on_exec = 0, on_exec_2 = 1, on_exec_3 = 2);

// Kernel 5.8 to 7.3: trace_sched_process_exec(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm), past
// the point of no return: `mm` is the new one, credentials are the new ones, other threads are gone.
#[inline(always)]
unsafe fn exec(ctx: &BtfTracePointContext, copy: Copy) {
    // SAFETY: the arguments have the types above.
    unsafe {
        let task = Struct::new(ctx.arg(0));
        // There are several only where the kernel has this member: else its offset would be refused.
        let exec_id: u64 = if how_many() > 1 { task.load(offset!(task_exec_id)) } else { 0 };
        // Never the same for two execs of a process; for those of two only by a chance of one in 2^64.
        let event = || Group::of(task).mark().wrapping_add(exec_id.wrapping_mul(SPREAD));
        copy.once(kind::EXEC, event, |copy| write(ctx, copy, exec_id as u32));
    }
}

/// Odd, so that a product with it tells what its factor was; its bits are those of the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline(always)]
unsafe fn write(ctx: &BtfTracePointContext, copy: Copy, exec_id: u32) {
    let Some(space) = exec_space(copy) else {
        count_loss(copy, kind::EXEC);
        return;
    };
    // SAFETY: the arguments have the types above; all writes stay in `space`, which the verifier checks.
    unsafe {
        let task = Struct::new(ctx.arg(0));
        let bprm = Struct::new(ctx.arg(2));
        let out = &raw mut (*space).exec;
        let texts = (&raw mut (*space).texts).cast::<u8>();
        let ts_ns = bpf_ktime_get_boot_ns();

        // Whatever follows pointers comes before the branches: the verifier goes every way that is left at a branch, and
        // takes about a millisecond for each pointer on it.
        let filename = bprm.follow(offset!(bprm_filename));
        let mm = task.follow(offset!(task_mm));
        let start: u64 = mm.load(offset!(mm_arg_start));
        let total = mm.load::<u64>(offset!(mm_arg_end)).wrapping_sub(start);
        Group::of(task).describe(&raw mut (*out).task);

        let (mut path_len, mut interp) = (0, filename);
        ((*out).path_len, (*out).path_is) = (0, 0);
        if path::is_told() {
            interp = bprm.follow(offset!(bprm_interp));
            // The same as `mm->exe_file`, which may be null.
            let names = Names { into: texts, len: &raw mut (*out).path_len };
            (*out).path_is = path::write(bprm.follow(offset!(bprm_file)), names);
            path_len = bounded(u64::from(read_volatile(names.len)), PATH_ROOM as u64);
        }

        let into = texts.add(path_len as usize);
        let read = bpf_probe_read_kernel_str(into.cast(), FILENAME_MAX as u32, filename.as_ptr().cast());
        // An error is less than 0, and as such more than anything.
        let filename_len = bounded(read as u64, FILENAME_MAX as u64);
        (*out).filename_len = filename_len as u32;
        let into = into.add(filename_len as usize);
        let mut interp_len = 0;
        if interp.as_ptr() != filename.as_ptr() {
            let read = bpf_probe_read_kernel_str(into.cast(), INTERP_MAX as u32, interp.as_ptr().cast());
            interp_len = bounded(read as u64, INTERP_MAX as u64);
        }
        (*out).interp_len = interp_len as u32;
        let into = into.add(interp_len as usize);
        let mut argv_len = if total > ARGV_MAX as u64 { ARGV_MAX as u64 } else { total };
        let mut argv_field = argv_len as u32;
        if argv_len > 0 && bpf_probe_read_user(into.cast(), argv_len as u32, start as *const _) != 0 {
            argv_len = 0;
            argv_field = ARGV_UNREADABLE;
        }

        let size = size_of::<Exec>() as u64 + path_len + filename_len + interp_len + argv_len;
        (*out).header = Header { kind: kind::EXEC, size: size as u32, ts_ns };
        (*out).argv_len = argv_field;
        (*out).argv_total = if total > u64::from(u32::MAX) { u32::MAX } else { total as u32 };
        (*out).exec_id = exec_id;
        (*out).reserved = 0;
        output_exec(copy, space, size, ts_ns);
    }
}
