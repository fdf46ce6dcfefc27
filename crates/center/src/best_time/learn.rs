//! Learns who answers when from the campaign's own attempts, whichever node dialed them.

use super::Slot;
use super::history::{CALLS_MAX, Histories, traits_of};
use crate::live::Setting;
use crate::shared::Shared;
use domain::answer::{Observation, TryResult};
use domain::entity::{Attempt, AttemptState, Direction};
use domain::ids::DebtorId;
use domain::ports::store::{AttemptFilter, PageRequest, StoreError};
use domain::time::{DAY_MS, MINUTE_MS, UtcMs};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// An attempt is learned from this long after it began, ms: by then it is over and disposed.
const SETTLED_MS: i64 = 30 * MINUTE_MS;
/// Least time between two readings of a campaign's attempts, ms.
const LEARN_EVERY_MS: i64 = 5 * MINUTE_MS;
/// How far back the first reading goes, ms: one and a half half-lives of the levels.
const LEARN_BACK_MS: i64 = 45 * DAY_MS;
/// How far before a call the one before it to the same point is looked for, ms: longer ago it says nothing.
const BEFORE_MS: i64 = 7 * DAY_MS;
/// Rows of a page of attempts.
const PAGE: u32 = 500;
/// Most pages of one reading; the next one goes on from there.
const PAGES_MAX: usize = 20;

/// What came of an attempt; `None` when it says nothing about the person (still open, withdrawn, blocked,
/// never at the number). The slot is of the campaign's zone: an attempt's row has no other.
fn outcome(attempt: &Attempt, known: &Histories, zone: &TimeZone) -> Option<Observation> {
    let ours = attempt.direction == Direction::Outbound;
    let left = attempt.state == AttemptState::Ended && attempt.invite_at.is_some();
    let identified = attempt.identity_at.is_some();
    let code = attempt.disposition.as_deref();
    let result = attempt.result.filter(|_| ours && left)?;
    let result = TryResult::of(result, identified, code)?;
    let around = known.around((attempt.point_id, attempt.id), zone);
    Some(Observation {
        campaign: attempt.campaign_id,
        at: attempt.opened_at,
        slot: Slot::at(attempt.opened_at, zone),
        result,
        traits: around.as_ref().map(|(call, _)| traits_of(call)),
        last: around.and_then(|(_, last)| last),
        forecast: None,
    })
}

/// What a page of attempts tells, with whom each was for.
async fn told(
    shared: &Shared,
    rows: &[Attempt],
    zone: &TimeZone,
) -> Result<Vec<(DebtorId, Observation)>, StoreError> {
    let Some(first) = rows.iter().map(|row| row.opened_at).min() else {
        return Ok(Vec::new());
    };
    let debtors: BTreeSet<DebtorId> = rows.iter().map(|row| row.debtor_id).collect();
    let debtors: Vec<DebtorId> = debtors.into_iter().collect();
    let since = first.plus_ms(-BEFORE_MS);
    let store = &shared.out.store;
    let known = Histories::of(store.past_calls(&debtors, since, CALLS_MAX).await?);
    let one = |row: &Attempt| Some((row.debtor_id, outcome(row, &known, zone)?));
    Ok(rows.iter().filter_map(one).collect())
}

/// Learns from the campaign's attempts that settled since the last reading: a paged query a campaign and
/// some minutes, and one for the calls before those of a page.
pub(crate) async fn learn(shared: &Shared, setting: &Setting) -> Result<(), StoreError> {
    let (client, campaign, now) = (setting.client.id, setting.id(), shared.now());
    let known = &shared.answers;
    let from = known
        .with(client, |k| k.read.get(&campaign).copied())
        .unwrap_or(now.plus_ms(-LEARN_BACK_MS));
    let mut to = now.plus_ms(-SETTLED_MS);
    if to.since_ms(from) < LEARN_EVERY_MS {
        return Ok(());
    }
    let filter = AttemptFilter {
        campaign_id: Some(campaign),
        since: Some(from),
        ..AttemptFilter::default()
    };
    let mut page = PageRequest {
        limit: PAGE,
        cursor: None,
    };
    let mut seen: Vec<(DebtorId, Observation)> = Vec::new();
    let mut newest: Option<UtcMs> = None;
    for _ in 0..PAGES_MAX {
        let got = shared.out.store.list_attempts(&filter, &page).await?;
        newest = got.items.last().map(|row| row.opened_at).or(newest);
        seen.extend(told(shared, &got.items, &setting.zone).await?);
        page.cursor = got.next_cursor;
        if page.cursor.is_none() || newest.is_some_and(|at| at >= to) {
            break;
        }
    }
    if let (Some(_), Some(newest)) = (&page.cursor, newest) {
        to = to.min(newest);
    }
    seen.retain(|(_, one)| one.at < to);
    known.with(client, |k| {
        if k.read.get(&campaign).is_some_and(|read| *read != from) {
            // Another feeding of this campaign read the same rows meanwhile.
            return;
        }
        let mut learned = Vec::with_capacity(seen.len());
        for (debtor, mut one) in seen {
            one.forecast = k.forecast_for(debtor, one.at);
            learned.push(one);
        }
        k.model.learn(&learned);
        k.read.insert(campaign, to);
    });
    Ok(())
}
