//! The sound of recordings: whole, by range, and every access in the audit.

use crate::app::App;
use axum::http::StatusCode;
use domain::entity::RecordingOutcome;
use domain::ports::store::CatalogStore;

#[tokio::test]
async fn whole_and_by_range() {
    let app = App::start().await;
    let token = app.token("supervisor").await;
    let path = format!("/api/v1/recordings/{}/audio", app.world.norte.recording);
    let whole = app.get(&path).token(&token).send().await;
    assert_eq!(whole.status, StatusCode::OK);
    assert_eq!(whole.header("content-type"), "audio/wav");
    assert_eq!(whole.header("accept-ranges"), "bytes");
    assert_eq!(whole.header("content-length"), "200000");
    assert_eq!(whole.body.len(), 200_000);
    for (range, from, to) in [
        ("bytes=0-0", 0, 0),
        ("bytes=70000-150000", 70_000, 150_000),
        ("bytes=199990-", 199_990, 199_999),
        ("bytes=-10", 199_990, 199_999),
        ("bytes=199990-999999", 199_990, 199_999),
    ] {
        let part = app
            .get(&path)
            .token(&token)
            .header("range", range)
            .send()
            .await;
        assert_eq!(part.status, StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(
            part.header("content-range"),
            format!("bytes {from}-{to}/200000")
        );
        assert_eq!(part.body, whole.body[from..=to], "{range}");
    }
    let beyond = app
        .get(&path)
        .token(&token)
        .header("range", "bytes=200000-")
        .send()
        .await;
    assert_eq!(
        (beyond.status, beyond.code()),
        (
            StatusCode::RANGE_NOT_SATISFIABLE,
            "range_not_satisfiable".into()
        )
    );

    let admin = app.token("admin").await;
    let audit = app
        .get("/api/v1/audit?limit=500")
        .token(&admin)
        .send()
        .await
        .json();
    let heard: Vec<_> = audit["items"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|e| e["data"]["action"] == "recording.heard")
        .collect();
    assert_eq!(heard.len(), 6, "each access that was answered");
    assert_eq!(
        heard[0]["subject"],
        format!("recording:{}", app.world.norte.recording)
    );
    assert!(
        heard[0]["actor"]
            .as_str()
            .is_some_and(|a| a.starts_with("user:"))
    );
}

#[tokio::test]
async fn what_is_not_there_or_not_done() {
    let app = App::start().await;
    let token = app.token("supervisor").await;
    let path = format!("/api/v1/recordings/{}/audio", app.world.norte.recording);
    let mut row = app
        .store
        .get_recording(app.world.norte.recording)
        .await
        .expect("a recording");
    row.outcome = RecordingOutcome::Open;
    app.store
        .put_recording(&row, &[])
        .await
        .expect("a recording");
    assert_eq!(
        app.get(&path).token(&token).send().await.code(),
        "wrong_state"
    );
    row.outcome = RecordingOutcome::Failed;
    app.store
        .put_recording(&row, &[])
        .await
        .expect("a recording");
    assert_eq!(
        app.get(&path).token(&token).send().await.code(),
        "not_found"
    );
    row.outcome = RecordingOutcome::Repaired;
    app.store
        .put_recording(&row, &[])
        .await
        .expect("a recording");
    assert_eq!(
        app.get(&path).token(&token).send().await.status,
        StatusCode::OK
    );
    app.files.0.lock().expect("lock").clear();
    assert_eq!(
        app.get(&path).token(&token).send().await.code(),
        "not_found"
    );
    let client = app.token("client").await;
    let sur = format!("/api/v1/recordings/{}/audio", app.world.sur.recording);
    assert_eq!(
        app.get(&sur).token(&client).send().await.code(),
        "not_found"
    );
}
