//! Kamailio in the path, as registrar and proxy before a carrier. `MARCADOR_SIPP=1` with `kamailio`
//! on the PATH or in /usr/sbin; without it this test passes without having looked, since not every
//! machine has it.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::peer::{Peer, Plan, Seen};
use common::{Node, trunk};
use domain::ports::HangUpCause;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use voice::TrunkConfig;

const DEBTOR_HZ: f64 = 700.0;

fn wanted() -> bool {
    std::env::var("MARCADOR_SIPP").is_ok_and(|v| v == "1")
}

fn free_port() -> u16 {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("port");
    socket.local_addr().expect("address").port()
}

/// Registrar with a digest, and a proxy that stays in the path to `carrier`.
fn proxy_script(port: u16, carrier: SocketAddr) -> String {
    format!(
        r#"debug=0
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:127.0.0.1:{port}
alias="127.0.0.1:{port}"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)
request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
  if (has_totag()) {{
    if (loose_route()) {{ t_relay(); exit; }}
    if (is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    sl_send_reply("404", "Not Here"); exit;
  }}
  t_check_trans();
  if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
  if (is_method("REGISTER")) {{
    if (!pv_www_authenticate("kamailio", "secret", "0")) {{ www_challenge("kamailio", "1"); exit; }}
    save("location"); exit;
  }}
  if (!pv_proxy_authenticate("kamailio", "secret", "0")) {{ proxy_challenge("kamailio", "1"); exit; }}
  consume_credentials();
  record_route();
  $du = "sip:{carrier}";
  t_relay();
}}
"#
    )
}

fn kamailio(folder: &Path, port: u16, carrier: SocketAddr) -> Child {
    let script = folder.join("kamailio.cfg");
    std::fs::write(&script, proxy_script(port, carrier)).expect("writes");
    Command::new("kamailio")
        .arg("-f")
        .arg(&script)
        .args(["-DD", "-E", "-m", "32", "-M", "4", "-w"])
        .arg(folder)
        .arg("-Y")
        .arg(folder)
        .env("PATH", with_sbin())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.join("kamailio.log")).expect("log"))
        .kill_on_drop(true)
        .spawn()
        .expect("kamailio is on the PATH")
}

/// Where Debian keeps daemons.
fn with_sbin() -> String {
    format!(
        "{}:/usr/sbin:/sbin",
        std::env::var("PATH").unwrap_or_default()
    )
}

async fn hears(port: u16) {
    for _ in 0..250 {
        if std::net::UdpSocket::bind(("127.0.0.1", port)).is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it does not start");
}

/// Ends a daemon with its children: it ends them itself on TERM.
async fn ends(mut child: Child) {
    if let Some(id) = child.id() {
        let _ = Command::new("kill").arg(id.to_string()).status().await;
    }
    let _ = tokio::time::timeout(Duration::from_secs(5), child.wait()).await;
}

#[tokio::test]
async fn kamailio_registers_us_and_stands_in_the_path() {
    if !wanted() {
        return;
    }
    let mut carrier = Peer::start(Plan::answers(DEBTOR_HZ)).await;
    let folder = tempfile::tempdir().expect("folder");
    let port = free_port();
    let proxy = kamailio(folder.path(), port, carrier.addr);
    hears(port).await;
    let config = TrunkConfig {
        username: Some("account".into()),
        password: Some("secret".into()),
        register: true,
        ..trunk(SocketAddr::from(([127, 0, 0, 1], port)))
    };
    let mut node = Node::start(vec![config]).await;
    let mut registered = false;
    for _ in 0..100 {
        registered = node.handle.trunks().await[0].registered == Some(true);
        if registered {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(registered, "{}", log(folder.path()));
    for n in 1..=2 {
        let attempt = node.dial(n, 20_000).await;
        carrier
            .sees(|s| matches!(s, Seen::Invite { .. }).then_some(()))
            .await;
        node.answered(attempt).await;
        tokio::time::sleep(Duration::from_millis(400)).await;
        // Once we hang up, once the debtor: both BYEs go through the proxy.
        if n == 1 {
            let ended = node.trunk.hang_up(attempt, HangUpCause::Normal).await;
            ended.expect("hangs up");
            let by_remote = |s: &Seen| match s {
                Seen::Ended { by_remote, .. } => Some(*by_remote),
                _ => None,
            };
            assert!(carrier.sees(by_remote).await);
        } else {
            carrier.hang_up().await;
        }
        let end = node.ended(attempt).await;
        assert_eq!(end.code, Some(200));
        assert!(end.rtp_in > 5 && end.rtp_out > 5, "{end:?}");
    }
    // A call withdrawn while it rings: CANCEL through the proxy.
    let ringing = Peer::start(Plan::rings()).await;
    let port = free_port();
    let other = tempfile::tempdir().expect("folder");
    let second = kamailio(other.path(), port, ringing.addr);
    hears(port).await;
    let config = TrunkConfig {
        username: Some("account".into()),
        password: Some("secret".into()),
        ..trunk(SocketAddr::from(([127, 0, 0, 1], port)))
    };
    node.handle
        .set_trunks(vec![config])
        .await
        .expect("takes it");
    let attempt = node.dial(3, 700).await;
    let end = node.ended(attempt).await;
    assert_eq!(end.code, Some(487), "{}", log(other.path()));
    ends(second).await;
    ends(proxy).await;
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("kamailio.log")).unwrap_or_default()
}
