//! Reports from the network; what was read can be written and reads the same.

/// One input.
pub(crate) fn run(data: &[u8]) {
    let Ok(received) = media::rtcp::parse(data) else {
        return;
    };
    let Some(sender) = received.sender else {
        return;
    };
    let mut out = [0u8; media::rtcp::MAX_BYTES];
    let Ok(len) = media::rtcp::sender_report(&sender, &received.blocks, "a@b", &mut out) else {
        return;
    };
    let again = media::rtcp::parse(&out[..len]).expect("own report");
    assert_eq!(
        (again.sender, again.blocks),
        (received.sender, received.blocks)
    );
}
