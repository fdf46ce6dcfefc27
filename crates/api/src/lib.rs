//! REST, agent and supervisor websockets, OpenAPI and metrics: the only room that knows our HTTP
//! and JSON. The contract is this room's README.
//!
//! One contract: `router` is the whole surface, and every route of it passes the one gate of
//! `auth`, which reads the one table of roles; a route without a line there is closed to all.
//!
//! ```
//! let document = api::openapi();
//! assert!(document.paths.paths.contains_key("/api/v1/sessions"));
//! ```

pub mod auth;
mod check;
mod doc;
mod error;
pub mod evidence;
mod extract;
mod hosted;
mod http;
pub mod importer;
mod list;
mod ops;
mod owed;
mod problem;
mod residents;
mod routes;
mod seat;
mod state;
mod tenant;
mod ws;

/// The rows of the attempts export, which the command line shares.
pub mod export {
    pub use crate::routes::history::export_row::{COLUMNS, Format, Named, Names, header, row};
    pub use crate::routes::history::sheet_line::sheet_line;
}

pub use auth::network;
pub use error::ApiError;
pub use http::{openapi, router};
pub use problem::Problem;
pub use routes::campaigns::segment_language;
pub use routes::debtors::{DebtorFileReply, debtor_file};
pub use state::{
    ApiConfig, ApiParts, ApiState, BODY_MAX_BYTES, MoneyConfig, REPLY_MAX_MS, RulePackInfo,
    SESSION_LIFE_MS, TICKET_LIFE_MS, TICKETS_MAX, TOKEN_LIFE_MS,
};
pub use ws::wire;
