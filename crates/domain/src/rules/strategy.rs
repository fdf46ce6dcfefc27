//! Strategies: when a step is due, which arm a debtor belongs to, and what a strategy must hold to.

use crate::entity::{Channel, PlannedState, PlannedStep, StepAction, Strategy, StrategyStep};
use crate::ids::{DebtorId, StrategyId};
use crate::ports::store::{CALLBACK_PRIORITY, ItemState};
use crate::time::{DAY_MS, UtcMs};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};

/// Most steps of a strategy.
pub const STEPS_MAX: usize = 40;
/// Priority of a debtor whom a strategy calls: behind call-backs, before broken promises.
pub const CALL_PRIORITY: i32 = 15;
/// Furthest step from its date, days, before and after.
pub const OFFSET_MAX: i32 = 365;
/// Longest key of a step, characters.
pub const KEY_MAX: usize = 40;

/// What is wrong with a strategy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("step {step}: {reason}")]
pub struct StrategyFault {
    /// Number of the step, 1 first; 0 = the strategy itself.
    pub step: usize,
    /// What is wrong, and what would be right.
    pub reason: String,
}

fn step_fault(step: &StrategyStep) -> Option<String> {
    let key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if step.key.is_empty() || step.key.len() > KEY_MAX || !step.key.chars().all(key) {
        return Some(format!(
            "key: expected 1 to {KEY_MAX} of a-z, 0-9, dash, underscore"
        ));
    }
    if step.offset_days.abs() > OFFSET_MAX {
        return Some(format!(
            "offset_days: expected -{OFFSET_MAX} to {OFFSET_MAX}"
        ));
    }
    if clock(&step.at).is_none() {
        return Some("at: expected HH:MM".to_owned());
    }
    match step.action {
        StepAction::Message => {
            let sendable =
                |c: &Channel| matches!(c, Channel::Sms | Channel::Whatsapp | Channel::Email);
            if step.channels.is_empty() || !step.channels.iter().all(sendable) {
                return Some("channels: expected one or more of sms, whatsapp, email".to_owned());
            }
            step.template
                .is_empty()
                .then(|| "template: expected the name of a template".to_owned())
        }
        StepAction::Call => step
            .campaign_id
            .is_none()
            .then(|| "campaign_id: expected the campaign that calls".to_owned()),
        StepAction::Letter | StepAction::Review | StepAction::HandOver => None,
    }
}

/// Checks a strategy that is to be saved.
///
/// # Errors
/// The first fault.
pub fn check(strategy: &Strategy) -> Result<(), StrategyFault> {
    let fault = |step, reason: String| Err(StrategyFault { step, reason });
    if strategy.steps.is_empty() || strategy.steps.len() > STEPS_MAX {
        return fault(0, format!("expected 1 to {STEPS_MAX} steps"));
    }
    for (n, step) in strategy.steps.iter().enumerate() {
        if let Some(reason) = step_fault(step) {
            return fault(n + 1, reason);
        }
        if strategy.steps[..n].iter().any(|s| s.key == step.key) {
            return fault(n + 1, "key: another step has it".to_owned());
        }
    }
    let challenges = strategy.champion_id.is_some();
    if challenges && !(1..=99).contains(&strategy.share_pct) {
        return fault(0, "share_pct: expected 1 to 99 for a challenger".to_owned());
    }
    if strategy.champion_id == Some(strategy.id) {
        return fault(
            0,
            "champion_id: a strategy cannot challenge itself".to_owned(),
        );
    }
    Ok(())
}

fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two = |t: &str| (t.len() == 2).then(|| t.parse::<i8>().ok()).flatten();
    Time::new(two(hour)?, two(minute)?, 0, 0).ok()
}

/// The instant of a step for a date in the debtor's zone; a time that the zone leaves out is the first one
/// behind it. `None` when the date or the time cannot be read.
#[must_use]
pub fn due_at(step: &StrategyStep, date: &str, zone: &TimeZone) -> Option<UtcMs> {
    let date: Date = date.parse().ok()?;
    let span = jiff::Span::new().try_days(step.offset_days).ok()?;
    let day = date.checked_add(span).ok()?;
    let at = day
        .to_datetime(clock(&step.at)?)
        .to_zoned(zone.clone())
        .ok()?;
    Some(at.timestamp().into())
}

/// The date of a day since 1970, `YYYY-MM-DD`.
#[must_use]
pub fn date_of_day(day: i64) -> String {
    let midnight = UtcMs(day.saturating_mul(DAY_MS));
    midnight.in_zone(&TimeZone::UTC).strftime("%F").to_string()
}

/// Which strategy works a debtor: the champion, or the challenger in whose share he falls. The split is by
/// a hash of both: it is the same each time, on each node, and for each of his debts.
#[must_use]
pub fn arm(
    debtor: DebtorId,
    champion: StrategyId,
    challengers: &[(StrategyId, i32)],
) -> StrategyId {
    let mut hash = Sha256::new();
    hash.update(champion.0.as_bytes());
    hash.update(debtor.0.as_bytes());
    let digest = hash.finalize();
    let place =
        (u32::from(digest[0]) << 16 | u32::from(digest[1]) << 8 | u32::from(digest[2])) % 100;
    let mut end = 0;
    for (id, share) in challengers {
        end += u32::try_from(*share).unwrap_or(0);
        if place < end {
            return *id;
        }
    }
    champion
}

/// Where a debtor stands in his campaign once a step calls him; the dialer asks the law when it dials. What an
/// agent has agreed with him stands before what a strategy would like.
///
/// # Errors
/// Why he is not called.
pub fn called(
    found: Option<ItemState>,
    step: &PlannedStep,
    now: UtcMs,
) -> Result<ItemState, &'static str> {
    let campaign_id = step.campaign_id.ok_or("no_campaign")?;
    let item = match found {
        Some(item) if item.done => return Err("left_campaign"),
        Some(item) if item.priority >= CALLBACK_PRIORITY && item.note.starts_with("callback") => {
            return Err("callback_agreed");
        }
        Some(item) => item,
        None => ItemState {
            campaign_id,
            debtor_id: step.debtor_id,
            next_at: now,
            priority: 0,
            attempts: 0,
            last_result: None,
            next_point: None,
            done: false,
            note: String::new(),
        },
    };
    Ok(ItemState {
        priority: item.priority.max(CALL_PRIORITY),
        next_at: item.next_at.min(now),
        ..item
    })
}

/// A call step once it is decided.
#[must_use]
pub fn ended_call(step: &PlannedStep, refused: Option<&str>, now: UtcMs) -> PlannedStep {
    PlannedStep {
        state: refused.map_or(PlannedState::Done, |_| PlannedState::Refused),
        reason: refused.unwrap_or_default().to_owned(),
        ended_at: Some(now),
        ended_by: "system".to_owned(),
        ..step.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::zone;
    use uuid::Uuid;

    fn step(offset_days: i32, at: &str) -> StrategyStep {
        StrategyStep {
            key: "a".into(),
            offset_days,
            at: at.into(),
            action: StepAction::Review,
            channels: vec![],
            template: String::new(),
            tone: None,
            campaign_id: None,
            letter: None,
            note: String::new(),
        }
    }

    #[test]
    fn a_step_is_due_in_the_debtor_s_zone_row_04() {
        let mexico = zone("America/Mexico_City").unwrap();
        let madrid = zone("Europe/Madrid").unwrap();
        let at = |s: &StrategyStep, z| due_at(s, "2026-12-01", z).unwrap().to_string();
        assert_eq!(at(&step(-1, "10:00"), &mexico), "2026-11-30T16:00:00.000Z");
        assert_eq!(at(&step(-1, "10:00"), &madrid), "2026-11-30T09:00:00.000Z");
        assert_eq!(at(&step(3, "09:30"), &mexico), "2026-12-04T15:30:00.000Z");
        assert_eq!(due_at(&step(0, "9:30"), "2026-12-01", &mexico), None);
        assert_eq!(due_at(&step(0, "09:30"), "1/12/2026", &mexico), None);
    }

    #[test]
    fn days_and_dates() {
        assert_eq!(date_of_day(0), "1970-01-01");
        let day = crate::segment::day_of_date("2028-02-29").unwrap();
        assert_eq!(date_of_day(day), "2028-02-29");
    }

    #[test]
    fn the_split_is_stable_and_near_its_share_row_14() {
        let id = |n: u128| StrategyId(Uuid::from_u128(n));
        let shares = [(id(2), 30), (id(3), 10)];
        let mut counts = [0_u32; 3];
        for n in 0..10_000_u128 {
            let debtor = DebtorId(Uuid::from_u128(n << 40));
            let first = arm(debtor, id(1), &shares);
            assert_eq!(first, arm(debtor, id(1), &shares));
            counts[usize::try_from(first.0.as_u128() - 1).unwrap()] += 1;
        }
        // Four standard deviations of a binomial at 10,000 draws.
        assert!(counts[1].abs_diff(3_000) < 184, "{counts:?}");
        assert!(counts[2].abs_diff(1_000) < 120, "{counts:?}");
    }
}
