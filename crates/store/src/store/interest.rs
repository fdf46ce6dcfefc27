//! Interest by the rule of a portfolio: read to a day, written with what changes the debt.

use super::SqlStore;
use super::due_items;
use super::events::append;
use super::items::lock_person_of;
use super::sums;
use crate::sql::{Link, vals};
use async_trait::async_trait;
use domain::entity::{Accrual, Debt, InterestRule, Plan, Portfolio};
use domain::event::NewEvent;
use domain::ids::{DebtId, DebtorId, PortfolioId};
use domain::ports::StoreError;
use domain::ports::store::{InterestStore, RuleRefusal};
use domain::rules::interest::{InterestBook, STOPPING, put_on};
use domain::time::UtcMs;
use std::collections::BTreeSet;

/// What the interest of debts follows from. Without a rule on any of their portfolios: one statement.
pub(super) async fn book_of(tx: &mut Link, debts: &[Debt]) -> Result<InterestBook, StoreError> {
    let mut book = InterestBook::default();
    let of: BTreeSet<PortfolioId> = debts.iter().map(|d| d.portfolio_id).collect();
    let of: Vec<PortfolioId> = of.into_iter().collect();
    let rules: Vec<InterestRule> = tx
        .all_in("portfolio_id", &of, " ORDER BY from_day", &[])
        .await?;
    if rules.is_empty() {
        return Ok(book);
    }
    for portfolio in tx.all_in::<Portfolio, _>("id", &of, "", &[]).await? {
        let own = rules.iter().filter(|r| r.portfolio_id == portfolio.id);
        let own: Vec<InterestRule> = own.cloned().collect();
        if !own.is_empty() {
            book.rules.insert(portfolio.id, (portfolio.zone, own));
        }
    }
    let debts = debts.iter().filter(|d| book.has(d.portfolio_id));
    let (ids, debtors): (Vec<DebtId>, BTreeSet<DebtorId>) =
        debts.map(|d| (d.id, d.debtor_id)).unzip();
    let debtors: Vec<DebtorId> = debtors.into_iter().collect();
    let accruals: Vec<Accrual> = tx.all_in("debt_id", &ids, "", &[]).await?;
    book.accruals = accruals.into_iter().map(|a| (a.debt_id, a)).collect();
    let frozen = " AND freeze_interest AND signed_at IS NOT NULL";
    book.plans = tx
        .all_in::<Plan, _>("debtor_id", &debtors, frozen, &[])
        .await?;
    let kinds: Vec<String> = STOPPING.iter().map(|k| format!("'{k}'")).collect();
    let stops = format!(" AND kind IN ({})", kinds.join(","));
    book.holds = tx.all_in("debtor_id", &debtors, &stops, &[]).await?;
    Ok(book)
}

/// A debt with the interest of its rule up to an instant; nothing is written.
pub(super) async fn owed(tx: &mut Link, debt: Debt, at: UtcMs) -> Result<Debt, StoreError> {
    let book = book_of(tx, std::slice::from_ref(&debt)).await?;
    Ok(book.owed(&debt, at))
}

/// Puts the interest of its rule up to an instant into the figures of a debt that is about to change, and
/// notes how far it is; the debt itself is the caller's to keep.
pub(super) async fn book(tx: &mut Link, debt: &mut Debt, at: UtcMs) -> Result<(), StoreError> {
    book_all(tx, std::slice::from_mut(debt), at).await.map(drop)
}

/// As [`book`], of several; gives what their interest followed from, with how far each was before.
pub(super) async fn book_all(
    tx: &mut Link,
    debts: &mut [Debt],
    at: UtcMs,
) -> Result<InterestBook, StoreError> {
    let book = book_of(tx, debts).await?;
    let mut moved: Vec<Accrual> = vec![];
    for debt in debts {
        let Some(earned) = book.earned(debt, at) else {
            continue;
        };
        put_on(debt, earned.minor);
        if book.accruals.get(&debt.id) != Some(&earned.accrual) {
            moved.push(earned.accrual);
        }
    }
    tx.put_all(&moved).await?;
    Ok(book)
}

/// Writes a debt anew; the due date follows its items. What the rule of its portfolio has earned on the figures that stood there is put on
/// it first: it would be computed on the new ones, for days on which they did not hold.
pub(super) async fn put_carried(tx: &mut Link, row: &Debt) -> Result<(), StoreError> {
    lock_person_of(tx, row.debtor_id).await?;
    let rest = format!("WHERE id=$1{}", tx.pg_only(" FOR UPDATE"));
    let stored: Option<Debt> = tx.find(&rest, vals![row.id]).await?;
    let Some(stored) = stored else {
        return tx.put(row).await;
    };
    let mut fresh = row.clone();
    due_items::follow_figures(tx, &mut fresh, stored.principal_minor).await?;
    let book = book_of(tx, std::slice::from_ref(&stored)).await?;
    let accrual = book.carry(&stored, &mut fresh, row.updated_at);
    tx.put(&fresh).await?;
    match accrual {
        Some(accrual) => tx.put(&accrual).await,
        None => Ok(()),
    }
}

/// Replaces a debt that is still as `was` says, with what follows from it.
pub(super) async fn replace(tx: &mut Link, was: &Debt, row: &Debt) -> Result<(), StoreError> {
    lock_person_of(tx, was.debtor_id).await?;
    let stored = super::money::locked_debt(tx, was.id).await?;
    if stored != *was || row.id != was.id {
        return Err(StoreError::Conflict(
            "the debt was changed meanwhile".into(),
        ));
    }
    put_carried(tx, row).await?;
    sums::refresh(tx, &[row.debtor_id]).await?;
    sums::money(tx, &[row.debtor_id]).await
}

/// Puts how far a debt was back there.
pub(super) async fn set_back(
    tx: &mut Link,
    debt: DebtId,
    was: Option<Accrual>,
) -> Result<(), StoreError> {
    match was {
        Some(accrual) => tx.put(&accrual).await,
        None => {
            let sql = "DELETE FROM accruals WHERE debt_id=$1";
            tx.run(sql, vals![debt]).await.map(drop)
        }
    }
}

#[async_trait]
impl InterestStore for SqlStore {
    async fn interest_rules(
        &self,
        portfolio: PortfolioId,
    ) -> Result<Vec<InterestRule>, StoreError> {
        let rest = "WHERE portfolio_id=$1 ORDER BY from_day";
        self.read().await?.all(rest, vals![portfolio]).await
    }

    async fn add_interest_rule(
        &self,
        row: &InterestRule,
        events: &[NewEvent],
    ) -> Result<Result<(), RuleRefusal>, StoreError> {
        let mut tx = self.write().await?;
        // One rule of a portfolio after the other.
        let lock = tx.pg_only(" FOR UPDATE");
        let rest = format!("WHERE id=$1{lock}");
        let portfolio: Option<Portfolio> = tx.find(&rest, vals![row.portfolio_id]).await?;
        portfolio.ok_or(StoreError::NotFound("portfolio"))?;
        let rest = "WHERE portfolio_id=$1 ORDER BY from_day DESC LIMIT 1";
        let last: Option<InterestRule> = tx.find(rest, vals![row.portfolio_id]).await?;
        match last {
            Some(last) if row.from_day <= last.from_day => return Ok(Err(RuleRefusal::Past)),
            Some(_) => {}
            None => {
                let sql = "SELECT 1 AS n FROM debts WHERE portfolio_id=$1 AND status='open' \
                    AND interest_minor>0 LIMIT 1";
                if tx.row(sql, vals![row.portfolio_id]).await?.is_some() {
                    return Ok(Err(RuleRefusal::CreditorsFigures));
                }
            }
        }
        tx.insert(std::slice::from_ref(row), "").await?;
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    async fn owed(&self, debts: &[Debt], at: UtcMs) -> Result<Vec<Debt>, StoreError> {
        if debts.is_empty() {
            return Ok(vec![]);
        }
        let book = book_of(&mut self.snapshot().await?, debts).await?;
        Ok(debts.iter().map(|debt| book.owed(debt, at)).collect())
    }

    async fn accruals_of(&self, debts: &[DebtId]) -> Result<Vec<Accrual>, StoreError> {
        self.read().await?.all_in("debt_id", debts, "", &[]).await
    }
}
