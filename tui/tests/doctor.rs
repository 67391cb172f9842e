//! `doctor --layout` on the BTF of other kernels: no privilege, and no kernel of one's own, is needed for that.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking, their helpers as well")]

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

fn fixture(release: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("source/tests/btf/{release}.btf"))
}

fn layout(release: &str, options: &[&str]) -> Output {
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_ptree-tui"));
    // The tests may be run through sudo.
    doctor.env_remove("SUDO_UID").env_remove("PKEXEC_UID").env_remove("DOAS_USER");
    doctor.args(["doctor", "--layout", "--btf"]).arg(fixture(release)).args(options).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn member<'a>(report: &'a Value, field: &str) -> &'a Value {
    report["members"].as_array().unwrap().iter().find(|member| member["field"] == field).unwrap()
}

#[test]
fn json_tells_name_type_offset_and_size_of_each_member() {
    let output = layout("5.10.0-46-cloud-amd64", &["--json"]);
    assert!(output.status.success(), "{output:?}");
    let report = json(&output);
    assert_eq!(report["structs"]["task_struct"], 9344);
    assert_eq!((&report["usable"], &report["degraded"]), (&true.into(), &Value::Array(Vec::new())));
    let state = member(&report, "task_state");
    assert_eq!(
        (&state["name"], &state["offset"], &state["size"]),
        (&"task_struct.state".into(), &16.into(), &8.into())
    );
    assert!(state["era"].as_str().unwrap().contains("5.14"), "{state}");
    assert_eq!(
        (&state["type"], &state["vital"], &state["part"]),
        (&"volatile long int".into(), &false.into(), &"state".into())
    );
    assert_eq!(member(&report, "task_comm")["type"], "char[16]");
}

#[test]
fn what_is_missing_is_told_with_what_is_used_instead() {
    let output = layout("6.12.117+deb13-amd64", &["--json", "--pretend-missing", "mm_rss_file"]);
    assert!(output.status.success(), "{output:?}");
    let report = json(&output);
    assert_eq!(report["degraded"], serde_json::json!(["memory"]));
    let missing = member(&report, "mm_rss_file");
    assert_eq!(missing["status"], "absent");
    assert!(missing["offset"].is_null() && missing["instead"].as_str().unwrap().starts_with("memory: "), "{missing}");

    let text = layout("6.12.117+deb13-amd64", &["--pretend-missing", "mm_rss_file"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("struct task_struct: 9792 bytes\n"), "{text}");
    assert!(text.contains("NOT FOUND; instead: memory: "), "{text}");
    assert!(text.ends_with("\nUsable, but for: memory\n"), "{text}");
}

#[test]
fn a_kernel_that_cannot_be_captured_fails_with_the_members_name() {
    let output = layout("7.3.4+deb13-cloud-amd64", &["--pretend-missing", "task_tgid"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("NOT FOUND; instead: nothing: such a kernel is refused"), "{text}");
    assert!(text.lines().last().unwrap().starts_with("Not usable: ") && text.contains("task_struct.tgid"), "{text}");
}

#[test]
fn a_file_that_is_none_is_quoted() {
    for (path, wants) in [("/proc/none", "No such file"), ("/proc/version", "not BTF"), ("/proc/self/exe", "objcopy")] {
        let output = Command::new(env!("CARGO_BIN_EXE_ptree-tui")).args(["doctor", "--layout", "--btf", path]).output();
        let output = output.unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(&format!("'{path}'")) && message.contains(wants), "{message}");
    }
}
