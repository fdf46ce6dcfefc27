//! How messages end before they leave, and what debtors write.

use super::judges::Allow;
use super::messages::{asks, draft, open, person, plan, waiting};
use super::scene::*;
use domain::entity::{
    Channel, Hold, HoldKind, HoldScope, InboxMessage, InboxState, Message, MessageState,
};
use domain::ids::InboxId;
use domain::pii::Pii;
use domain::ports::store::{Heard, InboxAsk, MessageOpened, MessageStep};
use domain::time::UtcMs;

/// Runs the group's second half.
pub(super) async fn all(store: &Subject) {
    what_is_paid_or_held_is_withdrawn_row_04(store).await;
    what_lives_no_more_is_withdrawn_row_04(store).await;
    what_debtors_write_is_heard_once(store).await;
    what_nobody_carries_ends(store).await;
    an_answer_behind_its_receipt_tells_the_cost(store).await;
    what_is_told_to_have_left_is_not_lost(store).await;
    a_further_try_is_counted_when_it_is_made(store).await;
    opting_out_binds_the_person_at_his_client(store).await;
    an_answer_that_does_not_arrive_is_asked_for_again(store).await;
    an_answer_given_again_stands(store).await;
}

async fn inbox_of(store: &Subject, id: InboxId) -> (InboxState, String, Option<UtcMs>) {
    let row = store.get_inbox(id).await.expect("works");
    (row.state, row.handled_by, row.handled_at)
}

/// Somebody who wrote, and what he wrote.
async fn who_wrote(store: &Subject) -> (Person, InboxId) {
    let (_, who) = person(store).await;
    let asked = waiting(&who, None);
    plan(store, &asked).await;
    let heard = Heard {
        ledger: None,
        events: Vec::new(),
        row: answer(&who, &asked),
    };
    assert!(store.hear(&heard).await.expect("works"));
    (who, heard.row.id)
}

/// What an agent answers to it.
fn given_to(who: &Person, id: InboxId) -> Message {
    Message {
        reply_to: Some(id),
        made_by: "agent:a".into(),
        ..waiting(who, None)
    }
}

/// Given once, with the mark or not at all; new again when it ends before the debtor has it, however it ends.
async fn an_answer_that_does_not_arrive_is_asked_for_again(store: &Subject) {
    let (who, id) = who_wrote(store).await;
    let given = || given_to(&who, id);
    let give = async |row: &Message| store.answer_inbox(row, &[]).await.expect("works");
    let answered = (InboxState::Answered, "agent:a".to_owned(), Some(NOW));
    let new = (InboxState::New, String::new(), None);
    let ends = [
        (MessageState::Refused, "rule", false, new.clone()),
        (MessageState::Cancelled, "by_hand", false, new.clone()),
        (MessageState::Failed, "expired", false, new.clone()),
        (MessageState::Failed, "131047", true, new.clone()),
        (MessageState::Bounced, "5.1.1", true, new),
        (MessageState::Failed, "fate_unknown", true, answered.clone()),
    ];
    for (state, reason, opened, right) in ends {
        let (row, twin) = (given(), given());
        assert!(give(&row).await && !give(&twin).await, "{reason}");
        assert!(store.get_message(twin.id).await.is_err(), "{reason}");
        assert_eq!(inbox_of(store, id).await, answered);
        if opened {
            open(store, &who, &row, &Allow).await;
        }
        let step = MessageStep {
            state: Some(state),
            at: NOW.plus_ms(9),
            reason: Some(reason.to_owned()),
            ..MessageStep::default()
        };
        assert!(store.note_message(row.id, &step, &[]).await.expect("works"));
        assert_eq!(inbox_of(store, id).await, right, "{reason}");
    }
}

/// Once another answer was given, nothing that becomes known of the first one asks for a further one.
async fn an_answer_given_again_stands(store: &Subject) {
    let (who, id) = who_wrote(store).await;
    let given = || given_to(&who, id);
    let (first, second, third) = (given(), given(), given());
    assert!(store.answer_inbox(&first, &[]).await.expect("works"));
    open(store, &who, &first, &Allow).await;
    let failed = MessageStep {
        state: Some(MessageState::Failed),
        at: NOW.plus_ms(9),
        reason: Some("131047".into()),
        ..MessageStep::default()
    };
    let noted = store.note_message(first.id, &failed, &[]).await;
    assert!(noted.expect("works"));
    assert_eq!(inbox_of(store, id).await.0, InboxState::New);
    assert!(store.answer_inbox(&second, &[]).await.expect("works"));
    // The gateway's own answer comes behind the receipt.
    let cost = MessageStep {
        state: Some(MessageState::Sent),
        at: NOW.plus_ms(8),
        provider_ref: Some(name("out")),
        cost: Some((350_000, Some(mxn()))),
        ..MessageStep::default()
    };
    let noted = store.note_message(first.id, &cost, &[]).await;
    assert!(noted.expect("works"));
    assert_eq!(inbox_of(store, id).await.0, InboxState::Answered);
    // Of two that are on their way, one is enough.
    plan(store, &third).await;
    let gone = MessageStep {
        state: Some(MessageState::Cancelled),
        at: NOW.plus_ms(10),
        reason: Some("by_hand".into()),
        ..MessageStep::default()
    };
    for (row, want) in [(&third, InboxState::Answered), (&second, InboxState::New)] {
        let noted = store.note_message(row.id, &gone, &[]).await;
        assert!(noted.expect("works"));
        assert_eq!(inbox_of(store, id).await.0, want);
    }
}

/// The gateway's own answer comes behind the receipt of the same message: what it cost is known, and told once.
async fn an_answer_behind_its_receipt_tells_the_cost(store: &Subject) {
    let (_, who) = person(store).await;
    let row = waiting(&who, None);
    plan(store, &row).await;
    open(store, &who, &row, &Allow).await;
    let delivered = MessageStep {
        state: Some(MessageState::Delivered),
        at: NOW.plus_ms(20),
        ..MessageStep::default()
    };
    let noted = store.note_message(row.id, &delivered, &[]).await;
    assert!(noted.expect("works"));
    let answer = MessageStep {
        state: Some(MessageState::Sent),
        at: NOW.plus_ms(10),
        provider_ref: Some(name("out")),
        cost: Some((350_000, Some(mxn()))),
        ..MessageStep::default()
    };
    let told = event("message.sent", &format!("message:{}", row.id));
    for turn in 0..2 {
        let noted = store.note_message(row.id, &answer, std::slice::from_ref(&told));
        assert_eq!(noted.await.expect("works"), turn == 0, "once");
    }
    let kept = store.get_message(row.id).await.expect("works");
    assert_eq!(
        (kept.state, kept.cost_micro, kept.currency, kept.sent_at),
        (
            MessageState::Delivered,
            350_000,
            Some(mxn()),
            Some(NOW.plus_ms(10))
        )
    );
    let tail = store.last_cursor().await.expect("cursor");
    let events = store.events_after(tail - 1, 10).await.expect("events");
    assert!(events.iter().any(|e| e.event == told), "with its event");
}

/// A receipt stands where the gateway's answer is given up after it, and a failure that is told later stands.
async fn what_is_told_to_have_left_is_not_lost(store: &Subject) {
    let (_, who) = person(store).await;
    let row = waiting(&who, None);
    plan(store, &row).await;
    open(store, &who, &row, &Allow).await;
    let note = async |state: MessageState, reason: Option<&str>| {
        let step = MessageStep {
            state: Some(state),
            at: NOW.plus_ms(20),
            reason: reason.map(str::to_owned),
            provider_ref: (state == MessageState::Sent).then(|| row.id.to_string()),
            ..MessageStep::default()
        };
        let told = event("message.failed", &format!("message:{}", row.id));
        let noted = store.note_message(row.id, &step, &[told]).await;
        let kept = store.get_message(row.id).await.expect("works");
        (noted.expect("works"), kept.state, kept.reason)
    };
    assert!(note(MessageState::Sent, None).await.0);
    let tail = store.last_cursor().await.expect("cursor");
    assert_eq!(
        note(
            MessageState::Failed,
            Some("fate_unknown: no answer in time")
        )
        .await,
        (false, MessageState::Sent, String::new())
    );
    let events = store.events_after(tail, 100).await.expect("events");
    let subject = format!("message:{}", row.id);
    assert!(
        events.iter().all(|e| e.event.subject != subject),
        "not told"
    );
    assert_eq!(
        note(MessageState::Failed, Some("30008")).await,
        (true, MessageState::Failed, "30008".to_owned())
    );
}

/// Whatever its channel: no gateway may carry it.
async fn what_nobody_carries_ends(store: &Subject) {
    let (_, who) = person(store).await;
    let row = Message {
        channel: Channel::Email,
        ..waiting(&who, None)
    };
    plan(store, &row).await;
    let gateway = name("gateway");
    let lost = async |now: UtcMs| {
        let claimed = store.claim_messages(&asks(&gateway, &[], now)).await;
        claimed.expect("works").lost
    };
    let end = row.expires_at;
    let early = lost(UtcMs(end.0 - 1)).await;
    assert!(early.iter().all(|m| m.id != row.id), "it still waits");
    let lost = lost(end).await;
    let late = lost.iter().find(|m| m.id == row.id).expect("ended");
    assert_eq!(
        (late.state, late.reason.as_str()),
        (MessageState::Failed, "expired")
    );
    let kept = store.get_message(row.id).await.expect("works");
    assert_eq!(
        (kept.state, kept.ended_at),
        (MessageState::Failed, Some(end))
    );
}

async fn a_further_try_is_counted_when_it_is_made(store: &Subject) {
    let (_, who) = person(store).await;
    let row = waiting(&who, None);
    plan(store, &row).await;
    open(store, &who, &row, &Allow).await;
    let again = MessageStep {
        state: Some(MessageState::Queued),
        at: NOW,
        ..MessageStep::default()
    };
    let step = || store.note_message(row.id, &again, &[]);
    assert!(step().await.expect("works"));
    let mut second = draft(&who, &store.get_message(row.id).await.expect("works"));
    second.ledger.at = NOW.plus_ms(60_000);
    let opened = store.open_message(&second, &Allow).await.expect("works");
    assert!(matches!(opened, MessageOpened::Open), "{opened:?}");
    let counted = store.ledger_of(who.debtor.id).await.expect("works");
    let counted: Vec<_> = counted.iter().map(|r| (r.at, r.reached_network)).collect();
    assert_eq!(counted, [(NOW.plus_ms(60_000), None)]);
    // Tried, and then taken back: it never left.
    assert!(step().await.expect("works"));
    let mut paid = who.payment(who.debt.balance_minor());
    paid.paid_at = NOW;
    store
        .post_payment(&paid, &[], &of_promise)
        .await
        .expect("works");
    let gone = withdrawn(store, &who).await;
    assert_eq!(gone.len(), 1);
    let counted = store.ledger_of(who.debtor.id).await.expect("works");
    assert_eq!(counted[0].reached_network, Some(false));
}

async fn opting_out_binds_the_person_at_his_client(store: &Subject) {
    let (scene, who) = person(store).await;
    let mut twin = scene.draft_person();
    twin.debtor.person_id = who.debtor.person_id;
    twin.store(store).await;
    let stop = Hold {
        channel: Some(Channel::Sms),
        ..who.hold(HoldKind::ChannelOptout)
    };
    store.put_hold(&stop, &[]).await.expect("works");
    let facts = store
        .contact_facts(twin.debtor.id, NOW)
        .await
        .expect("works");
    assert_eq!(facts.holds, [stop]);
}

pub(super) async fn withdrawn(store: &Subject, who: &Person) -> Vec<Message> {
    let told = |m: &Message| event("message.cancelled", &format!("message:{}", m.id));
    let gone = store.withdraw_messages(who.debtor.id, NOW, &told).await;
    gone.expect("works")
}

async fn what_is_paid_or_held_is_withdrawn_row_04(store: &Subject) {
    let (_, who) = person(store).await;
    let row = waiting(&who, None);
    plan(store, &row).await;
    let gone = withdrawn(store, &who).await;
    assert!(gone.is_empty(), "an open debt: {gone:?}");
    let mut paid = who.payment(who.debt.balance_minor());
    paid.paid_at = NOW;
    store
        .post_payment(&paid, &[], &of_promise)
        .await
        .expect("works");
    let gone = withdrawn(store, &who).await;
    assert_eq!(gone.iter().map(|m| m.id).collect::<Vec<_>>(), [row.id]);
    let now = store.get_message(row.id).await.expect("works");
    assert_eq!(
        (now.state, now.reason.as_str()),
        (MessageState::Cancelled, "debt_closed")
    );
    // One that was missed is stopped when it is about to leave.
    let late = waiting(&who, None);
    plan(store, &late).await;
    let stopped = open(store, &who, &late, &Allow).await;
    assert!(
        matches!(stopped, MessageOpened::Stopped("debt_closed")),
        "{stopped:?}"
    );
}

/// A dispute silences; the hold of a promise does not silence its reminder.
async fn what_lives_no_more_is_withdrawn_row_04(store: &Subject) {
    let (scene, other) = person(store).await;
    let row = waiting(&other, None);
    plan(store, &row).await;
    let hold = |kind| Hold {
        scope: HoldScope::Debt,
        debt_id: Some(other.debt.id),
        ..other.hold(kind)
    };
    store
        .put_hold(&hold(HoldKind::Promise), &[])
        .await
        .expect("works");
    let gone = withdrawn(store, &other).await;
    assert!(gone.is_empty(), "{gone:?}");
    store
        .put_hold(&hold(HoldKind::Dispute), &[])
        .await
        .expect("works");
    let gone = withdrawn(store, &other).await;
    assert_eq!(gone.first().map(|m| m.reason.as_str()), Some("held"));
    // A reminder of a promise that lives no more.
    let third = scene.person(store).await;
    let key = format!("promise:{}:2026-11-25:x", uuid::Uuid::now_v7());
    let row = waiting(&third, Some(&key));
    plan(store, &row).await;
    let gone = withdrawn(store, &third).await;
    assert_eq!(
        gone.first().map(|m| m.reason.as_str()),
        Some("promise_over")
    );
    // A due date that is another one now.
    let key = format!("due_date:{}:2020-01-01:s:k", third.debt.id);
    let row = waiting(&third, Some(&key));
    plan(store, &row).await;
    let stopped = open(store, &third, &row, &Allow).await;
    assert!(
        matches!(stopped, MessageOpened::Stopped("date_changed")),
        "{stopped:?}"
    );
}

fn answer(who: &Person, row: &Message) -> InboxMessage {
    InboxMessage {
        id: fresh::<InboxId>(),
        client_id: Some(who.debtor.client_id),
        debtor_id: Some(who.debtor.id),
        message_id: Some(row.id),
        channel: Channel::Sms,
        address: who.point.value.clone(),
        text: Pii("Mañana pago".into()),
        gateway: "suite".into(),
        provider_ref: name("in"),
        state: InboxState::New,
        optout: false,
        received_at: NOW,
        handled_at: None,
        handled_by: String::new(),
    }
}

async fn what_debtors_write_is_heard_once(store: &Subject) {
    let (scene, who) = person(store).await;
    let row = waiting(&who, None);
    plan(store, &row).await;
    open(store, &who, &row, &Allow).await;
    let address = who.point.value.clone();
    let inbox = answer(&who, &row);
    let heard = Heard {
        ledger: None,
        events: vec![event("message.received", &format!("inbox:{}", inbox.id))],
        row: inbox.clone(),
    };
    assert!(store.hear(&heard).await.expect("works"));
    let twin = Heard {
        row: InboxMessage {
            id: fresh(),
            ..inbox.clone()
        },
        ..heard
    };
    assert!(
        !store.hear(&twin).await.expect("works"),
        "the gateway told it twice"
    );
    let answered = store.get_message(row.id).await.expect("works");
    assert_eq!(
        (answered.state, answered.answered_at),
        (MessageState::Answered, Some(NOW))
    );
    let last = store
        .last_heard(Channel::Sms, address.reveal())
        .await
        .expect("works");
    assert_eq!(last, Some(NOW));
    let at = store.debtors_at(address.reveal()).await.expect("works");
    assert_eq!(at.iter().map(|d| d.id).collect::<Vec<_>>(), [who.debtor.id]);
    let (by, answered) = ("agent:a", InboxState::Answered);
    assert!(
        store
            .handle_inbox(inbox.id, answered, by, NOW, &[])
            .await
            .expect("works")
    );
    let second = store
        .handle_inbox(inbox.id, InboxState::Closed, "agent:b", NOW, &[])
        .await;
    assert!(!second.expect("works"), "the first has done it");
    let ask = InboxAsk {
        client: Some(scene.client.id),
        state: Some(InboxState::Answered),
        limit: 5,
        ..InboxAsk::default()
    };
    let page = store.inbox_page(&ask).await.expect("works");
    assert_eq!(
        page.iter()
            .map(|r| r.handled_by.as_str())
            .collect::<Vec<_>>(),
        [by]
    );
}
