//! Caps and least gaps over the contact ledger. A row whose fate is unknown counts.

use super::finding::{Effect, Finding};
use super::local::{Side, date_of, day_start, monday_of, plus_days};
use super::pack::{Cap, CapPoint, CapWindow, Counts, Exclusion, Pack, Scope};
use super::text;
use super::windows::names;
use super::zones::Candidate;
use crate::entity::{
    BlockReason, Channel, Consent, ContactPoint, CounterCheck, LedgerKind, LedgerRow, LeftOut,
    PartyRole, PointClass, Started,
};
use crate::ids::{AttemptId, DebtId, LedgerId};
use crate::ports::store::ContactFacts;
use crate::time::{DAY_MS, UtcMs};
use jiff::tz::TimeZone;

/// Days before a call in which consent given takes it out of a cap.
const PRIOR_CONSENT_DAYS: i64 = 7;

/// What is being judged, with the debts it would be about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) facts: &'a ContactFacts,
    pub(crate) point: &'a ContactPoint,
    pub(crate) channel: Channel,
    pub(crate) debts: &'a [DebtId],
    pub(crate) zones: &'a [Candidate],
    pub(crate) now: UtcMs,
}

impl Case<'_> {
    /// Whether a row lies in a rule's scope; `debt` is the one tested in scope `debt`. A row that
    /// does not say its debts is about all of them.
    pub(crate) fn in_scope(&self, scope: Scope, row: &LedgerRow, debt: Option<DebtId>) -> bool {
        let debtor = &self.facts.debtor;
        let mine = row.person_id == debtor.person_id || row.debtor_id == debtor.id;
        match scope {
            Scope::Person => mine,
            Scope::CreditorPerson => mine && row.client_id == debtor.client_id,
            Scope::Debt => {
                mine && (row.debts.is_empty() || debt.is_none_or(|d| row.debts.contains(&d)))
            }
            Scope::Phone => row.address == self.point.value,
        }
    }

    /// The debts to test one by one: each in scope `debt`, else one pass.
    pub(crate) fn passes(&self, scope: Scope) -> Vec<Option<DebtId>> {
        if scope == Scope::Debt && !self.debts.is_empty() {
            self.debts.iter().copied().map(Some).collect()
        } else {
            vec![None]
        }
    }
}

/// One counted act; rows of one attempt are one act.
#[derive(Debug, Clone, Copy)]
struct Act {
    row: LedgerId,
    attempt: Option<AttemptId>,
    at: UtcMs,
    channel: Channel,
}

/// Whether a row is of what a cap counts. A visit that met who owes was a talk with him; one that met somebody else
/// or nobody was an action and no contact; one of which nobody said yet what came of it counts as a contact.
const fn counts_row(counts: Counts, row: &LedgerRow) -> bool {
    match row.kind {
        LedgerKind::Withdrawn => false,
        LedgerKind::Visit if matches!(row.reached_network, Some(false)) => {
            matches!(counts, Counts::Action)
        }
        LedgerKind::Visit if row.is_meeting() => {
            counts_kind(counts, LedgerKind::Visit) || counts_kind(counts, LedgerKind::Conversation)
        }
        kind => counts_kind(counts, kind),
    }
}

const fn counts_kind(counts: Counts, kind: LedgerKind) -> bool {
    match counts {
        Counts::Attempt => matches!(kind, LedgerKind::Attempt),
        Counts::Conversation => matches!(kind, LedgerKind::Conversation),
        // Messages and replies count where the cap names their channel (Ley 2300: a message today
        // uses up the day's contact); where it names calls and visits alone they cannot match.
        Counts::Contact => matches!(
            kind,
            LedgerKind::Conversation | LedgerKind::Visit | LedgerKind::Message | LedgerKind::Reply
        ),
        Counts::DirectContact => matches!(kind, LedgerKind::Conversation | LedgerKind::Reply),
        Counts::Message => matches!(kind, LedgerKind::Message),
        Counts::Action => true,
    }
}

/// A class that is not known may be the home or not: both caps take it.
const fn class_fits(point: Option<CapPoint>, class: PointClass) -> bool {
    match point {
        None => true,
        Some(CapPoint::Home) => matches!(class, PointClass::Home | PointClass::Other),
        Some(CapPoint::NotHome) => !matches!(class, PointClass::Home),
    }
}

fn consented(consents: &[Consent], row: &LedgerRow) -> bool {
    consents.iter().any(|c| {
        c.purpose == "call_within_7_days"
            && c.channel == row.channel
            && c.granted_at <= row.at
            && row.at < c.granted_at.plus_ms(PRIOR_CONSENT_DAYS * DAY_MS)
            && c.until.is_none_or(|t| row.at < t)
            && c.revoked_at.is_none_or(|t| row.at < t)
    })
}

/// Whether a row is of a call to a professional: to a number among his points that is his attorney's and nobody else's.
fn to_professional(facts: &ContactFacts, row: &LedgerRow) -> bool {
    let same = |p: &&ContactPoint| Some(p.id) == row.point_id || p.value == row.address;
    let mut roles = facts.points.iter().filter(same).map(|p| p.role).peekable();
    roles.peek().is_some() && roles.all(|role| role == PartyRole::Attorney)
}

fn excluded(cap: &Cap, facts: &ContactFacts, row: &LedgerRow) -> Option<Exclusion> {
    cap.exclusions
        .iter()
        .copied()
        .find(|exclusion| match exclusion {
            Exclusion::DidNotConnectToNumber => row.reached_network == Some(false),
            Exclusion::DirectPriorConsentLast7d => consented(&facts.consents, row),
            Exclusion::Professionals => to_professional(facts, row),
        })
}

/// Acts that a cap counts, newest first, and the rows that its exclusions left out.
fn acts(case: &Case<'_>, cap: &Cap, debt: Option<DebtId>) -> (Vec<Act>, Vec<LeftOut>) {
    let mut found: Vec<Act> = Vec::new();
    let mut left_out = Vec::new();
    for row in &case.facts.ledger {
        let fits = counts_row(cap.counts, row)
            && names(&cap.channels, row.channel)
            && class_fits(cap.point, row.class)
            && case.in_scope(cap.scope, row, debt);
        if !fits {
            continue;
        }
        if let Some(why) = excluded(cap, case.facts, row) {
            left_out.push(LeftOut {
                row: row.id,
                why: why.to_string(),
            });
            continue;
        }
        let same = found
            .iter_mut()
            .find(|a| a.attempt.is_some() && a.attempt == row.attempt_id);
        match same {
            Some(act) => act.at = act.at.max(row.at),
            None => found.push(Act {
                row: row.id,
                attempt: row.attempt_id,
                at: row.at,
                channel: row.channel,
            }),
        }
    }
    found.sort_by_key(|a| std::cmp::Reverse(a.at));
    (found, left_out)
}

/// Start and end of the period that `now` lies in.
fn period(window: CapWindow, now: UtcMs, tz: &TimeZone) -> (UtcMs, UtcMs) {
    let today = date_of(now, tz);
    let (first, after) = match window {
        CapWindow::RollingDays(n) => (plus_days(today, 1 - i64::from(n)), plus_days(today, 1)),
        CapWindow::CalendarDay(_) => (today, plus_days(today, 1)),
        CapWindow::CalendarWeek(_) => (monday_of(today), plus_days(monday_of(today), 7)),
    };
    (
        day_start(first, tz, Side::Earlier),
        day_start(after, tz, Side::Later),
    )
}

/// Up to where acts that are planned ahead fall into one period of the cap with an act of now.
fn reach(window: CapWindow, now: UtcMs, tz: &TimeZone) -> UtcMs {
    match window {
        CapWindow::RollingDays(n) => {
            let last = plus_days(date_of(now, tz), i64::from(n));
            day_start(last, tz, Side::Later)
        }
        CapWindow::CalendarDay(_) | CapWindow::CalendarWeek(_) => period(window, now, tz).1,
    }
}

/// The act that a least gap is measured from: the newest, planned ones among them as far as the gap reaches.
fn gap_act(acts: &[Act], days: u16, now: UtcMs, tz: &TimeZone) -> Option<Act> {
    let days = i64::from(days);
    let by_date = day_start(plus_days(date_of(now, tz), days), tz, Side::Later);
    let soon = by_date.max(now.plus_ms(days * DAY_MS));
    acts.iter().find(|a| a.at < soon).copied()
}

/// First instant at which the act that fills the cap no longer counts.
fn release(window: CapWindow, act: Act, now: UtcMs, tz: &TimeZone) -> UtcMs {
    let (_, end) = period(window, now, tz);
    match window {
        CapWindow::RollingDays(n) => {
            let free = day_start(
                plus_days(date_of(act.at, tz), i64::from(n)),
                tz,
                Side::Later,
            );
            if free > now { free } else { end }
        }
        CapWindow::CalendarDay(_) | CapWindow::CalendarWeek(_) => end,
    }
}

/// What one cap came to.
pub(crate) struct Tested {
    /// The fullest counter.
    pub(crate) counter: CounterCheck,
    /// What it refuses.
    pub(crate) findings: Vec<Finding>,
    /// The gap that is not over, with the row that began it.
    pub(crate) started: Option<Started>,
}

/// What one cap says: the fullest counter over zones and debts, and the findings.
pub(crate) fn test(case: &Case<'_>, pack: &Pack, cap: &Cap) -> Option<Tested> {
    if !names(&cap.channels, case.channel) || !class_fits(cap.point, case.point.class) {
        return None;
    }
    let rule = format!("{}/{}", pack.id, cap.id);
    let mut worst: Option<CounterCheck> = None;
    let mut full: Option<(UtcMs, u32, Channel)> = None;
    let mut gap: Option<(UtcMs, Act)> = None;
    for debt in case.passes(cap.scope) {
        let (acts, left_out) = acts(case, cap, debt);
        for zone in case.zones {
            let tz = &zone.zone.tz;
            let (from, to) = period(cap.window, case.now, tz);
            let ahead = reach(cap.window, case.now, tz);
            let of_period = |a: &Act| a.at >= from && a.at < ahead;
            let inside: Vec<Act> = acts.iter().copied().filter(of_period).collect();
            let value = u32::try_from(inside.len()).unwrap_or(u32::MAX);
            if worst.as_ref().is_none_or(|w| value > w.value) {
                worst = Some(CounterCheck {
                    rule: rule.clone(),
                    value,
                    limit: cap.limit,
                    from,
                    to,
                    counted: inside.iter().map(|a| a.row).collect(),
                    left_out: left_out.clone(),
                });
            }
            let filling = usize::try_from(cap.limit)
                .ok()
                .and_then(|l| inside.get(l.checked_sub(1)?));
            if let (Some(act), Some(last)) = (filling, inside.first()) {
                let until = release(cap.window, *act, case.now, tz);
                if full.is_none_or(|f| until > f.0) {
                    full = Some((until, value, last.channel));
                }
            }
            if let Some(days) = cap.min_gap_days
                && let Some(last) = gap_act(&acts, days, case.now, tz)
            {
                let by_date = day_start(
                    plus_days(date_of(last.at, tz), i64::from(days)),
                    tz,
                    Side::Later,
                );
                let until = by_date.max(last.at.plus_ms(i64::from(days) * DAY_MS));
                if until > case.now && gap.is_none_or(|g| until > g.0) {
                    gap = Some((until, last));
                }
            }
        }
    }
    let started = gap.map(|(until, act)| Started {
        rule: format!("{rule}/min_gap"),
        row: act.row,
        at: act.at,
        until,
    });
    let gap = gap.map(|(until, act)| (until, act.channel));
    let findings = found(pack, cap, full, gap);
    worst.map(|counter| Tested {
        counter,
        findings,
        started,
    })
}

/// A full cap (until when, how many, the last by which channel) and a gap not yet over, in words.
fn found(
    pack: &Pack,
    cap: &Cap,
    full: Option<(UtcMs, u32, Channel)>,
    gap: Option<(UtcMs, Channel)>,
) -> Vec<Finding> {
    let rule = format!("{}/{}", pack.id, cap.id);
    let label = cap.source.as_deref().unwrap_or(&pack.name);
    let mut findings = Vec::new();
    if let Some((until, value, last)) = full {
        findings.push(Finding::new(
            BlockReason::Cap,
            Effect::Until(until),
            rule.clone(),
            text::cap_reached(label, cap.counts, cap.window, value, cap.limit, last),
        ));
    }
    if let (Some((until, last)), Some(days)) = (gap, cap.min_gap_days) {
        findings.push(Finding::new(
            BlockReason::Cap,
            Effect::Until(until),
            format!("{rule}/min_gap"),
            text::gap(label, cap.counts, days, last),
        ));
    }
    findings
}

/// The campaign's own limit of attempts a local day, over every campaign that called the person.
pub(crate) fn campaign_day(case: &Case<'_>, limit: i32) -> (CounterCheck, Option<Finding>) {
    let rule = "campaign/attempts_per_day";
    let most = u32::try_from(limit).unwrap_or(0);
    let mut counter = CounterCheck {
        rule: rule.to_owned(),
        value: 0,
        limit: most,
        from: case.now,
        to: case.now,
        counted: Vec::new(),
        left_out: Vec::new(),
    };
    for zone in case.zones {
        let (from, to) = period(CapWindow::CalendarDay(1), case.now, &zone.zone.tz);
        let made: Vec<LedgerId> = case
            .facts
            .ledger
            .iter()
            .rev()
            .filter(|r| r.kind == LedgerKind::Attempt && r.at >= from)
            .filter(|r| case.in_scope(Scope::Person, r, None))
            .map(|r| r.id)
            .collect();
        let value = u32::try_from(made.len()).unwrap_or(u32::MAX);
        if value >= counter.value {
            counter = CounterCheck {
                value,
                from,
                to: to.max(counter.to),
                counted: made,
                ..counter
            };
        }
    }
    let finding = (counter.value >= most).then(|| {
        let effect = if most == 0 {
            Effect::Forbid
        } else {
            Effect::Until(counter.to)
        };
        let texts = (
            format!(
                "campaña: ya van {} intentos hoy y el máximo es {most}",
                counter.value
            ),
            format!(
                "campaign: {} attempts today and the most is {most}",
                counter.value
            ),
        );
        Finding::new(BlockReason::Cap, effect, rule, texts)
    });
    (counter, finding)
}
