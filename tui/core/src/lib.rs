//! The model behind ptree-tui: [`Event`]s go into an [`Engine`], which keeps the ancestry [`Tree`], statistics per user
//! and alerts, and says what changed as [`Delta`]s. [`Rows`] turns a tree into the lines of a screen.
//!
//! Pure on purpose: no clock (time comes in events and in [`Engine::tick`]), no I/O, no async, no terminal; hence
//! nothing here can fail.
#![forbid(unsafe_code)]

pub mod alert;
pub mod cgroup;
pub mod engine;
pub mod event;
pub mod facts;
pub mod filter;
mod heap;
mod intern;
pub mod killer;
pub mod process;
pub mod rate;
pub mod rows;
pub mod script;
pub mod session;
pub mod stats;
#[cfg(test)]
mod testing;
pub mod text;
pub mod tree;
pub mod users;

pub use alert::{Alert, AlertLevel, AlertRule, Cause, MatchRule, Spawn};
pub use engine::{Config, Delta, Engine};
pub use event::{Argv, Comm, Event, ExitStatus, LossCount, LossKind, ProcKey};
pub use facts::{Fact, Sort};
pub use filter::{Filter, FilterError};
pub use killer::{KillCause, Killer};
pub use process::{Image, Lifecycle, Origin, Process};
pub use rows::{Folds, Look, Row, RowId, Rows};
pub use session::{Session, Tty};
pub use stats::{Stats, UidStats};
pub use tree::{Lineage, Summary, Sums, Tally, Totals, Tree, Visit};
pub use users::Users;
