//! A simulated agent at her screen: signs in, takes cards, talks, identifies, disposes, pauses,
//! vanishes and comes back. She knows only what the screen is told.

use super::people::{ZONE, mxn};
use super::plan::Habits;
use super::tally::Tally;
use crate::store::MemoryStore;
use center::{
    Actor, CenterError, CenterHandle, ClaimAsk, DeskHub, DeskMessage, DisposeAsk, IdentityAsk,
    PlanDraw, PlanTermsAsk, PromiseAsk, StateAsk,
};
use domain::entity::{PartyRole, PaymentChannel, Role};
use domain::ids::{AgentId, AttemptId};
use domain::money::Money;
use domain::ports::Clock;
use domain::rules::agent_state::PauseCode;
use domain::rules::offers::Conditions;
use domain::time::{DAY_MS, HOUR_MS};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

/// The screen's ping.
const PING: Duration = Duration::from_secs(4);
/// An instant that never comes in a run.
const FAR: Duration = Duration::from_secs(1_000_000);

/// Something she is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Act {
    Ready,
    Pause(PauseCode),
    Out,
    Ack(AttemptId),
    Identity(AttemptId),
    Plan(AttemptId),
    Hold(AttemptId, bool),
    Mute(AttemptId),
    HangUp(AttemptId),
    Dispose(AttemptId),
    PreviewDial(AttemptId),
    PreviewSkip(AttemptId),
}

/// One agent.
pub(super) struct Worker {
    pub(super) id: AgentId,
    pub(super) handle: CenterHandle,
    pub(super) hub: Arc<DeskHub>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) store: Arc<MemoryStore>,
    pub(super) rng: ChaCha8Rng,
    pub(super) habits: Habits,
    pub(super) over: watch::Receiver<bool>,
    pub(super) tally: Tally,
    pub(super) me: Map<String, Value>,
    /// Facts that the card on her screen wants told.
    pub(super) facts: Vec<String>,
    pub(super) agenda: Agenda,
}

/// What she is about to do and when.
#[derive(Debug, Default)]
pub(super) struct Agenda(Vec<(Instant, Act)>);

impl Agenda {
    fn next(&self) -> Instant {
        let first = self.0.iter().map(|(at, _)| *at).min();
        first.unwrap_or_else(|| Instant::now() + FAR)
    }

    fn take(&mut self) -> Option<Act> {
        let at = self.next();
        let index = self.0.iter().position(|(when, _)| *when == at)?;
        Some(self.0.remove(index).1)
    }
}

impl Worker {
    /// Works until the shift is over.
    pub(super) async fn work(mut self) {
        while let Some(away) = self.connection().await {
            sleep(away).await;
            if self.is_over() {
                return;
            }
        }
    }

    fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    fn chance(&mut self, pct: u32) -> bool {
        self.rng.random_range(0..100) < pct
    }

    fn soon(&mut self, act: Act, from_ms: u64, to_ms: u64) {
        let ms = self.rng.random_range(from_ms..=to_ms);
        let at = Instant::now() + Duration::from_millis(ms);
        self.agenda.0.push((at, act));
    }

    /// One connection of the screen. How long she stays away afterwards; `None` = for good.
    async fn connection(&mut self) -> Option<Duration> {
        let mut link = self.hub.register(self.id);
        self.agenda.0.clear();
        self.me.clear();
        if self.handle.agent_in(self.id).await.is_err() {
            self.hub.unregister(self.id, link.generation);
            return Some(Duration::from_secs(1));
        }
        // A refused subscription shows as silence; the screen asks again when it reconnects.
        let _ = self.handle.sub_me(self.id, None).await;
        let stays = if self.chance(self.habits.vanish_pct) {
            Duration::from_millis(self.rng.random_range(5_000..300_000))
        } else {
            FAR
        };
        let gone_at = Instant::now() + stays;
        let mut over = self.over.clone();
        let mut leaving = false;
        let mut ping = tokio::time::interval(PING);
        loop {
            if self.is_over() && !leaving {
                leaving = true;
                self.soon(Act::Out, 0, 2_000);
            }
            if self.state() == "offline" {
                // Signed out behind her back (a link lost too long): she opens the screen again.
                self.hub.unregister(self.id, link.generation);
                return (!leaving).then_some(Duration::from_secs(2));
            }
            tokio::select! {
                biased;
                message = link.messages.recv() => match message {
                    Some(message) => self.read(message),
                    None => return Some(Duration::from_millis(200)),
                },
                () = sleep_until(self.agenda.next()) => {
                    if let Some(act) = self.agenda.take() {
                        self.act(act).await;
                    }
                }
                () = sleep_until(gone_at) => {
                    self.hub.unregister(self.id, link.generation);
                    self.handle.agent_link(self.id, false);
                    self.tally.add(|c| c.vanished += 1);
                    let most = if self.chance(20) { 200_000 } else { 20_000 };
                    return Some(Duration::from_millis(self.rng.random_range(500..most)));
                }
                _ = over.changed(), if !leaving => {}
                _ = ping.tick() => {
                    self.handle.agent_link(self.id, true);
                    self.handle.agent_rtt(self.id, 40);
                }
            }
        }
    }

    fn state(&self) -> &str {
        self.me.get("state").and_then(Value::as_str).unwrap_or("")
    }

    fn attempt(&self) -> Option<AttemptId> {
        id_of(self.me.get("attempt")?.get("id"))
    }

    fn read(&mut self, message: DeskMessage) {
        let Ok(body) = serde_json::from_str::<Value>(&message.body) else {
            return;
        };
        let is_card = message.written.is_some();
        // A screen that does not take the card drops it; the engine must see that.
        if !is_card || !self.chance(self.habits.slow_pct) {
            message.mark_written(&*self.clock);
        }
        if let Some(facts) = body.pointer("/duties/must_say").and_then(Value::as_array) {
            let facts = facts.iter().filter_map(Value::as_str);
            self.facts = facts.map(str::to_owned).collect();
        }
        match body.get("t").and_then(Value::as_str) {
            Some("pop") => {
                self.tally.add(|c| c.cards += 1);
                if let Some(attempt) = id_of(body.get("attempt")) {
                    self.soon(Act::Ack(attempt), 10, 120);
                }
            }
            Some("preview") => {
                if let Some(item) = id_of(body.get("item")) {
                    match self.rng.random_range(0..10) {
                        0..7 => self.soon(Act::PreviewDial(item), 500, 6_000),
                        7..9 => self.soon(Act::PreviewSkip(item), 500, 3_000),
                        _ => {}
                    }
                }
            }
            Some("snap" | "d") => {
                if let Some(data) = body.get("data").and_then(Value::as_object) {
                    self.see(data.clone());
                }
            }
            _ => {}
        }
    }

    fn see(&mut self, data: Map<String, Value>) {
        let (state, attempt) = (self.state().to_owned(), self.attempt());
        self.me.extend(data);
        if self.state() != state || self.attempt() != attempt {
            self.follow();
        }
    }

    /// What she does in the state that the screen shows now.
    fn follow(&mut self) {
        let (state, attempt) = (self.state().to_owned(), self.attempt());
        match (state.as_str(), attempt) {
            ("paused", _) => {
                let rest = self.me.get("pause_code").and_then(Value::as_str) == Some("break");
                if !self.is_over() {
                    let (from, to) = if rest { (5_000, 30_000) } else { (300, 3_000) };
                    self.soon(Act::Ready, from, to);
                }
            }
            ("ready", _) if self.chance(4) => {
                self.soon(Act::Pause(PauseCode::Break), 1_000, 20_000);
            }
            ("talking", Some(attempt)) => self.talk(attempt),
            ("wrapup", Some(attempt)) if !self.chance(self.habits.forget_pct) => {
                self.soon(Act::Dispose(attempt), 300, 6_000);
            }
            _ => {}
        }
    }

    fn talk(&mut self, attempt: AttemptId) {
        if self.chance(85) {
            self.soon(Act::Identity(attempt), 800, 4_000);
        }
        if self.chance(8) {
            self.soon(Act::Hold(attempt, true), 1_000, 5_000);
            self.soon(Act::Hold(attempt, false), 5_500, 9_000);
        }
        if self.chance(5) {
            self.soon(Act::Mute(attempt), 1_000, 5_000);
        }
        if self.chance(25) {
            self.soon(Act::Dispose(attempt), 4_000, 12_000);
        }
        if self.chance(4) {
            self.soon(Act::Pause(PauseCode::Break), 1_000, 8_000);
        }
        // The debtor may hang up before; a call whose end was lost is hung up by her.
        self.soon(Act::HangUp(attempt), 4_000, 35_000);
    }

    async fn act(&mut self, act: Act) {
        let me = Actor::Agent(self.id);
        let done = match act.clone() {
            Act::Ready if self.is_over() => Ok(()),
            Act::Ready => self.ask(StateAsk::Ready).await,
            Act::Pause(code) => self.ask(StateAsk::Paused(code)).await,
            Act::Out => self.ask(StateAsk::Offline).await,
            Act::Ack(attempt) => {
                self.handle.card_acked(self.id, attempt).await;
                Ok(())
            }
            Act::Identity(attempt) => {
                let role = PartyRole::Titular;
                let asked = self.handle.identity(self.id, attempt, IdentityAsk { role });
                let done = asked.await.map(drop);
                let pct = self.habits.plan_pct;
                if done.is_ok() && pct > 0 && self.chance(pct) {
                    self.soon(Act::Plan(attempt), 500, 4_000);
                }
                done
            }
            Act::Plan(attempt) => self.draw(attempt).await,
            Act::Hold(attempt, on) => self.handle.hold(self.id, attempt, on).await,
            Act::Mute(attempt) => self.handle.mute(self.id, attempt, true).await,
            Act::HangUp(attempt) => self.handle.hang_up(me, attempt).await,
            Act::Dispose(attempt) => return self.dispose(attempt).await,
            Act::PreviewDial(item) => self.handle.preview_dial(self.id, item).await,
            Act::PreviewSkip(item) => self.handle.preview_skip(self.id, item).await,
        };
        // States are asked for again; what was about a call has its moment only.
        if let Err(error) = done {
            self.tally.refused(&error);
            let waits = matches!(act, Act::Ready | Act::Out) && self.state() != "ready";
            if waits && !matches!(error, CenterError::Stopped) {
                self.soon(act, 1_000, 3_000);
            }
        }
    }

    async fn ask(&self, ask: StateAsk) -> Result<(), CenterError> {
        let me = Actor::Agent(self.id);
        self.handle.agent_state(me, self.id, ask).await.map(drop)
    }

    async fn dispose(&mut self, attempt: AttemptId) {
        let ask = self.disposition(attempt);
        let me = Actor::Agent(self.id);
        match self.handle.dispose(me, attempt, ask).await {
            Ok(done) => self.tally.add(|c| {
                c.dispositions += 1;
                c.promises += u64::from(done.promise.is_some());
            }),
            Err(CenterError::Store(_)) => self.soon(Act::Dispose(attempt), 500, 2_000),
            Err(error @ (CenterError::Invalid { .. } | CenterError::Conflict { .. })) => {
                self.tally.refused(&error);
                let plain = plain("NC.CA");
                if let Err(error) = self.handle.dispose(me, attempt, plain).await {
                    self.tally.refused(&error);
                }
            }
            Err(error) => self.tally.refused(&error),
        }
    }

    fn disposition(&mut self, attempt: AttemptId) -> DisposeAsk {
        let code = match self.rng.random_range(0..100) {
            0..25 => "CD.PP",
            25..40 => "CD.NP.NOPUEDE",
            40..50 => "CD.VL",
            50..55 => "CD.YP",
            55..65 => "CI.MT",
            65..70 => "CI.EQ",
            70..73 => "CD.NC",
            73..76 => "CD.DI",
            76..82 => "NC.BZ",
            82..84 => "CI.FA",
            _ => "NC.CA",
        };
        let mut ask = plain(code);
        ask.told_facts.clone_from(&self.facts);
        match code {
            "CD.PP" => ask.promise = self.promise(attempt),
            "CD.VL" => {
                let hours = self.rng.random_range(1..=3);
                ask.callback_at = Some(self.clock.now().plus_ms(hours * HOUR_MS));
            }
            "CD.YP" => {
                ask.claim = Some(ClaimAsk {
                    paid_on: self
                        .clock
                        .now()
                        .in_zone(&jiff::tz::TimeZone::UTC)
                        .date()
                        .to_string(),
                    channel: PaymentChannel::Transfer,
                    proof: false,
                });
            }
            "CD.DI" | "CI.FA" => ask.note = Some("dice que no la reconoce".into()),
            _ => {}
        }
        if self.chance(5) {
            ask.then = Some(StateAsk::Paused(PauseCode::Break));
        }
        ask
    }

    /// Terms agreed with the debtor: an offer of the card, her own, or more than she may give alone.
    async fn draw(&mut self, attempt: AttemptId) -> Result<(), CenterError> {
        let row = self.store.with(|t| t.attempts.get(&attempt).cloned());
        let Some(row) = row else { return Ok(()) };
        let own = |quita_pct, instalments, every_days, (early_off_pct, early_days)| {
            PlanTermsAsk::Own(Conditions {
                quita_pct,
                down_pct: 0,
                instalments,
                first_in_days: 2,
                every_days,
                freeze_interest: true,
                early_off_pct,
                early_days,
            })
        };
        let none = (0, 0);
        let (terms, reason) = match self.rng.random_range(0..10) {
            0..2 => (PlanTermsAsk::Offer("one_payment".into()), None),
            2..4 => (PlanTermsAsk::Offer("two_halves".into()), None),
            4..6 => (own(8, 3, 6, none), None),
            6 => (own(5, 3, 6, (4, 6)), None),
            _ => (own(20, 2, 7, none), Some("quiere liquidar".to_owned())),
        };
        let ask = PlanDraw {
            debtor: row.debtor_id,
            attempt: Some(attempt),
            debt: row.debt_id,
            terms,
            reason,
            role: Role::Agent,
        };
        let drawn = self.handle.draw_plan(Actor::Agent(self.id), ask).await;
        drawn.map(drop)
    }

    /// What the card shows: the main debt's overdue amount, in a few days.
    fn promise(&mut self, attempt: AttemptId) -> Option<PromiseAsk> {
        let overdue = self.store.with(|t| {
            let debt = t.attempts.get(&attempt)?.debt_id?;
            let debt = t.debts.get(&debt)?;
            Some(debt.overdue_minor.clamp(1, debt.balance_minor().max(1)))
        })?;
        let days = self.rng.random_range(1..=4);
        let zone = domain::time::zone(ZONE).ok()?;
        let due = self.clock.now().plus_ms(days * DAY_MS).in_zone(&zone);
        Some(PromiseAsk {
            debt_id: None,
            amount: Money::new(overdue, mxn()),
            due_date: due.date().to_string(),
            channel: PaymentChannel::Transfer,
        })
    }
}

fn plain(code: &str) -> DisposeAsk {
    DisposeAsk {
        code: code.to_owned(),
        note: None,
        promise: None,
        claim: None,
        callback_at: None,
        then: None,
        told_facts: Vec::new(),
    }
}

fn id_of(value: Option<&Value>) -> Option<AttemptId> {
    value?.as_str()?.parse().ok()
}
