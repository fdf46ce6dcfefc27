//! The sound of a call at a port of the test's own: it says when ours comes and when it stops.

use media::g711::Law;
use media::rtp::{Sender, Start};
use media::tones::Tone;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::watch;

/// Its tone, Hz.
pub(crate) const HZ: f64 = 700.0;
/// Without a packet for so long nothing comes: twenty of them are missing then.
const STOPPED: Duration = Duration::from_millis(400);
const WAIT: Duration = Duration::from_secs(30);

/// What comes from us.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Flow {
    comes: bool,
    /// How often it stopped.
    stops: usize,
}

/// It speaks from our first packet on, through the first stop too (a carrier's music), and is silent from the
/// second stop until we come again.
pub(crate) struct Ear {
    pub(crate) port: u16,
    flow: watch::Receiver<Flow>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Ear {
    pub(crate) async fn open() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
        let port = socket.local_addr().expect("address").port();
        let (tell, flow) = watch::channel(Flow::default());
        let task = tokio::spawn(talk(socket, tell));
        Self { port, flow, task }
    }

    /// Our sound comes, after so many stops.
    pub(crate) async fn comes(&mut self, stops: usize) {
        self.is(Flow { comes: true, stops }).await;
    }

    /// Our sound stopped for that time.
    pub(crate) async fn stops(&mut self, stops: usize) {
        let comes = false;
        self.is(Flow { comes, stops }).await;
    }

    async fn is(&mut self, wished: Flow) {
        let so = self.flow.wait_for(|flow| *flow == wished);
        let came = tokio::time::timeout(WAIT, so).await;
        let came = came.is_ok_and(|flow| flow.is_ok());
        assert!(came, "never {wished:?}: {:?}", *self.flow.borrow());
    }
}

async fn talk(socket: UdpSocket, tell: watch::Sender<Flow>) {
    let mut sender = Sender::new(Start {
        ssrc: rand::random(),
        sequence: rand::random(),
        timestamp: rand::random(),
    });
    let mut tone = Tone::sine(HZ, 0.3);
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    let (mut buffer, mut out) = ([0_u8; 2_048], [0_u8; 512]);
    let mut last = None;
    loop {
        tokio::select! {
            came = socket.recv_from(&mut buffer) => {
                let Ok((_, from)) = came else { continue };
                last = Some((from, Instant::now()));
                tell.send_if_modified(|flow| !std::mem::replace(&mut flow.comes, true));
            }
            _ = tick.tick() => {
                let Some((to, at)) = last else { continue };
                let now = *tell.borrow();
                if now.comes && at.elapsed() > STOPPED {
                    tell.send_replace(Flow { comes: false, stops: now.stops + 1 });
                }
                if !now.comes && now.stops > 1 {
                    sender.advance(160);
                    continue;
                }
                let mut pcm = [0_i16; 160];
                tone.fill(&mut pcm);
                let mut payload = [0_u8; 160];
                Law::A.encode_into(&pcm, &mut payload);
                let kind = Law::A.payload_type();
                let n = sender.packet(kind, &payload, 160, &mut out).expect("fits");
                let _ = socket.try_send_to(&out[..n], to);
            }
        }
    }
}
