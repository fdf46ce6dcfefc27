//! Whatever comes to a protected port: nothing but our own packets is taken, and each once.

use media::srtp::{Keys, MOST_ADDED, Protect, Suite, Unprotect};

/// One input.
pub(crate) fn run(data: &[u8]) {
    let keys = Keys::new([7; 30]);
    for suite in [Suite::AesCm128HmacSha1_80, Suite::AesCm128HmacSha1_32] {
        let mut near = Protect::new(suite, &keys);
        let mut far = Unprotect::new(suite, &keys);
        let _ = far.rtp(&mut data.to_vec());
        let _ = far.rtcp(&mut data.to_vec());
        let mut buffer = data.to_vec();
        buffer.resize(data.len() + MOST_ADDED, 0);
        if let Ok(length) = near.rtp(&mut buffer, data.len()) {
            let mut sent = buffer[..length].to_vec();
            let read = far.rtp(&mut sent).expect("what we protect is taken");
            assert_eq!(&sent[..read], data);
            assert!(far.rtp(&mut buffer[..length]).is_err(), "and once only");
        }
    }
}
