//! What /proc tells of a living process when it is asked for: its environment, and what it has open.
//!
//! A pid may have passed on to another process since the tree heard of it, so the start is compared before and after:
//! if the pid names the process in the end, it did all along. Files and peers themselves are never touched: to look at
//! one on a server that does not answer would take forever.
//!
//! What was read is as the process wrote it: whoever shows it must escape it. Does not know the screen.

mod files;
mod sockets;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use nix::errno::Errno;
use ptree_core::ProcKey;
use ptree_source::procfs::{self, Stat};

pub use self::files::{Access, Files, Kind, Open};
pub use self::sockets::Socket;
use crate::act::Target;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The environment.
    Environment,
    /// Open files, and the folder in which it works.
    Files,
}

/// What is asked of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What.
    pub subject: Subject,
    /// Of this process.
    pub target: Target,
}

/// What came of a [`Question`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was asked for.
    pub subject: Subject,
    /// Of this process.
    pub key: ProcKey,
    /// What was found, or why nothing was.
    pub found: Result<Found, Refusal>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// After [`Subject::Environment`].
    Environment(Environment),
    /// After [`Subject::Files`].
    Files(Files),
}

/// Why nothing was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has ended, or its pid is another's by now.
    Gone,
    /// We may not.
    Denied,
    /// It has no pid in our pid namespace, or /proc hides it.
    Unseen,
    /// Whatever else the kernel says.
    Other(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::Denied,
            io::ErrorKind::NotFound => Self::Gone,
            _ if error.raw_os_error() == Some(Errno::ESRCH as i32) => Self::Gone,
            _ => Self::Other(error.to_string()),
        }
    }
}

/// What a program was started with: the process may have changed it since, which /proc does not always show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `NAME=value` each, in the order of the process.
    pub variables: Vec<Vec<u8>>,
    /// Variables beyond these, which would be too much.
    pub left_out: usize,
    /// Bytes of these.
    pub left_out_bytes: usize,
}

impl Environment {
    /// Bytes of variables that are taken.
    pub const BYTES_MAX: usize = 512 << 10;
    /// Bytes that are read: more than the kernel lets anybody start a program with.
    const READ_MAX: u64 = 16 << 20;

    /// From variables that end in NUL each, of which so many bytes are taken. The others are counted as they pass.
    fn read(input: impl Read, most: usize) -> io::Result<Self> {
        let mut input = BufReader::with_capacity(64 << 10, input.take(Self::READ_MAX));
        let mut environment = Self::default();
        let mut room = most;
        loop {
            let mut variable = Vec::new();
            let limit = u64::try_from(room).unwrap_or(u64::MAX).saturating_add(1);
            if input.by_ref().take(limit).read_until(0, &mut variable)? == 0 {
                return Ok(environment);
            }
            let is_whole = variable.pop_if(|last| *last == 0).is_some();
            if is_whole || variable.len() <= room {
                room -= variable.len();
                environment.variables.extend(Some(variable).filter(|variable| !variable.is_empty()));
            } else {
                // Nothing that comes behind it is taken either.
                room = 0;
                environment.left_out += 1;
                environment.left_out_bytes += variable.len() + input.skip_until(0)?.saturating_sub(1);
            }
        }
    }
}

/// Reads it. Blocks: for milliseconds mostly, but as long as a process keeps its memory locked where the kernel has to
/// look into that.
#[must_use]
pub fn answer(question: &Question) -> Answer {
    let Question { subject, target } = question;
    let key = target.seen_from_here().map_err(|_unseen| Refusal::Unseen);
    let found = key.and_then(|key| {
        if !procfs::is_there(key) {
            return Err(Refusal::Gone);
        }
        let folder = folder(key.pid);
        let found = match subject {
            Subject::Environment => environment(folder).map(Found::Environment),
            Subject::Files => files::read(&folder).map(Found::Files),
        };
        // Checked last: then it was this one all the time.
        if procfs::is_there(key) { Ok(found?) } else { Err(Refusal::Gone) }
    });
    Answer { subject: *subject, key: target.key, found }
}

/// Where /proc tells of a process: when its first thread has ended before the others, this has let go of all it had,
/// and another thread is asked. By its place below the process, which a tid alone would not hold it to: it may have passed
/// on to another process by then.
fn folder(pid: u32) -> PathBuf {
    let has_ended = |tid: u32| Stat::read(tid).is_none_or(|stat| matches!(stat.state, 'Z' | 'X'));
    let own = PathBuf::from(format!("/proc/{pid}"));
    if !has_ended(pid) {
        return own;
    }
    let threads = fs::read_dir(own.join("task")).into_iter().flatten();
    let mut tids = threads.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    tids.find(|&tid| !has_ended(tid)).map_or_else(|| own.clone(), |tid| own.join(format!("task/{tid}")))
}

fn environment(folder: PathBuf) -> io::Result<Environment> {
    Environment::read(File::open(folder.join("environ"))?, Environment::BYTES_MAX)
}
