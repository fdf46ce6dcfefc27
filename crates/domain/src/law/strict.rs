//! Harder readings that can be switched on.

use super::caps::Case;
use super::client;
use super::finding::{Effect, Finding};
use super::local::{Side, date_of, day_start, monday_of, plus_days};
use super::pack::{Pack, Scope, StrictId};
use super::text;
use crate::entity::{BlockReason, LedgerKind, LedgerRow};
use crate::time::UtcMs;

/// What the pack's harder reading says, when it is switched on.
pub(crate) fn test(case: &Case<'_>, pack: &Pack) -> Vec<Finding> {
    match &pack.strict_mode {
        Some(strict) if strict.enabled || client::wants_strict(case.facts) => match strict.id {
            StrictId::SfcReading => sfc(case, pack),
        },
        _ => Vec::new(),
    }
}

/// From the first attempt on: one action a day, and no other channel in the week.
fn sfc(case: &Case<'_>, pack: &Pack) -> Vec<Finding> {
    let mut today: Option<(UtcMs, &LedgerRow)> = None;
    let mut week: Option<(UtcMs, &LedgerRow)> = None;
    let rows = case
        .facts
        .ledger
        .iter()
        // A visit that met nobody was made all the same.
        .filter(|r| r.kind == LedgerKind::Visit || r.reached_network != Some(false))
        .filter(|r| case.in_scope(Scope::CreditorPerson, r, None));
    for row in rows {
        for zone in case.zones {
            let tz = &zone.zone.tz;
            let date = date_of(row.at, tz);
            let day_end = day_start(plus_days(date, 1), tz, Side::Later);
            // What is planned for another day or week uses up that one.
            let begun = |first| day_start(first, tz, Side::Earlier) <= case.now;
            if begun(date) && day_end > case.now && today.is_none_or(|t| day_end > t.0) {
                today = Some((day_end, row));
            }
            let week_end = day_start(plus_days(monday_of(date), 7), tz, Side::Later);
            let other = row.channel != case.channel;
            if other
                && begun(monday_of(date))
                && week_end > case.now
                && week.is_none_or(|w| week_end > w.0)
            {
                week = Some((week_end, row));
            }
        }
    }
    let label = &pack.name;
    let mut found = Vec::new();
    if let Some((until, row)) = today {
        let (es, en) = text::by_channel(row.channel);
        found.push(Finding::new(
            BlockReason::Cap,
            Effect::Until(until),
            format!("{}/strict_mode/one_action_day", pack.id),
            (
                format!("{label} (lectura estricta): ya hubo una gestión hoy {es}"),
                format!("{label} (strict reading): there was an action today already, {en}"),
            ),
        ));
    }
    if let Some((until, row)) = week {
        let (es, en) = text::by_channel(row.channel);
        found.push(Finding::new(
            BlockReason::Cap,
            Effect::Until(until),
            format!("{}/strict_mode/one_channel_week", pack.id),
            (
                format!("{label} (lectura estricta): esta semana ya se usó otro canal ({es})"),
                format!("{label} (strict reading): another channel was used this week ({en})"),
            ),
        ));
    }
    found
}
