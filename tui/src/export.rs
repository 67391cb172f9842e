//! The tree in other forms than the screen: a [`Moment`] is written in one of [`FORMATS`].
//!
//! Each format is one row here and one file. Does not know where it is written to.

pub mod csv;
pub mod dot;
pub mod file;
pub mod json;
pub mod text;

use std::borrow::Cow;
use std::io::{self, Write};

use ptree_core::facts::Context;
use ptree_core::{Process, Rows, Tree};
use ptree_source::Header;

use crate::wall::Wall;

/// What can be asked of a machine at one moment.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "holds a closure")]
pub struct Moment<'a> {
    /// Of which machine, and what is missing.
    pub header: &'a Header,
    /// The tree.
    pub tree: &'a Tree,
    /// Which of it, in which order; with the sums, where they are to be known.
    pub rows: &'a Rows,
    /// Now, for the ages of the living: boot-time nanoseconds.
    pub now_ns: u64,
    /// The wall clock.
    pub wall: &'a Wall,
    /// For how long CPU time was measured, nanoseconds, so that its share in that time is known.
    pub measured_ns: Option<u64>,
    /// Names of users; empty for an unknown one.
    pub user: &'a dyn Fn(u32) -> &'a str,
}

impl<'a> Moment<'a> {
    /// What facts are read from.
    #[must_use]
    pub fn context(&self) -> Context<'a> {
        let Self { tree, rows, now_ns, user, .. } = *self;
        Context { tree, lineage: rows.look().lineage, now_ns, user, sums: rows.sums() }
    }

    /// The processes that are asked for themselves, in order, each with how many of these it is below.
    pub fn asked_for(&self) -> impl Iterator<Item = (&'a Process, usize)> {
        let tree = self.tree;
        // Depths of the rows above, of those that match.
        let mut above: Vec<u32> = Vec::new();
        self.rows.iter().filter(|row| row.matched).filter_map(move |row| {
            let process = row.id.process().and_then(|key| tree.get(key))?;
            while above.pop_if(|depth| *depth >= row.depth).is_some() {}
            above.push(row.depth);
            Some((process, above.len() - 1))
        })
    }

    /// Name of a user made harmless by this, or its number.
    #[must_use]
    pub fn user_name(&self, uid: u32, harmless: fn(&[u8]) -> Cow<'_, str>) -> String {
        match (self.user)(uid) {
            "" => uid.to_string(),
            name => harmless(name.as_bytes()).into_owned(),
        }
    }
}

/// A form that a moment can be written in.
#[derive(Debug)]
pub struct Format {
    /// What it is called on the command line.
    pub name: &'static str,
    /// How the name of such a file ends.
    pub extension: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Writes a moment in it; in nothing but ASCII, where that is wanted and the format leaves a choice.
    pub write: fn(&mut dyn Write, &Moment<'_>, bool) -> io::Result<()>,
}

/// All of them, the usual one first.
pub const FORMATS: &[Format] = &[
    Format { name: "text", extension: "txt", about: "Columns and tree guides", write: text::write },
    Format {
        name: "json",
        extension: "json",
        about: "One JSON object",
        write: |out, moment, _| json::write(out, moment),
    },
    Format {
        name: "csv",
        extension: "csv",
        about: "A line for each process, with all that is known of it",
        write: |out, moment, _| csv::write(out, moment),
    },
    DOT,
];

/// What the screen writes: see [`FORMATS`].
pub const DOT: Format = Format {
    name: "dot",
    extension: "dot",
    about: "A graph for GraphViz",
    write: |out, moment, _| dot::write(out, moment),
};

impl Format {
    /// The format of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::tz::TimeZone;
    use ptree_core::facts::FACTS;
    use ptree_core::script::{Script, Step};
    use ptree_core::{Engine, Filter, Look};
    use ptree_source::TimeAnchor;
    use serde_json::Value;

    use super::*;

    /// What is written in a format of what a script says.
    pub(super) fn written(script: &str, names: &[(u32, &str)], format: &str, ascii: bool) -> String {
        of_those(script, names, format, ascii, "")
    }

    fn of_those(script: &str, names: &[(u32, &str)], format: &str, ascii: bool, filter: &str) -> String {
        let mut out = Vec::new();
        let format = Format::named(format).unwrap();
        with_moment(script, names, filter, |moment| (format.write)(&mut out, moment, ascii)).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn with_moment<T>(script: &str, names: &[(u32, &str)], filter: &str, write: impl FnOnce(&Moment<'_>) -> T) -> T {
        let mut engine = Engine::new(ptree_core::Config::default());
        for (uid, name) in names {
            engine.name_user(*uid, name);
        }
        let mut reader = Script::new(1_000_000_000);
        for line in script.lines() {
            if let Some(Step::Event(event)) = reader.line(line).unwrap() {
                engine.ingest(&event, &mut Vec::new());
            }
        }
        let user = |uid| engine.users().get(uid);
        let now_ns = engine.now_ns();
        let mut rows = Rows::new(Look { now_ns, filter: Filter::parse(filter).unwrap(), ..Look::default() });
        rows.want_totals(true);
        rows.refresh(engine.tree(), user);
        let anchor = TimeAnchor { boottime_ns: 0, unix_ns: 1_700_000_000_000_000_000 };
        let header = Header {
            version: String::new(),
            host: "h".to_owned(),
            kernel: "k".to_owned(),
            boot_id: "b".to_owned(),
            anchor,
            degraded: Vec::new(),
        };
        let (wall, measured_ns) = (Wall::new(anchor, TimeZone::UTC), Some(1));
        let (header, tree) = (&header, engine.tree());
        write(&Moment { header, tree, rows: &rows, now_ns, wall: &wall, measured_ns, user: &user })
    }

    const MACHINE: &str = "found 1 0 -- init
         fork 1 2 uid=7
         exec 2 file=./x exe=/usr/bin/x -- x 'a b' =1+1
         usage 2 90s user=30s rss=5M read=1K write=2K threads=3 state=R
         session 2 sid=2 pgid=2 nice=-5 tty=pts/1 login=7
         fork 2 3
         comm 3 '=cmd()'
         exit 3 SIGSEGV
         fork 2 4
         exit 4 3";

    fn csv(filter: &str) -> Vec<Vec<String>> {
        let text = of_those(MACHINE, &[(0, "root"), (7, "@ann")], "csv", false, filter);
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn csv_has_a_column_for_each_fact_and_a_line_for_each_process() {
        let lines = csv("");
        let names: Vec<_> = FACTS.iter().filter(|spec| spec.fact.is_shown()).map(|spec| spec.name).collect();
        assert_eq!(lines[0], names);
        let cell =
            |line: usize, name: &str| lines[line][names.iter().position(|other| *other == name).unwrap()].as_str();
        let pids: Vec<_> = (1..lines.len()).map(|line| cell(line, "pid")).collect();
        assert_eq!(pids, ["1", "2", "3", "4"]);
        for (name, value) in [
            ("ppid", "1"),
            ("time", "90.000000000"),
            ("user-time", "30.000000000"),
            ("rss", "5242880"),
            ("nice", "-5"),
            ("argv", "x 'a b' =1+1"),
            ("exe", "/usr/bin/x"),
            ("state", "running"),
            ("kernel", "no"),
            ("tree-failed", "2"),
            ("tree-spawned", "2"),
            ("start", "2023-11-14T22:13:23.000000000Z"),
            ("end", ""),
            ("threads", "3"),
        ] {
            assert_eq!(cell(2, name), value, "{name}");
        }
        assert_eq!([cell(3, "signal"), cell(3, "state"), cell(4, "code")], ["SIGSEGV", "failed", "3"]);
        // No text of another is a formula.
        assert_eq!([cell(3, "comm"), cell(2, "user"), cell(2, "login")], [r"\x3dcmd()", r"\x40ann", r"\x40ann"]);
        assert_eq!(csv("code=3").len(), 2, "only those asked for, as in JSON");
    }

    #[test]
    fn that_nobody_reads_any_more_is_told_as_such_in_every_format() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for format in FORMATS {
            let told = with_moment(MACHINE, &[], "", |moment| (format.write)(&mut Gone, moment, false));
            assert_eq!(told.map_err(|error| error.kind()), Err(io::ErrorKind::BrokenPipe), "{}", format.name);
        }
    }

    #[test]
    fn text_json_and_csv_have_the_same_processes_and_json_the_keys_of_facts() {
        let json: Value = serde_json::from_str(&written(MACHINE, &[], "json", false)).unwrap();
        let processes = json["processes"].as_array().unwrap();
        let text = written(MACHINE, &[], "text", false);
        let in_text: Vec<u64> =
            text.lines().skip(1).map(|line| line.split_whitespace().next().unwrap().parse().unwrap()).collect();
        assert_eq!(processes.iter().map(|process| process["pid"].as_u64().unwrap()).collect::<Vec<_>>(), in_text);
        assert_eq!(in_text.len(), csv("").len() - 1);
        let mut keys: HashSet<&str> = FACTS.iter().map(|spec| spec.key).collect();
        keys.extend(["parent_start_ns", "argv_truncated", "exe_truncated", "zombie"]);
        for process in processes {
            assert!(process.as_object().unwrap().keys().all(|key| keys.contains(key.as_str())), "{process}");
        }
        assert_eq!((&processes[1]["cpu_ns"], &processes[1]["nice"]), (&90_000_000_000_u64.into(), &(-5).into()));
        assert_eq!((&processes[1]["state"], &processes[1]["argv"][2]), (&"R".into(), &"=1+1".into()));
        assert_eq!(processes[3].get("state"), None, "a state is one of the living");
    }

    #[test]
    fn the_text_says_of_start_and_status_what_the_screen_says() {
        let text = written(MACHINE, &[], "text", false);
        let line = text.lines().nth(2).unwrap();
        assert!(line.contains(" 22:13:23 ") && line.contains(" running "), "{text}");
        assert!(text.lines().nth(1).unwrap().contains(" -     - alive "), "nobody has measured that: {text}");
    }
}
