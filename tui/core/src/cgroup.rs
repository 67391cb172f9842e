//! What the path of a cgroup tells: the systemd unit and the container that a process belongs to; and which of the
//! paths of a process tells most.
//!
//! How container runtimes lay their paths out is the table in `layout.rs`. Whoever may make cgroups may name them: a path
//! tells what its maker says of it. Does not know files.

mod layout;
mod paths;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Reverse;

pub use paths::Paths;

use crate::text;

/// The longest name that a cgroup can have, bytes: what is longer is none.
const NAME_MAX: usize = 255;

/// Ends of the units that have cgroups, but for slices: those hold other units, hardly ever processes.
const UNITS: [&[u8]; 5] = [b".service", b".scope", b".socket", b".mount", b".swap"];

/// The innermost systemd unit, or the innermost slice where there is no other, as people write it: see [`readable`].
#[must_use]
pub fn unit(path: &[u8]) -> Option<Cow<'_, [u8]>> {
    let last = |ends: &[&[u8]]| segments(path).rev().find(|segment| is_unit(segment, ends));
    let segment = last(&UNITS).or_else(|| last(&[b".slice"]))?;
    // What could be taken for one of the kernel's files, such as `cpu.service`, systemd sets off with an underscore.
    Some(readable(segment.strip_prefix(b"_").unwrap_or(segment)))
}

/// The id of the innermost container, or its name where it goes by that, as people write it. A virtual machine that has
/// a cgroup is one too. What watches over a container from outside is not in it.
#[must_use]
pub fn container(path: &[u8]) -> Option<Cow<'_, [u8]>> {
    containers(path).last()
}

/// A name without the escapes that systemd writes into it: `qemu\x2d1\x2dvm` is `qemu-1-vm`.
#[must_use]
pub fn readable(name: &[u8]) -> Cow<'_, [u8]> {
    if name.contains(&b'\\') { Cow::Owned(text::undo(name)) } else { Cow::Borrowed(name) }
}

/// The path that tells most of those in the text of `/proc/PID/cgroup`, which has one for each hierarchy: that of a
/// container, else of a unit, else of a slice, else the deepest. Of equals the unified hierarchy's, or the first.
#[must_use]
pub fn most_telling(text: &[u8]) -> Option<&[u8]> {
    let lines = text.split(|&byte| byte == b'\n').filter_map(|line| {
        let mut fields = line.splitn(3, |&byte| byte == b':');
        let (hierarchy, _, path) = (fields.next()?, fields.next()?, fields.next()?);
        // The kernel says so of a cgroup that was removed before its last process was waited for.
        Some((hierarchy == b"0", path.strip_suffix(b" (deleted)").unwrap_or(path)))
    });
    most_telling_of(lines)
}

/// The same of paths that come as `/proc/PID/cgroup` has them, each with whether it is the unified hierarchy's.
pub fn most_telling_of<'a>(paths: impl Iterator<Item = (bool, &'a [u8])>) -> Option<&'a [u8]> {
    // The first of several greatest, as `min_by_key` of the reverse is.
    paths.min_by_key(|&(unified, path)| Reverse((says(path), unified))).map(|(_, path)| path)
}

/// How much a path tells: containers around the process, then units, then slices or, without any of these, levels.
fn says(path: &[u8]) -> [usize; 4] {
    let units = |ends: &[&[u8]]| segments(path).filter(|segment| is_unit(segment, ends)).count();
    let (containers, inner) = (containers(path).count(), units(&UNITS));
    match (containers, inner) {
        (0, 0) => match units(&[b".slice"]) {
            0 => [0, 0, 0, segments(path).count()],
            slices => [0, 0, slices, 0],
        },
        _ => [containers, inner, 0, 0],
    }
}

/// The containers around a process, the outermost first.
fn containers(path: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let mut rest = segments(path);
    std::iter::from_fn(move || {
        loop {
            let here = rest.clone();
            rest.next()?;
            let Some(found) = layout::first(&here) else { continue };
            for _ in 1..found.segments {
                rest.next();
            }
            if let Some(name) = found.name {
                return Some(readable(name));
            }
        }
    })
}

/// Names along a path. Seen from within a cgroup namespace, one outside of it begins with `/..`, which says nothing.
fn segments(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
    path.split(|&byte| byte == b'/').filter(|segment| !matches!(*segment, b"" | b".." | b"."))
}

fn is_unit(segment: &[u8], ends: &[&[u8]]) -> bool {
    segment.len() <= NAME_MAX && ends.iter().any(|end| segment.len() > end.len() && segment.ends_with(end))
}
