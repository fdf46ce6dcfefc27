//! Money, holds, listings and the opt-out key stop contact at once.

use crate::screen::Screen;
use crate::world::{
    House, NOBODY, Plan, agent_id, campaign_id, client_id, debt_id, debtor_id, id, page, point_id,
};
use center::{Actor, Payer, ProviderDone};
use domain::entity::{
    Assignment, CallResult, CampaignParams, Channel, DialMode, HoldKind, LinkState, Payment,
    PaymentChannel, PaymentLink, Receipt, ReceiptSource, ReceiptState, Suppression,
    SuppressionKind,
};
use domain::ids::{PaymentId, PaymentLinkId, ReceiptId, SuppressionId, TeamId};
use domain::money::Money;
use domain::pii::Pii;
use domain::ports::store::{
    AttemptStore as _, CatalogStore as _, FloorStore as _, ListFilter, ReceiptStore as _,
};
use domain::ports::{Clock as _, LegRef, ProviderEvent, ProviderWhat, TrunkReport};

/// Money of now on the first debt of debtor `n`, not posted yet.
pub(crate) fn payment(house: &House, n: u128, amount_minor: i64, reference: &str) -> Payment {
    let now = house.clock.now();
    Payment {
        id: PaymentId(id(u128::from(now.0.unsigned_abs()) + n)),
        client_id: client_id(),
        debtor_id: debtor_id(n),
        debt_id: debt_id(n),
        amount: Money::new(amount_minor, "MXN".parse().expect("currency")),
        paid_at: now,
        channel: PaymentChannel::Cash,
        reference: reference.into(),
        reverses: None,
        posted_at: now,
    }
}

#[tokio::test(start_paused = true)]
async fn a_payment_in_full_withdraws_the_ringing_call() {
    let (house, agent) = House::ringing().await;
    let before = house.clock.now();
    let full = payment(&house, 0, 1_000_000, "R-1");
    let done = house
        .center
        .post_payment(Actor::System, full.clone())
        .await
        .expect("posted");
    assert!(done.debt_paid && !done.repeated);
    house
        .until("the ringing ends", || house.trunk.live_calls() == 0)
        .await;
    assert!(
        house.clock.now().since_ms(before) <= 20,
        "in milliseconds, not at the ring's end"
    );
    house.until("free again", || agent.state() == "ready").await;
    house.secs(3_600).await;
    let rows = house.attempts().await;
    assert_eq!(rows.len(), 1, "nobody calls who has paid");
    assert_eq!(rows[0].result, Some(CallResult::Cancelled));
    let item = house.item(debtor_id(0)).await;
    assert!(item.done, "{item:?}");
    assert_eq!(item.note, "paid");
    let again = house
        .center
        .post_payment(Actor::System, full)
        .await
        .expect("repeated");
    assert!(again.repeated);
    let why = house
        .center
        .why_not(debtor_id(0), Some(campaign_id()))
        .await
        .expect("explained");
    assert!(
        why.reasons_en.iter().any(|r| r.contains("paid")),
        "{:?}",
        why.reasons_en
    );
}

#[tokio::test(start_paused = true)]
async fn a_payment_while_they_talk_keeps_him_out_afterwards() {
    let house = House::with(1).await;
    let agent = house.agent(1).await;
    house.start().await;
    house.until("talking", || agent.state() == "talking").await;
    let full = payment(&house, 0, 1_000_000, "R-2");
    house
        .center
        .post_payment(Actor::System, full)
        .await
        .expect("posted");
    assert_eq!(agent.state(), "talking", "a conversation is not cut");
    let posted = house.clock.now();
    house
        .until("his card says so", || {
            let cards = agent.of_kind("card");
            let told = |(_, card): &(_, serde_json::Value)| {
                card["payments"].as_array().is_some_and(|p| p.len() == 1)
            };
            cards.iter().any(told)
        })
        .await;
    assert!(house.clock.now().since_ms(posted) < 1_000);
    let (_, card) = agent.of_kind("card").pop().expect("a card");
    assert_eq!(card["debts"], serde_json::json!([]), "nothing is owed");
    house
        .until("paused by the wrap-up's limit", || {
            agent.state() == "paused"
        })
        .await;
    house.secs(1).await;
    let item = house.item(debtor_id(0)).await;
    assert!(item.done && item.note == "paid", "{item:?}");
}

#[tokio::test(start_paused = true)]
async fn money_is_told_to_whom_the_debtor_is_given_and_to_a_team_row_27() {
    let house = House::unanswered(1).await;
    let team = TeamId(id(77));
    let mut of_team = house.store.get_agent(agent_id(2)).await.expect("agent");
    of_team.team_id = Some(team);
    house.store.put_agent(&of_team, &[]).await.expect("kept");
    let [one, two, three] = [
        house.sign_in(1).await,
        house.sign_in(2).await,
        house.sign_in(3).await,
    ];
    let told = || [&one, &two, &three].map(|s| s.of_kind("money").len());
    let to = |agent_id, team_id| Assignment {
        debtor_id: debtor_id(0),
        client_id: client_id(),
        rule_id: None,
        campaign_id: None,
        team_id,
        agent_id,
        assigned_at: house.clock.now(),
    };
    for (n, row, expected) in [
        (1, to(None, None), [0, 0, 0]),
        (2, to(Some(agent_id(1)), None), [1, 0, 0]),
        (3, to(None, Some(team)), [1, 1, 0]),
    ] {
        house.store.assign(&[row], &[]).await.expect("assigned");
        let some = payment(&house, 0, 100, &format!("N-{n}"));
        let posted = house.center.post_payment(Actor::System, some).await;
        assert!(posted.is_ok(), "{posted:?}");
        house.secs(1).await;
        assert_eq!(told(), expected, "payment {n}");
    }
    let (_, message) = one.of_kind("money").pop().expect("told");
    assert_eq!(message["client"], serde_json::json!(client_id()));
}

#[tokio::test(start_paused = true)]
async fn money_of_a_file_withdraws_whom_it_is_from_row_23() {
    let (house, _agent) = House::ringing().await;
    let now = house.clock.now();
    let receipt = Receipt {
        id: ReceiptId(id(77)),
        client_id: client_id(),
        source: ReceiptSource::BankFile,
        reference: "884201".into(),
        amount: Money::new(400_000, "MXN".parse().expect("currency")),
        left_minor: 400_000,
        returned_minor: 0,
        paid_at: now,
        channel: PaymentChannel::Transfer,
        concept: Pii(String::new()),
        document: Pii(String::new()),
        debtor_id: None,
        file_id: None,
        state: ReceiptState::Unmatched,
        note: String::new(),
        created_at: now,
        updated_at: now,
    };
    let payer = Payer {
        debtor_id: Some(debtor_id(0)),
        ..Payer::default()
    };
    for repeated in [false, true] {
        let taken = house
            .center
            .take_money(Actor::System, receipt.clone(), payer.clone())
            .await
            .expect("taken");
        assert_eq!(taken.repeated, repeated);
        assert_eq!(taken.receipt.state, ReceiptState::Posted);
    }
    house
        .until("the ringing ends", || house.trunk.live_calls() == 0)
        .await;
    assert!(house.clock.now().since_ms(now) <= 20, "in milliseconds");
    let debt = house.store.get_debt(debt_id(0)).await.expect("debt");
    assert_eq!(debt.balance_minor(), 600_000, "counted once");
    house
        .until("what is still owed is planned afresh", || {
            house.trunk.invites().len() == 2
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_paid_withdraws_the_ringing_call_and_a_refund_plans_it_anew_row_23() {
    let (house, _agent) = House::ringing().await;
    let now = house.clock.now();
    let link = PaymentLink {
        id: PaymentLinkId(id(88)),
        client_id: client_id(),
        debtor_id: debtor_id(0),
        debt_id: debt_id(0),
        amount: Money::new(1_000_000, "MXN".parse().expect("currency")),
        point_id: None,
        state: LinkState::Opened,
        tries: 0,
        session: None,
        session_url: None,
        made_by: "system".into(),
        created_at: now,
        expires_at: now.plus_ms(3_600_000),
        opened_at: Some(now),
        paid_at: None,
    };
    let made = house.center.make_link(Actor::System, link.clone()).await;
    made.expect("made");
    let says = async |id: &str, what: ProviderWhat| {
        let event = ProviderEvent {
            id: id.into(),
            at: house.clock.now(),
            what,
        };
        let done = house.center.provider_said("stripe", event).await;
        done.expect("taken")
    };
    let paid = ProviderWhat::Paid {
        link: link.id,
        money: "pi_1".into(),
        amount: link.amount,
    };
    assert_eq!(says("e1", paid).await, ProviderDone::Done);
    house
        .until("the ringing ends", || house.trunk.live_calls() == 0)
        .await;
    let took = house.clock.now().since_ms(now);
    assert!(took < 1_000, "within a second: {took} ms");
    let row = house.store.get_payment_link(link.id).await.expect("link");
    assert_eq!(row.state, LinkState::Paid);
    assert!(house.item(debtor_id(0)).await.done, "nothing is owed");
    let back = ProviderWhat::Refunded {
        money: "pi_1".into(),
        total: link.amount,
    };
    assert_eq!(says("e2", back).await, ProviderDone::Done);
    let item = house.item(debtor_id(0)).await;
    assert!(!item.done && item.note == "reversed", "{item:?}");
}

fn listing(house: &House, phone: Pii<String>) -> Suppression {
    Suppression {
        id: SuppressionId(id(2)),
        client_id: None,
        debtor_id: None,
        kind: SuppressionKind::Phone,
        value: phone,
        reason: "list".into(),
        created_at: house.clock.now(),
        lifted_at: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_and_a_listing_withdraw_and_explain() {
    let house = House::unanswered(2).await;
    let _one = house.agent(1).await;
    let _two = house.agent(2).await;
    house.start().await;
    house
        .until("both ring", || house.trunk.live_calls() == 2)
        .await;
    let hold = house.hold(debtor_id(0), HoldKind::Cease);
    house
        .center
        .place_hold(Actor::System, hold)
        .await
        .expect("placed");
    house
        .until("one is withdrawn", || house.trunk.live_calls() == 1)
        .await;
    let phone = house
        .store
        .get_point(point_id(1))
        .await
        .expect("point")
        .value;
    let row = listing(&house, phone);
    house
        .center
        .suppress(Actor::System, row)
        .await
        .expect("listed");
    house
        .until("the other, too", || house.trunk.live_calls() == 0)
        .await;
    house.secs(3_600).await;
    assert_eq!(house.trunk.invites().len(), 2, "neither is dialed again");
    let held = house
        .center
        .why_not(debtor_id(0), None)
        .await
        .expect("explained");
    assert!(
        held.reasons_es.iter().any(|r| r.contains("bloqueo")),
        "{:?}",
        held.reasons_es
    );
    let listed = house
        .center
        .why_not(debtor_id(1), None)
        .await
        .expect("explained");
    assert!(
        listed.reasons_en.iter().any(|r| r.contains("list")),
        "{:?}",
        listed.reasons_en
    );
    let row = house.row().await;
    let reasons: Vec<&str> = row.blocked.iter().map(|(r, _)| r.as_str()).collect();
    assert!(
        reasons.contains(&"blocked_hold") && reasons.contains(&"blocked_suppressed"),
        "{row:?}"
    );
    assert_eq!(row.problem.expect("says so").code, "nothing_dialable");
}

/// Two debtors ring for one agent.
async fn two_ring() -> (House, Screen) {
    let params = CampaignParams {
        mode: DialMode::Power,
        lines_per_agent: 2.0,
        agent_within_ms: 200,
        ..CampaignParams::default()
    };
    let plan = Plan {
        debtors: 2,
        params,
        mix: NOBODY,
        ..Plan::default()
    };
    let house = House::build(plan).await;
    let agent = house.agent(1).await;
    house.start().await;
    house
        .until("both ring", || house.trunk.live_calls() == 2)
        .await;
    house.secs(1).await;
    (house, agent)
}

#[tokio::test(start_paused = true)]
async fn the_key_of_the_message_opts_out_at_once() {
    let (house, agent) = two_ring().await;
    // Two answers in one moment: the second finds nobody in time.
    for invite in house.trunk.invites() {
        let answered = TrunkReport::Answered {
            attempt: invite.attempt,
            at: house.clock.now(),
        };
        house.reports.send(answered).await.expect("heard");
    }
    house.secs(1).await;
    let taken = agent.attempt().expect("one has the agent");
    let press = |attempt| TrunkReport::Dtmf {
        leg: LegRef::Debtor(attempt),
        digit: '9',
        at: house.clock.now(),
    };
    let listed = || async {
        let all = house
            .store
            .list_suppressions(&ListFilter::default(), &page())
            .await;
        all.expect("read").items
    };
    house.reports.send(press(taken)).await.expect("heard");
    house.secs(1).await;
    assert_eq!(listed().await.len(), 0, "only the message has that key");
    let other = house
        .trunk
        .invites()
        .into_iter()
        .find(|i| i.attempt != taken)
        .expect("two");
    house
        .reports
        .send(press(other.attempt))
        .await
        .expect("heard");
    house.secs(1).await;
    let row = listed().await.remove(0);
    assert_eq!(
        (row.reason.as_str(), row.kind),
        ("optout", SuppressionKind::Phone)
    );
    assert_eq!(row.value, Pii(other.number.clone()));
    let attempt = house
        .store
        .get_attempt(other.attempt)
        .await
        .expect("stored");
    let holds = house.holds(attempt.debtor_id).await;
    assert_eq!(
        (holds[0].kind, holds[0].channel),
        (HoldKind::ChannelOptout, Some(Channel::Call))
    );
}
