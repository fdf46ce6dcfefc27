use super::*;
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let text: String = text.split_whitespace().collect();
    (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

fn pair(suite: Suite) -> (Protect, Unprotect) {
    let keys = Keys::new(std::array::from_fn(|i| u8::try_from(i * 7).unwrap()));
    (Protect::new(suite, &keys), Unprotect::new(suite, &keys))
}

fn packet(sequence: u16, payload: &[u8]) -> (Vec<u8>, usize) {
    let mut packet = vec![0x80, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 9, 0xde, 0xad, 0xbe, 0xef]);
    packet.extend(payload);
    let length = packet.len();
    packet.resize(length + MOST_ADDED, 0);
    (packet, length)
}

/// The example that libsrtp's own tests use for this suite.
#[test]
fn a_known_packet_is_protected_as_others_do() {
    let mut bytes = [0; MASTER_BYTES];
    bytes.copy_from_slice(&hex(
        "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6",
    ));
    let keys = Keys::new(bytes);
    let suite = Suite::AesCm128HmacSha1_80;
    let clear = hex("800f1234decafbadcafebabe abababababababababababababababab");
    let mut packet = clear.clone();
    packet.resize(clear.len() + 10, 0);
    let length = Protect::new(suite, &keys)
        .rtp(&mut packet, clear.len())
        .unwrap();
    let known =
        hex("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
    assert_eq!(packet[..length], known);
    let read = Unprotect::new(suite, &keys).rtp(&mut packet).unwrap();
    assert_eq!(packet[..read], clear);
}

#[test]
fn what_was_changed_or_repeated_is_dropped_and_counted() {
    let (mut near, mut far) = pair(Suite::AesCm128HmacSha1_80);
    let (mut sent, length) = packet(7, &[1, 2, 3]);
    let length = near.rtp(&mut sent, length).unwrap();
    for at in 0..length {
        let mut bent = sent[..length].to_vec();
        bent[at] ^= 0x10;
        assert!(far.rtp(&mut bent).is_err(), "octet {at}");
    }
    let mut good = sent[..length].to_vec();
    assert_eq!(far.rtp(&mut good), Ok(15));
    assert_eq!(far.rtp(&mut sent[..length].to_vec()), Err(Refused::Replay));
    let mut other = Unprotect::new(Suite::AesCm128HmacSha1_80, &Keys::new([1; 30]));
    assert_eq!(other.rtp(&mut sent[..length].to_vec()), Err(Refused::Tag));
    let dropped = far.dropped();
    assert_eq!(dropped.replay, 1);
    assert_eq!(dropped.malformed + dropped.tag, length as u64);
}

#[test]
fn rtcp_is_proved_too() {
    let (mut near, mut far) = pair(Suite::AesCm128HmacSha1_32);
    let mut report = hex("81c80006 00000001 0102030405060708 0000 0000 00000000 00000000");
    let clear = report.clone();
    report.resize(clear.len() + MOST_ADDED, 0);
    let first = near.rtcp(&mut report, clear.len()).unwrap();
    assert_eq!(first, clear.len() + 14, "the tag of RTCP is never short");
    assert_ne!(report[8..clear.len()], clear[8..]);
    let mut again = report[..first].to_vec();
    let read = far.rtcp(&mut report[..first]).unwrap();
    assert_eq!(report[..read], clear);
    assert_eq!(far.rtcp(&mut again), Err(Refused::Replay));
    assert_eq!(far.rtcp(&mut [0x81, 200, 0, 0]), Err(Refused::Malformed));
}

#[test]
fn no_room_for_the_tag_is_refused() {
    let (mut near, _) = pair(Suite::AesCm128HmacSha1_80);
    let (mut sent, length) = packet(1, &[0; 20]);
    assert_eq!(
        near.rtp(&mut sent[..length + 9], length),
        Err(Refused::Room)
    );
    assert_eq!(near.rtp(&mut sent, 4), Err(Refused::Malformed));
    assert_eq!(near.rtcp(&mut sent[..8], 8), Err(Refused::Room));
}

proptest! {
    #[test]
    fn a_long_stream_with_losses_comes_through(
        // RFC 3711 §3.3.1: a stream begins in the lower half, so that no roll-over is missed.
        start in 0u16..0x8000,
        short: bool,
        fates in proptest::collection::vec(0u8..4, 100..200),
    ) {
        let suite = if short { Suite::AesCm128HmacSha1_32 } else { Suite::AesCm128HmacSha1_80 };
        let (mut near, mut far) = pair(suite);
        // In big steps, so that a roll-over is reached.
        for (n, fate) in (0u16..).zip(&fates) {
            let body = [n.to_be_bytes()[1]; 50];
            let (mut bytes, length) = packet(start.wrapping_add(n.wrapping_mul(300)), &body);
            let length = near.rtp(&mut bytes, length).unwrap();
            bytes.truncate(length);
            match fate {
                0 => {}
                _ => {
                    let read = far.rtp(&mut bytes).unwrap();
                    prop_assert_eq!(&bytes[12..read], &body[..]);
                }
            }
        }
        prop_assert_eq!(far.dropped(), Dropped::default());
    }

    #[test]
    fn near_disorder_is_taken_once(order in Just((0u16..60).collect::<Vec<_>>()).prop_shuffle(), start: u16) {
        let (mut near, mut far) = pair(Suite::AesCm128HmacSha1_80);
        let sent: Vec<Vec<u8>> = (0..60u16).map(|n| {
            let (mut bytes, length) = packet(start.wrapping_add(n), &n.to_be_bytes());
            let length = near.rtp(&mut bytes, length).unwrap();
            bytes.truncate(length);
            bytes
        }).collect();
        // The first lays the roll-over count; the others may come as they like.
        far.rtp(&mut sent[0].clone()).unwrap();
        for n in order.into_iter().filter(|n| *n != 0) {
            prop_assert!(far.rtp(&mut sent[usize::from(n)].clone()).is_ok());
            prop_assert_eq!(far.rtp(&mut sent[usize::from(n)].clone()), Err(Refused::Replay));
        }
    }

    #[test]
    fn any_octets_are_dropped(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (mut near, mut far) = pair(Suite::AesCm128HmacSha1_80);
        prop_assert!(far.rtp(&mut bytes.clone()).is_err());
        prop_assert!(far.rtcp(&mut bytes.clone()).is_err());
        let length = bytes.len();
        bytes.resize(length + MOST_ADDED, 0);
        let _ = near.rtp(&mut bytes.clone(), length);
        let _ = near.rtcp(&mut bytes, length);
    }
}
