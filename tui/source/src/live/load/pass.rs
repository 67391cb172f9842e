//! Passes over all tasks: by the task iterator, or by /proc where that is refused.
//!
//! Does not know when a pass is due.

use std::fs;
use std::io::{self, Read};

use aya::programs::Iter;
use aya::programs::iter::IterLink;
use ptree_common::layout::Part;
use rustc_hash::FxHashMap;

use super::{ITERATOR, Kernel, Refusal, program};
use crate::decode::{Record, Row, decode, split};
use crate::live::clock::Witness;
use crate::live::error::LiveError;
use crate::live::leaderless::Threads;
use crate::{host, procfs};

impl Kernel {
    /// Visits every task; where the iterator is refused, every process of /proc.
    ///
    /// # Errors
    /// When the kernel refuses for lack of privilege or of what there is too little of at the moment, or, after it has once allowed it, for whatever reason; or the file
    /// cannot be read to its end; or what it shows is not what runs here, since the BTF is another kernel's.
    pub fn pass(&mut self) -> Result<Vec<Row>, LiveError> {
        if self.has(Part::Running) {
            let iterator: &mut Iter = program(&mut self.ebpf, ITERATOR)?;
            match iterator.attach().and_then(|id| iterator.take_link(id)) {
                Ok(link) => {
                    let rows = self.read_tasks(link)?;
                    return match self.doubted.take() {
                        Some(path) if !rows.iter().any(is_own) => {
                            let why = "with it, this process is not among those that are found".into();
                            Err(LiveError::DoubtfulBtf { path, why })
                        }
                        _ => Ok(rows),
                    };
                }
                Err(error) => {
                    let error = LiveError::program(ITERATOR, error);
                    if self.iterated || error.is_privilege() || error.may_pass() {
                        return Err(error);
                    }
                    self.refused.push(Refusal { part: Part::Running, error });
                }
            }
        }
        Ok(procfs::unlisted(&[], host::boottime_ns()))
    }

    fn read_tasks(&mut self, link: IterLink) -> Result<Vec<Row>, LiveError> {
        let mut file = link
            .into_file()
            .map_err(|error| LiveError::Read { what: "the task iterator", source: io::Error::other(error) })?;
        let witness = Witness::now();
        self.buffer.clear();
        file.read_to_end(&mut self.buffer).map_err(|source| LiveError::Read { what: "the task iterator", source })?;

        self.iterated = true;
        let mut rows: Vec<Row> = Vec::new();
        let mut threads: FxHashMap<u32, Threads> = FxHashMap::default();
        for record in split(&self.buffer) {
            match decode(record, self.page_size) {
                Ok(Record::Row(row)) => {
                    if let Some(witness) = witness {
                        self.clock.calibrate(witness, row.task.key.pid, row.cpu);
                    }
                    rows.push(row);
                }
                Ok(Record::Thread { pid, tid, cpu, sampled, run_delay_ns, io, state }) => {
                    if let Some(witness) = witness {
                        self.clock.calibrate(witness, tid, cpu);
                    }
                    let threads = threads.entry(pid).or_default();
                    threads.add(cpu.cpu_ns, sampled, run_delay_ns, io, state);
                }
                Ok(Record::Fork(_) | Record::Exec { .. } | Record::Exit { .. } | Record::Cgroup(_)) | Err(_) => {
                    self.undecoded += 1
                }
            }
        }
        host::learn_pid_namespace(rows.iter().map(|row| row.task.pid_ns));
        for row in &mut rows {
            if let Some(threads) = threads.get(&row.task.key.pid) {
                threads.complete(row);
            }
        }
        self.leaderless.complete(&mut rows, procfs::threads_rss_pages);
        Ok(rows)
    }

    /// Makes passes until the scheduler's clock is known, a few at most: a tick that comes between spoils a try.
    ///
    /// # Errors
    /// As for [`Kernel::pass`].
    pub fn ensure_calibrated(&mut self) -> Result<(), LiveError> {
        for _ in 0..5 {
            if self.clock.is_calibrated() || !self.has(Part::Running) {
                break;
            }
            self.pass()?;
        }
        Ok(())
    }
}

/// Whether it is this process, which is alive and sees itself, as far as it can be told: in a container, its pid is another
/// one there.
fn is_own(row: &Row) -> bool {
    let task = &row.task;
    let pid = if host::in_initial_pid_namespace() { Some(task.key.pid) } else { task.ns_pid };
    let name = fs::read("/proc/self/comm").unwrap_or_default();
    pid.is_none_or(|pid| pid == std::process::id()) && name.strip_suffix(b"\n") == Some(task.comm.as_bytes())
}
