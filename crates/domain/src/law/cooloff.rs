//! Cool-offs: what an event stops afterwards, and how long.

use super::caps::Case;
use super::finding::{Effect, Finding};
use super::local::{Side, date_of, day_start, monday_of, plus_days};
use super::pack::{
    After, BlockChannels, Cooloff, CooloffException, CooloffMode, LoadedPack, Pack, Scope, Until,
};
use super::text;
use super::windows::names;
use crate::entity::{BlockReason, Channel, LedgerKind, LedgerRow, Started};
use crate::time::{HOUR_MS, UtcMs};
use jiff::tz::TimeZone;

/// Hours without over-dialing a number that heard nobody, where no pack says (law.md §5).
pub(crate) const HOUSE_ABANDONED_BLOCK_H: u32 = 72;

const fn starts(after: After, row: &LedgerRow) -> bool {
    let talk = matches!(row.kind, LedgerKind::Conversation) || row.is_meeting();
    match after {
        After::Conversation => talk,
        After::DirectContact => talk || matches!(row.kind, LedgerKind::Reply),
        After::Abandoned => matches!(row.kind, LedgerKind::Abandoned),
    }
}

fn stops(rule: &Cooloff, channel: Channel, used: Channel) -> bool {
    match &rule.block_channels {
        BlockChannels::List(list) => names(list, channel),
        BlockChannels::Word(_) => channel != used,
    }
}

/// End of the cool-off that a row at `at` started, in one zone.
fn ends(rule: &Cooloff, at: UtcMs, tz: &TimeZone) -> UtcMs {
    if rule.until == Some(Until::EndOfWeekSunday) {
        return day_start(plus_days(monday_of(date_of(at, tz)), 7), tz, Side::Later);
    }
    let hours = i64::from(rule.block_h.unwrap_or(0));
    if rule.counts_day_of_event_as_day_1 {
        return day_start(plus_days(date_of(at, tz), hours / 24), tz, Side::Later);
    }
    at.plus_ms(hours * HOUR_MS)
}

/// Whether the debtor's recorded request for information opens this channel once: a request made
/// after the event, still open, and not used yet.
fn asked_for(case: &Case<'_>, rule: &Cooloff, event: &LedgerRow) -> bool {
    rule.exception == Some(CooloffException::InformationRequestedByDebtor)
        && case.facts.consents.iter().any(|c| {
            c.purpose == "information_request"
                && c.channel == case.channel
                && c.granted_at >= event.at
                && c.granted_at <= case.now
                && c.until.is_none_or(|t| case.now < t)
                && c.revoked_at.is_none_or(|t| case.now < t)
                && !case.facts.ledger.iter().any(|row| {
                    row.channel == case.channel
                        && row.kind != LedgerKind::Withdrawn
                        && row.at >= c.granted_at
                        && case.in_scope(Scope::Person, row, None)
                })
        })
}

/// What one cool-off says.
pub(crate) fn test(case: &Case<'_>, pack: &Pack, rule: &Cooloff) -> Option<(Finding, Started)> {
    let mut latest: Option<(UtcMs, &LedgerRow)> = None;
    for debt in case.passes(rule.scope) {
        for row in &case.facts.ledger {
            let fits = starts(rule.after, row)
                && stops(rule, case.channel, row.channel)
                && case.in_scope(rule.scope, row, debt)
                && !asked_for(case, rule, row);
            if !fits {
                continue;
            }
            for zone in case.zones {
                let until = ends(rule, row.at, &zone.zone.tz);
                if until > case.now && latest.is_none_or(|l| until > l.0) {
                    latest = Some((until, row));
                }
            }
        }
    }
    let (until, row) = latest?;
    let agent_only = rule.mode == Some(CooloffMode::AgentGuaranteedOnly);
    let effect = if agent_only {
        Effect::AgentOnly
    } else {
        Effect::Until(until)
    };
    let label = rule.source.as_deref().unwrap_or(&pack.name);
    let finding = Finding::new(
        BlockReason::Cap,
        effect,
        format!("{}/{}", pack.id, rule.id),
        words(case, label, rule.after, row, until, agent_only),
    );
    Some(started(finding, row, until))
}

/// A finding with the row that began what it is about.
fn started(finding: Finding, row: &LedgerRow, until: UtcMs) -> (Finding, Started) {
    let started = Started {
        rule: finding.rule.clone(),
        row: row.id,
        at: row.at,
        until,
    };
    (finding, started)
}

fn words(
    case: &Case<'_>,
    label: &str,
    after: After,
    row: &LedgerRow,
    until: UtcMs,
    agent_only: bool,
) -> (String, String) {
    let (event_es, event_en) = match after {
        After::Conversation => ("ya se habló con él", "he was spoken to"),
        After::DirectContact => ("ya hubo contacto directo", "there was direct contact"),
        After::Abandoned => (
            "contestó y no había agente",
            "he answered and no agent was there",
        ),
    };
    let (by_es, by_en) = text::by_channel(row.channel);
    let (end_es, end_en) = case.zones.first().map_or_else(
        || (until.to_string(), until.to_string()),
        |z| text::moment(until, &z.zone.tz),
    );
    if agent_only {
        return (
            format!("{label}: {event_es}; hasta el {end_es} solo con agente reservado"),
            format!("{label}: {event_en}; until {end_en} only with an agent reserved first"),
        );
    }
    let (chan_es, chan_en) = text::by_channel(case.channel);
    (
        format!("{label}: {event_es} {by_es}; no se puede {chan_es} hasta el {end_es}"),
        format!("{label}: {event_en} {by_en}; no contact {chan_en} until {end_en}"),
    )
}

/// The block on dialing a number again after it heard nobody: the longest of the packs, else the
/// house's; with an agent reserved first unless a pack says otherwise.
pub(crate) fn abandoned(case: &Case<'_>, packs: &[&LoadedPack]) -> Option<(Finding, Started)> {
    if case.channel != Channel::Call {
        return None;
    }
    let told = packs
        .iter()
        .filter_map(|p| {
            let rule = p.pack.abandonment.as_ref()?;
            Some((rule.retry_block_h?, &p.pack))
        })
        .max_by_key(|(hours, _)| *hours);
    let (hours, rule, label) = told.map_or_else(
        || {
            (
                HOUSE_ABANDONED_BLOCK_H,
                "house/abandoned".to_owned(),
                "regla de la casa",
            )
        },
        |(hours, pack)| {
            (
                hours,
                format!("{}/abandonment.retry_block", pack.id),
                pack.name.as_str(),
            )
        },
    );
    let row = case
        .facts
        .ledger
        .iter()
        .filter(|r| r.kind == LedgerKind::Abandoned && case.in_scope(Scope::Phone, r, None))
        .max_by_key(|r| r.at)?;
    let until = row.at.plus_ms(i64::from(hours) * HOUR_MS);
    (until > case.now).then(|| {
        let finding = Finding::new(
            BlockReason::Cap,
            Effect::AgentOnly,
            rule,
            words(case, label, After::Abandoned, row, until, true),
        );
        started(finding, row, until)
    })
}
