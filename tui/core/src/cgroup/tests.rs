//! Tests of what paths tell; each row of the table of layouts has its own in its examples.

use proptest::prelude::*;

use super::layout::LAYOUTS;
use super::*;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn text(name: Option<Cow<'_, [u8]>>) -> Option<String> {
    name.map(|name| String::from_utf8(name.into_owned()).unwrap())
}

fn unit_of(path: &str) -> Option<String> {
    text(unit(path.as_bytes()))
}

fn container_of(path: &str) -> Option<String> {
    text(container(path.as_bytes()))
}

#[test]
fn each_layout_is_known_by_its_examples() {
    for layout in LAYOUTS {
        assert!(!layout.examples.is_empty(), "{}", layout.runtime);
        for (path, name) in layout.examples {
            let name = name.map(|name| name.replace("ID", ID));
            assert_eq!(container_of(&path.replace("ID", ID)), name, "{}: {path}", layout.runtime);
        }
    }
}

#[test]
fn the_innermost_container_counts() {
    let inner = ID.replace('0', "f");
    for (path, name) in [
        (format!("/docker/{ID}/docker/{inner}"), &*inner),
        (format!("/kubepods/burstable/pod1/{ID}/kubepods/besteffort/pod2/{inner}"), &inner),
        (format!("/kubepods.slice/crio-{ID}.scope/system.slice/docker-{inner}.scope"), &inner),
        (format!("/lxc.payload.web/system.slice/docker-{ID}.scope"), ID),
        (format!("/docker/{ID}/lxc/web"), "web"),
        (format!("/docker/{ID}/machine.slice/libpod-conmon-{inner}.scope"), ID),
        (format!("/docker/{ID}/system.slice/cron.service"), ID),
    ] {
        assert_eq!(container_of(&path).as_deref(), Some(name), "{path}");
    }
}

#[test]
fn what_is_no_container_makes_none() {
    for path in [
        "/",
        "",
        "//",
        "/..",
        "/../..",
        "/user.slice/user-1000.slice/session-2.scope",
        "/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-firefox-1234.scope",
        "/system.slice/docker.service",
        "/system.slice/lxc.service",
        "/lxc.monitor/web/lxc.payload.",
        "/process_api/0123456789abcdef0123456789abcdef",
    ] {
        assert_eq!(container_of(path), None, "{path}");
    }
    let long = "x".repeat(256);
    for path in [format!("/lxc/{long}"), format!("/machine-{long}.scope"), format!("/{long}-{ID}")] {
        assert_eq!(container_of(&path), None, "longer than a name can be: {path}");
    }
}

#[test]
fn the_unit_is_the_innermost_that_is_no_slice() {
    for (path, name) in [
        ("/system.slice/cron.service", Some("cron.service")),
        ("/system.slice/postgresql.service/worker", Some("postgresql.service")),
        ("/system.slice/system-getty.slice/getty@tty1.service", Some("getty@tty1.service")),
        ("/init.scope", Some("init.scope")),
        ("/user.slice/user-1000.slice/session-2.scope", Some("session-2.scope")),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/dbus.service", Some("dbus.service")),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/app-a-1.scope", Some("app-a-1.scope")),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice", Some("user@1000.service")),
        ("/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service", Some("nginx.service")),
        ("/docker/0123/system.slice/cron.service", Some("cron.service")),
        ("/../cron.service", Some("cron.service")),
        ("/system.slice/mnt-data.mount", Some("mnt-data.mount")),
        ("/system.slice/dev-sda2.swap", Some("dev-sda2.swap")),
        ("/system.slice/docker.socket", Some("docker.socket")),
        // Names that the kernel might give to its files.
        ("/system.slice/_cpu.service", Some("cpu.service")),
        ("/system.slice/_cgroup.test.service/x", Some("cgroup.test.service")),
        ("/system.slice/__x.service", Some("_x.service")),
        ("/_cpu.slice", Some("cpu.slice")),
        (r"/system.slice/systemd-cryptsetup@luks\x2d1.service", Some("systemd-cryptsetup@luks-1.service")),
        (r"/system.slice/mnt-my\x20disk.mount", Some("mnt-my disk.mount")),
        (r"/system.slice/mnt-gr\xc3\xb6\xc3\x9fe.mount", Some("mnt-größe.mount")),
        (r"/system.slice/a\x2.service", Some(r"a\x2.service")),
        ("/user.slice", Some("user.slice")),
        ("/user.slice/user-1000.slice", Some("user-1000.slice")),
        ("/", None),
        ("", None),
        ("/docker/0123", None),
        ("/.service", None),
        ("/system.slice:docker:0123", None),
    ] {
        assert_eq!(unit_of(path).as_deref(), name, "{path}");
    }
}

fn chosen(text: &str) -> Option<String> {
    most_telling(text.replace("ID", ID).as_bytes()).map(|path| String::from_utf8_lossy(path).replace(ID, "ID"))
}

#[test]
fn of_many_hierarchies_the_one_counts_that_tells_most() {
    for (text, path) in [
        ("0::/b:c\n", Some("/b:c")),
        ("4:cpu:/a\n", Some("/a")),
        // Hybrid: the unified hierarchy is there and knows nothing.
        ("8:pids:/docker/ID\n6:freezer:/docker/ID\n1:name=systemd:/docker/ID\n0::/\n", Some("/docker/ID")),
        ("12:pids,freezer:/docker/ID\n0::/system.slice/containerd.service\n", Some("/docker/ID")),
        ("0::/\n8:pids:/docker/ID\n", Some("/docker/ID")),
        ("4:memory:/user.slice\n1:name=systemd:/user.slice/user-0.slice/session-1.scope\n0::/\n", {
            Some("/user.slice/user-0.slice/session-1.scope")
        }),
        ("1:name=systemd:/init.scope\n0::/deep/down/here\n", Some("/init.scope")),
        ("2:cpu:/a.slice\n0::/deep/down\n", Some("/a.slice")),
        // More of the same tells more: the inner container, a unit within it.
        ("2:cpu:/docker/ID/docker/ID\n0::/docker/ID\n", Some("/docker/ID/docker/ID")),
        ("4:cpu:/docker/ID\n1:name=systemd:/docker/ID/system.slice/a.service\n0::/\n", {
            Some("/docker/ID/system.slice/a.service")
        }),
        // Of equals that of the unified hierarchy, wherever it stands, and without it the first.
        ("4:cpu:/docker/ID/sub\n0::/docker/ID\n", Some("/docker/ID")),
        ("0::/system.slice/a.service\n4:cpu:/system.slice/a.service/sub\n", Some("/system.slice/a.service")),
        ("4:cpu:/a.service\n3:pids:/b.service\n", Some("/a.service")),
        // Nothing that is known: the deepest.
        ("4:memory:/process_api/x\n3:cpu:/y\n0::/\n", Some("/process_api/x")),
        ("4:cpu:/a\n0::/b\n", Some("/b")),
        ("9:name=systemd:/\n4:cpu:/\n0::/\n", Some("/")),
        // From within a cgroup namespace.
        ("0::/../../system.slice/docker-ID.scope\n", Some("/../../system.slice/docker-ID.scope")),
        ("4:cpu:/x\n0::/../..\n", Some("/x")),
        // The cgroup of a zombie may be gone.
        ("0::/system.slice/docker-ID.scope (deleted)\n", Some("/system.slice/docker-ID.scope")),
        ("", None),
        ("\n\n", None),
        ("what\n:\n", None),
        ("what\n0::/a", Some("/a")),
    ] {
        assert_eq!(chosen(text).as_deref(), path, "{text}");
    }
}

#[test]
fn the_escapes_of_systemd_are_undone() {
    for (name, plain) in [
        ("", ""),
        ("plain", "plain"),
        (r"a\x2db", "a-b"),
        (r"\x5cx2d", r"\x2d"),
        (r"a\x2", r"a\x2"),
        (r"\xZZ\", r"\xZZ\"),
    ] {
        assert_eq!(readable(name.as_bytes()), plain.as_bytes(), "{name}");
    }
}

/// Paths of pieces that mean something, in any order.
fn path() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "/",
        "..",
        "lxc",
        "lxc.payload",
        "lxc.monitor",
        ".",
        "machine-",
        ".scope",
        ".service",
        ".slice",
        "docker-",
        ID,
        "garden",
        r"\x2d",
        "_",
        "systemd-nspawn@",
        "payload",
        "supervisor",
        "conmon-",
        ":",
        "x",
        "\u{e9}",
        " (deleted)",
        "\n0::",
        "-1",
    ];
    let known = prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12);
    prop_oneof![any::<Vec<u8>>(), known.prop_map(|pieces| pieces.concat().into_bytes())]
}

proptest! {
    #[test]
    fn whatever_a_path_is_names_are_those_of_one_of_its_segments(path in path()) {
        let names: Vec<Vec<u8>> = path.split(|&byte| byte == b'/').map(|name| readable(name).into_owned()).collect();
        for name in [unit(&path), container(&path)].into_iter().flatten() {
            prop_assert!(!name.is_empty() && name.len() <= NAME_MAX);
            let within = |whole: &Vec<u8>| whole.windows(name.len()).any(|part| part == &*name);
            prop_assert!(names.iter().any(within), "{:?}", name);
        }
    }

    #[test]
    fn the_path_chosen_is_that_of_a_line_and_none_has_a_container_if_it_has_none(
        paths in prop::collection::vec(path(), 0..5)
    ) {
        let paths: Vec<Vec<u8>> = paths.into_iter().map(|p| p.into_iter().filter(|&b| b != b'\n').collect()).collect();
        let text: Vec<u8> = paths.iter().flat_map(|path| [&b"3:cpu:"[..], path, b"\n"].concat()).collect();
        let chosen = most_telling(&text);
        prop_assert_eq!(chosen.is_some(), !paths.is_empty());
        if let Some(chosen) = chosen {
            prop_assert!(paths.iter().any(|path| path.starts_with(chosen)));
            let any = paths.iter().any(|path| container(path.strip_suffix(b" (deleted)").unwrap_or(path)).is_some());
            prop_assert_eq!(container(chosen).is_some(), any);
        }
    }
}
