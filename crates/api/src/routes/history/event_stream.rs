//! Events as server-sent events. The store is read by cursor; the bus only says that there is more,
//! so that a lost message costs a moment and never an event.

use super::events::may_see;
use crate::ApiState;
use crate::auth::Caller;
use crate::problem::Problem;
use axum::http::HeaderName;
use axum::response::sse::{Event as Sse, KeepAlive};
use axum::response::{IntoResponse, Response, Sse as Reply};
use domain::event::Event;
use domain::ids::SessionId;
use futures::stream;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};

/// Where a client that comes back says what it has seen.
pub(super) const LAST_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Events read at once.
const BATCH: u32 = 200;
/// Longest wait for a word of the bus before the store is asked anyway, and the caller's right
/// checked again, ms.
const LOOK_EVERY_MS: u64 = 5_000;
/// Silence after which a comment keeps proxies from closing, s.
const KEEP_ALIVE_S: u64 = 15;

struct Feed {
    state: ApiState,
    caller: Caller,
    at: i64,
    ready: VecDeque<Event>,
    words: broadcast::Receiver<Event>,
    kicks: broadcast::Receiver<SessionId>,
    stop: watch::Receiver<bool>,
    _turn: OwnedSemaphorePermit,
}

/// Opens the stream.
pub(super) fn open(state: ApiState, caller: Caller, after: i64) -> Result<Response, Problem> {
    let turn = std::sync::Arc::clone(&state.streams)
        .try_acquire_owned()
        .map_err(|_| Problem::unavailable("too many streams are open"))?;
    let feed = Feed {
        words: state.bus.subscribe(),
        kicks: state.kicks.subscribe(),
        stop: state.stop.subscribe(),
        at: after,
        ready: VecDeque::new(),
        state,
        caller,
        _turn: turn,
    };
    let events = stream::unfold(feed, |mut feed| async move {
        let event = feed.next().await?;
        Some((Ok::<_, Infallible>(message(&event)), feed))
    });
    let beat = KeepAlive::new().interval(Duration::from_secs(KEEP_ALIVE_S));
    Ok(Reply::new(events).keep_alive(beat).into_response())
}

fn message(event: &Event) -> Sse {
    let text = serde_json::to_string(event).unwrap_or_default();
    Sse::default()
        .id(event.cursor.to_string())
        .event(&event.event.kind)
        .data(text)
}

impl Feed {
    /// The next event the caller may see; `None` when the stream has to end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if *self.stop.borrow() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let batch = match self.state.store.events_after(self.at, BATCH).await {
                Ok(batch) => batch,
                Err(error) => {
                    // The client comes back with Last-Event-ID.
                    tracing::warn!(%error, "event stream ended: the store is out of reach");
                    return None;
                }
            };
            if let Some(last) = batch.last() {
                self.at = last.cursor;
                let caller = &self.caller;
                self.ready = batch.into_iter().filter(|e| may_see(caller, e)).collect();
            } else if !self.wait().await {
                return None;
            }
        }
    }

    /// Waits until there may be more; `false` when the caller has lost his right.
    async fn wait(&mut self) -> bool {
        let pause = tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS));
        tokio::select! {
            word = self.words.recv() => !matches!(word, Err(broadcast::error::RecvError::Closed)),
            kick = self.kicks.recv() => match kick {
                Ok(session) => Some(session) != self.caller.session,
                // Too many sign-outs at once to see each: ask the store.
                Err(_) => self.still_may().await,
            },
            stops = self.stop.changed() => stops.is_ok(),
            () = pause => self.still_may().await,
        }
    }

    async fn still_may(&self) -> bool {
        let store = &self.state.store;
        match (self.caller.session, self.caller.key) {
            (Some(session), _) => store
                .session_alive(session, self.state.now())
                .await
                .unwrap_or(false),
            (None, Some(key)) => store
                .list_api_keys()
                .await
                .is_ok_and(|all| all.iter().any(|k| k.id == key && k.revoked_at.is_none())),
            (None, None) => false,
        }
    }
}
