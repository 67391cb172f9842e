//! The columns of the table of processes, in one list: name, heading, width, worth, meaning, sort. Table, clicks on its
//! heading, configuration, chooser and help all read it.
//!
//! Does not know how a cell is filled; COMMAND, which comes last and takes the rest, is not among them.

mod chosen;

use ptree_core::SortKey;
use ptree_source::Part;

pub use self::chosen::Chosen;

/// On which side of its column something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// One line of the list.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// What it is about.
    pub column: Column,
    /// Stable name, for configuration.
    pub name: &'static str,
    /// The word above it.
    pub heading: &'static str,
    /// Columns of the screen; 0 for as many as the longest pid has digits.
    pub width: u16,
    /// Where its cells stand.
    pub side: Side,
    /// Whether it is shown unless somebody chooses otherwise.
    pub usual: bool,
    /// Where there is no room for all, those worth least are left out.
    pub worth: u8,
    /// What a click on the heading sorts by.
    pub sort: Option<SortKey>,
    /// One line on what it tells.
    pub about: &'static str,
}

macro_rules! columns {
    ($($variant:ident $name:literal $heading:literal $width:literal $side:ident $usual:literal $worth:literal $sort:expr, $about:literal;)+) => {
        /// A column.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Column {
            $(#[doc = $about] $variant,)+
        }

        /// All of them, in the order in which they stand unless somebody chooses otherwise.
        pub const COLUMNS: &[Spec] = &[$(Spec {
            column: Column::$variant,
            name: $name,
            heading: $heading,
            width: $width,
            side: Side::$side,
            usual: $usual,
            worth: $worth,
            sort: $sort,
            about: $about,
        },)+];
    };
}

// What somebody has added himself is worth more to him than most of what is there anyhow.
columns! {
    Pid "pid" "PID" 0 Right true 250 Some(SortKey::Pid), "process id";
    ParentPid "ppid" "PPID" 0 Right false 200 None, "parent's process id, by the lineage shown";
    User "user" "USER" 8 Left true 60 Some(SortKey::User), "effective user";
    Group "gid" "GID" 6 Right false 110 None, "effective group's number";
    Start "start" "START" 8 Left true 30 Some(SortKey::Birth), "when it started";
    End "end" "END" 8 Left false 120 None, "when it ended";
    Lifetime "lifetime" "LIFETIME" 8 Right true 70 Some(SortKey::Lifetime), "how long it has lived, or lived";
    Cpu "cpu" "CPU" 5 Right true 50 Some(SortKey::Cpu), "share of one CPU; of the dead, all CPU time";
    Time "time" "TIME" 7 Right true 20 Some(SortKey::Time), "CPU time";
    Rss "rss" "RSS" 5 Right true 40 Some(SortKey::Memory), "memory in use; of the dead, its peak";
    Peak "peak" "PEAK" 5 Right false 130 None, "peak of memory in use; known of the dead";
    Status "status" "STATUS" 12 Left true 240 None, "run state, or how it ended";
    Threads "threads" "THR" 4 Right false 140 Some(SortKey::Threads), "threads; of the living";
    ThreadsBegun "threads-begun" "BEGUN" 5 Right false 139 Some(SortKey::ThreadsBegun), "threads that it has had";
    ThreadsMost "threads-most" "MOST" 4 Right false 138 None, "threads at once at most; known of the dead";
    UserTime "user-time" "UTIME" 7 Right false 128 Some(SortKey::UserTime), "CPU time in user mode";
    SystemTime "system-time" "STIME" 7 Right false 127 Some(SortKey::SystemTime), "CPU time in the kernel";
    RunDelay "run-delay" "WAIT" 7 Right false 126 Some(SortKey::RunDelay), "time spent waiting for a CPU";
    Depth "depth" "DEPTH" 5 Right false 100 None, "levels above it in the tree";
    Children "children" "CHILD" 5 Right false 150 None, "children in the tree";
    Spawned "spawned" "SPAWN" 5 Right false 160 Some(SortKey::Spawned), "children that it has forked";
    Execs "execs" "EXECS" 5 Right false 146 None, "programs that it has started; 2+: seen since it was found";
    Read "read" "READ" 5 Right false 155 Some(SortKey::Read), "bytes that it has read from storage";
    Written "written" "WRITE" 5 Right false 154 Some(SortKey::Written), "bytes that it has written to storage";
    ReadRate "read-rate" "READ/s" 6 Right false 157 Some(SortKey::ReadRate), "bytes read per second; of the living";
    WriteRate "write-rate" "WRIT/s" 6 Right false 156 Some(SortKey::WriteRate), "bytes written per second; of the living";
    MinorFaults "minor-faults" "MINFLT" 6 Right false 105 None, "page faults without I/O; known of the dead";
    MajorFaults "major-faults" "MAJFLT" 6 Right false 106 None, "page faults with I/O; known of the dead";
    Session "sid" "SID" 0 Right false 118 Some(SortKey::Session), "session, by the pid that began it";
    ProcessGroup "pgid" "PGID" 0 Right false 117 Some(SortKey::Group), "process group, by the pid that began it";
    Terminal "tty" "TTY" 7 Left false 116 Some(SortKey::Terminal), "terminal; ? for none";
    Nice "nice" "NI" 3 Right false 115 Some(SortKey::Nice), "nice value";
    Login "login" "LOGIN" 8 Left false 114 Some(SortKey::Login), "who logged in, whoever it runs as since";
    AuditSession "audit-session" "SES" 5 Right false 113 None, "number of that login, by audit";
    Cgroup "cgroup" "CGROUP" 24 Left false 80 None, "path of its cgroup";
    Unit "unit" "UNIT" 16 Left false 90 None, "systemd unit";
    Container "container" "CONTAINER" 12 Left false 95 None, "container's id or name";
    Killer "killer" "KILLER" 16 Left false 145 None, "who or what sent the signal that ended it";
    TreeAlive "tree-alive" "ALIVE+" 6 Right false 186 Some(SortKey::TreeAlive), "subtree: how many live, itself too";
    TreeFailed "tree-failed" "FAILED+" 7 Right false 185 Some(SortKey::TreeFailed), "subtree: how many have failed";
    TreeSpawned "tree-spawned" "SPAWN+" 6 Right false 184 Some(SortKey::TreeSpawned), "subtree: how many were forked in it";
    TreeCpu "tree-cpu" "CPU+" 5 Right false 190 Some(SortKey::TreeCpu), "subtree: share of one CPU of all that live";
    TreeTime "tree-time" "SPENT+" 7 Right false 189 Some(SortKey::TreeTime), "subtree: CPU time of the living and the dead";
    TreeRss "tree-rss" "RSS+" 5 Right false 188 Some(SortKey::TreeMemory), "subtree: memory in use, each for itself";
    TreeRead "tree-read" "READ+" 5 Right false 182 Some(SortKey::TreeRead), "subtree: bytes read from storage";
    TreeWritten "tree-written" "WRITE+" 6 Right false 181 Some(SortKey::TreeWritten), "subtree: bytes written to storage";
}

impl Column {
    /// Its line in the list.
    #[must_use]
    pub const fn spec(self) -> &'static Spec {
        &COLUMNS[self as usize]
    }

    /// The column of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        COLUMNS.iter().find(|spec| spec.name == name).map(|spec| spec.column)
    }

    /// Whether nothing is left to show in it where these parts are missing.
    #[must_use]
    pub fn is_blank(self, degraded: &[String]) -> bool {
        let filled_by: &[Part] = match self {
            // The memory of the living and the peak of the dead share one.
            Self::Rss => &[Part::Memory, Part::PeakMemory],
            Self::TreeRss => &[Part::Memory],
            Self::Peak => &[Part::PeakMemory],
            Self::Killer => &[Part::Killers],
            Self::UserTime | Self::SystemTime => &[Part::UserTime],
            Self::RunDelay => &[Part::RunDelay],
            Self::Session | Self::ProcessGroup | Self::Nice => &[Part::Sessions],
            Self::Terminal => &[Part::Terminals],
            Self::Login | Self::AuditSession => &[Part::Logins],
            Self::Read | Self::Written | Self::ReadRate | Self::WriteRate | Self::TreeRead | Self::TreeWritten => {
                &[Part::StorageIo]
            }
            _ => return false,
        };
        filled_by.iter().all(|part| degraded.iter().any(|name| name == part.name()))
    }

    /// Whether it tells of a process and all below it together.
    #[must_use]
    pub fn is_sum(self) -> bool {
        self.spec().sort.is_some_and(SortKey::is_of_subtree)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_column_is_named_once_and_has_a_worth_of_its_own() {
        let (mut names, mut worths) = (HashSet::new(), HashSet::new());
        for (at, spec) in COLUMNS.iter().enumerate() {
            assert_eq!((spec.column as usize, Column::named(spec.name)), (at, Some(spec.column)));
            assert!(names.insert(spec.name) && worths.insert(spec.worth), "{}", spec.name);
            assert!(spec.width == 0 || spec.heading.len() <= spec.width.into(), "{}", spec.name);
            assert!(spec.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", spec.name);
        }
        assert_eq!(COLUMNS.iter().filter(|spec| spec.usual).count(), 8);
    }

    #[test]
    fn a_column_is_blank_when_all_that_fills_it_is_missing() {
        let of = |parts: &[Part]| -> Vec<&str> {
            let missing: Vec<_> = parts.iter().map(|part| part.name().to_owned()).collect();
            COLUMNS.iter().filter(|spec| spec.column.is_blank(&missing)).map(|spec| spec.name).collect()
        };
        assert_eq!(of(&[]), [""; 0]);
        assert_eq!(of(&[Part::Memory]), ["tree-rss"]);
        assert_eq!(of(&[Part::PeakMemory]), ["peak"]);
        assert_eq!(of(&[Part::Memory, Part::PeakMemory]), ["rss", "peak", "tree-rss"]);
        assert_eq!(of(&[Part::StorageIo]), ["read", "written", "read-rate", "write-rate", "tree-read", "tree-written"]);
        assert_eq!(of(&[Part::Births, Part::State]), [""; 0]);
    }

    #[test]
    fn sums_are_those_that_rows_can_be_sorted_by() {
        let sums = COLUMNS.iter().filter(|spec| spec.column.is_sum()).count();
        assert_eq!(sums, SortKey::ALL.into_iter().filter(|key| key.is_of_subtree()).count());
        assert!(COLUMNS.iter().all(|spec| spec.about.starts_with("subtree: ") == spec.column.is_sum()));
        let keys: HashSet<_> = COLUMNS.iter().filter_map(|spec| spec.sort).chain([SortKey::Name]).collect();
        assert_eq!(keys.len(), SortKey::ALL.len(), "COMMAND alone sorts by name");
    }
}
