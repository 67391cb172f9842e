//! Everything that touches the outside: the live kernel through eBPF, /proc, user names, and the event format.
//!
//! Delivers [`Batch`]es of [`Event`](ptree_core::Event)s and knows nothing of the tree kept from them nor of any screen.

pub mod bounded;
pub mod btf;
pub mod caller;
pub mod decode;
pub mod fatal;
pub mod host;
pub mod layout;
pub mod limits;
pub mod live;
pub mod ndjson;
mod places;
pub mod play;
pub mod privilege;
pub mod procfs;
pub mod start;
pub mod synth;
pub mod threads;
pub mod titles;
pub mod track;
pub mod trusted;
pub mod users;
pub mod wall;

pub use ptree_common::layout::Part;
use ptree_core::Event;

/// What a source delivers at a time.
#[derive(Debug, Default)]
pub struct Batch {
    /// Events in the order in which they are to be taken.
    pub events: Vec<Event>,
    /// Names of users, by uid, that are new or other than before. Never waited for: they may come after the events.
    pub users: Vec<(u32, String)>,
    /// What time it is by the wall clock, now and then and whenever that was set: it holds for all times, as for `ps`.
    pub clock: Option<TimeAnchor>,
}

impl Batch {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.users.is_empty() && self.clock.is_none()
    }
}

/// Where and when events were captured: the first line of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Version of the program that captured.
    pub version: String,
    /// Name of the machine.
    pub host: String,
    /// Its kernel's release.
    pub kernel: String,
    /// Random id of this boot: boot-time clocks of two boots do not compare.
    pub boot_id: String,
    /// Where boot time met wall time then; wherever the wall clock was set since, a [`Batch`] tells.
    pub anchor: TimeAnchor,
    /// Names of what was left out or made do with less on that kernel: see [`Part::name`].
    pub degraded: Vec<String>,
}

/// One moment on two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeAnchor {
    /// The kernel's `CLOCK_BOOTTIME`, nanoseconds.
    pub boottime_ns: u64,
    /// `CLOCK_REALTIME`, nanoseconds since 1970.
    pub unix_ns: u64,
}

impl TimeAnchor {
    /// Wall time of a moment of boot time, nanoseconds since 1970.
    #[must_use]
    pub const fn unix_ns(self, boottime_ns: u64) -> u64 {
        self.unix_ns.wrapping_add(boottime_ns).wrapping_sub(self.boottime_ns)
    }
}
