//! Whether a debt may enter a stage, and whether it should be handed over, with the reasons.

use super::offers::{ClientTerms, StageRule};
use crate::entity::{DebtStage, Evidence, EvidenceHeld, Hold, HoldScope, PaymentLink, Stage};
use crate::event::NewEvent;
use crate::ids::{EventId, HoldId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// Evidence of a hold that a stage placed. What tells it from another's is its identity ([`hold_of`]): anybody may
/// write this word.
pub const HOLD_EVIDENCE: &str = "stage";

/// What is known of a debt when its stage is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StageFacts {
    /// Days past due; negative before.
    pub days_past_due: i64,
    /// Owed, minor units.
    pub balance_minor: i64,
    /// Attempts made on the debtor.
    pub attempts: i64,
    /// Different channels tried.
    pub channels: i64,
    /// Promises he broke.
    pub broken_promises: i64,
    /// Conversations with him.
    pub conversations: i64,
    /// Whether a promise or plan runs.
    pub agreed: bool,
    /// Whether he disputes, is represented, insolvent or dead: contact is held.
    pub held: bool,
    /// Days until the statute date, negative behind it; `None` = the date is not known.
    pub days_to_statute: Option<i64>,
    /// What could be shown to a court.
    pub evidence: EvidenceHeld,
}

/// A reason in two languages, with a stable code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageReason {
    /// Stable code.
    pub code: String,
    /// Spanish.
    pub es: String,
    /// English.
    pub en: String,
}

fn reason(code: &str, es: String, en: String) -> StageReason {
    StageReason {
        code: code.to_owned(),
        es,
        en,
    }
}

/// What is missing before the debt may enter the stage; empty = it may.
#[must_use]
pub fn missing(rule: &StageRule, facts: &StageFacts) -> Vec<StageReason> {
    let mut found = Vec::new();
    let mut need = |ok: bool, code: &str, es: &str, en: &str| {
        if !ok {
            found.push(reason(code, es.to_owned(), en.to_owned()));
        }
    };
    need(
        facts.balance_minor >= rule.min_minor,
        "too_small",
        "el saldo es menor que el mínimo de la etapa",
        "the balance is below the least of the stage",
    );
    need(
        rule.cost_minor == 0 || facts.balance_minor / 2 >= rule.cost_minor,
        "not_worth_it",
        "el saldo no llega al doble de lo que cuesta el paso",
        "the balance is less than twice what the step costs",
    );
    need(
        rule.stage == Stage::Preventive || !facts.agreed,
        "agreed",
        "hay una promesa o un convenio vigente",
        "a promise or plan is running",
    );
    found.extend(too_few(rule, facts));
    found.extend(past_statute(rule, facts));
    found.extend(no_evidence(rule, facts));
    found
}

/// A number of days, in Spanish and English.
fn in_days(n: i64) -> (String, String) {
    if n == 1 {
        return ("1 día".to_owned(), "1 day".to_owned());
    }
    (format!("{n} días"), format!("{n} days"))
}

/// A court is not asked for what is past its statute date.
fn past_statute(rule: &StageRule, facts: &StageFacts) -> Option<StageReason> {
    let asks = rule.stage.to_court() && !rule.past_statute;
    let past = facts.days_to_statute.filter(|left| asks && *left < 0)?;
    let (es, en) = in_days(past.saturating_neg());
    Some(reason(
        "statute_past",
        format!("la deuda prescribió hace {es}"),
        format!("the statute date passed {en} ago"),
    ))
}

/// Evidence that the stage asks for and that is not stored; empty = it is complete.
#[must_use]
pub fn lacking(rule: &StageRule, held: EvidenceHeld) -> Vec<Evidence> {
    let asked = rule.evidence.iter().copied();
    asked.filter(|kind| !held.has(*kind)).collect()
}

fn no_evidence(rule: &StageRule, facts: &StageFacts) -> Option<StageReason> {
    let lacking = lacking(rule, facts.evidence);
    if lacking.is_empty() {
        return None;
    }
    let told = |of: fn(Evidence) -> &'static str| {
        let names: Vec<&str> = lacking.iter().copied().map(of).collect();
        names.join(", ")
    };
    Some(reason(
        "no_evidence",
        format!("falta evidencia: {}", told(|e| evidence_words(e).0)),
        format!("evidence is lacking: {}", told(|e| evidence_words(e).1)),
    ))
}

/// What evidence is called, in Spanish and English.
const fn evidence_words(kind: Evidence) -> (&'static str, &'static str) {
    match kind {
        Evidence::Identity => ("documento de identidad", "identity document"),
        Evidence::Address => ("domicilio", "postal address"),
        Evidence::Contact => ("contacto confirmado", "confirmed point of contact"),
        Evidence::Items => ("facturas o partidas", "invoices or items"),
        Evidence::Demand => (
            "carta de requerimiento (L3 o L4)",
            "letter of demand (L3 or L4)",
        ),
        Evidence::Agreement => ("convenio aceptado", "accepted agreement"),
    }
}

/// Days left where the statute date of a debt in `stage` is so near that its named person is told.
#[must_use]
pub fn near_statute(terms: &ClientTerms, stage: Stage, facts: &StageFacts) -> Option<i64> {
    let limit = terms.stage(stage).map_or(0, |rule| rule.statute_days);
    let near = |left: &i64| stage.before_court() && limit > 0 && (0..=limit).contains(left);
    facts.days_to_statute.filter(near)
}

/// Counts that the stage asks for and that are not reached.
fn too_few(rule: &StageRule, facts: &StageFacts) -> Vec<StageReason> {
    let counts = [
        (
            "too_young",
            facts.days_past_due,
            rule.from_days,
            "días de mora",
            "days past due",
        ),
        (
            "too_few_attempts",
            facts.attempts,
            rule.attempts_min,
            "intentos",
            "attempts",
        ),
        (
            "too_few_channels",
            facts.channels,
            rule.channels_min,
            "canales probados",
            "channels tried",
        ),
    ];
    counts
        .into_iter()
        .filter(|(_, have, want, ..)| have < want)
        .map(|(code, have, want, es, en)| {
            reason(
                code,
                format!("{es}: {have}, se piden {want}"),
                format!("{en}: {have}, {want} asked for"),
            )
        })
        .collect()
}

/// Whether a debt in `stage` should go on, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// Where to; `None` = it stays.
    pub to: Option<Stage>,
    /// Why.
    pub reasons: Vec<StageReason>,
    /// What is missing where it would go next.
    pub missing: Vec<StageReason>,
}

/// Recommends the next stage when its entry tests pass and time, silence or broken word ask for it.
#[must_use]
pub fn recommend(
    terms: &ClientTerms,
    stage: Stage,
    late: bool,
    facts: &StageFacts,
) -> Recommendation {
    let mut reasons = Vec::new();
    if late {
        reasons.push(reason(
            "deadline",
            "venció el plazo de la etapa".to_owned(),
            "the stage's deadline has passed".to_owned(),
        ));
    }
    if facts.broken_promises >= 2 {
        reasons.push(reason(
            "broken_promises",
            format!("incumplió {} promesas", facts.broken_promises),
            format!("{} promises were broken", facts.broken_promises),
        ));
    }
    if facts.attempts >= 6 && facts.conversations == 0 {
        reasons.push(reason(
            "unanswered",
            format!("{} intentos sin respuesta", facts.attempts),
            format!("{} attempts without an answer", facts.attempts),
        ));
    }
    if let Some(left) = near_statute(terms, stage, facts) {
        let (es, en) = in_days(left);
        reasons.push(reason(
            "statute_near",
            format!("tiempo que queda para que prescriba: {es}"),
            format!("time left until the statute date: {en}"),
        ));
    }
    let next = stage.next();
    let Some(rule) = next.and_then(|s| terms.stage(s)) else {
        return Recommendation {
            to: None,
            reasons,
            missing: vec![],
        };
    };
    if facts.held {
        let held = reason(
            "held",
            "el contacto está bloqueado: primero se resuelve".to_owned(),
            "contact is held: that is settled first".to_owned(),
        );
        return Recommendation {
            to: None,
            reasons,
            missing: vec![held],
        };
    }
    let missing = missing(rule, facts);
    let to = next.filter(|_| missing.is_empty() && !reasons.is_empty());
    Recommendation {
        to,
        reasons,
        missing,
    }
}

/// The stage in which a debt begins, by its age: the collector's own stages, never court.
#[must_use]
pub fn first(terms: &ClientTerms, facts: &StageFacts) -> Stage {
    [Stage::Extrajudicial, Stage::Administrative]
        .into_iter()
        .find(|stage| {
            terms
                .stage(*stage)
                .is_some_and(|r| facts.days_past_due >= r.from_days)
        })
        .unwrap_or(if facts.days_past_due > 0 {
            Stage::Administrative
        } else {
            Stage::Preventive
        })
}

/// The hold that a debt's stage places on it; each entry places its own, so that what held it before can be read
/// later.
#[must_use]
pub fn hold_of(row: &DebtStage) -> Option<Hold> {
    let kind = row.stage.hold()?;
    let entry = format!("{}:{}", row.stage, row.entered_at.0);
    Some(Hold {
        id: HoldId(Uuid::new_v5(&row.debt_id.0, entry.as_bytes())),
        client_id: row.client_id,
        debtor_id: row.debtor_id,
        scope: HoldScope::Debt,
        debt_id: Some(row.debt_id),
        point_id: None,
        channel: None,
        kind,
        from: row.entered_at,
        until: None,
        lifted_at: None,
        evidence: HOLD_EVIDENCE.to_owned(),
    })
}

/// What is told of a payment link that ends because its debt was sold.
#[must_use]
pub fn withdrawn(link: &PaymentLink, row: &DebtStage) -> NewEvent {
    let cause = format!("{}:{}", row.stage, row.entered_at.0);
    NewEvent {
        id: EventId(Uuid::new_v5(&link.id.0, cause.as_bytes())),
        at: row.entered_at,
        client_id: Some(link.client_id),
        actor: row.moved_by.clone(),
        kind: "payment_link.cancelled".to_owned(),
        subject: format!("payment_link:{}", link.id),
        data: json!({
            "debtor_id": link.debtor_id, "debt_id": link.debt_id, "reason": row.stage,
            "amount_minor": link.amount.amount_minor, "currency": link.amount.currency,
        }),
    }
}

#[cfg(test)]
mod tests;
