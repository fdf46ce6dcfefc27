//! How long recordings stay, and their end. Held ones are never touched: the database refuses the
//! step, whatever was read before.

use super::Archive;
use crate::shared::{Shared, persist};
use crate::tasks::pause;
use domain::entity::{RecordingKeep, RetentionClass};
use domain::law::RecordingDays;
use domain::ports::store::{KeepChange, KeepWork, StoreError};
use domain::time::{DAY_MS, HOUR_MS, SECOND_MS, UtcMs};
use serde_json::json;
use std::sync::Arc;

/// Most planned or ended in one go.
const BATCH: u32 = 200;

/// Days that recordings stay, by class; the law lengthens or shortens them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Any other call.
    pub call_days: u32,
    /// Proof of something agreed.
    pub agreement_days: u32,
    /// Disputes, complaints, wishes to be left alone.
    pub dispute_days: u32,
    /// The number of a caller who stayed unknown, from his last call on; longer where a recording of him stays.
    pub stranger_days: u32,
    /// What was heard on a trunk before an answer.
    pub early_days: u32,
    /// How long after its sealing an end is planned, ms: by then the call has its disposition.
    pub plan_after_ms: i64,
    /// Between two looks for what is to be planned or ended, ms.
    pub look_ms: i64,
}

impl Default for Retention {
    /// Three years, five for what is proof.
    fn default() -> Self {
        Self {
            call_days: 1_096,
            agreement_days: 1_827,
            dispute_days: 1_827,
            stranger_days: 90,
            early_days: 90,
            plan_after_ms: HOUR_MS,
            look_ms: 60 * SECOND_MS,
        }
    }
}

impl Retention {
    /// From when a recording of that class may be deleted. The law's most shortens what we would like,
    /// its least goes over everything (law.md §6).
    #[must_use]
    pub fn end(&self, class: RetentionClass, law: RecordingDays, from: UtcMs) -> UtcMs {
        let ours = match class {
            RetentionClass::Call => self.call_days,
            RetentionClass::Agreement => self.agreement_days,
            RetentionClass::Dispute => self.dispute_days,
        };
        let shortened = law.most.map_or(ours, |most| ours.min(most));
        let days = law.least.map_or(shortened, |least| shortened.max(least));
        from.plus_ms(i64::from(days).saturating_mul(DAY_MS))
    }
}

/// Runs until the center stops.
pub(super) async fn retention(shared: Arc<Shared>, archive: Arc<dyn Archive>) {
    let mut stop = shared.stop.clone();
    let every = u64::try_from(shared.config.retention.look_ms)
        .unwrap_or(1)
        .max(1);
    while pause(&mut stop, every).await {
        while plan_some(&shared).await >= BATCH as usize && !shared.stopping() {}
        while end_some(&shared, &*archive).await >= BATCH as usize && !shared.stopping() {}
    }
}

async fn due(shared: &Shared, work: KeepWork, at: UtcMs) -> Vec<RecordingKeep> {
    let store = &shared.out.store;
    match store.keeps_due(work, &shared.config.node, at, BATCH).await {
        Ok(found) => found,
        Err(error) => {
            shared.mind(&error).await;
            Vec::new()
        }
    }
}

async fn plan_some(shared: &Shared) -> usize {
    let at = shared.now().plus_ms(-shared.config.retention.plan_after_ms);
    let mut done = 0;
    for keep in due(shared, KeepWork::Plan, at).await {
        match plan(shared, &keep).await {
            Ok(()) => done += 1,
            Err(error) => shared.mind(&error).await,
        }
    }
    done
}

async fn plan(shared: &Shared, keep: &RecordingKeep) -> Result<(), StoreError> {
    let store = &shared.out.store;
    let row = store.get_recording(keep.id).await?;
    let attempt = store.get_attempt(keep.attempt_id).await?;
    let class = RetentionClass::of(attempt.disposition.as_deref());
    let law = match store.contact_facts(attempt.debtor_id, shared.now()).await {
        Ok(facts) => shared.out.law.recording_days(&facts, row.started_at),
        // The debtor was erased: no law speaks for him any more.
        Err(StoreError::NotFound(_)) => RecordingDays::default(),
        Err(error) => return Err(error),
    };
    let delete_after = shared.config.retention.end(class, law, row.started_at);
    let change = KeepChange::Planned {
        class,
        delete_after,
    };
    store.change_keep(keep.id, &change, &[]).await.map(drop)
}

async fn end_some(shared: &Shared, archive: &dyn Archive) -> usize {
    let mut done = 0;
    for keep in due(shared, KeepWork::Delete, shared.now()).await {
        match end(shared, archive, &keep).await {
            Ok(true) => done += 1,
            Ok(false) => {}
            Err(error) => shared.mind(&error).await,
        }
    }
    done
}

/// Ends one: the decision first, then the file, then the proof.
async fn end(
    shared: &Shared,
    archive: &dyn Archive,
    keep: &RecordingKeep,
) -> Result<bool, StoreError> {
    let store = &shared.out.store;
    let at = shared.now();
    let row = store.get_recording(keep.id).await?;
    let begun = keep.place == domain::entity::RecordingPlace::Deleting;
    if !begun
        && !store
            .change_keep(keep.id, &KeepChange::Deleting { at }, &[])
            .await?
    {
        // A hold came meanwhile.
        return Ok(false);
    }
    if let Err(reason) = archive.delete(&row.key).await {
        tracing::warn!(recording = %keep.id, reason, "recording not deleted: tried again");
        return Ok(false);
    }
    let data = json!({
        "recording_id": keep.id, "attempt": keep.attempt_id, "class": keep.class,
        "delete_after": keep.delete_after, "sha256": row.sha256, "stored_sha256": keep.stored_sha256,
        "duration_ms": row.duration_ms, "started_at": row.started_at,
    });
    let subject = format!("recording:{}", keep.id);
    let client = Some(keep.client_id);
    let events = [shared.event(client, shared.actor(), "recording.deleted", subject, data)];
    persist!(
        shared,
        store.change_keep(keep.id, &KeepChange::Deleted { at }, &events)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_laws_least_goes_over_everything() {
        let ours = Retention {
            call_days: 100,
            agreement_days: 200,
            ..Retention::default()
        };
        let law = |least, most| RecordingDays { least, most };
        for (class, law, days) in [
            (RetentionClass::Call, law(None, None), 100),
            (RetentionClass::Agreement, law(None, None), 200),
            (RetentionClass::Call, law(Some(1_096), None), 1_096),
            (RetentionClass::Call, law(Some(10), None), 100),
            (RetentionClass::Call, law(None, Some(30)), 30),
            (RetentionClass::Agreement, law(Some(90), Some(30)), 90),
        ] {
            let end = ours.end(class, law, UtcMs(7));
            assert_eq!(end, UtcMs(7 + days * DAY_MS), "{class:?} {law:?}");
        }
    }
}
