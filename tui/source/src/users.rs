//! Names of users.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use nix::unistd::{Uid, User};
use rustc_hash::FxHashMap;

use crate::threads;

/// Users that may be asked for at a time, and names that may wait to be taken.
const WAITING: usize = 1024;
/// A name is asked for again when its user starts something, and it is older than this, nanoseconds.
const OLD_NS: u64 = 1_000_000_000;

/// The name of a user, or the number where there is none. Asks the system's user database, which may be a slow one.
#[must_use]
pub fn name(uid: u32) -> String {
    ask(uid).unwrap_or_else(|| uid.to_string())
}

/// The same; `None` where the database does not answer.
fn ask(uid: u32) -> Option<String> {
    User::from_uid(Uid::from_raw(uid)).ok().map(|user| user.map_or_else(|| uid.to_string(), |user| user.name))
}

/// Asks for names in a thread of its own, which a directory server may keep waiting as long as it likes: it is never
/// waited for, not even at the end. Names come and go, so they are asked for again while their users are active.
#[derive(Debug)]
pub struct Names {
    asked: SyncSender<u32>,
    told: Receiver<(u32, Option<String>)>,
    known: FxHashMap<u32, Known>,
}

/// What is known of a user.
#[derive(Debug)]
struct Known {
    /// When its name was last asked for, boot time.
    asked_ns: u64,
    name: Option<String>,
}

impl Names {
    /// Where no thread is to be had, users have no names.
    #[must_use]
    pub fn new() -> Self {
        Self::from(ask)
    }

    fn from(name: impl Fn(u32) -> Option<String> + Send + 'static) -> Self {
        let (asked, asking) = sync_channel(WAITING);
        let (telling, told) = sync_channel(WAITING);
        let answer = move || {
            for uid in asking {
                if telling.send((uid, name(uid))).is_err() {
                    return;
                }
            }
        };
        // Without it, both channels are closed.
        drop(threads::spawn("names", answer));
        Self { asked, told, known: FxHashMap::default() }
    }

    /// This user was seen then: asks for its name, if that is not known or old. When so many are waited for already, it is
    /// asked for the next time.
    pub fn seen(&mut self, uid: u32, ts_ns: u64) {
        let known = self.known.get(&uid).map(|known| known.asked_ns);
        if known.is_some_and(|asked_ns| ts_ns < asked_ns.saturating_add(OLD_NS)) {
            return;
        }
        if !matches!(self.asked.try_send(uid), Err(TrySendError::Full(_))) {
            self.known.entry(uid).or_insert(Known { asked_ns: 0, name: None }).asked_ns = ts_ns;
        }
    }

    /// The names that have come since and are other than they were. Where the database does not answer, a user keeps its
    /// name.
    pub fn take(&mut self) -> Vec<(u32, String)> {
        let mut news = Vec::new();
        while let Ok((uid, name)) = self.told.try_recv() {
            let Some(known) = self.known.get_mut(&uid) else { continue };
            let name = match (name, &known.name) {
                (Some(name), Some(before)) if name == *before => continue,
                (None, Some(_)) => continue,
                (name, _) => name.unwrap_or_else(|| uid.to_string()),
            };
            known.name = Some(name.clone());
            news.push((uid, name));
        }
        news
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names that come when the test says so.
    fn told() -> (Names, std::sync::mpsc::Sender<Option<String>>) {
        let (answer, answers) = std::sync::mpsc::channel::<Option<String>>();
        (Names::from(move |_| answers.recv().ok().flatten()), answer)
    }

    /// Waits for the answer to one question, which `answer` gives.
    fn news(
        names: &mut Names,
        answer: Option<&str>,
        answers: &std::sync::mpsc::Sender<Option<String>>,
    ) -> Vec<(u32, String)> {
        answers.send(answer.map(str::to_owned)).unwrap();
        let (uid, name) = names.told.recv().unwrap();
        let (again, told) = sync_channel(1);
        again.send((uid, name)).unwrap();
        let rest = std::mem::replace(&mut names.told, told);
        let news = names.take();
        names.told = rest;
        news
    }

    #[test]
    fn names_come_when_they_are_known_and_nobody_waits_for_a_database_that_does_not_answer() {
        let (mut names, answers) = told();
        names.seen(7, 1);
        assert_eq!(names.take(), []);
        assert_eq!(news(&mut names, Some("u7"), &answers), [(7, "u7".to_owned())]);
        // One is being asked for at most, or none yet.
        let most = u32::try_from(WAITING).unwrap();
        (100..100 + 2 * most).for_each(|uid| names.seen(uid, 1));
        let taken = names.known.len() - 1;
        assert!((WAITING..=WAITING + 1).contains(&taken), "there is no end to what waits: {taken}");
        // With this, nothing waits for it: the test ends.
        drop(names);
    }

    #[test]
    fn a_name_is_asked_for_again_when_it_is_old_and_told_when_it_is_another() {
        let (mut names, answers) = told();
        names.seen(7, 5);
        assert_eq!(news(&mut names, None, &answers), [(7, "7".to_owned())], "there is none yet");
        names.seen(7, OLD_NS + 4);
        assert_eq!(names.known[&7].asked_ns, 5, "too soon");
        let mut later = 5;
        for (answer, wants) in [
            (Some("ann"), Some("ann")),
            (Some("ann"), None),
            (None, None),
            (Some("7"), Some("7")),
            (Some("bob"), Some("bob")),
        ] {
            later += OLD_NS;
            names.seen(7, later);
            assert_eq!(names.known[&7].asked_ns, later);
            let told = news(&mut names, answer, &answers);
            assert_eq!(told, wants.map(|name| (7, name.to_owned())).into_iter().collect::<Vec<_>>(), "{answer:?}");
        }
    }
}
