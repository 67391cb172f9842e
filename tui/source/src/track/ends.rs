//! Who has ended, so that neither a second record of an end nor a row brings anybody back: taking a process apart, its
//! memory above all, goes on long after its exit record, and until then passes show it.
//!
//! Bounded: an end is remembered while passes still show the process, and for one pass more. Does not know what a
//! process is.

use ptree_core::ProcKey;
use rustc_hash::FxHashSet;

/// Ends between two passes, beyond which the older ones are forgotten: for these to come twice, a thread would have to be
/// kept from running for seconds in the middle of its end.
const MOST: usize = 1 << 17;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// Told since the last pass, or shown by it.
    recent: FxHashSet<ProcKey>,
    /// Those before.
    older: FxHashSet<ProcKey>,
    in_pass: bool,
}

impl Ends {
    /// This one has ended.
    pub(super) fn insert(&mut self, key: ProcKey) {
        // While a pass runs, its rows may show whoever ended meanwhile: no more of them than the ring buffer holds.
        if self.recent.len() >= MOST && !self.in_pass {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(key);
    }

    /// Whether it has.
    pub(super) fn contains(&self, key: ProcKey) -> bool {
        self.recent.contains(&key) || self.older.contains(&key)
    }

    /// A pass begins.
    pub(super) const fn begin_pass(&mut self) {
        self.in_pass = true;
    }

    /// It has failed: nothing was shown.
    pub(super) const fn pass_failed(&mut self) {
        self.in_pass = false;
    }

    /// The pass has shown these.
    pub(super) fn finish_pass(&mut self, shown: impl Iterator<Item = ProcKey>) {
        self.in_pass = false;
        let still_there = shown.filter(|key| self.contains(*key)).collect();
        self.older = std::mem::replace(&mut self.recent, still_there);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(pid: u32) -> ProcKey {
        ProcKey::new(pid, 1_000)
    }

    #[test]
    fn an_end_is_remembered_as_long_as_passes_show_the_process() {
        let mut ends = Ends::default();
        ends.insert(key(1));
        ends.insert(key(2));
        for _ in 0..10 {
            ends.begin_pass();
            ends.finish_pass([key(1), key(3)].into_iter());
            assert!(ends.contains(key(1)) && !ends.contains(key(3)));
        }
        assert!(!ends.contains(key(2)), "gone since the first pass");
        ends.finish_pass(std::iter::empty());
        ends.finish_pass(std::iter::empty());
        assert!(!ends.contains(key(1)));
    }

    #[test]
    fn however_many_end_what_is_remembered_is_bounded_and_nothing_that_a_pass_may_show_is_forgotten() {
        let most = u32::try_from(MOST).unwrap();
        let mut ends = Ends::default();
        for pid in 0..3 * most {
            ends.insert(key(pid));
        }
        assert!(ends.recent.len() + ends.older.len() <= 2 * MOST);
        assert!((2 * most..3 * most).all(|pid| ends.contains(key(pid))));
        ends.begin_pass();
        for pid in 3 * most..5 * most {
            ends.insert(key(pid));
        }
        assert!((3 * most..5 * most).all(|pid| ends.contains(key(pid))));
        ends.finish_pass([key(4 * most)].into_iter());
        ends.finish_pass(std::iter::empty());
        assert!(ends.contains(key(4 * most)) && !ends.contains(key(0)));
        assert_eq!(ends.recent.len() + ends.older.len(), 1);
        ends.begin_pass();
        ends.pass_failed();
        for pid in 0..5 * most {
            ends.insert(key(pid));
        }
        assert!(ends.recent.len() + ends.older.len() <= 2 * MOST, "no pass is under way");
    }
}
