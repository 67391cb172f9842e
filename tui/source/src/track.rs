//! Keeps account of who is alive, so that passes over all tasks can be turned into events: what was running before us,
//! what changed without a hook (parent, credentials, name), and, after a loss, what was missed.
//!
//! Pure: records and rows go in, events come out. Does not know maps, files or clocks, and keeps of the dead only that they
//! have ended.

mod cgroups;
mod ends;
mod zombies;

use std::collections::hash_map::Entry;
use std::hash::{BuildHasher as _, Hash};

use ptree_core::event::{Creds, Exe, Execed, Exited, Forked, Found, Task, Usage, Zombie};
use ptree_core::{Argv, Comm, Event, ExitStatus, ProcKey, Session};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

pub use self::cgroups::Unplaced;
use self::cgroups::{Cgroups, Place};
use self::ends::Ends;
use self::zombies::Zombies;
use crate::decode::{Ending, Record, Row, Sampled};
use crate::titles::Title;

/// What is known of a living process, to be compared with the next pass.
#[derive(Debug)]
struct Known {
    start_ns: u64,
    parent: ProcKey,
    creds: Creds,
    comm: Comm,
    session: Session,
    /// How its CPU time was last told to be divided.
    divided: Sampled,
    /// When it was last heard of: older rows say nothing new.
    heard_ns: u64,
    /// The last pass that saw it.
    pass: u64,
    /// The last pass did not find it alive, though no end was reported: if the next does not either, it has ended.
    suspect: bool,
    /// The last pass found it ending, with this status: its record is under way or was lost.
    ending: Option<ExitStatus>,
    /// Found as a zombie: its end may yet be reported.
    zombie: bool,
    /// Its fork has been reported.
    forked: bool,
    /// Which exec was reported last; 0 when that is not told.
    exec_id: u32,
    /// Hash of the arguments that were last told, where any were, and when they were as told.
    argv: Option<u64>,
    argv_ns: u64,
    /// Hash of the file that it was last told to run, where one was.
    exe: Option<u64>,
    /// Its pid namespace, and its pid therein.
    pid_ns: Option<u32>,
    ns_pid: Option<u32>,
    place: Place,
}

/// The account.
#[derive(Debug)]
pub struct Tracker {
    live: FxHashMap<u32, Known>,
    /// Seen by the last pass, but no fork reported yet: if the next pass sees them too, their fork was lost.
    unconfirmed: FxHashSet<ProcKey>,
    /// Whose exit record has come. Rows may still show them, even alive when the record came while the pass ran; and a
    /// record may come twice: before 6.16 two threads ending at once may both be taken for the last.
    ends: Ends,
    zombies: Zombies,
    pass: u64,
    /// Everything that starts from here on is captured whole.
    capture_ns: u64,
    /// Whether a pass shows every process there is; otherwise absence from it proves nothing.
    sees_all: bool,
    /// Whether the record of an end may be written long after a pass shows it.
    ends_may_be_late: bool,
    page_size: u64,
    cgroups: Cgroups,
}

impl Tracker {
    /// An empty account. `capture_ns` is a moment at which all hooks were attached; `sees_all` says whether passes show
    /// every process (they show the reader's pid namespace only).
    #[must_use]
    pub fn new(capture_ns: u64, sees_all: bool, page_size: u64) -> Self {
        Self {
            live: FxHashMap::default(),
            unconfirmed: FxHashSet::default(),
            ends: Ends::default(),
            zombies: Zombies::default(),
            pass: 0,
            capture_ns,
            sees_all,
            ends_may_be_late: false,
            page_size,
            cgroups: Cgroups::default(),
        }
    }

    /// The record of an end may be written long after a pass shows it: before 6.16, when the memory has been taken apart.
    pub const fn expect_late_ends(&mut self) {
        self.ends_may_be_late = true;
    }

    /// Whether this process is alive as far as is known.
    #[must_use]
    pub fn is_alive(&self, key: ProcKey) -> bool {
        self.live.get(&key.pid).is_some_and(|known| known.start_ns == key.start_ns && !known.zombie)
    }

    /// These arguments and this file, as /proc shows them, were read of a process at that time and are going to be told.
    pub fn note_details(&mut self, key: ProcKey, ts_ns: u64, argv: Option<&Argv>, exe: Option<&Exe>) {
        if let Some(known) = self.live.get_mut(&key.pid).filter(|known| known.is(key)) {
            if let Some(argv) = argv {
                (known.argv, known.argv_ns) = (Some(hash(argv)), ts_ns);
            }
            known.exe = exe.map(hash).or(known.exe);
        }
    }

    /// Takes what /proc shows as the arguments of a process: if they are others than it was last told with, it has set
    /// itself a title; if the file is another, that was deleted, renamed, or not known. Call when every record that was written before they were read has been taken.
    pub fn title(&mut self, title: Title, out: &mut Vec<Event>) {
        let Title { ts_ns, key, argv, argv_truncated, exe } = title;
        let Some(known) = self.live.get_mut(&key.pid).filter(|known| known.is(key) && !known.zombie) else { return };
        if let Some(exe) = exe.filter(|exe| known.argv_ns < ts_ns && known.exe != Some(hash(exe))) {
            known.exe = Some(hash(&exe));
            out.push(Event::Exe { ts_ns, key, exe });
        }
        let Some(argv) = argv else { return };
        let hash = Some(hash(&argv));
        // What came since the read is newer.
        if known.argv_ns >= ts_ns || known.argv == hash {
            return;
        }
        (known.argv, known.argv_ns) = (hash, ts_ns);
        // What was longer before was written over: then what is empty behind it is no argument.
        let argv = argv.without_padding().unwrap_or(argv);
        out.push(Event::Title { ts_ns, key, argv, argv_truncated });
    }

    /// Whether this row is of one that is new or has taken another name since it was last heard of.
    #[must_use]
    pub fn is_changed(&self, task: &Task) -> bool {
        self.live.get(&task.key.pid).is_none_or(|known| !known.is(task.key) || known.comm != task.comm)
    }

    /// Takes the first pass: all that is running already.
    pub fn seed(&mut self, rows: Vec<Row>, out: &mut Vec<Event>) {
        for row in rows {
            // If its exit hook ran before the capture began, nothing else will say that it has ended.
            out.push(Event::Process(found(&row, false)));
            self.insert(&row.task, row.ts_ns, row.ending.is_some());
            if row.ending.is_none() {
                out.push(self.usage(&row));
            } else {
                self.zombies.insert(row.task.key);
            }
        }
    }

    /// Takes a record of a hook.
    pub fn record(&mut self, record: Record, out: &mut Vec<Event>) {
        match record {
            Record::Fork(fork) => self.fork(fork, out),
            Record::Exec { exec, exec_id } => self.exec(exec, exec_id, out),
            Record::Exit { exit, sampled, .. } => self.exit(exit, sampled, out),
            Record::Cgroup(cgroup) => self.cgroup(cgroup, out),
            // Rows come through `seed` and `finish_pass`.
            Record::Row(_) | Record::Thread { .. } => {}
        }
    }

    /// Call before a pass begins, with all earlier records taken.
    pub fn begin_pass(&mut self) {
        self.ends.begin_pass();
    }

    /// The pass that was begun has failed.
    pub const fn pass_failed(&mut self) {
        self.ends.pass_failed();
    }

    /// Takes the rows of a pass that began at `started_ns`. Call when every record that was written before the end of
    /// the pass has been taken, since those explain most differences. `after_loss` says that records are known to be
    /// missing; without that, a difference must be seen twice to count. `is_there` is asked about those that the pass
    /// did not show, before they are held for dead.
    pub fn finish_pass(
        &mut self,
        rows: Vec<Row>,
        started_ns: u64,
        after_loss: bool,
        is_there: impl Fn(ProcKey) -> bool,
        out: &mut Vec<Event>,
    ) {
        self.pass += 1;
        self.ends.finish_pass(rows.iter().map(|row| row.task.key));
        let mut unconfirmed = FxHashSet::default();
        for row in &rows {
            let key = row.task.key;
            if self.ends.contains(key) {
                continue;
            }
            match self.live.get_mut(&key.pid) {
                Some(known) if known.start_ns == key.start_ns => {
                    known.pass = self.pass;
                    if known.zombie {
                        continue;
                    }
                    if let Some(ending) = row.ending {
                        self.ending(row, ending, after_loss, out);
                    } else {
                        (known.suspect, known.ending) = (false, None);
                        if row.ts_ns > known.heard_ns {
                            known.compare(&row.task, row.ts_ns, out);
                            self.place(&row.task, row.ts_ns, out);
                        }
                        out.push(self.usage(row));
                    }
                }
                // The pid has passed on since the row was written.
                Some(known) if known.start_ns > key.start_ns => {}
                // All that could be told of it was lost, and it is there for good.
                _ if row.ending.is_some_and(|ending| ending.over) && self.unconfirmed.contains(&key) => {
                    self.displace(key, row.ts_ns, out);
                    out.push(Event::Process(found(row, true)));
                    self.zombies.insert(key);
                    self.insert(&row.task, row.ts_ns, true);
                }
                _ if row.ending.is_some_and(|ending| ending.over) => {
                    unconfirmed.insert(key);
                }
                // Nobody else begins by ending: either its end has been told, or it is not worth the telling.
                _ if row.ending.is_some() => {}
                _ if after_loss || self.unconfirmed.contains(&key) => {
                    self.displace(key, row.ts_ns, out);
                    out.push(Event::Process(found(row, true)));
                    self.insert(&row.task, row.ts_ns, false);
                    out.push(self.usage(row));
                }
                _ => {
                    unconfirmed.insert(key);
                }
            }
        }
        self.unconfirmed = unconfirmed;
        let is_zombie = |row: &&Row| {
            let key = row.task.key;
            row.ending.is_some_and(|ending| ending.over || self.zombies.contains(key)) && self.has_ended(key)
        };
        let zombies = rows.iter().filter(is_zombie).map(|row| row.task.key).collect();
        self.zombies.finish_pass(started_ns, zombies, out);
        if self.sees_all {
            self.end_missing(started_ns, after_loss, is_there, out);
        }
    }

    /// Whether its end has been told, be it by its record or because a pass showed it.
    fn has_ended(&self, key: ProcKey) -> bool {
        self.ends.contains(key) || self.live.get(&key.pid).is_some_and(|known| known.is(key) && known.zombie)
    }

    /// Ends those that the pass should have seen, but did not.
    fn end_missing(
        &mut self,
        started_ns: u64,
        after_loss: bool,
        is_there: impl Fn(ProcKey) -> bool,
        out: &mut Vec<Event>,
    ) {
        let pass = self.pass;
        let mut gone = Vec::new();
        for (&pid, known) in &mut self.live {
            if known.pass == pass || known.heard_ns >= started_ns || known.start_ns >= started_ns {
                continue;
            }
            if after_loss || known.suspect || known.ending.is_some() || known.zombie {
                let key = ProcKey::new(pid, known.start_ns);
                if known.zombie || !is_there(key) {
                    gone.push(key);
                }
            } else {
                known.suspect = true;
            }
        }
        // A hash map's order is not the reader's business.
        gone.sort_unstable_by_key(|key| (key.start_ns, key.pid));
        for key in gone {
            // A zombie has been reported as ended when it was found.
            if let Some(known) = self.live.remove(&key.pid).filter(|known| !known.zombie) {
                out.push(known.unseen_end(key, started_ns));
            }
        }
    }

    /// A row shows as ending, or as ended, what is alive in the account: its record is still on its way, or was lost. A
    /// zombie's is not on its way any more, since rows are taken after the records that were written before them; any
    /// other's must stay away for another pass. Where records may be late, it may yet come, however long it takes.
    fn ending(&mut self, row: &Row, Ending { status, over }: Ending, after_loss: bool, out: &mut Vec<Event>) {
        let key = row.task.key;
        let Some(known) = self.live.get_mut(&key.pid) else { return };
        let seen_before = known.ending.replace(status).is_some();
        let may_yet_come = self.ends_may_be_late && !over;
        if may_yet_come || !(seen_before || after_loss && over) {
            return;
        }
        known.zombie = true;
        known.compare(&row.task, row.ts_ns, out);
        out.push(Event::Exit(Exited {
            ts_ns: row.ts_ns,
            task: Some(Task { threads: 0, ..row.task.clone() }),
            key,
            status,
            cost: None,
            killer: None,
        }));
    }

    fn fork(&mut self, fork: Forked, out: &mut Vec<Event>) {
        let key = fork.task.key;
        if self.live.get(&key.pid).is_some_and(|known| known.is(key) && known.forked) {
            return;
        }
        if !self.is_past(key) {
            self.displace(key, fork.ts_ns, out);
            let forker = self.live.get(&fork.forker.pid).filter(|known| known.is(fork.forker));
            let (argv, exe) = forker.map_or((None, None), |known| (known.argv, known.exe));
            let (place, moved) = self.born(&fork);
            let known = self.insert(&fork.task, fork.ts_ns, false);
            known.forked = true;
            (known.argv, known.exe) = (argv, exe);
            known.place = place;
            out.push(Event::Fork(fork));
            out.extend(moved);
            return;
        }
        out.push(Event::Fork(fork));
    }

    /// Whether it has ended, so that records of it are passed on as they are: its exit record has overtaken them, or a
    /// younger process has its pid by now, which the first pass saw while these records were still in the ring buffer.
    fn is_past(&self, key: ProcKey) -> bool {
        self.ends.contains(key) || self.live.get(&key.pid).is_some_and(|known| known.start_ns > key.start_ns)
    }

    fn exec(&mut self, exec: Execed, exec_id: u32, out: &mut Vec<Event>) {
        if !self.ensure_known(&exec.task, exec.ts_ns, out) {
            return;
        }
        self.place(&exec.task, exec.ts_ns, out);
        if let Some(known) = self.live.get_mut(&exec.task.key.pid).filter(|known| known.is(exec.task.key)) {
            if exec_id != 0 && known.exec_id == exec_id {
                return;
            }
            known.exec_id = exec_id;
            (known.argv, known.argv_ns) = (exec.argv.as_ref().map(hash), exec.ts_ns);
            known.exe = exec.exe.as_ref().map(hash);
            // Name, credentials and what it belongs to are in the event itself.
            known.comm = exec.task.comm;
            known.creds = exec.task.creds;
            known.session = exec.task.session;
            known.compare(&exec.task, exec.ts_ns, out);
        }
        out.push(Event::Exec(exec));
    }

    fn exit(&mut self, mut exit: Exited, sampled: Option<Sampled>, out: &mut Vec<Event>) {
        let Some(task) = &exit.task else { return };
        if self.ends.contains(exit.key) || !self.ensure_known(task, exit.ts_ns, out) {
            return;
        }
        self.place(task, exit.ts_ns, out);
        let mut divided = Sampled::default();
        if let Entry::Occupied(mut known) = self.live.entry(exit.key.pid)
            && known.get().is(exit.key)
        {
            // What it belongs to is in the event itself.
            known.get_mut().session = task.session;
            known.get_mut().compare(task, exit.ts_ns, out);
            divided = known.remove().divided;
        }
        if let Some(cost) = &mut exit.cost {
            cost.user_ns = sampled.map(|sampled| sampled.user_ns_of(cost.cpu_ns, divided));
        }
        self.ends.insert(exit.key);
        out.push(Event::Exit(exit));
    }

    /// Makes sure that the process of an exec or exit is in the account. Its fork was lost if it is not; unless it
    /// started before the capture and was gone before the first pass: then it is none of ours, and `false`.
    fn ensure_known(&mut self, task: &Task, ts_ns: u64, out: &mut Vec<Event>) -> bool {
        if self.live.get(&task.key.pid).is_some_and(|known| known.start_ns == task.key.start_ns) {
            return true;
        }
        if task.key.start_ns < self.capture_ns {
            return false;
        }
        if self.is_past(task.key) {
            return true;
        }
        self.displace(task.key, ts_ns, out);
        out.push(Event::Process(Found {
            ts_ns,
            task: task.clone(),
            argv: None,
            argv_truncated: false,
            exe: None,
            cgroup: None,
            exited: None,
            repaired: true,
        }));
        self.insert(task, ts_ns, false);
        true
    }

    /// Whoever else had this pid has ended unseen.
    fn displace(&mut self, key: ProcKey, ts_ns: u64, out: &mut Vec<Event>) {
        if self.live.get(&key.pid).is_some_and(|known| known.start_ns != key.start_ns)
            && let Some(known) = self.live.remove(&key.pid)
            && !known.zombie
        {
            out.push(known.unseen_end(ProcKey::new(key.pid, known.start_ns), ts_ns));
        }
    }

    fn insert(&mut self, task: &Task, heard_ns: u64, zombie: bool) -> &mut Known {
        let known = Known {
            start_ns: task.key.start_ns,
            parent: task.parent,
            creds: task.creds,
            comm: task.comm,
            session: task.session,
            divided: Sampled::default(),
            heard_ns,
            pass: self.pass,
            suspect: false,
            ending: None,
            zombie,
            forked: false,
            exec_id: 0,
            argv: None,
            argv_ns: 0,
            exe: None,
            pid_ns: task.pid_ns,
            ns_pid: task.ns_pid,
            place: Place::of(task),
        };
        self.live.entry(task.key.pid).insert_entry(known).into_mut()
    }

    fn usage(&mut self, row: &Row) -> Event {
        let cpu_ns = row.cpu.cpu_ns;
        let user_ns = row.sampled.map(|sampled| {
            let known = self.live.get_mut(&row.task.key.pid).filter(|known| known.is(row.task.key));
            let mut first = Sampled::default();
            let divided = known.map_or(&mut first, |known| &mut known.divided);
            let user_ns = sampled.user_ns_of(cpu_ns, *divided);
            *divided = Sampled { user_ns, system_ns: cpu_ns - user_ns };
            user_ns
        });
        Event::Usage(Usage {
            ts_ns: row.ts_ns,
            key: row.task.key,
            cpu_ns,
            user_ns,
            run_delay_ns: row.run_delay_ns,
            rss_bytes: row.rss_pages.map(|pages| pages.saturating_mul(self.page_size)),
            read_bytes: row.io.read_bytes,
            write_bytes: row.io.write_bytes,
            threads_begun: row.threads_begun,
            threads: row.task.threads,
            state: row.state,
        })
    }
}

impl Known {
    const fn is(&self, key: ProcKey) -> bool {
        self.start_ns == key.start_ns
    }

    /// It has ended, and nobody saw it: how, only the last pass can tell.
    fn unseen_end(&self, key: ProcKey, ts_ns: u64) -> Event {
        let status = self.ending.unwrap_or(ExitStatus::Unknown);
        Event::Exit(Exited { ts_ns, task: None, key, status, cost: None, killer: None })
    }

    /// Reports what has changed without a hook, and takes it over.
    fn compare(&mut self, task: &Task, ts_ns: u64, out: &mut Vec<Event>) {
        let key = task.key;
        self.heard_ns = ts_ns;
        if self.parent != task.parent {
            self.parent = task.parent;
            out.push(Event::Parent { ts_ns, key, parent: task.parent });
        }
        if self.creds != task.creds {
            self.creds = task.creds;
            out.push(Event::Creds { ts_ns, key, creds: task.creds });
        }
        // What /proc does not show, a hook may have told.
        let session = task.session.or(self.session);
        if self.session != session {
            self.session = session;
            out.push(Event::Session { ts_ns, key, session });
        }
        if self.comm != task.comm {
            self.comm = task.comm;
            out.push(Event::Comm { ts_ns, key, comm: task.comm });
        }
    }
}

fn hash(what: &impl Hash) -> u64 {
    FxBuildHasher.hash_one(what)
}

/// A row as a process found running.
#[must_use]
pub fn found(row: &Row, repaired: bool) -> Found {
    Found {
        ts_ns: row.ts_ns,
        task: row.task.clone(),
        argv: None,
        argv_truncated: false,
        exe: None,
        cgroup: None,
        exited: row.ending.map(|ending| Zombie {
            status: ending.status,
            cpu_ns: row.cpu.cpu_ns,
            user_ns: row.sampled.map(|sampled| sampled.user_ns_of(row.cpu.cpu_ns, Sampled::default())),
            run_delay_ns: row.run_delay_ns,
        }),
        repaired,
    }
}

#[cfg(test)]
mod tests;
