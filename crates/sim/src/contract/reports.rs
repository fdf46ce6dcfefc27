//! Reports: marks of debts, goals, figures by SQL and by the event log alone over a random history.

mod buckets;
mod history;
mod recovery;
mod sent;

use super::attempts::ended;
use super::scene::*;
use domain::entity::{Bucket, CallResult, DebtMark, Goal, GoalKind, HOLDS_ON};
use domain::event::NewEvent;
use domain::ids::{AgentId, DebtId, DebtorId, EventId, GoalId, PortfolioId};
use domain::ports::StoreError;
use domain::ports::store::{BrokenAsk, KpiPage, MARK_STEP, MarkAsk, PromiseTerms};
use domain::rules::ageing::{AgeingSet, day_of};
use domain::rules::kpi::{CostRates, KpiAsk, KpiFact, KpiPeriod, KpiRows, mark_data};
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMs};
use serde_json::Value;

/// The group `reports`.
pub async fn all(store: Subject) {
    debts_are_marked_when_they_change(&store).await;
    marking_goes_on_behind_the_last_debt(&store).await;
    goals_are_kept(&store).await;
    broken_promises_and_actions_are_found(&store).await;
    sent::what_left_is_counted(&store).await;
    recovery::a_segment_is_weighed_by_what_came_in(&store).await;
    buckets::a_mark_keeps_the_bucket_of_its_day(&store).await;
    buckets::debts_are_weighed_by_the_client_s_own_buckets(&store).await;
    history::figures_by_sql_are_those_of_the_event_log(&store).await;
}

fn today() -> i64 {
    day_of("2026-11-23".parse().expect("a date"))
}

fn mark_ask(scene: &Scene, day: i64) -> MarkAsk {
    MarkAsk {
        portfolio: scene.portfolio.id,
        day,
        at: day_start(day).plus_ms(MINUTE_MS),
        limit: MARK_STEP,
        after: None,
        ageing: AgeingSet::default(),
    }
}

/// 15:00 UTC of `NOW`'s day is taken for the middle of it.
fn day_start(day: i64) -> UtcMs {
    UtcMs(day * DAY_MS)
}

fn told(kind: &str, subject: String, scene: &Scene, data: Value) -> NewEvent {
    NewEvent {
        id: fresh::<EventId>(),
        at: NOW,
        client_id: Some(scene.client.id),
        actor: "system".into(),
        kind: kind.into(),
        subject,
        data,
    }
}

fn aged(mark: &DebtMark) -> NewEvent {
    NewEvent {
        client_id: Some(mark.client_id),
        data: mark_data(mark),
        ..event("debt.aged", &format!("debt:{}", mark.debt_id))
    }
}

fn period(from_day: i64, to_day: i64) -> KpiPeriod {
    KpiPeriod {
        from_day,
        to_day,
        from: day_start(from_day),
        to: day_start(to_day),
    }
}

fn ask(scene: &Scene, period: KpiPeriod) -> KpiAsk {
    KpiAsk {
        client: scene.client.id,
        portfolio: Some(scene.portfolio.id),
        campaign: None,
        agents: None,
        currency: mxn(),
        period,
        rates: CostRates {
            attempt_minor: 35,
            minute_minor: 120,
        },
    }
}

async fn debts_are_marked_when_they_change(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, b) = (scene.person(store).await, scene.person(store).await);
    let before = store.last_cursor().await.expect("cursor");
    let mark = async |day| {
        store
            .mark_debts(&mark_ask(&scene, day), &aged)
            .await
            .expect("mark")
            .debts
    };
    assert_eq!(mark(today()).await, 2);
    // The same morning again, and a morning on which nothing changed: 41 days past due is as 40.
    assert_eq!((mark(today()).await, mark(today() + 1).await), (0, 0));
    let payment = a.payment(40_000);
    store
        .post_payment(&payment, &[], &of_promise)
        .await
        .expect("pay");
    assert_eq!(mark(today() + 2).await, 1);
    // 2026-10-14 is 61 days past due on 14 December: both move on.
    let day = day_of("2026-12-14".parse().expect("a date"));
    assert_eq!(mark(day).await, 2);
    let events = store.events_after(before, 500).await.expect("events");
    let marks: Vec<DebtMark> = events
        .into_iter()
        .filter(|e| e.event.kind == "debt.aged" && e.event.client_id == Some(scene.client.id))
        .map(|e| serde_json::from_value(e.event.data).expect("a mark"))
        .collect();
    let of = |id: DebtId| -> Vec<(i64, bool, Bucket, i64)> {
        let mine = marks.iter().filter(|m| m.debt_id == id);
        mine.map(|m| (m.day, m.first, m.bucket, m.balance_minor))
            .collect()
    };
    assert_eq!(
        of(a.debt.id),
        [
            (today(), true, Bucket::B31_60, 100_000),
            (today() + 2, false, Bucket::B31_60, 60_000),
            (day, false, Bucket::B61_90, 60_000),
        ]
    );
    assert_eq!(
        of(b.debt.id),
        [
            (today(), true, Bucket::B31_60, 100_000),
            (day, false, Bucket::B61_90, 100_000)
        ]
    );
    assert!(marks.iter().all(|m| m.until_day == HOLDS_ON));
    // A row at a time is all of them, in their order.
    let ask = ask(&scene, period(today(), day + 1));
    let rows = pages(store, KpiRows::OpenEnd, &ask).await;
    assert_eq!(rows.iter().map(|f| f.amount).sum::<i64>(), 160_000);
    assert_eq!(rows.len(), 2);
}

async fn marking_goes_on_behind_the_last_debt(store: &Subject) {
    let scene = Scene::new(store).await;
    let mut debts = Vec::new();
    for _ in 0..3 {
        debts.push(scene.person(store).await.debt.id);
    }
    debts.sort_unstable();
    let step = async |after| {
        let ask = MarkAsk {
            limit: 1,
            after,
            ..mark_ask(&scene, today())
        };
        let done = store.mark_debts(&ask, &aged).await.expect("mark");
        (done.debts, done.next)
    };
    // From the middle: who is before it is not looked at.
    assert_eq!(step(Some(debts[1])).await, (1, Some(debts[2])));
    assert_eq!(step(Some(debts[2])).await, (0, None));
    assert_eq!(step(None).await, (1, Some(debts[0])));
    assert_eq!(step(None).await, (1, Some(debts[1])), "the first is marked");
    assert_eq!(step(Some(debts[1])).await, (0, None));
    let gone = MarkAsk {
        portfolio: fresh::<PortfolioId>(),
        ..mark_ask(&scene, today())
    };
    let done = store.mark_debts(&gone, &aged).await;
    assert!(matches!(done, Err(StoreError::NotFound("portfolio"))));
}

async fn pages(store: &Subject, rows: KpiRows, ask: &KpiAsk) -> Vec<KpiFact> {
    let mut page = KpiPage {
        weighted: false,
        after: None,
        limit: 7,
    };
    let mut facts: Vec<KpiFact> = Vec::new();
    loop {
        let found = store.kpi_rows(rows, ask, &page).await.expect("rows");
        let Some(last) = found.last() else {
            return facts;
        };
        let of_debtor = |name: &str| rows.is_time() || name.starts_with("ref-");
        assert!(found.iter().all(|r| of_debtor(&r.external_ref)));
        page.after = Some((last.fact.at, last.fact.id));
        facts.extend(found.into_iter().map(|r| r.fact));
    }
}

async fn goals_are_kept(store: &Subject) {
    let scene = Scene::new(store).await;
    let mut goals = Vec::new();
    for (from, to) in [
        ("2026-11-01", "2026-11-30"),
        ("2026-11-23", "2026-11-23"),
        ("2026-12-01", "2026-12-31"),
    ] {
        let goal = Goal {
            id: fresh::<GoalId>(),
            client_id: scene.client.id,
            portfolio_id: Some(scene.portfolio.id),
            team_id: None,
            agent_id: Some(fresh::<AgentId>()),
            kind: GoalKind::Promises,
            currency: mxn(),
            target: 40,
            from_day: from.into(),
            to_day: to.into(),
            ended_at: None,
            created_at: NOW,
            updated_at: NOW,
        };
        store.put_goal(&goal, &[]).await.expect("goal");
        goals.push(goal);
    }
    let list = async |on, after| -> Vec<GoalId> {
        let found = store
            .goals(scene.client.id, on, after, 10)
            .await
            .expect("goals");
        found.iter().map(|g| g.id).collect()
    };
    let ids: Vec<GoalId> = goals.iter().map(|g| g.id).collect();
    assert_eq!(list(None, None).await, ids);
    assert_eq!(list(Some("2026-11-23"), None).await, ids[..2]);
    assert_eq!(list(None, Some(ids[0])).await, ids[1..]);
    goals[0].ended_at = Some(NOW);
    goals[0].target = 50;
    store.put_goal(&goals[0], &[]).await.expect("goal");
    assert_eq!(store.get_goal(ids[0]).await.expect("goal"), goals[0]);
    assert_eq!(list(Some("2026-11-30"), None).await, Vec::<GoalId>::new());
    let gone = store.get_goal(fresh::<GoalId>()).await;
    assert!(gone.is_err(), "no such goal");
}

async fn broken_promises_and_actions_are_found(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let people = [
        scene.person(store).await,
        scene.person(store).await,
        scene.person(store).await,
    ];
    let terms = PromiseTerms {
        min_minor: 1,
        max_minor: 100_000,
    };
    for (n, person) in people.iter().enumerate() {
        let mut promise = person.promise(10_000);
        promise.grace_until = NOW.plus_ms(i64::try_from(n).expect("few") * HOUR_MS);
        store
            .record_promise(&promise, terms, &[])
            .await
            .expect("record")
            .expect("allowed");
        store
            .sweep_promises(promise.grace_until, 100, &of_promise)
            .await
            .expect("sweep");
    }
    let mut asked = BrokenAsk {
        client: scene.client.id,
        from: NOW,
        to: NOW.plus_ms(2 * HOUR_MS),
        after: None,
        limit: 1,
    };
    let mut found: Vec<DebtorId> = Vec::new();
    loop {
        let page = store.broken_promises(&asked).await.expect("broken");
        let Some(last) = page.last() else { break };
        asked.after = last.closed_at.map(|at| (at, last.id));
        found.extend(page.iter().map(|p| p.debtor_id));
    }
    assert_eq!(found, [people[0].debtor.id, people[1].debtor.id]);
    // The sum is of all of them, whatever page was asked for, in the currency that was asked for.
    let currency = people[0].debt.currency;
    let sums = async |currency| {
        let sums = store.broken_sums(&asked, currency).await.expect("sums");
        (sums.rows, sums.minor)
    };
    assert_eq!(sums(Some(currency)).await, (2, 20_000));
    assert_eq!(sums("JPY".parse().ok()).await, (2, 0));
    assert_eq!(sums(None).await, (2, 0));
    let attempt = people[1].open(store, &lease, NOW).await;
    store
        .close_attempt(attempt.id, &ended(CallResult::Busy))
        .await
        .expect("close");
    let all: Vec<DebtorId> = people.iter().map(|p| p.debtor.id).collect();
    let done = store.actions_of(&all, NOW).await.expect("actions");
    assert_eq!(done.len(), 1);
    assert_eq!((done[0].debtor_id, done[0].attempts), (all[1], 1));
    assert_eq!(
        (done[0].last_at, done[0].last_result),
        (NOW, Some(CallResult::Busy))
    );
    let later = store
        .actions_of(&all, NOW.plus_ms(1))
        .await
        .expect("actions");
    assert!(later.is_empty());
}
