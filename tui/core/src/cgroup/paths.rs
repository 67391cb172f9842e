//! Paths of the cgroups of the unified hierarchy by their ids, as many as fit.
//!
//! Whoever may make cgroups may make them without end, so both number and bytes are bounded: those that have been known
//! longest go first. An id is never given twice by a kernel, so none is wrong for having been kept.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    by_id: FxHashMap<u64, Arc<[u8]>>,
    /// In the order in which they came; some may have been removed since.
    order: VecDeque<u64>,
    bytes: usize,
}

impl Paths {
    /// So many at most.
    pub const MOST: usize = 16_384;
    /// Of so many bytes at most.
    pub const BYTES_MAX: usize = 4 << 20;

    /// The path of the cgroup with this id.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Arc<[u8]>> {
        self.by_id.get(&id)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Takes a path; whether it is another than was known.
    pub fn insert(&mut self, id: u64, path: &Arc<[u8]>) -> bool {
        match self.by_id.insert(id, Arc::clone(path)) {
            Some(old) if old == *path => return false,
            Some(old) => self.bytes -= old.len(),
            None => self.order.push_back(id),
        }
        self.bytes += path.len();
        while self.by_id.len() > Self::MOST || self.bytes > Self::BYTES_MAX {
            let Some(oldest) = self.order.pop_front() else { break };
            self.forget(oldest);
        }
        true
    }

    /// Forgets one that is there no more.
    pub fn remove(&mut self, id: u64) {
        self.forget(id);
        // What has been removed stays in the order until it is half of it.
        if self.order.len() > 2 * self.by_id.len() + 64 {
            self.order.retain(|id| self.by_id.contains_key(id));
        }
    }

    fn forget(&mut self, id: u64) {
        if let Some(path) = self.by_id.remove(&id) {
            self.bytes -= path.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Arc<[u8]> {
        text.as_bytes().into()
    }

    #[test]
    fn a_path_is_known_until_its_cgroup_is_removed() {
        let mut paths = Paths::default();
        assert!(paths.insert(7, &path("/a")) && !paths.insert(7, &path("/a")) && paths.insert(7, &path("/b")));
        assert_eq!(paths.get(7), Some(&path("/b")));
        paths.remove(7);
        assert!(paths.is_empty() && paths.bytes == 0);
    }

    #[test]
    fn cgroups_without_end_do_not_take_memory_without_end() {
        let long = path(&"x".repeat(1000));
        let mut paths = Paths::default();
        for id in 0..100_000 {
            paths.insert(id, &long);
        }
        assert!(paths.bytes <= Paths::BYTES_MAX && paths.order.len() == paths.len(), "{}", paths.order.len());
        assert!(paths.get(0).is_none() && paths.get(99_999).is_some(), "the latest are known");
        // Made and removed, others stay however many these are.
        for id in 100_000..300_000 {
            paths.insert(id, &path("/short"));
            paths.remove(id);
        }
        assert!(paths.get(99_999).is_some());
        assert!(paths.order.len() <= 2 * paths.len() + 65, "{}", paths.order.len());
        let mut many = Paths::default();
        for id in 0..100_000 {
            many.insert(id, &path("/"));
        }
        assert_eq!(many.len(), Paths::MOST);
    }
}
