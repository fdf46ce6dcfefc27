//! Of whom the random histories of the books are.

use super::scene::*;
use domain::entity::InterestRule;

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
