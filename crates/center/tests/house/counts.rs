//! Contacts of all channels are one count, and who opts out of one gets no more of it.

use crate::messages::{Phones, by_hand, house, house_of, somebody};
use crate::world::{House, NOBODY, Plan, debtor_id, id, point_id};
use center::{CenterError, MessageAsk};
use domain::entity::{Channel, ContactPoint, HoldKind, LedgerKind, Message, PointClass};
use domain::ids::PointId;
use domain::pii::Pii;
use domain::ports::ReceiptKind;
use domain::ports::store::{CatalogStore as _, LawStore as _};
use std::collections::BTreeSet;

const WAYS: [Channel; 3] = [Channel::Sms, Channel::Whatsapp, Channel::Email];

fn all_ways() -> Phones {
    Phones::carrying(&WAYS, false)
}

/// Gives a debtor a mailbox.
async fn mailbox(house: &House, n: u128) {
    let phone = house.store.get_point(point_id(n)).await.expect("works");
    let row = ContactPoint {
        id: PointId(id(31_000 + n)),
        channel: Channel::Email,
        value: Pii(format!("persona{n}@example.mx")),
        class: PointClass::Other,
        ..phone
    };
    house.store.put_point(&row, &[]).await.expect("works");
}

async fn send(house: &House, n: u128, channel: Channel) -> Result<Message, CenterError> {
    let ask = MessageAsk {
        channel,
        ..by_hand(n, "Buen día")
    };
    house.center.queue_message(somebody(), ask).await
}

/// The law refuses a contact by each of the channels for a cap.
async fn is_full(house: &House, n: u128) {
    for channel in WAYS {
        match send(house, n, channel).await {
            Err(CenterError::Blocked { code, .. }) => assert_eq!(code, "blocked_cap", "{channel}"),
            other => panic!("one more by {channel} is refused: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn all_channels_are_one_count_and_opting_out_is_obeyed_row_06() {
    let plan = Plan {
        debtors: 2,
        mix: NOBODY,
        ..Plan::default()
    };
    let (house, phones) = house_of(&plan, all_ways()).await;
    mailbox(&house, 0).await;
    // The pack of Mexico: three messages in a week, by whichever channel.
    for channel in WAYS {
        send(&house, 0, channel).await.expect("queued");
        house.secs(1).await;
    }
    let got: Vec<Channel> = phones.got().iter().map(|m| m.channel).collect();
    assert_eq!(got, WAYS);
    is_full(&house, 0).await;
    let ledger = house.store.ledger_of(debtor_id(0)).await.expect("works");
    let counted: BTreeSet<(&str, Channel)> = ledger
        .iter()
        .map(|r| (r.kind.as_str(), r.channel))
        .collect();
    let message = LedgerKind::Message.as_str();
    assert_eq!(counted, WAYS.map(|c| (message, c)).into());
}

#[tokio::test(start_paused = true)]
async fn who_opts_out_of_a_channel_gets_no_more_of_it_row_06() {
    let (house, phones) = house(2).await;
    send(&house, 1, Channel::Sms).await.expect("queued");
    house.secs(1).await;
    let to = phones.got().last().map(|m| m.to.clone()).expect("sent");
    let stop = ReceiptKind::Reply {
        channel: Channel::Sms,
        from: to,
        text: Pii(" Baja. ".into()),
        answers: None,
        optout: false,
    };
    phones.tell("in-2", stop);
    house.secs(3).await;
    let holds = house.holds(debtor_id(1)).await;
    let held: Vec<_> = holds.iter().map(|h| (h.kind, h.channel)).collect();
    assert_eq!(held, [(HoldKind::ChannelOptout, Some(Channel::Sms))]);
    let again = send(&house, 1, Channel::Sms).await;
    assert_eq!(again.expect_err("held").code(), "blocked_hold");
    let timeline = house.kinds().await;
    for kind in [
        "message.queued",
        "message.sent",
        "message.received",
        "hold.placed",
    ] {
        assert!(timeline.iter().any(|k| k == kind), "{kind} is told");
    }
}
