//! What there is to draw: everything that the view may ask of the app.

use ptree_core::engine::Config;
use ptree_core::engine::churn::Churn;
use ptree_core::facts::Context;
use ptree_core::filter::{Completion, complete_with};
use ptree_core::{Alert, FilterError, Look, ProcKey, Spawn, Stats, Tree, Users};
use ptree_source::Header;
use ratatui::layout::Rect;

use super::{App, Capture, Details, List, Message, View};
use crate::action::{Command, Limits, Mode};
use crate::clock::Played;
use crate::export::Moment;
use crate::keymap::Bindings;
use crate::own::Own;
use crate::screen::areas::Shape;
use crate::session::Session;
use crate::wall::Wall;

impl App {
    /// Something has changed since the last frame.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Where the events come from.
    #[must_use]
    pub fn header(&self) -> &Header {
        self.session.header()
    }

    /// Boot time to wall time.
    #[must_use]
    pub fn wall(&self) -> &Wall {
        self.session.wall()
    }

    /// The present, boot time; does not stop in a pause.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.session.now_ns()
    }

    /// How far the capture is.
    #[must_use]
    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    /// Counts and rates, as of now: what was lost is told also in a pause.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        self.session.engine().stats()
    }

    /// Counts and rates of the moment that is shown: in a pause, as they were when the pause began.
    #[must_use]
    pub fn shown_stats(&self) -> &Stats {
        self.shown().engine().stats()
    }

    /// Who launches most.
    #[must_use]
    pub fn churn(&self) -> &Churn {
        self.shown().engine().churn()
    }

    /// Alerts, newest last.
    #[must_use]
    pub fn alerts(&self) -> &[Alert] {
        self.shown().engine().alerts()
    }

    /// The alert that lasts; of several, the latest.
    #[must_use]
    pub fn active_alert(&self) -> Option<&Alert> {
        self.alerts().iter().rev().find(|alert| alert.cleared_ns.is_none())
    }

    /// The rate that raises an alert, per second.
    #[must_use]
    pub fn alert_limit(&self, of: Spawn) -> f64 {
        of.limit(&self.session.engine().config().alert)
    }

    /// Children that a process forks per second.
    #[must_use]
    pub fn spawns_per_s(&self, forker: ProcKey) -> f64 {
        self.shown().engine().spawns_per_s(forker)
    }

    /// Names of users.
    #[must_use]
    pub fn users(&self) -> &Users {
        self.session.engine().users()
    }

    /// What this program itself costs.
    #[must_use]
    pub fn own(&self) -> Own {
        self.own
    }

    /// What the engine keeps at most.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.session.engine().config()
    }

    /// Dead processes kept, and how many of them only for the living that descend from them, as of now.
    #[must_use]
    pub fn kept(&self) -> (u64, usize) {
        (self.session.engine().stats().dead, self.session.engine().tree().pinned())
    }

    /// Whether the figures on this program itself are shown.
    #[must_use]
    pub fn figures(&self) -> bool {
        self.figures
    }

    /// Digits of the longest pid so far.
    #[must_use]
    pub fn pid_digits(&self) -> usize {
        self.pid_digits
    }

    /// The tree that is shown: in a pause, as it was when the pause began.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        self.shown().engine().tree()
    }

    /// The tree as it is now, also in a pause.
    #[must_use]
    pub fn engine_tree(&self) -> &Tree {
        self.session.engine().tree()
    }

    /// The moment that is shown, boot time: in a pause, its beginning.
    #[must_use]
    pub fn shown_ns(&self) -> u64 {
        self.shown().now_ns()
    }

    /// What there is to tell of the recording that is shown.
    #[must_use]
    pub fn played(&self) -> Played {
        self.played
    }

    /// How long ago the pause began, nanoseconds, and events since; `None` when there is none.
    #[must_use]
    pub fn paused(&self) -> Option<(u64, u64)> {
        let frozen = self.frozen.as_deref()?;
        let since_ns = self.now_ns().saturating_sub(frozen.now_ns());
        Some((since_ns, self.events().saturating_sub(events(frozen))))
    }

    /// When the capture ended, boot time, if it has.
    #[must_use]
    pub fn ended_ns(&self) -> Option<u64> {
        self.ended_ns
    }

    /// Events seen: forks, execs and exits.
    #[must_use]
    pub fn events(&self) -> u64 {
        events(&self.session)
    }

    /// What decides the visible rows.
    #[must_use]
    pub fn look(&self) -> &Look {
        self.list.rows().look()
    }

    /// The filter line as it is typed: where it is no filter, another one holds.
    #[must_use]
    pub fn filter_line(&self) -> &str {
        &self.filter_line
    }

    /// What is wrong with the filter line.
    #[must_use]
    pub fn filter_error(&self) -> Option<&FilterError> {
        self.filter_error.as_ref()
    }

    /// What facts of a process are read from.
    pub(crate) fn context<'a>(&'a self, user: &'a dyn Fn(u32) -> &'a str) -> Context<'a> {
        let (rows, now_ns) = (self.list().rows(), self.shown_ns());
        Context { tree: self.tree(), lineage: self.look().lineage, now_ns, user, sums: rows.sums() }
    }

    /// What the filter line could become.
    #[must_use]
    pub fn completion(&self) -> Completion {
        let user = |uid| self.users().get(uid);
        let known = self.context(&user);
        complete_with(&self.filter_line, self.filter_line.len(), &self.names, Some(&known))
    }

    /// Calls `write` with the shown tree, unfolded and with every process for itself.
    pub fn export<T>(&self, write: impl FnOnce(&Moment<'_>) -> T) -> T {
        self.shown().moment(Look { flat: false, join_from: 0, ..self.look().clone() }, None, write)
    }

    /// Rows, selection and window.
    #[must_use]
    pub fn list(&self) -> &List {
        &self.list
    }

    /// Columns by which commands are scrolled to the left.
    #[must_use]
    pub fn sideways(&self) -> usize {
        self.sideways
    }

    /// All of the screen.
    #[must_use]
    pub fn screen(&self) -> Rect {
        Rect::new(0, 0, self.size.0, self.size.1)
    }

    /// What decides the layout.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let typing = self.mode == Mode::Filter;
        Shape { alert: self.active_alert().is_some(), panels: self.panels, figures: self.figures, typing }
    }

    /// What has the keyboard.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What limits what the user may ask for.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.keymap.limits()
    }

    /// The subtrees that are shown alone, each within the one before; the last one is in sight.
    #[must_use]
    pub fn focus(&self) -> &[ProcKey] {
        &self.focus
    }

    /// The process that is kept in sight.
    #[must_use]
    pub fn followed(&self) -> Option<ProcKey> {
        self.followed
    }

    /// The first key of an unfinished sequence.
    #[must_use]
    pub fn pending_key(&self) -> Option<&str> {
        self.keymap.pending()
    }

    /// What may follow it: each command and its next keys.
    #[must_use]
    pub fn following_keys(&self) -> Vec<(Command, Vec<&str>)> {
        self.keymap.following(self.mode)
    }

    /// The open page on a process.
    #[must_use]
    pub fn details(&self) -> Option<&Details> {
        self.details.as_ref()
    }

    /// Lines by which the help is scrolled.
    #[must_use]
    pub fn help_scroll(&self) -> usize {
        self.help.scroll
    }

    /// What is looked for in the help.
    #[must_use]
    pub fn help_search(&self) -> &str {
        &self.help.search
    }

    /// The key of a command in a mode, to be shown.
    #[must_use]
    pub fn key(&self, mode: Mode, command: Command) -> Option<&str> {
        self.bindings().first(mode, command)
    }

    /// Whether a command does something in the view that is shown, so that it is worth a hint.
    #[must_use]
    pub fn is_of_use(&self, command: Command) -> bool {
        match command {
            Command::Group => self.view() == View::Churn,
            Command::ToggleFold => self.view() != View::Flat,
            Command::ZoomIn | Command::ZoomOut | Command::FollowNow => self.view() == View::Timeline,
            _ => true,
        }
    }

    /// Which keys do what.
    #[must_use]
    pub fn bindings(&self) -> &Bindings {
        self.keymap.bindings()
    }

    /// The message at the bottom.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        self.message.as_ref()
    }
}

/// Forks, execs and exits.
fn events(session: &Session) -> u64 {
    let stats = session.engine().stats();
    stats.forks + stats.execs + stats.exits
}
