//! The program around the model: command line and subcommands; and the screen, where keys become actions, actions change
//! the [`app::App`], and the app is drawn.
//!
//! A library so that tests drive the whole screen without a terminal.
#![forbid(unsafe_code)]

pub mod act;
pub mod action;
pub mod app;
pub mod capture;
pub mod cli;
pub mod clock;
pub mod cmd;
pub mod column;
pub mod config;
pub mod dispatch;
pub mod export;
pub mod given;
pub mod inspect;
pub mod keymap;
pub mod label;
pub mod measure;
pub mod moment;
pub mod own;
pub mod recording;
pub mod runtime;
pub mod screen;
pub mod session;
pub mod tell;
pub mod term;
pub mod values;
pub mod view;
pub mod wall;
