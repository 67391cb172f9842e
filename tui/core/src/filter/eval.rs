//! Judging processes by a filter.
//!
//! A walk to the ancestors is remembered for as long as the judge lives, so that judging all processes of a tree takes
//! one step up from each, however deep it is. The judge borrows the tree: what it remembers cannot become wrong.

use std::cell::RefCell;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::Filter;
use super::expr::{Compare, Expr, Op, Slot, Value, Word};
use crate::event::{Creds, ProcKey, Task};
use crate::facts::{self, Context, Kind, Reader, Unit};
use crate::killer::Sender;
use crate::process::{self, Origin, Process};
use crate::text::{Pattern, signal_name};

/// A filter in a context, for many processes.
#[expect(missing_debug_implementations, reason = "holds a closure")]
pub struct Judge<'f, 'c> {
    filter: &'f Filter,
    reader: Reader<'c>,
    /// By slot: whether something holds of a process or of one above it.
    from_here_up: Box<[RefCell<FxHashMap<ProcKey, bool>>]>,
    scratch: RefCell<Vec<u8>>,
}

impl<'f, 'c> Judge<'f, 'c> {
    pub(super) fn new(filter: &'f Filter, context: Context<'c>) -> Self {
        Self {
            filter,
            reader: Reader::new(context),
            from_here_up: (0..filter.slots).map(|_| RefCell::default()).collect(),
            scratch: RefCell::default(),
        }
    }

    /// Whether this process matches.
    #[must_use]
    pub fn matches(&self, process: &Process) -> bool {
        self.filter.uid.is_none_or(|uid| uid == process.creds().uid)
            && self.filter.expr.as_ref().is_none_or(|expr| self.holds(expr, process))
    }

    const fn context(&self) -> &Context<'c> {
        self.reader.context()
    }

    fn holds(&self, expr: &Expr, process: &Process) -> bool {
        match expr {
            Expr::All(parts) => parts.iter().all(|part| self.holds(part, process)),
            Expr::Any(parts) => parts.iter().any(|part| self.holds(part, process)),
            Expr::Not(inner) => !self.holds(inner, process),
            Expr::Parent(inner) => {
                let parent = self.context().tree.parent(process.key, self.context().lineage);
                parent.is_some_and(|parent| self.holds(inner, parent))
            }
            Expr::Ancestor(inner, slot) => self.above(process, *slot, |ancestor| self.holds(inner, ancestor)),
            Expr::Killer(inner) => {
                let sender = process.killer().and_then(|killer| killer.sender.as_ref());
                sender.is_some_and(|sender| {
                    let then = as_it_was(sender);
                    self.holds_of_sender(inner, &then, self.context().tree.get(sender.key))
                })
            }
            Expr::Word(word) => self.is_called(word, process),
            Expr::Pattern(pattern) => self.is_called_like(pattern, process),
            Expr::Compare(compare) => self.compares(compare, process).unwrap_or(false),
        }
    }

    /// Whether it holds of a process that sent a signal: by what was known of it `then`, and for all else by what is known
    /// `now`, should it be in the tree.
    fn holds_of_sender(&self, expr: &Expr, then: &Process, now: Option<&Process>) -> bool {
        match expr {
            Expr::All(parts) => parts.iter().all(|part| self.holds_of_sender(part, then, now)),
            Expr::Any(parts) => parts.iter().any(|part| self.holds_of_sender(part, then, now)),
            Expr::Not(inner) => !self.holds_of_sender(inner, then, now),
            Expr::Compare(compare) if compare.fact.is_of_sender() => self.holds(expr, then),
            Expr::Word(_) | Expr::Pattern(_) => self.holds(expr, then) || now.is_some_and(|now| self.holds(expr, now)),
            Expr::Compare(_) | Expr::Parent(_) | Expr::Ancestor(..) | Expr::Killer(_) => {
                now.is_some_and(|now| self.holds(expr, now))
            }
        }
    }

    fn is_called(&self, word: &Word, process: &Process) -> bool {
        let text = &word.text;
        text.occurs_in(process.comm().as_bytes())
            || text.occurs_in(facts::command_line(process).unwrap_or_default())
            || text.occurs_in((self.context().user)(process.creds().uid).as_bytes())
            || word.digits.is_some_and(|digits| begins_with(process.key.pid, digits))
    }

    fn is_called_like(&self, pattern: &Pattern, process: &Process) -> bool {
        let mut scratch = self.scratch.borrow_mut();
        pattern.occurs_in(process.comm().as_bytes(), &mut scratch)
            || facts::command_line(process).is_some_and(|line| pattern.occurs_in(line, &mut scratch))
            || pattern.occurs_in((self.context().user)(process.creds().uid).as_bytes(), &mut scratch)
    }

    /// `None` where the field is not known.
    fn compares(&self, Compare { fact, op, value }: &Compare, process: &Process) -> Option<bool> {
        let equal = match (fact.spec().kind, value) {
            (Kind::Figure(unit, read), Value::Figure(wanted)) => {
                let figure = read(&self.reader, process)?;
                // A moment is typed as how long ago it was.
                let wanted =
                    if unit == Unit::Instant { &self.context().now_ns.saturating_sub(*wanted) } else { wanted };
                return Some(match op {
                    Op::Less => figure < *wanted,
                    Op::AtMost => figure <= *wanted,
                    Op::More => figure > *wanted,
                    Op::AtLeast => figure >= *wanted,
                    Op::Unequal => figure != *wanted,
                    Op::Equal | Op::Match | Op::NoMatch => figure == *wanted,
                });
            }
            (Kind::Text(read, is), Value::Text(wanted)) => is(wanted, &read(&self.reader, process)?),
            (Kind::Text(read, _), Value::Pattern(pattern)) => {
                pattern.occurs_in(&read(&self.reader, process)?, &mut self.scratch.borrow_mut())
            }
            (Kind::State, Value::State(state)) => state.is_of(process)?,
            (Kind::Flag(read), Value::Flag(wanted)) => read(process) == *wanted,
            (Kind::Signal, Value::Signal(wanted)) => facts::signal(process)? == *wanted,
            (Kind::Signal, Value::Pattern(pattern)) => {
                let name = signal_name(facts::signal(process)?);
                pattern.occurs_in(name.as_bytes(), &mut self.scratch.borrow_mut())
            }
            (Kind::Subtree, Value::Subtree(pid, slot)) => {
                process.key.pid == *pid || self.above(process, *slot, |ancestor| ancestor.key.pid == *pid)
            }
            // The parser pairs fields with values of their kind.
            _ => return None,
        };
        Some(equal != matches!(op, Op::Unequal | Op::NoMatch))
    }

    /// Whether this holds of an ancestor.
    fn above(&self, process: &Process, slot: Slot, holds: impl Fn(&Process) -> bool) -> bool {
        let Some(known) = self.from_here_up.get(slot) else { return false };
        let mut found = false;
        let mut walked = Vec::new();
        for ancestor in self.context().tree.ancestors(process.key, self.context().lineage) {
            if let Some(&answer) = known.borrow().get(&ancestor.key) {
                found = answer;
                break;
            }
            walked.push(ancestor.key);
            if holds(ancestor) {
                found = true;
                break;
            }
        }
        known.borrow_mut().extend(walked.into_iter().map(|key| (key, found)));
        found
    }
}

/// What is known of a process by a signal that it sent, as it was then.
fn as_it_was(sender: &Sender) -> Process {
    let Sender { key, comm, uid } = *sender;
    let task = Task { creds: Creds { uid, ..Creds::default() }, comm, threads: 0, ..Task::of(key, ProcKey::SWAPPER) };
    let common = process::Context::new(&task, None, &crate::cgroup::Paths::default());
    Process::new(&task, Arc::new(common), ProcKey::SWAPPER, Origin::Inferred, key.start_ns)
}

/// Whether a number begins with these digits.
fn begins_with(number: u32, digits: u32) -> bool {
    std::iter::successors(Some(number), |&n| (n >= 10).then_some(n / 10)).any(|n| n == digits)
}

#[cfg(test)]
mod tests {
    use super::begins_with;

    #[test]
    fn a_number_begins_with_its_first_digits() {
        assert!([1, 12, 123, 1234].iter().all(|&digits| begins_with(1234, digits)));
        assert!([0, 2, 13, 234, 12345].iter().all(|&digits| !begins_with(1234, digits)));
        assert!(begins_with(0, 0) && !begins_with(10, 0));
    }
}
