//! Messages, their templates, and what debtors write.

use super::{Page, PageRequest, StoreError};
use crate::entity::{
    Channel, Debtor, InboxMessage, InboxState, LedgerRow, Message, MessageState, PaymentLink,
    TextTemplate, Verdict,
};
use crate::event::NewEvent;
use crate::ids::{ClientId, DebtorId, InboxId, MessageId, StrategyId, TextTemplateId};
use crate::law::{Action, Judge};
use crate::money::Currency;
use crate::time::{DAY_MS, MINUTE_MS, UtcMs};
use async_trait::async_trait;

/// Which messages; newest first.
#[derive(Debug, Clone, Default)]
pub struct MessageAsk {
    /// Only this client's.
    pub client: Option<ClientId>,
    /// Only this debtor's.
    pub debtor: Option<DebtorId>,
    /// Only in this state.
    pub state: Option<MessageState>,
    /// Only by this channel.
    pub channel: Option<Channel>,
    /// Only of this strategy.
    pub strategy: Option<StrategyId>,
    /// Older than this one.
    pub before: Option<MessageId>,
    /// Most rows.
    pub limit: u32,
}

/// Which messages of debtors; newest first.
#[derive(Debug, Clone, Default)]
pub struct InboxAsk {
    /// Only this client's; `None` = everybody's, also those of nobody.
    pub client: Option<ClientId>,
    /// Only this debtor's.
    pub debtor: Option<DebtorId>,
    /// Only in this state.
    pub state: Option<InboxState>,
    /// Older than this one.
    pub before: Option<InboxId>,
    /// Most rows.
    pub limit: u32,
}

/// What a gateway takes from the queue, and how fast it may.
#[derive(Debug, Clone, Copy)]
pub struct ClaimAsk<'a> {
    /// Its name; its rate is counted under it over all nodes.
    pub gateway: &'a str,
    /// Channels it carries.
    pub channels: &'a [Channel],
    /// Most messages a minute of the clock, over all nodes.
    pub per_minute: u32,
    /// Now.
    pub now: UtcMs,
    /// End of the lease.
    pub until: UtcMs,
    /// Most messages.
    pub limit: u32,
}

/// What was taken from the queue.
#[derive(Debug, Clone, Default)]
pub struct Claimed {
    /// Leased: to be sent, first due first.
    pub due: Vec<Message>,
    /// Ended meanwhile: their fate is not known, or they waited too long.
    pub lost: Vec<Message>,
}

/// A gateway as the installation knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayRow {
    /// Name.
    pub name: String,
    /// Channels it carries.
    pub channels: Vec<Channel>,
    /// Minute of the clock that is counted, since 1970.
    pub minute: i64,
    /// Messages taken in it, over all nodes.
    pub taken: u32,
    /// A node last asked for it at.
    pub seen_at: UtcMs,
}

/// A gateway that no node has asked for so long is gone, ms.
pub const GATEWAY_GONE_MS: i64 = DAY_MS;
/// Between two notes that a gateway is there, ms.
pub const GATEWAY_NOTE_MS: i64 = MINUTE_MS;

impl GatewayRow {
    /// The row after a question, and how many messages may be taken for it. A node whose clock is a little
    /// behind counts in the newest minute; a minute further ahead is of a clock that was wrong, and would
    /// stop all sending until it comes: counting starts anew.
    #[must_use]
    pub fn asked(before: Option<Self>, ask: &ClaimAsk<'_>) -> (Self, u32) {
        let minute = ask.now.0.div_euclid(MINUTE_MS);
        let (minute, taken) = match &before {
            Some(row) if (minute..=minute.saturating_add(1)).contains(&row.minute) => {
                (row.minute, row.taken)
            }
            _ => (minute, 0),
        };
        let row = Self {
            name: ask.gateway.to_owned(),
            channels: ask.channels.to_vec(),
            minute,
            taken,
            seen_at: ask.now,
        };
        (row, ask.per_minute.saturating_sub(taken).min(ask.limit))
    }

    /// Whether the stored row says less than this one.
    #[must_use]
    pub fn news(&self, before: Option<&Self>) -> bool {
        before.is_none_or(|b| {
            b.channels != self.channels
                || (b.minute, b.taken) != (self.minute, self.taken) && self.taken > 0
                || self.seen_at.since_ms(b.seen_at) >= GATEWAY_NOTE_MS
        })
    }
}

/// A message that is about to leave.
#[derive(Debug, Clone)]
pub struct MessageDraft {
    /// As it is sent: point, address, subject, text, gateway. Its state is set by the store.
    pub message: Message,
    /// What is asked of the law, at check point `message`.
    pub action: Action,
    /// The row that counts it.
    pub ledger: LedgerRow,
    /// The payment link in it, made with it.
    pub link: Option<PaymentLink>,
    /// Nobody else looks after it until then.
    pub lease_until: UtcMs,
    /// Event `message.sending`, and `payment_link.made` for the link.
    pub events: Vec<NewEvent>,
}

/// Whether a message may leave.
#[derive(Debug, Clone)]
pub enum MessageOpened {
    /// Durable and counted: hand it over.
    Open,
    /// The law refused inside the transaction; the decision is stored, the message still waits.
    Refused(Box<Verdict>),
    /// Its debt is closed or held, or its debtor paid since it was made: it is cancelled.
    Stopped(&'static str),
    /// It waits no more, or another node has it or had it meanwhile.
    Gone,
}

/// A step in the life of a message; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct MessageStep {
    /// New state; one that the present one may not become changes nothing.
    pub state: Option<MessageState>,
    /// When.
    pub at: UtcMs,
    /// Why.
    pub reason: Option<String>,
    /// The gateway's name of it.
    pub provider_ref: Option<String>,
    /// Cost, millionths, and its currency.
    pub cost: Option<(i64, Option<Currency>)>,
    /// To be sent at.
    pub due_at: Option<UtcMs>,
    /// It never left: its ledger row does not count.
    pub never_left: bool,
    /// The point does not take messages: it is marked bad.
    pub point_bad: bool,
}

/// A message of a debtor with what it means.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The row.
    pub row: InboxMessage,
    /// Counts it, when the debtor is known.
    pub ledger: Option<LedgerRow>,
    /// Events.
    pub events: Vec<NewEvent>,
}

/// Most debtors of one address.
pub const DEBTORS_AT_MAX: usize = 100;

/// Messages.
#[async_trait]
pub trait MessageStore: Send + Sync {
    /// Inserts or replaces a template and keeps its version. `Conflict` when client, name, channel,
    /// language and tone are taken.
    async fn put_text_template(
        &self,
        row: &TextTemplate,
        events: &[NewEvent],
    ) -> Result<(), StoreError>;
    /// A template.
    async fn get_text_template(&self, id: TextTemplateId) -> Result<TextTemplate, StoreError>;
    /// A page of templates by id.
    async fn text_templates(
        &self,
        client: Option<ClientId>,
        page: &PageRequest,
    ) -> Result<Page<TextTemplate>, StoreError>;
    /// Every version of a template, oldest first.
    async fn text_template_versions(
        &self,
        id: TextTemplateId,
    ) -> Result<Vec<TextTemplate>, StoreError>;
    /// Templates of a client under a name that may be used.
    async fn templates_named(
        &self,
        client: ClientId,
        name: &str,
    ) -> Result<Vec<TextTemplate>, StoreError>;
    /// Queues messages; one whose plan key its client has already is left out. Gives how many are new.
    async fn plan_messages(&self, rows: &[Message], events: &[NewEvent])
    -> Result<u64, StoreError>;
    /// Which of a client's plan keys (of messages and other steps) are taken; what money withdrew gives its key
    /// free and is kept under another one (`rules::withdrawal`).
    async fn plan_keys(&self, client: ClientId, keys: &[String])
    -> Result<Vec<String>, StoreError>;
    /// Leases queued messages due now by one of the channels; nobody else gets them before the lease ends.
    /// In the same transaction the gateway is noted as there and its rate is counted: over all nodes it takes
    /// no more than it may in a minute. Beside them those that were being sent when their lease ended: they
    /// have failed with it, for their fate is not known and nothing is sent twice; and those of any channel
    /// that waited longer than they are worth something (`expired`).
    async fn claim_messages(&self, ask: &ClaimAsk<'_>) -> Result<Claimed, StoreError>;
    /// Channels that some gateway of the installation carries, asked for since.
    async fn carried_since(&self, since: UtcMs) -> Result<Vec<Channel>, StoreError>;
    /// In one transaction: checks that the message still waits and its debt stands, loads the facts, asks
    /// `judge`, stores the verdict and, when it permits, the message as `sending` under a lease of its own, with
    /// its ledger row and its payment link.
    async fn open_message(
        &self,
        draft: &MessageDraft,
        judge: &dyn Judge,
    ) -> Result<MessageOpened, StoreError>;
    /// Writes a step and gives the lease back; `false` when it changed nothing.
    async fn note_message(
        &self,
        id: MessageId,
        step: &MessageStep,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// A message.
    async fn get_message(&self, id: MessageId) -> Result<Message, StoreError>;
    /// The message that a gateway names so.
    async fn message_by_ref(
        &self,
        gateway: &str,
        provider_ref: &str,
    ) -> Result<Option<Message>, StoreError>;
    /// The last message that left for an address by a channel.
    async fn last_message_to(
        &self,
        channel: Channel,
        address: &str,
    ) -> Result<Option<Message>, StoreError>;
    /// A page.
    async fn messages_page(&self, ask: &MessageAsk) -> Result<Vec<Message>, StoreError>;
    /// Cancels what is queued or planned for a debtor and must not happen any more (his debt is closed, he is
    /// held, the promise behind it lives no more, or he paid since it was made); gives the messages, each told
    /// by `told` in the same transaction.
    async fn withdraw_messages(
        &self,
        debtor: DebtorId,
        now: UtcMs,
        told: &(dyn for<'a> Fn(&'a Message) -> NewEvent + Send + Sync),
    ) -> Result<Vec<Message>, StoreError>;
    /// Writes a message of a debtor; `false` when its gateway told it before.
    async fn hear(&self, heard: &Heard) -> Result<bool, StoreError>;
    /// When somebody last wrote from an address by a channel.
    async fn last_heard(
        &self,
        channel: Channel,
        address: &str,
    ) -> Result<Option<UtcMs>, StoreError>;
    /// Debtors who have the address by id, at most [`DEBTORS_AT_MAX`].
    async fn debtors_at(&self, address: &str) -> Result<Vec<Debtor>, StoreError>;
    /// A message of a debtor.
    async fn get_inbox(&self, id: InboxId) -> Result<InboxMessage, StoreError>;
    /// Queues the answer to a message of a debtor (`reply_to`) and marks that as answered by who made the answer,
    /// both or neither; `false` when somebody answered or closed it before. An answer that ends and did not reach
    /// the debtor makes what it answers new again, in the transaction in which it ends.
    async fn answer_inbox(&self, row: &Message, events: &[NewEvent]) -> Result<bool, StoreError>;
    /// Marks it answered or closed; `false` when somebody else did before.
    async fn handle_inbox(
        &self,
        id: InboxId,
        state: InboxState,
        by: &str,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// A page.
    async fn inbox_page(&self, ask: &InboxAsk) -> Result<Vec<InboxMessage>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many may be taken at minute 100 when five of five were taken in `counted`, and where they count.
    fn left(counted: i64) -> (i64, u32) {
        let ask = ClaimAsk {
            gateway: "sms",
            channels: &[Channel::Sms],
            per_minute: 5,
            now: UtcMs(100 * MINUTE_MS + 1),
            until: UtcMs(200 * MINUTE_MS),
            limit: 9,
        };
        let before = GatewayRow {
            name: "sms".into(),
            channels: vec![Channel::Sms],
            minute: counted,
            taken: 5,
            seen_at: UtcMs(counted * MINUTE_MS),
        };
        let (row, most) = GatewayRow::asked(Some(before), &ask);
        (row.minute, most)
    }

    #[test]
    fn a_count_of_a_clock_far_ahead_does_not_stop_sending() {
        assert_eq!(left(99), (100, 5), "a new minute");
        assert_eq!(left(100), (100, 0), "the same minute");
        assert_eq!(left(101), (101, 0), "a clock a little behind");
        assert_eq!(left(102), (100, 5), "that clock was wrong");
        assert_eq!(left(100 + 24 * 60), (100, 5), "by a day");
    }
}
