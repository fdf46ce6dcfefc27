//! What is kept of a hostile message.

use crate::engine::followed;
use crate::limits;
use bytes::Bytes;
use domain::entity::SipStep;
use sip::msg::{HeaderName, Message, parse_datagram};

/// Digits in a row that are no number yet.
const SHORT: usize = 4;
/// Digits of the highest sequence number.
const SEQUENCE: usize = 10;

pub(super) fn run(data: &[u8]) {
    let trail = followed(data);
    let ladder = &trail.ladder;
    assert!(
        ladder.is_empty() || ladder.len() == 2,
        "twice or not at all"
    );
    for (step, repeat) in ladder.iter().zip([false, true]) {
        looks_well(step);
        assert_eq!((step.repeat, step.out), (repeat, false));
        assert_eq!(step.bytes as usize, data.len());
    }
    if !ladder.is_empty() {
        is_of_its_call(data);
    }
}

fn looks_well(step: &SipStep) {
    let reason = step.reason.as_deref().unwrap_or_default();
    for text in [&step.name, &step.cseq, reason] {
        assert!(text.chars().count() <= limits::LADDER_TEXT, "{text}");
        let plain = |c: char| c.is_ascii_graphic() || c == ' ' || c == '·';
        assert!(text.chars().all(plain), "{text:?}");
    }
    assert!(longest(&step.name) <= SHORT && longest(reason) <= SHORT);
    let digit = |c: char| c.is_ascii_digit();
    let after = step.cseq.trim_start_matches(digit);
    assert!(step.cseq.len() - after.len() <= SEQUENCE && longest(after) <= SHORT);
    if let Some(code) = step.code {
        assert!(step.name.starts_with(&format!("{code:03}")));
    }
}

/// The longest run of digits.
fn longest(text: &str) -> usize {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    runs.map(str::len).max().unwrap_or(0)
}

/// What the endpoint would take is followed under the call that it is of there.
fn is_of_its_call(data: &[u8]) {
    let flawless = match parse_datagram(&Bytes::copy_from_slice(data)) {
        Ok(Message::Request(request)) if request.flaw.is_none() => request.headers,
        Ok(Message::Response(response)) if response.flaw.is_none() => response.headers,
        _ => return,
    };
    let ids: Vec<_> = flawless.all(&HeaderName::CallId).collect();
    // One that goes on in a second line has a blank in it, and is nobody's (RFC 3261 §25.1).
    if let [id] = ids[..]
        && !id.contains(&b' ')
    {
        assert_eq!(crate::engine::call_of(data), Some(&id[..]));
    }
}
