//! An invented machine as a source of events, the same for the same seed: for tests, benches and to look at the screen.
//!
//! A [`Profile`] says what goes on there; the [`World`] knows the truth at any time, for the engine to be compared with.
//! Time is virtual: nothing here waits. Does not know who takes the events.

mod containers;
mod job;
mod lossy;
mod profile;
mod program;
mod rng;
mod world;

use std::fmt;
use std::str::FromStr;

use ptree_core::Event;
use ptree_core::text::{VALUE, quoted};

use lossy::Lossy;
use profile::Plan;
pub use program::Program;
pub use world::{Counts, Living, World};

/// Time between two passes over all tasks, nanoseconds: with very many of them it is longer, as in the live capture.
const PASS_NS: u64 = 1_000_000_000;
const PASS_MAX_NS: u64 = 10_000_000_000;
const PASS_PER_TASK_NS: u64 = 400_000;

/// What goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// A server with services, cron jobs and logins.
    Idle,
    /// `make -j`: shells, compilers, assemblers, linkers.
    Build,
    /// Shells that start very many short-lived children.
    Storm,
    /// Each process forks the next.
    Chain,
    /// One shell with very many children.
    Star,
    /// A storm among so few pids that they are used again all the time.
    Reuse,
    /// Containers that come and go.
    Containers,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Idle, Self::Build, Self::Storm, Self::Chain, Self::Star, Self::Reuse, Self::Containers];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Build => "build",
            Self::Storm => "storm",
            Self::Chain => "chain",
            Self::Star => "star",
            Self::Reuse => "reuse",
            Self::Containers => "containers",
        }
    }
}

/// A name that is no profile's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is no profile: take one of {}, or one with 'lossy-' before it", quoted(name, VALUE), names())]
pub struct UnknownProfile {
    name: String,
}

fn names() -> String {
    Profile::ALL.map(Profile::name).join(", ")
}

/// A profile, and whether events get lost; `lossy-storm`, or `lossy` for short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// What goes on.
    pub profile: Profile,
    /// Events are dropped (and counted, and repaired), come late or come twice.
    pub lossy: bool,
}

impl FromStr for Scenario {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        let (lossy, name) = match text.strip_prefix("lossy-") {
            Some(name) => (true, name),
            None if text == "lossy" => (true, Profile::Storm.name()),
            None => (false, text),
        };
        let profile = Profile::ALL.into_iter().find(|profile| profile.name() == name);
        profile.map(|profile| Self { profile, lossy }).ok_or_else(|| UnknownProfile { name: text.to_owned() })
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.lossy { "lossy-" } else { "" }, self.profile.name())
    }
}

/// What is to be invented.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// What goes on.
    pub scenario: Scenario,
    /// The same seed gives the same events.
    pub seed: u64,
    /// Processes alive at a time, about: how long a chain is, how wide a star.
    pub size: u32,
    /// Forks, execs and exits per second of virtual time.
    pub rate: f64,
    /// The end comes after so many forks, execs and exits, when everything has been told; `None` for never.
    pub events: Option<u64>,
    /// The beginning, boot-time nanoseconds.
    pub begin_ns: u64,
    /// Whether passes over all tasks tell what they use.
    pub usage: bool,
}

impl Options {
    /// With sizes and rates that suit a screen.
    #[must_use]
    pub const fn new(scenario: Scenario) -> Self {
        let (size, rate) = match scenario.profile {
            Profile::Idle => (200, 4.0),
            Profile::Build => (24, 150.0),
            Profile::Storm | Profile::Reuse => (40, 600.0),
            Profile::Chain => (60, 40.0),
            Profile::Star => (500, 300.0),
            Profile::Containers => (80, 60.0),
        };
        Self { scenario, seed: 1, size, rate, events: None, begin_ns: 100_000 * PASS_NS, usage: true }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held within bounds")]
    fn gap_ns(&self) -> u64 {
        (1e9 / self.rate).clamp(1.0, 1e18) as u64
    }

    /// The highest pid: with room for all, or with next to none.
    const fn pid_max(&self) -> u32 {
        let needed = self.size.saturating_mul(2).saturating_add(400);
        match self.scenario.profile {
            Profile::Reuse => needed,
            _ if needed < 32_768 / 2 => 32_768,
            _ if needed < 4_194_304 / 2 => 4_194_304,
            _ => needed.saturating_mul(2),
        }
    }
}

/// Where a pass over all tasks is.
#[derive(Clone, Copy, Debug)]
enum Pass {
    /// There is none.
    None,
    /// It comes to this pid.
    At(u32),
}

/// The source: an iterator over events in the order in which they are to be taken.
#[derive(Debug)]
pub struct Synth {
    options: Options,
    world: World,
    plan: Plan,
    lossy: Option<Box<Lossy>>,
    pass: Pass,
    /// When the last one began.
    passed_ns: u64,
    settled: bool,
}

impl Synth {
    /// A machine with everything in place, and nothing told yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let mut world = World::new(options.seed, options.begin_ns, options.gap_ns(), options.pid_max());
        let plan = Plan::new(options.scenario.profile, options.size, &mut world);
        world.moment();
        let lossy = options.scenario.lossy.then(|| Box::new(Lossy::new(options.seed, &mut world)));
        if lossy.is_none() {
            world.tell_seeded();
        }
        Self { pass: Pass::None, passed_ns: world.now_ns(), options, world, plan, lossy, settled: false }
    }

    /// The truth. It is ahead of what has been told, until the last event has been taken.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// Names of the users that there are.
    #[must_use]
    pub fn users() -> Vec<(u32, String)> {
        profile::USERS.map(|(uid, name)| (uid, name.to_owned())).to_vec()
    }

    /// Makes more events, of which there may be none this time; false when there are no more.
    fn go_on(&mut self) -> bool {
        if let Pass::At(pid) = self.pass {
            self.measure(pid);
            return true;
        }
        let over = self.options.events.is_some_and(|events| self.world.counts().hooks() >= events);
        if over && std::mem::replace(&mut self.settled, true) {
            return false;
        }
        let interval_ns = self.world.live().saturating_mul(PASS_PER_TASK_NS).clamp(PASS_NS, PASS_MAX_NS);
        match &mut self.lossy {
            Some(lossy) if over => lossy.settle(&mut self.world),
            Some(lossy) => {
                self.plan.step(&mut self.world);
                lossy.pass_on(&mut self.world, interval_ns);
            }
            None if over || self.world.now_ns() - self.passed_ns >= interval_ns => {
                self.world.moment();
                self.world.tell_changes();
                self.passed_ns = self.world.now_ns();
                self.pass = if self.options.usage { Pass::At(0) } else { Pass::None };
            }
            None => self.plan.step(&mut self.world),
        }
        true
    }

    /// Tells what the next process uses that has this pid or a higher one.
    fn measure(&mut self, pid: u32) {
        self.pass = match self.world.at_or_after(pid) {
            Some(living) => {
                let next = Pass::At(living.key.pid.saturating_add(1));
                let usage = self.world.usage(living);
                self.world.events.push_back(Event::Usage(usage));
                next
            }
            None => Pass::None,
        };
    }
}

impl Iterator for Synth {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.world.events.pop_front() {
                return Some(event);
            }
            if !self.go_on() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
