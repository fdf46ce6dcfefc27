//! Payments that debtors say they made: listed, found, not found, and closed by the payment that is meant.

use crate::app::{App, Reply, START};
use crate::world::Own;
use domain::entity::{Claim, ClaimState, PaymentChannel};
use domain::ids::ClaimId;
use domain::ports::store::{AttemptStore as _, CatalogStore as _, Closing};
use serde_json::{Value, json};

/// The day that he names: no money of his came in around it.
const DAY: &str = "2026-11-10";

async fn get(app: &App, login: &str, path: &str) -> Reply {
    let token = app.token(login).await;
    let ask = app.get(&format!("/api/v1{path}"));
    ask.token(&token).send().await
}

async fn post(app: &App, login: &str, path: &str, body: Value) -> Reply {
    let token = app.token(login).await;
    let ask = app.post(&format!("/api/v1{path}"));
    ask.token(&token).json(&body).send().await
}

/// In the call of his that is there he says that he has paid.
async fn says(app: &App, own: &Own) -> Claim {
    let mut attempt = app.store.get_attempt(own.attempt).await.expect("a call");
    (attempt.disposition, attempt.disposed_at) = (None, None);
    let claim = Claim {
        id: ClaimId(own.attempt.0),
        client_id: own.client,
        debtor_id: own.debtor,
        attempt_id: own.attempt,
        agent_id: attempt.agent_id,
        paid_on: DAY.to_owned(),
        channel: PaymentChannel::Cash,
        proof: true,
        made_at: START,
        state: ClaimState::Open,
        payment_id: None,
        reason: String::new(),
        ended_by: String::new(),
        ended_at: None,
    };
    app.store.with(|t| t.put_attempt(attempt));
    let closing = Closing {
        disposition: Some("CD.YP.CON".to_owned()),
        disposed_at: Some(START),
        claim: Some(claim.clone()),
        ..Closing::default()
    };
    let done = app.store.close_attempt(own.attempt, &closing).await;
    assert!(done.expect("disposed"));
    claim
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status.as_u16(), reply.code())
}

#[tokio::test]
async fn who_verifies_sees_what_was_said_and_finds_the_payment_row_23() {
    let app = App::start().await;
    let own = &app.world.norte;
    let claim = says(&app, own).await;
    let debtor = app.store.get_debtor(own.debtor).await.expect("a debtor");
    for login in ["supervisor", "norte-supervisor", "client"] {
        let path = format!("/claims?portfolio={}&state=open", own.portfolio);
        let list = get(&app, login, &path).await;
        assert_eq!(list.status, 200, "{login}: {}", list.text());
        let list = list.json();
        let row = &list["items"][0];
        assert_eq!(
            (&row["claim"], &row["name"], &row["external_ref"]),
            (
                &json!(claim),
                &json!(debtor.name.reveal()),
                &json!(debtor.external_ref)
            ),
            "{login}"
        );
        assert!(row["agent"].is_string(), "to whom he said it: {row}");
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    }
    let path = format!("/claims/{}/found", claim.id);
    let foreign = json!({"payment_id": app.world.sur.payment});
    let wrong = post(&app, "manager", &path, foreign).await;
    assert_eq!(code(&wrong), (422, "claim_payment".to_owned()));
    assert_eq!(wrong.json()["errors"][0]["path"], "payment_id");
    let right = json!({"payment_id": own.payment});
    let found = post(&app, "manager", &path, right.clone()).await;
    assert_eq!(found.status, 200, "{}", found.text());
    let found = found.json();
    assert_eq!(
        (&found["state"], &found["payment_id"]),
        (&json!("found"), &json!(own.payment))
    );
    let again = post(&app, "manager", &path, right).await;
    assert_eq!(code(&again), (409, "claim_closed".to_owned()));
    let file = get(&app, "supervisor", &format!("/debtors/{}", own.debtor)).await;
    assert_eq!(file.json()["claims"], json!([found]));
    let open = get(&app, "supervisor", "/claims?state=open").await;
    assert_eq!(open.json()["items"], json!([]));
    let audit = get(&app, "admin", "/audit").await.text();
    assert!(audit.contains("claim.found"), "{audit}");
}

#[tokio::test]
async fn what_is_not_there_is_closed_with_its_reason_row_23() {
    let app = App::start().await;
    let own = &app.world.norte;
    let claim = says(&app, own).await;
    let path = format!("/claims/{}/not-found", claim.id);
    let bare = post(&app, "manager", &path, json!({"reason": " "})).await;
    assert_eq!(bare.status, 422, "{}", bare.text());
    let why = json!({"reason": "no está en el banco"});
    let gone = post(&app, "manager", &path, why).await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    let gone = gone.json();
    assert_eq!(
        (&gone["state"], &gone["reason"]),
        (&json!("not_found"), &json!("no está en el banco"))
    );
    let late = json!({"payment_id": own.payment});
    let late = post(
        &app,
        "manager",
        &format!("/claims/{}/found", claim.id),
        late,
    )
    .await;
    assert_eq!(code(&late), (409, "claim_closed".to_owned()));
}

#[tokio::test]
async fn another_clients_claim_is_no_such_thing_row_23() {
    let app = App::start().await;
    let claim = says(&app, &app.world.sur).await;
    let list = get(&app, "norte-supervisor", "/claims").await;
    assert_eq!(list.json()["items"], json!([]));
    for (what, body) in [
        ("found", json!({"payment_id": app.world.norte.payment})),
        ("not-found", json!({"reason": "x"})),
    ] {
        let path = format!("/claims/{}/{what}", claim.id);
        let foreign = post(&app, "norte-manager", &path, body).await;
        assert_eq!(code(&foreign), (404, "not_found".to_owned()), "{what}");
    }
}

#[tokio::test]
async fn the_payment_that_is_meant_closes_it_row_23() {
    let app = App::start().await;
    let own = &app.world.norte;
    let claim = says(&app, own).await;
    let body = json!({"debtor_id": own.debtor, "debt_id": own.debt, "channel": "transfer",
        "amount": {"amount_minor": 5_000, "currency": "MXN"},
        "paid_at": format!("{DAY}T18:00:00.000Z"), "reference": "banco-77"});
    let posted = post(&app, "manager", "/payments", body).await;
    assert_eq!(posted.status, 201, "{}", posted.text());
    let payment = posted.json()["payment"]["id"].clone();
    let path = format!("/claims?debtor={}", own.debtor);
    let list = get(&app, "supervisor", &path).await.json();
    let seen = &list["items"][0]["claim"];
    assert_eq!(
        (&seen["id"], &seen["state"], &seen["ended_by"]),
        (&json!(claim.id), &json!("found"), &json!("system"))
    );
    assert_eq!(seen["payment_id"], payment);
}
