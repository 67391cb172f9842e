//! The order of processes by a fact: a rank, two words that compare as the fact does, is reckoned once for each change of a
//! process and kept.
//!
//! Does not know rows.

use super::{Fact, Kind, Places, Reader, State, Unit, signal};
use crate::event::Comm;
use crate::process::{Lifecycle, Process};
use crate::tree::{Summary, Tally, Totals};

/// The order of siblings; those alike stand in order of birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    /// By what. Counts and amounts begin with the most, all else with the least.
    pub by: Fact,
    /// The other way round.
    pub reversed: bool,
}

impl Default for Sort {
    /// In order of birth.
    fn default() -> Self {
        Self { by: Fact::Start, reversed: false }
    }
}

/// Where one stands among its siblings, but for its birth.
pub type Rank = [u64; 2];

/// Behind all that is known, where the least comes first.
const LAST: u64 = u64::MAX;

impl Fact {
    /// All that rows can be sorted by, in the order of the table.
    pub fn sorts() -> impl Iterator<Item = Self> {
        super::FACTS.iter().map(|spec| spec.fact).filter(|fact| fact.is_shown())
    }

    /// Whether the order by it changes without news of the processes themselves.
    #[must_use]
    pub const fn is_volatile(self) -> bool {
        let depends = self.depends();
        // The state is that of the last news or measurement.
        depends.measured || depends.place || depends.sums
    }

    /// Whether the most comes first unless reversed.
    const fn most_first(self) -> bool {
        match self.spec().kind {
            Kind::Figure(unit, _) => match unit {
                Unit::Count | Unit::Time | Unit::Bytes | Unit::Share => true,
                Unit::Id | Unit::Signed | Unit::Instant => false,
            },
            // Those of which it holds.
            Kind::Flag(_) => true,
            Kind::Text(..) | Kind::State | Kind::Signal | Kind::Subtree => false,
        }
    }

    /// Whether it is a text that may be longer than a rank.
    pub(crate) const fn is_long_text(self) -> bool {
        matches!(self.spec().kind, Kind::Text(..))
            && !matches!(self, Self::Name | Self::Terminal | Self::User | Self::Login)
    }

    fn rank(self, reader: &Reader<'_>, process: &Process, places: &Places) -> Rank {
        match self {
            Self::Start => [process.key.start_ns, u64::from(process.key.pid)],
            // By number, which is known before the name is.
            Self::User => [u64::from(process.creds().uid), 0],
            Self::Login => [process.session().login().map_or(LAST, u64::from), 0],
            // The dead have no share, and come after the living by what they had.
            Self::Cpu if process.is_alive() => [u64::from(process.cpu_share().max(0.0).to_bits()) + 1, 0],
            Self::Cpu => [0, process.cost().cpu_ns],
            Self::Time => [process.cost().cpu_ns, 0],
            // The living count as longer than the dead, so that nothing moves while time passes.
            Self::Lifetime => match process.life() {
                Lifecycle::Running => [u64::MAX, u64::MAX - process.key.start_ns],
                Lifecycle::Exited { .. } => [process.lifetime_ns(0), 0],
            },
            Self::ReadRate => rate(process.read_rate()),
            Self::WriteRate => rate(process.write_rate()),
            Self::Session => [number(process.session().sid), number(process.session().pgid)],
            fact => fact.plain_rank(reader, process, places),
        }
    }

    fn plain_rank(self, reader: &Reader<'_>, process: &Process, places: &Places) -> Rank {
        let unknown = if self.most_first() { 0 } else { LAST };
        match self.spec().kind {
            Kind::Figure(_, read) => [read(reader, process).unwrap_or(unknown), 0],
            Kind::Text(read, _) => read(reader, process)
                .map_or([LAST; 2], |text| if self.is_long_text() { [places.get(&text), 0] } else { beginning(&text) }),
            Kind::State => {
                let place = |state: State| State::NAMES.iter().position(|(_, _, other)| *other == state);
                [State::of(process).and_then(place).map_or(LAST, |place| place as u64), 0]
            }
            Kind::Flag(read) => [u64::from(read(process)), 0],
            Kind::Signal => [signal(process).map_or(LAST, u64::from), 0],
            Kind::Subtree => [0, 0],
        }
    }
}

impl Sort {
    /// Of a process; texts have these places.
    pub(crate) fn rank(self, reader: &Reader<'_>, process: &Process, places: &Places) -> Rank {
        self.oriented(self.by.rank(reader, process, places))
    }

    /// Places for the texts that all these have, if it is by texts that need them.
    pub(crate) fn places<'p>(self, reader: &Reader<'_>, processes: impl Iterator<Item = &'p Process>) -> Places {
        let Kind::Text(read, _) = self.by.spec().kind else { return Places::default() };
        if !self.by.is_long_text() {
            return Places::default();
        }
        Places::of(processes.filter_map(|process| Some(read(reader, process)?.into())))
    }

    /// Of a row that stands for many, of one name and one parent's user.
    #[must_use]
    pub fn joined_rank(self, group: &Summary, comm: Comm, uid: u32) -> Rank {
        let unknown = if self.by.most_first() { 0 } else { LAST };
        self.oriented(match self.by {
            Fact::Start => [group.first.start_ns, u64::from(group.first.pid)],
            Fact::Pid => [u64::from(group.first.pid), 0],
            Fact::Name => beginning(comm.as_bytes()),
            Fact::User | Fact::Uid => [u64::from(uid), 0],
            Fact::Cpu => [0, group.cpu_ns],
            Fact::Time => [group.cpu_ns, 0],
            Fact::Lifetime => [group.longest_ns, 0],
            fact if fact.is_sum() => [fact.sum(&Totals { tally: group.all, ..Totals::default() }).unwrap_or(0), 0],
            // What the living alone have, or is not summed up over those of one name.
            _ => [unknown, 0],
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

impl Fact {
    /// One that is summed up over a subtree, of these sums; `None` where it is not known, or for another fact.
    #[must_use]
    pub fn sum(self, totals: &Totals) -> Option<u64> {
        let Totals { alive, measured, rss_bytes, tally, .. } = totals;
        let Tally { finished, failed, spawned, cpu_ns, read_bytes, write_bytes } = tally;
        let more_than_none = |sum: u64| Some(sum).filter(|&sum| sum > 0);
        match self {
            Self::TreeAlive => Some(*alive),
            Self::TreeFailed => Some(*failed),
            Self::TreeSpawned => Some(*spawned),
            Self::TreeCpu => (*measured > 0).then(|| super::read::thousandths(totals.cpu_share())),
            Self::TreeTime => (measured + finished > 0).then_some(*cpu_ns),
            // Those may be missing of whom it is not known.
            Self::TreeRss => more_than_none(*rss_bytes),
            Self::TreeRead => more_than_none(*read_bytes),
            Self::TreeWritten => more_than_none(*write_bytes),
            _ => None,
        }
    }
}

/// Rates are no less than nothing, and their bits compare as they do; less than any is none.
fn rate(rate: Option<f32>) -> Rank {
    [rate.map_or(0, |rate| u64::from(rate.max(0.0).to_bits()) + 1), 0]
}

/// What is not known comes last.
fn number(id: Option<u32>) -> u64 {
    id.map_or(LAST, u64::from)
}

/// The first bytes of a text, so that numbers compare as they do.
fn beginning(text: &[u8]) -> Rank {
    let mut bytes = [0; 16];
    let len = text.len().min(16);
    bytes[..len].copy_from_slice(&text[..len]);
    let number = u128::from_be_bytes(bytes);
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
    [(number >> 64) as u64, number as u64]
}
