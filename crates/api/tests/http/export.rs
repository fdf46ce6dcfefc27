//! The export of attempts.

use crate::app::App;
use axum::http::StatusCode;
use serde_json::{Value, json};

const HEADER: &str = "attempt_id,client,campaign,debtor_id,debt_id,point,trunk,caller_id,node,opened_at,invite_at,ringing_at,answered_at,popped_at,bridged_at,ended_at,result,sip_code,q850,disposition,agent,recording_id,verdict_id,pack,pack_version";

#[tokio::test]
async fn csv_has_the_contracts_columns_and_no_formula() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let reply = app
        .get("/api/v1/export/attempts?format=csv")
        .token(&token)
        .send()
        .await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
    let text = reply.text();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 4, "header, two rows, the end: {text}");
    assert_eq!(lines[0], HEADER);
    let own = &app.world.norte;
    let row = format!(
        "{},Norte,'=Campaña 1,{},{},525512345671,carrier,525550000011,before,2026-11-23T15:00:00.000Z,\
         2026-11-23T15:00:00.010Z,2026-11-23T15:00:00.900Z,2026-11-23T15:00:06.000Z,2026-11-23T15:00:06.003Z,\
         2026-11-23T15:00:06.020Z,2026-11-23T15:00:12.268Z,human,200,16,CD.PP,Ana,{},{},,",
        own.attempt, own.debtor, own.debt, own.recording, own.verdict
    );
    assert!(lines.contains(&row.as_str()), "{text}\n{row}");
    for line in &lines {
        for cell in line.split(',') {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t']), "{cell}");
        }
    }
}

#[tokio::test]
async fn json_lines_narrowed_and_written_to_the_audit() {
    let app = App::start().await;
    let token = app.token("client").await;
    let path = "/api/v1/export/attempts?format=jsonl";
    let reply = app.get(path).token(&token).send().await;
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    let text = reply.text();
    let rows: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .collect();
    assert_eq!(rows.len(), 1, "his client's only");
    assert_eq!(rows[0]["attempt_id"], json!(app.world.norte.attempt));
    assert_eq!(rows[0]["point"], "+525512345671");
    let names: Vec<&String> = rows[0].as_object().expect("an object").keys().collect();
    assert_eq!(names, HEADER.split(',').collect::<Vec<_>>());
    let other = format!("{path}&campaign={}", app.world.sur.campaign);
    assert_eq!(
        app.get(&other).token(&token).send().await.code(),
        "not_found"
    );
    let later = format!("{path}&since=2026-11-24T00:00:00Z");
    assert_eq!(app.get(&later).token(&token).send().await.text(), "");
    let admin = app.token("admin").await;
    let audit = app
        .get("/api/v1/audit?limit=500")
        .token(&admin)
        .send()
        .await
        .text();
    assert!(audit.contains("attempts.exported"));
}
