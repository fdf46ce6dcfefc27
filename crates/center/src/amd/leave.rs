//! A message on a machine: judged and counted first, then said.

use crate::closing;
use crate::live::CallCtx;
use crate::shared::{Shared, persist};
use dialer::Input;
use domain::entity::{LedgerKind, VoicemailTemplate};
use domain::ports::store::AttemptChange;
use domain::ports::{LegRef, PlayWhat};
use domain::rules::limited::may_be_left;
use domain::rules::voicemail::{Facts, render};
use domain::time::UtcMs;
use serde_json::json;
use std::sync::Arc;

/// Leaves the campaign's message on the machine whose beep was just heard. Whatever keeps it from being
/// said ends the call.
pub(crate) async fn leave(shared: Arc<Shared>, ctx: Arc<CallCtx>) {
    let attempt = ctx.id;
    if let Err(reason) = said(&shared, &ctx).await {
        tracing::info!(attempt = %attempt, reason, "no message left");
        shared
            .post
            .tell(move |engine, now| engine.take(now, Input::Played(attempt)))
            .await;
    }
}

/// Whether it may be said as things stand now: a hold, a listing or money may have come while it rang.
async fn allowed(
    shared: &Arc<Shared>,
    ctx: &CallCtx,
    template: &VoicemailTemplate,
    now: UtcMs,
) -> Result<(), &'static str> {
    let stocked = &ctx.stocked;
    let debtor = stocked.facts.debtor.id;
    let facts = persist!(shared, shared.out.store.contact_facts(debtor, now))
        .map_err(|_| "what stands in the debtor's file is not known")?;
    if facts.debts.is_empty() {
        return Err("the debtor owes nothing any more");
    }
    let verdict = crate::inbound::law(shared, &stocked.setting, &facts, &stocked.point, now);
    if !verdict.decision.permits(false) {
        return Err("the debtor may not be contacted so any more");
    }
    let duties = shared.out.law.duties(&facts, now);
    may_be_left(template, &shared.config.company, &duties)
}

async fn said(shared: &Arc<Shared>, ctx: &CallCtx) -> Result<(), &'static str> {
    let setting = &ctx.stocked.setting;
    let template = setting
        .voicemail
        .as_ref()
        .ok_or("the campaign has no message")?;
    let now = shared.now();
    allowed(shared, ctx, template, now).await?;
    let facts = Facts {
        company: &shared.config.company,
        number: &ctx.caller.1,
    };
    let parts = render(template, &facts).ok_or("the company's name tells of a debt")?;
    // Counted before it is said: what cannot be counted is not said.
    let row = closing::ledger_row(shared, ctx, LedgerKind::Message, now);
    let data = json!({
        "campaign_id": setting.id(), "template_id": template.id, "version": template.version,
    });
    let event = closing::event(shared, ctx, shared.actor(), "voicemail.left", data);
    let change = AttemptChange {
        ledger: vec![row],
        ..AttemptChange::default()
    };
    let events = [event];
    persist!(
        shared,
        shared.out.store.note_attempt(ctx.id, &change, &events)
    )
    .map_err(|error| {
        shared.fault("message on a machine not counted", &error);
        "it could not be counted"
    })?;
    let what = PlayWhat::Voicemail {
        language: template.language.as_str().to_owned(),
        parts,
    };
    let leg = LegRef::Debtor(ctx.id);
    shared.out.trunk.play(leg, what).await.map_err(|error| {
        tracing::warn!(attempt = %ctx.id, reason = %error, "message on a machine not played");
        "it could not be played"
    })
}
