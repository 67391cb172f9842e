//! `cargo xtask vm`: the program on other kernels. Debian's archive has the kernels; each is booted in an emulated
//! machine that runs `doctor` and the live tests, and the outcome is a table.
//!
//! This file owns the order of things. Nothing is installed, and nothing outside of the cache is written to.

mod apt;
mod fixtures;
mod guest;
mod initramfs;
mod kernel;
mod options;
mod qemu;
mod report;
mod saved;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

pub(crate) use fixtures::run as btf_fixtures;
pub(crate) use guest::{TARGET, executable, needs_libraries};
pub(crate) use report::has_table;

use crate::process;

use apt::Archive;
use kernel::Candidate;
use options::Options;
use qemu::{Accelerator, Machine};
use report::Row;
use saved::Saved;

/// Fetches, boots, tells; fails when any kernel does not pass.
pub(crate) fn run(args: &[String]) -> Result<()> {
    if !cfg!(target_arch = "x86_64") {
        bail!("the machines are x86-64 ones, and so must be the programs in them: run it on such a machine");
    }
    let options = Options::parse(args)?;
    let cache = options.cache.clone().map_or_else(default_cache, Ok)?;
    fs::create_dir_all(&cache).with_context(|| format!("cannot make the folder '{}'", cache.display()))?;
    // Two runs would write the same logs and lists.
    let lock = File::create(cache.join("lock"))?;
    lock.lock()?;

    let archive = Archive::open(&cache, options.mirror.as_deref())?;
    let kernels = kernel::all(archive.packages()?.lines());
    let chosen = if options.ci { kernel::sample(&kernels) } else { kernel::choose(&kernels, &options.patterns)? };
    if options.list {
        chosen.iter().for_each(|candidate| println!("{candidate}"));
        return Ok(());
    }
    let rows = boot_all(&chosen, &archive, &cache, &options)?;
    println!("\n{}", report::text(&rows));
    if let Some(path) = &options.markdown {
        write_markdown(path, &rows)?;
    }
    match rows.iter().filter(|row| !row.passed()).count() {
        0 => Ok(()),
        failed => bail!("{failed} of {} kernels did not pass; what they said is above and in the logs", rows.len()),
    }
}

/// Writes the table to a file, or into the place that a document has for it.
fn write_markdown(path: &Path, rows: &[Row]) -> Result<()> {
    let today = process::output(Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    let commit = process::output(Command::new("git").args(["describe", "--always", "--dirty"]))?;
    let table = report::markdown(rows, today.trim(), commit.trim(), &qemu::version()?);
    let text = match fs::read_to_string(path) {
        Ok(document) => report::put_into(&document, &table)
            .with_context(|| format!("'{}' is there, and has no place for a table", path.display()))?,
        Err(_) => table,
    };
    fs::write(path, text).with_context(|| format!("cannot write '{}'", path.display()))
}

/// `$XDG_CACHE_HOME/ptree-tui/vm`.
fn default_cache() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => folder.into(),
        None => std::env::home_dir().context("there is no home folder: give --cache DIR")?.join(".cache"),
    };
    Ok(base.join("ptree-tui/vm"))
}

fn boot_all(chosen: &[Candidate], archive: &Archive, cache: &Path, options: &Options) -> Result<Vec<Row>> {
    eprintln!("{}", qemu::version()?);
    let logs = cache.join("logs");
    fs::create_dir_all(&logs)?;
    let guest = guest::build()?;
    let initramfs = cache.join("initramfs.cpio");
    let files = guest.initramfs(&guest.plan())?;
    fs::write(&initramfs, &files)?;
    let is_chosen = |row: &Row| chosen.iter().any(|candidate| candidate.label == row.label);
    let saved = Saved::open(cache, &files, |row| !options.resume && is_chosen(row))?;

    // What passed in another release than would be booted now says nothing.
    let known = |candidate: &Candidate| saved.row(&candidate.label, archive.newest(candidate)?);
    let archive = Mutex::new(archive);
    let fetch = |candidate: &Candidate| {
        // A thread that panicked while it fetched has left no state behind.
        archive.lock().unwrap_or_else(PoisonError::into_inner).vmlinuz(candidate)
    };
    let accelerator = match chosen.iter().find_map(|candidate| fetch(candidate).ok()) {
        Some((_, vmlinuz)) => accelerator(&guest, vmlinuz, cache)?,
        None => Accelerator::Tcg,
    };
    let boot = |candidate: &Candidate| -> Result<Row> {
        let (release, vmlinuz) = match fetch(candidate) {
            Ok(found) => found,
            Err(error) => return Ok(Row::absent(&candidate.label, &format!("{error:#}"))),
        };
        let log = |what: &str| logs.join(format!("{release}.{what}.log"));
        let machine = Machine {
            vmlinuz,
            initramfs: initramfs.clone(),
            accelerator,
            limit: options.timeout,
            console: log("console"),
            output: log("guest"),
        };
        let ending = machine.run()?;
        let row = Row::new(&candidate.label, &release, ending, &machine.said()?, &machine.console()?);
        if row.passed() && !options.keep_log {
            fs::remove_file(&machine.console)?;
            fs::remove_file(&machine.output)?;
        } else {
            eprintln!("logs: {}, {}", machine.output.display(), machine.console.display());
        }
        Ok(row)
    };
    let begun = Instant::now();
    let finished = AtomicUsize::new(0);
    let tell = |row: &Row, finished: usize| {
        let minutes = begun.elapsed().as_secs() / 60;
        eprintln!("{finished}/{} after {minutes} min: {}: {}", chosen.len(), row.label, row.verdict());
    };
    let look_at = |candidate: &Candidate| {
        // That the archive lacks the newest release is known once somebody has tried to fetch it.
        let row = match known(candidate).or_else(|| fetch(candidate).ok().and_then(|_| known(candidate))) {
            Some(row) => row,
            None => {
                eprintln!("{}: booting", candidate.label);
                let row = boot(candidate)?;
                if row.passed() {
                    saved.add(&row)?;
                }
                row
            }
        };
        tell(&row, finished.fetch_add(1, Ordering::Relaxed) + 1);
        Ok(row)
    };
    let mut rows = thread::scope(|scope| {
        // While one boots, the next are fetched. What cannot be had is told when its turn comes.
        scope.spawn(|| chosen.iter().filter(|candidate| known(candidate).is_none()).for_each(|next| drop(fetch(next))));
        in_parallel(chosen, options.jobs, look_at)
    })?;
    // Emulated machines are slow, and on a machine with other work slower still. What fails twice, and alone, fails; of
    // kernels that stand still or fall over the emulator may have the fault as well (see KERNELS.md), so once more.
    for (row, candidate) in rows.iter_mut().zip(chosen).filter(|(row, _)| row.was_booted()) {
        let mut tries = 1;
        while !row.passed() && tries < if row.broke_off() { 3 } else { 2 } {
            tries += 1;
            eprintln!("{}: booting again, alone", candidate.label);
            *row = boot(candidate)?.after(row);
            if row.passed() {
                saved.add(row)?;
            }
            tell(row, chosen.len());
        }
    }
    Ok(rows)
}

/// KVM where a machine with nothing to do comes to its end with it: in some virtual machines it is there and hangs.
fn accelerator(guest: &guest::Guest, vmlinuz: PathBuf, cache: &Path) -> Result<Accelerator> {
    if File::options().read(true).write(true).open("/dev/kvm").is_err() {
        return Ok(Accelerator::Tcg);
    }
    let initramfs = cache.join("trial.cpio");
    fs::write(&initramfs, guest.initramfs("")?)?;
    let (console, output) = (cache.join("trial.console.log"), cache.join("trial.guest.log"));
    let trial = Machine { vmlinuz, initramfs, accelerator: Accelerator::Kvm, limit: qemu::TRIAL, console, output };
    let works = trial.run()?.passed();
    for file in [trial.initramfs, trial.console, trial.output] {
        fs::remove_file(file)?;
    }
    eprintln!("{}", if works { "KVM works" } else { "KVM is there, but does not work: emulating" });
    Ok(if works { Accelerator::Kvm } else { Accelerator::Tcg })
}

/// Applies `work` to all, `jobs` at a time; results come in the order of `items`.
fn in_parallel<T: Sync, R: Send>(items: &[T], jobs: usize, work: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let (queue, done) = (Mutex::new(items.iter().enumerate()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let Some((number, item)) = queue.lock().unwrap_or_else(PoisonError::into_inner).next() else {
                        return;
                    };
                    let result = work(item);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((number, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_parallel_work_come_in_order_and_a_failure_fails() {
        let items: Vec<u32> = (0..50).collect();
        assert_eq!(in_parallel(&items, 4, |item| Ok(item * 2)).unwrap(), (0..50).map(|i| i * 2).collect::<Vec<_>>());
        assert!(in_parallel(&items, 4, |item| if *item == 7 { bail!("seven") } else { Ok(()) }).is_err());
    }
}
