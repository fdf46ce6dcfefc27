//! Due items of a debt: the whole list at once.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{DEBT_ITEMS_MAX, Debt, DebtItem, ITEM_REFERENCE_CHARS};
use domain::ids::DebtId;
use domain::rules::due_items::{ItemsFault, open_of};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, replace))
}

/// A due item, an invoice: a part of the principal of a debt with a day of its own.
#[derive(Serialize, ToSchema)]
pub(crate) struct DueItem {
    #[schema(value_type = uuid::Uuid)]
    debt_id: DebtId,
    /// The client's number of it, unique within the debt.
    reference: String,
    #[schema(value_type = doc::Day)]
    due_date: String,
    /// What it was of, minor units.
    amount_minor: i64,
    /// What of it is unpaid, minor units: the oldest is paid first.
    open_minor: i64,
}

/// The items of a debt.
#[derive(Serialize, ToSchema)]
pub(crate) struct DebtItems {
    /// Of the debt: the day of its oldest unpaid item.
    #[schema(value_type = doc::Day)]
    due_date: String,
    /// Principal that is owed, minor units: what is open of all items.
    principal_minor: i64,
    /// Oldest first, at most 120; none = a debt with one due date.
    items: Vec<DueItem>,
}

/// An item as it is written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDueItem {
    /// 1 to 64 characters, unique within the debt.
    reference: String,
    #[schema(value_type = doc::Day)]
    due_date: String,
    /// Minor units, above 0.
    amount_minor: i64,
}

/// The whole list of a debt.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DebtItemsBody {
    /// At most 120; their amounts add up to the principal that is owed, or to the list that stands. Empty takes the
    /// list away.
    items: Vec<NewDueItem>,
}

/// Items of debts with what is open of each; `items` by debt, oldest first.
pub(crate) fn lines(debts: &[Debt], items: &[DebtItem]) -> Vec<DueItem> {
    let of_one = |of: &[DebtItem]| {
        let debt = of.first().map(|item| item.debt_id);
        let debt = debts.iter().find(|d| Some(d.id) == debt);
        let open = open_of(of, debt.map_or(0, |d| d.principal_minor));
        let line = |(item, open_minor): (&DebtItem, i64)| DueItem {
            debt_id: item.debt_id,
            reference: item.reference.clone(),
            due_date: item.due_date.clone(),
            amount_minor: item.amount_minor,
            open_minor,
        };
        of.iter().zip(open).map(line).collect::<Vec<_>>()
    };
    items
        .chunk_by(|a, b| a.debt_id == b.debt_id)
        .flat_map(of_one)
        .collect()
}

async fn shown(state: &ApiState, debt: Debt) -> Result<Json<DebtItems>, Problem> {
    let items = state.store.due_items_of(&[debt.id]).await?;
    Ok(Json(DebtItems {
        principal_minor: debt.principal_minor,
        items: lines(std::slice::from_ref(&debt), &items),
        due_date: debt.due_date,
    }))
}

impl DebtItemsBody {
    fn into_rows(self, debt: DebtId) -> Result<Vec<DebtItem>, Problem> {
        let row = |(at, item): (usize, NewDueItem)| {
            let path = |field: &str| format!("items[{at}].{field}");
            Ok(DebtItem {
                debt_id: debt,
                reference: check::text(&path("reference"), &item.reference, ITEM_REFERENCE_CHARS)?,
                due_date: check::day(&path("due_date"), &item.due_date)?,
                amount_minor: check::amount(&path("amount_minor"), item.amount_minor)?,
            })
        };
        if self.items.len() > DEBT_ITEMS_MAX {
            return Err(refused(&ItemsFault::TooMany(self.items.len())));
        }
        self.items.into_iter().enumerate().map(row).collect()
    }
}

fn refused(fault: &ItemsFault) -> Problem {
    let reason = fault.to_string();
    match fault {
        ItemsFault::TooMany(_) => Problem::invalid("items", reason),
        ItemsFault::Nothing(at) => Problem::invalid(&format!("items[{at}].amount_minor"), reason),
        ItemsFault::Twice(at) => Problem::invalid(&format!("items[{at}].reference"), reason),
        ItemsFault::Sum {
            sum_minor,
            owed_minor,
        } => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "items_sum", &*reason)
            .at("items", &reason)
            .with("sum_minor", (*sum_minor).into())
            .with("owed_minor", (*owed_minor).into()),
    }
}

/// The due items of a debt, with what is open of each.
#[utoipa::path(get, path = "/debts/{id}/items", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The list", body = DebtItems)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtId>,
) -> Result<Json<DebtItems>, Problem> {
    let debt = state.store.get_debt(id).await?;
    let debt = tenant::seen(&state, &caller, debt).await?;
    shown(&state, debt).await
}

/// Sets the due items of a debt, whose due date becomes that of the oldest unpaid one. A list that is not of the
/// principal is refused: 422 `items_sum` with both sums, and nothing is written.
#[utoipa::path(put, path = "/debts/{id}/items", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = DebtItemsBody, responses((status = 200, description = "Set", body = DebtItems)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtId>,
    Body(body): Body<DebtItemsBody>,
) -> Result<Json<DebtItems>, Problem> {
    let debt = state.store.get_debt(id).await?;
    let debt = tenant::seen(&state, &caller, debt).await?;
    let items = body.into_rows(debt.id)?;
    let subject = format!("debt:{}", debt.id);
    let event = state.audit(&caller, Some(debt.client_id), subject, "debt.items");
    let done = state
        .store
        .set_due_items(debt.id, &items, state.now(), &[event])
        .await?;
    let debt = done.map_err(|fault| refused(&fault))?;
    state.center.debtor_changed(debt.debtor_id).await;
    shown(&state, debt).await
}
