//! What a segment may be expected to bring, against the same added up by hand.

use super::super::scene::*;
use super::{aged, day_start, mark_ask, today};
use domain::ids::PortfolioId;
use domain::ports::StoreError;
use domain::ports::store::RecoveryAsk;
use domain::rules::ageing::AgeingSet;
use domain::rules::recovery::{
    Expected, RECOVERY_DAYS, RECOVERY_DEBTS_MIN, RecoveryRate, SHARE_PARTS,
};
use domain::segment::Expr;

/// Due days of debts, and their bucket on the morning and now.
pub(super) const OLD: &str = "2026-09-14"; // b31_60, b61_90
pub(super) const MIDDLE: &str = "2026-10-14"; // b1_30, b31_60
const YOUNG: &str = "2026-11-10"; // preventive, b1_30

/// What each debtor of middle age owes, and what he pays.
const MIDDLE_OWED: i64 = 70_000;
const MIDDLE_PAID: i64 = 7_000;

pub(super) fn morning() -> i64 {
    today() - RECOVERY_DAYS
}

pub(super) async fn owing(store: &Subject, scene: &Scene, due: &str, balance_minor: i64) -> Person {
    let mut person = scene.draft_person();
    person.debt = scene.draft_debt(person.debtor.id, balance_minor);
    person.debt.due_date = due.into();
    person.store(store).await;
    person
}

async fn also(
    store: &Subject,
    scene: &Scene,
    person: &Person,
    (due, balance_minor, currency): (&str, i64, &str),
) {
    let mut debt = scene.draft_debt(person.debtor.id, balance_minor);
    debt.due_date = due.into();
    debt.currency = currency.parse().expect("a currency");
    store.put_debt(&debt, &[]).await.expect("debt");
}

pub(super) async fn pays(store: &Subject, person: &Person, day: i64, amount_minor: i64) {
    let mut payment = person.payment(amount_minor);
    payment.paid_at = day_start(day);
    store.put_payment(&payment, &[]).await.expect("payment");
}

/// Old debts, as many as say something; what they stood at and what came in on them.
async fn old_debts(store: &Subject, scene: &Scene) -> (i64, i64) {
    let (mut balance, mut recovered) = (0, 0);
    for n in 0..RECOVERY_DEBTS_MIN {
        let owed = 100_000 + 1_000 * n;
        let person = owing(store, scene, OLD, owed).await;
        balance += owed;
        recovered += match n % 4 {
            0 => {
                pays(store, &person, morning(), 10_000 + n).await;
                10_000 + n
            }
            1 => {
                pays(store, &person, today() - 1, owed * 2).await;
                owed
            }
            2 => {
                pays(store, &person, today() - 9, 5_000).await;
                pays(store, &person, today() - 8, -9_000).await;
                0
            }
            _ => {
                pays(store, &person, morning() - 1, 20_000).await;
                pays(store, &person, today(), 20_000).await;
                0
            }
        };
        if n == 0 {
            // As old as his oldest.
            also(store, scene, &person, (YOUNG, 60_000, "MXN")).await;
            balance += 60_000;
        }
    }
    (balance, recovered)
}

async fn measured(store: &Subject, scene: &Scene, to: i64) {
    let ask = RecoveryAsk {
        portfolio: scene.portfolio.id,
        day: morning(),
        from: day_start(morning()),
        to: day_start(to),
        ageing: AgeingSet::default(),
    };
    store.measure_recovery(&ask).await.expect("measured");
}

pub(super) async fn expected(store: &Subject, scene: &Scene) -> Vec<Expected> {
    let (client, all) = (scene.client.id, Expr::All);
    let counted = store.segment_count(client, &all, NOW).await.expect("count");
    let shown = store.segment_estimate(client, &all, NOW, 1).await;
    assert_eq!(shown.expect("estimate").count, counted);
    for (expected, (currency, balance)) in counted.expected.iter().zip(&counted.balance) {
        assert_eq!(
            (&expected.currency, expected.balance_minor),
            (currency, *balance)
        );
    }
    counted.expected
}

pub(super) fn share(recovered: i64, balance: i64) -> RecoveryRate {
    RecoveryRate {
        parts: recovered * SHARE_PARTS / balance,
        own: true,
    }
}

pub(super) fn in_currency(
    currency: &str,
    [balance, amount, unknown, borrowed]: [i64; 4],
) -> Expected {
    Expected {
        currency: currency.into(),
        balance_minor: balance,
        amount_minor: amount,
        unknown_minor: unknown,
        borrowed_minor: borrowed,
    }
}

pub(super) async fn a_segment_is_weighed_by_what_came_in(store: &Subject) {
    let (large, small) = (Scene::new(store).await, Scene::new(store).await);
    let (old, came_in) = old_debts(store, &large).await;
    // One too few to say something, and no more of all clients together than do.
    let few = RECOVERY_DEBTS_MIN - 1;
    for _ in 0..few {
        let person = owing(store, &large, MIDDLE, MIDDLE_OWED).await;
        pays(store, &person, today() - 3, MIDDLE_PAID).await;
    }
    owing(store, &small, MIDDLE, 81_111).await;
    let mixed = owing(store, &small, YOUNG, 82_222).await;
    also(store, &small, &mixed, (YOUNG, 50_000, "USD")).await;
    for scene in [&large, &small] {
        let unknown = expected(store, scene).await;
        assert!(unknown.iter().all(|e| e.figure().is_none()));
    }
    for scene in [&large, &small] {
        let marked = store.mark_debts(&mark_ask(scene, morning()), &aged).await;
        assert_eq!(marked.expect("marked").next, None);
        // Measured again is measured once.
        measured(store, scene, today()).await;
        measured(store, scene, today()).await;
    }
    let (of_old, of_middle) = (
        share(came_in, old),
        share(few * MIDDLE_PAID, few * MIDDLE_OWED + 81_111),
    );
    let middle = few * MIDDLE_OWED;
    let brings = few * of_old.of(MIDDLE_OWED);
    let want = in_currency("MXN", [old + middle, brings, old, 0]);
    assert_eq!(expected(store, &large).await, [want]);
    let both = 81_111 + 82_222;
    let brings = of_old.of(81_111) + of_middle.of(82_222);
    let want = [
        in_currency("MXN", [both, brings, 0, both]),
        in_currency("USD", [50_000, 0, 50_000, 0]),
    ];
    assert_eq!(expected(store, &small).await, want);
    // Nothing came in: that is a figure, too.
    measured(store, &large, morning()).await;
    let nothing = expected(store, &large).await;
    assert_eq!(nothing[0].figure(), Some(0));
    let gone = RecoveryAsk {
        portfolio: fresh::<PortfolioId>(),
        day: morning(),
        from: day_start(morning()),
        to: day_start(today()),
        ageing: AgeingSet::default(),
    };
    let refused = store.measure_recovery(&gone).await;
    assert!(matches!(refused, Err(StoreError::NotFound("portfolio"))));
}
