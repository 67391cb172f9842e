//! Turns events into the tree: the only writer of [`Tree`], [`Stats`] and [`Alert`]s.
//!
//! A pure fold over events plus the time given to [`Engine::tick`]. Total: any event in any order is taken, stale and
//! duplicate ones change nothing (I8), and what is missing becomes a marked placeholder (I7). What each kind of event
//! does is in `apply`, who of the dead leaves the tree first in `retention`, the rates in `pulse`, sums over what somebody
//! launched in `churn`, the rules for alerts in `watch` (rates of processes and threads) and `matches` (filters).

mod alerts;
mod apply;
pub mod churn;
mod matches;
mod pulse;
mod retention;
mod watch;

use crate::alert::{Alert, AlertRule, MatchRule, Spawn};
use crate::cgroup;
use crate::event::{Event, ProcKey};
use crate::facts;
use crate::heap;
use crate::intern::Interner;
use crate::process::Context;
use crate::stats::Stats;
use crate::tree::{Lineage, Tree};
use crate::users::Users;

use alerts::Alerts;
use churn::Churn;
use matches::Matches;
use pulse::Pulse;
use retention::Retention;
use watch::Watch;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

/// What the engine keeps and watches for.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How long the dead stay, nanoseconds.
    pub keep_ns: u64,
    /// How many of the dead stay at most, ancestors of the living and zombies not counted: the oldest go first.
    pub keep_max: usize,
    /// How many dead ancestors of the living stay at most, to hang the living on (I6): of more than these, those that
    /// ended first are left out of the lines of descent.
    pub pinned_max: usize,
    /// What the paths and arguments of all the dead may occupy, bytes: as over their number, the oldest go first. The
    /// ancestors of the living may have half of it.
    pub keep_bytes: u64,
    /// When to raise the alarm.
    pub alert: AlertRule,
    /// Whether to raise it when the kernel kills somebody for lack of memory.
    pub alert_out_of_memory: bool,
    /// Whom to raise it for.
    pub matches: Vec<MatchRule>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            keep_ns: 60_000_000_000,
            keep_max: 50_000,
            pinned_max: 10_000,
            keep_bytes: 64 << 20,
            alert: AlertRule::default(),
            alert_out_of_memory: true,
            matches: Vec::new(),
        }
    }
}

/// What an event changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// A process is new in the tree; its forker, if there, counts one more child.
    Added(ProcKey),
    /// Something about it changed, but not its place.
    Changed(ProcKey),
    /// Only what it uses was measured anew.
    Measured(ProcKey),
    /// It has another parent in one of the lineages.
    Moved(ProcKey),
    /// It ended.
    Ended(ProcKey),
    /// It left the tree; its parents in both lineages, for whoever had it selected.
    Removed {
        /// The process.
        key: ProcKey,
        /// Its forker, or the nearest ancestor that was left in the tree.
        forker: ProcKey,
        /// Its parent as the kernel saw it last.
        kernel_parent: ProcKey,
    },
    /// An alert began, changed its level or ended.
    Alert(Alert),
}

/// The model.
#[derive(Clone, Debug)]
pub struct Engine {
    config: Config,
    tree: Tree,
    stats: Stats,
    /// The latest time heard of.
    now_ns: u64,
    pulse: Pulse,
    retention: Retention,
    watch: Watch,
    threads: Watch,
    matches: Matches,
    alerts: Alerts,
    users: Users,
    churn: Churn,
    /// Paths of programs.
    paths: Interner<[u8]>,
    contexts: Interner<Context>,
    cgroups: cgroup::Paths,
    cut_short: CutShort,
}

/// What is told of those who left before their time.
#[derive(Clone, Debug, Default)]
struct CutShort {
    /// The shortest that one was kept since the last tick.
    kept_ns: Option<u64>,
    /// When one last was.
    last_ns: u64,
}

/// How long it is told after the last, nanoseconds.
const CUT_SHORT_NS: u64 = 5_000_000_000;

impl Engine {
    /// An empty tree.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            tree: Tree::default(),
            stats: Stats::default(),
            now_ns: 0,
            pulse: Pulse::default(),
            retention: Retention::default(),
            watch: Watch::new(config.alert, Spawn::Processes),
            threads: Watch::new(config.alert, Spawn::Threads),
            matches: Matches::new(config.matches.clone(), config.alert.clear_ns),
            alerts: Alerts::default(),
            users: Users::default(),
            churn: Churn::default(),
            paths: Interner::default(),
            contexts: Interner::default(),
            cgroups: cgroup::Paths::default(),
            cut_short: CutShort::default(),
            config,
        }
    }

    /// Takes one event; appends what it changed to `deltas`. Nothing is appended for an event that changed nothing.
    /// The alert rule is judged whenever the events' time has moved on by a twentieth of its window.
    pub fn ingest(&mut self, event: &Event, deltas: &mut Vec<Delta>) {
        self.advance(event.ts_ns(), deltas);
        let from = deltas.len();
        match event {
            Event::Process(e) => self.found(e, deltas),
            Event::Fork(e) => self.forked(e, deltas),
            Event::Exec(e) => self.execed(e, deltas),
            Event::Exit(e) => self.exited(e, deltas),
            Event::Creds { ts_ns, key, creds } => self.creds(*ts_ns, *key, *creds, deltas),
            Event::Session { ts_ns, key, session } => self.session(*ts_ns, *key, *session, deltas),
            Event::Comm { ts_ns, key, comm } => self.comm(*ts_ns, *key, *comm, deltas),
            Event::Title { ts_ns, key, argv, argv_truncated } => {
                self.title(*ts_ns, *key, (argv, *argv_truncated), deltas);
            }
            Event::Exe { ts_ns, key, exe } => self.exe(*ts_ns, *key, exe, deltas),
            Event::Parent { ts_ns, key, parent } => self.parent(*ts_ns, *key, *parent, deltas),
            Event::Zombie { key, .. } => self.zombie(*key, true, deltas),
            Event::Reaped { key, .. } => self.zombie(*key, false, deltas),
            Event::Moved { ts_ns, key, cgroup_id, cgroup } => {
                self.moved((*ts_ns, *key), *cgroup_id, cgroup.as_ref(), deltas);
            }
            Event::Usage(e) => self.usage(e, deltas),
            Event::Cgroup { id, path, .. } => {
                self.cgroups.insert(*id, path);
            }
            Event::Lost { count, .. } => self.stats.lost += *count,
        }
        self.judge(from, deltas);
        self.expire(None, deltas);
    }

    /// Learns the name of a user, for filters and for whoever shows it. Where it is another than before, whoever lives is
    /// judged anew by the rules for alerts.
    pub fn name_user(&mut self, uid: u32, name: &str) {
        if self.users.name(uid, name) {
            self.matches.renamed(uid, &self.tree, self.now_ns);
        }
    }

    /// Lets time pass up to `now_ns`: expires the dead, moves the rate windows, judges the alert rules. Time that has
    /// passed already does not come back.
    pub fn tick(&mut self, now_ns: u64, deltas: &mut Vec<Delta>) {
        self.advance(now_ns, deltas);
        self.expire(Some(self.now_ns), deltas);
        self.pulse.refresh(self.now_ns, &mut self.stats);
        self.watch.show(self.stats.forks_per_s, &mut self.alerts);
        self.stats.kept_bytes = self.kept_bytes() as u64;
        self.tell_of_cut_short();
    }

    /// The tree.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Counts, rates and per-user statistics. The rates are those of the last [`Engine::tick`].
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Alerts of this session, newest last, at most a hundred.
    #[must_use]
    pub fn alerts(&self) -> &[Alert] {
        self.alerts.all()
    }

    /// Paths of the cgroups that were told of, by their ids.
    #[must_use]
    pub fn cgroups(&self) -> &cgroup::Paths {
        &self.cgroups
    }

    /// Names of users.
    #[must_use]
    pub fn users(&self) -> &Users {
        &self.users
    }

    /// Who launches most, and at what cost.
    #[must_use]
    pub fn churn(&self) -> &Churn {
        &self.churn
    }

    /// What was configured.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The latest time heard of, from events or [`Engine::tick`].
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// Children that this process forks per second, over the window of the alert rule. Forks by children of it that
    /// have left the tree are counted as its own. An estimate from a sample when the machine forks thousands a second.
    #[must_use]
    pub fn spawns_per_s(&self, forker: ProcKey) -> f64 {
        self.watch.spawns_per_s(forker, self.now_ns)
    }

    fn advance(&mut self, now_ns: u64, deltas: &mut Vec<Delta>) {
        if now_ns > self.now_ns {
            self.now_ns = now_ns;
            self.pulse.advance(now_ns, &mut self.stats);
            for watch in [&mut self.watch, &mut self.threads] {
                watch.advance(now_ns, &self.tree, &mut self.alerts, deltas);
            }
            if !self.matches.is_idle() {
                let user = |uid| self.users.get(uid);
                let context =
                    facts::Context { tree: &self.tree, lineage: Lineage::Forked, now_ns, user: &user, sums: None };
                self.matches.advance(context, &mut self.alerts, deltas);
            }
        }
    }

    /// Judges those whom the deltas from this one on are about by the rules for them.
    fn judge(&mut self, from: usize, deltas: &mut Vec<Delta>) {
        if !self.matches.is_empty() {
            let user = |uid| self.users.get(uid);
            let context = facts::Context {
                tree: &self.tree,
                lineage: Lineage::Forked,
                now_ns: self.now_ns,
                user: &user,
                sums: None,
            };
            self.matches.judge(from, context, &mut self.alerts, deltas);
        }
    }

    /// Removes the dead that are over a cap and, given the time, those that were kept long enough.
    fn expire(&mut self, now_ns: Option<u64>, deltas: &mut Vec<Delta>) {
        self.leave_out_ancestors(deltas);
        let long_ago = now_ns.and_then(|now| now.checked_sub(self.config.keep_ns));
        loop {
            let free = self.tree.len() - self.tree.live() - self.tree.zombies() - self.tree.pinned();
            let over = free > self.config.keep_max || self.tree.dead_bytes() > self.config.keep_bytes;
            if !over && long_ago.is_none() {
                break;
            }
            let leaves = |at_ns| over || long_ago.is_some_and(|ago| at_ns <= ago);
            let Some(key) = self.retention.next(&mut self.tree, leaves) else { break };
            self.note_cut_short(key);
            self.remove(key, deltas);
        }
        self.stats.live = self.tree.live() as u64;
        self.stats.dead = (self.tree.len() - self.tree.live()) as u64;
        self.stats.dead_bytes = self.tree.dead_bytes();
    }

    /// Notes how long one has been kept that is about to leave, if that is less than it might have been.
    fn note_cut_short(&mut self, key: ProcKey) {
        let kept_ns = self.tree.ended_childless(key).map(|at_ns| self.now_ns.saturating_sub(at_ns));
        if let Some(kept_ns) = kept_ns.filter(|&kept_ns| kept_ns < self.config.keep_ns) {
            let shortest = self.cut_short.kept_ns.map_or(kept_ns, |shortest| shortest.min(kept_ns));
            self.cut_short = CutShort { kept_ns: Some(shortest), last_ns: self.now_ns };
        }
    }

    fn tell_of_cut_short(&mut self) {
        let latest = self.cut_short.kept_ns.take();
        let is_past = self.now_ns.saturating_sub(self.cut_short.last_ns) >= CUT_SHORT_NS;
        self.stats.cut_short_ns = latest.or(self.stats.cut_short_ns.filter(|_| !is_past));
    }

    /// What the dead occupy, bytes: of what they have in common with the living, the part that is due to their number.
    fn kept_bytes(&self) -> usize {
        let (all, dead) = (self.tree.len(), self.tree.len() - self.tree.live());
        let common =
            self.tree.table_bytes() + self.contexts.bytes(heap::shared(size_of::<Context>())) + self.paths.bytes(0);
        self.tree.dead_heap() + self.retention.bytes() + common / all.max(1) * dead
    }

    /// Removes dead ancestors of the living that are over their cap, and joins the lines of descent without them.
    fn leave_out_ancestors(&mut self, deltas: &mut Vec<Delta>) {
        while self.tree.pinned() > self.config.pinned_max || self.tree.pinned_bytes() > self.config.keep_bytes / 2 {
            let Some(key) = self.tree.oldest_pinned().map(|key| self.tree.cheapest_to_leave_out(key)) else { break };
            deltas.extend(self.tree.leave_out(key).into_iter().map(Delta::Moved));
            self.remove(key, deltas);
        }
    }

    fn remove(&mut self, key: ProcKey, deltas: &mut Vec<Delta>) {
        let parent = self.tree.parent_key(key, Lineage::Forked);
        // As the kernel sees it, it may still have children: we have not heard yet who adopted them.
        let left: Vec<ProcKey> = self.tree.children(key, Lineage::Kernel).map(|child| child.key).collect();
        let kernel_parent = self.tree.parent_key(key, Lineage::Kernel);
        let Some(process) = self.tree.remove(key) else { return };
        self.retention.remember(key);
        // Above it, dead ancestors may have been left out already.
        let forker = parent.unwrap_or_else(|| process.forker());
        self.watch.bequeath(key, forker);
        self.threads.bequeath(key, forker);
        self.matches.forget(key);
        self.retention.consider(&mut self.tree, forker);
        // Likewise, the kernel's parent may have been left out, and who adopted this one not been heard of.
        let kernel_parent = kernel_parent.unwrap_or_else(|| match self.tree.get(process.kernel_parent()) {
            Some(parent) => parent.key,
            None => forker,
        });
        deltas.push(Delta::Removed { key, forker, kernel_parent });
        deltas.extend(left.into_iter().map(Delta::Moved));
    }
}
