//! Letters: texts, batches, what was printed.

use super::SqlStore;
use super::attempts::count;
use super::events::append;
use super::facts::facts_of;
use super::items::{lock_person_of, write_verdict};
use super::messages_ends::{cancel_step, paid_at};
use crate::sql::{Link, Val, vals};
use async_trait::async_trait;
use domain::entity::{Language, Letter, LetterBatch, LetterLevel, LetterTemplate, PlannedStep};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtorId, LetterBatchId, LetterId, PlannedStepId};
use domain::law::Judge;
use domain::ports::StoreError;
use domain::ports::store::{LetterDraft, LetterOpened, LetterStore, Page, PageRequest};
use domain::rules::letter::step_after;
use domain::rules::messaging::stopped;
use domain::rules::withdrawal::paid_since;

const NEWEST: &str =
    "WHERE client_id=$1 AND level=$2 AND language=$3 ORDER BY version DESC LIMIT 1";

/// A step that waits, held until the end of the transaction.
async fn step_of(tx: &mut Link, id: PlannedStepId) -> Result<Option<PlannedStep>, StoreError> {
    let lock = tx.pg_only(" FOR UPDATE");
    tx.find(&format!("WHERE id=$1 AND state='planned'{lock}"), vals![id])
        .await
}

/// What may be made of a letter, perhaps of a step; its decision is stored.
async fn judged(
    tx: &mut Link,
    draft: &LetterDraft,
    step: Option<&PlannedStep>,
    judge: &dyn Judge,
) -> Result<LetterOpened, StoreError> {
    let (letter, now) = (&draft.letter, draft.action.now);
    let sql = "SELECT id FROM letters WHERE batch_id=$1 AND debt_id=$2";
    if tx
        .row(sql, vals![letter.batch_id, letter.debt_id])
        .await?
        .is_some()
    {
        return Ok(LetterOpened::Had);
    }
    let facts = facts_of(tx, letter.debtor_id, now).await?;
    if let Some(why) = stopped(&facts, Some(letter.debt_id), now) {
        return Ok(LetterOpened::Stopped(why));
    }
    if let Some(step) = step
        && let Some(why) = paid_since(step.created_at, paid_at(tx, step.debtor_id).await?)
    {
        return Ok(LetterOpened::Stopped(why));
    }
    let verdict = judge.judge(&facts, &draft.action);
    write_verdict(tx, &verdict, Some(letter.client_id)).await?;
    if verdict.decision.permits(draft.action.agent_reserved) {
        return Ok(LetterOpened::Made);
    }
    Ok(LetterOpened::Refused(Box::new(verdict)))
}

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

    async fn put_batch(&self, batch: &LetterBatch, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.put(batch).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn open_letter(
        &self,
        draft: &LetterDraft,
        judge: &dyn Judge,
    ) -> Result<LetterOpened, StoreError> {
        let mut tx = self.write().await?;
        let (letter, now) = (&draft.letter, draft.action.now);
        // What others do with the person waits until this letter is decided and counted.
        lock_person_of(&mut tx, letter.debtor_id).await?;
        let step = match &draft.of {
            Some((id, _)) => match step_of(&mut tx, *id).await? {
                Some(step) => Some(step),
                None => return Ok(LetterOpened::Had),
            },
            None => None,
        };
        let opened = judged(&mut tx, draft, step.as_ref(), judge).await?;
        if matches!(opened, LetterOpened::Made) {
            if let Some((_, batch)) = &draft.of {
                let more = " ON CONFLICT (id) DO UPDATE SET total=letter_batches.total+1, \
                    done=letter_batches.done+1, made=letter_batches.made+1";
                tx.insert(std::slice::from_ref(batch), more).await?;
            }
            tx.insert(std::slice::from_ref(letter), "").await?;
            count(&mut tx, std::slice::from_ref(&draft.ledger)).await?;
            append(&mut tx, &draft.events).await?;
        }
        match (step, &opened) {
            (Some(step), LetterOpened::Stopped(why)) => {
                cancel_step(&mut tx, step.id, why, now).await?;
            }
            (Some(step), _) => tx.put(&step_after(&step, &opened, now)).await?,
            (None, _) => {}
        }
        tx.commit().await?;
        Ok(opened)
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
