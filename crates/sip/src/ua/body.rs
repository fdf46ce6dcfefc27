//! The session description in a message, alone or as one part of several.

use bytes::Bytes;

use crate::msg::{HeaderName, Headers};

/// Most parts of a multipart body that are looked at.
const MAX_PARTS: usize = 16;

/// What a body holds.
pub(super) enum Body {
    /// Nothing.
    Empty,
    /// A session description.
    Sdp(Bytes),
    /// Something we do not read.
    Foreign,
}

/// Finds the session description.
pub(super) fn read(headers: &Headers, body: &Bytes) -> Body {
    if body.is_empty() {
        return Body::Empty;
    }
    let encoded = headers
        .get(&HeaderName::ContentEncoding)
        .is_some_and(|value| !value.eq_ignore_ascii_case(b"identity"));
    if encoded {
        return Body::Foreign;
    }
    match headers.content_type() {
        Ok(Some(kind)) if kind.is_sdp() => Body::Sdp(body.clone()),
        Ok(Some(kind)) if kind.is_multipart() => {
            let boundary = kind.params.text("boundary").unwrap_or_default();
            multipart(body, boundary.as_bytes()).map_or(Body::Foreign, Body::Sdp)
        }
        // Some trunks leave Content-Type out of a 183; SDP is easy to tell.
        Ok(None) if body.starts_with(b"v=0") => Body::Sdp(body.clone()),
        _ => Body::Foreign,
    }
}

/// The description of a response or ACK, None when there is none.
pub(super) fn sdp(headers: &Headers, body: &Bytes) -> Option<Bytes> {
    match read(headers, body) {
        Body::Sdp(sdp) => Some(sdp),
        _ => None,
    }
}

fn multipart(body: &Bytes, boundary: &[u8]) -> Option<Bytes> {
    if boundary.is_empty() || boundary.len() > 70 {
        return None;
    }
    let mut mark = b"--".to_vec();
    mark.extend_from_slice(boundary);
    let mut at = find(body, &mark, 0)? + mark.len();
    for _ in 0..MAX_PARTS {
        let end = find(body, &mark, at)?;
        if let Some(sdp) = part(&body.slice(at..end)) {
            return Some(sdp);
        }
        at = end + mark.len();
    }
    None
}

/// The content of one part when it is SDP.
fn part(raw: &Bytes) -> Option<Bytes> {
    let (head_end, skip) = match find(raw, b"\r\n\r\n", 0) {
        Some(at) => (at, 4),
        None => (find(raw, b"\n\n", 0)?, 2),
    };
    let head = raw[..head_end].to_ascii_lowercase();
    find(&head, b"application/sdp", 0)?;
    let content = raw.slice(head_end + skip..);
    let cut = content
        .strip_suffix(b"\r\n")
        .or(content.strip_suffix(b"\n"));
    let length = cut.map_or(content.len(), <[u8]>::len);
    Some(content.slice(..length))
}

fn find(data: &[u8], what: &[u8], from: usize) -> Option<usize> {
    let tail = data.get(from..)?;
    tail.windows(what.len())
        .position(|window| window == what)
        .map(|at| from + at)
}
