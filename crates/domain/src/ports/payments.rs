//! Payment providers: a page of theirs for a link of ours, and their signed word that it was paid.

use crate::entity::PaymentLink;
use crate::ids::PaymentLinkId;
use crate::money::Money;
use crate::time::UtcMs;
use async_trait::async_trait;

/// What the provider's page is asked for. It is told an id, an amount and addresses: no name, no phone.
#[derive(Debug, Clone)]
pub struct PageOrder<'a> {
    /// The link.
    pub link: &'a PaymentLink,
    /// What the debtor reads there: the creditor and the debt's number.
    pub title: &'a str,
    /// Where he comes back to, paid or not.
    pub back_url: &'a str,
    /// Language of the page (`es`, `en`).
    pub language: &'a str,
    /// Now.
    pub now: UtcMs,
}

/// A page of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderPage {
    /// The provider's id of it.
    pub session: String,
    /// Its address.
    pub url: String,
}

/// What a provider says by webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    /// The provider's id of the event: it comes at least once.
    pub id: String,
    /// When it happened there.
    pub at: UtcMs,
    /// What.
    pub what: ProviderWhat,
}

/// What happened at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderWhat {
    /// Money for a link is there.
    Paid {
        /// The link that the page was made for.
        link: PaymentLinkId,
        /// The provider's id of the money; a refund names it.
        money: String,
        /// How much.
        amount: Money,
    },
    /// The page ended unpaid.
    Expired {
        /// The link.
        link: PaymentLinkId,
    },
    /// Money went back.
    Refunded {
        /// The provider's id of the money.
        money: String,
        /// How much went back in all, up to now.
        total: Money,
    },
    /// The payer's bank disputes money; nothing has moved by that.
    Disputed {
        /// The provider's id of the money.
        money: String,
        /// The provider's id of the dispute.
        dispute: String,
        /// How much is disputed.
        amount: Money,
        /// Why, in a word of the provider.
        reason: String,
    },
    /// A dispute took money away.
    Withdrawn {
        /// The provider's id of the money.
        money: String,
        /// The provider's id of the dispute.
        dispute: String,
        /// How much.
        amount: Money,
    },
    /// A dispute gave money back.
    Reinstated {
        /// The provider's id of the money.
        money: String,
        /// The provider's id of the dispute.
        dispute: String,
        /// How much.
        amount: Money,
    },
    /// A dispute is over; what it moved is told by itself.
    Settled {
        /// The provider's id of the money.
        money: String,
        /// The provider's id of the dispute.
        dispute: String,
        /// How much was disputed.
        amount: Money,
        /// How it ended, in a word of the provider (`won`, `lost`).
        outcome: String,
    },
    /// Something that changes nothing here, by its name there.
    Other(String),
}

/// Why a provider did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum PaymentsError {
    /// It cannot be reached, or asks to wait: the same may be asked again.
    #[error("payment provider unavailable: {0}")]
    Unavailable(String),
    /// It refuses: asking again is of no use.
    #[error("payment provider refused: {0}")]
    Refused(String),
    /// A webhook without a signature that fits.
    #[error("webhook signature: {0}")]
    Signature(&'static str),
    /// A signed webhook that cannot be read.
    #[error("webhook body: {0}")]
    Body(String),
}

/// A payment provider.
#[async_trait]
pub trait Payments: Send + Sync {
    /// Name in configuration and rows (`stripe`).
    fn name(&self) -> &'static str;
    /// Hosts that its pages are on, for the content policy of ours.
    fn page_origin(&self) -> String;
    /// Makes a page for a link; asked again within minutes for one link, it gives the same page.
    async fn open_page(&self, order: PageOrder<'_>) -> Result<ProviderPage, PaymentsError>;
    /// Reads a webhook: `signature` is the provider's header, `body` the bytes as they came.
    ///
    /// # Errors
    /// `Signature` for what is not the provider's word or not fresh, `Body` for what cannot be read.
    fn parse_webhook(
        &self,
        signature: &str,
        body: &[u8],
        now: UtcMs,
    ) -> Result<ProviderEvent, PaymentsError>;
}
