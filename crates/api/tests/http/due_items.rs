//! Due items of a debt, seen from outside.

use crate::app::{App, Reply};
use serde_json::{Value, json};

async fn send(app: &App, method: &str, token: &str, path: &str, body: &Value) -> Reply {
    app.ask(method, path).token(token).json(body).send().await
}

fn item(reference: &str, due_date: &str, amount_minor: i64) -> Value {
    json!({"reference": reference, "due_date": due_date, "amount_minor": amount_minor})
}

/// Of the 900.00 of principal of the world's debt.
fn list() -> Value {
    json!({"items": [item("F-2", "2026-10-10", 30_000), item("F-1", "2026-09-10", 30_000),
        item("F-3", "2026-12-10", 30_000)]})
}

/// What is open of each item, with the age of the debt.
fn open(file: &Value) -> (Vec<i64>, &str, &str) {
    let items = file["items"].as_array().expect("items");
    let open = items
        .iter()
        .map(|i| i["open_minor"].as_i64().expect("open"));
    let due = file["debts"][0]["due_date"].as_str().expect("a day");
    let bucket = file["ageing"][0]["bucket"].as_str().expect("a bucket");
    (open.collect(), due, bucket)
}

#[tokio::test]
async fn a_debt_is_as_old_as_its_oldest_unpaid_item_row_01() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let path = format!("/api/v1/debts/{}/items", own.debt);
    let set = send(&app, "PUT", &token, &path, &list()).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let set = set.json();
    assert_eq!(set["due_date"], "2026-09-10");
    assert_eq!(set["items"][0]["reference"], "F-1", "oldest first");
    let shown = app.file(&token).await;
    assert_eq!(open(&shown), (vec![30_000; 3], "2026-09-10", "b61_90"));

    let pay = json!({"debtor_id": own.debtor, "debt_id": own.debt, "reference": "R-1",
        "channel": "transfer", "paid_at": "2026-11-23T15:00:00.000Z",
        "amount": {"amount_minor": 45_000, "currency": "MXN"}});
    let paid = send(&app, "POST", &token, "/api/v1/payments", &pay).await;
    assert!(paid.status.is_success(), "{}", paid.text());
    let shown = app.file(&token).await;
    // 100.00 of it went to fees and interest.
    assert_eq!(
        open(&shown),
        (vec![0, 25_000, 30_000], "2026-10-10", "b31_60")
    );
    let again = send(&app, "PUT", &token, &path, &list()).await;
    assert_eq!(again.status, 200, "the same list again: {}", again.text());

    let id = paid.json()["payment"]["id"].as_str().map(str::to_owned);
    let back = format!("/api/v1/payments/{}/reverse", id.expect("a payment"));
    let reason = json!({"reference": "B-1", "reason": "returned"});
    let taken = send(&app, "POST", &token, &back, &reason).await;
    assert!(taken.status.is_success(), "{}", taken.text());
    let shown = app.file(&token).await;
    assert_eq!(open(&shown), (vec![30_000; 3], "2026-09-10", "b61_90"));
    let read = app.get(&path).token(&token).send().await.json();
    assert_eq!(read["items"], shown["items"]);
    let none = send(&app, "PUT", &token, &path, &json!({"items": []})).await;
    assert_eq!(none.json()["items"], json!([]));
    assert_eq!(app.file(&token).await["items"], json!([]));
}

#[tokio::test]
async fn a_list_that_is_not_of_the_debt_is_refused() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let path = format!("/api/v1/debts/{}/items", app.world.norte.debt);
    let before = app.file(&token).await;
    let short = json!({"items": [item("F-1", "2026-09-10", 60_000)]});
    let refused = send(&app, "PUT", &token, &path, &short).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (422, "items_sum".to_owned())
    );
    let body = refused.json();
    assert_eq!(body["errors"][0]["path"], "items");
    assert_eq!(
        (&body["sum_minor"], &body["owed_minor"]),
        (&json!(60_000), &json!(90_000))
    );
    let many: Vec<Value> = (0..121)
        .map(|n| item(&format!("F-{n}"), "2026-09-10", 1))
        .collect();
    for (items, at) in [
        (
            json!([
                item("F-1", "2026-09-10", 90_000),
                item("F-2", "2026-10-10", 0)
            ]),
            "items[1].amount_minor",
        ),
        (
            json!([item("F-1", "2026-09-10", -1)]),
            "items[0].amount_minor",
        ),
        (
            json!([item("F-1", "2026-09-10", 1), item("F-1", "2026-10-10", 1)]),
            "items[1].reference",
        ),
        (json!([item(" ", "2026-09-10", 1)]), "items[0].reference"),
        (json!([item("F-1", "2026-02-30", 1)]), "items[0].due_date"),
        (json!(many), "items"),
    ] {
        let refused = send(&app, "PUT", &token, &path, &json!({"items": items})).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert_eq!(refused.json()["errors"][0]["path"], at);
    }
    let mut after = app.file(&token).await;
    assert_eq!(after["debts"], before["debts"], "nothing is written");
    assert_eq!(after["items"].take(), json!([]));
}
