//! The program on a terminal, and each of its frames as it comes.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::beside;
use crate::pty::Pty;
use crate::screen::{Screen, Seen};

/// Far more than a first frame takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// See the module.
pub(crate) struct Session {
    pty: Pty,
    begun: Instant,
    chunks: Receiver<(Instant, Vec<u8>)>,
    screen: Screen,
}

impl Session {
    /// Starts the program.
    pub(crate) fn start(size: (u16, u16), args: &[&str]) -> anyhow::Result<Self> {
        let program = beside("ptree-tui")?;
        let program = program.to_str().context("the path of the program is not UTF-8")?;
        // No configuration but what is given.
        let config = ["--config", "/dev/null"];
        let (sender, chunks) = channel();
        let begun = Instant::now();
        let mut is_urgent = false;
        let take = move |bytes: &[u8]| {
            let at = Instant::now();
            if !is_urgent {
                // Of this thread alone: how long a terminal waits for a CPU is not to be measured.
                let _ = rustix::process::setpriority_process(None, -20);
                is_urgent = true;
            }
            drop(sender.send((at, bytes.to_vec())));
        };
        let pty = Pty::start(size, &[&[program], &config[..], args].concat(), take)?;
        Ok(Self { pty, begun, chunks, screen: Screen::new(size) })
    }

    /// Waits for the first frame that shows processes; how long it took since the start.
    pub(crate) fn first_frame(&mut self) -> anyhow::Result<Duration> {
        let shown = self.until(PATIENCE, |screen| screen.selected().is_some())?;
        let shown = shown.with_context(|| format!("there is no first frame, but:\n{}", self.screen.text()))?;
        Ok(shown - self.begun)
    }

    /// The pid of the program.
    pub(crate) fn pid(&self) -> u32 {
        self.pty.child.id()
    }

    /// What is on the screen.
    pub(crate) fn screen(&self) -> &Screen {
        &self.screen
    }

    /// Types keys; when.
    pub(crate) fn press(&mut self, keys: &str) -> anyhow::Result<Instant> {
        // What has come before has nothing to do with them.
        self.until(Duration::ZERO, |_| false)?;
        self.screen.key_pressed();
        let at = Instant::now();
        self.pty.press(keys)?;
        Ok(at)
    }

    /// Watches frames until one is as wanted, and says when it was there; `None` when none was in time.
    pub(crate) fn until(
        &mut self,
        patience: Duration,
        wanted: impl Fn(&Screen) -> bool,
    ) -> anyhow::Result<Option<Instant>> {
        let deadline = Instant::now() + patience;
        loop {
            match self.chunks.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((at, bytes)) => {
                    if self.screen.take(&bytes) > 0 && wanted(&self.screen) {
                        return Ok(Some(at));
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => bail!("the program has ended:\n{}", self.screen.text()),
            }
        }
    }

    /// Ends the program; what was seen of it.
    pub(crate) fn finish(mut self) -> anyhow::Result<Seen> {
        // Out of whatever page it is on.
        self.press("\u{3}")?;
        let deadline = Instant::now() + PATIENCE;
        while self.pty.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                bail!("the program does not end");
            }
            // What it writes has to be taken.
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(self.screen.seen(self.begun.elapsed()))
    }
}
