//! The scheduler's clock against the boot-time clock, so that a process's CPU time can be completed at its end.
//!
//! The kernel charges CPU time at ticks and switches. A process that ends within a tick has been charged nothing, or
//! only its past slices; what is missing runs from the last charge to the exit event. The charge is stamped on the
//! scheduler's clock, which no eBPF helper reads; so we read it on ourselves: asking for our own CPU time has the kernel
//! charge us at that very moment, and the next pass of the iterator shows the stamp.

use nix::time::{ClockId, clock_gettime};

use crate::decode::{Charge, Record};
use crate::host;

/// What is missing can be no more than a tick (10 ms at the slowest), with some slack. More means that the clocks have
/// moved against one another, as they do in suspend.
const MAX_PENDING_NS: u64 = 12_000_000;

/// The moment of a charge must be known so well; undisturbed, it is to a microsecond.
const MAX_DOUBT_NS: u64 = 20_000;

/// A moment at which the kernel charged this thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Witness {
    /// As the kernel's rows name it; `None` in a pid namespace, where we do not know it.
    tid: Option<u32>,
    boottime_ns: u64,
    cpu_ns: u64,
}

impl Witness {
    /// Has this thread charged, now. None when that was interrupted every time, by the hypervisor say, so that nobody
    /// can tell at which moment it was.
    pub(super) fn now() -> Option<Self> {
        (0..5).find_map(|_| {
            let before = host::boottime_ns();
            let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).ok()?;
            let after = host::boottime_ns();
            let tid = host::in_initial_pid_namespace().then(|| nix::unistd::gettid().as_raw().unsigned_abs());
            let cpu_ns = u64::try_from(time.tv_sec() * 1_000_000_000 + time.tv_nsec()).ok()?;
            (after - before < MAX_DOUBT_NS).then_some(Self { tid, boottime_ns: u64::midpoint(before, after), cpu_ns })
        })
    }
}

/// How far the boot-time clock is ahead of the scheduler's, nanoseconds; may be negative, hence wrapping.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SchedClock {
    ahead_ns: Option<u64>,
}

impl SchedClock {
    /// Whether it is known.
    pub(super) const fn is_calibrated(self) -> bool {
        self.ahead_ns.is_some()
    }

    /// Takes what the iterator says of a thread. It counts when it is the witness, and was not charged again since.
    pub(super) fn calibrate(&mut self, witness: Witness, tid: u32, charge: Charge) {
        // Without a thread id, the CPU time to the nanosecond has to do: no two are alike.
        if witness.tid.is_none_or(|witness| witness == tid)
            && charge.cpu_ns == witness.cpu_ns
            && let Some(charged_ns) = charge.charged_ns
        {
            self.ahead_ns = Some(witness.boottime_ns.wrapping_sub(charged_ns));
        }
    }

    /// Adds to the CPU time of a process that ended what was not charged yet.
    pub(super) fn complete(self, record: &mut Record) {
        if let Record::Exit { exit, charged_ns: Some(charged_ns), .. } = record
            && let Some(ahead_ns) = self.ahead_ns
            && let Some(cost) = &mut exit.cost
        {
            let since = charged_ns.wrapping_add(ahead_ns).max(exit.key.start_ns);
            let pending_ns = exit.ts_ns.saturating_sub(since);
            if pending_ns <= MAX_PENDING_NS {
                cost.cpu_ns += pending_ns;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ptree_core::event::{Cost, Exited};
    use ptree_core::{ExitStatus, ProcKey};

    use super::*;

    fn completed(clock: SchedClock, charged_ns: Option<u64>) -> u64 {
        let exit = Exited {
            ts_ns: 50_000_000,
            task: None,
            key: ProcKey::new(5, 49_000_000),
            status: ExitStatus::Code(0),
            cost: Some(Cost { cpu_ns: 100, ..Cost::default() }),
            killer: None,
        };
        let mut record = Record::Exit { exit, sampled: None, charged_ns };
        clock.complete(&mut record);
        let Record::Exit { exit, .. } = record else { unreachable!() };
        exit.cost.unwrap().cpu_ns
    }

    #[test]
    fn time_since_the_last_charge_is_added() {
        let witness = Witness { tid: Some(7), boottime_ns: 1_000, cpu_ns: 55 };
        let mut clock = SchedClock::default();
        clock.calibrate(witness, 8, Charge { cpu_ns: 55, charged_ns: Some(1) });
        clock.calibrate(witness, 7, Charge { cpu_ns: 56, charged_ns: Some(1) });
        assert!(!clock.is_calibrated(), "another thread, or charged again since");
        assert_eq!(completed(clock, Some(0)), 100);
        // The scheduler's clock is 400 ns ahead.
        clock.calibrate(witness, 7, Charge { cpu_ns: 55, charged_ns: Some(1_400) });
        assert_eq!(completed(clock, Some(50_000_400 - 30)), 130);
        assert_eq!(completed(clock, Some(50_000_400 + 30)), 100, "never less than charged");
        assert_eq!(completed(clock, Some(45_000_000)), 100 + 1_000_000, "no more than its life");
        assert_eq!(completed(clock, None), 100);
    }

    #[test]
    fn clocks_that_moved_apart_are_not_believed() {
        let clock = SchedClock { ahead_ns: Some(0) };
        let exit = Exited {
            ts_ns: 50_000_000,
            task: None,
            key: ProcKey::new(5, 0),
            status: ExitStatus::Code(0),
            cost: Some(Cost::default()),
            killer: None,
        };
        let mut record = Record::Exit { exit, sampled: None, charged_ns: Some(10) };
        clock.complete(&mut record);
        assert!(matches!(record, Record::Exit { exit: Exited { cost: Some(Cost { cpu_ns: 0, .. }), .. }, .. }));
    }
}
