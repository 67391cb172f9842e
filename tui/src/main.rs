//! The program `ptree-tui`; everything is in the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    ptree_tui::dispatch::main()
}
