//! Each line as it is written, once with everything known and once with nothing.

use ptree_core::event::{
    Cost, Creds, Event, Exe, Execed, Exited, Forked, Found, LossCount, LossKind, Task, Usage, Zombie,
};
use ptree_core::killer::{KillCause, Killer, Sender};
use ptree_core::{Argv, Comm, ExitStatus, ProcKey, Session, Tty};

use super::*;
use crate::{Header, TimeAnchor};

fn task(kernel: bool) -> Task {
    Task {
        creds: Creds { uid: 0, gid: 0, ruid: 1000, rgid: 0 },
        comm: Comm::new(b"a\x1b\xff"),
        cgroup_id: Some(77),
        pid_ns: Some(4_026_531_836),
        ns_pid: Some(5),
        kernel,
        ..Task::of(ProcKey::new(5, 50), ProcKey::new(1, 10))
    }
}

fn line(event: &Event) -> String {
    let mut out = Vec::new();
    write_event(&mut out, event, &Known::default()).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn fork_names_the_kernels_parent_only_where_it_is_another() {
    let fork = Forked { ts_ns: 51, task: task(false), forker: ProcKey::new(1, 10) };
    assert_eq!(
        line(&Event::Fork(fork.clone())),
        concat!(
            r#"{"type":"fork","ts_ns":51,"pid":5,"start_ns":50,"ppid":1,"parent_start_ns":10,"uid":0,"gid":0,"#,
            r#""ruid":1000,"comm":"a\\x1b\\xff","cgroup_id":77,"pid_ns":4026531836}"#,
            "\n"
        )
    );
    let sibling = line(&Event::Fork(Forked { forker: ProcKey::new(4, 40), ..fork }));
    assert!(
        sibling.contains(r#""ppid":4,"parent_start_ns":40,"kernel_ppid":1,"kernel_parent_start_ns":10,"#),
        "{sibling}"
    );
}

#[test]
fn exec_leaves_out_what_is_not_known() {
    let exec = Execed {
        ts_ns: 52,
        task: task(false),
        filename: Some((*b"/bin/\n").into()),
        exe: Some(Exe { deleted: true, ..Exe::at(*b"/bin/dash") }),
        interp: Some((*b"/bin/sh").into()),
        argv: Some(Argv::from_args([&b"sh"[..], b"", b"\\x41"])),
        argv_truncated: true,
    };
    assert_eq!(
        line(&Event::Exec(exec.clone())),
        concat!(
            r#"{"type":"exec","ts_ns":52,"pid":5,"start_ns":50,"ppid":1,"parent_start_ns":10,"filename":"/bin/\\x0a","argv":["sh","","\\x5cx41"],"#,
            r#""argv_truncated":true,"exe":"/bin/dash","exe_deleted":true,"interp":"/bin/sh","uid":0,"gid":0,"ruid":1000,"comm":"a\\x1b\\xff","cgroup_id":77,"#,
            r#""pid_ns":4026531836}"#,
            "\n"
        )
    );
    let bare = line(&Event::Exec(Execed {
        filename: None,
        exe: None,
        interp: None,
        argv: None,
        argv_truncated: false,
        ..exec
    }));
    assert!(!bare.contains("filename") && !bare.contains("argv"), "{bare}");
}

#[test]
fn exit_tells_code_or_signal_and_the_cost_or_that_it_was_inferred() {
    let cost = Cost { cpu_ns: 9, max_rss_bytes: Some(4096), minor_faults: 3, ..Cost::default() };
    let key = ProcKey::new(5, 50);
    let exit =
        Exited { ts_ns: 60, task: Some(task(false)), key, status: ExitStatus::Code(3), cost: Some(cost), killer: None };
    assert_eq!(
        line(&Event::Exit(exit.clone())),
        concat!(
            r#"{"type":"exit","ts_ns":60,"pid":5,"start_ns":50,"ppid":1,"parent_start_ns":10,"uid":0,"gid":0,"#,
            r#""ruid":1000,"comm":"a\\x1b\\xff","cgroup_id":77,"pid_ns":4026531836,"code":3,"cpu_ns":9,"#,
            r#""max_rss_bytes":4096,"minor_faults":3,"major_faults":0,"lifetime_ns":10}"#,
            "\n"
        )
    );
    let status = ExitStatus::Signal { signal: 11, core: true };
    let killed = line(&Event::Exit(Exited { status, ..exit.clone() }));
    assert!(killed.contains(r#""signal":"SIGSEGV","core":true"#) && !killed.contains("code"), "{killed}");
    let sender = Sender { key: ProcKey::new(7, 8), comm: Comm::new(b"java"), uid: 3 };
    let told = |cause, sender| {
        let killer = Some(Box::new(Killer { cause, sender }));
        line(&Event::Exit(Exited { status: ExitStatus::Signal { signal: 9, core: false }, killer, ..exit.clone() }))
    };
    let oom = told(KillCause::Oom, Some(sender));
    let wants = r#""signal":"SIGKILL","oom":true,"killer":{"pid":7,"start_ns":8,"comm":"java","uid":3,"cause":"oom"},"#;
    assert!(oom.contains(wants), "{oom}");
    let timer = told(KillCause::Timer, None);
    assert!(timer.contains(r#""signal":"SIGKILL","killer":{"cause":"timer"},"#), "{timer}");
    let inferred = Exited { ts_ns: 60, task: None, key, status: ExitStatus::Unknown, cost: None, killer: None };
    assert_eq!(
        line(&Event::Exit(inferred)),
        "{\"type\":\"exit\",\"ts_ns\":60,\"pid\":5,\"start_ns\":50,\"lifetime_ns\":10,\"inferred\":true}\n"
    );
}

#[test]
fn process_tells_kernel_threads_zombies_and_repair() {
    let found = Found {
        ts_ns: 70,
        task: task(true),
        argv: None,
        argv_truncated: false,
        exe: None,
        cgroup: None,
        exited: Some(Zombie { status: ExitStatus::Code(1), cpu_ns: 2, run_delay_ns: None, user_ns: None }),
        repaired: true,
    };
    let text = line(&Event::Process(found));
    let end = concat!(r#""threads":1,"kernel":true,"zombie":true,"code":1,"cpu_ns":2,"repaired":true}"#, "\n");
    assert!(text.starts_with(r#"{"type":"process","ts_ns":70,"pid":5,"#) && text.ends_with(end), "{text}");
}

#[test]
fn changes_losses_and_usage_have_lines() {
    let key = ProcKey::new(5, 50);
    let count = {
        let mut count = LossCount::of(LossKind::Fork, 1);
        count[LossKind::Exit] = 2;
        count
    };
    for (event, text) in [
        (
            Event::Creds { ts_ns: 1, key, creds: Creds::default() },
            r#"{"type":"uid","ts_ns":1,"pid":5,"start_ns":50,"uid":0,"gid":0}"#,
        ),
        (
            Event::Comm { ts_ns: 1, key, comm: Comm::new(b"x") },
            r#"{"type":"comm","ts_ns":1,"pid":5,"start_ns":50,"comm":"x"}"#,
        ),
        (
            Event::Title { ts_ns: 1, key, argv: Argv::from_args(["a title"]), argv_truncated: true },
            r#"{"type":"title","ts_ns":1,"pid":5,"start_ns":50,"argv":["a title"],"argv_truncated":true}"#,
        ),
        (Event::Zombie { ts_ns: 1, key }, r#"{"type":"zombie","ts_ns":1,"pid":5,"start_ns":50}"#),
        (Event::Reaped { ts_ns: 1, key }, r#"{"type":"reaped","ts_ns":1,"pid":5,"start_ns":50}"#),
        (
            Event::Parent { ts_ns: 1, key, parent: ProcKey::new(1, 10) },
            r#"{"type":"parent","ts_ns":1,"pid":5,"start_ns":50,"ppid":1,"parent_start_ns":10}"#,
        ),
        (
            Event::Usage(Usage {
                ts_ns: 1,
                key,
                cpu_ns: 9,
                run_delay_ns: None,
                user_ns: None,
                rss_bytes: None,
                read_bytes: None,
                write_bytes: None,
                threads_begun: None,
                threads: 1,
                state: 'S',
            }),
            r#"{"type":"usage","ts_ns":1,"pid":5,"start_ns":50,"threads":1,"cpu_ns":9,"state":"S"}"#,
        ),
        (Event::Lost { ts_ns: 1, count }, r#"{"type":"lost","ts_ns":1,"count":3,"fork":1,"exec":0,"exit":2}"#),
    ] {
        assert_eq!(line(&event), format!("{text}\n"));
    }
}

#[test]
fn what_a_process_belongs_to_is_told_as_far_as_it_is_known() {
    let session = Session {
        sid: Some(3),
        pgid: Some(4),
        nice: Some(-20),
        tty: Some(Tty::NONE),
        login_uid: Some(Session::NO_LOGIN),
        audit_session: Some(2),
    };
    let all = r#""sid":3,"pgid":4,"nice":-20,"tty":"?","login_uid":4294967295,"audit_session":2"#;
    let key = ProcKey::new(5, 50);
    assert_eq!(
        line(&Event::Session { ts_ns: 60, key, session }),
        format!(r#"{{"type":"session","ts_ns":60,"pid":5,"start_ns":50,{all}}}"#) + "\n"
    );
    let task = Task { threads: 7, session, ..task(false) };
    let fork = Forked { ts_ns: 51, forker: task.parent, task: task.clone() };
    assert!(line(&Event::Fork(fork)).ends_with(&format!("\"threads\":7,{all}}}\n")));
    // Of one that has ended no thread lives, whatever the kernel has not cleared up yet.
    let cost = Cost { cpu_ns: 9, user_ns: Some(6), run_delay_ns: Some(1), ..Cost::default() };
    let (status, cost) = (ExitStatus::Code(0), Some(cost));
    let exit = line(&Event::Exit(Exited { ts_ns: 60, key, task: Some(task), status, cost, killer: None }));
    assert!(exit.contains(all) && !exit.contains("threads"), "{exit}");
    assert!(exit.contains(r#""cpu_ns":9,"user_ns":6,"system_ns":3,"run_delay_ns":1,"#), "{exit}");
}

#[test]
fn the_header_has_both_clocks() {
    let header = Header {
        version: "1.2.3".to_owned(),
        host: "h\u{7}".to_owned(),
        kernel: "6.1".to_owned(),
        boot_id: "b".to_owned(),
        anchor: TimeAnchor { boottime_ns: 5, unix_ns: 1_000 },
        degraded: Vec::new(),
    };
    let mut out = Vec::new();
    write_header(&mut out, &header, "live").unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        concat!(
            r#"{"type":"header","schema":2,"version":"1.2.3","host":"h\\x07","kernel":"6.1","boot_id":"b","#,
            r#""boottime_ns":5,"unix_ns":1000,"source":"live"}"#,
            "\n"
        )
    );
    assert_eq!(header.anchor.unix_ns(3), 998);
    let header = Header { degraded: vec!["ends".to_owned(), "memory".to_owned()], ..header };
    let mut out = Vec::new();
    write_header(&mut out, &header, "live").unwrap();
    let told = String::from_utf8(out).unwrap();
    assert!(told.ends_with(concat!(r#""source":"live","degraded":["ends","memory"]}"#, "\n")), "{told}");
}

#[test]
fn a_pid_elsewhere_is_told_from_the_same_and_from_an_unknown_one() {
    let fork = |pid_ns, ns_pid| {
        let task = Task { pid_ns, ns_pid, ..task(false) };
        line(&Event::Fork(Forked { ts_ns: 51, forker: task.parent, task }))
    };
    for (pid_ns, ns_pid, end) in [
        (Some(7), Some(5), r#""cgroup_id":77,"pid_ns":7}"#),
        (Some(7), Some(2), r#""pid_ns":7,"ns_pid":2}"#),
        (Some(7), None, r#""pid_ns":7,"ns_pid":null}"#),
        (None, Some(5), r#""cgroup_id":77,"ns_pid":5}"#),
        (None, None, r#""cgroup_id":77}"#),
    ] {
        assert!(fork(pid_ns, ns_pid).ends_with(&format!("{end}\n")), "{}", fork(pid_ns, ns_pid));
    }
}

#[test]
fn a_line_can_say_what_is_known_beside_its_event() {
    let argv = Argv::from_args([&b"cc"[..], b"x.c"]);
    let known = Known {
        time: Some("2026-11-21T14:03:22.123456789Z"),
        user: Some(b"ann"),
        argv: Some(&argv),
        argv_truncated: true,
        program: Program { exe: Some(b"/usr/bin/cc"), memfd: true, filename: Some(b"cc"), ..Program::default() },
        execs: Some(2),
        unit: Some(b"x-y.service"),
        container: None,
    };
    let line = |event: &Event| {
        let mut out = Vec::new();
        write_event(&mut out, event, &known).unwrap();
        String::from_utf8(out).unwrap()
    };
    let key = ProcKey::new(5, 50);
    let exit = Exited { ts_ns: 60, key, task: None, status: ExitStatus::Code(1), cost: None, killer: None };
    assert_eq!(
        line(&Event::Exit(exit)),
        concat!(
            r#"{"type":"exit","ts_ns":60,"time":"2026-11-21T14:03:22.123456789Z","pid":5,"start_ns":50,"filename":"cc","argv":["cc","x.c"],"#,
            r#""argv_truncated":true,"exe":"/usr/bin/cc","exe_memfd":true,"execs":2,"user":"ann","unit":"x-y.service","code":1,"lifetime_ns":10,"inferred":true}"#,
            "\n"
        )
    );
    // Others are not about a program.
    assert_eq!(
        line(&Event::Comm { ts_ns: 60, key, comm: Comm::new(b"x") }),
        concat!(
            r#"{"type":"comm","ts_ns":60,"time":"2026-11-21T14:03:22.123456789Z","pid":5,"start_ns":50,"#,
            r#""user":"ann","comm":"x"}"#,
            "\n"
        )
    );
}

#[test]
fn the_wall_clock_is_told_against_the_boot_clock() {
    let mut out = Vec::new();
    write_clock(&mut out, TimeAnchor { boottime_ns: 5, unix_ns: 1_000 }).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "{\"type\":\"clock\",\"ts_ns\":5,\"unix_ns\":1000}\n");
}
