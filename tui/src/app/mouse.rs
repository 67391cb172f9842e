//! What a click means, by what was drawn where it fell.

use ratatui::layout::{Position, Rect};

use super::App;
use crate::action::{Command, Mode};
use crate::view::footer;
use crate::view::layout::Areas;
use crate::view::table::{Hit, hit};

impl App {
    /// What a click on a hint at the bottom asks for.
    pub(super) fn hinted(&self, column: u16, row: u16) -> Option<Command> {
        let screen = Rect::new(0, 0, self.size.0, self.size.1);
        footer::hit(self, &Areas::of(screen, self.shape()), column, row)
    }

    /// A click on a row selects it, a second one opens it; on the lines that lead to it, it folds; on a heading, it sorts;
    /// on the line of an alert, it goes to whom the alert names. In a list to choose from, it selects or chooses.
    pub(super) fn click(&mut self, column: u16, row: u16, double: bool) {
        let screen = Rect::new(0, 0, self.size.0, self.size.1);
        let areas = Areas::of(screen, self.shape());
        match self.mode {
            Mode::Tree | Mode::Filter => {}
            Mode::Columns | Mode::Sorts => return self.click_chooser(areas.page(), column, row, double),
            _ => return,
        }
        if areas.alert.contains(Position::new(column, row)) {
            self.refresh();
            return self.go_to_culprit();
        }
        // By the rows as they were drawn: what has happened since has not been seen.
        match hit(self, areas.body, column, row) {
            None => {}
            Some(Hit::Heading(by)) if self.look().sort.by == by => {
                let sort = &mut self.list.rearrange().look_mut().sort;
                sort.reversed = !sort.reversed;
                self.let_go();
            }
            Some(Hit::Heading(by)) => self.sort_by(by),
            Some(Hit::Unsorted(column)) => {
                let list = self.key(Mode::Tree, Command::SortList);
                let list = list.map_or_else(String::new, |key| format!(": {key} lists by what they can"));
                self.say(format!("Rows cannot be sorted by {}{list}", column.spec().heading), false);
            }
            // The second click on a mark is one more.
            Some(Hit::Mark(index)) => {
                self.list.select(index);
                if let Some(row) = self.list.row() {
                    self.fold(row.id, !row.folded);
                }
            }
            Some(Hit::Row(index)) => {
                self.list.select(index);
                if double {
                    self.open();
                }
            }
        }
    }
}
