//! Postal addresses.

use super::SqlStore;
use super::events::append;
use crate::sql::{Link, vals};
use async_trait::async_trait;
use domain::entity::{ADDRESSES_MAX, Address};
use domain::event::NewEvent;
use domain::ids::{AddressId, DebtorId};
use domain::ports::StoreError;
use domain::ports::store::AddressStore;
use std::collections::BTreeMap;

pub(super) const ZONES: &str = "SELECT DISTINCT debtor_id, zone FROM addresses \
    WHERE NOT bad AND zone IS NOT NULL AND debtor_id";

/// Zones of the current addresses of debtors that are not the zone in their own row.
pub(super) async fn zones_of(
    tx: &mut Link,
    debtors: &[DebtorId],
) -> Result<BTreeMap<DebtorId, Vec<String>>, StoreError> {
    let mut found: BTreeMap<DebtorId, Vec<String>> = BTreeMap::new();
    for row in &tx.rows_in(ZONES, debtors, " ORDER BY zone", &[]).await? {
        let zones = found.entry(row.get("debtor_id")?).or_default();
        zones.push(row.get("zone")?);
    }
    Ok(found)
}

#[async_trait]
impl AddressStore for SqlStore {
    async fn addresses_of(&self, debtor: DebtorId) -> Result<Vec<Address>, StoreError> {
        let rest = "WHERE debtor_id=$1 ORDER BY bad, confirmed_at DESC, id DESC";
        self.read().await?.all(rest, vals![debtor]).await
    }

    async fn get_address(&self, id: AddressId) -> Result<Address, StoreError> {
        self.read().await?.get(id).await
    }

    async fn put_address(&self, row: &Address, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sql = "SELECT COUNT(*) AS n FROM addresses WHERE debtor_id=$1 AND id<>$2";
        let others = tx.row(sql, vals![row.debtor_id, row.id]).await?;
        let others: i64 = others.map_or(Ok(0), |r| r.get("n"))?;
        if others >= ADDRESSES_MAX as i64 {
            let text = format!("a debtor has {ADDRESSES_MAX} addresses at most");
            return Err(StoreError::Conflict(text));
        }
        tx.put(row).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }
}
