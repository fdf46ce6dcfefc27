//! Outgoing packets.

use super::cipher::{Counter, Tagger, begin};
use super::keys::{Keys, Session, Suite};
use super::{INDEX_BYTES, RTCP_CLEAR, Refused, be16, be32, header_length};

/// Packets of RTCP a key may protect (RFC 3711 §9.2); RTP's 2^48 are never reached.
const RTCP_MOST: u32 = (1 << 31) - 1;

/// Protects what one side sends: one stream of RTP, and its RTCP.
pub struct Protect {
    suite: Suite,
    rtp: Half,
    rtcp: Half,
    /// Index of the newest RTP packet: roll-overs and sequence number.
    newest: Option<u64>,
    rtcp_index: u32,
}

/// Cipher, authentication and salt of RTP or RTCP.
pub(super) struct Half {
    pub(super) cipher: Counter,
    pub(super) tagger: Tagger,
    pub(super) salt: [u8; 14],
}

impl Half {
    pub(super) fn new(keys: &Keys, first_label: u8) -> Self {
        let session = Session::derive(keys, first_label);
        Self {
            cipher: Counter::new(&session.cipher),
            tagger: Tagger::new(&session.auth),
            salt: session.salt,
        }
    }
}

impl std::fmt::Debug for Protect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Protect")
            .field("suite", &self.suite)
            .finish_non_exhaustive()
    }
}

impl Protect {
    /// With the keys we told the far end.
    #[must_use]
    pub fn new(suite: Suite, keys: &Keys) -> Self {
        Self {
            suite,
            rtp: Half::new(keys, 0),
            rtcp: Half::new(keys, 3),
            newest: None,
            rtcp_index: 0,
        }
    }

    /// Protects the RTP packet in the first `length` octets of `buffer` where it lies; the new
    /// length.
    ///
    /// # Errors
    /// [`Refused::Malformed`], [`Refused::Room`] where the tag does not fit behind it.
    pub fn rtp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, Refused> {
        let packet = buffer.get(..length).ok_or(Refused::Malformed)?;
        let header = header_length(packet)?;
        let (sequence, ssrc) = (be16(packet, 2)?, be32(packet, 8)?);
        let tag = self.suite.tag_bytes();
        let whole = buffer.get_mut(..length + tag).ok_or(Refused::Room)?;
        let index = guess(self.newest, sequence);
        self.newest = Some(self.newest.map_or(index, |n| n.max(index)));
        let (packet, tag) = whole.split_at_mut(length);
        let half = &self.rtp;
        half.cipher
            .apply(begin(&half.salt, ssrc, index), &mut packet[header..]);
        half.tagger.make(packet, &roll_over(index), tag);
        Ok(length + tag.len())
    }

    /// Protects the compound RTCP packet in the first `length` octets of `buffer`; the new length.
    ///
    /// # Errors
    /// [`Refused::Malformed`], [`Refused::Room`], [`Refused::UsedUp`].
    pub fn rtcp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, Refused> {
        if length < RTCP_CLEAR {
            return Err(Refused::Malformed);
        }
        let ssrc = be32(buffer, 4)?;
        let end = length + INDEX_BYTES + Suite::RTCP_TAG;
        let whole = buffer.get_mut(..end).ok_or(Refused::Room)?;
        if self.rtcp_index >= RTCP_MOST {
            return Err(Refused::UsedUp);
        }
        self.rtcp_index += 1;
        let index = self.rtcp_index;
        let half = &self.rtcp;
        half.cipher.apply(
            begin(&half.salt, ssrc, index.into()),
            &mut whole[RTCP_CLEAR..length],
        );
        // The flag says that it is encrypted.
        let told = (index | 1 << 31).to_be_bytes();
        whole[length..length + INDEX_BYTES].copy_from_slice(&told);
        let (packet, tag) = whole.split_at_mut(length + INDEX_BYTES);
        half.tagger.make(packet, &[], tag);
        Ok(end)
    }
}

/// The index of a sequence number: the nearest to the newest (RFC 3711 §3.3.1).
pub(super) fn guess(newest: Option<u64>, sequence: u16) -> u64 {
    let Some(newest) = newest else {
        return sequence.into();
    };
    let rolls = newest >> 16;
    let step = i64::from(sequence) - i64::try_from(newest & 0xffff).unwrap_or(0);
    let rolls = if step > 0x8000 {
        // From before the last roll-over; before the first there is none.
        rolls.saturating_sub(1)
    } else if step < -0x8000 {
        rolls + 1
    } else {
        rolls
    };
    rolls << 16 | u64::from(sequence)
}

/// The roll-over count of an index, as it is authenticated.
pub(super) fn roll_over(index: u64) -> [u8; 4] {
    u32::try_from(index >> 16 & 0xffff_ffff)
        .unwrap_or(0)
        .to_be_bytes()
}
