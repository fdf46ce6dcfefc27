//! Messenger: a gateway that carries messages out and tells what became of them.

use crate::entity::{Channel, Language};
use crate::ids::MessageId;
use crate::money::Currency;
use crate::pii::Pii;
use crate::time::UtcMs;
use async_trait::async_trait;

/// A template that the provider approved, with the values of its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderTemplate {
    /// Its name at the provider.
    pub name: String,
    /// The provider's code of its language (`es_MX`); empty = the plain one of the message's language.
    pub language: String,
    /// Values in order.
    pub values: Vec<Pii<String>>,
}

/// A message as a gateway gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Identity: the idempotency key where the provider takes one.
    pub id: MessageId,
    /// Channel.
    pub channel: Channel,
    /// E.164 number or e-mail address.
    pub to: Pii<String>,
    /// Language that it is written in.
    pub language: Language,
    /// Subject of an e-mail; else empty.
    pub subject: String,
    /// Text.
    pub body: Pii<String>,
    /// Approved template, where one must be used.
    pub template: Option<ProviderTemplate>,
    /// Now.
    pub at: UtcMs,
}

/// What the gateway says when it takes a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The provider's name of the message.
    pub provider_ref: String,
    /// What it costs, millionths of `currency`.
    pub cost_micro: i64,
    /// Currency of the cost; `None` = free or not known yet.
    pub currency: Option<Currency>,
}

/// Why a message was not taken. Texts hold no personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendFault {
    /// Never for this address or text.
    #[error("refused: {code}")]
    Refused {
        /// The provider's code.
        code: String,
        /// The address is at fault: it does not take messages of this channel.
        bad_address: bool,
    },
    /// Not now; nothing was sent.
    #[error("try again: {0}")]
    Later(String),
    /// The provider takes nothing of us, whatever the address: wrong key, closed account. Nothing was sent, and
    /// nothing will be before somebody sees to it.
    #[error("not accepted: {0}")]
    Closed(String),
    /// The answer was lost: it may have been sent, so it is not sent again.
    #[error("fate unknown: {0}")]
    Unknown(String),
}

/// A call of the provider on our web address.
#[derive(Debug, Clone)]
pub struct Hook<'a> {
    /// Method, `GET` or `POST`.
    pub method: &'a str,
    /// Path and query as they came, `/hooks/messages/sms?x=y`.
    pub path: &'a str,
    /// Headers, names in lower case.
    pub headers: &'a [(String, String)],
    /// Body as it came.
    pub body: &'a [u8],
    /// Now.
    pub at: UtcMs,
}

impl Hook<'_> {
    /// A header by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }
}

/// What a provider's call tells, and what it is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookReply {
    /// What it tells, in order.
    pub receipts: Vec<Receipt>,
    /// Body of the answer (200).
    pub body: String,
    /// Its content type; empty = plain text.
    pub content_type: &'static str,
}

/// Why a provider's call is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HookFault {
    /// The signature or token is missing or wrong.
    #[error("signature missing or wrong")]
    Signature,
    /// It cannot be read.
    #[error("body cannot be read")]
    Body,
    /// This gateway is not called.
    #[error("this gateway takes no calls")]
    Closed,
}

/// What became of a message, or one that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The provider's name of our message; of a message that came in its own name.
    pub provider_ref: String,
    /// Our own name of our message, where the provider gives back what it was told with it: it is known before
    /// the provider's answer is.
    pub own: Option<MessageId>,
    /// When it happened; `None` = when it is told.
    pub at: Option<UtcMs>,
    /// What.
    pub kind: ReceiptKind,
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptKind {
    /// On its way.
    Sent,
    /// Reached the device or mailbox.
    Delivered,
    /// Read.
    Read,
    /// Failed for good.
    Failed {
        /// The provider's code.
        code: String,
        /// The address does not take it.
        bad_address: bool,
    },
    /// A message of the debtor.
    Reply {
        /// Channel.
        channel: Channel,
        /// From.
        from: Pii<String>,
        /// Text, cut to [`REPLY_MAX`] characters.
        text: Pii<String>,
        /// The provider's name of our message that it answers, when it says so.
        answers: Option<String>,
        /// The provider took it as one that asks for no more messages, whatever its words.
        optout: bool,
    },
}

/// Longest text of a debtor's message that is kept, characters.
pub const REPLY_MAX: usize = 4_000;

/// A gateway. `send` must not be called again for a message after `Unknown`.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Name in the configuration; part of its web address.
    fn name(&self) -> &str;
    /// Channels it carries.
    fn channels(&self) -> &[Channel];
    /// Most messages a minute.
    fn per_minute(&self) -> u32;
    /// Whether text outside a template may only be sent within a day of the debtor's last message.
    fn needs_template(&self) -> bool {
        false
    }
    /// Whether the provider calls again where its call is not taken.
    fn comes_again(&self) -> bool {
        false
    }
    /// Whether a code with which a message fails says that the debtor asked the provider for no more messages.
    fn is_optout(&self, _code: &str) -> bool {
        false
    }
    /// What a message costs, millionths, and its currency; `None` = free or not known.
    fn price(&self) -> (i64, Option<Currency>) {
        (0, None)
    }
    /// Hands a message over.
    ///
    /// # Errors
    /// See [`SendFault`].
    async fn send(&self, message: &Outgoing) -> Result<Accepted, SendFault>;
    /// Checks and reads a provider's call.
    ///
    /// # Errors
    /// See [`HookFault`].
    fn hook(&self, _hook: &Hook<'_>) -> Result<HookReply, HookFault> {
        Err(HookFault::Closed)
    }
    /// What waits in the gateway's own mailbox, at most `limit`; it is told again until it is put away.
    ///
    /// # Errors
    /// The mailbox cannot be read.
    async fn poll(&self, _limit: usize) -> Result<Vec<Receipt>, SendFault> {
        Ok(Vec::new())
    }
    /// Puts away what was told by `poll` and is written down.
    ///
    /// # Errors
    /// The mailbox cannot be changed.
    async fn put_away(&self, _told: &[Receipt]) -> Result<(), SendFault> {
        Ok(())
    }
}
