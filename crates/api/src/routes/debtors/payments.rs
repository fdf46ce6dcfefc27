//! Payments: money seen from a trusted source.

use crate::auth::Caller;
use crate::extract::Body;
use crate::problem::Problem;
use crate::routes::catalog::readers;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Payment, PaymentChannel, Promise};
use domain::ids::{DebtId, DebtorId, PaymentId};
use domain::money::Money;
use domain::time::{DAY_MS, UtcMs};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "money",
    "/payments",
    "/payments/{id}",
    Payment,
    Payment,
    PaymentId,
    list_payments,
    get_payment
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read))
}

/// An amount in a body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Amount {
    amount_minor: i64,
    currency: domain::money::Currency,
}

/// A payment to post.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPayment {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    #[schema(value_type = uuid::Uuid)]
    debt_id: DebtId,
    /// More than 0, in the debt's currency.
    #[schema(value_type = doc::Money)]
    amount: Amount,
    /// When the money moved; at most a day ahead.
    #[schema(value_type = doc::Instant)]
    paid_at: UtcMs,
    #[schema(value_type = doc::PaymentChannel)]
    channel: PaymentChannel,
    /// The source's own reference, unique within the client.
    reference: String,
}

/// What a payment did.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentReply {
    /// The first one, when the reference repeats.
    #[schema(value_type = doc::Payment)]
    payment: Payment,
    /// Promises whose state it changed.
    #[schema(value_type = Vec<doc::Promise>)]
    promises: Vec<Promise>,
    /// What the debt still is, minor units.
    balance_minor: i64,
    debt_paid: bool,
    /// This reference was posted before.
    repeated: bool,
}

/// Posts a payment: lowers the debt, keeps promises, withdraws what would be dialed of a paid debtor.
#[utoipa::path(post, path = "/payments", tag = "money", request_body = NewPayment,
    responses((status = 201, description = "Posted", body = PaymentReply),
        (status = 200, description = "This reference was posted before", body = PaymentReply)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewPayment>,
) -> Result<(StatusCode, Json<PaymentReply>), Problem> {
    let debtor = state.own_debtor(&caller, body.debtor_id).await?;
    let debt = state.store.get_debt(body.debt_id).await?;
    let debt = tenant::seen(&state, &caller, debt).await?;
    if debt.debtor_id != debtor.id {
        return Err(Problem::invalid("debt_id", "expected a debt of the debtor"));
    }
    if body.amount.currency != debt.currency {
        let reason = format!("expected the debt's currency, {}", debt.currency);
        return Err(Problem::invalid("amount.currency", reason));
    }
    let now = state.now();
    if body.paid_at.since_ms(now) > DAY_MS {
        return Err(Problem::invalid("paid_at", "expected no instant to come"));
    }
    let minor = body.amount.amount_minor;
    let minor = check::range("amount.amount_minor", minor, 1, check::AMOUNT_MAX)?;
    let payment = Payment {
        id: PaymentId(state.id()),
        client_id: debt.client_id,
        debtor_id: debtor.id,
        debt_id: debt.id,
        amount: Money::new(minor, debt.currency),
        paid_at: body.paid_at,
        channel: body.channel,
        reference: check::name("reference", &body.reference)?,
        reverses: None,
        posted_at: now,
    };
    let outcome = state.center.post_payment(caller.asks_as(), payment).await?;
    let status = if outcome.repeated {
        StatusCode::OK
    } else {
        let subject = format!("payment:{}", outcome.payment.id);
        let event = state.audit(&caller, Some(debt.client_id), subject, "payment.posted");
        state.store.append_events(&[event]).await?;
        StatusCode::CREATED
    };
    let reply = PaymentReply {
        payment: outcome.payment,
        promises: outcome.promises,
        balance_minor: outcome.balance_minor,
        debt_paid: outcome.debt_paid,
        repeated: outcome.repeated,
    };
    Ok((status, Json(reply)))
}
