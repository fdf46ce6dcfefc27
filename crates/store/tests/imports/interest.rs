//! Interest by a rule, where files are taken back.

use super::{later, take, undo};
use domain::entity::{DebtStatus, InterestRule};
use domain::ports::StoreError;
use domain::time::DAY_MS;
use sim::contract::scene::*;

/// 36 % on 360 days, simple: 1.00 a day on 1,000.00.
async fn add_rule(store: &Subject, scene: &Scene) {
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

/// Owes 1,000.00 of principal since 40 days before now, and nothing else.
fn bare(scene: &Scene) -> Person {
    let mut person = scene.draft_person();
    (person.debt.principal_minor, person.debt.overdue_minor) = (100_000, 100_000);
    (person.debt.interest_minor, person.debt.fees_minor) = (0, 0);
    person
}

/// A file that changes the principal puts what the rule has earned on the old one into the figures; taken back,
/// it is earned as if the file had never been, also by money that came meanwhile.
async fn interest_goes_back_too(store: &Subject) {
    let scene = Scene::new(store).await;
    add_rule(store, &scene).await;
    let person = bare(&scene);
    take(store, &[person.row(2)]).await;
    let mut row = person.row(2);
    (row.debt.principal_minor, row.debt.overdue_minor) = (50_000, 50_000);
    row.debtor.updated_at = NOW.plus_ms(10 * DAY_MS);
    row.debt.updated_at = row.debtor.updated_at;
    let (id, _) = take(store, &[row]).await;
    let stored = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(stored.interest_minor, 5_000, "50 days at 1.00");
    let mut payment = person.payment(1_000);
    payment.paid_at = NOW.plus_ms(11 * DAY_MS);
    payment.posted_at = payment.paid_at;
    let paid = store.post_payment(&payment, &[], &of_promise).await;
    paid.expect("paid");
    undo(store, id).await;
    let stored = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(
        (
            stored.principal_minor,
            stored.interest_minor,
            stored.overdue_minor
        ),
        (100_000, 4_100, 104_100)
    );
    let far = store.accruals_of(&[person.debt.id]).await.expect("far");
    assert_eq!(far[0].booked_minor, 5_100, "51 days");
}

/// The rule came after the file, and money put its interest into the figures: taken back, the whole of it is
/// earned on the principal before.
async fn interest_of_a_later_rule_goes_back_too(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = bare(&scene);
    take(store, &[person.row(2)]).await;
    let mut row = later(&person.row(2));
    (row.debt.principal_minor, row.debt.overdue_minor) = (50_000, 50_000);
    let (id, _) = take(store, &[row]).await;
    add_rule(store, &scene).await;
    let mut payment = person.payment(1_000);
    payment.paid_at = NOW.plus_ms(10 * DAY_MS);
    payment.posted_at = payment.paid_at;
    let paid = store.post_payment(&payment, &[], &of_promise).await;
    paid.expect("paid");
    let stored = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(stored.interest_minor, 1_500, "50 days at 0.50, less 10.00");
    undo(store, id).await;
    let stored = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(
        (stored.principal_minor, stored.interest_minor),
        (100_000, 4_000),
        "50 days at 1.00, less 10.00"
    );
}

/// A recall puts what was earned until then into the figures: taken back, no day of it is lost.
async fn interest_of_a_recall_goes_back_too(store: &Subject) {
    let scene = Scene::new(store).await;
    add_rule(store, &scene).await;
    let person = bare(&scene);
    take(store, &[person.row(2)]).await;
    let (next, _) = take(store, &[later(&scene.draft_person().row(2))]).await;
    let recalled = store.recall_debts(next, &[person.debt.id], NOW).await;
    assert_eq!(recalled.expect("recalled"), 1);
    let stored = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(stored.interest_minor, 4_000);
    undo(store, next).await;
    let stored = store.get_debt(person.debt.id).await.expect("debt");
    let at = NOW.plus_ms(10 * DAY_MS);
    let owed = store.owed(&[stored], at).await.expect("owed");
    assert_eq!(
        (owed[0].status, owed[0].interest_minor),
        (DebtStatus::Open, 5_000),
        "50 days, as if nobody had recalled it"
    );
}

/// Who was promised something stays of a file that is taken back, with what his debt has earned by that day;
/// of who goes, nothing stays.
async fn a_recall_by_taking_back_books_its_interest(store: &Subject) {
    let scene = Scene::new(store).await;
    add_rule(store, &scene).await;
    let (known, made, quiet) = (bare(&scene), bare(&scene), bare(&scene));
    take(store, &[known.row(2)]).await;
    // A second debt of who was there, and two who were not.
    let mut second = later(&known.row(2));
    second.debt = scene.draft_debt(known.debtor.id, 100_000);
    second.debt.due_date.clone_from(&known.debt.due_date);
    (second.debt.principal_minor, second.debt.overdue_minor) = (100_000, 100_000);
    (second.debt.interest_minor, second.debt.fees_minor) = (0, 0);
    let file = [second.clone(), later(&made.row(3)), later(&quiet.row(4))];
    let (id, report) = take(store, &file).await;
    assert_eq!(report.debts_new, 3);
    let second = Person {
        debt: second.debt,
        ..known.clone()
    };
    for person in [&second, &made] {
        let payment = person.payment(1_000);
        let paid = store.post_payment(&payment, &[], &of_promise).await;
        paid.expect("paid");
    }
    // What nobody named has its interest noted too, by a file that changes it.
    let mut dearer = later(&quiet.row(5));
    dearer.debt.principal_minor += 1_000;
    dearer.debt.updated_at = NOW.plus_ms(2_000);
    take(store, &[dearer]).await;
    let far = store.accruals_of(&[quiet.debt.id]).await.expect("far");
    assert_eq!(far.len(), 1);
    let at = NOW.plus_ms(10 * DAY_MS);
    loop {
        let step = store.undo_step(id, at).await.expect("undo");
        if !step.more {
            break;
        }
    }
    for person in [&second, &made] {
        let stored = store.get_debt(person.debt.id).await.expect("stays");
        assert_eq!(
            (stored.status, stored.interest_minor),
            (DebtStatus::Recalled, 4_000),
            "50 days at 1.00, less 10.00 that were paid"
        );
        let far = store.accruals_of(&[person.debt.id]).await.expect("far");
        assert_eq!(far[0].booked_minor, 5_000);
    }
    let gone = store.get_debt(quiet.debt.id).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))));
    let far = store.accruals_of(&[quiet.debt.id]).await.expect("far");
    assert!(far.is_empty(), "nothing stays of a debt that is gone");
}

pub(crate) async fn all(store: &Subject) {
    interest_goes_back_too(store).await;
    interest_of_a_later_rule_goes_back_too(store).await;
    interest_of_a_recall_goes_back_too(store).await;
    a_recall_by_taking_back_books_its_interest(store).await;
}
