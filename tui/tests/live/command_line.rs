//! How `stream` begins and ends, and what comes of it without privilege.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::capture::{PROGRAM, number, parse, program, wait_until};
use crate::{Company, enter, proc};

#[test]
fn a_stream_of_limited_duration_ends_by_itself() {
    let Some(_lock) = enter(Company::Any) else { return };
    let output = program().args(["stream", "--duration", "200ms"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<_> = parse(&output.stdout).collect();
    let header = &lines[0];
    assert_eq!((&header["type"], number(header, "schema")), (&"header".into(), 2));
    let read = |path: &str| std::fs::read_to_string(path).unwrap().trim().to_owned();
    assert_eq!(header["boot_id"], read("/proc/sys/kernel/random/boot_id"));
    assert_eq!(header["kernel"], read("/proc/sys/kernel/osrelease"));
    assert_eq!(header["host"], read("/proc/sys/kernel/hostname"));
    assert_eq!(header["source"], "live");
    let this = proc::this();
    let found = lines.iter().find(|line| line["type"] == "process" && line["pid"] == this.0).expect("this process");
    assert_eq!(number(found, "start_ns") / proc::TICK_NS, this.1);
    assert!(lines.iter().any(|line| line["type"] == "process" && line["pid"] == 1), "no init");
    let parent = lines.iter().find(|line| line["type"] == "process" && line["pid"] == found["ppid"]);
    assert_eq!(parent.expect("its parent")["start_ns"], found["parent_start_ns"]);
}

#[test]
fn a_stream_ends_on_sigterm_and_when_its_reader_goes_away() {
    let Some(_lock) = enter(Company::Any) else { return };
    for by_signal in [true, false] {
        let mut child = program().arg("stream").stdout(Stdio::piped()).spawn().unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        assert!(header.starts_with('{') && header.ends_with("}\n"), "{header:?}");
        if by_signal {
            kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
            std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
        } else {
            drop(reader);
            // Something to write.
            assert!(Command::new("true").status().unwrap().success());
        }
        let status = child.wait().unwrap();
        assert!(status.success(), "by signal: {by_signal}; {status}");
    }
}

/// Nothing is ever written after the header that matches the filter, so that no write can fail.
#[test]
fn a_stream_with_nothing_to_say_notices_that_its_reader_has_gone() {
    let Some(_lock) = enter(Company::Any) else { return };
    let mut child = program().args(["stream", "--uid", "54321"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut String::new()).unwrap();
    drop(reader);
    let status = wait_until("the stream has ended", || child.try_wait().unwrap());
    assert!(status.success(), "{status}");
}

#[test]
fn a_second_signal_ends_a_stream_whose_reader_does_not_read() {
    let Some(_lock) = enter(Company::Any) else { return };
    let mut child = program().arg("stream").stdout(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::with_capacity(64, child.stdout.take().unwrap());
    reader.read_line(&mut String::new()).unwrap();
    // More than the pipe holds.
    let argument = "x".repeat(30_000);
    for _ in 0..12 {
        assert!(Command::new("true").arg(&argument).status().unwrap().success());
    }
    let pid = Pid::from_raw(child.id().cast_signed());
    let status = wait_until("the stream has ended", || {
        kill(pid, Signal::SIGINT).unwrap();
        child.try_wait().unwrap()
    });
    assert_eq!(status.code(), Some(130), "{status}");
}

/// The iterator shows pids of the initial namespace, and /proc those of the container.
#[test]
fn in_a_pid_namespace_every_process_is_shown_once() {
    let Some(_lock) = enter(Company::Any) else { return };
    let output = Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", PROGRAM, "snapshot", "--format", "json"])
        .output()
        .unwrap();
    let snapshot: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let processes = snapshot["processes"].as_array().unwrap();
    let [process] = &processes[..] else { panic!("{processes:?}") };
    assert_eq!((&process["comm"], &process["ns_pid"]), (&"ptree-tui".into(), &1.into()));
    assert_eq!(process["argv"][1], "snapshot", "what /proc says of it, under its pid there");
}

#[test]
fn without_privilege_it_says_how_to_get_it() {
    let Some(_lock) = enter(Company::Any) else { return };
    // A place that a stranger can reach, whatever the target folder is.
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = dir.path().join("ptree-tui");
    std::fs::copy(PROGRAM, &program).unwrap();
    for subcommand in ["stream", "snapshot"] {
        let output = Command::new(&program).arg(subcommand).uid(65534).gid(65534).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).to_lowercase();
        assert_eq!(output.status.code(), Some(77), "{message}");
        assert!(output.stdout.is_empty(), "{output:?}");
        for way in ["sudo", "setcap", "cap_bpf", "cap_perfmon"] {
            assert!(message.contains(way), "'{way}' is not in: {message}");
        }
    }
}
