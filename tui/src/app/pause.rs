//! Pausing: the view works on a copy of the tree while the engine goes on, so that memory stays bounded and nothing is
//! missed.

use ptree_core::{Folds, Tree};

use super::App;

/// What is shown during a pause.
#[derive(Debug)]
pub(super) struct Frozen {
    /// The tree when the pause began.
    pub(super) tree: Tree,
    /// Folds apart from the live ones: processes leave those while they are still in this tree.
    pub(super) folds: Folds,
    /// When it began, boot time.
    pub(super) now_ns: u64,
    /// Events seen by then.
    pub(super) events: u64,
}

impl App {
    pub(super) fn toggle_pause(&mut self) {
        self.stale = true;
        let Some(frozen) = self.frozen.take() else {
            self.frozen = Some(Box::new(Frozen {
                tree: self.engine.tree().clone(),
                folds: self.folds.clone(),
                now_ns: self.now_ns,
                events: self.events(),
            }));
            return;
        };
        // The selected process may have gone meanwhile; its nearest remaining ancestor takes its place.
        let tree = self.engine.tree();
        if let Some(key) = self.list.selected().filter(|key| tree.get(*key).is_none())
            && let Some(ancestor) = frozen.tree.ancestors(key, self.lineage).find(|p| tree.get(p.key).is_some())
        {
            self.list.follow(ancestor.key);
        }
    }
}
