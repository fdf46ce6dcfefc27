//! Files on their way in, and other processes that want them.

use crate::floor::Floor;
use axum::http::StatusCode;
use domain::entity::ImportState;
use domain::ids::ImportId;
use domain::ports::store::{CatalogStore as _, ImportStore as _};
use domain::time::UtcMs;
use serde_json::{Value, json};

const FILE: &str = "Id deudor;Crédito;Nombre;País;Saldo;Vencimiento;Celular\n\
    1;A1;Ana Ruiz;MX;1234,50;23/10/2026;5500000001\n";

/// A file that waits for a decision.
async fn draft(floor: &Floor, token: &str) -> (String, ImportId) {
    draft_of(floor, token, FILE).await
}

async fn draft_of(floor: &Floor, token: &str, file: &str) -> (String, ImportId) {
    let (client, portfolio) = (floor.client, floor.portfolio);
    let path = format!("/api/v1/imports/drafts?client={client}&portfolio={portfolio}");
    let (status, view) = floor
        .call("POST", &path, Some(token), "text/csv", file.to_owned())
        .await;
    assert_eq!(status, StatusCode::CREATED, "{view}");
    let id = view["id"].as_str().expect("id").to_owned();
    let key = id.parse().expect("an id");
    (id, key)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_works_on_is_left_alone() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let (id, key) = draft(&floor, &marta).await;
    let now = UtcMs(i64::MAX / 2);
    let taken = floor.store.take_import(key, "the command line", now).await;
    assert!(taken.expect("taken"), "the server has given its turn back");
    for (what, body) in [("accept", json!({})), ("read", json!({}))] {
        let path = format!("/imports/{id}/{what}");
        let (status, refused) = floor.post(&marta, &path, body).await;
        assert_eq!(status, StatusCode::CONFLICT, "{what}: {refused}");
        assert_eq!(refused["code"], "import_running", "{what}");
    }
    let path = format!("/api/v1/imports/{id}");
    let (status, _) = floor
        .call(
            "DELETE",
            &path,
            Some(&marta),
            "application/json",
            String::new(),
        )
        .await;
    assert_eq!(status, StatusCode::CONFLICT, "nor is it thrown away");
    let left = floor.store.leave_import(key, "the command line").await;
    left.expect("left");
    let path = format!("/imports/{id}/accept");
    let (status, done) = floor.post(&marta, &path, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    let again = floor.store.take_import(key, "another", UtcMs(0)).await;
    assert!(again.expect("taken"), "the turn ended with the work");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_broke_off_keeps_its_placement() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let (id, key) = draft(&floor, &marta).await;
    let accept = format!("/imports/{id}/accept");
    let placed = |fee: i64| {
        let placement = json!({"placed_on": "2026-11-20", "fee_bp": fee});
        json!({ "placement": placement })
    };
    let (status, done) = floor.post(&marta, &accept, placed(1_000)).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    let first = done["placement_id"].clone();
    // As a server leaves it that dies before its last row.
    let mut row = floor.store.get_import(key).await.expect("file");
    (row.state, row.accepted_at) = (ImportState::Accepting, None);
    floor.store.put_import(&row, &[]).await.expect("broken off");
    let piece = base64_of(FILE);
    floor.store.add_piece(key, 0, &piece).await.expect("kept");
    let (_, hidden) = floor.get(&marta, "/debtors?q=1").await;
    assert_eq!(hidden["items"], json!([]), "half a file is seen by nobody");
    // Another file of the portfolio has to wait for it.
    let (other, _) = draft(&floor, &marta).await;
    let path = format!("/imports/{other}/accept");
    let (status, refused) = floor.post(&marta, &path, json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    assert_eq!(refused["code"], "half_import");
    let (status, done) = floor.post(&marta, &accept, placed(1_250)).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!(done["placement_id"], first);
    let (_, list) = floor.get(&marta, "/placements").await;
    let list: Vec<&Value> = list["items"].as_array().expect("a list").iter().collect();
    assert_eq!(list.len(), 1, "{list:?}");
    assert_eq!(
        (&list[0]["fee_bp"], &list[0]["debts"]),
        (&json!(1_250), &json!(1)),
        "on the terms of now"
    );
    let (_, seen) = floor.get(&marta, "/debtors?q=1").await;
    assert_eq!(seen["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_waits_for_another_that_is_being_written() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let (_, key) = draft(&floor, &marta).await;
    // Another server writes it.
    let now = UtcMs(i64::MAX / 2);
    let taken = floor.store.take_import(key, "another server", now).await;
    assert!(taken.expect("taken"));
    let mut row = floor.store.get_import(key).await.expect("file");
    row.state = ImportState::Accepting;
    floor
        .store
        .put_import(&row, &[])
        .await
        .expect("in its work");
    let (client, portfolio) = (floor.client, floor.portfolio);
    let path = format!("/api/v1/imports?client={client}&portfolio={portfolio}");
    let file = FILE.replace("1;A1", "2;A2").replace("001\n", "002\n");
    let second = floor.call("POST", &path, Some(&marta), "text/csv", file);
    let first = async {
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        (row.state, row.accepted_at) = (ImportState::Accepted, Some(row.at));
        floor.store.put_import(&row, &[]).await.expect("in");
        let left = floor.store.leave_import(key, "another server").await;
        left.expect("left");
    };
    let ((status, done), ()) = tokio::join!(second, first);
    assert!(status.is_success(), "{status}: {done}");
    let (_, seen) = floor.get(&marta, "/debtors?q=2").await;
    assert_eq!(seen["items"].as_array().map(Vec::len), Some(1), "{seen}");
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_goes_on_with_what_broke_off() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let (id, key) = draft(&floor, &marta).await;
    let view = async || floor.get(&marta, &format!("/imports/{id}")).await.1;
    assert_eq!(
        view().await["broke_off"],
        Value::Null,
        "it waits for a decision"
    );
    // As a server leaves it that dies before it has written anything.
    let mut row = floor.store.get_import(key).await.expect("file");
    row.state = ImportState::Accepting;
    floor.store.put_import(&row, &[]).await.expect("broken off");
    let told = view().await;
    let next = json!(["accept", "undo"]);
    let how = json!({"rows_done": 0, "waiting": 0, "shown": 0, "next": next});
    assert_eq!(told["broke_off"], how, "{told}");
    // Another server works on it.
    let now = UtcMs(i64::MAX / 2);
    let taken = floor.store.take_import(key, "another server", now).await;
    assert!(taken.expect("taken"));
    assert_eq!(view().await["broke_off"], Value::Null);
    assert_eq!(floor.state.resume_imports().await, 0, "it is another's");
    assert_eq!(view().await["state"], "accepting");
    let left = floor.store.leave_import(key, "another server").await;
    left.expect("it has died");
    assert_eq!(floor.state.resume_imports().await, 1);
    let told = view().await;
    assert_eq!(
        (&told["state"], &told["broke_off"]),
        (&json!("accepted"), &Value::Null)
    );
    assert_eq!(told["report"]["debtors_new"], 1);
    let (_, seen) = floor.get(&marta, "/debtors?q=1").await;
    assert_eq!(seen["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        floor.state.resume_imports().await,
        0,
        "nothing is left to do"
    );
}

/// One person under two keys.
const TWICE: &str = "Id deudor;Crédito;Nombre;Documento;País;Saldo;Vencimiento;Celular\n\
    1;A1;Ana Ruiz;RUIA800101AB1;MX;1234,50;23/10/2026;5500000001\n\
    2;A2;Ana Ruiz;RUIA800101AB1;MX;99,50;23/10/2026;5500000002\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_on_merges_as_it_was_asked_to() {
    // Before it had written anything, and after its last row.
    for written in [false, true] {
        let floor = Floor::open().await;
        let marta = floor.sign_in("marta").await;
        let (id, key) = draft_of(&floor, &marta, TWICE).await;
        if written {
            let path = format!("/imports/{id}/accept");
            let (status, done) = floor.post(&marta, &path, json!({})).await;
            assert_eq!(status, StatusCode::OK, "{done}");
            assert_eq!(done["report"]["merged"], 0, "{done}");
        }
        let mut row = floor.store.get_import(key).await.expect("file");
        row.merges = true;
        if !written {
            row.state = ImportState::Accepting;
        }
        floor.store.put_import(&row, &[]).await.expect("broken off");
        assert_eq!(floor.state.resume_imports().await, 1, "{written}");
        let row = floor.store.get_import(key).await.expect("file");
        assert_eq!(row.state, ImportState::Accepted);
        assert_eq!((row.report.merged, row.merges), (1, false), "{written}");
        let found = floor.store.duplicates(floor.portfolio, None, 10).await;
        assert_eq!(found.expect("asked"), [], "{written}");
        assert_eq!(floor.state.resume_imports().await, 0, "{written}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_accepts_what_broke_off_need_not_say_again_that_it_merges() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let (id, key) = draft_of(&floor, &marta, TWICE).await;
    let mut row = floor.store.get_import(key).await.expect("file");
    (row.state, row.merges) = (ImportState::Accepting, true);
    floor.store.put_import(&row, &[]).await.expect("broken off");
    let path = format!("/imports/{id}/accept");
    let (status, done) = floor.post(&marta, &path, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!(done["report"]["merged"], 1, "{done}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recall_that_is_repeated_changes_nothing_and_is_told_once() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    let (id, _) = draft(&floor, &marta).await;
    let placement = json!({"placed_on": "2026-11-20", "fee_bp": 1_000});
    let path = format!("/imports/{id}/accept");
    let (status, done) = floor
        .post(&marta, &path, json!({ "placement": placement }))
        .await;
    assert_eq!(status, StatusCode::OK, "{done}");
    let of = done["placement_id"].as_str().expect("a placement");
    let path = format!("/placements/{of}/recall");
    let (status, first) = floor.post(&marta, &path, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{first}");
    assert_eq!((&first["debts"], &first["open"]), (&json!(1), &json!(0)));
    assert!(first["recalled_at"].is_string(), "{first}");
    let (status, again) = floor.post(&marta, &path, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{again}");
    assert_eq!(again, first);
    let events = floor.store.events_after(0, 500).await.expect("events");
    let told = events
        .iter()
        .filter(|e| e.event.kind == "placement.recalled");
    assert_eq!(told.count(), 1);
}
