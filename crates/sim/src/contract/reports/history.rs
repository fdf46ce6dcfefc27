//! A random history, written to the store and told as the center tells it: each figure by SQL is the one that
//! the event log alone gives.

use super::super::judges::Allow;
use super::super::messages::{draft, plan, waiting};
use super::super::scene::*;
use super::{aged, ask, day_start, mark_ask, pages, period, today, told};
use domain::entity::{CallResult, LedgerKind, LedgerRow, MessageState, Promise, PromiseState};
use domain::event::NewEvent;
use domain::ids::{AgentId, AttemptId, CampaignId, PromiseId};
use domain::money::Currency;
use domain::ports::store::{
    AttemptChange, Closing, MarkAsk, MessageOpened, MessageStep, NodeLease, PromiseTerms,
};
use domain::rules::ageing::{AgeingSet, date_of_day, day_of};
use domain::rules::kpi::{KpiAsk, KpiRows, KpiSums, KpiWorld};
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMs};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// Days of the random history.
const DAYS: i64 = 20;
/// Debtors in it; the first of them owes in another currency.
const DEBTORS: usize = 12;

fn usd() -> Currency {
    "USD".parse().expect("a currency")
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
        row.amount.currency = person.debt.currency;
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
        row.amount.currency = debt.currency;
        row.paid_at = at;
        row.posted_at = at;
        let mut back = None;
        if self.rng.random_bool(0.2) {
            let mut reversal = person.payment(-amount);
            reversal.amount.currency = debt.currency;
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

    /// Every agent signs in, is in some states one after the other, and leaves; the last one in the night.
    async fn shift(&mut self, store: &Subject, day: i64) {
        const BUSY: [&str; 5] = ["ready", "reserved", "talking", "wrapup", "paused"];
        let mut told_today = Vec::new();
        for (n, agent) in self.agents.into_iter().enumerate() {
            let mut at = day_start(day).plus_ms(HOUR_MS * if n == 2 { 20 } else { 8 });
            let mut state = "offline";
            for step in 0..=BUSY.len() {
                let since = at;
                at = at.plus_ms(self.rng.random_range(0..2 * HOUR_MS));
                let to = BUSY.get(step).copied().unwrap_or("offline");
                let data = json!({
                    "from": state, "to": to, "since": since.0, "clients": [self.scene.client.id],
                });
                let event = NewEvent {
                    at,
                    client_id: None,
                    ..told(
                        "agent.state_changed",
                        format!("agent:{agent}"),
                        &self.scene,
                        data,
                    )
                };
                told_today.push(event);
                state = to;
            }
        }
        // Told twice, it counts once.
        for _ in 0..2 {
            store.append_events(&told_today).await.expect("told");
        }
        self.events.extend(told_today);
    }

    /// A message that its gateway takes for some money, each third one for money of another currency.
    async fn write(&mut self, store: &Subject, day: i64) {
        let turn = usize::try_from(day).expect("a day");
        let person = self.people[turn % self.people.len()].clone();
        let row = waiting(&person, None);
        plan(store, &row).await;
        let opened = store.open_message(&draft(&person, &row), &Allow).await;
        if !matches!(opened, Ok(MessageOpened::Open)) {
            return;
        }
        let at = day_start(day).plus_ms(10 * HOUR_MS);
        let code = if turn.is_multiple_of(3) { "USD" } else { "MXN" };
        let currency: Currency = code.parse().expect("a currency");
        let micro = 345_678 * (day % 7);
        let data = json!({
            "debtor_id": person.debtor.id, "cost_micro": micro, "currency": currency, "sent_at": at,
        });
        let event = self.tell("message.sent", &format!("message:{}", row.id), data);
        let step = MessageStep {
            state: Some(MessageState::Sent),
            at,
            cost: Some((micro, Some(currency))),
            ..MessageStep::default()
        };
        let noted = store.note_message(row.id, &step, &[event]).await;
        assert!(noted.expect("note"));
    }

    async fn day(&mut self, store: &Subject, day: i64) {
        let before = store.last_cursor().await.expect("cursor");
        // The client's set becomes another one and back: marks of before keep their buckets.
        let ageing = match day % 7 {
            0..=3 => AgeingSet::default(),
            _ => AgeingSet::of_ends(&[0, 15, 45, 50]),
        };
        let ask = MarkAsk {
            ageing,
            ..mark_ask(&self.scene, day)
        };
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
        self.shift(store, day).await;
        self.write(store, day).await;
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
    for n in 0..DEBTORS {
        let mut person = scene.draft_person();
        if n == 0 {
            person.debt.currency = usd();
        }
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

/// A question, and the same by all that narrows it.
fn asks_of(base: KpiAsk, history: &History) -> [KpiAsk; 6] {
    [
        base.clone(),
        KpiAsk {
            currency: usd(),
            ..base.clone()
        },
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
    ]
}

pub(super) async fn figures_by_sql_are_those_of_the_event_log(store: &Subject) {
    for seed in 1..=2 {
        let history = lived(store, seed).await;
        let mut world = KpiWorld::default();
        history.events.iter().for_each(|e| world.take(e));
        let whole = ask(&history.scene, period(today() - DAYS, today() + 1));
        let late = ask(&history.scene, period(today() - 9, today() - 2));
        let mut seen = std::collections::BTreeSet::new();
        for base in [whole, late] {
            let asks = asks_of(base, &history);
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
            KpiRows::Receivables,
            KpiRows::OpenDays,
            KpiRows::LoginTime,
            KpiRows::BusyTime,
            KpiRows::ServingTime,
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
        assert!(
            messages_cost(&world, &history),
            "seed {seed}: messages are free"
        );
        assert!(
            currencies_are_apart(&world, &history),
            "seed {seed}: a call counts in a currency that its debtor does not owe in"
        );
    }
}

/// Whether each call counts in the one currency that its debtor owes in.
fn currencies_are_apart(world: &KpiWorld, history: &History) -> bool {
    let whole = ask(&history.scene, period(today() - DAYS, today() + 1));
    let foreign = KpiAsk {
        currency: usd(),
        ..whole.clone()
    };
    let calls = |ask| world.facts(KpiRows::Attempts, ask).len();
    let (here, there) = (calls(&whole), calls(&foreign));
    let made = world.attempts.values().filter(|a| a.made).count();
    here > 0 && there > 0 && here + there == made
}

/// Whether messages cost something beside the calls.
fn messages_cost(world: &KpiWorld, history: &History) -> bool {
    let whole = ask(&history.scene, period(today() - DAYS, today() + 1));
    let spent = |rows| KpiSums::over(&world.facts(rows, &whole)).weight;
    spent(KpiRows::Spent) > spent(KpiRows::Attempts)
}
