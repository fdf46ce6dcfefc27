//! What trunks with limits of the day have talked besides this process: before its start, and on other nodes.

use domain::ids::TrunkId;
use domain::ports::store::{TollAsk, TollTalk};
use domain::ports::{Clock, Store, StoreError};
use domain::time::UtcMs;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use voice::limits::{TOLL_DAY, TOLL_QUARTER};
use voice::{Spent, TrunkConfig, VoiceHandle};

/// How often it is read: so late is known what other nodes talked.
const REFRESH: Duration = Duration::from_secs(60);

/// Tells voice what it did not count itself.
pub(super) struct Spending {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    node: String,
    /// Since when voice counts itself.
    own_since: UtcMs,
    /// Trunks, and by how many characters their prices tell numbers apart.
    trunks: Vec<(TrunkId, i64)>,
}

fn ms(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

/// A slice is forgotten as a whole, when its end is old.
fn spent(row: TollTalk, length: Duration) -> Spent {
    let slice_end = row.slice.saturating_add(1).saturating_mul(ms(TOLL_QUARTER));
    let ago = ms(length).saturating_sub(slice_end);
    let length = |ms: i64| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    Spent {
        ago: length(ago),
        begins: row.begins,
        talk: length(row.talk_ms),
    }
}

impl Spending {
    /// Of the trunks that have a limit of the day; voice has not started yet.
    pub(super) fn of(
        store: &Arc<dyn Store>,
        clock: &Arc<dyn Clock>,
        node: &str,
        trunks: &[TrunkConfig],
    ) -> Self {
        let metered = trunks.iter().filter(|t| t.policy.toll.is_metered());
        let begins = |t: &TrunkConfig| {
            let longest = t.policy.toll.prices.keys().map(String::len).max();
            (
                t.id,
                longest.and_then(|n| i64::try_from(n).ok()).unwrap_or(1),
            )
        };
        Self {
            own_since: clock.now(),
            node: node.to_owned(),
            trunks: metered.map(begins).collect(),
            store: Arc::clone(store),
            clock: Arc::clone(clock),
        }
    }

    /// Reads it and tells it.
    pub(super) async fn tell(&self, voice: &VoiceHandle) -> Result<(), StoreError> {
        for (trunk, begins) in &self.trunks {
            let ask = TollAsk {
                trunk_id: *trunk,
                since: self.clock.now().plus_ms(-ms(TOLL_DAY)),
                slice_ms: ms(TOLL_QUARTER),
                begins: *begins,
                node: self.node.clone(),
                own_since: self.own_since,
            };
            let rows = self.store.toll_talk(&ask).await?;
            let rows = rows.into_iter().map(|row| spent(row, TOLL_DAY));
            voice.count_spent(*trunk, rows.collect()).await;
        }
        Ok(())
    }

    /// Tells it anew until the task is ended.
    pub(super) fn keep_fresh(self, voice: VoiceHandle) -> JoinHandle<()> {
        tokio::spawn(async move {
            while !self.trunks.is_empty() {
                tokio::time::sleep(REFRESH).await;
                if let Err(error) = self.tell(&voice).await {
                    tracing::warn!(%error, "what trunks have talked could not be read again");
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_as_old_as_its_end() {
        let of = |slice| {
            let row = TollTalk {
                slice,
                begins: "+52".into(),
                talk_ms: 60_000,
            };
            spent(row, TOLL_DAY)
        };
        assert_eq!(of(0).ago, TOLL_DAY.saturating_sub(TOLL_QUARTER));
        assert_eq!((of(95).ago, of(96).ago), (Duration::ZERO, Duration::ZERO));
        assert_eq!(of(0).talk, Duration::from_secs(60));
    }
}
