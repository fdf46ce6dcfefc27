//! What every request must have before anybody acts on it (RFC 3261 §8.2).

use bytes::Bytes;

use super::core::{Arrived, Core};
use crate::msg::{Flaw, HeaderName, Method, Request};
use crate::transport::{Source, Target};

/// Headers that may occur once only.
const SINGLE: [HeaderName; 6] = [
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
    HeaderName::MaxForwards,
    HeaderName::ContentLength,
];

/// Reads the top Via, notes the source in it, and finds the way back. None: there is none.
pub(super) fn arrive(mut request: Request, source: Source) -> Option<Arrived> {
    let mut via = request.headers.top_via().ok()?;
    via.stamp(source.remote);
    let field = request.headers.get(&HeaderName::Via)?;
    let parts = crate::header::lex::split_outside(field, b',')?;
    let mut stamped = via.to_bytes().to_vec();
    for rest in parts.iter().skip(1) {
        stamped.extend_from_slice(b", ");
        stamped.extend_from_slice(rest);
    }
    request.headers.replace_first(&HeaderName::Via, stamped);
    let dest = if source.proto.reliable() {
        source.remote
    } else {
        via.response_dest(source.remote)
    };
    let reply_to = Target {
        proto: source.proto,
        dest,
        conn: source.conn,
    };
    Some(Arrived {
        request,
        via,
        source,
        reply_to,
    })
}

/// The code that refuses a request whose form is wrong.
pub(super) fn form(request: &Request) -> Option<u16> {
    match &request.flaw {
        Some(Flaw::Version) => return Some(505),
        Some(Flaw::Bad(_)) => return Some(400),
        None => {}
    }
    let headers = &request.headers;
    let singles = SINGLE.iter().all(|name| headers.count(name) <= 1);
    let cseq = headers.cseq();
    let fits = cseq.is_ok_and(|cseq| cseq.method == request.method);
    let readable = headers.from().is_ok()
        && headers.to().is_ok()
        && headers.call_id().is_ok()
        && headers.max_forwards().is_ok()
        && headers
            .vias()
            .is_ok_and(|vias| vias.iter().all(|via| via.version == "2.0"));
    if !(singles && fits && readable) {
        return Some(400);
    }
    let shaped = headers.contact_is_star() || headers.contacts().is_ok();
    let routes = headers.addresses(&HeaderName::Route, "Route").is_ok();
    if !(shaped && routes) {
        return Some(400);
    }
    match request.target() {
        Err(_) => Some(400),
        Ok(uri) if matches!(uri.scheme, crate::msg::Scheme::Other(_)) => Some(416),
        Ok(uri) if uri.headers.is_some() => Some(400),
        Ok(_) => None,
    }
}

/// Options the request requires that we do not know.
pub(super) fn unknown_options(core: &Core, request: &Request) -> Vec<Bytes> {
    if matches!(request.method, Method::Ack | Method::Cancel) {
        return Vec::new();
    }
    let required = request.headers.tokens(&HeaderName::Require);
    let known = |tag: &Bytes| match &tag.to_ascii_lowercase()[..] {
        b"timer" => core.supports_timer(),
        b"100rel" => core.config.prack,
        b"replaces" | b"norefersub" => true,
        _ => false,
    };
    required.into_iter().filter(|tag| !known(tag)).collect()
}

/// True when the peer's Accept leaves no room for the description we would answer with.
pub(super) fn refuses_sdp(request: &Request) -> bool {
    if request.headers.get(&HeaderName::Accept).is_none() {
        return false;
    }
    let ranges = request
        .headers
        .list(&HeaderName::Accept, "Accept")
        .unwrap_or_default();
    let fits = ["application/sdp", "application/*", "*/*"];
    !ranges.iter().any(|range| {
        let end = range.iter().position(|b| *b == b';').unwrap_or(range.len());
        fits.iter().any(|name| {
            range[..end]
                .trim_ascii()
                .eq_ignore_ascii_case(name.as_bytes())
        })
    })
}

/// Joins tokens for Unsupported.
pub(super) fn join(tokens: &[Bytes]) -> Bytes {
    Bytes::from(tokens.join(&b", "[..]))
}

/// True for the User-Agent of a known scanner.
pub(super) fn is_scanner(core: &Core, request: &Request) -> bool {
    let Some(agent) = request.headers.get(&HeaderName::UserAgent) else {
        return false;
    };
    let agent = String::from_utf8_lossy(agent).to_lowercase();
    core.config
        .scanners
        .iter()
        .any(|name| agent.contains(&name.to_lowercase()))
}
