//! Tests of the language as a whole: expressions against processes, and errors by their words.

mod property;

use super::*;
use crate::event::{Event, Exe, Found, Usage};
use crate::facts::FACTS;
use crate::testing::{SECOND, Scene};
use crate::{ExitStatus, Lineage, Sums};

fn user(uid: u32) -> &'static str {
    match uid {
        0 => "root",
        1000 => "Alice",
        _ => "",
    }
}

fn context(scene: &Scene, lineage: Lineage) -> Context<'_> {
    Context { tree: scene.engine.tree(), lineage, now_ns: scene.clock_ns, user: &|uid| user(uid), sums: None }
}

/// The pids of those that match, in rising order.
fn matching_in(scene: &Scene, lineage: Lineage, text: &str) -> Vec<u32> {
    let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{}", error.pointed_out(str::len)));
    let mut sums = Sums::default();
    sums.refresh(scene.engine.tree(), lineage);
    let judge = filter.judge(Context { user: &|uid| user(uid), sums: Some(&sums), ..context(scene, lineage) });
    let mut pids: Vec<_> =
        scene.engine.tree().iter().filter(|process| judge.matches(process)).map(|process| process.key.pid).collect();
    pids.sort_unstable();
    pids
}

fn matching(scene: &Scene, text: &str) -> Vec<u32> {
    matching_in(scene, Lineage::Forked, text)
}

/// A login with a build in it, in which one step failed, one was killed and one runs; a container; a kernel thread.
fn machine() -> Scene {
    let mut scene = Scene::of(
        "found 1 0
         fork 1 10
         exec 10 sshd -D
         fork 10 20 1000
         exec 20 Bash --login
         fork 20 30
         exec 30 make -j2
         fork 30 31
         exec 31 /usr/bin/cc -c a.c
         exit 31 2
         fork 30 32
         exec 32 /usr/bin/cc -c b.c
         exit 32 SIGKILL
         fork 30 33
         exec 33 ld -o all
         fork 1 40 7
         exec 40 nginx
         parent 20 1",
    );
    let docker = format!("/system.slice/docker-{}.scope", "ab".repeat(32));
    for (pid, parent, cgroup) in [(40, 1, docker.as_str()), (10, 1, "/system.slice/ssh.service"), (1, 0, "/init.scope")]
    {
        let mut event = scene.event(&["found", &pid.to_string(), &parent.to_string()]);
        let Event::Process(found) = &mut event else { unreachable!() };
        found.cgroup = Some(cgroup.as_bytes().into());
        scene.engine.ingest(&event, &mut Vec::new());
    }
    let mut event = scene.event(&["found", "2", "0"]);
    let Event::Process(Found { task, .. }) = &mut event else { unreachable!() };
    task.kernel = true;
    scene.engine.ingest(&event, &mut Vec::new());
    for (cpu_ms, at) in [(1000, 100), (1500, 101)] {
        let (ts_ns, key) = (at * SECOND, scene.key(33));
        let usage = Usage {
            ts_ns,
            key,
            cpu_ns: cpu_ms * 1_000_000,
            run_delay_ns: None,
            user_ns: None,
            rss_bytes: Some(6 << 20),
            read_bytes: None,
            write_bytes: None,
            threads_begun: None,
            threads: 3,
            state: 'R',
        };
        scene.engine.ingest(&Event::Usage(usage), &mut Vec::new());
    }
    scene.clock_ns = 101 * SECOND;
    scene
}

const ALL: [u32; 9] = [1, 2, 10, 20, 30, 31, 32, 33, 40];

#[test]
fn expressions_pick_processes() {
    let scene = machine();
    for (text, pids) in [
        // Words: name, command line, user, beginning of the pid; smart case; quotes; expressions.
        ("", &ALL[..]),
        ("  ", &ALL),
        ("cc", &[31, 32]),
        ("bash", &[20]),
        ("Bash", &[20]),
        ("BASH", &[]),
        ("alice", &[20, 30, 31, 32, 33]),
        ("3", &[30, 31, 32, 33]),
        ("33", &[33]),
        ("033", &[]),
        ("-c", &[31, 32]),
        ("/usr/bin", &[31, 32]),
        ("\"cc -c a\"", &[31]),
        ("'-c  a'", &[]),
        ("/cc -c [a]/", &[31]),
        ("~^nginx$", &[40]),
        ("~ \"c a|b\\.c\"", &[31, 32]),
        // Joining them.
        ("cc a.c", &[31]),
        ("cc and a.c", &[31]),
        ("cc && a.c", &[31]),
        ("nginx or make", &[30, 40]),
        ("nginx||make", &[30, 40]),
        ("nginx or cc a.c", &[31, 40]),
        ("(nginx or cc) a.c", &[31]),
        ("cc not a.c", &[32]),
        ("cc !a.c", &[32]),
        ("cc and not(a.c or b.c)", &[]),
        ("! ! nginx", &[40]),
        ("NOT alice AND NOT root", &[40]),
        ("or", &[]),
        // Figures.
        ("pid=33", &[33]),
        ("pid != 33 alice", &[20, 30, 31, 32]),
        ("pid<10", &[1, 2]),
        ("pid<=10", &[1, 2, 10]),
        ("pid>=33", &[33, 40]),
        ("PID > 33", &[40]),
        ("ppid=30", &[31, 32, 33]),
        ("uid=1000", &[20, 30, 31, 32, 33]),
        ("gid!=0", &[]),
        ("code=2", &[31]),
        ("code!=0", &[31]),
        ("not code=0", &ALL),
        ("lifetime=1s", &[]),
        ("lifetime<=2s", &[31, 32]),
        ("lifetime>'1m 35s'", &[1, 2, 10, 20]),
        ("lifetime>1m35s", &[1, 2, 10, 20]),
        ("cpu=50%", &[33]),
        ("cpu>50.1%", &[]),
        ("cpu<100", &[33]),
        ("time=1.5s", &[33]),
        ("time<1.5s", &[31, 32]),
        ("rss=6M", &[33]),
        ("rss>=6291457", &[]),
        ("threads=3", &[33]),
        // Only those that live have threads.
        ("threads>=1 cc", &[]),
        // Texts.
        ("user=root", &[1, 2, 10]),
        ("user=7", &[40]),
        ("user~^al", &[20, 30, 31, 32, 33]),
        ("comm=bash", &[20]),
        ("comm=BASH", &[]),
        ("comm!=cc alice", &[20, 30, 33]),
        ("comm~^(m|n)", &[30, 40]),
        ("comm !~ ^p alice", &[20, 30, 31, 32, 33]),
        ("comm~/^N/", &[]),
        ("exe=cc", &[31, 32]),
        ("exe=bin/cc", &[31, 32]),
        ("exe=n/cc", &[]),
        ("exe!=cc alice", &[20, 30, 33]),
        ("argv=-c", &[31, 32]),
        ("argv=\"make -j2\"", &[30]),
        ("argv!=-c alice", &[20, 30, 33]),
        ("argv~^ld.*all$", &[33]),
        ("argv~\"c a\"", &[31]),
        // What has no arguments is not known to have others.
        ("argv!~zz", &[10, 20, 30, 31, 32, 33, 40]),
        ("cgroup=/init.scope", &[1]),
        ("cgroup~slice", &[10, 40]),
        ("container=abab", &[40]),
        ("container=b", &[]),
        ("container!=cd", &[40]),
        ("unit=ssh", &[10]),
        ("unit=ssh.service", &[10]),
        ("unit=ss", &[]),
        // States and signals.
        ("state=alive", &[1, 2, 10, 20, 30, 33, 40]),
        ("state=dead", &[31, 32]),
        ("state!=alive", &[31, 32]),
        ("state=failed", &[31, 32]),
        ("state=running", &[33]),
        ("state=R", &[33]),
        ("state=t", &[]),
        // Of the living, only one was measured.
        ("state!=sleeping", &[31, 32, 33]),
        ("signal=SIGKILL", &[32]),
        ("signal=kill", &[32]),
        ("signal=9", &[32]),
        ("signal!=TERM", &[32]),
        ("signal~.", &[32]),
        ("kernel=yes", &[2]),
        ("kernel!=no", &[2]),
        // Places.
        ("tree=30", &[30, 31, 32, 33]),
        ("tree!=20", &[1, 2, 10, 40]),
        ("tree=30 tree=33", &[33]),
        ("tree=99", &[]),
        ("depth=0", &[1, 2]),
        ("depth>=4", &[31, 32, 33]),
        ("children=3", &[30]),
        ("children=0 state=alive", &[2, 33, 40]),
        ("parent:comm=make", &[31, 32, 33]),
        ("parent:make", &[31, 32, 33]),
        ("ancestor:sshd", &[20, 30, 31, 32, 33]),
        ("ancestor:sshd not cc", &[20, 30, 33]),
        ("ancestor:(sshd or make)", &[20, 30, 31, 32, 33]),
        ("ancestor:parent:sshd", &[30, 31, 32, 33]),
        ("parent:ancestor:sshd", &[30, 31, 32, 33]),
        ("ancestor:ancestor:sshd", &[30, 31, 32, 33]),
        ("ancestor:not sshd", &[10, 20, 30, 31, 32, 33, 40]),
        ("!ancestor:pid=1", &[1, 2]),
        ("parent: make state=dead", &[31, 32]),
    ] {
        assert_eq!(matching(&scene, text), pids, "{text}");
    }
}

#[test]
fn the_shown_lineage_decides_who_is_above() {
    let scene = machine();
    for (text, pids) in [
        ("ppid=1", &[10, 20, 40][..]),
        ("tree=10", &[10]),
        ("depth=1", &[10, 20, 40]),
        ("children=3", &[1, 30]),
        ("ancestor:sshd", &[]),
        ("parent:pid=1", &[10, 20, 40]),
    ] {
        assert_eq!(matching_in(&scene, Lineage::Kernel, text), pids, "{text}");
    }
}

#[test]
fn every_field_has_an_example_that_some_process_matches_and_another_does_not() {
    let mut scene = machine();
    // What the examples speak of beside what the machine has.
    for _ in 0..101 {
        scene.play("fork 30 1000");
    }
    scene.play(
        "fork 33 50
         fork 50 51
         fork 51 1234 0
         exec 1234 /usr/bin/cc --verbose
         exec 1234 file=cc exe=/usr/bin/cc -- /usr/bin/cc --verbose
         exec 1234 file=cc exe=/usr/bin/cc -- /usr/bin/cc --verbose
         fork 51 52
         exec 52 file=./configure exe=/usr/bin/dash interp=/bin/sh -- ./configure
         found 60 1
         fork 51 812
         exec 812 /etc/cron.sh
         fork 30 71
         exit 71 SIGKILL by=812
         fork 30 72
         exit 72 SIGKILL cause=oom
         fork 30 73
         exit 73 0 most=9
         uid 50 0 ruid=1000 rgid=1000
         found 90 1 cgroup_id=1 pid_ns=7 ns_pid=1
         session 50 login=0
         session 1234 sid=1234 pgid=1234 tty=pts/3 nice=5 login=1000 audit=3",
    );
    for (pid, deleted, memfd) in [("53", true, false), ("54", true, true)] {
        scene.play(&format!("fork 51 {pid}"));
        let mut event = scene.event(&["exec", pid, "/x"]);
        let Event::Exec(exec) = &mut event else { unreachable!() };
        exec.exe = exec.exe.take().map(|exe| Exe { deleted, memfd, ..exe });
        scene.engine.ingest(&event, &mut Vec::new());
        scene.clock_ns += SECOND;
    }
    let long = Usage {
        ts_ns: scene.clock_ns + 1,
        key: scene.key(1234),
        cpu_ns: 100 * SECOND,
        user_ns: Some(60 * SECOND),
        run_delay_ns: Some(2 * SECOND),
        rss_bytes: Some(101 << 20),
        read_bytes: Some(2 << 30),
        write_bytes: Some(2 << 30),
        threads_begun: Some(101),
        threads: 9,
        state: 'R',
    };
    scene.engine.ingest(&Event::Usage(long), &mut Vec::new());
    let longer = Usage {
        ts_ns: scene.clock_ns + SECOND,
        cpu_ns: 101 * SECOND,
        read_bytes: Some(3 << 30),
        write_bytes: Some(3 << 30),
        ..long
    };
    scene.engine.ingest(&Event::Usage(longer), &mut Vec::new());
    let mut event = scene.event(&["found", "60", "1"]);
    let Event::Process(found) = &mut event else { unreachable!() };
    found.cgroup = Some(b"/system.slice/cron.service".as_slice().into());
    found.task.creds.gid = 5;
    scene.engine.ingest(&event, &mut Vec::new());
    scene.clock_ns += SECOND;
    scene.clock_ns += 700 * SECOND;
    scene.play("fork 30 70");
    let key = scene.key(70);
    let exit = crate::event::Exited {
        ts_ns: key.start_ns + 1_000_000,
        task: None,
        key,
        status: ExitStatus::Signal { signal: 11, core: true },
        cost: Some(crate::event::Cost {
            max_rss_bytes: Some(2 << 30),
            minor_faults: 20_000,
            major_faults: 1,
            ..crate::event::Cost::default()
        }),
        killer: None,
    };
    scene.engine.ingest(&Event::Exit(exit), &mut Vec::new());
    let prefixes = PREFIXES.iter().map(|(prefix, _, example)| (*prefix, *example));
    for (name, example) in FACTS.iter().map(|spec| (spec.name, spec.example)).chain(prefixes) {
        assert!(example.starts_with(name), "{example}");
        let matching = matching(&scene, example).len();
        assert!(matching > 0 && matching < scene.engine.tree().len(), "{example} matches {matching}");
    }
}

/// What is asked of a killer is what it was when it killed; the rest is known while it is in the tree.
#[test]
fn of_a_killer_the_signal_tells_who_it_was() {
    let mut scene = machine();
    scene.play(
        "fork 1 900 1000
         exec 900 comm=reaper -- /usr/bin/reaper --grim
         fork 1 901
         exit 901 SIGTERM by=900
         fork 1 902
         exit 902 SIGKILL by=31337
         comm 900 harmless
         uid 900 0
         fork 1 903
         exit 903 SIGSEGV cause=fault",
    );
    for (text, pids) in [
        ("killer:comm=reaper", vec![901]),
        ("killer:comm=harmless", vec![]),
        ("killer:(pid=900 uid=1000 user=alice)", vec![901]),
        ("killer:argv=--grim", vec![901]),
        ("killer:grim", vec![901]),
        ("killer:reaper", vec![901]),
        ("killer:alice", vec![901]),
        ("killer:pid=31337", vec![902]),
        ("killer:not reaper", vec![902]),
        ("killer:argv~.", vec![901]),
        ("killer:parent:pid=1", vec![901]),
        ("killer:state=alive", vec![901]),
    ] {
        assert_eq!(matching(&scene, text), pids, "{text}");
    }
    assert_eq!(Filter::parse("KILLER:comm=x").unwrap().to_string(), "killer:comm=\"x\"");
}

#[test]
fn errors_say_what_was_expected_and_point_at_the_place() {
    for (text, expected) in [
        ("coom=make", "^^^^ there is no field 'coom'; did you mean 'comm'?"),
        ("x LANG=C", "  ^^^^ there is no field 'LANG'; text with an operator in is searched for in quotes"),
        ("cpu>", "    ^ a share of one CPU, such as 50% is missing after '>'"),
        (
            "cpu>100ms",
            "    ^^^^^ there is no unit 'ms' here: write a share of one CPU, such as 50%; the field for CPU time is 'time'",
        ),
        ("cpu>100s5", "    ^^^^^ there is no unit 's' here: write a share of one CPU, such as 50%"),
        ("start>10m", "      ^^^ '10m' is not how long ago, in quotes, such as '10m ago'"),
        ("start='10m ago'", "     ^ 'start' is compared by < <= > >= only"),
        ("cpu>ten", "    ^^^ 'ten' is not a share of one CPU, such as 50%"),
        (
            "comm==sleep",
            "    ^^ there is no '==' here: write '='; a value that begins with such a sign is put in quotes",
        ),
        ("pid => 5", "    ^^ there is no '=>' here: write '>='; a value that begins with such a sign is put in quotes"),
        ("comm=~sl", "    ^^ there is no '=~' here: write '~'; a value that begins with such a sign is put in quotes"),
        ("pid<>5", "   ^^ there is no '<>' here: write '!='; a value that begins with such a sign is put in quotes"),
        ("lifetime<2h30", "         ^^^^ '2h30' needs a unit: write a time, such as 10s, 5ms or 2h30m"),
        ("rss>5 MiB", ""),
        ("rss>5Mib", "    ^^^^ there is no unit 'Mib' here: write a size, such as 5MiB or 10k"),
        ("comm<make", "    ^ 'comm' is compared by = != ~ !~ only"),
        ("pid~1", "   ^ 'pid' is compared by = != < <= > >= only"),
        ("state=runing", "      ^^^^^^ there is no state 'runing'; did you mean 'running'?"),
        (
            "state=x",
            "      ^ there is no state 'x'; there are alive, dead, failed, running, sleeping, waiting, idle, stopped, \
             traced, zombie",
        ),
        ("signal=SIGKIL", "       ^^^^^^ there is no signal 'SIGKIL'; did you mean 'SIGKILL'?"),
        ("signal=65", "       ^^ there is no signal '65'"),
        ("kernel=maybe", "       ^^^^^ 'maybe' is not yes or no"),
        ("tree=init", "     ^^^^ 'init' is not a process id"),
        ("(a or b", "^ this parenthesis is not closed"),
        ("a)", " ^ no parenthesis is open here"),
        ("()", " ^ something to match is missing before this"),
        ("a \"b", "  ^ this quote is not closed"),
        ("a or ", "     ^ something to match is missing here"),
        ("a and or b", "      ^^ something to match is missing before this"),
        ("|| a", "^^ something to match is missing before this"),
        ("parent:", "       ^ something to match is missing here"),
        ("!", " ^ something to match is missing here"),
        ("=5", "^ a field is missing before '='; text with it in is searched for in quotes"),
        ("~", " ^ a regular expression is missing after '~'"),
        ("comm~(a", "     ^^ this regular expression does not work: unclosed group"),
        ("x /a(b/", "  ^^^^^ this regular expression does not work: unclosed group"),
        ("塩 pid=x", "       ^ 'x' is not a number, such as 12 or 10k"),
        ("a\u{1b}b pid=x", "           ^ 'x' is not a number, such as 12 or 10k"),
    ] {
        let error = Filter::parse(text)
            .err()
            .map(|error| error.pointed_out(|text| text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()));
        let lines: Vec<_> = error.iter().flat_map(|error| error.lines()).collect();
        let shown = crate::text::escape(text.as_bytes());
        assert_eq!(lines, if expected.is_empty() { vec![] } else { vec![shown.as_ref(), expected] }, "{text}");
    }
}

#[test]
fn of_a_flood_only_what_is_around_the_place_is_shown() {
    for (flood, told) in [
        ("(".repeat(1 << 20), "a filter is at most 4096 bytes long"),
        ("(".repeat(4096), "terms are nested more than 64 deep here"),
        ("!".repeat(4096), "terms are nested more than 64 deep here"),
        ("parent:".repeat(500), "terms are nested more than 64 deep here"),
        (format!("pid={} {}", "x".repeat(2000), "塩".repeat(600)), "'xxxxxxxxxxxxxxxxxxxxxxxx...' is not a number"),
        (format!("{} pid=x", "塩".repeat(1000)), "'x' is not a number"),
    ] {
        let error = Filter::parse(&flood).unwrap_err();
        let shown = error.pointed_out(|text| text.chars().count());
        let [text, carets] = &shown.lines().collect::<Vec<_>>()[..] else { panic!("{shown}") };
        assert!(text.chars().count() <= 3 * 40 + 9 && carets.contains(told), "{shown}");
        // The carets stand below the place still.
        let at = carets.find('^').unwrap();
        let place: String = text.chars().skip(at).take(carets.matches('^').count()).collect();
        let range = error.range();
        assert!(error.text()[range].starts_with(place.trim_end_matches("...")), "{shown}");
    }
}

#[test]
fn what_may_be_unfinished_is_told_from_what_is_wrong() {
    let unfinished = |text| Filter::parse(text).unwrap_err().is_unfinished();
    for text in ["a or ", "a or", "cpu>", "lifetime<2h30", "state=runn", "(a", "\"a b", "!", "comm~(a"] {
        assert!(unfinished(text), "{text}");
    }
    for text in ["coom=x", "a) b", "or a", "cpu>x and b"] {
        assert!(!unfinished(text), "{text}");
    }
}

#[test]
fn a_filter_is_bounded() {
    let error = |text: &str| Filter::parse(text).unwrap_err().message().to_owned();
    assert_eq!(error(&"塩".repeat(2000)), "a filter is at most 4096 bytes long");
    assert_eq!(error(&"!".repeat(1000)), "terms are nested more than 64 deep here");
    assert_eq!(error(&"(".repeat(1000)), "terms are nested more than 64 deep here");
    assert_eq!(error(&"~a ".repeat(33)), "a filter has at most 32 regular expressions");
    assert!(Filter::parse(&"a ".repeat(2048)).is_ok());
}

#[test]
fn what_a_verdict_depends_on_is_known() {
    let depends = |text| {
        let Depends { measured, share, time, place, names, sums: _ } = Filter::parse(text).unwrap().depends();
        assert!(measured || !share, "{text}");
        [measured, time, place, names]
    };
    for text in ["", "comm=make or uid=0 and not ppid=1", "code!=0", "container~."] {
        assert_eq!(depends(text), [false; 4], "{text}");
    }
    for text in ["cpu>5%", "comm=a or not rss>5M", "state=running", "time>1s", "threads>5"] {
        assert_eq!(depends(text), [true, false, false, false], "{text}");
    }
    let share = |text| Filter::parse(text).unwrap().depends().share;
    assert!(share("comm=a or not parent:cpu>5%") && !share("rss>5M time>1s state=running"));
    assert_eq!(depends("(pid=1 lifetime>5s)"), [false, true, false, false]);
    for text in ["parent:uid=1", "ancestor:comm=a", "depth>1", "children=0", "tree=1"] {
        assert_eq!(depends(text), [false, false, true, false], "{text}");
    }
    for text in ["sshd", "~x", "user=root"] {
        assert_eq!(depends(text), [false, false, false, true], "{text}");
    }
    assert_eq!(depends("ancestor:(cpu>5% lifetime<1s x)"), [true; 4]);
}

#[test]
fn one_user_can_be_asked_for_beside_the_text() {
    let scene = machine();
    let filter = Filter::parse("cc").unwrap().of_user(Some(0));
    assert!(!filter.matches(&context(&scene, Lineage::Forked), scene.get(31)));
    let filter = filter.of_user(Some(1000));
    assert!(filter.matches(&context(&scene, Lineage::Forked), scene.get(31)));
    assert!(!Filter::default().of_user(Some(0)).is_empty() && Filter::parse(" ").unwrap().is_empty());
}

#[test]
fn a_fork_that_never_execed_is_found_by_the_program_it_runs() {
    let scene = Scene::of("found 1 0\nexec 1 nginx -g\nfork 1 2\ncomm 2 worker");
    assert_eq!(matching(&scene, "-g"), [1, 2]);
    assert_eq!(matching(&scene, "exe=nginx"), [1, 2]);
}

#[test]
fn exe_is_the_file_that_runs_and_filename_what_was_typed() {
    let scene = Scene::of(
        "found 1 0 exe=/usr/bin/dash -- sh s
         fork 1 2
         exec 2 file=./s exe=/usr/bin/dash interp=/bin/sh -- /bin/sh ./s
         fork 1 3
         exec 3 file=/usr/bin/nc exe=/usr/bin/nc.openbsd -- nc",
    );
    for (filter, pids) in [
        ("exe=/usr/bin/dash", &[1, 2][..]),
        ("exe=s", &[]),
        ("filename=s", &[2]),
        ("interp=/bin/sh", &[2]),
        ("exe=/usr/bin/nc", &[]),
        ("exe~nc", &[3]),
        ("filename=nc", &[3]),
        ("deleted=yes", &[]),
        // How many it had started before it was found is not known.
        ("execs=1", &[2, 3]),
        ("execs=0", &[]),
    ] {
        assert_eq!(matching(&scene, filter), pids, "{filter}");
    }
}

#[test]
fn a_zombie_is_one_found_as_such_or_not_waited_for() {
    let mut scene = Scene::of("found 1 0\nfork 1 2\nexit 2\nfork 1 3\nend 3");
    let mut event = scene.event(&["found", "4", "1"]);
    let Event::Process(found) = &mut event else { unreachable!() };
    found.exited =
        Some(crate::event::Zombie { status: ExitStatus::Code(0), cpu_ns: 0, run_delay_ns: None, user_ns: None });
    scene.engine.ingest(&event, &mut Vec::new());
    assert_eq!(matching(&scene, "state=zombie"), [4]);
    assert_eq!(matching(&scene, "state=dead"), [2, 3, 4]);
    // How the third ended is not known.
    assert_eq!(matching(&scene, "state!=failed"), [1, 2, 4]);
    assert_eq!(matching(&scene, "time>=0s"), [2, 4]);
    scene.play("zombie 2\nreaped 4");
    assert_eq!(matching(&scene, "state=zombie"), [2]);
}

/// A chain of a hundred thousand: whoever looks up from each takes five thousand million steps.
#[test]
fn a_deep_chain_is_judged_in_one_step_each() {
    const N: u32 = 100_000;
    let mut scene = Scene::of("found 1 0");
    for pid in 2..=N {
        scene.play(&format!("fork {} {pid}", pid - 1));
    }
    let count = |text: &str| {
        let filter = Filter::parse(text).unwrap();
        let judge = filter.judge(context(&scene, Lineage::Forked));
        // From the root down and from the deepest up.
        let mut processes: Vec<_> = scene.engine.tree().iter().collect();
        let down = processes.iter().filter(|process| judge.matches(process)).count();
        processes.reverse();
        let judge = filter.judge(context(&scene, Lineage::Forked));
        let up = processes.iter().filter(|process| judge.matches(process)).count();
        assert_eq!(down, up, "{text}");
        down
    };
    assert_eq!(count("ancestor:nobody"), 0);
    assert_eq!(count("ancestor:pid=1"), N as usize - 1);
    assert_eq!(count("tree=50001"), N as usize / 2);
    assert_eq!(count("depth<1000"), 1000);
    assert_eq!(count("ancestor:not ancestor:tree=3"), N as usize - 1);
}

#[test]
fn names_stand_for_filters_and_errors_in_them_are_told_at_their_place() {
    let mut names = Names::default();
    for (name, text) in [
        ("cc", "comm=cc or comm=ld"),
        ("mine", "@cc uid=1000"),
        ("loop", "x @pool"),
        ("pool", "not @loop"),
        ("bad", "coom=1"),
    ] {
        names.insert(name, text);
    }
    let parsed = |text| Filter::parse_with(text, &names).map(|filter| filter.to_string());
    let spelled = |text| Filter::parse(text).map(|filter| filter.to_string());
    assert_eq!(parsed("@mine not x"), spelled("((comm=cc or comm=ld) uid=1000) not x"));
    assert_eq!(parsed("not @cc"), spelled("not (comm=cc or comm=ld)"), "it is a term of its own");
    assert_eq!(parsed("ancestor:@cc&&y"), spelled("ancestor:(comm=cc or comm=ld) y"));
    assert_eq!(parsed("a@cc"), spelled("a@cc"));
    assert_eq!(parsed("@cc.service"), spelled("@cc.service"), "the rest makes it another word");
    for (text, place, message) in [
        ("x @loop", 2..7, "in '@loop': in '@pool': '@loop' stands for itself"),
        ("x @bad", 2..6, "in '@bad': there is no field 'coom'; did you mean 'comm'?"),
        ("@min y", 0..4, "no filter is called 'min'; did you mean 'mine'?"),
        (
            "@nosuchthing",
            0..12,
            "no filter is called 'nosuchthing'; text that begins with '@' is searched for in quotes",
        ),
    ] {
        let error = Filter::parse_with(text, &names).unwrap_err();
        assert_eq!((error.range(), error.message()), (place, message), "{text}");
    }
    for n in 0..40 {
        names.insert(&format!("n{n}"), &format!("@n{0} @n{0}", n + 1));
    }
    names.insert("n40", "x");
    let error = Filter::parse_with("@n0", &names).unwrap_err();
    assert!(error.message().ends_with("stand for at most 4096 bytes"), "{error}");
}

#[test]
fn units_and_containers_are_found_as_people_and_as_systemd_write_them() {
    let mut scene = machine();
    let mut process = |pid: u32, path: &str| {
        // In a script, `\\x5c` is a backslash.
        scene.play(&format!("found {pid} 1 cgroup={} -- /bin/a", path.replace('\\', r"\x5c")));
        assert_eq!(scene.get(pid).cgroup(), Some(path.as_bytes()));
    };
    process(60, r"/machine.slice/machine-qemu\x2d1\x2dvm.scope/libvirt/emulator");
    process(61, r"/system.slice/mnt-my\x20disk.mount");
    process(62, "/system.slice/_cpu.service");
    for (text, pids) in [
        ("container=qemu-1-vm", &[60][..]),
        ("container=qemu-1", &[60]),
        (r"container=qemu\x2d1\x2dvm", &[60]),
        (r"container~^qemu\x2d1-vm$", &[60]),
        (r"container=qemu\x2d2", &[]),
        ("unit=machine-qemu-1-vm.scope", &[60]),
        (r"unit=machine-qemu\x2d1\x2dvm", &[60]),
        ("unit='mnt-my disk'", &[61]),
        (r"unit=mnt-my\x20disk.mount", &[61]),
        ("unit=cpu", &[62]),
        ("unit=_cpu", &[]),
        // The path itself is as it is.
        (r"cgroup=/system.slice/mnt-my\x20disk.mount", &[61]),
        ("'cgroup=/system.slice/mnt-my disk.mount'", &[]),
    ] {
        assert_eq!(matching(&scene, text), pids, "{text}");
    }
}

#[test]
fn values_that_processes_have_are_offered_as_they_must_be_written() {
    let mut scene = machine();
    let id = "0123456789abcdef".repeat(4);
    scene.play(&format!(
        "found 60 1 cgroup=/system.slice/getty@tty1.service -- /sbin/agetty
         found 61 1 cgroup=/system.slice/docker-{id}.scope -- /bin/a
         found 62 1 cgroup=/system.slice/getty@tty1.service comm='two \"words\"' -- /sbin/agetty
         found 63 1 uid=4294967 cgroup=/system.slice/dbus-broker.service -- /bin/b"
    ));
    let comm = Event::Comm { ts_ns: scene.clock_ns, key: scene.key(60), comm: crate::Comm::new(b"esc\x1b[31m") };
    scene.engine.ingest(&comm, &mut Vec::new());
    assert_eq!(scene.get(60).comm().as_bytes(), b"esc\x1b[31m");
    let context = context(&scene, Lineage::Forked);
    let offered = |text: &str| {
        let completion = complete_with(text, text.len(), &Names::default(), Some(&context));
        let whole = |candidate: &Candidate| format!("{}{}", &text[..completion.range.start], candidate.text);
        completion.candidates.iter().map(whole).collect::<Vec<_>>()
    };
    assert_eq!(offered("user=al"), ["user=Alice"]);
    assert_eq!(offered("x or user!="), ["x or user!=4294967", "x or user!=7", "x or user!=Alice", "x or user!=root"]);
    assert_eq!(offered("unit=getty@"), ["unit=getty@tty1.service"]);
    assert_eq!(offered("unit=dbus-b"), ["unit=dbus-broker.service"]);
    assert_eq!(offered("container=01"), [format!("container={id}")]);
    assert_eq!(offered("comm=tw"), [r#"comm="two \"words\"""#]);
    assert_eq!(offered("comm=es"), [""; 0], "that cannot be typed");
    assert_eq!(offered("comm~tw"), [""; 0], "a pattern is no value");
    assert_eq!(offered("exe="), [""; 0], "there would be too many");
    for field in ["user=", "comm=", "unit=", "container="] {
        for text in offered(field) {
            assert!(!matching(&scene, &text).is_empty(), "{text}");
        }
    }
}

#[test]
fn what_fields_are_called_elsewhere_means_the_same() {
    for spec in FACTS {
        assert!(!spec.usual_operator().is_empty(), "{}", spec.name);
        for name in spec.synonyms {
            let filter = Filter::parse(&spec.example.replacen(spec.name, name, 1)).unwrap();
            assert_eq!(filter.to_string(), Filter::parse(spec.example).unwrap().to_string(), "{name}");
        }
    }
}

#[test]
fn a_bounded_number_of_processes_is_asked_for_values_while_a_filter_is_typed() {
    let mut scene = Scene::of("found 1 0");
    for pid in 2..=10_001 {
        scene.play(&format!("fork 1 {pid}"));
    }
    scene.play("exec 10000 last\nexec 10001 over");
    let context = context(&scene, Lineage::Forked);
    let offered = |text: &str| complete_with(text, text.len(), &Names::default(), Some(&context)).candidates.len();
    assert_eq!([offered("comm=las"), offered("comm=ove")], [1, 0]);
}
