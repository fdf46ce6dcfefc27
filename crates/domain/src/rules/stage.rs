//! Whether a debt may enter a stage, and whether it should be handed over, with the reasons.

use super::offers::{ClientTerms, StageRule};
use crate::entity::{DebtStage, Hold, HoldScope, PaymentLink, Stage};
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
    found
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
mod tests {
    use super::*;

    fn facts() -> StageFacts {
        StageFacts {
            days_past_due: 95,
            balance_minor: 500_000,
            attempts: 7,
            channels: 1,
            ..StageFacts::default()
        }
    }

    #[test]
    fn entry_tests_name_each_thing_that_is_missing_row_17() {
        let terms = ClientTerms::default();
        let rule = StageRule {
            min_minor: 600_000,
            cost_minor: 300_000,
            channels_min: 2,
            from_days: 100,
            attempts_min: 8,
            ..terms.stage(Stage::Prejudicial).unwrap().clone()
        };
        let codes: Vec<String> = missing(
            &rule,
            &StageFacts {
                agreed: true,
                ..facts()
            },
        )
        .into_iter()
        .map(|r| r.code)
        .collect();
        assert_eq!(
            codes,
            [
                "too_small",
                "not_worth_it",
                "agreed",
                "too_young",
                "too_few_attempts",
                "too_few_channels"
            ]
        );
        assert!(missing(terms.stage(Stage::Prejudicial).unwrap(), &facts()).is_empty());
        assert_eq!(first(&terms, &facts()), Stage::Extrajudicial);
        let young = StageFacts {
            days_past_due: 4,
            ..facts()
        };
        assert_eq!(first(&terms, &young), Stage::Administrative);
        let early = StageFacts {
            days_past_due: -2,
            ..facts()
        };
        assert_eq!(first(&terms, &early), Stage::Preventive);
    }

    #[test]
    fn a_hand_over_is_recommended_with_its_reasons_row_18() {
        let terms = ClientTerms::default();
        let told = recommend(&terms, Stage::Extrajudicial, true, &facts());
        assert_eq!(told.to, Some(Stage::Prejudicial));
        let codes: Vec<&str> = told.reasons.iter().map(|r| r.code.as_str()).collect();
        assert_eq!(codes, ["deadline", "unanswered"]);
        let calm = StageFacts {
            conversations: 1,
            ..facts()
        };
        assert_eq!(
            recommend(&terms, Stage::Extrajudicial, false, &calm).to,
            None
        );
        let held = StageFacts {
            held: true,
            ..facts()
        };
        let told = recommend(&terms, Stage::Extrajudicial, true, &held);
        assert_eq!((told.to, told.missing[0].code.as_str()), (None, "held"));
        assert_eq!(recommend(&terms, Stage::Sold, true, &facts()).to, None);
    }
}
