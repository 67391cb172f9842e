//! Which row is selected and which rows are on screen.
//!
//! The selection is a process, not a place: when rows come and go around it, it keeps its process and its line on the
//! screen. Does not know why rows are there nor how they look.

use ptree_core::{ProcKey, Row, Rows};

/// The visible rows with a selection and a window.
#[derive(Debug, Default)]
pub struct List {
    rows: Rows,
    selected: Option<ProcKey>,
    index: usize,
    offset: usize,
    height: usize,
    /// The user has moved: from then on the selection sticks to its process. Until then it is the first row.
    touched: bool,
}

impl List {
    /// All rows.
    #[must_use]
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Index of the row at the top of the window.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Index of the selected row.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Rows that fit on the screen.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// The selected process; kept while no row is visible.
    #[must_use]
    pub fn selected(&self) -> Option<ProcKey> {
        self.selected
    }

    /// The selected row.
    #[must_use]
    pub fn row(&self) -> Option<&Row> {
        self.rows.as_slice().get(self.index)
    }

    /// Takes new rows. If the selected process is not among them, `substitute` names another; failing that, whatever
    /// stands in its place is selected.
    pub fn rebuild(&mut self, rows: Rows, substitute: impl FnOnce(&Rows, ProcKey) -> Option<usize>) {
        let line = self.index.saturating_sub(self.offset);
        self.rows = rows;
        self.index = match self.selected {
            Some(key) if self.touched => {
                self.rows.position(key).or_else(|| substitute(&self.rows, key)).unwrap_or(self.index)
            }
            _ => 0,
        };
        self.offset = self.index.saturating_sub(line);
        self.settle();
    }

    /// Sets the number of rows that fit.
    pub fn resize(&mut self, height: usize) {
        self.height = height;
        self.clamp();
    }

    /// Selects a row by index; an index past the end selects the last.
    pub fn select(&mut self, index: usize) {
        self.touched = true;
        self.index = index;
        self.settle();
    }

    /// Selects a row and, if it was out of sight, puts it in the middle.
    pub fn jump(&mut self, index: usize) {
        if !(self.offset..self.offset + self.height).contains(&index) {
            self.offset = index.saturating_sub(self.height / 2);
        }
        self.select(index);
    }

    /// Selects another process, which shows when the rows are next built.
    pub fn follow(&mut self, key: ProcKey) {
        self.touched = true;
        self.selected = Some(key);
    }

    /// Moves the selection by lines.
    pub fn step(&mut self, lines: isize) {
        self.select(self.index.saturating_add_signed(lines));
    }

    /// Moves selection and window together by lines.
    pub fn page(&mut self, lines: isize) {
        self.offset = self.offset.saturating_add_signed(lines);
        self.step(lines);
    }

    /// Keeps index and window inside, and the process of the selected row in mind.
    fn settle(&mut self) {
        self.clamp();
        if let Some(row) = self.row() {
            self.selected = Some(row.key);
        }
    }

    fn clamp(&mut self) {
        let Some(last) = self.rows.len().checked_sub(1) else {
            (self.index, self.offset) = (0, 0);
            return;
        };
        let height = self.height.max(1);
        self.index = self.index.min(last);
        self.offset = self.offset.min(self.index).max((self.index + 1).saturating_sub(height));
        self.offset = self.offset.min((last + 1).saturating_sub(height));
    }
}
