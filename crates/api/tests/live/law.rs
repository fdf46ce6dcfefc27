//! A pack on trial over HTTP with the real rule book.

use crate::floor::Floor;
use axum::http::StatusCode;
use domain::law::EMBEDDED_PACKS;
use serde_json::{Value, json};
use std::time::Duration;

/// Looks at a run before it is given up: seconds, where it takes parts of one.
const LOOKS: u32 = 200;

fn shipped(id: &str) -> String {
    let name = format!("{id}.json");
    let found = EMBEDDED_PACKS.iter().find(|(n, _)| *n == name);
    found.expect("is shipped").1.to_owned()
}

async fn ended(floor: &Floor, token: &str, id: &str) -> Value {
    for _ in 0..LOOKS {
        let (status, job) = floor.get(token, &format!("/rulepacks/dry-run/{id}")).await;
        assert_eq!(status, StatusCode::OK, "{job}");
        if job["state"] != "running" {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the run does not end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pack_on_trial_is_a_run_with_progress_and_an_end() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let path = "/rulepacks/dry-run";
    let faulty = shipped("mx-condusef").replace("\"windows\"", "\"windoes\"");
    let (status, refused) = floor.post(&marta, path, json!({"pack": faulty})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.to_string().contains("windoes"), "{refused}");
    let (status, refused) = floor
        .post(&marta, path, json!({"pack": shipped("pe"), "days": 0}))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");

    let next = shipped("mx-condusef").replacen("\"version\": \"", "\"version\": \"next-", 1);
    let (status, begun) = floor.post(&marta, path, json!({"pack": next})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{begun}");
    let id = begun["run_id"].as_str().expect("a run");
    let job = ended(&floor, &marta, id).await;
    assert_eq!(job["state"], "done", "{job}");
    let result = &job["result"];
    assert_eq!(
        (&result["pack"], &result["every"]),
        (&json!("mx-condusef"), &json!(1))
    );
    assert!(
        result["version"]
            .as_str()
            .expect("one")
            .starts_with("next-")
    );
    assert_eq!(result["all"], result["acts"]);
    assert_eq!(job["done"], job["all"]);
    let nobodys = format!("{path}/{}", uuid::Uuid::nil());
    let (status, _) = floor.get(&marta, &nobodys).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn presumptions_are_those_of_the_packs() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let (status, known) = floor.get(&marta, "/rulepacks/presumptions").await;
    assert_eq!(status, StatusCode::OK);
    let rules = [
        "us-federal/reg_f_7in7",
        "us-federal/reg_f_after_conversation",
    ];
    assert_eq!(known["items"], json!(rules));
}
