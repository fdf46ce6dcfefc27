//! A session description as offer and as answer; the answer to an offer can be read by its sender.

use sip::sdp::{LocalMedia, answer, read_answer, read_offer};

/// One input.
pub(crate) fn run(data: &[u8]) {
    let local = LocalMedia::new(([127, 0, 0, 1], 4_000).into(), 1);
    let _ = read_answer(data, &local);
    if let Ok(made) = answer(data, &local) {
        assert!(read_offer(data, &local).is_ok());
        let _ = read_answer(&made.sdp, &local);
    }
}
