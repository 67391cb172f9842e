//! What a finished process adds to the sums of the joined row that it is, or may come to be, a member of.
//!
//! Does not know the row.

use crate::event::ProcKey;
use crate::process::Process;
use crate::tree::{Summary, Tally, Totals};

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    cpu_ns: u64,
    lifetime_ns: u64,
    /// Of those that failed or have something below them. Every row has a share: few have this.
    more: Option<Box<More>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct More {
    failed: bool,
    /// It and all below it.
    all: Tally,
}

impl Share {
    /// Of a finished process whose subtree came to this when it was summed up, which may have been before it ended; where
    /// that is not known now, what was known before still holds.
    pub(crate) fn of(process: &Process, totals: Option<Totals>, before: Option<&Self>) -> Self {
        let Summary { cpu_ns, longest_ns, failed, .. } = Summary::of(process);
        let failed = failed > 0;
        let simple = Self { cpu_ns, lifetime_ns: longest_ns, more: None };
        let own = Tally { failed: failed.into(), ..simple.all() };
        let before = before.and_then(|before| before.more.as_ref()).map(|more| more.all);
        let all = totals.map(|totals| totals.tally).or(before).map_or(own, |all| all.at_least(own));
        let more = More { failed, all };
        Self { more: (more != simple.more()).then(|| Box::new(more)), ..simple }
    }

    fn more(&self) -> More {
        let simple = || More { failed: false, all: Tally { finished: 1, cpu_ns: self.cpu_ns, ..Tally::default() } };
        self.more.as_deref().copied().unwrap_or_else(simple)
    }

    /// It and all below it.
    pub(super) fn all(&self) -> Tally {
        self.more().all
    }

    pub(super) fn summary(&self, key: ProcKey) -> Summary {
        let More { failed, all } = self.more();
        Summary { count: 1, failed: failed.into(), cpu_ns: self.cpu_ns, longest_ns: self.lifetime_ns, first: key, all }
    }
}
