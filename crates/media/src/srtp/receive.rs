//! Incoming packets.

use super::cipher::begin;
use super::keys::{Keys, Suite};
use super::send::{Half, guess, roll_over};
use super::window::Window;
use super::{INDEX_BYTES, RTCP_CLEAR, Refused, be16, be32, header_length};
use crate::rtp::HEADER_BYTES;

/// Sources remembered for each key: a far end may change its source now and then. Only a packet
/// with a right tag makes one.
const SOURCES: usize = 4;

/// Packets dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// No packets, or cut.
    pub malformed: u64,
    /// With a tag that is not of our keys.
    pub tag: u64,
    /// Repeated or too old.
    pub replay: u64,
}

/// Takes the protection off what the far end sends.
pub struct Unprotect {
    suite: Suite,
    rtp: Half,
    rtcp: Half,
    sources: Vec<(u32, Window)>,
    rtcp_sources: Vec<(u32, Window)>,
    dropped: Dropped,
}

impl std::fmt::Debug for Unprotect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unprotect")
            .field("suite", &self.suite)
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}

impl Unprotect {
    /// With the keys the far end told us.
    #[must_use]
    pub fn new(suite: Suite, keys: &Keys) -> Self {
        Self {
            suite,
            rtp: Half::new(keys, 0),
            rtcp: Half::new(keys, 3),
            sources: Vec::new(),
            rtcp_sources: Vec::new(),
            dropped: Dropped::default(),
        }
    }

    /// Proves and decrypts an RTP packet where it lies; the length of what is RTP.
    ///
    /// # Errors
    /// Why it is to be dropped; it is counted already.
    pub fn rtp(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let taken = self.take_rtp(packet);
        self.count(taken)
    }

    /// Proves and decrypts an RTCP packet where it lies; the length of what is RTCP.
    ///
    /// # Errors
    /// Why it is to be dropped; it is counted already.
    pub fn rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let taken = self.take_rtcp(packet);
        self.count(taken)
    }

    /// What was dropped so far.
    #[must_use]
    pub const fn dropped(&self) -> Dropped {
        self.dropped
    }

    fn take_rtp(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let length = packet
            .len()
            .checked_sub(self.suite.tag_bytes())
            .filter(|l| *l >= HEADER_BYTES)
            .ok_or(Refused::Malformed)?;
        let (body, tag) = packet.split_at_mut(length);
        let header = header_length(body)?;
        let (sequence, ssrc) = (be16(body, 2)?, be32(body, 8)?);
        let window = window_of(&self.sources, ssrc);
        let index = guess(window.highest(), sequence);
        if !window.open(index) {
            return Err(Refused::Replay);
        }
        let half = &self.rtp;
        if !half.tagger.fits(body, &roll_over(index), tag) {
            return Err(Refused::Tag);
        }
        half.cipher
            .apply(begin(&half.salt, ssrc, index), &mut body[header..]);
        note(&mut self.sources, ssrc, index);
        Ok(length)
    }

    fn take_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let signed = packet
            .len()
            .checked_sub(Suite::RTCP_TAG)
            .filter(|l| *l >= RTCP_CLEAR + INDEX_BYTES)
            .ok_or(Refused::Malformed)?;
        let (body, tag) = packet.split_at_mut(signed);
        let length = signed - INDEX_BYTES;
        let told = be32(body, length)?;
        let (encrypted, index) = (told >> 31 == 1, u64::from(told & 0x7fff_ffff));
        let ssrc = be32(body, 4)?;
        if body[0] >> 6 != 2 {
            return Err(Refused::Malformed);
        }
        if !window_of(&self.rtcp_sources, ssrc).open(index) {
            return Err(Refused::Replay);
        }
        let half = &self.rtcp;
        if !half.tagger.fits(body, &[], tag) {
            return Err(Refused::Tag);
        }
        if encrypted {
            half.cipher.apply(
                begin(&half.salt, ssrc, index),
                &mut body[RTCP_CLEAR..length],
            );
        }
        note(&mut self.rtcp_sources, ssrc, index);
        Ok(length)
    }

    fn count(&mut self, taken: Result<usize, Refused>) -> Result<usize, Refused> {
        match taken {
            Err(Refused::Malformed) => self.dropped.malformed += 1,
            Err(Refused::Tag) => self.dropped.tag += 1,
            Err(Refused::Replay) => self.dropped.replay += 1,
            _ => {}
        }
        taken
    }
}

fn window_of(sources: &[(u32, Window)], ssrc: u32) -> Window {
    sources
        .iter()
        .find(|(s, _)| *s == ssrc)
        .map(|(_, window)| *window)
        .unwrap_or_default()
}

fn note(sources: &mut Vec<(u32, Window)>, ssrc: u32, index: u64) {
    if let Some((_, window)) = sources.iter_mut().find(|(s, _)| *s == ssrc) {
        window.note(index);
        return;
    }
    // The oldest goes: its packets could then be repeated to us, but the lock on one source
    // (RFC 3550 §8) takes none of them.
    if sources.len() >= SOURCES {
        sources.remove(0);
    }
    let mut window = Window::default();
    window.note(index);
    sources.push((ssrc, window));
}
