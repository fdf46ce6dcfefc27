//! Everything of one debtor.

use crate::auth::Caller;
use crate::extract::Id;
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use domain::entity::{
    Attempt, Bucket, Consent, ContactPoint, Debt, Debtor, Hold, Party, Payment, Promise,
};
use domain::ids::{DebtId, DebtorId, PointId};
use domain::rules::{ageing, stale};
use domain::segment::day_of_date;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(read))
}

/// How old a debt is on the portfolio's local day.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ageing {
    #[schema(value_type = uuid::Uuid)]
    debt_id: DebtId,
    /// Bucket, as `b31_60`.
    #[schema(value_type = String)]
    bucket: Bucket,
    /// Days past due, below 0 before it is due; null where its date cannot be read.
    days: Option<i64>,
}

/// A task about the file.
#[derive(Serialize, ToSchema)]
pub(crate) struct FileTaskShape {
    /// `stale_point` or `no_phone`.
    kind: String,
    #[schema(value_type = Option<uuid::Uuid>)]
    point_id: Option<PointId>,
    /// Days since anybody confirmed the point.
    days: Option<i64>,
}

/// A debtor's file.
#[derive(Serialize, ToSchema)]
pub(crate) struct DebtorFileReply {
    #[schema(value_type = doc::Debtor)]
    debtor: Debtor,
    #[schema(value_type = Vec<doc::Debt>)]
    debts: Vec<Debt>,
    #[schema(value_type = Vec<doc::Party>)]
    parties: Vec<Party>,
    #[schema(value_type = Vec<doc::ContactPoint>)]
    points: Vec<ContactPoint>,
    #[schema(value_type = Vec<doc::Consent>)]
    consents: Vec<Consent>,
    /// Lifted ones too.
    #[schema(value_type = Vec<doc::Hold>)]
    holds: Vec<Hold>,
    /// Newest first.
    #[schema(value_type = Vec<doc::Promise>)]
    promises: Vec<Promise>,
    /// Newest first.
    #[schema(value_type = Vec<doc::Payment>)]
    payments: Vec<Payment>,
    /// Age of each debt today.
    ageing: Vec<Ageing>,
    /// What is old or missing in the file.
    tasks: Vec<FileTaskShape>,
    /// Newest first, at most 100.
    #[schema(value_type = Vec<doc::Attempt>)]
    attempts: Vec<Attempt>,
}

/// A debtor's file.
#[utoipa::path(get, path = "/debtors/{id}", tag = "debtors", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The file", body = DebtorFileReply)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtorId>,
) -> Result<Json<DebtorFileReply>, Problem> {
    let debtor = state.store.get_debtor(id).await?;
    tenant::seen(&state, &caller, debtor).await?;
    let file = state.store.debtor_file(id).await?;
    let portfolio = state.store.get_portfolio(file.debtor.portfolio_id).await?;
    let zone = domain::time::zone(&portfolio.zone).map_err(|_| Problem::internal())?;
    let today = ageing::day_of(state.now().in_zone(&zone).date());
    let ages = file.debts.iter().map(|debt| {
        let due = day_of_date(&debt.due_date);
        Ageing {
            debt_id: debt.id,
            bucket: ageing::bucket(debt.status, due, today),
            days: due.map(|due| today - due),
        }
    });
    let tasks = stale::tasks(&file.points, state.now());
    Ok(Json(DebtorFileReply {
        ageing: ages.collect(),
        tasks: tasks
            .into_iter()
            .map(|t| FileTaskShape {
                kind: t.kind.to_owned(),
                point_id: t.point_id,
                days: t.days,
            })
            .collect(),
        debtor: file.debtor,
        debts: file.debts,
        parties: file.parties,
        points: file.points,
        consents: file.consents,
        holds: file.holds,
        promises: file.promises,
        payments: file.payments,
        attempts: file.attempts,
    }))
}
