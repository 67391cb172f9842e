//! The alerts of the session, of all rules, in the order in which they were raised.
//!
//! Does not know when one is due.

use super::Delta;
use crate::alert::{Alert, Cause};
use crate::event::{Comm, ProcKey};

/// Alerts kept.
const ALERTS_MAX: usize = 100;
/// One that lasts is brought up to date this often.
pub(super) const UPDATE_NS: u64 = 1_000_000_000;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Alerts {
    kept: Vec<Alert>,
    raised: u64,
}

impl Alerts {
    pub(super) fn all(&self) -> &[Alert] {
        &self.kept
    }

    /// Raises one; its id.
    pub(super) fn raise(
        &mut self,
        now_ns: u64,
        cause: Cause,
        culprit: Option<(ProcKey, Comm)>,
        deltas: &mut Vec<Delta>,
    ) -> u64 {
        let id = self.raised;
        self.raised += 1;
        // Those that last are told anew and again: they stay, whatever others are raised meanwhile.
        if self.kept.len() >= ALERTS_MAX {
            let oldest = self.kept.iter().position(|alert| alert.cleared_ns.is_some()).unwrap_or(0);
            self.kept.remove(oldest);
        }
        let (culprit, culprit_comm) = culprit.map_or((None, Comm::default()), |(key, comm)| (Some(key), comm));
        self.kept.push(Alert { id, raised_ns: now_ns, cleared_ns: None, cause, culprit, culprit_comm });
        self.tell(id, deltas);
        id
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Alert> {
        self.kept.iter_mut().rev().find(|alert| alert.id == id)
    }

    /// Ends one.
    pub(super) fn clear(&mut self, id: u64, now_ns: u64, deltas: &mut Vec<Delta>) {
        if let Some(alert) = self.get_mut(id) {
            alert.cleared_ns = Some(now_ns);
        }
        self.tell(id, deltas);
    }

    /// Tells of one as it is now.
    pub(super) fn tell(&mut self, id: u64, deltas: &mut Vec<Delta>) {
        deltas.extend(self.get_mut(id).cloned().map(Delta::Alert));
    }
}
