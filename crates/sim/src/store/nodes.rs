//! Node leases and recovery.

use super::MemoryStore;
use async_trait::async_trait;
use domain::entity::{
    Attempt, AttemptState, CallResult, InboundOutcome, LedgerRow, RecordingOutcome,
};
use domain::event::NewEvent;
use domain::ports::store::{NodeLease, NodeStore, Recovery, SETTINGS_MAX, StoreError, rested};
use domain::time::UtcMs;

#[async_trait]
impl NodeStore for MemoryStore {
    async fn register_node(
        &self,
        node: &str,
        now: UtcMs,
        lease_ms: i64,
    ) -> Result<NodeLease, StoreError> {
        let mut t = self.tx().await?;
        let fence = t.nodes.values().map(|(fence, _)| *fence).max().unwrap_or(0) + 1;
        let until = now.plus_ms(lease_ms);
        t.nodes.insert(node.to_owned(), (fence, until));
        t.registered = Some((node.to_owned(), fence));
        // Places it kept before are its own still: nobody finds them without a keeper in between.
        for place in t.places.iter_mut().filter(|p| p.node == node) {
            place.fence = fence;
        }
        Ok(NodeLease {
            node: node.to_owned(),
            fence,
            until,
        })
    }

    async fn renew_node(
        &self,
        lease: &NodeLease,
        now: UtcMs,
        lease_ms: i64,
    ) -> Result<NodeLease, StoreError> {
        let mut t = self.tx().await?;
        match t.nodes.get_mut(&lease.node) {
            Some((fence, until)) if *fence == lease.fence => {
                *until = now.plus_ms(lease_ms);
                Ok(NodeLease {
                    until: *until,
                    ..lease.clone()
                })
            }
            _ => Err(StoreError::Fenced),
        }
    }

    async fn recover(
        &self,
        lease: &NodeLease,
        now: UtcMs,
        events: &(dyn for<'a> Fn(&'a Attempt) -> NewEvent + Send + Sync),
    ) -> Result<Recovery, StoreError> {
        let mut t = self.tx().await?;
        // A node whose lease ended is fenced off first: should it wake up, it may write nothing.
        let next = t.nodes.values().map(|(fence, _)| *fence).max().unwrap_or(0) + 1;
        for (_, (fence, until)) in t.nodes.iter_mut().filter(|(n, _)| **n != lease.node) {
            if *until <= now {
                *fence = next;
            }
        }
        let nodes = t.nodes.clone();
        let dead =
            |node: &str, fence: i64| nodes.get(node).is_none_or(|(current, _)| *current != fence);
        let mut found = Recovery::default();
        for attempt in t.attempts.values_mut() {
            if !attempt.state.is_closed() && dead(&attempt.node, attempt.fence) {
                attempt.state = AttemptState::Unknown;
                attempt.result = Some(CallResult::Unknown);
                attempt.ended_at = Some(now);
                found.orphans.push(attempt.clone());
            }
        }
        for orphan in &found.orphans {
            super::attempts::count(&mut t, LedgerRow::of_lost(orphan).as_slice());
            let item = orphan
                .campaign_id
                .and_then(|c| t.items.get_mut(&(c, orphan.debtor_id)));
            if let Some(item) = item
                && let Some(now_there) = rested(item, orphan, now)
            {
                *item = now_there;
            }
        }
        // What its process of before wrote late is kept on too; one that was replaced takes nothing.
        let own = nodes.get(&lease.node).map(|(fence, _)| *fence) == Some(lease.fence);
        for place in t.places.iter_mut().filter(|p| own && p.node == lease.node) {
            place.fence = lease.fence;
        }
        super::callers::free_places(&mut t);
        // Callers whom a dead node had are nobody's: no queue counts them any more.
        for row in t.inbound.values_mut() {
            let gone = nodes.get(&row.node).is_some_and(|(_, until)| *until <= now);
            if row.outcome == InboundOutcome::Open && gone {
                row.outcome = InboundOutcome::Lost;
                row.ended_at = Some(now);
            }
        }
        let told: Vec<NewEvent> = found.orphans.iter().map(events).collect();
        t.append(&told);
        found.open_recordings = t
            .recordings
            .values()
            .filter(|r| r.outcome == RecordingOutcome::Open)
            .filter(|r| {
                t.attempts
                    .get(&r.attempt_id)
                    .is_none_or(|a| a.state.is_closed())
            })
            .cloned()
            .collect();
        let before = t.leases.len();
        t.leases.retain(|_, l| !dead(&l.node, l.fence));
        found.released = (before - t.leases.len()) as u64;
        Ok(found)
    }

    async fn node_place(&self, node: &str, now: UtcMs) -> Result<(u32, u32), StoreError> {
        let t = self.tx().await?;
        let others: Vec<&String> = t
            .nodes
            .iter()
            .filter(|(name, (_, until))| *name != node && *until > now)
            .map(|(name, _)| name)
            .collect();
        let before = others.iter().filter(|name| name.as_str() < node).count();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Ok((count(before), count(others.len() + 1)))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.tx().await.map(drop)
    }

    async fn get_setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(self.tx().await?.settings.get(key).cloned())
    }

    async fn settings_under(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreError> {
        let t = self.tx().await?;
        let mut found: Vec<(String, String)> = t
            .settings
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        found.sort_unstable();
        found.truncate(SETTINGS_MAX);
        Ok(found)
    }

    async fn put_setting(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.tx()
            .await?
            .settings
            .insert(key.to_owned(), value.to_owned());
        Ok(())
    }
}
