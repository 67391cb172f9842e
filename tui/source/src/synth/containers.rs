//! A host of containers: each has a shim, a pid namespace and a cgroup of its own, an init with workers, health checks
//! from outside; and now and then one is stopped and another started in its place.
//!
//! Does not know the other profiles.

use ptree_core::ExitStatus;

use super::job::Op::{Enter, Exec, Exit, Fork, Name, Orphan, Rest, TryExit};
use super::job::{Job, Recipe};
use super::profile::Base;
use super::program;
use super::world::{Seed, Slot, World};

/// Processes of a container that is up, as a rule: its shim, its init and workers.
const CONTAINER: usize = 8;
/// Health checks and the like between two restarts.
const CHECKS: u64 = 40;

/// See the module.
#[derive(Debug)]
pub(super) struct Containers {
    containerd: Slot,
    containers: Vec<Container>,
    max: usize,
    at: usize,
    started: u64,
}

#[derive(Debug)]
struct Container {
    home: usize,
    shim: Slot,
    init: Slot,
    /// How many workers are still to be forked.
    workers: usize,
    job: Option<Job>,
}

/// By the container's init.
const WORK: Recipe = &[Fork, Name("worker"), Rest(2), TryExit];
/// It goes into the background, so that the container's init becomes its parent.
const DETACHED: Recipe = &[Fork, Exec(program::HEALTH_SH), Fork, Orphan, Rest(3), Exit];
/// By the shim: from outside, runc puts a shell into the container, and the shim becomes its parent.
const CHECK: Recipe = &[
    Fork,
    Exec(program::RUNC_EXEC),
    Enter,
    Orphan,
    Exec(program::HEALTH_SH),
    Fork,
    Exec(program::HEALTH),
    Rest(1),
    TryExit,
    Exit,
];

impl Containers {
    /// So many processes' worth of containers.
    pub(super) fn new(size: usize, base: &Base, world: &mut World) -> Self {
        let containerd = world.seed(Some(base.init), 0, base.system, Seed::Program(program::CONTAINERD));
        let max = (size / CONTAINER).max(1);
        Self { containerd, containers: Vec::new(), max, at: 0, started: 0 }
    }

    /// Does one thing in one of the containers, or starts one.
    pub(super) fn step(&mut self, world: &mut World) {
        if self.containers.len() < self.max && world.rng.once_in(4) {
            self.started += 1;
            if let Some(container) = self.start(world, None) {
                self.containers.push(container);
            }
            return;
        }
        if self.containers.is_empty() {
            world.wait();
            return;
        }
        self.at = (self.at + 1) % self.containers.len();
        let container = &mut self.containers[self.at];
        if container.workers > 0 {
            if let Some(worker) = world.fork(container.init) {
                world.rename(worker, "worker");
            }
            container.workers -= 1;
        } else if let Some(job) = &mut container.job {
            job.step(world);
            container.job.take_if(|job| job.is_over());
        } else if world.rng.once_in(CHECKS) {
            container.stop(world);
            self.started += 1;
            let home = container.home;
            match self.start(world, Some(home)) {
                Some(container) => self.containers[self.at] = container,
                None => {
                    self.containers.swap_remove(self.at);
                }
            }
        } else {
            self.started += 1;
            let (base, recipe) = match world.rng.below(3) {
                0 => (container.init, WORK),
                1 => (container.init, DETACHED),
                _ => (container.shim, CHECK),
            };
            container.job = Some(Job::new(base, recipe, self.started).entering(container.home));
        }
    }

    /// Starts a container as containerd does: a shim that detaches itself, and runc, which makes the namespaces, forks
    /// the container's init into them, and is gone. `None` when no pid is free.
    fn start(&self, world: &mut World, old: Option<usize>) -> Option<Container> {
        let number = self.started;
        let home = world.container_home(old, &cgroup(number));
        let starter = world.fork(self.containerd)?;
        world.exec(starter, program::SHIM, number);
        let shim = world.fork(starter);
        world.exit(starter, ExitStatus::Code(0));
        let shim = shim?;
        world.exec(shim, program::SHIM, number);
        world.become_subreaper(shim);
        let runc = world.fork(shim);
        let init = runc.and_then(|runc| {
            world.exec(runc, program::RUNC, number);
            let init = world.fork_into(runc, home);
            world.exit(runc, ExitStatus::Code(0));
            init
        });
        let Some(init) = init else {
            world.exit(shim, ExitStatus::Code(1));
            return None;
        };
        let kind = usize::try_from(number % 4).unwrap_or(0);
        world.exec(init, program::CONTAINER_INITS[kind], number);
        if kind == 1 {
            world.set_uid(init, 33);
        }
        Some(Container { home, shim, init, workers: CONTAINER - 3, job: None })
    }
}

/// The cgroup of the container with this number, as containerd names it below a pod of three.
fn cgroup(number: u64) -> String {
    // Ids look like chance, and the first digits alone tell one from another.
    let id = (1..=4)
        .map(|part: u64| format!("{:016x}", (number + 1).wrapping_mul(part.wrapping_mul(0x9e37_79b9_7f4a_7c15))));
    format!(
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{:08x}_0000_4000_8000_000000000000.slice/\
         cri-containerd-{}.scope",
        number / 3,
        id.collect::<String>(),
    )
}

impl Container {
    /// The namespace ends with its init, all of whose processes are killed; then the shim goes.
    fn stop(&mut self, world: &mut World) {
        if let Some(mut job) = self.job.take() {
            job.kill(world);
        }
        for slot in world.descendants(self.init).into_iter().rev() {
            world.exit(slot, ExitStatus::Signal { signal: 9, core: false });
        }
        world.exit(self.init, ExitStatus::Signal { signal: 15, core: false });
        world.exit(self.shim, ExitStatus::Code(0));
    }
}
