//! One file a command.

pub(crate) mod bench;
pub(crate) mod carrier;
pub(crate) mod config;
mod evidence;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod law;
mod law_trial;
pub(crate) mod migrate;
pub(crate) mod pace;
pub(crate) mod recordings;
mod rewrap;
pub(crate) mod sample;
pub(crate) mod serve;
pub(crate) mod simulate;
pub(crate) mod user;
pub(crate) mod verify;
mod verify_audit;

use crate::cli::ConfigArgs;
use crate::config::{Config, load};
use crate::failure::Failure;
use std::io::Write as _;

/// Reads the configuration; a fault is wrong usage.
pub(crate) fn read_config(args: &ConfigArgs) -> Result<Config, Failure> {
    load(&args.config).map_err(Failure::usage)
}

/// A line on standard output; a closed pipe ends quietly.
pub(crate) fn say(text: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    // Nobody reads on: that is the reader's choice, not our failure.
    let _ = writeln!(out, "{}", text.as_ref());
}
