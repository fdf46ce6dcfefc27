//! Where money goes: over which debts, onto which parts of one, and what a reversal gives back.
//!
//! The books: a debt's balance falls by exactly the parts of its payments, a reversal gives back exactly
//! what was taken, last taken first, and nothing is ever taken that is not owed.

use crate::entity::{Debt, DebtStatus, PartOrder, Parts, Receipt, ReceiptState, SpreadRule};
use crate::ids::DebtId;
use crate::money::Currency;
use crate::ports::store::ReceiptStep;

impl Parts {
    /// The money in it: fees, interest, principal and excess.
    #[must_use]
    pub const fn sum(&self) -> i64 {
        self.fees_minor
            .saturating_add(self.interest_minor)
            .saturating_add(self.principal_minor)
            .saturating_add(self.excess_minor)
    }

    /// Adds another, part by part.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            fees_minor: self.fees_minor.saturating_add(other.fees_minor),
            interest_minor: self.interest_minor.saturating_add(other.interest_minor),
            principal_minor: self.principal_minor.saturating_add(other.principal_minor),
            excess_minor: self.excess_minor.saturating_add(other.excess_minor),
            overdue_minor: self.overdue_minor.saturating_add(other.overdue_minor),
        }
    }
}

const fn taken(from: &mut i64, left: &mut i64) -> i64 {
    let most = if *from > 0 { *from } else { 0 };
    let take = if *left < most { *left } else { most };
    *from -= take;
    *left -= take;
    take
}

/// Puts `minor` (0 or more) on a debt in the client's order; what is more than owed is excess. An open debt
/// with nothing left is paid.
pub fn take(debt: &mut Debt, minor: i64, order: PartOrder) -> Parts {
    let mut left = minor.max(0);
    let mut parts = Parts::default();
    let mut overdue = left;
    parts.overdue_minor = taken(&mut debt.overdue_minor, &mut overdue);
    let (fees, interest, principal) = (
        &mut debt.fees_minor,
        &mut debt.interest_minor,
        &mut debt.principal_minor,
    );
    match order {
        PartOrder::FeesFirst => {
            parts.fees_minor = taken(fees, &mut left);
            parts.interest_minor = taken(interest, &mut left);
            parts.principal_minor = taken(principal, &mut left);
        }
        PartOrder::InterestFirst => {
            parts.interest_minor = taken(interest, &mut left);
            parts.fees_minor = taken(fees, &mut left);
            parts.principal_minor = taken(principal, &mut left);
        }
        PartOrder::PrincipalFirst => {
            parts.principal_minor = taken(principal, &mut left);
            parts.interest_minor = taken(interest, &mut left);
            parts.fees_minor = taken(fees, &mut left);
        }
    }
    parts.excess_minor = left;
    if debt.balance_minor() == 0 && debt.status == DebtStatus::Open {
        debt.status = DebtStatus::Paid;
    }
    parts
}

/// Gives `minor` (0 or more) back to a debt out of what a payment put on it and what of that is still
/// there: excess first, then principal, interest, fees. Gives the negative parts; what exceeds `there` is
/// not given. A paid debt that is owed again is open.
pub fn give_back(debt: &mut Debt, there: &Parts, minor: i64) -> Parts {
    let mut there = *there;
    let mut left = minor.max(0);
    let back = Parts {
        excess_minor: -taken(&mut there.excess_minor, &mut left),
        principal_minor: -taken(&mut there.principal_minor, &mut left),
        interest_minor: -taken(&mut there.interest_minor, &mut left),
        fees_minor: -taken(&mut there.fees_minor, &mut left),
        overdue_minor: 0,
    };
    let to_debt = back.excess_minor.saturating_sub(back.sum());
    let overdue = to_debt.min(there.overdue_minor.max(0));
    debt.principal_minor = debt.principal_minor.saturating_sub(back.principal_minor);
    debt.interest_minor = debt.interest_minor.saturating_sub(back.interest_minor);
    debt.fees_minor = debt.fees_minor.saturating_sub(back.fees_minor);
    debt.overdue_minor = debt.overdue_minor.saturating_add(overdue);
    if debt.status == DebtStatus::Paid && debt.balance_minor() > 0 {
        debt.status = DebtStatus::Open;
    }
    Parts {
        overdue_minor: -overdue,
        ..back
    }
}

/// What a reversal gives back of money whose parts nobody noted: all of it to principal.
#[must_use]
pub const fn whole(reversal_minor: i64) -> Parts {
    let minor = if reversal_minor < 0 {
        -reversal_minor
    } else {
        0
    };
    Parts {
        fees_minor: 0,
        interest_minor: 0,
        principal_minor: minor,
        excess_minor: 0,
        overdue_minor: minor,
    }
}

/// A receipt after a step; `None` when it has less left than the step needs, or other money went back than the
/// step knows of.
#[must_use]
pub fn stepped(row: Receipt, step: &ReceiptStep<'_>) -> Option<Receipt> {
    let spent = step
        .payments
        .iter()
        .try_fold(step.returned_minor, |sum, p| {
            sum.checked_add(p.amount.amount_minor)
        })?;
    let left_minor = row.left_minor.checked_sub(spent)?;
    let returned_minor = row.returned_minor.checked_add(step.returned_minor)?;
    let known = step.gone_minor.is_none_or(|n| n == row.returned_minor);
    let same = step
        .payments
        .iter()
        .all(|p| p.amount.currency == row.amount.currency);
    let whole = row.amount.amount_minor;
    let fits = left_minor >= 0 && step.returned_minor >= 0 && left_minor + returned_minor <= whole;
    if !same || !known || !fits {
        return None;
    }
    let on_debts = whole - left_minor - returned_minor;
    let state = match (left_minor, on_debts) {
        (0, 0) => ReceiptState::Returned,
        (0, _) => ReceiptState::Posted,
        (_, 0) => ReceiptState::Unmatched,
        _ => ReceiptState::Over,
    };
    Some(Receipt {
        left_minor,
        returned_minor,
        state,
        debtor_id: step.debtor_id,
        note: step.note.to_owned(),
        updated_at: step.now,
        ..row
    })
}

/// An amount that falls due on one debt: an instalment, or what is promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// On which debt.
    pub debt_id: DebtId,
    /// Local date, `YYYY-MM-DD`.
    pub date: String,
    /// What of it is unpaid, minor units.
    pub minor: i64,
}

/// A part of money for one debt, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Which debt.
    pub debt_id: DebtId,
    /// How much.
    pub minor: i64,
}

/// What money is spread by.
#[derive(Debug, Clone, Copy)]
pub struct Spread<'a> {
    /// The client's rule.
    pub rule: SpreadRule,
    /// The debt that the money names, if it names one.
    pub named: Option<DebtId>,
    /// What falls due, in any order.
    pub dues: &'a [Due],
}

/// Spreads money over open debts of its own currency, none above its balance. A debt that is named comes
/// first under every rule. What is left is the second value.
#[must_use]
pub fn spread(debts: &[Debt], minor: i64, currency: Currency, by: Spread<'_>) -> (Vec<Share>, i64) {
    let mut owed: Vec<(&Debt, i64)> = debts
        .iter()
        .filter(|d| d.status == DebtStatus::Open && d.currency == currency)
        .map(|d| (d, d.balance_minor()))
        .filter(|(_, balance)| *balance > 0)
        .collect();
    owed.sort_by(|(a, _), (b, _)| (&a.due_date, a.id).cmp(&(&b.due_date, b.id)));
    if let Some(named) = by.named {
        owed.sort_by_key(|(d, _)| d.id != named);
    }
    let mut left = minor.max(0);
    let mut shares: Vec<Share> = Vec::new();
    let mut put = |debt_id: DebtId, room: &mut i64, most: i64, left: &mut i64| {
        let mut most = most.min(*room);
        let minor = taken(&mut most, left);
        *room -= minor;
        match shares.iter_mut().find(|s| s.debt_id == debt_id) {
            Some(share) => share.minor += minor,
            None if minor > 0 => shares.push(Share { debt_id, minor }),
            None => {}
        }
    };
    if by.rule == SpreadRule::ByInstalment && by.named.is_none() {
        let mut dues: Vec<&Due> = by.dues.iter().collect();
        dues.sort_by(|a, b| (&a.date, a.debt_id).cmp(&(&b.date, b.debt_id)));
        for due in dues {
            if let Some((debt, room)) = owed.iter_mut().find(|(d, _)| d.id == due.debt_id) {
                put(debt.id, room, due.minor, &mut left);
            }
        }
    }
    for (debt, room) in &mut owed {
        let most = *room;
        put(debt.id, room, most, &mut left);
    }
    (shares, left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ClientId, DebtorId, PortfolioId};
    use crate::time::UtcMs;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn debt(n: u128, due: &str, (fees, interest, principal): (i64, i64, i64)) -> Debt {
        Debt {
            id: DebtId(Uuid::from_u128(n)),
            debtor_id: DebtorId(Uuid::from_u128(1)),
            client_id: ClientId(Uuid::from_u128(2)),
            portfolio_id: PortfolioId(Uuid::from_u128(3)),
            external_ref: format!("D{n}"),
            product: "card".into(),
            currency: mxn(),
            principal_minor: principal,
            interest_minor: interest,
            fees_minor: fees,
            overdue_minor: principal / 2,
            minimum_minor: 0,
            due_date: due.into(),
            statute_date: None,
            status: DebtStatus::Open,
            created_at: UtcMs(0),
            updated_at: UtcMs(0),
        }
    }

    fn mxn() -> Currency {
        "MXN".parse().expect("a currency")
    }

    fn shares(debts: &[Debt], minor: i64, by: Spread<'_>) -> (Vec<(u128, i64)>, i64) {
        let (shares, left) = spread(debts, minor, mxn(), by);
        let plain = |s: &Share| (s.debt_id.0.as_u128(), s.minor);
        (shares.iter().map(plain).collect(), left)
    }

    #[test]
    fn each_rule_spreads_in_its_own_order() {
        let debts = [
            debt(1, "2026-09-01", (0, 0, 100)),
            debt(2, "2026-07-01", (10, 20, 70)),
            debt(3, "2026-08-01", (0, 0, 100)),
        ];
        let dues = [Due {
            debt_id: debts[0].id,
            date: "2026-10-01".into(),
            minor: 30,
        }];
        let by = |rule, named| Spread {
            rule,
            named,
            dues: &dues,
        };
        let oldest = by(SpreadRule::OldestFirst, None);
        assert_eq!(shares(&debts, 150, oldest), (vec![(2, 100), (3, 50)], 0));
        let named = by(SpreadRule::ByDebt, Some(debts[0].id));
        assert_eq!(shares(&debts, 150, named), (vec![(1, 100), (2, 50)], 0));
        let due = by(SpreadRule::ByInstalment, None);
        assert_eq!(
            shares(&debts, 150, due),
            (vec![(1, 30), (2, 100), (3, 20)], 0)
        );
        assert_eq!(
            shares(&debts, 350, due),
            (vec![(1, 100), (2, 100), (3, 100)], 50),
            "more than is owed is left"
        );
        let other = "COP".parse().expect("a currency");
        assert_eq!(spread(&debts, 10, other, oldest), (vec![], 10));
    }

    #[test]
    fn parts_follow_the_order_of_the_client() {
        for (order, want) in [
            (PartOrder::FeesFirst, (10, 15, 0)),
            (PartOrder::InterestFirst, (5, 20, 0)),
            (PartOrder::PrincipalFirst, (0, 0, 25)),
        ] {
            let mut debt = debt(1, "2026-07-01", (10, 20, 70));
            let parts = take(&mut debt, 25, order);
            let have = (
                parts.fees_minor,
                parts.interest_minor,
                parts.principal_minor,
            );
            assert_eq!(have, want, "{order}");
            assert_eq!((debt.balance_minor(), parts.overdue_minor), (75, 25));
        }
    }

    #[test]
    fn the_least_payment_told_is_never_above_what_is_owed() {
        let mut debt = debt(1, "2026-07-01", (10, 20, 70));
        (debt.overdue_minor, debt.minimum_minor) = (35, 30);
        let parts = take(&mut debt, 10, PartOrder::FeesFirst);
        assert_eq!((debt.overdue_minor, debt.least_payment_minor()), (25, 25));
        give_back(&mut debt, &parts, 10);
        assert_eq!(debt.least_payment_minor(), 30, "as it was asked");
        take(&mut debt, 80, PartOrder::FeesFirst);
        assert_eq!((debt.overdue_minor, debt.least_payment_minor()), (0, 20));
        take(&mut debt, 20, PartOrder::FeesFirst);
        assert_eq!(debt.least_payment_minor(), 0);
    }

    proptest! {
        /// Whatever is paid and given back, in whatever portions: nothing is lost, nothing is made.
        #[test]
        fn what_is_taken_is_given_back(
            start in (0i64..1_000, 0i64..1_000, 1i64..1_000),
            paid in 0i64..4_000,
            portions in proptest::collection::vec(0i64..2_000, 0..6),
            order in prop_oneof![Just(PartOrder::FeesFirst), Just(PartOrder::InterestFirst), Just(PartOrder::PrincipalFirst)],
        ) {
            let before = debt(1, "2026-07-01", start);
            let mut debt = before.clone();
            let parts = take(&mut debt, paid, order);
            prop_assert_eq!(parts.sum(), paid);
            prop_assert_eq!(debt.balance_minor() + paid - parts.excess_minor, before.balance_minor());
            prop_assert_eq!(debt.status == DebtStatus::Paid, debt.balance_minor() == 0);
            let mut there = parts;
            for portion in portions {
                let balance = debt.balance_minor();
                let back = give_back(&mut debt, &there, portion);
                prop_assert!(-back.sum() == portion.min(there.sum()));
                prop_assert_eq!(debt.balance_minor() - balance, back.excess_minor - back.sum());
                there = there.plus(&back);
            }
            let rest = there.sum();
            there = there.plus(&give_back(&mut debt, &there, rest));
            prop_assert_eq!(there, Parts::default());
            prop_assert_eq!(debt, before);
        }

        /// Shares never exceed a balance and add up with what is left.
        #[test]
        fn shares_add_up(
            sizes in proptest::collection::vec(0i64..500, 0..6),
            dues in proptest::collection::vec((0usize..6, 0i64..300), 0..6),
            minor in 0i64..3_000,
            rule in prop_oneof![Just(SpreadRule::OldestFirst), Just(SpreadRule::ByDebt), Just(SpreadRule::ByInstalment)],
        ) {
            let debts: Vec<Debt> = (1..).zip(&sizes).map(|(n, s)| debt(n, "2026-07-01", (0, 0, *s))).collect();
            let dues: Vec<Due> = dues.iter().filter_map(|(at, minor)| Some(Due {
                debt_id: debts.get(*at)?.id, date: format!("2026-08-0{}", at + 1), minor: *minor,
            })).collect();
            let (shares, left) = spread(&debts, minor, mxn(), Spread { rule, named: None, dues: &dues });
            prop_assert_eq!(shares.iter().map(|s| s.minor).sum::<i64>() + left, minor);
            for share in &shares {
                let debt = debts.iter().find(|d| d.id == share.debt_id).expect("one of them");
                prop_assert!(share.minor > 0 && share.minor <= debt.balance_minor());
            }
            prop_assert_eq!(left > 0 && minor <= sizes.iter().sum::<i64>(), false);
        }
    }
}
