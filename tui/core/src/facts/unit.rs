//! Figures with units, as they are typed into a filter: `10s`, `2h30m`, `5MiB`, `10k`, `50%`.
//!
//! Written out, a figure reads back the same. Does not know fields.

use std::fmt::Write as _;

use crate::text;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Nothing: it is the number by which something is known.
    Id,
    /// What may be less than nothing: see [`Unit::signed`].
    Signed,
    /// Time, in nanoseconds.
    Time,
    /// A moment, in nanoseconds since boot; typed as how long ago it was.
    Instant,
    /// Bytes.
    Bytes,
    /// A share of one CPU, in thousandths of a percent.
    Share,
}

/// Unit and factor, the greatest first; those of one factor after the one that is written.
type Factors = &'static [(&'static str, u64)];

const COUNT: Factors = &[("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000), ("K", 1_000), ("", 1)];
const TIME: Factors = &[
    ("w", 604_800_000_000_000),
    ("week", 604_800_000_000_000),
    ("weeks", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("day", 86_400_000_000_000),
    ("days", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("hr", 3_600_000_000_000),
    ("hour", 3_600_000_000_000),
    ("hours", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("mins", 60_000_000_000),
    ("minute", 60_000_000_000),
    ("minutes", 60_000_000_000),
    ("s", 1_000_000_000),
    ("sec", 1_000_000_000),
    ("secs", 1_000_000_000),
    ("second", 1_000_000_000),
    ("seconds", 1_000_000_000),
    ("ms", 1_000_000),
    ("msec", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];
const BYTES: Factors = &[
    ("TiB", 1 << 40),
    ("T", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("G", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("M", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("K", 1 << 10),
    ("k", 1 << 10),
    ("KB", 1_000),
    ("kB", 1_000),
    ("B", 1),
    ("", 1),
];
const SHARE: Factors = &[("%", 1_000), ("", 1_000)];
/// What the shares of one CPU are counted in, and no user writes.
const SHARE_DIGITS: usize = 3;

impl Unit {
    const fn factors(self) -> Factors {
        match self {
            Self::Count | Self::Id | Self::Signed => COUNT,
            Self::Time | Self::Instant => TIME,
            Self::Bytes => BYTES,
            Self::Share => SHARE,
        }
    }

    /// How such a figure is written, for messages.
    pub(crate) const fn examples(self) -> &'static str {
        match self {
            Self::Count | Self::Id => "a number, such as 12 or 10k",
            Self::Signed => "a number, such as 5 or -10",
            Self::Time => "a time, such as 10s, 5ms or 2h30m",
            Self::Instant => "how long ago, in quotes, such as '10m ago'",
            Self::Bytes => "a size, such as 5MiB or 10k",
            Self::Share => "a share of one CPU, such as 50%",
        }
    }

    /// A number that may be negative, as a figure that compares as it does.
    pub(crate) const fn signed(number: i64) -> u64 {
        number.cast_unsigned() ^ 1 << 63
    }

    /// The number that a signed figure stands for.
    #[must_use]
    pub const fn number(figure: u64) -> i64 {
        (figure ^ 1 << 63).cast_signed()
    }

    /// The fraction of one CPU that a share is: 1.0 is one CPU.
    #[must_use]
    pub const fn fraction(figure: u64) -> f32 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "shown with three digits or so"
        )]
        let fraction = (figure as f64 / 100_000.0) as f32;
        fraction
    }

    /// The figure in a text, rounded down; of a moment, how long ago it was.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(self, text: &str) -> Result<u64, String> {
        if self == Self::Instant {
            let ago = text.strip_suffix("ago").filter(|ago| ago.ends_with(char::is_whitespace));
            return ago.and_then(|ago| Self::Time.parse(ago.trim_end()).ok()).ok_or_else(|| self.expected(text));
        }
        if self == Self::Signed {
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            let number = Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
            return number.and(text.parse().ok()).map(Self::signed).ok_or_else(|| self.expected(text));
        }
        let too_great = || format!("{} is too great", quoted(text));
        let (mut total, mut last) = (0_u64, u64::MAX);
        let mut rest = text;
        loop {
            let (figure, factor);
            (figure, factor, rest) = self.part(text, rest)?;
            // Times alone are put together, each unit smaller than the one before.
            if factor >= last {
                return Err(self.expected(text));
            }
            last = factor;
            total = figure.and_then(|figure| total.checked_add(figure)).ok_or_else(too_great)?;
            if rest.is_empty() {
                return Ok(total);
            }
            if self != Self::Time {
                return Err(self.expected(text));
            }
        }
    }

    fn expected(self, text: &str) -> String {
        format!("{} is not {}", quoted(text), self.examples())
    }

    /// The first figure of `rest`, `None` for one too great, the factor of its unit, and what follows.
    fn part<'a>(self, text: &str, rest: &'a str) -> Result<(Option<u64>, u64, &'a str), String> {
        let digits = |text: &'a str| text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        let (rest_of, (whole, mut rest)) = (rest, digits(rest));
        let mut fraction = None;
        if let Some(after) = rest.strip_prefix('.') {
            let split = digits(after);
            (fraction, rest) = (Some(split.0), split.1);
        }
        if whole.is_empty() || fraction == Some("") {
            return Err(self.expected(text));
        }
        let (unit, rest) = rest.split_at(rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()));
        // As durations are shown: "24m 28s".
        let unit = if self == Self::Time { unit.trim() } else { unit };
        // A bare number is of seconds; behind hours, it could be of anything.
        let unit = if unit.is_empty() && self == Self::Time && rest_of == text { "s" } else { unit };
        let Some(&(_, factor)) = self.factors().iter().find(|(name, _)| *name == unit) else {
            return Err(match unit {
                "" => format!("{} needs a unit: write {}", quoted(text), self.examples()),
                _ => format!("there is no unit {} here: write {}", quoted(unit), self.examples()),
            });
        };
        let figure = scaled(whole, fraction.unwrap_or_default(), factor);
        Ok((figure, factor, rest))
    }

    /// The figure as a user would type it.
    pub(crate) fn write(self, figure: u64) -> String {
        if self == Self::Instant {
            return Self::Time.write(figure) + " ago";
        }
        if self == Self::Signed {
            return Self::number(figure).to_string();
        }
        let mut out = String::new();
        if self == Self::Share {
            let (whole, rest) = (figure / 1_000, figure % 1_000);
            // Writing to a string cannot fail.
            let _ = write!(out, "{whole}.{rest:0SHARE_DIGITS$}");
            return out.trim_end_matches('0').trim_end_matches('.').to_owned() + "%";
        }
        let whole = |(_, factor): &&(&str, u64)| figure > 0 && figure.is_multiple_of(*factor);
        match self.factors().iter().find(whole) {
            Some((unit, factor)) if !matches!(self, Self::Count | Self::Id) => format!("{}{unit}", figure / factor),
            _ if self == Self::Time => format!("{figure}ns"),
            _ => figure.to_string(),
        }
    }
}

/// A text of the user's, quoted for a message; no more of it than fits.
fn quoted(value: &str) -> String {
    text::quoted(value, 24)
}

/// `whole.fraction` times the factor, if that is not too great; both are digits.
fn scaled(whole: &str, fraction: &str, factor: u64) -> Option<u64> {
    // More digits make no difference to a figure that is rounded down.
    let fraction = &fraction[..fraction.len().min(18)];
    let power = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let part = if fraction.is_empty() { 0 } else { fraction.parse::<u128>().ok()? };
    let whole = u128::from(whole.parse::<u64>().ok()?);
    let figure = (whole * power + part).checked_mul(u128::from(factor))? / power;
    u64::try_from(figure).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_units() {
        for (unit, text, figure) in [
            (Unit::Count, "0", 0),
            (Unit::Count, "10k", 10_000),
            (Unit::Count, "1.5M", 1_500_000),
            (Unit::Time, "10s", 10_000_000_000),
            (Unit::Time, "10", 10_000_000_000),
            (Unit::Time, "0.5", 500_000_000),
            (Unit::Time, "2h30m", 9_000_000_000_000),
            (Unit::Time, "24m 28s", 1_468_000_000_000),
            (Unit::Time, "3 hours", 10_800_000_000_000),
            (Unit::Time, "1.5ms", 1_500_000),
            (Unit::Time, "5us", 5_000),
            (Unit::Time, "0.3ns", 0),
            (Unit::Bytes, "4096", 4096),
            (Unit::Bytes, "5MiB", 5 << 20),
            (Unit::Bytes, "5M", 5 << 20),
            (Unit::Bytes, "5MB", 5_000_000),
            (Unit::Bytes, "1.3k", 1331),
            (Unit::Share, "50%", 50_000),
            (Unit::Share, "12.345", 12_345),
            (Unit::Signed, "-20", Unit::signed(-20)),
            (Unit::Signed, "19", Unit::signed(19)),
            (Unit::Instant, "1h30m ago", 5_400_000_000_000),
        ] {
            assert_eq!(unit.parse(text), Ok(figure), "{text}");
        }
    }

    #[test]
    fn what_is_no_figure_is_told_with_an_example() {
        for (unit, text, message) in [
            (Unit::Count, "", "'' is not a number, such as 12 or 10k"),
            (Unit::Count, "-1", "'-1' is not a number, such as 12 or 10k"),
            (Unit::Count, "1k5", "'1k5' is not a number, such as 12 or 10k"),
            (Unit::Count, "1.", "'1.' is not a number, such as 12 or 10k"),
            (Unit::Time, "2m2h", "'2m2h' is not a time, such as 10s, 5ms or 2h30m"),
            (Unit::Time, "2h30", "'2h30' needs a unit: write a time, such as 10s, 5ms or 2h30m"),
            (Unit::Bytes, "5Mb", "there is no unit 'Mb' here: write a size, such as 5MiB or 10k"),
            (Unit::Bytes, "99999999999999999999", "'99999999999999999999' is too great"),
            (Unit::Bytes, "99999999T", "'99999999T' is too great"),
            (Unit::Instant, "10m", "'10m' is not how long ago, in quotes, such as '10m ago'"),
            (Unit::Signed, "1k", "'1k' is not a number, such as 5 or -10"),
            (Unit::Signed, "--1", "'--1' is not a number, such as 5 or -10"),
            (Unit::Share, "5x", "there is no unit 'x' here: write a share of one CPU, such as 50%"),
        ] {
            assert_eq!(unit.parse(text), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        assert!(Unit::signed(-1) < Unit::signed(0) && Unit::signed(0) < Unit::signed(1));
        for unit in [Unit::Count, Unit::Id, Unit::Signed, Unit::Time, Unit::Instant, Unit::Bytes, Unit::Share] {
            for figure in [0, 1, 999, 1000, 1024, 1536, 60_000_000_000, 90_000_000_000, 1 << 40, u64::MAX] {
                let text = unit.write(figure);
                assert_eq!(unit.parse(&text), Ok(figure), "{text}");
            }
        }
        assert_eq!(Unit::Time.write(90_000_000_000), "90s");
        assert_eq!(Unit::Bytes.write(5 << 20), "5MiB");
        assert_eq!(Unit::Share.write(12_500), "12.5%");
        assert_eq!(Unit::Share.write(10_000), "10%");
    }
}
