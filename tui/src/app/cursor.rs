//! Where one is in a list: the selected line, and the window that keeps it in sight.
//!
//! Does not know the lines; their number comes with each call.

/// A line that is selected in a list, and the window onto it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    index: usize,
    offset: usize,
    height: usize,
}

impl Cursor {
    /// Index of the selected line.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Index of the line at the top of the window.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Lines that fit.
    #[must_use]
    pub const fn height(&self) -> usize {
        self.height
    }

    /// Sets the number of lines that fit, in a list of so many.
    pub(super) fn resize(&mut self, height: usize, len: usize) {
        self.height = height;
        self.settle(len);
    }

    /// Moves the selection by lines, and the window with it if asked to, in a list of so many.
    pub(super) fn step(&mut self, lines: isize, window: bool, len: usize) {
        self.index = self.index.saturating_add_signed(lines);
        if window {
            self.offset = self.offset.saturating_add_signed(lines);
        }
        self.settle(len);
    }

    /// Selects a line by index; an index past the end selects the last.
    pub(super) fn select(&mut self, index: usize, len: usize) {
        self.index = index;
        self.settle(len);
    }

    /// Selects a line before it is known how many fit: the window comes to it when that is told.
    pub(super) const fn begin_at(&mut self, index: usize) {
        self.index = index;
    }

    /// Selects a line that has come to another place, and keeps it on its line of the screen as far as that is possible.
    pub(super) fn follow(&mut self, index: usize, len: usize) {
        self.offset = index.saturating_sub(self.index.saturating_sub(self.offset));
        self.select(index, len);
    }

    fn settle(&mut self, len: usize) {
        let (last, height) = (len.saturating_sub(1), self.height.max(1));
        self.index = self.index.min(last);
        self.offset = self.offset.min(self.index).max((self.index + 1).saturating_sub(height));
        self.offset = self.offset.min((last + 1).saturating_sub(height));
    }
}
