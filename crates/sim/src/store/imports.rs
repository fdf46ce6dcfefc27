//! Files on their way in.

use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{
    Consent, ContactPoint, Debt, DebtStatus, Debtor, Import, ImportMap, ImportState, Merge, Party,
    Placement,
};
use domain::event::NewEvent;
use domain::ids::{
    ClientId, DebtId, DebtorId, ImportId, ImportMapId, MergeId, PersonId, PlacementId, PortfolioId,
};
use domain::ports::store::{
    DebtorRow, Duplicates, FieldChange, ImportReport, ImportStore, OpenDebt, PAGE_LIMIT_MAX, Page,
    PageRequest, PlacementCount, StoreError, debt_changes, debtor_changes, point_changes,
};
use domain::time::UtcMs;
use std::collections::BTreeMap;

/// Replaces `stored` when `fresh` differs in more than its stamps; says whether it did.
fn replace<T: PartialEq>(stored: &mut T, fresh: T, same: impl Fn(&T) -> T) -> bool {
    let changed = same(stored) != same(&fresh);
    if changed {
        *stored = fresh;
    }
    changed
}

/// Id of the debtor the row belongs to, and whether it was new or changed.
fn import_debtor(t: &mut Tables, row: &DebtorRow, report: &mut ImportReport) -> (DebtorId, bool) {
    let key = |d: &&mut Debtor| {
        d.portfolio_id == row.debtor.portfolio_id && d.external_ref == row.debtor.external_ref
    };
    let Some(stored) = t.debtors.values_mut().find(key) else {
        t.debtors.insert(row.debtor.id, row.debtor.clone());
        report.debtors_new += 1;
        return (row.debtor.id, true);
    };
    let fresh = Debtor {
        id: stored.id,
        created_at: stored.created_at,
        // What the debtor told us himself is not in a client's file.
        told_zone: row.debtor.told_zone.clone().or(stored.told_zone.clone()),
        told_zone_at: row.debtor.told_zone_at.or(stored.told_zone_at),
        ..row.debtor.clone()
    };
    let stamp = |d: &Debtor| Debtor {
        updated_at: UtcMs(0),
        ..d.clone()
    };
    note(report, row, debtor_changes(stored, &fresh));
    let id = stored.id;
    (id, replace(stored, fresh, stamp))
}

/// Notes what a row changes.
fn note(report: &mut ImportReport, row: &DebtorRow, found: Vec<(&'static str, String, String)>) {
    for (field, before, after) in found {
        report.change(FieldChange {
            row: row.line,
            debt_ref: row.debt.external_ref.clone(),
            field: field.to_owned(),
            before,
            after,
        });
    }
}

/// Id of the debt, and whether it was new or changed. A debt that was paid or recalled is not opened
/// again by a file: only the amounts follow it.
fn import_debt(
    t: &mut Tables,
    row: &DebtorRow,
    debtor: DebtorId,
    report: &mut ImportReport,
) -> (DebtId, bool) {
    let key = |d: &&mut Debt| {
        d.portfolio_id == row.debt.portfolio_id && d.external_ref == row.debt.external_ref
    };
    let mut fresh = Debt {
        debtor_id: debtor,
        ..row.debt.clone()
    };
    let Some(stored) = t.debts.values_mut().find(key) else {
        t.debts.insert(fresh.id, fresh);
        report.debts_new += 1;
        return (row.debt.id, true);
    };
    fresh.id = stored.id;
    fresh.created_at = stored.created_at;
    if fresh.status == DebtStatus::Open {
        fresh.status = stored.status;
    }
    // Nothing is owed any more, the client says.
    if stored.status == DebtStatus::Open && stored.balance_minor() > 0 && fresh.balance_minor() == 0
    {
        fresh.status = DebtStatus::Paid;
        report.paid += 1;
    }
    note(report, row, debt_changes(stored, &fresh));
    let stamp = |d: &Debt| Debt {
        updated_at: UtcMs(0),
        ..d.clone()
    };
    let (id, changed) = (stored.id, replace(stored, fresh, stamp));
    report.debts_changed += u64::from(changed);
    (id, changed)
}

/// Points, parties and consents; whether any was new or changed.
fn import_around(
    t: &mut Tables,
    row: &DebtorRow,
    (debtor, debt): (DebtorId, DebtId),
    report: &mut ImportReport,
) -> bool {
    let mut changed = false;
    for point in &row.points {
        let mut fresh = ContactPoint {
            debtor_id: debtor,
            ..point.clone()
        };
        let same = |p: &&mut ContactPoint| p.debtor_id == debtor && p.value == point.value;
        if let Some(stored) = t.points.values_mut().find(same) {
            // What calls have proved stays: a file does not make a wrong number right.
            fresh.id = stored.id;
            fresh.bad = stored.bad;
            fresh.last_rpc_at = stored.last_rpc_at;
            fresh.added_at = stored.added_at;
            note(report, row, point_changes(stored, &fresh));
            changed |= replace(stored, fresh, Clone::clone);
        } else {
            t.points.insert(fresh.id, fresh);
            report.points_new += 1;
            changed = true;
        }
    }
    for party in &row.parties {
        let fresh = Party {
            debtor_id: debtor,
            debt_id: debt,
            ..party.clone()
        };
        let same = |p: &Party| p.debt_id == debt && p.role == party.role && p.name == party.name;
        if !t.parties.values().any(same) {
            t.parties.insert(fresh.id, fresh);
            changed = true;
        }
    }
    for consent in &row.consents {
        let fresh = Consent {
            debtor_id: debtor,
            ..consent.clone()
        };
        let same = |c: &Consent| {
            c.debtor_id == debtor
                && c.channel == consent.channel
                && c.purpose == consent.purpose
                && c.proof == consent.proof
        };
        if !t.consents.values().any(same) {
            t.consents.insert(fresh.id, fresh);
            changed = true;
        }
    }
    changed
}

pub(super) fn import_rows(t: &mut Tables, rows: &[DebtorRow]) -> ImportReport {
    let mut report = ImportReport {
        rows: rows.len() as u64,
        ..ImportReport::default()
    };
    for row in rows {
        let before = report.debtors_new;
        if let Some(score) = row.score {
            let known = t.debtors.values().find(|d| {
                d.portfolio_id == row.debtor.portfolio_id
                    && d.external_ref == row.debtor.external_ref
            });
            let id = known.map_or(row.debtor.id, |d| d.id);
            t.scores.insert(id, score);
        }
        let (debtor, own) = import_debtor(t, row, &mut report);
        let (debt, debt_changed) = import_debt(t, row, debtor, &mut report);
        let around = import_around(t, row, (debtor, debt), &mut report);
        if (own || around) && report.debtors_new == before {
            report.debtors_changed += 1;
        }
        if !(own || debt_changed || around) {
            report.unchanged += 1;
        }
    }
    report
}

/// Files are kept; the way back is not, because nothing is kept of what stood there before.
#[async_trait]
impl ImportStore for MemoryStore {
    async fn put_import(&self, row: &Import, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.imports.insert(row.id, row.clone());
        t.append(events);
        Ok(())
    }

    async fn get_import(&self, id: ImportId) -> Result<Import, StoreError> {
        let t = self.tx().await?;
        let found = t.imports.get(&id).cloned();
        found.ok_or(StoreError::NotFound("import"))
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
        let mut recalled = 0;
        for id in debts {
            let open = t.debts.get_mut(id).filter(|d| d.status == DebtStatus::Open);
            if let Some(debt) = open {
                debt.status = DebtStatus::Recalled;
                debt.updated_at = at;
                recalled += 1;
            }
        }
        Ok(recalled)
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

    async fn get_merge(&self, _id: MergeId) -> Result<Merge, StoreError> {
        Err(StoreError::NotFound("merge"))
    }

    async fn merges_of(&self, _debtor: DebtorId) -> Result<Vec<Merge>, StoreError> {
        Ok(Vec::new())
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

    async fn placement_count(&self, _id: PlacementId) -> Result<PlacementCount, StoreError> {
        Ok(PlacementCount::default())
    }
}
