//! The terminal: taken over at the start, given back on every way out (I16).
//!
//! Does not know what is drawn.
#![expect(clippy::disallowed_methods, reason = "here standard output is known to be a terminal")]

#[cfg(test)]
mod answers;
pub mod decode;
mod frames;
pub mod input;
mod jobs;
mod sequence;

use std::fs::File;
use std::io::{self, IsTerminal};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::Context as _;
use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use crossterm::style::Print;
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use nix::sys::signal::{Signal, kill, raise};
use nix::unistd::Pid;
use ptree_source::caller::give_up_gained;
use ptree_source::{fatal, threads};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal};

use self::frames::Frames;
use crate::tell;

/// The terminal is ours. Static, since a panic must give it back from whatever thread.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// The mouse is listened to.
static MOUSE: AtomicBool = AtomicBool::new(false);
/// Presses and the wheel are told, in decimal digits; but no movement, which would be told all the time.
const MOUSE_ON: &str = "\u{1b}[?1000h\u{1b}[?1006h";
const MOUSE_OFF: &str = "\u{1b}[?1006l\u{1b}[?1000l";
/// All of that undone, whatever was done: what [`leave`] writes, for an end that nothing of ours comes after.
const UNDO: &str = "\u{1b}[?2026l\u{1b}[?1006l\u{1b}[?1000l\u{1b}[?2004l\u{1b}[?1049l\u{1b}[?25h";

/// The terminal while it is ours; dropping it gives it back.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Frames>>,
    frames: Frames,
}

impl Screen {
    /// Takes the terminal over, and the mouse if it is wanted.
    ///
    /// # Errors
    ///
    /// When there is no terminal, or it refuses.
    pub fn take(mouse: bool) -> anyhow::Result<Self> {
        ensure_terminal()?;
        MOUSE.store(mouse, Ordering::SeqCst);
        hook_panics();
        fatal::watch();
        fatal::remember(UNDO).context("cannot read how the terminal is set")?;
        enter()?;
        let frames = Frames::default();
        let terminal = Terminal::new(CrosstermBackend::new(frames.clone()));
        // Only now is there something to drop.
        terminal.map(|terminal| Self { terminal, frames }).map_err(|error| {
            leave();
            error.into()
        })
    }

    /// Columns and rows.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        self.terminal.size().map(|size| (size.width, size.height))
    }

    /// Draws a frame.
    ///
    /// # Errors
    ///
    /// When the terminal is gone, or another thread's panic has given it back already.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> anyhow::Result<()> {
        anyhow::ensure!(!tell::has_panicked(), "a part of the program has panicked");
        self.terminal.draw(draw)?;
        self.frames.show(&mut io::stdout())?;
        Ok(())
    }

    /// Forgets what is on the screen, so that the next frame draws all of it.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn clear(&mut self) -> io::Result<()> {
        // `Terminal::clear` would ask the terminal where the cursor is, and wait for an answer that the reader of keys
        // has taken.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::new(0, 0, size.width, size.height))
    }

    /// Asks the terminal to put a text on the clipboard, by OSC 52: in base64, so that nothing of it is obeyed. What
    /// the terminal makes of it is not told.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))
    }

    /// Gives the terminal back and stops this process group, as `^Z` does; returns when continued. `false` when there
    /// is nobody who would continue us: then nothing is done.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn suspend(&mut self) -> io::Result<bool> {
        if !jobs::has_job_control() {
            return Ok(false);
        }
        leave();
        // Where no thread is to be had the others of the group go on.
        if !matches!(threads::spawn("stop", stop_group).map(JoinHandle::join), Ok(Ok(Ok(())))) {
            raise(Signal::SIGSTOP)?;
        }
        self.retake()?;
        Ok(true)
    }

    /// Takes the terminal again after a stop, whatever the shell has done to it meanwhile.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn retake(&mut self) -> io::Result<()> {
        // Raw mode that is believed to be on would not be set again.
        disable_raw_mode()?;
        enter()?;
        self.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

/// Whether what is printed goes to a terminal.
#[must_use]
pub fn is_stdout() -> bool {
    io::stdout().is_terminal()
}

/// Checks that there is a terminal to take. Keys come from the controlling one where standard input is something else.
///
/// # Errors
///
/// When there is none, with what does without.
pub fn ensure_terminal() -> anyhow::Result<()> {
    anyhow::ensure!(
        io::stdout().is_terminal() && (io::stdin().is_terminal() || File::open("/dev/tty").is_ok()),
        "the screen needs a terminal as standard output, and one for the keys; \
         'ptree-tui stream' and 'ptree-tui snapshot' do without"
    );
    anyhow::ensure!(
        std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
        "the terminal is 'dumb' by the variable TERM, and no screen can be drawn on such; \
         'ptree-tui stream' and 'ptree-tui snapshot' do without"
    );
    Ok(())
}

/// Ends the program at once although the terminal takes no output: what is drawn on it stays, but it echoes and takes
/// lines again.
pub(crate) fn abandon() -> ! {
    // Setting the mode does not wait for output.
    let _ = disable_raw_mode();
    std::process::exit(1)
}

/// Stops the whole process group, as the terminal would: a shell holds a pipeline for stopped only when all of it is. It is
/// the user who stops them, and what the program's file may do beyond that is for seeing. Not SIGTSTP, which we catch.
fn stop_group() -> io::Result<()> {
    give_up_gained()?;
    Ok(kill(Pid::from_raw(0), Signal::SIGSTOP)?)
}

fn enter() -> io::Result<()> {
    fatal::set_taken(true);
    enable_raw_mode().inspect_err(|_| fatal::set_taken(false))?;
    TAKEN.store(true, Ordering::SeqCst);
    let mouse = if MOUSE.load(Ordering::SeqCst) { MOUSE_ON } else { "" };
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Print(mouse))
}

/// Gives the terminal back; does nothing if it is not ours. Errors are not told: there is nowhere left to tell them.
fn leave() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mouse = if MOUSE.load(Ordering::SeqCst) { MOUSE_OFF } else { "" };
        // A frame may have been cut off half-way: without its end, the terminal would show nothing of what follows.
        let _ = execute!(
            io::stdout(),
            EndSynchronizedUpdate,
            Print(mouse),
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Show
        );
        let _ = disable_raw_mode();
        fatal::set_taken(false);
    }
}

/// Makes a panic give the terminal back before its message is printed.
fn hook_panics() {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            leave();
            tell::panicked(info);
        }));
    });
}
