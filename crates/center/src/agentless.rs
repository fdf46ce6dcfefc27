//! The message of an agentless campaign: told only as it was heard by who approved it (law.md §5), and its recording's
//! hash is kept with each call that heard it.

use crate::closing;
use crate::error::CenterError;
use crate::inbound::{FALLBACK, TONGUES, tongue};
use crate::live::{CallCtx, Setting};
use crate::shared::Shared;
use dialer::Input;
use domain::entity::{AgentlessParams, DialMode};
use domain::ids::{CampaignId, ClientId};
use domain::ports::{LegRef, PlayWhat};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Language that came after the first approvals, which do not name it.
const NEWER: &str = "pt";

/// SHA-256 of a message's recording by the language it is told in, as it would be played now; none without one.
pub(crate) async fn sounds(
    shared: &Shared,
    client: ClientId,
    message: &str,
) -> BTreeMap<String, String> {
    let client = client.to_string();
    let mut found = BTreeMap::new();
    for tongue in TONGUES {
        if let Some(sha256) = shared.out.trunk.sound_of(&client, tongue, message).await {
            found.insert((*tongue).to_owned(), sha256);
        }
    }
    found
}

/// The recording that was approved for who is told in a language. An approval that says nothing of that language was
/// given where he hears the fallback's.
pub(crate) fn approved_sound<'a>(
    approved: &'a AgentlessParams,
    tongue: &str,
) -> Option<&'a String> {
    let sounds = &approved.approved_sounds;
    let newer = || sounds.get(FALLBACK).filter(|_| tongue == NEWER);
    sounds.get(tongue).or_else(newer)
}

/// Whether what would be heard now is what was approved, in each language.
fn as_approved(now: &BTreeMap<String, String>, approved: &AgentlessParams) -> bool {
    let same = |tongue: &&str| now.get(*tongue) == approved_sound(approved, tongue);
    TONGUES.iter().all(same)
}

fn alarm_of(campaign: CampaignId) -> String {
    format!("message_replaced:{campaign}")
}

/// Says on the board that a message is not the one that was approved.
async fn raise(shared: &Shared, setting: &Setting) {
    let (id, name) = (setting.id(), &setting.campaign.name);
    let message = &setting.campaign.params.agentless.message;
    let words = (
        format!(
            "{name}: la grabación del mensaje «{message}» no es la que se aprobó: no se dice hasta aprobarla de nuevo"
        ),
        format!(
            "{name}: the recording of message \"{message}\" is not the one that was approved: it is told once it is \
             approved again"
        ),
    );
    shared
        .post
        .tell(move |engine, now| engine.alarm(now, alarm_of(id), "message_replaced", words))
        .await;
}

/// Whether the recording of a campaign that tells a message is the one that was approved, before anything of a start is
/// written.
///
/// # Errors
/// `message_replaced`.
pub(crate) async fn same(shared: &Shared, setting: &Setting) -> Result<(), CenterError> {
    let params = &setting.campaign.params;
    let message = &params.agentless.message;
    if params.mode != DialMode::Agentless
        || as_approved(
            &sounds(shared, setting.client.id, message).await,
            &params.agentless,
        )
    {
        return Ok(());
    }
    raise(shared, setting).await;
    Err(replaced(message))
}

fn replaced(message: &str) -> CenterError {
    CenterError::conflict(
        "message_replaced",
        format!(
            "the recording of message {message:?} is not the one that was approved: have it approved again"
        ),
    )
}

/// Whether a campaign that tells a message may dial: its recording is the one that was approved. One that dials
/// already stops, its ringing calls too.
///
/// # Errors
/// `message_replaced`.
pub(crate) async fn check(shared: &Shared, setting: &Arc<Setting>) -> Result<(), CenterError> {
    let params = &setting.campaign.params;
    if params.mode != DialMode::Agentless {
        return Ok(());
    }
    let id = setting.id();
    let now = sounds(shared, setting.client.id, &params.agentless.message).await;
    if as_approved(&now, &params.agentless) {
        shared
            .post
            .tell(move |engine, _| engine.clear_alarm(&alarm_of(id)))
            .await;
        return Ok(());
    }
    let left = Arc::clone(setting);
    shared
        .post
        .tell(move |engine, now| {
            if engine.is_dialing(id) {
                engine.leave(now, left, true);
            }
        })
        .await;
    raise(shared, setting).await;
    Err(replaced(&params.agentless.message))
}

/// Tells the message to who answered; what keeps it from being told ends the call.
pub(crate) async fn tell(shared: Arc<Shared>, ctx: Arc<CallCtx>) {
    let attempt = ctx.id;
    if let Err(reason) = told(&shared, &ctx).await {
        tracing::warn!(attempt = %attempt, reason, "message not played");
        // Without a message there is nothing to wait for: the call ends now.
        shared
            .post
            .tell(move |engine, now| engine.take(now, Input::Played(attempt)))
            .await;
    }
}

async fn told(shared: &Shared, ctx: &CallCtx) -> Result<(), &'static str> {
    let setting = &ctx.stocked.setting;
    let approved = &setting.campaign.params.agentless;
    let language = tongue(ctx.stocked.facts.debtor.language);
    let client = setting.client.id.to_string();
    let trunk = &shared.out.trunk;
    let sha256 = trunk.sound_of(&client, language, &approved.message).await;
    if sha256.is_none() || sha256.as_ref() != approved_sound(approved, language) {
        raise(shared, setting).await;
        return Err("it is not the recording that was approved");
    }
    let data = json!({
        "campaign_id": setting.id(), "message": approved.message, "language": language, "sha256": sha256,
        "approved_by": approved.approved_by, "approved_at": approved.approved_at,
    });
    let event = closing::event(shared, ctx, shared.actor(), "agentless.told", data);
    let what = PlayWhat::Spoken {
        parts: vec![approved.message.clone()],
        language: language.to_owned(),
        client,
    };
    let played = trunk.play(LegRef::Debtor(ctx.id), what).await;
    played.map_err(|_| "the telephone side refused it")?;
    shared.journal(event);
    Ok(())
}
