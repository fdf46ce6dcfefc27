//! SIPp as a child: its ports, its transport, how it ended.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tokio::process::{Child, Command};
use voice::SipTransport;

/// Ports in a row that one SIPp may take: sound, its reports and, two ports on, a picture.
const PORTS: u16 = 4;
/// Longest that a scenario runs, seconds; SIPp counts it as failed then.
const LONGEST_S: &str = "75";

pub(crate) fn wanted() -> bool {
    std::env::var("MARCADOR_SIPP").is_ok_and(|value| value == "1")
}

/// A row by UDP and by TCP, side by side.
pub(crate) async fn by_both<F: Future<Output = ()>>(row: impl Fn(SipTransport) -> F) {
    if wanted() {
        tokio::join!(row(SipTransport::Udp), row(SipTransport::Tcp));
    }
}

pub(crate) fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A port that nobody has, nor the three behind it, below those that the system gives away by itself
/// (32768 and up) and beside those of other rooms' tests.
pub(crate) fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 150).unwrap_or(0) * 52;
    for _ in 0..1_000 {
        let turn = NEXT.fetch_add(PORTS, Ordering::Relaxed);
        let port = 20_200 + first.wrapping_add(turn) % 8_000;
        let ours = (port..port + PORTS).map(|port| UdpSocket::bind(local(port)));
        if ours.collect::<Result<Vec<_>, _>>().is_ok() && TcpListener::bind(local(port)).is_ok() {
            return local(port);
        }
    }
    panic!("no port is free");
}

/// Waits until somebody listens there.
pub(crate) async fn hears(at: SocketAddr, way: SipTransport) {
    for _ in 0..500 {
        let taken = match way {
            SipTransport::Udp => UdpSocket::bind(at).is_err(),
            SipTransport::Tcp | SipTransport::Tls => TcpListener::bind(at).is_err(),
        };
        if taken {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody listens at {at}");
}

/// One run of a scenario.
pub(crate) struct Sipp {
    child: Child,
    name: String,
    folder: tempfile::TempDir,
}

impl Sipp {
    fn start(name: &str, way: SipTransport, at: SocketAddr, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sip-test/scenarios");
        let transport = match way {
            SipTransport::Udp => "u1",
            SipTransport::Tcp | SipTransport::Tls => "t1",
        };
        let child = Command::new("sipp")
            .arg("-sf")
            .arg(scenarios.join(name).with_extension("xml"))
            .args(["-t", transport, "-i", "127.0.0.1", "-mi", "127.0.0.1"])
            .args(["-nostdin", "-timeout", LONGEST_S, "-timeout_error"])
            .args(["-p", &at.port().to_string()])
            .args(["-mp", &free().port().to_string()])
            .args(["-trace_err", "-error_file"])
            .arg(folder.path().join("errors"))
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("sipp is on the PATH");
        Self {
            child,
            name: format!("{name} by {}", way.as_str()),
            folder,
        }
    }

    /// A carrier that hears at the address.
    pub(crate) async fn carrier(
        name: &str,
        way: SipTransport,
        more: &[&str],
    ) -> (Self, SocketAddr) {
        let at = free();
        let sipp = Self::start(name, way, at, &[&["-rtp_echo"], more].concat());
        hears(at, way).await;
        (sipp, at)
    }

    /// A caller of ours.
    pub(crate) fn calls(name: &str, way: SipTransport, to: SocketAddr, more: &[&str]) -> Self {
        let to = to.to_string();
        let who = ["-s", "+525550001000", &to];
        Self::start(name, way, free(), &[more, &who].concat())
    }

    /// A phone that registers with this password.
    pub(crate) fn registers(
        name: &str,
        way: SipTransport,
        to: SocketAddr,
        (user, password): (&str, &str),
    ) -> Self {
        let to = to.to_string();
        let who = ["-s", user, "-au", user, "-ap", password, "-m", "1", &to];
        Self::start(name, way, free(), &who)
    }

    /// It went as written.
    pub(crate) async fn well(mut self) {
        let ended = tokio::time::timeout(Duration::from_secs(90), self.child.wait()).await;
        let status = ended.expect("sipp ends").expect("sipp ran");
        let errors = std::fs::read_to_string(self.folder.path().join("errors"));
        let errors = errors.unwrap_or_default();
        assert!(status.success(), "{}: {status}: {errors}", self.name);
    }
}
