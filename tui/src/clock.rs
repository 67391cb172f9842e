//! What time it is on the screen: that of the kernel, or that of a recording which is played.
//!
//! Does not know what happens when.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ptree_source::host;

/// Boot time as it is shown, nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// That of a recording; without one, it is the kernel's.
    playback: Option<Arc<Playback>>,
    /// It stops when nothing more comes.
    stops: bool,
    /// Where it has stopped.
    stopped_ns: Option<u64>,
}

impl Clock {
    /// The clock of this machine.
    #[must_use]
    pub fn live() -> Self {
        Self::default()
    }

    /// The clock of this machine, for invented events: it stops with the last of them.
    #[must_use]
    pub fn invented() -> Self {
        Self { stops: true, ..Self::default() }
    }

    /// The clock of what is played.
    #[must_use]
    pub fn of(playback: Arc<Playback>) -> Self {
        Self { playback: Some(playback), stops: true, stopped_ns: None }
    }

    /// What it shows.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        let running = || self.playback.as_ref().map_or_else(host::boottime_ns, |playback| playback.now_ns());
        self.stopped_ns.unwrap_or_else(running)
    }

    /// Nothing more comes: the time of what was recorded or invented has ended with it, and the dead are not forgotten any more.
    pub fn end(&mut self) {
        if self.stops {
            self.stopped_ns = Some(self.now_ns());
        }
    }

    /// What is played, if anything.
    #[must_use]
    pub fn playback(&self) -> Option<&Playback> {
        self.playback.as_deref()
    }
}

/// What is told of a recording beside its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// It stands still in a pause.
    pub holds: bool,
    /// Lines that could not be read.
    pub unreadable: u64,
    /// Time without events that nobody was made to wait for, nanoseconds.
    pub skipped_ns: u64,
}

/// The time of a recording, shared by who reads it and who shows it.
#[derive(Debug)]
pub struct Playback {
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Debug)]
struct State {
    /// Boot time of this machine when it was last set.
    started_ns: u64,
    /// What it showed then.
    from_ns: u64,
    speed: f64,
    /// That of the latest record that was read, which is not passed; `None` for a stream that is still being written.
    horizon_ns: Option<u64>,
    paused: bool,
    played: Played,
}

impl Playback {
    /// A clock that shows `from_ns` now and runs so many times as fast as time does. It keeps to the records of a
    /// recording; that of a stream which is still being written goes on between them.
    #[must_use]
    pub fn new(from_ns: u64, speed: f64, is_recording: bool) -> Self {
        let state = State {
            started_ns: host::boottime_ns(),
            from_ns,
            speed,
            horizon_ns: is_recording.then_some(from_ns),
            paused: false,
            played: Played { holds: is_recording, ..Played::default() },
        };
        Self { state: Mutex::new(state), released: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is left by half.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ns(&self) -> u64 {
        self.state().shown(host::boottime_ns())
    }

    /// What there is to tell.
    #[must_use]
    pub fn played(&self) -> Played {
        self.state().played
    }

    /// So many lines could not be read.
    pub fn set_unreadable(&self, lines: u64) {
        self.state().played.unreadable = lines;
    }

    /// Holds it or lets it go on. A stream that is still being written cannot be held.
    pub fn pause(&self, paused: bool) {
        let mut state = self.state();
        if state.played.holds && state.paused != paused {
            state.set(host::boottime_ns());
            state.paused = paused;
            self.released.notify_all();
        }
    }

    /// Whether it is held.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.state().paused
    }

    /// How long until this moment.
    #[must_use]
    pub fn until(&self, at_ns: u64) -> Duration {
        self.state().until(at_ns, host::boottime_ns())
    }

    /// A record of this moment was read. Where that is past already, time goes on from there.
    pub fn reach(&self, at_ns: u64) {
        self.state().reach(at_ns, host::boottime_ns());
    }

    /// Nobody waits for this moment: it is now.
    pub fn skip_to(&self, at_ns: u64) {
        let mut state = self.state();
        let now_ns = host::boottime_ns();
        let skipped_ns = at_ns.saturating_sub(state.shown(now_ns));
        state.played.skipped_ns = state.played.skipped_ns.saturating_add(skipped_ns);
        (state.started_ns, state.from_ns) = (now_ns, at_ns);
        state.reach(at_ns, now_ns);
    }

    /// Nothing more is read: it is the time of the latest record, also where those close together came together.
    pub fn finish(&self) {
        let mut state = self.state();
        if let Some(horizon_ns) = state.horizon_ns {
            (state.started_ns, state.from_ns) = (host::boottime_ns(), horizon_ns);
        }
    }

    /// Returns when this moment has come and there is no pause, or when `is_over`, which is asked now and then.
    pub fn wait_until(&self, at_ns: u64, is_over: impl Fn() -> bool) {
        const ASKED: Duration = Duration::from_millis(100);
        let mut state = self.state();
        while !is_over() {
            let wait = state.until(at_ns, host::boottime_ns());
            if wait.is_zero() && !state.paused {
                return;
            }
            let wait = if state.paused { ASKED } else { wait.min(ASKED) };
            state = self.released.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    fn until(&self, at_ns: u64, now_ns: u64) -> Duration {
        self.lasts(at_ns.saturating_sub(self.running(now_ns)))
    }

    fn reach(&mut self, at_ns: u64, now_ns: u64) {
        let Some(horizon_ns) = self.horizon_ns else { return };
        let horizon_ns = horizon_ns.max(at_ns);
        self.horizon_ns = Some(horizon_ns);
        if self.running(now_ns) >= horizon_ns {
            // We are late. To make up for it would be to run over what comes next.
            self.set(now_ns);
        }
    }

    /// Lets time go on from what is shown.
    fn set(&mut self, now_ns: u64) {
        (self.from_ns, self.started_ns) = (self.shown(now_ns), now_ns);
    }

    fn shown(&self, now_ns: u64) -> u64 {
        self.running(now_ns).min(self.horizon_ns.unwrap_or(u64::MAX))
    }

    fn running(&self, now_ns: u64) -> u64 {
        if self.paused {
            return self.from_ns;
        }
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

    fn state(speed: f64, horizon_ns: Option<u64>) -> State {
        State { started_ns: 1_000, from_ns: 50, speed, horizon_ns, paused: false, played: Played::default() }
    }

    #[test]
    fn a_stream_has_its_own_time() {
        let clock = state(4.0, None);
        assert_eq!([500, 1_000, 1_010].map(|now_ns| clock.shown(now_ns)), [50, 50, 90]);
        assert_eq!(clock.lasts(400), Duration::from_nanos(100));
        assert_eq!(state(1e-300, None).lasts(u64::MAX), Duration::from_nanos(u64::MAX));
        assert_eq!(state(1e300, None).shown(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_recordings_time_never_passes_its_latest_record() {
        let mut clock = state(1000.0, Some(50));
        assert_eq!(clock.shown(5_000), 50);
        assert_eq!(clock.until(10_050, 1_000), Duration::from_nanos(10));
        clock.reach(10_050, 1_000);
        assert_eq!([1_005, 1_010, 99_000].map(|now_ns| clock.shown(now_ns)), [5_050, 10_050, 10_050]);
        // Read late: the time until the next one is not cut short.
        clock.reach(10_060, 99_000);
        assert_eq!(clock.until(20_060, 99_000), Duration::from_nanos(10));
        clock.reach(20_060, 99_000);
        clock.reach(5, 99_000);
        assert_eq!(clock.shown(u64::MAX), 20_060);
    }

    #[test]
    fn in_a_pause_it_stands_still() {
        let playback = Playback::new(50, 1.0, true);
        playback.reach(u64::MAX);
        playback.pause(true);
        let at_ns = playback.now_ns();
        assert_eq!(playback.state().shown(u64::MAX), at_ns);
        playback.wait_until(0, || true);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| playback.wait_until(0, || false));
            assert!(!waits.is_finished());
            playback.pause(false);
        });
        assert_eq!(playback.state().from_ns, at_ns);

        playback.reach(1 << 60);
        playback.finish();
        assert_eq!(playback.now_ns(), u64::MAX);

        let stream = Playback::new(50, 1.0, false);
        stream.pause(true);
        assert!(!stream.state().paused);
    }

    #[test]
    fn a_recordings_time_ends_with_it_and_the_kernels_does_not() {
        let mut clock = Clock::of(Arc::new(Playback::new(50, 4.0, false)));
        clock.end();
        assert_eq!(Some(clock.now_ns()), clock.stopped_ns);
        let mut live = Clock::live();
        live.end();
        assert_eq!(live.stopped_ns, None);
    }
}
