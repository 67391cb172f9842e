//! `ptree-tui replay`: the full screen on a recording, or on a stream from standard input.
//!
//! Events are handed on when their time has come by a clock that starts with the header, so that everything that goes by
//! time (rates, lifetimes, how long the dead stay) is as it was.

use std::io::{BufReader, Read};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use ptree_core::Event;
use ptree_core::text::{self, VALUE, duration, quoted};
use ptree_source::ndjson::{Entry, LineError, ReadError, Reader, Tally};
use ptree_source::{Batch, Header, threads};
use tokio::sync::{mpsc, oneshot};

use crate::capture;
use crate::cli::Common;
use crate::clock::{Clock, Playback, Played};
use crate::tell::tell;
use crate::{given, runtime, term};

/// Batches that may wait for the screen.
const CHANNEL_BATCHES: usize = 32;
/// Events handed on together at most.
const BATCH_EVENTS: usize = 4096;
/// Events this close together come together.
const TOGETHER: Duration = Duration::from_millis(20);
/// Bytes taken from the input at a time.
const INPUT_BYTES: usize = 256 << 10;
/// Nobody waits longer than this for the next event of a recording.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// No machine is quiet for so long, nanoseconds: a year. A time so far away was never written by us.
const FARTHEST_NS: u64 = 366 * 86_400 * 1_000_000_000;

type Input = Reader<BufReader<Box<dyn Read + Send>>>;

/// Shows the screen until the user quits; `speed` is how many times as fast as it happened.
///
/// # Errors
/// When the input cannot be read or there is no terminal.
pub fn run(common: &Common, file: &Path, speed: f64) -> Result<ExitCode> {
    term::ensure_terminal()?;
    let mut input = open(file)?;
    let header = header(&mut input).with_context(|| format!("reading '{}'", text::path(file)))?;
    // What comes from a pipe at the speed of time may still be happening.
    let is_recording = file != Path::new("-") || speed != 1.0;
    let playback = Arc::new(Playback::new(header.anchor.boottime_ns, speed, is_recording));
    let clock = Clock::of(Arc::clone(&playback));
    let (sender, batches) = mpsc::channel(CHANNEL_BATCHES);
    let (ended, end) = oneshot::channel();
    let player = Player::new(input, header.clone(), playback, sender);
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
        tell(format_args!("'{}': {report}", text::path(file)));
    }
    shown?;
    Ok(if left_out.bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn open(file: &Path) -> Result<Input> {
    let input: Box<dyn Read + Send> = if file == Path::new("-") {
        Box::new(given::standard_input().context("reading standard input")?)
    } else {
        Box::new(given::open_stream(file).with_context(|| format!("opening '{}'", text::path(file)))?)
    };
    Ok(Reader::new(BufReader::with_capacity(INPUT_BYTES, input)))
}

const NO_HEADER: &str = "it does not begin with a header, as what 'ptree-tui stream' writes does";

fn header(input: &mut Input) -> Result<Header> {
    match input.next() {
        Some(Ok(Entry::Header(header))) => Ok(header),
        None => bail!("there is nothing in it"),
        Some(Err(error @ (ReadError::Io(_) | ReadError::Schema { .. }))) => Err(error.into()),
        Some(Ok(_)) => bail!("{NO_HEADER}"),
        Some(Err(ReadError::Line(error))) => bail!("{NO_HEADER}: {error}"),
    }
}

/// Reads, waits and hands on.
struct Player {
    input: Input,
    header: Header,
    playback: Arc<Playback>,
    batches: mpsc::Sender<Batch>,
    batch: Batch,
    /// An event so long after the one before that its time may be wrong, and its line: the next one tells.
    far: Option<(Event, u64)>,
    /// Time of the latest event.
    latest_ns: u64,
    left_out: LeftOut,
}

impl Player {
    fn new(input: Input, header: Header, playback: Arc<Playback>, batches: mpsc::Sender<Batch>) -> Self {
        let latest_ns = header.anchor.boottime_ns;
        Self {
            input,
            header,
            playback,
            batches,
            batch: Batch::default(),
            far: None,
            latest_ns,
            left_out: LeftOut::default(),
        }
    }

    /// Until the input ends or nobody listens: how it went, and what was left out.
    fn play(mut self) -> (Result<()>, LeftOut) {
        let outcome = self.hand_on();
        self.playback.finish();
        self.left_out.tally = self.input.tally();
        self.left_out.played = self.playback.played();
        (outcome, self.left_out)
    }

    fn hand_on(&mut self) -> Result<()> {
        loop {
            // Nothing is kept back while the input has nothing more to say.
            let may_wait = !self.input.get_ref().buffer().contains(&b'\n');
            if (may_wait || self.batch.events.len() >= BATCH_EVENTS) && !self.deliver() {
                return Ok(());
            }
            let Some(entry) = self.input.next() else { break };
            match entry {
                Ok(Entry::Event(event)) => {
                    if !self.event(event) {
                        return Ok(());
                    }
                }
                Ok(Entry::Clock(anchor)) => self.batch.clock = Some(anchor),
                Ok(Entry::User { uid, name }) => self.batch.users.push((uid, name)),
                Ok(Entry::Header(header)) if header.boot_id == self.header.boot_id => {}
                Ok(Entry::Header(header)) => {
                    self.deliver();
                    bail!("a recording of another boot begins here, of {}", quoted(&header.host, VALUE));
                }
                Err(ReadError::Line(error)) => self.leave_out(error),
                Err(error) => {
                    self.deliver();
                    return Err(error.into());
                }
            }
        }
        if let Some((event, _)) = self.far.take() {
            self.skip_to(event);
        }
        self.deliver();
        Ok(())
    }

    /// Hands an event on when its time has come. False when nobody listens any more.
    fn event(&mut self, event: Event) -> bool {
        let ts_ns = event.ts_ns();
        if let Some((far, line)) = self.far.take() {
            if ts_ns < far.ts_ns() {
                self.leave_out_far(&far, line);
            } else {
                self.skip_to(far);
            }
        }
        if ts_ns.saturating_sub(self.latest_ns) > FARTHEST_NS {
            self.leave_out_far(&event, self.input.tally().lines);
            return true;
        }
        let wait = self.playback.until(ts_ns);
        if wait > LONGEST_WAIT {
            self.far = Some((event, self.input.tally().lines));
            return true;
        }
        self.playback.reach(ts_ns);
        if wait > TOGETHER && !self.deliver() {
            return false;
        }
        if wait > TOGETHER || self.playback.is_paused() {
            let batches = &self.batches;
            self.playback.wait_until(ts_ns, || batches.is_closed());
        }
        self.latest_ns = self.latest_ns.max(ts_ns);
        self.batch.events.push(event);
        true
    }

    /// Lets what happens after a long time happen at once.
    fn skip_to(&mut self, event: Event) {
        self.deliver();
        self.playback.skip_to(event.ts_ns());
        self.latest_ns = event.ts_ns();
        self.batch.events.push(event);
    }

    fn leave_out_far(&mut self, event: &Event, number: u64) {
        let ts_ns = event.ts_ns();
        let after = duration(ts_ns.saturating_sub(self.latest_ns));
        let problem = format!("its time lies {after} after that of the lines around it");
        self.leave_out(LineError { number, problem, text: format!("\"ts_ns\":{ts_ns}"), torn: false });
    }

    fn leave_out(&mut self, error: LineError) {
        if error.torn {
            self.left_out.torn = Some(error);
            return;
        }
        self.left_out.bad += 1;
        self.left_out.first_bad.get_or_insert(error);
        self.playback.set_unreadable(self.left_out.bad);
    }

    /// False when nobody listens any more.
    fn deliver(&mut self) -> bool {
        if self.batch.is_empty() {
            return !self.batches.is_closed();
        }
        self.batches.blocking_send(std::mem::take(&mut self.batch)).is_ok()
    }
}

/// What of the input is not shown.
#[derive(Debug, Default)]
struct LeftOut {
    tally: Tally,
    /// Lines that could not be read, but for a last one that was torn off.
    bad: u64,
    first_bad: Option<LineError>,
    /// The last line, when whoever wrote it was interrupted.
    torn: Option<LineError>,
    played: Played,
}

impl LeftOut {
    /// In a sentence.
    fn report(&self) -> Option<String> {
        let Self { tally: Tally { lines, unknown_types, unknown_fields, .. }, bad, first_bad, torn, played } = self;
        let bad =
            first_bad.as_ref().map(|error| format!("{bad} of {lines} lines could not be read, the first: {error}"));
        let torn = torn.as_ref().map(|error| format!("the last line is incomplete: {error}"));
        let unknown = (unknown_types + unknown_fields > 0).then(|| {
            format!("{unknown_types} lines and {unknown_fields} fields are of kinds that this version does not know")
        });
        let skipped = (played.skipped_ns > 0)
            .then(|| format!("{} in which nothing happened were skipped", duration(played.skipped_ns)));
        let parts: Vec<_> = [bad, torn, unknown, skipped].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use ptree_source::TimeAnchor;

    use super::*;

    const HEADER: &str = r#"{"type":"header","schema":1,"boot_id":"b","boottime_ns":5000,"unix_ns":1000}"#;
    const COMM: &str = r#"{"type":"comm","ts_ns":5000,"pid":5,"start_ns":50,"comm":"x"}"#;

    fn reader(text: &str) -> Input {
        Reader::new(BufReader::new(Box::new(std::io::Cursor::new(text.to_owned()))))
    }

    fn play(text: &str) -> (Vec<Batch>, Result<()>, LeftOut) {
        let mut input = reader(text);
        let header = header(&mut input).unwrap();
        // So fast that whatever is to come has come.
        let playback = Arc::new(Playback::new(header.anchor.boottime_ns, 1e30, true));
        let (sender, mut receiver) = mpsc::channel(1000);
        let (outcome, report) = Player::new(input, header, playback, sender).play();
        (std::iter::from_fn(|| receiver.try_recv().ok()).collect(), outcome, report)
    }

    fn times(batches: &[Batch]) -> Vec<u64> {
        batches.iter().flat_map(|batch| &batch.events).map(Event::ts_ns).collect()
    }

    #[test]
    fn what_is_no_stream_is_refused_before_the_screen_is_taken() {
        for (text, expected) in [
            ("", "nothing in it"),
            (
                "hello\n",
                "does not begin with a header, as what 'ptree-tui stream' writes does: line 1: not a JSON object",
            ),
            (r#"{"type":"header","schema":1,"unix_ns":-1}"#, "unix_ns"),
            (COMM, "does not begin with a header"),
            (r#"{"type":"header","schema":9}"#, "schema 9"),
        ] {
            let error = header(&mut reader(text)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn events_and_users_are_handed_on_and_what_is_left_out_is_told() {
        let user = r#"{"type":"user","uid":7,"name":"ann"}"#;
        let text = [HEADER, COMM, "junk", user, r#"{"type":"net"}"#, HEADER, COMM, &COMM[..20]].join("\n");
        let (batches, outcome, report) = play(&text);
        outcome.unwrap();
        assert_eq!(batches.iter().map(|batch| batch.events.len()).sum::<usize>(), 2);
        assert_eq!(batches.iter().flat_map(|batch| &batch.users).collect::<Vec<_>>(), [&(7, "ann".to_owned())]);
        assert_eq!(report.bad, 1);
        let told = report.report().unwrap();
        assert!(told.starts_with("1 of 8 lines could not be read, the first: line 3: not a JSON object"), "{told}");
        assert!(told.contains("; the last line is incomplete: line 8, torn off"), "{told}");
        assert!(told.contains("1 lines and 0 fields"), "{told}");
        assert_eq!(play(&[HEADER, COMM].join("\n")).2.report(), None);
        // Interrupted is not wrong.
        assert_eq!(play(&[HEADER, COMM, &COMM[..20]].join("\n")).2.bad, 0);
    }

    #[test]
    fn a_time_far_away_is_not_waited_for() {
        let at = |ts_ns: u64| COMM.replace("\"ts_ns\":5000", &format!("\"ts_ns\":{ts_ns}"));
        const HOUR_NS: u64 = 3_600_000_000_000;
        let play = |all: &[u64]| {
            let lines: Vec<_> = all.iter().map(|ts_ns| at(*ts_ns)).collect();
            let mut input = reader(&[&[HEADER.to_owned()][..], &lines].concat().join("\n"));
            let header = header(&mut input).unwrap();
            let playback = Arc::new(Playback::new(header.anchor.boottime_ns, 1.0, true));
            let (sender, mut receiver) = mpsc::channel(1000);
            let (_, left_out) = Player::new(input, header, Arc::clone(&playback), sender).play();
            let batches: Vec<_> = std::iter::from_fn(|| receiver.try_recv().ok()).collect();
            (times(&batches), left_out, Clock::of(playback).now_ns())
        };
        // It is long until the next event: that is now.
        let (seen, left_out, now_ns) = play(&[5000, 5000 + HOUR_NS]);
        assert_eq!((seen, left_out.bad, now_ns), (vec![5000, 5000 + HOUR_NS], 0, 5000 + HOUR_NS));
        assert_eq!(left_out.report().unwrap(), "1h in which nothing happened were skipped");
        // It is wrong.
        for far in [u64::MAX, 5000 + HOUR_NS] {
            let (seen, left_out, now_ns) = play(&[5000, far, 6000]);
            assert_eq!((seen, left_out.bad, now_ns), (vec![5000, 6000], 1, 6000));
            let told = left_out.report().unwrap();
            assert!(told.contains("line 3: its time lies") && told.contains(&format!("\"ts_ns\":{far}'")), "{told}");
        }
        let (seen, left_out, _) = play(&[5000, u64::MAX]);
        assert_eq!((seen, left_out.bad), (vec![5000], 1));
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
