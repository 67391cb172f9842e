//! What is refused, and what is said then.

use super::*;

#[test]
fn ring_sizes_that_the_kernel_refuses_are_answered_with_one_it_takes() {
    assert_eq!(check_ring_bytes(8 << 20), Ok(8 << 20));
    assert_eq!(check_ring_bytes(4096), Ok(4096));
    for (bytes, nearest) in [(0, "4KiB"), (1, "4KiB"), (5000, "8KiB"), (9 << 20, "16MiB"), (1 << 40, "2048MiB")] {
        assert_eq!(check_ring_bytes(bytes).unwrap_err().nearest, nearest, "{bytes}");
    }
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

/// An offset behind the end of the struct, as a wrong table would give: the verifier must stop it, and the user must
/// be told why.
#[tokio::test]
async fn a_program_that_the_verifier_refuses_is_named_with_the_end_of_its_log() {
    if !Capabilities::effective().missing().is_empty() {
        eprintln!("SKIPPED (needs CAP_BPF and CAP_PERFMON): a_program_that_the_verifier_refuses");
        assert!(std::env::var_os("CI").is_none(), "CI must have the privilege");
        return;
    }
    let blob = BtfFile::read(None).unwrap();
    let aya_btf = AyaBtf::parse(blob.bytes(), Endianness::default()).unwrap();
    let mut layout = Layout::of(&blob.native().unwrap(), |_| false);
    layout.offsets.task_tgid = 1 << 20;
    let Err(error) = Kernel::load_object(EbpfLoader::new(), &aya_btf, layout, min_ring_bytes(), |_| false) else {
        panic!("must be refused")
    };
    let text = error.to_string();
    assert!(text.contains("refused the eBPF program 'on_"), "{text}");
    assert!(text.contains("task_struct"), "the log says what was wrong: {text}");
    assert!(text.contains("Please report it") && text.lines().count() > 3, "{text}");
    assert!(!error.is_privilege());
}

#[test]
fn skipped_runs_are_read_from_fdinfo() {
    assert_eq!(recursion_misses("prog_type:\t26\nrecursion_misses:\t7\nverified_insns:\t9\n"), 7);
    assert_eq!(recursion_misses("prog_type:\t26\n"), 0);
}

#[test]
fn some_may_be_refused_but_not_all_and_not_for_privilege() {
    let refused = |parts: &[Part]| -> Vec<Refusal> {
        parts.iter().map(|&part| Refusal { part, error: LiveError::Pretended("x") }).collect()
    };
    let parts = |refused: Vec<Refusal>| refused.iter().map(|refusal| refusal.part).collect::<Vec<_>>();
    for some in [&[Part::Running][..], &[Part::Ends, Part::Running, Part::Execs], &[]] {
        assert_eq!(parts(tolerable(refused(some)).unwrap()), some);
    }
    assert!(tolerable(refused(&[Part::Ends, Part::Execs, Part::Births])).is_err());
    let mut forbidden = refused(&[Part::Running]);
    forbidden.push(Refusal { part: Part::Ends, error: LiveError::Forbidden });
    assert!(matches!(tolerable(forbidden), Err(LiveError::Forbidden)));
}

#[test]
fn what_is_to_be_taken_for_missing_is_a_field_or_a_program() {
    for name in ["on_exit", "on_task", "task_cgroups", "mm_rss_anon"] {
        assert_eq!(check_pretended(name), Ok(name.to_owned()));
    }
    assert!(check_pretended("on_fire").unwrap_err().contains("on_fork"));
}
