//! Stages of debts, excuses, letters.

use super::contacts::facts_of;
use super::messages_ends::{cancel_step, paid_at};
use super::stage_facts::{counts, near, told_near};
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{
    Debt, DebtStage, DebtStatus, Excuse, ExcuseKind, Hold, Language, Letter, LetterBatch,
    LetterLevel, LetterTemplate, LinkState, PaymentLink, PlannedState, PlannedStep, Stage,
};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtId, DebtorId, LetterBatchId, LetterId};
use domain::law::Judge;
use domain::ports::store::{
    LetterDraft, LetterOpened, LetterStore, PAGE_LIMIT_MAX, Page, PageRequest, StageCounts,
    StageFilter, StageStore, StoreError,
};
use domain::rules::letter::step_after;
use domain::rules::messaging::stopped;
use domain::rules::stage::{hold_of, withdrawn};
use domain::rules::withdrawal::paid_since;
use domain::time::UtcMs;
use std::collections::BTreeMap;

pub(super) fn open(t: &Tables, debt: DebtId) -> bool {
    t.debts
        .get(&debt)
        .is_some_and(|d| d.status == DebtStatus::Open)
}

fn cut<T: Clone>(mut items: Vec<T>, limit: u32, key: impl Fn(&T) -> String) -> Page<T> {
    let limit = limit.clamp(1, PAGE_LIMIT_MAX) as usize;
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(key);
    Page { items, next_cursor }
}

fn after<T: std::str::FromStr>(page: &PageRequest) -> Result<Option<T>, StoreError> {
    let parsed = page.cursor.as_ref().map(|text| text.parse());
    parsed
        .transpose()
        .map_err(|_| StoreError::NotFound("cursor"))
}

/// The open links of a debt that is sold end.
fn withdraw_links(t: &mut Tables, row: &DebtStage) {
    let open = |l: &&mut PaymentLink| {
        l.debt_id == row.debt_id && matches!(l.state, LinkState::Created | LinkState::Opened)
    };
    let mut told = Vec::new();
    for link in t.money.links.values_mut().filter(open) {
        link.state = LinkState::Cancelled;
        told.push(withdrawn(link, row));
    }
    t.append(&told);
}

#[async_trait]
impl StageStore for MemoryStore {
    async fn stage_of(&self, debt: DebtId) -> Result<Option<DebtStage>, StoreError> {
        Ok(self.tx().await?.stages.get(&debt).cloned())
    }

    async fn move_stage(
        &self,
        row: &DebtStage,
        from: Option<Stage>,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        if !t.debts.contains_key(&row.debt_id) {
            return Err(StoreError::NotFound("debt"));
        }
        let left = t.stages.get(&row.debt_id).cloned();
        if left.as_ref().map(|s| s.stage) != from {
            return Ok(false);
        }
        t.stages.insert(row.debt_id, row.clone());
        let before = left.as_ref().and_then(hold_of);
        let before = before.and_then(|h| t.holds.get_mut(&h.id));
        if let Some(hold) = before.filter(|h| h.lifted_at.is_none()) {
            hold.lifted_at = Some(row.entered_at);
        }
        if let Some(hold) = hold_of(row) {
            t.holds.insert(hold.id, hold);
        }
        t.append(events);
        if row.stage == Stage::Sold {
            withdraw_links(&mut t, row);
        }
        Ok(true)
    }

    async fn unheld_stages(
        &self,
        after: Option<DebtId>,
        limit: u32,
    ) -> Result<(Vec<DebtStage>, Option<DebtId>), StoreError> {
        let t = self.tx().await?;
        let holding =
            |s: &&DebtStage| after.is_none_or(|a| s.debt_id > a) && s.stage.hold().is_some();
        let looked = t.stages.values().filter(holding).take(limit as usize);
        let looked: Vec<&DebtStage> = looked.collect();
        let last = looked.last().map(|s| s.debt_id);
        let bare = |s: &DebtStage| hold_of(s).is_some_and(|h| !t.holds.contains_key(&h.id));
        let bare = looked.into_iter().filter(|s| bare(s)).cloned();
        Ok((bare.collect(), last))
    }

    async fn place_stage_hold(
        &self,
        row: &DebtStage,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let there = t.stages.get(&row.debt_id).filter(|s| *s == row);
        let Some(hold) = there.and_then(hold_of) else {
            return Ok(false);
        };
        if t.holds.contains_key(&hold.id) {
            return Ok(false);
        }
        t.holds.insert(hold.id, Hold { from: now, ..hold });
        t.append(events);
        Ok(true)
    }

    async fn stages_page(
        &self,
        filter: &StageFilter,
        page: &PageRequest,
    ) -> Result<Page<DebtStage>, StoreError> {
        let after: Option<DebtId> = after(page)?;
        let t = self.tx().await?;
        let rows = t
            .stages
            .values()
            .filter(|s| after.is_none_or(|a| s.debt_id > a) && open(&t, s.debt_id))
            .filter(|s| filter.client_id.is_none_or(|c| s.client_id == c))
            .filter(|s| filter.debtor_id.is_none_or(|d| s.debtor_id == d))
            .filter(|s| filter.stage.is_none_or(|x| s.stage == x))
            .filter(|s| {
                let nobody = filter.or_nobody && s.owner_id.is_none();
                nobody || filter.owner_id.is_none_or(|o| s.owner_id == Some(o))
            })
            .filter(|s| !filter.late || s.late_at.is_some() || told_near(&t, s));
        Ok(cut(rows.cloned().collect(), page.limit, |s: &DebtStage| {
            s.debt_id.to_string()
        }))
    }

    async fn unstaged(&self, after: Option<DebtId>, limit: u32) -> Result<Vec<Debt>, StoreError> {
        let t = self.tx().await?;
        let bare = |d: &&Debt| {
            d.status == DebtStatus::Open
                && after.is_none_or(|a| d.id > a)
                && !t.stages.contains_key(&d.id)
        };
        let bare = t.debts.values().filter(bare);
        Ok(bare.take(limit as usize).cloned().collect())
    }

    async fn begin_stages(&self, rows: &[DebtStage]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        for row in rows {
            t.stages.entry(row.debt_id).or_insert_with(|| row.clone());
        }
        Ok(())
    }

    async fn late_stages(&self, now: UtcMs, limit: u32) -> Result<Vec<DebtStage>, StoreError> {
        let t = self.tx().await?;
        let mut rows: Vec<DebtStage> = t
            .stages
            .values()
            .filter(|s| s.deadline.is_some_and(|d| d <= now) && s.late_at.is_none())
            .filter(|s| open(&t, s.debt_id))
            .cloned()
            .collect();
        rows.sort_by_key(|s| (s.deadline, s.debt_id));
        rows.truncate(limit as usize);
        Ok(rows)
    }

    async fn note_late(
        &self,
        row: &DebtStage,
        at: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let stage = t.stages.get_mut(&row.debt_id);
        let Some(stage) = stage.filter(|s| s.stage == row.stage && s.late_at.is_none()) else {
            return Ok(false);
        };
        stage.late_at = Some(at);
        t.append(events);
        Ok(true)
    }

    async fn near_statute(
        &self,
        client: ClientId,
        now: UtcMs,
        ahead: &[(Stage, i64)],
        limit: u32,
    ) -> Result<Vec<(DebtStage, String)>, StoreError> {
        let t = self.tx().await?;
        Ok(near(&t, client, now, ahead, limit))
    }

    async fn note_statute(
        &self,
        row: &DebtStage,
        statute_date: &str,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let stage = t.stages.get_mut(&row.debt_id);
        let new = |s: &&mut DebtStage| {
            s.stage == row.stage && s.statute_told.as_deref() != Some(statute_date)
        };
        let Some(stage) = stage.filter(new) else {
            return Ok(false);
        };
        stage.statute_told = Some(statute_date.to_owned());
        t.append(events);
        Ok(true)
    }

    async fn late_counts(&self, now: UtcMs) -> Result<Vec<(ClientId, u64)>, StoreError> {
        let t = self.tx().await?;
        let mut counts: BTreeMap<ClientId, u64> = BTreeMap::new();
        let late = |s: &&DebtStage| {
            let over = s.deadline.is_some_and(|d| d <= now);
            (over || told_near(&t, s)) && open(&t, s.debt_id)
        };
        for stage in t.stages.values().filter(late) {
            *counts.entry(stage.client_id).or_default() += 1;
        }
        Ok(counts.into_iter().collect())
    }

    async fn stage_counts(&self, debt: &Debt, now: UtcMs) -> Result<StageCounts, StoreError> {
        let t = self.tx().await?;
        Ok(counts(&t, debt, now))
    }

    async fn add_excuse(&self, row: &Excuse, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.excuses.insert(row.id, row.clone());
        t.append(events);
        Ok(())
    }

    async fn excuses_of(&self, debtor: DebtorId, limit: u32) -> Result<Vec<Excuse>, StoreError> {
        let t = self.tx().await?;
        let mut rows: Vec<Excuse> = t
            .excuses
            .values()
            .filter(|e| e.debtor_id == debtor)
            .cloned()
            .collect();
        rows.sort_by_key(|e| std::cmp::Reverse((e.at, e.id)));
        rows.truncate(limit as usize);
        Ok(rows)
    }

    async fn excuse_counts(
        &self,
        client: ClientId,
        since: UtcMs,
        until: UtcMs,
    ) -> Result<Vec<(ExcuseKind, u64)>, StoreError> {
        let t = self.tx().await?;
        let mut counts: BTreeMap<&str, (ExcuseKind, u64)> = BTreeMap::new();
        let wanted = |e: &&Excuse| e.client_id == client && since <= e.at && e.at < until;
        for excuse in t.excuses.values().filter(wanted) {
            let entry = counts
                .entry(excuse.kind.as_str())
                .or_insert((excuse.kind, 0));
            entry.1 += 1;
        }
        Ok(counts.into_values().collect())
    }
}

fn newest(
    t: &Tables,
    client: ClientId,
    level: LetterLevel,
    language: Language,
) -> Option<&LetterTemplate> {
    t.letter_templates
        .values()
        .filter(|l| (l.client_id, l.level, l.language) == (client, level, language))
        .max_by_key(|l| l.version)
}

/// What may be made of a letter; its decision is kept.
fn judged(
    t: &mut Tables,
    draft: &LetterDraft,
    step: Option<&PlannedStep>,
    judge: &dyn Judge,
) -> Result<LetterOpened, StoreError> {
    let (letter, now) = (&draft.letter, draft.action.now);
    let there = |l: &Letter| l.batch_id == letter.batch_id && l.debt_id == letter.debt_id;
    if t.letters.values().any(there) {
        return Ok(LetterOpened::Had);
    }
    let facts = facts_of(t, letter.debtor_id, now)?;
    let paid = step.and_then(|s| paid_since(s.created_at, paid_at(t, s.debtor_id)));
    if let Some(why) = stopped(&facts, Some(letter.debt_id), now).or(paid) {
        return Ok(LetterOpened::Stopped(why));
    }
    let verdict = judge.judge(&facts, &draft.action);
    t.verdicts.insert(verdict.id, verdict.clone());
    if verdict.decision.permits(draft.action.agent_reserved) {
        return Ok(LetterOpened::Made);
    }
    Ok(LetterOpened::Refused(Box::new(verdict)))
}

#[async_trait]
impl LetterStore for MemoryStore {
    async fn letter_template(
        &self,
        client: ClientId,
        level: LetterLevel,
        language: Language,
    ) -> Result<Option<LetterTemplate>, StoreError> {
        let t = self.tx().await?;
        Ok(newest(&t, client, level, language).cloned())
    }

    async fn letter_templates(&self, client: ClientId) -> Result<Vec<LetterTemplate>, StoreError> {
        let t = self.tx().await?;
        let mut rows: Vec<LetterTemplate> = t
            .letter_templates
            .values()
            .filter(|l| l.client_id == client)
            .filter(|l| newest(&t, client, l.level, l.language).is_some_and(|n| n.id == l.id))
            .cloned()
            .collect();
        rows.sort_by_key(|l| (l.level.as_str(), l.language.as_str()));
        Ok(rows)
    }

    async fn add_letter_template(
        &self,
        row: &LetterTemplate,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        let before = newest(&t, row.client_id, row.level, row.language).map_or(0, |l| l.version);
        if before + 1 != row.version {
            return Err(StoreError::Conflict(
                "another version of the text is the newest".into(),
            ));
        }
        t.letter_templates.insert(row.id, row.clone());
        t.append(events);
        Ok(())
    }

    async fn get_batch(&self, id: LetterBatchId) -> Result<LetterBatch, StoreError> {
        let t = self.tx().await?;
        let found = t.letter_batches.get(&id).cloned();
        found.ok_or(StoreError::NotFound("batch of letters"))
    }

    async fn batches_page(
        &self,
        client: Option<ClientId>,
        page: &PageRequest,
    ) -> Result<Page<LetterBatch>, StoreError> {
        let after: Option<LetterBatchId> = after(page)?;
        let t = self.tx().await?;
        let rows = t
            .letter_batches
            .values()
            .filter(|b| after.is_none_or(|a| b.id > a))
            .filter(|b| client.is_none_or(|c| b.client_id == c));
        Ok(cut(
            rows.cloned().collect(),
            page.limit,
            |b: &LetterBatch| b.id.to_string(),
        ))
    }

    async fn put_batch(&self, batch: &LetterBatch, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.letter_batches.insert(batch.id, batch.clone());
        t.append(events);
        Ok(())
    }

    async fn open_letter(
        &self,
        draft: &LetterDraft,
        judge: &dyn Judge,
    ) -> Result<LetterOpened, StoreError> {
        let mut t = self.tx().await?;
        let now = draft.action.now;
        let step = draft.of.as_ref().map(|(id, _)| t.planned_steps.get(id));
        let step = match step.map(Option::<&PlannedStep>::cloned) {
            Some(Some(step)) if step.state == PlannedState::Planned => Some(step),
            Some(_) => return Ok(LetterOpened::Had),
            None => None,
        };
        let opened = judged(&mut t, draft, step.as_ref(), judge)?;
        if matches!(opened, LetterOpened::Made) {
            if let Some((_, batch)) = &draft.of {
                let more = |b: &mut LetterBatch| {
                    b.total += 1;
                    b.done += 1;
                    b.made += 1;
                };
                t.letter_batches
                    .entry(batch.id)
                    .and_modify(more)
                    .or_insert_with(|| batch.clone());
            }
            t.letters.insert(draft.letter.id, draft.letter.clone());
            super::attempts::count(&mut t, std::slice::from_ref(&draft.ledger));
            t.append(&draft.events);
        }
        match (step, &opened) {
            (Some(step), LetterOpened::Stopped(why)) => cancel_step(&mut t, step.id, why, now),
            (Some(step), _) => {
                let after = step_after(&step, &opened, now);
                t.planned_steps.insert(step.id, after);
            }
            (None, _) => {}
        }
        Ok(opened)
    }

    async fn get_letter(&self, id: LetterId) -> Result<Letter, StoreError> {
        let t = self.tx().await?;
        t.letters
            .get(&id)
            .cloned()
            .ok_or(StoreError::NotFound("letter"))
    }

    async fn letters_of_batch(
        &self,
        batch: LetterBatchId,
        after: Option<LetterId>,
        limit: u32,
    ) -> Result<Vec<Letter>, StoreError> {
        let t = self.tx().await?;
        Ok(t.letters
            .values()
            .filter(|l| l.batch_id == batch && after.is_none_or(|a| l.id > a))
            .take(limit as usize)
            .cloned()
            .collect())
    }

    async fn letters_of(&self, debtor: DebtorId, limit: u32) -> Result<Vec<Letter>, StoreError> {
        let t = self.tx().await?;
        let of_debtor = t.letters.values().rev().filter(|l| l.debtor_id == debtor);
        Ok(of_debtor.take(limit as usize).cloned().collect())
    }
}
