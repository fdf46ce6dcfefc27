//! Master keys and what is derived from them.

use super::cipher::Counter;

/// Octets of a master key and its salt, as one piece (RFC 4568 §6.1).
pub const MASTER_BYTES: usize = 30;

/// Octets of a session's salt.
const SALT: usize = 14;
/// Octets of a session's authentication key: HMAC-SHA1's (RFC 3711 §5.2).
const AUTH: usize = 20;

/// A crypto suite of RFC 4568 §6.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// `AES_CM_128_HMAC_SHA1_80`: tags of 80 bits.
    AesCm128HmacSha1_80,
    /// `AES_CM_128_HMAC_SHA1_32`: tags of 32 bits for RTP, 80 for RTCP.
    AesCm128HmacSha1_32,
}

impl Suite {
    /// Its name in SDP.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    /// By its name in SDP; names are case-sensitive there.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::AesCm128HmacSha1_80, Self::AesCm128HmacSha1_32]
            .into_iter()
            .find(|suite| suite.name() == name)
    }

    /// Octets of an RTP packet's tag.
    #[must_use]
    pub const fn tag_bytes(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 => 10,
            Self::AesCm128HmacSha1_32 => 4,
        }
    }

    /// Octets of an RTCP packet's tag: never shortened (RFC 4568 §6.2.2).
    pub(super) const RTCP_TAG: usize = 10;
}

/// A master key with its salt. Prints as nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys([u8; MASTER_BYTES]);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(..)")
    }
}

impl Keys {
    /// Key (16 octets) and salt (14), random, drawn by the caller.
    #[must_use]
    pub const fn new(bytes: [u8; MASTER_BYTES]) -> Self {
        Self(bytes)
    }

    /// Both, as SDP tells them before base64.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; MASTER_BYTES] {
        &self.0
    }
}

/// Keys of a session's RTP or RTCP.
pub(super) struct Session {
    pub(super) cipher: [u8; 16],
    pub(super) auth: [u8; AUTH],
    pub(super) salt: [u8; SALT],
}

impl Session {
    /// `first_label` is 0 for RTP and 3 for RTCP (RFC 3711 §4.3.2).
    pub(super) fn derive(keys: &Keys, first_label: u8) -> Self {
        let mut session = Self {
            cipher: [0; 16],
            auth: [0; AUTH],
            salt: [0; SALT],
        };
        expand(keys, first_label, &mut session.cipher);
        expand(keys, first_label + 1, &mut session.auth);
        expand(keys, first_label + 2, &mut session.salt);
        session
    }
}

/// Key derivation at rate 0: the keystream at the salt with the label mixed in (RFC 3711 §4.3.3).
fn expand(keys: &Keys, label: u8, out: &mut [u8]) {
    let (key, salt) = keys.0.split_at(16);
    let mut at = [0_u8; 16];
    at[..SALT].copy_from_slice(salt);
    at[7] ^= label;
    let mut master = [0_u8; 16];
    master.copy_from_slice(key);
    out.fill(0);
    Counter::new(&master).apply(at, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2)
            .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
            .collect()
    }

    /// RFC 3711 appendix B.3.
    #[test]
    fn keys_are_derived_as_the_rfc_does() {
        let mut bytes = [0; MASTER_BYTES];
        bytes.copy_from_slice(&hex(
            "E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6",
        ));
        let session = Session::derive(&Keys::new(bytes), 0);
        assert_eq!(
            session.cipher.to_vec(),
            hex("C61E7A93744F39EE10734AFE3FF7A087")
        );
        assert_eq!(session.salt.to_vec(), hex("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(
            session.auth.to_vec(),
            hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")
        );
    }

    #[test]
    fn suites_are_known_by_name_and_keys_are_not_printed() {
        for suite in [Suite::AesCm128HmacSha1_80, Suite::AesCm128HmacSha1_32] {
            assert_eq!(Suite::from_name(suite.name()), Some(suite));
        }
        assert_eq!(Suite::from_name("AEAD_AES_128_GCM"), None);
        assert_eq!(format!("{:?}", Keys::new([65; MASTER_BYTES])), "Keys(..)");
    }
}
