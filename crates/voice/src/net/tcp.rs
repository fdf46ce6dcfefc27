//! TCP, and TLS over it: a task per connection. What breaks or idles closes that connection only;
//! strangers have a share of places and of messages, trunks and registered phones the rest.

#[cfg(test)]
mod tests;

use super::acl::Door;
use super::tls::Tls;
use super::udp::Shares;
use super::{INBOUND_QUEUE, Inbound, Input};
use crate::limits;
use bytes::Bytes;
use domain::ids::TrunkId;
use sip::transport::origin;
use sip::{ConnId, Proto, Source, Target};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Numbers from here on are lines: the way of one trunk to one address, whichever connection that is
/// now. Two trunks at one address may each have to show a certificate of their own.
const LINES: u64 = 1 << 63;

/// The line of a trunk to an address.
pub(crate) fn line(trunk: TrunkId, to: SocketAddr) -> ConnId {
    let mut hasher = DefaultHasher::new();
    (trunk.0.as_u128(), to).hash(&mut hasher);
    ConnId(hasher.finish() | LINES)
}

/// Whether a number is that of a line.
pub(crate) fn is_line(id: ConnId) -> bool {
    id.0 >= LINES
}

/// The connection that leads there: the preferred one, or another to the same peer; on a line that line's
/// alone, and off it nobody's line.
fn way(open: &HashMap<ConnId, Connection>, to: Target) -> Option<&Connection> {
    let on_line = to.conn.is_some_and(is_line);
    let preferred = to.conn.and_then(|id| open.get(&id));
    let free = |(id, c): &(&ConnId, &Connection)| c.peer == to.dest && !is_line(**id);
    let other = || open.iter().filter(|_| !on_line).find(free).map(|(_, c)| c);
    preferred.or_else(other)
}

struct Connection {
    peer: SocketAddr,
    line: mpsc::Sender<Bytes>,
    /// It came in from somebody unknown.
    guest: bool,
    /// Whole messages read from it.
    messages: Arc<AtomicU64>,
    /// It is open, and its handshake done.
    stands: bool,
}

/// How long a silent connection is kept.
#[derive(Clone, Copy)]
struct Patience {
    /// With somebody who came in and has not sent a whole message.
    first: Duration,
    /// With a stranger, from one whole message to the next.
    guest: Duration,
    /// With a trunk or a registered phone.
    known: Duration,
    /// Time between two looks.
    look: Duration,
}

/// A place that a connection has taken.
struct Place {
    peer: SocketAddr,
    id: ConnId,
    queue: mpsc::Receiver<Bytes>,
    messages: Arc<AtomicU64>,
    /// We opened it.
    ours: bool,
}

/// Open connections by number; numbers are never used again.
#[derive(Clone)]
pub(super) struct Connections {
    open: Arc<Mutex<HashMap<ConnId, Connection>>>,
    next: Arc<AtomicU64>,
    inbound: mpsc::Sender<Inbound>,
    door: Door,
    shares: Arc<Mutex<Shares>>,
    patience: Patience,
    /// None: in the clear.
    tls: Option<Arc<Tls>>,
}

impl Connections {
    pub(super) fn new(inbound: mpsc::Sender<Inbound>, door: Door) -> Self {
        let shares = Shares::new(limits::UNKNOWN_SOURCE_PER_SECOND, Instant::now());
        Self {
            open: Arc::default(),
            next: Arc::new(AtomicU64::new(1)),
            inbound,
            door,
            shares: Arc::new(Mutex::new(shares)),
            patience: Patience {
                first: limits::TCP_FIRST_MESSAGE,
                guest: limits::TCP_IDLE_GUEST,
                known: limits::TCP_IDLE_KNOWN,
                look: limits::TCP_LOOK,
            },
            tls: None,
        }
    }

    /// Others inside TLS, numbered along with these.
    pub(super) fn secured(&self, tls: Arc<Tls>) -> Self {
        Self {
            open: Arc::default(),
            tls: Some(tls),
            ..self.clone()
        }
    }

    fn source(&self, remote: SocketAddr, id: ConnId) -> Source {
        let proto = match self.tls {
            Some(_) => Proto::Tls,
            None => Proto::Tcp,
        };
        Source {
            proto,
            remote,
            conn: Some(id),
        }
    }

    /// Accepts until the signalling thread is gone.
    pub(super) async fn listen(self, listener: TcpListener) {
        while !self.inbound.is_closed() {
            let Ok((stream, from)) = listener.accept().await else {
                // Out of descriptors: give those in use time to close.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let heard = self.door.read().is_ok_and(|door| door.hears(from.ip()));
            if heard && let Some(place) = self.enter(from, false) {
                tokio::spawn(self.clone().welcome(stream, place));
            }
        }
    }

    /// A connection that came in; its place is taken before the handshake, so that half-open ones
    /// are bounded too.
    async fn welcome(self, stream: TcpStream, place: Place) {
        let _ = stream.set_nodelay(true);
        match self.tls.clone() {
            None => self.carry(stream, place).await,
            Some(tls) => match tls.accept(stream).await {
                Some(stream) => self.carry(stream, place).await,
                None => drop(self.lock().remove(&place.id)),
            },
        }
    }

    /// Sends over the preferred connection, another one to the same peer, or a new one; on a line over
    /// that line's alone, and what is on none over nobody's line: it shows the certificate of a trunk.
    pub(super) fn send(&self, to: Target, bytes: Bytes) {
        let on_line = to.conn.is_some_and(is_line);
        let line = way(&self.lock(), to).map(|c| c.line.clone());
        match line.map(|line| line.try_send(bytes.clone())) {
            // A peer that does not read loses the message; the transaction's timer tells.
            Some(Ok(()) | Err(mpsc::error::TrySendError::Full(_))) => {}
            Some(Err(mpsc::error::TrySendError::Closed(_))) | None => {
                // What a stranger asked over a connection it has closed is answered nowhere: else
                // anybody could have us open connections.
                if to.conn.is_none() || on_line || self.knows(to.dest.ip()) {
                    self.open(to, Some(bytes));
                } else {
                    self.failed(to);
                }
            }
        }
    }

    /// Sees that there is a connection, and tells.
    pub(super) fn reach(&self, to: Target) {
        let there = way(&self.lock(), to).map(|c| c.stands);
        match there {
            Some(true) => self.told(to, Input::Opened),
            // It is being opened: its task tells.
            Some(false) => {}
            None => self.open(to, None),
        }
    }

    /// Closes a connection whose bytes make no sense.
    pub(super) fn close(&self, id: ConnId) {
        self.lock().remove(&id);
    }

    /// Tells how many whole messages a connection has brought.
    pub(super) fn spoke(&self, id: ConnId, messages: u64) {
        if let Some(connection) = self.lock().get(&id) {
            connection.messages.store(messages, Ordering::Relaxed);
        }
    }

    fn open(&self, to: Target, first: Option<Bytes>) {
        let id = to.conn.filter(|id| is_line(*id));
        let Some(place) = self.enter_as(to.dest, true, id) else {
            return self.failed(to);
        };
        let (to, id) = (to.dest, place.id);
        if let (Some(connection), Some(first)) = (self.lock().get(&id), first) {
            let _ = connection.line.try_send(first);
        }
        let this = self.clone();
        tokio::spawn(async move {
            let opened = tokio::time::timeout(limits::TCP_CONNECT, TcpStream::connect(to)).await;
            let Ok(Ok(stream)) = opened else {
                return this.gone(&place, Input::Failed).await;
            };
            let _ = stream.set_nodelay(true);
            match this.tls.clone() {
                None => this.carry(stream, place).await,
                Some(tls) => match tls.connect((to, id), stream).await {
                    Some(stream) => this.carry(stream, place).await,
                    None => this.gone(&place, Input::Failed).await,
                },
            }
        });
    }

    /// Tells that no connection could be opened: requests to that address, or on that line, need not
    /// wait.
    fn failed(&self, to: Target) {
        self.told(to, Input::Failed);
    }

    fn told(&self, to: Target, what: Input) {
        let line = to.conn.filter(|id| is_line(*id));
        let id = line.unwrap_or_else(|| self.fresh_id());
        let this = self.clone();
        tokio::spawn(async move { this.tell(to.dest, id, what).await });
    }

    fn knows(&self, addr: IpAddr) -> bool {
        self.door.read().is_ok_and(|door| door.knows(addr))
    }

    /// A place for one more connection, when there is one. Strangers' places are fewer, so that
    /// trunks, phones and what we open ourselves always find one.
    fn enter(&self, peer: SocketAddr, ours: bool) -> Option<Place> {
        self.enter_as(peer, ours, None)
    }

    /// The same with a line's number.
    fn enter_as(&self, peer: SocketAddr, ours: bool, line: Option<ConnId>) -> Option<Place> {
        let known = ours || self.knows(peer.ip());
        let mut open = self.lock();
        if open.len() >= limits::TCP_CONNECTIONS {
            return None;
        }
        if !ours {
            let of_source = origin(peer.ip());
            let same = open.values().filter(|c| origin(c.peer.ip()) == of_source);
            let most = match known {
                true => limits::TCP_PER_KNOWN,
                false => limits::TCP_PER_SOURCE,
            };
            let guests = open.values().filter(|c| c.guest).count();
            if same.count() >= most || (!known && guests >= limits::TCP_GUESTS) {
                return None;
            }
        }
        let id = line.unwrap_or_else(|| self.fresh_id());
        let (line, queue) = mpsc::channel(limits::TCP_SEND_QUEUE);
        let messages = Arc::new(AtomicU64::new(0));
        let connection = Connection {
            peer,
            line,
            guest: !known,
            messages: messages.clone(),
            stands: false,
        };
        open.insert(id, connection);
        Some(Place {
            peer,
            id,
            queue,
            messages,
            ours,
        })
    }

    fn fresh_id(&self) -> ConnId {
        ConnId(self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnId, Connection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn carry(self, stream: impl AsyncRead + AsyncWrite, mut place: Place) {
        let (peer, id) = (place.peer, place.id);
        if let Some(connection) = self.lock().get_mut(&id) {
            connection.stands = true;
        }
        if place.ours {
            self.tell(peer, id, Input::Opened).await;
        }
        let (mut read, mut write) = tokio::io::split(stream);
        let mut buffer = vec![0_u8; 16 * 1024];
        // Before the first look, so that a limit of so many looks is over at that look.
        let mut silence = Silence::new(place.ours, Instant::now());
        let mut look = tokio::time::interval(self.patience.look);
        loop {
            tokio::select! {
                _ = look.tick() => if self.is_idle(&place, &mut silence) { break },
                out = place.queue.recv() => {
                    let Some(bytes) = out else { break };
                    let write = async {
                        write.write_all(&bytes).await?;
                        write.flush().await
                    };
                    let sent = tokio::time::timeout(limits::TCP_CONNECT, write);
                    if !matches!(sent.await, Ok(Ok(()))) { break }
                }
                got = read.read(&mut buffer) => {
                    let n = match got {
                        Ok(n @ 1..) => n,
                        Ok(_) => break,
                        Err(error) => {
                            // Who wants another certificate of us says so after the handshake (TLS 1.3).
                            if place.ours {
                                tracing::warn!(%peer, %error, "a connection of ours broke");
                            }
                            break;
                        }
                    };
                    self.wait_turn(peer.ip(), n).await;
                    let input = Input::Bytes(Bytes::copy_from_slice(&buffer[..n]));
                    let source = self.source(peer, id);
                    let inbound = Inbound { source, at: Instant::now(), input };
                    if self.inbound.send(inbound).await.is_err() { break }
                }
            }
        }
        self.gone(&place, Input::Closed).await;
    }

    /// Whether the peer has been silent for longer than we wait for its like.
    fn is_idle(&self, place: &Place, silence: &mut Silence) -> bool {
        let known = self.knows(place.peer.ip());
        if known && let Some(connection) = self.lock().get_mut(&place.id) {
            // A phone that has registered: its place among the strangers is free again.
            connection.guest = false;
        }
        let messages = place.messages.load(Ordering::Relaxed);
        silence.is_over(messages, known, &self.patience, Instant::now())
    }

    /// Holds a stranger's octets back while it has had its share of this second, or while others wait:
    /// its connection fills, and it must wait itself.
    async fn wait_turn(&self, from: IpAddr, octets: usize) {
        let messages = u32::try_from(octets.div_ceil(limits::MESSAGE_OCTETS)).unwrap_or(u32::MAX);
        let mut paid = false;
        while !self.inbound.is_closed() && !self.knows(from) {
            paid = paid || self.pay(from, messages);
            if paid && self.inbound.capacity() > INBOUND_QUEUE / 2 {
                return;
            }
            tokio::time::sleep(limits::TCP_TURN).await;
        }
    }

    fn pay(&self, from: IpAddr, messages: u32) -> bool {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.take_some(from, messages, Instant::now())
    }

    /// A connection is over. Another one on its line may have taken its place: then nothing is.
    async fn gone(&self, place: &Place, input: Input) {
        {
            let mut open = self.lock();
            let there = open.get(&place.id);
            if there.is_some_and(|c| !Arc::ptr_eq(&c.messages, &place.messages)) {
                return;
            }
            open.remove(&place.id);
        }
        self.tell(place.peer, place.id, input).await;
    }

    async fn tell(&self, peer: SocketAddr, id: ConnId, input: Input) {
        let source = self.source(peer, id);
        let gone = Inbound {
            source,
            at: Instant::now(),
            input,
        };
        let _ = self.inbound.send(gone).await;
    }
}

/// How long nothing whole has come on a connection.
struct Silence {
    since: Instant,
    messages: u64,
    /// The first message is ours.
    ours: bool,
}

impl Silence {
    fn new(ours: bool, now: Instant) -> Self {
        Self {
            since: now,
            messages: 0,
            ours,
        }
    }

    fn is_over(&mut self, messages: u64, known: bool, patience: &Patience, now: Instant) -> bool {
        if messages != self.messages {
            (self.messages, self.since) = (messages, now);
        }
        let limit = match (messages, known) {
            (0, _) if !self.ours => patience.first,
            (_, true) => patience.known,
            (_, false) => patience.guest,
        };
        now.saturating_duration_since(self.since) >= limit
    }
}
