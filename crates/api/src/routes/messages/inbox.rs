//! What debtors write, and the answers.

use super::{before, cut, masked};
use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, page_request};
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{InboxMessage, InboxState, Message};
use domain::ids::{ClientId, DebtorId, InboxId};
use domain::pii::Pii;
use domain::ports::store::InboxAsk;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read))
        .routes(routes!(answer))
        .routes(routes!(close))
}

/// Which messages of debtors.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InboxQuery {
    /// Only this client's.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only this debtor's.
    #[param(value_type = Option<uuid::Uuid>)]
    debtor: Option<DebtorId>,
    /// Only in this state.
    #[param(value_type = Option<doc::InboxState>)]
    state: Option<InboxState>,
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A message of a debtor as lists show it.
pub(crate) fn shown(row: InboxMessage) -> InboxMessage {
    InboxMessage {
        address: masked(&row.address),
        ..row
    }
}

/// Messages of debtors, newest first.
#[utoipa::path(get, path = "/inbox", tag = "messages", params(InboxQuery),
    responses((status = 200, description = "A page", body = Items<doc::InboxMessage>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<InboxQuery>,
) -> Result<Json<Items<InboxMessage>>, Problem> {
    let wanted = page_request(query.limit, query.cursor)?;
    let ask = InboxAsk {
        client: caller.narrow(query.client)?,
        debtor: query.debtor,
        state: query.state,
        before: before(wanted.cursor.as_deref())?,
        limit: wanted.limit + 1,
    };
    let rows = state.store.inbox_page(&ask).await?;
    let page = cut(rows, wanted.limit, |m| m.id.to_string());
    Ok(Json(Items {
        items: page.items.into_iter().map(shown).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// One.
#[utoipa::path(get, path = "/inbox/{id}", tag = "messages", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The message", body = doc::InboxMessage)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<InboxId>,
) -> Result<Json<InboxMessage>, Problem> {
    let row = state.store.get_inbox(id).await?;
    Ok(Json(shown(tenant::seen(&state, &caller, row).await?)))
}

/// An answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerBody {
    /// Text, as long as the channel takes.
    #[schema(value_type = String)]
    text: Pii<String>,
}

/// Answers by the way it came; the law is asked, and the answer counts as any message.
#[utoipa::path(post, path = "/inbox/{id}/answer", tag = "messages", params(("id" = uuid::Uuid, Path)),
    request_body = AnswerBody,
    responses((status = 201, description = "Queued", body = doc::Message), (status = 403, body = doc::Problem), (status = 409, body = doc::Problem)))]
async fn answer(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<InboxId>,
    Body(body): Body<AnswerBody>,
) -> Result<(StatusCode, Json<Message>), Problem> {
    let row = state.store.get_inbox(id).await?;
    tenant::seen(&state, &caller, row).await?;
    let sent = state
        .center
        .answer_inbox(caller.asks_as(), id, body.text)
        .await?;
    Ok((StatusCode::CREATED, Json(sent)))
}

/// Closes a message that needs no answer.
#[utoipa::path(post, path = "/inbox/{id}/close", tag = "messages", params(("id" = uuid::Uuid, Path)),
    responses((status = 204, description = "Closed"), (status = 409, body = doc::Problem)))]
async fn close(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<InboxId>,
) -> Result<StatusCode, Problem> {
    let row = state.store.get_inbox(id).await?;
    tenant::seen(&state, &caller, row).await?;
    state.center.close_inbox(caller.asks_as(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
