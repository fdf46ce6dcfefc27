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

fn configured(dir: &Path, server: u16, password: &str) -> PathBuf {
    let home = dir.join("baresip");
    let sounds = home.join("sounds");
    std::fs::create_dir_all(&sounds).expect("folder");
    let config = format!(
        "poll_method epoll\nsip_listen 127.0.0.1:{}\nnet_interface 127.0.0.1\n\
         audio_source ausine,{TONE_HZ}\naudio_player aubridge,x\naudio_alert aubridge,x\n\
         ausrc_srate 48000\nausrc_channels 2\nmodule_path {MODULES}\nmodule g711.so\n\
         module ausine.so\nmodule aubridge.so\nmodule sndfile.so\nsnd_path {}\n\
         module_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\n",
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

#[tokio::test]
async fn baresip_carries_an_agents_call() {
    let wished = std::env::var("MARCADOR_SIPP").as_deref() == Ok("1");
    if !wished || Command::new("baresip").arg("-h").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let dir = folder.path();
    let carrier = carrier(dir, None).await;
    let trunk = format!("uri = \"sip:{}\"", carrier.address());
    let port = free_port();
    open_rules(dir);
    let config = base(dir, port, "md5_only = true", &trunk);
    let service = Service::start(dir, &config).expect("starts");
    let admin = Login::open(&service.url, "admin", &service.admin_password).await;
    let floor = set_up(&admin, &["gestora"], 1).await;
    let seat = &floor.seats[0];
    registered(port, "gestora", &seat.sip_password)
        .await
        .stop()
        .await;
    let home = configured(dir, port, &seat.sip_password);
    let mut baresip = start(dir, &home);
    let agent = Login::open(&service.url, "gestora", &seat.password).await;
    let desk = Desk::open(&agent).await;
    // Audio of both directions has passed then.
    desk.until("the leg of baresip", |me| me["phone"]["leg_up"] == true)
        .await;
    agent
        .post("/agents/me/state", json!({"state": "ready"}))
        .await;
    let started = format!("/campaigns/{}/start", floor.campaign);
    admin.post(&started, json!({})).await;
    let attempt = desk.talks().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let hang_up = format!("/attempts/{attempt}/hangup");
    agent.post(&hang_up, json!({})).await;
    let (left, right) = sealed(&admin, dir, &attempt).await;
    assert!(media::freq::share(&left, TONE_HZ) > 0.5, "baresip's tone");
    let debtor: f64 = media::freq::shares(&right, DEBTOR_HZ).iter().sum();
    assert!(debtor > 0.3, "the debtor: {debtor}");
    drop(desk);
    // Asked to end, it closes what it recorded.
    let pid = baresip.0.id().to_string();
    let told = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(told.expect("kill").success());
    baresip.ends(SOON).await;
    let heard: f64 = media::freq::shares(&decoded(&home), DEBTOR_HZ).iter().sum();
    assert!(heard > 0.3, "the debtor at baresip: {heard}");
    carrier.stop().await;
    let line = &log(dir)[0];
    assert!(line["agent_share"].as_f64().expect("share") > 0.5, "{line}");
}
