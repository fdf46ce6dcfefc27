//! `marcador law dry-run|replay`: a pack on trial, and decisions made again.

use super::{read_config, say};
use crate::cli::ConfigArgs;
use crate::clock::system_now;
use crate::failure::Failure;
use anyhow::Context as _;
use center::dry_run::{DRY_RUN_MAX, DryAsk, DryRun};
use domain::ids::{ClientId, DebtorId};
use domain::law::{Replayed, pack};
use domain::time::DAY_MS;
use std::path::Path;

/// Most decisions of one debtor that are made again.
const REPLAY_MAX: u32 = 10_000;

/// Judges the calls of the last days again with the pack.
pub(super) async fn dry_run(
    file: &Path,
    days: u16,
    client: Option<&str>,
    args: &ConfigArgs,
) -> Result<(), Failure> {
    let client: Option<ClientId> = client
        .map(str::parse)
        .transpose()
        .context("--client")
        .map_err(Failure::usage)?;
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string());
    let text = text.map_err(Failure::usage)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let config = read_config(args)?;
    let book = crate::node::rule_book(&config.law)?;
    let read = pack::parse(&name, &text).map_err(anyhow::Error::from)?;
    let trial = book.trial(&name, &text).map_err(anyhow::Error::from)?;
    let store = crate::node::open_store(&config.database.url).await?;
    let ask = DryAsk {
        client,
        since: system_now().plus_ms(-i64::from(days) * DAY_MS),
        limit: DRY_RUN_MAX,
    };
    let who = (read.id.as_str(), read.version.as_str());
    let run = center::dry_run::dry_run(&*store, &book, &trial, who, ask).await;
    tell(&run.map_err(anyhow::Error::from)?);
    Ok(())
}

fn tell(run: &DryRun) {
    let cut = if run.cut_off {
        " (the limit: later calls were not read)"
    } else {
        ""
    };
    say(format!(
        "{} {} since {}: {} calls read{cut}, {} under the pack",
        run.pack, run.version, run.since, run.attempts, run.concerned
    ));
    say(format!(
        "stopped that were allowed {}, only with an agent first {}, allowed that were stopped {}, \
            stopped either way {}",
        run.newly_blocked,
        run.newly_agent_only,
        run.newly_allowed,
        run.blocked_before - run.newly_allowed
    ));
    for rule in &run.rules {
        say(format!(
            "  {} calls: {}: {} | {}",
            rule.attempts, rule.rule, rule.es, rule.en
        ));
    }
    for day in run.days.iter().filter(|d| d.newly_blocked > 0) {
        say(format!(
            "  {}: {} of {}",
            day.from, day.newly_blocked, day.concerned
        ));
    }
}

/// Makes every stored decision of a debtor again.
pub(super) async fn replay(debtor: &str, args: &ConfigArgs) -> Result<(), Failure> {
    let id: DebtorId = debtor.parse().map_err(Failure::usage)?;
    let config = read_config(args)?;
    let book = crate::node::rule_book(&config.law)?;
    let store = crate::node::open_store(&config.database.url).await?;
    let stored = store
        .verdicts_of(id, REPLAY_MAX)
        .await
        .map_err(anyhow::Error::from)?;
    let mut different = 0_u64;
    for verdict in &stored {
        let facts = store.facts_at(id, verdict.at).await;
        let again = Replayed::of(&book, &facts.map_err(anyhow::Error::from)?, verdict);
        if !again.same {
            different += 1;
            say(format!(
                "{} at {}: {}",
                verdict.id,
                verdict.at,
                again.differences.join("; ")
            ));
        }
    }
    let chain = store.verdict_chain(id).await.map_err(anyhow::Error::from)?;
    let broken = chain
        .windows(2)
        .filter(|pair| pair[1].prev_hash != pair[0].hash)
        .count()
        + chain.iter().filter(|l| !l.whole).count();
    say(format!(
        "{} decisions made again, {different} differ; chain of {}, {broken} broken links",
        stored.len(),
        chain.len()
    ));
    if different > 0 || broken > 0 {
        return Err(Failure::Failed(anyhow::anyhow!(
            "{different} decisions differ, {broken} links are broken"
        )));
    }
    Ok(())
}
