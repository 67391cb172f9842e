//! How a process is, in a word: the run states of the living, and how the dead ended.
//!
//! Does not know signals.

use crate::event::ExitStatus;
use crate::process::{Lifecycle, Process};

/// How a process may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Alive,
    Dead,
    Failed,
    Zombie,
    /// Alive, and this is its run state.
    Run(char),
}

impl State {
    /// Names, and the letters of those that have one.
    pub(crate) const NAMES: [(&'static str, &'static str, Self); 10] = [
        ("alive", "", Self::Alive),
        ("dead", "", Self::Dead),
        ("failed", "", Self::Failed),
        ("running", "R", Self::Run('R')),
        ("sleeping", "S", Self::Run('S')),
        ("waiting", "D", Self::Run('D')),
        ("idle", "I", Self::Run('I')),
        ("stopped", "T", Self::Run('T')),
        ("traced", "t", Self::Run('t')),
        ("zombie", "Z", Self::Zombie),
    ];

    /// The state of a name or of a letter, as `ps` writes it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let named = |(full, letter, _): &&(&str, &str, Self)| {
            full.eq_ignore_ascii_case(name) || !letter.is_empty() && *letter == name
        };
        Self::NAMES.iter().find(named).map(|(_, _, state)| *state)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, _, state)| *state == self).map_or("", |(name, _, _)| name)
    }

    /// How a process is, as exactly as it is known.
    pub(crate) fn of(process: &Process) -> Option<Self> {
        let exact = [Self::Zombie, Self::Failed, Self::Dead];
        let run = Self::NAMES.iter().map(|(_, _, state)| *state).filter(|state| matches!(state, Self::Run(_)));
        exact.into_iter().chain(run).chain([Self::Alive]).find(|state| state.is_of(process) == Some(true))
    }

    /// Whether a process is so; `None` where that is not known.
    pub(crate) fn is_of(self, process: &Process) -> Option<bool> {
        match (self, process.life()) {
            (Self::Alive, life) => Some(life == Lifecycle::Running),
            (Self::Dead, life) => Some(life != Lifecycle::Running),
            (Self::Failed, Lifecycle::Running) => Some(false),
            (Self::Failed, Lifecycle::Exited { status, .. }) => {
                (status != ExitStatus::Unknown).then_some(status.is_failure())
            }
            (Self::Zombie, Lifecycle::Exited { .. }) => Some(process.is_zombie()),
            (_, Lifecycle::Running) if process.state() == '?' => None,
            (Self::Zombie, Lifecycle::Running) => Some(process.state() == 'Z'),
            (Self::Run(state), life) => Some(life == Lifecycle::Running && process.state() == state),
        }
    }
}
