//! One batch of a portfolio file, row by row.

use super::Tables;
use domain::entity::{
    Consent, ContactPoint, Debt, DebtStatus, Debtor, Import, ImportState, Party, PartyRole,
};
use domain::ids::{DebtId, DebtorId, ImportId};
use domain::ports::store::{
    DebtorRow, FieldChange, ImportReport, StoreError, debt_changes, debtor_changes, item_changes,
    point_changes,
};
use domain::time::UtcMs;

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
    if let Some(kept) = t.merged_into.get(&stored.id) {
        return (*kept, false);
    }
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
    let key = |d: &&Debt| {
        d.portfolio_id == row.debt.portfolio_id && d.external_ref == row.debt.external_ref
    };
    let mut fresh = Debt {
        debtor_id: debtor,
        ..row.debt.clone()
    };
    let known = t.debts.values().find(key).cloned();
    if let Some(known) = &known {
        fresh.id = known.id;
    }
    // Before interest: it counts from the date that holds.
    let (stood, items) = super::due_items::import(t, row, &mut fresh);
    if let Some(known) = &known {
        let book = super::interest::book_of(t, known);
        let accrual = book.keep(known, &mut fresh, row.debt.updated_at);
        t.accruals.extend(accrual.map(|a| (a.debt_id, a)));
    }
    let Some(stored) = known.and_then(|d| t.debts.get_mut(&d.id)) else {
        t.debts.insert(fresh.id, fresh);
        report.debts_new += 1;
        return (row.debt.id, true);
    };
    fresh.id = stored.id;
    fresh.created_at = stored.created_at;
    fresh.keep_known(stored);
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
    let listed = stood != items;
    note(
        report,
        row,
        item_changes(&stood, &items).into_iter().collect(),
    );
    let stamp = |d: &Debt| Debt {
        updated_at: UtcMs(0),
        ..d.clone()
    };
    let (id, changed) = (stored.id, replace(stored, fresh, stamp) || listed);
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
            fresh.keep_proved(stored);
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
            report.parties_new += u64::from(fresh.role != PartyRole::Titular);
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
    if let Some(said) = &row.address {
        changed |= super::interest::import_address(t, said, debtor);
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

/// The same for the rows of a file, of which is kept whom each line made or changed.
pub(super) fn write_rows(t: &mut Tables, import: ImportId, rows: &[DebtorRow]) -> ImportReport {
    let mut report = ImportReport::default();
    for row in rows {
        let one = import_rows(t, std::slice::from_ref(row));
        let his = |d: &&Debtor| {
            d.portfolio_id == row.debtor.portfolio_id && d.external_ref == row.debtor.external_ref
        };
        let id = t.debtors.values().find(his).map(|d| d.id);
        if let Some(id) = id.filter(|_| one.unchanged == 0) {
            let kept = t.merged_into.get(&id).copied().unwrap_or(id);
            t.import_lines.insert((import, row.line), kept);
        }
        report.add(&one);
    }
    report
}

/// Whether a file is half in the portfolio: what it made counts for nobody yet.
pub(super) fn is_half(t: &Tables, debtor: DebtorId) -> bool {
    let half = |i: &Import| matches!(i.state, ImportState::Accepting | ImportState::Undoing);
    let import = t.made_by.get(&debtor).and_then(|id| t.imports.get(id));
    import.is_some_and(half)
}

/// Takes a batch of a kept file when it is its turn: the file is being accepted, and its rows come after those
/// that are written.
pub(super) fn take_batch(
    t: &mut Tables,
    import: ImportId,
    rows: &[DebtorRow],
) -> Result<(), StoreError> {
    take_lines(t, import, rows.iter().map(|r| r.line))
}

/// As [`take_batch`], of lines.
pub(super) fn take_lines(
    t: &mut Tables,
    import: ImportId,
    lines: impl Iterator<Item = u64> + Clone,
) -> Result<(), StoreError> {
    let Some(row) = t.imports.get_mut(&import).filter(|row| row.bytes > 0) else {
        return Ok(());
    };
    let line = |n: Option<u64>| i64::try_from(n.unwrap_or(0)).unwrap_or(i64::MAX);
    let first = line(lines.clone().min());
    if row.state != ImportState::Accepting || first <= row.rows_done {
        return Err(StoreError::Conflict(
            "the file is another's to write by now".to_owned(),
        ));
    }
    row.rows_done = line(lines.max());
    Ok(())
}

/// Debtors and debts of a batch that are not there yet.
pub(super) fn strangers(t: &Tables, rows: &[DebtorRow]) -> (Vec<DebtorId>, Vec<DebtId>) {
    let debtors = rows.iter().map(|r| r.debtor.id);
    let debts = rows.iter().map(|r| r.debt.id);
    (
        debtors.filter(|id| !t.debtors.contains_key(id)).collect(),
        debts.filter(|id| !t.debts.contains_key(id)).collect(),
    )
}

/// Notes which file made those of them who are there now, and the placement of its new debts.
pub(super) fn note_made(
    t: &mut Tables,
    import: ImportId,
    (debtors, debts): (Vec<DebtorId>, Vec<DebtId>),
) {
    for id in debtors {
        if t.debtors.contains_key(&id) {
            t.made_by.insert(id, import);
        }
    }
    let placement = t.imports.get(&import).and_then(|i| i.placement_id);
    for id in debts {
        if let Some(placement) = placement.filter(|_| t.debts.contains_key(&id)) {
            t.placed.insert(id, placement);
        }
    }
}
