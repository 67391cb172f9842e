//! The maps: the one ring buffer, the loss counters and the space in which an exec record is put together.
//!
//! Decides when the reader is woken; does not know what the records mean.

use aya_ebpf::bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP};
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, PerCpuArray, RingBuf};
use ptree_common::wire::{self, COPIES, kind};

use crate::copies::{self, Copy};
use crate::kernel::{bounded, constant, settings};

/// What happened; the loader sets its size.
#[map]
static EVENTS: RingBuf = RingBuf::with_byte_size(8 << 20, 0);

/// Records that found no room, by copy and [`kind`].
#[map]
static LOST: PerCpuArray<u64> = PerCpuArray::with_max_entries(COPIES * kind::COUNT, 0);

/// One entry for each copy on each CPU, set by the loader (a per-CPU map's values end at 32 KiB). A program cannot be
/// entered twice on one CPU, so an entry has one user at a time.
#[map]
static EXEC_SPACE: Array<ExecSpace> = Array::with_max_entries(1, 0);

/// When the reader was last woken, boot-time nanoseconds.
#[map]
static LAST_WAKE: Array<u64> = Array::with_max_entries(1, 0);

/// An exec record with its texts behind it.
#[repr(C)]
pub(crate) struct ExecSpace {
    pub(crate) exec: wire::Exec,
    pub(crate) texts: [u8; wire::PATH_ROOM + wire::FILENAME_MAX + wire::INTERP_MAX + wire::ARGV_MAX],
}

/// Between two wake-ups at least so long: a wake-up costs far more than a record.
const WAKE_INTERVAL_NS: u64 = 1_000_000;

/// Flags of a submission at `now_ns`: nobody is woken, since the reader comes by a timer, unless the buffer fills.
#[inline(always)]
fn wake_flags(now_ns: u64) -> u64 {
    // Asking how full it is costs as much as a tenth of a record; every eighth, by the clock's last bits, is enough.
    if now_ns & 7 != 0 {
        return u64::from(BPF_RB_NO_WAKEUP);
    }
    // SAFETY: in SETTINGS.
    let wake_bytes = unsafe { constant(&raw const (*settings()).wake_bytes) };
    if EVENTS.query(u64::from(BPF_RB_AVAIL_DATA)) >= wake_bytes
        && let Some(last) = LAST_WAKE.get_ptr_mut(0)
    {
        // SAFETY: a map value; two CPUs at once cost one wake-up too many at worst.
        unsafe {
            if now_ns.wrapping_sub(*last) >= WAKE_INTERVAL_NS {
                *last = now_ns;
                return u64::from(BPF_RB_FORCE_WAKEUP);
            }
        }
    }
    u64::from(BPF_RB_NO_WAKEUP)
}

/// Counts a record that could not be written.
#[inline(always)]
pub(crate) fn count_loss(copy: Copy, kind: u32) {
    if let Some(lost) = LOST.get_ptr_mut(copy.0 * kind::COUNT + kind) {
        // SAFETY: a map value of this CPU; only this copy of the program of this kind writes it, and no program is entered
        // twice on one CPU.
        unsafe { *lost += 1 };
    }
}

/// Reserves a record of fixed length, has it filled and submits it; counts the loss when there is no room.
#[inline(always)]
pub(crate) fn submit<T: 'static>(copy: Copy, kind: u32, now_ns: u64, fill: impl FnOnce(*mut T)) {
    let Some(mut entry) = EVENTS.reserve::<T>(0) else {
        count_loss(copy, kind);
        return;
    };
    fill(entry.as_mut_ptr());
    entry.submit(wake_flags(now_ns));
}

/// This CPU's space for an exec record of this program.
#[inline(always)]
pub(crate) fn exec_space(copy: Copy) -> Option<*mut ExecSpace> {
    // SAFETY: the helper has no preconditions.
    let cpu = unsafe { aya_ebpf::helpers::bpf_get_smp_processor_id() };
    EXEC_SPACE.get_ptr_mut(cpu * copies::how_many() + copy.0)
}

/// Copies an exec record of `len` bytes, texts included, into the ring buffer; counts the loss when there is no room.
///
/// # Safety
/// `space` comes from [`exec_space`] and `len` is at most its size.
#[inline(always)]
pub(crate) unsafe fn output_exec(copy: Copy, space: *mut ExecSpace, len: u64, now_ns: u64) {
    let flags = wake_flags(now_ns);
    // Last, since bounds known before a call may be forgotten behind it.
    let len = bounded(len, size_of::<ExecSpace>() as u64);
    // SAFETY: by the caller; the verifier checks both.
    let result = unsafe {
        aya_ebpf::helpers::generated::bpf_ringbuf_output(
            (&raw const EVENTS).cast_mut().cast(),
            space.cast(),
            len,
            flags,
        )
    };
    if result < 0 {
        count_loss(copy, kind::EXEC);
    }
}
