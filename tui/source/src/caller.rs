//! Who called, where that user has less privilege than this process: the one place that knows.
//!
//! What such a user hands in (files, options, environment, limits, folder) must not steer what is done with the privilege.
//! So files are opened and made [as the caller](as_caller), and what the kernel side goes by has to be
//! [trusted](crate::trusted). Does not know which files there are.

use std::ffi::CString;
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
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Home folder, where a tool for changing users was used and there is an entry in the user database.
    home: Option<PathBuf>,
    way: Way,
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
        match self.way {
            Way::File => write!(f, "uid {}, to whom the program's file gives privilege", self.uid),
            Way::Tool(tool) => write!(f, "uid {}, who came through {tool}", self.uid),
        }
    }
}

/// The caller, if that is somebody less privileged.
#[must_use]
pub fn caller() -> Option<&'static Caller> {
    // It is decided by how the program was started.
    static CALLER: OnceLock<Option<Caller>> = OnceLock::new();
    CALLER.get_or_init(|| find(|name| std::env::var(name).ok())).as_ref()
}

fn find(variable: impl Fn(&str) -> Option<String>) -> Option<Caller> {
    let own = getuid();
    if let Some((tool, uid, gid)) = through_tool(variable)
        && uid != own
    {
        let user = User::from_uid(uid).ok().flatten();
        let gid = gid.or_else(|| user.as_ref().map(|user| user.gid)).unwrap_or_else(|| Gid::from_raw(uid.as_raw()));
        let home = user.map(|user| user.dir);
        return Some(Caller { uid: uid.as_raw(), gid: gid.as_raw(), home, way: Way::Tool(tool) });
    }
    // Who is root already gets nothing by starting a program.
    let gained = start::gained_privilege() && !own.is_root();
    gained.then(|| Caller { uid: own.as_raw(), gid: getgid().as_raw(), home: None, way: Way::File })
}

/// For whom one of the programs that change users has started this one, as they say in the environment: whoever may use them
/// for this program alone cannot change that.
fn through_tool(variable: impl Fn(&str) -> Option<String>) -> Option<(&'static str, Uid, Option<Gid>)> {
    let number = |name| variable(name)?.parse::<u32>().ok();
    let named = |name| User::from_name(&variable(name)?).ok().flatten();
    None.or_else(|| Some(("sudo", Uid::from_raw(number("SUDO_UID")?), number("SUDO_GID").map(Gid::from_raw))))
        .or_else(|| Some(("pkexec", Uid::from_raw(number("PKEXEC_UID")?), None)))
        .or_else(|| named("DOAS_USER").map(|user| ("doas", user.uid, Some(user.gid))))
}

impl Caller {
    /// The home folder by the user database, if that has one; `None` where the environment is the caller's own, and says it.
    #[must_use]
    pub fn home(&self) -> Option<Option<PathBuf>> {
        matches!(self.way, Way::Tool(_)).then(|| self.home.clone())
    }

    /// Makes this thread the caller's for good: user, groups, no capabilities.
    fn take_over(&self) -> io::Result<()> {
        if let Way::Tool(tool) = self.way {
            rustix::thread::set_thread_groups(&self.groups()).and_then(|()| self.take_ids()).map_err(|error| {
                let Self { uid, .. } = self;
                let why = format!(
                    "{tool} was used by uid {uid}, and nothing can be opened as that user ({error}); do without {tool}"
                );
                io::Error::new(io::ErrorKind::PermissionDenied, why)
            })?;
        } else {
            // The groups are the caller's already.
            self.take_ids()?;
        }
        let none = CapabilitySet::empty();
        let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
        Ok(rustix::thread::set_capabilities(None, sets)?)
    }

    fn take_ids(&self) -> Result<(), Errno> {
        let (uid, gid) = (process::Uid::from_raw(self.uid), process::Gid::from_raw(self.gid));
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        rustix::thread::set_thread_res_uid(uid, uid, uid)
    }

    /// All groups that the caller is in.
    fn groups(&self) -> Vec<process::Gid> {
        let name = User::from_uid(Uid::from_raw(self.uid)).ok().flatten();
        let name = name.and_then(|user| CString::new(user.name).ok());
        let groups = name.and_then(|name| getgrouplist(&name, Gid::from_raw(self.gid)).ok());
        let groups = groups.unwrap_or_else(|| vec![Gid::from_raw(self.gid)]);
        groups.into_iter().map(|gid| process::Gid::from_raw(gid.as_raw())).collect()
    }
}

/// Where there is a [`caller`], has no memory of this process written to a file when it is made to crash: such a file would
/// be made with our rights, in a folder and under limits that are the caller's choice.
pub fn leave_no_core() {
    if caller().is_some() {
        // To lower a limit takes no privilege.
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
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

    fn found(variables: &[(&str, &str)]) -> Option<(u32, u32, Way)> {
        let variable = |name: &str| variables.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned());
        find(variable).map(|caller| (caller.uid, caller.gid, caller.way))
    }

    #[test]
    fn programs_that_change_users_say_for_whom() {
        // A user that is not who runs this, and that has no entry.
        let other = getuid().as_raw().wrapping_add(3_000_000_001).to_string();
        let uid: u32 = other.parse().unwrap();
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[("SUDO_UID", &other), ("SUDO_GID", "77")]), Some((uid, 77, Way::Tool("sudo"))));
        assert_eq!(found(&[("SUDO_UID", &other)]), Some((uid, uid, Way::Tool("sudo"))));
        assert_eq!(found(&[("PKEXEC_UID", &other)]), Some((uid, uid, Way::Tool("pkexec"))));
        for nobody in ["", "-1", "x", "4294967296"] {
            assert_eq!(found(&[("SUDO_UID", nobody), ("DOAS_USER", "no such user")]), None, "{nobody}");
        }
    }

    #[test]
    fn who_calls_through_sudo_as_the_same_user_is_nobody_else() {
        let own = getuid().to_string();
        assert_eq!(found(&[("SUDO_UID", &own), ("SUDO_GID", "77")]), None);
    }
}
