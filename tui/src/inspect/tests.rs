//! On children that the tests start themselves, and on this very process.

use std::io::Write;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use ptree_source::procfs::TICK_NS;

use super::*;

/// Killed when the test ends, however it ends.
struct Own(Child);

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn question(subject: Subject, pid: u32) -> Question {
    let stat = Stat::read(pid).unwrap();
    // As the kernel has it, with something behind the tick.
    let key = ProcKey::new(pid, stat.start_ns() + 1234);
    Question { subject, target: Target::of_own(key) }
}

fn environment_of(pid: u32) -> Environment {
    match answer(&question(Subject::Environment, pid)).found {
        Ok(Found::Environment(environment)) => environment,
        other => panic!("{other:?}"),
    }
}

fn files_of(pid: u32) -> Files {
    match answer(&question(Subject::Files, pid)).found {
        Ok(Found::Files(files)) => files,
        other => panic!("{other:?}"),
    }
}

/// A shell that has executed its way to where it waits: what it was started with can be read then.
fn shell(script: &str, configure: impl FnOnce(&mut Command)) -> Own {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{script}\necho ready; read line")]).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap()).stdin(Stdio::piped()).stdout(Stdio::piped());
    configure(&mut command);
    let mut own = Own(command.spawn().unwrap());
    own.0.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
    own
}

#[test]
fn the_environment_is_that_of_the_process() {
    let own = shell("", |command| {
        command.env_clear().env("B", "two words=\u{1b}[31m\n").env("A", "").env("PATH", "/bin:/usr/bin");
    });
    let mut variables = environment_of(own.0.id()).variables;
    variables.retain(|variable| !variable.starts_with(b"PWD=") && !variable.starts_with(b"_="));
    variables.sort();
    assert_eq!(variables, [&b"A="[..], b"B=two words=\x1b[31m\n", b"PATH=/bin:/usr/bin"]);
}

#[test]
fn of_a_long_environment_a_part_is_taken_and_the_rest_counted() {
    let own = shell("", |command| {
        for n in 0..12 {
            command.env(format!("V{n:02}"), "x".repeat(100_000));
        }
    });
    let environment = environment_of(own.0.id());
    let taken: usize = environment.variables.iter().map(Vec::len).sum();
    assert!((400_000..=Environment::BYTES_MAX).contains(&taken), "{taken}");
    let long = environment.variables.iter().filter(|variable| variable.len() > 100_000).count();
    assert_eq!(long + environment.left_out, 12);
    let read = |bytes: &[u8], most| Environment::read(bytes, most).unwrap();
    assert_eq!(read(b"a=1\0bb=2\0c\0", 3).variables, [b"a=1"]);
    assert_eq!(read(b"a=1\0b=2", 6).variables, [b"a=1", b"b=2"]);
    assert_eq!(read(b"", 3), Environment::default());
    let Environment { left_out, left_out_bytes, .. } = read(b"a=1\0\0bb=2\0c\0", 3);
    assert_eq!((left_out, left_out_bytes), (2, 5));
}

#[test]
fn files_are_told_with_kind_place_and_position() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    File::create(folder.join("in")).unwrap().write_all(&[0; 100]).unwrap();
    let own = shell("exec 3>>log 4<in 5</ 6<>/dev/null; echo a line >&3", |command| {
        command.current_dir(&folder);
    });
    let files = files_of(own.0.id());
    let path = |name: &str| folder.join(name).to_str().unwrap().as_bytes().to_vec();
    assert_eq!(files.folder, Some(path("")[..path("").len() - 1].to_vec()));
    assert_eq!(files.root.as_deref(), Some(&b"/"[..]));
    assert!(files.program.as_ref().is_some_and(|program| program.starts_with(b"/")), "{files:?}");
    assert_eq!((files.count, files.limit > Some(6)), (files.open.len(), true));
    let of = |fd: u32| files.open.iter().find(|open| open.fd == fd).unwrap().clone();
    assert!(matches!(of(0).kind, Kind::Pipe(1..)), "{files:?}");
    assert_eq!((of(0).access, of(1).access), (Some(Access::Read), Some(Access::Write)));
    let log = of(3);
    assert_eq!((log.kind, log.position, log.manner), (Kind::Path("file", path("log")), 7, vec!["append"]));
    assert_eq!((of(4).kind, of(4).access), (Kind::Path("file", path("in")), Some(Access::Read)));
    assert_eq!(of(5).kind, Kind::Path("file", b"/".to_vec()), "a shell does not say that it wants a folder");
    assert_eq!((of(6).kind, of(6).access), (Kind::Path("device", b"/dev/null".to_vec()), Some(Access::Both)));
}

/// What tests hold that look at the files of this process itself, one of which opens more than are shown.
static OWN_FILES: Mutex<()> = Mutex::new(());

#[test]
fn sockets_are_told_with_their_addresses() {
    let _alone = OWN_FILES.lock();
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = std::net::TcpStream::connect(address).unwrap();
    let path = folder.path().join("a socket");
    let local = UnixListener::bind(&path).unwrap();
    let files = files_of(std::process::id());
    let of = |fd: i32| match files.open.iter().find(|open| open.fd == fd.unsigned_abs()).unwrap().kind.clone() {
        Kind::Socket(_, Some(socket)) => socket,
        other => panic!("{other:?}"),
    };
    let tcp = of(listener.as_raw_fd());
    assert_eq!((tcp.protocol, tcp.local, tcp.peer), ("tcp", address.to_string().into_bytes(), None));
    assert_eq!(tcp.state, "listening");
    let tcp = of(client.as_raw_fd());
    assert_eq!((tcp.peer, tcp.state), (Some(address), "established"));
    let unix = of(local.as_raw_fd());
    assert_eq!((unix.protocol, unix.state), ("unix", "listening"));
    assert_eq!(unix.local, path.to_str().unwrap().as_bytes());
}

#[test]
fn of_many_files_a_part_is_taken_and_all_are_counted() {
    let _alone = OWN_FILES.lock();
    // The shell raises no limit: it has as many as it may, below what is shown or above.
    let own = shell("", |_| {});
    let limit = files_of(own.0.id()).limit.unwrap();
    let files: Vec<_> = (0..(limit / 2).min(6000)).map(|_| File::open("/dev/null").unwrap()).collect();
    let seen = files_of(std::process::id());
    assert!(seen.count >= files.len() && seen.open.len() <= Files::MAX, "{}", seen.count);
    // Files that other tests close meanwhile are listed, but cannot be read any more.
    assert!(seen.open.len() + 100 >= files.len().min(Files::MAX), "{}", seen.open.len());
    assert!(seen.open.is_sorted_by_key(|open| open.fd));
}

#[test]
fn another_process_with_the_same_pid_is_not_read_and_one_that_has_gone_is_told() {
    let mut own = shell("", |_| {});
    for subject in [Subject::Environment, Subject::Files] {
        let question = question(subject, own.0.id());
        for ticks in [-1, 1] {
            let mut other = question.clone();
            let ns = ticks * TICK_NS.cast_signed();
            other.target.key.start_ns = other.target.key.start_ns.checked_add_signed(ns).unwrap();
            let answer = answer(&other);
            assert_eq!((answer.key, answer.found), (other.target.key, Err(Refusal::Gone)));
        }
        assert!(answer(&question).found.is_ok());
    }
    let question = question(Subject::Files, own.0.id());
    own.0.kill().unwrap();
    own.0.wait().unwrap();
    assert_eq!(answer(&question).found, Err(Refusal::Gone));
}

#[test]
fn errors_of_the_kernel_are_told_apart() {
    let of = |errno: Errno| Refusal::from(io::Error::from(errno));
    assert_eq!([of(Errno::EACCES), of(Errno::EPERM)], [Refusal::Denied, Refusal::Denied]);
    assert_eq!([of(Errno::ESRCH), of(Errno::ENOENT)], [Refusal::Gone, Refusal::Gone]);
    assert!(matches!(of(Errno::EIO), Refusal::Other(text) if text.contains("Input/output")));
}
