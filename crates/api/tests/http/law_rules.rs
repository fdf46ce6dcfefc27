//! Presumptions that are relaxed, days of a campaign, the order where contacts are rationed, numbers shown.

use crate::app::{App, Reply, START};
use domain::ports::store::{CatalogStore as _, ContactStore as _, FloorStore as _, LawStore as _};
use serde_json::{Value, json};

async fn send(app: &App, token: &str, path: &str, body: &Value) -> Reply {
    app.post(path).token(token).json(body).send().await
}

/// Where a refusal says that it is wrong, and why.
fn wrong(reply: &Reply) -> (String, String) {
    assert_eq!(reply.status, 422, "{}", reply.text());
    let body = reply.json();
    let error = &body["errors"][0];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("path"), text("reason"))
}

#[tokio::test]
async fn a_presumption_is_relaxed_with_a_reason_and_a_hard_rule_never() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let path = "/api/v1/law-overrides";
    let body = |rule: &str| json!({"debtor_id": own.debtor, "rule": rule, "reason": "he asked to be called"});
    let (at, why) = wrong(&send(&app, &token, path, &body("us-ma/ma_home")).await);
    assert_eq!(at, "rule");
    assert!(why.contains("hard_rule"), "{why}");
    let (at, why) = wrong(&send(&app, &token, path, &body("us-federal/nothing")).await);
    assert_eq!(at, "rule");
    assert!(why.contains("us-federal/reg_f_7in7"), "{why}");
    let mut none = body("us-federal/reg_f_7in7");
    none["reason"] = json!("");
    assert_eq!(wrong(&send(&app, &token, path, &none).await).0, "reason");
    let mut long = body("us-federal/reg_f_7in7");
    long["minutes"] = json!(721);
    assert_eq!(wrong(&send(&app, &token, path, &long).await).0, "minutes");

    let made = send(&app, &token, path, &body("us-federal/reg_f_7in7")).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!(made["granted_right"], "relax_presumption");
    assert!(
        made["granted_by"]
            .as_str()
            .expect("who")
            .starts_with("user:")
    );
    assert_eq!(made["withdrawn_at"], Value::Null);
    let id = made["id"].as_str().expect("an id");
    let facts = app
        .store
        .contact_facts(own.debtor, START)
        .await
        .expect("facts");
    assert!(facts.overrides.iter().any(|o| o.id.to_string() == id));
    let taken = format!("{path}/{id}/withdraw");
    let back = send(&app, &token, &taken, &json!({"reason": "a mistake"})).await;
    assert_eq!(back.status, 200, "{}", back.text());
    assert!(back.json()["withdrawn_at"].is_string());
    let told = app
        .store
        .events_about(&[format!("law_override:{id}")])
        .await;
    let told: Vec<Value> = told
        .expect("events")
        .into_iter()
        .map(|e| e.event.data)
        .collect();
    assert_eq!(told[0]["action"], "law_override.made");
    assert_eq!(
        told[0]["reason"],
        "us-federal/reg_f_7in7: he asked to be called"
    );
    assert_eq!(told[1]["reason"], "a mistake");
    let supervisor = app.token("supervisor").await;
    let refused = send(&app, &supervisor, path, &body("us-federal/reg_f_7in7")).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn days_of_a_campaign_are_kept_and_the_law_chooses_the_first_order() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let path = "/api/v1/campaigns";
    let schedule = json!({"hours": [{"days": ["mon", "sat"], "from": "10:00", "to": "13:00"}],
        "from": "2026-12-01", "until": "2026-12-31", "days_off": ["2026-12-08"]});
    let body = |name: &str, params: Value| {
        json!({"client_id": own.client, "name": name,
        "segment_id": own.segment, "params": params})
    };
    let made = send(
        &app,
        &token,
        path,
        &body("Diciembre", json!({"schedule": schedule})),
    )
    .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!(made["params"]["schedule"], schedule);
    // Mexico rations nothing.
    assert_eq!(made["params"]["order"], json!(["expected_value", "dpd"]));
    let mut debtor = app.store.get_debtor(own.debtor).await.expect("there");
    debtor.country = "CO".to_owned();
    app.store.put_debtor(&debtor, &[]).await.expect("put");
    let rationed = send(&app, &token, path, &body("Bogotá", json!({})))
        .await
        .json();
    assert_eq!(rationed["params"]["order"], json!(["best_time", "dpd"]));
    let own_order = json!({"order": ["balance"]});
    let told = send(&app, &token, path, &body("Otra", own_order))
        .await
        .json();
    assert_eq!(told["params"]["order"], json!(["balance"]));
}

#[tokio::test]
async fn another_number_has_no_tested_way_back() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let row = app.store.get_caller_id(own.caller_id).await.expect("there");
    app.store
        .caller_id_reached(row.id, START)
        .await
        .expect("noted");
    let path = format!("/api/v1/caller-ids/{}", row.id);
    let put = async |number: &str| {
        let body = json!({"number": number, "country": "MX", "registered": true, "enabled": true,
            "signed": true});
        let reply = app.ask("PUT", &path).token(&token).json(&body).send().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    };
    let same = put(&row.number).await;
    assert!(
        same["callback_at"].is_string() && same["signed"] == true,
        "{same}"
    );
    let other = put("+525555559999").await;
    assert_eq!(other["callback_at"], Value::Null);
}

#[tokio::test]
async fn a_clients_contract_is_kept_with_who_and_when_and_a_fault_is_named() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let path = format!("/api/v1/clients/{}/law", own.client);
    let put = async |terms: Value, after: i64| {
        let body = json!({"terms": terms, "after_version": after});
        app.ask("PUT", &path).token(&token).json(&body).send().await
    };
    let none = app.get(&path).token(&token).send().await.json();
    assert_eq!(
        (&none["version"], &none["terms"]["strict_mode"]),
        (&json!(0), &json!(false))
    );
    let cap = |limit: i64| {
        json!({"id": "tries", "scope": "person", "counts": "attempt", "limit": limit,
            "window": {"rolling_days": 7}, "channels": ["call"]})
    };
    let terms = |caps: Value| json!({"strict_mode": true, "windows": [], "caps": caps});
    let (at, why) = wrong(&put(terms(json!([cap(0)])), 0).await);
    assert_eq!(at, "terms.caps[0].limit");
    assert!(why.contains("expected 1 or more"), "{why}");
    let mut more = terms(json!([]));
    more["wider_hours"] = json!(true);
    let (at, why) = wrong(&put(more, 0).await);
    assert!(at.starts_with("terms"), "{at}");
    assert!(why.contains("wider_hours"), "{why}");

    let made = put(terms(json!([cap(3)])), 0).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let made = made.json();
    assert_eq!(made["version"], 1);
    assert!(
        made["updated_by"]
            .as_str()
            .expect("who")
            .starts_with("user:")
    );
    assert_eq!(
        put(terms(json!([])), 0).await.status,
        409,
        "somebody was faster"
    );
    assert_eq!(app.get(&path).token(&token).send().await.json(), made);
    let facts = app
        .store
        .contact_facts(own.debtor, START)
        .await
        .expect("facts");
    let law = facts
        .client_law
        .expect("it comes with the facts of his debtors");
    assert_eq!((law.version, law.terms.caps[0].limit), (1, 3));
    let events = app
        .store
        .events_about(&[format!("client:{}", own.client)])
        .await;
    let events = events.expect("events");
    let told = events
        .iter()
        .filter(|e| e.event.data["action"] == "client_law.put");
    assert_eq!(told.count(), 1);
    let other = format!("/api/v1/clients/{}/law", app.world.sur.client);
    let other = app.get(&other).token(&token).send().await.json();
    assert_eq!(other["version"], 0, "another client's stays");
}

#[tokio::test]
async fn each_version_of_a_contract_is_told_with_who_put_it_in_force() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let path = format!("/api/v1/clients/{}/law", app.world.norte.client);
    for (after, strict) in [(0, true), (1, false)] {
        let terms = json!({"strict_mode": strict, "windows": [], "caps": []});
        let body = json!({"terms": terms, "after_version": after});
        let made = app.ask("PUT", &path).token(&token).json(&body).send().await;
        assert_eq!(made.status, 200, "{}", made.text());
    }
    let kept = app.get(&format!("{path}/versions")).token(&token);
    let kept = kept.send().await.json();
    let told = kept["items"].as_array().expect("items").iter();
    let told: Vec<Value> = told
        .map(|v| json!([v["version"], v["terms"]["strict_mode"], v["by"]]))
        .collect();
    assert_eq!(
        told,
        [json!([2, false, "MANAGER"]), json!([1, true, "MANAGER"])]
    );
    let made_by = kept["items"][1]["updated_by"].as_str().expect("who");
    assert!(made_by.starts_with("user:"), "{made_by}");
}
