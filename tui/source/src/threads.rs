//! Threads: each has a name and a stack of the same size, and where none is to be had that is an error, or the work is
//! done without.
//!
//! Does not know what is done in them.

use std::io;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder, JoinHandle, Scope};

/// What Rust gives a thread by itself, whatever the environment (`RUST_MIN_STACK`) would have it be.
const STACK_BYTES: usize = 2 << 20;
/// Threads that do one thing side by side, at most: there are few things at a time.
const MOST_BESIDE: usize = 3;

/// No thread was to be had.
#[derive(Debug, thiserror::Error)]
#[error(
    "no thread can be made for '{name}' ({error}): this user or cgroup may have too many processes and threads \
     ('ulimit -u', pids.max), or too little memory is left ('ulimit -v'); raise the limit, or end some processes"
)]
pub struct ThreadError {
    name: &'static str,
    // No `source`: what it says to do about it is said here.
    error: io::Error,
}

/// Starts a thread.
///
/// # Errors
/// When the system has none to give.
pub fn spawn<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, ThreadError> {
    builder(name).spawn(work).map_err(|error| ThreadError { name, error })
}

/// Does something in a thread of its own and waits for it.
///
/// # Errors
/// When the system has none to give.
pub(crate) fn apart<T: Send>(name: &'static str, work: impl FnOnce() -> T + Send) -> Result<T, ThreadError> {
    thread::scope(|scope| {
        let thread = builder(name).spawn_scoped(scope, work).map_err(|error| ThreadError { name, error })?;
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Starts something in another thread and returns what waits for its outcome; where there is no thread to be had, that
/// does it.
pub(crate) fn beside<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: &'scope (impl Fn() -> T + Sync),
) -> impl FnOnce() -> T {
    let thread = builder("beside").spawn_scoped(scope, work);
    move || match thread {
        Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        Err(_) => work(),
    }
}

/// Does something with each of these, in as many threads as there are CPUs for and threads to be had; in no order.
pub(crate) fn for_each<I: Send, T: Send>(
    items: impl Iterator<Item = I> + Send,
    work: impl Fn(I) -> T + Sync,
) -> Vec<T> {
    let (items, done) = (Mutex::new(items), Mutex::new(Vec::new()));
    // Nobody panics while it holds a lock.
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let take_part = || {
        while let Some(item) = next() {
            let result = work(item);
            done.lock().unwrap_or_else(PoisonError::into_inner).push(result);
        }
    };
    let others = thread::available_parallelism().map_or(1, NonZero::get) - 1;
    thread::scope(|scope| {
        for _ in 0..others.min(MOST_BESIDE) {
            if builder("beside").spawn_scoped(scope, take_part).is_err() {
                break;
            }
        }
        take_part();
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn builder(name: &str) -> Builder {
    Builder::new().name(name.to_owned()).stack_size(STACK_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_done_once_in_however_many_threads() {
        let mut done = for_each(0..100, |n| n * 2);
        done.sort_unstable();
        assert_eq!(done, (0..100).map(|n| n * 2).collect::<Vec<_>>());
        let work = || 7;
        assert_eq!(thread::scope(|scope| beside(scope, &work)()), 7);
    }
}
