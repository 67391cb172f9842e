//! What each kind of event does to the tree and to the counts.

use std::cmp::Ordering;

use super::{Delta, Engine};
use crate::event::{Comm, Cost, Creds, Execed, Exited, Forked, Found, ProcKey, Task, Usage, Zombie};
use crate::process::{Image, Lifecycle, Origin, Process};
use crate::tree::Lineage;
use crate::{ExitStatus, Stats};

/// The end of a process, as an event tells it.
struct End {
    at_ns: u64,
    status: ExitStatus,
    cost: Option<Cost>,
}

impl End {
    /// Of one whose end nobody saw.
    const fn unseen(at_ns: u64) -> Self {
        Self { at_ns, status: ExitStatus::Unknown, cost: None }
    }
}

impl Engine {
    pub(super) fn found(&mut self, e: &Found, deltas: &mut Vec<Delta>) {
        let key = e.task.key;
        if self.tree.get(key).is_some() {
            let refreshed = self.refresh(&e.task, e.ts_ns, deltas);
            let merged = self.tree.change_programs(key, |process| merge(process, e)).unwrap_or(false);
            if refreshed || merged {
                deltas.push(Delta::Changed(key));
            }
        } else if self.is_news(key) {
            let origin = if e.repaired { Origin::Inferred } else { Origin::Found };
            let mut process = Process::new(&e.task, e.task.parent, origin, e.ts_ns);
            merge(&mut process, e);
            self.add(process, deltas);
        } else {
            return;
        }
        if let Some(Zombie { status, cpu_ns }) = e.exited {
            if let Some(process) = self.tree.get_mut(key).filter(|process| process.is_alive()) {
                process.cost.cpu_ns = cpu_ns;
            }
            self.end(key, End { at_ns: e.ts_ns, status, cost: None }, deltas);
        }
    }

    pub(super) fn forked(&mut self, e: &Forked, deltas: &mut Vec<Delta>) {
        let key = e.task.key;
        let inherited = self.program_at(e.forker, e.ts_ns);
        if let Some(process) = self.tree.get_mut(key) {
            if process.origin == Origin::Forked {
                return;
            }
            // Found or inferred before its fork was heard of.
            self.stats.found -= 1;
            self.stats.inferred -= u64::from(process.origin == Origin::Inferred);
            process.origin = Origin::Forked;
            if process.images.is_empty() {
                self.tree.change_programs(key, |process| process.inherited = inherited);
            }
            let guessed = self.tree.parent(key, Lineage::Forked).map(|parent| parent.key);
            if self.tree.set_forker(key, e.forker) {
                deltas.push(Delta::Moved(key));
            }
            deltas.push(Delta::Changed(key));
            if let Some(guessed) = guessed {
                self.retention.consider(&self.tree, guessed);
            }
        } else if self.is_news(key) {
            let mut process = Process::new(&e.task, e.forker, Origin::Forked, e.ts_ns);
            process.inherited = inherited;
            self.add(process, deltas);
        } else {
            return;
        }
        let uid = e.task.creds.uid;
        self.stats.forks += 1;
        self.stats.users.entry(uid).or_default().spawned += 1;
        self.pulse.fork(e.ts_ns, uid, &mut self.stats);
        self.watch.fork(e.ts_ns, e.forker);
        if let Some(forker) = self.tree.get_mut(e.forker) {
            forker.spawned += 1;
        }
    }

    pub(super) fn execed(&mut self, e: &Execed, deltas: &mut Vec<Delta>) {
        let key = e.task.key;
        self.add_placeholder(&e.task, e.ts_ns, deltas);
        let Some(process) = self.tree.get_mut(key).filter(|process| process.is_alive()) else { return };
        let since_ns = e.ts_ns.max(key.start_ns);
        let latest = process.images.last_mut();
        if latest.as_ref().and_then(|image| image.since_ns).is_some_and(|latest| since_ns <= latest) {
            return;
        }
        let late = e.ts_ns < process.as_of_ns;
        match latest {
            // It was found running this very program, and only now do we hear of the exec.
            Some(image) if late && image.since_ns.is_none() && image.argv == e.argv => {
                image.since_ns = Some(since_ns);
                image.filename.clone_from(&e.filename);
            }
            _ => {
                process.start_program(Image {
                    since_ns: Some(since_ns),
                    filename: e.filename.clone(),
                    argv: e.argv.clone(),
                    argv_truncated: e.argv_truncated,
                });
            }
        }
        process.execs += 1;
        self.stats.execs += 1;
        self.pulse.exec(e.ts_ns);
        self.refresh(&e.task, e.ts_ns, deltas);
        deltas.push(Delta::Changed(key));
    }

    pub(super) fn exited(&mut self, e: &Exited, deltas: &mut Vec<Delta>) {
        if let Some(task) = e.task.as_ref().filter(|task| task.key == e.key) {
            self.add_placeholder(task, e.ts_ns, deltas);
            self.refresh(task, e.ts_ns, deltas);
        }
        self.end(e.key, End { at_ns: e.ts_ns, status: e.status, cost: e.cost }, deltas);
    }

    pub(super) fn creds(&mut self, ts_ns: u64, key: ProcKey, creds: Creds, deltas: &mut Vec<Delta>) {
        let Some(process) = self.tree.get_mut(key).filter(|process| current(process, ts_ns)) else { return };
        process.as_of_ns = ts_ns;
        if set_creds(process, creds, &mut self.stats) {
            deltas.push(Delta::Changed(key));
        }
    }

    pub(super) fn comm(&mut self, ts_ns: u64, key: ProcKey, comm: Comm, deltas: &mut Vec<Delta>) {
        let Some(process) = self.tree.get_mut(key).filter(|process| current(process, ts_ns)) else { return };
        process.as_of_ns = ts_ns;
        if set(&mut process.comm, comm) {
            deltas.push(Delta::Changed(key));
        }
    }

    pub(super) fn parent(&mut self, ts_ns: u64, key: ProcKey, parent: ProcKey, deltas: &mut Vec<Delta>) {
        let Some(process) = self.tree.get_mut(key).filter(|process| current(process, ts_ns)) else { return };
        process.as_of_ns = ts_ns;
        if self.tree.set_kernel_parent(key, parent) {
            deltas.push(Delta::Moved(key));
        }
    }

    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a share to be shown")]
    pub(super) fn usage(&mut self, e: &Usage, deltas: &mut Vec<Delta>) {
        let Some(process) = self.tree.get_mut(e.key).filter(|process| process.is_alive()) else { return };
        if e.ts_ns <= process.measured_ns {
            return;
        }
        let since_ns = if process.measured_ns == 0 { process.key.start_ns } else { process.measured_ns };
        let passed = e.ts_ns.saturating_sub(since_ns);
        let used = e.cpu_ns.saturating_sub(process.cost.cpu_ns);
        process.cpu_share = if passed == 0 { 0.0 } else { (used as f64 / passed as f64) as f32 };
        process.measured_ns = e.ts_ns;
        process.cost.cpu_ns = e.cpu_ns;
        process.rss_bytes = e.rss_bytes;
        process.threads = e.threads;
        process.state = e.state;
        deltas.push(Delta::Measured(e.key));
    }

    /// Whether an unknown key is that of a process to be added: not the idle task, and none that has left the tree
    /// or whose pid has passed to one that has.
    fn is_news(&self, key: ProcKey) -> bool {
        key.pid != 0 && !self.retention.is_gone(key)
    }

    /// Adds a process of which its exec or exit is the first that is heard (I7).
    fn add_placeholder(&mut self, task: &Task, ts_ns: u64, deltas: &mut Vec<Delta>) {
        if self.tree.get(task.key).is_none() && self.is_news(task.key) {
            self.add(Process::new(task, task.parent, Origin::Inferred, ts_ns), deltas);
        }
    }

    /// Adds a process. Of those that share its pid, only the youngest lives on (I1).
    fn add(&mut self, process: Process, deltas: &mut Vec<Delta>) {
        let key = process.key;
        let rival = self.tree.youngest(key.pid).map(|rival| (rival.key, rival.is_alive()));
        let mut outlived_by = None;
        if let Some((rival, alive)) = rival {
            match rival.birth().cmp(&key.birth()) {
                Ordering::Less if alive => self.end(rival, End::unseen(key.start_ns), deltas),
                Ordering::Greater => outlived_by = Some(rival),
                _ => {}
            }
        }
        self.stats.found += u64::from(process.origin != Origin::Forked);
        self.stats.inferred += u64::from(process.origin == Origin::Inferred);
        self.stats.users.entry(process.creds.uid).or_default().live += 1;
        let awaited = self.tree.insert(process);
        deltas.push(Delta::Added(key));
        if awaited {
            self.welcome_children(key, deltas);
        }
        if let Some(rival) = outlived_by {
            self.end(key, End::unseen(rival.start_ns), deltas);
        }
    }

    /// Counts the children that were in the tree before their parent.
    fn welcome_children(&mut self, key: ProcKey, deltas: &mut Vec<Delta>) {
        let mut spawned = 0;
        for child in self.tree.children(key, Lineage::Forked) {
            spawned += u64::from(child.origin == Origin::Forked && child.forker == Some(key));
            deltas.push(Delta::Moved(child.key));
        }
        let adopted = self.tree.children(key, Lineage::Kernel).filter(|child| child.forker != Some(key));
        deltas.extend(adopted.map(|child| Delta::Moved(child.key)));
        if let Some(process) = self.tree.get_mut(key) {
            process.spawned = spawned;
        }
    }

    /// Ends a living process; for a dead one whose end was inferred, takes what is better known now.
    fn end(&mut self, key: ProcKey, end: End, deltas: &mut Vec<Delta>) {
        let Some(process) = self.tree.get_mut(key) else { return };
        let uid = process.creds.uid;
        let started_ns = process.images.last().and_then(|image| image.since_ns).unwrap_or(0).max(key.start_ns);
        let mut at_ns = end.at_ns.max(started_ns);
        let inferred = end.cost.is_none();
        let user = self.stats.users.entry(uid).or_default();
        let delta = match process.life {
            Lifecycle::Running => {
                self.stats.exits += 1;
                user.exited += 1;
                user.live -= 1;
                self.pulse.exit(at_ns);
                process.threads = 0;
                process.rss_bytes = None;
                process.cpu_share = 0.0;
                Delta::Ended(key)
            }
            Lifecycle::Exited { at_ns: noticed_ns, status: known, inferred: true }
                if !inferred || known == ExitStatus::Unknown && end.status != known =>
            {
                if inferred {
                    at_ns = at_ns.min(noticed_ns);
                }
                self.stats.inferred -= u64::from(known == ExitStatus::Unknown);
                self.stats.failed -= u64::from(known.is_failure());
                user.failed -= u64::from(known.is_failure());
                Delta::Changed(key)
            }
            Lifecycle::Exited { .. } => return,
        };
        self.stats.inferred += u64::from(end.status == ExitStatus::Unknown);
        self.stats.failed += u64::from(end.status.is_failure());
        user.failed += u64::from(end.status.is_failure());
        if let Some(cost) = end.cost {
            user.dead_cpu_ns = user.dead_cpu_ns.saturating_add(cost.cpu_ns);
            process.cost = cost;
        }
        self.tree.end(key, Lifecycle::Exited { at_ns, status: end.status, inferred });
        self.retention.consider(&self.tree, key);
        deltas.push(delta);
    }

    /// Takes what a record says of a living process, unless newer is known; true when that changed more than its place.
    fn refresh(&mut self, task: &Task, ts_ns: u64, deltas: &mut Vec<Delta>) -> bool {
        let Some(process) = self.tree.get_mut(task.key).filter(|process| current(process, ts_ns)) else {
            return false;
        };
        process.as_of_ns = ts_ns;
        let mut changed = set(&mut process.comm, task.comm);
        changed |= set_creds(process, task.creds, &mut self.stats);
        changed |= set(&mut process.kernel, task.kernel);
        changed |= set(&mut process.threads, task.threads);
        changed |= set_known(&mut process.pid_ns, task.pid_ns);
        changed |= set_known(&mut process.ns_pid, task.ns_pid);
        let cgroup_id = process.cgroup_id;
        if set_known(&mut process.cgroup_id, task.cgroup_id) {
            // Its path was that of the old one.
            process.cgroup.take_if(|_| cgroup_id.is_some());
            changed = true;
        }
        if self.tree.set_kernel_parent(task.key, task.parent) {
            deltas.push(Delta::Moved(task.key));
        }
        changed
    }

    /// The program that a forker ran at that time: what `/proc/PID/cmdline` of its new child shows.
    fn program_at(&self, forker: ProcKey, ts_ns: u64) -> Option<Box<Image>> {
        let forker = self.tree.get(forker)?;
        let ran = |image: &&Image| image.since_ns.is_none_or(|since_ns| since_ns <= ts_ns);
        let image = forker.images.iter().rev().find(ran).or(forker.inherited.as_deref())?;
        Some(Box::new(image.clone()))
    }
}

/// Adds what was not known before; true when there was something.
fn merge(process: &mut Process, e: &Found) -> bool {
    let current = current(process, e.ts_ns);
    let mut changed = set_missing(&mut process.cgroup, e.cgroup.as_ref());
    let image_found = Image { since_ns: None, filename: e.exe.clone(), argv: e.argv.clone(), argv_truncated: false };
    match process.images.last_mut() {
        None if e.argv.is_some() || e.exe.is_some() => {
            process.start_program(image_found);
            changed = true;
        }
        // Repair found it running something else than what it was seen to start: that exec was lost.
        Some(image)
            if e.repaired
                && current
                && image.since_ns.is_none_or(|since_ns| since_ns <= e.ts_ns)
                && image.argv.is_some()
                && e.argv.is_some()
                && image.argv != e.argv =>
        {
            process.start_program(image_found);
            changed = true;
        }
        Some(image) if image.since_ns.is_none_or(|since_ns| since_ns <= e.ts_ns) => {
            changed |= set_missing(&mut image.argv, e.argv.as_ref());
            changed |= set_missing(&mut image.filename, e.exe.as_ref());
        }
        _ => {}
    }
    changed
}

/// Whether what was seen at that time is still to be taken.
const fn current(process: &Process, ts_ns: u64) -> bool {
    process.is_alive() && ts_ns >= process.as_of_ns
}

fn set_creds(process: &mut Process, creds: Creds, stats: &mut Stats) -> bool {
    let old = std::mem::replace(&mut process.creds, creds);
    if old.uid != creds.uid {
        stats.users.entry(old.uid).or_default().live -= 1;
        stats.users.entry(creds.uid).or_default().live += 1;
    }
    old != creds
}

fn set<T: PartialEq>(field: &mut T, value: T) -> bool {
    std::mem::replace(field, value) != *field
}

/// Sets it to what is known.
fn set_known<T: PartialEq>(field: &mut Option<T>, value: Option<T>) -> bool {
    value.is_some() && set(field, value)
}

/// Sets it if nothing is known yet.
fn set_missing<T: Clone>(field: &mut Option<T>, value: Option<&T>) -> bool {
    if field.is_none() {
        *field = value.cloned();
        return value.is_some();
    }
    false
}
