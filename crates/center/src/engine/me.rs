//! Topic `me`: what one agent's screen shows, as whole fields that changed, counted by one.

use super::Engine;
use super::pauses::pause_end;
use super::seen::KEEP_MS;
use crate::card::CardKind;
use crate::live::{AgentEntry, CallEntry, Pop, Tape};
use crate::words;
use dialer::Session;
use domain::ids::{AgentId, AttemptId};
use domain::rules::agent_state::{AgentState, QueuedWish};
use domain::time::{SECOND_MS, UtcMs};
use serde_json::{Map, Value, json};

/// `pause:lunch`, `offline`.
pub(crate) fn queued(wish: QueuedWish) -> String {
    match wish {
        QueuedWish::Pause(code) => format!("pause:{code}"),
        QueuedWish::Logout => "offline".to_owned(),
    }
}

/// Share of busy time in percent, rounded down.
pub(crate) fn percent((busy, total): (i64, i64)) -> u32 {
    if total <= 0 {
        return 0;
    }
    u32::try_from(busy.max(0) * 100 / total)
        .unwrap_or(0)
        .min(100)
}

fn attempt(
    entry: &CallEntry,
    session: &Session,
    consulted: bool,
    transfer: &Value,
    pause_ms: i64,
) -> Value {
    json!({
        "id": entry.ctx.id,
        "since": entry.invite_at.or(entry.answered_at).unwrap_or(session.machine.since()).0,
        "identity": entry.identity.is_some(),
        "held": session.machine.underlying() == AgentState::Hold,
        "muted": entry.muted,
        "recording_until": pause_end(entry, pause_ms),
        "recording": if entry.over.is_some() { Tape::Off.as_str() } else { entry.tape.as_str() },
        "answered_at": entry.answered_at.map(|t| t.0),
        "ended_at": entry.over.as_ref().map(|o| o.at.0),
        "audio": if entry.silent_at.is_some() && entry.over.is_none() { "one_way" } else { "ok" },
        "consulted": consulted,
        "heard": entry.heard.as_ref().map(|h| json!({
            "class": h.class, "confidence_pm": h.confidence_pm, "reason": h.reason, "acted": h.acted,
        })),
        "transfer": transfer,
    })
}

impl Engine {
    /// Attempt on the agent's screen: reserved, joined or in wrap-up.
    pub(super) fn shown_attempt(&self, agent: AgentId) -> Option<AttemptId> {
        self.brain.agent(agent).and_then(|s| s.call.or(s.wrap))
    }

    fn me(
        &self,
        now: UtcMs,
        id: AgentId,
        entry: &AgentEntry,
        session: &Session,
    ) -> Map<String, Value> {
        let call = session
            .call
            .or(session.wrap)
            .and_then(|a| self.calls.get(&a));
        // Between calls he may be given one of any campaign he serves: none is named.
        let campaign = call.map(|c| &c.ctx.stocked.setting.campaign);
        let ended = call.and_then(|c| c.over.as_ref()).map(|over| {
            let (es, en) = words::ending(over.by, over.result);
            json!({"cause_es": es, "cause_en": en, "by": over.by})
        });
        let rules = &session.rules;
        let occupancy = percent(session.machine.split_at(now).occupancy());
        let me = json!({
            "agent": id,
            "name": entry.agent.name,
            "state": session.state(),
            "since": session.machine.since().0,
            "pause_code": session.machine.code(),
            "queued": session.machine.queued.map(queued),
            "campaign": campaign
                .map(|c| json!({"id": c.id, "name": c.name}))
                .or_else(|| entry.preview.as_ref()?.1.get("campaign").cloned()),
            "attempt": call.map(|c| {
                let transfer = self.transfer_seen(c.ctx.id, id);
                let pause_ms = self.shared.config.recording_pause_ms;
                attempt(c, session, self.is_second(id, c.ctx.id), &transfer, pause_ms)
            }),
            "ended": ended,
            "limits": {
                "wrapup_max_s": rules.wrapup_max_ms / SECOND_MS, "wrapup_s": rules.wrapup_ms / SECOND_MS,
            },
            "phone": {"registered": entry.registered || session.leg_up, "leg_up": session.leg_up},
            "today": {
                "calls": entry.today.calls, "rpc": entry.today.rpc,
                "promises": entry.today.promises, "promised": entry.today.promised.list(),
                "occupancy_pct": occupancy,
            },
        });
        match me {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    /// Tells the agent what changed, at once, and his row to the board.
    pub(super) fn tell_me(&mut self, now: UtcMs, id: AgentId) {
        self.board.agent(id);
        let (Some(entry), Some(session)) = (self.agents.get(&id), self.brain.agent(id)) else {
            return;
        };
        let fresh = self.me(now, id, entry, session);
        let Some(entry) = self.agents.get_mut(&id) else {
            return;
        };
        let changed: Map<String, Value> = fresh
            .iter()
            .filter(|(key, value)| entry.last.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if changed.is_empty() {
            return;
        }
        entry.last = fresh;
        entry.seq += 1;
        let message = json!({
            "t": "d", "topic": "me", "seq": entry.seq, "now": now.0, "data": changed,
        });
        entry.kept.push_back((now, entry.seq, message.clone()));
        while entry
            .kept
            .front()
            .is_some_and(|(at, ..)| now.since_ms(*at) > KEEP_MS)
        {
            entry.kept.pop_front();
        }
        self.shared.out.desk.tell(id, message);
    }

    /// `sub`: missed deltas when they are still kept, else the whole; then the standing card.
    pub(crate) fn sub_me(&mut self, now: UtcMs, id: AgentId, resume: Option<u64>) -> bool {
        self.tell_me(now, id);
        self.dirty.remove(&id);
        let Some(entry) = self.agents.get(&id) else {
            return false;
        };
        let desk = &self.shared.out.desk;
        let first = entry.kept.front().map(|(_, seq, _)| *seq);
        let whole = resume.is_none_or(|seq| {
            seq > entry.seq || (seq < entry.seq && first.is_none_or(|first| seq + 1 < first))
        });
        if whole {
            if resume.is_some() {
                desk.tell(id, json!({"t": "gap", "topic": "me"}));
            }
            desk.tell(
                id,
                json!({
                    "t": "snap", "topic": "me", "seq": entry.seq, "now": now.0, "data": entry.last,
                }),
            );
        } else {
            let from = resume.unwrap_or(entry.seq);
            for (_, seq, message) in &entry.kept {
                if *seq > from {
                    desk.tell(id, message.clone());
                }
            }
        }
        self.repeat_card(now, id);
        true
    }

    fn repeat_card(&self, now: UtcMs, id: AgentId) {
        if let Some((_, body)) = self.agents.get(&id).and_then(|e| e.preview.as_ref()) {
            self.shared.out.desk.tell(id, body.clone());
        }
        let Some(attempt) = self.shown_attempt(id) else {
            return;
        };
        let shown =
            self.calls.get(&attempt).is_some_and(
                |e| matches!(e.pop, Pop::Shown(to, _) | Pop::Flying(to, _) if to == id),
            ) || self.is_second(id, attempt);
        let body = self.card_body(now, attempt, id, CardKind::Pop(attempt));
        if let Some(body) = body.filter(|_| shown) {
            self.shared.out.desk.tell(id, body);
        }
    }
}
