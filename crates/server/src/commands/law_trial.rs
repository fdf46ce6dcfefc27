//! `marcador law dry-run|replay`: a pack on trial, and decisions made again.

use super::{read_config, say};
use crate::cli::ConfigArgs;
use crate::clock::system_now;
use crate::failure::Failure;
use anyhow::Context as _;
use center::dry_run::{DryAsk, DryProgress, DryRun};
use domain::ids::{ClientId, DebtorId};
use domain::law::{Replayed, pack};
use domain::ports::StoreError;
use domain::time::DAY_MS;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Between two words on how far a run is.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// Most decisions of one debtor that are made again.
const REPLAY_MAX: u32 = 10_000;

/// Judges what was done in the last days again with the pack.
pub(super) async fn dry_run(
    file: &Path,
    days: u16,
    client: Option<&str>,
    limit: u64,
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
    let store = crate::node::open_store(&config.database).await?;
    let until = system_now();
    let ask = DryAsk {
        client,
        since: until.plus_ms(-i64::from(days) * DAY_MS),
        until,
        limit,
    };
    let who = (read.id.as_str(), read.version.as_str());
    let progress = DryProgress::default();
    let run = center::dry_run::dry_run(&*store, &book, &trial, who, (ask, &progress));
    tell(&watched(run, &progress).await.map_err(anyhow::Error::from)?);
    Ok(())
}

/// A line to the error output.
fn note(text: impl AsRef<str>) {
    // Nobody reads it: that is the reader's choice.
    let _ = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
}

/// Says now and then how far a run is, on the error output: the result alone goes to the other.
async fn watched(
    run: impl Future<Output = Result<DryRun, StoreError>>,
    progress: &DryProgress,
) -> Result<DryRun, StoreError> {
    let mut run = std::pin::pin!(run);
    let mut told = tokio::time::interval(TOLD_EVERY);
    // Its first turn comes at once.
    told.tick().await;
    loop {
        tokio::select! {
            done = &mut run => return done,
            _ = told.tick() => {
                let (done, all) = (progress.done.load(Ordering::Relaxed), progress.all.load(Ordering::Relaxed));
                note(format!("{done} of {all} acts read"));
            }
        }
    }
}

fn tell(run: &DryRun) {
    let sampled = if run.every > 1 {
        format!(", one in {} (the limit), spread evenly", run.every)
    } else {
        String::new()
    };
    say(format!(
        "{} {} since {}: {} acts, {} judged again{sampled}, {} under the pack",
        run.pack, run.version, run.since, run.all, run.acts, run.concerned
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
            "  {} acts: {}: {} | {}",
            rule.acts, rule.rule, rule.es, rule.en
        ));
    }
    for of in &run.channels {
        say(format!(
            "  {}: {} of {}",
            of.channel, of.newly_blocked, of.concerned
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
    let store = crate::node::open_store(&config.database).await?;
    let stored = store
        .verdicts_of(id, REPLAY_MAX)
        .await
        .map_err(anyhow::Error::from)?;
    let mut different = 0_u64;
    for verdict in &stored {
        let facts = store.facts_at(id, verdict.facts_at()).await;
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
