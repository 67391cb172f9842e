//! What goes on: who does what next on the invented machine. Each profile is a handful of recipes and a choice among them.
//!
//! Does not know how events are made of it; see [`World`].

use std::collections::VecDeque;

use ptree_core::ExitStatus;

use super::Profile;
use super::containers::Containers;
use super::job::Op::{Exec, Exit, Fork, Name, Orphan, Rest, TryExit, Uid};
use super::job::{Pool, Recipe};
use super::program;
use super::rng::Rng;
use super::world::{Seed, Slot, World};

/// Users, by uid.
pub(super) const USERS: [(u32, &str); 5] =
    [(0, "root"), (33, "www-data"), (101, "messagebus"), (1000, "ann"), (1001, "ben")];

/// What every machine has.
pub(super) struct Base {
    pub(super) init: Slot,
    pub(super) system: usize,
    cron: Slot,
    sshd: Slot,
    shell: Slot,
    user: usize,
}

impl Base {
    pub(super) fn seed(world: &mut World) -> Self {
        let system = world.host_home("/system.slice");
        let init = world.seed(None, 0, system, Seed::Program(program::INIT));
        let kthreadd = world.seed(None, 0, system, Seed::Kernel("kthreadd"));
        for name in ["pool_workqueue", "kworker/0:1", "kworker/1:0", "ksoftirqd/0", "rcu_preempt", "kswapd0"] {
            world.seed(Some(kthreadd), 0, system, Seed::Kernel(name));
        }
        for (line, uid) in [(program::JOURNALD, 0), (program::UDEVD, 0), (program::DBUS, 101), (program::LOGIND, 0)] {
            world.seed(Some(init), uid, system, Seed::Program(line));
        }
        let cron = world.seed(Some(init), 0, system, Seed::Program(program::CRON));
        let sshd = world.seed(Some(init), 0, system, Seed::Program(program::SSHD));
        let user = world.host_home("/user.slice/user-1000.slice/session-1.scope");
        let manager = world.seed(Some(init), 1000, user, Seed::Program(program::USER_MANAGER));
        world.become_subreaper(manager);
        let session = world.seed(Some(sshd), 0, user, Seed::Program(program::SSHD_SESSION));
        let shell = world.seed(Some(session), 1000, user, Seed::Program(program::LOGIN_SHELL));
        Self { init, system, cron, sshd, shell, user }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) enum Plan {
    /// Jobs that end and are followed by others.
    Jobs {
        pool: Pool,
        bases: Vec<Slot>,
        recipes: &'static [Choice],
    },
    Chain(Chain),
    Star(Star),
    Containers(Containers),
}

const CRON_JOB: Recipe = &[
    Fork,
    Name("cron"),
    Fork,
    Exec(program::CRON_SH),
    Fork,
    Exec(program::RUN_PARTS),
    Rest(3),
    Fork,
    Exec(program::BACKUP),
    Rest(12),
    TryExit,
    Exit,
    Exit,
    Exit,
    Rest(20),
];
const ROTATE: Recipe = &[
    Fork,
    Fork,
    // It has gone into the background.
    Orphan,
    Exec(program::LOGROTATE),
    Rest(2),
    Fork,
    Exec(program::GZIP),
    Rest(8),
    Exit,
    TryExit,
    Rest(20),
];
const LOGIN: Recipe = &[
    Fork,
    Exec(program::SSHD_SESSION),
    Fork,
    Uid(1001),
    Name("sshd-session"),
    Fork,
    Exec(program::LOGIN_SHELL),
    Rest(6),
    Fork,
    Exec(program::LS),
    Exit,
    Rest(9),
    Fork,
    Exec(program::GIT),
    Fork,
    Exec(program::PAGER),
    Rest(9),
    Exit,
    TryExit,
    Exit,
    Exit,
    Exit,
    Rest(30),
];
const COMPILE: Recipe = &[
    Fork,
    Exec(program::COMPILE_SH),
    Fork,
    Exec(program::GCC),
    Fork,
    Exec(program::CC1),
    Exit,
    Fork,
    Exec(program::AS),
    Exit,
    TryExit,
    Exit,
];
const LINK: Recipe = &[
    Fork,
    Exec(program::LINK_SH),
    Fork,
    Exec(program::LINK_GCC),
    Fork,
    Exec(program::COLLECT2),
    Fork,
    Exec(program::LD),
    Exit,
    Exit,
    TryExit,
    Exit,
];
const RUN: Recipe = &[Fork, Exec(program::TRUE), Exit];
const SUBSHELL: Recipe = &[Fork, TryExit];
const PIPE: Recipe = &[Fork, Fork, Exec(program::GREP), TryExit, Exit];
const BACKGROUND: Recipe = &[Fork, Fork, Orphan, Exec(program::SLEEP), Exit];

/// A recipe, how often it is chosen, and which of the bases it belongs to; `None` for each in turn.
#[derive(Debug)]
pub(super) struct Choice(u64, Option<usize>, Recipe);

const SERVER: &[Choice] = &[Choice(5, Some(0), CRON_JOB), Choice(2, Some(0), ROTATE), Choice(3, Some(1), LOGIN)];
const BUILD: &[Choice] = &[Choice(60, None, COMPILE), Choice(1, None, LINK)];
const STORM: &[Choice] =
    &[Choice(14, None, RUN), Choice(3, None, SUBSHELL), Choice(2, None, PIPE), Choice(1, None, BACKGROUND)];

/// One of the recipes, and whose job it is.
fn choose(rng: &mut Rng, number: u64, choices: &'static [Choice], bases: &[Slot]) -> (Slot, Recipe) {
    let mut left = rng.below(choices.iter().map(|choice| choice.0).sum());
    let Choice(_, base, recipe) = choices
        .iter()
        .find(|choice| {
            let chosen = left < choice.0;
            left = left.saturating_sub(choice.0);
            chosen
        })
        .unwrap_or(&choices[0]);
    let in_turn = usize::try_from(number % bases.len() as u64).unwrap_or(0);
    (bases[base.unwrap_or(in_turn)], recipe)
}

impl Plan {
    /// Furnishes the machine, and says what goes on there.
    pub(super) fn new(profile: Profile, size: u32, world: &mut World) -> Self {
        let base = Base::seed(world);
        let many = size as usize;
        // What it all hangs under was started by hand, before the beginning.
        let running = |world: &mut World, line| world.seed(Some(base.shell), 1000, base.user, Seed::Program(line));
        match profile {
            Profile::Idle => {
                let seeded = usize::try_from(world.counts().seeded).unwrap_or(0);
                for index in 0..many.saturating_sub(seeded) {
                    let line = program::SERVICES[index % program::SERVICES.len()];
                    let home = if index < 64 {
                        world.host_home(&format!("/system.slice/app{index}.service"))
                    } else {
                        base.system
                    };
                    world.seed(Some(base.init), 33, home, Seed::Program(line));
                }
                Self::Jobs { pool: Pool::new(1 + many / 200), bases: vec![base.cron, base.sshd], recipes: SERVER }
            }
            Profile::Build => {
                let make = running(world, program::MAKE);
                Self::Jobs { pool: Pool::new(many.div_ceil(3)), bases: vec![make], recipes: BUILD }
            }
            Profile::Storm | Profile::Reuse => {
                let bases = (0..4).map(|_| running(world, program::STORM_SH)).collect();
                Self::Jobs { pool: Pool::new(many), bases, recipes: STORM }
            }
            Profile::Chain => Self::Chain(Chain {
                base: base.shell,
                size: many,
                links: VecDeque::new(),
                moved: 0,
                shrinking: false,
                fresh: false,
                started: 0,
            }),
            Profile::Star => {
                let base = running(world, program::STAR_SH);
                Self::Star(Star {
                    base,
                    size: many.max(1),
                    children: VecDeque::new(),
                    shrinking: false,
                    fresh: false,
                    started: 0,
                })
            }
            Profile::Containers => Self::Containers(Containers::new(many, &base, world)),
        }
    }

    /// Does one thing.
    pub(super) fn step(&mut self, world: &mut World) {
        match self {
            Self::Jobs { pool, bases, recipes } => {
                pool.step(world, |rng, number| choose(rng, number, recipes, bases));
            }
            Self::Chain(chain) => chain.step(world),
            Self::Star(star) => star.step(world),
            Self::Containers(containers) => containers.step(world),
        }
    }
}

/// A process that forks the next, which forks the next: down to a depth, then on with the oldest ending, then back.
#[derive(Debug)]
pub(super) struct Chain {
    base: Slot,
    size: usize,
    links: VecDeque<Slot>,
    /// How far it has moved on since it was long enough.
    moved: usize,
    /// It is on its way back.
    shrinking: bool,
    /// The latest has not started its program yet.
    fresh: bool,
    started: u64,
}

impl Chain {
    fn step(&mut self, world: &mut World) {
        let last = self.links.back().copied().unwrap_or(self.base);
        if std::mem::take(&mut self.fresh) {
            world.exec(last, program::CHAIN, self.started);
        } else if self.shrinking {
            if self.links.pop_back().is_some() {
                world.exit(last, ExitStatus::Code(0));
            }
            self.shrinking = !self.links.is_empty();
        } else if self.links.len() > self.size
            && let Some(first) = self.links.pop_front()
        {
            world.exit(first, ExitStatus::Code(0));
        } else {
            if let Some(next) = world.fork(last) {
                self.links.push_back(next);
                self.fresh = true;
                self.started += 1;
            }
            self.moved += usize::from(self.links.len() > self.size);
            if self.moved > self.size {
                self.moved = 0;
                self.shrinking = true;
            }
        }
    }
}

/// A process with very many children: all of them are started, then all end, the oldest first.
#[derive(Debug)]
pub(super) struct Star {
    base: Slot,
    size: usize,
    children: VecDeque<Slot>,
    shrinking: bool,
    /// The latest has not started its program yet.
    fresh: bool,
    started: u64,
}

impl Star {
    fn step(&mut self, world: &mut World) {
        if std::mem::take(&mut self.fresh)
            && let Some(&latest) = self.children.back()
        {
            world.exec(latest, program::STAR, self.started);
        } else if self.shrinking {
            if let Some(oldest) = self.children.pop_front() {
                world.exit(oldest, ExitStatus::Code(0));
            }
            self.shrinking = !self.children.is_empty();
        } else if let Some(child) = world.fork(self.base) {
            self.children.push_back(child);
            self.fresh = true;
            self.started += 1;
            self.shrinking = self.children.len() == self.size;
        }
    }
}
