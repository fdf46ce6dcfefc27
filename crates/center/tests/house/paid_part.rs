//! Money that does not close a debt: what waits is taken back, and what is still owed is planned anew.

use crate::messages::{
    Phones, all, by_hand, house, house_of, promise, somebody, step, strategy, template,
};
use crate::stops::payment;
use crate::strategies::today;
use crate::world::{House, NOBODY, Plan, campaign_id, debt_id};
use domain::entity::{
    Message, MessageState, PlannedState, StepAction, StrategyStep, StrategyTrigger,
};
use domain::ids::StrategyId;
use domain::ports::Clock as _;
use domain::ports::store::{
    CatalogStore as _, MessageStore as _, MoneyStore as _, PromiseTerms, StepAsk,
    StrategyStore as _,
};
use domain::time::UtcMs;

/// Wednesday 2026-11-25, 19:30 in Mexico City.
const EVENING: &str = "2026-11-26T01:30:00Z";

async fn pay(house: &House, minor: i64, reference: &str) {
    let paid = payment(house, 0, minor, reference);
    let posted = house.center.post_payment(somebody(), paid).await;
    assert!(!posted.expect("posted").debt_paid, "it is a part");
    // In less than a second.
    house.secs(1).await;
}

/// Until an instant, and a little behind it.
async fn until(house: &House, at: &str) {
    let at: UtcMs = at.parse().expect("an instant");
    let ms = at.since_ms(house.clock.now());
    house
        .secs(u64::try_from(ms / 1_000).expect("ahead") + 2)
        .await;
}

/// Steps and states of the messages of a strategy, in the order of their instants and turns.
async fn states(house: &House, of: StrategyId) -> Vec<(String, MessageState)> {
    let rows: Vec<Message> = all(house).await;
    let mut rows: Vec<_> = rows
        .into_iter()
        .filter(|m| m.strategy_id == Some(of))
        .collect();
    rows.sort_by_key(|m| (m.created_at, m.due_at));
    rows.into_iter().map(|m| (m.step, m.state)).collect()
}

async fn waiting(house: &House, of: StrategyId) -> Vec<String> {
    let mut rows = states(house, of).await;
    rows.retain(|(_, state)| *state == MessageState::Queued);
    rows.into_iter().map(|(step, _)| step).collect()
}

async fn calls(house: &House) -> Vec<(PlannedState, String)> {
    let ask = StepAsk {
        action: Some(StepAction::Call),
        limit: 9,
        ..StepAsk::default()
    };
    let rows = house.store.steps_page(&ask).await.expect("works");
    let mut ends: Vec<_> = rows
        .into_iter()
        .map(|s| (s.created_at, s.state, s.reason))
        .collect();
    ends.sort_by_key(|(at, ..)| *at);
    ends.into_iter()
        .map(|(_, state, why)| (state, why))
        .collect()
}

/// Of the due date: this evening, tonight where the law allows nothing, tomorrow noon; and a call.
async fn of_due_date(house: &House) -> StrategyId {
    // The day of the house's evening is over in UTC.
    let offset = today(house).await - 1;
    let call = StrategyStep {
        action: StepAction::Call,
        channels: Vec::new(),
        campaign_id: Some(campaign_id()),
        ..step("call", offset, "20:00")
    };
    let steps = vec![
        step("evening", offset, "20:00"),
        step("night", offset, "22:30"),
        step("after", offset + 1, "12:00"),
        call,
    ];
    let plan = strategy(1, StrategyTrigger::DueDate, steps);
    house.store.put_strategy(&plan, &[]).await.expect("works");
    plan.id
}

fn texts(phones: &Phones) -> usize {
    phones.got().len()
}

#[tokio::test(start_paused = true)]
async fn a_part_payment_takes_back_what_waits_and_the_rest_is_planned_anew_row_04() {
    let plan = Plan {
        at: EVENING,
        debtors: 1,
        mix: NOBODY,
        ..Plan::default()
    };
    let (house, phones) = house_of(&plan, Phones::default()).await;
    let body = "Hola {debtor.first_name}, llámenos por su asunto {debt.reference}.";
    let aviso = template("aviso", body);
    house
        .store
        .put_text_template(&aviso, &[])
        .await
        .expect("works");
    let due = of_due_date(&house).await;
    house.secs(31).await;
    assert_eq!(waiting(&house, due).await, ["evening", "night", "after"]);
    pay(&house, 10_000, "r-1").await;
    let rows = all(&house).await;
    let told = |m: &Message| m.state == MessageState::Cancelled && m.reason == "paid_part";
    assert!(rows.len() == 3 && rows.iter().all(told), "{rows:?}");
    let withdrawn = (PlannedState::Cancelled, "paid_part".to_owned());
    assert_eq!(calls(&house).await, std::slice::from_ref(&withdrawn));
    // What is written with the money known goes.
    let receipt = by_hand(0, "Recibimos su pago, gracias");
    house
        .center
        .queue_message(somebody(), receipt)
        .await
        .expect("queued");
    house.secs(1).await;
    assert_eq!(texts(&phones), 1);
    house.secs(30).await;
    assert_eq!(waiting(&house, due).await, ["evening", "night", "after"]);
    let anew = (PlannedState::Planned, String::new());
    assert_eq!(calls(&house).await, [withdrawn, anew]);
    until(&house, "2026-11-26T02:00:00Z").await;
    assert_eq!(texts(&phones), 2, "this evening's");
    // In the night: the hour of the step is long over, and it still waits for the morning.
    until(&house, "2026-11-26T11:00:00Z").await;
    pay(&house, 10_000, "r-2").await;
    assert!(waiting(&house, due).await.is_empty());
    house.secs(31).await;
    assert_eq!(waiting(&house, due).await, ["night", "after"]);
    let sent = states(&house, due).await.into_iter();
    let sent = sent.filter(|(step, state)| step == "evening" && *state != MessageState::Cancelled);
    assert_eq!(sent.count(), 1, "what has left is not planned again");
    cleared(&house, due).await;
}

/// All that was overdue is paid: nothing follows the due date any more, though half of the debt is owed.
async fn cleared(house: &House, due: StrategyId) {
    let debt = house.store.get_debt(debt_id(0)).await.expect("works");
    pay(house, debt.overdue_minor, "r-3").await;
    // Tomorrow's noon is less than a day away.
    house.secs(2 * 60).await;
    assert!(waiting(house, due).await.is_empty());
    let ends = calls(house).await;
    assert_eq!(ends.len(), 2, "{ends:?}");
}

#[tokio::test(start_paused = true)]
async fn the_reminder_of_a_promise_that_is_still_owed_is_planned_anew_row_04() {
    let (house, phones) = house(1).await;
    let aviso = template("aviso", "Hola {debtor.first_name}: el {promise.due_date}.");
    house
        .store
        .put_text_template(&aviso, &[])
        .await
        .expect("works");
    let plan = strategy(2, StrategyTrigger::Promise, vec![step("d-1", -1, "12:00")]);
    house.store.put_strategy(&plan, &[]).await.expect("works");
    let made = promise(0, house.clock.now(), "2026-11-26");
    let terms = PromiseTerms {
        min_minor: 1,
        max_minor: i64::MAX,
    };
    let done = house.store.record_promise(&made, terms, &[]).await;
    assert_eq!(done.expect("works"), Ok(()));
    house.secs(31).await;
    pay(&house, 10_000, "r-1").await;
    let withdrawn = ("d-1".to_owned(), MessageState::Cancelled);
    assert_eq!(states(&house, plan.id).await, [withdrawn]);
    house.secs(31).await;
    assert_eq!(waiting(&house, plan.id).await, ["d-1"]);
    until(&house, "2026-11-25T18:00:00Z").await;
    assert_eq!(texts(&phones), 1);
    // The rest keeps the promise, and what has left stays.
    pay(&house, 40_000, "r-2").await;
    house.secs(31).await;
    assert_eq!(states(&house, plan.id).await.len(), 2);
}
