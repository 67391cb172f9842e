//! What a click means, by what was drawn where it fell.

use super::App;
use crate::action::{Action, Effect, Hit};

impl App {
    /// A click on a row selects it, a second one opens it; on the lines that lead to it, it folds; on a heading, it sorts;
    /// on the line of an alert, it goes to whom the alert names. In a list to choose from, it selects or chooses; on a hint, it
    /// does what that says.
    pub(super) fn click(&mut self, hit: Option<Hit>, double: bool) -> Option<Effect> {
        let before = self.list.selected();
        // By the rows as they were drawn: what has happened since has not been seen.
        match hit {
            None => {}
            Some(Hit::Hint(command)) => return self.update(Action::Command(command)),
            Some(Hit::Alert) => {
                self.refresh();
                self.go_to_culprit();
            }
            Some(Hit::Choice(index, mark)) => self.click_chooser(index, mark, double),
            Some(Hit::Heading(by)) if self.look().sort.by == by => {
                let sort = &mut self.list.rearrange().look_mut().sort;
                sort.reversed = !sort.reversed;
                self.let_go();
            }
            Some(Hit::Heading(by)) => self.sort_by(by),
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
        self.moved_from(before);
        None
    }
}
