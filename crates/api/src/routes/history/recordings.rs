//! Recordings: what is known of each; the sound itself is in `audio`.

use crate::ApiState;
use crate::routes::catalog::readers;
use domain::entity::Recording;
use domain::ids::RecordingId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "history",
    "/recordings",
    "/recordings/{id}",
    Recording,
    Recording,
    RecordingId,
    list_recordings,
    get_recording
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read))
}
