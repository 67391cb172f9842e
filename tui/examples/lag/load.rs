//! What the machine is kept busy with: the example `workload`, which ends when its standard input does, and so with us.

use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::Context as _;

use crate::beside;

/// Processes at work, until this is dropped.
pub(crate) struct Load {
    child: Child,
    /// Kept open: it has something to say in the end as well.
    output: Option<BufReader<ChildStdout>>,
    /// The small program of the storm is written here.
    _folder: tempfile::TempDir,
}

impl Load {
    /// So many that do nothing; all of them are there when this returns.
    pub(crate) fn sleepers(count: u32) -> anyhow::Result<Self> {
        let mut load = Self::start(&["sleepers", &count.to_string()], Stdio::piped())?;
        let output = load.child.stdout.take().context("the workload has no output")?;
        let output = load.output.insert(BufReader::new(output));
        let mut line = String::new();
        while output.read_line(&mut line)? > 0 {
            if line.contains("\"settled\"") {
                return Ok(load);
            }
            line.clear();
        }
        anyhow::bail!("the workload ended before {count} processes slept")
    }

    /// Spawns a second; with 0, as many as can be.
    pub(crate) fn spawns(per_s: u32) -> anyhow::Result<Self> {
        Self::start(&["spawns", &per_s.to_string()], Stdio::null())
    }

    fn start(args: &[&str], stdout: Stdio) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(beside("workload")?);
        let child = command.args(args).current_dir(&folder).stdin(Stdio::piped()).stdout(stdout).spawn()?;
        Ok(Self { child, output: None, _folder: folder })
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It says of each process that it has ended, which is more than a pipe holds: taken, or it would never end.
        if let Some(mut output) = self.output.take() {
            let _ = io::copy(&mut output, &mut io::sink());
        }
        let _ = self.child.wait();
    }
}
