//! The clock around interest, due items, postal addresses and departures from policy.

use super::Timed;
use super::ops::timed;
use async_trait::async_trait;
use domain::entity::{Accrual, Address, Debt, DebtItem, InterestRule};
use domain::event::NewEvent;
use domain::ids::{AddressId, DebtId, DebtorId, PortfolioId};
use domain::ports::store::{
    AddressStore, Departure, DepartureAsk, DepartureCount, DepartureRow, DepartureStore,
    DueItemStore, InterestStore, RuleRefusal, StoreError,
};
use domain::rules::due_items::ItemsFault;
use domain::time::UtcMs;
use std::time::Instant;
use uuid::Uuid;

timed! { InterestStore;
    interest_rules(portfolio: PortfolioId) -> Vec<InterestRule>;
    add_interest_rule(row: &InterestRule, events: &[NewEvent]) -> Result<(), RuleRefusal>;
    owed(debts: &[Debt], at: UtcMs) -> Vec<Debt>;
    accruals_of(debts: &[DebtId]) -> Vec<Accrual>;
}

timed! { DueItemStore;
    due_items_of(debts: &[DebtId]) -> Vec<DebtItem>;
    set_due_items(debt: DebtId, items: &[DebtItem], now: UtcMs, events: &[NewEvent]) -> Result<Debt, ItemsFault>;
}

timed! { AddressStore;
    addresses_of(debtor: DebtorId) -> Vec<Address>;
    get_address(id: AddressId) -> Address;
    put_address(row: &Address, events: &[NewEvent]) -> ();
}

timed! { DepartureStore;
    departure_count(kind: Departure, ask: &DepartureAsk) -> DepartureCount;
    departures(kind: Departure, ask: &DepartureAsk, after: Option<(UtcMs, Uuid)>, limit: u32) -> Vec<DepartureRow>;
}
