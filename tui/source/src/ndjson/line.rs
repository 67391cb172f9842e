//! What a line may hold: the types of lines, and every field of every type in one struct, so that names are said once for
//! both directions and a line is read in one pass, wherever its type stands.
//!
//! Does not know which type has which fields, see `types`; nor what a field may hold, see `value`.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use super::value::{Args, Text, Value, value};

macro_rules! kinds {
    ($($kind:ident $name:literal,)*) => {
        /// Types of lines.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Kind { $($kind,)* }

        impl Kind {
            /// As it stands in a line.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// The type of this name; `None` for one of the future.
            pub(super) fn named(name: &str) -> Option<Self> {
                Some(match name { $($name => Self::$kind,)* _ => return None })
            }
        }
    };
}

kinds! {
    Header "header",
    Process "process",
    Fork "fork",
    Exec "exec",
    Exit "exit",
    Uid "uid",
    Comm "comm",
    Title "title",
    Exe "exe",
    Session "session",
    Parent "parent",
    Zombie "zombie",
    Reaped "reaped",
    Move "move",
    Cgroup "cgroup",
    Usage "usage",
    Lost "lost",
    User "user",
    Clock "clock",
    Alert "alert",
}

/// A struct of fields that may all be absent, but for the type of the line.
macro_rules! line {
    ($(#[$doc:meta])* $name:ident { $($(#[$meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default, Serialize, Deserialize)]
        pub(super) struct $name<'a> {
            #[serde(rename = "type", borrow)]
            pub(super) kind: Cow<'a, str>,
            $(
                $(#[$meta])*
                #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "value")]
                pub(super) $field: Option<$type>,
            )*
        }

        impl $name<'_> {
            /// One of which nothing is known but its type.
            pub(super) fn of(kind: Kind) -> Self {
                Self { kind: kind.name().into(), ..Self::default() }
            }
        }
    };
}

line! {
    /// The line that says where and when events were captured.
    Heading {
        schema: u32,
        #[serde(borrow)]
        version: Text<'a>,
        #[serde(borrow)]
        host: Text<'a>,
        #[serde(borrow)]
        kernel: Text<'a>,
        #[serde(borrow)]
        boot_id: Text<'a>,
        boottime_ns: u64,
        unix_ns: u64,
        #[serde(borrow)]
        source: Text<'a>,
        /// Absent where nothing was left out.
        #[serde(borrow)]
        degraded: Vec<Text<'a>>,
    }
}

line! {
    /// Any other line. Fields stand in this order.
    Line {
        ts_ns: u64,
        /// For people: `ts_ns` on the wall clock.
        #[serde(borrow)]
        time: Text<'a>,
        pid: u32,
        start_ns: u64,
        ppid: u32,
        parent_start_ns: u64,
        /// The kernel's parent of a forked process: only where it is another than who forked.
        kernel_ppid: u32,
        kernel_parent_start_ns: u64,

        #[serde(borrow)]
        filename: Text<'a>,
        argv: Args,
        argv_truncated: bool,
        #[serde(borrow)]
        exe: Text<'a>,
        exe_deleted: bool,
        exe_memfd: bool,
        exe_truncated: bool,
        #[serde(borrow)]
        interp: Text<'a>,
        /// For people: programs that a process has started in its life, where its begin was seen.
        execs: u32,

        uid: u32,
        /// For people: the name of `uid`.
        #[serde(borrow)]
        user: Text<'a>,
        gid: u32,
        /// Absent where it is `uid`.
        ruid: u32,
        /// Absent where it is `gid`.
        rgid: u32,
        #[serde(borrow)]
        comm: Text<'a>,
        #[serde(borrow)]
        cgroup: Text<'a>,
        /// For people: what `cgroup` says.
        #[serde(borrow)]
        unit: Text<'a>,
        #[serde(borrow)]
        container: Text<'a>,
        cgroup_id: u64,
        pid_ns: u32,
        /// Where `pid_ns` is known, absent means `pid`, and null that it is not known.
        ns_pid: Option<u32>,
        /// Absent means 1; of a process that ends it is 0, whatever stands here.
        threads: u32,
        kernel: bool,

        sid: u32,
        pgid: u32,
        nice: i8,
        /// `?` for none.
        #[serde(borrow)]
        tty: Text<'a>,
        /// The number of nobody, 4294967295, where nobody has logged in.
        login_uid: u32,
        audit_session: u32,

        zombie: bool,
        code: u8,
        #[serde(borrow)]
        signal: Text<'a>,
        core: bool,
        /// For people: the kernel killed it for lack of memory, as `killer` says, too.
        oom: bool,
        #[serde(borrow)]
        killer: By<'a>,
        cpu_ns: u64,
        user_ns: u64,
        /// For people: `cpu_ns` less `user_ns`.
        system_ns: u64,
        run_delay_ns: u64,
        rss_bytes: u64,
        state: char,
        max_rss_bytes: u64,
        read_bytes: u64,
        write_bytes: u64,
        threads_begun: u32,
        threads_most: u32,
        minor_faults: u64,
        major_faults: u64,
        /// For people: `ts_ns` less `start_ns`.
        lifetime_ns: u64,
        /// For people: there is no cost.
        inferred: bool,
        repaired: bool,

        /// Of a loss, for people: the sum of them. Of an alert: how many have matched.
        count: u64,
        fork: u64,
        exec: u64,
        exit: u64,
        /// Absent where there are none.
        cgroups: u64,

        unix_ns: u64,
        #[serde(borrow)]
        name: Text<'a>,
        /// Of the alert.
        id: u64,
        #[serde(borrow)]
        rule: Text<'a>,
        #[serde(borrow)]
        level: Text<'a>,
        /// Forks per second.
        rate: f64,
        /// The highest rate so far.
        peak: f64,
        /// Of all forks, those below the culprit: 0 to 1.
        share: f64,
        #[serde(borrow)]
        message: Text<'a>,
    }
}

/// Who or what sent a signal. All but the cause is absent where a process had no hand in it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct By<'a> {
    #[serde(default, deserialize_with = "value", skip_serializing_if = "Option::is_none")]
    pub(super) pid: Option<u32>,
    #[serde(default, deserialize_with = "value", skip_serializing_if = "Option::is_none")]
    pub(super) start_ns: Option<u64>,
    #[serde(borrow, default, deserialize_with = "value", skip_serializing_if = "Option::is_none")]
    pub(super) comm: Option<Text<'a>>,
    #[serde(default, deserialize_with = "value", skip_serializing_if = "Option::is_none")]
    pub(super) uid: Option<u32>,
    #[serde(borrow)]
    pub(super) cause: Cow<'a, str>,
}

impl<'de: 'a, 'a> Value<'de> for By<'a> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Option::deserialize(deserializer)
    }
}
