//! No allocation per packet (`voice.md` §4): what the media thread asks of the allocator is counted while calls are
//! bridged, listened in on and recorded, in a program of its own. What it asks then is shown with where it asked.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]
#![expect(unsafe_code, reason = "a global allocator that counts is written so")]

mod common;

use common::peer::{Peer, Plan, Seen};
use common::{Node, agent, trunk};
use domain::ids::AttemptId;
use domain::ports::{HangUpCause, MonitorMode};
use media::rtcp::SenderInfo;
use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::UdpSocket;

/// Calls bridged at once.
const CALLS: u128 = 4;
/// Until every buffer has its size: a few chunks of each recording.
const WARM_UP: Duration = Duration::from_secs(6);
/// How long is counted: RTCP is due once on each leg and each recording hands over a dozen chunks.
const COUNTED: Duration = Duration::from_secs(6);
/// Windows of that length at most until one is without any. A thread that a busy machine held back needs more room
/// once, and keeps it; what is asked for by each packet, chunk or report is in every window.
const WINDOWS: usize = 6;
/// Places that are shown.
const SHOWN: usize = 3;

/// The thread that is watched; nobody's is 0.
static WATCHED: AtomicI32 = AtomicI32::new(0);
static ASKED: AtomicU64 = AtomicU64::new(0);
static WHERE: Mutex<Vec<String>> = Mutex::new(Vec::new());

thread_local! {
    /// This thread's number, and whether it is being shown where it asks.
    static SELF: Cell<(i32, bool)> = const { Cell::new((0, false)) };
}

struct Counting;

impl Counting {
    fn count() {
        let watched = WATCHED.load(Ordering::Relaxed);
        if watched == 0 {
            return;
        }
        let _ = SELF.try_with(|own| {
            let (mut id, shows) = own.get();
            if id == 0 {
                id = rustix::thread::gettid().as_raw_nonzero().get();
                own.set((id, shows));
            }
            if id != watched || shows {
                return;
            }
            own.set((id, true));
            if ASKED.fetch_add(1, Ordering::Relaxed) < SHOWN as u64 {
                let place = Backtrace::force_capture().to_string();
                WHERE.lock().expect("not poisoned").push(place);
            }
            own.set((id, false));
        });
    }
}

// SAFETY: every call is passed to the system's allocator as it came; counting asks for memory only while it is marked
// as doing so, and is not counted then.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count();
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::count();
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTER: Counting = Counting;

/// The thread of that name.
fn thread(name: &str) -> i32 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("threads");
    let found = tasks.filter_map(|task| {
        let task = task.ok()?.path();
        let comm = std::fs::read_to_string(task.join("comm")).ok()?;
        (comm.trim() == name).then(|| task.file_name()?.to_str()?.parse().ok())?
    });
    found.last().expect("the thread runs")
}

/// Where the room receives the sound of the call that came.
async fn place(carrier: &mut Peer) -> SocketAddr {
    let rtp = |seen: &Seen| match seen {
        Seen::Invite { rtp, .. } => *rtp,
        _ => None,
    };
    carrier.sees(rtp).await
}

/// Reports of the far ends (RFC 3550 §6.4.1), each second for as long.
async fn report(to: &[SocketAddr], time: Duration) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let info = SenderInfo {
        ssrc: 1,
        ntp: 1 << 40,
        timestamp: 1,
        packets: 1,
        octets: 160,
    };
    let blocks = [media::stats::Block::default()];
    let mut out = [0; 200];
    let n = media::rtcp::sender_report(&info, &blocks, "far", &mut out).expect("fits");
    for _ in 0..time.as_secs() {
        for rtp in to {
            let rtcp = SocketAddr::new(rtp.ip(), rtp.port() + 1);
            socket.send_to(&out[..n], rtcp).await.expect("sends");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Calls with an agent each, the last with a supervisor who listens; where their sound comes to us.
async fn calls(
    node: &mut Node,
    carrier: &mut Peer,
) -> (Vec<Peer>, Vec<AttemptId>, Vec<SocketAddr>) {
    let (mut phones, mut attempts, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for n in 1..=CALLS {
        phones.push(node.agent(n, 1_300.0).await);
        let attempt = node.dial(n, 20_000).await;
        places.push(place(carrier).await);
        node.answered(attempt).await;
        node.trunk.bridge(attempt, agent(n)).await.expect("joins");
        attempts.push(attempt);
    }
    let supervisor = CALLS + 1;
    phones.push(node.agent(supervisor, 900.0).await);
    let last = *attempts.last().expect("a call");
    let listen = Some(MonitorMode::Listen);
    let joined = node.trunk.monitor(last, agent(supervisor), listen).await;
    joined.expect("listens");
    (phones, attempts, places)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_packet_path_allocates_nothing() {
    let mut carrier = Peer::start(Plan::answers(500.0)).await;
    let address = carrier.addr;
    let mut node = Node::configured(|c| {
        c.trunks = vec![trunk(address)];
        c.media_threads = 1;
    })
    .await;
    let (phones, attempts, places) = calls(&mut node, &mut carrier).await;
    report(&places, WARM_UP).await;
    WATCHED.store(thread("media-0"), Ordering::Relaxed);
    let mut made = Vec::new();
    let mut heard = 0;
    while made.len() < WINDOWS && made.last() != Some(&0) {
        let packets = || phones.iter().map(|phone| phone.line.packets()).sum::<u64>();
        let (before, asked) = (packets(), ASKED.load(Ordering::Relaxed));
        report(&places, COUNTED).await;
        made.push(ASKED.load(Ordering::Relaxed) - asked);
        heard = packets() - before;
    }
    let asked = ASKED.load(Ordering::Relaxed);
    // That it counts at all: a recording that begins is made of something.
    let more = node.dial(99, 20_000).await;
    node.answered(more).await;
    let counts = async {
        while ASKED.load(Ordering::Relaxed) == asked {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let counts = tokio::time::timeout(Duration::from_secs(20), counts).await;
    counts.expect("the thread is watched");
    WATCHED.store(0, Ordering::Relaxed);
    for attempt in attempts {
        let ended = node.trunk.hang_up(attempt, HangUpCause::Normal);
        ended.await.expect("hangs up");
        assert_eq!(node.ended(attempt).await.code, Some(200));
    }
    eprintln!(
        "allocations of the media thread in windows of {COUNTED:?}: {made:?}; {CALLS} calls bridged and recorded, one of \
         them listened in on, {heard} packets to the agents in the last"
    );
    assert!(heard > 500, "sound passes: {heard}");
    let shown = WHERE.lock().expect("not poisoned");
    assert_eq!(
        made.last(),
        Some(&0),
        "{made:?} while {CALLS} calls talk: {shown:#?}"
    );
}
