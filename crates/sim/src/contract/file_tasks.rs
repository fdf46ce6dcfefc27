//! Files whose points somebody has to look at: who is among them, in which order, and that whatever changes a
//! point or a debt changes that in the same transaction.

use super::attempts::ended;
use super::imports::file;
use super::merges::merge_row;
use super::receipts::back;
use super::scene::*;
use domain::entity::{
    Assignment, CallResult, Channel, ContactPoint, DebtStatus, ImportState, Portfolio,
};
use domain::ids::{AgentId, DebtorId, ImportId, PortfolioId};
use domain::ports::StoreError;
use domain::ports::store::{Closing, DebtorRow, FileTaskAsk, FileTaskCounts, FileTaskRow};
use domain::rules::stale::{NO_PHONE, oldest_confirmed, stale_until};
use domain::time::{DAY_MS, UtcMs};

/// The third part of the group `floor`.
pub(super) async fn all(store: &Subject) {
    files_with_a_task_are_in_order_row_01(store).await;
    a_file_that_is_half_in_has_no_tasks(store).await;
    what_people_and_calls_change_is_seen_at_once_row_01(store).await;
    what_files_and_merges_change_is_seen_at_once(store).await;
}

fn ago(days: i64) -> UtcMs {
    NOW.plus_ms(-days * DAY_MS)
}

fn ask(scene: &Scene) -> FileTaskAsk {
    FileTaskAsk {
        client: scene.client.id,
        portfolio: None,
        agent: None,
        no_phone: None,
        until: stale_until(NOW),
        after: None,
        limit: 100,
    }
}

async fn list(store: &Subject, ask: &FileTaskAsk) -> Vec<FileTaskRow> {
    store.file_tasks(ask).await.expect("tasks")
}

async fn counts(store: &Subject, ask: &FileTaskAsk) -> (u64, u64) {
    let FileTaskCounts {
        no_phone,
        stale_point,
    } = store.file_task_counts(ask).await.expect("counts");
    (no_phone, stale_point)
}

fn ids(rows: &[FileTaskRow]) -> Vec<DebtorId> {
    rows.iter().map(|r| r.debtor_id).collect()
}

/// A debtor whose phone we have for some days, where somebody may have reached him.
fn draft(scene: &Scene, added: i64, reached: Option<i64>) -> Person {
    let mut person = scene.draft_person();
    person.point.added_at = ago(added);
    person.point.last_rpc_at = reached.map(ago);
    person
}

fn mail(debtor: DebtorId) -> ContactPoint {
    ContactPoint {
        channel: Channel::Email,
        value: "ana@example.org".into(),
        ..draft_point(debtor)
    }
}

/// Six debtors of one portfolio: the first three have a task, the others have none.
async fn six(store: &Subject, scene: &Scene) -> [Person; 6] {
    let mut people = [
        draft(scene, 400, None),
        draft(scene, 400, Some(10)),
        draft(scene, 0, None),
        draft(scene, 180, None),
        draft(scene, 179, None),
        draft(scene, 500, None),
    ];
    people[2].point.bad = true;
    people[5].debt.status = DebtStatus::Paid;
    for person in &people {
        person.store(store).await;
    }
    people
}

async fn files_with_a_task_are_in_order_row_01(store: &Subject) {
    let (scene, other) = (Scene::new(store).await, Scene::new(store).await);
    draft(&other, 600, None).store(store).await;
    let six = six(store, &scene).await;
    let mut by_mail = draft(&scene, 0, None);
    by_mail.point = mail(by_mail.debtor.id);
    by_mail.store(store).await;
    let second = Portfolio {
        id: fresh::<PortfolioId>(),
        name: name("second"),
        ..scene.portfolio.clone()
    };
    store.put_portfolio(&second, &[]).await.expect("portfolio");
    let mut hers = draft(&scene, 300, None);
    hers.debtor.portfolio_id = second.id;
    hers.debt.portfolio_id = second.id;
    hers.store(store).await;
    let eva = fresh::<AgentId>();
    let given = Assignment {
        debtor_id: hers.debtor.id,
        client_id: scene.client.id,
        rule_id: None,
        campaign_id: None,
        team_id: None,
        agent_id: Some(eva),
        assigned_at: NOW,
    };
    store.assign(&[given], &[]).await.expect("assigned");
    let [a, _, c, d, ..] = six.map(|p| p.debtor.id);
    let want = [c, by_mail.debtor.id, a, hers.debtor.id, d];
    let whole = ask(&scene);
    let rows = list(store, &whole).await;
    assert_eq!(ids(&rows), want);
    let at: Vec<UtcMs> = rows.iter().map(|r| r.confirmed_at).collect();
    assert_eq!(at, [NO_PHONE, NO_PHONE, ago(400), ago(300), ago(180)]);
    let row = &rows[3];
    assert_eq!((row.portfolio_id, row.agent_id), (second.id, Some(eva)));
    assert_eq!((row.balance_minor, row.currency.as_str()), (100_000, "MXN"));
    assert_eq!(row.external_ref, hers.debtor.external_ref);
    assert_eq!(counts(store, &whole).await, (2, 3));
    pages_join(store, &whole, &want).await;
    let kind = |no_phone| FileTaskAsk {
        no_phone: Some(no_phone),
        ..ask(&scene)
    };
    pages_join(store, &kind(true), &want[..2]).await;
    pages_join(store, &kind(false), &want[2..]).await;
    let of_second = FileTaskAsk {
        portfolio: Some(second.id),
        ..ask(&scene)
    };
    let of_eva = FileTaskAsk {
        agent: Some(eva),
        ..ask(&scene)
    };
    for few in [of_second, of_eva] {
        pages_join(store, &few, &want[3..4]).await;
        assert_eq!(counts(store, &few).await, (0, 1));
    }
}

/// Page by page the same as at once.
async fn pages_join(store: &Subject, of: &FileTaskAsk, want: &[DebtorId]) {
    let mut got = Vec::new();
    let mut page = FileTaskAsk {
        limit: 1,
        ..of.clone()
    };
    loop {
        let rows = list(store, &page).await;
        let Some(last) = rows.last() else { break };
        page.after = Some((last.confirmed_at, last.debtor_id));
        got.extend(ids(&rows));
    }
    assert_eq!(got, want, "{of:?}");
}

async fn a_file_that_is_half_in_has_no_tasks(store: &Subject) {
    let scene = Scene::new(store).await;
    let known = draft(&scene, 400, None);
    known.store(store).await;
    let mut row = file(&scene, ImportState::Accepting);
    store.put_import(&row, &[]).await.expect("file");
    let late = draft(&scene, 500, None);
    let rows = [late.row(2)];
    let written = store.import_batch(row.id, &rows, false, &[]).await;
    assert_eq!(written.expect("written").debtors_new, 1);
    let whole = ask(&scene);
    assert_eq!(ids(&list(store, &whole).await), [known.debtor.id]);
    assert_eq!(counts(store, &whole).await, (0, 1));
    row = store.get_import(row.id).await.expect("file");
    row.state = ImportState::Accepted;
    store.put_import(&row, &[]).await.expect("accepted");
    let both = [late.debtor.id, known.debtor.id];
    assert_eq!(ids(&list(store, &whole).await), both);
    assert_eq!(counts(store, &whole).await, (0, 2));
}

/// The list tells of each debtor with an open debt what his points tell.
async fn told(store: &Subject, scene: &Scene, debtors: &[DebtorId], what: &str) {
    let everybody = FileTaskAsk {
        until: UtcMs(i64::MAX),
        ..ask(scene)
    };
    let rows = list(store, &everybody).await;
    let got: Vec<_> = rows.iter().map(|r| (r.confirmed_at, r.debtor_id)).collect();
    let mut want = Vec::new();
    for id in debtors {
        let file = match store.debtor_file(*id).await {
            Err(StoreError::NotFound(_)) => continue,
            file => file.expect("file"),
        };
        if file.debts.iter().any(|d| d.status == DebtStatus::Open) {
            want.push((oldest_confirmed(file.points.iter()), *id));
        }
    }
    want.sort_unstable();
    assert_eq!(got, want, "{what}");
    let phoneless = want.iter().filter(|(at, _)| *at == NO_PHONE).count() as u64;
    let counted = counts(store, &everybody).await;
    assert_eq!(
        counted,
        (phoneless, want.len() as u64 - phoneless),
        "{what}"
    );
}

async fn what_people_and_calls_change_is_seen_at_once_row_01(store: &Subject) {
    let scene = Scene::new(store).await;
    let mut person = draft(&scene, 400, None);
    person.store(store).await;
    let debtor = [person.debtor.id];
    let tasks = async || counts(store, &ask(&scene)).await;
    assert_eq!(tasks().await, (0, 1));
    // Somebody reached him there.
    let lease = node(store).await;
    let attempt = person.open(store, &lease, NOW).await;
    let closing = Closing {
        point_rpc_at: Some(NOW),
        ..ended(CallResult::Human)
    };
    let closed = store.close_attempt(attempt.id, &closing).await;
    assert!(closed.expect("closed"));
    assert_eq!(tasks().await, (0, 0));
    told(store, &scene, &debtor, "reached").await;
    person.point.bad = true;
    store.put_point(&person.point, &[]).await.expect("wrong");
    assert_eq!(tasks().await, (1, 0));
    told(store, &scene, &debtor, "wrong number").await;
    let mut found = draft_point(person.debtor.id);
    store.put_point(&found, &[]).await.expect("found");
    assert_eq!(tasks().await, (0, 0));
    found.added_at = ago(200);
    store.put_point(&found, &[]).await.expect("older");
    let mut address = mail(person.debtor.id);
    address.added_at = ago(300);
    store.put_point(&address, &[]).await.expect("mail");
    told(store, &scene, &debtor, "an older address").await;
    assert_eq!(list(store, &ask(&scene)).await[0].confirmed_at, ago(300));
    // Who owes nothing has no task; he owes again.
    let paid = person.payment(100_000);
    let done = store.post_payment(&paid, &[], &of_promise).await;
    assert!(done.expect("paid").debt_paid);
    assert_eq!(tasks().await, (0, 0));
    told(store, &scene, &debtor, "paid").await;
    let reversal = back(&paid, 100_000);
    let done = store.post_payment(&reversal, &[], &of_promise).await;
    done.expect("reversed");
    assert_eq!(tasks().await, (0, 1));
    told(store, &scene, &debtor, "reversed").await;
}

async fn take(store: &Subject, rows: &[DebtorRow]) -> ImportId {
    let id = fresh::<ImportId>();
    let report = store.import_batch(id, rows, false, &[]).await;
    report.expect("import");
    id
}

async fn what_files_and_merges_change_is_seen_at_once(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, mut b) = (draft(&scene, 400, None), draft(&scene, 300, Some(250)));
    b.debtor.person_id = a.debtor.person_id;
    b.debtor.document = a.debtor.document.clone();
    let mut none = scene.draft_person().row(4);
    none.points.clear();
    let mut both = draft(&scene, 200, None).row(5);
    both.points.push(ContactPoint {
        added_at: ago(600),
        ..mail(both.debtor.id)
    });
    let rows = [a.row(2), b.row(3), none.clone(), both];
    let mut debtors: Vec<DebtorId> = rows.iter().map(|r| r.debtor.id).collect();
    take(store, &rows).await;
    told(store, &scene, &debtors, "a file").await;
    assert_eq!(counts(store, &ask(&scene)).await, (1, 3));
    let merge = store.merge_debtors(&merge_row(&a, &b), &[]).await;
    told(store, &scene, &debtors, "made one").await;
    let merge = merge.expect("merged").id;
    let apart = store.undo_merge(merge, "user:x", NOW.plus_ms(9_000), &[]);
    apart.await.expect("apart");
    told(store, &scene, &debtors, "two again").await;
    // A file finds a phone, and brings somebody.
    none.points.push(draft_point(none.debtor.id));
    none.debtor.updated_at = NOW.plus_ms(1);
    let late = draft(&scene, 500, None);
    debtors.push(late.debtor.id);
    let second = take(store, &[none, late.row(3)]).await;
    told(store, &scene, &debtors, "another file").await;
    assert_eq!(counts(store, &ask(&scene)).await, (0, 4));
    let undoes = store.undo_step(fresh::<ImportId>(), NOW).await;
    if matches!(undoes, Err(StoreError::NotFound(_))) {
        while store.undo_step(second, NOW).await.expect("undone").more {}
        told(store, &scene, &debtors, "taken back").await;
        assert_eq!(counts(store, &ask(&scene)).await, (1, 3));
    }
}
