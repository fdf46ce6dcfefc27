//! Two trunks at one address inside TLS, each with a certificate of its own; a carrier that restarts.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::tls::certificate;
use common::{Node, order, trunk};
use domain::entity::RecordMode;
use domain::ids::TrunkId;
use domain::ports::{TrunkError, TrunkReport};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use uuid::Uuid;
use voice::{SipTransport, TlsFiles, TrunkConfig};

/// Longest that a trunk rests where a handshake failed: a busy machine may take too long for one.
const REST_MOST: Duration = Duration::from_secs(60);

/// An INVITE: its number, the certificate shown where it came, which connection that was.
type Shown = (String, CertificateDer<'static>, usize);

fn read(files: &TlsFiles) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(&files.cert).expect("a certificate")
}

/// A carrier that wants to see a certificate it knows, and tells the INVITEs that come.
struct Carrier {
    addr: SocketAddr,
    shown: mpsc::Receiver<Shown>,
    /// Ends every connection.
    cut: tokio::sync::watch::Sender<u32>,
    /// It takes INVITEs and says nothing.
    mute: Arc<AtomicBool>,
}

impl Carrier {
    async fn start(own: &TlsFiles, known: &[&TlsFiles]) -> Self {
        voice::install_provider();
        let mut roots = RootCertStore::empty();
        for files in known {
            roots.add(read(files)).expect("a root");
        }
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots));
        let config = ServerConfig::builder()
            .with_client_cert_verifier(verifier.build().expect("a verifier"))
            .with_single_cert(
                vec![read(own)],
                PrivateKeyDer::from_pem_file(&own.key).expect("a key"),
            )
            .expect("a server");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let addr = listener.local_addr().expect("address");
        let (tell, shown) = mpsc::channel(16);
        let (cut, ends) = tokio::sync::watch::channel(0);
        let mute = Arc::new(AtomicBool::new(false));
        let muted = mute.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.expect("accepts");
                let (acceptor, tell, mut ends) = (acceptor.clone(), tell.clone(), ends.clone());
                let mute = muted.clone();
                ends.mark_unchanged();
                tokio::spawn(async move {
                    tokio::select! {
                        () = hear(acceptor, stream, (tell, mute), number) => {}
                        _ = ends.changed() => {}
                    }
                });
            }
        });
        Self {
            addr,
            shown,
            cut,
            mute,
        }
    }

    async fn invite(&mut self) -> Shown {
        let wait = tokio::time::timeout(Duration::from_secs(20), self.shown.recv());
        wait.await.expect("an INVITE").expect("the carrier works")
    }
}

/// Reads one connection to its end.
async fn hear(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    (tell, mute): (mpsc::Sender<Shown>, Arc<AtomicBool>),
    number: usize,
) {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    let certificates = stream.get_ref().1.peer_certificates();
    let certificate = certificates.and_then(|list| list.first());
    let certificate = certificate.expect("was asked for").clone().into_owned();
    let (mut text, mut buffer) = (String::new(), [0_u8; 4_096]);
    while let Ok(n @ 1..) = stream.read(&mut buffer).await {
        text.push_str(&String::from_utf8_lossy(&buffer[..n]));
        while let Some(head) = message(&mut text) {
            let called = head.strip_prefix("INVITE sip:");
            let Some((called, _)) = called.and_then(|rest| rest.split_once('@')) else {
                continue;
            };
            let says = !mute.load(Ordering::Relaxed);
            if says && stream.write_all(busy(&head).as_bytes()).await.is_err() {
                return;
            }
            let shown = (called.to_owned(), certificate.clone(), number);
            tell.send(shown).await.expect("the test listens");
        }
    }
}

/// Takes the first whole message; gives its head.
fn message(text: &mut String) -> Option<String> {
    let (head, rest) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|l| l.strip_prefix("Content-Length:"));
    let length = length.map_or(0, |n| n.trim().parse().expect("a length"));
    let (head, rest) = (head.trim_start().to_owned(), rest.get(length..)?.to_owned());
    *text = rest;
    Some(head)
}

/// The answer to an INVITE. Without one a trunk that nobody pings would be taken to be down.
fn busy(invite: &str) -> String {
    let mut answer = "SIP/2.0 486 Busy Here\r\n".to_owned();
    for line in invite.lines() {
        let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
        if kept.iter().any(|name| line.starts_with(name)) {
            answer.push_str(line);
            if line.starts_with("To:") {
                answer.push_str(";tag=carrier");
            }
            answer.push_str("\r\n");
        }
    }
    answer + "Content-Length: 0\r\n\r\n"
}

/// A trunk of the carrier that shows `own`.
fn line_to(
    carrier: SocketAddr,
    (id, name): (u128, &str),
    authority: &TlsFiles,
    own: &TlsFiles,
) -> TrunkConfig {
    let mut config = trunk(carrier);
    config.id = TrunkId(Uuid::from_u128(id));
    config.name = name.to_owned();
    config.transport = SipTransport::Tls;
    config.ping = false;
    config.policy.tls.ca_file = Some(authority.cert.clone());
    config.policy.tls.name = Some("sip.carrier.example".into());
    config.policy.tls.own = Some(own.clone());
    config
}

#[tokio::test]
async fn a_carrier_that_restarts_costs_the_calls_under_way_and_no_other() {
    let folder = tempfile::tempdir().expect("folder");
    let own = certificate(folder.path(), "sip.carrier.example");
    let ours = certificate(folder.path(), "one.example");
    let mut carrier = Carrier::start(&own, &[&ours]).await;
    let config = line_to(carrier.addr, (900, "trunk"), &own, &ours);
    let mut node = Node::start(vec![config.clone()]).await;
    let by = node.trunk.clone();
    let place = async |n: u128| {
        let mut order = order(n, 60_000, RecordMode::None);
        order.trunk_id = config.id;
        by.dial(order).await
    };
    carrier.mute.store(true, Ordering::Relaxed);
    for n in 1..=3 {
        place(n).await.expect("dials");
        carrier.invite().await;
    }
    carrier.mute.store(false, Ordering::Relaxed);
    carrier.cut.send_modify(|n| *n += 1);
    for n in 1..=3 {
        let end = node.ended(order(n, 0, RecordMode::None).attempt_id).await;
        assert_eq!(end.code, None, "call {n}: a fault of the trunk");
    }
    place(4).await.expect("the trunk does not rest");
    let (number, _, connection) = carrier.invite().await;
    assert_eq!(number, order(4, 0, RecordMode::None).number);
    assert!(connection >= 1, "over a new connection");
    let down = |r: &TrunkReport| matches!(r, TrunkReport::TrunkHealth { up: false, .. });
    assert!(!node.was_told(down));
}

/// Dials; where the trunk rests after a connection that was cut, once its rest is over.
async fn dial(node: &Node, n: u128, on: &TrunkConfig) {
    let end = tokio::time::Instant::now() + REST_MOST;
    loop {
        let mut order = order(n, 20_000, RecordMode::None);
        order.trunk_id = on.id;
        match node.trunk.dial(order).await {
            Ok(()) => return,
            Err(TrunkError::TrunkDown) if tokio::time::Instant::now() < end => {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Err(error) => panic!("call {n}: {error}"),
        }
    }
}

#[tokio::test]
async fn each_trunk_shows_its_own_certificate_at_one_address() {
    let folder = tempfile::tempdir().expect("folder");
    let own = certificate(folder.path(), "sip.carrier.example");
    let ours = ["one.example", "two.example"].map(|name| certificate(folder.path(), name));
    let mut carrier = Carrier::start(&own, &[&ours[0], &ours[1]]).await;
    let trunks = [
        line_to(carrier.addr, (900, "trunk0"), &own, &ours[0]),
        line_to(carrier.addr, (901, "trunk1"), &own, &ours[1]),
    ];
    let node = Node::start(trunks.to_vec()).await;
    let mut connections = Vec::new();
    // In turn, so that what one opened is not taken for the other's.
    for (n, at) in [(1, 0), (2, 1), (3, 0), (4, 1)] {
        dial(&node, n, &trunks[at]).await;
        let (number, shown, connection) = carrier.invite().await;
        assert_eq!(number, order(n, 0, RecordMode::None).number);
        assert_eq!(shown, read(&ours[at]), "call {n}");
        connections.push(connection);
    }
    assert_eq!(connections, [0, 1, 0, 1], "one connection a trunk");

    // Connections that end are opened anew, each with its own certificate again.
    carrier.cut.send_modify(|n| *n += 1);
    let mut n = 5;
    for at in [1, 0] {
        // What is sent before the end is noticed is lost: a call fails, the next one gets through. One of
        // this trunk: where a handshake takes long, a call of the one before may come late.
        let mut dialed = Vec::new();
        let (_, shown, connection) = loop {
            dial(&node, n, &trunks[at]).await;
            dialed.push(order(n, 0, RecordMode::None).number);
            n += 1;
            assert!(n < 30, "nothing comes any more");
            let wait = tokio::time::sleep(Duration::from_secs(2));
            tokio::pin!(wait);
            let come = loop {
                tokio::select! {
                    come = carrier.shown.recv() => {
                        let come = come.expect("the carrier works");
                        if dialed.contains(&come.0) {
                            break Some(come);
                        }
                    }
                    () = &mut wait => break None,
                }
            };
            if let Some(come) = come {
                break come;
            }
        };
        assert_eq!(shown, read(&ours[at]));
        assert!(connection >= 2);
    }
}
