//! The program `marcador`: predictive dialer and agent backend for debt collection.
//!
//! This room alone names concrete adapters: it reads the configuration, wires the rooms together and
//! carries out the command line. Exit status: 0 done, 1 failed, 2 wrong usage or configuration.

mod cli;
mod clock;
mod commands;
mod config;
mod demo;
mod failure;
mod logging;
mod node;
mod private;
mod secrets;
mod sheet;
mod signals;
mod what_if;

use clap::Parser as _;
use cli::{Cli, Command};
use failure::Failure;
use std::process::ExitCode;

/// What an import of a million rows takes and gives back is a sixth of its processor with the system's allocator,
/// and what it has given back stays with the program there.
#[global_allocator]
static MEMORY: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(failure) = logging::start(&cli.command) {
        return failure.report();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(e) => return Failure::from(anyhow::Error::from(e)).report(),
    };
    // One cryptographic library for every TLS connection, before the first of them.
    voice::install_provider();
    let outcome = runtime.block_on(carry_out(cli.command));
    // Blocking leftovers (a file read, a password hash) must not hold the exit.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

async fn carry_out(command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo(args) => Ok(demo::run(args).await?),
        Command::Serve(args) => commands::serve::run(&args).await,
        Command::Migrate(args) => commands::migrate::run(&args).await,
        Command::Config(what) => commands::config::run(&what),
        Command::User(what) => commands::user::run(what).await,
        Command::Import(args) => commands::import::run(args).await,
        Command::Law(what) => commands::law::run(what).await,
        Command::Export(args) => commands::export::run(args).await,
        Command::Verify(what) => commands::verify::run(what).await,
        Command::Recordings(what) => commands::recordings::run(what).await,
        Command::Simulate(args) => commands::simulate::run(&args),
        Command::Pace => commands::pace::run(),
        Command::Bench(what) => commands::bench::run(what).await,
        Command::SamplePortfolio(args) => Ok(commands::sample::run(&args)?),
        Command::Carrier(args) => Ok(commands::carrier::run(args).await?),
    }
}
