//! Text from other processes made harmless, and figures made readable: the same on the screen, in streams and in
//! exports.

use std::borrow::Cow;

/// Any bytes as printable text on one line: what is not UTF-8, and every control character (C0, DEL, C1, bidirectional
/// overrides and other invisible formatting), becomes `\xNN` of its bytes. A backslash that would read as such an
/// escape is itself written `\x5c`, so that [`unescape`] gives the bytes back.
#[must_use]
pub fn escape(_bytes: &[u8]) -> Cow<'_, str> {
    todo!()
}

/// The bytes behind [`escape`]d text.
#[must_use]
pub fn unescape(_text: &str) -> Vec<u8> {
    todo!()
}

/// A duration in the style of humantime, the two greatest units only: `0s`, `850us`, `12ms`, `1.24s`, `2m 5s`, `3h 12m`,
/// `5d 1h`, `2y 40d`.
#[must_use]
pub fn duration(_ns: u64) -> String {
    todo!()
}

/// Bytes in binary units, at most five columns: `0B`, `999B`, `1.2K`, `35M`, `1.0G`.
#[must_use]
pub fn bytes(_n: u64) -> String {
    todo!()
}

/// A command line as one would type it into a shell: arguments that need it are quoted. Escaped like [`escape`].
#[must_use]
pub fn command_line(_argv: &crate::Argv) -> String {
    todo!()
}

/// Name of a signal: `SIGKILL`, `SIGRTMIN+3`; `SIG77` for a number that has none.
#[must_use]
pub fn signal_name(_signal: u8) -> Cow<'static, str> {
    todo!()
}
