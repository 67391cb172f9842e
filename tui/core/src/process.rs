//! A process as the tree keeps it: what is known of it now, and after its end.
//!
//! Does not know its place in the graph; see [`Tree`](crate::Tree) for parents and children. Tens of thousands of the
//! dead are kept, so the layout is tight: what many have in common is one shared [`Context`], what only the living or
//! only the dead have takes the same place, and what few have is in a box of its own.

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::cgroup::Paths;
use crate::event::{Argv, Comm, Cost, Creds, Exe, ExitStatus, ProcKey, Task, Usage};
use crate::heap;
use crate::intern::Interner;
use crate::killer::{KillCause, Killer};
use crate::session::{Session, Shared};

mod files;
mod packed;

pub(crate) use files::Files;

use packed::{PackedCost, PackedCount, PackedKey, PackedOption, PackedRate};

/// A program that ran in a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    since_ns: PackedOption,
    pub(crate) files: Option<Files>,
    /// Arguments.
    pub argv: Option<Argv>,
    /// More arguments than were captured.
    pub argv_truncated: bool,
    /// Execs that its process had been seen to do when it was started, this one included.
    execs: u32,
}

impl Image {
    /// Of a program that was started then, or before we were for `None`.
    pub(crate) fn new(since_ns: Option<u64>, files: Option<Files>, argv: Option<Argv>) -> Self {
        Self { since_ns: since_ns.into(), files, argv, argv_truncated: false, execs: 0 }
    }

    /// Path of the file that runs: of a script, that of its interpreter.
    #[must_use]
    pub fn exe(&self) -> Option<&[u8]> {
        self.files.as_ref()?.exe()
    }

    /// Whether that has been deleted, or was never in a folder.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.files.as_ref().is_some_and(Files::is_deleted)
    }

    /// Whether that was made by `memfd_create`.
    #[must_use]
    pub fn is_memfd(&self) -> bool {
        self.files.as_ref().is_some_and(Files::is_memfd)
    }

    /// Whether the path of that lacks its beginning.
    #[must_use]
    pub fn is_exe_truncated(&self) -> bool {
        self.files.as_ref().is_some_and(Files::is_truncated)
    }

    /// Path as given to execve: of a script, its own. Not known of a program that was running before.
    #[must_use]
    pub fn filename(&self) -> Option<&[u8]> {
        self.files.as_ref()?.filename()
    }

    /// Path of the interpreter that runs a script, as that names it.
    #[must_use]
    pub fn interp(&self) -> Option<&[u8]> {
        self.files.as_ref()?.interp()
    }

    /// The path by which people know it: a script's own, or of the file that runs; else as it was given to execve.
    #[must_use]
    pub fn path(&self) -> Option<&[u8]> {
        let script = self.interp().and(self.filename());
        script.or(self.exe()).or(self.filename())
    }

    pub(crate) fn set_since(&mut self, since_ns: u64) {
        self.since_ns = Some(since_ns).into();
    }

    /// When it was started; `None` for one that was running before we were.
    #[must_use]
    pub fn since_ns(&self) -> Option<u64> {
        self.since_ns.get()
    }
}

/// How a process came to be in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Running when capture began.
    Found,
    /// Its fork was seen.
    Forked,
    /// Known by its exec or exit, or found by repair: its fork was lost.
    Inferred,
}

/// Alive or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// Alive.
    Running,
    /// Its last thread has ended.
    Exited {
        /// When; for an inferred end or a zombie found at start, when it was noticed.
        at_ns: u64,
        /// How.
        status: ExitStatus,
        /// Nobody saw it happen: the time is an upper bound.
        inferred: bool,
    },
}

/// What a process has in common with many others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Context {
    pub(crate) comm: Comm,
    pub(crate) creds: Creds,
    pub(crate) kernel: bool,
    pub(crate) cgroup_id: Option<u64>,
    pub(crate) cgroup: Option<Arc<[u8]>>,
    pub(crate) pid_ns: Option<u32>,
    pub(crate) session: Shared,
}

impl Context {
    /// As a kernel record shows it; `like` is of another process, in whose cgroups it is unless its record says that it is
    /// in another one: then the path is the one known of that.
    pub(crate) fn new(task: &Task, like: Option<&Self>, paths: &Paths) -> Self {
        let path = task.cgroup_id.zip(like).and_then(|(id, like)| {
            if like.cgroup_id == Some(id) { like.cgroup.clone() } else { paths.get(id).cloned() }
        });
        Self {
            comm: task.comm,
            creds: task.creds,
            kernel: task.kernel,
            cgroup_id: task.cgroup_id,
            cgroup: path,
            pid_ns: task.pid_ns,
            session: Shared::new(task.session, task.key.pid),
        }
    }

    /// Whether a record shows the same; it says nothing of the cgroup's path.
    pub(crate) fn is_of(&self, task: &Task) -> bool {
        self.comm == task.comm
            && self.creds == task.creds
            && self.kernel == task.kernel
            && self.cgroup_id == task.cgroup_id
            && self.pid_ns == task.pid_ns
            && self.session == Shared::new(task.session, task.key.pid)
    }
}

/// What is known of the living only.
#[derive(Clone, Debug)]
pub(crate) struct Vitals {
    pub(crate) cpu_ns: u64,
    pub(crate) user_ns: PackedOption,
    pub(crate) run_delay_ns: PackedOption,
    rss_bytes: PackedOption,
    read_bytes: PackedOption,
    write_bytes: PackedOption,
    threads_begun: PackedCount,
    pub(crate) cpu_share: f32,
    read_rate: PackedRate,
    write_rate: PackedRate,
    pub(crate) threads: u32,
    /// When CPU time was last measured; 0 for never.
    pub(crate) measured_ns: u64,
    /// When name, credentials and kernel's parent were last heard of: what is older does not change them.
    pub(crate) as_of_ns: u64,
    pub(crate) state: char,
}

impl Vitals {
    /// Takes what was measured. What it has read and written, and begun, cannot become less: a thread that ends may be
    /// missing for a moment.
    pub(crate) fn measure(&mut self, usage: &Usage) {
        let since_ns = if self.measured_ns == 0 { usage.key.start_ns } else { self.measured_ns };
        let rate = Passed(usage.ts_ns.saturating_sub(since_ns));
        // Nothing had been read before it began.
        let known = |before: PackedOption| before.get().or((self.measured_ns == 0).then_some(0));
        self.cpu_share = rate.of(usage.cpu_ns.saturating_sub(self.cpu_ns));
        self.read_rate = rate.per_s(known(self.read_bytes), usage.read_bytes);
        self.write_rate = rate.per_s(known(self.write_bytes), usage.write_bytes);
        self.measured_ns = usage.ts_ns;
        self.cpu_ns = usage.cpu_ns;
        self.user_ns = usage.user_ns.into();
        let waited = self.run_delay_ns.get().filter(|_| usage.run_delay_ns.is_some());
        self.run_delay_ns = usage.run_delay_ns.max(waited).into();
        self.rss_bytes = usage.rss_bytes.into();
        self.read_bytes = usage.read_bytes.max(self.read_bytes.get().filter(|_| usage.read_bytes.is_some())).into();
        self.write_bytes = usage.write_bytes.max(self.write_bytes.get().filter(|_| usage.write_bytes.is_some())).into();
        self.threads_begun = usage.threads_begun.into();
        self.threads = usage.threads;
        self.state = usage.state;
    }
}

/// Nanoseconds between two measurements.
struct Passed(u64);

impl Passed {
    /// So much of something, per nanosecond.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a share to be shown")]
    fn of(&self, amount: u64) -> f32 {
        if self.0 == 0 { 0.0 } else { (amount as f64 / self.0 as f64) as f32 }
    }

    /// What has been added between the two, per second; none where one of them is not known.
    fn per_s(&self, before: Option<u64>, now: Option<u64>) -> PackedRate {
        before.zip(now).map(|(before, now)| self.of(now.saturating_sub(before)) * 1e9).into()
    }
}

/// What is known of the dead only.
#[derive(Clone, Debug)]
struct Ended {
    at_ns: u64,
    cost: PackedCost,
    status: ExitStatus,
    flags: Flags,
}

/// Three flags in a byte.
#[derive(Clone, Copy, Debug)]
struct Flags(u8);

impl Flags {
    const ZOMBIE: u8 = 4;

    const fn new(inferred: bool, measured: bool, zombie: bool) -> Self {
        Self(inferred as u8 | (measured as u8) << 1).with_zombie(zombie)
    }

    /// Nobody saw it happen.
    const fn inferred(self) -> bool {
        self.0 & 1 != 0
    }

    /// Its CPU time was measured while it lived.
    const fn measured(self) -> bool {
        self.0 & 2 != 0
    }

    /// Its parent has not asked for it.
    const fn zombie(self) -> bool {
        self.0 & Self::ZOMBIE != 0
    }

    const fn with_zombie(self, zombie: bool) -> Self {
        Self(if zombie { self.0 | Self::ZOMBIE } else { self.0 & !Self::ZOMBIE })
    }
}

#[derive(Clone, Debug)]
enum Phase {
    /// In a box of its own: of the dead there are many more.
    Alive(Box<Vitals>),
    Dead(Ended),
}

/// What few processes have.
#[derive(Clone, Debug)]
struct Rare {
    /// Where that is another than the forker.
    kernel_parent: Option<ProcKey>,
    generations_left_out: u32,
    /// Programs that it ran before the one it runs now.
    past: Vec<Image>,
    killer: Option<Box<Killer>>,
    /// When it was last put into another cgroup, as far as is known.
    placed_ns: u64,
}

/// Everything known of one process.
#[derive(Clone, Debug)]
pub struct Process {
    /// Identity.
    pub key: ProcKey,
    /// How it got here.
    pub origin: Origin,
    /// Children forked, ever.
    pub spawned: u32,
    forker: PackedKey,
    ns_pid: Option<NonZeroU32>,
    pub(crate) context: Arc<Context>,
    program: Option<Image>,
    /// Whether it was forked with that program and has started none itself.
    is_inherited: bool,
    phase: Phase,
    rare: Option<Box<Rare>>,
    /// For whoever decides which of the dead leave: whether it stands in line with the present time of its end.
    pub(crate) is_considered: bool,
}

impl Process {
    /// Programs kept of one process.
    pub const IMAGES_MAX: usize = 16;
    /// Bytes of arguments kept of a program that is neither its first nor its latest.
    pub const PAST_ARGV_MAX: usize = 1024;

    /// A living process as a kernel record of `ts_ns` shows it.
    pub(crate) fn new(task: &Task, context: Arc<Context>, forker: ProcKey, origin: Origin, ts_ns: u64) -> Self {
        let vitals = Vitals {
            cpu_ns: 0,
            user_ns: None.into(),
            run_delay_ns: None.into(),
            rss_bytes: None.into(),
            read_bytes: None.into(),
            write_bytes: None.into(),
            threads_begun: PackedCount::default(),
            cpu_share: 0.0,
            read_rate: None.into(),
            write_rate: None.into(),
            threads: task.threads,
            measured_ns: 0,
            as_of_ns: ts_ns,
            state: '?',
        };
        let mut process = Self {
            key: task.key,
            origin,
            spawned: 0,
            forker: forker.into(),
            ns_pid: task.ns_pid.and_then(NonZeroU32::new),
            context,
            program: None,
            is_inherited: false,
            phase: Phase::Alive(Box::new(vitals)),
            rare: None,
            is_considered: false,
        };
        process.set_kernel_parent(task.parent);
        process
    }

    /// Who forked it, for good; for one found running, its parent when found.
    #[must_use]
    pub fn forker(&self) -> ProcKey {
        self.forker.get()
    }

    /// Its parent as the kernel sees it, last we heard.
    #[must_use]
    pub fn kernel_parent(&self) -> ProcKey {
        self.rare.as_ref().and_then(|rare| rare.kernel_parent).unwrap_or_else(|| self.forker())
    }

    /// Whether the kernel's parent is another than who forked it.
    #[must_use]
    pub fn is_reparented(&self) -> bool {
        self.kernel_parent() != self.forker()
    }

    /// How many dead ancestors between it and its parent in the tree were left out to bound memory, its forker the last
    /// of them; 0 where it hangs under its forker.
    #[must_use]
    pub fn generations_left_out(&self) -> u32 {
        self.rare.as_ref().map_or(0, |rare| rare.generations_left_out)
    }

    /// Name.
    #[must_use]
    pub fn comm(&self) -> &Comm {
        &self.context.comm
    }

    /// Credentials.
    #[must_use]
    pub fn creds(&self) -> Creds {
        self.context.creds
    }

    /// A kernel thread.
    #[must_use]
    pub fn is_kernel(&self) -> bool {
        self.context.kernel
    }

    /// Id of its cgroup in the unified hierarchy.
    #[must_use]
    pub fn cgroup_id(&self) -> Option<u64> {
        self.context.cgroup_id
    }

    /// Path of its cgroup, where known.
    #[must_use]
    pub fn cgroup(&self) -> Option<&[u8]> {
        self.context.cgroup.as_deref()
    }

    /// Inode number of its pid namespace.
    #[must_use]
    pub fn pid_ns(&self) -> Option<u32> {
        self.context.pid_ns
    }

    /// Its pid within that namespace.
    #[must_use]
    pub fn ns_pid(&self) -> Option<u32> {
        self.ns_pid.map(NonZeroU32::get)
    }

    /// What it belongs to, or belonged to at its end.
    #[must_use]
    pub fn session(&self) -> Session {
        self.context.session.get(self.key.pid)
    }

    /// Threads; of a dead process 0.
    #[must_use]
    pub fn threads(&self) -> u32 {
        self.vitals().map_or(0, |vitals| vitals.threads)
    }

    /// Resident set as last measured while alive, bytes.
    #[must_use]
    pub fn rss_bytes(&self) -> Option<u64> {
        self.vitals()?.rss_bytes.get()
    }

    /// Share of one CPU between the last two measurements: 1.0 is one CPU; of a dead process 0.
    #[must_use]
    pub fn cpu_share(&self) -> f32 {
        self.vitals().map_or(0.0, |vitals| vitals.cpu_share)
    }

    /// Bytes read from storage per second between the last two measurements; none of a dead process.
    #[must_use]
    pub fn read_rate(&self) -> Option<f32> {
        self.vitals()?.read_rate.get()
    }

    /// Bytes written to storage per second between the last two measurements; none of a dead process.
    #[must_use]
    pub fn write_rate(&self) -> Option<f32> {
        self.vitals()?.write_rate.get()
    }

    /// Run state as last measured; `?` before that, and of the dead.
    #[must_use]
    pub fn state(&self) -> char {
        self.vitals().map_or('?', |vitals| vitals.state)
    }

    /// Whether its CPU time was measured while it lived.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        match &self.phase {
            Phase::Alive(vitals) => vitals.measured_ns > 0,
            Phase::Dead(ended) => ended.flags.measured(),
        }
    }

    /// Cost: at its end complete, before that as last measured, without peak and page faults.
    #[must_use]
    pub fn cost(&self) -> Cost {
        match &self.phase {
            Phase::Alive(vitals) => Cost {
                cpu_ns: vitals.cpu_ns,
                user_ns: vitals.user_ns.get(),
                run_delay_ns: vitals.run_delay_ns.get(),
                read_bytes: vitals.read_bytes.get(),
                write_bytes: vitals.write_bytes.get(),
                threads_begun: vitals.threads_begun.get(),
                ..Cost::default()
            },
            Phase::Dead(ended) => ended.cost.get(),
        }
    }

    /// Alive or how it ended.
    #[must_use]
    pub const fn life(&self) -> Lifecycle {
        match &self.phase {
            Phase::Alive(_) => Lifecycle::Running,
            &Phase::Dead(Ended { at_ns, status, flags, .. }) => {
                Lifecycle::Exited { at_ns, status, inferred: flags.inferred() }
            }
        }
    }

    /// Whether it is alive.
    #[must_use]
    pub const fn is_alive(&self) -> bool {
        matches!(self.phase, Phase::Alive(_))
    }

    /// Whether it has ended and its parent has not asked how.
    #[must_use]
    pub const fn is_zombie(&self) -> bool {
        match &self.phase {
            Phase::Alive(_) => false,
            Phase::Dead(ended) => ended.flags.zombie(),
        }
    }

    /// Whether the kernel still has it: alive, or a zombie.
    #[must_use]
    pub const fn is_there(&self) -> bool {
        self.is_alive() || self.is_zombie()
    }

    /// How long it has lived at `now_ns`, or lived; never negative (I8).
    #[must_use]
    pub const fn lifetime_ns(&self, now_ns: u64) -> u64 {
        let end = match &self.phase {
            Phase::Alive(_) => now_ns,
            Phase::Dead(ended) => ended.at_ns,
        };
        end.saturating_sub(self.key.start_ns)
    }

    /// How it ended, if it has.
    #[must_use]
    pub const fn exit_status(&self) -> Option<ExitStatus> {
        match &self.phase {
            Phase::Alive(_) => None,
            Phase::Dead(ended) => Some(ended.status),
        }
    }

    /// Who or what sent the signal that ended it, where known.
    #[must_use]
    pub fn killer(&self) -> Option<&Killer> {
        self.rare.as_ref()?.killer.as_deref()
    }

    /// Whether the kernel killed it for lack of memory.
    #[must_use]
    pub fn is_out_of_memory(&self) -> bool {
        self.killer().is_some_and(|killer| killer.cause == KillCause::Oom)
    }

    /// Programs it ran, oldest first, at most [`Process::IMAGES_MAX`] (the first and the latest are kept; of those
    /// between at most [`Process::PAST_ARGV_MAX`] of the arguments). None for a fork that never execed: it runs its
    /// forker's program.
    pub fn images(&self) -> impl DoubleEndedIterator<Item = &Image> {
        self.rare.iter().flat_map(|rare| &rare.past).chain(self.image())
    }

    /// Its latest program, of those it started itself or was found with.
    #[must_use]
    pub fn image(&self) -> Option<&Image> {
        self.program().filter(|_| !self.is_inherited)
    }

    /// The program it was forked with, until its first exec; `None` where the forker or its program was not known.
    #[must_use]
    pub fn inherited(&self) -> Option<&Image> {
        self.program().filter(|_| self.is_inherited)
    }

    /// The program it runs, or ran at its end: its latest, or the one its forker ran when it was forked.
    #[must_use]
    pub const fn program(&self) -> Option<&Image> {
        self.program.as_ref()
    }

    /// Whether all its execs were seen: its begin was.
    #[must_use]
    pub fn are_execs_all(&self) -> bool {
        self.origin == Origin::Forked
    }

    /// Execs seen, more than there are [`Process::images`] for a long chain.
    #[must_use]
    pub fn execs(&self) -> u32 {
        self.image().map_or(0, |image| image.execs)
    }
}

/// Changes, all by the engine.
impl Process {
    pub(crate) fn set_forker(&mut self, forker: ProcKey) {
        let parent = self.kernel_parent();
        self.forker = forker.into();
        self.set_kernel_parent(parent);
    }

    pub(crate) fn set_kernel_parent(&mut self, parent: ProcKey) {
        let other = Some(parent).filter(|&parent| parent != self.forker());
        if other.is_some() || self.rare.is_some() {
            self.rare().kernel_parent = other;
        }
    }

    pub(crate) fn set_generations_left_out(&mut self, generations: u32) {
        if generations > 0 || self.rare.is_some() {
            self.rare().generations_left_out = generations;
        }
    }

    /// When it was last put into another cgroup, as far as is known: what is older does not change where it is.
    pub(crate) fn placed_ns(&self) -> u64 {
        self.rare.as_ref().map_or(0, |rare| rare.placed_ns)
    }

    pub(crate) fn place(&mut self, ts_ns: u64) {
        self.rare().placed_ns = ts_ns;
    }

    pub(crate) fn set_ns_pid(&mut self, pid: u32) -> bool {
        let pid = NonZeroU32::new(pid);
        pid.is_some() && std::mem::replace(&mut self.ns_pid, pid) != pid
    }

    pub(crate) const fn vitals(&self) -> Option<&Vitals> {
        match &self.phase {
            Phase::Alive(vitals) => Some(vitals),
            Phase::Dead(_) => None,
        }
    }

    pub(crate) const fn vitals_mut(&mut self) -> Option<&mut Vitals> {
        match &mut self.phase {
            Phase::Alive(vitals) => Some(vitals),
            Phase::Dead(_) => None,
        }
    }

    /// Ends it, or corrects how it ended; without a cost that which is known stays.
    pub(crate) fn end(
        &mut self,
        at_ns: u64,
        status: ExitStatus,
        inferred: bool,
        cost: Option<Cost>,
        killer: Option<Box<Killer>>,
    ) {
        let cost = cost.unwrap_or_else(|| self.cost());
        if killer.is_some() {
            self.rare().killer = killer;
        }
        let measured = self.is_measured();
        let zombie = self.is_zombie();
        self.is_considered = false;
        let flags = Flags::new(inferred, measured, zombie);
        self.phase = Phase::Dead(Ended { at_ns, cost: cost.into(), status, flags });
    }

    /// Notes of a dead one whether it is a zombie; true when that is news.
    pub(crate) fn set_zombie(&mut self, is_zombie: bool) -> bool {
        match &mut self.phase {
            Phase::Alive(_) => false,
            Phase::Dead(ended) => {
                let was_zombie = ended.flags.zombie();
                ended.flags = ended.flags.with_zombie(is_zombie);
                was_zombie != is_zombie
            }
        }
    }

    /// Gives it the program it was forked with, unless it is known to have run one of its own.
    pub(crate) fn inherit(&mut self, image: Option<Image>) {
        if self.image().is_none() {
            self.is_inherited = image.is_some();
            self.program = image;
        }
    }

    /// Adds the program that it runs now, and shortens what is kept of those before, so that a chain of long command
    /// lines stays small.
    pub(crate) fn start_program(&mut self, mut image: Image) {
        image.execs = self.execs();
        let was_inherited = std::mem::replace(&mut self.is_inherited, false);
        let Some(last) = self.program.replace(image).filter(|_| !was_inherited) else { return };
        let past = &mut self.rare().past;
        if past.len() + 1 == Self::IMAGES_MAX {
            past.remove(1);
        }
        past.reserve_exact(1);
        past.push(last);
        if let Some(between) = past.iter_mut().skip(1).next_back()
            && let Some(short) = between.argv.as_ref().and_then(|argv| argv.shortened(Self::PAST_ARGV_MAX))
        {
            between.argv = Some(short);
            between.argv_truncated = true;
        }
    }

    /// The program that it ran at that time, unless that is another than it runs now. One that was forked with its program may
    /// differ from its forker by now.
    fn program_as_of(&mut self, ts_ns: u64) -> Option<&mut Image> {
        let is_older = |image: &Image| image.since_ns().is_none_or(|since_ns| since_ns <= ts_ns);
        let is_of_now = self.is_alive() && ts_ns >= self.key.start_ns && self.image().is_none_or(is_older);
        is_of_now.then(|| self.program.get_or_insert_with(|| Image::new(None, None, None)))
    }

    /// Says of the file that it runs where that was seen to be; whether that is news.
    pub(crate) fn rename_file(&mut self, ts_ns: u64, exe: &Exe, paths: &mut Interner<[u8]>) -> bool {
        let Some(image) = self.program_as_of(ts_ns) else { return false };
        let files = Files::new(paths, Some(exe), image.filename(), image.interp());
        std::mem::replace(&mut image.files, files.clone()) != files
    }

    /// Gives the program that it runs other arguments, as they were seen then; whether they are others.
    pub(crate) fn retitle(&mut self, ts_ns: u64, argv: &Argv, argv_truncated: bool) -> bool {
        let Some(image) = self.program_as_of(ts_ns) else { return false };
        let is_other = image.argv.as_ref() != Some(argv);
        if is_other {
            image.argv = Some(argv.clone());
            image.argv_truncated = argv_truncated;
        }
        is_other
    }

    /// Counts the exec that started its latest program.
    pub(crate) fn count_exec(&mut self) {
        if let Some(image) = self.image_mut() {
            image.execs += 1;
        }
    }

    /// What it occupies by itself, bytes: without its programs' texts and what it has in common with others.
    pub(crate) fn heap_bytes(&self) -> usize {
        let rare = self.rare.as_ref().map_or(0, |rare| {
            let killer = rare.killer.as_ref().map_or(0, |_| heap::block(size_of::<Killer>()));
            heap::block(size_of::<Rare>()) + heap::block(rare.past.capacity() * size_of::<Image>()) + killer
        });
        let vitals = self.vitals().map_or(0, |_| heap::block(size_of::<Vitals>()));
        heap::block(size_of::<Self>()) + vitals + rare
    }

    /// Its latest program, to be completed by what is learnt later.
    pub(crate) fn image_mut(&mut self) -> Option<&mut Image> {
        self.program.as_mut().filter(|_| !self.is_inherited)
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_with(|| {
            Box::new(Rare {
                kernel_parent: None,
                generations_left_out: 0,
                past: Vec::new(),
                killer: None,
                placed_ns: 0,
            })
        })
    }
}

// Tens of thousands of them are kept: a change that makes it longer should be meant.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Process>() == 184);
