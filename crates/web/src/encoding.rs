//! Which of the stored encodings a browser takes (RFC 9110 section 12.5.3).

use axum::http::{HeaderMap, header};

/// A stored form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Brotli, file name ends in `.br`.
    Brotli,
    /// Gzip, file name ends in `.gz`.
    Gzip,
}

impl Encoding {
    /// In the order of preference: smallest first.
    pub(crate) const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// The token of `Content-Encoding`.
    pub(crate) const fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The end of the stored file's name.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }
}

/// True when `Accept-Encoding` names the encoding (or `*`) with a weight above zero.
pub(crate) fn accepts(headers: &HeaderMap, encoding: Encoding) -> bool {
    let weight = |name: &str| {
        headers
            .get_all(header::ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .find_map(|item| {
                let (token, parameters) = item.split_once(';').unwrap_or((item, ""));
                token
                    .trim()
                    .eq_ignore_ascii_case(name)
                    .then(|| quality(parameters))
            })
    };
    weight(encoding.token())
        .or_else(|| weight("*"))
        .is_some_and(|q| q > 0.0)
}

fn quality(parameters: &str) -> f32 {
    parameters
        .split(';')
        .filter_map(|p| p.trim().strip_prefix("q="))
        .find_map(|q| q.trim().parse().ok())
        .unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::{Encoding, accepts};
    use axum::http::{HeaderMap, HeaderValue, header};

    fn takes(value: &'static str, encoding: Encoding) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
        accepts(&headers, encoding)
    }

    #[test]
    fn weights_decide() {
        assert!(takes("gzip, deflate, br", Encoding::Brotli));
        assert!(takes("GZIP;q=0.5", Encoding::Gzip));
        assert!(!takes("br;q=0, *", Encoding::Brotli));
        assert!(takes("br;q=0, *", Encoding::Gzip));
        assert!(!takes("identity", Encoding::Gzip));
        assert!(!accepts(&HeaderMap::new(), Encoding::Brotli));
    }
}
