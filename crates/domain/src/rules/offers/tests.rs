//! Offers, authority, and plans that add up.

use super::draw::draw;
use super::house::conditions;
use super::*;
use proptest::prelude::*;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

#[test]
fn three_offers_within_the_agent_s_authority_row_22() {
    let terms = ClientTerms::default();
    assert_eq!(terms.check(), Ok(()));
    let keys = |days: i64, role| -> Vec<String> {
        let offers = terms.offers_for(days, 1_000_000, role);
        offers.iter().map(|o| o.key.clone()).collect()
    };
    let late = keys(31, Role::Agent);
    assert_eq!(late, ["one_payment", "down_and_three", "six_months"]);
    assert_eq!(keys(30, Role::Agent), ["six_months", "two_halves"]);
    assert_eq!(keys(31, Role::Client), Vec::<String>::new());
    let more = conditions(25, 0, 1, 5);
    assert!(!terms.may(Role::Agent, &more));
    assert_eq!(terms.who_may(&more), Some(Role::Supervisor));
    assert_eq!(terms.who_may(&conditions(40, 0, 1, 5)), Some(Role::Manager));
    assert_eq!(terms.who_may(&conditions(60, 0, 1, 5)), None);
}

#[test]
fn the_incentive_is_given_within_the_authority_too_row_22() {
    let terms = ClientTerms::default();
    let early = |quita_pct, early_off_pct| Conditions {
        early_off_pct,
        early_days: 30,
        ..conditions(quita_pct, 0, 1, 5)
    };
    assert!(terms.may(Role::Agent, &early(0, 10)));
    assert!(!terms.may(Role::Agent, &early(0, 11)));
    assert!(!terms.may(Role::Agent, &early(10, 1)), "10.9 %");
    assert!(terms.may(Role::Agent, &early(8, 2)), "9.84 %");
    assert_eq!(terms.who_may(&early(10, 22)), Some(Role::Supervisor));
    assert_eq!(terms.who_may(&early(10, 23)), Some(Role::Manager));
    assert_eq!(terms.who_may(&early(10, 50)), None, "55 %");
    let mut terms = terms;
    for offer in &mut terms.offers {
        if offer.key == "one_payment" {
            offer.conditions = early(10, 50);
        }
    }
    let shown = terms.offers_for(31, 1_000_000, Role::Agent);
    assert!(shown.iter().all(|o| o.key != "one_payment"));
}

#[test]
fn a_plan_is_cut_by_months_and_the_last_part_takes_the_rest() {
    let six = conditions(5, 30, 3, 3);
    let drawn = draw(&six, 1_000_001, day("2026-01-28")).unwrap();
    assert_eq!((drawn.quita_minor, drawn.agreed_minor), (50_000, 950_001));
    let parts: Vec<(String, i64)> = drawn
        .parts
        .iter()
        .map(|(d, a)| (d.to_string(), *a))
        .collect();
    let expected = [
        ("2026-01-31", 285_000),
        ("2026-02-28", 221_667),
        ("2026-03-31", 221_667),
        ("2026-04-30", 221_667),
    ];
    for (got, want) in parts.iter().zip(expected) {
        assert_eq!((got.0.as_str(), got.1), want);
    }
    assert_eq!(
        draw(&conditions(0, 0, 6, 1), 5, day("2026-01-01")),
        None,
        "a part of nothing"
    );
}

#[test]
fn terms_that_do_not_fit_say_where() {
    let mut terms = ClientTerms::default();
    terms.offers[1].conditions.quita_pct = 99;
    assert_eq!(
        terms.check().unwrap_err().path,
        "offers[1].conditions.quita_pct"
    );
    let mut terms = ClientTerms::default();
    terms.offers[0].buckets = vec!["old".into()];
    assert_eq!(terms.check().unwrap_err().path, "offers[0].buckets");
    let mut terms = ClientTerms::default();
    terms.stages[1].stage = Stage::Preventive;
    assert_eq!(terms.check().unwrap_err().path, "stages[1].stage");
}

#[test]
fn the_attention_threshold_is_the_clients_own_or_the_house_s_row_13() {
    let mut terms = ClientTerms::default();
    assert_eq!((terms.attention(2), terms.attention(0)), (100_000, 1_000));
    terms.attention_minor = Some(250_050);
    assert_eq!(terms.check(), Ok(()));
    assert_eq!((terms.attention(2), terms.attention(0)), (250_050, 250_050));
    terms.attention_minor = Some(-1);
    assert_eq!(terms.check().unwrap_err().path, "attention_minor");
    // Terms that were written before it was theirs to set.
    let old: ClientTerms = serde_json::from_str(r#"{"ask_timeout_s": 60}"#).unwrap();
    assert_eq!(old.attention(2), 100_000);
}

#[test]
fn buckets_of_rules_are_those_of_the_client_s_own_set() {
    let mut terms = ClientTerms::default();
    // Set written before it was theirs to write.
    let old: ClientTerms = serde_json::from_str(r#"{"ask_timeout_s": 60}"#).unwrap();
    assert_eq!(old.ageing, terms.ageing);
    terms.ageing = AgeingSet::microfinance();
    let wrong = terms.check().unwrap_err();
    assert_eq!(wrong.path, "offers[0].buckets");
    assert!(wrong.wanted.contains("b8_30"), "{wrong}");
    for offer in &mut terms.offers {
        offer.buckets = vec![];
    }
    terms.offers[0].buckets = vec!["b8_30".into()];
    terms.promises = vec![PromiseRule {
        segment_id: None,
        buckets: vec!["b91_plus".into()],
        roles: vec![],
        min_pct: 30,
        max_days: 3,
    }];
    assert_eq!(terms.check(), Ok(()));
    let first = |days: i64| {
        terms.offers_for(days, 1_000_000, Role::Agent)[0]
            .key
            .clone()
    };
    let keys = [7, 8, 30, 31].map(first);
    assert_eq!(
        keys,
        [
            "down_and_three",
            "one_payment",
            "one_payment",
            "down_and_three"
        ]
    );
    let limited = [90, 91].map(|days| terms.promise_rules(days, Role::Agent).count());
    assert_eq!(limited, [0, 1]);
    terms.ageing = AgeingSet::of_ends(&[0, 30, 20]);
    assert_eq!(terms.check().unwrap_err().path, "ageing[2].to");
}

#[test]
fn promises_are_limited_by_age_and_role_row_20() {
    let rule = |roles: &[Role], min_pct, max_days| PromiseRule {
        segment_id: None,
        buckets: vec!["b31_60".into()],
        roles: roles.to_vec(),
        min_pct,
        max_days,
    };
    let terms = ClientTerms {
        promises: vec![rule(&[Role::Agent], 40, 5), rule(&[], 10, 15)],
        ..ClientTerms::default()
    };
    let rules = |days: i64, role| -> Vec<(i32, i32)> {
        let rules = terms.promise_rules(days, role);
        rules.map(|r| (r.min_pct, r.max_days)).collect()
    };
    assert_eq!(rules(60, Role::Agent), [(40, 5), (10, 15)]);
    assert_eq!(rules(60, Role::Supervisor), [(10, 15)]);
    assert_eq!(rules(30, Role::Agent), []);
    let both = |of: (i32, i32)| terms.promises[0].beside(of);
    assert_eq!((both((20, 7)), both((60, 3))), ((40, 5), (60, 3)));
}

proptest! {
    #[test]
    fn every_plan_adds_up(
        balance in 1_i64..2_000_000_000, quita in 0..95_i32, down in 0..=100_i32,
        n in 0..=60_i32, first in 0..90_i32, every in 0..180_i32,
        (early_off_pct, early_days) in prop_oneof![Just((0, 0)), (1..=50_i32, 1..=730_i32)],
    ) {
        let c = Conditions {
            every_days: every, early_off_pct, early_days, ..conditions(quita, down, n, first)
        };
        if let Some(drawn) = draw(&c, balance, day("2026-11-26")) {
            let sum: i64 = drawn.parts.iter().map(|(_, a)| a).sum();
            prop_assert_eq!(sum, drawn.agreed_minor);
            prop_assert_eq!(drawn.agreed_minor + drawn.quita_minor, balance);
            prop_assert!((0..=drawn.agreed_minor / 2).contains(&drawn.early_off_minor));
            prop_assert_eq!(drawn.early_until.is_some(), early_days > 0);
            let off = i128::from(drawn.quita_minor + drawn.early_off_minor) * 10_000;
            prop_assert!(off <= i128::from(balance) * i128::from(c.off_bp()), "what authority is asked for");
            prop_assert!(drawn.parts.is_sorted_by_key(|(d, _)| *d));
        }
    }
}
