//! `ptree-tui completions`: what a shell has to be told to complete the command line.

use std::process::ExitCode;

use anyhow::Result;
use clap::Command;
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
        (Shell::Bash, Ok(script)) => script.replace("ptree__subcmd__tui", "ptree__tui"),
        (_, script) => script.unwrap_or_default(),
    }
}

/// The definition without what is hidden, which generators do not leave out everywhere.
fn visible(command: &Command) -> Command {
    let about = command.get_about().cloned().unwrap_or_default();
    let shown = Command::new(command.get_name().to_owned())
        .about(about)
        .args(command.get_arguments().filter(|arg| !arg.is_hide_set()))
        .subcommands(command.get_subcommands().filter(|command| !command.is_hide_set()).map(visible));
    match command.get_version() {
        Some(version) => shown.version(version.to_owned()),
        None => shown,
    }
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
            let output = std::process::Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(completed("ptree-tui s"), "stream snapshot");
        assert_eq!(completed("ptree-tui --theme l"), "light");
        assert_eq!(completed("ptree-tui snapshot --form"), "--format");
        assert_eq!(completed("ptree-tui snapshot --format ''"), "text json dot");
        assert_eq!(completed("ptree-tui completions z"), "zsh");
    }

    #[test]
    fn nothing_else_is_lost() {
        let shown = |command: &Command| {
            let args = command.get_arguments().filter(|arg| !arg.is_hide_set());
            let mut names: Vec<_> = args.map(|arg| arg.get_id().to_string()).collect();
            let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
            names.extend(commands.map(|command| command.get_name().to_owned()));
            names
        };
        let (before, after) = (crate::cli::command(), visible(&crate::cli::command()));
        assert_eq!(shown(&before), shown(&after));
        for command in after.get_subcommands() {
            assert_eq!(shown(before.find_subcommand(command.get_name()).unwrap()), shown(command));
        }
        after.debug_assert();
    }
}
