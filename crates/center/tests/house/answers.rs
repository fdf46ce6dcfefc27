//! Gateways whose own answer is late or lost: receipts that name our message are followed before it, instead of
//! it and behind it.

use crate::messages::{by_hand, somebody};
use crate::world::{House, NOBODY, Plan, mxn};
use async_trait::async_trait;
use center::{CenterConfig, CenterHandle, HookError};
use domain::entity::{Channel, Message, MessageState};
use domain::ids::MessageId;
use domain::money::Currency;
use domain::ports::store::{CatalogStore as _, MessageStore as _};
use domain::ports::{
    Accepted, Clock as _, Hook, HookFault, HookReply, Messenger, Outgoing, Receipt, ReceiptKind,
    SendFault,
};
use domain::time::UtcMs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// A gateway that carries a message at once and answers when it is let; each line of its calls says
/// `<own> <ref> <kind>`.
struct Slow {
    answers: Semaphore,
    /// Its next answer is that it takes nothing now.
    later: AtomicBool,
}

#[async_trait]
impl Messenger for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Sms]
    }

    fn per_minute(&self) -> u32 {
        600
    }

    fn comes_again(&self) -> bool {
        true
    }

    fn price(&self) -> (i64, Option<Currency>) {
        (350_000, Some(mxn(1).currency))
    }

    async fn send(&self, message: &Outgoing) -> Result<Accepted, SendFault> {
        let Ok(answer) = self.answers.acquire().await else {
            return Err(SendFault::Unknown("closed".to_owned()));
        };
        answer.forget();
        if self.later.swap(false, Ordering::SeqCst) {
            return Err(SendFault::Later("not now".to_owned()));
        }
        let (cost_micro, currency) = self.price();
        Ok(Accepted {
            provider_ref: name_of(message.id),
            cost_micro,
            currency,
        })
    }

    fn hook(&self, hook: &Hook<'_>) -> Result<HookReply, HookFault> {
        let text = std::str::from_utf8(hook.body).map_err(|_| HookFault::Body)?;
        let receipts: Option<Vec<Receipt>> = text.lines().map(|l| told(l, hook.at)).collect();
        Ok(HookReply {
            receipts: receipts.ok_or(HookFault::Body)?,
            ..HookReply::default()
        })
    }
}

fn told(line: &str, at: UtcMs) -> Option<Receipt> {
    let mut words = line.split(' ');
    let (own, name, kind) = (words.next()?, words.next()?, words.next()?);
    Some(Receipt {
        provider_ref: name.to_owned(),
        own: own.parse().ok(),
        at: Some(at),
        kind: match kind {
            "sent" => ReceiptKind::Sent,
            "delivered" => ReceiptKind::Delivered,
            "read" => ReceiptKind::Read,
            code => ReceiptKind::Failed {
                code: code.to_owned(),
                bad_address: false,
            },
        },
    })
}

fn name_of(id: MessageId) -> String {
    format!("sm-{id}")
}

async fn house(debtors: u128) -> (House, Arc<Slow>) {
    let plan = Plan {
        debtors,
        mix: NOBODY,
        ..Plan::default()
    };
    let slow = Arc::new(Slow {
        answers: Semaphore::new(0),
        later: AtomicBool::new(false),
    });
    let mut config = CenterConfig::new("node-1");
    config.messengers = vec![Arc::clone(&slow) as _];
    let start: UtcMs = plan.at.parse().expect("an instant");
    (House::furnished(&plan, start, config).await, slow)
}

/// The provider calls about what happened at an instant; whether its call was taken.
async fn called(house: &House, at: UtcMs, said: &str) -> bool {
    told_to(&house.center, at, said).await
}

async fn told_to(center: &CenterHandle, at: UtcMs, said: &str) -> bool {
    let call = Hook {
        method: "POST",
        path: "/hooks/messages/slow",
        headers: &[],
        body: said.as_bytes(),
        at,
    };
    match center.message_hook("slow", &call).await {
        Ok(_) => true,
        Err(HookError::Early) => false,
        Err(other) => panic!("{other:?}"),
    }
}

/// The provider calls: the message `own`, which it names `name`.
async fn calls(house: &House, (own, name): (MessageId, &str), kind: &str) {
    let said = format!("{own} {name} {kind}");
    assert!(called(house, house.clock.now(), &said).await, "{said}");
}

async fn row(house: &House, id: MessageId) -> Message {
    house.store.get_message(id).await.expect("works")
}

/// A message on its way, of whose fate the gateway has said nothing yet.
async fn on_its_way(house: &House, n: u128) -> MessageId {
    let queued = house
        .center
        .queue_message(somebody(), by_hand(n, "Buen día"));
    let id = queued.await.expect("queued").id;
    house.secs(1).await;
    assert_eq!(row(house, id).await.state, MessageState::Sending);
    id
}

/// What the log says that a message cost, one entry for each time that it says so.
async fn costs(house: &House, id: MessageId) -> Vec<i64> {
    let log = house.store.events_after(0, 10_000).await.expect("works");
    let subject = format!("message:{id}");
    log.into_iter()
        .filter(|e| e.event.kind == "message.sent" && e.event.subject == subject)
        .filter_map(|e| e.event.data.get("cost_micro")?.as_i64())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_receipt_ahead_of_the_gateway_s_answer_is_followed_row_05() {
    let (house, slow) = house(1).await;
    let id = on_its_way(&house, 0).await;
    calls(&house, (id, &name_of(id)), "delivered").await;
    let told = row(&house, id).await;
    assert_eq!(
        (told.state, told.provider_ref),
        (MessageState::Delivered, name_of(id))
    );
    // Another sending of the provider under our name is not this one.
    let before = house.clock.now().plus_ms(-3_600_000);
    assert!(called(&house, before, &format!("{id} sm-other read")).await);
    assert_eq!(row(&house, id).await.state, MessageState::Delivered);
    // The answer takes half a minute: what it costs is known by it, and nothing goes back.
    house.secs(30).await;
    calls(&house, (id, &name_of(id)), "read").await;
    slow.answers.add_permits(1);
    house.secs(1).await;
    let end = row(&house, id).await;
    assert_eq!(
        (end.state, end.cost_micro, end.tries),
        (MessageState::Read, 350_000, 1)
    );
    assert!(end.sent_at <= end.delivered_at, "{end:?}");
    assert_eq!(costs(&house, id).await, [350_000]);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_stands_for_an_answer_that_is_lost_row_05() {
    let (house, _slow) = house(3).await;
    let early = on_its_way(&house, 0).await;
    let late = on_its_way(&house, 1).await;
    let failed = on_its_way(&house, 2).await;
    calls(&house, (early, &name_of(early)), "delivered").await;
    // No answer comes: what nobody told of has an unknown fate.
    house.secs(65).await;
    let told = row(&house, early).await;
    assert_eq!(
        (told.state, told.cost_micro),
        (MessageState::Delivered, 350_000)
    );
    for id in [late, failed] {
        let lost = row(&house, id).await;
        assert_eq!(lost.state, MessageState::Failed);
        assert!(lost.reason.starts_with("fate_unknown"), "{}", lost.reason);
    }
    // Their receipts come later, and are followed to the end.
    calls(&house, (late, &name_of(late)), "read").await;
    let found = row(&house, late).await;
    assert_eq!(
        (found.state, found.cost_micro, found.ended_at),
        (MessageState::Read, 350_000, None)
    );
    assert_eq!(found.reason, "");
    calls(&house, (failed, &name_of(failed)), "30008").await;
    let end = row(&house, failed).await;
    assert_eq!(
        (end.state, end.reason.as_str(), end.cost_micro),
        (MessageState::Failed, "30008", 350_000)
    );
    assert!(end.ended_at.is_some());
    for id in [early, late, failed] {
        assert_eq!(costs(&house, id).await, [350_000]);
    }
    // Told twice, it is counted once.
    calls(&house, (failed, &name_of(failed)), "30008").await;
    assert_eq!(costs(&house, failed).await, [350_000]);
}

#[tokio::test(start_paused = true)]
async fn a_nameless_receipt_ahead_of_the_answer_is_asked_for_again_row_05() {
    let (house, slow) = house(1).await;
    let id = on_its_way(&house, 0).await;
    let failed = format!("- {} 30008", name_of(id));
    let at = house.clock.now();
    assert!(!called(&house, at, &failed).await, "come again");
    assert_eq!(row(&house, id).await.state, MessageState::Sending);
    slow.answers.add_permits(1);
    house.secs(1).await;
    assert!(called(&house, at, &failed).await);
    let end = row(&house, id).await;
    assert_eq!(
        (end.state, end.reason.as_str()),
        (MessageState::Failed, "30008")
    );
}

#[tokio::test(start_paused = true)]
async fn what_another_system_sent_is_asked_for_while_it_may_be_ours_alone_row_05() {
    let (house, slow) = house(2).await;
    let foreign = "- sm-foreign delivered";
    let now = house.clock.now();
    assert!(called(&house, now, foreign).await, "nothing is on its way");
    let (id, other) = (on_its_way(&house, 0).await, on_its_way(&house, 1).await);
    let at = house.clock.now();
    for (at, said) in [
        (at.plus_ms(3_600_000), foreign.to_owned()),
        (at.plus_ms(-60_000), foreign.to_owned()),
        (
            at,
            format!("{} sm-foreign read", MessageId(crate::world::id(9))),
        ),
    ] {
        assert!(called(&house, at, &said).await, "{said}");
    }
    // One that may be ours keeps back no other of its call.
    let said = format!("{foreign}\n{id} {} read", name_of(id));
    let center = house.center.clone();
    let call = tokio::spawn(async move { told_to(&center, at, &said).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(row(&house, id).await.state, MessageState::Read);
    assert!(!call.is_finished());
    assert!(!call.await.expect("ends"), "come again");
    slow.answers.add_permits(2);
    house.secs(1).await;
    assert_eq!(row(&house, other).await.state, MessageState::Sent);
    assert!(called(&house, at, foreign).await, "all have answered");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_is_followed_whenever_the_answer_is_given_up_row_05() {
    for seed in 0..8 {
        given_up_between(seed).await;
    }
}

/// Receipts of as many messages as are on their way at once, told while their answers are given up.
async fn given_up_between(seed: u64) {
    const COUNT: u128 = 8;
    let (house, _slow) = house(COUNT).await;
    let mut all = Vec::new();
    for n in 0..COUNT {
        let asked = by_hand(n, "Buen día");
        let queued = house.center.queue_message(somebody(), asked).await;
        all.push(queued.expect("queued").id);
    }
    house.secs(2).await;
    let left = house.clock.now();
    for id in &all {
        assert_eq!(row(&house, *id).await.state, MessageState::Sending);
    }
    // Looks and writes take their time, and mix with the writes of those who waited a minute for an answer.
    house.store.set_latency(seed, 400);
    let mut calls = Vec::new();
    for (n, id) in (0_u64..).zip(&all) {
        let (center, clock) = (house.center.clone(), Arc::clone(&house.clock));
        let kind = if n % 2 == 0 { "delivered" } else { "sent" };
        let said = format!("{id} {} {kind}", name_of(*id));
        calls.push(tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(57_500 + n * 150 + seed * 19)).await;
            assert!(told_to(&center, clock.now(), &said).await);
        }));
    }
    for call in calls {
        call.await.expect("taken");
    }
    house.secs(5).await;
    assert!(house.clock.now().since_ms(left) > 60_000);
    for (n, id) in (0_u64..).zip(&all) {
        let end = row(&house, *id).await;
        let state = if n % 2 == 0 {
            MessageState::Delivered
        } else {
            MessageState::Sent
        };
        let known = (end.state, end.cost_micro, end.ended_at);
        assert_eq!(known, (state, 350_000, None), "{seed} {n}: {end:?}");
        assert_eq!(
            costs(&house, *id).await.iter().sum::<i64>(),
            350_000,
            "{seed} {n}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_an_earlier_try_is_not_the_end_of_the_next_row_05() {
    let (house, slow) = house(1).await;
    let id = on_its_way(&house, 0).await;
    slow.later.store(true, Ordering::SeqCst);
    slow.answers.add_permits(1);
    house.secs(1).await;
    let first = row(&house, id).await;
    assert_eq!((first.state, first.tries), (MessageState::Queued, 1));
    // The provider had taken it all the same, under a name that nobody was told.
    calls(&house, (id, "sm-first"), "30008").await;
    assert_eq!(row(&house, id).await.state, MessageState::Queued);
    house.secs(65).await;
    let second = row(&house, id).await;
    assert_eq!((second.state, second.tries), (MessageState::Sending, 2));
    let at = house.clock.now();
    let failed = format!("{id} sm-first 30008");
    assert!(!called(&house, at, &failed).await, "whose is not known yet");
    assert_eq!(row(&house, id).await.state, MessageState::Sending);
    slow.answers.add_permits(1);
    house.secs(1).await;
    assert!(called(&house, at, &failed).await);
    let end = row(&house, id).await;
    assert_eq!(
        (end.state, end.provider_ref, end.cost_micro),
        (MessageState::Sent, name_of(id), 350_000)
    );
    calls(&house, (id, &name_of(id)), "delivered").await;
    assert_eq!(row(&house, id).await.state, MessageState::Delivered);
}
