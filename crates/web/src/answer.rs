//! From a path to a response: file, screen, 304, 404, 405 or 503, each with the security headers.

use crate::Screens;
use crate::encoding::{Encoding, accepts};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::EmbeddedFile;

/// Scripts only from here; no frame around the screens; sockets to this host (TLS elsewhere too).
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     media-src 'self' blob:; connect-src 'self' wss:; frame-ancestors 'none'; base-uri 'self'; \
     form-action 'self'; object-src 'none'";

/// One year, in seconds: names of assets carry a hash of their content.
const FOREVER: &str = "public, max-age=31536000, immutable";

const INDEX: &str = "index.html";

/// The whole behaviour of the fallback; pure, so tests need no socket.
pub(crate) fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Response {
    let mut response = if *method == Method::GET || *method == Method::HEAD {
        choose(path.trim_start_matches('/'), headers)
    } else if foreign(path.trim_start_matches('/')) {
        missing()
    } else {
        let mut refused = StatusCode::METHOD_NOT_ALLOWED.into_response();
        refused
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        refused
    };
    secure(response.headers_mut());
    if *method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

/// Paths of the API and the sockets: a wrong one is an error, never a page.
fn foreign(path: &str) -> bool {
    path == "api" || path.starts_with("api/") || path.starts_with("ws")
}

fn choose(path: &str, headers: &HeaderMap) -> Response {
    if foreign(path) {
        return missing();
    }
    if Screens::get(INDEX).is_none() {
        let said = "this binary was built without its screens (MARCADOR_UI=off)\n";
        return (StatusCode::SERVICE_UNAVAILABLE, said).into_response();
    }
    let stored = Encoding::ALL.iter().any(|e| path.ends_with(e.suffix()));
    if !stored && path != INDEX && Screens::get(path).is_some() {
        return file(path, headers);
    }
    if stored || path.starts_with("assets/") {
        return missing();
    }
    file(INDEX, headers)
}

fn file(path: &str, headers: &HeaderMap) -> Response {
    let encoded = Encoding::ALL.into_iter().find_map(|encoding| {
        let wanted = accepts(headers, encoding);
        wanted
            .then(|| Screens::get(&format!("{path}{}", encoding.suffix())))?
            .map(|f| (f, Some(encoding)))
    });
    let Some((found, encoding)) = encoded.or_else(|| Screens::get(path).map(|f| (f, None))) else {
        return missing();
    };
    let tag = tag(&found);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| {
            v.split(',')
                .any(|t| t.trim().trim_start_matches("W/") == tag)
        });
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(found.data).into_response()
    };
    let out = response.headers_mut();
    let cache = if path.starts_with("assets/") {
        FOREVER
    } else {
        "no-cache"
    };
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(value) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, value);
    }
    if let Ok(value) = HeaderValue::from_str(&kind(path)) {
        out.insert(header::CONTENT_TYPE, value);
    }
    if let Some(encoding) = encoding {
        out.insert(
            header::CONTENT_ENCODING,
            HeaderValue::from_static(encoding.token()),
        );
    }
    response
}

/// The first 16 bytes of the content's SHA-256 in hex, quoted (RFC 9110 section 8.8.3).
fn tag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let hex: String = hash
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}

fn kind(path: &str) -> String {
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    if mime.type_() == mime_guess::mime::TEXT {
        format!("{mime}; charset=utf-8")
    } else {
        mime.to_string()
    }
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, "not found\n").into_response()
}

fn secure(headers: &mut HeaderMap) {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(
        "permissions-policy",
        HeaderValue::from_static("microphone=(self), camera=(), geolocation=()"),
    );
    headers.insert(
        "cross-origin-opener-policy",
        HeaderValue::from_static("same-origin"),
    );
}
