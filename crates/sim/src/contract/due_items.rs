//! Due items of debts: the whole list at once, the oldest paid first, the due date that of the oldest unpaid.

use super::interest::{later, owed, ruled};
use super::plans::{agreed, drawn, now, signed};
use super::scene::*;
use domain::entity::{DEBT_ITEMS_MAX, Debt, DebtItem, Payment, StrategyTrigger};
use domain::ids::DebtId;
use domain::ports::store::{FieldChange, ImportReport, PlanAsk, StoreError};
use domain::rules::due_items::{ItemsFault, due_date, open_of};
use domain::segment::{Expr, day_of_date};
use domain::time::UtcMs;

/// Runs the group.
pub async fn all(store: Subject) {
    a_list_is_of_the_debt_row_01(&store).await;
    money_pays_the_oldest_first_row_01(&store).await;
    a_plan_keeps_its_own_dates(&store).await;
    written_figures_are_followed(&store).await;
    files_bring_items_and_follow_them(&store).await;
    interest_counts_from_the_date_that_holds(&store).await;
}

/// Items of a debt: day and amount.
pub(super) fn items(debt: DebtId, of: &[(&str, i64)]) -> Vec<DebtItem> {
    let item = |(n, (due_date, amount_minor)): (usize, &(&str, i64))| DebtItem {
        debt_id: debt,
        reference: format!("F-{}", n + 1),
        due_date: (*due_date).to_owned(),
        amount_minor: *amount_minor,
    };
    of.iter().enumerate().map(item).collect()
}

/// Of the 700.00 of principal of whoever is drafted.
const PARTS: [(&str, i64); 3] = [
    ("2026-10-14", 20_000),
    ("2026-11-14", 20_000),
    ("2026-12-14", 30_000),
];

pub(super) async fn set(
    store: &Subject,
    debt: DebtId,
    list: &[DebtItem],
    at: UtcMs,
) -> Result<Debt, ItemsFault> {
    let done = store.set_due_items(debt, list, at, &[]).await;
    done.expect("asked")
}

/// Someone whose debt has its three items.
async fn listed(store: &Subject) -> (Scene, Person) {
    let scene = Scene::new(store).await;
    let mut person = scene.person(store).await;
    let list = items(person.debt.id, &PARTS);
    person.debt = set(store, person.debt.id, &list, NOW)
        .await
        .expect("a list");
    (scene, person)
}

async fn stored(store: &Subject, person: &Person) -> Debt {
    store.get_debt(person.debt.id).await.expect("debt")
}

async fn due(store: &Subject, person: &Person) -> String {
    stored(store, person).await.due_date
}

async fn open(store: &Subject, person: &Person) -> Vec<i64> {
    let list = store.due_items_of(&[person.debt.id]).await.expect("items");
    open_of(&list, stored(store, person).await.principal_minor)
}

async fn post(store: &Subject, row: &Payment) {
    let posted = store.post_payment(row, &[], &of_promise).await;
    posted.expect("posted");
}

fn back(person: &Person, of: &Payment, minor: i64) -> Payment {
    Payment {
        reverses: Some(of.id),
        ..person.payment(-minor)
    }
}

async fn a_list_is_of_the_debt_row_01(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let id = person.debt.id;
    let list = items(id, &PARTS);
    let missing = store.set_due_items(fresh(), &list, NOW, &[]).await;
    assert!(matches!(missing, Err(StoreError::NotFound(_))));
    let wrong = set(store, id, &list[..2], NOW).await;
    let sum = ItemsFault::Sum {
        sum_minor: 40_000,
        owed_minor: 70_000,
    };
    assert_eq!(wrong, Err(sum));
    let one = items(id, &[("2026-10-14", 1)]);
    let many = vec![one[0].clone(); DEBT_ITEMS_MAX + 1];
    let many = set(store, id, &many, NOW).await;
    assert_eq!(many, Err(ItemsFault::TooMany(DEBT_ITEMS_MAX + 1)));
    assert_eq!(store.due_items_of(&[id]).await.expect("items"), []);
    assert_eq!(
        stored(store, &person).await,
        person.debt,
        "nothing is written"
    );

    let mut mixed = list.clone();
    mixed.rotate_left(1);
    let done = set(store, id, &mixed, later(1)).await.expect("a list");
    let same = Debt {
        updated_at: later(1),
        ..person.debt.clone()
    };
    assert_eq!(
        (done, due(store, &person).await.as_str()),
        (same, "2026-10-14")
    );
    let file = store.debtor_file(person.debtor.id).await.expect("file");
    assert_eq!(file.items, list, "oldest first");
    let next = items(id, &[("2026-11-30", 70_000)]);
    let done = set(store, id, &next, NOW).await.expect("another list");
    assert_eq!(done.due_date, "2026-11-30");
    assert_eq!(store.due_items_of(&[id]).await.expect("items"), next);
    let done = set(store, id, &[], NOW).await.expect("no list");
    assert_eq!(done.due_date, "2026-11-30", "the date stays");
    assert_eq!(store.due_items_of(&[id]).await.expect("items"), []);
    post(store, &person.payment(60_000)).await;
    assert_eq!(due(store, &person).await, "2026-11-30", "without items too");
}

async fn money_pays_the_oldest_first_row_01(store: &Subject) {
    let (scene, person) = listed(store).await;
    let age = async || {
        let rows = store.segment_sample(scene.client.id, &Expr::All, NOW, 1);
        rows.await.expect("segment")[0].days_past_due
    };
    assert_eq!(
        (age().await, open(store, &person).await),
        (40, vec![20_000, 20_000, 30_000])
    );
    // Fees and interest first, then the whole of the oldest item.
    let first = person.payment(50_000);
    post(store, &first).await;
    assert_eq!(open(store, &person).await, [0, 20_000, 30_000]);
    assert_eq!(due(store, &person).await, "2026-11-14");
    assert_eq!(age().await, 9, "its age is that of the next one");
    let ask = PlanAsk {
        client: scene.client.id,
        portfolio: None,
        trigger: StrategyTrigger::DueDate,
        from_day: day_of_date("2026-10-01").expect("a day"),
        to_day: day_of_date("2026-12-31").expect("a day"),
        after: None,
        limit: 10,
    };
    let sources = store.plan_sources(&ask).await.expect("sources");
    let dates: Vec<&str> = sources.iter().map(|s| s.date.as_str()).collect();
    assert_eq!(dates, ["2026-11-14"], "reminders are of the next one");
    let list = store.due_items_of(&[person.debt.id]).await.expect("items");
    let again = set(store, person.debt.id, &list, NOW).await;
    assert_eq!(again.expect("the same list").due_date, "2026-11-14");

    let second = person.payment(25_000);
    post(store, &second).await;
    assert_eq!(open(store, &person).await, [0, 0, 25_000]);
    assert_eq!(due(store, &person).await, "2026-12-14");
    // Taken back: what was taken last is owed again first.
    post(store, &back(&person, &second, 25_000)).await;
    assert_eq!(due(store, &person).await, "2026-11-14");
    post(store, &back(&person, &first, 1)).await;
    assert_eq!(open(store, &person).await, [1, 20_000, 30_000]);
    assert_eq!(
        (due(store, &person).await.as_str(), age().await),
        ("2026-10-14", 40)
    );
    post(store, &person.payment(50_001)).await;
    let paid = stored(store, &person).await;
    assert_eq!(
        (paid.balance_minor(), paid.due_date.as_str()),
        (0, "2026-12-14")
    );
}

async fn a_plan_keeps_its_own_dates(store: &Subject) {
    let (_, person) = listed(store).await;
    let file = agreed(&person, 0);
    assert_eq!(drawn(store, &file).await, Ok(()));
    signed(store, &file).await;
    let before = now(store, &file).await;
    post(store, &person.payment(50_000)).await;
    let after = now(store, &file).await;
    let figures =
        |p: &domain::entity::Plan| (p.balance_minor, p.interest_minor, p.agreed_minor, p.made_at);
    assert_eq!(figures(&after.plan), figures(&before.plan));
    let dates = |f: &domain::entity::PlanFile| -> Vec<(String, UtcMs)> {
        let parts = f.instalments.iter();
        parts.map(|p| (p.due_date.clone(), p.grace_until)).collect()
    };
    assert_eq!(dates(&after), dates(&before));
    assert_eq!(due(store, &person).await, "2026-11-14");
    // Paid as agreed with a quita: what is forgiven pays the newest items too.
    let (_, person) = listed(store).await;
    let mut file = agreed(&person, 30_000);
    file.plan.freeze_interest = false;
    assert_eq!(drawn(store, &file).await, Ok(()));
    signed(store, &file).await;
    post(store, &person.payment(70_000)).await;
    assert_eq!(open(store, &person).await, [0, 0, 0]);
    assert_eq!(due(store, &person).await, "2026-12-14");
}

async fn written_figures_are_followed(store: &Subject) {
    let (_, person) = listed(store).await;
    let less = Debt {
        principal_minor: 45_000,
        due_date: "2026-09-01".into(),
        ..person.debt.clone()
    };
    let was = stored(store, &person).await;
    store.replace_debt(&was, &less, &[]).await.expect("written");
    assert_eq!(
        due(store, &person).await,
        "2026-11-14",
        "not the written one"
    );
    assert_eq!(open(store, &person).await, [0, 15_000, 30_000]);
    let more = Debt {
        principal_minor: 70_001,
        ..less
    };
    store.put_debt(&more, &[]).await.expect("written");
    assert_eq!(
        due(store, &person).await,
        "2026-09-01",
        "the list is out of date"
    );
    let none = store.due_items_of(&[person.debt.id]).await.expect("items");
    assert_eq!(none, []);
}

fn change(report: &ImportReport, field: &str) -> Option<FieldChange> {
    report.changes.iter().find(|c| c.field == field).cloned()
}

async fn files_bring_items_and_follow_them(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.draft_person();
    let id = person.debt.id;
    let take = async |row: &domain::ports::store::DebtorRow| {
        let rows = std::slice::from_ref(row);
        let dry = store.import_batch(fresh(), rows, true, &[]).await;
        let done = store.import_batch(fresh(), rows, false, &[]).await;
        let done = done.expect("import");
        assert_eq!(dry.expect("dry run"), done, "as it was shown");
        done
    };
    let mut row = person.row(2);
    row.items = items(id, &PARTS);
    assert_eq!(take(&row).await.debts_new, 1);
    assert_eq!(store.due_items_of(&[id]).await.expect("items"), row.items);
    assert_eq!(take(&row).await.unchanged, 1);

    // The same figures in other items.
    row.items = items(id, &[("2026-11-02", 70_000)]);
    row.debt.due_date = "2026-11-02".into();
    let report = take(&row).await;
    let listed = change(&report, "debt.items").expect("it is shown");
    assert_eq!(listed.after, "F-1|2026-11-02|70000");
    assert!(listed.before.starts_with("F-1|2026-10-14|20000;F-2|"));
    assert_eq!(
        (report.debts_changed, due(store, &person).await.as_str()),
        (1, "2026-11-02")
    );

    // A file that says nothing of items: what is owed goes by the list, whatever date it writes.
    row.items = items(id, &PARTS);
    take(&row).await;
    let mut plain = person.row(2);
    (plain.debt.principal_minor, plain.debt.overdue_minor) = (30_000, 30_000);
    let report = take(&plain).await;
    assert_eq!(change(&report, "debt.items"), None);
    assert_eq!(due(store, &person).await, "2026-12-14");
    assert_eq!(open(store, &person).await, [0, 0, 30_000]);
    assert_eq!(take(&plain).await.unchanged, 1);
    plain.debt.principal_minor = 70_001;
    let report = take(&plain).await;
    let gone = change(&report, "debt.items").expect("it is shown");
    assert_eq!(gone.after, "");
    assert_eq!(due(store, &person).await, person.debt.due_date);
    assert_eq!(store.due_items_of(&[id]).await.expect("items"), []);
}

async fn interest_counts_from_the_date_that_holds(store: &Subject) {
    let (_, person) = ruled(store).await;
    let list = items(
        person.debt.id,
        &[("2026-10-14", 40_000), ("2027-01-14", 60_000)],
    );
    set(store, person.debt.id, &list, NOW)
        .await
        .expect("a list");
    assert_eq!(
        owed(store, &person, NOW).await.interest_minor,
        4_000,
        "as before"
    );
    let first = person.payment(44_000);
    post(store, &first).await;
    let next = owed(store, &person, later(10)).await;
    assert_eq!(
        (next.due_date.as_str(), next.interest_minor),
        ("2027-01-14", 0)
    );
    let returned = Payment {
        posted_at: later(10),
        paid_at: later(10),
        ..back(&person, &first, 44_000)
    };
    post(store, &returned).await;
    let again = owed(store, &person, later(20)).await;
    assert_eq!(due_date(&list, again.principal_minor), Some("2026-10-14"));
    assert_eq!(again.due_date, "2026-10-14");
    assert_eq!(
        again.interest_minor, 5_000,
        "1.00 a day from the day it is missed"
    );
}
