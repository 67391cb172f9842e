//! The eBPF object in the kernel: loaded with the offsets of this kernel, attached, drained, iterated.
//!
//! Does not know what the records mean, nor when to drain: it hands on bytes.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::thread;

use aya::maps::{MapData, PerCpuArray, RingBuf};
use aya::programs::{BtfTracePoint, Iter, Program};
use aya::{Btf as AyaBtf, Ebpf, EbpfLoader, Endianness};
use nix::sys::resource::{RLIM_INFINITY, Resource, setrlimit};
use ptree_common::hooks::{HOOKS, Hook};
use ptree_common::layout::{MEMBERS, Part};
use ptree_common::wire::kind;
use ptree_core::event::{LossCount, LossKind};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use zerocopy::IntoBytes;

use super::LiveOptions;
use super::blob::BtfFile;
use super::error::{FLOOR, LiveError, RingSizeError};
use super::hooks;
use crate::caller::caller;
use crate::decode::kind_of;
use crate::layout::Layout;
use crate::privilege::Capabilities;
use crate::{host, limits, procfs, threads};

#[cfg(target_endian = "big")]
compile_error!("the eBPF object is for little-endian kernels");

/// The programs, as `cargo xtask ebpf` compiled them.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/ptree.bpf.o"));

/// Name of the ring buffer in the object.
pub(super) const EVENTS: &str = "EVENTS";

const ITERATOR: &str = "on_task";

/// Largest: what a power of two in 32 bits can say.
const MAX_RING_BYTES: u32 = 1 << 31;

/// Largest that a caller with less privilege than ours gets: it is memory of the kernel, which no limit of theirs counts.
const MAX_RING_BYTES_OF_CALLER: u32 = 64 << 20;

/// The loaded object.
pub struct Kernel {
    ebpf: Ebpf,
    events: AsyncFd<RingBuf<MapData>>,
    lost: PerCpuArray<MapData, u64>,
    /// Parts for which this kernel's structs lack a member.
    lost_parts: Vec<Part>,
    refused: Vec<Refusal>,
    /// Most programs that a tracepoint has.
    copies: u32,
    /// The exit hook is called before the memory is taken apart: it is told of the end of the group since then.
    ends_early: bool,
    /// The programs on tracepoints, with the kind of their records.
    attached: Vec<(u32, &'static str)>,
    /// The iterator has shown that it works.
    iterated: bool,
    /// The file with the BTF, when that may be another kernel's: the first pass tells.
    doubted: Option<String>,
}

/// A program that the kernel does not take: something else is done in its place.
#[derive(Debug)]
pub struct Refusal {
    /// What it is for.
    pub part: Part,
    /// Why.
    pub error: LiveError,
}

/// Smallest ring buffer, bytes: a page.
#[must_use]
pub fn min_ring_bytes() -> u32 {
    u32::try_from(host::page_size()).unwrap_or(4096)
}

/// Whether the kernel takes a ring buffer of this size.
///
/// # Errors
/// When it is not a power of two of at least a page; the error names the nearest that is.
pub fn check_ring_bytes(bytes: u64) -> Result<u32, RingSizeError> {
    let max = if caller().is_some() { MAX_RING_BYTES_OF_CALLER } else { MAX_RING_BYTES };
    check_ring_bytes_up_to(u64::from(max), bytes)
}

fn check_ring_bytes_up_to(max: u64, bytes: u64) -> Result<u32, RingSizeError> {
    let min = u64::from(min_ring_bytes());
    match u32::try_from(bytes) {
        Ok(size) if size.is_power_of_two() && (min..=max).contains(&bytes) => Ok(size),
        _ => {
            let nearest = bytes.clamp(min, max).next_power_of_two().min(max);
            let nearest = match nearest {
                n if n >= 1 << 20 => format!("{}MiB", n >> 20),
                n => format!("{}KiB", n >> 10),
            };
            Err(RingSizeError { bytes, min, max, nearest })
        }
    }
}

impl Kernel {
    /// Checks what can be checked beforehand, looks up the offsets, loads the object. Nothing is attached yet.
    ///
    /// # Errors
    /// See [`LiveError`].
    pub fn load(options: &LiveOptions) -> Result<Self, LiveError> {
        let ring_bytes = check_ring_bytes(u64::from(options.ring_bytes))?;
        limits::check(ring_bytes)?;
        let release = host::release();
        check_release(&release)?;
        if !host::in_initial_user_namespace() {
            return Err(LiveError::UserNamespace);
        }
        let cpus = possible_cpus()?;
        let blob = BtfFile::read(options.btf.as_deref())?;
        blob.check_trust()?;
        let missing = Capabilities::effective().missing();
        if !missing.is_empty() {
            return Err(LiveError::privilege(missing));
        }
        if host::lockdown().as_deref() == Some("confidentiality") {
            return Err(LiveError::Lockdown);
        }
        // Side by side, since each takes some 10 ms: aya's reader of BTF, which does not show members; its loader, which
        // reads the BTF for itself and tries out the kernel; and our reader.
        let parse = || AyaBtf::parse(blob.bytes(), Endianness::default());
        let prepare = || {
            aya::features();
            EbpfLoader::new()
        };
        let (aya_btf, loader, layout) = thread::scope(|scope| {
            let (aya_btf, loader) = (threads::beside(scope, &parse), threads::beside(scope, &prepare));
            let layout = blob.native().map(|btf| Layout::of(&btf, |field| options.pretends(field)));
            (aya_btf(), loader(), layout)
        });
        let mut layout = layout?;
        layout.check()?;
        let doubted = (!blob.is_of_this_kernel()?).then(|| blob.path().to_owned());
        layout.settings.copies = hooks::copies(&release, &layout.offsets);
        let aya_btf = aya_btf.map_err(|error| blob.aya_error(error))?;
        let loaded = Self::load_object(loader, &aya_btf, layout, (ring_bytes, cpus), |name| options.pretends(name));
        match (loaded, doubted) {
            (Ok(kernel), doubted) => Ok(Self { doubted, ..kernel }),
            (Err(LiveError::Refused { program, .. }), Some(path)) => {
                Err(LiveError::DoubtfulBtf { path, why: format!("with it, the kernel refuses '{program}'") })
            }
            (Err(error), _) => Err(error),
        }
    }

    fn load_object(
        loader: EbpfLoader<'static>,
        aya_btf: &AyaBtf,
        mut layout: Layout,
        (ring_bytes, cpus): (u32, u32),
        pretend: impl Fn(&str) -> bool + Sync,
    ) -> Result<Self, LiveError> {
        layout.settings.wake_bytes = u64::from(ring_bytes) / 4;
        // Before 5.11 maps count as locked memory. Where raising the limit is refused it is not needed, or the kernel
        // says so when a map is made.
        let _ = setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY);

        let mut ebpf = shortened(loader)
            .btf(Some(aya_btf))
            .override_global("OFFSETS", layout.offsets.as_bytes(), true)
            .override_global("SETTINGS", layout.settings.as_bytes(), true)
            .map_max_entries(EVENTS, ring_bytes)
            .map_max_entries("EXEC_SPACE", cpus.saturating_mul(layout.settings.copies))
            .load(OBJECT)
            .map_err(|error| LiveError::object(error, ring_bytes))?;
        let refused = load_programs(&mut ebpf, aya_btf, layout.settings.copies as usize, pretend);

        let events = RingBuf::try_from(ebpf.take_map(EVENTS).ok_or(LiveError::Object(EVENTS))?)
            .map_err(|error| LiveError::ring(error, ring_bytes))?;
        // SAFETY: the ring buffer owns its descriptor, and neither closes nor changes it while it lives.
        let events = unsafe { AsyncFd::register_with_interest(events, Interest::READABLE) }
            .map_err(|error| LiveError::Read { what: "the ring buffer", source: error.into_parts().1 })?;
        let lost = PerCpuArray::try_from(ebpf.take_map("LOST").ok_or(LiveError::Object("LOST"))?)?;
        Ok(Self {
            ebpf,
            events,
            lost,
            lost_parts: layout.lost().collect(),
            refused: tolerable(refused)?,
            copies: layout.settings.copies,
            ends_early: layout.settings.exit_has_group_dead != 0,
            attached: Vec::new(),
            iterated: false,
            doubted: None,
        })
    }

    /// Attaches the hooks, as many as there are. They are detached when this is dropped.
    ///
    /// # Errors
    /// When the kernel refuses the links of all of them, or for lack of privilege.
    pub fn attach(&mut self) -> Result<(), LiveError> {
        for hook in &HOOKS {
            if !self.has(hook.part) {
                continue;
            }
            for name in hook.programs {
                let program: &mut BtfTracePoint = program(&mut self.ebpf, name)?;
                if program.fd().is_err() {
                    continue;
                }
                match program.attach() {
                    Ok(_) => self.attached.extend(hook.kind.map(|kind| (kind, *name))),
                    Err(error) => {
                        let first = *name == hook.name();
                        let part = if first { hook.part } else { Part::Spares };
                        self.refused.push(Refusal { part, error: LiveError::program(name, error) });
                        if first {
                            break;
                        }
                    }
                }
            }
        }
        self.refused = tolerable(std::mem::take(&mut self.refused))?;
        Ok(())
    }

    /// Whether the program for this part is there.
    #[must_use]
    pub fn has(&self, part: Part) -> bool {
        self.refused.iter().all(|refusal| refusal.part != part)
    }

    /// Whether the record of an end is written when the process has been taken apart, and not before that, as since 6.16.
    #[must_use]
    pub fn tells_ends_late(&self) -> bool {
        self.has(Part::Ends) && !self.ends_early
    }

    /// The programs that the kernel does not take. More may come with [`Kernel::attach`] and the first pass.
    #[must_use]
    pub fn refused(&self) -> &[Refusal] {
        &self.refused
    }

    /// What is left out or made do with less on this kernel; as [`Kernel::refused`].
    #[must_use]
    pub fn degraded(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = self.refused.iter().map(|refusal| refusal.part).collect();
        parts.extend(&self.lost_parts);
        parts.extend((!procfs::shows_others()).then_some(Part::Details));
        parts.sort_unstable();
        // Several spares may be refused.
        parts.dedup();
        parts
    }

    /// Returns when the kernel has woken us since the ring buffer fills.
    ///
    /// # Errors
    /// When the ring buffer cannot be waited for.
    pub async fn filling(&mut self) -> Result<(), LiveError> {
        let mut ready =
            self.events.readable_mut().await.map_err(|source| LiveError::Read { what: "the ring buffer", source })?;
        ready.clear_ready();
        Ok(())
    }

    /// Takes up to `limit` records, oldest first, as the programs wrote them; how many were there.
    pub fn drain(&mut self, limit: usize, mut take: impl FnMut(&[u8])) -> usize {
        let mut taken = 0;
        while taken < limit
            && let Some(item) = self.events.get_mut().next()
        {
            taken += 1;
            take(&item);
        }
        taken
    }

    /// The task iterator, which writes a record for each task while it is read; `None` where it is refused.
    ///
    /// # Errors
    /// When the kernel refuses for lack of privilege or of what there is too little of at the moment, or, after it has once
    /// allowed it, for whatever reason.
    pub fn tasks(&mut self) -> Result<Option<File>, LiveError> {
        if !self.has(Part::Running) {
            return Ok(None);
        }
        let iterator: &mut Iter = program(&mut self.ebpf, ITERATOR)?;
        match iterator.attach().and_then(|id| iterator.take_link(id)) {
            Ok(link) => {
                let file = link
                    .into_file()
                    .map_err(|error| LiveError::Read { what: "the task iterator", source: io::Error::other(error) })?;
                self.iterated = true;
                Ok(Some(file))
            }
            Err(error) => {
                let error = LiveError::program(ITERATOR, error);
                if self.iterated || error.is_privilege() || error.may_pass() {
                    return Err(error);
                }
                self.refused.push(Refusal { part: Part::Running, error });
                Ok(None)
            }
        }
    }

    /// The file with the BTF, once, when that may be another kernel's.
    pub(super) fn take_doubt(&mut self) -> Option<String> {
        self.doubted.take()
    }

    /// The programs, with the instructions that the verifier went through (known from 5.16 on).
    #[must_use]
    pub fn verified_instructions(&self) -> Vec<(&'static str, Option<u32>)> {
        let of_hooks = HOOKS.iter().flat_map(|hook| hook.programs.iter().map(|name| (*name, hook.part)));
        let loaded = of_hooks.chain([(ITERATOR, Part::Running)]).filter_map(|(name, part)| {
            let program = self.ebpf.program(name).filter(|program| self.has(part) && program.fd().is_ok())?;
            Some((name, program.info().ok().and_then(|info| info.verified_instruction_count())))
        });
        loaded.collect()
    }

    /// Records that found no room so far.
    ///
    /// # Errors
    /// When the counters cannot be read.
    pub fn lost(&self) -> Result<LossCount, LiveError> {
        let count = |kind| {
            (0..self.copies).try_fold(0, |sum, copy| {
                let by_cpu = self.lost.get(&(copy * kind::COUNT + kind), 0)?;
                Ok::<_, LiveError>(by_cpu.iter().fold(sum, |sum, lost| sum + lost))
            })
        };
        let mut lost = LossCount::default();
        for of in LossKind::ALL {
            lost[of] = count(kind_of(of))?;
        }
        Ok(lost)
    }

    /// Events so far for which the kernel skipped the programs, since they were running already on that CPU: lost
    /// records, too. Counted from 5.12 on; `None` when the counters cannot be read now.
    ///
    /// # Errors
    /// When a program is not loaded.
    pub fn skipped(&mut self) -> Result<Option<LossCount>, LiveError> {
        let mut skipped = Vec::with_capacity(self.attached.len());
        for &(kind, name) in &self.attached {
            let program: &mut BtfTracePoint = program(&mut self.ebpf, name)?;
            let fd = program.fd().map_err(|error| LiveError::program(name, error))?.as_fd().as_raw_fd();
            let Ok(info) = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")) else { return Ok(None) };
            skipped.push((kind, hooks::recursion_misses(&info)));
        }
        Ok(Some(hooks::skipped_by_all(skipped.into_iter())))
    }
}

/// Has the verifier look at all programs side by side, of each hook as many as `copies` says: it takes some 10 ms for
/// each. What it says to those that it does not like, and of those that are to be taken for disliked.
fn load_programs(ebpf: &mut Ebpf, btf: &AyaBtf, copies: usize, pretend: impl Fn(&str) -> bool + Sync) -> Vec<Refusal> {
    let load = |name: &str, program: &mut Program| {
        let hook = Hook::of(name);
        let (name, part) = match hook {
            Some((_, copy)) if copy >= copies => return None,
            Some((hook, 0)) => (hook.name(), hook.part),
            Some((hook, copy)) => (hook.programs[copy], Part::Spares),
            None => (ITERATOR, Part::Running),
        };
        let result = match hook {
            _ if pretend(name) => return Some(Refusal { part, error: LiveError::Pretended(name) }),
            Some((hook, _)) => {
                <&mut BtfTracePoint>::try_from(program).and_then(|program| program.load(hook.tracepoint, btf))
            }
            None => <&mut Iter>::try_from(program).and_then(|program| program.load("task", btf)),
        };
        result.err().map(|error| Refusal { part, error: LiveError::program(name, error) })
    };
    let loaded = threads::for_each(ebpf.programs_mut(), |(name, program)| load(name, program));
    let mut refused: Vec<Refusal> = loaded.into_iter().flatten().collect();
    // They come in no order.
    refused.sort_by_key(|refusal| refusal.part);
    refused
}

/// Whether it makes sense to go on without what was refused: not without any hook that tells of something, nor where it is
/// privilege that lacks, or what there is too little of only now.
fn tolerable(mut refused: Vec<Refusal>) -> Result<Vec<Refusal>, LiveError> {
    let telling = || HOOKS.iter().filter(|hook| hook.kind.is_some());
    let of_hook = |refusal: &Refusal| telling().any(|hook| hook.part == refusal.part);
    let all = refused.iter().filter(|refusal| of_hook(refusal)).count() == telling().count();
    let fatal = refused
        .iter()
        .position(|refusal| refusal.error.is_privilege() || refusal.error.may_pass())
        .or_else(|| refused.iter().position(|refusal| all && of_hook(refusal)));
    match fatal {
        Some(at) => Err(refused.swap_remove(at).error),
        None => Ok(refused),
    }
}

/// Whether something can be taken for missing by this name: a field of the table of members, or a program.
///
/// # Errors
/// Says which programs there are.
pub fn check_pretended(name: &str) -> Result<String, String> {
    let programs = || HOOKS.iter().flat_map(|hook| hook.programs).copied().chain([ITERATOR]);
    if MEMBERS.iter().map(|member| member.field).chain(programs()).any(|known| known == name) {
        return Ok(name.to_owned());
    }
    let programs: Vec<&str> = programs().collect();
    Err(format!("give a program ({}) or a field of the table of members, such as 'task_cgroups'", programs.join(", ")))
}

/// A loader that may borrow for less than ever.
fn shortened<'a>(loader: EbpfLoader<'static>) -> EbpfLoader<'a> {
    loader
}

fn program<'a, P>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut P, LiveError>
where
    &'a mut P: TryFrom<&'a mut Program, Error = aya::programs::ProgramError>,
{
    ebpf.program_mut(name).ok_or(LiveError::Object(name))?.try_into().map_err(|error| LiveError::program(name, error))
}

/// One more than the highest number that a CPU can have.
fn possible_cpus() -> Result<u32, LiveError> {
    let path = "/sys/devices/system/cpu/possible";
    let ranges = fs::read_to_string(path).map_err(|source| LiveError::NoSys { path, source })?;
    let highest = ranges.trim_end().rsplit([',', '-']).next().and_then(|number| number.parse::<u32>().ok());
    let unreadable = || io::Error::other(format!("'{path}' holds '{}'", ranges.trim_end()));
    highest
        .map(|highest| highest + 1)
        .ok_or_else(|| LiveError::Read { what: "the number of CPUs", source: unreadable() })
}

/// Whether this kernel is new enough.
///
/// # Errors
/// When it is older than the floor.
pub fn check_release(release: &str) -> Result<(), LiveError> {
    if host::version(release) < FLOOR {
        Err(LiveError::TooOld { release: release.trim_end().to_owned() })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
