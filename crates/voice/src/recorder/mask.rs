//! Keys heard as sound, hidden: no card number typed on a telephone reaches the disk (PCI DSS). Keys
//! that come as telephone events carry no sound at all.

use super::Side;
use media::dtmf_inband::Detector;

/// Samples before a frame in which a key that is heard now may have begun: it is noticed in whole
/// blocks of 25.6 ms, up to two after its begin, and a frame may end within a third.
pub(super) const BACK: u64 = 3 * 205;

/// Ears for both sides.
#[derive(Default)]
pub(super) struct Mask([Detector; 2]);

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// No key.
    None,
    /// What may be one.
    Perhaps,
    /// A key that goes down in it.
    Down,
}

impl Mask {
    /// Listens to the next frame of a side.
    pub(super) fn hear(&mut self, side: Side, pcm: &[i16]) -> Keys {
        let ear = &mut self.0[side as usize];
        let held = ear.held();
        if !ear.push(pcm).is_empty() {
            Keys::Down
        } else if held || ear.held() {
            Keys::Perhaps
        } else {
            Keys::None
        }
    }
}
