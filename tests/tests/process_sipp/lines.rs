//! A trunk by TLS with SRTP both ways, and calls that change hands, with the program as it is served,
//! agents' phones and our own carrier. What is heard is told by frequency at every ear.

use crate::floor::{Desk, Floor, Login, SOON, base, free_port, id, open_rules, set_up};
use marcador_tests::demo_facts::channels;
use marcador_tests::house::top;
use marcador_tests::process::long_tests;
use marcador_tests::service::Service;
use media::speech::{AGENT_HZ, DEBTOR_HZ};
use serde_json::{Value, json};
use sip_test::carrier::{self, Profile};
use sip_test::phone::{self, Phone, PhoneConfig, Speaking};
use sip_test::secure::Tls;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Time for a change to take hold at every ear, then the time that is listened.
const SETTLE: Duration = Duration::from_millis(1_200);
const LISTEN: Duration = Duration::from_millis(1_500);
const NAME: &str = "sip.carrier.example";

/// Everybody answers soon, talks for minutes and waits with patience.
fn talkers(dir: &Path) -> Profile {
    let usual = std::fs::read_to_string(top().join("sip-test/profiles/default.json"));
    let mut people: Value = serde_json::from_str(&usual.expect("profile")).expect("json");
    for (kind, share) in people["shares"].as_object_mut().expect("shares") {
        *share = json!(if kind == "human" { 1.0 } else { 0.0 });
    }
    people["ring_ms"]["median"] = json!(700);
    people["early_hangup_share"] = json!(0.0);
    people["early_media_share"] = json!(0.0);
    people["talk_s"] = json!([[0.01, 240.0], [0.99, 300.0]]);
    people["patience_s"] = json!([[600.0, 0.999]]);
    let path = dir.join("people.json");
    std::fs::write(&path, people.to_string()).expect("written");
    Profile::load(&path).expect("a profile")
}

/// A certificate signed by itself: its file, and its key's.
fn certificate(dir: &Path, name: &str) -> (PathBuf, PathBuf) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("certificate");
    let files = (
        dir.join(format!("{name}.pem")),
        dir.join(format!("{name}.key")),
    );
    std::fs::write(&files.0, made.cert.pem()).expect("written");
    std::fs::write(&files.1, made.signing_key.serialize_pem()).expect("written");
    files
}

pub(crate) async fn carrier(dir: &Path, tls: Option<Tls>) -> carrier::Running {
    let config = carrier::Config {
        profile: Some(talkers(dir)),
        log: Some(dir.join("carrier.jsonl")),
        heard: Some(dir.join("heard")),
        tls,
        ..carrier::Config::new(([127, 0, 0, 1], 0).into())
    };
    carrier::start(config).await.expect("starts")
}

/// A phone that speaks when it is told to.
pub(crate) async fn registered(server: u16, user: &str, password: &str) -> Phone {
    let mut config = PhoneConfig::new(([127, 0, 0, 1], server).into(), user, password);
    config.speaking = Speaking::WhenTold;
    let mut phone = phone::start(config).await.expect("a phone");
    let up = tokio::time::timeout(SOON, phone.until(|s| s.registered)).await;
    assert!(up.is_ok_and(|up| up), "the phone is not taken");
    phone
}

/// A service, its agents at their desks with a phone each, and debtors.
pub(crate) struct Hall {
    pub(crate) service: Service,
    /// Its SIP address.
    pub(crate) us: SocketAddr,
    pub(crate) admin: Login,
    pub(crate) floor: Floor,
    pub(crate) people: Vec<(Login, Desk, Phone)>,
}

impl Hall {
    async fn open(dir: &Path, trunk: &str, agents: &[&str]) -> Self {
        Self::with(dir, ("", trunk), agents, 1).await
    }

    /// `sip` and `trunk` are lines of those tables.
    pub(crate) async fn with(
        dir: &Path,
        lines: (&str, &str),
        agents: &[&str],
        debtors: usize,
    ) -> Self {
        Self::at(dir, free_port(), lines, agents, debtors).await
    }

    /// The same at that port.
    pub(crate) async fn at(
        dir: &Path,
        port: u16,
        (sip, trunk): (&str, &str),
        agents: &[&str],
        debtors: usize,
    ) -> Self {
        open_rules(dir);
        let service = Service::start(dir, &base(dir, port, sip, trunk)).expect("starts");
        let admin = Login::open(&service.url, "admin", &service.admin_password).await;
        let floor = set_up(&admin, agents, debtors).await;
        let mut people = Vec::new();
        for (name, seat) in agents.iter().zip(&floor.seats) {
            let phone = registered(port, name, &seat.sip_password).await;
            let login = Login::open(&service.url, name, &seat.password).await;
            let desk = Desk::open(&login).await;
            desk.until("the leg of the phone", |me| me["phone"]["leg_up"] == true)
                .await;
            people.push((login, desk, phone));
        }
        Self {
            service,
            us: ([127, 0, 0, 1], port).into(),
            admin,
            floor,
            people,
        }
    }

    pub(crate) async fn state(&self, who: usize, state: &str) {
        let (login, desk, _) = &self.people[who];
        login
            .post("/agents/me/state", json!({"state": state}))
            .await;
        desk.until(state, |me| me["state"] == state).await;
    }

    /// The debtor is called and the first agent has him; the attempt.
    pub(crate) async fn called(&self) -> String {
        let (login, desk, _) = &self.people[0];
        login
            .post("/agents/me/state", json!({"state": "ready"}))
            .await;
        let start = format!("/campaigns/{}/start", self.floor.campaign);
        self.admin.post(&start, json!({})).await;
        desk.talks().await
    }

    pub(crate) fn speaks(&self, who: usize, on: bool) {
        self.people[who].2.speak(on).expect("told");
    }

    /// Shares of the agents' and the debtors' voice at each phone, for a while from now on.
    pub(crate) async fn heard(&self) -> Vec<(f64, f64)> {
        tokio::time::sleep(SETTLE).await;
        for (.., phone) in &self.people {
            phone.hearing().reset();
        }
        tokio::time::sleep(LISTEN).await;
        let shares = self
            .people
            .iter()
            .map(|(.., p)| p.hearing().heard().shares());
        shares.map(|s| (s.agent, s.debtor)).collect()
    }

    pub(crate) async fn ask(&self, who: usize, attempt: &str, what: &str, body: Value) {
        let path = format!("/attempts/{attempt}/{what}");
        self.people[who].0.post(&path, body).await;
    }

    pub(crate) async fn dispose(&self, who: usize, attempt: &str) {
        self.ask(
            who,
            attempt,
            "disposition",
            json!({"code": "CD.NP.NOPUEDE"}),
        )
        .await;
    }
}

/// The sealed recording of an attempt: left, right.
pub(crate) async fn sealed(admin: &Login, dir: &Path, attempt: &str) -> (Vec<i16>, Vec<i16>) {
    let since = Instant::now();
    loop {
        let rows = admin.get(&format!("/recordings?attempt={attempt}")).await;
        let row = &rows["items"][0];
        if row["sealed_at"].is_string() {
            let key = row["key"].as_str().expect("key");
            let file = dir.join("recordings").join(key);
            return channels(&file, &dir.join("recordings.key")).expect("playable");
        }
        assert!(since.elapsed() < SOON, "not sealed: {rows}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn share(samples: &[i16], hz: [f64; 2]) -> f64 {
    media::freq::shares(samples, hz).iter().sum()
}

/// The carrier's own lines of INVITEs it answered.
pub(crate) fn log(dir: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(dir.join("carrier.jsonl")).expect("log");
    let lines = text.lines().map(|l| serde_json::from_str(l).expect("json"));
    lines.collect()
}

#[tokio::test]
async fn a_trunk_by_tls_with_srtp_both_ways() {
    if !long_tests() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let dir = folder.path();
    let (cert, key) = certificate(dir, NAME);
    let (ours, secret) = certificate(dir, "dialer.example");
    let tls = Tls {
        bind: ([127, 0, 0, 1], 0).into(),
        cert: cert.clone(),
        key,
        // It takes calls of those it knows only: our certificate is asked for.
        callers: Some(ours.clone()),
    };
    let carrier = carrier(dir, Some(tls)).await;
    let at = carrier.tls().expect("listens");
    let [ca, ours, secret] = [cert, ours, secret].map(|path| path.display().to_string());
    let trunk = format!(
        "uri = \"sip:{at}\"\ntransport = \"tls\"\ntls_ca_file = \"{ca}\"\ntls_name = \"{NAME}\"\n\
         tls_cert_file = \"{ours}\"\ntls_key_file = \"{secret}\""
    );
    let hall = Hall::open(dir, &trunk, &["gestora"]).await;
    let attempt = hall.called().await;
    hall.speaks(0, true);
    let [(_, debtor)] = hall.heard().await[..] else {
        panic!("one phone");
    };
    assert!(debtor > 0.5, "the debtor at the agent: {debtor}");
    // The keys are those of the call, not of an instant: a hold renews the session and sound goes on.
    hall.ask(0, &attempt, "hold", json!({"on": true})).await;
    tokio::time::sleep(SETTLE).await;
    hall.ask(0, &attempt, "hold", json!({"on": false})).await;
    let [(_, debtor)] = hall.heard().await[..] else {
        panic!("one phone");
    };
    assert!(debtor > 0.5, "the debtor after a hold: {debtor}");
    hall.ask(0, &attempt, "hangup", json!({})).await;
    let (left, right) = sealed(&hall.admin, dir, &attempt).await;
    assert!(
        share(&left, AGENT_HZ) > 0.3,
        "left: {}",
        share(&left, AGENT_HZ)
    );
    assert!(
        share(&right, DEBTOR_HZ) > 0.3,
        "right: {}",
        share(&right, DEBTOR_HZ)
    );
    let summary = carrier.stop().await;
    assert_eq!(summary.answered, 1);
    // The far end takes SRTP and nothing else: what it heard was proved by its key.
    let line = &log(dir)[0];
    assert!(line["agent_share"].as_f64().expect("share") > 0.2, "{line}");
    assert!(line["rtp_in"].as_u64().expect("packets") > 150, "{line}");
    assert_eq!(line["strangers"], 0, "{line}");
    hall.dispose(0, &attempt).await;
}

/// A consultation, a conference and the call given to the second agent.
async fn attended(hall: &Hall, attempt: &str) {
    let second = &hall.floor.seats[1].id;
    let to = json!({"to": {"agent": second}, "mode": "attended"});
    hall.ask(0, attempt, "transfer", to).await;
    hall.people[0]
        .1
        .until("the second agent", |me| {
            me["attempt"]["transfer"]["stage"] == "talking"
        })
        .await;
    hall.speaks(0, true);
    let [(_, debtor), (first, away)] = hall.heard().await[..] else {
        panic!("two phones");
    };
    assert!(first > 0.5 && away < 0.05, "consulted: {first} {away}");
    assert!(debtor < 0.05, "the debtor waits: {debtor}");
    hall.ask(0, attempt, "transfer/conference", json!({"on": true}))
        .await;
    hall.speaks(0, false);
    let [(_, at_first), (_, at_second)] = hall.heard().await[..] else {
        panic!("two phones");
    };
    assert!(
        at_first > 0.5 && at_second > 0.5,
        "conference: {at_first} {at_second}"
    );
    hall.ask(0, attempt, "transfer/complete", json!({})).await;
    let got = hall.people[1].1.talks().await;
    assert_eq!(got, attempt, "the same call");
    hall.people[0]
        .1
        .until("free of the call", |me| me["state"] != "talking")
        .await;
    let [(_, at_first), (_, at_second)] = hall.heard().await[..] else {
        panic!("two phones");
    };
    assert!(
        at_second > 0.5 && at_first < 0.05,
        "given: {at_first} {at_second}"
    );
}

/// Back to the first agent without a word, then to a number outside.
async fn blind(hall: &Hall, attempt: &str) {
    hall.state(0, "ready").await;
    let first = &hall.floor.seats[0].id;
    let to = json!({"to": {"agent": first}, "mode": "blind"});
    hall.ask(1, attempt, "transfer", to).await;
    assert_eq!(hall.people[0].1.talks().await, attempt, "the same call");
    let [(_, at_first), (_, at_second)] = hall.heard().await[..] else {
        panic!("two phones");
    };
    assert!(
        at_first > 0.5 && at_second < 0.05,
        "blind: {at_first} {at_second}"
    );
    hall.speaks(0, true);
    tokio::time::sleep(LISTEN).await;
    hall.speaks(0, false);
    let to = json!({"to": {"number": "+51911002000"}, "mode": "blind"});
    hall.ask(0, attempt, "transfer", to).await;
    hall.people[0]
        .1
        .until("free of the call", |me| {
            me["state"] != "talking" && me["state"] != "hold"
        })
        .await;
    // Debtor and the number talk; no agent hears them.
    let ears = hall.heard().await;
    assert!(ears.iter().all(|(_, debtor)| *debtor < 0.05), "{ears:?}");
}

#[tokio::test]
async fn calls_change_hands() {
    if !long_tests() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let dir = folder.path();
    let carrier = carrier(dir, None).await;
    let trunk = format!("uri = \"sip:{}\"", carrier.address());
    let hall = Hall::open(dir, &trunk, &["gestora", "segunda"]).await;
    let attempt = hall.called().await;
    hall.state(1, "ready").await;
    attended(&hall, &attempt).await;
    blind(&hall, &attempt).await;
    hall.admin
        .post(&format!("/attempts/{attempt}/hangup"), json!({}))
        .await;
    let (left, right) = sealed(&hall.admin, dir, &attempt).await;
    assert!(
        left.len() > 10 * 8_000,
        "one recording throughout: {}",
        left.len()
    );
    assert!(
        share(&left, AGENT_HZ) > 0.05,
        "left: {}",
        share(&left, AGENT_HZ)
    );
    assert!(
        share(&right, DEBTOR_HZ) > 0.3,
        "right: {}",
        share(&right, DEBTOR_HZ)
    );
    let trail = hall.admin.get(&format!("/attempts/{attempt}/trail")).await;
    let rows = trail["transfers"].as_array().expect("transfers").clone();
    let told: Vec<&str> = rows.iter().filter_map(|r| r["outcome"].as_str()).collect();
    assert_eq!(told, ["done"; 3], "{rows:?}");
    assert!(rows.iter().any(|r| r["conference"] == true), "{rows:?}");
    assert!(rows.iter().all(|r| !id(r).is_empty()), "{rows:?}");
    let summary = carrier.stop().await;
    assert_eq!(summary.answered, 2, "the debtor and the number");
}
