//! Strategies: versions, the dates that steps are counted from, steps that people carry out, figures.

use super::messages::waiting;
use super::scene::*;
use domain::entity::{
    Channel, DebtStatus, Message, MessageState, Payment, PlannedState, PlannedStep, StepAction,
    Strategy, StrategyStatus, StrategyStep, StrategyTrigger,
};
use domain::ids::StrategyId;
use domain::ports::store::{
    CALLBACK_PRIORITY, ItemState, PageRequest, PlanAsk, PromiseTerms, StepAsk, StepCalled,
    StrategyFigures,
};
use domain::rules::strategy::CALL_PRIORITY;
use domain::segment::day_of_date;
use domain::time::HOUR_MS;
use tokio::task::JoinSet;

/// Runs the group.
pub async fn all(store: Subject) {
    versions_are_kept(&store).await;
    dates_come_from_debts_and_promises_row_04(&store).await;
    steps_wait_for_people_row_10(&store).await;
    a_call_is_put_once_whoever_comes(&store).await;
    an_agreed_call_back_stands_before_a_step(&store).await;
    an_arm_is_measured_by_whom_its_first_step_came_due_for(&store).await;
    money_of_before_and_money_taken_back_pay_no_arm(&store).await;
}

fn strategy(scene: &Scene) -> Strategy {
    Strategy {
        id: fresh(),
        client_id: scene.client.id,
        name: name("strategy"),
        trigger: StrategyTrigger::DueDate,
        segment: "days_past_due >= 1".into(),
        steps: vec![StrategyStep {
            key: "d1".into(),
            offset_days: 1,
            at: "10:00".into(),
            action: StepAction::Message,
            channels: vec![Channel::Whatsapp, Channel::Sms],
            template: "aviso".into(),
            tone: Some(domain::entity::Tone::Firm),
            campaign_id: None,
            letter: None,
            note: String::new(),
        }],
        champion_id: None,
        share_pct: 0,
        status: StrategyStatus::Draft,
        version: 1,
        created_at: NOW,
        updated_at: NOW,
    }
}

async fn versions_are_kept(store: &Subject) {
    let scene = Scene::new(store).await;
    let first = strategy(&scene);
    store.put_strategy(&first, &[]).await.expect("works");
    let second = Strategy {
        status: StrategyStatus::Active,
        version: 2,
        ..first.clone()
    };
    store.put_strategy(&second, &[]).await.expect("works");
    let versions = store.strategy_versions(first.id).await.expect("works");
    assert_eq!(versions, [first.clone(), second.clone()]);
    let active = store.active_strategies().await.expect("works");
    assert!(active.contains(&second));
    let page = PageRequest {
        limit: 5,
        cursor: None,
    };
    let page = store
        .strategies(Some(scene.client.id), &page)
        .await
        .expect("works");
    assert_eq!(page.items, [second]);
    let none = store.strategy_figures(first.id).await.expect("works");
    assert_eq!(none, StrategyFigures::default());
}

async fn dates_come_from_debts_and_promises_row_04(store: &Subject) {
    let scene = Scene::new(store).await;
    let (one, two) = (scene.person(store).await, scene.person(store).await);
    let day = day_of_date(&one.debt.due_date).expect("a date");
    let ask = PlanAsk {
        client: scene.client.id,
        portfolio: None,
        trigger: StrategyTrigger::DueDate,
        from_day: day,
        to_day: day,
        after: None,
        limit: 1,
    };
    let first = store.plan_sources(&ask).await.expect("works");
    let after = PlanAsk {
        after: first.last().map(|s| s.id),
        ..ask.clone()
    };
    let second = store.plan_sources(&after).await.expect("works");
    let debtors: Vec<_> = first.iter().chain(&second).map(|s| s.debtor_id).collect();
    assert!(
        debtors.contains(&one.debtor.id) && debtors.contains(&two.debtor.id),
        "{debtors:?}"
    );
    assert_eq!(debtors.len(), 2);
    let outside = PlanAsk {
        from_day: day + 1,
        to_day: day + 9,
        limit: 9,
        ..ask.clone()
    };
    assert!(
        store
            .plan_sources(&outside)
            .await
            .expect("works")
            .is_empty()
    );
    let closed = domain::entity::Debt {
        status: DebtStatus::Recalled,
        ..two.debt.clone()
    };
    store.put_debt(&closed, &[]).await.expect("works");
    let all = PlanAsk { limit: 9, ..ask };
    let left = store.plan_sources(&all).await.expect("works");
    assert_eq!(
        left.iter().map(|s| s.debt_id).collect::<Vec<_>>(),
        [one.debt.id]
    );
    promised(store, &one, all).await;
}

async fn promised(store: &Subject, one: &Person, all: PlanAsk) {
    let promise = one.promise(10_000);
    let terms = PromiseTerms {
        min_minor: 1,
        max_minor: 100_000_000,
    };
    let made = store
        .record_promise(&promise, terms, &[])
        .await
        .expect("works");
    assert_eq!(made, Ok(()));
    let due = day_of_date(&promise.due_date).expect("a date");
    let ask = PlanAsk {
        trigger: StrategyTrigger::Promise,
        from_day: due,
        to_day: due,
        ..all
    };
    let found = store.plan_sources(&ask).await.expect("works");
    assert_eq!(
        found.iter().map(|s| s.promise_id).collect::<Vec<_>>(),
        [Some(promise.id)]
    );
    assert_eq!(found[0].date, promise.due_date);
}

pub(super) fn planned(who: &Person, key: &str, hours: i64) -> PlannedStep {
    PlannedStep {
        id: fresh(),
        client_id: who.debtor.client_id,
        debtor_id: who.debtor.id,
        debt_id: Some(who.debt.id),
        strategy_id: fresh(),
        strategy_version: 1,
        step: "d1".into(),
        action: StepAction::Review,
        campaign_id: None,
        plan_key: key.to_owned(),
        due_at: NOW.plus_ms(hours * HOUR_MS),
        state: PlannedState::Planned,
        reason: String::new(),
        note: "mirar".into(),
        created_at: NOW,
        ended_at: None,
        ended_by: String::new(),
    }
}

async fn steps_wait_for_people_row_10(store: &Subject) {
    let scene = Scene::new(store).await;
    let who = scene.person(store).await;
    let step = |key: &str, hours: i64| planned(&who, key, hours);
    let (late, soon) = (step("b", 2), step("a", 1));
    let rows = [late.clone(), soon.clone(), step("a", 3)];
    assert_eq!(store.plan_steps(&rows, &[]).await.expect("works"), 2);
    let ask = StepAsk {
        client: Some(scene.client.id),
        state: Some(PlannedState::Planned),
        limit: 1,
        ..StepAsk::default()
    };
    let page = store.steps_page(&ask).await.expect("works");
    assert_eq!(page, std::slice::from_ref(&soon));
    let next = StepAsk {
        after: Some((soon.due_at, soon.id)),
        limit: 9,
        ..ask.clone()
    };
    assert_eq!(
        store.steps_page(&next).await.expect("works"),
        std::slice::from_ref(&late)
    );
    let (done, by) = (PlannedState::Done, "user:u");
    assert!(
        store
            .end_step(soon.id, done, "hecho", by, NOW, &[])
            .await
            .expect("works")
    );
    assert!(
        !store
            .end_step(soon.id, done, "otra vez", by, NOW, &[])
            .await
            .expect("works")
    );
    let ended = store.get_step(soon.id).await.expect("works");
    assert_eq!(
        (ended.state, ended.reason.as_str(), ended.ended_by.as_str()),
        (done, "hecho", by)
    );
    // Money takes back what is planned.
    let paid = who.payment(who.debt.balance_minor());
    store
        .post_payment(&paid, &[], &of_promise)
        .await
        .expect("works");
    let told = |m: &domain::entity::Message| event("message.cancelled", &m.id.to_string());
    store
        .withdraw_messages(who.debtor.id, NOW, &told)
        .await
        .expect("works");
    let gone = store.get_step(late.id).await.expect("works");
    assert_eq!(
        (gone.state, gone.reason.as_str()),
        (PlannedState::Cancelled, "debt_closed")
    );
}

/// Several nodes carry the same step out while the dialer writes where the debtor stands: one of them puts him
/// at the head, and nothing that the dialer counted is lost.
async fn a_call_is_put_once_whoever_comes(store: &Subject) {
    let scene = Scene::new(store).await;
    let who = scene.person(store).await;
    let campaign = scene.campaign(store).await;
    let step = PlannedStep {
        action: StepAction::Call,
        campaign_id: Some(campaign.id),
        ..planned(&who, "call", 0)
    };
    store
        .plan_steps(std::slice::from_ref(&step), &[])
        .await
        .expect("works");
    let item = store.items_of(who.debtor.id).await.expect("works");
    let tried = ItemState {
        attempts: 7,
        next_at: NOW.plus_ms(9 * HOUR_MS),
        ..item.first().cloned().expect("in the campaign")
    };
    store.put_item(&tried, &[]).await.expect("works");
    let mut nodes = JoinSet::new();
    for _ in 0..6 {
        let (store, id) = (store.clone(), step.id);
        nodes.spawn(async move {
            let told = event("strategy.called", &format!("strategy:{id}"));
            store.call_step(id, NOW, &[told]).await.expect("works")
        });
    }
    let done = nodes.join_all().await;
    let called = done.iter().filter(|d| **d == StepCalled::Called).count();
    let gone = done.iter().filter(|d| **d == StepCalled::Gone).count();
    assert_eq!((called, gone), (1, 5), "{done:?}");
    let items = store.items_of(who.debtor.id).await.expect("works");
    let head = ItemState {
        priority: CALL_PRIORITY,
        next_at: NOW,
        ..tried
    };
    assert_eq!(items, [head]);
    let ended = store.get_step(step.id).await.expect("works");
    assert_eq!(
        (ended.state, ended.ended_at),
        (PlannedState::Done, Some(NOW))
    );
}

async fn an_agreed_call_back_stands_before_a_step(store: &Subject) {
    let scene = Scene::new(store).await;
    let who = scene.person(store).await;
    let campaign = scene.campaign(store).await;
    let step = PlannedStep {
        action: StepAction::Call,
        campaign_id: Some(campaign.id),
        ..planned(&who, "call", 0)
    };
    store
        .plan_steps(std::slice::from_ref(&step), &[])
        .await
        .expect("works");
    let items = store.items_of(who.debtor.id).await.expect("works");
    let agreed = ItemState {
        priority: CALLBACK_PRIORITY,
        note: "callback".into(),
        next_at: NOW.plus_ms(HOUR_MS),
        ..items.first().cloned().expect("in the campaign")
    };
    store.put_item(&agreed, &[]).await.expect("works");
    let done = store.call_step(step.id, NOW, &[]).await.expect("works");
    assert_eq!(done, StepCalled::Refused("callback_agreed"));
    let items = store.items_of(who.debtor.id).await.expect("works");
    assert_eq!(items, [agreed]);
    let ended = store.get_step(step.id).await.expect("works");
    assert_eq!(
        (ended.state, ended.reason.as_str()),
        (PlannedState::Refused, "callback_agreed")
    );
}

/// Plans a step that came due now, and ends it.
async fn came_due(store: &Subject, step: PlannedStep, state: PlannedState) {
    let planned = store.plan_steps(std::slice::from_ref(&step), &[]).await;
    assert_eq!(planned.expect("works"), 1);
    let ended = store.end_step(step.id, state, "", "system", NOW, &[]).await;
    assert!(ended.expect("works"));
}

async fn an_arm_is_measured_by_whom_its_first_step_came_due_for(store: &Subject) {
    let scene = Scene::new(store).await;
    let arm: StrategyId = fresh();
    let step = |who: &Person, key: &str, hours: i64, action: StepAction| PlannedStep {
        strategy_id: arm,
        action,
        ..planned(who, key, hours)
    };
    let figures = async || store.strategy_figures(arm).await.expect("works");
    let mut people = Vec::new();
    for _ in 0..6 {
        people.push(scene.person(store).await);
    }
    let call = step(&people[0], "call", 0, StepAction::Call);
    came_due(store, call, PlannedState::Done).await;
    let later = step(&people[0], "later", -1, StepAction::Letter);
    came_due(store, later, PlannedState::Done).await;
    let found = figures().await;
    assert_eq!((found.debtors, found.payers), (1, 0), "one debtor, once");
    assert_eq!(found.calls, [(mxn(), 1)]);
    let refused = step(&people[1], "refused", 0, StepAction::Call);
    came_due(store, refused, PlannedState::Refused).await;
    let removed = Message {
        strategy_id: Some(arm),
        state: MessageState::Refused,
        ended_at: Some(NOW),
        ..waiting(&people[2], Some(&name("removed")))
    };
    let waits = Message {
        strategy_id: Some(arm),
        ..waiting(&people[3], Some(&name("waits")))
    };
    store
        .plan_messages(&[removed, waits], &[])
        .await
        .expect("works");
    // Taken back while it waited for a person, and before it was due.
    let after = step(&people[4], "after", 0, StepAction::Review);
    came_due(store, after, PlannedState::Cancelled).await;
    let before = step(&people[5], "before", 1, StepAction::Review);
    came_due(store, before, PlannedState::Cancelled).await;
    let found = figures().await;
    assert_eq!(found.debtors, 4, "called, refused twice, taken back late");
    assert_eq!(found.calls, [(mxn(), 1)], "a refused call costs nothing");
}

async fn money_of_before_and_money_taken_back_pay_no_arm(store: &Subject) {
    let who = Scene::new(store).await.person(store).await;
    let arm: StrategyId = fresh();
    let step = PlannedStep {
        strategy_id: arm,
        action: StepAction::Call,
        ..planned(&who, "call", 0)
    };
    came_due(store, step, PlannedState::Done).await;
    let post = async |row: &Payment| {
        let done = store.post_payment(row, &[], &of_promise).await;
        done.expect("posted");
    };
    let back = |first: &Payment| Payment {
        reverses: Some(first.id),
        paid_at: NOW.plus_ms(HOUR_MS),
        posted_at: NOW.plus_ms(HOUR_MS),
        ..who.payment(-first.amount.amount_minor)
    };
    let earlier = NOW.plus_ms(-50 * HOUR_MS);
    let old = Payment {
        paid_at: earlier,
        posted_at: earlier,
        ..who.payment(20_000)
    };
    let figures = async || {
        let found = store.strategy_figures(arm).await.expect("works");
        let paid: i64 = found.paid.iter().map(|(_, minor)| minor).sum();
        (found.debtors, found.payers, paid)
    };
    post(&old).await;
    assert_eq!(figures().await, (1, 0, 0), "paid before");
    post(&back(&old)).await;
    assert_eq!(figures().await, (1, 0, 0), "taken back afterwards");
    let new = who.payment(10_000);
    post(&new).await;
    assert_eq!(figures().await, (1, 1, 10_000));
    post(&back(&new)).await;
    assert_eq!(figures().await, (1, 0, 0), "it did not stay");
}
