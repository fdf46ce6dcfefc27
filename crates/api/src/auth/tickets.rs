//! Websocket tickets: single use, 30 s, for the peer address that asked (faults.md promise 18).

use super::guard::{Caller, Source};
use crate::problem::Problem;
use crate::state::{TICKET_LIFE_MS, TICKETS_MAX};
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::SessionId;
use domain::time::UtcMs;
use serde::Serialize;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What a ticket stands for.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub(crate) caller: Caller,
    source: IpAddr,
    expires_at: UtcMs,
}

/// Open tickets of this node.
#[derive(Debug, Default)]
pub(crate) struct Tickets(Mutex<HashMap<String, Ticket>>);

impl Tickets {
    /// Makes one.
    fn issue(&self, caller: Caller, source: IpAddr, now: UtcMs) -> (String, UtcMs) {
        let secret: [u8; 24] = rand::random();
        let name = URL_SAFE_NO_PAD.encode(secret);
        let expires_at = now.plus_ms(TICKET_LIFE_MS);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= TICKETS_MAX {
            open.retain(|_, t| now < t.expires_at);
        }
        if open.len() >= TICKETS_MAX {
            let oldest = open.iter().min_by_key(|(_, t)| t.expires_at);
            if let Some(key) = oldest.map(|(k, _)| k.clone()) {
                open.remove(&key);
            }
        }
        open.insert(
            name.clone(),
            Ticket {
                caller,
                source,
                expires_at,
            },
        );
        (name, expires_at)
    }

    /// Takes back those of a session that has ended.
    pub(crate) fn forget(&self, session: SessionId) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, t| t.caller.session != Some(session));
    }

    /// Takes one: it is gone afterwards, also when it was presented from elsewhere or late.
    pub(crate) fn take(&self, name: &str, source: IpAddr, now: UtcMs) -> Option<Ticket> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = open.remove(name)?;
        (ticket.source == source && now < ticket.expires_at).then_some(ticket)
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TicketReply {
    /// Goes as `?ticket=`.
    ticket: String,
    #[schema(value_type = doc::Instant)]
    expires_at: UtcMs,
}

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(create))
}

/// A ticket for one websocket.
#[utoipa::path(post, path = "/ws-tickets", tag = "sign-in", responses((status = 201, body = TicketReply)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Source(source): Source,
) -> Result<(StatusCode, Json<TicketReply>), Problem> {
    if caller.key.is_some() {
        return Err(Problem::forbidden("websockets are for signed-in people"));
    }
    let (ticket, expires_at) = state.tickets.issue(caller, source, state.now());
    Ok((
        StatusCode::CREATED,
        Json(TicketReply { ticket, expires_at }),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::entity::Role;
    use domain::ids::UserId;

    fn caller() -> Caller {
        Caller {
            user: UserId(uuid::Uuid::from_u128(1)),
            role: Role::Agent,
            client: None,
            agent: None,
            session: None,
            key: None,
        }
    }

    #[test]
    fn single_use_in_time_from_the_same_place() {
        let tickets = Tickets::default();
        let here: IpAddr = "10.0.0.1".parse().expect("ip");
        let there: IpAddr = "10.0.0.2".parse().expect("ip");
        let now = UtcMs(0);
        let (name, end) = tickets.issue(caller(), here, now);
        assert!(tickets.take(&name, here, now).is_some());
        assert!(tickets.take(&name, here, now).is_none());
        let (name, _) = tickets.issue(caller(), here, now);
        assert!(tickets.take(&name, there, now).is_none());
        assert!(tickets.take(&name, here, now).is_none(), "burnt");
        let (name, _) = tickets.issue(caller(), here, now);
        assert!(tickets.take(&name, here, end).is_none());
    }

    #[test]
    fn gone_with_their_session() {
        let tickets = Tickets::default();
        let here: IpAddr = "10.0.0.1".parse().expect("ip");
        let session = SessionId(uuid::Uuid::from_u128(7));
        let own = Caller {
            session: Some(session),
            ..caller()
        };
        let (gone, _) = tickets.issue(own, here, UtcMs(0));
        let (kept, _) = tickets.issue(caller(), here, UtcMs(0));
        tickets.forget(session);
        assert!(tickets.take(&gone, here, UtcMs(0)).is_none());
        assert!(tickets.take(&kept, here, UtcMs(0)).is_some());
    }

    #[test]
    fn bounded() {
        let tickets = Tickets::default();
        let here: IpAddr = "10.0.0.1".parse().expect("ip");
        for at in 0..TICKETS_MAX + 10 {
            let at = i64::try_from(at).expect("small");
            tickets.issue(caller(), here, UtcMs(at));
        }
        assert_eq!(tickets.0.lock().expect("lock").len(), TICKETS_MAX);
    }
}
