//! The shell: one engine task that owns the brain and the live tables, and bounded tasks that carry
//! its commands out through the ports. Decisions meet I/O here and nowhere else.
//!
//! Contract: everything that happens reaches the engine through one of three bounded queues
//! (telephone reports, outcomes of its own tasks, what people ask); the engine never waits for the
//! outside; what belongs to one attempt is written in order by that attempt's own task.
//!
//! ```no_run
//! use center::{Center, CenterConfig, Ports};
//! async fn run(ports: Ports) -> Result<(), center::StartError> {
//!     let handle = Center::start(CenterConfig::new("node-1"), ports).await?;
//!     handle.drain().await;
//!     handle.shutdown().await;
//!     Ok(())
//! }
//! ```

mod agentless;
mod amd;
mod asked;
mod asks;
mod best_time;
mod callable;
mod campaign_acts;
pub mod campaign_why;
mod campaigns;
mod card;
mod claims;
mod closing;
mod conduct;
mod config;
mod departed;
mod desk;
mod dialable;
mod dispose;
mod disposed;
pub mod dry_run;
mod engine;
mod error;
mod feeder;
mod floor;
mod follow;
mod found;
mod handle;
mod inbound;
mod keeping;
mod ladder;
mod lists;
mod live;
pub mod load_law;
mod manual;
mod memory;
mod messages;
mod negotiation;
mod notices;
mod ops;
mod owed;
mod plans;
mod ports;
mod promises;
mod proof;
mod provider;
mod queue_view;
mod rations;
mod readiness;
mod receipts;
mod refill;
mod ring;
mod scribe;
mod script;
mod shared;
mod short_calls;
mod start;
mod stats;
mod steps;
mod stops;
mod strategies;
mod targets;
mod tasks;
mod transfer;
pub mod view;
mod visits;
pub mod what_if;
mod why_not;
mod words;

pub use asks::{
    Actor, AttachAsk, ClaimAsk, DisposeAsk, Disposed, IdentityAsk, PromiseAsk, StateAsk,
    TransferAsk, TransferTo,
};
pub use claims::ClaimSeen;
pub use conduct::Conduct;
pub use config::{CenterConfig, NoRecordings, Pages, RecordingRepair, Repaired, StartError};
pub use desk::{CARD_WRITE_MS, DESK_QUEUE, DeskHub, DeskLink, DeskMessage};
pub use error::CenterError;
pub use floor::assign::{Assigned, Unskilled};
pub use handle::{Center, CenterHandle, HookError, Preview};
pub use keeping::{Archive, DiskLimits, Retention};
pub use lists::Loaded;
pub use messages::compose::MessageAsk;
pub use messages::tone::TextChoice;
pub use notices::{LateCase, MoneyMoves};
pub use plans::{PlanDraw, PlanTermsAsk, StageAsk, StageView};
pub use ports::{CallLaw, LawBook, Ports, Trial};
pub use provider::ProviderDone;
pub use receipts::{MoneyTaken, Payer};
pub use strategies::dry_run::{
    DAYS_MAX as TRIAL_DAYS_MAX, Trial as StrategyTrial, TrialCost, TrialDay, TrialJob,
    TrialRemoved, TrialRule,
};
pub use visits::{VisitAsk, VisitTold};
