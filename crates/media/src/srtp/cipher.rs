//! AES in counter mode and HMAC-SHA1, keyed once.

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt as _, KeyInit as _};
use hmac::{Hmac, Mac as _};
use sha1::Sha1;

/// Octets of an AES block.
const BLOCK: usize = 16;
/// Blocks made in one go: the processor works on several at once.
const BATCH: usize = 8;

/// AES-CM (RFC 3711 §4.1.1).
#[derive(Clone)]
pub(super) struct Counter(Aes128);

impl Counter {
    pub(super) fn new(key: &[u8; 16]) -> Self {
        Self(Aes128::new(&Array::from(*key)))
    }

    /// Mixes the keystream that begins at `at` into `data`; the last two octets of `at` count.
    pub(super) fn apply(&self, at: [u8; BLOCK], data: &mut [u8]) {
        let mut count = u16::from_be_bytes([at[14], at[15]]);
        for piece in data.chunks_mut(BLOCK * BATCH) {
            let mut blocks = [Array::from(at); BATCH];
            let used = piece.len().div_ceil(BLOCK);
            for block in &mut blocks[..used] {
                block[14..].copy_from_slice(&count.to_be_bytes());
                count = count.wrapping_add(1);
            }
            self.0.encrypt_blocks(&mut blocks[..used]);
            for (bytes, stream) in piece.chunks_mut(BLOCK).zip(&blocks) {
                bytes.iter_mut().zip(stream).for_each(|(b, s)| *b ^= s);
            }
        }
    }
}

/// HMAC-SHA1 with its key taken in.
#[derive(Clone)]
pub(super) struct Tagger(Hmac<Sha1>);

impl Tagger {
    pub(super) fn new(key: &[u8; 20]) -> Self {
        // A key of exactly one block needs no hashing and cannot be refused.
        let mut block = [0_u8; 64];
        block[..20].copy_from_slice(key);
        Self(Hmac::<Sha1>::new(&Array::from(block)))
    }

    /// The tag of `packet` followed by `more`, shortened to `tag`.
    pub(super) fn make(&self, packet: &[u8], more: &[u8], tag: &mut [u8]) {
        let whole = self.of(packet, more).finalize().into_bytes();
        tag.copy_from_slice(&whole[..tag.len()]);
    }

    /// Whether `tag` is theirs, in a time that does not tell where it differs.
    pub(super) fn fits(&self, packet: &[u8], more: &[u8], tag: &[u8]) -> bool {
        self.of(packet, more).verify_truncated_left(tag).is_ok()
    }

    fn of(&self, packet: &[u8], more: &[u8]) -> Hmac<Sha1> {
        let mut mac = self.0.clone();
        mac.update(packet);
        mac.update(more);
        mac
    }
}

/// Where a packet's keystream begins (RFC 3711 §4.1.1): salt, source and index mixed.
pub(super) fn begin(salt: &[u8; 14], ssrc: u32, index: u64) -> [u8; BLOCK] {
    let mut at = [0_u8; BLOCK];
    at[..14].copy_from_slice(salt);
    at[4..8]
        .iter_mut()
        .zip(ssrc.to_be_bytes())
        .for_each(|(a, b)| *a ^= b);
    at[8..14]
        .iter_mut()
        .zip(&index.to_be_bytes()[2..])
        .for_each(|(a, b)| *a ^= b);
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3711 appendix B.2.
    #[test]
    fn the_keystream_is_that_of_the_rfc() {
        let key = 0x2B7E_1516_28AE_D2A6_ABF7_1588_09CF_4F3C_u128.to_be_bytes();
        let at = 0xF0F1_F2F3_F4F5_F6F7_F8F9_FAFB_FCFD_0000_u128.to_be_bytes();
        let mut stream = [0_u8; 48];
        Counter::new(&key).apply(at, &mut stream);
        let expected = [
            0xE03E_AD09_35C9_5E80_E166_B16D_D92B_4EB4_u128,
            0xD235_1316_2B02_D0F7_2A43_A2FE_4A5F_97AB,
            0x41E9_5B3B_B0A2_E8DD_4779_01E4_FCA8_94C0,
        ];
        let expected: Vec<u8> = expected.iter().flat_map(|b| b.to_be_bytes()).collect();
        assert_eq!(stream.to_vec(), expected);
    }

    #[test]
    fn many_blocks_are_as_one_by_one() {
        let counter = Counter::new(&[3; 16]);
        let mut whole = [0_u8; 300];
        let mut at = [9_u8; 16];
        counter.apply(at, &mut whole);
        for (n, piece) in whole.chunks(16).enumerate() {
            let n = 0x0909_u16 + u16::try_from(n).unwrap();
            at[14..].copy_from_slice(&n.to_be_bytes());
            let mut one = [0_u8; 16];
            counter.apply(at, &mut one);
            assert_eq!(piece, &one[..piece.len()]);
        }
    }
}
