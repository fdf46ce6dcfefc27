//! Typed headers, parsed only when somebody asks.

mod address;
mod auth;
mod content;
mod cseq;
pub(crate) mod lex;
mod lists;
mod params;
mod rack;
mod read;
mod reason;
mod replaces;
mod session;
mod via;

pub use address::NameAddr;
pub use auth::{Algorithm, Challenge, Credentials};
pub use content::ContentType;
pub use cseq::CSeq;
pub use lists::{RetryAfter, Warning};
pub use params::Params;
pub use rack::RAck;
pub use reason::Reason;
pub use replaces::Replaces;
pub use session::{Refresher, SessionExpires};
pub use via::{MAGIC_COOKIE, Via};
