//! What is asked for on the page of a process: environment and open files, and looking for a text there.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

mod common;

use common::{Machine, SECOND};
use insta::assert_snapshot;
use ptree_core::Filter;
use ptree_core::engine::Config;
use ptree_tui::action::{Action, Effect, Mode};
use ptree_tui::app::{Options, Preferences};
use ptree_tui::inspect::{Access, Answer, Environment, Files, Found, Kind, Open, Refusal, Socket, Subject};

const SIZES: [(u16, u16); 3] = [(40, 10), (80, 24), (200, 50)];

/// The editor is selected.
fn editing() -> Machine {
    let mut machine = Machine::booted();
    machine.screen(80, 24);
    machine.keys("/vim<Enter>");
    machine.screen(80, 24);
    machine
}

/// Asks with these keys; whom about what.
fn ask(machine: &mut Machine, keys: &str) -> (Subject, u32) {
    match machine.keys(keys) {
        Some(Effect::Inspect(question)) => (question.subject, question.target.key.pid),
        other => panic!("{other:?}"),
    }
}

fn tell(machine: &mut Machine, found: Result<Found, Refusal>) {
    let subject = match &found {
        Ok(Found::Files(_)) => Subject::Files,
        _ => Subject::Environment,
    };
    machine.app.update(Action::Inspected(Answer { subject, key: machine.key(700), found }));
}

fn environment() -> Found {
    let variables = [
        "SHELL=/bin/bash",
        "LS_COLORS=rs=0:di=01;34:ln=01;36:mh=00:pi=40;33:so=01;35:do=01;35:bd=40;33;01:cd=40;33;01:or=40;31;01:mi=00",
        "EMPTY=",
        "TITLE=esc\u{1b}]0;gotcha\u{7}",
        "no equals sign",
        "USER=ann",
        "PATH=/usr/local/bin:/usr/bin:/bin",
        "塩=胡椒",
    ];
    let variables = variables.map(|variable| variable.as_bytes().to_vec());
    Found::Environment(Environment { variables: variables.into(), ..Environment::default() })
}

fn open(fd: u32, access: Access, kind: Kind) -> Open {
    Open { fd, kind, access: Some(access), position: 0, manner: Vec::new() }
}

fn socket(protocol: &'static str, local: &[u8], peer: Option<&str>, state: &'static str) -> Kind {
    let socket = Socket { protocol, local: local.to_vec(), peer: peer.map(|peer| peer.parse().unwrap()), state };
    Kind::Socket(4711, Some(socket))
}

fn files() -> Found {
    let terminal = || Kind::Path("device", b"/dev/pts/3".to_vec());
    let list = vec![
        open(0, Access::Both, terminal()),
        open(1, Access::Both, terminal()),
        Open {
            position: 4096,
            ..open(3, Access::Both, Kind::Path("file", b"/srv/a\x1b[31m b/.notes.txt.swp".to_vec()))
        },
        Open {
            position: 77,
            manner: vec!["append"],
            ..open(4, Access::Write, Kind::Path("file", b"/var/log/x (deleted)".to_vec()))
        },
        open(5, Access::Read, Kind::Pipe(812)),
        open(6, Access::Both, socket("tcp", b"127.0.0.1:50000", Some("127.0.0.1:22"), "established")),
        open(7, Access::Both, socket("tcp6", b"[::]:8080", None, "listening")),
        open(8, Access::Both, socket("unix", b"/run/dbus/system_bus_socket", None, "connected")),
        open(9, Access::Both, socket("unix", b"", None, "connected")),
        open(10, Access::Both, Kind::Socket(9000, None)),
        open(11, Access::Both, Kind::Kernel(b"eventpoll".to_vec())),
        open(120, Access::Path, Kind::Path("dir", b"/".to_vec())),
    ];
    Found::Files(Files {
        folder: Some(b"/srv/a b".to_vec()),
        root: Some(b"/srv".to_vec()),
        program: Some(b"/usr/bin/vim.basic".to_vec()),
        count: list.len(),
        limit: Some(1024),
        open: list,
    })
}

#[test]
fn the_environment_is_asked_for_and_shown() {
    let mut machine = editing();
    assert_eq!(ask(&mut machine, "e"), (Subject::Environment, 700));
    let waiting = machine.screen(80, 24);
    assert!(waiting.contains("vim [700]  Environment  being read"), "{waiting}");
    tell(&mut machine, Ok(environment()));
    for (width, height) in SIZES {
        assert_snapshot!(format!("environment_at_{width}x{height}"), machine.screen(width, height));
    }
}

#[test]
fn open_files_are_asked_for_and_shown() {
    let mut machine = editing();
    assert_eq!(ask(&mut machine, "L"), (Subject::Files, 700));
    tell(&mut machine, Ok(files()));
    for (width, height) in SIZES {
        assert_snapshot!(format!("open_files_at_{width}x{height}"), machine.screen(width, height));
    }
}

#[test]
fn one_goes_back_to_where_it_was_asked_for_and_nothing_is_remembered() {
    let mut machine = editing();
    ask(&mut machine, "e");
    tell(&mut machine, Ok(environment()));
    machine.keys("<Esc>");
    assert_eq!(machine.app.mode(), Mode::Tree, "from the tree, to the tree");

    machine.keys("<Enter>");
    machine.screen(80, 24);
    machine.keys("jj");
    ask(&mut machine, "e");
    tell(&mut machine, Ok(environment()));
    machine.screen(40, 10);
    machine.keys("jjj");
    ask(&mut machine, "L");
    tell(&mut machine, Ok(files()));
    machine.screen(40, 10);
    machine.keys("<Esc>");
    let page = machine.screen(40, 10);
    assert!(page.contains("Program  "), "{page}");
    assert_eq!((machine.app.mode(), machine.app.details().unwrap().lines().scroll()), (Mode::Details, 2));
    machine.keys("<Esc><Enter>");
    assert!(machine.app.details().unwrap().sheet().is_none());
    assert!(!machine.screen(200, 50).contains("PATH="));
}

#[test]
fn asked_again_it_is_read_again_but_not_before_it_was_told() {
    let mut machine = editing();
    ask(&mut machine, "e");
    assert_eq!(machine.keys("e"), None, "it is being read");
    tell(&mut machine, Ok(environment()));
    machine.screen(80, 24);
    machine.pass(5 * SECOND);
    ask(&mut machine, "e");
    let meanwhile = machine.screen(80, 24);
    assert!(meanwhile.contains("being read") && meanwhile.contains("8 variables at 14:00:00"), "{meanwhile}");
    tell(&mut machine, Ok(environment()));
    let after = machine.screen(80, 24);
    assert!(!after.contains("being read") && after.contains("8 variables at 14:00:05"), "{after}");
}

#[test]
fn what_nobody_waits_for_any_more_is_dropped() {
    let mut machine = editing();
    ask(&mut machine, "e");
    ask(&mut machine, "L");
    tell(&mut machine, Ok(environment()));
    assert!(machine.app.details().unwrap().sheet().unwrap().is_asked());
    machine.keys("<Esc>");
    tell(&mut machine, Ok(files()));
    assert!(machine.app.details().is_none());
    machine.keys("gg");
    ask(&mut machine, "L");
    tell(&mut machine, Ok(files()));
    assert!(machine.app.details().unwrap().sheet().unwrap().is_asked(), "that was of another process");
}

#[test]
fn why_nothing_can_be_read_is_said() {
    for (refusal, told) in [
        (Refusal::Denied, "Not permitted: this takes root"),
        (Refusal::Gone, "It has ended."),
        (Refusal::Unseen, "another pid namespace"),
        (Refusal::Other("Input/output error".to_owned()), "Input/output error"),
    ] {
        let mut machine = editing();
        ask(&mut machine, "e");
        tell(&mut machine, Err(refusal));
        let screen = machine.screen(80, 24);
        assert!(screen.contains(told) && !screen.contains("being read"), "{screen}");
    }
    let mut machine = editing();
    machine.code(700, 0);
    assert_eq!(machine.keys("L"), None);
    let screen = machine.screen(80, 24);
    assert!(screen.contains("Process 700 has ended: its open files went with it"), "{screen}");
    assert_eq!(machine.app.mode(), Mode::Tree);
}

#[test]
fn of_a_recording_nothing_is_asked() {
    let mut machine = Machine::with(Options {
        engine: Config::default(),
        filter: Filter::default(),
        zone: jiff::tz::TimeZone::UTC,
        preferences: Preferences::default(),
        is_here: false,
        read_only: false,
        own_pid: 601,
    });
    machine.found(1, 0, 0, &["/sbin/init"]);
    machine.screen(80, 24);
    for keys in ["e", "L", "<Enter>e"] {
        assert_eq!(machine.keys(keys), None);
        let screen = machine.screen(80, 24);
        assert!(screen.contains("These processes are not here"), "{screen}");
    }
    assert!(machine.app.details().unwrap().sheet().is_none());
}

#[test]
fn what_was_read_stays_when_the_process_ends_and_stands_still_in_between() {
    let mut machine = editing();
    ask(&mut machine, "L");
    tell(&mut machine, Ok(files()));
    let before = machine.screen(80, 24);
    machine.pass(3 * SECOND);
    machine.code(700, 0);
    let ended = machine.screen(80, 24);
    assert_eq!(before.lines().skip(2).take(20).collect::<Vec<_>>(), ended.lines().skip(2).take(20).collect::<Vec<_>>());
    assert_eq!(machine.keys("L"), None);
    assert!(machine.screen(80, 24).contains("has ended: its open files went with it"));
}

#[test]
fn too_much_is_bounded_and_says_so() {
    let mut machine = editing();
    ask(&mut machine, "e");
    let variables = (0..5000).map(|n| format!("V{n}={}", "x".repeat(90)).into_bytes()).collect();
    tell(&mut machine, Ok(Found::Environment(Environment { variables, left_out: 1234, left_out_bytes: 3 << 20 })));
    let screen = machine.screen(80, 24);
    assert!(screen.contains("6234 variables at") && screen.contains("1234 of them, 3.0M, are left out"), "{screen}");
    machine.keys("G");
    let screen = machine.screen(80, 24);
    assert!(screen.contains(" of 10002 ↑"), "{screen}");
    ask(&mut machine, "L");
    let list = (0..4096).map(|fd| open(fd, Access::Read, Kind::Pipe(1))).collect();
    tell(&mut machine, Ok(Found::Files(Files { count: 10_000, open: list, ..Files::default() })));
    let screen = machine.screen(80, 24);
    assert!(screen.contains("5904 are left out") && screen.contains("1-20 of 4098 ↓"), "{screen}");
}

#[test]
fn a_text_is_looked_for_like_in_less() {
    let mut machine = editing();
    ask(&mut machine, "L");
    tell(&mut machine, Ok(files()));
    machine.screen(80, 12);
    machine.keys("/CONN");
    assert!(machine.screen(80, 12).contains("nowhere on this page"), "a capital is exact");
    machine.keys("<C-u>conn");
    assert_snapshot!("a_text_looked_for_at_80x12", machine.screen(80, 12));
    machine.keys("<Enter>");
    let at = |machine: &mut Machine| {
        machine.screen(80, 12);
        machine.app.details().unwrap().found()
    };
    assert_eq!(at(&mut machine), (2, Some(1)));
    machine.keys("n");
    assert_eq!(at(&mut machine), (2, Some(2)));
    machine.keys("n");
    assert_eq!(at(&mut machine), (2, Some(1)), "around the end");
    machine.keys("NN");
    assert_eq!(at(&mut machine), (2, Some(1)));
    machine.keys("Gggn");
    assert_eq!(at(&mut machine), (2, Some(1)), "from where one is");
    machine.keys("/<Esc>n");
    assert!(machine.screen(80, 12).contains("Nothing is looked for"));
    machine.keys("/nix<Enter>");
    assert_eq!(at(&mut machine), (2, Some(1)), "in the words before an address");
}

#[test]
fn the_page_itself_is_searched_as_well_with_its_labels() {
    let mut machine = editing();
    machine.keys("<Enter>");
    machine.screen(80, 12);
    machine.keys("/cgroup");
    let screen = machine.screen(80, 12);
    assert!(screen.contains("Cgroup         /user.slice"), "{screen}");
    machine.keys("<Esc>");
    machine.screen(80, 12);
    assert_eq!(machine.app.details().unwrap().lines().scroll(), 0, "back to where it was begun");
    machine.keys("/nosuchthing<Enter>");
    assert!(machine.screen(80, 12).contains("Nowhere on this page: nosuchthing"));
}
