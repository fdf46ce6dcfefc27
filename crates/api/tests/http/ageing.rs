//! The ageing set of a client: a part of his terms, kept by version, which his debtors' files and cards show.

use crate::app::{App, Reply};
use serde_json::{Value, json};

async fn get(app: &App, path: &str) -> Value {
    let token = app.token("manager").await;
    let reply = app
        .get(&format!("/api/v1{path}"))
        .token(&token)
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn terms_path(app: &App) -> String {
    format!("/clients/{}/terms", app.world.norte.client)
}

async fn put(app: &App, after: i32, terms: &Value) -> Reply {
    let token = app.token("manager").await;
    let path = format!("/api/v1{}", terms_path(app));
    let body = json!({"after": after, "terms": terms, "note": "tramos"});
    app.ask("PUT", &path).token(&token).json(&body).send().await
}

/// Age of the client's debt as its file shows it: bucket, label, days past due.
async fn aged(app: &App) -> (Value, Value, i64) {
    let file = get(app, &format!("/debtors/{}", app.world.norte.debtor)).await;
    let first = &file["ageing"][0];
    let days = first["days"].as_i64().expect("days");
    (first["bucket"].clone(), first["label"].clone(), days)
}

/// What is not past due, up to yesterday's days, these days, and older; the third from `from`.
fn four(days: i64, from: i64) -> Value {
    json!([{"label": "", "from": null, "to": 0}, {"label": "", "from": 1, "to": days - 1},
        {"label": "Reciente", "from": from, "to": days}, {"label": "", "from": days + 1, "to": null}])
}

fn place(reply: &Reply) -> (u16, Value) {
    (
        reply.status.as_u16(),
        reply.json()["errors"][0]["path"].clone(),
    )
}

/// The client's terms with a bucket for the days of his debt alone; they are version 1.
async fn own_set(app: &App, days: i64) -> Value {
    let mut terms = get(app, &terms_path(app)).await["terms"].clone();
    terms["ageing"] = four(days, days);
    for offer in terms["offers"].as_array_mut().expect("offers") {
        offer["buckets"] = json!([]);
    }
    let kept = put(app, 0, &terms).await;
    assert_eq!(kept.status, 201, "{}", kept.text());
    terms
}

#[tokio::test]
async fn a_set_is_checked_and_kept_by_version() {
    let app = App::start().await;
    let (_, _, days) = aged(&app).await;
    let house = get(&app, &terms_path(&app)).await;
    let mut terms = house["terms"].clone();
    assert_eq!(terms["ageing"].as_array().map(Vec::len), Some(8));
    assert_eq!(
        terms["ageing"][1],
        json!({"label": "", "from": 1, "to": 30})
    );
    terms["ageing"] = four(days, days + 1);
    let gap = place(&put(&app, 0, &terms).await);
    assert_eq!(gap, (422, json!("terms.ageing[2].from")));
    terms["ageing"] = four(days, days);
    let other = place(&put(&app, 0, &terms).await);
    let at = json!("terms.offers[0].buckets");
    assert_eq!(other, (422, at), "an offer for a bucket of another set");
    own_set(&app, days).await;
    let now = get(&app, &terms_path(&app)).await;
    assert_eq!(
        (&now["version"], &now["terms"]["ageing"]),
        (&json!(1), &four(days, days))
    );
    let versions = get(&app, &format!("{}/versions", terms_path(&app))).await;
    let first = &versions["items"][0];
    assert!(first["made_by"].is_string() && first["made_at"].is_string());
    assert_eq!(first["terms"]["ageing"], four(days, days));
}

#[tokio::test]
async fn a_file_shows_the_bucket_of_the_client_s_own_set() {
    let app = App::start().await;
    let (bucket, label, days) = aged(&app).await;
    assert_eq!((bucket, label), (json!("b31_60"), Value::Null));
    let mut terms = own_set(&app, days).await;
    let named = json!(format!("b{days}_{days}"));
    let shown = aged(&app).await;
    assert_eq!(shown, (named, json!("Reciente"), days));
    // Who writes no set has the standard one again.
    terms.as_object_mut().expect("terms").remove("ageing");
    assert_eq!(put(&app, 1, &terms).await.status, 201);
    assert_eq!(aged(&app).await, (json!("b31_60"), Value::Null, days));
}

#[tokio::test]
async fn a_segment_names_the_days_whosever_set_they_are_in() {
    let app = App::start().await;
    let (_, _, days) = aged(&app).await;
    own_set(&app, days).await;
    let token = app.token("manager").await;
    let preview = async |expression: &str| {
        let body = json!({"client_id": app.world.norte.client, "expression": expression});
        let ask = app.post("/api/v1/segments/preview").token(&token);
        ask.json(&body).send().await
    };
    let found = preview(&format!("bucket = b{days}_{days}")).await;
    assert_eq!(found.status, 200, "{}", found.text());
    let found = found.json();
    assert!(found["count"]["debtors"].as_i64() > Some(0), "{found}");
    assert!(
        found.to_string().contains(&format!("{days} a {days} días")),
        "{found}"
    );
    let standard = preview("bucket = b31_60").await.json();
    assert_eq!(standard["count"], found["count"]);
    assert_eq!(preview("bucket = b60_31").await.status, 422);
}
