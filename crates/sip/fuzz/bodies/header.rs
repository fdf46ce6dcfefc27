//! One header field, `Name: value`, given to every typed reader; what is read is printed and read
//! again the same.

use bytes::Bytes;
use sip::header::{CSeq, NameAddr, RAck, Reason, Replaces, SessionExpires, Via};
use sip::msg::{HeaderName, Headers, Method, Uri};

macro_rules! stable {
    ($value:expr, $parse:expr) => {
        if let Ok(read) = $parse($value) {
            let printed = read.to_bytes();
            let again = $parse(&printed).expect("what we print can be read");
            assert_eq!(again.to_bytes(), printed, "{:?}", $value);
        }
    };
}

/// One input.
pub(crate) fn run(field: &[u8]) {
    verdict(field);
}

/// The same; whether the reader of its name takes it.
pub(crate) fn verdict(field: &[u8]) -> bool {
    let cut = field.iter().position(|b| *b == b':').unwrap_or(field.len());
    let value = Bytes::copy_from_slice(field.get(cut + 1..).unwrap_or_default().trim_ascii());
    let name = HeaderName::from_token(Bytes::copy_from_slice(&field[..cut]));
    let mut headers = Headers::default();
    headers.push(name.clone(), value.clone());
    stable!(&value, Via::parse);
    stable!(&value, CSeq::parse);
    stable!(&value, RAck::parse);
    stable!(&value, Reason::parse);
    stable!(&value, Replaces::parse);
    stable!(&value, SessionExpires::parse);
    stable!(&value, Uri::parse);
    stable!(&value, |raw: &Bytes| NameAddr::parse(raw, "From"));
    if let Some(replaces) = Replaces::of_uri_headers(&value) {
        let again = Replaces::of_uri_headers(&replaces.to_uri_header());
        assert_eq!(again, Some(replaces));
    }
    let _ = (headers.call_id(), headers.q850());
    let _ = (headers.allows(&Method::Update), headers.credentials(true));
    taken(&headers, &name)
}

fn taken(headers: &Headers, name: &HeaderName) -> bool {
    let verdicts = [
        (HeaderName::Via, headers.vias().is_ok()),
        (HeaderName::From, headers.from().is_ok()),
        (HeaderName::To, headers.to().is_ok()),
        (HeaderName::CSeq, headers.cseq().is_ok()),
        (HeaderName::MaxForwards, headers.max_forwards().is_ok()),
        (HeaderName::RAck, headers.rack().is_ok()),
        (HeaderName::Replaces, headers.replaces().is_ok()),
        (HeaderName::ReferTo, headers.refer_to().is_ok()),
        (
            HeaderName::SessionExpires,
            headers.session_expires().is_some(),
        ),
        (HeaderName::MinSe, headers.min_se().is_some()),
        (HeaderName::Reason, !headers.reasons().is_empty()),
        (HeaderName::RetryAfter, headers.retry_after().is_some()),
        (HeaderName::Warning, !headers.warnings().is_empty()),
        (HeaderName::ContentType, headers.content_type().is_ok()),
        (
            HeaderName::WwwAuthenticate,
            !headers.challenges().is_empty(),
        ),
        (
            HeaderName::Authorization,
            headers.credentials(false).is_ok_and(|c| !c.is_empty()),
        ),
        (
            HeaderName::Contact,
            headers.contacts().is_ok() || headers.contact_is_star(),
        ),
        (
            HeaderName::Diversion,
            headers
                .addresses(&HeaderName::Diversion, "Diversion")
                .is_ok(),
        ),
        (HeaderName::SubscriptionState, true),
    ];
    verdicts
        .iter()
        .find(|(of, _)| of == name)
        .is_some_and(|(_, fine)| *fine)
}
