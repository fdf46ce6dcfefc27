//! The world of the figures from the event log alone: nothing is read but events, in their order.

use super::{KpiAttempt, KpiPayment, KpiPromise, KpiWorld};
use crate::entity::{AgentSpell, CallResult, DebtMark, PartyRole, PromiseState};
use crate::event::NewEvent;
use crate::ids::{AttemptId, PaymentId, PromiseId};
use crate::segment::day_of_date;
use serde_json::Value;
use std::str::FromStr;

fn get<T: FromStr>(data: &Value, key: &str) -> Option<T> {
    data.get(key)?.as_str()?.parse().ok()
}

fn id<T: FromStr>(event: &NewEvent) -> Option<T> {
    event.subject.split_once(':')?.1.parse().ok()
}

/// What the event of a mark carries: the whole row.
#[must_use]
pub fn mark_data(mark: &DebtMark) -> Value {
    serde_json::to_value(mark).unwrap_or_default()
}

impl KpiWorld {
    /// Takes one event. What it does not know, and what lacks a field (an event of an older program),
    /// changes nothing.
    pub fn take(&mut self, event: &NewEvent) {
        let data = &event.data;
        let _known = match event.kind.as_str() {
            "attempt.dialed" => self.dialed(event),
            "attempt.ended" => self.ended(event),
            "call.bridged" => self.talking(event, "agent_id"),
            "call.transferred" => self.talking(event, "to_agent"),
            "identity.verified" => {
                let role: Option<PartyRole> = get(data, "role");
                self.spoke(event, role.is_some_and(PartyRole::is_obligated))
            }
            "disposition.set" => self.disposed(event),
            "promise.made" => self.promised(event),
            "payment.posted" | "payment.reversed" => self.paid(event),
            "message.sent" => self.sent(event),
            "debt.aged" => self.aged(event),
            kind if kind.starts_with("promise.") => self.settled(event),
            kind if kind.starts_with("agent.") => self.timed(event),
            _ => None,
        };
    }

    fn attempt(&mut self, event: &NewEvent) -> Option<&mut KpiAttempt> {
        self.attempts.get_mut(&id::<AttemptId>(event)?)
    }

    fn dialed(&mut self, event: &NewEvent) -> Option<()> {
        let row = KpiAttempt {
            id: id(event)?,
            client_id: event.client_id?,
            campaign_id: get(&event.data, "campaign_id"),
            debtor_id: get(&event.data, "debtor_id")?,
            agent_id: None,
            opened_at: get(&event.data, "opened_at")?,
            answered_at: None,
            ended_at: None,
            made: false,
            rpc: false,
            third_party: false,
        };
        self.attempts.insert(row.id, row);
        Some(())
    }

    fn ended(&mut self, event: &NewEvent) -> Option<()> {
        let data = &event.data;
        let lost = data.get("by").and_then(Value::as_str) == Some("recovery");
        let row = self.attempt(event)?;
        row.answered_at = get(data, "answered_at");
        row.ended_at = get(data, "ended_at");
        let unknown = get(data, "result") == Some(CallResult::Unknown);
        row.made = unknown || data.get("invited").and_then(Value::as_bool) == Some(true);
        // In doubt who was joined with an agent has talked.
        row.rpc |= lost && row.agent_id.is_some();
        Some(())
    }

    fn talking(&mut self, event: &NewEvent, key: &str) -> Option<()> {
        let agent = get(&event.data, key)?;
        self.attempt(event)?.agent_id = Some(agent);
        Some(())
    }

    fn spoke(&mut self, event: &NewEvent, obligated: bool) -> Option<()> {
        self.attempt(event)?.rpc |= obligated;
        Some(())
    }

    fn disposed(&mut self, event: &NewEvent) -> Option<()> {
        let code = event.data.get("code")?.as_str()?.to_owned();
        let rpc = event.data.get("rpc").and_then(Value::as_bool) == Some(true);
        let row = self.attempt(event)?;
        row.rpc |= rpc;
        row.third_party = code.starts_with("CI.");
        Some(())
    }

    fn promised(&mut self, event: &NewEvent) -> Option<()> {
        let data = &event.data;
        let row = KpiPromise {
            id: id::<PromiseId>(event)?,
            client_id: event.client_id?,
            debtor_id: get(data, "debtor_id")?,
            debt_id: get(data, "debt_id")?,
            attempt_id: get(data, "attempt_id"),
            agent_id: get(data, "agent_id"),
            amount_minor: data.get("amount_minor")?.as_i64()?,
            currency: get(data, "currency")?,
            due_day: data.get("due_date")?.as_str().and_then(day_of_date),
            state: PromiseState::Active,
            made_at: get(data, "made_at")?,
        };
        self.promises.insert(row.id, row);
        Some(())
    }

    fn settled(&mut self, event: &NewEvent) -> Option<()> {
        let state = get(&event.data, "state")?;
        self.promises.get_mut(&id::<PromiseId>(event)?)?.state = state;
        Some(())
    }

    fn paid(&mut self, event: &NewEvent) -> Option<()> {
        let data = &event.data;
        let row = KpiPayment {
            id: id::<PaymentId>(event)?,
            client_id: event.client_id?,
            debtor_id: get(data, "debtor_id")?,
            debt_id: get(data, "debt_id")?,
            amount_minor: data.get("amount_minor")?.as_i64()?,
            currency: get(data, "currency")?,
            paid_at: get(data, "paid_at")?,
            posted_at: get(data, "posted_at")?,
        };
        self.payments.insert(row.id, row);
        Some(())
    }

    fn timed(&mut self, event: &NewEvent) -> Option<()> {
        let ended = AgentSpell::ended_by(event);
        self.spells.extend(ended.into_iter().map(|s| (s.id, s)));
        Some(())
    }

    fn aged(&mut self, event: &NewEvent) -> Option<()> {
        let mark: DebtMark = serde_json::from_value(event.data.clone()).ok()?;
        self.put_mark(mark);
        Some(())
    }

    /// Puts a mark behind those that the debt has: the one before ends on its day.
    pub fn put_mark(&mut self, mark: DebtMark) {
        self.portfolios.insert(mark.debtor_id, mark.portfolio_id);
        self.holders.insert((mark.debtor_id, mark.currency));
        let marks = self.marks.entry(mark.debt_id).or_default();
        if let Some((_, before)) = marks.range_mut(..mark.day).next_back() {
            before.until_day = before.until_day.min(mark.day);
        }
        marks.insert(mark.day, mark);
    }
}
