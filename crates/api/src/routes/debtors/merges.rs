//! Debtor files of one document made one, and taken apart again.

use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, bad_cursor, limit};
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Debtor, Merge};
use domain::ids::{ClientId, DebtorId, MergeId, PersonId, PortfolioId};
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(duplicates))
        .routes(routes!(merge))
        .routes(routes!(list))
        .routes(routes!(undo))
}

/// Debtor files with one document.
#[derive(Serialize, ToSchema)]
pub(crate) struct DuplicateFiles {
    #[schema(value_type = uuid::Uuid)]
    person_id: PersonId,
    /// Oldest first, at least two.
    #[schema(value_type = Vec<doc::Debtor>)]
    debtors: Vec<Debtor>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DuplicatesQuery {
    /// Persons wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A merge with its trail.
#[derive(Serialize, ToSchema)]
pub(crate) struct MergeView {
    #[schema(value_type = uuid::Uuid)]
    id: MergeId,
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    /// The file that stays.
    #[schema(value_type = uuid::Uuid)]
    kept_id: DebtorId,
    /// The file taken into it.
    #[schema(value_type = uuid::Uuid)]
    gone_id: DebtorId,
    #[schema(value_type = String)]
    at: UtcMs,
    actor: String,
    #[schema(value_type = Option<String>)]
    undone_at: Option<UtcMs>,
    undone_by: Option<String>,
    /// How many rows moved, by table.
    moved: BTreeMap<String, usize>,
}

impl From<Merge> for MergeView {
    fn from(row: Merge) -> Self {
        Self {
            id: row.id,
            client_id: row.client_id,
            kept_id: row.kept_id,
            gone_id: row.gone_id,
            at: row.at,
            actor: row.actor,
            undone_at: row.undone_at,
            undone_by: row.undone_by,
            moved: row
                .moved
                .into_iter()
                .map(|(t, ids)| (t, ids.len()))
                .collect(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeBody {
    /// The file that is taken into this one.
    #[schema(value_type = uuid::Uuid)]
    from: DebtorId,
}

/// Debtors of a portfolio that have the same document.
#[utoipa::path(get, path = "/portfolios/{id}/duplicates", tag = "debtors",
    params(("id" = uuid::Uuid, Path), DuplicatesQuery),
    responses((status = 200, description = "By person", body = Items<DuplicateFiles>), (status = 404, body = doc::Problem)))]
async fn duplicates(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PortfolioId>,
    Params(query): Params<DuplicatesQuery>,
) -> Result<Json<Items<DuplicateFiles>>, Problem> {
    let portfolio = state.store.get_portfolio(id).await?;
    tenant::seen(&state, &caller, portfolio).await?;
    let after = match &query.cursor {
        Some(text) => Some(PersonId(
            uuid::Uuid::parse_str(text).map_err(|_| bad_cursor())?,
        )),
        None => None,
    };
    let limit = limit(query.limit)?;
    let found = state.store.duplicates(id, after, limit).await?;
    let more = found.len() >= limit as usize;
    let next_cursor = found.last().filter(|_| more).map(|f| f.person.to_string());
    let mut items = Vec::with_capacity(found.len());
    for group in found {
        let mut debtors = Vec::with_capacity(group.debtors.len());
        for debtor in group.debtors {
            debtors.push(state.store.get_debtor(debtor).await?);
        }
        items.push(DuplicateFiles {
            person_id: group.person,
            debtors,
        });
    }
    Ok(Json(Items { items, next_cursor }))
}

/// Takes another file of the same document and portfolio into this one: debts, points, consents, holds,
/// promises and payments move; attempts and verdicts stay where they were made. It can be undone.
#[utoipa::path(post, path = "/debtors/{id}/merge", tag = "debtors", params(("id" = uuid::Uuid, Path)),
    request_body = MergeBody,
    responses((status = 201, description = "Made one", body = MergeView), (status = 404, body = doc::Problem), (status = 409, body = doc::Problem)))]
async fn merge(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtorId>,
    Body(body): Body<MergeBody>,
) -> Result<(StatusCode, Json<MergeView>), Problem> {
    let kept = state.own_debtor(&caller, id).await?;
    let gone = state.own_debtor(&caller, body.from).await?;
    let row = Merge {
        id: MergeId(state.id()),
        client_id: kept.client_id,
        kept_id: kept.id,
        gone_id: gone.id,
        at: state.now(),
        actor: caller.actor(),
        undone_at: None,
        undone_by: None,
        moved: BTreeMap::new(),
    };
    let event = state.flow().merged(&row);
    let done = state.store.merge_debtors(&row, &[event]).await?;
    changed(&state, &done).await;
    Ok((StatusCode::CREATED, Json(done.into())))
}

async fn changed(state: &ApiState, row: &Merge) {
    state.center.debtor_changed(row.kept_id).await;
    state.center.debtor_changed(row.gone_id).await;
}

/// Merges in which a debtor took part, newest first, at most 200.
#[utoipa::path(get, path = "/debtors/{id}/merges", tag = "debtors", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Newest first", body = Items<MergeView>), (status = 404, body = doc::Problem)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtorId>,
) -> Result<Json<Items<MergeView>>, Problem> {
    let debtor = state.own_debtor(&caller, id).await?;
    let rows = state.store.merges_of(debtor.id).await?;
    Ok(Json(Items::all(
        rows.into_iter().map(MergeView::from).collect(),
    )))
}

/// Takes a merge apart: what moved goes back, what came since stays with the kept file.
#[utoipa::path(post, path = "/merges/{id}/undo", tag = "debtors", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Apart again", body = MergeView), (status = 404, body = doc::Problem), (status = 409, body = doc::Problem)))]
async fn undo(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<MergeId>,
) -> Result<Json<MergeView>, Problem> {
    let row = state.store.get_merge(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    let subject = format!("debtor:{}", row.kept_id);
    let audit = state.audit(&caller, Some(row.client_id), subject, "debtor.unmerged");
    let (by, now) = (caller.actor(), state.now());
    let done = state.store.undo_merge(id, &by, now, &[audit]).await?;
    changed(&state, &done).await;
    Ok(Json(done.into()))
}
