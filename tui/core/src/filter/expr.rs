//! A filter in the form in which it is evaluated, and how that is written down again.
//!
//! Does not know how it is parsed or what is compared with it.

use std::fmt;

use super::lex::quoted;
use crate::facts::{Depends, Fact, State, Unit};
use crate::text::{Literal, Pattern, signal_name};

/// What must hold of a process.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    All(Vec<Expr>),
    Any(Vec<Expr>),
    Not(Box<Expr>),
    /// It holds of the parent.
    Parent(Box<Expr>),
    /// It holds of some ancestor; where a judge remembers of whom.
    Ancestor(Box<Expr>, Slot),
    /// It holds of who sent the signal that ended it.
    Killer(Box<Expr>),
    Word(Word),
    Pattern(Pattern),
    Compare(Compare),
}

/// Which of its memories a judge uses; numbered through within a filter.
pub(super) type Slot = usize;

/// A text to be found in what a process is called.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) text: Literal,
    /// The number that it is, for which pids may begin with it.
    pub(super) digits: Option<u32>,
}

impl Word {
    pub(super) fn new(text: &str) -> Self {
        let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        Self { text: Literal::new(text), digits: text.parse().ok().filter(|_| plain) }
    }
}

/// A fact compared with a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Compare {
    pub(super) fact: Fact,
    pub(super) op: Op,
    pub(super) value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Figure(u64),
    Text(Literal),
    Pattern(Pattern),
    State(State),
    Flag(bool),
    Signal(u8),
    /// The pid of whose subtree it is.
    Subtree(u32, Slot),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
    Match,
    NoMatch,
}

impl Op {
    /// As written; those of two characters before those that they begin with.
    const WRITTEN: [(&'static str, Self); 8] = [
        ("!=", Self::Unequal),
        ("!~", Self::NoMatch),
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("=", Self::Equal),
        ("<", Self::Less),
        (">", Self::More),
        ("~", Self::Match),
    ];

    /// The one that a text begins with.
    pub(super) fn beginning(text: &str) -> Option<Self> {
        Self::WRITTEN.iter().find(|(written, _)| text.starts_with(written)).map(|(_, op)| *op)
    }

    pub(super) fn written(self) -> &'static str {
        Self::WRITTEN.iter().find(|(_, op)| *op == self).map_or("", |(written, _)| written)
    }
}

impl Expr {
    /// What the verdict depends on.
    pub(super) fn depends(&self) -> Depends {
        let all = |parts: &[Self]| parts.iter().map(Self::depends).fold(Depends::default(), Depends::or);
        match self {
            Self::All(parts) | Self::Any(parts) => all(parts),
            Self::Not(inner) => inner.depends(),
            Self::Parent(inner) | Self::Ancestor(inner, _) => Depends { place: true, ..inner.depends() },
            // As it was then; what else is asked of it may change, or become known, later.
            Self::Killer(inner) => Depends { place: true, ..inner.depends() },
            Self::Word(_) | Self::Pattern(_) => Depends { names: true, ..Depends::default() },
            Self::Compare(compare) => compare.fact.depends(),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut joined = |parts: &[Self], word: &str| {
            f.write_str("(")?;
            for (n, part) in parts.iter().enumerate() {
                if n > 0 {
                    write!(f, " {word} ")?;
                }
                write!(f, "{part}")?;
            }
            f.write_str(")")
        };
        match self {
            Self::All(parts) => joined(parts, "and"),
            Self::Any(parts) => joined(parts, "or"),
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::Parent(inner) => write!(f, "parent:{inner}"),
            Self::Ancestor(inner, _) => write!(f, "ancestor:{inner}"),
            Self::Killer(inner) => write!(f, "killer:{inner}"),
            Self::Word(word) => f.write_str(&quoted(word.text.text())),
            Self::Pattern(pattern) => {
                f.write_str(Op::Match.written())?;
                f.write_str(&quoted(pattern.source()))
            }
            Self::Compare(compare) => compare.fmt(f),
        }
    }
}

impl fmt::Display for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.fact.name(), self.op.written())?;
        match &self.value {
            Value::Figure(figure) => {
                let unit = self.fact.unit();
                let written = unit.write(*figure);
                f.write_str(&if unit == Unit::Instant { quoted(&written) } else { written })
            }
            Value::Text(text) => f.write_str(&quoted(text.text())),
            Value::Pattern(pattern) => f.write_str(&quoted(pattern.source())),
            Value::State(state) => f.write_str(state.name()),
            Value::Flag(flag) => f.write_str(if *flag { "yes" } else { "no" }),
            Value::Signal(signal) => f.write_str(&signal_name(*signal)),
            Value::Subtree(pid, _) => write!(f, "{pid}"),
        }
    }
}
