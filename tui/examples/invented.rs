//! The screen on invented processes: to look at it, and to test the terminal, without privilege.
//!
//! `cargo run --example invented [storm|quiet|fail|panic]`. Nothing here is random: every run shows the same.

use std::time::Duration;

use ptree_core::event::{Cost, Creds, Exe, Execed, Exited, Forked, Found, Task, Usage};
use ptree_core::{Argv, Comm, Event, ExitStatus, ProcKey};
use ptree_source::host::boottime_ns;
use ptree_source::{Batch, Header, TimeAnchor};
use ptree_tui::clock::Clock;
use ptree_tui::{app, runtime};
use tokio::sync::mpsc;

const SECOND: u64 = 1_000_000_000;

fn task(key: ProcKey, parent: ProcKey, uid: u32, comm: &str) -> Task {
    Task {
        creds: Creds { uid, gid: uid, ruid: uid, rgid: uid },
        comm: Comm::new(comm.as_bytes()),
        cgroup_id: Some(4242),
        pid_ns: Some(4_026_531_836),
        ns_pid: Some(key.pid),
        ..Task::of(key, parent)
    }
}

/// Invents processes that come and go.
struct World {
    next_pid: u32,
    living: Vec<(ProcKey, u32)>,
}

impl World {
    fn found(&mut self, parent: ProcKey, pid: u32, uid: u32, argv: &[&str], events: &mut Vec<Event>) -> ProcKey {
        let key = ProcKey::new(pid, boottime_ns() / 2 + u64::from(pid) * SECOND / 100);
        let path = argv.first().copied().unwrap_or_default();
        let comm = path.rsplit('/').next().unwrap_or_default();
        events.push(Event::Process(Found {
            ts_ns: boottime_ns(),
            task: task(key, parent, uid, comm),
            argv: Some(Argv::from_args(argv)),
            argv_truncated: false,
            exe: Some(Exe::at(path.as_bytes())),
            cgroup: Some((*b"/system.slice/ssh.service").as_slice().into()),
            exited: None,
            repaired: false,
        }));
        self.living.push((key, 0));
        key
    }

    fn fork(&mut self, forker: ProcKey, uid: u32, argv: &[&str], events: &mut Vec<Event>) -> ProcKey {
        self.next_pid += 1;
        let ts_ns = boottime_ns();
        let key = ProcKey::new(self.next_pid, ts_ns);
        let path = argv.first().copied().unwrap_or_default();
        let comm = path.rsplit('/').next().unwrap_or_default();
        events.push(Event::Fork(Forked { ts_ns, task: task(key, forker, uid, "sh"), forker }));
        events.push(Event::Exec(Execed {
            ts_ns: ts_ns + 400_000,
            task: task(key, forker, uid, comm),
            filename: Some(path.as_bytes().into()),
            exe: Some(Exe::at(path.as_bytes())),
            interp: None,
            argv: Some(Argv::from_args(argv)),
            argv_truncated: false,
        }));
        key
    }

    fn exit(key: ProcKey, status: ExitStatus, events: &mut Vec<Event>) {
        let lifetime = boottime_ns().saturating_sub(key.start_ns);
        let cost = Cost {
            cpu_ns: lifetime / 3,
            run_delay_ns: None,
            user_ns: None,
            max_rss_bytes: Some(u64::from(key.pid % 90) << 20),
            read_bytes: Some(8192),
            write_bytes: Some(0),
            threads_begun: Some(1 + key.pid % 3),
            threads_most: Some(1 + key.pid % 3),
            minor_faults: 321,
            major_faults: 2,
        };
        events.push(Event::Exit(Exited {
            ts_ns: boottime_ns(),
            task: None,
            key,
            status,
            cost: Some(cost),
            killer: None,
        }));
    }

    fn measure(&mut self, events: &mut Vec<Event>) {
        for (key, turn) in &mut self.living {
            *turn += 1;
            let busy = u64::from(key.pid % 7) * 30_000_000;
            events.push(Event::Usage(Usage {
                ts_ns: boottime_ns(),
                key: *key,
                cpu_ns: u64::from(*turn) * busy,
                run_delay_ns: None,
                user_ns: None,
                rss_bytes: Some(u64::from(key.pid % 500) << 18),
                read_bytes: Some(u64::from(*turn) << 12),
                write_bytes: Some(0),
                threads_begun: Some(1 + key.pid % 3),
                threads: 1 + key.pid % 3,
                state: if key.pid % 7 == 6 { 'R' } else { 'S' },
            }));
        }
    }
}

async fn invent(kind: String, batches: mpsc::Sender<Batch>) -> anyhow::Result<()> {
    let mut world = World { next_pid: 20_000, living: Vec::new() };
    let mut events = Vec::new();
    let init = world.found(ProcKey::SWAPPER, 1, 0, &["/usr/lib/systemd/systemd", "--system"], &mut events);
    world.found(init, 310, 0, &["/usr/lib/systemd/systemd-journald"], &mut events);
    world.found(init, 420, 101, &["/usr/bin/dbus-daemon", "--system", "--address=systemd:"], &mut events);
    let cron = world.found(init, 431, 0, &["/usr/sbin/cron", "-f"], &mut events);
    let sshd = world.found(init, 512, 0, &["sshd: /usr/sbin/sshd -D [listener] 0 of 10-100"], &mut events);
    let session = world.found(sshd, 1204, 0, &["sshd: ann [priv]"], &mut events);
    let shell = world.found(session, 1210, 1000, &["-bash"], &mut events);
    world.found(shell, 1300, 1000, &["vim", "notes with spaces.txt", "塩と胡椒.txt", "esc\u{1b}[31mred"], &mut events);
    let make = world.found(shell, 1411, 1000, &["/usr/bin/make", "-j4", "all"], &mut events);
    let users = vec![(0, "root".to_owned()), (101, "messagebus".to_owned()), (1000, "ann".to_owned())];
    batches.send(Batch { events: std::mem::take(&mut events), users, clock: None }).await?;

    let mut running = Vec::new();
    for turn in 0_u32.. {
        tokio::time::sleep(Duration::from_millis(100)).await;
        anyhow::ensure!(kind != "fail" || turn < 10, "the invented kernel refused");
        assert!(kind != "panic" || turn < 10, "panic as asked for\u{1b}]0;T\u{7}");
        if kind != "quiet" {
            let many = if kind == "storm" { 60 } else { 1 + turn % 3 / 2 };
            for n in 0..many {
                let file = format!("src/module_{}.c", turn + n);
                running.push(world.fork(make, 1000, &["/usr/bin/cc", "-O2", "-c", &file, "-o", "a.o"], &mut events));
            }
            if turn % 30 == 5 {
                let job = world.fork(cron, 0, &["/bin/sh", "-c", "run-parts --report /etc/cron.hourly"], &mut events);
                running.push(world.fork(job, 0, &["/usr/bin/run-parts", "--report", "/etc/cron.hourly"], &mut events));
                running.push(job);
            }
        }
        while running.len() > 6 {
            let key = running.remove(0);
            let status = match key.pid % 17 {
                3 => ExitStatus::Code(1),
                7 => ExitStatus::Signal { signal: 9, core: false },
                11 => ExitStatus::Signal { signal: 11, core: true },
                _ => ExitStatus::Code(0),
            };
            World::exit(key, status, &mut events);
        }
        if turn % 10 == 0 {
            world.measure(&mut events);
        }
        batches.send(Batch { events: std::mem::take(&mut events), users: Vec::new(), clock: None }).await?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let kind = std::env::args().nth(1).unwrap_or_default();
    let (sender, receiver) = mpsc::channel(8);
    let source = tokio::spawn(invent(kind, sender));
    let unix_ns = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos();
    let header = Header {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: "invented".to_owned(),
        kernel: "6.12.0-1-amd64".to_owned(),
        boot_id: String::new(),
        anchor: TimeAnchor { boottime_ns: boottime_ns(), unix_ns: u64::try_from(unix_ns)? },
        degraded: Vec::new(),
    };
    let options = app::Options {
        engine: ptree_core::engine::Config::default(),
        filter: ptree_core::Filter::default(),
        zone: jiff::tz::TimeZone::system(),
        preferences: app::Preferences::default(),
        is_here: false,
        read_only: false,
        own_pid: std::process::id(),
    };
    let theme = ptree_tui::screen::theme::Theme::ansi();
    let display = runtime::Display { theme, mouse: true, frame: Duration::from_millis(50) };
    runtime::run(options, display, Clock::live(), header, receiver, async move { source.await? }).await
}
