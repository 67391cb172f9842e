//! A program on a terminal of its own: what it writes is handed on as it comes, keys are written to it.
//!
//! Does not know what the program is, nor what its output means.
#![allow(dead_code, reason = "who includes it uses a part")]

use std::fs::File;
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};

use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::termios::{Termios, tcgetattr};

/// The program and its terminal.
pub(crate) struct Pty {
    /// The program.
    pub(crate) child: Child,
    /// Where keys are written.
    pub(crate) keyboard: File,
    /// How the terminal was set before the program began.
    pub(crate) before: Termios,
}

impl Pty {
    /// Starts a program on a terminal of so many columns and rows. `take` gets what it writes, in a thread of its own,
    /// until the last program on the terminal has gone; while it does not return, nothing more is taken.
    pub(crate) fn start(
        (columns, rows): (u16, u16),
        command: &[&str],
        mut take: impl FnMut(&[u8]) + Send + 'static,
    ) -> io::Result<Self> {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master, slave } = openpty(&size, None)?;
        let before = tcgetattr(&master)?;
        let stdio = || slave.try_clone().map(Stdio::from);
        // `setsid` makes the terminal its session's own, then becomes the program.
        let child = Command::new("setsid")
            .arg("--ctty")
            .args(command)
            .env_remove("NO_COLOR")
            .env("TERM", "xterm-256color")
            .stdin(stdio()?)
            .stdout(stdio()?)
            .stderr(stdio()?)
            .spawn()?;
        drop(slave);
        let keyboard = File::from(master);
        let mut output = keyboard.try_clone()?;
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The read fails when the last program on the terminal has gone.
            while let Ok(n) = output.read(&mut bytes) {
                take(&bytes[..n]);
            }
        });
        Ok(Self { child, keyboard, before })
    }

    /// Types keys.
    pub(crate) fn press(&mut self, keys: &str) -> io::Result<()> {
        self.keyboard.write_all(keys.as_bytes())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Only of use when what was done with it has failed half-way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
