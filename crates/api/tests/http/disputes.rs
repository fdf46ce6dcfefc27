//! Money that disputes of payers' banks take and give, in any order, and what plain refunds have to do with it.

use crate::app::App;
use crate::pay::{app, link, owed, word};
use domain::ports::store::ReceiptStore as _;
use serde_json::{Value, json};

/// One word of the provider, twice: it counts once.
async fn says(app: &App, what: &str, money: &str, minor: i64, more: Value) {
    let mut body = json!({"id": format!("{what}-{money}-{minor}"), "what": what, "money": money,
        "minor": minor, "dispute": "dp_1"});
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    for _ in 0..2 {
        assert_eq!(word(app, "good", &body).await.status, 200, "{body}");
    }
}

#[tokio::test]
async fn a_dispute_takes_money_once_and_a_won_one_gives_it_back_row_23() {
    let (app, _) = app().await;
    let (made, _) = link(&app).await;
    let none = json!({});
    says(&app, "paid", "pi_1", 30_000, json!({"link": made["id"]})).await;
    assert_eq!(owed(&app).await, 70_000);
    says(&app, "disputed", "pi_1", 30_000, none.clone()).await;
    assert_eq!(owed(&app).await, 70_000, "opened: nothing has moved");
    says(&app, "refunded", "pi_1", 10_000, none.clone()).await;
    assert_eq!(owed(&app).await, 80_000);
    says(&app, "withdrawn", "pi_1", 15_000, none.clone()).await;
    assert_eq!(owed(&app).await, 95_000);
    // A second event about the same dispute's money is no second taking.
    let twice = json!({"id": "again", "what": "withdrawn", "money": "pi_1", "minor": 15_000,
        "dispute": "dp_1"});
    assert_eq!(word(&app, "good", &twice).await.status, 200);
    assert_eq!(owed(&app).await, 95_000);
    // Refunds are told as their sum: what the dispute took is none of it.
    says(&app, "refunded", "pi_1", 12_000, none.clone()).await;
    assert_eq!(owed(&app).await, 97_000);
    says(&app, "reinstated", "pi_1", 15_000, none.clone()).await;
    assert_eq!(owed(&app).await, 82_000, "money again, once");
    let row = app.store.receipts_by_reference("stripe:pi_1:dp_1").await;
    let row = row.expect("read").pop().expect("a receipt of its own");
    assert_eq!((row.amount.amount_minor, row.left_minor), (15_000, 0));
    says(&app, "of_tomorrow", "pi_1", 1, none).await;
    assert_eq!(
        owed(&app).await,
        82_000,
        "an unknown word is taken and changes nothing"
    );
    let token = app.token("admin").await;
    let told = app
        .get("/api/v1/events?limit=500")
        .token(&token)
        .send()
        .await;
    assert!(told.text().contains("payment.disputed"), "{}", told.text());
}

#[tokio::test]
async fn words_of_a_dispute_may_come_in_any_order() {
    let (app, _) = app().await;
    let (made, _) = link(&app).await;
    let none = json!({});
    says(&app, "reinstated", "pi_9", 30_000, none.clone()).await;
    says(&app, "withdrawn", "pi_9", 30_000, none).await;
    assert_eq!(owed(&app).await, 100_000, "of money that is not here yet");
    says(&app, "paid", "pi_9", 30_000, json!({"link": made["id"]})).await;
    assert_eq!(owed(&app).await, 70_000, "paid, taken and given back");
}
