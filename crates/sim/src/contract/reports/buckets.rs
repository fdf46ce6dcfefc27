//! Each client's own buckets: a mark keeps the one of its day, figures compare days, and what debts bring is measured
//! and expected by the set that holds now.

use super::super::scene::*;
use super::recovery::{MIDDLE, OLD, expected, in_currency, morning, owing, pays, share};
use super::{aged, ask, day_start, mark_ask, period, today};
use domain::entity::{Bucket, PolicyVersion};
use domain::ports::store::{MarkAsk, RecoveryAsk};
use domain::rules::ageing::AgeingSet;
use domain::rules::kpi::{KpiRows, KpiSums};
use domain::rules::offers::ClientTerms;
use domain::rules::recovery::RECOVERY_DEBTS_MIN;

fn bucket(name: &str) -> Bucket {
    name.parse().expect("a bucket")
}

pub(super) async fn a_mark_keeps_the_bucket_of_its_day(store: &Subject) {
    let scene = Scene::new(store).await;
    // 40 days past due today.
    let person = scene.person(store).await;
    let before = store.last_cursor().await.expect("cursor");
    let own = AgeingSet::of_ends(&[0, 35, 45]);
    let mark = async |day: i64, ageing: &AgeingSet| {
        let ask = MarkAsk {
            ageing: ageing.clone(),
            ..mark_ask(&scene, day)
        };
        store.mark_debts(&ask, &aged).await.expect("marked").debts
    };
    assert_eq!(mark(today(), &AgeingSet::default()).await, 1);
    assert_eq!(mark(today(), &own).await, 0, "today's stays");
    assert_eq!(mark(today() + 1, &own).await, 1, "the set alone changed");
    assert_eq!(mark(today() + 5, &own).await, 0, "its last day");
    assert_eq!(mark(today() + 6, &own).await, 1);
    let events = store.events_after(before, 100).await.expect("events");
    let mut told = events.into_iter().map(|e| e.event);
    let subject = format!("debt:{}", person.debt.id);
    let mut of_him = Vec::new();
    while let Some(event) = told.find(|e| e.kind == "debt.aged" && e.subject == subject) {
        let named = (&event.data["day"], &event.data["bucket"]);
        of_him.push(format!("{} {}", named.0, named.1));
    }
    let day = today();
    let want = [
        format!("{day} \"b31_60\""),
        format!("{} \"b36_45\"", day + 1),
        format!("{} \"b46_plus\"", day + 6),
    ];
    assert_eq!(of_him, want);
    let sums = async |rows, from: i64, to: i64| -> KpiSums {
        let ask = ask(&scene, period(from, to));
        store.kpi_sums(rows, &ask).await.expect("sums")
    };
    let rolled = async |from, to| {
        let sums = sums(KpiRows::ArrearsRolled, from, to).await;
        (sums.rows, sums.amount, sums.weight)
    };
    let owed = person.debt.balance_minor();
    assert_eq!(rolled(day, day + 1).await, (1, owed, 0), "they overlap");
    assert_eq!(rolled(day + 1, day + 6).await, (1, owed, owed));
    assert_eq!(rolled(day, day + 6).await, (1, owed, 0), "31 to 60, now 46");
    assert_eq!(rolled(day + 6, day + 7).await, (0, 0, 0), "the last one");
    let at_risk = sums(KpiRows::Par30End, day, day + 1).await;
    assert_eq!((at_risk.amount, at_risk.weight), (owed, owed));
}

pub(super) async fn debts_are_weighed_by_the_client_s_own_buckets(store: &Subject) {
    let scene = Scene::new(store).await;
    let (mut balance, mut came_in) = (0, 0);
    for n in 0..RECOVERY_DEBTS_MIN {
        let owed = 50_000 + 1_000 * n;
        let due = if n % 2 == 0 { OLD } else { MIDDLE };
        let person = owing(store, &scene, due, owed).await;
        balance += owed;
        if n % 3 == 0 {
            pays(store, &person, today() - 2, 7_000 + n).await;
            came_in += 7_000 + n;
        }
    }
    // Marked by the standard set, in which they lie apart.
    let marked = store.mark_debts(&mark_ask(&scene, morning()), &aged).await;
    assert_eq!(marked.expect("marked").next, None);
    let own = AgeingSet::of_ends(&[0, 240]);
    let measured = async |ageing: &AgeingSet| {
        let ask = RecoveryAsk {
            portfolio: scene.portfolio.id,
            day: morning(),
            from: day_start(morning()),
            to: day_start(today()),
            ageing: ageing.clone(),
        };
        store.measure_recovery(&ask).await.expect("measured");
    };
    measured(&AgeingSet::default()).await;
    let version = PolicyVersion {
        id: fresh(),
        client_id: scene.client.id,
        version: 1,
        terms: ClientTerms {
            ageing: own.clone(),
            ..ClientTerms::default()
        },
        note: "two".into(),
        made_by: None,
        made_at: NOW,
    };
    store.add_policy(&version, &[]).await.expect("terms");
    let unknown = in_currency("MXN", [balance, 0, balance, 0]);
    assert_eq!(expected(store, &scene).await, [unknown], "not yet measured");
    measured(&own).await;
    let rate = share(came_in, balance);
    let each = (0..RECOVERY_DEBTS_MIN).map(|n| rate.of(50_000 + 1_000 * n));
    let want = in_currency("MXN", [balance, each.sum(), 0, 0]);
    assert_eq!(expected(store, &scene).await, [want]);
    assert_eq!(own.of(40), bucket("b1_240"));
}
