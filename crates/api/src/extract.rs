//! Extractors that answer with problem+json: bodies, queries, ids.

use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

/// A JSON body of shape `T`. Unknown fields are refused by `T` itself (`deny_unknown_fields`).
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

fn is_json(request: &Request) -> bool {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.split(';').next())
        .is_some_and(|v| v.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads a body into memory within the limit.
pub(crate) fn body_problem(rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("a body may have {} bytes", crate::BODY_MAX_BYTES),
        )
    } else {
        Problem::bad_request("bad_request", "the body could not be read")
    }
}

/// Whether JSON text holds an escaped U+0000, which PostgreSQL keeps in no text.
fn has_nul(bytes: &[u8]) -> bool {
    bytes.windows(6).enumerate().any(|(at, six)| {
        let escaped = || {
            bytes[..at]
                .iter()
                .rev()
                .take_while(|b| **b == b'\\')
                .count()
                % 2
                == 1
        };
        six == b"\\u0000" && !escaped()
    })
}

/// Reads `T` from JSON text; says the path of the wrong place.
pub(crate) fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if has_nul(bytes) {
        return Err(Problem::invalid(
            "body",
            "a text holds U+0000, which no value may",
        ));
    }
    let mut de = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut de).map_err(|e| {
        let path = e.path().to_string();
        let inner = e.into_inner();
        let reason = inner.to_string();
        if inner.is_data() {
            // serde names line and column; the path is what a caller needs.
            let reason = reason.split(" at line ").next().unwrap_or(&reason);
            Problem::invalid(&path, reason)
        } else {
            Problem::bad_request("bad_json", format!("not JSON: {reason}"))
        }
    })?;
    de.end()
        .map_err(|e| Problem::bad_request("bad_json", format!("not one JSON value: {e}")))?;
    Ok(value)
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(&request) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "send Content-Type: application/json",
            ));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|r| body_problem(&r))?;
        read_json(&bytes).map(Self)
    }
}

/// Why something is taken back.
#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhyBody {
    /// Goes to the audit; without personal data.
    reason: String,
}

impl WhyBody {
    /// The reason, checked.
    pub(crate) fn reason(&self) -> Result<String, Problem> {
        crate::check::text("reason", &self.reason, crate::check::TEXT_MAX)
    }
}

/// A reason where none has to be given: no body, or one of shape `WhyBody`.
#[derive(Debug)]
pub(crate) struct Why(pub(crate) Option<String>);

impl<S: Send + Sync> FromRequest<S> for Why {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let json = is_json(&request);
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|r| body_problem(&r))?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        if !json {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "send Content-Type: application/json",
            ));
        }
        let body: WhyBody = read_json(&bytes)?;
        let reason = crate::check::text("reason", &body.reason, crate::check::TEXT_MAX)?;
        Ok(Self(Some(reason)))
    }
}

/// A query string of shape `T`.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if parts.uri.query().is_some_and(|q| q.contains("%00")) {
            return Err(Problem::bad_request(
                "bad_query",
                "query: U+0000 is in no value",
            ));
        }
        Query::try_from_uri(&parts.uri)
            .map(|Query(value)| Self(value))
            .map_err(|e| {
                let text = e.to_string();
                let reason = text.split(": ").skip(1).collect::<Vec<_>>().join(": ");
                Problem::bad_request("bad_query", format!("query: {reason}"))
            })
    }
}

/// The id in the path; what is no UUID is no such thing.
#[derive(Debug)]
pub(crate) struct Id<T>(pub(crate) T);

impl<S: Send + Sync, T: From<uuid::Uuid>> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found("resource"))?;
        uuid::Uuid::parse_str(&text)
            .map(|id| Self(T::from(id)))
            .map_err(|_| Problem::not_found("resource (an id is a UUID)"))
    }
}
