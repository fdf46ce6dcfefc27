//! Message and InboxMessage: what goes out and comes in by SMS, WhatsApp, e-mail or push.

use super::Channel;
use crate::ids::{
    ClientId, DebtId, DebtorId, InboxId, MessageId, PointId, StrategyId, TextTemplateId, VerdictId,
};
use crate::money::Currency;
use crate::pii::Pii;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// Life of a message. `queued → sending → sent → delivered → read → answered`; it ends early as
    /// `bounced`, `failed`, `refused` (by the law) or `cancelled` (paid, held, withdrawn).
    pub enum MessageState {
        /// Waits for its instant.
        Queued = "queued",
        /// Durable and counted, being handed to the gateway.
        Sending = "sending",
        /// The gateway took it.
        Sent = "sent",
        /// Reached the debtor's device or mailbox.
        Delivered = "delivered",
        /// Read.
        Read = "read",
        /// The debtor answered it.
        Answered = "answered",
        /// Came back: the address does not take it.
        Bounced = "bounced",
        /// Could not be sent, or its fate was lost.
        Failed = "failed",
        /// The law refused it.
        Refused = "refused",
        /// Money, a hold or a person took it back before it left.
        Cancelled = "cancelled",
    }
}

impl MessageState {
    /// Whether a message in this state may come to be in `next`. Receipts come out of order: a step
    /// back is never made, and what was answered stays so.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Queued, Self::Sending | Self::Refused | Self::Cancelled | Self::Failed)
            | (Self::Sending, Self::Queued | Self::Failed | Self::Bounced) => true,
            (Self::Sending, to) | (Self::Sent, to) | (Self::Delivered, to) | (Self::Read, to) => {
                to.rank() > self.rank()
                    || matches!((self, to), (Self::Sent, Self::Failed))
                    || matches!((self, to), (Self::Sent | Self::Delivered, Self::Bounced))
            }
            _ => false,
        }
    }

    /// Place on the way from queued (0) to answered (5); 0 for what ended early.
    const fn rank(self) -> u8 {
        match self {
            Self::Sending => 1,
            Self::Sent => 2,
            Self::Delivered => 3,
            Self::Read => 4,
            Self::Answered => 5,
            _ => 0,
        }
    }

    /// Whether it left (or may have left) for the debtor.
    #[must_use]
    pub const fn has_left(self) -> bool {
        !matches!(self, Self::Queued | Self::Refused | Self::Cancelled)
    }
}

crate::text_enum! {
    /// Why a message goes out.
    pub enum MessagePurpose {
        /// A step of a strategy: a reminder of a due date, promise or instalment, or another notice.
        Strategy = "strategy",
        /// Somebody sent it by hand.
        Manual = "manual",
        /// The answer to a message of the debtor.
        Reply = "reply",
    }
}

/// A message that is to go out, or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Identity; gateways get it as idempotency key.
    pub id: MessageId,
    /// Owner.
    pub client_id: ClientId,
    /// To whom.
    pub debtor_id: DebtorId,
    /// The debt it is about; `None` = all of his.
    pub debt_id: Option<DebtId>,
    /// The point it went to; chosen when it is sent unless somebody chose it.
    pub point_id: Option<PointId>,
    /// The number or address it went to.
    pub address: Option<Pii<String>>,
    /// Channel.
    pub channel: Channel,
    /// Why.
    pub purpose: MessagePurpose,
    /// Template, when it has one.
    pub template_id: Option<TextTemplateId>,
    /// Its version when it was rendered, 0 before.
    pub template_version: i32,
    /// The strategy that planned it.
    pub strategy_id: Option<StrategyId>,
    /// Its version.
    pub strategy_version: i32,
    /// Key of the step within the strategy, or empty.
    pub step: String,
    /// What it was planned from and for (`promise:<id>:d-1`); one message a key and client. `#paid` stands behind
    /// that of one that money withdrew, so that the key is free.
    pub plan_key: Option<String>,
    /// Subject of an e-mail as sent.
    pub subject: String,
    /// Text as sent (as given, before it is sent).
    pub body: Pii<String>,
    /// Goes out at this instant, or later where the law or the gateway asks for it.
    pub due_at: UtcMs,
    /// Useless from this instant on: fails instead.
    pub expires_at: UtcMs,
    /// State.
    pub state: MessageState,
    /// Rule, error code or word behind the state; no personal data.
    pub reason: String,
    /// Times that it was handed to a gateway.
    pub tries: i32,
    /// Gateway that took it.
    pub gateway: String,
    /// The gateway's name of it.
    pub provider_ref: String,
    /// What it cost, millionths of `currency`.
    pub cost_micro: i64,
    /// Currency of the cost.
    pub currency: Option<Currency>,
    /// The binding decision of the law.
    pub verdict_id: Option<VerdictId>,
    /// The message of the debtor that it answers.
    pub reply_to: Option<InboxId>,
    /// `user:<id>`, `agent:<id>` or `system`.
    pub made_by: String,
    /// Planned at.
    pub created_at: UtcMs,
    /// Taken by the gateway at.
    pub sent_at: Option<UtcMs>,
    /// Delivered at.
    pub delivered_at: Option<UtcMs>,
    /// Read at.
    pub read_at: Option<UtcMs>,
    /// Answered at.
    pub answered_at: Option<UtcMs>,
    /// Bounced, failed, refused or cancelled at.
    pub ended_at: Option<UtcMs>,
}

crate::text_enum! {
    /// Whether somebody looked after a message of a debtor.
    pub enum InboxState {
        /// Nobody yet.
        New = "new",
        /// Answered.
        Answered = "answered",
        /// Needs no answer.
        Closed = "closed",
    }
}

/// A message that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxMessage {
    /// Identity.
    pub id: InboxId,
    /// Whose debtor wrote; `None` when nobody has the address.
    pub client_id: Option<ClientId>,
    /// Who wrote, when it is known.
    pub debtor_id: Option<DebtorId>,
    /// The message it answers, when it is known.
    pub message_id: Option<MessageId>,
    /// Channel.
    pub channel: Channel,
    /// Number or address it came from.
    pub address: Pii<String>,
    /// What was written.
    pub text: Pii<String>,
    /// Gateway it came by.
    pub gateway: String,
    /// The gateway's name of it; a repeat is the same message.
    pub provider_ref: String,
    /// State.
    pub state: InboxState,
    /// It asked for no more messages, and that was obeyed.
    pub optout: bool,
    /// Came in at.
    pub received_at: UtcMs,
    /// Answered or closed at.
    pub handled_at: Option<UtcMs>,
    /// By whom; empty = nobody yet.
    pub handled_by: String,
}

#[cfg(test)]
mod tests {
    use super::MessageState as S;

    #[test]
    fn a_state_never_goes_back() {
        for from in S::ALL {
            assert!(!from.may_become(*from), "{from}");
            assert!(!from.may_become(S::Queued) || *from == S::Sending, "{from}");
        }
        assert!(S::Sent.may_become(S::Read) && S::Sent.may_become(S::Bounced));
        assert!(!S::Read.may_become(S::Delivered) && !S::Read.may_become(S::Failed));
        assert!(S::Read.may_become(S::Answered) && S::Sending.may_become(S::Delivered));
        assert!(!S::Answered.may_become(S::Bounced) && !S::Cancelled.may_become(S::Sending));
        assert!(!S::Delivered.may_become(S::Failed) && S::Delivered.may_become(S::Bounced));
        assert!(
            !S::Queued.may_become(S::Sent),
            "nothing is sent that was not counted"
        );
    }
}
