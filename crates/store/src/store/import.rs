//! One batch of a portfolio file: what is stored is read in five statements, compared in memory, and
//! what is new or changed is written in as few.

use super::events::append;
use super::{SqlStore, sums};
use crate::sql::{Link, vals};
use domain::entity::{Channel, Consent, ContactPoint, Debt, DebtStatus, Debtor, Party, PartyRole};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtId, DebtorId, ImportId, PersonId, PortfolioId};
use domain::ports::StoreError;
use domain::ports::store::{DebtorRow, ImportReport};
use domain::time::UtcMs;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

type Key = (PortfolioId, String);

/// What is stored of the debtors a batch names, and what the batch makes of it.
#[derive(Default)]
struct Work {
    debtors: HashMap<Key, Debtor>,
    debts: HashMap<Key, Debt>,
    points: HashMap<(DebtorId, String), ContactPoint>,
    parties: HashSet<(DebtId, PartyRole, String)>,
    consents: HashSet<(DebtorId, Channel, String, String)>,
    out: Written,
    report: ImportReport,
}

/// Rows to write.
#[derive(Default)]
struct Written {
    debtors: BTreeMap<DebtorId, Debtor>,
    debts: BTreeMap<DebtId, Debt>,
    points: BTreeMap<(DebtorId, String), ContactPoint>,
    parties: Vec<Party>,
    consents: Vec<Consent>,
    touched: BTreeSet<DebtorId>,
}

/// Reads what is stored of everything the rows name.
async fn stored(link: &mut Link, rows: &[DebtorRow]) -> Result<Work, StoreError> {
    let mut work = Work::default();
    let mut refs: BTreeMap<PortfolioId, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for row in rows {
        let (debtors, debts) = refs.entry(row.debtor.portfolio_id).or_default();
        debtors.insert(row.debtor.external_ref.clone());
        debts.insert(row.debt.external_ref.clone());
    }
    for (portfolio, (debtors, debts)) in refs {
        let (within, fixed) = (" AND portfolio_id=$1", vals![portfolio]);
        let debtors: Vec<String> = debtors.into_iter().collect();
        let debts: Vec<String> = debts.into_iter().collect();
        let found: Vec<Debtor> = link
            .all_in("external_ref", &debtors, within, &fixed)
            .await?;
        work.debtors.extend(
            found
                .into_iter()
                .map(|d| ((portfolio, d.external_ref.clone()), d)),
        );
        let found: Vec<Debt> = link.all_in("external_ref", &debts, within, &fixed).await?;
        work.debts.extend(
            found
                .into_iter()
                .map(|d| ((portfolio, d.external_ref.clone()), d)),
        );
    }
    let ids: Vec<DebtorId> = work.debtors.values().map(|d| d.id).collect();
    let debts: Vec<DebtId> = work.debts.values().map(|d| d.id).collect();
    let points: Vec<ContactPoint> = link.all_in("debtor_id", &ids, "", &[]).await?;
    let place = |p: &ContactPoint| (p.debtor_id, p.value.reveal().clone());
    work.points = points.into_iter().map(|p| (place(&p), p)).collect();
    let parties: Vec<Party> = link.all_in("debt_id", &debts, "", &[]).await?;
    work.parties = parties.iter().map(party_key).collect();
    let consents: Vec<Consent> = link.all_in("debtor_id", &ids, "", &[]).await?;
    work.consents = consents.iter().map(consent_key).collect();
    Ok(work)
}

fn party_key(p: &Party) -> (DebtId, PartyRole, String) {
    (p.debt_id, p.role, p.name.reveal().clone())
}

fn consent_key(c: &Consent) -> (DebtorId, Channel, String, String) {
    (c.debtor_id, c.channel, c.purpose.clone(), c.proof.clone())
}

impl Work {
    fn take(&mut self, row: &DebtorRow) {
        let before = self.report.debtors_new;
        let (debtor, own) = self.debtor(row);
        let (debt, debt_changed) = self.debt(row, debtor);
        let around =
            self.points(row, debtor) | self.parties(row, debtor, debt) | self.consents(row, debtor);
        if (own || around) && self.report.debtors_new == before {
            self.report.debtors_changed += 1;
        }
        if own || debt_changed || around {
            self.out.touched.insert(debtor);
        } else {
            self.report.unchanged += 1;
        }
    }

    /// Id of the debtor, and whether he was new or changed.
    fn debtor(&mut self, row: &DebtorRow) -> (DebtorId, bool) {
        let key = (row.debtor.portfolio_id, row.debtor.external_ref.clone());
        let mut fresh = row.debtor.clone();
        match self.debtors.get(&key) {
            Some(stored) => {
                fresh.id = stored.id;
                fresh.created_at = stored.created_at;
                // What the debtor told us himself is not in a client's file.
                fresh.told_zone = fresh.told_zone.or_else(|| stored.told_zone.clone());
                fresh.told_zone_at = fresh.told_zone_at.or(stored.told_zone_at);
                let same = Debtor {
                    updated_at: stored.updated_at,
                    ..fresh.clone()
                };
                if same == *stored {
                    return (stored.id, false);
                }
            }
            None => self.report.debtors_new += 1,
        }
        let id = fresh.id;
        self.out.debtors.insert(id, fresh.clone());
        self.debtors.insert(key, fresh);
        (id, true)
    }

    /// Id of the debt, and whether it was new or changed. A debt that was paid or recalled is not opened
    /// again by a file: only the amounts follow it.
    fn debt(&mut self, row: &DebtorRow, debtor: DebtorId) -> (DebtId, bool) {
        let key = (row.debt.portfolio_id, row.debt.external_ref.clone());
        let mut fresh = Debt {
            debtor_id: debtor,
            ..row.debt.clone()
        };
        match self.debts.get(&key) {
            Some(stored) => {
                fresh.id = stored.id;
                fresh.created_at = stored.created_at;
                if fresh.status == DebtStatus::Open {
                    fresh.status = stored.status;
                }
                let same = Debt {
                    updated_at: stored.updated_at,
                    ..fresh.clone()
                };
                if same == *stored {
                    return (stored.id, false);
                }
                self.out.touched.insert(stored.debtor_id);
                self.report.debts_changed += 1;
            }
            None => self.report.debts_new += 1,
        }
        let id = fresh.id;
        self.out.debts.insert(id, fresh.clone());
        self.debts.insert(key, fresh);
        (id, true)
    }

    fn points(&mut self, row: &DebtorRow, debtor: DebtorId) -> bool {
        let mut changed = false;
        for point in &row.points {
            let key = (debtor, point.value.reveal().clone());
            let mut fresh = ContactPoint {
                debtor_id: debtor,
                ..point.clone()
            };
            match self.points.get(&key) {
                Some(stored) => {
                    // What calls have proved stays: a file does not make a wrong number right.
                    fresh.id = stored.id;
                    fresh.bad = stored.bad;
                    fresh.last_rpc_at = stored.last_rpc_at;
                    if fresh == *stored {
                        continue;
                    }
                }
                None => self.report.points_new += 1,
            }
            changed = true;
            self.out.points.insert(key.clone(), fresh.clone());
            self.points.insert(key, fresh);
        }
        changed
    }

    fn parties(&mut self, row: &DebtorRow, debtor: DebtorId, debt: DebtId) -> bool {
        let before = self.out.parties.len();
        for party in &row.parties {
            let fresh = Party {
                debtor_id: debtor,
                debt_id: debt,
                ..party.clone()
            };
            if self.parties.insert(party_key(&fresh)) {
                self.out.parties.push(fresh);
            }
        }
        self.out.parties.len() > before
    }

    fn consents(&mut self, row: &DebtorRow, debtor: DebtorId) -> bool {
        let before = self.out.consents.len();
        for consent in &row.consents {
            let fresh = Consent {
                debtor_id: debtor,
                ..consent.clone()
            };
            if self.consents.insert(consent_key(&fresh)) {
                self.out.consents.push(fresh);
            }
        }
        self.out.consents.len() > before
    }
}

impl Written {
    async fn write(self, tx: &mut Link) -> Result<(), StoreError> {
        let debtors: Vec<Debtor> = self.debtors.into_values().collect();
        let persons: BTreeSet<PersonId> = debtors.iter().map(|d| d.person_id).collect();
        let persons: Vec<PersonId> = persons.into_iter().collect();
        sums::ensure_persons(tx, &persons).await?;
        tx.put_all(&debtors).await?;
        let debts: Vec<Debt> = self.debts.into_values().collect();
        tx.put_all(&debts).await?;
        let points: Vec<ContactPoint> = self.points.into_values().collect();
        tx.put_all(&points).await?;
        tx.put_all(&self.parties).await?;
        tx.put_all(&self.consents).await?;
        let ids: Vec<DebtorId> = debtors.iter().map(|d| d.id).collect();
        sums::follow_person(tx, &ids).await?;
        let touched: Vec<DebtorId> = self.touched.into_iter().collect();
        sums::refresh(tx, &touched).await
    }
}

/// Adds the batch to the import's own row.
async fn note(
    tx: &mut Link,
    import: ImportId,
    (client, portfolio, at): (ClientId, PortfolioId, UtcMs),
    batch: &ImportReport,
) -> Result<(), StoreError> {
    let sql = "SELECT report FROM imports WHERE id=$1";
    let mut sum: ImportReport = match tx.row(sql, vals![import]).await? {
        Some(row) => row.get("report")?,
        None => ImportReport::default(),
    };
    macro_rules! add {
        ($($field:ident),+) => { $( sum.$field += batch.$field; )+ };
    }
    add!(
        rows,
        debtors_new,
        debtors_changed,
        debts_new,
        debts_changed,
        points_new,
        unchanged,
        refused
    );
    let sql = "INSERT INTO imports (id, client_id, portfolio_id, at, report) VALUES ($1,$2,$3,$4,$5) \
        ON CONFLICT (id) DO UPDATE SET report=excluded.report";
    tx.run(sql, vals![import, client, portfolio, at, sum])
        .await
        .map(drop)
}

impl SqlStore {
    pub(super) async fn import_rows(
        &self,
        import: ImportId,
        rows: &[DebtorRow],
        dry_run: bool,
        events: &[NewEvent],
    ) -> Result<ImportReport, StoreError> {
        let mut tx = if dry_run {
            self.snapshot().await?
        } else {
            self.write().await?
        };
        let mut work = stored(&mut tx, rows).await?;
        work.report.rows = rows.len() as u64;
        for row in rows {
            work.take(row);
        }
        let Work { out, report, .. } = work;
        if dry_run {
            tx.rollback().await?;
            return Ok(report);
        }
        out.write(&mut tx).await?;
        if let Some(row) = rows.first() {
            let of = (
                row.debtor.client_id,
                row.debtor.portfolio_id,
                row.debtor.updated_at,
            );
            note(&mut tx, import, of, &report).await?;
        }
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(report)
    }
}
