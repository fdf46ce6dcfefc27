//! Files of banks: taken in once by their bytes, and by one reader at a time.

use super::SqlStore;
use super::events::append;
use crate::sql::vals;
use domain::entity::{BankFile, BankFileState, Receipt};
use domain::event::NewEvent;
use domain::ids::{BankFileId, ClientId};
use domain::money::Money;
use domain::ports::StoreError;
use domain::ports::store::BANK_RECEIPTS_MAX;
use domain::time::UtcMs;

pub(super) async fn take(
    store: &SqlStore,
    row: &BankFile,
    events: &[NewEvent],
) -> Result<(BankFile, bool), StoreError> {
    let mut tx = store.write().await?;
    let values = || vals![row.client_id, row.sha256];
    let rest = "WHERE client_id=$1 AND sha256=$2";
    if let Some(first) = tx.find::<BankFile>(rest, values()).await? {
        return Ok((first, true));
    }
    let or = " ON CONFLICT (client_id, sha256) DO NOTHING";
    tx.insert(std::slice::from_ref(row), or).await?;
    let stored: BankFile = tx
        .find(rest, values())
        .await?
        .ok_or(StoreError::NotFound("bank file"))?;
    if stored.id != row.id {
        return Ok((stored, true));
    }
    append(&mut tx, events).await?;
    tx.commit().await?;
    Ok((stored, false))
}

/// Files whose reader is gone become `half`.
pub(super) async fn half(
    store: &SqlStore,
    before: UtcMs,
    now: UtcMs,
) -> Result<Vec<BankFile>, StoreError> {
    let mut tx = store.write().await?;
    let rest = format!(
        "WHERE state='reading' AND updated_at<$1 ORDER BY id{}",
        tx.pg_only(" FOR UPDATE SKIP LOCKED")
    );
    let mut gone: Vec<BankFile> = tx.all(&rest, vals![before]).await?;
    for file in &mut gone {
        file.state = BankFileState::Half;
        file.updated_at = now;
        tx.put(file).await?;
    }
    tx.commit().await?;
    Ok(gone)
}

pub(super) async fn resume(
    store: &SqlStore,
    id: BankFileId,
    before: UtcMs,
    now: UtcMs,
) -> Result<bool, StoreError> {
    let mut tx = store.write().await?;
    let sql = "UPDATE bank_files SET state='reading', updated_at=$3 WHERE id=$1 \
        AND (state='half' OR (state='reading' AND updated_at<$2))";
    let taken = tx.run(sql, vals![id, before, now]).await?;
    tx.commit().await?;
    Ok(taken > 0)
}

/// Receipts of rows whose own reference stands before the digest that every row has.
pub(super) async fn receipts(
    store: &SqlStore,
    client: ClientId,
    own: &str,
    amount: Money,
) -> Result<Vec<Receipt>, StoreError> {
    // Behind the own reference stand the 16 digits, and the amount where another stood under it before.
    let head = format!("{own} ");
    let (minor, currency) = (amount.amount_minor, amount.currency);
    let mut values = vals![client, minor, currency, head, BANK_RECEIPTS_MAX];
    let mut read = store.read().await?;
    // By its index where texts stand in the order of their bytes.
    let mut range = "";
    if read.pg_only("pg").is_empty() {
        range = "AND reference>=$4 AND reference<$6 ";
        values.extend(vals![format!("{own}!")]);
    }
    let rest = format!(
        "WHERE client_id=$1 AND amount_minor=$2 AND currency=$3 AND source='bank_file' {range}\
        AND substr(reference,1,length($4))=$4 AND substr(reference,length($4)+17,1) IN ('','~') \
        ORDER BY id DESC LIMIT $5"
    );
    read.all(&rest, values).await
}
