//! Which processes a user wants to see: a small language, the same on the screen, on the command line and for exports.
//!
//! ```text
//! sshd                              in the name, command line or user; or the pid begins with it
//! "with space"  /regex/  ~regex     the same, quoted or as a regular expression
//! comm=make  cpu>50%  argv~^cc      a field compared with a value: = != < <= > >= ~ !~
//! tree=1234                         the process 1234 and all below it
//! @name                             what the filter with this name says
//! parent:TERM  ancestor:TERM        it holds of the parent, of some ancestor
//! killer:TERM                       it holds of who sent the signal that ended it
//! a b   a and b   a or b   not a    also && || ! and parentheses; adjacency is `and`, which binds tighter than `or`
//! ```
//!
//! Case is smart in all texts: one without a capital matches both cases, one with a capital is exact. A comparison with
//! a field that is not known of a process does not hold, whatever the operator; `not` of it does.
//!
//! Parts: [`lex`] and [`parse`] turn a text into an [`expr`], [`eval`] judges by it, [`field`] is the table of what may
//! be asked. Nothing here reads a clock or a user database: see [`Context`].

mod complete;
mod error;
mod eval;
mod expr;
mod field;
mod lex;
mod names;
mod parse;
#[cfg(test)]
mod tests;
mod text;
mod value;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::process::Process;

pub use self::complete::{Candidate, Completion, complete, complete_with};
pub use self::error::FilterError;
pub use self::eval::{Context, Judge};
use self::expr::Expr;
pub use self::field::{FIELDS, Field, PREFIXES, SYNTAX};
pub use self::lex::quoted;
pub use self::names::Names;

/// What must hold of a process for it to be shown. The default matches everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    text: String,
    /// Shared, so that a copy costs next to nothing.
    expr: Option<Arc<Expr>>,
    depends: Depends,
    /// Memories that a judge needs.
    slots: usize,
    /// Only processes of this effective user.
    uid: Option<u32>,
}

/// What can change the verdict on a process, beside news of the process itself (its [`Delta`](crate::Delta)s `Added`,
/// `Changed`, `Moved` and `Ended`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depends {
    /// What it uses, measured anew: [`Delta::Measured`](crate::Delta::Measured).
    pub measured: bool,
    /// The share of a CPU among that, which is known only over some time.
    pub share: bool,
    /// Time that passes.
    pub time: bool,
    /// Other processes: ancestors, children. Then the other two concern those as well.
    pub place: bool,
    /// Names of users, which may come after the processes.
    pub names: bool,
}

impl Depends {
    const fn or(self, other: Self) -> Self {
        Self {
            measured: self.measured || other.measured,
            share: self.share || other.share,
            time: self.time || other.time,
            place: self.place || other.place,
            names: self.names || other.names,
        }
    }
}

impl Filter {
    /// From what a user typed, where no filter has a name.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Self::parse_with(text, &Names::default())
    }

    /// From what a user typed, in which `@name` stands for another filter.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse_with(text: &str, names: &Names) -> Result<Self, FilterError> {
        let (expr, slots) = parse::parse(text, names)?;
        let depends = expr.as_ref().map_or_else(Depends::default, Expr::depends);
        Ok(Self { text: text.to_owned(), expr: expr.map(Arc::new), depends, slots, uid: None })
    }

    /// The same, for processes of one effective user only; of all with `None`.
    #[must_use]
    pub fn of_user(self, uid: Option<u32>) -> Self {
        Self { uid, ..self }
    }

    /// The only user whose processes match.
    #[must_use]
    pub fn uid(&self) -> Option<u32> {
        self.uid
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether everything matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expr.is_none() && self.uid.is_none()
    }

    /// What can change a verdict.
    #[must_use]
    pub fn depends(&self) -> Depends {
        self.depends
    }

    /// For judging many processes of a tree that meanwhile stays as it is.
    #[must_use]
    pub fn judge<'c>(&self, context: Context<'c>) -> Judge<'_, 'c> {
        Judge::new(self, context)
    }

    /// Whether one process matches. Terms about ancestors walk up to the root: for many processes use [`Filter::judge`],
    /// which walks once.
    #[must_use]
    pub fn matches(&self, context: &Context<'_>, process: &Process) -> bool {
        self.judge(*context).matches(process)
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}

/// The expression as it was understood: every text in quotes, every group in parentheses. It parses to the same.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.as_ref().map_or(Ok(()), |expr| expr.fmt(f))
    }
}
