//! What is kept of the thread groups that have had a second thread: how many threads began and were alive at once, and what
//! those that have ended read, wrote and waited for a CPU. The kernel itself adds an ended thread's bytes up with those of
//! reaped children, from which nobody can tell them again, and forgets how long it waited.
//!
//! Groups of one thread are not kept, and cost nothing here.

use core::intrinsics::{AtomicOrdering, atomic_xadd};

use aya_ebpf::bindings::BPF_NOEXIST;
use aya_ebpf::macros::map;
use aya_ebpf::maps::LruHashMap;
use ptree_common::layout::MISSING;
use ptree_common::wire::UNKNOWN;

use crate::kernel::{Struct, offset};
use crate::task::Group;

/// See the module.
#[repr(C)]
pub(crate) struct Threads {
    start_ns: u64,
    own: Own,
    /// The first one as well.
    begun: u32,
    /// Those whose end has been seen here.
    ended: u32,
    /// Alive at once, at most.
    most: u32,
    /// Some had been released before anything was noted: then nothing is known but that.
    partial: u32,
}

/// What the kernel counts for each thread and does not add up as it should: bytes read from storage and written to it, and
/// nanoseconds of waiting for a CPU. Zeros where this kernel does not count it.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Own {
    pub(crate) read_bytes: u64,
    pub(crate) write_bytes: u64,
    pub(crate) run_delay_ns: u64,
}

impl Own {
    pub(crate) const NONE: Self = Self { read_bytes: 0, write_bytes: 0, run_delay_ns: 0 };
    pub(crate) const UNKNOWN: Self = Self { read_bytes: UNKNOWN, write_bytes: UNKNOWN, run_delay_ns: UNKNOWN };

    /// Of one thread.
    #[inline(always)]
    pub(crate) fn of(task: Struct) -> Self {
        // SAFETY: members of task_struct.
        unsafe {
            Self {
                read_bytes: task.load_or(offset!(task_read_bytes), 0),
                write_bytes: task.load_or(offset!(task_write_bytes), 0),
                run_delay_ns: task.load_or(offset!(task_run_delay), 0),
            }
        }
    }

    /// Of these threads and others together.
    #[inline(always)]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            read_bytes: self.read_bytes.wrapping_add(other.read_bytes),
            write_bytes: self.write_bytes.wrapping_add(other.write_bytes),
            run_delay_ns: self.run_delay_ns.wrapping_add(other.run_delay_ns),
        }
    }

    /// Without what this kernel does not count.
    #[inline(always)]
    pub(crate) fn told(self) -> Self {
        // SAFETY: in OFFSETS.
        let (bytes, delay) = unsafe { (offset!(task_read_bytes) != MISSING, offset!(task_run_delay) != MISSING) };
        Self {
            read_bytes: if bytes { self.read_bytes } else { UNKNOWN },
            write_bytes: if bytes { self.write_bytes } else { UNKNOWN },
            run_delay_ns: if delay { self.run_delay_ns } else { UNKNOWN },
        }
    }
}

/// By pid. One that has no place here any more, of thousands, is as one that was not seen to begin.
#[map]
static THREADS: LruHashMap<u32, Threads> = LruHashMap::with_max_entries(8192, 0);

/// The numbers of a group.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    pub(crate) begun: u32,
    pub(crate) most: u32,
    /// Those whose end has not been seen.
    pub(crate) left: u32,
    /// Of those that have ended.
    pub(crate) own: Own,
}

impl Group {
    /// Whether it has, or has had, more than one thread.
    #[inline(always)]
    pub(crate) fn is_of_many(self) -> bool {
        // SAFETY: members of signal_struct. Released threads have left their CPU time behind.
        unsafe {
            self.signal.load::<u32>(offset!(signal_nr_threads)) > 1
                || self.signal.load::<u64>(offset!(signal_sum_sched_runtime)) != 0
        }
    }

    /// Notes that a thread of it begins, which is counted in the group already.
    #[inline(always)]
    pub(crate) fn begin_thread(self) {
        // SAFETY: a member of signal_struct; the entry is a map's, and changed by whole words.
        unsafe {
            let live: u32 = self.signal.load(offset!(signal_live));
            if let Some(threads) = self.noted() {
                atomic_xadd::<u32, u32, { AtomicOrdering::Relaxed }>(&raw mut (*threads).begun, 1);
                // Threads of one group that begin at once may leave out one of them; the next one makes up for it.
                if live > (*threads).most {
                    (*threads).most = live;
                }
            } else {
                self.note(live);
            }
        }
    }

    /// Notes that a thread of it ends, which is not the last one.
    #[inline(always)]
    pub(crate) fn end_thread(self) {
        // SAFETY: members of task_struct; the entry is a map's, and changed by whole words.
        unsafe {
            let live: u32 = self.signal.load(offset!(signal_live));
            // Nobody will ask for a group whose last thread has been told of already. This one counts as alive no more.
            if live > 0 && self.noted().is_none() {
                self.note(live + 1);
            }
            if let Some(threads) = self.noted() {
                let (own, sum) = (Own::of(self.task), &raw mut (*threads).own);
                atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(&raw mut (*sum).read_bytes, own.read_bytes);
                atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(&raw mut (*sum).write_bytes, own.write_bytes);
                atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(&raw mut (*sum).run_delay_ns, own.run_delay_ns);
                atomic_xadd::<u32, u32, { AtomicOrdering::Relaxed }>(&raw mut (*threads).ended, 1);
            }
        }
    }

    /// What is known of its threads; `None` where that is not all.
    #[inline(always)]
    pub(crate) fn threads(self) -> Option<Known> {
        // SAFETY: the entry is a map's.
        unsafe {
            let threads = self.noted()?;
            if (*threads).partial != 0 {
                return None;
            }
            let (begun, ended) = ((*threads).begun, (*threads).ended);
            Some(Known { begun, most: (*threads).most, left: begun.saturating_sub(ended), own: (*threads).own })
        }
    }

    /// Has an end: nobody will ask again.
    #[inline(always)]
    pub(crate) fn forget_threads(self) {
        let _ = THREADS.remove(self.pid());
    }

    #[inline(always)]
    fn noted(self) -> Option<*mut Threads> {
        let threads = THREADS.get_ptr_mut(self.pid())?;
        // SAFETY: the entry is a map's.
        if unsafe { (*threads).start_ns } == self.start_ns() { Some(threads) } else { None }
    }

    /// Begins to keep it, with so many alive. While none has been released, all that have begun are there.
    #[inline(always)]
    fn note(self, live: u32) {
        // SAFETY: members of signal_struct.
        let (there, released): (u32, u64) = unsafe {
            (self.signal.load(offset!(signal_nr_threads)), self.signal.load(offset!(signal_sum_sched_runtime)))
        };
        let threads = Threads {
            start_ns: self.start_ns(),
            own: Own::NONE,
            begun: there,
            ended: 0,
            most: live,
            partial: if released != 0 { 1 } else { 0 },
        };
        let pid = self.pid();
        // Another process had the pid, and its end was not seen.
        if THREADS.get_ptr(pid).is_some() {
            let _ = THREADS.remove(pid);
        }
        // Should another thread be quicker, its note is as good.
        let _ = THREADS.insert(pid, threads, u64::from(BPF_NOEXIST));
    }
}
