//! The words of a filter: where they begin and end in the text. What they mean is the parser's business.

use std::ops::Range;

use super::expr::Op;

/// A place in a text, and what stands there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

/// A quote or a pattern between slashes that does not end.
#[derive(Debug)]
pub(super) struct Unclosed;

/// In quotes, so that in a filter it is one text whatever is in it.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// From a place before up to here.
    pub(super) fn since(&self, start: usize) -> Range<usize> {
        start..self.at
    }

    pub(super) fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    pub(super) fn take(&mut self, len: usize) -> &'t str {
        let taken = &self.rest()[..len];
        self.at += len;
        taken
    }

    pub(super) fn eat(&mut self, mark: &str) -> bool {
        let is_there = self.rest().starts_with(mark);
        self.at += if is_there { mark.len() } else { 0 };
        is_there
    }

    /// Takes one of the words `and`, `or`, `not`: in either case, and not as the beginning of another word.
    pub(super) fn eat_keyword(&mut self, keyword: &str) -> bool {
        let rest = self.rest();
        let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"' | '\'');
        let is_there = rest.get(..keyword.len()).is_some_and(|start| start.eq_ignore_ascii_case(keyword))
            && rest[keyword.len()..].chars().next().is_none_or(ends);
        self.at += if is_there { keyword.len() } else { 0 };
        is_there
    }

    /// The name that begins here: letters, digits, underscores and hyphens.
    pub(super) fn name(&self) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-')).unwrap_or(rest.len());
        if rest.starts_with(|c: char| c.is_ascii_digit() || c == '-') { "" } else { &rest[..end] }
    }

    /// The name of `@name`, unless something follows that makes it another word.
    pub(super) fn eat_reference(&mut self) -> Option<&'t str> {
        let name = self.rest().strip_prefix('@')?;
        let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len())];
        let after = &self.rest()[1 + name.len()..];
        let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')');
        if name.is_empty() || !(is_joint(after) || after.chars().next().is_none_or(ends)) {
            return None;
        }
        self.take(1 + name.len());
        Some(name)
    }

    /// Takes a name and the operator behind it, with or without space between; or nothing.
    pub(super) fn eat_comparison(&mut self) -> Option<(&'t str, Op)> {
        let name = self.name();
        let mut ahead = Self { at: self.at + name.len(), ..*self };
        ahead.skip_space();
        let op = Op::beginning(ahead.rest()).filter(|_| !name.is_empty())?;
        ahead.at += op.written().len();
        *self = ahead;
        Some((name, op))
    }

    /// Takes a text in quotes of either kind. Within them a backslash stands before a quote or a backslash; before all
    /// else it is itself.
    pub(super) fn eat_quoted(&mut self) -> Result<Option<String>, Unclosed> {
        let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '"' | '\'')) else { return Ok(None) };
        let mut out = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            let escaped = if c == '\\' { chars.next_if(|(_, next)| *next == quote || *next == '\\') } else { None };
            match escaped {
                Some((_, escaped)) => out.push(escaped),
                None if c == quote => {
                    self.at += at + 1;
                    return Ok(Some(out));
                }
                None => out.push(c),
            }
        }
        Err(Unclosed)
    }

    /// Takes what is between slashes, of which the second one ends a word: `/usr/bin` is none. A slash within has a
    /// backslash before it only where it would be the end.
    pub(super) fn eat_slashed(&mut self) -> Option<String> {
        let inner = self.rest().strip_prefix('/')?;
        let mut out = String::new();
        let mut chars = inner.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            match (c, chars.peek()) {
                ('\\', Some(&(_, next))) => {
                    if next != '/' {
                        out.push(c);
                    }
                    out.push(next);
                    chars.next();
                }
                ('/', next) if at > 0 && next.is_none_or(|(_, c)| c.is_whitespace() || *c == ')') => {
                    self.at += at + 2;
                    return Some(out);
                }
                _ => out.push(c),
            }
        }
        None
    }

    /// Takes a word: up to a space, a parenthesis, `&&` or `||`.
    pub(super) fn eat_word(&mut self) -> &'t str {
        let rest = self.rest();
        let ends = |(at, c): &(usize, char)| c.is_whitespace() || matches!(c, '(' | ')') || is_joint(&rest[*at..]);
        self.take(rest.char_indices().find(ends).map_or(rest.len(), |(at, _)| at))
    }

    /// Takes the value behind an operator: as a word, but with parentheses in it that close each other, as in `(sd-pam)`
    /// or `^(cc|ld)$`.
    pub(super) fn eat_value(&mut self) -> &'t str {
        let rest = self.rest();
        let (mut open, mut in_class) = (0_u32, false);
        let mut chars = rest.char_indices();
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => {
                    chars.next();
                }
                _ if c.is_whitespace() || open == 0 && is_joint(&rest[at..]) => {
                    end = at;
                    break;
                }
                '[' => in_class = true,
                ']' => in_class = false,
                _ if in_class => {}
                '(' => open += 1,
                ')' if open == 0 => {
                    end = at;
                    break;
                }
                ')' => open -= 1,
                _ => {}
            }
        }
        self.take(end)
    }
}

fn is_joint(text: &str) -> bool {
    text.starts_with("&&") || text.starts_with("||")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest_after<T>(text: &str, eat: impl Fn(&mut Cursor<'_>) -> T) -> (T, &str) {
        let mut cursor = Cursor::new(text);
        let taken = eat(&mut cursor);
        (taken, &text[cursor.at()..])
    }

    #[test]
    fn quotes_hold_anything_and_backslashes_that_mean_nothing_stay() {
        let quoted = |text| rest_after(text, |cursor| cursor.eat_quoted().ok().flatten());
        assert_eq!(quoted(r#""a b" c"#), (Some("a b".to_owned()), " c"));
        assert_eq!(quoted(r#""a\"\\\d""#), (Some(r#"a"\\d"#.to_owned()), ""));
        assert_eq!(quoted(r#"'"'x"#), (Some("\"".to_owned()), "x"));
        assert_eq!(quoted("a\"b\""), (None, "a\"b\""));
        assert!(Cursor::new("\"a").eat_quoted().is_err() && Cursor::new(r#""a\""#).eat_quoted().is_err());
    }

    #[test]
    fn slashes_are_an_expression_only_when_the_word_ends_with_one() {
        let slashed = |text| rest_after(text, |cursor| cursor.eat_slashed());
        assert_eq!(slashed("/a.*b/ c"), (Some("a.*b".to_owned()), " c"));
        assert_eq!(slashed("/a b/)"), (Some("a b".to_owned()), ")"));
        assert_eq!(slashed("/usr/bin/"), (Some("usr/bin".to_owned()), ""));
        assert_eq!(slashed(r"/a\/ \d/"), (Some(r"a/ \d".to_owned()), ""));
        for text in ["/usr/bin", "/", "//", "/a", r"/a\/", "a/b/"] {
            assert_eq!(slashed(text), (None, text));
        }
    }

    #[test]
    fn words_end_at_marks_and_values_keep_their_parentheses() {
        let word = |text| rest_after(text, |cursor| cursor.eat_word().to_owned());
        let value = |text| rest_after(text, |cursor| cursor.eat_value().to_owned());
        assert_eq!(word("don't=x|y&z(b"), ("don't=x|y&z".to_owned(), "(b"));
        assert_eq!(word("a&&b"), ("a".to_owned(), "&&b"));
        assert_eq!(value("^(cc|(a|b))$) x"), ("^(cc|(a|b))$".to_owned(), ") x"));
        assert_eq!(value(r"\([(]a||b"), (r"\([(]a".to_owned(), "||b"));
        assert_eq!(value("(a||b) c"), ("(a||b)".to_owned(), " c"));
        assert_eq!(value("(a b)"), ("(a".to_owned(), " b)"));
    }

    #[test]
    fn keywords_and_comparisons_are_told_from_words() {
        assert!(Cursor::new("NOT x").eat_keyword("not") && Cursor::new("not(x)").eat_keyword("not"));
        assert!(!Cursor::new("nothing").eat_keyword("not") && !Cursor::new("not-x").eat_keyword("not"));
        let comparison =
            |text| rest_after(text, |cursor| cursor.eat_comparison().map(|(name, op)| (name.to_owned(), op)));
        assert_eq!(comparison("pid <= 3"), (Some(("pid".to_owned(), Op::AtMost)), " 3"));
        assert_eq!(comparison("a_1!~b"), (Some(("a_1".to_owned(), Op::NoMatch)), "b"));
        for text in ["a.b=c", "--x=1", "9a=1", "a", "a !b", "=1", ""] {
            assert_eq!(comparison(text), (None, text));
        }
    }
}
