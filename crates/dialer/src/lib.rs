//! The brain: which number now, which agent gets the answer, what it does to the figures.
//!
//! Pure and deterministic. The one contract: hand it the time and an [`Input`], then drain
//! [`Command`]s until the last one, [`Command::Wait`], names the instant at which to come again at
//! the latest. It does nothing itself; the shell carries the commands out and tells what became of
//! them.
//!
//! ```
//! use dialer::{Command, Dialer, Input, TrunkSpec};
//! use domain::{ids::TrunkId, ports::IdSource, time::UtcMs};
//! struct Counted(std::sync::atomic::AtomicU64);
//! impl IdSource for Counted {
//!     fn next(&self, _: UtcMs) -> uuid::Uuid {
//!         uuid::Uuid::from_u128(u128::from(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed)))
//!     }
//! }
//! let mut brain = Dialer::new(std::sync::Arc::new(Counted(1.into())));
//! let now = UtcMs(1_795_357_200_000);
//! brain.handle(now, Input::Trunk(TrunkSpec { id: TrunkId(uuid::Uuid::nil()), channels: 30, cps: 5 })).expect("trunks are never refused");
//! assert!(matches!(brain.drain().last(), Some(Command::Wait(at)) if *at > now));
//! ```

mod call;
mod engine;
mod forecast;
mod gate;
mod guard;
mod hand;
mod invariants;
mod lean;
mod lines;
mod pacing;
pub mod predictive;
mod router;
mod session;
mod spec;
mod talk;

pub use call::{Call, CallOver, Phase, Second, SecondStage};
pub use engine::{CampaignView, Dialer, Refusal, WindowView};
pub use gate::Gate;
pub use guard::{
    AbandonRule, GuardState, HardStop, QUOTIENT_FROM, Room, ShortDay, TARGET_OF_CAP, Tally, Window,
    aim_pct, parts,
};
pub use hand::{Hand, HandStep, HandTo};
pub use invariants::Breach;
pub use lean::{Heads, Lean};
pub use lines::StartGate;
pub use pacing::{AgentGlance, ModeRefused, Observation, Pacing, PacingView, policy};
pub use session::Session;
pub use spec::{AgentSpec, CallRules, CampaignSpec, Incoming, Item, Judging, KeptPlace, TrunkSpec};
pub use talk::{Command, DialTask, EndReport, Heard, Input, OpenResult, ReleaseWhy, Wish};
