//! A late case reaches the person who is named for it, over his own socket, and stands in his morning review.

use crate::floor::{Floor, MORNING};
use crate::socket::Socket;
use api::wire::ServerMessage;
use domain::entity::{Debt, DebtStage, Stage};
use domain::ids::UserId;
use domain::ports::store::{
    CatalogStore as _, ListFilter, PageRequest, PeopleStore as _, StageStore as _,
};
use domain::time::{DAY_MS, UtcMs};
use serde_json::{Value, json};

async fn user(floor: &Floor, name: &str) -> UserId {
    let user = floor.store.user_by_name(name).await.expect("works");
    user.expect("a login").id
}

/// The debt's deadline has passed long ago, and nobody has been told.
async fn late(floor: &Floor, debt: &Debt, owner: Option<UserId>) {
    let row = DebtStage {
        debt_id: debt.id,
        client_id: debt.client_id,
        debtor_id: debt.debtor_id,
        stage: Stage::Extrajudicial,
        entered_at: UtcMs(0),
        deadline: Some(UtcMs(1_000)),
        owner_id: owner,
        late_at: None,
        statute_told: None,
        moved_by: "system".into(),
        reason: "age".into(),
    };
    let from = floor.store.stage_of(debt.id).await.expect("works");
    let moved = floor.store.move_stage(&row, from.map(|s| s.stage), &[]);
    assert!(moved.await.expect("works"));
    floor.center.stages_round().await.expect("a round");
}

async fn told(socket: &mut Socket) -> Value {
    let message = socket.until("late_case").await;
    let read: ServerMessage = serde_json::from_value(message.clone()).expect("of the contract");
    assert!(matches!(read, ServerMessage::LateCase { .. }));
    message["debt"].clone()
}

async fn in_the_morning(floor: &Floor, token: &str, path: &str) -> Vec<Value> {
    let (status, body) = floor
        .get(token, &format!("{path}?client={}", floor.client))
        .await;
    assert_eq!(status, 200, "{body}");
    let rows = body["my_late_cases"].as_array().expect("a list").iter();
    rows.map(|row| row["debt_id"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_case_is_told_at_once_to_whom_it_is_given_row_15() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    floor.import(&marta, 4).await;
    let page = PageRequest {
        limit: 10,
        cursor: None,
    };
    let debts = floor.store.list_debts(&ListFilter::default(), &page).await;
    let debts = debts.expect("debts").items;
    let (sofia, ana) = (floor.sign_in("sofia").await, floor.sign_in("ana").await);
    let (mut of_sofia, _) = floor.socket(&sofia, "/ws/supervisor").await;
    let (mut of_marta, _) = floor.socket(&marta, "/ws/supervisor").await;
    let (mut of_ana, _) = floor.socket(&ana, "/ws/agent").await;
    let owners = [
        Some(user(&floor, "sofia").await),
        None,
        Some(user(&floor, "ana").await),
        Some(user(&floor, "sofia").await),
    ];
    for (debt, owner) in debts.iter().zip(owners) {
        late(&floor, debt, owner).await;
    }
    // Each hears of his own alone, in their order; what nobody is named for is the managers'.
    assert_eq!(told(&mut of_sofia).await, json!(debts[0].id));
    assert_eq!(told(&mut of_sofia).await, json!(debts[3].id));
    assert_eq!(told(&mut of_marta).await, json!(debts[1].id));
    assert_eq!(told(&mut of_ana).await, json!(debts[2].id));
    let mut own = vec![json!(debts[0].id), json!(debts[3].id)];
    own.sort_by_key(Value::to_string);
    assert_eq!(in_the_morning(&floor, &sofia, "/morning-review").await, own);
    let marta_s = in_the_morning(&floor, &marta, "/morning-review").await;
    assert_eq!(marta_s, [json!(debts[1].id)]);
    let ana_s = in_the_morning(&floor, &ana, "/morning-list").await;
    assert_eq!(ana_s, [json!(debts[2].id)]);
    // A statute date that is near is told as well, once.
    let near = MORNING.plus_ms(20 * DAY_MS).to_string();
    let date: String = near.chars().take(10).collect();
    let dated = Debt {
        statute_date: Some(date.clone()),
        ..debts[2].clone()
    };
    floor.store.put_debt(&dated, &[]).await.expect("put");
    for _ in 0..2 {
        floor.center.stages_round().await.expect("a round");
    }
    let message = of_ana.until("late_case").await;
    assert_eq!(message["debt"], json!(debts[2].id));
    assert_eq!(message["statute_date"], json!(date));
    let (_, list) = floor.get(&sofia, "/stages?late=true").await;
    let rows = list["items"].as_array().expect("list").iter();
    let told: Vec<&Value> = rows
        .filter(|s| s["debt_id"] == json!(debts[2].id))
        .map(|s| &s["statute_told"])
        .collect();
    assert_eq!(told, [&json!(date)]);
    let (_, mine) = floor.get(&sofia, "/stages?mine=true&late=true").await;
    let names: Vec<&Value> = mine["items"]
        .as_array()
        .expect("list")
        .iter()
        .map(|s| &s["owner"])
        .collect();
    assert_eq!(names, [&json!("sofia"), &json!("sofia")]);
}
