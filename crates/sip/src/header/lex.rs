//! Lexical pieces of header values (RFC 3261 §25.1).

use std::slice::SliceIndex;

use bytes::Bytes;

use crate::limits::MAX_VALUES;

/// True for an octet of a token.
pub(crate) fn is_token_byte(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&octet)
}

/// True for a token of at least one octet.
pub(crate) fn is_token(raw: &[u8]) -> bool {
    !raw.is_empty() && raw.iter().all(|b| is_token_byte(*b))
}

/// Without white space at both ends.
pub(crate) fn trim(raw: &Bytes) -> Bytes {
    piece(raw, ..)
}

/// A piece without white space at both ends: one share of the octets, however they are cut.
pub(crate) fn piece(raw: &Bytes, range: impl SliceIndex<[u8], Output = [u8]>) -> Bytes {
    raw.slice_ref(bare(&raw[range]))
}

/// Octets without white space at both ends.
pub(crate) fn bare(raw: &[u8]) -> &[u8] {
    let blank = |b: &u8| matches!(*b, b' ' | b'\t' | b'\r' | b'\n');
    let start = raw.iter().position(|b| !blank(b)).unwrap_or(raw.len());
    let end = raw
        .iter()
        .rposition(|b| !blank(b))
        .map_or(start, |at| at + 1);
    &raw[start..end]
}

/// Splits at `at` outside quotes and angle brackets. None when a quote stays open.
pub(crate) fn split_outside(raw: &Bytes, at: u8) -> Option<Vec<Bytes>> {
    let mut parts = Vec::new();
    let mut start = 0;
    let closed = outside(raw, at, |index| {
        if parts.len() < MAX_VALUES {
            parts.push(piece(raw, start..index));
            start = index + 1;
        }
    });
    if !closed {
        return None;
    }
    parts.push(piece(raw, start..));
    Some(parts)
}

/// The first of the parts of [`split_outside`], without a list of all.
pub(crate) fn first_outside(raw: &Bytes, at: u8) -> Option<Bytes> {
    let mut end = None;
    let closed = outside(raw, at, |index| {
        end.get_or_insert(index);
    });
    closed.then(|| piece(raw, ..end.unwrap_or(raw.len())))
}

/// Tells each `at` outside quotes and angle brackets; whether no quote stays open.
fn outside(raw: &[u8], at: u8, mut tell: impl FnMut(usize)) -> bool {
    let mut quoted = false;
    let mut escaped = false;
    let mut depth = false;
    for (index, octet) in raw.iter().enumerate() {
        if escaped {
            escaped = false;
        } else if quoted {
            match octet {
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
        } else if *octet == b'"' {
            quoted = true;
        } else if *octet == b'<' {
            depth = true;
        } else if *octet == b'>' {
            depth = false;
        } else if *octet == at && !depth {
            tell(index);
        }
    }
    !quoted
}

/// Where the quoted string that starts at 0 ends (index after the closing quote).
pub(crate) fn quoted_end(raw: &[u8]) -> Option<usize> {
    let mut escaped = false;
    for (index, octet) in raw.iter().enumerate().skip(1) {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(index + 1),
            _ => {}
        }
    }
    None
}

/// The content of a quoted string, backslashes resolved; anything else as it is.
pub(crate) fn unquote(raw: &Bytes) -> Bytes {
    if raw.len() < 2 || raw[0] != b'"' || raw[raw.len() - 1] != b'"' {
        return raw.clone();
    }
    let inner = raw.slice(1..raw.len() - 1);
    if !inner.contains(&b'\\') {
        return inner;
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut escaped = false;
    for octet in &inner {
        if *octet == b'\\' && !escaped {
            escaped = true;
        } else {
            out.push(*octet);
            escaped = false;
        }
    }
    Bytes::from(out)
}

/// A quoted string around octets; quotes and backslashes escaped, control characters dropped.
pub(crate) fn quote(raw: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(raw.len() + 2);
    out.push(b'"');
    for octet in raw.iter().filter(|b| !b.is_ascii_control()) {
        if *octet == b'"' || *octet == b'\\' {
            out.push(b'\\');
        }
        out.push(*octet);
    }
    out.push(b'"');
    Bytes::from(out)
}

/// A decimal number of at most `max`.
pub(crate) fn number(raw: &[u8], max: u64) -> Option<u64> {
    let text = std::str::from_utf8(raw).ok()?;
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|value| *value <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_is_that_of_the_list() {
        for raw in [
            "",
            "a",
            " a ; b",
            ";b",
            "<a;b>;c",
            r#""a;\";b" ; c;d"#,
            r#""a;b"#,
            r#"a;"b"#,
            "<a;b",
        ] {
            let raw = Bytes::copy_from_slice(raw.as_bytes());
            let list = split_outside(&raw, b';');
            let first = list.and_then(|parts| parts.into_iter().next());
            assert_eq!(first_outside(&raw, b';'), first, "{raw:?}");
        }
    }
}
