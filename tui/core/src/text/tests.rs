//! Tests of what is made harmless and of what is made readable.

use proptest::prelude::*;

use super::*;
use crate::Argv;

#[test]
fn escaping_leaves_what_prints_and_takes_what_does_not() {
    for plain in ["", "ls -l", "naïve é e\u{301} 日本 👩 🎉 ❤\u{fe0f} 한", r"C:\path \n \xzz \x", "'quoted' \"too\""]
    {
        assert!(matches!(escape(plain.as_bytes()), Cow::Borrowed(text) if text == plain), "{plain}");
    }
    for (bytes, escaped) in [
        (&b"a\nb\x1b[31m\x7f"[..], r"a\x0ab\x1b[31m\x7f"),
        (b"caf\xe9 \xff\xfe", r"caf\xe9 \xff\xfe"),
        ("\u{85}\u{9b}".as_bytes(), r"\xc2\x85\xc2\x9b"),
        ("gnp\u{202e}exe.\u{2066}".as_bytes(), r"gnp\xe2\x80\xaeexe.\xe2\x81\xa6"),
        ("a\u{200b}b\u{feff}\u{e0041}".as_bytes(), r"a\xe2\x80\x8bb\xef\xbb\xbf\xf3\xa0\x81\x81"),
        ("\u{ffff}\u{3164}\u{2800}\u{e0100}".as_bytes(), r"\xef\xbf\xbf\xe3\x85\xa4\xe2\xa0\x80\xf3\xa0\x84\x80"),
        ("a\u{2028}b\u{fff9}".as_bytes(), r"a\xe2\x80\xa8b\xef\xbf\xb9"),
        (br"\x41 \xg1 \\x1B", r"\x5cx41 \xg1 \\x5cx1B"),
        (b"\\\x01\\x4\xff", r"\\x01\x4\xff"),
    ] {
        assert_eq!(escape(bytes), escaped);
        assert_eq!(unescape(escaped), bytes);
    }
}

/// What must not get through, and what makes escapes.
const HOSTILE: &[&str] = &[
    "\\x",
    "\\",
    "1b",
    "\u{1b}[31m",
    "\n",
    "\u{202e}",
    "\u{600}",
    "\u{fdd0}",
    "\u{10ffff}",
    "\u{e01ef}",
    "\u{200d}",
    "a",
];

#[test]
fn what_people_read_is_not_escaped_twice() {
    for plain in [r"a\x2db \x41", r"machine-qemu\x2d1\x2dvm.scope", r"\x20\x7e\x5", r"C:\x", "plain"] {
        assert!(matches!(readable(plain.as_bytes()), Cow::Borrowed(text) if text == plain), "{plain}");
    }
    for (bytes, text) in [
        (&b"a\x1bb\xff"[..], r"a\x1bb\xff"),
        (br"a\x1bb\xFF \x7f \x5c", r"a\x5cx1bb\x5cxFF \x5cx7f \x5cx5c"),
        (b"\\\n\\x2d\n", r"\\x0a\x2d\x0a"),
        ("\u{202e}".as_bytes(), r"\xe2\x80\xae"),
    ] {
        assert_eq!(readable(bytes), text);
    }
}

/// What a reader of [`readable`] text goes by.
fn meant(text: &str) -> Vec<u8> {
    let prints =
        |hex: &str| u8::from_str_radix(hex, 16).is_ok_and(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\');
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let hex = part.get(..2).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        match hex {
            Some(hex) if !prints(hex) => {
                bytes.push(u8::from_str_radix(hex, 16).unwrap());
                bytes.extend_from_slice(&part.as_bytes()[2..]);
            }
            _ => bytes.extend_from_slice(format!("\\x{part}").as_bytes()),
        }
    }
    bytes
}

proptest! {
    #[test]
    fn shown_text_has_one_meaning_and_holds_no_control(
        bytes in prop_oneof![
            any::<Vec<u8>>(),
            prop::collection::vec(prop::sample::select(&b"\\x0257aFcdf\x1b\xc2\x85\xe2\x80\xae"[..]), 0..24),
        ]
    ) {
        let text = readable(&bytes);
        prop_assert!(!text.chars().any(|c| c.is_control() || is_control(c)), "{text:?}");
        prop_assert_eq!(meant(&text), &*bytes, "{}", text);
    }

    #[test]
    fn escaped_text_gives_the_bytes_back_and_holds_no_control(
        bytes in prop_oneof![
            any::<Vec<u8>>(),
            any::<String>().prop_map(String::into_bytes),
            prop::collection::vec(prop::sample::select(HOSTILE), 0..12).prop_map(|parts| parts.concat().into_bytes()),
            prop::collection::vec(prop::sample::select(&b"\\x0aF\x1b\xc2\x85\xe2\x80\xae"[..]), 0..24),
        ]
    ) {
        let text = escape(&bytes);
        prop_assert!(!text.chars().any(|c| c.is_control() || is_control(c)), "{text:?}");
        prop_assert_eq!(harmless(&text), &*text, "it is harmless already");
        prop_assert_eq!(unescape(&text), bytes);
    }

    #[test]
    fn what_a_message_quotes_is_harmless_and_bounded(text in any::<String>(), times in 1..2000_usize, longest in 1..200_usize) {
        let flood = text.repeat(times.min(20_000 / text.len().max(1)));
        for (message, most) in [
            (quoted(&flood, longest), longest + 5),
            (path(Path::new(&flood)), 403),
        ] {
            prop_assert!(message.chars().count() <= most && !message.contains(is_control), "{message}");
        }
        prop_assert!(!harmless(&flood).contains(|c| c != '\n' && is_control(c)));
        prop_assert_eq!(harmless(&flood).matches('\n').count(), flood.matches('\n').count());
    }

    #[test]
    fn figures_fit_their_columns(n in any::<u64>(), shift in 0..64_u32) {
        let n = n >> shift;
        prop_assert!(bytes(n).len() <= 5, "{}", bytes(n));
        prop_assert!(duration(n).len() <= 8, "{}", duration(n));
    }
}

#[test]
fn durations_have_their_two_greatest_units() {
    const S: u64 = 1_000_000_000;
    const D: u64 = 86_400 * S;
    for (ns, text) in [
        (0, "0s"),
        (999, "999ns"),
        (850_000, "850us"),
        (12_999_999, "12ms"),
        (999_999_999, "999ms"),
        (S, "1.00s"),
        (1_249_999_999, "1.24s"),
        (60 * S - 1, "59.99s"),
        (60 * S, "1m"),
        (125 * S, "2m 5s"),
        (3600 * S - 1, "59m 59s"),
        (3600 * S, "1h"),
        (11_520 * S, "3h 12m"),
        (D, "1d"),
        (5 * D + 3_700 * S, "5d 1h"),
        (770 * D, "2y 40d"),
        (u64::MAX, "584y"),
    ] {
        assert_eq!(duration(ns), text, "{ns}");
    }
}

#[test]
fn bytes_are_rounded_to_at_most_three_digits() {
    for (n, text) in [
        (0, "0B"),
        (999, "999B"),
        (1000, "1.0K"),
        (1229, "1.2K"),
        (10_188, "9.9K"),
        (10_189, "10K"),
        (1_023_487, "999K"),
        (1_023_488, "1.0M"),
        (35 << 20, "35M"),
        (1 << 30, "1.0G"),
        (u64::MAX, "16E"),
    ] {
        assert_eq!(bytes(n), text, "{n}");
    }
}

#[test]
fn a_command_line_can_be_typed_into_a_shell() {
    let line = |args: &[&[u8]]| command_line(&Argv::from_args(args));
    assert_eq!(line(&[b"/bin/ls", b"-l", b"--color=auto", "é".as_bytes()]), "/bin/ls -l --color=auto é");
    assert_eq!(line(&[b"sh", b"-c", b"echo $HOME; it's", b"", b"~"]), r"sh -c 'echo $HOME; it'\''s' '' '~'");
    assert_eq!(line(&[b"a\nb", br"\x41", b"it's\\\xff"]), r"$'a\x0ab' '\x41' $'it\'s\\\xff'");
    assert_eq!(line(&["a\u{3000}b".as_bytes(), "\u{202e}".as_bytes()]), "'a\u{3000}b' $'\\xe2\\x80\\xae'");
    assert_eq!(line(&[]), "");
}

proptest! {
    #[test]
    fn a_command_line_holds_no_control(args in prop::collection::vec(any::<Vec<u8>>(), 0..4)) {
        let text = command_line(&Argv::from_args(args));
        prop_assert!(!text.chars().any(is_control), "{text:?}");
    }
}

#[test]
fn signals_have_the_names_of_kill_and_back() {
    let named = [(1, "SIGHUP"), (9, "SIGKILL"), (11, "SIGSEGV"), (15, "SIGTERM"), (31, "SIGSYS"), (0, "SIG0")];
    let rest = [(32, "SIG32"), (33, "SIG33"), (34, "SIGRTMIN"), (37, "SIGRTMIN+3"), (64, "SIGRTMAX"), (77, "SIG77")];
    for (number, name) in named.into_iter().chain(rest) {
        assert_eq!(signal_name(number), name);
    }
    for signal in 0..=u8::MAX {
        assert_eq!(signal_number(&signal_name(signal)), Some(signal));
    }
    assert_eq!(signal_number("SIGNOTHING"), None);
}

#[test]
fn messages_quote_as_much_as_tells_what_is_meant() {
    assert_eq!(quoted("a\nb", 9), r"'a\x0ab'");
    assert_eq!((quoted("塩塩塩", 3), quoted("塩塩塩塩", 3)), ("'塩塩塩'".to_owned(), "'塩塩塩...'".to_owned()));
    assert_eq!(shown(&[0xff; 1 << 20], 8), r"\xff\xff...");
    assert_eq!(
        [shown(b"ab", 0), shown_end(b"ab", 0), shown_end(b"ab", 1), shown_end(b"ab", 2)],
        ["...", "...", "...b", "ab"]
    );
    assert_eq!(path(Path::new("/a\n\u{1b}]0;T\u{7}b")), r"/a\x0a\x1b]0;T\x07b");
    let long = format!("/{}/name", "塩".repeat(400));
    assert_eq!(path(Path::new(&long)), format!("...{}/name", "塩".repeat(395)));
    let message = format!("the file '{}':\nno '\u{1b}[2J'", path(Path::new("\u{7f}")));
    assert_eq!(harmless(&message), "the file '\\x7f':\nno '\\x1b[2J'");
}
