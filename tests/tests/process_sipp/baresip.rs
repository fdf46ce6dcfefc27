//! baresip as an agent's phone: it registers with a digest, answers our call by itself and carries an
//! agent's conversation. `MARCADOR_SIPP=1` with `baresip` on the PATH.
//!
//! What it wants: `md5_only` (version 1.0 gives up at the sight of another digest), its network named by
//! address (on its own it takes the first interface that is not loopback and tells that one), the account
//! known before it starts (it spends ten guesses in a second).

use crate::floor::{Desk, Login, SOON, base, free_port, open_rules, set_up};
use crate::lines::{carrier, log, registered, sealed};
use crate::sipp::Owned;
use marcador_tests::service::Service;
use media::speech::DEBTOR_HZ;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Its own tone, Hz: one of those that the carrier knows as an agent's.
const TONE_HZ: f64 = 700.0;
const MODULES: &str = "/usr/lib/baresip/modules";

/// Its folder; it takes commands at `control`.
fn configured(dir: &Path, (server, control): (u16, u16), password: &str) -> PathBuf {
    let home = dir.join("baresip");
    let sounds = home.join("sounds");
    std::fs::create_dir_all(&sounds).expect("folder");
    let config = format!(
        "poll_method epoll\nsip_listen 127.0.0.1:{}\nnet_interface 127.0.0.1\n\
         audio_source ausine,{TONE_HZ}\naudio_player aubridge,x\naudio_alert aubridge,x\n\
         ausrc_srate 48000\nausrc_channels 2\nmodule_path {MODULES}\nmodule g711.so\n\
         module ausine.so\nmodule aubridge.so\nmodule sndfile.so\nsnd_path {}\n\
         module_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
         ctrl_tcp_listen 127.0.0.1:{control}\n",
        free_port(),
        sounds.display()
    );
    std::fs::write(home.join("config"), config).expect("written");
    let account = format!(
        "<sip:gestora@127.0.0.1:{server}>;auth_pass={password};answermode=auto;regint=60;\
         audio_codecs=PCMA,PCMU\n"
    );
    std::fs::write(home.join("accounts"), account).expect("written");
    std::fs::write(home.join("contacts"), "").expect("written");
    home
}

fn start(dir: &Path, home: &Path) -> Owned {
    let log = std::fs::File::create(dir.join("baresip.log")).expect("log");
    let child = Command::new("baresip")
        .args(["-4", "-f"])
        .arg(home)
        // Its keys are read from there: an open end keeps it.
        .stdin(Stdio::piped())
        .stdout(log.try_clone().expect("log"))
        .stderr(log)
        .spawn();
    Owned(child.expect("baresip is on the PATH"))
}

/// What it decoded: the file that its recorder left, by the end of its name.
fn decoded(home: &Path) -> Vec<i16> {
    let files = std::fs::read_dir(home.join("sounds")).expect("folder");
    let mut files = files.filter_map(|f| Some(f.ok()?.path()));
    let dec = |p: &PathBuf| p.to_string_lossy().ends_with("-dec.wav");
    let file = files.find(dec).expect("what it heard");
    let mut reader = hound::WavReader::open(file).expect("a WAV");
    assert_eq!(reader.spec().sample_rate, 8_000);
    reader.samples().map(|s| s.expect("sample")).collect()
}

/// A command, as at its keyboard.
async fn told(control: u16, command: &str, params: &str) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut line = tokio::net::TcpStream::connect(("127.0.0.1", control))
        .await
        .expect("it takes commands");
    let text = json!({"command": command, "params": params}).to_string();
    let text = format!("{}:{text},", text.len());
    line.write_all(text.as_bytes()).await.expect("sent");
    // It tells what happens on the same line.
    let mut answer = String::new();
    while !answer.contains("\"response\":true") {
        let mut part = [0; 1_024];
        let read = tokio::time::timeout(SOON, line.read(&mut part)).await;
        let read = read.expect("in time").expect("an answer");
        assert!(read > 0, "it closed: {answer}");
        answer += &String::from_utf8_lossy(&part[..read]);
    }
    assert!(answer.contains("\"ok\":true"), "{answer}");
}

/// A service with baresip as the phone of its one agent, whose leg is up.
struct Booth {
    service: Service,
    admin: Login,
    agent: Login,
    desk: Desk,
    campaign: String,
    /// Where SIP is heard.
    port: u16,
    /// Where baresip takes commands.
    control: u16,
    home: PathBuf,
    baresip: Owned,
}

async fn booth(dir: &Path, trunk: &str, debtors: usize) -> Booth {
    let (port, control) = (free_port(), free_port());
    open_rules(dir);
    let config = base(dir, port, "md5_only = true", trunk);
    let service = Service::start(dir, &config).expect("starts");
    let admin = Login::open(&service.url, "admin", &service.admin_password).await;
    let floor = set_up(&admin, &["gestora"], debtors).await;
    let seat = &floor.seats[0];
    registered(port, "gestora", &seat.sip_password)
        .await
        .stop()
        .await;
    let home = configured(dir, (port, control), &seat.sip_password);
    let baresip = start(dir, &home);
    let agent = Login::open(&service.url, "gestora", &seat.password).await;
    let desk = Desk::open(&agent).await;
    // Audio of both directions has passed then.
    desk.until("the leg of baresip", |me| me["phone"]["leg_up"] == true)
        .await;
    Booth {
        service,
        admin,
        agent,
        desk,
        campaign: floor.campaign,
        port,
        control,
        home,
        baresip,
    }
}

impl Booth {
    async fn ready(&self) {
        let ready = json!({"state": "ready"});
        self.agent.post("/agents/me/state", ready).await;
    }

    /// The campaign begins; the first attempt.
    async fn called(&self) -> String {
        self.ready().await;
        let started = format!("/campaigns/{}/start", self.campaign);
        self.admin.post(&started, json!({})).await;
        self.desk.talks().await
    }
}

fn wished() -> bool {
    std::env::var("MARCADOR_SIPP").as_deref() == Ok("1")
}

#[tokio::test]
async fn baresip_carries_an_agents_call() {
    if !wished() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let dir = folder.path();
    let carrier = carrier(dir, None).await;
    let trunk = format!("uri = \"sip:{}\"", carrier.address());
    let mut booth = booth(dir, &trunk, 1).await;
    let attempt = booth.called().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let hang_up = format!("/attempts/{attempt}/hangup");
    booth.agent.post(&hang_up, json!({})).await;
    let (left, right) = sealed(&booth.admin, dir, &attempt).await;
    assert!(media::freq::share(&left, TONE_HZ) > 0.5, "baresip's tone");
    let debtor: f64 = media::freq::shares(&right, DEBTOR_HZ).iter().sum();
    assert!(debtor > 0.3, "the debtor: {debtor}");
    drop(booth.desk);
    // Asked to end, it closes what it recorded.
    let pid = booth.baresip.0.id().to_string();
    let told = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(told.expect("kill").success());
    booth.baresip.ends(SOON).await;
    let heard = media::freq::shares(&decoded(&booth.home), DEBTOR_HZ);
    let heard: f64 = heard.iter().sum();
    assert!(heard > 0.3, "the debtor at baresip: {heard}");
    carrier.stop().await;
    let line = &log(dir)[0];
    assert!(line["agent_share"].as_f64().expect("share") > 0.5, "{line}");
}

/// Its transfer key: refused where the law or the plan says so, and the call goes on; else the debtor talks with who
/// was called, recorded as before, and the agent is called again by himself for the next one.
#[tokio::test]
async fn baresip_hands_a_call_over() {
    if !wished() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let dir = folder.path();
    let carrier = carrier(dir, None).await;
    let trunk = format!("uri = \"sip:{}\"", carrier.address());
    let booth = booth(dir, &trunk, 2).await;
    let attempt = booth.called().await;
    let trail = format!("/attempts/{attempt}/trail");
    let here = |user: &str| format!("sip:{user}@127.0.0.1:{}", booth.port);
    // Of another country: nobody is called.
    told(booth.control, "transfer", &here("+12025550123")).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(booth.desk.me()["state"], "talking");
    let rows = booth.admin.get(&trail).await;
    assert_eq!(rows["transfers"], json!([]), "{rows}");
    let said = std::fs::read_to_string(dir.join("baresip.log")).expect("log");
    assert!(said.contains("403"), "it was told: {said}");

    told(booth.control, "transfer", &here("+51911002000")).await;
    let desk = &booth.desk;
    desk.until("his wrap-up", |me| me["state"] == "wrapup")
        .await;
    let rows = booth.admin.get(&trail).await;
    let row = &rows["transfers"][0];
    let told_of = ["kind", "mode", "outcome"].map(|key| row[key].clone());
    assert_eq!(told_of, ["number", "blind", "done"], "{rows}");
    // The debtor and the one called talk; then the office ends it.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let code = json!({"code": "CD.NP.NOPUEDE"});
    let disposed = format!("/attempts/{attempt}/disposition");
    booth.agent.post(&disposed, code).await;
    let hang_up = format!("/attempts/{attempt}/hangup");
    booth.admin.post(&hang_up, json!({})).await;
    let (left, right) = sealed(&booth.admin, dir, &attempt).await;
    let tone = media::freq::share(&left, TONE_HZ);
    assert!(tone > 0.1, "baresip's tone: {tone}");
    let party: f64 = media::freq::shares(&left, DEBTOR_HZ).iter().sum();
    assert!(party > 0.05, "who was called, on the agent's side: {party}");
    let debtor: f64 = media::freq::shares(&right, DEBTOR_HZ).iter().sum();
    assert!(debtor > 0.3, "the debtor throughout: {debtor}");
    // baresip hung up behind its transfer and has been called again: the next debtor is his.
    desk.until("the leg of baresip", |me| me["phone"]["leg_up"] == true)
        .await;
    if desk.me()["state"] != "talking" {
        booth.ready().await;
    }
    let next = |me: &serde_json::Value| {
        me["state"] == "talking" && me["attempt"]["id"] != attempt.as_str()
    };
    desk.until("the next call", next).await;
    drop(booth.service);
    carrier.stop().await;
}
