//! Any text as a script: through its parser, and the events through the format and the engine.

use ptree_core::Engine;
use ptree_core::script::{Step, parse};
use ptree_source::ndjson::Entry;

use crate::{as_text, caps, check_told, events, invariants};

/// The text of a script; what is not UTF-8 ends it.
pub fn script(bytes: &[u8]) {
    let text = as_text(bytes);
    let steps = match parse(text, 1000) {
        Ok(steps) => steps,
        Err(error) => {
            assert!(error.line <= text.lines().count(), "{error}");
            check_told(&error.to_string(), 1);
            return;
        }
    };
    let mut engine = Engine::new(caps());
    let mut deltas = Vec::new();
    for step in steps {
        match step {
            Step::Event(event) => {
                engine.ingest(&event, &mut deltas);
                let entry = Entry::Event(*event);
                assert_eq!(events::again(&entry), entry);
            }
            Step::Tick(now_ns) => engine.tick(now_ns, &mut deltas),
        }
        deltas.clear();
        invariants::check(&engine);
    }
}
