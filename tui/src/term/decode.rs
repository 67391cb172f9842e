//! The bytes of a terminal into keys, mouse and pasted text.
//!
//! A terminal also answers what was asked, by us or by whoever had it before: colours, its name, where the cursor is. An
//! answer may come late, in pieces, with any letters in it. Each is passed over as a whole: none of it is a key. What
//! begins like one and does not go on is a key after all, or is given up. Does not know clocks nor files: whoever feeds
//! it asks how long to wait for more, and says when nothing came.

use std::time::Duration;

use crossterm::event::{Event, KeyCode};

use super::sequence;

const ESC: u8 = 0x1b;
/// Escape alone is a key, once nothing has followed it for this long. Not to be noticed, and long enough for the rest of
/// a sequence that was cut in two on its way.
const KEY: Duration = Duration::from_millis(60);
/// An answer of which no more than its first two bytes has come may be a key with Alt.
const ALT: Duration = Duration::from_millis(150);
/// How long the end of an answer is waited for.
const ANSWER: Duration = Duration::from_secs(1);
/// How long the end of pasted text is waited for: what is lost of it would be taken for keys.
const PASTE: Duration = Duration::from_secs(5);
/// So many bytes at once are no key that somebody has typed.
const TYPED: usize = 8;
/// Bytes of pasted text that are kept. Nothing here takes longer texts.
const KEPT: usize = 64 << 10;
/// The longest sequence that means anything, bytes. The rest of a longer one is passed over with it.
const SEQUENCE: usize = 64;
const PASTE_END: &[u8] = b"\x1b[201~";

/// What has begun and has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Nothing.
    Ground,
    /// A character of several bytes.
    Char { bytes: Vec<u8>, alt: bool },
    /// `ESC`. What follows in the same piece belongs to it; what is typed behind it comes in another one.
    Escape { piece: u64 },
    /// `ESC O`: one more byte.
    Ss3 { piece: u64 },
    /// `ESC [`: parameters, then a letter.
    Csi { bytes: Vec<u8>, piece: u64 },
    /// Three bytes of a mouse that tells positions in single bytes.
    Mouse { left: u8 },
    /// A string: OSC, DCS, APC, PM or SOS.
    Answer(Answer),
    /// Between `ESC [ 200 ~` and `ESC [ 201 ~`.
    Paste(Vec<u8>),
}

/// A string of which nothing is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    /// The byte that tells its kind, behind `ESC`.
    kind: u8,
    /// Begun by one byte of the upper half instead of two: then one such byte ends it, too.
    single: bool,
    /// Nothing has come of it but its beginning.
    empty: bool,
    /// The last byte was `ESC`.
    escape: bool,
    piece: u64,
}

/// What was given up last, in case that its rest comes after all.
#[derive(Clone, Debug, PartialEq, Eq)]
enum GivenUp {
    Nothing,
    /// `ESC`, which was told as a key.
    Escape,
    /// `ESC [` with these parameters. Without any, it was told as a key as well.
    Csi(Vec<u8>),
    /// A string.
    Answer(Answer),
}

/// Takes bytes as they come.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    given_up: GivenUp,
    /// Number of the piece that is being taken.
    piece: u64,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { state: State::Ground, given_up: GivenUp::Nothing, piece: 0 }
    }
}

impl Decoder {
    /// Takes a piece, as one read has given it, and appends what it says.
    pub fn feed(&mut self, bytes: &[u8], events: &mut Vec<Event>) {
        self.piece += 1;
        let mut rest = bytes;
        let given_up = std::mem::replace(&mut self.given_up, GivenUp::Nothing);
        // Nobody types two keys at once, let alone these.
        match given_up {
            GivenUp::Escape if goes_on(bytes) => self.state = State::Escape { piece: self.piece },
            GivenUp::Csi(begun) if goes_on(&[b"[", bytes].concat()) && bytes.len() > 1 => {
                self.state = State::Csi { bytes: begun, piece: self.piece };
            }
            GivenUp::Answer(answer) => {
                let end = if answer.escape && bytes.starts_with(b"\\") {
                    Some(1)
                } else {
                    end_of_answer(bytes, answer.single)
                };
                rest = &bytes[end.unwrap_or(0)..];
            }
            GivenUp::Nothing | GivenUp::Escape | GivenUp::Csi(_) => {}
        }
        for &byte in rest {
            self.take(byte, events);
        }
    }

    /// How long to wait for more of what has begun, counted from its first piece or from the last that
    /// [`Decoder::is_no_typing`]; `None` when nothing has.
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        match &self.state {
            State::Ground => None,
            State::Escape { .. } | State::Ss3 { .. } => Some(KEY),
            State::Csi { bytes, .. } if bytes.is_empty() => Some(ALT),
            State::Answer(Answer { empty: true, .. }) => Some(ALT),
            State::Char { .. } | State::Csi { .. } | State::Mouse { .. } | State::Answer(_) => Some(ANSWER),
            State::Paste(_) => Some(PASTE),
        }
    }

    /// Whether a piece is no key that somebody has typed, but the middle of something long.
    #[must_use]
    pub const fn is_no_typing(bytes: &[u8]) -> bool {
        bytes.len() > TYPED
    }

    /// Nothing more has come: what has begun is taken for what it is, or given up.
    pub fn give_up(&mut self, events: &mut Vec<Event>) {
        // In one piece it is a key with Alt; otherwise Escape was typed before it.
        let mut key = |kind: u8, piece: u64| {
            if piece == self.piece {
                events.push(sequence::alt(kind));
            } else {
                events.extend([sequence::key(KeyCode::Esc), sequence::typed(kind)]);
            }
        };
        match std::mem::replace(&mut self.state, State::Ground) {
            State::Escape { .. } => {
                events.push(sequence::key(KeyCode::Esc));
                self.given_up = GivenUp::Escape;
            }
            State::Ss3 { piece } => key(b'O', piece),
            State::Csi { bytes, piece } => {
                if bytes.is_empty() {
                    key(b'[', piece);
                }
                self.given_up = GivenUp::Csi(bytes);
            }
            State::Answer(answer) => {
                if answer.empty && !answer.single {
                    key(answer.kind, answer.piece);
                }
                self.given_up = GivenUp::Answer(answer);
            }
            State::Paste(bytes) => events.push(pasted(&bytes)),
            State::Ground | State::Char { .. } | State::Mouse { .. } => {}
        }
    }

    fn begin_csi(&mut self) {
        self.state = State::Csi { bytes: Vec::new(), piece: self.piece };
    }

    fn begin_answer(&mut self, kind: u8, single: bool, piece: u64) {
        self.state = State::Answer(Answer { kind, single, empty: true, escape: false, piece });
    }

    fn take(&mut self, byte: u8, events: &mut Vec<Event>) {
        match std::mem::replace(&mut self.state, State::Ground) {
            State::Ground => self.plain(byte, false, events),
            State::Char { mut bytes, alt } => {
                if byte & 0xc0 != 0x80 {
                    // It was cut off.
                    return self.plain(byte, false, events);
                }
                bytes.push(byte);
                match std::str::from_utf8(&bytes) {
                    Ok(text) => events.extend(text.chars().map(|c| sequence::character(c, alt))),
                    Err(error) if error.error_len().is_none() => self.state = State::Char { bytes, alt },
                    Err(_) => {}
                }
            }
            State::Escape { piece } => self.escaped(byte, piece, events),
            State::Ss3 { .. } => events.extend(sequence::ss3(byte)),
            State::Csi { bytes, piece } => self.in_csi(byte, bytes, piece, events),
            State::Mouse { left: 1 } => {}
            State::Mouse { left } => self.state = State::Mouse { left: left - 1 },
            State::Answer(answer) => self.in_answer(byte, answer, events),
            State::Paste(bytes) => self.in_paste(byte, bytes, events),
        }
    }

    /// A byte that nothing has begun before.
    fn plain(&mut self, byte: u8, alt: bool, events: &mut Vec<Event>) {
        match byte {
            ESC => self.state = State::Escape { piece: self.piece },
            // What begins sequences in the upper half cannot begin a character.
            0x90 | 0x98 | 0x9d..=0x9f => self.begin_answer(byte - 0x40, true, self.piece),
            0x9b => self.begin_csi(),
            0xc2..=0xf4 => self.state = State::Char { bytes: vec![byte], alt },
            0x80.. => {}
            _ => events.push(sequence::control_or_ascii(byte, alt)),
        }
    }

    fn escaped(&mut self, byte: u8, piece: u64, events: &mut Vec<Event>) {
        match byte {
            // The first was a key; the second may begin something.
            ESC => {
                events.push(sequence::key(KeyCode::Esc));
                self.state = State::Escape { piece: self.piece };
            }
            b'[' => self.state = State::Csi { bytes: Vec::new(), piece },
            b'O' => self.state = State::Ss3 { piece },
            b'P' | b'X' | b']' | b'^' | b'_' => self.begin_answer(byte, false, piece),
            _ => {
                let alt = piece == self.piece;
                if !alt {
                    events.push(sequence::key(KeyCode::Esc));
                }
                self.plain(byte, alt, events);
            }
        }
    }

    fn in_csi(&mut self, byte: u8, mut bytes: Vec<u8>, piece: u64, events: &mut Vec<Event>) {
        match byte {
            // Begun anew. Alone, it was a key.
            ESC => {
                if bytes.is_empty() {
                    events.push(sequence::alt(b'['));
                }
                self.state = State::Escape { piece: self.piece };
            }
            // The keys F1 to F5 of the Linux console have another letter behind this one.
            b'[' if bytes.is_empty() => self.state = State::Csi { bytes: vec![byte], piece },
            b'M' if bytes.is_empty() => self.state = State::Mouse { left: 3 },
            0x40..=0x7e if bytes == b"200" && byte == b'~' => self.state = State::Paste(Vec::new()),
            0x40..=0x7e => events.extend(sequence::csi(&bytes, byte)),
            0x20..=0x3f => {
                if bytes.len() <= SEQUENCE {
                    bytes.push(byte);
                }
                self.state = State::Csi { bytes, piece };
            }
            // Controls are no part of it, and end it: one that is typed has its effect.
            _ => self.plain(byte, false, events),
        }
    }

    fn in_answer(&mut self, byte: u8, answer: Answer, events: &mut Vec<Event>) {
        let Answer { kind, single, empty, escape, piece } = answer;
        match byte {
            b'\\' if escape => {}
            // Something else has begun, so this was never to end: a key with Alt, when nothing had come of it.
            _ if escape => {
                self.state = State::Escape { piece: self.piece };
                if empty && !single {
                    events.push(sequence::alt(kind));
                }
                self.take(byte, events);
            }
            0x07 if kind == b']' => {}
            0x9c if single => {}
            // Cancel and substitute end any sequence.
            0x18 | 0x1a => {}
            ESC => self.state = State::Answer(Answer { escape: true, ..answer }),
            _ => self.state = State::Answer(Answer { kind, single, empty: false, escape, piece }),
        }
    }

    fn in_paste(&mut self, byte: u8, mut bytes: Vec<u8>, events: &mut Vec<Event>) {
        bytes.push(byte);
        if bytes.ends_with(PASTE_END) {
            return events.push(pasted(&bytes[..bytes.len() - PASTE_END.len()]));
        }
        // What is too much goes, but for what may be the beginning of the end.
        if bytes.len() >= KEPT + PASTE_END.len() {
            bytes.remove(KEPT);
        }
        self.state = State::Paste(bytes);
    }
}

fn pasted(bytes: &[u8]) -> Event {
    Event::Paste(String::from_utf8_lossy(bytes).into_owned())
}

/// Whether these bytes go on a sequence whose `ESC` was taken for a key.
fn goes_on(bytes: &[u8]) -> bool {
    match bytes {
        [b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| (0x40..=0x7e).contains(byte));
            let parameters = &rest[..end.unwrap_or(rest.len())];
            (end.is_some() || parameters.len() > 1) && parameters.iter().all(|byte| (0x20..=0x3f).contains(byte))
        }
        [b']' | b'P' | b'X' | b'^' | b'_', rest @ ..] => {
            rest.len() > 1 && (matches!(rest[0], b'0'..=b'9' | b'!'..=b'?') || end_of_answer(rest, false).is_some())
        }
        _ => false,
    }
}

/// Where the first string in these bytes ends, if it does.
fn end_of_answer(bytes: &[u8], single: bool) -> Option<usize> {
    let bell = bytes.iter().position(|&byte| byte == 0x07 || single && byte == 0x9c).map(|at| at + 1);
    let terminator = bytes.windows(2).position(|pair| pair == b"\x1b\\").map(|at| at + 2);
    // A single one may be a key.
    [bell, terminator].into_iter().flatten().min().filter(|&end| end > 1)
}
