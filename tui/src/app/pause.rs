//! Pausing: the view works on a copy of the tree while the engine goes on, so that memory stays bounded and nothing is
//! missed.

use ptree_core::{RowId, Stats, Tree};

use super::App;

/// What is shown during a pause.
#[derive(Debug)]
pub(super) struct Frozen {
    /// The tree when the pause began.
    pub(super) tree: Tree,
    /// Counts and rates then.
    pub(super) stats: Stats,
    /// When it began, boot time.
    pub(super) now_ns: u64,
    /// Events seen by then.
    pub(super) events: u64,
}

impl App {
    pub(super) fn toggle_pause(&mut self) {
        self.list.rows_mut().invalidate();
        let Some(frozen) = self.frozen.take() else {
            self.frozen = Some(Box::new(Frozen {
                tree: self.engine.tree().clone(),
                stats: self.engine.stats().clone(),
                now_ns: self.now_ns,
                events: self.events(),
            }));
            return;
        };
        // The selected process may have gone meanwhile; its nearest remaining ancestor takes its place.
        let tree = self.engine.tree();
        self.list.rows_mut().forget_folds(tree);
        let (lineage, flat) = (self.look().lineage, self.look().flat);
        if let Some(key) = self.list.selected().map(RowId::nearest).filter(|key| !flat && tree.get(*key).is_none())
            && let Some(ancestor) = frozen.tree.ancestors(key, lineage).find(|p| tree.get(p.key).is_some())
        {
            self.list.follow(RowId::Process(ancestor.key));
        }
        for process in tree.iter() {
            self.pid_digits = self.pid_digits.max(super::digits(process.key));
        }
    }
}
