//! Several programs on one tracepoint, of which one writes the record.
//!
//! The kernel does not enter a program that is running already on the same CPU. Since 7.0 a program can be preempted, and
//! until it goes on, the kernel would skip it for whatever else happens on that CPU. A copy is another program to the
//! kernel: it takes what the first was skipped for. Where nothing is preempted there is one program, and this costs
//! nothing.
//!
//! Does not know what is written.

use core::ptr::{read_volatile, write_volatile};

use aya_ebpf::macros::map;
use aya_ebpf::maps::PerCpuArray;
use ptree_common::wire::kind;

use crate::kernel::{constant, settings};

/// By kind: the event that was written last on this CPU.
#[map]
static WRITTEN: PerCpuArray<u64> = PerCpuArray::with_max_entries(kind::COUNT, 0);

/// Which of the programs on one tracepoint this is, from 0 on.
#[derive(Clone, Copy)]
pub(crate) struct Copy(pub(crate) u32);

impl Copy {
    /// Has a record written, unless another program has done so. `event` tells an event from the one before it on this
    /// CPU. One that was preempted just behind its record may find the mark of a later event: a record may come twice,
    /// and user space takes it out, but none is left out.
    #[inline(always)]
    pub(crate) fn once(self, kind: u32, event: impl FnOnce() -> u64, write: impl FnOnce(Self)) {
        let (several, mut here) = (how_many() > 1, 0);
        if several {
            here = event();
            // Left at once, so that the verifier has one way to go through what follows.
            let Some(written) = WRITTEN.get_ptr_mut(kind) else { return };
            // SAFETY: a map value of this CPU, which no program leaves while it runs.
            if unsafe { read_volatile(written) } == here {
                return;
            }
        }
        write(self);
        if several && let Some(written) = WRITTEN.get_ptr_mut(kind) {
            // SAFETY: as above.
            unsafe { write_volatile(written, here) };
        }
    }
}

/// Programs on each tracepoint.
#[inline(always)]
pub(crate) fn how_many() -> u32 {
    // SAFETY: in SETTINGS.
    unsafe { constant(&raw const (*settings()).copies) }
}

/// Makes the programs of a tracepoint: a name each, all with the same body, which gets a context and a [`Copy`].
macro_rules! programs {
    ($tracepoint:tt, $body:ident: $($name:ident = $copy:literal),+) => {$(
        #[aya_ebpf::macros::btf_tracepoint(function = $tracepoint)]
        pub(crate) fn $name(ctx: aya_ebpf::programs::BtfTracePointContext) -> i32 {
            // SAFETY: this is the tracepoint that the body is for.
            unsafe { $body(&ctx, $crate::copies::Copy($copy)) };
            0
        }
    )+};
}
pub(crate) use programs;
