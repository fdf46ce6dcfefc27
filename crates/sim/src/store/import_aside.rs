//! Rows of a kept file: who is new is written at once, for he counts for nobody yet; what changes what others
//! see waits for the row that says that the file is in.

use super::Tables;
use super::import_rows::{import_rows, note_made, strangers, take_batch, take_lines, write_rows};
use super::imports::end_items;
use super::interest::book;
use domain::entity::dnc::listed_form;
use domain::entity::{DebtStatus, Import, ImportState, SuppressionKind};
use domain::ids::{DebtId, DebtorId, ImportId, PortfolioId};
use domain::ports::store::{ConsentsTaken, DebtorRow, ImportReport, StoreError};
use domain::rules::consents::{ConsentBook, ConsentDebtor, ConsentRow};
use domain::time::UtcMs;
use std::collections::BTreeSet;

/// What waits.
#[derive(Debug, Clone)]
pub(crate) enum Aside {
    Rows(Vec<DebtorRow>),
    Recall(Vec<DebtId>),
    Consents(Vec<ConsentRow>),
}

impl Aside {
    fn len(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.len(),
            Self::Recall(debts) => debts.len(),
            Self::Consents(rows) => rows.len(),
        }
    }
}

/// A dry run is the same import on copies of the tables it touches.
pub(super) fn copy_of(t: &Tables) -> Tables {
    Tables {
        debtors: t.debtors.clone(),
        debts: t.debts.clone(),
        debt_items: t.debt_items.clone(),
        parties: t.parties.clone(),
        points: t.points.clone(),
        consents: t.consents.clone(),
        addresses: t.addresses.clone(),
        portfolios: t.portfolios.clone(),
        holds: t.holds.clone(),
        interest_rules: t.interest_rules.clone(),
        accruals: t.accruals.clone(),
        merged_into: t.merged_into.clone(),
        ..Tables::default()
    }
}

/// Whether a row is about a debtor, or about a debt of one, whom others see already.
fn is_seen(t: &Tables, import: ImportId, row: &DebtorRow) -> bool {
    let seen = |id: &DebtorId| t.made_by.get(id) != Some(&import);
    let debtor = t.debtors.values().any(|d| {
        d.portfolio_id == row.debtor.portfolio_id
            && d.external_ref == row.debtor.external_ref
            && seen(&d.id)
    });
    debtor
        || t.debts.values().any(|d| {
            d.portfolio_id == row.debt.portfolio_id
                && d.external_ref == row.debt.external_ref
                && seen(&d.debtor_id)
        })
}

pub(super) fn take_rows(
    t: &mut Tables,
    import: ImportId,
    rows: &[DebtorRow],
) -> Result<ImportReport, StoreError> {
    take_batch(t, import, rows)?;
    let (aside, now): (Vec<DebtorRow>, Vec<DebtorRow>) = rows
        .iter()
        .cloned()
        .partition(|row| is_seen(t, import, row));
    let mut report = import_rows(&mut copy_of(t), &aside);
    let who = strangers(t, &now);
    report.add(&write_rows(t, import, &now));
    note_made(t, import, who);
    if let Some(row) = t.imports.get_mut(&import) {
        row.report.add(&report);
    }
    if !aside.is_empty() {
        t.aside.push((import, Aside::Rows(aside)));
    }
    Ok(report)
}

pub(super) fn recall_aside(t: &mut Tables, import: ImportId, debts: &[DebtId], first: bool) {
    if first {
        let rows =
            |(of, what): &(ImportId, Aside)| *of != import || !matches!(what, Aside::Recall(_));
        t.aside.retain(rows);
    }
    if !debts.is_empty() {
        t.aside.push((import, Aside::Recall(debts.to_vec())));
    }
}

/// How many rows wait.
pub(super) fn waiting(t: &Tables, import: ImportId) -> usize {
    let own = t.aside.iter().filter(|(of, _)| *of == import);
    own.map(|(_, what)| what.len()).sum()
}

/// Recalls debts that are open; how many.
pub(super) fn recall(t: &mut Tables, debts: &[DebtId], at: UtcMs) -> u64 {
    let mut debtors = Vec::new();
    for id in debts {
        if t.debts.get(id).is_none_or(|d| d.status != DebtStatus::Open) {
            continue;
        }
        book(t, *id, at);
        if let Some(debt) = t.debts.get_mut(id) {
            debt.status = DebtStatus::Recalled;
            debt.updated_at = at;
            debtors.push(debt.debtor_id);
        }
    }
    for debtor in &debtors {
        end_items(t, *debtor);
    }
    debtors.len() as u64
}

/// Whoever waited because he was refused may be looked at again.
fn due_again(t: &mut Tables, debtor: DebtorId, now: UtcMs) {
    for item in t.items.values_mut().filter(|i| i.debtor_id == debtor) {
        if !item.done && item.note.starts_with("blocked_") && item.next_at > now {
            item.next_at = now;
        }
    }
}

/// Writes the first of what waits; false when there is none.
pub(super) fn write_one(t: &mut Tables, import: ImportId, now: UtcMs) -> bool {
    let Some(at) = t.aside.iter().position(|(of, _)| *of == import) else {
        return false;
    };
    let seen = match t.aside.remove(at).1 {
        Aside::Recall(debts) => recall(t, &debts, now),
        Aside::Consents(rows) => {
            if let Some(portfolio) = t.imports.get(&import).map(|i| i.portfolio_id) {
                let book = applied(consent_book(t, portfolio), &rows);
                for consent in book.consents.into_values().flatten() {
                    if t.consents.get(&consent.id) != Some(&consent) {
                        due_again(t, consent.debtor_id, now);
                    }
                    t.consents.insert(consent.id, consent);
                }
            }
            let named: BTreeSet<&ConsentDebtor> = rows.iter().map(|r| &r.debtor).collect();
            named.len() as u64
        }
        Aside::Rows(rows) => {
            let who = strangers(t, &rows);
            write_rows(t, import, &rows);
            note_made(t, import, who);
            let named: BTreeSet<&str> = rows
                .iter()
                .map(|r| r.debtor.external_ref.as_str())
                .collect();
            named.len() as u64
        }
    };
    *t.shown.entry(import).or_default() += seen;
    true
}

/// The debtors of a portfolio as files of consents name them, with what is known of their consents.
fn consent_book(t: &Tables, portfolio: PortfolioId) -> ConsentBook {
    let mut book = ConsentBook::default();
    for debtor in t.debtors.values().filter(|d| d.portfolio_id == portfolio) {
        let id = t.merged_into.get(&debtor.id).copied().unwrap_or(debtor.id);
        let document = listed_form(SuppressionKind::Document, debtor.document.reveal());
        for name in [
            ConsentDebtor::Ref(debtor.external_ref.clone()),
            ConsentDebtor::Document(document),
        ] {
            let of = book.debtors.entry(name).or_default();
            if !of.contains(&id) {
                of.push(id);
            }
        }
    }
    for consent in t.consents.values() {
        let of = book.consents.entry(consent.debtor_id).or_default();
        of.push(consent.clone());
    }
    book
}

fn applied(mut book: ConsentBook, rows: &[ConsentRow]) -> ConsentBook {
    for row in rows {
        // Whose debtor is gone meanwhile is passed over.
        let _ = book.take(row, &mut ImportReport::default());
    }
    book
}

pub(super) fn take_consents(
    t: &mut Tables,
    import: ImportId,
    portfolio: PortfolioId,
    (rows, keeps): (&[ConsentRow], bool),
) -> Result<ConsentsTaken, StoreError> {
    let mut book = consent_book(t, portfolio);
    let mut done = ConsentsTaken::default();
    done.report.rows = rows.len() as u64;
    let mut taken = Vec::new();
    for row in rows {
        match book.take(row, &mut done.report) {
            Ok(_) => taken.push(row.clone()),
            Err(fault) => done.faults.push(fault),
        }
    }
    if keeps {
        take_lines(t, import, rows.iter().map(|r| r.line))?;
        if let Some(row) = t.imports.get_mut(&import) {
            row.report.add(&done.report);
        }
        t.aside.push((import, Aside::Consents(taken)));
    }
    Ok(done)
}

/// A file's row is written: one file of a portfolio at a time is half in it, and with the word that it is in
/// comes all that waits.
pub(super) fn enter(t: &mut Tables, row: &Import) -> Result<(), StoreError> {
    let half = |i: &Import| matches!(i.state, ImportState::Accepting | ImportState::Undoing);
    if half(row) {
        let other = |i: &&Import| i.portfolio_id == row.portfolio_id && i.id != row.id && half(i);
        if let Some(other) = t.imports.values().find(other) {
            return Err(StoreError::Conflict(format!(
                "file {} is half in the portfolio: accept it again, or take it back first",
                other.id
            )));
        }
    }
    if row.state == ImportState::Accepted {
        let stored = t.imports.get(&row.id).map(|i| i.state);
        if let Some(ImportState::Undoing | ImportState::Undone | ImportState::Discarded) = stored {
            return Err(StoreError::Conflict(
                "the file is another's to write by now".to_owned(),
            ));
        }
        while write_one(t, row.id, row.accepted_at.unwrap_or(row.at)) {}
    }
    Ok(())
}
