//! Interest by the rule of a portfolio, postal addresses.

use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{ADDRESSES_MAX, Accrual, Address, Debt, DebtStatus, InterestRule};
use domain::event::NewEvent;
use domain::ids::{AddressId, DebtId, DebtorId, PortfolioId};
use domain::ports::store::{AddressStore, InterestStore, RuleRefusal, StoreError};
use domain::rules::interest::{InterestBook, put_on};
use domain::time::UtcMs;
use std::cmp::Reverse;

fn rules_of(t: &Tables, portfolio: PortfolioId) -> Vec<InterestRule> {
    let own = t.interest_rules.iter();
    let mut own: Vec<InterestRule> = own
        .filter(|r| r.portfolio_id == portfolio)
        .cloned()
        .collect();
    own.sort_by_key(|r| r.from_day);
    own
}

/// What the interest of a debt follows from.
pub(super) fn book_of(t: &Tables, debt: &Debt) -> InterestBook {
    let mut book = InterestBook::default();
    let rules = rules_of(t, debt.portfolio_id);
    let Some(portfolio) = t.portfolios.get(&debt.portfolio_id) else {
        return book;
    };
    if rules.is_empty() {
        return book;
    }
    let of = (portfolio.zone.clone(), rules);
    book.rules.insert(debt.portfolio_id, of);
    let accrual = t.accruals.get(&debt.id);
    book.accruals
        .extend(accrual.map(|accrual| (debt.id, *accrual)));
    let plans = t.plans.values().filter(|p| p.debt_id == debt.id);
    book.plans = plans.cloned().collect();
    book.holds = t.holds.of(debt.debtor_id).cloned().collect();
    book
}

/// A debt with the interest of its rule up to an instant.
pub(super) fn owed(t: &Tables, debt: &Debt, at: UtcMs) -> Debt {
    book_of(t, debt).owed(debt, at)
}

/// Puts the interest of its rule up to an instant into the figures of a debt that is about to change.
pub(super) fn book(t: &mut Tables, debt: DebtId, at: UtcMs) {
    let Some(stands) = t.debts.get(&debt) else {
        return;
    };
    let Some(earned) = book_of(t, stands).earned(stands, at) else {
        return;
    };
    t.accruals.insert(debt, earned.accrual);
    if let Some(debt) = t.debts.get_mut(&debt) {
        put_on(debt, earned.minor);
    }
}

/// A debt as it is written anew, its due date that of its oldest unpaid item, with what the rule has earned on the figures that stood there.
pub(super) fn carried(t: &mut Tables, row: &Debt) -> Debt {
    let mut fresh = row.clone();
    super::due_items::follow_figures(t, &mut fresh);
    if let Some(stored) = t.debts.get(&row.id) {
        let accrual = book_of(t, stored).carry(stored, &mut fresh, row.updated_at);
        t.accruals.extend(accrual.map(|a| (a.debt_id, a)));
    }
    fresh
}

#[async_trait]
impl InterestStore for MemoryStore {
    async fn interest_rules(
        &self,
        portfolio: PortfolioId,
    ) -> Result<Vec<InterestRule>, StoreError> {
        Ok(rules_of(&*self.tx().await?, portfolio))
    }

    async fn add_interest_rule(
        &self,
        row: &InterestRule,
        events: &[NewEvent],
    ) -> Result<Result<(), RuleRefusal>, StoreError> {
        let mut t = self.tx().await?;
        if !t.portfolios.contains_key(&row.portfolio_id) {
            return Err(StoreError::NotFound("portfolio"));
        }
        let last = rules_of(&t, row.portfolio_id).pop();
        match last {
            Some(last) if row.from_day <= last.from_day => return Ok(Err(RuleRefusal::Past)),
            Some(_) => {}
            None => {
                let bears = |d: &Debt| {
                    let open = d.status == DebtStatus::Open && d.interest_minor > 0;
                    open && d.portfolio_id == row.portfolio_id
                };
                if t.debts.values().any(bears) {
                    return Ok(Err(RuleRefusal::CreditorsFigures));
                }
            }
        }
        t.interest_rules.push(row.clone());
        t.append(events);
        Ok(Ok(()))
    }

    async fn owed(&self, debts: &[Debt], at: UtcMs) -> Result<Vec<Debt>, StoreError> {
        let t = self.tx().await?;
        Ok(debts.iter().map(|debt| owed(&t, debt, at)).collect())
    }

    async fn accruals_of(&self, debts: &[DebtId]) -> Result<Vec<Accrual>, StoreError> {
        let t = self.tx().await?;
        let known = debts.iter().filter_map(|debt| t.accruals.get(debt));
        Ok(known.copied().collect())
    }
}

/// Zones of the current addresses of a debtor.
pub(super) fn zones_of(t: &Tables, debtor: DebtorId) -> Vec<String> {
    let current = t
        .addresses
        .values()
        .filter(|a| a.debtor_id == debtor && !a.bad);
    let mut zones: Vec<String> = current.filter_map(|a| a.zone.clone()).collect();
    zones.sort_unstable();
    zones.dedup();
    zones
}

/// What a row of a file says of a debtor's address; whether it is a new one.
pub(super) fn import_address(t: &mut Tables, said: &Address, debtor: DebtorId) -> bool {
    let of = |a: &&mut Address| a.debtor_id == debtor && a.is_place(said);
    if let Some(known) = t.addresses.values_mut().find(of) {
        known.confirmed_at = said.confirmed_at;
        return false;
    }
    let count = t.addresses.values().filter(|a| a.debtor_id == debtor);
    if count.count() >= ADDRESSES_MAX {
        return false;
    }
    let fresh = Address {
        debtor_id: debtor,
        ..said.clone()
    };
    t.addresses.insert(fresh.id, fresh);
    true
}

#[async_trait]
impl AddressStore for MemoryStore {
    async fn addresses_of(&self, debtor: DebtorId) -> Result<Vec<Address>, StoreError> {
        let t = self.tx().await?;
        let own = t.addresses.values().filter(|a| a.debtor_id == debtor);
        let mut own: Vec<Address> = own.cloned().collect();
        own.sort_by_key(|a| (a.bad, Reverse(a.confirmed_at), Reverse(a.id)));
        Ok(own)
    }

    async fn get_address(&self, id: AddressId) -> Result<Address, StoreError> {
        let t = self.tx().await?;
        let found = t.addresses.get(&id).cloned();
        found.ok_or(StoreError::NotFound("address"))
    }

    async fn put_address(&self, row: &Address, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        let others = t.addresses.values();
        let others = others.filter(|a| a.debtor_id == row.debtor_id && a.id != row.id);
        if others.count() >= ADDRESSES_MAX {
            let text = format!("a debtor has {ADDRESSES_MAX} addresses at most");
            return Err(StoreError::Conflict(text));
        }
        t.addresses.insert(row.id, row.clone());
        t.append(events);
        Ok(())
    }
}
