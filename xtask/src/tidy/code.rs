//! Just enough of Rust's syntax for the rules: code without comments, text and tests, its words, and its paths.
//!
//! Knows no rule. Not a parser: macros are taken as they are written.

/// `text` with comments, string and character literals blanked, line for line.
pub(super) fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skip = comment(rest).or_else(|| literal(rest, out.chars().next_back()));
        let (part, blank) = skip.map_or((first.len_utf8(), false), |len| (len, true));
        let (part, after) = rest.split_at(part);
        out.extend(part.chars().map(|c| if blank && c != '\n' { ' ' } else { c }));
        rest = after;
    }
    out
}

/// Length of the comment that `text` begins with.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let mut rest = text.strip_prefix("/*")?;
    let mut depth = 1;
    while depth > 0 {
        let Some(close) = rest.find("*/") else { return Some(text.len()) };
        let open = rest[..close].find("/*").unwrap_or(close);
        depth = if open < close { depth + 1 } else { depth - 1 };
        rest = &rest[open + 2..];
    }
    Some(text.len() - rest.len())
}

/// Length of the literal that `text` begins with, after the character `before`.
fn literal(text: &str, before: Option<char>) -> Option<usize> {
    let in_word = before.is_some_and(is_word);
    // A prefix (b, c, r, br, cr) is part of the literal, unless it ends a longer word.
    let prefix = text.bytes().take(3).position(|byte| matches!(byte, b'"' | b'\'' | b'#'))?;
    if !matches!(&text[..prefix], "" | "b" | "c" | "r" | "br" | "cr") || (prefix > 0 && in_word) {
        return None;
    }
    let body = &text[prefix..];
    if text[..prefix].contains('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let inside = body[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(inside.find(&end).map_or(text.len(), |at| prefix + hashes + 1 + at + end.len()));
    }
    let mut chars = body.char_indices();
    let (_, quote) = chars.next()?;
    if quote == '\'' {
        // 'a is a lifetime; 'a' and '\n' are characters.
        let mut next = chars.clone().map(|(_, c)| c);
        if next.next()? != '\\' && next.next()? != '\'' {
            return None;
        }
    } else if quote != '"' {
        return None;
    }
    let mut escaped = false;
    for (at, c) in chars {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(prefix + at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// `code` with every item that only tests compile blanked, line for line.
pub(super) fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        let (before, item) = rest.split_at(at);
        out.push_str(before);
        let (item, after) = item.split_at(item_len(item));
        out.extend(item.chars().map(|c| if c == '\n' { c } else { ' ' }));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Length of the item that `code` begins with: up to its semicolon or closing brace.
fn item_len(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && matches!(c, ';' | '}') {
            return at + 1;
        }
    }
    code.len()
}

/// A word, a `::` or a single other character, and the line it is on, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
}

/// The words and signs of `code`.
pub(super) fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (line, text) in (1..).zip(code.lines()) {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let len = match first {
                _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                ':' if rest.starts_with("::") => 2,
                _ => first.len_utf8(),
            };
            let (token, after) = rest.split_at(len);
            tokens.push(Token { text: token, line });
            rest = after.trim_start();
        }
    }
    tokens
}

/// Every path of `tokens` with the line where it ends; the groups of `use std::{fs, io}` are spelled out.
pub(super) fn paths(tokens: &[Token<'_>]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let before = at;
        path(tokens, &mut at, "", &mut found);
        at = at.max(before + 1);
    }
    found
}

/// Takes the path at `at`, if there is one, behind `prefix`.
fn path(tokens: &[Token<'_>], at: &mut usize, prefix: &str, found: &mut Vec<(String, usize)>) {
    let mut path = prefix.to_string();
    let next = |at: usize| tokens.get(at).map_or("", |token| token.text);
    if path.is_empty() && next(*at) == "::" {
        *at += 1;
    }
    while next(*at).starts_with(is_word) {
        path.push_str(next(*at));
        *at += 1;
        if next(*at) != "::" {
            found.push((path, tokens[*at - 1].line));
            return;
        }
        path.push_str("::");
        *at += 1;
    }
    match next(*at) {
        "{" if !path.is_empty() => {
            *at += 1;
            while !matches!(next(*at), "}" | "") {
                let before = *at;
                self::path(tokens, at, &path, found);
                // `as name`, commas and whatever else stands between the paths of a group.
                while !matches!(next(*at), "," | "}" | "") {
                    *at += 1;
                }
                *at += usize::from(next(*at) == ",");
                *at = (*at).max(before + 1);
            }
            *at += usize::from(next(*at) == "}");
        }
        // `*` or the generic arguments of a turbofish: the path up to here counts.
        _ if path.len() > prefix.len() => found.push((path.trim_end_matches(':').into(), tokens[*at - 1].line)),
        "*" if !prefix.is_empty() => found.push((prefix.trim_end_matches(':').into(), tokens[*at].line)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_text_are_blanked_and_lines_kept() {
        let check = |text: &str, left: &str| {
            let code = code(text);
            assert_eq!(code.matches('\n').count(), text.matches('\n').count(), "{text}");
            assert_eq!(code.split_whitespace().collect::<Vec<_>>().join(" "), left, "{text}");
        };
        check("a // unsafe\nb", "a b");
        check("a /* x /* y */ z\n */ b /* open", "a b");
        check(r#"f("std::fs \" // no", 'x', '\'', '"') // g"#, "f( , , , )");
        check("r#\"a \"quoted\" b\"# + br\"\\\" + b'x' + c\"y\"", "+ + +");
        check("fn f<'a>(x: &'a str, y: &'static str) {}", "fn f<'a>(x: &'a str, y: &'static str) {}");
        check("super\"x\"", "super");
        check("r#type = for_r#\"x\"", "r#type = for_r#");
        check("\"open\nunsafe", "");
    }

    #[test]
    fn only_the_items_of_tests_are_taken_out() {
        let text = "a\n#[cfg(test)]\nmod oracle;\nb\n#[cfg(test)]\n#[expect(x)]\nmod t { fn f([u8; 2]) {} }\nc\n";
        assert_eq!(without_tests(text).split_whitespace().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(without_tests(text).lines().count(), text.lines().count());
        assert_eq!(without_tests("#[cfg(test)]\nmod open {").trim(), "");
    }

    fn path_list(code: &str) -> Vec<String> {
        paths(&tokens(code)).into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn paths_are_spelled_out() {
        assert_eq!(path_list("std::fs::read(x)"), ["std::fs::read", "x"]);
        assert_eq!(
            path_list("use std::{fs, io::{self as i, Read}, time::*};"),
            ["use", "std::fs", "std::io::self", "std::io::Read", "std::time"]
        );
        assert_eq!(path_list("::std::mem::size_of::<u8>()"), ["std::mem::size_of", "u8"]);
        assert_eq!(path_list("use std::{"), ["use"]);
    }

    #[test]
    fn a_path_tells_its_line() {
        assert_eq!(paths(&tokens("a\n\nuse std::{\n    fs,\n};"))[2], ("std::fs".into(), 4));
    }
}
