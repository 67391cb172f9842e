//! What each kind of event does to the tree and to the counts.

use std::cmp::Ordering;
use std::sync::Arc;

use super::churn::Ended;
use super::{Delta, Engine};
use crate::cgroup::Paths;
use crate::event::{Argv, Comm, Cost, Creds, Exe, Execed, Exited, Forked, Found, ProcKey, Task, Usage, Zombie};
use crate::intern::Interner;
use crate::killer::Killer;
use crate::process::{Context, Files, Image, Lifecycle, Origin, Process};
use crate::session::{Session, Shared};
use crate::tree::Lineage;
use crate::{ExitStatus, Stats};

/// The end of a process, as an event tells it.
struct End {
    at_ns: u64,
    status: ExitStatus,
    cost: Option<Cost>,
    killer: Option<Box<Killer>>,
}

impl End {
    /// Of one whose end nobody saw.
    const fn unseen(at_ns: u64) -> Self {
        Self { at_ns, status: ExitStatus::Unknown, cost: None, killer: None }
    }
}

impl Engine {
    pub(super) fn found(&mut self, e: &Found, deltas: &mut Vec<Delta>) {
        let key = e.task.key;
        if self.tree.get(key).is_some() {
            let refreshed = self.refresh(&e.task, e.ts_ns, deltas);
            let Self { tree, paths, .. } = self;
            let mut merged = tree.change_programs(key, |process| merge(process, e, paths)).unwrap_or(false);
            if let (Some(path), Some(process)) = (&e.cgroup, self.tree.get_mut(key)) {
                merged |= set_context(process, &mut self.contexts, |context| {
                    context.cgroup.get_or_insert_with(|| Arc::clone(path));
                });
            }
            if refreshed || merged {
                deltas.push(Delta::Changed(key));
            }
        } else if self.is_news(key) {
            let origin = if e.repaired { Origin::Inferred } else { Origin::Found };
            let mut context = Context::new(&e.task, None, &self.cgroups);
            context.cgroup.clone_from(&e.cgroup);
            let context = self.contexts.share(&context, || Arc::new(context.clone()));
            let mut process = Box::new(Process::new(&e.task, context, e.task.parent, origin, e.ts_ns));
            merge(&mut process, e, &mut self.paths);
            self.add(process, deltas);
        } else {
            return;
        }
        if let Some(Zombie { status, cpu_ns, user_ns, run_delay_ns }) = e.exited {
            if let Some(vitals) = self.tree.get_mut(key).and_then(Process::vitals_mut) {
                vitals.cpu_ns = cpu_ns;
                (vitals.user_ns, vitals.run_delay_ns) = (user_ns.into(), run_delay_ns.into());
            }
            self.end(key, End { at_ns: e.ts_ns, status, cost: None, killer: None }, deltas);
            self.zombie(key, true, deltas);
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
            if process.image().is_none() {
                self.tree.change_programs(key, |process| process.inherit(inherited));
            }
            let guessed = self.tree.parent_key(key, Lineage::Forked);
            if self.tree.set_forker(key, e.forker) {
                deltas.push(Delta::Moved(key));
            }
            deltas.push(Delta::Changed(key));
            if let Some(guessed) = guessed {
                self.retention.consider(&mut self.tree, guessed);
            }
        } else if self.is_news(key) {
            let context = self.context(&e.task, e.forker);
            let mut process = Box::new(Process::new(&e.task, context, e.forker, Origin::Forked, e.ts_ns));
            process.inherit(inherited);
            self.add(process, deltas);
        } else {
            return;
        }
        let uid = e.task.creds.uid;
        self.stats.forks += 1;
        self.stats.users.entry(uid).or_default().spawned += 1;
        self.pulse.fork(e.ts_ns, uid, &mut self.stats);
        self.watch.fork(e.ts_ns, e.forker);
        let mut launcher = Comm::default();
        if let Some(forker) = self.tree.get_mut(e.forker) {
            forker.spawned = forker.spawned.saturating_add(1);
            launcher = *forker.comm();
        }
        self.churn.forked(e.forker, launcher, e.ts_ns);
    }

    pub(super) fn execed(&mut self, e: &Execed, deltas: &mut Vec<Delta>) {
        let key = e.task.key;
        self.add_placeholder(&e.task, e.ts_ns, deltas);
        let Some(process) = self.tree.get_mut(key).filter(|process| process.is_alive()) else { return };
        let since_ns = e.ts_ns.max(key.start_ns);
        if last_exec_ns(process).is_some_and(|last| since_ns <= last) {
            return;
        }
        let late = !current(process, e.ts_ns);
        let mut files = |exe| Files::new(&mut self.paths, exe, e.filename.as_deref(), e.interp.as_deref());
        match process.image_mut() {
            // It was found running this very program, and only now do we hear of the exec.
            Some(image) if late && image.since_ns().is_none() && image.argv == e.argv => {
                image.set_since(since_ns);
                let known = image.files.as_ref().and_then(Files::file);
                image.files = files(e.exe.as_ref().or(known.as_ref()));
            }
            _ => {
                let mut image = Image::new(Some(since_ns), files(e.exe.as_ref()), e.argv.clone());
                image.argv_truncated = e.argv_truncated;
                process.start_program(image);
            }
        }
        process.count_exec();
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
        let end = End { at_ns: e.ts_ns, status: e.status, cost: e.cost, killer: e.killer.clone() };
        self.end(e.key, end, deltas);
    }

    pub(super) fn creds(&mut self, ts_ns: u64, key: ProcKey, creds: Creds, deltas: &mut Vec<Delta>) {
        let Some(process) = self.tree.get_mut(key).and_then(|process| hear(process, ts_ns)) else { return };
        let old = process.creds();
        if set_context(process, &mut self.contexts, |context| context.creds = creds) {
            count_creds(&mut self.stats, old, creds);
            deltas.push(Delta::Changed(key));
        }
    }

    pub(super) fn comm(&mut self, ts_ns: u64, key: ProcKey, comm: Comm, deltas: &mut Vec<Delta>) {
        let Some(process) = self.tree.get_mut(key).and_then(|process| hear(process, ts_ns)) else { return };
        if set_context(process, &mut self.contexts, |context| context.comm = comm) {
            deltas.push(Delta::Changed(key));
        }
    }

    pub(super) fn title(&mut self, ts_ns: u64, key: ProcKey, (argv, cut): (&Argv, bool), deltas: &mut Vec<Delta>) {
        if self.tree.change_programs(key, |process| process.retitle(ts_ns, argv, cut)).unwrap_or(false) {
            deltas.push(Delta::Changed(key));
        }
    }

    /// Takes where a process is, unless it is known to have been put elsewhere later.
    pub(super) fn moved(
        &mut self,
        (ts_ns, key): (u64, ProcKey),
        id: Option<u64>,
        path: Option<&Arc<[u8]>>,
        deltas: &mut Vec<Delta>,
    ) {
        let is_news = |process: &&mut Process| process.is_alive() && ts_ns >= process.placed_ns();
        let Some(process) = self.tree.get_mut(key).filter(is_news) else { return };
        process.place(ts_ns);
        let changed = set_context(process, &mut self.contexts, |context| {
            context.cgroup_id = id.or(context.cgroup_id);
            context.cgroup = path.cloned();
        });
        if changed {
            deltas.push(Delta::Changed(key));
        }
    }

    pub(super) fn exe(&mut self, ts_ns: u64, key: ProcKey, exe: &Exe, deltas: &mut Vec<Delta>) {
        let Self { tree, paths, .. } = self;
        if tree.change_programs(key, |process| process.rename_file(ts_ns, exe, paths)).unwrap_or(false) {
            deltas.push(Delta::Changed(key));
        }
    }

    pub(super) fn parent(&mut self, ts_ns: u64, key: ProcKey, parent: ProcKey, deltas: &mut Vec<Delta>) {
        let heard = self.tree.get_mut(key).and_then(|process| hear(process, ts_ns)).is_some();
        if heard && self.tree.set_kernel_parent(key, parent) {
            deltas.push(Delta::Moved(key));
        }
    }

    /// Notes of one that has ended whether its parent has still to ask how. Until then it stays in the tree.
    pub(super) fn zombie(&mut self, key: ProcKey, is_zombie: bool, deltas: &mut Vec<Delta>) {
        let is_youngest = self.tree.youngest(key.pid).is_some_and(|youngest| youngest.key == key);
        if self.tree.set_zombie(key, is_zombie && is_youngest) {
            self.retention.consider(&mut self.tree, key);
            deltas.push(Delta::Changed(key));
        }
    }

    pub(super) fn session(&mut self, ts_ns: u64, key: ProcKey, session: Session, deltas: &mut Vec<Delta>) {
        let Some(process) = self.tree.get_mut(key).and_then(|process| hear(process, ts_ns)) else { return };
        if set_context(process, &mut self.contexts, |context| belong(context, key.pid, session)) {
            deltas.push(Delta::Changed(key));
        }
    }

    pub(super) fn usage(&mut self, e: &Usage, deltas: &mut Vec<Delta>) {
        let Some(process) = self.tree.get_mut(e.key) else { return };
        let begun = begun(process);
        let Some(vitals) = process.vitals_mut() else { return };
        if e.ts_ns <= vitals.measured_ns {
            return;
        }
        vitals.measure(e);
        self.count_threads(e.key, e.ts_ns, begun, e.threads_begun);
        deltas.push(Delta::Measured(e.key));
    }

    /// Counts the threads that a process has begun since so many were told of. Of one whose beginning was not seen, the first
    /// number is where counting begins.
    fn count_threads(&mut self, key: ProcKey, ts_ns: u64, before: Option<u32>, now: Option<u32>) {
        let begun = before.zip(now).map_or(0, |(before, now)| now.saturating_sub(before));
        if begun > 0 {
            self.stats.threads += u64::from(begun);
            self.pulse.threads(ts_ns, begun);
            self.threads.several(ts_ns, key, begun);
        }
    }

    /// Whether an unknown key is that of a process to be added: not the idle task, and none that has left the tree
    /// or whose pid has passed to one that has.
    fn is_news(&self, key: ProcKey) -> bool {
        key.pid != 0 && !self.retention.is_gone(key)
    }

    /// Adds a process of which its exec or exit is the first that is heard (I7).
    fn add_placeholder(&mut self, task: &Task, ts_ns: u64, deltas: &mut Vec<Delta>) {
        if self.tree.get(task.key).is_none() && self.is_news(task.key) {
            let context = self.context(task, task.parent);
            self.add(Box::new(Process::new(task, context, task.parent, Origin::Inferred, ts_ns)), deltas);
        }
    }

    /// Adds a process. Of those that share its pid, only the youngest lives on (I1).
    fn add(&mut self, process: Box<Process>, deltas: &mut Vec<Delta>) {
        let key = process.key;
        let rival = self.tree.youngest(key.pid).map(|rival| (rival.key, rival.is_alive()));
        let mut outlived_by = None;
        if let Some((rival, alive)) = rival {
            match rival.birth().cmp(&key.birth()) {
                Ordering::Less if alive => self.end(rival, End::unseen(key.start_ns), deltas),
                // Its pid was free.
                Ordering::Less => self.zombie(rival, false, deltas),
                Ordering::Greater => outlived_by = Some(rival),
                Ordering::Equal => {}
            }
        }
        self.stats.found += u64::from(process.origin != Origin::Forked);
        self.stats.inferred += u64::from(process.origin == Origin::Inferred);
        self.stats.users.entry(process.creds().uid).or_default().live += 1;
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
            spawned += u32::from(child.origin == Origin::Forked && child.forker() == key);
            deltas.push(Delta::Moved(child.key));
        }
        let adopted = self.tree.children(key, Lineage::Kernel).filter(|child| child.forker() != key);
        deltas.extend(adopted.map(|child| Delta::Moved(child.key)));
        if let Some(process) = self.tree.get_mut(key) {
            process.spawned = spawned;
        }
    }

    /// Ends a living process; for a dead one whose end was inferred, takes what is better known now.
    fn end(&mut self, key: ProcKey, end: End, deltas: &mut Vec<Delta>) {
        let Some(process) = self.tree.get_mut(key) else { return };
        let (uid, forker, begun) = (process.creds().uid, process.forker(), begun(process));
        let started_ns = last_exec_ns(process).unwrap_or(0).max(key.start_ns);
        let mut at_ns = end.at_ns.max(started_ns);
        let inferred = end.cost.is_none();
        let mut ended = Ended { failed: [end.status.is_failure(), false], ..Ended::default() };
        let user = self.stats.users.entry(uid).or_default();
        let delta = match process.life() {
            Lifecycle::Running => {
                self.stats.exits += 1;
                user.exited += 1;
                user.live -= 1;
                self.pulse.exit(at_ns);
                ended.first = true;
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
                ended.failed[1] = known.is_failure();
                Delta::Changed(key)
            }
            Lifecycle::Exited { .. } => return,
        };
        self.stats.inferred += u64::from(end.status == ExitStatus::Unknown);
        self.stats.failed += u64::from(end.status.is_failure());
        user.failed += u64::from(end.status.is_failure());
        if let Some(cost) = end.cost {
            user.dead_cpu_ns = user.dead_cpu_ns.saturating_add(cost.cpu_ns);
            (ended.cpu_ns, ended.lifetime_ns) = (cost.cpu_ns, at_ns.saturating_sub(key.start_ns));
        }
        let launcher = self.tree.get(forker).map(|forker| *forker.comm());
        self.churn.ended(forker, launcher, ended, at_ns);
        self.count_threads(key, at_ns, begun, end.cost.and_then(|cost| cost.threads_begun));
        let killed = end.killer.is_some() && self.config.alert_out_of_memory;
        self.tree.end(key, at_ns, end.status, inferred, end.cost, end.killer);
        self.retention.consider(&mut self.tree, key);
        deltas.push(delta);
        let out_of_memory = |process: &&Process| killed && process.is_out_of_memory();
        if let Some(process) = self.tree.get(key).filter(out_of_memory) {
            self.matches.out_of_memory(process, self.now_ns, &mut self.alerts, deltas);
        }
    }

    /// Takes what a record says of a living process, unless newer is known; true when that changed more than its place.
    fn refresh(&mut self, task: &Task, ts_ns: u64, deltas: &mut Vec<Delta>) -> bool {
        let Some(process) = self.tree.get_mut(task.key).and_then(|process| hear(process, ts_ns)) else {
            return false;
        };
        let mut changed = process.vitals_mut().is_some_and(|vitals| set(&mut vitals.threads, task.threads));
        changed |= task.ns_pid.is_some_and(|pid| process.set_ns_pid(pid));
        if !process.context.is_of(task) {
            let old = process.creds();
            let (from, paths) = (process.cgroup_id(), &self.cgroups);
            // Of who was moved meanwhile, the record may be older than its time.
            let placed = ts_ns >= process.placed_ns();
            changed |= set_context(process, &mut self.contexts, |context| update(context, task, placed, paths));
            if process.cgroup_id() != from {
                process.place(ts_ns);
            }
            count_creds(&mut self.stats, old, task.creds);
        }
        if self.tree.set_kernel_parent(task.key, task.parent) {
            deltas.push(Delta::Moved(task.key));
        }
        changed
    }

    /// The program that a forker ran at that time: what `/proc/PID/cmdline` of its new child shows.
    fn program_at(&self, forker: ProcKey, ts_ns: u64) -> Option<Image> {
        let forker = self.tree.get(forker)?;
        let ran = |image: &&Image| image.since_ns().is_none_or(|since_ns| since_ns <= ts_ns);
        forker.images().rev().find(ran).or(forker.inherited()).cloned()
    }

    /// What a new process has in common with others: most often it is as its forker.
    fn context(&mut self, task: &Task, forker: ProcKey) -> Arc<Context> {
        let forker = self.tree.get(forker).map(|forker| &forker.context);
        if let Some(same) = forker.filter(|context| context.is_of(task)) {
            return Arc::clone(same);
        }
        let context = Context::new(task, forker.map(AsRef::as_ref), &self.cgroups);
        self.contexts.share(&context, || Arc::new(context.clone()))
    }
}

/// Changes what a process has in common with others; true if that is another now.
fn set_context(process: &mut Process, contexts: &mut Interner<Context>, change: impl FnOnce(&mut Context)) -> bool {
    let mut context = Context::clone(&process.context);
    change(&mut context);
    let changed = context != *process.context;
    if changed {
        process.context = contexts.share(&context, || Arc::new(context.clone()));
    }
    changed
}

/// Takes what a record says, of its cgroup only if it is `placed` there; what it does not know stays.
fn update(context: &mut Context, task: &Task, placed: bool, paths: &Paths) {
    context.comm = task.comm;
    context.creds = task.creds;
    context.kernel = task.kernel;
    context.pid_ns = task.pid_ns.or(context.pid_ns);
    belong(context, task.key.pid, task.session);
    if let Some(id) = task.cgroup_id.filter(|_| placed && task.cgroup_id != context.cgroup_id) {
        // Its path was that of the old one.
        if context.cgroup_id.is_some() {
            context.cgroup = paths.get(id).cloned();
        }
        context.cgroup_id = Some(id);
    }
}

/// Takes what a record says that a process belongs to; what it does not know stays.
fn belong(context: &mut Context, pid: u32, session: Session) {
    context.session = Shared::new(session.or(context.session.get(pid)), pid);
}

/// When it started its latest program of which that is known: repair may have found it running another one since.
fn last_exec_ns(process: &Process) -> Option<u64> {
    process.images().rev().find_map(Image::since_ns)
}

/// Adds what was not known before; true when there was something.
fn merge(process: &mut Process, e: &Found, paths: &mut Interner<[u8]>) -> bool {
    let current = current(process, e.ts_ns);
    let mut changed = false;
    match process.image_mut() {
        None if e.argv.is_some() || e.exe.is_some() => {
            process.start_program(image_of(e, paths));
            changed = true;
        }
        // Repair found it running something else than what it was seen to start: that exec was lost.
        Some(image)
            if e.repaired
                && current
                && image.since_ns().is_none_or(|since_ns| since_ns <= e.ts_ns)
                && image.argv.is_some()
                && e.argv.is_some()
                && image.argv != e.argv =>
        {
            process.start_program(image_of(e, paths));
            changed = true;
        }
        Some(image) if image.since_ns().is_none_or(|since_ns| since_ns <= e.ts_ns) => {
            if set_missing(&mut image.argv, e.argv.as_ref()) {
                image.argv_truncated = e.argv_truncated;
                changed = true;
            }
            if let Some(exe) = e.exe.as_ref().filter(|_| image.exe().is_none() || image.is_exe_truncated()) {
                image.files = Files::new(paths, Some(exe), image.filename(), image.interp());
                changed = true;
            }
        }
        _ => {}
    }
    changed
}

/// The program with which a process was found.
fn image_of(e: &Found, paths: &mut Interner<[u8]>) -> Image {
    let mut image = Image::new(None, Files::new(paths, e.exe.as_ref(), None, None), e.argv.clone());
    image.argv_truncated = e.argv_truncated;
    image
}

/// Threads that it has begun as far as is known: whoever was seen to be forked began with one.
fn begun(process: &Process) -> Option<u32> {
    process.cost().threads_begun.or((process.is_alive() && process.origin == Origin::Forked).then_some(1))
}

/// Whether what was seen at that time is still to be taken.
fn current(process: &Process, ts_ns: u64) -> bool {
    process.vitals().is_some_and(|vitals| ts_ns >= vitals.as_of_ns)
}

/// Notes when it was last heard of, unless newer is known already.
fn hear(process: &mut Process, ts_ns: u64) -> Option<&mut Process> {
    process.vitals_mut().filter(|vitals| ts_ns >= vitals.as_of_ns)?.as_of_ns = ts_ns;
    Some(process)
}

fn count_creds(stats: &mut Stats, old: Creds, new: Creds) {
    if old.uid != new.uid {
        stats.users.entry(old.uid).or_default().live -= 1;
        stats.users.entry(new.uid).or_default().live += 1;
    }
}

fn set<T: PartialEq>(field: &mut T, value: T) -> bool {
    std::mem::replace(field, value) != *field
}

/// Sets it if nothing is known yet.
fn set_missing<T: Clone>(field: &mut Option<T>, value: Option<&T>) -> bool {
    if field.is_none() {
        *field = value.cloned();
        return value.is_some();
    }
    false
}
