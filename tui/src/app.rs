//! The state of the screen, and how actions, events and time change it.
//!
//! Owns the [`Engine`]. Touches nothing outside: what must be done there is returned as an [`Effect`]. Does not know how
//! it is drawn; [`view::draw`](crate::view::draw) reads it and changes nothing (I13).

mod act;
mod choosers;
mod command;
mod copy;
mod cursor;
mod details;
mod filter;
mod focus;
mod help;
mod history;
mod list;
mod mouse;
mod pause;
mod read;
mod views;

use ptree_core::engine::Config;
use ptree_core::filter::Names;
use ptree_core::text;
use ptree_core::{Delta, Filter, FilterError, Lineage, Look, ProcKey, RowId};
use ptree_source::{Batch, Header};

use self::act::Acting;
pub use self::act::{Choice, Failures, Page as ActPage, choices};
use self::choosers::Choosers;
pub use self::cursor::Cursor;
pub(crate) use self::details::occurrences;
pub use self::details::{Details, Entry, Line, Lines, Sheet};
use self::help::Help;
use self::history::History;
pub use self::list::List;
use self::views::Views;
pub(crate) use self::views::page;
pub use self::views::page::{Page, PageColumn, PageKey, PageLine, PageSort, Value};
pub use self::views::{Timeline, View};
use crate::action::{Action, Command, Effect, Limits, Mode};
use crate::clock::Played;
use crate::column::Chosen;
use crate::keymap::{Bindings, Keymap, spelled_out};
use crate::own::Own;
use crate::screen::areas::{Areas, PAGE_HEAD};
use crate::session::Session;

/// How long a message stays, nanoseconds.
const MESSAGE_NS: u64 = 6_000_000_000;
/// How long a volatile sort stands still after the user has moved, nanoseconds.
const HOLD_NS: u64 = 3_000_000_000;

/// What only the drawing knows of a screen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measures {
    /// How far the help can be scrolled, where it is open.
    pub help_end: Option<usize>,
}

/// What the app starts with.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the engine keeps and watches for.
    pub engine: Config,
    /// A filter to begin with; its user, if any, stays whatever is typed.
    pub filter: Filter,
    /// The zone in which wall times are shown.
    pub zone: jiff::tz::TimeZone,
    /// What the user prefers.
    pub preferences: Preferences,
    /// Whether the processes that are shown are those of this machine, so that more can be asked of them.
    pub is_here: bool,
    /// Whether they are only looked at: see [`Limits`].
    pub read_only: bool,
    /// The pid of this program, which is not to be hit by mistake.
    pub own_pid: u32,
}

/// What a user prefers: in what the app begins, and what keys and names mean.
#[derive(Clone, Debug)]
pub struct Preferences {
    /// Whether the dead are shown.
    pub dead: bool,
    /// Whether kernel threads are shown.
    pub kernel: bool,
    /// From how many finished children of one process with one name on these are joined in one row; 0 for never.
    pub join_from: usize,
    /// Which keys do what.
    pub bindings: Bindings,
    /// What `@name` in a filter stands for.
    pub names: Names,
    /// Which columns are shown.
    pub columns: Chosen,
}

impl Default for Preferences {
    fn default() -> Self {
        let config = crate::config::Config::default();
        let crate::config::Config { dead, kernel, join_from, bindings, names, columns, .. } = config;
        Self { dead, kernel, join_from, bindings, names, columns }
    }
}

/// How far the capture is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capture {
    /// Nothing has come yet.
    Waiting,
    /// Events come.
    Running,
    /// It is over: nothing more comes. `Err` says why, when that was not to be expected.
    Ended(Result<(), String>),
}

/// A message at the bottom of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The text.
    pub text: String,
    /// Something did not work.
    pub bad: bool,
    until_ns: u64,
}

/// The state of the screen.
#[derive(Debug)]
pub struct App {
    session: Session,
    capture: Capture,
    ended_ns: Option<u64>,
    own: Own,
    played: Played,
    pid_digits: usize,
    /// What was known when the pause began, and is shown.
    frozen: Option<Box<Session>>,

    list: List,
    /// The subtrees that are shown alone, each within the one before.
    focus: Vec<ProcKey>,
    /// The process that is kept in sight.
    followed: Option<ProcKey>,
    acting: Acting,
    is_here: bool,
    own_pid: u32,
    /// Until when volatile sorts stand still.
    held_until_ns: u64,
    sideways: usize,
    panels: Option<bool>,
    figures: bool,
    views: Views,
    choosers: Choosers,

    mode: Mode,
    /// Where the help was asked for.
    below_help: Mode,
    /// The filter line as it is typed, and what is wrong with it: then the last filter that was one holds.
    filter_line: String,
    filter_error: Option<FilterError>,
    history: History,
    names: Names,
    /// Where joining begins when it is switched on.
    join_from: usize,
    keymap: Keymap,
    details: Option<Details>,
    help: Help,
    message: Option<Message>,
    size: (u16, u16),

    deltas: Vec<Delta>,
    /// The filter is new: its first match is to be selected.
    find_first: bool,
    dirty: bool,
}

impl App {
    /// An empty screen, waiting for events.
    #[must_use]
    pub fn new(options: Options, header: Header) -> Self {
        let filter_line = options.filter.text().to_owned();
        let Preferences { dead, kernel, join_from, bindings, names, columns } = options.preferences;
        let look = Look { filter: options.filter, dead, kernel, join_from, ..Look::default() };
        Self {
            session: Session::new(header, options.engine, options.zone),
            capture: Capture::Waiting,
            ended_ns: None,
            own: Own::default(),
            played: Played::default(),
            pid_digits: 5,
            frozen: None,
            list: List::new(look),
            focus: Vec::new(),
            followed: None,
            acting: Acting::default(),
            is_here: options.is_here,
            own_pid: options.own_pid,
            held_until_ns: 0,
            sideways: 0,
            panels: None,
            figures: false,
            views: Views::default(),
            choosers: Choosers::new(columns),
            mode: Mode::Tree,
            below_help: Mode::Tree,
            filter_line,
            filter_error: None,
            history: History::default(),
            names,
            join_from: if join_from == 0 { crate::config::Config::default().join_from } else { join_from },
            keymap: Keymap::new(bindings, Limits { elsewhere: !options.is_here, read_only: options.read_only }),
            details: None,
            help: Help::default(),
            message: None,
            size: (0, 0),
            deltas: Vec::new(),
            find_first: false,
            dirty: true,
        }
    }

    // What comes in.

    /// Takes a batch of events that arrived at `now_ns`.
    pub fn ingest(&mut self, batch: &Batch, now_ns: u64) {
        self.session.reach(now_ns);
        if self.capture == Capture::Waiting && !batch.events.is_empty() {
            self.capture = Capture::Running;
            self.dirty = true;
        }
        if !batch.users.is_empty() {
            if !self.look().filter.is_empty() {
                self.list.rows_mut().invalidate();
            }
            self.dirty = true;
        }
        let mut deltas = std::mem::take(&mut self.deltas);
        self.dirty |= self.session.take(batch, &mut deltas);
        self.absorb(deltas);
    }

    /// Lets time pass.
    pub fn tick(&mut self, now_ns: u64) -> Option<Effect> {
        let second = self.session.now_ns() / 1_000_000_000;
        self.session.reach(now_ns);
        self.dirty |= self.session.now_ns() / 1_000_000_000 != second;
        if self.message.as_ref().is_some_and(|message| message.until_ns <= self.session.now_ns()) {
            self.message = None;
            self.dirty = true;
        }
        let mut deltas = std::mem::take(&mut self.deltas);
        self.session.tick(now_ns, &mut deltas);
        self.absorb(deltas);
        self.go_on_acting()
    }

    /// The source has ended.
    pub fn capture_ended(&mut self, result: Result<(), String>) {
        // It may quote the recording of somebody else.
        let result = result.map_err(|error| text::harmless(&error).into_owned());
        if let Err(error) = &result {
            self.say(format!("The capture failed: {error}"), true);
            self.message = self.message.take().map(|message| Message { until_ns: u64::MAX, ..message });
        }
        self.capture = Capture::Ended(result);
        self.ended_ns = Some(self.session.now_ns());
        self.dirty = true;
    }

    /// What this program itself costs.
    pub fn set_own(&mut self, own: Own) {
        self.own = own;
    }

    /// What there is to tell of the recording that is shown.
    pub fn set_played(&mut self, played: Played) {
        self.dirty |= self.played != played;
        self.played = played;
    }

    /// A key was pressed, by [name](crate::keymap::name). The message, if any, has been read then.
    pub fn press(&mut self, key: &str) -> Option<Effect> {
        self.attend();
        let begun = self.keymap.pending().map(|begun| format!("{begun} ")).unwrap_or_default();
        match self.keymap.resolve(self.mode, key) {
            Some(action) => self.update(action),
            None => {
                self.say_unbound(&(begun + key));
                None
            }
        }
    }

    /// Tells that keys do nothing, and where those are that do: not where hints must stay in sight, nor when a sequence
    /// is given up.
    fn say_unbound(&mut self, keys: &str) {
        if let Some(why) = self.keymap.bar(self.mode, keys) {
            return self.say(why.to_owned(), false);
        }
        let told = matches!(self.mode, Mode::Tree | Mode::Page | Mode::Details);
        if let Some(help) = self.key(self.mode, Command::Help)
            && told
            && self.keymap.pending().is_none()
            && !keys.ends_with("Esc")
        {
            let keys = spelled_out(keys);
            // A mark alone would be read as one of the sentence.
            let is_mark = keys.chars().all(|c| c.is_ascii_punctuation());
            let keys = if is_mark { format!("'{keys}'") } else { keys };
            self.say(format!("{keys} does nothing here: {help} tells all keys"), false);
        }
    }

    /// The user is at it: volatile sorts stand still for a while.
    fn attend(&mut self) {
        self.message = None;
        self.dirty = true;
        self.held_until_ns = self.session.now_ns().saturating_add(HOLD_NS);
    }

    /// The user asks for another order, or for other lines: nothing stands still before the next key.
    fn let_go(&mut self) {
        self.held_until_ns = self.session.now_ns();
    }

    fn is_held(&self) -> bool {
        self.held_until_ns > self.session.now_ns()
    }

    /// Does what is asked.
    pub fn update(&mut self, action: Action) -> Option<Effect> {
        match action {
            Action::Command(command) => {
                self.dirty = true;
                if let Some(why) = self.keymap.limits().bar(command) {
                    self.say(why.to_owned(), false);
                    return None;
                }
                return self.command(command);
            }
            Action::Type(c) => self.type_text(c.encode_utf8(&mut [0; 4])),
            Action::Paste(text) if self.mode.is_typing() => {
                let line: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
                self.type_text(&line);
            }
            Action::Click { hit, double } => {
                self.attend();
                return self.click(hit, double);
            }
            Action::Wheel(lines) => {
                self.attend();
                self.refresh();
                let before = self.list.selected();
                self.scroll(lines, true);
                self.moved_from(before);
            }
            Action::Paste(_) => {}
            Action::Resize(width, height) => {
                self.dirty |= self.size != (width, height);
                self.size = (width, height);
            }
            Action::Exported(Ok(path)) => self.say(format!("Written: {}", text::path(&path)), false),
            Action::Exported(Err(error)) => self.say(error, true),
            Action::Acted(report) => return self.acted(report),
            Action::Inspected(answer) => self.inspected(answer),
            Action::SuspendRefused => self.say("No shell to go back to: started without job control".to_owned(), true),
        }
        None
    }

    fn absorb(&mut self, mut deltas: Vec<Delta>) {
        self.dirty |= !deltas.is_empty();
        for delta in deltas.drain(..) {
            if let Delta::Ended(key) | Delta::Removed { key, .. } = delta {
                self.forget_tag(key);
            }
            if self.frozen.is_some() {
                continue;
            }
            match delta {
                Delta::Added(key) => self.pid_digits = self.pid_digits.max(digits(key)),
                Delta::Removed { key, forker, kernel_parent } => {
                    let parent = match self.look().lineage {
                        Lineage::Forked => forker,
                        Lineage::Kernel => kernel_parent,
                    };
                    // In a flat list, what stands in its place is selected.
                    let follows = !self.look().flat;
                    if follows && self.list.selected().is_some_and(|selected| selected.nearest() == key) {
                        // From among joined ones, the row that stands for them is the nearest.
                        let above = self.list.rows().parent(self.list.index()).and_then(|at| self.list.rows().get(at));
                        let joined = above.filter(|row| row.summary.is_some()).map(|row| row.id);
                        self.list.follow(joined.unwrap_or(RowId::Process(parent)));
                    }
                }
                _ => {}
            }
            self.list.rows_mut().note(&delta);
        }
        self.deltas = deltas;
    }

    /// Brings what is derived from the tree up to date, on a screen of which the drawing says so much. Called before a frame is
    /// drawn, so that a hundred changes between two frames cost one pass.
    pub fn prepare(&mut self, measures: Measures) {
        let areas = Areas::of(self.screen(), self.shape());
        self.list.resize(self.rows_in_sight(&areas));
        let sums = self.columns().shown().iter().any(|column| column.is_sum());
        self.list.rows_mut().want_totals(sums || self.details.is_some());
        self.refresh();
        self.resize_choosers(&areas);
        self.refresh_act_page(usize::from(areas.page().height));
        self.refresh_page(usize::from(areas.page().height.saturating_sub(PAGE_HEAD)));
        if let Some(mut details) = self.details.take() {
            details.refresh(self, areas.page().width);
            details.resize(areas.page());
            self.details = Some(details);
        }
        if let Some(end) = measures.help_end {
            self.help.scroll = self.help.scroll.min(end);
        }
    }

    /// Brings the rows up to date.
    fn refresh(&mut self) {
        let (now_ns, held) = (self.shown_ns(), self.is_held());
        self.list.rows_mut().set_now(now_ns);
        self.list.rows_mut().hold(held);
        self.refresh_focus();
        let shown = self.frozen.as_deref().unwrap_or(&self.session);
        self.list.refresh(shown.engine().tree(), |uid| shown.engine().users().get(uid));
        if std::mem::take(&mut self.find_first)
            && self.list.row().is_some_and(|row| !row.matched)
            && let Some(first) = self.list.rows().match_from(0, true)
        {
            self.list.jump(first);
        }
        self.keep_followed_in_sight();
    }

    /// The frame has been drawn.
    pub fn drawn(&mut self) {
        self.dirty = false;
    }

    fn say(&mut self, text: String, bad: bool) {
        self.message = Some(Message { text, bad, until_ns: self.session.now_ns().saturating_add(MESSAGE_NS) });
        self.dirty = true;
    }
}

/// Decimal digits of a pid.
fn digits(key: ProcKey) -> usize {
    key.pid.checked_ilog10().unwrap_or(0) as usize + 1
}
