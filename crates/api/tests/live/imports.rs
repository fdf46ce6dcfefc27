//! Files on their way in: drafts, remembered maps, rules for phones, placements.

use crate::floor::Floor;
use axum::http::StatusCode;
use domain::ports::store::CatalogStore as _;
use serde_json::{Value, json};
use std::time::Duration;

const FILE: &str = "Clave;Contrato;Deudor;Saldo;Corte;Cel\n\
    1;A1;Ana Ruiz;1.234,50;23/10/2026;5500000001\n\
    2;A2;Luis Peña;10,00;03/10/2026;+52 52 55 0000 0002\n\
    3;A3;Eva Soto;20,00;23/10/2026;1.5E+11\n";

fn map() -> Value {
    json!({
        "columns": {"Clave": "external_ref", "Contrato": "debt_ref", "Deudor": "name",
            "Saldo": "balance", "Corte": "due_date", "Cel": "phone_mobile"},
        "defaults": {"country": "MX"}, "decimal": "comma", "dates": "dmy",
        "repair": ["double_prefix"],
    })
}

/// A text as a value of a query.
fn query(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric();
    let sign = |b: u8| match plain(b) {
        true => char::from(b).to_string(),
        false => format!("%{b:02X}"),
    };
    text.bytes().map(sign).collect()
}

async fn draft(floor: &Floor, token: &str, more: &str, file: &str) -> (StatusCode, Value) {
    let path = format!(
        "/api/v1/imports/drafts?client={}&portfolio={}{more}",
        floor.client, floor.portfolio
    );
    floor
        .call("POST", &path, Some(token), "text/csv", file.to_owned())
        .await
}

/// Waits until an import has left a state.
async fn after(floor: &Floor, token: &str, id: &str, state: &str) -> Value {
    for _ in 0..600 {
        let (status, view) = floor.get(token, &format!("/imports/{id}")).await;
        assert_eq!(status, StatusCode::OK, "{view}");
        if view["state"] != state {
            return view;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the import stayed {state}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_accepted_map_is_remembered_for_the_same_header() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let (status, refused) = draft(&floor, &marta, "", FILE).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
    let given = format!("&map={}", query(&map().to_string()));
    let (status, first) = draft(&floor, &marta, &given, FILE).await;
    assert_eq!(status, StatusCode::CREATED, "{first}");
    assert_eq!(
        (&first["state"], &first["progress"]),
        (&json!("ready"), &Value::Null)
    );
    let difference = &first["difference"];
    assert_eq!(
        (&difference["debts_new"], &difference["refused"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(difference["repaired"], json!({"double_prefix": 1}));
    assert_eq!(first["faults"][0]["row"], 4, "{first}");
    let (_, none) = floor.get(&marta, "/debtors?q=1").await;
    assert_eq!(none["items"], json!([]), "nothing can be seen of a draft");

    let id = first["id"].as_str().expect("id");
    let placed = json!({"placement": {"placed_on": "2026-11-20", "recall_on": "2027-02-20", "fee_bp": 1_250}});
    let (status, done) = floor
        .post(&marta, &format!("/imports/{id}/accept"), placed)
        .await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!(
        (&done["state"], &done["report"]["debts_new"]),
        (&json!("accepted"), &json!(2))
    );
    let placement = done["placement_id"].as_str().expect("placement");
    let (_, placement) = floor.get(&marta, &format!("/placements/{placement}")).await;
    assert_eq!(
        (&placement["fee_bp"], &placement["recall_on"]),
        (&json!(1_250), &json!("2027-02-20"))
    );
    used_again(&floor, &marta).await;
}

/// The next file with these columns needs no map, until it is forgotten.
async fn used_again(floor: &Floor, marta: &str) {
    // Whatever the order and case of its columns.
    let next = "CLAVE;Contrato;Deudor;Saldo;Corte;cel\n9;A9;Sol Vela;5,00;03/10/2026;5500000009\n";
    let (status, second) = draft(floor, marta, "", next).await;
    assert_eq!(status, StatusCode::CREATED, "{second}");
    assert_eq!(second["difference"]["debts_new"], 1);
    assert_eq!(second["map"], map());
    let path = format!("/api/v1/imports/detect?portfolio={}", floor.portfolio);
    let (_, found) = floor
        .call("POST", &path, Some(marta), "text/csv", next.to_owned())
        .await;
    assert_eq!(
        (&found["saved"], &found["repair"]),
        (&json!(true), &json!(["double_prefix"]))
    );
    assert_eq!(
        (&found["decimal"], &found["defaults"]["country"]),
        (&json!("comma"), &json!("MX"))
    );
    assert_eq!(found["formulas"], "refused", "the map does not say so");
    let stored = query(r#"{"columns":{},"formulas":"stored"}"#);
    let (_, found) = floor
        .call(
            "POST",
            &format!("{path}&map={stored}"),
            Some(marta),
            "text/csv",
            next.to_owned(),
        )
        .await;
    assert_eq!(found["formulas"], "stored");

    let maps = format!("/imports/maps?portfolio={}", floor.portfolio);
    let (_, saved) = floor.get(marta, &maps).await;
    assert_eq!(saved["items"][0]["columns"][0], "Clave");
    let path = format!(
        "/api/v1/imports/maps/{}",
        saved["items"][0]["id"].as_str().expect("id")
    );
    let (status, _) = floor
        .call(
            "DELETE",
            &path,
            Some(marta),
            "application/json",
            String::new(),
        )
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = draft(floor, marta, "", next).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "forgotten");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_can_be_followed_while_it_is_read_and_written() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let given = format!(
        "&wait=false&file_name=a.csv&map={}",
        query(&map().to_string())
    );
    let (status, begun) = draft(&floor, &marta, &given, FILE).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{begun}");
    assert!(begun["bytes"].as_i64().is_some_and(|n| n > 100), "{begun}");
    let id = begun["id"].as_str().expect("id");
    let read = after(&floor, &marta, id, "reading").await;
    assert_eq!(read["state"], "ready", "{read}");
    let accept = format!("/imports/{id}/accept");
    let (status, _) = floor.post(&marta, &accept, json!({"wait": false})).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let done = after(&floor, &marta, id, "accepting").await;
    assert_eq!(
        (&done["state"], &done["report"]["rows"]),
        (&json!("accepted"), &json!(3))
    );
    let (status, again) = floor.post(&marta, &accept, json!({})).await;
    assert_eq!(
        (status, &again["code"]),
        (StatusCode::CONFLICT, &json!("wrong_state"))
    );

    // One that cannot be read tells so when it is asked for.
    let (status, begun) = draft(&floor, &marta, "&wait=false", "sin,sentido\n1,2\n").await;
    assert_eq!(status, StatusCode::ACCEPTED, "{begun}");
    let id = begun["id"].as_str().expect("id");
    let read = after(&floor, &marta, id, "reading").await;
    assert_eq!(read["state"], "discarded");
    let reason = read["faults"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("no column for"), "{read}");
    let (_, page) = floor.get(&marta, "/imports?limit=1").await;
    assert_eq!(page["items"][0]["id"], id, "newest first");
    let path = format!(
        "/imports?limit=1&cursor={}",
        page["next_cursor"].as_str().expect("more")
    );
    let (_, page) = floor.get(&marta, &path).await;
    assert_eq!(
        (&page["items"][0]["file_name"], &page["next_cursor"]),
        (&json!("a.csv"), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terms_of_a_placement_are_checked() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let given = format!("&map={}", query(&map().to_string()));
    let (_, first) = draft(&floor, &marta, &given, FILE).await;
    let path = format!("/imports/{}/accept", first["id"].as_str().expect("id"));
    for (placement, at) in [
        (json!({"placed_on": "20/11/2026", "fee_bp": 0}), "placed_on"),
        (
            json!({"placed_on": "2026-11-20", "recall_on": "2026-11-19", "fee_bp": 0}),
            "recall_on",
        ),
        (
            json!({"placed_on": "2026-11-20", "fee_bp": 10_001}),
            "fee_bp",
        ),
    ] {
        let (status, wrong) = floor
            .post(&marta, &path, json!({"placement": placement}))
            .await;
        assert_eq!(
            (status, &wrong["errors"][0]["path"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!(at)),
            "{wrong}"
        );
    }
    let (status, _) = floor
        .post(&marta, &path, json!({"duplicates": "guess"}))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    // What was refused left no turn behind.
    let (status, done) = floor.post(&marta, &path, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{done}");
}

/// Who has two contracts under two keys becomes one debtor, once the file is in as a whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debtors_of_one_document_become_one_after_their_file_is_in() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let map = json!({
        "columns": {"Clave": "external_ref", "Contrato": "debt_ref", "Deudor": "name",
            "RFC": "document", "Saldo": "balance", "Corte": "due_date", "Cel": "phone_mobile"},
        "defaults": {"country": "MX"}, "decimal": "comma", "dates": "dmy",
    });
    let file = "Clave;Contrato;Deudor;RFC;Saldo;Corte;Cel\n\
        T1;D1;Ana Ruiz;RUAA800101AB1;1,50;23/10/2026;5500000011\n\
        T2;D2;Ana Ruiz;RUAA800101AB1;2,50;23/10/2026;5500000012\n";
    let given = format!("&map={}", query(&map.to_string()));
    let (status, first) = draft(&floor, &marta, &given, file).await;
    assert_eq!(status, StatusCode::CREATED, "{first}");
    let id = first["id"].as_str().expect("id");
    let path = format!("/imports/{id}/accept");
    let (status, done) = floor
        .post(&marta, &path, json!({"duplicates": "merge"}))
        .await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!(done["report"]["merged"], 1, "{done}");
    let (_, stored) = floor.get(&marta, &format!("/imports/{id}")).await;
    assert_eq!(stored["report"]["merged"], 1, "{stored}");
    let end = floor.store.last_cursor().await.expect("end");
    let told = floor.store.events_after(end - 10, 10).await.expect("told");
    let at = |kind: &str| told.iter().position(|e| e.event.kind == kind);
    let (whole, merged) = (at("portfolio.imported"), at("debtor.merged"));
    assert!(
        whole.is_some() && whole < merged,
        "{whole:?} then {merged:?}"
    );
}

/// Before he accepts it and before the first call a manager reads what stands against his list: the most frequent reason
/// first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_law_is_asked_about_a_list() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let mut map = map();
    map["columns"]["Pais"] = json!("country");
    let given = format!("&map={}", query(&map.to_string()));
    let head = "Clave;Contrato;Deudor;Saldo;Corte;Cel;Pais\n";
    let first = format!(
        "{head}1;A1;Ana Ruiz;1.234,50;23/10/2026;5500000001;MX\n\
        2;A2;Luis Peña;10,00;03/10/2026;5500000002;MX\n\
        3;A3;Eva Soto;20,00;23/10/2026;+4930123456;DE\n"
    );
    let drafted = async |file: &str| {
        let (status, view) = draft(&floor, &marta, &given, file).await;
        assert_eq!(status, StatusCode::CREATED, "{view}");
        view["id"].as_str().expect("id").to_owned()
    };
    let asked = async |id: &str| floor.get(&marta, &format!("/imports/{id}/law")).await;
    let told = async |id: &str| {
        let (status, law) = asked(id).await;
        assert_eq!(status, StatusCode::OK, "{law}");
        assert_eq!(law["sample"], json!(false));
        // In Mexico only points that the debtor gave may be used, and this file does not say that he did.
        let reasons = law["reasons"].as_array().expect("reasons").iter();
        let reasons = reasons.map(|r| json!([r["rule"], r["blocked"], r["debtors"]]));
        let counts = ["debtors", "new", "deny"].map(|name| law[name].as_u64().expect("a count"));
        (counts, reasons.collect::<Vec<Value>>())
    };
    let points = |debtors| json!(["mx-condusef/parties.points", "blocked_rule", debtors]);
    let nowhere = json!(["house/no_pack", "blocked_rule", 1]);
    let id = drafted(&first).await;
    let both = vec![points(2), nowhere];
    assert_eq!(told(&id).await, ([3, 3, 3], both.clone()), "all are new");
    let accept = format!("/imports/{id}/accept");
    let (status, done) = floor.post(&marta, &accept, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!(told(&id).await, ([3, 0, 3], both));

    // One of them again, and one who comes with two debts.
    let second = format!(
        "{head}2;A2;Luis Peña;15,00;03/10/2026;5500000002;MX\n\
        4;A4;Rosa Gil;30,00;23/10/2026;5500000004;MX\n\
        4;A5;Rosa Gil;40,00;23/10/2026;5500000004;MX\n"
    );
    let next = drafted(&second).await;
    assert_eq!(told(&next).await, ([2, 1, 2], vec![points(2)]));
    let path = format!("/api/v1/imports/{next}");
    let (status, _) = floor
        .call("DELETE", &path, Some(&marta), "application/json", "")
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, gone) = asked(&next).await;
    assert_eq!(status, StatusCode::CONFLICT, "{gone}");
    assert_eq!(gone["code"], "wrong_state");
}
