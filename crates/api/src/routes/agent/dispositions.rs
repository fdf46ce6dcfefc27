//! The disposition tree: what it holds, and clients' leaves under its second level.

use crate::auth::Caller;
use crate::extract::Body;
use crate::list::Items;
use crate::problem::Problem;
use crate::{ApiState, check, doc};
use axum::Json;
use axum::extract::{Path, State};
use domain::entity::Disposition;
use domain::ports::StoreError;
use domain::rules::disposition::parent;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Most codes of the tree: more than anyone chooses from.
const CODES_MAX: usize = 300;
/// Longest label, characters.
const LABEL_MAX: usize = 60;
/// Longest last part of a leaf's code, characters.
const LEAF_MAX: usize = 20;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(put))
}

/// All codes.
#[utoipa::path(get, path = "/dispositions", tag = "agent",
    responses((status = 200, description = "The whole tree", body = Items<doc::Disposition>)))]
async fn list(State(state): State<ApiState>) -> Result<Json<Items<Disposition>>, Problem> {
    Ok(Json(Items::all(state.store.list_dispositions().await?)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeafBody {
    label_es: String,
    label_en: String,
    /// 1–9; 0 or absent = none.
    hotkey: Option<i32>,
}

/// Whether the code is a leaf under a second level: `CD.NP.NOPUEDE`.
fn is_leaf(code: &str) -> bool {
    let good = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let parts: Vec<&str> = code.split('.').collect();
    let [_, _, leaf] = parts.as_slice() else {
        return false;
    };
    (1..=LEAF_MAX).contains(&leaf.len()) && leaf.chars().all(good)
}

async fn base_of(state: &ApiState, code: &str) -> Result<Disposition, Problem> {
    if !is_leaf(code) {
        return Err(Problem::invalid(
            "code",
            "expected a leaf under a level-2 code, as CD.NP.NOPUEDE",
        ));
    }
    let base = match state.store.get_disposition(parent(code)).await {
        Err(StoreError::NotFound(_)) => {
            return Err(Problem::invalid(
                "code",
                "its level-2 code is not in the tree",
            ));
        }
        other => other?,
    };
    if !base.agent_may_set {
        return Err(Problem::invalid(
            "code",
            "this level-2 code is set by the system",
        ));
    }
    Ok(base)
}

/// Makes or relabels a leaf; what it does is what its level-2 code does.
#[utoipa::path(put, path = "/dispositions/{code}", tag = "agent", params(("code" = String, Path)),
    request_body = LeafBody,
    responses((status = 200, description = "The code", body = doc::Disposition), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn put(
    State(state): State<ApiState>,
    caller: Caller,
    Path(code): Path<String>,
    Body(body): Body<LeafBody>,
) -> Result<Json<Disposition>, Problem> {
    if caller.client.is_some() {
        return Err(Problem::forbidden("the tree is of the whole installation"));
    }
    let base = base_of(&state, &code).await?;
    let hotkey = check::range("hotkey", body.hotkey.unwrap_or(0), 0, 9)?;
    let tree = state.store.list_dispositions().await?;
    if let Some(other) = tree
        .iter()
        .find(|d| hotkey != 0 && d.hotkey == hotkey && d.code != code)
    {
        let detail = format!("key {hotkey} belongs to {}", other.code);
        return Err(Problem::conflict("conflict", detail));
    }
    let known = tree.iter().find(|d| d.code == code);
    if known.is_none() && tree.len() >= CODES_MAX {
        let detail = format!("the tree may have {CODES_MAX} codes");
        return Err(Problem::conflict("limit_reached", detail));
    }
    let row = Disposition {
        label_es: check::text("label_es", &body.label_es, LABEL_MAX)?,
        label_en: check::text("label_en", &body.label_en, LABEL_MAX)?,
        hotkey,
        // A standard leaf keeps a hold of its own (written contact only).
        hold: known.map_or(base.hold, |d| d.hold),
        code: code.clone(),
        ..base
    };
    state.store.put_disposition(&row).await?;
    let event = state.audit(
        &caller,
        None,
        format!("disposition:{code}"),
        "disposition.put",
    );
    state.store.append_events(&[event]).await?;
    Ok(Json(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves() {
        for good in ["CD.NP.NOPUEDE", "CI.MT.A_1"] {
            assert!(is_leaf(good), "{good}");
        }
        let long = format!("CD.NP.{}", "A".repeat(LEAF_MAX + 1));
        for bad in ["CD.NP", "CD.NP.", "CD.NP.x", "CD.NP.A.B", "", long.as_str()] {
            assert!(!is_leaf(bad), "{bad}");
        }
    }
}
