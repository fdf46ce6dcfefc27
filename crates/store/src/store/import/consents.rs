//! Files of consents: held against what is stored, kept aside, and written in the transaction that says that the
//! file is in.

use super::super::import_write::{Batch, keep_before, note};
use super::super::items::lock_persons;
use super::super::merges::where_to;
use super::Before;
use super::aside::{keep, text};
use crate::sql::{Field, Link, vals};
use crate::store::SqlStore;
use domain::entity::{Consent, Debtor, Import};
use domain::ids::{ConsentId, DebtorId, ImportId, PersonId, PortfolioId};
use domain::ports::StoreError;
use domain::ports::store::{ConsentsTaken, ImportReport};
use domain::rules::consents::{ConsentBook, ConsentDebtor, ConsentRow};
use domain::time::UtcMs;
use std::collections::BTreeMap;

/// Debtors by the names that rows give them.
type Files = BTreeMap<ConsentDebtor, Vec<DebtorId>>;

/// The debtors that the rows name, each with the file that holds his consents.
async fn debtors(
    tx: &mut Link,
    portfolio: PortfolioId,
    rows: &[ConsentRow],
) -> Result<(Files, Vec<(ConsentDebtor, PersonId)>), StoreError> {
    let (mut refs, mut documents) = (Vec::new(), Vec::new());
    for row in rows {
        match &row.debtor {
            ConsentDebtor::Ref(key) => refs.push(key.clone()),
            ConsentDebtor::Document(form) => documents.push(form.clone()),
        }
    }
    let fixed = vals![portfolio];
    let within = " AND portfolio_id=$1";
    let mut found: Vec<(ConsentDebtor, DebtorId)> = Vec::new();
    let mut persons = Vec::new();
    for debtor in tx
        .all_in::<Debtor, _>("external_ref", &refs, within, &fixed)
        .await?
    {
        let name = ConsentDebtor::Ref(debtor.external_ref);
        persons.push((name.clone(), debtor.person_id));
        found.push((name, debtor.id));
    }
    let sql = "SELECT id, person_id, listed_form FROM debtors WHERE listed_form";
    for row in &tx.rows_in(sql, &documents, within, &fixed).await? {
        let form = ConsentDebtor::Document(row.get("listed_form")?);
        persons.push((form.clone(), row.get("person_id")?));
        found.push((form, row.get("id")?));
    }
    let ids: Vec<DebtorId> = found.iter().map(|(_, id)| *id).collect();
    let merged = where_to(tx, &ids).await?;
    let mut all: BTreeMap<ConsentDebtor, Vec<DebtorId>> = BTreeMap::new();
    for (name, id) in found {
        let of = all.entry(name).or_default();
        let id = merged.get(&id).copied().unwrap_or(id);
        if !of.contains(&id) {
            of.push(id);
        }
    }
    Ok((all, persons))
}

/// What is stored of the rows; `keeps`: it is going to be written, and the persons are taken.
async fn book(
    tx: &mut Link,
    portfolio: PortfolioId,
    (rows, keeps): (&[ConsentRow], bool),
) -> Result<ConsentBook, StoreError> {
    let (debtors, persons) = debtors(tx, portfolio, rows).await?;
    if keeps && !tx.pg_only("pg").is_empty() {
        lock_persons(tx, persons.into_iter().map(|(_, person)| person)).await?;
    }
    let ids: Vec<DebtorId> = debtors.values().flatten().copied().collect();
    let mut consents: BTreeMap<DebtorId, Vec<Consent>> = BTreeMap::new();
    for consent in tx.all_in::<Consent, _>("debtor_id", &ids, "", &[]).await? {
        consents.entry(consent.debtor_id).or_default().push(consent);
    }
    Ok(ConsentBook { debtors, consents })
}

/// Persons of the rows, who are taken before they are written.
pub(super) async fn persons(
    tx: &mut Link,
    portfolio: PortfolioId,
    rows: &[ConsentRow],
) -> Result<Vec<(ConsentDebtor, PersonId)>, StoreError> {
    Ok(debtors(tx, portfolio, rows).await?.1)
}

/// Whoever waited because he was refused may be looked at again: what he was refused for may be allowed now.
async fn due_again(tx: &mut Link, debtors: &[DebtorId], now: UtcMs) -> Result<(), StoreError> {
    let sql = "UPDATE campaign_items SET next_at=$1, awake=FALSE WHERE NOT done AND next_at>$1 \
        AND substr(note,1,8)='blocked_' AND debtor_id";
    tx.run_in(sql, debtors, "", &[now.val()]).await.map(drop)
}

/// Writes rows that were kept aside. One whose debtor is gone meanwhile is passed over.
pub(super) async fn write(
    tx: &mut Link,
    import: ImportId,
    rows: &[ConsentRow],
    now: UtcMs,
) -> Result<(), StoreError> {
    let portfolio = tx.get::<Import>(import).await?.portfolio_id;
    let mut book = book(tx, portfolio, (rows, true)).await?;
    let mut before: BTreeMap<DebtorId, (u64, Before)> = BTreeMap::new();
    let mut touched: BTreeMap<ConsentId, DebtorId> = BTreeMap::new();
    for row in rows {
        let mut report = ImportReport::default();
        let Ok((debtor, applied)) = book.take(row, &mut report) else {
            continue;
        };
        if applied.is_nothing() {
            continue;
        }
        let image = before.entry(debtor);
        let (_, image) = image.or_insert_with(|| (row.line, Before::default()));
        for stood in applied.changed {
            let known = touched.insert(stood.id, debtor).is_some();
            if !known {
                image.consents.push(stood);
            }
        }
        if let Some(made) = applied.made {
            touched.insert(made, debtor);
            image.new_consents.push(made);
        }
    }
    let fresh: Vec<Consent> = book
        .consents
        .into_values()
        .flatten()
        .filter(|c| touched.contains_key(&c.id))
        .collect();
    tx.put_all(&fresh).await?;
    let debtors: Vec<DebtorId> = before.keys().copied().collect();
    due_again(tx, &debtors, now).await?;
    let image = |(debtor, (line, before)): (DebtorId, (u64, Before))| {
        let line = i64::try_from(line).unwrap_or(i64::MAX);
        (line, debtor, before.text())
    };
    let images: Vec<_> = before.into_iter().map(image).collect();
    keep_before(tx, import, &images).await
}

impl SqlStore {
    pub(in crate::store) async fn hold_consents(
        &self,
        import: ImportId,
        portfolio: PortfolioId,
        (rows, keeps): (&[ConsentRow], bool),
    ) -> Result<ConsentsTaken, StoreError> {
        let mut tx = match keeps {
            true => self.write().await?,
            false => self.snapshot().await?,
        };
        let mut book = book(&mut tx, portfolio, (rows, false)).await?;
        let mut done = ConsentsTaken::default();
        let mut taken: Vec<&ConsentRow> = Vec::new();
        for row in rows {
            match book.take(row, &mut done.report) {
                Ok(_) => taken.push(row),
                Err(fault) => done.faults.push(fault),
            }
        }
        done.report.rows = rows.len() as u64;
        let lines = rows.iter().map(|r| r.line);
        let Some((first, last)) = lines.clone().min().zip(lines.max()).filter(|_| keeps) else {
            tx.rollback().await?;
            return Ok(done);
        };
        let row: Import = tx.get(import).await?;
        let batch = Batch::lines(&row, (first, last));
        note(&mut tx, import, &batch, &done.report, None).await?;
        if !taken.is_empty() {
            let body = (taken.len(), text(&taken)?);
            keep(&mut tx, import, (batch.done, "consents"), body).await?;
        }
        tx.commit().await?;
        Ok(done)
    }
}
