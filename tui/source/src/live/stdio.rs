//! Whether standard output was there when the program was started.
//!
//! Later nobody can tell: before `main`, Rust's runtime opens `/dev/null` in the place of what is closed, and takes a
//! descriptor that cannot be written to for one that has been.

use std::sync::atomic::{AtomicBool, Ordering};

use nix::libc;

static WRITABLE: AtomicBool = AtomicBool::new(true);

/// Whether what is written to standard output can arrive anywhere.
#[must_use]
pub fn stdout_was_writable() -> bool {
    WRITABLE.load(Ordering::Relaxed)
}

// SAFETY: in this section stand functions that the C library calls one by one before `main`, each as a C function. Some
// libraries hand over arguments, which one that takes none passes over.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    // SAFETY: takes two numbers and changes nothing; where the descriptor is closed, it fails.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFL) };
    let writable = flags != -1 && flags & libc::O_ACCMODE != libc::O_RDONLY;
    WRITABLE.store(writable, Ordering::Relaxed);
}
