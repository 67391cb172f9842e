//! A scripted machine and a screen without a terminal: events in, keys in, text out. The clock stands where it is put.
#![allow(dead_code, reason = "each test file uses its part")]

use ptree_core::event::{Cost, Creds, Exe, Execed, Exited, Forked, Found, Task, Usage};
use ptree_core::killer::Killer;
use ptree_core::{Argv, Comm, Event, ExitStatus, LossCount, LossKind, ProcKey};
use ptree_source::{Batch, Header, TimeAnchor};
use ptree_tui::action::{Action, Effect};
use ptree_tui::app::{App, Options};
use ptree_tui::screen::theme::Theme;
use ptree_tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

pub(crate) const SECOND: u64 = 1_000_000_000;
/// When scripts begin, boot time: a day and a bit after boot.
pub(crate) const BEGIN: u64 = 100_000 * SECOND;

/// A process that all scripts know by its pid: it started that many hundredths of a second after boot, or when forked.
pub(crate) struct Machine {
    pub(crate) app: App,
    pub(crate) now_ns: u64,
    started: std::collections::HashMap<u32, u64>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self::with(Self::options())
    }

    /// The usual ones.
    pub(crate) fn options() -> Options {
        Options {
            engine: ptree_core::engine::Config::default(),
            filter: ptree_core::Filter::default(),
            zone: jiff::tz::TimeZone::UTC,
            preferences: ptree_tui::app::Preferences::default(),
            is_here: true,
            read_only: false,
            own_pid: 601,
        }
    }

    pub(crate) fn with(options: Options) -> Self {
        Self::starting(options, Vec::new())
    }

    /// One on whose kernel these parts are not to be had.
    pub(crate) fn degraded(parts: &[&str]) -> Self {
        Self::starting(Self::options(), parts.iter().map(ToString::to_string).collect())
    }

    fn starting(options: Options, degraded: Vec<String>) -> Self {
        let header = Header {
            version: "0".to_owned(),
            host: "testhost".to_owned(),
            kernel: "6.12.0-test".to_owned(),
            boot_id: "boot".to_owned(),
            // 2026-11-21 14:00:00 UTC
            anchor: TimeAnchor { boottime_ns: BEGIN, unix_ns: 1_795_269_600 * SECOND },
            degraded,
        };
        Self { app: App::new(options, header), now_ns: BEGIN, started: std::collections::HashMap::new() }
    }

    /// init, kthreadd and a kernel thread, a login with a shell and an editor.
    pub(crate) fn booted() -> Self {
        Self::watching(Vec::new())
    }

    /// The same with rules for alerts.
    pub(crate) fn watching(matches: Vec<ptree_core::MatchRule>) -> Self {
        let options = Self::options();
        let mut machine = Self::with(Options { engine: ptree_core::Config { matches, ..options.engine }, ..options });
        machine.found(1, 0, 0, &["/sbin/init"]);
        machine.kernel_thread(2, 0, "kthreadd");
        machine.kernel_thread(3, 2, "kworker/0:1");
        machine.found(400, 1, 0, &["/usr/sbin/cron", "-f"]);
        machine.found(500, 1, 0, &["sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"]);
        machine.found(600, 500, 1000, &["-bash"]);
        machine.found(700, 600, 1000, &["/usr/bin/vim", "notes.txt", "with space", "塩と胡椒"]);
        machine.users(&[(0, "root"), (1000, "ann")]);
        machine
    }

    pub(crate) fn key(&self, pid: u32) -> ProcKey {
        let start_ns = self.started.get(&pid).copied().unwrap_or(u64::from(pid) * SECOND / 100);
        if pid == 0 { ProcKey::SWAPPER } else { ProcKey::new(pid, start_ns) }
    }

    fn task(&self, pid: u32, parent: u32, uid: u32, comm: &[u8]) -> Task {
        Task {
            creds: Creds { uid, gid: uid, ruid: uid, rgid: uid },
            comm: Comm::new(comm),
            cgroup_id: Some(77),
            pid_ns: Some(4_026_531_836),
            ns_pid: Some(pid),
            ..Task::of(self.key(pid), self.key(parent))
        }
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.app.ingest(&Batch { events: vec![event], users: Vec::new(), clock: None }, self.now_ns);
    }

    pub(crate) fn users(&mut self, users: &[(u32, &str)]) {
        let users = users.iter().map(|(uid, name)| (*uid, (*name).to_owned())).collect();
        self.app.ingest(&Batch { events: Vec::new(), users, clock: None }, self.now_ns);
    }

    pub(crate) fn found(&mut self, pid: u32, parent: u32, uid: u32, argv: &[&str]) {
        self.found_in("/user.slice", pid, parent, uid, argv);
    }

    pub(crate) fn found_in(&mut self, cgroup: &str, pid: u32, parent: u32, uid: u32, argv: &[&str]) {
        let comm = argv[0].rsplit('/').next().unwrap();
        self.event(Event::Process(Found {
            ts_ns: self.now_ns,
            task: self.task(pid, parent, uid, comm.as_bytes()),
            argv: Some(Argv::from_args(argv)),
            argv_truncated: false,
            exe: Some(Exe::at(argv[0].as_bytes())),
            cgroup: Some(cgroup.as_bytes().into()),
            exited: None,
            repaired: false,
        }));
    }

    pub(crate) fn kernel_thread(&mut self, pid: u32, parent: u32, comm: &str) {
        let task = Task { kernel: true, ..self.task(pid, parent, 0, comm.as_bytes()) };
        self.event(Event::Process(Found {
            ts_ns: self.now_ns,
            task,
            argv: None,
            argv_truncated: false,
            exe: None,
            cgroup: None,
            exited: None,
            repaired: false,
        }));
    }

    pub(crate) fn fork(&mut self, pid: u32, forker: u32, uid: u32, comm: &str) {
        self.fork_bytes(pid, forker, uid, comm.as_bytes());
    }

    pub(crate) fn fork_bytes(&mut self, pid: u32, forker: u32, uid: u32, comm: &[u8]) {
        self.started.insert(pid, self.now_ns);
        let (task, forker) = (self.task(pid, forker, uid, comm), self.key(forker));
        self.event(Event::Fork(Forked { ts_ns: self.now_ns, task, forker }));
    }

    pub(crate) fn exec(&mut self, pid: u32, parent: u32, uid: u32, argv: &[&str]) {
        let argv: Vec<&[u8]> = argv.iter().map(|argument| argument.as_bytes()).collect();
        self.exec_bytes(pid, parent, uid, &argv);
    }

    pub(crate) fn exec_bytes(&mut self, pid: u32, parent: u32, uid: u32, argv: &[&[u8]]) {
        let comm = argv[0].rsplit(|&b| b == b'/').next().unwrap();
        self.event(Event::Exec(Execed {
            ts_ns: self.now_ns,
            task: self.task(pid, parent, uid, comm),
            filename: Some(argv[0].into()),
            exe: Some(Exe::at(argv[0])),
            interp: None,
            argv: Some(Argv::from_args(argv)),
            argv_truncated: false,
        }));
    }

    /// Forks and execs at once.
    pub(crate) fn spawn(&mut self, pid: u32, forker: u32, uid: u32, argv: &[&str]) {
        self.fork(pid, forker, uid, "sh");
        self.exec(pid, forker, uid, argv);
    }

    pub(crate) fn exit(&mut self, pid: u32, status: ExitStatus) {
        self.end(pid, status, None);
    }

    pub(crate) fn kill(&mut self, pid: u32, status: ExitStatus, killer: Killer) {
        self.end(pid, status, Some(killer));
    }

    fn end(&mut self, pid: u32, status: ExitStatus, killer: Option<Killer>) {
        let cost = Cost {
            cpu_ns: 1_240_000_000,
            run_delay_ns: None,
            user_ns: None,
            max_rss_bytes: Some(35 << 20),
            read_bytes: Some(4096),
            write_bytes: Some(0),
            threads_begun: Some(1),
            threads_most: Some(1),
            minor_faults: 321,
            major_faults: 2,
        };
        let exited = Exited {
            ts_ns: self.now_ns,
            task: None,
            key: self.key(pid),
            status,
            cost: Some(cost),
            killer: killer.map(Box::new),
        };
        self.event(Event::Exit(exited));
    }

    pub(crate) fn code(&mut self, pid: u32, code: u8) {
        self.exit(pid, ExitStatus::Code(code));
    }

    pub(crate) fn reparent(&mut self, pid: u32, parent: u32) {
        let (key, parent) = (self.key(pid), self.key(parent));
        self.event(Event::Parent { ts_ns: self.now_ns, key, parent });
    }

    pub(crate) fn usage(&mut self, pid: u32, cpu_ns: u64, rss_bytes: u64, state: char) {
        let usage = Usage {
            ts_ns: self.now_ns,
            key: self.key(pid),
            cpu_ns,
            run_delay_ns: None,
            user_ns: None,
            rss_bytes: Some(rss_bytes),
            read_bytes: None,
            write_bytes: None,
            threads_begun: None,
            threads: 3,
            state,
        };
        self.event(Event::Usage(usage));
    }

    /// It has begun so many threads by now.
    pub(crate) fn threads(&mut self, pid: u32, begun: u32) {
        self.event(Event::Usage(Usage {
            ts_ns: self.now_ns,
            key: self.key(pid),
            cpu_ns: 0,
            run_delay_ns: None,
            user_ns: None,
            rss_bytes: None,
            read_bytes: None,
            write_bytes: None,
            threads_begun: Some(begun),
            threads: 1,
            state: 'S',
        }));
    }

    pub(crate) fn lose(&mut self, exit: u64) {
        let count = LossCount::of(LossKind::Exit, exit);
        self.event(Event::Lost { ts_ns: self.now_ns, count });
    }

    pub(crate) fn pass(&mut self, ns: u64) {
        self.now_ns += ns;
        self.app.tick(self.now_ns);
    }

    /// Presses keys, written like in vim: `jj<Enter>/foo<Esc>`. What the last one asked of the outside is returned.
    pub(crate) fn keys(&mut self, keys: &str) -> Option<Effect> {
        let mut effect = None;
        let mut rest = keys;
        while let Some(first) = rest.chars().next() {
            let named =
                rest.strip_prefix('<').and_then(|named| named.split_once('>')).filter(|(name, _)| name.len() > 1);
            let (key, after) = match named {
                Some(named) => named,
                None => rest.split_at(first.len_utf8()),
            };
            effect = self.app.press(if key == " " { "Space" } else { key });
            rest = after;
        }
        effect
    }

    /// Presses the left button there, or twice.
    pub(crate) fn click(&mut self, column: u16, row: u16, double: bool) -> Option<Effect> {
        let hit = view::hit(&self.app, column, row);
        self.app.update(Action::Click { hit, double })
    }

    pub(crate) fn draw_with(&mut self, theme: &Theme, width: u16, height: u16) -> Buffer {
        self.app.update(Action::Resize(width, height));
        self.app.prepare(view::measure(&self.app));
        let buffer = paint(&self.app, theme, width, height);
        self.app.drawn();
        buffer
    }

    /// The screen as text, without spaces at the ends of lines.
    pub(crate) fn screen(&mut self, width: u16, height: u16) -> String {
        let buffer = self.draw_with(&Theme::ansi(), width, height);
        lines(&buffer).join("\n")
    }

    /// The selected line.
    pub(crate) fn selected_line(&mut self) -> String {
        let buffer = self.draw_with(&Theme::ansi(), 80, 24);
        let reversed = |y: u16| buffer[(0, y)].modifier.contains(ratatui::style::Modifier::REVERSED);
        (0..24).find(|y| reversed(*y)).map(|y| lines(&buffer)[usize::from(y)].clone()).unwrap_or_default()
    }
}

/// Draws and does nothing else.
pub(crate) fn paint(app: &App, theme: &Theme, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view::draw(app, theme, frame)).unwrap().buffer.clone()
}

pub(crate) fn lines(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    (0..area.height)
        .map(|y| {
            let mut line = String::new();
            let mut x = 0;
            while x < area.width {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol).max(1)).unwrap();
            }
            line.trim_end().to_owned()
        })
        .collect()
}
