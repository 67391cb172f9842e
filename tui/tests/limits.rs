//! The program where the machine or a limit has too little of something: it says of what, how much it takes and what to
//! do, and where it has been given that, it works. It never panics.
//!
//! Needs root, as the live tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test, a panic is how to fail")]

#[path = "common/pty.rs"]
mod pty;
#[path = "common/root.rs"]
mod root;

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use self::pty::Pty;
use self::root::{Company, enter};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ptree-tui");
/// A user who has nothing to do with this machine.
const STRANGER: &str = "54123";
/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const STREAM: [&str; 3] = ["stream", "--duration", "100ms"];

/// Runs the program by way of another one.
fn run(by: &[&str], arguments: &[&str]) -> Output {
    Command::new(by[0]).args(&by[1..]).arg(PROGRAM).args(arguments).output().unwrap()
}

/// Its standard error, which tells of no panic.
fn told(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code().is_some(), "killed: {:?} {told}", output.status);
    for panic in ["panicked", "mistake in the program", "memory allocation"] {
        assert!(!told.contains(panic), "{told}");
    }
    told
}

#[track_caller]
fn assert_works(output: &Output) {
    let told = told(output);
    assert!(output.status.success() && !output.stdout.is_empty(), "{:?}: {told}", output.status);
}

#[track_caller]
fn assert_fails(output: &Output, status: i32, parts: &[&str]) {
    let told = told(output);
    assert_eq!(output.status.code(), Some(status), "{told}");
    for part in parts {
        assert!(told.contains(part), "no '{part}' in: {told}");
    }
}

/// By way of what a stranger may do within a limit: all that is needed, but not what lifts limits.
fn as_stranger(limit: &str) -> [&str; 12] {
    let capabilities = "+bpf,+perfmon,+sys_ptrace";
    [
        "prlimit",
        limit,
        "setpriv",
        "--reuid",
        STRANGER,
        "--regid",
        STRANGER,
        "--clear-groups",
        "--inh-caps",
        capabilities,
        "--ambient-caps",
        capabilities,
    ]
}

#[test]
fn the_screen_says_which_thread_cannot_be_had_when_it_has_given_the_terminal_back() {
    let Some(_lock) = enter(Company::None) else { return };
    let mut shown = 0;
    for threads in 1..=8 {
        let limit = format!("--nproc={threads}");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&seen);
        let output = || String::from_utf8_lossy(&seen.lock().unwrap()).into_owned();
        let command = [&as_stranger(&limit)[..], &[PROGRAM]].concat();
        let mut pty = Pty::start((80, 24), &command, move |bytes| writer.lock().unwrap().extend(bytes)).unwrap();
        let (begun, mut left) = (Instant::now(), false);
        let status = loop {
            if let Some(status) = pty.child.try_wait().unwrap() {
                break status;
            }
            if !left && output().contains("COMMAND") {
                left = true;
                pty.press("q").unwrap();
            }
            assert!(begun.elapsed() < PATIENCE, "{threads}: {}", output().escape_debug());
            std::thread::sleep(Duration::from_millis(20));
        };
        let said = |text: &str| output().contains(text);
        if left {
            shown += 1;
            assert!(status.success(), "{threads}: {status}");
        } else {
            // What it wrote last may not have been taken yet.
            while !said("no thread can be made for '") && !said("panicked") {
                assert!(begun.elapsed() < PATIENCE, "{threads}: {}", output().escape_debug());
                std::thread::sleep(Duration::from_millis(20));
            }
            assert_eq!(status.code(), Some(1), "{threads}");
            assert!(output().rfind("no thread") > output().rfind("\u{1b}[?1049l"), "{threads}");
        }
        assert!(!said("panicked"), "{threads}: {}", output().escape_debug());
    }
    // The last ones are enough, and those before name users and read what is asked for.
    assert!((2..8).contains(&shown), "{shown}");
}

#[test]
fn without_a_thread_it_says_so_or_does_without() {
    // The threads of one user are counted.
    let Some(_lock) = enter(Company::None) else { return };
    let mut worked = 0;
    for threads in 1..=8 {
        let limit = format!("--nproc={threads}");
        let by = as_stranger(&limit);
        // It makes threads only to be faster.
        assert_works(&run(&by, &["snapshot"]));
        let output = run(&by, &STREAM);
        if output.status.success() {
            worked += 1;
        } else {
            assert_fails(&output, 1, &["no thread can be made for '", "'ulimit -u'"]);
        }
    }
    // The first, the one that captures, and the one that watches the clock are all it takes: users then have no names.
    assert!(worked >= 5, "{worked}");
}

#[test]
fn the_size_of_stacks_is_nothing_that_the_environment_decides() {
    let Some(_lock) = enter(Company::Any) else { return };
    for bytes in ["1", "1000000000000000", "18446744073709551615"] {
        assert_works(&run(&["env", &format!("RUST_MIN_STACK={bytes}")], &STREAM));
    }
}

#[test]
fn a_limit_that_is_too_low_is_named_and_what_is_advised_is_enough() {
    let Some(_lock) = enter(Company::Any) else { return };
    for (option, bytes, shell) in [("--as", 200_000_000, "ulimit -v "), ("--data", 20_000_000, "ulimit -d ")] {
        let refused = run(&["prlimit", &format!("{option}={bytes}")], &STREAM);
        assert_fails(&refused, 1, &["the limit of ", &format!("is {} KiB", bytes >> 10), shell]);
        let told = told(&refused);
        let advised: u64 = told.split(shell).nth(1).and_then(|rest| rest.split('\'').next()).unwrap().parse().unwrap();
        let by = ["prlimit", &format!("{option}={}", advised << 10)];
        for arguments in [&STREAM[..], &["snapshot"], &["doctor"]] {
            assert_works(&run(&by, arguments));
        }
        let below = ["prlimit", &format!("{option}={}", (advised << 10) - 1)];
        assert_fails(&run(&below, &STREAM), 1, &[shell]);
        let doctor = run(&below, &["doctor"]);
        let findings = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert_eq!(doctor.status.code(), Some(1), "{findings}");
        assert!(findings.contains(" FAILED  limits ") && findings.contains("first mend 'limits' above"), "{findings}");
    }
}

/// Before anything is checked, an event loop is made, and help is printed without one.
#[test]
fn however_few_files_may_be_open_it_is_told() {
    let Some(_lock) = enter(Company::Any) else { return };
    // With fewer the loader of programs fails.
    for files in 4..=16 {
        let limit = format!("--nofile={files}");
        for command in [&STREAM[..], &["snapshot"], &["doctor"], &["synth", "idle", "--stream", "--duration", "10ms"]] {
            let told = told(&run(&["prlimit", &limit], command));
            assert!(
                command[0] == "synth" || command[0] == "doctor" || told.contains("ulimit -n"),
                "{files} {command:?}: {told}"
            );
        }
    }
}

/// A signal that whoever starts it has blocked ends it all the same.
#[test]
fn signals_end_it_whatever_was_blocked_before() {
    let Some(_lock) = enter(Company::Any) else { return };
    let mut child =
        Command::new("env").args(["--block-signal", PROGRAM, "stream"]).stdout(Stdio::piped()).spawn().unwrap();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    drop(child.stdout.take());
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < PATIENCE, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn too_few_open_files_are_refused_and_a_soft_limit_is_raised() {
    let Some(_lock) = enter(Company::Any) else { return };
    for files in ["4", "15", "40"] {
        let output = run(&["prlimit", &format!("--nofile={files}")], &STREAM);
        assert_fails(&output, 1, &["ulimit -n 1024"]);
    }
    for files in ["64", "15:1024"] {
        assert_works(&run(&["prlimit", &format!("--nofile={files}")], &STREAM));
    }
}

/// A running stream, which ends when this is dropped.
struct Stream {
    child: Child,
    output: File,
    text: String,
}

impl Stream {
    fn start(arguments: &[&str]) -> Self {
        let output = tempfile::NamedTempFile::new().unwrap();
        let child = Command::new(PROGRAM).args(arguments).stdout(output.reopen().unwrap()).spawn().unwrap();
        Self { child, output: output.into_file(), text: String::new() }
    }

    /// Waits for a line that was not there before.
    fn wait_for(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) {
        let (begun, mut seen) = (Instant::now(), self.text.len());
        loop {
            self.output.read_to_string(&mut self.text).unwrap();
            let complete = self.text.rfind('\n').map_or(0, |at| at + 1).max(seen);
            let new = self.text[seen..complete].lines().map(|line| serde_json::from_str(line).unwrap());
            if new.into_iter().any(|line: Value| wanted(&line)) {
                return;
            }
            seen = complete;
            assert_eq!(self.child.try_wait().unwrap(), None, "it has ended");
            assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Has it open so many files from now on.
    fn limit_files(&self, files: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("prlimit").args(["--pid", &pid, &format!("--nofile={files}:")]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_pass_that_fails_for_what_may_pass_is_made_again() {
    let Some(_lock) = enter(Company::Any) else { return };
    let mut stream = Stream::start(&["stream", "--usage", "--interval", "100ms"]);
    stream.wait_for("usage", |line| line["type"] == "usage");
    stream.limit_files("3");
    // One after the other: there is a turn for each, and passes are due meanwhile.
    for _ in 0..20 {
        let child = Command::new("true").stdin(Stdio::null()).spawn().unwrap();
        let pid = child.id();
        assert!({ child }.wait().unwrap().success());
        stream.wait_for("its end", |line| line["type"] == "exit" && line["pid"] == pid);
    }
    stream.limit_files("1024");
    // What was measured before the limit has been read.
    stream.wait_for("usage again", |line| line["type"] == "usage");
}

/// Runs it without what is mounted at a place.
fn without(mounted: &str, arguments: &[&str]) -> Output {
    run(&["unshare", "--mount", "sh", "-c", &format!("umount -l {mounted} && exec \"$0\" \"$@\"")], arguments)
}

#[test]
fn without_proc_it_works_and_says_what_is_left_out() {
    let Some(_lock) = enter(Company::Any) else { return };
    let output = without("/proc", &STREAM);
    assert_works(&output);
    let header: Value = serde_json::from_slice(output.stdout.split(|&byte| byte == b'\n').next().unwrap()).unwrap();
    assert_eq!(header["kernel"], nix::sys::utsname::uname().unwrap().release().to_str().unwrap());
    assert!(header["degraded"].as_array().unwrap().contains(&"details".into()), "{header}");

    let doctor = without("/proc", &["doctor"]);
    let findings = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(doctor.status.success(), "{findings}");
    for line in ["ok  privileges", "ok  kernel", "limited  /proc", "limited  details", "mount -t proc proc /proc"] {
        assert!(findings.contains(line), "no '{line}' in: {findings}");
    }
    let as_seen_here = run(&["env"], &["doctor"]);
    let namespace = |doctor: &Output| {
        let findings = String::from_utf8_lossy(&doctor.stdout).into_owned();
        findings.lines().find(|line| line.contains(" pid namespace ")).map(str::to_owned)
    };
    assert_eq!(namespace(&doctor), namespace(&as_seen_here), "the task iterator tells it");
}

#[test]
fn without_sys_it_says_how_to_mount_it() {
    let Some(_lock) = enter(Company::Any) else { return };
    let mend = "mount -t sysfs sysfs /sys";
    for arguments in [&STREAM[..], &["snapshot"], &["--btf", "/proc/version", "snapshot"]] {
        assert_fails(&without("/sys", arguments), 1, &[mend]);
    }
    let doctor = without("/sys", &["doctor"]);
    let findings = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert_eq!(doctor.status.code(), Some(1), "{findings}");
    assert!(findings.contains(mend) && !findings.contains("--btf"), "{findings}");
}

#[test]
fn capabilities_of_a_user_namespace_do_not_count() {
    let Some(_lock) = enter(Company::Any) else { return };
    let by = ["unshare", "--user", "--map-root-user"];
    for arguments in [&STREAM[..], &["snapshot"]] {
        assert_fails(&run(&by, arguments), 77, &["this is a user namespace"]);
    }
    let doctor = run(&by, &["doctor"]);
    let findings = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert_eq!(doctor.status.code(), Some(77), "{findings}");
    assert!(findings.contains(" FAILED  privileges ") && findings.contains("of a user namespace"), "{findings}");
}

/// Needs no root.
/// Threads of the program's own begin all the time while it starts.
#[test]
fn a_limit_of_memory_that_comes_while_it_starts_is_told_as_such() {
    let Some(_lock) = enter(Company::Any) else { return };
    for round in 0..30 {
        let mut command = Command::new(PROGRAM);
        let child = command.args(STREAM).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(4 + round * 3));
        let limit = if round % 2 == 0 { "--as=4096" } else { "--data=4096" };
        assert!(Command::new("prlimit").args(["--pid", &child.id().to_string(), limit]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!told.contains("this is a mistake in the program, please report it: at"), "{told}");
        assert!(
            output.status.success() || told.contains("memory") || told.contains("thread"),
            "{}: {told}",
            output.status
        );
    }
}

#[test]
fn a_file_that_may_not_grow_is_an_error() {
    let output = tempfile::tempfile().unwrap();
    let written = Command::new("prlimit")
        .args(["--fsize=100", PROGRAM, "completions", "bash"])
        .stdout(output)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_fails(&written, 1, &["standard output", "File too large"]);
}
