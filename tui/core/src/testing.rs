//! For tests: an engine fed from a short text, one fact a line.
//!
//! ```text
//! found PID PPID          fork PPID PID [UID]      exec PID ARG...       exit PID [CODE | SIGNAL-NAME]
//! end PID (inferred)      uid PID UID              comm PID NAME         parent PID PPID
//! usage PID CPU-MS        lost FORKS               at SECOND             tick
//! ```
//!
//! Each line happens a second after the one before; `at` says when the next one does. A pid means the process that was last found or
//! forked under it; one never mentioned started at its pid in nanoseconds.

use std::collections::HashMap;

use crate::event::{Argv, Comm, Cost, Creds, Event, Execed, ExitStatus, Exited, Forked, Found, LossCount, Task, Usage};
use crate::{Config, Delta, Engine, Lineage, ProcKey, text};

pub(crate) const SECOND: u64 = 1_000_000_000;

/// An engine and the world it is told about.
pub(crate) struct Scene {
    pub(crate) engine: Engine,
    pub(crate) clock_ns: u64,
    tasks: HashMap<u32, Task>,
}

impl Scene {
    pub(crate) fn new(config: Config) -> Self {
        Self { engine: Engine::new(config), clock_ns: 0, tasks: HashMap::new() }
    }

    /// With the default configuration.
    pub(crate) fn of(script: &str) -> Self {
        let mut scene = Self::new(Config::default());
        scene.play(script);
        scene
    }

    /// The identity that a pid has in the script.
    pub(crate) fn key(&self, pid: u32) -> ProcKey {
        self.tasks.get(&pid).map_or(ProcKey::new(pid, u64::from(pid)), |task| task.key)
    }

    pub(crate) fn get(&self, pid: u32) -> &crate::Process {
        self.engine.tree().get(self.key(pid)).unwrap_or_else(|| panic!("{pid} is not in the tree"))
    }

    /// Plays a script; what it changed.
    pub(crate) fn play(&mut self, script: &str) -> Vec<Delta> {
        let mut deltas = Vec::new();
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            self.clock_ns += SECOND;
            let words: Vec<_> = line.split_whitespace().collect();
            match words[..] {
                ["at", second] => self.clock_ns = (number(second) * SECOND).saturating_sub(SECOND),
                ["tick"] => self.engine.tick(self.clock_ns, &mut deltas),
                _ => {
                    let event = self.event(&words);
                    self.engine.ingest(&event, &mut deltas);
                }
            }
        }
        deltas
    }

    /// The event that a line means now.
    pub(crate) fn event(&mut self, words: &[&str]) -> Event {
        let ts_ns = self.clock_ns;
        let pid = |word: &str| u32::try_from(number(word)).unwrap();
        match *words {
            ["found", child, parent] => {
                let mut task = self.task(pid(child));
                task.parent = self.key(pid(parent));
                self.tasks.insert(task.key.pid, task.clone());
                let (argv, exe, cgroup) = (None, None, None);
                Event::Process(Found { ts_ns, task, argv, exe, cgroup, exited: None, repaired: false })
            }
            ["fork", forker, child, ref uid @ ..] => {
                let mut task = self.task(pid(forker));
                task.key = ProcKey::new(pid(child), ts_ns);
                task.parent = self.key(pid(forker));
                task.creds.uid = uid.first().map_or(task.creds.uid, |uid| pid(uid));
                self.tasks.insert(task.key.pid, task.clone());
                Event::Fork(Forked { ts_ns, forker: task.parent, task })
            }
            ["exec", process, ref args @ ..] => {
                let mut task = self.task(pid(process));
                task.comm = Comm::new(args[0].as_bytes());
                self.tasks.insert(task.key.pid, task.clone());
                let (filename, argv) = (Some(args[0].as_bytes().into()), Some(Argv::from_args(args)));
                Event::Exec(Execed { ts_ns, task, filename, argv, argv_truncated: false })
            }
            ["exit", process, ref how @ ..] => {
                let status = match how.first() {
                    Some(name) if name.starts_with("SIG") => {
                        ExitStatus::Signal { signal: text::signal_number(name).unwrap(), core: false }
                    }
                    code => ExitStatus::Code(code.map_or(0, |code| code.parse().unwrap())),
                };
                let task = self.task(pid(process));
                let cost = Cost { cpu_ns: 1_000_000, ..Cost::default() };
                Event::Exit(Exited { ts_ns, key: task.key, task: Some(task), status, cost: Some(cost) })
            }
            ["end", process] => {
                let key = self.key(pid(process));
                Event::Exit(Exited { ts_ns, key, task: None, status: ExitStatus::Unknown, cost: None })
            }
            ["uid", process, uid] => {
                let mut task = self.task(pid(process));
                task.creds.uid = pid(uid);
                self.tasks.insert(task.key.pid, task.clone());
                Event::Creds { ts_ns, key: task.key, creds: task.creds }
            }
            ["comm", process, name] => {
                Event::Comm { ts_ns, key: self.key(pid(process)), comm: Comm::new(name.as_bytes()) }
            }
            ["parent", process, parent] => {
                let mut task = self.task(pid(process));
                task.parent = self.key(pid(parent));
                self.tasks.insert(task.key.pid, task.clone());
                Event::Parent { ts_ns, key: task.key, parent: task.parent }
            }
            ["usage", process, cpu_ms] => {
                let cpu_ns = number(cpu_ms) * 1_000_000;
                let (key, rss_bytes) = (self.key(pid(process)), Some(4096));
                Event::Usage(Usage { ts_ns, key, cpu_ns, rss_bytes, threads: 3, state: 'S' })
            }
            ["lost", forks] => Event::Lost { ts_ns, count: LossCount { fork: number(forks), exec: 0, exit: 0 } },
            _ => panic!("no such line: {words:?}"),
        }
    }

    /// The tree as one line: `1(2(3 4))`, the dead with a dagger, roots separated by spaces.
    pub(crate) fn shape(&self, lineage: Lineage) -> String {
        let mut out = String::new();
        let mut depth = 0;
        for visit in self.engine.tree().walk(lineage) {
            if visit.depth > depth {
                out.push('(');
            } else {
                out.extend(std::iter::repeat_n(')', depth - visit.depth));
                out.push_str(if out.is_empty() { "" } else { " " });
            }
            depth = visit.depth;
            out += &visit.process.key.pid.to_string();
            out += if visit.process.is_alive() { "" } else { "+" };
        }
        out.extend(std::iter::repeat_n(')', depth));
        out
    }

    pub(crate) fn task(&self, pid: u32) -> Task {
        self.tasks.get(&pid).cloned().unwrap_or_else(|| Task {
            key: self.key(pid),
            parent: ProcKey::SWAPPER,
            creds: Creds::default(),
            comm: Comm::new(format!("p{pid}").as_bytes()),
            cgroup_id: None,
            pid_ns: None,
            ns_pid: None,
            threads: 1,
            kernel: false,
        })
    }
}

fn number(word: &str) -> u64 {
    word.parse().unwrap_or_else(|_| panic!("not a number: {word}"))
}
