//! Checks of a pack beyond its shape.

use super::{AbandonClock, CapWindow, Day, FormulaId, Pack, fault};
use crate::ValueError;
use crate::law::caller::{CONFIGURABLE, NO_MOBILE};
use crate::law::windows::parse_clock;
use crate::law::{CLIENT_LAYER, LEDGER_DAYS};
use crate::phone::NumberClass;
use jiff::civil::Date;

/// Longest cool-off in hours: the ledger handed to the engine goes back [`LEDGER_DAYS`] days.
const BLOCK_H_MAX: u32 = LEDGER_DAYS as u32 * 24;

pub(super) fn check(file: &str, pack: &Pack) -> Result<(), ValueError> {
    let is = |ok: bool, field: &str, reason: &str| {
        if ok {
            Ok(())
        } else {
            Err(fault(file, field, reason))
        }
    };
    is(
        pack.schema == super::PACK_SCHEMA,
        "schema",
        &format!("expected {}", super::PACK_SCHEMA),
    )?;
    is(
        !pack.id.trim().is_empty(),
        "id",
        "expected a short name, as co",
    )?;
    is(
        pack.id != CLIENT_LAYER,
        "id",
        "'client' is the layer of a client's contract",
    )?;
    is(
        !pack.version.trim().is_empty(),
        "version",
        "expected a version, as 2026.11.22",
    )?;
    is(
        pack.valid_to.is_none_or(|to| pack.valid_from <= to),
        "valid_to",
        "expected a date not before valid_from",
    )?;
    is(
        !pack.jurisdiction.is_empty(),
        "jurisdiction",
        "expected at least one, as CO or US-MA",
    )?;
    for place in &pack.jurisdiction {
        is(
            is_place(place),
            "jurisdiction",
            &format!("'{place}': expected CC or CC-SUB in capitals, as CO or US-MA"),
        )?;
    }
    is(
        pack.stacks_on.as_deref() != Some(pack.id.as_str()),
        "stacks_on",
        "a pack cannot stack on itself",
    )?;
    is(
        !pack.windows.is_empty(),
        "windows",
        "expected at least one window",
    )?;
    windows(file, pack)?;
    caps(file, pack)?;
    cooloffs(file, pack)?;
    caller_id(file, pack)?;
    inbound(file, pack)?;
    abandonment(file, pack)
}

/// The checks of what a client's contract has in common with a pack.
pub(crate) fn check_terms(file: &str, pack: &Pack) -> Result<(), ValueError> {
    windows(file, pack)?;
    caps(file, pack)
}

fn is_place(place: &str) -> bool {
    let (country, sub) = place
        .split_once('-')
        .map_or((place, None), |(c, s)| (c, Some(s)));
    country.len() == 2
        && country.bytes().all(|b| b.is_ascii_uppercase())
        && sub.is_none_or(|s| {
            (1..=3).contains(&s.len())
                && s.bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        })
}

fn windows(file: &str, pack: &Pack) -> Result<(), ValueError> {
    for (n, window) in pack.windows.iter().enumerate() {
        let field = |name: &str| format!("windows[{n}].{name}");
        if window.days.is_empty() {
            return Err(fault(
                file,
                &field("days"),
                "expected at least one of mon … sun",
            ));
        }
        if window.channels.is_empty() {
            return Err(fault(
                file,
                &field("channels"),
                "expected at least one channel",
            ));
        }
        let read = |name: &str, text: &str| {
            parse_clock(text).ok_or_else(|| {
                fault(
                    file,
                    &field(name),
                    &format!("'{text}': expected HH:MM, as 07:00"),
                )
            })
        };
        let (from, to) = (read("from", &window.from)?, read("to", &window.to)?);
        if from >= to {
            return Err(fault(
                file,
                &field("to"),
                "expected a time after from, on the same day",
            ));
        }
    }
    Ok(())
}

fn period(file: &str, field: &str, window: CapWindow) -> Result<(), ValueError> {
    let (ok, right) = match window {
        CapWindow::RollingDays(n) => (
            (1..=LEDGER_DAYS).contains(&n),
            format!("rolling_days: expected 1 to {LEDGER_DAYS}"),
        ),
        CapWindow::CalendarDay(n) => (n == 1, "calendar_day: expected 1".to_owned()),
        CapWindow::CalendarWeek(day) => (day == Day::Mon, "calendar_week: expected mon".to_owned()),
    };
    if ok {
        Ok(())
    } else {
        Err(fault(file, field, &right))
    }
}

fn caps(file: &str, pack: &Pack) -> Result<(), ValueError> {
    for (n, cap) in pack.caps.iter().enumerate() {
        let field = |name: &str| format!("caps[{n}].{name}");
        if pack.caps[..n].iter().any(|c| c.id == cap.id) {
            return Err(fault(
                file,
                &field("id"),
                &format!("'{}' stands twice", cap.id),
            ));
        }
        if cap.limit == 0 {
            return Err(fault(
                file,
                &field("limit"),
                "expected 1 or more; to forbid a channel leave it out of the windows",
            ));
        }
        if cap.channels.is_empty() {
            return Err(fault(
                file,
                &field("channels"),
                "expected at least one channel",
            ));
        }
        period(file, &field("window"), cap.window)?;
        if cap
            .min_gap_days
            .is_some_and(|d| !(1..=LEDGER_DAYS).contains(&d))
        {
            return Err(fault(
                file,
                &field("min_gap_days"),
                &format!("expected 1 to {LEDGER_DAYS}"),
            ));
        }
    }
    Ok(())
}

fn cooloffs(file: &str, pack: &Pack) -> Result<(), ValueError> {
    for (n, rule) in pack.cooloff.iter().enumerate() {
        let field = |name: &str| format!("cooloff[{n}].{name}");
        if rule.block_h.is_some() == rule.until.is_some() {
            return Err(fault(
                file,
                &field("block_h"),
                "expected either block_h or until",
            ));
        }
        if rule
            .block_h
            .is_some_and(|h| !(1..=BLOCK_H_MAX).contains(&h))
        {
            return Err(fault(
                file,
                &field("block_h"),
                &format!("expected 1 to {BLOCK_H_MAX}"),
            ));
        }
        if rule.counts_day_of_event_as_day_1 && rule.block_h.is_none_or(|h| h % 24 != 0) {
            return Err(fault(
                file,
                &field("counts_day_of_event_as_day_1"),
                "expected block_h in whole days (a multiple of 24)",
            ));
        }
    }
    Ok(())
}

/// A class nobody knows would be asked of no number; a date that cannot be read would be in force for ever.
fn caller_id(file: &str, pack: &Pack) -> Result<(), ValueError> {
    let Some(rule) = &pack.caller_id else {
        return Ok(());
    };
    if let Some(class) = rule.number_class.as_deref()
        && class != CONFIGURABLE
        && class.parse::<NumberClass>().is_err()
    {
        let known: Vec<&str> = NumberClass::ALL.iter().map(|c| c.as_str()).collect();
        let right = format!("'{class}': expected {CONFIGURABLE}, {}", known.join(", "));
        return Err(fault(file, "caller_id.number_class", &right));
    }
    if rule
        .since
        .as_deref()
        .is_some_and(|d| d.parse::<Date>().is_err())
    {
        return Err(fault(
            file,
            "caller_id.since",
            "expected a date, as 2025-08-13",
        ));
    }
    if rule
        .mobile_origin
        .as_deref()
        .is_some_and(|w| w != NO_MOBILE)
    {
        let right = format!("expected {NO_MOBILE}, or nothing");
        return Err(fault(file, "caller_id.mobile_origin", &right));
    }
    let digits = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit());
    if !rule.prefix.as_deref().is_none_or(digits) {
        return Err(fault(file, "caller_id.prefix", "expected digits, as 600"));
    }
    Ok(())
}

/// Half a duty would bind nobody; a date that cannot be read would be in force for ever.
fn inbound(file: &str, pack: &Pack) -> Result<(), ValueError> {
    let Some(rule) = &pack.inbound else {
        return Ok(());
    };
    let percent = |p: f64| p > 0.0 && p <= 100.0;
    if !rule.answered_percent_target.is_some_and(percent) {
        let right = "expected over 0 and at most 100";
        return Err(fault(file, "inbound.answered_percent_target", right));
    }
    if rule.within_s.is_none_or(|s| s == 0) {
        return Err(fault(file, "inbound.within_s", "expected 1 or more"));
    }
    let date = |d: &str| d.parse::<Date>().is_ok();
    if !rule.from.as_deref().is_none_or(date) {
        return Err(fault(
            file,
            "inbound.from",
            "expected a date, as 2026-12-28",
        ));
    }
    Ok(())
}

fn abandonment(file: &str, pack: &Pack) -> Result<(), ValueError> {
    let Some(rule) = &pack.abandonment else {
        return Ok(());
    };
    let percent = |p: f64| p > 0.0 && p <= 100.0;
    if !percent(rule.cap_percent) {
        return Err(fault(
            file,
            "abandonment.cap_percent",
            "expected over 0 and at most 100",
        ));
    }
    if rule
        .target_percent
        .is_some_and(|t| !percent(t) || t > rule.cap_percent)
    {
        return Err(fault(
            file,
            "abandonment.target_percent",
            "expected over 0 and at most cap_percent",
        ));
    }
    // The clock goes by the formula: a pack that says otherwise would say it in vain.
    let by_greeting = rule.clock == AbandonClock::EndOfGreeting;
    if by_greeting != (rule.formula_id == FormulaId::Tsr) {
        return Err(fault(
            file,
            "abandonment.clock",
            "expected end_of_greeting with formula tsr, and answer with any other",
        ));
    }
    if !(1..=60).contains(&rule.agent_within_s) {
        return Err(fault(
            file,
            "abandonment.agent_within_s",
            "expected 1 to 60 seconds",
        ));
    }
    if !(1..=120).contains(&rule.ring_min_s) {
        return Err(fault(
            file,
            "abandonment.ring_min_s",
            "expected 1 to 120 seconds",
        ));
    }
    if rule
        .retry_block_h
        .is_some_and(|h| !(1..=BLOCK_H_MAX).contains(&h))
    {
        return Err(fault(
            file,
            "abandonment.retry_block_h",
            &format!("expected 1 to {BLOCK_H_MAX}"),
        ));
    }
    period(file, "abandonment.window", rule.window)
}
