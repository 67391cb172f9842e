//! Pausing: the view works on a copy of all that was known when the pause began, while the session goes on, so that memory
//! stays bounded and nothing is missed.

use ptree_core::RowId;

use super::App;
use crate::session::Session;

impl App {
    /// What is shown: in a pause, what was known when it began.
    pub(super) fn shown(&self) -> &Session {
        self.frozen.as_deref().unwrap_or(&self.session)
    }

    pub(super) fn toggle_pause(&mut self) {
        self.list.rows_mut().invalidate();
        let Some(frozen) = self.frozen.take() else {
            self.frozen = Some(Box::new(self.session.clone()));
            return;
        };
        // The selected process may have gone meanwhile; its nearest remaining ancestor takes its place.
        let tree = self.session.engine().tree();
        self.list.rows_mut().forget_folds(tree);
        let (lineage, flat) = (self.look().lineage, self.look().flat);
        if let Some(key) = self.list.selected().map(RowId::nearest).filter(|key| !flat && tree.get(*key).is_none())
            && let Some(ancestor) =
                frozen.engine().tree().ancestors(key, lineage).find(|process| tree.get(process.key).is_some())
        {
            self.list.follow(RowId::Process(ancestor.key));
        }
        for process in tree.iter() {
            self.pid_digits = self.pid_digits.max(super::digits(process.key));
        }
    }
}
