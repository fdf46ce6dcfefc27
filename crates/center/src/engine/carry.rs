//! Commands of the brain, carried out.

use super::Engine;
use crate::card::{self, CardKind, Viewer};
use crate::feeder;
use crate::live::{CallCtx, CallEntry, Pop, Stocked, Tape};
use crate::scribe;
use dialer::{Command, DialTask, Input, Item, OpenResult, ReleaseWhy};
use domain::entity::{
    Attempt, AttemptState, CheckPoint, DialMode, HoldKind, HoldScope, Language, LedgerKind,
};
use domain::ids::{AgentId, AttemptId, CallerIdId, CampaignId, DebtId, RecordingId, VerdictId};
use domain::ports::store::{ItemState, OpenDraft};
use domain::ports::{Card, HangUpCause, LegRef, PlayWhat, TrunkError};
use domain::time::{MINUTE_MS, UtcMs};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{OnceCell, mpsc};

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
            Command::Message(attempt) => self.message(attempt),
            Command::HangUp { attempt, cause } => self.order_hang_up(attempt, cause),
            Command::Hold { attempt, on } => self.order_hold(attempt, on),
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

    /// Runs an order to the telephone side; what becomes of it is reported.
    fn order_trunk<F>(&self, what: &'static str, order: F)
    where
        F: Future<Output = Result<(), TrunkError>> + Send + 'static,
    {
        tokio::spawn(async move {
            if let Err(error) = order.await {
                tracing::debug!(what, reason = %error, "order to the telephone side not taken");
            }
        });
    }

    fn dial(&mut self, now: UtcMs, task: DialTask) {
        let attempt = task.attempt;
        let key = (task.item.campaign, task.item.debtor);
        let reserved = self.hopper.remove(&key);
        let stocked = self.by_hand.remove(&attempt).or(reserved);
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
            CallEntry {
                ctx: Arc::clone(&ctx),
                scribe,
                withdrawn: Arc::clone(&withdrawn),
                invite_at: None,
                ringing_at: None,
                answered_at: None,
                bridged_at: None,
                waited: false,
                pop: Pop::None,
                agent: None,
                identity: None,
                muted: false,
                tape: Tape::Off,
                tape_open: false,
                call_id: None,
                ended_by: None,
                over: None,
                awaited: false,
                plan: None,
                disposition: None,
                conversation: false,
            },
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

    fn context(&self, now: UtcMs, task: DialTask, stocked: Stocked) -> CallCtx {
        let mut debts: Vec<(&str, DebtId)> = stocked
            .facts
            .debts
            .iter()
            .filter(|d| !silenced(&stocked, d.id, now))
            .map(|d| (d.due_date.as_str(), d.id))
            .collect();
        debts.sort_unstable();
        let debts: Vec<DebtId> = debts.into_iter().map(|(_, id)| id).collect();
        let recording_id = RecordingId(self.shared.id());
        let day = now
            .in_zone(&jiff::tz::TimeZone::UTC)
            .strftime("%Y/%m/%d")
            .to_string();
        CallCtx {
            id: task.attempt,
            debt_id: debts.first().copied(),
            debts,
            caller: caller(&stocked),
            recording_id,
            recording_key: format!("{day}/{recording_id}.wav"),
            zone: feeder::zone_or_utc(&self.shared.out.law.zone_of(&stocked.facts)),
            card: OnceCell::new(),
            task,
            stocked,
        }
    }

    fn draft(&self, now: UtcMs, ctx: &CallCtx) -> OpenDraft {
        let (stocked, task) = (&ctx.stocked, &ctx.task);
        let debtor = &stocked.facts.debtor;
        let check = match task.mode {
            DialMode::Manual => CheckPoint::Manual,
            _ => CheckPoint::Dial,
        };
        let verdict_id = VerdictId(self.shared.id());
        let ring_ms = task.rules.ring_timeout_ms;
        let mut action = feeder::action(
            &stocked.setting,
            verdict_id,
            check,
            Some(stocked.point.id),
            ring_ms,
            now,
        );
        action.agent_reserved = task.agent.is_some();
        let attempt = Attempt {
            id: ctx.id,
            client_id: stocked.setting.client.id,
            campaign_id: Some(stocked.setting.id()),
            debtor_id: debtor.id,
            person_id: debtor.person_id,
            debt_id: ctx.debt_id,
            debts: ctx.debts.clone(),
            point_id: stocked.point.id,
            phone: stocked.point.value.clone(),
            class: stocked.point.class,
            trunk_id: task.trunk,
            caller_id: ctx.caller.0,
            caller_number: ctx.caller.1.clone(),
            node: self.shared.config.node.clone(),
            fence: self.shared.fence,
            mode: task.mode,
            agent_reserved: task.agent.is_some(),
            state: AttemptState::Committed,
            opened_at: now,
            invite_at: None,
            ringing_at: None,
            answered_at: None,
            popped_at: None,
            acked_at: None,
            bridged_at: None,
            identity_at: None,
            ended_at: None,
            result: None,
            sip_code: None,
            q850: None,
            disposition: None,
            note: None,
            disposed_at: None,
            agent_id: None,
            recording_id: None,
            verdict_id,
            pack: String::new(),
            pack_version: String::new(),
        };
        let data = json!({
            "campaign_id": stocked.setting.id(), "debtor_id": debtor.id,
            "point_id": stocked.point.id, "trunk_id": task.trunk, "mode": task.mode,
        });
        let event = crate::closing::event(
            &self.shared,
            ctx,
            self.shared.actor(),
            "attempt.dialed",
            data,
        );
        let ledger = crate::closing::ledger_row(&self.shared, ctx, LedgerKind::Attempt, now, None);
        OpenDraft {
            attempt,
            action,
            ledger,
            events: vec![event],
        }
    }

    fn withdraw_call(&mut self, attempt: AttemptId) {
        let Some(entry) = self.calls.get(&attempt) else {
            return;
        };
        entry.withdrawn.store(true, Ordering::SeqCst);
        let trunk = Arc::clone(&self.shared.out.trunk);
        self.order_trunk("cancel", async move { trunk.cancel(attempt).await });
    }

    fn order_hang_up(&mut self, attempt: AttemptId, cause: HangUpCause) {
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

    fn message(&mut self, attempt: AttemptId) {
        let Some(entry) = self.calls.get(&attempt) else {
            return;
        };
        let language = match entry.ctx.stocked.facts.debtor.language {
            Language::En => "en",
            Language::Es | Language::Pt => "es",
        };
        let what = PlayWhat::SafeHarbour {
            language: language.to_owned(),
            client: entry.ctx.stocked.setting.client.id.to_string(),
        };
        let trunk = Arc::clone(&self.shared.out.trunk);
        let post = self.shared.post.clone();
        tokio::spawn(async move {
            if let Err(error) = trunk.play(LegRef::Debtor(attempt), what).await {
                tracing::warn!(attempt = %attempt, reason = %error, "safe-harbour message not played");
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
        };
        let empty = crate::card::CardSource::default();
        let source = entry.ctx.card.get().map_or(&empty, |s| s.as_ref());
        Some(card::build(kind, stocked, source, &viewer))
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
            let file = shared.out.store.debtor_file(stocked.facts.debtor.id).await;
            let source = file.map(crate::card::CardSource::from).unwrap_or_default();
            let gate = stocked.setting.campaign.params.identity_gate;
            let viewer = Viewer {
                agent: &name,
                company: &shared.config.company,
                gate,
                now,
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
        if let Some(note) = note {
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

    fn refill(&mut self, campaign: CampaignId, want: u32) {
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

/// Whether a hold on that debt alone silences it now.
fn silenced(stocked: &Stocked, debt: DebtId, now: UtcMs) -> bool {
    stocked.facts.holds.iter().any(|h| {
        h.scope == HoldScope::Debt
            && h.debt_id == Some(debt)
            && h.active_at(now)
            && h.kind != HoldKind::ChannelOptout
    })
}

/// The number to show: of the campaign's pool, of the debtor's country first, always the same one for
/// one debtor.
fn caller(stocked: &Stocked) -> (Option<CallerIdId>, String) {
    let debtor = &stocked.facts.debtor;
    let all = &stocked.setting.callers;
    let same: Vec<_> = all.iter().filter(|c| c.country == debtor.country).collect();
    let list = if same.is_empty() {
        all.iter().collect()
    } else {
        same
    };
    let pick = usize::try_from(debtor.id.0.as_u128() % 1_000_003).unwrap_or(0);
    match list.get(pick % list.len().max(1)) {
        Some(caller) => (Some(caller.id), caller.number.clone()),
        None => (None, stocked.setting.client.callback_number.clone()),
    }
}
