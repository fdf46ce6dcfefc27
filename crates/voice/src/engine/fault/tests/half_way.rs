//! Work that breaks off half way: no call is left without an owner or an end, and no line of a trunk is kept.

use super::*;
use crate::engine::Command;
use crate::engine::core::{Ears, Engine};
use crate::engine::fault::Whose;
use crate::engine::outbox::carry;
use domain::entity::RecordMode;
use domain::ids::{AttemptId, RecordingId};
use domain::ports::{DialOrder, TrunkError};
use sip::ua::{CallKey, Event, FailWhy, Failure};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::oneshot;

/// Times the signalling thread looks at the clock for a call, and some more.
const LOOKS: usize = 12;

/// A node's clock that breaks the signalling thread once, the so-many-th time it looks.
struct Brittle(AtomicUsize);

impl domain::ports::Clock for Brittle {
    fn now(&self) -> UtcMs {
        if std::thread::current().name() == Some("sip") {
            let counted = self
                .0
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
            assert_ne!(counted, Ok(1), "a fault on purpose");
        }
        UtcMs(1_795_446_000_000)
    }
}

/// A node's clock that breaks the test's own thread while it is stopped.
#[derive(Default)]
struct Stopped(AtomicBool);

impl domain::ports::Clock for Stopped {
    fn now(&self) -> UtcMs {
        let media = std::thread::current()
            .name()
            .is_some_and(|name| name.starts_with("media"));
        let stopped = self.0.load(Ordering::Relaxed);
        assert!(media || !stopped, "a fault on purpose");
        UtcMs(1_795_446_000_000)
    }
}

/// A caller who asks again until he is answered, and hangs up soon.
struct Caller {
    socket: UdpSocket,
    to: SocketAddr,
}

impl Caller {
    async fn says(&self, text: &str) {
        let sent = self.socket.send_to(text.as_bytes(), self.to).await;
        sent.expect("sends");
    }

    /// What comes within a while.
    async fn hears(&self) -> Option<String> {
        let mut buffer = [0; 4_096];
        let heard = self.socket.recv(&mut buffer);
        let heard = tokio::time::timeout(Duration::from_millis(200), heard).await;
        let n = heard.ok()?.expect("hears");
        Some(String::from_utf8_lossy(&buffer[..n]).into_owned())
    }

    /// A whole call, whoever ends it; whether that were we. He waits a while before he does it himself.
    async fn calls(&self) -> bool {
        let from = self.socket.local_addr().expect("bound");
        let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n";
        let invite = request("INVITE", from, "", sdp);
        let mut tag: Option<String> = None;
        let mut patience = 3;
        for _ in 0..50 {
            match &tag {
                None => self.says(&invite).await,
                Some(_) if patience > 0 => patience -= 1,
                Some(tag) => self.says(&request("BYE", from, tag, "")).await,
            }
            while let Some(text) = self.hears().await {
                let (first, rest) = text.split_once("\r\n").expect("a message");
                if first.starts_with("BYE") {
                    let answer = format!("SIP/2.0 200 OK\r\n{rest}");
                    self.says(&answer).await;
                    return true;
                }
                let code = first.split(' ').nth(1).expect("a status");
                let of_invite = text.contains("CSeq: 1 INVITE");
                if code.starts_with('1') || (tag.is_some() && of_invite) {
                    continue;
                }
                if !of_invite {
                    return false;
                }
                let to = text.split_once("\r\nTo: ").expect("To").1;
                let to = to.split("\r\n").next().expect("a line");
                let own = to.split_once(";tag=").map_or("", |(_, tag)| tag);
                let own = format!(";tag={own}");
                self.says(&request("ACK", from, &own, "")).await;
                if code != "200" {
                    return true;
                }
                tag = Some(own);
            }
        }
        panic!("the call ends");
    }
}

/// How often each call that was told to have come is told to have ended, once the room is closed.
async fn told(mut reports: mpsc::Receiver<TrunkReport>) -> (HashMap<AttemptId, usize>, usize) {
    let (mut ends, mut faults) = (HashMap::new(), 0);
    while let Some(report) = reports.recv().await {
        match report {
            TrunkReport::Incoming { attempt, .. } => {
                ends.entry(attempt).or_default();
            }
            TrunkReport::Ended { attempt, .. } => *ends.entry(attempt).or_default() += 1,
            TrunkReport::Fault { .. } => faults += 1,
            _ => {}
        }
    }
    (ends, faults)
}

#[tokio::test]
async fn wherever_a_callers_call_breaks_it_has_one_end_and_nothing_stays() {
    let mut broken = 0;
    for n in 1..=LOOKS {
        let folder = tempfile::tempdir().expect("folder");
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("binds");
        let clock = Arc::new(Brittle(AtomicUsize::new(0)));
        let mut config = config(socket.local_addr().expect("bound"), folder.path());
        config.clock = Arc::clone(&clock) as Arc<dyn domain::ports::Clock>;
        let (orders, inbox) = mpsc::channel(8);
        let (tell, reports) = mpsc::channel(64);
        let addrs = start(config, None, inbox, tell).await.expect("starts");
        let to = addrs.iter().find(|(t, _)| *t == SipTransport::Udp);
        let to = to.expect("bound").1;
        clock.0.store(n, Ordering::Relaxed);
        let by_us = Caller { socket, to }.calls().await;
        // The row goes with its media thread's word, which is a turn of the wheel away.
        let mut calls = usize::MAX;
        for _ in 0..50 {
            let (ask, answer) = oneshot::channel();
            orders.send(Order::Stats(ask)).await.expect("is read");
            // An answer may be what breaks.
            calls = answer.await.map_or(usize::MAX, |stats| stats.calls);
            if calls == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(calls, 0, "look {n}: the call is nobody's any more");
        let (done, over) = oneshot::channel();
        orders.send(Order::Shutdown(done)).await.expect("is read");
        let (ends, faults) = told(reports).await;
        over.await.expect("ends");
        assert!(ends.values().all(|n| *n == 1), "look {n}: {ends:?}");
        assert!(
            by_us || !ends.is_empty(),
            "look {n}: nobody's call stays up"
        );
        broken += usize::from(faults > 0);
    }
    assert!(broken > LOOKS / 3, "only {broken} broke");
}

async fn engine(folder: &std::path::Path) -> (Engine, Ears, mpsc::Receiver<TrunkReport>) {
    by_clock(folder, Arc::new(Clock)).await
}

async fn by_clock(
    folder: &std::path::Path,
    clock: Arc<dyn domain::ports::Clock>,
) -> (Engine, Ears, mpsc::Receiver<TrunkReport>) {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    let (tell, reports) = mpsc::channel(64);
    let (line, told) = mpsc::channel(64);
    tokio::spawn(carry(told, tell));
    let mut config = config(nobody, folder);
    config.clock = clock;
    let (engine, ears) = Engine::open(config, None, line).await.expect("starts");
    (engine, ears, reports)
}

fn dial(engine: &mut Engine) -> (AttemptId, oneshot::Receiver<Result<(), TrunkError>>) {
    let attempt_id = AttemptId(uuid::Uuid::from_u128(7));
    let order = DialOrder {
        attempt_id,
        trunk_id: TrunkId(uuid::Uuid::from_u128(1)),
        number: "+525587654321".into(),
        caller_number: "+525512345678".into(),
        ring_timeout_ms: 20_000,
        record: RecordMode::None,
        recording_id: RecordingId(uuid::Uuid::nil()),
        recording_key: String::new(),
        mask_dtmf: false,
        classify: false,
        not_after: None,
    };
    let (reply, answer) = oneshot::channel();
    let order = Order::Call(Command::Dial(Box::new(order)), reply);
    engine.safely(Whose::order(&order), |engine| engine.order(order));
    engine.outbox.post();
    (attempt_id, answer)
}

fn lines(engine: &Engine) -> u32 {
    engine.trunk_status().iter().map(|trunk| trunk.in_use).sum()
}

async fn all(engine: &mut Engine, reports: &mut mpsc::Receiver<TrunkReport>) -> Vec<TrunkReport> {
    engine.outbox.post();
    // Whoever carries them runs on this thread.
    tokio::task::yield_now().await;
    std::iter::from_fn(|| reports.try_recv().ok()).collect()
}

#[tokio::test]
async fn a_call_that_breaks_before_its_invite_gives_the_line_back() {
    let folder = tempfile::tempdir().expect("folder");
    let (mut engine, _ears, mut reports) = engine(folder.path()).await;
    engine.plane.cripple();
    let (_, answer) = dial(&mut engine);
    assert!(answer.await.is_err(), "broke off");
    assert_eq!(lines(&engine), 0);
    assert!(engine.attempts.is_empty() && engine.legs.is_empty());
    let told = all(&mut engine, &mut reports).await;
    assert!(matches!(told[..], [TrunkReport::Fault { .. }]), "{told:?}");
}

fn busy(call: CallKey) -> Event {
    let failure = Failure {
        why: FailWhy::Refused,
        code: 486,
        from_peer: true,
        phrase: bytes::Bytes::new(),
        q850: None,
        retry_after_s: None,
        contacts: Vec::new(),
    };
    Event::Failed { call, failure }
}

#[tokio::test]
async fn an_end_that_breaks_is_told_once_all_the_same() {
    let folder = tempfile::tempdir().expect("folder");
    let (mut engine, _ears, mut reports) = engine(folder.path()).await;
    let (attempt, answer) = dial(&mut engine);
    answer.await.expect("answered").expect("placed");
    assert_eq!(lines(&engine), 1);
    let key = engine.legs.iter().find_map(|(_, row)| row.key);
    // Nobody takes the order that ends its media.
    engine.plane.cripple();
    let event = busy(key.expect("a call"));
    engine.safely(Whose::event(&event), |engine| engine.sip_event(event));
    assert_eq!(lines(&engine), 0);
    assert!(engine.attempts.is_empty() && engine.legs.is_empty());
    let ends = all(&mut engine, &mut reports)
        .await
        .into_iter()
        .filter_map(|report| match report {
            TrunkReport::Ended {
                attempt, sip_code, ..
            } => Some((attempt, sip_code)),
            _ => None,
        });
    assert_eq!(ends.collect::<Vec<_>>(), [(attempt, Some(486))]);
}

#[tokio::test]
async fn what_is_over_when_its_media_thread_goes_is_told() {
    let folder = tempfile::tempdir().expect("folder");
    let (mut engine, _ears, mut reports) = engine(folder.path()).await;
    let (attempt, answer) = dial(&mut engine);
    answer.await.expect("answered").expect("placed");
    engine.plane.break_threads();
    let key = engine.legs.iter().find_map(|(_, row)| row.key);
    let event = busy(key.expect("a call"));
    engine.safely(Whose::event(&event), |engine| engine.sip_event(event));
    let mut ends = Vec::new();
    for _ in 0..500 {
        engine.safely(Whose::Nobody, Engine::look_after_media);
        ends.extend(
            all(&mut engine, &mut reports)
                .await
                .into_iter()
                .filter_map(|report| match report {
                    TrunkReport::Ended { attempt, .. } => Some(attempt),
                    _ => None,
                }),
        );
        if !ends.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(ends, [attempt]);
    assert!(engine.legs.is_empty());
}

#[tokio::test]
async fn a_fault_that_breaks_again_where_it_is_handled_ends_the_call_and_nothing_else() {
    let folder = tempfile::tempdir().expect("folder");
    let clock = Arc::new(Stopped::default());
    let given = Arc::clone(&clock) as Arc<dyn domain::ports::Clock>;
    let (mut engine, _ears, _reports) = by_clock(folder.path(), given).await;
    let (_, answer) = dial(&mut engine);
    answer.await.expect("answered").expect("placed");
    let (leg, row) = engine.legs.iter().next().expect("a row");
    let key = row.key.expect("a call");
    clock.0.store(true, Ordering::Relaxed);
    // The fault cannot even be told.
    let work = |_: &mut Engine| panic!("a fault on purpose");
    engine.safely(Whose::Call(key), work);
    assert!(
        engine
            .legs
            .get(leg)
            .is_some_and(|row| row.our_end.is_some())
    );
    clock.0.store(false, Ordering::Relaxed);
    let event = busy(key);
    engine.safely(Whose::event(&event), |engine| engine.sip_event(event));
    assert_eq!(lines(&engine), 0);
    assert!(engine.attempts.is_empty());
}
