//! The agreement on a plan as PDF, and the link by which the debtor accepts it.

use super::made::own;
use super::pdf;
use crate::auth::Caller;
use crate::extract::{Id, Params};
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::entity::{Language, PlanFile, PlanState};
use domain::ids::PlanId;
use domain::link::LinkKind;
use domain::pii::mask;
use domain::ports::store::PlanDocument;
use domain::time::{DAY_MS, UtcMs};
use papers::{AgreementFacts, agreement, print};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long a link to accept lives: an offer that is not taken in a week is made anew.
const LINK_LIVES_MS: i64 = 7 * DAY_MS;
/// Languages in which an agreement is written.
pub(crate) const LANGUAGES: [Language; 2] = [Language::Es, Language::En];

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(document))
        .routes(routes!(link))
}

/// Which document.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DocumentQuery {
    /// `es` or `en`; the debtor's own when absent.
    #[param(value_type = Option<String>)]
    language: Option<Language>,
}

/// A link to accept a plan.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkReply {
    /// Path on this server, `/a/…`.
    path: String,
    /// When it ends.
    #[schema(value_type = doc::Instant)]
    expires_at: UtcMs,
}

/// The agreement in a language: as it was shown, else as it would be.
pub(crate) async fn agreement_of(
    state: &ApiState,
    file: &PlanFile,
    language: Language,
) -> Result<PlanDocument, Problem> {
    if let Some(kept) = state.store.document_of(file.plan.id, language).await? {
        return Ok(kept);
    }
    let plan = &file.plan;
    let (store, now) = (&state.store, state.now());
    let debt = store.get_debt(plan.debt_id).await?;
    let debt = state.owed(debt, plan.made_at).await?;
    let client = store.get_client(plan.client_id).await?;
    let facts = store.contact_facts(plan.debtor_id, now).await?;
    let zone =
        domain::time::zone(&state.center.zone_of(&facts)).map_err(|_| Problem::internal())?;
    let dated = plan.made_at.in_zone(&zone).date().to_string();
    let early = plan
        .early_until
        .map(|at| at.in_zone(&zone).date().to_string());
    let facts = AgreementFacts {
        company: state.center.company(),
        creditor: &client.name,
        callback: &client.callback_number,
        debtor: facts.debtor.name.reveal(),
        document: &mask(facts.debtor.document.reveal()),
        debt_ref: &debt.external_ref,
        product: &debt.product,
        parts_minor: [debt.principal_minor, debt.interest_minor, debt.fees_minor],
        dated: &dated,
        early_until: early.as_deref(),
    };
    let sheet = agreement(file, &facts, language);
    let pdf = print(&sheet.subject.clone(), language.as_str(), &[sheet]);
    let sha256 = hex::encode(Sha256::digest(&pdf));
    Ok(PlanDocument { pdf, sha256 })
}

/// Both documents of a plan, kept as they are from now on: what is accepted is what was shown.
async fn documents_of(state: &ApiState, file: &PlanFile) -> Result<(), Problem> {
    let debt = state.store.get_debt(file.plan.debt_id).await?;
    let debt = state.owed(debt, file.plan.made_at).await?;
    if debt.balance_minor() != file.plan.balance_minor {
        return Err(Problem::conflict(
            "plan_balance",
            "the debt has another balance since the offer was made: a new one is needed",
        ));
    }
    for language in LANGUAGES {
        let document = agreement_of(state, file, language).await?;
        state
            .store
            .keep_document(file.plan.id, language, &document)
            .await?;
    }
    Ok(())
}

/// The agreement as PDF.
#[utoipa::path(get, path = "/plans/{id}/document", tag = "plans", params(("id" = uuid::Uuid, Path), DocumentQuery),
    responses((status = 200, description = "The document", body = Vec<u8>, content_type = "application/pdf"), (status = 404, body = doc::Problem)))]
async fn document(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PlanId>,
    Params(query): Params<DocumentQuery>,
) -> Result<Response, Problem> {
    let file = own(&state, &caller, id).await?;
    let language = match query.language {
        Some(language) => language,
        None => state.store.get_debtor(file.plan.debtor_id).await?.language,
    };
    let language = if language == Language::En {
        Language::En
    } else {
        Language::Es
    };
    let subject = format!("plan:{id}");
    let audit = state.audit(
        &caller,
        Some(file.plan.client_id),
        subject,
        "plan.document_read",
    );
    state.store.append_events(&[audit]).await?;
    let shown = agreement_of(&state, &file, language).await?;
    Ok(pdf(shown.pdf, "inline; filename=\"agreement.pdf\""))
}

/// Makes the link by which the debtor reads and accepts an approved plan; it ends after seven days, or when
/// the first instalment would be missed.
#[utoipa::path(post, path = "/plans/{id}/link", tag = "plans", params(("id" = uuid::Uuid, Path)),
    responses((status = 201, description = "Made", body = LinkReply), (status = 409, body = doc::Problem)))]
async fn link(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PlanId>,
) -> Result<(axum::http::StatusCode, Json<LinkReply>), Problem> {
    let file = own(&state, &caller, id).await?;
    if file.plan.state != PlanState::Approved {
        return Err(Problem::conflict(
            "plan_moved",
            "only an approved plan can be accepted",
        ));
    }
    let now = state.now();
    let mut expires_at = now.plus_ms(LINK_LIVES_MS);
    if let Some(first) = file.instalments.first() {
        expires_at = expires_at.min(first.grace_until);
    }
    if expires_at <= now {
        return Err(Problem::conflict(
            "plan_moved",
            "the first instalment is missed already: a new offer is needed",
        ));
    }
    documents_of(&state, &file).await?;
    let token = state.links().sign(LinkKind::Agreement, id.0, expires_at);
    let event = state.event(
        caller.actor(),
        Some(file.plan.client_id),
        "plan.link_made",
        format!("plan:{id}"),
        json!({"expires_at": expires_at, "debtor_id": file.plan.debtor_id}),
    );
    state.store.append_events(&[event]).await?;
    let path = format!("/a/{token}");
    Ok((
        axum::http::StatusCode::CREATED,
        Json(LinkReply { path, expires_at }),
    ))
}
