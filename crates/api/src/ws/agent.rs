//! `/ws/agent`: state, card and its ack of one agent.

use super::limits::{Close, SILENT};
use super::session::{Heard, Session};
use super::wire::{ClientMessage, Resume, ServerMessage, Topic};
use crate::ApiState;
use crate::auth::Caller;
use crate::problem::Problem;
use axum::extract::ws::WebSocket;
use center::{CenterError, DeskLink, DeskMessage};
use domain::ids::AgentId;
use serde::Deserialize;
use std::future::Future;
use tokio::time::Instant;
use uuid::Uuid;

/// Messages held back while the engine answers a `sub`; more would mean that it does not answer.
const HELD_MAX: usize = 1_024;

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
    /// Whether no silence has been told since the client's last word.
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
                self.up = true;
                state.center.agent_link(self.agent, true);
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
            ClientMessage::Rtc { leg, sdp } => self.offered(state, leg, sdp).await,
            ClientMessage::Sub { topics, resume } if topics.contains(&Topic::Me) => {
                self.subscribe(state, resume).await
            }
            ClientMessage::Sub { .. } => Ok(()),
        }
    }

    /// The browser offers to be the phone.
    async fn offered(&mut self, state: &ApiState, leg: Uuid, offer: String) -> Result<(), Close> {
        let (center, agent) = (state.center.clone(), self.agent);
        let answer = self
            .forwarding(async move { center.browser_leg(agent, offer).await })
            .await?;
        let (sdp, refused) = match answer {
            Ok(sdp) => (Some(sdp), None),
            Err(CenterError::Stopped) => return Err(Close::stopping()),
            Err(error) => (None, Some(Problem::from(error).code().to_owned())),
        };
        let leg = leg.to_string();
        self.session.send(&ServerMessage::Rtc { leg, sdp, refused })
    }

    /// Asks the engine for the topic. What it told before its answer is in the answer again, so it is
    /// left out: to the client it would look like a hole.
    async fn subscribe(&mut self, state: &ApiState, resume: Option<Resume>) -> Result<(), Close> {
        if resume.is_some_and(|r| r.boot != state.boot) {
            self.session
                .send(&ServerMessage::Gap { topic: Topic::Me })?;
        }
        let from = resume.filter(|r| r.boot == state.boot).and_then(|r| r.me);
        let (center, agent) = (state.center.clone(), self.agent);
        let mut held = Vec::new();
        let answer = async move { center.sub_me(agent, from).await };
        tokio::pin!(answer);
        let answer = loop {
            tokio::select! {
                biased;
                message = self.link.messages.recv() => self.hold(message, &mut held)?,
                answer = &mut answer => break answer,
            }
        };
        answer.map_err(refused)?;
        // The engine tells before it answers: all of it waits here by now.
        while let Ok(message) = self.link.messages.try_recv() {
            self.hold(Some(message), &mut held)?;
        }
        self.subscribed = true;
        let start = answer_starts(&held, from);
        for message in held.into_iter().skip(start) {
            self.session.outbox.desk(message)?;
        }
        Ok(())
    }

    /// Keeps a message back; a card goes on at once.
    fn hold(&self, message: Option<DeskMessage>, held: &mut Vec<DeskMessage>) -> Result<(), Close> {
        let message = message.ok_or_else(Close::taken_over)?;
        if message.written.is_some() {
            return self.session.outbox.desk(message);
        }
        if held.len() >= HELD_MAX {
            return Err(Close::slow());
        }
        held.push(message);
        Ok(())
    }
}

/// What a message is and its place.
#[derive(Deserialize)]
struct Head {
    t: String,
    seq: Option<u64>,
}

/// Where the engine's answer to `sub` begins among what it told: at its snapshot, or at the first
/// missed delta, which may have been told before too.
fn answer_starts(held: &[DeskMessage], from: Option<u64>) -> usize {
    let heads: Vec<Option<Head>> = held
        .iter()
        .map(|m| serde_json::from_str(&m.body).ok())
        .collect();
    let last = |fits: &dyn Fn(&Head) -> bool| {
        heads
            .iter()
            .rposition(|head| head.as_ref().is_some_and(fits))
    };
    if let Some(snap) = last(&|h| h.t == "snap") {
        let gap = snap.checked_sub(1).and_then(|at| heads.get(at)?.as_ref());
        return snap - usize::from(gap.is_some_and(|h| h.t == "gap"));
    }
    let first = from.map(|seq| seq + 1);
    last(&|h| h.t == "d" && h.seq == first).unwrap_or(0)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bodies: &[&str]) -> Vec<DeskMessage> {
        let message = |body: &&str| DeskMessage {
            body: (*body).into(),
            written: None,
        };
        bodies.iter().map(message).collect()
    }

    #[test]
    fn the_answer_is_found_among_what_was_told() {
        let d = |seq: u64| format!(r#"{{"t":"d","topic":"me","seq":{seq}}}"#);
        let (d3, d4, d5) = (d(3), d(4), d(5));
        let snap = r#"{"t":"snap","topic":"me","seq":5}"#;
        let gap = r#"{"t":"gap","topic":"me"}"#;
        let pop = r#"{"t":"pop"}"#;
        for (bodies, from, start) in [
            (vec![d5.as_str(), snap, pop], None, 1),
            (vec![d4.as_str(), d5.as_str(), gap, snap, pop], Some(1), 2),
            (
                vec![d4.as_str(), d3.as_str(), d4.as_str(), d5.as_str()],
                Some(2),
                1,
            ),
            (vec![d3.as_str(), d3.as_str()], Some(2), 1),
            (vec![pop], Some(5), 0),
            (vec![], None, 0),
        ] {
            assert_eq!(answer_starts(&told(&bodies), from), start, "{bodies:?}");
        }
    }
}
