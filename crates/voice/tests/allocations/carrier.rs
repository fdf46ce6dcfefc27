//! A carrier inside TLS that answers at once; what it says and hears is SRTP by the keys of both descriptions (RFC 4568).

use crate::common::audio::{Line, hear};
use media::g711::Law;
use media::rtcp::SenderInfo;
use media::rtp::{Sender, Start};
use media::srtp::{Keys, Protect, Suite, Unprotect};
use media::tones::Tone;
use sip::sdp::{self, Crypto, CryptoSuite, LocalMedia, MasterKey, Secured};
use sip::ua::{CallKey, Config, Event};
use sip::{ConnId, Endpoint, Millis, Proto, SeededIds, Source};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

/// Name on its certificate.
pub(crate) const NAME: &str = "sip.carrier.example";

/// The carrier; what it hears of all calls comes together.
pub(crate) struct Carrier {
    pub(crate) addr: SocketAddr,
    pub(crate) line: Arc<Line>,
}

impl Carrier {
    /// Listens; its certificate is left in `authority`.
    pub(crate) async fn start(authority: &Path, hz: f64) -> Self {
        voice::install_provider();
        let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("certificate");
        std::fs::write(authority, made.cert.pem()).expect("writes");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![made.cert.der().clone()], key);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("a server")));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let addr = listener.local_addr().expect("address");
        let line = Arc::new(Line::default());
        let heard = Arc::clone(&line);
        tokio::spawn(async move {
            loop {
                let (stream, remote) = listener.accept().await.expect("accepts");
                tokio::spawn(serve(
                    acceptor.clone(),
                    stream,
                    (addr, remote),
                    hz,
                    heard.clone(),
                ));
            }
        });
        Self { addr, line }
    }
}

struct Call {
    local: LocalMedia,
    talk: JoinHandle<()>,
}

/// One connection to its end.
async fn serve(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    (addr, remote): (SocketAddr, SocketAddr),
    hz: f64,
    line: Arc<Line>,
) {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    let mut config = Config::new(addr);
    config.local.tls = Some(addr);
    let mut endpoint = Endpoint::new(config, Box::new(SeededIds::new(rand::random())));
    let source = Source {
        proto: Proto::Tls,
        ..Source::tcp(remote, ConnId(1))
    };
    let start = Instant::now();
    let millis = || Millis(u64::try_from(start.elapsed().as_millis()).expect("fits"));
    let mut calls = HashMap::new();
    let mut buffer = vec![0_u8; 65_536];
    while flush(&mut endpoint, &mut stream).await {
        if let Some(event) = endpoint.poll_event() {
            happened(&mut endpoint, millis(), event, &mut calls, (hz, &line)).await;
            continue;
        }
        let due = endpoint.next_deadline().map_or(3_600_000, |at| at.0);
        let due = start + Duration::from_millis(due);
        tokio::select! {
            came = stream.read(&mut buffer) => {
                let Ok(n @ 1..) = came else { break };
                let bytes = bytes::Bytes::copy_from_slice(&buffer[..n]);
                let _ = endpoint.receive(millis(), source, &bytes);
            }
            () = tokio::time::sleep_until(due.into()) => endpoint.on_timer(millis()),
        }
    }
    calls.values().for_each(|call: &Call| call.talk.abort());
}

/// Writes what waits; `false` when nobody reads any more.
async fn flush(endpoint: &mut Endpoint, stream: &mut TlsStream<TcpStream>) -> bool {
    while let Some(out) = endpoint.poll_transmit() {
        if stream.write_all(&out.bytes).await.is_err() {
            return false;
        }
    }
    stream.flush().await.is_ok()
}

async fn happened(
    endpoint: &mut Endpoint,
    now: Millis,
    event: Event,
    calls: &mut HashMap<CallKey, Call>,
    (hz, line): (f64, &Arc<Line>),
) {
    match event {
        Event::Incoming(incoming) => {
            let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
            let local = ours(socket.local_addr().expect("address"));
            let offer = incoming.sdp.as_deref().expect("an offer");
            let answer = sdp::answer(offer, &local).expect("SRTP and nothing else");
            endpoint
                .answer(now, incoming.call, answer.sdp)
                .expect("answers");
            let secured = answer.remote.secured.expect("keys");
            let voice = (socket, answer.remote.addr);
            let talk = tokio::spawn(talk(voice, secured, hz, Arc::clone(line)));
            calls.insert(incoming.call, Call { local, talk });
        }
        Event::Reinvite { call, sdp, .. } => {
            let known = calls.get(&call).zip(sdp);
            let body = known.and_then(|(call, offer)| sdp::answer(&offer, &call.local).ok());
            let _ = endpoint.answer_reinvite(now, call, body.map(|b| b.sdp));
        }
        Event::Ended { call, .. } => {
            if let Some(call) = calls.remove(&call) {
                call.talk.abort();
            }
        }
        _ => {}
    }
}

/// Our side with keys of its own.
fn ours(addr: SocketAddr) -> LocalMedia {
    let suites = [
        CryptoSuite::AesCm128HmacSha1_80,
        CryptoSuite::AesCm128HmacSha1_32,
    ];
    let mut local = LocalMedia::new(addr, 9);
    local.crypto = (1..)
        .zip(suites)
        .map(|(tag, suite)| Crypto {
            tag,
            suite,
            key: MasterKey(std::array::from_fn(|_| rand::random())),
        })
        .collect();
    local
}

/// A tone each 20 ms and a report each second, sealed; what comes is opened and heard.
async fn talk((socket, to): (UdpSocket, SocketAddr), keys: Secured, hz: f64, line: Arc<Line>) {
    let suite = match keys.suite {
        CryptoSuite::AesCm128HmacSha1_80 => Suite::AesCm128HmacSha1_80,
        CryptoSuite::AesCm128HmacSha1_32 => Suite::AesCm128HmacSha1_32,
    };
    let mut seals = Protect::new(suite, &Keys::new(keys.ours.0));
    let mut opens = Unprotect::new(suite, &Keys::new(keys.theirs.0));
    let ssrc = rand::random();
    let mut sender = Sender::new(Start {
        ssrc,
        sequence: 100,
        timestamp: 0,
    });
    let control = SocketAddr::new(to.ip(), to.port() + 1);
    let (mut tone, mut pressed) = (Tone::sine(hz, 0.3), media::dtmf::Receiver::default());
    let (mut buffer, mut out) = ([0_u8; 2_048], [0_u8; 512]);
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    for turn in 0_u64.. {
        while tokio::select! {
            came = socket.recv_from(&mut buffer) => {
                let length = came.ok().and_then(|(n, _)| opens.rtp(&mut buffer[..n]).ok());
                if let Some(length) = length {
                    hear(&line, &buffer[..length], &mut pressed);
                }
                true
            }
            _ = tick.tick() => false,
        } {}
        let (mut pcm, mut payload) = ([0_i16; 160], [0_u8; 160]);
        tone.fill(&mut pcm);
        Law::A.encode_into(&pcm, &mut payload);
        let n = sender.packet(8, &payload, 160, &mut out).expect("fits");
        let n = seals.rtp(&mut out, n).expect("seals");
        let _ = socket.try_send_to(&out[..n], to);
        if turn % 50 == 0 {
            let info = SenderInfo {
                ssrc,
                ntp: 1 << 40,
                timestamp: 1,
                packets: 1,
                octets: 160,
            };
            let blocks = [media::stats::Block::default()];
            let n = media::rtcp::sender_report(&info, &blocks, "far", &mut out).expect("fits");
            let n = seals.rtcp(&mut out, n).expect("seals");
            let _ = socket.try_send_to(&out[..n], control);
        }
    }
}
