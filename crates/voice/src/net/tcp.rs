//! TCP, and TLS over it: a task per connection. What breaks or idles closes that connection only.

use super::acl::Door;
use super::tls::Tls;
use super::{Inbound, Input};
use crate::limits;
use bytes::Bytes;
use sip::{ConnId, Proto, Source, Target};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

struct Connection {
    peer: SocketAddr,
    line: mpsc::Sender<Bytes>,
}

/// Open connections by number; numbers are never used again.
#[derive(Clone)]
pub(super) struct Connections {
    open: Arc<Mutex<HashMap<ConnId, Connection>>>,
    next: Arc<AtomicU64>,
    inbound: mpsc::Sender<Inbound>,
    door: Door,
    /// None: in the clear.
    tls: Option<Arc<Tls>>,
}

impl Connections {
    pub(super) fn new(inbound: mpsc::Sender<Inbound>, door: Door) -> Self {
        Self {
            open: Arc::default(),
            next: Arc::new(AtomicU64::new(1)),
            inbound,
            door,
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
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            };
            if self.may_open(from.ip())
                && let Some((id, queue)) = self.enter(from)
            {
                tokio::spawn(self.clone().welcome(stream, from, id, queue));
            }
        }
    }

    /// A connection that came in; its place is taken before the handshake, so that half-open ones
    /// are bounded too.
    async fn welcome(
        self,
        stream: TcpStream,
        from: SocketAddr,
        id: ConnId,
        queue: mpsc::Receiver<Bytes>,
    ) {
        let _ = stream.set_nodelay(true);
        match self.tls.clone() {
            None => self.carry(stream, from, id, queue).await,
            Some(tls) => match tls.accept(stream).await {
                Some(stream) => self.carry(stream, from, id, queue).await,
                None => drop(self.lock().remove(&id)),
            },
        }
    }

    /// Sends over the preferred connection, another one to the same peer, or a new one.
    pub(super) fn send(&self, to: Target, bytes: Bytes) {
        let line = {
            let open = self.lock();
            let preferred = to.conn.and_then(|id| open.get(&id));
            let found = preferred.or_else(|| open.values().find(|c| c.peer == to.dest));
            found.map(|c| c.line.clone())
        };
        match line.map(|line| line.try_send(bytes.clone())) {
            // A peer that does not read loses the message; the transaction's timer tells.
            Some(Ok(()) | Err(mpsc::error::TrySendError::Full(_))) => {}
            Some(Err(mpsc::error::TrySendError::Closed(_))) | None => self.open(to.dest, bytes),
        }
    }

    /// Closes a connection whose bytes make no sense.
    pub(super) fn close(&self, id: ConnId) {
        self.lock().remove(&id);
    }

    fn open(&self, to: SocketAddr, first: Bytes) {
        let Some((id, queue)) = self.enter(to) else {
            return;
        };
        if let Some(connection) = self.lock().get(&id) {
            let _ = connection.line.try_send(first);
        }
        let this = self.clone();
        tokio::spawn(async move {
            let opened = tokio::time::timeout(limits::TCP_CONNECT, TcpStream::connect(to)).await;
            let Ok(Ok(stream)) = opened else {
                return this.gone(to, id, Input::Failed).await;
            };
            let _ = stream.set_nodelay(true);
            match this.tls.clone() {
                None => this.carry(stream, to, id, queue).await,
                Some(tls) => match tls.connect(to, stream).await {
                    Some(stream) => this.carry(stream, to, id, queue).await,
                    None => this.gone(to, id, Input::Failed).await,
                },
            }
        });
    }

    fn may_open(&self, from: IpAddr) -> bool {
        let heard = self.door.read().is_ok_and(|door| door.hears(from));
        heard
            && self.lock().values().filter(|c| c.peer.ip() == from).count() < limits::TCP_PER_SOURCE
    }

    fn enter(&self, peer: SocketAddr) -> Option<(ConnId, mpsc::Receiver<Bytes>)> {
        let mut open = self.lock();
        if open.len() >= limits::TCP_CONNECTIONS {
            return None;
        }
        let (line, queue) = mpsc::channel(limits::TCP_SEND_QUEUE);
        let id = ConnId(self.next.fetch_add(1, Ordering::Relaxed));
        open.insert(id, Connection { peer, line });
        Some((id, queue))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnId, Connection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn carry(
        self,
        stream: impl AsyncRead + AsyncWrite,
        peer: SocketAddr,
        id: ConnId,
        mut queue: mpsc::Receiver<Bytes>,
    ) {
        let (mut read, mut write) = tokio::io::split(stream);
        let mut buffer = vec![0_u8; 16 * 1024];
        let idle = tokio::time::sleep(limits::TCP_FIRST_MESSAGE);
        tokio::pin!(idle);
        let mut spoken_to = false;
        loop {
            tokio::select! {
                () = &mut idle, if !spoken_to => break,
                out = queue.recv() => {
                    let Some(bytes) = out else { break };
                    spoken_to = true;
                    let write = async {
                        write.write_all(&bytes).await?;
                        write.flush().await
                    };
                    let sent = tokio::time::timeout(limits::TCP_CONNECT, write);
                    if !matches!(sent.await, Ok(Ok(()))) { break }
                }
                got = read.read(&mut buffer) => {
                    let Ok(n @ 1..) = got else { break };
                    let input = Input::Bytes(Bytes::copy_from_slice(&buffer[..n]));
                    let source = self.source(peer, id);
                    let inbound = Inbound { source, at: Instant::now(), input };
                    if self.inbound.send(inbound).await.is_err() { break }
                }
            }
        }
        self.gone(peer, id, Input::Closed).await;
    }

    async fn gone(&self, peer: SocketAddr, id: ConnId, input: Input) {
        self.lock().remove(&id);
        let source = self.source(peer, id);
        let gone = Inbound {
            source,
            at: Instant::now(),
            input,
        };
        let _ = self.inbound.send(gone).await;
    }
}
