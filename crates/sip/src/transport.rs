//! Where bytes come from and go to; the sockets are the caller's.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use bytes::Bytes;

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proto {
    /// Datagrams; messages may be lost, so transactions repeat them.
    Udp,
    /// A stream; messages are framed by Content-Length.
    Tcp,
    /// A stream inside TLS.
    Tls,
}

impl Proto {
    /// True when the transport repeats lost octets by itself, so that transactions need not.
    #[must_use]
    pub fn reliable(self) -> bool {
        self != Proto::Udp
    }

    /// The name in a Via header.
    #[must_use]
    pub fn via_name(self) -> &'static str {
        match self {
            Proto::Udp => "UDP",
            Proto::Tcp => "TCP",
            Proto::Tls => "TLS",
        }
    }

    /// The value of the `transport` parameter of a URI.
    #[must_use]
    pub fn uri_name(self) -> &'static str {
        match self {
            Proto::Udp => "udp",
            Proto::Tcp => "tcp",
            Proto::Tls => "tls",
        }
    }

    /// The port when none is written (RFC 3261 §18.1.1).
    #[must_use]
    pub fn default_port(self) -> u16 {
        if self == Proto::Tls { 5061 } else { 5060 }
    }
}

/// A stream connection, numbered by the caller; a number is not used again while the endpoint may
/// still hold it, so count upwards. One that stands for a place, whichever connection leads there now,
/// is told of by [`crate::Endpoint::connection_cut`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// Where received bytes came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// Transport protocol.
    pub proto: Proto,
    /// Address of the peer's socket.
    pub remote: SocketAddr,
    /// The connection on a stream transport, none on UDP.
    pub conn: Option<ConnId>,
}

impl Source {
    /// A datagram from `remote`.
    #[must_use]
    pub fn udp(remote: SocketAddr) -> Self {
        Source {
            proto: Proto::Udp,
            remote,
            conn: None,
        }
    }

    /// Bytes of a TCP connection.
    #[must_use]
    pub fn tcp(remote: SocketAddr, conn: ConnId) -> Self {
        Source {
            proto: Proto::Tcp,
            remote,
            conn: Some(conn),
        }
    }
}

/// Where a message goes. On a stream, `conn` names the connection to prefer; when it is gone or
/// none is named, the caller uses or opens a connection to `dest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Transport protocol.
    pub proto: Proto,
    /// Address to send to.
    pub dest: SocketAddr,
    /// Connection to prefer.
    pub conn: Option<ConnId>,
}

impl Target {
    /// A target over UDP.
    #[must_use]
    pub fn udp(dest: SocketAddr) -> Self {
        Target {
            proto: Proto::Udp,
            dest,
            conn: None,
        }
    }
}

impl From<Source> for Target {
    fn from(source: Source) -> Self {
        Target {
            proto: source.proto,
            dest: source.remote,
            conn: source.conn,
        }
    }
}

/// Bytes the caller must send: one datagram, or one whole message on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Where to.
    pub target: Target,
    /// The octets.
    pub bytes: Bytes,
}

/// The address that limits for each source count by: an IPv4 address itself, of an IPv6 address its
/// /64, for one host may use all of those (RFC 4291 §2.5.4).
#[must_use]
pub fn origin(addr: IpAddr) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V6(addr) => {
            let net = addr.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(net))
        }
        four => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_origin_for_a_host_and_its_net() {
        let of = |text: &str| origin(text.parse().expect("address"));
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
    }
}
