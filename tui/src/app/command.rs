//! What each [`Command`] does to the app.

use ptree_core::{Fact, Lineage, RowId, Sort};

use super::{App, Choice, Details, Help, Page, View};
use crate::action::{Command, Effect, Mode};
use crate::inspect::Subject;
use crate::label;
use crate::screen::areas::Areas;

/// Columns by which commands are scrolled sideways.
const SIDEWAYS: usize = 8;

impl App {
    pub(super) fn command(&mut self, command: Command) -> Option<Effect> {
        let meant = self.list.selected();
        // All but those that edit the filter go by the rows.
        if !matches!(command, Command::EraseChar | Command::EraseWord | Command::EraseAll | Command::Complete)
            && !matches!(self.mode, Mode::HelpSearch | Mode::DetailsSearch)
        {
            self.refresh();
        }
        let before = self.list.selected();
        // What is done without a question is done to whom the user saw selected, or to nobody.
        if matches!(command, Command::NiceLess | Command::NiceMore) && before != meant && !self.has_tags() {
            self.say("The selected process has just gone: nothing was done".to_owned(), false);
            return None;
        }
        let effect = self.obey(command);
        self.moved_from(before);
        effect
    }

    /// Who selects something else by hand no longer follows.
    pub(super) fn moved_from(&mut self, before: Option<RowId>) {
        if self.list.selected() != before {
            self.end_following();
        }
    }

    fn obey(&mut self, command: Command) -> Option<Effect> {
        let height = match self.mode {
            Mode::Columns | Mode::Sorts => self.chooser().height(),
            _ => self.page().map_or(self.list.height(), Page::height),
        };
        let half = (height / 2).max(1).cast_signed();
        let page = height.saturating_sub(1).max(1).cast_signed();
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
            Command::Parent => self.go_to_parent(),
            Command::Follow => self.toggle_following(),
            Command::Focus => self.focus_selected(),
            Command::Unfocus => self.unfocus(),
            Command::NextMatch | Command::PreviousMatch if self.mode == Mode::Details => {
                self.seek_here(command == Command::NextMatch);
            }
            Command::NextMatch => self.seek(true),
            Command::PreviousMatch => self.seek(false),
            Command::Culprit => self.go_to_culprit(),
            Command::Killer => self.go_to_killer(),

            Command::ViewTree => self.show(View::Tree),
            Command::ViewFlat => self.show(View::Flat),
            Command::ToggleFlat if self.view() == View::Tree => self.show(View::Flat),
            Command::ToggleFlat => self.show(View::Tree),
            Command::ViewChurn => self.show(View::Churn),
            Command::ViewTimeline => self.show(View::Timeline),
            Command::ViewUsers => self.show(View::Users),
            Command::ViewAlerts => self.show(View::Alerts),
            Command::Go => self.go(),
            Command::Group => self.toggle_group(),
            Command::ZoomIn => self.zoom(1),
            Command::ZoomOut => self.zoom(-1),
            Command::FollowNow => self.follow_now(),

            Command::Details => self.open(),
            Command::Environment => return self.inspect(Subject::Environment),
            Command::Files => return self.inspect(Subject::Files),
            Command::FindHere => self.begin_search(),
            Command::Help => {
                self.below_help = self.mode;
                self.mode = Mode::Help;
            }
            Command::Back => self.close_page(),
            Command::FindHelp => self.mode = Mode::HelpSearch,
            Command::Filter => self.mode = Mode::Filter,
            Command::AcceptFilter => self.accept_line(),
            Command::Complete => self.complete_filter(),
            Command::ClearFilter if self.filter_line.is_empty() && !self.focus.is_empty() => self.unfocus(),
            Command::ClearFilter | Command::CancelFilter => self.drop_line(),
            Command::EraseAll => self.set_line(String::new()),
            Command::EraseChar => {
                let mut text = self.line().to_owned();
                text.pop();
                self.set_line(text);
            }
            Command::EraseWord => {
                let text = self.line().trim_end();
                let kept = text.rfind(' ').map_or("", |at| &text[..=at]).to_owned();
                self.set_line(kept);
            }
            Command::Older => self.recall(true),
            Command::Newer => self.recall(false),

            Command::Act => self.open_acts(None),
            Command::Freeze => self.open_acts(Some(Choice::Freeze)),
            Command::Tag => self.tag(),
            Command::TagSubtree => self.tag_subtree(),
            Command::UntagAll => self.untag_all(),
            Command::NiceLess => return self.renice(-1),
            Command::NiceMore => return self.renice(1),
            Command::Choose => self.choose(),
            Command::Subtree => {
                if let Some(page) = self.act_page_mut() {
                    page.toggle_subtree();
                }
            }
            Command::Protected => {
                if let Some(page) = self.act_page_mut() {
                    page.toggle_protected();
                }
            }
            Command::Confirm => return self.confirm_act(),
            Command::CopyCommand => return self.copy_command(),
            Command::CopyPid => return self.copy_pid(),
            Command::CopyLineage => return self.copy_lineage(),

            Command::ToggleFold => {
                if let Some(row) = self.list.row().filter(|row| row.has_children) {
                    self.fold(row.id, !row.folded);
                }
            }
            Command::FoldAll => self.fold_all(true),
            Command::UnfoldAll => self.fold_all(false),
            Command::FoldLevel => self.fold_level(true),
            Command::UnfoldLevel => self.fold_level(false),
            Command::ScrollLeft | Command::ScrollRight if self.view() == View::Timeline => {
                let now_ns = self.shown_ns();
                self.views.timeline.pan(command == Command::ScrollLeft, now_ns);
            }
            Command::ScrollLeft => self.sideways = self.sideways.saturating_sub(SIDEWAYS),
            Command::ScrollRight => self.sideways = (self.sideways + SIDEWAYS).min(1 << 16),
            Command::Lineage => {
                let look = self.list.rearrange().look_mut();
                look.lineage = match look.lineage {
                    Lineage::Forked => Lineage::Kernel,
                    Lineage::Kernel => Lineage::Forked,
                };
            }
            Command::Dead => {
                let look = self.list.rearrange().look_mut();
                look.dead = !look.dead;
            }
            Command::Kernel => {
                let look = self.list.rearrange().look_mut();
                look.kernel = !look.kernel;
            }
            Command::Join => {
                let look = self.list.rearrange().look_mut();
                look.join_from = if look.join_from == 0 { self.join_from } else { 0 };
            }
            Command::SortNext if self.mode == Mode::Page => self.with_page(Page::sort_next),
            Command::SortReverse if self.mode == Mode::Page => self.with_page(Page::reverse),
            Command::SortNext => self.sort_by(self.next_key()),
            Command::SortList => self.open_sorts(),
            Command::ChooseSort => self.choose_sort(),
            Command::Columns => self.open_columns(),
            Command::ToggleColumn => self.toggle_column(),
            Command::ColumnLeft => self.shift_column(false),
            Command::ColumnRight => self.shift_column(true),
            Command::Wider => self.widen_column(1),
            Command::Narrower => self.widen_column(-1),
            Command::ColumnsAnew => self.columns_anew(),
            Command::CopyColumns => return self.copy_columns(),
            Command::SortCpu => self.sort_by(Fact::Cpu),
            Command::SortMemory => self.sort_by(Fact::Rss),
            Command::SortTime => self.sort_by(Fact::Time),
            Command::SortBirth => self.sort_by(Fact::Start),
            Command::SortReverse => {
                let sort = &mut self.list.rearrange().look_mut().sort;
                sort.reversed = !sort.reversed;
                self.let_go();
            }
            Command::Panels => {
                let shown = !self.shape().has_panels(self.size.0);
                self.panels = Some(shown);
                self.say_if_out_of_sight(shown);
            }
            Command::Figures => {
                self.figures = !self.figures;
                self.say_if_out_of_sight(self.figures);
            }
            Command::Pause => self.toggle_pause(),
        }
        None
    }

    /// Says so when a panel has just been asked for and is not to be seen.
    fn say_if_out_of_sight(&mut self, wanted: bool) {
        let areas = Areas::of(self.screen(), self.shape());
        if !wanted || self.screen().is_empty() {
            return;
        }
        if areas.panels.is_empty() {
            self.say("Panels take a screen of 8 lines at least".to_owned(), false);
        } else if self.mode == Mode::Page && areas.page() != areas.body {
            self.say("Panels stand below the tree: 1 shows it".to_owned(), false);
        }
    }

    pub(super) fn scroll(&mut self, lines: isize, window: bool) {
        let mode = self.mode;
        match mode {
            Mode::Help | Mode::HelpSearch => self.help.scroll = self.help.scroll.saturating_add_signed(lines),
            Mode::Filter if !window && self.is_recalling() => self.recall(lines < 0),
            Mode::Details | Mode::DetailsSearch => {
                if let Some(details) = &mut self.details {
                    details.scroll_by(lines);
                }
            }
            Mode::Acts | Mode::Confirm => {
                if let Some(page) = self.act_page_mut() {
                    page.move_by(lines, mode);
                }
            }
            Mode::Report => {
                if let Some(failures) = self.failures_mut() {
                    failures.scroll = failures.scroll.saturating_add_signed(lines);
                }
            }
            Mode::Page => self.with_page(|page| page.step(lines, window)),
            Mode::Columns | Mode::Sorts => self.step_chooser(lines, window),
            _ if window => self.list.page(lines),
            _ => self.list.step(lines),
        }
    }

    fn left(&mut self) {
        let Some(row) = self.list.row() else { return };
        if row.has_children && !row.folded {
            return self.fold(row.id, true);
        }
        if let Some(parent) = self.list.rows().parent(self.list.index()) {
            self.list.jump(parent);
        }
    }

    fn right(&mut self) {
        let Some(row) = self.list.row() else { return };
        if row.folded && row.has_children {
            self.fold(row.id, false);
        } else if row.has_children {
            self.list.step(1);
        }
    }

    pub(super) fn fold(&mut self, id: RowId, folded: bool) {
        self.list.rows_mut().fold(id, folded);
        self.list.reselect();
    }

    fn fold_all(&mut self, folded: bool) {
        self.list.rearrange().fold_all(folded);
    }

    fn fold_level(&mut self, folded: bool) {
        self.list.rearrange().fold_level(folded);
        let selected = self.list.selected();
        let above = selected.and_then(|id| self.list.rows().visible_ancestor(self.tree(), id));
        if let Some(id) = above.filter(|_| above != selected) {
            self.list.follow(id);
        }
        self.list.reselect();
    }

    pub(super) fn sort_by(&mut self, by: Fact) {
        self.list.rearrange().look_mut().sort = Sort { by, reversed: false };
        self.let_go();
    }

    /// Goes to the next or previous match, around the ends. Where all are below folds, these are opened.
    fn seek(&mut self, forward: bool) {
        if self.look().filter.text().is_empty() {
            return self.say("No filter: / sets one".to_owned(), false);
        }
        let mut found = self.match_from_here(forward);
        if found.is_none() && self.list.rows().wanted() > 0 {
            self.fold_all(false);
            self.refresh();
            found = self.match_from_here(forward);
        }
        match found {
            Some(index) => self.list.jump(index),
            None => self.say("Nothing matches the filter".to_owned(), false),
        }
    }

    fn match_from_here(&self, forward: bool) -> Option<usize> {
        let (rows, here) = (self.list.rows(), self.list.index());
        if forward {
            rows.match_from(here + 1, true).or_else(|| rows.match_from(0, true))
        } else {
            rows.match_from(here, false).or_else(|| rows.match_from(rows.len(), false))
        }
    }

    pub(super) fn go_to_culprit(&mut self) {
        let Some(alert) = self.active_alert().or(self.session.engine().alerts().last()) else {
            return self.say("No alert so far".to_owned(), false);
        };
        let Some(key) = alert.culprit else {
            return self.say("The latest alert names no process: no subtree stands out".to_owned(), false);
        };
        self.go_to(key);
    }

    /// Selects who killed the process that is selected, or the one whose page is shown; then the page is on the killer.
    fn go_to_killer(&mut self) {
        let Some(process) = self.looked_at().and_then(|key| self.tree().get(key)) else { return };
        let name = label::name_and_pid(process);
        let killer = label::killer(process);
        let Some(sender) = process.killer().and_then(|killer| killer.sender) else {
            let why = match (process.is_alive(), &*killer) {
                (true, _) => "lives".to_owned(),
                (false, "") => "is not known to have been killed by anybody".to_owned(),
                (false, cause) => format!("was killed by no process ({cause})"),
            };
            return self.say(format!("{name} {why}"), false);
        };
        if self.tree().get(sender.key).is_none() {
            return self.say(format!("Who killed {name} has left the tree: {killer}"), false);
        }
        self.go_to(sender.key);
        if self.mode == Mode::Details {
            self.details = Some(Details::of(sender.key));
        }
    }

    /// Opens the page on a process; unfolds or folds a row that stands for many.
    pub(super) fn open(&mut self) {
        let Some(row) = self.list.row() else { return };
        match row.id {
            RowId::Process(key) => {
                self.details = Some(Details::of(key));
                self.mode = Mode::Details;
            }
            RowId::Joined { .. } => self.fold(row.id, !row.folded),
        }
    }

    /// From help back to where it was asked for; from what was asked for on a page back to that; from the question whether to do it back to what there is to do; from
    /// other pages back to the tree.
    fn close_page(&mut self) {
        match self.mode {
            Mode::Help => {
                self.mode = self.below_help;
                self.help = Help::default();
            }
            Mode::Details => {
                // From what was asked for on the page back to the page.
                if !self.details.as_mut().is_some_and(Details::close_sheet) {
                    self.details = None;
                    self.mode = Mode::Tree;
                }
            }
            Mode::Columns | Mode::Sorts => self.mode = Mode::Tree,
            Mode::Confirm => {
                if self.reconsider() {
                    self.mode = Mode::Acts;
                } else {
                    self.close_acts();
                }
            }
            _ => self.close_acts(),
        }
    }

    /// What the next column to the right sorts by, COMMAND being the last, and then the first again.
    fn next_key(&self) -> Fact {
        let keys = self.filled_columns().map(crate::column::Column::fact);
        let keys: Vec<Fact> = keys.chain([Fact::Name]).collect();
        let at = keys.iter().position(|key| *key == self.look().sort.by).map_or(0, |at| at + 1);
        keys[at % keys.len()]
    }
}
