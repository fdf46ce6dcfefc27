//! The write-ahead attempt on PostgreSQL: its locks, what is read behind them, what it writes, each in one way to the
//! server. A statement sees what was committed when it began: what locks protect is read by the next one.

use super::attempts::{committed, is_busy, is_leased};
use super::events::{append, told_with};
use super::facts_one;
use super::items::{CHAIN_END, INSERT_VERDICT, chain_end, chain_lock, verdict_vals};
use super::sums;
use crate::rows::{Entity, all_vals, written};
use crate::sql::{Ask, Batch, Link, Row, Val, holes, vals};
use domain::entity::{Attempt, LedgerRow, Verdict};
use domain::law::Judge;
use domain::ports::StoreError;
use domain::ports::store::{OpenDraft, OpenOutcome};

/// What an opening waits for, in this order: the node's row (`$1`, with its fence `$2`), the person's (`$3`), the number
/// (`$4`), the chain of the debtor's decisions (`$5`, `$6`). Whose fence was taken away takes nothing else. A row that had
/// to be waited for is told as it is now.
const LOCKS: &str = "SELECT n.fence, h.id IS NOT NULL AS there, h.lease_debtor, h.lease_node, h.lease_fence, \
        CASE WHEN h.id IS NOT NULL THEN pg_advisory_xact_lock(hashtextextended($4, 0)) END AS of_phone, \
        CASE WHEN h.id IS NOT NULL THEN pg_advisory_xact_lock(CAST($5 AS INTEGER), hashtext($6)) END AS of_chain \
    FROM (SELECT fence FROM nodes WHERE name=$1 FOR SHARE) n LEFT JOIN LATERAL \
        (SELECT id, lease_debtor, lease_node, lease_fence FROM persons \
            WHERE id=$3 AND n.fence=$2 FOR UPDATE) h ON TRUE";

/// Takes the marks of everybody away who has the person or the number, in one order, and counts the call beside its own
/// debtor unless he has a newer one. `OFFSET 0` as in `marks`: rows are held before they are looked at. `$1` the person,
/// `$2` the number, `$3` the debtor, `$4` when.
const FIGURES: &str = "UPDATE debtors SET callable_until=NULL, \
        attempts=CASE WHEN w.counts THEN debtors.attempts+1 ELSE debtors.attempts END, \
        last_attempt_at=CASE WHEN w.counts THEN $4 ELSE debtors.last_attempt_at END, \
        last_result=CASE WHEN w.counts THEN '' ELSE debtors.last_result END \
    FROM (SELECT id AS held, callable_until AS mark, \
            id=$3 AND (last_attempt_at IS NULL OR last_attempt_at<$4) AS counts FROM debtors \
            WHERE id IN (SELECT x.id FROM debtors x WHERE x.person_id=$1 \
                UNION ALL SELECT c.debtor_id FROM contact_points c WHERE c.value=$2) \
            ORDER BY id OFFSET 0 FOR NO KEY UPDATE) w \
    WHERE debtors.id=w.held AND (w.mark IS NOT NULL OR w.counts) RETURNING w.counts";

/// The person's row, held until the end of the transaction; none where there is no such person.
async fn hold(tx: &mut Link, attempt: &Attempt) -> Result<Option<Row>, StoreError> {
    let mut values = vals![
        attempt.node,
        attempt.fence,
        attempt.person_id,
        attempt.phone
    ];
    values.extend(chain_lock(attempt.debtor_id));
    let row = tx.row(LOCKS, values).await?.ok_or(StoreError::Fenced)?;
    if row.get::<i64>("fence")? != attempt.fence {
        return Err(StoreError::Fenced);
    }
    let there = row.get::<bool>("there")?;
    Ok(there.then_some(row))
}

fn insert<T: Entity>() -> String {
    let names = written::<T>();
    let places = holes(1, names.len());
    format!(
        "INSERT INTO {} ({}) VALUES ({places})",
        T::TABLE,
        names.join(",")
    )
}

/// Verdict, attempt, ledger, figures and events of an attempt that may be made, in one way to the server. `false` where
/// another one stands already.
async fn write(
    tx: &mut Link,
    (row, draft): (&Attempt, &OpenDraft),
    verdict: Vec<Val>,
) -> Result<bool, StoreError> {
    let ledger = &draft.ledger;
    let mut batch = Batch::default();
    batch.add_write("v", INSERT_VERDICT, verdict);
    batch.add_write("a", &insert::<Attempt>(), all_vals(row));
    batch.add_write("l", &insert::<LedgerRow>(), all_vals(ledger));
    let figures = vals![
        ledger.person_id,
        ledger.address,
        row.debtor_id,
        row.opened_at
    ];
    batch.add_returning("d", FIGURES, figures);
    let told = told_with(&mut batch, &draft.events);
    let counted = "EXISTS (SELECT 1 FROM d WHERE counts) AS counted";
    match tx.write_all(batch, counted).await {
        Ok(written) => {
            let counted = written.map(|row| row.get("counted")).transpose()?;
            if counted != Some(true) {
                sums::history(tx, &[row.debtor_id]).await?;
            }
            if !told {
                append(tx, &draft.events).await?;
            }
            Ok(true)
        }
        Err(StoreError::Conflict(what)) if what.starts_with(LedgerRow::TABLE) => Err(
            StoreError::Conflict(format!("{} is taken", LedgerRow::UNIQUE)),
        ),
        // Another node was faster by a moment: its live attempt stands.
        Err(StoreError::Conflict(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

/// What came of it, in a transaction that is still to be ended: made durable unless nothing is opened.
pub(super) async fn opened(
    tx: &mut Link,
    draft: &OpenDraft,
    judge: &dyn Judge,
    busy: Vec<Val>,
) -> Result<OpenOutcome, StoreError> {
    let attempt = &draft.attempt;
    let Some(person) = hold(tx, attempt).await? else {
        return Ok(OpenOutcome::Busy);
    };
    if !is_leased(&person, attempt)? {
        return Ok(OpenOutcome::Busy);
    }
    let (debtor, now) = (attempt.debtor_id, draft.action.now);
    let mut asks = vec![
        Ask::new(format!("SELECT 1 AS n WHERE {}", is_busy()), busy),
        Ask::new(CHAIN_END, vals![debtor]),
    ];
    asks.extend(facts_one::asks(debtor, now));
    let mut answers = tx.several(asks).await?.into_iter();
    if answers.next().is_some_and(|rows| !rows.is_empty()) {
        return Ok(OpenOutcome::Busy);
    }
    let end = answers.next().unwrap_or_default();
    let end = chain_end(end.first())?;
    let facts = facts_one::facts(tx, answers).await?;
    if facts.points.iter().all(|p| p.id != attempt.point_id) {
        return Ok(OpenOutcome::Busy);
    }
    let verdict = judge.judge(&facts, &draft.action);
    let link = verdict_vals(&verdict, Some(attempt.client_id), end);
    if !verdict.decision.permits(draft.action.agent_reserved) {
        return refused(tx, verdict, link).await;
    }
    let row = committed(draft, &verdict);
    if !write(tx, (&row, draft), link).await? {
        return Ok(OpenOutcome::Busy);
    }
    Ok(OpenOutcome::Opened(Box::new(row), Box::new(verdict)))
}

async fn refused(
    tx: &mut Link,
    verdict: Verdict,
    link: Vec<Val>,
) -> Result<OpenOutcome, StoreError> {
    tx.run(INSERT_VERDICT, link).await?;
    Ok(OpenOutcome::Refused(Box::new(verdict)))
}
