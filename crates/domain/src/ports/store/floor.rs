//! What the floor asks of the store: agreed call-backs, the health of caller ids, who works whom, and
//! the morning list.

use super::{ItemState, StoreError};
use crate::entity::{Assignment, Campaign, CampaignVersion};
use crate::event::NewEvent;
use crate::ids::{AgentId, CallerIdId, CampaignId, ClientId, DebtorId, PortfolioId, TeamId};
use crate::pii::Pii;
use crate::time::UtcMs;
use async_trait::async_trait;

/// Priority of an item whose call-back is agreed.
pub const CALLBACK_PRIORITY: i32 = 20;

/// Note of an item whose call-back was cancelled; he waits for his turn.
pub const CALLBACK_CANCELLED: &str = "callback_cancelled";

/// Which call-backs.
#[derive(Debug, Clone, Default)]
pub struct CallbackAsk {
    /// Only this client's.
    pub client: Option<ClientId>,
    /// Only those of these agents; `None` = everybody's.
    pub agents: Option<Vec<AgentId>>,
    /// With `agents`: also those that anyone makes.
    pub anyone: bool,
    /// Only this campaign's.
    pub campaign: Option<CampaignId>,
    /// From this instant on.
    pub from: UtcMs,
    /// Before this one.
    pub to: UtcMs,
    /// Behind this row of the page before.
    pub after: Option<(UtcMs, CampaignId, DebtorId)>,
    /// Most rows.
    pub limit: u32,
}

/// An agreed call-back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackRow {
    /// Where the debtor stands; `next_at` is the agreed instant, or the next look for its agent.
    pub item: ItemState,
    /// Owner.
    pub client_id: ClientId,
    /// Who agreed to make it; `None` = anyone.
    pub agent_id: Option<AgentId>,
}

impl CallbackRow {
    /// Letters of the longest part of a note that tells whose a call-back is.
    pub const NOTE_LEN: usize = 13 + 36;

    /// The agent named by an item's note.
    #[must_use]
    pub fn agent_of(note: &str) -> Option<AgentId> {
        let named = note.strip_prefix("callback_own:")?;
        named.split('@').next()?.parse().ok()
    }

    /// The note of a call-back of that agent, or of anyone.
    #[must_use]
    pub fn note_of(agent: Option<AgentId>) -> String {
        agent.map_or_else(|| "callback".to_owned(), |id| format!("callback_own:{id}"))
    }

    /// The note while it waits for that agent: `next_at` is then the next look for him.
    #[must_use]
    pub fn waiting_note(agent: AgentId, agreed_at: UtcMs) -> String {
        format!("callback_own:{agent}@{}", agreed_at.0)
    }

    /// Whether a call-back is agreed with him and still to be made.
    #[must_use]
    pub fn is_agreed(item: &ItemState) -> bool {
        !item.done && item.priority >= CALLBACK_PRIORITY && item.note.starts_with("callback")
    }

    /// The instant that was agreed.
    #[must_use]
    pub fn agreed_at(item: &ItemState) -> UtcMs {
        let told = item
            .note
            .split_once('@')
            .and_then(|(_, ms)| ms.parse().ok());
        told.map_or(item.next_at, UtcMs)
    }
}

/// Calls and answers of a caller id, and its rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerHealth {
    /// Which.
    pub caller_id: CallerIdId,
    /// Calls that left for the network.
    pub calls: u64,
    /// Of them, answered by a person.
    pub answered: u64,
    /// The rest that it has, or had last.
    pub rest: Option<CallerRest>,
    /// When somebody last called it and came to us.
    pub callback_at: Option<UtcMs>,
}

/// A rest of a caller id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerRest {
    /// Which.
    pub caller_id: CallerIdId,
    /// Since.
    pub since: UtcMs,
    /// Until.
    pub until: UtcMs,
    /// `calls` or `answers`: what made it rest; `person` when somebody did.
    pub reason: String,
    /// Calls counted then.
    pub calls: i64,
    /// Answers counted then.
    pub answered: i64,
}

/// Whose morning list.
#[derive(Debug, Clone)]
pub struct MorningAsk {
    /// The client.
    pub client: ClientId,
    /// Only debtors assigned to this agent.
    pub agent: Option<AgentId>,
    /// Only debtors assigned to this team or to one of these agents.
    pub team: Option<(TeamId, Vec<AgentId>)>,
    /// Attention threshold, minor units: who owes more that is overdue comes first.
    pub threshold_minor: i64,
    /// Today, days since 1970.
    pub today: i64,
    /// Behind this row of the page before: whether it was above the threshold, its day, the debtor.
    pub after: Option<(bool, i64, DebtorId)>,
    /// Most rows.
    pub limit: u32,
}

/// One debtor of the morning list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MorningRow {
    /// Debtor.
    pub debtor_id: DebtorId,
    /// The client's key of him.
    pub external_ref: String,
    /// His name.
    pub name: Pii<String>,
    /// Overdue, minor units.
    pub overdue_minor: i64,
    /// Its currency; `*` when his debts have several.
    pub currency: String,
    /// Day of the oldest due item, days since 1970.
    pub due_day: i64,
    /// Above the threshold.
    pub attention: bool,
    /// Whose he is.
    pub agent_id: Option<AgentId>,
    /// Which team's.
    pub team_id: Option<TeamId>,
}

/// Which files with a task (`rules::stale`): files with an open debt whose points somebody has to look at.
#[derive(Debug, Clone)]
pub struct FileTaskAsk {
    /// The client.
    pub client: ClientId,
    /// Only debtors of this portfolio, which is the client's.
    pub portfolio: Option<PortfolioId>,
    /// Only debtors assigned to this agent.
    pub agent: Option<AgentId>,
    /// Only files without a usable phone, or only those with one.
    pub no_phone: Option<bool>,
    /// A point confirmed at this instant or before is stale.
    pub until: UtcMs,
    /// Behind this row of the page before.
    pub after: Option<(UtcMs, DebtorId)>,
    /// Most rows.
    pub limit: u32,
}

/// A file with a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTaskRow {
    /// Debtor.
    pub debtor_id: DebtorId,
    /// His portfolio.
    pub portfolio_id: PortfolioId,
    /// The client's key of him.
    pub external_ref: String,
    /// His name.
    pub name: Pii<String>,
    /// What he owes, minor units.
    pub balance_minor: i64,
    /// Its currency; `*` when his debts have several.
    pub currency: String,
    /// When the usable point that nobody confirmed for longest was confirmed; `rules::stale::NO_PHONE` without
    /// a usable phone.
    pub confirmed_at: UtcMs,
    /// Whose he is.
    pub agent_id: Option<AgentId>,
    /// Which team's.
    pub team_id: Option<TeamId>,
}

/// How many files have a task; each is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileTaskCounts {
    /// Without a usable phone.
    pub no_phone: u64,
    /// With one, and a stale point.
    pub stale_point: u64,
}

/// The floor's own tables and questions.
#[async_trait]
pub trait FloorStore: Send + Sync {
    /// Puts a campaign in force where its stored version is still `was`, with the version that its settings are from
    /// now on, or without one where its state alone changes; whether it did. `Conflict` as for `put_campaign`.
    async fn settle_campaign(
        &self,
        row: &Campaign,
        version: Option<&CampaignVersion>,
        was: i32,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// Agreed call-backs by instant, then campaign and debtor.
    async fn callbacks(&self, ask: &CallbackAsk) -> Result<Vec<CallbackRow>, StoreError>;
    /// Changes an item that still stands as it was read and is with nobody: not leased, not on a call.
    /// `false` when it is not so any more; then nothing is written.
    async fn move_item(
        &self,
        was: &ItemState,
        to: &ItemState,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// Calls and answers of a client's caller ids since `since`, with their rests; every caller id once,
    /// by identity.
    async fn caller_health(
        &self,
        client: ClientId,
        since: UtcMs,
    ) -> Result<Vec<CallerHealth>, StoreError>;
    /// Lets a caller id rest. `false` when it rests already (at `since`); then nothing is written.
    async fn rest_caller_id(
        &self,
        rest: &CallerRest,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// Ends the rest of a caller id.
    async fn wake_caller_id(
        &self,
        id: CallerIdId,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<(), StoreError>;
    /// Notes that somebody called a number of ours and came to us: its way back works.
    async fn caller_id_reached(&self, id: CallerIdId, at: UtcMs) -> Result<(), StoreError>;
    /// Assigns debtors, each anew; one that has neither campaign, team nor agent is assigned no more.
    async fn assign(&self, rows: &[Assignment], events: &[NewEvent]) -> Result<(), StoreError>;
    /// Who works those debtors; who is assigned to nobody is left out.
    async fn assignments_of(&self, debtors: &[DebtorId]) -> Result<Vec<Assignment>, StoreError>;
    /// Debtors of a client whom a rule assigned, by id after `after`; at most `limit`.
    async fn ruled_debtors(
        &self,
        client: ClientId,
        after: Option<DebtorId>,
        limit: u32,
    ) -> Result<Vec<DebtorId>, StoreError>;
    /// How many debtors of a client each agent has.
    async fn agent_loads(&self, client: ClientId) -> Result<Vec<(AgentId, u64)>, StoreError>;
    /// Debtors with something overdue: above the threshold first, then by age, oldest first.
    async fn morning_list(&self, ask: &MorningAsk) -> Result<Vec<MorningRow>, StoreError>;
    /// Files with a task: those without a usable phone first, then the one whose point was not confirmed for
    /// longest; of one instant by debtor.
    async fn file_tasks(&self, ask: &FileTaskAsk) -> Result<Vec<FileTaskRow>, StoreError>;
    /// How many there are, whatever page and kind are asked for.
    async fn file_task_counts(&self, ask: &FileTaskAsk) -> Result<FileTaskCounts, StoreError>;
}
