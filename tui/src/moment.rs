//! A moment as a user says it: a time of day, a date and a time, or how long after the beginning.
//!
//! Does not know what happened then.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use ptree_source::TimeAnchor;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum At {
    /// The first such time of day since the beginning.
    Time(Time),
    /// By the wall clock of the user's zone.
    Date(DateTime),
    /// By that of the zone that it names.
    Instant(Timestamp),
    /// So long after the beginning.
    After(Duration),
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(after) = text.strip_prefix('+') {
            return crate::values::parse_duration(after).map(Self::After);
        }
        // Of what says more, the others take a part.
        let instant = || text.parse().map(Self::Instant).ok();
        let date = || text.parse().map(Self::Date).ok();
        let time = || text.parse().map(Self::Time).ok();
        instant().or_else(date).or_else(time).ok_or_else(|| {
            "give a time ('14:03' or '14:03:22.5'), a date and a time ('2026-11-21 14:03'), one with its zone \
             ('2026-11-21T13:03:22Z'), or how long after the beginning ('+90s', '+2m 30s')"
                .to_owned()
        })
    }
}

impl At {
    /// The same by the boot-time clock, nanoseconds, of a machine on which it was `begin` at the beginning.
    ///
    /// # Errors
    /// When it is before that.
    pub fn boottime_ns(&self, begin: TimeAnchor, zone: &TimeZone) -> Result<u64> {
        let begun =
            Timestamp::from_nanosecond(i128::from(begin.unix_ns)).context("it begins at no time of the calendar")?;
        let then = match *self {
            Self::After(after) => {
                return Ok(begin.boottime_ns.saturating_add(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX)));
            }
            Self::Instant(then) => then,
            Self::Date(date) => date.to_zoned(zone.clone())?.timestamp(),
            Self::Time(time) => {
                let first = begun.to_zoned(zone.clone());
                let same_day = first.date().to_datetime(time).to_zoned(zone.clone())?;
                if same_day.timestamp() >= begun { same_day } else { same_day.checked_add(Span::new().days(1))? }
                    .timestamp()
            }
        };
        let passed_ns = then.as_nanosecond() - begun.as_nanosecond();
        let Ok(passed_ns) = u64::try_from(passed_ns) else {
            bail!("it begins later than that, at {}", begun.to_zoned(zone.clone()).strftime("%F %H:%M:%S %:z"));
        };
        Ok(begin.boottime_ns.saturating_add(passed_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_recordings_clock() {
        // 2023-11-14T22:13:20Z
        let begin = TimeAnchor { boottime_ns: 5_000_000_000, unix_ns: 1_700_000_000_000_000_000 };
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let after_s = |text: &str| {
            let ns = text.parse::<At>().unwrap().boottime_ns(begin, &zone);
            ns.map(|ns| (ns - begin.boottime_ns) / 1_000_000_000).map_err(|error| error.to_string())
        };
        for (text, seconds) in [
            ("+90s", 90),
            ("+2m 30s", 150),
            ("23:13:20", 0),
            ("23:14", 40),
            ("23:13", 86_400 - 20),
            ("2023-11-14 23:14:20", 60),
            ("2023-11-14T22:14:20Z", 60),
            ("2023-11-15T00:13:20+01:00", 3600),
        ] {
            assert_eq!(after_s(text), Ok(seconds), "{text}");
        }
        let early = after_s("2023-11-14 22:00").unwrap_err();
        assert_eq!(early, "it begins later than that, at 2023-11-14 23:13:20 +01:00");
        for text in ["", "yesterday", "+", "25:00"] {
            assert!(text.parse::<At>().is_err(), "{text}");
        }
    }
}
