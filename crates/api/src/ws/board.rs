//! `/ws/supervisor`: the board.

use super::limits::Close;
use super::projection::Projection;
use super::session::{Heard, Session};
use super::wire::{ClientMessage, Resume, ServerMessage, Topic};
use crate::ApiState;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::seat;
use axum::extract::ws::WebSocket;
use center::view::BoardDelta;
use domain::ids::AgentId;
use std::sync::Arc;
use tokio::sync::broadcast::{self, error::RecvError};
use uuid::Uuid;

/// Serves one supervisor's socket to its end.
pub(super) async fn serve(state: ApiState, caller: Caller, socket: WebSocket) {
    let Ok(session) = Session::open(&state, &caller, socket) else {
        return;
    };
    let mut watch = Watch {
        projection: Projection::of(&caller),
        session,
        deltas: None,
        seen: 0,
        caller,
        seat: None,
    };
    let close = watch.run().await.err().unwrap_or_else(Close::gone);
    if let Some((agent, turn)) = watch.seat {
        seat::over(state, agent, turn, close.is_signed_out());
    }
    watch.session.close(close).await;
}

struct Watch {
    session: Session,
    projection: Projection,
    /// Ticks of the board, once the client asked for them.
    deltas: Option<broadcast::Receiver<Arc<BoardDelta>>>,
    /// Last `seq` sent.
    seen: u64,
    caller: Caller,
    /// The leg this socket spoke for, and its turn.
    seat: Option<(AgentId, u64)>,
}

/// The next tick, or never while nobody asked.
async fn tick(
    deltas: &mut Option<broadcast::Receiver<Arc<BoardDelta>>>,
) -> Result<Arc<BoardDelta>, RecvError> {
    match deltas {
        Some(deltas) => deltas.recv().await,
        None => std::future::pending().await,
    }
}

impl Watch {
    async fn run(&mut self) -> Result<(), Close> {
        loop {
            tokio::select! {
                delta = tick(&mut self.deltas) => self.ticked(delta).await?,
                heard = self.session.next() => self.heard(heard?).await?,
            }
        }
    }

    async fn heard(&mut self, heard: Heard) -> Result<(), Close> {
        let Heard::Message(message) = heard else {
            return Ok(());
        };
        match message {
            ClientMessage::Ping { n } => self.session.send(&ServerMessage::Pong {
                n,
                now: self.session.state.now().0,
            }),
            ClientMessage::Sub { topics, resume } if topics.contains(&Topic::Board) => {
                self.subscribe(resume).await
            }
            ClientMessage::Rtc { leg, sdp } => self.offered(leg, sdp).await,
            // A supervisor has no card to have drawn.
            ClientMessage::Sub { .. } | ClientMessage::Ack { .. } => Ok(()),
        }
    }

    /// The browser offers to be the phone with which he joins calls.
    async fn offered(&mut self, leg: Uuid, offer: String) -> Result<(), Close> {
        let answer = self.answer(offer).await;
        let (sdp, refused) = match answer {
            Ok(sdp) => (Some(sdp), None),
            Err(problem) => (None, Some(problem.code().to_owned())),
        };
        let leg = leg.to_string();
        self.session.send(&ServerMessage::Rtc { leg, sdp, refused })
    }

    async fn answer(&mut self, offer: String) -> Result<String, Problem> {
        let state = self.session.state.clone();
        let agent = seat::of(&state, &self.caller).await?;
        let sdp = state.center.supervisor_leg(agent, offer).await?;
        self.seat = Some((agent, state.seats.take(agent)));
        Ok(sdp)
    }

    async fn subscribe(&mut self, resume: Option<Resume>) -> Result<(), Close> {
        let state = self.session.state.clone();
        // First the stream, then the state: no tick falls between them.
        self.deltas = Some(state.center.board_deltas());
        let Some(resume) = resume else {
            return self.snapshot().await;
        };
        let from = resume.board.filter(|_| resume.boot == state.boot);
        if let Some(seq) = from
            && self.projection.whole()
            && self.missed(seq)?
        {
            return Ok(());
        }
        self.gap().await
    }

    /// Sends what was missed after `seq`; false when it is no longer kept.
    fn missed(&mut self, seq: u64) -> Result<bool, Close> {
        let Some(kept) = self.session.state.center.board_since(seq) else {
            return Ok(false);
        };
        self.seen = seq;
        for delta in kept {
            self.pass(&delta)?;
        }
        Ok(true)
    }

    async fn gap(&mut self) -> Result<(), Close> {
        self.session.send(&ServerMessage::Gap {
            topic: Topic::Board,
        })?;
        self.snapshot().await
    }

    async fn snapshot(&mut self) -> Result<(), Close> {
        let state = self.session.state.clone();
        let mut board = state.center.board().await;
        self.projection
            .cut(&state, &mut board.data)
            .await
            .map_err(|_| Close::later("unavailable"))?;
        self.seen = board.seq;
        self.session.outbox.text(board.message().to_string())
    }

    async fn ticked(&mut self, delta: Result<Arc<BoardDelta>, RecvError>) -> Result<(), Close> {
        match delta {
            Ok(delta) if delta.seq <= self.seen => Ok(()),
            Ok(delta) if delta.seq == self.seen + 1 => self.pass(&delta),
            Ok(_) | Err(RecvError::Lagged(_)) => {
                if self.projection.whole() && self.missed(self.seen)? {
                    return Ok(());
                }
                self.gap().await
            }
            Err(RecvError::Closed) => Err(Close::stopping()),
        }
    }

    fn pass(&mut self, delta: &BoardDelta) -> Result<(), Close> {
        self.seen = delta.seq;
        let body = self.projection.project(&delta.body);
        self.session.outbox.text(body)
    }
}
