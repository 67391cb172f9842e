//! The program around the model: command line, screen and subcommands.

pub mod capture;
pub mod cli;
pub mod cmd;
pub mod export;
