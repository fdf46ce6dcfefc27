//! What a packet of the load carries: who sent it, in which window, when.
//!
//! It is A-law: each of its 256 codes survives decoding and encoding, so the stamp comes through a
//! bridge that goes by samples as well as through one that passes bytes on.

/// Samples, and so bytes, of a packet.
pub(super) const PAYLOAD: usize = 160;
/// First bytes of a stamped payload.
const MAGIC: [u8; 4] = *b"MLd1";
/// A-law code of silence for the rest.
const REST: u8 = 0xD5;

/// A stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) leg: u32,
    /// Window of measurement the packet belongs to; 0 = none.
    pub(super) window: u32,
    /// When it left, nanoseconds of the plane's clock.
    pub(super) left_ns: u64,
}

impl Stamp {
    pub(super) fn write(self) -> [u8; PAYLOAD] {
        let mut payload = [REST; PAYLOAD];
        payload[..4].copy_from_slice(&MAGIC);
        payload[4..8].copy_from_slice(&self.leg.to_le_bytes());
        payload[8..12].copy_from_slice(&self.window.to_le_bytes());
        payload[12..20].copy_from_slice(&self.left_ns.to_le_bytes());
        payload
    }

    /// The stamp of a payload; `None` where there is none, as in silence that was made on the way.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let (magic, rest) = payload.split_first_chunk::<4>()?;
        let (leg, rest) = rest.split_first_chunk::<4>()?;
        let (window, rest) = rest.split_first_chunk::<4>()?;
        let (left, _) = rest.split_first_chunk::<8>()?;
        (*magic == MAGIC).then_some(Self {
            leg: u32::from_le_bytes(*leg),
            window: u32::from_le_bytes(*window),
            left_ns: u64::from_le_bytes(*left),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::g711::Law;

    #[test]
    fn a_stamp_survives_samples() {
        for n in 0..=255_u8 {
            let n = u32::from(n);
            let stamp = Stamp {
                leg: n * 0x0101_0101,
                window: 7,
                left_ns: u64::from(n) << 32 | 0xFEDC_BA98,
            };
            let mut samples = Vec::new();
            Law::A.decode(&stamp.write(), &mut samples);
            let mut coded = [0_u8; PAYLOAD];
            Law::A.encode_into(&samples, &mut coded);
            assert_eq!(Stamp::read(&coded), Some(stamp));
        }
        assert_eq!(Stamp::read(&[REST; PAYLOAD]), None);
        assert_eq!(Stamp::read(&MAGIC), None);
    }
}
