//! Figures over a period, what they open to, their costs; goals and where they stand.

mod ask;
mod departures;
mod goals;
mod kpis;
mod progress;
mod registers;
mod sheet;

pub(super) use ask::{midnight, rates_of};

use crate::ApiState;
use utoipa_axum::router::OpenApiRouter;

/// Routes of this area.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(kpis::routes())
        .merge(sheet::routes())
        .merge(departures::routes())
        .merge(goals::routes())
        .merge(progress::routes())
        .merge(registers::routes())
}
