//! Care for recordings: legal holds, what is deleted, what was changed.

use crate::app::App;
use axum::http::StatusCode;
use domain::entity::{RecordingKeep, RecordingPlace};
use domain::ports::store::{CatalogStore as _, KeepChange, KeepStore as _};
use domain::time::UtcMs;
use serde_json::json;

async fn sealed(app: &App) -> RecordingKeep {
    let id = app.world.norte.recording;
    let row = app.store.get_recording(id).await.expect("a recording");
    let keep = RecordingKeep {
        id,
        client_id: row.client_id,
        attempt_id: row.attempt_id,
        node: "node-1".into(),
        place: RecordingPlace::Local,
        stored_sha256: "ab".repeat(32),
        stored_bytes: 1,
        class: None,
        delete_after: None,
        held_at: None,
        held_by: None,
        hold_reason: None,
        tries: 0,
        next_try_at: UtcMs(0),
        kept_at: UtcMs(0),
        deleted_at: None,
    };
    app.store.add_keep(&keep).await.expect("in care");
    keep
}

#[tokio::test]
async fn a_hold_has_a_reason_and_is_audited() {
    let app = App::start().await;
    let manager = app.token("manager").await;
    let path = format!("/api/v1/recordings/{}", app.world.norte.recording);
    let post = async |step: &str, body: serde_json::Value| {
        let ask = app.post(&format!("{path}/{step}")).token(&manager);
        ask.json(&body).send().await
    };
    let early = post("hold", json!({"reason": "oficio"})).await;
    assert_eq!(early.code(), "wrong_state", "not sealed yet");
    sealed(&app).await;
    let plain = app.get(&path).token(&manager).send().await.json();
    assert_eq!(plain["keep"]["place"], "local");
    assert!(plain["keep"]["held_at"].is_null());
    for bad in [json!({}), json!({"reason": " "}), json!({"reason": "a\nb"})] {
        let refused = post("hold", bad.clone()).await;
        assert!(refused.status.is_client_error(), "{bad}");
    }
    assert_eq!(
        post("release", json!({"reason": "x"})).await.code(),
        "not_held"
    );
    let held = post("hold", json!({"reason": "oficio 12/2026"}))
        .await
        .json();
    assert_eq!(held["keep"]["hold_reason"], "oficio 12/2026");
    assert!(held["keep"]["held_at"].is_string());
    let listed = app.get("/api/v1/recordings").token(&manager).send().await;
    let listed = listed.json();
    let mine = listed["items"].as_array().expect("a list");
    let mine = mine.iter().find(|r| r["id"] == held["id"]).expect("there");
    assert_eq!(mine["keep"]["hold_reason"], "oficio 12/2026");
    let free = post("release", json!({"reason": "caso cerrado"}))
        .await
        .json();
    assert!(free["keep"]["held_at"].is_null());

    let admin = app.token("admin").await;
    let audit = app
        .get("/api/v1/audit?limit=500")
        .token(&admin)
        .send()
        .await;
    let audit = audit.json();
    let said = |action: &str| {
        let rows = audit["items"].as_array().expect("a list");
        let found = rows.iter().find(|e| e["data"]["action"] == action);
        found.map(|e| e["data"]["reason"].clone())
    };
    assert_eq!(said("recording.held"), Some(json!("oficio 12/2026")));
    assert_eq!(said("recording.released"), Some(json!("caso cerrado")));
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_cannot_be_held() {
    let app = App::start().await;
    let manager = app.token("manager").await;
    let keep = sealed(&app).await;
    let path = format!("/api/v1/recordings/{}", keep.id);
    let at = UtcMs(5);
    for step in [
        KeepChange::Planned {
            class: domain::entity::RetentionClass::Call,
            delete_after: at,
        },
        KeepChange::Deleting { at },
        KeepChange::Deleted { at },
    ] {
        assert!(
            app.store
                .change_keep(keep.id, &step, &[])
                .await
                .expect("step")
        );
    }
    let audio = format!("{path}/audio");
    let gone = app.get(&audio).token(&manager).send().await;
    assert_eq!(
        (gone.status, gone.code()),
        (StatusCode::GONE, "recording_deleted".into())
    );
    let body = json!({"reason": "tarde"});
    let late = app.post(&format!("{path}/hold")).token(&manager);
    assert_eq!(late.json(&body).send().await.code(), "recording_deleted");
    let row = app.get(&path).token(&manager).send().await.json();
    assert_eq!(row["keep"]["place"], "deleted");
}

#[tokio::test]
async fn a_download_is_a_file_and_said_so() {
    let app = App::start().await;
    let token = app.token("supervisor").await;
    let path = format!("/api/v1/recordings/{}/audio", app.world.norte.recording);
    let file = app.get(&format!("{path}?download=true")).token(&token);
    let file = file.send().await;
    assert_eq!(file.status, StatusCode::OK);
    assert!(
        file.header("content-disposition")
            .starts_with("attachment;")
    );
    let heard = app.get(&path).token(&token).send().await;
    assert!(heard.header("content-disposition").starts_with("inline;"));
    let admin = app.token("admin").await;
    let audit = app
        .get("/api/v1/audit?limit=500")
        .token(&admin)
        .send()
        .await;
    let audit = audit.json();
    let count = |action: &str| {
        let rows = audit["items"].as_array().expect("a list");
        rows.iter()
            .filter(|e| e["data"]["action"] == action)
            .count()
    };
    assert_eq!(
        (count("recording.downloaded"), count("recording.heard")),
        (1, 1)
    );
}
