//! The wall clock against the boot clock: it may be set at any moment, and then every time that is shown is another.
//!
//! Does not read clocks; see [`crate::host::anchor`].

use crate::TimeAnchor;

/// It is told again after this at the latest, nanoseconds, so that a piece of a stream can be placed.
const EVERY_NS: u64 = 60_000_000_000;
/// Less than this is no step: two clocks cannot be read at the same moment. Both are slewed alike.
const STEP_NS: u64 = 1_000_000;

/// Tells when to tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wall {
    told: Option<TimeAnchor>,
}

impl Wall {
    /// Takes what both clocks show now; whether that is to be told: at first, after a while, and when the wall clock was set.
    pub fn look(&mut self, now: TimeAnchor) -> Option<TimeAnchor> {
        let is_old = |told: TimeAnchor| {
            now.boottime_ns.saturating_sub(told.boottime_ns) >= EVERY_NS
                || told.unix_ns(now.boottime_ns).abs_diff(now.unix_ns) >= STEP_NS
        };
        if self.told.is_none_or(is_old) {
            self.told = Some(now);
            return self.told;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_is_told_at_first_each_minute_and_when_it_was_set() {
        const SECOND: u64 = 1_000_000_000;
        let mut wall = Wall::default();
        // Seconds of the boot clock, and how much the wall clock is ahead of it, nanoseconds.
        let mut is_told = |at_s: u64, ahead_ns: u64| {
            let now = TimeAnchor { boottime_ns: at_s * SECOND, unix_ns: at_s * SECOND + ahead_ns };
            wall.look(now) == Some(now)
        };
        let (ahead, hour) = (1_000_000 * SECOND, 3600 * SECOND);
        for (at_s, ahead_ns, wants) in [
            (10, ahead, true),
            (11, ahead + STEP_NS / 2, false),
            (12, ahead, false),
            (13, ahead + hour, true),
            (14, ahead + hour, false),
            (15, ahead - hour, true),
            (16, ahead - hour + STEP_NS, true),
            (75, ahead - hour + STEP_NS, false),
            (76, ahead - hour + STEP_NS, true),
        ] {
            assert_eq!(is_told(at_s, ahead_ns), wants, "{at_s} {ahead_ns}");
        }
    }
}
