//! A second model of the engine, as naive as can be (lists, searched from end to end; parents looked up by key whenever
//! they are asked for), and the property that both agree on any events in any order (I3).

use proptest::prelude::*;

use super::*;
use crate::event::{Argv, Comm, Cost, Creds, Execed, ExitStatus, Exited, Forked, Found, Task};
use crate::killer::{KillCause, Killer, Sender};
use crate::process::{Lifecycle, Origin, Process};
use crate::session::Session;
use crate::tree::Lineage;

mod events;
mod invariants;

/// What is compared of a process.
#[derive(Clone, Debug, PartialEq)]
struct Node {
    key: ProcKey,
    forker: ProcKey,
    /// Under whom it hangs, if it can be in the tree: compared by asking the tree, not as a field.
    above: Option<ProcKey>,
    generations_left_out: u32,
    kernel_parent: ProcKey,
    origin: Origin,
    comm: Comm,
    session: Session,
    creds: Creds,
    /// Start and arguments of the programs it ran.
    images: Vec<(Option<u64>, Option<Argv>)>,
    /// Arguments of the program it was forked with.
    inherited: Option<Option<Argv>>,
    execs: u32,
    life: Lifecycle,
    cost: Cost,
    killer: Option<Killer>,
    zombie: bool,
    /// Of the living; nobody asks it of the dead.
    as_of_ns: u64,
}

impl Node {
    fn of(process: &Process) -> Self {
        Self {
            key: process.key,
            forker: process.forker(),
            above: None,
            generations_left_out: process.generations_left_out(),
            kernel_parent: process.kernel_parent(),
            origin: process.origin,
            comm: *process.comm(),
            session: process.session(),
            creds: process.creds(),
            images: process.images().map(|image| (image.since_ns(), image.argv.clone())).collect(),
            inherited: process.inherited().map(|image| image.argv.clone()),
            execs: process.execs(),
            life: process.life(),
            cost: process.cost(),
            killer: process.killer().copied(),
            zombie: process.is_zombie(),
            as_of_ns: process.vitals().map_or(0, |vitals| vitals.as_of_ns),
        }
    }

    fn new(task: &Task, forker: ProcKey, origin: Origin, ts_ns: u64) -> Self {
        Self {
            key: task.key,
            forker,
            above: Some(forker),
            generations_left_out: 0,
            kernel_parent: task.parent,
            origin,
            comm: task.comm,
            creds: task.creds,
            session: task.session,
            images: Vec::new(),
            inherited: None,
            execs: 0,
            life: Lifecycle::Running,
            cost: Cost::default(),
            killer: None,
            zombie: false,
            as_of_ns: ts_ns,
        }
    }

    /// What is not known stays.
    fn take(&mut self, session: Session) {
        self.session = session.or(self.session);
    }

    fn alive(&self) -> bool {
        self.life == Lifecycle::Running
    }

    fn is_there(&self) -> bool {
        self.alive() || self.zombie
    }
}

/// The second model.
struct Oracle {
    config: Config,
    now_ns: u64,
    nodes: Vec<Node>,
    gone: Vec<ProcKey>,
    /// Forks, execs, exits, failed exits, found, inferred.
    counts: [i64; 6],
}

impl Oracle {
    fn find(&mut self, key: ProcKey) -> Option<&mut Node> {
        self.nodes.iter_mut().find(|node| node.key == key)
    }

    fn new(config: Config) -> Self {
        Self { config, now_ns: 0, nodes: Vec::new(), gone: Vec::new(), counts: [0; 6] }
    }

    fn parent(&self, node: &Node, lineage: Lineage) -> Option<&Node> {
        let as_forked = lineage == Lineage::Forked || node.kernel_parent == node.forker;
        let parent = if as_forked { node.above? } else { node.kernel_parent };
        let older = (parent.start_ns, parent.pid) < (node.key.start_ns, node.key.pid);
        self.nodes.iter().find(|node| node.key == parent && older)
    }

    fn children(&self, parent: ProcKey, lineage: Lineage) -> Vec<ProcKey> {
        let is_child = |node: &&Node| self.parent(node, lineage).is_some_and(|node| node.key == parent);
        let mut children: Vec<_> = self.nodes.iter().filter(is_child).map(|node| node.key).collect();
        children.sort_by_key(|key| (key.start_ns, key.pid));
        children
    }

    fn take(&mut self, event: &Event) {
        self.now_ns = self.now_ns.max(event.ts_ns());
        match event {
            Event::Process(e) => self.found(e),
            Event::Fork(e) => self.fork(e),
            Event::Exec(e) => self.exec(e),
            Event::Exit(e) => {
                if let Some(task) = &e.task {
                    self.placeholder(task, e.ts_ns);
                    self.update(task, e.ts_ns);
                }
                self.end(e.key, e.ts_ns, e.status, e.cost, e.killer.clone());
            }
            Event::Creds { ts_ns, key, creds } => self.set(*key, *ts_ns, |node| node.creds = *creds),
            Event::Comm { ts_ns, key, comm } => self.set(*key, *ts_ns, |node| node.comm = *comm),
            Event::Session { ts_ns, key, session } => self.set(*key, *ts_ns, |node| node.take(*session)),
            Event::Title { ts_ns, key, argv, .. } => self.title(*ts_ns, *key, argv),
            Event::Parent { ts_ns, key, parent } => self.set(*key, *ts_ns, |node| node.kernel_parent = *parent),
            Event::Zombie { key, .. } => self.zombie(*key, true),
            Event::Reaped { key, .. } => self.zombie(*key, false),
            Event::Exe { .. } | Event::Moved { .. } | Event::Cgroup { .. } | Event::Usage(_) | Event::Lost { .. } => {
                unreachable!("not among the events of this test")
            }
        }
        self.expire(false);
    }

    fn tick(&mut self, now_ns: u64) {
        self.now_ns = self.now_ns.max(now_ns);
        self.expire(true);
    }

    fn zombie(&mut self, key: ProcKey, zombie: bool) {
        let known = self.nodes.iter().map(|node| &node.key).chain(&self.gone);
        let is_youngest = known.filter(|other| other.pid == key.pid).all(|other| other.start_ns <= key.start_ns);
        if let Some(node) = self.find(key).filter(|node| !node.alive()) {
            node.zombie = zombie && is_youngest;
        }
    }

    /// Whether a living one descends from it.
    fn pinned(&self, node: &Node) -> bool {
        let children = self.nodes.iter().filter(|child| self.parent(child, Lineage::Forked) == Some(node));
        !node.is_there() && children.into_iter().any(|child| child.is_there() || self.pinned(child))
    }

    /// Bytes of the arguments: of inherited ones each allocation once.
    fn bytes(nodes: &[&Node]) -> u64 {
        let own = nodes.iter().flat_map(|node| &node.images).filter_map(|(_, argv)| argv.as_ref());
        let mut inherited: Vec<_> = nodes.iter().filter_map(|node| node.inherited.as_ref()?.as_ref()).collect();
        inherited.sort_by_key(|argv| argv.as_bytes().as_ptr());
        inherited.dedup_by_key(|argv| argv.as_bytes().as_ptr());
        own.chain(inherited).map(|argv| argv.as_bytes().len() as u64).sum()
    }

    fn dead(&self) -> Vec<&Node> {
        self.nodes.iter().filter(|node| !node.is_there()).collect()
    }

    fn expire(&mut self, by_age: bool) {
        let Config { keep_ns, keep_max, pinned_max, keep_bytes, .. } = self.config;
        let ended = |node: &Node| match node.life {
            Lifecycle::Exited { at_ns, .. } => at_ns,
            Lifecycle::Running => u64::MAX,
        };
        loop {
            let pinned: Vec<_> = self.dead().into_iter().filter(|node| self.pinned(node)).collect();
            if pinned.len() <= pinned_max && Self::bytes(&pinned) <= keep_bytes / 2 {
                break;
            }
            let oldest = pinned.into_iter().min_by_key(|node| (ended(node), node.key)).unwrap().clone();
            let above = oldest.above.filter(|above| above.birth() < oldest.key.birth());
            for child in self.children(oldest.key, Lineage::Forked) {
                let child = self.find(child).unwrap();
                child.above = above;
                child.generations_left_out += oldest.generations_left_out + 1;
            }
            self.remove(oldest.key);
        }
        loop {
            let dead = self.dead();
            let free = dead.iter().filter(|node| !self.pinned(node));
            let over = free.clone().count() > keep_max || Self::bytes(&dead) > keep_bytes;
            let leaves = free.filter(|node| self.children(node.key, Lineage::Forked).is_empty());
            let Some(oldest) = leaves.min_by_key(|node| (ended(node), node.key)) else { return };
            let aged = by_age && ended(oldest) + keep_ns <= self.now_ns;
            if !over && !aged {
                return;
            }
            self.remove(oldest.key);
        }
    }

    fn remove(&mut self, key: ProcKey) {
        self.nodes.retain(|node| node.key != key);
        self.gone.push(key);
    }

    fn set(&mut self, key: ProcKey, ts_ns: u64, change: impl Fn(&mut Node)) {
        if let Some(node) = self.find(key).filter(|node| node.alive() && ts_ns >= node.as_of_ns) {
            node.as_of_ns = ts_ns;
            change(node);
        }
    }

    fn title(&mut self, ts_ns: u64, key: ProcKey, argv: &Argv) {
        let Some(node) = self.find(key).filter(|node| node.alive() && ts_ns >= key.start_ns) else { return };
        match (node.images.last_mut(), &mut node.inherited) {
            (Some((since_ns, shown)), _) if since_ns.unwrap_or(0) <= ts_ns => *shown = Some(argv.clone()),
            (Some(_), _) => {}
            (None, Some(shown)) => *shown = Some(argv.clone()),
            (None, None) => node.images.push((None, Some(argv.clone()))),
        }
    }

    fn update(&mut self, task: &Task, ts_ns: u64) {
        self.set(task.key, ts_ns, |node| {
            (node.comm, node.creds, node.kernel_parent) = (task.comm, task.creds, task.parent);
            node.take(task.session);
        });
    }

    fn add(&mut self, node: Node) {
        let key = node.key;
        let gone = self.gone.iter().any(|gone| gone.pid == key.pid && gone.start_ns >= key.start_ns);
        if key.pid == 0 || gone {
            return;
        }
        let rivals = || self.nodes.iter().filter(|node| node.key.pid == key.pid);
        let younger = rivals().map(|node| node.key.start_ns).max().filter(|&start_ns| start_ns > key.start_ns);
        let older: Vec<_> = rivals().filter(|n| n.is_there() && n.key.start_ns < key.start_ns).map(|n| n.key).collect();
        for rival in older {
            if self.find(rival).is_some_and(|node| node.alive()) {
                self.end(rival, key.start_ns, ExitStatus::Unknown, None, None);
            } else {
                self.zombie(rival, false);
            }
        }
        self.counts[4] += i64::from(node.origin != Origin::Forked);
        self.counts[5] += i64::from(node.origin == Origin::Inferred);
        self.nodes.push(node);
        if let Some(start_ns) = younger {
            self.end(key, start_ns, ExitStatus::Unknown, None, None);
        }
    }

    fn placeholder(&mut self, task: &Task, ts_ns: u64) {
        if self.find(task.key).is_none() {
            self.add(Node::new(task, task.parent, Origin::Inferred, ts_ns));
        }
    }

    fn found(&mut self, e: &Found) {
        if self.find(e.task.key).is_none() {
            let origin = if e.repaired { Origin::Inferred } else { Origin::Found };
            self.add(Node::new(&e.task, e.task.parent, origin, e.ts_ns));
        }
        self.update(&e.task, e.ts_ns);
        if let Some(node) = self.find(e.task.key) {
            match node.images.last_mut() {
                None if e.argv.is_some() => {
                    node.images.push((None, e.argv.clone()));
                    node.inherited = None;
                }
                Some((since_ns, argv @ None)) if since_ns.unwrap_or(0) <= e.ts_ns => argv.clone_from(&e.argv),
                Some((since_ns, argv)) if since_ns.unwrap_or(0) <= e.ts_ns => {
                    let another = e.argv.is_some() && e.argv != *argv;
                    if e.repaired && another && node.alive() && e.ts_ns >= node.as_of_ns {
                        node.images.push((None, e.argv.clone()));
                        if node.images.len() > Process::IMAGES_MAX {
                            node.images.remove(1);
                        }
                    }
                }
                _ => {}
            }
        }
        if let Some(zombie) = e.exited {
            if let Some(node) = self.find(e.task.key).filter(|node| node.life == Lifecycle::Running) {
                node.cost.cpu_ns = zombie.cpu_ns;
                (node.cost.user_ns, node.cost.run_delay_ns) = (zombie.user_ns, zombie.run_delay_ns);
            }
            self.end(e.task.key, e.ts_ns, zombie.status, None, None);
            self.zombie(e.task.key, true);
        }
    }

    fn fork(&mut self, e: &Forked) {
        let key = e.task.key;
        let ran = |&&(since_ns, _): &&(Option<u64>, _)| since_ns.unwrap_or(0) <= e.ts_ns;
        let program = |forker: &Node| forker.images.iter().rfind(ran).map(|(_, argv)| argv.clone());
        let inherited = self.find(e.forker).and_then(|forker| program(forker).or(forker.inherited.clone()));
        let known = self.find(key).map(|node| (std::mem::replace(&mut node.origin, Origin::Forked), node));
        match known {
            Some((Origin::Forked, _)) => return,
            Some((origin, node)) => {
                if node.forker != e.forker {
                    (node.forker, node.above, node.generations_left_out) = (e.forker, Some(e.forker), 0);
                }
                if node.images.is_empty() {
                    node.inherited = inherited;
                }
                self.counts[4] -= 1;
                self.counts[5] -= i64::from(origin == Origin::Inferred);
            }
            None => self.add(Node { inherited, ..Node::new(&e.task, e.forker, Origin::Forked, e.ts_ns) }),
        }
        self.counts[0] += i64::from(self.find(key).is_some());
    }

    fn exec(&mut self, e: &Execed) {
        self.placeholder(&e.task, e.ts_ns);
        let at_ns = e.ts_ns.max(e.task.key.start_ns);
        let Some(node) = self.find(e.task.key).filter(|node| node.alive()) else { return };
        if node.images.iter().any(|&(since_ns, _)| since_ns.is_some_and(|since_ns| since_ns >= at_ns)) {
            return;
        }
        if e.ts_ns < node.as_of_ns && node.images.last() == Some(&(None, e.argv.clone())) {
            node.images.pop();
        }
        node.images.push((Some(at_ns), e.argv.clone()));
        if node.images.len() > Process::IMAGES_MAX {
            node.images.remove(1);
        }
        node.inherited = None;
        node.execs += 1;
        self.counts[1] += 1;
        self.update(&e.task, e.ts_ns);
    }

    fn end(&mut self, key: ProcKey, ts_ns: u64, status: ExitStatus, cost: Option<Cost>, killer: Option<Box<Killer>>) {
        let Some(node) = self.find(key) else { return };
        let last = node.images.iter().filter_map(|&(since_ns, _)| since_ns).chain([key.start_ns]).max().unwrap();
        let (mut at_ns, inferred) = (ts_ns.max(last), cost.is_none());
        let mut counts = [0; 6];
        match node.life {
            Lifecycle::Running => counts[2] = 1,
            Lifecycle::Exited { inferred: false, .. } => return,
            Lifecycle::Exited { at_ns: noticed, status: known, .. } => {
                if inferred && (known != ExitStatus::Unknown || status == ExitStatus::Unknown) {
                    return;
                }
                if inferred {
                    at_ns = at_ns.min(noticed);
                }
                counts[3] -= i64::from(known.is_failure());
                counts[5] -= i64::from(known == ExitStatus::Unknown);
            }
        }
        counts[3] += i64::from(status.is_failure());
        counts[5] += i64::from(status == ExitStatus::Unknown);
        node.life = Lifecycle::Exited { at_ns, status, inferred };
        node.as_of_ns = 0;
        node.cost = cost.unwrap_or(node.cost);
        node.killer = killer.map(|killer| *killer).or(node.killer);
        for (count, more) in self.counts.iter_mut().zip(counts) {
            *count += more;
        }
    }

    /// I3: the engine is in the state that follows from the events.
    fn compare(&self, engine: &Engine) {
        let (tree, stats) = (engine.tree(), engine.stats());
        assert_eq!((tree.len(), tree.iter().count()), (self.nodes.len(), self.nodes.len()));
        for node in &self.nodes {
            let kept = tree.get(node.key).map(|process| Node { above: node.above, ..Node::of(process) });
            assert_eq!(kept.as_ref(), Some(node));
            for lineage in [Lineage::Forked, Lineage::Kernel] {
                let parent = tree.parent(node.key, lineage).map(|process| process.key);
                assert_eq!(parent, self.parent(node, lineage).map(|node| node.key), "{node:?} {lineage:?}");
                let children: Vec<_> = tree.children(node.key, lineage).map(|process| process.key).collect();
                assert_eq!(children, self.children(node.key, lineage), "{node:?} {lineage:?}");
                assert_eq!(children.len(), tree.child_count(node.key, lineage));
            }
        }
        let counts = [stats.forks, stats.execs, stats.exits, stats.failed, stats.found, stats.inferred];
        assert_eq!(counts.map(|count| i64::try_from(count).unwrap()), self.counts);
        let pinned: Vec<_> = self.dead().into_iter().filter(|node| self.pinned(node)).collect();
        assert_eq!((tree.pinned(), tree.pinned_bytes()), (pinned.len(), Self::bytes(&pinned)));
        assert_eq!(stats.dead_bytes, Self::bytes(&self.dead()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn i1_i2_i3_i5_i6_i7_i8_the_engine_agrees_with_the_oracle_on_any_events(
        steps in events::steps(),
        keep_ns in 0..30_u64,
        keep_max in prop_oneof![0..6_usize, Just(1000)],
        pinned_max in prop_oneof![0..4_usize, Just(1000), Just(1000)],
        keep_bytes in prop_oneof![0..30_u64, Just(1000), Just(1000)],
    ) {
        let alert = AlertRule { spawns_per_s: 0.0, ..AlertRule::default() };
        let config = Config { keep_ns, keep_max, pinned_max, keep_bytes, alert, alert_out_of_memory: false, matches: Vec::new() };
        let (mut engine, mut oracle) = (Engine::new(config.clone()), Oracle::new(config));
        // What the deltas alone say is in the tree.
        let mut told = Vec::new();
        for step in steps {
            let mut deltas = Vec::new();
            let before = oracle.nodes.clone();
            match &step {
                events::Step::Event(event) => {
                    engine.ingest(event, &mut deltas);
                    oracle.take(event);
                }
                events::Step::Tick(now_ns) => {
                    engine.tick(*now_ns, &mut deltas);
                    oracle.tick(*now_ns);
                }
            }
            oracle.compare(&engine);
            invariants::check(&engine);
            invariants::check_deltas(&before, &oracle, &deltas, &mut told);
            invariants::check_bounds(&before, &engine, &deltas);
            if let events::Step::Event(event) = &step {
                let state = format!("{:?}", engine.stats());
                let mut again = Vec::new();
                engine.ingest(event, &mut again);
                prop_assert_eq!(again, [], "I8: {:?}", event);
                oracle.compare(&engine);
                prop_assert_eq!(state, format!("{:?}", engine.stats()), "I8");
            }
        }
    }
}
