//! What may be asked of the center.

use domain::entity::{Attempt, Promise, TransferMode};
use domain::entity::{PartyRole, PaymentChannel};
use domain::ids::{AgentId, CampaignId, DebtId, DebtorId, UserId};
use domain::money::Money;
use domain::pii::Pii;
use domain::rules::agent_state::PauseCode;
use domain::rules::negotiation::Outcome;
use domain::time::UtcMs;
use serde::Serialize;

/// Who asks; becomes the `actor` of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// An agent, for himself: only his own state and call.
    Agent(AgentId),
    /// A user with the right (checked by the API).
    User(UserId),
    /// The product itself.
    System,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Agent(id) => write!(f, "agent:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::System => f.write_str("system"),
        }
    }
}

/// A state an agent may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateAsk {
    /// Take calls.
    Ready,
    /// Pause; queued while talking.
    Paused(PauseCode),
    /// Sign out; queued while talking.
    Offline,
}

/// A promise told with a disposition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromiseAsk {
    /// On which debt; `None` = the attempt's main debt.
    pub debt_id: Option<DebtId>,
    /// How much.
    pub amount: Money,
    /// Local date due, `YYYY-MM-DD`.
    pub due_date: String,
    /// How it will be paid.
    pub channel: PaymentChannel,
}

/// A payment that the debtor says he made, and that nobody has seen yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClaimAsk {
    /// Local date on which he says he paid, `YYYY-MM-DD`.
    pub paid_on: String,
    /// How he says he paid.
    pub channel: PaymentChannel,
    /// Whether he has a proof of it.
    pub proof: bool,
}

/// A disposition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisposeAsk {
    /// Code of the tree.
    pub code: String,
    /// Note, at most 2,000 characters.
    pub note: Option<String>,
    /// Promise; required by `CD.PP`.
    pub promise: Option<PromiseAsk>,
    /// What he says of a payment; required by `CD.YP`.
    pub claim: Option<ClaimAsk>,
    /// When to call again; required by `CD.VL` and `CI.VI`.
    pub callback_at: Option<UtcMs>,
    /// State afterwards; `None` = what was queued, else ready.
    pub then: Option<StateAsk>,
    /// Facts of the first contact that were told in the conversation.
    pub told_facts: Vec<String>,
}

/// What a disposition did.
#[derive(Debug, Clone)]
pub struct Disposed {
    /// The attempt now.
    pub attempt: Attempt,
    /// The promise, when one was made.
    pub promise: Option<Promise>,
    /// What a negotiation reached of its goal; `None` where none was held, and when the answer is repeated.
    pub negotiation: Option<Outcome>,
}

/// Who was identified on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentityAsk {
    /// Role of the person who speaks.
    pub role: PartyRole,
}

/// Who a caller is whom nobody knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttachAsk {
    /// The debtor, of the call's client.
    pub debtor: DebtorId,
    /// The number he called from becomes one of his, as the debtor said it may; else nothing is kept of it.
    pub keep_number: bool,
}

/// To whom a call is to be handed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferTo {
    /// An agent who is ready.
    Agent(AgentId),
    /// Whoever is or becomes free for a campaign of the same client.
    Queue(CampaignId),
    /// A number, as a person writes it.
    Number(Pii<String>),
}

/// A transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferAsk {
    /// To whom.
    pub to: TransferTo,
    /// At once, or after a talk with the target.
    pub mode: TransferMode,
}
