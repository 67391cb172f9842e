//! What is written reads back; what was not written by this program is told apart and loses only itself.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use ptree_core::event::{Cost, Creds, Execed, Exited, Forked, Found, Task, Usage, Zombie};
use ptree_core::killer::{KillCause, Killer, Sender};
use ptree_core::{Argv, Comm, ExitStatus, LossCount, LossKind, ProcKey, Session, Tty};

use super::*;
use crate::ndjson::{Known, Program, write_clock, write_event, write_header, write_user};

fn key() -> impl Strategy<Value = ProcKey> {
    (any::<u32>(), any::<u64>()).prop_map(|(pid, start_ns)| ProcKey::new(pid, start_ns))
}

/// Mostly of what needs care: escapes and what looks like one, controls, quotes, text that is not UTF-8.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<Vec<u8>>(),
        any::<String>().prop_map(String::into_bytes),
        vec(prop::sample::select(&b"\\x0aF\"\n\x1b\xc2\x85\xe2\x80\xae"[..]), 0..24),
    ]
}

fn path() -> impl Strategy<Value = Option<Arc<[u8]>>> {
    prop::option::of(bytes().prop_map(Into::into))
}

fn comm() -> impl Strategy<Value = Comm> {
    bytes().prop_map(|bytes| Comm::new(&bytes))
}

fn argv() -> impl Strategy<Value = Option<Argv>> {
    prop::option::of(bytes().prop_map(|bytes| Argv::from_nul_terminated(&bytes)))
}

fn creds() -> impl Strategy<Value = Creds> {
    let id = || prop_oneof![0..2_u32, any::<u32>()];
    (id(), id(), id(), id()).prop_map(|(uid, gid, ruid, rgid)| Creds { uid, gid, ruid, rgid })
}

fn status() -> impl Strategy<Value = ExitStatus> {
    prop_oneof![
        any::<u8>().prop_map(ExitStatus::Code),
        any::<(u8, bool)>().prop_map(|(signal, core)| ExitStatus::Signal { signal, core }),
        Just(ExitStatus::Unknown),
    ]
}

fn session() -> impl Strategy<Value = Session> {
    let tty = prop::option::of(prop_oneof![Just(b"pts/3".to_vec()), vec(any::<u8>(), 0..14)]);
    (any::<[Option<u32>; 4]>(), any::<Option<i8>>(), tty).prop_map(
        |([sid, pgid, login_uid, audit_session], nice, tty)| Session {
            sid,
            pgid,
            nice,
            tty: tty.map(|name| Tty::new(&name)),
            login_uid,
            audit_session,
        },
    )
}

/// In a box: what it is made of is large, and there are many of them.
fn task() -> BoxedStrategy<Task> {
    let namespaces = (any::<Option<u64>>(), any::<Option<u32>>(), any::<Option<Option<u32>>>());
    let threads = prop_oneof![0..3_u32, any::<u32>()];
    (key(), key(), creds(), comm(), namespaces, threads, any::<bool>(), session())
        .prop_map(|(key, parent, creds, comm, (cgroup_id, pid_ns, ns_pid), threads, kernel, session)| {
            // The outer option stands for the usual: the same pid as outside.
            let ns_pid = ns_pid.unwrap_or(Some(key.pid));
            Task { key, parent, creds, comm, cgroup_id, pid_ns, ns_pid, threads, kernel, session }
        })
        .boxed()
}

fn cost() -> impl Strategy<Value = Cost> {
    any::<(u64, [Option<u64>; 5], u64, u64, [Option<u32>; 2])>().prop_map(
        |(
            cpu_ns,
            [user_ns, run_delay_ns, max_rss_bytes, read_bytes, write_bytes],
            minor_faults,
            major_faults,
            [threads_begun, threads_most],
        )| Cost {
            cpu_ns,
            user_ns,
            run_delay_ns,
            max_rss_bytes,
            read_bytes,
            write_bytes,
            threads_begun,
            threads_most,
            minor_faults,
            major_faults,
        },
    )
}

fn killer() -> impl Strategy<Value = Box<Killer>> {
    let sender = (key(), comm(), any::<u32>()).prop_map(|(key, comm, uid)| Sender { key, comm, uid });
    (prop::sample::select(KillCause::ALL.to_vec()), prop::option::of(sender))
        .prop_map(|(cause, sender)| Box::new(Killer { cause, sender }))
}

fn exe() -> impl Strategy<Value = Option<Exe>> {
    (path(), any::<[bool; 3]>())
        .prop_map(|(path, [deleted, memfd, truncated])| path.map(|path| Exe { path, deleted, memfd, truncated }))
}

fn event() -> impl Strategy<Value = Event> {
    let zombie = (status(), any::<(u64, [Option<u64>; 2])>())
        .prop_map(|(status, (cpu_ns, [user_ns, run_delay_ns]))| Zombie { status, cpu_ns, user_ns, run_delay_ns });
    let found = (any::<u64>(), task(), argv(), exe(), path(), prop::option::of(zombie), any::<[bool; 2]>()).prop_map(
        |(ts_ns, task, argv, exe, cgroup, exited, [argv_truncated, repaired])| {
            Event::Process(Found { ts_ns, task, argv, argv_truncated, exe, cgroup, exited, repaired })
        },
    );
    let fork = (any::<u64>(), task(), prop::option::of(key())).prop_map(|(ts_ns, task, forker)| {
        let forker = forker.unwrap_or(task.parent);
        Event::Fork(Forked { ts_ns, task, forker })
    });
    let exec = (any::<u64>(), task(), path(), exe(), path(), argv(), any::<bool>()).prop_map(
        |(ts_ns, task, filename, exe, interp, argv, argv_truncated)| {
            Event::Exec(Execed { ts_ns, task, filename, exe, interp, argv, argv_truncated })
        },
    );
    let exit = (any::<u64>(), task(), any::<bool>(), status(), prop::option::of(cost()), prop::option::of(killer()))
        .prop_map(|(ts_ns, task, told, status, cost, killer)| {
            let task = Task { threads: 0, ..task };
            Event::Exit(Exited { ts_ns, key: task.key, task: told.then_some(task), status, cost, killer })
        });
    let usage = (any::<(u64, u64, [Option<u64>; 5], Option<u32>, u32, char)>(), key()).prop_map(
        |(
            (ts_ns, cpu_ns, [user_ns, run_delay_ns, rss_bytes, read_bytes, write_bytes], threads_begun, threads, state),
            key,
        )| {
            Event::Usage(Usage {
                ts_ns,
                key,
                cpu_ns,
                user_ns,
                run_delay_ns,
                rss_bytes,
                read_bytes,
                write_bytes,
                threads_begun,
                threads,
                state,
            })
        },
    );
    let small = (any::<u64>(), key(), key(), creds(), comm(), session(), any::<[u64; LossKind::ALL.len()]>());
    let changes = (small, 0..7_u8).prop_map(|((ts_ns, key, parent, creds, comm, session, lost), kind)| match kind {
        0 => Event::Creds { ts_ns, key, creds },
        1 => Event::Comm { ts_ns, key, comm },
        2 => Event::Parent { ts_ns, key, parent },
        3 => Event::Session { ts_ns, key, session },
        4 => Event::Zombie { ts_ns, key },
        5 => Event::Reaped { ts_ns, key },
        _ => {
            let mut count = LossCount::default();
            LossKind::ALL.into_iter().zip(lost).for_each(|(kind, lost)| count[kind] = lost);
            Event::Lost { ts_ns, count }
        }
    });
    let title = (any::<u64>(), key(), argv(), any::<bool>())
        .prop_filter_map("no arguments", |(ts_ns, key, argv, argv_truncated)| {
            Some(Event::Title { ts_ns, key, argv: argv?, argv_truncated })
        });
    let moved = (any::<u64>(), key(), any::<Option<u64>>(), path())
        .prop_map(|(ts_ns, key, cgroup_id, cgroup)| Event::Moved { ts_ns, key, cgroup_id, cgroup });
    let cgroup = (any::<u64>(), any::<u64>(), path())
        .prop_filter_map("no path", |(ts_ns, id, path)| Some(Event::Cgroup { ts_ns, id, path: path? }));
    let program = (any::<u64>(), key(), exe())
        .prop_filter_map("no file", |(ts_ns, key, exe)| Some(Event::Exe { ts_ns, key, exe: exe? }));
    prop_oneof![found, fork, exec, exit, usage, changes, program, title, moved, cgroup]
}

fn read(bytes: &[u8]) -> (Vec<Result<Entry, String>>, Tally) {
    let mut reader = Reader::new(bytes);
    let entries = reader.by_ref().map(|entry| entry.map_err(|error| error.to_string())).collect();
    (entries, reader.tally())
}

proptest! {
    #[test]
    fn what_is_written_reads_back_i10(
        events in vec(event(), 1..8),
        [version, host, kernel, boot_id, user] in any::<[String; 5]>(),
        degraded in vec(any::<String>(), 0..3),
        (uid, boottime_ns, unix_ns) in any::<(u32, u64, u64)>(),
    ) {
        let header = Header { version, host, kernel, boot_id, anchor: TimeAnchor { boottime_ns, unix_ns }, degraded };
        let mut lines = Vec::new();
        write_header(&mut lines, &header, "synth").unwrap();
        write_user(&mut lines, uid, &user).unwrap();
        write_clock(&mut lines, header.anchor).unwrap();
        let clock = Entry::Clock(header.anchor);
        let mut written =
            vec![Ok(Entry::Header(header)), Ok(Entry::User { uid, name: user.clone() }), Ok(clock)];
        // What a line holds beside its event is read as nothing.
        let name = user.as_bytes();
        let argv = Argv::from_args([b"sh"]);
        let known = Known {
            time: Some("2026-11-21T14:03:22.123456789Z"),
            user: Some(name),
            argv: Some(&argv),
            argv_truncated: true,
            program: Program { exe: Some(name), truncated: true, interp: Some(name), ..Program::default() },
            execs: Some(uid),
            unit: Some(b"x.service"),
            container: Some(b"c"),
        };
        for event in events {
            let known = if uid % 2 == 0 { known } else { Known::default() };
            write_event(&mut lines, &event, &known).unwrap();
            written.push(Ok(Entry::Event(event)));
        }
        let tally = Tally { lines: u64::try_from(written.len()).unwrap(), ..Tally::default() };
        prop_assert_eq!(read(&lines), (written, tally));
    }

    #[test]
    fn a_stream_torn_anywhere_loses_only_its_last_line(events in vec(event(), 1..4), at in any::<prop::sample::Index>()) {
        let mut lines = Vec::new();
        for event in &events {
            write_event(&mut lines, event, &Known::default()).unwrap();
        }
        let torn = &lines[..at.index(lines.len())];
        let whole = torn.iter().filter(|&&b| b == b'\n').count();
        let (entries, tally) = read(torn);
        for (entry, event) in entries.iter().zip(&events).take(whole) {
            prop_assert_eq!(entry, &Ok(Entry::Event(event.clone())));
        }
        let rest = torn.rsplit(|&b| b == b'\n').next().unwrap_or_default();
        match entries.get(whole) {
            // Torn between the brace and the end of the line: nothing is missing.
            Some(Ok(entry)) => prop_assert_eq!(entry, &Entry::Event(events[whole].clone())),
            Some(Err(error)) => prop_assert!(error.contains(", torn off: "), "{}", error),
            None => prop_assert!(rest.is_empty()),
        }
        prop_assert_eq!(tally.bad == 1, entries.last().is_some_and(Result::is_err));
    }

    #[test]
    fn any_bytes_give_bounded_printable_errors(bytes in vec(prop_oneof![
        any::<u8>(),
        prop::sample::select(&b"{}[]\":,\\\n type pid"[..]),
    ], 0..400)) {
        for error in read(&bytes).0.into_iter().filter_map(Result::err) {
            prop_assert!(error.chars().count() < 1000 && !error.chars().any(char::is_control), "{error}");
        }
    }
}

const COMM: &str = r#"{"type":"comm","ts_ns":1,"pid":5,"start_ns":50,"comm":"x"}"#;

fn comm_event() -> Entry {
    Entry::Event(Event::Comm { ts_ns: 1, key: ProcKey::new(5, 50), comm: Comm::new(b"x") })
}

#[test]
fn unknown_types_and_fields_are_skipped_and_counted_and_alerts_passed_over() {
    let text = [
        r#"{"type":"exec_failed","ts_ns":1,"pid":5,"errno":"ENOENT"}"#,
        // A type to come may give a known name to something else.
        r#"{"type":"net","pid":["a",{"b":1}],"code":"x","comm":null}"#,
        r#"{"type":"comm","ts_ns":1,"pid":5,"start_ns":50,"comm":"x","colour":{"r":[1,2]},"size":null}"#,
        r#"{"type":"alert","ts_ns":1,"rule":"spawn_rate","level":"raised","pid":5,"start_ns":50,"message":"m"}"#,
        "",
        " \r",
        COMM,
    ];
    let (entries, tally) = read(text.join("\n").as_bytes());
    assert_eq!(entries, [Ok(comm_event()), Ok(comm_event())]);
    assert_eq!(tally, Tally { lines: 7, unknown_types: 2, unknown_fields: 2, bad: 0 });
}

#[test]
fn a_bad_line_is_quoted_with_its_number_and_the_next_is_read() {
    let long = "y".repeat(100);
    for (bad, error) in [
        ("hello\x1b[2J", r"line 2: not a JSON object: 'hello\x1b[2J'".to_owned()),
        ("[\"comm\",1,5,50]", r#"line 2: not a JSON object: '["comm",1,5,50]'"#.to_owned()),
        (
            r#"{"type":"comm","ts_ns":1,"start_ns":50,"comm":"x"}"#,
            r#"line 2: the field 'pid' is missing: '{"type":"comm","ts_ns":1,"start_ns":50,"...'"#.to_owned(),
        ),
        (
            &*format!(r#"{{"name":"{long}","type":"comm","pid":-5,"comm":"{long}"}}"#),
            format!(
                "line 2: invalid value: integer `-5`, expected a whole number from 0 to 4294967295: '...{}\",\"type\":\"comm\",\"pid\":-5,\"comm\":\"{}...'",
                &long[..16],
                &long[..31],
            ),
        ),
        (r#"{"pid":5}"#, r#"line 2: missing field `type`: '{"pid":5}'"#.to_owned()),
        (
            r#"{"type":"lost","ts_ns":1,"count":3}"#,
            r#"line 2: the field 'fork' is missing: '{"type":"lost","ts_ns":1,"count":3}'"#.to_owned(),
        ),
    ] {
        let (entries, tally) = read(format!("{COMM}\n{bad}\n{COMM}\n").as_bytes());
        assert_eq!(entries, [Ok(comm_event()), Err(error), Ok(comm_event())]);
        assert_eq!((tally.lines, tally.bad), (3, 1));
    }
    let exit = r#"{"type":"exit","ts_ns":60,"pid":5,"start_ns":50,"#;
    for (bad, problem) in [
        (format!(r#"{exit}"signal":"SIGNOT"}}"#), "no signal 'SIGNOT'"),
        (format!(r#"{exit}"signal":"SIGKILL","code":0}}"#), "both 'code' and 'signal'"),
        (format!(r#"{exit}"code":256}}"#), "expected a whole number from 0 to 255"),
        (format!(r#"{exit}"cpu_ns":1}}"#), "'minor_faults' is missing"),
        (format!(r#"{exit}"argv":["a\\x00b"]}}"#), "an argument with a NUL in it"),
        (format!(r#"{exit}"argv":"{}"}}"#, "é".repeat(1000)), "invalid type"),
    ] {
        let entry = read(format!("{bad}\n").as_bytes()).0.remove(0);
        let error = entry.unwrap_err();
        assert!(error.contains(problem) && error.chars().count() < 400, "{error}");
    }
}

#[test]
fn a_newer_schema_is_an_error_that_ends_the_reading() {
    for newer in [
        r#"{"type":"header","schema":3,"boottime_ns":5,"unix_ns":1000}"#,
        r#"{"type":"header","schema":4,"host":{"name":"h"},"version":7}"#,
    ] {
        let (entries, tally) = read(format!("{newer}\n{COMM}\n").as_bytes());
        let error = entries[0].clone().unwrap_err();
        assert!(error.contains("line 1") && error.contains("reads up to 2: use a newer one"), "{error}");
        assert_eq!((entries.len(), tally.lines), (1, 1));
    }
    let (entries, _) = read(b"{\"type\":\"header\",\"schema\":1,\"boottime_ns\":5,\"unix_ns\":1000}\n");
    let anchor = TimeAnchor { boottime_ns: 5, unix_ns: 1000 };
    let [version, host, kernel, boot_id] = [const { String::new() }; 4];
    assert_eq!(entries, [Ok(Entry::Header(Header { version, host, kernel, boot_id, anchor, degraded: Vec::new() }))]);
}

/// In it, bytes were those of reaped children as well, and the mark of a deleted file stood in its path.
#[test]
fn what_meant_something_else_in_the_first_schema_is_not_taken_for_what_it_means_now() {
    let lines = |schema: u32| {
        format!(
            "{{\"type\":\"header\",\"schema\":{schema},\"boottime_ns\":5,\"unix_ns\":1000}}\n\
             {{\"type\":\"process\",\"ts_ns\":9,\"pid\":5,\"start_ns\":1,\"ppid\":1,\"parent_start_ns\":0,\"exe\":\"/d (deleted)\",\
             \"uid\":0,\"gid\":0,\"comm\":\"x\"}}\n\
             {{\"type\":\"usage\",\"ts_ns\":9,\"pid\":5,\"start_ns\":1,\"cpu_ns\":1,\"read_bytes\":7,\"write_bytes\":8}}\n"
        )
    };
    let told = |schema| {
        let (entries, _) = read(lines(schema).as_bytes());
        let [Ok(_), Ok(Entry::Event(Event::Process(found))), Ok(Entry::Event(Event::Usage(usage)))] = &entries[..]
        else {
            panic!("{entries:?}")
        };
        let exe = found.exe.clone().unwrap();
        (exe.path.to_vec(), exe.deleted, usage.read_bytes, usage.write_bytes)
    };
    assert_eq!(told(1), (b"/d".to_vec(), true, None, None));
    assert_eq!(told(2), (b"/d (deleted)".to_vec(), false, Some(7), Some(8)));
}

#[test]
fn a_line_that_is_too_long_is_skipped_without_being_kept() {
    let fits = format!("{COMM}{}", " ".repeat(100 - COMM.len()));
    let endless = std::iter::repeat_n(b'[', 1 << 20).collect::<Vec<_>>();
    let text = [fits.as_bytes(), b"\n", fits.as_bytes(), b" \n", &endless, b"\n", COMM.as_bytes()].concat();
    let mut reader = Reader::with_max_line(&text[..], 100);
    let entries: Vec<_> = reader.by_ref().map(|entry| entry.map_err(|error| error.to_string())).collect();
    let [Ok(first), Err(second), Err(third), Ok(last)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((first, last), (&comm_event(), &comm_event()));
    assert!(second.starts_with("line 2: longer than 100 bytes: '{"), "{second}");
    assert!(third.starts_with("line 3: longer than 100 bytes: '[["), "{third}");
    assert!(reader.buffer.capacity() < 1024, "{}", reader.buffer.capacity());
}

#[test]
fn a_line_that_never_ends_is_told_of_at_once() {
    let mut reader = Reader::with_max_line(io::BufReader::new(io::repeat(b'x')), 100);
    let error = reader.next().unwrap().unwrap_err().to_string();
    assert!(error.starts_with("line 1: longer than 100 bytes: 'xx"), "{error}");
    assert!(reader.buffer.capacity() < 1024, "{}", reader.buffer.capacity());
}

#[test]
fn escapes_are_undone_also_where_json_has_its_own() {
    let line = r#"{"type":"exec","ts_ns":1,"pid":5,"start_ns":5,"ppid":1,"parent_start_ns":1,"uid":0,"gid":0,"comm":"\u0073h","filename":"/bin/\\xff\n\\x5cx41","argv":["\\x","\\xg0","é\u00e9","\"\\xE9"]}"#;
    let (entries, _) = read(line.as_bytes());
    let [Ok(Entry::Event(Event::Exec(exec)))] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(exec.filename.as_deref(), Some(&b"/bin/\xff\n\\x41"[..]));
    assert_eq!(exec.argv, Some(Argv::from_args([&b"\\x"[..], b"\\xg0", "éé".as_bytes(), b"\"\xe9"])));
    assert_eq!(exec.task.comm, Comm::new(b"sh"));
}

#[test]
fn lines_nested_without_end_are_told_in_short() {
    let deep = |open: &str| open.repeat((1 << 20) / open.len());
    for line in [
        deep("["),
        deep("{\"a\":"),
        format!("{{\"type\":\"comm\",\"new\":{}", deep("[")),
        format!("{{\"type\":\"comm\",\"argv\":{}", deep("[")),
        format!("{{\"type\":\"header\",\"host\":{}", deep("{\"a\":")),
        format!("{{\"type\":{}", deep("{\"type\":")),
        format!("{{\"type\":\"exit\",\"signal\":\"{}\"}}", deep("\\u001b")),
        format!("{{\"type\":\"comm\",\"pid\":\"{}\u{202e}\u{9b}\"}}", deep("塩")),
        format!("{{\"type\":\"comm\",\"state\":\"{}", "\u{1b}]0;T\u{7}"),
    ] {
        let (entries, _) = read(line.as_bytes());
        let [Err(told)] = &entries[..] else { panic!("{}", entries.len()) };
        let told = told.to_string();
        assert!(told.chars().count() <= 2 * SHOWN * 4 + PROBLEM + 100, "{told}");
        assert!(!told.contains(ptree_core::text::is_control), "{told}");
    }
}

/// What is read of a line of ours, written in another way.
fn same(line: &[u8]) -> Event {
    let mut reader = Reader::new(line);
    match reader.next() {
        Some(Ok(Entry::Event(event))) => event,
        other => panic!("{}: {other:?}", String::from_utf8_lossy(line)),
    }
}

#[test]
fn json_of_other_writers_is_read() {
    let ours = same(br#"{"type":"comm","ts_ns":5000,"pid":5,"start_ns":1000,"comm":"x"}"#);
    for other in [
        "\u{feff}{\"type\":\"comm\",\"ts_ns\":5000,\"pid\":5,\"start_ns\":1000,\"comm\":\"x\"}\r\n",
        r#"{"type":"comm","ts_ns":5000.0,"pid":5.0,"start_ns":1e3,"comm":"x"}"#,
        r#"{"type":"comm","ts_ns":5.0E+3,"pid":50e-1,"start_ns":1000.000,"comm":"x"}"#,
        r#"  { "comm" : "\u0078" , "start_ns" :1000, "pid": 5,"ts_ns"	: 5000 ,"type": "comm" }  "#,
        r#"{"type":"fork","type":"comm","ts_ns":1,"ts_ns":5000,"pid":5,"start_ns":1000,"comm":"y","comm":"x"}"#,
        r#"{"type":"comm","ts_ns":5000,"pid":5,"start_ns":1000,"comm":"x","ppid":null,"exe":null}"#,
    ] {
        assert_eq!(same(other.as_bytes()), ours, "{other}");
    }
    let header = "\u{feff}{\"boottime_ns\":5e3,\"unix_ns\":1000.0,\"schema\":1.0,\"type\":\"header\"}\r\n";
    let Some(Ok(Entry::Header(header))) = Reader::new(header.as_bytes()).next() else { panic!("no header") };
    assert_eq!(header.anchor, TimeAnchor { boottime_ns: 5000, unix_ns: 1000 });
    let newer = r#"{"schema":3e0,"type":"header"}"#;
    assert!(matches!(Reader::new(newer.as_bytes()).next(), Some(Err(ReadError::Schema { schema: 3, .. }))));
}

#[test]
fn a_number_that_is_no_such_number_is_told_with_what_may_be() {
    for (number, told) in [
        ("0.5", "floating point `0.5`, expected a whole number from 0 to 4294967295"),
        ("-1", "expected a whole number"),
        ("-1.0", "expected a whole number"),
        ("4294967296", "expected a whole number from 0 to 4294967295"),
        ("1e10", "expected a whole number from 0 to 4294967295"),
        ("1e300", "expected a whole number"),
        ("\"5\"", "expected a whole number"),
    ] {
        let line = format!(r#"{{"type":"comm","ts_ns":5000,"pid":{number},"start_ns":1000,"comm":"x"}}"#);
        let Some(Err(error)) = Reader::new(line.as_bytes()).next() else { panic!("{number}") };
        assert!(error.to_string().contains(told), "{error}");
    }
    let line = r#"{"type":"comm","ts_ns":18446744073709551616,"pid":5,"start_ns":1000,"comm":"x"}"#;
    assert!(matches!(Reader::new(line.as_bytes()).next(), Some(Err(ReadError::Line(_)))));
}

#[test]
fn what_is_no_text_of_ours_is_told_as_what_it_is() {
    for (bytes, told) in [
        (&b"\xff\xfe{\0"[..], "UTF-16"),
        (b"\x1f\x8b\x08", "gzip -d"),
        (b"\x28\xb5\x2f\xfd", "zstd -d"),
        (b"{\n  \"type\": \"header\"\n}\n", "does not end on its line"),
    ] {
        let Some(Err(error)) = Reader::new(bytes).next() else { panic!("{told}") };
        assert!(error.to_string().contains(told), "{error}");
    }
}
