//! The page on one process: everything known of it, as labelled lines; and what else was asked for.
//!
//! Stays readable after the process has left the tree. Does not know colours.

mod lines;
mod search;
mod sheet;
mod subtree;

use std::borrow::Cow;

use ptree_core::{Image, Lifecycle, Lineage, Origin, ProcKey, Process, Session, Tty, cgroup, text};
use ratatui::layout::Rect;

pub(crate) use self::lines::occurrences;
pub use self::lines::{Entry, Line, Lines};
use self::search::Search;
pub use self::sheet::Sheet;
use super::App;
use crate::label::{self, Tone};
use crate::measure::width as columns;

/// Columns of the labels, and a free one.
const LABELS: u16 = 15;
/// Ancestors and children listed at most.
const LIST_MAX: usize = 200;

/// The page.
#[derive(Clone, Debug)]
pub struct Details {
    key: ProcKey,
    title: String,
    gone: bool,
    about: Lines,
    /// What was asked for, shown instead.
    sheet: Option<Sheet>,
    search: Search,
    /// Columns and lines that there are for it.
    size: (u16, usize),
}

impl Details {
    /// An empty page; [`Details::refresh`] fills it.
    pub(super) fn of(key: ProcKey) -> Self {
        Self {
            key,
            title: String::new(),
            gone: false,
            about: Lines::new(LABELS),
            sheet: None,
            search: Search::default(),
            size: (0, 0),
        }
    }

    /// The process that it is on.
    pub(super) fn key(&self) -> ProcKey {
        self.key
    }

    /// `make [1234]`.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The process has left the tree: the page shows what was known last.
    #[must_use]
    pub fn gone(&self) -> bool {
        self.gone
    }

    /// What was asked for beyond what the tree knows, while it is shown.
    #[must_use]
    pub fn sheet(&self) -> Option<&Sheet> {
        self.sheet.as_ref()
    }

    /// What is shown.
    #[must_use]
    pub fn lines(&self) -> &Lines {
        self.sheet.as_ref().map_or(&self.about, Sheet::lines)
    }

    fn lines_mut(&mut self) -> &mut Lines {
        self.sheet.as_mut().map_or(&mut self.about, Sheet::lines_mut)
    }

    /// Scrolls; the end is found when the page is next resized.
    pub(super) fn scroll_by(&mut self, lines: isize) {
        self.lines_mut().scroll_by(lines);
    }

    /// Fits the page into an area, of which one line is the title.
    pub(super) fn resize(&mut self, area: Rect) {
        self.size = (area.width, usize::from(area.height.saturating_sub(1)));
        let (width, height) = self.size;
        self.lines_mut().fit(width, height);
    }

    /// Reads the process anew, if it is still there, for a page so wide.
    pub(super) fn refresh(&mut self, app: &App, width: u16) {
        let Some(process) = app.tree().get(self.key) else {
            self.gone = true;
            return;
        };
        self.gone = false;
        self.title = label::name_and_pid(process);
        let mut entries = self.about.take();
        entries.clear();
        let room = usize::from(width.saturating_sub(LABELS));
        let mut page = Page { app, process, room, entries: &mut entries };
        page.state();
        page.command();
        page.times();
        page.programs();
        page.identity();
        page.cost();
        page.subtree();
        page.lineages();
        page.children();
        self.about.set(LABELS, entries);
    }
}

struct Page<'a> {
    app: &'a App,
    process: &'a Process,
    /// Columns for a value on one line.
    room: usize,
    entries: &'a mut Vec<Entry>,
}

impl Page<'_> {
    fn add(&mut self, label: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        self.tone(label, value, Tone::Plain);
    }

    fn tone(&mut self, label: impl Into<Cow<'static, str>>, value: impl Into<String>, tone: Tone) {
        self.entries.push(Entry { label: label.into(), value: value.into(), tone, ..Entry::default() });
    }

    fn heading(&mut self, title: String) {
        self.tone("", "", Tone::Plain);
        self.tone(title, "", Tone::Heading);
    }

    fn user(&self, uid: u32) -> String {
        match self.app.users().get(uid) {
            "" => uid.to_string(),
            _ => format!("{} ({uid})", self.app.users().shown(uid)),
        }
    }

    fn state(&mut self) {
        let (status, tone) = label::ending(self.process, |uid| self.app.users().shown(uid).into_owned());
        let lifetime = text::duration(self.process.lifetime_ns(self.app.shown_ns()));
        let line = match self.process.life() {
            Lifecycle::Running => format!("{status}, for {lifetime} so far"),
            Lifecycle::Exited { inferred: true, .. } => {
                format!("{status} after at most {lifetime}: its end was not seen")
            }
            Lifecycle::Exited { .. } => format!("{status} after {lifetime}"),
        };
        self.tone("Status", line, tone);
        self.started_by();
        let origin = match self.process.origin {
            Origin::Found => "running when capture began",
            Origin::Forked => "its fork was seen",
            Origin::Inferred => "its fork was not seen",
        };
        self.tone("Known because", origin, Tone::Dim);
    }

    /// Names alone, in one line; the list further down tells more.
    fn started_by(&mut self) {
        let mut above = self.app.tree().ancestors(self.process.key, Lineage::Forked);
        let Some(forker) = above.next() else { return };
        let name = |process: &Process| text::readable(process.comm().as_bytes()).into_owned();
        let mut line = name(forker);
        if self.process.generations_left_out() > 0 {
            line.push_str(" › …");
        }
        for process in above {
            let longer = format!("{} › {line}", name(process));
            // Room for what stands for the rest.
            if columns(&longer) + 4 > self.room {
                line.insert_str(0, "… › ");
                return self.add("Started by", line);
            }
            line = longer;
        }
        self.add("Started by", line);
    }

    fn command(&mut self) {
        self.add("Name", text::readable(self.process.comm().as_bytes()));
        self.add("User", self.user(self.process.creds().uid));
        if let Some(path) = self.process.cgroup() {
            for (name, found) in [("Container", cgroup::container(path)), ("Unit", cgroup::unit(path))] {
                if let Some(found) = found {
                    self.add(name, text::readable(&found));
                }
            }
        }
        let Some(image) = self.process.program() else {
            let why = if self.process.is_kernel() { "a kernel thread" } else { "not known" };
            return self.tone("Program", why, Tone::Dim);
        };
        if self.process.image().is_none() {
            self.tone("", "forked with this program, has started none itself", Tone::Dim);
        }
        self.program(image);
        let Some(argv) = &image.argv else {
            return self.tone("Command line", "not known", Tone::Dim);
        };
        self.add("Command line", text::command_line(argv));
        for (i, argument) in argv.iter().enumerate() {
            let (value, tone) = if argument.is_empty() {
                ("(empty)".into(), Tone::Dim)
            } else {
                (text::readable(argument), Tone::Plain)
            };
            self.tone(format!("  argv[{i}]"), value, tone);
        }
        if image.argv_truncated {
            self.tone("", "there are more arguments than were captured", Tone::Dim);
        }
    }

    /// The file that runs, and what was typed where that is something else.
    fn program(&mut self, image: &Image) {
        match image.exe() {
            Some(path) => {
                let cut = if image.is_exe_truncated() { ".../" } else { "" };
                self.add("Program", format!("{cut}{}", text::readable(path)));
            }
            None => self.tone("Program", "not known", Tone::Dim),
        }
        if image.is_memfd() {
            self.tone("", "a file in memory, made by memfd_create", Tone::Bad);
        } else if image.is_deleted() {
            self.tone("", "this file has been deleted", Tone::Bad);
        }
        if let Some(path) = image.filename().filter(|path| image.exe() != Some(path)) {
            let what = if image.interp().is_some() { "Script" } else { "Typed" };
            self.add(what, text::readable(path));
        }
        if let Some(path) = image.interp() {
            self.add("Interpreter", text::readable(path));
        }
    }

    fn times(&mut self) {
        let (start, shown, wall) = (self.process.key.start_ns, self.app.shown_ns(), self.app.wall());
        let ago = |at: u64| format!("{}, {} ago", wall.long(at), text::duration(shown.saturating_sub(at)));
        let started = ago(start);
        let ended = match self.process.life() {
            Lifecycle::Running => None,
            Lifecycle::Exited { at_ns, .. } => Some(ago(at_ns)),
        };
        self.heading("Times".to_owned());
        self.add("Started", started);
        if let Some(ended) = ended {
            self.add("Ended", ended);
        }
    }

    fn programs(&mut self) {
        if self.process.image().is_none() {
            return;
        }
        self.heading(match self.process.execs() {
            0 => "Programs".to_owned(),
            1 => "Programs, 1 exec seen".to_owned(),
            n => format!("Programs, {n} execs seen"),
        });
        for image in self.process.images() {
            let when = match image.since_ns() {
                Some(since) => format!("  +{}", text::duration(since.saturating_sub(self.process.key.start_ns))),
                None => "  before".to_owned(),
            };
            self.add(when, one_line(image));
        }
    }

    fn identity(&mut self) {
        let process = self.process;
        let creds = process.creds();
        self.heading("Identity".to_owned());
        self.add("Effective", format!("user {}, group {}", self.user(creds.uid), creds.gid));
        self.add("Real", format!("user {}, group {}", self.user(creds.ruid), creds.rgid));
        if process.is_alive() {
            self.add("Threads", process.threads().to_string());
        }
        self.belonging(process.session());
        if let Some(path) = process.cgroup() {
            self.add("Cgroup", text::readable(path));
        }
        if let Some(id) = process.cgroup_id() {
            self.add("Cgroup id", id.to_string());
        }
        if let Some(ns) = process.pid_ns() {
            let within = process.ns_pid().map(|pid| format!(", {pid} within")).unwrap_or_default();
            self.add("Pid namespace", format!("{ns}{within}"));
        }
    }

    fn belonging(&mut self, session: Session) {
        match (session.sid, session.pgid) {
            (Some(sid), Some(pgid)) => self.add("Session", format!("{sid}, process group {pgid}")),
            (Some(sid), None) => self.add("Session", sid.to_string()),
            (None, Some(pgid)) => self.add("Process group", pgid.to_string()),
            (None, None) => {}
        }
        match session.tty {
            Some(Tty::NONE) => self.add("Terminal", "none"),
            Some(tty) => self.add("Terminal", text::readable(tty.as_bytes())),
            None => {}
        }
        if let Some(nice) = session.nice {
            self.add("Nice", nice.to_string());
        }
        let number = session.audit_session.filter(|&number| number != Session::NO_LOGIN);
        let number = number.map(|number| format!(", session {number}")).unwrap_or_default();
        match (session.login_uid, session.login()) {
            (_, Some(uid)) => self.add("Login", format!("{}{number}", self.user(uid))),
            (Some(_), None) => self.tone("Login", "descends from none", Tone::Dim),
            (None, None) => {}
        }
    }

    fn cost(&mut self) {
        let process = self.process;
        let cost = process.cost();
        let complete = matches!(process.life(), Lifecycle::Exited { inferred: false, .. });
        self.heading("Cost".to_owned());
        if complete {
            self.add("CPU time", text::duration(cost.cpu_ns));
        } else if process.is_measured() {
            let share =
                if process.is_alive() { label::percent(process.cpu_share()) } else { "last measured".to_owned() };
            self.add("CPU time", format!("{}, {share}", text::duration(cost.cpu_ns)));
        } else {
            self.tone("CPU time", "not measured", Tone::Dim);
        }
        if let (Some(user_ns), Some(system_ns)) = (cost.user_ns, cost.system_ns()) {
            let (user, system) = (text::duration(user_ns), text::duration(system_ns));
            self.add("  of that", format!("{user} in user mode, {system} in the kernel"));
        }
        if let Some(waited_ns) = cost.run_delay_ns {
            self.add("Waited for CPU", text::duration(waited_ns));
        }
        if process.is_alive()
            && let Some(rss) = process.rss_bytes()
        {
            self.add("Resident", text::bytes(rss));
        }
        let sizes = [
            ("Peak resident", cost.max_rss_bytes, None),
            ("Read", cost.read_bytes, process.read_rate()),
            ("Written", cost.write_bytes, process.write_rate()),
        ];
        for (label, size, rate) in sizes {
            if let Some(size) = size {
                let now = rate.map(|rate| format!(", {} a second now", label::byte_rate(rate))).unwrap_or_default();
                self.add(label, text::bytes(size) + &now);
            }
        }
        match (cost.threads_begun, cost.threads_most) {
            (Some(begun), Some(most)) => self.add("Threads begun", format!("{begun}, {most} at once at most")),
            (Some(begun), None) => self.add("Threads begun", begun.to_string()),
            (None, _) => {}
        }
        if complete {
            self.add("Page faults", format!("{} minor, {} major", cost.minor_faults, cost.major_faults));
        }
    }

    fn lineages(&mut self) {
        let chain = |lineage| {
            let mut keys: Vec<_> = self.app.tree().ancestors(self.process.key, lineage).take(LIST_MAX + 1).collect();
            let more = keys.len() > LIST_MAX;
            keys.truncate(LIST_MAX);
            (keys, more)
        };
        let (forked, kernel) = (chain(Lineage::Forked), chain(Lineage::Kernel));
        let same = forked.0.iter().map(|p| p.key).eq(kernel.0.iter().map(|p| p.key));
        let left_out = match self.process.generations_left_out() {
            0 => String::new(),
            n => format!(", {n} generations left out before"),
        };
        self.heading(format!("Forked by, nearest first{left_out}"));
        self.relatives(forked.0, forked.1);
        self.heading("Parents as the kernel sees them now".to_owned());
        if same {
            self.tone("", "the same", Tone::Dim);
        } else {
            self.relatives(kernel.0, kernel.1);
        }
    }

    fn children(&mut self) {
        let lineage = self.app.look().lineage;
        let mut children: Vec<_> = self.app.tree().latest_children(self.process.key, lineage).take(LIST_MAX).collect();
        children.sort_by_key(|child| child.key.birth());
        let more = self.app.tree().child_count(self.process.key, lineage) > LIST_MAX;
        let per_s = self.app.spawns_per_s(self.process.key);
        let rate = if per_s > 0.0 { format!(", {} a second now", label::rate(per_s)) } else { String::new() };
        self.heading(format!("Children, {} forked in all{rate}", self.process.spawned));
        if more {
            self.tone("", format!("the latest {LIST_MAX}:"), Tone::Dim);
        }
        self.relatives(children, false);
        self.departed(lineage);
    }

    /// Finished children that have left the tree, summed up by name, the most first.
    fn departed(&mut self, lineage: Lineage) {
        let mut names = self.app.tree().departed(self.process.key, lineage).to_vec();
        if names.is_empty() {
            return;
        }
        names.sort_by_key(|(_, summary)| std::cmp::Reverse(summary.count));
        self.heading("Children that have left the tree".to_owned());
        for (comm, summary) in names {
            let name = comm.as_ref().map_or("others".into(), |comm| text::readable(comm.as_bytes()));
            let (cpu, longest) = (text::duration(summary.cpu_ns), text::duration(summary.longest_ns));
            let failed = if summary.failed > 0 { format!(", {} failed", summary.failed) } else { String::new() };
            self.tone(
                "",
                format!("{name} ×{}  CPU {cpu} in all, longest {longest}{failed}", summary.count),
                Tone::Plain,
            );
        }
    }

    fn relatives(&mut self, processes: Vec<&Process>, more: bool) {
        if processes.is_empty() {
            self.tone("", "none in the tree", Tone::Dim);
        }
        for process in processes {
            let (status, tone) = label::status(process);
            let lifetime = text::duration(process.lifetime_ns(self.app.shown_ns()));
            let name = label::program(process);
            let tone = if tone == Tone::Good { Tone::Plain } else { tone };
            self.tone(format!("{:>9}", process.key.pid), format!("{name}  {status}, {lifetime}"), tone);
        }
        if more {
            self.tone("", format!("and more: the nearest {LIST_MAX} are listed"), Tone::Dim);
        }
    }
}

/// A program in one line: its path, and its arguments where they are known.
fn one_line(image: &Image) -> String {
    let path = image.path().map(text::readable);
    match (&image.argv, path) {
        (Some(argv), Some(path)) => format!("{path}: {}", text::command_line(argv)),
        (Some(argv), None) => text::command_line(argv),
        (None, Some(path)) => path.into_owned(),
        (None, None) => "?".to_owned(),
    }
}
