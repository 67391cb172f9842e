//! `signal_generate`: a signal was sent, and `mark_victim`: memory ran out and somebody was chosen to die. Who sent what is
//! remembered by victim and signal, and told with the end of the process if that is the signal that it ended by.
//!
//! By signal as well, so that one that is handled and the later one that kills do not take each other's place. Nothing is
//! told here of signals that kill nobody, and nothing is judged: user space says what it means.
//!
//! There are no spares: signals are sent under a lock with interrupts off, where only kernels for real time can preempt a
//! program, and what is skipped costs a name, no event.

use aya_ebpf::helpers::generated::{
    bpf_get_current_pid_tgid, bpf_get_current_task, bpf_probe_read_kernel as probe_read_kernel,
};
use aya_ebpf::helpers::{bpf_probe_read_kernel, bpf_probe_read_kernel_buf};
use aya_ebpf::macros::{btf_tracepoint, map};
use aya_ebpf::maps::LruHashMap;
use aya_ebpf::programs::BtfTracePointContext;
use aya_ebpf::{EbpfContext, bindings::BPF_ANY};
use ptree_common::layout::MISSING;
use ptree_common::wire::{Sent, how};

use crate::kernel::{Struct, constant, offset, settings};
use crate::task::Group;

/// The last sender of each signal to each process, by pid and signal. Whoever ends by one takes it out; of those that are
/// handled, the oldest make room.
#[map]
static SENT: LruHashMap<[u32; 2], Sent> = LruHashMap::with_max_entries(16_384, 0);

/// Signals that kill nobody, whatever a process has chosen: those for children, windows and urgent data are ignored, the
/// others stop it or let it go on. By number, which is the same on all machines that the programs run on. A child's end
/// sends one: whatever else is done is not done for these.
const HARMLESS: u64 = 1 << 17 | 1 << 18 | 1 << 19 | 1 << 20 | 1 << 21 | 1 << 22 | 1 << 23 | 1 << 28;
const SIGKILL: u32 = 9;

// Kernel 5.8 to 7.3: trace_signal_generate(int sig, struct kernel_siginfo *info, struct task_struct *task, int group,
// int result).
#[btf_tracepoint(function = "signal_generate")]
pub(crate) fn on_signal(ctx: BtfTracePointContext) -> i32 {
    // SAFETY: the arguments have the types above. The task is the receiver, or one of its threads.
    unsafe {
        let (signal, result): (i32, i32) = (ctx.arg(0), ctx.arg(4));
        // What was not delivered is ignored, was pending already, or found no room.
        if offset!(siginfo_code) == MISSING || result != 0 || !(1..=64).contains(&signal) {
            return 0;
        }
        let signal = signal as u32;
        if signal < 64 && HARMLESS >> signal & 1 != 0 {
            return 0;
        }
        // 0 and 1 stand for signals without more. As an argument it is a pointer to the verifier, and to some no null; so it
        // is read like any other memory.
        let info = bpf_probe_read_kernel(ctx.as_ptr().cast::<u64>().add(1)).unwrap_or(0);
        let mut sent = Sent { how: how::UNTOLD, ..Sent::NONE };
        if info == 1 {
            sent.how = how::KERNEL;
        } else if info != 0 {
            let at = (info + u64::from(offset!(siginfo_code))) as *const u32;
            match bpf_probe_read_kernel(at) {
                Ok(code) => (sent.how, sent.code) = (how::TOLD, code),
                Err(_) => return 0,
            }
        }
        let victim = Group::of(Struct::new(ctx.arg(2)));
        sent.victim_start_ns = victim.start_ns();
        current(&mut sent);
        let _ = SENT.insert([victim.pid(), signal], sent, u64::from(BPF_ANY));
    }
    0
}

/// Fills in who runs at the moment.
#[inline(always)]
unsafe fn current(sent: &mut Sent) {
    // SAFETY: members of task_struct and cred; the helpers check each address, and give zero for what cannot be read. (That
    // there is a pointer that the verifier knows is true only since 5.11.)
    unsafe {
        let word = |at: u64| bpf_probe_read_kernel(at as *const u64).unwrap_or(0);
        let task = bpf_get_current_task();
        let leader = word(task + u64::from(offset!(task_group_leader)));
        let cred = word(task + u64::from(offset!(task_real_cred)));
        sent.sender_pid = (bpf_get_current_pid_tgid() >> 32) as u32;
        sent.sender_start_ns = word(leader + u64::from(offset!(task_start_boottime)));
        let _ = bpf_probe_read_kernel_buf((leader + u64::from(offset!(task_comm))) as *const u8, &mut sent.comm);
        probe_read_kernel(
            (&raw mut sent.uid).cast(),
            size_of::<u32>() as u32,
            (cred + u64::from(offset!(cred_euid))) as *const _,
        );
    }
}

// Kernel 5.8 to some 5.10: trace_mark_victim(int pid); since some later 5.10 and 6.1: (struct task_struct *task, uid_t uid).
// Called right behind the signal, by who sent it; also for somebody who is dying already, for whatever reason.
#[btf_tracepoint(function = "mark_victim")]
pub(crate) fn on_victim(ctx: BtfTracePointContext) -> i32 {
    // SAFETY: the argument is of the type that the loader has found; the entry is a map's.
    unsafe {
        let pid: u32 = if constant(&raw const (*settings()).victim_is_task) != 0 {
            Struct::new(ctx.arg(0)).load(offset!(task_tgid))
        } else {
            ctx.arg::<i32>(0) as u32
        };
        let me = (bpf_get_current_pid_tgid() >> 32) as u32;
        if let Some(sent) = SENT.get_ptr_mut([pid, SIGKILL])
            && (*sent).how == how::KERNEL
            && (*sent).sender_pid == me
        {
            (*sent).how = how::MEMORY;
        }
    }
    0
}

/// Tells who sent the signal that a process ends by, and forgets it.
///
/// # Safety
/// `out` points to a writable [`Sent`].
#[inline(always)]
pub(crate) unsafe fn tell(group: Group, signal: u32, out: *mut Sent) {
    let key = [group.pid(), signal];
    // SAFETY: the entry is a map's; `out` by the caller.
    unsafe {
        if let Some(sent) = SENT.get_ptr(key)
            && (*sent).victim_start_ns == group.start_ns()
        {
            *out = *sent;
            let _ = SENT.remove(key);
        }
    }
}
