//! From a text to an expression, by recursive descent.
//!
//! ```text
//! any      = all { ("or" | "||") all }
//! all      = unary { ["and" | "&&"] unary }
//! unary    = ("not" | "!" | "parent:" | "ancestor:" | "killer:") unary | "(" any ")" | term
//! term     = "@" NAME | FIELD OPERATOR value | QUOTED | "/" REGEX "/" | "~" REGEX | WORD
//! operator = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~"
//! ```

use std::ops::Range;

use super::error::{FilterError, quoted, suggestion};
use super::expr::{Compare, Expr, Op, Slot, Value, Word};
use super::lex::{Cursor, Unclosed};
use super::names::Names;
use crate::facts::{FACTS, Fact, Kind, State, Unit};
use crate::text::{Literal, Pattern, signal_named, signal_names};

/// Bytes of a filter at most.
const BYTES_MAX: usize = 4096;
/// How deeply terms may be nested.
const DEPTH_MAX: u32 = 64;
/// Regular expressions in a filter at most: each may occupy half a MiB.
const PATTERNS_MAX: u32 = 32;

type Result<T> = std::result::Result<T, FilterError>;

/// What other languages write, and what stands for it here.
const FOREIGN: [(&str, &str); 6] = [("===", "="), ("==", "="), ("=~", "~"), ("=>", ">="), ("=<", "<="), ("<>", "!=")];

/// The expression of a text, none where there is nothing but space, and how many slots it needs.
pub(super) fn parse(text: &str, names: &Names) -> Result<(Option<Expr>, Slot)> {
    let mut parser =
        Parser { cursor: Cursor::new(text), depth: 0, slots: 0, patterns: 0, names, within: Vec::new(), bytes: 0 };
    if text.len() > BYTES_MAX {
        let start = (0..=BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        return Err(parser.error(start..text.len(), format!("a filter is at most {BYTES_MAX} bytes long")));
    }
    match text.trim() {
        "" => return Ok((None, 0)),
        // Somebody types a longer word, or means the word.
        word if ["and", "or", "not"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) => {
            return Ok((Some(Expr::Word(Word::new(word))), 0));
        }
        _ => {}
    }
    let expr = parser.whole()?;
    Ok((Some(expr), parser.slots))
}

struct Parser<'t> {
    cursor: Cursor<'t>,
    depth: u32,
    slots: Slot,
    patterns: u32,
    names: &'t Names,
    /// The names that are being looked into.
    within: Vec<&'t str>,
    /// Bytes of the filters that names stood for so far.
    bytes: usize,
}

impl<'t> Parser<'t> {
    fn error(&self, range: Range<usize>, message: String) -> FilterError {
        FilterError::new(self.cursor.text(), range, message)
    }

    /// Something is missing at the cursor.
    fn missing(&self, what: &str) -> FilterError {
        let at = self.cursor.at();
        self.error(at..at, what.to_owned())
    }

    /// All of the text.
    fn whole(&mut self) -> Result<Expr> {
        let expr = self.any()?;
        if self.cursor.eat(")") {
            let at = self.cursor.at();
            return Err(self.error(at - 1..at, "no parenthesis is open here".to_owned()));
        }
        Ok(expr)
    }

    fn any(&mut self) -> Result<Expr> {
        let mut parts = vec![self.all()?];
        while self.cursor.eat("||") || self.cursor.eat_keyword("or") {
            parts.push(self.all()?);
        }
        Ok(joined(parts, Expr::Any))
    }

    /// Ends before what cannot belong to it, space skipped.
    fn all(&mut self) -> Result<Expr> {
        let mut parts = vec![self.unary()?];
        loop {
            self.cursor.skip_space();
            if !self.cursor.eat("&&") && !self.cursor.eat_keyword("and") {
                let rest = self.cursor.rest();
                let mut ahead = self.cursor;
                if rest.is_empty() || rest.starts_with(')') || rest.starts_with("||") || ahead.eat_keyword("or") {
                    return Ok(joined(parts, Expr::All));
                }
            }
            parts.push(self.unary()?);
        }
    }

    fn unary(&mut self) -> Result<Expr> {
        self.cursor.skip_space();
        let start = self.cursor.at();
        if self.depth == DEPTH_MAX {
            let message = format!("terms are nested more than {DEPTH_MAX} deep here");
            return Err(self.error(start..self.cursor.text().len(), message));
        }
        self.depth += 1;
        let expr = if self.cursor.eat("!") || self.cursor.eat_keyword("not") {
            Expr::Not(Box::new(self.unary()?))
        } else if self.eat_prefix("parent:") {
            Expr::Parent(Box::new(self.unary()?))
        } else if self.eat_prefix("ancestor:") {
            let slot = self.slot();
            Expr::Ancestor(Box::new(self.unary()?), slot)
        } else if self.eat_prefix("killer:") {
            Expr::Killer(Box::new(self.unary()?))
        } else if self.cursor.eat("(") {
            let inner = self.any()?;
            if !self.cursor.eat(")") {
                return Err(self.error(start..start + 1, "this parenthesis is not closed".to_owned()).unfinished());
            }
            inner
        } else {
            self.term()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn eat_prefix(&mut self, prefix: &str) -> bool {
        let is_there = self.cursor.rest().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        if is_there {
            self.cursor.take(prefix.len());
        }
        is_there
    }

    fn slot(&mut self) -> Slot {
        self.slots += 1;
        self.slots - 1
    }

    fn term(&mut self) -> Result<Expr> {
        let start = self.cursor.at();
        if let Some(name) = self.cursor.eat_reference() {
            return self.named(name, start);
        }
        if let Some((name, op)) = self.cursor.eat_comparison() {
            let Some(fact) = Fact::named(name) else {
                return Err(self.error(start..start + name.len(), no_field(name)));
            };
            let op_range = self.cursor.at() - op.written().len()..self.cursor.at();
            return self.compare(fact, op, op_range);
        }
        if let Some(text) = self.quoted()? {
            return Ok(Expr::Word(Word::new(&text)));
        }
        if let Some(source) = self.cursor.eat_slashed() {
            return self.pattern(start, &source).map(Expr::Pattern);
        }
        let rest = self.cursor.rest();
        if rest.is_empty() {
            return Err(self.missing("something to match is missing here"));
        }
        if rest.starts_with(')') || rest.starts_with("&&") || rest.starts_with("||") || self.at_keyword() {
            let end = start + if rest.starts_with(')') { 1 } else { self.word_len().max(2) };
            return Err(self.error(start..end, "something to match is missing before this".to_owned()));
        }
        if self.cursor.eat("~") {
            let (value_start, source) = self.regex(Op::Match)?;
            return self.pattern(value_start, &source).map(Expr::Pattern);
        }
        if let Some(op) = Op::beginning(rest) {
            let message =
                format!("a field is missing before '{}'; text with it in is searched for in quotes", op.written());
            return Err(self.error(start..start + op.written().len(), message));
        }
        Ok(Expr::Word(Word::new(self.cursor.eat_word())))
    }

    /// What `@name`, which began at `start`, stands for.
    fn named(&mut self, name: &'t str, start: usize) -> Result<Expr> {
        let range = self.cursor.since(start);
        let Some(filter) = self.names.get(name) else {
            let near = suggestion(name, self.names.iter());
            let hint = if near.is_empty() { "; text that begins with '@' is searched for in quotes" } else { &near };
            return Err(self.error(range, format!("no filter is called {}{hint}", quoted(name))));
        };
        self.bytes += filter.len();
        if self.within.contains(&name) {
            return Err(self.error(range, format!("'@{name}' stands for itself")));
        }
        if self.bytes > BYTES_MAX {
            return Err(self.error(range, format!("names in a filter stand for at most {BYTES_MAX} bytes")));
        }
        let outer = std::mem::replace(&mut self.cursor, Cursor::new(filter));
        self.within.push(name);
        let inner = self.whole();
        self.within.pop();
        self.cursor = outer;
        inner.map_err(|error| self.error(range, format!("in '@{name}': {}", error.message())))
    }

    fn at_keyword(&self) -> bool {
        let mut ahead = self.cursor;
        ["and", "or", "not"].iter().any(|keyword| ahead.eat_keyword(keyword))
    }

    fn word_len(&self) -> usize {
        self.cursor.name().len()
    }

    fn quoted(&mut self) -> Result<Option<String>> {
        let start = self.cursor.at();
        self.cursor
            .eat_quoted()
            .map_err(|Unclosed| self.error(start..start + 1, "this quote is not closed".to_owned()).unfinished())
    }

    /// The expression behind `~`, and where it begins.
    fn regex(&mut self, op: Op) -> Result<(usize, String)> {
        self.cursor.skip_space();
        let start = self.cursor.at();
        if let Some(source) = self.quoted()? {
            return Ok((start, source));
        }
        if let Some(source) = self.cursor.eat_slashed() {
            return Ok((start, source));
        }
        match self.cursor.eat_value() {
            "" => Err(self.missing(&format!("a regular expression is missing after '{}'", op.written()))),
            source => Ok((start, source.to_owned())),
        }
    }

    /// Compiles what was read from `start` to here.
    fn pattern(&mut self, start: usize, source: &str) -> Result<Pattern> {
        let range = self.cursor.since(start);
        self.patterns += 1;
        if self.patterns > PATTERNS_MAX {
            return Err(self.error(range, format!("a filter has at most {PATTERNS_MAX} regular expressions")));
        }
        Pattern::new(source).map_err(|message| self.error(range, message))
    }

    fn compare(&mut self, fact: Fact, op: Op, op_range: Range<usize>) -> Result<Expr> {
        let typed = &self.cursor.text()[op_range.start..];
        if let Some((foreign, ours)) = FOREIGN.iter().find(|(foreign, _)| typed.starts_with(foreign)) {
            let message = format!(
                "there is no '{foreign}' here: write '{ours}'; a value that begins with such a sign is put in quotes"
            );
            return Err(self.error(op_range.start..op_range.start + foreign.len(), message));
        }
        let (kind, ops) = (fact.spec().kind, ops(fact.spec().kind));
        if !ops.contains(&op) {
            let known: Vec<_> = ops.iter().map(|op| op.written()).collect();
            let message = format!("'{}' is compared by {} only", fact.name(), known.join(" "));
            return Err(self.error(op_range, message));
        }
        let value = if matches!(op, Op::Match | Op::NoMatch) {
            let (start, source) = self.regex(op)?;
            Value::Pattern(self.pattern(start, &source)?)
        } else {
            self.cursor.skip_space();
            let start = self.cursor.at();
            let text = match self.quoted()? {
                Some(text) => text,
                None => self.cursor.eat_value().to_owned(),
            };
            let range = self.cursor.since(start);
            if range.is_empty() {
                let wants = expectation(kind);
                return Err(self.missing(&format!("{wants} is missing after '{}'", op.written())));
            }
            self.value(kind, &text).map_err(|message| self.error(range, message))?
        };
        Ok(Expr::Compare(Compare { fact, op, value }))
    }

    /// The value of a field in a text, or a sentence on what is wrong with it.
    fn value(&mut self, kind: Kind, text: &str) -> std::result::Result<Value, String> {
        let wrong = || format!("{} is not {}", quoted(text), expectation(kind));
        Ok(match kind {
            Kind::Figure(unit, _) => Value::Figure(unit.parse(text).map_err(|wrong| wrong + instead(unit, text))?),
            Kind::Text(..) => Value::Text(Literal::new(text)),
            Kind::State => {
                let names = || State::NAMES.iter().map(|(name, _, _)| *name);
                let known = || format!("there is no state {}{}", quoted(text), one_of(text, names()));
                Value::State(State::named(text).ok_or_else(known)?)
            }
            Kind::Flag(_) => match text.to_ascii_lowercase().as_str() {
                "yes" | "true" => Value::Flag(true),
                "no" | "false" => Value::Flag(false),
                _ => return Err(wrong()),
            },
            Kind::Signal => Value::Signal(signal_named(text).ok_or_else(|| {
                let names: Vec<_> = signal_names().map(|(_, name)| name).collect();
                let bare = names.iter().map(|name| name.trim_start_matches("SIG"));
                let known = names.iter().map(AsRef::as_ref).chain(bare);
                format!("there is no signal {}{}", quoted(text), suggestion(text, known))
            })?),
            Kind::Subtree => Value::Subtree(text.parse().ok().ok_or_else(wrong)?, self.slot()),
        })
    }
}

/// What a fact may be compared by.
pub(super) const fn ops(kind: Kind) -> &'static [Op] {
    use Op::{AtLeast, AtMost, Equal, Less, Match, More, NoMatch, Unequal};
    match kind {
        // Nobody knows a moment to the nanosecond.
        Kind::Figure(Unit::Instant, _) => &[Less, AtMost, More, AtLeast],
        Kind::Figure(..) => &[Equal, Unequal, Less, AtMost, More, AtLeast],
        Kind::Text(..) | Kind::Signal => &[Equal, Unequal, Match, NoMatch],
        Kind::State | Kind::Flag(_) | Kind::Subtree => &[Equal, Unequal],
    }
}

/// What is asked for as a value.
fn expectation(kind: Kind) -> &'static str {
    match kind {
        Kind::Figure(unit, _) => unit.examples(),
        Kind::Text(..) => "a text",
        Kind::State => "a state, such as running or failed",
        Kind::Flag(_) => "yes or no",
        Kind::Signal => "a signal, such as KILL or 9",
        Kind::Subtree => "a process id",
    }
}

/// For the figure of another field: which that is.
fn instead(unit: Unit, text: &str) -> &'static str {
    if unit == Unit::Share && Unit::Time.parse(text).is_ok() { "; the field for CPU time is 'time'" } else { "" }
}

fn no_field(name: &str) -> String {
    let near = suggestion(name, FACTS.iter().map(|spec| spec.name));
    let hint = if near.is_empty() { "; text with an operator in is searched for in quotes" } else { &near };
    format!("there is no field {}{hint}", quoted(name))
}

/// The nearest, or all of them.
fn one_of<'a>(text: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    match suggestion(text, names.clone()) {
        near if near.is_empty() => format!("; there are {}", names.collect::<Vec<_>>().join(", ")),
        near => near,
    }
}

fn joined(mut parts: Vec<Expr>, join: fn(Vec<Expr>) -> Expr) -> Expr {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            join(parts)
        }
    }
}
