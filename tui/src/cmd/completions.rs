//! `ptree-tui completions`: what a shell has to be told to complete the command line.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Arg, Command};
use clap_complete::Shell;

/// Prints it for a shell.
///
/// # Errors
/// When the output cannot be written.
pub fn run(shell: Shell) -> Result<ExitCode> {
    super::print(script(shell).as_bytes())
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut visible(&crate::cli::command()), "ptree-tui", &mut script);
    match (shell, String::from_utf8(script)) {
        // clap_complete has two spellings of a program's name with a hyphen, so that nothing behind a subcommand was
        // completed (its issue 6421).
        (Shell::Bash, Ok(script)) => with_values(&script.replace("ptree__subcmd__tui", "ptree__tui")),
        (_, script) => script.unwrap_or_default(),
    }
}

/// The script for bash with users and files where they are meant: clap_complete offers files for users, and options where
/// a file is meant.
fn with_values(script: &str) -> String {
    const OPTIONS: &str = "COMPREPLY=( $(compgen -W \"${opts}\" -- \"${cur}\") )";
    const FILES: &str = "COMPREPLY=($(compgen -f \"${cur}\"))";
    let mut option = "";
    let mut in_replay = false;
    let line = |line| {
        let text = str::trim(line);
        match text.strip_suffix(')') {
            Some("ptree__tui__subcmd__replay") => in_replay = true,
            Some(other) if other.starts_with("ptree__tui") => in_replay = false,
            Some(other) if other.starts_with('-') => option = other,
            Some(_) | None => {}
        }
        let mut line = match (text, option) {
            (FILES, "-u" | "--uid") => line.replace("-f", "-u"),
            _ => line.to_owned(),
        };
        if in_replay && text.starts_with("if [[ ${cur} == -* ||") {
            line = line.replace(" || ${COMP_CWORD} -eq 2 ", " ");
            option = "";
        } else if in_replay && text == "esac" {
            option = "behind";
        } else if in_replay && option == "behind" && text == OPTIONS {
            line = line.replace(OPTIONS, FILES);
        }
        line + "\n"
    };
    script.lines().map(line).collect()
}

/// The definition without what is hidden, which generators do not leave out everywhere. Options that may stand anywhere
/// are put where they are told of: left to itself, clap would put them everywhere again.
fn visible(command: &Command) -> Command {
    let options: Vec<_> = command.get_arguments().filter(|arg| arg.is_global_set()).collect();
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set()).map(|command| {
        let is_new = |arg: &&&Arg| command.get_arguments().all(|own| own.get_id() != arg.get_id());
        shown(command, options.iter().filter(is_new).copied())
    });
    let top = shown(command, std::iter::empty()).subcommands(commands);
    match command.get_version() {
        Some(version) => top.version(version.to_owned()),
        None => top,
    }
}

/// A command alone, with these options as well.
fn shown<'a>(command: &'a Command, more: impl Iterator<Item = &'a Arg>) -> Command {
    let args = command.get_arguments().chain(more).filter(|arg| !arg.is_hide_set());
    Command::new(command.get_name().to_owned())
        .about(command.get_about().cloned().unwrap_or_default())
        .args(args.map(|arg| arg.clone().global(false)))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_gets_what_is_shown_and_nothing_hidden() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for known in ["ptree-tui", "snapshot", "read-only", "speed"] {
                assert!(script.contains(known), "'{known}' for {shell}");
            }
            for hidden in ["synth", "pretend"] {
                assert!(!script.contains(hidden), "'{hidden}' for {shell}");
            }
        }
    }

    #[test]
    fn bash_completes_behind_subcommands_too() {
        let completed = |words: &str| {
            let ask = format!(
                "{}\nCOMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
                _ptree__tui ptree-tui \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; echo -n \"${{COMPREPLY[*]}}\"",
                script(Shell::Bash)
            );
            let output = std::process::Command::new("bash")
                .args(["--norc", "-c", &ask])
                .current_dir(env!("CARGO_MANIFEST_DIR"))
                .output()
                .unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(completed("ptree-tui s"), "stream snapshot");
        assert_eq!(completed("ptree-tui --theme l"), "light");
        assert_eq!(completed("ptree-tui snapshot --form"), "--format");
        assert_eq!(completed("ptree-tui snapshot --format ''"), "text json csv dot");
        assert_eq!(completed("ptree-tui completions z"), "zsh");
        assert_eq!(completed("ptree-tui replay --spee"), "--speed");
        assert_eq!(completed("ptree-tui replay Cargo.tom"), "Cargo.toml");
        assert_eq!(completed("ptree-tui replay --speed 2 Cargo.tom"), "Cargo.toml");
        assert_eq!(completed("ptree-tui --uid roo"), "root");
        assert_eq!(completed("ptree-tui stream -u roo"), "root");
        assert_eq!(completed("ptree-tui --config Cargo.tom"), "Cargo.toml");
        assert_eq!(completed("ptree-tui config --them"), "");
    }

    #[test]
    fn nothing_else_is_lost() {
        let shown = |command: &Command| {
            let args = command.get_arguments().filter(|arg| !arg.is_hide_set());
            let mut names: Vec<_> = args.map(|arg| arg.get_id().to_string()).collect();
            names.sort();
            let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
            names.extend(commands.map(|command| command.get_name().to_owned()));
            names
        };
        let (mut before, mut after) = (crate::cli::command(), visible(&crate::cli::command()));
        before.build();
        after.build();
        assert_eq!(shown(&before), shown(&after));
        for command in after.get_subcommands().filter(|command| command.get_name() != "help") {
            assert_eq!(shown(before.find_subcommand(command.get_name()).unwrap()), shown(command));
        }
        after.debug_assert();
    }
}
