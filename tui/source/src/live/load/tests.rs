//! What is refused, and what is said then.

use ptree_common::wire::COPIES;
use ptree_core::Event;
use rustc_hash::FxHashMap;

use super::*;
use crate::decode::Record;
use crate::live::reading::Reading;
use crate::privilege::tests::may_capture;
use crate::track::Tracker;

#[test]
fn ring_sizes_that_the_kernel_refuses_are_answered_with_one_it_takes() {
    let most = u64::from(MAX_RING_BYTES);
    assert_eq!(check_ring_bytes_up_to(most, 8 << 20), Ok(8 << 20));
    assert_eq!(check_ring_bytes_up_to(most, 4096), Ok(4096));
    for (bytes, nearest) in [(0, "4KiB"), (1, "4KiB"), (5000, "8KiB"), (9 << 20, "16MiB"), (1 << 40, "2048MiB")] {
        assert_eq!(check_ring_bytes_up_to(most, bytes).unwrap_err().nearest, nearest, "{bytes}");
    }
    let most = u64::from(MAX_RING_BYTES_OF_CALLER);
    assert_eq!(check_ring_bytes_up_to(most, most), Ok(MAX_RING_BYTES_OF_CALLER));
    assert_eq!(check_ring_bytes_up_to(most, 2 * most).unwrap_err().nearest, "64MiB");
}

#[test]
fn the_floor_is_5_8() {
    for release in ["5.8.0", "5.10.0-30-cloud-amd64", "6.1", "7.3-rc1\n"] {
        assert!(check_release(release).is_ok(), "{release}");
    }
    for release in ["5.7.19", "4.19.0-1\n", ""] {
        assert!(check_release(release).is_err(), "{release}");
    }
}

/// Loads the object into this kernel, with another layout, as if it refused the programs that `pretend` names; `None`
/// without the privilege.
fn load(change: impl FnOnce(&mut Layout), pretend: impl Fn(&str) -> bool + Sync) -> Option<Result<Kernel, LiveError>> {
    if !may_capture() {
        return None;
    }
    let blob = BtfFile::read(None).unwrap();
    let aya_btf = AyaBtf::parse(blob.bytes(), Endianness::default()).unwrap();
    let mut layout = Layout::of(&blob.native().unwrap(), |_| false);
    change(&mut layout);
    Some(Kernel::load_object(EbpfLoader::new(), &aya_btf, layout, (1 << 20, possible_cpus().unwrap()), pretend))
}

fn several(layout: &mut Layout) {
    layout.settings.copies = COPIES;
}

/// On any kernel, though not all need them. Where programs are preempted, a record may come twice; then it is told once.
#[tokio::test]
async fn of_several_programs_on_a_tracepoint_one_writes_the_record() {
    let Some(kernel) = load(several, |_| false) else { return };
    let mut kernel = kernel.unwrap();
    kernel.attach().unwrap();
    assert_eq!(kernel.verified_instructions().len(), 3 * COPIES as usize + 8);
    let mut reading = Reading::default();
    let mut tracker = Tracker::new(host::boottime_ns(), host::in_initial_pid_namespace(), host::page_size());
    tracker.seed(reading.pass(&mut kernel).unwrap(), &mut Vec::new());
    let children: Vec<u32> = (0..8)
        .map(|_| {
            // Two execs, the second soon after the first.
            let mut child = std::process::Command::new("sh").args(["-c", "exec true"]).spawn().unwrap();
            child.wait().unwrap();
            child.id()
        })
        .collect();
    let (mut events, mut exec_ids) = (Vec::new(), FxHashMap::<u32, Vec<u32>>::default());
    kernel.drain(usize::MAX, |bytes| {
        let record = reading.record(bytes).unwrap();
        if let Record::Exec { exec, exec_id } = &record {
            exec_ids.entry(exec.task.key.pid).or_default().push(*exec_id);
        }
        tracker.record(record, &mut events);
    });
    let mut seen: FxHashMap<u32, [u32; 3]> = FxHashMap::default();
    for event in &events {
        let (pid, number) = match event {
            Event::Fork(fork) => (fork.task.key.pid, 0),
            Event::Exec(exec) => (exec.task.key.pid, 1),
            Event::Exit(exit) => (exit.key.pid, 2),
            _ => continue,
        };
        seen.entry(pid).or_default()[number] += 1;
    }
    for child in children {
        assert_eq!(seen.get(&child), Some(&[1, 2, 1]), "fork, execs, exit of {child}");
        let ids = exec_ids.get_mut(&child).unwrap();
        ids.dedup();
        assert!(ids.len() == 2 && ids[1] == ids[0] + 1 && ids[0] != 0, "{ids:?}");
    }
    assert_eq!(kernel.lost().unwrap().total(), 0);
}

/// What tells its execs apart must not be what may come again, such as where their memory is described.
#[tokio::test]
async fn execs_that_go_from_cpu_to_cpu_are_all_told() {
    // Such as `0-1` or `0,2`: the first number and the last are CPUs that we may run on.
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim();
    let (Some(first), Some(last)) = (allowed.split(['-', ',']).next(), allowed.rsplit(['-', ',']).next()) else {
        panic!("{allowed}")
    };
    if first == last {
        eprintln!("SKIPPED: a test that needs two CPUs");
        return;
    }
    let Some(kernel) = load(several, |_| false) else { return };
    let mut kernel = kernel.unwrap();
    kernel.attach().unwrap();
    let chain: Vec<&str> = (0..64).flat_map(|exec| ["taskset", "-c", [first, last][exec % 2]]).collect();
    let mut child = std::process::Command::new(chain[0]).args(&chain[1..]).arg("true").spawn().unwrap();
    assert!(child.wait().unwrap().success());
    let mut exec_ids = Vec::new();
    let mut reading = Reading::default();
    kernel.drain(usize::MAX, |bytes| match reading.record(bytes).unwrap() {
        Record::Exec { exec, exec_id } if exec.task.key.pid == child.id() => exec_ids.push(exec_id),
        _ => {}
    });
    exec_ids.dedup();
    assert_eq!(exec_ids.len(), 65, "{exec_ids:?}");
}

/// Else events would be lost again on kernels that need them, and nobody would know why.
#[tokio::test]
async fn a_spare_that_is_refused_is_told() {
    let Some(kernel) = load(several, |name| matches!(name, "on_exec_2" | "on_exit_3")) else { return };
    let mut kernel = kernel.unwrap();
    kernel.attach().unwrap();
    assert_eq!(kernel.degraded(), [Part::Spares]);
    assert_eq!(kernel.refused().len(), 2);
    assert!(kernel.has(Part::Execs) && kernel.has(Part::Ends));
    assert_eq!(kernel.attached.len(), 3 * COPIES as usize - 2);
}

/// An offset behind the end of the struct, as a wrong table would give: the verifier must stop it, and the user must
/// be told why.
#[tokio::test]
async fn a_program_that_the_verifier_refuses_is_named_with_the_end_of_its_log() {
    let Some(loaded) = load(|layout| layout.offsets.task_tgid = 1 << 20, |_| false) else { return };
    let Err(error) = loaded else { panic!("the kernel takes a program that reads behind the end of a struct") };
    let text = error.to_string();
    assert!(text.contains("refused the eBPF program 'on_"), "{text}");
    assert!(text.contains("task_struct"), "the log says what was wrong: {text}");
    assert!(text.contains("Please report it") && text.lines().count() > 3, "{text}");
    assert!(!error.is_privilege());
}

#[test]
fn some_may_be_refused_but_not_all_and_not_for_privilege() {
    let refused = |parts: &[Part]| -> Vec<Refusal> {
        parts.iter().map(|&part| Refusal { part, error: LiveError::Pretended("x") }).collect()
    };
    let parts = |refused: Vec<Refusal>| refused.iter().map(|refusal| refusal.part).collect::<Vec<_>>();
    for some in [&[Part::Running][..], &[Part::Ends, Part::Running, Part::Execs], &[Part::Spares; 6], &[]] {
        assert_eq!(parts(tolerable(refused(some)).unwrap()), some);
    }
    assert!(tolerable(refused(&[Part::Ends, Part::Execs, Part::Births])).is_err());
    let mut forbidden = refused(&[Part::Running]);
    forbidden.push(Refusal { part: Part::Ends, error: LiveError::Forbidden });
    assert!(matches!(tolerable(forbidden), Err(LiveError::Forbidden)));
}

#[test]
fn what_is_to_be_taken_for_missing_is_a_field_or_a_program() {
    for name in ["on_exit", "on_exec_2", "on_task", "task_cgroups", "mm_rss_anon"] {
        assert_eq!(check_pretended(name), Ok(name.to_owned()));
    }
    assert!(check_pretended("on_fire").unwrap_err().contains("on_fork"));
}
