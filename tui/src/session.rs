//! What is known of one machine: where and when, what happened so far, what the wall clock shows. Events go in and deltas come
//! out; it is the only writer of its engine.
//!
//! Does not know where events come from, nor who looks at what is known.

use jiff::tz::TimeZone;
use ptree_core::engine::Config;
use ptree_core::{Delta, Engine, Event, Look, Rows};
use ptree_source::{Batch, Header, TimeAnchor};

use crate::export::Moment;
use crate::wall::Wall;

/// See the module. A copy is what was known at that moment.
#[derive(Clone, Debug)]
pub struct Session {
    header: Header,
    engine: Engine,
    wall: Wall,
    now_ns: u64,
}

impl Session {
    /// Nothing has happened yet. Times of day are those of `zone`.
    #[must_use]
    pub fn new(header: Header, config: Config, zone: TimeZone) -> Self {
        let (wall, now_ns) = (Wall::new(header.anchor, zone), header.anchor.boottime_ns);
        Self { header, engine: Engine::new(config), wall, now_ns }
    }

    /// Takes all of a batch; whether the wall clock was set.
    pub fn take(&mut self, batch: &Batch, deltas: &mut Vec<Delta>) -> bool {
        let moved = batch.clock.is_some_and(|anchor| self.clock(anchor));
        for (uid, name) in &batch.users {
            self.name(*uid, name);
        }
        for event in &batch.events {
            self.event(event, deltas);
        }
        moved
    }

    /// Takes an event.
    pub fn event(&mut self, event: &Event, deltas: &mut Vec<Delta>) {
        self.engine.ingest(event, deltas);
    }

    /// Takes the name of a user.
    pub fn name(&mut self, uid: u32, name: &str) {
        self.engine.name_user(uid, name);
    }

    /// The wall clock was looked at again; whether it was set.
    pub fn clock(&mut self, anchor: TimeAnchor) -> bool {
        self.header.anchor = anchor;
        self.wall.set(anchor)
    }

    /// It is at least that late, boot time.
    pub fn reach(&mut self, now_ns: u64) {
        self.now_ns = self.now_ns.max(now_ns);
    }

    /// Lets time pass: alerts end, and the dead leave.
    pub fn tick(&mut self, now_ns: u64, deltas: &mut Vec<Delta>) {
        self.reach(now_ns);
        self.engine.tick(self.now_ns, deltas);
    }

    /// Where and when.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What is known.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Boot time to wall time.
    #[must_use]
    pub fn wall(&self) -> &Wall {
        &self.wall
    }

    /// The latest time that it was told, boot time.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// Calls `look` with the moment that this is of these processes, with all sums; CPU time was measured over so many
    /// nanoseconds, if it was.
    pub fn moment<T>(&self, of: Look, measured_ns: Option<u64>, look: impl FnOnce(&Moment<'_>) -> T) -> T {
        let user = |uid| self.engine.users().get(uid);
        let mut rows = Rows::new(Look { now_ns: self.now_ns, ..of });
        rows.want_totals(true);
        rows.refresh(self.engine.tree(), user);
        let (header, tree, wall) = (&self.header, self.engine.tree(), &self.wall);
        look(&Moment { header, tree, rows: &rows, now_ns: self.now_ns, wall, measured_ns, user: &user })
    }
}
