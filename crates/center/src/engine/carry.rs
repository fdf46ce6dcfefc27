//! Commands of the brain, carried out.

use super::Engine;
use crate::card::{self, CardKind, Viewer};
use crate::inbound::tongue;
use crate::live::{CallEntry, Pop};
use crate::scribe;
use dialer::{Command, DialTask, Input, Item, OpenResult, ReleaseWhy};
use domain::ids::{AgentId, AttemptId, CampaignId};
use domain::pii::mask_phone;
use domain::ports::store::ItemState;
use domain::ports::{Card, HangUpCause, LegRef, PlayWhat, TrunkError};
use domain::time::{MINUTE_MS, UtcMs};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use tokio::sync::mpsc;

/// Wait before a skipped preview comes back, ms.
const SKIPPED_AGAIN_MS: i64 = 15 * MINUTE_MS;

impl Engine {
    pub(super) fn carry(&mut self, now: UtcMs, command: Command) {
        match command {
            Command::Dial(task) => self.dial(now, *task),
            Command::Cancel(attempt) => self.withdraw_call(attempt),
            Command::Connect {
                attempt,
                agent,
                waited,
            } => self.connect(now, attempt, agent, waited),
            Command::Message(attempt) => {
                self.caller_late(now, attempt);
                self.message(attempt);
            }
            Command::Tell(attempt) => self.tell_message(attempt),
            Command::Hush(attempt) => self.play_to(attempt, PlayWhat::Silence),
            Command::PlaceGone(attempt) => self.place_gone(attempt),
            Command::Leave(attempt) => self.leave_message(attempt),
            Command::HangUp { attempt, cause } => self.order_hang_up(attempt, cause),
            Command::Hold { attempt, on } => self.order_hold(attempt, on),
            Command::Hand { attempt, step } => self.hand_step(now, attempt, step),
            Command::Preview {
                attempt,
                agent,
                item,
            } => self.preview(now, attempt, agent, &item),
            Command::PreviewOver(agent) => {
                if let Some(entry) = self.agents.get_mut(&agent) {
                    entry.preview = None;
                }
                self.dirty.insert(agent);
            }
            Command::Release { item, why } => self.release(now, &item, why),
            Command::Refill { campaign, want } => self.refill(campaign, want),
            Command::Over(over) => self.call_over(now, *over),
            Command::NotDisposed { attempt, agent } => self.not_disposed(now, attempt, agent),
            Command::AgentChanged(agent) => self.agent_touched(now, agent),
            Command::OpenLeg(agent) => self.open_leg(now, agent),
            Command::CloseLeg(agent) => self.close_leg(agent),
            Command::ModeForced {
                campaign,
                from,
                to,
                why,
            } => {
                self.mode_forced(campaign, from, to, why);
            }
            Command::Wait(at) => self.brain_at = at,
        }
    }

    /// Runs an order to the telephone side; what becomes of it is reported. It is in the telephone side's queue
    /// when this returns, unless that is full: a withdrawal waits for nothing that the engine does next.
    pub(super) fn order_trunk<F>(&self, what: &'static str, order: F)
    where
        F: Future<Output = Result<(), TrunkError>> + Send + 'static,
    {
        let mut order = Box::pin(async move {
            if let Err(error) = order.await {
                tracing::debug!(what, reason = %error, "order to the telephone side not taken");
            }
        });
        let mut context = Context::from_waker(Waker::noop());
        if order.as_mut().poll(&mut context).is_pending() {
            tokio::spawn(order);
        }
    }

    fn dial(&mut self, now: UtcMs, task: DialTask) {
        let attempt = task.attempt;
        let key = (task.item.campaign, task.item.debtor);
        let reserved = self.hopper.remove(&key);
        let stocked = self.by_hand.remove(&attempt).or(reserved);
        self.place_over(attempt);
        let Some(stocked) = stocked else {
            self.shared.fault("item to dial is not known", &attempt);
            self.follow(Input::OpenDone {
                attempt,
                result: OpenResult::Gone,
            });
            return;
        };
        let ctx = Arc::new(self.context(now, task, stocked));
        let draft = self.draft(now, &ctx);
        let (scribe, steps) = mpsc::channel(scribe::STEPS_MAX);
        let withdrawn = Arc::new(AtomicBool::new(false));
        self.calls.insert(
            attempt,
            CallEntry::new(Arc::clone(&ctx), scribe, Arc::clone(&withdrawn)),
        );
        self.board.touch();
        tokio::spawn(scribe::run(
            Arc::clone(&self.shared),
            ctx,
            draft,
            withdrawn,
            steps,
        ));
    }

    fn withdraw_call(&mut self, attempt: AttemptId) {
        let Some(entry) = self.calls.get(&attempt) else {
            return;
        };
        entry.withdrawn.store(true, Ordering::SeqCst);
        let trunk = Arc::clone(&self.shared.out.trunk);
        self.order_trunk("cancel", async move { trunk.cancel(attempt).await });
    }

    pub(super) fn order_hang_up(&mut self, attempt: AttemptId, cause: HangUpCause) {
        let trunk = Arc::clone(&self.shared.out.trunk);
        self.order_trunk(
            "hang up",
            async move { trunk.hang_up(attempt, cause).await },
        );
    }

    fn order_hold(&mut self, attempt: AttemptId, on: bool) {
        let trunk = Arc::clone(&self.shared.out.trunk);
        self.order_trunk("hold", async move { trunk.hold(attempt, on).await });
        if let Some(entry) = self.calls.get(&attempt) {
            let data = json!({"on": on, "agent_id": entry.agent});
            let actor = self.shared.actor();
            let event = crate::closing::event(&self.shared, &entry.ctx, actor, "call.held", data);
            self.shared.journal(event);
        }
    }

    pub(super) fn message(&mut self, attempt: AttemptId) {
        let Some(entry) = self.calls.get(&attempt) else {
            return;
        };
        let language = tongue(entry.ctx.stocked.facts.debtor.language);
        let what = PlayWhat::SafeHarbour {
            language: language.to_owned(),
            client: entry.ctx.stocked.setting.client.id.to_string(),
        };
        self.tell_to(attempt, what);
    }

    /// The message of an agentless campaign.
    fn tell_message(&self, attempt: AttemptId) {
        if let Some(entry) = self.calls.get(&attempt) {
            let (shared, ctx) = (Arc::clone(&self.shared), Arc::clone(&entry.ctx));
            tokio::spawn(crate::agentless::tell(shared, ctx));
        }
    }

    /// Plays a message whose end is the call's.
    fn tell_to(&self, attempt: AttemptId, what: PlayWhat) {
        let trunk = Arc::clone(&self.shared.out.trunk);
        let post = self.shared.post.clone();
        tokio::spawn(async move {
            if let Err(error) = trunk.play(LegRef::Debtor(attempt), what).await {
                tracing::warn!(attempt = %attempt, reason = %error, "message not played");
                // Without a message there is nothing to wait for: the call ends now.
                post.tell(move |engine, now| engine.take(now, Input::Played(attempt)))
                    .await;
            }
        });
    }

    /// Card first, then the legs, at once.
    fn connect(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId, waited: bool) {
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        entry.waited |= waited;
        match entry.pop {
            Pop::Shown(to, _) if to == agent => self.bridge(attempt, agent),
            Pop::Flying(to, _) if to == agent => entry.pop = Pop::Flying(agent, true),
            _ => self.pop(now, attempt, agent, true),
        }
    }

    /// Sends the card; joins the legs once its bytes are written, when `bridge`.
    pub(super) fn pop(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId, bridge: bool) {
        let Some(body) = self.card_body(now, attempt, agent, CardKind::Pop(attempt)) else {
            return;
        };
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        entry.pop = Pop::Flying(agent, bridge);
        // His screen shows this card now: another one that he had is to be shown again when its turn comes.
        let old = |p: Pop| matches!(p, Pop::Shown(to, _) | Pop::Flying(to, false) if to == agent);
        for (other, entry) in &mut self.calls {
            if *other != attempt && entry.answered_at.is_none() && old(entry.pop) {
                entry.pop = Pop::None;
            }
        }
        let out = self.shared.out.clone();
        let post = self.shared.post.clone();
        tokio::spawn(async move {
            let card = Card {
                attempt_id: attempt,
                body,
            };
            match out.desk.pop(agent, card).await {
                Ok(at) => {
                    // The voice does not wait for the engine's turn.
                    let joined = if bridge {
                        out.trunk.bridge(attempt, agent).await
                    } else {
                        Ok(())
                    };
                    post.tell(move |e, _| e.popped(attempt, agent, at, bridge))
                        .await;
                    if let Err(error) = joined {
                        post.tell(move |e, now| e.bridge_refused(now, attempt, agent, &error))
                            .await;
                    }
                }
                Err(error) => {
                    tracing::warn!(attempt = %attempt, agent = %agent, reason = %error, "card not shown");
                    post.tell(move |engine, now| engine.pop_failed(now, attempt, agent))
                        .await;
                }
            }
        });
    }

    pub(super) fn bridge(&mut self, attempt: AttemptId, agent: AgentId) {
        let trunk = Arc::clone(&self.shared.out.trunk);
        let post = self.shared.post.clone();
        tokio::spawn(async move {
            if let Err(error) = trunk.bridge(attempt, agent).await {
                post.tell(move |e, now| e.bridge_refused(now, attempt, agent, &error))
                    .await;
            }
        });
    }

    fn bridge_refused(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId, why: &TrunkError) {
        tracing::warn!(attempt = %attempt, agent = %agent, reason = %why, "legs not joined");
        // A call that is gone is no fault of the agent's voice: its end is reported.
        if *why != TrunkError::Gone {
            self.take(now, Input::BridgeFailed { attempt, agent });
        }
    }

    /// A card for an agent; `None` when the call or the agent is gone.
    pub(super) fn card_body(
        &self,
        now: UtcMs,
        attempt: AttemptId,
        agent: AgentId,
        kind: CardKind,
    ) -> Option<serde_json::Value> {
        let entry = self.calls.get(&attempt)?;
        let name = self
            .agents
            .get(&agent)
            .map_or("", |a| a.agent.name.as_str());
        let stocked = &entry.ctx.stocked;
        let gate = stocked.setting.campaign.params.identity_gate && entry.identity.is_none();
        let viewer = Viewer {
            agent: name,
            company: &self.shared.config.company,
            gate,
            now,
            duties: self.shared.out.law.duties(&stocked.facts, now),
        };
        let empty = crate::card::CardSource::default();
        let source = entry.ctx.card.get().map_or(&empty, |s| s.as_ref());
        let mut body = card::build(kind, stocked, source, &viewer);
        if let (Some(how), Some(map)) = (self.is_caller(attempt), body.as_object_mut()) {
            map.insert("direction".to_owned(), json!(how));
        }
        if let (true, Some(map)) = (stocked.facts.debtor.is_stranger(), body.as_object_mut()) {
            // There is nobody to read a script to before it is known who he is.
            let number = mask_phone(stocked.point.value.reveal());
            map.insert("unknown_caller".to_owned(), json!(number));
            map.insert("script".to_owned(), json!(null));
        }
        Some(body)
    }

    fn preview(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId, item: &Item) {
        let Some(stocked) = self.hopper.get(&(item.campaign, item.debtor)).cloned() else {
            return;
        };
        let shared = Arc::clone(&self.shared);
        let name = self
            .agents
            .get(&agent)
            .map_or_else(String::new, |a| a.agent.name.clone());
        tokio::spawn(async move {
            let read = crate::card::CardSource::read(&shared, stocked.facts.debtor.id).await;
            let source = read.unwrap_or_default();
            let gate = stocked.setting.campaign.params.identity_gate;
            let viewer = Viewer {
                agent: &name,
                company: &shared.config.company,
                gate,
                now,
                duties: shared.out.law.duties(&stocked.facts, now),
            };
            let body = card::build(CardKind::Preview(attempt), &stocked, &source, &viewer);
            shared
                .post
                .tell(move |engine, _| engine.previewed(agent, attempt, body))
                .await;
        });
    }

    fn previewed(&mut self, agent: AgentId, attempt: AttemptId, body: serde_json::Value) {
        let stands = self
            .brain
            .agent(agent)
            .and_then(|s| s.preview.as_ref())
            .is_some_and(|(id, _)| *id == attempt);
        if let Some(entry) = self.agents.get_mut(&agent).filter(|_| stands) {
            self.shared.out.desk.tell(agent, body.clone());
            entry.preview = Some((attempt, body));
        }
    }

    fn release(&mut self, now: UtcMs, item: &Item, why: ReleaseWhy) {
        let Some(stocked) = self.hopper.remove(&(item.campaign, item.debtor)) else {
            return;
        };
        let mut state = stocked.state;
        let (wait, note) = match why {
            ReleaseWhy::Skipped => (SKIPPED_AGAIN_MS, Some("skipped")),
            ReleaseWhy::PreviewTimeout => (MINUTE_MS, Some("skipped")),
            ReleaseWhy::Withdrawn => (0, Some("withdrawn")),
            ReleaseWhy::Double => (MINUTE_MS, None),
            ReleaseWhy::Stale | ReleaseWhy::CampaignOff => (0, None),
        };
        if wait > 0 {
            state.next_at = now.plus_ms(wait);
        }
        // An agreed call-back stays one.
        if let Some(note) = note.filter(|_| !state.note.starts_with("callback")) {
            note.clone_into(&mut state.note);
        }
        self.give_back(state);
    }

    /// Gives a leased item back. One that money or a disposition has changed meanwhile stays as it is
    /// in the store.
    fn give_back(&self, state: ItemState) {
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move { crate::ops::give_back(&shared, state).await });
    }

    fn refill(&mut self, campaign: CampaignId, want: (u32, Option<u32>)) {
        let Some(entry) = self.campaigns.get(&campaign) else {
            self.follow(Input::Stock {
                campaign,
                items: Vec::new(),
                more: false,
            });
            return;
        };
        let (shared, setting) = (Arc::clone(&self.shared), Arc::clone(&entry.setting));
        tokio::spawn(async move { crate::ops::refill_hopper(&shared, setting, want).await });
    }
}
