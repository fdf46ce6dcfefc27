//! Plans, stages, and what screens ask of them.

use super::CenterHandle;
use crate::asks::Actor;
use crate::error::CenterError;
use crate::notices::{LateCase, MoneyMoves};
use crate::plans::{self, PlanDraw, StageAsk, StageView, letters, stages};
use domain::entity::{
    Client, Debt, DebtStage, Language, Letter, LetterLevel, LetterTemplate, Plan, PlanFile, Role,
};
use domain::ids::{ClientId, DebtorId, LetterBatchId, PlanId, UserId};
use domain::rules::offers::ClientTerms;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};

impl CenterHandle {
    /// Draws a plan: approved at once within the authority of the role, else it waits for an answer, which
    /// the agent's screen is told.
    ///
    /// # Errors
    /// `plan_terms`, `identity_first`, `not_your_call`, `beyond_authority`, `plan_runs`, `plan_balance`.
    pub async fn draw_plan(&self, actor: Actor, ask: PlanDraw) -> Result<PlanFile, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(plans::draw(shared, actor, ask)).await
    }

    /// Answers an ask that waits.
    ///
    /// # Errors
    /// `ask_over`, `beyond_authority`, `plan_moved`.
    pub async fn answer_plan(
        &self,
        who: (UserId, Role),
        id: PlanId,
        yes: bool,
        reason: String,
    ) -> Result<Plan, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(plans::answer(shared, who, id, yes, reason))
            .await
    }

    /// The debtor accepts the document with that hash; `identity` names the step he passed.
    ///
    /// # Errors
    /// `plan_moved`, `plan_balance`.
    pub async fn sign_plan(
        &self,
        id: PlanId,
        document_sha256: String,
        identity: &'static str,
    ) -> Result<Plan, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(plans::sign(shared, id, document_sha256, identity))
            .await
    }

    /// Ends a plan by hand.
    ///
    /// # Errors
    /// `plan_moved`.
    pub async fn cancel_plan(
        &self,
        actor: Actor,
        id: PlanId,
        reason: String,
    ) -> Result<Plan, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(plans::cancel(shared, actor, id, reason))
            .await
    }

    /// A client's terms and their version; the house's own are version 0.
    ///
    /// # Errors
    /// The database away.
    pub async fn terms_of(&self, client: ClientId) -> Result<(ClientTerms, i32), CenterError> {
        Ok(plans::terms_of(&self.inner.shared, client).await?)
    }

    /// Where a debt stands and what is advised.
    ///
    /// # Errors
    /// The database away.
    pub async fn stage_view(&self, debt: Debt) -> Result<StageView, CenterError> {
        stages::look(Arc::clone(&self.inner.shared), debt).await
    }

    /// Moves a debt to another stage when its tests pass; a repeat changes nothing.
    ///
    /// # Errors
    /// `stage_tests` names what is missing; `stage_moved`.
    pub async fn move_stage(&self, actor: Actor, ask: StageAsk) -> Result<DebtStage, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(stages::move_to(shared, actor, ask)).await
    }

    /// Puts new debts in their first stage and tells of late cases now; it is done every minute by itself.
    ///
    /// # Errors
    /// The database away.
    pub async fn stages_round(&self) -> Result<(), CenterError> {
        let mut walked = stages::Walked::default();
        Ok(stages::round(&self.inner.shared, &mut walked).await?)
    }

    /// Late cases from now on, whoever is told of them ([`LateCase::is_for`]).
    #[must_use]
    pub fn late_cases(&self) -> broadcast::Receiver<Arc<LateCase>> {
        self.inner.shared.notices.subscribe()
    }

    /// How often money of each client moved, now and from now on.
    #[must_use]
    pub fn money_moves(&self) -> watch::Receiver<MoneyMoves> {
        self.inner.shared.notices.money()
    }

    /// Makes the letters of a batch in the background; its row tells the progress. Run again, it makes
    /// what is missing.
    pub fn run_letters(&self, id: LetterBatchId) {
        let shared = Arc::clone(&self.inner.shared);
        tokio::spawn(async move {
            if let Err(error) = letters::run(shared, id).await {
                tracing::warn!(batch = %id, code = error.code(), "letters not all made");
            }
        });
    }

    /// A text tried on a debtor, as it would be printed today; it is not kept and not counted.
    ///
    /// # Errors
    /// `letter_text` names what is no variable; `NotFound` without an open debt.
    pub async fn preview_letter(
        &self,
        debtor: DebtorId,
        template: LetterTemplate,
    ) -> Result<Letter, CenterError> {
        letters::preview(Arc::clone(&self.inner.shared), debtor, template).await
    }

    /// Who acts for the creditors, as documents name it.
    #[must_use]
    pub fn company(&self) -> &str {
        &self.inner.shared.config.company
    }

    /// The house's own text of a letter, for a client that has written none; version 0.
    #[must_use]
    pub fn house_letter(
        &self,
        client: &Client,
        level: LetterLevel,
        language: Language,
    ) -> LetterTemplate {
        letters::house(client, self.company(), level, language)
    }
}
