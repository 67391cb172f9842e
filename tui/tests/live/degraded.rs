//! What is left of the tree when the kernel lacks a member or refuses a program: it is taken to, by the option
//! `--pretend-missing`, which is for these tests.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command};

use ptree_source::layout::{Layout, Lookup};
use ptree_source::live::BtfFile;
use serde_json::Value;

use crate::capture::{Capture, PROGRAM, Stream, arguments, key, number, program, wait_until};
use crate::{Company, enter, proc};

/// A process that does nothing until it is killed.
struct Sleeper(Child);

impl Sleeper {
    fn start() -> Self {
        Self(Command::new("sleep").arg("1000").spawn().unwrap())
    }

    fn pid(&self) -> u64 {
        u64::from(self.0.id())
    }

    fn end(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        // Ended already, unless the test has failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn about<'a>(stream: &'a Stream, kind: &'a str, pid: u64) -> impl Iterator<Item = &'a Value> {
    stream.of(kind).filter(move |event| event["pid"] == pid)
}

fn degraded(stream: &Stream) -> Vec<&str> {
    stream.events[0]["degraded"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn without_a_program_something_else_tells_the_same_a_little_later() {
    let Some(_lock) = enter(Company::Any) else { return };
    for (missing, part) in [("on_fork", "births"), ("on_exec", "execs"), ("on_exit", "ends"), ("on_task", "running")] {
        let mut older = Sleeper::start();
        let mut capture = Capture::start(&["--pretend-missing", missing]);
        assert_eq!(degraded(capture.so_far()), [part]);
        let mut younger = Sleeper::start();
        for pid in [older.pid(), younger.pid()] {
            capture.wait_for("its arguments", |stream| {
                let told = about(stream, "exec", pid).chain(about(stream, "process", pid));
                told.filter(|event| event["argv"].is_array())
                    .find(|event| arguments(event) == [&b"sleep"[..], b"1000"])?;
                Some(())
            });
        }
        older.end();
        younger.end();
        for pid in [older.pid(), younger.pid()] {
            capture.wait_for("its end", |stream| about(stream, "exit", pid).next().map(|_| ()));
        }
        let stream = capture.finish();
        for pid in [older.pid(), younger.pid()] {
            let [exit] = &about(&stream, "exit", pid).collect::<Vec<_>>()[..] else { panic!("{missing}: ends twice") };
            // Of a zombie, which it may be for a moment, /proc tells it.
            assert!(
                exit["signal"] == "SIGKILL" || missing == "on_exit" && exit["signal"].is_null(),
                "{missing}: {exit}"
            );
            let told = stream.events.iter().filter(|event| event["pid"] == pid);
            let mut names: Vec<_> = told.map(key).collect();
            names.dedup();
            assert_eq!(names.len(), 1, "{missing}: one process, one name");
        }
    }
}

/// Only passes tell of births then, and only /proc of what they find.
#[test]
fn without_nearly_everything_it_is_still_a_tree() {
    let Some(_lock) = enter(Company::Any) else { return };
    let mut capture = Capture::start(&["--pretend-missing", "on_fork,on_exit,on_task"]);
    assert_eq!(degraded(capture.so_far()), ["births", "ends", "running"]);
    let mut sleeper = Sleeper::start();
    let this = capture.wait_for("this process", |stream| stream.key_of(proc::this()));
    capture.wait_for("a child of it", |stream| {
        about(stream, "process", sleeper.pid()).find(|found| crate::capture::parent(found) == this).map(|_| ())
    });
    sleeper.end();
    capture.wait_for("its end", |stream| about(stream, "exit", sleeper.pid()).next().map(|_| ()));
}

#[test]
fn without_a_member_its_values_are_left_out() {
    let Some(_lock) = enter(Company::Any) else { return };
    let missing = "mm_rss_anon,task_state,task_cgroups,signal_maxrss,task_read_bytes,task_exec_start,pid_level,\
                   task_utime,task_run_delay,pid_nr,tty_name,task_loginuid";
    let mut capture = Capture::start(&["--usage", "--pretend-missing", missing]);
    assert_eq!(
        degraded(capture.so_far()),
        [
            "state",
            "memory",
            "peak-memory",
            "storage-io",
            "user-time",
            "run-delay",
            "last-tick",
            "cgroups",
            "cgroup-moves",
            "namespaces",
            "sessions",
            "terminals",
            "logins"
        ]
    );
    let mut sleeper = Sleeper::start();
    let pid = sleeper.pid();
    capture.wait_for("what it uses", |stream| about(stream, "usage", pid).next().map(|_| ()));
    sleeper.end();
    capture.wait_for("its end", |stream| about(stream, "exit", pid).next().map(|_| ()));
    let stream = capture.finish();
    let one = |kind| about(&stream, kind, pid).next().unwrap_or_else(|| panic!("no '{kind}'"));
    for (kind, there, left_out) in [
        ("fork", "ppid", &["cgroup_id", "pid_ns", "sid", "pgid", "nice", "tty", "login_uid", "audit_session"][..]),
        ("usage", "cpu_ns", &["rss_bytes", "user_ns", "system_ns", "run_delay_ns"]),
        ("exit", "minor_faults", &["max_rss_bytes", "read_bytes", "write_bytes", "user_ns", "run_delay_ns", "sid"]),
    ] {
        number(one(kind), there);
        for name in left_out {
            assert!(one(kind)[name].is_null(), "'{name}' in {}", one(kind));
        }
    }
    assert_ne!(one("usage")["state"], "S");
}

#[test]
fn a_snapshot_without_the_iterator_shows_what_proc_shows_and_says_so() {
    let Some(_lock) = enter(Company::Any) else { return };
    let output = program().args(["snapshot", "--format", "json", "--pretend-missing", "on_task"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("degraded: running"), "{output:?}");
    let snapshot: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(snapshot["degraded"], serde_json::json!(["running"]));
    let this = proc::this();
    let processes = snapshot["processes"].as_array().unwrap();
    let found = processes.iter().find(|process| process["pid"] == this.0).expect("this process");
    assert_eq!(number(found, "start_ns") / proc::TICK_NS, this.1);
    let id = |pid: nix::unistd::Pid| u64::from(pid.as_raw().unsigned_abs());
    assert_eq!(number(found, "sid"), id(nix::unistd::getsid(None).unwrap()));
    assert_eq!(number(found, "pgid"), id(nix::unistd::getpgrp()));
    assert!(found["argv"].is_array() && found["rss_bytes"].is_u64(), "{found}");
}

#[test]
fn without_what_is_vital_it_is_refused_by_name() {
    let Some(_lock) = enter(Company::Any) else { return };
    for (options, wants) in [
        (["--pretend-missing", "task_tgid"], "task_struct.tgid"),
        (["--pretend-missing", "on_exit,on_exec,on_fork"], "'on_fork'"),
        (["--btf", "/proc/none"], "'/proc/none'"),
        (["--btf", PROGRAM], "objcopy"),
    ] {
        let output = program().arg("stream").args(options).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(wants) && output.stdout.is_empty(), "{message}");
    }
}

/// As where /sys is not to be seen.
#[test]
fn a_copy_of_the_kernels_btf_will_do() {
    let Some(_lock) = enter(Company::Any) else { return };
    let copy = tempfile::NamedTempFile::new().unwrap();
    std::fs::copy("/sys/kernel/btf/vmlinux", copy.path()).unwrap();
    let capture = Capture::start(&["--btf", copy.path().to_str().unwrap()]);
    let stream = capture.finish();
    assert!(stream.key_of(proc::this()).is_some());
    assert_eq!(degraded(&stream), [""; 0]);
}

/// With its offsets, the programs would tell nonsense.
#[test]
fn the_btf_of_another_kernel_is_refused() {
    let Some(_lock) = enter(Company::Any) else { return };
    let other = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(other.path(), with_tgid_elsewhere()).unwrap();
    let hidden = format!("mount -t tmpfs none /sys/kernel/btf && exec '{PROGRAM}' \"$@\"");
    let compared = (program(), "is not of the kernel that runs here");
    // As in a container: it comes out when this process is not found.
    let mut inside = Command::new("unshare");
    inside.args(["-m", "sh", "-c", &hidden, "sh"]);
    for (mut command, why) in [compared, (inside, "seems to be of another kernel")] {
        command.args(["stream", "--duration", "1ms", "--btf"]).arg(other.path());
        let output = command.output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(why) && message.contains(other.path().to_str().unwrap()), "{message}");
        assert_eq!(output.stdout, b"");
    }
    let mut inside = Command::new("unshare");
    let own = tempfile::NamedTempFile::new().unwrap();
    std::fs::copy("/sys/kernel/btf/vmlinux", own.path()).unwrap();
    inside.args(["-m", "sh", "-c", &hidden, "sh", "stream", "--duration", "1ms", "--btf"]).arg(own.path());
    let output = inside.output().unwrap();
    assert!(output.status.success() && output.stdout.starts_with(b"{\"type\":\"header\""), "{output:?}");
}

/// This kernel's BTF, with the member `tgid` where `exit_state` is.
fn with_tgid_elsewhere() -> Vec<u8> {
    let file = BtfFile::read(None).unwrap();
    let layout = Layout::of(&file.btf().unwrap(), |_| false);
    let bits = |path| {
        let found = layout.members.iter().find_map(|row| match &row.lookup {
            Lookup::Found(found) if found.path == path => Some(found.offset * 8),
            _ => None,
        });
        found.unwrap().to_ne_bytes()
    };
    let mut bytes = file.bytes().to_vec();
    let word = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    // Of the header: its length, and where the strings are behind it. A member is the name, the type, the place in bits.
    let strings = word(4) + word(16);
    let name = bytes[strings..].windows(6).position(|text| text == b"\0tgid\0").unwrap() + 1;
    let name = u32::try_from(name).unwrap().to_ne_bytes();
    let is_member = |at: &usize| bytes[*at..at + 4] == name && bytes[at + 8..at + 12] == bits("tgid");
    let member = (0..strings - 12).step_by(4).find(is_member).unwrap();
    bytes[member + 8..member + 12].copy_from_slice(&bits("exit_state"));
    bytes
}

#[test]
fn doctor_tells_of_every_part_whether_it_is_there() {
    let Some(_lock) = enter(Company::Any) else { return };
    let output = program().args(["doctor", "--json", "--pretend-missing", "on_exit,task_cgroups"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let check = |name: &str| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no '{name}' in {checks:?}"))
    };
    for name in ["births", "execs", "running", "memory", "namespaces"] {
        assert_eq!(check(name)["verdict"], "ok", "{}", check(name));
    }
    for (name, wants) in [("ends", "--pretend-missing"), ("cgroups", "task_struct.cgroups"), ("programs", "on_fork")] {
        assert_eq!(check(name)["verdict"], "degraded", "{}", check(name));
        assert!(check(name)["finding"].as_str().unwrap().contains(wants), "{}", check(name));
        assert!(check(name)["mend"].is_string());
    }
}

/// There are spares from 7.0 on.
#[test]
fn doctor_tells_of_a_spare_that_is_not_there_where_one_is_needed() {
    let Some(_lock) = enter(Company::Any) else { return };
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let major: u32 = release.split('.').next().unwrap().parse().unwrap();
    let output = program().args(["doctor", "--json", "--pretend-missing", "on_fork_3"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for name in ["programs", "spares"] {
        let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap();
        assert_eq!(check["verdict"], if major >= 7 { "degraded" } else { "ok" }, "{check}");
    }
}

/// A stop at once must not lose what only the passes tell.
#[test]
fn a_stream_that_ends_before_the_next_pass_has_what_the_last_one_told() {
    let Some(_lock) = enter(Company::Any) else { return };
    let mut sleeper = Sleeper::start();
    let capture = Capture::start(&["--pretend-missing", "on_fork,on_exit"]);
    sleeper.end();
    wait_until("it has gone", || (!std::path::Path::new(&format!("/proc/{}", sleeper.pid())).exists()).then_some(()));
    let stream = capture.finish();
    assert_eq!(about(&stream, "exit", sleeper.pid()).count(), 1);
}

/// As nobody with the capabilities to watch, but not to look at others.
#[test]
fn where_proc_hides_the_processes_of_others_it_is_told() {
    let Some(_lock) = enter(Company::Any) else { return };
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path().join("ptree-tui");
    std::fs::copy(PROGRAM, &copy).unwrap();
    let capable = Command::new("setcap").arg("cap_bpf,cap_perfmon+ep").arg(&copy).status();
    if !capable.is_ok_and(|status| status.success()) {
        assert!(std::env::var_os("CI").is_none(), "setcap is missing, and must not be in CI");
        eprintln!("SKIPPED (needs setcap): where /proc hides the processes of others");
        return;
    }
    let command = |mount: &str| {
        let nobody = "exec setpriv --reuid 65534 --regid 65534 --clear-groups";
        let script = format!("{mount} && {nobody} '{}' \"$@\"", copy.to_str().unwrap());
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", &script, "sh"]);
        command
    };
    let mut sleeper = Sleeper::start();
    for (mount, is_hidden) in [("mount -t proc -o hidepid=2 proc /proc", true), ("true", false)] {
        let mut capture = Capture::start_by(command(mount), &[]);
        assert_eq!(degraded(capture.so_far()).contains(&"details"), is_hidden, "{mount}");
        // What the kernel tells by itself is all there.
        capture
            .wait_for("a process of another user", |stream| about(stream, "process", sleeper.pid()).next().map(drop));
        capture.finish();
        let output = command(mount).args(["doctor", "--json"]).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "/proc").unwrap();
        // Without cap_sys_ptrace it is less than everything in any case.
        assert_eq!(check["verdict"], "degraded", "{check}");
        let finding = check["finding"].as_str().unwrap();
        assert_eq!(finding.contains("does not show the processes of others"), is_hidden, "{finding}");
    }
    sleeper.end();
}
