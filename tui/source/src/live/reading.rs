//! What the kernel writes, made into records and rows that are right: decoded, and completed by what a record alone cannot
//! say.
//!
//! Knows neither when there is something to read nor what is made of it. Where the task iterator is refused, the rows are
//! those of /proc.

use std::fs;
use std::io::Read;

use ptree_common::layout::Part;
use rustc_hash::FxHashMap;

use super::clock::{SchedClock, Witness};
use super::error::LiveError;
use super::leaderless::{Leaderless, Threads};
use super::load::Kernel;
use crate::decode::{Record, Row, decode, split};
use crate::{host, procfs};

/// What is known, from one record to the next, that completes them.
pub struct Reading {
    page_size: u64,
    clock: SchedClock,
    leaderless: Leaderless,
    undecoded: u64,
    buffer: Vec<u8>,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            page_size: host::page_size(),
            clock: SchedClock::default(),
            leaderless: Leaderless::default(),
            undecoded: 0,
            buffer: Vec::new(),
        }
    }
}

impl Reading {
    /// Records skipped since they could not be decoded: none, unless object and program do not belong together.
    #[must_use]
    pub const fn undecoded(&self) -> u64 {
        self.undecoded
    }

    /// What a record of the ring buffer says; `None` where it makes no sense.
    pub(super) fn record(&mut self, bytes: &[u8]) -> Option<Record> {
        match decode(bytes, self.page_size) {
            Ok(mut record) => {
                self.clock.complete(&mut record);
                Some(record)
            }
            Err(_) => {
                self.undecoded += 1;
                None
            }
        }
    }

    /// Visits every task; where the iterator is refused, every process of /proc.
    ///
    /// # Errors
    /// As for [`Kernel::tasks`]; or the iterator's file cannot be read to its end; or what it shows is not what runs here, since the
    /// BTF is another kernel's.
    pub fn pass(&mut self, kernel: &mut Kernel) -> Result<Vec<Row>, LiveError> {
        let Some(mut tasks) = kernel.tasks()? else { return Ok(procfs::unlisted(&[], host::boottime_ns())) };
        let witness = Witness::now();
        self.buffer.clear();
        tasks.read_to_end(&mut self.buffer).map_err(|source| LiveError::Read { what: "the task iterator", source })?;
        let rows = self.rows(witness);
        match kernel.take_doubt() {
            Some(path) if !rows.iter().any(is_own) => {
                let why = "with it, this process is not among those that are found".into();
                Err(LiveError::DoubtfulBtf { path, why })
            }
            _ => Ok(rows),
        }
    }

    /// The processes that the iterator wrote of, when `witness` had just been charged.
    fn rows(&mut self, witness: Option<Witness>) -> Vec<Row> {
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
                // The iterator writes nothing else.
                Ok(_) | Err(_) => self.undecoded += 1,
            }
        }
        host::learn_pid_namespace(rows.iter().map(|row| row.task.pid_ns));
        for row in &mut rows {
            if let Some(threads) = threads.get(&row.task.key.pid) {
                threads.complete(row);
            }
        }
        self.leaderless.complete(&mut rows, procfs::threads_rss_pages);
        rows
    }

    /// Makes passes until the scheduler's clock is known, a few at most: a tick that comes between spoils a try.
    ///
    /// # Errors
    /// As for [`Reading::pass`].
    pub(super) fn ensure_calibrated(&mut self, kernel: &mut Kernel) -> Result<(), LiveError> {
        for _ in 0..5 {
            if self.clock.is_calibrated() || !kernel.has(Part::Running) {
                break;
            }
            self.pass(kernel)?;
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
