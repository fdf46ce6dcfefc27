//! What happened: attempts, calls, recordings, verdicts, events, and the export of attempts.

mod attempts;
mod audio;
mod audit;
mod calls;
mod detector;
mod event_stream;
mod events;
mod export;
pub(crate) mod export_row;
mod recordings;
pub(crate) mod sheet_line;
mod trail;
mod verdicts;

pub(crate) use detector::{Share, share};

use crate::ApiState;
use utoipa_axum::router::OpenApiRouter;

/// Routes of this area.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(attempts::routes())
        .merge(trail::routes())
        .merge(detector::routes())
        .merge(calls::routes())
        .merge(recordings::routes())
        .merge(audio::routes())
        .merge(verdicts::routes())
        .merge(events::routes())
        .merge(audit::routes())
        .merge(export::routes())
}
