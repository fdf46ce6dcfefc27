//! Export of attempts for auditors: CSV or JSON lines, streamed page by page.

use super::export_row::{Format, Names, header, row};
use crate::auth::Caller;
use crate::extract::Params;
use crate::problem::Problem;
use crate::state::AUDIT_KIND;
use crate::{ApiState, doc, tenant};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header as name};
use axum::response::Response;
use bytes::Bytes;
use domain::ids::{CampaignId, ClientId};
use domain::ports::store::{AttemptFilter, PAGE_LIMIT_MAX, PageRequest};
use domain::time::UtcMs;
use futures::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(attempts))
}

/// Query of the export.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportQuery {
    /// `csv` (when absent) or `jsonl`.
    #[param(value_type = Option<String>)]
    format: Option<Format>,
    /// Opened at or after.
    #[param(value_type = Option<doc::Instant>)]
    since: Option<UtcMs>,
    /// Only this campaign's.
    #[param(value_type = Option<uuid::Uuid>)]
    campaign: Option<CampaignId>,
    /// Only this client's.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
}

struct Export {
    state: ApiState,
    filter: AttemptFilter,
    format: Format,
    names: Names,
    step: Step,
    _turn: OwnedSemaphorePermit,
}

enum Step {
    Head,
    Page(Option<String>),
    Done,
}

/// One row an attempt, oldest first; instants in UTC to the millisecond, no cell that a spreadsheet
/// would run.
#[utoipa::path(get, path = "/export/attempts", tag = "history", params(ExportQuery),
    responses((status = 200, description = "The rows", body = String, content_type = "text/csv")))]
async fn attempts(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<ExportQuery>,
) -> Result<Response, Problem> {
    let client_id = caller.narrow(query.client)?;
    if let Some(campaign) = query.campaign {
        let campaign = state.store.get_campaign(campaign).await?;
        tenant::seen(&state, &caller, campaign).await?;
    }
    let turn = std::sync::Arc::clone(&state.streams)
        .try_acquire_owned()
        .map_err(|_| Problem::unavailable("too many streams are open"))?;
    let format = query.format.unwrap_or(Format::Csv);
    let event = state.event(
        caller.actor(),
        client_id,
        AUDIT_KIND,
        "export:attempts".to_owned(),
        json!({"action": "attempts.exported", "campaign": query.campaign, "since": query.since}),
    );
    state.store.append_events(&[event]).await?;
    let export = Export {
        filter: AttemptFilter {
            client_id,
            campaign_id: query.campaign,
            debtor_id: None,
            since: query.since,
        },
        format,
        names: Names::default(),
        step: Step::Head,
        state,
        _turn: turn,
    };
    let body = stream::try_unfold(export, |mut export| async move {
        let part = export.part().await.map_err(std::io::Error::other)?;
        Ok::<_, std::io::Error>(part.map(|part| (part, export)))
    });
    let mut response = Response::new(Body::from_stream(body));
    let (kind, file) = match format {
        Format::Csv => (
            "text/csv; charset=utf-8",
            "attachment; filename=\"attempts.csv\"",
        ),
        Format::Jsonl => (
            "application/x-ndjson",
            "attachment; filename=\"attempts.jsonl\"",
        ),
    };
    let headers = response.headers_mut();
    headers.insert(name::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(name::CONTENT_DISPOSITION, HeaderValue::from_static(file));
    Ok(response)
}

impl Export {
    /// The next part of the body; `None` at the end. A failure in the middle cuts the body off, so
    /// that no reader takes half an export for a whole one.
    async fn part(&mut self) -> Result<Option<Bytes>, String> {
        let cursor = match std::mem::replace(&mut self.step, Step::Done) {
            Step::Head => {
                self.step = Step::Page(None);
                if let Some(head) = header(self.format)? {
                    return Ok(Some(head.into()));
                }
                None
            }
            Step::Page(cursor) => cursor,
            Step::Done => return Ok(None),
        };
        let request = PageRequest {
            limit: PAGE_LIMIT_MAX,
            cursor,
        };
        let page = self.state.store.list_attempts(&self.filter, &request).await;
        let page = page.map_err(|e| e.to_string())?;
        let mut text = Vec::new();
        for attempt in &page.items {
            let named = self.names.of(&*self.state.store, attempt).await;
            let named = named.map_err(|e| e.to_string())?;
            text.extend(row(self.format, attempt, &named)?);
        }
        self.step = page
            .next_cursor
            .map_or(Step::Done, |cursor| Step::Page(Some(cursor)));
        Ok(Some(text.into()))
    }
}
