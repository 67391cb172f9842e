//! Names of users.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use nix::unistd::{Uid, User};

use crate::threads;

/// Users that may be asked for at a time, and names that may wait to be taken.
const WAITING: usize = 1024;

/// The name of a user, or the number where there is none. Asks the system's user database, which may be a slow one.
#[must_use]
pub fn name(uid: u32) -> String {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}

/// Asks for names in a thread of its own, which a directory server may keep waiting as long as it likes: it is never
/// waited for, not even at the end.
#[derive(Debug)]
pub struct Names {
    asked: SyncSender<u32>,
    told: Receiver<(u32, String)>,
}

impl Names {
    /// Where no thread is to be had, users have no names.
    #[must_use]
    pub fn new() -> Self {
        Self::from(name)
    }

    fn from(name: impl Fn(u32) -> String + Send + 'static) -> Self {
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
        Self { asked, told }
    }

    /// Asks for a name; false when so many are waited for that it has to be asked for again.
    #[must_use]
    pub fn ask(&self, uid: u32) -> bool {
        !matches!(self.asked.try_send(uid), Err(TrySendError::Full(_)))
    }

    /// The names that have come since.
    pub fn take(&self) -> impl Iterator<Item = (u32, String)> {
        self.told.try_iter()
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

    #[test]
    fn names_come_when_they_are_known_and_nobody_waits_for_a_database_that_does_not_answer() {
        let (answer, answers) = std::sync::mpsc::channel::<()>();
        let names = Names::from(move |uid| {
            let _ = answers.recv();
            format!("u{uid}")
        });
        assert!(names.ask(7));
        assert_eq!(names.take().count(), 0);
        answer.send(()).unwrap();
        assert_eq!(names.told.recv().unwrap(), (7, "u7".to_owned()));
        // One is being asked for at most, or none yet.
        let taken = (0..).take_while(|&uid| names.ask(uid)).count();
        assert!((WAITING..=WAITING + 1).contains(&taken), "{taken}");
        assert!(!names.ask(5), "there is no end to what waits");
        // With this, nothing waits for it: the test ends.
        drop(names);
    }
}
