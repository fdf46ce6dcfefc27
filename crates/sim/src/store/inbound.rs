//! Calls that come in.

use super::import_rows::is_half;
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{Attempt, CallerId, Channel, Debtor, InboundCall, InboundOutcome, LedgerKind};
use domain::event::NewEvent;
use domain::ids::{AttemptId, CampaignId, ClientId};
use domain::ports::store::{
    InboundAsk, InboundCount, InboundStore, KnownCaller, PAGE_LIMIT_MAX, Page, PageRequest,
    StoreError,
};
use domain::time::UtcMs;

/// Figures of calls; answers within `within_ms` are in time.
pub(super) fn summed<'a>(
    rows: impl Iterator<Item = &'a InboundCall>,
    within_ms: i64,
) -> InboundCount {
    let mut sum = InboundCount::default();
    for row in rows {
        sum.offered += 1;
        sum.unserved += u64::from(row.outcome.unserved());
        match row.outcome {
            InboundOutcome::Open => {
                sum.waiting += 1;
                let first = sum.waiting_since.map_or(row.at, |at| at.min(row.at));
                sum.waiting_since = Some(first);
            }
            InboundOutcome::Answered => {
                sum.answered += 1;
                sum.in_time += u64::from(row.wait_ms <= within_ms);
                sum.wait_ms += row.wait_ms.unsigned_abs();
            }
            InboundOutcome::GaveUp => sum.gave_up += 1,
            InboundOutcome::CallBack => sum.call_back += 1,
            InboundOutcome::OptedOut => sum.opted_out += 1,
            other if other.announced() => sum.announced += 1,
            _ => {}
        }
    }
    sum
}

/// Opens the attempt of a call that came in; `false` when the person or the number has a live one.
pub(super) fn opened(t: &mut Tables, attempt: &Attempt) -> Result<bool, StoreError> {
    let current = t.nodes.get(&attempt.node);
    if current.is_none_or(|(fence, _)| *fence != attempt.fence) {
        return Err(StoreError::Fenced);
    }
    let live = t.attempts.values().any(|a| {
        !a.state.is_closed() && (a.person_id == attempt.person_id || a.phone == attempt.phone)
    });
    if live {
        return Ok(false);
    }
    t.attempts.insert(attempt.id, attempt.clone());
    Ok(true)
}

#[async_trait]
impl InboundStore for MemoryStore {
    async fn open_inbound(
        &self,
        attempt: &Attempt,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        if !opened(&mut t, attempt)? {
            return Ok(false);
        }
        t.append(events);
        Ok(true)
    }

    async fn put_inbound(&self, row: &InboundCall, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.inbound.insert(row.id, row.clone());
        t.append(events);
        Ok(())
    }

    async fn get_inbound(&self, id: AttemptId) -> Result<InboundCall, StoreError> {
        let t = self.tx().await?;
        let row = t.inbound.get(&id).cloned();
        row.ok_or(StoreError::NotFound("inbound call"))
    }

    async fn list_inbound(
        &self,
        ask: &InboundAsk,
        page: &PageRequest,
    ) -> Result<Page<InboundCall>, StoreError> {
        let t = self.tx().await?;
        let before = match &page.cursor {
            Some(text) => Some(
                text.parse::<AttemptId>()
                    .map_err(|_| StoreError::NotFound("cursor"))?,
            ),
            None => None,
        };
        let limit = page.limit.clamp(1, PAGE_LIMIT_MAX) as usize;
        let mut items: Vec<InboundCall> = t
            .inbound
            .values()
            .rev()
            .filter(|r| before.is_none_or(|id| r.id < id))
            .filter(|r| ask.client_id.is_none_or(|c| r.client_id == Some(c)))
            .filter(|r| ask.campaign_id.is_none_or(|c| r.campaign_id == Some(c)))
            .filter(|r| ask.since.is_none_or(|at| r.at >= at))
            .filter(|r| ask.outcome.is_none_or(|o| r.outcome == o))
            .take(limit + 1)
            .cloned()
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|r| r.id.to_string());
        Ok(Page { items, next_cursor })
    }

    async fn inbound_count(
        &self,
        campaign: CampaignId,
        since: UtcMs,
        within_ms: i64,
    ) -> Result<InboundCount, StoreError> {
        let t = self.tx().await?;
        let ours = |r: &&InboundCall| r.campaign_id == Some(campaign) && r.at >= since;
        Ok(summed(t.inbound.values().filter(ours), within_ms))
    }

    async fn lost_inbound(&self, node: &str, at: UtcMs) -> Result<u64, StoreError> {
        let mut t = self.tx().await?;
        let mut lost = 0;
        let open = |r: &&mut InboundCall| r.node == node && r.outcome == InboundOutcome::Open;
        for row in t.inbound.values_mut().filter(open) {
            row.outcome = InboundOutcome::Lost;
            row.ended_at = Some(at);
            lost += 1;
        }
        Ok(lost)
    }

    async fn known_caller(
        &self,
        client: ClientId,
        number: &str,
    ) -> Result<Option<KnownCaller>, StoreError> {
        let t = self.tx().await?;
        // Whoever came with a file is told from the same caller before, when nobody knew him, whatever happened
        // later.
        let stranger = |id| t.debtors.get(&id).is_some_and(Debtor::is_stranger);
        let forms = domain::phone::forms(number);
        let is_it = |shown: &String| forms.contains(shown);
        let tried = t
            .ledger
            .iter()
            .filter(|l| l.kind == LedgerKind::Attempt && l.client_id == client)
            .filter(|l| is_it(l.address.reveal()))
            .filter_map(|l| {
                let point = t.points.get(&l.point_id?)?;
                (point.debtor_id == l.debtor_id).then_some((l, point.id))
            })
            .max_by_key(|(l, _)| (!stranger(l.debtor_id), l.at, l.id));
        let tried = tried.map(|(row, point_id)| KnownCaller {
            debtor_id: row.debtor_id,
            point_id,
            campaign_id: row.campaign_id,
        });
        if let Some(known) = tried.filter(|k| !stranger(k.debtor_id)) {
            return Ok(Some(known));
        }
        let has = t.points.values().filter_map(|p| {
            let of = t.debtors.get(&p.debtor_id)?;
            let his = p.channel == Channel::Call && !p.bad && is_it(p.value.reveal());
            let ours = of.client_id == client && !is_half(&t, of.id);
            (his && ours).then_some((of.is_stranger(), p))
        });
        let his = has.min_by_key(|(stranger, p)| (*stranger, p.id));
        let his = his.filter(|(stranger, _)| !stranger || tried.is_none());
        let his = his.map(|(_, p)| KnownCaller {
            debtor_id: p.debtor_id,
            point_id: p.id,
            campaign_id: None,
        });
        Ok(his.or(tried))
    }

    async fn caller_id_numbered(&self, number: &str) -> Result<Option<CallerId>, StoreError> {
        let t = self.tx().await?;
        let found = t.caller_ids.values().find(|c| c.number == number);
        Ok(found.cloned())
    }
}
