//! Files on their way in.

use super::contacts::facts_of;
use super::import_rows::is_half;
use super::{MemoryStore, Tables, import_aside, merges};
use async_trait::async_trait;
use domain::entity::{Debt, DebtStatus, Debtor, Import, ImportMap, ImportState, Merge, Placement};
use domain::event::NewEvent;
use domain::ids::{
    ClientId, DebtId, DebtorId, ImportId, ImportMapId, MergeId, PersonId, PlacementId, PortfolioId,
};
use domain::ports::store::{
    ConsentsTaken, ContactFacts, DebtorRow, Duplicates, IMPORT_TURN_MS, ImportLeft, ImportReport,
    ImportStore, OpenDebt, PAGE_LIMIT_MAX, Page, PageRequest, PlacementCount, StoreError,
};
use domain::rules::consents::ConsentRow;
use domain::time::UtcMs;
use std::collections::{BTreeMap, BTreeSet};

/// A debtor without an open debt leaves the campaigns.
pub(super) fn end_items(t: &mut Tables, debtor: DebtorId) {
    let open = |d: &Debt| d.debtor_id == debtor && d.status == DebtStatus::Open;
    if t.debts.values().any(open) {
        return;
    }
    let items = t.items.values_mut();
    for item in items.filter(|i| i.debtor_id == debtor && !i.done) {
        item.done = true;
        "recalled".clone_into(&mut item.note);
    }
}

/// Files are kept; the way back is not, because nothing is kept of what stood there before.
#[async_trait]
impl ImportStore for MemoryStore {
    async fn put_import(&self, row: &Import, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        import_aside::enter(&mut t, row)?;
        t.imports.insert(row.id, row.clone());
        t.append(events);
        Ok(())
    }

    async fn get_import(&self, id: ImportId) -> Result<Import, StoreError> {
        let t = self.tx().await?;
        let found = t.imports.get(&id).cloned();
        found.ok_or(StoreError::NotFound("import"))
    }

    async fn take_import(
        &self,
        id: ImportId,
        worker: &str,
        now: UtcMs,
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let free = t
            .turns
            .get(&id)
            .is_none_or(|(who, until)| who == worker || *until <= now);
        if !free || !t.imports.contains_key(&id) {
            return Ok(false);
        }
        let until = now.plus_ms(IMPORT_TURN_MS);
        t.turns.insert(id, (worker.to_owned(), until));
        Ok(true)
    }

    async fn leave_import(&self, id: ImportId, worker: &str) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        if t.turns.get(&id).is_some_and(|(who, _)| who == worker) {
            t.turns.remove(&id);
        }
        Ok(())
    }

    async fn imports_page(
        &self,
        client: Option<ClientId>,
        portfolio: Option<PortfolioId>,
        page: &PageRequest,
    ) -> Result<Page<Import>, StoreError> {
        let t = self.tx().await?;
        let before: Option<ImportId> = match &page.cursor {
            Some(text) => Some(text.parse().map_err(|_| StoreError::NotFound("cursor"))?),
            None => None,
        };
        let own = |i: &&Import| {
            client.is_none_or(|c| c == i.client_id)
                && portfolio.is_none_or(|p| p == i.portfolio_id)
                && before.is_none_or(|b| i.id < b)
        };
        let limit = page.limit.clamp(1, PAGE_LIMIT_MAX) as usize;
        let mut items: Vec<Import> = t.imports.values().rev().filter(own).cloned().collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|i| i.id.to_string());
        Ok(Page { items, next_cursor })
    }

    async fn import_facts(
        &self,
        id: ImportId,
        every: u64,
        most: u32,
        now: UtcMs,
    ) -> Result<Vec<ContactFacts>, StoreError> {
        let t = self.tx().await?;
        let lines = t.import_lines.range((id, 0)..=(id, u64::MAX));
        let named = lines.filter(|((_, line), _)| line % every.max(1) == 0);
        let named: BTreeSet<DebtorId> = named.map(|(_, debtor)| *debtor).collect();
        let there = named.into_iter().filter(|id| t.debtors.contains_key(id));
        there
            .take(most as usize)
            .map(|id| facts_of(&t, id, now))
            .collect()
    }

    async fn later_import(&self, id: ImportId) -> Result<bool, StoreError> {
        let t = self.tx().await?;
        let row = t.imports.get(&id).ok_or(StoreError::NotFound("import"))?;
        let taken = |i: &Import| i.accepted_at.unwrap_or(i.at);
        Ok(t.imports.values().any(|other| {
            other.portfolio_id == row.portfolio_id
                && other.id != row.id
                && matches!(other.state, ImportState::Accepted | ImportState::Accepting)
                && taken(other) > taken(row)
        }))
    }

    async fn add_piece(&self, id: ImportId, n: i64, base64: &str) -> Result<(), StoreError> {
        self.tx().await?.pieces.insert((id, n), base64.to_owned());
        Ok(())
    }

    async fn piece(&self, id: ImportId, n: i64) -> Result<Option<String>, StoreError> {
        Ok(self.tx().await?.pieces.get(&(id, n)).cloned())
    }

    async fn drop_pieces(&self, id: ImportId) -> Result<(), StoreError> {
        self.tx().await?.pieces.retain(|(of, _), _| *of != id);
        Ok(())
    }

    async fn open_debts(
        &self,
        portfolio: PortfolioId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<OpenDebt>, StoreError> {
        let t = self.tx().await?;
        let ours = t.debts.values().filter(|d| {
            d.portfolio_id == portfolio
                && d.status == DebtStatus::Open
                && d.external_ref.as_str() > after
        });
        let mut found: Vec<OpenDebt> = ours
            .map(|d| OpenDebt {
                id: d.id,
                external_ref: d.external_ref.clone(),
            })
            .collect();
        found.sort_by(|a, b| a.external_ref.cmp(&b.external_ref));
        found.truncate(limit as usize);
        Ok(found)
    }

    async fn recall_debts(
        &self,
        _import: ImportId,
        debts: &[DebtId],
        at: UtcMs,
    ) -> Result<u64, StoreError> {
        let mut t = self.tx().await?;
        Ok(import_aside::recall(&mut t, debts, at))
    }

    async fn take_rows(
        &self,
        import: ImportId,
        rows: &[DebtorRow],
    ) -> Result<ImportReport, StoreError> {
        import_aside::take_rows(&mut *self.tx().await?, import, rows)
    }

    async fn import_left(&self, id: ImportId, now: UtcMs) -> Result<ImportLeft, StoreError> {
        let t = self.tx().await?;
        if !t.imports.contains_key(&id) {
            return Err(StoreError::NotFound("import"));
        }
        Ok(ImportLeft {
            at_work: t.turns.get(&id).is_some_and(|(_, until)| *until > now),
            waiting: import_aside::waiting(&t, id) as u64,
            shown: t.shown.get(&id).copied().unwrap_or(0),
        })
    }

    async fn take_consents(
        &self,
        import: ImportId,
        portfolio: PortfolioId,
        rows: &[ConsentRow],
        keeps: bool,
    ) -> Result<ConsentsTaken, StoreError> {
        let mut t = self.tx().await?;
        import_aside::take_consents(&mut t, import, portfolio, (rows, keeps))
    }

    async fn settle_rows(&self, _import: ImportId) -> Result<(), StoreError> {
        Ok(())
    }

    async fn recall_aside(
        &self,
        import: ImportId,
        debts: &[DebtId],
        first: bool,
    ) -> Result<(), StoreError> {
        import_aside::recall_aside(&mut *self.tx().await?, import, debts, first);
        Ok(())
    }

    async fn write_aside(&self, _import: ImportId, _now: UtcMs) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn import_map(
        &self,
        portfolio: PortfolioId,
        fingerprint: &str,
    ) -> Result<Option<ImportMap>, StoreError> {
        let t = self.tx().await?;
        let id = domain::entity::import_map_id(portfolio, fingerprint);
        Ok(t.import_maps.get(&id).cloned())
    }

    async fn import_maps(&self, portfolio: PortfolioId) -> Result<Vec<ImportMap>, StoreError> {
        let t = self.tx().await?;
        let own = t
            .import_maps
            .values()
            .filter(|m| m.portfolio_id == portfolio);
        let mut maps: Vec<ImportMap> = own.cloned().collect();
        maps.sort_by_key(|m| std::cmp::Reverse((m.used_at, m.id)));
        Ok(maps)
    }

    async fn get_import_map(&self, id: ImportMapId) -> Result<ImportMap, StoreError> {
        let t = self.tx().await?;
        let found = t.import_maps.get(&id).cloned();
        found.ok_or(StoreError::NotFound("column map"))
    }

    async fn put_import_map(&self, row: &ImportMap, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.import_maps.insert(row.id, row.clone());
        t.append(events);
        Ok(())
    }

    async fn drop_import_map(
        &self,
        id: ImportMapId,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.import_maps.remove(&id);
        t.append(events);
        Ok(())
    }

    async fn duplicates(
        &self,
        portfolio: PortfolioId,
        after: Option<PersonId>,
        limit: u32,
    ) -> Result<Vec<Duplicates>, StoreError> {
        let t = self.tx().await?;
        let mut by_person: BTreeMap<PersonId, Vec<&Debtor>> = BTreeMap::new();
        let ours = t.debtors.values().filter(|d| {
            d.portfolio_id == portfolio
                && !d.document.reveal().is_empty()
                && !t.merged_into.contains_key(&d.id)
                && !is_half(&t, d.id)
                && after.is_none_or(|a| d.person_id > a)
        });
        for debtor in ours {
            by_person.entry(debtor.person_id).or_default().push(debtor);
        }
        let several = by_person.into_iter().filter(|(_, files)| files.len() > 1);
        let found = several.take(limit as usize).map(|(person, mut files)| {
            files.sort_by_key(|d| (d.created_at, d.id));
            let debtors = files.iter().map(|d| d.id).collect();
            Duplicates { person, debtors }
        });
        Ok(found.collect())
    }

    async fn merge_debtors(&self, row: &Merge, events: &[NewEvent]) -> Result<Merge, StoreError> {
        let mut t = self.tx().await?;
        let done = merges::merge(&mut t, row)?;
        t.append(events);
        Ok(done)
    }

    async fn undo_merge(
        &self,
        id: MergeId,
        by: &str,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<Merge, StoreError> {
        let mut t = self.tx().await?;
        let row = t.merges.get(&id).cloned();
        let row = row.ok_or(StoreError::NotFound("merge"))?;
        let done = merges::undo(&mut t, row, by, now)?;
        t.append(events);
        Ok(done)
    }

    async fn get_merge(&self, id: MergeId) -> Result<Merge, StoreError> {
        let found = self.tx().await?.merges.get(&id).cloned();
        found.ok_or(StoreError::NotFound("merge"))
    }

    async fn merges_of(&self, debtor: DebtorId) -> Result<Vec<Merge>, StoreError> {
        let t = self.tx().await?;
        let of = |m: &&Merge| m.kept_id == debtor || m.gone_id == debtor;
        Ok(t.merges.values().rev().filter(of).cloned().collect())
    }

    async fn put_placement(&self, row: &Placement, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.placements.insert(row.id, row.clone());
        t.append(events);
        Ok(())
    }

    async fn get_placement(&self, id: PlacementId) -> Result<Placement, StoreError> {
        let t = self.tx().await?;
        let found = t.placements.get(&id).cloned();
        found.ok_or(StoreError::NotFound("placement"))
    }

    async fn placements_page(
        &self,
        client: Option<ClientId>,
        portfolio: Option<PortfolioId>,
        page: &PageRequest,
    ) -> Result<Page<Placement>, StoreError> {
        let t = self.tx().await?;
        let own = |p: &&Placement| {
            client.is_none_or(|c| c == p.client_id)
                && portfolio.is_none_or(|of| of == p.portfolio_id)
        };
        let rows = t.placements.values().rev().filter(own).cloned();
        let items = rows.take(page.limit.clamp(1, PAGE_LIMIT_MAX) as usize);
        Ok(Page {
            items: items.collect(),
            next_cursor: None,
        })
    }

    async fn placements_due(&self, day: &str, limit: u32) -> Result<Vec<Placement>, StoreError> {
        let t = self.tx().await?;
        let due = |p: &&Placement| {
            p.recalled_at.is_none() && p.recall_on.as_deref().is_some_and(|on| on <= day)
        };
        let mut found: Vec<Placement> = t.placements.values().filter(due).cloned().collect();
        found.sort_by(|a, b| (&a.recall_on, a.id).cmp(&(&b.recall_on, b.id)));
        found.truncate(limit as usize);
        Ok(found)
    }

    async fn placement_count(&self, id: PlacementId) -> Result<PlacementCount, StoreError> {
        let t = self.tx().await?;
        let placed = t.placed.iter().filter(|(_, of)| **of == id);
        let debts: Vec<&Debt> = placed.filter_map(|(debt, _)| t.debts.get(debt)).collect();
        let open = debts.iter().filter(|d| d.status == DebtStatus::Open);
        Ok(PlacementCount {
            debts: debts.len() as u64,
            open: open.count() as u64,
        })
    }

    async fn recall_placement(&self, id: PlacementId, at: UtcMs) -> Result<u64, StoreError> {
        let mut t = self.tx().await?;
        let placed = t.placed.iter().filter(|(_, of)| **of == id);
        let ids: Vec<DebtId> = placed.map(|(debt, _)| *debt).collect();
        Ok(import_aside::recall(&mut t, &ids, at))
    }
}
