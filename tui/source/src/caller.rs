//! Who called, where that user has less privilege than this process: the one place that knows.
//!
//! What such a user hands in (files, options, environment, limits, folder) must not steer what is done with the privilege.
//! So files are opened and made [as the caller](as_caller), and what the kernel side goes by has to be
//! [trusted](crate::trusted). Does not know which files there are.

use std::ffi::{CString, OsString};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Gid, Uid, User, getgid, getgrouplist, getuid};
use rustix::io::Errno;
use rustix::process;
use rustix::thread::{CapabilitySet, CapabilitySets};

use crate::{start, threads};

/// A user with less privilege than this process has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    who: Who,
    way: Way,
}

/// Who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    /// A user, with a group and, if the user database has an entry, the home folder in it.
    User { uid: u32, gid: u32, home: Option<PathBuf> },
    /// Somebody, but what is said of that makes no sense: nothing can be done as that user.
    Unclear,
}

/// How the privilege was got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By capabilities, or a set-user-ID bit, of the program's file.
    File,
    /// By a program that changes users and says for whom.
    Tool(&'static str),
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.who {
            Who::User { uid, .. } => write!(f, "uid {uid}")?,
            Who::Unclear => f.write_str("a user")?,
        }
        match self.way {
            Way::File => f.write_str(", to whom the program's file gives privilege"),
            Way::Tool(tool) => write!(f, ", who came through {tool}"),
        }
    }
}

/// The caller, if that is somebody less privileged.
#[must_use]
pub fn caller() -> Option<&'static Caller> {
    // It is decided by how the program was started.
    static CALLER: OnceLock<Option<Caller>> = OnceLock::new();
    CALLER.get_or_init(|| find(getuid(), getgid(), start::gained_privilege(), |name| std::env::var_os(name))).as_ref()
}

/// From the real user and group, whether privilege was gained by starting the program, and the environment.
fn find(uid: Uid, gid: Gid, gained: bool, variable: impl Fn(&str) -> Option<OsString>) -> Option<Caller> {
    // Who is root already gets nothing by starting a program. What else the environment says may be this user's own word, or that of
    // a tool by which another came: so it can take rights away, and gives none.
    if gained && !uid.is_root() {
        let named = through_tools(variable);
        let is_own = |who: &Who| matches!(who, Who::User { uid: of, gid: and, .. } if (*of, *and) == (uid.as_raw(), gid.as_raw()));
        let clear = named.iter().all(|(_, who)| is_own(who));
        let user = Who::User { uid: uid.as_raw(), gid: gid.as_raw(), home: None };
        return Some(Caller { who: if clear { user } else { Who::Unclear }, way: Way::File });
    }
    let mut found: Option<Caller> = None;
    for (tool, who) in through_tools(variable) {
        // Another group than the own is another's privilege as well: a tool may change that alone.
        if matches!(who, Who::User { uid: caller, gid: of, .. } if (caller, of) == (uid.as_raw(), gid.as_raw())) {
            continue;
        }
        match &mut found {
            None => found = Some(Caller { who, way: Way::Tool(tool) }),
            // One program has called the other: nobody knows who came first.
            Some(other) if other.who != who => other.who = Who::Unclear,
            Some(_) => {}
        }
    }
    found
}

/// For whom the programs that change users have started this one, as they say in the environment: whoever may use them for
/// this program alone cannot change what they say. What makes no sense is not taken for nothing.
fn through_tools(variable: impl Fn(&str) -> Option<OsString>) -> Vec<(&'static str, Who)> {
    let number = |name: &str| variable(name).map(|value| value.to_str()?.parse::<u32>().ok());
    // Where no group is named it is the user's own; no number of a user says which that is.
    let numbered = |uid: Option<u32>, named: Option<Option<u32>>| {
        let user = uid.and_then(|uid| User::from_uid(Uid::from_raw(uid)).ok().flatten());
        let gid = named.unwrap_or_else(|| user.as_ref().map(|user| user.gid.as_raw()));
        match (uid, gid) {
            // To the kernel this number says to leave a thread what it is.
            (None | Some(u32::MAX), _) | (_, None | Some(u32::MAX)) => Who::Unclear,
            (Some(uid), Some(gid)) => Who::User { uid, gid, home: user.map(|user| user.dir) },
        }
    };
    let named = |name: OsString| match User::from_name(&name.to_string_lossy()) {
        Ok(Some(user)) => Who::User { uid: user.uid.as_raw(), gid: user.gid.as_raw(), home: Some(user.dir) },
        Ok(None) | Err(_) => Who::Unclear,
    };
    let sudo = number("SUDO_UID").map(|uid| ("sudo", numbered(uid, number("SUDO_GID"))));
    let pkexec = number("PKEXEC_UID").map(|uid| ("pkexec", numbered(uid, None)));
    let doas = variable("DOAS_USER").map(|name| ("doas", named(name)));
    sudo.into_iter().chain(pkexec).chain(doas).collect()
}

impl Caller {
    /// The home folder by the user database, if that has one; `None` where the environment is the caller's own, and says it.
    #[must_use]
    pub fn home(&self) -> Option<Option<PathBuf>> {
        match (&self.way, &self.who) {
            (Way::File, _) => None,
            (Way::Tool(_), Who::User { home, .. }) => Some(home.clone()),
            (Way::Tool(_), Who::Unclear) => Some(None),
        }
    }

    /// Makes this thread the caller's for good: user, groups, no capabilities.
    fn take_over(&self) -> io::Result<()> {
        let taken = match (&self.who, self.way) {
            (Who::Unclear, _) => Err(Errno::INVAL),
            // The groups are the caller's already.
            (Who::User { uid, gid, .. }, Way::File) => take_ids(*uid, *gid),
            (Who::User { uid, gid, .. }, Way::Tool(_)) => {
                rustix::thread::set_thread_groups(&groups(*uid, *gid)).and_then(|()| take_ids(*uid, *gid))
            }
        };
        taken.map_err(|error| {
            let why = format!("nothing can be opened as the caller ({self}): {error}; call it without that");
            io::Error::new(io::ErrorKind::PermissionDenied, why)
        })?;
        have_no_capabilities()
    }
}

fn have_no_capabilities() -> io::Result<()> {
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    Ok(rustix::thread::set_capabilities(None, sets)?)
}

fn take_ids(uid: u32, gid: u32) -> Result<(), Errno> {
    let (uid, gid) = (process::Uid::from_raw(uid), process::Gid::from_raw(gid));
    rustix::thread::set_thread_res_gid(gid, gid, gid)?;
    rustix::thread::set_thread_res_uid(uid, uid, uid)
}

/// All groups that a user is in.
fn groups(uid: u32, gid: u32) -> Vec<process::Gid> {
    let name = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    let name = name.and_then(|user| CString::new(user.name).ok());
    let groups = name.and_then(|name| getgrouplist(&name, Gid::from_raw(gid)).ok());
    let groups = groups.unwrap_or_else(|| vec![Gid::from_raw(gid)]);
    groups.into_iter().map(|gid| process::Gid::from_raw(gid.as_raw())).collect()
}

/// Where there is a [`caller`], has no memory of this process written to a file when it is made to crash: such a file would
/// be made with our rights, in a folder and under limits that are the caller's choice.
pub fn leave_no_core() {
    if caller().is_some() {
        // To lower a limit takes no privilege.
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    }
}

/// From here on this thread has no more rights than the [`caller`], where the program's file gives more. It is for what users
/// do to others, and ask of them: a file gives the privilege to see, and a tool for changing users, whose rules say for what,
/// gives all of it.
///
/// # Errors
/// When the kernel does not let it become less.
pub fn give_up_gained() -> io::Result<()> {
    match caller() {
        Some(Caller { way: Way::File, .. }) => {
            take_ids(getuid().as_raw(), getgid().as_raw())?;
            have_no_capabilities()
        }
        Some(Caller { way: Way::Tool(_), .. }) | None => Ok(()),
    }
}

/// Does something with the rights of the [`caller`] and no more; where there is none, with our own. It is done in a thread
/// that ends with it, so that nothing has to be given back.
///
/// # Errors
/// When there can be no thread, or this process may not become the caller.
pub fn as_caller<T: Send>(what: impl FnOnce() -> T + Send) -> io::Result<T> {
    let Some(caller) = caller() else { return Ok(what()) };
    threads::apart("caller", || caller.take_over().map(|()| what())).map_err(io::Error::other).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(uid: u32, gained: bool, variables: &[(&str, &str)]) -> Option<Caller> {
        let variable =
            |name: &str| variables.iter().find(|(of, _)| *of == name).map(|(_, value)| OsString::from(*value));
        find(Uid::from_raw(uid), Gid::from_raw(uid), gained, variable)
    }

    fn user(uid: u32, gid: u32, way: Way) -> Option<Caller> {
        Some(Caller { who: Who::User { uid, gid, home: None }, way })
    }

    /// No such user is anywhere.
    const ANN: u32 = 3_000_000_001;
    const BOB: u32 = 3_000_000_002;

    #[test]
    fn programs_that_change_users_say_for_whom() {
        let (ann, bob) = (ANN.to_string(), BOB.to_string());
        assert_eq!(found(0, false, &[]), None);
        let sudo = Way::Tool("sudo");
        assert_eq!(found(0, false, &[("SUDO_UID", &ann), ("SUDO_GID", "77")]), user(ANN, 77, sudo));
        let group = [("SUDO_UID", &*ann), ("SUDO_GID", "77")];
        assert_eq!(found(BOB, false, &group), user(ANN, 77, sudo), "sudo to another user than root");
        // Whose group nobody has named, the user database has.
        let root = User::from_uid(Uid::from_raw(0)).unwrap().unwrap();
        let known = Who::User { uid: 0, gid: root.gid.as_raw(), home: Some(root.dir) };
        for (name, tool) in [("SUDO_UID", "sudo"), ("PKEXEC_UID", "pkexec")] {
            let expected = Some(Caller { who: known.clone(), way: Way::Tool(tool) });
            assert_eq!(found(BOB, false, &[(name, "0")]), expected, "{name}");
        }
        assert_eq!(found(ANN, false, &[("SUDO_UID", &ann), ("SUDO_GID", &ann)]), None, "the same user");
        assert_eq!(found(ANN, false, &group), user(ANN, 77, sudo), "only another group");
        let both = [("SUDO_UID", "0"), ("PKEXEC_UID", "0")];
        assert_eq!(found(BOB, false, &both).unwrap().who, known);
        // Who runs this is root for the one, and somebody else for the other.
        let pkexec = found(0, false, &[("SUDO_UID", "0"), ("PKEXEC_UID", &ann)]).unwrap();
        assert_eq!((pkexec.who, pkexec.way), (Who::Unclear, Way::Tool("pkexec")));
        let two = found(0, false, &[("SUDO_UID", &ann), ("PKEXEC_UID", &bob)]).unwrap();
        assert_eq!(two.who, Who::Unclear);
    }

    #[test]
    fn what_makes_no_sense_is_somebody_as_whom_nothing_can_be_done() {
        let ann = ANN.to_string();
        for variables in [
            &[("SUDO_UID", "")][..],
            &[("SUDO_UID", "-1")],
            &[("SUDO_UID", "x")],
            &[("PKEXEC_UID", "4294967296")],
            &[("PKEXEC_UID", "4294967295")],
            &[("SUDO_UID", "4294967295")],
            &[("DOAS_USER", "no such user")],
            &[("DOAS_USER", "")],
            // Nobody knows in which group that is.
            &[("SUDO_UID", &*ann)],
            &[("PKEXEC_UID", &*ann)],
            &[("SUDO_UID", &*ann), ("SUDO_GID", "x")],
            &[("SUDO_UID", &*ann), ("SUDO_GID", "4294967295")],
            // A known user, and a group that makes no sense.
            &[("SUDO_UID", "0"), ("SUDO_GID", "")],
        ] {
            let caller = found(0, false, variables).unwrap();
            assert_eq!(caller.who, Who::Unclear, "{variables:?}");
            assert_eq!(caller.home(), Some(None));
            let error = std::thread::spawn(move || caller.take_over()).join().unwrap().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        }
    }

    #[test]
    fn to_whom_the_file_gives_privilege_the_environment_can_only_take_some() {
        let ann = ANN.to_string();
        for own in [&[][..], &[("SUDO_UID", &*ann), ("SUDO_GID", &*ann)]] {
            assert_eq!(found(ANN, true, own), user(ANN, ANN, Way::File), "{own:?}");
        }
        // Either is ANN's invention, or somebody came as ANN through a tool.
        for other in [&[("SUDO_UID", "0")][..], &[("PKEXEC_UID", "0")], &[("DOAS_USER", "root")], &[("SUDO_UID", "x")]]
        {
            let caller = found(ANN, true, other).unwrap();
            assert_eq!((caller.who, caller.way), (Who::Unclear, Way::File), "{other:?}");
        }
        assert_eq!(found(0, true, &[]), None, "root gets nothing by starting a program");
    }
}
