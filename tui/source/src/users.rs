//! Names of users.

use nix::unistd::{Uid, User};

/// The name of a user, or the number where there is none. Asks the system's user database, which may be a slow one.
#[must_use]
pub fn name(uid: u32) -> String {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}
