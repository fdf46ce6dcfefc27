//! Events as server-sent events. The store is read by cursor; the bus only says that there is more,
//! so that a lost message costs a moment and never an event.

use super::events::may_see;
use crate::ApiState;
use crate::auth::{Caller, entitled};
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
use tokio::time::Instant;

/// Where a client that comes back says what it has seen.
pub(super) const LAST_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Events read at once.
const BATCH: u32 = 200;
/// Longest wait for a word of the bus before the store is asked anyway; so often the caller's right is
/// checked again too, however much there is to say, ms.
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
    /// When the caller's right is checked next.
    check_at: Instant,
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
        check_at: Instant::now() + Duration::from_millis(LOOK_EVERY_MS),
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
            if *self.stop.borrow() || !self.stays().await {
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

    /// Waits until there may be more; `false` when the caller has signed out or the server ends.
    async fn wait(&mut self) -> bool {
        tokio::select! {
            word = self.words.recv() => !matches!(word, Err(broadcast::error::RecvError::Closed)),
            kick = self.kicks.recv() => self.unkicked(kick.map_err(|_| ())),
            stops = self.stop.changed() => stops.is_ok(),
            () = tokio::time::sleep_until(self.check_at) => true,
        }
    }

    /// Whether a sign-out was another's; when some were missed the store is asked next.
    fn unkicked(&mut self, kick: Result<SessionId, ()>) -> bool {
        if kick.is_err() {
            self.check_at = Instant::now();
        }
        kick.ok()
            .is_none_or(|ended| Some(ended) != self.caller.session)
    }

    /// Whether the caller may still read: every sign-out is heard before the next event, and the
    /// store is asked every few seconds.
    async fn stays(&mut self) -> bool {
        use broadcast::error::TryRecvError;
        loop {
            match self.kicks.try_recv() {
                Ok(ended) if !self.unkicked(Ok(ended)) => return false,
                Err(TryRecvError::Lagged(_)) => self.check_at = Instant::now(),
                Ok(_) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        if Instant::now() < self.check_at {
            return true;
        }
        self.check_at = Instant::now() + Duration::from_millis(LOOK_EVERY_MS);
        entitled(&self.state, &self.caller).await.unwrap_or(false)
    }
}
