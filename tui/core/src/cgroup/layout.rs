//! The table of layouts: which names along the path of a cgroup are those of a container, by the runtime that makes
//! them. To know a further one, add a row; its examples are its test.
//!
//! Does not know which of several containers counts.

use super::NAME_MAX;

/// Names one below the other that a runtime gives to cgroups.
pub(super) struct Layout {
    /// Who makes it, and when.
    #[cfg_attr(not(test), expect(dead_code, reason = "for those who read the table, and for its test"))]
    pub(super) runtime: &'static str,
    segments: &'static [Segment],
    /// Whether processes there are in the container. Those that watch over it have cgroups with its name as well.
    inside: bool,
    /// Paths, and the container that each tells; `ID` stands for 64 hexadecimal digits.
    #[cfg_attr(not(test), expect(dead_code, reason = "the test of the row"))]
    pub(super) examples: &'static [(&'static str, Option<&'static str>)],
}

/// One name.
enum Segment {
    /// Just this.
    Is(&'static str),
    /// A name of this form between two texts.
    Named(&'static str, Form, &'static str),
    /// An id of a form that is always as long, with or without `.scope` behind it, and before it something that ends
    /// with one of these, or nothing at all where one of them is empty.
    Ends(&'static [&'static str], Form),
}

/// What the name of a container may be.
#[derive(Clone, Copy)]
enum Form {
    /// What a user has called it.
    Any,
    /// The same, but no instance of a template, which is another row's.
    Plain,
    /// 64 hexadecimal digits: the id that almost all runtimes give.
    Id,
    /// 32 hexadecimal digits, a dash and up to ten decimal ones.
    Task,
    /// Five groups of hexadecimal digits with dashes between them, the last of them of four digits or more.
    Uuid,
    /// 25 digits of base 36.
    Build,
}

use Form::{Any, Build, Id, Plain, Task, Uuid};
use Segment::{Ends, Is, Named};

/// Processes there are in the container.
const fn inside(
    runtime: &'static str,
    segments: &'static [Segment],
    examples: &'static [(&'static str, Option<&'static str>)],
) -> Layout {
    Layout { runtime, segments, inside: true, examples }
}

/// Processes there only have to do with it.
const fn outside(
    runtime: &'static str,
    segments: &'static [Segment],
    examples: &'static [(&'static str, Option<&'static str>)],
) -> Layout {
    Layout { runtime, segments, inside: false, examples }
}

/// The table. The first row that fits counts, so the special stand before the general.
pub(super) const LAYOUTS: &[Layout] = &[
    outside(
        "Podman's and CRI-O's monitor",
        &[Ends(&["conmon-"], Id)],
        &[
            ("/machine.slice/libpod-conmon-ID.scope", None),
            ("/kubepods.slice/kubepods-pod1_2.slice/crio-conmon-ID.scope", None),
            ("/kubepods/burstable/pod1-2/crio-conmon-ID", None),
        ],
    ),
    inside(
        "Docker, Podman, containerd, CRI-O and whatever else has such ids; Kubernetes over them",
        &[Ends(&["", "-", ":", "kata_"], Id)],
        &[
            // Docker by its drivers systemd and cgroupfs, rootless, in an older Debian.
            ("/system.slice/docker-ID.scope", Some("ID")),
            ("/docker/ID", Some("ID")),
            ("/docker-ce/docker/ID", Some("ID")),
            ("/user.slice/user-1000.slice/user@1000.service/user.slice/docker-ID.scope", Some("ID")),
            ("/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service/docker/ID", Some("ID")),
            ("/ID", Some("ID")),
            ("/docker/ID/init", Some("ID")),
            ("/docker/ID/syscont-cgroup-root/init.scope", Some("ID")),
            ("/system.slice/containerd.service/cpuset/ID", Some("ID")),
            // Jobs of GitHub and Azure.
            ("/actions_job/ID", Some("ID")),
            ("/azpl_job/ID", Some("ID")),
            // Podman: of root, of a user, without systemd, in the cgroup of a service.
            ("/machine.slice/libpod-ID.scope/container", Some("ID")),
            ("/machine.slice/machine-libpod_pod_ID.slice/libpod-ID.scope/container", Some("ID")),
            ("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope/container", Some("ID")),
            ("/libpod_parent/libpod-ID/ctr", Some("ID")),
            ("/system.slice/web.service/libpod-payload-ID", Some("ID")),
            // containerd without Kubernetes.
            ("/k8s.io/ID", Some("ID")),
            ("/default/ID", Some("ID")),
            ("/system.slice/nerdctl-ID.scope", Some("ID")),
            // Kubernetes: both drivers, all classes of service, pods of the kubelet's own, kubelets below others.
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12ab_34.slice/cri-containerd-ID.scope",
                Some("ID"),
            ),
            ("/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1_2.slice/crio-ID.scope", Some("ID")),
            ("/kubepods.slice/kubepods-pod1_2.slice/crio-ID.scope/container", Some("ID")),
            ("/kubepods.slice/kubepods-podd5b1ae4eb4d4ad7f5e3b0e7bb8d2b6a1.slice/docker-ID.scope", Some("ID")),
            ("/kubepods/besteffort/pod12-34/ID", Some("ID")),
            ("/kubepods/pod12-34/crio-ID", Some("ID")),
            ("/kubepods/burstable/podd5b1ae4eb4d4ad7f5e3b0e7bb8d2b6a1/ID", Some("ID")),
            ("/kubelet/kubepods/burstable/pod1-2/ID", Some("ID")),
            (
                "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/\
                 kubelet-kubepods-burstable-pod1_2.slice/cri-containerd-ID.scope",
                Some("ID"),
            ),
            ("/system.slice/containerd.service/kubepods-burstable-pod1_2.slice:cri-containerd:ID", Some("ID")),
            ("/system.slice:docker:ID", Some("ID")),
            // Kata: the sandbox, and what it costs beside.
            ("/kubepods/pod1-2/kata_ID", Some("ID")),
            ("/kata_ID", Some("ID")),
            ("/kata_overhead/ID", Some("ID")),
            // Amazon ECS on machines of one's own.
            ("/ecs/55091c13-b8cf-4801-b527-f4601742204d/ID", Some("ID")),
            ("/ecstasks.slice/ecstasks-0123456789abcdef0123456789abcdef.slice/docker-ID.scope", Some("ID")),
            // As another container of the pod sees it.
            ("/../ID", Some("ID")),
            ("/../../system.slice/docker-ID.scope", Some("ID")),
            // No id of a container.
            ("/machine.slice/machine-libpod_pod_ID.slice", None),
            ("/aID", None),
            ("/docker/0123", None),
            ("/docker/IDa", None),
            ("/kubepods/burstable/pod12-34", None),
        ],
    ),
    inside(
        "Amazon ECS on Fargate",
        &[Named("", Task, "")],
        &[
            (
                "/ecs/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef-1234567890",
                Some("0123456789abcdef0123456789abcdef-1234567890"),
            ),
            (
                "/ecs/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef-12345678",
                Some("0123456789abcdef0123456789abcdef-12345678"),
            ),
            ("/ecs/0123456789abcdef0123456789abcdef-2574839563", Some("0123456789abcdef0123456789abcdef-2574839563")),
            ("/ecs/0123456789abcdef0123456789abcdef", None),
            ("/ecs/0123456789abcdef0123456789abcdef-", None),
            ("/ecs/0123456789abcdef0123456789abcdef-12345678901", None),
        ],
    ),
    inside(
        "Cloud Foundry's Garden",
        &[Is("garden"), Named("", Uuid, "")],
        &[
            ("/garden/f5b7a4d9-6a49-4ed7-5eb1-6dcc", Some("f5b7a4d9-6a49-4ed7-5eb1-6dcc")),
            (
                "/system.slice/garden.service/garden/70eb4ce5-a065-4401-6990-88ed67a1c6e0",
                Some("70eb4ce5-a065-4401-6990-88ed67a1c6e0"),
            ),
        ],
    ),
    inside(
        "Garden, within its share of CPU time",
        &[Is("garden"), Is("good"), Named("", Uuid, "")],
        &[("/garden/good/f5b7a4d9-6a49-4ed7-5eb1-6dcc", Some("f5b7a4d9-6a49-4ed7-5eb1-6dcc"))],
    ),
    inside(
        "Garden, beyond its share of CPU time",
        &[Is("garden"), Is("bad"), Named("", Uuid, "")],
        &[("/garden/bad/f5b7a4d9-6a49-4ed7-5eb1-6dcc", Some("f5b7a4d9-6a49-4ed7-5eb1-6dcc"))],
    ),
    inside(
        "Mesos",
        &[Is("mesos"), Named("", Uuid, "")],
        &[("/mesos/70eb4ce5-a065-4401-6990-88ed67a1c6e0", Some("70eb4ce5-a065-4401-6990-88ed67a1c6e0"))],
    ),
    inside(
        "a pod whose runtime has such ids",
        &[Named("pod", Any, ""), Named("", Uuid, "")],
        &[
            (
                "/kubepods/besteffort/pode9b90526-f47d-11e8-b2a5-080027b9f4fb/15aa6e53-b09a-40c7-8558-c6c31e36c88a",
                Some("15aa6e53-b09a-40c7-8558-c6c31e36c88a"),
            ),
            ("/kubepods/besteffort/pode9b90526-f47d-11e8-b2a5-080027b9f4fb", None),
        ],
    ),
    inside(
        "BuildKit",
        &[Is("buildkit"), Named("", Build, "")],
        &[
            ("/buildkit/0kzn2q2l5tdx6w1x0mcm1ixfx", Some("0kzn2q2l5tdx6w1x0mcm1ixfx")),
            ("/docker/buildkit/0kzn2q2l5tdx6w1x0mcm1ixfx", Some("0kzn2q2l5tdx6w1x0mcm1ixfx")),
            ("/docker/ID/buildkit/0kzn2q2l5tdx6w1x0mcm1ixfx", Some("0kzn2q2l5tdx6w1x0mcm1ixfx")),
            ("/buildkit", None),
        ],
    ),
    inside(
        "BuildKit in Docker",
        &[Ends(&["docker-", ":docker:", "buildkit-", ":buildkit:"], Build)],
        &[
            ("/system.slice/docker-0kzn2q2l5tdx6w1x0mcm1ixfx.scope", Some("0kzn2q2l5tdx6w1x0mcm1ixfx")),
            ("/system.slice:docker:0kzn2q2l5tdx6w1x0mcm1ixfx", Some("0kzn2q2l5tdx6w1x0mcm1ixfx")),
        ],
    ),
    outside(
        "LXC's monitor",
        &[Named("lxc.monitor.", Any, "")],
        &[("/lxc.monitor.web", None), ("/lxc.payload.outer/lxc.monitor.web", Some("outer"))],
    ),
    outside("LXC's monitor, in Proxmox", &[Is("lxc.monitor"), Named("", Any, "")], &[("/lxc.monitor/101", None)]),
    outside(
        "LXC's monitor, by a pattern of one's own",
        &[Is("lxc"), Named("", Any, ""), Is("lxc.monitor")],
        &[("/lxc/web/lxc.monitor", None)],
    ),
    inside(
        "LXC by a pattern of one's own",
        &[Is("lxc"), Named("", Any, ""), Is("lxc.payload")],
        &[("/lxc/web/lxc.payload/init.scope", Some("web"))],
    ),
    inside(
        "LXC, Incus and LXD",
        &[Named("lxc.payload.", Any, "")],
        &[
            ("/lxc.payload.web/init.scope", Some("web")),
            ("/lxc.payload.outer/lxc.payload.inner/system.slice/cron.service", Some("inner")),
            ("/lxc.payload.", None),
        ],
    ),
    inside("LXC 3", &[Is("lxc.payload"), Named("", Any, "")], &[("/lxc.payload/web/init.scope", Some("web"))]),
    inside(
        "libvirt over LXC, without systemd",
        &[Is("libvirt"), Is("lxc"), Named("", Any, "")],
        &[("/libvirt/lxc/web", Some("web"))],
    ),
    inside(
        "libvirt over QEMU, without systemd",
        &[Is("libvirt"), Is("qemu"), Named("", Any, "")],
        &[("/libvirt/qemu/vm/emulator", Some("vm")), ("/libvirt/qemu", None)],
    ),
    inside(
        "libvirt over LXC, in a partition",
        &[Named("", Any, ".libvirt-lxc")],
        &[("/machine/web.libvirt-lxc", Some("web")), ("/machine/.libvirt-lxc", None)],
    ),
    inside(
        "libvirt over QEMU, in a partition",
        &[Named("", Any, ".libvirt-qemu")],
        &[("/machine/qemu-1-vm.libvirt-qemu/vcpu0", Some("qemu-1-vm"))],
    ),
    inside(
        "LXC 1 and 2, Proxmox",
        &[Is("lxc"), Named("", Any, "")],
        &[("/lxc/web", Some("web")), ("/lxc/101/ns/init.scope", Some("101")), ("/lxc", None)],
    ),
    inside(
        "Proxmox over QEMU",
        &[Is("qemu.slice"), Named("", Any, ".scope")],
        &[("/qemu.slice/101.scope", Some("101"))],
    ),
    outside(
        "systemd-nspawn itself",
        &[Named("systemd-nspawn@", Any, ".service"), Is("supervisor")],
        &[("/machine.slice/systemd-nspawn@web.service/supervisor", None)],
    ),
    inside(
        "systemd-nspawn as a service",
        &[Named("systemd-nspawn@", Any, ".service")],
        &[
            ("/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service", Some("web")),
            ("/machine.slice/systemd-nspawn@web-1.service/payload/init.scope", Some("web-1")),
            ("/machine.slice/systemd-nspawn@web.service", Some("web")),
        ],
    ),
    outside(
        "systemd-nspawn itself, in NixOS",
        &[Named("container@", Any, ".service"), Is("supervisor")],
        &[("/machine.slice/container@web.service/supervisor", None)],
    ),
    inside(
        "systemd-nspawn in NixOS",
        &[Named("container@", Any, ".service"), Is("payload")],
        &[("/machine.slice/container@web.service/payload/system.slice/nginx.service", Some("web"))],
    ),
    inside(
        "systemd-nspawn as a service of one's own",
        &[Is("machine.slice"), Named("", Plain, ".service"), Is("payload")],
        &[("/machine.slice/web.service/payload/init.scope", Some("web")), ("/machine.slice/web.service", None)],
    ),
    inside(
        "systemd-vmspawn as a service",
        &[Named("systemd-vmspawn@", Any, ".service")],
        &[("/machine.slice/systemd-vmspawn@vm.service", Some("vm"))],
    ),
    outside(
        "systemd-nspawn itself, from a command line",
        &[Named("machine-", Any, ".scope"), Is("supervisor")],
        &[("/machine.slice/machine-web.scope/supervisor", None)],
    ),
    inside(
        "what systemd-machined has registered: nspawn from a command line, libvirt",
        &[Named("machine-", Any, ".scope")],
        &[
            ("/machine.slice/machine-fedora.scope/payload", Some("fedora")),
            (r"/machine.slice/machine-a\x2db.scope/payload/init.scope", Some("a-b")),
            (r"/machine.slice/machine-qemu\x2d1\x2dvm.scope", Some("qemu-1-vm")),
            (r"/machine.slice/machine-qemu\x2d1\x2dvm.scope/libvirt/emulator", Some("qemu-1-vm")),
            (r"/machine.slice/machine-lxc\x2d969\x2dweb01.scope/libvirt_init.scope", Some("lxc-969-web01")),
            ("/machine.slice/machine-.scope", None),
            ("/machine.slice", None),
        ],
    ),
];

/// What the names from here on begin with.
pub(super) struct Found<'a> {
    /// How many of them belong to the layout.
    pub(super) segments: usize,
    /// The container that they tell; `None` where processes are not inside.
    pub(super) name: Option<&'a [u8]>,
}

/// The first layout that names along a path begin with.
pub(super) fn first<'a>(path: &(impl Iterator<Item = &'a [u8]> + Clone)) -> Option<Found<'a>> {
    LAYOUTS.iter().find_map(|layout| layout.begins(path.clone()))
}

impl Layout {
    fn begins<'a>(&self, mut path: impl Iterator<Item = &'a [u8]>) -> Option<Found<'a>> {
        let mut name = None;
        for segment in self.segments {
            name = segment.of(path.next()?)?.or(name);
        }
        Some(Found { segments: self.segments.len(), name: name.filter(|_| self.inside) })
    }
}

impl Segment {
    /// `None` if it is not this; else what it names, if it does.
    fn of<'a>(&self, name: &'a [u8]) -> Option<Option<&'a [u8]>> {
        match self {
            Is(text) => (name == text.as_bytes()).then_some(None),
            Named(before, form, after) => {
                let inner = name.strip_prefix(before.as_bytes())?.strip_suffix(after.as_bytes())?;
                (name.len() <= NAME_MAX && form.is_of(inner)).then_some(Some(inner))
            }
            Ends(befores, form) => {
                let name = name.strip_suffix(b".scope").unwrap_or(name);
                let (before, id) = name.split_at_checked(name.len().checked_sub(form.length()?)?)?;
                let fits = |text: &&str| before.ends_with(text.as_bytes()) && (before.is_empty() || !text.is_empty());
                (name.len() <= NAME_MAX && befores.iter().any(fits) && form.is_of(id)).then_some(Some(id))
            }
        }
    }
}

impl Form {
    /// How long such a name is, where all are as long, bytes.
    const fn length(self) -> Option<usize> {
        match self {
            Id => Some(64),
            Build => Some(25),
            Any | Plain | Task | Uuid => None,
        }
    }

    fn is_of(self, name: &[u8]) -> bool {
        let hexadecimal = |text: &[u8]| text.iter().all(u8::is_ascii_hexdigit);
        match self {
            Any => !name.is_empty(),
            Plain => !name.is_empty() && !name.contains(&b'@'),
            Id => name.len() == 64 && hexadecimal(name),
            Build => name.len() == 25 && name.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()),
            Task => name.split_at_checked(32).is_some_and(|(task, number)| {
                let digits = number.strip_prefix(b"-").unwrap_or_default();
                hexadecimal(task) && matches!(digits.len(), 1..=10) && digits.iter().all(u8::is_ascii_digit)
            }),
            Uuid => {
                let mut groups = name.split(|&byte| byte == b'-');
                let exact = [8, 4, 4, 4]
                    .into_iter()
                    .all(|digits| groups.next().is_some_and(|group| group.len() == digits && hexadecimal(group)));
                let last = groups.next().is_some_and(|group| matches!(group.len(), 4..=12) && hexadecimal(group));
                exact && last && groups.next().is_none()
            }
        }
    }
}
