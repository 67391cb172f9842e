//! The views: what fills the body of the screen, and how one gets from one to another.
//!
//! Tree, flat list and timeline are lists of the same rows, each arranged in its own way; the others are pages of
//! figures, from which one goes to a process in the tree.

mod alerts;
mod churn;
pub(crate) mod page;
mod timeline;
mod users;

use ptree_core::filter::quoted;
use ptree_core::{Fact, ProcKey, RowId, Sort, text};

use self::page::{Page, PageKey};
pub use self::timeline::Timeline;
use super::App;
use crate::action::Mode;

/// How long a page of figures stays as it is, nanoseconds.
const PAGE_NS: u64 = 1_000_000_000;

/// What fills the body of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Who started whom.
    #[default]
    Tree,
    /// All processes side by side, sorted as one.
    Flat,
    /// Who launches most, and at what cost.
    Churn,
    /// The tree, with each lifetime as a bar.
    Timeline,
    /// Figures by user.
    Users,
    /// All alerts of the session.
    Alerts,
}

impl View {
    /// What has the keyboard in it.
    const fn mode(self) -> Mode {
        match self {
            Self::Tree | Self::Flat | Self::Timeline => Mode::Tree,
            Self::Churn | Self::Users | Self::Alerts => Mode::Page,
        }
    }
}

/// In what each list of rows has its own way.
#[derive(Clone, Copy, Debug)]
struct Arrangement {
    flat: bool,
    sort: Sort,
    join_from: usize,
}

/// The views and what they remember.
#[derive(Debug)]
pub(super) struct Views {
    shown: View,
    /// The list that the rows are arranged for.
    arranged: View,
    /// What was selected when the flat list was entered.
    left: Option<RowId>,
    tree: Arrangement,
    flat: Arrangement,
    bars: Arrangement,
    pub(super) timeline: Timeline,
    churn: Page,
    users: Page,
    alerts: Page,
    /// Churn by name of the launcher, not by process.
    by_name: bool,
}

impl Default for Views {
    fn default() -> Self {
        let tree =
            Arrangement { flat: false, sort: Sort::default(), join_from: crate::config::Config::default().join_from };
        let cpu = Sort { by: Fact::Cpu, reversed: false };
        Self {
            shown: View::default(),
            arranged: View::default(),
            left: None,
            tree,
            flat: Arrangement { flat: true, sort: cpu, ..tree },
            // A row that stands for many has no lifetime.
            bars: Arrangement { join_from: 0, ..tree },
            timeline: Timeline::default(),
            churn: Page::new(churn::COLUMNS, churn::SORT),
            users: Page::new(users::COLUMNS, users::SORT),
            alerts: Page::new(alerts::COLUMNS, alerts::SORT),
            by_name: false,
        }
    }
}

impl Views {
    fn arrangement(&mut self, view: View) -> Option<&mut Arrangement> {
        match view {
            View::Tree => Some(&mut self.tree),
            View::Flat => Some(&mut self.flat),
            View::Timeline => Some(&mut self.bars),
            View::Churn | View::Users | View::Alerts => None,
        }
    }

    fn page_mut(&mut self) -> Option<&mut Page> {
        match self.shown {
            View::Churn => Some(&mut self.churn),
            View::Users => Some(&mut self.users),
            View::Alerts => Some(&mut self.alerts),
            View::Tree | View::Flat | View::Timeline => None,
        }
    }
}

/// What the drawing asks.
impl App {
    /// What fills the body of the screen, unless a page covers it.
    #[must_use]
    pub fn view(&self) -> View {
        self.views.shown
    }

    /// The page of figures, where the view is one.
    #[must_use]
    pub fn page(&self) -> Option<&Page> {
        match self.views.shown {
            View::Churn => Some(&self.views.churn),
            View::Users => Some(&self.views.users),
            View::Alerts => Some(&self.views.alerts),
            View::Tree | View::Flat | View::Timeline => None,
        }
    }

    /// Whether churn is shown by name of the launcher.
    #[must_use]
    pub fn churn_by_name(&self) -> bool {
        self.views.by_name
    }

    /// The part of time that the timeline shows.
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        &self.views.timeline
    }
}

impl App {
    /// Goes over to a view, also from the page on a process.
    pub(super) fn show(&mut self, view: View) {
        self.details = None;
        let views = &mut self.views;
        if let Some(arrangement) = views.arrangement(view).map(|arrangement| *arrangement)
            && view != views.arranged
        {
            let look = self.list.rearrange().look_mut();
            let left = Arrangement { flat: look.flat, sort: look.sort, join_from: look.join_from };
            (look.flat, look.sort, look.join_from) = (arrangement.flat, arrangement.sort, arrangement.join_from);
            let arranged = std::mem::replace(&mut views.arranged, view);
            if let Some(kept) = views.arrangement(arranged) {
                *kept = left;
            }
            // Who asks for the list sorted by something wants to see its top, and back in the tree whom they chose there.
            if view == View::Flat && self.followed.is_none() {
                views.left = self.list.begin_anew();
            } else if arranged == View::Flat
                && let Some(id) = views.left.take().filter(|_| !self.list.is_touched())
            {
                self.list.follow(id);
            }
        }
        views.shown = view;
        if let Some(page) = views.page_mut() {
            page.invalidate();
        }
        self.mode = view.mode();
        self.let_go();
    }

    /// Brings the page of figures up to date, of which so many lines fit. In a pause it stands still as well.
    pub(super) fn refresh_page(&mut self, height: usize) {
        let (now_ns, held) = (self.session.now_ns(), self.is_held());
        let Some(page) = self.page() else { return };
        let aged = self.frozen.is_none() && now_ns.saturating_sub(page.built_ns()) >= PAGE_NS;
        let entries = (page.is_stale() || aged).then(|| match self.views.shown {
            View::Churn => churn::entries(self),
            View::Users => users::entries(self),
            View::Alerts => alerts::entries(self),
            // They are no pages.
            View::Tree | View::Flat | View::Timeline => Vec::new(),
        });
        if let Some(page) = self.views.page_mut() {
            if let Some(entries) = entries {
                page.take(entries, held, now_ns);
            }
            page.resize(height);
        }
    }

    /// Sums churn up the other way.
    pub(super) fn toggle_group(&mut self) {
        if self.views.shown != View::Churn {
            return self.say("Churn alone can be summed up by name: 3 shows it".to_owned(), false);
        }
        self.views.by_name = !self.views.by_name;
        self.views.churn.begin_anew();
        self.let_go();
    }

    /// Changes the page of figures.
    pub(super) fn with_page(&mut self, change: impl FnOnce(&mut Page)) {
        if let Some(page) = self.views.page_mut() {
            change(page);
        }
    }

    /// Leaves the page of figures for what its selected line stands for.
    pub(super) fn go(&mut self) {
        let Some(key) = self.page().and_then(Page::selected) else { return };
        match key {
            PageKey::Launcher(key) => self.go_to(key),
            PageKey::Name(comm) if comm.as_bytes().is_empty() => {
                self.say("The names of these launchers are not known".to_owned(), false);
            }
            PageKey::Name(comm) => {
                self.show(View::Tree);
                self.set_filter(&format!("comm={}", quoted(&text::readable(comm.as_bytes()))));
            }
            PageKey::Rest => self.say("These are summed up: they cannot be told apart any more".to_owned(), false),
            PageKey::User(uid) => {
                self.show(View::Tree);
                self.set_filter(&format!("uid={uid}"));
            }
            PageKey::Alert(id) => {
                let alert = self.session.engine().alerts().iter().find(|alert| alert.id == id);
                match alert.and_then(|alert| alert.culprit) {
                    Some(key) => self.go_to(key),
                    None => self.say("This alert names no process: no subtree stood out".to_owned(), false),
                }
            }
        }
    }

    /// Selects a process, in the tree unless a list of processes is shown already.
    pub(super) fn go_to(&mut self, key: ProcKey) {
        if self.tree().get(key).is_none() {
            return self.say(format!("Process {} is not in the tree", key.pid), true);
        }
        if self.page().is_some() {
            self.show(View::Tree);
            self.refresh();
        }
        self.show_all_for(key);
        self.list.rows_mut().reveal(key);
        match self.list.rows().position(RowId::Process(key)) {
            Some(index) => self.list.jump(index),
            None => self.say(format!("Process {} is hidden by what is filtered or shown", key.pid), true),
        }
    }

    /// Zooms the timeline by so many steps, inwards if positive.
    pub(super) fn zoom(&mut self, steps: isize) {
        match self.views.shown {
            View::Timeline => self.views.timeline.zoom(steps),
            View::Tree | View::Flat | View::Churn | View::Users | View::Alerts => {
                self.say("The timeline alone can be zoomed: 4 shows it".to_owned(), false)
            }
        }
    }

    /// Has the timeline end at the present again.
    pub(super) fn follow_now(&mut self) {
        match self.views.shown {
            View::Timeline => self.views.timeline.follow(),
            View::Tree | View::Flat | View::Churn | View::Users | View::Alerts => {
                self.say("The timeline alone follows time: 4 shows it".to_owned(), false)
            }
        }
    }
}
