//! What a user may type as a filter, against processes of any name and arguments.

use ptree_core::event::{Creds, Execed, Forked, Task};
use ptree_core::filter::{Context, complete};
use ptree_core::{Argv, Comm, Engine, Event, Filter, Lineage, Look, ProcKey, Rows};

use crate::{config, invariants};

/// The first line is the filter, the second the name of a user; the rest is the arguments of a process.
pub fn filter(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |&byte| byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let Ok(text) = std::str::from_utf8(part()) else { return };
    let user = String::from_utf8_lossy(part());
    let engine = processes(part());
    let offered = complete(text, text.len());
    assert!(text.get(offered.range).is_some(), "what is completed lies between characters");
    let filter = match Filter::parse(text) {
        Ok(filter) => filter,
        Err(error) => {
            assert!(text.get(error.range()).is_some(), "the place lies between characters");
            assert_eq!(error.pointed_out(str::len).lines().count(), 2, "{error}");
            return;
        }
    };
    assert_eq!(filter.text(), text, "what was typed can be edited");
    let written = filter.to_string();
    let again = Filter::parse(&written);
    // Quotes and escapes may make it longer than a filter may be.
    assert!(written.len() > 4096 || again.is_ok_and(|again| again.to_string() == written), "{written}");
    let name = |_| user.as_ref();
    let context = Context { tree: engine.tree(), lineage: Lineage::Forked, now_ns: engine.now_ns(), user: &name };
    let judge = filter.judge(context);
    let mut matches = 0;
    for process in engine.tree().iter() {
        assert_eq!(judge.matches(process), filter.matches(&context, process), "with a memory and without");
        matches += usize::from(judge.matches(process));
    }
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
