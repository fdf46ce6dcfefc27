//! SIP and SDP without sockets, clock or chance.

pub mod digest;
mod error;
pub mod header;
pub mod ids;
pub mod limits;
pub mod msg;
pub mod registrar;
pub mod sdp;
mod time;
pub mod transaction;
pub mod transport;
pub mod ua;

pub use error::SipError;
pub use ids::{Ids, SeededIds};
pub use time::Millis;
pub use transport::{ConnId, Proto, Source, Target, Transmit};
pub use ua::Endpoint;
