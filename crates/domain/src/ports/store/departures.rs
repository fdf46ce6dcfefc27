//! Where what was done departs from the written policy.

use super::StoreError;
use crate::ids::{ClientId, DebtorId};
use crate::time::UtcMs;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

crate::text_enum! {
    /// A way to depart from a client's terms and strategies.
    pub enum Departure {
        /// A plan was drawn beyond the authority of who drew it, and somebody had to answer; of all plans drawn.
        BeyondAuthority = "beyond_authority",
        /// A debt is in its stage behind the deadline that fell in the period; of all with such a deadline.
        StageLate = "stage_late",
        /// A step of a strategy that was due did not run: refused, or not done a day later; of all that were due.
        StepNotRun = "step_not_run",
        /// A message of a strategy that was due did not go out; of all that were due.
        MessageNotSent = "message_not_sent",
    }
}

/// How long a step may wait for a person before it counts as not run, ms.
pub const STEP_LATE_MS: i64 = crate::time::DAY_MS;

/// Whose departures, when.
#[derive(Debug, Clone, Copy)]
pub struct DepartureAsk {
    /// The client.
    pub client: ClientId,
    /// From.
    pub from: UtcMs,
    /// Before.
    pub to: UtcMs,
    /// Now: what is still in time then is none.
    pub now: UtcMs,
}

/// Departures of one kind, of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DepartureCount {
    /// Those that depart.
    pub departed: i64,
    /// All of the kind.
    pub of: i64,
}

/// One departure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepartureRow {
    /// When it was drawn or due.
    pub at: UtcMs,
    /// The plan, the debt in its stage, the step or the message.
    pub id: Uuid,
    /// Whom it is about.
    pub debtor_id: DebtorId,
    /// The client's key of him.
    pub external_ref: String,
    /// Reason given, stage, or rule that refused.
    pub reason: String,
    /// State it is in.
    pub state: String,
}

/// The report of departures.
#[async_trait]
pub trait DepartureStore: Send + Sync {
    /// How many of a kind.
    async fn departure_count(
        &self,
        kind: Departure,
        ask: &DepartureAsk,
    ) -> Result<DepartureCount, StoreError>;
    /// Those of a kind, by instant and identity, behind one of them.
    async fn departures(
        &self,
        kind: Departure,
        ask: &DepartureAsk,
        after: Option<(UtcMs, Uuid)>,
        limit: u32,
    ) -> Result<Vec<DepartureRow>, StoreError>;
}
