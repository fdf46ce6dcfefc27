//! What is known of a debt when its stage is asked about.

use super::Tables;
use super::segment_rows::days_of;
use super::stages::open;
use domain::entity::{
    Debt, DebtStage, EvidenceHeld, HoldKind, LedgerKind, LetterLevel, PromiseState, Stage,
};
use domain::ids::ClientId;
use domain::ports::store::StageCounts;
use domain::segment::{day_of_date, utc_day};
use domain::time::UtcMs;
use std::collections::BTreeSet;

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

pub(super) fn counts(t: &Tables, debt: &Debt, now: UtcMs) -> StageCounts {
    let of_debtor = || t.ledger.iter().filter(|l| l.debtor_id == debt.debtor_id);
    let promises = |state: PromiseState| {
        let of = |p: &&domain::entity::Promise| p.debt_id == debt.id && p.state == state;
        count(t.promises.values().filter(of).count())
    };
    let stops = [
        HoldKind::Dispute,
        HoldKind::Represented,
        HoldKind::Insolvency,
        HoldKind::Deceased,
        HoldKind::Moratorium,
        HoldKind::Minor,
    ];
    let done = of_debtor().filter(|l| l.kind != LedgerKind::Withdrawn && l.at <= now);
    let channels: BTreeSet<_> = done.map(|l| l.channel).collect();
    StageCounts {
        attempts: count(
            t.attempts
                .values()
                .filter(|a| a.debtor_id == debt.debtor_id && a.invite_at.is_some())
                .count(),
        ),
        conversations: count(
            of_debtor()
                .filter(|l| l.kind == LedgerKind::Conversation)
                .count(),
        ),
        channels: count(channels.len()),
        broken_promises: promises(PromiseState::Broken),
        agreed: promises(PromiseState::Active) > 0
            || t.plans
                .values()
                .any(|p| p.debt_id == debt.id && p.state.runs()),
        held: t.holds.values().any(|h| {
            h.debtor_id == debt.debtor_id
                && h.lifted_at.is_none()
                && h.from <= now
                && h.until.is_none_or(|u| u > now)
                && h.debt_id.is_none_or(|d| d == debt.id)
                && stops.contains(&h.kind)
        }),
        evidence: evidence(t, debt),
    }
}

fn evidence(t: &Tables, debt: &Debt) -> EvidenceHeld {
    let debtor = t.debtors.get(&debt.debtor_id);
    let mut addresses = t.addresses.values();
    let mut points = t.points.values();
    let demands = |level: LetterLevel| matches!(level, LetterLevel::L3 | LetterLevel::L4);
    EvidenceHeld {
        identity: debtor.is_some_and(|d| !d.document.reveal().is_empty()),
        address: addresses.any(|a| a.debtor_id == debt.debtor_id && !a.bad),
        contact: points.any(|p| p.debtor_id == debt.debtor_id && !p.bad && p.last_rpc_at.is_some()),
        items: t.debt_items.get(&debt.id).is_some_and(|i| !i.is_empty()),
        demand: t
            .letters
            .values()
            .any(|l| l.debt_id == debt.id && demands(l.level)),
        agreement: t
            .plans
            .values()
            .any(|p| p.debt_id == debt.id && p.accepted_channel.is_some()),
    }
}

/// Whether the debt's statute date is the one that somebody was told is near.
pub(super) fn told_near(t: &Tables, row: &DebtStage) -> bool {
    let date = t.debts.get(&row.debt_id).map(|d| &d.statute_date);
    row.statute_told.is_some() && date == Some(&row.statute_told)
}

pub(super) fn near(
    t: &Tables,
    client: ClientId,
    now: UtcMs,
    ahead: &[(Stage, i64)],
    limit: u32,
) -> Vec<(DebtStage, String)> {
    let days = days_of(t, client, now);
    let mut found: Vec<(i64, DebtStage, String)> = Vec::new();
    for row in t.stages.values().filter(|s| s.client_id == client) {
        let Some(debt) = t.debts.get(&row.debt_id).filter(|d| open(t, d.id)) else {
            continue;
        };
        let Some(date) = debt.statute_date.clone() else {
            continue;
        };
        let Some(day) = day_of_date(&date) else {
            continue;
        };
        let today = days.get(&debt.portfolio_id).copied();
        let today = today.unwrap_or(utc_day(now));
        let most = ahead.iter().find(|(stage, _)| *stage == row.stage);
        let near = most.is_some_and(|(_, most)| (0..=*most).contains(&(day - today)));
        if near && row.statute_told.as_ref() != Some(&date) {
            found.push((day, row.clone(), date));
        }
    }
    found.sort_by_key(|(day, row, _)| (*day, row.debt_id));
    found.truncate(limit as usize);
    let plain = found.into_iter().map(|(_, row, date)| (row, date));
    plain.collect()
}
