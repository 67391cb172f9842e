//! The event format, schema 2: one JSON object a line, for streams and recordings alike.
//!
//! A field that is not known is absent. Bytes that are not printable text are escaped as [`ptree_core::text::escape`]
//! does, so that reading gives back exactly what was written. Readers skip types and fields that they do not know. What
//! a line may hold is in `line`, said once for both directions. Does not know files or pipes.

mod line;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{Entry, LineError, ReadError, Reader, Tally};
pub use write::{AlertStage, Known, Program, write_alert, write_clock, write_event, write_header, write_user};

/// Version of the format. In the first, `read_bytes` and `write_bytes` held those of reaped children as well, and `exe` the
/// kernel's mark of a deleted file.
pub const SCHEMA: u32 = 2;

/// Names of the types of lines.
mod kind {
    pub(super) const HEADER: &str = "header";
    pub(super) const PROCESS: &str = "process";
    pub(super) const FORK: &str = "fork";
    pub(super) const EXEC: &str = "exec";
    pub(super) const EXIT: &str = "exit";
    pub(super) const UID: &str = "uid";
    pub(super) const COMM: &str = "comm";
    pub(super) const TITLE: &str = "title";
    pub(super) const ZOMBIE: &str = "zombie";
    pub(super) const REAPED: &str = "reaped";
    pub(super) const EXE: &str = "exe";
    pub(super) const SESSION: &str = "session";
    pub(super) const PARENT: &str = "parent";
    pub(super) const MOVE: &str = "move";
    pub(super) const CGROUP: &str = "cgroup";
    pub(super) const USAGE: &str = "usage";
    pub(super) const LOST: &str = "lost";
    pub(super) const USER: &str = "user";
    pub(super) const CLOCK: &str = "clock";
    pub(super) const ALERT: &str = "alert";

    pub(super) const ALL: [&str; 20] = [
        HEADER, PROCESS, FORK, EXEC, EXIT, UID, COMM, TITLE, EXE, SESSION, PARENT, ZOMBIE, REAPED, MOVE, CGROUP, USAGE,
        LOST, USER, CLOCK, ALERT,
    ];
}
