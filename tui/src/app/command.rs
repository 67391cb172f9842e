//! What each [`Command`] does to the app.

use ptree_core::{Filter, Lineage, ProcKey};
use ratatui::layout::Rect;

use super::{App, Details};
use crate::action::{Command, Effect, Mode};
use crate::view::layout::Areas;

/// Columns by which commands are scrolled sideways.
const SIDEWAYS: usize = 8;
/// Characters of a filter at most.
const FILTER_MAX: usize = 256;

impl App {
    pub(super) fn command(&mut self, command: Command) -> Option<Effect> {
        // All but those that edit the filter go by the rows.
        if self.stale && !matches!(command, Command::EraseChar | Command::EraseWord | Command::EraseAll) {
            self.rebuild();
        }
        let half = (self.list.height() / 2).max(1).cast_signed();
        let page = self.list.height().saturating_sub(1).max(1).cast_signed();
        match command {
            Command::Quit => return Some(Effect::Quit),
            Command::Suspend => return Some(Effect::Suspend),
            Command::Redraw => return Some(Effect::Redraw),
            Command::Export => return Some(Effect::ExportDot),

            Command::Up => self.scroll(-1, false),
            Command::Down => self.scroll(1, false),
            Command::HalfUp => self.scroll(-half, true),
            Command::HalfDown => self.scroll(half, true),
            Command::PageUp => self.scroll(-page, true),
            Command::PageDown => self.scroll(page, true),
            Command::First => self.scroll(isize::MIN, false),
            Command::Last => self.scroll(isize::MAX, false),
            Command::Left => self.left(),
            Command::Right => self.right(),
            Command::NextMatch => self.seek(true),
            Command::PreviousMatch => self.seek(false),
            Command::Culprit => self.go_to_culprit(),

            Command::Details => self.open_details(),
            Command::Help => self.mode = Mode::Help,
            Command::Back => self.close_page(),
            Command::Filter => self.mode = Mode::Filter,
            Command::AcceptFilter => self.mode = Mode::Tree,
            Command::ClearFilter | Command::CancelFilter => {
                self.mode = Mode::Tree;
                self.set_filter("");
            }
            Command::EraseAll => self.set_filter(""),
            Command::EraseChar => {
                let mut text = self.filter.text().to_owned();
                text.pop();
                self.set_filter(&text);
            }
            Command::EraseWord => {
                let text = self.filter.text().trim_end();
                let kept = text.rfind(' ').map_or("", |at| &text[..=at]).to_owned();
                self.set_filter(&kept);
            }

            Command::ToggleFold => {
                if let Some(row) = self.list.row().filter(|row| row.has_children) {
                    self.fold(row.key, !row.folded);
                }
            }
            Command::FoldAll => self.fold_all(true),
            Command::UnfoldAll => self.fold_all(false),
            Command::ScrollLeft => self.sideways = self.sideways.saturating_sub(SIDEWAYS),
            Command::ScrollRight => self.sideways = (self.sideways + SIDEWAYS).min(1 << 16),
            Command::Lineage => {
                self.lineage = match self.lineage {
                    Lineage::Forked => Lineage::Kernel,
                    Lineage::Kernel => Lineage::Forked,
                };
                self.stale = true;
            }
            Command::Dead => {
                self.show_dead = !self.show_dead;
                self.stale = true;
            }
            Command::Kernel => {
                self.show_kernel = !self.show_kernel;
                self.stale = true;
            }
            Command::Panels => {
                let screen = Rect::new(0, 0, self.size.0, self.size.1);
                self.panels = Some(Areas::of(screen, self.shape()).panels.is_empty());
            }
            Command::Pause => self.toggle_pause(),
        }
        None
    }

    fn scroll(&mut self, lines: isize, window: bool) {
        match (self.mode, &mut self.details) {
            (Mode::Help, _) => self.help_scroll = self.help_scroll.saturating_add_signed(lines),
            (Mode::Details, Some(details)) => details.scroll_by(lines),
            _ if window => self.list.page(lines),
            _ => self.list.step(lines),
        }
    }

    fn left(&mut self) {
        let Some(row) = self.list.row() else { return };
        if row.has_children && !row.folded {
            return self.fold(row.key, true);
        }
        if let Some(parent) = self.list.rows().parent(self.list.index()) {
            self.list.jump(parent);
        }
    }

    fn right(&mut self) {
        let Some(row) = self.list.row() else { return };
        if row.folded && row.has_children {
            self.fold(row.key, false);
        } else if row.has_children {
            self.list.step(1);
        }
    }

    fn fold(&mut self, key: ProcKey, folded: bool) {
        // In a pause it may have gone already, and nobody would tell the live folds to forget it.
        if self.engine.tree().get(key).is_some() {
            self.folds.set(key, folded);
        }
        if let Some(frozen) = &mut self.frozen {
            frozen.folds.set(key, folded);
        }
        self.stale = true;
    }

    fn fold_all(&mut self, folded: bool) {
        self.folds.set_all(folded);
        if let Some(frozen) = &mut self.frozen {
            frozen.folds.set_all(folded);
        }
        self.stale = true;
    }

    /// Shows what contains the text, of which so much counts as anybody would type, and goes to the first of it unless
    /// a match is selected already. The rows are built when they are next needed: keys may come faster.
    pub(super) fn set_filter(&mut self, text: &str) {
        let end = text.char_indices().nth(FILTER_MAX).map_or(text.len(), |(at, _)| at);
        self.filter = Filter::new(&text[..end]).of_user(self.filter.uid());
        self.find_first = end > 0;
        self.stale = true;
        self.dirty = true;
    }

    /// Goes to the next or previous match, around the ends.
    fn seek(&mut self, forward: bool) {
        if self.filter.text().is_empty() {
            return self.say("No filter: / sets one".to_owned(), false);
        }
        let rows = self.list.rows().as_slice();
        let (before, after) = rows.split_at(self.list.index().min(rows.len()));
        let found = if forward {
            let next = after.iter().skip(1).position(|row| row.matched).map(|at| before.len() + 1 + at);
            next.or_else(|| rows.iter().position(|row| row.matched))
        } else {
            before.iter().rposition(|row| row.matched).or_else(|| rows.iter().rposition(|row| row.matched))
        };
        if let Some(index) = found {
            self.list.jump(index);
        }
    }

    fn go_to_culprit(&mut self) {
        let Some(alert) = self.engine.alerts().last() else {
            return self.say("No alert so far".to_owned(), false);
        };
        let Some(key) = alert.culprit else {
            return self.say("The latest alert names no process: no subtree stands out".to_owned(), false);
        };
        if self.tree().get(key).is_none() {
            return self.say(format!("Process {} is not in the tree", key.pid), true);
        }
        let above: Vec<ProcKey> = self.tree().ancestors(key, self.lineage).map(|process| process.key).collect();
        for ancestor in above {
            self.fold(ancestor, false);
        }
        self.rebuild();
        match self.list.rows().position(key) {
            Some(index) => self.list.jump(index),
            None => self.say(format!("Process {} is hidden by what is filtered or shown", key.pid), true),
        }
    }

    fn open_details(&mut self) {
        if let Some(row) = self.list.row() {
            self.details = Some(Details::of(row.key));
            self.mode = Mode::Details;
        }
    }

    /// From help back to the details below it, if any; from details back to the tree.
    fn close_page(&mut self) {
        if self.mode == Mode::Details {
            self.details = None;
        }
        self.mode = if self.details.is_some() { Mode::Details } else { Mode::Tree };
        self.help_scroll = 0;
    }
}
