//! What decides which rows there are and in what order: lineage, filter, switches, sort, folds.
//!
//! Does not know the tree's shape nor the rows themselves.

use rustc_hash::FxHashSet;

use super::RowId;
use crate::event::ProcKey;
use crate::filter::Filter;
use crate::process::{Lifecycle, Process};
use crate::tree::{Lineage, Totals};

/// How a tree is looked at.
#[derive(Clone, Debug)]
pub struct Look {
    /// Which parent counts.
    pub lineage: Lineage,
    /// Only this process and what is below it, if given; nothing while it is not in the tree.
    pub root: Option<ProcKey>,
    /// All rows stand beside each other, sorted as one: no ancestors come along, nothing is folded nor joined.
    pub flat: bool,
    /// What must match; ancestors of a match stay visible, its descendants do not.
    pub filter: Filter,
    /// Whether kernel threads are shown; ancestors of visible rows are in any case.
    pub kernel: bool,
    /// Whether the dead are shown; ancestors of visible rows are in any case.
    pub dead: bool,
    /// The moment, boot-time nanoseconds, for what the filter says of ages; see [`Rows::set_now`](super::Rows::set_now).
    pub now_ns: u64,
    /// The order of siblings.
    pub sort: Sort,
    /// From how many finished children of one process with one name on these become one row; 0 for never. Finished is
    /// who is dead with all that is shown below it. The root level is never joined.
    pub join_from: usize,
}

impl Default for Look {
    /// Everything, by forks, in order of birth, nothing joined.
    fn default() -> Self {
        Self {
            lineage: Lineage::default(),
            root: None,
            flat: false,
            filter: Filter::default(),
            kernel: true,
            dead: true,
            now_ns: 0,
            sort: Sort::default(),
            join_from: 0,
        }
    }
}

impl Look {
    /// Whether finished siblings may be joined.
    pub(super) const fn joins(&self) -> bool {
        self.join_from > 0 && !self.flat
    }
}

/// What siblings are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// When they started.
    #[default]
    Birth,
    /// Pid.
    Pid,
    /// Name, by bytes.
    Name,
    /// Effective uid.
    User,
    /// Share of a CPU; the dead have none, and come after the living by their CPU time.
    Cpu,
    /// CPU time in all.
    Time,
    /// Resident set of the living, peak of the dead.
    Memory,
    /// How long they lived; the living count as longer than the dead.
    Lifetime,
    /// Children forked.
    Spawned,
    /// Threads; the dead have none.
    Threads,
    /// Bytes read; of the living not known.
    Read,
    /// Bytes written; of the living not known.
    Written,
    /// Bytes read per second; the dead have none.
    ReadRate,
    /// Bytes written per second; the dead have none.
    WriteRate,
    /// CPU time in user mode.
    UserTime,
    /// CPU time in the kernel.
    SystemTime,
    /// Time spent waiting for a CPU.
    RunDelay,
    /// Threads that it has had.
    ThreadsBegun,
    /// Session, and process group within it.
    Session,
    /// Process group.
    Group,
    /// Terminal, by name.
    Terminal,
    /// Nice value.
    Nice,
    /// Number of who logged in.
    Login,
    /// Shares of a CPU of it and all below it.
    TreeCpu,
    /// CPU time of it and all below it.
    TreeTime,
    /// Resident sets of it and all below it.
    TreeMemory,
    /// Bytes read by the finished at or below it.
    TreeRead,
    /// Bytes written by the finished at or below it.
    TreeWritten,
    /// Children forked by it and all below it.
    TreeSpawned,
    /// How many live at or below it.
    TreeAlive,
    /// How many at or below it have failed.
    TreeFailed,
}

impl SortKey {
    /// All, in the order of the columns.
    pub const ALL: [Self; 31] = [
        Self::Birth,
        Self::Pid,
        Self::Name,
        Self::User,
        Self::Cpu,
        Self::Time,
        Self::Memory,
        Self::Lifetime,
        Self::Spawned,
        Self::Threads,
        Self::Read,
        Self::Written,
        Self::ReadRate,
        Self::WriteRate,
        Self::UserTime,
        Self::SystemTime,
        Self::RunDelay,
        Self::ThreadsBegun,
        Self::Session,
        Self::Group,
        Self::Terminal,
        Self::Nice,
        Self::Login,
        Self::TreeCpu,
        Self::TreeTime,
        Self::TreeMemory,
        Self::TreeRead,
        Self::TreeWritten,
        Self::TreeSpawned,
        Self::TreeAlive,
        Self::TreeFailed,
    ];

    /// In a word or two.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Birth => "start",
            Self::Pid => "pid",
            Self::Name => "name",
            Self::User => "user",
            Self::Cpu => "CPU",
            Self::Time => "CPU time",
            Self::Memory => "memory",
            Self::Lifetime => "lifetime",
            Self::Spawned => "children spawned",
            Self::Threads => "threads",
            Self::Read => "bytes read",
            Self::Written => "bytes written",
            Self::ReadRate => "reading",
            Self::WriteRate => "writing",
            Self::UserTime => "user CPU time",
            Self::SystemTime => "system CPU time",
            Self::RunDelay => "waiting for a CPU",
            Self::ThreadsBegun => "threads begun",
            Self::Session => "session",
            Self::Group => "process group",
            Self::Terminal => "terminal",
            Self::Nice => "nice value",
            Self::Login => "login user",
            Self::TreeCpu => "CPU of the subtree",
            Self::TreeTime => "CPU time of the subtree",
            Self::TreeMemory => "memory of the subtree",
            Self::TreeRead => "bytes read by the subtree",
            Self::TreeWritten => "bytes written by the subtree",
            Self::TreeSpawned => "spawned in the subtree",
            Self::TreeAlive => "alive in the subtree",
            Self::TreeFailed => "failed in the subtree",
        }
    }

    /// Whether what is sorted by grows or falls without anything happening to the process.
    #[must_use]
    pub const fn is_volatile(self) -> bool {
        matches!(
            self,
            Self::Cpu
                | Self::Time
                | Self::Memory
                | Self::Spawned
                | Self::Threads
                | Self::Read
                | Self::Written
                | Self::ReadRate
                | Self::WriteRate
                | Self::UserTime
                | Self::SystemTime
                | Self::RunDelay
                | Self::ThreadsBegun
        ) || self.is_of_subtree()
    }

    /// Whether it is summed up over the subtree.
    #[must_use]
    pub const fn is_of_subtree(self) -> bool {
        matches!(
            self,
            Self::TreeCpu
                | Self::TreeTime
                | Self::TreeMemory
                | Self::TreeRead
                | Self::TreeWritten
                | Self::TreeSpawned
                | Self::TreeAlive
                | Self::TreeFailed
        )
    }

    /// Whether the most comes first unless reversed.
    const fn most_first(self) -> bool {
        !matches!(
            self,
            Self::Birth
                | Self::Pid
                | Self::Name
                | Self::User
                | Self::Session
                | Self::Group
                | Self::Terminal
                | Self::Nice
                | Self::Login
        )
    }
}

/// The order of siblings; those alike stand in order of birth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sort {
    /// By what. Counts and amounts begin with the most, all else with the least.
    pub by: SortKey,
    /// The other way round.
    pub reversed: bool,
}

/// Where one stands among its siblings, but for its birth.
pub(super) type Rank = [u64; 2];

impl Sort {
    /// `totals` gives the sums over its subtree, where those decide.
    pub(super) fn rank(self, process: &Process, totals: impl FnOnce() -> Totals) -> Rank {
        self.oriented(match self.by {
            SortKey::Birth => [process.key.start_ns, u64::from(process.key.pid)],
            SortKey::Pid => [u64::from(process.key.pid), 0],
            SortKey::Name => name(process.comm().as_bytes()),
            SortKey::User => [u64::from(process.creds().uid), 0],
            SortKey::Cpu if process.is_alive() => [u64::from(process.cpu_share().max(0.0).to_bits()) + 1, 0],
            SortKey::Cpu => [0, process.cost().cpu_ns],
            SortKey::Time => [process.cost().cpu_ns, 0],
            SortKey::Memory => [process.rss_bytes().or(process.cost().max_rss_bytes).unwrap_or(0), 0],
            SortKey::Lifetime => match process.life() {
                Lifecycle::Running => [u64::MAX, u64::MAX - process.key.start_ns],
                Lifecycle::Exited { .. } => [process.lifetime_ns(0), 0],
            },
            SortKey::Spawned => [u64::from(process.spawned), 0],
            SortKey::Threads => [u64::from(process.threads()), 0],
            SortKey::Read => [process.cost().read_bytes.unwrap_or(0), 0],
            SortKey::Written => [process.cost().write_bytes.unwrap_or(0), 0],
            SortKey::ReadRate => rate(process.read_rate()),
            SortKey::WriteRate => rate(process.write_rate()),
            SortKey::UserTime => [process.cost().user_ns.unwrap_or(0), 0],
            SortKey::SystemTime => [process.cost().system_ns().unwrap_or(0), 0],
            SortKey::RunDelay => [process.cost().run_delay_ns.unwrap_or(0), 0],
            SortKey::ThreadsBegun => [process.cost().threads_begun.unwrap_or(0).into(), 0],
            SortKey::Session => [id(process.session().sid), id(process.session().pgid)],
            SortKey::Group => [id(process.session().pgid), 0],
            SortKey::Terminal => process.session().tty.map_or([u64::MAX; 2], |tty| name(tty.as_bytes())),
            SortKey::Nice => {
                [process.session().nice.map_or(u64::MAX, |nice| (i64::from(nice) + 128).cast_unsigned()), 0]
            }
            SortKey::Login => [id(process.session().login_uid), 0],
            SortKey::TreeCpu => [totals().cpu_millionths, 0],
            SortKey::TreeTime => [totals().tally.cpu_ns, 0],
            SortKey::TreeMemory => [totals().rss_bytes, 0],
            SortKey::TreeRead => [totals().tally.read_bytes, 0],
            SortKey::TreeWritten => [totals().tally.write_bytes, 0],
            SortKey::TreeSpawned => [totals().tally.spawned, 0],
            SortKey::TreeAlive => [totals().alive, 0],
            SortKey::TreeFailed => [totals().tally.failed, 0],
        })
    }

    /// Of a row that stands for many.
    pub(super) fn joined_rank(self, group: &super::Summary, comm: crate::Comm, uid: u32) -> Rank {
        self.oriented(match self.by {
            SortKey::Birth => [group.first.start_ns, u64::from(group.first.pid)],
            SortKey::Pid => [u64::from(group.first.pid), 0],
            SortKey::Name => name(comm.as_bytes()),
            SortKey::User => [u64::from(uid), 0],
            // What the living alone have, or is not summed up over those of one name.
            SortKey::Memory | SortKey::Spawned | SortKey::Threads => [0, 0],
            SortKey::Read | SortKey::Written | SortKey::ReadRate | SortKey::WriteRate => [0, 0],
            SortKey::UserTime | SortKey::SystemTime | SortKey::RunDelay | SortKey::ThreadsBegun => [0, 0],
            // What is not known comes last.
            SortKey::Session | SortKey::Group | SortKey::Terminal | SortKey::Nice | SortKey::Login => [u64::MAX, 0],
            SortKey::TreeCpu | SortKey::TreeMemory | SortKey::TreeAlive => [0, 0],
            SortKey::TreeTime => [group.all.cpu_ns, 0],
            SortKey::TreeRead => [group.all.read_bytes, 0],
            SortKey::TreeWritten => [group.all.write_bytes, 0],
            SortKey::TreeSpawned => [group.all.spawned, 0],
            SortKey::TreeFailed => [group.all.failed, 0],
            SortKey::Cpu => [0, group.cpu_ns],
            SortKey::Time => [group.cpu_ns, 0],
            SortKey::Lifetime => [group.longest_ns, 0],
        })
    }

    /// Whether the most, or the latest, comes first.
    #[must_use]
    pub const fn descends(self) -> bool {
        self.reversed != self.by.most_first()
    }

    const fn oriented(self, rank: Rank) -> Rank {
        if !self.descends() { rank } else { [!rank[0], !rank[1]] }
    }
}

/// Rates are no less than nothing, and their bits compare as they do; less than any is none.
fn rate(rate: Option<f32>) -> Rank {
    [rate.map_or(0, |rate| u64::from(rate.max(0.0).to_bits()) + 1), 0]
}

/// What is not known comes last.
fn id(id: Option<u32>) -> u64 {
    id.map_or(u64::MAX, u64::from)
}

/// The bytes of a name, so that numbers compare as they do.
fn name(comm: &[u8]) -> Rank {
    let mut bytes = [0; 16];
    bytes[..comm.len()].copy_from_slice(comm);
    let number = u128::from_be_bytes(bytes);
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
    [(number >> 64) as u64, number as u64]
}

/// Which subtrees are folded, by key: a default and the exceptions from it. Joined rows are folded unless they are an
/// exception.
#[derive(Clone, Debug, Default)]
pub struct Folds {
    folded_by_default: bool,
    exceptions: FxHashSet<RowId>,
}

impl Folds {
    /// Whether what is below this row is folded away.
    #[must_use]
    pub fn is_folded(&self, id: RowId) -> bool {
        self.default_of(id) != self.exceptions.contains(&id)
    }

    pub(super) fn set(&mut self, id: RowId, folded: bool) {
        if folded == self.default_of(id) {
            self.exceptions.remove(&id);
        } else {
            self.exceptions.insert(id);
        }
    }

    pub(super) fn set_all(&mut self, folded: bool) {
        self.folded_by_default = folded;
        self.exceptions.clear();
    }

    /// Forgets who is not there any more.
    pub(super) fn retain(&mut self, is_there: impl Fn(ProcKey) -> bool) {
        self.exceptions.retain(|id| match id {
            RowId::Process(key) | RowId::Joined { parent: key, .. } => is_there(*key),
        });
    }

    pub(super) fn forget(&mut self, id: RowId) {
        self.exceptions.remove(&id);
    }

    const fn default_of(&self, id: RowId) -> bool {
        matches!(id, RowId::Joined { .. }) || self.folded_by_default
    }
}
