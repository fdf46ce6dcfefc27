//! Stages over HTTP: the whole way of a debt, each step when its tests pass, and what holds it at its end.

use crate::app::App;
use crate::pay;
use domain::entity::LinkState;
use domain::ids::{PaymentLinkId, UserId};
use domain::ports::Clock as _;
use domain::ports::store::{CatalogStore as _, ReceiptStore as _, StageStore as _};
use domain::time::DAY_MS;
use serde_json::{Value, json};

/// The client's terms: one attempt is enough, and each stage has somebody who is told of late cases.
async fn terms(app: &App, owner: impl Fn(&str) -> UserId) {
    let path = format!("/clients/{}/terms", app.world.norte.client);
    let mut terms = app.get_as("manager", &path).await.json()["terms"].clone();
    for stage in terms["stages"].as_array_mut().expect("stages") {
        stage["owner_id"] = json!(owner(stage["stage"].as_str().expect("a name")));
        if stage["attempts_min"].as_i64() > Some(1) {
            stage["attempts_min"] = json!(1);
        }
    }
    let token = app.token("manager").await;
    let put = app.ask("PUT", &format!("/api/v1{path}")).token(&token);
    let body = json!({"after": 0, "terms": terms, "note": "plazos"});
    assert_eq!(put.json(&body).send().await.status, 201);
}

#[tokio::test]
async fn a_debt_goes_the_whole_way_as_its_tests_pass_row_17() {
    let app = App::start().await;
    let own = &app.world.norte;
    let (ours, lawyer) = (app.world.agent_user, app.world.spare_user);
    let owner = |stage: &str| match stage {
        "prejudicial" | "judicial" => lawyer,
        _ => ours,
    };
    terms(&app, owner).await;
    // Without his postal address no court is asked.
    app.address(own).await;
    let mut debt = app.store.get_debt(own.debt).await.expect("debt");
    debt.due_date = "2026-12-03".into();
    app.store.put_debt(&debt, &[]).await.expect("debt");
    let path = format!("/debts/{}/stage", own.debt);
    let way = [
        ("preventive", 0, 0),
        ("administrative", 11, 30),
        ("extrajudicial", 30, 60),
        ("prejudicial", 59, 45),
        ("judicial", 30, 180),
    ];
    for (stage, after_days, max_days) in way {
        let ask = json!({"stage": stage, "reason": "su plazo"});
        if after_days > 0 {
            let early = app.post_as("supervisor", &path, &ask).await;
            assert_eq!(
                (early.status.as_u16(), early.code()),
                (409, "stage_tests".to_owned())
            );
            assert!(early.text().contains("days past due"), "{}", early.text());
            app.pass_ms(after_days * DAY_MS);
        }
        let done = app.post_as("supervisor", &path, &ask).await;
        assert_eq!(done.status, 200, "{stage}: {}", done.text());
        let row = done.json();
        assert_eq!(row["stage"], stage);
        assert_eq!(row["owner_id"], json!(owner(stage)), "{stage}");
        let until = app.clock.now().plus_ms(max_days * DAY_MS);
        let deadline = (max_days > 0).then_some(until);
        assert_eq!(row["deadline"], json!(deadline), "{stage}");
    }
    let stands = app.store.stage_of(own.debt).await.expect("stage");
    assert_eq!(stands.expect("one").stage.as_str(), "judicial");
    let list = app
        .get_as("supervisor", "/stages?stage=judicial")
        .await
        .json();
    assert_eq!(list["items"][0]["debt_id"], json!(own.debt));
}

/// What the supervisor is told to be missing for the next stage, by code.
async fn missing(app: &App, path: &str) -> Vec<(String, String)> {
    let view = app.get_as("supervisor", path).await.json();
    let rows = view["advice"]["missing"].as_array().expect("a list").iter();
    let text = |row: &Value, name: &str| row[name].as_str().expect("text").to_owned();
    rows.map(|row| (text(row, "code"), text(row, "es")))
        .collect()
}

/// Figures by a program that knows of no such date leave it.
async fn figures_leave_the_statute_date(app: &App) {
    let own = &app.world.norte;
    let mut read = app
        .get_as("manager", &format!("/debts/{}", own.debt))
        .await
        .json();
    let known = [
        "external_ref",
        "product",
        "currency",
        "principal_minor",
        "interest_minor",
        "fees_minor",
        "overdue_minor",
        "minimum_minor",
        "due_date",
        "status",
    ];
    let body = read.as_object_mut().expect("an object");
    body.retain(|field, _| known.contains(&field.as_str()));
    let token = app.token("manager").await;
    let debt = format!("/api/v1/debts/{}", own.debt);
    let put = app.ask("PUT", &debt).token(&token).json(&read);
    let put = put.send().await;
    assert_eq!(put.status, 200, "{}", put.text());
    let debt = app.store.get_debt(own.debt).await.expect("debt");
    assert_eq!(debt.statute_date.as_deref(), Some("2026-11-24"));
}

#[tokio::test]
async fn no_court_is_asked_past_the_statute_date_nor_without_evidence_row_17() {
    let app = App::start().await;
    let own = &app.world.norte;
    terms(&app, |_| app.world.agent_user).await;
    let mut hold = app.store.get_hold(own.hold).await.expect("a hold");
    hold.lifted_at = Some(app.clock.now());
    app.store.put_hold(&hold, &[]).await.expect("lifted");
    let mut debt = app.store.get_debt(own.debt).await.expect("debt");
    debt.due_date = "2026-06-01".into();
    debt.statute_date = Some("2026-11-24".into());
    app.store.put_debt(&debt, &[]).await.expect("debt");
    let path = format!("/debts/{}/stage", own.debt);
    let moves = async |who: &str, stage: &str| {
        app.post_as(who, &path, &json!({"stage": stage, "reason": "x"}))
            .await
    };
    let refused = async |stage: &str, why: &str| {
        let reply = moves("supervisor", stage).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (409, "stage_tests".to_owned())
        );
        assert!(reply.text().contains(why), "{}", reply.text());
    };
    // The last day is not over: a lawyer may have it, and is told to hurry.
    assert_eq!(moves("supervisor", "prejudicial").await.status, 200);
    let view = app.get_as("supervisor", &path).await.json();
    let codes = view["advice"]["reasons"].to_string();
    assert!(codes.contains("statute_near"), "{view}");
    let lacks = [(
        "no_evidence".to_owned(),
        "falta evidencia: domicilio".to_owned(),
    )];
    assert_eq!(missing(&app, &path).await, lacks);
    refused("judicial", "evidence is lacking: postal address").await;
    // Without his postal address no court is asked.
    app.address(own).await;
    assert_eq!(missing(&app, &path).await, []);
    app.pass_ms(2 * DAY_MS);
    let past = [(
        "statute_past".to_owned(),
        "la deuda prescribió hace 1 día".to_owned(),
    )];
    assert_eq!(missing(&app, &path).await, past);
    refused("judicial", "the statute date passed 1 day ago").await;
    let file = app
        .get_as("supervisor", &format!("/debtors/{}", own.debtor))
        .await
        .json();
    assert_eq!(file["debts"][0]["statute_date"], "2026-11-24");
    figures_leave_the_statute_date(&app).await;
    // The client's own terms say otherwise.
    let rules = format!("/clients/{}/terms", own.client);
    let mut terms = app.get_as("manager", &rules).await.json()["terms"].clone();
    for stage in terms["stages"].as_array_mut().expect("stages") {
        stage["past_statute"] = json!(true);
    }
    let token = app.token("manager").await;
    let put = app.ask("PUT", &format!("/api/v1{rules}")).token(&token);
    let body = json!({"after": 1, "terms": terms, "note": "demanda natural"});
    assert_eq!(put.json(&body).send().await.status, 201);
    assert_eq!(moves("supervisor", "judicial").await.status, 200);
}

#[tokio::test]
async fn a_manager_moves_a_debt_although_its_tests_fail_row_17() {
    let app = App::start().await;
    let own = &app.world.norte;
    let path = format!("/debts/{}/stage", own.debt);
    let judicial = json!({"stage": "judicial", "reason": "x"});
    let early = app.post_as("supervisor", &path, &judicial).await;
    assert_eq!(
        (early.status.as_u16(), early.code()),
        (409, "stage_tests".to_owned())
    );
    assert!(early.text().contains("days past due"), "{}", early.text());
    let mut forced = judicial;
    forced["despite"] = json!(true);
    assert_eq!(app.post_as("supervisor", &path, &forced).await.status, 409);
    let done = app.post_as("manager", &path, &forced).await;
    assert_eq!(done.status, 200, "a manager may: {}", done.text());
    let stands = app
        .store
        .stage_of(own.debt)
        .await
        .expect("stage")
        .expect("one");
    assert_eq!(stands.stage.as_str(), "judicial");
}

/// The hold that stands on the debt for its stage.
async fn held(app: &App, kind: &str) -> Vec<Value> {
    let path = format!("/holds?debtor={}&limit=50", app.world.norte.debtor);
    let holds = app.get_as("supervisor", &path).await.json();
    let all = holds["items"].as_array().expect("a list").iter();
    let stands = all.filter(|h| h["kind"] == kind && h["lifted_at"].is_null());
    stands.cloned().collect()
}

#[tokio::test]
async fn a_sold_debt_is_held_until_it_comes_back_row_17() {
    let app = App::start().await;
    let path = format!("/debts/{}/stage", app.world.norte.debt);
    let moves = async |stage: &str| {
        let body = json!({"stage": stage, "reason": "x", "despite": true});
        assert_eq!(app.post_as("manager", &path, &body).await.status, 200);
    };
    moves("judicial").await;
    assert_eq!(held(&app, "judicial").await.len(), 1);
    moves("sold").await;
    assert_eq!(held(&app, "judicial").await.len(), 0);
    let hold = held(&app, "recalled").await.remove(0);
    let lift = format!("/holds/{}/lift", hold["id"].as_str().expect("an id"));
    let lifted = app.post_as("manager", &lift, &json!({})).await;
    assert_eq!(
        (lifted.status.as_u16(), lifted.code()),
        (409, "wrong_state".to_owned())
    );
    moves("extrajudicial").await;
    assert_eq!(held(&app, "recalled").await.len(), 0);
}

#[tokio::test]
async fn nobody_pays_us_for_a_debt_that_is_sold() {
    let (app, _) = pay::app().await;
    pay::abroad(&app).await;
    let (made, path) = pay::link(&app).await;
    let id: PaymentLinkId = made["id"].as_str().expect("an id").parse().expect("one");
    let stage = format!("/api/v1/debts/{}/stage", app.world.norte.debt);
    let token = app.token("manager").await;
    let sold = json!({"stage": "sold", "reason": "cartera vendida", "despite": true});
    let moved = app.post(&stage).token(&token).json(&sold).send().await;
    assert_eq!(moved.status, 200, "{}", moved.text());
    assert_eq!(
        app.get(&path).send().await.status,
        410,
        "it ended with the sale"
    );
    let body = json!({"debt_id": app.world.norte.debt,
        "amount": {"amount_minor": 30_000, "currency": "MXN"}});
    let new = app.post("/api/v1/payment-links").token(&token).json(&body);
    assert_eq!(new.send().await.code(), "debt_sold");
    // One that was made in the moment of the sale.
    let mut open = app.store.get_payment_link(id).await.expect("link");
    open.state = LinkState::Created;
    app.store.put_payment_link(&open, &[]).await.expect("put");
    let shown = pay::form(&app, &path, "proof=0101").await;
    pay::is_page(&shown);
    let text = shown.text();
    assert!(text.contains("se vendió a otro acreedor"), "{text}");
    assert!(!text.contains("/pay\"") && !text.contains("300"), "{text}");
}
