//! The tree as one JSON object: the header's fields, and the processes depth first, each with its depth.
//!
//! None but those that match the filter: what is done to all of a list must not be done to those above them.

use std::io::{self, Write};

use ptree_core::text::{escape, signal_name};
use ptree_core::{ExitStatus, Image, Lifecycle, ProcKey, Process, cgroup};
use ptree_source::{Header, ndjson};
use serde_json::{Map, Value, json};

use super::Scope;

/// Writes the object and a line end.
///
/// # Errors
/// When `out` fails.
pub fn write(out: &mut impl Write, scope: &Scope<'_>, header: &Header) -> io::Result<()> {
    // Depths of the rows above, of those that match.
    let mut above: Vec<u32> = Vec::new();
    let mut processes: Vec<Value> = Vec::new();
    for row in scope.rows.iter().filter(|row| row.matched) {
        let Some(shown) = row.id.process().and_then(|key| scope.tree.get(key)) else { continue };
        while above.pop_if(|depth| *depth >= row.depth).is_some() {}
        processes.push(process(scope, shown, above.len()));
        above.push(row.depth);
    }
    let mut object = json!({
        "schema": ndjson::SCHEMA,
        "version": header.version,
        "host": escape(header.host.as_bytes()),
        "kernel": escape(header.kernel.as_bytes()),
        "boot_id": escape(header.boot_id.as_bytes()),
        "boottime_ns": header.anchor.boottime_ns,
        "unix_ns": header.anchor.unix_ns,
        "processes": processes,
    });
    if let Some(measured_ns) = scope.measured_ns {
        object["cpu_measured_ns"] = measured_ns.into();
    }
    if !header.degraded.is_empty() {
        object["degraded"] = header.degraded.iter().map(|name| Value::from(escape(name.as_bytes()))).collect();
    }
    serde_json::to_writer(&mut *out, &object)?;
    out.write_all(b"\n")
}

fn process(scope: &Scope<'_>, process: &Process, depth: usize) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    let mut parent = |pid: &str, start: &str, key: Option<ProcKey>| {
        put(pid, key.map(|key| key.pid.into()));
        put(start, key.map(|key| key.start_ns.into()));
    };
    parent("pid", "start_ns", Some(process.key));
    parent("ppid", "parent_start_ns", Some(process.kernel_parent()));
    put("depth", Some(depth.into()));
    let creds = process.creds();
    put("uid", Some(creds.uid.into()));
    put("gid", Some(creds.gid.into()));
    // As in the lines of the stream: absent where it is the same.
    put("ruid", (creds.ruid != creds.uid).then_some(creds.ruid.into()));
    put("rgid", (creds.rgid != creds.gid).then_some(creds.rgid.into()));
    put("user", Some(scope.user_name(creds.uid, escape).into()));
    put("comm", Some(escape(process.comm().as_bytes()).into()));
    let image = process.image();
    let argv = image.and_then(|image| image.argv.as_ref());
    put("argv", argv.map(|argv| argv.iter().map(escape).collect()));
    put("argv_truncated", image.filter(|image| image.argv_truncated).map(|_| true.into()));
    put("exe", image.and_then(Image::exe).map(|path| escape(path).into()));
    for (name, is) in [
        ("exe_deleted", image.is_some_and(Image::is_deleted)),
        ("exe_memfd", image.is_some_and(Image::is_memfd)),
        ("exe_truncated", image.is_some_and(Image::is_exe_truncated)),
    ] {
        put(name, is.then_some(true.into()));
    }
    put("cgroup", process.cgroup().map(|path| escape(path).into()));
    put("unit", process.cgroup().and_then(cgroup::unit).map(|name| escape(&name).into()));
    put("container", process.cgroup().and_then(cgroup::container).map(|name| escape(&name).into()));
    put("cgroup_id", process.cgroup_id().map(Value::from));
    put("pid_ns", process.pid_ns().map(Value::from));
    put("ns_pid", process.ns_pid().filter(|&pid| pid != process.key.pid).map(Value::from));
    put("kernel", process.is_kernel().then_some(true.into()));
    let session = process.session();
    put("sid", session.sid.map(Value::from));
    put("pgid", session.pgid.map(Value::from));
    put("nice", session.nice.map(Value::from));
    put("tty", session.tty.map(|tty| escape(tty.as_bytes()).into()));
    put("login_uid", session.login_uid.map(Value::from));
    put("login", session.login().map(|uid| scope.user_name(uid, escape).into()));
    put("audit_session", session.audit_session.map(Value::from));
    put("lifetime_ns", Some(process.lifetime_ns(scope.now_ns).into()));
    let cost = process.cost();
    put("cpu_ns", Some(cost.cpu_ns.into()));
    put("user_ns", cost.user_ns.map(Value::from));
    put("system_ns", cost.system_ns().map(Value::from));
    put("run_delay_ns", cost.run_delay_ns.map(Value::from));
    put("read_bytes", cost.read_bytes.map(Value::from));
    put("write_bytes", cost.write_bytes.map(Value::from));
    // From two looks, as the share of a CPU.
    let per_s = |rate: Option<f32>| scope.measured_ns.and(rate).map(Value::from);
    put("read_bytes_per_s", per_s(process.read_rate()));
    put("write_bytes_per_s", per_s(process.write_rate()));
    put("threads_begun", cost.threads_begun.map(Value::from));
    put("cpu_share", scope.measured_ns.filter(|_| process.is_alive()).map(|_| process.cpu_share().into()));
    match process.life() {
        Lifecycle::Running => {
            put("state", Some(process.state().to_string().into()));
            put("threads", Some(process.threads().into()));
            put("rss_bytes", process.rss_bytes().map(Value::from));
        }
        Lifecycle::Exited { status, inferred, .. } => {
            put("inferred", inferred.then(|| true.into()));
            put("state", process.is_zombie().then(|| "Z".into()));
            put("zombie", process.is_zombie().then(|| true.into()));
            match status {
                ExitStatus::Code(code) => put("code", Some(code.into())),
                ExitStatus::Signal { signal, core } => {
                    put("signal", Some(signal_name(signal).into()));
                    put("core", core.then_some(true.into()));
                }
                ExitStatus::Unknown => {}
            }
        }
    }
    Value::Object(fields)
}
