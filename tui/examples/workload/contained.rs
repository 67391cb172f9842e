//! Containers that are gone in a moment: a cgroup is made, somebody lives and ends in it, and it is removed. A line
//! `contained` says of a process which container that was, and what /proc had to say from within; a line `skipped` what
//! cannot be had here.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use serde_json::json;

use crate::killed::{Group, mounted, skipped, with_cgroup2};
use crate::log;
use crate::program::Program;
use crate::sys;

/// Several of them, by each way there is into a cgroup.
pub(crate) fn short() -> io::Result<()> {
    with_cgroup2(|folder| {
        for number in 0..5 {
            entered(folder, number)?;
            born(folder, 16 + number)?;
        }
        Ok(())
    })?;
    // Where hierarchies are of both versions, the container may stand in those of the first alone.
    match mounted("cgroup", |options| options.split(',').any(|option| option == "pids" || option == "freezer"))? {
        Some(folder) => entered(&folder, 32),
        None => skipped("a hierarchy of version 1"),
    }
}

/// Somebody goes there, has a child, and becomes another program.
fn entered(folder: &Path, number: u8) -> io::Result<()> {
    let (group, id) = container(folder, number)?;
    let pid = sys::child(|| {
        group.enter()?;
        contained(&id)?;
        log::wait(sys::child(|| {
            contained(&id)?;
            Ok(0)
        })?)?;
        Program::this(&["code", "7"])?.exec()
    })?;
    log::wait(pid)
}

/// Somebody is born there.
fn born(folder: &Path, number: u8) -> io::Result<()> {
    let (group, id) = container(folder, number)?;
    let cgroup = File::open(&group.0)?;
    let pid = sys::clone3_into(0, None, Some(&cgroup), || {
        contained(&id)?;
        Program::this(&["code", "8"])?.exec()
    })?;
    log::fork(pid)?;
    log::wait(pid)
}

fn container(folder: &Path, number: u8) -> io::Result<(Group, String)> {
    let id = format!("{:08x}{number:02x}{}", std::process::id(), "c0ffee".repeat(9));
    Group::named(folder, &format!("docker-{id}.scope")).map(|group| (group, id))
}

fn contained(id: &str) -> io::Result<()> {
    let places = fs::read_to_string("/proc/self/cgroup")?;
    log::line(&json!({"type": "contained", "pid": log::stat("self")?.pid, "container": id, "places": places}))
}
