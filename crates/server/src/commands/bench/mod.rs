//! `marcador bench`: the product's own load figures, with their limits beside them.
//!
//! What is measured runs as a process of its own, so that its CPU is told apart from that of the
//! load, which is this process.

mod args;
mod asterisk;
mod child;
mod churn;
mod cpa;
mod forwarder;
mod goals;
mod hold;
mod import;
mod load;
mod media;
mod process;
mod registers;
mod room;
mod set_up;
mod shift;
mod signalling;
mod store;
mod surplus;
mod talk;
mod whole;

pub(crate) use args::BenchCommand;
use args::Part;

use crate::failure::Failure;
use anyhow::Context as _;
use serde::Serialize;
use std::path::Path;

/// Carries it out.
pub(crate) async fn run(what: BenchCommand) -> Result<(), Failure> {
    match what {
        BenchCommand::Media(args) => Ok(media::run(&args).await?),
        BenchCommand::Signalling(args) => Ok(signalling::run(&args).await?),
        BenchCommand::Store(args) => Ok(store::run(&args).await?),
        BenchCommand::Import(args) => Ok(import::run(&args).await?),
        BenchCommand::Surplus(args) => Ok(surplus::run(&args).await?),
        BenchCommand::Cpa(args) => cpa::run(&args),
        BenchCommand::Load(args) => Ok(load::run(&args).await?),
        BenchCommand::Shift(args) => Ok(shift::run(&args).await?),
        BenchCommand::Goals(args) => Ok(whole::run(&args).await?),
        BenchCommand::Registers(args) => Ok(registers::run(&args).await?),
        BenchCommand::Part(Part::Churn(args)) => Ok(churn::run(&args).await?),
        BenchCommand::Part(Part::Talk(args)) => Ok(talk::run(&args).await?),
        BenchCommand::Part(Part::SetUp(args)) => Ok(set_up::run(&args).await?),
        BenchCommand::Part(Part::Forward(args)) => Ok(forwarder::run(&args)?),
    }
}

/// Writes figures where they are wished.
fn write_json(figures: &impl Serialize, file: Option<&Path>) -> anyhow::Result<()> {
    let Some(file) = file else { return Ok(()) };
    let text = serde_json::to_string_pretty(figures)?;
    std::fs::write(file, text).with_context(|| file.display().to_string())
}

/// How it was built: unoptimised figures mislead.
const fn profile() -> &'static str {
    if cfg!(debug_assertions) {
        "dev (unoptimised: compare ratios only)"
    } else {
        "release"
    }
}
