//! `ptree-tui synth` from outside: no privilege, no kernel's help, and errors that say what to do.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

use std::io::Write;
use std::process::{Command, Output};

use serde_json::Value;

fn synth(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ptree-tui")).arg("synth").args(args).output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What hooks have seen, without times and what depends on them.
fn repeatable(lines: &[Value]) -> Vec<[&Value; 6]> {
    let hooks = lines.iter().filter(|line| ["fork", "exec", "exit"].iter().any(|kind| line["type"] == *kind));
    hooks.map(|line| ["type", "pid", "ppid", "comm", "argv", "code"].map(|field| &line[field])).collect()
}

#[test]
fn a_profile_is_streamed_the_same_each_time() {
    let run = || lines(&synth(&["build", "--stream", "--events", "300", "--rate", "100000", "--seed", "7"]));
    let (first, second) = (run(), run());
    assert_eq!(
        (&first[0]["type"], &first[0]["source"], &first[0]["host"]),
        (&"header".into(), &"synth".into(), &"synth-build".into())
    );
    let found = first.iter().find(|line| line["type"] == "process").unwrap();
    let [found_ns, begin_ns] = [&found["ts_ns"], &first[0]["boottime_ns"]].map(|ns| ns.as_u64().unwrap());
    assert!(begin_ns.abs_diff(found_ns) < 60_000_000_000, "{found_ns} is not the present, {begin_ns}");
    assert_eq!(repeatable(&first).len(), 300);
    assert!(first.iter().any(|line| line["filename"] == "/usr/bin/gcc"));
    assert_eq!(repeatable(&first), repeatable(&second));
}

#[test]
fn losses_are_told_and_repaired() {
    let lines = lines(&synth(&["lossy-storm", "--stream", "--events", "4000", "--rate", "20000"]));
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    let lost: u64 =
        lines.iter().filter(|line| line["type"] == "lost").map(|line| line["count"].as_u64().unwrap()).sum();
    assert!(lost > 0 && of("fork") < 2000);
    assert!(lines.iter().any(|line| line["repaired"] == true) && lines.iter().any(|line| line["inferred"] == true));
}

#[test]
fn a_script_is_streamed_and_takes_its_time() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "every 1ms\nfound 1 0 -- /sbin/init\nfork 1 2 uid=7\nexec 2 make 'a b'\nexit 2 SIGKILL # killed")
        .unwrap();
    let output = synth(&["--stream", "--script", file.path().to_str().unwrap()]);
    let lines = lines(&output);
    let types: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["header", "process", "fork", "exec", "exit"]);
    assert_eq!(
        (&lines[0]["host"], &lines[3]["argv"], &lines[4]["signal"]),
        (&"synth-script".into(), &serde_json::json!(["make", "a b"]), &"SIGKILL".into())
    );
    assert_eq!(lines[4]["lifetime_ns"], 2_000_000);
}

#[test]
fn what_is_wrong_is_quoted_with_what_to_do() {
    let mut script = tempfile::NamedTempFile::new().unwrap();
    writeln!(script, "tick\nfrok 1 2").unwrap();
    for (args, code, message) in [
        (&["bild"][..], 2, "'bild' is no profile: take one of idle, build, storm, chain, star, reuse, containers"),
        (&["build", "--rate", "0"], 2, "give events per second, such as '200' or '0.5'"),
        (&["build", "--size", "0"], 2, "0 is not in 1..="),
        (&[], 2, "<PROFILE>"),
        (&["build", "--duration", "1s"], 2, "--stream"),
        (&["build", "--script", "x"], 2, "cannot be used with"),
        (&["--stream", "--script", "no-such-file"], 1, "'no-such-file': No such file"),
        (&["--stream", "--script", "/dev/zero"], 1, "'/dev/zero': it is no regular file"),
        (
            &["--stream", "--script", script.path().to_str().unwrap()],
            1,
            "line 2: 'frok' is not understood: expected found,",
        ),
    ] {
        let output = synth(args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {error}");
        assert!(error.contains(message), "{args:?}: {error}");
    }
}
