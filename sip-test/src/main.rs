//! The simulated world from the command line: a carrier, a phone, agents.

mod cli;

use clap::Parser as _;

fn main() -> std::process::ExitCode {
    cli::start(cli::Cli::parse())
}
