//! The floor: call-backs, caller ids, assignment.

use super::CenterHandle;
use crate::asks::Actor;
use crate::error::CenterError;
use crate::floor::assign::{self, Assigned};
use crate::floor::callbacks;
use domain::ids::{AgentId, CallerIdId, CampaignId, ClientId, DebtorId};
use domain::ports::store::{CallbackRow, CallerRest, ContactFacts};
use domain::time::UtcMs;
use serde_json::json;
use std::sync::Arc;

impl CenterHandle {
    /// Moves an agreed call-back to another instant and to an agent, or to anyone.
    ///
    /// # Errors
    /// `NotFound`, `callback_at`, `callback_outside_hours`, `callback_at_work`.
    pub async fn move_callback(
        &self,
        actor: Actor,
        which: (CampaignId, DebtorId),
        at: UtcMs,
        agent: Option<AgentId>,
    ) -> Result<CallbackRow, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(callbacks::change(shared, actor, which, at, agent))
            .await
    }

    /// Cancels an agreed call-back.
    ///
    /// # Errors
    /// `NotFound`, `callback_at_work`.
    pub async fn cancel_callback(
        &self,
        actor: Actor,
        which: (CampaignId, DebtorId),
        reason: String,
    ) -> Result<(), CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(callbacks::cancel(shared, actor, which, reason))
            .await
    }

    /// Name of the public holiday of a country (ISO 3166) on a local date (`YYYY-MM-DD`), if it is one.
    #[must_use]
    pub fn holiday_of(&self, country: &str, date: &str) -> Option<String> {
        self.inner.shared.out.law.holiday_of(country, date)
    }

    /// The zone (IANA) in which a debtor's days are counted.
    #[must_use]
    pub fn zone_of(&self, facts: &ContactFacts) -> String {
        self.inner.shared.out.law.zone_of(facts)
    }

    /// Lets a caller id rest.
    ///
    /// # Errors
    /// `NotFound`; `resting` when it does already.
    pub async fn rest_caller_id(
        &self,
        actor: Actor,
        client: ClientId,
        rest: CallerRest,
    ) -> Result<(), CenterError> {
        let shared = &self.inner.shared;
        let data = json!({"reason": rest.reason, "until": rest.until});
        let subject = format!("caller_id:{}", rest.caller_id);
        let event = shared.event(Some(client), actor, "caller_id.rested", subject, data);
        if !shared.out.store.rest_caller_id(&rest, &[event]).await? {
            return Err(CenterError::conflict(
                "resting",
                "the caller id rests already",
            ));
        }
        shared.floor.note_rest(rest.caller_id, Some(rest.until));
        Ok(())
    }

    /// Ends the rest of a caller id; a repeat changes nothing.
    ///
    /// # Errors
    /// The database away.
    pub async fn wake_caller_id(
        &self,
        actor: Actor,
        client: ClientId,
        id: CallerIdId,
    ) -> Result<(), CenterError> {
        let shared = &self.inner.shared;
        let subject = format!("caller_id:{id}");
        let event = shared.event(Some(client), actor, "caller_id.woken", subject, json!({}));
        let store = &shared.out.store;
        store.wake_caller_id(id, shared.now(), &[event]).await?;
        shared.floor.note_rest(id, None);
        Ok(())
    }

    /// Gives the debtors of a client out by its rules, now.
    ///
    /// # Errors
    /// `bad_expression` when a rule's segment cannot be read.
    pub async fn assign(&self, actor: Actor, client: ClientId) -> Result<Assigned, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(async move { assign::apply(&shared, client, &actor.to_string()).await })
            .await
    }
}
