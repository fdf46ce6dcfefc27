//! Kamailio inside TLS, with SIPp behind it: certificates are checked by both ends, in both directions.

use crate::common::Node;
use crate::common::tls::certificate;
use crate::line::{PATIENT_MS, at, came, taking};
use crate::log;
use crate::sipp::{Sipp, free, hears, wanted};
use domain::ports::HangUpCause;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use voice::{SipBind, SipTransport, TlsFiles, TrunkConfig};

const THEIR_NAME: &str = "sip.carrier.example";

/// Where a proxy hears, and whom it passes calls on to.
#[derive(Clone, Copy)]
struct Ways {
    udp: SocketAddr,
    tls: SocketAddr,
    /// By UDP, what came by TLS.
    carrier: SocketAddr,
    /// By TLS, what came by UDP.
    room: SocketAddr,
}

fn script(ways: Ways, tls_config: &Path) -> String {
    let Ways {
        udp,
        tls,
        carrier,
        room,
    } = ways;
    let tls_config = tls_config.display();
    format!(
        r#"debug=1
log_stderror=yes
children=1
tcp_children=2
enable_tls=yes
auto_aliases=no
listen=udp:{udp}
listen=tls:{tls}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "tls.so"
modparam("tls", "config", "{tls_config}")
request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
  if (has_totag()) {{
    if (loose_route()) {{ t_relay(); exit; }}
    if (is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    sl_send_reply("404", "Not Here"); exit;
  }}
  t_check_trans();
  record_route();
  if (proto == TLS) {{ $du = "sip:{carrier}"; }} else {{ $du = "sip:{room};transport=tls"; }}
  t_relay();
}}
"#
    )
}

/// Both as server and as client it shows its own certificate and wants one that `known` signed.
fn domains(own: &TlsFiles, known: &TlsFiles) -> String {
    let files = format!(
        "method = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\n\
         private_key = {}\ncertificate = {}\nca_list = {}\n",
        own.key.display(),
        own.cert.display(),
        known.cert.display()
    );
    format!("[server:default]\n{files}\n[client:default]\n{files}")
}

struct Proxy {
    child: Child,
    ways: Ways,
    _folder: tempfile::TempDir,
}

impl Proxy {
    async fn start(
        (own, known): (&TlsFiles, &TlsFiles),
        carrier: SocketAddr,
        room: SocketAddr,
    ) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let at = folder.path();
        let ways = Ways {
            udp: free(),
            tls: free(),
            carrier,
            room,
        };
        std::fs::write(at.join("tls.cfg"), domains(own, known)).expect("writes");
        let text = script(ways, &at.join("tls.cfg"));
        std::fs::write(at.join("kamailio.cfg"), text).expect("writes");
        // Where Debian keeps daemons.
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
        let child = Command::new("kamailio")
            .arg("-f")
            .arg(at.join("kamailio.cfg"))
            .args(["-DD", "-E", "-m", "64", "-M", "8", "-w"])
            .arg(at)
            .arg("-Y")
            .arg(at)
            .env("PATH", path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(at.join("log")).expect("log"))
            .kill_on_drop(true)
            .spawn()
            .expect("kamailio is on the PATH");
        hears(ways.udp, SipTransport::Udp).await;
        hears(ways.tls, SipTransport::Tls).await;
        Self {
            child,
            ways,
            _folder: folder,
        }
    }

    /// Ends it with its children: it ends them itself on TERM.
    async fn ends(mut self) {
        if let Some(id) = self.child.id() {
            let _ = Command::new("kill").arg(id.to_string()).status().await;
        }
        let _ = tokio::time::timeout(Duration::from_secs(5), self.child.wait()).await;
    }
}

/// The proxy as our trunk: `authority` signed what it has to show, `own` is what we show.
fn trunk(
    proxy: &Proxy,
    (authority, name): (&TlsFiles, &str),
    own: Option<&TlsFiles>,
) -> TrunkConfig {
    let mut config = at(proxy.ways.tls, SipTransport::Tls);
    config.policy.tls.ca_file = Some(authority.cert.clone());
    config.policy.tls.name = Some(name.to_owned());
    config.policy.tls.own = own.cloned();
    config
}

/// No call, and why there is none is told with the address of the trunk.
async fn refused(config: TrunkConfig, proxy: &Proxy, why: &str) {
    let mut node = Node::start(vec![config]).await;
    let attempt = node.dial(1, PATIENT_MS).await;
    let end = node.ended(attempt).await;
    assert_eq!(end.code, None, "no connection, so nobody who refused");
    log::says(&[&proxy.ways.tls.to_string(), why]).await;
}

/// Calls out: whom we do not trust, and who does not trust us, gets none.
#[tokio::test]
async fn kamailio_inside_tls_as_our_trunk() {
    if !wanted() {
        return;
    }
    log::keep();
    let folder = tempfile::tempdir().expect("folder");
    let [theirs, ours, other] =
        [THEIR_NAME, "ours.example", "other.example"].map(|name| certificate(folder.path(), name));
    let (sipp, carrier) = Sipp::carrier("uas-secured-200", SipTransport::Udp, &["-m", "1"]).await;
    let proxy = Proxy::start((&theirs, &ours), carrier, free()).await;
    let right = (&theirs, THEIR_NAME);
    let unsigned = trunk(&proxy, (&other, THEIR_NAME), Some(&ours));
    refused(unsigned, &proxy, "invalid peer certificate").await;
    let misnamed = trunk(&proxy, (&theirs, "elsewhere.example"), Some(&ours));
    refused(misnamed, &proxy, "not valid for name").await;
    let unshown = trunk(&proxy, right, None);
    refused(unshown, &proxy, "received fatal alert").await;
    let mut node = Node::start(vec![trunk(&proxy, right, Some(&ours))]).await;
    let attempt = node.dial(2, PATIENT_MS).await;
    node.answered(attempt).await;
    let ended = node.trunk.hang_up(attempt, HangUpCause::Normal);
    ended.await.expect("hangs up");
    let end = node.ended(attempt).await;
    assert_eq!((end.code, end.by_us), (Some(200), true));
    sipp.well().await;
    node.is_empty().await;
    proxy.ends().await;
}

/// Calls in: it connects to nobody who shows another certificate than ours.
#[tokio::test]
async fn kamailio_inside_tls_brings_a_caller() {
    if !wanted() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let [theirs, ours] =
        ["caller.example", "room.example"].map(|name| certificate(folder.path(), name));
    let shown = ours.clone();
    let mut node = taking(move |c| {
        c.sip_bind.push(SipBind {
            transport: SipTransport::Tls,
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        });
        c.tls = Some(shown);
    })
    .await;
    let room = node.handle.sip_addr(SipTransport::Tls).expect("bound");
    let proxy = Proxy::start((&theirs, &ours), free(), room).await;
    let udp = SipTransport::Udp;
    let sipp = Sipp::calls("caller-secured-200", udp, proxy.ways.udp, &["-m", "1"]);
    let attempt = came(&mut node).await;
    sipp.well().await;
    let end = node.ended(attempt).await;
    assert_eq!((end.code, end.by_us), (Some(200), false));
    node.is_empty().await;
    proxy.ends().await;
}
