//! The floor by HTTP: templates, segments by weight, call-backs, assignment, the morning list, caller ids.

use crate::app::{App, START};
use crate::world::Own;
use domain::entity::CallerId;
use domain::ids::CallerIdId;
use domain::ports::Clock as _;
use domain::ports::store::{
    CALLBACK_PRIORITY, CallbackRow, CatalogStore as _, ContactStore as _, HeardCall, ItemState,
    TrailStore as _,
};
use domain::rules::detector::Acted;
use domain::time::HOUR_MS;
use serde_json::{Value, json};

#[tokio::test]
async fn a_campaign_begins_with_a_template() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let body = json!({"client_id": own.client, "name": "Suave", "note": "para la tarde",
        "params": {"ring_timeout_s": 40, "list_mix": [{"segment_id": own.segment, "weight": 5}]}});
    let made = app
        .post("/api/v1/campaign-templates")
        .token(&token)
        .json(&body);
    let made = made.send().await;
    assert_eq!(made.status, 201, "{}", made.text());
    let template = made.json();
    assert_eq!(
        template["params"]["list_mix"],
        json!([]),
        "it is a campaign's own"
    );
    let body = json!({"client_id": own.client, "name": "Otra", "segment_id": own.segment,
        "template_id": template["id"], "params": {"refill": "daily"}});
    let made = app
        .post("/api/v1/campaigns")
        .token(&token)
        .json(&body)
        .send()
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let campaign = made.json();
    let params = &campaign["params"];
    assert_eq!(
        (&params["ring_timeout_s"], &params["refill"]),
        (&json!(40), &json!("daily"))
    );
}

#[tokio::test]
async fn a_campaign_mixes_its_segments_and_what_does_not_fit_is_named() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let path = format!("/api/v1/campaigns/{}", own.campaign);
    let other = json!({"client_id": own.client, "name": "Grandes", "expression": "balance > 10"});
    let other = app
        .post("/api/v1/segments")
        .token(&token)
        .json(&other)
        .send()
        .await
        .json();
    let mix = |parts: Value| json!({"params": {"list_mix": parts}});
    let both =
        json!([{"segment_id": own.segment, "weight": 3}, {"segment_id": other["id"], "weight": 1}]);
    let changed = app
        .ask("PATCH", &path)
        .token(&token)
        .json(&mix(both))
        .send()
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let sur = &app.world.sur;
    for (wrong, field) in [
        (
            mix(json!([{"segment_id": other["id"], "weight": 1}])),
            "params.list_mix",
        ),
        (
            mix(json!([{"segment_id": sur.segment, "weight": 1}])),
            "params.list_mix",
        ),
        (
            mix(json!([{"segment_id": own.segment, "weight": 0}])),
            "params.list_mix",
        ),
        (
            json!({"params": {"point_ladder": []}}),
            "params.point_ladder",
        ),
        (
            json!({"params": {"caller_rest_min": 5}}),
            "params.caller_rest_min",
        ),
        (json!({"params": {"refill_at": "8"}}), "params.refill_at"),
        (
            json!({"params": {"retry_rules": [{"result": "human", "delay_min": 5, "max_per_day": 1,
            "max_total": 1, "then": "stop"}]}}),
            "params.retry_rules",
        ),
    ] {
        let refused = app
            .ask("PATCH", &path)
            .token(&token)
            .json(&wrong)
            .send()
            .await;
        assert_eq!(refused.status, 422, "{wrong}: {}", refused.text());
        assert_eq!(refused.json()["errors"][0]["path"], field, "{wrong}");
    }
}

#[tokio::test]
async fn callbacks_are_seen_in_the_debtors_zone() {
    let app = App::start().await;
    let token = app.token("supervisor").await;
    let own = &app.world.norte;
    let now = app.clock.now();
    let item = ItemState {
        campaign_id: own.campaign,
        debtor_id: own.debtor,
        next_at: now.plus_ms(HOUR_MS),
        priority: CALLBACK_PRIORITY,
        attempts: 1,
        last_result: None,
        next_point: None,
        done: false,
        note: CallbackRow::note_of(Some(app.world.agent)),
    };
    app.store.put_item(&item, &[]).await.expect("put");
    let path = format!("/api/v1/callbacks?client={}", own.client);
    let rows = app.get(&path).token(&token).send().await;
    assert_eq!(rows.status, 200, "{}", rows.text());
    let row = &rows.json()["items"][0];
    assert_eq!(row["debtor_id"], json!(own.debtor));
    assert_eq!(row["agent_id"], json!(app.world.agent));
    assert_eq!(row["late"], json!(false));
    let zone = domain::time::zone(row["zone"].as_str().expect("a zone")).expect("a zone");
    let local = item
        .next_at
        .in_zone(&zone)
        .strftime("%Y-%m-%dT%H:%M")
        .to_string();
    assert_eq!(row["local"], json!(local));
    let sur = app.get(&format!(
        "/api/v1/callbacks?client={}",
        app.world.sur.client
    ));
    assert_eq!(sur.token(&token).send().await.json()["items"], json!([]));
    let mine = app.token("agent").await;
    let mine = app
        .get("/api/v1/agents/me/callbacks")
        .token(&mine)
        .send()
        .await
        .json();
    assert_eq!(mine["items"][0]["debtor_id"], json!(own.debtor));
    let gone =
        json!({"campaign_id": own.campaign, "debtor_id": own.debtor, "reason": "pidió carta"});
    let done = app
        .post("/api/v1/callbacks/cancel")
        .token(&token)
        .json(&gone)
        .send()
        .await;
    assert_eq!(done.status, 204, "{}", done.text());
    assert_eq!(
        app.get(&path).token(&token).send().await.json()["items"],
        json!([])
    );
}

#[tokio::test]
async fn rules_assign_and_the_morning_list_shows_it() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let rule = json!({"name": "A Ana", "position": 1, "segment_id": own.segment, "target": "agent",
        "agents": [app.world.agent], "enabled": true});
    let lacking = json!({"client_id": own.client, "rule": {"name": "X", "position": 1,
        "segment_id": own.segment, "target": "queue", "enabled": true}});
    let refused = app
        .post("/api/v1/assignment-rules")
        .token(&token)
        .json(&lacking);
    assert_eq!(
        refused.send().await.status,
        422,
        "a queue needs its campaign"
    );
    let body = json!({"client_id": own.client, "rule": rule});
    let made = app
        .post("/api/v1/assignment-rules")
        .token(&token)
        .json(&body)
        .send()
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let apply = json!({"client_id": own.client});
    let done = app
        .post("/api/v1/assignment-rules/apply")
        .token(&token)
        .json(&apply)
        .send()
        .await;
    assert_eq!(done.status, 200, "{}", done.text());
    let report = done.json();
    assert!(
        report["assigned"].as_u64().expect("a count") >= 1,
        "{report}"
    );
    let path = format!(
        "/api/v1/morning-list?client={}&threshold_minor=0",
        own.client
    );
    let list = app.get(&path).token(&token).send().await;
    assert_eq!(list.status, 200, "{}", list.text());
    let list = list.json();
    let ours = list["items"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|r| r["debtor_id"] == json!(own.debtor));
    let ours = ours.expect("he is overdue");
    assert_eq!(ours["agent_id"], json!(app.world.agent));
    assert_eq!(ours["attention"], json!(true));
    // By hand he becomes nobody's; the rule leaves that alone only while he has somebody.
    let free = json!({"debtors": [own.debtor]});
    let freed = app
        .post("/api/v1/assignments")
        .token(&token)
        .json(&free)
        .send()
        .await;
    assert_eq!(freed.json()["assigned"], json!(1));
    let list = app.get(&path).token(&token).send().await.json();
    assert_eq!(list["items"][0]["agent_id"], json!(null));
}

/// Row 13: the morning list goes by the client's own threshold, older first above it.
#[tokio::test]
async fn the_attention_threshold_is_set_in_the_clients_terms() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let terms_path = format!("/api/v1/clients/{}/terms", own.client);
    let got = app.get(&terms_path).token(&token).send().await.json();
    let set = async |after: i64, minor: Value| {
        let mut terms = got["terms"].clone();
        terms["attention_minor"] = minor;
        let body = json!({"after": after, "terms": terms, "note": "umbral"});
        let put = app.ask("PUT", &terms_path).token(&token).json(&body);
        put.send().await
    };
    let list = async |more: &str| -> (i64, bool) {
        let path = format!("/api/v1/morning-list?client={}{more}", own.client);
        let got = app.get(&path).token(&token).send().await.json();
        let rows = got["items"].as_array().expect("rows").clone();
        let ours = rows.iter().find(|r| r["debtor_id"] == json!(own.debtor));
        let ours = ours.expect("he is overdue")["attention"].clone();
        (
            got["threshold_minor"].as_i64().expect("a sum"),
            ours == json!(true),
        )
    };
    assert_eq!(list("").await.0, 100_000, "1,000 pesos of the house");
    assert_eq!(set(0, json!(-5)).await.status, 422);
    assert_eq!(set(0, json!(0)).await.status, 201);
    assert_eq!(list("").await, (0, true));
    assert_eq!(set(1, json!(900_000_000_i64)).await.status, 201);
    assert_eq!(list("").await, (900_000_000, false));
    // Who asks for another one gets it.
    assert_eq!(list("&threshold_minor=0").await, (0, true));
    let other = format!("/api/v1/morning-list?client={}", app.world.sur.client);
    let other = app.get(&other).token(&token).send().await.json();
    assert_ne!(other["threshold_minor"], json!(900_000_000_i64));
}

#[tokio::test]
async fn a_rule_asks_for_skills_and_the_language() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let rule = |change: Value| {
        let mut rule = json!({"name": "A Ana", "position": 1, "segment_id": own.segment,
            "target": "agent", "agents": [app.world.agent], "enabled": true});
        for (key, value) in change.as_object().expect("fields") {
            rule[key] = value.clone();
        }
        json!({"client_id": own.client, "rule": rule})
    };
    let make = async |body: Value| {
        let ask = app.post("/api/v1/assignment-rules").token(&token);
        ask.json(&body).send().await
    };
    let many: Vec<String> = (0..21).map(|n| format!("s{n}")).collect();
    for (change, field) in [
        (
            json!({"target": "queue", "campaign_id": own.campaign, "skills": ["legal"]}),
            "skills",
        ),
        (
            json!({"target": "team", "team_id": app.world.team, "by_language": true}),
            "by_language",
        ),
        (json!({"skills": [""]}), "skills"),
        (json!({"skills": many}), "skills"),
    ] {
        let refused = make(rule(change)).await;
        assert_eq!(refused.status, 422, "{field}: {}", refused.text());
        assert_eq!(refused.json()["errors"][0]["path"], field);
    }
    let made = make(rule(
        json!({"position": 0, "skills": ["legal"], "by_language": true}),
    ))
    .await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["skills"], json!(["legal"]));
    assert_eq!(made.json()["by_language"], json!(true));
    let path = format!(
        "/api/v1/assignment-rules/{}",
        made.json()["id"].as_str().expect("an id")
    );
    let only = rule(json!({"name": "Sola", "skills": ["legal"], "by_language": true}));
    let put = app
        .ask("PUT", &path)
        .token(&token)
        .json(&only["rule"])
        .send()
        .await;
    assert_eq!(put.status, 200, "{}", put.text());
    let apply = app.post("/api/v1/assignment-rules/apply").token(&token);
    let report = apply
        .json(&json!({"client_id": own.client}))
        .send()
        .await
        .json();
    assert_eq!(report["assigned"], json!(0), "{report}");
    assert!(
        report["without_skill"].as_u64().expect("a count") >= 1,
        "{report}"
    );
    let told = &report["unskilled"][0];
    assert_eq!(
        (&told["rule"], &told["skills"]),
        (&json!("Sola"), &json!(["legal"]))
    );
    assert!(told["language"].is_string(), "{report}");
}

#[tokio::test]
async fn a_caller_id_rests_and_wakes() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let health = format!("/api/v1/caller-ids/health?client={}", own.client);
    let state = async || -> Value {
        app.get(&health).token(&token).send().await.json()["items"][0].clone()
    };
    assert_eq!(state().await["rests_until"], json!(null));
    let path = format!("/api/v1/caller-ids/{}", own.caller_id);
    let rest = app
        .post(&format!("{path}/rest"))
        .token(&token)
        .json(&json!({"minutes": 30}));
    assert_eq!(rest.send().await.status, 204);
    let resting = state().await;
    assert!(resting["rests_until"].is_string(), "{resting}");
    assert_eq!(resting["rest_reason"], json!("person"));
    let again = app
        .post(&format!("{path}/rest"))
        .token(&token)
        .json(&json!({"minutes": 30}));
    assert_eq!(again.send().await.code(), "resting");
    let wake = app.post(&format!("{path}/wake")).token(&token).send().await;
    assert_eq!(wake.status, 204, "{}", wake.text());
    assert_eq!(state().await["rests_until"], json!(null));
}

#[tokio::test]
async fn every_caller_id_has_its_health() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let first = app.store.get_caller_id(own.caller_id).await;
    let first = first.expect("a caller id");
    // One more than a page holds.
    for n in 0..500_u128 {
        let more = CallerId {
            id: CallerIdId(uuid::Uuid::from_u128(n + 1)),
            number: format!("+5255500{n:05}"),
            ..first.clone()
        };
        let done = app.store.put_caller_id(&more, &[]).await;
        done.expect("stored");
    }
    let path = format!("/api/v1/caller-ids/health?client={}", own.client);
    let all = app.get(&path).token(&token).send().await.json();
    assert_eq!(all["items"].as_array().map(Vec::len), Some(501));
}

/// Who was hung up on as a machine was abandoned: the page says so beside both errors.
#[tokio::test]
async fn the_detectors_page_counts_who_was_abandoned() {
    let app = App::start().await;
    let token = app.token("supervisor").await;
    let abandoned = async |more: String| -> Value {
        let path = format!("/api/v1/reports/detector?days=7{more}");
        let page = app.get(&path).token(&token).send().await;
        assert_eq!(page.status, 200, "{}", page.text());
        page.json()["abandoned"].clone()
    };
    let parts = |share: &Value| (share["numerator"].clone(), share["denominator"].clone());
    let (norte, sur) = (&app.world.norte, &app.world.sur);
    assert_eq!(parts(&abandoned(String::new()).await), (json!(0), json!(2)));
    let heard = HeardCall {
        attempt_id: sur.attempt,
        at: START,
        class: "machine".into(),
        confidence_pm: 900,
        reason: "greeting_shape".into(),
        decided_ms: 900,
        onset_ms: None,
        speech_ms: None,
        pauses: None,
        beep_ms: None,
        acted: Acted::Hangup,
        truth: None,
    };
    app.store.put_heard(&heard, &[]).await.expect("is kept");
    let told = app.post(&format!("/api/v1/attempts/{}/heard", sur.attempt));
    let told = told
        .token(&token)
        .json(&json!({"truth": "person"}))
        .send()
        .await;
    assert_eq!(told.json()["lost"], true, "{}", told.text());
    assert_eq!(parts(&abandoned(String::new()).await), (json!(1), json!(2)));
    let of = |own: &Own| format!("&campaign={}", own.campaign);
    assert_eq!(parts(&abandoned(of(norte)).await), (json!(0), json!(1)));
    assert_eq!(parts(&abandoned(of(sur)).await), (json!(1), json!(1)));
    let trunk = format!("&trunk={}", app.world.trunk);
    assert_eq!(
        abandoned(trunk).await,
        Value::Null,
        "the law knows no trunks"
    );
    let page = app.get("/api/v1/reports/detector?days=7").token(&token);
    let days = page.send().await.json()["days"].clone();
    assert_eq!(
        (&days[0]["day"], &days[6]["day"], &days[7]),
        (&json!("2026-11-17"), &json!("2026-11-23"), &Value::Null),
        "days of the clients, today the last"
    );
}
