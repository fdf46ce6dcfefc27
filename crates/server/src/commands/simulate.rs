//! `marcador simulate`: scenario files under the live policy and under others.

use super::say;
use crate::cli::SimulateArgs;
use crate::failure::Failure;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use sim::pacing::report::{self, Bench, run_all};
use sim::pacing::{Lean, Policy, RunSpec, Scenario};
use std::time::Instant;

/// The target as a share.
fn target(args: &SimulateArgs) -> Result<Option<f64>, Failure> {
    let Some(pct) = args.target_pct else {
        return Ok(None);
    };
    if pct > 0.0 && pct <= args.cap_pct {
        return Ok(Some(pct / 100.0));
    }
    Err(Failure::usage(anyhow::anyhow!(
        "--target-pct {pct}: expected above 0 and at most the cap of {} %",
        args.cap_pct
    )))
}

/// Carries it out.
pub(crate) fn run(args: &SimulateArgs) -> Result<(), Failure> {
    let mut scenarios = Vec::new();
    for file in &args.scenarios {
        scenarios.push(Scenario::read(file).map_err(Failure::usage)?);
    }
    let mut policies = Vec::new();
    for name in &args.policy {
        let policy = Policy::parse(name).map_err(|e| Failure::usage(anyhow::anyhow!(e)))?;
        policies.push(policy);
    }
    if policies.is_empty() {
        policies = report::default_policies();
    }
    let target = target(args)?;
    let mut specs = Vec::new();
    for policy in policies {
        for hard_stop in [true, false] {
            specs.push(RunSpec {
                policy,
                seed: 1,
                cap: args.cap_pct / 100.0,
                target,
                lean: Lean::default(),
                hard_stop,
                full: false,
            });
        }
    }
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let start = Instant::now();
    let bench = Bench {
        seeds: args.seeds,
        told: &|done, of| {
            bar.set_length(u64::try_from(of).unwrap_or(0));
            bar.set_position(u64::try_from(done).unwrap_or(0));
        },
        clock: Some(&|| start.elapsed().as_secs_f64() * 1000.0),
    };
    let rows = run_all(&scenarios, &specs, &bench).map_err(Failure::usage)?;
    bar.finish_and_clear();
    say(report::table(&rows).trim_end());
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(&rows).map_err(anyhow::Error::from)?;
        std::fs::write(file, text).with_context(|| file.display().to_string())?;
    }
    if let Some(file) = &args.svg {
        let lines = run_all(&scenarios, &report::frontier(), &bench).map_err(Failure::usage)?;
        bar.finish_and_clear();
        std::fs::write(file, report::svg(&rows, &lines))
            .with_context(|| file.display().to_string())?;
    }
    Ok(())
}
