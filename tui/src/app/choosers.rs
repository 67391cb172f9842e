//! The lists from which columns and sorts are chosen: what their keys do.
//!
//! What is chosen holds at once, and for this session: the configuration is the user's own, so the columns can be
//! copied as lines for it.

use ptree_core::Fact;

use super::App;
use super::cursor::Cursor;
use crate::action::{Effect, Mode};
use crate::column::{Chosen, Column};
use crate::screen::areas::Areas;

/// The columns, and where one is in either list.
#[derive(Debug)]
pub(super) struct Choosers {
    columns: Chosen,
    first: Chosen,
    column: Cursor,
    sort: Cursor,
}

impl Choosers {
    pub(super) fn new(columns: Chosen) -> Self {
        Self { first: columns.clone(), columns, column: Cursor::default(), sort: Cursor::default() }
    }
}

/// What the drawing asks.
impl App {
    /// Which columns are shown.
    #[must_use]
    pub fn columns(&self) -> &Chosen {
        &self.choosers.columns
    }

    /// Of these, those in which this kernel has something to show.
    pub(crate) fn filled_columns(&self) -> impl Iterator<Item = Column> {
        self.columns().shown().iter().copied().filter(|column| !column.is_blank(&self.header().degraded))
    }

    /// Columns of the screen that a column takes, be it shown or not.
    #[must_use]
    pub(crate) fn column_width(&self, column: Column) -> usize {
        match (self.columns().width(column), column.spec().width) {
            (Some(width), _) => width.into(),
            (None, 0) => self.pid_digits(),
            (None, width) => width.into(),
        }
    }

    /// Where one is in the list that is open, of columns or of sorts.
    #[must_use]
    pub fn chooser(&self) -> &Cursor {
        match self.mode {
            Mode::Sorts => &self.choosers.sort,
            _ => &self.choosers.column,
        }
    }
}

impl App {
    pub(super) fn open_columns(&mut self) {
        self.mode = Mode::Columns;
    }

    /// Opens the list of sorts, at the present one.
    pub(super) fn open_sorts(&mut self) {
        let now = self.look().sort.by;
        let at = Fact::sorts().position(|fact| fact == now).unwrap_or_default();
        self.choosers.sort.begin_at(at);
        self.mode = Mode::Sorts;
    }

    /// Sorts by what is selected, and closes the list.
    pub(super) fn choose_sort(&mut self) {
        if let Some(fact) = Fact::sorts().nth(self.choosers.sort.index()) {
            if self.look().sort.by != fact {
                self.sort_by(fact);
            }
            self.mode = Mode::Tree;
        }
    }

    /// Lines of the list that is open.
    pub(crate) fn chooser_len(&self) -> usize {
        match self.mode {
            Mode::Sorts => Fact::sorts().count(),
            _ => self.columns().all().count(),
        }
    }

    fn cursor_mut(&mut self) -> &mut Cursor {
        match self.mode {
            Mode::Sorts => &mut self.choosers.sort,
            _ => &mut self.choosers.column,
        }
    }

    /// Moves the selection in the list that is open.
    pub(super) fn step_chooser(&mut self, lines: isize, window: bool) {
        let len = self.chooser_len();
        self.cursor_mut().step(lines, window, len);
    }

    /// Fits the list that is open below the rows that stay in sight.
    pub(super) fn resize_choosers(&mut self, areas: &Areas) {
        let len = self.chooser_len();
        self.cursor_mut().resize(areas.chooser().lines().into(), len);
    }

    /// Rows of the tree that can be seen: above a list, fewer.
    pub(super) fn rows_in_sight(&self, areas: &Areas) -> usize {
        let above = Some(areas.chooser()).filter(|_| matches!(self.mode, Mode::Columns | Mode::Sorts));
        above.and_then(|chooser| chooser.rows_in_sight()).map_or_else(|| areas.rows(), usize::from)
    }

    /// A click on a line of the list that is open: on its mark, or the second one, does what Space or Enter does.
    pub(super) fn click_chooser(&mut self, index: usize, mark: bool, double: bool) {
        let len = self.chooser_len();
        self.cursor_mut().select(index, len);
        match self.mode {
            // The second click on a mark is one more.
            Mode::Columns if mark || double => self.toggle_column(),
            Mode::Sorts if double => self.choose_sort(),
            _ => {}
        }
    }

    fn selected_column(&self) -> Option<Column> {
        self.columns().all().nth(self.choosers.column.index())
    }

    /// Changes the columns; the selected one stays selected.
    fn with_column(&mut self, change: impl FnOnce(&mut Chosen, Column)) {
        let Some(column) = self.selected_column() else { return };
        change(&mut self.choosers.columns, column);
        let at = self.columns().all().position(|other| other == column).unwrap_or_default();
        let len = self.chooser_len();
        self.choosers.column.select(at, len);
    }

    /// Shows or hides the selected column. Whoever goes through the list goes on with the next line.
    pub(super) fn toggle_column(&mut self) {
        let line = self.choosers.column.index();
        let Some(column) = self.selected_column() else { return };
        self.choosers.columns.toggle(column);
        let shown = self.columns().is_shown(column);
        // It has moved up to those shown, or down from them.
        let next = if shown { line + 1 } else { line };
        let len = self.chooser_len();
        self.choosers.column.select(next, len);
    }

    pub(super) fn shift_column(&mut self, right: bool) {
        if self.selected_column().is_some_and(|column| !self.columns().is_shown(column)) {
            return self.say("It is not shown: Space shows it".to_owned(), false);
        }
        self.with_column(|chosen, column| chosen.shift(column, right));
    }

    pub(super) fn widen_column(&mut self, by: i16) {
        let Some(column) = self.selected_column() else { return };
        let width = u16::try_from(self.column_width(column)).unwrap_or(u16::MAX).saturating_add_signed(by);
        self.with_column(|chosen, column| chosen.set_width(column, width));
    }

    pub(super) fn columns_anew(&mut self) {
        self.choosers.columns = self.choosers.first.clone();
        self.choosers.column.select(0, self.chooser_len());
    }

    /// The configuration is never written; these lines say the same.
    pub(super) fn copy_columns(&mut self) -> Option<Effect> {
        let text = format!("[columns]\n{}", self.columns().written());
        self.say("Copied: paste these lines into config.toml in place of its [columns]".to_owned(), false);
        Some(Effect::Copy(text))
    }
}
