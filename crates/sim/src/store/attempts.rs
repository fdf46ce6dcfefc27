//! The write-ahead attempt.

use super::contacts::facts_of;
use super::past::{calls, past};
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{
    Attempt, AttemptState, CallResult, CampaignStatus, DialMode, Direction, LedgerKind, LedgerRow,
    Recording,
};
use domain::event::NewEvent;
use domain::ids::{AttemptId, CampaignId, ClientId, DebtorId};
use domain::law::Judge;
use domain::pii::Pii;
use domain::ports::store::{
    AnswerSlot, AttemptChange, AttemptFilter, AttemptStore, Closing, LEFT_SEGMENT, OpenDraft,
    OpenOutcome, PAGE_LIMIT_MAX, Page, PageRequest, PastAttempts, PastCall, ShortCount, StoreError,
};
use domain::rules::detector::is_mailbox;
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};
use std::collections::BTreeMap;

/// Fills the binding verdict's marks into the row.
fn committed(draft: &OpenDraft, verdict: &domain::entity::Verdict) -> Attempt {
    let pack = verdict.packs.first();
    Attempt {
        state: AttemptState::Committed,
        verdict_id: verdict.id,
        pack: pack.map(|p| p.id.clone()).unwrap_or_default(),
        pack_version: pack.map(|p| p.version.clone()).unwrap_or_default(),
        ..draft.attempt.clone()
    }
}

/// The debtor's lease must be this node's, unless a person dials by hand and nobody holds it.
fn lease_ok(t: &Tables, attempt: &Attempt) -> bool {
    match t.leases.get(&attempt.debtor_id) {
        Some(lease) => lease.node == attempt.node && lease.fence == attempt.fence,
        None => attempt.agent_reserved,
    }
}

fn step(attempt: &mut Attempt, change: &AttemptChange) {
    macro_rules! take {
        ($($field:ident),+) => { $( if change.$field.is_some() { attempt.$field = change.$field; } )+ };
    }
    if attempt.state.is_closed() {
        // What may still follow the end.
        take!(identity_at, acked_at);
        return;
    }
    take!(
        invite_at,
        ringing_at,
        answered_at,
        popped_at,
        acked_at,
        bridged_at,
        identity_at,
        agent_id,
        recording_id
    );
    if let Some(state) = change.state.filter(|s| *s > attempt.state) {
        attempt.state = state;
    }
    if let Some(trunk) = change.trunk_id {
        attempt.trunk_id = trunk;
    }
}

/// Appends ledger rows; one whose id is there already is not appended again.
pub(crate) fn count(t: &mut Tables, rows: &[LedgerRow]) {
    for row in rows {
        if t.ledger.iter().rev().all(|r| r.id != row.id) {
            t.ledger.push(row.clone());
        }
    }
}

/// What the debtor said, told with the disposition: a promise, or that he has paid.
fn said(t: &mut Tables, closing: &Closing) -> Result<(), StoreError> {
    if let Some((promise, terms)) = &closing.promise {
        super::money::promised(t, promise, *terms)
            .map_err(|refused| StoreError::Conflict(refused.to_string()))?;
    }
    if let Some(claim) = &closing.claim {
        super::claims::made(t, claim);
    }
    Ok(())
}

/// Applies a closing; `false` when both its result and its disposition are there already.
fn close(t: &mut Tables, id: AttemptId, closing: &Closing) -> Result<bool, StoreError> {
    let attempt = t
        .attempts
        .get_mut(&id)
        .ok_or(StoreError::NotFound("attempt"))?;
    let ends = closing.ended_at.is_some() && !attempt.state.is_closed();
    let disposes = closing.disposition.is_some() && attempt.disposition.is_none();
    if !ends && !disposes {
        count(t, &closing.ledger);
        return Ok(false);
    }
    if disposes {
        said(t, closing)?;
    }
    let attempt = t
        .attempts
        .get_mut(&id)
        .ok_or(StoreError::NotFound("attempt"))?;
    if ends {
        attempt.state = AttemptState::Ended;
        attempt.ended_at = closing.ended_at;
        attempt.result = closing.result;
        attempt.sip_code = closing.sip_code;
        attempt.q850 = closing.q850;
    }
    if disposes {
        attempt.disposition.clone_from(&closing.disposition);
        attempt.note = closing.note.clone().map(Pii);
        attempt.disposed_at = closing.disposed_at;
    }
    let (point, owner) = (attempt.point_id, (attempt.node.clone(), attempt.fence));
    if let Some(reached) = closing.reached_network {
        let own = |r: &&mut domain::entity::LedgerRow| {
            r.attempt_id == Some(id) && r.kind == LedgerKind::Attempt
        };
        if let Some(row) = t.ledger.iter_mut().find(own) {
            row.reached_network = Some(reached);
        }
    }
    if let Some(point) = t.points.get_mut(&point) {
        point.bad |= closing.point_bad;
        point.last_rpc_at = closing.point_rpc_at.or(point.last_rpc_at);
        if let Some(reach) = closing.reach {
            point.confidence = reach.after(point.confidence);
        }
    }
    count(t, &closing.ledger);
    t.holds
        .extend(closing.holds.iter().map(|h| (h.id, h.clone())));
    t.suppressions
        .extend(closing.suppressions.iter().map(|s| (s.id, s.clone())));
    if let Some(item) = &closing.item {
        t.items
            .insert((item.campaign_id, item.debtor_id), item.clone());
        // A lease that another node took meanwhile is not this attempt's to give back; with its end alone: a
        // disposition that comes later finds the debtor leased to whoever is next.
        let own = ends
            && t.leases
                .get(&item.debtor_id)
                .is_some_and(|l| l.node == owner.0 && l.fence == owner.1);
        if own {
            t.leases.remove(&item.debtor_id);
        }
    }
    t.append(&closing.events);
    Ok(true)
}

#[async_trait]
impl AttemptStore for MemoryStore {
    async fn open_attempt(
        &self,
        draft: &OpenDraft,
        judge: &dyn Judge,
    ) -> Result<OpenOutcome, StoreError> {
        let mut t = self.tx().await?;
        let attempt = &draft.attempt;
        if t.nodes
            .get(&attempt.node)
            .is_none_or(|(fence, _)| *fence != attempt.fence)
        {
            return Err(StoreError::Fenced);
        }
        // One live attempt a person, and one a number: two debtors may share a phone.
        let live = t.attempts.values().any(|a| {
            !a.state.is_closed() && (a.person_id == attempt.person_id || a.phone == attempt.phone)
        });
        let his = t
            .point_of(attempt.point_id)
            .is_some_and(|p| p.debtor_id == attempt.debtor_id);
        if live || !lease_ok(&t, attempt) || !his {
            return Ok(OpenOutcome::Busy);
        }
        let stopped = attempt
            .campaign_id
            .filter(|_| attempt.mode != DialMode::Manual)
            .and_then(|id| t.campaigns.get(&id))
            .is_some_and(|c| c.status != CampaignStatus::Running);
        // Who has left the campaign's segments is called no more, though he waits in a hopper still.
        let left = attempt
            .campaign_id
            .filter(|_| attempt.mode != DialMode::Manual)
            .and_then(|id| t.items.get(&(id, attempt.debtor_id)))
            .is_some_and(|i| i.done && i.note == LEFT_SEGMENT);
        if stopped || left {
            return Ok(OpenOutcome::Busy);
        }
        let facts = facts_of(&t, attempt.debtor_id, draft.action.now)?;
        let verdict = judge.judge(&facts, &draft.action);
        t.verdicts.insert(verdict.id, verdict.clone());
        if !verdict.decision.permits(draft.action.agent_reserved) {
            return Ok(OpenOutcome::Refused(Box::new(verdict)));
        }
        let row = committed(draft, &verdict);
        t.attempts.insert(row.id, row.clone());
        t.ledger.push(draft.ledger.clone());
        t.append(&draft.events);
        self.opened();
        Ok(OpenOutcome::Opened(Box::new(row), Box::new(verdict)))
    }

    async fn note_attempt(
        &self,
        id: AttemptId,
        change: &AttemptChange,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        let attempt = t
            .attempts
            .get_mut(&id)
            .ok_or(StoreError::NotFound("attempt"))?;
        step(attempt, change);
        count(&mut t, &change.ledger);
        t.append(events);
        Ok(())
    }

    async fn close_attempt(&self, id: AttemptId, closing: &Closing) -> Result<bool, StoreError> {
        close(&mut *self.tx().await?, id, closing)
    }

    async fn undisposed(
        &self,
        since: UtcMs,
        ended: UtcMs,
        limit: u32,
    ) -> Result<Vec<Attempt>, StoreError> {
        let t = self.tx().await?;
        let mut rows: Vec<Attempt> = t
            .attempts
            .values()
            .filter(|a| a.bridged_at.is_some() && a.disposition.is_none())
            .filter(|a| a.answered_at.is_some_and(|at| at >= since))
            .filter(|a| a.ended_at.is_some_and(|at| at < ended))
            .cloned()
            .collect();
        rows.sort_by_key(|a| (a.answered_at, a.id));
        rows.truncate(limit as usize);
        Ok(rows)
    }

    async fn get_attempt(&self, id: AttemptId) -> Result<Attempt, StoreError> {
        self.tx()
            .await?
            .attempts
            .get(&id)
            .cloned()
            .ok_or(StoreError::NotFound("attempt"))
    }

    async fn list_attempts(
        &self,
        filter: &AttemptFilter,
        page: &PageRequest,
    ) -> Result<Page<Attempt>, StoreError> {
        let t = self.tx().await?;
        let after = match &page.cursor {
            Some(c) => Some(
                c.parse::<AttemptId>()
                    .map_err(|_| StoreError::NotFound("cursor"))?,
            ),
            None => None,
        };
        let limit = page.limit.clamp(1, PAGE_LIMIT_MAX) as usize;
        let mut items: Vec<Attempt> = t
            .attempts
            .values()
            .filter(|a| after.is_none_or(|c| a.id > c))
            .filter(|a| filter.client_id.is_none_or(|c| a.client_id == c))
            .filter(|a| filter.campaign_id.is_none_or(|c| a.campaign_id == Some(c)))
            .filter(|a| filter.debtor_id.is_none_or(|d| a.debtor_id == d))
            .filter(|a| filter.since.is_none_or(|s| a.opened_at >= s))
            .take(limit + 1)
            .cloned()
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = if more {
            items.last().map(|a| a.id.to_string())
        } else {
            None
        };
        Ok(Page { items, next_cursor })
    }

    async fn past_attempts(
        &self,
        filter: &AttemptFilter,
        timed_max: u32,
    ) -> Result<PastAttempts, StoreError> {
        Ok(past(&*self.tx().await?, filter, timed_max))
    }

    async fn past_calls(
        &self,
        debtors: &[DebtorId],
        since: UtcMs,
        most: u32,
    ) -> Result<Vec<PastCall>, StoreError> {
        Ok(calls(&*self.tx().await?, debtors, since, most))
    }

    async fn open_recording(
        &self,
        recording: &Recording,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.recordings.insert(recording.id, recording.clone());
        if let Some(attempt) = t.attempts.get_mut(&recording.attempt_id) {
            attempt.recording_id = Some(recording.id);
        }
        t.append(events);
        Ok(())
    }

    async fn answers(&self, since: UtcMs, fine_from: UtcMs) -> Result<Vec<AnswerSlot>, StoreError> {
        let t = self.tx().await?;
        let fine = UtcMs(fine_from.0.div_euclid(HOUR_MS) * HOUR_MS);
        let mut slots: BTreeMap<_, AnswerSlot> = BTreeMap::new();
        for attempt in t.attempts.values() {
            // Who called us, and who only hears a message, was not to be given to an agent.
            let ours =
                attempt.direction == Direction::Outbound && attempt.mode != DialMode::Agentless;
            let Some(at) = attempt.answered_at.filter(|at| ours && *at >= since) else {
                continue;
            };
            let joined = attempt.bridged_at.is_some();
            let dropped = attempt.result == Some(CallResult::Abandoned)
                || (attempt.result == Some(CallResult::Unknown) && !joined);
            if !dropped && !joined {
                continue;
            }
            let machine = attempt
                .disposition
                .as_deref()
                .is_some_and(|code| code == "NC.BZ" || code.starts_with("NC.BZ."));
            let width_ms = if at >= fine { MINUTE_MS } else { HOUR_MS };
            let from = UtcMs(at.0.div_euclid(width_ms) * width_ms);
            let slot = slots
                .entry((from, attempt.client_id, attempt.campaign_id))
                .or_insert(AnswerSlot {
                    client_id: attempt.client_id,
                    campaign_id: attempt.campaign_id,
                    from,
                    width_ms,
                    abandoned: 0,
                    handled: 0,
                    machines: 0,
                });
            slot.abandoned += u64::from(dropped);
            slot.handled += u64::from(!dropped && !machine);
            slot.machines += u64::from(!dropped && machine);
        }
        Ok(slots.into_values().collect())
    }

    async fn short_calls(
        &self,
        since: UtcMs,
        until: UtcMs,
        now: UtcMs,
        max_ms: i64,
    ) -> Result<ShortCount, StoreError> {
        let t = self.tx().await?;
        let mut sum = ShortCount::default();
        for a in t.attempts.values() {
            let left = a.direction == Direction::Outbound && a.invite_at.is_some();
            if !left || !(since..until).contains(&a.opened_at) {
                continue;
            }
            let machine = matches!(
                a.result,
                Some(CallResult::MachineBeep | CallResult::MachineNoBeep)
            ) || a.disposition.as_deref().is_some_and(is_mailbox);
            let lasted = a
                .answered_at
                .map(|at| a.ended_at.unwrap_or(now).since_ms(at));
            let talked = !machine && lasted.is_some_and(|ms| ms > max_ms);
            sum.calls += 1;
            sum.short += u64::from(!talked);
        }
        Ok(sum)
    }

    async fn abandonment(
        &self,
        campaign: Option<CampaignId>,
        client: Option<ClientId>,
        since: UtcMs,
    ) -> Result<(u64, u64), StoreError> {
        let t = self.tx().await?;
        let mut counts = (0, 0);
        for attempt in t.attempts.values() {
            let ours = campaign.is_none_or(|c| attempt.campaign_id == Some(c))
                && client.is_none_or(|c| attempt.client_id == c)
                && attempt.direction == Direction::Outbound
                && attempt.mode != DialMode::Agentless
                && attempt.answered_at.is_some_and(|at| at >= since);
            if !ours {
                continue;
            }
            if attempt.result == Some(CallResult::Abandoned) {
                counts.0 += 1;
            } else if attempt.bridged_at.is_some() {
                counts.1 += 1;
            }
        }
        Ok(counts)
    }
}
