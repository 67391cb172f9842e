//! Which processes a user wants to see.

use crate::process::Process;

/// A text that must occur in the name, the command line (arguments joined by spaces) or the user's name, or that the
/// pid begins with; ASCII letters match in both cases unless the text has a capital. Empty matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    text: String,
    /// The text has a capital.
    exact: bool,
    /// Only processes of this effective user.
    uid: Option<u32>,
}

impl Filter {
    /// From what a user typed.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), exact: text.chars().any(char::is_uppercase), uid: None }
    }

    /// The same, for processes of one effective user only; of all with `None`.
    #[must_use]
    pub fn of_user(self, uid: Option<u32>) -> Self {
        Self { uid, ..self }
    }

    /// The only user whose processes match.
    #[must_use]
    pub fn uid(&self) -> Option<u32> {
        self.uid
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether everything matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.uid.is_none()
    }

    /// Whether this process matches; `user` is its user's name.
    #[must_use]
    pub fn matches(&self, process: &Process, user: &str) -> bool {
        if self.uid.is_some_and(|uid| uid != process.creds().uid) {
            return false;
        }
        if self.text.is_empty() || self.occurs_in(process.comm().as_bytes()) || self.occurs_in(user.as_bytes()) {
            return true;
        }
        let argv = process.program().and_then(|program| program.argv.as_ref()).map_or(&[][..], |argv| argv.as_bytes());
        self.occurs_in(argv.strip_suffix(&[0]).unwrap_or(argv)) || self.begins_pid(process.key.pid)
    }

    fn begins_pid(&self, pid: u32) -> bool {
        self.text.bytes().all(|b| b.is_ascii_digit()) && pid.to_string().starts_with(&self.text)
    }

    /// Whether the text occurs in these bytes; a NUL, as between arguments, counts as a space.
    fn occurs_in(&self, bytes: &[u8]) -> bool {
        let same = |&byte: &u8, &typed: &u8| {
            let byte = if byte == 0 { b' ' } else { byte };
            byte == typed || !self.exact && byte.eq_ignore_ascii_case(&typed)
        };
        let text = self.text.as_bytes();
        bytes.windows(text.len()).any(|window| window.iter().zip(text).all(|(byte, typed)| same(byte, typed)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::{Argv, Comm, Creds, ProcKey, Task};
    use crate::process::{Context, Image, Origin};

    fn process(comm: &str, args: &[&str]) -> Process {
        let mut process = unknown(comm);
        process.start_program(Image::new(None, None, Some(Argv::from_args(args))));
        process
    }

    fn unknown(comm: &str) -> Process {
        let task = Task {
            key: ProcKey::new(1234, 1),
            parent: ProcKey::SWAPPER,
            creds: Creds::default(),
            comm: Comm::new(comm.as_bytes()),
            cgroup_id: None,
            pid_ns: None,
            ns_pid: None,
            threads: 1,
            kernel: false,
        };
        let context = Arc::new(Context::new(&task, None));
        Process::new(&task, context, ProcKey::SWAPPER, Origin::Found, 1)
    }

    #[test]
    fn name_command_line_user_and_the_beginning_of_the_pid_are_looked_at() {
        let process = process("python3", &["python3", "-m", "http.server", "8080"]);
        for text in ["", "pyth", "-m http", "r 8080", "alice", "123", "1234", "8080"] {
            assert!(Filter::new(text).matches(&process, "alice"), "{text}");
        }
        for text in ["perl", "http.server  8080", "8080 ", "234", "12345", "bob"] {
            assert!(!Filter::new(text).matches(&process, "alice"), "{text}");
        }
    }

    #[test]
    fn case_counts_only_if_a_capital_was_typed() {
        let process = process("Xorg", &["/usr/bin/Xorg", "\u{c9}t\u{e9}"]);
        for text in ["xorg", "Xorg", "\u{c9}t", "t\u{e9}"] {
            assert!(Filter::new(text).matches(&process, "root"), "{text}");
        }
        for text in ["XORG", "xOrg", "Root", "\u{e9}t"] {
            assert!(!Filter::new(text).matches(&process, "root"), "{text}");
        }
    }

    #[test]
    fn a_fork_that_never_execed_is_found_by_the_program_it_runs() {
        let mut child = unknown("sh");
        child.inherit(Some(Image::new(None, None, Some(Argv::from_args(["nginx"])))));
        assert!(Filter::new("nginx").matches(&child, "root"));
    }
}
