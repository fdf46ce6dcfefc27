//! Messages: templates, what goes out and comes in, strategies, and the providers' calls.

mod hooks;
mod inbox;
mod outgoing;
mod steps;
mod strategies;
mod templates;
mod trials;

use crate::ApiState;
use crate::list::bad_cursor;
use crate::problem::Problem;
use domain::pii::{Pii, mask, mask_phone};
use utoipa_axum::router::OpenApiRouter;

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
