//! A stream from anywhere: through the reader and the engine, and what was understood through the writer and back.

use std::io::BufReader;

use ptree_core::Engine;
use ptree_source::ndjson::{Entry, Known, ReadError, Reader, write_clock, write_event, write_header, write_user};

use crate::{caps, check_told, invariants};

/// The first byte is how much of the stream is read at a time.
pub fn events(bytes: &[u8]) {
    let Some((&size, stream)) = bytes.split_first() else { return };
    let mut reader = Reader::new(BufReader::with_capacity(usize::from(size).max(1), stream));
    let mut engine = Engine::new(caps());
    let mut deltas = Vec::new();
    let mut errors = 0;
    for entry in reader.by_ref() {
        match entry {
            Ok(entry) => {
                assert_eq!(again(&entry), entry);
                if let Entry::Event(event) = &entry {
                    engine.ingest(event, &mut deltas);
                    deltas.clear();
                }
            }
            Err(ReadError::Line(error)) => {
                errors += 1;
                check_told(&error.to_string(), 1);
            }
            Err(error) => assert!(matches!(error, ReadError::Schema { .. }), "{error}"),
        }
    }
    engine.tick(u64::MAX, &mut deltas);
    invariants::check(&engine);
    let tally = reader.tally();
    assert_eq!(tally.bad, errors);
    assert!(tally.bad + tally.unknown_types <= tally.lines);
    assert!(reader.next().is_none(), "the end is the end");
}

/// Written and read once more.
pub(crate) fn again(entry: &Entry) -> Entry {
    let mut line = Vec::new();
    let written = match entry {
        Entry::Header(header) => write_header(&mut line, header, "replay"),
        Entry::Event(event) => write_event(&mut line, event, &Known::default()),
        Entry::Clock(anchor) => write_clock(&mut line, *anchor),
        Entry::User { uid, name } => write_user(&mut line, *uid, name),
    };
    assert!(written.is_ok(), "memory takes it all");
    let mut reader = Reader::new(&line[..]);
    match reader.next() {
        Some(Ok(entry)) => entry,
        other => panic!("{other:?} from {:?}", String::from_utf8_lossy(&line)),
    }
}
