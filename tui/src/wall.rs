//! Boot time as wall time, for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ptree_source::TimeAnchor;

/// Where boot time meets the wall clock, and the zone to show it in.
#[derive(Clone, Debug)]
pub struct Wall {
    anchor: TimeAnchor,
    zone: TimeZone,
}

impl Wall {
    /// From one moment on both clocks.
    #[must_use]
    pub fn new(anchor: TimeAnchor, zone: TimeZone) -> Self {
        Self { anchor, zone }
    }

    /// The wall clock was looked at again, and may have been set: from here on it tells all times, also those before, as
    /// `ps` does. Whether that is to be seen.
    pub fn set(&mut self, anchor: TimeAnchor) -> bool {
        let moved_ns = self.anchor.unix_ns(anchor.boottime_ns).abs_diff(anchor.unix_ns);
        self.anchor = anchor;
        moved_ns >= 1_000_000
    }

    /// Eight columns at most: `14:03:22` for a moment of today, `Nov 20` for one within eleven months, else `Nov 2025`;
    /// today being that of `now_ns`.
    #[must_use]
    pub fn short(&self, at_ns: u64, now_ns: u64) -> String {
        const ELEVEN_MONTHS_NS: u64 = 330 * 86_400 * 1_000_000_000;
        let format = if self.format(at_ns, "%F") == self.format(now_ns, "%F") {
            "%H:%M:%S"
        } else if at_ns.abs_diff(now_ns) < ELEVEN_MONTHS_NS {
            "%b %d"
        } else {
            "%b %Y"
        };
        self.format(at_ns, format)
    }

    /// To the millisecond: `2026-11-21 14:03:22.123 +01:00`.
    #[must_use]
    pub fn long(&self, at_ns: u64) -> String {
        self.format(at_ns, "%F %H:%M:%S.%3f %:z")
    }

    /// In UTC, to the nanosecond: `2026-11-21T14:03:22.123456789Z`; all of one length, so that they sort as texts. `None` for a
    /// time that no calendar has.
    #[must_use]
    pub fn utc(&self, at_ns: u64) -> Option<String> {
        let time = Timestamp::from_nanosecond(i128::from(self.anchor.unix_ns(at_ns))).ok()?;
        Some(format!("{time:.9}"))
    }

    /// The time of day, to the millisecond where asked: `14:03:22`, `14:03:22.123`.
    #[must_use]
    pub fn clock(&self, at_ns: u64, millis: bool) -> String {
        self.format(at_ns, if millis { "%H:%M:%S.%3f" } else { "%H:%M:%S" })
    }

    /// What is to be added to boot time so that full hours are multiples of an hour, nanoseconds; in zones that are so
    /// many full hours apart from UTC.
    #[must_use]
    pub fn shift_ns(&self) -> i128 {
        i128::from(self.anchor.unix_ns) - i128::from(self.anchor.boottime_ns)
    }

    /// For the names of files: `20261121-140322`.
    #[must_use]
    pub fn stamp(&self, at_ns: u64) -> String {
        self.format(at_ns, "%Y%m%d-%H%M%S")
    }

    fn format(&self, at_ns: u64, format: &str) -> String {
        match Timestamp::from_nanosecond(i128::from(self.anchor.unix_ns(at_ns))) {
            Ok(timestamp) => timestamp.to_zoned(self.zone.clone()).strftime(format).to_string(),
            Err(_) => "?".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_ago_has_its_year() {
        const DAY_NS: u64 = 86_400 * 1_000_000_000;
        let now_ns = 400 * DAY_NS;
        // 2026-11-27 12:00:00.
        let anchor = TimeAnchor { boottime_ns: now_ns, unix_ns: 1_795_780_800_000_000_000 };
        let wall = Wall::new(anchor, TimeZone::UTC);
        let short = |days: u64| wall.short(now_ns - days * DAY_NS, now_ns);
        assert_eq!(
            [0, 1, 5, 329, 330, 370].map(short),
            ["12:00:00", "Nov 26", "Nov 22", "Jan 02", "Jan 2026", "Nov 2025"]
        );
    }
}
