//! Money that moves is told to whoever may show it: whose client's it is, and nothing of its debtor.

use crate::agent::{dialing, ready};
use crate::floor::Floor;
use crate::socket::Socket;
use api::wire::ServerMessage;
use domain::entity::{Attempt, Debt};
use domain::ids::AttemptId;
use domain::ports::store::{AttemptStore as _, CatalogStore as _, ListFilter, PageRequest};
use serde_json::{Value, json};
use std::time::Duration;

/// Longer than a socket gathers what moved.
const GATHERED: Duration = Duration::from_millis(300);

/// The attempt as it is stored, once it is written that its two sides talk.
async fn talked(floor: &Floor, id: AttemptId) -> Attempt {
    loop {
        let row = floor.store.get_attempt(id).await.expect("stored");
        if row.bridged_at.is_some() {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn debt_of(floor: &Floor, row: &Attempt) -> Debt {
    let filter = ListFilter {
        debtor_id: Some(row.debtor_id),
        ..ListFilter::default()
    };
    let page = PageRequest {
        limit: 1,
        cursor: None,
    };
    let debts = floor.store.list_debts(&filter, &page).await.expect("debts");
    debts.items.into_iter().next().expect("a debt")
}

async fn pay(floor: &Floor, token: &str, debt: &Debt, reference: &str) {
    let body = json!({"debtor_id": debt.debtor_id, "debt_id": debt.id, "channel": "cash",
        "amount": {"amount_minor": 100, "currency": "MXN"}, "paid_at": "2026-11-23T14:00:00.000Z",
        "reference": reference});
    let (status, reply) = floor.post(token, "/payments", body).await;
    assert_eq!(status, 201, "{reply}");
}

/// How often it was told of money until it answers.
async fn told(socket: &mut Socket) -> usize {
    socket.send(json!({"t": "ping", "n": 9})).await;
    let mut times = 0;
    loop {
        let message = socket.next().await.expect("open");
        if message["t"] == "pong" && message["n"] == 9 {
            return times;
        }
        times += usize::from(message["t"] == "money");
    }
}

fn holds_nothing_else(message: &Value, floor: &Floor) {
    let now = message["now"].as_i64().expect("an instant");
    assert_eq!(
        message,
        &json!({"t": "money", "now": now, "client": floor.client})
    );
    let read: ServerMessage = serde_json::from_value(message.clone()).expect("of the contract");
    assert!(matches!(read, ServerMessage::Money { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_is_told_to_the_office_and_to_who_talked_with_its_debtor_row_10() {
    let (floor, ana) = dialing().await;
    let (mut of_ana, _) = floor.socket(&ana, "/ws/agent").await;
    of_ana.seat().await;
    ready(&floor, &ana).await;
    let pop = of_ana.until("pop").await;
    let attempt = pop["attempt"].as_str().expect("attempt").to_owned();
    of_ana.until_state("talking").await;
    let mut others = Vec::new();
    for (name, path) in [("luis", "/ws/agent"), ("otto", "/ws/supervisor")] {
        let token = floor.sign_in(name).await;
        others.push((name, floor.socket(&token, path).await.0));
    }
    others[0].1.subscribe("me").await;
    let sofia = floor.sign_in("sofia").await;
    // No topic is asked for: an office shows money on pages without a board.
    let (mut of_sofia, _) = floor.socket(&sofia, "/ws/supervisor").await;
    let marta = floor.sign_in("marta").await;
    let row = talked(&floor, attempt.parse().expect("an id")).await;
    let debt = debt_of(&floor, &row).await;
    pay(&floor, &marta, &debt, "T-1").await;
    holds_nothing_else(&of_sofia.until("money").await, &floor);
    holds_nothing_else(&of_ana.until("money").await, &floor);
    // A burst is told as one, and nothing is told twice.
    for n in 2..12 {
        pay(&floor, &marta, &debt, &format!("T-{n}")).await;
    }
    of_sofia.until("money").await;
    tokio::time::sleep(GATHERED).await;
    let times = told(&mut of_sofia).await;
    assert!(times < 10, "{times} times");
    assert_eq!(told(&mut of_sofia).await, 0);
    for (name, socket) in &mut others {
        assert_eq!(told(socket).await, 0, "{name} shows none of this money");
    }
}
