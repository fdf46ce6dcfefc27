//! SRTP of a leg whose signalling is protected (`faults.md` promise 9).

use media::srtp::{Keys, MOST_ADDED, Protect, Suite, Unprotect};
use sip::sdp::{CryptoSuite, Secured};

/// Largest packet sealed, bytes: 60 ms of G.711, its header and what protection adds.
const PACKET: usize = 12 + super::leg::PACKET_SAMPLES + MOST_ADDED;

/// Both directions of one leg.
pub(crate) struct Guard {
    secured: Secured,
    protect: Protect,
    unprotect: Unprotect,
    buffer: [u8; PACKET],
    before: u64,
}

fn suite(of: CryptoSuite) -> Suite {
    match of {
        CryptoSuite::AesCm128HmacSha1_80 => Suite::AesCm128HmacSha1_80,
        CryptoSuite::AesCm128HmacSha1_32 => Suite::AesCm128HmacSha1_32,
    }
}

impl Guard {
    fn new(secured: Secured) -> Self {
        let suite = suite(secured.suite);
        Self {
            protect: Protect::new(suite, &Keys::new(secured.ours.0)),
            unprotect: Unprotect::new(suite, &Keys::new(secured.theirs.0)),
            buffer: [0; PACKET],
            before: 0,
            secured,
        }
    }

    /// Takes what was agreed, or agreed anew. A direction whose key stays goes on counting: the same
    /// key at the same count twice would tell what was said.
    pub(super) fn agree(guard: &mut Option<Box<Self>>, secured: Option<Secured>) {
        let Some(secured) = secured else {
            *guard = None;
            return;
        };
        let Some(old) = guard else {
            *guard = Some(Box::new(Self::new(secured)));
            return;
        };
        let same_suite = old.secured.suite == secured.suite;
        let new = Self::new(secured);
        if !(same_suite && old.secured.ours == secured.ours) {
            old.protect = new.protect;
        }
        if !(same_suite && old.secured.theirs == secured.theirs) {
            old.before = old.dropped();
            old.unprotect = new.unprotect;
        }
        old.secured = secured;
    }

    /// Proves and decrypts what came; its length without protection.
    pub(super) fn open(&mut self, control: bool, packet: &mut [u8]) -> Option<usize> {
        let opened = if control {
            self.unprotect.rtcp(packet)
        } else {
            self.unprotect.rtp(packet)
        };
        opened.ok()
    }

    /// The packet as it may leave.
    pub(super) fn seal(&mut self, control: bool, packet: &[u8]) -> Option<&[u8]> {
        self.buffer.get_mut(..packet.len())?.copy_from_slice(packet);
        let sealed = if control {
            self.protect.rtcp(&mut self.buffer, packet.len())
        } else {
            self.protect.rtp(&mut self.buffer, packet.len())
        };
        self.buffer.get(..sealed.ok()?)
    }

    /// Datagrams dropped so far.
    pub(super) fn dropped(&self) -> u64 {
        let dropped = self.unprotect.dropped();
        self.before + dropped.malformed + dropped.tag + dropped.replay
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip::sdp::MasterKey;

    fn secured(ours: u8, theirs: u8) -> Secured {
        Secured {
            tag: 1,
            suite: CryptoSuite::AesCm128HmacSha1_80,
            ours: MasterKey([ours; 30]),
            theirs: MasterKey([theirs; 30]),
        }
    }

    fn guard(ours: u8, theirs: u8) -> Option<Box<Guard>> {
        let mut guard = None;
        Guard::agree(&mut guard, Some(secured(ours, theirs)));
        guard
    }

    fn packet(seq: u8) -> Vec<u8> {
        let mut packet = vec![0x80, 8, 0, seq, 0, 0, 0, 0, 0, 0, 0, 9];
        packet.extend([seq; 160]);
        packet
    }

    #[test]
    fn a_refreshed_session_goes_on_and_a_new_key_begins() {
        let mut near = guard(1, 2);
        let mut far = guard(2, 1).expect("made");
        let mut pass = |near: &mut Option<Box<Guard>>, seq: u8| {
            let sealed = near.as_mut()?.seal(false, &packet(seq))?.to_vec();
            let mut bytes = sealed.clone();
            let length = far.open(false, &mut bytes)?;
            assert_eq!(bytes[..length], packet(seq)[..]);
            Some(sealed)
        };
        let first = pass(&mut near, 1).expect("passes");
        Guard::agree(&mut near, Some(secured(1, 3)));
        assert!(pass(&mut near, 2).is_some(), "our direction goes on");
        assert!(
            near.as_mut()
                .is_some_and(|n| n.open(false, &mut first.clone()).is_none())
        );
        assert_eq!(near.as_ref().map(|n| n.dropped()), Some(1));
        Guard::agree(&mut near, Some(secured(5, 3)));
        assert!(
            pass(&mut near, 3).is_none(),
            "the far end does not know this key"
        );
        assert_eq!(near.as_ref().map(|n| n.dropped()), Some(1));
        Guard::agree(&mut near, None);
        assert!(near.is_none());
        assert!(
            guard(1, 2)
                .expect("made")
                .seal(false, &[0; 2_000])
                .is_none()
        );
    }
}
