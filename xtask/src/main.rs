//! Developer commands, run as `cargo xtask COMMAND`: this file owns the table of commands and the exit status.
//!
//! What a command does is in the module of its name; none of them is needed to build or to run ptree-tui.

mod bench;
mod ci;
mod docs;
mod ebpf;
mod fuzz;
mod lag;
mod process;
mod release;
mod setup;
mod soak;
mod test;
mod tidy;
mod vm;

use std::process::ExitCode;

/// A row of the table.
struct Command {
    name: &'static str,
    options: &'static str,
    about: &'static str,
    run: fn(&[String]) -> anyhow::Result<()>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "setup",
        options: "[--ci] [--vm]",
        about: "install what building the eBPF object needs; with --ci, what the checks need as well; with --vm, `vm`",
        run: setup::run,
    },
    Command {
        name: "ebpf",
        options: "[--check]",
        about: "rebuild assets/ptree.bpf.o; with --check, only compare it with what the sources give",
        run: ebpf::run,
    },
    Command {
        name: "test",
        options: "[ARGS...]",
        about: "all tests; ARGS go to `cargo test --workspace`. The live ones need root",
        run: test::run,
    },
    Command {
        name: "fuzz",
        options: "[TARGET] [--seconds N]",
        about: "fuzz one target or all in turn, each for N seconds (60); see fuzz/",
        run: fuzz::run,
    },
    Command {
        name: "vm",
        options: "[KERNEL...]",
        about: "boot other kernels (5.10, rt, 6.1-cloud, ...; all without KERNEL) and run the live tests; see --list, --ci",
        run: vm::run,
    },
    Command {
        name: "btf-fixtures",
        options: "[KERNEL...]",
        about: "make tui/source/tests/btf anew, or fixtures of other kernels, from their images; nothing is booted",
        run: vm::btf_fixtures,
    },
    Command {
        name: "tidy",
        options: "",
        about: "what the compiler does not check: layers, file sizes, leftovers, links between documents",
        run: tidy::run,
    },
    Command {
        name: "docs",
        options: "",
        about: "renew what the program's tables say in docs/ and assets/; `test` fails where they differ",
        run: docs::run,
    },
    Command {
        name: "bench",
        options: "[--check|--save] [FILTER]",
        about: "how cost and memory grow with the number of processes; compared with the stored baseline, or stored",
        run: bench::run,
    },
    Command {
        name: "lag",
        options: "[--check] [--seconds N]",
        about: "the program itself on a terminal, as root: from key to frame, flicker, jumps, cost; N seconds each (15)",
        run: lag::run,
    },
    Command {
        name: "soak",
        options: "[ARGS...]",
        about: "a fork storm through model and screen: [--minutes N] [--processes N], 20 and 10M unless given",
        run: soak::run,
    },
    Command {
        name: "ci",
        options: "",
        about: "everything that CI runs, in its order, up to the first failure",
        run: ci::run,
    },
    Command {
        name: "release",
        options: "[--allow-red]",
        about: "check everything, kernels included, and pack static programs into target/dist; nothing is published",
        run: release::run,
    },
    Command { name: "help", options: "", about: "this list", run: help },
];

/// A command line that makes no sense: told from other failures by its exit status, 2.
#[derive(Debug)]
struct UsageError(String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
        }
    }
}

fn dispatch(args: &[String]) -> anyhow::Result<()> {
    let Some((name, rest)) = args.split_first() else { return Err(unknown("no command given")) };
    let name = if name == "--help" || name == "-h" { "help" } else { name };
    match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(rest),
        None => Err(unknown(&format!("there is no command '{name}'"))),
    }
}

fn unknown(what: &str) -> anyhow::Error {
    let names: Vec<_> = COMMANDS.iter().map(|command| command.name).collect();
    UsageError(format!("{what}; the commands are {}", names.join(", "))).into()
}

fn help(args: &[String]) -> anyhow::Result<()> {
    flag(args, None)?;
    println!("Usage: cargo xtask COMMAND\n");
    for command in COMMANDS {
        println!("  {:<16} {}", format!("{} {}", command.name, command.options), command.about);
    }
    Ok(())
}

/// Whether `known` was given, where nothing else may be.
fn flag(args: &[String], known: Option<&str>) -> anyhow::Result<bool> {
    let allowed: Vec<&str> = known.into_iter().collect();
    match args.iter().find(|arg| !allowed.contains(&arg.as_str())) {
        None => Ok(!args.is_empty()),
        Some(arg) => Err(unknown_argument(arg, &allowed)),
    }
}

/// Which of the two flags `known` were given, where nothing else may be.
fn flags(args: &[String], known: [&str; 2]) -> anyhow::Result<[bool; 2]> {
    match args.iter().find(|arg| !known.contains(&arg.as_str())) {
        None => Ok(known.map(|flag| args.iter().any(|arg| arg == flag))),
        Some(arg) => Err(unknown_argument(arg, &known)),
    }
}

fn unknown_argument(arg: &str, known: &[&str]) -> anyhow::Error {
    let known = match known {
        [] => "the command takes none".into(),
        _ => format!("there is '{}'", known.join("' and '")),
    };
    UsageError(format!("unknown argument '{arg}'; {known}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_unknown_command_is_a_usage_error_that_names_the_valid_ones() {
        for line in [&["frobnicate"][..], &[]] {
            let error = dispatch(&args(line)).unwrap_err();
            assert!(error.is::<UsageError>());
            for command in COMMANDS {
                assert!(error.to_string().contains(command.name), "{error}");
            }
        }
    }

    #[test]
    fn a_flag_is_taken_and_anything_else_refused() {
        assert!(!flag(&args(&[]), Some("--check")).unwrap());
        assert!(flag(&args(&["--check"]), Some("--check")).unwrap());
        assert!(flag(&args(&["--chekc"]), Some("--check")).unwrap_err().to_string().contains("'--chekc'"));
        assert!(flag(&args(&["--check"]), None).is_err());
        assert_eq!(flags(&args(&["--vm"]), ["--ci", "--vm"]).unwrap(), [false, true]);
        assert!(flags(&args(&["--v"]), ["--ci", "--vm"]).unwrap_err().to_string().contains("'--ci' and '--vm'"));
    }

    #[test]
    fn no_command_is_listed_twice() {
        let mut names: Vec<_> = COMMANDS.iter().map(|command| command.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COMMANDS.len());
    }
}
