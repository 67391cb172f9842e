//! The table of facts: what can be known of a process, each in one row with its name, its unit, what it depends on and the
//! function that reads it. Filters, sorts, columns, completion, exports and documents all read it.
//!
//! The rest of the filter looks into no [`Process`]. Does not know how a fact is drawn.

mod places;
mod rank;
mod read;
mod state;
mod unit;

use std::borrow::Cow;
use std::cell::RefCell;

use rustc_hash::FxHashMap;

use crate::event::ProcKey;
use crate::process::Process;
use crate::text::{Literal, signal_name};
use crate::tree::{Lineage, Sums, Totals, Tree};

pub(crate) use self::places::Places;
pub use self::rank::{Rank, Sort};
pub(crate) use self::read::{argument, beginning, command_line, path, sender, signal, stem, whole};
pub(crate) use self::state::State;
pub use self::unit::Unit;

/// What facts are read from, beside the process.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "holds a closure")]
pub struct Context<'a> {
    /// Where the process stands.
    pub tree: &'a Tree,
    /// Which parents count.
    pub lineage: Lineage,
    /// Now, for the ages of the living: boot-time nanoseconds.
    pub now_ns: u64,
    /// Names of users; empty for an unknown one.
    pub user: &'a dyn Fn(u32) -> &'a str,
    /// Sums over subtrees, as of their latest pass; without them, those facts are not known.
    pub sums: Option<&'a Sums>,
}

/// Reads facts of many processes of a tree that meanwhile stays as it is: a walk to the ancestors is remembered.
#[expect(missing_debug_implementations, reason = "holds a closure")]
pub struct Reader<'c> {
    context: Context<'c>,
    depths: RefCell<FxHashMap<ProcKey, u64>>,
}

impl<'c> Reader<'c> {
    /// Has read nothing yet.
    #[must_use]
    pub fn new(context: Context<'c>) -> Self {
        Self { context, depths: RefCell::default() }
    }

    /// What it reads from.
    #[must_use]
    pub const fn context(&self) -> &Context<'c> {
        &self.context
    }

    /// Levels above a process.
    fn depth(&self, process: &Process) -> u64 {
        if let Some(&depth) = self.depths.borrow().get(&process.key) {
            return depth;
        }
        let mut walked = vec![process.key];
        let mut below = None;
        for ancestor in self.context.tree.ancestors(process.key, self.context.lineage) {
            if let Some(&depth) = self.depths.borrow().get(&ancestor.key) {
                below = Some(depth + 1);
                break;
            }
            walked.push(ancestor.key);
        }
        let mut depth = below.unwrap_or(0);
        let mut depths = self.depths.borrow_mut();
        for key in walked.into_iter().rev() {
            depths.insert(key, depth);
            depth += 1;
        }
        depth - 1
    }

    /// Something summed up over its subtree; of a process that came after the pass, its own.
    fn sum(&self, fact: Fact, process: &Process) -> Option<u64> {
        let sums = self.context.sums?;
        fact.sum(&sums.get(self.context.tree, process.key).unwrap_or_else(|| Totals::of(process)))
    }
}

type Figure = fn(&Reader<'_>, &Process) -> Option<u64>;
type Text = for<'p> fn(&'p Reader<'_>, &'p Process) -> Option<Cow<'p, [u8]>>;
/// Whether a text of a process is the one that was typed, whole or in short.
type Is = fn(&Literal, &[u8]) -> bool;

/// What kind of value a fact has, and how it is read; `None` is what is not known.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Figure(Unit, Figure),
    Text(Text, Is),
    State,
    Flag(fn(&Process) -> bool),
    Signal,
    /// Only asked for by filters: whether a process is in the subtree of another.
    Subtree,
}

/// The value of a fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'p> {
    /// So many of the unit.
    Figure(Unit, u64),
    /// Bytes of the process's own or of its surroundings: not to be trusted.
    Text(Cow<'p, [u8]>),
    /// A word of ours.
    Word(Cow<'static, str>),
    /// Whether it is so.
    Flag(bool),
}

/// What can change a fact, beside news of the process itself (its [`Delta`](crate::Delta)s `Added`, `Changed`, `Moved` and
/// `Ended`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depends {
    /// What it uses, measured anew: [`Delta::Measured`](crate::Delta::Measured).
    pub measured: bool,
    /// What it uses per second among that, which is known only over some time.
    pub share: bool,
    /// Time that passes.
    pub time: bool,
    /// Other processes: ancestors, children. Then the other two concern those as well.
    pub place: bool,
    /// Names of users, which may come after the processes.
    pub names: bool,
    /// The sums over subtrees, when they are taken anew.
    pub sums: bool,
}

impl Depends {
    pub(crate) const fn or(self, other: Self) -> Self {
        Self {
            measured: self.measured || other.measured,
            share: self.share || other.share,
            time: self.time || other.time,
            place: self.place || other.place,
            names: self.names || other.names,
            sums: self.sums || other.sums,
        }
    }
}

const CONSTANT: Depends =
    Depends { measured: false, share: false, time: false, place: false, names: false, sums: false };
const MEASURED: Depends = Depends { measured: true, ..CONSTANT };
const SHARED: Depends = Depends { share: true, ..MEASURED };
const TIMED: Depends = Depends { time: true, ..CONSTANT };
const PLACED: Depends = Depends { place: true, ..CONSTANT };
const NAMED: Depends = Depends { names: true, ..CONSTANT };
const SUMMED: Depends = Depends { sums: true, ..CONSTANT };
const SUMMED_SHARE: Depends = Depends { share: true, ..SUMMED };

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The fact.
    pub fact: Fact,
    /// Its one name: in filters, configuration, CSV and documents.
    pub name: &'static str,
    /// What it is called in JSON, with its unit, as in the lines of the stream.
    pub key: &'static str,
    /// Other names for it in filters: those of `ps`, of headings, of older releases.
    pub synonyms: &'static [&'static str],
    /// What it tells, in one line.
    pub about: &'static str,
    /// A filter that uses it.
    pub example: &'static str,
    pub(crate) kind: Kind,
    depends: Depends,
}

impl Spec {
    /// The operator that its example has.
    #[must_use]
    pub fn usual_operator(&self) -> &'static str {
        let rest = &self.example[self.name.len()..];
        &rest[..rest.len() - rest.trim_start_matches(['=', '!', '<', '>', '~']).len()]
    }
}

macro_rules! facts {
    ($($variant:ident $name:literal $key:literal [$($synonym:literal)*] $kind:expr, $depends:ident, $about:literal, $example:literal;)+) => {
        /// Something that can be known of a process.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Fact {
            $(#[doc = $about] $variant,)+
        }

        /// The table, in the order of the documents.
        pub const FACTS: &[Spec] = &[$(Spec {
            fact: Fact::$variant,
            name: $name,
            key: $key,
            synonyms: &[$($synonym,)*],
            about: $about,
            example: $example,
            kind: $kind,
            depends: $depends,
        },)+];
    };
}

/// Things that are counted.
const fn count(read: Figure) -> Kind {
    Kind::Figure(Unit::Count, read)
}

/// A number that names something.
const fn id(read: Figure) -> Kind {
    Kind::Figure(Unit::Id, read)
}

const fn time(read: Figure) -> Kind {
    Kind::Figure(Unit::Time, read)
}

const fn instant(read: Figure) -> Kind {
    Kind::Figure(Unit::Instant, read)
}

const fn bytes(read: Figure) -> Kind {
    Kind::Figure(Unit::Bytes, read)
}

const fn share(read: Figure) -> Kind {
    Kind::Figure(Unit::Share, read)
}

facts! {
    Pid "pid" "pid" [] id(|_, p| Some(p.key.pid.into())), CONSTANT, "process id", "pid=1234";
    ParentPid "ppid" "ppid" ["parent"] id(read::ppid), CONSTANT, "parent's process id, by the lineage shown", "ppid=1";
    User "user" "user" ["owner" "username"] Kind::Text(read::user, whole), NAMED, "effective user's name", "user=root";
    Uid "uid" "uid" [] id(|_, p| Some(p.creds().uid.into())), CONSTANT, "effective user's number", "uid>=1000";
    Gid "gid" "gid" ["group"] id(|_, p| Some(p.creds().gid.into())), CONSTANT, "effective group's number", "gid=0";
    RealUid "ruid" "ruid" [] id(|_, p| Some(p.creds().ruid.into())), CONSTANT, "real user's number", "ruid=1000";
    RealGid "rgid" "rgid" [] id(|_, p| Some(p.creds().rgid.into())), CONSTANT, "real group's number", "rgid=1000";
    Name "comm" "comm" ["name" "process" "proc"] Kind::Text(read::comm, whole), CONSTANT, "name", "comm=make";
    Exe "exe" "exe" ["program" "path" "file"] Kind::Text(read::exe, path), CONSTANT,
        "program's path, or the end of it", "exe=/usr/bin/cc";
    Filename "filename" "filename" [] Kind::Text(read::filename, path), CONSTANT,
        "program's path as typed; a script's own", "filename=./configure";
    Interp "interp" "interp" ["interpreter" "shebang"] Kind::Text(read::interp, path), CONSTANT,
        "interpreter that a script names", "interp=/bin/sh";
    Deleted "deleted" "exe_deleted" ["unlinked"] Kind::Flag(read::is_deleted), CONSTANT,
        "its program's file was deleted: yes, no", "deleted=yes";
    Memfd "memfd" "exe_memfd" [] Kind::Flag(read::is_memfd), CONSTANT, "its program is in memory alone: yes, no", "memfd=yes";
    Argv "argv" "argv" ["command" "cmd" "cmdline" "args" "arguments"] Kind::Text(read::argv, argument), CONSTANT,
        "command line; = also one argument", "argv=--verbose";
    Cgroup "cgroup" "cgroup" [] Kind::Text(read::cgroup, whole), CONSTANT, "cgroup's path", "cgroup~^/system";
    CgroupId "cgroup-id" "cgroup_id" [] id(|_, p| p.cgroup_id()), CONSTANT, "cgroup's number", "cgroup-id=1";
    Container "container" "container" [] Kind::Text(read::container, beginning), CONSTANT,
        "container's id, or how it begins", "container~.";
    Unit "unit" "unit" ["service"] Kind::Text(read::unit, stem), CONSTANT, "systemd unit, with or without .service", "unit=cron";
    State "state" "state" ["status" "stat"] Kind::State, MEASURED, "run state, or how it ended: running, failed ...", "state=failed";
    Code "code" "code" ["exit" "exitcode" "exit-code"] id(read::code), CONSTANT, "exit code", "code!=0";
    Signal "signal" "signal" ["sig"] Kind::Signal, CONSTANT, "signal that killed it", "signal=KILL";
    Core "core" "core" ["dumped"] Kind::Flag(read::is_core), CONSTANT, "that signal dumped core: yes, no", "core=yes";
    OutOfMemory "oom" "oom" [] Kind::Flag(Process::is_out_of_memory), CONSTANT, "killed for lack of memory: yes, no", "oom=yes";
    Killer "killer" "killer" [] Kind::Text(read::killer, sender), CONSTANT,
        "who or what sent the signal that ended it", "killer=cron.sh";
    Inferred "inferred" "inferred" ["unseen"] Kind::Flag(read::is_inferred), CONSTANT,
        "its end was not seen: yes, no", "inferred=yes";
    Start "start" "start_ns" ["started"] instant(|_, p| Some(p.key.start_ns)), TIMED,
        "when it started", "start>'10m ago'";
    End "end" "end_ns" ["ended"] instant(read::end), TIMED, "when it ended", "end>'10m ago'";
    Lifetime "lifetime" "lifetime_ns" ["age" "elapsed" "etime" "life"] time(read::lifetime), TIMED,
        "how long it has lived, or lived", "lifetime<10ms";
    Cpu "cpu" "cpu_share" ["pcpu"] share(read::cpu), SHARED, "share of one CPU; its column: of the dead, CPU time", "cpu>50%";
    Time "time" "cpu_ns" ["cputime" "cpu-time"] time(read::time), MEASURED, "CPU time", "time>=1m30s";
    UserTime "user-time" "user_ns" ["utime"] time(read::user_time), MEASURED, "CPU time in user mode", "user-time>10s";
    SystemTime "system-time" "system_ns" ["stime"] time(read::system_time), MEASURED, "CPU time in the kernel", "system-time>10s";
    RunDelay "run-delay" "run_delay_ns" ["wait"] time(read::run_delay), MEASURED, "time spent waiting for a CPU", "run-delay>1s";
    Rss "rss" "rss_bytes" ["mem" "memory" "res"] bytes(read::rss), MEASURED, "memory in use; of the dead, its peak", "rss>100MiB";
    Peak "peak" "max_rss_bytes" ["maxrss"] bytes(read::peak), CONSTANT, "peak of memory in use; known of the dead", "peak>1GiB";
    Read "read" "read_bytes" [] bytes(read::bytes_read), MEASURED, "bytes that it has read from storage", "read>1GiB";
    Written "written" "write_bytes" ["write"] bytes(read::written), MEASURED, "bytes that it has written to storage", "written>1GiB";
    ReadRate "read-rate" "read_bytes_per_s" [] bytes(read::read_rate), SHARED, "bytes read per second; of the living", "read-rate>1MiB";
    WriteRate "write-rate" "write_bytes_per_s" [] bytes(read::write_rate), SHARED,
        "bytes written per second; of the living", "write-rate>1MiB";
    MinorFaults "minor-faults" "minor_faults" ["minflt"] count(read::minor_faults), CONSTANT,
        "page faults without I/O; known of the dead", "minor-faults>10k";
    MajorFaults "major-faults" "major_faults" ["majflt"] count(read::major_faults), CONSTANT,
        "page faults with I/O; known of the dead", "major-faults>0";
    Depth "depth" "depth" ["level"] count(|reader, p| Some(reader.depth(p))), PLACED, "levels above it in the tree", "depth>5";
    Children "children" "children" [] count(read::children), PLACED, "children in the tree", "children>100";
    Spawned "spawned" "spawned" ["forks"] count(|_, p| Some(p.spawned.into())), PLACED, "children that it has forked", "spawned>100";
    Execs "execs" "execs" [] count(read::execs), CONSTANT, "programs that it has started; 2+: seen since it was found", "execs>=3";
    Threads "threads" "threads" ["nlwp"] count(read::threads), MEASURED, "threads; of the living", "threads>=8";
    ThreadsBegun "threads-begun" "threads_begun" [] count(read::threads_begun), MEASURED, "threads that it has had", "threads-begun>100";
    ThreadsMost "threads-most" "threads_most" [] count(read::threads_most), CONSTANT,
        "threads at once at most; known of the dead", "threads-most>8";
    Session "sid" "sid" ["session" "sess"] id(|_, p| Some(p.session().sid?.into())), CONSTANT,
        "session, by the pid that began it", "sid=1234";
    ProcessGroup "pgid" "pgid" ["pgrp"] id(|_, p| Some(p.session().pgid?.into())), CONSTANT,
        "process group, by the pid that began it", "pgid=1234";
    Terminal "tty" "tty" ["tt" "tname" "terminal"] Kind::Text(read::tty, whole), CONSTANT, "terminal; ? for none", "tty=pts/3";
    Nice "nice" "nice" ["ni"] Kind::Figure(Unit::Signed, read::nice), CONSTANT, "nice value", "nice>0";
    Login "login" "login" [] Kind::Text(read::login, whole), NAMED, "who logged in, whoever it runs as since", "login=root";
    LoginUid "login-uid" "login_uid" ["luid" "loginuid" "auid"] id(|_, p| Some(p.session().login_uid?.into())), CONSTANT,
        "number of who logged in", "login-uid=1000";
    AuditSession "audit-session" "audit_session" ["sessionid" "lsession"] id(|_, p| Some(p.session().audit_session?.into())), CONSTANT,
        "number of that login, by audit", "audit-session=3";
    Kernel "kernel" "kernel" ["kthread"] Kind::Flag(Process::is_kernel), CONSTANT, "whether it is of the kernel: yes, no", "kernel=yes";
    PidNamespace "pid-ns" "pid_ns" ["pidns"] id(|_, p| Some(p.pid_ns()?.into())), CONSTANT,
        "pid namespace, by its inode number", "pid-ns!=4026531836";
    InnerPid "ns-pid" "ns_pid" ["nspid"] id(|_, p| Some(p.ns_pid()?.into())), CONSTANT, "its pid in that namespace", "ns-pid=1";
    Tree "tree" "tree" ["subtree"] Kind::Subtree, PLACED, "the process with this pid and all below it", "tree=1234";
    TreeAlive "tree-alive" "tree_alive" [] count(|reader, p| reader.sum(Fact::TreeAlive, p)), SUMMED,
        "subtree: how many live, itself too", "tree-alive>10";
    TreeFailed "tree-failed" "tree_failed" [] count(|reader, p| reader.sum(Fact::TreeFailed, p)), SUMMED,
        "subtree: how many have failed", "tree-failed>0";
    TreeSpawned "tree-spawned" "tree_spawned" [] count(|reader, p| reader.sum(Fact::TreeSpawned, p)), SUMMED,
        "subtree: how many were forked in it", "tree-spawned>100";
    TreeCpu "tree-cpu" "tree_cpu_share" [] share(|reader, p| reader.sum(Fact::TreeCpu, p)), SUMMED_SHARE,
        "subtree: share of one CPU of all that live", "tree-cpu>50%";
    TreeTime "tree-time" "tree_cpu_ns" [] time(|reader, p| reader.sum(Fact::TreeTime, p)), SUMMED,
        "subtree: CPU time of the living and the dead", "tree-time>1m";
    TreeRss "tree-rss" "tree_rss_bytes" [] bytes(|reader, p| reader.sum(Fact::TreeRss, p)), SUMMED,
        "subtree: memory in use, each for itself", "tree-rss>100MiB";
    TreeRead "tree-read" "tree_read_bytes" [] bytes(|reader, p| reader.sum(Fact::TreeRead, p)), SUMMED,
        "subtree: bytes read from storage", "tree-read>1GiB";
    TreeWritten "tree-written" "tree_write_bytes" [] bytes(|reader, p| reader.sum(Fact::TreeWritten, p)), SUMMED,
        "subtree: bytes written to storage", "tree-written>1GiB";
}

impl Fact {
    /// Its row in the table.
    #[must_use]
    pub const fn spec(self) -> &'static Spec {
        &FACTS[self as usize]
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.spec().name
    }

    /// The fact of a name or of one of its synonyms, in letters of either case, with hyphens or underscores in it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let plain = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
        let is = |own: &str| own.bytes().eq(name.bytes().map(plain));
        let called = |spec: &&Spec| is(spec.name) || spec.synonyms.iter().any(|synonym| is(synonym));
        FACTS.iter().find(called).map(|spec| spec.fact)
    }

    /// What it depends on.
    #[must_use]
    pub const fn depends(self) -> Depends {
        self.spec().depends
    }

    /// Whether it is summed up over the subtree.
    #[must_use]
    pub const fn is_sum(self) -> bool {
        self.depends().sums
    }

    /// Whether it has a value that can be shown; if not, filters alone ask for it.
    #[must_use]
    pub const fn is_shown(self) -> bool {
        !matches!(self.spec().kind, Kind::Subtree)
    }

    /// What its figures count; of a fact that is no figure, nothing.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self.spec().kind {
            Kind::Figure(unit, _) => unit,
            Kind::Text(..) | Kind::State | Kind::Flag(_) | Kind::Signal | Kind::Subtree => Unit::Id,
        }
    }

    /// Whether it is known of who sent a signal, whatever has become of that process.
    pub(crate) const fn is_of_sender(self) -> bool {
        matches!(self, Self::Pid | Self::User | Self::Uid | Self::Name)
    }

    /// Reads it of a process; `None` where it is not known, or there is none.
    #[must_use]
    pub fn read<'p>(self, reader: &'p Reader<'_>, process: &'p Process) -> Option<Value<'p>> {
        Some(match self.spec().kind {
            Kind::Figure(unit, read) => Value::Figure(unit, read(reader, process)?),
            Kind::Text(read, _) => Value::Text(read(reader, process)?),
            Kind::State => Value::Word(State::of(process)?.name().into()),
            Kind::Flag(read) => Value::Flag(read(process)),
            Kind::Signal => Value::Word(signal_name(signal(process)?)),
            Kind::Subtree => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_fact_is_named_once_and_found_by_its_names() {
        let (mut names, mut keys) = (HashSet::new(), HashSet::new());
        for (at, spec) in FACTS.iter().enumerate() {
            assert_eq!((spec.fact as usize, Fact::named(spec.name)), (at, Some(spec.fact)));
            for name in spec.synonyms.iter().chain([&spec.name]) {
                assert!(names.insert(*name), "{name}");
                assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
                assert_eq!(Fact::named(&name.to_uppercase().replace('-', "_")), Some(spec.fact));
            }
            assert!(spec.example.starts_with(spec.name), "{}", spec.name);
            assert!(
                keys.insert(spec.key) && spec.key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{}",
                spec.key
            );
            let suffix = match spec.fact.unit() {
                Unit::Time | Unit::Instant => "_ns",
                Unit::Bytes if spec.depends.share => "_bytes_per_s",
                Unit::Bytes => "_bytes",
                Unit::Share => "_share",
                Unit::Count | Unit::Id | Unit::Signed => "",
            };
            assert!(spec.key.ends_with(suffix), "{}", spec.key);
            assert_eq!(spec.about.starts_with("subtree: "), spec.fact.is_sum(), "{}", spec.name);
        }
        assert_eq!(Fact::named("frob"), None);
    }
}
