//! Messages, the inbox, strategies on trial.

use super::CenterHandle;
use crate::asks::Actor;
use crate::error::CenterError;
use crate::messages::compose::{self, MessageAsk};
use crate::messages::told::{self, Refused};
use crate::messages::tone::{self, TextChoice};
use crate::strategies::dry_run::{self, TrialJob};
use domain::entity::{Channel, Message, Strategy, TextTemplate};
use domain::ids::{DebtId, InboxId, PortfolioId};
use domain::pii::Pii;
use domain::ports::store::{ContactFacts, StoreError};
use domain::ports::{Hook, HookFault, HookReply};
use std::sync::Arc;
use uuid::Uuid;

/// Why a provider's call was not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HookError {
    /// No gateway has that name (404).
    #[error("no such gateway")]
    Unknown,
    /// It is not believed (400 or 403).
    #[error("{0}")]
    Fault(HookFault),
    /// It could not be written; the provider comes again (503).
    #[error("store: {0}")]
    Store(StoreError),
    /// Part of it is about a message whose gateway has not answered yet; the provider comes again (503).
    #[error("a receipt ahead of the gateway's answer")]
    Early,
}

/// A template filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Subject.
    pub subject: String,
    /// Text.
    pub body: Pii<String>,
}

impl CenterHandle {
    /// Queues a message that somebody sends. It is judged now, and again in the transaction in which it
    /// leaves; a day later it is worth nothing any more.
    ///
    /// # Errors
    /// `NotFound`; `message`, `no_gateway` (nobody carries the channel), `message_shows` (what is seen without
    /// opening it would tell of the debt), `template_variable` (a value is missing, by name); `blocked_*`.
    pub async fn queue_message(
        &self,
        actor: Actor,
        ask: MessageAsk,
    ) -> Result<Message, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(compose::queue(shared, actor, ask)).await
    }

    /// Answers a message of a debtor by the way it came.
    ///
    /// # Errors
    /// `NotFound`; `inbox_handled`, `no_debtor`, `no_point`, `outside_window`; `message`, `no_gateway`; `blocked_*`.
    pub async fn answer_inbox(
        &self,
        actor: Actor,
        id: InboxId,
        text: Pii<String>,
    ) -> Result<Message, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(compose::answer(shared, actor, id, text))
            .await
    }

    /// Closes a message of a debtor that needs no answer.
    ///
    /// # Errors
    /// `NotFound`, `inbox_handled`.
    pub async fn close_inbox(&self, actor: Actor, id: InboxId) -> Result<(), CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(compose::close(shared, actor, id)).await
    }

    /// Fills a template in for a debtor.
    ///
    /// # Errors
    /// `template_variable` when a value is missing, by name.
    pub async fn preview_template(
        &self,
        template: &TextTemplate,
        facts: &ContactFacts,
        debt: Option<DebtId>,
    ) -> Result<Preview, CenterError> {
        let shared = &self.inner.shared;
        let done = compose::preview(shared, template, facts, debt).await?;
        Ok(Preview {
            subject: done.subject,
            body: Pii(done.body),
        })
    }

    /// Which text under a template's name goes to a debtor by its channel when nobody names a tone, and why; `None`
    /// where he has no debt.
    ///
    /// # Errors
    /// Of the store.
    pub async fn text_choice(
        &self,
        template: &TextTemplate,
        facts: &ContactFacts,
        debt: Option<DebtId>,
    ) -> Result<Option<TextChoice>, CenterError> {
        let shared = &self.inner.shared;
        Ok(tone::choose(shared, template, facts, debt).await?)
    }

    /// Whether some pack lets texts of a channel tell of the debt before they are opened.
    #[must_use]
    pub fn may_show(&self, channel: Channel) -> bool {
        self.inner.shared.out.law.may_show(channel)
    }

    /// Takes a provider's call: receipts and messages of debtors.
    ///
    /// # Errors
    /// See [`HookError`].
    pub async fn message_hook(
        &self,
        gateway: &str,
        call: &Hook<'_>,
    ) -> Result<HookReply, HookError> {
        let shared = Arc::clone(&self.inner.shared);
        told::hook(shared, gateway, call)
            .await
            .map_err(|e| match e {
                Refused::Unknown => HookError::Unknown,
                Refused::Fault(fault) => HookError::Fault(fault),
                Refused::Store(error) => HookError::Store(error),
                Refused::Early => HookError::Early,
            })
    }

    /// Gateways of this node: name, channels, most messages a minute.
    #[must_use]
    pub fn gateways(&self) -> Vec<(String, Vec<Channel>, u32)> {
        let all = self.inner.shared.config.messengers.iter();
        all.map(|m| (m.name().to_owned(), m.channels().to_vec(), m.per_minute()))
            .collect()
    }

    /// Begins a trial of a strategy over the next `days`; its identity. This node remembers the last few.
    #[must_use]
    pub fn try_strategy(
        &self,
        strategy: Strategy,
        portfolio: Option<PortfolioId>,
        days: i64,
    ) -> Uuid {
        dry_run::begin(&self.inner.shared, strategy, portfolio, days)
    }

    /// A trial, with the strategy it is of.
    #[must_use]
    pub fn strategy_trial(&self, id: Uuid) -> Option<(Strategy, Arc<TrialJob>)> {
        self.inner.shared.trials.get(id)
    }
}
