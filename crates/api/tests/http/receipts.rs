//! Money whose owner is to be found: by file, by hand, put wrong and put right.

use crate::app::{App, Reply};
use domain::ports::store::{CatalogStore as _, ReceiptStore as _};
use serde_json::{Value, json};

const RECEIPTS: &str = "/api/v1/receipts";
const CSV: &str = "Fecha;Concepto;Referencia;Abono\n20/11/2026;Pago C-1;881;250,00\n\
    21/11/2026;gracias;882;77,00\n21/11/2026;PEIN;883;x\n22/11/2026;nada;884;0,00\n";

fn files(app: &App, action: &str) -> String {
    let map = "%7B%22currency%22%3A%22MXN%22%7D";
    format!(
        "/api/v1/bank-files{action}?client={}&name=nov.csv&map={map}",
        app.world.norte.client
    )
}

pub(crate) async fn upload(
    app: &App,
    token: &str,
    action: &str,
    body: impl Into<Vec<u8>>,
) -> Reply {
    let ask = app.post(&files(app, action)).token(token);
    ask.body("text/csv", body).send().await
}

pub(crate) async fn ask(app: &App, token: &str, path: &str, body: &Value) -> Reply {
    app.post(path).token(token).json(body).send().await
}

pub(crate) async fn balance(app: &App) -> i64 {
    let debt = app
        .store
        .get_debt(app.world.norte.debt)
        .await
        .expect("debt");
    debt.balance_minor()
}

/// The file once all its rows are taken in.
pub(crate) async fn done(app: &App, token: &str, id: &str) -> Value {
    let path = format!("/api/v1/bank-files/{id}");
    for _ in 0..10_000 {
        let file = app.get(&path).token(token).send().await.json();
        if file["state"] == "done" {
            return file;
        }
        tokio::task::yield_now().await;
    }
    panic!("the file is never done");
}

#[tokio::test]
async fn a_bank_file_is_looked_at_then_counted_once_row_23() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let preview = upload(&app, &token, "/preview", CSV).await;
    assert_eq!(preview.status, 200, "{}", preview.text());
    let preview = preview.json();
    assert_eq!(
        preview["counts"],
        json!({"match": 1, "not_money": 1, "refused": 1, "unmatched": 1}),
        "{preview}"
    );
    assert_eq!(preview["sums"], json!({"MXN": 32_700}));
    assert_eq!(
        preview["rows"][0]["becomes"], "refused",
        "what is wrong comes first"
    );
    assert_eq!(preview["rows"][0]["column"], "Abono");
    assert_eq!(preview["map"]["columns"]["Abono"], "credit");
    assert_eq!(balance(&app).await, 100_000, "nothing is kept");
    let first = upload(&app, &token, "", CSV).await;
    assert_eq!(first.status, 202, "{}", first.text());
    let id = first.json()["id"].as_str().expect("an id").to_owned();
    let file = done(&app, &token, &id).await;
    let counts = [
        "rows",
        "posted",
        "unmatched",
        "repeated",
        "refused",
        "not_money",
    ];
    let have: Vec<i64> = counts
        .iter()
        .map(|c| file[c].as_i64().expect("a count"))
        .collect();
    assert_eq!(have, vec![4, 1, 1, 0, 1, 1]);
    assert_eq!(balance(&app).await, 75_000);
    let again = upload(&app, &token, "", CSV).await;
    assert_eq!(
        (again.status.as_u16(), &again.json()["id"]),
        (200, &json!(id))
    );
    // The next day's file has yesterday's rows too.
    let longer = format!("{CSV}23/11/2026;Pago C-1;885;50,00\n");
    let second = upload(&app, &token, "", longer).await;
    let id = second.json()["id"].as_str().expect("an id").to_owned();
    let file = done(&app, &token, &id).await;
    assert_eq!(
        (&file["posted"], &file["repeated"]),
        (&json!(1), &json!(2)),
        "{file}"
    );
    assert_eq!(balance(&app).await, 70_000);
}

async fn audited(app: &App) {
    let audit = app
        .get("/api/v1/audit")
        .token(&app.token("admin").await)
        .send()
        .await
        .text();
    for action in [
        "receipt.taken",
        "receipt.matched",
        "receipt.unmatched",
        "receipt.returned",
    ] {
        assert!(audit.contains(action), "{action}");
    }
}

#[tokio::test]
async fn unmatched_money_finds_its_owner_and_a_mistake_is_undone_row_23() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let body = json!({"client_id": app.world.norte.client, "channel": "transfer",
        "reference": "b-1", "amount": {"amount_minor": 120_000, "currency": "MXN"},
        "paid_at": "2026-11-23T14:00:00.000Z", "concept": "abono de noviembre"});
    let made = ask(&app, &token, RECEIPTS, &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!(
        (&made["receipt"]["state"], &made["receipt"]["note"]),
        (&json!("unmatched"), &json!("unknown"))
    );
    let id = made["receipt"]["id"].as_str().expect("an id").to_owned();
    let again = ask(&app, &token, RECEIPTS, &body).await;
    assert_eq!(
        (again.status.as_u16(), &again.json()["repeated"]),
        (200, &json!(true))
    );
    let queue = format!("{RECEIPTS}?state=waiting");
    let waiting = app.get(&queue).token(&token).send().await.json();
    assert_eq!(waiting["items"].as_array().map(Vec::len), Some(1));
    let matched = format!("{RECEIPTS}/{id}/match");
    let foreign = json!({"debtor_id": app.world.sur.debtor});
    let reply = ask(&app, &token, &matched, &foreign).await;
    assert_eq!(reply.code(), "invalid", "another client's debtor");
    let own = json!({"debtor_id": app.world.norte.debtor});
    let reply = ask(&app, &token, &matched, &own).await.json();
    assert_eq!(reply["receipt"]["state"], "over", "{reply}");
    assert_eq!(reply["receipt"]["left_minor"], 20_000);
    assert_eq!(balance(&app).await, 0);
    let unmatch = format!("{RECEIPTS}/{id}/unmatch");
    let none = ask(&app, &token, &unmatch, &json!({})).await;
    assert_eq!(none.status, 422, "a reason is needed");
    let why = json!({"reason": "era de otra persona"});
    let off = ask(&app, &token, &unmatch, &why).await.json();
    assert_eq!(off["receipt"]["left_minor"], 120_000, "{off}");
    assert_eq!(off["payments"][0]["amount_minor"], -100_000);
    let debt = app
        .store
        .get_debt(app.world.norte.debt)
        .await
        .expect("debt");
    assert_eq!(
        (
            debt.fees_minor,
            debt.interest_minor,
            debt.principal_minor,
            debt.overdue_minor
        ),
        (2_000, 8_000, 90_000, 40_000),
        "each part as it was"
    );
    let back = format!("{RECEIPTS}/{id}/return");
    let gone = ask(&app, &token, &back, &why).await.json();
    assert_eq!(gone["receipt"]["state"], "returned");
    let twice = ask(&app, &token, &back, &why).await;
    assert_eq!(twice.code(), "receipt_posted");
    audited(&app).await;
}

#[tokio::test]
async fn who_is_named_has_his_money_at_once_and_suggestions_say_why() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let mut body = json!({"client_id": app.world.norte.client, "channel": "transfer",
        "reference": "b-1", "amount": {"amount_minor": 1_000, "currency": "MXN"},
        "paid_at": "2026-11-23T14:00:00.000Z", "document": "pein-800101"});
    let made = ask(&app, &token, RECEIPTS, &body).await.json();
    assert_eq!(made["receipt"]["state"], "posted", "{made}");
    assert_eq!(balance(&app).await, 99_000);
    body["reference"] = json!("b-2");
    body["document"] = json!("");
    body["amount"]["amount_minor"] = json!(99_000);
    let made = ask(&app, &token, RECEIPTS, &body).await.json();
    assert_eq!(
        made["receipt"]["state"], "unmatched",
        "an amount names nobody"
    );
    let id = made["receipt"]["id"].as_str().expect("an id");
    let path = format!("{RECEIPTS}/{id}/suggestions");
    let found = app.get(&path).token(&token).send().await.json();
    assert_eq!(
        found["items"][0]["debtor_id"],
        json!(app.world.norte.debtor),
        "{found}"
    );
    assert_eq!(found["items"][0]["reasons"], json!(["amount"]));
    body["reference"] = json!("b-3");
    body["concept"] = json!("C-1 parcial");
    body["amount"] = json!({"amount_minor": 500, "currency": "COP"});
    let made = ask(&app, &token, RECEIPTS, &body).await.json();
    assert_eq!(
        (&made["receipt"]["state"], &made["receipt"]["note"]),
        (&json!("unmatched"), &json!("currency")),
        "pesos of another country pay nothing"
    );
    assert_eq!(balance(&app).await, 99_000);
}

#[tokio::test]
async fn a_payment_is_taken_back_once_and_never_beyond_itself() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let body = json!({"debtor_id": app.world.norte.debtor, "debt_id": app.world.norte.debt,
        "amount": {"amount_minor": 130_000, "currency": "MXN"}, "channel": "cash",
        "paid_at": "2026-11-23T14:00:00.000Z", "reference": "c-1"});
    let paid = ask(&app, &token, "/api/v1/payments", &body).await.json();
    assert_eq!(
        (&paid["debt_paid"], &paid["left_minor"]),
        (&json!(true), &json!(30_000)),
        "{paid}"
    );
    assert_eq!(paid["payment"]["amount_minor"], 100_000, "what was owed");
    let id = paid["payment"]["id"].as_str().expect("an id");
    let path = format!("/api/v1/payments/{id}/reverse");
    let some = json!({"reference": "r-1", "reason": "contracargo", "amount_minor": 40_000});
    for status in [201, 200] {
        let reply = ask(&app, &token, &path, &some).await;
        assert_eq!(reply.status, status, "{}", reply.text());
    }
    assert_eq!(balance(&app).await, 40_000);
    let rest = json!({"reference": "r-2", "reason": "contracargo"});
    let reply = ask(&app, &token, &path, &rest).await;
    assert_eq!(reply.code(), "conflict", "more than is there");
    let rest = json!({"reference": "r-2", "reason": "contracargo", "amount_minor": 60_000});
    let reply = ask(&app, &token, &path, &rest).await.json();
    assert_eq!(balance(&app).await, 100_000);
    let first: domain::ids::PaymentId = id.parse().expect("an id");
    let parts = app.store.parts_of(&[first]).await.expect("parts");
    let receipt = parts[0].receipt_id.expect("made of a receipt");
    let receipt = app.store.get_receipt(receipt).await.expect("the receipt");
    assert_eq!(
        (receipt.returned_minor, receipt.left_minor),
        (100_000, 30_000),
        "what went back is out of the receipt"
    );
    let reversal = reply["payment"]["id"].as_str().expect("an id");
    let path = format!("/api/v1/payments/{reversal}/reverse");
    let twice = json!({"reference": "r-3", "reason": "x"});
    assert_eq!(ask(&app, &token, &path, &twice).await.code(), "is_reversal");
    let listed = app
        .get("/api/v1/payments?channel=cash&reversals=false")
        .token(&token)
        .send()
        .await;
    let listed = listed.json();
    assert!(
        listed["items"]
            .as_array()
            .is_some_and(|i| i.iter().all(|p| p["reverses"].is_null()))
    );
}

#[tokio::test]
async fn files_that_are_none_say_what_is_wrong() {
    let app = App::start().await;
    let token = app.token("manager").await;
    for (body, code) in [
        ("", "invalid"),
        ("a,b\n1,2\n", "invalid"),
        ("<x/>", "invalid"),
    ] {
        let reply = upload(&app, &token, "/preview", body).await;
        assert_eq!(reply.code(), code, "{body}");
    }
    let big = vec![b'x'; 9 << 20];
    let reply = upload(&app, &token, "", big).await;
    assert_eq!(reply.code(), "body_too_large");
    let foreign = format!("/api/v1/bank-files/preview?client={}", app.world.sur.client);
    let limited = app.token("norte-manager").await;
    let reply = app
        .post(&foreign)
        .token(&limited)
        .body("text/csv", CSV)
        .send()
        .await;
    assert_eq!(reply.code(), "forbidden");
}

/// What a file that lost its reader looks like: half of it is taken in, and its row stands still.
pub(crate) async fn broken_off(app: &App, id: &str, age_ms: i64) {
    let id = id.parse().expect("an id");
    let mut row = app.store.get_bank_file(id).await.expect("the file");
    row.state = domain::entity::BankFileState::Reading;
    (row.posted, row.unmatched, row.not_money, row.refused) = (0, 0, 0, 0);
    row.updated_at = row.updated_at.plus_ms(-age_ms);
    app.store.put_bank_file(&row).await.expect("put");
}

#[tokio::test]
async fn a_file_that_was_cut_off_goes_on_and_counts_nothing_twice_row_23() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let first = upload(&app, &token, "", CSV).await.json();
    let id = first["id"].as_str().expect("an id");
    let whole = done(&app, &token, id).await;
    broken_off(&app, id, 1_000).await;
    let busy = upload(&app, &token, "", CSV).await;
    assert_eq!(busy.status, 202);
    let file = app.get(&format!("/api/v1/bank-files/{id}")).token(&token);
    assert_eq!(
        file.send().await.json()["state"],
        "reading",
        "somebody may still read it: one reader is enough"
    );
    broken_off(&app, id, 200_000).await;
    let again = upload(&app, &token, "", CSV).await;
    assert_eq!(again.status, 202, "{}", again.text());
    let file = done(&app, &token, id).await;
    for count in ["posted", "unmatched", "repeated", "refused", "not_money"] {
        assert_eq!(file[count], whole[count], "{count}: {file}");
    }
    assert_eq!(balance(&app).await, 75_000, "counted once");
}

#[tokio::test]
async fn other_money_under_a_known_reference_waits_for_a_person() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let mut body = json!({"debtor_id": app.world.norte.debtor, "debt_id": app.world.norte.debt,
        "amount": {"amount_minor": 10_000, "currency": "MXN"}, "channel": "cash",
        "paid_at": "2026-11-23T14:00:00.000Z", "reference": "c-9"});
    let paid = ask(&app, &token, "/api/v1/payments", &body).await;
    assert_eq!(paid.status, 201, "{}", paid.text());
    body["amount"]["amount_minor"] = json!(12_000);
    for status in [201, 200] {
        let other = ask(&app, &token, "/api/v1/payments", &body).await;
        assert_eq!(other.status, status, "{}", other.text());
        let other = other.json();
        assert_eq!(
            (&other["payment"], &other["left_minor"]),
            (&Value::Null, &json!(12_000))
        );
    }
    assert_eq!(
        balance(&app).await,
        90_000,
        "nothing of it is counted unseen"
    );
    let queue = format!("{RECEIPTS}?state=waiting");
    let waiting = app.get(&queue).token(&token).send().await.json();
    assert_eq!(
        waiting["items"].as_array().map(Vec::len),
        Some(1),
        "{waiting}"
    );
    assert_eq!(waiting["items"][0]["note"], "other_amount");
    let id = waiting["items"][0]["id"].as_str().expect("an id");
    let own = json!({"debtor_id": app.world.norte.debtor});
    let matched = format!("{RECEIPTS}/{id}/match");
    let reply = ask(&app, &token, &matched, &own).await.json();
    assert_eq!(reply["receipt"]["state"], "posted", "{reply}");
    assert_eq!(balance(&app).await, 78_000);
}

#[tokio::test]
async fn what_the_bank_takes_back_leaves_the_debt_once() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let file = |direction: &str, more: &str, id: u32| {
        format!(
            "<Document><BkToCstmrStmt><Stmt><Id>{id}</Id><Ntry><Amt Ccy=\"MXN\">250.00</Amt>\
            <CdtDbtInd>{direction}</CdtDbtInd>{more}<Sts><Cd>BOOK</Cd></Sts>\
            <BookgDt><Dt>2026-11-20</Dt></BookgDt><AcctSvcrRef>B-{direction}</AcctSvcrRef>\
            <NtryDtls><TxDtls><Refs><EndToEndId>E-77</EndToEndId></Refs>\
            <RmtInf><Ustrd>Pago C-1</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>"
        )
    };
    // The bank's own reference differs; the payer's is the same, but the first was kept under the bank's.
    let came = file("CRDT", "", 1);
    let first = upload(&app, &token, "", came).await.json();
    let first = done(&app, &token, first["id"].as_str().expect("an id")).await;
    assert_eq!((&first["posted"], balance(&app).await), (&json!(1), 75_000));
    let unknown = file("DBIT", "<RvslInd>true</RvslInd>", 2);
    let second = upload(&app, &token, "", unknown).await.json();
    let second = done(&app, &token, second["id"].as_str().expect("an id")).await;
    assert_eq!(
        (&second["refused"], balance(&app).await),
        (&json!(1), 75_000)
    );
    let back = file("DBIT", "<RvslInd>true</RvslInd>", 3).replace("B-DBIT", "B-CRDT");
    let shown = upload(&app, &token, "/preview", back.clone()).await.json();
    assert_eq!(shown["rows"][0]["becomes"], "taken_back", "{shown}");
    let third = upload(&app, &token, "", back.clone()).await.json();
    let third = done(&app, &token, third["id"].as_str().expect("an id")).await;
    assert_eq!(third["taken_back"], 1, "{third}");
    assert_eq!(balance(&app).await, 100_000, "owed again");
    let fourth = back.replace("<Id>3</Id>", "<Id>4</Id>");
    let fourth = upload(&app, &token, "", fourth).await.json();
    let fourth = done(&app, &token, fourth["id"].as_str().expect("an id")).await;
    assert_eq!(
        (&fourth["repeated"], balance(&app).await),
        (&json!(1), 100_000)
    );
}
