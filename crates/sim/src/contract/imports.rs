//! Files on their way in: one process at a time works on one, and nobody sees a file that is half in.

use super::scene::*;
use super::{consent_files, placements};
use domain::entity::{DebtMark, DebtStatus, GonePolicy, Import, ImportKind, ImportState};
use domain::ids::{ClientId, DebtId, DebtorId, ImportId, PortfolioId};
use domain::ports::StoreError;
use domain::ports::store::{
    ASIDE_AT_ONCE, DebtorRow, IMPORT_STEP, IMPORT_TURN_MS, ImportReport, ListFilter, MARK_STEP,
    MarkAsk, PageRequest,
};
use domain::rules::ageing::AgeingSet;
use domain::segment::Expr;
use domain::time::{DAY_MS, UtcMs};
use std::sync::Arc;

/// Runs the group.
pub async fn all(store: Subject) {
    a_file_has_one_worker(&store).await;
    a_file_that_is_half_in_is_seen_by_nobody(&store).await;
    a_list_shows_whole_files_alone(&store).await;
    nobody_is_one_with_who_is_half_in(&store).await;
    who_lost_his_turn_writes_nothing(&store).await;
    what_a_file_changes_is_seen_with_it(&store).await;
    of_many_rows_what_waits_is_told(&store).await;
    one_file_of_a_portfolio_is_half_in(&store).await;
    two_files_that_share_persons_are_both_in(&store).await;
    two_files_that_recall_what_the_other_changes_are_both_in(&store).await;
    placements::is_due_on_its_day(&store).await;
    consent_files::all(&store).await;
}

/// A file of debtors, kept, on its way into a scene's portfolio.
#[must_use]
pub fn file(scene: &Scene, state: ImportState) -> Import {
    file_of((scene.client.id, scene.portfolio.id), NOW, state)
}

/// A file of debtors, kept, on its way into a client's portfolio.
#[must_use]
pub fn file_of(
    (client_id, portfolio_id): (ClientId, PortfolioId),
    at: UtcMs,
    state: ImportState,
) -> Import {
    Import {
        id: fresh::<ImportId>(),
        client_id,
        portfolio_id,
        kind: ImportKind::Portfolio,
        file_name: "cartera.csv".into(),
        state,
        map: serde_json::Value::Null,
        gone: GonePolicy::Keep,
        at,
        accepted_at: None,
        undone_at: None,
        rows_done: 0,
        difference: ImportReport::default(),
        report: ImportReport::default(),
        faults: Vec::new(),
        actor: "system".into(),
        bytes: 7,
        placement_id: None,
        merges: false,
    }
}

async fn a_file_has_one_worker(store: &Subject) {
    let scene = Scene::new(store).await;
    let row = file(&scene, ImportState::Ready);
    let take = async |worker: &str, at| store.take_import(row.id, worker, at).await.expect("take");
    assert!(!take("a", NOW).await, "there is no such file yet");
    store.put_import(&row, &[]).await.expect("file");
    assert!(take("a", NOW).await);
    assert!(
        !take("b", NOW.plus_ms(IMPORT_TURN_MS - 1)).await,
        "it is a's"
    );
    let later = NOW.plus_ms(IMPORT_TURN_MS / 2);
    assert!(take("a", later).await, "a says that he still works");
    assert!(!take("b", NOW.plus_ms(IMPORT_TURN_MS)).await);
    // The row itself is written meanwhile, without a word of who works.
    store.put_import(&row, &[]).await.expect("file");
    let over = later.plus_ms(IMPORT_TURN_MS);
    assert!(take("b", over).await, "a has died");
    assert!(!take("a", over).await, "and wakes up too late");
    store.leave_import(row.id, "a").await.expect("not his");
    assert!(!take("a", over).await);
    store.leave_import(row.id, "b").await.expect("left");
    assert!(take("a", over).await);
}

/// Debts that a morning marks.
async fn marked(store: &Subject, scene: &Scene) -> u32 {
    let ask = MarkAsk {
        portfolio: scene.portfolio.id,
        day: NOW.0 / DAY_MS,
        at: NOW,
        limit: MARK_STEP,
        after: None,
        ageing: AgeingSet::default(),
    };
    let told = |_: &DebtMark| event("debt.aged", "debt:any");
    store.mark_debts(&ask, &told).await.expect("marks").debts
}

async fn a_file_that_is_half_in_is_seen_by_nobody(store: &Subject) {
    let scene = Scene::new(store).await;
    let known = scene.person(store).await;
    let campaign = scene.campaign(store).await;
    let mut row = file(&scene, ImportState::Accepting);
    store.put_import(&row, &[]).await.expect("file");
    let (a, b) = (scene.draft_person(), scene.draft_person());
    let rows = [a.row(2), b.row(3)];
    let report = store.import_batch(row.id, &rows, false, &[]).await;
    assert_eq!(report.expect("written").debtors_new, 2);
    let ids = async || {
        let found = store.segment_ids(scene.client.id, &Expr::All, NOW).await;
        found.expect("ids")
    };
    let count = async || {
        let all = store
            .segment_estimate(scene.client.id, &Expr::All, NOW, 5)
            .await;
        let exact = store.segment_count(scene.client.id, &Expr::All, NOW).await;
        let (all, exact) = (all.expect("estimate"), exact.expect("count"));
        assert_eq!(all.count.debtors, exact.debtors);
        exact.debtors
    };
    let by_key = async || {
        let found = store.find_debtors(None, &a.debtor.external_ref, 5).await;
        found.expect("search").len()
    };
    let calling = async || {
        let number = a.point.value.reveal();
        let found = store.find_callers(scene.client.id, number, 5).await;
        let known = store.known_caller(scene.client.id, number).await;
        let known = known.expect("caller").is_some();
        (found.expect("callers").len(), known)
    };
    assert_eq!(ids().await, [known.debtor.id]);
    assert_eq!((count().await, by_key().await), (1, 0));
    assert_eq!(calling().await, (0, false));
    assert_eq!(marked(store, &scene).await, 1);
    let refilled = store.refill_campaign(&campaign, &Expr::All, NOW, &[]).await;
    assert_eq!(
        refilled.expect("refill").added,
        0,
        "the dialer has nobody new"
    );
    // It is in as a whole by one row.
    row = store.get_import(row.id).await.expect("file");
    row.state = ImportState::Accepted;
    store.put_import(&row, &[]).await.expect("accepted");
    assert_eq!((count().await, by_key().await), (3, 1));
    assert_eq!(calling().await, (1, true));
    assert_eq!(marked(store, &scene).await, 2);
    let refilled = store.refill_campaign(&campaign, &Expr::All, NOW, &[]).await;
    assert_eq!(refilled.expect("refill").added, 2);
    row.state = ImportState::Undoing;
    store.put_import(&row, &[]).await.expect("being taken back");
    assert_eq!(ids().await, [known.debtor.id]);
    assert_eq!(calling().await, (0, false));
}

async fn a_list_shows_whole_files_alone(store: &Subject) {
    let scene = Scene::new(store).await;
    let known = [scene.person(store).await, scene.person(store).await];
    let mut row = file(&scene, ImportState::Accepting);
    store.put_import(&row, &[]).await.expect("file");
    let fresh = scene.draft_person();
    let report = store
        .import_batch(row.id, &[fresh.row(2)], false, &[])
        .await;
    assert_eq!(report.expect("written").debtors_new, 1);
    let listed = async || {
        let filter = ListFilter {
            client_id: Some(scene.client.id),
            ..ListFilter::default()
        };
        let mut page = PageRequest {
            limit: 1,
            cursor: None,
        };
        let mut ids = Vec::new();
        loop {
            let got = store.debtor_page(&filter, &page).await.expect("a page");
            ids.extend(got.items.iter().map(|d| d.id));
            let Some(cursor) = got.next_cursor else {
                return ids;
            };
            page.cursor = Some(cursor);
        }
    };
    let mut all: Vec<DebtorId> = known.iter().map(|p| p.debtor.id).collect();
    all.sort_unstable();
    assert_eq!(listed().await, all);
    row = store.get_import(row.id).await.expect("file");
    row.state = ImportState::Accepted;
    store.put_import(&row, &[]).await.expect("accepted");
    all.push(fresh.debtor.id);
    all.sort_unstable();
    assert_eq!(listed().await, all);
    // Points of a page by one question.
    let points = store.points_of(&all).await.expect("points");
    let whose: Vec<DebtorId> = points.iter().map(|p| p.debtor_id).collect();
    assert!(whose.is_sorted(), "{whose:?}");
    for person in known.iter().chain([&fresh]) {
        assert!(points.iter().any(|p| p.value == person.point.value));
    }
    let of_one = store.points_of(&all[..1]).await.expect("points");
    assert!(of_one.iter().all(|p| p.debtor_id == all[0]));
    assert_eq!(store.points_of(&[]).await.expect("none"), []);
}

async fn nobody_is_one_with_who_is_half_in(store: &Subject) {
    let scene = Scene::new(store).await;
    let known = scene.person(store).await;
    let mut twin = scene.draft_person();
    twin.debtor.person_id = known.debtor.person_id;
    twin.debtor.document = known.debtor.document.clone();
    let mut row = file(&scene, ImportState::Accepting);
    store.put_import(&row, &[]).await.expect("file");
    let rows = [twin.row(2)];
    let written = store.import_batch(row.id, &rows, false, &[]);
    assert_eq!(written.await.expect("written").debtors_new, 1);
    let twins = async || {
        let found = store.duplicates(scene.portfolio.id, None, 10).await;
        let found = found.expect("found");
        found.into_iter().map(|d| d.debtors).collect::<Vec<_>>()
    };
    assert_eq!(twins().await, Vec::<Vec<_>>::new());
    row = store.get_import(row.id).await.expect("file");
    row.state = ImportState::Accepted;
    store.put_import(&row, &[]).await.expect("accepted");
    assert_eq!(twins().await, [[known.debtor.id, twin.debtor.id]]);
}

async fn who_lost_his_turn_writes_nothing(store: &Subject) {
    let scene = Scene::new(store).await;
    let mut row = file(&scene, ImportState::Accepting);
    store.put_import(&row, &[]).await.expect("file");
    let (a, b, c) = (
        scene.draft_person(),
        scene.draft_person(),
        scene.draft_person(),
    );
    let write = async |rows: &[_]| store.import_batch(row.id, rows, false, &[]).await;
    write(&[a.row(2), b.row(3)]).await.expect("his turn");
    // Frozen before this batch; another process has gone on behind it meanwhile.
    let again = write(&[a.row(2), b.row(3)]).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    row = store.get_import(row.id).await.expect("file");
    assert_eq!(row.rows_done, 3);
    for state in [ImportState::Accepted, ImportState::Undoing] {
        row.state = state;
        store.put_import(&row, &[]).await.expect("file");
        let late = store.import_batch(row.id, &[c.row(4)], false, &[]).await;
        assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
        assert!(store.get_debtor(c.debtor.id).await.is_err(), "not written");
    }
}

fn dearer(of: &Person, line: u64) -> DebtorRow {
    let mut row = of.row(line);
    row.debt.principal_minor += 700;
    row.debt.updated_at = NOW.plus_ms(1_000);
    row
}

async fn owed(store: &Subject, of: &Person) -> i64 {
    let debt = store.get_debt(of.debt.id).await.expect("debt");
    debt.balance_minor() - of.debt.balance_minor()
}

async fn what_a_file_changes_is_seen_with_it(store: &Subject) {
    let scene = Scene::new(store).await;
    let people = [(); 4].map(|()| scene.draft_person());
    let [a, b, c, d] = &people;
    let rows = [a.row(2), b.row(3), c.row(4)];
    let first = store.import_batch(fresh(), &rows, false, &[]).await;
    first.expect("there before");
    let all = async || {
        let found = store.segment_count(scene.client.id, &Expr::All, NOW).await;
        let found = found.expect("count");
        (found.debtors, found.balance[0].1)
    };
    let before = all().await;
    let mut row = file(&scene, ImportState::Accepting);
    store.put_import(&row, &[]).await.expect("file");
    let rows = [dearer(a, 2), b.row(3), d.row(4)];
    let report = store.take_rows(row.id, &rows).await.expect("taken");
    assert_eq!((report.rows, report.debts_changed), (3, 1));
    assert_eq!((report.unchanged, report.debtors_new), (1, 1));
    store.settle_rows(row.id).await.expect("durable");
    let recalled = store.recall_aside(row.id, &[c.debt.id], true).await;
    recalled.expect("aside");
    let now = NOW.plus_ms(5_000);
    let some = store.write_aside(row.id, now).await.expect("few");
    assert!(!some, "so few wait for the row");
    assert_eq!(all().await, before, "nothing is seen of it");
    assert_eq!(owed(store, a).await, 0);
    row = store.get_import(row.id).await.expect("file");
    assert_eq!((row.rows_done, row.report.debts_changed), (4, 1));
    (row.state, row.accepted_at) = (ImportState::Accepted, Some(now));
    store.put_import(&row, &[]).await.expect("accepted");
    assert_eq!(owed(store, a).await, 700);
    let gone = store.get_debt(c.debt.id).await.expect("debt");
    assert_eq!(gone.status, DebtStatus::Recalled);
    let balance = before.1 + 700 - c.debt.balance_minor() + d.debt.balance_minor();
    assert_eq!(all().await, (before.0 + 1, balance), "all of it at once");
    let late = store.take_rows(row.id, &[dearer(b, 5)]).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
}

/// Two files of two portfolios change the same persons in opposite order, in the same moment: both are in.
async fn two_files_that_share_persons_are_both_in(store: &Subject) {
    const PIECES: usize = 12;
    let scenes = [Scene::new(store).await, Scene::new(store).await];
    let mut people: [Vec<Person>; 2] = scenes
        .each_ref()
        .map(|scene| (0..PIECES).map(|_| scene.draft_person()).collect());
    let [first, second] = &mut people;
    for (a, b) in first.iter().zip(second.iter_mut()) {
        b.debtor.person_id = a.debtor.person_id;
    }
    second.reverse();
    for _ in 0..3 {
        let mut files = Vec::new();
        for (scene, own) in scenes.iter().zip(&people) {
            let rows: Vec<DebtorRow> = (2..).zip(own).map(|(line, p)| p.row(line)).collect();
            let first = store.import_batch(fresh(), &rows, false, &[]).await;
            first.expect("there before");
            let mut row = file(scene, ImportState::Accepting);
            store.put_import(&row, &[]).await.expect("file");
            for (line, person) in (2..).zip(own) {
                let taken = store.take_rows(row.id, &[dearer(person, line)]).await;
                taken.expect("taken");
            }
            store.settle_rows(row.id).await.expect("durable");
            row = store.get_import(row.id).await.expect("file");
            (row.state, row.accepted_at) = (ImportState::Accepted, Some(NOW.plus_ms(5_000)));
            files.push(row);
        }
        let writes = files.into_iter().map(|row| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.put_import(&row, &[]).await })
        });
        for write in writes.collect::<Vec<_>>() {
            write.await.expect("ended").expect("in");
        }
        for person in people.iter().flatten() {
            assert_eq!(owed(store, person).await, 700);
        }
    }
}

/// Each of two files changes debts that the other recalls: both are in.
async fn two_files_that_recall_what_the_other_changes_are_both_in(store: &Subject) {
    const PIECES: usize = 12;
    for _ in 0..3 {
        let scenes = [Scene::new(store).await, Scene::new(store).await];
        let people: [Vec<Person>; 2] = scenes
            .each_ref()
            .map(|scene| (0..PIECES).map(|_| scene.draft_person()).collect());
        let mut files = Vec::new();
        for (n, (scene, own)) in scenes.iter().zip(&people).enumerate() {
            let rows: Vec<DebtorRow> = (2..).zip(own).map(|(line, p)| p.row(line)).collect();
            let first = store.import_batch(fresh(), &rows, false, &[]).await;
            first.expect("there before");
            let mut row = file(scene, ImportState::Accepting);
            store.put_import(&row, &[]).await.expect("file");
            for (line, person) in (2..).zip(own) {
                let taken = store.take_rows(row.id, &[dearer(person, line)]).await;
                taken.expect("taken");
            }
            store.settle_rows(row.id).await.expect("durable");
            for (at, other) in people[1 - n].iter().enumerate() {
                let kept = store.recall_aside(row.id, &[other.debt.id], at == 0).await;
                kept.expect("aside");
            }
            row = store.get_import(row.id).await.expect("file");
            (row.state, row.accepted_at) = (ImportState::Accepted, Some(NOW.plus_ms(5_000)));
            files.push(row);
        }
        let writes = files.into_iter().map(|row| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.put_import(&row, &[]).await })
        });
        for write in writes.collect::<Vec<_>>() {
            write.await.expect("ended").expect("in");
        }
        for person in people.iter().flatten() {
            let debt = store.get_debt(person.debt.id).await.expect("debt");
            assert_eq!(debt.status, DebtStatus::Recalled);
        }
    }
}

/// More rows than a store with one writer writes at once. Others see none of it before the file is in where all of it
/// can wait; else the first piece is told as shown, and the rest waits.
async fn of_many_rows_what_waits_is_told(store: &Subject) {
    let scene = Scene::new(store).await;
    let a = scene.draft_person();
    let first = store.import_batch(fresh(), &[a.row(2)], false, &[]).await;
    first.expect("there before");
    let mut row = file(&scene, ImportState::Accepting);
    store.put_import(&row, &[]).await.expect("file");
    let taken = store.take_rows(row.id, &[dearer(&a, 2)]).await;
    taken.expect("taken");
    let strangers = |_| (0..IMPORT_STEP).map(|_| fresh()).collect();
    let pieces = ASIDE_AT_ONCE.div_ceil(IMPORT_STEP.into());
    let pieces: Vec<Vec<DebtId>> = (0..pieces).map(strangers).collect();
    for (n, piece) in pieces.iter().enumerate() {
        let kept = store.recall_aside(row.id, piece, n == 0).await;
        kept.expect("aside");
    }
    let id = row.id;
    let left = async |now| store.import_left(id, now).await.expect("left");
    let whole = left(NOW).await;
    assert_eq!((whole.at_work, whole.shown), (false, 0));
    assert!(whole.waiting > ASIDE_AT_ONCE);
    let shown = store.write_aside(row.id, NOW).await.expect("the first");
    assert_eq!(owed(store, &a).await, if shown { 700 } else { 0 });
    let some = left(NOW).await;
    let seen = u64::from(shown);
    assert_eq!((some.shown, some.waiting), (seen, whole.waiting - seen));
    let turn = store.take_import(row.id, "another", NOW).await;
    assert!(turn.expect("taken") && left(NOW).await.at_work);
    assert!(
        !left(NOW.plus_ms(IMPORT_TURN_MS)).await.at_work,
        "it has died"
    );
    // Whoever goes on.
    while store.write_aside(row.id, NOW).await.expect("the rest") {}
    row = store.get_import(id).await.expect("file");
    (row.state, row.accepted_at) = (ImportState::Accepted, Some(NOW.plus_ms(5_000)));
    store.put_import(&row, &[]).await.expect("it is in");
    assert_eq!(owed(store, &a).await, 700);
    assert_eq!(left(NOW).await.waiting, 0);
    row.state = ImportState::Undoing;
    store.put_import(&row, &[]).await.expect("undone");
    let late = store.write_aside(row.id, NOW).await;
    assert!(!matches!(late, Ok(true)), "it is being taken back");
}

async fn one_file_of_a_portfolio_is_half_in(store: &Subject) {
    let scene = Scene::new(store).await;
    let mut a = file(&scene, ImportState::Accepting);
    let mut b = file(&scene, ImportState::Accepting);
    // Two nodes at once.
    let (first, second) = tokio::join!(store.put_import(&a, &[]), store.put_import(&b, &[]));
    if first.is_err() {
        std::mem::swap(&mut a, &mut b);
    }
    let refused = first.and(second);
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    assert!(store.get_import(b.id).await.is_err(), "only one is in");
    let other = Scene::new(store).await;
    let elsewhere = file(&other, ImportState::Accepting);
    let put = store.put_import(&elsewhere, &[]).await;
    put.expect("of another portfolio");
    a.state = ImportState::Accepted;
    store.put_import(&a, &[]).await.expect("accepted");
    store.put_import(&b, &[]).await.expect("its turn");
    a.state = ImportState::Undoing;
    let undo = store.put_import(&a, &[]).await;
    assert!(matches!(undo, Err(StoreError::Conflict(_))), "{undo:?}");
    b.state = ImportState::Undoing;
    store.put_import(&b, &[]).await.expect("taken back");
    b.state = ImportState::Accepted;
    let late = store.put_import(&b, &[]).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
}
