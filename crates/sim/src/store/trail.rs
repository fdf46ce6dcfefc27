//! What is kept of calls beside the attempt.

use super::MemoryStore;
use async_trait::async_trait;
use domain::entity::{Attempt, CallResult, CallTrail, Direction, SuppressionKind, Transfer};
use domain::event::NewEvent;
use domain::ids::{AttemptId, ClientId, TrunkId};
use domain::ports::store::{
    HeardCall, HeardCount, StoreError, TollAsk, TollTalk, TrailStore, TrunkCount,
};
use domain::rules::detector::EARLY_MS;
use domain::time::UtcMs;
use std::collections::BTreeMap;

#[async_trait]
impl TrailStore for MemoryStore {
    async fn put_transfer(
        &self,
        transfer: &Transfer,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.transfers.insert(transfer.id, transfer.clone());
        t.append(events);
        Ok(())
    }

    async fn transfers_of(&self, attempt: AttemptId) -> Result<Vec<Transfer>, StoreError> {
        let t = self.tx().await?;
        let of_it = t.transfers.values().filter(|r| r.attempt_id == attempt);
        let mut rows: Vec<Transfer> = of_it.cloned().collect();
        rows.sort_by_key(|r| (r.asked_at, r.id));
        Ok(rows)
    }

    async fn put_trail(
        &self,
        attempt: AttemptId,
        at: UtcMs,
        trail: &CallTrail,
    ) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        if !t.attempts.contains_key(&attempt) {
            return Err(StoreError::NotFound("attempt"));
        }
        t.trails.insert(attempt, (at, trail.clone()));
        Ok(())
    }

    async fn get_trail(&self, attempt: AttemptId) -> Result<Option<CallTrail>, StoreError> {
        let t = self.tx().await?;
        Ok(t.trails.get(&attempt).map(|(_, trail)| trail.clone()))
    }

    async fn forget_trails(&self, before: UtcMs, limit: u32) -> Result<u64, StoreError> {
        let mut t = self.tx().await?;
        let mut old: Vec<(UtcMs, AttemptId)> = t
            .trails
            .iter()
            .filter(|(_, (at, _))| *at < before)
            .map(|(id, (at, _))| (*at, *id))
            .collect();
        old.sort_unstable();
        old.truncate(limit as usize);
        for (_, id) in &old {
            t.trails.remove(id);
        }
        Ok(old.len() as u64)
    }

    async fn trunk_counts(
        &self,
        trunk: TrunkId,
        since: UtcMs,
        until: UtcMs,
        slice_ms: i64,
    ) -> Result<Vec<TrunkCount>, StoreError> {
        let t = self.tx().await?;
        let mut sums = BTreeMap::new();
        for attempt in t.attempts.values().filter(|a| a.trunk_id == trunk) {
            let Some(invite) = attempt.invite_at.filter(|at| (since..until).contains(at)) else {
                continue;
            };
            let slice = invite.since_ms(since) / slice_ms.max(1);
            let result = attempt.result.map(|r| r.as_str());
            let key = (slice, result, attempt.sip_code, attempt.q850);
            let sum = sums.entry(key).or_insert_with(|| TrunkCount {
                slice,
                result: attempt.result,
                sip_code: attempt.sip_code,
                q850: attempt.q850,
                ..TrunkCount::default()
            });
            sum.invites += 1;
            sum.answered += i64::from(attempt.answered_at.is_some());
            if let Some(rang) = attempt.ringing_at {
                sum.rung += 1;
                sum.pdd_ms += rang.since_ms(invite);
            }
            if let (Some(from), Some(to)) = (attempt.bridged_at, attempt.ended_at) {
                sum.talk_ms += to.since_ms(from);
            }
        }
        Ok(sums.into_values().collect())
    }

    async fn toll_talk(&self, ask: &TollAsk) -> Result<Vec<TollTalk>, StoreError> {
        let t = self.tx().await?;
        let mut sums: BTreeMap<(i64, String), i64> = BTreeMap::new();
        let begins = usize::try_from(ask.begins.max(1)).unwrap_or(usize::MAX);
        let of_it = |a: &&Attempt| {
            a.trunk_id == ask.trunk_id
                && a.direction == Direction::Outbound
                && a.result != Some(CallResult::Unknown)
        };
        for a in t.attempts.values().filter(of_it) {
            let (Some(invite), Some(from), Some(to)) = (a.invite_at, a.answered_at, a.ended_at)
            else {
                continue;
            };
            if invite < ask.since || (a.node == ask.node && invite >= ask.own_since) {
                continue;
            }
            let slice = invite.since_ms(ask.since) / ask.slice_ms.max(1);
            let start = a.phone.0.chars().take(begins).collect();
            *sums.entry((slice, start)).or_default() += to.since_ms(from);
        }
        let talk = |((slice, begins), talk_ms)| TollTalk {
            slice,
            begins,
            talk_ms,
        };
        Ok(sums.into_iter().map(talk).collect())
    }

    async fn put_heard(&self, heard: &HeardCall, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        if !t.attempts.contains_key(&heard.attempt_id) {
            return Err(StoreError::NotFound("attempt"));
        }
        let truth = t.heard.get(&heard.attempt_id).and_then(|h| h.truth);
        let kept = HeardCall {
            truth,
            ..heard.clone()
        };
        t.heard.insert(heard.attempt_id, kept);
        t.append(events);
        Ok(())
    }

    async fn get_heard(&self, attempt: AttemptId) -> Result<Option<HeardCall>, StoreError> {
        let t = self.tx().await?;
        Ok(t.heard.get(&attempt).cloned())
    }

    async fn heard_counts(
        &self,
        since: UtcMs,
        until: UtcMs,
        slice_ms: i64,
    ) -> Result<Vec<HeardCount>, StoreError> {
        let t = self.tx().await?;
        let mut sums: BTreeMap<_, i64> = BTreeMap::new();
        for heard in t.heard.values().filter(|h| (since..until).contains(&h.at)) {
            let Some(of) = t.attempts.get(&heard.attempt_id) else {
                continue;
            };
            let class = heard.class.clone();
            let of_call = (of.campaign_id, of.trunk_id, class, of.disposition.clone());
            let slice = heard.at.since_ms(since) / slice_ms.max(1);
            let early = heard.decided_ms <= EARLY_MS;
            let had_agent = of.agent_id.is_some();
            let key = (of_call, had_agent, heard.acted, heard.truth, early, slice);
            *sums.entry(key).or_default() += 1;
        }
        let count = |((of_call, had_agent, acted, truth, early, slice), calls)| {
            let (campaign_id, trunk_id, class, disposition) = of_call;
            HeardCount {
                campaign_id,
                trunk_id,
                class,
                disposition,
                had_agent,
                acted,
                truth,
                early,
                slice,
                calls,
            }
        };
        Ok(sums.into_iter().map(count).collect())
    }

    async fn number_listed(&self, client: ClientId, number: &str) -> Result<bool, StoreError> {
        let t = self.tx().await?;
        Ok(t.suppressions.values().any(|s| {
            s.kind == SuppressionKind::Phone
                && s.value.reveal() == number
                && s.lifted_at.is_none()
                && s.debtor_id.is_none()
                && s.client_id.is_none_or(|c| c == client)
        }))
    }
}
