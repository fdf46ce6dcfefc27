//! Recorded voices under the packs as they are shipped: a message on a mailbox has to tell what the debtor's packs want,
//! and a mobile whose owner agreed to no recorded voice hears none.

use crate::agentless::params as alone;
use crate::amd::{messages, over, params, send, template, unchecked};
use crate::world::{House, NOBODY, Plan, debtor_id, id, point_id};
use domain::entity::{
    AmdAction, AmdMode, CallResult, CampaignParams, Channel, Consent, DialMode, PointClass,
    VoicemailPart, VoicemailTemplate,
};
use domain::ids::{AttemptId, ConsentId};
use domain::pii::Pii;
use domain::ports::Clock as _;
use domain::ports::store::{
    CatalogStore as _, ContactStore as _, DetectorStore as _, ItemState, TrailStore as _,
};
use domain::rules::detector::Acted;
use domain::time::UtcMs;

/// Debtor `n` lives in New York and has a number of that class there.
async fn moves_to_new_york(house: &House, n: u128, class: PointClass) {
    let mut debtor = house
        .store
        .get_debtor(debtor_id(n))
        .await
        .expect("is there");
    debtor.country = "US".into();
    debtor.subdivision = Some("NY".into());
    debtor.address_zone = Some("America/New_York".into());
    house.store.put_debtor(&debtor, &[]).await.expect("is kept");
    let mut point = house.store.get_point(point_id(n)).await.expect("is there");
    point.value = Pii(format!("+121255501{n:02}"));
    point.class = class;
    house.store.put_point(&point, &[]).await.expect("is kept");
}

/// A mailbox of New York answers a campaign that leaves this message.
async fn answers(said: &str) -> (House, AttemptId) {
    let left = VoicemailTemplate {
        parts: vec![VoicemailPart::Text { text: said.into() }],
        ..template(true)
    };
    let house = House::build(Plan {
        debtors: 3,
        params: CampaignParams {
            amd_action: AmdAction::Message,
            voicemail_template: Some(left.id),
            ..params(AmdMode::On)
        },
        ..Plan::default()
    })
    .await;
    for n in 0..3 {
        moves_to_new_york(&house, n, PointClass::Home).await;
    }
    let kept = house.store.put_voicemail(&left, &[]).await;
    kept.expect("is kept");
    house.agent(1).await;
    house.start().await;
    let attempt = unchecked(&house).await;
    send(&house, attempt, "machine", None).await;
    send(&house, attempt, "machine", Some(1_400)).await;
    (house, attempt)
}

#[tokio::test(start_paused = true)]
async fn the_shipped_packs_say_what_a_message_on_a_mailbox_has_to_tell() {
    let whole = "Habla {person} de {company}. Por favor llame al {number}.";
    for (said, left) in [
        (whole, true),
        ("Habla {person}. Por favor llame al {number}.", false),
        ("Por favor llame al {number}", false),
    ] {
        let (house, attempt) = answers(said).await;
        let heard = house.store.get_heard(attempt).await.expect("answers");
        let wanted = if left { Acted::Message } else { Acted::Hangup };
        assert_eq!(heard.map(|h| h.acted), Some(wanted), "{said}");
        let row = over(&house, attempt).await;
        assert_eq!(row.result == Some(CallResult::MachineBeep), left, "{said}");
        assert_eq!(messages(&house, attempt).await, usize::from(left), "{said}");
    }
}

/// His next turn is now.
async fn is_due(house: &House) {
    let due = ItemState {
        next_at: house.clock.now(),
        ..house.item(debtor_id(0)).await
    };
    house.store.put_item(&due, &[]).await.expect("is kept");
}

async fn agrees(house: &House, revoked_at: Option<UtcMs>) {
    let row = Consent {
        id: ConsentId(id(80)),
        debtor_id: debtor_id(0),
        channel: Channel::Call,
        purpose: "prerecorded".into(),
        granted_at: UtcMs(0),
        until: None,
        revoked_at,
        proof: "form".into(),
        revoke_proof: None,
    };
    house.store.put_consent(&row, &[]).await.expect("is kept");
    is_due(house).await;
}

#[tokio::test(start_paused = true)]
async fn a_mobile_hears_a_message_that_nobody_tells_only_as_long_as_its_owner_agrees() {
    let house = House::build(Plan {
        mix: NOBODY,
        debtors: 1,
        params: alone(AmdMode::Off),
        ..Plan::default()
    })
    .await;
    moves_to_new_york(&house, 0, PointClass::Mobile).await;
    // He could be given to an agent, who is free: a message is told by nobody.
    house.agent(1).await;
    house.start().await;
    let calls = || house.trunk.invites().len();
    house.secs(120).await;
    assert_eq!(calls(), 0, "he agreed to nothing");
    let item = house.item(debtor_id(0)).await;
    assert_eq!((item.done, item.note.as_str()), (false, "blocked_rule"));

    agrees(&house, None).await;
    house.until("his call", || calls() == 1).await;
    let row = over(&house, house.trunk.invites()[0].attempt).await;
    assert_eq!((row.mode, row.agent_reserved), (DialMode::Agentless, false));
    assert_eq!(row.result, Some(CallResult::NoAnswer));

    agrees(&house, Some(house.clock.now())).await;
    house.secs(120).await;
    assert_eq!(calls(), 1, "he took it back");
    assert_eq!(house.item(debtor_id(0)).await.note, "blocked_rule");

    agrees(&house, None).await;
    house.until("he is called again", || calls() == 2).await;
}
