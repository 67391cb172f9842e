//! For tests: an engine fed from a [script](crate::script), and its tree as one line.
//!
//! Where a script cannot be read, the test fails with what is wrong.

use crate::event::Event;
use crate::script::{Script, Step, Word};
use crate::{Config, Delta, Engine, Lineage, ProcKey, Process, Tally, Totals, Tree};

pub(crate) const SECOND: u64 = 1_000_000_000;

/// An engine and the world it is told about.
pub(crate) struct Scene {
    pub(crate) engine: Engine,
    /// When the last line happened; the next one does a second later, or when `at` says.
    pub(crate) clock_ns: u64,
    script: Script,
}

impl Scene {
    pub(crate) fn new(config: Config) -> Self {
        Self { engine: Engine::new(config), clock_ns: 0, script: Script::new(0) }
    }

    /// With the default configuration.
    pub(crate) fn of(script: &str) -> Self {
        let mut scene = Self::new(Config::default());
        scene.play(script);
        scene
    }

    /// The identity that a pid has in the script.
    pub(crate) fn key(&self, pid: u32) -> ProcKey {
        self.script.key(pid)
    }

    pub(crate) fn get(&self, pid: u32) -> &Process {
        self.engine.tree().get(self.key(pid)).unwrap_or_else(|| panic!("{pid} is not in the tree"))
    }

    /// Plays a script; what it changed.
    pub(crate) fn play(&mut self, script: &str) -> Vec<Delta> {
        let mut deltas = Vec::new();
        self.script.clock_ns = self.clock_ns;
        for line in script.lines() {
            match self.script.line(line).unwrap_or_else(|fault| panic!("{line}: {fault}")) {
                Some(Step::Event(event)) => self.engine.ingest(&event, &mut deltas),
                Some(Step::Tick(now_ns)) => self.engine.tick(now_ns, &mut deltas),
                None => {}
            }
        }
        self.clock_ns = self.script.clock_ns;
        deltas
    }

    /// The event that a line means now.
    pub(crate) fn event(&mut self, words: &[&str]) -> Event {
        let line: Vec<_> = words.iter().map(|word| Word::plain(word)).collect();
        self.script.event(&line, self.clock_ns).unwrap_or_else(|fault| panic!("{words:?}: {fault}"))
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
}

/// What a process and all below it come to, each asked for itself.
pub(crate) fn totals(tree: &Tree, process: &Process, lineage: Lineage) -> Totals {
    let own = Totals::of(process);
    let left = tree.departed(process.key, lineage).iter().map(|(_, summary)| summary.all);
    let below = tree.children(process.key, lineage).map(|child| totals(tree, child, lineage));
    let own = Totals { tally: left.fold(own.tally, Tally::and), ..own };
    below.fold(own, Totals::and)
}
