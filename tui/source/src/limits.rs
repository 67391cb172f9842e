//! The limits that this process was started with: raised as far as is of use and allowed, checked before anything fails
//! for them half-way; and what an error says that comes of a limit all the same.
//!
//! Does not know what files and memory are for.

use std::error::Error;
use std::fs::File;
use std::{fmt, io};

use nix::errno::Errno;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};

/// Open files that are wanted: what most systems give.
const WANTED_FILES: u64 = 1024;
/// Open files that it takes. `/proc/PID/fd` of the screen counts 36; from Linux 7.0 on, six programs more and their links
/// make it 48. A pass, or a look at a process, takes four more for a moment, and whoever starts us may have left some open.
const NEEDED_FILES: u64 = 64;
/// Open files of an event loop with its signals, and some to spare; as counted in `/proc/PID/fd`, there are 5.
const LOOP_FILES: usize = 8;
/// Data that it takes. With 5.3 MiB of BTF and a hundred processes, the least `ulimit -d` (found by halving) was 45 MiB for
/// `snapshot`, 50 for `stream` and 57 for `doctor`; most of it goes into two readings of the BTF while loading, some ten
/// times its size. The screen has three threads more with a stack each. This leaves room for a BTF half as large again and
/// for ten thousand processes. What is kept of the dead comes later, and has limits of its own.
const DATA_BYTES: u64 = 96 << 20;
/// Address space beside data: the program and its libraries, 20 MiB.
const PROGRAM_BYTES: u64 = 32 << 20;
/// Threads that there may be at a time beside the first: six of the screen, three of loading.
const THREADS: u64 = 9;
/// What glibc sets aside of the address space for each of these when it allocates. musl does nothing of the kind. With
/// less, it makes do with what is shared: the least `ulimit -v` found was 226 MiB, but that is luck.
const ARENA_BYTES: u64 = if cfg!(target_env = "gnu") { 64 << 20 } else { 0 };

/// A limit that is too low.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the limit of {what} is {has}, and ptree-tui needs {needs} to work; raise it with '{raise}'")]
pub struct LimitError {
    what: &'static str,
    has: String,
    needs: String,
    raise: String,
}

/// Raises the limit of open files to what is wanted, as far as it may be.
pub fn raise() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < WANTED_FILES.min(hard)
    {
        // Whether it is enough is checked where it matters.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, WANTED_FILES.min(hard), hard);
    }
}

/// Whether the limits leave room for a capture with a ring buffer of this size.
///
/// # Errors
/// When one does not.
pub fn check(ring_bytes: u32) -> Result<(), LimitError> {
    let limit = |resource| getrlimit(resource).map_or(RLIM_INFINITY, |(soft, _)| soft);
    check_files(limit(Resource::RLIMIT_NOFILE))?;
    check_memory(limit(Resource::RLIMIT_DATA), "data", 'd', DATA_BYTES)?;
    check_memory(limit(Resource::RLIMIT_AS), "address space", 'v', space_bytes(ring_bytes))
}

/// Whether as many files can be opened now as an event loop takes.
///
/// # Errors
/// When there is no room for them.
pub fn are_files_left() -> io::Result<()> {
    let opened: io::Result<Vec<File>> = (0..LOOP_FILES).map(|_| File::open("/")).collect();
    opened.map(drop)
}

fn check_files(has: u64) -> Result<(), LimitError> {
    if has >= NEEDED_FILES {
        return Ok(());
    }
    let (has, needs) = (has.to_string(), NEEDED_FILES.to_string());
    Err(LimitError { what: "open files", has, needs, raise: format!("ulimit -n {WANTED_FILES}") })
}

fn check_memory(has: u64, what: &'static str, option: char, needs: u64) -> Result<(), LimitError> {
    if has >= needs {
        return Ok(());
    }
    // In the unit that the shell counts in.
    let needs = needs.div_ceil(1 << 10);
    let (has, raise) = (format!("{} KiB", has >> 10), format!("ulimit -{option} {needs}"));
    Err(LimitError { what, has, needs: format!("{needs} KiB"), raise })
}

const fn space_bytes(ring_bytes: u32) -> u64 {
    // The ring buffer is mapped twice over, so that no record is cut at its end.
    DATA_BYTES + PROGRAM_BYTES + THREADS * ARENA_BYTES + 2 * ring_bytes as u64
}

/// What there was too little of at the moment of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Open files, for this process.
    Files,
    /// Open files, for all of the machine.
    AllFiles,
    /// Memory.
    Memory,
    /// Something that the kernel or a file system has a fixed amount of.
    Room,
    /// Time: the same may succeed when it is tried again.
    Time,
}

impl Lack {
    /// What an error, or one of its causes, comes of; `None` when it is anything else.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        causes(error).filter_map(|cause| cause.downcast_ref()).find_map(Self::of_io)
    }

    fn of_io(error: &io::Error) -> Option<Self> {
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EMFILE) => Some(Self::Files),
            Some(Errno::ENFILE) => Some(Self::AllFiles),
            Some(Errno::ENOMEM) => Some(Self::Memory),
            Some(Errno::ENOSPC) => Some(Self::Room),
            Some(Errno::EAGAIN | Errno::EINTR) => Some(Self::Time),
            None if error.kind() == io::ErrorKind::OutOfMemory => Some(Self::Memory),
            _ => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Files => "raise the limit of open files with 'ulimit -n 1024'",
            Self::AllFiles => {
                "all of the machine has too many files open: end some programs, or raise it with 'sysctl fs.file-max'"
            }
            Self::Memory => {
                "free some memory, or raise what limits it: 'ulimit -v', 'ulimit -d', the cgroup's memory.max; on \
                 kernels before 5.11 'ulimit -l' as well"
            }
            Self::Room => "make room for it, or raise the limit that it has run into",
            Self::Time => "try again",
        }
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Shows an error with all of its causes, and what to do where it comes of a [`Lack`].
#[derive(Clone, Copy, Debug)]
pub struct Explained<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = String::new();
        for cause in causes(self.0) {
            let text = cause.to_string();
            // Some tell their causes themselves.
            if !told.contains(&text) {
                if !told.is_empty() {
                    told.push_str(": ");
                }
                told.push_str(&text);
            }
        }
        f.write_str(&told)?;
        match Lack::of(self.0).map(Lack::advice) {
            Some(advice) if !told.contains(advice) => write!(f, "; {advice}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_too_low_is_named_with_what_it_is_and_has_to_be() {
        assert_eq!(check_files(NEEDED_FILES), Ok(()));
        let told = check_files(15).unwrap_err().to_string();
        for part in ["open files is 15", &format!("needs {NEEDED_FILES} "), "'ulimit -n 1024'"] {
            assert!(told.contains(part), "{told}");
        }
        assert_eq!(check_memory(5 << 20, "data", 'd', 5 << 20), Ok(()));
        let told = check_memory(20_000 << 10, "address space", 'v', (30_000 << 10) + 1).unwrap_err().to_string();
        for part in ["address space is 20000 KiB", "needs 30001 KiB", "'ulimit -v 30001'"] {
            assert!(told.contains(part), "{told}");
        }
        assert!(space_bytes(1 << 31) > space_bytes(4096) + (1 << 31), "a larger ring buffer takes more");
    }

    #[test]
    fn an_error_is_told_with_its_causes_and_what_to_do() {
        #[derive(Debug, thiserror::Error)]
        #[error("no map `{name}`")]
        struct Map {
            name: &'static str,
            source: io::Error,
        }
        #[derive(Debug, thiserror::Error)]
        #[error("map error: {0}")]
        struct Outer(#[from] Map);
        let outer = |errno| Outer(Map { name: "LOST", source: io::Error::from(errno) });
        let error = outer(Errno::EMFILE);
        assert_eq!(Lack::of(&error), Some(Lack::Files));
        assert_eq!(
            Explained(&error).to_string(),
            "map error: no map `LOST`: Too many open files (os error 24); raise the limit of open files with 'ulimit -n 1024'"
        );
        for (errno, lack) in [
            (Errno::ENFILE, Lack::AllFiles),
            (Errno::ENOMEM, Lack::Memory),
            (Errno::ENOSPC, Lack::Room),
            (Errno::EAGAIN, Lack::Time),
            (Errno::EINTR, Lack::Time),
        ] {
            let error = outer(errno);
            assert_eq!(Lack::of(&error), Some(lack));
            assert!(Explained(&error).to_string().ends_with(lack.advice()));
        }
        assert_eq!(Lack::of(&outer(Errno::EPERM)), None);
        assert_eq!(
            Explained(&outer(Errno::EPERM)).to_string(),
            "map error: no map `LOST`: Operation not permitted (os error 1)"
        );
    }
}
