//! Idempotency keys: the reply to a write is kept 24 h by user and key, and a repeat gets it again, on whichever
//! node it comes in. The key is taken in the database before the work begins.

use super::layers::is_streamed;
use crate::ApiState;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::state::BODY_MAX_BYTES;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::ports::store::{IdempotentReply, IdempotentTaken};
use futures::FutureExt as _;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longest key, characters.
const KEY_MAX: usize = 128;
/// Replies that hold a secret shown once: a secret is not kept.
const NOT_KEPT: &[&str] = &[
    "/api/v1/sessions",
    "/api/v1/me",
    "/api/v1/ws-tickets",
    "/api/v1/api-keys",
    "/api/v1/users",
    "/api/v1/agents",
];
/// A question, not a write: nothing to keep, and its reply names people.
const QUESTION: &str = "/api/v1/debtors/search";
/// Files larger than other bodies, whose rows count once by themselves.
const FILES: &str = "/api/v1/bank-files";
/// Below those, commands whose replies hold no secret.
const STATE_COMMAND: &str = "/state";

/// Keys whose first request runs now, on this node.
#[derive(Debug, Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashSet<(String, String)>>>);

/// A key that is taken until this is dropped.
struct Taken {
    all: InFlight,
    key: (String, String),
}

impl InFlight {
    fn take(&self, user: &str, key: &str) -> Option<Taken> {
        let key = (user.to_owned(), key.to_owned());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(key.clone()).then(|| Taken {
            all: self.clone(),
            key,
        })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&self.key);
    }
}

fn applies(request: &Request) -> bool {
    let path = request.uri().path();
    let under = |root: &str| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let secret = NOT_KEPT.iter().any(|root| under(root)) && !path.ends_with(STATE_COMMAND);
    let writes = matches!(
        *request.method(),
        Method::POST | Method::PUT | Method::PATCH | Method::DELETE
    );
    writes && !secret && path != QUESTION && !under(FILES) && !is_streamed(path)
}

fn key_of(request: &Request) -> Result<Option<String>, Problem> {
    let mut all = request.headers().get_all(KEY).iter();
    let Some(first) = all.next() else {
        return Ok(None);
    };
    let text = first.to_str().unwrap_or("");
    let good = (1..=KEY_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if good && all.next().is_none() {
        return Ok(Some(text.to_owned()));
    }
    Err(Problem::bad_request(
        "bad_request",
        "Idempotency-Key: expected one value of 1 to 128 visible ASCII characters",
    ))
}

/// The layer; the gate has run before it.
pub(super) async fn layer(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Caller>().map(Caller::keeper);
    let Some(user) = caller.filter(|_| applies(&request)) else {
        return next.run(request).await;
    };
    match key_of(&request) {
        Ok(None) => next.run(request).await,
        Ok(Some(key)) => once(state, user, key, request, next)
            .await
            .unwrap_or_else(IntoResponse::into_response),
        Err(problem) => problem.into_response(),
    }
}

async fn once(
    state: ApiState,
    user: String,
    key: String,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_MAX_BYTES).await.map_err(|_| {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("a body may have {BODY_MAX_BYTES} bytes and has to come whole"),
        )
    })?;
    let mut hash = Sha256::new();
    for part in [parts.method.as_str(), &parts.uri.to_string()] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(&body);
    let request_hash = hex::encode(hash.finalize());

    let taken = state.in_flight.take(&user, &key).ok_or_else(in_flight)?;
    let request = Request::from_parts(parts, Body::from(body));
    let claim = Claim {
        state,
        user,
        key,
        request_hash,
    };
    // A task of its own from the taking of the key on: a caller who goes away, or is sent away for the time it
    // takes, leaves no key behind that nobody works for, and finds the kept reply when he repeats.
    let work = tokio::spawn(async move {
        let _taken = taken;
        claim.work(request, next).await
    });
    match work.await {
        Ok(response) => response,
        // As without a key: the layer outside turns the panic into a reply.
        Err(fault) if fault.is_panic() => std::panic::resume_unwind(fault.into_panic()),
        Err(_) => Err(Problem::unavailable("the server stops")),
    }
}

fn in_flight() -> Problem {
    Problem::conflict(
        "idempotency_in_flight",
        "the first request with this Idempotency-Key has not been answered yet",
    )
}

/// A request and the key that it asks for.
struct Claim {
    state: ApiState,
    user: String,
    key: String,
    request_hash: String,
}

impl Claim {
    /// The kept reply, or the work and its reply.
    async fn work(self, request: Request, next: Next) -> Result<Response, Problem> {
        let (state, user, key) = (&self.state, &self.user, &self.key);
        let asked = state
            .store
            .idempotent_take(user, key, &self.request_hash, state.now());
        match asked.await? {
            IdempotentTaken::Yours => {}
            IdempotentTaken::Running => return Err(in_flight()),
            IdempotentTaken::Done(kept) if kept.request_hash == self.request_hash => {
                return Ok(replay(kept));
            }
            IdempotentTaken::Done(_) => {
                return Err(Problem::conflict(
                    "idempotency_mismatch",
                    "this Idempotency-Key was used for another method, path or body",
                ));
            }
        }
        match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(response) => Ok(keep(state, user, key, self.request_hash.clone(), response).await),
            // Let go here: the caller may have left.
            Err(panic) => {
                let_go(state, user, key).await;
                std::panic::resume_unwind(panic)
            }
        }
    }
}

/// The work came to nothing: whoever repeats does it.
async fn let_go(state: &ApiState, user: &str, key: &str) {
    if let Err(error) = state.store.idempotent_drop(user, key).await {
        // A repeat waits until the key counts as a dead request's.
        tracing::warn!(%error, "an idempotency key could not be let go");
    }
}

async fn keep(
    state: &ApiState,
    user: &str,
    key: &str,
    request_hash: String,
    response: Response,
) -> Response {
    if response.status().is_server_error() {
        let_go(state, user, key).await;
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_MAX_BYTES).await else {
        let_go(state, user, key).await;
        return Problem::internal().into_response();
    };
    if let Ok(body) = String::from_utf8(bytes.to_vec()) {
        let reply = IdempotentReply {
            status: parts.status.as_u16(),
            body,
            request_hash,
        };
        let kept = state
            .store
            .idempotent_put(user, key, &reply, state.now())
            .await;
        if let Err(error) = kept {
            // The work is done; only a repeat would not know.
            tracing::warn!(%error, "a reply could not be kept for its idempotency key");
        }
    } else {
        let_go(state, user, key).await;
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn replay(kept: IdempotentReply) -> Response {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    let kind = if status.is_client_error() {
        "application/problem+json"
    } else {
        "application/json"
    };
    let empty = kept.body.is_empty();
    let mut response = (status, kept.body).into_response();
    let headers = response.headers_mut();
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    if empty {
        headers.remove(header::CONTENT_TYPE);
    } else {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, path: &str) -> Request {
        Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .expect("a request")
    }

    #[test]
    fn where_it_applies() {
        for (method, path, expected) in [
            (Method::POST, "/api/v1/payments", true),
            (Method::PATCH, "/api/v1/campaigns/1", true),
            (Method::GET, "/api/v1/payments", false),
            (Method::POST, "/api/v1/imports", false),
            (Method::POST, "/api/v1/imports/detect", false),
            (Method::POST, "/api/v1/users", false),
            (Method::POST, "/api/v1/sessions/refresh", false),
            (Method::POST, "/api/v1/agents/me/state", true),
            (Method::POST, "/api/v1/debtors/search", false),
            (Method::POST, "/api/v1/mexico", true),
        ] {
            assert_eq!(applies(&request(method, path)), expected, "{path}");
        }
    }

    #[test]
    fn a_key_is_taken_once_at_a_time() {
        let all = InFlight::default();
        let first = all.take("u", "k");
        assert!(first.is_some() && all.take("u", "k").is_none());
        assert!(all.take("v", "k").is_some());
        drop(first);
        assert!(all.take("u", "k").is_some());
    }
}
