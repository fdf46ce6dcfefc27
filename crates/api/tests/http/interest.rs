//! Interest by the portfolio's rule and postal addresses, seen from outside.

use crate::app::{App, Reply};
use serde_json::{Value, json};

async fn send(app: &App, method: &str, token: &str, path: &str, body: &Value) -> Reply {
    app.ask(method, path).token(token).json(body).send().await
}

fn debt(interest_minor: i64) -> Value {
    json!({"external_ref": "C-1", "product": "tarjeta", "currency": "MXN",
        "principal_minor": 90_000, "interest_minor": interest_minor, "fees_minor": 0,
        "overdue_minor": 90_000, "minimum_minor": 1, "due_date": "2026-10-01", "status": "open"})
}

/// Where a refusal says that it is wrong.
fn at(reply: &Reply) -> String {
    assert_eq!(reply.status, 422, "{}", reply.text());
    let body = reply.json();
    body["errors"][0]["path"].as_str().unwrap_or("").to_owned()
}

#[tokio::test]
async fn interest_is_one_or_the_other_and_shown_to_the_day_row_01() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let rules = format!("/api/v1/portfolios/{}/interest", own.portfolio);
    let rule = json!({"from": "2026-01-01", "rate_bp": 3_600, "year_days": 360});
    let refused = send(&app, "POST", &token, &rules, &rule).await;
    assert_eq!(refused.code(), "creditors_interest");
    let debts = format!("/api/v1/debts/{}", own.debt);
    let cleared = send(&app, "PUT", &token, &debts, &debt(0)).await;
    assert_eq!(cleared.status, 200, "{}", cleared.text());
    for (body, path) in [
        (json!({"rate_bp": 100, "year_days": 350}), "year_days"),
        (json!({"rate_bp": -1, "year_days": 360}), "rate_bp"),
        (
            json!({"rate_bp": 1, "year_days": 360, "grace_days": 400}),
            "grace_days",
        ),
        (
            json!({"rate_bp": 1, "year_days": 360, "from": "2026-02-30"}),
            "from",
        ),
    ] {
        let reply = send(&app, "POST", &token, &rules, &body).await;
        assert_eq!(at(&reply), path);
    }
    let made = send(&app, "POST", &token, &rules, &rule).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let past = send(&app, "POST", &token, &rules, &rule).await;
    assert_eq!(at(&past), "from");
    let known = app.get(&rules).token(&token).send().await.json();
    assert_eq!(known["items"][0]["from"], "2026-01-01");
    // 900.00 at 36 % on 360 days: 0.90 a day past due.
    let shown = app.file(&token).await;
    let days = shown["ageing"][0]["days"].as_i64().expect("days");
    assert!(days > 30, "{days}");
    assert_eq!(shown["debts"][0]["interest_minor"], 90 * days);
    assert_eq!(shown["debts"][0]["overdue_minor"], 90_000 + 90 * days);
    assert_eq!(shown["accrued"][0]["total_minor"], 90 * days);
    let written = send(&app, "PUT", &token, &debts, &debt(5)).await;
    assert_eq!(at(&written), "interest_minor");
    let pay = json!({"debtor_id": own.debtor, "debt_id": own.debt, "reference": "R-1",
        "channel": "transfer", "paid_at": "2026-11-23T15:00:00.000Z",
        "amount": {"amount_minor": 90 * days + 100, "currency": "MXN"}});
    let paid = send(&app, "POST", &token, "/api/v1/payments", &pay).await;
    assert!(paid.status.is_success(), "{}", paid.text());
    let shown = app.file(&token).await;
    let figures = |name: &str| shown["debts"][0][name].as_i64().expect("a figure");
    assert_eq!(
        (figures("interest_minor"), figures("principal_minor")),
        (0, 89_900),
        "interest before principal"
    );
    assert_eq!(
        shown["accrued"][0]["total_minor"],
        90 * days,
        "paid parts too"
    );
}

#[tokio::test]
async fn a_file_with_the_creditors_interest_is_refused_where_a_rule_accrues_it() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let debts = format!("/api/v1/debts/{}", own.debt);
    let cleared = send(&app, "PUT", &token, &debts, &debt(0)).await;
    assert_eq!(cleared.status, 200, "{}", cleared.text());
    let rules = format!("/api/v1/portfolios/{}/interest", own.portfolio);
    let rule = json!({"rate_bp": 1_200, "year_days": 365, "cap_bp": 5_000});
    let made = send(&app, "POST", &token, &rules, &rule).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let imports = format!(
        "/api/v1/imports?client={}&portfolio=Tarjetas&dry_run=true",
        own.client
    );
    let csv = "external_ref,debt_ref,name,country,principal,interest,due_date\n\
        D-9,C-9,Persona Inventada 9,MX,100.00,5.00,2026-10-01\n";
    let ask = app.post(&imports).token(&token).body("text/csv", csv);
    let refused = ask.send().await;
    assert!(refused.status.is_client_error(), "{}", refused.text());
    assert!(refused.text().contains("never both"), "{}", refused.text());
    let csv = csv.replace(",interest,", ",").replace(",5.00,", ",");
    let ask = app.post(&imports).token(&token).body("text/csv", csv);
    let taken = ask.send().await;
    assert!(taken.status.is_success(), "{}", taken.text());
}

#[tokio::test]
async fn addresses_are_kept_with_source_and_age_row_01() {
    let app = App::start().await;
    let token = app.token("supervisor").await;
    let own = &app.world.norte;
    let address = json!({"street": "Av. Juárez 12", "city": "Puebla", "region": "PUE",
        "postcode": "72000", "country": "MX", "zone": "America/Mexico_City"});
    let new = json!({"debtor_id": own.debtor, "source": "debtor", "address": address});
    let made = send(&app, "POST", &token, "/api/v1/addresses", &new).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    for (field, value, path) in [
        ("street", json!(" "), "address.street"),
        ("country", json!("mx"), "address.country"),
        ("zone", json!("America/Macondo"), "address.zone"),
    ] {
        let mut wrong = new.clone();
        wrong["address"][field] = value;
        let reply = send(&app, "POST", &token, "/api/v1/addresses", &wrong).await;
        assert_eq!(at(&reply), path);
    }
    let mut unknown = new.clone();
    unknown["source"] = json!("import");
    let reply = send(&app, "POST", &token, "/api/v1/addresses", &unknown).await;
    assert_eq!(at(&reply), "source");
    let shown = app.file(&token).await;
    assert_eq!(shown["addresses"][0]["city"], "Puebla");
    assert_eq!(shown["addresses"][0]["source"], "debtor");
    assert!(shown["addresses"][0]["confirmed_at"].is_string());
    let mut bad = address.clone();
    bad["bad"] = json!(true);
    let path = format!("/api/v1/addresses/{id}");
    let changed = send(&app, "PUT", &token, &path, &bad).await;
    assert_eq!(changed.json()["bad"], true, "{}", changed.text());
}
