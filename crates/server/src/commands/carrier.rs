//! `marcador carrier`: the demo's carrier as a process of its own.

use crate::cli::CarrierArgs;
use anyhow::Context as _;
use sip_test::carrier::{Calls, Config, Profile, run as run_carrier};
use std::sync::Arc;
use std::time::Duration;

/// Runs until its time is over, a signal comes or, as the demo's child, the demo is gone.
pub(crate) async fn run(args: CarrierArgs) -> anyhow::Result<()> {
    let bind = args.bind.parse().context("--bind: expected ADDRESS:PORT")?;
    let mut profile = match &args.profile {
        Some(path) => Profile::load(path)?,
        None => crate::demo::tempo::profile()?,
    };
    profile.greets |= args.greets;
    let calls = args.calls.as_deref().map(Calls::load).transpose()?;
    let config = Config {
        seed: args.seed,
        profile: Some(profile),
        calls: calls.map(Arc::new),
        log: args.log,
        heard: args.heard,
        life: args.seconds.map(Duration::from_secs),
        until_stdin_closes: args.child,
        until_parent_ends: args.child,
        ..Config::new(bind)
    };
    run_carrier(config).await?;
    Ok(())
}
