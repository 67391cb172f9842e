//! Values as users type them on the command line and in the configuration: durations, sizes, rates, users.
//!
//! Does not know which option or setting they are for.

use std::time::Duration;

use ptree_core::facts::Unit;
use ptree_source::live::check_ring_bytes;

/// A duration; a number without a unit is of seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let parsed = Unit::Time.parse(text.trim()).map(Duration::from_nanos);
    parsed.map_err(|_what| "write it like '90', '90s' or '2m 30s'".to_owned())
}

pub fn parse_interval(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        interval if (Duration::from_millis(100)..=Duration::from_secs(60)).contains(&interval) => Ok(interval),
        _ => Err("give '100ms' to '1m'".to_owned()),
    }
}

pub fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate >= 0.0 => Ok(rate),
        _ => Err("give forks per second, such as '200', or '0' for no alert".to_owned()),
    }
}

pub fn parse_speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        _ => Err("give a number above 0, such as '10' or '0.5'".to_owned()),
    }
}

pub fn parse_ring(text: &str) -> Result<u32, String> {
    let bytes = parse_bytes(text)?;
    check_ring_bytes(bytes).map_err(|error| error.to_string())
}

/// Bytes, with or without a binary unit: `65536`, `64K`, `8MiB`, `1GiB`.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let shift = match unit.trim() {
        "" | "B" => Some(0),
        "K" | "k" | "KiB" => Some(10),
        "M" | "MiB" => Some(20),
        "G" | "GiB" => Some(30),
        _ => None,
    };
    let bytes = shift.and_then(|shift| number.parse::<u64>().ok()?.checked_mul(1 << shift));
    bytes.ok_or_else(|| "give a size such as '65536', '512KiB' or '8MiB'".to_owned())
}

pub fn parse_user(text: &str) -> Result<u32, String> {
    if let Ok(uid) = text.parse() {
        return Ok(uid);
    }
    match nix::unistd::User::from_name(text) {
        Ok(Some(user)) => Ok(user.uid.as_raw()),
        _ => Err("there is no such user; give a name or a number".to_owned()),
    }
}

/// Events per second.
///
/// # Errors
/// What to give instead.
pub fn parse_events_per_s(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("give events per second, such as '200' or '0.5'".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(parse_bytes("65536"), Ok(65536));
        assert_eq!(parse_bytes("8MiB"), Ok(8 << 20));
        assert_eq!(parse_bytes("512 K"), Ok(512 << 10));
        for bad in ["", "MiB", "8MB", "-1", "8.5M", "99999999999999999999", "17179869184GiB"] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bare_number_is_of_seconds() {
        for (text, ms) in [("5", 5_000), ("0", 0), ("0.25", 250), (" 90 ", 90_000), ("5s", 5_000), ("2m 30s", 150_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", ".", "-5", "1e3", "inf", "5 5", "1.2.3"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
