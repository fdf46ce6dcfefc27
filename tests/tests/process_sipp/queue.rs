//! Debtors who call back, and a campaign that only tells a message, over real SIP: SIPp is the carrier,
//! the caller and the agent's phone. `MARCADOR_SIPP=1`, with `sipp` on the PATH.

use crate::floor::{CALL, Desk, Floor, Login, SOON, free_port, id, open_rules, set_up};
use crate::sipp::{config, register, scenario, sipp, speaking_phone};
use marcador_tests::service::Service;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// The client's number.
const OURS: &str = "+51911000000";

/// A service with one agent at his phone.
struct House {
    service: Service,
    us: String,
    admin: Login,
    agent: Login,
    desk: Desk,
    floor: Floor,
    _phone: crate::sipp::Owned,
    _carrier: crate::sipp::Owned,
}

async fn house(dir: &Path, debtors: usize, carrier: &[&str]) -> House {
    let (sip, trunk, phone) = (free_port(), free_port(), free_port());
    open_rules(dir);
    let carrier = sipp(dir, trunk, carrier);
    let service = Service::start(dir, &config(dir, sip, trunk)).expect("starts");
    let us = format!("127.0.0.1:{sip}");
    let admin = Login::open(&service.url, "admin", &service.admin_password).await;
    let floor = set_up(&admin, &["gestora"], debtors).await;
    let seat = &floor.seats[0];
    register(dir, phone, &us, &seat.sip_password).await;
    let speaking = speaking_phone(dir);
    let phone = sipp(dir, phone, &["-sf", &speaking, "-m", "1", &us]);
    let agent = Login::open(&service.url, "gestora", &seat.password).await;
    let desk = Desk::open(&agent).await;
    desk.until("the leg of the phone", |me| me["phone"]["leg_up"] == true)
        .await;
    House {
        service,
        us,
        admin,
        agent,
        desk,
        floor,
        _phone: phone,
        _carrier: carrier,
    }
}

impl House {
    async fn change(&self, params: Value) {
        let at = format!(
            "{}/api/v1/campaigns/{}",
            self.service.url, self.floor.campaign
        );
        let body = json!({"params": params});
        let patch = reqwest::Client::new().patch(at).json(&body);
        self.admin.send(patch).await;
    }

    async fn start(&self) {
        let at = format!("/campaigns/{}/start", self.floor.campaign);
        self.admin.post(&at, json!({})).await;
    }

    async fn ready(&self) {
        self.agent
            .post("/agents/me/state", json!({"state": "ready"}))
            .await;
    }

    async fn ends(&self, attempt: &str) {
        let at = |what: &str| format!("/attempts/{attempt}/{what}");
        self.agent.post(&at("hangup"), json!({})).await;
        self.desk
            .until("the end", |me| me["state"] != "talking")
            .await;
        let code = json!({"code": "CI.TN"});
        self.agent.post(&at("disposition"), code).await;
    }

    /// Rows of calls that came in, once as many as that are over.
    async fn over(&self, many: usize) -> Vec<Value> {
        let since = Instant::now();
        loop {
            let rows = self.admin.get("/inbound-calls").await;
            let rows = rows["items"].as_array().expect("rows").clone();
            let done = rows.iter().filter(|r| r["ended_at"].is_string()).count();
            if done >= many {
                return rows;
            }
            assert!(
                since.elapsed() < CALL,
                "not {many} calls are over: {rows:?}"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

#[tokio::test]
async fn a_debtor_who_calls_back_reaches_his_agent() {
    if std::env::var("MARCADOR_SIPP").as_deref() != Ok("1") {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let dir = folder.path();
    let house = house(dir, 2, &["-sn", "uas", "-rtp_echo"]).await;
    house
        .change(json!({"mode": "manual", "inbound": {"blended": true}}))
        .await;
    house.start().await;
    house.ready().await;
    let plan = scenario("caller-queue-200.xml");
    let call = |from: &str| {
        let args = [
            "-sf",
            &plan,
            "-key",
            "from",
            from,
            "-s",
            OURS,
            "-m",
            "1",
            "-rtp_echo",
            &house.us,
        ];
        sipp(dir, free_port(), &args)
    };
    let mut first = call("+51911001066");
    let attempt = house.desk.talks().await;
    let row = house.admin.get(&format!("/attempts/{attempt}")).await;
    assert_eq!(row["direction"], "inbound", "{row}");
    // The second waits until the first is done with.
    let mut second = call("+51911001067");
    let mut stranger = call("+51999999999");
    assert!(stranger.ends(SOON).await, "he hears the announcement");
    house.ends(&attempt).await;
    assert!(first.ends(SOON).await, "hung up on by the agent");
    house
        .desk
        .until("the second", |me| {
            me["state"] == "talking" && me["attempt"]["id"] != attempt.as_str()
        })
        .await;
    let attempt = house.desk.talks().await;
    house.ends(&attempt).await;
    assert!(second.ends(SOON).await);
    let rows = house.over(3).await;
    let mut outcomes: Vec<&str> = rows.iter().filter_map(|r| r["outcome"].as_str()).collect();
    outcomes.sort_unstable();
    assert_eq!(
        outcomes,
        ["answered", "answered", "unidentified"],
        "{rows:?}"
    );
    let seat = &house.floor.seats[0];
    assert_eq!(
        seat.id,
        rows.iter()
            .find_map(|r| r["agent_id"].as_str())
            .unwrap_or("")
    );
}

#[tokio::test]
async fn a_dozen_messages_whose_keys_are_obeyed() {
    if std::env::var("MARCADOR_SIPP").as_deref() != Ok("1") {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let plan = scenario("uas-keys-200.xml");
    let house = house(folder.path(), 12, &["-sf", &plan, "-rtp_echo"]).await;
    let campaign = &house.floor.campaign;
    let approval = json!({"message": "agentless"});
    let at = format!("/campaigns/{campaign}/message/approve");
    house.admin.post(&at, approval).await;
    house
        .change(
            json!({"mode": "agentless", "lines_max": 2, "inbound": {"blended": true},
            "wrapup_mode": "optional", "disposition_required": false, "wrapup_s": 0}),
        )
        .await;
    house.start().await;
    house.ready().await;
    // Whoever pressed 1 comes to the agent.
    let since = Instant::now();
    let mut met = std::collections::BTreeSet::new();
    let rows = loop {
        if house.desk.me()["state"] == "talking" {
            let attempt = id(&house.desk.me()["attempt"]).to_owned();
            house.ends(&attempt).await;
            met.insert(attempt);
            house.ready().await;
        }
        let rows = house
            .admin
            .get(&format!("/attempts?campaign={campaign}&limit=100"))
            .await;
        let rows = rows["items"].as_array().expect("rows").clone();
        let over = rows.iter().filter(|r| r["result"].is_string()).count();
        if over >= 12 {
            break rows;
        }
        assert!(since.elapsed() < CALL * 2, "{over} of 12: {rows:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(rows.len(), 12, "one call each");
    assert!(met.len() >= 4, "{} of six met the agent", met.len());
    let holds = house.admin.get("/holds?limit=100").await;
    let outs = holds["items"].as_array().expect("holds").iter();
    let outs = outs.filter(|h| h["kind"] == "channel_optout").count();
    assert_eq!(outs, 6, "even numbers want no more calls: {holds}");
    assert!(rows.iter().all(|r| r["result"] != "abandoned"), "{rows:?}");
}
