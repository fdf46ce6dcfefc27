//! One header field, `Name: value`, given to every typed reader; what is read is printed and read
//! again the same. The same as `tests/headers.rs`.
#![no_main]
use bytes::Bytes;
use sip::header::{CSeq, NameAddr, RAck, Reason, Replaces, SessionExpires, Via};
use sip::msg::{HeaderName, Headers, Method, Uri};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let cut = data.iter().position(|b| *b == b':').unwrap_or(data.len());
    let value = Bytes::copy_from_slice(data.get(cut + 1..).unwrap_or_default());
    let mut headers = Headers::default();
    headers.push(HeaderName::from_token(Bytes::copy_from_slice(&data[..cut])), value.clone());
    let _ = (headers.vias(), headers.from(), headers.to(), headers.contacts(), headers.allows(&Method::Update));
    let _ = (headers.cseq(), headers.call_id(), headers.max_forwards(), headers.challenges());
    let _ = (headers.credentials(false), headers.credentials(true), headers.content_type());
    let _ = (headers.q850(), headers.retry_after(), headers.warnings(), headers.session_expires());
    let _ = (headers.min_se(), headers.rack(), headers.replaces(), headers.refer_to());
    macro_rules! stable {
        ($parse:expr) => {
            if let Ok(read) = $parse(&value) {
                let printed = read.to_bytes();
                let again = $parse(&printed).expect("what we print can be read");
                assert_eq!(again.to_bytes(), printed);
            }
        };
    }
    stable!(Via::parse);
    stable!(CSeq::parse);
    stable!(RAck::parse);
    stable!(Reason::parse);
    stable!(Replaces::parse);
    stable!(SessionExpires::parse);
    stable!(Uri::parse);
    stable!(|raw: &Bytes| NameAddr::parse(raw, "From"));
    let _ = Replaces::of_uri_headers(&value);
});
