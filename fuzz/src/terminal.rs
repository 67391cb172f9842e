//! Whatever a terminal sends, in any order and at any size, while processes of any name come and go: the screen holds, and
//! nothing on it commands the terminal.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ptree_core::Filter;
use ptree_core::script::{Script, Step};
use ptree_core::text::is_control;
use ptree_source::{Batch, Header, TimeAnchor};
use ptree_tui::action::{Action, COMMANDS, Effect, Mode};
use ptree_tui::app::{App, Options, Preferences};
use ptree_tui::inspect::{Answer, Refusal};
use ptree_tui::keymap;
use ptree_tui::screen::theme::Theme;
use ptree_tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::{as_text, caps, check_told};

/// Steps of an input at most: a frame is drawn after each.
const STEPS: usize = 100;

/// The first line is the name of the host and of a user; behind it each byte is something that happens, with what it is
/// about behind it.
pub fn terminal(bytes: &[u8]) {
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
    let (name, bytes) = bytes.split_at(end);
    let mut screen = Screen::new(&String::from_utf8_lossy(name));
    let mut input = Input(bytes.get(1..).unwrap_or_default());
    for _ in 0..STEPS {
        if input.0.is_empty() {
            break;
        }
        screen.step(&mut input);
        screen.draw();
    }
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// As many bytes as the next one says, as far as they are text.
    fn text(&mut self) -> &'a str {
        let (text, rest) = self.0.split_at(usize::from(self.byte()).min(self.0.len()));
        self.0 = rest;
        as_text(text)
    }
}

struct Screen {
    app: App,
    script: Script,
    now_ns: u64,
    size: (u16, u16),
}

impl Screen {
    fn new(name: &str) -> Self {
        let header = Header {
            version: name.to_owned(),
            host: name.to_owned(),
            kernel: name.to_owned(),
            boot_id: name.to_owned(),
            anchor: TimeAnchor { boottime_ns: 0, unix_ns: 1 << 60 },
            degraded: vec![name.to_owned()],
        };
        let options = Options {
            engine: caps(),
            filter: Filter::default(),
            zone: TimeZone::UTC,
            preferences: Preferences::default(),
            is_here: true,
            read_only: false,
            own_pid: 7,
        };
        let mut app = App::new(options, header);
        app.ingest(&Batch { events: Vec::new(), users: vec![(0, name.to_owned())], clock: None }, 0);
        Self { app, script: Script::new(1000), now_ns: 1000, size: (80, 24) }
    }

    fn step(&mut self, input: &mut Input<'_>) {
        let effect = match input.byte() % 12 {
            0 => {
                let modifiers = KeyModifiers::from_bits_truncate(input.byte());
                let code = input.text().chars().next().map_or(KeyCode::BackTab, KeyCode::Char);
                keymap::name(KeyEvent::new(code, modifiers)).and_then(|key| self.app.press(&key))
            }
            1 | 2 => self.known_key(input.byte()),
            3 => self.app.update(Action::Paste(input.text().to_owned())),
            4 => {
                let (column, row) = (u16::from(input.byte()), u16::from(input.byte()));
                self.app.update(Action::Click { hit: view::hit(&self.app, column, row / 2), double: row % 2 == 1 })
            }
            5 => self.app.update(Action::Wheel(isize::from(input.byte()) - 128)),
            6 => {
                self.size = (1 + u16::from(input.byte()), 1 + u16::from(input.byte() / 4));
                self.app.update(Action::Resize(self.size.0, self.size.1))
            }
            7 | 8 => {
                match self.script.line(input.text()) {
                    Ok(Some(Step::Event(event))) => {
                        self.now_ns = self.now_ns.max(event.ts_ns());
                        self.app.ingest(&Batch { events: vec![*event], users: Vec::new(), clock: None }, self.now_ns);
                    }
                    Ok(Some(Step::Tick(_)) | None) => {}
                    Err(fault) => check_told(&fault.to_string(), 1),
                }
                None
            }
            9 => {
                self.now_ns = self.now_ns.saturating_add(u64::from(input.byte()) << (input.byte() % 40));
                self.app.tick(self.now_ns)
            }
            10 => {
                let text = input.text().to_owned();
                if text.len().is_multiple_of(2) {
                    self.app.capture_ended(Err(text));
                    None
                } else {
                    self.app.update(Action::Exported(Ok(text.into())))
                }
            }
            _ => {
                match keymap::parse(input.text()) {
                    Ok(keys) => assert!(!keys.contains(is_control), "{keys:?}"),
                    Err(told) => check_told(&told, 1),
                }
                None
            }
        };
        if let Some(Effect::Inspect(question)) = effect {
            let found = Err(Refusal::Other(input.text().to_owned()));
            self.app.update(Action::Inspected(Answer { subject: question.subject, key: question.target.key, found }));
        }
    }

    /// One of those that do something somewhere.
    fn known_key(&mut self, n: u8) -> Option<Effect> {
        let keys = COMMANDS.iter().flat_map(|spec| Mode::ALL.into_iter().flat_map(|mode| spec.keys_in(mode)));
        let keys: Vec<_> = keys.flat_map(|keys| keys.split(' ')).collect();
        self.app.press(keys[usize::from(n) * keys.len() / 256])
    }

    fn draw(&mut self) {
        let (width, height) = self.size;
        self.app.prepare(view::measure(&self.app));
        let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height));
        let Ok(_) = terminal.draw(|frame| view::draw(&self.app, &Theme::ansi(), frame));
        self.app.drawn();
        for cell in terminal.backend().buffer().content() {
            assert!(!cell.symbol().contains(is_control), "{:?}", cell.symbol());
        }
    }
}
