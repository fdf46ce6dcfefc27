//! Campaigns, segments and imports over HTTP.

use crate::floor::{Floor, HEADER, csv};
use axum::http::StatusCode;
use serde_json::{Value, json};

async fn patch(floor: &Floor, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
    let (path, body) = (format!("/api/v1{path}"), body.to_string());
    floor
        .call("PATCH", &path, Some(token), "application/json", body)
        .await
}

async fn put(floor: &Floor, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
    let (path, body) = (format!("/api/v1{path}"), body.to_string());
    floor
        .call("PUT", &path, Some(token), "application/json", body)
        .await
}

async fn upload(
    floor: &Floor,
    token: &str,
    query: &str,
    content: &str,
    body: String,
) -> (StatusCode, Value) {
    let path = format!(
        "/api/v1/imports?client={}&portfolio={}{query}",
        floor.client, floor.portfolio
    );
    floor.call("POST", &path, Some(token), content, body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_keeps_nothing_and_names_refused_rows() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let mut file = csv(3);
    file.push_str(
        "R9,D9,Persona 9,DOC9,MX,CMX,tarjeta,MXN,1.5E+11,0,0,0,0,45,+525500000009,yes,yes\n",
    );
    let (status, dry) = upload(&floor, &marta, "&dry_run=true", "text/csv", file.clone()).await;
    assert_eq!(status, StatusCode::OK, "{dry}");
    assert_eq!(
        (&dry["dry_run"], &dry["report"]["rows"]),
        (&json!(true), &json!(4))
    );
    assert_eq!(dry["report"]["refused"], 1);
    let fault = &dry["faults"][0];
    assert_eq!(
        (&fault["row"], &fault["column"]),
        (&json!(5), &json!("principal"))
    );
    let (_, none) = floor.get(&marta, "/debtors?q=R1").await;
    assert_eq!(none["items"], json!([]));

    let (_, kept) = upload(&floor, &marta, "", "text/csv", file.clone()).await;
    assert_eq!(kept["report"]["debtors_new"], 3, "{kept}");
    let (_, again) = upload(&floor, &marta, "", "text/csv", file).await;
    assert_eq!(again["report"]["unchanged"], 3, "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_maps_and_files_that_do_not_fit() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let form = format!(
        "--XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\ncontent-type: text/csv\r\n\r\n{}\r\n--XX--\r\n",
        csv(2)
    );
    let kind = "multipart/form-data; boundary=XX";
    let (status, reply) = upload(&floor, &marta, "", kind, form).await;
    assert_eq!(
        (status, &reply["report"]["debtors_new"]),
        (StatusCode::OK, &json!(2)),
        "{reply}"
    );

    let part = "--XX\r\ncontent-disposition: form-data; name=\"x\"\r\n\r\n1\r\n--XX--\r\n";
    let (status, _) = upload(&floor, &marta, "", kind, part.to_owned()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, reply) = upload(&floor, &marta, "&map=%7B", "text/csv", csv(1)).await;
    assert_eq!(
        (status, &reply["errors"][0]["path"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("map"))
    );
    for body in [
        String::new(),
        "sin,sentido\n1,2\n".to_owned(),
        "a\u{0}b".to_owned(),
    ] {
        let (status, reply) = upload(&floor, &marta, "", "text/csv", body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{reply}");
    }
    let path = format!("/api/v1/imports?client={}&portfolio=Nada", floor.client);
    let (status, reply) = floor
        .call("POST", &path, Some(&marta), "text/csv", csv(1))
        .await;
    assert_eq!(
        (status, &reply["errors"][0]["path"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("portfolio"))
    );
    // A manager of another client may not write here.
    let otto = floor.sign_in("otto").await;
    let (status, _) = upload(&floor, &otto, "", "text/csv", csv(1)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_and_detection() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let (status, columns) = floor.get(&marta, "/imports/columns").await;
    assert_eq!(status, StatusCode::OK);
    let items = columns["items"].as_array().expect("items");
    assert!(
        items
            .iter()
            .any(|c| c["name"] == "external_ref" && c["required"] == true)
    );
    let file = csv(30).replace(',', ";");
    let (status, found) = floor
        .call(
            "POST",
            "/api/v1/imports/detect",
            Some(&marta),
            "text/csv",
            file,
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{found}");
    assert_eq!(
        (&found["delimiter"], &found["encoding"]),
        (&json!(";"), &json!("UTF-8"))
    );
    assert_eq!(
        found["columns"].as_array().map(Vec::len),
        Some(HEADER.split(',').count())
    );
    assert_eq!(found["map"]["phone_mobile"], "phone_mobile");
    assert_eq!(found["sample"].as_array().map(Vec::len), Some(20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_is_counted_and_its_errors_have_columns() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    floor.import(&marta, 4).await;
    let ask = |text: &str| json!({"client_id": floor.client, "expression": text});
    let (status, seen) = floor
        .post(&marta, "/segments/preview", ask("dias_mora entre 31 y 60"))
        .await;
    assert_eq!(status, StatusCode::OK, "{seen}");
    assert_eq!(
        (&seen["count"]["debtors"], &seen["count"]["phones"]),
        (&json!(4), &json!(4))
    );
    assert_eq!(seen["count"]["balance"], json!([["MXN", 4_200_000]]));
    // Nothing was measured yet: no figure, never an invented one.
    let unknown = json!([{"currency": "MXN", "amount_minor": null, "unknown_minor": 4_200_000, "borrowed_minor": 0}]);
    assert_eq!(seen["count"]["expected"], unknown);
    assert_eq!(seen["count"]["recovery_days"], 30);
    assert_eq!(seen["expression"], "days_past_due between 31 and 60");
    assert_eq!(seen["sample"].as_array().map(Vec::len), Some(4));
    let json_form = json!({"client_id": floor.client, "expr": seen["expr"]});
    let (_, again) = floor.post(&marta, "/segments/preview", json_form).await;
    assert_eq!(again["count"], seen["count"]);

    let (status, wrong) = floor
        .post(
            &marta,
            "/segments/preview",
            ask("balance >= 10 and colour = 'red'"),
        )
        .await;
    assert_eq!(
        (status, &wrong["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("bad_expression"))
    );
    assert_eq!(wrong["errors"][0]["column"], 19, "{wrong}");
    let odd = json!({"client_id": floor.client, "expr": {"cmp": {"field": "colour", "op": "=", "value": 1}}});
    let (status, wrong) = floor.post(&marta, "/segments/preview", odd).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong["errors"][0]["path"]
            .as_str()
            .is_some_and(|p| p.starts_with("expr")),
        "{wrong}"
    );
    let both = json!({"client_id": floor.client, "expression": "all", "expr": "all"});
    let (status, _) = floor.post(&marta, "/segments/preview", both).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// Nobody asks the law in the background of this floor, so that its answer stays out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_that_waits_for_the_law_is_an_estimate() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    floor.import(&marta, 4).await;
    let ask = |text: &str| json!({"client_id": floor.client, "expression": text, "exact": true});
    let told = |seen: &Value| ["exact", "pending", "margin"].map(|key| seen[key].clone());
    for text in ["callable_now", "marcable_ahora o saldo > 1"] {
        let (status, seen) = floor.post(&marta, "/segments/preview", ask(text)).await;
        assert_eq!(status, StatusCode::OK, "{seen}");
        assert_eq!(told(&seen), [json!(false), json!(4), json!(4)], "{text}");
    }
    let plain = floor
        .post(&marta, "/segments/preview", ask("on_hold"))
        .await
        .1;
    assert_eq!(told(&plain), [json!(true), json!(0), json!(0)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_of_a_segment_say_what_changed() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let body = json!({"client_id": floor.client, "name": "Tramo", "expression": "dpd entre 31 y 60 y bloqueado"});
    let (status, made) = floor.post(&marta, "/segments", body).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let path = format!("/segments/{}", made["id"].as_str().unwrap_or_default());
    for text in ["dpd entre 31 y 90", "dpd entre 31 y 90"] {
        let body = json!({"name": "Tramo", "expression": text});
        let (status, saved) = put(&floor, &marta, &path, body).await;
        assert_eq!(status, StatusCode::OK, "{saved}");
    }
    let (_, rows) = floor.get(&marta, &format!("{path}/versions")).await;
    let changes = |n: usize| rows[n]["changes"].clone();
    assert_eq!(changes(0), json!([]), "it says the same");
    let both = |es: &str, en: &str| json!({"es": es, "en": en});
    assert_eq!(
        changes(1),
        json!([
            {
                "what": "changed",
                "before": both("los días de mora entre 31 y 60", "the days past due between 31 and 60"),
                "after": both("los días de mora entre 31 y 90", "the days past due between 31 and 90"),
            },
            {"what": "removed", "before": both("tiene un bloqueo vigente", "is on hold"), "after": null},
        ])
    );
    assert_eq!(changes(2), json!([]), "the first");
    let (_, fields) = floor.get(&marta, "/segments/fields").await;
    let known = fields.as_array().expect("fields");
    assert_eq!(known.len(), domain::segment::Field::ALL.len());
    let stage = known.iter().find(|f| f["field"] == "stage");
    assert_eq!(
        stage.expect("stages")["words"][1],
        json!({"value": "administrative", "es": "administrativa", "en": "administrative"})
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn campaigns_are_made_and_changed() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let id = floor.campaign(&marta).await;
    let path = format!("/campaigns/{id}");
    let (_, draft) = floor.get(&marta, &path).await;
    assert_eq!(
        (&draft["status"], &draft["version"]),
        (&json!("draft"), &json!(1))
    );

    let body = json!({"params": {"mode": "power", "lines_per_agent": 1.5}, "version": 1});
    let (status, changed) = patch(&floor, &marta, &path, body.clone()).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    assert_eq!(
        (&changed["params"]["mode"], &changed["version"]),
        (&json!("power"), &json!(2))
    );
    assert_eq!(changed["params"]["wrapup_s"], 20, "what is not named stays");
    let (status, stale) = patch(&floor, &marta, &path, body).await;
    assert_eq!(
        (status, &stale["code"]),
        (StatusCode::CONFLICT, &json!("version_conflict"))
    );
    let (status, wrong) = patch(&floor, &marta, &path, json!({"params": {"mode": "turbo"}})).await;
    assert_eq!(
        (status, &wrong["errors"][0]["path"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("params.mode"))
    );
    // A mode that nobody dials is refused before anything is stored.
    let agentless = json!({"params": {"mode": "agentless"}});
    let (status, refused) = patch(&floor, &marta, &path, agentless).await;
    assert_eq!(
        (status, &refused["errors"][0]["path"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("params.mode"))
    );
    let (_, stored) = floor.get(&marta, &path).await;
    assert_eq!(
        (&stored["params"]["mode"], &stored["version"]),
        (&json!("power"), &json!(2))
    );
    let copy = json!({
        "client_id": stored["client_id"], "name": "Sin gestor",
        "segment_id": stored["segment_id"], "params": {"mode": "agentless"},
    });
    let (status, refused) = floor.post(&marta, "/campaigns", copy).await;
    assert_eq!(
        (status, &refused["errors"][0]["path"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("params.mode"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn campaigns_run_pause_and_stop() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let path = format!("/campaigns/{}", floor.campaign(&marta).await);
    // Nobody signed in and nothing to dial: it runs, and says why it does not dial.
    let (status, report) = floor
        .post(&marta, &format!("{path}/start"), json!({}))
        .await;
    assert_eq!(status, StatusCode::OK, "{report}");
    assert_eq!(report["campaign"]["status"], "running");
    assert_eq!(
        report["refill"],
        json!({"matched": 0, "added": 0, "returned": 0, "left": 0})
    );
    let problems = report["problems"].as_array().expect("problems");
    assert!(
        !problems.is_empty()
            && problems
                .iter()
                .all(|p| p["es"].is_string() && p["en"].is_string()),
        "{report}"
    );
    let (status, row) = floor.get(&marta, &format!("{path}/live")).await;
    assert_eq!(status, StatusCode::OK, "{row}");
    serde_json::from_value::<api::wire::CampaignRow>(row).expect("a row of the contract");
    let (status, hopper) = floor.get(&marta, &format!("{path}/hopper")).await;
    assert_eq!(
        (status, &hopper["items"]),
        (StatusCode::OK, &json!([])),
        "{hopper}"
    );

    let (status, paused) = floor
        .post(&marta, &format!("{path}/pause"), json!({}))
        .await;
    assert_eq!(
        (status, &paused["campaign"]["status"]),
        (StatusCode::OK, &json!("paused")),
        "{paused}"
    );
    let (status, stopped) = floor.post(&marta, &format!("{path}/stop"), json!({})).await;
    assert_eq!(
        (status, &stopped["campaign"]["status"]),
        (StatusCode::OK, &json!("stopped")),
        "{stopped}"
    );
    let (status, refused) = floor
        .post(&marta, &format!("{path}/pause"), json!({}))
        .await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::CONFLICT, &json!("wrong_state")),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_clients_campaigns_are_not_there() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let otto = floor.sign_in("otto").await;
    let id = floor.campaign(&marta).await;
    for path in [format!("/campaigns/{id}"), format!("/campaigns/{id}/live")] {
        assert_eq!(
            floor.get(&otto, &path).await.0,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let start = format!("/campaigns/{id}/start");
    assert_eq!(
        floor.post(&otto, &start, json!({})).await.0,
        StatusCode::NOT_FOUND
    );
    let body = json!({"client_id": floor.client, "expression": "all"});
    let preview = floor.post(&otto, "/segments/preview", body).await;
    assert_eq!(preview.0, StatusCode::FORBIDDEN);
    let (_, segments) = floor.get(&marta, "/segments").await;
    let theirs =
        json!({"client_id": floor.other, "name": "X", "segment_id": segments["items"][0]["id"]});
    let (status, reply) = floor.post(&otto, "/campaigns", theirs).await;
    assert_eq!(
        (status, &reply["errors"][0]["path"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("segment_id"))
    );
    let (_, packs) = floor.get(&marta, "/rulepacks").await;
    assert_eq!(packs["items"][0]["id"], "mx");
}
