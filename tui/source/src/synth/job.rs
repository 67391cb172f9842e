//! Recipes: what a process and its children do one after the other, as data; and a pool of many that go on side by side.
//!
//! Does not know which profile they belong to.

use ptree_core::ExitStatus;

use super::program::Line;
use super::rng::Rng;
use super::world::{Slot, World};

/// One thing that is done. The latest process of a job that has not ended is its top.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    /// The top (at first: whom the job belongs to) forks a new top.
    Fork,
    /// The same, into the home of the job.
    Enter,
    /// The top starts a program.
    Exec(Line),
    /// The top ends with code 0.
    Exit,
    /// The top ends, as a rule with code 0; now and then it fails or is killed.
    TryExit,
    /// The parent of the top ends: the top is an orphan.
    Orphan,
    /// The top becomes another user.
    Uid(u32),
    /// The top takes another name.
    Name(&'static str),
    /// So many events pass.
    Rest(u16),
}

/// What a job does, beginning with a fork and ending with the end of all that it has forked.
pub(super) type Recipe = &'static [Op];

/// Processes below each other that a job can have.
const DEPTH: usize = 8;

/// A recipe that is being followed.
#[derive(Clone, Debug)]
pub(super) struct Job {
    base: Slot,
    stack: [Slot; DEPTH],
    depth: usize,
    done: usize,
    rested: u16,
    recipe: Recipe,
    /// Where it enters.
    home: Option<usize>,
    /// For its command lines.
    number: u64,
}

impl Job {
    pub(super) const fn new(base: Slot, recipe: Recipe, number: u64) -> Self {
        Self { base, stack: [base; DEPTH], depth: 0, done: 0, rested: 0, recipe, home: None, number }
    }

    /// Which home it enters.
    pub(super) const fn entering(self, home: usize) -> Self {
        Self { home: Some(home), ..self }
    }

    /// Does the next thing.
    pub(super) fn step(&mut self, world: &mut World) {
        let Some(&op) = self.recipe.get(self.done) else { return };
        let top = if self.depth == 0 { self.base } else { self.stack[self.depth - 1] };
        match op {
            Op::Fork | Op::Enter => {
                let child = match (op, self.home) {
                    (Op::Enter, Some(home)) => world.fork_into(top, home),
                    _ => world.fork(top),
                };
                // Without a free pid it is tried again.
                let Some(child) = child else { return };
                self.stack[self.depth] = child;
                self.depth += 1;
            }
            Op::Exec(line) => world.exec(top, line, self.number),
            Op::Exit => self.exit(world, ExitStatus::Code(0)),
            Op::TryExit => {
                let status = match world.rng.below(400) {
                    0 => ExitStatus::Signal { signal: 11, core: true },
                    1 => ExitStatus::Signal { signal: 9, core: false },
                    2..10 => ExitStatus::Code(1),
                    _ => ExitStatus::Code(0),
                };
                self.exit(world, status);
            }
            Op::Orphan => {
                self.depth -= 1;
                world.exit(self.stack[self.depth - 1], ExitStatus::Code(0));
                self.stack[self.depth - 1] = top;
            }
            Op::Uid(uid) => world.set_uid(top, uid),
            Op::Name(name) => world.rename(top, name),
            Op::Rest(events) => {
                world.wait();
                self.rested += 1;
                if self.rested < events {
                    return;
                }
                self.rested = 0;
            }
        }
        self.done += 1;
    }

    fn exit(&mut self, world: &mut World, status: ExitStatus) {
        self.depth -= 1;
        world.exit(self.stack[self.depth], status);
    }

    /// Whether nothing is left to do.
    pub(super) const fn is_over(&self) -> bool {
        self.done == self.recipe.len()
    }

    /// Kills what is left of it, the youngest first.
    pub(super) fn kill(&mut self, world: &mut World) {
        while self.depth > 0 {
            self.exit(world, ExitStatus::Signal { signal: 9, core: false });
        }
        self.done = self.recipe.len();
    }
}

/// Jobs that go on side by side.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    jobs: Vec<Job>,
    max: usize,
    at: usize,
    started: u64,
}

/// Jobs take turns, but not exactly: the next one is among so many.
const SPREAD: usize = 64;

impl Pool {
    /// Of at most so many jobs.
    pub(super) fn new(max: usize) -> Self {
        Self { jobs: Vec::new(), max: max.max(1), at: 0, started: 0 }
    }

    /// Starts a job, or goes on with one; `choose` is given a number for each new one, and says whose job it is and
    /// what it does.
    pub(super) fn step(&mut self, world: &mut World, choose: impl Fn(&mut Rng, u64) -> (Slot, Recipe)) {
        let index = if self.jobs.len() < self.max && world.rng.once_in(2) {
            self.started += 1;
            let (base, recipe) = choose(&mut world.rng, self.started);
            self.jobs.push(Job::new(base, recipe, self.started));
            self.jobs.len() - 1
        } else if self.jobs.is_empty() {
            return;
        } else {
            self.at = (self.at + 1) % self.jobs.len();
            let ahead = usize::try_from(world.rng.below(SPREAD.min(self.jobs.len()) as u64)).unwrap_or(0);
            (self.at + ahead) % self.jobs.len()
        };
        self.jobs[index].step(world);
        if self.jobs[index].is_over() {
            self.jobs.swap_remove(index);
        }
    }
}
