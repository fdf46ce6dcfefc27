//! One socket of either kind: reads frames within the limits, watches silence, sign-out and the
//! server's end.

use super::limits::{
    CLOSE_MAX, Close, DEAD, FRAME_READ_MAX_BYTES, LOOK_EVERY, MEASURE_EVERY, MESSAGE_MAX_BYTES,
    Rate, SESSION_CHECK_EVERY,
};
use super::outbox::Outbox;
use super::wire::{ClientMessage, ServerMessage};
use crate::ApiState;
use crate::auth::{Caller, entitled};
use axum::Error;
use axum::extract::ws::{Message, WebSocket};
use center::{LateCase, MoneyMoves};
use domain::entity::Role;
use domain::ids::SessionId;
use futures::StreamExt;
use futures::stream::SplitStream;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite;

/// What a session hears next.
#[derive(Debug)]
pub(super) enum Heard {
    /// A message of the client.
    Message(ClientMessage),
    /// The round trip of the link, ms.
    RoundTrip(u32),
    /// Time to look at the clock.
    Tick,
}

pub(super) struct Session {
    pub(super) state: ApiState,
    pub(super) outbox: Outbox,
    /// Last message of the client.
    pub(super) heard: Instant,
    stream: SplitStream<WebSocket>,
    session: Option<SessionId>,
    rate: Rate,
    opened: Instant,
    /// Last frame of any kind.
    alive: Instant,
    measured: Instant,
    kicks: broadcast::Receiver<SessionId>,
    late: broadcast::Receiver<Arc<LateCase>>,
    money: watch::Receiver<MoneyMoves>,
    /// What the client was told of.
    moved: MoneyMoves,
    caller: Caller,
    stop: watch::Receiver<bool>,
    look: Interval,
    /// Asks the database about the session; ends with this.
    _watchdog: JoinSet<()>,
}

impl Session {
    /// Takes a socket over and says hello.
    pub(super) fn open(
        state: &ApiState,
        caller: &Caller,
        socket: WebSocket,
    ) -> Result<Self, Close> {
        let (sink, stream) = socket.split();
        let now = Instant::now();
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut money = state.center.money_moves();
        let moved = money.borrow_and_update().clone();
        let session = Self {
            outbox: Outbox::new(sink, state.clock.clone()),
            heard: now,
            stream,
            session: caller.session,
            rate: Rate::new(now),
            opened: now,
            alive: now,
            measured: now,
            kicks: state.kicks.subscribe(),
            late: state.center.late_cases(),
            money,
            moved,
            caller: caller.clone(),
            stop: state.stop.subscribe(),
            look,
            _watchdog: watchdog(state, caller),
            state: state.clone(),
        };
        session.send(&ServerMessage::Hello {
            boot: state.boot.to_string(),
            now: state.now().0,
            role: caller.role.to_string(),
            proto: 1,
        })?;
        Ok(session)
    }

    /// Queues a message of our own.
    pub(super) fn send(&self, message: &ServerMessage) -> Result<(), Close> {
        let text = serde_json::to_string(message).map_err(|_| Close::later("internal"))?;
        self.outbox.text(text)
    }

    /// Waits for what happens next; an error ends the socket. Nothing is lost when the wait is
    /// given up half-way.
    pub(super) async fn next(&mut self) -> Result<Heard, Close> {
        loop {
            if *self.stop.borrow() {
                return Err(Close::stopping());
            }
            tokio::select! {
                frame = self.stream.next() => {
                    if let Some(heard) = self.take(frame)? {
                        return Ok(heard);
                    }
                }
                kick = self.kicks.recv() => self.kicked(kick)?,
                case = self.late.recv() => self.late(case)?,
                changed = self.stop.changed() => if changed.is_err() {
                    return Err(Close::stopping());
                },
                _ = self.look.tick() => {
                    self.money()?;
                    self.check()?;
                    return Ok(Heard::Tick);
                }
            }
        }
    }

    fn kicked(&self, kick: Result<SessionId, broadcast::error::RecvError>) -> Result<(), Close> {
        match kick {
            Ok(ended) if Some(ended) == self.session => Err(Close::signed_out()),
            // Missed some: the watchdog asks the database soon.
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => Ok(()),
            Err(broadcast::error::RecvError::Closed) => Err(Close::stopping()),
        }
    }

    fn late(&self, case: Result<Arc<LateCase>, broadcast::error::RecvError>) -> Result<(), Close> {
        let who = &self.caller;
        match case {
            Ok(case) if case.is_for(who.user, who.role, who.client) => {
                self.send(&ServerMessage::LateCase {
                    now: self.state.now().0,
                    client: case.client_id.to_string(),
                    debtor: case.debtor_id.to_string(),
                    debt: case.debt_id.to_string(),
                    stage: case.stage.to_string(),
                    deadline: case.deadline.map(|at| at.0),
                    statute_date: case.statute_date.clone(),
                })
            }
            // Another's; or some were missed, which stand in the morning review.
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => Ok(()),
            Err(broadcast::error::RecvError::Closed) => Err(Close::stopping()),
        }
    }

    /// Tells whose money moved since the last look, once however often it did: a bank's file is no flood. Agents
    /// hear from the engine, of what is near them alone.
    fn money(&mut self) -> Result<(), Close> {
        // Without a sender the server stops, and says so itself.
        if self.caller.role == Role::Agent || !self.money.has_changed().unwrap_or(false) {
            return Ok(());
        }
        let moves = self.money.borrow_and_update().clone();
        for (client, count) in &moves {
            let own = self.caller.client.is_none_or(|own| own == *client);
            if own && self.moved.get(client) != Some(count) {
                self.send(&ServerMessage::Money {
                    now: self.state.now().0,
                    client: client.to_string(),
                })?;
            }
        }
        self.moved = moves;
        Ok(())
    }

    fn check(&mut self) -> Result<(), Close> {
        let now = Instant::now();
        if now.saturating_duration_since(self.alive) >= DEAD {
            return Err(Close::silent());
        }
        if now.saturating_duration_since(self.measured) >= MEASURE_EVERY {
            self.measured = now;
            self.outbox
                .ping(micros(now.saturating_duration_since(self.opened)))?;
        }
        Ok(())
    }

    fn take(&mut self, frame: Option<Result<Message, Error>>) -> Result<Option<Heard>, Close> {
        let now = Instant::now();
        let frame = match frame {
            None => return Err(Close::gone()),
            Some(Err(error)) => return Err(broken(error)),
            Some(Ok(frame)) => frame,
        };
        self.alive = now;
        match frame {
            Message::Close(_) => Err(Close::gone()),
            Message::Pong(mark) => Ok(self.round_trip(&mark, now)),
            _ if !self.rate.take(now) => Err(Close::flood()),
            Message::Ping(_) => Ok(None),
            Message::Binary(_) => Err(Close::bad_message("expected a text frame with JSON")),
            Message::Text(text) => {
                self.heard = now;
                if text.len() > MESSAGE_MAX_BYTES {
                    return Err(Close::too_long());
                }
                let message = ClientMessage::read(&text).map_err(Close::bad_message)?;
                Ok(Some(Heard::Message(message)))
            }
        }
    }

    /// Reads our own mark out of a pong; a pong that nobody asked for is passed over.
    fn round_trip(&self, mark: &[u8], now: Instant) -> Option<Heard> {
        let sent = u64::from_be_bytes(mark.try_into().ok()?);
        let here = micros(now.saturating_duration_since(self.opened));
        let took = here.checked_sub(sent)? / 1_000;
        u32::try_from(took).ok().map(Heard::RoundTrip)
    }

    /// Ends the socket: the close frame goes out, and for a moment the client's answer is waited for,
    /// so that the frame is not overtaken by a reset.
    pub(super) async fn close(mut self, close: Close) {
        if close.code != 1000 {
            tracing::debug!(code = close.code, "socket closed");
        }
        let writer = self.outbox.close(close);
        let rest = async { while let Some(Ok(_)) = self.stream.next().await {} };
        let _ = timeout(CLOSE_MAX, rest).await;
        let longest = super::limits::WRITE_MAX + 2 * CLOSE_MAX;
        let _ = timeout(longest, writer).await;
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

fn broken(error: Error) -> Close {
    use tungstenite::Error as E;
    match error.into_inner().downcast_ref::<E>() {
        Some(E::Capacity(_)) => Close::too_long(),
        Some(E::Utf8(_)) => Close::bad_message("a text frame is not UTF-8"),
        Some(E::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => {
            Close::gone()
        }
        Some(E::Protocol(_)) => Close::bad_message("a frame is broken"),
        _ => Close::gone(),
    }
}

/// The largest frame that is taken from the wire at all.
pub(super) const FRAME_MAX: usize = FRAME_READ_MAX_BYTES;

/// Ends sockets whose session ended elsewhere, or whose user was switched off or changed.
fn watchdog(state: &ApiState, caller: &Caller) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let Some(session) = caller.session else {
        return tasks;
    };
    let (state, caller) = (state.clone(), caller.clone());
    tasks.spawn(async move {
        // Asked at once too: the session may have ended between the ticket and here.
        loop {
            match entitled(&state, &caller).await {
                Ok(true) => {}
                Ok(false) => {
                    // No receiver means the socket has just ended by itself.
                    let _ = state.kicks.send(session);
                    return;
                }
                Err(error) => tracing::debug!(%error, "session of a socket not checked"),
            }
            tokio::time::sleep(SESSION_CHECK_EVERY).await;
        }
    });
    tasks
}
