//! Units and containers of processes in cgroups that are made here, in the unified hierarchy and beside it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::mount::{MsFlags, mount, umount};
use serde_json::Value;
use tempfile::TempDir;

use crate::account::assert_agrees;
use crate::capture::{Capture, PROGRAM, Stream, number, parse, ticked, unescape, wait_until};
use crate::workload::Workload;
use crate::{Company, enter};

/// A hierarchy that is mounted here, and the cgroups that were made in it.
pub(crate) struct Hierarchy {
    folder: TempDir,
    /// Of one that there is for this test alone.
    name: Option<String>,
    made: Vec<PathBuf>,
}

impl Hierarchy {
    /// The unified one, or a new one of this name.
    pub(crate) fn mounted(name: Option<String>) -> nix::Result<Self> {
        let hierarchy = Self { folder: TempDir::new().unwrap(), name, made: Vec::new() };
        hierarchy.mount()?;
        Ok(hierarchy)
    }

    /// Where it is to be seen.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn mount(&self) -> nix::Result<()> {
        let options = self.name.as_ref().map(|name| format!("none,name={name}"));
        let kind = if options.is_some() { "cgroup" } else { "cgroup2" };
        mount(Some("none"), self.folder.path(), Some(kind), MsFlags::empty(), options.as_deref())
    }

    /// Whether the kernel has a hierarchy of this name, mounted or not.
    fn is_there(&self) -> bool {
        let of_this =
            |name: &String| std::fs::read_to_string("/proc/self/cgroup").unwrap().contains(&format!("name={name}:"));
        self.name.as_ref().is_some_and(of_this)
    }

    /// Makes a cgroup, and puts a process into it.
    pub(crate) fn put(&mut self, pid: u64, path: &str) {
        self.put_by("cgroup.procs", pid, path);
    }

    /// The same with the file that is written to.
    fn put_by(&mut self, file: &str, pid: u64, path: &str) {
        let mut folder = self.folder.path().to_owned();
        for name in Path::new(path).iter().skip(1) {
            folder.push(name);
            if !folder.exists() {
                std::fs::create_dir(&folder).unwrap();
                self.made.push(folder.clone());
            }
        }
        std::fs::write(folder.join(file), pid.to_string()).unwrap();
    }
}

impl Drop for Hierarchy {
    fn drop(&mut self) {
        // After a failure, processes may still be there; the folder with what is mounted on it is left then.
        for folder in self.made.iter().rev() {
            let _ = std::fs::remove_dir(folder);
        }
        let _ = umount(self.folder.path());
        // A hierarchy ends a little after it is unmounted, if nothing is left in it then; cgroups are removed a little
        // later as well. So it may have to be unmounted once more, but not so soon that there is never an end.
        if !std::thread::panicking() {
            let mut looked = 0;
            wait_until("the end of a hierarchy", || {
                let gone = !self.is_there();
                looked += 1;
                if !gone && looked % 50 == 0 && self.mount().is_ok() {
                    let _ = umount(self.folder.path());
                }
                gone.then_some(())
            });
        }
    }
}

/// What the stream tells at its beginning of the processes that match, by pid.
fn found(filter: &str) -> HashMap<u64, Value> {
    let output = Command::new(PROGRAM).args(["stream", "--duration", "200ms", "--filter", filter]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<Value> = parse(&output.stdout).filter(|line| line["type"] == "process").collect();
    lines.into_iter().map(|line| (number(&line, "pid"), line)).collect()
}

#[test]
fn units_and_containers_are_known_in_every_hierarchy() {
    let Some(_lock) = enter(Company::Any) else { return };
    let own = std::process::id();
    let id = format!("{own:08x}").repeat(8);
    let workload = Workload::settled(&["tree"]);
    let log = workload.log();
    let tree = log.one("tree");
    let [root, branch, leaf, threads] =
        [log.root().0, number(tree, "branch"), number(tree, "leaf"), number(tree, "threads")];

    let mut unified = Hierarchy::mounted(None).unwrap();
    let docker = format!("/ptree-{own}.slice/docker-{id}.scope");
    let machine = format!(r"/ptree-{own}.slice/machine-qemu\x2d1\x2d{own}.scope");
    let service = format!("/ptree-{own}.slice/_cpu.service");
    unified.put(root, &docker);
    unified.put(leaf, &machine);
    unified.put(threads, &service);
    let mut filters = vec![
        (format!("container={id}"), root, &docker),
        (format!("container=qemu-1-{own}"), leaf, &machine),
        (format!(r"unit=machine-qemu\x2d1\x2d{own}"), leaf, &machine),
        (format!("unit=cpu cgroup~ptree-{own}"), threads, &service),
    ];

    // As with hybrid hierarchies: in the unified one it is where it was.
    let lxc = format!("/lxc/ptree-{own}");
    let named = Hierarchy::mounted(Some(format!("ptree-{own}"))).map(|mut named| {
        named.put(branch, &lxc);
        named
    });
    match &named {
        Ok(_) => filters.push((format!("container=ptree-{own}"), branch, &lxc)),
        Err(error) => eprintln!("SKIPPED (this kernel mounts no named hierarchy: {error}): hybrid hierarchies"),
    }

    for (filter, pid, path) in &filters {
        let found = found(filter);
        assert_eq!(found.keys().collect::<Vec<_>>(), [pid], "{filter}");
        assert!(unescape(&found[pid]["cgroup"]).ends_with(path.as_bytes()), "{filter}: {}", found[pid]);
    }
    let contained = found("container~.");
    for (filter, pid, _) in &filters {
        assert_eq!(contained.contains_key(pid), *pid != threads, "{filter}");
    }
    let output = Command::new(PROGRAM).args(["snapshot", "--format", "json"]).output().unwrap();
    let snapshot: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (filter, pid, path) in &filters {
        let process = snapshot["processes"].as_array().unwrap().iter().find(|process| process["pid"] == *pid);
        let process = process.unwrap_or_else(|| panic!("{filter}: no {pid}"));
        assert!(unescape(&process["cgroup"]).ends_with(path.as_bytes()), "{filter}: {process}");
    }
    workload.end();
}

/// Waits until the stream has a process in a cgroup, and compares with what /proc says of it.
fn wait_for_move(capture: &mut Capture, pid: u64, path: &str) -> Value {
    let line = capture.wait_for(&format!("{pid} in {path}"), |stream| {
        // Without hooks that it has moved is known before where to.
        let last = stream.of("move").filter(|line| line["pid"] == pid && !line["cgroup"].is_null()).last()?;
        unescape(&last["cgroup"]).ends_with(path.as_bytes()).then(|| last.clone())
    });
    let places = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let told = String::from_utf8(unescape(&line["cgroup"])).unwrap();
    assert!(places.lines().any(|place| place.ends_with(&format!(":{told}"))), "{line}, but {places}");
    line
}

fn moves(stream: &Stream, pid: u64) -> usize {
    stream.of("move").filter(|line| line["pid"] == pid).count()
}

#[test]
fn who_is_moved_while_alive_is_told_to_be_there() {
    let Some(_lock) = enter(Company::Any) else { return };
    let own = std::process::id();
    // Another than in the other test, which may run at the same time.
    let id = format!("{:08x}", !own).repeat(8);
    let workload = Workload::settled(&["tree"]);
    let log = workload.log();
    let tree = log.one("tree");
    let [root, branch, leaf, threads] =
        [log.root().0, number(tree, "branch"), number(tree, "leaf"), number(tree, "threads")];
    let mut capture = Capture::start(&[]);

    let mut unified = Hierarchy::mounted(None).unwrap();
    let docker = format!("/ptree-{own}-m.slice/docker-{id}.scope");
    unified.put(leaf, &docker);
    assert_eq!(wait_for_move(&mut capture, leaf, &docker)["container"], id);
    let service = format!("/ptree-{own}-m.slice/ptree-{own}.service");
    unified.put(leaf, &service);
    let line = wait_for_move(&mut capture, leaf, &service);
    assert_eq!((&line["unit"], &line["container"]), (&format!("ptree-{own}.service").into(), &Value::Null));
    let named = |stream: &Stream| stream.of("cgroup").any(|cgroup| cgroup["cgroup_id"] == line["cgroup_id"]);
    assert!(named(capture.so_far()), "what it is called that has this id");

    // It lasts as long as somebody is in it.
    let mut other = Hierarchy::mounted(Some(format!("ptree-{own}-m")));
    match &mut other {
        Ok(other) => {
            let lxc = format!("/lxc/ptree-{own}-m");
            other.put(branch, &lxc);
            assert_eq!(wait_for_move(&mut capture, branch, &lxc)["container"], format!("ptree-{own}-m"));
            // A thread alone: the process stays where its first one is. Whole processes are told once.
            let tasks = std::fs::read_dir(format!("/proc/{threads}/task")).unwrap();
            let ids = tasks.map(|task| task.unwrap().file_name().to_str().unwrap().parse::<u64>().unwrap());
            let thread = ids.filter(|tid| *tid != threads).max().unwrap();
            other.put_by("tasks", thread, &lxc);
            other.put(root, &lxc);
            wait_for_move(&mut capture, root, &lxc);
            assert_eq!(moves(capture.so_far(), threads), 0, "one of its threads is elsewhere, and no more");
            other.put(threads, &lxc);
            wait_for_move(&mut capture, threads, &lxc);
            assert_eq!(moves(capture.so_far(), threads), 1);
        }
        Err(error) => eprintln!("SKIPPED (this kernel mounts no named hierarchy: {error}): hybrid hierarchies"),
    }
    workload.end();
    let exit = capture.wait_for("its end", |stream| stream.of("exit").find(|exit| exit["pid"] == leaf).cloned());
    assert_eq!(exit["unit"], format!("ptree-{own}.service"));
}

#[test]
fn a_container_that_is_gone_in_a_moment_is_known_by_all_who_were_in_it() {
    let Some(_lock) = enter(Company::Any) else { return };
    let capture = Capture::start(&[]);
    let log = Workload::start(&["contained"]).end();
    let stream = capture.finish();
    assert_agrees(&stream, &log);
    for line in log.of("skipped") {
        eprintln!("SKIPPED: {}", line["what"]);
    }
    let mut seen = 0;
    for line in log.of("contained") {
        let process = log.process(number(line, "pid"));
        let exit = stream.of("exit").find(|exit| ticked(crate::capture::key(exit)) == process).unwrap();
        assert_eq!(exit["container"], line["container"], "{exit}, but {line}");
        for exec in stream.of("exec").filter(|exec| ticked(crate::capture::key(exec)) == process) {
            assert_eq!(exec["container"], line["container"], "{exec}, but {line}");
        }
        // The id says the path in the unified hierarchy, as /proc did.
        let unified = line["places"].as_str().unwrap().lines().find_map(|place| place.strip_prefix("0::"));
        let cgroup = stream.of("cgroup").find(|cgroup| cgroup["cgroup_id"] == exit["cgroup_id"]);
        if let Some((unified, cgroup)) = unified.zip(cgroup) {
            assert_eq!(unescape(&cgroup["cgroup"]), unified.as_bytes(), "{cgroup}, but {line}");
        }
        seen += 1;
    }
    assert!(seen >= 15 || log.of("skipped").count() > 0, "{seen}");
}

/// Without the hooks, whoever is found in another cgroup is looked up.
#[test]
fn without_the_hooks_on_cgroups_who_lives_long_enough_is_known() {
    let Some(_lock) = enter(Company::Any) else { return };
    let own = std::process::id();
    let mut capture = Capture::start(&["--pretend-missing", "on_cgroup_move"]);
    assert_eq!(capture.so_far().events[0]["degraded"], serde_json::json!(["cgroup-moves"]));
    let workload = Workload::settled(&["tree"]);
    let leaf = number(workload.log().one("tree"), "leaf");
    let mut unified = Hierarchy::mounted(None).unwrap();
    let service = format!("/ptree-{own}-w.service");
    unified.put(leaf, &service);
    assert_eq!(wait_for_move(&mut capture, leaf, &service)["unit"], format!("ptree-{own}-w.service"));
    workload.end();
}
