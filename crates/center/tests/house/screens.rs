//! What screens are told: `me` without holes, the standing card, previews, the board.

use crate::held::message;
use crate::world::{ALL_ANSWER, House, NOBODY, Plan, campaign_id, client_id, debtor_id, id};
use center::{Actor, StateAsk};
use domain::entity::{CampaignParams, DialMode, MessageState};
use domain::ports::Clock as _;
use domain::ports::store::{Heard, MessageStore as _};
use domain::rules::agent_state::PauseCode;
use domain::time::UtcMs;
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn a_screen_that_comes_back_gets_what_it_missed_or_the_whole() {
    let house = House::build(Plan {
        mix: ALL_ANSWER,
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    house.until("talking", || agent.state() == "talking").await;
    let told = agent.messages();
    let seq = told.iter().filter(|(_, m)| m["topic"] == "me").count();
    let last = told
        .iter()
        .rev()
        .find_map(|(_, m)| m["seq"].as_u64())
        .expect("a seq");
    let resumed = house.sign_in(1).await;
    house
        .center
        .sub_me(agent.id, Some(last - 2))
        .await
        .expect("known");
    house.until("told", || resumed.messages().len() >= 4).await;
    let kinds: Vec<String> = resumed
        .messages()
        .iter()
        .map(|(_, m)| m["t"].as_str().unwrap_or("").to_owned())
        .collect();
    assert_eq!(
        kinds,
        ["snap", "pop", "d", "d", "pop"],
        "after {seq} messages"
    );
    house
        .center
        .sub_me(agent.id, Some(last + 50))
        .await
        .expect("known");
    house.until("told", || resumed.messages().len() >= 8).await;
    let tail: Vec<Value> = resumed
        .messages()
        .into_iter()
        .skip(5)
        .map(|(_, m)| m)
        .collect();
    assert_eq!(
        (&tail[0]["t"], &tail[1]["t"]),
        (&Value::from("gap"), &Value::from("snap"))
    );
    assert_eq!(tail[2]["t"], "pop", "the standing card again");
    assert_eq!(tail[1]["data"]["state"], "talking");
}

#[tokio::test(start_paused = true)]
async fn a_preview_is_shown_skipped_and_dialed() {
    let params = CampaignParams {
        mode: DialMode::Preview,
        ..CampaignParams::default()
    };
    let house = House::build(Plan {
        params,
        mix: ALL_ANSWER,
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    house
        .until("a card", || !agent.of_kind("preview").is_empty())
        .await;
    assert_eq!(agent.state(), "preview");
    let first = agent.of_kind("preview").remove(0).1;
    assert!(first["attempt"].is_null() && first["gate"] == true);
    let item = first["item"]
        .as_str()
        .expect("an item")
        .parse()
        .expect("an id");
    assert_eq!(house.trunk.invites().len(), 0);
    house
        .center
        .preview_skip(agent.id, item)
        .await
        .expect("skipped");
    let gone = house.center.preview_dial(agent.id, item).await;
    assert_eq!(gone.expect_err("another card now").code(), "no_preview");
    house
        .until("the next card", || agent.of_kind("preview").len() == 2)
        .await;
    let second = agent.of_kind("preview").remove(1).1;
    assert_ne!(second["debtor"]["id"], first["debtor"]["id"]);
    let item = second["item"]
        .as_str()
        .expect("an item")
        .parse()
        .expect("an id");
    house
        .center
        .preview_dial(agent.id, item)
        .await
        .expect("dialed");
    house.until("talking", || agent.state() == "talking").await;
    assert_eq!(agent.attempt(), Some(item));
}

#[tokio::test(start_paused = true)]
async fn a_pause_asked_while_talking_is_queued_and_shown() {
    let house = House::build(Plan {
        mix: ALL_ANSWER,
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    house.until("talking", || agent.state() == "talking").await;
    let me = Actor::Agent(agent.id);
    let lunch = StateAsk::Paused(PauseCode::Lunch);
    let answer = house
        .center
        .agent_state(me, agent.id, lunch)
        .await
        .expect("queued");
    assert_eq!(
        (answer.state.as_str(), answer.queued.as_deref()),
        ("talking", Some("pause:lunch"))
    );
    house
        .until("shown", || agent.me()["queued"] == "pause:lunch")
        .await;
    let system = StateAsk::Paused(PauseCode::Lagged);
    let refused = house.center.agent_state(me, agent.id, system).await;
    assert_eq!(refused.expect_err("a system code").code(), "pause_code");
    let other = house
        .center
        .agent_state(me, crate::world::agent_id(3), lunch)
        .await;
    assert_eq!(other.expect_err("not his").code(), "not_yours");
    let id = agent.attempt().expect("a call");
    house.center.hold(agent.id, id, true).await.expect("held");
    house.until("hold", || agent.state() == "hold").await;
    house.center.hold(agent.id, id, false).await.expect("back");
    house.center.mute(agent.id, id, true).await.expect("muted");
    house
        .until("muted", || agent.me()["attempt"]["muted"] == true)
        .await;
    house.center.recording(me, id, false).await.expect("paused");
    house
        .until("paused", || agent.me()["attempt"]["recording"] == "paused")
        .await;
    house.center.recording(me, id, true).await.expect("resumed");
    house
        .until("on", || agent.me()["attempt"]["recording"] == "on")
        .await;
    let bad = house.center.send_dtmf(agent.id, id, 'x').await;
    assert_eq!(bad.expect_err("no key").code(), "bad_digit");
    house.center.hang_up(me, id).await.expect("hangs up");
    house.until("wrap-up", || agent.state() == "wrapup").await;
    let ask = crate::world::ask("CD.NP.NOPUEDE");
    house.center.dispose(me, id, ask).await.expect("disposed");
    house
        .until("at lunch", || agent.me()["pause_code"] == "lunch")
        .await;
}

/// A supervisor's screen: a snapshot with every delta after it applied, as the client does it.
struct Wall {
    seq: u64,
    board: Value,
}

impl Wall {
    fn apply(&mut self, body: &str) {
        let delta: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(delta["seq"].as_u64(), Some(self.seq + 1), "no holes");
        self.seq += 1;
        for key in ["agents", "campaigns", "trunks"] {
            for row in delta[key].as_array().into_iter().flatten() {
                let rows = self.board[key].as_array_mut().expect("rows");
                match rows.iter_mut().find(|r| r["id"] == row["id"]) {
                    Some(old) => *old = row.clone(),
                    None => rows.push(row.clone()),
                }
            }
        }
        for row in delta["rows"].as_array().into_iter().flatten() {
            let rows = self.board["agents"].as_array_mut().expect("rows");
            let agent = rows
                .iter_mut()
                .find(|r| r["id"] == row[0])
                .expect("a known agent");
            agent["state"] = row[1].clone();
            agent["since"] = row[2].clone();
            agent["calls"] = row[3].clone();
            agent["occupancy_pct"] = row[4].clone();
            agent["promises"] = row[5].clone();
        }
        for key in ["alarms", "totals"] {
            if !delta[key].is_null() {
                self.board[key] = delta[key].clone();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn board_deltas_add_up_to_the_board_and_come_at_most_ten_times_a_second() {
    let house = House::with(30).await;
    let first = house.center.board().await;
    let mut wall = Wall {
        seq: first.seq,
        board: serde_json::to_value(&first.data).expect("JSON"),
    };
    let mut deltas = house.center.board_deltas();
    for n in 1..=3 {
        house.agent(n).await;
    }
    house.start().await;
    house.secs(60).await;
    let last = house.center.board().await;
    let mut at: Vec<i64> = Vec::new();
    while let Ok(delta) = deltas.try_recv() {
        let body: Value = serde_json::from_str(&delta.body).expect("JSON");
        at.push(body["now"].as_i64().expect("now"));
        wall.apply(&delta.body);
    }
    // The last tick was asked for by the snapshot itself.
    at.pop();
    assert!(at.len() > 10, "{} deltas", at.len());
    assert!(at.windows(2).all(|w| w[1] - w[0] >= 100), "{at:?}");
    assert_eq!(wall.seq, last.seq);
    assert_eq!(wall.board, serde_json::to_value(&last.data).expect("JSON"));
    let text = wall.board.to_string();
    assert!(
        !text.contains("+5255") && !text.contains("Persona"),
        "no personal data"
    );
    assert_eq!(house.center.board_since(last.seq).map(|d| d.len()), Some(0));
    assert_eq!(
        house.center.board_since(last.seq - 2).map(|d| d.len()),
        Some(2)
    );
    assert!(house.center.board_since(last.seq + 1).is_none());
}

#[tokio::test(start_paused = true)]
async fn the_hopper_shows_who_is_next() {
    let house = House::build(Plan {
        mix: NOBODY,
        ..Plan::default()
    })
    .await;
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(1).await;
    let hopper = house.center.hopper(campaign_id()).await.expect("known");
    assert_eq!(hopper.items.len(), 11, "twelve less the one that rings");
    assert!(
        hopper
            .items
            .iter()
            .all(|r| r.masked.starts_with("··") && !r.reason_es.is_empty())
    );
    let row = house.row().await;
    assert_eq!((row.hopper, row.calls.ringing), (11, 1));
    assert!(row.window_closes_at.is_some());
}

/// A message that was delivered to the first debtor, and his answer.
async fn written(house: &House, at: UtcMs) {
    let message = message(801, 0, MessageState::Delivered, at);
    let planned = house.store.plan_messages(&[message], &[]).await;
    assert_eq!(planned.expect("works"), 1);
    let row = json!({
        "id": id(802), "client_id": client_id(), "debtor_id": debtor_id(0), "message_id": null,
        "channel": "whatsapp", "address": "+525500000001", "text": "Ya pagué", "gateway": "phones",
        "provider_ref": "in-1", "state": "new", "optout": false, "received_at": at.plus_ms(1_000),
        "handled_at": null, "handled_by": "",
    });
    let heard = Heard {
        row: serde_json::from_value(row).expect("an answer"),
        ledger: None,
        events: Vec::new(),
    };
    assert!(house.store.hear(&heard).await.expect("works"));
}

#[tokio::test(start_paused = true)]
async fn a_card_has_one_timeline_over_all_channels_row_06() {
    let house = House::with(1).await;
    written(&house, house.clock.now().plus_ms(-60_000)).await;
    let agent = house.agent(1).await;
    house.start().await;
    house.talking(&agent).await;
    let pop = agent.of_kind("pop").pop().expect("a card").1;
    let lines = pop["timeline"].as_array().expect("a timeline").clone();
    let told = |kind: &str| lines.iter().find(|l| l["kind"] == kind);
    let message = told("message").expect("what was sent");
    assert_eq!(
        (&message["text_es"], &message["text_en"]),
        (&json!("SMS entregado"), &json!("SMS delivered"))
    );
    let reply = told("reply").expect("what came");
    assert_eq!(reply["text_es"], json!("escribió por WhatsApp"));
    // Newest first, and never what was written.
    let at = |line: &Value| line["at"].as_i64();
    assert!(lines.is_sorted_by_key(|l| std::cmp::Reverse(at(l))));
    assert!(!pop.to_string().contains("Ya pagué"), "{pop}");
}
