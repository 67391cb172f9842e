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
//! Parts: [`lex`] and [`parse`] turn a text into an [`expr`], [`eval`] judges by it. What may be asked of a process is the
//! table of [`facts`](crate::facts). Nothing here reads a clock or a user database: see [`Context`].

mod complete;
mod error;
mod eval;
mod expr;
mod lex;
mod names;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::facts::{Context, Depends};
use crate::process::Process;

pub use self::complete::{Candidate, Completion, complete, complete_with};
pub use self::error::FilterError;
pub use self::eval::Judge;
use self::expr::Expr;
pub use self::lex::quoted;
pub use self::names::Names;

/// How fields and texts are put together, for the help: what is typed, and what it means.
pub const SYNTAX: [(&str, &str); 8] = [
    ("sshd", "in name, command or user; begins the pid"),
    ("\"a b\"  'a b'", "a text with spaces, or with marks in it"),
    ("/^(cc|ld)$/  ~ld$", "a regular expression"),
    ("a b   a or b", "both; either; also &&, || and parentheses"),
    ("not a   !a", "what does not match"),
    ("= != < <= > >=", "compare a field; units: 10s 5MiB 10k 50%"),
    ("~ !~", "matches a regular expression, or does not"),
    ("@name", "what the config's filter of this name says"),
];

/// What may stand before any term: the prefix, what it means, an expression.
pub const PREFIXES: [(&str, &str, &str); 3] = [
    ("parent:", "holds of the parent", "parent:comm=make"),
    ("ancestor:", "holds of the parent or of one above", "ancestor:sshd"),
    ("killer:", "holds of who killed it by a signal", "killer:comm=cron.sh"),
];

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
