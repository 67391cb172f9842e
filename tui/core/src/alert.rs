//! The spawn-rate alert: when it is raised, whom it names, when it ends.
//!
//! Does not know how alerts are shown.

use crate::event::ProcKey;

/// When too much is spawned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlertRule {
    /// Forks per second, over [`AlertRule::window_ns`], from which on the alert is raised; 0 switches it off.
    pub spawns_per_s: f64,
    /// How long the average is taken, nanoseconds. The rule is judged each time a twentieth of it has passed.
    pub window_ns: u64,
    /// The alert ends when the rate has stayed below `spawns_per_s * clear_ratio` for `clear_ns`.
    pub clear_ratio: f64,
    /// See `clear_ratio`; nanoseconds.
    pub clear_ns: u64,
}

impl Default for AlertRule {
    fn default() -> Self {
        Self { spawns_per_s: 200.0, window_ns: 2_000_000_000, clear_ratio: 0.5, clear_ns: 3_000_000_000 }
    }
}

/// What stage an alert is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertLevel {
    /// The rate is too high.
    Raised,
    /// It is over.
    Cleared,
}

/// One alert, from its raise to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// When it was raised.
    pub raised_ns: u64,
    /// When it ended; `None` while it lasts.
    pub cleared_ns: Option<u64>,
    /// Forks per second when raised.
    pub rate: f64,
    /// Highest rate while it lasted.
    pub peak: f64,
    /// Who is behind it: the deepest process in the lineage of forks whose subtree made at least 60 % of the forks in
    /// the window; `None` when none stands out. Pid 1, from which all descends, only if it made that many itself.
    pub culprit: Option<ProcKey>,
    /// That process's name when the alert was raised or last changed.
    pub culprit_comm: crate::Comm,
    /// Share of all forks in the window that the culprit's subtree made, 0 to 1.
    pub share: f64,
}

impl Alert {
    /// Its stage.
    #[must_use]
    pub const fn level(&self) -> AlertLevel {
        if self.cleared_ns.is_some() { AlertLevel::Cleared } else { AlertLevel::Raised }
    }
}

impl std::fmt::Display for Alert {
    /// One sentence: what, how much, who.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.cleared_ns {
            None => write!(f, "spawn rate {:.0}/s", self.rate)?,
            Some(cleared_ns) => {
                let lasted = crate::text::duration(cleared_ns.saturating_sub(self.raised_ns));
                write!(f, "over after {lasted}: spawn rate up to {:.0}/s", self.peak)?;
            }
        }
        if let Some(culprit) = self.culprit {
            let name = crate::text::escape(self.culprit_comm.as_bytes());
            write!(f, ": {:.0} % below {name} [{}]", 100.0 * self.share, culprit.pid)?;
        }
        Ok(())
    }
}
