//! `marcador law check|explain`; the others are `law_trial`'s.

use super::{read_config, say};
use crate::cli::{ConfigArgs, LawCommand};
use crate::clock::{NodeClock, RandomIds, system_now};
use crate::failure::Failure;
use anyhow::Context as _;
use domain::entity::{CampaignParams, Channel, CheckPoint, Verdict};
use domain::ids::{DebtorId, PointId, VerdictId};
use domain::law::{Action, EMBEDDED_PACKS, Judge as _, RuleBook, points_then};
use domain::ports::{Clock as _, IdSource as _};
use domain::time::{SECOND_MS, UtcMs};
use std::path::{Path, PathBuf};

/// Most decisions of a debtor that are asked how his points stood at an instant.
const DECISIONS_MAX: u32 = 1_000;

/// Carries it out.
pub(crate) async fn run(what: LawCommand) -> Result<(), Failure> {
    match what {
        LawCommand::Check { packs, config } => check(&packs, &config),
        LawCommand::Explain { debtor, at, config } => {
            explain(&debtor, at.as_deref(), &config).await
        }
        LawCommand::DryRun {
            pack,
            days,
            client,
            limit,
            config,
        } => super::law_trial::dry_run(&pack, days, client.as_deref(), limit, &config).await,
        LawCommand::Replay { debtor, config } => super::law_trial::replay(&debtor, &config).await,
    }
}

/// Text of a pack: a file's, or by its id that of the configured folder or of those compiled in.
fn pack_text(file: &Path, args: &ConfigArgs) -> Result<(String, String), Failure> {
    let id = file.to_string_lossy();
    let plain = !id.is_empty() && !id.contains(['/', '\\', '.']);
    if !plain || file.is_file() {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string());
        return Ok((name.into_owned(), text.map_err(Failure::usage)?));
    }
    let (name, law) = (format!("{id}.json"), read_config(args)?.law);
    let own = Path::new(&law.packs).join(&name);
    if !law.packs.is_empty() && own.is_file() {
        let text = std::fs::read_to_string(&own).with_context(|| own.display().to_string());
        return Ok((name, text.map_err(Failure::usage)?));
    }
    if let Some((_, text)) = EMBEDDED_PACKS.iter().find(|(n, _)| *n == name) {
        return Ok((name, (*text).to_owned()));
    }
    let ids: Vec<&str> = EMBEDDED_PACKS
        .iter()
        .map(|(n, _)| n.trim_end_matches(".json"))
        .collect();
    let place = match law.packs.as_str() {
        "" => "no [law] packs is configured".to_owned(),
        folder => format!("{name} is not in the folder [law] packs = {folder}"),
    };
    Err(Failure::usage(anyhow::anyhow!(
        "no file and no pack '{id}': {place}; compiled in are {}",
        ids.join(", ")
    )))
}

fn check(files: &[PathBuf], args: &ConfigArgs) -> Result<(), Failure> {
    let book = RuleBook::embedded().map_err(anyhow::Error::from)?;
    let mut faults = 0;
    for file in files {
        let (name, text) = pack_text(file, args)?;
        match book.check(&name, &text, system_now()) {
            Ok(pack) => {
                let unjudged = if pack.unjudged.is_empty() {
                    String::new()
                } else {
                    format!(
                        "; nothing holds anybody to it, so the house floor does: {}",
                        pack.unjudged.join(", ")
                    )
                };
                let signed = if pack.signed {
                    "signed"
                } else {
                    "not signed by a lawyer"
                };
                let overdue = if pack.overdue {
                    format!(", review overdue since {}", pack.review_by)
                } else {
                    String::new()
                };
                say(format!(
                    "{}: {} {} is whole, {signed}{overdue}{unjudged}",
                    file.display(),
                    pack.id,
                    pack.version
                ));
                for (field, why) in &pack.beside {
                    say(format!("  {field} changes nothing: {why}"));
                }
            }
            Err(error) => {
                faults += 1;
                say(format!("{}: {error}", file.display()));
            }
        }
    }
    if faults > 0 {
        return Err(Failure::Failed(anyhow::anyhow!(
            "{faults} of {} packs have a fault",
            files.len()
        )));
    }
    Ok(())
}

async fn explain(debtor: &str, at: Option<&str>, args: &ConfigArgs) -> Result<(), Failure> {
    let id: DebtorId = debtor.parse().map_err(Failure::usage)?;
    let config = read_config(args)?;
    let store = crate::node::open_store(&config.database).await?;
    let clock = NodeClock::system();
    let now: UtcMs = match at {
        Some(text) => text.parse().context("--at").map_err(Failure::usage)?,
        None => clock.now(),
    };
    let book = crate::node::rule_book(&config.law)?;
    let facts = match at {
        Some(_) => store.facts_at(id, now).await,
        None => store.contact_facts(id, now).await,
    };
    let mut facts = facts.map_err(anyhow::Error::from)?;
    if at.is_some() {
        let decisions = store.verdicts_of(id, DECISIONS_MAX).await;
        points_then(&mut facts, &decisions.map_err(anyhow::Error::from)?, now);
    }
    let params = CampaignParams::default();
    let action = |point_id: Option<PointId>| Action {
        verdict_id: VerdictId(RandomIds.next(now)),
        check_point: CheckPoint::Manual,
        channel: Channel::Call,
        point_id,
        campaign_id: None,
        campaign_window: None,
        attempts_per_day: None,
        circumstances: domain::entity::Circumstances::default(),
        ring_timeout_ms: params.ring_timeout_s * SECOND_MS,
        agent_reserved: true,
        now,
    };
    // Of a call is asked: an address of e-mail cannot be called.
    let phones = facts.points.iter().filter(|p| p.channel == Channel::Call);
    let mut points: Vec<Option<PointId>> = phones.map(|p| Some(p.id)).collect();
    if points.is_empty() {
        points.push(None);
    }
    for point in points {
        tell(&book.judge(&facts, &action(point)));
    }
    Ok(())
}

fn tell(verdict: &Verdict) {
    let point = verdict
        .point_id
        .map_or_else(|| "no phone".to_owned(), |p| format!("point {p}"));
    say(format!(
        "{point} at {}: {}",
        verdict.at,
        verdict.decision.as_str()
    ));
    for pack in &verdict.packs {
        say(format!("  pack {} {}", pack.id, pack.version));
    }
    for zone in &verdict.zones {
        say(format!(
            "  zone {} ({}): {}",
            zone.zone, zone.evidence, zone.local
        ));
    }
    for rule in &verdict.rules {
        let mark = if rule.refused { "refused" } else { "passed" };
        say(format!("  {mark} {}: {} | {}", rule.rule, rule.es, rule.en));
    }
    for counter in &verdict.counters {
        say(format!(
            "  {}: {} of {} from {} to {}",
            counter.rule, counter.value, counter.limit, counter.from, counter.to
        ));
    }
    tell_record(verdict);
    if let Some(next) = verdict.next_legal_at {
        say(format!("  next lawful instant: {next}"));
    }
}

/// What started the rests and gaps in the way, what was relaxed, and which versions of tables were read.
fn tell_record(verdict: &Verdict) {
    let Some(record) = &verdict.record else {
        return;
    };
    for rest in &record.started {
        say(format!(
            "  {} began with ledger row {} at {}, ends at {}",
            rest.rule, rest.row, rest.at, rest.until
        ));
    }
    for over in &record.overrides {
        say(format!(
            "  {} relaxed by {} ({}): {}",
            over.rule, over.by, over.right, over.reason
        ));
    }
    say(format!(
        "  holidays {}, prefixes {}, zones {}",
        record.calendars, record.prefixes, record.zone_data
    ));
}
