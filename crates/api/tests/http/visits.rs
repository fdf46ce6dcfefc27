//! Visits over HTTP: planned with the law's leave, recorded, cancelled, and seen in the file and the archive.

use crate::app::{App, Reply, START};
use crate::world::Own;
use domain::ids::AddressId;
use domain::ports::store::CatalogStore as _;
use domain::time::{HOUR_MS, UtcMs};
use serde_json::{Value, json};

/// An address of a debtor whom no hold silences.
async fn home(app: &App, own: &Own) -> AddressId {
    let mut hold = app.store.get_hold(own.hold).await.expect("the hold");
    hold.lifted_at = Some(START);
    app.store.put_hold(&hold, &[]).await.expect("lifted");
    app.address(own).await
}

async fn planned(app: &App, own: &Own, (address, at): (AddressId, UtcMs)) -> Reply {
    let path = format!("/debtors/{}/visits", own.debtor);
    let body = json!({"address_id": address, "at": at});
    app.post_as("supervisor", &path, &body).await
}

/// The path of a visit that was planned.
fn path_of(visit: &Value) -> String {
    format!("/visits/{}", visit["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn a_visit_is_planned_recorded_and_listed_row_35() {
    let app = App::start().await;
    let own = &app.world.norte;
    let address = home(&app, own).await;
    let at = START.plus_ms(HOUR_MS);
    let visit = planned(&app, own, (address, at)).await;
    assert_eq!(visit.status, 201, "{}", visit.text());
    let visit = visit.json();
    assert_eq!(
        (&visit["state"], &visit["planned_at"]),
        (&json!("planned"), &json!(at))
    );
    let waits = planned(&app, own, (address, at)).await;
    assert_eq!(
        (waits.status.as_u16(), &waits.json()["code"]),
        (409, &json!("visit_waits"))
    );
    let record = json!({"outcome": "met", "visited_at": at, "result": "CD.NP.NOQUIERE",
        "note": "Casa azul"});
    let path = format!("{}/record", path_of(&visit));
    let early = app.post_as("supervisor", &path, &record).await;
    assert_eq!(
        (early.status.as_u16(), &early.json()["code"]),
        (422, &json!("visit_told"))
    );
    app.pass_ms(2 * HOUR_MS);
    let made = app.post_as("supervisor", &path, &record).await;
    assert_eq!(made.status, 200, "{}", made.text());
    assert_eq!(
        (&made.json()["state"], &made.json()["note"]),
        (&json!("made"), &json!("Casa azul"))
    );
    let again = app.post_as("supervisor", &path, &record).await;
    assert_eq!(
        (again.status.as_u16(), &again.json()["code"]),
        (409, &json!("visit_over"))
    );
    let list = format!("/debtors/{}/visits?limit=1", own.debtor);
    let page = app.get_as("client", &list).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(
        page.json(),
        json!({"items": [made.json()], "next_cursor": null})
    );
    let file = app
        .get_as("supervisor", &format!("/debtors/{}", own.debtor))
        .await;
    assert_eq!(file.json()["visits"], json!([made.json()]));
    let zip = app
        .get_as("manager", &format!("/debtors/{}/evidence", own.debtor))
        .await;
    assert_eq!(zip.status, 200);
    let name = b"visits.json";
    assert!(zip.body.windows(name.len()).any(|w| w == name));
}

#[tokio::test]
async fn a_cancelled_visit_gives_way_to_the_next_and_pages_go_on_row_35() {
    let app = App::start().await;
    let own = &app.world.norte;
    let address = home(&app, own).await;
    let mut told = Vec::new();
    for n in 1..4 {
        let visit = planned(&app, own, (address, START.plus_ms(n * HOUR_MS))).await;
        assert_eq!(visit.status, 201, "{}", visit.text());
        let path = format!("{}/cancel", path_of(&visit.json()));
        let gone = app
            .post_as("supervisor", &path, &json!({"reason": "lluvia"}))
            .await;
        assert_eq!(gone.status, 200, "{}", gone.text());
        assert_eq!(gone.json()["state"], "cancelled");
        told.insert(0, gone.json());
    }
    let mut path = format!("/debtors/{}/visits?limit=2", own.debtor);
    let page = app.get_as("supervisor", &path).await.json();
    let next = page["next_cursor"]
        .as_str()
        .expect("there is more")
        .to_owned();
    path = format!("{path}&cursor={next}");
    let rest = app.get_as("supervisor", &path).await.json();
    let both = [&page["items"], &rest["items"]];
    let all: Vec<Value> = both
        .iter()
        .flat_map(|p| p.as_array().expect("a page"))
        .cloned()
        .collect();
    assert_eq!(all, told);
    assert_eq!(rest["next_cursor"], Value::Null);
}

#[tokio::test]
async fn what_is_wrong_with_a_visit_is_said_by_name_row_35() {
    let app = App::start().await;
    let own = &app.world.norte;
    let address = home(&app, own).await;
    let foreign = home(&app, &app.world.sur).await;
    for other in [foreign, AddressId(uuid::Uuid::now_v7())] {
        let wrong = planned(&app, own, (other, START.plus_ms(HOUR_MS))).await;
        assert_eq!(wrong.status, 422, "{}", wrong.text());
        assert_eq!(wrong.json()["code"], "visit_address");
        assert_eq!(wrong.json()["errors"][0]["path"], "address_id");
    }
    let past = planned(&app, own, (address, START.plus_ms(-HOUR_MS))).await;
    assert_eq!(past.json()["errors"][0]["path"], "at");
}

#[tokio::test]
async fn a_visit_at_night_is_refused_by_its_rule_and_in_words_row_35() {
    let app = App::lawful().await;
    let own = &app.world.norte;
    let address = home(&app, own).await;
    // Tuesday, three in the morning in Mexico City; then ten.
    let night = START.plus_ms(18 * HOUR_MS);
    let refused = planned(&app, own, (address, night)).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    let kind = refused.header("content-type");
    assert_eq!(kind, "application/problem+json");
    let told = refused.json();
    assert_eq!(
        (&told["code"], &told["rules"], &told["status"]),
        (
            &json!("blocked_window"),
            &json!(["mx-condusef/windows"]),
            &json!(409)
        )
    );
    let words = |language: &str| told["reason"][language].as_str().unwrap_or_default();
    assert_ne!(words("es"), words("en"), "{told}");
    assert_eq!(told["detail"], words("en"));
    assert!(!words("es").is_empty());
    let day = night.plus_ms(7 * HOUR_MS);
    let visit = planned(&app, own, (address, day)).await;
    assert_eq!(visit.status, 201, "nothing was left: {}", visit.text());
}

#[tokio::test]
async fn another_clients_visit_is_no_such_thing_row_35() {
    let app = App::start().await;
    let sur = &app.world.sur;
    let address = home(&app, sur).await;
    let visit = planned(&app, sur, (address, START.plus_ms(HOUR_MS))).await;
    assert_eq!(visit.status, 201, "{}", visit.text());
    let path = path_of(&visit.json());
    let record = json!({"outcome": "nobody", "visited_at": START});
    for (what, body) in [("record", record), ("cancel", json!({"reason": "x"}))] {
        let foreign = app
            .post_as("norte-supervisor", &format!("{path}/{what}"), &body)
            .await;
        assert_eq!(foreign.status, 404, "{what}: {}", foreign.text());
        assert_eq!(foreign.json()["code"], "not_found");
    }
    let own = app
        .post_as(
            "supervisor",
            &format!("{path}/cancel"),
            &json!({"reason": "x"}),
        )
        .await;
    assert_eq!(own.status, 200, "{}", own.text());
}
