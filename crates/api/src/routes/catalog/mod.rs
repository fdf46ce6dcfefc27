//! The catalog: plain entities that are listed, read, made and replaced.

/// `list` and `read` of an entity; every row passes `tenant`.
macro_rules! readers {
    ($tag:literal, $list_path:literal, $item_path:literal, $entity:ty, $shape:ident, $id:ty, $list:ident, $get:ident) => {
        /// A page, oldest first.
        #[utoipa::path(get, path = $list_path, tag = $tag, params(crate::list::ListQuery),
            responses((status = 200, description = "A page", body = crate::list::Items<crate::doc::$shape>)))]
        pub(crate) async fn list(
            axum::extract::State(state): axum::extract::State<crate::ApiState>,
            caller: crate::auth::Caller,
            crate::extract::Params(query): crate::extract::Params<crate::list::ListQuery>,
        ) -> Result<axum::Json<crate::list::Items<$entity>>, crate::problem::Problem> {
            let client = caller.narrow(query.client)?;
            let (filter, page) = query.split(client)?;
            let page = state.store.$list(&filter, &page).await;
            let page = page.map_err(crate::list::list_problem)?;
            Ok(axum::Json(crate::tenant::seen_page(&state, &caller, page).await?))
        }

        /// One.
        #[utoipa::path(get, path = $item_path, tag = $tag, params(("id" = uuid::Uuid, Path)),
            responses((status = 200, description = "The thing", body = crate::doc::$shape)))]
        pub(crate) async fn read(
            axum::extract::State(state): axum::extract::State<crate::ApiState>,
            caller: crate::auth::Caller,
            crate::extract::Id(id): crate::extract::Id<$id>,
        ) -> Result<axum::Json<$entity>, crate::problem::Problem> {
            let row = state.store.$get(id).await?;
            Ok(axum::Json(crate::tenant::seen(&state, &caller, row).await?))
        }
    };
}
pub(crate) use readers;

mod addresses;
mod agents;
mod caller_ids;
mod client_law;
mod clients;
mod complaints;
mod consents;
pub(crate) mod debt_items;
mod debts;
mod dnc_lists;
mod holds;
mod interest;
mod law_overrides;
mod points;
mod portfolios;
mod preferences;
mod scripts;
mod suppressions;
mod teams;
mod trunk_stats;
mod trunks;
mod users;

use crate::ApiState;
use utoipa_axum::router::OpenApiRouter;

/// Routes of this area.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(clients::routes())
        .merge(client_law::routes())
        .merge(portfolios::routes())
        .merge(interest::routes())
        .merge(addresses::routes())
        .merge(debts::routes())
        .merge(debt_items::routes())
        .merge(points::routes())
        .merge(consents::routes())
        .merge(law_overrides::routes())
        .merge(preferences::routes())
        .merge(dnc_lists::routes())
        .merge(complaints::routes())
        .merge(holds::routes())
        .merge(suppressions::routes())
        .merge(scripts::routes())
        .merge(teams::routes())
        .merge(agents::routes())
        .merge(users::routes())
        .merge(trunks::routes())
        .merge(trunk_stats::routes())
        .merge(caller_ids::routes())
}
