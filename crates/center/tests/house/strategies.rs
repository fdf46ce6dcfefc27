//! Strategies: each arm works its own debtors, and a trial shows what the law takes out.

use crate::messages::{all, house, step, strategy, template};
use crate::world::{House, campaign_id, client_id, debt_id, debtor_id, page};
use domain::entity::{
    BatchState, Channel, Hold, HoldKind, LetterLevel, PlannedState, PlannedStep, StepAction,
    Strategy, StrategyStep, StrategyTrigger,
};
use domain::ids::StrategyId;
use domain::ports::Clock as _;
use domain::ports::store::{
    CatalogStore as _, LawStore as _, LetterStore as _, MessageStore as _, NodeStore as _, StepAsk,
    StrategyStore as _,
};
use domain::time::HOUR_MS;

#[tokio::test(start_paused = true)]
async fn each_arm_works_its_debtors_and_a_trial_shows_what_the_law_removes_row_14() {
    let (house, phones) = house(40).await;
    let now = house.clock.now();
    let body = "Hola {debtor.first_name}, llámenos por su asunto {debt.reference}.";
    house
        .store
        .put_text_template(&template("aviso", body), &[])
        .await
        .expect("works");
    // Two hours from now, in Mexico, on whatever day the debts fell due.
    let debt = house.store.get_debt(debt_id(0)).await.expect("works");
    let due = domain::segment::day_of_date(&debt.due_date).expect("a date");
    let offset = i32::try_from(domain::segment::utc_day(now) - due).expect("a few days");
    let steps = vec![step("one", offset, "12:00")];
    let champion = strategy(1, StrategyTrigger::DueDate, steps.clone());
    let challenger = Strategy {
        champion_id: Some(champion.id),
        share_pct: 50,
        ..strategy(2, StrategyTrigger::DueDate, steps)
    };
    let segment = Strategy {
        segment: "balance >= 999999.00".into(),
        ..strategy(
            3,
            StrategyTrigger::DueDate,
            vec![step("none", offset, "12:00")],
        )
    };
    for row in [&champion, &challenger, &segment] {
        house.store.put_strategy(row, &[]).await.expect("works");
    }
    on_trial(&house, offset + 1).await;
    calls_on_trial(&house, offset + 1).await;
    house.secs(31).await;
    house
        .secs(u64::try_from(3 * HOUR_MS / 1_000).expect("seconds"))
        .await;
    assert_eq!(phones.got().len(), 40, "each debtor by one arm");
    let of = |strategy: &Strategy| house.store.strategy_figures(strategy.id);
    let (first, second) = (
        of(&champion).await.expect("works"),
        of(&challenger).await.expect("works"),
    );
    assert_eq!(first.debtors + second.debtors, 40);
    assert!(
        first.debtors > 8 && second.debtors > 8,
        "{first:?} {second:?}"
    );
    assert_eq!(of(&segment).await.expect("works").debtors, 0);
}

/// Five messages on one day, of which the law leaves three a week; nothing is planned.
async fn on_trial(house: &House, offset: i32) {
    let many = ["09:00", "12:00", "15:00", "18:00", "20:00"];
    let steps = many
        .iter()
        .enumerate()
        .map(|(n, at)| step(&format!("s{n}"), offset, at));
    let trial = strategy(4, StrategyTrigger::DueDate, steps.collect());
    let id = house.center.try_strategy(trial, None, 7);
    house.secs(1).await;
    let (_, job) = house.center.strategy_trial(id).expect("remembered");
    let result = job.result().expect("done");
    assert_eq!((result.debtors, result.cut), (40, false));
    let made: u64 = result.days.iter().map(|d| d.made).sum();
    let removed: u64 = result.days.iter().map(|d| d.removed).sum();
    assert_eq!((made, removed), (120, 80), "{:?}", result.days);
    assert_eq!(result.costs[0].cost_micro, 120 * 350_000);
    assert_eq!(
        (
            result.removed.len(),
            result.rules.iter().map(|r| r.steps).sum::<u64>()
        ),
        (80, 80)
    );
    assert!(
        all(house)
            .await
            .iter()
            .all(|m| m.strategy_id != Some(StrategyId(crate::world::id(4))))
    );
}

/// Calls cost an attempt each by the client's rates.
async fn calls_on_trial(house: &House, offset: i32) {
    let rates = r#"{"attempt_minor":12,"minute_minor":85}"#;
    let key = format!("costs:{}", client_id());
    house.store.put_setting(&key, rates).await.expect("works");
    let call = StrategyStep {
        action: StepAction::Call,
        channels: Vec::new(),
        campaign_id: Some(campaign_id()),
        ..step("call", offset, "12:00")
    };
    let trial = strategy(5, StrategyTrigger::DueDate, vec![call]);
    let id = house.center.try_strategy(trial, None, 7);
    house.secs(1).await;
    let (_, job) = house.center.strategy_trial(id).expect("remembered");
    let costs = job.result().expect("done").costs;
    assert_eq!(costs.len(), 1, "{costs:?}");
    assert_eq!((costs[0].channel, costs[0].messages), (Channel::Call, 40));
    assert_eq!(costs[0].cost_micro, 40 * 120_000);
    assert!(costs[0].currency.is_some());
}

/// Days from a debt's due date to today, in the house.
pub(crate) async fn today(house: &House) -> i32 {
    let debt = house.store.get_debt(debt_id(0)).await.expect("works");
    let due = domain::segment::day_of_date(&debt.due_date).expect("a date");
    let now = domain::segment::utc_day(house.clock.now());
    i32::try_from(now - due).expect("a few days")
}

#[tokio::test(start_paused = true)]
async fn a_letter_step_makes_its_letter_for_the_printer_row_07() {
    let (house, _) = house(3).await;
    let letter = |key: &str, at: &str, letter| StrategyStep {
        action: StepAction::Letter,
        channels: Vec::new(),
        template: String::new(),
        letter,
        ..step(key, 0, at)
    };
    let offset = today(&house).await;
    let steps = [
        letter("firm", "12:00", Some(LetterLevel::L2)),
        // A year is not over: the last one may not go out yet at this age, and is not forced.
        letter("by-age", "13:00", None),
    ];
    let steps = steps.map(|s| StrategyStep {
        offset_days: offset,
        ..s
    });
    let plan = strategy(9, StrategyTrigger::DueDate, steps.to_vec());
    house.store.put_strategy(&plan, &[]).await.expect("works");
    house.secs(31).await;
    let none = house.store.letters_of(debtor_id(0), 9).await;
    assert!(none.expect("works").is_empty(), "not before its hour");
    house
        .secs(u64::try_from(2 * HOUR_MS / 1_000 + 60).expect("seconds"))
        .await;
    let batches = house.store.batches_page(Some(client_id()), &page()).await;
    let batches = batches.expect("works").items;
    assert_eq!(batches.len(), 1, "one pile: {batches:?}");
    assert_eq!(
        (batches[0].level, batches[0].state, batches[0].made),
        (LetterLevel::L2, BatchState::Done, 3)
    );
    assert_eq!(
        (batches[0].strategy_id, batches[0].segment_id),
        (Some(plan.id), None)
    );
    for n in 0..3 {
        let letters = house
            .store
            .letters_of(debtor_id(n), 9)
            .await
            .expect("works");
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].batch_id, batches[0].id);
        let ledger = house.store.ledger_of(debtor_id(n)).await.expect("works");
        let counted = ledger.iter().filter(|l| l.channel == Channel::Letter);
        assert_eq!(counted.count(), 1, "counted in the one ledger");
    }
    house
        .secs(u64::try_from(HOUR_MS / 1_000).expect("seconds"))
        .await;
    let ask = StepAsk {
        action: Some(StepAction::Letter),
        limit: 50,
        ..StepAsk::default()
    };
    let steps = house.store.steps_page(&ask).await.expect("works");
    assert_eq!(steps.len(), 6);
    let open = steps.iter().filter(|s| s.state == PlannedState::Planned);
    assert_eq!(open.count(), 0, "{steps:?}");
    let letters = house
        .store
        .letters_of(debtor_id(0), 9)
        .await
        .expect("works");
    assert_eq!(letters[0].level, LetterLevel::L4, "55 days past due");
    assert!(house.kinds().await.iter().any(|k| k == "letter.rendered"));
}

/// A debtor who wants nothing more by a channel.
async fn wants_none_by(house: &House, n: u128, channel: Channel) {
    let hold = Hold {
        channel: Some(channel),
        ..house.hold(debtor_id(n), HoldKind::ChannelOptout)
    };
    house.store.put_hold(&hold, &[]).await.expect("a hold");
}

#[tokio::test(start_paused = true)]
async fn calls_and_letters_are_judged_when_they_are_planned_as_on_trial_row_14() {
    let (house, _) = house(3).await;
    wants_none_by(&house, 0, Channel::Call).await;
    wants_none_by(&house, 1, Channel::Letter).await;
    let offset = today(&house).await;
    let of = |key: &str, at: &str, action: StepAction| StrategyStep {
        offset_days: offset,
        action,
        channels: Vec::new(),
        template: String::new(),
        campaign_id: (action == StepAction::Call).then(campaign_id),
        letter: (action == StepAction::Letter).then_some(LetterLevel::L2),
        ..step(key, 0, at)
    };
    let steps = [
        of("letter", "12:00", StepAction::Letter),
        of("call", "13:00", StepAction::Call),
        of("look", "14:00", StepAction::Review),
        // Behind the hours of the law: the next morning, at seven.
        of("night", "23:00", StepAction::Call),
    ];
    let plan = strategy(9, StrategyTrigger::DueDate, steps.to_vec());
    let tried = house.center.try_strategy(plan.clone(), None, 1);
    house.secs(1).await;
    let (_, job) = house.center.strategy_trial(tried).expect("remembered");
    let trial = job.result().expect("done");
    house.store.put_strategy(&plan, &[]).await.expect("works");
    house.secs(31).await;
    let ask = StepAsk {
        limit: 50,
        ..StepAsk::default()
    };
    let rows = house.store.steps_page(&ask).await.expect("works");
    assert_eq!(rows.len(), 12, "{rows:?}");
    let mut refused: Vec<_> = rows
        .iter()
        .filter(|s| s.state == PlannedState::Refused)
        .map(|s| (s.debtor_id, s.step.clone(), s.due_at, s.reason.clone()))
        .collect();
    refused.sort();
    let told: Vec<(_, &str)> = refused.iter().map(|r| (r.0, r.1.as_str())).collect();
    let (first, second) = (debtor_id(0), debtor_id(1));
    assert_eq!(
        told,
        [(first, "call"), (first, "night"), (second, "letter")]
    );
    assert!(refused.iter().all(|r| r.3.ends_with("hold/channel_optout")));
    let removed = trial.removed.into_iter();
    let mut removed: Vec<_> = removed
        .map(|r| (r.debtor_id, r.step, r.due_at, r.rule))
        .collect();
    removed.sort();
    assert_eq!(removed, refused, "the trial said so");
    let open = |of: &str| {
        let of = |s: &&PlannedStep| s.action.as_str() == of && s.state == PlannedState::Planned;
        rows.iter().filter(of).collect::<Vec<_>>()
    };
    for day in &trial.days {
        assert_eq!(open(&day.way).len() as u64, day.made, "{day:?}");
    }
    let moved: u64 = trial.days.iter().map(|d| d.moved).sum();
    let mut late = open("call");
    late.retain(|s| s.step == "night");
    assert_eq!((moved, late.len()), (2, 2));
    let seven = "2026-11-26T13:00:00.000Z";
    assert!(late.iter().all(|s| s.due_at.to_string() == seven));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_a_promise_silences_is_planned_once_the_promise_is_over() {
    let (house, _) = house(1).await;
    let silent = Hold {
        until: Some(house.clock.now().plus_ms(2 * 24 * HOUR_MS)),
        ..house.hold(debtor_id(0), HoldKind::Promise)
    };
    house.store.put_hold(&silent, &[]).await.expect("a hold");
    let call = StrategyStep {
        offset_days: today(&house).await,
        action: StepAction::Call,
        channels: Vec::new(),
        template: String::new(),
        campaign_id: Some(campaign_id()),
        ..step("call", 0, "13:00")
    };
    let plan = strategy(9, StrategyTrigger::DueDate, vec![call]);
    house.store.put_strategy(&plan, &[]).await.expect("works");
    house.secs(31).await;
    let ask = StepAsk {
        limit: 50,
        ..StepAsk::default()
    };
    let rows = house.store.steps_page(&ask).await.expect("works");
    assert_eq!(rows, [], "neither planned nor refused for good");
    let lifted = Hold {
        lifted_at: Some(house.clock.now()),
        ..silent
    };
    house.store.put_hold(&lifted, &[]).await.expect("lifted");
    house.secs(61).await;
    let rows = house.store.steps_page(&ask).await.expect("works");
    let states: Vec<_> = rows.iter().map(|s| s.state).collect();
    assert_eq!(states, [PlannedState::Planned], "{rows:?}");
}
