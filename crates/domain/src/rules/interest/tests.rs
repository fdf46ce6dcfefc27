use super::*;
use crate::ids::{ClientId, DebtorId, HoldId, InterestRuleId};
use proptest::prelude::*;
use uuid::Uuid;

fn debt(principal_minor: i64) -> Debt {
    Debt {
        id: DebtId(Uuid::from_u128(1)),
        debtor_id: DebtorId(Uuid::from_u128(2)),
        client_id: ClientId(Uuid::from_u128(3)),
        portfolio_id: PortfolioId(Uuid::from_u128(4)),
        external_ref: "D1".into(),
        product: "card".into(),
        currency: "MXN".parse().unwrap(),
        principal_minor,
        interest_minor: 0,
        fees_minor: 0,
        overdue_minor: principal_minor,
        minimum_minor: 0,
        due_date: "2026-01-31".into(),
        statute_date: None,
        status: DebtStatus::Open,
        created_at: UtcMs(0),
        updated_at: UtcMs(0),
    }
}

fn rule(rate_bp: i32, year_days: i32) -> InterestRule {
    InterestRule {
        id: InterestRuleId(Uuid::from_u128(5)),
        client_id: ClientId(Uuid::from_u128(3)),
        portfolio_id: PortfolioId(Uuid::from_u128(4)),
        from_day: 0,
        rate_bp,
        year_days,
        grace_days: 0,
        cap_bp: None,
        made_by: None,
        made_at: UtcMs(0),
    }
}

fn day(text: &str) -> i64 {
    day_of_date(text).unwrap()
}

fn minor(debt: &Debt, rules: &[InterestRule], pauses: &[Pause], to: &str) -> i64 {
    earned(debt, None, rules, pauses, day(to)).unwrap().minor
}

/// Figures worked out by hand.
#[test]
fn golden_figures() {
    let owed = debt(1_000_000);
    // 10,000.00 at 36 % on 360 days is 10.00 a day; 28 days of February.
    assert_eq!(minor(&owed, &[rule(3_600, 360)], &[], "2026-02-28"), 28_000);
    // The same on 365: 9.863… a day, 276.164… in all.
    assert_eq!(minor(&owed, &[rule(3_600, 365)], &[], "2026-02-28"), 27_616);
    // A whole year on 365 is the rate itself.
    assert_eq!(
        minor(&owed, &[rule(3_600, 365)], &[], "2027-01-31"),
        360_000
    );
    // On its due day, and before, nothing.
    assert_eq!(minor(&owed, &[rule(3_600, 360)], &[], "2026-01-31"), 0);
    assert_eq!(minor(&owed, &[rule(3_600, 360)], &[], "2025-12-01"), 0);
    // Ten days of grace bear none: 18 of the 28.
    let graced = InterestRule {
        grace_days: 10,
        ..rule(3_600, 360)
    };
    assert_eq!(minor(&owed, &[graced], &[], "2026-02-28"), 18_000);
    // At most 2 % of the principal.
    let capped = InterestRule {
        cap_bp: Some(200),
        ..rule(3_600, 360)
    };
    assert_eq!(minor(&owed, &[capped], &[], "2026-02-28"), 20_000);
    // 36 % up to 14 February, 18 % from the 15th: 14 days of 10.00, 14 of 5.00.
    let second = InterestRule {
        from_day: day("2026-02-15"),
        ..rule(1_800, 360)
    };
    let both = [rule(3_600, 360), second];
    assert_eq!(minor(&owed, &both, &[], "2026-02-28"), 21_000);
    // A rule that begins on the 15th knows nothing of the days before.
    assert_eq!(minor(&owed, &both[1..], &[], "2026-02-28"), 7_000);
    // Frozen from the 10th to the 20th: those of the 11th to the 20th bear none. Pauses may overlap.
    let frozen = [
        (day("2026-02-10"), day("2026-02-18")),
        (day("2026-02-12"), day("2026-02-20")),
    ];
    assert_eq!(
        minor(&owed, &[rule(3_600, 360)], &frozen, "2026-02-28"),
        18_000
    );
    // One cent of principal at 1 % earns its first cent after 100 years.
    assert_eq!(minor(&debt(1), &[rule(100, 365)], &[], "2125-12-31"), 0);
    assert_eq!(minor(&debt(1), &[rule(100, 365)], &[], "2126-02-28"), 1);
}

/// Figures worked out by hand: 10.00 a day, 28 days of February.
#[test]
fn a_cap_holds_with_its_rule() {
    let owed = debt(1_000_000);
    let rule_of = |from: &str, cap_bp| InterestRule {
        from_day: day(from),
        cap_bp,
        ..rule(3_600, 360)
    };
    // Written in February with a cap of 1 %, from March on: 28 days stand until then, 1 % from its day on.
    let tighter = [
        rule_of("2026-01-01", None),
        rule_of("2026-03-01", Some(100)),
    ];
    assert_eq!(minor(&owed, &tighter, &[], "2026-02-28"), 28_000);
    assert_eq!(minor(&owed, &tighter, &[], "2026-03-01"), 10_000);
    // What was booked before the cap stays; nothing comes on top.
    let first = earned(&owed, None, &tighter, &[], day("2026-02-28")).unwrap();
    let after = earned(
        &owed,
        Some(&first.accrual),
        &tighter,
        &[],
        day("2026-03-31"),
    );
    let after = after.unwrap();
    assert_eq!((after.minor, after.accrual.booked_minor), (0, 28_000));
    // One that will lift the cap of 2 % lifts it from its day on.
    let looser = [
        rule_of("2026-01-01", Some(200)),
        rule_of("2026-03-01", None),
    ];
    assert_eq!(minor(&owed, &looser, &[], "2026-02-28"), 20_000);
    assert_eq!(minor(&owed, &looser, &[], "2026-03-01"), 29_000);
    // Before the first begins nothing is earned and nothing capped.
    assert_eq!(minor(&owed, &tighter[1..], &[], "2026-02-28"), 0);
}

#[test]
fn nothing_is_earned_by_who_owes_nothing_or_has_no_rule() {
    let rules = [rule(3_600, 360)];
    assert_eq!(earned(&debt(100), None, &[], &[], 30_000), None);
    let paid = Debt {
        status: DebtStatus::Paid,
        ..debt(1_000_000)
    };
    let found = earned(&paid, None, &rules, &[], day("2026-02-28")).unwrap();
    assert_eq!(
        (found.minor, found.accrual.upto_day),
        (0, day("2026-02-28"))
    );
    let undated = Debt {
        due_date: "soon".into(),
        ..debt(100)
    };
    assert_eq!(earned(&undated, None, &rules, &[], 30_000), None);
}

/// A debt whose oldest item is owed again falls due earlier than it did when it was last looked at.
#[test]
fn before_its_day_it_is_no_further_than_today() {
    let rules = [rule(3_600, 360)];
    let later = Debt {
        due_date: "2026-03-31".into(),
        ..debt(1_000_000)
    };
    let found = earned(&later, None, &rules, &[], day("2026-02-18")).unwrap();
    assert_eq!(
        (found.minor, found.accrual.upto_day),
        (0, day("2026-02-18"))
    );
    let (owed, to) = (debt(1_000_000), day("2026-02-28"));
    let again = earned(&owed, Some(&found.accrual), &rules, &[], to).unwrap();
    assert_eq!(again.minor, 10_000, "ten days at 10.00");
}

#[test]
fn a_plan_and_a_breathing_space_stop_it() {
    let at = |text: &str| UtcMs(day(text) * 86_400_000 + 43_200_000);
    let owed = debt(1_000_000);
    let mut book = InterestBook::default();
    let zone = "America/Mexico_City".to_owned();
    book.rules
        .insert(owed.portfolio_id, (zone, vec![rule(3_600, 360)]));
    assert_eq!(
        book.owed(&owed, at("2026-02-28")).balance_minor(),
        1_028_000
    );
    let hold = Hold {
        id: HoldId(Uuid::from_u128(9)),
        client_id: owed.client_id,
        debtor_id: owed.debtor_id,
        scope: HoldScope::Debtor,
        debt_id: None,
        point_id: None,
        channel: None,
        kind: HoldKind::Moratorium,
        from: at("2026-02-08"),
        until: Some(at("2026-04-08")),
        lifted_at: None,
        evidence: String::new(),
    };
    book.holds.push(hold.clone());
    let stood = book.owed(&owed, at("2026-02-28"));
    assert_eq!(
        (stood.interest_minor, stood.overdue_minor),
        (8_000, 1_008_000)
    );
    book.holds[0].lifted_at = Some(at("2026-02-18"));
    assert_eq!(book.owed(&owed, at("2026-02-28")).interest_minor, 18_000);
    // Another reason to be left in peace is none to owe less.
    book.holds[0].kind = HoldKind::WritingOnly;
    assert_eq!(book.owed(&owed, at("2026-02-28")).interest_minor, 28_000);
    assert!(book.has(owed.portfolio_id));
}

proptest! {
    /// Computed in any steps or at once, it is the same; nothing below a minor unit is lost.
    #[test]
    fn steps_make_no_difference(
        principal in 0i64..5_000_000_000, rate in 0i32..100_000, long in any::<bool>(), grace in 0i32..60,
        cap in proptest::option::of(0i32..100_000),
        days in proptest::collection::vec(0i64..200, 1..8),
        pauses in proptest::collection::vec((0i64..600, 0i64..90), 0..4),
        second in proptest::option::of((1i64..500, 0i32..100_000)),
    ) {
        let start = day("2026-01-31");
        let year_days = if long { 365 } else { 360 };
        let first = InterestRule { grace_days: grace, cap_bp: cap, ..rule(rate, year_days) };
        let mut rules = vec![first.clone()];
        if let Some((from, rate_bp)) = second {
            rules.push(InterestRule { from_day: start + from, rate_bp, ..first });
        }
        let pauses: Vec<Pause> = pauses.iter().map(|(a, n)| (start + a, start + a + n)).collect();
        let owed = debt(principal);
        let (mut at, mut sum, mut accrual) = (start, 0, None);
        for step in days {
            at += step;
            let found = earned(&owed, accrual.as_ref(), &rules, &pauses, at).unwrap();
            prop_assert!(found.minor >= 0 && (0..PARTS).contains(&found.accrual.rest));
            sum += found.minor;
            accrual = Some(found.accrual);
        }
        let whole = earned(&owed, None, &rules, &pauses, at).unwrap();
        prop_assert_eq!(whole.minor, sum);
        prop_assert_eq!(accrual.map(|a| a.booked_minor), Some(sum));
        if let Some(cap) = cap {
            prop_assert!(i128::from(sum) <= i128::from(principal) * i128::from(cap) / 10_000);
        }
    }
}
