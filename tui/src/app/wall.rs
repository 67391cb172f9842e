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

    /// Eight columns: `14:03:22` for a moment of today, else `Nov 20`; today being that of `now_ns`.
    #[must_use]
    pub fn short(&self, at_ns: u64, now_ns: u64) -> String {
        let format = if self.format(at_ns, "%F") == self.format(now_ns, "%F") { "%H:%M:%S" } else { "%b %d" };
        self.format(at_ns, format)
    }

    /// To the millisecond: `2026-11-21 14:03:22.123 +01:00`.
    #[must_use]
    pub fn long(&self, at_ns: u64) -> String {
        self.format(at_ns, "%F %H:%M:%S.%3f %:z")
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
