//! The one way to standard error: what is told there cannot command a terminal, has an end, and to tell it never fails.
//!
//! Who tells something quotes values by [`text::quoted`] and paths by [`text::path`]; here is the net below that, since
//! what libraries say may hold anything. Does not know what is told.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::{self, Display, Write as _};
use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};

use ptree_core::text;
use ptree_source::fatal;

/// No message is longer, bytes.
const LONGEST: usize = 16 << 10;
/// Some thread has panicked.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Tells a message, after the program's name.
pub fn tell(message: impl Display) {
    plain(format_args!("ptree-tui: {message}"));
}

/// Tells a message as it is.
pub fn plain(message: impl Display) {
    // There is nowhere left to tell that nothing can be told.
    let _ = stderr().write_all(printable(message).as_bytes());
}

/// What a hook on panics tells: whatever panicked may have had text of others in its hands.
pub fn panicked(info: &PanicHookInfo<'_>) {
    PANICKED.store(true, Ordering::SeqCst);
    if info.payload_as_str().is_some_and(is_lack_of_memory) {
        // As where an allocation fails: that end says why.
        std::process::abort();
    }
    fatal::set_told();
    tell(Panicked(info));
}

/// Rust panics, and does not abort, where a thread that has begun gets no second stack for the signal that the first one
/// is full. Nobody is there yet to whom the panic could be reported.
fn is_lack_of_memory(panic: &str) -> bool {
    ["failed to allocate an alternative stack", "failed to set up alternative stack"]
        .iter()
        .any(|of_the_library| panic.starts_with(of_the_library))
}

/// Whether some thread has panicked, and so has left undone what others may count on.
#[must_use]
pub fn has_panicked() -> bool {
    PANICKED.load(Ordering::SeqCst)
}

#[expect(clippy::disallowed_methods, reason = "this is the one way")]
fn stderr() -> std::io::Stderr {
    std::io::stderr()
}

/// Harmless, of bounded length, and with a line end.
fn printable(message: impl Display) -> String {
    let mut out = String::new();
    // What a message fails to say of itself is left out.
    let _ = write!(out, "{message}");
    if out.len() > LONGEST {
        out.replace_range(out.floor_char_boundary(LONGEST).., "...");
    }
    let mut out = text::harmless(&out).into_owned();
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

struct Panicked<'a>(&'a PanicHookInfo<'a>);

impl Display for Panicked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is a mistake in the program, please report it")?;
        if let Some(place) = self.0.location() {
            write!(f, ": at {place}")?;
        }
        if let Some(name) = std::thread::current().name() {
            write!(f, ", in the thread '{name}'")?;
        }
        write!(f, ":\n{}", self.0.payload_as_str().unwrap_or("(no message)"))?;
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured { write!(f, "\n{backtrace}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_harmless_and_has_an_end() {
        assert_eq!(printable("two\nlines, '\u{1b}[2J\u{202e}\r'"), "two\nlines, '\\x1b[2J\\xe2\\x80\\xae\\x0d'\n");
        assert_eq!(printable("with its end\n"), "with its end\n");
        for flood in ["塩".repeat(1 << 20), "\u{1b}".repeat(1 << 20)] {
            let told = printable(flood);
            assert!(told.len() <= 4 * LONGEST + 4 && told.ends_with("...\n"), "{}", told.len());
        }
    }

    #[test]
    fn a_message_that_cannot_be_said_is_no_panic() {
        struct Broken;
        impl Display for Broken {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("half")?;
                Err(fmt::Error)
            }
        }
        assert_eq!(printable(Broken), "half\n");
    }
}
