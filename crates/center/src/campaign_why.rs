//! Why the debtors of a campaign are not being dialed: counts by stored reason, and the rows behind each.

use crate::error::CenterError;
use crate::shared::Shared;
use crate::view::Problem;
use crate::words;
use domain::entity::{CampaignStatus, Verdict};
use domain::ids::{CampaignId, DebtorId};
use domain::ports::store::{ItemState, ReasonKey};
use domain::time::UtcMs;
use serde::Serialize;
use std::sync::Arc;

/// One reason with its count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhyCount {
    /// Stable key: `left.paid`, `later.blocked_cap`, `due.`, `hopper.`; asked with for the rows.
    pub key: String,
    /// In Spanish.
    pub es: String,
    /// In English.
    pub en: String,
    /// Debtors.
    pub debtors: u64,
    /// The first of them may be dialed at.
    pub next_at: Option<UtcMs>,
    /// Nothing was stored that says why: a fault of ours.
    pub unexplained: bool,
}

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CampaignWhy {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// Its status.
    pub status: CampaignStatus,
    /// Counted at.
    pub at: UtcMs,
    /// Debtors of the campaign.
    pub debtors: u64,
    /// Debtors who left or wait without a stored reason; none, when all is right.
    pub unexplained: u64,
    /// What holds the campaign itself back: nobody signed in, hours, lines.
    pub problems: Vec<WhyProblem>,
    /// Most debtors first.
    pub reasons: Vec<WhyCount>,
}

/// What holds the campaign back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhyProblem {
    /// Stable code.
    pub code: String,
    /// In Spanish.
    pub es: String,
    /// In English.
    pub en: String,
}

/// One debtor behind a count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhyRow {
    /// Debtor.
    pub debtor_id: DebtorId,
    /// The client's key of him.
    pub external_ref: String,
    /// Not before.
    pub next_at: UtcMs,
    /// Attempts in the campaign.
    pub attempts: i32,
    /// Last result.
    pub last_result: Option<String>,
    /// Stored note.
    pub note: String,
    /// First reason of the refusal that he waits for, in Spanish.
    pub es: Option<String>,
    /// In English.
    pub en: Option<String>,
}

/// Newest decisions on a debtor that are looked through for the one that his note tells of.
const DECISIONS_MAX: u32 = 32;

/// The refusal that an item waits for: the newest one of its reason, of its own campaign where there is one. What
/// another campaign or channel was refused for last says nothing of it.
fn refusal_of<'a>(item: &ItemState, newest: &'a [Verdict]) -> Option<&'a Verdict> {
    let same = |v: &&Verdict| v.blocked.is_some() && words::refusal(Some(v)) == item.note;
    let ours = |v: &&Verdict| v.campaign_id == Some(item.campaign_id);
    let own = newest.iter().filter(same).find(ours);
    own.or_else(|| newest.iter().find(same))
}

fn key_text(key: &ReasonKey) -> String {
    let place = match key {
        ReasonKey { done: true, .. } => "left",
        ReasonKey { leased: true, .. } => "hopper",
        ReasonKey { due: true, .. } => "due",
        ReasonKey { .. } => "later",
    };
    format!("{place}.{}", key.note)
}

/// The keys that a text stands for: a debtor who left or is in a hopper may be due or not.
fn keys_of(text: &str) -> Option<Vec<ReasonKey>> {
    let (place, note) = text.split_once('.')?;
    let key = |done, due, leased| ReasonKey {
        done,
        due,
        leased,
        note: note.to_owned(),
    };
    Some(match place {
        "left" => [(true, true), (true, false), (false, true), (false, false)]
            .into_iter()
            .map(|(due, leased)| key(true, due, leased))
            .collect(),
        "hopper" => vec![key(false, true, true), key(false, false, true)],
        "due" => vec![key(false, true, false)],
        "later" => vec![key(false, false, false)],
        _ => return None,
    })
}

fn words_of(key: &ReasonKey) -> (String, String) {
    let both = |(es, en): (&str, &str)| (es.to_owned(), en.to_owned());
    let note = words::note(&key.note);
    match (key.done, key.leased, key.due, note) {
        (true, _, _, Some(said)) => both(said),
        (true, _, _, None) => both(("salió de la campaña", "left the campaign")),
        (false, true, _, _) => both((
            "en la cola de marcación: es de los siguientes",
            "in the dialing queue: among the next",
        )),
        (false, false, true, Some((es, en))) => (
            format!("puede marcarse ya y espera su turno (antes: {es})"),
            format!("may be dialed now and waits for his turn (before: {en})"),
        ),
        (false, false, true, None) => both((
            "nunca marcado: espera su turno en el orden de la campaña",
            "never dialed: waits for his turn in the campaign's order",
        )),
        (false, false, false, Some(said)) => both(said),
        (false, false, false, None) => both(("espera", "waits")),
    }
}

/// A debtor who left, or waits for a later instant, must have a reason.
fn unexplained(key: &ReasonKey) -> bool {
    let silent = words::note(&key.note).is_none();
    silent && (key.done || (!key.due && !key.leased))
}

pub(crate) async fn counts(
    shared: Arc<Shared>,
    campaign: CampaignId,
) -> Result<CampaignWhy, CenterError> {
    let (store, now) = (&shared.out.store, shared.now());
    let row = store.get_campaign(campaign).await?;
    let counted = store.campaign_reasons(campaign, now).await?;
    let mut reasons: Vec<WhyCount> = Vec::new();
    for count in counted {
        let key = key_text(&count.key);
        if let Some(same) = reasons.iter_mut().find(|r| r.key == key) {
            same.debtors += count.debtors;
            same.next_at = [same.next_at, count.next_at].into_iter().flatten().min();
            continue;
        }
        let (es, en) = words_of(&count.key);
        reasons.push(WhyCount {
            key,
            es,
            en,
            debtors: count.debtors,
            next_at: count.next_at,
            unexplained: unexplained(&count.key),
        });
    }
    reasons.sort_by_key(|r| std::cmp::Reverse(r.debtors));
    let mut problems: Vec<Problem> = Vec::new();
    if let Some(status) = words::status(row.status) {
        problems.push(words::problem(row.status.as_str(), status));
    } else {
        problems = shared
            .post
            .call(move |engine, now| engine.problems(now, campaign))
            .await?;
    }
    Ok(CampaignWhy {
        campaign_id: campaign,
        status: row.status,
        at: now,
        debtors: reasons.iter().map(|r| r.debtors).sum(),
        unexplained: reasons
            .iter()
            .filter(|r| r.unexplained)
            .map(|r| r.debtors)
            .sum(),
        problems: problems
            .into_iter()
            .map(|p| WhyProblem {
                code: p.code.to_owned(),
                es: p.es,
                en: p.en,
            })
            .collect(),
        reasons,
    })
}

/// Rows behind a key, by debtor, after `after`.
pub(crate) async fn rows(
    shared: Arc<Shared>,
    campaign: CampaignId,
    key: String,
    after: Option<DebtorId>,
    limit: u32,
) -> Result<Vec<WhyRow>, CenterError> {
    let (store, now) = (&shared.out.store, shared.now());
    let keys = keys_of(&key).ok_or(CenterError::Invalid {
        code: "invalid",
        field: "reason",
        detail: "expected a key of the counts, as later.blocked_cap".into(),
    })?;
    let mut items: Vec<ItemState> = Vec::new();
    for key in &keys {
        items.extend(store.reason_rows(campaign, key, now, after, limit).await?);
    }
    items.sort_by_key(|i| i.debtor_id);
    items.truncate(limit as usize);
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        let debtor = store.get_debtor(item.debtor_id).await?;
        let newest = match item.note.starts_with("blocked_") {
            true => store.verdicts_of(item.debtor_id, DECISIONS_MAX).await?,
            false => Vec::new(),
        };
        let said = refusal_of(&item, &newest).and_then(Verdict::reason);
        found.push(WhyRow {
            debtor_id: item.debtor_id,
            external_ref: debtor.external_ref,
            next_at: item.next_at,
            attempts: item.attempts,
            last_result: item.last_result.map(|r| r.to_string()),
            es: said.map(|s| s.0.to_owned()),
            en: said.map(|s| s.1.to_owned()),
            note: item.note,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::entity::{BlockReason, Channel, CheckPoint, Decision};
    use domain::ids::VerdictId;
    use serde_json::json;
    use uuid::Uuid;

    fn refused(campaign: u128, blocked: Option<BlockReason>, en: &str) -> Verdict {
        let body = json!({
            "id": VerdictId(Uuid::from_u128(3)), "at": UtcMs(1), "check_point": CheckPoint::Hopper,
            "debtor_id": DebtorId(Uuid::from_u128(1)), "campaign_id": CampaignId(Uuid::from_u128(campaign)),
            "channel": Channel::Call, "decision": Decision::Deny.as_str(), "blocked": blocked,
            "rules": [{"rule": "co/x", "es": "x", "en": en, "refused": blocked.is_some()}],
            "packs": [], "zones": [], "counters": [],
        });
        serde_json::from_value(body).expect("a decision")
    }

    #[test]
    fn a_row_tells_of_its_own_refusal() {
        let (cap, hold) = (Some(BlockReason::Cap), Some(BlockReason::Hold));
        let item = |note: &str| ItemState {
            campaign_id: CampaignId(Uuid::from_u128(7)),
            debtor_id: DebtorId(Uuid::from_u128(1)),
            next_at: UtcMs(1),
            priority: 0,
            attempts: 0,
            last_result: None,
            next_point: None,
            done: false,
            note: note.to_owned(),
        };
        let newest = [
            refused(8, cap, "other, cap"),
            refused(7, None, "allowed"),
            refused(7, hold, "own, hold"),
            refused(7, cap, "own, cap"),
            refused(7, cap, "own, cap, long ago"),
        ];
        let said = |note: &str, of: &[Verdict]| {
            let found = refusal_of(&item(note), of).and_then(Verdict::reason);
            found.map(|(_, en)| en.to_owned())
        };
        assert_eq!(said("blocked_cap", &newest).as_deref(), Some("own, cap"));
        assert_eq!(said("blocked_hold", &newest).as_deref(), Some("own, hold"));
        assert_eq!(
            said("blocked_cap", &newest[..3]).as_deref(),
            Some("other, cap")
        );
        assert_eq!(said("blocked_window", &newest), None);
    }

    #[test]
    fn every_key_reads_back_and_what_has_no_reason_is_told() {
        for done in [true, false] {
            for due in [true, false] {
                for leased in [true, false] {
                    let key = ReasonKey {
                        done,
                        due,
                        leased,
                        note: "blocked_cap".into(),
                    };
                    let back = keys_of(&key_text(&key)).expect("a key");
                    assert!(back.contains(&key), "{key:?}");
                    assert!(!unexplained(&key));
                    let silent = ReasonKey {
                        note: String::new(),
                        ..key
                    };
                    assert_eq!(unexplained(&silent), done || (!due && !leased));
                }
            }
        }
        assert_eq!(keys_of("nowhere.paid"), None);
    }
}
