//! What time it is on the screen: that of the kernel, or that of a recording which is played.
//!
//! Does not know what happens when.

use std::time::Duration;

use ptree_source::host;

/// Boot time as it is shown, nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Boot time of this machine when the clock was started.
    started_ns: u64,
    /// What the clock showed then.
    from_ns: u64,
    speed: f64,
    /// It stops when nothing more comes.
    stops: bool,
}

impl Clock {
    /// The clock of this machine.
    #[must_use]
    pub const fn live() -> Self {
        Self { started_ns: 0, from_ns: 0, speed: 1.0, stops: false }
    }

    /// The clock of this machine, for invented events: it stops with the last of them.
    #[must_use]
    pub const fn invented() -> Self {
        Self { stops: true, ..Self::live() }
    }

    /// A clock that shows `from_ns` now and runs so many times as fast as time does.
    #[must_use]
    pub fn replay(from_ns: u64, speed: f64) -> Self {
        Self { started_ns: host::boottime_ns(), from_ns, speed, stops: true }
    }

    /// What it shows.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.shown(host::boottime_ns())
    }

    /// Nothing more comes: the time of what was recorded or invented has ended with it, and the dead are not forgotten any more.
    pub fn end(&mut self) {
        if self.stops {
            *self = Self { from_ns: self.now_ns(), speed: 0.0, ..*self };
        }
    }

    /// How long until it shows this moment.
    #[must_use]
    pub fn until(&self, at_ns: u64) -> Duration {
        self.lasts(at_ns.saturating_sub(self.now_ns()))
    }

    fn shown(&self, now_ns: u64) -> u64 {
        let passed = now_ns.saturating_sub(self.started_ns);
        // At the speed of time, no nanosecond is lost to rounding.
        let passed = if self.speed == 1.0 { passed } else { round(scale(passed, self.speed)) };
        self.from_ns.saturating_add(passed)
    }

    fn lasts(&self, span_ns: u64) -> Duration {
        Duration::from_nanos(round(scale(span_ns, 1.0 / self.speed)))
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact to the microsecond for a hundred days")]
fn scale(ns: u64, factor: f64) -> f64 {
    ns as f64 * factor
}

/// Saturates.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating is what is wanted")]
fn round(ns: f64) -> u64 {
    ns as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_has_its_own_time() {
        let clock = Clock { started_ns: 1_000, from_ns: 50, speed: 4.0, stops: true };
        assert_eq!([500, 1_000, 1_010].map(|now_ns| clock.shown(now_ns)), [50, 50, 90]);
        assert_eq!(clock.lasts(400), Duration::from_nanos(100));
        assert_eq!(Clock { speed: 1e-300, ..clock }.lasts(u64::MAX), Duration::from_nanos(u64::MAX));
        assert_eq!(Clock { speed: 1e300, ..clock }.shown(u64::MAX), u64::MAX);
        assert_eq!(Clock::live().shown(u64::MAX - 1), u64::MAX - 1);
    }

    #[test]
    fn a_recordings_time_ends_with_it_and_the_kernels_does_not() {
        let mut clock = Clock { started_ns: 0, from_ns: 50, speed: 4.0, stops: true };
        clock.end();
        assert_eq!(clock.now_ns(), clock.from_ns);
        assert_eq!(clock.shown(u64::MAX), clock.from_ns);
        let mut live = Clock::live();
        live.end();
        assert_eq!(live.shown(u64::MAX), u64::MAX);
    }
}
