//! Alerts: when they are raised, whom they name, when they end.
//!
//! Does not know how alerts are shown.

use std::fmt;
use std::sync::Arc;

use crate::event::{Comm, ProcKey};
use crate::filter::Filter;
use crate::text;

/// When too much is spawned, and when an alert is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlertRule {
    /// Forks per second, over [`AlertRule::window_ns`], from which on the alert is raised; 0 switches it off.
    pub spawns_per_s: f64,
    /// Threads per second that begin in processes beside their first ones, from which on another alert is raised; 0 switches
    /// it off.
    pub threads_per_s: f64,
    /// How long the average is taken, nanoseconds. The rule is judged each time a twentieth of it has passed.
    pub window_ns: u64,
    /// The alert ends when the rate has stayed below that limit `* clear_ratio` for `clear_ns`.
    pub clear_ratio: f64,
    /// How long it must have been calm for any alert to end; nanoseconds.
    pub clear_ns: u64,
}

impl Default for AlertRule {
    fn default() -> Self {
        Self {
            spawns_per_s: 200.0,
            threads_per_s: 1000.0,
            window_ns: 2_000_000_000,
            clear_ratio: 0.5,
            clear_ns: 3_000_000_000,
        }
    }
}

/// An alert is raised when this matches a process that it did not match before. It ends when none of them lives and
/// matches any more, and no other one has for [`AlertRule::clear_ns`].
#[derive(Clone, Debug, PartialEq)]
pub struct MatchRule {
    /// What it is called.
    pub name: Arc<str>,
    /// Who matches.
    pub filter: Filter,
}

/// What stage an alert is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertLevel {
    /// It lasts.
    Raised,
    /// It is over.
    Cleared,
}

/// What too many were begun of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spawn {
    /// Processes, by fork.
    Processes,
    /// Threads of processes.
    Threads,
}

impl Spawn {
    /// The limit that a rule has for it, per second.
    #[must_use]
    pub const fn limit(self, rule: &AlertRule) -> f64 {
        match self {
            Self::Processes => rule.spawns_per_s,
            Self::Threads => rule.threads_per_s,
        }
    }

    /// What its rate is called.
    #[must_use]
    pub const fn rate(self) -> &'static str {
        match self {
            Self::Processes => "spawn rate",
            Self::Threads => "thread rate",
        }
    }
}

/// Why an alert was raised.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// Too much was spawned.
    SpawnRate {
        /// Of what.
        of: Spawn,
        /// So many per second when it was last told of.
        rate: f64,
        /// Highest rate while it lasted: no rate that is shown meanwhile is higher.
        peak: f64,
        /// Share of all in the window that the culprit's subtree made, 0 to 1.
        share: f64,
    },
    /// Processes matched a rule.
    Match {
        /// The rule's name.
        rule: Arc<str>,
        /// How many since the alert was raised.
        count: u64,
    },
}

/// One alert, from its raise to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Counts up in the order in which they were raised.
    pub id: u64,
    /// When it was raised.
    pub raised_ns: u64,
    /// When it ended; `None` while it lasts.
    pub cleared_ns: Option<u64>,
    /// Why.
    pub cause: Cause,
    /// Whom it names. Of a match, who matched last. Of a spawn rate, who is behind it: the deepest process in the lineage
    /// of forks whose subtree made at least 60 % of the forks in the window; `None` when none stands out. Pid 1, from
    /// which all descends, only if it made that many itself.
    pub culprit: Option<ProcKey>,
    /// That process's name when the alert was raised or last changed.
    pub culprit_comm: Comm,
}

impl Alert {
    /// Its stage.
    #[must_use]
    pub const fn level(&self) -> AlertLevel {
        if self.cleared_ns.is_some() { AlertLevel::Cleared } else { AlertLevel::Raised }
    }

    /// How long it lasted, or has lasted by `now_ns`; nanoseconds.
    #[must_use]
    pub fn lasted_ns(&self, now_ns: u64) -> u64 {
        self.cleared_ns.unwrap_or(now_ns).saturating_sub(self.raised_ns)
    }

    /// The name of its rule: `spawn_rate`, `thread_rate`, or what the rule of a match is called.
    #[must_use]
    pub fn rule(&self) -> &str {
        match &self.cause {
            Cause::SpawnRate { of: Spawn::Processes, .. } => "spawn_rate",
            Cause::SpawnRate { of: Spawn::Threads, .. } => "thread_rate",
            Cause::Match { rule, .. } => rule,
        }
    }

    /// Name and pid of whom it names, harmless to print: `make [123]`.
    #[must_use]
    pub fn culprit_shown(&self) -> Option<String> {
        self.culprit.map(|key| format!("{} [{}]", text::readable(self.culprit_comm.as_bytes()), key.pid))
    }
}

impl fmt::Display for Alert {
    /// One sentence: what, how much, who.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cleared_ns) = self.cleared_ns {
            write!(f, "over after {}: ", text::duration(self.lasted_ns(cleared_ns)))?;
        }
        let culprit = self.culprit_shown();
        match &self.cause {
            &Cause::SpawnRate { of, rate, peak, share } => {
                match self.cleared_ns {
                    None => write!(f, "{} {rate:.0}/s", of.rate())?,
                    Some(_) => write!(f, "{} up to {peak:.0}/s", of.rate())?,
                }
                culprit.map_or(Ok(()), |name| write!(f, ": {:.0} % below {name}", 100.0 * share))
            }
            Cause::Match { rule, count } => {
                write!(f, "'{}' matched ", text::readable(rule.as_bytes()))?;
                match culprit {
                    Some(name) if *count == 1 => f.write_str(&name),
                    Some(name) => write!(f, "{count} processes, {name} the latest"),
                    None => write!(f, "{count} processes"),
                }
            }
        }
    }
}
