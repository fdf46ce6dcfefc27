//! Sender and receiver reports (RFC 3550 §6): each is read by the rtcp-types crate; the compound around them, and what
//! we write, are done here. Neither asks anything of the allocator where all is well, since legs report on the threads
//! that carry their packets.

use rtcp_types::{Bye, ReceiverReport, ReportBlock, RtcpPacketParser, SenderReport};

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

/// What a compound packet says beside its report blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// Sender info, where there was a sender report.
    pub sender: Option<SenderInfo>,
    /// True where a BYE was in it.
    pub bye: bool,
}

/// Reads a compound packet; unknown and unneeded parts are skipped.
///
/// # Errors
/// [`MediaError::Rtcp`] where it or a report in it is malformed.
pub fn parse(bytes: &[u8]) -> Result<Received, MediaError> {
    let mut blocks = Vec::new();
    let told = read(bytes, |block| blocks.push(block))?;
    Ok(Received {
        sender: told.sender,
        blocks,
        bye: told.bye,
    })
}

/// The same with each report block, at most [`MAX_BLOCKS`], given to `each` as it is met: what it did counts only
/// where the whole packet is right.
///
/// # Errors
/// As [`parse`].
pub fn read(bytes: &[u8], mut each: impl FnMut(Block)) -> Result<Told, MediaError> {
    if bytes.len() > MAX_BYTES {
        return Err(MediaError::TooLarge {
            what: "rtcp bytes",
            value: bytes.len() as u64,
            limit: MAX_BYTES as u64,
        });
    }
    let refuse = |e: rtcp_types::RtcpParseError| MediaError::Rtcp(e.to_string().to_lowercase());
    let mut told = Told::default();
    let mut room = MAX_BLOCKS;
    let mut keep = |block: ReportBlock<'_>| {
        if let Some(left) = room.checked_sub(1) {
            room = left;
            each(kept(&block));
        }
    };
    let mut rest = bytes;
    loop {
        let (kind, part, after) = first(rest)?;
        match kind {
            SENDER_REPORT => {
                let report = SenderReport::parse(part).map_err(refuse)?;
                told.sender = Some(SenderInfo {
                    ssrc: report.ssrc(),
                    ntp: report.ntp_timestamp(),
                    timestamp: report.rtp_timestamp(),
                    packets: report.packet_count(),
                    octets: report.octet_count(),
                });
                report.report_blocks().for_each(&mut keep);
            }
            RECEIVER_REPORT => {
                let report = ReceiverReport::parse(part).map_err(refuse)?;
                report.report_blocks().for_each(&mut keep);
            }
            BYE => {
                Bye::parse(part).map_err(refuse)?;
                told.bye = true;
            }
            // Names and whatever else is there: nobody asks for it, and it is not read.
            _ => {}
        }
        if after.is_empty() {
            return Ok(told);
        }
        rest = after;
    }
}

/// The first packet of a compound: its type, its octets, and what follows.
fn first(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), MediaError> {
    let refuse = |why: &str| MediaError::Rtcp(why.to_owned());
    let [head, kind, high, low, ..] = bytes else {
        return Err(refuse("shorter than a packet"));
    };
    if head >> 6 != 2 {
        return Err(refuse("not version 2"));
    }
    let length = (usize::from(u16::from_be_bytes([*high, *low])) + 1) * 4;
    let (part, after) = bytes
        .split_at_checked(length)
        .ok_or_else(|| refuse("a packet is longer than what came"))?;
    Ok((*kind, part, after))
}

fn kept(block: &ReportBlock<'_>) -> Block {
    Block {
        ssrc: block.ssrc(),
        fraction_lost: block.fraction_lost(),
        lost: sign_extend_24(block.cumulative_lost()),
        highest: block.extended_sequence_number(),
        jitter: block.interarrival_jitter(),
        last_sender_report: block.last_sender_report_timestamp(),
        delay_since: block.delay_since_last_sender_report_timestamp(),
    }
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
    let mut parts = Parts { out, at: 0 };
    parts.head(SENDER_REPORT, 24, blocks)?;
    for word in [
        info.ssrc,
        u32::try_from(info.ntp >> 32).unwrap_or(u32::MAX),
        u32::try_from(info.ntp & 0xffff_ffff).unwrap_or(u32::MAX),
        info.timestamp,
        info.packets,
        info.octets,
    ] {
        parts.put(&word.to_be_bytes())?;
    }
    parts.blocks(blocks)?;
    parts.description(info.ssrc, cname)
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
    let mut parts = Parts { out, at: 0 };
    parts.head(RECEIVER_REPORT, 4, blocks)?;
    parts.put(&ssrc.to_be_bytes())?;
    parts.blocks(blocks)?;
    parts.description(ssrc, cname)
}

/// Packet types (RFC 3550 §12.1).
const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
/// The item of a description that must be there (§6.5.1).
const CNAME: u8 = 1;
/// Octets of a report block (§6.4.1).
const BLOCK_BYTES: usize = 24;

/// A compound packet as it is written.
struct Parts<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl Parts<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), MediaError> {
        let end = self.at + bytes.len();
        let room = self.out.get_mut(self.at..end);
        let room =
            room.ok_or_else(|| MediaError::RtcpWrite("no room for the report".to_owned()))?;
        room.copy_from_slice(bytes);
        self.at = end;
        Ok(())
    }

    /// The first word of a packet: version 2, how many of what follows, its kind, its length in words without this
    /// one (§6.4.1).
    fn word(&mut self, kind: u8, count: usize, bytes: usize) -> Result<(), MediaError> {
        let words = u16::try_from(bytes / 4);
        let count = u8::try_from(count).ok().filter(|count| *count < 32);
        let (Ok(words), Some(count)) = (words, count) else {
            return Err(MediaError::RtcpWrite("a part is too long".to_owned()));
        };
        let [high, low] = words.to_be_bytes();
        self.put(&[0x80 | count, kind, high, low])
    }

    fn head(&mut self, kind: u8, own: usize, blocks: &[Block]) -> Result<(), MediaError> {
        let count = blocks.len().min(MAX_BLOCKS);
        self.word(kind, count, own + count * BLOCK_BYTES)
    }

    fn blocks(&mut self, blocks: &[Block]) -> Result<(), MediaError> {
        for block in blocks.iter().take(MAX_BLOCKS) {
            let lost = block.lost.clamp(-0x80_0000, 0x7f_ffff);
            let [_, high, middle, low] = lost.to_be_bytes();
            self.put(&block.ssrc.to_be_bytes())?;
            self.put(&[block.fraction_lost, high, middle, low])?;
            for word in [
                block.highest,
                block.jitter,
                block.last_sender_report,
                block.delay_since,
            ] {
                self.put(&word.to_be_bytes())?;
            }
        }
        Ok(())
    }

    /// Source and name, ended by at least one octet of zero up to the next word (§6.5); the length of all.
    fn description(mut self, ssrc: u32, cname: &str) -> Result<usize, MediaError> {
        let Ok(length) = u8::try_from(cname.len()) else {
            return Err(MediaError::RtcpWrite(
                "the name is above 255 bytes".to_owned(),
            ));
        };
        let text = 2 + cname.len();
        let padding = 4 - text % 4;
        self.word(DESCRIPTION, 1, 4 + text + padding)?;
        self.put(&ssrc.to_be_bytes())?;
        self.put(&[CNAME, length])?;
        self.put(cname.as_bytes())?;
        for _ in 0..padding {
            self.put(&[0])?;
        }
        Ok(self.at)
    }
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
