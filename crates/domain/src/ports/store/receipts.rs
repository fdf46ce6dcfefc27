//! Money as it comes in: receipts, how they are spread, payment links, bank files, providers' webhooks.

use super::{Page, PageRequest, PaymentOutcome, StoreError};
use crate::entity::{
    BankFile, LinkState, MoneyPolicy, Payment, PaymentLink, PaymentParts, Promise, Receipt,
    ReceiptState,
};
use crate::event::NewEvent;
use crate::ids::{
    BankFileId, ClientId, DebtId, DebtorId, PaymentId, PaymentLinkId, PortfolioId, ReceiptId,
};
use crate::money::Money;
use crate::time::UtcMs;
use async_trait::async_trait;

/// Most debts that one receipt may be spread over at once.
pub const SHARES_MAX: usize = 50;
/// Most suggestions of whose money it is.
pub const SUGGESTIONS_MAX: usize = 10;
/// Most receipts of one reference and amount that are looked at: where there are so many, no one of them is meant
/// for sure.
pub const BANK_RECEIPTS_MAX: u32 = 1_000;
/// Most words of a concept that are looked up.
pub const CLUE_WORDS_MAX: usize = 12;

/// Which receipts.
#[derive(Debug, Clone, Default)]
pub struct ReceiptFilter {
    /// Only this client's.
    pub client_id: Option<ClientId>,
    /// Only in these states; empty = any.
    pub states: Vec<ReceiptState>,
    /// Only this debtor's.
    pub debtor_id: Option<DebtorId>,
    /// Only of this file.
    pub file_id: Option<BankFileId>,
}

/// Which payments, newest first.
#[derive(Debug, Clone, Default)]
pub struct PaymentFilter {
    /// Only this client's.
    pub client_id: Option<ClientId>,
    /// Only on debts of this portfolio.
    pub portfolio_id: Option<PortfolioId>,
    /// Only this debtor's.
    pub debtor_id: Option<DebtorId>,
    /// Only on this debt.
    pub debt_id: Option<DebtId>,
    /// Money that moved at or after it.
    pub from: Option<UtcMs>,
    /// Money that moved before it.
    pub until: Option<UtcMs>,
    /// Only of this channel, by its name.
    pub channel: Option<String>,
    /// Only reversals, or only what is none.
    pub reversals: Option<bool>,
}

/// Which payment links, newest first.
#[derive(Debug, Clone, Default)]
pub struct LinkFilter {
    /// Only this client's.
    pub client_id: Option<ClientId>,
    /// Only this debtor's.
    pub debtor_id: Option<DebtorId>,
    /// Only those that somebody made, `agent:<id>` or as it is noted.
    pub made_by: Option<String>,
    /// Only in this state.
    pub state: Option<LinkState>,
    /// Only open ones, of which nobody may prove any more who he is; or only all others.
    pub locked: Option<bool>,
}

impl LinkFilter {
    /// Whether a link is one of them.
    #[must_use]
    pub fn has(&self, link: &PaymentLink) -> bool {
        self.client_id.is_none_or(|c| link.client_id == c)
            && self.debtor_id.is_none_or(|d| link.debtor_id == d)
            && self.made_by.as_ref().is_none_or(|m| link.made_by == *m)
            && self.state.is_none_or(|s| link.state == s)
            && self.locked.is_none_or(|l| link.is_locked() == l)
    }
}

/// What is known of the sender of money.
#[derive(Debug, Clone)]
pub struct Clues {
    /// Whose money it would be.
    pub client_id: ClientId,
    /// References and words of the concept, as written; at most [`CLUE_WORDS_MAX`] are looked up.
    pub words: Vec<String>,
    /// Identity document, or empty.
    pub document: String,
    /// How much.
    pub amount: Money,
}

/// A debtor whose money it may be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Suggestion {
    /// Who.
    pub debtor_id: DebtorId,
    /// On which debt, when one is meant.
    pub debt_id: Option<DebtId>,
    /// Why, strongest first: `reference`, `document`, `promise` (its amount), `amount` (what is owed,
    /// overdue or asked at least).
    pub reasons: Vec<String>,
}

impl Suggestion {
    /// Strong enough to post without a person: it is named by reference or by document.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.reasons
            .iter()
            .any(|r| r == "reference" || r == "document")
    }
}

/// What posts a receipt's money on debts, or takes it off again.
#[derive(Debug, Clone)]
pub struct ReceiptStep<'a> {
    /// Which receipt.
    pub receipt: ReceiptId,
    /// Whose money it is now; `None` = nobody's again.
    pub debtor_id: Option<DebtorId>,
    /// Payments on debts of that debtor; negative ones take back earlier ones of this receipt.
    pub payments: &'a [Payment],
    /// What goes back to the sender, minor units.
    pub returned_minor: i64,
    /// What had gone back when the step was made, where it is the rest of a sum: when more has gone since, it
    /// does not fit.
    pub gone_minor: Option<i64>,
    /// Why it is as it is then.
    pub note: &'a str,
    /// The word it carries out, by provider and its id of the event: done with it, so that it is carried out
    /// once.
    pub word: Option<(&'a str, &'a str)>,
    /// Now.
    pub now: UtcMs,
    /// Appended with it.
    pub events: &'a [NewEvent],
}

/// A receipt after a step, with what each payment did.
#[derive(Debug, Clone)]
pub struct ReceiptOutcome {
    /// The receipt.
    pub receipt: Receipt,
    /// What each payment of the step did.
    pub payments: Vec<PaymentOutcome>,
}

/// A provider's webhook as it is remembered: what it said, no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookNote {
    /// Provider.
    pub provider: String,
    /// The provider's id of the event.
    pub event_id: String,
    /// `paid`, `expired`, `refunded`, `withdrawn:…`, `reinstated:…`, `disputed:…`, `settled:…` (the provider's id
    /// of the dispute behind it), or the provider's name of what changes nothing.
    pub what: String,
    /// The provider's id of the money, when it names one.
    pub money: Option<String>,
    /// Amount, for what has one.
    pub amount: Option<Money>,
    /// What it did is done; a refund of money that is not here yet waits.
    pub done: bool,
    /// Received at.
    pub at: UtcMs,
}

/// Told of each promise that money closed.
pub type TellPromise<'a> = &'a (dyn for<'p> Fn(&'p Promise) -> NewEvent + Send + Sync);

/// Money as it comes in.
#[async_trait]
pub trait ReceiptStore: Send + Sync {
    /// How a client wants money treated; `MoneyPolicy::of` when he said nothing.
    async fn money_policy(&self, client: ClientId) -> Result<MoneyPolicy, StoreError>;
    /// Replaces it; its version must be the stored one + 1, else `Conflict`.
    async fn put_money_policy(
        &self,
        row: &MoneyPolicy,
        events: &[NewEvent],
    ) -> Result<(), StoreError>;
    /// Takes money in, once by (client, reference): a repeat gives the first receipt and `true`. The same
    /// reference with another amount is no repeat: it is kept as `Receipt::as_other_amount` says.
    async fn take_receipt(
        &self,
        row: &Receipt,
        events: &[NewEvent],
    ) -> Result<(Receipt, bool), StoreError>;
    /// One receipt.
    async fn get_receipt(&self, id: ReceiptId) -> Result<Receipt, StoreError>;
    /// Receipts with this reference, of any client: for references that are unique everywhere, as a
    /// provider's.
    async fn receipts_by_reference(&self, reference: &str) -> Result<Vec<Receipt>, StoreError>;
    /// Receipts of bank files whose own reference and amount these are, newest first, at most
    /// [`BANK_RECEIPTS_MAX`].
    async fn bank_receipts(
        &self,
        client: ClientId,
        own: &str,
        amount: Money,
    ) -> Result<Vec<Receipt>, StoreError>;
    /// A page, oldest first.
    async fn receipts_page(
        &self,
        filter: &ReceiptFilter,
        page: &PageRequest,
    ) -> Result<Page<Receipt>, StoreError>;
    /// Posts a receipt's money, takes it off, or sends it back. `Conflict` when it has less left than that, other
    /// money of it went back than the step knows of, a debt is not the debtor's or owes less than its share, a
    /// payment is none of this receipt or is taken back beyond its amount, its word is done or not noted: nothing
    /// is then done.
    async fn step_receipt(
        &self,
        step: &ReceiptStep<'_>,
        told: TellPromise<'_>,
    ) -> Result<ReceiptOutcome, StoreError>;
    /// As [`Self::step_receipt`], of several receipts at once: all of it is done, or nothing. One piece of money
    /// may stand on several receipts, as what a dispute gave back does.
    async fn step_receipts(
        &self,
        steps: &[ReceiptStep<'_>],
        told: TellPromise<'_>,
    ) -> Result<Vec<ReceiptOutcome>, StoreError>;
    /// Payments made of a receipt, oldest first, reversals too.
    async fn payments_of_receipt(&self, id: ReceiptId) -> Result<Vec<Payment>, StoreError>;
    /// What each of these payments did to its debt.
    async fn parts_of(&self, ids: &[PaymentId]) -> Result<Vec<PaymentParts>, StoreError>;
    /// A page of payments, newest first.
    async fn payments_page(
        &self,
        filter: &PaymentFilter,
        page: &PageRequest,
    ) -> Result<Page<Payment>, StoreError>;
    /// Payment by the source's reference within a client.
    async fn payment_by_reference(
        &self,
        client: ClientId,
        reference: &str,
    ) -> Result<Option<Payment>, StoreError>;
    /// Whose money it may be, strongest first, at most [`SUGGESTIONS_MAX`]. Names of people are no clue.
    async fn suggest_payers(&self, clues: &Clues) -> Result<Vec<Suggestion>, StoreError>;

    /// Makes a link.
    async fn put_payment_link(
        &self,
        row: &PaymentLink,
        events: &[NewEvent],
    ) -> Result<(), StoreError>;
    /// One link.
    async fn get_payment_link(&self, id: PaymentLinkId) -> Result<PaymentLink, StoreError>;
    /// A page of links, newest first.
    async fn payment_links_page(
        &self,
        filter: &LinkFilter,
        page: &PageRequest,
    ) -> Result<Page<PaymentLink>, StoreError>;
    /// Counts an answer to the question of identity: a wrong one counts up, a right one opens the link. Nothing
    /// changes once the link is closed or out of tries. Gives the link as it is then.
    async fn answer_link(
        &self,
        id: PaymentLinkId,
        right: bool,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<PaymentLink, StoreError>;
    /// Notes the provider's page of a link that is not closed; the last one stands.
    async fn link_session(
        &self,
        id: PaymentLinkId,
        session: &str,
        url: &str,
    ) -> Result<PaymentLink, StoreError>;
    /// Moves a link to an end, from `created` or `opened` only (`paid` from `expired` and `cancelled` too:
    /// money is money). `false` when it was not moved.
    async fn close_link(
        &self,
        id: PaymentLinkId,
        to: LinkState,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// Links whose time is over become `expired`, at most `limit`; gives them.
    async fn expire_links(&self, now: UtcMs, limit: u32) -> Result<Vec<PaymentLink>, StoreError>;

    /// Notes a webhook; `false` when it is noted already and done.
    async fn note_webhook(&self, note: &WebhookNote) -> Result<bool, StoreError>;
    /// A webhook did what it had to.
    async fn webhook_done(&self, provider: &str, event_id: &str) -> Result<(), StoreError>;
    /// Webhooks about this money that still wait.
    async fn waiting_webhooks(
        &self,
        provider: &str,
        money: &str,
    ) -> Result<Vec<WebhookNote>, StoreError>;

    /// Whatever was said about this money, oldest first.
    async fn webhooks_about(
        &self,
        provider: &str,
        money: &str,
    ) -> Result<Vec<WebhookNote>, StoreError>;

    /// Notes a file; the same bytes of one client again give the first row and `true`.
    async fn take_bank_file(
        &self,
        row: &BankFile,
        events: &[NewEvent],
    ) -> Result<(BankFile, bool), StoreError>;
    /// Replaces a file's row.
    async fn put_bank_file(&self, row: &BankFile) -> Result<(), StoreError>;
    /// Files that are being read and did not move since `before` become `half`; gives them.
    async fn half_bank_files(&self, before: UtcMs, now: UtcMs)
    -> Result<Vec<BankFile>, StoreError>;
    /// Takes up a file that is `half`, or is being read and did not move since `before`; `false` when somebody
    /// reads it, or it is done.
    async fn resume_bank_file(
        &self,
        id: BankFileId,
        before: UtcMs,
        now: UtcMs,
    ) -> Result<bool, StoreError>;
    /// One file.
    async fn get_bank_file(&self, id: BankFileId) -> Result<BankFile, StoreError>;
    /// A page of files, newest first.
    async fn bank_files_page(
        &self,
        client: Option<ClientId>,
        page: &PageRequest,
    ) -> Result<Page<BankFile>, StoreError>;
    /// Which of these references of a client are taken in already.
    async fn known_references(
        &self,
        client: ClientId,
        references: &[String],
    ) -> Result<Vec<String>, StoreError>;
}
