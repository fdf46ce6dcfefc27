//! Messages: templates and their versions, one message a plan key, claims, the law inside the transaction,
//! states that never go back.

use super::judges::{Allow, verdict};
use super::scene::*;
use domain::entity::{
    Channel, CheckPoint, Decision, Language, LedgerKind, LedgerRow, Message, MessagePurpose,
    MessageState, TextTemplate, Tone, Verdict,
};
use domain::ids::{MessageId, VerdictId};
use domain::law::{Action, Judge};
use domain::ports::StoreError;
use domain::ports::store::{
    ClaimAsk, ContactFacts, MessageAsk, MessageDraft, MessageOpened, MessageStep, PageRequest,
};
use domain::time::{DAY_MS, HOUR_MS, UtcMs};

/// Runs the group.
pub async fn all(store: Subject) {
    templates_keep_their_versions(&store).await;
    a_plan_key_is_planned_once(&store).await;
    a_message_is_claimed_by_one(&store).await;
    the_law_is_asked_inside(&store).await;
    steps_never_go_back(&store).await;
    what_comes_back_marks_its_point(&store).await;
    super::messages_ends::all(&store).await;
    super::messages_paid::all(&store).await;
    super::messages_nodes::all(&store).await;
}

/// A message that waits since `NOW`.
#[must_use]
pub fn waiting(person: &Person, key: Option<&str>) -> Message {
    Message {
        id: fresh(),
        client_id: person.debtor.client_id,
        debtor_id: person.debtor.id,
        debt_id: Some(person.debt.id),
        point_id: None,
        address: None,
        channel: Channel::Sms,
        purpose: MessagePurpose::Strategy,
        template_id: None,
        template_version: 0,
        strategy_id: None,
        strategy_version: 0,
        step: String::new(),
        plan_key: key.map(str::to_owned),
        subject: String::new(),
        body: "Hola".into(),
        due_at: NOW,
        expires_at: NOW.plus_ms(DAY_MS),
        state: MessageState::Queued,
        reason: String::new(),
        tries: 0,
        gateway: String::new(),
        provider_ref: String::new(),
        cost_micro: 0,
        currency: None,
        verdict_id: None,
        reply_to: None,
        made_by: "system".into(),
        created_at: NOW,
        sent_at: None,
        delivered_at: None,
        read_at: None,
        answered_at: None,
        ended_at: None,
    }
}

pub(super) fn draft(person: &Person, row: &Message) -> MessageDraft {
    let point = &person.point;
    let message = Message {
        point_id: Some(point.id),
        address: Some(point.value.clone()),
        gateway: "suite".into(),
        ..row.clone()
    };
    MessageDraft {
        action: Action {
            verdict_id: fresh::<VerdictId>(),
            check_point: CheckPoint::Message,
            channel: row.channel,
            point_id: Some(point.id),
            campaign_id: None,
            campaign_window: None,
            attempts_per_day: None,
            circumstances: domain::entity::Circumstances::default(),
            ring_timeout_ms: 0,
            agent_reserved: false,
            now: NOW,
        },
        ledger: LedgerRow {
            id: LedgerRow::id_of_message(row.id),
            person_id: person.debtor.person_id,
            debtor_id: person.debtor.id,
            client_id: person.debtor.client_id,
            debts: vec![person.debt.id],
            point_id: Some(point.id),
            address: point.value.clone(),
            class: point.class,
            channel: row.channel,
            kind: LedgerKind::Message,
            at: NOW,
            attempt_id: None,
            campaign_id: None,
            reached_network: None,
        },
        link: None,
        lease_until: NOW.plus_ms(HOUR_MS),
        events: vec![event("message.sending", &format!("message:{}", row.id))],
        message,
    }
}

pub(super) async fn plan(store: &Subject, row: &Message) {
    let planned = store.plan_messages(std::slice::from_ref(row), &[]).await;
    assert_eq!(planned.expect("works"), 1);
}

pub(super) async fn open(
    store: &Subject,
    who: &Person,
    row: &Message,
    law: &dyn Judge,
) -> MessageOpened {
    let opened = store.open_message(&draft(who, row), law).await;
    opened.expect("works")
}

pub(super) async fn person(store: &Subject) -> (Scene, Person) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    (scene, person)
}

/// A gateway without a limit.
pub(super) fn asks<'a>(gateway: &'a str, channels: &'a [Channel], now: UtcMs) -> ClaimAsk<'a> {
    ClaimAsk {
        gateway,
        channels,
        per_minute: u32::MAX,
        now,
        until: now.plus_ms(HOUR_MS),
        limit: 500,
    }
}

/// Claims until the message is there: others' messages may be due, too.
async fn claim(store: &Subject, id: MessageId, now: UtcMs) -> Option<Message> {
    let gateway = name("gateway");
    loop {
        let ask = asks(&gateway, &[Channel::Sms], now);
        let due = store.claim_messages(&ask).await.expect("works").due;
        if let Some(found) = due.iter().find(|m| m.id == id) {
            return Some(found.clone());
        }
        if due.is_empty() {
            return None;
        }
    }
}

async fn templates_keep_their_versions(store: &Subject) {
    let scene = Scene::new(store).await;
    let first = TextTemplate {
        id: fresh(),
        client_id: scene.client.id,
        name: "aviso".into(),
        channel: Channel::Sms,
        language: Language::Es,
        tone: Tone::Courteous,
        subject: String::new(),
        body: "Hola {debtor.name}".into(),
        provider_name: String::new(),
        provider_language: "es_MX".into(),
        active: true,
        version: 1,
        created_at: NOW,
        updated_at: NOW,
    };
    store.put_text_template(&first, &[]).await.expect("works");
    let second = TextTemplate {
        body: "Buen día".into(),
        version: 2,
        ..first.clone()
    };
    store.put_text_template(&second, &[]).await.expect("works");
    let versions = store.text_template_versions(first.id).await.expect("works");
    assert_eq!(versions, [first.clone(), second.clone()]);
    assert_eq!(
        store.get_text_template(first.id).await.expect("works"),
        second
    );
    let twin = TextTemplate {
        id: fresh(),
        ..first.clone()
    };
    let taken = store.put_text_template(&twin, &[]).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    let mail = TextTemplate {
        id: fresh(),
        channel: Channel::Email,
        ..first.clone()
    };
    store.put_text_template(&mail, &[]).await.expect("works");
    let firm = TextTemplate {
        id: fresh(),
        tone: Tone::Firm,
        ..first.clone()
    };
    store.put_text_template(&firm, &[]).await.expect("works");
    let named = store
        .templates_named(scene.client.id, "aviso")
        .await
        .expect("works");
    assert_eq!(named, [mail, second, firm]);
    let page = PageRequest {
        limit: 1,
        cursor: None,
    };
    let page = store
        .text_templates(Some(scene.client.id), &page)
        .await
        .expect("works");
    assert!(page.items.len() == 1 && page.next_cursor.is_some());
}

async fn a_plan_key_is_planned_once(store: &Subject) {
    let (_, who) = person(store).await;
    let key = name("key");
    let row = waiting(&who, Some(&key));
    plan(store, &row).await;
    let again = waiting(&who, Some(&key));
    let free = waiting(&who, None);
    let rows = [again.clone(), free.clone(), waiting(&who, None)];
    assert_eq!(store.plan_messages(&rows, &[]).await.expect("works"), 2);
    assert!(store.get_message(again.id).await.is_err());
    let client = who.debtor.client_id;
    let keys = [key.clone(), "another".to_owned()];
    assert_eq!(store.plan_keys(client, &keys).await.expect("works"), [key]);
    let ask = MessageAsk {
        client: Some(client),
        limit: 2,
        ..MessageAsk::default()
    };
    let page = store.messages_page(&ask).await.expect("works");
    assert_eq!(page.len(), 2);
    let ask = MessageAsk {
        before: page.last().map(|m| m.id),
        ..ask
    };
    assert_eq!(store.messages_page(&ask).await.expect("works"), [row]);
}

async fn a_message_is_claimed_by_one(store: &Subject) {
    let (_, who) = person(store).await;
    let row = waiting(&who, None);
    let later = Message {
        due_at: NOW.plus_ms(DAY_MS),
        ..waiting(&who, None)
    };
    let mail = Message {
        channel: Channel::Email,
        ..waiting(&who, None)
    };
    let rows = [row.clone(), later.clone(), mail.clone()];
    store.plan_messages(&rows, &[]).await.expect("works");
    assert_eq!(claim(store, row.id, NOW).await, Some(row.clone()));
    assert_eq!(claim(store, row.id, NOW).await, None, "leased");
    assert_eq!(claim(store, later.id, NOW).await, None, "not due");
    assert_eq!(claim(store, mail.id, NOW).await, None, "another channel");
    // The one who had it died before it left: it is given out again.
    let then = NOW.plus_ms(2 * HOUR_MS);
    assert_eq!(claim(store, row.id, then).await, Some(row.clone()));
    // He died while he sent it: nobody knows, and nobody sends it again.
    let open = store.open_message(&draft(&who, &row), &Allow).await;
    assert!(matches!(open, Ok(MessageOpened::Open)), "{open:?}");
    let gateway = name("gateway");
    let ask = asks(&gateway, &[], then.plus_ms(2 * HOUR_MS));
    let lost = store.claim_messages(&ask).await.expect("works").lost;
    let lost = lost.iter().find(|m| m.id == row.id).expect("lost");
    assert_eq!(
        (lost.state, lost.reason.as_str()),
        (MessageState::Failed, "fate_unknown")
    );
}

/// A judge who refuses who has a message in the ledger already.
struct Once;

impl Judge for Once {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict {
        let had = facts.ledger.iter().any(|r| r.kind == LedgerKind::Message);
        let decision = if had { Decision::Deny } else { Decision::Allow };
        verdict(facts, action, decision)
    }
}

async fn the_law_is_asked_inside(store: &Subject) {
    let (_, who) = person(store).await;
    let (first, second) = (waiting(&who, None), waiting(&who, None));
    store
        .plan_messages(&[first.clone(), second.clone()], &[])
        .await
        .expect("works");
    let opened = open(store, &who, &first, &Once).await;
    assert!(matches!(opened, MessageOpened::Open), "{opened:?}");
    let sent = store.get_message(first.id).await.expect("works");
    assert_eq!((sent.state, sent.tries), (MessageState::Sending, 1));
    assert_eq!(sent.address, Some(who.point.value.clone()));
    let told = store.get_verdict(sent.verdict_id.expect("a verdict")).await;
    assert_eq!(told.expect("works").debtor_id, who.debtor.id);
    let gone = open(store, &who, &first, &Once).await;
    assert!(matches!(gone, MessageOpened::Gone), "{gone:?}");
    let refused = open(store, &who, &second, &Once).await;
    assert!(matches!(refused, MessageOpened::Refused(_)), "{refused:?}");
    assert_eq!(
        store.get_message(second.id).await.expect("works").state,
        MessageState::Queued
    );
    // Not taken by the gateway: its own row does not stand in the way of the next try.
    let again = MessageStep {
        state: Some(MessageState::Queued),
        at: NOW,
        due_at: Some(NOW.plus_ms(1)),
        ..MessageStep::default()
    };
    assert!(
        store
            .note_message(first.id, &again, &[])
            .await
            .expect("works")
    );
    let row = store.get_message(first.id).await.expect("works");
    let opened = open(store, &who, &row, &Once).await;
    assert!(matches!(opened, MessageOpened::Open), "{opened:?}");
    let ledger = store.ledger_of(who.debtor.id).await.expect("works");
    assert_eq!(ledger.len(), 1, "counted once: {ledger:?}");
    assert_eq!(store.get_message(first.id).await.expect("works").tries, 2);
}

async fn steps_never_go_back(store: &Subject) {
    let (_, who) = person(store).await;
    let row = waiting(&who, None);
    plan(store, &row).await;
    open(store, &who, &row, &Allow).await;
    let to = |state, at: i64| MessageStep {
        state: Some(state),
        at: NOW.plus_ms(at),
        ..MessageStep::default()
    };
    let reference = name("ref");
    let sent = MessageStep {
        provider_ref: Some(reference.clone()),
        cost: Some((350_000, Some(mxn()))),
        ..to(MessageState::Sent, 10)
    };
    assert!(store.note_message(row.id, &sent, &[]).await.expect("works"));
    assert!(
        store
            .note_message(row.id, &to(MessageState::Read, 30), &[])
            .await
            .expect("works")
    );
    assert!(
        !store
            .note_message(row.id, &to(MessageState::Delivered, 40), &[])
            .await
            .expect("works")
    );
    let now = store
        .message_by_ref("suite", &reference)
        .await
        .expect("works")
        .expect("there");
    assert_eq!(
        (now.state, now.cost_micro, now.currency),
        (MessageState::Read, 350_000, Some(mxn()))
    );
    assert_eq!(
        (now.sent_at, now.read_at),
        (Some(NOW.plus_ms(10)), Some(NOW.plus_ms(30)))
    );
    assert_eq!(
        store
            .message_by_ref("another", &reference)
            .await
            .expect("works"),
        None
    );
    assert_eq!(
        store.message_by_ref("suite", "").await.expect("works"),
        None
    );
    let last = store
        .last_message_to(Channel::Sms, who.point.value.reveal())
        .await;
    assert_eq!(last.expect("works").map(|m| m.id), Some(row.id));
}

/// An address that takes nothing: the message came back, and the point is bad.
async fn what_comes_back_marks_its_point(store: &Subject) {
    let (_, who) = person(store).await;
    let other = waiting(&who, None);
    plan(store, &other).await;
    open(store, &who, &other, &Allow).await;
    let bounced = MessageStep {
        point_bad: true,
        never_left: true,
        reason: Some("550".into()),
        state: Some(MessageState::Bounced),
        at: NOW.plus_ms(50),
        ..MessageStep::default()
    };
    assert!(
        store
            .note_message(other.id, &bounced, &[])
            .await
            .expect("works")
    );
    assert!(store.get_point(who.point.id).await.expect("works").bad);
    let ledger = store.ledger_of(who.debtor.id).await.expect("works");
    let counted = ledger
        .iter()
        .find(|r| r.id == LedgerRow::id_of_message(other.id));
    assert_eq!(counted.and_then(|r| r.reached_network), Some(false));
}
