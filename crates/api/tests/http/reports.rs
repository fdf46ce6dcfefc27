//! Figures and goals by HTTP.

use crate::app::{App, START};
use domain::entity::{ComplaintState, Message, PromiseState};
use domain::ids::PromiseId;
use domain::ports::store::{CatalogStore as _, MessageStore as _};
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use serde_json::{Value, json};
use std::time::Duration;

/// Looks at the debts' marks until the center has written them.
const LOOKS: u32 = 600;

fn figures(app: &App, more: &str) -> String {
    let client = app.world.norte.client;
    format!("/api/v1/reports/kpis?client={client}&from=2026-11-01&to=2026-11-30{more}")
}

fn parts(figures: &Value, key: &str) -> (i64, i64) {
    let items = figures["items"].as_array().expect("figures");
    let one = items.iter().find(|f| f["key"] == key).expect("the figure");
    let half = |name: &str| one[name]["value"].as_i64().expect("a number");
    (half("numerator"), half("denominator"))
}

async fn pay(app: &App, token: &str, amount: i64, reference: &str) {
    let own = &app.world.norte;
    let body = json!({"debtor_id": own.debtor, "debt_id": own.debt, "channel": "cash",
        "amount": {"amount_minor": amount, "currency": "MXN"},
        "paid_at": "2026-11-23T15:00:00.000Z", "reference": reference});
    let paid = app.post("/api/v1/payments").token(token).json(&body);
    let paid = paid.send().await;
    assert_eq!(paid.status, 201, "{}", paid.text());
}

/// What a half counts is what its rows are.
async fn halves_are_their_rows(app: &App, token: &str, seen: &Value) {
    for (key, part) in [
        ("rpc_rate", "denominator"),
        ("overdue_share", "denominator"),
    ] {
        let path = figures(app, &format!("&part={part}&limit=1"));
        let path = path.replace("/kpis?", &format!("/kpis/{key}/rows?"));
        let (mut cursor, mut rows) = (String::new(), Vec::new());
        loop {
            let page = app
                .get(&format!("{path}{cursor}"))
                .token(token)
                .send()
                .await;
            assert_eq!(page.status, 200, "{}", page.text());
            let page = page.json();
            rows.extend(page["items"].as_array().expect("rows").clone());
            let Some(next) = page["next_cursor"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
        }
        let amount: i64 = rows.iter().filter_map(|r| r["amount_minor"].as_i64()).sum();
        let want = parts(seen, key).1;
        let told = if key == "rpc_rate" {
            rows.len() as i64
        } else {
            amount
        };
        assert_eq!(told, want, "{key}");
        let ours = json!(app.world.norte.debtor);
        assert!(rows.iter().all(|r| r["debtor_id"] == ours), "{rows:?}");
    }
}

#[tokio::test]
async fn figures_have_both_halves_and_open_to_their_rows_row_28() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let look = async |more: &str| -> Value {
        let got = app.get(&figures(&app, more)).token(&token).send().await;
        assert_eq!(got.status, 200, "{}", got.text());
        got.json()
    };
    let mut seen = look("").await;
    for _ in 0..LOOKS {
        if parts(&seen, "overdue_share").1 > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        seen = look("").await;
    }
    let (overdue, balance) = parts(&seen, "overdue_share");
    assert!(balance >= overdue && overdue > 0, "{overdue} of {balance}");
    assert_eq!(seen["items"].as_array().map(Vec::len), Some(25));
    assert_eq!(
        (&seen["currency"], &seen["attribution_days"]),
        (&json!("MXN"), &json!(30))
    );
    // Nothing moved but what was handed over: it is all still owed, and overdue.
    let (total, current) = parts(&seen, "cei");
    assert_eq!((total, current), (0, balance), "receivables of the month");
    assert_eq!(parts(&seen, "dso"), (balance * 30, balance));
    halves_are_their_rows(&app, &token, &seen).await;
    // Balances belong to no agent.
    let of_agent = look(&format!("&agent={}", app.world.agent)).await;
    let not_told = of_agent["not_told"].as_array().expect("names").clone();
    assert!(not_told.contains(&json!("roll_rate")), "{not_told:?}");
    assert!(!not_told.contains(&json!("aht")), "{not_told:?}");
    let of_portfolio = look(&format!("&portfolio={}", app.world.norte.portfolio)).await;
    let not_told = of_portfolio["not_told"].as_array().expect("names").clone();
    assert_eq!(
        not_told.len(),
        4,
        "agents' time is of no portfolio: {not_told:?}"
    );
    let path = figures(&app, &format!("&agent={}", app.world.agent));
    let path = path.replace("/kpis?", "/kpis/roll_rate/rows?");
    assert_eq!(app.get(&path).token(&token).send().await.status, 400);
}

#[tokio::test]
async fn a_figure_over_time_as_points_and_as_csv() {
    let app = App::start().await;
    let token = app.token("manager").await;
    pay(&app, &token, 25_000, "kpi-1").await;
    let path = figures(&app, "&step_days=7").replace("/kpis?", "/kpis/cost_per_unit/series?");
    let got = app.get(&path).token(&token).send().await;
    assert_eq!(got.status, 200, "{}", got.text());
    let points = got.json()["items"].as_array().expect("points").clone();
    // The slice that begins on the 29th is still to come.
    assert_eq!(points.len(), 4);
    assert_eq!(
        (&points[3]["from"], &points[3]["to"]),
        (&json!("2026-11-22"), &json!("2026-11-28"))
    );
    assert!(points[3]["denominator"].as_i64().expect("money") >= 25_000);
    let sheet = figures(&app, "").replace("/reports/", "/export/");
    let sheet = app.get(&sheet).token(&token).send().await;
    assert_eq!(sheet.status, 200, "{}", sheet.text());
    let text = sheet.text();
    assert_eq!(text.lines().count(), 26, "{text}");
    assert!(text.starts_with("key,form,from,to,zone,currency,numerator,denominator,value\r\n"));
    let one = figures(&app, "").replace("/reports/kpis?", "/export/kpis/rpc_rate?");
    let one = app.get(&one).token(&token).send().await.text();
    assert!(one.lines().count() > 20 && !one.contains("\r\n="), "{one}");
}

#[tokio::test]
async fn a_question_that_does_not_fit_is_named() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let base = format!("/api/v1/reports/kpis?client={}", app.world.norte.client);
    for (path, status) in [
        (format!("{base}&from=2026-11-30&to=2026-11-01"), 400),
        (format!("{base}&from=2020-11-30&to=2026-11-01"), 400),
        (format!("{base}&from=yesterday"), 400),
        (format!("{base}&portfolio={}", app.world.sur.portfolio), 404),
        (format!("{base}&campaign={}", app.world.sur.campaign), 404),
        ("/api/v1/reports/kpis".to_owned(), 400),
        (base.replace("/kpis?", "/kpis/mood/rows?"), 404),
        (
            base.replace("/kpis?", "/kpis/rpc_rate/rows?part=both&"),
            400,
        ),
        (base.replace("/kpis?", "/kpis/rpc_rate/rows?cursor=x&"), 400),
        (
            base.replace("/kpis?", "/kpis/rpc_rate/series?step_days=0&"),
            400,
        ),
    ] {
        let got = app.get(&path).token(&token).send().await;
        assert_eq!(got.status, status, "{path}: {}", got.text());
    }
}

/// A goal of the client's portfolio for November, with other fields.
fn goal(app: &App, more: Value) -> Value {
    let own = &app.world.norte;
    let mut body = json!({"client_id": own.client, "portfolio_id": own.portfolio, "kind": "amount",
        "target": 200_000, "from_day": "2026-11-02", "to_day": "2026-11-30"});
    for (key, value) in more.as_object().expect("an object") {
        body[key] = value.clone();
    }
    body
}

#[tokio::test]
async fn a_goal_that_does_not_fit_is_refused() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let body = |more: Value| goal(&app, more);
    for wrong in [
        json!({"target": 0}),
        json!({"to_day": "2026-10-01"}),
        json!({"team_id": app.world.team, "agent_id": app.world.agent}),
        json!({"portfolio_id": app.world.sur.portfolio}),
    ] {
        let refused = app.post("/api/v1/goals").token(&token).json(&body(wrong));
        assert_eq!(refused.send().await.status, 422);
    }
}

#[tokio::test]
async fn a_goal_moves_with_the_money_row_27() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let body = |more: Value| goal(&app, more);
    let made = app
        .post("/api/v1/goals")
        .token(&token)
        .json(&body(json!({})));
    let made = made.send().await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].clone();
    let path = format!("/api/v1/goals/progress?client={}", own.client);
    let stands = async || -> Value {
        let got = app.get(&path).token(&token).send().await;
        assert_eq!(got.status, 200, "{}", got.text());
        let items = got.json()["items"].as_array().expect("goals").clone();
        items
            .into_iter()
            .find(|g| g["goal"]["id"] == id)
            .unwrap_or_default()
    };
    let before = stands().await;
    // 2 to 30 November without weekends; the 23rd is its sixteenth working day.
    assert_eq!(
        (&before["days"], &before["days_left"]),
        (&json!(21), &json!(6))
    );
    pay(&app, &token, 30_000, "goal-1").await;
    let after = stands().await;
    let done = |g: &Value| g["done"].as_i64().expect("a number");
    assert_eq!(done(&after), done(&before) + 30_000);
    let gap = after["gap"].as_i64().expect("a number");
    assert_eq!(gap, (200_000 - done(&after)).max(0));
    assert_eq!(after["needed_daily"].as_i64(), Some((gap + 5) / 6));
    // The agent sees his own, and no other's.
    let hers = json!({"portfolio_id": null, "agent_id": app.world.agent, "kind": "promises", "target": 40});
    let made = app
        .post("/api/v1/goals")
        .token(&token)
        .json(&body(hers))
        .send()
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let agent = app.token("agent").await;
    let mine = app
        .get("/api/v1/agents/me/goals")
        .token(&agent)
        .send()
        .await;
    assert_eq!(mine.status, 200, "{}", mine.text());
    let mine = mine.json()["items"].as_array().expect("goals").clone();
    assert_eq!(mine.len(), 1);
    assert_eq!(mine[0]["goal"]["id"], made.json()["id"]);
    // Withdrawn, it is on no board.
    let path = format!("/api/v1/goals/{}", id.as_str().expect("an id"));
    let gone = app
        .ask("PUT", &path)
        .token(&token)
        .json(&body(json!({"ended": true})));
    assert_eq!(gone.send().await.status, 200);
    assert_eq!(stands().await, json!(null));
}

#[tokio::test]
async fn costs_are_set_and_counted() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let path = format!("/api/v1/reports/costs?client={}", own.client);
    let zero = app.get(&path).token(&token).send().await.json();
    assert_eq!(zero, json!({"attempt_minor": 0, "minute_minor": 0}));
    let body = json!({"client_id": own.client, "attempt_minor": 35, "minute_minor": 120});
    let set = app
        .ask("PUT", "/api/v1/reports/costs")
        .token(&token)
        .json(&body);
    assert_eq!(set.send().await.status, 200);
    let got = app
        .get(&figures(&app, ""))
        .token(&token)
        .send()
        .await
        .json();
    let (cost, _) = parts(&got, "cost_per_unit");
    let (_, attempts) = parts(&got, "rpc_rate");
    assert!(cost >= 35 * attempts, "{cost} for {attempts}");
    let wrong = json!({"client_id": own.client, "attempt_minor": -1, "minute_minor": 0});
    let wrong = app
        .ask("PUT", "/api/v1/reports/costs")
        .token(&token)
        .json(&wrong);
    assert_eq!(wrong.send().await.status, 422);
}

#[tokio::test]
async fn the_morning_review_is_what_the_day_begins_with_row_13() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let mut promise = app.store.get_promise(own.promise).await.expect("promise");
    promise.state = PromiseState::Broken;
    promise.closed_at = Some(START);
    app.store.put_promise(&promise, &[]).await.expect("put");
    let mut complaint = app
        .store
        .get_complaint(own.complaint)
        .await
        .expect("complaint");
    complaint.state = ComplaintState::Open;
    complaint.deadline = "2026-11-23".into();
    app.store.put_complaint(&complaint, &[]).await.expect("put");
    let path = format!("/api/v1/morning-review?client={}", own.client);
    let got = app.get(&path).token(&token).send().await;
    assert_eq!(got.status, 200, "{}", got.text());
    let review = got.json();
    assert_eq!(
        (&review["today"], &review["holiday"]),
        (&json!("2026-11-23"), &json!(null))
    );
    assert_eq!(
        (&review["holidays"], &review["late_cases"]),
        (&json!([]), &json!(0))
    );
    // Monday: what was done is told from Friday on.
    assert_eq!(review["last_working_day"], json!("2026-11-20"));
    assert_eq!(review["broken"], json!(1));
    assert_eq!(review["broken_minor"], json!(promise.amount.amount_minor));
    let due = review["complaints_due"].as_array().expect("complaints");
    assert!(
        due.iter().any(|c| c["id"] == json!(own.complaint)),
        "{due:?}"
    );
    let path = path.replace("morning-review?", "morning-review/promises?limit=1&");
    let page = app.get(&path).token(&token).send().await;
    assert_eq!(page.status, 200, "{}", page.text());
    let page = page.json();
    assert_eq!(page["items"][0]["promise_id"], json!(own.promise));
    assert_eq!(page["next_cursor"], json!(null));
    // A holiday is told where debtors live, and nowhere else.
    app.pass_ms(32 * DAY_MS);
    let token = app.token("manager").await;
    let path = format!("/api/v1/morning-review?client={}", own.client);
    let review = app.get(&path).token(&token).send().await.json();
    let there = review["holidays"].as_array().expect("holidays");
    assert_eq!(there.len(), 1, "{review}");
    assert_eq!(
        (&there[0]["country"], &there[0]["name"]),
        (&json!("MX"), &json!("Navidad"))
    );
    assert!(there[0]["debtors"].as_u64() >= Some(1), "{review}");
    // Rows of the list tell what was done.
    app.pass_ms(-32 * DAY_MS);
    let token = app.token("manager").await;
    let list = format!(
        "/api/v1/morning-list?client={}&threshold_minor=0",
        own.client
    );
    let list = app.get(&list).token(&token).send().await.json();
    let rows = list["items"].as_array().expect("rows");
    let ours = rows.iter().find(|r| r["debtor_id"] == json!(own.debtor));
    assert!(
        ours.expect("he is overdue")["attempts"].as_i64() >= Some(1),
        "{rows:?}"
    );
}

/// A message that left for the debtor at an instant.
async fn left(app: &App, at: UtcMs) {
    let own = &app.world.norte;
    let row = json!({
        "id": uuid::Uuid::now_v7(), "client_id": own.client, "debtor_id": own.debtor, "debt_id": own.debt,
        "point_id": own.point, "address": "+525512345671", "channel": "sms", "purpose": "manual",
        "template_id": null, "template_version": 0, "strategy_id": null, "strategy_version": 0, "step": "",
        "plan_key": null, "subject": "", "body": "Hola", "due_at": at, "expires_at": at, "state": "sent",
        "reason": "", "tries": 1, "gateway": "elsewhere", "provider_ref": "x", "cost_micro": 0,
        "currency": null, "verdict_id": null, "reply_to": null, "made_by": "system", "created_at": at,
        "sent_at": at, "delivered_at": null, "read_at": null, "answered_at": null, "ended_at": null,
    });
    let row: Message = serde_json::from_value(row).expect("a message");
    let planned = app.store.plan_messages(&[row], &[]).await;
    assert_eq!(planned.expect("works"), 1);
}

#[tokio::test]
async fn messages_are_among_the_actions_of_the_morning_row_13() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let mut promise = app.store.get_promise(own.promise).await.expect("promise");
    promise.state = PromiseState::Broken;
    promise.closed_at = Some(START.plus_ms(-3 * DAY_MS));
    app.store.put_promise(&promise, &[]).await.expect("put");
    // One on Friday, behind the promise that broke; one today.
    left(&app, START.plus_ms(-3 * DAY_MS + HOUR_MS)).await;
    left(&app, START).await;
    let get = async |path: &str| {
        let path = format!("/api/v1/{path}client={}", own.client);
        let got = app.get(&path).token(&token).send().await;
        assert_eq!(got.status, 200, "{}", got.text());
        got.json()
    };
    let done = get("morning-review?").await["done"].clone();
    assert_eq!(
        (&done["messages"], &done["letters"]),
        (&json!(1), &json!(0)),
        "what was done before today: {done}"
    );
    let broken = get("morning-review/promises?").await["items"][0].clone();
    assert_eq!(
        (&broken["messages_since"], &broken["letters_since"]),
        (&json!(2), &json!(0))
    );
    let list = get("morning-list?threshold_minor=0&").await;
    let rows = list["items"].as_array().expect("rows");
    let his = rows.iter().find(|r| r["debtor_id"] == json!(own.debtor));
    let his = his.expect("he is overdue");
    assert_eq!(
        (&his["messages"], &his["letters"], &his["last_channel"]),
        (&json!(2), &json!(0), &json!("sms"))
    );
    assert_eq!(his["last_at"], json!(START));
    // His file tells of them in the same call as of all else.
    let path = format!("/api/v1/debtors/{}", own.debtor);
    let file = app.get(&path).token(&token).send().await.json();
    let sent = file["messages"].as_array().expect("messages");
    assert_eq!(sent.len(), 2, "{file}");
    assert!(!file["messages"].to_string().contains("+525512345671"));
    for part in [
        "plans", "stages", "received", "letters", "visits", "excuses", "claims",
    ] {
        assert!(file[part].is_array(), "{part}: {file}");
    }
}

#[tokio::test]
async fn a_page_of_broken_promises_is_bounded_row_13() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let mut promise = app.store.get_promise(own.promise).await.expect("promise");
    promise.state = PromiseState::Broken;
    promise.closed_at = Some(START);
    for _ in 0..51 {
        app.store.put_promise(&promise, &[]).await.expect("put");
        promise.id = PromiseId(uuid::Uuid::now_v7());
    }
    let client = own.client;
    let first = format!("/api/v1/morning-review/promises?client={client}&limit=500");
    let page = app.get(&first).token(&token).send().await.json();
    assert_eq!(page["items"].as_array().map(Vec::len), Some(50));
    let rest = format!(
        "{first}&cursor={}",
        page["next_cursor"].as_str().expect("more")
    );
    let page = app.get(&rest).token(&token).send().await.json();
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(page["next_cursor"], json!(null));
}

#[tokio::test]
async fn a_file_tells_its_age_and_a_payment_at_once_row_01() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    let mut point = app.store.get_point(own.point).await.expect("point");
    point.added_at = START.plus_ms(-400 * DAY_MS);
    point.last_rpc_at = None;
    app.store.put_point(&point, &[]).await.expect("put");
    let path = format!("/api/v1/debtors/{}", own.debtor);
    let file = app.get(&path).token(&token).send().await.json();
    let debt = app.store.get_debt(own.debt).await.expect("debt");
    let age = file["ageing"]
        .as_array()
        .expect("ages")
        .iter()
        .find(|a| a["debt_id"] == json!(debt.id));
    let days = age.expect("its age")["days"].as_i64().expect("days");
    let today = domain::segment::day_of_date("2026-11-23").expect("a day");
    assert_eq!(
        Some(today - days),
        domain::segment::day_of_date(&debt.due_date)
    );
    let tasks = file["tasks"].as_array().expect("tasks");
    let stale = tasks.iter().find(|t| t["point_id"] == json!(point.id));
    assert_eq!(stale.expect("a task")["days"], json!(400));
    let before = file["payments"].as_array().map_or(0, Vec::len);
    pay(&app, &token, 5_000, "file-1").await;
    let file = app.get(&path).token(&token).send().await.json();
    assert_eq!(file["payments"].as_array().map(Vec::len), Some(before + 1));
}
