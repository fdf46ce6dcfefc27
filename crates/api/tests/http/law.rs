//! The law by HTTP: lists, preferences, complaints, evidence, versions of campaigns, reasons.

use crate::app::App;
use axum::http::StatusCode;
use domain::ports::store::LawStore as _;
use serde_json::json;

#[tokio::test]
async fn a_list_is_loaded_by_lines_and_retired() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let path = "/api/v1/imports/dnc-list?name=REPEP&kind=phone";
    let lines = "numero\n+525512345671\nnot a number 7\n";
    let reply = app
        .post(path)
        .token(&token)
        .body("text/plain", lines)
        .send()
        .await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    let told = reply.json();
    assert_eq!(told["list"]["entries"], 1);
    assert_eq!(told["refused"], 1);
    assert_eq!(told["faults"][0]["line"], 3);
    assert_eq!(told["debtors"], 1, "one debtor is on it");
    assert_eq!(
        told["list"]["hash_key"],
        json!(null),
        "the key stays inside"
    );
    let own = &app.world.norte;
    let path = format!("/api/v1/debtors/{}/evidence?without_sound=true", own.debtor);
    let zip = app.get(&path).token(&token).send().await;
    assert_eq!(zip.status, StatusCode::OK);
    let text = String::from_utf8_lossy(&zip.body).into_owned();
    assert!(text.contains("list:REPEP"), "he is on it");
    let id = told["list"]["id"].as_str().expect("an id");
    let path = format!("/api/v1/dnc-lists/{id}/retire");
    let ended = app.post(&path).token(&token).send().await.json();
    assert!(ended["retired_at"].is_string());
    // The same number as a register of the country writes it.
    let national = async |query: &str| {
        let path = format!("/api/v1/imports/dnc-list?name=NATIONAL&kind=phone{query}");
        let file = app.post(&path).token(&token);
        file.body("text/plain", "5512345671\n").send().await
    };
    let guessed = national("").await;
    assert_eq!(
        guessed.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        guessed.text()
    );
    let told = national("&country=MX").await.json();
    assert_eq!((&told["debtors"], &told["refused"]), (&json!(1), &json!(0)));
    let nobody = national("&country=CL").await;
    assert_eq!(
        nobody.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "no number of Chile"
    );
    let empty = app
        .post("/api/v1/imports/dnc-list?name=X&kind=phone")
        .token(&token)
        .body("text/plain", "nothing here 5\n");
    assert_eq!(empty.send().await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn the_evidence_holds_what_was_done_and_who_took_it() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let path = format!("/api/v1/complaints/{}/evidence", own.complaint);
    let zip = app.get(&path).token(&token).send().await;
    assert_eq!(zip.status, StatusCode::OK, "{}", zip.text());
    assert_eq!(zip.header("content-type"), "application/zip");
    assert_eq!(&zip.body[..4], b"PK\x03\x04");
    let text = String::from_utf8_lossy(&zip.body).into_owned();
    for part in [
        "index.html",
        "manifest.json",
        "attempts.csv",
        "decisions.json",
        "REDECO",
        "evidence.exported",
        &own.attempt.to_string(),
        &own.preference.to_string(),
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert!(
        !text.contains(&app.world.sur.attempt.to_string()),
        "nothing of another client"
    );
}

#[tokio::test]
async fn registers_are_lines_that_open_in_a_spreadsheet() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let path = |kind: &str, query: &str| {
        format!(
            "/api/v1/export/registers/{kind}?client={}{query}",
            own.client
        )
    };
    let text = async |path: String| {
        let reply = app.get(&path).token(&token).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
        reply.text()
    };
    let cases = text(path("complaints", "&authority=redeco&lang=en")).await;
    let lines: Vec<&str> = cases.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(lines.len(), 2, "nothing of another client: {cases}");
    assert!(lines[0].starts_with("authority,number,creditor,debtor,received,deadline,state"));
    assert!(lines[1].starts_with("REDECO,R-1,"), "{cases}");
    assert!(lines[1].contains(",2026-12-10,open,,,no,x,"), "{cases}");
    app.pass_ms(30 * 86_400_000);
    let token = app.token("manager").await;
    let late = app.get(&path("complaints", "")).token(&token).send().await;
    assert!(
        late.text().contains(",2026-12-10,abierta,,,sí,x,"),
        "{}",
        late.text()
    );
    for (query, lines) in [
        ("&from=2026-11-23", 2),
        ("&to=2026-11-23", 1),
        ("&authority=SIC", 1),
    ] {
        let reply = app
            .get(&path("complaints", query))
            .token(&token)
            .send()
            .await;
        assert_eq!(reply.text().lines().count(), lines, "{query}");
    }
}

#[tokio::test]
async fn numbers_and_collectors_are_registers_too() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let path = |kind: &str, query: &str| {
        format!(
            "/api/v1/export/registers/{kind}?client={}{query}",
            own.client
        )
    };
    let numbers = app.get(&path("numbers", "")).token(&token).send().await;
    assert!(
        numbers.text().contains("\n525550000011,"),
        "{}",
        numbers.text()
    );
    assert!(
        !numbers.text().contains("+525550000012"),
        "another client's"
    );
    let people = app
        .get(&path("collectors", "&lang=en"))
        .token(&token)
        .send()
        .await;
    let agent = app.world.agent.to_string();
    let line = people.text();
    let line = line
        .lines()
        .find(|l| l.contains(&agent))
        .expect("the agent");
    assert!(line.contains(",yes,"), "{line}");
    for (kind, query) in [
        ("numbers", "&register=NADIE"),
        ("complaints", "&lang=fr"),
        ("complaints", "&from=ayer"),
    ] {
        let reply = app.get(&path(kind, query)).token(&token).send().await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
    }
    let told = app
        .store
        .events_about(&[format!("client:{}", own.client)])
        .await;
    let told = told.expect("events").into_iter();
    let taken = told.filter(|e| e.event.data["action"] == "register.exported");
    assert_eq!(taken.count(), 2, "who took each is told");
}

#[tokio::test]
async fn preferences_are_checked() {
    let app = App::start().await;
    let token = app.token("supervisor").await;
    let debtor = app.world.norte.debtor;
    for (body, field) in [
        (
            json!({"kind": "only_between", "from": "20:00", "to": "16:00"}),
            "to",
        ),
        (json!({"kind": "only_between"}), "to"),
        (json!({"kind": "not_channel"}), "channel"),
        (json!({"kind": "not_point"}), "point_id"),
        (json!({"kind": "elderly", "from": "09:00"}), "from"),
        (json!({"kind": "minor", "days": ["lunes"]}), "days"),
    ] {
        let mut body = body;
        body["debtor_id"] = json!(debtor);
        body["proof"] = json!("call 7");
        let reply = app.post("/api/v1/preferences").token(&token).json(&body);
        let reply = reply.send().await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(reply.json()["errors"][0]["path"], field, "{body}");
    }
    let good = json!({"debtor_id": debtor, "kind": "only_between", "from": "16:00",
        "to": "24:00", "days": ["mon"], "proof": "call 7"});
    let made = app.post("/api/v1/preferences").token(&token).json(&good);
    let made = made.send().await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/preferences/{id}/revoke");
    let gone = app.post(&path).token(&token).send().await.json();
    assert!(gone["revoked_at"].is_string());
}

#[tokio::test]
async fn a_campaign_is_drafted_published_and_rolled_back() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let id = app.world.norte.campaign;
    let change = json!({"params": {"weight": 40}});
    let path = format!("/api/v1/campaigns/{id}");
    let before = app.ask("PATCH", &path).token(&token).json(&change);
    let before = before.send().await.json();
    let draft = json!({"params": {"weight": 90}, "note": "more of it"});
    let made = app.post(&format!("{path}/versions")).token(&token);
    let made = made.json(&draft).send().await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let version = made.json()["id"].as_str().expect("an id").to_owned();
    let now = app.get(&path).token(&token).send().await.json();
    assert_eq!(now["params"]["weight"], 40, "a draft changes nothing");
    let publish = format!("/api/v1/campaign-versions/{version}/publish");
    let out = app.post(&publish).token(&token).send().await;
    assert_eq!(out.status, StatusCode::OK, "{}", out.text());
    let again = app.post(&publish).token(&token).send().await;
    assert_eq!(again.code(), "wrong_state");
    let now = app.get(&path).token(&token).send().await.json();
    assert_eq!(now["params"]["weight"], 90);
    let back = json!({"version": before["version"], "note": "too much"});
    let rolled = app.post(&format!("{path}/rollback")).token(&token);
    let rolled = rolled.json(&back).send().await;
    assert_eq!(rolled.status, StatusCode::OK, "{}", rolled.text());
    assert_eq!(rolled.json()["restores"], before["version"]);
    let now = app.get(&path).token(&token).send().await.json();
    assert_eq!(now["params"]["weight"], 40);
    let copy = app.post(&format!("{path}/copy")).token(&token);
    let copy = copy.json(&json!({"name": "Copia"})).send().await;
    assert_eq!(copy.status, StatusCode::CREATED);
    assert_eq!(copy.json()["status"], "draft");
    assert_eq!(copy.json()["params"]["weight"], 40);
}

#[tokio::test]
async fn reasons_of_a_campaign_add_up() {
    let app = App::start().await;
    let token = app.token("supervisor").await;
    let id = app.world.norte.campaign;
    let path = format!("/api/v1/campaigns/{id}/why-not");
    let why = app.get(&path).token(&token).send().await;
    assert_eq!(why.status, StatusCode::OK, "{}", why.text());
    let why = why.json();
    let reasons = why["reasons"].as_array().expect("reasons");
    let sum: u64 = reasons.iter().filter_map(|r| r["debtors"].as_u64()).sum();
    assert_eq!(Some(sum), why["debtors"].as_u64());
    assert_eq!(why["unexplained"], 0);
    for reason in reasons {
        let key = reason["key"].as_str().expect("a key");
        let rows = app.get(&format!("{path}/debtors?reason={key}"));
        let rows = rows.token(&token).send().await.json();
        let rows = rows["items"].as_array().expect("rows").len() as u64;
        assert_eq!(Some(rows), reason["debtors"].as_u64(), "{key}");
    }
    let odd = app.get(&format!("{path}/debtors?reason=somewhere"));
    let odd = odd.token(&token).send().await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn what_is_taken_back_says_why_in_the_audit() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let lift = format!("/api/v1/suppressions/{}/lift", own.suppression);
    for wrong in [json!({"why": "x"}), json!({"reason": " "})] {
        let reply = app.post(&lift).token(&token).json(&wrong).send().await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    let why = json!({"reason": "folio 12"});
    let reply = app.post(&lift).token(&token).json(&why).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    // No reason has to be given.
    let revoke = format!("/api/v1/preferences/{}/revoke", own.preference);
    let reply = app.post(&revoke).token(&token).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let admin = app.token("admin").await;
    let audit = app.get("/api/v1/audit?limit=500").token(&admin);
    let audit = audit.send().await.json();
    let rows = audit["items"].as_array().expect("rows");
    let of = |action: &str| rows.iter().find(|r| r["data"]["action"] == action);
    let lifted = of("suppression.lifted").expect("told");
    assert_eq!(lifted["data"]["reason"], "folio 12");
    let revoked = of("preference.revoked").expect("told");
    assert!(revoked["data"].get("reason").is_none());
}

#[tokio::test]
async fn complaints_come_by_urgency_page_by_page() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    for (number, deadline) in [
        ("U1", "2027-03-01"),
        ("U2", "2020-01-01"),
        ("U3", "2027-01-01"),
    ] {
        let body = json!({"debtor_id": own.debtor, "authority": "Sernac", "number": number,
            "deadline": deadline, "summary": "llamadas"});
        let made = app.post("/api/v1/complaints").token(&token).json(&body);
        assert_eq!(made.send().await.status, StatusCode::CREATED);
    }
    let (mut numbers, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!(
            "/api/v1/complaints/urgent?client={}&authority=SERNAC&today=2026-11-26&limit=1{cursor}",
            own.client
        );
        let page = app.get(&path).token(&token).send().await.json();
        assert_eq!(page["late"], 1, "{page}");
        let row = &page["items"][0];
        numbers.push(row["number"].as_str().expect("a number").to_owned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(numbers, ["U2", "U3", "U1"]);
    for bad in ["cursor=x", "today=tomorrow"] {
        let path = format!("/api/v1/complaints/urgent?{bad}");
        let refused = app.get(&path).token(&token).send().await;
        assert!(
            refused.status.is_client_error(),
            "{bad}: {}",
            refused.text()
        );
    }
}

/// A mobile has two forms and is listed in both; lifted, none of them is left.
#[tokio::test]
async fn a_number_is_listed_and_lifted_in_every_form() {
    let app = App::start().await;
    let token = app.token("admin").await;
    let body = json!({"kind": "phone", "value": "+525512340077", "reason": "request"});
    let made = app.post("/api/v1/suppressions").token(&token).json(&body);
    let made = made.send().await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let standing = async || {
        let all = app.get("/api/v1/suppressions?limit=500").token(&token);
        let all = all.send().await.json();
        let rows = all["items"].as_array().expect("rows").clone();
        let mut found: Vec<String> = rows
            .iter()
            .filter(|r| r["lifted_at"].is_null())
            .filter_map(|r| r["value"].as_str().map(str::to_owned))
            .filter(|value| value.ends_with("5512340077"))
            .collect();
        found.sort_unstable();
        found
    };
    assert_eq!(standing().await, ["+5215512340077", "+525512340077"]);
    let path = format!("/api/v1/suppressions/{id}/lift");
    for _ in 0..2 {
        let lifted = app.post(&path).token(&token).send().await;
        assert_eq!(lifted.status, StatusCode::OK, "{}", lifted.text());
        assert_eq!(standing().await, Vec::<String>::new());
    }
}
