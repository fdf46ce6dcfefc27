//! What the telephone side tells. The brain hears of it first; writing follows.

use super::Engine;
use super::tape::Sealed;
use crate::closing;
use crate::inbound::Came;
use crate::live::{CallCtx, CallEntry, Pop};
use crate::scribe::Step;
use dialer::{EndReport, Input, Phase};
use domain::entity::{AttemptState, Call, RecordMode};
use domain::ids::{AgentId, AttemptId, CallId, TrunkId};
use domain::ports::store::AttemptChange;
use domain::ports::{HangUpCause, LegRef, TrunkReport};
use domain::time::UtcMs;
use serde_json::json;
use std::sync::Arc;

/// Without news of silence for so long, both sides are heard again, ms.
const AUDIO_BACK_MS: i64 = 2_500;

impl Engine {
    pub(super) fn report(&mut self, now: UtcMs, report: TrunkReport) {
        match report {
            TrunkReport::Sent { attempt, at } => self.sent(now, attempt, at),
            TrunkReport::Incoming {
                attempt,
                trunk,
                caller,
                called,
                at,
            } => self.came_in(Came {
                attempt,
                trunk,
                caller,
                called,
                at,
            }),
            report @ TrunkReport::TurnedAway { .. } => self.turned_away_report(report),
            TrunkReport::Moved { attempt, trunk, .. } => self.moved(attempt, trunk),
            TrunkReport::Ringing { attempt, at, .. } => self.ringing(now, attempt, at),
            TrunkReport::Answered { attempt, at } => self.answered(now, attempt, at),
            TrunkReport::Bridged { attempt, agent, at } => self.bridged(now, attempt, agent, at),
            report @ TrunkReport::Ended { .. } => self.ended_report(now, report),
            report
            @ (TrunkReport::RecordingSealed { .. } | TrunkReport::RecordingFailed { .. }) => {
                self.recording_report(now, report);
            }
            TrunkReport::Played { leg, .. } => {
                if let LegRef::Debtor(attempt) = leg
                    && !self.caller_heard(now, attempt)
                {
                    if let Some(entry) = self.calls.get_mut(&attempt) {
                        entry.heard_out = true;
                    }
                    self.take(now, Input::Played(attempt));
                }
            }
            TrunkReport::Dtmf { leg, digit, .. } => self.digit(now, leg, digit),
            TrunkReport::OneWayAudio {
                attempt, silent_ms, ..
            } => {
                self.one_way(now, attempt, silent_ms);
            }
            report @ (TrunkReport::PartyRinging { .. }
            | TrunkReport::PartyUp { .. }
            | TrunkReport::PartyDown { .. }) => self.party_report(now, report),
            report @ (TrunkReport::Classified { .. }
            | TrunkReport::Early { .. }
            | TrunkReport::Printed { .. }) => self.sound_report(now, report),
            TrunkReport::Trail { attempt, at, trail } => self.keep_trail(attempt, at, trail),
            TrunkReport::TransferAsked {
                attempt, agent, to, ..
            } => self.asked_by_phone(agent, attempt, to),
            TrunkReport::AgentLegUp { agent, .. } => self.leg(now, agent, true),
            TrunkReport::AgentLegDown { agent, reason, .. } => {
                tracing::info!(agent = %agent, reason, "agent's leg is down");
                self.leg(now, agent, false);
            }
            TrunkReport::TrunkHealth { trunk, up, .. } => self.trunk_health(now, trunk, up),
            TrunkReport::Fault { attempt, .. } => self.voice_fault(now, attempt),
            TrunkReport::TollLimit { trunk, limit, .. } => self.trunk_spent(now, trunk, limit),
        }
    }

    /// A call is over.
    fn ended_report(&mut self, now: UtcMs, report: TrunkReport) {
        if let TrunkReport::Ended {
            attempt,
            sip_code,
            q850,
            by_us,
            ring_timeout,
            rtp_lost,
            result,
            ..
        } = report
        {
            self.totals.rtp_lost += rtp_lost;
            let end = EndReport {
                sip_code,
                q850,
                by_us,
                ring_timeout,
                told: result,
            };
            self.arrival_over(attempt);
            if !self.announced_over(now, attempt) {
                self.take(now, Input::Ended { attempt, end });
            }
        }
    }

    /// What a call sounds like.
    fn sound_report(&mut self, now: UtcMs, report: TrunkReport) {
        match report {
            TrunkReport::Classified {
                attempt,
                at,
                verdict,
            } => self.classified(now, attempt, at, &verdict),
            TrunkReport::Early {
                attempt, verdict, ..
            } => self.early(now, attempt, &verdict),
            TrunkReport::Printed { attempt, print, .. } => self.printed(attempt, print),
            _ => {}
        }
    }

    /// What became of a recording.
    fn recording_report(&mut self, now: UtcMs, report: TrunkReport) {
        match report {
            TrunkReport::RecordingSealed {
                recording,
                attempt,
                sha256,
                duration_ms,
                bytes,
                gaps,
                at,
            } => {
                let sealed = Sealed::whole(sha256, duration_ms, bytes, gaps);
                self.sealed(at, attempt, recording, sealed);
            }
            TrunkReport::RecordingFailed {
                recording,
                attempt,
                reason,
                at,
            } => {
                self.recording_failed(now, at, attempt, recording, reason);
            }
            _ => {}
        }
    }

    /// Hands a step to the attempt's writer.
    pub(super) fn step(&self, attempt: AttemptId, step: Step) {
        if let Some(entry) = self.calls.get(&attempt) {
            self.write(entry, step);
        }
    }

    pub(super) fn write(&self, entry: &CallEntry, step: Step) {
        // Only a database that is away for minutes while a call is held and resumed fills the queue.
        if let Err(error) = entry.scribe.try_send(step) {
            self.shared.fault("step of an attempt lost", &error);
        }
    }

    pub(super) fn note(
        &self,
        attempt: AttemptId,
        change: AttemptChange,
        kind: &str,
        data: serde_json::Value,
    ) {
        let Some(entry) = self.calls.get(&attempt) else {
            return;
        };
        let events = if kind.is_empty() {
            Vec::new()
        } else {
            vec![closing::event(
                &self.shared,
                &entry.ctx,
                self.shared.actor(),
                kind,
                data,
            )]
        };
        self.write(entry, Step::Note(Box::new(change), events));
    }

    /// Any report proves that the INVITE left, also when the first one was lost.
    fn invited(&mut self, attempt: AttemptId, at: UtcMs) -> bool {
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return false;
        };
        if entry.invite_at.is_some() {
            return false;
        }
        entry.invite_at = Some(at);
        let (campaign, trunk) = (entry.ctx.stocked.setting.id(), entry.ctx.task.trunk);
        self.totals.attempts += 1;
        if let Some(campaign) = self.campaigns.get_mut(&campaign) {
            campaign.stats.attempts += 1;
        }
        if let Some(trunk) = self.trunks.get_mut(&trunk) {
            trunk.invites += 1;
        }
        true
    }

    fn sent(&mut self, now: UtcMs, attempt: AttemptId, at: UtcMs) {
        self.take(now, Input::Sent(attempt));
        if self.invited(attempt, at) {
            let change = AttemptChange {
                state: Some(AttemptState::Sent),
                invite_at: Some(at),
                ..AttemptChange::default()
            };
            self.note(attempt, change, "", serde_json::Value::Null);
        }
    }

    /// Another trunk carries the call: the row and the trunk's figures follow it.
    fn moved(&mut self, attempt: AttemptId, trunk: TrunkId) {
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        entry.moved_to = Some(trunk);
        if let Some(stats) = self.trunks.get_mut(&trunk) {
            stats.invites += 1;
        }
        let change = AttemptChange {
            trunk_id: Some(trunk),
            ..AttemptChange::default()
        };
        self.note(attempt, change, "", serde_json::Value::Null);
    }

    fn ringing(&mut self, now: UtcMs, attempt: AttemptId, at: UtcMs) {
        self.take(now, Input::Ringing(attempt));
        let fresh = self.invited(attempt, at);
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        if entry.ringing_at.is_some() {
            return;
        }
        entry.ringing_at = Some(at);
        let sent_at = entry.invite_at.unwrap_or(at);
        self.totals.setup.add(at.since_ms(sent_at));
        if let Some(trunk) = self.trunks.get_mut(&entry.carrier()) {
            trunk.rung += 1;
            trunk.pdd_ms += u64::try_from(at.since_ms(sent_at)).unwrap_or(0);
        }
        let change = AttemptChange {
            state: Some(AttemptState::Ringing),
            invite_at: fresh.then_some(at),
            ringing_at: Some(at),
            ..AttemptChange::default()
        };
        self.note(attempt, change, "call.ringing", json!({}));
        // An agent who is reserved reads the card while it rings.
        let reserved = self
            .brain
            .call(attempt)
            .filter(|c| c.unanswered())
            .and_then(|c| c.agent);
        if let Some(agent) = reserved {
            self.pop(now, attempt, agent, false);
        }
    }

    fn answered(&mut self, now: UtcMs, attempt: AttemptId, at: UtcMs) {
        // Before the brain chooses an agent: the pop measures from here.
        let fresh = self.invited(attempt, at);
        let first = match self.calls.get_mut(&attempt) {
            Some(entry) if entry.answered_at.is_none() => {
                entry.answered_at = Some(at);
                true
            }
            Some(_) => false,
            None => {
                // Not ours any more: nobody may be left on the line.
                let trunk = Arc::clone(&self.shared.out.trunk);
                tokio::spawn(async move { trunk.hang_up(attempt, HangUpCause::Shutdown).await });
                return;
            }
        };
        self.take(now, Input::Answered { attempt, at });
        if !first {
            return;
        }
        // Its row first: a process that dies between the two leaves no answered call without one (seed 117).
        if self
            .calls
            .get(&attempt)
            .is_some_and(|e| e.ctx.task.rules.record == RecordMode::All)
        {
            self.open_tape(attempt, at);
        }
        let change = AttemptChange {
            state: Some(AttemptState::Answered),
            invite_at: fresh.then_some(at),
            answered_at: Some(at),
            ..AttemptChange::default()
        };
        self.note(attempt, change, "call.answered", json!({}));
    }

    fn bridged(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId, at: UtcMs) {
        self.take(now, Input::Bridged { attempt, agent, at });
        let joined = self
            .brain
            .call(attempt)
            .is_some_and(|c| c.phase == Phase::Connected && c.agent == Some(agent));
        let call_id = CallId(self.shared.id());
        let Some(entry) = self
            .calls
            .get_mut(&attempt)
            .filter(|e| joined && e.bridged_at.is_none())
        else {
            return;
        };
        entry.bridged_at = Some(at);
        entry.agent = Some(agent);
        entry.call_id = Some(call_id);
        let answered = entry.answered_at.unwrap_or(at);
        let wait = at.since_ms(answered);
        let inbound = entry.ctx.inbound.is_some();
        self.totals.connected += 1;
        if inbound {
            // Times of callers are those of their queue.
        } else if entry.waited {
            self.totals.wait.add(wait);
        } else {
            self.totals.bridge.add(wait);
            if let Pop::Shown(_, popped) = entry.pop {
                self.totals.pop.add(popped.since_ms(answered));
            }
        }
        let stocked = &entry.ctx.stocked;
        let talks = (stocked.facts.debtor.person_id, stocked.setting.client.id);
        let campaign = stocked.setting.id();
        self.places_end(talks);
        if let Some(campaign) = self.campaigns.get_mut(&campaign).filter(|_| !inbound) {
            campaign.stats.wait_debtor.add(wait);
        }
        if let Some(seat) = self.agents.get_mut(&agent) {
            seat.today.calls += 1;
        }
        self.dirty.insert(agent);
        let change = AttemptChange {
            bridged_at: Some(at),
            agent_id: Some(agent),
            ..AttemptChange::default()
        };
        self.note(attempt, change, "call.bridged", json!({"agent_id": agent}));
        let row = Call {
            id: call_id,
            attempt_id: attempt,
            agent_id: agent,
            started_at: at,
            ended_at: None,
            ended_by: None,
        };
        self.step(attempt, Step::PutCall(Box::new(row), Vec::new()));
        self.caller_joined(at, attempt);
    }

    /// The opt-out key counts while the message plays (law.md §5).
    fn digit(&mut self, now: UtcMs, leg: LegRef, digit: char) {
        let LegRef::Debtor(attempt) = leg else {
            return;
        };
        if self.announced_key(attempt, digit) || self.caller_key(now, attempt, digit) {
            return;
        }
        let plays = self
            .brain
            .call(attempt)
            .is_some_and(|c| c.phase == Phase::Message);
        if !plays || digit != self.shared.config.opt_out_digit {
            return;
        }
        let Some(entry) = self.calls.get(&attempt) else {
            return;
        };
        let ctx = Arc::clone(&entry.ctx);
        self.opt_out_of(attempt, &ctx);
    }

    /// The debtor wants no more calls at this number.
    pub(super) fn opt_out_of(&mut self, attempt: AttemptId, ctx: &CallCtx) {
        if let Some(entry) = self.calls.get_mut(&attempt) {
            entry.opted_out = true;
        }
        let stocked = &ctx.stocked;
        let (client, debtor) = (stocked.setting.client.id, stocked.facts.debtor.id);
        let (phone, shared) = (stocked.point.value.clone(), Arc::clone(&self.shared));
        tokio::spawn(async move {
            crate::ops::opt_out(&shared, client, debtor, phone, attempt).await;
        });
    }

    fn one_way(&mut self, now: UtcMs, attempt: AttemptId, silent_ms: i64) {
        self.alarm(
            now,
            format!("one_way_audio:{attempt}"),
            "one_way_audio",
            (
                "una llamada tiene audio en un solo sentido".to_owned(),
                "a call has audio one way only".to_owned(),
            ),
        );
        if let Some(entry) = self.calls.get_mut(&attempt) {
            entry.silent_at = Some(now);
            self.dirty.extend(entry.agent);
        }
        self.take(now, Input::OneWay { attempt, silent_ms });
    }

    /// Silence is told each second: where it is not told any more, audio is back.
    pub(super) fn audio_back(&mut self, now: UtcMs) {
        let heard: Vec<AttemptId> = self
            .calls
            .iter()
            .filter(|(_, e)| {
                e.silent_at
                    .is_some_and(|at| now.since_ms(at) > AUDIO_BACK_MS)
            })
            .map(|(id, _)| *id)
            .collect();
        for attempt in heard {
            if let Some(entry) = self.calls.get_mut(&attempt) {
                entry.silent_at = None;
                self.dirty.extend(entry.agent);
            }
            self.clear_alarm(&format!("one_way_audio:{attempt}"));
        }
    }

    fn trunk_health(&mut self, now: UtcMs, trunk: TrunkId, up: bool) {
        match self.spent.get_mut(&trunk) {
            // It takes no call, whether it answers or not.
            Some(answers) => *answers = up,
            None => self.take(now, Input::TrunkHealth { trunk, up }),
        }
        self.trunk_alarm(now, trunk, up);
    }

    /// The card's bytes are on the agent's socket.
    pub(super) fn popped(&mut self, attempt: AttemptId, agent: AgentId, at: UtcMs, bridged: bool) {
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        let asked = matches!(entry.pop, Pop::Flying(to, true) if to == agent);
        if matches!(entry.pop, Pop::Flying(to, _) if to == agent) {
            entry.pop = Pop::Shown(agent, at);
        }
        // The card of a second agent does not change when the first had his.
        let first = !std::mem::replace(&mut entry.carded, true);
        let change = AttemptChange {
            popped_at: first.then_some(at),
            ..AttemptChange::default()
        };
        self.note(attempt, change, "card.pushed", json!({"agent_id": agent}));
        if asked && !bridged {
            self.bridge(attempt, agent);
        }
        self.dirty.insert(agent);
    }

    /// The card could not be written: the agent's link is bad, the call goes on to another one.
    pub(super) fn pop_failed(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId) {
        if let Some(entry) = self.calls.get_mut(&attempt)
            && matches!(entry.pop, Pop::Flying(to, _) if to == agent)
        {
            entry.pop = Pop::None;
        }
        self.take(now, Input::PopFailed { attempt, agent });
    }
}
