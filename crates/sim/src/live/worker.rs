//! An agent who only works: takes every call, disposes after his wrap-up, is ready again.

use super::people::Street;
use crate::clock::VirtualClock;
use center::{Actor, CenterHandle, DeskHub, DeskMessage, DisposeAsk, StateAsk};
use domain::ids::{AgentId, AttemptId};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// The screen's ping.
const PING: Duration = Duration::from_secs(4);
/// Wait before what was refused is asked again.
const AGAIN: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    Ready,
    Dispose(AttemptId, bool),
}

/// One agent.
pub(super) struct Worker {
    id: AgentId,
    handle: CenterHandle,
    hub: Arc<DeskHub>,
    clock: Arc<VirtualClock>,
    street: Street,
    over: watch::Receiver<bool>,
    state: String,
    attempt: Option<AttemptId>,
    next: Option<(Instant, Act)>,
}

impl Worker {
    pub(super) fn new(
        id: AgentId,
        handle: &CenterHandle,
        hub: &Arc<DeskHub>,
        clock: &Arc<VirtualClock>,
        street: &Street,
        over: watch::Receiver<bool>,
    ) -> Self {
        Self {
            id,
            handle: handle.clone(),
            hub: Arc::clone(hub),
            clock: Arc::clone(clock),
            street: street.clone(),
            over,
            state: String::new(),
            attempt: None,
            next: None,
        }
    }

    /// Works until the shift is over.
    pub(super) async fn work(mut self) {
        let mut link = self.hub.register(self.id);
        if self.handle.agent_in(self.id).await.is_err() {
            return;
        }
        let _ = self.handle.sub_me(self.id, None).await;
        let mut ping = tokio::time::interval(PING);
        let mut over = self.over.clone();
        loop {
            let due = self.next.map(|(at, _)| at);
            let idle = async {
                match due {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = over.changed() => return,
                message = link.messages.recv() => match message {
                    Some(message) => self.read(message),
                    None => return,
                },
                () = idle => self.act().await,
                _ = ping.tick() => {
                    self.handle.agent_link(self.id, true);
                    self.handle.agent_rtt(self.id, 40);
                }
            }
        }
    }

    fn read(&mut self, message: DeskMessage) {
        let body = serde_json::from_str::<Value>(&message.body);
        message.mark_written(&*self.clock);
        let Ok(body) = body else {
            return;
        };
        if !matches!(body.get("t").and_then(Value::as_str), Some("snap" | "d")) {
            return;
        }
        let Some(data) = body.get("data") else {
            return;
        };
        if let Some(attempt) = data.get("attempt") {
            let id = attempt.get("id").and_then(Value::as_str);
            self.attempt = id.and_then(|id| id.parse().ok()).or(self.attempt);
        }
        let Some(state) = data.get("state").and_then(Value::as_str) else {
            return;
        };
        if state != self.state {
            state.clone_into(&mut self.state);
            self.follow();
        }
    }

    fn follow(&mut self) {
        let now = Instant::now();
        match (self.state.as_str(), self.attempt) {
            ("paused", _) => self.next = Some((now + AGAIN, Act::Ready)),
            ("wrapup", Some(attempt)) => {
                let after = self.street.after(attempt);
                let at = now + Duration::from_secs_f64(after.wrap_s);
                self.next = Some((at, Act::Dispose(attempt, after.machine)));
            }
            _ => {}
        }
    }

    async fn act(&mut self) {
        let Some((_, act)) = self.next.take() else {
            return;
        };
        let me = Actor::Agent(self.id);
        let done = match act {
            Act::Ready => {
                let asked = self.handle.agent_state(me, self.id, StateAsk::Ready);
                asked.await.is_ok()
            }
            Act::Dispose(attempt, machine) => {
                let ask = DisposeAsk {
                    code: if machine { "NC.BZ" } else { "NC.CA" }.to_owned(),
                    note: None,
                    promise: None,
                    claim: None,
                    callback_at: None,
                    then: None,
                    told_facts: Vec::new(),
                };
                self.handle.dispose(me, attempt, ask).await.is_ok()
            }
        };
        if !done {
            self.next = Some((Instant::now() + AGAIN, act));
        }
    }
}
