//! A session description as offer and as answer, in clear and with keys; the answer to an offer can be read by its
//! sender. And as the value of a key line.

use sip::sdp::{
    Crypto, CryptoSuite, KEY_BYTES, LocalMedia, MasterKey, answer, read_answer, read_offer,
};

/// Our side: in clear, and with keys for both suites.
pub(crate) fn ours() -> [LocalMedia; 2] {
    let clear = LocalMedia::new(([127, 0, 0, 1], 4_000).into(), 1);
    let mut secured = clear.clone();
    let suites = [
        CryptoSuite::AesCm128HmacSha1_80,
        CryptoSuite::AesCm128HmacSha1_32,
    ];
    secured.crypto = (1..)
        .zip(suites)
        .map(|(tag, suite)| Crypto {
            tag,
            suite,
            key: MasterKey([7; KEY_BYTES]),
        })
        .collect();
    [clear, secured]
}

/// One input.
pub(crate) fn run(data: &[u8]) {
    for local in ours() {
        let _ = read_answer(data, &local);
        if let Ok(made) = answer(data, &local) {
            let read = read_offer(data, &local).expect("what was answered");
            assert_eq!(
                read.secured.is_some(),
                !local.crypto.is_empty(),
                "nothing in clear where there are keys"
            );
            let _ = read_answer(&made.sdp, &local);
        }
    }
    let line = std::str::from_utf8(data).ok().and_then(Crypto::parse);
    if let Some(line) = line {
        assert_eq!(Crypto::parse(&line.value()), Some(line));
    }
}
