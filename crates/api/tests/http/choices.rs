//! Choices of a campaign, and drafts that were begun from older settings than those in force.

use crate::app::{App, Reply};
use axum::http::StatusCode;
use domain::ports::store::CatalogStore as _;
use serde_json::{Value, json};

async fn change(app: &App, token: &str, params: &Value) -> Reply {
    let path = format!("/api/v1/campaigns/{}", app.world.norte.campaign);
    let body = json!({"params": params});
    app.ask("PATCH", &path)
        .token(token)
        .json(&body)
        .send()
        .await
}

async fn draft(app: &App, token: &str, params: &Value) -> String {
    let path = format!("/api/v1/campaigns/{}/versions", app.world.norte.campaign);
    let body = json!({"params": params, "note": "x"});
    let made = app.post(&path).token(token).json(&body).send().await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    made.json()["id"].as_str().expect("an id").to_owned()
}

async fn publish(app: &App, token: &str, version: &str, over: Option<i64>) -> Reply {
    let over = over.map_or_else(String::new, |n| format!("?over={n}"));
    let path = format!("/api/v1/campaign-versions/{version}/publish{over}");
    app.post(&path).token(token).send().await
}

async fn now(app: &App, token: &str) -> Value {
    let path = format!("/api/v1/campaigns/{}", app.world.norte.campaign);
    app.get(&path).token(token).send().await.json()
}

#[tokio::test]
async fn choices_are_kept_and_what_is_not_there_is_named() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let good = json!({"zone_policy": "known_place", "caller_id_pick": "local",
        "offer_policy": ["one_payment"], "disposition_set": ["CD.PP", "CD.NP.NOPUEDE"]});
    let reply = change(&app, &token, &good).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let params = now(&app, &token).await["params"].clone();
    for (field, value) in good.as_object().expect("an object") {
        assert_eq!(&params[field], value, "{field}");
    }
    for (field, value, told) in [
        ("offer_policy", json!(["gift"]), "one_payment"),
        ("disposition_set", json!(["XX.YY"]), "XX.YY"),
        ("disposition_set", json!(["NC.AD"]), "system"),
        ("zone_policy", json!("any"), "all_evidence"),
        ("caller_id_pick", json!("any"), "pool_order"),
    ] {
        let reply = change(&app, &token, &json!({field: value})).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        let error = reply.json()["errors"][0].clone();
        assert_eq!(error["path"], format!("params.{field}"));
        let reason = error["reason"].as_str().expect("a reason");
        assert!(reason.contains(told), "{reason}");
    }
    // Copies have them; a template keeps all but keys of one client's offers.
    let path = format!("/api/v1/campaigns/{}/copy", app.world.norte.campaign);
    let copy = app.post(&path).token(&token).json(&json!({"name": "Otra"}));
    let copy = copy.send().await.json();
    assert_eq!(copy["params"]["offer_policy"], json!(["one_payment"]));
    let body = json!({"client_id": app.world.norte.client, "name": "T", "params": good});
    let made = app
        .post("/api/v1/campaign-templates")
        .token(&token)
        .json(&body);
    let made = made.send().await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let kept = made.json()["params"].clone();
    assert_eq!(kept["offer_policy"], Value::Null);
    assert_eq!(kept["disposition_set"], good["disposition_set"]);
    let mut body = body;
    body["params"] = json!({"disposition_set": ["XX.YY"]});
    let odd = app
        .post("/api/v1/campaign-templates")
        .token(&token)
        .json(&body);
    assert_eq!(odd.send().await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn an_offer_that_the_terms_lost_stops_no_other_change() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let id = app.world.norte.campaign;
    let mut row = app.store.get_campaign(id).await.expect("stored");
    row.params.offer_policy = Some(vec!["gone_since".to_owned()]);
    row.version += 1;
    app.store.put_campaign(&row, &[]).await.expect("stored");
    let reply = change(&app, &token, &json!({"weight": 60})).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
}

#[tokio::test]
async fn an_old_draft_takes_back_nothing_newer_unless_somebody_says_over_what() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let first = change(&app, &token, &json!({"weight": 40, "priority": 2}))
        .await
        .json();
    let began = first["version"].as_i64().expect("a version");
    let old = draft(&app, &token, &json!({"weight": 90})).await;
    let newer = change(&app, &token, &json!({"priority": 5, "weight": 45}))
        .await
        .json();
    let published = newer["version"].as_i64().expect("a version");
    let refused = publish(&app, &token, &old, None).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text());
    assert_eq!(refused.code(), "draft_outdated");
    let told = refused.json();
    assert_eq!(
        (&told["began_from"], &told["published"]),
        (&json!(began), &json!(published))
    );
    assert_eq!(
        told["differs"],
        json!([
            {"field": "params.priority", "began": 2, "published": 5, "draft": 2},
            {"field": "params.weight", "began": 40, "published": 45, "draft": 90},
        ])
    );
    let still = now(&app, &token).await;
    assert_eq!(
        (&still["params"]["weight"], &still["version"]),
        (&json!(45), &json!(published))
    );
    // Over another version than the one in force it is asked again.
    let wrong = publish(&app, &token, &old, Some(began)).await;
    assert_eq!(wrong.code(), "draft_outdated");
    let done = publish(&app, &token, &old, Some(published)).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    let after = now(&app, &token).await;
    assert_eq!(
        (&after["params"]["weight"], &after["params"]["priority"]),
        (&json!(90), &json!(2))
    );
}

#[tokio::test]
async fn what_loses_nothing_newer_is_published_without_a_question() {
    let app = App::start().await;
    let token = app.token("manager").await;
    change(&app, &token, &json!({"weight": 40})).await;
    // The same change made meanwhile, and a version that only says that the campaign began.
    let same = draft(&app, &token, &json!({"weight": 70})).await;
    change(&app, &token, &json!({"weight": 70})).await;
    let out = publish(&app, &token, &same, None).await;
    assert_eq!(out.status, StatusCode::OK, "{}", out.text());
    let next = draft(&app, &token, &json!({"weight": 80})).await;
    let id = app.world.norte.campaign;
    let mut row = app.store.get_campaign(id).await.expect("stored");
    row.version += 1;
    app.store.put_campaign(&row, &[]).await.expect("stored");
    let out = publish(&app, &token, &next, None).await;
    assert_eq!(out.status, StatusCode::OK, "{}", out.text());
    assert_eq!(now(&app, &token).await["params"]["weight"], 80);
}

#[tokio::test]
async fn a_draft_of_an_older_program_is_asked_about_by_its_hour() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let first = change(&app, &token, &json!({"weight": 40})).await.json();
    let old = draft(&app, &token, &json!({"weight": 90})).await;
    let id = old.parse::<uuid::Uuid>().expect("an id").into();
    let mut row = app.store.get_campaign_version(id).await.expect("stored");
    assert_eq!(
        row.based_on,
        first["version"]
            .as_i64()
            .and_then(|n| i32::try_from(n).ok())
    );
    row.based_on = None;
    app.store
        .put_campaign_version(&row, &[])
        .await
        .expect("stored");
    app.pass_ms(5);
    change(&app, &token, &json!({"weight": 45})).await;
    let told = publish(&app, &token, &old, None).await;
    assert_eq!(told.code(), "draft_outdated");
    assert_eq!(told.json()["began_from"], first["version"]);
}

#[tokio::test]
async fn who_read_an_older_campaign_drafts_nothing() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let first = change(&app, &token, &json!({"weight": 40})).await.json();
    change(&app, &token, &json!({"weight": 41})).await;
    let path = format!("/api/v1/campaigns/{}/versions", app.world.norte.campaign);
    let body = json!({"note": "x", "version": first["version"]});
    let reply = app.post(&path).token(&token).json(&body).send().await;
    assert_eq!(reply.code(), "version_conflict");
}

#[tokio::test]
async fn a_draft_takes_the_script_away_where_it_says_so() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let path = format!("/api/v1/campaigns/{}", own.campaign);
    let with = json!({"script_id": own.script});
    let set = app.ask("PATCH", &path).token(&token).json(&with);
    assert_eq!(set.send().await.status, StatusCode::OK);
    let script_of = async |body: Value| -> Value {
        let made = app.post(&format!("{path}/versions")).token(&token);
        let made = made.json(&body).send().await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        made.json()
    };
    let silent = script_of(json!({"note": "x"})).await;
    assert_eq!(silent["script_id"], json!(own.script), "absent: as it is");
    let none = script_of(json!({"note": "x", "script_id": null})).await;
    assert_eq!(none["script_id"], Value::Null);
    let id = none["id"].as_str().expect("an id");
    let done = publish(&app, &token, id, None).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    assert_eq!(now(&app, &token).await["script_id"], Value::Null);
}
