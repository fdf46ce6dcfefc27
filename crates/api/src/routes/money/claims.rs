//! Claims: payments that debtors say they made, for whoever looks for them.

use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{self, Items};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use center::ClaimSeen;
use domain::entity::{Claim, ClaimState};
use domain::ids::{AgentId, ClaimId, ClientId, DebtorId, PaymentId, PortfolioId};
use domain::ports::StoreError;
use domain::ports::store::ClaimFilter;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(found))
        .routes(routes!(not_found))
}

/// Which claims.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ClaimQuery {
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only this client's.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only of debtors of this portfolio.
    #[param(value_type = Option<uuid::Uuid>)]
    portfolio: Option<PortfolioId>,
    /// Only this debtor's.
    #[param(value_type = Option<uuid::Uuid>)]
    debtor: Option<DebtorId>,
    /// Only in this state.
    #[param(value_type = Option<doc::ClaimState>)]
    state: Option<ClaimState>,
}

/// A claim beside its people.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClaimRow {
    #[schema(value_type = doc::Claim)]
    claim: Claim,
    /// The debtor's name.
    name: String,
    /// The client's number of him.
    external_ref: String,
    /// Name of the agent to whom he said it.
    agent: Option<String>,
}

/// Names of agents, each read once.
#[derive(Default)]
struct Names(HashMap<AgentId, Option<String>>);

impl Names {
    async fn of(&mut self, state: &ApiState, agent: AgentId) -> Result<Option<String>, StoreError> {
        if let Some(known) = self.0.get(&agent) {
            return Ok(known.clone());
        }
        let name = match state.store.get_agent(agent).await {
            Ok(row) => Some(row.name),
            Err(StoreError::NotFound(_)) => None,
            Err(error) => return Err(error),
        };
        self.0.insert(agent, name.clone());
        Ok(name)
    }
}

/// A page, oldest first: what debtors say they paid, when, how, with what proof, and to whom they said it.
#[utoipa::path(get, path = "/claims", tag = "money", params(ClaimQuery),
    responses((status = 200, description = "A page", body = Items<ClaimRow>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<ClaimQuery>,
) -> Result<Json<Items<ClaimRow>>, Problem> {
    let filter = ClaimFilter {
        client_id: caller.narrow(query.client)?,
        portfolio_id: query.portfolio,
        debtor_id: query.debtor,
        state: query.state,
    };
    let page = list::page_request(query.limit, query.cursor)?;
    let page = state.store.claims_page(&filter, &page).await;
    let page = tenant::seen_page(&state, &caller, page.map_err(list::list_problem)?).await?;
    let (mut names, mut items) = (Names::default(), Vec::with_capacity(page.items.len()));
    for claim in page.items {
        let debtor = state.store.get_debtor(claim.debtor_id).await?;
        let agent = match claim.agent_id {
            Some(agent) => names.of(&state, agent).await?,
            None => None,
        };
        items.push(ClaimRow {
            name: debtor.name.into_inner(),
            external_ref: debtor.external_ref,
            agent,
            claim,
        });
    }
    Ok(Json(Items {
        items,
        next_cursor: page.next_cursor,
    }))
}

/// The payment that a claim is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimFound {
    /// Money of the same debtor that came in.
    #[schema(value_type = uuid::Uuid)]
    payment_id: PaymentId,
}

/// Why a payment is believed not to be there.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimNotFound {
    /// 1–500 characters.
    reason: String,
}

async fn close(
    state: &ApiState,
    caller: &Caller,
    (id, seen): (ClaimId, ClaimSeen),
) -> Result<Claim, Problem> {
    let row = state.store.get_claim(id).await?;
    let row = tenant::seen(state, caller, row).await?;
    let (action, why) = match &seen {
        ClaimSeen::Found(_) => ("claim.found", None),
        ClaimSeen::NotFound(reason) => ("claim.not_found", Some(reason.clone())),
    };
    let done = state.center.close_claim(caller.asks_as(), id, seen).await?;
    let (client, subject) = (Some(row.client_id), format!("claim:{id}"));
    let event = state.audit_why(caller, client, subject, action, why);
    state.store.append_events(&[event]).await?;
    Ok(done)
}

/// The payment was found: it is one of the debtor's.
#[utoipa::path(post, path = "/claims/{id}/found", tag = "money", params(("id" = uuid::Uuid, Path)), request_body = ClaimFound,
    responses((status = 200, description = "Closed", body = doc::Claim), (status = 404, body = doc::Problem), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn found(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ClaimId>,
    Body(body): Body<ClaimFound>,
) -> Result<Json<Claim>, Problem> {
    let seen = ClaimSeen::Found(body.payment_id);
    Ok(Json(close(&state, &caller, (id, seen)).await?))
}

/// The payment was looked for and is not there: the debtor is due again.
#[utoipa::path(post, path = "/claims/{id}/not-found", tag = "money", params(("id" = uuid::Uuid, Path)), request_body = ClaimNotFound,
    responses((status = 200, description = "Closed", body = doc::Claim), (status = 404, body = doc::Problem), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn not_found(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ClaimId>,
    Body(body): Body<ClaimNotFound>,
) -> Result<Json<Claim>, Problem> {
    let reason = check::text("reason", &body.reason, check::TEXT_MAX)?;
    let seen = ClaimSeen::NotFound(reason);
    Ok(Json(close(&state, &caller, (id, seen)).await?))
}
