//! The columns of the table of processes, in one list: which fact each tells, its heading, width and worth. Table, clicks on
//! its heading, configuration, chooser and help all read it.
//!
//! What a fact is called and tells, and how rows are sorted by it, is in [`ptree_core::facts`]. Does not know how a cell is
//! filled; COMMAND, which comes last and takes the rest, is not among them.

mod chosen;

use ptree_core::Fact;
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
    /// The column.
    pub column: Column,
    /// What it tells, and what a click on the heading sorts by.
    pub fact: Fact,
    /// The name of the fact.
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
    /// One line on what it tells.
    pub about: &'static str,
}

macro_rules! columns {
    ($($variant:ident $heading:literal $width:literal $side:ident $usual:literal $worth:literal;)+) => {
        /// A column; each has the name of the fact that it tells.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Column {
            $(#[doc = $heading] $variant,)+
        }

        /// All of them, in the order in which they stand unless somebody chooses otherwise.
        pub const COLUMNS: &[Spec] = &[$(Spec {
            column: Column::$variant,
            fact: Fact::$variant,
            name: Fact::$variant.spec().name,
            heading: $heading,
            width: $width,
            side: Side::$side,
            usual: $usual,
            worth: $worth,
            about: Fact::$variant.spec().about,
        },)+];
    };
}

// What somebody has added himself is worth more to him than most of what is there anyhow.
columns! {
    Pid "PID" 0 Right true 250;
    ParentPid "PPID" 0 Right false 200;
    User "USER" 8 Left true 60;
    Gid "GID" 6 Right false 110;
    Start "START" 8 Left true 30;
    End "END" 8 Left false 120;
    Lifetime "LIFETIME" 8 Right true 70;
    Cpu "CPU" 5 Right true 50;
    Time "TIME" 7 Right true 20;
    Rss "RSS" 5 Right true 40;
    Peak "PEAK" 5 Right false 130;
    State "STATUS" 12 Left true 240;
    Threads "THR" 4 Right false 140;
    ThreadsBegun "BEGUN" 5 Right false 139;
    ThreadsMost "MOST" 4 Right false 138;
    UserTime "UTIME" 7 Right false 128;
    SystemTime "STIME" 7 Right false 127;
    RunDelay "WAIT" 7 Right false 126;
    Depth "DEPTH" 5 Right false 100;
    Children "CHILD" 5 Right false 150;
    Spawned "SPAWN" 5 Right false 160;
    Execs "EXECS" 5 Right false 146;
    Read "READ" 5 Right false 155;
    Written "WRITE" 5 Right false 154;
    ReadRate "READ/s" 6 Right false 157;
    WriteRate "WRIT/s" 6 Right false 156;
    MinorFaults "MINFLT" 6 Right false 105;
    MajorFaults "MAJFLT" 6 Right false 106;
    Session "SID" 0 Right false 118;
    ProcessGroup "PGID" 0 Right false 117;
    Terminal "TTY" 7 Left false 116;
    Nice "NI" 3 Right false 115;
    Login "LOGIN" 8 Left false 114;
    AuditSession "SES" 5 Right false 113;
    Cgroup "CGROUP" 24 Left false 80;
    Unit "UNIT" 16 Left false 90;
    Container "CONTAINER" 12 Left false 95;
    Killer "KILLER" 16 Left false 145;
    TreeAlive "ALIVE+" 6 Right false 186;
    TreeFailed "FAILED+" 7 Right false 185;
    TreeSpawned "SPAWN+" 6 Right false 184;
    TreeCpu "CPU+" 5 Right false 190;
    TreeTime "SPENT+" 7 Right false 189;
    TreeRss "RSS+" 5 Right false 188;
    TreeRead "READ+" 5 Right false 182;
    TreeWritten "WRITE+" 6 Right false 181;
}

impl Column {
    /// Its line in the list.
    #[must_use]
    pub const fn spec(self) -> &'static Spec {
        &COLUMNS[self as usize]
    }

    /// What it tells.
    #[must_use]
    pub const fn fact(self) -> Fact {
        self.spec().fact
    }

    /// The column of a name, or of another name of the same fact.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Fact::named(name).and_then(Self::of)
    }

    /// The column that tells a fact.
    #[must_use]
    pub fn of(fact: Fact) -> Option<Self> {
        COLUMNS.iter().find(|spec| spec.fact == fact).map(|spec| spec.column)
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
        self.fact().is_sum()
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
}
