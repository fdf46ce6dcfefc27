//! Packets from the network, through the jitter buffer.

/// One input.
pub(crate) fn run(data: &[u8]) {
    let mut buffer = media::jitter::JitterBuffer::new(media::jitter::Config::default());
    let mut stats = media::stats::Reception::default();
    let mut pcm = Vec::new();
    let mut out = media::SILENCE;
    for (n, bytes) in data.chunks(24).enumerate() {
        let Ok(packet) = media::rtp::parse(bytes) else {
            continue;
        };
        stats.receive(packet.sequence, packet.timestamp, n as u64 * 20);
        pcm.clear();
        media::g711::Law::A.decode(packet.payload, &mut pcm);
        buffer.push(packet.timestamp, &pcm);
        buffer.pull(&mut out);
    }
    let _ = media::rtp::parse(data);
}
