//! Sockets under a sans-IO SIP endpoint: UDP, and TCP that others open to us.

use std::collections::HashMap;
use std::net::SocketAddr;

use bytes::Bytes;
use rand::RngCore as _;
use sip::ua::{Config, Event, Received};
use sip::{ConnId, Endpoint, Millis, Proto, SeededIds, Source, Transmit};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;

use tokio_rustls::TlsAcceptor;

use crate::secure::Tls;
use crate::{Clock, SipTestError};

/// Largest datagram.
const DATAGRAM_BYTES: usize = 65_535;
/// Most TCP connections at once; more are closed on sight.
const MAX_CONNECTIONS: usize = 256;
/// Reads waiting for the endpoint, over all connections.
const READ_QUEUE: usize = 256;
/// Messages waiting for one connection; a peer that reads slower is cut off.
const WRITE_QUEUE: usize = 64;
/// Longest TLS handshake.
const HANDSHAKE: std::time::Duration = std::time::Duration::from_secs(10);
/// Octets read from a connection at a time.
const READ_BYTES: usize = 8_192;
/// Ports tried when any will do.
const BIND_TRIES: u32 = 16;

struct Stream {
    remote: SocketAddr,
    proto: Proto,
    write: mpsc::Sender<Bytes>,
}

/// What came from a connection: octets, or none when it closed.
type Read = (ConnId, SocketAddr, Option<Bytes>);

/// An endpoint with its sockets.
pub struct Driver {
    endpoint: Endpoint,
    clock: Clock,
    udp: UdpSocket,
    local: SocketAddr,
    tcp: Option<TcpListener>,
    tls: Option<(TcpListener, TlsAcceptor)>,
    streams: HashMap<ConnId, Stream>,
    next_stream: u64,
    reads: mpsc::Receiver<Read>,
    reader: mpsc::Sender<Read>,
    buffer: Vec<u8>,
}

/// Datagrams the system holds while the driver is busy, bytes: hundreds of withdrawals may come at once, and one
/// that is lost comes again only after half a second.
const RECEIVE_BYTES: usize = 4 * 1_024 * 1_024;

/// UDP and, where asked, TCP at one port. Port 0 gives one that is free for UDP; when somebody has it by
/// TCP another is asked for.
async fn sockets(
    address: SocketAddr,
    tcp: bool,
) -> std::io::Result<(UdpSocket, Option<TcpListener>)> {
    let mut left = BIND_TRIES;
    loop {
        let udp = UdpSocket::bind(address).await?;
        // What the system does not grant is no reason not to start.
        let _ = socket2::SockRef::from(&udp).set_recv_buffer_size(RECEIVE_BYTES);
        if !tcp {
            return Ok((udp, None));
        }
        match TcpListener::bind(udp.local_addr()?).await {
            Ok(listener) => return Ok((udp, Some(listener))),
            Err(error) => {
                left -= 1;
                let taken = error.kind() == std::io::ErrorKind::AddrInUse;
                if address.port() != 0 || !taken || left == 0 {
                    return Err(error);
                }
            }
        }
    }
}

impl Driver {
    /// Binds `address` for UDP (and TCP where `tcp`) and makes the endpoint; `configure` may change
    /// its settings.
    ///
    /// # Errors
    /// [`SipTestError::Bind`].
    pub async fn bind(
        address: SocketAddr,
        tcp: bool,
        clock: Clock,
        configure: impl FnOnce(&mut Config),
    ) -> Result<Self, SipTestError> {
        let refuse = |source| SipTestError::Bind { address, source };
        let (udp, tcp) = sockets(address, tcp).await.map_err(refuse)?;
        let local = udp.local_addr().map_err(refuse)?;
        let mut config = Config::new(local);
        config.user_agent = "sip-test".to_owned();
        config.local.tcp = tcp.as_ref().map(|_| local);
        configure(&mut config);
        let mut seed = [0u8; 32];
        rand::rng().fill_bytes(&mut seed);
        let (reader, reads) = mpsc::channel(READ_QUEUE);
        Ok(Self {
            endpoint: Endpoint::new(config, Box::new(SeededIds::new(seed))),
            clock,
            udp,
            local,
            tcp,
            tls: None,
            streams: HashMap::new(),
            next_stream: 1,
            reads,
            reader,
            buffer: vec![0; DATAGRAM_BYTES],
        })
    }

    /// As [`Driver::bind`], UDP and TCP, and listens for TLS too where that is wished; its address is
    /// the second.
    ///
    /// # Errors
    /// As [`Driver::bind`]; a certificate that cannot be used.
    pub async fn bind_with(
        address: SocketAddr,
        tls: Option<&Tls>,
        clock: Clock,
        configure: impl FnOnce(&mut Config),
    ) -> Result<(Self, Option<SocketAddr>), SipTestError> {
        let Some(wished) = tls else {
            return Ok((Self::bind(address, true, clock, configure).await?, None));
        };
        let refuse = |source| SipTestError::Bind {
            address: wished.bind,
            source,
        };
        let acceptor = wished.acceptor()?;
        let listener = TcpListener::bind(wished.bind).await.map_err(refuse)?;
        let at = listener.local_addr().map_err(refuse)?;
        let configure = |config: &mut Config| {
            config.local.tls = Some(at);
            configure(config);
        };
        let mut driver = Self::bind(address, true, clock, configure).await?;
        driver.tls = Some((listener, acceptor));
        Ok((driver, Some(at)))
    }

    /// The bound address.
    #[must_use]
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// The endpoint, for commands; what they send leaves with the next [`Driver::next`] or
    /// [`Driver::flush`].
    pub const fn endpoint(&mut self) -> &mut Endpoint {
        &mut self.endpoint
    }

    /// Now, on the endpoint's clock.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The clock.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// Waits for the next report. Safe to drop while waiting: nothing is lost.
    pub async fn next(&mut self) -> Event {
        loop {
            self.flush();
            if let Some(event) = self.endpoint.poll_event() {
                return event;
            }
            let deadline = self
                .endpoint
                .next_deadline()
                .map(|at| self.clock.instant(at));
            tokio::select! {
                came = self.udp.recv_from(&mut self.buffer) => self.datagram(came),
                () = sleep_until(deadline) => self.endpoint.on_timer(self.clock.now()),
                stream = accept(self.tcp.as_ref()) => self.accepted(stream, Proto::Tcp),
                stream = accept(self.tls.as_ref().map(|(l, _)| l)) => self.accepted(stream, Proto::Tls),
                Some(read) = self.reads.recv() => self.stream_read(read),
            }
        }
    }

    /// Sends what waits. UDP that the system does not take is lost, as on any network.
    pub fn flush(&mut self) {
        while let Some(Transmit { target, bytes }) = self.endpoint.poll_transmit() {
            let sent = match target.proto {
                Proto::Udp => {
                    let sent = self.udp.try_send_to(&bytes, target.dest);
                    !matches!(sent, Err(e) if e.kind() == std::io::ErrorKind::ConnectionRefused)
                }
                Proto::Tcp | Proto::Tls => self.write_stream(target.conn, target.dest, bytes),
            };
            if !sent {
                self.endpoint
                    .transport_failed(self.clock.now(), target.proto, target.dest);
            }
        }
    }

    fn write_stream(&mut self, conn: Option<ConnId>, dest: SocketAddr, bytes: Bytes) -> bool {
        let by_address = || {
            self.streams
                .iter()
                .find(|(_, s)| s.remote == dest)
                .map(|(id, _)| *id)
        };
        let Some(id) = conn
            .filter(|id| self.streams.contains_key(id))
            .or_else(by_address)
        else {
            return false;
        };
        self.streams
            .get(&id)
            .is_some_and(|s| s.write.try_send(bytes).is_ok())
    }

    fn datagram(&mut self, came: std::io::Result<(usize, SocketAddr)>) {
        // An ICMP refusal shows as an error of the next read; it concerns no packet of ours to read.
        if let Ok((len, remote)) = came {
            let bytes = Bytes::copy_from_slice(&self.buffer[..len]);
            let _ = self
                .endpoint
                .receive(self.clock.now(), Source::udp(remote), &bytes);
        }
    }

    fn accepted(&mut self, stream: Option<(TcpStream, SocketAddr)>, proto: Proto) {
        let Some((stream, remote)) = stream else {
            return;
        };
        if self.streams.len() >= MAX_CONNECTIONS {
            return;
        }
        let id = ConnId(self.next_stream);
        self.next_stream += 1;
        let (write, queue) = mpsc::channel(WRITE_QUEUE);
        let named = Stream {
            remote,
            proto,
            write,
        };
        self.streams.insert(id, named);
        let reader = self.reader.clone();
        match self.tls.as_ref().filter(|_| proto == Proto::Tls) {
            None => drop(tokio::spawn(serve_stream(
                stream, remote, id, queue, reader,
            ))),
            Some((_, acceptor)) => {
                let shaken = acceptor.accept(stream);
                tokio::spawn(async move {
                    match tokio::time::timeout(HANDSHAKE, shaken).await {
                        Ok(Ok(stream)) => serve_stream(stream, remote, id, queue, reader).await,
                        // The endpoint may be gone already.
                        _ => drop(reader.send((id, remote, None)).await),
                    }
                });
            }
        }
    }

    fn stream_read(&mut self, (id, remote, octets): Read) {
        let now = self.clock.now();
        let Some(octets) = octets else {
            self.streams.remove(&id);
            self.endpoint.connection_closed(now, id);
            return;
        };
        let Some(proto) = self.streams.get(&id).map(|s| s.proto) else {
            return;
        };
        let source = Source {
            proto,
            ..Source::tcp(remote, id)
        };
        if self.endpoint.receive(now, source, &octets) == Received::Close {
            self.flush();
            self.streams.remove(&id);
            self.endpoint.connection_closed(now, id);
        }
    }
}

async fn sleep_until(deadline: Option<std::time::Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

async fn accept(listener: Option<&TcpListener>) -> Option<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await.ok(),
        None => std::future::pending().await,
    }
}

async fn serve_stream(
    stream: impl AsyncRead + AsyncWrite,
    remote: SocketAddr,
    id: ConnId,
    mut queue: mpsc::Receiver<Bytes>,
    reader: mpsc::Sender<Read>,
) {
    let (mut read, mut write) = tokio::io::split(stream);
    let mut buffer = vec![0u8; READ_BYTES];
    loop {
        tokio::select! {
            came = read.read(&mut buffer) => {
                let Ok(len @ 1..) = came else { break };
                let octets = Bytes::copy_from_slice(&buffer[..len]);
                if reader.send((id, remote, Some(octets))).await.is_err() {
                    return;
                }
            }
            bytes = queue.recv() => {
                let Some(bytes) = bytes else { break };
                if write.write_all(&bytes).await.is_err() || write.flush().await.is_err() {
                    break;
                }
            }
        }
    }
    // The endpoint may be gone already.
    let _ = reader.send((id, remote, None)).await;
}
