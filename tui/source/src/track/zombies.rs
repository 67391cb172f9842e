//! Who has ended and was not asked for by its parent: it still takes a pid, and passes go on showing it.
//!
//! Most of the dead are such for a moment, so two passes have to agree. Bounded by what the kernel has. Does not know
//! who has ended.

use ptree_core::{Event, ProcKey};
use rustc_hash::FxHashSet;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Zombies {
    /// Told as zombies.
    told: FxHashSet<ProcKey>,
    /// Shown as such by the last pass, but not told.
    seen: FxHashSet<ProcKey>,
}

impl Zombies {
    /// This one was told as a zombie by what was said of it already.
    pub(super) fn insert(&mut self, key: ProcKey) {
        self.told.insert(key);
    }

    /// Whether it was.
    pub(super) fn contains(&self, key: ProcKey) -> bool {
        self.told.contains(&key)
    }

    /// A pass at `ts_ns` shows these, whose ends have been told, as zombies.
    pub(super) fn finish_pass(&mut self, ts_ns: u64, shown: FxHashSet<ProcKey>, out: &mut Vec<Event>) {
        let mut news: Vec<_> = shown.intersection(&self.seen).copied().collect();
        let mut gone: Vec<_> = self.told.difference(&shown).copied().collect();
        // A set's order is not the reader's business.
        for keys in [&mut news, &mut gone] {
            keys.sort_unstable_by_key(|key| key.birth());
        }
        for &key in &gone {
            self.told.remove(&key);
        }
        self.told.extend(&news);
        out.extend(gone.into_iter().map(|key| Event::Reaped { ts_ns, key }));
        out.extend(news.into_iter().map(|key| Event::Zombie { ts_ns, key }));
        self.seen = shown;
        self.seen.retain(|key| !self.told.contains(key));
    }
}
