//! Letters: texts, batches, what was printed.

use super::SqlStore;
use super::attempts::count;
use super::events::append;
use crate::sql::{Val, vals};
use async_trait::async_trait;
use domain::entity::{Language, LedgerRow, Letter, LetterBatch, LetterLevel, LetterTemplate};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtorId, LetterBatchId, LetterId};
use domain::ports::StoreError;
use domain::ports::store::{LetterStore, Page, PageRequest};

const NEWEST: &str =
    "WHERE client_id=$1 AND level=$2 AND language=$3 ORDER BY version DESC LIMIT 1";

#[async_trait]
impl LetterStore for SqlStore {
    async fn letter_template(
        &self,
        client: ClientId,
        level: LetterLevel,
        language: Language,
    ) -> Result<Option<LetterTemplate>, StoreError> {
        let values = vals![client, level, language];
        self.read().await?.find(NEWEST, values).await
    }

    async fn letter_templates(&self, client: ClientId) -> Result<Vec<LetterTemplate>, StoreError> {
        let rest = "t WHERE client_id=$1 AND version=(SELECT MAX(n.version) FROM letter_templates n \
            WHERE n.client_id=t.client_id AND n.level=t.level AND n.language=t.language) \
            ORDER BY level, language";
        self.read().await?.all(rest, vals![client]).await
    }

    async fn add_letter_template(
        &self,
        row: &LetterTemplate,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let values = vals![row.client_id, row.level, row.language];
        let newest: Option<LetterTemplate> = tx.find(NEWEST, values).await?;
        if newest.map_or(0, |t| t.version) + 1 != row.version {
            return Err(StoreError::Conflict(
                "another version of the text is the newest".into(),
            ));
        }
        tx.insert(std::slice::from_ref(row), "").await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn get_batch(&self, id: LetterBatchId) -> Result<LetterBatch, StoreError> {
        self.read().await?.get(id).await
    }

    async fn batches_page(
        &self,
        client: Option<ClientId>,
        page: &PageRequest,
    ) -> Result<Page<LetterBatch>, StoreError> {
        let (mut terms, mut values): (Vec<String>, Vec<Val>) = (vec![], vec![]);
        if let Some(client) = client {
            values.extend(vals![client]);
            terms.push("client_id=$1".to_owned());
        }
        self.list_rows::<LetterBatch, LetterBatchId>((terms, values), page, |row| {
            row.id.to_string()
        })
        .await
    }

    async fn put_batch(
        &self,
        batch: &LetterBatch,
        letters: &[Letter],
        ledger: &[LedgerRow],
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.put(batch).await?;
        tx.insert(letters, " ON CONFLICT (batch_id, debt_id) DO NOTHING")
            .await?;
        count(&mut tx, ledger).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn get_letter(&self, id: LetterId) -> Result<Letter, StoreError> {
        self.read().await?.get(id).await
    }

    async fn letters_of_batch(
        &self,
        batch: LetterBatchId,
        after: Option<LetterId>,
        limit: u32,
    ) -> Result<Vec<Letter>, StoreError> {
        let after = after.unwrap_or(LetterId(uuid::Uuid::nil()));
        let rest = "WHERE batch_id=$1 AND id>$2 ORDER BY id LIMIT $3";
        self.read()
            .await?
            .all(rest, vals![batch, after, limit])
            .await
    }

    async fn letters_of(&self, debtor: DebtorId, limit: u32) -> Result<Vec<Letter>, StoreError> {
        let rest = "WHERE debtor_id=$1 ORDER BY id DESC LIMIT $2";
        self.read().await?.all(rest, vals![debtor, limit]).await
    }
}
