//! Files whose points somebody has to look at, by HTTP.

use crate::app::{App, START};
use domain::entity::{Debt, Debtor};
use domain::ids::{DebtId, DebtorId, PersonId};
use domain::ports::store::CatalogStore as _;
use domain::time::DAY_MS;
use serde_json::{Value, json};
use uuid::Uuid;

/// Norte's debtor has a usable phone that is as old as that.
async fn age(app: &App, days: i64) {
    let point = app.store.get_point(app.world.norte.point).await;
    let mut point = point.expect("point");
    point.added_at = START.plus_ms(-days * DAY_MS);
    point.last_rpc_at = None;
    point.bad = false;
    app.store.put_point(&point, &[]).await.expect("put");
}

/// Another debtor of Norte who owes something and has no phone.
async fn phoneless(app: &App) -> DebtorId {
    let own = &app.world.norte;
    let debtor = Debtor {
        id: DebtorId(Uuid::now_v7()),
        person_id: PersonId(Uuid::now_v7()),
        external_ref: "D-3".into(),
        ..app.store.get_debtor(own.debtor).await.expect("debtor")
    };
    app.store.put_debtor(&debtor, &[]).await.expect("put");
    let debt = Debt {
        id: DebtId(Uuid::now_v7()),
        debtor_id: debtor.id,
        external_ref: "C-3".into(),
        ..app.store.get_debt(own.debt).await.expect("debt")
    };
    app.store.put_debt(&debt, &[]).await.expect("put");
    debtor.id
}

async fn tasks(app: &App, token: &str, more: &str) -> Value {
    let client = app.world.norte.client;
    let path = format!("/api/v1/morning-list/tasks?client={client}{more}");
    let got = app.get(&path).token(token).send().await;
    assert_eq!(got.status, 200, "{}", got.text());
    got.json()
}

fn whose(page: &Value) -> Vec<Value> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|i| i["debtor_id"].clone()).collect()
}

#[tokio::test]
async fn stale_points_raise_a_task_until_somebody_sees_to_them_row_01() {
    let app = App::start().await;
    let token = app.token("supervisor").await;
    let own = &app.world.norte;
    let review = format!("/api/v1/morning-review?client={}", own.client);
    let counts = async || {
        let got = app.get(&review).token(&token).send().await;
        assert_eq!(got.status, 200, "{}", got.text());
        got.json()["file_tasks"].clone()
    };
    age(&app, 179).await;
    assert_eq!(counts().await, json!({"no_phone": 0, "stale_point": 0}));
    // A day later nobody has confirmed it for half a year.
    app.pass_ms(DAY_MS);
    let token = app.token("supervisor").await;
    let got = tasks(&app, &token, "").await;
    assert_eq!(got["count"], json!({"no_phone": 0, "stale_point": 1}));
    let row = &got["items"][0];
    assert_eq!(
        (&row["debtor_id"], &row["kind"], &row["days"]),
        (&json!(own.debtor), &json!("stale_point"), &json!(180))
    );
    let file = format!("/api/v1/debtors/{}", own.debtor);
    let file = app.get(&file).token(&token).send().await.json();
    assert_eq!(
        file["tasks"][0]["days"], row["days"],
        "the same in his file"
    );
    // Somebody was reached there.
    let mut point = app.store.get_point(own.point).await.expect("point");
    point.last_rpc_at = Some(START);
    app.store.put_point(&point, &[]).await.expect("put");
    assert_eq!(whose(&tasks(&app, &token, "").await), Vec::<Value>::new());
    // It is the wrong number after all: a phone has to be found.
    let path = format!("/api/v1/points/{}", own.point);
    let mut body = json!({"value": point.value.reveal(), "class": "mobile", "role": "titular",
        "authorised": true, "given_by_debtor": true, "position": 0, "bad": true, "confidence": 0});
    let put = app.ask("PUT", &path).token(&token).json(&body).send().await;
    assert_eq!(put.status, 200, "{}", put.text());
    let got = tasks(&app, &token, "").await;
    assert_eq!(got["count"], json!({"no_phone": 1, "stale_point": 0}));
    assert_eq!(
        (&got["items"][0]["kind"], &got["items"][0]["days"]),
        (&json!("no_phone"), &json!(null))
    );
    let found = json!({"debtor_id": own.debtor, "value": "+525512345699"});
    let made = app.post("/api/v1/points").token(&token).json(&found);
    let made = made.send().await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(whose(&tasks(&app, &token, "").await), Vec::<Value>::new());
    // An old number that is corrected is as old as the correction.
    age(&app, 400).await;
    let old = tasks(&app, &token, "").await;
    assert_eq!(old["items"][0]["days"], json!(401), "{old}");
    body["bad"] = json!(false);
    body["value"] = json!("+525512345688");
    let put = app.ask("PUT", &path).token(&token).json(&body).send().await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(whose(&tasks(&app, &token, "").await), Vec::<Value>::new());
}

#[tokio::test]
async fn files_with_a_task_are_paged_and_narrowed_row_01() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    age(&app, 400).await;
    let other = phoneless(&app).await;
    let want = [json!(other), json!(own.debtor)];
    let first = tasks(&app, &token, "&limit=1").await;
    assert_eq!(whose(&first), want[..1]);
    assert_eq!(first["count"], json!({"no_phone": 1, "stale_point": 1}));
    let cursor = first["next_cursor"].as_str().expect("more");
    let rest = tasks(&app, &token, &format!("&limit=1&cursor={cursor}")).await;
    assert_eq!(whose(&rest), want[1..]);
    assert_eq!(
        (&rest["next_cursor"], &rest["count"]),
        (&json!(null), &json!(null))
    );
    for (kind, one) in ["no_phone", "stale_point"].iter().zip(&want) {
        let found = tasks(&app, &token, &format!("&kind={kind}")).await;
        assert_eq!(whose(&found), std::slice::from_ref(one), "{kind}");
    }
    let of = tasks(&app, &token, &format!("&portfolio={}", own.portfolio)).await;
    assert_eq!(whose(&of), want);
    for (more, status) in [
        (format!("&portfolio={}", app.world.sur.portfolio), 404),
        ("&kind=other".to_owned(), 400),
        ("&cursor=x".to_owned(), 400),
    ] {
        let path = format!("/api/v1/morning-list/tasks?client={}{more}", own.client);
        let refused = app.get(&path).token(&token).send().await;
        assert_eq!(refused.status, status, "{more}: {}", refused.text());
    }
    // An agent sees those of his own debtors.
    let agent = app.token("agent").await;
    assert_eq!(whose(&tasks(&app, &agent, "").await), Vec::<Value>::new());
    let given = json!({"debtors": [other], "agent_id": app.world.agent});
    let given = app.post("/api/v1/assignments").token(&token).json(&given);
    assert_eq!(given.send().await.json()["assigned"], json!(1));
    let his = tasks(&app, &agent, "").await;
    assert_eq!(whose(&his), want[..1]);
    assert_eq!(his["count"], json!({"no_phone": 1, "stale_point": 0}));
    let hers = tasks(&app, &token, &format!("&agent={}", app.world.agent)).await;
    assert_eq!(whose(&hers), want[..1]);
}
