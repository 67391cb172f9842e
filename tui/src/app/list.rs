//! Which row is selected and which rows are on screen.
//!
//! The selection is a process (or a joined row), not a place: when rows come and go around it, it keeps its process and its line on the
//! screen. Does not know why rows are there nor how they look.

use ptree_core::{Look, ProcKey, Row, RowId, Rows, Tree};

/// The visible rows with a selection and a window.
#[derive(Debug, Default)]
pub struct List {
    rows: Rows,
    selected: Option<RowId>,
    /// The selected process, if it stood for itself when it was selected: it is not to be joined with its siblings.
    apart: Option<ProcKey>,
    index: usize,
    offset: usize,
    height: usize,
    /// The user has moved: from then on the selection sticks to its process. Until then it is the first row.
    touched: bool,
    /// The user has asked for other rows: those that come may fill the window anew.
    rearranged: bool,
}

/// What may be below the last row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Below {
    /// Nothing, as long as there are rows above to fill the window with.
    Nothing,
    /// Up to half a window of blank lines: where rows vanish by themselves, those that stay do not move for it.
    Blank,
}

impl List {
    /// Of a tree looked at in this way; no rows yet.
    #[must_use]
    pub fn new(look: Look) -> Self {
        Self { rows: Rows::new(look), ..Self::default() }
    }

    /// All rows.
    #[must_use]
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The rows, to be told what changes; [`List::refresh`] carries it out.
    pub fn rows_mut(&mut self) -> &mut Rows {
        &mut self.rows
    }

    /// The same, to be told what the user asks for: the rows that come may fill the window anew.
    pub fn rearrange(&mut self) -> &mut Rows {
        self.rearranged = true;
        &mut self.rows
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

    /// What is selected; kept while no row is visible.
    #[must_use]
    pub fn selected(&self) -> Option<RowId> {
        self.selected
    }

    /// The selected row.
    #[must_use]
    pub fn row(&self) -> Option<Row> {
        self.rows.get(self.index)
    }

    /// Brings the rows up to date with the tree. If what is selected is not among them any more, the nearest row above
    /// it is selected; failing that, whatever stands in its place.
    pub fn refresh<'u>(&mut self, tree: &Tree, user: impl Fn(u32) -> &'u str) {
        self.rows.set_apart(self.apart);
        if !self.rows.is_stale() {
            return;
        }
        let line = self.index.saturating_sub(self.offset);
        self.rows.refresh(tree, user);
        self.index = match self.selected {
            Some(id) if self.touched => {
                let above = || self.rows.position(self.rows.visible_ancestor(tree, id)?);
                self.rows.position(id).or_else(above).unwrap_or(self.index)
            }
            _ => 0,
        };
        self.offset = self.index.saturating_sub(line);
        let below = if std::mem::take(&mut self.rearranged) { Below::Nothing } else { Below::Blank };
        self.settle(below);
    }

    /// Sets the number of rows that fit.
    pub fn resize(&mut self, height: usize) {
        let below = if height > self.height { Below::Nothing } else { Below::Blank };
        self.height = height;
        self.clamp(below);
    }

    /// Selects a row by index; an index past the end selects the last.
    pub fn select(&mut self, index: usize) {
        self.touched = true;
        self.index = index;
        self.settle(Below::Blank);
    }

    /// Finds the selection again after rows around it were folded or unfolded.
    pub fn reselect(&mut self) {
        let line = self.index.saturating_sub(self.offset);
        if let Some(index) = self.selected.and_then(|id| self.rows.position(id)) {
            self.index = index;
            self.offset = index.saturating_sub(line);
        }
        self.settle(Below::Nothing);
    }

    /// Selects a row and, if it was out of sight, puts it in the middle.
    pub fn jump(&mut self, index: usize) {
        if !(self.offset..self.offset + self.height).contains(&index) {
            self.offset = index.saturating_sub(self.height / 2);
            self.touched = true;
            self.index = index;
            return self.settle(Below::Nothing);
        }
        self.select(index);
    }

    /// Selects another process, which shows when the rows are next built.
    pub fn follow(&mut self, id: RowId) {
        self.touched = true;
        self.selected = Some(id);
    }

    /// Selects the first row again, whichever that is, until the user moves; what the user had selected before.
    pub fn begin_anew(&mut self) -> Option<RowId> {
        self.offset = 0;
        std::mem::take(&mut self.touched).then_some(self.selected).flatten()
    }

    /// Whether the user has selected what is selected.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        self.touched
    }

    /// Moves the selection by lines.
    pub fn step(&mut self, lines: isize) {
        self.select(self.index.saturating_add_signed(lines));
    }

    /// Moves selection and window together by lines.
    pub fn page(&mut self, lines: isize) {
        self.offset = self.offset.saturating_add_signed(lines);
        self.touched = true;
        self.index = self.index.saturating_add_signed(lines);
        self.settle(Below::Nothing);
    }

    /// Keeps index and window inside, and the process of the selected row in mind.
    fn settle(&mut self, below: Below) {
        self.clamp(below);
        if let Some(row) = self.row() {
            if self.selected != Some(row.id) || !self.touched {
                let is_member = self.rows.parent(self.index).and_then(|parent| self.rows.get(parent));
                let is_member = is_member.is_some_and(|parent| parent.summary.is_some());
                self.apart = row.id.process().filter(|_| self.touched && !is_member);
            }
            self.selected = Some(row.id);
        }
    }

    fn clamp(&mut self, below: Below) {
        let Some(last) = self.rows.len().checked_sub(1) else {
            (self.index, self.offset) = (0, 0);
            return;
        };
        let height = self.height.max(1);
        self.index = self.index.min(last);
        self.offset = self.offset.min(self.index).max((self.index + 1).saturating_sub(height));
        let filled = if below == Below::Nothing { height } else { height.div_ceil(2) };
        self.offset = self.offset.min((last + 1).saturating_sub(filled));
    }
}
