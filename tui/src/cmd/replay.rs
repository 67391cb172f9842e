//! `ptree-tui replay`: the full screen on a recording, or on a stream from standard input.
//!
//! Events are handed on when their time has come by a clock that starts with the header, so that everything that goes by
//! time (rates, lifetimes, how long the dead stay) is as it was.

use std::io::{BufReader, Read};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use ptree_core::text::{self, VALUE, quoted};
use ptree_source::ndjson::{Entry, LineError, ReadError, Reader, Tally};
use ptree_source::{Batch, Header, threads};
use tokio::sync::{mpsc, oneshot};

use crate::capture;
use crate::cli::Common;
use crate::clock::Clock;
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

type Input = Reader<BufReader<Box<dyn Read + Send>>>;

/// Shows the screen until the user quits; `speed` is how many times as fast as it happened.
///
/// # Errors
/// When the input cannot be read or there is no terminal.
pub fn run(common: &Common, file: &Path, speed: f64) -> Result<ExitCode> {
    term::ensure_terminal()?;
    let mut input = open(file)?;
    let header = header(&mut input).with_context(|| format!("reading '{}'", text::path(file)))?;
    let clock = Clock::replay(header.anchor.boottime_ns, speed);
    let (sender, batches) = mpsc::channel(CHANNEL_BATCHES);
    let (ended, end) = oneshot::channel();
    let player = Player { input, header: header.clone(), clock, batches: sender, first_bad: None };
    // Never joined: it may wait for input that does not come.
    threads::spawn("replay", move || {
        let _ = ended.send(player.play());
    })?;
    let mut left_out = None;
    let ended = async {
        let (outcome, report) = end.await.context("the thread that reads has panicked")?;
        left_out = report;
        outcome
    };
    // The processes are not here, or no more.
    let (options, display) = (common.options(false), common.display());
    let shown = capture::runtime()?.block_on(runtime::run(options, display, clock, header, batches, ended));
    if let Some(report) = left_out {
        tell(format_args!("'{}': {report}", text::path(file)));
    }
    shown?;
    Ok(ExitCode::SUCCESS)
}

fn open(file: &Path) -> Result<Input> {
    let input: Box<dyn Read + Send> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(given::open_stream(file).with_context(|| format!("opening '{}'", text::path(file)))?)
    };
    Ok(Reader::new(BufReader::with_capacity(INPUT_BYTES, input)))
}

fn header(input: &mut Input) -> Result<Header> {
    match input.next() {
        Some(Ok(Entry::Header(header))) => Ok(header),
        None => bail!("there is nothing in it"),
        Some(Err(error @ (ReadError::Io(_) | ReadError::Schema { .. }))) => Err(error.into()),
        Some(Ok(_) | Err(ReadError::Line(_))) => {
            bail!("it does not begin with a header, as what 'ptree-tui stream' writes does")
        }
    }
}

/// Reads, waits and hands on.
struct Player {
    input: Input,
    header: Header,
    clock: Clock,
    batches: mpsc::Sender<Batch>,
    first_bad: Option<LineError>,
}

impl Player {
    /// Until the input ends or nobody listens: how it went, and what was left out.
    fn play(mut self) -> (Result<()>, Option<String>) {
        let outcome = self.hand_on();
        (outcome, report(self.input.tally(), self.first_bad.as_ref()))
    }

    fn hand_on(&mut self) -> Result<()> {
        let mut batch = Batch::default();
        loop {
            // Nothing is kept back while the input has nothing more to say.
            let may_wait = !self.input.get_ref().buffer().contains(&b'\n');
            if (may_wait || batch.events.len() >= BATCH_EVENTS) && !self.deliver(&mut batch) {
                return Ok(());
            }
            let Some(entry) = self.input.next() else { break };
            match entry {
                Ok(Entry::Event(event)) => {
                    let wait = self.clock.until(event.ts_ns());
                    if wait > TOGETHER {
                        if !self.deliver(&mut batch) {
                            return Ok(());
                        }
                        thread::sleep(wait);
                    }
                    batch.events.push(event);
                }
                Ok(Entry::Clock(anchor)) => batch.clock = Some(anchor),
                Ok(Entry::User { uid, name }) => batch.users.push((uid, name)),
                Ok(Entry::Header(header)) if header.boot_id == self.header.boot_id => {}
                Ok(Entry::Header(header)) => {
                    self.deliver(&mut batch);
                    bail!("a recording of another boot begins here, of {}", quoted(&header.host, VALUE));
                }
                Err(ReadError::Line(error)) => {
                    self.first_bad.get_or_insert(error);
                }
                Err(error) => {
                    self.deliver(&mut batch);
                    return Err(error.into());
                }
            }
        }
        self.deliver(&mut batch);
        Ok(())
    }

    /// False when nobody listens any more.
    fn deliver(&self, batch: &mut Batch) -> bool {
        if batch.is_empty() {
            return !self.batches.is_closed();
        }
        self.batches.blocking_send(std::mem::take(batch)).is_ok()
    }
}

/// What was not understood, in a sentence.
fn report(tally: Tally, first_bad: Option<&LineError>) -> Option<String> {
    let Tally { lines, unknown_types, unknown_fields, bad } = tally;
    let unknown = match (unknown_types, unknown_fields) {
        (0, 0) => None,
        (types, fields) => {
            Some(format!("{types} lines and {fields} fields are of kinds that this version does not know"))
        }
    };
    let bad = first_bad.map(|error| format!("{bad} of {lines} lines could not be read, the first: {error}"));
    let parts: Vec<_> = bad.into_iter().chain(unknown).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
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

    fn play(text: &str) -> (Vec<Batch>, Result<()>, Option<String>) {
        let mut input = reader(text);
        let header = header(&mut input).unwrap();
        // So fast that whatever is to come has come.
        let clock = Clock::replay(header.anchor.boottime_ns, 1e30);
        let (sender, mut receiver) = mpsc::channel(1000);
        let (outcome, report) = Player { input, header, clock, batches: sender, first_bad: None }.play();
        (std::iter::from_fn(|| receiver.try_recv().ok()).collect(), outcome, report)
    }

    #[test]
    fn what_is_no_stream_is_refused_before_the_screen_is_taken() {
        for (text, expected) in [
            ("", "nothing in it"),
            ("hello\n", "does not begin with a header"),
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
        let report = report.unwrap();
        assert!(report.starts_with("2 of 8 lines could not be read, the first: line 3: not a JSON object"), "{report}");
        assert!(report.contains("1 lines and 0 fields"), "{report}");
        assert_eq!(play(&[HEADER, COMM].join("\n")).2, None);
    }

    #[test]
    fn the_wall_clock_follows_what_the_recording_says_of_it() {
        let clock = r#"{"type":"clock","ts_ns":6000,"unix_ns":9000}"#;
        let (batches, outcome, report) = play(&[HEADER, COMM, clock].join("\n"));
        outcome.unwrap();
        let told: Vec<_> = batches.iter().filter_map(|batch| batch.clock).collect();
        assert_eq!((told, report), (vec![TimeAnchor { boottime_ns: 6000, unix_ns: 9000 }], None));
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
