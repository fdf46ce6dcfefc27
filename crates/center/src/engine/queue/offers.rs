//! The call-back that keeps the place is offered only where the law lets us make it.

use crate::engine::Engine;
use crate::live::{CallCtx, Stocked};
use crate::{campaigns, closing, feeder};
use domain::entity::{CheckPoint, LedgerKind};
use domain::time::{MINUTE_MS, UtcMs};
use std::borrow::Cow;

impl Engine {
    /// Whether a call-back that keeps the place is offered now to who waits, or would. Who is in no campaign has no item
    /// that would remember it. The law is asked with everything that was done, now and for the place's last moment: what
    /// is promised is a call of ours, and it counts like any other. `on` is the call that he is in.
    pub(super) fn offers(&self, now: UtcMs, stocked: &Stocked, on: Option<&CallCtx>) -> bool {
        let setting = &stocked.setting;
        let params = &setting.campaign.params.inbound;
        if !params.callback || !stocked.in_campaign {
            return false;
        }
        let mut facts = Cow::Borrowed(&*stocked.facts);
        if let Some(ctx) = on.filter(|ctx| ctx.inbound.is_none()) {
            // The facts were read before this call went out to him.
            let entry = self.calls.get(&ctx.id);
            let at = entry.and_then(|e| e.invite_at).unwrap_or(now);
            let made = closing::ledger_row(&self.shared, ctx, LedgerKind::Attempt, at);
            facts.to_mut().ledger.push(made);
        }
        let ring_ms = campaigns::rules(&setting.campaign).ring_timeout_ms;
        let until = now.plus_ms(params.keep_place_min * MINUTE_MS);
        [now, until].into_iter().all(|at| {
            let (id, point) = (stocked.verdict_id, Some(stocked.point.id));
            let mut action = feeder::action(setting, id, CheckPoint::Callback, point, ring_ms, at);
            action.agent_reserved = true;
            let verdict = self.shared.out.law.judge(&facts, &action);
            verdict.decision.permits(true)
        })
    }
}
