//! Octets of a connection: however they are cut, the same frames come out.

use sip::msg::StreamFramer;

fn frames(pieces: impl Iterator<Item = Vec<u8>>) -> Vec<String> {
    let mut framer = StreamFramer::new();
    let mut out = Vec::new();
    for piece in pieces {
        for frame in framer.push(&piece) {
            // Which octets an error names depends on the cut; that the stream is lost there does not.
            let Ok(frame) = frame else {
                out.push("lost".to_owned());
                return out;
            };
            out.push(format!("{frame:?}"));
        }
    }
    out
}

/// One input.
pub(crate) fn run(data: &[u8]) {
    let whole = frames(std::iter::once(data.to_vec()));
    let cut = frames(data.chunks(7).map(<[u8]>::to_vec));
    assert_eq!(whole, cut);
}
