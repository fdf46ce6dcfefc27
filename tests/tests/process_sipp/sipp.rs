//! The program and SIPp: a trunk that knows no OPTIONS (`-sn uas`), an agent's phone, a caller
//! (`-sn uac`), and an agent over the API and his socket. `MARCADOR_SIPP=1`, with `sipp` on the PATH.

use crate::floor::{Desk, Login, SOON, base, free_port, open_rules, set_up};
use marcador_tests::demo_facts::channels;
use marcador_tests::house::top;
use marcador_tests::process::run;
use marcador_tests::service::Service;
use media::g711::Law;
use serde_json::json;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Tone of the agent's phone, Hz.
const AGENT_HZ: f64 = 700.0;
/// What the agent says of the call.
const CODE: &str = "CD.NP.NOPUEDE";

/// A process that is killed when dropped.
pub(crate) struct Owned(pub(crate) Child);

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Owned {
    /// Its exit status, or a failure when it does not end.
    pub(crate) async fn ends(&mut self, most: Duration) -> bool {
        let since = Instant::now();
        while since.elapsed() < most {
            if let Some(status) = self.0.try_wait().expect("waits") {
                return status.success();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("a process did not end in {most:?}");
    }
}

pub(crate) fn sipp(dir: &Path, port: u16, args: &[&str]) -> Owned {
    let (port, media) = (port.to_string(), free_port().to_string());
    let log = std::fs::File::create(dir.join(format!("sipp-{port}.log"))).expect("log");
    let child = Command::new("sipp")
        .current_dir(dir)
        .args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin"])
        .args(["-p", &port, "-mp", &media, "-timeout", "150"])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    Owned(child.expect("sipp is on the PATH"))
}

pub(crate) fn scenario(name: &str) -> String {
    top()
        .join("sip-test/scenarios")
        .join(name)
        .display()
        .to_string()
}

/// The scenario of the phone that answers, with a tone in place of the echo: at a trunk that echoes
/// too, packets would go round for ever.
pub(crate) fn speaking_phone(dir: &Path) -> String {
    let tone: Vec<i16> = (0..8_000)
        .map(|n| (f64::sin(f64::from(n) * AGENT_HZ * std::f64::consts::TAU / 8_000.0) * 8e3) as i16)
        .collect();
    let mut bytes = Vec::new();
    Law::A.encode(&tone, &mut bytes);
    std::fs::write(dir.join("tone.alaw"), bytes).expect("tone");
    let text = std::fs::read_to_string(scenario("phone-answer-200.xml")).expect("scenario");
    let speak = "<recv request=\"ACK\"/>\n  <nop><action>\
        <exec rtp_stream=\"tone.alaw,-1,8,PCMA/8000\"/></action></nop>";
    let text = text
        .replace("[media_port]", "[rtpstream_audio_port]")
        .replace("<recv request=\"ACK\"/>", speak);
    let path = dir.join("phone.xml");
    std::fs::write(&path, text).expect("scenario");
    path.display().to_string()
}

pub(crate) fn config(dir: &Path, sip: u16, trunk: u16) -> String {
    let more = "md5_first = true\ninbound_from_anyone = true";
    let trunk = format!("uri = \"sip:127.0.0.1:{trunk}\"");
    base(dir, sip, more, &trunk)
}

/// The agent takes the call, ticks the identity, hangs up and disposes; the attempt.
async fn take_one_call(admin: &Login, agent: &Login, desk: &Desk) -> String {
    desk.until("the leg of the phone", |me| me["phone"]["leg_up"] == true)
        .await;
    agent
        .post("/agents/me/state", json!({"state": "ready"}))
        .await;
    let attempt = desk.talks().await;
    let at = |what: &str| format!("/attempts/{attempt}/{what}");
    agent
        .post(&at("identity"), json!({"role": "titular"}))
        .await;
    // Two seconds of conversation, for the recording.
    tokio::time::sleep(Duration::from_secs(2)).await;
    agent.post(&at("hangup"), json!({})).await;
    desk.until("the end", |me| me["state"] == "wrapup").await;
    let disposed = agent.post(&at("disposition"), json!({"code": CODE})).await;
    assert_eq!(disposed["attempt"]["disposition"], CODE, "{disposed}");
    let since = Instant::now();
    loop {
        let rows = admin.get(&format!("/recordings?attempt={attempt}")).await;
        if rows["items"][0]["sealed_at"].is_string() {
            assert!(rows["items"][0]["sha256"].is_string(), "{rows}");
            return attempt;
        }
        assert!(
            since.elapsed() < SOON,
            "the recording is not sealed: {rows}"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The server reads its phones again every few seconds: SIPp tries until it is taken.
pub(crate) async fn register(dir: &Path, phone: u16, us: &str, password: &str) {
    let plan = scenario("phone-register-200.xml");
    let account = [
        "-s", "gestora", "-au", "gestora", "-ap", password, "-m", "1",
    ];
    let args = [&["-sf", &plan, us], &account[..]].concat();
    let since = Instant::now();
    while !sipp(dir, phone, &args).ends(SOON).await {
        assert!(since.elapsed() < SOON, "the phone is not taken");
        // Guesses of a password in quick order would be shut out.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

#[tokio::test]
async fn a_service_with_sipp_as_trunk_phone_and_caller() {
    if std::env::var("MARCADOR_SIPP").as_deref() != Ok("1") {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let dir = folder.path();
    let (sip, trunk, phone) = (free_port(), free_port(), free_port());
    open_rules(dir);
    // As it is: an OPTIONS is an unexpected message for it, and stays without an answer.
    let _carrier = sipp(dir, trunk, &["-sn", "uas", "-rtp_echo"]);
    let mut service = Service::start(dir, &config(dir, sip, trunk)).expect("starts");
    let url = service.url.clone();
    let us = format!("127.0.0.1:{sip}");
    let admin = Login::open(&url, "admin", &service.admin_password).await;
    let codes = admin.get("/dispositions").await;
    assert!(codes["items"].as_array().expect("list").len() >= 40);
    let floor = set_up(&admin, &["gestora"], 1).await;
    let seat = &floor.seats[0];

    register(dir, phone, &us, &seat.sip_password).await;
    let speaking = speaking_phone(dir);
    let _phone = sipp(dir, phone, &["-sf", &speaking, "-m", "1", &us]);
    let agent = Login::open(&url, "gestora", &seat.password).await;
    let desk = Desk::open(&agent).await;
    let started = admin
        .post(&format!("/campaigns/{}/start", floor.campaign), json!({}))
        .await;
    assert_eq!(started["refill"]["added"], 1, "{started}");
    let attempt = take_one_call(&admin, &agent, &desk).await;

    let caller = ["-sn", "uac", "-s", "+51911000000", "-m", "3", &us];
    assert!(
        sipp(dir, free_port(), &caller).ends(SOON).await,
        "the caller is answered"
    );

    let rows = admin.get(&format!("/recordings?attempt={attempt}")).await;
    let key = rows["items"][0]["key"].as_str().expect("key");
    let file = dir.join("recordings").join(key);
    let (left, _) = channels(&file, &dir.join("recordings.key")).expect("playable");
    assert!(left.len() > 8_000, "{} samples", left.len());
    assert!(
        media::freq::share(&left, AGENT_HZ) > 0.3,
        "the agent is on the left"
    );
    drop(desk);
    assert!(service.stop(SOON).expect("ends"), "TERM ends it well");
    let at = dir.join("marcador.toml").display().to_string();
    let (code, out, _) = run(&["verify", "recordings", "--config", &at], &[]).expect("runs");
    assert_eq!(code, 0, "{out}");
}
