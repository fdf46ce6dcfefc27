//! Entry tests of stages and what is advised.

use super::*;

fn facts() -> StageFacts {
    StageFacts {
        days_past_due: 95,
        balance_minor: 500_000,
        attempts: 7,
        channels: 1,
        evidence: EvidenceHeld {
            identity: true,
            ..EvidenceHeld::default()
        },
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
fn a_court_is_not_asked_past_the_statute_date_nor_without_evidence_row_17() {
    let terms = ClientTerms::default();
    let at = |days_to_statute: i64, evidence: EvidenceHeld| StageFacts {
        days_past_due: 150,
        days_to_statute: Some(days_to_statute),
        evidence,
        ..facts()
    };
    let whole = EvidenceHeld {
        identity: true,
        address: true,
        ..EvidenceHeld::default()
    };
    for stage in [Stage::Prejudicial, Stage::Judicial] {
        let rule = terms.stage(stage).unwrap();
        for left in [0, 1, 5_000] {
            assert!(missing(rule, &at(left, whole)).is_empty(), "{stage}");
        }
        let past = missing(rule, &at(-3, whole));
        assert_eq!(past.len(), 1);
        assert_eq!(past[0].code, "statute_past");
        assert_eq!(past[0].es, "la deuda prescribió hace 3 días");
        assert_eq!(past[0].en, "the statute date passed 3 days ago");
        let free = StageRule {
            past_statute: true,
            ..rule.clone()
        };
        assert!(missing(&free, &at(-3, whole)).is_empty(), "{stage}");
    }
    let late = terms.stage(Stage::WrittenOff).unwrap();
    let old = StageFacts {
        days_past_due: 200,
        ..at(-3, whole)
    };
    assert!(missing(late, &old).is_empty(), "no court is asked");
    let asks = StageRule {
        evidence: Evidence::ALL.to_vec(),
        ..terms.stage(Stage::Judicial).unwrap().clone()
    };
    let lacks = missing(&asks, &at(9, whole));
    assert_eq!(lacks.len(), 1);
    assert_eq!(
        lacks[0].es,
        "falta evidencia: contacto confirmado, facturas o partidas, carta de requerimiento (L3 o L4), convenio aceptado"
    );
    assert_eq!(
        lacks[0].en,
        "evidence is lacking: confirmed point of contact, invoices or items, letter of demand (L3 or L4), accepted agreement"
    );
    let none = lacking(&asks, EvidenceHeld::default());
    assert_eq!(none, Evidence::ALL);
}

#[test]
fn a_statute_date_that_is_near_is_a_reason_and_one_that_is_past_stops_the_hand_over_row_18() {
    let terms = ClientTerms::default();
    let at = |left: i64| StageFacts {
        days_to_statute: Some(left),
        conversations: 1,
        ..facts()
    };
    let advice = |left: i64| recommend(&terms, Stage::Extrajudicial, false, &at(left));
    for left in [0, 90] {
        let told = advice(left);
        assert_eq!(told.to, Some(Stage::Prejudicial), "{left}");
        assert_eq!(told.reasons[0].code, "statute_near");
        assert!(told.reasons[0].en.ends_with(&format!(": {left} days")));
    }
    assert_eq!((advice(91).to, advice(91).reasons.len()), (None, 0));
    let past = recommend(&terms, Stage::Extrajudicial, true, &at(-1));
    assert_eq!(past.to, None);
    assert_eq!(past.missing[0].code, "statute_past");
    // What is before a court is not late for one.
    let before = |stage| near_statute(&terms, stage, &at(10));
    assert_eq!(before(Stage::Prejudicial), Some(10));
    assert_eq!(before(Stage::Judicial), None);
    let quiet = ClientTerms {
        stages: vec![],
        ..terms.clone()
    };
    assert_eq!(near_statute(&quiet, Stage::Prejudicial, &at(10)), None);
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
