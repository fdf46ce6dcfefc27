//! The list of debtors, by page or by what a person has at hand.

use crate::auth::Caller;
use crate::extract::{Body, Params};
use crate::list::{Items, list_problem, page_request};
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use domain::entity::{Channel, ContactPoint, Debtor, Language, PointClass, Role};
use domain::ids::{ClientId, DebtorId, PointId, PortfolioId};
use domain::pii::mask;
use domain::ports::store::ListFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest thing that is looked for, characters.
pub(crate) const NEEDLE_MAX: usize = 64;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(search))
}

/// Query of the list.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DebtorQuery {
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before; not with `q`.
    cursor: Option<String>,
    /// Only this client's debtors.
    #[param(value_type = Option<uuid::Uuid>)]
    #[schema(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only this portfolio's debtors.
    #[param(value_type = Option<uuid::Uuid>)]
    #[schema(value_type = Option<uuid::Uuid>)]
    portfolio: Option<PortfolioId>,
    /// Reference, document or E.164 phone, exactly; agents have to give it. What says who somebody is
    /// belongs into the body of `POST /debtors/search`: addresses are kept by browsers and proxies.
    q: Option<String>,
}

/// A phone as lists show it.
#[derive(Serialize, ToSchema)]
pub(crate) struct MaskedPhone {
    #[schema(value_type = uuid::Uuid)]
    point: PointId,
    /// `··76`.
    masked: String,
    #[schema(value_type = doc::PointClass)]
    class: PointClass,
    bad: bool,
}

/// A debtor as lists show him.
#[derive(Serialize, ToSchema)]
pub(crate) struct DebtorLine {
    #[schema(value_type = uuid::Uuid)]
    id: DebtorId,
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    #[schema(value_type = uuid::Uuid)]
    portfolio_id: PortfolioId,
    external_ref: String,
    name: String,
    document_masked: String,
    country: String,
    #[schema(value_type = doc::Language)]
    language: Language,
    phones: Vec<MaskedPhone>,
}

fn line(debtor: Debtor, points: &[ContactPoint]) -> DebtorLine {
    let phones = points
        .iter()
        .filter(|p| p.channel == Channel::Call)
        .map(|p| MaskedPhone {
            point: p.id,
            masked: mask(p.value.reveal()),
            class: p.class,
            bad: p.bad,
        })
        .collect();
    DebtorLine {
        id: debtor.id,
        client_id: debtor.client_id,
        portfolio_id: debtor.portfolio_id,
        external_ref: debtor.external_ref,
        name: debtor.name.into_inner(),
        document_masked: mask(debtor.document.reveal()),
        country: debtor.country,
        language: debtor.language,
        phones,
    }
}

/// Debtors as lists show them, the phones of all of them by one question.
pub(crate) async fn lines(
    state: &ApiState,
    debtors: Vec<Debtor>,
) -> Result<Vec<DebtorLine>, Problem> {
    let ids: Vec<DebtorId> = debtors.iter().map(|d| d.id).collect();
    let points = state.store.points_of(&ids).await?;
    let of = |id: DebtorId| {
        let from = points.partition_point(|p| p.debtor_id < id);
        let to = points.partition_point(|p| p.debtor_id <= id);
        points.get(from..to).unwrap_or_default()
    };
    let line = |debtor: Debtor| {
        let points = of(debtor.id);
        line(debtor, points)
    };
    Ok(debtors.into_iter().map(line).collect())
}

/// Debtors by page, oldest first, or those that `q` names.
#[utoipa::path(get, path = "/debtors", tag = "debtors", params(DebtorQuery),
    responses((status = 200, description = "A page", body = Items<DebtorLine>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<DebtorQuery>,
) -> Result<Json<Items<DebtorLine>>, Problem> {
    found(&state, &caller, query).await
}

/// The same with the question in the body, so that no document or phone is in an address.
#[utoipa::path(post, path = "/debtors/search", tag = "debtors", request_body = DebtorQuery,
    responses((status = 200, description = "A page", body = Items<DebtorLine>)))]
async fn search(
    State(state): State<ApiState>,
    caller: Caller,
    Body(query): Body<DebtorQuery>,
) -> Result<Json<Items<DebtorLine>>, Problem> {
    found(&state, &caller, query).await
}

async fn found(
    state: &ApiState,
    caller: &Caller,
    query: DebtorQuery,
) -> Result<Json<Items<DebtorLine>>, Problem> {
    let client = caller.narrow(query.client)?;
    let page = page_request(query.limit, query.cursor)?;
    let needle = query.q.as_deref().map(str::trim).filter(|q| !q.is_empty());
    let (debtors, next_cursor) = match needle {
        Some(needle) if needle.chars().count() > NEEDLE_MAX => {
            let reason = format!("q: expected at most {NEEDLE_MAX} characters");
            return Err(Problem::bad_request("bad_query", reason));
        }
        Some(needle) => {
            let mut found = state.store.find_debtors(client, needle, page.limit).await?;
            found.retain(|d| query.portfolio.is_none_or(|p| p == d.portfolio_id));
            (found, None)
        }
        None if caller.role == Role::Agent => {
            return Err(Problem::bad_request(
                "bad_query",
                "q: agents have to say a reference, document or phone",
            ));
        }
        None => {
            let filter = ListFilter {
                client_id: client,
                portfolio_id: query.portfolio,
                ..ListFilter::default()
            };
            let found = state.store.debtor_page(&filter, &page).await;
            let found = found.map_err(list_problem)?;
            (found.items, found.next_cursor)
        }
    };
    let items = lines(state, debtors).await?;
    Ok(Json(Items { items, next_cursor }))
}
