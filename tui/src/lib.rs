//! The program around the model: keys become actions, actions change the [`app::App`], the app is drawn.
//!
//! A library so that tests drive the whole screen without a terminal; the binary adds the command line.
#![forbid(unsafe_code)]

pub mod action;
pub mod app;
pub mod export;
pub mod keymap;
pub mod label;
pub mod runtime;
pub mod term;
pub mod view;
