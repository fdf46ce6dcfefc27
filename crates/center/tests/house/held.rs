//! Who is dead, contests the debt, has a lawyer or is a minor: what waits for him is withdrawn, nothing new goes
//! out, and money that comes all the same counts.

use crate::messages::{by_hand, house, somebody};
use crate::stops::payment;
use crate::world::{House, NOBODY, Plan, client_id, debt_id, debtor_id, id, point_id};
use center::CenterError;
use domain::entity::{Debtor, Hold, HoldKind, HoldScope, Message, MessageState};
use domain::law::RuleBook;
use domain::ports::Clock as _;
use domain::ports::store::{CatalogStore as _, MessageStore as _};
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use serde_json::json;
use std::sync::Arc;

/// A message as it is stored: to debtor `n`, due at an instant.
pub(crate) fn message(own: u128, n: u128, state: MessageState, at: UtcMs) -> Message {
    let sent = state.has_left().then_some(at);
    let row = json!({
        "id": id(own), "client_id": client_id(), "debtor_id": debtor_id(n), "debt_id": debt_id(n),
        "point_id": point_id(n), "address": null, "channel": "sms", "purpose": "manual",
        "template_id": null, "template_version": 0, "strategy_id": null, "strategy_version": 0, "step": "",
        "plan_key": null, "subject": "", "body": "Buen día", "due_at": at,
        "expires_at": at.plus_ms(DAY_MS), "state": state, "reason": "", "tries": 0, "gateway": "",
        "provider_ref": "", "cost_micro": 0, "currency": null, "verdict_id": null, "reply_to": null,
        "made_by": "system", "created_at": at, "sent_at": sent, "delivered_at": null, "read_at": null,
        "answered_at": null, "ended_at": null,
    });
    serde_json::from_value(row).expect("a message")
}

/// A dispute is about a debt, all others are about the person.
fn hold(house: &House, n: u128, kind: HoldKind) -> Hold {
    let about_all = house.hold(debtor_id(n), kind);
    if kind != HoldKind::Dispute {
        return about_all;
    }
    Hold {
        scope: HoldScope::Debt,
        debt_id: Some(debt_id(n)),
        ..about_all
    }
}

async fn pays(house: &House, n: u128) {
    let before = house.store.get_debt(debt_id(n)).await.expect("debt");
    let payment = payment(house, n, 10_000, &format!("held-{n}"));
    let posted = house.center.post_payment(somebody(), payment).await;
    posted.expect("money is money");
    let after = house.store.get_debt(debt_id(n)).await.expect("debt");
    assert_eq!(after.balance_minor(), before.balance_minor() - 10_000);
}

/// Breathing space is sixty days (gb.json): interest, segments and screens read the end that the law reads.
#[tokio::test(start_paused = true)]
async fn a_hold_is_kept_with_the_end_that_the_law_gives_it() {
    let plan = Plan {
        debtors: 2,
        mix: NOBODY,
        ..Plan::default()
    };
    let law = Arc::new(RuleBook::embedded().expect("is read"));
    let house = House::under(plan, law).await;
    house.start().await;
    let british = Debtor {
        country: "GB".into(),
        subdivision: Some("ENG".into()),
        ..house.store.get_debtor(debtor_id(0)).await.expect("debtor")
    };
    house.store.put_debtor(&british, &[]).await.expect("moved");
    let now = house.clock.now();
    for (n, kind, days, want) in [
        (0, HoldKind::Moratorium, 10, 60),
        (0, HoldKind::Moratorium, 90, 90),
        (0, HoldKind::Cease, 10, 10),
        (1, HoldKind::Moratorium, 10, 10),
    ] {
        let hold = Hold {
            from: now,
            until: Some(now.plus_ms(days * DAY_MS)),
            ..hold(&house, n, kind)
        };
        let id = hold.id;
        let placed = house.center.place_hold(somebody(), hold).await;
        placed.expect("placed");
        let kept = house.store.get_hold(id).await.expect("hold");
        assert_eq!(
            kept.until,
            Some(now.plus_ms(want * DAY_MS)),
            "{kind} {days}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_held_debtor_gets_nothing_that_waited_and_nothing_new_row_04() {
    let kinds = [
        HoldKind::Deceased,
        HoldKind::Dispute,
        HoldKind::Represented,
        HoldKind::Minor,
    ];
    let (house, phones) = house(5).await;
    let due = house.clock.now().plus_ms(HOUR_MS);
    let waiting: Vec<Message> = (0..5)
        .map(|n| message(700 + n, n, MessageState::Queued, due))
        .collect();
    let planned = house.store.plan_messages(&waiting, &[]).await;
    assert_eq!(planned.expect("works"), 5);
    for (n, kind) in (0..).zip(kinds) {
        let hold = hold(&house, n, kind);
        let placed = house.center.place_hold(somebody(), hold).await;
        placed.expect("placed");
        house.secs(1).await;
        let row = house
            .store
            .get_message(waiting[usize::try_from(n).expect("few")].id)
            .await;
        let row = row.expect("works");
        assert_eq!(
            (row.state, row.reason.as_str()),
            (MessageState::Cancelled, "held"),
            "{kind}"
        );
        let new = house
            .center
            .queue_message(somebody(), by_hand(n, "Buen día"));
        match new.await {
            Err(CenterError::Blocked { code, .. }) => assert_eq!(code, "blocked_hold", "{kind}"),
            other => panic!("{kind}: {other:?}"),
        }
        pays(&house, n).await;
    }
    house.secs(2 * 3_600).await;
    let got = phones.got();
    assert_eq!(got.len(), 1, "who is held by nothing alone: {got:?}");
    assert_eq!(got[0].id, waiting[4].id);
}
