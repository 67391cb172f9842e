//! From a key press to an [`Action`]: names of keys, which of them are bound to what, and sequences of several.
//!
//! Does not know what actions do.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ptree_core::text::{is_control, quoted};

use crate::action::{Action, COMMANDS, Command, Limits, Mode};
use crate::config::QUOTED;

/// Keys that type no character, by name.
const NAMED: [(&str, KeyCode); 15] = [
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Space", KeyCode::Char(' ')),
];
/// As many function keys as any keyboard has.
const FUNCTION_KEYS: u8 = 24;

/// The name of a key as the table writes it: `j`, `G`, `C-d`, `S-Left`, `PgUp`, `Space`. `None` for a release and for
/// keys that cannot be bound.
#[must_use]
pub fn name(key: KeyEvent) -> Option<String> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let (code, shift) = match key.code {
        KeyCode::BackTab => (KeyCode::Tab, true),
        code => (code, key.modifiers.contains(KeyModifiers::SHIFT)),
    };
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let named = NAMED.iter().find(|(_, named)| *named == code);
    let base = match (code, named) {
        (KeyCode::Char(' '), _) => "Space".to_owned(),
        (KeyCode::Char(c), _) if control => c.to_ascii_lowercase().to_string(),
        (KeyCode::Char(c), _) => c.to_string(),
        (KeyCode::F(n), _) if n <= FUNCTION_KEYS => format!("{}F{n}", if shift { "S-" } else { "" }),
        (_, Some((name, _))) => format!("{}{name}", if shift { "S-" } else { "" }),
        _ => return None,
    };
    let control = if control { "C-" } else { "" };
    let alt = if key.modifiers.contains(KeyModifiers::ALT) { "M-" } else { "" };
    Some(format!("{control}{alt}{base}"))
}

/// Keys as somebody writes them, one after the other with spaces between, in the way of [`name`]: case of names does
/// not matter, and `Ctrl-`, `Alt-` and `Shift-` may be written out.
///
/// # Errors
/// What is no key, and what would be one.
pub fn parse(text: &str) -> Result<String, String> {
    let keys: Vec<_> = text.split_whitespace().map(parse_one).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err("a key is missing".to_owned()) } else { Ok(keys.join(" ")) }
}

fn parse_one(text: &str) -> Result<String, String> {
    let wrong = |why: &str| Err(format!("{} is no key: {why}", quoted(text, QUOTED)));
    let mut rest = text;
    let mut modifiers = [("C-", "Ctrl-", false), ("M-", "Alt-", false), ("S-", "Shift-", false)];
    while let Some((modifier, len)) = modifiers.iter_mut().find_map(|modifier| {
        let begins = |with: &str| {
            rest.len() > with.len() && rest.get(..with.len()).is_some_and(|r| r.eq_ignore_ascii_case(with))
        };
        let len = [modifier.1, modifier.0].into_iter().find(|with| begins(with))?.len();
        Some((modifier, len))
    }) {
        modifier.2 = true;
        rest = &rest[len..];
    }
    let [(_, _, control), (_, _, alt), (_, _, shift)] = modifiers;
    let mut chars = rest.chars();
    let base = match (chars.next(), chars.next()) {
        (Some(c), None) if is_control(c) => return wrong("it does not show"),
        (Some(c), None) if shift => return wrong(&format!("write '{}' as it is typed", c.to_uppercase())),
        (Some(c), None) if control => c.to_ascii_lowercase().to_string(),
        (Some(c), None) => c.to_string(),
        _ => match special(rest) {
            Some(name) if shift && name == "Space" => return wrong("terminals do not tell it from 'Space'"),
            Some(name) => format!("{}{name}", if shift { "S-" } else { "" }),
            None => return wrong("write it like 'j', 'G', 'C-d', 'M-x', 'S-Left', 'PgUp', 'F5' or 'Space'"),
        },
    };
    Ok(format!("{}{}{base}", if control { "C-" } else { "" }, if alt { "M-" } else { "" }))
}

/// Keys as documents write them: `Ctrl-d` for `C-d`, and `zM` for `z M`.
#[must_use]
pub fn spelled_out(keys: &str) -> String {
    let one = |key: &str| {
        let mut rest = key;
        let mut modifiers = String::new();
        for (short, long) in [("C-", "Ctrl-"), ("M-", "Alt-"), ("S-", "Shift-")] {
            if let Some(after) = rest.strip_prefix(short).filter(|after| !after.is_empty()) {
                modifiers += long;
                rest = after;
            }
        }
        modifiers + rest
    };
    let letters = keys.split(' ').all(|key| key.chars().count() == 1);
    keys.split(' ').map(one).collect::<Vec<_>>().join(if letters { "" } else { " " })
}

/// The name of a key that has one.
fn special(text: &str) -> Option<String> {
    if let Some((name, _)) = NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Some((*name).to_owned());
    }
    let n = text.strip_prefix(['F', 'f'])?;
    let known = n.parse::<u8>().is_ok_and(|n| (1..=FUNCTION_KEYS).contains(&n)) && !n.starts_with(['0', '+']);
    known.then(|| format!("F{n}"))
}

/// What one key, or several one after the other with spaces between, does in a mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Where.
    pub mode: Mode,
    /// What it does.
    pub command: Command,
    /// As [`parse`] gives them.
    pub keys: String,
}

/// Which keys do what. The default is that of the table of commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bindings(Vec<Binding>);

impl Default for Bindings {
    fn default() -> Self {
        let mut bindings = Vec::new();
        for spec in COMMANDS {
            for (mode, keys) in spec.keys {
                let bound = |keys: &&str| Binding { mode: *mode, command: spec.command, keys: (*keys).to_owned() };
                bindings.extend(keys.iter().map(bound));
            }
        }
        Self(bindings)
    }
}

impl Bindings {
    /// The keys of a command in a mode, first those to be shown.
    pub fn keys(&self, mode: Mode, command: Command) -> impl Iterator<Item = &str> {
        let here = move |binding: &&Binding| binding.mode == mode && binding.command == command;
        self.0.iter().filter(here).map(|binding| binding.keys.as_str())
    }

    /// The key of a command in a mode, to be shown.
    #[must_use]
    pub fn first(&self, mode: Mode, command: Command) -> Option<&str> {
        self.keys(mode, command).next()
    }

    /// Gives a command other keys in a mode, instead of all that it had there.
    pub fn rebind(&mut self, mode: Mode, command: Command, keys: Vec<String>) {
        self.0.retain(|binding| (binding.mode, binding.command) != (mode, command));
        self.0.extend(keys.into_iter().map(|keys| Binding { mode, command, keys }));
    }

    /// What is bound twice, or never gets its turn because a part of it is bound already.
    #[must_use]
    pub fn clash(&self) -> Option<Clash> {
        let beginning = |a: &Binding, b: &Binding| {
            let (a, b) = (format!("{} ", a.keys), format!("{} ", b.keys));
            b.starts_with(&a)
        };
        self.0.iter().enumerate().find_map(|(i, binding)| {
            let clashes =
                |(j, other): &(usize, &Binding)| *j != i && other.mode == binding.mode && beginning(binding, other);
            let (_, other) = self.0.iter().enumerate().find(clashes)?;
            Some(Clash { first: binding.clone(), second: other.clone() })
        })
    }

    fn in_mode(&self, mode: Mode) -> impl Iterator<Item = &Binding> {
        self.0.iter().filter(move |binding| binding.mode == mode)
    }
}

/// Two bindings that exclude each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// One of them, with the shorter keys.
    pub first: Binding,
    /// The other.
    pub second: Binding,
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, second } = self;
        let [a, b] = [first, second].map(|binding| binding.command.name());
        let [of_a, of_b] = [first, second].map(|binding| quoted(&binding.keys, QUOTED));
        match (first.keys == second.keys, a == b) {
            (true, true) => write!(f, "{of_a} is given twice to '{a}'")?,
            (true, false) => write!(f, "{of_a} is bound to '{a}' and to '{b}'")?,
            (false, _) => write!(f, "{of_b} of '{b}' begins with {of_a}, which is bound to '{a}'")?,
        }
        write!(f, " in [keys.{}]", first.mode.name())
    }
}

/// The bindings, and the state of the keyboard: the beginning of an unfinished sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    bindings: Bindings,
    /// Those of what is not allowed.
    barred: Bindings,
    limits: Limits,
    pending: Option<String>,
}

impl Keymap {
    /// With nothing pressed yet, and with the keys of what is allowed.
    #[must_use]
    pub fn new(bindings: Bindings, limits: Limits) -> Self {
        let is_free = |binding: &Binding| limits.bar(binding.command).is_none();
        let (free, barred) = bindings.0.into_iter().partition(is_free);
        Self { bindings: Bindings(free), barred: Bindings(barred), limits, pending: None }
    }

    /// Why keys do not do what they would, or begin to, if that were allowed.
    #[must_use]
    pub fn bar(&self, mode: Mode, keys: &str) -> Option<&'static str> {
        let begun = format!("{keys} ");
        let bound = |bound: &&Binding| bound.keys == keys || bound.keys.starts_with(&begun);
        self.barred.in_mode(mode).find(bound).and_then(|bound| self.limits.bar(bound.command))
    }

    /// What is allowed.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// Which keys do what.
    #[must_use]
    pub fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    /// The beginning of an unfinished sequence.
    #[must_use]
    pub fn pending(&self) -> Option<&str> {
        self.pending.as_deref()
    }

    /// What may follow the beginning of a sequence in a mode: each command and its next keys, in the order of the table.
    #[must_use]
    pub fn following(&self, mode: Mode) -> Vec<(Command, Vec<&str>)> {
        let mut following: Vec<(Command, Vec<&str>)> = Vec::new();
        let Some(begun) = self.pending() else { return following };
        for bound in self.bindings.in_mode(mode) {
            let rest = bound.keys.strip_prefix(begun).and_then(|rest| rest.strip_prefix(' '));
            let Some(next) = rest.and_then(|rest| rest.split(' ').next()) else { continue };
            match following.iter_mut().find(|(command, _)| *command == bound.command) {
                Some((_, keys)) => keys.push(next),
                None => following.push((bound.command, vec![next])),
            }
        }
        following
    }

    /// What a key, by name, means in a mode. `None` for an unbound key and for one of a sequence but its last.
    pub fn resolve(&mut self, mode: Mode, key: &str) -> Option<Action> {
        let typed = match self.pending.take() {
            Some(first) => format!("{first} {key}"),
            None => key.to_owned(),
        };
        let prefix = format!("{typed} ");
        for bound in self.bindings.in_mode(mode) {
            if bound.keys == typed {
                return Some(Action::Command(bound.command));
            }
            if bound.keys.starts_with(&prefix) {
                self.pending = Some(typed);
                return None;
            }
        }
        if mode.is_typing() { character(key).map(Action::Type) } else { None }
    }
}

/// The character that a key types.
fn character(key: &str) -> Option<char> {
    let mut chars = if key == "Space" { " ".chars() } else { key.chars() };
    chars.next().filter(|_| chars.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Limits = Limits { elsewhere: false, read_only: false };

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Option<String> {
        name(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn keys_are_named_as_in_the_table() {
        assert_eq!(key(KeyCode::Char('G'), KeyModifiers::SHIFT).as_deref(), Some("G"));
        assert_eq!(key(KeyCode::Char('d'), KeyModifiers::CONTROL).as_deref(), Some("C-d"));
        assert_eq!(key(KeyCode::Char('D'), KeyModifiers::CONTROL | KeyModifiers::SHIFT).as_deref(), Some("C-d"));
        assert_eq!(key(KeyCode::Char('x'), KeyModifiers::ALT).as_deref(), Some("M-x"));
        assert_eq!(key(KeyCode::Left, KeyModifiers::SHIFT).as_deref(), Some("S-Left"));
        assert_eq!(key(KeyCode::BackTab, KeyModifiers::SHIFT).as_deref(), Some("S-Tab"));
        assert_eq!(key(KeyCode::F(10), KeyModifiers::NONE).as_deref(), Some("F10"));
        assert_eq!(key(KeyCode::Char(' '), KeyModifiers::NONE).as_deref(), Some("Space"));
        assert_eq!(key(KeyCode::CapsLock, KeyModifiers::NONE), None);
        let release = KeyEvent::new_with_kind(KeyCode::Enter, KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(name(release), None);
    }

    #[test]
    fn every_key_that_can_be_pressed_parses_to_itself() {
        let codes = NAMED.iter().map(|(_, code)| *code).chain((1..=FUNCTION_KEYS).map(KeyCode::F));
        for code in codes.chain(['a', 'G', '/', '-', '<', '塩', '0'].map(KeyCode::Char)) {
            for modifiers in (0..8).map(KeyModifiers::from_bits_truncate) {
                let name = key(code, modifiers).unwrap();
                assert_eq!(parse(&name).as_ref(), Ok(&name));
            }
        }
        for binding in &Bindings::default().0 {
            assert_eq!(parse(&binding.keys).as_ref(), Ok(&binding.keys));
        }
    }

    #[test]
    fn documents_spell_modifiers_out_and_join_letters() {
        for (keys, written) in [
            ("C-d", "Ctrl-d"),
            ("C-M-S-F5", "Ctrl-Alt-Shift-F5"),
            ("z M", "zM"),
            ("C-w q", "Ctrl-w q"),
            ("C--", "Ctrl--"),
        ] {
            assert_eq!(spelled_out(keys), written);
        }
        for binding in &Bindings::default().0 {
            let written = spelled_out(&binding.keys);
            assert!(written.contains(' ') || !binding.keys.contains(' ') || parse(&written).is_err(), "{written}");
        }
    }

    #[test]
    fn keys_may_be_written_in_other_ways_but_not_in_any() {
        for (written, meant) in [
            ("Ctrl-D", "C-d"),
            ("alt-x", "M-x"),
            ("shift-tab", "S-Tab"),
            ("esc", "Esc"),
            ("f5", "F5"),
            (" z  M ", "z M"),
            ("M-C-a", "C-M-a"),
            ("C--", "C--"),
            ("-", "-"),
        ] {
            assert_eq!(parse(written).as_deref(), Ok(meant), "{written}");
        }
        for (written, wrong) in
            [("", "missing"), ("S-a", "write 'A'"), ("gg", "'gg' is no key"), ("F25", "no key"), ("C-", "no key")]
        {
            assert!(parse(written).unwrap_err().contains(wrong), "{written}");
        }
    }

    #[test]
    fn i14_no_key_is_bound_twice_in_a_mode_nor_hidden_behind_a_prefix() {
        assert_eq!(Bindings::default().clash(), None);
        let clash = |command, keys: &str| {
            let mut bindings = Bindings::default();
            bindings.rebind(Mode::Tree, command, vec![keys.to_owned()]);
            bindings.clash().unwrap().to_string()
        };
        assert_eq!(clash(Command::Up, "q"), "'q' is bound to 'quit' and to 'up' in [keys.tree]");
        assert_eq!(clash(Command::Up, "z"), "'z a' of 'fold' begins with 'z', which is bound to 'up' in [keys.tree]");
        assert_eq!(clash(Command::Up, "q x"), "'q x' of 'up' begins with 'q', which is bound to 'quit' in [keys.tree]");
    }

    #[test]
    fn keys_given_replace_those_of_the_table() {
        let mut bindings = Bindings::default();
        bindings.rebind(Mode::Tree, Command::Details, vec![", y z".to_owned()]);
        let mut keymap = Keymap::new(bindings, FREE);
        assert_eq!(keymap.resolve(Mode::Tree, "Enter"), None);
        assert_eq!([keymap.resolve(Mode::Tree, ","), keymap.resolve(Mode::Tree, "y")], [None, None]);
        assert_eq!(keymap.pending(), Some(", y"));
        assert_eq!(keymap.following(Mode::Tree), [(Command::Details, vec!["z"])]);
        assert_eq!(keymap.resolve(Mode::Tree, "z"), Some(Action::Command(Command::Details)));
    }

    #[test]
    fn sequences_need_both_keys_and_a_wrong_second_one_ends_them() {
        let mut keymap = Keymap::new(Bindings::default(), FREE);
        assert_eq!(keymap.resolve(Mode::Tree, "z"), None);
        assert_eq!(keymap.pending(), Some("z"));
        assert_eq!(keymap.resolve(Mode::Tree, "M"), Some(Action::Command(Command::FoldAll)));
        assert_eq!(keymap.resolve(Mode::Tree, "z"), None);
        assert_eq!(keymap.resolve(Mode::Tree, "x"), None);
        assert_eq!(keymap.resolve(Mode::Tree, "q"), Some(Action::Command(Command::Quit)));
    }

    #[test]
    fn keys_of_what_is_not_allowed_are_not_bound_and_say_why() {
        let limits = |elsewhere, read_only| Limits { elsewhere, read_only };
        for (limits, act, export, environment) in [
            (FREE, None, None, None),
            (limits(true, false), Some("A recording"), None, None),
            (limits(false, true), Some("looked at"), Some("no file"), Some("no environment")),
            (limits(true, true), Some("A recording"), Some("no file"), Some("no environment")),
        ] {
            for (key, command, why) in
                [("F9", Command::Act, act), ("w", Command::Export, export), ("e", Command::Environment, environment)]
            {
                let mut keymap = Keymap::new(Bindings::default(), limits);
                let bar = keymap.bar(Mode::Tree, key);
                assert_eq!(bar.is_some(), why.is_some(), "{limits:?} {key}");
                assert!(bar.unwrap_or_default().contains(why.unwrap_or_default()), "{limits:?} {key}");
                let wants = why.is_none().then_some(Action::Command(command));
                assert_eq!(keymap.resolve(Mode::Tree, key), wants, "{limits:?} {key}");
            }
            assert_eq!(Keymap::new(Bindings::default(), limits).bar(Mode::Tree, "F12"), None);
        }
    }

    #[test]
    fn in_the_filter_line_letters_are_letters() {
        let mut keymap = Keymap::new(Bindings::default(), FREE);
        assert_eq!(keymap.resolve(Mode::Filter, "q"), Some(Action::Type('q')));
        assert_eq!(keymap.resolve(Mode::Filter, "z"), Some(Action::Type('z')));
        assert_eq!(keymap.resolve(Mode::Filter, "Space"), Some(Action::Type(' ')));
        assert_eq!(keymap.resolve(Mode::Filter, "Left"), None);
        assert_eq!(keymap.resolve(Mode::Filter, "Esc"), Some(Action::Command(Command::CancelFilter)));
    }
}
