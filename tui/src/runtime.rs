//! The loop that joins terminal, signals, clock and source to the [`App`]: the only owner of its state.
//!
//! Input comes first, then a frame that is due, then events. A frame is due only when something changed, and never
//! takes so much of the time that events have to wait.

use std::future::Future;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use anyhow::Context;
use crossterm::event::{self, Event};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::Signal;
use nix::sys::time::TimeValLike;
use nix::time::{ClockId, clock_gettime};
use ptree_source::{Batch, Header};
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::action::{Action, Effect};
use crate::app::{App, Options};
use crate::export::{dot, file};
use crate::keymap;
use crate::term::Screen;
use crate::view::{self, theme::Theme};

/// Shortest time between two frames that no key asked for.
const FRAME: Duration = Duration::from_millis(50);
/// How often time is let pass in the model.
const TICK: Duration = Duration::from_millis(100);
/// How often this program's own CPU time is measured.
const OWN_CPU: Duration = Duration::from_secs(2);

/// Runs the screen until the user leaves.
///
/// `batches` brings the events; when it closes, `ended` tells how the source ended, and the screen stays.
///
/// # Errors
///
/// When there is no terminal or it goes away, or the source failed.
pub async fn run(
    options: Options,
    theme: Theme,
    header: Header,
    mut batches: Receiver<Batch>,
    ended: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let mut ended = pin!(ended);
    let mut outcome = None;
    let mut open = true;
    let mut signals = Signals::listen()?;
    let mut screen = Screen::take()?;
    let mut input = listen_to_terminal()?;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut own_cpu = OwnCpu::new()?;
    let mut app = App::new(options, header);
    let (width, height) = screen.size()?;
    app.update(Action::Resize(width, height));
    let mut next_frame = Instant::now();
    loop {
        let mut effect = None;
        tokio::select! {
            biased;
            event = input.recv() => match event {
                None => break,
                Some(event) => match event.context("cannot read from the terminal")? {
                    Event::Key(key) => {
                        effect = keymap::name(key).and_then(|key| app.press(&key));
                        next_frame = Instant::now();
                    }
                    Event::Resize(width, height) => {
                        app.update(Action::Resize(width, height));
                        next_frame = Instant::now();
                    }
                    _ => {}
                },
            },
            signal = signals.next() => match signal {
                Signal::SIGTSTP => effect = Some(Effect::Suspend),
                Signal::SIGCONT => {
                    screen.retake()?;
                    effect = Some(Effect::Redraw);
                }
                _ => break,
            },
            () = sleep_until(next_frame), if app.is_dirty() => {
                let begun = Instant::now();
                app.prepare();
                screen.draw(|frame| view::draw(&app, &theme, frame))?;
                app.drawn();
                // A slow terminal or a huge tree gets fewer frames, not the time that events need.
                next_frame = Instant::now() + FRAME.max(begun.elapsed() * 2);
            }
            _ = ticks.tick() => {
                if let Some(share) = own_cpu.share()? {
                    app.set_own_cpu(share);
                }
                app.tick(boottime_ns()?);
            }
            batch = batches.recv(), if open => match batch {
                Some(batch) => app.ingest(&batch, boottime_ns()?),
                None => open = false,
            },
            result = &mut ended, if !open && outcome.is_none() => {
                app.capture_ended(result.as_ref().copied().map_err(|error| format!("{error:#}")));
                outcome = Some(result);
            }
        }
        match effect {
            None => {}
            Some(Effect::Quit) => break,
            Some(Effect::Suspend) => {
                if !screen.suspend()? {
                    app.update(Action::SuspendRefused);
                }
                next_frame = Instant::now();
            }
            Some(Effect::Redraw) => {
                screen.clear()?;
                // It may have changed while we were stopped.
                let (width, height) = screen.size()?;
                app.update(Action::Resize(width, height));
                next_frame = Instant::now();
            }
            Some(Effect::ExportDot) => {
                let result = export_dot(&app).map_err(|error| format!("Cannot export: {error:#}"));
                app.update(Action::Exported(result));
            }
        }
    }
    drop(screen);
    outcome.unwrap_or(Ok(()))
}

/// Writes the shown tree, unfolded, to a new file in the current folder; its full name.
fn export_dot(app: &App) -> anyhow::Result<PathBuf> {
    let folder = std::path::absolute(Path::new("."))?;
    let (file, path) = file::create(&folder, &app.wall().stamp(app.now_ns()), "dot")
        .with_context(|| format!("no new file in '{}'", folder.display()))?;
    let mut out = BufWriter::new(&file);
    app.export(|scope| dot::write_dot(&mut out, scope))
        .and_then(|()| out.flush())
        .and_then(|()| file::give_to_sudo_caller(&file))
        .with_context(|| format!("'{}'", path.display()))?;
    Ok(path)
}

/// Starts a thread that reads keys and changes of size, until the terminal is gone.
///
/// A thread, since crossterm's own stream takes a lock and yields the CPU many times whenever it is polled, which here
/// would be at every event of the kernel.
fn listen_to_terminal() -> io::Result<Receiver<io::Result<Event>>> {
    let (sender, receiver) = mpsc::channel(64);
    std::thread::Builder::new().name("input".to_owned()).spawn(move || {
        loop {
            let event = event::read();
            let last = event.is_err();
            if sender.blocking_send(event).is_err() || last {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// The present on the clock of all events, nanoseconds.
fn boottime_ns() -> io::Result<u64> {
    let now = clock_gettime(ClockId::CLOCK_BOOTTIME)?;
    Ok(u64::try_from(now.num_nanoseconds()).unwrap_or(0))
}

/// The signals that end, stop and continue us.
struct Signals {
    streams: [(Signal, unix::Signal); 5],
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let listen = |signal: Signal| io::Result::Ok((signal, unix::signal(SignalKind::from_raw(signal as i32))?));
        let [int, term, hup, tstp, cont] =
            [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGTSTP, Signal::SIGCONT].map(listen);
        Ok(Self { streams: [int?, term?, hup?, tstp?, cont?] })
    }

    async fn next(&mut self) -> Signal {
        std::future::poll_fn(|context| {
            for (signal, stream) in &mut self.streams {
                if stream.poll_recv(context).is_ready() {
                    return std::task::Poll::Ready(*signal);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

/// What this program itself costs.
struct OwnCpu {
    at: Instant,
    used: Duration,
}

impl OwnCpu {
    fn new() -> io::Result<Self> {
        Ok(Self { at: Instant::now(), used: Self::used()? })
    }

    /// CPU time so far, of all threads.
    fn used() -> io::Result<Duration> {
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        Ok(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
    }

    /// The share of one CPU since the last measurement, when it is time for a new one.
    fn share(&mut self) -> io::Result<Option<f32>> {
        let elapsed = self.at.elapsed();
        if elapsed < OWN_CPU {
            return Ok(None);
        }
        let used = Self::used()?;
        let share = used.saturating_sub(self.used).as_secs_f32() / elapsed.as_secs_f32();
        *self = Self { at: Instant::now(), used };
        Ok(Some(share))
    }
}
