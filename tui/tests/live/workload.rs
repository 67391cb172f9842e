//! The workload program as a child process, and its log.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::capture::{PROGRAM, number, parse, wait_until};
use crate::proc::{self, Ticked};

/// A running situation.
pub(crate) struct Workload {
    child: Child,
    dir: TempDir,
    command: Vec<String>,
}

impl Workload {
    /// Starts it.
    pub(crate) fn start(args: &[&str]) -> Self {
        let program = program();
        let dir = TempDir::new().unwrap();
        let log = File::options().create(true).append(true).open(dir.path().join("log")).unwrap();
        let mut command = Command::new(&program);
        command.args(args).current_dir(dir.path()).stdin(Stdio::piped()).stdout(log);
        let child = command.spawn().unwrap();
        let command = [program.to_str().unwrap()].iter().chain(args).map(ToString::to_string).collect();
        Self { child, dir, command }
    }

    /// Starts it, and waits until it has nothing left to do but wait.
    pub(crate) fn settled(args: &[&str]) -> Self {
        let workload = Self::start(args);
        workload.wait_for("settled", 1);
        workload
    }

    /// Waits until so many lines of a type are in the log, and the forks of the processes that they name, which others log.
    pub(crate) fn wait_for(&self, kind: &str, count: usize) {
        wait_until(&format!("{count} '{kind}' of workload {:?}", self.command), || {
            let log = self.log();
            let is_logged = |line: &Value| line["pid"].as_u64().is_none_or(|pid| log.find(pid).is_some());
            (log.of(kind).count() >= count && log.of(kind).all(is_logged)).then_some(())
        });
    }

    /// Writes a line to its standard input.
    pub(crate) fn tell(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// What is in the log by now.
    pub(crate) fn log(&self) -> Log {
        let text = std::fs::read(self.dir.path().join("log")).unwrap();
        // The last line may be about to be written.
        let complete = text.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        Log { lines: parse(&text[..complete]).collect() }
    }

    /// Lets it end, waits for that, and completes its log by what only its parent knows.
    pub(crate) fn end(mut self) -> Log {
        drop(self.child.stdin.take());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "workload {:?}: {status}", self.command);
        let mut log = self.log();
        let (pid, start_ticks) = log.root();
        let ppid = proc::this().0;
        let hex = |arg: &String| arg.bytes().map(|b| format!("{b:02x}")).collect::<String>();
        let argv: Vec<String> = self.command.iter().map(hex).collect();
        log.lines.extend([
            json!({"type": "fork", "pid": pid, "start_ticks": start_ticks, "ppid": ppid}),
            json!({"type": "exec", "pid": pid, "filename": self.command[0], "argv": argv}),
            json!({"type": "exit", "pid": pid, "start_ticks": start_ticks, "ppid": ppid, "code": 0}),
        ]);
        log
    }
}

/// What a workload logged.
pub(crate) struct Log {
    lines: Vec<Value>,
}

impl Log {
    /// Lines of a type, in order.
    pub(crate) fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.lines.iter().filter(move |line| line["type"] == kind)
    }

    /// The one line of a type.
    #[track_caller]
    pub(crate) fn one(&self, kind: &str) -> &Value {
        let lines: Vec<_> = self.of(kind).collect();
        assert_eq!(lines.len(), 1, "lines '{kind}' in the log");
        lines[0]
    }

    /// The process that the workload began as.
    pub(crate) fn root(&self) -> Ticked {
        process(self.one("self"))
    }

    /// A process that the workload made, or began as, by its pid.
    #[track_caller]
    pub(crate) fn process(&self, pid: u64) -> Ticked {
        self.find(pid).unwrap_or_else(|| panic!("{pid} is not in the log"))
    }

    fn find(&self, pid: u64) -> Option<Ticked> {
        self.of("fork").chain(self.of("self")).find(|line| line["pid"] == pid).map(process)
    }
}

/// Whom a line is about.
pub(crate) fn process(line: &Value) -> Ticked {
    (number(line, "pid"), number(line, "start_ticks"))
}

/// The example beside the program under test.
pub(crate) fn program() -> PathBuf {
    let program = Path::new(PROGRAM).with_file_name("examples").join("workload");
    assert!(program.exists(), "{program:?} is missing: `cargo build --example workload` makes it");
    program
}
