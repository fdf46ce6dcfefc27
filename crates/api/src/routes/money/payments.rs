//! Payments: money on debts.

use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{self, Items};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use center::Payer;
use domain::entity::{
    Debt, DebtStatus, Payment, PaymentChannel, Promise, Receipt, ReceiptSource, ReceiptState,
};
use domain::ids::{ClientId, DebtId, DebtorId, PaymentId, PortfolioId, ReceiptId};
use domain::money::Money;
use domain::pii::Pii;
use domain::ports::store::PaymentFilter;
use domain::time::{DAY_MS, UtcMs};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read))
        .routes(routes!(reverse))
}

/// Which payments.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaymentQuery {
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only this client's.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only on debts of this portfolio.
    #[param(value_type = Option<uuid::Uuid>)]
    portfolio: Option<PortfolioId>,
    /// Only this debtor's.
    #[param(value_type = Option<uuid::Uuid>)]
    debtor: Option<DebtorId>,
    /// Only on this debt.
    #[param(value_type = Option<uuid::Uuid>)]
    debt: Option<DebtId>,
    /// Money that moved at or after it.
    #[param(value_type = Option<doc::Instant>)]
    from: Option<UtcMs>,
    /// Money that moved before it.
    #[param(value_type = Option<doc::Instant>)]
    until: Option<UtcMs>,
    /// Only of this channel.
    #[param(value_type = Option<doc::PaymentChannel>)]
    channel: Option<PaymentChannel>,
    /// `true`: only what was taken back; `false`: only what was not.
    reversals: Option<bool>,
}

/// A page, newest first.
#[utoipa::path(get, path = "/payments", tag = "money", params(PaymentQuery),
    responses((status = 200, description = "A page", body = Items<doc::Payment>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<PaymentQuery>,
) -> Result<Json<Items<Payment>>, Problem> {
    let filter = PaymentFilter {
        client_id: caller.narrow(query.client)?,
        portfolio_id: query.portfolio,
        debtor_id: query.debtor,
        debt_id: query.debt,
        from: query.from,
        until: query.until,
        channel: query.channel.map(|c| c.as_str().to_owned()),
        reversals: query.reversals,
    };
    let page = list::page_request(query.limit, query.cursor)?;
    let page = state.store.payments_page(&filter, &page).await;
    let page = page.map_err(list::list_problem)?;
    Ok(Json(tenant::seen_page(&state, &caller, page).await?))
}

/// One.
#[utoipa::path(get, path = "/payments/{id}", tag = "money", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The thing", body = doc::Payment)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PaymentId>,
) -> Result<Json<Payment>, Problem> {
    let row = state.store.get_payment(id).await?;
    Ok(Json(tenant::seen(&state, &caller, row).await?))
}

/// An amount in a body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Amount {
    pub(super) amount_minor: i64,
    pub(super) currency: domain::money::Currency,
}

/// A payment to post.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPayment {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    #[schema(value_type = uuid::Uuid)]
    debt_id: DebtId,
    /// More than 0, in the debt's currency. What is more than the debt goes on the debtor's others by the
    /// client's rule; what is more than all of them waits in the queue of receipts.
    #[schema(value_type = doc::Money)]
    amount: Amount,
    /// When the money moved; at most a day ahead.
    #[schema(value_type = doc::Instant)]
    paid_at: UtcMs,
    #[schema(value_type = doc::PaymentChannel)]
    channel: PaymentChannel,
    /// The source's own reference, unique within the client. Other money under it is no repeat: it waits in the
    /// queue of receipts with the note `other_amount`.
    reference: String,
}

/// What a payment did.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentReply {
    /// The first one, when the reference repeats; none when nothing of it was owed.
    #[schema(value_type = Option<doc::Payment>)]
    payment: Option<Payment>,
    /// Promises whose state it changed.
    #[schema(value_type = Vec<doc::Promise>)]
    promises: Vec<Promise>,
    /// What the debt still is, minor units.
    balance_minor: i64,
    debt_paid: bool,
    /// This reference was posted before.
    repeated: bool,
    /// The money as it came in.
    receipt_id: Option<uuid::Uuid>,
    /// What of it is on no debt: it waits in the queue, minor units.
    left_minor: i64,
}

impl PaymentReply {
    fn of(debt: &Debt, payment: Option<Payment>, repeated: bool) -> Self {
        Self {
            payment,
            promises: vec![],
            balance_minor: debt.balance_minor(),
            debt_paid: debt.status == DebtStatus::Paid,
            repeated,
            receipt_id: None,
            left_minor: 0,
        }
    }
}

/// Checks when money moved.
pub(super) fn moved_at(state: &ApiState, at: UtcMs) -> Result<UtcMs, Problem> {
    if at.since_ms(state.now()) > DAY_MS {
        return Err(Problem::invalid("paid_at", "expected no instant to come"));
    }
    Ok(at)
}

/// What of a body is money of which debt.
async fn read_new(
    state: &ApiState,
    caller: &Caller,
    body: &NewPayment,
) -> Result<(Receipt, Debt), Problem> {
    let debtor = state.own_debtor(caller, body.debtor_id).await?;
    let debt = state.store.get_debt(body.debt_id).await?;
    let debt = tenant::seen(state, caller, debt).await?;
    if debt.debtor_id != debtor.id {
        return Err(Problem::invalid("debt_id", "expected a debt of the debtor"));
    }
    if body.amount.currency != debt.currency {
        let reason = format!("expected the debt's currency, {}", debt.currency);
        return Err(Problem::invalid("amount.currency", reason));
    }
    let minor = body.amount.amount_minor;
    let minor = check::range("amount.amount_minor", minor, 1, check::AMOUNT_MAX)?;
    let now = state.now();
    let receipt = Receipt {
        id: ReceiptId(state.id()),
        client_id: debt.client_id,
        source: ReceiptSource::Api,
        reference: check::name("reference", &body.reference)?,
        amount: Money::new(minor, debt.currency),
        left_minor: minor,
        returned_minor: 0,
        paid_at: moved_at(state, body.paid_at)?,
        channel: body.channel,
        concept: Pii(String::new()),
        document: Pii(String::new()),
        debtor_id: None,
        file_id: None,
        state: ReceiptState::Unmatched,
        note: String::new(),
        created_at: now,
        updated_at: now,
    };
    Ok((receipt, debt))
}

/// The money that came in and of which a payment was made: of the payment itself, when it had no receipt.
async fn came(state: &ApiState, payment: &Payment) -> Result<Money, Problem> {
    let parts = state.store.parts_of(&[payment.id]).await?;
    Ok(match parts.first().and_then(|p| p.receipt_id) {
        Some(receipt) => state.store.get_receipt(receipt).await?.amount,
        None => payment.amount,
    })
}

/// Posts a payment: lowers the debt, keeps promises, withdraws what would be dialed of who paid.
#[utoipa::path(post, path = "/payments", tag = "money", request_body = NewPayment,
    responses((status = 201, description = "Posted", body = PaymentReply),
        (status = 200, description = "This reference was posted before", body = PaymentReply)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewPayment>,
) -> Result<(StatusCode, Json<PaymentReply>), Problem> {
    let (receipt, debt) = read_new(&state, &caller, &body).await?;
    let (store, client) = (&state.store, debt.client_id);
    let first = store
        .payment_by_reference(client, &receipt.reference)
        .await?;
    let mut receipt = receipt;
    if let Some(first) = first {
        if came(&state, &first).await? == receipt.amount {
            let debt = store.get_debt(first.debt_id).await?;
            return Ok((
                StatusCode::OK,
                Json(PaymentReply::of(&debt, Some(first), true)),
            ));
        }
        receipt = receipt.as_other_amount();
    }
    let payer = Payer {
        debtor_id: Some(debt.debtor_id),
        debt_id: Some(debt.id),
        shares: None,
    };
    let asks = caller.asks_as();
    let taken = state.center.take_money(asks, receipt, payer).await?;
    if !taken.repeated {
        let subject = match taken.payments.first() {
            Some(first) => format!("payment:{}", first.payment.id),
            None => format!("receipt:{}", taken.receipt.id),
        };
        let event = state.audit(&caller, Some(client), subject, "payment.posted");
        store.append_events(&[event]).await?;
    }
    let debt = store.get_debt(debt.id).await?;
    let first = taken.payments.first().map(|p| p.payment.clone());
    let reply = PaymentReply {
        promises: taken
            .payments
            .into_iter()
            .flat_map(|p| p.promises)
            .collect(),
        receipt_id: Some(taken.receipt.id.0),
        left_minor: taken.receipt.left_minor,
        ..PaymentReply::of(&debt, first, taken.repeated)
    };
    let status = if taken.repeated {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, Json(reply)))
}

/// What is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reversal {
    /// How much, minor units, more than 0; all of it when absent.
    amount_minor: Option<i64>,
    /// The source's reference of the taking back, unique within the client.
    reference: String,
    /// Goes to the audit; without personal data.
    reason: String,
}

/// Takes a payment back by a second row: the debt gets back exactly what the payment took.
#[utoipa::path(post, path = "/payments/{id}/reverse", tag = "money",
    params(("id" = uuid::Uuid, Path)), request_body = Reversal,
    responses((status = 201, description = "Taken back", body = PaymentReply),
        (status = 200, description = "This reference was posted before", body = PaymentReply)))]
async fn reverse(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PaymentId>,
    Body(body): Body<Reversal>,
) -> Result<(StatusCode, Json<PaymentReply>), Problem> {
    let row = state.store.get_payment(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    let reference = check::name("reference", &body.reference)?;
    let reason = check::text("reason", &body.reason, check::TEXT_MAX)?;
    let done = state
        .center
        .reverse_payment(caller.asks_as(), id, body.amount_minor, reference)
        .await?;
    if !done.repeated {
        let subject = format!("payment:{id}");
        let client = Some(row.client_id);
        let event = state.audit_why(&caller, client, subject, "payment.reversed", Some(reason));
        state.store.append_events(&[event]).await?;
    }
    let status = if done.repeated {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let reply = PaymentReply {
        payment: Some(done.payment),
        promises: done.promises,
        balance_minor: done.balance_minor,
        debt_paid: done.debt_paid,
        repeated: done.repeated,
        receipt_id: None,
        left_minor: 0,
    };
    Ok((status, Json(reply)))
}
