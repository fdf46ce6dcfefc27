//! SRTP and SRTCP (RFC 3711) with keys told in SDP (RFC 4568): AES in counter mode with 128-bit
//! keys and HMAC-SHA1. Packets in, packets out; the keys are the caller's.
//!
//! ```
//! use media::srtp::{Keys, Protect, Suite, Unprotect};
//! let keys = Keys::new([7; 30]);
//! let suite = Suite::AesCm128HmacSha1_80;
//! let (mut near, mut far) = (Protect::new(suite, &keys), Unprotect::new(suite, &keys));
//! let mut packet = [0u8; 64];
//! packet[..16].copy_from_slice(&[0x80, 8, 0, 1, 0, 0, 0, 160, 0, 0, 0, 9, 1, 2, 3, 4]);
//! let sent = near.rtp(&mut packet, 16)?;
//! let read = far.rtp(&mut packet[..sent])?;
//! assert_eq!(&packet[12..read], &[1, 2, 3, 4]);
//! assert!(far.rtp(&mut packet[..sent]).is_err(), "a repeat is dropped");
//! # Ok::<(), media::srtp::Refused>(())
//! ```

mod cipher;
mod keys;
mod receive;
mod send;
mod window;

#[cfg(test)]
mod tests;

pub use keys::{Keys, MASTER_BYTES, Suite};
pub use receive::{Dropped, Unprotect};
pub use send::Protect;

use crate::rtp::HEADER_BYTES;

/// Most octets a packet grows by: the tag and, for RTCP, the index.
pub const MOST_ADDED: usize = 14;

/// Octets of SRTCP's index with its flag.
const INDEX_BYTES: usize = 4;

/// Octets of RTCP that stay in clear: header and sender (RFC 3711 §3.4).
const RTCP_CLEAR: usize = 8;

/// Why a packet was not taken or made. Nobody is answered: it is dropped and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too short, or its header says more than there is.
    #[error("srtp packet is malformed")]
    Malformed,
    /// The tag is not that of our keys.
    #[error("srtp authentication failed")]
    Tag,
    /// It came before, or is older than the window.
    #[error("srtp packet repeated or too old")]
    Replay,
    /// No room for the tag.
    #[error("no room for the srtp tag")]
    Room,
    /// The key has protected as many packets as it may (RFC 3711 §9.2).
    #[error("srtp key is used up")]
    UsedUp,
}

/// Length of an RTP header with contributing sources and extension.
fn header_length(packet: &[u8]) -> Result<usize, Refused> {
    let first = *packet.first().ok_or(Refused::Malformed)?;
    if first >> 6 != 2 {
        return Err(Refused::Malformed);
    }
    let mut length = HEADER_BYTES + usize::from(first & 0x0f) * 4;
    if first & 0x10 != 0 {
        let words = packet
            .get(length + 2..length + 4)
            .ok_or(Refused::Malformed)?;
        length += 4 + usize::from(u16::from_be_bytes([words[0], words[1]])) * 4;
    }
    if length > packet.len() {
        return Err(Refused::Malformed);
    }
    Ok(length)
}

fn be32(bytes: &[u8], at: usize) -> Result<u32, Refused> {
    let four = bytes.get(at..at + 4).ok_or(Refused::Malformed)?;
    Ok(four.iter().fold(0, |n, b| n << 8 | u32::from(*b)))
}

fn be16(bytes: &[u8], at: usize) -> Result<u16, Refused> {
    let two = bytes.get(at..at + 2).ok_or(Refused::Malformed)?;
    Ok(u16::from_be_bytes([two[0], two[1]]))
}
