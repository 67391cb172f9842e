//! Where a process is: a cgroup in each hierarchy that there is, of which one path tells most.
//!
//! Pure: texts and paths go in. Does not know who is where; see [`crate::track`].

use std::fmt;
use std::sync::Arc;

use ptree_core::cgroup::most_telling_of;

/// Number of the unified hierarchy.
pub(crate) const UNIFIED: u32 = 0;

/// Paths by the number of their hierarchy, the highest first, as `/proc/PID/cgroup` has them. Shared by all that are in the
/// same places.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Places {
    paths: Arc<[(u32, Arc<[u8]>)]>,
    /// Of which this one tells most.
    most_telling: Option<usize>,
}

impl Places {
    fn new(paths: Vec<(u32, Arc<[u8]>)>) -> Self {
        // Without copying: which of the paths was taken is told by where it is.
        let told = most_telling_of(paths.iter().map(|(hierarchy, path)| (*hierarchy == UNIFIED, &**path)));
        let most_telling =
            told.and_then(|told| paths.iter().position(|(_, path)| std::ptr::eq(&raw const **path, told)));
        Self { paths: paths.into(), most_telling }
    }

    /// This one alone, if that is known.
    pub(crate) fn only(of: u32, path: Option<&Arc<[u8]>>) -> Self {
        Self::new(path.map(|path| (of, Arc::clone(path))).into_iter().collect())
    }

    /// Of the text of `/proc/PID/cgroup`; `None` where that has no path.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let line = |line: &[u8]| {
            let mut fields = line.splitn(3, |&byte| byte == b':');
            let (hierarchy, _, path) = (fields.next()?, fields.next()?, fields.next()?);
            // The kernel says so of a cgroup that was removed before its last process was waited for.
            let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
            Some((std::str::from_utf8(hierarchy).ok()?.parse().ok()?, path.into()))
        };
        let mut paths: Vec<_> = text.split(|&byte| byte == b'\n').filter_map(line).collect();
        paths.sort_by_key(|(hierarchy, _)| std::cmp::Reverse(*hierarchy));
        paths.dedup_by_key(|(hierarchy, _)| *hierarchy);
        (!paths.is_empty()).then(|| Self::new(paths))
    }

    /// The path in a hierarchy.
    pub(crate) fn path(&self, of: u32) -> Option<&Arc<[u8]>> {
        self.paths.iter().find(|(hierarchy, _)| *hierarchy == of).map(|(_, path)| path)
    }

    /// The path that tells most.
    pub(crate) fn told(&self) -> Option<&Arc<[u8]>> {
        self.most_telling.map(|at| &self.paths[at].1)
    }

    /// With this path in a hierarchy; `None` for none that is known.
    pub(crate) fn with(&self, of: u32, path: Option<&Arc<[u8]>>) -> Self {
        let mut paths: Vec<_> = self.paths.iter().filter(|(hierarchy, _)| *hierarchy != of).cloned().collect();
        if let Some(path) = path {
            let at = paths.partition_point(|(hierarchy, _)| *hierarchy > of);
            paths.insert(at, (of, Arc::clone(path)));
        }
        Self::new(paths)
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = self.paths.iter().map(|(hierarchy, path)| (hierarchy, path.escape_ascii().to_string()));
        f.debug_map().entries(paths).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_in_one_hierarchy_leaves_the_others() {
        let places =
            Places::read(b"4:pids:/\n12:cpu:/docker/x\n1:name=systemd:/a (deleted)\n0::/user.slice\n").unwrap();
        let path = |places: &Places, of| places.path(of).map(|path| path.to_vec());
        assert_eq!(
            [12, 4, 1, 0].map(|of| path(&places, of).unwrap()),
            [&b"/docker/x"[..], b"/", b"/a", b"/user.slice"]
        );
        assert_eq!(places.told().unwrap()[..], b"/user.slice"[..], "a slice tells more than a name");
        let id = format!("/docker/{}", "0a".repeat(32));
        let moved = places.with(4, Some(&id.as_bytes().into()));
        assert_eq!(moved.told().unwrap()[..], *id.as_bytes());
        assert_eq!(path(&moved, 12), path(&places, 12));
        assert_eq!(moved.with(4, Some(&b"/"[..].into())), places);
        assert_eq!(path(&moved.with(4, None), 4), None);
    }

    #[test]
    fn of_the_hierarchies_the_one_is_taken_that_tells_most() {
        let told = |text: &[u8]| Places::read(text).unwrap().told().unwrap().to_vec();
        assert_eq!(told(b"4:cpu:/a\n0::/b:c\n"), b"/b:c");
        assert_eq!(told(b"4:cpu:/lxc/a\n0::/\n"), b"/lxc/a");
    }

    #[test]
    fn what_is_no_such_text_has_no_place() {
        for text in [&b""[..], b"\n", b"x", b"a:b:c\n", b"99999999999::/\n"] {
            assert!(Places::read(text).is_none(), "{text:?}");
        }
    }
}
