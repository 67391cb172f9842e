//! What this program itself costs: its CPU time, its memory, the time that its frames take.
//!
//! Does not know how that is shown.

use std::io;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use nix::unistd::{SysconfVar, sysconf};

/// How often it is measured.
const EVERY: Duration = Duration::from_secs(2);

/// As last measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Own {
    /// Share of one CPU.
    pub cpu: f32,
    /// Resident memory, bytes; `None` before it is known.
    pub rss_bytes: Option<u64>,
    /// The longest time that a frame took since the measurement before, from the preparation to the last byte written.
    pub frame: Duration,
    /// The longest of all.
    pub longest_frame: Duration,
}

/// Measures it.
#[derive(Debug)]
pub struct Meter {
    at: Instant,
    used: Duration,
    frame: Duration,
    longest_frame: Duration,
}

impl Meter {
    /// Begins to measure.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn new() -> io::Result<Self> {
        let (frame, longest_frame) = (Duration::ZERO, Duration::ZERO);
        Ok(Self { at: Instant::now(), used: used()?, frame, longest_frame })
    }

    /// A frame took so long.
    pub fn drawn(&mut self, took: Duration) {
        self.frame = self.frame.max(took);
        self.longest_frame = self.longest_frame.max(took);
    }

    /// The figures, when it is time for new ones.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn read(&mut self) -> io::Result<Option<Own>> {
        let elapsed = self.at.elapsed();
        if elapsed < EVERY {
            return Ok(None);
        }
        let used = used()?;
        let cpu = used.saturating_sub(self.used).as_secs_f32() / elapsed.as_secs_f32();
        let own = Own { cpu, rss_bytes: rss_bytes(), frame: self.frame, longest_frame: self.longest_frame };
        *self = Self { at: Instant::now(), used, frame: Duration::ZERO, ..*self };
        Ok(Some(own))
    }
}

/// CPU time so far, of all threads.
fn used() -> io::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
}

/// Resident memory, where `/proc` tells.
fn rss_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    let page = sysconf(SysconfVar::PAGE_SIZE).ok()??;
    Some(pages * u64::try_from(page).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_runs_has_memory_and_uses_time() {
        assert!(rss_bytes().is_some_and(|bytes| bytes > 100_000));
        assert!(used().is_ok_and(|used| used > Duration::ZERO));
    }

    #[test]
    fn the_longest_frame_is_remembered() {
        let mut meter = Meter::new().unwrap();
        for ms in [3, 7, 5] {
            meter.drawn(Duration::from_millis(ms));
        }
        assert_eq!(meter.read().unwrap(), None, "too soon");
        meter.at -= EVERY;
        let own = meter.read().unwrap().unwrap();
        assert_eq!((own.frame.as_millis(), own.longest_frame.as_millis()), (7, 7));
        meter.at -= EVERY;
        let own = meter.read().unwrap().unwrap();
        assert_eq!((own.frame.as_millis(), own.longest_frame.as_millis()), (0, 7));
    }
}
