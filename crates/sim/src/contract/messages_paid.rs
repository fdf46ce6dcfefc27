//! What money takes back that does not close a debt, and what may be planned again behind it.

use super::judges::Allow;
use super::messages::{open, person, plan, waiting};
use super::messages_ends::withdrawn;
use super::scene::*;
use super::strategies::planned;
use domain::entity::{
    Debt, Message, MessagePurpose, MessageState, Payment, PlannedState, PlannedStep, StepAction,
    StrategyTrigger,
};
use domain::ports::store::{MessageOpened, PlanAsk, StepCalled};
use domain::segment::day_of_date;
use domain::time::UtcMs;

const PAID: (MessageState, &str) = (MessageState::Cancelled, "paid_part");

/// Runs the group.
pub(super) async fn all(store: &Subject) {
    money_withdraws_every_contact_of_its_debtor_row_04(store).await;
    what_is_still_owed_is_planned_again_and_nothing_twice_row_04(store).await;
    money_taken_back_withdraws_nothing(store).await;
    a_step_that_was_missed_is_stopped_when_it_is_made(store).await;
    nothing_follows_a_due_date_once_what_was_overdue_is_paid_row_04(store).await;
}

/// Money of a debtor so many minor units large and so many ms behind `NOW`.
async fn pay(store: &Subject, who: &Person, minor: i64, ms: i64) -> Payment {
    let paid = Payment {
        posted_at: NOW.plus_ms(ms),
        ..who.payment(minor)
    };
    let posted = store.post_payment(&paid, &[], &of_promise).await;
    assert!(!posted.expect("works").debt_paid, "it is a part");
    paid
}

async fn state(store: &Subject, row: &Message) -> (MessageState, String) {
    let kept = store.get_message(row.id).await.expect("works");
    (kept.state, kept.reason)
}

/// A message planned from the debt's due date.
fn from_due_date(who: &Person, at: UtcMs) -> Message {
    let key = format!("due_date:{}:{}:s:k", who.debt.id, who.debt.due_date);
    Message {
        created_at: at,
        ..waiting(who, Some(&key))
    }
}

async fn is_free(store: &Subject, row: &Message) -> bool {
    let key = row.plan_key.clone().expect("planned");
    let taken = store.plan_keys(row.client_id, &[key]).await;
    taken.expect("works").is_empty()
}

async fn money_withdraws_every_contact_of_its_debtor_row_04(store: &Subject) {
    let (scene, who) = person(store).await;
    let other = scene.draft_debt(who.debtor.id, 70_000);
    store.put_debt(&other, &[]).await.expect("works");
    let by_hand = |at: UtcMs| Message {
        purpose: MessagePurpose::Manual,
        created_at: at,
        ..waiting(&who, None)
    };
    let of_other = Message {
        debt_id: Some(other.id),
        ..by_hand(NOW)
    };
    let of_all = Message {
        debt_id: None,
        ..by_hand(NOW)
    };
    let receipt = by_hand(NOW.plus_ms(2));
    let before = [from_due_date(&who, NOW), by_hand(NOW), of_other, of_all];
    for row in before.iter().chain([&receipt]) {
        plan(store, row).await;
    }
    let step = |action| PlannedStep {
        action,
        ..planned(&who, &name("step"), 1)
    };
    let steps = [StepAction::Call, StepAction::Letter, StepAction::Review].map(step);
    store.plan_steps(&steps, &[]).await.expect("works");
    let stranger = scene.person(store).await;
    let his = waiting(&stranger, None);
    plan(store, &his).await;
    pay(store, &who, 10_000, 1).await;
    let mut gone: Vec<_> = withdrawn(store, &who).await.iter().map(|m| m.id).collect();
    let mut right: Vec<_> = before.iter().map(|m| m.id).collect();
    gone.sort_unstable();
    right.sort_unstable();
    assert_eq!(gone, right, "of whichever debt, and the receipt is not");
    for row in &before {
        let (state, reason) = state(store, row).await;
        assert_eq!((state, reason.as_str()), PAID);
    }
    for row in [&receipt, &his] {
        assert_eq!(state(store, row).await.0, MessageState::Queued);
    }
    let mut ends = Vec::new();
    for row in &steps {
        let kept = store.get_step(row.id).await.expect("works");
        ends.push((kept.state, kept.reason));
    }
    let cancelled = (PlannedState::Cancelled, PAID.1.to_owned());
    let waits = (PlannedState::Planned, String::new());
    let right = [cancelled.clone(), cancelled.clone(), waits];
    assert_eq!(ends, right, "who looks at the case still does");
    assert!(withdrawn(store, &who).await.is_empty(), "once");
    // Nothing is overdue of it any more: nobody has to look.
    pay(store, &who, 40_000, 3).await;
    withdrawn(store, &who).await;
    let looked = store.get_step(steps[2].id).await.expect("works");
    assert_eq!((looked.state, looked.reason), cancelled);
}

async fn what_is_still_owed_is_planned_again_and_nothing_twice_row_04(store: &Subject) {
    let (_, who) = person(store).await;
    let planned = |ms: i64| from_due_date(&who, NOW.plus_ms(ms));
    for turn in 0..3 {
        let row = planned(turn * 10);
        plan(store, &row).await;
        pay(store, &who, 1_000, turn * 10 + 1).await;
        assert_eq!(withdrawn(store, &who).await.len(), 1, "turn {turn}");
        assert!(is_free(store, &row).await, "turn {turn}");
    }
    // A withdrawal that was missed: it is stopped when it is about to leave.
    let missed = planned(40);
    plan(store, &missed).await;
    pay(store, &who, 1_000, 41).await;
    let stopped = open(store, &who, &missed, &Allow).await;
    assert!(
        matches!(stopped, MessageOpened::Stopped("paid_part")),
        "{stopped:?}"
    );
    assert!(is_free(store, &missed).await);
    let last = planned(50);
    plan(store, &last).await;
    assert!(
        withdrawn(store, &who).await.is_empty(),
        "made with it known"
    );
    let opened = open(store, &who, &last, &Allow).await;
    assert!(matches!(opened, MessageOpened::Open), "{opened:?}");
    pay(store, &who, 1_000, 51).await;
    assert!(withdrawn(store, &who).await.is_empty(), "it has left");
    assert!(!is_free(store, &last).await);
    let again = store.plan_messages(&[planned(60)], &[]).await;
    assert_eq!(again.expect("works"), 0, "nothing goes out twice");
}

async fn money_taken_back_withdraws_nothing(store: &Subject) {
    let (_, who) = person(store).await;
    let first = pay(store, &who, 10_000, 0).await;
    let row = from_due_date(&who, NOW.plus_ms(5));
    plan(store, &row).await;
    let back = Payment {
        reverses: Some(first.id),
        posted_at: NOW.plus_ms(9),
        ..who.payment(-10_000)
    };
    let posted = store.post_payment(&back, &[], &of_promise).await;
    posted.expect("works");
    assert!(withdrawn(store, &who).await.is_empty());
    let opened = open(store, &who, &row, &Allow).await;
    assert!(matches!(opened, MessageOpened::Open), "{opened:?}");
}

async fn a_step_that_was_missed_is_stopped_when_it_is_made(store: &Subject) {
    let (scene, who) = person(store).await;
    let campaign = scene.campaign(store).await;
    let step = PlannedStep {
        action: StepAction::Call,
        campaign_id: Some(campaign.id),
        ..planned(&who, &name("call"), 0)
    };
    let steps = std::slice::from_ref(&step);
    store.plan_steps(steps, &[]).await.expect("works");
    pay(store, &who, 10_000, 1).await;
    let done = store.call_step(step.id, NOW, &[]).await.expect("works");
    assert_eq!(done, StepCalled::Gone);
    let ended = store.get_step(step.id).await.expect("works");
    let known = (ended.state, ended.reason.as_str());
    assert_eq!(known, (PlannedState::Cancelled, PAID.1));
    let again = PlannedStep {
        id: fresh(),
        created_at: NOW.plus_ms(2),
        ..step.clone()
    };
    assert_eq!(store.plan_steps(&[again], &[]).await.expect("works"), 1);
}

async fn nothing_follows_a_due_date_once_what_was_overdue_is_paid_row_04(store: &Subject) {
    let (scene, who) = person(store).await;
    let is_source = async |debt: &Debt| {
        let day = day_of_date(&debt.due_date).expect("a date");
        let ask = PlanAsk {
            client: scene.client.id,
            portfolio: None,
            trigger: StrategyTrigger::DueDate,
            from_day: day,
            to_day: day,
            after: None,
            limit: 10,
        };
        let found = store.plan_sources(&ask).await.expect("works");
        found.iter().any(|s| s.debt_id == debt.id)
    };
    // Not overdue by the figures of its file, which say nothing of the days behind it.
    let fresh_one = Debt {
        overdue_minor: 0,
        ..scene.draft_debt(who.debtor.id, 70_000)
    };
    // Paid up before its date, of which something is owed still.
    let coming = Debt {
        due_date: "2026-12-30".into(),
        ..scene.draft_debt(who.debtor.id, 70_000)
    };
    for row in [&fresh_one, &coming] {
        store.put_debt(row, &[]).await.expect("works");
        let part = Payment {
            debt_id: row.id,
            ..who.payment(row.overdue_minor.max(1))
        };
        let posted = store.post_payment(&part, &[], &of_promise).await;
        posted.expect("works");
        assert!(is_source(row).await, "{}", row.due_date);
    }
    assert!(is_source(&who.debt).await);
    pay(store, &who, 40_000, 1).await;
    assert!(is_source(&who.debt).await, "10,000 are overdue still");
    let rest = pay(store, &who, 10_000, 2).await;
    assert!(!is_source(&who.debt).await, "half of it is owed, later");
    let back = Payment {
        reverses: Some(rest.id),
        posted_at: NOW.plus_ms(3),
        ..who.payment(-10_000)
    };
    let posted = store.post_payment(&back, &[], &of_promise).await;
    posted.expect("works");
    assert!(is_source(&who.debt).await, "it is overdue again");
}
