//! The archive of a debtor holds what the law asks of a house about him: both files of a merge, messages with their
//! hash and states, listings and consents that ended, numbers shown.

use crate::app::{App, START};
use crate::world::Own;
use axum::http::StatusCode;
use domain::entity::{
    Channel, Complaint, ComplaintState, MessageState, Preference, PreferenceKind,
};
use domain::ids::DebtorId;
use domain::ports::store::{CatalogStore as _, MessageStore as _, PAGE_LIMIT_MAX};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sim::contract::messages::waiting;
use sim::contract::scene::{Person, fresh};
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

type Files = BTreeMap<String, Vec<u8>>;

/// The files of a debtor's archive.
async fn archive(app: &App, token: &str, debtor: DebtorId) -> Files {
    let path = format!("/api/v1/debtors/{debtor}/evidence");
    let reply = app.get(&path).token(token).send().await;
    assert_eq!(reply.status, StatusCode::OK);
    let mut zip = zip::ZipArchive::new(Cursor::new(reply.body)).expect("an archive");
    let mut files = Files::new();
    for n in 0..zip.len() {
        let mut file = zip.by_index(n).expect("a file");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("whole");
        let name = file.name().expect("UTF-8").into_owned();
        files.insert(name, bytes);
    }
    files
}

fn rows(files: &Files, name: &str) -> Vec<Value> {
    let bytes = files.get(name).unwrap_or_else(|| panic!("no {name}"));
    serde_json::from_slice(bytes).expect("a list")
}

fn text(files: &Files, name: &str) -> String {
    String::from_utf8(files[name].clone()).expect("UTF-8")
}

/// Another file of the same person in the same portfolio.
async fn twin(app: &App, own: &Own) -> DebtorId {
    let mut debtor = app.store.get_debtor(own.debtor).await.expect("debtor");
    debtor.id = fresh();
    debtor.external_ref = "D-twin".into();
    app.store.put_debtor(&debtor, &[]).await.expect("twin");
    debtor.id
}

/// A message that left, arrived and was read.
async fn sent(app: &App, own: &Own) -> Value {
    let person = Person {
        debtor: app.store.get_debtor(own.debtor).await.expect("debtor"),
        debt: app.store.get_debt(own.debt).await.expect("debt"),
        point: app.store.get_point(own.point).await.expect("point"),
    };
    let mut message = waiting(&person, None);
    message.subject = "Su cuenta".into();
    message.body = "Le escribimos de Norte.".into();
    message.template_id = Some(fresh());
    message.template_version = 3;
    message.state = MessageState::Read;
    message.sent_at = Some(START);
    message.delivered_at = Some(START.plus_ms(1_000));
    message.read_at = Some(START.plus_ms(2_000));
    app.store
        .plan_messages(std::slice::from_ref(&message), &[])
        .await
        .expect("kept");
    json!(message)
}

/// His number is listed and lifted again, his consent taken back.
async fn ended(app: &App, token: &str, own: &Own) -> (Value, Value) {
    let point = app.store.get_point(own.point).await.expect("point");
    let body = json!({"kind": "phone", "value": point.value, "reason": "request", "client_id": own.client});
    let listed = app.post("/api/v1/suppressions").token(token).json(&body);
    let listed = listed.send().await;
    assert_eq!(listed.status, StatusCode::CREATED, "{}", listed.text());
    let id = listed.json()["id"].as_str().expect("an id").to_owned();
    app.pass_ms(60_000);
    let lift = app.post(&format!("/api/v1/suppressions/{id}/lift"));
    let lifted = lift.token(token).send().await.json();
    let revoke = app.post(&format!("/api/v1/consents/{}/revoke", own.consent));
    let revoked = revoke.token(token).send().await.json();
    (lifted, revoked)
}

/// Makes one of the twin and him; the merge.
async fn joined(app: &App, token: &str, (kept, gone): (DebtorId, DebtorId)) -> String {
    let merge = app
        .post(&format!("/api/v1/debtors/{kept}/merge"))
        .token(token)
        .json(&json!({"from": gone}));
    let merge = merge.send().await;
    assert_eq!(merge.status, StatusCode::CREATED, "{}", merge.text());
    merge.json()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn an_archive_holds_both_files_of_a_merge_and_of_one_that_was_undone() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = app.world.norte.clone();
    sent(&app, &own).await;
    let kept = twin(&app, &own).await;
    let merge = joined(&app, &token, (kept, own.debtor)).await;
    let files = archive(&app, &token, kept).await;
    let attempts = rows(&files, "attempts.json");
    assert_eq!(attempts.len(), 1, "made for the file that joined");
    assert_eq!(attempts[0]["id"], json!(own.attempt));
    assert_eq!(attempts[0]["debtor_id"], json!(own.debtor));
    assert_eq!(rows(&files, "decisions.json").len(), 1);
    assert!(!rows(&files, "ledger.json").is_empty());
    let recording = &rows(&files, "recordings.json")[0];
    assert_eq!(recording["sha256"], json!("00".repeat(32)));
    assert!(files.contains_key(&format!("recordings/{}.wav", own.recording)));
    assert_eq!(rows(&files, "merges.json")[0]["gone_id"], json!(own.debtor));
    let other = &rows(&files, "merged-files.json")[0];
    assert_eq!(other["id"], json!(own.debtor));
    let audit = text(&files, "audit.json");
    assert!(audit.contains("debtor.merged") && audit.contains("evidence.exported"));
    assert!(text(&files, "index.html").contains("D-twin"));
    manifest_is_true(&files);
    // Taken apart again: what was done with one of them is the person's, and stays in the archives of both.
    let undo = app.post(&format!("/api/v1/merges/{merge}/undo"));
    assert_eq!(undo.token(&token).send().await.status, StatusCode::OK);
    for debtor in [kept, own.debtor] {
        let files = archive(&app, &token, debtor).await;
        assert_eq!(rows(&files, "attempts.json").len(), 1, "{debtor}");
        assert_eq!(rows(&files, "messages.json").len(), 1, "{debtor}");
        assert!(rows(&files, "merges.json")[0]["undone_at"].is_string());
    }
    let sur = archive(&app, &token, app.world.sur.debtor).await;
    assert_eq!(rows(&sur, "merges.json"), Vec::<Value>::new());
    assert!(!text(&sur, "attempts.json").contains(&own.attempt.to_string()));
}

/// More rows than a page of any list.
const MANY: usize = PAGE_LIMIT_MAX as usize + 3;

#[tokio::test]
async fn an_archive_holds_more_than_a_page_of_anything() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = app.world.norte.clone();
    for n in 0..MANY {
        let complaint = Complaint {
            id: fresh(),
            client_id: own.client,
            debtor_id: own.debtor,
            authority: "REDECO".into(),
            number: format!("case-{n}"),
            received_at: START,
            deadline: "2026-12-31".into(),
            state: ComplaintState::Open,
            summary: "x".to_owned().into(),
            answer: None,
            answered_at: None,
            created_at: START,
        };
        let kept = app.store.put_complaint(&complaint, &[]).await;
        kept.expect("complaint");
        let wish = Preference {
            id: fresh(),
            debtor_id: own.debtor,
            kind: PreferenceKind::NotChannel,
            channel: Some(Channel::Push),
            point_id: None,
            days: Vec::new(),
            from: None,
            to: None,
            recorded_at: START,
            until: None,
            revoked_at: None,
            proof: format!("letter-{n}"),
        };
        let kept = app.store.put_preference(&wish, &[]).await;
        kept.expect("preference");
    }
    let files = archive(&app, &token, own.debtor).await;
    for name in ["complaints.json", "preferences.json"] {
        assert!(rows(&files, name).len() >= MANY, "{name}");
    }
}

#[tokio::test]
async fn an_archive_holds_messages_numbers_shown_and_what_ended() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = app.world.norte.clone();
    let message = sent(&app, &own).await;
    let (lifted, revoked) = ended(&app, &token, &own).await;
    let files = archive(&app, &token, own.debtor).await;
    let messages = rows(&files, "messages.json");
    assert_eq!(messages.len(), 1);
    let hash = hex::encode(Sha256::digest("Su cuenta\nLe escribimos de Norte."));
    assert_eq!(messages[0]["text_sha256"], json!(hash));
    for name in [
        "id",
        "template_id",
        "template_version",
        "state",
        "sent_at",
        "delivered_at",
        "read_at",
    ] {
        assert_eq!(messages[0][name], message[name], "{name}");
    }
    let listings = rows(&files, "do-not-call.json");
    let listing = listings.iter().find(|s| s["id"] == lifted["id"]);
    let listing = listing.expect("told");
    assert_eq!(listing["lifted_at"], lifted["lifted_at"]);
    assert!(listing["created_at"].as_str() < listing["lifted_at"].as_str());
    let consents = rows(&files, "consents.json");
    let consent = consents.iter().find(|c| c["id"] == json!(own.consent));
    assert_eq!(consent.expect("told")["revoked_at"], revoked["revoked_at"]);
    let shown = text(&files, "numbers-shown.csv");
    assert!(shown.contains("\n525550000011,1,"), "{shown}");
    let audit = text(&files, "audit.json");
    assert!(audit.contains("suppression.lifted") && audit.contains("consent.revoked"));
    let index = text(&files, "index.html");
    for part in [
        "+525512345671",
        lifted["lifted_at"].as_str().expect("at"),
        revoked["revoked_at"].as_str().expect("at"),
        hash.as_str(),
    ] {
        assert!(index.contains(part), "{part}");
    }
    assert!(files["index.pdf"].starts_with(b"%PDF-"));
    manifest_is_true(&files);
}

/// Every file is in the manifest with its hash.
fn manifest_is_true(files: &Files) {
    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).expect("JSON");
    assert_eq!(manifest["chain_whole"], json!(true));
    let told = manifest["files"].as_array().expect("files");
    assert_eq!(told.len(), files.len() - 1);
    for file in told {
        let name = file["file"].as_str().expect("a name");
        let hash = hex::encode(Sha256::digest(&files[name]));
        assert_eq!(file["sha256"], json!(hash), "{name}");
    }
}
