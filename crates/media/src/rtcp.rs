//! Sender and receiver reports (RFC 3550 §6) by the rtcp-types crate.

use rtcp_types::{
    Compound, Packet, ReceiverReport, ReportBlock, ReportBlockBuilder, RtcpPacketWriterExt, Sdes,
    SdesChunk, SdesItem, SenderReport,
};

use crate::MediaError;
pub use crate::stats::Block;

/// Largest compound packet taken or written, bytes.
pub const MAX_BYTES: usize = 1_472;

/// Most report blocks kept of a packet: a call has one stream a side, a conference bridge few.
pub const MAX_BLOCKS: usize = 31;

/// What a sender says of itself (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    /// Its source.
    pub ssrc: u32,
    /// Wall clock, NTP format: seconds since 1900 above, fraction below.
    pub ntp: u64,
    /// The same instant on the stream's clock.
    pub timestamp: u32,
    /// Packets sent, modulo 2^32.
    pub packets: u32,
    /// Payload octets sent, modulo 2^32.
    pub octets: u32,
}

/// What a compound packet says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Received {
    /// Sender info, where there was a sender report.
    pub sender: Option<SenderInfo>,
    /// Report blocks of all reports, at most [`MAX_BLOCKS`].
    pub blocks: Vec<Block>,
    /// True where a BYE was in it.
    pub bye: bool,
}

/// Seconds from the NTP epoch (1900) to the Unix epoch (RFC 5905 §6).
const NTP_UNIX_S: u64 = 2_208_988_800;

/// An instant in NTP format.
#[must_use]
pub fn ntp_from_unix_ms(unix_ms: u64) -> u64 {
    let seconds = (unix_ms / 1_000).wrapping_add(NTP_UNIX_S) & 0xffff_ffff;
    (seconds << 32) | (((unix_ms % 1_000) << 32) / 1_000)
}

/// The middle 32 bits of an NTP time, as report blocks repeat it.
#[must_use]
pub fn ntp_middle(ntp: u64) -> u32 {
    u32::try_from((ntp >> 16) & 0xffff_ffff).unwrap_or(0)
}

/// Reads a compound packet; unknown and unneeded parts are skipped.
///
/// # Errors
/// [`MediaError::Rtcp`] where it or a report in it is malformed.
pub fn parse(bytes: &[u8]) -> Result<Received, MediaError> {
    if bytes.len() > MAX_BYTES {
        return Err(MediaError::TooLarge {
            what: "rtcp bytes",
            value: bytes.len() as u64,
            limit: MAX_BYTES as u64,
        });
    }
    let refuse = |e: rtcp_types::RtcpParseError| MediaError::Rtcp(e.to_string().to_lowercase());
    let mut received = Received::default();
    for packet in Compound::parse(bytes).map_err(refuse)? {
        match packet.map_err(refuse)? {
            Packet::Sr(report) => {
                received.sender = Some(SenderInfo {
                    ssrc: report.ssrc(),
                    ntp: report.ntp_timestamp(),
                    timestamp: report.rtp_timestamp(),
                    packets: report.packet_count(),
                    octets: report.octet_count(),
                });
                keep(&mut received.blocks, report.report_blocks());
            }
            Packet::Rr(report) => keep(&mut received.blocks, report.report_blocks()),
            Packet::Bye(_) => received.bye = true,
            _ => {}
        }
    }
    Ok(received)
}

fn keep<'a>(blocks: &mut Vec<Block>, found: impl Iterator<Item = ReportBlock<'a>>) {
    let room = MAX_BLOCKS.saturating_sub(blocks.len());
    blocks.extend(found.take(room).map(|b| Block {
        ssrc: b.ssrc(),
        fraction_lost: b.fraction_lost(),
        lost: sign_extend_24(b.cumulative_lost()),
        highest: b.extended_sequence_number(),
        jitter: b.interarrival_jitter(),
        last_sender_report: b.last_sender_report_timestamp(),
        delay_since: b.delay_since_last_sender_report_timestamp(),
    }));
}

const fn sign_extend_24(value: u32) -> i32 {
    (value << 8).cast_signed() >> 8
}

/// Writes a sender report with its blocks and the CNAME that must go with it (RFC 3550 §6.1), and
/// returns its length.
///
/// # Errors
/// [`MediaError::RtcpWrite`] where `out` is too short or the CNAME above 255 bytes.
pub fn sender_report(
    info: &SenderInfo,
    blocks: &[Block],
    cname: &str,
    out: &mut [u8],
) -> Result<usize, MediaError> {
    let mut report = SenderReport::builder(info.ssrc)
        .ntp_timestamp(info.ntp)
        .rtp_timestamp(info.timestamp)
        .packet_count(info.packets)
        .octet_count(info.octets);
    for block in blocks.iter().take(MAX_BLOCKS) {
        report = report.add_report_block(builder(block));
    }
    write(
        Compound::builder()
            .add_packet(report)
            .add_packet(description(info.ssrc, cname)),
        out,
    )
}

/// Writes a receiver report with the CNAME: for a leg that sends nothing.
///
/// # Errors
/// As [`sender_report`].
pub fn receiver_report(
    ssrc: u32,
    blocks: &[Block],
    cname: &str,
    out: &mut [u8],
) -> Result<usize, MediaError> {
    let mut report = ReceiverReport::builder(ssrc);
    for block in blocks.iter().take(MAX_BLOCKS) {
        report = report.add_report_block(builder(block));
    }
    write(
        Compound::builder()
            .add_packet(report)
            .add_packet(description(ssrc, cname)),
        out,
    )
}

fn description(ssrc: u32, cname: &str) -> rtcp_types::SdesBuilder<'_> {
    let item = SdesItem::builder(SdesItem::CNAME, cname);
    Sdes::builder().add_chunk(SdesChunk::builder(ssrc).add_item(item))
}

fn write(packet: impl RtcpPacketWriterExt, out: &mut [u8]) -> Result<usize, MediaError> {
    packet
        .write_into(out)
        .map_err(|e| MediaError::RtcpWrite(e.to_string().to_lowercase()))
}

fn builder(block: &Block) -> ReportBlockBuilder {
    ReportBlock::builder(block.ssrc)
        .fraction_lost(block.fraction_lost)
        .cumulative_lost(block.lost.clamp(-0x80_0000, 0x7f_ffff).cast_unsigned() & 0xff_ffff)
        .extended_sequence_number(block.highest)
        .interarrival_jitter(block.jitter)
        .last_sender_report_timestamp(block.last_sender_report)
        .delay_since_last_sender_report_timestamp(block.delay_since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn info() -> SenderInfo {
        SenderInfo {
            ssrc: 1,
            ntp: ntp_from_unix_ms(1_795_357_200_500),
            timestamp: 5,
            packets: 6,
            octets: 7,
        }
    }

    #[test]
    fn half_a_second_is_half_of_the_fraction() {
        let ntp = info().ntp;
        assert_eq!(ntp & 0xffff_ffff, 0x8000_0000);
        assert_eq!(ntp >> 32, 1_795_357_200 + NTP_UNIX_S);
        assert_eq!(ntp_middle(ntp) & 0xffff, 0x8000);
    }

    #[test]
    fn reports_read_back_with_negative_loss() {
        let block = Block {
            ssrc: 2,
            fraction_lost: 3,
            lost: -4,
            highest: 70_000,
            jitter: 9,
            last_sender_report: 8,
            delay_since: 11,
        };
        let mut out = [0u8; 200];
        let len = sender_report(&info(), &[block], "leg@host", &mut out).unwrap();
        assert!(crate::rtp::is_rtcp(&out[..len]));
        let expected = Received {
            sender: Some(info()),
            blocks: vec![block],
            bye: false,
        };
        assert_eq!(parse(&out[..len]).unwrap(), expected);
        let len = receiver_report(1, &[block], "leg@host", &mut out).unwrap();
        assert_eq!(
            parse(&out[..len]).unwrap(),
            Received {
                sender: None,
                ..expected
            }
        );
        assert!(receiver_report(1, &[block], "x", &mut [0; 10]).is_err());
        assert!(receiver_report(1, &[block], &"x".repeat(300), &mut [0; 1_000]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn damaged_reports_are_read_or_refused(at in 0usize..80, byte: u8, cut in 0usize..90) {
            let mut out = [0u8; 200];
            let len = sender_report(&info(), &[Block::default()], "leg@host", &mut out).unwrap();
            out[at] = byte;
            let _ = parse(&out[..len.min(cut)]);
        }
    }
}
