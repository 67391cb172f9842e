//! Where the truth comes from: files of /proc, clocks of the kernel, and what it told who waited. Each answer is `None` where this
//! kernel does not have it, and as the stream would write it otherwise.

use std::collections::BTreeMap;
use std::os::linux::fs::MetadataExt as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use serde_json::{Map, Value, json};

use crate::emulated;
use crate::workload::Log;

pub(super) const TICK_NS: u64 = crate::proc::TICK_NS;
/// How far the parts of CPU time may be from each other.
pub(crate) const DIVIDED_NS: u64 = 10 * TICK_NS;

fn ns(clock: ClockId) -> u64 {
    let time = clock_gettime(clock).unwrap();
    u64::try_from(time.tv_sec() * 1_000_000_000 + time.tv_nsec()).unwrap()
}

pub(super) fn boottime_ns() -> u64 {
    ns(ClockId::CLOCK_BOOTTIME)
}

/// Fields of a `stat`, counted from 1 as in proc(5).
fn stat_field(text: &str, field: usize) -> Option<i64> {
    match field {
        1 => text.split(' ').next()?.parse().ok(),
        _ => text.rsplit_once(") ")?.1.split([' ', '\n']).nth(field - 3)?.parse().ok(),
    }
}

/// Pages of a process that the kernel has not counted yet, at most. From 6.2 on it counts them on each CPU apart and adds up what
/// is beyond 32, or two for each CPU; before, each thread adds up 64. There are three kinds.
pub(super) fn uncounted_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/stat").unwrap();
    let lines = text.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "));
    let cpus = u64::try_from(lines.count()).unwrap();
    3 * 4096 * (cpus * (2 * cpus).max(32)).max(128)
}

/// Whether all threads of a process do.
pub(super) fn sleeps(pid: u64) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    let stats = threads.flatten().map(|thread| std::fs::read(thread.path().join("stat")).unwrap_or_default());
    stats
        .into_iter()
        .all(|stat| String::from_utf8_lossy(&stat).rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S')))
}

/// One that lives.
pub(super) struct Living {
    pid: u64,
    name: String,
    /// What it has noted of itself, since nobody else can know.
    noted: Option<Value>,
    /// Where the unified hierarchy is to be seen.
    unified: PathBuf,
}

impl Living {
    pub(super) fn new(pid: u64, noted: Option<&Value>, unified: &Path) -> Self {
        let mut process = Self { pid, name: String::new(), noted: noted.cloned(), unified: unified.to_owned() };
        process.name = format!("{} [{pid}]", process.comm().unwrap_or_default());
        process
    }

    /// For people.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn bytes(&self, file: &str) -> Option<Vec<u8>> {
        std::fs::read(format!("/proc/{}/{file}", self.pid)).ok()
    }

    fn text(&self, file: &str) -> Option<String> {
        Some(String::from_utf8_lossy(&self.bytes(file)?).into_owned())
    }

    fn line(&self, file: &str, name: &str) -> Option<String> {
        Some(self.text(file)?.lines().find_map(|line| line.strip_prefix(name))?.trim().to_owned())
    }

    pub(super) fn stat(&self, field: usize) -> Option<Value> {
        stat_field(&self.text("stat")?, field).map(Value::from)
    }

    /// Of `stat`, nanoseconds.
    pub(super) fn ticks(&self, field: usize) -> Option<Value> {
        Some((self.stat(field)?.as_u64()? * TICK_NS).into())
    }

    pub(super) fn state(&self) -> Option<Value> {
        Some(self.text("stat")?.rsplit_once(") ")?.1.split(' ').next()?.into())
    }

    /// The word at this place of a line of `status`.
    pub(super) fn id(&self, name: &str, place: usize) -> Option<Value> {
        Some(self.line("status", name)?.split_ascii_whitespace().nth(place)?.parse::<u64>().ok()?.into())
    }

    pub(super) fn last_id(&self, name: &str) -> Option<Value> {
        Some(self.line("status", name)?.split_ascii_whitespace().last()?.parse::<u64>().ok()?.into())
    }

    /// Of `status`, in bytes.
    pub(super) fn kib(&self, name: &str) -> Option<Value> {
        Some((self.id(name, 0)?.as_u64()? * 1024).into())
    }

    pub(super) fn io(&self, name: &str) -> Option<Value> {
        Some(self.line("io", name)?.parse::<u64>().ok()?.into())
    }

    pub(super) fn number(&self, file: &str) -> Option<Value> {
        Some(self.text(file)?.trim().parse::<u64>().ok()?.into())
    }

    /// To the nanosecond, by the clock of its CPU time.
    pub(super) fn cpu_ns(&self) -> Option<Value> {
        let clock = clock_getcpuclockid(Pid::from_raw(self.pid.try_into().ok()?)).ok()?;
        Some(ns(clock).into())
    }

    /// All its threads together; of one that has had others before, the kernel does not know.
    pub(super) fn run_delay_ns(&self) -> Option<Value> {
        if self.noted.is_some() {
            return None;
        }
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid)).ok()?.flatten();
        let waited = threads.map(|thread| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split(' ').nth(1)?.parse::<u64>().ok()
        });
        Some(waited.sum::<Option<u64>>()?.into())
    }

    pub(super) fn threads_begun(&self) -> Option<Value> {
        self.noted.as_ref().map_or_else(|| self.id("Threads:", 0), |noted| Some(noted["begun"].clone()))
    }

    /// As `ps` names it: of pseudo-terminals alone, that is sure without asking `ps`.
    pub(super) fn terminal(&self) -> Option<Value> {
        let device = self.stat(7)?.as_i64()?;
        match device >> 8 & 0xfff {
            0 => Some("?".into()),
            136..=143 => Some(format!("pts/{}", device & 0xff | device >> 12 & 0xf_ff00).into()),
            _ => None,
        }
    }

    /// Of all hierarchies: which of them tells most is tried in another test.
    pub(super) fn cgroups(&self) -> Option<Value> {
        let text = self.text("cgroup")?;
        let mine = self.unified_path().filter(|path| path.starts_with("/ptree-"));
        let paths = text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
        Some(mine.map_or_else(|| paths.collect(), |mine| json!([mine])))
    }

    fn unified_path(&self) -> Option<String> {
        self.line("cgroup", "0::")
    }

    /// Where it was put by this test.
    pub(super) fn unit(&self) -> Option<Value> {
        let path = self.unified_path().filter(|path| path.starts_with("/ptree-"))?;
        path.rsplit('/').next().map(Value::from)
    }

    pub(super) fn cgroup_id(&self) -> Option<Value> {
        let path = self.unified_path()?;
        Some(std::fs::metadata(self.unified.join(path.strip_prefix('/')?)).ok()?.st_ino().into())
    }

    pub(super) fn pid_ns(&self) -> Option<Value> {
        Some(std::fs::metadata(format!("/proc/{}/ns/pid", self.pid)).ok()?.st_ino().into())
    }

    pub(super) fn comm(&self) -> Option<Value> {
        let bytes = self.bytes("comm")?;
        Some(String::from_utf8_lossy(bytes.strip_suffix(b"\n")?).into())
    }

    /// Without what pads a title.
    pub(super) fn argv(&self) -> Option<Value> {
        let bytes = self.bytes("cmdline")?;
        let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        Some(bytes[..end].split(|&byte| byte == 0).map(String::from_utf8_lossy).collect())
    }

    fn link(&self) -> Option<String> {
        let link = std::fs::read_link(format!("/proc/{}/exe", self.pid)).ok()?;
        String::from_utf8(link.into_os_string().into_vec()).ok()
    }

    pub(super) fn exe(&self) -> Option<Value> {
        self.link().map(|link| link.strip_suffix(" (deleted)").unwrap_or(&link).into())
    }

    pub(super) fn is_deleted(&self) -> Option<Value> {
        self.link().map(|link| link.ends_with(" (deleted)").into())
    }
}

/// One that has ended.
pub(super) struct Ended {
    /// What who waited was told.
    line: Value,
    /// What was true while it lived.
    before: Map<String, Value>,
    noted: Option<Value>,
    killed: Option<Value>,
    starts: BTreeMap<u64, u64>,
    execs: usize,
    has_children: bool,
    /// It ended after the one and before the other.
    around_ns: [u64; 2],
}

impl Ended {
    pub(super) fn new(line: &Value, before: &Map<String, Value>, log: &Log, around_ns: [u64; 2]) -> Self {
        let of = |kind: &'static str| log.of(kind).filter(|other| other["pid"] == line["pid"]);
        let starts = log.of("fork").map(crate::workload::process).collect();
        Self {
            line: line.clone(),
            before: before.clone(),
            noted: of("facts").next().cloned(),
            killed: of("killed").next().cloned(),
            starts,
            execs: of("exec").count(),
            has_children: log.of("fork").any(|fork| fork["ppid"] == line["pid"]),
            around_ns,
        }
    }

    pub(super) fn told(&self, name: &str) -> Option<Value> {
        Some(self.line[name].clone())
    }

    pub(super) fn signal(&self) -> Option<Value> {
        match self.line["signal"].as_i64() {
            None => Some(Value::Null),
            Some(9) => Some("SIGKILL".into()),
            Some(other) => panic!("nobody here is killed by {other}"),
        }
    }

    pub(super) fn core(&self) -> Option<Value> {
        // Absent where there is none.
        Some(if self.line["core"] == true { true.into() } else { Value::Null })
    }

    /// As far as the workload knows.
    pub(super) fn killer(&self) -> Option<Value> {
        let Some(killed) = &self.killed else { return Some(Value::Null) };
        let by = killed["by"].as_u64()?;
        Some(
            json!({"pid": by, "start_ticks": self.starts[&by], "comm": "workload", "uid": 0, "cause": killed["cause"]}),
        )
    }

    pub(super) fn before(&self, name: &str) -> Option<Value> {
        self.before.get(name).cloned()
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.before.get(name)?.as_u64()
    }

    pub(super) fn at_least(&self, name: &str) -> Option<Value> {
        Some(json!([self.number(name)?, null]))
    }

    pub(super) fn end_ns(&self) -> Option<Value> {
        Some(json!(self.around_ns))
    }

    /// Its start is known in ticks.
    pub(super) fn lifetime_ns(&self) -> Option<Value> {
        let start_ns = self.number("start_ns")? * TICK_NS;
        let [from_ns, to_ns] = self.around_ns;
        Some(json!([from_ns - start_ns - TICK_NS, to_ns - start_ns]))
    }

    fn stat(&self, field: usize) -> Option<u64> {
        stat_field(self.line["stat"].as_str()?, field)?.try_into().ok()
    }

    /// The two parts that the kernel tells are rounded down each, and the calibration of who asks is off by less than one.
    pub(super) fn cpu_ns(&self) -> Option<Value> {
        let told_ns = (self.stat(14)? + self.stat(15)? + 3) * TICK_NS;
        Some(json!([self.number("cpu_ns")?, told_ns]))
    }

    /// As of the living.
    pub(super) fn part_ns(&self, name: &str, field: usize) -> Option<Value> {
        let to_ns = self.stat(field)? * TICK_NS + DIVIDED_NS;
        Some(json!([self.number(name)?.saturating_sub(DIVIDED_NS), to_ns]))
    }

    /// Both are of what is counted for each CPU apart; that which is told who waits is the most of children too.
    pub(super) fn peak(&self) -> Option<Value> {
        let slack = uncounted_bytes();
        let most = (!self.has_children).then(|| self.line["max_rss_kib"].as_u64().unwrap() * 1024 + slack);
        Some(json!([self.number("peak")?.saturating_sub(slack), most]))
    }

    /// Those of one thread where nothing is noted.
    pub(super) fn noted(&self, name: &str) -> Option<Value> {
        Some(self.noted.as_ref().map_or_else(|| 1.into(), |noted| noted[name].clone()))
    }

    /// A few lines of the log are written in the end.
    pub(super) fn bytes(&self, name: &str) -> Option<Value> {
        let before = self.number(name)?;
        Some(json!([before, before + 65_536]))
    }

    /// A thread that is being released when the last one ends may be counted twice: see `account.rs`.
    pub(super) fn faults(&self, name: &str, field: usize) -> Option<Value> {
        let slack = if emulated() { 10 } else { 0 };
        Some(json!([self.number(name)?, self.stat(field)? + slack]))
    }

    pub(super) fn execs(&self) -> Option<Value> {
        Some(self.execs.into())
    }
}
