//! Debts of a debtor.

use super::interest::check_figure;
use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Debt, DebtStatus, Party, PartyRole};
use domain::event::NewEvent;
use domain::ids::{DebtId, DebtorId, PartyId};
use domain::money::Currency;
use domain::time::UtcMs;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "catalog",
    "/debts",
    "/debts/{id}",
    Debt,
    Debt,
    DebtId,
    list_debts,
    get_debt
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
}

/// A new debt; amounts in minor units, 0 or more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDebt {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    /// Unique within the portfolio.
    external_ref: String,
    product: String,
    #[schema(value_type = doc::Currency)]
    currency: Currency,
    principal_minor: i64,
    interest_minor: i64,
    fees_minor: i64,
    overdue_minor: i64,
    minimum_minor: i64,
    /// Date of the oldest unpaid item.
    #[schema(value_type = doc::Day)]
    due_date: String,
    /// Last date on which a court may be asked for it; null = not known.
    #[serde(default)]
    #[schema(value_type = Option<doc::Day>)]
    statute_date: Option<String>,
}

/// A debt as it is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DebtBody {
    external_ref: String,
    product: String,
    #[schema(value_type = doc::Currency)]
    currency: Currency,
    principal_minor: i64,
    interest_minor: i64,
    fees_minor: i64,
    overdue_minor: i64,
    minimum_minor: i64,
    #[schema(value_type = doc::Day)]
    due_date: String,
    /// Last date on which a court may be asked for it; null or left out = what is known stays.
    #[serde(default)]
    #[schema(value_type = Option<doc::Day>)]
    statute_date: Option<String>,
    #[schema(value_type = doc::DebtStatus)]
    status: DebtStatus,
    /// `updated_at` of the debt as it was read: when it has changed since, as by a payment, the answer is 409.
    #[serde(default)]
    #[schema(value_type = Option<doc::Instant>)]
    seen_at: Option<UtcMs>,
}

impl DebtBody {
    fn into_row(self, row: &mut Debt) -> Result<(), Problem> {
        row.external_ref = check::name("external_ref", &self.external_ref)?;
        row.product = check::name("product", &self.product)?;
        row.currency = self.currency;
        row.principal_minor = check::amount("principal_minor", self.principal_minor)?;
        row.interest_minor = check::amount("interest_minor", self.interest_minor)?;
        row.fees_minor = check::amount("fees_minor", self.fees_minor)?;
        row.overdue_minor = check::amount("overdue_minor", self.overdue_minor)?;
        row.minimum_minor = check::amount("minimum_minor", self.minimum_minor)?;
        row.due_date = check::day("due_date", &self.due_date)?;
        // A body without it is of somebody who does not know it, and no court is asked past it for that.
        if let Some(date) = self.statute_date.as_deref() {
            row.statute_date = Some(check::day("statute_date", date)?);
        }
        row.status = self.status;
        Ok(())
    }
}

fn told(state: &ApiState, caller: &Caller, row: &Debt, action: &str) -> NewEvent {
    let subject = format!("debt:{}", row.id);
    state.audit(caller, Some(row.client_id), subject, action)
}

/// Adds a debt to a debtor, who becomes its titular.
#[utoipa::path(post, path = "/debts", tag = "catalog", request_body = NewDebt,
    responses((status = 201, description = "Made", body = doc::Debt)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewDebt>,
) -> Result<(StatusCode, Json<Debt>), Problem> {
    let debtor = state.own_debtor(&caller, body.debtor_id).await?;
    let now = state.now();
    let mut row = Debt {
        id: DebtId(state.id()),
        debtor_id: debtor.id,
        client_id: debtor.client_id,
        portfolio_id: debtor.portfolio_id,
        external_ref: String::new(),
        product: String::new(),
        currency: body.currency,
        principal_minor: 0,
        interest_minor: 0,
        fees_minor: 0,
        overdue_minor: 0,
        minimum_minor: 0,
        due_date: String::new(),
        statute_date: None,
        status: DebtStatus::Open,
        created_at: now,
        updated_at: now,
    };
    DebtBody {
        external_ref: body.external_ref,
        product: body.product,
        currency: body.currency,
        principal_minor: body.principal_minor,
        interest_minor: body.interest_minor,
        fees_minor: body.fees_minor,
        overdue_minor: body.overdue_minor,
        minimum_minor: body.minimum_minor,
        due_date: body.due_date,
        statute_date: body.statute_date,
        status: DebtStatus::Open,
        seen_at: None,
    }
    .into_row(&mut row)?;
    let written = std::mem::take(&mut row.interest_minor);
    check_figure(&state, &row, written).await?;
    row.interest_minor = written;
    let event = told(&state, &caller, &row, "debt.made");
    state.store.put_debt(&row, &[event]).await?;
    let titular = Party {
        id: PartyId(state.id()),
        debt_id: row.id,
        debtor_id: debtor.id,
        role: PartyRole::Titular,
        name: debtor.name,
    };
    state.store.put_party(&titular, &[]).await?;
    state.center.debtor_changed(row.debtor_id).await;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Replaces a debt, unless somebody changes it in this very moment or has changed it since `seen_at`: 409, and
/// nothing is written.
#[utoipa::path(put, path = "/debts/{id}", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = DebtBody, responses((status = 200, description = "Changed", body = doc::Debt)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtId>,
    Body(body): Body<DebtBody>,
) -> Result<Json<Debt>, Problem> {
    let row = state.store.get_debt(id).await?;
    let was = tenant::seen(&state, &caller, row).await?;
    if body.seen_at.is_some_and(|at| at != was.updated_at) {
        let text = "the debt was changed since it was read: read it again";
        return Err(Problem::conflict("changed_meanwhile", text));
    }
    let mut row = was.clone();
    check_figure(&state, &row, body.interest_minor).await?;
    body.into_row(&mut row)?;
    row.updated_at = state.now();
    let event = told(&state, &caller, &row, "debt.changed");
    state.store.replace_debt(&was, &row, &[event]).await?;
    // What a rule has earned on the figures before is on it by now.
    let row = state.store.get_debt(id).await?;
    state.center.debtor_changed(row.debtor_id).await;
    Ok(Json(row))
}
