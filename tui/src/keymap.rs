//! From a key press to an [`Action`]: names of keys, sequences of two, and lookup in the table of commands.
//!
//! Does not know what actions do.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::action::{Action, Mode, commands};

/// The name of a key as the table writes it: `j`, `G`, `C-d`, `S-Left`, `PgUp`, `Space`. `None` for a release and for
/// keys that are never bound.
#[must_use]
pub fn name(key: KeyEvent) -> Option<String> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let shift = key.modifiers.contains(KeyModifiers::SHIFT);
    let base = match key.code {
        KeyCode::Char(' ') => "Space".to_owned(),
        KeyCode::Char(c) if key.modifiers.contains(KeyModifiers::CONTROL) => c.to_ascii_lowercase().to_string(),
        KeyCode::Char(c) => c.to_string(),
        KeyCode::F(n) => format!("F{n}"),
        code => {
            let name = match code {
                KeyCode::Up => "Up",
                KeyCode::Down => "Down",
                KeyCode::Left => "Left",
                KeyCode::Right => "Right",
                KeyCode::PageUp => "PgUp",
                KeyCode::PageDown => "PgDn",
                KeyCode::Home => "Home",
                KeyCode::End => "End",
                KeyCode::Enter => "Enter",
                KeyCode::Esc => "Esc",
                KeyCode::Tab => "Tab",
                KeyCode::BackTab => "BackTab",
                KeyCode::Backspace => "Backspace",
                KeyCode::Delete => "Delete",
                _ => return None,
            };
            if shift { format!("S-{name}") } else { name.to_owned() }
        }
    };
    let control = if key.modifiers.contains(KeyModifiers::CONTROL) { "C-" } else { "" };
    let alt = if key.modifiers.contains(KeyModifiers::ALT) { "M-" } else { "" };
    Some(format!("{control}{alt}{base}"))
}

/// The state of the keyboard: the first key of an unfinished sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    may_act: bool,
    pending: Option<String>,
}

impl Keymap {
    /// With or without the keys that act on processes.
    #[must_use]
    pub const fn new(may_act: bool) -> Self {
        Self { may_act, pending: None }
    }

    /// Whether it has the keys that act on processes.
    #[must_use]
    pub const fn may_act(&self) -> bool {
        self.may_act
    }

    /// The first key of an unfinished sequence.
    #[must_use]
    pub fn pending(&self) -> Option<&str> {
        self.pending.as_deref()
    }

    /// What a key, by name, means in a mode. `None` for an unbound key and for the first of a sequence.
    pub fn resolve(&mut self, mode: Mode, key: &str) -> Option<Action> {
        let typed = match self.pending.take() {
            Some(first) => format!("{first} {key}"),
            None => key.to_owned(),
        };
        let prefix = format!("{typed} ");
        for spec in commands(self.may_act) {
            for bound in spec.keys_in(mode) {
                if *bound == typed {
                    return Some(Action::Command(spec.command));
                }
                if bound.starts_with(&prefix) {
                    self.pending = Some(typed);
                    return None;
                }
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
    use crate::action::Command;

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
        assert_eq!(key(KeyCode::F(10), KeyModifiers::NONE).as_deref(), Some("F10"));
        assert_eq!(key(KeyCode::Char(' '), KeyModifiers::NONE).as_deref(), Some("Space"));
        let release = KeyEvent::new_with_kind(KeyCode::Enter, KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(name(release), None);
    }

    #[test]
    fn sequences_need_both_keys_and_a_wrong_second_one_ends_them() {
        let mut keymap = Keymap::new(true);
        assert_eq!(keymap.resolve(Mode::Tree, "z"), None);
        assert_eq!(keymap.pending(), Some("z"));
        assert_eq!(keymap.resolve(Mode::Tree, "M"), Some(Action::Command(Command::FoldAll)));
        assert_eq!(keymap.resolve(Mode::Tree, "z"), None);
        assert_eq!(keymap.resolve(Mode::Tree, "x"), None);
        assert_eq!(keymap.resolve(Mode::Tree, "q"), Some(Action::Command(Command::Quit)));
    }

    #[test]
    fn without_leave_to_act_the_keys_for_it_are_not_bound() {
        for (may_act, wants) in [(true, Some(Action::Command(Command::Act))), (false, None)] {
            assert_eq!(Keymap::new(may_act).resolve(Mode::Tree, "F9"), wants);
        }
    }

    #[test]
    fn in_the_filter_line_letters_are_letters() {
        let mut keymap = Keymap::new(true);
        assert_eq!(keymap.resolve(Mode::Filter, "q"), Some(Action::Type('q')));
        assert_eq!(keymap.resolve(Mode::Filter, "z"), Some(Action::Type('z')));
        assert_eq!(keymap.resolve(Mode::Filter, "Space"), Some(Action::Type(' ')));
        assert_eq!(keymap.resolve(Mode::Filter, "Left"), None);
        assert_eq!(keymap.resolve(Mode::Filter, "Esc"), Some(Action::Command(Command::CancelFilter)));
    }
}
