//! What a compressed day has held so far, counted from its event log: the telephone is only a part of it.

use domain::ports::Store;
use domain::ports::store::StoreError;
use serde::Serialize;
use std::collections::BTreeMap;

/// Events read in one go.
const BATCH: u32 = 1_000;
/// What a line tells, by the kind of its event.
const TOLD: [(&str, &str); 8] = [
    ("message.sent", "messages sent"),
    ("message.cancelled", "withdrawn"),
    ("message.received", "answers"),
    ("promise.kept", "promises kept"),
    ("promise.broken", "broken"),
    ("payment.posted", "payments"),
    ("payment_link.paid", "by link"),
    ("receipt.unmatched", "nobody's"),
];

/// Events by kind, and how far they are read.
#[derive(Debug, Default, Serialize)]
pub(super) struct Day {
    #[serde(skip)]
    cursor: i64,
    /// How many there were of each kind.
    events: BTreeMap<String, u64>,
}

impl Day {
    /// Reads on; what was seeded before it began is behind `from`.
    pub(super) fn from(cursor: i64) -> Self {
        Self {
            cursor,
            ..Self::default()
        }
    }

    /// Counts what came since the last look.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn look(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        loop {
            let batch = store.events_after(self.cursor, BATCH).await?;
            let whole = batch.len() >= BATCH as usize;
            for told in batch {
                *self.events.entry(told.event.kind).or_default() += 1;
                self.cursor = told.cursor;
            }
            if !whole {
                return Ok(());
            }
        }
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        let count = |kind| self.events.get(kind).copied().unwrap_or(0);
        let words = TOLD.map(|(kind, name)| format!("{} {name}", count(kind)));
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::event::NewEvent;
    use domain::ports::store::CatalogStore as _;
    use domain::time::UtcMs;

    #[tokio::test]
    async fn what_came_since_the_last_look_is_counted_once() {
        let store = sim::store::MemoryStore::new();
        let event = |n: u128, kind: &str| NewEvent {
            id: uuid::Uuid::from_u128(n).into(),
            at: UtcMs(0),
            client_id: None,
            actor: "system".to_owned(),
            kind: kind.to_owned(),
            subject: "promise:1".to_owned(),
            data: serde_json::Value::Null,
        };
        let seeded = [event(1, "promise.kept")];
        store.append_events(&seeded).await.expect("appended");
        let mut day = Day::from(store.last_cursor().await.expect("cursor"));
        let more = [event(2, "promise.kept"), event(3, "promise.broken")];
        store.append_events(&more).await.expect("appended");
        for _ in 0..2 {
            day.look(&store).await.expect("read");
            let words = day.words();
            assert!(words.contains("1 promises kept, 1 broken"), "{words}");
        }
    }
}
