//! What the packs ask of the conversation: facts of the first contact, questions that may not be asked.

use crate::world::{House, debtor_id};
use center::{Actor, DisposeAsk};
use domain::ids::AttemptId;
use domain::ports::store::CatalogStore as _;
use serde_json::{Value, json};

/// What Mexico's packs want said at the first contact.
const FIRST_CONTACT: [&str; 8] = [
    "agency_and_agent_name",
    "agency_address_phone_responsible",
    "creditor",
    "contract",
    "amount_and_calculation_date",
    "how_to_settle",
    "complaints_contact",
    "pay_only_to_creditor",
];

/// The facts of a first contact in Mexico, where a conversation with the debtor carries them.
pub(crate) fn told(code: &str) -> Vec<String> {
    let facts = FIRST_CONTACT.iter().filter(|_| code.starts_with("CD."));
    facts.map(|fact| (*fact).to_owned()).collect()
}

/// A disposition with its code and the facts of a first contact, and nothing else.
pub(crate) fn ask(code: &str) -> DisposeAsk {
    DisposeAsk {
        code: code.into(),
        note: None,
        promise: None,
        claim: None,
        callback_at: None,
        then: None,
        told_facts: told(code),
    }
}

/// An agent in a call with the only debtor.
async fn talking() -> (House, Actor, AttemptId, Value) {
    let (house, agent, id) = House::in_call(1).await;
    let card = agent.of_kind("pop").remove(0).1;
    (house, Actor::Agent(agent.id), id, card)
}

fn telling(code: &str, facts: &[&str]) -> DisposeAsk {
    DisposeAsk {
        told_facts: facts.iter().map(|fact| (*fact).to_owned()).collect(),
        ..ask(code)
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_conversation_is_not_saved_before_its_facts_are_told() {
    let (house, me, id, card) = talking().await;
    assert_eq!(card["duties"]["must_say"], json!(FIRST_CONTACT), "{card}");
    assert_eq!(card["duties"]["first_contact"], true);
    assert_eq!(card["duties"]["announce_recording"], true);
    let most = &FIRST_CONTACT[1..];
    let beside = [&FIRST_CONTACT[..], &["the_weather"]].concat();
    for (asked, code) in [
        (telling("CD.NP.NOPUEDE", &[]), "first_contact"),
        (telling("CD.NP.NOPUEDE", most), "first_contact"),
        (telling("CD.NP.NOPUEDE", &beside), "unknown_fact"),
    ] {
        let refused = house.center.dispose(me, id, asked).await;
        assert_eq!(refused.expect_err("refused").code(), code);
    }
    assert_eq!(house.attempt(id).await.disposition, None);
    let told = telling("CD.NP.NOPUEDE", &FIRST_CONTACT);
    house.center.dispose(me, id, told).await.expect("told");
    let log = house.store.events_after(0, 10_000).await.expect("works");
    let set = log.iter().find(|e| e.event.kind == "disposition.set");
    let data = &set.expect("its event").event.data;
    assert_eq!(
        data["told_facts"],
        json!(FIRST_CONTACT),
        "the proof is kept"
    );
    let next = house.center.conduct(debtor_id(0)).await.expect("known");
    assert!(!next.first_contact, "once is enough");
}

#[tokio::test(start_paused = true)]
async fn who_asks_that_contact_stops_is_not_kept_waiting_and_the_facts_stay_owed() {
    let (house, me, id, _) = talking().await;
    let stop = telling("CD.NC.ESCRITO", &[]);
    house.center.dispose(me, id, stop).await.expect("stops");
    let next = house.center.conduct(debtor_id(0)).await.expect("known");
    assert!(next.first_contact);
}

#[tokio::test(start_paused = true)]
async fn no_reason_is_kept_where_none_may_be_asked() {
    let (house, me, id, card) = talking().await;
    assert_eq!(card["duties"]["hidden_leaves"], json!([]), "{card}");
    // Where it may be asked it is told.
    let bare = house.center.dispose(me, id, telling("CD.NP", &[])).await;
    assert_eq!(bare.expect_err("no leaf").code(), "required_leaf");
    let his = house.store.get_debtor(debtor_id(0)).await;
    let mut row = his.expect("his file");
    row.country = "CO".into();
    house.store.put_debtor(&row, &[]).await.expect("stored");
    let duties = house.center.conduct(debtor_id(0)).await.expect("known");
    assert_eq!(duties.hidden_leaves, ["CD.NP"]);
    let reason = telling("CD.NP.DESEMPLEO", &[]);
    let refused = house.center.dispose(me, id, reason).await;
    assert_eq!(refused.expect_err("a reason").code(), "reason_forbidden");
    let plain = telling("CD.NP", &[]);
    house
        .center
        .dispose(me, id, plain)
        .await
        .expect("no reason");
}
