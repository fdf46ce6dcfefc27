//! Payments through the API: idempotent by reference, and what they do to the debt.

use crate::app::App;
use serde_json::{Value, json};

const PAYMENTS: &str = "/api/v1/payments";

fn body(app: &App, minor: i64, reference: &str) -> Value {
    json!({"debtor_id": app.world.norte.debtor, "debt_id": app.world.norte.debt,
        "amount": {"amount_minor": minor, "currency": "MXN"}, "paid_at": "2026-11-23T14:00:00.000Z",
        "channel": "transfer", "reference": reference})
}

#[tokio::test]
async fn a_payment_lowers_the_debt_once() {
    let app = App::start().await;
    let token = app.token("client").await;
    let first = app
        .post(PAYMENTS)
        .token(&token)
        .json(&body(&app, 30_000, "spei-1"))
        .send()
        .await;
    assert_eq!(first.status, 201, "{}", first.text());
    let reply = first.json();
    assert_eq!(reply["balance_minor"], 70_000);
    assert_eq!(
        (&reply["debt_paid"], &reply["repeated"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(reply["payment"]["amount_minor"], 30_000);
    assert_eq!(reply["payment"]["currency"], "MXN");
    let again = app
        .post(PAYMENTS)
        .token(&token)
        .json(&body(&app, 30_000, "spei-1"))
        .send()
        .await;
    assert_eq!(again.status, 200, "{}", again.text());
    assert_eq!(again.json()["repeated"], true);
    assert_eq!(again.json()["payment"]["id"], reply["payment"]["id"]);
    let rest = app
        .post(PAYMENTS)
        .token(&token)
        .json(&body(&app, 70_000, "spei-2"))
        .send()
        .await;
    assert_eq!(rest.json()["debt_paid"], true);
    let debt = format!("/api/v1/debts/{}", app.world.norte.debt);
    let debt = app.get(&debt).token(&token).send().await.json();
    assert_eq!(debt["status"], "paid");
    let holds = format!("/api/v1/holds?debtor={}", app.world.norte.debtor);
    let holds = app.get(&holds).token(&token).send().await.text();
    assert!(holds.contains("\"paid\""), "{holds}");
}

/// Who writes figures that he read before a payment is told so, and overwrites nothing.
#[tokio::test]
async fn figures_that_were_read_before_a_payment_are_not_written() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let path = format!("/api/v1/debts/{}", app.world.norte.debt);
    let read = app.get(&path).token(&token).send().await.json();
    let mut figures = json!({});
    for field in [
        "external_ref",
        "product",
        "currency",
        "principal_minor",
        "interest_minor",
        "fees_minor",
        "overdue_minor",
        "minimum_minor",
        "due_date",
        "statute_date",
        "status",
    ] {
        figures[field] = read[field].clone();
    }
    figures["seen_at"] = read["updated_at"].clone();
    app.pass_ms(1_000);
    let paid = app.post(PAYMENTS).token(&token);
    let paid = paid.json(&body(&app, 30_000, "spei-9")).send().await;
    assert_eq!(paid.status, 201, "{}", paid.text());
    let late = app
        .ask("PUT", &path)
        .token(&token)
        .json(&figures)
        .send()
        .await;
    assert_eq!(late.status, 409, "{}", late.text());
    assert_eq!(late.json()["code"], "changed_meanwhile");
    let stands = app.get(&path).token(&token).send().await.json();
    let owed = |debt: &serde_json::Value| {
        let part = |name: &str| debt[name].as_i64().expect("an amount");
        part("principal_minor") + part("interest_minor") + part("fees_minor")
    };
    assert_eq!(owed(&stands), owed(&read) - 30_000, "the payment stands");
    for field in [
        "principal_minor",
        "interest_minor",
        "fees_minor",
        "overdue_minor",
    ] {
        figures[field] = stands[field].clone();
    }
    figures["seen_at"] = stands["updated_at"].clone();
    let done = app
        .ask("PUT", &path)
        .token(&token)
        .json(&figures)
        .send()
        .await;
    assert_eq!(done.status, 200, "{}", done.text());
}

#[tokio::test]
async fn amounts_and_references_that_do_not_fit() {
    let app = App::start().await;
    let token = app.token("manager").await;
    for (path, value) in [
        ("/amount/amount_minor", json!(0)),
        ("/amount/amount_minor", json!(-5)),
        ("/amount/currency", json!("COP")),
        (
            "/amount",
            json!({"amount_minor": 5, "currency": "MXN", "tip": 1}),
        ),
        ("/paid_at", json!("2027-01-01T00:00:00Z")),
        ("/debt_id", json!(app.world.sur.debt)),
        ("/reference", json!("")),
        ("/channel", json!("gold")),
    ] {
        let mut body = body(&app, 5, "r");
        *body.pointer_mut(path).expect("there") = value.clone();
        let reply = app.post(PAYMENTS).token(&token).json(&body).send().await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (422, "invalid".into()),
            "{path}={value}"
        );
    }
}

#[tokio::test]
async fn why_not_names_the_point_and_stores_nothing() {
    let app = App::start().await;
    let token = app.token("supervisor").await;
    let own = &app.world.norte;
    let path = format!(
        "/api/v1/debtors/{}/why-not?campaign={}",
        own.debtor, own.campaign
    );
    let reply = app.get(&path).token(&token).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["verdicts"][0]["point_id"], json!(own.point));
    // At another time: the answer is about that instant, and of the campaign nothing of now is said.
    let then = app.get(&format!("{path}&at=2027-01-12T17:00:00.000Z"));
    let then = then.token(&token).send().await;
    assert_eq!(then.status, 200, "{}", then.text());
    assert_eq!(then.json()["verdicts"][0]["at"], "2027-01-12T17:00:00.000Z");
    let said = then.json()["reasons_en"].clone();
    let said = said.as_array().expect("reasons");
    let of_now = |r: &serde_json::Value| r.as_str().is_some_and(|r| r.starts_with("Campaign"));
    assert!(!said.is_empty() && !said.iter().any(of_now), "{said:?}");
    let stored = format!("/api/v1/verdicts?debtor={}", own.debtor);
    let stored = app.get(&stored).token(&token).send().await.json();
    assert_eq!(
        stored["items"].as_array().map(Vec::len),
        Some(1),
        "the attempt's own"
    );
    let foreign = format!(
        "/api/v1/debtors/{}/why-not?campaign={}",
        own.debtor, app.world.sur.campaign
    );
    assert_eq!(
        app.get(&foreign).token(&token).send().await.code(),
        "not_found"
    );
}
