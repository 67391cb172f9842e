//! Arguments that are hard to carry.

use std::io;

use crate::log;
use crate::program::Program;

/// Starts a program with each of them.
pub(crate) fn all() -> io::Result<()> {
    let start = |argv: &[&[u8]]| log::wait(Program::child("0", argv)?.spawn()?);
    start(&[b"a name with spaces", b" ", b"", b"two\nlines\r\n", b"tab\there", b""])?;
    start(&[b"terminal", b"\x1b[31mred\x1b[0m", b"\x1b]0;title\x07", b"\x7f\x08\x01", "\u{9b}31m".as_bytes()])?;
    start(&[b"quotes", b"'", b"\"", b"`$(true)`", b"{\"type\":\"exit\"}", b"<b>&amp;", b"\\", b"\\n"])?;
    start(&[b"escapes", b"\\x41", b"\\x5c", b"\\xAB", b"\\\\x41", b"\\x", b"\\x4", b"\\xzz", b"\\x5cx41"])?;
    start(&[b"bytes", b"\xff\xfe", b"caf\xe9", b"\xc3", b"\xed\xa0\x80", b"ok\xf0\x9f\x8c"])?;
    start(&["unicode".as_bytes(), "naïve 木 🌲".as_bytes(), "\u{202e}txt.exe".as_bytes(), "\u{200b}".as_bytes()])?;
    start(&[])?;
    start(&[b""])?;
    let many: Vec<Vec<u8>> = (0..2_000).map(|i| format!("argument-{i}").into_bytes()).collect();
    start(&many.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
    // The longest that the kernel takes (MAX_ARG_STRLEN, its NUL included), told apart at every place.
    let long: Vec<u8> = (0..131_071_u32).map(|i| b'a' + (i % 23) as u8).collect();
    start(&[b"long", &long, b"behind it"])
}
