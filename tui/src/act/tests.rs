//! On children that the tests start themselves.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ptree_source::procfs::{Stat, TICK_NS};

use super::*;

/// Killed when the test ends, however it ends.
struct Own(Child);

impl Own {
    fn start(program: &str, arguments: &[&str]) -> Self {
        Self(Command::new(program).args(arguments).stdout(Stdio::null()).spawn().unwrap())
    }

    fn key(&self) -> ProcKey {
        let stat = Stat::read(self.0.id()).unwrap();
        // As the kernel has it, with something behind the tick.
        ProcKey::new(self.0.id(), stat.start_ns() + 1234)
    }

    fn state(&self) -> char {
        Stat::read(self.0.id()).map_or('X', |stat| stat.state)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        sleep(Duration::from_millis(5));
    }
}

fn order(deed: Deed, keys: &[ProcKey]) -> Order {
    Order {
        deed,
        targets: keys.iter().copied().map(Target::of_own).collect(),
        spared: Vec::new(),
        even_protected: false,
    }
}

fn why(report: &Report) -> Vec<Failure> {
    report.failed.iter().map(|failed| failed.why.clone()).collect()
}

#[test]
fn a_signal_reaches_the_process_that_is_meant() {
    let mut own = Own::start("sleep", &["60"]);
    let report = perform(&order(Deed::Signal(15), &[own.key()]));
    assert_eq!((report.done.len(), why(&report)), (1, vec![]));
    let status = own.0.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15));
}

#[test]
fn another_process_with_the_same_pid_is_not_hit() {
    let mut own = Own::start("sleep", &["60"]);
    let key = own.key();
    for ticks in [-1, 1] {
        let other = ProcKey::new(key.pid, key.start_ns.checked_add_signed(ticks * TICK_NS.cast_signed()).unwrap());
        for deed in [Deed::Signal(9), Deed::Freeze, Deed::Renice(1)] {
            let report = perform(&order(deed, &[other]));
            assert_eq!((report.done.len(), why(&report)), (0, vec![Failure::Gone]), "{deed:?}");
        }
    }
    assert_eq!(own.0.try_wait().unwrap(), None);
    assert!(matches!(own.state(), 'R' | 'S' | 'D'), "{}", own.state());
}

#[test]
fn one_that_has_gone_is_told_and_the_others_are_reached() {
    let mut gone = Own::start("true", &[]);
    let gone_key = gone.key();
    gone.0.wait().unwrap();
    let own = Own::start("sleep", &["60"]);
    let report = perform(&order(Deed::Signal(19), &[gone_key, own.key()]));
    assert_eq!((report.done.clone(), why(&report)), (vec![own.key()], vec![Failure::Gone]));
    assert_eq!(report.failed[0].name, format!("own [{}]", gone_key.pid));
    wait("stopped", || own.state() == 'T');
}

#[test]
fn neither_the_first_process_nor_ourselves_are_hit_unconfirmed() {
    let key = |pid| ProcKey::new(pid, Stat::read(pid).unwrap().start_ns());
    let keys = [key(1), key(std::process::id())];
    for deed in [Deed::Signal(9), Deed::Freeze] {
        let report = perform(&order(deed, &keys));
        assert_eq!((report.done.len(), why(&report)), (0, vec![Failure::Protected; 2]));
    }
    // What is confirmed is done; 18 lets those run on that run already.
    let confirmed = Order { even_protected: true, ..order(Deed::Signal(18), &keys[1..]) };
    assert_eq!(perform(&confirmed).done, keys[1..]);
}

#[test]
fn a_signal_that_does_not_exist_is_an_error() {
    let own = Own::start("sleep", &["60"]);
    let report = perform(&order(Deed::Signal(99), &[own.key()]));
    assert_eq!(why(&report), [Failure::Other("there is no such signal".to_owned())]);
}

#[test]
fn nice_values_go_up_and_say_where_they_are() {
    let own = Own::start("sleep", &["60"]);
    let first = perform(&order(Deed::Renice(1), &[own.key()])).nice.unwrap();
    assert_eq!(perform(&order(Deed::Renice(1), &[own.key()])).nice, Some((first + 1).min(19)));
    assert_eq!(perform(&order(Deed::Renice(100), &[own.key()])).nice, Some(19));
}

/// Those of a session that are not zombies, by state.
fn session(id: u32) -> Vec<(u32, char)> {
    let entries = std::fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let of_session = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        (fields.get(3)? == &id.to_string().as_str()).then(|| (pid, fields[0].chars().next().unwrap_or('?')))
    };
    pids.filter_map(of_session).filter(|(_, state)| !matches!(state, 'Z' | 'X')).collect()
}

/// Kills whatever a session still holds.
struct Session(u32);

impl Drop for Session {
    fn drop(&mut self) {
        for _ in 0..50 {
            let left: Vec<ProcKey> = session(self.0)
                .into_iter()
                .filter_map(|(pid, _)| Some(ProcKey::new(pid, Stat::read(pid)?.start_ns())))
                .collect();
            if left.is_empty() {
                return;
            }
            let _ = perform(&order(Deed::Signal(9), &left));
        }
    }
}

#[test]
fn a_subtree_that_forks_while_it_is_frozen_stands_still_in_the_end() {
    // Each shell of the second generation forks one child after another, some of which fork too, but no more than 300
    // each: it ends by itself. The shells wait for their children, so none is orphaned.
    let breed =
        "n=0; while [ $n -lt 300 ]; do n=$((n+1)); (sleep 0.01; /bin/true) & (sleep 0.02) & wait; done; sleep 60";
    let script = format!("for i in 1 2 3 4; do sh -c '{breed}' & done; wait");
    let own = Own::start("setsid", &["sh", "-c", &script]);
    let _session = Session(own.0.id());
    wait("a subtree", || session(own.0.id()).len() >= 8);
    let report = perform(&order(Deed::Freeze, &[own.key()]));
    assert_eq!(why(&report), [], "none could not be stopped");
    assert!(report.done.len() >= 5, "{report:?}");
    // All of its session are below it. One that waits in vfork for a child that was stopped before its exec stands still
    // as well, uninterruptibly.
    let frozen = session(own.0.id());
    assert!(frozen.iter().all(|(_, state)| matches!(state, 'T' | 'D')), "{frozen:?}");
    sleep(Duration::from_millis(100));
    assert_eq!(session(own.0.id()), frozen, "nobody forks or ends");
    // Those that are spared stay as they are.
    let thawed = perform(&order(Deed::Signal(18), &[own.key()]));
    assert_eq!(thawed.done, [own.key()]);
    let spared = Order { spared: vec![own.key()], ..order(Deed::Freeze, &[own.key()]) };
    assert_eq!(why(&perform(&spared)), [Failure::Protected]);
}
