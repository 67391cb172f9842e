//! What the process and all below it come to.

use ptree_core::text;

use super::Page;
use crate::label::{self, Tone};

impl Page<'_> {
    /// The sums over the subtree, where anything is or was below.
    pub(super) fn subtree(&mut self) {
        let rows = self.app.list().rows();
        let Some(totals) = rows.totals(self.app.tree(), self.process.key) else { return };
        let tally = totals.tally;
        if totals.alive + tally.finished < 2 {
            return;
        }
        self.heading("Subtree: itself and all below, those that left the tree counted in".to_owned());
        self.add("Alive", totals.alive.to_string());
        self.add("Finished", tally.finished.to_string());
        let tone = if tally.failed > 0 { Tone::Bad } else { Tone::Plain };
        self.tone("Failed", tally.failed.to_string(), tone);
        self.add("Forked in it", tally.spawned.to_string());
        let share = match totals.measured {
            0 => String::new(),
            _ => format!(", {} now", label::percent(totals.cpu_share())),
        };
        self.add("CPU time", format!("{}{share}", text::duration(tally.cpu_ns)));
        let sizes = [("Resident", totals.rss_bytes), ("Read", tally.read_bytes), ("Written", tally.write_bytes)];
        for (label, size) in sizes {
            if size > 0 {
                self.add(label, text::bytes(size));
            }
        }
    }
}
