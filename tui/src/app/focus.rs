//! Where in the tree one is: a subtree shown alone, a process kept in sight, the way up.

use ptree_core::{ProcKey, RowId};

use super::App;
use crate::action::Mode;
use crate::label;

impl App {
    /// Shows the selected subtree alone, or that of the process whose page is open.
    pub(super) fn focus_selected(&mut self) {
        let Some(key) = self.looked_at() else { return };
        if self.tree().get(key).is_none() {
            return self.say(format!("Process {} has left the tree", key.pid), false);
        }
        if self.details.take().is_some() {
            self.mode = Mode::Tree;
            self.list.follow(RowId::Process(key));
        }
        if self.focus.last() != Some(&key) {
            self.focus.push(key);
            self.list.rearrange().look_mut().root = Some(key);
        }
    }

    /// Back to what was shown before that.
    pub(super) fn unfocus(&mut self) {
        if self.focus.pop().is_none() {
            return self.say("All is shown already: f shows a subtree alone".to_owned(), false);
        }
        self.list.rearrange().look_mut().root = self.focus.last().copied();
    }

    /// Leaves subtrees that have left the tree.
    pub(super) fn refresh_focus(&mut self) {
        let mut gone = None;
        while let Some(&root) = self.focus.last()
            && self.tree().get(root).is_none()
        {
            gone = self.focus.pop();
        }
        if let Some(gone) = gone {
            self.list.rearrange().look_mut().root = self.focus.last().copied();
            self.say(format!("Process {} has left the tree: back to what was shown before", gone.pid), false);
        }
    }

    /// Shows all again if a process does not belong to what is shown alone.
    pub(super) fn show_all_for(&mut self, key: ProcKey) {
        let lineage = self.look().lineage;
        if let Some(&root) = self.focus.last()
            && key != root
            && !self.tree().ancestors(key, lineage).any(|above| above.key == root)
        {
            self.focus.clear();
            self.list.rearrange().look_mut().root = None;
            self.refresh();
        }
    }

    pub(super) fn go_to_parent(&mut self) {
        match self.list.rows().parent(self.list.index()) {
            Some(parent) => self.list.jump(parent),
            None if self.focus.is_empty() => self.say("Nothing is above it".to_owned(), false),
            None => self.say("This subtree is shown alone: Backspace goes back".to_owned(), false),
        }
    }

    /// Keeps the selected process in sight whatever happens to it, or no longer.
    pub(super) fn toggle_following(&mut self) {
        let Some(key) = self.selected_process() else { return };
        if self.followed.take() == Some(key) {
            return self.say("No longer followed".to_owned(), false);
        }
        self.followed = Some(key);
        // What has not been touched stays at the top.
        self.list.follow(RowId::Process(key));
        if let Some(process) = self.tree().get(key) {
            let name = label::name_and_pid(process);
            self.say(format!("{name} is followed until you move away"), false);
        }
    }

    /// Who moves away follows no longer.
    pub(super) fn end_following(&mut self) {
        if self.list.selected().and_then(RowId::process) != self.followed {
            self.followed = None;
        }
    }

    /// Selects the followed process again where it has been folded away or hidden for a while.
    pub(super) fn keep_followed_in_sight(&mut self) {
        let Some(key) = self.followed else { return };
        if self.tree().get(key).is_none() {
            self.followed = None;
            return self.say(format!("Process {}, which was followed, has left the tree", key.pid), false);
        }
        let id = RowId::Process(key);
        if self.list.rows().position(id).is_none() {
            self.list.rows_mut().reveal(key);
        }
        match self.list.rows().position(id) {
            Some(index) if self.list.index() != index || self.list.selected() != Some(id) => self.list.jump(index),
            _ => {}
        }
    }
}
