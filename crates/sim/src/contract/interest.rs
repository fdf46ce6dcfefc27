//! Interest by a portfolio's rule: computed to a day, put into the figures by what changes the debt, never
//! beside the creditor's own.

use super::plans::{agreed, drawn, now, signed};
use super::scene::*;
use domain::entity::{Accrual, Debt, DebtStatus, InterestRule, Payment, PlanState};
use domain::ids::{InterestRuleId, PaymentId, PortfolioId};
use domain::ports::store::{PlanRefusal, RuleRefusal};
use domain::segment::day_of_date;
use domain::time::{DAY_MS, UtcMs};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Runs the group.
pub async fn all(store: Subject) {
    it_is_the_creditors_or_the_rules(&store).await;
    money_puts_it_into_the_figures(&store).await;
    money_of_an_earlier_day_lowers_what_was_owed_then(&store).await;
    a_reversal_owes_from_its_day_on(&store).await;
    a_plan_freezes_it(&store).await;
    what_goes_back_was_never_frozen(&store).await;
    a_file_leaves_it_there(&store).await;
    another_figure_earns_from_its_day_on(&store).await;
    nothing_is_earned_while_it_is_recalled(&store).await;
    for seed in 0..2 {
        books_balance(&store, seed).await;
    }
}

fn rule(portfolio: PortfolioId, scene: &Scene, from: &str, rate_bp: i32) -> InterestRule {
    InterestRule {
        id: fresh::<InterestRuleId>(),
        client_id: scene.client.id,
        portfolio_id: portfolio,
        from_day: day_of_date(from).expect("a day"),
        rate_bp,
        year_days: 360,
        grace_days: 0,
        cap_bp: None,
        made_by: None,
        made_at: NOW,
    }
}

async fn added(store: &Subject, row: &InterestRule) -> Result<(), RuleRefusal> {
    store.add_interest_rule(row, &[]).await.expect("asked")
}

/// 1,000.00 of principal since 2026-10-14 at 36 % on 360 days: 1.00 a day, 40.00 by now.
pub(super) async fn ruled(store: &Subject) -> (Scene, Person) {
    let scene = Scene::new(store).await;
    let row = rule(scene.portfolio.id, &scene, "2026-01-01", 3_600);
    assert_eq!(added(store, &row).await, Ok(()));
    let mut person = scene.draft_person();
    person.debt.principal_minor = 100_000;
    person.debt.interest_minor = 0;
    person.debt.fees_minor = 0;
    person.debt.overdue_minor = 100_000;
    person.store(store).await;
    (scene, person)
}

pub(super) async fn owed(store: &Subject, person: &Person, at: UtcMs) -> Debt {
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    let found = store.owed(&[debt], at).await.expect("owed");
    found.into_iter().next().expect("the debt")
}

async fn accrual(store: &Subject, person: &Person) -> Option<Accrual> {
    let found = store.accruals_of(&[person.debt.id]).await.expect("asked");
    found.into_iter().next()
}

fn payment(person: &Person, minor: i64, paid_at: UtcMs, posted_at: UtcMs) -> Payment {
    Payment {
        paid_at,
        posted_at,
        ..person.payment(minor)
    }
}

async fn post(store: &Subject, row: &Payment) {
    let posted = store.post_payment(row, &[], &of_promise).await;
    posted.expect("posted");
}

pub(super) fn later(days: i64) -> UtcMs {
    NOW.plus_ms(days * DAY_MS)
}

async fn it_is_the_creditors_or_the_rules(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let row = rule(scene.portfolio.id, &scene, "2026-11-01", 3_600);
    let refused = added(store, &row).await;
    assert_eq!(refused, Err(RuleRefusal::CreditorsFigures));
    assert_eq!(
        owed(store, &person, NOW).await,
        person.debt,
        "as the creditor said"
    );
    let closed = Debt {
        interest_minor: 0,
        ..person.debt.clone()
    };
    store.put_debt(&closed, &[]).await.expect("debt");
    assert_eq!(added(store, &row).await, Ok(()));
    for from in ["2026-11-01", "2026-10-01"] {
        let again = rule(scene.portfolio.id, &scene, from, 100);
        assert_eq!(added(store, &again).await, Err(RuleRefusal::Past), "{from}");
    }
    let next = rule(scene.portfolio.id, &scene, "2026-12-01", 100);
    assert_eq!(added(store, &next).await, Ok(()));
    let rules = store.interest_rules(scene.portfolio.id).await;
    assert_eq!(rules.expect("rules"), [row, next]);
}

async fn money_puts_it_into_the_figures(store: &Subject) {
    let (_, person) = ruled(store).await;
    let today = owed(store, &person, NOW).await;
    assert_eq!(
        (today.interest_minor, today.overdue_minor),
        (4_000, 104_000)
    );
    let stored = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(stored.interest_minor, 0, "nothing is written by the day");
    assert_eq!(accrual(store, &person).await, None);
    post(store, &payment(&person, 1_000, NOW, NOW)).await;
    let stored = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(
        (stored.interest_minor, stored.principal_minor),
        (3_000, 100_000),
        "interest before principal"
    );
    let far = accrual(store, &person).await.expect("how far");
    assert_eq!((far.booked_minor, far.rest), (4_000, 0));
    assert_eq!(owed(store, &person, later(10)).await.interest_minor, 4_000);
    post(store, &payment(&person, 54_000, later(10), later(10))).await;
    let then = owed(store, &person, later(20)).await;
    assert_eq!((then.principal_minor, then.interest_minor), (50_000, 500));
    post(store, &payment(&person, 50_500, later(20), later(20))).await;
    let done = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!((done.balance_minor(), done.status), (0, DebtStatus::Paid));
    assert_eq!(owed(store, &person, later(90)).await, done, "paid is paid");
}

async fn money_of_an_earlier_day_lowers_what_was_owed_then(store: &Subject) {
    let (_, person) = ruled(store).await;
    post(store, &payment(&person, 53_000, later(-10), NOW)).await;
    let today = owed(store, &person, NOW).await;
    assert_eq!((today.principal_minor, today.interest_minor), (50_000, 500));
    // One that comes still later, of a still earlier day, takes no interest back that was put there.
    post(store, &payment(&person, 500, later(-20), later(1))).await;
    let far = accrual(store, &person).await.expect("how far");
    assert_eq!(far.booked_minor, 3_000);
    assert_eq!(
        owed(store, &person, NOW).await.balance_minor(),
        49_500 + 495
    );
}

async fn a_reversal_owes_from_its_day_on(store: &Subject) {
    let (_, person) = ruled(store).await;
    let whole = payment(&person, 104_000, NOW, NOW);
    post(store, &whole).await;
    let back = Payment {
        reverses: Some(whole.id),
        ..payment(&person, -104_000, later(5), later(5))
    };
    post(store, &back).await;
    let open = owed(store, &person, later(5)).await;
    assert_eq!(open.status, DebtStatus::Open);
    assert_eq!(
        (open.principal_minor, open.interest_minor),
        (100_000, 4_000)
    );
    assert_eq!(owed(store, &person, later(6)).await.interest_minor, 4_100);
}

async fn a_plan_freezes_it(store: &Subject) {
    let (_, person) = ruled(store).await;
    let early = agreed(&person, 4_000);
    assert_eq!(drawn(store, &early).await, Err(PlanRefusal::Balance));
    let today = Person {
        debt: owed(store, &person, NOW).await,
        ..person.clone()
    };
    let file = agreed(&today, 4_000);
    assert_eq!(drawn(store, &file).await, Ok(()));
    signed(store, &file).await;
    assert_eq!(owed(store, &person, later(9)).await.interest_minor, 4_000);
    store.sweep_plans(later(10), 500).await.expect("swept");
    let broken = now(store, &file).await;
    assert_eq!(broken.plan.state, PlanState::Broken);
    // The quita stays where the contract says nothing else; interest runs on from there.
    let then = owed(store, &person, later(12)).await;
    assert_eq!((then.interest_minor, then.principal_minor), (200, 100_000));
}

/// A plan forgives the interest that arose while it ran; interest that older money had paid and that is owed again
/// since that went back, it does not.
async fn what_goes_back_was_never_frozen(store: &Subject) {
    let (_, person) = ruled(store).await;
    let older = payment(&person, 4_000, NOW, NOW);
    post(store, &older).await;
    let today = Person {
        debt: owed(store, &person, NOW).await,
        ..person.clone()
    };
    assert_eq!(today.debt.balance_minor(), 100_000);
    let mut file = agreed(&today, 0);
    file.plan.made_at = later(1);
    file.plan.balance_minor += 100;
    file.plan.agreed_minor += 100;
    file.plan.interest_minor = 100;
    file.instalments[1].amount_minor += 100;
    assert_eq!(drawn(store, &file).await, Ok(()));
    (file.plan.state, file.plan.signed_at) = (PlanState::Signed, Some(later(1)));
    let moved = store.move_plan(&file.plan, PlanState::Approved, &[]).await;
    assert!(moved.expect("signed"));
    let back = Payment {
        reverses: Some(older.id),
        ..payment(&person, -4_000, later(2), later(2))
    };
    post(store, &back).await;
    let whole = payment(&person, 100_100, later(3), later(3));
    post(store, &whole).await;
    assert_eq!(now(store, &file).await.plan.state, PlanState::Completed);
    let forgiven = store.forgiven_of(person.debt.id).await.expect("forgiven");
    assert_eq!(forgiven, [], "nothing arose");
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(
        (debt.balance_minor(), debt.status),
        (4_000, DebtStatus::Open)
    );
}

async fn a_file_leaves_it_there(store: &Subject) {
    let (_, person) = ruled(store).await;
    post(store, &payment(&person, 1_000, NOW, NOW)).await;
    let mut row = person.row(2);
    let import = fresh();
    let first = store
        .import_batch(import, std::slice::from_ref(&row), false, &[])
        .await;
    assert_eq!(first.expect("import").debts_changed, 0, "as the file says");
    row.debt.principal_minor = 50_000;
    row.debt.overdue_minor = 50_000;
    row.debt.updated_at = later(10);
    let import = fresh();
    let second = store.import_batch(import, &[row], false, &[]).await;
    assert_eq!(second.expect("import").debts_changed, 1);
    let stored = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(
        (stored.principal_minor, stored.interest_minor),
        (50_000, 4_000),
        "what was earned on the old principal is there"
    );
    assert_eq!(owed(store, &person, later(20)).await.interest_minor, 4_500);
}

async fn another_figure_earns_from_its_day_on(store: &Subject) {
    let (_, person) = ruled(store).await;
    let put = async |row: &Debt, at: UtcMs| {
        let row = Debt {
            updated_at: at,
            ..row.clone()
        };
        store.put_debt(&row, &[]).await.expect("debt");
        store.get_debt(row.id).await.expect("debt")
    };
    let half = Debt {
        principal_minor: 50_000,
        overdue_minor: 50_000,
        ..person.debt.clone()
    };
    let stored = put(&half, NOW).await;
    assert_eq!(
        (stored.principal_minor, stored.interest_minor),
        (50_000, 4_000),
        "what was earned on the old principal is there"
    );
    assert_eq!(stored.overdue_minor, 54_000);
    assert_eq!(owed(store, &person, later(10)).await.interest_minor, 4_500);
    let far = accrual(store, &person).await;
    let named = Debt {
        product: "loan".into(),
        ..stored
    };
    let stored = put(&named, later(10)).await;
    assert_eq!(
        (stored.interest_minor, stored.overdue_minor),
        (4_000, 54_000)
    );
    assert_eq!(
        accrual(store, &person).await,
        far,
        "another name books none"
    );
    let away = Debt {
        status: DebtStatus::Recalled,
        ..stored
    };
    let stored = put(&away, later(10)).await;
    assert_eq!(stored.interest_minor, 4_500);
    let again = Debt {
        status: DebtStatus::Open,
        ..stored
    };
    put(&again, later(20)).await;
    let then = owed(store, &person, later(30)).await;
    assert_eq!(then.interest_minor, 5_000, "none for ten days away");
    let nothing = Debt {
        principal_minor: 0,
        interest_minor: 0,
        overdue_minor: 0,
        status: DebtStatus::Paid,
        ..again
    };
    assert_eq!(put(&nothing, later(30)).await.balance_minor(), 0);
}

async fn nothing_is_earned_while_it_is_recalled(store: &Subject) {
    let (_, person) = ruled(store).await;
    let import = fresh();
    let row = person.row(2);
    let taken = store.import_batch(import, &[row], false, &[]).await;
    taken.expect("import");
    let recalled = store.recall_debts(import, &[person.debt.id], NOW).await;
    assert_eq!(recalled.expect("recalled"), 1);
    let stored = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(
        (stored.status, stored.interest_minor),
        (DebtStatus::Recalled, 4_000),
        "what was earned until then"
    );
    let again = Debt {
        status: DebtStatus::Open,
        updated_at: later(10),
        ..stored
    };
    store.put_debt(&again, &[]).await.expect("debt");
    assert_eq!(owed(store, &person, later(15)).await.interest_minor, 4_500);
}

/// Any history: what is stored is what was owed at first, with what the rule put there, less the parts of
/// payments; and what is owed on top is what the rule says for the days since.
async fn books_balance(store: &Subject, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (_, person) = ruled(store).await;
    let (mut paid, mut day): (Vec<Payment>, i64) = (Vec::new(), 0);
    for _ in 0..25 {
        day += rng.random_range(0..15);
        if paid.is_empty() || rng.random_bool(0.7) {
            let paid_at = later(day - rng.random_range(0..20));
            let row = payment(&person, rng.random_range(1..30_000), paid_at, later(day));
            post(store, &row).await;
            paid.push(row);
        } else {
            let first = paid.swap_remove(rng.random_range(0..paid.len()));
            let back = Payment {
                reverses: Some(first.id),
                ..payment(&person, -first.amount.amount_minor, later(day), later(day))
            };
            post(store, &back).await;
        }
        let stored = store.get_debt(person.debt.id).await.expect("debt");
        let file = store.debtor_file(person.debtor.id).await.expect("file");
        let ids: Vec<PaymentId> = file.payments.iter().map(|p| p.id).collect();
        let parts = store.parts_of(&ids).await.expect("parts");
        let sum: i64 = parts
            .iter()
            .map(|p| p.parts.sum() - p.parts.excess_minor)
            .sum();
        let booked = accrual(store, &person).await.map_or(0, |a| a.booked_minor);
        assert_eq!(
            stored.balance_minor() + sum,
            100_000 + booked,
            "seed {seed}, day {day}"
        );
        let today = owed(store, &person, later(day)).await;
        assert!(today.balance_minor() >= stored.balance_minor());
        assert!(today.overdue_minor <= today.balance_minor(), "seed {seed}");
    }
}
