//! The voice and the ear of a peer.

use media::dtmf::{Digit, Heard, Press, Receiver};
use media::g711::Law;
use media::rtp::{self, Sender, Start};
use media::tones::{Step, Tone};
use sip::sdp::{Codec, LocalMedia, RemoteMedia};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};

/// What a peer heard, over all its calls.
#[derive(Default)]
pub struct Line(Mutex<State>);

#[derive(Default)]
struct State {
    samples: Vec<i16>,
    keys: String,
    packets: u64,
    sent: u64,
}

/// Samples looked at to tell what is heard now: 200 ms.
const WINDOW: usize = 1_600;

impl Line {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().expect("not poisoned"))
    }

    pub fn packets(&self) -> u64 {
        self.with(|s| s.packets)
    }

    /// Packets of its own voice that have left.
    pub fn sent(&self) -> u64 {
        self.with(|s| s.sent)
    }

    pub fn keys(&self) -> String {
        self.with(|s| s.keys.clone())
    }

    /// Samples heard since the beginning.
    pub fn samples(&self) -> Vec<i16> {
        self.with(|s| s.samples.clone())
    }

    /// Share of the last 200 ms' power that is at `hz`; 0 when there is silence.
    pub fn share(&self, hz: f64) -> f64 {
        self.with(|s| {
            let from = s.samples.len().saturating_sub(WINDOW);
            let window = &s.samples[from..];
            let loud = window.len() == WINDOW && media::freq::dbfs(window) > -45.0;
            if loud {
                media::freq::share(window, hz)
            } else {
                0.0
            }
        })
    }

    /// Waits until the tone is what is heard.
    pub async fn hears(&self, hz: f64) {
        self.becomes(&format!("hears {hz} Hz"), |line| line.share(hz) > 0.8)
            .await;
    }

    /// Level of the last 200 ms, decibels below overload.
    pub fn level(&self) -> f64 {
        self.with(|s| media::freq::dbfs(&s.samples[s.samples.len().saturating_sub(WINDOW)..]))
    }

    /// Waits until 200 ms of near silence have been heard.
    pub async fn hears_nothing(&self) {
        let quiet = |line: &Self| {
            line.with(|s| {
                let window = &s.samples[s.samples.len().saturating_sub(WINDOW)..];
                window.len() == WINDOW && media::freq::dbfs(window) < -50.0
            })
        };
        self.becomes("hears nothing", quiet).await;
    }

    pub async fn becomes(&self, what: &str, fits: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !fits(self) {
            assert!(Instant::now() < end, "never {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// What a talker does beside its tone.
#[derive(Debug, Clone, Copy)]
pub enum Say {
    Key(char),
    /// Comfort noise of so many decibels below overload is announced, and nothing follows.
    Pause(u8),
    /// A tone of the network, in the place of its voice.
    Network(&'static [Step]),
    Resume,
}

/// One call of a peer.
pub struct Call {
    pub media: LocalMedia,
    pub remote: Option<RemoteMedia>,
    pub offer: Option<bytes::Bytes>,
    pub talker: Option<Talker>,
    pub hz: Option<f64>,
}

impl Call {
    pub fn speak(&mut self) {
        if let (Some(talker), Some(remote)) = (&mut self.talker, self.remote) {
            talker.speak(remote, self.hz);
        }
    }
}

/// One call's RTP; it ends with the value.
pub struct Talker {
    pub addr: SocketAddr,
    says: mpsc::Sender<Say>,
    voice: watch::Sender<Option<(RemoteMedia, Option<f64>)>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Talker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Talker {
    pub async fn open(line: Arc<Line>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
        let addr = socket.local_addr().expect("address");
        let (says, said) = mpsc::channel(8);
        let (voice, wish) = watch::channel(None);
        let task = tokio::spawn(talk(socket, line, said, wish));
        Self {
            addr,
            says,
            voice,
            task,
        }
    }

    pub fn speak(&self, remote: RemoteMedia, hz: Option<f64>) {
        self.voice.send_replace(Some((remote, hz)));
    }

    pub fn say(&self, what: Say) {
        let _ = self.says.try_send(what);
    }
}

fn law(codec: Codec) -> Law {
    match codec {
        Codec::Pcma => Law::A,
        Codec::Pcmu => Law::Mu,
    }
}

/// What is said next: the network's tone, else the voice.
fn frame(network: &mut Option<Tone>, voice: &mut Option<(u64, Tone)>) -> [i16; 160] {
    let mut pcm = [0_i16; 160];
    let voice = voice.as_mut().map(|(_, tone)| tone);
    if let Some(tone) = network.as_mut().or(voice) {
        tone.fill(&mut pcm);
    }
    pcm
}

async fn talk(
    socket: UdpSocket,
    line: Arc<Line>,
    mut said: mpsc::Receiver<Say>,
    wish: watch::Receiver<Option<(RemoteMedia, Option<f64>)>>,
) {
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    let start = Start {
        ssrc: rand::random(),
        sequence: rand::random(),
        timestamp: rand::random(),
    };
    let mut sender = Sender::new(start);
    let mut tone: Option<(u64, Tone)> = None;
    let mut keys = Receiver::default();
    let mut press: Option<(Press, u32)> = None;
    let (mut paused, mut network) = (false, None::<Tone>);
    let (mut buffer, mut out) = ([0_u8; 2_048], [0_u8; 512]);
    loop {
        tokio::select! {
            came = socket.recv_from(&mut buffer) => {
                let Ok((n, _)) = came else { continue };
                hear(&line, &buffer[..n], &mut keys);
            }
            Some(what) = said.recv() => match what {
                Say::Key(digit) => {
                    let digit = Digit::from_char(digit).expect("a key");
                    press = Some((Press::new(digit, 100), sender.timestamp()));
                }
                Say::Pause(level) => {
                    let to = wish.borrow().map(|(remote, _)| remote.addr);
                    let kind = media::comfort::PAYLOAD_TYPE;
                    let n = sender.packet(kind, &[level], 160, &mut out).expect("fits");
                    if let Some(to) = to {
                        let _ = socket.try_send_to(&out[..n], to);
                    }
                    paused = true;
                }
                Say::Network(steps) => network = Some(Tone::cadence(steps)),
                Say::Resume => (paused, network) = (false, None),
            },
            _ = tick.tick() => {
                let Some((remote, hz)) = *wish.borrow() else { continue };
                let Some(hz) = hz.or(network.as_ref().map(|_| 0.0)) else { continue };
                if paused {
                    sender.advance(160);
                    continue;
                }
                if let Some((packets, at)) = &mut press {
                    let Some(event) = packets.next() else { press = None; continue };
                    let kind = remote.dtmf_pt.expect("keys agreed");
                    let n = sender.packet_at(kind, *at, event.marker, &event.payload, &mut out);
                    let n = n.expect("fits");
                    sender.advance(160);
                    let _ = socket.try_send_to(&out[..n], remote.addr);
                    continue;
                }
                if tone.as_ref().is_none_or(|(of, _)| *of != hz.to_bits()) {
                    tone = Some((hz.to_bits(), Tone::sine(hz.max(1.0), if hz > 0.0 { 0.3 } else { 0.0 })));
                }
                let pcm = frame(&mut network, &mut tone);
                let law = law(remote.codec);
                let mut payload = [0_u8; 160];
                law.encode_into(&pcm, &mut payload);
                let n = sender.packet(law.payload_type(), &payload, 160, &mut out).expect("fits");
                let left = socket.try_send_to(&out[..n], remote.addr).is_ok();
                line.with(|s| s.sent += u64::from(left));
            }
        }
    }
}

pub fn hear(line: &Line, datagram: &[u8], keys: &mut Receiver) {
    let Ok(packet) = rtp::parse(datagram) else {
        return;
    };
    line.with(|state| {
        state.packets += 1;
        match Law::from_payload_type(packet.payload_type) {
            Some(law) => law.decode(packet.payload, &mut state.samples),
            None => {
                if let Ok(Some(Heard::Pressed(key))) = keys.push(packet.timestamp, packet.payload) {
                    state.keys.push(key.as_char());
                }
            }
        }
    });
}
