//! Load for figures: an endpoint that answers every call at once, and RTP whose packets carry the
//! instant they left, so that the delay across whatever is between two legs can be told.
//!
//! A debtor's leg and his agent's leg are a pair: leg `2n` is the debtor of call `n`, leg `2n + 1`
//! the agent. Packets leave spread over the 20 ms, as they do in life.

mod figures;
mod peer;
mod registers;
mod rtp;
mod stamp;

pub use figures::{Figures, Spread};
pub use peer::{LoadConfig, LoadPeer, LoadState, start};
pub use registers::{RegisterFigures, RegisterLoad, registers};
pub use rtp::LoadPlane;
