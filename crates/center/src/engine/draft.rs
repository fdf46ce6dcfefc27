//! What is written ahead of a dial: the attempt's row, its ledger row, the question to the law.

use super::Engine;
use crate::asked;
use crate::closing;
use crate::feeder;
use crate::floor::shown;
use crate::live::{CallCtx, Stocked};
use dialer::DialTask;
use domain::entity::{
    Attempt, AttemptState, CheckPoint, DialMode, HoldKind, HoldScope, LedgerKind, RecordMode,
};
use domain::ids::{CallerIdId, DebtId, RecordingId, VerdictId};
use domain::law::Action;
use domain::ports::store::OpenDraft;
use domain::time::UtcMs;
use serde_json::json;
use tokio::sync::OnceCell;

impl Engine {
    fn caller(&self, now: UtcMs, stocked: &Stocked) -> (Option<CallerIdId>, String) {
        let shown = shown::choose(
            &self.shared,
            &stocked.setting,
            &stocked.facts,
            Some(stocked.point.id),
            now,
        );
        (shown.id, shown.number)
    }

    /// What its decision is taken in.
    fn circumstances(&self, now: UtcMs, ctx: &CallCtx, action: &mut Action) {
        let (setting, task) = (&ctx.stocked.setting, &ctx.task);
        let who = match (task.mode, task.agent) {
            (DialMode::Manual, Some(agent)) => format!("agent:{agent}"),
            _ => self.shared.actor(),
        };
        asked::by(&self.shared, action, who);
        let around = &mut action.circumstances;
        let facts = &ctx.stocked.facts;
        let chosen = ctx.caller.0;
        around.caller = Some(shown::again(&self.shared, setting, facts, chosen, now));
        let windows = self.brain.abandonment(setting.id());
        let formula = task.item.abandon.formula.as_str();
        around.abandonment = asked::rate(&windows, formula, task.mode);
        around.action = Some(format!("attempt:{}", ctx.id));
        around.reserved_until = Some(task.item.lease_until);
    }

    pub(super) fn context(&self, now: UtcMs, mut task: DialTask, stocked: Stocked) -> CallCtx {
        let record = task.rules.record;
        let agreed = || {
            !self
                .shared
                .out
                .law
                .duties(&stocked.facts, now)
                .all_party_consent
        };
        if record == RecordMode::All && !agreed() {
            // Nothing is recorded before he agreed: his agent asks him, and switches it on.
            task.rules.record = RecordMode::OnDemand;
        }
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
            caller: self.caller(now, &stocked),
            recording_id,
            recording_key: format!(
                "{day}/{recording_id}.{}",
                self.shared.config.recording_suffix
            ),
            zone: feeder::zone_or_utc(&self.shared.out.law.zone_of(&stocked.facts)),
            card: OnceCell::new(),
            inbound: None,
            task,
            stocked,
        }
    }

    pub(super) fn draft(&self, now: UtcMs, ctx: &CallCtx) -> OpenDraft {
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
        self.circumstances(now, ctx, &mut action);
        let attempt = self.row(now, ctx, verdict_id);
        let data = json!({
            "campaign_id": stocked.setting.id(), "debtor_id": debtor.id,
            "point_id": stocked.point.id, "trunk_id": task.trunk, "mode": task.mode,
            "verdict_id": verdict_id, "opened_at": now,
        });
        let event = closing::event(
            &self.shared,
            ctx,
            self.shared.actor(),
            "attempt.dialed",
            data,
        );
        let ledger = closing::ledger_row(&self.shared, ctx, LedgerKind::Attempt, now);
        OpenDraft {
            attempt,
            action,
            ledger,
            events: vec![event],
        }
    }

    /// The row; the store fills the verdict's marks from the binding one.
    pub(super) fn row(&self, now: UtcMs, ctx: &CallCtx, verdict_id: VerdictId) -> Attempt {
        let (stocked, task) = (&ctx.stocked, &ctx.task);
        let debtor = &stocked.facts.debtor;
        Attempt {
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
            direction: domain::entity::Direction::Outbound,
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
        }
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
