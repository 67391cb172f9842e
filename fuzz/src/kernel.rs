//! Bytes as they could come from the kernel: through the decoder (I9), the tracker and the engine.

use ptree_core::Engine;
use ptree_source::decode::{self, DecodeError, Record, Row};
use ptree_source::track::Tracker;

use crate::{caps, invariants};

/// Records behind one another. One of an unknown kind says what becomes of the rows of the iterator before it: the
/// number's remainder by 4 begins a pass, ends one, ends one after a loss, or seeds the account.
pub fn decode(bytes: &[u8]) {
    // As the ring buffer gives them: one record, maybe with more behind it, or less.
    let _ = decode::decode(bytes, 4096);
    let mut tracker = Tracker::new(100, bytes.len().is_multiple_of(2), u64::MAX);
    let mut engine = Engine::new(caps());
    let mut rows: Vec<Row> = Vec::new();
    let (mut events, mut deltas) = (Vec::new(), Vec::new());
    for record in decode::split(bytes) {
        match decode::decode(record, 4096) {
            Ok(Record::Row(row)) => rows.push(row),
            Ok(record) => tracker.record(record, &mut events),
            Err(DecodeError::Short { .. }) => {}
            Err(DecodeError::UnknownKind(kind)) => match kind % 4 {
                0 => tracker.begin_pass(),
                1 | 2 => {
                    let rows = std::mem::take(&mut rows);
                    let is_there = |key: ptree_core::ProcKey| key.pid.is_multiple_of(2);
                    tracker.finish_pass(rows, u64::from(kind), kind % 4 == 2, is_there, &mut events);
                }
                _ => tracker.seed(std::mem::take(&mut rows), &mut events),
            },
        }
        for event in events.drain(..) {
            engine.ingest(&event, &mut deltas);
        }
        deltas.clear();
        invariants::check(&engine);
    }
}
