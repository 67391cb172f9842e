//! What a finished process costs, measured at the allocator. Alone in its program: whatever else ran would be counted.

use std::alloc::System;

use ptree_core::event::{Cost, Creds, Exe, Execed, Exited, Forked, Found, Task};
use ptree_core::{Argv, Comm, Config, Engine, Event, ExitStatus, ProcKey};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const PROGRAMS: [&str; 4] = ["cc1", "as", "ld", "sh"];

/// Shells that fork jobs, each of which runs a program or none and ends.
struct Machine {
    now_ns: u64,
    pid: u32,
    shells: Vec<ProcKey>,
}

impl Machine {
    fn task(&self, parent: ProcKey, comm: &str) -> Task {
        Task {
            creds: Creds { uid: 1000, gid: 1000, ruid: 1000, rgid: 1000 },
            comm: Comm::new(comm.as_bytes()),
            cgroup_id: Some(77),
            pid_ns: Some(4_026_531_836),
            ns_pid: Some(self.pid),
            ..Task::of(ProcKey::new(self.pid, self.now_ns), parent)
        }
    }

    /// One job; the bytes of its arguments.
    fn job(&mut self, engine: &mut Engine, runs: bool) -> usize {
        let mut deltas = Vec::new();
        self.pid += 1;
        self.now_ns += 10_000;
        let forker = self.shells[self.pid as usize % self.shells.len()];
        let name = PROGRAMS[self.pid as usize % PROGRAMS.len()];
        let mut task = self.task(forker, "make");
        let mut ts_ns = self.now_ns;
        engine.ingest(&Event::Fork(Forked { ts_ns, forker, task: task.clone() }), &mut deltas);
        let mut bytes = 0;
        if runs {
            ts_ns += 1000;
            task.comm = Comm::new(name.as_bytes());
            let argv = Argv::from_args([name, "-quiet", "-o", &format!("{}.o", self.pid)]);
            bytes = argv.as_bytes().len();
            let filename = Some(format!("/usr/lib/gcc/{name}").as_bytes().into());
            let exe = Some(Exe::at(format!("/usr/lib/gcc/{name}").as_bytes()));
            let task = task.clone();
            let exec = Execed { ts_ns, task, filename, exe, interp: None, argv: Some(argv), argv_truncated: false };
            engine.ingest(&Event::Exec(exec), &mut deltas);
        }
        let cost = Some(Cost { cpu_ns: 1, max_rss_bytes: Some(1 << 20), ..Cost::default() });
        let (key, status) = (task.key, ExitStatus::Code(0));
        engine.ingest(
            &Event::Exit(Exited { ts_ns: ts_ns + 1000, key, task: Some(task), status, cost, killer: None }),
            &mut deltas,
        );
        bytes
    }
}

#[test]
fn a_finished_process_takes_less_than_400_bytes_and_what_all_take_is_reported() {
    for (kept, runs) in [(20_000, true), (33_000, true), (20_000, false)] {
        let config = Config { keep_max: kept, keep_ns: u64::MAX, ..Config::default() };
        let mut engine = Engine::new(config);
        let mut machine = Machine { now_ns: 1, pid: 100, shells: vec![ProcKey::new(100, 1)] };
        let task = machine.task(ProcKey::SWAPPER, "make");
        let shell = Found {
            ts_ns: 1,
            task,
            argv: None,
            argv_truncated: false,
            exe: None,
            cgroup: None,
            exited: None,
            repaired: false,
        };
        engine.ingest(&Event::Process(shell), &mut Vec::new());
        let region = Region::new(ALLOCATOR);
        let mut bytes = std::collections::VecDeque::with_capacity(kept);
        let aside = bytes.capacity() * size_of::<usize>();
        // More than are kept, so that there are holes where others were.
        for _ in 0..5 * kept / 2 {
            if bytes.len() == kept {
                bytes.pop_front();
            }
            bytes.push_back(machine.job(&mut engine, runs));
        }
        engine.tick(machine.now_ns, &mut Vec::new());
        let change = region.change();
        let taken = change.bytes_allocated - change.bytes_deallocated - aside;
        let (stats, argv) = (engine.stats(), bytes.iter().sum::<usize>());
        assert_eq!(stats.dead as usize, kept);
        let each = (taken - argv) / kept;
        assert!(each < 400, "{each} bytes beside the arguments");
        let reported = stats.kept_bytes as usize;
        let ratio = reported as f64 / taken as f64;
        assert!((0.85..1.15).contains(&ratio), "{reported} reported, {taken} taken");
        println!(
            "kept {kept}, with a program: {runs}: {each} bytes beside the arguments, reported {ratio:.2} of it all"
        );
    }
}
