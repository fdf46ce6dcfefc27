//! What debtors write: found by whichever form of their number, answered once, and asked for again where the
//! answer did not reach them.

use crate::messages::{Phones, by_hand, house_of, somebody, template};
use crate::world::{House, NOBODY, Plan, debtor_id, point_id};
use center::{CenterError, MessageAsk};
use domain::entity::{
    Channel, ContactPoint, Debtor, HoldKind, InboxMessage, InboxState, Language, Message,
    MessageState, TextTemplate,
};
use domain::pii::Pii;
use domain::ports::store::{CatalogStore as _, InboxAsk, MessageStore as _};
use domain::ports::{ReceiptKind, SendFault};
use std::sync::Arc;

/// A Mexican mobile as it stands in a portfolio, and as WhatsApp names it.
const POINT: &str = "+525512345678";
const SENDER: &str = "+5215512345678";

async fn whatsapp(debtors: u128) -> (House, Arc<Phones>) {
    let plan = Plan {
        debtors,
        mix: NOBODY,
        ..Plan::default()
    };
    let phones = Phones::carrying(&[Channel::Whatsapp, Channel::Sms], true);
    let (house, phones) = house_of(&plan, phones).await;
    number(&house, 0, POINT).await;
    (house, phones)
}

async fn number(house: &House, n: u128, value: &str) {
    let point = house.store.get_point(point_id(n)).await.expect("works");
    let point = ContactPoint {
        value: Pii(value.into()),
        ..point
    };
    house.store.put_point(&point, &[]).await.expect("works");
}

/// Somebody writes; the row of the inbox.
async fn writes(
    house: &House,
    phones: &Phones,
    (channel, from): (Channel, &str),
    (name, text, optout): (&str, &str, bool),
) -> InboxMessage {
    let said = ReceiptKind::Reply {
        channel,
        from: Pii(from.into()),
        text: Pii(text.into()),
        answers: None,
        optout,
    };
    phones.tell(name, said);
    house.secs(3).await;
    let ask = InboxAsk {
        limit: 50,
        ..InboxAsk::default()
    };
    let rows = house.store.inbox_page(&ask).await.expect("works");
    let row = rows.into_iter().find(|r| r.provider_ref == name);
    row.expect("it is in the inbox")
}

async fn send(house: &House, n: u128, channel: Channel) -> Result<Message, CenterError> {
    let ask = MessageAsk {
        channel,
        ..by_hand(n, "Buen día")
    };
    house.center.queue_message(somebody(), ask).await
}

async fn answer(house: &House, row: &InboxMessage) -> Result<Message, CenterError> {
    let text = Pii("Con gusto le atiendo".into());
    house.center.answer_inbox(somebody(), row.id, text).await
}

async fn state_of(house: &House, row: &Message) -> MessageState {
    house.store.get_message(row.id).await.expect("works").state
}

async fn inbox_of(house: &House, row: &InboxMessage) -> (InboxState, String) {
    let row = house.store.get_inbox(row.id).await.expect("works");
    (row.state, row.handled_by)
}

fn new() -> (InboxState, String) {
    (InboxState::New, String::new())
}

async fn held(house: &House, n: u128) -> Vec<(HoldKind, Option<Channel>)> {
    let holds = house.holds(debtor_id(n)).await;
    holds.iter().map(|h| (h.kind, h.channel)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_mexican_debtor_is_found_and_answered_under_the_name_that_whatsapp_gives_him() {
    let (house, phones) = whatsapp(1).await;
    let by = (Channel::Whatsapp, SENDER);
    let row = writes(&house, &phones, by, ("in-1", "¿Cuánto debo?", false)).await;
    assert_eq!(row.debtor_id, Some(debtor_id(0)));
    assert_eq!(row.address.reveal(), POINT);
    // What he wrote opens the day in which free text may go.
    let sent = answer(&house, &row).await.expect("queued");
    house.secs(1).await;
    assert_eq!(state_of(&house, &sent).await, MessageState::Sent);
    let got = phones.got().pop().expect("it left");
    assert_eq!(
        (got.to.reveal().as_str(), got.template.is_none()),
        (POINT, true)
    );
    // What answers one of ours without naming it is found by the address that ours went to.
    let row = writes(&house, &phones, by, ("in-2", "Gracias", false)).await;
    assert_eq!(row.message_id, Some(sent.id));
    assert_eq!(state_of(&house, &sent).await, MessageState::Answered);
}

#[tokio::test(start_paused = true)]
async fn baja_by_whatsapp_is_obeyed_under_every_form_of_a_number() {
    let (house, phones) = whatsapp(2).await;
    let by = (Channel::Whatsapp, SENDER);
    let row = writes(&house, &phones, by, ("in-1", "BAJA", false)).await;
    assert!(row.optout);
    let right = [(HoldKind::ChannelOptout, Some(Channel::Whatsapp))];
    assert_eq!(held(&house, 0).await, right);
    let again = send(&house, 0, Channel::Whatsapp).await;
    assert_eq!(again.expect_err("held").code(), "blocked_hold");
    // Nobody has the number yet: who gets it later, in the other form, is not written to.
    let nobody = (Channel::Whatsapp, "+5215599998888");
    let row = writes(&house, &phones, nobody, ("in-2", "BAJA", false)).await;
    assert_eq!(row.debtor_id, None);
    number(&house, 1, "+525599998888").await;
    let listed = send(&house, 1, Channel::Whatsapp).await;
    assert_eq!(listed.expect_err("listed").code(), "blocked_suppressed");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_whatsapp_would_not_take_is_refused_at_once() {
    let (house, phones) = whatsapp(1).await;
    let by = (Channel::Whatsapp, SENDER);
    let row = writes(&house, &phones, by, ("in-1", "¿Cuánto debo?", false)).await;
    house.secs(86_400).await;
    let late = answer(&house, &row).await;
    assert!(
        matches!(
            late,
            Err(CenterError::Conflict {
                code: "outside_window",
                ..
            })
        ),
        "{late:?}"
    );
    assert_eq!(inbox_of(&house, &row).await, new());
    assert!(crate::messages::all(&house).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_did_not_reach_the_debtor_can_be_given_again() {
    let (house, phones) = whatsapp(1).await;
    let by = (Channel::Whatsapp, SENDER);
    let row = writes(&house, &phones, by, ("in-1", "¿Cuánto debo?", false)).await;
    phones.say(Some(SendFault::Refused {
        code: "131047".into(),
        bad_address: false,
    }));
    let failed = answer(&house, &row).await.expect("queued");
    let twice = answer(&house, &row).await;
    assert_eq!(twice.expect_err("answered").code(), "inbox_handled");
    house.secs(1).await;
    assert_eq!(state_of(&house, &failed).await, MessageState::Failed);
    assert_eq!(inbox_of(&house, &row).await, new());
    // The provider takes it and says later that it was not delivered.
    phones.say(None);
    let second = answer(&house, &row).await.expect("queued");
    house.secs(1).await;
    assert_eq!(state_of(&house, &second).await, MessageState::Sent);
    let (state, by) = inbox_of(&house, &row).await;
    assert_eq!((state, by), (InboxState::Answered, somebody().to_string()));
    let undelivered = ReceiptKind::Failed {
        code: "131047".into(),
        bad_address: false,
    };
    phones.tell(&format!("sm-{}", second.id), undelivered);
    house.secs(3).await;
    assert_eq!(inbox_of(&house, &row).await, new());
    // Of one that is lost nobody knows whether the debtor has it: it is not given twice.
    phones.say(Some(SendFault::Unknown("connection lost".into())));
    answer(&house, &row).await.expect("queued");
    house.secs(1).await;
    assert_eq!(inbox_of(&house, &row).await.0, InboxState::Answered);
}

#[tokio::test(start_paused = true)]
async fn a_template_leaves_in_its_own_language_whatever_the_debtors() {
    let (house, phones) = whatsapp(1).await;
    let debtor = house.store.get_debtor(debtor_id(0)).await.expect("works");
    let debtor = Debtor {
        language: Language::En,
        ..debtor
    };
    house.store.put_debtor(&debtor, &[]).await.expect("works");
    let row = TextTemplate {
        channel: Channel::Whatsapp,
        language: Language::Es,
        provider_name: "aviso_1".into(),
        provider_language: "es_MX".into(),
        ..template(
            "aviso",
            "Hola {debtor.name}. Responda BAJA para no recibir más.",
        )
    };
    house
        .store
        .put_text_template(&row, &[])
        .await
        .expect("works");
    let ask = MessageAsk {
        channel: Channel::Whatsapp,
        template_id: Some(row.id),
        ..by_hand(0, "")
    };
    let queued = house.center.queue_message(somebody(), ask).await;
    queued.expect("queued");
    house.secs(1).await;
    let got = phones.got().pop().expect("it left");
    let approved = got.template.expect("outside of the window");
    assert_eq!(got.language, Language::Es);
    assert_eq!((&*approved.name, &*approved.language), ("aviso_1", "es_MX"));
}

#[tokio::test(start_paused = true)]
async fn who_asked_the_provider_for_no_more_is_held_and_his_number_stays_good() {
    let (house, phones) = sms(3).await;
    let unsubscribed = || ("21610".to_owned(), false);
    // The provider says so when it is asked to send …
    let (code, bad_address) = unsubscribed();
    phones.say(Some(SendFault::Refused { code, bad_address }));
    let refused = send(&house, 0, Channel::Sms).await.expect("queued");
    house.secs(1).await;
    assert_eq!(state_of(&house, &refused).await, MessageState::Failed);
    // … or behind it …
    phones.say(None);
    let taken = send(&house, 1, Channel::Sms).await.expect("queued");
    house.secs(1).await;
    let (code, bad_address) = unsubscribed();
    phones.tell(
        &format!("sm-{}", taken.id),
        ReceiptKind::Failed { code, bad_address },
    );
    house.secs(3).await;
    assert_eq!(state_of(&house, &taken).await, MessageState::Failed);
    // … or of a word that it alone knows.
    let point = house.store.get_point(point_id(2)).await.expect("works");
    let by = (Channel::Sms, point.value.reveal().as_str());
    let row = writes(&house, &phones, by, ("in-1", "ya estuvo", true)).await;
    assert!(row.optout);
    for n in 0..3 {
        let right = [(HoldKind::ChannelOptout, Some(Channel::Sms))];
        assert_eq!(held(&house, n).await, right, "debtor {n}");
        let again = send(&house, n, Channel::Sms).await;
        assert_eq!(again.expect_err("held").code(), "blocked_hold");
        let point = house.store.get_point(point_id(n)).await.expect("works");
        assert!(!point.bad, "debtor {n}");
    }
}

async fn sms(debtors: u128) -> (House, Arc<Phones>) {
    let plan = Plan {
        debtors,
        mix: NOBODY,
        ..Plan::default()
    };
    house_of(&plan, Phones::default()).await
}
