//! `ptree-tui replay`: the full screen on a recording, or on a stream from standard input.
//!
//! Events are handed on when their time has come by a clock that starts with the header, so that everything that goes by
//! time (rates, lifetimes, how long the dead stay) is as it was.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ptree_core::Event;
use ptree_source::{Batch, threads};
use tokio::sync::{mpsc, oneshot};

use crate::capture;
use crate::cli::Common;
use crate::clock::{Clock, Playback};
use crate::recording::{Item, LeftOut, Recording};
use crate::tell::tell;
use crate::{runtime, term};

/// Batches that may wait for the screen.
const CHANNEL_BATCHES: usize = 32;
/// Events handed on together at most.
const BATCH_EVENTS: usize = 4096;
/// Events this close together come together.
const TOGETHER: Duration = Duration::from_millis(20);
/// Nobody waits longer than this for the next event of a recording.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Shows the screen until the user quits; `speed` is how many times as fast as it happened.
///
/// # Errors
/// When the input cannot be read or there is no terminal.
pub fn run(common: &Common, file: &Path, speed: f64) -> Result<ExitCode> {
    term::ensure_terminal()?;
    let recording = Recording::open(file)?;
    let header = recording.header().clone();
    // What comes from a pipe at the speed of time may still be happening.
    let is_recording = file != Path::new("-") || speed != 1.0;
    let playback = Arc::new(Playback::new(header.anchor.boottime_ns, speed, is_recording));
    let clock = Clock::of(Arc::clone(&playback));
    let (sender, batches) = mpsc::channel(CHANNEL_BATCHES);
    let (ended, end) = oneshot::channel();
    let player = Player::new(recording, playback, sender);
    // Never joined: it may wait for input that does not come.
    threads::spawn("replay", move || {
        let _ = ended.send(player.play());
    })?;
    let mut left_out = LeftOut::default();
    let ended = async {
        let (outcome, told) = end.await.context("the thread that reads has panicked")?;
        left_out = told;
        outcome
    };
    // The processes are not here, or no more.
    let (options, display) = (common.options(false), common.display());
    let shown = capture::runtime()?.block_on(runtime::run(options, display, clock, header, batches, ended));
    if let Some(report) = left_out.report() {
        tell(report);
    }
    shown?;
    Ok(if left_out.is_faulty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Reads, waits and hands on.
struct Player {
    recording: Recording,
    playback: Arc<Playback>,
    batches: mpsc::Sender<Batch>,
    batch: Batch,
}

impl Player {
    fn new(recording: Recording, playback: Arc<Playback>, batches: mpsc::Sender<Batch>) -> Self {
        Self { recording, playback, batches, batch: Batch::default() }
    }

    /// Until the input ends or nobody listens: how it went, and what was left out.
    fn play(mut self) -> (Result<()>, LeftOut) {
        let outcome = self.hand_on();
        self.playback.finish();
        let skipped_ns = self.playback.played().skipped_ns;
        let mut left_out = self.recording.left_out();
        left_out.skipped_ns = skipped_ns;
        (outcome, left_out)
    }

    fn hand_on(&mut self) -> Result<()> {
        loop {
            // Nothing is kept back while the input has nothing more to say.
            if (self.recording.may_wait() || self.batch.events.len() >= BATCH_EVENTS) && !self.deliver() {
                return Ok(());
            }
            let playback = &self.playback;
            let item = self.recording.next(|ts_ns| playback.until(ts_ns) > LONGEST_WAIT);
            playback.set_unreadable(self.recording.unreadable());
            match item {
                Ok(Some(Item::Event { event, was_doubted: true })) => self.skip_to(*event),
                Ok(Some(Item::Event { event, was_doubted: false })) => {
                    if !self.event(*event) {
                        return Ok(());
                    }
                }
                Ok(Some(Item::Clock(anchor))) => self.batch.clock = Some(anchor),
                Ok(Some(Item::User(uid, name))) => self.batch.users.push((uid, name)),
                Ok(None) => {
                    self.deliver();
                    return Ok(());
                }
                Err(error) => {
                    self.deliver();
                    return Err(error);
                }
            }
        }
    }

    /// Hands an event on when its time has come. False when nobody listens any more.
    fn event(&mut self, event: Event) -> bool {
        let ts_ns = event.ts_ns();
        let wait = self.playback.until(ts_ns);
        self.playback.reach(ts_ns);
        if wait > TOGETHER && !self.deliver() {
            return false;
        }
        if wait > TOGETHER || self.playback.is_paused() {
            let batches = &self.batches;
            self.playback.wait_until(ts_ns, || batches.is_closed());
        }
        self.batch.events.push(event);
        true
    }

    /// Lets what happens after a long time happen at once.
    fn skip_to(&mut self, event: Event) {
        self.deliver();
        self.playback.skip_to(event.ts_ns());
        self.batch.events.push(event);
    }

    /// False when nobody listens any more.
    fn deliver(&mut self) -> bool {
        if self.batch.is_empty() {
            return !self.batches.is_closed();
        }
        self.batches.blocking_send(std::mem::take(&mut self.batch)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use ptree_source::TimeAnchor;

    use super::*;
    use crate::recording::tests::{COMM, HEADER, recording};

    fn play(text: &str) -> (Vec<Batch>, Result<()>, LeftOut) {
        let recording = recording(text).unwrap();
        // So fast that whatever is to come has come.
        let playback = Arc::new(Playback::new(recording.header().anchor.boottime_ns, 1e30, true));
        let (sender, mut receiver) = mpsc::channel(1000);
        let (outcome, report) = Player::new(recording, playback, sender).play();
        (std::iter::from_fn(|| receiver.try_recv().ok()).collect(), outcome, report)
    }

    fn times(batches: &[Batch]) -> Vec<u64> {
        batches.iter().flat_map(|batch| &batch.events).map(Event::ts_ns).collect()
    }

    #[test]
    fn events_and_users_are_handed_on_and_what_is_left_out_is_told() {
        let user = r#"{"type":"user","uid":7,"name":"ann"}"#;
        let text = [HEADER, COMM, "junk", user, r#"{"type":"net"}"#, HEADER, COMM, &COMM[..20]].join("\n");
        let (batches, outcome, report) = play(&text);
        outcome.unwrap();
        assert_eq!(batches.iter().map(|batch| batch.events.len()).sum::<usize>(), 2);
        assert_eq!(batches.iter().flat_map(|batch| &batch.users).collect::<Vec<_>>(), [&(7, "ann".to_owned())]);
        assert!(report.is_faulty());
        let told = report.report().unwrap();
        assert!(
            told.starts_with("'r': 1 of 8 lines could not be read, the first: line 3: not a JSON object"),
            "{told}"
        );
        assert!(told.contains("; the last line is incomplete: line 8, torn off"), "{told}");
        assert!(told.contains("1 lines and 0 fields"), "{told}");
        assert_eq!(play(&[HEADER, COMM].join("\n")).2.report(), None);
        // Interrupted is not wrong.
        assert!(!play(&[HEADER, COMM, &COMM[..20]].join("\n")).2.is_faulty());
    }

    #[test]
    fn a_time_far_away_is_not_waited_for() {
        let at = |ts_ns: u64| COMM.replace("\"ts_ns\":5000", &format!("\"ts_ns\":{ts_ns}"));
        const HOUR_NS: u64 = 3_600_000_000_000;
        let play = |all: &[u64]| {
            let lines: Vec<_> = all.iter().map(|ts_ns| at(*ts_ns)).collect();
            let recording = recording(&[&[HEADER.to_owned()][..], &lines].concat().join("\n")).unwrap();
            let playback = Arc::new(Playback::new(recording.header().anchor.boottime_ns, 1.0, true));
            let (sender, mut receiver) = mpsc::channel(1000);
            let (_, left_out) = Player::new(recording, Arc::clone(&playback), sender).play();
            let batches: Vec<_> = std::iter::from_fn(|| receiver.try_recv().ok()).collect();
            (times(&batches), left_out, Clock::of(playback).now_ns())
        };
        // It is long until the next event: that is now.
        let (seen, left_out, now_ns) = play(&[5000, 5000 + HOUR_NS]);
        assert_eq!((seen, left_out.is_faulty(), now_ns), (vec![5000, 5000 + HOUR_NS], false, 5000 + HOUR_NS));
        assert_eq!(left_out.report().unwrap(), "'r': 1h in which nothing happened were skipped");
        // It is wrong.
        for far in [u64::MAX, 5000 + HOUR_NS] {
            let (seen, left_out, now_ns) = play(&[5000, far, 6000]);
            assert_eq!((seen, left_out.is_faulty(), now_ns), (vec![5000, 6000], true, 6000));
            let told = left_out.report().unwrap();
            assert!(told.contains("line 3: its time lies") && told.contains(&format!("\"ts_ns\":{far}'")), "{told}");
        }
        let (seen, left_out, _) = play(&[5000, u64::MAX]);
        assert_eq!((seen, left_out.is_faulty()), (vec![5000], true));
    }

    #[test]
    fn the_wall_clock_follows_what_the_recording_says_of_it() {
        let clock = r#"{"type":"clock","ts_ns":6000,"unix_ns":9000}"#;
        let (batches, outcome, report) = play(&[HEADER, COMM, clock].join("\n"));
        outcome.unwrap();
        let told: Vec<_> = batches.iter().filter_map(|batch| batch.clock).collect();
        assert_eq!((told, report.report()), (vec![TimeAnchor { boottime_ns: 6000, unix_ns: 9000 }], None));
    }

    #[test]
    fn another_boot_ends_it_with_what_came_before() {
        let other = HEADER.replace("\"b\"", r#""c","host":"a\u001b]0;T\u0007\u202e\nb""#);
        let (batches, outcome, _) = play(&[HEADER, COMM, &other, COMM].join("\n"));
        assert_eq!(batches.iter().map(|batch| batch.events.len()).sum::<usize>(), 1);
        let told = outcome.unwrap_err().to_string();
        assert_eq!(told, r"a recording of another boot begins here, of 'a\x1b]0;T\x07\xe2\x80\xae\x0ab'");
    }
}
