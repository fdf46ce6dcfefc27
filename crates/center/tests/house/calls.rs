//! A call through the house: card before bridge, recording, result, disposition, what follows.

use crate::screen::Screen;
use crate::world::{
    House, MORNING, NOBODY, Plan, agent_id, ask, campaign_id, debt_id, debtor_id, page, point_id,
};
use center::{Actor, IdentityAsk};
use domain::entity::{
    Attempt, AttemptState, CallResult, CampaignParams, DebtItem, DialMode, PartyRole,
    RecordingOutcome,
};
use domain::ids::AttemptId;
use domain::ports::store::{CatalogStore as _, DueItemStore as _, ListFilter};
use domain::time::{DAY_MS, HOUR_MS};
use serde_json::json;

/// The 9,000.00 of principal of each debtor in two items.
async fn with_items(house: &House) {
    let now = MORNING.parse().expect("an instant");
    for n in 0..12 {
        let item = |due_date: &str, amount_minor| DebtItem {
            debt_id: debt_id(n),
            reference: due_date.to_owned(),
            due_date: due_date.to_owned(),
            amount_minor,
        };
        let items = [item("2026-10-01", 300_000), item("2026-12-01", 600_000)];
        let done = house
            .store
            .set_due_items(debt_id(n), &items, now, &[])
            .await;
        done.expect("asked").expect("a list");
    }
}

/// Before identity the card holds nothing that a stranger may not hear.
fn card_is_closed(agent: &Screen, id: AttemptId) {
    let card = agent.of_kind("pop").pop().expect("a card").1;
    assert_eq!(card["attempt"], id.to_string());
    assert_eq!(card["gate"], true);
    for field in [
        "balance",
        "overdue",
        "minimum",
        "creditor",
        "product",
        "external_ref",
    ] {
        assert!(
            card["debts"][0][field].is_null(),
            "{field} is withheld: {card}"
        );
    }
    assert_eq!(card["debts"][0]["items"], json!([]));
    let text = card.to_string();
    for secret in [
        "Banco Uno",
        "Tarjeta Oro",
        "10,000",
        "900000",
        "DOC0000",
        "+5255",
    ] {
        assert!(
            !text.contains(secret),
            "{secret} is there before identity: {text}"
        );
    }
    let steps = card["script"]["steps"].as_array().expect("steps");
    let first = steps[0]["text"].as_str().expect("text");
    assert!(first.starts_with("¿Hablo con Persona"), "{first}");
    assert_eq!(steps[1]["text"], "");
}

async fn card_opens(house: &House, agent: &Screen, id: AttemptId) {
    let role = |role| IdentityAsk { role };
    let stranger = house
        .center
        .identity(agent.id, id, role(PartyRole::Reference))
        .await;
    assert_eq!(stranger.expect_err("refused").code(), "third_party");
    let full = house
        .center
        .identity(agent.id, id, role(PartyRole::Titular))
        .await;
    let full = full.expect("identity");
    assert_eq!(full["gate"], false);
    assert_eq!(full["debts"][0]["balance"]["amount_minor"], 1_000_000);
    assert_eq!(full["debts"][0]["creditor"], "Banco Uno");
    let items = &full["debts"][0]["items"];
    assert_eq!(items[0]["due_date"], "2026-10-01");
    assert_eq!(items[1]["open"]["amount_minor"], 600_000);
    let said = "Debe 10,000.00 MXN de Tarjeta Oro a Banco Uno";
    assert!(full.to_string().contains(said), "{full}");
    house
        .until("pushed, too", || !agent.of_kind("card").is_empty())
        .await;
}

fn card_came_first(row: &Attempt) {
    assert_eq!(row.state, AttemptState::Answered);
    let (popped, bridged) = (
        row.popped_at.expect("popped"),
        row.bridged_at.expect("bridged"),
    );
    assert!(popped <= bridged, "the card comes before the voice");
    let answered = row.answered_at.expect("answered");
    assert!(
        popped <= answered,
        "a reserved agent reads it while it rings"
    );
    assert!(row.agent_reserved && !row.caller_number.is_empty());
}

async fn everything_is_stored(house: &House, row: &Attempt) {
    assert_eq!(
        (row.state, row.result),
        (AttemptState::Ended, Some(CallResult::Human))
    );
    assert_eq!(row.disposition.as_deref(), Some("CD.NP.NOPUEDE"));
    let tape = house
        .store
        .get_recording(row.recording_id.expect("recorded"))
        .await;
    assert_eq!(tape.expect("its row").outcome, RecordingOutcome::Sealed);
    let ours = ListFilter {
        attempt_id: Some(row.id),
        ..ListFilter::default()
    };
    let calls = house
        .store
        .list_calls(&ours, &page())
        .await
        .expect("calls")
        .items;
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].ended_by.as_deref(), Some("agent"));
    let item = house.item(row.debtor_id).await;
    assert_eq!((item.attempts, item.note.as_str()), (1, "cooloff"));
    let rested = row.ended_at.expect("ended").plus_ms(7 * DAY_MS);
    assert_eq!(item.next_at, rested, "a refusal rests seven days");
    let kinds = house.kinds().await;
    let wanted = "campaign.started attempt.dialed call.ringing call.answered card.pushed \
        call.bridged recording.started recording.sealed identity.verified attempt.ended \
        call.ended disposition.set agent.logged_in agent.state_changed";
    for kind in wanted.split_whitespace() {
        assert!(
            kinds.iter().any(|k| k == kind),
            "no event {kind}: {kinds:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_progressive_call_from_the_dial_to_the_next_one() {
    let house = House::build(Plan::default()).await;
    with_items(&house).await;
    let agent = house.agent(1).await;
    let report = house.start().await;
    assert_eq!(report.refill.expect("refilled").added, 12);
    assert_eq!(report.problems, []);
    let id = house.talking(&agent).await;
    card_is_closed(&agent, id);
    house.secs(1).await;
    let row = house.attempt(id).await;
    card_came_first(&row);
    assert_eq!(row.agent_id, Some(agent.id));
    card_opens(&house, &agent, id).await;
    house.hang_up(&agent, id).await;
    assert_eq!(agent.state(), "wrapup");
    assert_eq!(agent.me()["ended"]["by"], "agent");
    let done = house
        .center
        .dispose(Actor::Agent(agent.id), id, ask("CD.NP.NOPUEDE"))
        .await;
    done.expect("disposed");
    let another = || agent.attempt().is_some_and(|next| next != id);
    house.until("the next call", another).await;
    everything_is_stored(&house, &house.attempt(id).await).await;
    let figures = house.center.figures().await;
    assert_eq!(
        (figures.connected, figures.dispositions, figures.errors),
        (1, 1, 0)
    );
    assert_eq!(figures.screen_pop_ms.p99, 0.0, "written while it rang");
    assert_eq!(
        figures.bridge_ms.p99, 5.0,
        "the simulated carrier joins in 5 ms"
    );
}

/// Dials on three lines for one agent until somebody finds nobody there.
async fn until_somebody_is_dropped(house: &House, agent: &Screen) {
    for _ in 0..600 {
        house.secs(1).await;
        if house.center.figures().await.abandoned > 0 {
            break;
        }
        let open = agent.attempt().filter(|_| agent.state() == "wrapup");
        if let Some(id) = open {
            // Refused when the call was disposed a moment ago: then there is nothing to do.
            let _ = house
                .center
                .dispose(Actor::Agent(agent.id), id, ask("CD.NP.NOPUEDE"))
                .await;
        }
    }
    house.secs(10).await;
}

#[tokio::test(start_paused = true)]
async fn answers_nobody_takes_hear_the_message_and_count() {
    let params = CampaignParams {
        mode: DialMode::Power,
        lines_per_agent: 3.0,
        ..CampaignParams::default()
    };
    let house = House::build(Plan {
        params,
        debtors: 40,
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    until_somebody_is_dropped(&house, &agent).await;
    let mut dropped = house.attempts().await;
    dropped.retain(|a| a.result == Some(CallResult::Abandoned));
    assert!(
        !dropped.is_empty(),
        "three lines for one agent drop somebody"
    );
    let figures = house.center.figures().await;
    assert_eq!(
        (figures.abandoned, figures.errors),
        (dropped.len() as u64, 0)
    );
    assert_eq!(
        house.row().await.abandonment.numerator,
        dropped.len() as u64
    );
    for attempt in &dropped {
        assert_eq!(attempt.disposition.as_deref(), Some("NC.AD"));
        let ended = attempt.ended_at.expect("ended");
        let up = ended.since_ms(attempt.answered_at.expect("answered"));
        assert!(up >= 1_900, "the message is heard, {up} ms");
        let item = house.item(attempt.debtor_id).await;
        assert_eq!(item.next_at.since_ms(ended), 72 * HOUR_MS);
    }
    assert!(house.kinds().await.iter().any(|k| k == "call.abandoned"));
}

#[tokio::test(start_paused = true)]
async fn a_call_by_hand_asks_the_law_first() {
    let params = CampaignParams {
        mode: DialMode::Manual,
        ..CampaignParams::default()
    };
    let house = House::build(Plan {
        debtors: 1,
        params,
        mix: NOBODY,
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    let verdict = house
        .center
        .dial_manual(agent.id, debtor_id(0), point_id(0))
        .await;
    assert!(verdict.expect("may be dialed").decision.permits(true));
    house
        .until("reserved", || agent.state() == "reserved")
        .await;
    let id = agent.attempt().expect("a call");
    let other = house.center.hang_up(Actor::Agent(agent_id(2)), id).await;
    assert_eq!(other.expect_err("not his").code(), "not_your_call");
    house.until("rung out", || agent.state() == "ready").await;
    house.secs(1).await;
    let row = house.attempt(id).await;
    assert_eq!(
        (row.mode, row.result),
        (DialMode::Manual, Some(CallResult::NoAnswer))
    );
    assert_eq!(
        (row.disposition.as_deref(), row.campaign_id),
        (Some("NC.NR"), Some(campaign_id()))
    );

    let mut point = house.store.get_point(point_id(0)).await.expect("point");
    point.given_by_debtor = false;
    house.store.put_point(&point, &[]).await.expect("stored");
    let refused = house
        .center
        .dial_manual(agent.id, debtor_id(0), point_id(0))
        .await;
    let refused = refused.expect_err("the law refuses");
    assert_eq!(refused.code(), "blocked_rule");
    let center::CenterError::Blocked { es, en, .. } = refused else {
        panic!("refused by law: {refused}");
    };
    assert!(!es.is_empty() && !en.is_empty() && es != en);
}
