//! Errors as problem+json (RFC 9457) with stable codes.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use center::CenterError;
use domain::ValueError;
use domain::ports::{BlobError, StoreError, TrunkError};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Namespace of the `type` member; the page need not exist (RFC 9457 §3.1.1).
const TYPE_BASE: &str = "https://marcador.dev/problems/";
/// Seconds a caller is asked to wait when a part is out of reach.
const RETRY_AFTER_S: u64 = 2;

/// One error reply.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

/// Boxed, so that a `Result` with it stays small.
#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<Value>,
    retry_after_s: Option<u64>,
    extra: Map<String, Value>,
}

/// The shape of an error body, for the OpenAPI document.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// `https://marcador.dev/problems/<code>`.
    r#type: String,
    /// Short title, the same for every problem of the code.
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// What is wrong and what would be right.
    detail: String,
    /// Stable code.
    code: &'static str,
    /// Names this one reply; the server's log has it for 5xx.
    id: uuid::Uuid,
    /// One entry a wrong place: `{"path","reason"}`, for a segment text `{"column","reason"}`.
    errors: Vec<Value>,
    /// Members of single codes.
    #[serde(flatten)]
    #[schema(ignore)]
    extra: Map<String, Value>,
}

impl Problem {
    /// Any problem.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s: None,
            extra: Map::new(),
        }))
    }

    pub(crate) fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "sign in, or send a valid token in the Authorization header",
        )
    }

    pub(crate) fn bad_credentials() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "bad_credentials",
            "user name, password or second factor is wrong",
        )
    }

    /// Wrong guesses have to wait `wait_ms` more.
    pub(crate) fn too_many_attempts(wait_ms: i64) -> Self {
        let seconds = u64::try_from(wait_ms).unwrap_or(0).div_ceil(1_000);
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_attempts",
            "too many wrong guesses: wait before the next one",
        )
        .retry_after(seconds)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("no such {what}"),
        )
    }

    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// A value that does not fit.
    pub(crate) fn invalid(path: &str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            format!("{path}: {reason}"),
        )
        .at(path, &reason)
    }

    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(RETRY_AFTER_S)
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "an error on our side; the id is in the server's log",
        )
    }

    /// Names a wrong place.
    pub(crate) fn at(mut self, path: &str, reason: &str) -> Self {
        self.0.errors.push(json!({"path": path, "reason": reason}));
        self
    }

    /// The same with its reason in both languages.
    pub(crate) fn at_both(mut self, path: &str, (es, en): (&str, &str)) -> Self {
        self.0
            .errors
            .push(json!({"path": path, "reason": en, "reason_es": es}));
        self
    }

    /// Names a wrong column of a text.
    pub(crate) fn at_column(mut self, column: usize, (es, en): (&str, &str)) -> Self {
        self.0
            .errors
            .push(json!({"column": column, "reason": en, "reason_es": es}));
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// Adds a member of its own.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.0.extra.insert(name.to_owned(), value);
        self
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        self.0.code
    }
}

fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let this = *self.0;
        let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
        if this.status.is_server_error() {
            tracing::warn!(problem = %id, code = this.code, detail = %this.detail, "request failed");
        }
        // What went wrong inside stays in the log: callers get the code and the id.
        let detail = if this.status == StatusCode::INTERNAL_SERVER_ERROR {
            "an error on our side; the id is in the server's log".to_owned()
        } else {
            this.detail
        };
        let body = ProblemBody {
            r#type: format!("{TYPE_BASE}{}", this.code),
            title: title(this.status),
            status: this.status.as_u16(),
            detail,
            code: this.code,
            id,
            errors: this.errors,
            extra: this.extra,
        };
        let mut response = (this.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = this.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if this.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(what) => Self::not_found(what),
            StoreError::Conflict(detail) => Self::conflict("conflict", detail),
            StoreError::Fenced => Self::unavailable("this node has been replaced"),
            StoreError::Unavailable(reason) => {
                tracing::warn!(%reason, "database unavailable");
                Self::unavailable("the database is out of reach")
            }
            StoreError::Corrupt(reason) => {
                tracing::error!(%reason, "stored data unreadable");
                Self::internal()
            }
        }
    }
}

impl From<ValueError> for Problem {
    fn from(error: ValueError) -> Self {
        let path = match &error {
            ValueError::UnknownName { kind, .. } | ValueError::Malformed { kind, .. } => *kind,
        };
        Self::invalid(path, error.to_string())
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::NotFound(_) => Self::not_found("recording file"),
            BlobError::BadKey(_) => Self::internal(),
            BlobError::Damaged(reason) => {
                tracing::error!(%reason, "recording damaged");
                Self::conflict("recording_damaged", reason)
            }
            BlobError::Io(reason) => {
                tracing::warn!(%reason, "object store unavailable");
                Self::unavailable("the recordings are out of reach")
            }
        }
    }
}

impl From<CenterError> for Problem {
    fn from(error: CenterError) -> Self {
        let status =
            StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match error {
            CenterError::Store(inner) => inner.into(),
            CenterError::Blocked { code, es, en } => {
                Self::new(status, code, en.clone()).with("reason", json!({"es": es, "en": en}))
            }
            CenterError::Unlawful {
                code,
                es,
                en,
                rules,
            } => Self::new(status, code, en.clone())
                .with("reason", json!({"es": es, "en": en}))
                .with("rules", json!(rules)),
            CenterError::Invalid {
                code,
                field,
                detail,
            } => Self::new(status, code, format!("{field}: {detail}")).at(field, &detail),
            CenterError::Trunk(fault) => {
                let code = match fault {
                    TrunkError::NoPhone => "no_phone",
                    TrunkError::BadOffer => "bad_offer",
                    TrunkError::TrunkDown => "trunk_down",
                    TrunkError::Limit(_) => "limit_reached",
                    TrunkError::Refused(_) => "number_refused",
                    TrunkError::Gone | TrunkError::Late => "wrong_state",
                };
                Self::new(status, code, fault.to_string())
            }
            other if status == StatusCode::SERVICE_UNAVAILABLE => {
                Self::unavailable(other.to_string())
            }
            other => Self::new(status, other.code(), other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_center_refuses_has_the_codes_of_the_contract() {
        for (error, status, code) in [
            (CenterError::Trunk(TrunkError::NoPhone), 409, "no_phone"),
            (CenterError::Trunk(TrunkError::TrunkDown), 409, "trunk_down"),
            (
                CenterError::Trunk(TrunkError::Limit("channels")),
                409,
                "limit_reached",
            ),
            (CenterError::Trunk(TrunkError::Gone), 409, "wrong_state"),
            (CenterError::Stopped, 503, "unavailable"),
            (CenterError::Overloaded(8), 503, "unavailable"),
            (CenterError::NotFound("campaign"), 404, "not_found"),
            (
                CenterError::Store(StoreError::Unavailable("x".into())),
                503,
                "unavailable",
            ),
        ] {
            let problem = Problem::from(error);
            assert_eq!((problem.0.status.as_u16(), problem.code()), (status, code));
        }
    }

    #[test]
    fn what_went_wrong_inside_stays_inside() {
        let reply = Problem::from(StoreError::Corrupt("row 7 of users".into())).into_response();
        assert_eq!(reply.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let busy = Problem::unavailable("x").into_response();
        assert_eq!(busy.headers()[header::RETRY_AFTER], "2");
        let nobody = Problem::unauthenticated().into_response();
        assert_eq!(nobody.headers()[header::WWW_AUTHENTICATE], "Bearer");
    }
}
