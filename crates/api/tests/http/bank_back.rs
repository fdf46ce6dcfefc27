//! Money that a bank takes back: the money that is meant, once, and no other under the same reference.

use crate::app::{App, Reply};
use crate::receipts::{ask, balance, broken_off, done, upload};
use serde_json::{Value, json};

const CAME: &str = "CRDT";
const BACK: &str = "DBIT";

/// A statement of 250.00 under one standing reference, each as direction and day of November.
fn statement(id: u32, entries: &[(&str, u32)]) -> String {
    let entry = |(direction, day): &(&str, u32)| {
        let reversal = match *direction {
            BACK => "<RvslInd>true</RvslInd>",
            _ => "",
        };
        format!(
            "<Ntry><Amt Ccy=\"MXN\">250.00</Amt><CdtDbtInd>{direction}</CdtDbtInd>{reversal}\
            <Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-{day}</Dt></BookgDt>\
            <AcctSvcrRef>B-77</AcctSvcrRef><NtryDtls><TxDtls>\
            <RmtInf><Ustrd>Pago C-1</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        )
    };
    let entries: String = entries.iter().map(entry).collect();
    format!(
        "<Document><BkToCstmrStmt><Stmt><Id>{id}</Id>{entries}</Stmt></BkToCstmrStmt></Document>"
    )
}

async fn read(app: &App, token: &str, id: u32, entries: &[(&str, u32)]) -> Value {
    // What it posts is newer than what the world has: identities of one millisecond have no order.
    app.pass_ms(1);
    let taken = upload(app, token, "", statement(id, entries)).await.json();
    done(app, token, taken["id"].as_str().expect("an id")).await
}

/// Takes `minor` of the newest payment back by hand, or all of it.
async fn by_hand(app: &App, token: &str, minor: Option<i64>) -> Reply {
    let path = "/api/v1/payments?reversals=false";
    let listed = app.get(path).token(token).send().await.json();
    let id = listed["items"][0]["id"].as_str().expect("a payment");
    let path = format!("/api/v1/payments/{id}/reverse");
    let mut body = json!({"reference": "h-1", "reason": "a la mano"});
    if let Some(minor) = minor {
        body["amount_minor"] = json!(minor);
    }
    ask(app, token, &path, &body).await
}

#[tokio::test]
async fn a_reversal_that_is_read_again_takes_no_later_money() {
    let app = App::start().await;
    let token = app.token("manager").await;
    read(&app, &token, 1, &[(CAME, 10)]).await;
    let back = read(&app, &token, 2, &[(BACK, 15)]).await;
    assert_eq!(
        (&back["taken_back"], balance(&app).await),
        (&json!(1), 100_000)
    );
    read(&app, &token, 3, &[(CAME, 20)]).await;
    assert_eq!(balance(&app).await, 75_000, "collected once more");
    let again = read(&app, &token, 4, &[(BACK, 15), (CAME, 20)]).await;
    assert_eq!(
        (&again["taken_back"], &again["repeated"]),
        (&json!(0), &json!(2)),
        "{again}"
    );
    assert_eq!(balance(&app).await, 75_000, "the later money stands");
    // Another reversal is no repeat of the first.
    let other = read(&app, &token, 5, &[(BACK, 22)]).await;
    assert_eq!(
        (&other["taken_back"], balance(&app).await),
        (&json!(1), 100_000),
        "{other}"
    );
    let all = read(&app, &token, 6, &[(BACK, 15), (BACK, 22)]).await;
    assert_eq!(
        (&all["repeated"], balance(&app).await),
        (&json!(2), 100_000),
        "{all}"
    );
}

#[tokio::test]
async fn equal_reversals_of_equal_payments_count_each_once() {
    let app = App::start().await;
    let token = app.token("manager").await;
    read(&app, &token, 1, &[(CAME, 10), (CAME, 10)]).await;
    assert_eq!(balance(&app).await, 50_000);
    let both = [(BACK, 15), (BACK, 15)];
    let shown = upload(&app, &token, "/preview", statement(2, &both)).await;
    let shown = shown.json();
    assert_eq!(shown["counts"]["taken_back"], 2, "{shown}");
    let back = read(&app, &token, 2, &both).await;
    assert_eq!(
        (&back["taken_back"], balance(&app).await),
        (&json!(2), 100_000),
        "{back}"
    );
    // Broken off behind its rows: what it took counts as it stands.
    broken_off(&app, back["id"].as_str().expect("an id"), 200_000).await;
    let resumed = read(&app, &token, 2, &both).await;
    assert_eq!(resumed["taken_back"], 2, "{resumed}");
    let again = read(&app, &token, 3, &both).await;
    assert_eq!(
        (&again["repeated"], balance(&app).await),
        (&json!(2), 100_000),
        "{again}"
    );
    let third = read(&app, &token, 4, &[(BACK, 15), (BACK, 15), (BACK, 15)]).await;
    assert_eq!(
        (&third["repeated"], &third["refused"]),
        (&json!(2), &json!(1)),
        "there is no third: {third}"
    );
}

#[tokio::test]
async fn a_reversal_of_one_of_two_payments_waits_unless_both_go() {
    let app = App::start().await;
    let token = app.token("manager").await;
    read(&app, &token, 1, &[(CAME, 10), (CAME, 12)]).await;
    let either = read(&app, &token, 2, &[(BACK, 15)]).await;
    assert_eq!(
        (&either["refused"], balance(&app).await),
        (&json!(1), 50_000),
        "{either}"
    );
    let both = read(&app, &token, 3, &[(BACK, 16), (BACK, 16)]).await;
    assert_eq!(
        (&both["taken_back"], balance(&app).await),
        (&json!(2), 100_000),
        "{both}"
    );
}

#[tokio::test]
async fn an_old_payment_is_found_behind_many_later_ones() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let later = (16..23).map(|day| (CAME, day));
    let rows: Vec<_> = std::iter::once((CAME, 10)).chain(later).collect();
    read(&app, &token, 1, &rows).await;
    assert_eq!(balance(&app).await, 0, "and money is over");
    let back = read(&app, &token, 2, &[(BACK, 15)]).await;
    assert_eq!(
        (&back["taken_back"], balance(&app).await),
        (&json!(1), 25_000),
        "{back}"
    );
}

#[tokio::test]
async fn money_that_came_after_a_reversal_is_not_what_it_means() {
    let app = App::start().await;
    let token = app.token("manager").await;
    read(&app, &token, 1, &[(CAME, 20)]).await;
    let early = read(&app, &token, 2, &[(BACK, 15)]).await;
    assert_eq!(
        (&early["refused"], balance(&app).await),
        (&json!(1), 75_000),
        "{early}"
    );
}

#[tokio::test]
async fn a_file_that_goes_on_leaves_its_own_money_after_a_reversal() {
    let app = App::start().await;
    let token = app.token("manager").await;
    read(&app, &token, 1, &[(CAME, 10)]).await;
    let rows = [(BACK, 20), (CAME, 20)];
    let first = read(&app, &token, 2, &rows).await;
    let counts = ["taken_back", "posted", "repeated", "refused"].map(|c| first[c].clone());
    assert_eq!(counts, [1, 1, 0, 0].map(|n| json!(n)), "{first}");
    broken_off(&app, first["id"].as_str().expect("an id"), 200_000).await;
    let again = read(&app, &token, 2, &rows).await;
    assert_eq!(
        counts,
        ["taken_back", "posted", "repeated", "refused"].map(|c| again[c].clone()),
        "{again}"
    );
    assert_eq!(balance(&app).await, 75_000);
}

#[tokio::test]
async fn a_reversal_of_what_a_person_took_back_or_of_later_money_waits_for_a_person() {
    let app = App::start().await;
    let token = app.token("manager").await;
    read(&app, &token, 1, &[(CAME, 10)]).await;
    assert_eq!(by_hand(&app, &token, None).await.status, 201);
    let known = read(&app, &token, 2, &[(BACK, 12)]).await;
    assert_eq!(known["repeated"], 1, "{known}");
    read(&app, &token, 3, &[(CAME, 15)]).await;
    let either = read(&app, &token, 4, &[(BACK, 20)]).await;
    assert_eq!(
        (&either["refused"], balance(&app).await),
        (&json!(1), 75_000),
        "{either}"
    );
}

#[tokio::test]
async fn the_rest_of_what_was_partly_returned_goes_when_the_bank_takes_it() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let came = read(&app, &token, 1, &[(CAME, 10)]).await;
    assert_eq!(by_hand(&app, &token, Some(5_000)).await.status, 201);
    assert_eq!(balance(&app).await, 80_000);
    let back = read(&app, &token, 2, &[(BACK, 15)]).await;
    assert_eq!(
        (&back["taken_back"], balance(&app).await),
        (&json!(1), 100_000),
        "{back}"
    );
    let path = format!("/api/v1/receipts?file={}", came["id"].as_str().expect("id"));
    let rows = app.get(&path).token(&token).send().await.json();
    let row = &rows["items"][0];
    assert_eq!(
        (&row["returned_minor"], &row["left_minor"], &row["state"]),
        (&json!(25_000), &json!(0), &json!("returned"))
    );
    let again = read(&app, &token, 3, &[(BACK, 15)]).await;
    assert_eq!(
        (&again["repeated"], balance(&app).await),
        (&json!(1), 100_000)
    );
}

#[tokio::test]
async fn a_preview_says_which_money_a_refused_reversal_means() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let shown = upload(&app, &token, "/preview", statement(1, &[(BACK, 15)])).await;
    let shown = shown.json();
    let row = &shown["rows"][0];
    assert_eq!(
        (&row["becomes"], &row["column"], &row["reference"]),
        (&json!("refused"), &Value::Null, &json!("B-77")),
        "{shown}"
    );
    assert_eq!(row["amount"]["amount_minor"], 25_000);
    assert_eq!(row["paid_at"], "2026-11-15T12:00:00.000Z");
    assert!(
        row["reason"]
            .as_str()
            .is_some_and(|r| r.contains("by hand"))
    );
}
