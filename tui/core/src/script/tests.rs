//! Tests of the script: what each line means, and what is said of one that means nothing.

use super::*;
use crate::event::{Creds, Exe};
use crate::session::{Session, Tty};
use crate::{Argv, text};

fn events(text: &str) -> Vec<Event> {
    let steps = parse(text, 0).unwrap_or_else(|error| panic!("{error}"));
    steps.into_iter().filter_map(|step| if let Step::Event(event) = step { Some(*event) } else { None }).collect()
}

fn event(text: &str) -> Event {
    events(text).pop().unwrap()
}

fn error(text: &str) -> String {
    parse(text, 0).unwrap_err().to_string()
}

#[test]
fn lines_are_a_second_apart_unless_said_otherwise() {
    let text =
        "tick # once\n\n  # nothing\ntick\nat 10\ntick\nevery 20ms\ntick\ntick\nwait 1.5m\ntick\ntick\nat 0\ntick";
    let ticks: Vec<_> = parse(text, 5)
        .unwrap()
        .into_iter()
        .map(|step| if let Step::Tick(now_ns) = step { now_ns - 5 } else { panic!("{step:?}") })
        .collect();
    let ms = [1000, 2000, 10_000, 10_020, 10_040, 100_040, 100_060, 0];
    assert_eq!(ticks, ms.map(|ms| ms * MS));
}

#[test]
fn a_process_is_found_with_all_that_can_be_known_of_it() {
    let text = "found 9@2s 7 uid=1 gid=2 ruid=3 rgid=4 comm='a b' threads=5 kernel cgroup_id=6 pid_ns=7 ns_pid=8 \
                exe=/bin/x 'cgroup=/a b' truncated repaired zombie=SIGSEGV cpu=3ms -- x '' \\xff '#'";
    let Event::Process(found) = event(text) else { panic!() };
    let task = Task {
        creds: Creds { uid: 1, gid: 2, ruid: 3, rgid: 4 },
        comm: Comm::new(b"a b"),
        cgroup_id: Some(6),
        pid_ns: Some(7),
        ns_pid: Some(8),
        threads: 5,
        kernel: true,
        ..Task::of(ProcKey::new(9, 2 * SECOND), ProcKey::new(7, 7))
    };
    let expected = Found {
        ts_ns: SECOND,
        task,
        argv: Some(Argv::from_args([&b"x"[..], b"", b"\xff", b"#"])),
        argv_truncated: true,
        exe: Some(Exe::at(*b"/bin/x")),
        cgroup: Some((*b"/a b").into()),
        exited: Some(Zombie {
            status: ExitStatus::Signal { signal: 11, core: false },
            cpu_ns: 3 * MS,
            run_delay_ns: None,
            user_ns: None,
        }),
        repaired: true,
    };
    assert_eq!(found, expected);
    let Event::Process(named) = event("found 1 0 -- /sbin/init splash") else { panic!() };
    assert_eq!(named.task.comm, Comm::new(b"init"));
    let Event::Process(plain) = event("found 1 0 zombie") else { panic!() };
    assert_eq!((plain.task.key, plain.task.parent), (ProcKey::new(1, 1), ProcKey::SWAPPER));
    assert_eq!(
        plain.exited,
        Some(Zombie { status: ExitStatus::Code(0), cpu_ns: 0, run_delay_ns: None, user_ns: None })
    );
    assert_eq!(plain.task.comm, Comm::new(b"p1"));
    assert_eq!((plain.argv, plain.exe, plain.cgroup, plain.repaired), (None, None, None, false));
}

#[test]
fn a_child_inherits_and_a_pid_means_the_latest_that_had_it() {
    let text = "found 1 0 uid=5 comm=sh threads=3\nfork 1 2\nfork 2 3 7 parent=1\nfork 1 2\nexit 2@2s 4\nexit 2";
    let events = events(text);
    let Event::Fork(first) = &events[1] else { panic!() };
    assert_eq!(
        (first.task.key, first.task.parent, first.forker),
        (ProcKey::new(2, 2 * SECOND), ProcKey::new(1, 1), ProcKey::new(1, 1))
    );
    assert_eq!((first.task.creds.uid, first.task.comm, first.task.threads), (5, Comm::new(b"sh"), 1));
    let Event::Fork(second) = &events[2] else { panic!() };
    assert_eq!((second.forker, second.task.parent, second.task.creds.uid), (first.task.key, ProcKey::new(1, 1), 7));
    let keys: Vec<_> =
        events[4..].iter().map(|event| if let Event::Exit(exit) = event { exit.key } else { panic!() }).collect();
    assert_eq!(keys, [ProcKey::new(2, 2 * SECOND), ProcKey::new(2, 4 * SECOND)]);
}

#[test]
fn an_exec_has_a_path_a_name_and_arguments_or_none() {
    let exec = |line: &str| {
        let Event::Exec(exec) = event(line) else { panic!() };
        let argv = exec.argv.map(|argv| argv.iter().map(|arg| text::escape(arg).into_owned()).collect::<Vec<_>>());
        (exec.task.comm, exec.filename.map(|path| text::escape(&path).into_owned()), argv, exec.argv_truncated)
    };
    let some = |args: &[&str]| Some(args.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(exec("exec 5 /bin/ls -l"), (Comm::new(b"ls"), Some("/bin/ls".into()), some(&["/bin/ls", "-l"]), false));
    assert_eq!(
        exec("exec 5 file=/usr/bin/cc truncated uid=0 -- cc -- a"),
        (Comm::new(b"cc"), Some("/usr/bin/cc".into()), some(&["cc", "--", "a"]), true)
    );
    assert_eq!(exec("exec 5 comm=x -- /bin/ls"), (Comm::new(b"x"), Some("/bin/ls".into()), some(&["/bin/ls"]), false));
    assert_eq!(exec("exec 5"), (Comm::new(b"p5"), None, None, false));
    assert_eq!(exec("exec 5 file=/bin/x --"), (Comm::new(b"x"), Some("/bin/x".into()), Some(vec![]), false));
}

#[test]
fn an_end_has_a_status_and_a_cost() {
    let exit = |line: &str| if let Event::Exit(exit) = event(line) { (exit.status, exit.cost) } else { panic!() };
    let cost = Cost { cpu_ns: MS, ..Cost::default() };
    assert_eq!(exit("exit 5"), (ExitStatus::Code(0), Some(cost)));
    assert_eq!(exit("exit 5 3 unmeasured"), (ExitStatus::Code(3), None));
    let full = Cost {
        cpu_ns: 2 * SECOND,
        user_ns: Some(SECOND),
        run_delay_ns: Some(3 * MS),
        max_rss_bytes: Some(3 << 20),
        read_bytes: Some(4),
        threads_begun: Some(9),
        threads_most: Some(8),
        write_bytes: Some(5 << 30),
        minor_faults: 6,
        major_faults: 7,
    };
    let line = "exit 5 SIGSEGV core cpu=2s rss=3M read=4 write=5G minor=6 major=7 begun=9 most=8 user=1s waited=3ms";
    assert_eq!(exit(line), (ExitStatus::Signal { signal: 11, core: true }, Some(full)));
    assert_eq!(exit("end 5"), (ExitStatus::Unknown, None));
    assert!(matches!(event("end 5"), Event::Exit(Exited { task: None, .. })));
}

#[test]
fn what_changes_later_is_kept() {
    let events = events(
        "uid 5 6 ruid=7\ncomm 5 'new name'\nparent 5 1\nfork 5 8\nusage 5 1.5 user=1ms waited=2ms rss=1K threads=2 state=R\nlost 1 exit=2",
    );
    let key = ProcKey::new(5, 5);
    let creds = Creds { uid: 6, ruid: 7, ..Creds::default() };
    assert_eq!(events[0], Event::Creds { ts_ns: SECOND, key, creds });
    assert_eq!(events[1], Event::Comm { ts_ns: 2 * SECOND, key, comm: Comm::new(b"new name") });
    assert_eq!(events[2], Event::Parent { ts_ns: 3 * SECOND, key, parent: ProcKey::new(1, 1) });
    let Event::Fork(fork) = &events[3] else { panic!() };
    assert_eq!((fork.task.creds, fork.task.comm, fork.task.parent), (creds, Comm::new(b"new name"), key));
    let usage = Usage {
        ts_ns: 5 * SECOND,
        key,
        cpu_ns: 1_500_000,
        user_ns: Some(MS),
        run_delay_ns: Some(2 * MS),
        rss_bytes: Some(1024),
        read_bytes: None,
        write_bytes: None,
        threads_begun: None,
        threads: 2,
        state: 'R',
    };
    assert_eq!(events[4], Event::Usage(usage));
    let mut count = LossCount::of(LossKind::Fork, 1);
    count[LossKind::Exit] = 2;
    assert_eq!(events[5], Event::Lost { ts_ns: 6 * SECOND, count });
}

#[test]
fn a_zombie_is_told_and_its_reaping() {
    let key = ProcKey::new(5, 5);
    assert_eq!(event("zombie 5"), Event::Zombie { ts_ns: SECOND, key });
    assert_eq!(event("reaped 5"), Event::Reaped { ts_ns: SECOND, key });
}

#[test]
fn what_a_process_belongs_to_is_told_with_it_and_changes() {
    let events = events("found 5 1 sid=5 pgid=5 tty=pts/3 login=7 audit=2\nsession 5 sid=6 nice=-5 tty=?\nfork 5 8");
    let Event::Process(Found { task, .. }) = &events[0] else { panic!() };
    let first = Session {
        sid: Some(5),
        pgid: Some(5),
        nice: None,
        tty: Some(Tty::new(b"pts/3")),
        login_uid: Some(7),
        audit_session: Some(2),
    };
    assert_eq!(task.session, first);
    let then = Session { sid: Some(6), nice: Some(-5), tty: Some(Tty::NONE), ..first };
    assert_eq!(events[1], Event::Session { ts_ns: 2 * SECOND, key: ProcKey::new(5, 5), session: then });
    let Event::Fork(fork) = &events[2] else { panic!() };
    assert_eq!(fork.task.session, then);
}

#[test]
fn a_title_is_what_a_process_shows_instead_of_its_arguments() {
    let key = ProcKey::new(5, 5);
    let argv = Argv::from_args(["a title"]);
    assert_eq!(
        event("title 5 truncated -- 'a title'"),
        Event::Title { ts_ns: SECOND, key, argv, argv_truncated: true }
    );
    let error = parse("title 5", 0).unwrap_err().to_string();
    assert!(error.contains(TITLE_OPTIONS), "{error}");
}

#[test]
fn time_may_begin_anywhere_but_the_idle_task_stays() {
    let steps = parse("found 3 0\nfork 3 4@1s", 1000).unwrap();
    let Step::Event(event) = &steps[0] else { panic!() };
    let Event::Process(found) = &**event else { panic!() };
    assert_eq!(
        (found.ts_ns, found.task.key, found.task.parent),
        (SECOND + 1000, ProcKey::new(3, 1003), ProcKey::SWAPPER)
    );
    let Step::Event(event) = &steps[1] else { panic!() };
    let Event::Fork(fork) = &**event else { panic!() };
    assert_eq!(fork.task.key, ProcKey::new(4, SECOND + 1000));
}

#[test]
fn each_error_has_the_line_the_word_and_what_was_expected() {
    for (text, message) in [
        ("tick\n\nfrok 1 2", format!("line 3: 'frok' is not understood: expected {LINES}")),
        ("'\u{1b}[2J", r"line 1: nothing follows '\x1b[2J': expected a closing quote".into()),
        ("\\xff", format!("line 1: '\\xff' is not understood: expected {LINES}")),
        (
            "fork 1",
            "line 1: nothing follows '1': expected a pid such as '12', or '12@3s' for the one that started then".into(),
        ),
        (
            "fork 1 x",
            "line 1: 'x' is not understood: expected a pid such as '12', or '12@3s' for the one that started then"
                .into(),
        ),
        (
            "exit 1@soon",
            "line 1: '1@soon' is not understood: expected a pid such as '12', or '12@3s' for the one that started then"
                .into(),
        ),
        ("fork 1 2 uid=x", "line 1: 'uid=x' is not understood: expected '=' and a number that fits".into()),
        ("fork 1 2 colour=red", format!("line 1: 'colour=red' is not understood: expected {FORK_OPTIONS}")),
        ("fork 1 2 'kernel'", format!("line 1: 'kernel' is not understood: expected {FORK_OPTIONS}")),
        ("fork 1 2 -- sh", format!("line 1: '--' is not understood: expected {FORK_OPTIONS}")),
        (
            "found 1 0 zombie=7000",
            "line 1: 'zombie=7000' is not understood: expected '=' and an exit code, a signal's name or 'unknown'"
                .into(),
        ),
        ("found 1 0 state=R", format!("line 1: 'state=R' is not understood: expected {FOUND_OPTIONS}")),
        ("exec 1 git log -- a", format!("line 1: 'git' is not understood: expected {EXEC_OPTIONS}")),
        ("exec 1 a\\x00b", "line 1: 'a\\x00b' is not understood: expected an argument without NUL".into()),
        ("exec 1 'open", "line 1: nothing follows 'open': expected a closing quote".into()),
        ("exit 1 SIGNOTHING", format!("line 1: 'SIGNOTHING' is not understood: expected {EXIT_OPTIONS}")),
        ("exit 1 0 core", format!("line 1: 'core' is not understood: expected {EXIT_OPTIONS}")),
        ("exit 1 rss=1T", "line 1: 'rss=1T' is not understood: expected '=' and bytes such as '4096' or '80M'".into()),
        ("end 1 2", "line 1: '2' is not understood: expected the end of the line".into()),
        ("uid 1", "line 1: nothing follows '1': expected a uid".into()),
        ("uid 1 2 euid=3", "line 1: 'euid=3' is not understood: expected gid=, ruid= or rgid=".into()),
        ("comm 1", "line 1: nothing follows '1': expected a name".into()),
        ("parent 1 2 3", "line 1: '3' is not understood: expected the end of the line".into()),
        ("usage 1 2d", "line 1: '2d' is not understood: expected a time such as '90', '1.5s' or '20ms'".into()),
        ("usage 1 2 state=RR", "line 1: 'state=RR' is not understood: expected '=' and one letter".into()),
        (
            "usage 1 2 io=3",
            "line 1: 'io=3' is not understood: expected user=, waited=, rss=, read=, write=, begun=, threads= or state=".into(),
        ),
        (
            "lost",
            "line 1: nothing follows 'lost': expected a number of forks, or fork=, exec=, exit= and cgroup=".into(),
        ),
        (
            "lost 1 kill=2",
            "line 1: 'kill=2' is not understood: expected a number of forks, or fork=, exec=, exit= and cgroup=".into(),
        ),
        ("at", "line 1: nothing follows 'at': expected a time such as '90', '1.5s' or '20ms'".into()),
        ("wait -1", "line 1: '-1' is not understood: expected a time such as '90', '1.5s' or '20ms'".into()),
        (
            "at 99999999999999999999h",
            "line 1: '99999999999999999999h' is not understood: expected a time such as '90', '1.5s' or '20ms'".into(),
        ),
        ("tick 5", "line 1: '5' is not understood: expected the end of the line".into()),
        ("every 5 6", "line 1: '6' is not understood: expected the end of the line".into()),
    ] {
        assert_eq!(error(text), message, "{text}");
    }
}

#[test]
fn a_line_that_is_not_understood_changes_nothing() {
    let mut script = Script::new(0);
    for bad in ["at 100 x", "fork 1 2 x", "every 5 6", "comm 1 a b", "tick 1", "wait 1 1"] {
        assert!(script.line(bad).is_err(), "{bad}");
    }
    let expected = Event::Exit(Exited {
        ts_ns: SECOND,
        key: ProcKey::new(2, 2),
        task: None,
        status: ExitStatus::Unknown,
        cost: None,
        killer: None,
    });
    assert_eq!(script.line("end 2"), Ok(Some(Step::Event(Box::new(expected)))));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "((found|fork|exec|exit|uid|usage|lost|at|every) [ -~\\t\\\\é'\"=@.#]{0,40}\n?){0,6}") {
        if let Err(error) = parse(&text, u64::MAX - 5) {
            proptest::prop_assert!(error.line <= text.lines().count());
        }
    }
}
