//! Calls: what agents and supervisors do to them.

use super::CenterHandle;
use crate::asks::{Actor, AttachAsk, DisposeAsk, Disposed, IdentityAsk, TransferAsk};
use crate::error::CenterError;
use domain::entity::{Debtor, Verdict};
use domain::ids::{AgentId, AttemptId, DebtorId, PointId, TransferId};
use domain::ports::{MonitorMode, TrunkError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Time in which a supervisor's leg that was offered just now comes up.
const SUPERVISOR_LEG_WAIT: Duration = Duration::from_secs(3);
/// How often it is looked at meanwhile.
const SUPERVISOR_LEG_LOOK: Duration = Duration::from_millis(50);

impl CenterHandle {
    /// Ticks identity: stores who was identified and answers the full card, which is also pushed as
    /// `{"t":"card",…}`.
    ///
    /// # Errors
    /// `not_your_call`, `third_party` for a role that may not hear of the debt.
    pub async fn identity(
        &self,
        agent: AgentId,
        attempt: AttemptId,
        ask: IdentityAsk,
    ) -> Result<serde_json::Value, CenterError> {
        let role = ask.role;
        self.post()
            .call(move |engine, now| engine.identity(now, agent, attempt, role))
            .await?
    }

    /// Debtors of the client by what an unknown caller says of himself: reference, document or phone
    /// exactly, or how his name begins. At most 20; who looked is kept.
    ///
    /// # Errors
    /// `caller_known`, `not_in_call`, `not_your_call`.
    pub async fn find_caller(
        &self,
        agent: AgentId,
        attempt: AttemptId,
        needle: String,
    ) -> Result<Vec<Debtor>, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        crate::inbound::find(shared, agent, attempt, needle).await
    }

    /// Says who an unknown caller is: call, rows, ledger and card are that debtor's from then on. Answers the
    /// card, which is also pushed as `{"t":"card",…}`; identity is still to be proved.
    ///
    /// # Errors
    /// `caller_known`, `not_in_call`, `not_your_call`, `debtor_in_call`; `Blocked` where the law lets nobody
    /// talk with that debtor; `NotFound` for a debtor of another client.
    pub async fn attach_caller(
        &self,
        agent: AgentId,
        attempt: AttemptId,
        ask: AttachAsk,
    ) -> Result<serde_json::Value, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(crate::inbound::attach(shared, agent, attempt, ask))
            .await
    }

    /// Ends a call.
    ///
    /// # Errors
    /// `call_over`, `not_your_call`.
    pub async fn hang_up(&self, actor: Actor, attempt: AttemptId) -> Result<(), CenterError> {
        self.post()
            .call(move |engine, now| engine.hang_up(now, actor, attempt))
            .await?
    }

    /// Puts the debtor on hold or back.
    ///
    /// # Errors
    /// `not_in_call`, `not_your_call`.
    pub async fn hold(
        &self,
        agent: AgentId,
        attempt: AttemptId,
        on: bool,
    ) -> Result<(), CenterError> {
        self.post()
            .call(move |engine, now| engine.hold(now, agent, attempt, on))
            .await?
    }

    /// Mutes the agent towards the debtor.
    ///
    /// # Errors
    /// `not_in_call`, `not_your_call`.
    pub async fn mute(
        &self,
        agent: AgentId,
        attempt: AttemptId,
        on: bool,
    ) -> Result<(), CenterError> {
        let actor = Actor::Agent(agent);
        self.post()
            .call(move |engine, _| engine.may_order(actor, attempt))
            .await??;
        self.inner.shared.out.trunk.mute(attempt, on).await?;
        self.post()
            .call(move |engine, _| engine.muted(agent, attempt, on))
            .await
    }

    /// Sends a key to the debtor's side.
    ///
    /// # Errors
    /// `not_in_call`, `not_your_call`; `Invalid` for what is no key.
    pub async fn send_dtmf(
        &self,
        agent: AgentId,
        attempt: AttemptId,
        digit: char,
    ) -> Result<(), CenterError> {
        if !matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D') {
            return Err(CenterError::invalid(
                "bad_digit",
                "digit",
                "expected one of 0-9 * # A-D",
            ));
        }
        let actor = Actor::Agent(agent);
        self.post()
            .call(move |engine, _| engine.may_order(actor, attempt))
            .await??;
        Ok(self
            .inner
            .shared
            .out
            .trunk
            .send_dtmf(attempt, digit)
            .await?)
    }

    /// Gives the attempt its disposition, with promise, call-back, hold and next step.
    ///
    /// # Errors
    /// `Invalid` for fields that are missing or out of limits; `disposed` when it has one.
    pub async fn dispose(
        &self,
        actor: Actor,
        attempt: AttemptId,
        ask: DisposeAsk,
    ) -> Result<Disposed, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(crate::dispose::dispose(shared, actor, attempt, ask))
            .await
    }

    /// Pauses or resumes the recording.
    ///
    /// # Errors
    /// `not_in_call`, `not_your_call`, `not_recorded`.
    pub async fn recording(
        &self,
        actor: Actor,
        attempt: AttemptId,
        on: bool,
    ) -> Result<(), CenterError> {
        self.post()
            .call(move |engine, _| engine.may_record(actor, attempt))
            .await??;
        self.inner.shared.out.trunk.record(attempt, on).await?;
        self.post()
            .call(move |engine, now| engine.recording_set(now, attempt, on, actor, "asked"))
            .await
    }

    /// Card data is about to be told on the call, or has been: a running recording pauses and goes on
    /// by itself. Where nothing is recorded there is nothing to do.
    ///
    /// # Errors
    /// `not_in_call`, `not_your_call`.
    pub async fn card(
        &self,
        actor: Actor,
        attempt: AttemptId,
        open: bool,
    ) -> Result<(), CenterError> {
        let wanted = self
            .post()
            .call(move |engine, _| engine.card_entry(actor, attempt, open))
            .await??;
        let Some(on) = wanted else { return Ok(()) };
        self.inner.shared.out.trunk.record(attempt, on).await?;
        self.post()
            .call(move |engine, now| engine.recording_set(now, attempt, on, actor, "card"))
            .await
    }

    /// Lets a supervisor's leg join the call, change its mode or leave.
    ///
    /// # Errors
    /// `not_in_call`; `Trunk` when his phone is not there.
    pub async fn monitor(
        &self,
        actor: Actor,
        attempt: AttemptId,
        supervisor: AgentId,
        mode: Option<MonitorMode>,
    ) -> Result<(), CenterError> {
        self.post()
            .call(move |engine, _| engine.may_order(actor, attempt))
            .await??;
        // Who takes a call over hears it first: this proves his leg before the agent is let go.
        let joins = match mode {
            Some(MonitorMode::TakeOver) => Some(MonitorMode::Listen),
            other => other,
        };
        self.joined(attempt, supervisor, joins).await?;
        self.inner.audit_monitor(actor, attempt, mode);
        if mode == Some(MonitorMode::TakeOver) {
            let shared = Arc::clone(&self.inner.shared);
            let taken = crate::transfer::take_over(shared, actor, attempt, supervisor);
            self.detached(taken).await?;
        }
        Ok(())
    }

    /// Orders a supervisor's leg onto the call; a leg that was opened just now is waited for.
    async fn joined(
        &self,
        attempt: AttemptId,
        supervisor: AgentId,
        mode: Option<MonitorMode>,
    ) -> Result<(), CenterError> {
        let until = Instant::now() + SUPERVISOR_LEG_WAIT;
        loop {
            let trunk = &self.inner.shared.out.trunk;
            match trunk.monitor(attempt, supervisor, mode).await {
                Err(TrunkError::NoPhone) if mode.is_some() && Instant::now() < until => {
                    sleep(SUPERVISOR_LEG_LOOK).await;
                }
                done => return Ok(done?),
            }
        }
    }

    /// Hands a call to an agent, a queue or a number; the law is asked again. What becomes of it comes
    /// with `me`.
    ///
    /// # Errors
    /// `transfer_busy`, `target_busy`, `target_self`, `no_queue`, `bad_number`; `Blocked` when the law
    /// refuses (the verdict is stored).
    pub async fn transfer(
        &self,
        agent: AgentId,
        attempt: AttemptId,
        ask: TransferAsk,
    ) -> Result<TransferId, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        let actor = Actor::Agent(agent);
        self.detached(crate::transfer::transfer(
            shared, actor, attempt, ask, false,
        ))
        .await
    }

    /// The consulted target gets the call.
    ///
    /// # Errors
    /// `no_transfer`, `not_answered`.
    pub async fn complete_transfer(
        &self,
        agent: AgentId,
        attempt: AttemptId,
    ) -> Result<(), CenterError> {
        self.post()
            .call(move |engine, now| engine.complete_transfer(now, agent, attempt))
            .await?
    }

    /// The agent takes the call back.
    ///
    /// # Errors
    /// `no_transfer`.
    pub async fn cancel_transfer(
        &self,
        agent: AgentId,
        attempt: AttemptId,
    ) -> Result<(), CenterError> {
        self.post()
            .call(move |engine, now| engine.cancel_transfer(now, agent, attempt))
            .await?
    }

    /// Debtor, agent and target talk together, or the debtor waits again.
    ///
    /// # Errors
    /// `no_transfer`, `not_answered`.
    pub async fn conference(
        &self,
        agent: AgentId,
        attempt: AttemptId,
        on: bool,
    ) -> Result<(), CenterError> {
        self.post()
            .call(move |engine, now| engine.conference(now, agent, attempt, on))
            .await?
    }

    /// Agents and queues a call may be handed to now: colleagues of the same client's campaigns.
    ///
    /// # Errors
    /// `not_your_call`, `not_in_call`.
    pub async fn transfer_targets(
        &self,
        agent: AgentId,
        attempt: AttemptId,
    ) -> Result<crate::view::TransferTargets, CenterError> {
        self.post()
            .call(move |engine, _| engine.transfer_targets(agent, attempt))
            .await?
    }

    /// Dials what the agent previews; `item` is the id of the preview.
    ///
    /// # Errors
    /// `no_preview`, `no_line`, `dialing_stopped`.
    pub async fn preview_dial(&self, agent: AgentId, item: AttemptId) -> Result<(), CenterError> {
        self.post()
            .call(move |engine, now| engine.preview_order(now, agent, item, true))
            .await?
    }

    /// Skips what the agent previews.
    ///
    /// # Errors
    /// `no_preview`, `skip_forbidden`.
    pub async fn preview_skip(&self, agent: AgentId, item: AttemptId) -> Result<(), CenterError> {
        self.post()
            .call(move |engine, now| engine.preview_order(now, agent, item, false))
            .await?
    }

    /// Dials by hand; the verdict is asked first.
    ///
    /// # Errors
    /// `Blocked` when the law refuses (the verdict is stored), `agent_busy`, `debtor_in_call`, `no_line`.
    pub async fn dial_manual(
        &self,
        agent: AgentId,
        debtor: DebtorId,
        point: PointId,
    ) -> Result<Verdict, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(crate::manual::dial(shared, agent, debtor, point))
            .await
    }
}
