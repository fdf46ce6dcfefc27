//! Money as it comes in. Each commits to the store first, then withdraws queued and ringing contacts of whom
//! it is from.

use super::CenterHandle;
use crate::asks::Actor;
use crate::claims::{self, ClaimSeen};
use crate::error::CenterError;
use crate::messages::compose::MessageAsk;
use crate::provider::{self, ProviderDone};
use crate::receipts::{self, MoneyTaken, Payer};
use domain::entity::{Claim, LinkState, PaymentLink, Receipt, Stage};
use domain::ids::{ClaimId, PaymentId, ReceiptId};
use domain::ports::ProviderEvent;
use domain::ports::store::{PaymentOutcome, ReceiptOutcome};
use std::sync::Arc;

impl CenterHandle {
    /// Closes an open claim of payment: found among the debtor's, or not there, and he is due again.
    ///
    /// # Errors
    /// `NotFound`; `claim_payment` when the payment is not his; `claim_closed`.
    pub async fn close_claim(
        &self,
        actor: Actor,
        id: ClaimId,
        seen: ClaimSeen,
    ) -> Result<Claim, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(claims::close(shared, actor, (id, seen)))
            .await
    }

    /// Takes money in, once by the client's reference, and puts it on the payer's debts when he is known.
    ///
    /// # Errors
    /// The database away; shares that do not fit.
    pub async fn take_money(
        &self,
        actor: Actor,
        receipt: Receipt,
        payer: Payer,
    ) -> Result<MoneyTaken, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(receipts::take(shared, actor, receipt, payer))
            .await
    }

    /// Puts what is left of a receipt on the debts of whom it is from.
    ///
    /// # Errors
    /// `NotFound`, `receipt_posted` when nothing is left, `Conflict` for debts that owe less.
    pub async fn match_receipt(
        &self,
        actor: Actor,
        id: ReceiptId,
        payer: Payer,
    ) -> Result<ReceiptOutcome, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(receipts::matched(shared, actor, id, payer))
            .await
    }

    /// Takes a receipt's money off its debts again, by second rows: it waits for its owner then.
    ///
    /// # Errors
    /// `NotFound`, `receipt_unmatched` when none is on a debt.
    pub async fn unmatch_receipt(
        &self,
        actor: Actor,
        id: ReceiptId,
        reason: String,
    ) -> Result<ReceiptOutcome, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(receipts::unmatched(shared, actor, id, reason))
            .await
    }

    /// What is left of a receipt goes back to its sender.
    ///
    /// # Errors
    /// `NotFound`, `receipt_posted` when nothing is left.
    pub async fn return_receipt(
        &self,
        actor: Actor,
        id: ReceiptId,
        reason: String,
    ) -> Result<ReceiptOutcome, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(receipts::returned(shared, actor, id, reason))
            .await
    }

    /// All of a receipt went back where it came from: its payments are taken back by second rows, and nothing of it
    /// is left.
    ///
    /// # Errors
    /// `NotFound`, the database away.
    pub async fn take_back_receipt(
        &self,
        actor: Actor,
        id: ReceiptId,
        note: String,
    ) -> Result<ProviderDone, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(provider::taken_whole(shared, actor, id, note))
            .await
    }

    /// Takes a payment back by a second row, whole or `minor` of it; once by `reference`.
    ///
    /// # Errors
    /// `NotFound`, `is_reversal`, `Conflict` beyond what was not taken back before.
    pub async fn reverse_payment(
        &self,
        actor: Actor,
        id: PaymentId,
        minor: Option<i64>,
        reference: String,
    ) -> Result<PaymentOutcome, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(receipts::reversed(shared, actor, id, minor, reference))
            .await
    }

    /// Carries out what a payment provider said, once however often it comes.
    ///
    /// # Errors
    /// The database away: the provider sends it again then.
    pub async fn provider_said(
        &self,
        provider: &'static str,
        event: ProviderEvent,
    ) -> Result<ProviderDone, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(provider::said(shared, provider, event)).await
    }

    /// Makes a payment link. What is told of it is `payment_link.made`.
    ///
    /// # Errors
    /// `debt_sold`, the database away.
    pub async fn make_link(&self, actor: Actor, link: PaymentLink) -> Result<(), CenterError> {
        let shared = &self.inner.shared;
        let stands = shared.out.store.stage_of(link.debt_id).await?;
        if stands.is_some_and(|s| s.stage == Stage::Sold) {
            let text = "the debt is sold: its money is another's";
            return Err(CenterError::conflict("debt_sold", text));
        }
        let event = provider::link_event(shared, actor, "payment_link.made", &link);
        shared.out.store.put_payment_link(&link, &[event]).await?;
        Ok(())
    }

    /// An answer to a link's question of identity. What is told of a right one is `payment_link.opened`.
    ///
    /// # Errors
    /// `NotFound`, the database away.
    pub async fn answer_link(
        &self,
        link: &PaymentLink,
        right: bool,
    ) -> Result<PaymentLink, CenterError> {
        let shared = &self.inner.shared;
        let kind = if right {
            "payment_link.opened"
        } else {
            "payment_link.mistaken"
        };
        let event = provider::link_event(shared, Actor::System, kind, link);
        let now = shared.now();
        let store = &shared.out.store;
        Ok(store.answer_link(link.id, right, now, &[event]).await?)
    }

    /// Withdraws a link that is not paid. `false` when it was closed before.
    ///
    /// # Errors
    /// `NotFound`, the database away.
    pub async fn cancel_link(&self, actor: Actor, link: &PaymentLink) -> Result<bool, CenterError> {
        let shared = &self.inner.shared;
        let event = provider::link_event(shared, actor, "payment_link.cancelled", link);
        let (store, now) = (&shared.out.store, shared.now());
        Ok(store
            .close_link(link.id, LinkState::Cancelled, now, &[event])
            .await?)
    }

    /// Queues the message that carries a link. What is told of it is `payment_link.sent`.
    ///
    /// # Errors
    /// As [`Self::queue_message`].
    pub async fn send_link(
        &self,
        actor: Actor,
        link: &PaymentLink,
        ask: MessageAsk,
    ) -> Result<(), CenterError> {
        let message = self.queue_message(actor, ask).await?;
        let shared = &self.inner.shared;
        let mut event = provider::link_event(shared, actor, "payment_link.sent", link);
        event.data["message_id"] = serde_json::json!(message.id);
        Ok(shared.out.store.append_events(&[event]).await?)
    }
}
