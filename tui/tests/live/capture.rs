//! `ptree-tui stream` as a child process, and questions to what it wrote.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::Read;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::emulated;
use crate::proc::{TICK_NS, Ticked};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_ptree-tui");

/// To start it as root itself, whoever has become root to run the tests.
pub(crate) fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    as_root(&mut command);
    command
}

/// The same for what becomes the program in the end.
pub(crate) fn as_root(command: &mut Command) {
    for variable in ["SUDO_UID", "SUDO_GID", "PKEXEC_UID", "DOAS_USER"] {
        command.env_remove(variable);
    }
}

/// Identity of a process: pid and `start_ns`.
pub(crate) type Key = (u64, u64);

/// Calls until there is something, for a while that only a failure outlasts.
pub(crate) fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let (begun, patience) = (Instant::now(), Duration::from_secs(if emulated() { 60 } else { 20 }));
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < patience, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A running `stream`.
pub(crate) struct Capture {
    child: Child,
    output: File,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
    stream: Stream,
}

impl Capture {
    /// Starts it, and returns when everything from now on is captured.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::start_by(program(), options)
    }

    /// The same by another command, which becomes the program.
    pub(crate) fn start_by(mut command: Command, options: &[&str]) -> Self {
        let output = tempfile::NamedTempFile::new().unwrap();
        let child = command.arg("stream").args(options).stdout(output.reopen().unwrap()).spawn().unwrap();
        let stream = Stream { events: Vec::new() };
        let mut capture = Self { child, output: output.into_file(), rest: Vec::new(), stream };
        wait_until("header of the stream", || {
            if let Some(status) = capture.child.try_wait().unwrap() {
                panic!("stream {options:?} ended at once: {status}");
            }
            capture.so_far().events.first().map(|header| assert_eq!(header["type"], "header"))
        });
        capture
    }

    /// What it has written by now.
    pub(crate) fn so_far(&mut self) -> &Stream {
        // Each has a position of its own: the writer's file was opened apart.
        self.output.read_to_end(&mut self.rest).unwrap();
        let complete = self.rest.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        self.stream.events.extend(parse(&self.rest[..complete]));
        self.rest.drain(..complete);
        &self.stream
    }

    /// Waits until the stream says something.
    pub(crate) fn wait_for<T>(&mut self, what: &str, mut look: impl FnMut(&Stream) -> Option<T>) -> T {
        wait_until(what, || look(self.so_far()))
    }

    /// Ends it, and gives all that it has written.
    pub(crate) fn finish(mut self) -> Stream {
        let status = self.end(Signal::SIGINT);
        assert!(status.success(), "stream: {status}");
        self.so_far();
        assert!(self.rest.is_empty(), "the last line is torn: {}", String::from_utf8_lossy(&self.rest));
        std::mem::replace(&mut self.stream, Stream { events: Vec::new() })
    }

    /// Lets it stand still, and returns when all its threads do: each stops by itself, some time after the signal.
    pub(crate) fn pause(&self) {
        self.signal(Signal::SIGSTOP);
        let is_stopped = |stat: Vec<u8>| {
            String::from_utf8_lossy(&stat).rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
        };
        wait_until("all threads to stand still", || {
            let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
            let mut stats =
                threads.map(|thread| std::fs::read(thread.unwrap().path().join("stat")).unwrap_or_default());
            stats.all(is_stopped).then_some(())
        });
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    fn end(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.child.wait().unwrap()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // After a failure, that is: `finish` has waited for it.
        if let Ok(None) = self.child.try_wait() {
            self.end(Signal::SIGKILL);
        }
    }
}

/// What a stream says.
pub(crate) struct Stream {
    pub(crate) events: Vec<Value>,
}

/// Lines to objects. Every line must be one.
pub(crate) fn parse(lines: &[u8]) -> impl Iterator<Item = Value> {
    lines.split_inclusive(|&b| b == b'\n').map(|line| match serde_json::from_slice(line) {
        Ok(event @ Value::Object(_)) => event,
        other => panic!("not an object ({other:?}): {}", String::from_utf8_lossy(line)),
    })
}

impl Stream {
    /// All events of a type.
    pub(crate) fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(move |event| event["type"] == kind)
    }

    /// The key of a process told by pid and start tick, by its fork or by having been found.
    pub(crate) fn key_of(&self, process: Ticked) -> Option<Key> {
        self.births().map(key).find(|&key| ticked(key) == process)
    }

    fn births(&self) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(|event| event["type"] == "fork" || event["type"] == "process")
    }

    /// A process and its descendants, as forked.
    pub(crate) fn below(&self, root: Key) -> HashSet<Key> {
        let mut family = HashSet::from([root]);
        // Those found come in any order.
        loop {
            let before = family.len();
            // By its end one is known that was born before the capture, and ended before anybody could find it.
            for event in self.births().chain(self.of("exit")) {
                if family.contains(&parent(event)) {
                    family.insert(key(event));
                }
            }
            if family.len() == before {
                return family;
            }
        }
    }

    /// Events of a type about these processes.
    pub(crate) fn about<'a>(&'a self, kind: &'a str, family: &'a HashSet<Key>) -> impl Iterator<Item = &'a Value> {
        self.of(kind).filter(|event| family.contains(&key(event)))
    }

    /// Processes that the stream leaves alive.
    pub(crate) fn living(&self) -> BTreeSet<Key> {
        let dead: HashSet<Key> = self.of("exit").map(key).collect();
        let born = self.births().filter(|event| event["zombie"] != true).map(key);
        born.filter(|key| !dead.contains(key)).collect()
    }

    /// Panics if anything was lost.
    pub(crate) fn assert_complete(&self) {
        assert_eq!(self.of("lost").next(), None);
    }
}

/// Whom an event is about.
pub(crate) fn key(event: &Value) -> Key {
    (number(event, "pid"), number(event, "start_ns"))
}

/// Who forked it (`fork`) or was its parent then (others).
pub(crate) fn parent(event: &Value) -> Key {
    let of = |name| event[name].as_u64().unwrap_or_default();
    (of("ppid"), of("parent_start_ns"))
}

/// As /proc would tell the same process.
pub(crate) fn ticked((pid, start_ns): Key) -> Ticked {
    (pid, start_ns / TICK_NS)
}

/// A number that has to be there.
#[track_caller]
pub(crate) fn number(object: &Value, name: &str) -> u64 {
    object[name].as_u64().unwrap_or_else(|| panic!("no number '{name}' in {object}"))
}

/// The bytes that a text stands for. Panics where it is not as harmless as it should be.
#[track_caller]
pub(crate) fn unescape(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap_or_else(|| panic!("not a text: {text}"));
    assert!(!text.contains(char::is_control), "control characters in {text:?}");
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let escaped = rest.strip_prefix("\\x").and_then(|hex| hex.get(..2));
        let lower_hex = |hex: &&str| hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        rest = if let Some(hex) = escaped.filter(lower_hex) {
            bytes.push(u8::from_str_radix(hex, 16).unwrap());
            &rest[4..]
        } else {
            bytes.extend_from_slice(&rest.as_bytes()[..first.len_utf8()]);
            &rest[first.len_utf8()..]
        };
    }
    bytes
}

/// The bytes of each argument.
#[track_caller]
pub(crate) fn arguments(event: &Value) -> Vec<Vec<u8>> {
    let argv = event["argv"].as_array().unwrap_or_else(|| panic!("no argv in {event}"));
    argv.iter().map(unescape).collect()
}
