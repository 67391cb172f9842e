//! Events that are held back until the name of their user has come, where a filter asks for names.
//!
//! In order: what came behind one that waits waits with it. None waits for long. Does not know clocks, filters or where names
//! come from.

use std::collections::VecDeque;
use std::time::Duration;

use ptree_core::Event;
use rustc_hash::FxHashSet;

/// How long a name may take to come, before the number of its user is taken for it, nanoseconds.
const NAME_NS: u64 = 500_000_000;
/// With more than this waiting, no name is waited for.
const MOST: usize = 1 << 16;

/// See the module.
#[derive(Debug)]
pub(super) struct Held {
    asks_names: bool,
    /// When each has come, and what.
    queue: VecDeque<(u64, Event)>,
    /// Users who are known by number.
    nameless: FxHashSet<u32>,
}

impl Held {
    /// Nothing waits unless names are asked for.
    pub(super) fn new(asks_names: bool) -> Self {
        Self { asks_names, queue: VecDeque::new(), nameless: FxHashSet::default() }
    }

    /// These have come now.
    pub(super) fn push(&mut self, now_ns: u64, events: Vec<Event>) {
        self.queue.extend(events.into_iter().map(|event| (now_ns, event)));
    }

    /// The next one that need not wait any longer.
    pub(super) fn next(&mut self, now_ns: u64, is_named: impl Fn(u32) -> bool) -> Option<Event> {
        let (came_ns, event) = self.queue.front()?;
        for uid in event.uids().into_iter().flatten() {
            if !self.asks_names || self.nameless.contains(&uid) || is_named(uid) {
                continue;
            }
            if now_ns.saturating_sub(*came_ns) < NAME_NS && self.queue.len() <= MOST {
                return None;
            }
            self.nameless.insert(uid);
        }
        self.queue.pop_front().map(|(_, event)| event)
    }

    /// How long the next one waits at most; `None` when there is none.
    pub(super) fn wait(&self, now_ns: u64) -> Option<Duration> {
        let (came_ns, _) = self.queue.front()?;
        Some(Duration::from_nanos(came_ns.saturating_add(NAME_NS).saturating_sub(now_ns)))
    }
}

#[cfg(test)]
mod tests {
    use ptree_core::event::Creds;
    use ptree_core::{LossCount, ProcKey, Session};

    use super::*;

    fn creds(uid: u32) -> Event {
        Event::Creds { ts_ns: 1, key: ProcKey::new(5, 1), creds: Creds { uid, ..Creds::default() } }
    }

    fn lost() -> Event {
        Event::Lost { ts_ns: 1, count: LossCount::default() }
    }

    fn told(held: &mut Held, now_ns: u64, named: &[u32]) -> Vec<Option<u32>> {
        std::iter::from_fn(|| held.next(now_ns, |uid| named.contains(&uid))).map(|event| event.uids()[0]).collect()
    }

    #[test]
    fn who_has_no_name_yet_is_waited_for_in_order_and_not_for_long() {
        let mut held = Held::new(true);
        held.push(10, vec![creds(0), creds(7), lost(), creds(0)]);
        held.push(20, vec![creds(8), creds(7)]);
        assert_eq!(told(&mut held, 20, &[0]), [Some(0)]);
        assert_eq!(held.wait(20), Some(Duration::from_nanos(NAME_NS - 10)));
        assert_eq!(told(&mut held, 30, &[0, 7]), [Some(7), None, Some(0)], "8 has no name yet");
        assert_eq!(told(&mut held, 19 + NAME_NS, &[0, 7]), []);
        assert_eq!(told(&mut held, 20 + NAME_NS, &[0, 7]), [Some(8), Some(7)]);
        assert_eq!(held.wait(0), None);
        held.push(40 + NAME_NS, vec![creds(8)]);
        assert_eq!(told(&mut held, 40 + NAME_NS, &[]), [Some(8)], "it is known by number from now on");
    }

    #[test]
    fn who_logged_in_is_waited_for_as_well() {
        let mut held = Held::new(true);
        let session = |login_uid| Session { login_uid: Some(login_uid), ..Session::default() };
        let logged_in = |uid| Event::Session { ts_ns: 1, key: ProcKey::new(5, 1), session: session(uid) };
        held.push(10, vec![logged_in(Session::NO_LOGIN), logged_in(7)]);
        assert_eq!(told(&mut held, 20, &[]).len(), 1, "nobody has logged in");
        assert_eq!(told(&mut held, 30, &[7]).len(), 1);
    }

    #[test]
    fn nobody_waits_without_need_or_without_room() {
        let mut held = Held::new(false);
        held.push(1, vec![creds(7)]);
        assert_eq!(told(&mut held, 1, &[]), [Some(7)]);
        let mut held = Held::new(true);
        held.push(1, vec![creds(7); MOST + 1]);
        assert_eq!(told(&mut held, 1, &[]).len(), MOST + 1);
    }
}
