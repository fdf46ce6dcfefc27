//! Keys of callers: the call-back that keeps the place, an agent or the end from a message.

use super::Caller;
use super::say::spoken;
use crate::engine::Engine;
use crate::live::{CallCtx, Stocked};
use crate::scribe::Step;
use crate::shared::persist;
use dialer::{Input, KeptPlace};
use domain::entity::{CallResult, Channel, Consent, InboundOutcome, InboundParams};
use domain::ids::{AttemptId, ConsentId};
use domain::ports::store::{CALLBACK_PRIORITY, CallbackRow, ItemState, PlaceKept};
use domain::time::{DAY_MS, MINUTE_MS, UtcMs};
use serde_json::json;
use std::sync::Arc;

/// Key that asks to be called back while the place is kept.
const CALL_BACK_KEY: char = '1';

/// Places given up of late that are remembered: their rows may be read once more before they are gone.
const GIVEN_UP_MAX: usize = 1_000;

impl Engine {
    /// A key while he waits or hears a message; `true` when it meant something.
    pub(in crate::engine) fn caller_key(
        &mut self,
        now: UtcMs,
        attempt: AttemptId,
        digit: char,
    ) -> bool {
        let Some(entry) = self.calls.get(&attempt) else {
            return false;
        };
        let ctx = Arc::clone(&entry.ctx);
        let params = &ctx.stocked.setting.campaign.params;
        if self.waits(attempt) {
            // The key that asked for an agent may be the same, pressed twice.
            let offered = self.callers.live.get(&attempt).is_some_and(|c| c.offered);
            if digit == self.shared.config.opt_out_digit {
                self.opt_out_of(attempt, &ctx);
                self.leave_queue(now, attempt, &ctx);
            } else if digit == CALL_BACK_KEY && offered {
                self.keep_place(now, attempt, &ctx);
            }
            return true;
        }
        let call = self.brain.call(attempt);
        if !call.is_some_and(dialer::Call::hears_message) {
            return false;
        }
        if digit == self.shared.config.opt_out_digit {
            self.opt_out_of(attempt, &ctx);
            self.play_to(attempt, spoken(&["opted_out"], &ctx.stocked));
            return true;
        }
        if digit != params.agentless.agent_key {
            return false;
        }
        self.asks_for_agent(now, attempt, &ctx);
        true
    }

    /// He wants an agent in place of a message: he waits like who called us, or hears that nobody is free. That he asked
    /// is told and counted either way, and what he is owed follows from it when nobody took him.
    fn asks_for_agent(&mut self, now: UtcMs, attempt: AttemptId, ctx: &CallCtx) {
        let campaign = ctx.stocked.setting.id();
        let room = self.room_for(now, &ctx.stocked, Some(ctx));
        let entry = self.calls.get_mut(&attempt);
        let first = entry.is_some_and(|entry| !std::mem::replace(&mut entry.asked, true));
        if first {
            let outcome = room.err().unwrap_or(InboundOutcome::Open);
            let data = json!({
                "campaign_id": campaign, "debtor_id": ctx.stocked.facts.debtor.id,
                "waits": room.is_ok(), "outcome": outcome,
            });
            let actor = self.shared.actor();
            let event = crate::closing::event(&self.shared, ctx, actor, "agentless.asked", data);
            self.shared.journal(event);
            let counts = self.counts_of(campaign);
            counts.offered += 1;
            counts.announced += u64::from(room.is_err());
            self.board.touch();
        }
        let Ok((_, wait_ms)) = room else {
            // Nobody can take him: what is said says so, and ends.
            self.message(attempt);
            return;
        };
        let caller = Caller::new(campaign, now, now, None);
        self.callers.live.insert(attempt, caller);
        self.take(now, Input::Queue { attempt, wait_ms });
        self.say_in_queues(now);
    }

    /// He wants no more calls: he hears that it is so, and his call ends.
    fn leave_queue(&mut self, now: UtcMs, attempt: AttemptId, ctx: &CallCtx) {
        if self.ask(now, Input::LeaveQueue(attempt)).is_err() {
            return;
        }
        if let Some(caller) = self.callers.live.get_mut(&attempt) {
            caller.kept = true;
            caller.becomes(now, InboundOutcome::OptedOut);
        }
        self.play_to(attempt, spoken(&["opted_out"], &ctx.stocked));
        self.board.touch();
    }

    /// He leaves and keeps his place: here, or on the node whose agents call him.
    fn keep_place(&mut self, now: UtcMs, from: AttemptId, ctx: &CallCtx) {
        let stocked = &ctx.stocked;
        let params: &InboundParams = &stocked.setting.campaign.params.inbound;
        let until = now.plus_ms(params.keep_place_min * MINUTE_MS);
        let since = self.callers.live.get(&from).map_or(now, |c| c.since);
        // He calls again while a place of his is kept: that one stays his.
        let before = self.brain.place_of(&ctx.task.item);
        let before = before.map(|place| (place.attempt, place.since));
        let since = before.map_or(since, |(_, at)| at.min(since));
        let (attempt, state) = (AttemptId(self.shared.id()), kept_state(ctx, until));
        let away = self
            .elsewhere(stocked.setting.id())
            .map(|desk| (desk.node.clone(), desk.fence));
        let here = away.is_none();
        let own = || (self.shared.config.node.clone(), self.shared.fence);
        let (node, fence) = away.unwrap_or_else(own);
        let kept = PlaceKept {
            campaign: stocked.setting.id(),
            debtor: stocked.facts.debtor.id,
            node,
            fence,
            since,
            until,
        };
        let left = if here {
            // Before the one that it replaces goes: the row is this one's from now on.
            self.callers.kept.insert(attempt, kept.clone());
            let place = KeptPlace {
                attempt,
                item: ctx.task.item.clone(),
                rules: crate::campaigns::rules(&stocked.setting.campaign),
                since,
                until,
            };
            self.keep_here(now, from, place, &state, stocked)
        } else {
            self.ask(now, Input::LeaveQueue(from)).is_ok()
        };
        if !left {
            self.callers.kept.remove(&attempt);
            return;
        }
        if let Some((before, _)) = before.filter(|_| !here) {
            self.take(now, Input::DropPlace(before));
        }
        self.left_to_be_called(now, from, ctx, &state);
        self.step(from, Step::KeepPlace(Box::new((kept, state))));
        self.asked_for_call(now, from, ctx);
        self.play_to(from, spoken(&["queue_kept"], stocked));
        self.board.touch();
    }

    fn keep_here(
        &mut self,
        now: UtcMs,
        from: AttemptId,
        place: KeptPlace,
        state: &ItemState,
        stocked: &Stocked,
    ) -> bool {
        let attempt = place.attempt;
        let later = Stocked {
            state: state.clone(),
            // He asked for it himself.
            why: None,
            ..stocked.clone()
        };
        self.by_hand.insert(attempt, later);
        let place = Box::new(place);
        let done = self.ask(now, Input::KeepPlace { from, place });
        if done.is_err() {
            self.by_hand.remove(&attempt);
        }
        done.is_ok()
    }

    /// What his call and its row say of it.
    fn left_to_be_called(&mut self, now: UtcMs, from: AttemptId, ctx: &CallCtx, state: &ItemState) {
        if let Some(caller) = self.callers.live.get_mut(&from) {
            caller.kept = true;
            caller.becomes(now, InboundOutcome::CallBack);
        }
        if ctx.inbound.is_none()
            && let Some(entry) = self.calls.get_mut(&from)
        {
            // The end of the call that he asked in leaves him there.
            entry.plan = Some(state.clone());
        }
        self.counts_of(ctx.stocked.setting.id()).call_back += 1;
    }

    /// That he asked for the call is a consent with its proof (law.md §2.8).
    fn asked_for_call(&self, now: UtcMs, from: AttemptId, ctx: &CallCtx) {
        let row = Consent {
            id: ConsentId(self.shared.id()),
            debtor_id: ctx.stocked.facts.debtor.id,
            channel: Channel::Call,
            purpose: "call_within_7_days".to_owned(),
            granted_at: now,
            until: Some(now.plus_ms(DAY_MS)),
            revoked_at: None,
            proof: format!("attempt:{from} key {CALL_BACK_KEY}"),
            revoke_proof: None,
        };
        let data = json!({"debtor_id": row.debtor_id, "purpose": row.purpose});
        let actor = self.shared.actor();
        let event = crate::closing::event(&self.shared, ctx, actor, "consent.granted", data);
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let store = &shared.out.store;
            let events = [event];
            let done = persist!(shared, store.put_consent(&row, &events));
            if let Err(error) = done {
                shared.fault("a caller's wish to be called was not written", &error);
            }
        });
    }

    /// A kept place is no more.
    pub(in crate::engine) fn place_gone(&mut self, attempt: AttemptId) {
        self.by_hand.remove(&attempt);
        self.place_over(attempt);
        self.board.touch();
    }

    /// A place is kept no more: its turn came, or its time is over. Other nodes need not look after it.
    pub(in crate::engine) fn place_over(&mut self, attempt: AttemptId) {
        let Some(place) = self.callers.kept.remove(&attempt) else {
            return;
        };
        if self.callers.given_up.len() >= GIVEN_UP_MAX {
            self.callers.given_up.pop_front();
        }
        self.callers.given_up.push_back(place.clone());
        let same = |p: &PlaceKept| (p.campaign, p.debtor) == (place.campaign, place.debtor);
        if self.callers.kept.values().any(same) {
            // Another one of his is kept in its row.
            return;
        }
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let store = &shared.out.store;
            if let Err(error) = persist!(shared, store.drop_place(&place)) {
                shared.fault("a kept place was not given up", &error);
            }
        });
    }
}

/// Where he stands whose place is kept until `next_at`. Should nobody be free in time it is an agreed call-back like
/// others; should this process die, one that is due at once.
fn kept_state(ctx: &CallCtx, next_at: UtcMs) -> ItemState {
    let stocked = &ctx.stocked;
    let before = if ctx.inbound.is_some() {
        stocked.state.clone()
    } else {
        crate::ladder::counted(stocked, CallResult::Human, true)
    };
    ItemState {
        next_at,
        priority: CALLBACK_PRIORITY,
        // He was told that he is called at this number.
        next_point: Some(stocked.point.id),
        note: CallbackRow::note_of(None),
        done: false,
        ..before
    }
}
