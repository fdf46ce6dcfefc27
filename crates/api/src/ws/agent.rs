//! `/ws/agent`: state, card and its ack of one agent.

use super::limits::{Close, SILENT};
use super::session::{Heard, Session};
use super::wire::{ClientMessage, Resume, ServerMessage, Topic};
use crate::ApiState;
use crate::auth::Caller;
use axum::extract::ws::WebSocket;
use center::{CenterError, DeskLink, DeskMessage};
use domain::ids::AgentId;
use std::future::Future;
use tokio::time::Instant;

/// Serves one agent's socket to its end.
pub(super) async fn serve(state: ApiState, caller: Caller, agent: AgentId, socket: WebSocket) {
    // The older socket of the same agent ends by this.
    let link = state.desk.register(agent);
    let generation = link.generation;
    let Ok(session) = Session::open(&state, &caller, socket) else {
        state.desk.unregister(agent, generation);
        return;
    };
    let mut seat = Seat {
        session,
        link,
        agent,
        subscribed: false,
        up: true,
    };
    let close = seat.run().await.err().unwrap_or_else(Close::gone);
    // Whoever took over keeps the link.
    if state.desk.unregister(agent, generation) {
        state.center.agent_link(agent, false);
    }
    seat.session.close(close).await;
}

struct Seat {
    session: Session,
    link: DeskLink,
    agent: AgentId,
    /// Whether the client asked for `me`; before, the snapshot to come makes deltas void.
    subscribed: bool,
    /// Whether the engine counts the link as good.
    up: bool,
}

impl Seat {
    async fn run(&mut self) -> Result<(), Close> {
        let center = self.session.state.center.clone();
        let agent = self.agent;
        self.forwarding(async move { center.agent_in(agent).await })
            .await?
            .map_err(refused)?;
        loop {
            tokio::select! {
                biased;
                message = self.link.messages.recv() => self.forward(message)?,
                heard = self.session.next() => self.heard(heard?).await?,
            }
        }
    }

    /// Waits for an answer of the engine while its messages go on to the client.
    async fn forwarding<F: Future>(&mut self, answer: F) -> Result<F::Output, Close> {
        tokio::pin!(answer);
        loop {
            tokio::select! {
                biased;
                message = self.link.messages.recv() => self.forward(message)?,
                output = &mut answer => return Ok(output),
            }
        }
    }

    fn forward(&self, message: Option<DeskMessage>) -> Result<(), Close> {
        let message = message.ok_or_else(Close::taken_over)?;
        if self.subscribed || message.written.is_some() {
            self.session.outbox.desk(message)?;
        }
        Ok(())
    }

    async fn heard(&mut self, heard: Heard) -> Result<(), Close> {
        let state = self.session.state.clone();
        match heard {
            Heard::Tick => self.watch_silence(),
            Heard::RoundTrip(ms) => state.center.agent_rtt(self.agent, ms),
            Heard::Message(message) => {
                if !self.up {
                    self.up = true;
                    state.center.agent_link(self.agent, true);
                }
                self.message(&state, message).await?;
            }
        }
        Ok(())
    }

    fn watch_silence(&mut self) {
        let silence = Instant::now().saturating_duration_since(self.session.heard);
        if self.up && silence >= SILENT {
            self.up = false;
            self.session.state.center.agent_link(self.agent, false);
        }
    }

    async fn message(&mut self, state: &ApiState, message: ClientMessage) -> Result<(), Close> {
        match message {
            ClientMessage::Ping { n } => self.session.send(&ServerMessage::Pong {
                n,
                now: state.now().0,
            }),
            ClientMessage::Ack { attempt } => {
                let (center, agent) = (state.center.clone(), self.agent);
                self.forwarding(async move { center.card_acked(agent, attempt).await })
                    .await
            }
            ClientMessage::Sub { topics, resume } if topics.contains(&Topic::Me) => {
                self.subscribe(state, resume).await
            }
            ClientMessage::Sub { .. } => Ok(()),
        }
    }

    async fn subscribe(&mut self, state: &ApiState, resume: Option<Resume>) -> Result<(), Close> {
        // What is older than the snapshot would only look like a hole to the client.
        while let Ok(message) = self.link.messages.try_recv() {
            if message.written.is_some() {
                self.session.outbox.desk(message)?;
            }
        }
        self.subscribed = true;
        if resume.is_some_and(|r| r.boot != state.boot) {
            self.session
                .send(&ServerMessage::Gap { topic: Topic::Me })?;
        }
        let from = resume.filter(|r| r.boot == state.boot).and_then(|r| r.me);
        let (center, agent) = (state.center.clone(), self.agent);
        self.forwarding(async move { center.sub_me(agent, from).await })
            .await?
            .map_err(refused)
    }
}

fn refused(error: CenterError) -> Close {
    match error {
        CenterError::Stopped => Close::stopping(),
        CenterError::NotFound(what) => Close::bad_message(format!("no such {what}")),
        other => {
            tracing::warn!(code = other.code(), "agent's socket refused by the engine");
            Close::later(other.code())
        }
    }
}
