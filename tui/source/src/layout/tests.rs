//! The table against kernels that are years apart: their BTF, pruned by `cargo xtask btf-fixtures`, and the offsets that another
//! tool, bpftool's `btf dump`, finds in the whole of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ptree_common::layout::Alternative;

use super::*;

/// `struct.member` and its offset by kernel, `-` for none; the first line names the kernels. Of `inside:` members the
/// table has what is in them.
const TRUTH: &str = include_str!("../../tests/btf/offsets.txt");

/// How far into such a member something is: by their definitions in the kernel's sources, `mm_rss_stat` and
/// `percpu_counter` (a lock of 4 bytes, the count, a list of 16, a pointer), and `task_io_accounting` (four counts of other
/// things before these).
const INSIDE: [(&str, u32); 8] = [
    ("rss_stat.count[MM_FILEPAGES].counter", 0),
    ("rss_stat.count[MM_ANONPAGES].counter", 8),
    ("rss_stat.count[MM_SHMEMPAGES].counter", 24),
    ("rss_stat[MM_FILEPAGES].count", 8),
    ("rss_stat[MM_ANONPAGES].count", 40 + 8),
    ("rss_stat[MM_SHMEMPAGES].count", 3 * 40 + 8),
    ("ioac.read_bytes", 32),
    ("ioac.write_bytes", 40),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/btf")
}

fn fixture(release: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{release}.btf"))).unwrap()
}

fn releases() -> Vec<&'static str> {
    TRUTH.lines().next().unwrap().split_ascii_whitespace().skip(1).collect()
}

fn whole(data: &[u8]) -> Layout {
    Layout::of(&Btf::parse(data).unwrap(), |_| false)
}

fn row<'a>(layout: &'a Layout, field: &str) -> &'a Resolved {
    layout.members.iter().find(|row| row.member.field == field).unwrap()
}

/// Its name without what the table says about the inside of the member, which the truth does not.
fn is(row: &Resolved, name: &str) -> bool {
    let path = row.name();
    path == name || path.strip_prefix(name).is_some_and(|rest| matches!(rest, ".val" | ".counter"))
}

#[test]
fn every_kernel_has_every_member_where_another_tool_found_it() {
    let releases = releases();
    assert!(releases.len() >= 8, "{releases:?}");
    let layouts: Vec<Layout> = releases.iter().map(|release| whole(&fixture(release))).collect();
    let mut compared = BTreeSet::new();
    for line in TRUTH.lines().skip(1) {
        let mut words = line.split_ascii_whitespace();
        let name = words.next().unwrap();
        for ((release, layout), offset) in releases.iter().zip(&layouts).zip(words) {
            if let Some(strct) = name.strip_prefix("sizeof:") {
                let size = layout.structs.iter().find(|(name, _)| *name == strct).unwrap().1;
                assert_eq!(size, Some(offset.parse().unwrap()), "{release}: {name}");
                continue;
            }
            if let Some(name) = name.strip_prefix("inside:") {
                let (strct, member) = name.split_once('.').unwrap();
                let inside = |path: &str| path.strip_prefix(member).is_some_and(|rest| rest.starts_with(['.', '[']));
                let rows: Vec<_> = layout.members.iter().filter(|row| row.member.strct == strct).collect();
                let found = rows.iter().filter_map(|row| match &row.lookup {
                    Lookup::Found(found) if inside(found.path) => Some((row.member.field, found.path, found.offset)),
                    _ => None,
                });
                let found: Vec<_> = found.collect();
                assert!(found.len() >= 2, "{release}: {name}: {found:?}");
                for (field, path, at) in found {
                    let (_, inside) = INSIDE.iter().find(|(known, _)| *known == path).unwrap();
                    assert_eq!(at, offset.parse::<u32>().unwrap() + inside, "{release}: {strct}.{path}");
                    compared.insert((*release, field));
                }
                continue;
            }
            let row = layout.members.iter().find(|row| is(row, name));
            match (row.map(|row| (row.member.field, &row.lookup)), offset.parse::<u32>()) {
                (Some((field, Lookup::Found(found))), Ok(offset)) => {
                    assert_eq!(found.offset, offset, "{release}: {name}");
                    compared.insert((*release, field));
                }
                // Renamed: found under its other name.
                (None, Err(_)) => {}
                (found, offset) => panic!("{release}: {name}: {found:?}, and the truth is {offset:?}"),
            }
        }
    }
    for (release, layout) in releases.iter().zip(&layouts) {
        let untold = |row: &&Resolved| row.is_found() && !compared.contains(&(*release, row.member.field));
        let untold: Vec<String> = layout.members.iter().filter(untold).map(Resolved::name).collect();
        assert_eq!(untold, [""; 0], "{release}: offsets.txt lacks these");
        layout.check().unwrap();
        assert_eq!(layout.lost().collect::<Vec<_>>(), [], "{release}");
    }
}

#[test]
fn members_that_moved_are_found_where_their_era_has_them() {
    let of = |release: &str, field: &str| match &row(&whole(&fixture(release)), field).lookup {
        Lookup::Found(found) => (found.path, found.era.to_owned(), found.size),
        other => panic!("{release}: {field}: {other:?}"),
    };
    let (path, era, size) = of("5.10.0-46-cloud-amd64", "task_state");
    assert_eq!((path, size), ("state", 8));
    assert!(era.contains("before 5.14"));
    let (path, era, size) = of("6.1.0-56-rt-amd64", "task_state");
    assert_eq!((path, size), ("__state", 4));
    assert!(era.contains("since 5.14"));
    assert_eq!(of("6.1.0-56-rt-amd64", "mm_rss_anon").0, "rss_stat.count[MM_ANONPAGES].counter");
    assert_eq!(of("7.3.4+deb13-cloud-amd64", "mm_rss_anon").0, "rss_stat[MM_ANONPAGES].count");
    for (release, helper, group_dead) in
        [("6.1.0-56-rt-amd64", 1, 0), ("6.12.117+deb13-amd64", 0, 0), ("7.3.4+deb13-cloud-amd64", 0, 1)]
    {
        let settings = whole(&fixture(release)).settings;
        assert_eq!((settings.rss_by_helper, settings.exit_has_group_dead), (helper, group_dead), "{release}");
        assert_eq!((settings.upid_size, settings.victim_is_task), (16, 1));
    }
    // An early kernel of a series has no user id, and a pid in place of the task.
    let untold = whole(&crate::btf::tests::blob(&[], "\0")).settings;
    assert_eq!(untold.victim_is_task, 0);
}

#[test]
fn types_are_shown_as_c_writes_them() {
    let layout = whole(&fixture("6.12.117+deb13-amd64"));
    for (field, ty) in [
        ("task_pid", "pid_t"),
        ("task_comm", "char[16]"),
        ("task_real_parent", "struct task_struct *"),
        ("task_thread_node", "struct list_head"),
        ("bprm_filename", "const char *"),
    ] {
        let Lookup::Found(found) = &row(&layout, field).lookup else { panic!("{field}") };
        assert_eq!(found.ty, ty);
    }
}

/// A part is whole or left out: the programs must not add up half of it.
#[test]
fn a_part_that_lacks_one_member_loses_all() {
    let data = fixture("6.12.117+deb13-amd64");
    let btf = Btf::parse(&data).unwrap();
    let layout = Layout::of(&btf, |field| field == "task_write_bytes");
    layout.check().unwrap();
    assert_eq!(layout.lost().collect::<Vec<_>>(), [Part::StorageIo]);
    assert_eq!(layout.lacking(Part::StorageIo).collect::<Vec<_>>(), ["task_struct.ioac.write_bytes"]);
    let Offsets { task_read_bytes, task_write_bytes, .. } = layout.offsets;
    assert_eq!([task_read_bytes, task_write_bytes], [MISSING; 2]);
}

#[test]
fn every_member_can_be_missed_and_is_named() {
    let data = fixture("7.3.4+deb13-cloud-amd64");
    let btf = Btf::parse(&data).unwrap();
    for member in MEMBERS {
        let layout = Layout::of(&btf, |field| field == member.field);
        let name = format!("{}.{}", member.strct, member.places[0].path);
        match member.need {
            Need::Vital => assert_eq!(layout.check(), Err(VitalMissing(vec![name]))),
            Need::For(part) => {
                assert_eq!(layout.check(), Ok(()));
                // Moves are told with the ids of cgroups.
                let with = (part == Part::Cgroups).then_some(Part::Moves);
                assert_eq!(
                    layout.lost().collect::<Vec<_>>(),
                    [Some(part), with].into_iter().flatten().collect::<Vec<_>>()
                );
                assert_eq!(layout.lacking(part).collect::<Vec<_>>(), [name]);
            }
        }
    }
}

/// A vital row must be refused by name when its struct is unknown; here every struct is.
#[test]
fn names_every_vital_member_that_is_missing() {
    let data = crate::btf::tests::blob(&[], "\0");
    let VitalMissing(names) = whole(&data).check().unwrap_err();
    assert_eq!(names.len(), MEMBERS.iter().filter(|member| member.need == Need::Vital).count());
    assert!(names.contains(&"task_struct.start_boottime".to_owned()), "{names:?}");
}

/// Where another type stands now, reading on would give nonsense.
#[test]
fn a_member_of_another_type_is_refused_and_told() {
    let places = |path| {
        let place = Alternative { path, era: "" };
        Box::leak(Box::new([place]))
    };
    let data = fixture("6.12.117+deb13-amd64");
    let btf = Btf::parse(&data).unwrap();
    let member =
        |path, shape| Member { field: "x", strct: "task_struct", places: places(path), shape, need: Need::Vital };
    for (path, wrong, right) in [
        ("comm", Shape::Int(4), Shape::Text(16)),
        ("comm", Shape::Text(17), Shape::Text(15)),
        ("pid", Shape::Int(8), Shape::Int(4)),
        ("pid", Shape::Pointer, Shape::Int(2)),
        ("mm", Shape::Int(8), Shape::Pointer),
        ("thread_node", Shape::Structs, Shape::Struct(16)),
        ("thread_node", Shape::Struct(24), Shape::Struct(8)),
    ] {
        assert!(matches!(look_up(&btf, &member(path, wrong)), Lookup::Unfit(_)), "{path} {wrong:?}");
        assert!(matches!(look_up(&btf, &member(path, right)), Lookup::Found(_)), "{path} {right:?}");
    }
    let mut layout = whole(&data);
    let Lookup::Found(found) = layout.members[0].lookup.clone() else { panic!("task_struct.pid") };
    layout.members[0].lookup = Lookup::Unfit(found);
    assert_eq!(layout.check(), Err(VitalMissing(vec!["task_struct.pid (it is 'pid_t')".to_owned()])));
}

/// As a machine of the other byte order would have written it.
fn swapped(data: &[u8]) -> Vec<u8> {
    let words = |range: std::ops::Range<usize>| data[range].chunks_exact(4).flat_map(|word| word.iter().rev().copied());
    let types = 24 + u32::from_ne_bytes(data[12..16].try_into().unwrap()) as usize;
    let magic = [data[1], data[0], data[2], data[3]];
    magic.into_iter().chain(words(4..types)).chain(data[types..].iter().copied()).collect()
}

#[test]
fn the_other_byte_order_is_read_as_well() {
    let data = fixture("5.10.0-46-cloud-amd64");
    let swapped = swapped(&data);
    let (native, foreign) = (Btf::parse(&data).unwrap(), Btf::parse(&swapped).unwrap());
    assert!(native.is_native() && !foreign.is_native());
    let (native_is, foreign_is) = (whole(&data), whole(&swapped));
    for (here, there) in native_is.members.iter().zip(&foreign_is.members) {
        let (Lookup::Found(here), Lookup::Found(there)) = (&here.lookup, &there.lookup) else { panic!("{here:?}") };
        // The lowest 4 bytes of the state's 8 are its last there, or here.
        let last = if here.path == "state" { 4 } else { 0 };
        assert_eq!(here.offset.abs_diff(there.offset), last, "{}", here.path);
    }
}

#[test]
fn no_field_and_no_path_stands_twice_in_the_table() {
    for (number, member) in MEMBERS.iter().enumerate() {
        for other in &MEMBERS[..number] {
            assert_ne!(member.field, other.field);
            let same = |a: &Alternative| other.places.iter().any(|b| member.strct == other.strct && a.path == b.path);
            assert!(!member.places.iter().any(same), "{} and {}", member.field, other.field);
        }
        // Whoever reads of a kernel without the newest name wants to know which kernels have which.
        assert!(member.places.len() == 1 || member.places.iter().all(|place| !place.era.is_empty()));
    }
}

/// The running kernel is the one kernel that every test machine has.
#[test]
fn the_running_kernel_has_everything_vital() {
    let Ok(data) = std::fs::read("/sys/kernel/btf/vmlinux") else {
        eprintln!("SKIPPED (this kernel has no BTF): the_running_kernel_has_everything_vital");
        return;
    };
    let layout = whole(&data);
    layout.check().unwrap();
    assert_ne!(layout.offsets.task_comm, MISSING);
    assert_eq!(layout.offsets.task_comm % 8, 0, "the programs read the name as two words");
    assert!(layout.settings.upid_size >= 16);
}

proptest::proptest! {
    /// Whatever is done to a kernel's BTF, there is an answer or an error.
    #[test]
    fn survives_mutilation(cut in 0_usize..9000, changes: Vec<(u16, u8)>) {
        let mut data = fixture("6.1.0-56-rt-amd64");
        data.truncate(data.len().saturating_sub(cut.saturating_sub(4000)));
        let len = data.len();
        for (at, byte) in changes {
            if len > 0 {
                data[usize::from(at) % len] = byte;
            }
        }
        if let Ok(btf) = Btf::parse(&data) {
            let layout = Layout::of(&btf, |_| false);
            let _ = layout.check();
        }
    }
}
