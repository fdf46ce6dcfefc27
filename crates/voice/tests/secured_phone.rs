//! An agent's SIP phone inside TLS: its keys for SRTP are in the descriptions, and nothing of the agent's leg goes
//! in clear (RFC 4568).

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use bytes::Bytes;
use common::audio::{Line, hear};
use common::peer::{Peer, Plan};
use common::scene::{AGENT_HZ, DEBTOR_HZ};
use common::tls::{certificate, shake};
use common::{Node, PASSWORD, agent, trunk};
use domain::entity::LegQuality;
use domain::ports::TrunkReport;
use media::dtmf::Receiver;
use media::g711::Law;
use media::rtp::{Sender, Start};
use media::srtp::{Keys, Protect, Suite, Unprotect};
use media::tones::Tone;
use sip::header::NameAddr;
use sip::msg::Uri;
use sip::sdp::{self, Crypto, CryptoSuite, KEY_BYTES, LocalMedia, MasterKey, RemoteMedia};
use sip::ua::{Config, Event, Login, RegisterOrder, RegistrationState};
use sip::{ConnId, Endpoint, Millis, Proto, SeededIds, Source, Target};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio_rustls::client::TlsStream;
use voice::{SipBind, SipTransport};

const NAME: &str = "sip.center.example";
/// The one connection of the phone.
const CONN: ConnId = ConnId(1);

/// A phone that takes every call with sound.
struct Phone {
    stream: TlsStream<TcpStream>,
    endpoint: Endpoint,
    server: SocketAddr,
    start: Instant,
    line: Arc<Line>,
    /// Packets that came without protection, or with a wrong one.
    open: Arc<AtomicU64>,
    /// Packets that it has made, each sent so many times.
    made: Arc<AtomicU64>,
    copies: usize,
    /// That it is registered, then each description that it was offered.
    tell: mpsc::Sender<String>,
}

impl Phone {
    fn now(&self) -> Millis {
        Millis(u64::try_from(self.start.elapsed().as_millis()).expect("fits"))
    }

    fn register(&mut self) {
        let account = NameAddr::new(Uri::sip(Some("agent1"), self.server));
        let order = RegisterOrder {
            registrar: Uri::sip(None, self.server),
            next_hop: Target {
                proto: Proto::Tls,
                dest: self.server,
                conn: Some(CONN),
            },
            account,
            contact_user: "agent1".into(),
            expires_s: 300,
            login: Some(Login::new("agent1", PASSWORD)),
        };
        let now = self.now();
        self.endpoint.register(now, order).expect("registers");
    }

    async fn run(mut self) {
        self.register();
        let mut buffer = vec![0; 65_535];
        loop {
            while let Some(out) = self.endpoint.poll_transmit() {
                self.stream.write_all(&out.bytes).await.expect("writes");
            }
            if let Some(event) = self.endpoint.poll_event() {
                self.event(event).await;
                continue;
            }
            let due = self.endpoint.next_deadline();
            let due = due.map_or(Duration::from_secs(60), |at| {
                Duration::from_millis(at.0.saturating_sub(self.now().0))
            });
            tokio::select! {
                read = self.stream.read(&mut buffer) => {
                    let Ok(n @ 1..) = read else { return };
                    let source = Source { proto: Proto::Tls, remote: self.server, conn: Some(CONN) };
                    let bytes = Bytes::copy_from_slice(&buffer[..n]);
                    let now = self.now();
                    let _ = self.endpoint.receive(now, source, &bytes);
                }
                () = tokio::time::sleep(due) => {
                    let now = self.now();
                    self.endpoint.on_timer(now);
                }
            }
        }
    }

    async fn event(&mut self, event: Event) {
        match event {
            Event::Registration {
                state: RegistrationState::Registered { .. },
                ..
            } => self.tell.send("registered".into()).await.expect("listens"),
            Event::Incoming(incoming) => {
                let offer = incoming.sdp.clone().expect("an offer");
                let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
                let addr = socket.local_addr().expect("address");
                let mut media = LocalMedia::new(addr, 9);
                media.crypto = vec![Crypto {
                    tag: 1,
                    suite: CryptoSuite::AesCm128HmacSha1_80,
                    key: MasterKey([7; KEY_BYTES]),
                }];
                let answer = sdp::answer(&offer, &media).expect("can be answered");
                let offered = String::from_utf8_lossy(&offer).into_owned();
                self.tell.send(offered).await.expect("listens");
                let now = self.now();
                let taken = self.endpoint.answer(now, incoming.call, answer.sdp);
                taken.expect("is answered");
                let (line, open) = (self.line.clone(), self.open.clone());
                let made = (self.made.clone(), self.copies);
                tokio::spawn(talk(socket, answer.remote, line, open, made));
            }
            _ => {}
        }
    }
}

/// The sound of the phone's call: a tone, protected, and what comes is taken out of its protection.
async fn talk(
    socket: UdpSocket,
    far: RemoteMedia,
    line: Arc<Line>,
    open: Arc<AtomicU64>,
    (made, copies): (Arc<AtomicU64>, usize),
) {
    let keys = far.secured.expect("keys were agreed");
    assert_eq!(keys.suite, CryptoSuite::AesCm128HmacSha1_80);
    let suite = Suite::AesCm128HmacSha1_80;
    let mut protect = Protect::new(suite, &Keys::new(keys.ours.0));
    let mut unprotect = Unprotect::new(suite, &Keys::new(keys.theirs.0));
    let mut sender = Sender::new(Start {
        ssrc: 9,
        sequence: 1,
        timestamp: 1,
    });
    let mut tone = Tone::sine(AGENT_HZ, 0.3);
    let mut pressed = Receiver::default();
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    let mut buffer = [0; 2_048];
    loop {
        tokio::select! {
            came = socket.recv(&mut buffer) => {
                let Ok(n) = came else { continue };
                match unprotect.rtp(&mut buffer[..n]) {
                    Ok(n) => hear(&line, &buffer[..n], &mut pressed),
                    Err(_) => {
                        open.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            _ = tick.tick() => {
                let (mut pcm, mut payload, mut out) = ([0; 160], [0; 160], [0; 400]);
                tone.fill(&mut pcm);
                Law::A.encode_into(&pcm, &mut payload);
                let n = sender.packet(8, &payload, 160, &mut out).expect("fits");
                let n = protect.rtp(&mut out, n).expect("seals");
                made.fetch_add(1, Ordering::Relaxed);
                for _ in 0..copies {
                    let _ = socket.try_send_to(&out[..n], far.addr);
                }
            }
        }
    }
}

/// A node with such a phone, whose leg is up.
struct Booth {
    node: Node,
    carrier: Peer,
    line: Arc<Line>,
    open: Arc<AtomicU64>,
    made: Arc<AtomicU64>,
    _told: mpsc::Receiver<String>,
    _folder: tempfile::TempDir,
}

/// The phone sends each of its packets so many times.
async fn booth(copies: usize) -> Booth {
    let folder = tempfile::tempdir().expect("folder");
    let files = certificate(folder.path(), NAME);
    let ours = files.clone();
    let carrier = Peer::start(Plan::answers(DEBTOR_HZ)).await;
    let config = trunk(carrier.addr);
    let mut node = Node::configured(move |c| {
        c.sip_bind.push(SipBind {
            transport: SipTransport::Tls,
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        });
        c.tls = Some(ours);
        c.trunks = vec![config];
    })
    .await;
    let server = node.handle.sip_addr(SipTransport::Tls).expect("bound");
    let stream = shake(server, &files, NAME).await;
    let own = stream.get_ref().0.local_addr().expect("address");
    let mut settings = Config::new(own);
    settings.local.tls = Some(own);
    let (tell, mut told) = mpsc::channel(8);
    let line = Arc::new(Line::default());
    let [open, made] = [(); 2].map(|()| Arc::new(AtomicU64::new(0)));
    let phone = Phone {
        stream,
        endpoint: Endpoint::new(settings, Box::new(SeededIds::new(rand::random()))),
        server,
        start: Instant::now(),
        line: line.clone(),
        open: open.clone(),
        made: made.clone(),
        copies,
        tell,
    };
    tokio::spawn(phone.run());
    let mut next = async || {
        let said = tokio::time::timeout(Duration::from_secs(20), told.recv());
        said.await.expect("in time").expect("the phone works")
    };
    assert_eq!(next().await, "registered");
    let opened = node.trunk.open_agent_leg(agent(1), "agent1").await;
    opened.expect("calls");
    let offer = next().await;
    assert!(
        offer.contains("RTP/SAVP ") && offer.contains("a=crypto:1 "),
        "{offer}"
    );
    node.told("up, sound both ways", |r| {
        matches!(r, TrunkReport::AgentLegUp { .. }).then_some(())
    })
    .await;
    Booth {
        node,
        carrier,
        line,
        open,
        made,
        _told: told,
        _folder: folder,
    }
}

#[tokio::test]
async fn an_agents_phone_inside_tls_talks_by_srtp_and_never_in_clear() {
    let mut booth = booth(1).await;
    booth.node.joins().await;
    booth.carrier.line.hears(AGENT_HZ).await;
    booth.line.hears(DEBTOR_HZ).await;
    let open = booth.open.load(Ordering::Relaxed);
    assert_eq!(open, 0, "nothing in clear");
    let closed = booth.node.trunk.close_agent_leg(agent(1)).await;
    closed.expect("closes");
    let down = |r: &TrunkReport| matches!(r, TrunkReport::AgentLegDown { .. }).then_some(());
    booth.node.told("down", down).await;
}

/// A repeated packet is dropped and no more: the call stays, and is heard once (`faults.md` §3).
#[tokio::test]
async fn packets_that_come_three_times_are_heard_once_and_end_nothing() {
    let mut booth = booth(3).await;
    let before = booth.made.load(Ordering::Relaxed);
    let attempt = booth.node.joins().await;
    booth.carrier.line.hears(AGENT_HZ).await;
    booth.line.hears(DEBTOR_HZ).await;
    // Two seconds of it, however long a busy machine takes for them.
    let enough = booth.carrier.line.packets() + 100;
    let goes_on = |line: &Line| line.packets() >= enough;
    booth.carrier.line.becomes("hears on", goes_on).await;
    let made = booth.made.load(Ordering::Relaxed) - before;
    assert!(booth.carrier.line.share(AGENT_HZ) > 0.8, "one voice");
    booth.carrier.hang_up().await;
    let trail = booth.node.trail(attempt).await;
    let of = |leg: &&LegQuality| leg.agent == Some(agent(1));
    let leg = trail.legs.iter().find(of).expect("the agent's leg");
    // Half as many again, for what was under way at both ends of the count.
    let range = made / 2..=made + made / 2;
    assert!(range.contains(&leg.received), "{made} made: {leg:?}");
}
