//! Recordings: what is known of each, and its care: legal hold, place, end. The sound itself is in
//! `audio`.

use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, ListQuery, list_problem};
use crate::problem::Problem;
use crate::state::AUDIT_KIND;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use domain::entity::{Recording, RecordingKeep};
use domain::ids::RecordingId;
use domain::ports::StoreError;
use domain::ports::store::KeepChange;
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest reason, characters.
const REASON_MAX: usize = 500;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read))
        .routes(routes!(hold))
        .routes(routes!(release))
}

/// Care for a recording, once it is sealed.
#[derive(Serialize, ToSchema)]
struct Keep {
    /// `local`, `store`, `deleting`, `deleted`.
    place: &'static str,
    /// `call`, `agreement`, `dispute`; known once its end is planned.
    class: Option<&'static str>,
    /// From when it may be deleted.
    #[schema(value_type = Option<doc::Instant>)]
    delete_after: Option<UtcMs>,
    /// Legal hold since.
    #[schema(value_type = Option<doc::Instant>)]
    held_at: Option<UtcMs>,
    held_by: Option<String>,
    hold_reason: Option<String>,
    #[schema(value_type = Option<doc::Instant>)]
    deleted_at: Option<UtcMs>,
}

impl From<RecordingKeep> for Keep {
    fn from(keep: RecordingKeep) -> Self {
        Self {
            place: keep.place.as_str(),
            class: keep.class.map(|c| c.as_str()),
            delete_after: keep.delete_after,
            held_at: keep.held_at,
            held_by: keep.held_by,
            hold_reason: keep.hold_reason,
            deleted_at: keep.deleted_at,
        }
    }
}

/// A recording and its care.
#[derive(Serialize, ToSchema)]
pub(crate) struct Kept {
    #[serde(flatten)]
    #[schema(value_type = doc::Recording)]
    recording: Recording,
    keep: Option<Keep>,
}

/// A page, oldest first.
#[utoipa::path(get, path = "/recordings", tag = "history", params(ListQuery),
    responses((status = 200, description = "A page", body = Items<Kept>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<ListQuery>,
) -> Result<Json<Items<Kept>>, Problem> {
    let client = caller.narrow(query.client)?;
    let (filter, page) = query.split(client)?;
    let page = state.store.list_recordings(&filter, &page).await;
    let page = tenant::seen_page(&state, &caller, page.map_err(list_problem)?).await?;
    let ids: Vec<RecordingId> = page.items.iter().map(|r| r.id).collect();
    let mut keeps = state.store.keeps_of(&ids).await?;
    let items = page.items.into_iter().map(|recording| {
        let at = keeps.iter().position(|k| k.id == recording.id);
        let keep = at.map(|at| keeps.swap_remove(at).into());
        Kept { recording, keep }
    });
    Ok(Json(Items {
        items: items.collect(),
        next_cursor: page.next_cursor,
    }))
}

/// One.
#[utoipa::path(get, path = "/recordings/{id}", tag = "history", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The thing", body = Kept)))]
pub(crate) async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<RecordingId>,
) -> Result<Json<Kept>, Problem> {
    let row = state.store.get_recording(id).await?;
    let recording = tenant::seen(&state, &caller, row).await?;
    let keep = care(&state, id).await?.map(Into::into);
    Ok(Json(Kept { recording, keep }))
}

/// The care of a recording; `None` while it is not sealed.
pub(super) async fn care(
    state: &ApiState,
    id: RecordingId,
) -> Result<Option<RecordingKeep>, Problem> {
    match state.store.get_keep(id).await {
        Ok(keep) => Ok(Some(keep)),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// Without personal data.
    reason: String,
}

impl Reason {
    fn checked(self) -> Result<String, Problem> {
        let text = self.reason.trim();
        let fits = (1..=REASON_MAX).contains(&text.chars().count());
        if !fits || text.chars().any(char::is_control) {
            let wanted = format!("expected 1 to {REASON_MAX} characters on one line");
            return Err(Problem::invalid("reason", wanted));
        }
        Ok(text.to_owned())
    }
}

async fn change(
    state: &ApiState,
    caller: &Caller,
    id: RecordingId,
    reason: String,
    hold: bool,
) -> Result<Json<Kept>, Problem> {
    let row = state.store.get_recording(id).await?;
    let recording = tenant::seen(state, caller, row).await?;
    let action = if hold {
        "recording.held"
    } else {
        "recording.released"
    };
    let event = state.event(
        caller.actor(),
        Some(recording.client_id),
        AUDIT_KIND,
        format!("recording:{id}"),
        json!({"action": action, "attempt": recording.attempt_id, "reason": reason}),
    );
    let step = if hold {
        KeepChange::Hold {
            at: state.now(),
            by: caller.actor().to_string(),
            reason,
        }
    } else {
        KeepChange::Release
    };
    if !state.store.change_keep(id, &step, &[event]).await? {
        return Err(match (care(state, id).await?, hold) {
            (None, _) => Problem::conflict("wrong_state", "the recording is not sealed yet"),
            (Some(_), false) => Problem::conflict("not_held", "nobody holds this recording"),
            (Some(_), true) => {
                Problem::conflict("recording_deleted", "its time was over: it is deleted")
            }
        });
    }
    let keep = care(state, id).await?.map(Into::into);
    Ok(Json(Kept { recording, keep }))
}

/// Legal hold: nobody deletes it until it is released. A second hold replaces the reason.
#[utoipa::path(post, path = "/recordings/{id}/hold", tag = "history", params(("id" = uuid::Uuid, Path)),
    request_body = Reason,
    responses((status = 200, description = "Held", body = Kept), (status = 409, body = doc::Problem)))]
async fn hold(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<RecordingId>,
    Body(body): Body<Reason>,
) -> Result<Json<Kept>, Problem> {
    let reason = body.checked()?;
    change(&state, &caller, id, reason, true).await
}

/// Ends a legal hold; the reason goes to the audit.
#[utoipa::path(post, path = "/recordings/{id}/release", tag = "history", params(("id" = uuid::Uuid, Path)),
    request_body = Reason,
    responses((status = 200, description = "Released", body = Kept), (status = 409, body = doc::Problem)))]
async fn release(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<RecordingId>,
    Body(body): Body<Reason>,
) -> Result<Json<Kept>, Problem> {
    let reason = body.checked()?;
    change(&state, &caller, id, reason, false).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_said_on_one_line() {
        let said = |text: &str| {
            let reason = text.to_owned();
            Reason { reason }.checked().ok()
        };
        assert_eq!(said("  oficio 12/2026 "), Some("oficio 12/2026".to_owned()));
        for bad in ["", "   ", "a\nb", &"x".repeat(501)] {
            assert_eq!(said(bad), None, "{bad:?}");
        }
    }
}
