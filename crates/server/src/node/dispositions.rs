//! The standard dispositions: without them no call can be disposed.

use domain::ports::{Store, StoreError};
use domain::rules::disposition::standard_dispositions;
use std::collections::BTreeSet;

/// Stores the standard rows that are missing. A row that is there stays as people changed it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn complete(store: &dyn Store) -> Result<(), StoreError> {
    let there = store.list_dispositions().await?;
    let known: BTreeSet<&str> = there.iter().map(|d| d.code.as_str()).collect();
    for row in standard_dispositions() {
        if !known.contains(row.code.as_str()) {
            store.put_disposition(&row).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ports::store::CatalogStore as _;

    #[tokio::test]
    async fn missing_rows_are_made_and_changed_ones_stay() {
        let store = sim::store::MemoryStore::new();
        complete(&store).await.expect("made");
        let made = store.list_dispositions().await.expect("list");
        assert_eq!(made.len(), standard_dispositions().len());
        let mut own = store.get_disposition("CD.PP.TOTAL").await.expect("row");
        own.label_es = "Paga todo".into();
        store.put_disposition(&own).await.expect("changed");
        complete(&store).await.expect("again");
        let kept = store.get_disposition("CD.PP.TOTAL").await.expect("row");
        assert_eq!(kept.label_es, "Paga todo");
        assert_eq!(
            store.list_dispositions().await.expect("list").len(),
            made.len()
        );
    }
}
