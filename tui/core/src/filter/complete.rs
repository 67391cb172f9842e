//! What could be typed next: names of fields, and values where there are few.

use std::borrow::Cow;
use std::ops::Range;

use super::expr::Op;
use super::field::{FIELDS, Field, Kind, PREFIXES, State, signal_names};
use super::lex::Cursor;
use super::names::Names;

/// Something that could be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What takes the place of the completed part.
    pub text: Cow<'static, str>,
    /// What it means, in one line; empty for a value.
    pub description: &'static str,
}

/// The part of a text that can be completed, and what to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Bytes of the text: what has been typed of a word. Empty where nothing has.
    pub range: Range<usize>,
    /// What begins like it, in the order of the help; empty where nothing does.
    pub candidates: Vec<Candidate>,
}

/// What the word before the cursor could become; `cursor` is a byte between two characters of the text.
#[must_use]
pub fn complete(text: &str, cursor: usize) -> Completion {
    complete_with(text, cursor, &Names::default())
}

/// The same where filters have names, which are offered after `@`.
#[must_use]
pub fn complete_with(text: &str, cursor: usize, names: &Names) -> Completion {
    let before = text.get(..cursor).unwrap_or(text);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+');
    let start = before.trim_end_matches(is_name).len();
    let typed = &before[start..];
    let begins = |name: &str| name.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed));
    let reference = before[..start].strip_suffix('@').filter(|before| matches!(place(before), Place::Term));
    let candidates = match place(&before[..start]) {
        _ if reference.is_some() => names
            .iter()
            .filter(|name| begins(name))
            .map(|name| Candidate { text: name.to_owned().into(), description: "a filter with a name" })
            .collect(),
        Place::Term => {
            let fields = FIELDS.iter().map(|field| (field.name, field.description));
            let prefixes = PREFIXES.iter().map(|(prefix, description, _)| (*prefix, *description));
            let known = fields.chain(prefixes).filter(|(name, _)| begins(name));
            known.map(|(name, description)| Candidate { text: name.into(), description }).collect()
        }
        Place::Value(field) => values(field)
            .into_iter()
            .filter(|name| begins(name))
            .map(|text| Candidate { text, description: "" })
            .collect(),
        Place::Elsewhere => Vec::new(),
    };
    Completion { range: start..before.len(), candidates }
}

/// What may stand at the end of a text.
enum Place {
    Term,
    Value(&'static Field),
    Elsewhere,
}

fn place(before: &str) -> Place {
    let mut cursor = Cursor::new(before);
    loop {
        cursor.skip_space();
        if cursor.rest().is_empty() {
            // A word goes on where there is no space behind it.
            return Place::Term;
        }
        let prefix = PREFIXES.iter().any(|(prefix, _, _)| cursor.eat(prefix));
        if prefix || ["(", ")", "!", "&&", "||"].iter().any(|mark| cursor.eat(mark)) {
            continue;
        }
        if let Some((name, op)) = cursor.eat_comparison() {
            cursor.skip_space();
            if cursor.rest().is_empty() {
                let is = matches!(op, Op::Equal | Op::Unequal);
                return Field::named(name).filter(|_| is).map_or(Place::Elsewhere, Place::Value);
            }
            if matches!(cursor.eat_quoted(), Ok(None)) {
                cursor.eat_value();
            }
        } else {
            match cursor.eat_quoted() {
                Err(_) => return Place::Elsewhere,
                Ok(None) if cursor.eat_slashed().is_none() => {
                    cursor.eat_word();
                }
                Ok(_) => {}
            }
        }
        let at_end = cursor.rest().is_empty();
        if at_end && !before.ends_with(char::is_whitespace) {
            return Place::Elsewhere;
        }
    }
}

/// The values that a field can have, where they can be listed.
fn values(field: &Field) -> Vec<Cow<'static, str>> {
    match field.kind {
        Kind::State => State::NAMES.iter().map(|(name, _, _)| (*name).into()).collect(),
        Kind::Flag(_) => vec!["yes".into(), "no".into()],
        Kind::Signal => signal_names().map(|(_, name)| name).collect(),
        Kind::Figure(..) | Kind::Text(..) | Kind::Subtree => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(text: &str) -> Vec<String> {
        complete(text, text.len()).candidates.into_iter().map(|candidate| candidate.text.into_owned()).collect()
    }

    #[test]
    fn fields_are_offered_where_a_term_can_be() {
        for text in
            ["co", "x co", "(co", "!co", "parent:co", "pid=1 or co", "x&&co", "\"a b\" co", "/a b/ CO", "comm~(a) co"]
        {
            assert_eq!(candidates(text), ["comm", "container", "code"], "{text}");
        }
        for text in
            ["x-co", "a.co", "\"a co", "comm=co", "comm ~ co", "pid=co", "x\"co", "nosuchfield=ru", "comm=\"x co"]
        {
            assert_eq!(candidates(text), [""; 0], "{text}");
        }
        assert_eq!(candidates("anc"), ["ancestor:"]);
        assert_eq!(candidates("").len(), FIELDS.len() + PREFIXES.len());
    }

    #[test]
    fn values_are_offered_where_there_are_few() {
        assert_eq!(candidates("state=ru"), ["running"]);
        assert_eq!(candidates("x state != s"), ["sleeping", "stopped"]);
        assert_eq!(candidates("kernel="), ["yes", "no"]);
        assert_eq!(candidates("signal=sigk"), ["SIGKILL"]);
        assert_eq!(candidates("signal=SIGRTMIN+2").len(), 11);
    }

    #[test]
    fn names_of_filters_are_offered_after_an_at() {
        let mut names = Names::default();
        names.insert("builds", "comm=make");
        names.insert("bad_ones", "state=failed");
        let offered = |text: &str| {
            let candidates = complete_with(text, text.len(), &names).candidates;
            candidates.into_iter().map(|candidate| candidate.text.into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(offered("x or @b"), ["bad_ones", "builds"]);
        assert_eq!(offered("not @bu"), ["builds"]);
        assert_eq!(offered("comm=@b"), [""; 0]);
        assert_eq!(offered("x@b"), [""; 0]);
    }

    #[test]
    fn the_place_is_that_of_the_cursor() {
        let completion = complete("ru comm=x", 1);
        assert_eq!((completion.range, completion.candidates[0].text.as_ref()), (0..1, "rss"));
        assert_eq!(complete("é", 1).range, 2..2, "a cursor within a character is one at the end");
    }
}
