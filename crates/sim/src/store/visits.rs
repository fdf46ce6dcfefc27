//! Visits in memory.

use super::attempts::count;
use super::contacts::facts_of;
use super::messages_ends::paid_at;
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{LedgerRow, Visit, VisitState};
use domain::event::NewEvent;
use domain::ids::{DebtorId, VisitId};
use domain::law::Judge;
use domain::ports::store::{StoreError, VisitDraft, VisitEnd, VisitPlanned, VisitStore};
use domain::rules::messaging::stopped;
use domain::rules::visit::{ended, given_back, settled, withdrawn};
use domain::rules::withdrawal::paid_since;
use domain::time::UtcMs;

fn planned(t: &Tables, debtor: DebtorId) -> Vec<Visit> {
    let waits = |v: &&Visit| v.debtor_id == debtor && v.state == VisitState::Planned;
    t.visits.values().filter(waits).cloned().collect()
}

/// Ends a visit and settles its row of the ledger.
fn end(t: &mut Tables, visit: &Visit, how: &VisitEnd) -> Visit {
    let counted = LedgerRow::id_of_visit(visit.id);
    if let Some(row) = t.ledger.iter_mut().find(|r| r.id == counted) {
        *row = settled(row, how);
    }
    let after = ended(visit, how);
    t.visits.insert(after.id, after.clone());
    after
}

#[async_trait]
impl VisitStore for MemoryStore {
    async fn plan_visit(
        &self,
        draft: &VisitDraft,
        judge: &dyn Judge,
    ) -> Result<VisitPlanned, StoreError> {
        let mut t = self.tx().await?;
        let visit = &draft.visit;
        if let Some(other) = planned(&t, visit.debtor_id).first() {
            return Ok(VisitPlanned::Another(other.id));
        }
        let facts = facts_of(&t, visit.debtor_id, visit.made_at)?;
        let verdict = judge.judge(&facts, &draft.action);
        t.verdicts.insert(verdict.id, verdict.clone());
        if !verdict.decision.permits(draft.action.agent_reserved) {
            return Ok(VisitPlanned::Refused(Box::new(verdict)));
        }
        if let Some(why) = stopped(&facts, None, visit.made_at) {
            return Ok(VisitPlanned::Stopped(why));
        }
        t.visits.insert(visit.id, visit.clone());
        count(&mut t, std::slice::from_ref(&draft.ledger));
        t.append(&draft.events);
        Ok(VisitPlanned::Planned)
    }

    async fn end_visit(
        &self,
        id: VisitId,
        how: &VisitEnd,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let known = t.visits.get(&id).cloned();
        let visit = known.ok_or(StoreError::NotFound("visit"))?;
        if visit.state != VisitState::Planned {
            return Ok(false);
        }
        end(&mut t, &visit, how);
        t.append(events);
        Ok(true)
    }

    async fn withdraw_visits(
        &self,
        debtor: DebtorId,
        now: UtcMs,
        told: &(dyn for<'a> Fn(&'a Visit) -> NewEvent + Send + Sync),
    ) -> Result<Vec<Visit>, StoreError> {
        let mut t = self.tx().await?;
        let waiting = planned(&t, debtor);
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let facts = facts_of(&t, debtor, now)?;
        let paid = paid_at(&t, debtor);
        let mut gone = Vec::new();
        for visit in waiting {
            let why = withdrawn(&facts, now).or_else(|| paid_since(visit.made_at, paid));
            if let Some(why) = why {
                gone.push(end(&mut t, &visit, &given_back(why, "system", now)));
            }
        }
        let events: Vec<NewEvent> = gone.iter().map(told).collect();
        t.append(&events);
        Ok(gone)
    }

    async fn get_visit(&self, id: VisitId) -> Result<Visit, StoreError> {
        let t = self.tx().await?;
        let known = t.visits.get(&id).cloned();
        known.ok_or(StoreError::NotFound("visit"))
    }

    async fn visits_of(
        &self,
        debtor: DebtorId,
        before: Option<VisitId>,
        limit: u32,
    ) -> Result<Vec<Visit>, StoreError> {
        let t = self.tx().await?;
        let fits = |v: &&Visit| v.debtor_id == debtor && before.is_none_or(|b| v.id < b);
        let newest = t.visits.values().rev().filter(fits);
        Ok(newest.take(limit as usize).cloned().collect())
    }
}
