//! The way back of an import: what it made goes, what it changed is as before, what was done meanwhile
//! stays.

use super::import::Before;
use super::import_write::Counted;
use super::items::lock_persons;
use super::money::replay;
use super::{due_items, interest, merge_wishes, merges, sums};
use crate::sql::{Link, Row, vals};
use domain::entity::{Consent, ContactPoint, Debt, DebtStatus, Import, Payment};
use domain::ids::{ConsentId, DebtId, DebtorId, ImportId, PersonId, PointId};
use domain::ports::StoreError;
use domain::ports::store::{IMPORT_STEP, UndoStep};
use domain::time::UtcMs;
use std::collections::BTreeSet;

/// Tables whose rows keep a debtor from being removed: what was done with him stays.
const DEEDS: &[&str] = &[
    "attempts",
    "promises",
    "payments",
    "receipts",
    "payment_links",
    "ledger",
    "preferences",
    "complaints",
    "plans",
    "excuses",
    "letters",
    "visits",
    "claims",
    "inbox",
    "inbound_calls",
    // Those that left; what only waited for its day goes with him.
    "(SELECT debtor_id FROM messages WHERE state NOT IN ('queued', 'refused', 'cancelled')) sent",
];

/// Tables that go with a debtor to whom nothing was done, those that point to others first.
const OWN: &[&str] = &[
    "messages",
    "planned_steps",
    "assignments",
    "dnc_hits",
    "parties",
    "consents",
    "law_overrides",
    "addresses",
    "contact_points",
    "holds",
    "campaign_items",
    "debt_stages",
    "debts",
];

/// Tables that go with a debt, and do not name its debtor.
const OF_DEBTS: &[&str] = &["accruals", "debt_items"];

/// Debtors of a list with whom something was done.
async fn with_deeds(tx: &mut Link, debtors: &[DebtorId]) -> Result<BTreeSet<DebtorId>, StoreError> {
    let mut found = BTreeSet::new();
    for table in DEEDS {
        let before = format!("SELECT DISTINCT debtor_id FROM {table} WHERE debtor_id");
        for row in &tx.rows_in(&before, debtors, "", &[]).await? {
            found.insert(row.get("debtor_id")?);
        }
    }
    // Who is part of another file, or has one in his own, is more than the import made of him.
    for column in ["kept_id", "gone_id"] {
        let before = format!("SELECT DISTINCT {column} AS debtor_id FROM merges WHERE {column}");
        for row in &tx.rows_in(&before, debtors, "", &[]).await? {
            found.insert(row.get("debtor_id")?);
        }
    }
    Ok(found)
}

/// Removes debtors that an import made; who was called, promised or paid stays, without an open debt.
async fn remove_new(tx: &mut Link, debtors: &[DebtorId], now: UtcMs) -> Result<u64, StoreError> {
    if debtors.is_empty() {
        return Ok(0);
    }
    let kept = with_deeds(tx, debtors).await?;
    let gone: Vec<DebtorId> = debtors
        .iter()
        .filter(|d| !kept.contains(d))
        .copied()
        .collect();
    let kept: Vec<DebtorId> = kept.into_iter().collect();
    recall_own(tx, &kept, now).await?;
    for table in OF_DEBTS {
        let sql =
            format!("DELETE FROM {table} WHERE debt_id IN (SELECT id FROM debts WHERE debtor_id");
        tx.run_in(&sql, &gone, ")", &[]).await?;
    }
    for table in OWN {
        let sql = format!("DELETE FROM {table} WHERE debtor_id");
        tx.run_in(&sql, &gone, "", &[]).await?;
    }
    tx.run_in("DELETE FROM debtors WHERE id", &gone, "", &[])
        .await?;
    Ok(kept.len() as u64)
}

/// Recalls what is open of debtors that the import made, wherever merges have put it; what merges brought
/// to them is not theirs.
async fn recall_own(tx: &mut Link, debtors: &[DebtorId], now: UtcMs) -> Result<(), StoreError> {
    let mut own: BTreeSet<uuid::Uuid> = BTreeSet::new();
    for debtor in debtors {
        let (others, lent) = merge_wishes::lent_debts(tx, *debtor).await?;
        let sql = "SELECT id FROM debts WHERE status='open' AND debtor_id=$1";
        for row in &tx.rows(sql, vals![*debtor]).await? {
            own.insert(row.get("id")?);
        }
        own.extend(lent);
        own.retain(|id| !others.contains(id));
    }
    let own: Vec<uuid::Uuid> = own.into_iter().collect();
    let lock = format!(
        " AND status='open'{}",
        tx.pg_only(" ORDER BY id FOR UPDATE")
    );
    let mut debts: Vec<Debt> = tx.all_in("id", &own, &lock, &[]).await?;
    call_back(tx, &mut debts, now).await?;
    let sql = "SELECT DISTINCT debtor_id FROM debts WHERE id";
    let mut touched: BTreeSet<DebtorId> = debtors.iter().copied().collect();
    for row in &tx.rows_in(sql, &own, "", &[]).await? {
        touched.insert(row.get("debtor_id")?);
    }
    let touched: Vec<DebtorId> = touched.into_iter().collect();
    sums::refresh(tx, &touched).await
}

/// Recalls debts, with the interest of their rule up to that day.
async fn call_back(tx: &mut Link, debts: &mut [Debt], now: UtcMs) -> Result<(), StoreError> {
    interest::book_all(tx, debts, now).await?;
    for debt in debts.iter_mut() {
        debt.status = DebtStatus::Recalled;
        debt.updated_at = now;
    }
    tx.put_all(debts).await
}

/// Whether two debtor files are, or were, the sides of a merge.
async fn were_one(tx: &mut Link, a: DebtorId, b: DebtorId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 AS n FROM merges WHERE (kept_id=$1 AND gone_id=$2) \
        OR (kept_id=$2 AND gone_id=$1) LIMIT 1";
    Ok(tx.row(sql, vals![a, b]).await?.is_some())
}

/// Where a row that belonged to `then` belongs now, when it is found with `today`: files that were made one,
/// or two again, meanwhile stay so.
async fn owner_now(
    tx: &mut Link,
    then: DebtorId,
    today: Option<DebtorId>,
) -> Result<DebtorId, StoreError> {
    if let Some(today) = today
        && today != then
        && were_one(tx, then, today).await?
    {
        return Ok(today);
    }
    let kept = merges::where_to(tx, &[then]).await?;
    Ok(kept.into_values().next().unwrap_or(then))
}

/// A debt as it was before the import, less what was paid since it came.
async fn put_debt_back(
    tx: &mut Link,
    import: &Import,
    (mut debt, counted): (Debt, &Counted),
    touched: &mut BTreeSet<DebtorId>,
) -> Result<(), StoreError> {
    // Money that is posted on it meanwhile, wherever it is, waits or is among what is read.
    let rest = format!("WHERE id=$1{}", tx.pg_only(" FOR UPDATE"));
    let today: Option<Debt> = tx.find(&rest, vals![debt.id]).await?;
    let rest = "WHERE debt_id=$1 AND posted_at>=$2 ORDER BY id";
    let mut since: Vec<Payment> = tx.all(rest, vals![debt.id, import.at]).await?;
    since.retain(|p| !counted.payments.contains(&p.id));
    replay(tx, &mut debt, &since).await?;
    super::forgiven::replay(tx, &mut debt, (import.at, &counted.forgiven)).await?;
    due_items::follow(tx, &mut debt).await?;
    let today = today.map(|d| d.debtor_id);
    touched.extend(today);
    debt.debtor_id = owner_now(tx, debt.debtor_id, today).await?;
    touched.insert(debt.debtor_id);
    tx.put(&debt).await
}

/// Debts of others that the import has given to a debtor whom it made go back to them.
async fn give_back(tx: &mut Link, import: &Import, before: Before) -> Result<(), StoreError> {
    let mut touched = BTreeSet::new();
    due_items::set(tx, &before.items).await?;
    for (debt, accrual) in before.accruals {
        interest::set_back(tx, debt, accrual).await?;
    }
    for debt in before.debts {
        put_debt_back(tx, import, (debt, &before.counted), &mut touched).await?;
    }
    let touched: Vec<DebtorId> = touched.into_iter().collect();
    sums::refresh(tx, &touched).await
}

/// Whether a promise, a payment or an attempt names the debt.
async fn debt_is_named(tx: &mut Link, debt: DebtId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 AS n WHERE EXISTS (SELECT 1 FROM promises WHERE debt_id=$1) \
        OR EXISTS (SELECT 1 FROM payments WHERE debt_id=$1) \
        OR EXISTS (SELECT 1 FROM payment_links WHERE debt_id=$1) \
        OR EXISTS (SELECT 1 FROM plans WHERE debt_id=$1) \
        OR EXISTS (SELECT 1 FROM letters WHERE debt_id=$1) \
        OR EXISTS (SELECT 1 FROM debts d JOIN attempts a ON a.debtor_id IN (SELECT d.debtor_id UNION ALL \
                SELECT m.gone_id FROM merges m WHERE m.kept_id=d.debtor_id UNION ALL \
                SELECT m.kept_id FROM merges m WHERE m.gone_id=d.debtor_id) \
            WHERE d.id=$1 AND (a.debt_id=$1 OR a.opened_at>=d.created_at))";
    Ok(tx.row(sql, vals![debt]).await?.is_some())
}

/// Puts a debtor who was there before back as he was.
async fn put_back(
    tx: &mut Link,
    import: &Import,
    debtor: DebtorId,
    before: Before,
    now: UtcMs,
) -> Result<bool, StoreError> {
    let mut kept = false;
    if let Some(row) = before.debtor {
        let told = tx.get::<domain::entity::Debtor>(row.id).await?;
        if told.person_id != row.person_id {
            tx.stirs_everybody()?;
        }
        tx.put(&domain::entity::Debtor {
            told_zone: told.told_zone,
            told_zone_at: told.told_zone_at,
            ..row
        })
        .await?;
    }
    let mut touched = BTreeSet::from([debtor]);
    touched.extend(merges::where_to(tx, &[debtor]).await?.into_values());
    due_items::set(tx, &before.items).await?;
    for (debt, accrual) in before.accruals {
        interest::set_back(tx, debt, accrual).await?;
    }
    for debt in before.debts {
        put_debt_back(tx, import, (debt, &before.counted), &mut touched).await?;
    }
    for point in before.points {
        let today: Option<ContactPoint> = tx.find("WHERE id=$1", vals![point.id]).await?;
        let Some(today) = today else { continue };
        touched.insert(today.debtor_id);
        let owner = owner_now(tx, point.debtor_id, Some(today.debtor_id)).await?;
        // What calls have proved stays, and the file in which it is now.
        let confidence = match was_answered(tx, import, &today).await? {
            true => today.confidence,
            false => point.confidence,
        };
        tx.put(&ContactPoint {
            debtor_id: owner,
            bad: today.bad,
            last_rpc_at: today.last_rpc_at,
            confidence,
            ..point
        })
        .await?;
    }
    let parties = uuids(&before.new_parties);
    tx.run_in("DELETE FROM parties WHERE id", &parties, "", &[])
        .await?;
    kept |= !put_consents_back(tx, import, (&before.new_consents, before.consents)).await?;
    let addresses = uuids(&before.new_addresses);
    kept |= !remove_addresses(tx, import, &addresses).await?;
    for point in before.new_points {
        kept |= !remove_point(tx, point).await?;
    }
    for debt in before.new_debts {
        kept |= remove_debt(tx, debt, now, &mut touched).await?;
    }
    sums::follow_person(tx, &[debtor]).await?;
    let touched: Vec<DebtorId> = touched.into_iter().collect();
    sums::refresh(tx, &touched).await?;
    Ok(kept)
}

/// Consents that the import changed are as before, those that it made go, except what somebody has taken back
/// since; whether all went.
async fn put_consents_back(
    tx: &mut Link,
    import: &Import,
    (made, changed): (&[ConsentId], Vec<Consent>),
) -> Result<bool, StoreError> {
    let whole = import.accepted_at.unwrap_or(import.at);
    let sql = "DELETE FROM consents WHERE (revoked_at IS NULL OR revoked_at<=$1) AND id";
    let fixed = vals![whole];
    let gone = tx.run_in(sql, &uuids(made), "", &fixed).await?;
    for consent in changed {
        let today: Option<Consent> = tx.find("WHERE id=$1", vals![consent.id]).await?;
        // In whichever file of the debtor it is now.
        if let Some(today) = today {
            tx.put(&Consent {
                debtor_id: today.debtor_id,
                ..consent
            })
            .await?;
        }
    }
    Ok(gone == made.len() as u64)
}

/// Removes a debt that the import made, or recalls it when something names it; whether it was recalled.
async fn remove_debt(
    tx: &mut Link,
    debt: DebtId,
    now: UtcMs,
    touched: &mut BTreeSet<DebtorId>,
) -> Result<bool, StoreError> {
    let sql = "SELECT debtor_id FROM debts WHERE id=$1";
    if let Some(row) = tx.row(sql, vals![debt]).await? {
        touched.insert(row.get("debtor_id")?);
    }
    if debt_is_named(tx, debt).await? {
        let rest = format!("WHERE id=$1{}", tx.pg_only(" FOR UPDATE"));
        let mut found: Vec<Debt> = tx.all(&rest, vals![debt]).await?;
        call_back(tx, &mut found, now).await?;
        return Ok(true);
    }
    for table in OF_DEBTS.iter().chain(&["debt_stages"]) {
        let sql = format!("DELETE FROM {table} WHERE debt_id=$1");
        tx.run(sql, vals![debt]).await?;
    }
    let sql = "DELETE FROM debts WHERE id=$1 AND updated_at<=$2";
    tx.run(sql, vals![debt, now]).await?;
    Ok(false)
}

/// Removes addresses that the import added, except what somebody has put right since; whether all went.
async fn remove_addresses(
    tx: &mut Link,
    import: &Import,
    ids: &[uuid::Uuid],
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM addresses WHERE (confirmed_at=added_at OR confirmed_at<=$1) AND id";
    let whole = import.accepted_at.unwrap_or(import.at);
    let gone = tx
        .run_in(sql, ids, "", &[crate::sql::Field::val(&whole)])
        .await?;
    Ok(gone == ids.len() as u64)
}

/// Whether a call to the point, or from it, has ended since the import that was answered: it has moved how
/// sure we are of it.
async fn was_answered(
    tx: &mut Link,
    import: &Import,
    point: &ContactPoint,
) -> Result<bool, StoreError> {
    // By all files that were one with the point's: attempts stay with the file they were made for.
    let sql = "SELECT 1 AS n FROM attempts a WHERE a.point_id=$1 AND a.answered_at IS NOT NULL \
        AND a.ended_at>=$3 AND a.debtor_id IN (SELECT d.id FROM debtors d WHERE d.id=$2 UNION ALL \
            SELECT m.gone_id FROM merges m WHERE m.kept_id=$2 UNION ALL \
            SELECT m.kept_id FROM merges m WHERE m.gone_id=$2) LIMIT 1";
    let values = vals![point.id, point.debtor_id, import.at];
    Ok(tx.row(sql, values).await?.is_some())
}

/// Removes a point that the import made, unless it was called or somebody asked for something about it.
async fn remove_point(tx: &mut Link, point: PointId) -> Result<bool, StoreError> {
    // By all files that were one with the point's: attempts stay with the file they were made for.
    let sql = "DELETE FROM contact_points WHERE id=$1 \
        AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.point_id=$1 AND a.debtor_id IN \
            (SELECT contact_points.debtor_id UNION ALL \
             SELECT m.gone_id FROM merges m WHERE m.kept_id=contact_points.debtor_id UNION ALL \
             SELECT m.kept_id FROM merges m WHERE m.gone_id=contact_points.debtor_id)) \
        AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.debtor_id=contact_points.debtor_id AND h.point_id=$1) \
        AND NOT EXISTS (SELECT 1 FROM preferences p WHERE p.debtor_id=contact_points.debtor_id AND p.point_id=$1)";
    Ok(tx.run(sql, vals![point]).await? > 0)
}

fn uuids<T: Copy + Into<uuid::Uuid>>(ids: &[T]) -> Vec<uuid::Uuid> {
    ids.iter().map(|id| (*id).into()).collect()
}

/// A row of an import as it is taken back: its line, its debtor, and what stood there before.
struct Back {
    line: i64,
    debtor: DebtorId,
    /// None of a debtor who was not there.
    before: Option<Before>,
}

impl Back {
    fn of(row: &Row) -> Result<Self, StoreError> {
        let text: String = row.get("before_image")?;
        let read = |text: &str| serde_json::from_str(text);
        let before = Some(text).filter(|t| !t.is_empty());
        let before = before.as_deref().map(read).transpose();
        Ok(Self {
            line: row.get("line")?,
            debtor: row.get("debtor_id")?,
            before: before.map_err(|e: serde_json::Error| StoreError::Corrupt(e.to_string()))?,
        })
    }
}

/// Whoever merges, pays or reserves takes the person first: he waits, or is seen here. Also of persons whom
/// debtors become again.
async fn lock_owners(tx: &mut Link, rows: &[Back]) -> Result<(), StoreError> {
    let debtors: Vec<DebtorId> = rows.iter().map(|row| row.debtor).collect();
    let sql = "SELECT person_id FROM debtors WHERE id";
    let before = rows.iter().filter_map(|row| row.before.as_ref());
    let before = before.filter_map(|b| b.debtor.as_ref());
    let mut persons: Vec<PersonId> = before.map(|d| d.person_id).collect();
    for row in &tx.rows_in(sql, &debtors, "", &[]).await? {
        persons.push(row.get("person_id")?);
    }
    lock_persons(tx, persons.into_iter()).await
}

/// Takes back the newest part of what an import wrote.
pub(super) async fn undo_step(
    tx: &mut Link,
    import: ImportId,
    now: UtcMs,
) -> Result<UndoStep, StoreError> {
    let import: Import = tx.get(import).await?;
    let sql = "SELECT line, debtor_id, before_image FROM import_changes WHERE import_id=$1 \
        ORDER BY line DESC LIMIT $2";
    let rows = tx.rows(sql, vals![import.id, IMPORT_STEP]).await?;
    let rows: Vec<Back> = rows.iter().map(Back::of).collect::<Result<_, _>>()?;
    lock_owners(tx, &rows).await?;
    let mut step = UndoStep {
        more: rows.len() == IMPORT_STEP as usize,
        ..UndoStep::default()
    };
    let (mut new, mut lines) = (Vec::new(), Vec::with_capacity(rows.len()));
    for row in rows {
        lines.push(row.line);
        step.undone += 1;
        match row.before {
            None => new.push(row.debtor),
            Some(before) if before.new => {
                give_back(tx, &import, before).await?;
                new.push(row.debtor);
            }
            Some(before) => {
                let kept = put_back(tx, &import, row.debtor, before, now).await?;
                step.kept += u64::from(kept);
            }
        }
    }
    step.kept += remove_new(tx, &new, now).await?;
    let sql = "DELETE FROM import_changes WHERE import_id=$1 AND line";
    tx.run_in(sql, &lines, "", &[crate::sql::Field::val(&import.id)])
        .await?;
    Ok(step)
}
