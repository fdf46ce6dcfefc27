//! Terms of clients, plans and their documents, stages of debts, excuses, letters.

mod batches;
mod document;
mod excuses;
mod letters;
mod made;
mod stages;
mod terms;

pub(crate) use document::agreement_of;
pub(crate) use letters::{LetterLine, lines as letter_lines, sheet_of};
pub(crate) use stages::told_to;

use crate::ApiState;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;

/// Routes of this area.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(terms::routes())
        .merge(made::routes())
        .merge(document::routes())
        .merge(stages::routes())
        .merge(excuses::routes())
        .merge(letters::routes())
        .merge(batches::routes())
}

/// A PDF as a reply; its name is fixed, so that no personal data is in it.
pub(crate) fn pdf(bytes: Vec<u8>, name: &'static str) -> Response {
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/pdf"),
    );
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(name));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
