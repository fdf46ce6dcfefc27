//! Messages: templates, what goes out and comes in, strategies, and the providers' calls.

mod hooks;
mod inbox;
mod outgoing;
mod steps;
mod strategies;
mod templates;
mod trials;

use crate::auth::Caller;
use crate::list::{Items, ListQuery, bad_cursor, list_problem};
use crate::problem::Problem;
use crate::{ApiState, tenant};
use axum::Json;
use domain::ids::ClientId;
use domain::pii::{Pii, mask, mask_phone};
use domain::ports::StoreError;
use domain::ports::store::{Page, PageRequest};
use utoipa_axum::router::OpenApiRouter;

pub(crate) use inbox::shown as shown_inbox;
pub(crate) use outgoing::shown as shown_message;

/// Routes of this area.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(templates::routes())
        .merge(outgoing::routes())
        .merge(inbox::routes())
        .merge(strategies::routes())
        .merge(trials::routes())
        .merge(steps::routes())
        .merge(hooks::routes())
}

/// What a list of a client's rows is asked for.
fn narrowed(caller: &Caller, query: ListQuery) -> Result<(Option<ClientId>, PageRequest), Problem> {
    let client = caller.narrow(query.client)?;
    let (_, page) = query.split(client)?;
    Ok((client, page))
}

/// A page of them, as far as the caller may see it.
async fn listed<T: tenant::Owned>(
    state: &ApiState,
    caller: &Caller,
    found: Result<Page<T>, StoreError>,
) -> Result<Json<Items<T>>, Problem> {
    let found = found.map_err(list_problem)?;
    Ok(Json(tenant::seen_page(state, caller, found).await?))
}

/// A number or address as lists show it.
fn masked(address: &Pii<String>) -> Pii<String> {
    let value = address.reveal();
    Pii(if value.contains('@') {
        mask(value)
    } else {
        mask_phone(value)
    })
}

/// The row behind which a page begins.
fn before<T: std::str::FromStr>(cursor: Option<&str>) -> Result<Option<T>, Problem> {
    cursor
        .map(|text| text.parse().map_err(|_| bad_cursor()))
        .transpose()
}

/// A page out of rows of which one more than wanted was asked for.
fn cut<T>(mut rows: Vec<T>, limit: u32, cursor: impl Fn(&T) -> String) -> crate::list::Items<T> {
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| more).map(cursor);
    crate::list::Items {
        items: rows,
        next_cursor,
    }
}
