//! What only the kernel knows of how this program was started.
//!
//! Does not know what follows from it.

/// Whether the program got privilege by being started: it has file capabilities, or a set-user-ID or set-group-ID bit, that
/// who started it does not have. Then environment, limits and folder are another's, who is less privileged (`AT_SECURE` of
/// `getauxval(3)`).
#[must_use]
pub fn gained_privilege() -> bool {
    // SAFETY: it takes a number and reads a vector that the kernel has made; it may be called at any time.
    (unsafe { libc::getauxval(libc::AT_SECURE) }) != 0
}
