//! Reports: marks of debts, goals, figures by SQL and by the event log alone over a random history.
//! longer than the house limit: the random history is told with the helpers of the suite above it.

use super::attempts::ended;
use super::judges::Allow;
use super::scene::*;
use domain::entity::{
    Bucket, CallResult, DebtMark, Goal, GoalKind, HOLDS_ON, LedgerKind, LedgerRow, Promise,
    PromiseState,
};
use domain::event::NewEvent;
use domain::ids::{AgentId, AttemptId, CampaignId, DebtId, DebtorId, EventId, GoalId, PromiseId};
use domain::ports::store::{
    AttemptChange, BrokenAsk, Closing, KpiPage, MARK_STEP, MarkAsk, NodeLease, PromiseTerms,
};
use domain::rules::ageing::{date_of_day, day_of};
use domain::rules::kpi::{
    CostRates, KpiAsk, KpiFact, KpiPeriod, KpiRows, KpiSums, KpiWorld, mark_data,
};
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMs};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// Days of the random history.
const DAYS: i64 = 20;
/// Debtors in it.
const DEBTORS: usize = 12;

/// The group `reports`.
pub async fn all(store: Subject) {
    debts_are_marked_when_they_change(&store).await;
    goals_are_kept(&store).await;
    broken_promises_and_actions_are_found(&store).await;
    figures_by_sql_are_those_of_the_event_log(&store).await;
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
            (today(), true, Bucket::B31To60, 100_000),
            (today() + 2, false, Bucket::B31To60, 60_000),
            (day, false, Bucket::B61To90, 60_000),
        ]
    );
    assert_eq!(
        of(b.debt.id),
        [
            (today(), true, Bucket::B31To60, 100_000),
            (day, false, Bucket::B61To90, 100_000)
        ]
    );
    assert!(marks.iter().all(|m| m.until_day == HOLDS_ON));
    // A row at a time is all of them, in their order.
    let ask = ask(&scene, period(today(), day + 1));
    let rows = pages(store, KpiRows::OpenEnd, &ask).await;
    assert_eq!(rows.iter().map(|f| f.amount).sum::<i64>(), 160_000);
    assert_eq!(rows.len(), 2);
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
        assert!(found.iter().all(|r| r.external_ref.starts_with("ref-")));
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

/// A random history: written to the store step by step, and told as the center tells it.
struct History {
    scene: Scene,
    lease: NodeLease,
    people: Vec<Person>,
    agents: [AgentId; 3],
    campaigns: [CampaignId; 2],
    rng: ChaCha8Rng,
    events: Vec<NewEvent>,
}

impl History {
    fn tell(&mut self, kind: &str, subject: &str, data: Value) -> NewEvent {
        let event = told(kind, subject.to_owned(), &self.scene, data);
        self.events.push(event.clone());
        event
    }

    fn any(&mut self) -> Person {
        let n = self.rng.random_range(0..self.people.len());
        self.people[n].clone()
    }

    /// A call at `at`; the attempt and its agent when somebody talked.
    async fn call(&mut self, store: &Subject, at: UtcMs) -> Option<(Person, AttemptId, AgentId)> {
        let person = self.any();
        let campaign = self.campaigns[self.rng.random_range(0..2_usize)];
        let mut draft = person.draft(&self.lease, None, at);
        draft.attempt.campaign_id = Some(campaign);
        let id = draft.attempt.id;
        let subject = format!("attempt:{id}");
        let dialed =
            json!({"campaign_id": campaign, "debtor_id": person.debtor.id, "opened_at": at});
        draft.events = vec![self.tell("attempt.dialed", &subject, dialed)];
        store.open_attempt(&draft, &Allow).await.expect("open");
        let left = self.rng.random_bool(0.9);
        let agent = self.agents[self.rng.random_range(0..3_usize)];
        let talks = left && self.rng.random_bool(0.5);
        let answered = talks.then(|| at.plus_ms(9_000));
        let end = at.plus_ms(self.rng.random_range(10_000..300_000));
        let change = AttemptChange {
            invite_at: left.then_some(at),
            answered_at: answered,
            bridged_at: answered,
            agent_id: talks.then_some(agent),
            ..AttemptChange::default()
        };
        let mut events = Vec::new();
        if talks {
            events.push(self.tell("call.bridged", &subject, json!({"agent_id": agent})));
        }
        store
            .note_attempt(id, &change, &events)
            .await
            .expect("note");
        let code = talks.then(|| ["CD.PP", "CI.MT", "NC.CA"][self.rng.random_range(0..3_usize)]);
        let rpc = code == Some("CD.PP");
        let result = if talks {
            CallResult::Human
        } else {
            CallResult::NoAnswer
        };
        let mut events = vec![self.tell(
            "attempt.ended",
            &subject,
            json!({"result": result, "by": "far", "invited": left, "answered_at": answered, "ended_at": end}),
        )];
        if let Some(code) = code {
            let data = json!({"code": code, "agent_id": agent, "rpc": rpc});
            events.push(self.tell("disposition.set", &subject, data));
        }
        let row = store.get_attempt(id).await.expect("attempt");
        let talked = rpc.then(|| LedgerRow::of_attempt(&row, LedgerKind::Conversation, end));
        let closing = Closing {
            ended_at: Some(end),
            result: Some(result),
            disposition: code.map(str::to_owned),
            ledger: talked.into_iter().collect(),
            events,
            ..Closing::default()
        };
        store.close_attempt(id, &closing).await.expect("close");
        rpc.then_some((person, id, agent))
    }

    async fn promise(&mut self, store: &Subject, at: UtcMs, of: (Person, AttemptId, AgentId)) {
        let (person, attempt, agent) = of;
        let days = self.rng.random_range(0..4);
        let due = date_of_day(at.0 / DAY_MS + days).expect("a day");
        let mut row: Promise = person.promise(self.rng.random_range(1_000..60_000));
        row.id = fresh::<PromiseId>();
        row.attempt_id = Some(attempt);
        row.agent_id = Some(agent);
        row.due_date = due.to_string();
        row.made_at = at;
        row.grace_until = day_start(day_of(due) + 3);
        let data = json!({
            "debtor_id": row.debtor_id, "debt_id": row.debt_id, "due_date": row.due_date,
            "amount_minor": row.amount.amount_minor, "currency": row.amount.currency,
            "agent_id": agent, "attempt_id": attempt, "made_at": at,
        });
        let event = told(
            "promise.made",
            format!("promise:{}", row.id),
            &self.scene,
            data,
        );
        let terms = PromiseTerms {
            min_minor: 1,
            max_minor: 100_000,
        };
        let done = store
            .record_promise(&row, terms, std::slice::from_ref(&event))
            .await;
        // The debt has one already: refused, and nothing told.
        if done.expect("record").is_ok() {
            self.events.push(event);
        }
    }

    fn settled(&mut self, promises: &[Promise]) {
        for p in promises {
            let data = json!({"state": p.state});
            self.tell("promise.settled", &format!("promise:{}", p.id), data);
        }
    }

    async fn pay(&mut self, store: &Subject, at: UtcMs) {
        let person = self.any();
        let debt = store.get_debt(person.debt.id).await.expect("debt");
        if debt.balance_minor() <= 0 {
            return;
        }
        let most = debt.balance_minor();
        let amount = if self.rng.random_bool(0.3) {
            most
        } else {
            self.rng.random_range(1..=most)
        };
        let mut row = person.payment(amount);
        row.paid_at = at;
        row.posted_at = at;
        let mut back = None;
        if self.rng.random_bool(0.2) {
            let mut reversal = person.payment(-amount);
            reversal.reverses = Some(row.id);
            reversal.paid_at = at.plus_ms(HOUR_MS);
            reversal.posted_at = reversal.paid_at;
            back = Some(reversal);
        }
        for row in [Some(row), back].into_iter().flatten() {
            let data = json!({
                "debtor_id": row.debtor_id, "debt_id": row.debt_id,
                "amount_minor": row.amount.amount_minor, "currency": row.amount.currency,
                "paid_at": row.paid_at, "posted_at": row.posted_at,
            });
            let event = self.tell("payment.posted", &format!("payment:{}", row.id), data);
            let done = store
                .post_payment(&row, &[event], &of_promise)
                .await
                .expect("pay");
            self.settled(&done.promises);
        }
    }

    async fn day(&mut self, store: &Subject, day: i64) {
        let before = store.last_cursor().await.expect("cursor");
        let ask = mark_ask(&self.scene, day);
        store.mark_debts(&ask, &aged).await.expect("mark");
        let log = store.events_after(before, 500).await.expect("events");
        let client = Some(self.scene.client.id);
        let marks = log.into_iter().map(|e| e.event);
        self.events
            .extend(marks.filter(|e| e.client_id == client && e.kind == "debt.aged"));
        let swept = store
            .sweep_promises(day_start(day), 500, &of_promise)
            .await
            .expect("sweep");
        let ours: Vec<Promise> = swept
            .into_iter()
            .filter(|p| p.client_id == self.scene.client.id)
            .collect();
        self.settled(&ours);
        for n in 0..6 {
            let at = day_start(day).plus_ms((9 + n) * HOUR_MS);
            if let Some(talked) = self.call(store, at).await {
                self.promise(store, at, talked).await;
            }
            if self.rng.random_bool(0.3) {
                self.pay(store, at.plus_ms(MINUTE_MS)).await;
            }
        }
    }
}

async fn lived(store: &Subject, seed: u64) -> History {
    let scene = Scene::new(store).await;
    let mut people = Vec::new();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..DEBTORS {
        let mut person = scene.draft_person();
        let due = today() - DAYS - rng.random_range(-10..100);
        person.debt.due_date = date_of_day(due).expect("a day").to_string();
        person.store(store).await;
        people.push(person);
    }
    let mut history = History {
        lease: node(store).await,
        scene,
        people,
        agents: [fresh(), fresh(), fresh()],
        campaigns: [fresh(), fresh()],
        rng,
        events: Vec::new(),
    };
    for day in today() - DAYS..today() {
        history.day(store, day).await;
    }
    history
}

async fn figures_by_sql_are_those_of_the_event_log(store: &Subject) {
    for seed in 1..=2 {
        let history = lived(store, seed).await;
        let mut world = KpiWorld::default();
        history.events.iter().for_each(|e| world.take(e));
        let whole = ask(&history.scene, period(today() - DAYS, today() + 1));
        let late = ask(&history.scene, period(today() - 9, today() - 2));
        let mut seen = std::collections::BTreeSet::new();
        for base in [whole, late] {
            let asks = [
                base.clone(),
                KpiAsk {
                    portfolio: None,
                    ..base.clone()
                },
                KpiAsk {
                    campaign: Some(history.campaigns[0]),
                    ..base.clone()
                },
                KpiAsk {
                    agents: Some(history.agents[..2].to_vec()),
                    ..base.clone()
                },
                KpiAsk {
                    agents: Some(Vec::new()),
                    ..base
                },
            ];
            for ask in asks {
                for rows in KpiRows::ALL.iter().copied() {
                    let want = world.facts(rows, &ask);
                    let sums = store.kpi_sums(rows, &ask).await.expect("sums");
                    assert_eq!(sums, KpiSums::over(&want), "seed {seed}: sums of {rows}");
                    assert_eq!(pages(store, rows, &ask).await, want, "seed {seed}: {rows}");
                    if sums.weight != 0 || (sums.rows > 0 && rows.noun() == "promise") {
                        seen.insert(rows);
                    }
                }
            }
        }
        // A history in which a figure stays at nothing proves nothing for it.
        for rows in [
            KpiRows::Attempts,
            KpiRows::PromisesKept,
            KpiRows::DatedPayments,
            KpiRows::OverdueStart,
            KpiRows::Placed,
            KpiRows::ArrearsRolled,
            KpiRows::ArrearsCured,
            KpiRows::OpenEnd,
            KpiRows::Par30End,
            KpiRows::Regularised,
        ] {
            assert!(seen.contains(&rows), "seed {seed}: nothing in {rows}");
        }
        let broken = world
            .promises
            .values()
            .filter(|p| p.state == PromiseState::Broken)
            .count();
        assert!(broken > 0, "seed {seed}: no broken promise");
        assert!(world.attempts.len() > 100);
    }
}
