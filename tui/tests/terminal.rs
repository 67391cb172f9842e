//! I16 on a real terminal: a program on a pseudo-terminal gives it back as it was, whichever way it ends or stops.
//!
//! The program is the example `invented`: the same runtime and screen without the kernel behind, so that this runs
//! anywhere.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

#[path = "common/pty.rs"]
mod pty;

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, OutputFlags, tcgetattr};
use nix::unistd::Pid;

use self::pty::Pty;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);
const ENTER: &str = "\u{1b}[?1049h";
const LEAVE: &str = "\u{1b}[?1049l";

fn program() -> PathBuf {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_ptree-tui")).with_file_name("examples").join("invented");
    assert!(program.exists(), "{program:?} is missing: cargo build --examples");
    program
}

/// A program with a terminal of 80 columns and 24 rows of its own, and all that it has written.
struct Session {
    pty: Pty,
    seen: Arc<Mutex<Vec<u8>>>,
    /// Takes no more output.
    deaf: Arc<AtomicBool>,
}

impl Session {
    fn start(command: &[&str]) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&seen);
        let deaf = Arc::new(AtomicBool::new(false));
        let not_now = Arc::clone(&deaf);
        let take = move |bytes: &[u8]| {
            writer.lock().unwrap().extend_from_slice(bytes);
            while not_now.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        Self { pty: Pty::start((80, 24), command, take).unwrap(), seen, deaf }
    }

    fn invented(kind: &str) -> Self {
        Self::start(&[program().to_str().unwrap(), kind])
    }

    fn output(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    fn wait(&self, what: &str, condition: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        while !condition(&self.output()) {
            assert!(begun.elapsed() < PATIENCE, "no {what} in:\n{}", self.output().escape_debug());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn wait_for(&self, text: &str) {
        self.wait(&format!("'{text}'"), |output| output.contains(text));
    }

    fn press(&mut self, keys: &str) {
        self.pty.press(keys).unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pty.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Waits for the end and checks that the terminal is as it was.
    fn end(mut self) -> (ExitStatus, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.pty.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "does not end:\n{}", self.output().escape_debug());
            std::thread::sleep(Duration::from_millis(20));
        };
        self.wait("alternate screen left", |output| output.rfind(LEAVE) > output.rfind(ENTER));
        self.assert_cooked();
        let output = self.output();
        assert_modes_left(&output);
        (status, output)
    }

    fn assert_cooked(&self) {
        let after = tcgetattr(&self.pty.keyboard).unwrap();
        assert_eq!(after.local_flags, self.pty.before.local_flags);
        assert_eq!(after.input_flags, self.pty.before.input_flags);
        assert_eq!(after.output_flags, self.pty.before.output_flags);
        assert!(after.local_flags.contains(LocalFlags::ICANON | LocalFlags::ECHO));
        assert!(after.output_flags.contains(OutputFlags::OPOST));
    }
}

/// That the last that was said of each mode of the terminal is what shells expect.
fn assert_modes_left(output: &str) {
    let restored = &output[output.rfind("\u{1b}[?1049l").unwrap()..];
    assert!(!restored.contains("\u{1b}[?2026h"));
    let before = output.rfind("\u{1b}[?2026l").unwrap();
    assert!(output[before..].contains("\u{1b}[?1049l"), "the end of any frame comes before");
    assert!(output.rfind("\u{1b}[?25h") > output.rfind("\u{1b}[?25l"), "the cursor is hidden");
    for (mode, what) in [
        ("2004", "pasted text is bracketed"),
        ("1000", "clicks are told"),
        ("1006", "clicks are told"),
        ("2026", "nothing is shown until a frame ends"),
    ] {
        let [on, off] = ['h', 'l'].map(|to| output.rfind(&format!("\u{1b}[?{mode}{to}")));
        assert!(off > on || on.is_none(), "{what} still");
    }
}

#[test]
fn i16_quit_gives_the_terminal_back() {
    let mut session = Session::invented("quiet");
    session.wait_for("systemd");
    assert!(!tcgetattr(&session.pty.keyboard).unwrap().local_flags.contains(LocalFlags::ICANON));
    session.press("q");
    let (status, output) = session.end();
    assert!(status.success(), "{status}");
    let after = output.rsplit(LEAVE).next().unwrap().replace("\u{1b}[?25h", "");
    assert_eq!(after, "", "something is written after the screen was left");
}

#[test]
fn i16_the_mouse_is_listened_to_while_the_screen_is_up_and_not_at_all_when_unwanted() {
    let (on, off) = ("\u{1b}[?1000h\u{1b}[?1006h", "\u{1b}[?1006l\u{1b}[?1000l");
    let mut session = Session::invented("quiet");
    session.wait_for("systemd");
    assert!(session.output().contains(on));
    // A press on the heading PID, told as terminals tell it: rows are sorted by it.
    session.press("\u{1b}[<0;3;3M\u{1b}[<0;3;3m");
    session.wait_for("sorted by");
    session.press("q");
    let (_, output) = session.end();
    assert!(output.contains(off));

    let mut session = Session::start(&[env!("CARGO_BIN_EXE_ptree-tui"), "synth", "idle", "--no-mouse"]);
    session.wait_for("COMMAND");
    session.press("q");
    let (_, output) = session.end();
    assert!(!output.contains("?1000") && !output.contains("?1006"), "{}", output.escape_debug());
}

#[test]
fn a_configuration_is_read_and_mistakes_in_it_keep_the_screen_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.toml");
    std::fs::write(&path, "[keys.tree]\nquit = [\", q\"]\n").unwrap();
    let config = path.to_str().unwrap();
    let mut session = Session::start(&[env!("CARGO_BIN_EXE_ptree-tui"), "--config", config, "synth", "idle"]);
    session.wait_for(", q");
    session.press(",q");
    assert!(session.end().0.success());

    std::fs::write(&path, "[general]\n\nthem = \"dark\"\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ptree-tui")).args(["--config", config, "snapshot"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(
        told.contains("own.toml:3: there is no setting in [general] called 'them'; did you mean 'theme'?"),
        "{told}"
    );
}

#[test]
fn a_terminal_that_cannot_move_its_cursor_is_refused() {
    let mut session = Session::start(&["env", "TERM=dumb", env!("CARGO_BIN_EXE_ptree-tui"), "synth", "idle"]);
    session.wait_for("the terminal is 'dumb'");
    assert_eq!(session.pty.child.wait().unwrap().code(), Some(1));
    assert!(!session.output().contains(ENTER));
}

#[test]
fn i16_signals_that_end_it_give_the_terminal_back() {
    // Those of faults end it at once, as whoever sends them wants; the C library does nothing at 33 unless it has sent that.
    let at_once = [
        Signal::SIGABRT,
        Signal::SIGSEGV,
        Signal::SIGBUS,
        Signal::SIGILL,
        Signal::SIGFPE,
        Signal::SIGTRAP,
        Signal::SIGSYS,
    ];
    let not_ending = [
        Signal::SIGKILL,
        Signal::SIGSTOP,
        Signal::SIGTSTP,
        Signal::SIGTTIN,
        Signal::SIGTTOU,
        Signal::SIGCONT,
        Signal::SIGCHLD,
        Signal::SIGURG,
        Signal::SIGWINCH,
        // Errors where they happen.
        Signal::SIGPIPE,
        Signal::SIGXFSZ,
    ];
    let standard = Signal::iterator().filter(|signal| !not_ending.contains(signal)).map(|signal| signal as i32);
    for signal in standard.chain([32, 34, 35, 50, 64]) {
        let (workload, program) = (program().with_file_name("workload"), program());
        let session =
            Session::start(&[workload.to_str().unwrap(), "default-signals", program.to_str().unwrap(), "storm"]);
        session.wait_for("systemd");
        let command = format!("kill -{signal} {}", session.pty.child.id());
        assert!(Command::new("bash").args(["-c", &command]).status().unwrap().success());
        let (status, _) = session.end();
        if at_once.iter().any(|of| *of as i32 == signal) {
            assert_eq!(status.signal(), Some(signal), "{status}");
        } else {
            assert!(status.success(), "{signal}: {status}");
        }
    }
}

#[test]
fn i16_a_lack_of_memory_gives_the_terminal_back_and_is_told() {
    // What the dead occupy grows all the time.
    let session = Session::invented("storm");
    session.wait_for("systemd");
    let pid = session.pty.child.id().to_string();
    assert!(Command::new("prlimit").args(["--pid", &pid, "--as=1000000:1000000"]).status().unwrap().success());
    let (status, output) = session.end();
    assert_eq!(status.signal(), Some(Signal::SIGABRT as i32), "{status} {}", output.escape_debug());
    let told = output.find("too little memory is left");
    assert!(told.is_some() && told > output.rfind(LEAVE), "{}", output.escape_debug());
}

#[test]
fn i16_a_recording_of_more_processes_than_memory_holds_gives_the_terminal_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording");
    let mut lines =
        r#"{"type":"header","schema":1,"host":"elsewhere","boot_id":"b","boottime_ns":5,"unix_ns":5}"#.to_owned();
    for pid in 10..100_010 {
        let line = format!(
            "\n{{\"type\":\"process\",\"ts_ns\":6,\"pid\":{pid},\"start_ns\":6,\"ppid\":1,\"parent_start_ns\":1,\
             \"uid\":7,\"gid\":7,\"comm\":\"x\"}}"
        );
        lines.push_str(&line);
    }
    std::fs::write(&path, lines + "\n").unwrap();
    let replay = [env!("CARGO_BIN_EXE_ptree-tui"), "replay", path.to_str().unwrap()];
    let (status, output) = Session::start(&[&["prlimit", "--data=30000000"], &replay[..]].concat()).end();
    assert_eq!(status.signal(), Some(Signal::SIGABRT as i32), "{status} {}", output.escape_debug());
    let told = output.find("too little memory is left");
    assert!(told.is_some() && told > output.rfind(LEAVE), "{}", output.escape_debug());
}

#[test]
fn i16_a_panic_gives_the_terminal_back_before_its_message() {
    let (status, output) = Session::invented("panic").end();
    assert!(!status.success());
    // What panics may have had the text of others in its hands.
    let told = output.find(r"panic as asked for\x1b]0;T\x07");
    assert!(told.is_some() && told > output.rfind(LEAVE), "{}", output.escape_debug());
}

#[test]
fn i16_an_error_of_the_source_is_shown_and_told_again_at_the_end() {
    let mut session = Session::invented("fail");
    session.wait_for("CAPTURE FAILED");
    session.press("q");
    let (status, output) = session.end();
    assert_eq!(status.code(), Some(1));
    let told = output.rfind("the invented kernel refused");
    assert!(told > output.rfind(LEAVE), "{}", output.escape_debug());
}

#[test]
fn i16_a_stop_gives_the_terminal_to_the_shell_and_takes_it_again() {
    let mut session = Session::start(&["bash", "--noprofile", "--norc", "--noediting", "-i"]);
    session.press(&format!("exec 2>&1; PS1='ready> '; {} quiet\n", program().to_str().unwrap()));
    session.wait_for("systemd");
    for stop in ["key", "TSTP", "TTIN", "TTOU"] {
        let (entered, left) = (session.output().matches(ENTER).count(), session.output().matches(LEAVE).count());
        if stop == "key" {
            session.press("\u{1a}");
        } else {
            let group = nix::unistd::tcgetpgrp(&session.pty.keyboard).unwrap();
            let signal: Signal = format!("SIG{stop}").parse().unwrap();
            // The members of the job are the program and nobody else.
            kill(group, signal).unwrap();
        }
        session.wait("prompt", |output| {
            output.rfind("ready> ") > output.rfind(LEAVE) && output.matches(LEAVE).count() > left
        });
        session.assert_cooked();
        assert_modes_left(&session.output());
        session.press("fg\n");
        session.wait("screen again", |output| {
            let entered_again = output.matches(ENTER).count() > entered;
            entered_again && output.rfind("journald") > output.rfind(ENTER)
        });
    }
    session.press("q");
    session.wait("prompt", |output| {
        output.rfind("ready> ") > output.rfind(LEAVE) && output.rfind(LEAVE) > output.rfind(ENTER)
    });
    session.press("exit\n");
    session.end();
}

#[test]
fn i16_without_a_shell_to_go_back_to_it_does_not_stop() {
    let program = program();
    let program = program.to_str().unwrap();
    // Alone, and below a shell that does not control jobs and is in the same process group.
    for command in [&[program, "quiet"][..], &["bash", "-c", "\"$0\" quiet; exit $?", program]] {
        let mut session = Session::start(command);
        session.wait_for("systemd");
        session.press("\u{1a}");
        session.wait_for("No shell to go back to");
        session.press("q");
        assert!(session.end().0.success());
    }
}

#[test]
fn i16_a_signal_ends_it_even_while_the_terminal_takes_no_output() {
    let mut session = Session::invented("quiet");
    session.wait_for("systemd");
    session.deaf.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    let writes = format!("{} ", libc::SYS_write);
    let syscall = format!("/proc/{}/syscall", session.pty.child.id());
    // Stuck for good: redrawing again and again fills whatever there is to buffer it.
    let mut stuck = 0;
    while stuck < 5 {
        assert!(begun.elapsed() < PATIENCE, "still writes");
        session.press("\u{c}");
        std::thread::sleep(Duration::from_millis(20));
        stuck = if std::fs::read_to_string(&syscall).unwrap().starts_with(&writes) { stuck + 1 } else { 0 };
    }
    session.signal(Signal::SIGTERM);
    let begun = Instant::now();
    while session.pty.child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < PATIENCE, "does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    session.assert_cooked();
    session.deaf.store(false, Ordering::SeqCst);
}

#[test]
fn without_a_terminal_there_is_an_error_that_says_what_does_without() {
    let output = Command::new(program()).arg("quiet").stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("'ptree-tui stream'"));
    assert!(!String::from_utf8_lossy(&output.stdout).contains(ENTER));
}

#[test]
fn i16_a_stream_from_a_pipe_is_shown_and_keys_come_from_the_terminal() {
    let line = |text: &str| format!("{text}\\n");
    let header = r#"{"type":"header","schema":1,"host":"elsewhere","boot_id":"b","boottime_ns":5000,"unix_ns":1000}"#;
    let fork = r#"{"type":"fork","ts_ns":6000,"pid":5,"start_ns":6000,"ppid":1,"parent_start_ns":1,"uid":7,"gid":7,"comm":"recorded"}"#;
    let user = r#"{"type":"user","uid":7,"name":"somebody"}"#;
    let lines: String = [header, "junk", user, fork].map(line).concat();
    let replay = format!("printf '{lines}' | '{}' replay -", env!("CARGO_BIN_EXE_ptree-tui"));
    let mut session = Session::start(&["sh", "-c", &replay]);
    for text in ["elsewhere", "somebody", "recorded", "ENDED"] {
        session.wait_for(text);
    }
    // Drawn anew, it is there in one piece, also where there was another frame before.
    session.press("\u{c}");
    session.wait_for("CAPTURE ENDED");
    session.press("q");
    let (status, output) = session.end();
    assert_eq!(status.code(), Some(1));
    let report = output.rsplit(LEAVE).next().unwrap();
    assert!(
        report.contains("1 of 4 lines could not be read, the first: line 2: not a JSON object: 'junk'"),
        "{report}"
    );
}

#[test]
fn i16_a_recording_of_others_does_not_command_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x\u{1b}]0;PWNED\u{7}.ndjson");
    let header = |boot: &str| {
        let evil = r"evil\u001b]0;PWNED\u0007\u001b[31m\u202e";
        format!(
            r#"{{"type":"header","schema":1,"version":"{evil}","host":"{evil}","kernel":"{evil}","boot_id":"{boot}","boottime_ns":5,"unix_ns":5,"degraded":["{evil}"]}}"#
        )
    };
    let junk = "junk \u{1b}]0;PWNED\u{7}\u{202e}";
    std::fs::write(&path, [&header("a"), junk, &header("b")].join("\n")).unwrap();
    let mut session = Session::start(&[env!("CARGO_BIN_EXE_ptree-tui"), "replay", path.to_str().unwrap()]);
    session.wait_for("another boot begins here");
    session.press("q");
    let (status, output) = session.end();
    assert_eq!(status.code(), Some(1));
    for raw in ["\u{1b}]", "\u{7}", "\u{202e}"] {
        assert!(!output.contains(raw), "{}", output.escape_debug());
    }
    let told = output.rsplit(LEAVE).next().unwrap();
    let host = r"evil\x1b]0;PWNED\x07\x1b[31m\xe2\x80\xae";
    assert!(told.contains(&format!("another boot begins here, of '{host}'")), "{told}");
    assert!(told.contains(r"/x\x1b]0;PWNED\x07.ndjson': 1 of 3 lines could not be read"), "{told}");
}

#[test]
fn an_export_that_fails_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    // Files can be made, but nothing can be written to them.
    let line = "cd \"$1\" && trap '' XFSZ && ulimit -f 0 && exec \"$0\" synth idle";
    let path = folder.path().to_str().unwrap();
    let mut session = Session::start(&["bash", "-c", line, env!("CARGO_BIN_EXE_ptree-tui"), path]);
    session.wait_for("COMMAND");
    session.press("w");
    session.wait_for("Cannot export");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    session.press("q");
    assert!(session.end().0.success());
}

#[test]
fn i16_the_program_itself_on_the_live_kernel_gives_the_terminal_back() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED (needs root): the program itself on the live kernel");
        assert!(std::env::var_os("CI").is_none(), "CI must run as root");
        return;
    }
    for ending in ["key", "signal"] {
        let mut session = Session::start(&[env!("CARGO_BIN_EXE_ptree-tui")]);
        // It sees itself.
        session.wait_for("COMMAND");
        session.press("/ptree-tui\r");
        session.wait_for("match");
        if ending == "key" {
            session.press("q");
        } else {
            session.signal(Signal::SIGTERM);
        }
        let (status, output) = session.end();
        assert!(status.success(), "{ending}: {status}\n{}", output.escape_debug());
    }
}

impl Session {
    /// Gives the terminal another size; the kernel tells the program.
    fn resize(&self, columns: u16, rows: u16) {
        let (terminal, columns, rows) =
            (format!("/proc/{}/fd/0", self.pty.child.id()), columns.to_string(), rows.to_string());
        let status = Command::new("stty").args(["-F", &terminal, "cols", &columns, "rows", &rows]).status().unwrap();
        assert!(status.success());
    }
}

#[test]
fn i16_another_size_of_the_terminal_is_drawn_whatever_it_is() {
    let mut session = Session::invented("quiet");
    session.wait_for("systemd");
    // Beside the tree there is room for the panels from here on.
    assert!(!session.output().contains("ALERTS"));
    session.resize(180, 50);
    session.wait_for("ALERTS");
    // One line, then one cell, then back: nothing but the size changes.
    for (columns, rows) in [(80, 1), (1, 1), (300, 100), (80, 24)] {
        let drawn = session.output().len();
        session.resize(columns, rows);
        session.press("\u{c}");
        session.wait("another frame", |output| output.len() > drawn);
    }
    session.press("?");
    session.wait_for("Keys and marks");
    session.press("qq");
    assert!(session.end().0.success());
}

/// Killed when the test ends, however it ends.
struct Sleeper(Child);

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_a_living_process_was_started_with_and_has_open_is_read_when_asked_for() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED (needs root): environment and open files on the live kernel");
        assert!(std::env::var_os("CI").is_none(), "CI must run as root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log = File::create(folder.path().join("known-log")).unwrap();
    let mut sleeper = Sleeper(
        Command::new("sleep")
            .arg("7654321")
            .env("PTREE_TUI_KNOWN", "known-value")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut session = Session::start(&[env!("CARGO_BIN_EXE_ptree-tui")]);
    session.wait_for("COMMAND");
    session.press("/argv=7654321\r");
    session.wait_for("1 match");
    session.press("e");
    session.wait_for("variables");
    // Drawn anew, it is there in one piece.
    session.press("/known-val\r\u{c}");
    session.wait_for("PTREE_TUI_KNOWN");
    session.press("L");
    session.wait_for("/dev/null");
    session.wait_for("/known-log");
    session.press("\u{1b}");
    sleeper.0.kill().unwrap();
    sleeper.0.wait().unwrap();
    session.wait_for("SIGKILL");
    session.press("e");
    session.wait_for("went");
    session.press("q");
    assert!(session.end().0.success());
}

#[test]
fn what_the_terminal_answers_is_no_key() {
    let mut session = Session::invented("quiet");
    session.wait_for("systemd");
    let answers = [
        "\u{1b}]11;rgb:ffff/ffff/ffff\u{1b}\\",
        "\u{1b}]4;7;rgb:q/q/q\u{7}",
        "\u{1b}P>|quit/q(1)\u{1b}\\",
        "\u{1b}_Gi=31;q/q\u{1b}\\",
        "\u{1b}[?62;22c",
        "\u{1b}[>0;276;0c",
        "\u{1b}[?2026;2$y",
        "\u{1b}[24;80R",
        "\u{1b}[I",
        "\u{1b}[?31u",
    ];
    for answer in answers {
        session.press(answer);
        for cut in 1..answer.len() {
            session.press(&answer[..cut]);
            session.press(&answer[cut..]);
        }
    }
    // Only this opens a line to type in; with a word from an answer in it, nothing would match.
    session.press("/journald\r\u{c}");
    session.wait_for("1 match");
    assert!(!session.output().contains("ffff") && !session.output().contains("rgb"));
    session.press("q");
    assert!(session.end().0.success());
}

/// A recording of 11 seconds in which a process ends, with other lines behind it; and the screen on it.
fn replay(more: &str, options: &[&str]) -> (tempfile::TempDir, Session) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording");
    let lines = r#"{"type":"header","schema":1,"host":"elsewhere","boot_id":"b","boottime_ns":5000000000,"unix_ns":1000}
{"type":"fork","ts_ns":6000000000,"pid":5,"start_ns":6000000000,"ppid":1,"parent_start_ns":1,"uid":7,"gid":7,"comm":"recorded"}
{"type":"exit","ts_ns":7000000000,"pid":5,"start_ns":6000000000,"code":3}
{"type":"fork","ts_ns":16000000000,"pid":6,"start_ns":16000000000,"ppid":1,"parent_start_ns":1,"uid":7,"gid":7,"comm":"lastborn"}
"#;
    std::fs::write(&path, lines.to_owned() + more).unwrap();
    let command = [&[env!("CARGO_BIN_EXE_ptree-tui"), "replay", path.to_str().unwrap()], options].concat();
    let session = Session::start(&command);
    session.wait_for("elsewhere");
    session.resize(180, 50);
    (folder, session)
}

#[test]
fn a_replay_keeps_to_the_times_of_its_records_however_fast_it_is() {
    for speed in ["1000", "1000000"] {
        let (_folder, mut session) = replay("", &["--speed", speed]);
        session.wait_for("CAPTURE ENDED");
        session.press("\u{c}");
        session.wait_for("up 16.00s");
        session.wait_for("exit 3");
        session.press("q");
        let (status, output) = session.end();
        assert!(status.success(), "{status}");
        assert!(!output.contains("up 17."));
    }
}

#[test]
fn what_of_a_recording_cannot_be_read_is_told_on_the_screen_and_in_the_exit_status() {
    let far = r#"{"type":"comm","ts_ns":18446744073709551615,"pid":5,"start_ns":6000000000,"comm":"x"}"#;
    let (_folder, mut session) = replay(&format!("junk\n{far}\n{{\"type\":\"co"), &["--speed", "1000"]);
    session.wait_for("CAPTURE ENDED");
    session.press("\u{c}");
    session.wait_for("2 unreadable lines");
    session.press("q");
    let (status, output) = session.end();
    assert_eq!(status.code(), Some(1));
    let told = output.rsplit(LEAVE).next().unwrap();
    assert!(told.contains("2 of 7 lines could not be read, the first: line 5"), "{told}");
    assert!(told.contains("the last line is incomplete"), "{told}");

    // Whoever wrote it was interrupted: nothing is wrong.
    let (_folder, mut session) = replay("{\"type\":\"co", &["--speed", "1000"]);
    session.wait_for("CAPTURE ENDED");
    session.press("q");
    let (status, output) = session.end();
    assert!(status.success(), "{status}");
    assert!(output.contains("the last line is incomplete") && !output.contains("unreadable"));
}

#[test]
fn a_replay_of_a_file_is_paused_itself() {
    let (_folder, mut session) = replay("", &["--speed", "0.001"]);
    session.press("p");
    session.wait_for("PLAYBACK PAUSED");
    session.press("p");
    session.press("q");
    assert!(session.end().0.success());
}
