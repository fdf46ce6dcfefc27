//! Ledger: append-only rows behind every cap, one for all channels, campaigns and clients.

use super::{Attempt, Channel, PointClass, Visit};
use crate::ids::{
    AttemptId, CampaignId, ClientId, DebtId, DebtorId, LedgerId, MessageId, PersonId, PointId,
    VisitId,
};
use crate::pii::Pii;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// What a row counts (law.md §1, words in caps).
    pub enum LedgerKind {
        /// A dial that left for the network (written before it leaves; counts while its fate is unknown).
        Attempt = "attempt",
        /// Live talk with an obligated, verified party.
        Conversation = "conversation",
        /// A message sent.
        Message = "message",
        /// A visit.
        Visit = "visit",
        /// An answered call that found no agent in time.
        Abandoned = "abandoned",
        /// A reply by the debtor on any channel.
        Reply = "reply",
        /// A visit that was given back before anybody went: it counts nowhere.
        Withdrawn = "withdrawn",
    }
}

/// One counted act. Rows are never changed, but `reached_network` is settled once; that of a visit is settled with
/// what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// Identity.
    pub id: LedgerId,
    /// The person over all clients.
    pub person_id: PersonId,
    /// The debtor.
    pub debtor_id: DebtorId,
    /// The client.
    pub client_id: ClientId,
    /// Debts the act was about.
    pub debts: Vec<DebtId>,
    /// The point used.
    pub point_id: Option<PointId>,
    /// The number or address used.
    pub address: Pii<String>,
    /// Class of the point.
    pub class: PointClass,
    /// Channel.
    pub channel: Channel,
    /// What it counts.
    pub kind: LedgerKind,
    /// When.
    pub at: UtcMs,
    /// The attempt behind it.
    pub attempt_id: Option<AttemptId>,
    /// The campaign behind it.
    pub campaign_id: Option<CampaignId>,
    /// `Some(false)` once it is known that the dial never reached the number (congestion, trunk fault);
    /// `None` while unknown, which counts as reached. Of a visit: whether it met who owes.
    pub reached_network: Option<bool>,
}

impl LedgerRow {
    /// What an attempt came to. The row has the attempt's identity under the kind's name space: whoever
    /// writes it, and however often, it is counted once.
    #[must_use]
    pub fn of_attempt(attempt: &Attempt, kind: LedgerKind, at: UtcMs) -> Self {
        Self {
            id: Self::id_of(attempt.id, kind),
            person_id: attempt.person_id,
            debtor_id: attempt.debtor_id,
            client_id: attempt.client_id,
            debts: attempt.debts.clone(),
            point_id: Some(attempt.point_id),
            address: attempt.phone.clone(),
            class: attempt.class,
            channel: Channel::Call,
            kind,
            at,
            attempt_id: Some(attempt.id),
            campaign_id: attempt.campaign_id,
            reached_network: None,
        }
    }

    /// The row that counts a visit to somebody, from when it is planned.
    #[must_use]
    pub fn of_visit(visit: &Visit, person: PersonId) -> Self {
        Self {
            id: Self::id_of_visit(visit.id),
            person_id: person,
            debtor_id: visit.debtor_id,
            client_id: visit.client_id,
            debts: visit.debts.clone(),
            point_id: None,
            address: String::new().into(),
            class: PointClass::Other,
            channel: Channel::Visit,
            kind: LedgerKind::Visit,
            at: visit.planned_at,
            attempt_id: None,
            campaign_id: None,
            reached_network: None,
        }
    }

    /// Identity of the row that counts a message: however often it is tried, it is counted once.
    #[must_use]
    pub fn id_of_message(message: MessageId) -> LedgerId {
        LedgerId(uuid::Uuid::new_v5(&message.0, b"message"))
    }

    /// Identity of the row that counts a visit.
    #[must_use]
    pub const fn id_of_visit(visit: VisitId) -> LedgerId {
        LedgerId(visit.0)
    }

    /// Whether it is a visit that met who owes: he was talked to.
    #[must_use]
    pub const fn is_meeting(&self) -> bool {
        matches!(
            (self.kind, self.reached_network),
            (LedgerKind::Visit, Some(true))
        )
    }

    /// Identity of the row of that kind of an attempt.
    #[must_use]
    pub fn id_of(attempt: AttemptId, kind: LedgerKind) -> LedgerId {
        LedgerId(uuid::Uuid::new_v5(&attempt.0, kind.as_str().as_bytes()))
    }

    /// What an attempt whose end nobody wrote came to, as far as its steps tell. In doubt it counts: who
    /// was joined with an agent has talked, who answered and was not is abandoned.
    #[must_use]
    pub fn of_lost(attempt: &Attempt) -> Option<Self> {
        if let Some(at) = attempt.bridged_at.or(attempt.identity_at) {
            return Some(Self::of_attempt(attempt, LedgerKind::Conversation, at));
        }
        let at = attempt.answered_at?;
        Some(Self::of_attempt(attempt, LedgerKind::Abandoned, at))
    }
}
