//! Who is whose child, and who gets the children of the dead.

use super::{Living, NONE, Slot, World};

impl World {
    /// Its children and theirs and so on, parents first.
    pub(in crate::synth) fn descendants(&self, slot: Slot) -> Vec<Slot> {
        let mut found = vec![slot];
        let mut at = 0;
        while let Some(&of) = found.get(at) {
            let mut child = self[of].first_child;
            while child != NONE {
                found.push(child);
                child = self[child].next;
            }
            at += 1;
        }
        found.remove(0);
        found
    }

    pub(super) fn link(&mut self, slot: Slot, parent: Slot) {
        let parent_key = self[parent].key;
        let next = std::mem::replace(&mut self[parent].first_child, slot);
        if next != NONE {
            self[next].previous = slot;
        }
        let living = &mut self[slot];
        (living.above, living.parent) = (parent, parent_key);
        (living.next, living.previous) = (next, NONE);
    }

    pub(super) fn unlink(&mut self, slot: Slot) {
        let Living { above, next, previous, .. } = self[slot];
        if next != NONE {
            self[next].previous = previous;
        }
        if previous != NONE {
            self[previous].next = next;
        } else if above != NONE {
            self[above].first_child = next;
        }
    }

    /// Who gets the children of one that ends: the nearest subreaper above it in its pid namespace, or the
    /// namespace's init. As the kernel, it looks for a subreaper only where there was one when it was forked.
    pub(super) fn reaper(&self, slot: Slot) -> Slot {
        let Living { home, below_subreaper, mut above, .. } = self[slot];
        let home = &self.homes[home];
        above = if below_subreaper { above } else { NONE };
        while above != NONE && above != home.reaper && self.homes[self[above].home].pid_ns == home.pid_ns {
            if self[above].subreaper {
                return above;
            }
            above = self[above].above;
        }
        // A container's init ends last.
        if home.reaper == NONE || home.reaper == slot { Slot(0) } else { home.reaper }
    }
}
