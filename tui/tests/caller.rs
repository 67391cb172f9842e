//! What somebody with less privilege than the program hands in does not steer what the privilege is used for: run as such a
//! user, through file capabilities, a set-user-ID bit, or with the environment that sudo makes.
//!
//! Needs root, to be able to become others. Without root each test says that it was skipped; where `CI` is set that is a
//! failure.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking, their helpers as well")]

#[path = "common/pty.rs"]
mod pty;

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::num::NonZero;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, StatVfsMountFlags, XattrFlags, mknodat, setxattr, statvfs};
use tempfile::TempDir;

use self::pty::Pty;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ptree-tui");
/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Nobody.
const NOBODY: u32 = 65534;
/// Who calls sudo: no such user is on this machine.
const ANN: u32 = 4250;
/// A group that Ann is in.
const GROUP: u32 = 4251;
/// What is in files that the caller may not read.
const SECRET: &str = "hunter2";
const CAP_DAC_READ_SEARCH: u32 = 2;
const CAP_SYS_PTRACE: u32 = 19;
const CAP_PERFMON: u32 = 38;
const CAP_BPF: u32 = 39;

/// False when this cannot run here, which has been said then.
fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        assert!(std::env::var_os("CI").is_none(), "these tests need root, and must not be skipped in CI");
        eprintln!("SKIPPED (needs root): {}", std::thread::current().name().unwrap_or("a test of callers"));
    }
    root
}

/// What programs that change users say for whom they do; whoever runs the tests may have become root by one.
const WITNESSES: [&str; 4] = ["SUDO_UID", "SUDO_GID", "PKEXEC_UID", "DOAS_USER"];

/// A folder that everybody can look into, in which tests put what they need.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        // Where files give no privilege, there is nothing to try.
        let gives =
            |folder: &&PathBuf| statvfs(*folder).is_ok_and(|found| !found.f_flag.contains(StatVfsMountFlags::NOSUID));
        let folders = [std::env::temp_dir(), "/var/tmp".into(), "/".into()];
        let folder = folders.iter().find(gives).expect("a file system that is not mounted 'nosuid'");
        let dir = tempfile::tempdir_in(folder).unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    fn folder(&self, name: &str, (uid, gid): (u32, u32), mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).unwrap();
        chown(&path, Some(uid), Some(gid)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    /// A copy of the program, for everybody.
    fn program(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::copy(PROGRAM, &path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        path
    }
}

/// A way to more privilege than the caller has.
#[derive(Clone, Debug)]
enum Way {
    /// Through a file with capabilities, as nobody.
    File(PathBuf),
    /// Through a file with a set-user-ID bit, as nobody.
    SetUid(PathBuf),
    /// Through sudo, as Ann.
    Sudo,
}

impl Way {
    fn capabilities(place: &Place, capabilities: &[u32]) -> Self {
        let path = place.program("capable");
        let mask: u64 = capabilities.iter().map(|capability| 1 << capability).sum();
        // `struct vfs_cap_data`, version 2, effective.
        let [low, high] = [mask as u32, (mask >> 32) as u32].map(u32::to_le_bytes);
        let value = [0x0200_0001_u32.to_le_bytes(), low, [0; 4], high, [0; 4]].concat();
        setxattr(&path, "security.capability", &value, XattrFlags::empty()).unwrap();
        Self::File(path)
    }

    fn set_uid(place: &Place) -> Self {
        let path = place.program("set-uid");
        fs::set_permissions(&path, Permissions::from_mode(0o4755)).unwrap();
        Self::SetUid(path)
    }

    /// All ways, with the capabilities that the README asks for and the one that opens every file.
    fn all(place: &Place) -> [Self; 3] {
        let capabilities = [CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH];
        [Self::capabilities(place, &capabilities), Self::set_uid(place), Self::Sudo]
    }

    /// Before the program: what makes one its caller.
    fn command(&self) -> Vec<String> {
        let without = ["env"].into_iter().chain(WITNESSES.into_iter().flat_map(|name| ["-u", name])).map(String::from);
        without.chain(self.become_caller()).collect()
    }

    fn become_caller(&self) -> Vec<String> {
        match self {
            Self::File(path) | Self::SetUid(path) => {
                ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
                    .into_iter()
                    .map(String::from)
                    .chain([path.to_str().unwrap().to_owned()])
                    .collect()
            }
            Self::Sudo => {
                ["env", "SUDO_UID=4250", "SUDO_GID=4250", "SUDO_USER=ann", PROGRAM].map(String::from).to_vec()
            }
        }
    }

    const fn caller(&self) -> u32 {
        match self {
            Self::File(_) | Self::SetUid(_) => NOBODY,
            Self::Sudo => ANN,
        }
    }

    fn run(&self, options: &[&str]) -> Output {
        self.run_below("exec \"$@\"", options)
    }

    /// Runs it by a shell that has prepared something, as root.
    fn run_below(&self, script: &str, options: &[&str]) -> Output {
        let mut command = Command::new("timeout");
        command.args(["60", "sh", "-c", script, "sh"]).args(self.command()).args(options).stdin(Stdio::null());
        command.output().unwrap()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder in which nobody but root can write, nor in those above it.
struct RootsOwn(PathBuf);

impl RootsOwn {
    fn new(name: &str) -> Self {
        let path = Path::new("/var/lib").join(format!("ptree-tui-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }
}

impl Drop for RootsOwn {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn who_has_the_programs_capabilities_can_use_it() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    for way in Way::all(&place) {
        let output = way.run(&["stream", "--duration", "300ms"]);
        assert!(output.status.success(), "{way:?}: {}", said(&output));
        assert!(output.stdout.starts_with(br#"{"type":"header""#), "{way:?}");
    }
}

/// S1: offsets that a caller made up would have the kernel's memory read and told.
#[test]
fn a_btf_that_the_caller_may_have_written_is_not_taken() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let own = fs::read("/sys/kernel/btf/vmlinux").unwrap();
    let copy = place.write("copy.btf", &own, 0o644);
    for way in Way::all(&place) {
        for option in [&["stream", "--duration", "1ms", "--ring-buffer", "4096"][..], &["snapshot"], &["doctor"]] {
            // Without room to read the kernel's own as well, which was taken for 'not shown'.
            for limits in ["", "export RUST_MIN_STACK=65536 MALLOC_ARENA_MAX=1; ulimit -d 45056;"] {
                let options = [&["--btf", copy.to_str().unwrap()], option].concat();
                let output = way.run_below(&format!("{limits} exec \"$@\""), &options);
                assert!(!output.status.success(), "{way:?} {options:?}");
                assert!(!output.stdout.starts_with(b"{\"type\""), "{way:?} {options:?}");
                if limits.is_empty() && option[0] != "doctor" {
                    let said = said(&output);
                    assert!(said.contains("a folder on the way to it can be written by others"), "{way:?}: {said}");
                }
            }
        }
    }
    // To look at another kernel's steers nothing.
    let layout = Way::Sudo.run(&["doctor", "--layout", "--btf", copy.to_str().unwrap()]);
    assert!(layout.status.success(), "{}", said(&layout));
}

#[test]
fn a_btf_of_roots_own_is_taken_if_it_is_this_kernels() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let roots = RootsOwn::new("btf");
    let own = fs::read("/sys/kernel/btf/vmlinux").unwrap();
    let write = |name: &str, bytes: &[u8], mode| {
        let path = roots.0.join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut other = own.clone();
    *other.last_mut().unwrap() ^= 1;
    let (good, other) = (write("good", &own, 0o644), write("other", &other, 0o644));
    let (shared, hidden) = (write("shared", &own, 0o664), write("hidden", &own, 0o600));
    let link = place.path("link");
    symlink(&good, &link).unwrap();
    for way in Way::all(&place) {
        let run = |path: &str| way.run(&["--btf", path, "stream", "--duration", "1ms"]);
        for path in [&*good, link.to_str().unwrap()] {
            let output = run(path);
            assert!(output.status.success(), "{way:?}: {}", said(&output));
        }
        for (path, why) in [
            (&other, "is not of the kernel that runs here"),
            (&shared, "can be written by others than root (mode 0664)"),
            (&hidden, "Permission denied"),
        ] {
            let said = said(&run(path));
            assert!(said.contains(why), "{way:?} {path}: {said}");
        }
    }
}

/// S1: only 'there is no such file' means that the kernel does not show its own.
#[test]
fn a_kernel_btf_that_cannot_be_read_is_an_error_and_not_taken_for_hidden() {
    if !is_root() {
        return;
    }
    let own = tempfile::NamedTempFile::new().unwrap();
    fs::copy("/sys/kernel/btf/vmlinux", own.path()).unwrap();
    let spoil = "mount -t tmpfs none /sys/kernel/btf && mkdir /sys/kernel/btf/vmlinux && exec \"$@\"";
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", spoil, "sh", PROGRAM, "stream", "--duration", "1ms", "--btf"])
        .arg(own.path())
        .env_remove("SUDO_UID")
        .env_remove("PKEXEC_UID")
        .env_remove("DOAS_USER")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("this kernel's own BTF, to compare the given one with"), "{}", said(&output));
    assert!(output.stdout.is_empty());
}

#[test]
fn options_for_tests_and_huge_buffers_are_not_for_callers() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    for way in Way::all(&place) {
        for (options, why) in [
            (&["--pretend-missing", "on_exit", "stream", "--duration", "1ms"][..], "is for tests"),
            (&["--ring-buffer", "128MiB", "stream", "--duration", "1ms"], "try '64MiB'"),
        ] {
            let output = way.run(options);
            assert_eq!(output.status.code(), Some(2), "{way:?}: {}", said(&output));
            assert!(said(&output).contains(why), "{way:?}: {}", said(&output));
        }
    }
}

/// S8, and the kind: whatever file is named is opened as the caller, and nothing is quoted that the caller may not read.
#[test]
fn files_that_the_caller_may_not_read_are_not_read() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let secret = place.write("secret", format!("{SECRET}\n"), 0o600);
    let public = place.write("public", "[general]\nnonsense = 1\n", 0o644);
    let folder = place.folder("closed", (0, 0), 0o700);
    let inside = folder.join("config.toml");
    fs::write(&inside, "[general]\n").unwrap();
    let link = place.path("link");
    symlink(&secret, &link).unwrap();
    for way in Way::all(&place) {
        for path in [&secret, &inside, &link] {
            let path = path.to_str().unwrap();
            for options in [
                &["--config", path, "snapshot"][..],
                &["--config", path, "doctor"],
                &["synth", "--script", path, "--stream"],
                &["doctor", "--layout", "--btf", path],
            ] {
                let output = way.run(options);
                let text = said(&output) + &String::from_utf8_lossy(&output.stdout);
                assert!(!output.status.success(), "{way:?} {options:?}: {text}");
                assert!(text.contains("Permission denied"), "{way:?} {options:?}: {text}");
                assert!(!text.contains(SECRET), "{way:?} {options:?}: {text}");
            }
        }
        let output = way.run(&["--config", public.to_str().unwrap(), "snapshot"]);
        assert!(said(&output).contains("nonsense"), "{way:?}: {}", said(&output));
    }
}

/// What the environment of a caller by file says of others is the caller's own word.
#[test]
fn nobody_becomes_another_by_the_environment() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let secret = place.write("secret", format!("{SECRET}\n"), 0o600);
    for way in Way::all(&place) {
        for forged in
            ["PKEXEC_UID=0", "DOAS_USER=root", "DOAS_USER=nosuchuser", "SUDO_UID=0", "SUDO_UID=x", "SUDO_UID="]
        {
            // Sudo's own word cannot be changed by who uses it.
            if matches!(way, Way::Sudo) && forged.starts_with("SUDO") {
                continue;
            }
            let options = ["--config", secret.to_str().unwrap(), "snapshot"];
            let mut command = way.command();
            let program = command.pop().unwrap();
            let forging = ["env".to_owned(), forged.to_owned(), program];
            let output = Command::new(&command[0]).args(&command[1..]).args(forging).args(options).output().unwrap();
            let text = said(&output);
            assert!(
                text.contains("Permission denied") || text.contains("nothing can be opened as"),
                "{way:?} {forged}: {text}"
            );
            assert!(!text.contains(SECRET), "{way:?} {forged}: {text}");
        }
    }
}

/// What nobody can make sense of is not taken for root's own word.
#[test]
fn a_user_that_is_not_known_is_not_root() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let secret = place.write("secret", format!("{SECRET}\n"), 0o600);
    for said_by in ["DOAS_USER=nosuchuser", "SUDO_UID=x", "PKEXEC_UID=-1"] {
        let mut command = Command::new("env");
        command.args(WITNESSES.into_iter().flat_map(|name| ["-u", name])).args([said_by, PROGRAM]);
        let output = command.args(["--config", secret.to_str().unwrap(), "snapshot"]).output().unwrap();
        let text = said(&output);
        assert!(text.contains("nothing can be opened as the caller") && !text.contains(SECRET), "{said_by}: {text}");
    }
}

#[test]
fn a_btf_where_users_may_have_mounted_is_not_taken() {
    if !is_root() {
        return;
    }
    let roots = RootsOwn::new("mount");
    let mount = format!(
        "mount -t tmpfs -o nosuid,mode=755 none {0} && cp /sys/kernel/btf/vmlinux {0}/own && exec \"$@\"",
        roots.0.to_str().unwrap()
    );
    let script = format!("exec unshare -m sh -c '{mount}' sh \"$@\"");
    let own = roots.0.join("own");
    let output = Way::Sudo.run_below(&script, &["--btf", own.to_str().unwrap(), "stream", "--duration", "1ms"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("mounted 'nosuid'"), "{}", said(&output));
}

#[test]
fn a_recording_that_the_caller_may_not_read_is_not_shown() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let secret = place.write("secret", format!("{SECRET}\n"), 0o600);
    for way in Way::all(&place) {
        let command = [way.command(), ["replay", secret.to_str().unwrap()].map(String::from).to_vec()].concat();
        let mut session = Session::start(&place.path(""), &command);
        session.wait_for("Permission denied");
        let output = session.end();
        assert!(!output.contains(SECRET), "{way:?}: {output}");
    }
}

/// Some files of /proc are not the same to all, also when another has opened them.
#[test]
fn what_another_may_read_of_proc_is_not_read_as_a_recording() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    for way in Way::all(&place) {
        let script = "exec \"$@\" < /proc/self/io".to_owned();
        let command = ["sh", "-c", &script, "sh"].map(String::from).to_vec();
        let command = [command, way.command(), ["replay", "-"].map(String::from).to_vec()].concat();
        let mut session = Session::start(&place.path(""), &command);
        session.wait_for("it is a file of /proc");
        assert!(!session.end().contains("rchar"), "{way:?}");
    }
}

/// Who comes through sudo as another user to a file that gives privilege is not that user.
#[test]
fn sudo_to_a_file_that_gives_privilege_is_no_way_to_another_users_files() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let secret = place.write("secret", format!("{SECRET}\n"), 0o600);
    chown(&secret, Some(NOBODY), Some(NOBODY)).unwrap();
    for way in Way::all(&place) {
        if matches!(way, Way::Sudo) {
            continue;
        }
        let mut command = way.command();
        let program = command.pop().unwrap();
        let sudo =
            ["env", "SUDO_UID=4250", "SUDO_GID=4250", &program, "--config", secret.to_str().unwrap(), "snapshot"];
        let output = Command::new(&command[0]).args(&command[1..]).args(sudo).output().unwrap();
        let text = said(&output);
        assert!(text.contains("nothing can be opened as the caller") && !text.contains(SECRET), "{way:?}: {text}");
    }
}

#[test]
fn no_device_and_no_pipe_is_opened_for_a_configuration() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let pipe = place.path("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
    let link = place.path("link");
    symlink(&pipe, &link).unwrap();
    for way in Way::all(&place) {
        for path in [&pipe, &link, Path::new("/dev/zero"), Path::new("/dev/tty")] {
            for options in
                [["--config", path.to_str().unwrap(), "snapshot"], ["--btf", path.to_str().unwrap(), "snapshot"]]
            {
                let output = way.run(&options);
                assert!(said(&output).contains("no regular file"), "{way:?} {path:?}: {}", said(&output));
            }
        }
    }
}

/// A file with our memory would be made with our rights, in the caller's folder.
#[test]
fn no_core_is_left_by_a_crash() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    for way in Way::all(&place) {
        let begin = "ulimit -c unlimited; exec \"$@\"";
        let mut stream = Command::new("sh");
        stream.args(["-c", begin, "sh"]).args(way.command()).arg("stream").stdout(Stdio::piped());
        let mut child = stream.spawn().unwrap();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
        let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{way:?}: {core}");
    }
}

/// Ann with an entry in the user database, in a mount namespace of her own.
fn with_ann(place: &Place, home: &Path) -> String {
    let entry = |file: &str, line: String| {
        let text = fs::read_to_string(Path::new("/etc").join(file)).unwrap();
        place.write(file, format!("{text}{line}\n"), 0o644).to_str().unwrap().to_owned()
    };
    let passwd = entry("passwd", format!("ann:x:{ANN}:{ANN}::{}:/bin/sh", home.to_str().unwrap()));
    let group = entry("group", format!("annsgroup:x:{GROUP}:ann"));
    format!(
        "exec unshare -m sh -c 'mount --bind {passwd} /etc/passwd && mount --bind {group} /etc/group && exec \"$@\"' sh \"$@\""
    )
}

#[test]
fn through_sudo_the_configuration_is_the_callers_and_read_as_the_caller() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let home = place.folder("home", (ANN, ANN), 0o755);
    let folder = home.join(".config/ptree-tui");
    fs::create_dir_all(&folder).unwrap();
    let config = folder.join("config.toml");
    let secret = place.write("secret", format!("{SECRET}\n"), 0o600);
    // Root's own, which Ann may not read.
    let roots = place.folder("root", (0, 0), 0o700);
    fs::create_dir_all(roots.join("ptree-tui")).unwrap();
    fs::write(roots.join("ptree-tui/config.toml"), format!("{SECRET}\n")).unwrap();
    let script = format!("export XDG_CONFIG_HOME={}; {}", roots.to_str().unwrap(), with_ann(&place, &home));
    let run = || {
        let output = Way::Sudo.run_below(&script, &["doctor", "--json"]);
        (output.status.code(), said(&output))
    };
    let (status, text) = run();
    assert_eq!((status, &*text), (Some(0), ""));
    fs::write(&config, "[general]\nkep = 'x'\n").unwrap();
    let (status, text) = run();
    assert!(status == Some(2) && text.contains("'kep'; did you mean 'keep'?"), "{text}");
    fs::remove_file(&config).unwrap();
    symlink(&secret, &config).unwrap();
    let (status, text) = run();
    assert!(status == Some(2) && text.contains("Permission denied") && !text.contains(SECRET), "{text}");
    let pipe = place.path("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
    fs::remove_file(&config).unwrap();
    symlink(&pipe, &config).unwrap();
    let (status, text) = run();
    assert!(status == Some(2) && text.contains("no regular file"), "{text}");
}

/// A program on a terminal.
struct Session {
    pty: Pty,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Session {
    fn start(folder: &Path, command: &[String]) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&seen);
        let inside = ["env", "-C", folder.to_str().unwrap()].into_iter().chain(command.iter().map(String::as_str));
        let command: Vec<&str> = inside.collect();
        let take = move |bytes: &[u8]| writer.lock().unwrap().extend_from_slice(bytes);
        Self { pty: Pty::start((120, 36), &command, take).unwrap(), seen }
    }

    /// What is on the screen, as text.
    fn screen(&self) -> String {
        let mut terminal = vt100::Parser::new(NonZero::new(36).unwrap(), NonZero::new(120).unwrap(), 0);
        terminal.process(&self.seen.lock().unwrap());
        terminal.screen().contents()
    }

    fn wait_for(&self, text: &str) {
        let begun = Instant::now();
        while !self.screen().contains(text) {
            assert!(begun.elapsed() < PATIENCE, "no '{text}' in:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses a key, and waits until its answer is there.
    fn press(&mut self, keys: &str, answer: &str) {
        self.pty.press(keys).unwrap();
        self.wait_for(answer);
    }

    /// Waits for the end; all that was written.
    fn end(&mut self) -> String {
        let begun = Instant::now();
        while self.pty.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < PATIENCE, "does not end:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(20));
        }
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }
}

fn synth(command: Vec<String>, options: &[&str]) -> Vec<String> {
    let options = options.iter().chain(&["synth", "idle"]).map(ToString::to_string);
    command.into_iter().chain(options).collect()
}

/// The privilege of the program's file is for seeing: signals are sent with the caller's own rights.
#[test]
fn who_has_the_program_cannot_act_on_others() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    for way in Way::all(&place) {
        if matches!(way, Way::Sudo) {
            continue;
        }
        let mut sleeper = Command::new("sleep").arg("600").spawn().unwrap();
        let filter = format!("pid={}", sleeper.id());
        let options = ["--filter", &filter, "--ring-buffer", "1MiB"].map(String::from).to_vec();
        let mut session = Session::start(&place.path(""), &[way.command(), options].concat());
        session.wait_for("sleep 600");
        session.press("n", "sleep 600");
        session.press("e", "Not permitted");
        session.press("q", "sleep 600");
        session.press("x", "SIGTERM");
        session.press("\r", "y ");
        session.press("y", "not permitted");
        assert!(sleeper.try_wait().unwrap().is_none(), "{way:?}");
        session.pty.child.kill().unwrap();
        session.end();
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    }
}

/// What stops with the program is what the caller may stop.
#[test]
fn who_has_the_program_cannot_stop_others_of_its_group() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let script = r#"(sleep 600 & echo $! > other; exec "$@"); pid=$(cat other)
        echo "stopped, and the other is $(cut -d " " -f 3 /proc/$pid/stat)"; kill -KILL $pid %1"#;
    for way in Way::all(&place) {
        // By the rules of sudo he is root.
        let other = if matches!(way, Way::Sudo) { "is T" } else { "is S" };
        let command = ["bash", "-mc", script, "bash"].map(String::from).to_vec();
        let mut session = Session::start(&place.path(""), &[command, synth(way.command(), &[])].concat());
        session.wait_for("systemd");
        session.press("\u{1a}", &format!("stopped, and the other {other}"));
        session.end();
    }
}

/// S2: a file is made by the caller, or not at all.
#[test]
fn exports_are_made_with_the_callers_rights_alone() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    for way in Way::all(&place) {
        let uid = way.caller();
        let closed = place.folder(&format!("closed{uid}"), (0, 0), 0o755);
        let owned = place.folder(&format!("owned{uid}"), (uid, uid), 0o755);
        for (folder, answer) in [(&closed, "Permission denied"), (&owned, "Written: ")] {
            let mut session = Session::start(folder, &synth(way.command(), &[]));
            session.wait_for("systemd");
            session.press("w", answer);
            session.press("q", "");
            session.end();
        }
        assert_eq!(closed.read_dir().unwrap().count(), 0, "{way:?}");
        let made = owned.read_dir().unwrap().next().unwrap().unwrap().metadata().unwrap();
        assert_eq!((made.uid(), made.gid(), made.mode() & 0o777), (uid, uid, 0o600), "{way:?}");
        fs::remove_dir_all(closed).unwrap();
        fs::remove_dir_all(owned).unwrap();
    }
}

/// The caller's groups count, and those of root do not.
#[test]
fn exports_go_by_the_callers_groups() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let ours = place.folder("ours", (0, GROUP), 0o770);
    let roots = place.folder("roots", (0, 0), 0o770);
    let script = with_ann(&place, Path::new("/nonexistent"));
    for (folder, answer) in [(&ours, "Written: "), (&roots, "Permission denied")] {
        let command = ["sh", "-c", &script, "sh"].map(String::from).to_vec();
        let command = [command, synth(Way::Sudo.command(), &[])].concat();
        let mut session = Session::start(folder, &command);
        session.wait_for("systemd");
        session.press("w", answer);
        session.press("q", "");
        session.end();
    }
    assert_eq!((ours.read_dir().unwrap().count(), roots.read_dir().unwrap().count()), (1, 0));
}

/// S2 and S7: who may only look gets no file written and no environment shown.
#[test]
fn read_only_writes_nothing_and_shows_no_environment() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let owned = place.folder("owned", (ANN, ANN), 0o755);
    let command = [Way::Sudo.command(), ["--read-only", "--filter", "pid=1"].map(String::from).to_vec()].concat();
    let mut session = Session::start(&owned, &command);
    session.wait_for("0 lost");
    session.press("w", "--read-only: no file is written");
    session.press("e", "--read-only: no environment is shown");
    session.press("x", "--read-only: processes are only looked at");
    session.press("\r", "Started");
    session.press("e", "--read-only: no environment is shown");
    session.press("q", "");
    session.press("q", "");
    session.end();
    assert_eq!(owned.read_dir().unwrap().count(), 0);
}
