//! Callers whom nobody we know is behind.

use super::MemoryStore;
use super::import_rows::is_half;
use super::inbound::summed;
use async_trait::async_trait;
use domain::entity::Debtor;
use domain::event::NewEvent;
use domain::ids::{CampaignId, ClientId};
use domain::ports::store::{CallerStore, FoundCaller, InboundCount, NAME_LEAST, StoreError};
use domain::time::UtcMs;

#[async_trait]
impl CallerStore for MemoryStore {
    async fn find_callers(
        &self,
        client: ClientId,
        needle: &str,
        limit: u32,
    ) -> Result<Vec<Debtor>, StoreError> {
        let t = self.tx().await?;
        let needle = needle.trim();
        let name = needle.to_lowercase();
        let long = name.chars().count() >= NAME_LEAST;
        let named = |d: &Debtor| {
            d.external_ref == needle
                || (!needle.is_empty() && d.document.reveal() == needle)
                || (long && d.name.reveal().to_lowercase().starts_with(&name))
                || t.points
                    .values()
                    .any(|p| p.debtor_id == d.id && p.value.reveal() == needle)
        };
        let mut found: Vec<Debtor> = t
            .debtors
            .values()
            .filter(|d| d.client_id == client && !d.is_stranger() && !is_half(&t, d.id) && named(d))
            .cloned()
            .collect();
        found.sort_by(|a, b| (a.name.reveal(), a.id).cmp(&(b.name.reveal(), b.id)));
        found.truncate(limit.max(1) as usize);
        Ok(found)
    }

    async fn attach_caller(
        &self,
        found: &FoundCaller,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let (from, to) = (found.from, found.to);
        let call = t.attempts.get(&found.attempt);
        let owner = call.ok_or(StoreError::NotFound("attempt"))?.debtor_id;
        if owner == to {
            return Ok(true);
        }
        if owner != from {
            let text = "this caller was given to another debtor before";
            return Err(StoreError::Conflict(text.to_owned()));
        }
        if !t.debtors.contains_key(&to) || is_half(&t, to) {
            return Err(StoreError::NotFound("debtor"));
        }
        let busy = |a: &domain::entity::Attempt| {
            !a.state.is_closed() && a.person_id == found.person && a.id != found.attempt
        };
        if t.attempts.values().any(busy) {
            return Ok(false);
        }
        for attempt in t.attempts.values_mut().filter(|a| a.debtor_id == from) {
            attempt.debtor_id = to;
            attempt.person_id = found.person;
        }
        if let Some(attempt) = t.attempts.get_mut(&found.attempt) {
            attempt.debt_id = found.debt;
            attempt.debts.clone_from(&found.debts);
            attempt.point_id = found.point.id;
            attempt.class = found.point.class;
        }
        for row in t.ledger.iter_mut().filter(|r| r.debtor_id == from) {
            row.debtor_id = to;
            row.person_id = found.person;
        }
        for row in t.inbound.values_mut().filter(|r| r.debtor_id == Some(from)) {
            row.debtor_id = Some(to);
        }
        for hold in t.holds.values_mut().filter(|h| h.debtor_id == from) {
            hold.debtor_id = to;
        }
        for row in t.suppressions.values_mut() {
            if row.debtor_id == Some(from) {
                row.debtor_id = Some(to);
            }
        }
        for row in t.consents.values_mut().filter(|c| c.debtor_id == from) {
            row.debtor_id = to;
        }
        if found.keep {
            t.points.insert(found.point.id, found.point.clone());
        }
        // What is left of the file of nobody is part of his: no list shows it, no number leads to it.
        t.points.retain(|_, p| p.debtor_id != from);
        t.debtors.remove(&from);
        t.append(events);
        Ok(true)
    }

    async fn inbound_elsewhere(
        &self,
        campaign: CampaignId,
        since: UtcMs,
        (node, from): (&str, UtcMs),
        within_ms: i64,
    ) -> Result<InboundCount, StoreError> {
        let t = self.tx().await?;
        let rows = t.inbound.values().filter(|r| {
            r.campaign_id == Some(campaign) && r.at >= since && !(r.node == node && r.at >= from)
        });
        Ok(summed(rows, within_ms))
    }
}
