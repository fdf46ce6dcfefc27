//! A call through the house: card before bridge, recording, result, disposition, what follows.

use crate::world::{
    ALL_ANSWER, House, NOBODY, Plan, agent_id, campaign_id, debt_id, debtor_id, page, point_id,
};
use center::{Actor, DisposeAsk, IdentityAsk, PromiseAsk};
use domain::entity::{
    AttemptState, CallResult, CampaignParams, DialMode, HoldKind, PartyRole, PaymentChannel,
    PromiseState, RecordingOutcome,
};
use domain::money::Money;
use domain::ports::store::{AttemptStore as _, CatalogStore as _, ContactStore as _, ListFilter};
use domain::time::{DAY_MS, HOUR_MS};

fn ask(code: &str) -> DisposeAsk {
    DisposeAsk {
        code: code.into(),
        note: None,
        promise: None,
        callback_at: None,
        then: None,
    }
}

fn mxn(amount_minor: i64) -> Money {
    Money::new(amount_minor, "MXN".parse().expect("currency"))
}

#[tokio::test(start_paused = true)]
async fn a_progressive_call_from_the_dial_to_the_next_one() {
    let house = House::build(Plan::default()).await;
    let agent = house.agent(1).await;
    let report = house
        .center
        .start_campaign(Actor::System, campaign_id())
        .await
        .expect("starts");
    assert_eq!(report.refill.expect("refilled").added, 12);
    assert_eq!(report.problems, []);
    house.until("talking", || agent.state() == "talking").await;
    let id = agent.attempt().expect("a call is shown");

    let card = agent.of_kind("pop").last().expect("a card").clone();
    assert_eq!(card.1["attempt"], id.to_string());
    assert_eq!(card.1["gate"], true);
    for field in [
        "balance",
        "overdue",
        "minimum",
        "creditor",
        "product",
        "external_ref",
    ] {
        assert!(
            card.1["debts"][0][field].is_null(),
            "{field} is withheld: {}",
            card.1
        );
    }
    let text = card.1.to_string();
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
            "{secret} is on the card before identity: {text}"
        );
    }
    let steps = card.1["script"]["steps"].as_array().expect("steps");
    assert!(
        steps[0]["text"]
            .as_str()
            .expect("text")
            .starts_with("¿Hablo con Persona")
    );
    assert_eq!(steps[1]["text"], "");

    house.secs(1).await;
    let row = house.store.get_attempt(id).await.expect("stored");
    assert_eq!(row.state, AttemptState::Answered);
    let (popped, bridged) = (
        row.popped_at.expect("popped"),
        row.bridged_at.expect("bridged"),
    );
    assert!(popped <= bridged, "the card comes before the voice");
    assert!(
        popped <= row.answered_at.expect("answered"),
        "a reserved agent reads it while it rings"
    );
    assert_eq!(row.agent_id, Some(agent.id));
    assert!(row.agent_reserved && !row.caller_number.is_empty());

    let full = house
        .center
        .identity(
            agent.id,
            id,
            IdentityAsk {
                role: PartyRole::Titular,
            },
        )
        .await
        .expect("identity");
    assert_eq!(full["gate"], false);
    assert_eq!(full["debts"][0]["balance"]["amount_minor"], 1_000_000);
    assert_eq!(full["debts"][0]["creditor"], "Banco Uno");
    assert!(
        full.to_string()
            .contains("Debe 10,000.00 MXN de Tarjeta Oro a Banco Uno")
    );

    house
        .center
        .hang_up(Actor::Agent(agent.id), id)
        .await
        .expect("hangs up");
    house.until("wrap-up", || agent.state() == "wrapup").await;
    assert_eq!(agent.me()["ended"]["by"], "agent");
    house
        .center
        .dispose(Actor::Agent(agent.id), id, ask("CD.NP"))
        .await
        .expect("disposed");
    house
        .until("the next call", || {
            agent.attempt().is_some_and(|next| next != id)
        })
        .await;

    let row = house.store.get_attempt(id).await.expect("stored");
    assert_eq!(
        (row.state, row.result),
        (AttemptState::Ended, Some(CallResult::Human))
    );
    assert_eq!(row.disposition.as_deref(), Some("CD.NP"));
    let tape = house
        .store
        .get_recording(row.recording_id.expect("recorded"))
        .await
        .expect("row");
    assert_eq!(tape.outcome, RecordingOutcome::Sealed);
    let ours = ListFilter {
        attempt_id: Some(id),
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
    let item = house
        .store
        .items_of(row.debtor_id)
        .await
        .expect("items")
        .remove(0);
    let ended = row.ended_at.expect("ended");
    assert_eq!((item.attempts, item.note.as_str()), (1, "cooloff"));
    assert_eq!(
        item.next_at,
        ended.plus_ms(7 * DAY_MS),
        "a refusal rests seven days"
    );

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
    let kinds = house.kinds().await;
    for kind in [
        "campaign.started",
        "attempt.dialed",
        "call.ringing",
        "call.answered",
        "card.pushed",
        "call.bridged",
        "recording.started",
        "recording.sealed",
        "identity.verified",
        "attempt.ended",
        "call.ended",
        "disposition.set",
        "agent.logged_in",
        "agent.state_changed",
    ] {
        assert!(
            kinds.iter().any(|k| k == kind),
            "no event {kind}: {kinds:?}"
        );
    }
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
    house
        .center
        .start_campaign(Actor::System, campaign_id())
        .await
        .expect("starts");
    for _ in 0..600 {
        house.secs(1).await;
        if house.center.figures().await.abandoned > 0 {
            break;
        }
        if agent.state() == "wrapup"
            && let Some(id) = agent.attempt()
        {
            // Refused when the call before was disposed a moment ago: then there is nothing to do.
            let _ = house
                .center
                .dispose(Actor::Agent(agent.id), id, ask("CD.NP"))
                .await;
        }
    }
    house.secs(10).await;
    let dropped: Vec<_> = house
        .attempts()
        .await
        .into_iter()
        .filter(|a| a.result == Some(CallResult::Abandoned))
        .collect();
    assert!(
        !dropped.is_empty(),
        "three lines for one agent drop somebody"
    );
    let figures = house.center.figures().await;
    assert_eq!(figures.abandoned, dropped.len() as u64);
    assert_eq!(figures.errors, 0);
    let row = house
        .center
        .campaign_row(campaign_id())
        .await
        .expect("known");
    assert_eq!(row.abandonment.numerator, dropped.len() as u64);
    for attempt in &dropped {
        assert_eq!(attempt.disposition.as_deref(), Some("NC.AD"));
        let up = attempt
            .ended_at
            .expect("ended")
            .since_ms(attempt.answered_at.expect("answered"));
        assert!(up >= 1_900, "the message is heard, {up} ms");
        let item = house
            .store
            .items_of(attempt.debtor_id)
            .await
            .expect("items")
            .remove(0);
        assert_eq!(
            item.next_at.since_ms(attempt.ended_at.expect("ended")),
            72 * HOUR_MS
        );
    }
    assert!(house.kinds().await.iter().any(|k| k == "call.abandoned"));
}

#[tokio::test(start_paused = true)]
async fn a_promise_is_checked_and_silences_the_debtor() {
    let house = House::build(Plan {
        debtors: 1,
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house
        .center
        .start_campaign(Actor::System, campaign_id())
        .await
        .expect("starts");
    house.until("talking", || agent.state() == "talking").await;
    let id = agent.attempt().expect("a call");
    let me = Actor::Agent(agent.id);
    let code = |e: center::CenterError| e.code();
    let promise = |amount: i64, due: &str| DisposeAsk {
        promise: Some(PromiseAsk {
            debt_id: None,
            amount: mxn(amount),
            due_date: due.into(),
            channel: PaymentChannel::Transfer,
        }),
        ..ask("CD.PP")
    };
    let center = &house.center;
    let refused = |ask| async { code(center.dispose(me, id, ask).await.expect_err("refused")) };
    assert_eq!(refused(ask("CD.PP")).await, "required_field");
    assert_eq!(refused(ask("NC.ST")).await, "system_disposition");
    assert_eq!(refused(ask("XX.YY")).await, "unknown_disposition");
    assert_eq!(
        refused(promise(99_999, "2026-11-27")).await,
        "promise_amount"
    );
    assert_eq!(
        refused(promise(1_000_001, "2026-11-27")).await,
        "promise_amount"
    );
    assert_eq!(
        refused(promise(100_000, "2026-12-24")).await,
        "promise_date"
    );
    assert_eq!(
        refused(promise(100_000, "2026-11-24")).await,
        "promise_date"
    );

    // Friday the 27th; two business days of grace end on Tuesday night.
    let done = center
        .dispose(me, id, promise(100_000, "2026-11-27"))
        .await
        .expect("promised");
    let made = done.promise.expect("a promise");
    assert_eq!(
        made.grace_until,
        "2026-12-02T06:00:00Z".parse().expect("an instant")
    );
    assert_eq!(
        (made.state, made.debt_id),
        (PromiseState::Active, debt_id(0))
    );
    let again = center
        .dispose(me, id, promise(100_000, "2026-11-27"))
        .await
        .expect("repeated");
    assert_eq!(again.promise.expect("the same").id, made.id);
    assert_eq!(
        code(
            center
                .dispose(me, id, ask("CD.NP"))
                .await
                .expect_err("taken")
        ),
        "disposed"
    );

    assert_eq!(
        agent.state(),
        "talking",
        "it applies at the end of the call"
    );
    center.hang_up(me, id).await.expect("hangs up");
    house.until("free again", || agent.state() == "ready").await;
    house.secs(2 * 3_600).await;
    assert_eq!(
        house.attempts().await.len(),
        1,
        "a promise alive: nobody calls"
    );
    let item = house
        .store
        .items_of(debtor_id(0))
        .await
        .expect("items")
        .remove(0);
    assert_eq!(
        (item.note.as_str(), item.next_at),
        ("promise", made.grace_until)
    );
    assert!(
        house
            .holds(debtor_id(0))
            .await
            .iter()
            .any(|h| h.kind == HoldKind::Promise)
    );
    let why = center.why_not(debtor_id(0), None).await.expect("explained");
    assert!(
        why.reasons_es.iter().any(|r| r.contains("promesa")),
        "{:?}",
        why.reasons_es
    );
    assert!(
        why.reasons_en.iter().any(|r| r.contains("promise")),
        "{:?}",
        why.reasons_en
    );
    assert_eq!(
        agent.me()["today"]["promised"],
        serde_json::json!([["MXN", 100_000]])
    );
}

#[tokio::test(start_paused = true)]
async fn a_wrap_up_that_runs_out_is_disposed_by_the_system() {
    let house = House::build(Plan {
        debtors: 2,
        mix: ALL_ANSWER,
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house
        .center
        .start_campaign(Actor::System, campaign_id())
        .await
        .expect("starts");
    house.until("wrap-up", || agent.state() == "wrapup").await;
    let id = agent.attempt().expect("a call");
    house.until("paused", || agent.state() == "paused").await;
    assert_eq!(agent.me()["pause_code"], "wrap_timeout");
    house.secs(1).await;
    let row = house.store.get_attempt(id).await.expect("stored");
    assert_eq!(row.disposition.as_deref(), Some("NC.ST"));
    let item = house
        .store
        .items_of(row.debtor_id)
        .await
        .expect("items")
        .remove(0);
    assert_eq!(item.note, "not_disposed");
    let late = house
        .center
        .dispose(Actor::Agent(agent.id), id, ask("CD.NP"))
        .await;
    assert_eq!(late.expect_err("taken").code(), "disposed");
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
    house
        .center
        .start_campaign(Actor::System, campaign_id())
        .await
        .expect("starts");
    let debtor = debtor_id(0);
    let verdict = house
        .center
        .dial_manual(agent.id, debtor, point_id(0))
        .await
        .expect("may be dialed");
    assert!(verdict.decision.permits(true));
    house
        .until("reserved", || agent.state() == "reserved")
        .await;
    let id = agent.attempt().expect("a call");
    let other = house.center.hang_up(Actor::Agent(agent_id(2)), id).await;
    assert_eq!(other.expect_err("not his").code(), "not_your_call");
    house.until("rung out", || agent.state() == "ready").await;
    house.secs(1).await;
    let row = house.store.get_attempt(id).await.expect("stored");
    assert_eq!(
        (row.mode, row.result),
        (DialMode::Manual, Some(CallResult::NoAnswer))
    );
    assert_eq!(row.disposition.as_deref(), Some("NC.NR"));
}
