//! What a user may type as a filter, against processes of any name and arguments.

use ptree_core::event::{Creds, Exe, Execed, Forked, Task};
use ptree_core::facts::Context;
use ptree_core::filter::{FilterError, complete};
use ptree_core::{Argv, Comm, Engine, Event, Filter, Look, ProcKey, Rows};

use crate::{caps, check_told, invariants};

/// The first line is the filter, the second the name of a user; the rest is the arguments of a process.
pub fn filter(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |&byte| byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let Ok(text) = std::str::from_utf8(part()) else { return };
    let user = String::from_utf8_lossy(part());
    let engine = processes(part());
    for (cursor, _) in text.char_indices() {
        let completion = complete(text, cursor);
        assert!(completion.range.end <= cursor && text.get(completion.range).is_some());
    }
    let filter = match Filter::parse(text) {
        Ok(filter) => filter,
        Err(error) => return check_error(text, &error),
    };
    assert_eq!(filter.text(), text, "what was typed can be edited");
    let understood = filter.to_string();
    let again = match Filter::parse(&understood) {
        Ok(again) => again,
        // Quotes and escapes may make it longer than a filter may be.
        Err(_) if understood.len() > 4096 => return,
        Err(error) => panic!("'{understood}' from '{text}': {error}"),
    };
    assert_eq!(again.to_string(), understood, "from '{text}'");
    for lineage in invariants::LINEAGES {
        let context = Context { tree: engine.tree(), lineage, now_ns: 5000, user: &|_| &*user, sums: None };
        let (judge, same) = (filter.judge(context), again.judge(context));
        let mut all = true;
        for process in engine.tree().iter() {
            let matches = judge.matches(process);
            assert_eq!((filter.matches(&context, process), same.matches(process)), (matches, matches), "'{text}'");
            all &= matches;
        }
        assert!(!filter.is_empty() || all, "an empty filter lets everything through");
    }
    let rows = Rows::of(engine.tree(), Look { filter, ..Look::default() }, |_| "");
    invariants::check_rows(&rows, &engine, false);
}

/// What is wrong is told on one printable line, at a place in the text.
fn check_error(text: &str, error: &FilterError) {
    assert_eq!(error.text(), text);
    assert!(text.get(error.range()).is_some(), "{error:?}");
    assert!(!error.message().is_empty() && !error.message().contains(char::is_control), "{error:?}");
    let shown = error.pointed_out(|text| text.chars().count());
    assert_eq!(shown.lines().count(), 2, "{error:?}");
    check_told(&shown, 2);
}

/// A parent, and its child that runs a program with these arguments.
fn processes(args: &[u8]) -> Engine {
    let mut engine = Engine::new(caps());
    let task = |pid: u32, parent: ProcKey| Task {
        creds: Creds { uid: pid, ..Creds::default() },
        comm: Comm::new(args),
        ..Task::of(ProcKey::new(pid, u64::from(pid)), parent)
    };
    let mut deltas = Vec::new();
    let shell = ProcKey::new(2, 2);
    for (task, forker) in [(task(2, ProcKey::SWAPPER), ProcKey::SWAPPER), (task(1234, shell), shell)] {
        engine.ingest(&Event::Fork(Forked { ts_ns: task.key.start_ns, task, forker }), &mut deltas);
    }
    let (filename, argv) = (Some(args.into()), Some(Argv::from_nul_terminated(args)));
    let exe = filename.clone().map(|path: std::sync::Arc<[u8]>| Exe::at(path));
    let interp = filename.clone();
    let exec = Execed { ts_ns: 2000, task: task(1234, shell), filename, exe, interp, argv, argv_truncated: false };
    engine.ingest(&Event::Exec(exec), &mut deltas);
    engine
}
