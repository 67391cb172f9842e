//! Texts to look for in bytes: literal ones and regular expressions.
//!
//! Both are smart about case: a text without capitals matches letters of both cases, one with a capital is exact. In the
//! bytes searched, a NUL, as between arguments, counts as a space.

use memchr::memchr2_iter;
use regex::bytes::{Regex, RegexBuilder};

use super::folded;

/// A text to be found as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    text: String,
    exact: bool,
    /// What it is without regard to case, where other letters than those of ASCII have one.
    folded: Option<Vec<char>>,
    /// Which byte of it is looked for first: its rarest.
    rarest: usize,
}

/// Bytes of command lines, the most frequent first; all others are rare.
const FREQUENT: &[u8] = b" e/-rtsanioclmupd.b_hgf1y0kvxw2";

impl Literal {
    pub(crate) fn new(text: &str) -> Self {
        let rareness = |byte: u8| {
            let place = FREQUENT.iter().position(|&frequent| frequent == byte.to_ascii_lowercase());
            place.unwrap_or(FREQUENT.len())
        };
        let rarest = text.bytes().enumerate().max_by_key(|(_, byte)| rareness(*byte)).map_or(0, |(at, _)| at);
        let exact = text.chars().any(char::is_uppercase);
        let folded = (!exact && !text.is_ascii()).then(|| folded(text).collect());
        Self { text: text.to_owned(), exact, folded, rarest }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is all of these bytes.
    pub(crate) fn is(&self, bytes: &[u8]) -> bool {
        match &self.folded {
            Some(wanted) => std::str::from_utf8(bytes).is_ok_and(|text| spaced(text).eq(wanted.iter().copied())),
            None => bytes.len() == self.text.len() && self.same(bytes),
        }
    }

    /// Whether it occurs in these bytes.
    pub(crate) fn occurs_in(&self, bytes: &[u8]) -> bool {
        if let Some(wanted) = &self.folded {
            return bytes.utf8_chunks().any(|chunk| {
                let text = chunk.valid();
                text.char_indices().any(|(at, _)| wanted.iter().copied().eq(spaced(&text[at..]).take(wanted.len())))
            });
        }
        let typed = self.text.as_bytes();
        let Some(&rare) = typed.get(self.rarest) else { return true };
        let Some(last_start) = bytes.len().checked_sub(typed.len()) else { return false };
        let (one, other) = match rare {
            b' ' => (b' ', 0),
            _ if self.exact => (rare, rare),
            _ => (rare.to_ascii_lowercase(), rare.to_ascii_uppercase()),
        };
        let candidates = &bytes[self.rarest..=last_start + self.rarest];
        memchr2_iter(one, other, candidates).any(|at| self.same(&bytes[at..at + typed.len()]))
    }

    /// Compares bytes of the same length.
    fn same(&self, bytes: &[u8]) -> bool {
        let same = |(&byte, &typed): (&u8, &u8)| {
            let byte = if byte == 0 { b' ' } else { byte };
            byte == typed || !self.exact && byte.eq_ignore_ascii_case(&typed)
        };
        bytes.iter().zip(self.text.as_bytes()).all(same)
    }
}

/// A text without regard to case, with spaces between arguments.
fn spaced(text: &str) -> impl Iterator<Item = char> {
    folded(text).map(|c| if c == '\0' { ' ' } else { c })
}

/// A regular expression.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    source: String,
    regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Pattern {
    /// What a compiled expression may occupy, bytes.
    const SIZE_MAX: usize = 512 << 10;
    /// How deeply groups may be nested.
    const DEPTH_MAX: u32 = 50;

    /// Compiles it.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(crate) fn new(source: &str) -> Result<Self, String> {
        let regex = RegexBuilder::new(source)
            .case_insensitive(!has_capital(source))
            .size_limit(Self::SIZE_MAX)
            .dfa_size_limit(Self::SIZE_MAX)
            .nest_limit(Self::DEPTH_MAX)
            .build()
            .map_err(|error| complaint(&error))?;
        Ok(Self { source: source.to_owned(), regex })
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Whether it matches somewhere in these bytes; `scratch` is for what has to be copied.
    pub(crate) fn occurs_in(&self, bytes: &[u8], scratch: &mut Vec<u8>) -> bool {
        // The NUL behind the last argument separates it from nothing.
        let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
        if !bytes.contains(&0) {
            return self.regex.is_match(bytes);
        }
        scratch.clear();
        scratch.extend(bytes.iter().map(|&byte| if byte == 0 { b' ' } else { byte }));
        self.regex.is_match(scratch)
    }
}

/// Whether an expression has a capital that stands for itself: not that of a class such as `\S`.
fn has_capital(source: &str) -> bool {
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c.is_uppercase() {
            return true;
        }
    }
    false
}

/// The heart of a message that is several lines long.
fn complaint(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "this regular expression is too large".to_owned(),
        error => {
            let text = error.to_string();
            let line = text.lines().last().unwrap_or_default();
            format!("this regular expression does not work: {}", line.strip_prefix("error: ").unwrap_or(line))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(source: &str, bytes: &[u8]) -> bool {
        Pattern::new(source).unwrap().occurs_in(bytes, &mut Vec::new())
    }

    #[test]
    fn a_literal_is_found_anywhere_and_a_nul_is_a_space() {
        for (text, bytes) in
            [("", ""), ("", "x"), ("b", "abc"), ("c", "abc"), ("abc", "abc"), ("a b", "a\0b\0"), (" b", "a\0b")]
        {
            assert!(Literal::new(text).occurs_in(bytes.as_bytes()), "'{text}' in '{bytes}'");
        }
        for (text, bytes) in [("x", ""), ("ab", "b"), ("abcd", "abc"), ("a  b", "a\0b"), ("aab", "aaaa")] {
            assert!(!Literal::new(text).occurs_in(bytes.as_bytes()), "'{text}' in '{bytes}'");
        }
        assert!(Literal::new("a b").is(b"a\0b") && !Literal::new("a").is(b"ab"));
    }

    #[test]
    fn letters_of_all_scripts_have_two_cases() {
        let found = |typed: &str, text: &str| Literal::new(typed).occurs_in(text.as_bytes());
        let is = |typed: &str, text: &str| Literal::new(typed).is(text.as_bytes());
        for (typed, text) in [
            ("äöü", "ÄÖÜ"),
            ("äöü", "äÖü"),
            ("привет", "ПРИВЕТ"),
            ("σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("straße", "STRASSE"),
            ("é x", "É\0X"),
        ] {
            assert!(found(typed, text) && is(typed, text), "{typed} {text}");
            assert!(found(typed, &format!("ab{text}cd")) && !is(typed, &format!("{text}x")), "{typed} {text}");
        }
        // A capital is exact, and what is no text breaks none.
        assert!(!found("Äö", "äö") && found("Äö", "xÄö") && !found("äö", "xao"));
        assert!(Literal::new("äö").occurs_in(b"\xff\xc3\x84\xc3\x96") && !Literal::new("äö").is(b"\xff"));
    }

    #[test]
    fn case_counts_only_if_there_is_a_capital() {
        assert!(Literal::new("xorg").occurs_in(b"/bin/Xorg") && Literal::new("Xorg").occurs_in(b"/bin/Xorg"));
        assert!(!Literal::new("XORG").occurs_in(b"/bin/Xorg") && !Literal::new("xOrg").occurs_in(b"/bin/Xorg"));
        assert!(Literal::new("xorg").is(b"XORG") && !Literal::new("Xorg").is(b"xorg"));
        assert!(matches("x.rg$", b"Xorg") && matches(r"^\S+g$", b"XORG"));
        assert!(!matches("Xorg", b"xorg"));
        assert!(matches("été", "ÉTÉ".as_bytes()), "an expression knows all letters");
        assert!(Literal::new("été").occurs_in("ÉTÉ".as_bytes()), "and so does a literal");
    }

    #[test]
    fn an_expression_sees_a_command_line_with_spaces() {
        assert!(matches("^cc -o .* b$", b"cc\0-o\0a\0b\0"));
        assert!(matches("^cc$", b"cc\0") && matches("^$", b""));
    }

    #[test]
    fn what_is_wrong_with_an_expression_is_told_in_a_line() {
        let error = |source: &str| Pattern::new(source).unwrap_err();
        assert_eq!(error("(a"), "this regular expression does not work: unclosed group");
        assert_eq!(error("*"), "this regular expression does not work: repetition operator missing expression");
        assert_eq!(error(r"(\w{100}){100}"), "this regular expression is too large");
        assert_eq!(
            error(&("(".repeat(60) + &")".repeat(60))),
            "this regular expression does not work: exceed the maximum number of nested parentheses/brackets (50)"
        );
    }
}
