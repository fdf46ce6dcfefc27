//! Of whom the random histories of the books are.

use super::due_items::{items, set};
use super::scene::*;
use domain::entity::{DebtItem, InterestRule};
use domain::ids::DebtId;
use std::collections::BTreeMap;

/// Three people with two debts each, two of them one person in the end. With a rule, nothing but principal is
/// owed: the rule earns the rest.
pub(super) async fn six_debts(store: &Subject, scene: &Scene, ruled: bool) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    for n in 0..3_i64 {
        let mut person = scene.draft_person();
        if let Some(first) = people.first().filter(|_| n == 1) {
            person.debtor.person_id = first.debtor.person_id;
            person.debtor.document = first.debtor.document.clone();
        }
        let second = scene.draft_debt(person.debtor.id, 50_000 + 10_000 * n);
        let mut other = Person {
            debt: second,
            ..person.clone()
        };
        for debt in [&mut person.debt, &mut other.debt] {
            if ruled {
                debt.principal_minor = debt.balance_minor();
                debt.overdue_minor = debt.principal_minor;
                (debt.interest_minor, debt.fees_minor) = (0, 0);
            }
        }
        person.store(store).await;
        store.put_debt(&other.debt, &[]).await.expect("debt");
        people.extend([person, other]);
    }
    people
}

/// Due items of principal: all past due, so that a rule earns as on a debt without.
pub(super) fn parts(debt: DebtId, principal_minor: i64) -> Vec<DebtItem> {
    let third = principal_minor / 3;
    let rest = principal_minor - 2 * third;
    let of = [
        ("2026-10-14", third),
        ("2026-10-28", third),
        ("2026-11-20", rest),
    ];
    items(debt, &of)
}

/// Every second debt has items, of which the due date is that of the first.
pub(super) async fn with_items(
    store: &Subject,
    people: &mut [Person],
) -> BTreeMap<DebtId, Vec<DebtItem>> {
    let mut lists = BTreeMap::new();
    for person in people.iter_mut().step_by(2) {
        let list = parts(person.debt.id, person.debt.principal_minor);
        let listed = set(store, person.debt.id, &list, NOW).await;
        // What a rule has earned by now is in the figures of that one, and among what it has booked.
        person.debt.due_date = listed.expect("items of the principal").due_date;
        lists.insert(person.debt.id, list);
    }
    lists
}

/// 36 % on 360 days, simple.
pub(super) async fn add_rule(store: &Subject, scene: &Scene) {
    let rule = InterestRule {
        id: fresh(),
        client_id: scene.client.id,
        portfolio_id: scene.portfolio.id,
        from_day: 20_000,
        rate_bp: 3_600,
        year_days: 360,
        grace_days: 0,
        cap_bp: None,
        made_by: None,
        made_at: NOW,
    };
    let added = store.add_interest_rule(&rule, &[]).await.expect("asked");
    assert_eq!(added, Ok(()));
}
