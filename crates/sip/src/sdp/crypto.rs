//! Keys of SRTP in session descriptions (RFC 4568). What they do is not ours to know here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sdp_types::Media;

use super::LocalMedia;

/// Octets of a master key and its salt.
pub const KEY_BYTES: usize = 30;

/// Most digits of a tag (RFC 4568 §9.1).
const TAG_DIGITS: usize = 9;

/// A suite of RFC 4568 §6.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CryptoSuite {
    /// `AES_CM_128_HMAC_SHA1_80`.
    AesCm128HmacSha1_80,
    /// `AES_CM_128_HMAC_SHA1_32`.
    AesCm128HmacSha1_32,
}

impl CryptoSuite {
    /// Its name in SDP.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::AesCm128HmacSha1_80, Self::AesCm128HmacSha1_32]
            .into_iter()
            .find(|suite| suite.name() == name)
    }
}

/// A master key with its salt; prints as nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKey(pub [u8; KEY_BYTES]);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// One `a=crypto` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// Names the line in offer and answer.
    pub tag: u32,
    /// Ciphers.
    pub suite: CryptoSuite,
    /// Key for what its side sends.
    pub key: MasterKey,
}

/// What both sides settled on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secured {
    /// Tag of the offer's line, which the answer repeats.
    pub tag: u32,
    /// Ciphers.
    pub suite: CryptoSuite,
    /// Key for what we send.
    pub ours: MasterKey,
    /// Key for what the peer sends.
    pub theirs: MasterKey,
}

impl Crypto {
    /// Reads the value of an `a=crypto` attribute; `None` for what we cannot or must not do: other
    /// suites, several keys, a key identifier, parameters that switch protection off.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next().filter(|t| t.len() <= TAG_DIGITS)?;
        if !tag.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let suite = CryptoSuite::from_name(words.next()?)?;
        let inline = words.next()?.strip_prefix("inline:")?;
        let mut parts = inline.split('|');
        let key = STANDARD.decode(parts.next()?).ok()?.try_into().ok()?;
        // A life time may follow; a key identifier ("1:4") would be in every packet.
        if parts.any(|part| part.contains(':')) {
            return None;
        }
        // A window size and what is marked optional do no harm (RFC 4568 §6.3).
        if !words.all(|word| word.starts_with("WSH=") || word.starts_with('-')) {
            return None;
        }
        Some(Self {
            tag: tag.parse().ok()?,
            suite,
            key: MasterKey(key),
        })
    }

    /// The value of its attribute.
    #[must_use]
    pub fn value(&self) -> String {
        let key = STANDARD.encode(self.key.0);
        format!("{} {} inline:{key}", self.tag, self.suite.name())
    }
}

/// The transport we write: protected as soon as there is a key.
pub(super) fn proto(local: &LocalMedia) -> &'static str {
    if local.crypto.is_empty() {
        "RTP/AVP"
    } else {
        "RTP/SAVP"
    }
}

/// Whether a media line is protected as we are: one is never taken for the other, so that nobody in
/// between can take the protection away (`faults.md` §4: never fall back to clear).
pub(super) fn fits(media: &Media, local: &LocalMedia) -> bool {
    let is = |protos: [&str; 2]| protos.iter().any(|p| media.proto.eq_ignore_ascii_case(p));
    if local.crypto.is_empty() {
        is(["RTP/AVP", "RTP/AVPF"])
    } else {
        is(["RTP/SAVP", "RTP/SAVPF"]) && settle(media, local).is_some()
    }
}

/// The first of the peer's lines whose suite we have a key for.
pub(super) fn settle(media: &Media, local: &LocalMedia) -> Option<Secured> {
    let lines = media
        .attributes
        .iter()
        .filter(|a| a.attribute.eq_ignore_ascii_case("crypto"));
    let read = lines.filter_map(|a| Crypto::parse(a.value.as_deref()?));
    let mut both = read.filter_map(|theirs| {
        let ours = local.crypto.iter().find(|c| c.suite == theirs.suite)?;
        Some(Secured {
            tag: theirs.tag,
            suite: theirs.suite,
            ours: ours.key,
            theirs: theirs.key,
        })
    });
    both.next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::{answer, offer, read_answer, read_offer};
    use proptest::prelude::*;

    /// The example of RFC 4568 §9.1, with a life time.
    const LINE: &str = "1 AES_CM_128_HMAC_SHA1_80 \
        inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20";

    fn local(port: u16, keys: &[(u32, CryptoSuite, u8)]) -> LocalMedia {
        let mut local = LocalMedia::new(([127, 0, 0, 1], port).into(), 1);
        local.crypto = keys
            .iter()
            .map(|(tag, suite, byte)| Crypto {
                tag: *tag,
                suite: *suite,
                key: MasterKey([*byte; KEY_BYTES]),
            })
            .collect();
        local
    }

    const LONG: CryptoSuite = CryptoSuite::AesCm128HmacSha1_80;
    const SHORT: CryptoSuite = CryptoSuite::AesCm128HmacSha1_32;

    #[test]
    fn lines_are_read_or_refused() {
        let read = Crypto::parse(LINE).expect("reads");
        assert_eq!((read.tag, read.suite), (1, LONG));
        assert_eq!(&read.key.0[..5], b"wDfvg");
        assert_eq!(format!("{:?}", read.key), "MasterKey(..)");
        for fine in ["WSH=128", "-FUTURE=1"] {
            assert!(Crypto::parse(&format!("{LINE} {fine}")).is_some(), "{fine}");
        }
        for bad in [
            "",
            "1",
            "x AES_CM_128_HMAC_SHA1_80 inline:AAAA",
            "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
            "1 AES_256_CM_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
            &LINE.replace("|2^20", "|2^20|1:4"),
            &LINE.replace("|2^20", "|1:4"),
            &LINE.replace("|2^20", ";inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"),
            &format!("{LINE} UNENCRYPTED_SRTP"),
            &format!("{LINE} UNAUTHENTICATED_SRTP"),
            &format!("{LINE} KDR=24"),
        ] {
            assert_eq!(Crypto::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn offer_and_answer_settle_on_the_first_suite_both_have() {
        let caller = local(4_000, &[(1, LONG, 1), (2, SHORT, 2)]);
        let called = local(5_000, &[(1, SHORT, 3)]);
        let offered = offer(&caller);
        assert!(String::from_utf8_lossy(&offered).contains("RTP/SAVP 8 0 101"));
        let answered = answer(&offered, &called).expect("takes it");
        let theirs = answered.remote.secured.expect("is protected");
        let ours = read_answer(&answered.sdp, &caller).expect("reads");
        let ours = ours.secured.expect("is protected");
        assert_eq!((ours.tag, ours.suite), (2, SHORT));
        assert_eq!((ours.ours, ours.theirs), (theirs.theirs, theirs.ours));
        assert_eq!(ours.ours, MasterKey([2; KEY_BYTES]));
        assert_eq!(ours.theirs, MasterKey([3; KEY_BYTES]));
    }

    #[test]
    fn clear_is_never_taken_for_protected() {
        let clear = local(4_000, &[]);
        let secret = local(5_000, &[(1, LONG, 1)]);
        assert!(answer(&offer(&clear), &secret).is_err());
        assert!(answer(&offer(&secret), &clear).is_err());
        assert!(read_offer(&offer(&clear), &secret).is_err());
        // An answer without a key, with one nobody offered, or under another name.
        let answered = answer(&offer(&secret), &local(6_000, &[(1, LONG, 9)])).expect("takes it");
        let text = String::from_utf8_lossy(&answered.sdp).into_owned();
        assert!(read_answer(text.as_bytes(), &secret).is_ok());
        for (from, to) in [
            ("a=crypto:1", "a=other:1"),
            ("SHA1_80", "SHA1_32"),
            ("a=crypto:1 ", "a=crypto:7 "),
            ("RTP/SAVP", "RTP/AVP"),
        ] {
            let bent = text.replace(from, to);
            assert_ne!(bent, text);
            assert!(read_answer(bent.as_bytes(), &secret).is_err(), "{to}");
        }
    }

    proptest! {
        #[test]
        fn lines_read_back(tag in 0u32..1_000_000_000, short: bool, key: [u8; KEY_BYTES]) {
            let suite = if short { SHORT } else { LONG };
            let line = Crypto { tag, suite, key: MasterKey(key) };
            prop_assert_eq!(Crypto::parse(&line.value()), Some(line));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = Crypto::parse(&text);
            let _ = Crypto::parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{text}"));
        }
    }
}
