//! A media thread with real sockets: what comes, what leaves, and what is dropped.

mod faults;

use super::*;
use crate::config::Codec;
use crate::wall::Wall;
use domain::time::UtcMs;
use media::g711::Law;
use media::srtp::{Keys, Protect, Suite, Unprotect};
use sip::sdp::{CryptoSuite, MasterKey, Secured};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

/// Packets come each 20 ms; so many without one mean that none comes.
const NOTHING: Duration = Duration::from_millis(150);

struct Clock;

impl domain::ports::Clock for Clock {
    fn now(&self) -> UtcMs {
        UtcMs(1_795_446_000_000)
    }
}

/// The far end of a leg.
struct Far {
    socket: UdpSocket,
    leg: LegId,
    to: SocketAddr,
    seq: u16,
}

impl Far {
    fn new(plane: &mut Plane) -> Self {
        let (leg, port) = plane.add(false).expect("a leg");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("binds");
        socket.set_read_timeout(Some(NOTHING)).expect("sets");
        Self {
            socket,
            leg,
            to: SocketAddr::from(([127, 0, 0, 1], port)),
            seq: 100,
        }
    }

    fn agreed(&self, secured: Option<Secured>) -> Agreed {
        Agreed {
            remote: self.socket.local_addr().expect("bound"),
            codec: Codec::Pcma,
            dtmf: Some(101),
            send: true,
            receive: true,
            secured,
        }
    }

    /// The next packet of its stream.
    fn packet(&mut self, kind: u8, payload: &[u8]) -> Vec<u8> {
        self.seq += 1;
        let mut packet = vec![0x80, kind];
        packet.extend(self.seq.to_be_bytes());
        packet.extend((u32::from(self.seq) * 160).to_be_bytes());
        packet.extend(self.leg.0.to_be_bytes()[4..].iter());
        packet.extend(payload);
        packet
    }

    fn send(&self, packet: &[u8]) {
        self.socket.send_to(packet, self.to).expect("sends");
    }

    /// What comes within a while that `wanted` tells something of.
    fn hears<T>(&self, mut wanted: impl FnMut(&mut [u8]) -> Option<T>) -> Option<T> {
        let mut buffer = [0; 600];
        let end = Instant::now() + Duration::from_secs(2);
        while Instant::now() < end {
            let length = self.socket.recv(&mut buffer).ok()?;
            if let Some(found) = wanted(&mut buffer[..length]) {
                return Some(found);
            }
        }
        None
    }
}

fn plane() -> Plane {
    telling(|_| Ok(()))
}

fn telling(tell: impl Fn(Event) -> Result<(), Event> + Clone + Send + 'static) -> Plane {
    let wall = Wall::new(Arc::new(Clock));
    let ip = IpAddr::from([127, 0, 0, 1]);
    let at = (ip, 10_000..=19_999);
    Plane::start(1, at, &Tones::new(), &wall, None, tell).expect("starts")
}

/// Debtor and agent on a bridge.
fn bridged(plane: &mut Plane, secured: Option<Secured>) -> (Far, Far) {
    let (debtor, agent) = (Far::new(plane), Far::new(plane));
    for (far, secured) in [(&debtor, secured), (&agent, None)] {
        plane.order(Order::Agreed(far.leg, far.agreed(secured), true));
    }
    plane.order(Order::Bridge {
        debtor: debtor.leg,
        agent: agent.leg,
        beep: false,
    });
    (debtor, agent)
}

/// Whether a packet holds this audio.
fn says(packet: &[u8], byte: u8) -> Option<()> {
    (packet.len() == 172 && packet[12..].iter().all(|b| *b == byte)).then_some(())
}

#[test]
fn whoever_answers_while_the_wheel_rests_is_sent_sound_and_heard() {
    let mut plane = plane();
    let ringing = Far::new(&mut plane);
    std::thread::sleep(NOTHING * 2);
    let mut buffer = [0; 600];
    assert!(
        ringing.socket.recv(&mut buffer).is_err(),
        "before the answer"
    );
    plane.order(Order::Agreed(ringing.leg, ringing.agreed(None), true));
    let silence = ringing.hears(|packet| (packet.len() == 172).then_some(()));
    assert_eq!(silence, Some(()));
    plane.order(Order::Remove(ringing.leg, Instant::now()));
    // Nobody is left: it rests again until the next two talk.
    std::thread::sleep(NOTHING * 2);
    let (debtor, mut agent) = bridged(&mut plane, None);
    let packet = agent.packet(8, &[7; 160]);
    agent.send(&packet);
    assert_eq!(debtor.hears(|packet| says(packet, 7)), Some(()));
    plane.stop();
}

#[test]
fn a_protected_leg_meets_a_clear_one() {
    let secured = Secured {
        tag: 1,
        suite: CryptoSuite::AesCm128HmacSha1_80,
        ours: MasterKey([1; 30]),
        theirs: MasterKey([2; 30]),
    };
    let suite = Suite::AesCm128HmacSha1_80;
    let mut near = Protect::new(suite, &Keys::new([2; 30]));
    let mut opens = Unprotect::new(suite, &Keys::new([1; 30]));
    let mut plane = plane();
    let (mut debtor, mut agent) = bridged(&mut plane, Some(secured));
    // What is not protected is not heard, wherever it comes from.
    let clear = debtor.packet(8, &[0x55; 160]);
    debtor.send(&clear);
    assert_eq!(agent.hears(|p| says(p, 0x55)), None);
    let mut sealed = debtor.packet(8, &[0x11; 160]);
    let length = sealed.len();
    sealed.resize(length + media::srtp::MOST_ADDED, 0);
    let length = near.rtp(&mut sealed, length).expect("seals");
    debtor.send(&sealed[..length]);
    assert_eq!(agent.hears(|p| says(p, 0x11)), Some(()));
    // A repeat is dropped.
    debtor.send(&sealed[..length]);
    assert_eq!(agent.hears(|p| says(p, 0x11)), None);
    let answer = agent.packet(8, &[0x22; 160]);
    agent.send(&answer);
    let heard = debtor.hears(|p| {
        let length = opens.rtp(p).expect("all that leaves is protected");
        says(&p[..length], 0x22)
    });
    assert_eq!(heard, Some(()));
    plane.stop();
}

#[test]
fn packets_pass_with_their_order_and_gaps_and_strangers_do_not() {
    let mut plane = plane();
    let (mut debtor, agent) = bridged(&mut plane, None);
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("binds");
    let mut sent = Vec::new();
    for byte in [1_u8, 2, 3, 4] {
        let packet = debtor.packet(8, &[byte; 160]);
        sent.push(packet);
    }
    stranger.send_to(&sent[0], debtor.to).expect("sends");
    assert_eq!(agent.hears(|p| says(p, 1)), None);
    // One is lost and two change places.
    for n in [0, 3, 1] {
        debtor.send(&sent[n]);
    }
    let mut heard = Vec::new();
    let all = agent.hears(|p| {
        if (1..=4).contains(&p[12]) && says(p, p[12]).is_some() {
            heard.push((p[12], u16::from_be_bytes([p[2], p[3]])));
        }
        (heard.len() == 3).then_some(())
    });
    assert!(all.is_some(), "{heard:?}");
    let first = heard[0].1;
    let places: Vec<_> = heard
        .iter()
        .map(|(byte, seq)| (*byte, seq.wrapping_sub(first)))
        .collect();
    assert_eq!(places, [(1, 0), (4, 3), (2, 1)]);
    plane.stop();
}

#[test]
fn an_announced_pause_is_heard_as_noise() {
    let mut plane = plane();
    let (mut debtor, agent) = bridged(&mut plane, None);
    let audio = debtor.packet(8, &[0x55; 160]);
    debtor.send(&audio);
    assert_eq!(agent.hears(|p| says(p, 0x55)), Some(()));
    let pause = debtor.packet(13, &[30]);
    debtor.send(&pause);
    let noise = agent.hears(|p| {
        let mut pcm = Vec::new();
        Law::A.decode(&p[12..], &mut pcm);
        (-36.0..-24.0)
            .contains(&media::freq::dbfs(&pcm))
            .then_some(())
    });
    assert_eq!(noise, Some(()), "30 dB below overload");
    // What is neither audio nor a key nor a pause is nothing.
    for bad in [
        debtor.packet(96, &[1; 160]),
        debtor.packet(13, &[200]),
        vec![0x80; 5],
    ] {
        debtor.send(&bad);
    }
    let talk = debtor.packet(8, &[0x33; 160]);
    debtor.send(&talk);
    assert_eq!(agent.hears(|p| says(p, 0x33)), Some(()));
    plane.stop();
}

#[test]
fn who_sends_nothing_after_his_word_is_judged_all_the_same() {
    let (said, told) = std::sync::mpsc::sync_channel(8);
    let mut plane = telling(move |event| {
        if let Event::Classified { verdict, .. } = event {
            // The test may be over.
            let _ = said.try_send(verdict.class);
        }
        Ok(())
    });
    let mut far = Far::new(&mut plane);
    plane.order(Order::Classify(far.leg, Arc::default()));
    plane.order(Order::Agreed(far.leg, far.agreed(None), true));
    let word = media::speech::vowels(1, 0, 140.0, 4);
    for frame in word.chunks(160) {
        let mut payload = [0; 160];
        kit::encode(Codec::Pcma, frame, &mut payload);
        let packet = far.packet(8, &payload);
        far.send(&packet);
        std::thread::sleep(Duration::from_millis(20));
    }
    let pause = far.packet(13, &[60]);
    far.send(&pause);
    // Nothing more comes: only the wheel turns.
    let class = told.recv_timeout(Duration::from_secs(3));
    assert_eq!(class, Ok("human"));
    plane.stop();
}

#[test]
fn a_fault_ends_the_leg_it_happened_with_and_no_other() {
    let (said, told) = std::sync::mpsc::sync_channel(8);
    let mut plane = telling(move |event| {
        if matches!(event, Event::Broken { .. } | Event::Removed { .. }) {
            // The test may be over.
            let _ = said.try_send(event);
        }
        Ok(())
    });
    let (mut debtor, agent) = bridged(&mut plane, None);
    let broken = Far::new(&mut plane);
    plane.order(Order::Agreed(broken.leg, broken.agreed(None), true));
    plane.order(Order::Break(broken.leg));
    plane.order(Order::Mute(broken.leg, false));
    let wait = Duration::from_secs(3);
    let Ok(Event::Broken { leg }) = told.recv_timeout(wait) else {
        panic!("a fault is told");
    };
    assert_eq!(leg, Some(broken.leg));
    // The others talk on.
    let talk = debtor.packet(8, &[0x33; 160]);
    debtor.send(&talk);
    assert_eq!(agent.hears(|p| says(p, 0x33)), Some(()));
    // Its end is ordered as any other's, and told once.
    plane.order(Order::Remove(broken.leg, Instant::now()));
    plane.order(Order::Remove(debtor.leg, Instant::now()));
    for wanted in [broken.leg, debtor.leg] {
        let Ok(Event::Removed { leg, .. }) = told.recv_timeout(wait) else {
            panic!("its end is told");
        };
        assert_eq!(leg, wanted);
    }
    assert!(plane.gone().is_empty() && !plane.lost());
    plane.stop();
    assert!(told.try_iter().all(|e| !matches!(e, Event::Broken { .. })));
}

#[test]
fn a_thread_that_is_gone_is_found_with_its_legs() {
    let mut plane = telling(|event| match event {
        Event::Removed { .. } => panic!("a fault on purpose"),
        _ => Ok(()),
    });
    let (debtor, agent) = bridged(&mut plane, None);
    plane.order(Order::Remove(debtor.leg, Instant::now()));
    let end = Instant::now() + Duration::from_secs(3);
    let mut lost = plane.gone();
    while lost.is_empty() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
        lost = plane.gone();
    }
    lost.sort();
    let both = [debtor.leg, agent.leg];
    assert_eq!(lost, both, "the debtor's end was never told");
    assert!(plane.lost() && plane.gone().is_empty(), "told once");
    assert!(plane.add(false).is_none(), "nobody is there to take a leg");
    plane.order(Order::Remove(agent.leg, Instant::now()));
    plane.stop();
}

#[test]
fn a_thread_whose_orders_cannot_come_any_more_seals_and_ends() {
    let (said, told) = std::sync::mpsc::sync_channel(8);
    let mut plane = telling(move |event| {
        if let Event::Removed { leg, .. } = event {
            let _ = said.try_send(leg);
        }
        Ok(())
    });
    let far = Far::new(&mut plane);
    plane.order(Order::Agreed(far.leg, far.agreed(None), true));
    drop(plane);
    assert_eq!(told.recv_timeout(Duration::from_secs(3)), Ok(far.leg));
    let gone = told.recv_timeout(Duration::from_secs(3));
    assert_eq!(gone, Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
}
