//! What could be typed next: names of fields, and values where there are few, or of processes that are there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use rustc_hash::FxHashSet;

use super::PREFIXES;
use super::expr::Op;
use super::lex::{Cursor, quoted};
use super::names::Names;
use crate::facts::{Context, FACTS, Fact, Kind, Reader, State};
use crate::process::Process;
use crate::text::{readable, signal_names};

/// How many processes are asked for values at most: it is done while a key is pressed, however many there are.
const ASKED_MAX: usize = 10_000;

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
    complete_with(text, cursor, &Names::default(), None)
}

/// The same where filters have names, which are offered after `@`, and where the processes of a tree say which users,
/// names, units and containers there are: some ten thousand of them are asked.
#[must_use]
pub fn complete_with(text: &str, cursor: usize, names: &Names, known: Option<&Context<'_>>) -> Completion {
    let before = text.get(..cursor).unwrap_or(text);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+');
    let mut start = before.trim_end_matches(is_name).len();
    // A value may have other marks in it than a name.
    let is_bare = |c: char| !c.is_whitespace() && !"()=<>~!&|\"'".contains(c);
    let value = before.trim_end_matches(is_bare).len();
    if value < start && matches!(place(&before[..value]), Place::Value(_)) {
        start = value;
    }
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
            let fields = FACTS.iter().map(|spec| (spec.name, spec.about));
            let prefixes = PREFIXES.iter().map(|(prefix, description, _)| (*prefix, *description));
            let known = fields.chain(prefixes).filter(|(name, _)| begins(name));
            known.map(|(name, description)| Candidate { text: name.into(), description }).collect()
        }
        Place::Value(fact) => {
            let listed = values(fact).into_iter().map(|value| (value.clone(), value));
            let there = known.into_iter().flat_map(|known| there(fact, known));
            listed
                .chain(there.map(|(value, written)| (value.into(), written.into())))
                .filter(|(value, _)| begins(value))
                .map(|(_, text)| Candidate { text, description: "" })
                .collect()
        }
        Place::Elsewhere => Vec::new(),
    };
    Completion { range: start..before.len(), candidates }
}

/// What may stand at the end of a text.
enum Place {
    Term,
    Value(Fact),
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
                return Fact::named(name).filter(|_| is).map_or(Place::Elsewhere, Place::Value);
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
fn values(fact: Fact) -> Vec<Cow<'static, str>> {
    match fact.spec().kind {
        Kind::State => State::NAMES.iter().map(|(name, _, _)| (*name).into()).collect(),
        Kind::Flag(_) => vec!["yes".into(), "no".into()],
        Kind::Signal => signal_names().map(|(_, name)| name).collect(),
        Kind::Figure(..) | Kind::Text(..) | Kind::Subtree => Vec::new(),
    }
}

/// The values that a field has among the processes of a tree, where these are names; and how each is written in a filter.
fn there(fact: Fact, known: &Context<'_>) -> BTreeMap<String, String> {
    fn name(bytes: &[u8]) -> u128 {
        bytes.iter().fold(0, |all, &byte| all << 8 | u128::from(byte))
    }
    // What the value comes from, as a number: many processes have it in common.
    let source: fn(&Process) -> u128 = match fact {
        Fact::User => |process| process.creds().uid.into(),
        Fact::Name => |process| name(process.comm().as_bytes()),
        Fact::Terminal => |process| process.session().tty.map_or(0, |tty| name(tty.as_bytes())),
        Fact::Login => |process| process.session().login().map_or(u128::MAX, u128::from),
        Fact::Unit | Fact::Container => |process| process.cgroup().map_or(0, |path| path.as_ptr().addr() as u128),
        _ => return BTreeMap::new(),
    };
    let Kind::Text(read, _) = fact.spec().kind else { return BTreeMap::new() };
    let (reader, mut met) = (Reader::new(*known), FxHashSet::default());
    let processes = known.tree.iter().take(ASKED_MAX).filter(|process| met.insert(source(process)));
    processes
        .filter_map(|process| read(&reader, process))
        .filter_map(|value| match readable(&value) {
            Cow::Borrowed(text) if !text.is_empty() => Some((text.to_owned(), written(text))),
            // What does not print as it is cannot be typed either.
            _ => None,
        })
        .collect()
}

/// A value as it must be written: in quotes unless nothing in it could mean anything else.
fn written(value: &str) -> String {
    if value.chars().all(|c| c.is_alphanumeric() || "_-.:@/+".contains(c)) {
        return value.to_owned();
    }
    quoted(value)
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
            assert_eq!(candidates(text), ["comm", "container", "code", "core"], "{text}");
        }
        for text in
            ["x-co", "a.co", "\"a co", "comm=co", "comm ~ co", "pid=co", "x\"co", "nosuchfield=ru", "comm=\"x co"]
        {
            assert_eq!(candidates(text), [""; 0], "{text}");
        }
        assert_eq!(candidates("anc"), ["ancestor:"]);
        assert_eq!(candidates("").len(), FACTS.len() + PREFIXES.len());
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
            let candidates = complete_with(text, text.len(), &names, None).candidates;
            candidates.into_iter().map(|candidate| candidate.text.into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(offered("x or @b"), ["bad_ones", "builds"]);
        assert_eq!(offered("not @bu"), ["builds"]);
        assert_eq!(offered("comm=@b"), [""; 0]);
        assert_eq!(offered("x@b"), [""; 0]);
    }

    #[test]
    fn the_place_is_that_of_the_cursor() {
        let completion = complete("rs comm=x", 2);
        assert_eq!((completion.range, completion.candidates[0].text.as_ref()), (0..2, "rss"));
        assert_eq!(complete("é", 1).range, 2..2, "a cursor within a character is one at the end");
    }
}
