//! What goes out.

use super::{before, cut, masked};
use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, page_request};
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Channel, Message, MessageState};
use domain::ids::{ClientId, DebtId, DebtorId, MessageId, PointId, StrategyId, TextTemplateId};
use domain::pii::Pii;
use domain::ports::store::{MessageAsk, MessageStep};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, send))
        .routes(routes!(read))
        .routes(routes!(cancel))
        .routes(routes!(gateways))
}

/// Which messages.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageQuery {
    /// Only this client's.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only this debtor's.
    #[param(value_type = Option<uuid::Uuid>)]
    debtor: Option<DebtorId>,
    /// Only in this state.
    #[param(value_type = Option<doc::MessageState>)]
    state: Option<MessageState>,
    /// Only by this channel.
    #[param(value_type = Option<doc::Channel>)]
    channel: Option<Channel>,
    /// Only of this strategy.
    #[param(value_type = Option<uuid::Uuid>)]
    strategy: Option<StrategyId>,
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A message as lists show it.
pub(crate) fn shown(row: Message) -> Message {
    Message {
        address: row.address.as_ref().map(masked),
        ..row
    }
}

/// Messages, newest first.
#[utoipa::path(get, path = "/messages", tag = "messages", params(MessageQuery),
    responses((status = 200, description = "A page", body = Items<doc::Message>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<MessageQuery>,
) -> Result<Json<Items<Message>>, Problem> {
    let wanted = page_request(query.limit, query.cursor)?;
    let ask = MessageAsk {
        client: caller.narrow(query.client)?,
        debtor: query.debtor,
        state: query.state,
        channel: query.channel,
        strategy: query.strategy,
        before: before(wanted.cursor.as_deref())?,
        limit: wanted.limit + 1,
    };
    let rows = state.store.messages_page(&ask).await?;
    let page = cut(rows, wanted.limit, |m| m.id.to_string());
    Ok(Json(Items {
        items: page.items.into_iter().map(shown).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// One.
#[utoipa::path(get, path = "/messages/{id}", tag = "messages", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The message", body = doc::Message)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<MessageId>,
) -> Result<Json<Message>, Problem> {
    let row = state.store.get_message(id).await?;
    Ok(Json(shown(tenant::seen(&state, &caller, row).await?)))
}

/// A message that somebody sends: by a template, or with a text of his own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMessage {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    /// Absent: about all of his debts.
    #[schema(value_type = Option<uuid::Uuid>)]
    debt_id: Option<DebtId>,
    /// Absent: the best point that the law allows.
    #[schema(value_type = Option<uuid::Uuid>)]
    point_id: Option<PointId>,
    /// `sms`, `whatsapp` or `email`.
    #[schema(value_type = doc::Channel)]
    channel: Channel,
    /// Template; or `text`.
    #[schema(value_type = Option<uuid::Uuid>)]
    template_id: Option<TextTemplateId>,
    /// Of an e-mail without a template.
    #[serde(default)]
    subject: String,
    /// Text; or `template_id`.
    #[serde(default)]
    #[schema(value_type = String)]
    text: Pii<String>,
}

/// Queues a message; the law is asked now and again when it leaves.
#[utoipa::path(post, path = "/messages", tag = "messages", request_body = NewMessage,
    responses((status = 201, description = "Queued", body = doc::Message), (status = 403, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn send(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewMessage>,
) -> Result<(StatusCode, Json<Message>), Problem> {
    let debtor = state.own_debtor(&caller, body.debtor_id).await?;
    caller.may_write(debtor.client_id)?;
    let ask = center::MessageAsk {
        debtor_id: body.debtor_id,
        debt_id: body.debt_id,
        point_id: body.point_id,
        channel: body.channel,
        template_id: body.template_id,
        subject: body.subject,
        text: body.text,
    };
    let row = state.center.queue_message(caller.asks_as(), ask).await?;
    Ok((StatusCode::CREATED, Json(shown(row))))
}

/// Takes a message back that has not left.
#[utoipa::path(post, path = "/messages/{id}/cancel", tag = "messages", params(("id" = uuid::Uuid, Path)),
    responses((status = 204, description = "Cancelled"), (status = 409, body = doc::Problem)))]
async fn cancel(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<MessageId>,
) -> Result<StatusCode, Problem> {
    let row = state.store.get_message(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    let subject = format!("message:{id}");
    let event = state.audit(&caller, Some(row.client_id), subject, "message.cancelled");
    let step = MessageStep {
        state: Some(MessageState::Cancelled),
        at: state.now(),
        reason: Some("by_hand".to_owned()),
        ..MessageStep::default()
    };
    if state.store.note_message(id, &step, &[event]).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail = "it has left, or has ended already";
    Err(Problem::conflict("message_left", detail))
}

/// A way out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GatewayView {
    name: String,
    #[schema(value_type = Vec<doc::Channel>)]
    channels: Vec<Channel>,
    /// Most messages a minute, over all nodes.
    per_minute: u32,
}

/// Gateways of this node.
#[utoipa::path(get, path = "/message-gateways", tag = "messages",
    responses((status = 200, description = "All of them", body = Vec<GatewayView>)))]
async fn gateways(State(state): State<ApiState>) -> Json<Vec<GatewayView>> {
    let all = state.center.gateways();
    Json(
        all.into_iter()
            .map(|(name, channels, per_minute)| GatewayView {
                name,
                channels,
                per_minute,
            })
            .collect(),
    )
}
