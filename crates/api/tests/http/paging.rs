//! Lists by cursor.

use crate::app::{App, START};
use domain::entity::{Import, ImportState};
use domain::ids::{DebtId, DebtorId, ImportId, PersonId, PointId};
use domain::ports::store::{CatalogStore as _, DebtorRow, ImportStore as _, PortfolioStore as _};
use serde_json::{Value, json};
use sim::contract::imports::file_of;

#[tokio::test]
async fn pages_join_to_the_whole() {
    let app = App::start().await;
    let token = app.token("manager").await;
    for at in 0..7 {
        let body = json!({"name": format!("Equipo {at}")});
        app.post("/api/v1/teams")
            .token(&token)
            .json(&body)
            .send()
            .await;
    }
    let whole = app
        .get("/api/v1/teams?limit=500")
        .token(&token)
        .send()
        .await
        .json();
    assert_eq!(whole["next_cursor"], Value::Null);
    let whole = whole["items"].as_array().expect("a list").clone();
    assert_eq!(whole.len(), 8);
    let (mut got, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let path = format!("/api/v1/teams?limit=3{cursor}");
        let page = app.get(&path).token(&token).send().await.json();
        got.extend(page["items"].as_array().expect("a list").clone());
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((pages, got), (3, whole));
}

#[tokio::test]
async fn filters_narrow() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let (norte, sur) = (&app.world.norte, &app.world.sur);
    for (path, expected) in [
        (
            format!("/debts?client={}", norte.client),
            norte.debt.to_string(),
        ),
        (
            format!("/points?debtor={}", sur.debtor),
            sur.point.to_string(),
        ),
        (
            format!("/payments?debt={}", sur.debt),
            sur.payment.to_string(),
        ),
        (
            format!("/attempts?campaign={}", norte.campaign),
            norte.attempt.to_string(),
        ),
        (
            format!("/recordings?attempt={}", sur.attempt),
            sur.recording.to_string(),
        ),
        (
            format!("/debtors?portfolio={}", sur.portfolio),
            sur.debtor.to_string(),
        ),
        ("/debtors?q=D-1".to_owned(), norte.debtor.to_string()),
        (
            "/debtors?q=%2B525512345672".to_owned(),
            sur.debtor.to_string(),
        ),
        ("/debtors?q=PEIN800101".to_owned(), norte.debtor.to_string()),
    ] {
        let page = app
            .get(&format!("/api/v1{path}"))
            .token(&token)
            .send()
            .await
            .json();
        let ids: Vec<&Value> = page["items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|r| &r["id"])
            .collect();
        assert_eq!(ids, [&json!(expected)], "{path}");
    }
    let none = app
        .get("/api/v1/debtors?q=D-3")
        .token(&token)
        .send()
        .await
        .json();
    assert_eq!(none["items"], json!([]));
    let since = app
        .get("/api/v1/attempts?since=2026-11-24T00:00:00Z")
        .token(&token)
        .send()
        .await;
    assert_eq!(since.json()["items"], json!([]));
}

#[tokio::test]
async fn lists_mask_what_files_show() {
    let app = App::start().await;
    let token = app.token("supervisor").await;
    let page = app.get("/api/v1/debtors").token(&token).send().await;
    assert!(
        !page.text().contains("+5255") && !page.text().contains("PEIN"),
        "{}",
        page.text()
    );
    let page = page.json();
    let his = |l: &&Value| l["id"] == json!(app.world.norte.debtor);
    let line = page["items"]
        .as_array()
        .expect("a list")
        .iter()
        .find(his)
        .expect("his line");
    assert_eq!(line["document_masked"], "··01");
    assert_eq!(line["phones"][0]["masked"], "··71");
    let path = format!("/api/v1/debtors/{}", app.world.norte.debtor);
    let file = app.get(&path).token(&token).send().await.json();
    assert_eq!(file["debtor"]["document"], "PEIN800101");
    assert_eq!(file["points"][0]["value"], "+525512345671");
    for part in [
        "debts", "parties", "consents", "holds", "promises", "payments", "attempts",
    ] {
        assert_eq!(file[part].as_array().map(Vec::len), Some(1), "{part}");
    }
}

/// A debtor of another's kind with a debt, as a file brings him.
async fn brought(app: &App, import: ImportId) -> DebtorId {
    let own = &app.world.norte;
    let mut debtor = app.store.get_debtor(own.debtor).await.expect("debtor");
    let mut debt = app.store.get_debt(own.debt).await.expect("debt");
    let mut point = app.store.get_point(own.point).await.expect("point");
    debtor.id = DebtorId(uuid::Uuid::now_v7());
    debtor.person_id = PersonId(debtor.id.0);
    debtor.external_ref = "D-90".to_owned();
    debtor.document = "NUEV900101".into();
    debt.id = DebtId(uuid::Uuid::now_v7());
    debt.debtor_id = debtor.id;
    debt.external_ref = "L-90".to_owned();
    point.id = PointId(uuid::Uuid::now_v7());
    point.debtor_id = debtor.id;
    point.value = "+525512345690".into();
    let id = debtor.id;
    let row = DebtorRow {
        line: 2,
        debtor,
        debt,
        items: Vec::new(),
        parties: Vec::new(),
        points: vec![point],
        consents: Vec::new(),
        score: None,
        address: None,
    };
    let report = app.store.import_batch(import, &[row], false, &[]).await;
    assert_eq!(report.expect("written").debtors_new, 1);
    id
}

#[tokio::test]
async fn who_is_half_in_is_on_no_list() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let mut file = Import {
        bytes: 0,
        ..file_of((own.client, own.portfolio), START, ImportState::Accepting)
    };
    app.store.put_import(&file, &[]).await.expect("put");
    let fresh = brought(&app, file.id).await;
    let listed = async || {
        let path = format!("/api/v1/debtors?client={}&limit=500", own.client);
        let page = app.get(&path).token(&token).send().await.json();
        page["items"].as_array().expect("a list").clone()
    };
    let is_there = |rows: &[Value]| rows.iter().any(|r| r["id"] == json!(fresh));
    assert!(!is_there(&listed().await), "a file that is half in");
    file.state = ImportState::Accepted;
    app.store.put_import(&file, &[]).await.expect("put");
    let rows = listed().await;
    assert!(is_there(&rows));
    // Each with his own phones.
    for (debtor, masked) in [(fresh, "··90"), (own.debtor, "··71")] {
        let row = rows.iter().find(|r| r["id"] == json!(debtor));
        let phones = &row.expect("he is listed")["phones"];
        assert_eq!(phones[0]["masked"], masked, "{phones}");
        assert_eq!(phones.as_array().map(Vec::len), Some(1));
    }
}
