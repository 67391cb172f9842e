//! What the path of a cgroup tells: the systemd unit and the container that a process belongs to.

/// The innermost systemd unit: a service or a scope, or the slice where there is none.
#[must_use]
pub fn unit(path: &[u8]) -> Option<&[u8]> {
    let last = |ends: &[&[u8]]| segments(path).rev().find(|segment| ends.iter().any(|end| segment.ends_with(end)));
    last(&[b".service", b".scope"]).or_else(|| last(&[b".slice"]))
}

/// The id of the innermost container, or its name where it goes by that: docker, podman, containerd, CRI-O and
/// Kubernetes over them; LXC and systemd-nspawn.
#[must_use]
pub fn container(path: &[u8]) -> Option<&[u8]> {
    let mut above: &[u8] = b"";
    let mut found = None;
    for segment in segments(path) {
        found = id(segment).or_else(|| name(segment, above)).or(found);
        above = segment;
    }
    found
}

fn segments(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/').filter(|segment| !segment.is_empty())
}

/// `docker-ID.scope`, `libpod-ID.scope`, `cri-containerd-ID.scope`, `kubepods-pod1:cri-containerd:ID` or just `ID`.
fn id(segment: &[u8]) -> Option<&[u8]> {
    /// Hexadecimal digits of an id.
    const DIGITS: usize = 64;
    let segment = segment.strip_suffix(b".scope").unwrap_or(segment);
    let (before, id) = segment.split_at_checked(segment.len().checked_sub(DIGITS)?)?;
    // The monitor of a container has its id too, but is not in it.
    let inside = !before.ends_with(b"conmon-") && matches!(before.last(), None | Some(b'-' | b':'));
    (inside && id.iter().all(u8::is_ascii_hexdigit)).then_some(id)
}

/// `lxc.payload.NAME`, `NAME` below `lxc`, `machine-NAME.scope`.
fn name<'a>(segment: &'a [u8], above: &[u8]) -> Option<&'a [u8]> {
    let machine = || segment.strip_prefix(b"machine-")?.strip_suffix(b".scope");
    segment.strip_prefix(b"lxc.payload.").or_else(machine).or_else(|| (above == b"lxc").then_some(segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn of<'a>(path: &'a str, read: fn(&'a [u8]) -> Option<&'a [u8]>) -> Option<&'a str> {
        read(path.as_bytes()).map(|bytes| std::str::from_utf8(bytes).unwrap())
    }

    #[test]
    fn containers_are_known_by_the_paths_that_their_runtimes_make() {
        for path in [
            "/system.slice/docker-ID.scope",
            "/docker/ID",
            "/machine.slice/libpod-ID.scope/container",
            "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope",
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-ID.scope",
            "/kubepods/besteffort/pod12-34/ID",
            "/kubepods.slice/crio-ID.scope/init.scope",
            "/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:ID",
            "/docker/ID/system.slice/cron.service",
        ] {
            let path = path.replace("ID", ID);
            assert_eq!(of(&path, container), Some(ID), "{path}");
        }
        for (path, name) in [
            ("/lxc.payload.web/init.scope", "web"),
            ("/lxc/web", "web"),
            ("/machine.slice/machine-fedora.scope/payload", "fedora"),
        ] {
            assert_eq!(of(path, container), Some(name), "{path}");
        }
        let other = ID.replace('0', "f");
        assert_eq!(of(&format!("/docker/{other}/docker/{ID}"), container), Some(ID), "the innermost");
        for path in
            ["/", "", "/system.slice/cron.service", "/machine.slice/libpod-conmon-ID.scope", "/aID", "/user.slice"]
        {
            let path = path.replace("ID", ID);
            assert_eq!(of(&path, container), None, "{path}");
        }
    }

    #[test]
    fn the_unit_is_the_innermost_service_or_scope() {
        for (path, name) in [
            ("/system.slice/cron.service", Some("cron.service")),
            ("/system.slice/postgresql.service/worker", Some("postgresql.service")),
            ("/user.slice/user-1000.slice/session-2.scope", Some("session-2.scope")),
            ("/user.slice/user-1000.slice/user@1000.service/app.slice/dbus.service", Some("dbus.service")),
            ("/user.slice", Some("user.slice")),
            ("/", None),
            ("/docker/0123", None),
        ] {
            assert_eq!(of(path, unit), name, "{path}");
        }
    }
}
