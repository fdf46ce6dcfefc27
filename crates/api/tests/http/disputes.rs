//! Money that disputes of payers' banks take and give, in any order, and what plain refunds have to do with it.

use crate::app::App;
use crate::pay::{app, link, owed, word};
use domain::ports::store::{ReceiptStore as _, WebhookNote};
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

#[tokio::test]
async fn what_a_won_dispute_gave_back_can_be_refunded() {
    let (app, _) = app().await;
    let (made, _) = link(&app).await;
    let none = json!({});
    says(&app, "paid", "pi_2", 30_000, json!({"link": made["id"]})).await;
    says(&app, "withdrawn", "pi_2", 30_000, none.clone()).await;
    says(&app, "reinstated", "pi_2", 30_000, none.clone()).await;
    assert_eq!(owed(&app).await, 70_000, "won");
    says(&app, "refunded", "pi_2", 10_000, none.clone()).await;
    assert_eq!(owed(&app).await, 80_000, "a part of what came again");
    says(&app, "refunded", "pi_2", 30_000, none.clone()).await;
    assert_eq!(owed(&app).await, 100_000, "all of it");
    let again = json!({"id": "late", "what": "refunded", "money": "pi_2", "minor": 30_000});
    assert_eq!(word(&app, "good", &again).await.status, 200);
    assert_eq!(owed(&app).await, 100_000, "no more than that");
}

#[tokio::test]
async fn a_part_that_went_back_before_its_dispute_counts_with_what_came_again() {
    let (app, _) = app().await;
    let (made, _) = link(&app).await;
    let none = json!({});
    says(&app, "paid", "pi_3", 30_000, json!({"link": made["id"]})).await;
    says(&app, "refunded", "pi_3", 5_000, none.clone()).await;
    says(&app, "withdrawn", "pi_3", 15_000, none.clone()).await;
    says(&app, "reinstated", "pi_3", 15_000, none.clone()).await;
    assert_eq!(owed(&app).await, 75_000);
    says(&app, "refunded", "pi_3", 30_000, none).await;
    assert_eq!(owed(&app).await, 100_000, "out of both receipts");
}

/// The node that took the money died before it gave back what waited.
#[tokio::test]
async fn a_taking_that_is_told_again_gives_back_what_waits() {
    let (app, _) = app().await;
    let (made, _) = link(&app).await;
    let none = json!({});
    says(&app, "paid", "pi_4", 30_000, json!({"link": made["id"]})).await;
    says(&app, "withdrawn", "pi_4", 30_000, none.clone()).await;
    assert_eq!(owed(&app).await, 100_000);
    let taken = app.store.webhooks_about("stripe", "pi_4").await;
    let taken = taken.expect("read").pop().expect("the last word");
    assert!(taken.done, "done with its money");
    let waits = WebhookNote {
        event_id: "given-pi_4".into(),
        what: "reinstated:dp_1".into(),
        done: false,
        ..taken
    };
    assert!(app.store.note_webhook(&waits).await.expect("noted"));
    says(&app, "withdrawn", "pi_4", 30_000, none).await;
    assert_eq!(owed(&app).await, 70_000, "given back, once");
    let left = app.store.waiting_webhooks("stripe", "pi_4").await;
    assert!(left.expect("read").is_empty(), "nothing waits");
}

/// Another dispute about the same money: what it takes and gives is told under an id of its own.
async fn second(app: &App, what: &str, money: &str, minor: i64) {
    let more = json!({"id": format!("{what}-{money}-dp_2"), "dispute": "dp_2"});
    says(app, what, money, minor, more).await;
}

#[tokio::test]
async fn a_second_dispute_takes_what_a_won_one_gave_back() {
    let (app, _) = app().await;
    let (made, _) = link(&app).await;
    let none = json!({});
    says(&app, "paid", "pi_5", 30_000, json!({"link": made["id"]})).await;
    says(&app, "withdrawn", "pi_5", 30_000, none.clone()).await;
    says(&app, "reinstated", "pi_5", 30_000, none.clone()).await;
    assert_eq!(owed(&app).await, 70_000, "won");
    second(&app, "withdrawn", "pi_5", 30_000).await;
    assert_eq!(owed(&app).await, 100_000, "taken again");
    second(&app, "reinstated", "pi_5", 30_000).await;
    assert_eq!(owed(&app).await, 70_000, "won again");
    says(&app, "refunded", "pi_5", 30_000, none).await;
    assert_eq!(owed(&app).await, 100_000, "no dispute took that");
}

#[tokio::test]
async fn a_dispute_takes_from_all_receipts_of_its_money_at_once() {
    let (app, _) = app().await;
    let (made, _) = link(&app).await;
    let none = json!({});
    says(&app, "paid", "pi_6", 30_000, json!({"link": made["id"]})).await;
    says(&app, "withdrawn", "pi_6", 10_000, none.clone()).await;
    says(&app, "reinstated", "pi_6", 10_000, none).await;
    assert_eq!(owed(&app).await, 70_000, "on two receipts now");
    second(&app, "withdrawn", "pi_6", 30_000).await;
    assert_eq!(owed(&app).await, 100_000);
    for reference in ["stripe:pi_6", "stripe:pi_6:dp_1"] {
        let rows = app.store.receipts_by_reference(reference).await;
        let row = rows.expect("read").pop().expect("a receipt");
        assert_eq!(row.returned_minor, row.amount.amount_minor, "{reference}");
    }
    second(&app, "reinstated", "pi_6", 30_000).await;
    assert_eq!(owed(&app).await, 70_000);
}
