//! What a user may type as a filter, against processes of any name and arguments.

use ptree_core::event::{Creds, Execed, Forked, Task};
use ptree_core::{Argv, Comm, Engine, Event, Filter, Look, ProcKey, Rows};

use crate::{config, invariants};

/// The first line is the filter, the second the name of a user; the rest is the arguments of a process.
pub fn filter(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |&byte| byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let Ok(text) = std::str::from_utf8(part()) else { return };
    let user = String::from_utf8_lossy(part());
    let engine = processes(part());
    let filter = Filter::new(text);
    assert_eq!(filter.text(), text, "what was typed can be edited");
    let matches = engine.tree().iter().filter(|process| filter.matches(process, &user)).count();
    assert!(!filter.is_empty() || matches == engine.tree().len(), "an empty filter lets everything through");
    let rows = Rows::of(engine.tree(), Look { filter, ..Look::default() }, |_| "");
    invariants::check_rows(&rows, &engine, false);
}

/// A parent, and its child that runs a program with these arguments.
fn processes(args: &[u8]) -> Engine {
    let mut engine = Engine::new(config());
    let task = |pid: u32, parent: ProcKey| Task {
        key: ProcKey::new(pid, u64::from(pid)),
        parent,
        creds: Creds { uid: pid, ..Creds::default() },
        comm: Comm::new(args),
        cgroup_id: None,
        pid_ns: None,
        ns_pid: None,
        threads: 1,
        kernel: false,
    };
    let mut deltas = Vec::new();
    let shell = ProcKey::new(2, 2);
    for (task, forker) in [(task(2, ProcKey::SWAPPER), ProcKey::SWAPPER), (task(1234, shell), shell)] {
        engine.ingest(&Event::Fork(Forked { ts_ns: task.key.start_ns, task, forker }), &mut deltas);
    }
    let (filename, argv) = (Some(args.into()), Some(Argv::from_nul_terminated(args)));
    let exec = Execed { ts_ns: 2000, task: task(1234, shell), filename, argv, argv_truncated: false };
    engine.ingest(&Event::Exec(exec), &mut deltas);
    engine
}
