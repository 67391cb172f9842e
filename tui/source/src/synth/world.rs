//! The truth: who is alive on an invented machine, who their parents are, and what has happened so far.
//!
//! Owns the living, and nothing of the dead. What is done to it (`fork`, `exec`, `exit`) it tells as events, in the order
//! and with the contents that the live capture would have. Does not know why it is done; see the profiles.

mod lineage;
mod telling;

use std::collections::VecDeque;
use std::sync::Arc;

use ptree_core::event::{Cost, Creds, Exe, Execed, Exited, Forked, LossCount};
use ptree_core::{Comm, Event, ExitStatus, ProcKey};

use super::program::{Line, Program, Programs};
use super::rng::{Rng, mix};

/// A living process, by its place in the list of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(u32);

const NONE: Slot = Slot(u32::MAX);
/// After the last pid, counting goes on from here, as in the kernel.
const RESERVED_PIDS: u32 = 300;
/// Seeded processes started within this time before the beginning.
const PAST_NS: u64 = 86_400_000_000_000;

/// What has been running since before the beginning.
#[derive(Clone, Copy, Debug)]
pub(super) enum Seed {
    /// A program.
    Program(Line),
    /// A thread of the kernel.
    Kernel(&'static str),
}

/// A living process, as it really is.
#[derive(Clone, Debug)]
pub struct Living {
    /// Identity.
    pub key: ProcKey,
    /// Who forked it; for one that was there at the beginning, its parent then.
    pub forker: ProcKey,
    /// Its parent as the kernel has it now.
    pub parent: ProcKey,
    /// Credentials.
    pub creds: Creds,
    /// Name.
    pub comm: Comm,
    /// What it runs; `None` for a kernel thread.
    pub program: Option<Program>,
    threads: u32,
    home: usize,
    ns_pid: u32,
    subreaper: bool,
    /// There was a subreaper above it when it was forked.
    below_subreaper: bool,
    /// Something has changed without a hook, and was not told yet.
    untold: bool,
    told_creds: Creds,
    told_parent: ProcKey,
    told_comm: Comm,
    above: Slot,
    first_child: Slot,
    next: Slot,
    previous: Slot,
}

/// Where processes run: a cgroup in a pid namespace.
#[derive(Clone, Debug)]
struct Home {
    cgroup: Arc<[u8]>,
    cgroup_id: u64,
    pid_ns: u32,
    /// The init of the namespace.
    reaper: Slot,
    /// The last pid given out in the namespace; `None` for the initial one.
    last_ns_pid: Option<u32>,
}

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Processes that were there at the beginning.
    pub seeded: u64,
    /// Forks.
    pub forks: u64,
    /// Execs.
    pub execs: u64,
    /// Exits.
    pub exits: u64,
}

impl Counts {
    /// What hooks have seen.
    #[must_use]
    pub const fn hooks(&self) -> u64 {
        self.forks + self.execs + self.exits
    }
}

/// See the module.
#[derive(Debug)]
pub struct World {
    clock_ns: u64,
    begin_ns: u64,
    /// Mean time between two events.
    gap_ns: u64,
    pub(super) rng: Rng,
    living: Vec<Living>,
    free: Vec<Slot>,
    /// By pid.
    slots: Vec<Slot>,
    last_pid: u32,
    /// The highest that was ever given out.
    highest_pid: u32,
    homes: Vec<Home>,
    next_id: u64,
    programs: Programs,
    counts: Counts,
    pub(super) lost: LossCount,
    untold: Vec<(Slot, ProcKey)>,
    pub(super) events: VecDeque<Event>,
}

impl World {
    /// An empty machine whose pids go up to `pid_max`.
    pub(super) fn new(seed: u64, begin_ns: u64, gap_ns: u64, pid_max: u32) -> Self {
        Self {
            clock_ns: begin_ns,
            begin_ns,
            gap_ns: gap_ns.max(1),
            rng: Rng::new(seed),
            living: Vec::new(),
            free: Vec::new(),
            slots: vec![NONE; pid_max as usize + 1],
            last_pid: 0,
            highest_pid: 0,
            homes: Vec::new(),
            next_id: 5000,
            programs: Programs::default(),
            counts: Counts::default(),
            lost: LossCount::default(),
            untold: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// The living, by pid.
    pub fn living(&self) -> impl Iterator<Item = &Living> {
        let used = &self.slots[..=self.highest_pid as usize];
        used.iter().filter_map(|&slot| self.living.get(slot.0 as usize))
    }

    /// The living process under a key.
    #[must_use]
    pub fn get(&self, key: ProcKey) -> Option<&Living> {
        let slot = self.slots.get(key.pid as usize)?;
        self.living.get(slot.0 as usize).filter(|living| living.key == key)
    }

    /// How many are alive.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.counts.seeded + self.counts.forks - self.counts.exits
    }

    /// What has happened so far, told or not.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// What was dropped on the way.
    #[must_use]
    pub const fn lost(&self) -> LossCount {
        self.lost
    }

    /// The present, boot-time nanoseconds.
    #[must_use]
    pub const fn now_ns(&self) -> u64 {
        self.clock_ns
    }

    /// A new cgroup in the initial pid namespace.
    pub(super) fn host_home(&mut self, cgroup: &str) -> usize {
        self.next_id += 1;
        self.homes.push(Home {
            cgroup: cgroup.as_bytes().into(),
            cgroup_id: self.next_id,
            pid_ns: 4_026_531_836,
            reaper: Slot(0),
            last_ns_pid: None,
        });
        self.homes.len() - 1
    }

    /// A new cgroup with a new pid namespace, in the place of an old one that nobody lives in any more.
    pub(super) fn container_home(&mut self, old: Option<usize>, cgroup: &str) -> usize {
        let index = old.unwrap_or_else(|| self.host_home(cgroup));
        self.next_id += 1;
        let pid_ns = 4_026_532_000_u32.wrapping_add(u32::try_from(self.next_id & 0xff_ffff).unwrap_or(0));
        let cgroup = cgroup.as_bytes().into();
        self.homes[index] = Home { cgroup, cgroup_id: self.next_id, pid_ns, reaper: NONE, last_ns_pid: Some(0) };
        index
    }

    /// A process that has been there since before the beginning: the first one is init.
    pub(super) fn seed(&mut self, parent: Option<Slot>, uid: u32, home: usize, what: Seed) -> Slot {
        let (program, comm) = match what {
            Seed::Program(line) => {
                let program = self.programs.get(line, self.counts.seeded);
                let comm = program.comm;
                (Some(program), comm)
            }
            Seed::Kernel(name) => (None, Comm::new(name.as_bytes())),
        };
        let parent_key = parent.map_or(ProcKey::SWAPPER, |parent| self[parent].key);
        let pid = self.free_pid().unwrap_or(0);
        let past_ns = PAST_NS.min(self.begin_ns);
        // Never two at a time, as long as there is time; pids tell those apart that are.
        let nth_ns = self.counts.seeded.saturating_mul(1 + past_ns / 2_000_000);
        let key = ProcKey::new(pid, (self.begin_ns - past_ns).saturating_add(nth_ns).min(self.begin_ns));
        let creds = Creds { uid, gid: uid, ruid: uid, rgid: uid };
        let threads = if program.is_some() { 1 + u32::try_from(mix(pid.into()) % 4).unwrap_or(0) } else { 1 };
        let ns_pid = self.ns_pid(home, pid);
        self.counts.seeded += 1;
        self.add(
            Living {
                key,
                forker: parent_key,
                parent: parent_key,
                creds,
                comm,
                program,
                threads,
                home,
                ns_pid,
                subreaper: false,
                below_subreaper: false,
                untold: false,
                told_creds: creds,
                told_parent: parent_key,
                told_comm: comm,
                above: NONE,
                first_child: NONE,
                next: NONE,
                previous: NONE,
            },
            parent.unwrap_or(NONE),
        )
    }

    /// Forks; `None` when no pid is free.
    pub(super) fn fork(&mut self, forker: Slot) -> Option<Slot> {
        self.wait();
        let pid = self.free_pid()?;
        let ts_ns = self.clock_ns;
        let of = &self[forker];
        let child = Living {
            key: ProcKey::new(pid, ts_ns),
            forker: of.key,
            parent: of.key,
            threads: 1,
            subreaper: false,
            below_subreaper: of.subreaper || of.below_subreaper,
            untold: false,
            told_creds: of.creds,
            told_parent: of.key,
            told_comm: of.comm,
            above: NONE,
            first_child: NONE,
            next: NONE,
            previous: NONE,
            ..of.clone()
        };
        let forker_key = of.key;
        let home = child.home;
        let slot = self.add(child, forker);
        self[slot].ns_pid = self.ns_pid(home, pid);
        self.counts.forks += 1;
        let task = self.task(&self[slot]);
        self.events.push_back(Event::Fork(Forked { ts_ns, task, forker: forker_key }));
        Some(slot)
    }

    /// Forks into another home, of which the child becomes the init if it has none.
    pub(super) fn fork_into(&mut self, forker: Slot, home: usize) -> Option<Slot> {
        // The child is born there: its record shows it.
        let old = std::mem::replace(&mut self[forker].home, home);
        let child = self.fork(forker);
        self[forker].home = old;
        if let Some(child) = child
            && self.homes[home].reaper == NONE
        {
            self.homes[home].reaper = child;
        }
        child
    }

    /// Starts a program; `number` is for its command line.
    pub(super) fn exec(&mut self, slot: Slot, line: Line, number: u64) {
        self.wait();
        let program = self.programs.get(line, number);
        let ts_ns = self.clock_ns;
        let (filename, argv) = (Some(program.path.clone()), Some(program.argv.clone()));
        let exe = Some(Exe::at(program.path.clone()));
        let living = &mut self[slot];
        living.comm = program.comm;
        living.program = Some(program);
        // These are in the event itself.
        (living.told_comm, living.told_creds) = (living.comm, living.creds);
        self.tell(slot);
        self.counts.execs += 1;
        let task = self.task(&self[slot]);
        self.events.push_back(Event::Exec(Execed {
            ts_ns,
            task,
            filename,
            exe,
            interp: None,
            argv,
            argv_truncated: false,
        }));
    }

    /// Ends; its children get another parent.
    pub(super) fn exit(&mut self, slot: Slot, status: ExitStatus) {
        self.wait();
        self.tell(slot);
        let ts_ns = self.clock_ns;
        let living = &self[slot];
        let (key, task) = (living.key, self.task(living));
        let usage = self.usage(living);
        let cost = Cost {
            cpu_ns: usage.cpu_ns,
            run_delay_ns: None,
            user_ns: None,
            max_rss_bytes: usage.rss_bytes,
            read_bytes: Some(mix(key.start_ns) % 64 * 4096),
            write_bytes: Some(mix(key.start_ns ^ 1) % 16 * 4096),
            threads_begun: usage.threads_begun,
            threads_most: usage.threads_begun,
            minor_faults: 60 + mix(key.start_ns ^ 2) % 900,
            major_faults: mix(key.start_ns ^ 3) % 32 / 31,
        };
        self.counts.exits += 1;
        self.events.push_back(Event::Exit(Exited {
            ts_ns,
            task: Some(task),
            key,
            status,
            cost: Some(cost),
            killer: None,
        }));
        self.unlink(slot);
        let reaper = self.reaper(slot);
        while self[slot].first_child != NONE {
            let child = self[slot].first_child;
            self.unlink(child);
            self.link(child, reaper);
            self.note(child);
        }
        self.slots[key.pid as usize] = NONE;
        self.free.push(slot);
    }

    /// Becomes somebody else, which no hook sees.
    pub(super) fn set_uid(&mut self, slot: Slot, uid: u32) {
        self[slot].creds = Creds { uid, gid: uid, ruid: uid, rgid: uid };
        self.note(slot);
    }

    /// Takes another name, which no hook sees.
    pub(super) fn rename(&mut self, slot: Slot, name: &str) {
        self[slot].comm = Comm::new(name.as_bytes());
        self.note(slot);
    }

    /// Is to be the parent of orphans below it.
    pub(super) fn become_subreaper(&mut self, slot: Slot) {
        self[slot].subreaper = true;
    }

    /// Lets a random time pass, on average that between two events.
    pub(super) fn wait(&mut self) {
        self.clock_ns += 1 + self.rng.below(self.gap_ns.saturating_mul(2) - 1);
    }

    /// Lets a moment pass.
    pub(super) const fn moment(&mut self) {
        self.clock_ns += 1;
    }

    /// The first living one whose pid is not below this.
    pub(super) fn at_or_after(&self, pid: u32) -> Option<&Living> {
        let slot = self.slots.get(pid as usize..=self.highest_pid as usize)?.iter().find(|&&slot| slot != NONE)?;
        Some(&self[*slot])
    }

    fn free_pid(&mut self) -> Option<u32> {
        let pids = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        for _ in 0..pids {
            self.last_pid += 1;
            if self.last_pid >= pids {
                self.last_pid = RESERVED_PIDS;
            }
            if self.slots.get(self.last_pid as usize) == Some(&NONE) {
                return Some(self.last_pid);
            }
        }
        None
    }

    fn ns_pid(&mut self, home: usize, pid: u32) -> u32 {
        match &mut self.homes[home].last_ns_pid {
            Some(last) => {
                *last = last.wrapping_add(1);
                *last
            }
            None => pid,
        }
    }

    fn add(&mut self, living: Living, parent: Slot) -> Slot {
        let pid = living.key.pid;
        let slot = match self.free.pop() {
            Some(slot) => {
                self[slot] = living;
                slot
            }
            None => {
                self.living.push(living);
                Slot(u32::try_from(self.living.len() - 1).unwrap_or(u32::MAX))
            }
        };
        self.slots[pid as usize] = slot;
        self.highest_pid = self.highest_pid.max(pid);
        if parent != NONE {
            self.link(slot, parent);
        }
        slot
    }
}

impl std::ops::Index<Slot> for World {
    type Output = Living;

    fn index(&self, slot: Slot) -> &Living {
        &self.living[slot.0 as usize]
    }
}

impl std::ops::IndexMut<Slot> for World {
    fn index_mut(&mut self, slot: Slot) -> &mut Living {
        &mut self.living[slot.0 as usize]
    }
}
