//! Frames as the terminal gets them: each in one piece, between the marks of a synchronized update.
//!
//! A terminal that knows these marks (mode 2026) shows nothing half drawn; others pass over them.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// What is drawn, until it is [shown](Frames::show). Clones share it: one is drawn on, the other shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Frames(Rc<RefCell<Vec<u8>>>);

impl Frames {
    /// Writes what was drawn since last time, if anything was.
    ///
    /// # Errors
    /// Those of `out`. What was drawn is gone then as well.
    pub(super) fn show(&self, out: &mut impl Write) -> io::Result<()> {
        let mut drawn = self.0.borrow_mut();
        if drawn.is_empty() {
            return Ok(());
        }
        drawn.extend_from_slice(END);
        let written = out.write_all(&drawn).and_then(|()| out.flush());
        drawn.clear();
        written
    }
}

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut drawn = self.0.borrow_mut();
        if drawn.is_empty() {
            drawn.extend_from_slice(BEGIN);
        }
        drawn.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Does nothing: who draws flushes in the middle of a frame.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_whole_and_nothing_comes_without_one() {
        let frames = Frames::default();
        let (mut pen, mut out) = (frames.clone(), Vec::new());
        frames.show(&mut out).unwrap();
        assert!(out.is_empty());
        for part in ["first", " and second"] {
            pen.write_all(part.as_bytes()).unwrap();
            pen.flush().unwrap();
            assert!(out.is_empty());
        }
        frames.show(&mut out).unwrap();
        frames.show(&mut out).unwrap();
        assert_eq!(out, b"\x1b[?2026hfirst and second\x1b[?2026l");
    }
}
