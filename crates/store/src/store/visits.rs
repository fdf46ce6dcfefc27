//! Visits: judged and counted in the transaction that plans them, settled in the one that ends them.

use super::SqlStore;
use super::attempts::count;
use super::events::append;
use super::facts::facts_of;
use super::items::{lock_person_of, write_verdict};
use super::messages_ends::paid_at;
use crate::sql::{Link, Val, vals};
use async_trait::async_trait;
use domain::entity::{LedgerRow, Visit};
use domain::event::NewEvent;
use domain::ids::{DebtorId, LedgerId, VisitId};
use domain::law::Judge;
use domain::ports::StoreError;
use domain::ports::store::{PAGE_LIMIT_MAX, VisitDraft, VisitEnd, VisitPlanned, VisitStore};
use domain::rules::messaging::stopped;
use domain::rules::visit::{ended, given_back, settled, withdrawn};
use domain::rules::withdrawal::paid_since;
use domain::time::UtcMs;

/// Who ends a visit that may not be made any more.
const SYSTEM: &str = "system";

/// Planned visits of a debtor, held until the end of the transaction.
async fn planned(tx: &mut Link, debtor: DebtorId) -> Result<Vec<Visit>, StoreError> {
    let lock = tx.pg_only(" FOR UPDATE");
    let rest = format!("WHERE debtor_id=$1 AND state='planned' ORDER BY id{lock}");
    tx.all(&rest, vals![debtor]).await
}

/// Whether a visit may be planned; its decision is stored.
async fn judged(
    tx: &mut Link,
    draft: &VisitDraft,
    judge: &dyn Judge,
) -> Result<VisitPlanned, StoreError> {
    let visit = &draft.visit;
    if let Some(other) = planned(tx, visit.debtor_id).await?.first() {
        return Ok(VisitPlanned::Another(other.id));
    }
    let facts = facts_of(tx, visit.debtor_id, visit.made_at).await?;
    let verdict = judge.judge(&facts, &draft.action);
    write_verdict(tx, &verdict, Some(visit.client_id)).await?;
    if !verdict.decision.permits(draft.action.agent_reserved) {
        return Ok(VisitPlanned::Refused(Box::new(verdict)));
    }
    Ok(stopped(&facts, None, visit.made_at).map_or(VisitPlanned::Planned, VisitPlanned::Stopped))
}

/// Writes how a visit ended, and what its place in the ledger is from now on.
async fn end(tx: &mut Link, visit: &Visit, how: &VisitEnd) -> Result<Visit, StoreError> {
    let counted: LedgerId = LedgerRow::id_of_visit(visit.id);
    let row: LedgerRow = tx.get(counted).await?;
    tx.put(&settled(&row, how)).await?;
    let after = ended(visit, how);
    tx.put(&after).await?;
    Ok(after)
}

/// Visits behind rows of the ledger, whose identity they bear.
pub(super) async fn behind(tx: &mut Link, rows: &[LedgerRow]) -> Result<Vec<Visit>, StoreError> {
    use domain::entity::LedgerKind::{Visit as Made, Withdrawn};
    let of_visits = rows.iter().filter(|r| matches!(r.kind, Made | Withdrawn));
    let ids: Vec<LedgerId> = of_visits.map(|r| r.id).collect();
    tx.all_in("id", &ids, "", &[]).await
}

#[async_trait]
impl VisitStore for SqlStore {
    async fn plan_visit(
        &self,
        draft: &VisitDraft,
        judge: &dyn Judge,
    ) -> Result<VisitPlanned, StoreError> {
        let mut tx = self.write().await?;
        // What others do with the person waits until this visit is decided and counted.
        lock_person_of(&mut tx, draft.visit.debtor_id).await?;
        let done = judged(&mut tx, draft, judge).await?;
        if matches!(done, VisitPlanned::Planned) {
            tx.insert(std::slice::from_ref(&draft.visit), "").await?;
            count(&mut tx, std::slice::from_ref(&draft.ledger)).await?;
            append(&mut tx, &draft.events).await?;
        }
        tx.commit().await?;
        Ok(done)
    }

    async fn end_visit(
        &self,
        id: VisitId,
        how: &VisitEnd,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let known: Visit = tx.get(id).await?;
        lock_person_of(&mut tx, known.debtor_id).await?;
        let waiting = planned(&mut tx, known.debtor_id).await?;
        let Some(visit) = waiting.iter().find(|v| v.id == id) else {
            return Ok(false);
        };
        end(&mut tx, visit, how).await?;
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn withdraw_visits(
        &self,
        debtor: DebtorId,
        now: UtcMs,
        told: &(dyn for<'a> Fn(&'a Visit) -> NewEvent + Send + Sync),
    ) -> Result<Vec<Visit>, StoreError> {
        let mut tx = self.write().await?;
        lock_person_of(&mut tx, debtor).await?;
        let waiting = planned(&mut tx, debtor).await?;
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let facts = facts_of(&mut tx, debtor, now).await?;
        let paid = paid_at(&mut tx, debtor).await?;
        let mut gone = Vec::new();
        for visit in waiting {
            let why = withdrawn(&facts, now).or_else(|| paid_since(visit.made_at, paid));
            if let Some(why) = why {
                gone.push(end(&mut tx, &visit, &given_back(why, SYSTEM, now)).await?);
            }
        }
        let events: Vec<NewEvent> = gone.iter().map(told).collect();
        append(&mut tx, &events).await?;
        tx.commit().await?;
        Ok(gone)
    }

    async fn get_visit(&self, id: VisitId) -> Result<Visit, StoreError> {
        self.read().await?.get(id).await
    }

    async fn visits_of(
        &self,
        debtor: DebtorId,
        before: Option<VisitId>,
        limit: u32,
    ) -> Result<Vec<Visit>, StoreError> {
        let mut values: Vec<Val> = vals![debtor, limit.min(PAGE_LIMIT_MAX + 1)];
        let older = before.map_or("", |id| {
            values.extend(vals![id]);
            " AND id<$3"
        });
        let rest = format!("WHERE debtor_id=$1{older} ORDER BY id DESC LIMIT $2");
        self.read().await?.all(&rest, values).await
    }
}
