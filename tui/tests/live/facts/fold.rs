//! The lines of a stream folded to one object a process, as README says that they are to be read: the newest of each field
//! holds, what is absent for being usual is filled in, and a child starts as what its forker runs.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::capture::{Key, Stream, key, ticked};
use crate::proc::Ticked;

type Object = Map<String, Value>;

/// What one runs, and where: its children do so as well, until they are said to do otherwise.
const INHERITED: &[&str] = &["argv", "exe", "exe_deleted", "exe_memfd", "cgroup_id", "cgroup", "unit", "container"];

/// See the module.
#[derive(Default)]
pub(super) struct Fold {
    living: HashMap<Key, Object>,
    ends: HashMap<Key, Object>,
    /// Paths by id.
    cgroups: HashMap<u64, Value>,
    /// Lines that it has.
    taken: usize,
}

impl Fold {
    pub(super) fn of(stream: &Stream) -> Self {
        let mut fold = Self::default();
        fold.follow(stream);
        fold
    }

    /// Takes what the stream says since.
    pub(super) fn follow(&mut self, stream: &Stream) {
        for line in &stream.events[self.taken..] {
            self.take(line);
        }
        self.taken = stream.events.len();
    }

    /// What is known of it.
    pub(super) fn process(&self, process: Ticked) -> Option<&Object> {
        of(&self.living, process)
    }

    /// Its end, with what is known of it besides.
    pub(super) fn exit(&self, process: Ticked) -> Option<Object> {
        let mut exit = of(&self.ends, process)?.clone();
        if !exit.contains_key("cgroup")
            && let Some(path) = self.process(process).and_then(|process| process.get("cgroup"))
        {
            exit.insert("cgroup".to_owned(), path.clone());
        }
        // By when it started, in what /proc counts in.
        if let Some(Value::Object(killer)) = exit.get_mut("killer")
            && let Some(start_ns) = killer.remove("start_ns").and_then(|start_ns| start_ns.as_u64())
        {
            killer.insert("start_ticks".to_owned(), (start_ns / super::TICK_NS).into());
        }
        Some(exit)
    }

    fn take(&mut self, line: &Value) {
        let kind = line["type"].as_str().unwrap();
        if kind == "cgroup" {
            self.cgroups.insert(line["cgroup_id"].as_u64().unwrap(), line["cgroup"].clone());
        }
        if !line["pid"].is_u64() || kind == "alert" {
            return;
        }
        let mut news = completed(line.as_object().unwrap());
        news.remove("type");
        match kind {
            "exit" => {
                self.ends.insert(key(line), news);
                return;
            }
            "usage" => {
                news.insert("measured_ns".to_owned(), line["ts_ns"].clone());
            }
            "fork" => {
                if let Some(forker) = self.living.get(&crate::capture::parent(line)) {
                    let inherited =
                        INHERITED.iter().filter_map(|&name| Some((name.to_owned(), forker.get(name)?.clone())));
                    let inherited: Object = inherited.collect();
                    self.living.insert(key(line), inherited);
                }
            }
            _ => {}
        }
        let object = self.living.entry(key(line)).or_default();
        // An id says where one is in the unified hierarchy. Who is still in the same is still in those beside it.
        let id = news.get("cgroup_id").filter(|id| object.get("cgroup_id") != Some(id));
        let path = id.and_then(|id| self.cgroups.get(&id.as_u64()?));
        if let Some(path) = path.filter(|_| !news.contains_key("cgroup")) {
            news.insert("cgroup".to_owned(), path.clone());
        }
        object.extend(news);
    }
}

/// Pids are used again, also while a test runs.
fn of(all: &HashMap<Key, Object>, process: Ticked) -> Option<&Object> {
    all.iter().find(|(key, _)| ticked(**key) == process).map(|(_, object)| object)
}

/// With what README says that is meant where it is absent.
pub(super) fn completed(object: &Object) -> Object {
    let mut whole = object.clone();
    let has = |name: &str| object.contains_key(name);
    let mut put = |name: &str, value: Value| {
        if !object.contains_key(name) {
            whole.insert(name.to_owned(), value);
        }
    };
    if has("uid") {
        put("ruid", object["uid"].clone());
        put("rgid", object["gid"].clone());
    }
    if has("pid_ns") {
        put("ns_pid", object["pid"].clone());
    }
    if has("exe") {
        put("exe_deleted", json!(false));
        put("exe_memfd", json!(false));
    }
    if matches!(object.get("type").and_then(Value::as_str), Some("process" | "fork" | "exec")) {
        put("threads", json!(1));
    }
    // The parent now, whoever forked it.
    if let Some(parent) = object.get("kernel_ppid") {
        whole.insert("ppid".to_owned(), parent.clone());
    }
    whole
}
