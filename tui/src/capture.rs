//! Live capture, or what is played in its place, in a thread of its own, so that neither drawing nor a slow reader keeps the ring buffer from being
//! emptied before the bounded channel is full.

use std::time::Duration;

use anyhow::{Context as _, Error, Result};
use ptree_source::live::{Live, LiveOptions};
use ptree_source::play::{self, Cue};
use ptree_source::{Batch, Header, Part, host, limits, threads};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::sync::oneshot::{self, error::RecvError};

/// Batches that may wait for their reader; beyond that, the ring buffer has to hold what happens.
const CHANNEL_BATCHES: usize = 32;

/// What ends a capture, beside [`Capture::finish`] and a reader that goes away.
#[derive(Clone, Copy, Debug, Default)]
pub struct Until {
    /// This long after the start.
    pub duration: Option<Duration>,
    /// SIGINT, SIGTERM or SIGHUP; a second one ends the program at once.
    pub signals: bool,
}

/// A running capture.
#[derive(Debug)]
pub struct Capture {
    /// Where and when.
    pub header: Header,
    /// What happens; closed when the capture has ended and everything was delivered.
    pub batches: mpsc::Receiver<Batch>,
    stop: oneshot::Sender<()>,
    outcome: oneshot::Receiver<Result<()>>,
}

impl Capture {
    /// Attaches to the kernel; when this returns, everything that happens is captured.
    ///
    /// # Errors
    /// Those of [`Live::open`]; or when there can be no thread.
    pub fn start(options: LiveOptions, until: Until) -> Result<Self> {
        let open = move || {
            let live = Live::open(options)?;
            let degraded = live.degraded();
            Ok((live, degraded))
        };
        Self::spawn(until, open, async |live, batches, stop| Ok(live.run(batches, stop).await?))
    }

    /// Plays events that are known already, or will be made by what `open` returns.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn play<C: IntoIterator<Item = Cue>>(
        users: Vec<(u32, String)>,
        open: impl FnOnce() -> C + Send + 'static,
        until: Until,
    ) -> Result<Self> {
        let ready = move || Ok(((open(), users), Vec::new()));
        Self::spawn(until, ready, async |(cues, users): (C, _), batches, stop| {
            play::play(cues.into_iter(), users, batches, stop).await;
            Ok(())
        })
    }

    /// Opens a source and runs it, both in a new thread: the source need not be one that can change threads. With it comes
    /// what it leaves out.
    fn spawn<S>(
        until: Until,
        open: impl FnOnce() -> Result<(S, Vec<Part>)> + Send + 'static,
        run: impl AsyncFnOnce(S, mpsc::Sender<Batch>, oneshot::Receiver<()>) -> Result<()> + Send + 'static,
    ) -> Result<Self> {
        let (opened, is_open) = oneshot::channel::<Result<Vec<Part>>>();
        let (sender, batches) = mpsc::channel(CHANNEL_BATCHES);
        let (stop, stopped) = oneshot::channel();
        let end = watch(until, stopped)?;
        let (over, outcome) = oneshot::channel();
        threads::spawn("capture", move || {
            let ready = || {
                let runtime = runtime()?;
                let (source, degraded) = runtime.block_on(async { open() })?;
                Ok((runtime, source, degraded))
            };
            let (runtime, source, degraded) = match ready() {
                Ok(ready) => ready,
                Err(error) => {
                    let _ = opened.send(Err(error));
                    return;
                }
            };
            let _ = opened.send(Ok(degraded));
            let _ = over.send(runtime.block_on(run(source, sender, end)));
        })?;
        let degraded = is_open.blocking_recv().map_err(panicked)??;
        let header = header(&degraded);
        Ok(Self { header, batches, stop, outcome })
    }

    /// Ends the capture, if it has not ended, and says how it went. What was not received is dropped.
    ///
    /// # Errors
    /// What ended it, when nobody asked.
    pub fn finish(self) -> Result<()> {
        let Self { batches, stop, outcome, .. } = self;
        drop(batches);
        let _ = stop.send(());
        outcome.blocking_recv().map_err(panicked)?
    }

    /// Waits until the capture has ended by itself, and says how it went.
    ///
    /// # Errors
    /// What ended it.
    pub async fn ended(self) -> Result<()> {
        self.outcome.await.map_err(panicked)?
    }
}

/// Describes this machine, and what could not be had of it.
#[must_use]
pub fn header(degraded: &[Part]) -> Header {
    let degraded = degraded.iter().map(|part| part.name().to_owned()).collect();
    Header { degraded, ..host::header(env!("CARGO_PKG_VERSION")) }
}

/// The thread has ended without a word: the panic has had its say on standard error.
fn panicked(_closed: RecvError) -> Error {
    Error::msg("the capture thread panicked")
}

/// A runtime for one thread.
///
/// # Errors
/// When the system has no descriptors left.
pub fn runtime() -> Result<Runtime> {
    // tokio panics where it finds none.
    limits::are_files_left().context("starting the event loop")?;
    Builder::new_current_thread().enable_all().build().context("starting the event loop")
}

/// What tells that the capture is to end: `stopped` or what else ends it. That is watched for in a thread that outlives
/// the capture: a second signal has to be heard even when the first one left us with a reader of our output that does not
/// read.
fn watch(until: Until, stopped: oneshot::Receiver<()>) -> Result<oneshot::Receiver<()>> {
    if until.duration.is_none() && !until.signals {
        return Ok(stopped);
    }
    let (ended, end) = oneshot::channel();
    let runtime = runtime()?;
    // The handlers are in place when this returns.
    let signals = {
        let _context = runtime.enter();
        until.signals.then(Signals::new).transpose().context("watching for signals")?
    };
    threads::spawn("watch", move || runtime.block_on(wait_for_end(until.duration, signals, stopped, ended)))?;
    Ok(end)
}

async fn wait_for_end(
    duration: Option<Duration>,
    mut signals: Option<Signals>,
    stopped: oneshot::Receiver<()>,
    ended: oneshot::Sender<()>,
) {
    let expired = async {
        match duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = stopped => return,
        () = expired => {}
        () = Signals::next(&mut signals) => {}
    }
    let _ = ended.send(());
    Signals::next(&mut signals).await;
    std::process::exit(130);
}

/// The signals that ask for an end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one; for ever where none is watched for.
    async fn next(signals: &mut Option<Self>) {
        let Some(signals) = signals else { return std::future::pending().await };
        tokio::select! {
            _ = signals.interrupt.recv() => {}
            _ = signals.terminate.recv() => {}
            _ = signals.hangup.recv() => {}
        }
    }
}
