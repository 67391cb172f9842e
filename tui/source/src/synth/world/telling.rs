//! What records and passes say of the living.

use ptree_core::Event;
use ptree_core::event::{Exe, Found, Task, Usage};

use super::{Living, NONE, Slot, World};
use crate::synth::rng::mix;

impl World {
    /// Tells of all the living as found at the beginning.
    pub(in crate::synth) fn tell_seeded(&mut self) {
        let found: Vec<_> = self.slots.iter().copied().filter(|&slot| slot != NONE).collect();
        for slot in found {
            let event = Event::Process(self.found(&self[slot], false));
            self.events.push_back(event);
            let usage = Event::Usage(self.usage(&self[slot]));
            self.events.push_back(usage);
        }
    }

    /// Tells what has changed without a hook, as a pass over all tasks would.
    pub(in crate::synth) fn tell_changes(&mut self) {
        for (slot, key) in std::mem::take(&mut self.untold) {
            if self[slot].key == key {
                self.tell(slot);
            }
        }
    }

    /// What it uses now. A busy one has a share of a CPU that depends on its key alone, so that its CPU time never
    /// goes back.
    pub(in crate::synth) fn usage(&self, living: &Living) -> Usage {
        let bits = mix(living.key.start_ns ^ u64::from(living.key.pid));
        let lifetime_ns = self.clock_ns - living.key.start_ns;
        let forked = living.key.start_ns > self.begin_ns;
        let share = if forked { 20 + bits % 230 } else { (bits % 16).saturating_sub(12) };
        Usage {
            ts_ns: self.clock_ns,
            key: living.key,
            cpu_ns: if living.program.is_some() { lifetime_ns / 256 * share } else { 0 },
            run_delay_ns: None,
            user_ns: None,
            rss_bytes: living.program.is_some().then_some((200 + (bits >> 8) % 20_000) * 4096),
            read_bytes: None,
            write_bytes: None,
            threads_begun: Some(living.threads),
            threads: living.threads,
            state: if forked && bits.is_multiple_of(3) { 'R' } else { 'S' },
        }
    }

    /// As it is found, with what /proc says of it.
    pub(in crate::synth) fn found(&self, living: &Living, repaired: bool) -> Found {
        let program = living.program.as_ref();
        Found {
            ts_ns: self.clock_ns,
            task: self.task(living),
            argv: program.map(|program| program.argv.clone()),
            argv_truncated: false,
            exe: program.map(|program| Exe::at(program.path.clone())),
            cgroup: program.map(|_| self.homes[living.home].cgroup.clone()),
            exited: None,
            repaired,
        }
    }

    /// What every record says of it.
    pub(in crate::synth) fn task(&self, living: &Living) -> Task {
        let home = &self.homes[living.home];
        Task {
            creds: living.creds,
            comm: living.comm,
            cgroup_id: Some(home.cgroup_id),
            pid_ns: Some(home.pid_ns),
            ns_pid: Some(living.ns_pid),
            threads: living.threads,
            kernel: living.program.is_none(),
            ..Task::of(living.key, living.parent)
        }
    }

    pub(super) fn note(&mut self, slot: Slot) {
        let living = &mut self[slot];
        if !std::mem::replace(&mut living.untold, true) {
            let key = living.key;
            self.untold.push((slot, key));
        }
    }

    pub(super) fn tell(&mut self, slot: Slot) {
        let ts_ns = self.clock_ns;
        let living = &mut self[slot];
        if !std::mem::take(&mut living.untold) {
            return;
        }
        let Living { key, parent, creds, comm, .. } = *living;
        let told_parent = std::mem::replace(&mut living.told_parent, parent);
        let told_creds = std::mem::replace(&mut living.told_creds, creds);
        let told_comm = std::mem::replace(&mut living.told_comm, comm);
        if told_parent != parent {
            self.events.push_back(Event::Parent { ts_ns, key, parent });
        }
        if told_creds != creds {
            self.events.push_back(Event::Creds { ts_ns, key, creds });
        }
        if told_comm != comm {
            self.events.push_back(Event::Comm { ts_ns, key, comm });
        }
    }
}
