//! Telephone events, each led by its timestamp.

/// One input.
pub(crate) fn run(data: &[u8]) {
    let mut receiver = media::dtmf::Receiver::default();
    for chunk in data.chunks(8) {
        let mut timestamp = [0u8; 4];
        let len = chunk.len().min(4);
        timestamp[..len].copy_from_slice(&chunk[..len]);
        let _ = receiver.push(u32::from_be_bytes(timestamp), &chunk[len..]);
    }
}
