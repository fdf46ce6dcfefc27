use super::*;
use crate::net::Guests;
use std::sync::RwLock;

/// Connections with short patience, what they bring, and where they listen.
async fn rig(known: bool) -> (Connections, mpsc::Receiver<Inbound>, SocketAddr) {
    let (tx, rx) = mpsc::channel(INBOUND_QUEUE);
    let mut guests = Guests::default();
    if known {
        guests.known.insert(IpAddr::from([127, 0, 0, 1]));
    }
    let mut all = Connections::new(tx, Arc::new(RwLock::new(guests)));
    all.patience = Patience {
        first: Duration::from_millis(300),
        guest: Duration::from_millis(900),
        known: Duration::from_secs(600),
        look: Duration::from_millis(50),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let at = listener.local_addr().expect("address");
    tokio::spawn(all.clone().listen(listener));
    (all, rx, at)
}

async fn closed(stream: &mut TcpStream) {
    let mut buffer = [0; 256];
    let end = async { while stream.read(&mut buffer).await.is_ok_and(|n| n > 0) {} };
    let end = tokio::time::timeout(Duration::from_secs(20), end).await;
    end.expect("it is closed");
}

/// The next octets that came, and whose.
async fn brought(inbound: &mut mpsc::Receiver<Inbound>) -> (Source, Bytes) {
    loop {
        let next = inbound.recv().await.expect("open");
        if let Input::Bytes(bytes) = next.input {
            return (next.source, bytes);
        }
    }
}

#[tokio::test]
async fn keep_alives_hold_no_place() {
    let (all, mut inbound, at) = rig(false).await;
    let mut stream = TcpStream::connect(at).await.expect("connects");
    stream.write_all(b"\r\n\r\n").await.expect("writes");
    let (source, _) = brought(&mut inbound).await;
    // What the endpoint does: a line end back, and no message counted.
    all.spoke(source.conn.expect("a stream"), 0);
    all.send(source.into(), Bytes::from_static(b"\r\n"));
    closed(&mut stream).await;
    assert!(all.lock().is_empty(), "its place is free");
}

#[tokio::test]
async fn a_stranger_that_falls_silent_is_let_go_and_a_friend_is_not() {
    for known in [false, true] {
        let (all, mut inbound, at) = rig(known).await;
        let mut stream = TcpStream::connect(at).await.expect("connects");
        stream.write_all(b"whole").await.expect("writes");
        let (source, _) = brought(&mut inbound).await;
        all.spoke(source.conn.expect("a stream"), 1);
        if known {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            assert_eq!(all.lock().len(), 1);
        } else {
            closed(&mut stream).await;
        }
    }
}

#[test]
fn silence_counts_from_the_last_whole_message() {
    let patience = Patience {
        first: Duration::from_secs(30),
        guest: Duration::from_secs(120),
        known: Duration::from_secs(7_200),
        look: Duration::from_secs(30),
    };
    let t0 = Instant::now();
    let at = |s: u64| t0 + Duration::from_secs(s);
    let mut guest = Silence::new(false, t0);
    assert!(!guest.is_over(0, false, &patience, at(29)));
    assert!(guest.is_over(0, false, &patience, at(30)));
    let mut guest = Silence::new(false, t0);
    assert!(!guest.is_over(1, false, &patience, at(20)));
    assert!(!guest.is_over(2, false, &patience, at(139)));
    assert!(!guest.is_over(2, false, &patience, at(258)));
    assert!(guest.is_over(2, false, &patience, at(259)));
    // A registered phone; and one that we called before it said anything.
    assert!(!Silence::new(false, t0).is_over(1, true, &patience, at(7_000)));
    let mut ours = Silence::new(true, t0);
    assert!(!ours.is_over(0, true, &patience, at(7_199)));
    assert!(ours.is_over(0, true, &patience, at(7_200)));
}

/// Places taken from so many addresses.
fn crowd(all: &Connections, count: usize) -> Vec<Place> {
    let peers = (0..count).map(|n| {
        let [high, low] = u16::try_from(n).expect("small").to_be_bytes();
        SocketAddr::from(([10, 0, high, low], 5_060))
    });
    peers.filter_map(|peer| all.enter(peer, false)).collect()
}

#[tokio::test]
async fn strangers_leave_places_for_trunks_and_for_ourselves() {
    let (all, mut inbound, _) = rig(true).await;
    let held = crowd(&all, 2 * limits::TCP_CONNECTIONS);
    assert_eq!(held.len(), limits::TCP_GUESTS);
    let friend = SocketAddr::from(([127, 0, 0, 1], 5_060));
    let ours: Vec<Place> = (0..limits::TCP_PER_KNOWN)
        .filter_map(|_| all.enter(friend, false))
        .collect();
    assert_eq!(ours.len(), limits::TCP_PER_KNOWN, "a trunk comes in");
    let trunk = SocketAddr::from(([10, 9, 9, 9], 5_060));
    let rest = limits::TCP_CONNECTIONS - held.len() - ours.len();
    let opened: Vec<Place> = (0..rest).filter_map(|_| all.enter(trunk, true)).collect();
    assert_eq!(opened.len(), rest, "and we get out");
    // With every place taken the request's transaction is told at once.
    let to = Target {
        proto: Proto::Tcp,
        dest: SocketAddr::from(([10, 9, 9, 8], 5_060)),
        conn: None,
    };
    all.send(to, Bytes::from_static(b"INVITE"));
    let told = inbound.recv().await.expect("is told");
    assert!(matches!(told.input, Input::Failed));
    assert_eq!(told.source.remote, to.dest);
}

#[tokio::test]
async fn an_ipv6_net_counts_as_one_source() {
    let (all, _inbound, _) = rig(false).await;
    let host = |n: u16| SocketAddr::from(([0x2001, 0xdb8, 0, 1, 0, 0, 0, n], 5_060));
    let got: Vec<Place> = (0..100).filter_map(|n| all.enter(host(n), false)).collect();
    assert_eq!(got.len(), limits::TCP_PER_SOURCE);
    let other = SocketAddr::from(([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1], 5_060));
    assert!(all.enter(other, false).is_some());
}

#[tokio::test]
async fn nobody_has_us_open_connections_by_closing_his_own() {
    let (all, mut inbound, _) = rig(false).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let to = Target {
        proto: Proto::Tcp,
        dest: listener.local_addr().expect("address"),
        conn: Some(ConnId(999)),
    };
    all.send(to, Bytes::from_static(b"SIP/2.0 200 OK"));
    let told = inbound.recv().await.expect("is told");
    assert!(matches!(told.input, Input::Failed));
    assert!(all.lock().is_empty());
}

#[tokio::test]
async fn what_is_on_no_line_goes_over_nobodys() {
    let (all, _inbound, _) = rig(true).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let dest = listener.local_addr().expect("address");
    let send = |conn, text: &'static str| {
        let proto = Proto::Tcp;
        all.send(
            Target { proto, dest, conn },
            Bytes::from_static(text.as_bytes()),
        );
    };
    let line = |n| Some(super::line(TrunkId(uuid::Uuid::from_u128(n)), dest));
    let read = async |stream: &mut TcpStream| {
        let mut text = [0; 3];
        let all = tokio::time::timeout(Duration::from_secs(60), stream.read_exact(&mut text));
        all.await.expect("it comes").expect("reads");
        text
    };
    send(line(1), "ONE");
    let (mut one, _) = listener.accept().await.expect("opened");
    assert_eq!(read(&mut one).await, *b"ONE");
    // In a dialog whose contact is elsewhere than its trunk's proxy: no line is named.
    send(None, "BYE");
    let (mut other, _) = listener.accept().await.expect("one of its own");
    assert_eq!(read(&mut other).await, *b"BYE");
    send(None, "ACK");
    assert_eq!(read(&mut other).await, *b"ACK", "that one again");
    send(line(1), "TWO");
    assert_eq!(read(&mut one).await, *b"TWO");
}

#[tokio::test]
async fn a_strangers_stream_has_its_share_of_a_second() {
    let (all, _inbound, _) = rig(true).await;
    let stranger = IpAddr::from([10, 0, 0, 1]);
    let all_of_it = limits::UNKNOWN_SOURCE_PER_SECOND;
    assert!(all.pay(stranger, all_of_it));
    assert!(!all.pay(stranger, 1), "over whichever connection");
    assert!(all.pay(IpAddr::from([10, 0, 0, 2]), 1));
    // Half of the queue is not for strangers, paid or not.
    let source = all.source(SocketAddr::from(([10, 0, 0, 3], 1)), ConnId(1));
    for _ in 0..INBOUND_QUEUE / 2 {
        let input = Input::Closed;
        let at = Instant::now();
        let full = all.inbound.try_send(Inbound { source, at, input });
        full.expect("has room");
    }
    let waits = all.wait_turn(IpAddr::from([10, 0, 0, 3]), 100);
    let waits = tokio::time::timeout(Duration::from_millis(300), waits).await;
    assert!(waits.is_err(), "a stranger waits");
    all.wait_turn(IpAddr::from([127, 0, 0, 1]), 100).await;
}
