//! Tests of what a terminal sends: no answer is a key, however it is cut, and keys are what somebody pressed.

use crossterm::event::{Event, KeyCode, MouseButton, MouseEventKind};
use proptest::prelude::*;
use proptest::sample::select;

use super::decode::Decoder;
use crate::keymap;

/// What comes of pieces; where a pause is, nothing more comes for long.
fn decode<'a>(pieces: impl IntoIterator<Item = (&'a [u8], bool)>) -> Vec<Event> {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for (piece, pause) in pieces {
        decoder.feed(piece, &mut events);
        if pause && decoder.patience().is_some() {
            decoder.give_up(&mut events);
        }
    }
    events
}

fn names(events: Vec<Event>) -> Vec<String> {
    let name = |event| match event {
        Event::Key(key) => keymap::name(key).unwrap_or_else(|| "release".to_owned()),
        other => format!("{other:?}"),
    };
    events.into_iter().map(name).collect()
}

fn keys(bytes: &[u8]) -> Vec<String> {
    names(decode([(bytes, true)]))
}

/// An answer of any kind that terminals know, with anything in it.
fn answer() -> impl Strategy<Value = Vec<u8>> {
    let string = (select(&b"P]X^_"[..]), "[ -~\u{a0}-\u{ffff}]{0,40}", any::<bool>()).prop_map(|(kind, text, bell)| {
        let end: &[u8] = if bell && kind == b']' { b"\x07" } else { b"\x1b\\" };
        [&[0x1b, kind], text.as_bytes(), end].concat()
    });
    let known = select(vec![
        "\x1b]11;rgb:ffff/ffff/ffff\x1b\\",
        "\x1b]4;7;rgba:00/qq/00/00\x07",
        "\x1b]52;c;cXVpdA==\x07",
        "\x1bP>|q/Term(1.2)\x1b\\",
        "\x1bP1+r544e=787465726d\x1b\\",
        "\x1bP1$r0;1m\x1b\\",
        "\x1b_Gi=31;OK:q\x1b\\",
        "\x1b[?62;22;52c",
        "\x1b[>0;276;0c",
        "\x1b[=1;2c",
        "\x1b[24;80R",
        "\x1b[?24;80;1R",
        "\x1b[0n",
        "\x1b[?997;1n",
        "\x1b[?2026;2$y",
        "\x1b[?31u",
        "\x1b[>1;2q",
        "\x1b[8;24;80t",
        "\x1b[6;16;8t",
        "\x1b[4;600;800t",
        "\x1b[?1;0;256S",
        "\x1b[I",
        "\x1b[O",
        "\x1b[2;1;1;128;128;1;0x",
    ])
    .prop_map(|text| text.as_bytes().to_vec());
    let control = "\x1b\\[[?>=][0-9;:]{0,20}[$ '\"]{0,1}[@-~]".prop_map(String::into_bytes);
    prop_oneof![string, known, control]
}

/// What somebody presses: the bytes of a terminal, and the names.
const PRESSED: [(&str, &str); 32] = [
    ("j", "j"),
    ("q", "q"),
    ("/", "/"),
    ("G", "G"),
    ("]", "]"),
    ("[", "["),
    ("\\", "\\"),
    ("é", "é"),
    ("塩", "塩"),
    ("\r", "Enter"),
    ("\t", "Tab"),
    (" ", "Space"),
    ("\x7f", "Backspace"),
    ("\0", "C-Space"),
    ("\x04", "C-d"),
    ("\x1f", "C-7"),
    ("\x1b", "Esc"),
    ("\x1bx", "M-x"),
    ("\x1b]", "M-]"),
    ("\x1b[", "M-["),
    ("\x1bP", "M-P"),
    ("\x1bO", "M-O"),
    ("\x1b\x04", "C-M-d"),
    ("\x1b塩", "M-塩"),
    ("\x1b[A", "Up"),
    ("\x1bOB", "Down"),
    ("\x1b[1;2C", "S-Right"),
    ("\x1b[Z", "S-Tab"),
    ("\x1b[5~", "PgUp"),
    ("\x1bOP", "F1"),
    ("\x1b[15~", "F5"),
    ("\x1b[3;2~", "S-Delete"),
];

proptest! {
    #[test]
    fn no_answer_is_a_key_however_it_is_cut(answers in prop::collection::vec(answer(), 1..4), cut: prop::sample::Index) {
        let bytes = [answers.concat(), b"j".to_vec()].concat();
        let (before, behind) = bytes.split_at(cut.index(bytes.len()));
        prop_assert_eq!(names(decode([(before, false), (behind, true)])), ["j"]);
        // In single bytes.
        prop_assert_eq!(names(decode(bytes.chunks(1).map(|byte| (byte, false)))), ["j"]);
    }

    /// Then its beginning may have been told as a key, but never its rest.
    #[test]
    fn the_rest_of_an_answer_may_come_late(answer in answer(), cut: prop::sample::Index) {
        let at = cut.index(answer.len());
        let (before, behind) = answer.split_at(at);
        let seen = names(decode([(before, true), (behind, true), (b"j", true)]));
        let told = usize::from(at == 1 || at == 2);
        // Of what is only a byte long nobody can say that it was not typed; nor of a string that is not ended.
        if behind.len() > 2 {
            prop_assert!(seen.len() <= told + 1, "{seen:?}");
        }
        prop_assert_eq!(seen.last().map(String::as_str), Some("j"));
    }

    #[test]
    fn keys_are_what_was_pressed(pressed in prop::collection::vec(select(&PRESSED[..]), 0..20)) {
        let seen = names(decode(pressed.iter().map(|(bytes, _)| (bytes.as_bytes(), true))));
        let expected: Vec<_> = pressed.iter().map(|(_, name)| *name).collect();
        prop_assert_eq!(seen, expected);
    }

    /// A held key, or whole lines at once; only behind a lone Escape it is to be known whether it comes later.
    #[test]
    fn keys_that_come_together_are_what_was_pressed(pressed in prop::collection::vec(select(&PRESSED[..]), 0..20)) {
        let whole = |(bytes, _): &&(&str, &str)| bytes.len() != 2 && *bytes != "\x1b";
        let pressed: Vec<_> = pressed.iter().filter(whole).collect();
        let bytes: String = pressed.iter().map(|(bytes, _)| *bytes).collect();
        let expected: Vec<_> = pressed.iter().map(|(_, name)| *name).collect();
        prop_assert_eq!(keys(bytes.as_bytes()), expected);
    }

    #[test]
    fn pasted_text_stays_in_one_piece(text in "[ -~\n\x1b\u{a0}-\u{ffff}]{0,200}", cut: prop::sample::Index) {
        prop_assume!(!text.contains("\x1b[201~"));
        let bytes = format!("\x1b[200~{text}\x1b[201~j").into_bytes();
        let (before, behind) = bytes.split_at(cut.index(bytes.len()));
        let events = decode([(before, false), (behind, true)]);
        prop_assert_eq!(&events[0], &Event::Paste(text));
        prop_assert_eq!(names(events[1..].to_vec()), ["j"]);
    }

    #[test]
    fn any_bytes_leave_it_able_to_hear_a_key(pieces in prop::collection::vec(any::<(Vec<u8>, bool)>(), 0..8)) {
        let pieces = pieces.iter().map(|(piece, pause)| (piece.as_slice(), *pause));
        // Whatever is left over is given up; the piece behind it is not taken for its rest.
        let seen = names(decode(pieces.chain([(&b""[..], true), (&b"\r"[..], true), (&b"q"[..], true)])));
        prop_assert_eq!(seen.last().map(String::as_str), Some("q"));
    }
}

#[test]
fn what_is_typed_soon_after_escape_is_no_key_with_alt() {
    let typed = |piece: &'static [u8]| names(decode([(&b"\x1b"[..], false), (piece, true)]));
    assert_eq!(typed(b"q"), ["Esc", "q"]);
    assert_eq!(typed(b"]"), ["Esc", "]"]);
    assert_eq!(typed(b"["), ["Esc", "["]);
    assert_eq!(typed(b"O"), ["Esc", "O"]);
    assert_eq!(typed(b"\x1b"), ["Esc", "Esc"]);
    assert_eq!(typed(b"[A"), ["Up"], "what was cut is one key");
    // A key with Alt that is held.
    assert_eq!(keys(b"\x1b]\x1b]\x1b]"), ["M-]"; 3]);
}

#[test]
fn an_answer_without_an_end_is_given_up() {
    assert_eq!(names(decode([(&b"\x1b]11;rgb:ff"[..], true), (b"q", true)])), ["q"]);
    assert_eq!(names(decode([(&b"\x1b[?62;"[..], true), (b"q", true)])), ["q"]);
    assert_eq!(names(decode([(&b"\x1b]11;rgb:ff\x1b"[..], true), (b"\\", true), (b"q", true)])), ["q"]);
    // While it is waited for, typed keys do not make the wait any longer.
    let mut decoder = Decoder::default();
    decoder.feed(b"\x1b]11;", &mut Vec::new());
    assert!(decoder.patience().is_some() && !Decoder::is_no_typing(b"q") && Decoder::is_no_typing(&[b'f'; 40]));
}

#[test]
fn other_forms_of_keys_and_the_mouse_are_known() {
    for (bytes, expected) in [
        (&b"\x1b[[A"[..], "F1"),
        (b"\x1b[113u", "q"),
        (b"\x1b[113;5u", "C-q"),
        (b"\x1b[113;1:3u", "release"),
        (b"\x1b[57414u", "Enter"),
        (b"\x1b[27;5;105~", "C-i"),
        (b"\x1bOM", "Enter"),
        (b"\x1b[24~", "F12"),
        (b"\x1b[1;5H", "C-Home"),
    ] {
        assert_eq!(keys(bytes), [expected], "{}", bytes.escape_ascii());
    }
    let mouse = decode([(&b"\x1b[<0;3;4M\x1b[<0;3;4m\x1b[<35;3;4M\x1b[<65;1;1M\x1b[M !!\x1b[<0;0;99999M"[..], true)]);
    let mouse: Vec<_> = mouse
        .into_iter()
        .map(|event| match event {
            Event::Mouse(mouse) => (mouse.kind, mouse.column, mouse.row),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(mouse, [(MouseEventKind::Down(MouseButton::Left), 2, 3), (MouseEventKind::ScrollDown, 0, 0)]);
}

#[test]
fn of_a_long_paste_the_beginning_is_kept() {
    let text = "x".repeat(1 << 20);
    let events = decode([(format!("\x1b[200~{text}\x1b[201~q").as_bytes(), true)]);
    let [Event::Paste(kept), Event::Key(key)] = &events[..] else { panic!("{} events", events.len()) };
    assert_eq!((kept.len(), key.code), (64 << 10, KeyCode::Char('q')));
}
