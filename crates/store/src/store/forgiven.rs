//! What plans forgave of debts, row by row, so that it can be taken back and is never given twice.

use crate::sql::{Link, vals};
use domain::entity::{Debt, Forgiven, Parts, Plan};
use domain::ids::{DebtId, PlanId};
use domain::ports::StoreError;
use domain::rules::allocation;
use domain::rules::plan::{self, PaidUnder};
use domain::time::UtcMs;
use std::collections::BTreeSet;
use uuid::Uuid;

fn sum(rows: &[Forgiven]) -> Parts {
    let add = |sum: Parts, row: &Forgiven| sum.plus(&row.parts);
    rows.iter().fold(Parts::default(), add)
}

async fn of_plan(tx: &mut Link, plan: PlanId) -> Result<Parts, StoreError> {
    let rows: Vec<Forgiven> = tx.all("WHERE plan_id=$1", vals![plan]).await?;
    Ok(sum(&rows))
}

/// What is forgiven of the plan's debt follows the plan's state; `cause` is the row that moved it. Gives the
/// change, minor units: negative when it is owed again. Its caller writes the debt.
pub(super) async fn follow(
    tx: &mut Link,
    debt: &mut Debt,
    (p, money): (&Plan, &[PaidUnder]),
    cause: Uuid,
    now: UtcMs,
) -> Result<i64, StoreError> {
    let stands = of_plan(tx, p.id).await?;
    let parts = plan::follow_forgiving(p, debt, (&stands, money), now);
    note(tx, (cause, p.id, debt.id), parts, now).await
}

/// As [`follow`], of a plan that stays paid as agreed with other money: what it had, and what it has.
pub(super) async fn keep(
    tx: &mut Link,
    debt: &mut Debt,
    (p, money): (&Plan, (&[PaidUnder], &[PaidUnder])),
    cause: Uuid,
    now: UtcMs,
) -> Result<i64, StoreError> {
    let stands = of_plan(tx, p.id).await?;
    let parts = plan::keep_forgiving(p, debt, &stands, money, now);
    note(tx, (cause, p.id, debt.id), parts, now).await
}

/// Writes a change down when it is one; gives it, minor units.
async fn note(
    tx: &mut Link,
    (cause, plan_id, debt_id): (Uuid, PlanId, DebtId),
    parts: Parts,
    at: UtcMs,
) -> Result<i64, StoreError> {
    if parts == Parts::default() {
        return Ok(0);
    }
    let row = Forgiven {
        id: Uuid::new_v5(&cause, b"forgiven"),
        plan_id,
        debt_id,
        parts,
        at,
    };
    tx.insert(std::slice::from_ref(&row), "").await?;
    Ok(parts.sum())
}

/// Rows of a debt, oldest first.
pub(super) async fn of_debt(tx: &mut Link, debt: DebtId) -> Result<Vec<Forgiven>, StoreError> {
    tx.all("WHERE debt_id=$1 ORDER BY at, id", vals![debt])
        .await
}

/// A debt's figures were set back to before `since`, with some later rows in them: what plans forgave from then on
/// is forgiven of them, and what they had forgiven before and is owed again since is given back.
pub(super) async fn replay(
    tx: &mut Link,
    debt: &mut Debt,
    (since, counted): (UtcMs, &BTreeSet<Uuid>),
) -> Result<(), StoreError> {
    let rows = of_debt(tx, debt.id).await?;
    let (after, before): (Vec<Forgiven>, Vec<Forgiven>) = rows
        .into_iter()
        .partition(|r| r.at >= since && !counted.contains(&r.id));
    let ids: Vec<Uuid> = after.iter().map(|r| r.id).collect();
    tx.run_in("DELETE FROM forgiven WHERE id", &ids, "", &[])
        .await?;
    let of = |rows: &[Forgiven], plan: PlanId| -> Vec<Forgiven> {
        let own = rows.iter().filter(|r| r.plan_id == plan);
        own.cloned().collect()
    };
    // A plan follows another that has ended: the last row of each says which came first.
    for (n, last) in after.iter().enumerate() {
        let plan = last.plan_id;
        if after.iter().skip(n + 1).any(|r| r.plan_id == plan) {
            continue;
        }
        let stands = sum(&of(&after, plan)).sum();
        let parts = if stands < 0 {
            let there = sum(&of(&before, plan));
            debt.updated_at = last.at;
            allocation::give_back(debt, &there, -stands)
        } else {
            plan::forgive(debt, stands, last.at)
        };
        note(tx, (last.id, plan, debt.id), parts, last.at).await?;
    }
    Ok(())
}
