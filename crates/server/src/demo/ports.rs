//! Free ports on loopback.

use std::net::{TcpListener, UdpSocket};

/// A port that is free for UDP and TCP on 127.0.0.1 now. The sockets are closed again, so another
/// process may take it in between; the caller's bind then fails with a clear error.
///
/// # Errors
/// When none is found in 50 tries.
pub(super) fn free_sip_port() -> anyhow::Result<u16> {
    for _ in 0..50 {
        let udp = UdpSocket::bind(("127.0.0.1", 0))?;
        let port = udp.local_addr()?.port();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no free port on 127.0.0.1")
}
