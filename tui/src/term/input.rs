//! Reads what the terminal sends, in a thread of its own.
//!
//! Not through crossterm, which takes the beginning of an answer for a mistake and its rest for keys. Does not know what
//! bytes mean.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use crossterm::event::Event;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;
use ptree_source::threads;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::decode::Decoder;

/// Bytes taken at a time.
const PIECE: usize = 4096;
/// Keys and the like that may wait for the loop.
const WAITING: usize = 64;

/// Starts the thread; what it hands on ends when the terminal is gone.
///
/// # Errors
/// When there is no terminal, or no thread to be had.
pub fn listen() -> anyhow::Result<Receiver<io::Result<Event>>> {
    let stdin = io::stdin();
    // Events may come from standard input; keys then come from the controlling terminal.
    let terminal = if stdin.is_terminal() { None } else { Some(File::open("/dev/tty")?) };
    let (sender, receiver) = mpsc::channel(WAITING);
    threads::spawn("input", move || {
        let result = take_all(terminal.as_ref().map_or(stdin.as_fd(), File::as_fd), &sender);
        if let Err(error) = result {
            let _ = sender.blocking_send(Err(error.into()));
        }
    })?;
    Ok(receiver)
}

fn take_all(terminal: BorrowedFd<'_>, sender: &Sender<io::Result<Event>>) -> Result<(), Errno> {
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    let mut bytes = [0; PIECE];
    // When what has begun began, or went on in a way that nobody types.
    let mut since = Instant::now();
    loop {
        let wait = decoder.patience().map(|patience| patience.saturating_sub(since.elapsed()));
        // Rounded up, since what is left of a millisecond would be asked for again and again.
        let wait = wait.map_or(PollTimeout::NONE, |wait| {
            u16::try_from(wait.as_millis() + 1).map_or(PollTimeout::MAX, PollTimeout::from)
        });
        match poll(&mut [PollFd::new(terminal, PollFlags::POLLIN)], wait) {
            Ok(0) => decoder.give_up(&mut events),
            Ok(_) => {
                let taken = match read(terminal, &mut bytes) {
                    // It has been hung up.
                    Ok(0) | Err(Errno::EIO) => return Ok(()),
                    Ok(taken) => &bytes[..taken],
                    Err(Errno::EINTR | Errno::EAGAIN) => continue,
                    Err(error) => return Err(error),
                };
                if decoder.patience().is_none() || Decoder::is_no_typing(taken) {
                    since = Instant::now();
                }
                decoder.feed(taken, &mut events);
            }
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(error) => return Err(error),
        }
        for event in events.drain(..) {
            if sender.blocking_send(Ok(event)).is_err() {
                return Ok(());
            }
        }
    }
}
