//! The due items of a debt (terms.md §1): what of each is open, and since when the debt is past due.
//!
//! Items are parts of the principal. Interest and fees, the creditor's or those of a rule, are of the debt as
//! a whole: were they in the items, interest that accrues would open an item again that was paid.
//!
//! What is open is derived and never stored: money, reversals, what plans forgive and the figures of files all
//! move the principal, and a second figure beside it could only disagree with it. The oldest item is paid
//! first, so that what is owed lies in the newest ones.
//!
//! A portfolio's rule of interest does not look at items: it bears on the whole principal from the date that holds, as
//! of a loan that is due as a whole once a part of it is late. Where only what is past may bear interest, the creditor's
//! own figures are to be used.

use crate::entity::{DEBT_ITEMS_MAX, Debt, DebtItem};
use std::collections::BTreeSet;

/// Why a list of items is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ItemsFault {
    /// More than a debt may have.
    #[error("at most {max} items of a debt, here are {0}", max = DEBT_ITEMS_MAX)]
    TooMany(usize),
    /// An item of nothing; by its place, from 0.
    #[error("expected an amount above 0")]
    Nothing(usize),
    /// Two items of one reference; the place of the second, from 0.
    #[error("another item has the same reference")]
    Twice(usize),
    /// The list is not of this debt's principal. Minor units.
    #[error(
        "the items add up to {sum_minor}, and {owed_minor} of the principal is owed: expected that sum, \
        without interest and fees, which are of the debt as a whole"
    )]
    Sum {
        /// Of the items.
        sum_minor: i64,
        /// Principal of the debt.
        owed_minor: i64,
    },
}

/// Puts items into their order: oldest first.
pub fn sort(items: &mut [DebtItem]) {
    items.sort_by(|a, b| {
        let place = |i: &DebtItem| (i.debt_id, i.due_date.clone(), i.reference.clone());
        place(a).cmp(&place(b))
    });
}

/// What the items are of together, minor units.
#[must_use]
pub fn sum(items: &[DebtItem]) -> i64 {
    let amounts = items.iter().map(|i| i.amount_minor);
    amounts.fold(0, i64::saturating_add)
}

/// What is open of each item of one debt, in their order, which is oldest first. Minor units.
#[must_use]
pub fn open_of(items: &[DebtItem], principal_minor: i64) -> Vec<i64> {
    let mut left = principal_minor.max(0);
    let mut open: Vec<i64> = items
        .iter()
        .rev()
        .map(|item| {
            let here = left.min(item.amount_minor);
            left -= here;
            here
        })
        .collect();
    open.reverse();
    open
}

/// The day from which a debt with these items is past due: that of the oldest of which something is open, or
/// of the last one where only interest and fees are owed. `None` without items.
#[must_use]
pub fn due_date(items: &[DebtItem], principal_minor: i64) -> Option<&str> {
    let open = open_of(items, principal_minor);
    let oldest = items.iter().zip(open).find(|(_, open)| *open > 0);
    let item = oldest.map(|(item, _)| item).or(items.last());
    item.map(|item| item.due_date.as_str())
}

/// Makes the due date of a debt follow what is owed of it. A debt without items stays as it is.
pub fn follow(debt: &mut Debt, items: &[DebtItem]) {
    if let Some(date) = due_date(items, debt.principal_minor) {
        date.clone_into(&mut debt.due_date);
    }
}

/// Somebody wrote figures of a debt that had these items, and none of the items; before, `owed_before` of the
/// principal was owed. The due date follows them as long as they explain what is owed; `false` where they are out of
/// date, the written date holds, and they go: more is owed than they add up to, or more than before since another day
/// than theirs, which is a new charge and no item that opened again. Minor units.
#[must_use]
pub fn follow_figures(debt: &mut Debt, items: &[DebtItem], owed_before: i64) -> bool {
    let own = due_date(items, debt.principal_minor);
    let charged = debt.principal_minor > owed_before && own != Some(debt.due_date.as_str());
    if debt.principal_minor > sum(items) || charged {
        return items.is_empty();
    }
    follow(debt, items);
    true
}

/// Whether a list may be that of a debt, which has `stands` now. It adds up to the principal that is owed, or to
/// the list that stands, of which some is paid: who sends the same list again is right. No list is one too.
///
/// # Errors
/// What is wrong with it.
pub fn check(
    items: &[DebtItem],
    principal_minor: i64,
    stands: &[DebtItem],
) -> Result<(), ItemsFault> {
    if items.len() > DEBT_ITEMS_MAX {
        return Err(ItemsFault::TooMany(items.len()));
    }
    if let Some(at) = items.iter().position(|i| i.amount_minor <= 0) {
        return Err(ItemsFault::Nothing(at));
    }
    let mut seen = BTreeSet::new();
    if let Some(at) = items
        .iter()
        .position(|i| !seen.insert(i.reference.as_str()))
    {
        return Err(ItemsFault::Twice(at));
    }
    let sum_minor = sum(items);
    let before = sum(stands);
    let same = !stands.is_empty() && sum_minor == before && before >= principal_minor;
    if items.is_empty() || sum_minor == principal_minor || same {
        return Ok(());
    }
    Err(ItemsFault::Sum {
        sum_minor,
        owed_minor: principal_minor,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::{DebtStatus, PartOrder};
    use crate::ids::{ClientId, DebtId, DebtorId, PortfolioId};
    use crate::rules::allocation;
    use crate::rules::plan;
    use crate::time::UtcMs;
    use proptest::prelude::*;
    use uuid::Uuid;

    const ID: DebtId = DebtId(Uuid::from_u128(1));

    fn item(month: usize, amount_minor: i64) -> DebtItem {
        DebtItem {
            debt_id: ID,
            reference: format!("F-{month:02}"),
            due_date: format!("2026-{month:02}-05"),
            amount_minor,
        }
    }

    fn list(amounts: &[i64]) -> Vec<DebtItem> {
        (1..).zip(amounts).map(|(n, a)| item(n, *a)).collect()
    }

    fn debt(principal_minor: i64, interest_minor: i64, fees_minor: i64) -> Debt {
        Debt {
            id: ID,
            debtor_id: DebtorId(Uuid::from_u128(2)),
            client_id: ClientId(Uuid::from_u128(3)),
            portfolio_id: PortfolioId(Uuid::from_u128(4)),
            external_ref: "D1".into(),
            product: "factura".into(),
            currency: "MXN".parse().expect("a currency"),
            principal_minor,
            interest_minor,
            fees_minor,
            overdue_minor: principal_minor,
            minimum_minor: 0,
            due_date: "2025-12-31".into(),
            statute_date: None,
            status: DebtStatus::Open,
            created_at: UtcMs(0),
            updated_at: UtcMs(0),
        }
    }

    #[test]
    fn the_oldest_is_paid_first_row_01() {
        let items = list(&[100, 200, 300]);
        for (principal, open, due) in [
            (600, [100, 200, 300], "2026-01-05"),
            (501, [1, 200, 300], "2026-01-05"),
            (500, [0, 200, 300], "2026-02-05"),
            (300, [0, 0, 300], "2026-03-05"),
            (1, [0, 0, 1], "2026-03-05"),
            // Interest and fees alone are as old as the last item.
            (0, [0, 0, 0], "2026-03-05"),
            // More than the list explains: all of it is open.
            (700, [100, 200, 300], "2026-01-05"),
        ] {
            assert_eq!(open_of(&items, principal), open, "{principal}");
            assert_eq!(due_date(&items, principal), Some(due), "{principal}");
        }
        assert_eq!(due_date(&[], 600), None);
        let mut plain = debt(600, 0, 0);
        follow(&mut plain, &[]);
        assert_eq!(plain, debt(600, 0, 0), "without items it stays");
    }

    #[test]
    fn written_figures_keep_a_list_that_explains_them() {
        let items = list(&[100, 200]);
        let mut less = debt(150, 9, 0);
        assert!(follow_figures(&mut less, &items, 300));
        assert_eq!(less.due_date, "2026-02-05");
        let mut more = debt(301, 0, 0);
        assert!(!follow_figures(&mut more, &items, 300));
        assert_eq!(more.due_date, "2025-12-31", "the written one");
        assert!(follow_figures(&mut more, &[], 300), "no list to go");
        // 250 of it was paid; 150 of new charges are owed since another day, and do not open what is paid.
        let mut charged = debt(200, 0, 0);
        charged.due_date = "2026-03-05".to_owned();
        assert!(!follow_figures(&mut charged, &items, 50));
        assert_eq!(charged.due_date, "2026-03-05", "the written one");
        // A file that has not heard of a payment yet writes the list's own day.
        let mut behind = debt(200, 0, 0);
        behind.due_date = "2026-02-05".to_owned();
        assert!(follow_figures(&mut behind, &items, 50));
    }

    #[test]
    fn a_list_is_of_the_principal() {
        let items = list(&[100, 200]);
        assert_eq!(check(&items, 300, &[]), Ok(()));
        assert_eq!(check(&items, 120, &items), Ok(()), "the same list again");
        let wrong = ItemsFault::Sum {
            sum_minor: 300,
            owed_minor: 120,
        };
        assert_eq!(check(&items, 120, &[]), Err(wrong.clone()));
        assert_eq!(check(&items, 120, &list(&[150])), Err(wrong));
        assert_eq!(check(&[], 120, &items), Ok(()), "no list");
        let none = list(&[300, 0]);
        assert_eq!(check(&none, 300, &[]), Err(ItemsFault::Nothing(1)));
        let twice = [item(1, 100), item(1, 200)];
        assert_eq!(check(&twice, 300, &[]), Err(ItemsFault::Twice(1)));
        let many: Vec<DebtItem> = (0..=DEBT_ITEMS_MAX).map(|n| item(n, 1)).collect();
        let count = DEBT_ITEMS_MAX + 1;
        assert_eq!(check(&many, 121, &[]), Err(ItemsFault::TooMany(count)));
    }

    proptest! {
        /// Whatever is paid, forgiven and given back: what is open adds up to the principal, lies in the newest
        /// items, the due date is that of the oldest of them, and all given back all is as it was.
        #[test]
        fn open_follows_the_principal(
            amounts in proptest::collection::vec(1i64..500, 1..9),
            beside in (0i64..300, 0i64..300),
            paid in proptest::collection::vec(0i64..900, 0..6),
            off in 0i64..400,
            order in prop_oneof![Just(PartOrder::FeesFirst), Just(PartOrder::InterestFirst), Just(PartOrder::PrincipalFirst)],
        ) {
            let items = list(&amounts);
            let mut owed = debt(sum(&items), beside.0, beside.1);
            follow(&mut owed, &items);
            prop_assert_eq!(&owed.due_date, "2026-01-05");
            let first = owed.clone();
            let mut taken = Vec::new();
            for minor in paid {
                taken.push(allocation::take(&mut owed, minor, order));
                follow(&mut owed, &items);
                looked(&owed, &items)?;
            }
            let forgiven = plan::forgive(&mut owed, off, UtcMs(0));
            follow(&mut owed, &items);
            looked(&owed, &items)?;
            allocation::give_back(&mut owed, &forgiven, forgiven.sum());
            follow(&mut owed, &items);
            looked(&owed, &items)?;
            for parts in taken.iter().rev() {
                allocation::give_back(&mut owed, parts, parts.sum());
                follow(&mut owed, &items);
                looked(&owed, &items)?;
            }
            prop_assert_eq!(owed, first);
        }
    }

    fn looked(owed: &Debt, items: &[DebtItem]) -> Result<(), TestCaseError> {
        let open = open_of(items, owed.principal_minor);
        prop_assert_eq!(open.iter().sum::<i64>(), owed.principal_minor);
        let oldest = open.iter().position(|o| *o > 0);
        for (n, (item, open)) in items.iter().zip(&open).enumerate() {
            prop_assert!((0..=item.amount_minor).contains(open));
            let behind = oldest.is_some_and(|first| n > first);
            prop_assert!(!behind || *open == item.amount_minor, "paid out of turn");
        }
        let due = oldest.unwrap_or(items.len() - 1);
        prop_assert_eq!(&owed.due_date, &items[due].due_date);
        Ok(())
    }
}
