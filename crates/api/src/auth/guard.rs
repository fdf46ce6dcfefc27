//! The one gate in front of every route.

use super::entitled::maker_may;
use super::roles::{Access, is_listed, lookup};
use super::token;
use crate::ApiState;
use crate::http::UNKNOWN_PATH;
use crate::problem::Problem;
use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::entity::Role;
use domain::ids::{AgentId, ApiKeyId, ClientId, SessionId, UserId};
use sha2::{Digest, Sha256};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Prefix of API keys.
pub(crate) const KEY_PREFIX: &str = "mk_";

/// Who asks; made by the guard only.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: UserId,
    pub(crate) role: Role,
    /// The only client whose rows he may see; `None` = all of the installation.
    pub(crate) client: Option<ClientId>,
    pub(crate) agent: Option<AgentId>,
    pub(crate) session: Option<SessionId>,
    pub(crate) key: Option<ApiKeyId>,
}

impl Caller {
    /// `actor` of events.
    pub(crate) fn actor(&self) -> String {
        match (self.agent, self.key) {
            // A supervisor's seat is only what he joins calls with.
            (Some(agent), _) if self.role == Role::Agent => format!("agent:{agent}"),
            (_, Some(key)) => format!("key:{key}"),
            (_, None) => format!("user:{}", self.user),
        }
    }

    /// Who asks, as the center names him.
    pub(crate) fn asks_as(&self) -> center::Actor {
        match self.agent {
            Some(agent) if self.role == Role::Agent => center::Actor::Agent(agent),
            _ => center::Actor::User(self.user),
        }
    }

    /// Under whose name idempotency keys are kept.
    pub(crate) fn keeper(&self) -> String {
        match self.key {
            Some(key) => format!("key:{key}"),
            None => format!("user:{}", self.user),
        }
    }

    /// The caller's agent.
    pub(crate) fn agent(&self) -> Result<AgentId, Problem> {
        self.agent
            .ok_or_else(|| Problem::forbidden("this login belongs to no agent"))
    }

    /// The client to list: the asked one, narrowed to the caller's own.
    pub(crate) fn narrow(&self, asked: Option<ClientId>) -> Result<Option<ClientId>, Problem> {
        match (self.client, asked) {
            (Some(own), Some(asked)) if own != asked => {
                Err(Problem::forbidden("another client's data"))
            }
            (Some(own), _) => Ok(Some(own)),
            (None, asked) => Ok(asked),
        }
    }

    /// Lets only callers through who are not limited to a client: the thing is the installation's.
    pub(crate) fn of_the_house(&self) -> Result<(), Problem> {
        match self.client {
            Some(_) => Err(Problem::forbidden("this login is limited to one client")),
            None => Ok(()),
        }
    }

    /// The owner of a new row: the caller's own client, or the one named.
    pub(crate) fn may_write(&self, client: ClientId) -> Result<(), Problem> {
        match self.client {
            Some(own) if own != client => Err(Problem::forbidden("another client's data")),
            _ => Ok(()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(Problem::unauthenticated)
    }
}

/// Where a request comes from: the peer, or what a listed proxy says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source(pub(crate) IpAddr);

impl FromRequestParts<ApiState> for Source {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(
        parts: &mut Parts,
        state: &ApiState,
    ) -> Result<Self, Self::Rejection> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(a)| a.ip());
        let proxies = &state.config.trusted_proxies;
        Ok(Self(source_of(peer, proxies, &parts.headers)))
    }
}

fn source_of(peer: IpAddr, proxies: &[IpAddr], headers: &HeaderMap) -> IpAddr {
    if !proxies.contains(&peer) {
        return peer;
    }
    headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .filter_map(|v| v.trim().parse::<IpAddr>().ok())
        .rfind(|ip| !proxies.contains(ip))
        .unwrap_or(peer)
}

/// Whether a request's `Origin`, when it has one, is the server's own or a listed one.
pub(crate) fn origin_ok(headers: &HeaderMap, listed: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let own = headers
        .get(header::HOST)
        .and_then(|h| h.to_str().ok())
        .is_some_and(|host| {
            origin
                .strip_prefix("https://")
                .or_else(|| origin.strip_prefix("http://"))
                == Some(host)
        });
    own || listed.iter().any(|known| known == origin)
}

pub(crate) fn bad_origin() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "bad_origin",
        "the Origin of this request is not one of ours",
    )
}

async fn caller_of(state: &ApiState, headers: &HeaderMap) -> Result<(Caller, bool), Problem> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.strip_prefix("Bearer "))
        .map(str::trim)
        .ok_or_else(Problem::unauthenticated)?;
    if token.starts_with(KEY_PREFIX) {
        let hash = hex::encode(Sha256::digest(token.as_bytes()));
        let key = state.store.api_key_by_hash(&hash).await?;
        let key = key.ok_or_else(Problem::unauthenticated)?;
        let maker = state.store.get_user(key.user_id).await;
        if !maker.is_ok_and(|user| maker_may(&user, &key)) {
            return Err(Problem::unauthenticated());
        }
        let caller = Caller {
            user: key.user_id,
            role: key.role,
            client: key.client_id,
            agent: None,
            session: None,
            key: Some(key.id),
        };
        return Ok((caller, false));
    }
    let now = state.now();
    let claims =
        token::verify(&state.config.secrets, token, now).ok_or_else(Problem::unauthenticated)?;
    let alive = state.sessions.alive(&*state.store, &claims, now).await?;
    if !alive {
        return Err(Problem::unauthenticated());
    }
    let caller = Caller {
        user: claims.sub,
        role: claims.role,
        client: claims.client,
        agent: claims.agent,
        session: Some(claims.sid),
        key: None,
    };
    Ok((caller, claims.enrol))
}

async fn check(state: &ApiState, request: &mut Request) -> Result<(), Problem> {
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if writes && !origin_ok(request.headers(), &state.config.origins) {
        return Err(bad_origin());
    }
    let path = request.extensions().get::<MatchedPath>();
    let path = path.map_or("", MatchedPath::as_str);
    let access = lookup(request.method(), path);
    if access == Some(Access::Public) || path == UNKNOWN_PATH {
        return Ok(());
    }
    if access.is_none() && is_listed(path) {
        return Err(Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            format!("this address has no {}", request.method()),
        ));
    }
    let (caller, enrol) = caller_of(state, request.headers()).await?;
    // A route that the table does not name is closed to all.
    let access = access.ok_or_else(|| Problem::forbidden("no role may use this route"))?;
    if enrol && !matches!(access, Access::Enrolling) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "enrol_second_factor",
            "set a second factor first: POST /api/v1/me/totp",
        ));
    }
    if !access.permits(caller.role) {
        return Err(Problem::forbidden(format!(
            "role {} may not do this",
            caller.role
        )));
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

/// The gate as a middleware.
pub(crate) async fn guard(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Response {
    match check(&state, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| {
                let name = axum::http::HeaderName::from_static(k);
                (name, HeaderValue::from_static(v))
            })
            .collect()
    }

    #[test]
    fn origins() {
        let own = headers(&[("origin", "https://m.example"), ("host", "m.example")]);
        let foreign = headers(&[("origin", "https://evil.example"), ("host", "m.example")]);
        let null = headers(&[("origin", "null"), ("host", "m.example")]);
        assert!(origin_ok(&own, &[]));
        assert!(origin_ok(&headers(&[("host", "m.example")]), &[]));
        assert!(!origin_ok(&foreign, &[]));
        assert!(!origin_ok(&null, &[]));
        assert!(origin_ok(&foreign, &["https://evil.example".to_owned()]));
    }

    #[test]
    fn forwarded_only_from_listed_proxies() {
        let peer: IpAddr = "10.0.0.1".parse().expect("ip");
        let told = headers(&[("x-forwarded-for", "1.2.3.4, 5.6.7.8")]);
        assert_eq!(source_of(peer, &[], &told), peer);
        let believed = source_of(peer, &[peer], &told);
        assert_eq!(believed.to_string(), "5.6.7.8");
    }
}
