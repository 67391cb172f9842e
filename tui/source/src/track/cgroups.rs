//! In which cgroups everybody is: as /proc has told it once, or as the forker was, and from then on by what the kernel
//! tells of moves.
//!
//! What /proc tells is of the moment at which it was read: moves of before that are in it already, though their records may
//! come later. Paths of cgroups of the unified hierarchy are known by their ids, for those who are born into one. Bounded:
//! paths as [`Paths`] says, and who is to be asked for as `UNPLACED_MAX` says.

use std::collections::VecDeque;
use std::sync::Arc;

use ptree_core::cgroup::Paths;
use ptree_core::event::{Forked, Task};
use ptree_core::{Event, ProcKey};

use super::Tracker;
use crate::decode::{Cgroup, Change};
use crate::places::{Places, UNIFIED};

/// So many at most wait to be asked for. In a storm, of those beyond it stays unknown what the records do not tell.
const UNPLACED_MAX: usize = 65_536;

/// Somebody of whom only /proc can say where he is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unplaced {
    /// The process.
    pub key: ProcKey,
    /// Its pid namespace.
    pub pid_ns: Option<u32>,
    /// Its pid therein.
    pub ns_pid: Option<u32>,
}

impl Unplaced {
    pub(super) const fn of(task: &Task) -> Self {
        Self { key: task.key, pid_ns: task.pid_ns, ns_pid: task.ns_pid }
    }
}

/// What is known of cgroups beside where each process is.
#[derive(Debug, Default)]
pub(super) struct Cgroups {
    /// Whether anybody asks /proc: else nothing is known but what the events themselves say.
    asked: bool,
    /// Of the unified hierarchy, by id.
    paths: Paths,
    unplaced: VecDeque<Unplaced>,
    /// What /proc has told of an id, by way of a process: true if nothing is heard of a move that it was read behind.
    doubted: Vec<(u64, Arc<[u8]>, ProcKey)>,
    /// One that is told by its path alone has another name.
    renamed: bool,
}

/// Where a process is.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// Cgroup in the unified hierarchy.
    pub(super) id: Option<u64>,
    /// All of them, as far as they are known.
    places: Option<Places>,
    /// When that was so: what happened before does not change it.
    as_of_ns: u64,
    /// /proc has been asked, whatever it said.
    asked: bool,
    /// A thread of several was moved alone: who is forked may be in other places.
    split: bool,
}

impl Place {
    pub(super) fn of(task: &Task) -> Self {
        Self { id: task.cgroup_id, ..Self::default() }
    }

    fn told(&self) -> Option<&Arc<[u8]>> {
        self.places.as_ref().and_then(Places::told)
    }

    fn moved(&self, ts_ns: u64, key: ProcKey) -> Event {
        Event::Moved { ts_ns, key, cgroup_id: self.id, cgroup: self.told().cloned() }
    }
}

impl Tracker {
    /// From now on, where everybody is gets told, and [`Tracker::take_unplaced`] is asked who is to be looked up.
    pub const fn tell_places(&mut self) {
        self.cgroups.asked = true;
    }

    /// Those to be looked up in /proc, at most so many: [`Tracker::placed`] takes the answers.
    pub fn take_unplaced(&mut self, most: usize) -> Vec<Unplaced> {
        let most = most.min(self.cgroups.unplaced.len());
        self.cgroups.unplaced.drain(..most).collect()
    }

    /// Whether a cgroup outside of the unified hierarchy was renamed since this was last asked: only /proc can say whom that
    /// concerns.
    pub const fn take_renamed(&mut self) -> bool {
        std::mem::replace(&mut self.cgroups.renamed, false)
    }

    /// Whether it must be known where this process is before the next record is taken: it is about to fork, and was never
    /// looked up.
    #[must_use]
    pub fn is_to_be_placed(&self, key: ProcKey) -> bool {
        let known = self.live.get(&key.pid).filter(|known| known.is(key) && !known.zombie);
        self.cgroups.asked && known.is_some_and(|known| known.place.places.is_none() && !known.place.asked)
    }

    /// Takes what /proc has said at that time of where a process is, if anything. What was known before is corrected; of what
    /// was not known, whether that is told otherwise is for the caller to say.
    pub(crate) fn placed(
        &mut self,
        (key, read_ns): (ProcKey, u64),
        places: Option<&Places>,
        is_told: bool,
        out: &mut Vec<Event>,
    ) {
        let Some(known) = self.live.get_mut(&key.pid).filter(|known| known.is(key) && !known.zombie) else { return };
        let place = &mut known.place;
        place.asked = true;
        let Some(places) = places.filter(|_| read_ns >= place.as_of_ns) else { return };
        let told = place.told().cloned();
        place.as_of_ns = read_ns;
        place.places = Some(places.clone());
        if told.as_ref() != place.told() && !(told.is_none() && is_told) {
            out.push(place.moved(read_ns, key));
        }
        if let Some((id, path)) = place.id.zip(places.path(UNIFIED))
            && self.cgroups.paths.get(id).is_none()
        {
            self.cgroups.doubted.push((id, Arc::clone(path), key));
        }
    }

    /// Call when every record has been taken that was written before now: what /proc has told before of ids is true where
    /// nothing else was heard since.
    pub fn settle_places(&mut self, now_ns: u64, out: &mut Vec<Event>) {
        for (id, path, key) in std::mem::take(&mut self.cgroups.doubted) {
            let known = self.live.get(&key.pid).filter(|known| known.is(key));
            let place = known.map(|known| &known.place).filter(|place| place.id == Some(id));
            if place.and_then(|place| place.places.as_ref()?.path(UNIFIED)) == Some(&path) {
                self.cgroups.name(now_ns, id, &path, out);
            }
        }
    }

    /// Takes a record of a hook on cgroups.
    pub(super) fn cgroup(&mut self, cgroup: Cgroup, out: &mut Vec<Event>) {
        let Cgroup { ts_ns, hierarchy, id, path, what } = cgroup;
        let unified = hierarchy == UNIFIED;
        let Self { live, cgroups, .. } = self;
        match what {
            // Of other hierarchies, who is moved there is told with the path.
            Change::Made | Change::Removed if !unified => {}
            Change::Made => cgroups.name_if_known(ts_ns, id, path.as_ref(), out),
            Change::Removed => cgroups.paths.remove(id),
            Change::Renamed => cgroups.renamed |= !unified,
            Change::Moved { key, tid, all } => {
                if unified {
                    cgroups.name_if_known(ts_ns, id, path.as_ref(), out);
                }
                let Some(known) = live.get_mut(&key.pid).filter(|known| known.is(key) && !known.zombie) else { return };
                let place = &mut known.place;
                place.split |= !all;
                // A process is where its first thread is.
                if tid != key.pid {
                    return;
                }
                let (told, old_id) = (place.told().cloned(), place.id);
                if unified {
                    place.id = Some(id);
                }
                if ts_ns >= place.as_of_ns {
                    let path = path.or_else(|| cgroups.paths.get(id).filter(|_| unified).cloned());
                    // The kernel's path was cut, or what else there is was never looked up.
                    if path.is_none() || place.places.is_none() {
                        cgroups.want(Unplaced { key, pid_ns: known.pid_ns, ns_pid: known.ns_pid });
                    }
                    place.places = Some(match &place.places {
                        Some(places) => places.with(hierarchy, path.as_ref()),
                        None => Places::only(hierarchy, path.as_ref()),
                    });
                    place.as_of_ns = ts_ns;
                }
                if place.id != old_id || place.told() != told.as_ref() {
                    out.push(place.moved(ts_ns, key));
                }
            }
        }
    }

    /// Where a child is: where its forker is, unless it was born into another cgroup. And what is to be told of that behind
    /// the fork, beyond what the cgroup's id says.
    pub(super) fn born(&mut self, fork: &Forked) -> (Place, Option<Event>) {
        let (task, ts_ns) = (&fork.task, fork.ts_ns);
        let mut place = Place { as_of_ns: ts_ns, ..Place::of(task) };
        if !self.cgroups.asked {
            return (place, None);
        }
        let forker = self.live.get(&fork.forker.pid).filter(|known| known.is(fork.forker)).map(|known| &known.place);
        let Some((forker, places)) =
            forker.filter(|forker| !forker.split).and_then(|forker| Some((forker, forker.places.as_ref()?)))
        else {
            self.cgroups.want(Unplaced::of(task));
            return (place, None);
        };
        if place.id.is_none() || place.id == forker.id {
            place.places = Some(places.clone());
            return (place, None);
        }
        let path = place.id.and_then(|id| self.cgroups.paths.get(id));
        place.places = Some(places.with(UNIFIED, path));
        let told = path != place.told();
        if path.is_none() {
            self.cgroups.want(Unplaced::of(task));
        }
        let event = told.then(|| place.moved(ts_ns, task.key));
        (place, event)
    }

    /// Takes the id of the cgroup that a record or a row shows: it is another one where no hook tells of moves, or where
    /// that was lost.
    pub(super) fn place(&mut self, task: &Task, ts_ns: u64, out: &mut Vec<Event>) {
        let Self { live, cgroups, .. } = self;
        let Some(known) = live.get_mut(&task.key.pid).filter(|known| known.is(task.key)) else { return };
        let place = &mut known.place;
        if !cgroups.asked || task.cgroup_id.is_none() || place.id == task.cgroup_id || ts_ns < place.as_of_ns {
            return;
        }
        (place.id, place.as_of_ns) = (task.cgroup_id, ts_ns);
        let path = place.id.and_then(|id| cgroups.paths.get(id));
        place.places = place.places.as_ref().map(|places| places.with(UNIFIED, path));
        out.push(place.moved(ts_ns, task.key));
        // Who is in another one may have been moved in other hierarchies, too.
        cgroups.want(Unplaced::of(task));
    }
}

impl Cgroups {
    fn name_if_known(&mut self, ts_ns: u64, id: u64, path: Option<&Arc<[u8]>>, out: &mut Vec<Event>) {
        if let Some(path) = path {
            self.name(ts_ns, id, path, out);
        }
    }

    fn name(&mut self, ts_ns: u64, id: u64, path: &Arc<[u8]>, out: &mut Vec<Event>) {
        if self.paths.insert(id, path) {
            out.push(Event::Cgroup { ts_ns, id, path: Arc::clone(path) });
        }
    }

    fn want(&mut self, unplaced: Unplaced) {
        if self.asked && self.unplaced.len() < UNPLACED_MAX {
            self.unplaced.push_back(unplaced);
        }
    }
}
