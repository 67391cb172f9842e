//! What a process belongs to since a login or a shell has set it up so: session, process group, terminal, login; and how nice
//! it is.
//!
//! Does not know where it is read. Whole sessions have most of it in common, so it is kept in shared values.

use std::borrow::Cow;
use std::fmt;

/// See the module; what is not known is `None`. Ids are those of the initial pid namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Session {
    /// Session: the pid of the process that began it.
    pub sid: Option<u32>,
    /// Process group: the pid of the process that began it.
    pub pgid: Option<u32>,
    /// Nice value, -20 to 19.
    pub nice: Option<i8>,
    /// Controlling terminal, if any.
    pub tty: Option<Tty>,
    /// The user who logged in, whoever the process runs as by now; [`Session::NO_LOGIN`] for one that descends from no login.
    pub login_uid: Option<u32>,
    /// Number of that login, as audit counts them; [`Session::NO_LOGIN`] likewise.
    pub audit_session: Option<u32>,
}

impl Session {
    /// What `/proc/PID/loginuid` shows of a process that descends from no login.
    pub const NO_LOGIN: u32 = u32::MAX;

    /// The user who logged in, where somebody has.
    #[must_use]
    pub fn login(&self) -> Option<u32> {
        self.login_uid.filter(|&uid| uid != Self::NO_LOGIN)
    }

    /// This, and what of the other is not known of this.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            sid: self.sid.or(other.sid),
            pgid: self.pgid.or(other.pgid),
            nice: self.nice.or(other.nice),
            tty: self.tty.or(other.tty),
            login_uid: self.login_uid.or(other.login_uid),
            audit_session: self.audit_session.or(other.audit_session),
        }
    }
}

/// An id of a process's group as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
enum Of {
    #[default]
    Unknown,
    /// The process itself began it.
    Itself,
    /// Who has this pid, or had it, did.
    Other(u32),
}

impl Of {
    fn new(id: Option<u32>, pid: u32) -> Self {
        match id {
            None => Self::Unknown,
            Some(id) if id == pid => Self::Itself,
            Some(id) => Self::Other(id),
        }
    }

    const fn get(self, pid: u32) -> Option<u32> {
        match self {
            Self::Unknown => None,
            Self::Itself => Some(pid),
            Self::Other(id) => Some(id),
        }
    }
}

/// A [`Session`] in the form that many have in common: all members of a group, and all who have begun one of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Shared {
    sid: Of,
    pgid: Of,
    /// Without these two.
    rest: Session,
}

impl Shared {
    /// Of a process with this pid.
    pub(crate) fn new(session: Session, pid: u32) -> Self {
        Self {
            sid: Of::new(session.sid, pid),
            pgid: Of::new(session.pgid, pid),
            rest: Session { sid: None, pgid: None, ..session },
        }
    }

    /// Of the process with this pid.
    pub(crate) fn get(self, pid: u32) -> Session {
        Session { sid: self.sid.get(pid), pgid: self.pgid.get(pid), ..self.rest }
    }
}

/// Name of a terminal as `ps` shows it, such as `pts/3` or `tty1`: at most 12 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tty([u8; 12]);

impl Tty {
    /// That there is none.
    pub const NONE: Self = Self([0; 12]);
    /// What `ps` shows where there is none.
    const NONE_SHOWN: &[u8] = b"?";

    /// Cut at the first NUL and at 12 bytes; `?` is none.
    #[must_use]
    pub fn new(name: &[u8]) -> Self {
        let mut bytes = [0; 12];
        let end = name.iter().take(bytes.len()).position(|&byte| byte == 0).unwrap_or(name.len().min(bytes.len()));
        bytes[..end].copy_from_slice(&name[..end]);
        if &bytes[..end] == Self::NONE_SHOWN { Self::NONE } else { Self(bytes) }
    }

    /// From the kernel's name, which for pseudo-terminals is `pts3`: as a path below `/dev` it is `pts/3`.
    #[must_use]
    pub fn of_kernel(name: &[u8]) -> Self {
        let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
        match name[..end].strip_prefix(b"pts") {
            Some(number) if !number.is_empty() && number.iter().all(u8::is_ascii_digit) => {
                Self::new(&[b"pts/", number].concat())
            }
            _ => Self::new(&name[..end]),
        }
    }

    /// From the device number that `/proc/PID/stat` shows, 0 for none; `None` for one that is no console, serial line or
    /// pseudo-terminal.
    #[must_use]
    pub fn of_device(number: u32) -> Option<Self> {
        let (major, minor) = (number >> 8 & 0xfff, number & 0xff | number >> 12 & 0xf_ff00);
        let name: Cow<'_, str> = match (major, minor) {
            (0, 0) => return Some(Self::NONE),
            (4, 0..64) => format!("tty{minor}").into(),
            (4, _) => format!("ttyS{}", minor - 64).into(),
            (5, 1) => "console".into(),
            (136..=143, _) => format!("pts/{}", (major - 136) * 256 + minor).into(),
            _ => return None,
        };
        Some(Self::new(name.as_bytes()))
    }

    /// The name; `?` where there is none.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        let end = self.0.iter().position(|&byte| byte == 0).unwrap_or(self.0.len());
        if end == 0 { Self::NONE_SHOWN } else { &self.0[..end] }
    }
}

impl fmt::Debug for Tty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_bytes().escape_ascii().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_named_as_ps_names_them() {
        for (kernel, shown) in [
            (&b"pts3\0garbage"[..], "pts/3"),
            (b"pts1048575", "pts/1048575"),
            (b"tty1", "tty1"),
            (b"ttyS0", "ttyS0"),
            (b"pts", "pts"),
            (b"ptsx1", "ptsx1"),
            (b"", "?"),
            (b"a_very_long_name", "a_very_long_"),
        ] {
            assert_eq!(Tty::of_kernel(kernel).as_bytes(), shown.as_bytes());
            assert_eq!(Tty::new(shown.as_bytes()), Tty::of_kernel(kernel));
        }
        for (number, shown) in [
            (0, Some("?")),
            (0x0401, Some("tty1")),
            (0x0440, Some("ttyS0")),
            (0x0501, Some("console")),
            (0x8803, Some("pts/3")),
            (0x0010_8801, Some("pts/257")),
            (0xe500, None),
        ] {
            assert_eq!(Tty::of_device(number).as_ref().map(Tty::as_bytes), shown.map(str::as_bytes), "{number:#x}");
        }
    }

    #[test]
    fn what_is_not_known_does_not_take_the_place_of_what_is() {
        let known = Session { sid: Some(1), pgid: Some(2), nice: Some(-5), ..Session::default() };
        let new = Session { sid: Some(3), tty: Some(Tty::NONE), ..Session::default() };
        assert_eq!(new.or(known), Session { sid: Some(3), tty: Some(Tty::NONE), ..known });
        assert_eq!(Session { login_uid: Some(Session::NO_LOGIN), ..known }.login(), None);
        assert_eq!(Session { login_uid: Some(0), ..known }.login(), Some(0));
    }

    #[test]
    fn all_who_begin_a_session_of_their_own_share_one_form() {
        let of = |sid, pgid, pid| Shared::new(Session { sid, pgid, nice: Some(1), ..Session::default() }, pid);
        assert_eq!(of(Some(7), Some(7), 7), of(Some(8), Some(8), 8));
        assert_ne!(of(Some(7), Some(7), 7), of(Some(7), Some(8), 8));
        for (sid, pgid) in [(None, None), (Some(0), Some(7)), (Some(7), Some(u32::MAX))] {
            let session = Session { sid, pgid, login_uid: Some(3), ..Session::default() };
            assert_eq!(Shared::new(session, 7).get(7), session);
        }
    }
}
