//! Debtors who call back while every agent talks: they wait in the order in which they came and hear it, one of them
//! leaves and keeps his place, and the agents of one campaign dial and are called. Callers, carrier and phones are ours.

use crate::floor::{SOON, id};
use crate::lines::{Hall, carrier};
use marcador_tests::process::long_tests;
use media::freq::{dbfs, share};
use serde_json::{Value, json};
use sip_test::caller::{CallPlan, Callers, CallersState};
use std::path::Path;
use std::time::{Duration, Instant};

/// The client's number.
const OURS: &str = "+51911000000";
/// Announcements of the test's own: each is short and at a frequency of its own, Hz.
const WAIT_HZ: f64 = 1_250.0;
const PLACE_HZ: f64 = 1_650.0;
const OFFER_HZ: f64 = 2_050.0;
const KEPT_HZ: f64 = 2_450.0;
const SOUNDS: [(&str, f64); 4] = [
    ("queue_wait", WAIT_HZ),
    ("queue_place", PLACE_HZ),
    ("queue_offer", OFFER_HZ),
    ("queue_kept", KEPT_HZ),
];
/// Numbers that are said are as short, at the frequency of the place.
const NUMBERS: [(&str, f64); 3] = [("n1", PLACE_HZ), ("n2", PLACE_HZ), ("n3", PLACE_HZ)];
const SOUND_MS: u32 = 300;
/// When the second presses the key, ms from his answer: the offer is over after the first announcement, ten seconds of
/// music, place and number.
const PRESSES_MS: u64 = 11_900;
/// The caller who leaves.
const LEAVES: usize = 1;

/// Writes the announcements; their folder.
fn announcements(dir: &Path) -> String {
    let folder = dir.join("prompts");
    std::fs::create_dir(&folder).expect("folder");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    for (name, hz) in SOUNDS.into_iter().chain(NUMBERS) {
        let path = folder.join(format!("{name}.es.wav"));
        let mut wav = hound::WavWriter::create(path, spec).expect("creates");
        for n in 0..SOUND_MS * 8 {
            let turn = f64::from(n) * hz * std::f64::consts::TAU / 8_000.0;
            let sample = media::from_unit(turn.sin() * 0.25);
            wav.write_sample(sample).expect("writes");
        }
        wav.finalize().expect("ends");
    }
    folder.display().to_string()
}

/// Whether an announcement is in what somebody heard: nothing else is one frequency alone, music and voices are not.
fn said(audio: &[i16], hz: f64) -> bool {
    let mut parts = audio.chunks_exact(800);
    parts.any(|part| dbfs(part) > -30.0 && share(part, hz) > 0.9)
}

/// A hall whose agents are both in talk, and who called whom.
struct Queue {
    hall: Hall,
    callers: Callers,
    /// Numbers and debtors of those who were not called.
    others: Vec<(String, String)>,
    /// The calls of the agents.
    talks: Vec<String>,
}

async fn attempt(hall: &Hall, attempt: &str) -> Value {
    hall.admin.get(&format!("/attempts/{attempt}")).await
}

async fn all_busy(dir: &Path, trunk: &str) -> Queue {
    let sip = "inbound_from_anyone = true";
    let trunk = format!("{trunk}\n[media]\nprompts = \"{}\"", announcements(dir));
    let hall = Hall::with(dir, (sip, &trunk), &["gestora", "segunda"], 5).await;
    let at = format!(
        "{}/api/v1/campaigns/{}",
        hall.admin.url, hall.floor.campaign
    );
    let params = json!({"inbound": {"blended": true, "announce_every_s": 10}});
    let patch = reqwest::Client::new()
        .patch(at)
        .json(&json!({"params": params}));
    hall.admin.send(patch).await;
    hall.state(0, "ready").await;
    hall.state(1, "ready").await;
    hall.speaks(0, true);
    let start = format!("/campaigns/{}/start", hall.floor.campaign);
    hall.admin.post(&start, json!({})).await;
    let mut talks = Vec::new();
    for (_, desk, _) in &hall.people {
        talks.push(desk.talks().await);
    }
    let mut called = Vec::new();
    for talk in &talks {
        called.push(attempt(&hall, talk).await["debtor_id"].clone());
    }
    let debtors = hall.admin.get("/debtors?limit=100").await;
    let debtors = debtors["items"].as_array().expect("debtors");
    let mut others: Vec<(String, String)> = debtors
        .iter()
        .filter(|debtor| !called.contains(&debtor["id"]))
        .map(|debtor| {
            let n: u32 = debtor["external_ref"]
                .as_str()
                .expect("text")
                .parse()
                .expect("number");
            (format!("+5191100{:04}", 1_066 + n), id(debtor).to_owned())
        })
        .collect();
    others.sort();
    let callers = Callers::keeping(hall.us, ([127, 0, 0, 1], 0).into()).await;
    Queue {
        callers: callers.expect("sockets"),
        hall,
        others,
        talks,
    }
}

impl Queue {
    /// Rows of the calls that came in, first come first, once they are so.
    async fn rows(&self, what: &str, wish: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let since = Instant::now();
        loop {
            let rows = self.hall.admin.get("/inbound-calls").await;
            let mut rows = rows["items"].as_array().expect("rows").clone();
            rows.reverse();
            if wish(&rows) {
                return rows;
            }
            assert!(since.elapsed() < SOON, "{what}: {rows:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn until(&self, what: &str, wish: impl Fn(CallersState) -> bool) {
        let since = Instant::now();
        while !wish(self.callers.state()) {
            assert!(since.elapsed() < SOON, "{what}: {:?}", self.callers.state());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// One after the other they call and wait.
    async fn all_call(&self) -> Vec<Value> {
        for (n, (from, _)) in self.others.iter().enumerate() {
            let plan = CallPlan {
                from: from.clone(),
                to: OURS.to_owned(),
                patience_ms: 60_000,
                talk_ms: 60_000,
                asks_back_ms: (n == LEAVES).then_some(PRESSES_MS),
            };
            assert!(self.callers.call(plan), "he may call");
            let here = |rows: &[Value]| rows.len() > n && rows[n]["outcome"] == "open";
            self.rows("he waits", here).await;
        }
        self.rows("three wait", |rows| rows.len() == 3).await
    }

    /// Each heard that he waits, his place and the offer, and who left that his place is kept.
    fn all_heard(&self) {
        for (n, (from, _)) in self.others.iter().enumerate() {
            let audio = self.callers.heard(from);
            let heard = SOUNDS.map(|(_, hz)| said(&audio, hz));
            assert_eq!(heard, [true, true, true, n == LEAVES], "what {n} heard");
        }
    }

    /// The first agent ends his call; the next that he gets.
    async fn next(&self, talk: &str) -> Value {
        self.hall.ask(0, talk, "hangup", json!({})).await;
        let desk = &self.hall.people[0].1;
        desk.until("the end", |me| me["state"] != "talking").await;
        self.hall.dispose(0, talk).await;
        let other = |me: &Value| me["state"] == "talking" && me["attempt"]["id"] != talk;
        desk.until("the next call", other).await;
        attempt(&self.hall, id(&desk.me()["attempt"])).await
    }
}

#[tokio::test]
async fn callers_wait_in_order_and_who_leaves_keeps_his_place() {
    if !long_tests() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let dir = folder.path();
    let carrier = carrier(dir, None).await;
    let trunk = format!("uri = \"sip:{}\"", carrier.address());
    let queue = all_busy(dir, &trunk).await;
    let came = queue.all_call().await;
    let places: Vec<Option<u64>> = came.iter().map(|row| row["place"].as_u64()).collect();
    assert_eq!(places, [Some(1), Some(2), Some(3)], "{came:?}");
    let who = |n: usize| json!(queue.others[n].1);
    for (n, row) in came.iter().enumerate() {
        assert_eq!(row["debtor_id"], who(n), "{row}");
    }
    let left = |rows: &[Value]| rows[LEAVES]["outcome"] == "call_back";
    queue.rows("he asks to be called", left).await;
    let gone = |rows: &[Value]| rows[LEAVES]["ended_at"].is_string();
    queue.rows("and his call ends", gone).await;

    // The agent's call, the first caller, the second's call-back, the third.
    let first = queue.next(&queue.talks[0]).await;
    assert_eq!(
        (&first["id"], &first["direction"]),
        (&came[0]["id"], &json!("inbound"))
    );
    queue.until("he hears the agent", |s| s.talked == 1).await;
    let second = queue.next(id(&first)).await;
    assert_eq!(
        (&second["debtor_id"], &second["direction"]),
        (&who(LEAVES), &json!("outbound"))
    );
    let waits = |rows: &[Value]| rows[2]["outcome"] == "open";
    queue.rows("the third waits", waits).await;
    let third = queue.next(id(&second)).await;
    assert_eq!(
        (&third["id"], &third["direction"]),
        (&came[2]["id"], &json!("inbound"))
    );
    queue.until("he hears the agent", |s| s.talked == 2).await;

    let taken = |rows: &[Value]| rows[2]["outcome"] == "answered";
    let rows = queue.rows("the third is taken", taken).await;
    let outcomes: Vec<&str> = rows
        .iter()
        .filter_map(|row| row["outcome"].as_str())
        .collect();
    assert_eq!(outcomes, ["answered", "call_back", "answered"]);
    let agent = json!(queue.hall.floor.seats[0].id);
    for had in [&first, &second, &third] {
        assert_eq!(had["agent_id"], agent, "he dials and is called: {had}");
    }
    let still = queue.hall.people[1].1.me();
    assert_eq!(
        id(&still["attempt"]),
        queue.talks[1],
        "the other agent talks on"
    );
    queue
        .until("the callers' last words", |s| s.live == 1)
        .await;
    queue.all_heard();
    queue.hall.ask(0, id(&third), "hangup", json!({})).await;
    let state = queue.callers.stop().await;
    assert_eq!((state.placed, state.answered, state.talked), (3, 3, 2));
}
