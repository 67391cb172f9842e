//! Work on processes that takes more than one order: freezing goes on until no living process of the subtree runs.
//!
//! A round stops all that are known. The kernel's reports of those who were forked meanwhile need a moment to come, so
//! that the tree is looked at again after a pause; whoever turns up then is the next round's. It is over when a pause
//! brings nobody new.

use ptree_core::{ProcKey, Tree};
use ptree_source::procfs;
use rustc_hash::FxHashSet;

use super::choice::Choice;
use super::page::{BOTH, Protection, subtrees};
use crate::act::{Deed, Failed, Failure, Order, Report, Target};

/// Between a round and the next look at the tree, nanoseconds: several times what events take to arrive.
const PAUSE_NS: u64 = 300_000_000;
/// After so many rounds it is given up: something breeds faster than we stop it, or from outside the subtree.
const ROUNDS_MAX: u32 = 20;
const SIGKILL: u8 = 9;
const SIGCONT: u8 = 18;

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Renice(i32),
    Chosen(Choice),
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// An order is being carried out.
    Ordered,
    /// Rests until then, boot time.
    Rests(u64),
    /// The last order is being carried out: the subtree is frozen and killed.
    Killing,
    Over,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Job {
    kind: Kind,
    roots: Vec<ProcKey>,
    /// `make [1001]`, `3 processes`.
    whom: String,
    even_protected: bool,
    stage: Stage,
    rounds: u32,
    /// Those that were stopped or could not be, by pid and start in ticks: all that /proc tells of some.
    settled: FxHashSet<(u32, u64)>,
    done: usize,
    failed: Vec<Failed>,
    nice: Option<i32>,
    escapes: bool,
}

fn identity(key: ProcKey) -> (u32, u64) {
    (key.pid, procfs::start_ticks(key))
}

impl Job {
    pub(super) fn new(choice: Choice, roots: Vec<ProcKey>, targets: &[Target], even_protected: bool) -> Self {
        Self::of(Kind::Chosen(choice), roots, targets, even_protected)
    }

    pub(super) fn renice(by: i32, targets: &[Target]) -> Self {
        Self::of(Kind::Renice(by), Vec::new(), targets, true)
    }

    fn of(kind: Kind, roots: Vec<ProcKey>, targets: &[Target], even_protected: bool) -> Self {
        let whom = match targets {
            [one] => one.name.clone(),
            many => format!("{} processes", many.len()),
        };
        Self {
            kind,
            roots,
            whom,
            even_protected,
            stage: Stage::Ordered,
            rounds: 1,
            settled: FxHashSet::default(),
            done: 0,
            failed: Vec::new(),
            nice: None,
            escapes: false,
        }
    }

    /// What it begins with.
    pub(super) fn first_order(&mut self, mut targets: Vec<Target>, spared: Vec<ProcKey>) -> Order {
        let deed = match self.kind {
            Kind::Chosen(Choice::Signal(number)) => Deed::Signal(number),
            Kind::Chosen(Choice::Thaw) => {
                // Whoever waits for another finds it awake.
                targets.reverse();
                Deed::Signal(SIGCONT)
            }
            Kind::Chosen(Choice::Freeze | Choice::Kill) => Deed::Freeze,
            Kind::Renice(by) => Deed::Renice(by),
        };
        Order { deed, targets, spared, even_protected: self.even_protected }
    }

    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    pub(super) fn into_failed(self) -> Vec<Failed> {
        self.failed
    }

    /// What it is, in a few words.
    pub(super) fn title(&self) -> String {
        match self.kind {
            Kind::Renice(_) => format!("nice value of {}", self.whom),
            Kind::Chosen(choice) => format!("{}, {}", choice.name(), self.whom),
        }
    }

    /// Takes what came of an order.
    pub(super) fn take(&mut self, report: Report, now_ns: u64) -> Option<Order> {
        if self.stage == Stage::Killing || report.deed != Deed::Freeze {
            self.done = report.done.len();
            self.nice = report.nice;
            self.failed.extend(report.failed);
            self.stage = Stage::Over;
            return None;
        }
        let failed = report.failed.iter().map(|failed| failed.key);
        self.settled.extend(report.done.iter().copied().chain(failed).map(identity));
        self.done += report.done.len();
        // Whoever has gone in the meantime is no trouble.
        self.failed.extend(report.failed.into_iter().filter(|failed| failed.why != Failure::Gone));
        self.stage = Stage::Rests(now_ns.saturating_add(PAUSE_NS));
        None
    }

    /// After a rest, looks who runs still.
    pub(super) fn go_on(&mut self, tree: &Tree, now_ns: u64, own_pid: u32) -> Option<Order> {
        let Stage::Rests(until_ns) = self.stage else { return None };
        if now_ns < until_ns {
            return None;
        }
        let protection = Protection::new(tree, own_pid);
        let (spared, living): (Vec<_>, Vec<_>) = subtrees(tree, &self.roots, &BOTH)
            .into_iter()
            .filter(|process| process.is_alive())
            .partition(|process| protection.of(process).is_some());
        let spared = spared.into_iter().map(|process| process.key).collect();
        let escaped = living.iter().filter(|process| !self.settled.contains(&identity(process.key)));
        let escaped: Vec<Target> = escaped.map(|process| Target::of(process)).collect();
        self.escapes = !escaped.is_empty();
        if self.escapes && self.rounds < ROUNDS_MAX {
            self.rounds += 1;
            self.stage = Stage::Ordered;
            return Some(Order { deed: Deed::Freeze, targets: escaped, spared, even_protected: false });
        }
        if self.kind == Kind::Chosen(Choice::Kill) {
            self.stage = Stage::Killing;
            let targets = living.into_iter().map(Target::of).collect();
            return Some(Order { deed: Deed::Signal(SIGKILL), targets, spared, even_protected: false });
        }
        self.stage = Stage::Over;
        None
    }

    /// How far it is, for what takes a while.
    pub(super) fn progress(&self) -> Option<String> {
        match (self.kind, self.stage) {
            (Kind::Renice(_) | Kind::Chosen(Choice::Signal(_) | Choice::Thaw), _) => None,
            (_, Stage::Killing) => Some(format!("Killing {}, frozen in {} rounds", self.done, self.rounds)),
            _ => Some(format!("Freezing: {} stopped so far, round {}", self.done, self.rounds)),
        }
    }

    /// What was done, and whether that is less than all.
    pub(super) fn outcome(&self) -> (String, bool) {
        let whom = match (self.done, &self.failed[..]) {
            (1, []) if !self.whom.ends_with("processes") => self.whom.clone(),
            (1, _) => "1 process".to_owned(),
            (n, _) => format!("{n} processes"),
        };
        let rounds = if self.rounds == 1 { "1 round".to_owned() } else { format!("{} rounds", self.rounds) };
        let mut text = match self.kind {
            Kind::Renice(_) => match self.nice {
                Some(nice) => format!("{whom}: nice value now {nice}"),
                None => "Nice value unchanged".to_owned(),
            },
            Kind::Chosen(signal @ Choice::Signal(_)) if self.done == 0 => format!("{} not sent", signal.name()),
            Kind::Chosen(signal @ Choice::Signal(_)) => format!("{} sent to {whom}", signal.name()),
            Kind::Chosen(Choice::Freeze) => format!("Frozen: {whom}, in {rounds}"),
            Kind::Chosen(Choice::Thaw) => format!("Thawed: {whom}"),
            Kind::Chosen(Choice::Kill) => format!("Killed: {whom}, frozen in {rounds}"),
        };
        if self.escapes {
            text += "; others still escape";
        }
        match &self.failed[..] {
            [] => {}
            [one] => text += &format!("; {}: {}", one.name, one.why),
            many => text += &format!("; not done to {}", many.len()),
        }
        (text, self.escapes || !self.failed.is_empty())
    }
}
