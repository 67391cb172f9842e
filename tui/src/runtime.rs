//! The loop that joins terminal, signals, clock and source to the [`App`]: the only owner of its state.
//!
//! A frame that is due comes first, then the events that have come meanwhile, then input, then all else. A frame is due
//! only when something changed, and never right after the one before: neither a slow terminal nor a held key can keep
//! events or input waiting for longer than a frame.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::own::Meter;
use anyhow::Context;
use crossterm::event::{Event, MouseButton, MouseEventKind};
use nix::sys::signal::Signal;
use ptree_core::text;
use ptree_source::caller::give_up_gained;
use ptree_source::limits::Explained;
use ptree_source::threads::{self, ThreadError};
use ptree_source::{Batch, Header};
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::act::{self, Order};
use crate::action::{Action, Effect};
use crate::app::{App, Options};
use crate::capture;
use crate::clock::Clock;
use crate::export::{DOT, file};
use crate::inspect::{self, Answer, Refusal};
use crate::keymap;
use crate::screen::theme::Theme;
use crate::term::{self, Screen};
use crate::view;

/// How often time is let pass in the model.
const TICK: Duration = Duration::from_millis(100);
/// How many batches are taken after a frame before input has its turn.
const BATCHES: usize = 32;
/// How long after a signal that ends us the terminal may keep us waiting.
const GRACE: Duration = Duration::from_secs(1);
/// The signals that end us. None of them may leave the terminal as it is; for those of faults and aborts, and those of real
/// time, [`ptree_source::fatal`] sees to that.
const ENDING: [Signal; 13] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGIO,
    Signal::SIGPWR,
    Signal::SIGSTKFLT,
    // More CPU time than a limit allows.
    Signal::SIGXCPU,
];

/// After a frame, others have twice the time that it took before a key can ask for the next one, but no longer than this:
/// enough for what has come meanwhile, and too short to be noticed where a frame took long because the CPUs are busy.
const REST: Duration = Duration::from_millis(15);
/// Two clicks at one place within this time are a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);
/// Lines by which one step of the wheel scrolls.
const WHEEL_LINES: isize = 3;

/// How the screen is shown.
#[derive(Clone, Copy, Debug)]
pub struct Display {
    /// What it looks like.
    pub theme: Theme,
    /// Whether it listens to the mouse.
    pub mouse: bool,
    /// Shortest time between two frames that no key asked for.
    pub frame: Duration,
}

/// Runs the screen until the user leaves.
///
/// `batches` brings the events, `clock` says what time it is for them; when the channel closes, `ended` tells how the source
/// ended, and the screen stays.
///
/// # Errors
///
/// When there is no terminal or it goes away, or the source failed.
pub async fn run(
    options: Options,
    display: Display,
    mut clock: Clock,
    header: Header,
    mut batches: Receiver<Batch>,
    ended: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let mut ended = pin!(ended);
    let mut outcome = None;
    let mut open = true;
    let mut signals = Signals::listen(ENDING.into_iter().chain([Signal::SIGTSTP, Signal::SIGCONT, Signal::SIGWINCH]))?;
    let _still_running = insist_on_the_end()?;
    let mut screen = Screen::take(display.mouse)?;
    let mut input = term::input::listen()?;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut meter = Meter::new()?;
    let mut app = App::new(options, header);
    let (width, height) = screen.size()?;
    app.update(Action::Resize(width, height));
    let mut pace = Pace::new(Instant::now(), display.frame);
    let mut clicks = Clicks::default();
    // What is done beside the loop reports here.
    let (reports, mut reported) = mpsc::channel(1);
    let (orders, hand) = act_beside(reports.clone())?;
    loop {
        let mut effect = None;
        tokio::select! {
            biased;
            () = sleep_until(pace.next), if app.is_dirty() => {
                let begun = Instant::now();
                app.prepare(view::measure(&app));
                screen.draw(|frame| view::draw(&app, &display.theme, frame))?;
                app.drawn();
                pace.drawn(begun, Instant::now());
                meter.drawn(begun.elapsed());
                for _ in 0..BATCHES {
                    match batches.try_recv() {
                        Ok(batch) => app.ingest(&batch, clock.now_ns()),
                        Err(TryRecvError::Empty) => break,
                        Err(TryRecvError::Disconnected) => {
                            open = false;
                            clock.end();
                            break;
                        }
                    }
                }
            }
            event = input.recv() => match event {
                None => break,
                Some(event) => match event.context("cannot read from the terminal")? {
                    Event::Key(key) => {
                        effect = keymap::name(key).and_then(|key| app.press(&key));
                        pace.hurry(Instant::now());
                    }
                    Event::Paste(text) => {
                        app.update(Action::Paste(text));
                        pace.hurry(Instant::now());
                    }
                    Event::Mouse(mouse) => {
                        let action = match mouse.kind {
                            MouseEventKind::Down(MouseButton::Left) => {
                                let (column, row) = (mouse.column, mouse.row);
                                let double = clicks.is_double(column, row, Instant::now());
                                Some(Action::Click { hit: view::hit(&app, column, row), double })
                            }
                            MouseEventKind::ScrollUp => Some(Action::Wheel(-WHEEL_LINES)),
                            MouseEventKind::ScrollDown => Some(Action::Wheel(WHEEL_LINES)),
                            // Means nothing here.
                            _ => None,
                        };
                        if let Some(action) = action {
                            effect = app.update(action);
                            pace.hurry(Instant::now());
                        }
                    }
                    Event::Resize(..) | Event::FocusGained | Event::FocusLost => {}
                },
            },
            signal = signals.next() => match signal {
                Signal::SIGWINCH => {
                    let (width, height) = screen.size()?;
                    app.update(Action::Resize(width, height));
                    pace.hurry(Instant::now());
                }
                Signal::SIGTSTP => effect = Some(Effect::Suspend),
                Signal::SIGCONT => {
                    screen.retake()?;
                    effect = Some(Effect::Redraw);
                }
                _ => break,
            },
            _ = ticks.tick() => {
                if let Some(own) = meter.read()? {
                    app.set_own(own);
                }
                if let Some(playback) = clock.playback() {
                    app.set_played(playback.played());
                }
                effect = app.tick(clock.now_ns());
            }
            Some(action) = reported.recv() => effect = app.update(action),
            batch = batches.recv(), if open => match batch {
                Some(batch) => app.ingest(&batch, clock.now_ns()),
                None => {
                    open = false;
                    clock.end();
                }
            },
            result = &mut ended, if !open && outcome.is_none() => {
                app.capture_ended(result.as_ref().copied().map_err(|error| Explained(error.as_ref()).to_string()));
                outcome = Some(result);
            }
        }
        if let Some(playback) = clock.playback() {
            playback.pause(app.paused().is_some());
        }
        match effect {
            None => {}
            Some(Effect::Quit) => break,
            Some(Effect::Suspend) => {
                if !screen.suspend()? {
                    app.update(Action::SuspendRefused);
                }
                pace.hurry(Instant::now());
            }
            Some(Effect::Redraw) => {
                screen.clear()?;
                // It may have changed while we were stopped.
                let (width, height) = screen.size()?;
                app.update(Action::Resize(width, height));
                pace.hurry(Instant::now());
            }
            Some(Effect::ExportDot) => {
                let result = export_dot(&app).map_err(|error| format!("Cannot export: {}", Explained(error.as_ref())));
                app.update(Action::Exported(result));
            }
            Some(Effect::Act(order)) => {
                // It ends when we do.
                let _ = orders.send(order);
            }
            Some(Effect::Inspect(question)) => {
                let reports = reports.clone();
                // A thread of its own, for which nobody waits at the end: the kernel may keep it waiting for a process
                // that keeps its memory locked.
                let (subject, key) = (question.subject, question.target.key);
                let ask = move || {
                    let answer = give_up_gained().map_or_else(
                        |error| Answer { subject, key, found: Err(error.into()) },
                        |()| inspect::answer(&question),
                    );
                    drop(reports.blocking_send(Action::Inspected(answer)));
                };
                if let Err(error) = threads::spawn("inspect", ask) {
                    let found = Err(Refusal::Other(error.to_string()));
                    app.update(Action::Inspected(Answer { subject, key, found }));
                }
            }
            Some(Effect::Copy(text)) => screen.copy(&text)?,
        }
    }
    drop(screen);
    // What has been begun is done to the end: a subtree frozen by half would stay so.
    drop((reported, orders));
    let _ = hand.join();
    outcome.unwrap_or(Ok(()))
}

/// Writes the shown tree, unfolded, to a new file in the current folder; its full name.
fn export_dot(app: &App) -> anyhow::Result<PathBuf> {
    let folder = std::path::absolute(Path::new("."))?;
    let stamp = app.wall().stamp(app.now_ns());
    app.export(|moment| file::export(&folder, &stamp, DOT.extension, |out| (DOT.write)(out, moment, false)))
        .with_context(|| format!("no new file in '{}'", text::path(&folder)))
}

/// Starts a thread that does what it is ordered to, one after the other, and reports; it ends when there are no more
/// orders. It is there from the beginning: where there are so many processes that no thread can be made any more, one
/// wants to act on them.
fn act_beside(reports: mpsc::Sender<Action>) -> Result<(std::sync::mpsc::Sender<Order>, JoinHandle<()>), ThreadError> {
    let (sender, orders) = std::sync::mpsc::channel();
    let hand = threads::spawn("act", move || {
        // To become less is always granted; if it were not, nothing would be done.
        if give_up_gained().is_err() {
            return;
        }
        for order in orders {
            // Nobody listens any more when the user has left meanwhile.
            let _ = reports.blocking_send(Action::Acted(act::perform(&order)));
        }
    })?;
    Ok((sender, hand))
}

/// Where the mouse was pressed last.
#[derive(Debug, Default)]
struct Clicks {
    last: Option<(u16, u16, Instant)>,
}

impl Clicks {
    /// Whether a click there and now is the second of a double one.
    fn is_double(&mut self, column: u16, row: u16, now: Instant) -> bool {
        let again = |(x, y, at): (u16, u16, Instant)| (x, y) == (column, row) && now - at < DOUBLE_CLICK;
        let double = self.last.take().is_some_and(again);
        // A third click begins anew.
        self.last = (!double).then_some((column, row, now));
        double
    }
}

/// When frames are drawn.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Shortest time between two that no key asked for.
    frame: Duration,
    /// When the next one is due.
    next: Instant,
    /// Before that, no key can ask for it.
    earliest: Instant,
}

impl Pace {
    fn new(now: Instant, frame: Duration) -> Self {
        Self { frame, next: now, earliest: now }
    }

    fn drawn(&mut self, begun: Instant, ended: Instant) {
        let rest = ((ended - begun) * 2).min(REST);
        self.earliest = ended + rest;
        self.next = ended + rest.max(self.frame);
    }

    /// Asks for a frame as soon as possible.
    fn hurry(&mut self, now: Instant) {
        self.next = self.next.min(now.max(self.earliest));
    }
}

/// Starts a thread that ends the program one [`GRACE`] after a signal that should have, unless what is returned has
/// been dropped by then: the loop cannot see the signal while it waits for a terminal that takes no output.
fn insist_on_the_end() -> anyhow::Result<std::sync::mpsc::Sender<()>> {
    let (running, ended) = std::sync::mpsc::channel();
    let (tell, ready) = std::sync::mpsc::channel();
    threads::spawn("end", move || {
        // Made here: where there is no thread it would be dropped, which it may not be within another one.
        let runtime = match capture::runtime() {
            Ok(runtime) => runtime,
            Err(error) => return drop(tell.send(Err(error))),
        };
        let _ = tell.send(Ok(()));
        let signalled = runtime.block_on(async {
            Signals::listen(ENDING)?.next().await;
            io::Result::Ok(())
        });
        if signalled.is_ok() && ended.recv_timeout(GRACE) == Err(RecvTimeoutError::Timeout) {
            term::abandon();
        }
    })?;
    ready.recv()??;
    Ok(running)
}

/// Signals that have a meaning here.
struct Signals {
    streams: Vec<(Signal, unix::Signal)>,
}

impl Signals {
    fn listen(signals: impl IntoIterator<Item = Signal>) -> io::Result<Self> {
        let listen = |signal: Signal| Ok((signal, unix::signal(SignalKind::from_raw(signal as i32))?));
        Ok(Self { streams: signals.into_iter().map(listen).collect::<io::Result<_>>()? })
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

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(50);

    #[test]
    fn two_clicks_at_one_place_are_one_double_click() {
        let mut clicks = Clicks::default();
        let begin = Instant::now();
        let mut click = |column, after_ms| clicks.is_double(column, 5, begin + Duration::from_millis(after_ms));
        let double = [(1, 0), (1, 100), (1, 200), (2, 300), (2, 1000), (2, 1399)].map(|(x, ms)| click(x, ms));
        assert_eq!(double, [false, true, false, false, false, true]);
    }

    #[test]
    fn a_held_key_leaves_time_to_others_and_waits_no_longer_than_that() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now, FRAME);
        for took in [1, 20, 500] {
            let (begun, took) = (now, Duration::from_millis(took));
            now += took;
            pace.drawn(begun, now);
            assert_eq!(pace.next - now, FRAME, "without a key");
            let rest = REST.min(took * 2);
            for _ in 0..3 {
                pace.hurry(now);
                assert_eq!(pace.next - now, rest);
            }
            pace.hurry(now + took * 3);
            assert_eq!(pace.next - now, rest, "a key never puts it off");
            now += FRAME + took * 3;
            pace.drawn(now, now);
            pace.hurry(now);
            assert_eq!(pace.next, now, "at once where drawing costs nothing");
        }
    }
}
