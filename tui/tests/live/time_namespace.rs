//! In a time namespace, whose boot-time clock is not the kernel's, everything is told as it is outside.

use std::num::NonZero;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::account::assert_agrees;
use crate::capture::{Capture, PROGRAM, arguments, number, ticked, wait_until};
use crate::pty::Pty;
use crate::workload::{Workload, program};
use crate::{Company, capture, emulated, enter, proc};

/// Seconds by which clocks inside are ahead: years, and half of the time since boot behind. Processes may have started
/// before that clock began.
fn offsets() -> Vec<String> {
    if !std::path::Path::new("/proc/self/ns/time").exists() {
        eprintln!("SKIPPED (this kernel has none): time namespaces");
        return Vec::new();
    }
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let uptime: u64 = uptime.split('.').next().unwrap().parse().unwrap();
    vec!["100000000".to_owned(), format!("-{}", uptime / 2)]
}

/// What becomes the program inside, and is only given its arguments.
fn inside(offset: &str) -> Command {
    let mut command = Command::new(program());
    command.args(["time-namespace", offset, PROGRAM]);
    capture::as_root(&mut command);
    command
}

fn snapshot(mut command: Command, options: &[&str]) -> Value {
    let output = command.args(["snapshot", "--format", "json"]).args(options).output().unwrap();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn of(snapshot: &Value, pid: u64) -> Value {
    let processes = snapshot["processes"].as_array().unwrap();
    processes.iter().find(|process| process["pid"] == pid).unwrap_or_else(|| panic!("no {pid}")).clone()
}

#[test]
fn a_snapshot_has_the_same_starts_lifetimes_and_arguments() {
    let Some(_lock) = enter(Company::Any) else { return };
    let workload = Workload::settled(&["tree"]);
    for offset in offsets() {
        for options in [&[][..], &["--pretend-missing", "on_task"]] {
            let before = snapshot(capture::program(), options);
            let within = snapshot(inside(&offset), options);
            let after = snapshot(capture::program(), options);
            let between = |name: &str, [before, within, after]: [&Value; 3]| {
                let range = number(before, name)..=number(after, name);
                assert!(range.contains(&number(within, name)), "{name}, {offset}: {within}");
            };
            between("boottime_ns", [&before, &within, &after]);
            between("unix_ns", [&before, &within, &after]);
            for line in workload.log().of("fork") {
                let told = [&before, &within, &after].map(|snapshot| of(snapshot, number(line, "pid")));
                for name in ["start_ns", "parent_start_ns", "argv", "exe", "cgroup", "zombie"] {
                    assert_eq!(told[1][name], told[0][name], "{name}, {offset}");
                }
                between("lifetime_ns", told.each_ref());
            }
        }
    }
    workload.end();
}

#[test]
fn a_stream_tells_the_same() {
    let Some(_lock) = enter(Company::Any) else { return };
    for offset in offsets() {
        let this = proc::this();
        let mut capture = Capture::start_by(inside(&offset), &["--usage"]);
        let own = capture.wait_for("this process", |stream| stream.key_of(this));
        assert_eq!(ticked(own), this);
        // Its arguments may come a little later.
        let found = capture.wait_for("its arguments", |stream| {
            stream.of("process").find(|found| found["pid"] == this.0 && found["argv"].is_array()).cloned()
        });
        assert_eq!(arguments(&found)[0], std::env::args().next().unwrap().as_bytes());
        let log = Workload::start(&["ways-to-spawn"]).end();
        let stream = capture.finish();
        assert_agrees(&stream, &log);
        // What is measured has times between those of records.
        let times = stream.events.iter().filter_map(|event| event["ts_ns"].as_u64());
        let (first, last) = (number(&stream.events[0], "boottime_ns"), times.clone().max().unwrap());
        assert!(last - first < 600_000_000_000, "{offset}: {first} to {last}");
        assert!(times.min().unwrap() + 600_000_000_000 > first, "{offset}");
    }
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
fn a_signal_from_the_screen_arrives() {
    let Some(_lock) = enter(Company::Any) else { return };
    if emulated() {
        eprintln!("SKIPPED (such a machine lacks what gives a program a terminal): a signal from the screen");
        return;
    }
    for offset in offsets() {
        let mut sleeper = Sleeper(Command::new("sleep").arg("1000").spawn().unwrap());
        let filter = format!("pid={}", sleeper.0.id());
        let command = inside(&offset);
        let words = [command.get_program()].into_iter().chain(command.get_args()).map(|word| word.to_str().unwrap());
        let words: Vec<&str> = words.chain(["--filter", &filter]).collect();
        let [rows, columns] = [30, 100].map(|size| NonZero::new(size).unwrap());
        let shown = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let writer = Arc::clone(&shown);
        let mut screen =
            Pty::start((columns.get(), rows.get()), &words, move |bytes| writer.lock().unwrap().process(bytes))
                .unwrap();
        let wait_for = |text: &str| {
            wait_until(text, || shown.lock().unwrap().screen().contents().contains(text).then_some(()));
        };
        // Its arguments are there as well. The first lines are ancestors, the last is the one that is meant.
        wait_for("sleep 1000");
        screen.press("G").unwrap();
        screen.press("x").unwrap();
        wait_for("15  SIGTERM");
        screen.press("\r").unwrap();
        wait_for("Send SIGTERM (15) to sleep");
        screen.press("y").unwrap();
        let status = wait_until("it has got the signal", || sleeper.0.try_wait().unwrap());
        assert_eq!(status.signal(), Some(15), "{offset}");
        screen.press("q").unwrap();
        let status = wait_until("the screen has gone", || screen.child.try_wait().unwrap());
        assert!(status.success(), "{status}");
    }
}

#[test]
fn doctor_tells_of_it() {
    let Some(_lock) = enter(Company::Any) else { return };
    let check = |mut command: Command| {
        let output = command.args(["doctor", "--json"]).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["name"] == "time namespace").unwrap()
    };
    assert_eq!(check(Command::new(PROGRAM))["verdict"], "ok");
    for offset in offsets() {
        let check = check(inside(&offset));
        let way = if offset.starts_with('-') { "behind" } else { "ahead" };
        assert!(check["verdict"] == "ok" && check["finding"].as_str().unwrap().contains(way), "{check}");
    }
}
