//! The sockets of SIP: bytes in, bytes out, nothing understood.

mod acl;
mod dns;
mod tcp;
mod tls;
mod udp;

pub use acl::Cidr;
pub(crate) use acl::{Door, Guests};
pub(crate) use dns::{Places, System, Wish, find};
pub(crate) use tcp::{is_line, line};
pub(crate) use tls::{Expected, Peers, expected};

use crate::config::{SipBind, SipTransport, TlsFiles};
use crate::{VoiceError, limits};
use bytes::Bytes;
use sip::{ConnId, Proto, Source, Target, Transmit};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Messages waiting for the signalling thread; strangers' datagrams beyond half of it are dropped,
/// and their streams wait.
const INBOUND_QUEUE: usize = 4_096;

/// What came.
#[derive(Debug)]
pub(crate) enum Input {
    /// A datagram, or bytes of a stream.
    Bytes(Bytes),
    /// A connection that we opened, or wanted to have, stands.
    Opened,
    /// The connection is closed.
    Closed,
    /// No connection could be opened.
    Failed,
}

/// Something from outside.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) source: Source,
    pub(crate) at: Instant,
    pub(crate) input: Input,
}

/// All sockets of SIP.
pub(crate) struct Net {
    /// With whether it speaks IPv4.
    udp: Vec<(bool, Arc<UdpSocket>)>,
    tcp: tcp::Connections,
    secured: tcp::Connections,
    tls: Arc<tls::Tls>,
    addrs: Vec<(SipTransport, SocketAddr)>,
    door: Door,
    dropped: Arc<AtomicU64>,
}

impl Net {
    /// Opens the listening sockets and starts their readers; call within the signalling runtime.
    pub(crate) async fn open(
        binds: &[SipBind],
        files: Option<&TlsFiles>,
        allowed: Option<Vec<Cidr>>,
    ) -> Result<(Self, mpsc::Receiver<Inbound>), VoiceError> {
        let (inbound_tx, inbound) = mpsc::channel(INBOUND_QUEUE);
        let door = Door::default();
        if let Ok(mut guests) = door.write() {
            guests.allowed = allowed;
        }
        let tcp = tcp::Connections::new(inbound_tx.clone(), door.clone());
        let tls = Arc::new(tls::Tls::open(files)?);
        let secured = tcp.secured(tls.clone());
        let dropped = Arc::new(AtomicU64::new(0));
        let (mut udp, mut addrs) = (Vec::new(), Vec::new());
        for bind in binds {
            let fail = |source| VoiceError::Bind {
                what: format!("{}://{}", bind.transport.as_str(), bind.addr),
                source,
            };
            let bound = match bind.transport {
                SipTransport::Udp => {
                    let socket = Arc::new(UdpSocket::bind(bind.addr).map_err(fail)?);
                    let addr = socket.local_addr().map_err(fail)?;
                    // What the system does not grant is no reason not to start.
                    let wished = limits::SIP_RECEIVE_BYTES;
                    let _ = socket2::SockRef::from(&*socket).set_recv_buffer_size(wished);
                    let reader = udp::read(
                        udp::ear(socket.clone()).map_err(fail)?,
                        door.clone(),
                        inbound_tx.clone(),
                        dropped.clone(),
                    );
                    tokio::spawn(reader);
                    udp.push((addr.is_ipv4(), socket));
                    addr
                }
                SipTransport::Tcp | SipTransport::Tls => {
                    let listener = TcpListener::bind(bind.addr).await.map_err(fail)?;
                    let addr = listener.local_addr().map_err(fail)?;
                    let secure = bind.transport == SipTransport::Tls;
                    let all = if secure { &secured } else { &tcp };
                    tokio::spawn(all.clone().listen(listener));
                    addr
                }
            };
            addrs.push((bind.transport, bound));
        }
        Ok((
            Self {
                udp,
                tcp,
                secured,
                tls,
                addrs,
                door,
                dropped,
            },
            inbound,
        ))
    }

    /// Bound addresses, in the order of the binds.
    pub(crate) fn addrs(&self) -> &[(SipTransport, SocketAddr)] {
        &self.addrs
    }

    /// Sends; what the system does not take at once is lost as any datagram may be.
    pub(crate) fn send(&self, transmit: Transmit) {
        let Transmit { target, bytes } = transmit;
        match target.proto {
            Proto::Udp => {}
            Proto::Tcp => return self.tcp.send(target, bytes),
            Proto::Tls => return self.secured.send(target, bytes),
        }
        let wanted = target.dest.is_ipv4();
        if let Some((_, socket)) = self.udp.iter().find(|(four, _)| *four == wanted) {
            let _ = socket.send_to(&bytes, target.dest);
        }
    }

    /// Has a stream connection to somewhere, an open one or a new one; `Opened` or `Failed` tells.
    pub(crate) fn reach(&self, to: Target) {
        match to.proto {
            Proto::Udp => {}
            Proto::Tcp => self.tcp.reach(to),
            Proto::Tls => self.secured.reach(to),
        }
    }

    /// Whether it is known what a connection to somewhere has to show.
    pub(crate) fn expects(&self, to: &Target) -> bool {
        to.proto != Proto::Tls || self.tls.expects(to)
    }

    /// Closes a stream connection.
    pub(crate) fn close(&self, id: ConnId) {
        self.tcp.close(id);
        self.secured.close(id);
    }

    /// Tells how many whole messages a stream connection has brought: who says nothing is closed.
    pub(crate) fn spoke(&self, source: &Source, messages: u64) {
        if let Some(id) = source.conn {
            match source.proto {
                Proto::Tls => self.secured.spoke(id, messages),
                _ => self.tcp.spoke(id, messages),
            }
        }
    }

    /// Replaces whose datagrams are never dropped as a stranger's.
    pub(crate) fn befriend(
        &self,
        friends: std::collections::HashSet<std::net::IpAddr>,
        trunks: Vec<Cidr>,
    ) {
        if let Ok(mut guests) = self.door.write() {
            *guests = Guests {
                known: friends,
                trunks,
                allowed: std::mem::take(&mut guests.allowed),
            };
        }
    }

    /// Whether what an address sends is read, as things are whenever it is asked.
    pub(crate) fn hears(&self) -> impl Fn(std::net::IpAddr) -> bool + Send + Sync + 'static {
        let door = self.door.clone();
        move |addr| door.read().is_ok_and(|door| door.hears(addr))
    }

    /// Replaces whose certificate is expected where.
    pub(crate) fn expect(&self, peers: Peers) {
        self.tls.expect(peers);
    }

    /// Datagrams dropped unparsed.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
