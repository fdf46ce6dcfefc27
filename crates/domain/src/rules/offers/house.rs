//! The house's own terms, where a client has written none.

use super::{Authority, ClientTerms, Conditions, OfferRule, STATUTE_DAYS, StageRule};
use crate::entity::{Evidence, Role, Stage};
use crate::rules::ageing::AgeingSet;
use crate::segment::BUCKETS;

pub(super) fn conditions(
    quita_pct: i32,
    down_pct: i32,
    instalments: i32,
    first_in_days: i32,
) -> Conditions {
    Conditions {
        quita_pct,
        down_pct,
        instalments,
        first_in_days,
        every_days: 0,
        freeze_interest: instalments > 1,
        early_off_pct: 0,
        early_days: 0,
    }
}

fn offer(key: &str, es: &str, en: &str, conditions: Conditions) -> OfferRule {
    OfferRule {
        key: key.to_owned(),
        name_es: es.to_owned(),
        name_en: en.to_owned(),
        buckets: vec![],
        min_minor: 0,
        max_minor: None,
        conditions,
    }
}

fn stage(stage: Stage, from_days: i64, max_days: i64, attempts_min: i64) -> StageRule {
    StageRule {
        stage,
        from_days,
        min_minor: 0,
        cost_minor: 0,
        attempts_min,
        channels_min: 0,
        max_days,
        owner_id: None,
        tone: None,
        statute_days: if stage.before_court() {
            STATUTE_DAYS
        } else {
            0
        },
        past_statute: false,
        evidence: evidence(stage).to_vec(),
    }
}

/// What a lawyer asks for, and then a court.
const fn evidence(stage: Stage) -> &'static [Evidence] {
    match stage {
        Stage::Prejudicial => &[Evidence::Identity],
        Stage::Judicial => &[Evidence::Identity, Evidence::Address],
        _ => &[],
    }
}

fn house_offers() -> Vec<OfferRule> {
    let late: Vec<String> = BUCKETS[2..].iter().map(|b| (*b).to_owned()).collect();
    let mut one = offer(
        "one_payment",
        "Un solo pago con descuento",
        "One payment with a discount",
        conditions(10, 0, 1, 5),
    );
    one.buckets.clone_from(&late);
    let mut down = offer(
        "down_and_three",
        "Enganche y 3 mensualidades",
        "Down payment and 3 months",
        conditions(5, 30, 3, 3),
    );
    down.buckets = late;
    let mut monthly = conditions(0, 10, 6, 3);
    monthly.early_off_pct = 3;
    monthly.early_days = 60;
    let halves = Conditions {
        every_days: 15,
        ..conditions(0, 50, 1, 2)
    };
    vec![
        one,
        down,
        offer(
            "six_months",
            "6 mensualidades sin más intereses",
            "6 months without further interest",
            monthly,
        ),
        offer("two_halves", "Dos mitades", "Two halves", halves),
    ]
}

/// Days before the due date from which a debt is in any stage at all: more than any portfolio's.
const ANY_DAYS: i64 = -36_500;

impl Default for ClientTerms {
    /// The house's own (terms.md §6 [H]): agent up to 10 % and 6, supervisor up to 30 % and 12.
    fn default() -> Self {
        Self {
            offers: house_offers(),
            authority: [
                (Role::Agent, 10, 6),
                (Role::Supervisor, 30, 12),
                (Role::Manager, 50, 24),
                (Role::Admin, 50, 24),
            ]
            .into_iter()
            .map(|(role, quita_pct, instalments)| Authority {
                role,
                quita_pct,
                instalments,
            })
            .collect(),
            quita_lapses: false,
            ask_timeout_s: 60,
            promises: vec![],
            stages: vec![
                stage(Stage::Preventive, ANY_DAYS, 0, 0),
                stage(Stage::Administrative, 1, 30, 0),
                stage(Stage::Extrajudicial, 31, 60, 3),
                stage(Stage::Prejudicial, 90, 45, 6),
                stage(Stage::Judicial, 120, 180, 6),
                stage(Stage::WrittenOff, 181, 0, 6),
                stage(Stage::Sold, 181, 0, 6),
            ],
            attention_minor: None,
            ageing: AgeingSet::default(),
        }
    }
}
