//! One message out of one buffer (RFC 3261 §7, §18.3).

use bytes::Bytes;

use super::{Flaw, Header, HeaderName, Headers, Message, Method, Request, Response};
use crate::SipError;
use crate::header::lex::{bare, is_token, piece, trim};
use crate::limits::{MAX_HEADERS, MAX_MESSAGE};

/// Parses the message in one datagram. Empty lines before it are skipped; octets after the body
/// that Content-Length names are dropped; without Content-Length the body is all that is left.
///
/// # Errors
/// When not even a start line and headers can be read. Lesser faults are the message's `flaw`.
pub fn parse_datagram(data: &Bytes) -> Result<Message, SipError> {
    if data.len() > MAX_MESSAGE {
        return Err(SipError::TooLong(data.len()));
    }
    let start = data
        .iter()
        .position(|b| *b != b'\r' && *b != b'\n')
        .ok_or(SipError::Truncated)?;
    let data = data.slice(start..);
    let head = parse_head(&data)?;
    let rest = data.slice(head.length..);
    let (body, flaw) = match content_length(&head.headers) {
        Ok(None) => (rest, head.flaw),
        Ok(Some(length)) if length <= rest.len() => (rest.slice(..length), head.flaw),
        Ok(Some(_)) => (
            rest,
            Some(Flaw::Bad(SipError::ContentLength(
                "longer than the datagram",
            ))),
        ),
        Err(error) => (rest, Some(Flaw::Bad(error))),
    };
    head.start.into_message(head.headers, body, flaw)
}

/// Start line and headers of a message, and how many octets they took.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) start: Start,
    pub(super) headers: Headers,
    pub(super) flaw: Option<Flaw>,
    pub(super) length: usize,
}

/// A start line.
#[derive(Debug)]
pub(super) enum Start {
    Request { method: Method, uri: Bytes },
    Response { code: u16, phrase: Bytes },
}

impl Start {
    pub(super) fn into_message(
        self,
        headers: Headers,
        body: Bytes,
        flaw: Option<Flaw>,
    ) -> Result<Message, SipError> {
        Ok(match self {
            Start::Request { method, uri } => Message::Request(Request {
                method,
                uri,
                headers,
                body,
                flaw,
            }),
            Start::Response { code, phrase } => Message::Response(Response {
                code,
                phrase,
                headers,
                body,
                flaw,
            }),
        })
    }
}

/// The value of Content-Length; several fields must agree.
pub(super) fn content_length(headers: &Headers) -> Result<Option<usize>, SipError> {
    let mut found = None;
    for value in headers.all(&HeaderName::ContentLength) {
        let text = std::str::from_utf8(value).unwrap_or("");
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(SipError::ContentLength("not a number"));
        }
        let length: usize = text
            .parse()
            .map_err(|_| SipError::ContentLength("too large"))?;
        if found.is_some_and(|other| other != length) {
            return Err(SipError::ContentLength("given twice, differently"));
        }
        found = Some(length);
    }
    Ok(found)
}

/// Parses from the start line through the empty line.
pub(super) fn parse_head(data: &Bytes) -> Result<Head, SipError> {
    let (line, mut at) = next_line(data, 0).ok_or(SipError::Truncated)?;
    let (start, mut flaw) = parse_start(&data.slice(line))?;
    let mut fields: Vec<Header> = Vec::with_capacity(16);
    let mut number = 1;
    loop {
        let (line, next) = next_line(data, at).ok_or(SipError::Truncated)?;
        at = next;
        number += 1;
        let raw = &data[line];
        if raw.is_empty() {
            break;
        }
        if raw[0] == b' ' || raw[0] == b'\t' {
            match fields.last_mut() {
                Some(last) => last.value = unfold(&last.value, &data.slice_ref(raw)),
                None => flaw = flaw.or(Some(Flaw::Bad(SipError::HeaderLine(number)))),
            }
            continue;
        }
        match split_field(data, raw) {
            Some(field) if fields.len() < MAX_HEADERS => fields.push(field),
            Some(_) => return Err(SipError::TooManyHeaders),
            None => flaw = flaw.or(Some(Flaw::Bad(SipError::HeaderLine(number)))),
        }
    }
    Ok(Head {
        start,
        headers: fields.into_iter().collect(),
        flaw,
        length: at,
    })
}

/// The range of the line at `at` without its end, and where the next one starts. A lone LF ends a
/// line too; deployed phones send it.
fn next_line(data: &[u8], at: usize) -> Option<(std::ops::Range<usize>, usize)> {
    let end = at + data.get(at..)?.iter().position(|b| *b == b'\n')?;
    let cut = if end > at && data[end - 1] == b'\r' {
        end - 1
    } else {
        end
    };
    Some((at..cut, end + 1))
}

fn unfold(value: &Bytes, more: &Bytes) -> Bytes {
    let more = trim(more);
    if value.is_empty() || more.is_empty() {
        return if value.is_empty() {
            more
        } else {
            value.clone()
        };
    }
    let mut joined = Vec::with_capacity(value.len() + more.len() + 1);
    joined.extend_from_slice(value);
    joined.push(b' ');
    joined.extend_from_slice(&more);
    Bytes::from(joined)
}

/// The field in `line`, which is part of `data`.
fn split_field(data: &Bytes, line: &[u8]) -> Option<Header> {
    let colon = line.iter().position(|b| *b == b':')?;
    let name = bare(&line[..colon]);
    if !is_token(name) {
        return None;
    }
    let known = HeaderName::known_token(name);
    Some(Header {
        name: known.unwrap_or_else(|| HeaderName::Other(data.slice_ref(name))),
        value: data.slice_ref(bare(&line[colon + 1..])),
    })
}

fn parse_start(line: &Bytes) -> Result<(Start, Option<Flaw>), SipError> {
    if line.len() >= 8 && line[..8].eq_ignore_ascii_case(b"SIP/2.0 ") {
        return parse_status(line);
    }
    let first = line
        .iter()
        .position(|b| *b == b' ')
        .ok_or(SipError::StartLine("no space"))?;
    let method = line.slice(..first);
    if !is_token(&method) {
        return Err(SipError::StartLine("method is not a token"));
    }
    if method.len() >= 4 && method[..4].eq_ignore_ascii_case(b"SIP/") {
        return Err(SipError::StartLine("response of another version"));
    }
    let rest = piece(line, first + 1..);
    let last = rest
        .iter()
        .rposition(|b| *b == b' ')
        .ok_or(SipError::StartLine("no version"))?;
    let version = rest.slice(last + 1..);
    let uri = rest.slice(..last);
    let spaced = rest.len() != line.len() - first - 1 || uri.iter().any(|b| b" \t".contains(b));
    let flaw = if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        if version.len() < 4 || !version[..4].eq_ignore_ascii_case(b"SIP/") {
            return Err(SipError::StartLine("not the SIP protocol"));
        }
        Some(Flaw::Version)
    } else if spaced {
        Some(Flaw::Bad(SipError::StartLine("stray spaces")))
    } else {
        None
    };
    Ok((
        Start::Request {
            method: Method::from_token(method),
            uri: trim(&uri),
        },
        flaw,
    ))
}

fn parse_status(line: &Bytes) -> Result<(Start, Option<Flaw>), SipError> {
    let rest = line.slice(8..);
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let code = std::str::from_utf8(&rest[..digits])
        .ok()
        .and_then(|text| text.parse().ok());
    let code: u16 = code.ok_or(SipError::StartLine("status code is not a number"))?;
    if digits != 3 || !(100..700).contains(&code) {
        return Err(SipError::StartLine("status code out of range"));
    }
    let phrase = match rest.get(3) {
        None => Bytes::new(),
        Some(b' ') => rest.slice(4..),
        Some(_) => return Err(SipError::StartLine("no space after the status code")),
    };
    Ok((Start::Response { code, phrase }, None))
}
