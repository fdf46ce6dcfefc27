//! Payment links: a signed, expiring address for one amount of one debt.

use super::identified;
use super::payments::Amount;
use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{self, Items};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use domain::entity::{Channel, DebtStatus, Language, LinkState, PaymentLink, Role};
use domain::ids::{AttemptId, ClientId, DebtId, DebtorId, PaymentLinkId, PointId};
use domain::link::{LinkKind, provable};
use domain::money::Money;
use domain::ports::store::LinkFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Life of a link when nobody says, hours, and the longest: promises look seven days ahead.
const HOURS: i64 = 72;
const HOURS_MAX: i64 = 7 * 24;
const HOUR_MS: i64 = 3_600_000;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read))
        .routes(routes!(cancel))
        .routes(routes!(send))
        .routes(routes!(options))
}

/// A link with its address.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkReply {
    #[schema(value_type = doc::PaymentLink)]
    link: PaymentLink,
    /// What is sent to the debtor.
    url: String,
}

/// The address of a link's page.
pub(crate) fn url_of(state: &ApiState, base: &str, link: &PaymentLink) -> String {
    let token = state
        .links()
        .sign(LinkKind::Payment, link.id.0, link.expires_at);
    format!("{base}/p/{token}")
}

/// A link to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLink {
    #[schema(value_type = uuid::Uuid)]
    debt_id: DebtId,
    /// More than 0, no more than the debt, in its currency.
    #[schema(value_type = doc::Money)]
    amount: Amount,
    /// Life, hours, 1 to 168; 72 when absent.
    hours: Option<i64>,
    /// Point of the debtor that it is sent to.
    #[schema(value_type = Option<uuid::Uuid>)]
    point_id: Option<PointId>,
    /// The agent's call in which it is made.
    #[schema(value_type = Option<uuid::Uuid>)]
    attempt_id: Option<AttemptId>,
}

/// Makes a link. An agent makes it in his call, once identity is proved.
#[utoipa::path(post, path = "/payment-links", tag = "money", request_body = NewLink,
    responses((status = 201, description = "Made", body = LinkReply)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    Body(body): Body<NewLink>,
) -> Result<(StatusCode, Json<LinkReply>), Problem> {
    let debt = state.store.get_debt(body.debt_id).await?;
    let debt = tenant::seen(&state, &caller, debt).await?;
    identified(&state, &caller, debt.debtor_id, body.attempt_id).await?;
    if debt.status != DebtStatus::Open {
        return Err(Problem::conflict("not_owed", "this debt is not owed"));
    }
    if body.amount.currency != debt.currency {
        let reason = format!("expected the debt's currency, {}", debt.currency);
        return Err(Problem::invalid("amount.currency", reason));
    }
    let debt = state.owed(debt, state.now()).await?;
    let most = debt.balance_minor();
    let minor = check::range("amount.amount_minor", body.amount.amount_minor, 1, most)?;
    let hours = check::range("hours", body.hours.unwrap_or(HOURS), 1, HOURS_MAX)?;
    let debtor = state.store.get_debtor(debt.debtor_id).await?;
    if !provable(debtor.document.reveal()) {
        let detail = "the debtor's document is not known: his page could not ask who he is";
        return Err(Problem::conflict("no_document", detail));
    }
    if let Some(point) = body.point_id {
        let point = state.store.get_point(point).await?;
        if point.debtor_id != debt.debtor_id {
            return Err(Problem::invalid(
                "point_id",
                "expected a point of the debtor",
            ));
        }
    }
    let now = state.now();
    let link = PaymentLink {
        id: PaymentLinkId(state.id()),
        client_id: debt.client_id,
        debtor_id: debt.debtor_id,
        debt_id: debt.id,
        amount: Money::new(minor, debt.currency),
        point_id: body.point_id,
        state: LinkState::Created,
        tries: 0,
        session: None,
        session_url: None,
        made_by: caller.actor(),
        created_at: now,
        expires_at: now.plus_ms(hours * HOUR_MS),
        opened_at: None,
        paid_at: None,
    };
    state
        .center
        .make_link(caller.asks_as(), link.clone())
        .await?;
    let subject = format!("payment_link:{}", link.id);
    let event = state.audit(&caller, Some(link.client_id), subject, "payment_link.made");
    state.store.append_events(&[event]).await?;
    let url = url_of(&state, &state.public_url(&headers), &link);
    Ok((StatusCode::CREATED, Json(LinkReply { link, url })))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LinkQuery {
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only this client's.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only this debtor's.
    #[param(value_type = Option<uuid::Uuid>)]
    debtor: Option<DebtorId>,
    /// Only those in this state. `locked`: open ones whose page too many wrong answers have closed; they are not
    /// among `created` and `opened` then.
    #[param(inline)]
    state: Option<Shown>,
}

/// States as lists show them.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shown {
    Created,
    Opened,
    Locked,
    Paid,
    Expired,
    Cancelled,
}

impl Shown {
    const fn state(self) -> Option<LinkState> {
        match self {
            Self::Created => Some(LinkState::Created),
            Self::Opened => Some(LinkState::Opened),
            Self::Locked => None,
            Self::Paid => Some(LinkState::Paid),
            Self::Expired => Some(LinkState::Expired),
            Self::Cancelled => Some(LinkState::Cancelled),
        }
    }
}

/// A page, newest first; an agent sees those he made.
#[utoipa::path(get, path = "/payment-links", tag = "money", params(LinkQuery),
    responses((status = 200, description = "A page", body = Items<doc::PaymentLink>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<LinkQuery>,
) -> Result<Json<Items<PaymentLink>>, Problem> {
    let client = caller.narrow(query.client)?;
    let page = list::page_request(query.limit, query.cursor)?;
    let filter = LinkFilter {
        client_id: client,
        debtor_id: query.debtor,
        made_by: (caller.role == Role::Agent).then(|| caller.actor()),
        state: query.state.and_then(Shown::state),
        locked: query.state.map(|s| matches!(s, Shown::Locked)),
    };
    let page = state.store.payment_links_page(&filter, &page).await;
    let page = page.map_err(list::list_problem)?;
    Ok(Json(tenant::seen_page(&state, &caller, page).await?))
}

async fn own(state: &ApiState, caller: &Caller, id: PaymentLinkId) -> Result<PaymentLink, Problem> {
    let link = state.store.get_payment_link(id).await?;
    let link = tenant::seen(state, caller, link).await?;
    if caller.role == Role::Agent && link.made_by != caller.actor() {
        return Err(Problem::not_found("payment link"));
    }
    Ok(link)
}

/// One, with its address.
#[utoipa::path(get, path = "/payment-links/{id}", tag = "money", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The thing", body = LinkReply)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    Id(id): Id<PaymentLinkId>,
) -> Result<Json<LinkReply>, Problem> {
    let link = own(&state, &caller, id).await?;
    let url = url_of(&state, &state.public_url(&headers), &link);
    Ok(Json(LinkReply { link, url }))
}

/// Withdraws a link that is not paid.
#[utoipa::path(post, path = "/payment-links/{id}/cancel", tag = "money",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Withdrawn", body = doc::PaymentLink)))]
async fn cancel(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PaymentLinkId>,
) -> Result<Json<PaymentLink>, Problem> {
    let link = own(&state, &caller, id).await?;
    if !state.center.cancel_link(caller.asks_as(), &link).await? {
        return Err(Problem::conflict(
            "link_closed",
            "this link is closed already",
        ));
    }
    let subject = format!("payment_link:{id}");
    let event = state.audit(
        &caller,
        Some(link.client_id),
        subject,
        "payment_link.cancelled",
    );
    state.store.append_events(&[event]).await?;
    Ok(Json(state.store.get_payment_link(id).await?))
}

/// How a link is sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendBody {
    /// `sms`, `whatsapp` or `email`.
    #[schema(value_type = doc::Channel)]
    channel: Channel,
    /// Point; the best that the law allows when absent.
    #[schema(value_type = Option<uuid::Uuid>)]
    point_id: Option<PointId>,
}

/// Subject and text of the message that carries a link: nothing of a debt, an amount or a creditor.
fn words(language: Language, url: &str) -> (String, String) {
    match language {
        Language::En => (
            "Your secure page".to_owned(),
            format!("Here is the secure page you asked for: {url}"),
        ),
        Language::Es | Language::Pt => (
            "Su página segura".to_owned(),
            format!("Esta es la página segura que pidió: {url}"),
        ),
    }
}

/// Queues a message that carries the link's address; it is judged as every message is.
#[utoipa::path(post, path = "/payment-links/{id}/send", tag = "money",
    params(("id" = uuid::Uuid, Path)), request_body = SendBody,
    responses((status = 201, description = "Queued", body = doc::PaymentLink),
        (status = 403, description = "The law refuses", body = doc::Problem)))]
async fn send(
    State(state): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    Id(id): Id<PaymentLinkId>,
    Body(body): Body<SendBody>,
) -> Result<(StatusCode, Json<PaymentLink>), Problem> {
    let link = own(&state, &caller, id).await?;
    if !matches!(link.state, LinkState::Created | LinkState::Opened) {
        return Err(Problem::conflict(
            "link_closed",
            "this link is closed already",
        ));
    }
    let debtor = state.store.get_debtor(link.debtor_id).await?;
    let url = url_of(&state, &state.public_url(&headers), &link);
    let (subject, text) = words(debtor.language, &url);
    let ask = center::MessageAsk {
        debtor_id: link.debtor_id,
        debt_id: Some(link.debt_id),
        point_id: body.point_id,
        channel: body.channel,
        template_id: None,
        subject: if body.channel == Channel::Email {
            subject
        } else {
            String::new()
        },
        text: text.into(),
    };
    state.center.send_link(caller.asks_as(), &link, ask).await?;
    Ok((StatusCode::CREATED, Json(link)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OptionsQuery {
    /// The agent's call.
    #[param(value_type = Option<uuid::Uuid>)]
    attempt: Option<AttemptId>,
}

/// How a debtor can pay.
#[derive(Serialize, ToSchema)]
pub(crate) struct OptionsReply {
    /// The debtor's packs let us take money.
    may_receive_money: bool,
    /// Links lead to a payment provider.
    provider: bool,
    /// How the creditor himself is paid; empty = not told.
    creditor_data: String,
    /// His links, newest first, at most 10.
    #[schema(value_type = Vec<doc::PaymentLink>)]
    links: Vec<PaymentLink>,
}

/// How a debtor can pay: a link where his law lets us take money, else the creditor's own data.
#[utoipa::path(get, path = "/debtors/{id}/payment-options", tag = "money",
    params(("id" = uuid::Uuid, Path), OptionsQuery),
    responses((status = 200, description = "The ways", body = OptionsReply)))]
async fn options(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtorId>,
    Params(query): Params<OptionsQuery>,
) -> Result<Json<OptionsReply>, Problem> {
    let debtor = state.own_debtor(&caller, id).await?;
    identified(&state, &caller, id, query.attempt).await?;
    let policy = state.store.money_policy(debtor.client_id).await?;
    let page = list::page_request(Some(10), None)?;
    let filter = LinkFilter {
        debtor_id: Some(id),
        ..LinkFilter::default()
    };
    let links = state.store.payment_links_page(&filter, &page).await?;
    Ok(Json(OptionsReply {
        may_receive_money: state.center.duties(id).await?.may_receive_money,
        provider: state.config.money.provider.is_some(),
        creditor_data: policy.creditor_data,
        links: links.items,
    }))
}
