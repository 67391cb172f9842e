//! The file that a process runs, however that was started: as root reads it from `/proc/PID/exe`, while the process lives and
//! after its death, for one that was found as for one that was seen to start.

use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::capture::{Capture, Stream, number, program, unescape, wait_until};
use crate::{Company, enter, workload};

/// Tells the workload program to do nothing but wait.
const WAIT: (&str, &str) = ("WORKLOAD_CHILD", "wait");

/// A running program.
struct Case {
    what: &'static str,
    child: Child,
    /// As /proc shows it.
    shown: Vec<u8>,
    deleted: bool,
    memfd: bool,
    /// What was typed, where that is told.
    filename: Option<Vec<u8>>,
    interp: Option<PathBuf>,
}

impl Case {
    fn pid(&self) -> u64 {
        self.child.id().into()
    }

    /// What /proc shows without the mark.
    fn path(&self) -> &[u8] {
        let mark = if self.deleted { b" (deleted)".len() } else { 0 };
        &self.shown[..self.shown.len() - mark]
    }
}

fn start(command: &mut Command) -> Child {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let environment = format!("/proc/{}/environ", child.id());
    wait_until("the program of the case", || {
        let environment = fs::read(&environment).unwrap();
        environment.split(|&byte| byte == 0).any(|variable| variable == b"WORKLOAD_CHILD=wait").then_some(())
    });
    child
}

fn waiting(path: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(path);
    command.env(WAIT.0, WAIT.1);
    command
}

fn script(path: &Path, interpreter: &Path) {
    let mut file = fs::File::create(path).unwrap();
    writeln!(file, "#!{}", interpreter.to_str().unwrap()).unwrap();
    file.set_permissions(fs::Permissions::from_mode(0o755)).unwrap();
}

/// One process a way.
fn cases(folder: &Path) -> Vec<Case> {
    let original = folder.join("program");
    fs::copy(workload::program(), &original).unwrap();
    let at = |name: &str| folder.join(name);
    let link = |name: &str| {
        fs::hard_link(&original, at(name)).unwrap();
        at(name)
    };
    symlink("program", at("symlink")).unwrap();
    script(&at("script"), &original);
    script(&at("script-of-script"), &at("script"));
    fs::create_dir_all(at("within/deep")).unwrap();
    link("within/deep/program");
    let deep = (0..70).fold(String::new(), |path, n| format!("{path}folder-{n}/"));
    fs::create_dir_all(at(&deep)).unwrap();
    let (long, truly) = ("l".repeat(255), "truly (deleted)");
    let mut all = Vec::new();
    let mut add = |what, mut command: Command, interp: Option<&Path>, typed: bool| {
        let filename = typed.then(|| command.get_program().as_bytes().to_vec());
        let child = start(command.current_dir(folder));
        all.push(Case {
            what,
            child,
            shown: Vec::new(),
            deleted: false,
            memfd: false,
            filename,
            interp: interp.map(Path::to_owned),
        });
    };
    add("path", waiting(&original), None, true);
    add("symlink", waiting(at("symlink")), None, true);
    add("relative", waiting("./program"), None, true);
    add("script", waiting(at("script")), Some(&original), true);
    add("script of script", waiting(at("script-of-script")), Some(&original), true);
    add("long name", waiting(link(&long)), None, true);
    add("deep", waiting(link(&format!("{deep}program"))), None, true);
    add("name with a mark", waiting(link(truly)), None, true);
    add("deleted later", waiting(link("later")), None, true);
    add("deleted later, with a mark in its name", waiting(link("later (deleted)")), None, true);
    let mut helped = |what, case: &str, file: PathBuf| {
        let mut command = Command::new(workload::program());
        command.args([case, file.to_str().unwrap()]);
        add(what, command, None, false);
    };
    helped("by descriptor", "descriptor", link("by-descriptor"));
    helped("deleted before", "deleted", link("before"));
    helped("in memory", "memory", original.clone());
    helped("three mounts deep", "mounted", folder.to_owned());
    helped("in a chroot", "chroot", folder.to_owned());
    all
}

/// Deletes what is to be deleted, and reads what /proc shows then.
fn settle(folder: &Path, cases: &mut [Case]) {
    for name in ["later", "later (deleted)"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    for case in cases {
        case.shown = fs::read_link(format!("/proc/{}/exe", case.pid())).unwrap().into_os_string().into_vec();
        case.deleted = case.what.starts_with("deleted") || case.what == "in memory";
        case.memfd = case.what == "in memory";
        assert_eq!(
            case.shown.ends_with(b" (deleted)"),
            case.deleted || case.what == "name with a mark",
            "{}",
            case.what
        );
    }
    assert!(fs::metadata(folder.join("jail")).is_ok());
}

#[track_caller]
fn assert_exe(case: &Case, line: &Value, deleted: bool) {
    let what = case.what;
    assert_eq!(
        unescape(&line["exe"]).escape_ascii().to_string(),
        case.path().escape_ascii().to_string(),
        "{what}: {line}"
    );
    assert_eq!((line["exe_deleted"] == true, line["exe_memfd"] == true), (deleted, case.memfd), "{what}: {line}");
    assert_eq!(line.get("exe_truncated"), None, "{what}: {line}");
}

fn about<'a>(stream: &'a Stream, kind: &'a str, case: &Case) -> impl Iterator<Item = &'a Value> {
    let pid = case.pid();
    stream.of(kind).filter(move |line| number(line, "pid") == pid)
}

fn end(cases: &mut [Case]) {
    for case in cases {
        drop(case.child.stdin.take());
        assert!(case.child.wait().unwrap().success(), "{}", case.what);
    }
}

#[test]
fn of_programs_seen_to_start() {
    let Some(_lock) = enter(Company::Any) else { return };
    let folder = TempDir::new().unwrap();
    let mut capture = Capture::start(&["--interval", "100ms"]);
    let mut cases = cases(folder.path());
    settle(folder.path(), &mut cases);
    for case in cases.iter().filter(|case| case.what.starts_with("deleted later")) {
        let line = capture.wait_for(case.what, |stream| about(stream, "exe", case).last().cloned());
        assert_exe(case, &line, true);
    }
    end(&mut cases);
    let stream = capture.finish();
    for case in &cases {
        let exec = about(&stream, "exec", case).last().unwrap();
        // What is deleted later was there when it was started.
        let deleted = case.deleted && !case.what.starts_with("deleted later");
        if case.what == "deep" && exec["exe_truncated"] == true {
            // It had ended when the record came.
            let tail = [b"/", unescape(&exec["exe"]).as_slice()].concat();
            assert!(case.path().ends_with(&tail) && tail.len() > 200, "{exec}");
            continue;
        }
        assert_exe(case, exec, deleted);
        if let Some(filename) = &case.filename {
            assert_eq!(&unescape(&exec["filename"]), filename, "{exec}");
        }
        let interp = case.interp.as_ref().map(|path| path.as_os_str().as_bytes().to_vec());
        assert_eq!(exec.get("interp").map(unescape), interp, "{}: {exec}", case.what);
        let exit = about(&stream, "exit", case).last().unwrap();
        assert_exe(case, exit, case.deleted);
        assert_eq!(exit["execs"], about(&stream, "exec", case).count(), "{exit}");
    }
}

#[test]
fn of_programs_that_were_running() {
    let Some(_lock) = enter(Company::Any) else { return };
    let folder = TempDir::new().unwrap();
    let mut cases = cases(folder.path());
    settle(folder.path(), &mut cases);
    let mut capture = Capture::start(&[]);
    for case in &cases {
        let line = capture.wait_for(case.what, |stream| {
            about(stream, "process", case).find(|line| line.get("exe").is_some()).cloned()
        });
        assert_exe(case, &line, case.deleted);
    }
    // By its path, without a mark.
    for case in &cases {
        let filter = format!(
            "exe=\"{}\" deleted={}",
            String::from_utf8_lossy(case.path()),
            if case.deleted { "yes" } else { "no" }
        );
        let found = program().args(["snapshot", "--format", "json", "--filter", &filter]).output().unwrap();
        let found: Value = serde_json::from_slice(&found.stdout).unwrap();
        let pids: Vec<_> = found["processes"].as_array().unwrap().iter().map(|entry| number(entry, "pid")).collect();
        assert!(pids.contains(&case.pid()), "{}: {filter}: {pids:?}", case.what);
    }
    end(&mut cases);
    let stream = capture.finish();
    for case in &cases {
        let exit = about(&stream, "exit", case).last().unwrap();
        assert_exe(case, exit, case.deleted);
        assert_eq!(exit.get("execs"), None, "{exit}");
    }
}

#[test]
fn of_a_path_that_is_too_deep_the_end_is_told() {
    let Some(_lock) = enter(Company::Any) else { return };
    let folder = TempDir::new().unwrap();
    let deep = (0..70).fold(folder.path().to_owned(), |path, n| path.join(format!("folder-{n}")));
    fs::create_dir_all(&deep).unwrap();
    let path = deep.join("program");
    fs::copy(workload::program(), &path).unwrap();
    let capture = Capture::start(&[]);
    capture.pause();
    let mut child = Command::new(&path).env(WAIT.0, "0").spawn().unwrap();
    let pid = u64::from(child.id());
    child.wait().unwrap();
    capture.resume();
    let stream = capture.finish();
    for kind in ["exec", "exit"] {
        let line = stream.of(kind).find(|line| number(line, "pid") == pid).unwrap();
        assert_eq!(line["exe_truncated"], true, "{line}");
        let tail = [b"/", unescape(&line["exe"]).as_slice()].concat();
        assert!(path.as_os_str().as_bytes().ends_with(&tail) && tail.len() > 200, "{line}");
    }
}

/// Where the kernel does not tell it, /proc does, of who lives.
#[test]
fn without_the_kernels_word_proc_is_asked() {
    let Some(_lock) = enter(Company::Any) else { return };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("program");
    fs::copy(workload::program(), &path).unwrap();
    symlink("program", folder.path().join("link")).unwrap();
    let mut capture = Capture::start(&["--pretend-missing", "file_dentry"]);
    let mut child = start(&mut waiting(folder.path().join("link")));
    let pid = u64::from(child.id());
    let exec =
        capture.wait_for("the exec", |stream| stream.of("exec").find(|exec| number(exec, "pid") == pid).cloned());
    drop(child.stdin.take());
    child.wait().unwrap();
    assert!(capture.finish().of("header").any(|header| header["degraded"] == serde_json::json!(["paths"])));
    assert_eq!(unescape(&exec["exe"]), fs::canonicalize(&path).unwrap().as_os_str().as_bytes(), "{exec}");
}
