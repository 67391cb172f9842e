//! What only the kernel knows of how this program was started.
//!
//! Does not know what follows from it.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the program got privilege by being started: it has file capabilities, or a set-user-ID or set-group-ID bit, that
/// who started it does not have. Then environment, limits and folder are another's, who is less privileged (`AT_SECURE` of
/// `getauxval(3)`).
#[must_use]
pub fn gained_privilege() -> bool {
    // SAFETY: it takes a number and reads a vector that the kernel has made; it may be called at any time.
    (unsafe { libc::getauxval(libc::AT_SECURE) }) != 0
}

/// Whether what is written to standard output can arrive anywhere. It is seen before `main`, since Rust's runtime opens
/// `/dev/null` then in the place of what is closed, and takes a descriptor that cannot be written to for one that has been.
#[must_use]
pub fn stdout_was_writable() -> bool {
    WRITABLE.load(Ordering::Relaxed)
}

static WRITABLE: AtomicBool = AtomicBool::new(true);

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
