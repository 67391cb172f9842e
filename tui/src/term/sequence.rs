//! What a single byte or a whole sequence from a terminal means, as a key or a press of the mouse.
//!
//! Sequences that mean neither, such as answers, mean nothing. Does not know how bytes come.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// A key without modifiers.
pub(super) fn key(code: KeyCode) -> Event {
    Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

/// A letter or sign, typed.
pub(super) fn typed(byte: u8) -> Event {
    character(char::from(byte), false)
}

/// A letter or sign with Alt.
pub(super) fn alt(byte: u8) -> Event {
    character(char::from(byte), true)
}

pub(super) fn character(c: char, alt: bool) -> Event {
    let shift = if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
    let alt = if alt { KeyModifiers::ALT } else { KeyModifiers::NONE };
    Event::Key(KeyEvent::new(KeyCode::Char(c), shift | alt))
}

/// What a byte of ASCII but `ESC` means.
pub(super) fn control_or_ascii(byte: u8, alt: bool) -> Event {
    let alt = if alt { KeyModifiers::ALT } else { KeyModifiers::NONE };
    let control = |base: u8| (KeyCode::Char(char::from(base)), KeyModifiers::CONTROL);
    let (code, modifiers) = match byte {
        b'\r' => (KeyCode::Enter, KeyModifiers::NONE),
        b'\t' => (KeyCode::Tab, KeyModifiers::NONE),
        0x7f => (KeyCode::Backspace, KeyModifiers::NONE),
        0 => control(b' '),
        0x01..=0x1a => control(byte - 1 + b'a'),
        0x1b..=0x1f => control(byte - 0x1c + b'4'),
        _ => return character(char::from(byte), !alt.is_empty()),
    };
    Event::Key(KeyEvent::new(code, modifiers | alt))
}

/// What `ESC O` and this letter mean.
pub(super) fn ss3(letter: u8) -> Option<Event> {
    let code = match letter {
        // The keypad.
        b'M' => KeyCode::Enter,
        b'j'..=b'y' => KeyCode::Char(char::from(letter - b'j' + b'*')),
        _ => lettered(letter)?,
    };
    Some(key(code))
}

/// What `ESC [` with these parameters and this letter means.
pub(super) fn csi(parameters: &[u8], letter: u8) -> Option<Event> {
    match parameters {
        [b'<', rest @ ..] => return mouse(rest, letter),
        [b'['] => {
            let function = letter.checked_sub(b'A').filter(|n| *n < 5)?;
            return Some(key(KeyCode::F(function + 1)));
        }
        _ => {}
    }
    // Numbers alone: anything else is an answer.
    let numbers = numbers(parameters)?;
    let number = |at: usize| numbers.get(at).copied().unwrap_or([1, 1]);
    let [[first, _], [modifiers, kind]] = [number(0), number(1)];
    let (code, modifiers) = match letter {
        b'Z' => return Some(Event::Key(KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT))),
        b'~' if first == 27 => (coded(number(2)[0])?, modifiers),
        b'~' => (numbered(first)?, modifiers),
        b'u' => (coded(first)?, modifiers),
        // With parameters it tells where the cursor is; without them it is no key of any terminal.
        b'R' => return None,
        _ if numbers.len() > 2 || numbers.len() == 2 && first != 1 => return None,
        _ => (lettered(letter)?, modifiers),
    };
    let mut modifiers = pressed_with(modifiers);
    if let KeyCode::Char(c) = code
        && c.is_uppercase()
    {
        modifiers |= KeyModifiers::SHIFT;
    }
    let kind = match kind {
        2 => KeyEventKind::Repeat,
        3 => KeyEventKind::Release,
        _ => KeyEventKind::Press,
    };
    Some(Event::Key(KeyEvent::new_with_kind(code, modifiers, kind)))
}

/// `12;5:2` as numbers of two parts each; what is left out is 1. `None` for anything else.
fn numbers(text: &[u8]) -> Option<Vec<[u32; 2]>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let text = std::str::from_utf8(text).ok()?;
    let part = |part: Option<&str>| match part {
        None | Some("") => Some(1),
        Some(digits) => digits.parse().ok(),
    };
    let number = |number: &str| {
        let mut parts = number.split(':');
        Some([part(parts.next())?, part(parts.next())?])
    };
    text.split(';').map(number).collect()
}

fn pressed_with(modifiers: u32) -> KeyModifiers {
    let bits = modifiers.saturating_sub(1);
    let bit = |bit: u32, modifier| if bits & bit == 0 { KeyModifiers::NONE } else { modifier };
    bit(1, KeyModifiers::SHIFT) | bit(2, KeyModifiers::ALT) | bit(4, KeyModifiers::CONTROL)
}

fn lettered(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(letter - b'P' + 1),
        _ => return None,
    })
}

fn numbered(number: u32) -> Option<KeyCode> {
    let function = |first: u32, base: u32| u8::try_from(number - base + first).ok().map(KeyCode::F);
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => function(1, 11)?,
        17..=21 => function(6, 17)?,
        23..=26 => function(11, 23)?,
        28..=29 => function(15, 28)?,
        31..=34 => function(17, 31)?,
        _ => return None,
    })
}

/// A key told by its code point, as terminals do that somebody has left in such a mode.
fn coded(code: u32) -> Option<KeyCode> {
    Some(match code {
        9 => KeyCode::Tab,
        13 => KeyCode::Enter,
        27 => KeyCode::Esc,
        8 | 127 => KeyCode::Backspace,
        // The private area holds keys without a character; those of the keypad have the meaning of what is on them.
        57_399..=57_408 => KeyCode::Char(char::from_digit(code - 57_399, 10)?),
        57_414 => KeyCode::Enter,
        57_344..=63_743 => return None,
        _ => KeyCode::Char(char::from_u32(code).filter(|c| !c.is_control())?),
    })
}

/// A press of a button or a turn of the wheel; all else that a mouse tells means nothing here.
fn mouse(parameters: &[u8], letter: u8) -> Option<Event> {
    if letter != b'M' {
        return None;
    }
    let numbers = numbers(parameters)?;
    let &[[button, _], [column, _], [row, _]] = numbers.as_slice() else { return None };
    let kind = match button & !0b1_1100 {
        0 => MouseEventKind::Down(MouseButton::Left),
        1 => MouseEventKind::Down(MouseButton::Middle),
        2 => MouseEventKind::Down(MouseButton::Right),
        64 => MouseEventKind::ScrollUp,
        65 => MouseEventKind::ScrollDown,
        _ => return None,
    };
    let place = |at: u32| u16::try_from(at.saturating_sub(1)).ok();
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [(4, KeyModifiers::SHIFT), (8, KeyModifiers::ALT), (16, KeyModifiers::CONTROL)] {
        if button & bit != 0 {
            modifiers |= modifier;
        }
    }
    Some(Event::Mouse(MouseEvent { kind, column: place(column)?, row: place(row)?, modifiers }))
}
