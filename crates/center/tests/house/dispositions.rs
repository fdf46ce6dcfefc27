//! Dispositions: what is checked, what they write, where the debtor goes.

use crate::messages::somebody;
use crate::world::{House, Plan, ask, debt_id, debtor_id, mxn};
use center::{Actor, ClaimAsk, ClaimSeen, DisposeAsk, PromiseAsk};
use domain::entity::{
    Attempt, CallResult, CampaignParams, ClaimState, HoldKind, PaymentChannel, PromiseState,
    SuppressionKind,
};
use domain::ports::Clock as _;
use domain::ports::store::{CLAIM_NOT_FOUND, CatalogStore as _, ClaimStore as _, ListFilter};
use domain::time::HOUR_MS;

fn promise(amount: i64, due: &str) -> DisposeAsk {
    DisposeAsk {
        promise: Some(PromiseAsk {
            debt_id: None,
            amount: mxn(amount),
            due_date: due.into(),
            channel: PaymentChannel::Transfer,
        }),
        ..ask("CD.PP")
    }
}

fn claim(code: &str, paid_on: &str, proof: bool) -> DisposeAsk {
    DisposeAsk {
        claim: Some(ClaimAsk {
            paid_on: paid_on.into(),
            channel: PaymentChannel::Cash,
            proof,
        }),
        ..ask(code)
    }
}

#[tokio::test(start_paused = true)]
async fn what_he_says_of_a_payment_is_kept_with_the_result() {
    let (house, agent, id) = House::in_call(1).await;
    let said = claim("CD.YP.CON", "2026-11-20", true);
    let done = house.center.dispose(Actor::Agent(agent.id), id, said).await;
    done.expect("disposed");
    let log = house.store.events_after(0, 10_000).await.expect("works");
    let set = log.iter().find(|e| e.event.kind == "disposition.set");
    let want = serde_json::json!({"paid_on": "2026-11-20", "channel": "cash", "proof": true});
    assert_eq!(set.expect("its event").event.data["claim"], want);
    let own = house.store.claims_of(debtor_id(0), 10).await;
    let own = own.expect("works").pop().expect("kept");
    assert_eq!(
        (own.attempt_id, own.paid_on.as_str(), own.state),
        (id, "2026-11-20", ClaimState::Open)
    );
    assert_eq!(own.agent_id, Some(agent.id));
}

#[tokio::test(start_paused = true)]
async fn whose_payment_is_not_there_is_called_again() {
    let house = House::build(Plan {
        debtors: 1,
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    let id = house.talking(&agent).await;
    let said = claim("CD.YP.SIN", "2026-11-20", false);
    let done = house.center.dispose(Actor::Agent(agent.id), id, said).await;
    done.expect("disposed");
    house.hang_up(&agent, id).await;
    let rests = house.item(debtor_id(0)).await;
    let now = house.clock.now();
    assert!(rests.next_at > now.plus_ms(24 * HOUR_MS), "{rests:?}");
    let own = house.store.claims_of(debtor_id(0), 10).await;
    let own = own.expect("works").pop().expect("kept");
    let close = |seen| house.center.close_claim(somebody(), own.id, seen);
    let unknown = close(ClaimSeen::Found(domain::ids::PaymentId(id.0))).await;
    assert_eq!(unknown.expect_err("no payment").code(), "claim_payment");
    let seen = ClaimSeen::NotFound("no está en el banco".to_owned());
    let closed = close(seen.clone()).await.expect("closed");
    assert_eq!(
        (closed.state, closed.ended_by),
        (ClaimState::NotFound, somebody().to_string())
    );
    let due = house.item(debtor_id(0)).await;
    assert!(due.next_at <= house.clock.now(), "{due:?}");
    assert_eq!(due.note, CLAIM_NOT_FOUND);
    let again = close(seen).await.expect_err("once");
    assert_eq!(again.code(), "claim_closed");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_refused_by_name() {
    let (house, agent, id) = House::in_call(1).await;
    let long = DisposeAsk {
        note: Some("a".repeat(2_001)),
        ..ask("CD.NP.NOPUEDE")
    };
    let past = DisposeAsk {
        callback_at: Some(house.clock.now()),
        ..ask("CD.VL")
    };
    for (asked, code) in [
        (ask("CD.YP"), "required_field"),
        (ask("CD.YP.SIN"), "required_field"),
        (
            claim("CD.NP.NOPUEDE", "2026-11-20", true),
            "unexpected_field",
        ),
        (claim("CD.YP", "2026-11-29", true), "claim_date"),
        (claim("CD.YP", "2024-11-29", true), "claim_date"),
        (claim("CD.YP", "ayer", true), "claim_date"),
        (claim("CD.YP.SIN", "2026-11-20", true), "claim_proof"),
        (claim("CD.YP.CON", "2026-11-20", false), "claim_proof"),
        (ask("CD.PP"), "required_field"),
        (ask("CD.VL"), "required_field"),
        (ask("CD.DI"), "required_field"),
        (past, "callback_at"),
        (long, "note_too_long"),
        (ask("NC.ST"), "system_disposition"),
        (ask("XX.YY"), "unknown_disposition"),
        (
            DisposeAsk {
                code: "CD.NP.NOPUEDE".into(),
                ..promise(100_000, "2026-11-27")
            },
            "unexpected_field",
        ),
        (promise(99_999, "2026-11-27"), "promise_amount"),
        (promise(1_000_001, "2026-11-27"), "promise_amount"),
        (promise(100_000, "2026-12-24"), "promise_date"),
        (promise(100_000, "2026-11-24"), "promise_date"),
        (promise(100_000, "mañana"), "promise_date"),
    ] {
        let refused = house
            .center
            .dispose(Actor::Agent(agent.id), id, asked.clone())
            .await;
        assert_eq!(refused.expect_err("refused").code(), code, "{asked:?}");
    }
    assert_eq!(
        house.attempt(id).await.disposition,
        None,
        "nothing half-stored"
    );
    assert_eq!(house.holds(debtor_id(0)).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_promise_silences_the_debtor() {
    let (house, agent, id) = House::in_call(1).await;
    let (center, me) = (&house.center, Actor::Agent(agent.id));
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
    let other = center.dispose(me, id, ask("CD.NP.NOPUEDE")).await;
    assert_eq!(other.expect_err("taken").code(), "disposed");

    assert_eq!(
        agent.state(),
        "talking",
        "it applies at the end of the call"
    );
    house.hang_up(&agent, id).await;
    house.until("free again", || agent.state() == "ready").await;
    house.secs(2 * 3_600).await;
    assert_eq!(
        house.attempts().await.len(),
        1,
        "a promise alive: nobody calls"
    );
    let item = house.item(debtor_id(0)).await;
    assert_eq!(
        (item.note.as_str(), item.next_at),
        ("promise", made.grace_until)
    );
    let holds = house.holds(debtor_id(0)).await;
    assert!(holds.iter().any(|h| h.kind == HoldKind::Promise));
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
    assert_eq!(house.row().await.promises, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_back_comes_to_the_same_agent_at_its_time() {
    let (house, agent, id) = House::in_call(1).await;
    let at = house.clock.now().plus_ms(25 * HOUR_MS);
    let later = DisposeAsk {
        callback_at: Some(at),
        ..ask("CD.VL.MISMO")
    };
    house
        .center
        .dispose(Actor::Agent(agent.id), id, later)
        .await
        .expect("disposed");
    house.hang_up(&agent, id).await;
    house.secs(60).await;
    let item = house.item(debtor_id(0)).await;
    assert_eq!((item.next_at, item.priority), (at, 20));
    assert_eq!(item.note, format!("callback_own:{}", agent.id));
    house.center.shutdown().await;

    // The next day, a new start; the other agent has been ready longer.
    let plan = Plan {
        debtors: 1,
        ..Plan::default()
    };
    let house = House::open(house.store, &plan, at.plus_ms(-60_000), 8).await;
    let other = house.agent(2).await;
    let agent = house.agent(1).await;
    house
        .until("called back", || agent.attempt().is_some())
        .await;
    let late = house.clock.now().since_ms(at);
    assert!(
        (0..5_000).contains(&late),
        "{late} ms after the agreed instant"
    );
    assert_eq!(other.attempt(), None, "the agent he knows");
}

/// How sure the house is of the number that was called; it began at 80.
async fn confidence(house: &House, attempt: &Attempt) -> i32 {
    let point = house.store.get_point(attempt.point_id).await;
    point.expect("is there").confidence
}

#[tokio::test(start_paused = true)]
async fn a_wrong_number_and_a_dispute_stop_what_they_name() {
    let house = House::with(2).await;
    let agent = house.agent(1).await;
    let me = Actor::Agent(agent.id);
    house.start().await;
    let first = house.talking(&agent).await;
    house.hang_up(&agent, first).await;
    house
        .center
        .dispose(me, first, ask("CI.EQ"))
        .await
        .expect("wrong number");
    let attempt = house.attempt(first).await;
    let all = house
        .store
        .list_suppressions(&ListFilter::default(), &crate::world::page())
        .await;
    let row = all.expect("read").items.remove(0);
    assert_eq!(
        (row.kind, row.value),
        (SuppressionKind::Phone, attempt.phone.clone())
    );
    assert_eq!(
        row.debtor_id,
        Some(attempt.debtor_id),
        "for this debtor only"
    );
    let item = house.item(attempt.debtor_id).await;
    assert_eq!((item.done, item.note.as_str()), (true, "points_spent"));
    assert_eq!(confidence(&house, &attempt).await, 0, "another's number");

    let next = || agent.attempt().is_some_and(|id| id != first) && agent.state() == "talking";
    house.until("the next one", next).await;
    let second = agent.attempt().expect("a call");
    let dispute = DisposeAsk {
        note: Some("no reconoce el cargo".into()),
        ..ask("CD.DI")
    };
    house
        .center
        .dispose(me, second, dispute)
        .await
        .expect("disputed");
    house.hang_up(&agent, second).await;
    house.secs(1).await;
    let attempt = house.attempt(second).await;
    assert_eq!(confidence(&house, &attempt).await, 90, "he spoke there");
    let hold = house.holds(attempt.debtor_id).await.remove(0);
    assert_eq!(
        (hold.kind, hold.debt_id),
        (HoldKind::Dispute, attempt.debt_id)
    );
    assert!(
        house.item(attempt.debtor_id).await.done,
        "it leaves the campaign"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wrap_up_that_runs_out_is_disposed_by_the_system() {
    let params = CampaignParams {
        wrapup_max_s: 60,
        ..CampaignParams::default()
    };
    let house = House::build(Plan {
        debtors: 2,
        params,
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    house.until("wrap-up", || agent.state() == "wrapup").await;
    let id = agent.attempt().expect("a call");
    house.until("paused", || agent.state() == "paused").await;
    assert_eq!(agent.me()["pause_code"], "wrap_timeout");
    house.secs(1).await;
    let row = house.attempt(id).await;
    assert_eq!(row.disposition.as_deref(), Some("NC.ST"));
    assert_eq!(row.result, Some(CallResult::Human));
    assert_eq!(house.item(row.debtor_id).await.note, "not_disposed");
    let late = house
        .center
        .dispose(Actor::Agent(agent.id), id, ask("CD.NP.NOPUEDE"))
        .await;
    assert_eq!(late.expect_err("taken").code(), "disposed");
}
