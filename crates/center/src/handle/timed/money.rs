//! The clock around what is asked of money before it is on a debt, and of payments that debtors say they made.

use super::Timed;
use super::ops::timed;
use async_trait::async_trait;
use domain::entity::{
    BankFile, Claim, LinkState, MoneyPolicy, Payment, PaymentLink, PaymentParts, Receipt,
};
use domain::event::NewEvent;
use domain::ids::{BankFileId, ClaimId, ClientId, DebtorId, PaymentId, PaymentLinkId, ReceiptId};
use domain::money::Money;
use domain::ports::store::{
    ClaimEnd, ClaimFilter, ClaimStore, Clues, LinkFilter, Page, PageRequest, PaymentFilter,
    ReceiptFilter, ReceiptOutcome, ReceiptStep, ReceiptStore, StoreError, Suggestion, TellPromise,
    WebhookNote,
};
use domain::time::UtcMs;
use std::time::Instant;

timed! { ReceiptStore;
    money_policy(client: ClientId) -> MoneyPolicy;
    put_money_policy(row: &MoneyPolicy, events: &[NewEvent]) -> ();
    take_receipt(row: &Receipt, events: &[NewEvent]) -> (Receipt, bool);
    get_receipt(id: ReceiptId) -> Receipt;
    receipts_by_reference(reference: &str) -> Vec<Receipt>;
    bank_receipts(client: ClientId, own: &str, amount: Money) -> Vec<Receipt>;
    receipts_page(filter: &ReceiptFilter, page: &PageRequest) -> Page<Receipt>;
    step_receipt(step: &ReceiptStep<'_>, told: TellPromise<'_>) -> ReceiptOutcome;
    step_receipts(steps: &[ReceiptStep<'_>], told: TellPromise<'_>) -> Vec<ReceiptOutcome>;
    payments_of_receipt(id: ReceiptId) -> Vec<Payment>;
    parts_of(ids: &[PaymentId]) -> Vec<PaymentParts>;
    payments_page(filter: &PaymentFilter, page: &PageRequest) -> Page<Payment>;
    payment_by_reference(client: ClientId, reference: &str) -> Option<Payment>;
    suggest_payers(clues: &Clues) -> Vec<Suggestion>;
    put_payment_link(row: &PaymentLink, events: &[NewEvent]) -> ();
    get_payment_link(id: PaymentLinkId) -> PaymentLink;
    payment_links_page(filter: &LinkFilter, page: &PageRequest) -> Page<PaymentLink>;
    answer_link(id: PaymentLinkId, right: bool, now: UtcMs, events: &[NewEvent]) -> PaymentLink;
    link_session(id: PaymentLinkId, session: &str, url: &str) -> PaymentLink;
    close_link(id: PaymentLinkId, to: LinkState, now: UtcMs, events: &[NewEvent]) -> bool;
    expire_links(now: UtcMs, limit: u32) -> Vec<PaymentLink>;
    note_webhook(note: &WebhookNote) -> bool;
    webhook_done(provider: &str, event_id: &str) -> ();
    waiting_webhooks(provider: &str, money: &str) -> Vec<WebhookNote>;
    webhooks_about(provider: &str, money: &str) -> Vec<WebhookNote>;
    half_bank_files(before: UtcMs, now: UtcMs) -> Vec<BankFile>;
    resume_bank_file(id: BankFileId, before: UtcMs, now: UtcMs) -> bool;
    take_bank_file(row: &BankFile, events: &[NewEvent]) -> (BankFile, bool);
    put_bank_file(row: &BankFile) -> ();
    get_bank_file(id: BankFileId) -> BankFile;
    bank_files_page(client: Option<ClientId>, page: &PageRequest) -> Page<BankFile>;
    known_references(client: ClientId, references: &[String]) -> Vec<String>;
}

timed! { ClaimStore;
    get_claim(id: ClaimId) -> Claim;
    claims_page(filter: &ClaimFilter, page: &PageRequest) -> Page<Claim>;
    claims_of(debtor: DebtorId, limit: u32) -> Vec<Claim>;
    end_claim(id: ClaimId, end: &ClaimEnd, events: &[NewEvent]) -> bool;
}
