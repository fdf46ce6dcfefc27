//! Plans over HTTP: terms by version, the page on which a debtor accepts, letters that stay polite, stages
//! with their tests, and the file that goes with a case.

use crate::app::App;
use crate::pay::form;
use domain::ports::Clock as _;
use domain::ports::store::{CatalogStore as _, PeopleStore as _, PlanStore as _, StageStore as _};
use domain::time::{DAY_MS, UtcMs};
use serde_json::{Value, json};

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let at = page.find(&start).expect("the field") + start.len();
    page[at..].split('"').next().expect("its end").to_owned()
}

/// A plan drawn by a supervisor, and its link.
async fn linked(app: &App) -> (String, String) {
    let own = &app.world.norte;
    let body = json!({"debtor_id": own.debtor, "debt_id": own.debt, "offer": "down_and_three"});
    let drawn = app.post_as("supervisor", "/plans", &body).await;
    assert_eq!(drawn.status, 201, "{}", drawn.text());
    let plan = drawn.json()["plan"].clone();
    assert_eq!(plan["state"], "approved");
    let id = plan["id"].as_str().expect("an id").to_owned();
    let link = app
        .post_as("supervisor", &format!("/plans/{id}/link"), &json!({}))
        .await;
    assert_eq!(link.status, 201, "{}", link.text());
    let path = link.json()["path"].as_str().expect("a path").to_owned();
    (id, path)
}

#[tokio::test]
async fn a_debtor_reads_and_accepts_what_was_agreed_row_21() {
    let app = App::start().await;
    let (id, path) = linked(&app).await;
    let page = app.get(&path).send().await;
    assert_eq!(page.status, 200);
    for secret in ["95,000", "C-1", "Persona"] {
        assert!(!page.text().contains(secret), "before identity: {secret}");
    }
    let wrong = form(&app, &path, "proof=9999").await;
    assert_eq!(wrong.status, 403);
    let right = form(&app, &path, "proof=0101").await;
    assert_eq!(right.status, 200, "{}", right.text());
    let text = right.text();
    assert!(
        text.contains("950.00 MXN") && text.contains("C-1"),
        "{text}"
    );
    let (proved, sha256) = (hidden(&text, "proved"), hidden(&text, "sha256"));
    let unproved = form(&app, &format!("{path}/document"), "proved=x").await;
    assert_eq!(unproved.status, 403);
    let pdf = form(
        &app,
        &format!("{path}/document"),
        &format!("proved={proved}"),
    )
    .await;
    assert_eq!(pdf.header("content-type"), "application/pdf");
    assert!(pdf.body.starts_with(b"%PDF-"));
    let accept = format!("{path}/accept");
    let unticked = form(&app, &accept, &format!("proved={proved}&sha256={sha256}")).await;
    assert_eq!(unticked.status, 403);
    let other = format!("proved={proved}&sha256={}&agree=yes", "0".repeat(64));
    assert_eq!(
        form(&app, &accept, &other).await.status,
        409,
        "another document"
    );
    let yes = format!("proved={proved}&sha256={sha256}&agree=yes");
    let done = form(&app, &accept, &yes).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let plan = app
        .get_as("supervisor", &format!("/plans/{id}"))
        .await
        .json();
    // The debtor's file has it too, with its paper and parts.
    let file = format!("/debtors/{}", app.world.norte.debtor);
    let file = app.get_as("supervisor", &file).await.json();
    assert_eq!(file["plans"][0], plan);
    assert_eq!(plan["plan"]["state"], "signed");
    assert_eq!(plan["plan"]["document_sha256"], sha256.as_str());
    assert_eq!(plan["plan"]["accepted_identity"], "document_end");
    assert_eq!(
        form(&app, &accept, &yes).await.status,
        200,
        "a repeat changes nothing"
    );
    let shown = app
        .get_as("supervisor", &format!("/plans/{id}/document?language=es"))
        .await;
    assert_eq!(shown.body, pdf.body, "what was accepted is what is kept");
    let english = app
        .get_as("supervisor", &format!("/plans/{id}/document?language=en"))
        .await;
    assert!(english.body.starts_with(b"%PDF-") && english.body != pdf.body);
}

#[tokio::test]
async fn five_wrong_answers_close_the_page_and_a_link_ends() {
    let app = App::start().await;
    let (_, path) = linked(&app).await;
    for _ in 0..5 {
        assert_eq!(form(&app, &path, "proof=9999").await.status, 403);
    }
    assert_eq!(form(&app, &path, "proof=0101").await.status, 403, "closed");
    let app = App::start().await;
    let (_, path) = linked(&app).await;
    app.pass_ms(8 * DAY_MS);
    assert_eq!(app.get(&path).send().await.status, 410);
    assert_eq!(app.get("/a/none").send().await.status, 404);
}

#[tokio::test]
async fn answers_that_come_at_once_are_counted_each() {
    let app = App::start().await;
    let (id, path) = linked(&app).await;
    let wrong = || form(&app, &path, "proof=9999");
    let replies = tokio::join!(
        wrong(),
        wrong(),
        wrong(),
        wrong(),
        wrong(),
        wrong(),
        wrong()
    );
    assert_eq!(replies.6.status, 403);
    let guesses = app.store.login_failures(&format!("agreement:{id}")).await;
    assert_eq!(guesses.expect("guesses").count, 5, "none beyond the fifth");
    assert_eq!(form(&app, &path, "proof=0101").await.status, 403, "closed");
}

#[tokio::test]
async fn an_offer_whose_first_instalment_is_missed_is_not_accepted() {
    let app = App::start().await;
    let (id, _) = linked(&app).await;
    let link = format!("/plans/{id}/link");
    let file = app
        .store
        .get_plan(id.parse().expect("an id"))
        .await
        .expect("the plan");
    let until = file.instalments[0].grace_until;
    let made = app.post_as("supervisor", &link, &json!({})).await.json();
    let expires = made["expires_at"].as_str().expect("an end");
    assert!(
        expires.parse::<UtcMs>().expect("an instant") <= until,
        "no link beyond it: {expires}"
    );
    app.pass_ms(until.since_ms(app.clock.now()));
    let late = app.post_as("supervisor", &link, &json!({})).await;
    assert_eq!(
        (late.status.as_u16(), late.code()),
        (409, "plan_moved".into())
    );
}

#[tokio::test]
async fn the_offer_falls_with_the_balance_it_was_made_on() {
    let app = App::start().await;
    let (_, path) = linked(&app).await;
    let own = &app.world.norte;
    let paid = json!({"debtor_id": own.debtor, "debt_id": own.debt, "channel": "cash",
        "amount": {"amount_minor": 100, "currency": "MXN"},
        "paid_at": "2026-11-23T14:00:00.000Z", "reference": "r-1"});
    assert_eq!(app.post_as("manager", "/payments", &paid).await.status, 201);
    let text = form(&app, &path, "proof=0101").await.text();
    let body = format!(
        "proved={}&sha256={}&agree=yes",
        hidden(&text, "proved"),
        hidden(&text, "sha256")
    );
    assert_eq!(
        form(&app, &format!("{path}/accept"), &body).await.status,
        409
    );
}

#[tokio::test]
async fn terms_are_versions_of_one_document_row_21() {
    let app = App::start().await;
    let own = &app.world.norte;
    let path = format!("/clients/{}/terms", own.client);
    let house = app.get_as("supervisor", &path).await.json();
    assert_eq!(house["version"], 0, "the house's own");
    let token = app.token("manager").await;
    let put = async |body: Value| {
        let ask = app.ask("PUT", &format!("/api/v1{path}")).token(&token);
        ask.json(&body).send().await
    };
    let mut terms = house["terms"].clone();
    terms["ask_timeout_s"] = json!(5);
    let wrong = put(json!({"after": 0, "terms": terms, "note": "x"})).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(wrong.json()["errors"][0]["path"], "terms.ask_timeout_s");
    terms["ask_timeout_s"] = json!(30);
    let limit = |segment| json!([{"segment_id": segment, "min_pct": 30, "max_days": 5}]);
    terms["promises"] = limit(app.world.sur.segment);
    let wrong = put(json!({"after": 0, "terms": terms, "note": "x"})).await;
    let path_of = |reply: &Value| reply["errors"][0]["path"].clone();
    assert_eq!(path_of(&wrong.json()), "terms.promises[0].segment_id");
    terms["promises"] = limit(own.segment);
    let first = put(json!({"after": 0, "terms": terms, "note": "más corto"})).await;
    assert_eq!(
        (first.status.as_u16(), &first.json()["version"]),
        (201, &json!(1))
    );
    let late = put(json!({"after": 0, "terms": terms, "note": "x"})).await;
    assert_eq!(late.status, 409, "somebody wrote in between");
    let all = app
        .get_as("supervisor", &format!("{path}/versions"))
        .await
        .json();
    assert_eq!(all["items"].as_array().map(Vec::len), Some(1));
}

fn letter(app: &App, body: &str) -> Value {
    json!({"client_id": app.world.norte.client, "level": "L2", "language": "es", "after": 0,
        "letterhead": "Norte\nCalle 1", "subject": "Su cuenta {debt.ref}", "body": body})
}

/// A batch of letters for the segment, once it is made, and its path.
async fn printed(app: &App) -> (String, Value) {
    let batch = json!({"segment_id": app.world.norte.segment, "level": "L2"});
    let begun = app.post_as("manager", "/letter-batches", &batch).await;
    assert_eq!(begun.status, 202, "{}", begun.text());
    let path = format!(
        "/letter-batches/{}",
        begun.json()["id"].as_str().expect("an id")
    );
    let mut done = Value::Null;
    let (token, full) = (app.token("supervisor").await, format!("/api/v1{path}"));
    for _ in 0..2_000 {
        done = app.get(&full).token(&token).send().await.json();
        if done["state"] != "running" {
            break;
        }
        tokio::task::yield_now().await;
    }
    (path, done)
}

#[tokio::test]
async fn a_rude_letter_is_refused_at_its_place_and_a_polite_one_is_printed_row_07() {
    let app = App::start().await;
    let own = &app.world.norte;
    let rude = "Estimado {debtor.name}:\nSi no paga llamaremos a la policía.";
    let refused = app
        .post_as("manager", "/letter-templates", &letter(&app, rude))
        .await;
    assert_eq!(refused.status, 422);
    let reason = refused.json()["errors"][0]["reason"].to_string();
    assert!(reason.contains("line 2, column"), "{reason}");
    let unknown = app
        .post_as(
            "manager",
            "/letter-templates",
            &letter(&app, "{debt.secret}"),
        )
        .await;
    assert_eq!(unknown.json()["errors"][0]["path"], "body");
    let kind = "Estimado {debtor.name}:\nDebe {debt.balance} desde el {debt.due_date}.";
    let kept = app
        .post_as("manager", "/letter-templates", &letter(&app, kind))
        .await;
    assert_eq!(kept.status, 201, "{}", kept.text());
    let (_, none) = printed(&app).await;
    assert_eq!(
        (&none["made"], &none["left_out"]),
        (&json!(0), &json!(1)),
        "he disputes it: {none}"
    );
    let mut hold = app.store.get_hold(own.hold).await.expect("a hold");
    hold.lifted_at = Some(app.clock.now());
    app.store.put_hold(&hold, &[]).await.expect("lifted");
    let (path, done) = printed(&app).await;
    assert_eq!(
        (&done["state"], &done["made"]),
        (&json!("done"), &json!(1)),
        "{done}"
    );
    let pdf = app.get_as("supervisor", &format!("{path}/pdf")).await;
    assert!(pdf.body.starts_with(b"%PDF-"));
    let owes = b"1,000.00 MXN";
    assert!(
        pdf.body.windows(owes.len()).any(|w| w == owes),
        "the amount is in it"
    );
    let letters = app
        .get_as("supervisor", &format!("/letters?debtor={}", own.debtor))
        .await;
    let one = letters.json()["items"][0]["id"]
        .as_str()
        .expect("a letter")
        .to_owned();
    let again = app
        .get_as("supervisor", &format!("/letters/{one}/pdf"))
        .await;
    assert!(again.body.starts_with(b"%PDF-"));
}

#[tokio::test]
async fn a_late_case_is_told_to_a_named_person_and_counted_row_15() {
    let app = App::start().await;
    let own = &app.world.norte;
    let mut terms = app
        .get_as("manager", &format!("/clients/{}/terms", own.client))
        .await
        .json()["terms"]
        .clone();
    for stage in terms["stages"].as_array_mut().expect("stages") {
        stage["owner_id"] = json!(app.world.agent_user);
        stage["attempts_min"] = json!(0);
    }
    let token = app.token("manager").await;
    let put = app
        .ask("PUT", &format!("/api/v1/clients/{}/terms", own.client))
        .token(&token);
    let put = put
        .json(&json!({"after": 0, "terms": terms, "note": "plazos"}))
        .send()
        .await;
    assert_eq!(put.status, 201, "{}", put.text());
    let path = format!("/debts/{}/stage", own.debt);
    let moved = json!({"stage": "extrajudicial", "reason": "sin respuesta"});
    let moved = app.post_as("supervisor", &path, &moved).await;
    assert_eq!(moved.status, 200, "{}", moved.text());
    assert_eq!(moved.json()["owner_id"], json!(app.world.agent_user));
    let late = async || {
        let rows = app.store.late_stages(app.clock.now(), 10).await;
        let mut rows = rows.expect("late").into_iter();
        rows.find(|s| s.debt_id == own.debt)
    };
    app.pass_ms(60 * DAY_MS - 1);
    assert_eq!(late().await, None, "its time is not over");
    app.pass_ms(1);
    let row = late().await.expect("it is late");
    assert_eq!(row.owner_id, Some(app.world.agent_user));
    let noted = app.store.note_late(&row, app.clock.now(), &[]).await;
    assert!(noted.expect("told"));
    for (who, sees) in [("agent", 1), ("supervisor", 0), ("manager", 0)] {
        let list = format!("/morning-list?client={}", own.client);
        let list = app.get_as(who, &list).await.json();
        let mine = list["my_late_cases"].as_array().expect("a list");
        assert_eq!(mine.len(), sees, "{who}: {list}");
    }
    let morning = format!("/morning-review?client={}", own.client);
    let morning = app.get_as("supervisor", &morning).await.json();
    assert!(morning["late_cases"].as_u64() >= Some(1), "{morning}");
    let advice = app.get_as("supervisor", &path).await.json();
    let codes = advice["advice"]["missing"].to_string() + &advice["advice"]["reasons"].to_string();
    assert!(codes.contains("deadline"), "{advice}");
}

#[tokio::test]
async fn the_case_file_holds_plans_letters_and_stages_row_18() {
    let app = App::start().await;
    linked(&app).await;
    let own = &app.world.norte;
    let moved = json!({"stage": "judicial", "reason": "x", "despite": true});
    app.post_as("manager", &format!("/debts/{}/stage", own.debt), &moved)
        .await;
    let zip = app
        .get_as("manager", &format!("/debtors/{}/evidence", own.debtor))
        .await;
    assert_eq!(zip.status, 200, "{}", zip.status);
    for name in [
        "plans.json",
        "stages.json",
        "excuses.json",
        "letters.json",
        "agreements/",
    ] {
        let name = name.as_bytes();
        assert!(zip.body.windows(name.len()).any(|w| w == name), "{name:?}");
    }
}

#[tokio::test]
async fn excuses_are_logged_by_the_agent_of_the_call_and_counted_row_20() {
    let app = App::start().await;
    let own = &app.world.norte;
    let path = format!("/attempts/{}/excuse", own.attempt);
    let body = json!({"kind": "forgot", "promise_id": own.promise});
    let logged = app.post_as("agent", &path, &body).await;
    assert_eq!(logged.status, 201, "{}", logged.text());
    let strange = json!({"kind": "forgot", "promise_id": app.world.sur.promise});
    assert_eq!(app.post_as("agent", &path, &strange).await.status, 422);
    let counts = format!(
        "/reports/excuses?client={}&since=2026-11-01T00:00:00.000Z&until=2026-12-01T00:00:00.000Z",
        own.client
    );
    let counts = app.get_as("supervisor", &counts).await.json();
    assert_eq!(counts["items"], json!([{"kind": "forgot", "count": 1}]));
    let list = app
        .get_as("supervisor", &format!("/excuses?debtor={}", own.debtor))
        .await
        .json();
    assert_eq!(list["items"][0]["promise_id"], json!(own.promise));
    let mut row = app.store.get_debtor(own.debtor).await.expect("his file");
    row.country = "CO".into();
    app.store.put_debtor(&row, &[]).await.expect("stored");
    let refused = app
        .post_as("agent", &path, &json!({"kind": "forgot"}))
        .await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert_eq!(refused.json()["code"], "reason_forbidden");
    let debt = app.store.get_debt(own.debt).await.expect("debt");
    assert!(
        app.store
            .plans_of(debt.debtor_id)
            .await
            .expect("plans")
            .is_empty()
    );
}
